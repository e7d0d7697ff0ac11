//! A station with sites that are worked by hand, its job, its records, and everything it has told.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rtflash::clock::HostCalendar;
use rtflash::job::FileHash;
use rtflash::link::VirtualBench;
use rtflash::records::{Attempt, Filter, Place, Records, open_to_read};
use rtflash::station::{
    Command, Event, Fixture, LoadedJob, Options, Station, Tally, UnitVerdict, What,
};
use tempfile::TempDir;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

use crate::apps;
use crate::hand::{Hand, Step};
use crate::images::{APPLICATION, intel_hex};

/// Longest that a test waits for an event, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Name of the image's file.
const IMAGE: &str = "app.hex";
/// So many looks, and a site knows whether it is empty.
const LOOKS: u32 = 4;
/// Label of the station.
const STATION: &str = "bench";

/// An application that sleeps: the emulator is done with it at once.
fn application() -> Vec<u8> {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut bytes: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    bytes.extend(apps::idles().bytes());
    bytes
}

/// A board with a chip of its own.
pub fn config(uid: u32) -> BoardConfig {
    let mut config = BoardConfig::new(Part::builtin("is25wp064").expect("part"));
    config.fuses.set_unique_id([uid, 0x0123_4567]);
    config
}

/// The same, powered.
pub fn board(uid: u32) -> VirtualBench {
    start(config(uid))
}

/// A powered board.
pub fn start(config: BoardConfig) -> VirtualBench {
    VirtualBench::start(config).expect("virtual board")
}

/// The flash array of a board.
pub fn flash_content(board: &VirtualBench) -> Vec<u8> {
    let content = board
        .board()
        .with(|b| b.chip.system.borrow_mut().nor.content().to_vec());
    content.expect("board")
}

/// Whether nothing was ever written to a board that was blank.
pub fn is_untouched(board: &VirtualBench) -> bool {
    flash_content(board).iter().all(|byte| *byte == 0xFF)
}

/// A station in a folder of its own.
pub struct Floor {
    running: Running,
    /// The job, its image, and the records.
    pub folder: TempDir,
    /// The operator's hands, one for each site: A, B, …
    pub hands: Vec<Hand>,
    /// What was told so far.
    pub seen: Vec<Event>,
    events: Receiver<Event>,
}

/// A station that ends with its test, and before its folder.
struct Running {
    commands: Sender<Command>,
    thread: Option<JoinHandle<Tally>>,
}

impl Running {
    fn quit(&mut self) -> Option<Tally> {
        let _ = self.commands.send(Command::Quit);
        let tally = self.thread.take().map(JoinHandle::join);
        tally.map(|tally| tally.expect("a station that ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.quit();
        }
    }
}

/// How a test's station differs from the plainest one.
#[derive(Default)]
pub struct Setup {
    /// Lines below `[unit]` in the job.
    pub unit: &'static str,
    /// Further tables of the job.
    pub tables: &'static str,
    /// `--hook`.
    pub hook: Option<String>,
    /// `--units`.
    pub units: Option<u32>,
}

impl Floor {
    /// A station with so many sites.
    pub fn open(sites: usize, setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        Floor::open_in(folder, &vec![None; sites], setup)
    }

