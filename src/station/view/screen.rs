//! The terminal taken over, and given back whatever happens: at the end, on an error, on a panic.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

type Hook = dyn Fn(&PanicHookInfo<'_>) + Sync + Send + 'static;

/// The terminal while it is ours.
pub struct Screen {
    before: Arc<Hook>,
    /// What other threads would have printed over the page.
    held_back: Arc<Mutex<Vec<String>>>,
}

impl Screen {
    /// Takes the terminal over: raw mode, alternate screen, no cursor.
    ///
    /// # Errors
    /// Where the terminal refuses; it is then as it was.
    pub fn enter() -> io::Result<Screen> {
        let before: Arc<Hook> = Arc::from(panic::take_hook());
        let screen = Screen {
            before: Arc::clone(&before),
            held_back: Arc::default(),
        };
        let held_back = Arc::clone(&screen.held_back);
        let ours = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == ours {
                leave();
                before(info);
            } else if TAKEN.load(Ordering::SeqCst)
                && let Ok(mut held_back) = held_back.lock()
            {
                held_back.push(info.to_string());
            } else {
                before(info);
            }
        }));
        // before the first change, so that a failure half way is undone as well
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
        if !thread::panicking() {
            let before = Arc::clone(&self.before);
            panic::set_hook(Box::new(move |info| before(info)));
        }
        if let Ok(held_back) = self.held_back.lock() {
            for said in held_back.iter() {
                let _ = writeln!(io::stderr(), "{said}");
            }
        }
    }
}

/// Gives the terminal back if it is taken: for those who end the program without unwinding.
pub fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // each is tried even if another fails: a terminal that is gone must not keep a raw one raw
        let _ = disable_raw_mode();
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    }
}
