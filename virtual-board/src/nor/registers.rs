//! The registers of a flash part besides status register 1, as its file describes them.

use serde::Deserialize;

/// Those that the part has.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Registers {
    /// ISSI's function register.
    pub function: Option<FunctionRegister>,
    /// ISSI's read parameters.
    pub read_parameters: Option<Parameters>,
    /// ISSI's extended read parameters.
    pub extended_read_parameters: Option<Parameters>,
    /// Status register 2.
    pub status_2: Option<FurtherStatus>,
    /// Status register 3.
    pub status_3: Option<FurtherStatus>,
}

/// A register of one-time bits, with the suspend flags in it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FunctionRegister {
    /// Reads it.
    pub read_opcode: u8,
    /// Writes it.
    pub write_opcode: u8,
    /// Bits that go from 0 to 1 for good.
    pub one_time_mask: u8,
    /// Set while a program is suspended.
    pub program_suspended_mask: u8,
    /// Set while an erase is suspended.
    pub erase_suspended_mask: u8,
    /// What a new part holds.
    pub as_delivered: u8,
}

/// A register with a volatile and a non-volatile copy.
#[derive(Clone, Debug, Deserialize)]
pub struct Parameters {
    /// Reads the volatile copy.
    pub read_opcode: u8,
    /// Write the volatile copy.
    pub volatile_opcodes: Vec<u8>,
    /// Writes the non-volatile copy.
    pub non_volatile_opcode: u8,
    /// What a new part holds and shows after power-on.
    pub as_delivered: u8,
}

/// Status register 2 or 3.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FurtherStatus {
    /// Reads it.
    pub read_opcode: u8,
    /// Writes it, with one byte.
    pub write_opcode: u8,
    /// Bits that a write changes and power does not lose.
    pub non_volatile_mask: u8,
    /// Bits that go from 0 to 1 for good.
    pub one_time_mask: u8,
    /// Set while an erase or a program is suspended.
    pub suspended_mask: u8,
    /// Set: no status register can be written until the power was off.
    pub lock_mask: u8,
    /// What a new part holds.
    pub as_delivered: u8,
}

/// 01h with a second byte, for status register 2.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct StatusPair {
    /// 01h.
    pub opcode: u8,
    /// With one byte only, it clears status register 2.
    pub one_byte_clears: bool,
}

/// Where a bit is that is not in the same register on all parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Place {
    /// Status register 1.
    #[serde(rename = "status")]
    Status,
    /// Status register 2.
    #[serde(rename = "status 2")]
    Status2,
    /// Function register.
    #[serde(rename = "function")]
    Function,
}

/// QE.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct QuadEnable {
    /// Its register.
    pub register: Place,
    /// Its bit there.
    pub mask: u8,
    /// JESD216's number for the way it is set.
    pub sfdp_requirement: u8,
}
