//! `--probe virtual…`: a simulated board as the other end of the link, and its virtual time as the job's clock.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use virtual_board::board::{BoardConfig, BoardError, BoardHandle, FlashFileError};
use virtual_board::nor::{Faults, FlakyCell, Mode, Part, TimingProfile};
use virtual_board::probe::{JLINK, PRODUCT_ID, Profile, VENDOR_ID};
use virtual_board::rom::Reading;
use virtual_board::soc::{Fuses, Straps};
use virtual_board::swd::{BadContact, WireFaults};

use super::probes::ProbeSelector;
use crate::clock::Clock;
use crate::problem::{ExitCode, Problem};

/// The word that asks for a virtual board.
const KEYWORD: &str = "virtual";

/// Why a virtual board cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum VirtualError {
    /// An option after the question mark is not known, or its value is not.
    #[error("the virtual board has no option \"{option}\"")]
    Option {
        /// The option as typed.
        option: String,
    },
    /// The board itself refused.
    #[error("the virtual board cannot be set up: {0}")]
    Board(#[from] BoardError),
}

impl From<VirtualError> for Problem {
    fn from(error: VirtualError) -> Problem {
        let what = error.to_string();
        match error {
            VirtualError::Option { .. } => Problem::new("virtual-option", ExitCode::Usage, what)
                .because(format!("the options are: {OPTIONS}"))
                .fix("correct the part after the question mark of --probe"),
            VirtualError::Board(BoardError::File(FlashFileError::InUse { .. })) => {
                Problem::new("probe-busy", ExitCode::NoProbe, what)
                    .because(
                        "two boards on one file would each write what the other does not know of",
                    )
                    .fix("wait until the other rtflash has ended, or give another file")
            }
            VirtualError::Board(BoardError::File(_)) => Problem::new(
                "virtual-file",
                ExitCode::NoProbe,
                what,
            )
            .fix("give a file of exactly the flash part's size, or a name that does not exist yet"),
            VirtualError::Board(_) => Problem::new("virtual-board", ExitCode::Internal, what),
        }
    }
}

const OPTIONS: &str = "boot-mode=internal|serial-downloader|fuses|reserved, boot-device=flexspi-nor|other, security=open|closed, power=on|off, \
                       debug-port=open|closed, timing=typ|slow|max, rom=strict|lenient, part=NAME, \
                       probe=jlink|cmsis-dap-v2-hs|cmsis-dap-v1, round-trip-us=10 to 100000, core-divider=1|2, contact-khz=100 to 50000, \
                       flash-mode=spi|qpi|continuous-read|deep-power-down, weak-erase=OFFSET, stuck-bit=OFFSET, flaky-bit=OFFSET, \
                       lost-after=TRANSFERS, uid=16 HEX DIGITS";

/// What `round-trip-us=` takes: from well below a USB microframe (125 µs) to a probe far away on a network.
const ROUND_TRIP_US: RangeInclusive<u64> = 10..=100_000;

/// What `contact-khz=` takes: from the slowest clock that anybody debugs at to the fastest that `--speed` takes.
const CONTACT_KHZ: RangeInclusive<u32> = 100..=50_000;
/// Of so many reads of a flaky bit one is wrong.
const FLAKY_ONE_IN: u64 = 2;
/// Draws what a bad contact disturbs: the same in every run.
const CONTACT_SEED: u64 = 1;

/// BOOT_CFG1 of a board that is strapped to boot from something else than FlexSPI NOR, whose bits 7:4 are 0.
const BOOT_CFG1_OTHER: u8 = 0x40;
/// Fuse word with the fuse that closes the debug port for good (IMXRT1060RM fusemap).
const BOOT_CONFIG_FUSES: u32 = 0x460;
const SJC_DISABLE: u32 = 1 << 20;

