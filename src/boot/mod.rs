//! The boot header (FCB, IVT, boot data): parsed, built, explained; and the verdict whether the ROM will start an image.

mod boot_image;
mod compose;
mod entry;
mod fcb;
mod finding;
mod header;
mod ivt;
mod judge;
mod lut;
mod present;
mod raw;
mod rules;

pub use boot_image::{BootImage, ERASED, Entry, FlashRun, Inserted, Origin};
pub use fcb::{Fcb, LutSequence};
pub use finding::{Finding, Refusal, Severity};
pub use header::{NewFcb, NewIvt, fcb_for};
pub use ivt::{BootData, Ivt};
pub use judge::{Judgement, judge};
pub use lut::{Instruction, LookupTable, Opcode, Pads, sequence};
pub use present::Present;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
