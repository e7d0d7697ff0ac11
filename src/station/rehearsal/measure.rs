//! How much more several sites do than one, in virtual time, and what a board costs the host.

use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;

use super::findings::Findings;
use super::{Pace, Plan, Rehearsal, Script, host, labels};
use crate::clock::{Clock, HostCalendar, HostClock};
use crate::problem::{ExitCode, Problem};
use crate::records::{Filter, Place, Records};
use crate::station::{LoadedJob, Options, Station};

/// A site among others may take so many times as long for a board as one alone.
const MOST_RATIO: f64 = 1.1;

/// The figures of one run.
#[derive(Clone, Debug)]
pub struct Side {
    /// What came out.
    pub findings: Findings,
    /// The host's time for all of it.
    pub wall: Duration,
    /// Processor time; none where the host does not tell.
    pub cpu: Option<Duration>,
}

/// One site beside several.
#[derive(Clone, Debug)]
pub struct Measured {
    /// One site alone.
    pub alone: Side,
    /// All of them.
    pub together: Side,
    /// How quick the operators are.
    pub pace: Pace,
}

/// Runs `units` good boards for each site, at one site alone and at `sites` sites, each time with records of their own in
/// `directory`. Their codes are `barcodes`, `#` standing for the digits of a board's number.
///
/// # Errors
/// What keeps a rehearsal from running.
pub fn measure(
    job: &LoadedJob,
    sites: usize,
    units: u32,
    pace: Pace,
    barcodes: Option<&str>,
    directory: &Path,
) -> Result<Measured, Problem> {
    let side = |sites, name: &str| side(job, sites, units, pace, barcodes, &directory.join(name));
    Ok(Measured {
        alone: side(1, "alone")?,
        together: side(sites, "together")?,
        pace,
    })
}

fn side(
    job: &LoadedJob,
    sites: usize,
    units: u32,
    pace: Pace,
    barcodes: Option<&str>,
    directory: &Path,
) -> Result<Side, Problem> {
    let count = units.saturating_mul(u32::try_from(sites).unwrap_or(u32::MAX));
    let rehearsal = Rehearsal::new(
        job,
        Plan {
            sites,
            script: Script::drawn(0, count, 0, &labels(sites)),
            seed: 0,
            pace,
            speed: None,
            barcodes: barcodes.map(str::to_owned),
            directory: directory.join("saved"),
        },
    )?;
    let place = Place::Directory(directory.to_owned());
    let (records, _) = Records::open(&place, STATION, true, Box::new(HostCalendar))?;
    let (commands, inbox) = mpsc::channel();
    let (events, told) = mpsc::channel();
    let sites = rehearsal.sites(job, &commands, Timestamp::UNIX_EPOCH)?;
    let options = Options {
        station: STATION.to_owned(),
        operator: None,
        rehearsal: true,
        hook: None,
        units: None,
        interrupted: 0,
    };
    let (clock, cpu) = (HostClock::start(), host::cpu_time());
    Station::run(job, sites, records, options, inbox, events);
    let wall = clock.now();
    let cpu = host::cpu_time()
        .zip(cpu)
        .map(|(after, before)| after.saturating_sub(before));
    drop(told);
    let mut ledger = crate::records::open_to_read(&place)?;
    let attempts = ledger.attempts(&Filter::default())?;
    Ok(Side {
        findings: rehearsal.findings(job, attempts, false),
        wall,
        cpu,
    })
}

const STATION: &str = "rehearsal";
const HOUR: f64 = 3600.0;

impl Side {
    /// Boards in an hour of virtual time, all sites together.
    pub fn boards_per_hour(&self) -> f64 {
        self.findings
            .sites
            .iter()
            .map(|site| site.boards_per_hour())
            .sum()
    }

    /// Mean seconds of the host that an attempt spends in the records.
    fn records_seconds(&self) -> f64 {
        let (sum, _) = self.findings.records_seconds;
        sum / f64::from(self.findings.total().attempts().max(1))
    }