/// What is asked for after `--probe virtual`.
#[derive(Clone, Debug)]
pub struct VirtualProbe {
    file: Option<PathBuf>,
    part: Option<Part>,
    straps: Straps,
    powered: bool,
    fuses: Fuses,
    timing: TimingProfile,
    reading: Reading,
    probe: Option<Profile>,
    /// Instead of the profile's.
    round_trip: Option<Duration>,
    core_divider: u64,
    /// The fastest clock that the contact is good for.
    contact_khz: Option<u32>,
    /// Defects of the flash.
    flash_faults: Faults,
    /// The cable is cut at this transfer.
    lost_after: Option<u64>,
    /// How software left the flash.
    flash_mode: Mode,
}

impl VirtualProbe {
    /// Reads `virtual[:FILE][?option=value[&option=value…]]`; `None` where the text means another probe.
    ///
    /// # Errors
    /// [`VirtualError::Option`].
    pub fn parse(text: &str) -> Result<Option<Self>, VirtualError> {
        let Some(rest) = text.strip_prefix(KEYWORD) else {
            return Ok(None);
        };
        let (file, options) = rest.split_once('?').unwrap_or((rest, ""));
        let file = match file.strip_prefix(':') {
            Some(file) if !file.is_empty() => Some(PathBuf::from(file)),
            None if file.is_empty() => None,
            _ => return Ok(None),
        };
        let mut probe = VirtualProbe {
            file,
            part: None,
            straps: Straps::INTERNAL_BOOT,
            powered: true,
            fuses: Fuses::default(),
            timing: TimingProfile::Typ,
            reading: Reading::Strict,
            probe: None,
            round_trip: None,
            core_divider: 1,
            contact_khz: None,
            flash_faults: Faults::default(),
            lost_after: None,
            flash_mode: Mode::Spi,
        };
        for option in options.split('&').filter(|o| !o.is_empty()) {
            probe.set(option).ok_or_else(|| VirtualError::Option {
                option: option.to_owned(),
            })?;
        }
        Ok(Some(probe))
    }

    fn set(&mut self, option: &str) -> Option<()> {
        match option.split_once('=')? {
            ("boot-mode", mode) => {
                self.straps.boot_mode = match mode {
                    "fuses" => 0,
                    "serial-downloader" => Straps::SERIAL_DOWNLOADER.boot_mode,
                    "internal" => Straps::INTERNAL_BOOT.boot_mode,
                    "reserved" => 3,
                    _ => return None,
                }
            }
            ("boot-device", "flexspi-nor") => self.straps.boot_cfg1 = 0,
            ("boot-device", "other") => self.straps.boot_cfg1 = BOOT_CFG1_OTHER,
            ("security", "open") => {}
            ("security", "closed") => self.fuses.close(),
            ("power", "on") => self.powered = true,
            ("power", "off") => self.powered = false,
            ("debug-port", "open") => {}
            ("debug-port", "closed") => {
                let word = self.fuses.word(BOOT_CONFIG_FUSES);
                self.fuses.set_word(BOOT_CONFIG_FUSES, word | SJC_DISABLE);
            }
            ("timing", "typ") => self.timing = TimingProfile::Typ,
            ("timing", "slow") => self.timing = TimingProfile::Slow,
            ("timing", "max") => self.timing = TimingProfile::Max,
            ("rom", "strict") => self.reading = Reading::Strict,
            ("rom", "lenient") => self.reading = Reading::Lenient,
            ("probe", name) => self.probe = Some(Profile::named(name)?),
            ("round-trip-us", number) => {
                let us = number
                    .parse()
                    .ok()
                    .filter(|us| ROUND_TRIP_US.contains(us))?;
                self.round_trip = Some(Duration::from_micros(us));
            }
            ("core-divider", "1") => self.core_divider = 1,
            ("core-divider", "2") => self.core_divider = 2,
            ("contact-khz", number) => {
                let khz = number
                    .parse()
                    .ok()
                    .filter(|khz| CONTACT_KHZ.contains(khz))?;
                self.contact_khz = Some(khz);
            }
            ("weak-erase", offset) => self.flash_faults.weak_erase.push((number(offset)?, 1)),
            ("stuck-bit", offset) => self.flash_faults.unprogrammable.push((number(offset)?, 1)),
            ("flaky-bit", offset) => {
                let address = number(offset)?;
                self.flash_faults.flaky_cells.push(FlakyCell {
                    address,
                    mask: 1,
                    one_in: FLAKY_ONE_IN,
                    seed: address.into(),
                });
            }
            ("uid", digits) => self.fuses.set_unique_id(unique_id(digits)?),
            ("lost-after", transfers) => self.lost_after = Some(transfers.parse().ok()?),
            ("flash-mode", "spi") => self.flash_mode = Mode::Spi,
            ("flash-mode", "qpi") => self.flash_mode = Mode::Qpi,
            ("flash-mode", "continuous-read") => self.flash_mode = Mode::ContinuousRead,
            ("flash-mode", "deep-power-down") => self.flash_mode = Mode::DeepPowerDown,
            ("part", name) => self.part = Some(Part::builtin(&name.to_ascii_lowercase()).ok()?),
            _ => return None,
        }
        Some(())
    }

