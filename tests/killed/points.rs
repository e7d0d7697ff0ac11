//! Where in a cycle the station is killed.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::line::Station;

/// Longest wait for something that may not come, because the cycle ended another way.
const LIMIT: Duration = Duration::from_secs(15);
/// The journal is looked at this often.
const LOOK: Duration = Duration::from_micros(200);

/// A point of a cycle.
#[derive(Clone, Copy, Debug)]
pub enum Point {
    /// So long after the start.
    Time(Duration),
    /// So long after the journal got so many lines: between two steps of the records.
    Line(u64, Duration),
    /// So long after the station said this.
    Event(&'static str, Duration),
}

/// What a station says in a cycle.
const EVENTS: [&str; 6] = [
    "station-started",
    "board-seated",
    "begun",
    "unit-known",
    "phase",
    "verdict",
];

impl Point {
    /// The point for one kill of one line: the three kinds in turn, spread over the cycle by a fixed sequence.
    pub fn of(line: u32, kill: u32, cycle: Duration) -> Self {
        let draw = spread(u64::from(line) << 32 | u64::from(kill));
        let short = Duration::from_micros(draw % 4_000);
        match kill % 3 {
            0 => Point::Time(cycle * (draw % 1_000) as u32 / 1_000),
            1 => Point::Line(1 + draw / 7 % 4, short),
            _ => {
                let event = EVENTS[(draw / 11) as usize % EVENTS.len()];
                let after = if event == "phase" {
                    cycle * (draw % 500) as u32 / 1_000
                } else {
                    short
                };
                Point::Event(event, after)
            }
        }
    }

    /// Waits until the station is there.
    pub fn wait(self, station: &mut Station, journal: &Path) {
        match self {
            Point::Time(span) => std::thread::sleep(span),
            Point::Line(lines, after) => {
                let wanted = count(journal) + lines;
                let until = Instant::now() + LIMIT;
                while count(journal) < wanted && Instant::now() < until {
                    std::thread::sleep(LOOK);
                    station.listen();
                    if !station.verdicts().is_empty() {
                        break;
                    }
                }
                std::thread::sleep(after);
            }
            Point::Event(event, after) => {
                station.wait_for(event, LIMIT);
                std::thread::sleep(after);
            }
        }
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
