//! The host's side of the mailbox without a link.

#[path = "../../../src/algorithm/exchange/mod.rs"]
mod exchange;
#[path = "../../../src/algorithm/operation.rs"]
mod operation;

pub use exchange::{Action, Damaged, Exchange, Outcome};
pub use operation::{Operation, operations};
