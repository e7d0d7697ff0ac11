//! The station: boards come in at its sites, each is flashed by a job, and leaves with a verdict that is on record.

mod event;
mod fixture;
mod job_file;

pub use event::{EVENT_VERSION, Event, Needs, UnitVerdict, What};
pub use fixture::{Fixture, Seat};
pub use job_file::{
    BarcodePattern, JOB_VERSION, JobBoot, JobBootHeader, JobBootMode, JobBootProof, JobFile,
    JobGuard, JobHeaderPolicy, JobIdentity, JobImage, JobLink, JobPinnedFile, JobSecurity,
    JobSharedSectors, JobStart, JobTarget, JobUnit, LoadedJob, Signed, TrustedKey,
};
