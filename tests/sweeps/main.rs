//! Sweeps over faults at the shallow depth: the real job, host logic and RAM algorithm alike, over the virtual board's
//! FlexSPI, flash and boot ROM, without core and probe. A job takes milliseconds, so there are thousands of them.
//!
//! Each sweep prints what it has done (`--nocapture`). `RTFLASH_CUTS=n` (by default 1) multiplies the tears inside of every
//! operation; `RTFLASH_LIES=n` (by default 10000) is the number of random fault plans.

#[cfg(test)]
mod cut_partial_images;
#[cfg(test)]
mod cut_points;
#[cfg(test)]
mod cut_sweep;
#[cfg(test)]
mod cut_whole_images;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod desk_works;
#[cfg(test)]
#[path = "../behaviour/fault_plan.rs"]
mod fault_plan;
#[cfg(test)]
#[path = "../behaviour/images.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod images;
#[cfg(test)]
mod lies;
#[cfg(test)]
#[path = "../behaviour/slots.rs"]
mod slots;
#[cfg(test)]
mod wire;
