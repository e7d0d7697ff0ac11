//! The target's side of the shallow tests: the RAM algorithm compiled for the host, over the virtual board's chip, FlexSPI and
//! flash, without core and probe.
//!
//! It is a crate of its own so that it is compiled with optimization in every profile: sweeps run thousands of jobs over it.

pub mod board;
pub mod cuts;
pub mod rom;
pub mod target;
