//! The boot header (FCB, IVT, boot data): parsed, built, explained; and the verdict whether the ROM will start an image.

mod anatomy;
mod bee;
mod boot_image;
mod compose;
pub mod dcd;
mod entry;
mod explain;
mod fcb;
mod fcb_read_rules;
mod fcb_rules;
mod finding;
mod header;
mod ivt;
mod ivt_rules;
mod judge;
mod judgement;
mod lut;
pub mod mcuboot;
mod partial;
mod present;
mod raw;
mod rules;
mod sealed;
mod slot_rules;
mod wanted;
mod wishes;

pub use anatomy::{Anatomy, Dcd, Part, Region};
pub use boot_image::{
    BootImage, CommitMark, ERASED, Entry, FlashRun, HeaderPart, Inserted, Origin, Reason, Role,
    Start,
};
pub use explain::{Field, boot_data_fields, fcb_fields, ivt_fields, sequences};
pub use fcb::{Fcb, LutSequence};
pub use finding::{Finding, Refusal, Severity};
pub use header::{NewFcb, NewIvt, fcb_for, fcb_with};
pub use ivt::{BootData, CSF_TAG, Ivt};
pub use judge::{judge, judge_present, judge_with};
pub use judgement::Judgement;
pub use lut::{Instruction, LookupTable, Opcode, Pads, sequence};
pub use present::Present;
pub use sealed::{Seal, Sealed, sealed};
pub use wanted::{is_partial, reset_handler, wanted};
pub use wishes::{GivenFcb, HeaderPolicy, HeaderWishes};

#[cfg(test)]
mod golden;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;
