//! The station: boards come in at its sites, each is flashed by a job, and leaves with a verdict that is on record.

mod child;
mod command;
mod conclusion;
mod event;
mod fixture;
mod floor;
mod hook;
mod hooked;
mod job_file;
mod outside;
mod probe_site;
#[cfg(feature = "virtual-board")]
pub mod rehearsal;
#[cfg(test)]
mod schema_tests;
mod shared;
mod site;
#[cfg(test)]
mod site_tests;
mod sites;
mod unit_data;
mod unit_image;
mod unit_run;
pub mod view;
mod watcher;
mod words;
mod worker;

pub use command::Command;
pub use event::{EVENT_VERSION, Event, Needs, UnitVerdict, What};
pub use fixture::{Fixture, Pressed, Seat};
pub use floor::{Options, Station, Tally};
pub use hook::Hook;
pub use job_file::{
    BarcodePattern, JOB_VERSION, JobBoot, JobBootHeader, JobBootMode, JobBootProof, JobFile,
    JobGuard, JobHeaderPolicy, JobIdentity, JobImage, JobLink, JobPinnedFile, JobSecurity,
    JobSharedSectors, JobStart, JobTarget, JobUnit, LoadedJob, Lock, NewJob, NewKeys, Pin, Signed,
    SigningKey, TrustedKey, job_content, signature_path,
};
pub use outside::Outside;
pub use probe_site::ProbeSite;
pub use sites::{MOST_SITES, SiteEntry, SiteMap};
pub use unit_data::UnitData;
