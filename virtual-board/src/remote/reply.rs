//! Answers of the remote protocol.

use super::packet::Malformed;

const ERROR_UNRECOGNISED: u64 = 1;
const ERROR_WRONG_LENGTH: u64 = 2;
const ERROR_FAULT: u64 = 3;
const ERROR_EXCEPTION: u64 = 4;
/// The acknowledgement or the kind of exception stands above the error's number.
const DETAIL_SHIFT: u32 = 8;
/// The exception that a damaged transfer raises in the firmware.
const EXCEPTION_ERROR: u64 = 1;

/// What the probe answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; a number.
    Value(u64),
    /// Done; bytes in the order of memory.
    Bytes(Vec<u8>),
    /// Done; a text.
    Text(String),
    /// The parity of the bits received is wrong; the bits.
    WrongParity(u64),
    /// A parameter makes no sense.
    WrongParameter,
    /// Error with a code.
    Error(u64),
    /// This probe cannot do it.
    NotSupported,
}

impl Reply {
    /// Done, nothing to tell.
    pub const OK: Reply = Reply::Value(0);
    /// No such packet in this version.
    pub const UNRECOGNISED: Reply = Reply::Error(ERROR_UNRECOGNISED);
    /// The packet's length is wrong.
    pub const WRONG_LENGTH: Reply = Reply::Error(ERROR_WRONG_LENGTH);
    /// An error without a reason, as versions 0 to 2 report a failed access.
    pub const FAILED: Reply = Reply::Error(0);
    /// A transfer was damaged on the wire (from version 3 on).
    pub const EXCEPTION: Reply = Reply::Error(ERROR_EXCEPTION | (EXCEPTION_ERROR << DETAIL_SHIFT));

    /// The target acknowledged with something else than OK (from version 3 on).
    pub const fn fault(acknowledgement: u32) -> Reply {
        Reply::Error(ERROR_FAULT | ((acknowledgement as u64) << DETAIL_SHIFT))
    }

    /// As bytes on the line.
    pub fn encode(&self) -> Vec<u8> {
        let text = match self {
            Reply::Value(value) => format!("&K{value:x}#"),
            Reply::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("&K{digits}#")
            }
            Reply::Text(text) => {
                // these characters have a meaning on the line
                let text = text.replace(['!', '#', '$', '&'], " ");
                format!("&K{text}#")
            }
            Reply::WrongParity(value) => format!("&P{value:x}#"),
            Reply::WrongParameter => "&P0#".to_owned(),
            Reply::Error(code) => format!("&E{code:x}#"),
            Reply::NotSupported => "&N0#".to_owned(),
        };
        text.into_bytes()
    }
}

impl From<Malformed> for Reply {
    fn from(malformed: Malformed) -> Reply {
        match malformed {
            Malformed::Length => Reply::WRONG_LENGTH,
            Malformed::Value => Reply::WrongParameter,
        }
    }
}
