//! Random faults of flash, controller and link as data: the same seed gives the same plan.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use virtual_board::flexspi;
use virtual_board::nor::operation::Random;
use virtual_board::nor::{self, DisturbedRead, FlakyCell, ReadFault};
use virtual_board::swd::{FlippedBit, WireFaults};

/// Of the commands of one plan so many give the former data.
const STALE_COMMANDS: u64 = 6;

/// A kind of fault. What real defect each stands for is told where the model has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    StuckAtOne,
    StuckAtZero,
    StuckCell,
    FlakyCell,
    DroppedProgram,
    DroppedErase,
    ShortErase,
    ProgramEcho,
    EraseEcho,
    MisdirectedProgram,
    MisdirectedErase,
    StuckAddressLine,
    ProgramDisturb,
    SilentRead,
    ReadBits,
    ReadElsewhere,
    DroppedWriteEnable,
    ProtectionReturns,
    StuckDataLine,
    StaleAhbBuffer,
    StaleFifo,
    ParityErrors,
    FlippedTwice,
    ReplayedRead,
    LostWrite,
}

impl Kind {
    pub const ALL: [Kind; 25] = [
        Kind::StuckAtOne,
        Kind::StuckAtZero,
        Kind::StuckCell,
        Kind::FlakyCell,
        Kind::DroppedProgram,
        Kind::DroppedErase,
        Kind::ShortErase,
        Kind::ProgramEcho,
        Kind::EraseEcho,
        Kind::MisdirectedProgram,
        Kind::MisdirectedErase,
        Kind::StuckAddressLine,
        Kind::ProgramDisturb,
        Kind::SilentRead,
        Kind::ReadBits,
        Kind::ReadElsewhere,
        Kind::DroppedWriteEnable,
        Kind::ProtectionReturns,
        Kind::StuckDataLine,
        Kind::StaleAhbBuffer,
        Kind::StaleFifo,
        Kind::ParityErrors,
        Kind::FlippedTwice,
        Kind::ReplayedRead,
        Kind::LostWrite,
    ];
}

impl Kind {
    /// Whether a job that reaches so far gives it anything to spoil.
    fn is_possible(self, reach: &Reach) -> bool {
        match self {
            Kind::StuckAtOne
            | Kind::DroppedProgram
            | Kind::ProgramEcho
            | Kind::MisdirectedProgram
            | Kind::ProgramDisturb
            | Kind::DroppedWriteEnable
            | Kind::ProtectionReturns => !reach.programs.is_empty(),
            Kind::StuckAtZero
            | Kind::DroppedErase
            | Kind::ShortErase
            | Kind::EraseEcho
            | Kind::MisdirectedErase => !reach.erases.is_empty(),
            Kind::ParityErrors => reach.has_parity,
            Kind::StaleAhbBuffer => reach.has_rom,
            _ => true,
        }
    }
}

/// What a sound job does, counted as the model counts it: faults are put where something happens.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    pub programs: Range<u64>,
    pub erases: Range<u64>,
    pub write_enables: Range<u64>,
    pub reads: Range<u64>,
    /// IP commands that receive.
    pub receptions: Range<u64>,
    /// Transfers of the wire, or words where there is no wire.
    pub transfers: Range<u64>,
    /// From here on the flash is the matter, and not the loading of the algorithm.
    pub late_transfer: u64,
    /// Whether a single wrong bit is noticed by the wire itself.
    pub has_parity: bool,
    /// Whether the boot ROM runs, which alone reads by way of the AHB buffers.
    pub has_rom: bool,
    pub memory_reads: Range<u64>,
    pub late_memory_read: u64,
    pub memory_writes: Range<u64>,
    pub late_memory_write: u64,
    /// Flash offsets that the image fills.
    pub image: Vec<Range<u32>>,
    /// Flash offsets around them that must stay.
    pub near: Vec<Range<u32>>,
    /// Address lines of the flash.
    pub address_lines: u64,
}

/// Faults of one board.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    pub kinds: Vec<Kind>,
    pub nor: nor::Faults,
    pub flexspi: flexspi::Faults,
    pub wire: WireFaults,
}

