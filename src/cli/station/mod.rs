//! `rtflash station`: boards in, verdicts out, every unit on record.

mod input;
#[cfg(feature = "virtual-board")]
mod rehearse;
mod shown;
mod signals;
mod warnings;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use clap::Args;

use super::records_place::RecordsPlace;
#[cfg(feature = "virtual-board")]
use super::rehearsal::RehearsalArgs;
use crate::clock::HostCalendar;
use crate::problem::{ExitCode, Place, Problem};
use crate::records::{self, Records};
use crate::station::{
    Command, Fixture, Hook, LoadedJob, Options, ProbeSite, SiteMap, Station, Tally, TrustedKey,
    view,
};
use shown::Shown;

/// Exit codes of `station`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 ended as asked (verdicts are in the records); 1 a site died of a fault of
this program; 2 usage; 13 the job or a file of it is unreadable, not pinned, not signed
or altered; 20 its image would not boot or does not fit; 21 none of the sites' probes is
connected; 23 the records cannot be opened; with --virtual 1 too where a verdict
disagrees with the truth, 0 where it was broken off and all verdicts until then agree.
`rtflash --help` lists them all.";

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
        return rehearse::run(args, &job, sites);
    }
    let map = args.map()?;
    let options = args.options(Some(&map), false)?;
    warnings::look_for_probes(&map)?;
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
    warnings::tell_of(&recovered);
    let options = Options {
        interrupted: u32::try_from(recovered.interrupted.len()).unwrap_or(u32::MAX),
        ..options
    };
    let shown = args.shown();
    signals::watch(commands.clone(), shown)?;
    if shown != Shown::View {
        input::listen(commands.clone());
    }
    let (told, events) = mpsc::channel();
    let ended = while_shown(
        &commands,
        || Station::run(job, sites, records, options, inbox, told),
        || shown::show(shown, job, &events, &commands),
    );
    // a station that died has left no site in service
    Ok(ended.unwrap_or(Tally {
        out_of_service: 1,
        ..Tally::default()
    }))
}

/// Runs the station while somebody shows it.
fn while_shown<T: Send>(
    commands: &Sender<Command>,
    station: impl FnOnce() -> T + Send,
    show: impl FnOnce(),
) -> thread::Result<T> {
    thread::scope(|scope| {
        let station = scope.spawn(station);
        let _end = EndIfUnseen(commands);
        show();
        station.join()
    })
}

/// Where what shows the station dies of a fault of this program, nobody could end the station any more: it is told to, and
/// the boards under way are done.
struct EndIfUnseen<'c>(&'c Sender<Command>);

impl Drop for EndIfUnseen<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Command::Quit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_view_that_dies_ends_the_station_and_not_the_program_only() {
        let (commands, inbox) = mpsc::channel();
        let (ended, heard) = mpsc::channel();
        let shown = AssertUnwindSafe(|| {
            let station = move || {
                let _ = ended.send(inbox.recv_timeout(PATIENCE));
            };
            while_shown(&commands, station, || panic!("the view broke"))
        });
        assert!(catch_unwind(shown).is_err(), "the fault is not hidden");
        assert_eq!(heard.recv(), Ok(Ok(Command::Quit)));
    }

    #[test]
    fn a_station_that_was_shown_to_its_end_is_asked_for_nothing() {
        let (commands, inbox) = mpsc::channel();
        let ended = while_shown(&commands, || 7, || ());
        assert_eq!(ended.ok(), Some(7));
        drop(commands);
        assert!(inbox.recv().is_err());
    }
}
