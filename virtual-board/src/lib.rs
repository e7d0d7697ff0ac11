//! A simulated i.MX RT1062 board with QSPI NOR flash under a SWD probe.
//!
//! Everything from the SWD wire to the cells of the flash is modelled from the manuals; probe-rs drives it through its
//! public probe traits, so production code cannot tell it from a probe on the bench. The model refuses what the
//! manuals refuse, and what it does not know it reports as a violation in its [`trace`] and answers with a fault.

pub mod activity;
pub mod board;
pub mod bus;
pub mod cpu;
pub mod flexspi;
pub mod nor;
pub mod probe;
pub mod remote;
pub mod rom;
pub mod soc;
pub mod swd;
pub mod time;
pub mod trace;
