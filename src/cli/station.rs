//! `rtflash station`: boards in, verdicts out, every unit on record.

use std::fs;
use std::io::{self, Write};
#[cfg(feature = "virtual-board")]
use std::path::Path;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use clap::Args;
use jiff::tz::TimeZone;

use super::records_place::RecordsPlace;
#[cfg(feature = "virtual-board")]
use super::rehearsal::{RehearsalArgs, Stage};
use super::{WARNING, complain, print, print_aside};
use crate::clock::HostCalendar;
use crate::link::{self, ProbePlace};
use crate::problem::{ExitCode, Place, Problem};
use crate::records::{self, Records, Recovered};
#[cfg(feature = "virtual-board")]
use crate::records::{Filter, open_to_read};
#[cfg(feature = "virtual-board")]
use crate::station::rehearsal;
use crate::station::{
    Command, Event, Fixture, Hook, JobStart, LoadedJob, Options, ProbeSite, SiteEntry, SiteMap,
    Station, Tally, TrustedKey, What, view,
};

/// Exit codes of `station`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 ended as asked (verdicts are in the records); 1 a site died of a fault of
this program; 2 usage; 13 the job or a file of it is unreadable, not pinned, not signed
or altered; 20 its image would not boot or does not fit; 21 none of the sites' probes is
connected; 23 the records cannot be opened; with --virtual 1 too where a verdict
disagrees with the truth. `rtflash --help` lists them all.";

/// The station's label where none is given.
const STATION: &str = "station";

/// Arguments of `station`.
#[derive(Debug, Args)]
pub struct StationArgs {
    /// The job file
    #[arg(value_name = "JOB")]
    job: PathBuf,
    /// The site map, a TOML file: station, operator, and for each [[site]] a label, its probe ("VID:PID:serial") or usb
    /// port ("1-4.2"), and seat = "debug-port" where VTref tells nothing
    #[arg(long, value_name = "FILE")]
    sites: Option<PathBuf>,
    /// A site and its probe, in place of a site map: LABEL=VID:PID:serial or LABEL=usb:1-4.2; once for each site
    #[arg(long, value_name = "LABEL=PROBE", conflicts_with = "sites")]
    site: Vec<String>,
    /// The station's label, unique among those that share records [default: the site map's, or `station`]
    #[arg(long, value_name = "LABEL")]
    station: Option<String>,
    /// Who operates it, for the records
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    #[command(flatten)]
    records: RecordsPlace,
    /// The station's own journal, where the records are on a server
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Run a job only that was signed with this key: a public key, or the file that holds it
    #[arg(long, value_name = "KEY")]
    trust: Option<String>,
    /// Gets each record as JSON on its standard input after the verdict, 30 s at most: a program and its arguments between
    /// spaces (no shell), or a JSON array of strings
    #[arg(long, value_name = "COMMAND")]
    hook: Option<String>,
    /// End after so many attempts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    units: Option<u32>,
    /// One JSON object for each event, as docs/station-event.schema.json describes
    #[arg(long)]
    json: bool,
    /// One plain line for each event, also on a terminal
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    #[cfg(feature = "virtual-board")]
    #[command(flatten)]
    rehearsal: RehearsalArgs,
}

/// Who sees the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    View,
    Lines,
    Json,
}

impl StationArgs {
    fn shown(&self) -> Shown {
        match (self.json, self.plain) {
            (true, _) => Shown::Json,
            (false, false) if view::is_possible() => Shown::View,
            (false, _) => Shown::Lines,
        }
    }

    fn map(&self) -> Result<SiteMap, Problem> {
        let Some(path) = &self.sites else {
            return SiteMap::of_options(&self.site);
        };
        let text = fs::read_to_string(path).map_err(|error| {
            Problem::new("site-map", ExitCode::Usage, "the site map cannot be read")
                .at(Place::in_file(path, None))
                .because(error.to_string())
                .fix("correct the name behind --sites")
        })?;
        SiteMap::parse(&text).map_err(|problem| problem.at(Place::in_file(path, None)))
    }

    fn options(&self, map: Option<&SiteMap>, rehearsal: bool) -> Result<Options, Problem> {
        let of_map = |label: fn(&SiteMap) -> Option<String>| map.and_then(label);
        let station = self
            .station
            .clone()
            .or_else(|| of_map(|map| map.station.clone()));
        let operator = self
            .operator
            .clone()
            .or_else(|| of_map(|map| map.operator.clone()));
        Ok(Options {
            station: station.unwrap_or_else(|| STATION.to_owned()),
            operator,
            rehearsal,
            hook: self.hook.as_deref().map(str::parse::<Hook>).transpose()?,
            units: self.units,
            interrupted: 0,
        })
    }
}

