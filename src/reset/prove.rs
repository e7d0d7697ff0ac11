//! Resets the chip, watches it boot, and takes its hands off again. From the reset to the verdict it only reads.

use std::time::Duration;

use super::cause::{Cause, NotBooted};
use super::conclude::{Known, conclude};
use super::content;
use super::evidence::{Booted, Evidence};
use super::latched::Latched;
use super::watch::Watch;
use crate::address::{Address, AddressRange};
use crate::boot::Present;
use crate::link::registers::MPU_CTRL;
use crate::link::{BootWatch, Doing, Link, LinkError, Start};
use crate::target::{Chip, Target};

/// How long the image is watched after its first instruction, unless somebody asks for more: a crash or a reset in the
/// start-up code comes within.
pub const SETTLE: Duration = Duration::from_millis(20);
/// How long a board is watched that cannot boot by its pins or fuses.
const GLANCE: Duration = Duration::from_millis(20);
/// Size and alignment of the parking place: that of a vector table (ARMv7-M ARM B3.2.5).
const PARKING_BYTES: u32 = 0x80;
/// `b .`, twice.
const BRANCH_TO_ITSELF: u32 = 0xE7FE_E7FE;

/// What shall be seen after the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// First instruction that the ROM starts: of the image, or of the resident bootloader before it.
    pub reset_handler: Address,
    /// Where nothing but the image executes in place: program counter and vector table count there if the image takes the
    /// comparator for itself. None where that is not known.
    pub code: Option<AddressRange>,
    /// Whether a bootloader on the board comes between the ROM and that instruction.
    pub started_by_bootloader: bool,
    /// How long it may take from the reset.
    pub limit: Duration,
    /// How long the image must then run without a crash or a reset.
    pub settle: Duration,
}

/// What the flash holds now, as far as the caller read it; the diagnosis needs it where the ROM does not boot.
#[derive(Clone, Debug, Default)]
pub struct FlashContent {
    /// FCB, IVT, boot data, and what they point to.
    pub present: Present,
    /// Status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub status_register: Option<u32>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootResult {
    /// The ROM was seen to start the image.
    Booted(Booted),
    /// It was not; with the most likely cause.
    NotBooted(NotBooted),
}

impl BootResult {
    fn add(&mut self, seen: Evidence) {
        match self {
            BootResult::Booted(booted) => booted.add(seen),
            BootResult::NotBooted(not_booted) => not_booted.evidence.push(seen),
        }
    }
}

/// Resets the chip and watches it. The flash must have been left as the ROM expects it. Nothing halts the core on the
/// way, and after the verdict nothing of the watch is left in it. `go_on` is asked at each look; where it says no, the
/// watch ends as if its time were over.
///
/// # Errors
/// [`LinkError`] where the probe is lost, or the wire is too noisy to tell.
pub fn prove_boot(
    link: &mut dyn Link,
    target: &Target,
    expected: Expectation,
    content: &FlashContent,
    go_on: &dyn Fn() -> bool,
) -> Result<BootResult, LinkError> {
    let watched = BootWatch {
        address: expected.reset_handler,
    };
    let mut result = reset_and_watch(link, target, expected, content, go_on)?;
    // The verdict stands, whatever becomes of the link now.
    if let Err(error) = link.disarm(watched) {
        tracing::debug!(%error, "the boot watch stays on");
        result.add(Evidence::StillWatched);
    }
    Ok(result)
}

fn reset_and_watch(
    link: &mut dyn Link,
    target: &Target,
    expected: Expectation,
    content: &FlashContent,
    go_on: &dyn Fn() -> bool,
) -> Result<BootResult, LinkError> {
    let chip = target.chip();
    let parking = park(link, chip)?;
    // Latched at power-on: what stands there now is what the ROM will read.
    let latched = Latched::read(link, chip)?;
    let known = Known {
        target,
        content,
        latched: &latched,
    };
    let cannot_boot = latched.obstacle().is_some();
    let begun = link.clock().now();
    let reset = link.final_reset(Some(BootWatch {
        address: expected.reset_handler,
    }));
    match reset {
        Err(LinkError::TargetLost {
            doing: Doing::Attaching,
        }) => {
            return Ok(BootResult::NotBooted(NotBooted {
                cause: Cause::DebugPortSilent,
                evidence: vec![Evidence::DebugPortSilent],
            }));
        }
        reset => reset?,
    }
    let expected = Expectation {
        limit: if cannot_boot { GLANCE } else { expected.limit },
        ..expected
    };
    let only_the_image_sleeps = !expected.started_by_bootloader
        && !cannot_boot
        && content::obstacle(content, target, &latched).is_none();
    let mut watch = Watch::new(link, go_on, chip, expected, parking, begun);
    watch.only_the_image_sleeps = only_the_image_sleeps;
    let end = watch.until_decided()?;
    conclude(watch, end, &known)
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
