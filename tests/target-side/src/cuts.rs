//! What a flash holds after a power cut before, inside and after every operation of a job.
//!
//! Only what the flash keeps survives a power cut, so a job need not be run again for each: its operations, as
//! [`virtual_board::nor::Recorder`] has them, are replayed up to the cut, and the one under way is torn.

use std::fmt;

use virtual_board::nor::operation::{Operation, Random};
use virtual_board::nor::{Faults, NonVolatile, Nor};

/// What survives without power.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// The first bytes of the flash.
    pub content: Vec<u8>,
    /// Its non-volatile registers.
    pub registers: NonVolatile,
}

impl Kept {
    /// The first `extent` bytes of a flash, and its registers.
    pub fn of(nor: &Nor, extent: usize) -> Self {
        Kept {
            content: nor.content()[..extent].to_vec(),
            registers: nor.registers(),
        }
    }

    /// Puts it into a flash. What belongs to the power's coming back is the caller's.
    pub fn give_to(&self, nor: &mut Nor) {
        nor.content_mut()[..self.content.len()].copy_from_slice(&self.content);
        nor.set_registers(self.registers);
    }
}

/// The flash as one power cut leaves it.
pub struct Cut<'c> {
    /// Operations done before.
    pub number: usize,
    /// The torn operation and which tear of it.
    pub inside: Option<(&'c Operation, u64)>,
    /// What the flash holds.
    pub kept: &'c Kept,
}

/// Hands every cut to `each`: before and after every operation, and `tears` times inside of it. Gives what the flash holds in
/// the end.
pub fn every_cut(
    before: &Kept,
    operations: &[Operation],
    tears: u64,
    mut each: impl FnMut(Cut<'_>),
) -> Kept {
    let mut now = before.clone();
    for (number, operation) in operations.iter().enumerate() {
        each(Cut {
            number,
            inside: None,
            kept: &now,
        });
        for tear in 0..tears {
            let mut torn = now.clone();
            let random = &mut Random::new((number as u64) << 16 | tear);
            operation.tear(&mut torn.content, &mut torn.registers, random);
            each(Cut {
                number,
                inside: Some((operation, tear)),
                kept: &torn,
            });
        }
        operation.complete(&mut now.content, &mut now.registers, &Faults::default());
    }
    each(Cut {
        number: operations.len(),
        inside: None,
        kept: &now,
    });
    now
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inside {
            None => write!(f, "cut before operation {}", self.number),
            Some((operation, tear)) => {
                let what = match operation {
                    Operation::Program { address, .. } => format!("program at {address:#x}"),
                    other => format!("{other:?}"),
                };
                write!(f, "tear {tear} of operation {}, {what}", self.number)
            }
        }
    }
}