/// Runs it until it is asked to end.
///
/// # Errors
/// What keeps the station from starting: job, sites, probes, records.
pub fn run(args: &StationArgs) -> Result<u8, Problem> {
    let trusted = args.trust.as_deref().map(TrustedKey::named).transpose()?;
    let job = LoadedJob::load(&args.job, trusted.as_ref())?;
    #[cfg(feature = "virtual-board")]
    if let Some(sites) = args.rehearsal.sites()? {
        return rehearse(args, &job, sites);
    }
    let map = args.map()?;
    let options = args.options(Some(&map), false)?;
    look_for_probes(&map)?;
    let sites = map.sites.iter().map(|entry| {
        let site: Box<dyn Fixture> = Box::new(ProbeSite::new(entry, &job));
        (entry.label.clone(), site)
    });
    let place = args.records.place(args.journal.as_deref())?;
    let (commands, inbox) = mpsc::channel();
    let tally = open_and_work(
        args,
        &job,
        sites.collect(),
        &place,
        options,
        commands,
        inbox,
    )?;
    Ok(exit_code(tally))
}

fn exit_code(tally: Tally) -> u8 {
    match tally.out_of_service {
        0 => ExitCode::Proven.number(),
        _ => ExitCode::Internal.number(),
    }
}

/// Names every probe that belongs to no site: it is not used. A site whose probe is missing waits for it.
fn look_for_probes(map: &SiteMap) -> Result<(), Problem> {
    let listed = link::list();
    let strangers = map.strangers(&listed);
    for stranger in &strangers {
        let problem = Problem::new(
            "probe-of-no-site",
            ExitCode::NoProbe,
            format!("the probe {stranger} belongs to no site and is not used"),
        );
        complain(&problem, WARNING);
    }
    let is_there = |site: &SiteEntry| match &site.place {
        ProbePlace::Named(selector) => link::is_there(selector),
        ProbePlace::Port(_) => false,
    };
    if strangers.len() < listed.len() || map.sites.iter().any(is_there) {
        return Ok(());
    }
    Err(Problem::new(
        "probe-not-found",
        ExitCode::NoProbe,
        "none of the sites' probes is connected",
    )
    .fix("connect them, or correct the site map: `rtflash probes` lists what is connected"))
}

/// Opens the records and runs the station over them.
fn open_and_work(
    args: &StationArgs,
    job: &LoadedJob,
    sites: Vec<(String, Box<dyn Fixture>)>,
    place: &records::Place,
    options: Options,
    commands: Sender<Command>,
    inbox: Receiver<Command>,
) -> Result<Tally, Problem> {
    let calendar = Box::new(HostCalendar);
    let (records, recovered) = Records::open(place, &options.station, options.rehearsal, calendar)?;
    tell_of(&recovered);
    let options = Options {
        interrupted: u32::try_from(recovered.interrupted.len()).unwrap_or(u32::MAX),
        ..options
    };
    let shown = args.shown();
    watch_signals(commands.clone(), shown)?;
    if shown != Shown::View {
        listen(commands.clone());
    }
    let (told, events) = mpsc::channel();
    Ok(thread::scope(|scope| {
        let station = scope.spawn(|| Station::run(job, sites, records, options, inbox, told));
        show(shown, job, &events, &commands);
        // a station that died has left no site in service
        station.join().unwrap_or(Tally {
            out_of_service: 1,
            ..Tally::default()
        })
    }))
}

/// What an earlier run has left is settled; who looks after the records should know.
fn tell_of(recovered: &Recovered) {
    let warn = |code, what: String| {
        complain(
            &Problem::new(code, ExitCode::RecordNotWritten, what),
            WARNING,
        );
    };
    if let Some(bytes) = recovered.torn {
        warn(
            "journal-torn",
            format!(
                "the journal's last {bytes} bytes were cut off while they were written; they stay in it"
            ),
        );
    }
    if let withdrawn @ 1.. = recovered.withdrawn.len() {
        warn(
            "journal-withdrawn",
            format!(
                "{withdrawn} line(s) of the journal never came into the ledger, and are withdrawn"
            ),
        );
    }
    if let missing @ 1.. = recovered.missing.len() {
        warn(
            "journal-missing",
            format!(
                "the journal lacks {missing} attempt(s) that the ledger has: `rtflash records verify` names them"
            ),
        );
    }
    if recovered.clock_stepped_back {
        warn(
            "clock-stepped-back",
            "this computer's clock shows less than at the journal's last line".to_owned(),
        );
    }
}

fn show(shown: Shown, job: &LoadedJob, events: &Receiver<Event>, commands: &Sender<Command>) {
    if shown == Shown::View {
        let settings = view::Settings::of_environment(job.file.unit.start == JobStart::Barcode);
        if let Err(error) = view::run(events, commands, &settings) {
            print_aside(&format!("the terminal is lost: {error}"));
        }
    }
    // what the view has not shown, or all of it
    let zone = TimeZone::system();
    for event in events {
        match shown {
            Shown::Json => print_json(&event),
            Shown::View | Shown::Lines => print_line(&event, &zone),
        }
    }
}

fn print_json(event: &Event) {
    if matches!(event.what, What::Progress { .. }) {
        return;
    }
    // plain data, which has no way to fail
    print(&serde_json::to_string(event).unwrap_or_default());
}

