//! Builds the flash algorithm's blob, proves that the committed one belongs to its sources, and renders it for probe-rs.

pub mod build;
pub mod check;
pub mod manifest;
pub mod places;
pub mod probe_rs;
pub mod problem;
pub mod sources;
pub mod toolchain;

pub use build::build;
pub use check::{Finding, check};
pub use manifest::Manifest;
pub use places::Places;
pub use problem::Problem;
