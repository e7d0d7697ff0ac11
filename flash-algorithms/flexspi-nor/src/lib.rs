//! The RAM-resident flash algorithm: drives a QSPI NOR behind FlexSPI1 of the i.MX RT1060, by registers.
//!
//! Two faces over one [`nor`]: the [`server`] behind the mailbox, and the CMSIS functions of [`cmsis`]. Everything goes
//! through [`bus::Bus`], so the same code runs on the host against a model.
#![no_std]

pub mod bus;
pub mod clocks;
pub mod cmsis;
pub mod controller;
pub mod data;
pub mod lease;
pub mod lut;
pub mod machine;
pub mod nor;
pub mod pins;
pub mod registers;
pub mod server;
pub mod wake;
pub mod watchdog;
