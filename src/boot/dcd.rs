//! DCD: the list of register writes and checks that the boot ROM performs before the image runs.

use std::fmt;

use crate::address::Address;

/// First byte of a DCD header.
pub const DCD_TAG: u8 = 0xD2;
/// Versions that are known (IMXRT1060MFUUG Rev 3, device configuration data).
pub const DCD_VERSIONS: std::ops::RangeInclusive<u8> = 0x40..=0x41;
/// The longest DCD in bytes, header included (same guide).
pub const DCD_LONGEST_BYTES: u16 = 1768;
/// Size of the header, and of a command's header, in bytes.
pub const DCD_HEADER_BYTES: usize = 4;

const WRITE_TAG: u8 = 0xCC;
const CHECK_TAG: u8 = 0xCF;
const NOP_TAG: u8 = 0xC0;
const UNLOCK_TAG: u8 = 0xB2;
const WIDTH_MASK: u8 = 0x07;
const MASK_FLAG: u8 = 0x08;
const SET_FLAG: u8 = 0x10;
const WORD_BYTES: usize = 4;
const PAIR_BYTES: usize = 2 * WORD_BYTES;

/// A DCD header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DcdHeader {
    /// Length in bytes, header included; big-endian in the file.
    pub length_bytes: u16,
    /// Version.
    pub version: u8,
}

impl DcdHeader {
    /// Takes the header apart; `None` without the tag.
    pub fn parse(bytes: [u8; DCD_HEADER_BYTES]) -> Option<Self> {
        let [tag, high, low, version] = bytes;
        (tag == DCD_TAG).then_some(DcdHeader {
            length_bytes: u16::from_be_bytes([high, low]),
            version,
        })
    }

    /// Whether the length is possible.
    pub fn has_possible_length(&self) -> bool {
        (DCD_HEADER_BYTES as u16..=DCD_LONGEST_BYTES).contains(&self.length_bytes)
    }
}

/// What a write command does with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// Writes it.
    Value,
    /// Clears the bits of it.
    Clear,
    /// Sets the bits of it.
    Set,
}

/// What a check command waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// All bits of the mask clear.
    AllClear,
    /// Any bit of the mask clear.
    AnyClear,
    /// All bits of the mask set.
    AllSet,
    /// Any bit of the mask set.
    AnySet,
}

/// One step of a DCD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DcdStep {
    /// One address and value of a write command.
    Write {
        /// Access width in bytes.
        width_bytes: u8,
        /// Register.
        address: Address,
        /// Value or mask.
        value: u32,
        /// What is done with it.
        kind: WriteKind,
    },
    /// A check command.
    Check {
        /// Access width in bytes.
        width_bytes: u8,
        /// Register.
        address: Address,
        /// Mask.
        mask: u32,
        /// What it waits for.
        kind: CheckKind,
        /// How often it looks; `None` for ever.
        tries: Option<u32>,
    },
    /// A NOP command.
    Nop,
    /// An unlock command, which this walk does not take apart.
    Unlock,
}

impl fmt::Display for DcdStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DcdStep::Write {
                width_bytes,
                address,
                value,
                kind,
            } => {
                let verb = match kind {
                    WriteKind::Value => "write",
                    WriteKind::Clear => "clear bits",
                    WriteKind::Set => "set bits",
                };
                let bits = 8 * width_bytes;
                write!(f, "{verb} 0x{value:08X} at {address} ({bits} bits)")
            }
            DcdStep::Check {
                width_bytes,
                address,
                mask,
                kind,
                tries,
            } => {
                let condition = match kind {
                    CheckKind::AllClear => "all clear",
                    CheckKind::AnyClear => "any clear",
                    CheckKind::AllSet => "all set",
                    CheckKind::AnySet => "any set",
                };
                let bits = 8 * width_bytes;
                write!(
                    f,
                    "wait until the bits 0x{mask:08X} at {address} ({bits} bits) are {condition}"
                )?;
                match tries {
                    Some(tries) => write!(f, ", {tries} tries"),
                    None => write!(f, ", for ever"),
                }
            }
            DcdStep::Nop => write!(f, "NOP"),
            DcdStep::Unlock => write!(f, "unlock"),
        }
    }
}

