//! The job file: what a station does to every board of one product, pinned by hashes, and signed where that is asked for.

mod file;
mod identity;
mod load;
mod rules;
mod signature;
mod text;

pub use file::{
    JOB_VERSION, JobBoot, JobBootHeader, JobBootMode, JobBootProof, JobFile, JobGuard,
    JobHeaderPolicy, JobIdentity, JobImage, JobLink, JobPinnedFile, JobSecurity, JobSharedSectors,
    JobStart, JobTarget, JobUnit,
};
pub use load::LoadedJob;
pub use rules::BarcodePattern;
pub use signature::{Signed, TrustedKey};