    /// The same in a folder with the records that an earlier one has left, and with boards in its sites.
    pub fn open_in(folder: TempDir, boards: &[Option<VirtualBench>], setup: Setup) -> Self {
        let image = intel_hex(&[(APPLICATION, application())]);
        std::fs::write(folder.path().join(IMAGE), &image).expect("image");
        let text = format!(
            "version = 1\nname = \"demo\"\n[target]\nchip = \"mimxrt1062\"\nflash = \"is25wp064\"\nboard = \"qspi\"\n\
             [[image]]\nfile = \"{IMAGE}\"\nsha256 = \"{}\"\n[unit]\n{}\n{}",
            FileHash::of(image.as_bytes()),
            setup.unit,
            setup.tables
        );
        let path = folder.path().join("job.toml");
        std::fs::write(&path, text).expect("job");
        let job = LoadedJob::load(&path, None).expect("a sound job");
        let place = Place::Directory(folder.path().join("records"));
        let (records, recovered) =
            Records::open(&place, STATION, true, Box::new(HostCalendar)).expect("records");
        let hands: Vec<Hand> = boards.iter().map(|_| Hand::default()).collect();
        for (hand, board) in hands.iter().zip(boards.iter()) {
            board.iter().for_each(|board| hand.insert(board));
        }
        let labels = ('A'..).map(String::from);
        let fixtures: Vec<(String, Box<dyn Fixture>)> =
            labels.zip(hands.iter().map(Hand::fixture)).collect();
        let options = Options {
            station: STATION.to_owned(),
            operator: Some("anna".to_owned()),
            rehearsal: true,
            hook: setup.hook.map(|hook| hook.parse().expect("hook")),
            units: setup.units,
            interrupted: recovered.interrupted.len() as u32,
        };
        let (commands, for_station) = mpsc::channel();
        let (told, events) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            Station::run(&job, fixtures, records, options, for_station, told)
        });
        let mut floor = Floor {
            running: Running {
                commands,
                thread: Some(thread),
            },
            folder,
            hands,
            seen: Vec::new(),
            events,
        };
        floor.until(|event| matches!(event.what, What::StationStarted { .. }));
        // a board that comes before its site was seen empty is not taken for inserted
        while floor.hands.iter().any(|hand| hand.looks() < LOOKS) {
            std::thread::sleep(Duration::from_millis(1));
        }
        floor
    }

    /// Where the image is.
    pub fn image(&self) -> PathBuf {
        self.folder.path().join(IMAGE)
    }

    /// Waits for an event.
    pub fn until(&mut self, is_it: impl Fn(&Event) -> bool) -> Event {
        loop {
            let Ok(event) = self.events.recv_timeout(PATIENCE) else {
                panic!("nothing more was told after\n{}", self.log());
            };
            self.seen.push(event.clone());
            if is_it(&event) {
                return event;
            }
        }
    }

    /// Waits for something at a site.
    pub fn until_at(&mut self, site: &str, is_it: impl Fn(&What) -> bool) -> What {
        self.until(|event| event.site.as_deref() == Some(site) && is_it(&event.what))
            .what
    }

    /// Waits for the next verdict at a site, unless it has come since `since` events.
    pub fn verdict(&mut self, site: &str) -> UnitVerdict {
        let what = self.until_at(site, |what| matches!(what, What::Verdict(_)));
        match what {
            What::Verdict(verdict) => *verdict,
            _ => unreachable!("a verdict"),
        }
    }

    /// Puts a board in and waits for its verdict.
    pub fn work(&mut self, site: &str, board: &VirtualBench) -> UnitVerdict {
        self.hand(site).insert(board);
        self.verdict(site)
    }

    /// Puts a board in, and lets its job go on until its unit is on record; there it waits until the test has dropped what
    /// it got.
    pub fn hold_where_known(&mut self, site: &str, board: &VirtualBench) -> Receiver<()> {
        self.hold_where(site, board, |attempt| attempt.claimed.is_some())
    }

    /// The same, until its attempt is so on record.
    pub fn hold_where(
        &mut self,
        site: &str,
        board: &VirtualBench,
        is_so: impl Fn(&Attempt) -> bool,
    ) -> Receiver<()> {
        let hand = self.hand(site);
        let work = hand.hold(Step::Work);
        hand.insert(board);
        let begun = self.until_at(site, |what| matches!(what, What::Begun { .. }));
        let time = hand.hold(Step::Time);
        drop(work);
        let is_there = |attempt: &Attempt| {
            let id = attempt.id;
            What::Begun { attempt: id } == begun && is_so(attempt)
        };
        while !self.attempts().iter().any(is_there) {
            time.recv().expect("a job that goes on");
        }
        time
    }

    /// Takes the board out and waits until the station has seen that.
    pub fn clear(&mut self, site: &str) {
        self.hand(site).remove();
        self.until_at(site, |what| *what == What::BoardRemoved);
    }

    /// The operator's hand at a site.
    pub fn hand(&self, site: &str) -> Hand {
        let number = site.bytes().next().expect("a label") - b'A';
        self.hands[usize::from(number)].clone()
    }

    /// Asks the station for something.
    pub fn command(&self, command: Command) {
        self.running.commands.send(command).expect("a station");
    }

    /// The key of a site.
    pub fn key(&self, site: &str) {
        self.command(Command::Start {
            site: site.to_owned(),
        });
    }

    /// The operator has seen the verdict at a site.
    pub fn acknowledge(&self, site: &str) {
        self.command(Command::Acknowledge {
            site: Some(site.to_owned()),
        });
    }

    /// A code was scanned.
    pub fn scan(&self, code: &str) {
        self.command(Command::Code {
            site: None,
            code: code.to_owned(),
        });
    }

    /// Waits until the station has passed on to its sites what it was asked for, where no verdict waits to be seen.
    pub fn has_obeyed(&mut self) {
        self.command(Command::Acknowledge { site: None });
        assert_eq!(self.not_taken(), "there is nothing to acknowledge");
    }

    /// Why the next thing that was asked for is not done.
    pub fn not_taken(&mut self) -> String {
        let event = self.until(|event| matches!(event.what, What::NotTaken { .. }));
        match event.what {
            What::NotTaken { why } => why,
            _ => unreachable!("a reason"),
        }
    }

    /// Ends the station; gives what it has done and all attempts on record.
    pub fn quit(mut self) -> (Tally, Vec<Attempt>, Self) {
        let tally = self.running.quit().expect("a station");
        self.until(|event| matches!(event.what, What::StationEnded { .. }));
        let attempts = self.attempts();
        (tally, attempts, self)
    }

    /// All attempts on record.
    pub fn attempts(&self) -> Vec<Attempt> {
        let place = Place::Directory(self.folder.path().join("records"));
        let mut ledger = open_to_read(&place).expect("ledger");
        ledger.attempts(&Filter::default()).expect("attempts")
    }

    /// What was told, a line each.
    pub fn log(&self) -> String {
        self.seen.iter().fold(String::new(), |mut text, event| {
            let _ = writeln!(text, "{:?} {:?}", event.site, event.what);
            text
        })
    }
}