fn print_line(event: &Event, zone: &TimeZone) {
    let Some(words) = event.what.words() else {
        return;
    };
    let time = event
        .at
        .to_zoned(zone.clone())
        .strftime("%H:%M:%S")
        .to_string();
    let site = event.site.as_deref().unwrap_or("-");
    print(&format!("{time}  {site:<8}{words}"));
}

/// Once, and boards in work are done first; twice, and they end where they can be left safely; three times, and the program
/// ends at once.
fn watch_signals(commands: Sender<Command>, shown: Shown) -> Result<(), Problem> {
    let asked = AtomicU32::new(0);
    let handler = move || {
        let (command, words) = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => (
                Command::Quit,
                "ending when the boards in work are done (Ctrl-C again: they are cancelled)",
            ),
            1 => (
                Command::Cancel,
                "ending where the boards can be left safely (Ctrl-C again: at once)",
            ),
            _ => {
                view::leave();
                process::exit(ExitCode::Cancelled.number().into());
            }
        };
        let _ = commands.send(command);
        if shown != Shown::View {
            let _ = writeln!(io::stderr(), "{words}");
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Problem::new("signals", ExitCode::Internal, error.to_string()))
}

/// Takes keys and codes as lines: `start SITE`, `ack` or `ack SITE`, `quit`; every other line is a scanned code, as barcode
/// scanners type them. The end of the input ends nothing.
fn listen(commands: Sender<Command>) {
    thread::spawn(move || {
        for line in io::stdin().lines() {
            let Ok(line) = line else { return };
            let Some(command) = command(&line) else {
                continue;
            };
            if commands.send(command).is_err() {
                return;
            }
        }
    });
}

/// What a typed line asks for; none for an empty one.
fn command(line: &str) -> Option<Command> {
    let line = line.trim();
    let mut words = line.split_whitespace();
    let command = match (words.next()?, words.next(), words.next()) {
        ("start", Some(site), None) => Command::Start {
            site: site.to_owned(),
        },
        ("ack", site, None) => Command::Acknowledge {
            site: site.map(str::to_owned),
        },
        ("quit", None, None) => Command::Quit,
        _ => Command::Code {
            site: None,
            code: line.to_owned(),
        },
    };
    Some(command)
}

#[cfg(feature = "virtual-board")]
fn rehearse(args: &StationArgs, job: &LoadedJob, sites: usize) -> Result<u8, Problem> {
    let stage = Stage::new()?;
    if let Some(measured) = args.rehearsal.measured(job, sites, &stage)? {
        print(measured.text().trim_end());
        return Ok(measured.exit().number());
    }
    let is_watched = args.shown() == Shown::View;
    let rehearsal = args.rehearsal.rehearsal(job, sites, &stage, is_watched)?;
    let options = args.options(None, true)?;
    let place = args.rehearsed_records(stage.records())?;
    print_aside(&format!("records of this rehearsal: {place}"));
    // attempts of an earlier rehearsal over the same records are no matter of this one
    let of_station = Filter {
        station: Some(options.station.clone()),
        ..Filter::default()
    };
    let earlier = open_to_read(&place).and_then(|mut ledger| ledger.attempts(&of_station));
    let last_before = earlier
        .ok()
        .and_then(|earlier| earlier.last().map(|attempt| attempt.id));
    let (commands, inbox) = mpsc::channel();
    let fixtures = rehearsal.sites(job, &commands, crate::clock::Calendar::now(&HostCalendar))?;
    let tally = open_and_work(args, job, fixtures, &place, options, commands, inbox)?;
    let mut attempts = open_to_read(&place)?.attempts(&of_station)?;
    attempts.retain(|attempt| Some(attempt.id) > last_before);
    let findings = rehearsal.findings(job, attempts);
    let text = rehearsal::text(&findings);
    if args.json {
        print_aside(text.trim_end());
    } else {
        print(text.trim_end());
    }
    Ok(match (findings.agrees(), exit_code(tally)) {
        (true, code) => code,
        // a verdict that disagrees with the truth is a fault of this program
        (false, _) => ExitCode::Internal.number(),
    })
}

#[cfg(feature = "virtual-board")]
impl StationArgs {
    /// Of a rehearsal: in its own directory, unless `--records` names one; never where the line's are.
    fn rehearsed_records(&self, stage: &Path) -> Result<records::Place, Problem> {
        match self.records.is_typed() {
            true => self.records.place(self.journal.as_deref()),
            false => records::Place::parse(&stage.display().to_string(), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_is_a_command_or_a_code() {
        let code = |code: &str| {
            Some(Command::Code {
                site: None,
                code: code.to_owned(),
            })
        };
        let site = || "A".to_owned();
        assert_eq!(command("start A"), Some(Command::Start { site: site() }));
        assert_eq!(
            command(" ack A "),
            Some(Command::Acknowledge { site: Some(site()) })
        );
        assert_eq!(command("ack"), Some(Command::Acknowledge { site: None }));
        assert_eq!(command("quit"), Some(Command::Quit));
        assert_eq!(command("SN0001\r"), code("SN0001"));
        assert_eq!(command("quit now"), code("quit now"));
        assert_eq!(command("  "), None);
    }
}
