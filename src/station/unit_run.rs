//! One attempt on one board: on record when it begins, when the unit is known, and when it ends, and only then a verdict.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::Timestamp;

use super::conclusion::{Conclusion, to_do};
use super::event::{UnitVerdict, What};
use super::fixture::Fixture;
use super::shared::Shared;
use super::unit_image::StationUnit;
use super::watcher::Watcher;
use super::worker::Tell;
use crate::clock::{Clock, HostClock};
use crate::job::{self, Outcome};
use crate::problem::{ExitCode, Problem};
use crate::records::{AttemptId, Begin, End, RecordsError, VerdictKind};

/// What is to be worked on.
pub struct Unit<'u> {
    /// What all sites share.
    pub shared: &'u Shared<'u>,
    /// Label of the site.
    pub site: &'u str,
    /// The scanned code.
    pub barcode: Option<String>,
    /// Who is told.
    pub tell: &'u Tell<'u>,
}

/// How it ended.
pub struct Done {
    /// The verdict; its times are still to be filled in.
    pub verdict: UnitVerdict,
    /// What the job's thread died of; the site must not go on then.
    pub panicked: Option<String>,
}

/// Time that went into the records, waiting for other sites included. The host's time: no board takes part.
#[derive(Default)]
pub struct RecordsTime(Duration);

impl RecordsTime {
    /// Measures one step.
    pub fn measure<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let clock = HostClock::start();
        let result = step();
        self.0 += clock.now();
        result
    }
}

/// Works on the board that is seated.
pub fn run(unit: Unit<'_>, fixture: &mut dyn Fixture) -> Done {
    let shared = unit.shared;
    let mut time = RecordsTime::default();
    let begin = begin(&unit, fixture);
    let attempt = match time.measure(|| shared.records().begin(&begin)) {
        Ok(attempt) => attempt,
        Err(error) => return not_begun(error, time),
    };
    unit.tell.at(begin.begun_at, What::Begun { attempt });
    let (conclusion, panicked) = work(&unit, attempt, fixture, &mut time);
    let ended_at = fixture.time_of_day();
    let end = conclusion.end(ended_at);
    let verdict = match time.measure(|| shared.records().end(attempt, &end)) {
        Ok(()) => shown(attempt, end, &conclusion.to_do),
        Err(error) => not_recorded(attempt, end, error),
    };
    Done {
        verdict: UnitVerdict {
            records_seconds: time.0.as_secs_f64(),
            ..verdict
        },
        panicked,
    }
}

fn begin(unit: &Unit<'_>, fixture: &dyn Fixture) -> Begin {
    let Shared { job, options, .. } = unit.shared;
    Begin {
        station: options.station.clone(),
        site: unit.site.to_owned(),
        operator: options.operator.clone(),
        probe: fixture.probe(),
        job: job.file.name.clone(),
        job_sha256: job.sha256.to_string(),
        images_sha256: job.images_sha256(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        barcode: unit.barcode.clone(),
        begun_at: fixture.time_of_day(),
        rehearsal: options.rehearsal,
    }
}

/// What lies between the record of the begin and that of the end.
fn work(
    unit: &Unit<'_>,
    attempt: AttemptId,
    fixture: &mut dyn Fixture,
    time: &mut RecordsTime,
) -> (Conclusion, Option<String>) {
    let job = unit.shared.job;
    if let Err(problem) = job.still_the_same() {
        return (Conclusion::of_problem(&problem), None);
    }
    let bench = match fixture.bench() {
        Ok(bench) => bench,
        Err(problem) => return (Conclusion::of_problem(&problem), None),
    };
    let now = || fixture.time_of_day();
    let mut image = StationUnit::new(unit, attempt, &now, time);
    let mut watcher = Watcher::new(unit.shared, unit.tell, &now);
    let flashed = catch_unwind(AssertUnwindSafe(|| {
        job::flash_unit(&job.job(), &job.request, &mut image, &bench, &mut watcher)
    }));
    let known = image.known();
    match flashed {
        Ok(Outcome { record, problem }) => (
            Conclusion::of_outcome(&record, problem.as_ref(), known),
            None,
        ),
        Err(panic) => {
            let why = panic_words(&*panic);
            let problem = Problem::new(
                "site-panicked",
                ExitCode::Internal,
                "the job broke off by a fault of this program",
            )
            .because(why.clone());
            (Conclusion::of_problem(&problem).with(known), Some(why))
        }
    }
}

/// What somebody said when a thread died.
pub fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".to_owned())
}

/// The board was not touched.
fn not_begun(error: RecordsError, time: RecordsTime) -> Done {
    let problem = Problem::from(error);
    Done {
        verdict: UnitVerdict {
            attempt: None,
            records_seconds: time.0.as_secs_f64(),
            ..record_missing(&problem, "the board was not touched")
        },
        panicked: None,
    }
}

/// Whatever the board holds now, nobody could prove it later: it has not passed.
fn not_recorded(attempt: AttemptId, end: End, error: RecordsError) -> UnitVerdict {
    let problem = Problem::from(error);
    let otherwise = match end.verdict {
        VerdictKind::Pass => "all else went well".to_owned(),
        _ => end.text,
    };
    UnitVerdict {
        attempt: Some(attempt),
        uid: end.uid,
        serial: end.serial,
        ..record_missing(&problem, &otherwise)
    }
}

fn record_missing(problem: &Problem, otherwise: &str) -> UnitVerdict {
    let why = problem.why.as_ref().map(|why| format!(": {why}"));
    let what = &problem.what;
    UnitVerdict {
        attempt: None,
        verdict: VerdictKind::Fail,
        exit: ExitCode::RecordNotWritten.number(),
        code: Some(problem.code.to_owned()),
        text: format!(
            "not on record: {what}{} ({otherwise})",
            why.unwrap_or_default()
        ),
        to_do: to_do(problem),
        uid: None,
        serial: None,
        cycle_seconds: 0.0,
        over_budget: false,
        records_seconds: 0.0,
    }
}

fn shown(attempt: AttemptId, end: End, to_do: &str) -> UnitVerdict {
    UnitVerdict {
        attempt: Some(attempt),
        verdict: end.verdict,
        exit: end.exit,
        code: end.code,
        text: end.text,
        to_do: to_do.to_owned(),
        uid: end.uid,
        serial: end.serial,
        cycle_seconds: 0.0,
        over_budget: false,
        records_seconds: 0.0,
    }
}

/// Time of day at a site.
pub type Now<'n> = &'n dyn Fn() -> Timestamp;
