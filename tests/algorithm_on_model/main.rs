//! The RAM algorithm, compiled for the host, against the virtual board's FlexSPI, flash and clocks: no CPU, no probe.

#[cfg(test)]
use target_side::board;

#[cfg(test)]
mod bring_up;
#[cfg(test)]
mod cmsis;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod host;
#[cfg(test)]
#[path = "../behaviour/images.rs"]
mod images;
#[cfg(test)]
mod interleaved;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod winbond;
