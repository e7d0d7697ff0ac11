//! What goes wrong between host and target, and how the user is told.

use crate::address::Address;
use crate::problem::{ExitCode, Place, Problem};

use super::probes::{Listed, ProbeSelector};
use super::usb::UsbPort;

/// Why the link could not be made or was lost.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing to connect with.
    #[error("no debug probe was found")]
    NoProbe,
    /// The selected probe is not among those listed.
    #[error("no debug probe matches {selector}")]
    ProbeNotFound {
        /// What was asked for.
        selector: ProbeSelector,
        /// What is there.
        listed: Vec<Listed>,
    },
    /// A choice is needed.
    #[error("{} debug probes are connected and none was chosen", listed.len())]
    SeveralProbes {
        /// What is there.
        listed: Vec<Listed>,
    },
    /// A site's USB port has no probe.
    #[error("no debug probe is connected to USB port {port}")]
    PortEmpty {
        /// The port.
        port: UsbPort,
    },
    /// Two devices cannot be told apart, so one might be taken for the other.
    #[error("two USB devices call themselves {selector}")]
    Twins {
        /// What both say.
        selector: ProbeSelector,
    },
    /// The operating system does not list its USB devices.
    #[error("what is connected to USB port {port} cannot be found out")]
    NoUsbList {
        /// The port that was to be looked at.
        port: UsbPort,
        /// What the system said.
        reason: String,
    },
    /// Another program has it.
    #[error("the debug probe {probe} is in use")]
    Busy {
        /// The probe.
        probe: String,
    },
    /// The operating system refuses.
    #[error("access to the debug probe {probe} was denied")]
    Permission {
        /// The probe.
        probe: String,
    },
    /// The probe could not be opened or set up for another reason.
    #[error("the debug probe {probe} could not be opened")]
    OpenFailed {
        /// The probe.
        probe: String,
        /// What the driver said.
        reason: String,
    },
    /// The probe cannot clock at this speed.
    #[error("the debug probe cannot run at {khz} kHz")]
    Speed {
        /// What was asked for.
        khz: u32,
    },
    /// No debug sequence is known.
    #[error("the chip {chip} is not one this program can attach to")]
    UnsupportedChip {
        /// Its name.
        chip: String,
    },
    /// The probe works, the debug port does not answer.
    #[error("the target does not answer on SWD")]
    NoTarget {
        /// VTref, where the probe measures it.
        millivolts: Option<u32>,
    },
    /// It answered before and does not any more.
    #[error("the target stopped answering on SWD while {doing}")]
    TargetLost {
        /// What was going on.
        doing: Doing,
    },
    /// The probe itself is gone.
    #[error("the debug probe was lost while {doing}")]
    ProbeLost {
        /// What was going on.
        doing: Doing,
        /// What the driver said.
        reason: String,
    },
    /// The bus answers WAIT for too long.
    #[error("the target's bus does not answer while {doing}")]
    Asleep {
        /// What was going on.
        doing: Doing,
    },
    /// The bus answered with an error.
    #[error("the target refused {doing}")]
    BusFault {
        /// The access.
        doing: Doing,
    },
    /// The wire is too noisy, all repetitions failed.
    #[error("the SWD wire is disturbed: {doing} failed {attempts} times")]
    Noise {
        /// What was going on.
        doing: Doing,
        /// How often it was tried.
        attempts: u32,
    },
    /// The core does not stop.
    #[error("the core did not halt within {milliseconds} ms")]
    NotHalted {
        /// How long was waited.
        milliseconds: u128,
        /// DHCSR as last read.
        dhcsr: u32,
    },
    /// A core register could not be moved.
    #[error("the core did not hand over register {selector:#04x}")]
    RegisterNotReady {
        /// DCRSR.REGSEL.
        selector: u32,
    },
    /// The reset happened or not, but the boot ROM was not caught.
    #[error("the boot ROM was not caught after the reset")]
    NotCaught {
        /// What probe-rs said.
        reason: String,
    },
    /// The debug driver said something no other case covers.
    #[error("{doing} failed: {reason}")]
    Driver {
        /// What was going on.
        doing: Doing,
        /// What the driver said.
        reason: String,
    },
}

/// What the link was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Connecting.
    Attaching,
    /// Reading words.
    Reading {
        /// First address.
        address: Address,
        /// Words.
        words: usize,
    },
    /// Writing words.
    Writing {
        /// First address.
        address: Address,
        /// Words.
        words: usize,
    },
    /// Resetting.
    Resetting,
    /// Setting SWCLK.
    SettingSpeed {
        /// In kHz.
        khz: u32,
    },
}

impl std::fmt::Display for Doing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Doing::Attaching => f.write_str("attaching"),
            Doing::Reading { address, words } => {
                write!(f, "reading {} bytes at {address}", words * 4)
            }
            Doing::Writing { address, words } => {
                write!(f, "writing {} bytes at {address}", words * 4)
            }
            Doing::Resetting => f.write_str("resetting"),
            Doing::SettingSpeed { khz } => write!(f, "setting SWCLK to {khz} kHz"),
        }
    }
}

impl Doing {
    fn place(self) -> Place {
        match self {
            Doing::Reading { address, .. } | Doing::Writing { address, .. } => Place::at(address),
            Doing::Attaching | Doing::Resetting | Doing::SettingSpeed { .. } => Place::default(),
        }
    }
}

