//! A place to work at: a directory of its own, a virtual board whose flash is a file there, and the program.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

/// Bytes of an IS25WP064.
pub const FLASH_BYTES: usize = 8 << 20;
/// Bytes of an IS25WP128.
pub const FLASH_BYTES_128: usize = 16 << 20;
/// Name of the flash file, beside which nothing but the registers' file, the note on the contact and the folder of saved
/// bytes may appear.
const FLASH_FILE: &str = "flash.bin";
const REGISTERS_FILE: &str = "flash.bin.nv";
const SAVED_FOLDER: &str = "flash.bin.saved";
const CONTACT_NOTE: &str = "flash.bin.contact";
/// No session takes this long, even on a loaded machine; one that does hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The fixtures' folder.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// The small image without boot header that most promises are shown with.
pub fn image() -> PathBuf {
    data("blinky-xip.headerless.hex")
}

/// A virtual board on an empty desk.
pub struct Station {
    desk: TempDir,
    state: TempDir,
}

impl Station {
    /// A board whose flash file does not exist yet.
    pub fn new() -> Self {
        Station {
            desk: tempfile::tempdir().expect("temporary directory"),
            state: tempfile::tempdir().expect("temporary directory"),
        }
    }

    /// A board that has been flashed with `image`.
    pub fn flashed(image: &Path) -> Self {
        let station = Station::new();
        station.flash(image, &[]).ends_with(0);
        station
    }

    /// A board whose flash file holds `content`.
    pub fn holding(content: &[u8]) -> Self {
        let station = Station::new();
        fs::write(station.flash_file(), content).expect("flash file");
        station
    }

    /// Runs `rtflash` with `arguments` on this desk, as a script would: no terminal.
    pub fn run(&self, arguments: &[&str]) -> Session {
        self.run_where(&[], arguments)
    }

    /// Runs `rtflash` with `arguments` and additional environment variables.
    pub fn run_where(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Session {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtflash"));
        command
            .args(arguments)
            .current_dir(self.desk.path())
            .env("RTFLASH_STATE", self.state.path());
        for variable in ["RTFLASH_PROBE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command.envs(variables.iter().copied());
        let output = command.timeout(PATIENCE).output().expect("rtflash runs");
        let text = |bytes| String::from_utf8(bytes).expect("output is text");
        let session = Session {
            typed: format!("rtflash {}", arguments.join(" ")),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(
            !session.all().contains('\x1b'),
            "escape codes without a terminal\n{session}"
        );
        session
    }

    /// The program with `arguments` on this desk, not yet started.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rtflash"));
        command
            .args(arguments)
            .current_dir(self.desk.path())
            .env("RTFLASH_STATE", self.state.path())
            .env_remove("RTFLASH_PROBE");
        command
    }

    /// Runs `arguments`, and does `act` when a line of standard error begins with `mark`.
    pub fn run_until(
        &self,
        arguments: &[&str],
        mark: &str,
        act: impl FnOnce(&std::process::Child),
    ) -> Session {
        let mut process = self
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rtflash runs");
        let mut lines = BufReader::new(process.stderr.take().expect("stderr"));
        let (mut stderr, mut line) = (String::new(), String::new());
        let mut act = Some(act);
        while lines.read_line(&mut line).expect("line") != 0 {
            if line.starts_with(mark)
                && let Some(act) = act.take()
            {
                act(&process);
            }
            stderr += &line;
            line.clear();
        }
        let mut stdout = String::new();
        let mut output = process.stdout.take().expect("stdout");
        output.read_to_string(&mut stdout).expect("text");
        assert!(act.is_none(), "no line begins with {mark:?}: {stderr}");
        Session {
            typed: format!("rtflash {}", arguments.join(" ")),
            code: process.wait().expect("end").code(),
            stdout,
            stderr,
        }
    }

    /// A file on the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    /// `flash` on this board.
    pub fn flash(&self, image: &Path, more: &[&str]) -> Session {
        self.on_image("flash", image, more)
    }

    /// `verify` on this board.
    pub fn verify(&self, image: &Path) -> Session {
        self.on_image("verify", image, &[])
    }

    /// `reset` on this board.
    pub fn reset(&self) -> Session {
        self.run(&["reset", "--probe", &probe("")])
    }

    /// `flash` or `verify`, on this board unless `more` names another.
    pub fn on_image(&self, command: &str, image: &Path, more: &[&str]) -> Session {
        let board = probe("");
        let image = image.to_str().expect("path is text");
        let mut arguments = vec![command, image];
        if !more.contains(&"--probe") {
            arguments.extend(["--probe", &board]);
        }
        arguments.extend(more);
        self.run(&arguments)
    }

    /// Where the flash content is kept.
    pub fn flash_file(&self) -> PathBuf {
        self.desk.path().join(FLASH_FILE)
    }

    /// Where bytes of others are kept until they are back.
    pub fn saved(&self) -> PathBuf {
        self.desk.path().join(SAVED_FOLDER)
    }

    /// Where it is noted that the contact is clean.
    pub fn contact_note(&self) -> PathBuf {
        self.desk.path().join(CONTACT_NOTE)
    }

    /// What the flash holds.
    pub fn content(&self) -> Vec<u8> {
        fs::read(self.flash_file()).expect("flash file")
    }

    /// Everything on the desk that a command could have changed: flash content and non-volatile registers.
    pub fn board(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let read = |name: &str| fs::read(self.desk.path().join(name)).ok();
        (read(FLASH_FILE), read(REGISTERS_FILE))
    }

    /// How many files with bytes of others there are.
    pub fn saved_files(&self) -> usize {
        fs::read_dir(self.saved()).map_or(0, Iterator::count)
    }

    /// Names of the files on the desk.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.desk.path()).expect("desk");
        entries
            .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Changes bytes of the flash between two commands.
    pub fn damage(&self, offset: usize, bytes: &[u8]) {
        let mut content = self.content();
        content[offset..offset + bytes.len()].copy_from_slice(bytes);
        fs::write(self.flash_file(), content).expect("flash file");
    }
}

/// The probe of the desk's board, with options such as `boot-mode=serial-downloader`.
pub fn probe(options: &str) -> String {
    let mark = if options.is_empty() { "" } else { "?" };
    format!("virtual:{FLASH_FILE}{mark}{options}")
}

/// Bytes without a pattern.
pub fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut x = seed | 1;
    (0..bytes)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        })
        .collect()
}

