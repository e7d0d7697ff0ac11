//! How fast a kind of probe is: the numbers the board charges virtual time by.

use std::time::Duration;

/// The properties of a debug probe that a user's time depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The name a user gives on the command line.
    pub name: &'static str,
    /// From the request at the host to the answer at the host, for one USB transaction without wire time.
    pub round_trip: Duration,
    /// The most SWD clocks in one USB transaction; longer sequences are split.
    pub max_bits: usize,
    /// The fastest SWCLK.
    pub max_khz: u32,
    /// SWCLK where the user asks for none.
    pub default_khz: u32,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// A J-Link BASE or EDU on a high-speed USB host.
pub const JLINK: Profile = Profile {
    name: "jlink",
    round_trip: Duration::from_micros(250),
    max_bits: 65_535,
    max_khz: 15_000,
    default_khz: 400,
    source: "SEGGER data sheet: 15 MHz; probe-rs 0.32.0 src/probe/jlink/mod.rs: bit count is a u16, first speed 400 kHz; \
             round trip: estimate from the 8 to 15 ms that 40 to 60 transactions of a probe-rs page take",
};
