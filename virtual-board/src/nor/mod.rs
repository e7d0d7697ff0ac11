//! The flash chip: a QSPI NOR as its pins show it, clock by clock.
//!
//! The FlexSPI model drives it: [`Nor::select`], any number of [`Nor::shift_out`], [`Nor::dummy`] and
//! [`Nor::shift_in`], [`Nor::deselect`]. The chip decodes what it sees on its own terms: a command sent on four lines to
//! a chip that listens on one reaches it as the bits of IO0.

mod answer;
pub mod command;
mod execute;
mod faults;
mod frame;
pub mod operation;
pub mod part;
pub mod protection;
pub mod reads;
mod recorder;
mod register_writes;
pub mod registers;
mod sfdp;

pub use faults::{DisturbedRead, Faults, FlakyCell, ReadFault};
pub use part::{Part, PartError, TimingProfile};
pub use recorder::Recorder;

use std::ops::Range;

use crate::activity::Activity;
use crate::time::Time;
use crate::trace::Trace;
use command::DummySetting;
use frame::Frame;
pub use operation::NonVolatile;
use operation::{Busy, Random};

/// How many data lines a transfer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// IO0 to the chip, IO1 from it.
    One,
    /// IO0 and IO1.
    Two,
    /// IO0 to IO3.
    Four,
}

impl Lines {
    /// 1, 2 or 4.
    pub const fn count(self) -> u32 {
        match self {
            Lines::One => 1,
            Lines::Two => 2,
            Lines::Four => 4,
        }
    }

    /// Of 1, 2 or 4.
    pub const fn from_count(count: u8) -> Option<Self> {
        match count {
            1 => Some(Lines::One),
            2 => Some(Lines::Two),
            4 => Some(Lines::Four),
            _ => None,
        }
    }
}

/// Operations the chip accepted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Page programs.
    pub programs: u64,
    /// Sector, block and chip erases.
    pub erases: u64,
    /// Those of 4 KiB.
    pub sector_erases: u64,
    /// Those of 64 KiB.
    pub block_erases: u64,
    /// Writes of a non-volatile register.
    pub register_writes: u64,
    /// Write enables.
    pub write_enables: u64,
    /// Reads of the array.
    pub reads: u64,
}

/// What happens when EBh with its default clocks runs between the data sheet's limit for them and the part's fastest row.
/// Beyond any other limit data always arrive damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Margin {
    /// Data arrives damaged.
    #[default]
    DataSheet,
    /// Data arrives sound, as on NXP's evaluation boards, which read with 6 dummies at 120 and 133 MHz.
    AsShipped,
}

/// How the chip listens, as software may leave it; a power cycle ends all but the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Commands on one line, as after power-on.
    #[default]
    Spi,
    /// Commands on four lines.
    Qpi,
    /// Continuous read with EBh: no opcode is expected.
    ContinuousRead,
    /// Deep power-down: only its release is a command.
    DeepPowerDown,
}

/// One flash chip.
#[derive(Clone, Debug)]
pub struct Nor {
    part: Part,
    profile: TimingProfile,
    /// What is wrong with it.
    pub faults: Faults,
    /// How the part behaves beyond the data sheet's clocks.
    pub margin: Margin,
    /// The answer to 4Bh.
    pub unique_id: [u8; 16],
    array: Vec<u8>,
    sfdp: Vec<u8>,
    registers: NonVolatile,
    write_enabled: bool,
    qpi: bool,
    continuous: Option<u8>,
    reset_enabled: bool,
    powered_down: bool,
    read_parameters: u8,
    extended: u8,
    busy: Option<Busy>,
    suspended: Option<Busy>,
    quiet_until: Time,
    frame: Option<Frame>,
    busy_polled: bool,
    counters: Counters,
    strikes: u64,
    /// Self-timed operations, with their times.
    pub activity: Activity,
    /// Self-timed operations, with all that they change.
    pub recorder: Recorder,
}