struct Draw(Random);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        // the upper half: a draw of few values out of 2^32 is even enough
        (self.0.next() >> 32) % limit.max(1)
    }

    fn of(&mut self, range: &Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// An address in one of the ranges, the shorter ranges as often as the longer ones.
    fn address(&mut self, ranges: &[Range<u32>]) -> u32 {
        let range = &ranges[self.below(ranges.len() as u64) as usize];
        range.start + self.below(u64::from(range.end - range.start)) as u32
    }

    fn bit(&mut self) -> u8 {
        1 << self.below(8)
    }

    /// One to three bits.
    fn bits(&mut self) -> u8 {
        (0..=self.below(3)).fold(0, |bits, _| bits | self.bit())
    }

    /// An address bit, and now and then two.
    fn line(&mut self, lowest: u64, lines: u64) -> u32 {
        // the lower ones more often: they stay in what is watched
        let one = |draw: &mut Self| {
            let room = lines - lowest;
            let room = if draw.flip() { room } else { room.min(8) };
            1 << (lowest + draw.below(room))
        };
        let first = one(self);
        if self.below(4) == 0 {
            first | one(self)
        } else {
            first
        }
    }

    /// A few numbers out of `range`, half of them behind `late`.
    fn several(&mut self, range: &Range<u64>, late: u64, most: u64) -> Vec<u64> {
        (0..=self.below(most))
            .map(|_| {
                let whole = self.flip();
                if whole {
                    self.of(range)
                } else {
                    self.of(&(late..range.end))
                }
            })
            .collect()
    }
}

impl FaultPlan {
    /// The plan of `seed`, for one of several jobs that reach so far, and the number of that job. Every kind comes in its turn,
    /// for every job in its turn that gives it something to spoil, and now and then together with others.
    pub fn draw(seed: u64, jobs: &[&Reach]) -> (usize, Self) {
        let mut draw = Draw(Random::new(seed));
        let kinds: Vec<Kind> = Kind::ALL
            .into_iter()
            .filter(|kind| jobs.iter().any(|reach| kind.is_possible(reach)))
            .collect();
        let turns = kinds.len() as u64;
        let kind = kinds[(seed % turns) as usize];
        let fitting: Vec<usize> = (0..jobs.len())
            .filter(|job| kind.is_possible(jobs[*job]))
            .collect();
        let job = fitting[((seed / turns + seed) % fitting.len() as u64) as usize];
        let mut plan = FaultPlan::default();
        plan.add(kind, jobs[job], &mut draw);
        while plan.kinds.len() < 3 && draw.below(4) == 0 {
            let kind = draw.one(&kinds);
            if kind.is_possible(jobs[job]) {
                plan.add(kind, jobs[job], &mut draw);
            }
        }
        (job, plan)
    }

    fn add(&mut self, kind: Kind, reach: &Reach, draw: &mut Draw) {
        self.kinds.push(kind);
        let nor = &mut self.nor;
        let anywhere = |draw: &mut Draw| {
            let outside = !reach.near.is_empty() && draw.below(4) == 0;
            draw.address(if outside { &reach.near } else { &reach.image })
        };
        match kind {
            Kind::StuckAtOne => {
                for _ in 0..=draw.below(4) {
                    nor.unprogrammable
                        .push((draw.address(&reach.image), draw.bits()));
                }
            }
            Kind::StuckAtZero => {
                for _ in 0..=draw.below(4) {
                    nor.weak_erase.push((anywhere(draw), draw.bits()));
                }
            }
            Kind::StuckCell => {
                for _ in 0..=draw.below(2) {
                    let bits = draw.below(256) as u8;
                    nor.stuck_cells.push((anywhere(draw), draw.bits(), bits));
                }
            }
            Kind::FlakyCell => nor.flaky_cells.push(FlakyCell {
                address: anywhere(draw),
                mask: draw.bit(),
                one_in: 2 + draw.below(6),
                seed: draw.below(1 << 31),
            }),
            Kind::DroppedProgram => nor.dropped_programs.push(draw.of(&reach.programs)),
            Kind::DroppedErase => nor.dropped_erases.push(draw.of(&reach.erases)),
            Kind::ShortErase => nor.short_erases.push(draw.of(&reach.erases)),
            Kind::ProgramEcho => nor.program_echo = Some(draw.line(8, reach.address_lines)),
            Kind::EraseEcho => nor.erase_echo = Some(draw.line(12, reach.address_lines)),
            Kind::MisdirectedProgram => {
                let number = draw.of(&reach.programs);
                nor.misdirected_programs
                    .push((number, draw.line(8, reach.address_lines)));
            }
            Kind::MisdirectedErase => {
                let number = draw.of(&reach.erases);
                nor.misdirected_erases
                    .push((number, draw.line(12, reach.address_lines)));
            }
            Kind::StuckAddressLine => {
                nor.stuck_address = Some((draw.line(8, reach.address_lines), draw.flip()))
            }
            Kind::ProgramDisturb => {
                let number = draw.of(&reach.programs);
                nor.disturbing_programs
                    .push((number, anywhere(draw), draw.bits()));
            }
            Kind::SilentRead | Kind::ReadBits | Kind::ReadElsewhere => {
                let how = match kind {
                    Kind::SilentRead => ReadFault::Silent,
                    Kind::ReadBits => ReadFault::Bits {
                        at: draw.below(0x1000) as u32,
                        mask: draw.bits(),
                    },
                    _ => ReadFault::Elsewhere(draw.line(8, reach.address_lines)),
                };
                let read = draw.of(&reach.reads);
                nor.disturbed_reads.push(DisturbedRead { read, how });
            }
            Kind::DroppedWriteEnable => {
                nor.dropped_write_enables
                    .push(draw.of(&reach.write_enables));
            }
            Kind::ProtectionReturns => {
                nor.protection_returns =
                    Some((draw.of(&reach.programs), draw.one(&[0x3C, 0x7C, 0x44])));
            }
            Kind::StuckDataLine => {
                self.flexspi.stuck_lines = Some((draw.one(&[1, 2, 4, 8, 4, 8]), draw.flip()));
            }
            Kind::StaleAhbBuffer => self.flexspi.stale_ahb_resets = 1 + draw.below(8),
            Kind::StaleFifo => {
                // most commands are polls of a status, and one that repeats the former poll shows nothing
                let commands = (0..STALE_COMMANDS).map(|_| draw.of(&reach.receptions));
                self.flexspi.stale_commands.extend(commands);
            }
            Kind::ParityErrors => {
                for transfer in draw.several(&reach.transfers, reach.late_transfer, 6) {
                    let bit = draw.below(33) as u32;
                    self.wire.flipped_bits.push(FlippedBit { transfer, bit });
                }
            }
            Kind::FlippedTwice => {
                for transfer in draw.several(&reach.transfers, reach.late_transfer, 4) {
                    let first = draw.below(32) as u32;
                    let second = (first + 1 + draw.below(31) as u32) % 32;
                    let flips = [first, second].map(|bit| FlippedBit { transfer, bit });
                    self.wire.flipped_bits.extend(flips);
                }
            }
            Kind::ReplayedRead => {
                let reads = draw.several(&reach.memory_reads, reach.late_memory_read, 4);
                for first in reads {
                    let length = draw.one(&[1, 1, 4, 16, 64]);
                    self.wire.replayed_reads.push(first..first + length);
                }
            }
            Kind::LostWrite => {
                let writes = draw.several(&reach.memory_writes, reach.late_memory_write, 2);
                for first in writes {
                    let length = draw.one(&[1, 1, 4, 16, 64]);
                    self.wire.lost_writes.push(first..first + length);
                }
            }
        }
    }