    /// The same board under `probe`; `None` where it was asked for with another.
    pub fn under(self, probe: Profile) -> Option<Self> {
        self.probe.is_none().then_some(VirtualProbe {
            probe: Some(probe),
            ..self
        })
    }

    /// Powers the board up. `default_part` is the flash it carries unless `part=` says otherwise.
    ///
    /// # Errors
    /// [`VirtualError`].
    pub fn start(self, default_part: &str) -> Result<VirtualBench, VirtualError> {
        VirtualBench::start(self.config(default_part)?)
    }

    /// The board that is asked for, not yet powered.
    ///
    /// # Errors
    /// [`VirtualError::Option`].
    pub fn config(self, default_part: &str) -> Result<BoardConfig, VirtualError> {
        let part = match self.part {
            Some(part) => part,
            None => Part::builtin(&default_part.to_ascii_lowercase()).map_err(|_| {
                VirtualError::Option {
                    option: format!("part={default_part}"),
                }
            })?,
        };
        let probe = self.probe.unwrap_or(JLINK);
        Ok(BoardConfig {
            straps: self.straps,
            powered: self.powered,
            fuses: self.fuses,
            timing: self.timing,
            reading: self.reading,
            probe: Profile {
                round_trip: self.round_trip.unwrap_or(probe.round_trip),
                ..probe
            },
            core_divider: self.core_divider,
            flash_file: self.file,
            nor_faults: self.flash_faults,
            flash_mode: self.flash_mode,
            wire_faults: WireFaults {
                cable_cut_at: self.lost_after,
                bad_contact: self.contact_khz.map(|good_khz| BadContact {
                    good_khz,
                    seed: CONTACT_SEED,
                }),
                ..WireFaults::default()
            },
            ..BoardConfig::new(part)
        })
    }
}

/// A chip's unique ID as `rtflash info` prints it, as the two fuse words, low word first.
fn unique_id(digits: &str) -> Option<[u32; 2]> {
    if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(digits, 16).ok()?;
    Some([number as u32, (number >> 32) as u32])
}

/// A flash offset, decimal or with 0x.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A running virtual board with its probe.
#[derive(Clone, Debug)]
pub struct VirtualBench {
    board: BoardHandle,
    flash_file: Option<PathBuf>,
    /// Instead of a place of the board's own.
    state_directory: Option<PathBuf>,
}

