//! How a virtual board stands, and what has happened on it since, as lines for people.

use std::time::Duration;

use virtual_board::board::{Board, Supply};
use virtual_board::cpu::State;
use virtual_board::nor;
use virtual_board::rom;
use virtual_board::swd;
use virtual_board::time::Time;
use virtual_board::trace::Severity;

/// Kinds of violations that are shown; the rest is counted.
const KINDS_SHOWN: usize = 10;
/// Width of the labels in front, as in the report of a job.
const LABEL_WIDTH: usize = 9;

/// A board at one moment.
#[derive(Clone, Debug)]
pub struct Standing {
    now: Duration,
    transactions: u64,
    wire: swd::Counts,
    flash: nor::Counters,
    violations: u64,
    /// When and which, as far as the log kept them.
    violations_kept: Vec<(Time, String)>,
    resets: u32,
    boot: String,
    core: String,
}

impl Standing {
    /// The board as it stands.
    pub fn of(board: &mut Board) -> Self {
        let wire = board.dp_mut().counts();
        let system = board.chip.system.borrow();
        let lines = system.trace.lines().iter();
        Standing {
            now: board.now().into(),
            transactions: board.transactions(),
            wire,
            flash: system.nor.counters(),
            violations: system.trace.violations(),
            violations_kept: lines
                .filter(|line| line.severity == Severity::Violation)
                .map(|line| (line.at, format!("{}: {}", line.source, line.text)))
                .collect(),
            resets: board.chip.resets(),
            boot: boot(board.chip.rom_outcome()),
            core: core(board),
        }
    }

    /// What happened since `before`, and how the board stands.
    pub fn since(&self, before: &Standing) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say =
            |label: &str, text: String| lines.push(format!("{label:LABEL_WIDTH$} {text}"));
        say(
            "time",
            format!(
                "{:.3} s of virtual time, {:.3} s since the board got its power",
                self.now.saturating_sub(before.now).as_secs_f64(),
                self.now.as_secs_f64()
            ),
        );
        say(
            "link",
            format!(
                "{} packets, {} SWD clocks, {} transfers: {} WAIT, {} FAULT, {} without an answer",
                self.transactions - before.transactions,
                self.wire.clocks - before.wire.clocks,
                self.wire.transfers - before.wire.transfers,
                self.wire.waits - before.wire.waits,
                self.wire.faults - before.wire.faults,
                self.wire.unanswered - before.wire.unanswered,
            ),
        );
        say("flash", self.flash_work(before));
        let violations = self.violations - before.violations;
        say(
            "manuals",
            match violations {
                0 => "nothing was done that they forbid".to_owned(),
                n => format!("{n} times something was done that they forbid or leave open"),
            },
        );
        for line in self.kinds_of_violations(before, violations) {
            say("", line);
        }
        say(
            "boot ROM",
            format!("{}; {} resets", self.boot, self.resets - before.resets),
        );
        say("core", self.core.clone());
        lines
    }

    /// Every kind once, with the time of its first and how often; a driver that polls has thousands of the same.
    fn kinds_of_violations(&self, before: &Standing, violations: u64) -> Vec<String> {
        let mut kinds: Vec<(Time, &str, u64)> = Vec::new();
        for (at, text) in self
            .violations_kept
            .iter()
            .skip(before.violations_kept.len())
        {
            match kinds.iter_mut().find(|(_, kind, _)| kind == text) {
                Some((_, _, count)) => *count += 1,
                None => kinds.push((*at, text, 1)),
            }
        }
        let shown: Vec<_> = kinds.iter().take(KINDS_SHOWN).collect();
        let told: u64 = shown.iter().map(|(_, _, count)| count).sum();
        let mut lines: Vec<String> = shown
            .iter()
            .map(|(at, text, count)| match count {
                1 => format!("{at} {text}"),
                n => format!("{at} {text} ({n} times)"),
            })
            .collect();
        if violations > told {
            lines.push(format!("and {} more", violations - told));
        }
        lines
    }

    fn flash_work(&self, before: &Standing) -> String {
        let (now, then) = (&self.flash, &before.flash);
        let erases = now.erases - then.erases;
        let sectors = now.sector_erases - then.sector_erases;
        let blocks = now.block_erases - then.block_erases;
        format!(
            "{erases} erases ({sectors} × 4 KiB, {blocks} × 64 KiB, {} of another size), {} page programs, {} register \
             writes",
            erases - sectors - blocks,
            now.programs - then.programs,
            now.register_writes - then.register_writes
        )
    }
}

fn boot(outcome: Option<rom::Outcome>) -> String {
    match outcome {
        None => "has come to no end: at work, or a debugger took the core from it".to_owned(),
        Some(rom::Outcome::Booted { pc, .. }) => format!("started the image at 0x{pc:08X}"),
        Some(rom::Outcome::Crashed { pc, how }) => {
            format!("started the image at 0x{pc:08X}, which then crashed: {how}")
        }
        Some(rom::Outcome::SerialDownloader(reason)) => {
            format!("waits in the serial downloader: {reason}")
        }
        Some(rom::Outcome::Hangs(reason)) => format!("hangs: {reason}"),
    }
}

fn core(board: &Board) -> String {
    let cpu = &board.chip.cpu;
    match board.chip.supply() {
        Supply::HeldInReset => return "held in reset by the reset pin".to_owned(),
        Supply::Off => return "without power".to_owned(),
        Supply::On => {}
    }
    let halted = cpu.debug.halted();
    if cpu.in_rom() {
        let how = if halted {
            "halted by the debugger"
        } else {
            "runs"
        };
        return format!("{how} in the boot ROM");
    }
    let what = match cpu.state() {
        _ if halted => "halted by the debugger",
        State::Running => "runs",
        State::Sleeping => "sleeps",
        State::LockedUp => "locked up",
        State::UnknownRomCode => {
            return "in code of the boot ROM that the model does not have".to_owned();
        }
        State::ModelLimit(limit) => return format!("at the model's limit: {limit}"),
    };
    format!("{what}, PC 0x{:08X}", cpu.pc())
}