impl Nor {
    /// A chip as delivered: all FFh, nothing protected, registers as the part file says.
    pub fn new(part: Part, profile: TimingProfile) -> Self {
        let registers = NonVolatile::as_delivered(&part.registers);
        Nor {
            array: vec![0xFF; part.size_bytes as usize],
            sfdp: sfdp::area(&part),
            registers,
            part,
            profile,
            faults: Faults::default(),
            margin: Margin::DataSheet,
            unique_id: *b"virtual NOR 0001",
            write_enabled: false,
            qpi: false,
            continuous: None,
            reset_enabled: false,
            powered_down: false,
            read_parameters: registers.read_parameters,
            extended: registers.extended,
            busy: None,
            suspended: None,
            quiet_until: Time::ZERO,
            frame: None,
            busy_polled: false,
            counters: Counters::default(),
            strikes: 0,
            activity: Activity::default(),
            recorder: Recorder::default(),
        }
    }

    /// The part this chip is.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// The array, as of the last wire activity or [`Nor::settle`].
    pub fn content(&self) -> &[u8] {
        &self.array
    }

    /// The array, for files and tests: no command, no time.
    pub fn content_mut(&mut self) -> &mut [u8] {
        &mut self.array
    }

    /// The status register as 05h would show it, WIP as of the last wire activity.
    pub fn status_register(&self) -> u8 {
        let status = &self.part.status;
        let wip = if self.busy.is_some() {
            status.wip_mask
        } else {
            0
        };
        let wel = if self.write_enabled {
            status.wel_mask
        } else {
            0
        };
        (self.registers.status & status.non_volatile_mask()) | wip | wel
    }

    /// Sets the non-volatile status bits, for files and tests.
    pub fn set_status_register(&mut self, value: u8) {
        self.registers.status = value & self.part.status.non_volatile_mask();
    }

    /// The non-volatile registers, for files and tests.
    pub fn registers(&self) -> NonVolatile {
        self.registers
    }

    /// Sets the non-volatile registers, for files and tests.
    pub fn set_registers(&mut self, registers: NonVolatile) {
        self.registers = registers;
        self.read_parameters = registers.read_parameters;
        self.extended = registers.extended;
    }

    /// Puts the chip in QPI, in continuous read (of the opcode given) or in deep power-down, for tests and rehearsals.
    pub fn set_mode(&mut self, qpi: bool, continuous: Option<u8>, powered_down: bool) {
        self.qpi = qpi;
        self.continuous = continuous;
        self.powered_down = powered_down;
    }

    /// Puts the chip in `mode`, for rehearsals.
    pub fn enter(&mut self, mode: Mode) {
        let continuous = (mode == Mode::ContinuousRead).then_some(0xEB);
        self.set_mode(mode == Mode::Qpi, continuous, mode == Mode::DeepPowerDown);
    }

    /// Whether the chip listens on four lines.
    pub fn in_qpi(&self) -> bool {
        self.qpi
    }

    /// The opcode of the continuous read the chip is in.
    pub fn continuous_read(&self) -> Option<u8> {
        self.continuous
    }

    /// Whether the chip is in deep power-down.
    pub fn in_deep_power_down(&self) -> bool {
        self.powered_down
    }

    /// Whether an erase or program is suspended.
    pub fn is_suspended(&self) -> bool {
        self.suspended.is_some()
    }

    /// Whether a command is under way: CS# is low.
    pub fn is_selected(&self) -> bool {
        self.frame.is_some()
    }

    /// What the chip has accepted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Lets commands and operations be numbered from 0 again.
    pub fn restart_counters(&mut self) {
        self.counters = Counters::default();
        self.strikes = 0;
    }

    /// How often a fault has made a difference: a byte stored or read wrong, a command lost or gone astray.
    pub fn strikes(&self) -> u64 {
        self.strikes
    }