impl VirtualBench {
    /// Powers up a board of any configuration.
    ///
    /// # Errors
    /// [`VirtualError::Board`].
    pub fn start(config: BoardConfig) -> Result<Self, VirtualError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let serial = format!("VIRTUAL{:04}", NEXT.fetch_add(1, Ordering::Relaxed));
        let flash_file = config.flash_file.clone();
        let bench = VirtualBench {
            board: BoardHandle::start(config, &serial)?,
            flash_file,
            state_directory: None,
        };
        if bench.flash_file.is_none() {
            // what a killed process with the same number left is of a board that is no more; usually there is nothing
            let _ = std::fs::remove_dir_all(bench.state_directory());
        }
        Ok(bench)
    }

    /// Powers up a board under the probe with this serial number, which has no other board: the next one at a site of a
    /// station. What jobs keep, of boards and of the probe's contact, is kept in `state_directory`, as on a host with real
    /// probes.
    ///
    /// # Errors
    /// [`VirtualError::Board`].
    pub fn start_at(
        config: BoardConfig,
        serial: &str,
        state_directory: PathBuf,
    ) -> Result<Self, VirtualError> {
        let flash_file = config.flash_file.clone();
        Ok(VirtualBench {
            board: BoardHandle::start(config, serial)?,
            flash_file,
            state_directory: Some(state_directory),
        })
    }

    /// The board.
    pub fn board(&self) -> &BoardHandle {
        &self.board
    }

    /// Where jobs keep what belongs to this board: beside its flash file, or, for a board that ends with the process,
    /// in a directory that no other board has.
    pub fn state_directory(&self) -> PathBuf {
        if let Some(directory) = &self.state_directory {
            return directory.clone();
        }
        match &self.flash_file {
            Some(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".saved");
                name.into()
            }
            None => {
                let name = format!("rtflash-{}-{}", std::process::id(), self.board.serial());
                std::env::temp_dir().join(name)
            }
        }
    }

    /// Where it is noted that the contact to this board was found clean: beside its flash file, or by its probe in the
    /// directory of [`VirtualBench::start_at`]. Another board that ends with the process has no place, so every contact is
    /// its first.
    pub fn contact_note(&self) -> Option<PathBuf> {
        if let Some(directory) = &self.state_directory {
            return Some(directory.join(format!("{}.contact", self.board.serial())));
        }
        let mut name = self.flash_file.as_ref()?.as_os_str().to_owned();
        name.push(".contact");
        Some(name.into())
    }

    /// Selects this board's probe.
    pub fn selector(&self) -> ProbeSelector {
        ProbeSelector {
            vendor_id: VENDOR_ID,
            product_id: PRODUCT_ID,
            serial: Some(self.board.serial().to_owned()),
        }
    }

    /// The board's virtual time.
    pub fn clock(&self) -> Arc<dyn Clock + Send + Sync> {
        Arc::new(BoardClock {
            board: self.board.clone(),
        })
    }

    /// USB transactions of the probe so far.
    pub fn transactions(&self) -> u64 {
        self.board.transactions().unwrap_or(0)
    }
}

/// Virtual time; stands still once the board has stopped.
struct BoardClock {
    board: BoardHandle,
}

impl Clock for BoardClock {
    fn now(&self) -> Duration {
        self.board.now().unwrap_or_default()
    }

