//! DAP_Transfer and DAP_TransferBlock as the host sends them, taken apart before anything moves on the wire.

use super::packet::{Fields, Refusal};
use super::request;

/// One transfer that a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Reads a register.
    Read(u8),
    /// Reads a register until its masked value is this.
    Match(u8, u32),
    /// Writes a register.
    Write(u8, u32),
    /// Sets the mask of value matches; nothing on the wire.
    Mask(u32),
}

impl Request {
    fn of(fields: &mut Fields<'_>) -> Result<Self, Refusal> {
        let bits = fields.u8()?;
        let read = bits & request::READ != 0;
        // the timestamp bit is ignored, as Arm's firmware does without a test domain timer
        Ok(if read && bits & request::VALUE_MATCH != 0 {
            Request::Match(bits, fields.u32()?)
        } else if read {
            Request::Read(bits)
        } else if bits & request::MATCH_MASK != 0 {
            Request::Mask(fields.u32()?)
        } else {
            Request::Write(bits, fields.u32()?)
        })
    }

    /// Reads an access port: its data comes with the transfer after.
    pub(super) fn posts(self) -> bool {
        matches!(self, Request::Read(bits) if bits & request::AP != 0)
    }
}

/// The transfers of a DAP_Transfer; the DAP index says nothing on SWD.
pub(super) fn list(fields: &mut Fields<'_>) -> Result<Vec<Request>, Refusal> {
    let _dap_index = fields.u8()?;
    let count = fields.u8()?;
    (0..count).map(|_| Request::of(fields)).collect()
}

/// A DAP_TransferBlock.
#[derive(Debug)]
pub(super) enum Block {
    /// Reads a register so many times.
    Read(u8, u16),
    /// Writes these to a register.
    Write(u8, Vec<u32>),
}

impl Block {
    pub(super) fn of(fields: &mut Fields<'_>) -> Result<Self, Refusal> {
        let _dap_index = fields.u8()?;
        let count = fields.u16()?;
        let bits = fields.u8()?;
        if bits & request::READ != 0 {
            return Ok(Block::Read(bits, count));
        }
        let words = (0..count).map(|_| fields.u32()).collect::<Result<_, _>>()?;
        Ok(Block::Write(bits, words))
    }
}
