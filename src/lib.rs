//! Production flasher for NXP i.MX RT1062 boards with ISSI IS25WP QSPI NOR flash, over SWD.
//!
//! The folders are the stages of the pipeline, in this order:
//! `image` → `link` → `survey` → `boot` → `plan` → `algorithm` → `verify` → `reset` → `report`; `job` runs them, `cli`
//! is the command line. `diagnosis` weighs what `doctor` saw. `target` holds what is known of chip, flash part and board.

pub mod address;
pub mod algorithm;
#[cfg(feature = "virtual-board")]
pub mod benchmark;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod diagnosis;
pub mod image;
pub mod job;
pub mod link;
pub mod plan;
pub mod problem;
pub mod records;
pub mod report;
pub mod reset;
pub mod station;
pub mod survey;
pub mod target;
pub mod unit;
pub mod verify;
