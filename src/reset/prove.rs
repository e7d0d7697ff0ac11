//! Resets the chip and watches it boot: comparator on the reset handler, program counter samples, reset status.

use std::time::Duration;

use super::cause::{Cause, NotBooted};
use super::content::obstacle;
use super::evidence::{Booted, Evidence};
use crate::address::{Address, AddressRange};
use crate::boot::Present;
use crate::clock::Deadline;
use crate::link::registers::{
    BOOT_WATCH_COMPARATOR, DEMCR, DEMCR_TRCENA, DWT_FUNCTION_PC_CMPMATCH, DWT_PCSR, MPU_CTRL, VTOR,
    dwt_function,
};
use crate::link::{BootWatch, CoreState, Link, LinkError, Start};
use crate::target::{BootConfig, BootObstacle, Chip, Target};

/// What shall be seen after the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// First instruction that the ROM starts: of the image, or of the resident bootloader before it.
    pub reset_handler: Address,
    /// Where the image executes in place: where program counter samples count if the image takes the comparator for
    /// itself. None where that is not known.
    pub code: Option<AddressRange>,
    /// Whether a bootloader on the board comes between the ROM and that instruction.
    pub started_by_bootloader: bool,
    /// How long it may take from the reset.
    pub limit: Duration,
}

/// What the flash holds now, as far as the caller read it; the diagnosis needs it where the ROM does not boot.
#[derive(Clone, Debug, Default)]
pub struct FlashContent {
    /// FCB, IVT, boot data.
    pub present: Present,
    /// Status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub status_register: Option<u32>,
    /// QE in them.
    pub quad_enable_mask: u32,
}

