//! The RAM-resident algorithm as the host sees it: blob, loading, the exchange over the mailbox, faults and their causes.
//!
//! [`Exchange`] is the protocol without a link: it says what to write and read next. [`Algorithm`] joins it to one.

mod blob;
mod cause;
mod error;
mod exchange;
mod load;
mod operation;
#[cfg(test)]
mod queue_tests;
mod session;
mod setup;
#[cfg(test)]
mod tests;

pub use blob::Blob;
pub use error::AlgorithmError;
pub use exchange::{Action, Damaged, Exchange, Outcome};
pub use operation::{Operation, operations};
pub use session::{Algorithm, Progress, SectorDigests, Stopped};
pub use setup::{setup_for, setup_to_identify};
