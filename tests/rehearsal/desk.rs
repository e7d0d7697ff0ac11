//! A job with a small image, and rehearsals of it over the whole station.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};

use rtflash::clock::HostCalendar;
use rtflash::image::FileHash;
use rtflash::records::{Filter, Place, Records, open_to_read};
use rtflash::station::rehearsal::{Findings, LabelledFixture, Pace, Plan, Rehearsal, Script, text};
use rtflash::station::{Command, Event, LoadedJob, Options, Station};
use tempfile::TempDir;

/// Where the application begins: vector table and reset handler.
const APPLICATION: u32 = 0x6000_2000;
/// Bytes of the image besides them.
const PAYLOAD: u32 = 0x6000_3000;
const PAYLOAD_BYTES: usize = 0x1400;

/// What is different on every unit: everything that the ledger must know to make a unit's bytes again.
const UNIT_DATA: &str = r#"
[[series]]
name = "sn"
first = 1
last = 9999

[[data]]
name = "serial"
address = 0x60003010
serial = { series = "sn", format = "decimal", width = 6 }

[[data]]
name = "made-at"
address = 0x60003020
timestamp = { form = "unix-32" }

[[data]]
name = "uid"
address = 0x60003030
unique_id = {}

[[data]]
name = "crc"
address = 0x600043FC
crc = { algorithm = "CRC-32/ISO-HDLC", start = 0x60003000, end = 0x600043FC }
"#;

/// A directory with a job in it.
pub struct Desk {
    directory: TempDir,
    job: LoadedJob,
}

/// What came of a rehearsal.
pub struct Rehearsed {
    pub findings: Findings,
    pub events: Vec<Event>,
}

impl Desk {
    /// A job for the boards of these tests, with more lines of its own.
    pub fn new(more: &str) -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let image = hex();
        fs::write(directory.path().join("app.hex"), &image).expect("image");
        let sha256 = FileHash::of(image.as_bytes());
        let path = directory.path().join("job.toml");
        let text = format!(
            "version = 1\nname = \"blinky\"\n{more}\n[target]\nchip = \"mimxrt1062\"\nflash = \"is25wp064\"\n\
             board = \"qspi\"\n[[image]]\nfile = \"app.hex\"\nsha256 = \"{sha256}\"\n{UNIT_DATA}"
        );
        fs::write(&path, text).expect("job file");
        let job = LoadedJob::load(&path, None).expect("job");
        Desk { directory, job }
    }

    /// The job file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("job.toml")
    }

    /// What it says.
    pub fn job(&self) -> &LoadedJob {
        &self.job
    }

    /// So many sites, and operators as quick as by default.
    pub fn plan(&self, sites: usize, script: Script) -> Plan {
        Plan {
            sites,
            script,
            seed: 1,
            pace: Pace::default(),
            speed: None,
            barcodes: None,
            directory: self.directory.path().join("saved"),
        }
    }

    /// Runs it over the real station, with records of its own.
    pub fn rehearse(&self, plan: Plan) -> Rehearsed {
        self.rehearse_at(plan, |sites, _| sites)
    }

    /// Runs it at sites that are not quite what a rehearsal makes them.
    pub fn rehearse_at(
        &self,
        plan: Plan,
        change: impl FnOnce(Vec<LabelledFixture>, &Sender<Command>) -> Vec<LabelledFixture>,
    ) -> Rehearsed {
        let job = &self.job;
        let records = tempfile::tempdir().expect("directory");
        let place = Place::Directory(PathBuf::from(records.path()));
        let rehearsal = Rehearsal::new(job, plan).expect("rehearsal");
        let (commands, inbox) = mpsc::channel();
        let (events, told) = mpsc::channel();
        let began = jiff::Timestamp::UNIX_EPOCH;
        let sites = rehearsal.sites(job, &commands, began).expect("sites");
        let sites = change(sites, &commands);
        let calendar = Box::new(HostCalendar);
        let (open, _) = Records::open(&place, "rehearsal", true, calendar).expect("records");
        let options = Options {
            station: "rehearsal".to_owned(),
            operator: None,
            rehearsal: true,
            hook: None,
            units: None,
            interrupted: 0,
        };
        Station::run(job, sites, open, options, inbox, events);
        let mut ledger = open_to_read(&place).expect("ledger");
        let attempts = ledger.attempts(&Filter::default()).expect("attempts");
        Rehearsed {
            findings: rehearsal.findings(job, attempts, false),
            events: told.iter().collect(),
        }
    }
}

impl Rehearsed {
    /// Every verdict agrees with the truth.
    #[track_caller]
    pub fn agrees(self) -> Self {
        assert!(
            self.findings.agrees(),
            "{}\n{}",
            text(&self.findings),
            self.lines()
        );
        self
    }

    /// What was told, one line for each event.
    pub fn lines(&self) -> String {
        let lines = self.events.iter().map(|event| {
            let site = event.site.as_deref().unwrap_or("-");
            format!("{} site {site}: {:?}\n", event.at, event.what)
        });
        lines.filter(|line| !line.contains(": Progress")).collect()
    }
}

/// An application that idles without costing the emulator anything, and bytes without a pattern.
fn hex() -> String {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000_u32];
    words.resize(16, handler | 1);
    let mut application: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    // yield; b .-2
    application.extend(
        [0xBF10_u16, 0xE7FD]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    let mut x = 1_u32;
    let payload: Vec<u8> = (0..PAYLOAD_BYTES)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        })
        .collect();
    let mut records = Vec::new();
    for (start, bytes) in [(APPLICATION, application), (PAYLOAD, payload)] {
        for (at, value) in (start..).step_by(16).zip(bytes.chunks(16)) {
            records.push(ihex::Record::ExtendedLinearAddress((at >> 16) as u16));
            records.push(ihex::Record::Data {
                offset: at as u16,
                value: value.to_vec(),
            });
        }
    }
    records.push(ihex::Record::EndOfFile);
    ihex::create_object_file_representation(&records).expect("hex")
}
