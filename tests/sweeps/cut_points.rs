//! One job, recorded; from that the flash as a power cut leaves it before, inside and after every operation.
//!
//! Only what the flash keeps survives a power cut, so a job need not be run again for each: its operations are replayed up to
//! the cut, and the one under way is torn.

use virtual_board::nor::operation::{Operation, Random};
use virtual_board::nor::{Faults, NonVolatile};

use crate::desk::{Desk, Done};
use rtflash::job::Request;

/// A job's operations, and what the flash held before the first of them.
pub struct Recorded {
    pub before: Kept,
    pub after: Kept,
    pub operations: Vec<Operation>,
    pub done: Done,
}

/// What survives without power.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    pub content: Vec<u8>,
    pub registers: NonVolatile,
}

impl Kept {
    /// The first `extent` bytes of the desk's flash, and its registers.
    pub fn of(desk: &Desk, extent: usize) -> Self {
        desk.nor(|nor| Kept {
            content: nor.content()[..extent].to_vec(),
            registers: nor.registers(),
        })
    }

    /// Puts it into the desk's flash, with the power just on again.
    pub fn give_to(&self, desk: &Desk) {
        desk.nor(|nor| {
            nor.content_mut()[..self.content.len()].copy_from_slice(&self.content);
            nor.set_registers(self.registers);
        });
        desk.power_cycle();
    }
}

impl Recorded {
    /// Runs a job to its end and records it. Nothing beyond `extent` may change.
    pub fn new(desk: &Desk, request: &Request, extent: usize) -> Self {
        let before = Kept::of(desk, extent);
        desk.nor(|nor| nor.recorder.start());
        let done = desk.flash(request);
        let operations = desk.nor(|nor| nor.recorder.take());
        for operation in &operations {
            let end = operation.area().map_or(0, |(start, length)| start + length);
            assert!(end as usize <= extent, "{operation:?} is beyond the extent");
        }
        Recorded {
            before,
            after: Kept::of(desk, extent),
            operations,
            done,
        }
    }

    /// Hands every cut to `each`: before and after every operation, and `tears` times inside of it.
    pub fn every_cut(&self, tears: u64, mut each: impl FnMut(Cut<'_>)) {
        let mut now = self.before.clone();
        for (number, operation) in self.operations.iter().enumerate() {
            each(Cut {
                number,
                inside: None,
                kept: &now,
            });
            for tear in 0..tears {
                let mut torn = now.clone();
                let seed = (number as u64) << 16 | tear;
                let random = &mut Random::new(seed);
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
            number: self.operations.len(),
            inside: None,
            kept: &now,
        });
        assert!(now == self.after, "what was replayed is what happened");
    }
}

/// The flash as one power cut leaves it.
pub struct Cut<'c> {
    /// Operations done before.
    pub number: usize,
    /// The torn operation and which tear of it.
    pub inside: Option<(&'c Operation, u64)>,
    pub kept: &'c Kept,
}

impl std::fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
