//! The view on a real terminal: events in, keys in, commands out, a page at most every [`FRAME`].

use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event as Typed};

use super::Settings;
use super::keyboard::{Between, Keyboard};
use super::model::{Model, State};
use super::page::{Grid, Page};
use super::screen::{Screen, leave};
use crate::clock::{Clock, HostClock};
use crate::problem::ExitCode;
use crate::records::visible;
use crate::station::{Command, Event, What};

/// Time between two pages.
pub const FRAME: Duration = Duration::from_millis(50);
/// So many events are taken in before the keyboard is looked at again.
const EVENTS_AT_ONCE: usize = 1000;
/// How long the thread that reads the terminal waits for something before it says that there was nothing: so exactly are
/// the times of what is typed known.
const LISTEN: Duration = Duration::from_millis(10);
const BELL: &[u8] = b"\x07";
/// How often something is written to the terminal though nothing has changed: only writing tells that it is gone.
const STILL_THERE: Duration = Duration::from_secs(1);

/// What comes of one look at the terminal.
pub enum Input {
    /// Something typed, or a change of the terminal's size.
    Typed(Typed, Between),
    /// Nothing: until then all that was typed has been told.
    Quiet(Duration),
}

/// Shows the station until it has ended or nobody can tell events any more. Gives what was on the page last and is gone
/// with it: the verdicts of boards that are seated still, sites that died, how the station ended.
///
/// # Errors
/// Where the terminal cannot be taken over or is lost. The station is then asked to quit; it ends without a view.
pub fn run(
    events: &Receiver<Event>,
    commands: &Sender<Command>,
    settings: &Settings,
) -> (Vec<Event>, io::Result<()>) {
    let mut view = View::new(settings);
    let shown = on_screen(&mut view, events, commands);
    if shown.is_err() {
        // the station may have ended before: then nobody listens, and nothing is lost
        let _ = commands.send(Command::Quit);
    }
    (view.left(), shown)
}

/// Ends the program, whatever the boards are in. The terminal is given back.
pub fn end_at_once() -> ! {
    leave();
    process::exit(ExitCode::Cancelled.number().into());
}

fn on_screen(
    view: &mut View<'_>,
    events: &Receiver<Event>,
    commands: &Sender<Command>,
) -> io::Result<()> {
    let _screen = Screen::enter()?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let clock = HostClock::start();
    let (listener, input) = Listener::start(clock);
    let shown = view.play(&mut terminal, events, &input, commands, &clock);
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
            let mut ear = Ear::new(&clock);
            while !unwanted.load(Ordering::Relaxed) {
                let heard = ear.hear(|| match event::poll(LISTEN)? {
                    true => event::read().map(Some),
                    false => Ok(None),
                });
                // no terminal to read from, or nobody to tell: the receiver notices the first by the channel's end
                let Ok(input) = heard else { return };
                if sender.send(input).is_err() {
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

/// Tells when something was typed. Its thread may be held up at any point, and what is typed meanwhile waits: that it was
/// not there before a certain moment is known only from a look that found nothing.
pub(super) struct Ear<'c> {
    clock: &'c dyn Clock,
    quiet_until: Duration,
}

impl<'c> Ear<'c> {
    pub(super) fn new(clock: &'c dyn Clock) -> Self {
        Ear {
            clock,
            quiet_until: clock.now(),
        }
    }

    /// Looks once.
    pub(super) fn hear(
        &mut self,
        look: impl FnOnce() -> io::Result<Option<Typed>>,
    ) -> io::Result<Input> {
        let began = self.clock.now();
        Ok(match look()? {
            Some(typed) => Input::Typed(typed, Between(self.quiet_until, self.clock.now())),
            None => {
                self.quiet_until = began;
                Input::Quiet(began)
            }
        })
    }
}

/// The view's state.
pub(super) struct View<'a> {
    settings: &'a Settings,
    model: Model,
    keyboard: Keyboard,
    /// Until then all that was typed is known.
    heard: Duration,
    fails_rung: u32,
    /// The last verdict of each site, sites that died, the station's end.
    last: Vec<Event>,
}

impl<'a> View<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        View {
            settings,
            model: Model::new(),
            keyboard: Keyboard::new(settings.barcodes),
            heard: Duration::ZERO,
            fails_rung: 0,
            last: Vec::new(),
        }
    }

    /// What the page still said when it was drawn last, as it happened.
    pub(super) fn left(&self) -> Vec<Event> {
        let has_verdict = |label: &str| {
            let mut sites = self.model.sites.iter();
            let site = sites.find(|site| site.label == visible(label));
            site.is_some_and(|site| matches!(site.state, State::Ended { .. }))
        };
        let is_there = |event: &&Event| match &event.what {
            What::Verdict(_) => event.site.as_deref().is_some_and(has_verdict),
            _ => true,
        };
        self.last.iter().filter(is_there).cloned().collect()
    }

    fn remember(&mut self, event: Event) {
        match event.what {
            What::Verdict(_) => self
                .last
                .retain(|last| last.site != event.site || !matches!(last.what, What::Verdict(_))),
            What::OutOfService { .. } | What::StationEnded { .. } => {}
            _ => return,
        }
        self.last.push(event);
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
            changed |= self.listen(input, commands)?;
            for command in self.keyboard.settle(self.heard, &self.model) {
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
                Ok(event) => {
                    self.model.apply(&event);
                    self.remember(event);
                }
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
        let mut changed = false;
        while let Some(heard) = next {
            match heard {
                Input::Quiet(until) => self.heard = until,
                Input::Typed(typed, at) => {
                    changed = true;
                    self.typed(&typed, at, commands);
                }
            }
            next = input.try_recv().ok();
        }
        Ok(changed)
    }

    fn typed(&mut self, typed: &Typed, at: Between, commands: &Sender<Command>) {
        let Typed::Key(key) = typed else { return };
        for command in self.keyboard.press(*key, at, &self.model) {
            // where nobody takes it any more the station is about to end, and says so by its events
            let _ = commands.send(command);
        }
        if self.keyboard.ends_at_once() {
            end_at_once();
        }
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
