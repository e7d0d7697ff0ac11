//! Signals that end the program: Ctrl-C, and those that services are ended with.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Sender;

use super::shown::Shown;
use crate::problem::{ExitCode, Problem};
use crate::station::{Command, view};

/// Once, and boards in work are done first; twice, and they end where they can be left safely; three times, and the program
/// ends at once. Ctrl-C in the view does the same, where it is a key and no signal.
///
/// # Errors
/// `signals` (exit 1), where the system refuses to tell of them.
pub fn watch(commands: Sender<Command>, shown: Shown) -> Result<(), Problem> {
    let asked = AtomicU32::new(0);
    let handler = move || {
        let (command, words) = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => (
                Command::Quit,
                "ending when the boards in work are done (Ctrl-C again: they are cancelled)",
            ),
            1 => (
                Command::Cancel,
                "ending where the boards can be left safely (Ctrl-C again: at once)",
            ),
            _ => view::end_at_once(),
        };
        let _ = commands.send(command);
        if shown != Shown::View {
            let _ = writeln!(io::stderr(), "{words}");
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Problem::new("signals", ExitCode::Internal, error.to_string()))
}