    fn sleep(&self, span: Duration) {
        // a board that has stopped shows itself at the next access of the link
        let _ = self.board.sleep(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtual_board::soc::SecConfig;

    #[test]
    fn the_probe_option_names_a_file_and_board_options() {
        let probe =
            VirtualProbe::parse("virtual:/tmp/a:b.bin?boot-mode=serial-downloader&timing=max")
                .expect("valid")
                .expect("virtual");
        assert_eq!(probe.file, Some(PathBuf::from("/tmp/a:b.bin")));
        assert_eq!(probe.straps, Straps::SERIAL_DOWNLOADER);
        assert_eq!(probe.timing, TimingProfile::Max);
    }

    #[test]
    fn the_kind_of_probe_its_round_trip_and_the_core_s_rate_can_be_chosen_in_any_order() {
        for text in [
            "virtual?probe=cmsis-dap-v1&round-trip-us=1500&core-divider=2",
            "virtual?core-divider=2&round-trip-us=1500&probe=cmsis-dap-v1",
        ] {
            let probe = VirtualProbe::parse(text).expect("valid").expect("virtual");
            let config = probe.config("is25wp064").expect("configuration");
            assert_eq!(config.probe.name, "cmsis-dap-v1");
            assert_eq!(config.probe.round_trip, Duration::from_micros(1500));
            assert_eq!(config.core_divider, 2);
        }
    }

    #[test]
    fn a_board_can_have_its_own_unique_id() {
        let fuses = |text: &str| {
            let probe = VirtualProbe::parse(text).expect("valid").expect("virtual");
            probe.config("is25wp064").expect("configuration").fuses
        };
        let found = fuses("virtual?uid=0123456789ABCDEF").unique_id();
        assert_eq!(found, [0x89AB_CDEF, 0x0123_4567]);
        assert_ne!(fuses("virtual").unique_id(), found);
        for wrong in [
            "",
            "1",
            "0123456789ABCDEG",
            "0x23456789ABCDEF",
            "+123456789ABCDEF",
        ] {
            assert!(
                VirtualProbe::parse(&format!("virtual?uid={wrong}")).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_contact_can_be_bad_above_a_clock() {
        let contact = |text: &str| {
            let probe = VirtualProbe::parse(text).expect("valid").expect("virtual");
            let config = probe.config("is25wp064").expect("configuration");
            config.wire_faults.bad_contact.map(|bad| bad.good_khz)
        };
        assert_eq!(contact("virtual?contact-khz=2000"), Some(2000));
        assert_eq!(contact("virtual"), None);
        for wrong in ["99", "50001", "-2000", "2e3", ""] {
            let text = format!("virtual?contact-khz={wrong}");
            assert!(VirtualProbe::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_keeps_a_board_from_booting_can_be_rehearsed() {
        let config = |options: &str| {
            let probe = VirtualProbe::parse(&format!("virtual?{options}"));
            let probe = probe.expect("valid").expect("virtual");
            probe.config("is25wp064").expect("configuration")
        };
        assert_eq!(config("boot-mode=reserved").straps.boot_mode, 3);
        assert_ne!(config("boot-device=other").straps.boot_cfg1, 0);
        let both = config("boot-device=other&boot-mode=fuses").straps;
        assert_eq!(both.boot_mode, 0);
        assert_ne!(both.boot_cfg1, 0);
        assert!(!config("power=off").powered && config("power=on").powered);
        assert!(config("debug-port=closed").fuses.debug_port_closed());
        assert!(!config("debug-port=open").fuses.debug_port_closed());
        assert_eq!(
            config("security=closed").fuses.sec_config(),
            SecConfig::Closed
        );
        for wrong in [
            "power=maybe",
            "security=",
            "boot-device=flash",
            "debug-port",
        ] {
            let text = format!("virtual?{wrong}");
            assert!(VirtualProbe::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_options_the_probe_is_a_j_link_with_its_own_round_trip() {
        let probe = VirtualProbe::parse("virtual").expect("valid");
        let config = probe.expect("virtual").config("is25wp064");
        let config = config.expect("configuration");
        assert_eq!(config.probe, JLINK);
        assert_eq!(config.core_divider, 1);
    }

    #[test]
    fn a_round_trip_that_no_probe_has_is_refused() {
        for wrong in ["0", "9", "100001", "-1", "1.5", "", "fast"] {
            let text = format!("virtual?round-trip-us={wrong}");
            assert!(VirtualProbe::parse(&text).is_err(), "{text}");
        }
        for right in ["10", "100000"] {
            let text = format!("virtual?round-trip-us={right}");
            assert!(VirtualProbe::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_profile_of_the_board_is_among_the_options_listed() {
        for profile in Profile::ALL {
            assert!(OPTIONS.contains(profile.name), "{}", profile.name);
            let text = format!("virtual?probe={}", profile.name);
            assert!(VirtualProbe::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_probes_are_not_virtual() {
        for text in ["1366:0101", "virtually", "J-Link"] {
            assert!(
                VirtualProbe::parse(text).expect("no error").is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_option_is_a_usage_error_that_lists_the_options() {
        let problem =
            Problem::from(VirtualProbe::parse("virtual?boot-mode=dfu").expect_err("refused"));
        assert_eq!(problem.exit, ExitCode::Usage);
        assert!(problem.why.expect("why").contains("serial-downloader"));
    }
}
