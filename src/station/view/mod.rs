//! What the operator sees: a tile for each site, green or red from across the room, and in words from near.
//!
//! [`Model`] is a fold over the station's events, [`Page`] draws it, [`Keyboard`] makes commands of keys and scans, and
//! [`run`] joins them on a terminal.

mod figures;
mod keyboard;
mod letters;
mod look;
mod model;
mod page;
mod run;
mod screen;
#[cfg(test)]
mod tests;
mod tile;
mod wrap;

use std::env;
use std::io::{self, IsTerminal};

use jiff::tz::TimeZone;

pub use figures::Figures;
pub use keyboard::Keyboard;
pub use model::{Model, Said, Site, State, Unit};
pub use page::{Grid, Page};
pub use run::{end_at_once, run};
pub use screen::leave;

/// How the station is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Whether the job takes codes: characters are then parts of a code, and shortcuts are other keys.
    pub barcodes: bool,
    /// Whether colours are shown.
    pub color: bool,
    /// Of the clock on the wall.
    pub zone: TimeZone,
}

impl Settings {
    /// As the environment wants it: no colour where `NO_COLOR` is set, the time zone of the system.
    pub fn of_environment(barcodes: bool) -> Self {
        Settings {
            barcodes,
            color: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            zone: TimeZone::system(),
        }
    }
}

/// Whether there is a terminal that a page can be drawn on and keys read from.
pub fn is_possible() -> bool {
    let is_dumb = env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && (cfg!(windows) || !is_dumb)
}
