//! What the host wants done, and how a plan's steps become that.

use mailbox::Request;
use mailbox::request::ERASE_CHECK_BLANK;

use crate::address::FlashOffset;
use crate::plan::{Plan, Step};
use crate::target::FlashPart;

/// One thing to do, with its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A request without payload.
    Plain(Request),
    /// Programs bytes.
    Program {
        /// First byte.
        offset: FlashOffset,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// The operations of `steps`, in their order. `Verify` steps have none: the caller stops there.
///
/// An erase unit of which the part's data has no opcode becomes an erase of sectors.
pub fn operations(plan: &Plan, steps: &[Step], part: &FlashPart) -> Vec<Operation> {
    steps
        .iter()
        .flat_map(|step| operation(plan, step, part))
        .collect()
}

fn operation(plan: &Plan, step: &Step, part: &FlashPart) -> Vec<Operation> {
    match *step {
        Step::Verify(_) => Vec::new(),
        Step::SetStatus { value, mask } => {
            vec![Operation::Plain(Request::SetStatus { value, mask })]
        }
        Step::Erase { offset, size_bytes } => erase(offset, size_bytes, part),
        _ => step
            .programs()
            .map(|(offset, _)| Operation::Program {
                offset,
                data: plan.payload(step),
            })
            .into_iter()
            .collect(),
    }
}

fn erase(offset: FlashOffset, size: u32, part: &FlashPart) -> Vec<Operation> {
    let opcode_of = |size: u32| {
        if size == part.size_bytes {
            return part.chip_erase.opcodes.first().copied();
        }
        part.erase_unit(size)
            .and_then(|unit| unit.opcodes.first().copied())
    };
    let request = |address: u32, size: u32, opcode: u8| {
        Operation::Plain(Request::Erase {
            address,
            size,
            opcode,
            flags: ERASE_CHECK_BLANK,
        })
    };
    if let Some(opcode) = opcode_of(size) {
        return vec![request(offset.get(), size, opcode)];
    }
    let sector = FlashPart::SECTOR_BYTES;
    let opcode = opcode_of(sector).unwrap_or_default();
    (0..size / sector)
        .map(|n| request(offset.get() + n * sector, sector, opcode))
        .collect()
}
