//! The program itself, in a place of its own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::desk::Desk;

/// Where it keeps and finds what it needs.
pub struct Program {
    place: TempDir,
}

impl Program {
    pub fn new() -> Self {
        Program {
            place: tempfile::tempdir().expect("directory"),
        }
    }

    /// A file of this place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// What is left of rehearsals among the temporary files.
    pub fn stages(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.place.path()).expect("place");
        let paths = entries.map(|entry| entry.expect("entry").path());
        let is_stage = |path: &PathBuf| path.to_string_lossy().contains("rtflash-rehearsal-");
        paths.filter(is_stage).collect()
    }

    /// `program` with this place as its own, not yet started, and nothing on its standard input.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for variable in ["RTFLASH_RECORDS", "RTFLASH_PROBE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
            .env("RTFLASH_STATE", self.path("state"))
            .env("TMPDIR", self.place.path())
            .stdin(Stdio::null());
        command
    }

    pub fn runs(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_rtflash"));
        command.args(arguments).output().expect("rtflash runs")
    }

    /// Rehearses the job of `desk` at so many sites, in plain lines.
    pub fn rehearses(&self, desk: &Desk, sites: &str, more: &[&str]) -> Output {
        self.rehearsal(desk, sites, more)
            .output()
            .expect("rtflash runs")
    }

    /// The same, not yet started.
    pub fn rehearsal(&self, desk: &Desk, sites: &str, more: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_rtflash"));
        command
            .arg("station")
            .arg(desk.path())
            .args(["--virtual", sites, "--plain"])
            .args(more);
        command
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// What it told in the end, once it has ended with `code`.
#[track_caller]
pub fn last_line(output: &Output, code: i32) -> String {
    let (told, aside) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{told}\n{aside}");
    told.lines().last().unwrap_or_default().to_owned()
}
