//! The rehearsal: a job on virtual boards, some of them defective, put in and taken out by virtual operators.
//!
//! Everything but the boards and the hands is the real station: the same sites, the same job, the same records. A
//! [`Script`] says which board comes to which site, and what is wrong with it. Each site has its own virtual time
//! ([`site`]), in which its [`operator`] acts. In the end every verdict is held against the truth, which is the board's.
//!
//! What is left out: what a host costs is no part of the virtual times (it is told beside them), the boards' firmware
//! does not run while nobody works on the board, and each site has an operator of its own.

mod bill;
mod defect;
mod draw;
mod findings;
#[cfg(test)]
mod findings_tests;
mod fixture;
mod host;
mod kept;
mod measure;
mod operator;
mod report;
mod script;
mod shelf;
mod site;
mod truth;
mod wanted;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use jiff::Timestamp;

use bill::{Bill, Effort, VirtualUnit};
use findings::Evidence;
use fixture::VirtualFixture;
use operator::{Operator, Starts};
use script::Visit;
use shelf::Shelf;
use site::{Parts, VirtualSite, Visited};
use truth::Rules;
use wanted::Wanted;

pub use defect::Defect;
pub use findings::{BrokenOff, Counts, Findings, SiteTimes};
pub use measure::{Measured, Side, measure};
pub use operator::Pace;
pub use report::text;
pub use script::{InsertionLine, Script, UnitLine};

use super::command::Command;
use super::fixture::Fixture;
use super::job_file::{JobBootProof, JobSharedSectors, JobStart, LoadedJob};
use crate::job::{self, Bench};
use crate::link::VirtualBench;
use crate::problem::{ExitCode, Problem};
use crate::records::{Attempt, PassedBefore};

/// Most virtual sites: as many as a station has.
pub const MOST_SITES: usize = super::sites::MOST_SITES;

/// What is to be rehearsed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Number of sites; their labels are "1" and so on.
    pub sites: usize,
    /// Which board comes where.
    pub script: Script,
    /// Draws what the script leaves open.
    pub seed: u64,
    /// How quick the operators are.
    pub pace: Pace,
    /// Virtual seconds for one of the host's; as fast as it goes without.
    pub speed: Option<f64>,
    /// A code for boards that the script gives none, `#` standing for the digits of the board's number.
    pub barcodes: Option<String>,
    /// Where jobs keep what they must not forget.
    pub directory: PathBuf,
}

/// The labels of so many sites.
pub fn labels(sites: usize) -> Vec<String> {
    (1..=sites).map(|number| number.to_string()).collect()
}

/// A rehearsal, ready to begin.
pub struct Rehearsal {
    plan: Plan,
    units: Arc<Vec<VirtualUnit>>,
    visits: Vec<Vec<Visit>>,
    bill: Arc<Bill>,
    rules: Rules,
    visited: (Sender<Visited>, Receiver<Visited>),
}

/// A site's label and what it is made of.
pub type LabelledFixture = (String, Box<dyn Fixture>);

impl Rehearsal {
    /// Makes the boards, and flashes a sound one that is not among them, to know what the job takes and how it ends.
    ///
    /// # Errors
    /// A script that means nothing, a flash part that cannot be simulated, a board without the code that the job asks for.
    pub fn new(job: &LoadedJob, plan: Plan) -> Result<Self, Problem> {
        let uids = job.file.identity.unique_ids.clone().unwrap_or_default();
        let mut bill = Bill::new(&job.target, Wanted::of_sample(job)?.runs, uids)?;
        let (effort, sound) = sound_board(job, &bill, &plan.directory)?;
        bill.effort = effort;
        let visits = plan.script.by_site(&labels(plan.sites))?;
        let mut units = Vec::new();
        for (number, line) in plan.script.units.iter().enumerate() {
            let mut unit = bill.unit(line, number, plan.seed)?;
            let barcodes = plan.barcodes.as_deref();
            unit.barcode = unit
                .barcode
                .or_else(|| barcodes.map(|code| numbered(code, number)));
            units.push(unit);
        }
        require_codes(job, &units)?;
        Ok(Rehearsal {
            rules: Rules {
                boot_waived: job.file.boot.boot_proof == JobBootProof::None,
                preserves: job.file.shared_sectors == JobSharedSectors::Preserve,
                flash_again: job.file.unit.passed_before == PassedBefore::FlashAgain,
                retry_limit: job.file.unit.attempts,
                quota: job.file.unit.quota,
                sound,
            },
            units: Arc::new(units),
            visits,
            bill: Arc::new(bill),
            visited: mpsc::channel(),
            plan,
        })
    }

    /// What the job takes on a sound, blank board, by that board's clock.
    pub fn sound_board(&self) -> std::time::Duration {
        self.bill.effort.time
    }

    /// How the job ends on a sound board, where that is not PASS: exit code and stable code.
    pub fn unsound(&self) -> Option<&(u8, String)> {
        self.rules.sound.as_ref()
    }

