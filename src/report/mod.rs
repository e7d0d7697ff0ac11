//! The record of one unit, and how it is shown: as lines for people, as JSON for machines.

mod inspection;
mod inspection_text;
mod record;
mod text;
mod verdict;

pub use inspection::{
    DcdRecord, FailedInspection, FcbRecord, FieldRecord, FieldsRecord, Inspection,
    InspectionVerdict, OutputRecord, PartRecord, RegionRecord, SequenceRecord, SlotRecord,
};
pub use inspection_text::inspection_lines;
pub use record::{
    BootRecord, ChipRecord, FindingRecord, FlashRecord, ImageRecord, InputRecord, MismatchRecord,
    Phase, PlanRecord, ProbeRecord, ProblemRecord, RECORD_VERSION, Record, TargetRecord,
};
pub use text::lines;
pub use verdict::{Pass, Verdict};

#[cfg(test)]
mod tests;