    /// Bits at this flash offset that have no definite value: those of a cell that reads now so and now so.
    pub fn undefined(&self) -> BTreeMap<u32, u8> {
        let mut bits = BTreeMap::new();
        for cell in &self.nor.flaky_cells {
            *bits.entry(cell.address).or_default() |= cell.mask;
        }
        bits
    }
}

/// What came of many plans.
#[derive(Debug, Default)]
pub struct Tally {
    plans: u64,
    struck: u64,
    claims_despite: u64,
    exits: BTreeMap<(u8, String), u64>,
    kinds: BTreeMap<Kind, (u64, u64)>,
}

impl Tally {
    /// Notes a plan: its exit code and verdict, whether a fault made a difference, and whether the content was claimed right.
    pub fn note(&mut self, plan: &FaultPlan, exit: u8, code: &str, struck: bool, claimed: bool) {
        self.plans += 1;
        self.struck += u64::from(struck);
        self.claims_despite += u64::from(struck && claimed);
        *self.exits.entry((exit, code.to_owned())).or_default() += 1;
        // who struck is known where there is one kind
        if let [kind] = plan.kinds.as_slice() {
            let (plans, effective) = self.kinds.entry(*kind).or_default();
            *plans += 1;
            *effective += u64::from(struck);
        }
    }

    /// A sweep in which nothing happens shows nothing.
    pub fn assert_it_shows_something(&self, least_per_kind: u64, without: &[Kind]) {
        assert!(
            self.struck * 2 > self.plans,
            "most plans must make a difference: {self}"
        );
        for kind in Kind::ALL.into_iter().filter(|kind| !without.contains(kind)) {
            let (_, effective) = self.kinds.get(&kind).copied().unwrap_or_default();
            assert!(effective >= least_per_kind, "{kind:?}: {self}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            plans,
            struck,
            claims_despite,
            ..
        } = self;
        writeln!(
            f,
            "{plans} plans; in {struck} a fault made a difference, of which {claims_despite} ended with the content claimed and right"
        )?;
        for ((exit, code), count) in &self.exits {
            writeln!(f, "  exit {exit:3} {code}: {count}")?;
        }
        for (kind, (plans, effective)) in &self.kinds {
            writeln!(f, "  {kind:?}: {effective} of {plans} alone")?;
        }
        Ok(())
    }
}
