//! Watching a chip boot by reads alone: one look after the other, and what they add up to.

use std::time::Duration;

use super::evidence::{Evidence, Proof};
use super::prove::Expectation;
use crate::address::Address;
use crate::link::registers::{
    CFSR, DHCSR, DHCSR_S_RESET_ST, DWT_PCSR, FAULT_EXCEPTIONS, HFSR, ICSR, ICSR_VECTACTIVE, VTOR,
};
use crate::link::{CoreState, Link, LinkError, WatchState};
use crate::target::Chip;

use super::cause::FaultStatus;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the core must stay in a fault handler to be taken as crashed.
const CRASHED_AFTER: Duration = Duration::from_millis(20);
/// How long the bus must give no answer to be taken as a sleep with the bus clock off, and not as a moment of it.
const ASLEEP_AFTER: Duration = Duration::from_millis(100);
/// An image may reset itself once, and so may a bootloader: after a swap, after it has written its settings. A board
/// that does it again is in a loop.
const OWN_RESETS_ALLOWED: u32 = 1;
/// How often the program counter must be seen in the image, with the comparator lost, to be taken as proof.
const SAMPLES_WITHOUT_COMPARATOR: u32 = 5;
/// DWT_PCSR while the core is halted, or where it has no sample.
const NO_SAMPLE: u32 = u32::MAX;
/// SRC_SRSR: SYSRESETREQ or lockup (IMXRT1060RM SRC chapter).
const SRSR_SYSRESETREQ: u32 = 1 << 1;

/// How the watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The image was started and nothing bad was seen for the time asked for.
    Settled,
    /// The image was started, and now nothing answers for it sleeps without bus clock.
    Asleep,
    /// The same of the debug port, whatever was seen before.
    Silent,
    /// No reset took place.
    NoReset,
    /// A debugger holds the core.
    Halted,
    /// The core locked up.
    LockedUp,
    /// The core stays in a fault handler.
    InFault,
    /// The chip resets again and again.
    Resets,
    /// The time was over.
    TimeOver,
    /// The time was over, and the bus gave no answer at its end.
    TimeOverAsleep,
}

/// One look at the board.
struct Look {
    watch: WatchState,
    pc: Option<Address>,
    exception: u32,
    state: CoreState,
    was_reset: bool,
}

/// What has been seen so far.
pub(super) struct Watch<'a> {
    pub link: &'a mut dyn Link,
    /// Asked at each look; false ends the watch as if its time were over.
    go_on: &'a dyn Fn() -> bool,
    pub chip: &'a Chip,
    pub expected: Expectation,
    /// Where the core was left before the reset.
    pub parking: Address,
    /// Whether a sleep with the bus clock off can only be that of the image.
    pub only_the_image_sleeps: bool,
    /// When the reset was asked for.
    pub begun: Duration,
    /// When the chip was last seen to reset.
    pub alive_since: Duration,
    /// Resets seen by the core's sticky flag, the one asked for included.
    pub resets: u32,
    /// SRC_SRSR after the last reset of its own.
    pub srsr: u32,
    /// By what, and the sentence of it.
    pub proof: Option<(Proof, Evidence)>,
    /// The image was started since the last reset.
    pub started: bool,
    /// The image, or somebody else, has taken the comparator.
    pub taken: bool,
    quiet_since: Option<Duration>,
    fault_since: Option<Duration>,
    asleep_since: Option<Duration>,
    pub state: CoreState,
    pub exception: u32,
    pub samples: u32,
    pub in_rom: u32,
    /// Samples outside the ROM and samples in the image's code, without a break by others.
    outside: u32,
    in_code: u32,
    pub last: Option<Address>,
    /// Where the core was at the last look; none where it did not tell, as without TRCENA.
    now_at: Option<Address>,
}

impl<'a> Watch<'a> {
    pub fn new(
        link: &'a mut dyn Link,
        go_on: &'a dyn Fn() -> bool,
        chip: &'a Chip,
        expected: Expectation,
        parking: Address,
        begun: Duration,
    ) -> Self {
        Watch {
            link,
            go_on,
            chip,
            expected,
            parking,
            only_the_image_sleeps: false,
            begun,
            alive_since: begun,
            resets: 0,
            srsr: 0,
            proof: None,
            started: false,
            taken: false,
            quiet_since: None,
            fault_since: None,
            asleep_since: None,
            state: CoreState::Running,
            exception: 0,
            samples: 0,
            in_rom: 0,
            outside: 0,
            in_code: 0,
            last: None,
            now_at: None,
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.alive_since) >= self.expected.limit || !(self.go_on)()
    }

