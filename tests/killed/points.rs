//! Where in a cycle the station is killed.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::line::Station;

/// Longest wait for something that may not come, because the cycle ended another way.
const LIMIT: Duration = Duration::from_secs(15);
/// The journal is looked at this often.
const LOOK: Duration = Duration::from_micros(200);
/// A cycle from its begin to its verdict takes less, so that later points are those after it.
const CYCLE: Duration = Duration::from_millis(600);
/// Longest time between something and the kill that is meant for it.
const SHORT: Duration = Duration::from_millis(2);

/// A point of a cycle.
#[derive(Clone, Copy, Debug)]
pub enum Point {
    /// So long after a step of it.
    Step(&'static str, Duration),
    /// So long after the journal got so many lines: between two steps of the records.
    Line(u64, Duration),
}

/// The steps of a cycle, by what the station says of them.
const STEPS: [&str; 10] = [
    "station-started",
    "begun",
    "phase attach",
    "phase survey",
    "unit-known",
    "phase compare",
    "phase program",
    "phase verify",
    "phase reset",
    "verdict",
];

impl Point {
    /// The point for one kill of one line, by a fixed sequence: right after each step in turn, somewhere in the cycle, and
    /// around a line of the journal.
    pub fn of(line: u32, kill: u32) -> Self {
        let draw = spread(u64::from(line) << 32 | u64::from(kill));
        let part = |of: Duration| of * (draw % 1_000) as u32 / 1_000;
        let turn = (line + kill) as usize;
        match turn % 4 {
            0 => Point::Step("begun", part(CYCLE)),
            1 => Point::Line(1 + draw / 1_000 % 4, part(SHORT)),
            place => {
                let step = turn / 4 * 2 + place - 2;
                Point::Step(STEPS[step % STEPS.len()], part(SHORT))
            }
        }
    }

    /// Waits until the station is there, or has given its verdict.
    pub fn wait(self, station: &mut Station, journal: &Path) {
        let until = Instant::now() + LIMIT;
        let before = count(journal);
        let (Point::Step(_, after) | Point::Line(_, after)) = self;
        let is_there = |station: &Station| match self {
            Point::Step(step, _) => station.steps().any(|said| said == step),
            Point::Line(lines, _) => count(journal) >= before + lines,
        };
        while !is_there(station) && station.verdicts().is_empty() && Instant::now() < until {
            std::thread::sleep(LOOK);
            station.listen();
        }
        std::thread::sleep(after);
        station.listen();
    }
}

fn count(journal: &Path) -> u64 {
    let content = std::fs::read(journal).unwrap_or_default();
    content.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The same number gives the same draw; neighbours have nothing in common (SplitMix64, Steele et al. 2014).
fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
