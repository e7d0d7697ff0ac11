//! The committed blob in the emulated core, behind the whole wire: the algorithm as production runs it.

mod bench;
mod session;
mod stock_tools;
