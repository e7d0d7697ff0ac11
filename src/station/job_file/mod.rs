//! The job file: what a station does to every board of one product, pinned by hashes, and signed where that is asked for.

mod file;
mod identity;
mod load;
mod lock;
mod rules;
mod signature;
mod template;
mod text;

pub use file::{
    JOB_VERSION, JobBoot, JobBootHeader, JobBootMode, JobBootProof, JobFile, JobGuard,
    JobHeaderPolicy, JobIdentity, JobImage, JobLink, JobPinnedFile, JobSecurity, JobSharedSectors,
    JobStart, JobTarget, JobUnit,
};
pub use load::{LoadedJob, content as job_content};
pub use lock::{Lock, Pin};
pub use rules::BarcodePattern;
pub use signature::{NewKeys, Signed, SigningKey, TrustedKey, signature_path};
pub use template::NewJob;

#[cfg(test)]
use text::JobText;

#[cfg(test)]
mod tests;