    /// The sites, with the first boards on their way. `commands` reaches the station, which is told to end when all boards
    /// are done, or a site is gone before its own are: others may wait for them. `began` is the time of day at which the
    /// rehearsal begins.
    ///
    /// # Errors
    /// `virtual-board` where the host cannot run so many boards.
    pub fn sites(
        &self,
        job: &LoadedJob,
        commands: &Sender<Command>,
        began: Timestamp,
    ) -> Result<Vec<LabelledFixture>, Problem> {
        let starts = match job.file.unit.start {
            JobStart::Insertion => Starts::ByItself,
            JobStart::Key => Starts::WithKey,
            JobStart::Barcode => Starts::WithCode,
        };
        let shelf = Arc::new(Shelf::new(self.units.len(), self.plan.sites));
        let labels = labels(self.plan.sites);
        let places = labels.into_iter().zip(&self.visits).enumerate();
        let sites = places.map(|(number, (label, visits))| {
            let site = VirtualSite::new(Parts {
                number,
                operator: Operator::new(self.plan.pace, starts.clone()),
                visits: visits.clone(),
                units: self.units.clone(),
                bill: self.bill.clone(),
                shelf: shelf.clone(),
                state_directory: self.plan.directory.clone(),
                visited: self.visited.0.clone(),
                commands: commands.clone(),
                pace: self.plan.speed,
            })?;
            let fixture = VirtualFixture::new(site, job.choice(None), began);
            let fixture: Box<dyn Fixture> = Box::new(fixture);
            Ok((label, fixture))
        });
        sites.collect()
    }

    /// Holds the verdicts against the truth, when the station has ended and its sites are gone. `attempts` is what the
    /// ledger has of them; `was_asked` tells whether anybody asked the station to end before all boards were done.
    pub fn findings(self, job: &LoadedJob, attempts: Vec<Attempt>, was_asked: bool) -> Findings {
        let evidence = Evidence {
            units: &self.units,
            planned: self.visits.concat(),
            was_asked,
            visited: self.visited.1.try_iter().collect(),
            attempts,
            rules: self.rules,
            sites: self.plan.sites,
        };
        evidence.weigh(&|attempt| {
            let why =
                |problem: Problem| format!("what the unit should hold cannot be made: {problem}");
            Wanted::of(job, attempt).map_err(why)
        })
    }
}

/// Flashes a sound, blank board, for the figures.
fn sound_board(
    job: &LoadedJob,
    bill: &Bill,
    directory: &Path,
) -> Result<(Effort, Option<(u8, String)>), Problem> {
    let board = VirtualBench::start(bill.sound())?;
    // the site that it stands for keeps its notes where the others do
    let site = board.board().serial().to_owned();
    drop(board);
    let board = VirtualBench::start_at(bill.sound(), &site, directory.to_owned())?;
    let bench = Bench::virtual_board(job.choice(None), board.clone());
    let outcome = job::flash(&job.job(), &job.request, &bench, &mut ());
    let effort = board.board().with(|board| Effort {
        time: board.now().into(),
        transfers: board.dp_mut().counts().transfers,
        transactions: board.transactions(),
        programs: board.chip.system.borrow().nor.counters().programs,
    });
    let effort = effort.map_err(crate::link::VirtualError::from)?;
    let exit = outcome.record.verdict.exit();
    let sound = (exit != ExitCode::Proven.number()).then(|| {
        let code = outcome.problem.map(|problem| problem.code);
        (exit, code.unwrap_or_default().to_owned())
    });
    Ok((effort, sound))
}

/// `#` in `code` stands for the digits of the board's number, counted from 1.
fn numbered(code: &str, number: usize) -> String {
    let places = code.matches('#').count();
    let digits = format!("{:0places$}", number + 1);
    let mut digits = digits.chars();
    let mut text: String = code
        .chars()
        .map(|c| match c {
            '#' => digits.next().unwrap_or('0'),
            c => c,
        })
        .collect();
    text.extend(digits);
    text
}

/// A job that asks for codes is rehearsed with codes that fit.
fn require_codes(job: &LoadedJob, units: &[VirtualUnit]) -> Result<(), Problem> {
    let Some(pattern) = &job.barcode else {
        return Ok(());
    };
    let fits = |unit: &&VirtualUnit| unit.barcode.as_ref().is_some_and(|code| pattern.fits(code));
    match units.iter().find(|unit| !fits(unit)) {
        None => Ok(()),
        Some(unit) => Err(Problem::new(
            "script-barcode",
            ExitCode::Usage,
            format!("board \"{}\" has no code that the job takes", unit.name),
        )
        .because(format!(
            "the job's pattern is {}, and the board's code {}",
            job.file.unit.barcode.as_deref().unwrap_or_default(),
            unit.barcode.as_deref().unwrap_or("none")
        ))
        .fix(
            "give --barcodes with # for the digits of a board's number, or barcode in the script",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn codes_are_numbered_and_never_the_same() {
        assert_eq!(numbered("PCB-####-A", 6), "PCB-0007-A");
        assert_eq!(numbered("#", 11), "12");
        assert_eq!(numbered("X", 0), "X1");
    }
}
