//! The boot header (FCB, IVT, boot data): parsed, built, explained; and the verdict whether the ROM will start an image.

mod anatomy;
mod boot_image;
mod compose;
pub mod dcd;
mod entry;
mod explain;
mod fcb;
mod fcb_rules;
mod finding;
mod header;
mod ivt;
mod ivt_rules;
mod judge;
mod lut;
pub mod mcuboot;
mod present;
mod raw;
mod rules;
mod slot_rules;
mod wishes;

pub use anatomy::{Anatomy, Dcd, Part, Region};
pub use boot_image::{BootImage, ERASED, Entry, FlashRun, Inserted, Origin};
pub use explain::{Field, boot_data_fields, fcb_fields, ivt_fields, sequences};
pub use fcb::{Fcb, LutSequence};
pub use finding::{Finding, Refusal, Severity};
pub use header::{NewFcb, NewIvt, fcb_for, fcb_with};
pub use ivt::{BootData, CSF_TAG, Ivt};
pub use judge::{Judgement, judge, judge_with};
pub use lut::{Instruction, LookupTable, Opcode, Pads, sequence};
pub use present::Present;
pub use wishes::HeaderWishes;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
