//! How fast a kind of probe is: the numbers the board charges virtual time by.

use std::time::Duration;

/// The properties of a debug probe that a user's time depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The name a user gives on the command line.
    pub name: &'static str,
    /// From the request at the host to the answer at the host, for one USB transaction without SWD clocks. What the
    /// bytes take on USB is part of it (a 512-byte packet: 10 µs, USB 2.0 table 5-10).
    pub round_trip: Duration,
    /// What one transaction carries.
    pub interface: Interface,
    /// The fastest SWCLK.
    pub max_khz: u32,
    /// SWCLK where the user asks for none.
    pub default_khz: u32,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// What a USB transaction of the probe carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Levels of SWDIO, clock by clock.
    RawBits {
        /// The most SWD clocks in one transaction; longer sequences are split.
        max_bits: usize,
    },
    /// A CMSIS-DAP command packet and its response.
    CmsisDap(Packets),
}

/// The packets of a CMSIS-DAP probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packets {
    /// DAP_PACKET_SIZE: no command and no response is longer.
    pub bytes: usize,
    /// Version 1: every packet is a whole HID report, filled up with zeros.
    pub reports: bool,
}

/// A J-Link BASE or EDU on a high-speed USB host.
pub const JLINK: Profile = Profile {
    name: "jlink",
    round_trip: Duration::from_micros(250),
    interface: Interface::RawBits { max_bits: 65_535 },
    max_khz: 15_000,
    default_khz: 400,
    source: "SEGGER data sheet: 15 MHz; probe-rs 0.32.0 src/probe/jlink/mod.rs: bit count is a u16, first speed 400 kHz; \
             round trip: estimate from the 8 to 15 ms that 40 to 60 transactions of a probe-rs page take, 130 to 375 us; \
             `rtflash benchmark --all` shows 125 and 500 beside it",
};

/// A CMSIS-DAP version 2 probe on high-speed USB.
pub const CMSIS_DAP_V2_HS: Profile = Profile {
    name: "cmsis-dap-v2-hs",
    round_trip: Duration::from_micros(680),
    interface: Interface::CmsisDap(Packets {
        bytes: 512,
        reports: false,
    }),
    max_khz: 36_000,
    default_khz: 1_000,
    source: "512 bytes, first speed 1 MHz: ARM-software/CMSIS-DAP Firmware/Examples/MCU-LINK/DAP_config.h; 36 MHz: half of \
             SPI1's 72 MHz in probe-rs/hs-probe-firmware; round trip: 9names.github.io, \"CMSIS-DAP debug probe \
             performance\" (2022, probe-rs on Linux), hs-probe writing at eight clocks: a straight line through the times \
             per KiB leaves 2.72 ms without clocks, for the 4 packets of a KiB. LPC-Link2 and MCU-Link, there with their \
             clocks only, take 0.88 and 1.00 ms a packet at their fastest",
};

/// A CMSIS-DAP version 1 probe (HID) on full-speed USB, its SWD made by software.
pub const CMSIS_DAP_V1: Profile = Profile {
    name: "cmsis-dap-v1",
    round_trip: Duration::from_millis(2),
    interface: Interface::CmsisDap(Packets {
        bytes: 64,
        reports: true,
    }),
    max_khz: 2_000,
    default_khz: 1_000,
    source: "64-byte reports, one a millisecond and direction: USB 2.0 5.7.3 and 5.7.4, full-speed interrupt endpoint; so \
             command and response take 2 ms, as measured: 25.6 kB/s with 20 packets a KiB (probe-rs/probe-rs#230 and \
             9names.github.io, \"CMSIS-DAP debug probe performance\", four probes alike); 2 MHz: DAPLink's software SWD \
             ends at 1.7 to 2.3 MHz whatever is asked for (ARMmbed/DAPLink#627); first speed 1 MHz: \
             ARM-software/CMSIS-DAP Firmware/Config/DAP_config.h",
};

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 3] = [JLINK, CMSIS_DAP_V2_HS, CMSIS_DAP_V1];

    /// The profile of this name.
    pub fn named(name: &str) -> Option<Profile> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name == name)
    }
}
