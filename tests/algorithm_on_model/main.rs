//! The RAM algorithm, compiled for the host, against the virtual board's FlexSPI, flash and clocks: no CPU, no probe.

mod board;
mod bring_up;
mod cmsis;
mod host;
mod requests;
