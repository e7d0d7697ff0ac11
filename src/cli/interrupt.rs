//! Ctrl-C while a job runs: once, and the job ends where the board can be left safely; twice, and the program ends at once.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::problem::{ExitCode, Problem};
use crate::station::view;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Takes Ctrl-C (and the signals that end a service) from here on.
///
/// # Errors
/// A fault of this program: another part of it has taken them already.
pub fn watch() -> Result<(), Problem> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            view::leave();
            let _ = writeln!(
                io::stderr(),
                "ended at once; what runs on the board ends by itself and resets it; if the board does not come back, power-cycle it"
            );
            process::exit(ExitCode::Cancelled.number().into());
        }
        let _ = writeln!(
            io::stderr(),
            "ending where the board can be left safely (Ctrl-C again: at once)"
        );
    })
    .map_err(|error| Problem::new("signals", ExitCode::Internal, error.to_string()))
}

/// Whether the user wants the job to end.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