    /// Looks until it is known how the boot ended.
    pub fn until_decided(&mut self) -> Result<End, LinkError> {
        loop {
            let begin = self.now();
            let end = match self.look().and_then(|look| self.add(look)) {
                Ok(end) => end,
                Err(LinkError::Asleep { .. }) => self.asleep(begin),
                Err(LinkError::TargetLost { .. }) => Some(End::Silent),
                Err(error) => return Err(error),
            };
            if let Some(end) = end {
                return Ok(end);
            }
            self.link.clock().sleep(PAUSE);
        }
    }

    /// Own resets of the chip.
    pub fn own_resets(&self) -> u32 {
        self.resets.saturating_sub(1)
    }

    pub fn vector_table(&mut self) -> Result<Address, LinkError> {
        self.link.read_word(VTOR).map(Address::new)
    }

    pub fn read_srsr(&mut self) -> Result<u32, LinkError> {
        let address = self.chip.registers.src_srsr;
        self.link.read_word(address)
    }

    pub fn fault_status(&mut self) -> Result<FaultStatus, LinkError> {
        Ok(FaultStatus {
            exception: self.exception,
            cfsr: self.link.read_word(CFSR)?,
            hfsr: self.link.read_word(HFSR)?,
        })
    }

    /// How long the image has been running without a crash or a reset.
    pub fn quiet(&self) -> Duration {
        let since = self.quiet_since.unwrap_or(self.now());
        self.now().saturating_sub(since)
    }

    fn now(&self) -> Duration {
        self.link.clock().now()
    }

    /// The sticky flags first, so that nothing that happens meanwhile is lost: the next look shows it.
    fn look(&mut self) -> Result<Look, LinkError> {
        let watch = self.link.boot_watch()?;
        let pc = self.link.read_word(DWT_PCSR)?;
        let exception = self.link.read_word(ICSR)? & ICSR_VECTACTIVE;
        let dhcsr = self.link.read_word(DHCSR)?;
        Ok(Look {
            watch,
            pc: (pc != NO_SAMPLE && pc != 0).then_some(Address::new(pc)),
            exception,
            state: CoreState::of(dhcsr),
            was_reset: dhcsr & DHCSR_S_RESET_ST != 0,
        })
    }

    fn add(&mut self, look: Look) -> Result<Option<End>, LinkError> {
        let now = self.now();
        self.asleep_since = None;
        // a second flag before anything was executed is still the same reset
        let is_new = look.was_reset && (self.resets == 0 || self.samples > 0);
        if is_new {
            self.reset_seen(now)?;
        }
        self.state = look.state;
        self.exception = look.exception;
        self.now_at = look.pc;
        self.sample(look.pc);
        match look.watch {
            WatchState::Matched => self.reset_handler_executed(now),
            WatchState::Taken => self.taken = true,
            WatchState::Waiting => {}
        }
        if self.taken && !self.started {
            self.prove_by_samples()?;
        }
        let in_rom = look.pc.is_some_and(|pc| self.is_in_rom(pc));
        let in_fault = FAULT_EXCEPTIONS.contains(&look.exception);
        keep(&mut self.fault_since, in_fault, now);
        // a program may call the ROM's flash driver; one that is back in the ROM for good has no vector table of its own
        let is_quiet = self.started && !in_fault && !(in_rom && self.has_vectors_of_rom()?);
        let again = is_new && self.own_resets() > 0;
        keep(&mut self.quiet_since, is_quiet && !again, now);
        self.decide(now)
    }

    fn reset_seen(&mut self, now: Duration) -> Result<(), LinkError> {
        self.resets += 1;
        (self.samples, self.in_rom, self.outside, self.in_code) = (0, 0, 0, 0);
        if self.own_resets() > 0 {
            self.srsr |= self.read_srsr()?;
            self.alive_since = now;
            self.started = false;
        }
        Ok(())
    }

    fn sample(&mut self, pc: Option<Address>) {
        let Some(pc) = pc else { return };
        let in_rom = self.is_in_rom(pc);
        self.samples += 1;
        self.in_rom += u32::from(in_rom);
        self.outside = if in_rom { 0 } else { self.outside + 1 };
        let in_code = self.expected.code.is_some_and(|code| code.contains(pc));
        self.in_code = if in_code { self.in_code + 1 } else { 0 };
        self.last = Some(pc);
    }

