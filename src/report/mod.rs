//! The record of one unit, and how it is shown: as lines for people, as JSON for machines.

mod contact;
mod diagnosis;
mod erase;
mod info;
mod inspection;
mod inspection_parts;
mod inspection_text;
mod mismatch;
mod read;
mod record;
mod retry;
mod text;
mod verdict;

pub use contact::{ContactRecord, ContactWarning};
pub use diagnosis::{CheckRecord, CheckResult, DiagnosisRecord, OtherRecord};
pub use erase::EraseRecord;
pub use info::{
    BootConfigRecord, FlashDetails, FlexRamRecord, FoundRecord, FusesRecord, InfoRecord,
    StatusRecord,
};
pub use inspection::{FailedInspection, Inspection, InspectionVerdict};
pub use inspection_parts::{
    DcdRecord, FcbRecord, FieldRecord, FieldsRecord, OutputRecord, PartRecord, RegionRecord,
    SequenceRecord, SlotRecord,
};
pub use inspection_text::inspection_lines;
pub use mismatch::MismatchRecord;
pub use read::{RangeRecord, ReadRecord};
pub(crate) use record::hex;
pub use record::{
    BootRecord, ChipRecord, FindingRecord, FlashRecord, ImageRecord, InputRecord, Phase,
    PlanRecord, ProbeRecord, ProblemRecord, RECORD_VERSION, Record, TargetRecord,
};
pub use retry::{FlashLeft, RetryRecord};
pub use text::lines;
pub use verdict::{Pass, Verdict};

#[cfg(test)]
pub(crate) mod schema_tests;
#[cfg(test)]
mod tests;
