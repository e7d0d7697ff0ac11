//! The station with virtual boards in place of real ones, and what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::super::rehearsal::Stage;
use super::super::{print, print_aside};
use super::shown::Shown;
use super::{StationArgs, exit_code, open_and_work};
use crate::clock::{Calendar, HostCalendar};
use crate::problem::{ExitCode, Problem};
use crate::records::{self, AttemptId, Filter, open_to_read};
use crate::station::rehearsal;
use crate::station::{Command, LoadedJob};

/// Rehearses the job at so many virtual sites, or measures them.
///
/// # Errors
/// What keeps a rehearsal or its station from starting.
pub fn run(args: &StationArgs, job: &LoadedJob, sites: usize) -> Result<u8, Problem> {
    let mut stage = Stage::new()?;
    if let Some(measured) = args.rehearsal.measured(job, sites, &stage)? {
        print(measured.text().trim_end());
        if !measured.reaches() {
            print_aside(&format!("kept of this measurement: {}", stage.keep()));
        }
        return Ok(measured.exit().number());
    }
    let is_watched = args.shown() == Shown::View;
    let rehearsal = args.rehearsal.rehearsal(job, sites, &stage, is_watched)?;
    let options = args.options(None, true)?;
    let place = place(args, &stage)?;
    print_aside(&match args.records.is_typed() {
        true => format!("records of this rehearsal: {place}"),
        false => format!(
            "records of this rehearsal, deleted when it ends well (--records DIR keeps them): {place}"
        ),
    });
    // attempts of an earlier rehearsal over the same records are no matter of this one
    let of_station = Filter {
        station: Some(options.station.clone()),
        ..Filter::default()
    };
    let earlier = open_to_read(&place).and_then(|mut ledger| ledger.attempts(&of_station));
    let last_before: Option<AttemptId> = earlier
        .ok()
        .and_then(|earlier| earlier.last().map(|attempt| attempt.id));
    let (to_station, inbox) = mpsc::channel();
    let fixtures = rehearsal.sites(job, &to_station, HostCalendar.now())?;
    let (commands, asked) = mpsc::channel();
    let was_asked = pass_on(asked, to_station);
    let tally = open_and_work(args, job, fixtures, &place, options, commands, inbox)?;
    // evidence, until all of it is found to agree
    let kept = stage.keep();
    let mut attempts = open_to_read(&place)?.attempts(&of_station)?;
    attempts.retain(|attempt| Some(attempt.id) > last_before);
    let all_begun = args
        .units
        .is_some_and(|units| attempts.len() >= units as usize);
    let was_asked = all_begun || was_asked.load(Ordering::SeqCst);
    let findings = rehearsal.findings(job, attempts, was_asked);
    let text = rehearsal::text(&findings);
    if args.json {
        print_aside(text.trim_end());
    } else {
        print(text.trim_end());
    }
    let code = match (findings.agrees(), exit_code(tally)) {
        (true, code) => code,
        // a verdict that disagrees with the truth is a fault of this program
        (false, _) => ExitCode::Internal.number(),
    };
    if code == ExitCode::Proven.number() {
        stage.clear();
    } else {
        print_aside(&format!("kept of this rehearsal: {kept}"));
    }
    Ok(code)
}

/// Passes on to the station what people ask for; whether they have asked it to end.
fn pass_on(asked: Receiver<Command>, station: Sender<Command>) -> Arc<AtomicBool> {
    let was_asked: Arc<AtomicBool> = Arc::default();
    let told = Arc::clone(&was_asked);
    thread::spawn(move || {
        for command in asked {
            if matches!(command, Command::Quit | Command::Cancel) {
                told.store(true, Ordering::SeqCst);
            }
            if station.send(command).is_err() {
                return;
            }
        }
    });
    was_asked
}

/// Of a rehearsal: in its own directory, unless `--records` names one; never where the line's are.
fn place(args: &StationArgs, stage: &Stage) -> Result<records::Place, Problem> {
    match args.records.is_typed() {
        true => args.records.place(args.journal.as_deref()),
        false => records::Place::parse(&stage.records().display().to_string(), None),
    }
}
