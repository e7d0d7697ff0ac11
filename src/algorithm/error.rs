//! What can go wrong between host and algorithm.

use mailbox::{Fault, Request};

use super::exchange::Damaged;
use crate::address::Address;
use crate::link::{CoreState, LinkError};

/// Why the algorithm did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AlgorithmError {
    /// The link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The blob that is compiled in cannot be used.
    #[error("the built-in flash algorithm is unusable")]
    Blob,
    /// RAM does not hold what was written.
    #[error("RAM at {address} reads back {found:#010x} instead of {expected:#010x}")]
    ReadBack {
        /// First word that differs.
        address: Address,
        /// What was written.
        expected: u32,
        /// What was read.
        found: u32,
    },
    /// The algorithm does not move any more.
    #[error("the flash algorithm stopped answering while it was to {doing}")]
    Silent {
        /// What was asked, in words.
        doing: &'static str,
        /// What the core does, where it could be asked.
        core: Option<CoreState>,
    },
    /// The algorithm stopped itself: a defect in it, or a fault of the bus.
    #[error("the flash algorithm broke down while it was to {doing}")]
    Stopped {
        /// What was asked, in words.
        doing: &'static str,
        /// The fault line, if there is one.
        fault: Option<Fault>,
    },
    /// The algorithm could not start.
    #[error("the flash algorithm could not start")]
    NotStarted {
        /// Why.
        fault: Option<Fault>,
    },
    /// A request failed on the target.
    #[error("the flash did not {}", doing(request))]
    Failed {
        /// The request.
        request: Request,
        /// Why.
        fault: Fault,
    },
    /// Records arrive damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A reply has another shape than the protocol says.
    #[error("the flash algorithm's answer cannot be understood")]
    Reply,
    /// The user wants to stop.
    #[error("cancelled")]
    Cancelled,
}

/// A request in words, after "did not" or "was to".
pub(super) const fn doing(request: &Request) -> &'static str {
    match request {
        Request::Identify => "identify the flash",
        Request::Map { .. } | Request::Digest { .. } => "digest the flash",
        Request::Erase { .. } => "erase",
        Request::Program { .. } => "program",
        Request::Read { .. } => "read",
        Request::SetStatus { .. } => "set the status register",
        Request::ClearFault => "clear the fault",
        Request::Stop => "stop and leave the flash ready for the boot ROM",
    }
}