    /// A range of the array as every reader sees it, faults that come and go apart.
    pub fn as_read(&self, range: Range<u32>) -> Vec<u8> {
        let faults = &self.faults;
        if faults.stuck_address.is_none() && faults.stuck_cells.is_empty() {
            let range = range.start as usize..range.end as usize;
            return self.array.get(range).unwrap_or_default().to_vec();
        }
        range
            .map(|address| {
                let at = faults.decoded(address);
                let stored = self.array.get(at as usize).copied().unwrap_or(0xFF);
                faults.stuck(at, stored)
            })
            .collect()
    }

    /// When the operation under way ends; `None` when idle, or when it never ends.
    pub fn busy_until(&self) -> Option<Time> {
        if self.faults.stuck_wip {
            return None;
        }
        self.busy.as_ref().map(|busy| busy.until)
    }

    /// Whether a status read has shown WIP = 1 since the last call (the board may skip time then).
    pub fn take_busy_poll(&mut self) -> bool {
        std::mem::take(&mut self.busy_polled)
    }

    /// CS# falls, and the serial clock will run at `sck_hz`.
    pub fn select(&mut self, now: Time, sck_hz: u64, trace: &mut Trace) {
        self.settle(now);
        if self.frame.is_some() {
            trace.violation(now, "nor", "CS# fell while it was low");
        }
        self.frame = Some(Frame::new(now, sck_hz, self.qpi));
        if let Some(opcode) = self.continuous {
            self.begin(opcode, trace);
        }
    }

    /// CS# rises: a complete command acts now, any other is forgotten.
    pub fn deselect(&mut self, now: Time, trace: &mut Trace) {
        self.settle(now);
        if let Some(frame) = self.frame.take()
            && !self.faults.absent
        {
            self.execute(frame, now, trace);
        }
    }

    /// The power fails and comes back: what was under way is torn, and everything volatile is lost.
    pub fn power_cut(&mut self, now: Time, seed: u64) {
        self.settle(now);
        self.frame = None;
        self.break_off(&mut Random::new(seed));
        self.forget_volatile();
        self.powered_down = false;
        self.quiet_until = Time::ZERO;
        self.busy_polled = false;
        if let Some(second) = self.part.registers.status_2 {
            // SRL lasts until the power is off.
            self.registers.status_2 &= !second.lock_mask;
        }
    }

    /// Finishes what has ended by `now`.
    pub fn settle(&mut self, now: Time) {
        if self.faults.stuck_wip {
            return;
        }
        let Some(busy) = self.busy.take_if(|busy| busy.until <= now) else {
            return;
        };
        self.strikes += busy
            .operation
            .complete(&mut self.array, &mut self.registers, &self.faults);
        if busy.operation != operation::Operation::Suspending {
            self.write_enabled = false;
        }
        let writes = match busy.operation {
            operation::Operation::WriteRegisters(writes) => writes,
            _ => Vec::new(),
        };
        for write in writes {
            match write.register {
                operation::Register::ReadParameters => {
                    self.read_parameters = self.registers.read_parameters;
                }
                operation::Register::ExtendedReadParameters => {
                    self.extended = self.registers.extended;
                }
                _ => {}
            }
        }
    }

    fn break_off(&mut self, random: &mut Random) {
        for busy in [self.busy.take(), self.suspended.take()]
            .into_iter()
            .flatten()
        {
            busy.operation
                .tear(&mut self.array, &mut self.registers, random);
        }
    }

    fn forget_volatile(&mut self) {
        self.write_enabled = false;
        self.qpi = false;
        self.continuous = None;
        self.reset_enabled = false;
        self.read_parameters = self.registers.read_parameters;
        self.extended = self.registers.extended;
    }

    fn dummy_setting(&self) -> DummySetting {
        DummySetting::decode(&self.part, self.read_parameters)
    }

    fn quad_enabled(&self) -> bool {
        let quad_enable = self.part.quad_enable;
        self.held_in(quad_enable.register) & quad_enable.mask != 0
    }
}