/// One run of the program: what was typed, and what came of it.
pub struct Session {
    typed: String,
    code: Option<i32>,
    /// Results.
    pub stdout: String,
    /// Progress and complaints.
    pub stderr: String,
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Session {
            typed,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "$ {typed}\n{stdout}--- stderr\n{stderr}--- exit {code:?}"
        )
    }
}

impl Session {
    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The exit code is `code`.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// The last line of the results is `line`.
    #[track_caller]
    pub fn last_line_is(self, line: &str) -> Self {
        assert_eq!(self.stdout.lines().last(), Some(line), "{self}");
        self
    }

    /// The results have lines labelled `label`, and together they hold all of `words`.
    #[track_caller]
    pub fn reports(self, label: &str, words: &[&str]) -> Self {
        let text = self.labelled(label);
        assert!(!text.is_empty(), "no line `{label}`\n{self}");
        for word in words {
            assert!(
                text.contains(word),
                "no `{word}` in the lines `{label}`\n{self}"
            );
        }
        self
    }

    /// The lines labelled `label`, without it.
    pub fn labelled(&self, label: &str) -> String {
        let lines = self
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix(label)?.strip_prefix(' '));
        lines.map(|line| format!("{}\n", line.trim())).collect()
    }

    /// The complaint on stderr has the stable code `code` and all of `words`.
    #[track_caller]
    pub fn complains(self, code: &str, words: &[&str]) -> Self {
        let complaint = self.complaint();
        assert!(
            complaint.contains(&format!("[{code}]")),
            "no [{code}]\n{self}"
        );
        for word in words {
            assert!(
                complaint.contains(word),
                "the complaint does not say `{word}`\n{self}"
            );
        }
        self
    }

    /// The complaint says what to do.
    #[track_caller]
    pub fn advises(self) -> Self {
        assert!(self.complaint().contains("\n  do:  "), "no advice\n{self}");
        self
    }

    /// The complaint says why.
    #[track_caller]
    pub fn gives_a_reason(self) -> Self {
        assert!(self.complaint().contains("\n  why: "), "no reason\n{self}");
        self
    }

    fn complaint(&self) -> &str {
        self.stderr
            .find("error:")
            .map_or("", |at| &self.stderr[at..])
    }
}
