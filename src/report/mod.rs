//! The record of one unit, and how it is shown: as lines for people, as JSON for machines.

mod contact;
mod inspection;
mod inspection_parts;
mod inspection_text;
mod record;
mod retry;
mod text;
mod verdict;

pub use contact::{ContactRecord, ContactWarning};
pub use inspection::{FailedInspection, Inspection, InspectionVerdict};
pub use inspection_parts::{
    DcdRecord, FcbRecord, FieldRecord, FieldsRecord, OutputRecord, PartRecord, RegionRecord,
    SequenceRecord, SlotRecord,
};
pub use inspection_text::inspection_lines;
pub use record::{
    BootRecord, ChipRecord, FindingRecord, FlashRecord, ImageRecord, InputRecord, MismatchRecord,
    Phase, PlanRecord, ProbeRecord, ProblemRecord, RECORD_VERSION, Record, TargetRecord,
};
pub use retry::{FlashLeft, RetryRecord};
pub use text::lines;
pub use verdict::{Pass, Verdict};

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
