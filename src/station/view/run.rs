//! The view on a real terminal: events in, keys in, commands out, a page at most every [`FRAME`].

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event as Typed};

use super::Settings;
use super::keyboard::Keyboard;
use super::model::Model;
use super::page::{Grid, Page};
use super::screen::Screen;
use crate::clock::{Clock, HostClock};
use crate::station::{Command, Event};

/// Time between two pages.
pub const FRAME: Duration = Duration::from_millis(50);
/// So many events are taken in before the keyboard is looked at again.
const EVENTS_AT_ONCE: usize = 1000;
/// How often the thread that reads the terminal looks whether it is still wanted.
const LISTEN: Duration = Duration::from_millis(100);
const BELL: &[u8] = b"\x07";
/// How often something is written to the terminal though nothing has changed: only writing tells that it is gone.
const STILL_THERE: Duration = Duration::from_secs(1);

/// Something typed, or a change of the terminal's size, and when.
pub(super) type Input = (Typed, Duration);

/// Shows the station until it has ended or nobody can tell events any more.
///
/// # Errors
/// Where the terminal cannot be taken over or is lost. The station is then asked to quit; it ends without a view.
pub fn run(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    settings: &Settings,
) -> io::Result<()> {
    let shown = on_screen(events, commands, settings);
    if shown.is_err() {
        // the station may have ended before: then nobody listens, and nothing is lost
        let _ = commands.send(Command::Quit);
    }
    shown
}

fn on_screen(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    settings: &Settings,
) -> io::Result<()> {
    let _screen = Screen::enter()?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let clock = HostClock::start();
    let (listener, input) = Listener::start(clock);
    let shown = View::new(settings).play(&mut terminal, events, &input, commands, &clock);
    drop(listener);
    if shown.is_err() {
        // where the cursor cannot be shown its end prints that, and to print to a terminal that is gone is a panic
        std::mem::forget(terminal);
    }
    shown
}

/// The thread that reads the terminal: its own, since it hangs where the terminal is gone, and a page must not wait for it.
struct Listener {
    unwanted: Arc<AtomicBool>,
}

impl Listener {
    fn start(clock: HostClock) -> (Listener, Receiver<Input>) {
        let (sender, input) = mpsc::channel();
        let unwanted = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            unwanted: Arc::clone(&unwanted),
        };
        thread::spawn(move || {
            while !unwanted.load(Ordering::Relaxed) {
                let typed = match event::poll(LISTEN) {
                    Ok(true) => event::read(),
                    Ok(false) => continue,
                    Err(error) => Err(error),
                };
                // no terminal to read from, or nobody to tell: the receiver notices the first by the channel's end
                let Ok(typed) = typed else { return };
                if sender.send((typed, clock.now())).is_err() {
                    return;
                }
            }
        });
        (listener, input)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

/// The view's state.
pub(super) struct View<'a> {
    settings: &'a Settings,
    model: Model,
    keyboard: Keyboard,
    fails_rung: u32,
}

impl<'a> View<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        View {
            settings,
            model: Model::new(),
            keyboard: Keyboard::new(settings.barcodes),
            fails_rung: 0,
        }
    }

    /// Goes on until the station has ended.
    pub(super) fn play<W: Write>(
        &mut self,
        terminal: &mut Terminal<CrosstermBackend<W>>,
        events: &Receiver<Event>,
        input: &Receiver<Input>,
        commands: &Sender<Command>,
        clock: &dyn Clock,
    ) -> io::Result<()> {
        let mut drawn: Option<Duration> = None;
        let mut changed = true;
        loop {
            let due = drawn.is_none_or(|drawn| clock.now().saturating_sub(drawn) >= FRAME);
            if changed && due {
                self.draw(terminal)?;
                drawn = Some(clock.now());
                changed = false;
            } else if drawn.is_none_or(|drawn| clock.now().saturating_sub(drawn) >= STILL_THERE) {
                terminal.hide_cursor()?;
                drawn = Some(clock.now());
            }
            let now = clock.now();
            changed |= self.listen(input, commands)?;
            for command in self.keyboard.settle(now, &self.model) {
                let _ = commands.send(command);
                changed = true;
            }
            let (taken, ended) = self.take(events);
            changed |= taken;
            if ended || self.model.ended {
                return self.draw(terminal);
            }
        }
    }

    /// Takes events that have come; says whether there were any, and whether there will be none any more.
    fn take(&mut self, events: &Receiver<Event>) -> (bool, bool) {
        for count in 0..EVENTS_AT_ONCE {
            match events.try_recv() {
                Ok(event) => self.model.apply(&event),
                Err(TryRecvError::Empty) => return (count > 0, false),
                Err(TryRecvError::Disconnected) => return (count > 0, true),
            }
        }
        (true, false)
    }

    /// Waits for a key, but not past the next page, and takes all that were pressed.
    fn listen(&mut self, input: &Receiver<Input>, commands: &Sender<Command>) -> io::Result<bool> {
        let gone = || io::Error::other("the terminal cannot be read any more");
        let mut next = match input.recv_timeout(FRAME) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        };
        while let Some((typed, at)) = next {
            if let Typed::Key(key) = typed {
                for command in self.keyboard.press(key, at, &self.model) {
                    // where nobody takes it any more the station is about to end, and says so by its events
                    let _ = commands.send(command);
                }
            }
            next = input.try_recv().ok();
        }
        Ok(true)
    }

    fn draw<W: Write>(&mut self, terminal: &mut Terminal<CrosstermBackend<W>>) -> io::Result<()> {
        terminal.draw(|frame| {
            let area = frame.area();
            if let Some(grid) = Grid::of(self.model.sites.len(), area.width, area.height) {
                self.keyboard.set_columns(grid.columns);
            }
            let page = Page {
                model: &self.model,
                keyboard: &self.keyboard,
                settings: self.settings,
            };
            page.render(frame);
        })?;
        if self.fails_rung < self.model.fails {
            let bells = self.model.fails - self.fails_rung;
            for _ in 0..bells {
                terminal.backend_mut().write_all(BELL)?;
            }
            self.fails_rung = self.model.fails;
            Write::flush(terminal.backend_mut())?;
        }
        Ok(())
    }
}