/// Why a DCD cannot be walked further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte 0x{at:X}: {why}")]
pub struct DcdFault {
    /// Offset of the command at fault in bytes from the DCD's start.
    pub at: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Walks a DCD, `bytes` being all of it with its header.
///
/// # Errors
/// [`DcdFault`] at the first command that cannot be read.
pub fn walk(bytes: &[u8]) -> Result<Vec<DcdStep>, DcdFault> {
    let mut steps = Vec::new();
    let mut at = DCD_HEADER_BYTES;
    while at < bytes.len() {
        let fault = |why| DcdFault { at, why };
        let command = bytes.get(at..).unwrap_or_default();
        let Some(([tag, high, low, parameter], _)) = command.split_first_chunk() else {
            return Err(fault("the command's header is cut off"));
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(body) = command.get(DCD_HEADER_BYTES..length) else {
            return Err(fault("the command's length does not fit"));
        };
        match *tag {
            WRITE_TAG => writes(body, *parameter, &mut steps).map_err(fault)?,
            CHECK_TAG => steps.push(check(body, *parameter).map_err(fault)?),
            NOP_TAG => steps.push(DcdStep::Nop),
            UNLOCK_TAG => steps.push(DcdStep::Unlock),
            _ => return Err(fault("the command is none of write, check, NOP, unlock")),
        }
        at += length;
    }
    Ok(steps)
}

fn writes(body: &[u8], parameter: u8, steps: &mut Vec<DcdStep>) -> Result<(), &'static str> {
    if body.is_empty() || !body.len().is_multiple_of(PAIR_BYTES) {
        return Err("the write command's body is no list of address and value");
    }
    let width_bytes = width(parameter)?;
    let kind = match (parameter & MASK_FLAG != 0, parameter & SET_FLAG != 0) {
        (true, true) => WriteKind::Set,
        (true, false) => WriteKind::Clear,
        _ => WriteKind::Value,
    };
    for pair in body.chunks_exact(PAIR_BYTES) {
        steps.push(DcdStep::Write {
            width_bytes,
            address: Address::new(number(pair, 0)),
            value: number(pair, WORD_BYTES),
            kind,
        });
    }
    Ok(())
}

fn check(body: &[u8], parameter: u8) -> Result<DcdStep, &'static str> {
    let with_count = PAIR_BYTES + WORD_BYTES;
    if body.len() != PAIR_BYTES && body.len() != with_count {
        return Err("the check command's body has a wrong length");
    }
    let kind = match (parameter & MASK_FLAG != 0, parameter & SET_FLAG != 0) {
        (false, false) => CheckKind::AllClear,
        (true, false) => CheckKind::AnyClear,
        (false, true) => CheckKind::AllSet,
        (true, true) => CheckKind::AnySet,
    };
    Ok(DcdStep::Check {
        width_bytes: width(parameter)?,
        address: Address::new(number(body, 0)),
        mask: number(body, WORD_BYTES),
        kind,
        tries: (body.len() == with_count).then(|| number(body, PAIR_BYTES)),
    })
}

fn width(parameter: u8) -> Result<u8, &'static str> {
    match parameter & WIDTH_MASK {
        width @ (1 | 2 | 4) => Ok(width),
        _ => Err("the access width is none of 1, 2, 4 bytes"),
    }
}

/// The big-endian word at `at`; 0 behind the end, which the callers' length tests rule out.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u32::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header, one write of two registers, one check with a count, NOP: the forms of the SDK's SDRAM set-up.
    const SAMPLE: &[u8] = &[
        0xD2, 0x00, 0x2C, 0x41, // header
        0xCC, 0x00, 0x14, 0x04, // write, 32 bits
        0x40, 0x0F, 0xC0, 0x68, 0xFF, 0xFF, 0xFF, 0xFF, // CCM_CCGR0
        0x40, 0x0F, 0xC0, 0x6C, 0x00, 0x00, 0x00, 0x01, // CCM_CCGR1
        0xCF, 0x00, 0x10, 0x14, // check, all set
        0x40, 0x2F, 0x00, 0x3C, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x10, 0x00, //
        0xC0, 0x00, 0x04, 0x00, // NOP
    ];

    #[test]
    fn a_dcd_is_told_step_by_step() {
        let header = DcdHeader::parse([0xD2, 0x00, 0x2C, 0x41]).expect("header");
        assert_eq!(usize::from(header.length_bytes), SAMPLE.len());
        assert!(header.has_possible_length() && DCD_VERSIONS.contains(&header.version));
        let told: Vec<String> = walk(SAMPLE)
            .expect("well formed")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "write 0xFFFFFFFF at 0x400FC068 (32 bits)",
                "write 0x00000001 at 0x400FC06C (32 bits)",
                "wait until the bits 0x00000001 at 0x402F003C (32 bits) are all set, 4096 tries",
                "NOP",
            ]
        );
    }

    #[test]
    fn a_malformed_command_is_named_by_its_place() {
        let fault = |change: fn(&mut Vec<u8>)| {
            let mut bytes = SAMPLE.to_vec();
            change(&mut bytes);
            walk(&bytes).expect_err("malformed").to_string()
        };
        assert!(fault(|b| b[4] = 0xAA).starts_with("byte 0x4: the command is none"));
        assert!(fault(|b| b[26] = 0x0F).contains("wrong length"));
        assert!(fault(|b| b[7] = 3).contains("width"));
        assert!(fault(|b| b.truncate(42)).contains("cut off"));
        assert!(fault(|b| b[6] = 0).contains("length does not fit"));
        assert_eq!(DcdHeader::parse([0; 4]), None);
    }
}
