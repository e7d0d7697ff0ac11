//! The station: boards come in at its sites, each is flashed by a job, and leaves with a verdict that is on record.

mod command;
mod event;
mod fixture;
pub mod view;
mod words;

pub use command::Command;
pub use event::{EVENT_VERSION, Event, Needs, UnitVerdict, What};
pub use fixture::{Fixture, Seat};
