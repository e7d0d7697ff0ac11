//! The status block: what the host learns in one burst while the target works.

use crate::fault::{Fault, FaultCode, Stage, wire_enum};
use crate::layout::{LAYOUT_DIGEST, MAGIC, STATUS, VERSION};

/// Words of the status block that carry meaning.
pub const WORDS: usize = 20;

/// Offset of [`Status::magic`].
pub const AT_MAGIC: u32 = STATUS;
/// Offset of [`Status::version`].
pub const AT_VERSION: u32 = STATUS + 4;
/// Offset of [`Status::layout_digest`].
pub const AT_LAYOUT_DIGEST: u32 = STATUS + 8;
/// Offset of [`Status::session`].
pub const AT_SESSION: u32 = STATUS + 12;
/// Offset of [`Status::alive`].
pub const AT_ALIVE: u32 = STATUS + 16;
/// Offset of [`Status::state`].
pub const AT_STATE: u32 = STATUS + 20;
/// Offset of [`Status::results_put`].
pub const AT_RESULTS_PUT: u32 = STATUS + 24;
/// Offset of [`Status::requests_taken`].
pub const AT_REQUESTS_TAKEN: u32 = STATUS + 28;
/// Offset of [`Status::payload_taken`].
pub const AT_PAYLOAD_TAKEN: u32 = STATUS + 32;
/// Offset of [`Status::replies_put`].
pub const AT_REPLIES_PUT: u32 = STATUS + 36;
/// Offset of [`Status::progress`].
pub const AT_PROGRESS: u32 = STATUS + 40;
/// Offset of the word that says how many faults there were.
pub const AT_FAULTS: u32 = STATUS + 44;
/// Offset of the fault line: number of the request, code, stage, address, expected, found.
pub const AT_FAULT_LINE: u32 = STATUS + 48;

wire_enum! {
    /// What the server is doing.
    ServerState {
        /// Setting up clocks, pins, controller and flash.
        Starting = 1,
        /// Waiting for a request.
        Idle = 2,
        /// Working on a request.
        Busy = 3,
        /// Working on a request and waiting for payload or for room in the reply ring.
        WaitingForHost = 4,
        /// Exit sequence done; nothing but a reset follows.
        Stopped = 5,
        /// The lease ran out; exit sequence, then system reset.
        LeaseLost = 6,
        /// Could not start, or a defect: see the fault line.
        Failed = 7,
    }
}

/// The status block as read. A burst reads it in ascending order: a counter before what it counts, so a value that was
/// overtaken while it was read only says less than the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u32,
    /// [`LAYOUT_DIGEST`].
    pub layout_digest: u32,
    /// The host's session number; written last by the start, so that all before is then valid.
    pub session: u32,
    /// Moves on whenever the server passes a loop.
    pub alive: u32,
    /// What the server is doing; `None` for a word this version does not know.
    pub state: Option<ServerState>,
    /// Results put into the result ring.
    pub results_put: u32,
    /// Requests taken from the request ring.
    pub requests_taken: u32,
    /// Chunks of the payload ring that may be overwritten.
    pub payload_taken: u32,
    /// Bytes put into the reply ring.
    pub replies_put: u32,
    /// Bytes done of the request being worked on.
    pub progress: u32,
    /// Number of the request that failed first, and why; kept until cleared.
    pub fault: Option<(u32, Fault)>,
}

impl Status {
    /// Takes the block apart.
    pub const fn from_words(words: &[u32; WORDS]) -> Self {
        let [
            magic,
            version,
            layout_digest,
            session,
            alive,
            state,
            results_put,
            requests_taken,
            payload_taken,
            ..,
        ] = *words;
        let [
            ..,
            replies_put,
            progress,
            faults,
            sequence,
            code,
            stage,
            address,
            expected,
            found,
            _,
            _,
        ] = *words;
        let fault = match (faults, FaultCode::from_word(code), Stage::from_word(stage)) {
            (0, _, _) => None,
            (_, Some(code), Some(stage)) => Some((
                sequence,
                Fault {
                    code,
                    stage,
                    address,
                    expected,
                    found,
                },
            )),
            // A word this version does not know: still a fault.
            _ => Some((
                sequence,
                Fault {
                    code: FaultCode::Defect,
                    stage: Stage::Entry,
                    address,
                    expected: code,
                    found: stage,
                },
            )),
        };
        Status {
            magic,
            version,
            layout_digest,
            session,
            alive,
            state: ServerState::from_word(state),
            results_put,
            requests_taken,
            payload_taken,
            replies_put,
            progress,
            fault,
        }
    }

    /// True if the block is of this protocol and its server has come up for `session`.
    pub const fn is_up(&self, session: u32) -> bool {
        self.magic == MAGIC
            && self.version >> 16 == VERSION >> 16
            && self.layout_digest == LAYOUT_DIGEST
            && self.session == session
    }
}
