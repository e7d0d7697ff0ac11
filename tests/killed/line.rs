//! A line with one site: boards served by processes of their own, so that they live on when the station is killed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Where the job puts the serial number: a block of its own, well behind the image.
pub const SERIAL_OFFSET: usize = 0x1_0000;
/// ASCII digits of it.
pub const SERIAL_DIGITS: usize = 8;
/// Name of the station and of its journal.
const STATION: &str = "line";
/// Nothing on a line takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rtflash"))
}

/// A board on the seat, or in the box behind it.
pub struct Board {
    /// Its chip's unique ID.
    pub uid: String,
    /// What its flash holds whenever nobody is connected to it.
    pub file: PathBuf,
}

/// A seated board's own process.
struct Seated(Child);

impl Drop for Seated {
    fn drop(&mut self) {
        // asked to end, it first puts its flash into its file; one that has ended is as good
        let process = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &process]).status();
        let _ = self.0.wait();
    }
}

/// One site, the job, and every board that was ever on it.
pub struct Line {
    desk: TempDir,
    number: u32,
    port: u16,
    seated: Option<Seated>,
    /// The last one is on the seat.
    pub boards: Vec<Board>,
}

impl Line {
    /// An empty line with a locked job. Lines with different numbers have different boards.
    pub fn new(number: u32, more_of_job: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let line = Line {
            desk: tempfile::tempdir().expect("desk"),
            number,
            port,
            seated: None,
            boards: Vec::new(),
        };
        let image =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/blinky-xip.headerless.hex");
        fs::copy(image, line.path("app.hex")).expect("image");
        fs::write(line.path("job.toml"), job(more_of_job)).expect("job");
        let sites = format!(
            "station = \"{STATION}\"\n\n[[site]]\nlabel = \"A\"\nprobe = \"1d50:6018:127.0.0.1:{port}\"\n"
        );
        fs::write(line.path("sites.toml"), sites).expect("sites");
        line.rtflash(&["job", "lock", "job.toml"]);
        line
    }

    /// A file on the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path(&format!("records/journal-{STATION}.jsonl"))
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.path("records/ledger.sqlite")
    }

    /// Holds journal and ledger against each other. Where the station was `killed` in between, one of them may be ahead by
    /// what its next start settles.
    pub fn verify(&self, killed: bool) {
        let arguments = ["records", "verify", "--records", "records"];
        let output = self.command(&arguments).output().expect("rtflash runs");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let is_ahead =
            output.status.code() == Some(11) && stdout.contains("its next start settles it");
        assert!(output.status.success() || killed && is_ahead, "{stdout}");
    }

    /// Runs a command that must end well.
    pub fn rtflash(&self, arguments: &[&str]) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().expect("rtflash runs");
        let stdout = String::from_utf8(stdout).expect("text");
        let stderr = String::from_utf8(stderr).expect("text");
        assert!(
            status.success(),
            "rtflash {}: {status}\n{stdout}\n{stderr}",
            arguments.join(" ")
        );
        stdout
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .current_dir(self.desk.path())
            .env("RTFLASH_STATE", self.path("state"))
            .env_remove("RTFLASH_PROBE")
            .env_remove("RTFLASH_RECORDS");
        command
    }

    /// Takes the board out, and puts the next one on the seat.
    pub fn seat_next(&mut self) {
        self.seated = None;
        let unit = self.boards.len() as u32;
        self.boards.push(Board {
            uid: format!("{:08X}{:08X}", 0xB0A2_D000 + self.number, unit + 1),
            file: self.path(&format!("board-{unit}.bin")),
        });
        self.seat();
    }

    /// Takes the board out without putting another one in.
    pub fn take_out(&mut self) {
        self.seated = None;
    }

    fn seat(&mut self) {
        let board = self.boards.last().expect("a board");
        // a near probe: the core has less to run between two of its packets, and the test less to wait for
        let virtual_board = format!(
            "virtual:{}?uid={}&round-trip-us=50",
            board.file.display(),
            board.uid
        );
        let address = format!("127.0.0.1:{}", self.port);
        let mut process = program()
            .args(["board", "serve", &virtual_board, "--listen", &address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("rtflash runs");
        let mut stdout = BufReader::new(process.stdout.take().expect("stdout"));
        let mut first = String::new();
        stdout.read_line(&mut first).expect("line");
        assert!(first.starts_with("listening"), "{first}");
        // its reports have no reader, and must not stop it
        std::thread::spawn(move || for _ in stdout.lines() {});
        self.seated = Some(Seated(process));
    }

    /// Takes the board out, tells what its flash holds, and puts it in again.
    pub fn look(&mut self) -> Vec<u8> {
        self.take_out();
        let board = self.boards.last().expect("a board");
        let flash = fs::read(&board.file).expect("flash file");
        self.seat();
        flash
    }

    /// Starts the station.
    pub fn station(&self) -> Station {
        self.station_below(&[])
    }

    /// Starts the station below a command that ends by becoming what its arguments say.
    pub fn station_below(&self, shell: &[&str]) -> Station {
        let arguments = [
            "station",
            "job.toml",
            "--sites",
            "sites.toml",
            "--records",
            "records",
            "--json",
        ];
        let mut command = match shell.split_first() {
            None => self.command(&arguments),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command
                    .args(rest)
                    .arg(env!("CARGO_BIN_EXE_rtflash"))
                    .args(arguments)
                    .current_dir(self.desk.path())
                    .env("RTFLASH_STATE", self.path("state"))
                    .env_remove("RTFLASH_RECORDS");
                command
            }
        };
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rtflash runs");
        let stdout = BufReader::new(process.stdout.take().expect("stdout"));
        let mut stdin = process.stdin.take().expect("stdin");
        let (tell, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                // a line that a kill has cut is no event
                let event = line
                    .ok()
                    .and_then(|l| serde_json::from_str::<Value>(&l).ok());
                let Some(event) = event else {
                    break;
                };
                // a board that was seated before the station started waits for the operator; one that is killed does not mind
                if event["event"] == "waiting" {
                    let _ = stdin.write_all(b"start A\n");
                }
                if tell.send(event).is_err() {
                    break;
                }
            }
        });
        let mut stderr = process.stderr.take().expect("stderr");
        let said = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = std::io::Read::read_to_string(&mut stderr, &mut text);
            text
        });
        Station {
            process,
            events,
            seen: Vec::new(),
            said: Some(said),
        }
    }
}