impl FlashContent {
    /// With the status register that the flash's exit sequence read back.
    pub fn new(present: Present, status_register: Option<u32>, target: &Target) -> Self {
        FlashContent {
            present,
            status_register,
            quad_enable_mask: target.flash().quad_enable_mask(),
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootResult {
    /// The ROM was seen to start the image.
    Booted(Booted),
    /// It was not; with the most likely cause.
    NotBooted(NotBooted),
}

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// After the proof, so long are supporting samples taken.
const AFTERMATH: Duration = Duration::from_millis(20);
/// How often the program counter must be seen in the image, with the comparator lost, to be taken as proof.
const SAMPLES_WITHOUT_COMPARATOR: u32 = 5;
/// DWT_PCSR while the core is halted, or where it has no sample.
const NO_SAMPLE: u32 = u32::MAX;
/// Size and alignment of the parking place: that of a vector table (ARMv7-M ARM B3.2.5).
const PARKING_BYTES: u32 = 0x80;
/// `b .`, twice.
const BRANCH_TO_ITSELF: u32 = 0xE7FE_E7FE;
/// DWT_FUNCTION.FUNCTION.
const DWT_FUNCTION_MASK: u32 = 0xF;

// SRC_SRSR (IMXRT1060RM SRC chapter).
const SRSR_SYSRESETREQ: u32 = 1 << 1;
const SRSR_WATCHDOGS: u32 = 1 << 4 | 1 << 7;

/// Resets the chip and watches it. The flash must have been left as the ROM expects it.
///
/// # Errors
/// [`LinkError`] where the board is lost.
pub fn prove_boot(
    link: &mut dyn Link,
    chip: &Chip,
    expected: Expectation,
    content: &FlashContent,
) -> Result<BootResult, LinkError> {
    let result = reset_and_watch(link, chip, expected, content)?;
    // Reading the comparator clears its match: a reading that the wire damaged and somebody below repeated has lost it.
    match &result {
        BootResult::NotBooted(NotBooted {
            cause: Cause::OtherCode { .. },
            ..
        }) => reset_and_watch(link, chip, expected, content),
        _ => Ok(result),
    }
}

fn reset_and_watch(
    link: &mut dyn Link,
    chip: &Chip,
    expected: Expectation,
    content: &FlashContent,
) -> Result<BootResult, LinkError> {
    let parking = park(link, chip)?;
    // The boot mode was latched at power-on: what stands there now is what the ROM will read.
    let sbmr1 = link.read_word(chip.registers.src_sbmr1)?;
    let sbmr2 = link.read_word(chip.registers.src_sbmr2)?;
    let boot = chip.boot_config(sbmr1, sbmr2);
    let strapped = boot.obstacle().map(|obstacle| cause_of(obstacle, &boot));
    let started = link.clock().now();
    link.final_reset(Some(BootWatch {
        address: expected.reset_handler,
    }))?;
    let limit = match strapped {
        Some(_) => AFTERMATH,
        None => expected.limit,
    };
    let deadline = Deadline::after(link.clock(), limit);
    let closed = boot.is_closed().then_some(sbmr2);
    let mut watch = Watch {
        link,
        chip,
        expected,
        started,
        closed,
        parking,
        samples: 0,
        in_rom: 0,
        in_image: 0,
        last: None,
    };
    loop {
        let seen = watch.turn();
        let over = deadline.is_over(watch.link.clock());
        match seen {
            Ok(Turn::NoReset { srsr }) => {
                return Ok(not_booted(
                    Cause::NoReset { srsr },
                    vec![Evidence::ResetSeen { srsr }],
                ));
            }
            Ok(Turn::Matched { srsr }) => return watch.booted(srsr),
            Ok(Turn::Core(state))
                if matches!(state, CoreState::LockedUp | CoreState::Halted) || over =>
            {
                return watch.conclude(state, strapped, content);
            }
            // The image may wake up for an interrupt now and then.
            Err(LinkError::Asleep { .. }) if over => {
                return Ok(not_booted(Cause::AsleepWithoutBus, vec![Evidence::Asleep]));
            }
            Ok(Turn::Core(_)) | Err(LinkError::Asleep { .. }) => watch.link.clock().sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
}

/// Puts the core into a loop in RAM. Whatever runs now could be the old image, and its code is where the new one's is:
/// if it executed the watched address before the reset takes hold, that would look like a boot.
fn park(link: &mut dyn Link, chip: &Chip) -> Result<Address, LinkError> {
    let ram = &chip.algorithm_ram;
    // The far end of the RAM: nothing else was executed there that an instruction cache could still hold.
    let end = ram.address.get().saturating_add(ram.size_bytes);
    let at = Address::new(end.saturating_sub(PARKING_BYTES) & !(PARKING_BYTES - 1));
    link.halt()?;
    link.write_word(MPU_CTRL, 0)?;
    link.write(at, &[BRANCH_TO_ITSELF; 4])?;
    link.start(Start {
        entry: at,
        stack: at,
        vector_table: at,
        argument: 0,
    })?;
    Ok(at)
}

fn not_booted(cause: Cause, evidence: Vec<Evidence>) -> BootResult {
    BootResult::NotBooted(NotBooted { cause, evidence })
}

/// One look at the board.
enum Turn {
    /// No reset took place.
    NoReset { srsr: u32 },
    /// The reset handler was executed.
    Matched { srsr: u32 },
    /// It was not, and this is what the core does.
    Core(CoreState),
}

/// What has been seen so far.
struct Watch<'a> {
    link: &'a mut dyn Link,
    chip: &'a Chip,
    expected: Expectation,
    started: Duration,
    /// SRC_SBMR2 of a closed part.
    closed: Option<u32>,
    /// Where the core was left before the reset.
    parking: Address,
    samples: u32,
    in_rom: u32,
    in_image: u32,
    last: Option<Address>,
}

impl Watch<'_> {
    fn srsr(&mut self) -> Result<u32, LinkError> {
        let address = self.chip.registers.src_srsr;
        self.link.read_word(address)
    }

    /// Asks for the match before and after the sample, since it may come in between. The match is the proof of the reset
    /// as well, for the core was parked elsewhere; SRC_SRSR alone is not, for images clear it.
    fn turn(&mut self) -> Result<Turn, LinkError> {
        if self.link.boot_watch_matched()? {
            return Ok(Turn::Matched { srsr: self.srsr()? });
        }
        let srsr = self.srsr()?;
        let state = self.look()?;
        if self.link.boot_watch_matched()? {
            return Ok(Turn::Matched { srsr });
        }
        if srsr & SRSR_SYSRESETREQ == 0 && self.last == Some(self.parking) {
            return Ok(Turn::NoReset { srsr });
        }
        Ok(Turn::Core(state))
    }

    /// Takes a program counter sample and the core's state.
    fn look(&mut self) -> Result<CoreState, LinkError> {
        let pc = self.link.read_word(DWT_PCSR)?;
        if pc != NO_SAMPLE && pc != 0 {
            let pc = Address::new(pc);
            self.samples += 1;
            self.in_rom += u32::from(self.chip.rom_range().contains(pc));
            let in_image = self.expected.code.is_some_and(|code| code.contains(pc));
            self.in_image += u32::from(in_image);
            self.last = Some(pc);
        }
        self.link.core_state()
    }

    /// The proof is there; a little longer, to see what the image does next.
    fn booted(mut self, srsr: u32) -> Result<BootResult, LinkError> {
        let within = self.link.clock().now().saturating_sub(self.started);
        let address = self.expected.reset_handler;
        let proof = [
            Evidence::ResetHandlerExecuted { address, within },
            Evidence::ResetSeen { srsr },
        ];
        let mut evidence = proof.to_vec();
        match self.aftermath() {
            Ok(more) => evidence.extend(more),
            // The proof stands; the image went to sleep and took the bus clock with it.
            Err(LinkError::Asleep { .. }) => evidence.push(Evidence::Asleep),
            Err(error) => return Err(error),
        }
        let booted = Booted::new(evidence);
        if booted.locked_up() || booted.back_in_rom() {
            let at = self.last;
            return Ok(not_booted(
                Cause::ImageCrashed { at },
                booted.evidence().to_vec(),
            ));
        }
        Ok(BootResult::Booted(booted))
    }

    /// What the image does in the first moments.
    fn aftermath(&mut self) -> Result<Vec<Evidence>, LinkError> {
        (self.samples, self.in_rom, self.in_image) = (0, 0, 0);
        let deadline = Deadline::after(self.link.clock(), AFTERMATH);
        loop {
            let state = self.look()?;
            if deadline.is_over(self.link.clock()) {
                return self.supporting(state);
            }
            self.link.clock().sleep(PAUSE);
        }
    }

    fn supporting(&mut self, state: CoreState) -> Result<Vec<Evidence>, LinkError> {
        let mut evidence = Vec::new();
        if let Some(last) = self.last {
            evidence.push(Evidence::ProgramCounter {
                last,
                samples: self.samples,
                in_rom: self.in_rom,
            });
        }
        let vtor = self.link.read_word(VTOR)?;
        evidence.push(Evidence::VectorTable {
            address: Address::new(vtor),
        });
        match state {
            CoreState::LockedUp => evidence.push(Evidence::LockedUp),
            CoreState::Asleep => evidence.push(Evidence::Asleep),
            CoreState::Halted | CoreState::Running => {}
        }
        Ok(evidence)
    }

    /// The reset handler was not seen: proof by samples where the comparator was lost, else the cause.
    fn conclude(
        mut self,
        state: CoreState,
        strapped: Option<Cause>,
        content: &FlashContent,
    ) -> Result<BootResult, LinkError> {
        let srsr = self.srsr()?;
        let mut evidence = vec![Evidence::ResetSeen { srsr }];
        evidence.extend(self.supporting(state)?);
        let outside_rom = self.last.filter(|pc| !self.chip.rom_range().contains(*pc));
        let rom_vtor = evidence.contains(&Evidence::VectorTable {
            address: self.chip.rom.address,
        });
        let cause = match (state, strapped, outside_rom) {
            (CoreState::Halted, ..) => Cause::Halted { at: self.last },
            _ if srsr & SRSR_WATCHDOGS != 0 => Cause::ResetLoop { srsr },
            (CoreState::LockedUp, ..) => Cause::LockedUp,
            (_, Some(strapped), _) => strapped,
            (_, None, Some(at)) => {
                let outside = self.samples.saturating_sub(self.in_rom);
                let seen = outside >= SAMPLES_WITHOUT_COMPARATOR && self.in_image == outside;
                if seen && srsr & SRSR_SYSRESETREQ != 0 && !rom_vtor && !self.comparator_armed()? {
                    return Ok(BootResult::Booted(Booted::new(evidence)));
                }
                let expected = self.expected.reset_handler;
                if self.expected.started_by_bootloader {
                    Cause::SlotNotStarted { at, expected }
                } else {
                    Cause::OtherCode { at, expected }
                }
            }
            (_, None, None) => self.rom_did_not_boot(content),
        };
        Ok(not_booted(cause, evidence))
    }

    /// Whether the comparator still stands as it was set: the image may have taken the DWT for itself.
    fn comparator_armed(&mut self) -> Result<bool, LinkError> {
        let function = self.link.read_word(dwt_function(BOOT_WATCH_COMPARATOR))?;
        let tracing = self.link.read_word(DEMCR)? & DEMCR_TRCENA != 0;
        Ok(tracing && function & DWT_FUNCTION_MASK == DWT_FUNCTION_PC_CMPMATCH)
    }

    fn rom_did_not_boot(&self, content: &FlashContent) -> Cause {
        obstacle(content, self.chip, self.closed)
            .or(self.last.map(|at| Cause::RomRefused { at }))
            .unwrap_or(Cause::NothingSeen)
    }
}

fn cause_of(obstacle: BootObstacle, boot: &BootConfig) -> Cause {
    let sbmr2 = boot.sbmr2;
    match obstacle {
        BootObstacle::SerialDownloader => Cause::StrappedToSerialDownloader { sbmr2 },
        BootObstacle::FusesNotSet => Cause::BootFusesNotSet { sbmr2 },
        BootObstacle::ReservedMode => Cause::ReservedBootMode { sbmr2 },
        BootObstacle::OtherDevice { from_fuses } => Cause::OtherBootDevice {
            sbmr1: boot.sbmr1,
            from_fuses,
        },
    }
}