    /// Mean seconds from begun to PASS at the slowest site.
    fn slowest(&self) -> Option<f64> {
        let cycles = self.findings.sites.iter().map(|site| site.cycle_seconds());
        cycles.reduce(|a, b| Some(a?.max(b?))).flatten()
    }

    /// The same with the host's time in the records.
    fn slowest_with_records(&self) -> Option<f64> {
        let cycles = self
            .findings
            .sites
            .iter()
            .map(|site| site.cycle_with_records_seconds());
        cycles.reduce(|a, b| Some(a?.max(b?))).flatten()
    }

    fn line(&self, boards: u32) -> String {
        let per_board = |span: Duration| 1e3 * span.as_secs_f64() / f64::from(boards.max(1));
        let cpu = self
            .cpu
            .map_or_else(|| "-".to_owned(), |cpu| format!("{:.0} ms", per_board(cpu)));
        format!("{:.0} ms wall, {cpu} processor", per_board(self.wall))
    }
}

impl Measured {
    /// Slowest site among all over one alone, in cycle time; none where not every site has passed boards.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.together.slowest()? / self.alone.slowest()?)
    }

    /// The same with the host's time in the records.
    pub fn ratio_with_records(&self) -> Option<f64> {
        Some(self.together.slowest_with_records()? / self.alone.slowest_with_records()?)
    }

    /// Whether the sites keep out of each other's way, and every verdict was right.
    pub fn reaches(&self) -> bool {
        let agrees = self.alone.findings.agrees() && self.together.findings.agrees();
        agrees && self.ratio().is_some_and(|ratio| ratio <= MOST_RATIO)
    }

    /// What the measurement ends with.
    pub fn exit(&self) -> ExitCode {
        if self.reaches() {
            ExitCode::Proven
        } else {
            ExitCode::Internal
        }
    }

    /// The figures.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let handling = self.pace.handling.as_secs_f64();
        let reaction = self.pace.reaction.as_secs_f64();
        for (name, side) in [("1 site", &self.alone), ("together", &self.together)] {
            let boards = side.findings.total().insertions;
            let cycle = side.slowest().unwrap_or_default();
            let with_records = side.slowest_with_records().unwrap_or_default();
            let sites = side.findings.sites.len();
            let name = if sites == 1 {
                name.to_owned()
            } else {
                format!("{sites} sites")
            };
            // writing to a String cannot fail
            let _ = writeln!(
                text,
                "{name}: {boards} boards, {:.0} an hour; begun to PASS at the slowest site {cycle:.3} s, with the records {with_records:.3} s",
                side.boards_per_hour()
            );
            let _ = writeln!(text, "  of the host: {} a board", side.line(boards));
        }
        let gain = self.together.boards_per_hour() / self.alone.boards_per_hour();
        let ratio =
            |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |r| format!("{r:.3}"));
        let _ = writeln!(
            text,
            "boards an hour {gain:.2} times; slowest site's time {} times that of one alone (at most {MOST_RATIO}), with the records {}",
            ratio(self.ratio()),
            ratio(self.ratio_with_records())
        );
        let busy = self.alone.records_seconds() * self.together.boards_per_hour() / HOUR;
        let _ = writeln!(
            text,
            "records take {:.1} ms a board where nobody else writes: at that many boards an hour they are busy {:.1} % of the time",
            1e3 * self.alone.records_seconds(),
            1e2 * busy
        );
        let _ = writeln!(
            text,
            "times are the virtual boards'; the records' are the host's, with {} sites writing as fast as it simulates them. \
             Handling {handling} s and reaction {reaction} s are assumptions, and each site has an operator of its own; \
             one operator for all would end at {:.0} boards an hour",
            self.together.findings.sites.len(),
            HOUR / (handling + reaction)
        );
        for line in self
            .alone
            .findings
            .disagreements
            .iter()
            .chain(&self.together.findings.disagreements)
        {
            let _ = writeln!(text, "DISAGREES: {line}");
        }
        text
    }
}