    fn reset_handler_executed(&mut self, now: Duration) {
        let address = self.expected.reset_handler;
        let within = now.saturating_sub(self.begun);
        let seen = Evidence::ResetHandlerExecuted { address, within };
        self.started = true;
        self.proof.get_or_insert((Proof::ResetHandler, seen));
    }

    /// Somebody has turned the comparator off, and the ROM is not known to do that. Whether it was the image is told by
    /// where the core is and where its vectors are.
    fn prove_by_samples(&mut self) -> Result<(), LinkError> {
        let vector_table = self.vector_table()?;
        let of_rom = self.chip.rom_range().contains(vector_table);
        let code = self.expected.code;
        let by_vectors = code.is_some_and(|code| code.contains(vector_table))
            || (!self.expected.started_by_bootloader && !of_rom && vector_table != self.parking);
        let in_rom = self.now_at.is_some_and(|pc| self.is_in_rom(pc));
        let by_samples = self.in_code >= SAMPLES_WITHOUT_COMPARATOR;
        if self.resets > 0 && (by_samples || by_vectors && !in_rom) {
            let samples = self.outside;
            let seen = Evidence::CodeSampled {
                samples,
                vector_table,
            };
            self.started = true;
            self.proof.get_or_insert((Proof::Samples, seen));
        }
        Ok(())
    }

    fn is_in_rom(&self, pc: Address) -> bool {
        self.chip.rom_range().contains(pc)
    }

    fn has_vectors_of_rom(&mut self) -> Result<bool, LinkError> {
        Ok(self.vector_table()? == self.chip.rom.address)
    }

    fn decide(&mut self, now: Duration) -> Result<Option<End>, LinkError> {
        let since = |at: Option<Duration>| at.map(|at| now.saturating_sub(at));
        let lasts = |at: Option<Duration>, span| since(at).is_some_and(|seen| seen >= span);
        if self.own_resets() > OWN_RESETS_ALLOWED {
            return Ok(Some(End::Resets));
        }
        match self.state {
            CoreState::Halted => return Ok(Some(End::Halted)),
            CoreState::LockedUp => return Ok(Some(End::LockedUp)),
            CoreState::Asleep | CoreState::Running => {}
        }
        if lasts(self.fault_since, CRASHED_AFTER) {
            return Ok(Some(End::InFault));
        }
        // after a reset of its own it is watched for longer: the next one may come as late as the first
        let patience = 1 + self.own_resets();
        if lasts(self.quiet_since, self.expected.settle * patience) {
            return Ok(Some(End::Settled));
        }
        if self.last == Some(self.parking)
            && self.resets == 0
            && self.read_srsr()? & SRSR_SYSRESETREQ == 0
        {
            return Ok(Some(End::NoReset));
        }
        let is_over = self.is_over(now);
        if !is_over || self.quiet_since.is_some() || self.fault_since.is_some() {
            return Ok(None);
        }
        if !self.started && self.second_thoughts(now)? {
            return Ok(None);
        }
        Ok(Some(End::TimeOver))
    }

    /// Before it is said that the image was not started: the second comparator may know more than the first.
    fn second_thoughts(&mut self, now: Duration) -> Result<bool, LinkError> {
        if self.taken {
            return Ok(false);
        }
        match self.link.spare_boot_watch()? {
            WatchState::Matched => {
                self.reset_handler_executed(now);
                keep(&mut self.quiet_since, true, now);
                Ok(true)
            }
            WatchState::Waiting => Ok(false),
            WatchState::Taken => {
                self.taken = true;
                self.prove_by_samples()?;
                keep(&mut self.quiet_since, self.started, now);
                Ok(self.started)
            }
        }
    }

    /// The look that began at `begin` got no answer.
    fn asleep(&mut self, begin: Duration) -> Option<End> {
        let now = self.now();
        let since = *self.asleep_since.get_or_insert(begin);
        if self.started {
            return Some(End::Asleep);
        }
        // the loop in which the core was left before the reset has no WFI: it was reset, and the ROM has none either
        if self.only_the_image_sleeps
            && self.proof.is_none()
            && now.saturating_sub(since) >= ASLEEP_AFTER
        {
            let within = since.saturating_sub(self.begun);
            self.proof = Some((Proof::Sleep, Evidence::LeftRomForSleep { within }));
            return Some(End::Asleep);
        }
        let is_over = self.is_over(now);
        is_over.then_some(End::TimeOverAsleep)
    }
}

/// Begins, keeps or ends a span of time.
fn keep(since: &mut Option<Duration>, goes_on: bool, now: Duration) {
    if goes_on {
        since.get_or_insert(now);
    } else {
        *since = None;
    }
}
