//! The DCD: a list of register writes and checks that the ROM performs before the image runs.

use super::RefusalReason;
use super::script::Action;
use crate::bus::Width;

// Tags (IMXRT1060MFUUG, device configuration data).
const HEADER: u8 = 0xD2;
const WRITE: u8 = 0xCC;
const CHECK: u8 = 0xCF;
const NOP: u8 = 0xC0;
const UNLOCK: u8 = 0xB2;
const PARAMETER_MASK: u8 = 1 << 3;
const PARAMETER_SET: u8 = 1 << 4;
/// The longest DCD (IMXRT1060MFUUG).
pub(super) const LONGEST: u32 = 1768;

/// What a check waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    AllClear,
    AnyClear,
    AllSet,
    AnySet,
}

impl Condition {
    pub fn holds(self, value: u32, mask: u32) -> bool {
        match self {
            Condition::AllClear => value & mask == 0,
            Condition::AnyClear => value & mask != mask,
            Condition::AllSet => value & mask == mask,
            Condition::AnySet => value & mask != 0,
        }
    }
}

/// Length of the DCD whose header word is `header`; `None` where it is no DCD.
pub(super) fn length(header: u32) -> Option<(u32, u8)> {
    let [tag, high, low, version] = header.to_le_bytes();
    (tag == HEADER).then(|| (u32::from(u16::from_be_bytes([high, low])), version))
}

/// Turns a DCD (header included) into actions. `address` is where it stands, for messages.
pub(super) fn actions(bytes: &[u8], address: u32) -> Result<Vec<Action>, RefusalReason> {
    let mut actions = Vec::new();
    let mut at = 4;
    while at < bytes.len() {
        let bad = |why: String| RefusalReason::Dcd {
            address,
            at: at as u32,
            why,
        };
        let Some(&[tag, high, low, parameter]) = bytes.get(at..at + 4) else {
            return Err(bad("command header is cut off".to_string()));
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let body = match length
            .checked_sub(4)
            .and_then(|n| bytes.get(at + 4..at + 4 + n))
        {
            Some(body) => body,
            None => return Err(bad(format!("command length {length} does not fit"))),
        };
        match tag {
            WRITE => writes(body, parameter, &mut actions).map_err(bad)?,
            CHECK => actions.push(check(body, parameter, address, at as u32).map_err(bad)?),
            NOP => {}
            UNLOCK => {
                return Err(RefusalReason::NotModelled {
                    what: "DCD unlock command".to_string(),
                });
            }
            other => return Err(bad(format!("unknown command {other:02X}h"))),
        }
        at += length;
    }
    Ok(actions)
}

fn writes(body: &[u8], parameter: u8, actions: &mut Vec<Action>) -> Result<(), String> {
    let width = width(parameter)?;
    if body.is_empty() || !body.len().is_multiple_of(8) {
        return Err(format!("write command with {} bytes of pairs", body.len()));
    }
    for pair in body.chunks_exact(8) {
        let (address, value) = (number(pair, 0), number(pair, 4));
        let doing = "runs the DCD";
        actions.push(
            match (
                parameter & PARAMETER_MASK != 0,
                parameter & PARAMETER_SET != 0,
            ) {
                (true, true) => Action::Modify {
                    address,
                    width,
                    set: value,
                    clear: 0,
                    doing,
                },
                (true, false) => Action::Modify {
                    address,
                    width,
                    set: 0,
                    clear: value,
                    doing,
                },
                _ => Action::Write {
                    address,
                    width,
                    value,
                    doing,
                },
            },
        );
    }
    Ok(())
}

fn check(body: &[u8], parameter: u8, dcd: u32, at: u32) -> Result<Action, String> {
    if body.len() != 8 && body.len() != 12 {
        return Err(format!("check command with {} bytes", body.len()));
    }
    let condition = match (
        parameter & PARAMETER_MASK != 0,
        parameter & PARAMETER_SET != 0,
    ) {
        (false, false) => Condition::AllClear,
        (true, false) => Condition::AnyClear,
        (false, true) => Condition::AllSet,
        (true, true) => Condition::AnySet,
    };
    let tries = (body.len() == 12).then(|| number(body, 8));
    if tries == Some(0) {
        // A count of 0 is a NOP.
        return Ok(Action::Spend(crate::time::Time::ZERO));
    }
    let (address, mask) = (number(body, 0), number(body, 4));
    Ok(Action::Check {
        address,
        width: width(parameter)?,
        mask,
        condition,
        tries,
        dcd,
        at,
    })
}

fn width(parameter: u8) -> Result<Width, String> {
    match parameter & 7 {
        1 => Ok(Width::Byte),
        2 => Ok(Width::Half),
        4 => Ok(Width::Word),
        other => Err(format!("access width {other}")),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}