/// Below this VTref a board is taken as unpowered, in millivolts (lowest RT1062 I/O supply is 1.65 V).
const UNPOWERED_MILLIVOLTS: u32 = 1_400;

/// What helps against firmware that cannot be stopped.
const NEEDS_RESET: &str = "asleep: reset pin or serial-download strap needed. Wire the probe's reset to POR_B and use --connect-under-reset, or strap BOOT_MODE to 01 (serial downloader) and switch the board off and on";

const CHECK_WIRE: &str = "check cable and connector; lower --speed";

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Problem {
        let what = error.to_string();
        let no_probe = |code, fix: &str| Problem::new(code, ExitCode::NoProbe, &what).fix(fix);
        let lost = |code, fix: &str| Problem::new(code, ExitCode::LinkLost, &what).fix(fix);
        match error {
            LinkError::NoProbe => no_probe(
                "probe-none",
                "connect a J-Link or CMSIS-DAP probe, or use --probe virtual",
            ),
            LinkError::ProbeNotFound { listed, .. } => no_probe(
                "probe-not-found",
                "choose one of them with --probe VID:PID[:serial]",
            )
            .because(format!("connected: {}", names(&listed))),
            LinkError::SeveralProbes { listed } => {
                no_probe("probe-several", "choose one with --probe VID:PID:serial")
                    .because(format!("connected: {}", names(&listed)))
            }
            LinkError::PortEmpty { .. } => no_probe(
                "probe-not-found",
                "connect the site's probe to that port; `rtflash probes` lists what is connected",
            ),
            LinkError::Twins { .. } => no_probe(
                "probe-twins",
                "give one of them another serial number, or use another probe",
            )
            .because("the driver finds a probe by its serial number and might take the other one"),
            LinkError::NoUsbList { reason, .. } => {
                no_probe("usb-list", "name the site's probe by VID:PID:serial").because(reason)
            }
            LinkError::Busy { .. } => no_probe(
                "probe-busy",
                "close the other program (debugger, IDE, another rtflash)",
            ),
            LinkError::Permission { .. } => no_probe(
                "probe-permission",
                "on Linux install the udev rule for debug probes: rtflash doctor --print-udev-rule | sudo tee /etc/udev/rules.d/70-rtflash.rules; \
                 then sudo udevadm control --reload, and plug the probe in again",
            ),
            LinkError::OpenFailed { reason, .. } => {
                no_probe("probe-open", "plug the probe in again").because(reason)
            }
            LinkError::Speed { .. } => Problem::new("probe-speed", ExitCode::Usage, what)
                .fix("choose another --speed (kHz); 4000 suits most probes"),
            LinkError::UnsupportedChip { .. } => {
                Problem::new("chip-unsupported", ExitCode::Usage, what)
                    .because("a debug sequence is known for MIMXRT10xx chips only")
                    .fix("choose a target of that family")
            }
            LinkError::NoTarget { millivolts } => no_target(&what, millivolts),
            LinkError::TargetLost { doing } => lost(
                "target-lost",
                "check power and SWD cable of the board, then start again",
            )
            .at(doing.place()),
            LinkError::ProbeLost { doing, reason } => {
                lost("probe-lost", "plug the probe in again, then start again")
                    .because(reason)
                    .at(doing.place())
            }
            LinkError::Asleep { doing } => lost("target-asleep", NEEDS_RESET)
                .because(
                    "the firmware sleeps with the bus clock off (WFI with CCM_CLPCR.LPM = WAIT or STOP), so the debug port answers WAIT",
                )
                .at(doing.place()),
            LinkError::BusFault { doing } => lost(
                "target-bus-fault",
                "switch the board off and on; try --connect-under-reset",
            )
            .because("nothing answers at that address, or the block behind it has no clock")
            .at(doing.place()),
            LinkError::Noise { doing, .. } => lost("wire-noise", CHECK_WIRE).at(doing.place()),
            LinkError::NotHalted { dhcsr, .. } => {
                lost("core-not-halted", "use --connect-under-reset")
                    .because(format!("DHCSR reads {dhcsr:#010x}"))
            }
            LinkError::RegisterNotReady { .. } => lost(
                "core-register",
                "start again; if it stays, use --connect-under-reset",
            ),
            LinkError::NotCaught { reason } => {
                lost("rom-not-caught", "start again with --connect-under-reset").because(reason)
            }
            LinkError::Driver { doing, reason } => {
                lost("link-driver", "start again with -vv and look at the log")
                    .because(reason)
                    .at(doing.place())
            }
        }
    }
}

fn no_target(what: &str, millivolts: Option<u32>) -> Problem {
    match millivolts {
        Some(low) if low < UNPOWERED_MILLIVOLTS => {
            Problem::new("target-unpowered", ExitCode::LinkLost, what)
                .because(format!("the probe measures {low} mV at VTref"))
                .fix("power the board; the probe does not")
        }
        _ => Problem::new("target-no-answer", ExitCode::LinkLost, what)
            .because("the debug port gave no acknowledgement: not wired, held in reset, or closed by fuses")
            .fix("check SWDIO, SWCLK and GND; lower --speed; try --connect-under-reset"),
    }
}

fn names(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = listed.iter().map(Listed::to_string).collect();
    names.join(", ")
}