fn job(more: &str) -> String {
    format!(
        r#"version = 1
name = "killed"

[target]
chip = "mimxrt1062"
flash = "is25wp064"
board = "qspi"

[[image]]
file = "app.hex"

[[series]]
name = "serial"
first = 1
last = 99999999

[[data]]
name = "serial number"
block = {:#x}
length = {SERIAL_DIGITS}
serial = {{ series = "serial", format = "decimal", width = {SERIAL_DIGITS} }}

[unit]
start = "insertion"
{more}
"#,
        0x6000_0000 + SERIAL_OFFSET
    )
}

/// A running station, and what it has said.
pub struct Station {
    process: Child,
    events: Receiver<Value>,
    /// The events so far.
    pub seen: Vec<Value>,
    said: Option<std::thread::JoinHandle<String>>,
}

impl Station {
    /// Takes what it has said meanwhile.
    pub fn listen(&mut self) {
        self.seen.extend(self.events.try_iter());
    }

    /// Waits for an event of this name; none where the station ends first, or takes longer than `limit`.
    pub fn wait_for(&mut self, event: &str, limit: Duration) -> Option<Value> {
        let until = Instant::now() + limit;
        loop {
            let left = until.checked_duration_since(Instant::now())?;
            let told = self.events.recv_timeout(left).ok()?;
            self.seen.push(told.clone());
            if told["event"] == event {
                return Some(told);
            }
        }
    }

    /// The verdict of the unit on the seat.
    pub fn verdict(&mut self) -> Value {
        let verdict = self.wait_for("verdict", PATIENCE);
        verdict.unwrap_or_else(|| {
            let seen = format!("{:#?}", self.seen);
            panic!("no verdict after\n{seen}\n{}", self.kill())
        })
    }

    /// Kills it: it has no chance to do anything more. Gives what it said on standard error.
    pub fn kill(&mut self) -> String {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.seen.extend(self.events.iter());
        self.said
            .take()
            .and_then(|said| said.join().ok())
            .unwrap_or_default()
    }

    /// What it has said so far, by the name of each event, and of the phase where that is what it tells.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = String> {
        self.seen.iter().map(|event| match event["phase"].as_str() {
            Some(phase) => format!("phase {phase}"),
            None => event["event"].as_str().expect("event").to_owned(),
        })
    }

    /// The verdicts that were shown.
    pub fn verdicts(&self) -> Vec<&Value> {
        self.seen
            .iter()
            .filter(|e| e["event"] == "verdict")
            .collect()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
