//! What the user chose about the boot header, as wishes to the boot stage.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use crate::boot::{Fcb, GivenFcb, HeaderPolicy, HeaderWishes, fcb_with};
use crate::problem::{ExitCode, Place, Problem};
use crate::target::Target;

const HZ_PER_MHZ: u32 = 1_000_000;

/// Read command of a new FCB, as the command line and the job file name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadMode {
    /// 03h on one line, up to 50 MHz
    Normal,
    /// 0Bh on one line
    Fast,
    /// 3Bh, data on two lines
    Dual,
    /// 6Bh, data on four lines
    Quad,
    /// EBh, address and data on four lines
    QuadIo,
}

impl ReadMode {
    /// Its opcode.
    pub const fn opcode(self) -> u8 {
        match self {
            ReadMode::Normal => 0x03,
            ReadMode::Fast => 0x0B,
            ReadMode::Dual => 0x3B,
            ReadMode::Quad => 0x6B,
            ReadMode::QuadIo => 0xEB,
        }
    }
}

/// What the user typed about the boot header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderChoice {
    /// What happens to what the image brings or lacks.
    pub policy: HeaderPolicy,
    /// File with an FCB of the user's own.
    pub fcb: Option<PathBuf>,
    /// Read command of a new FCB.
    pub read_opcode: Option<u8>,
    /// Clock of a new FCB in Hz.
    pub clock_hz: Option<u32>,
}

impl HeaderChoice {
    /// What it asks of the boot stage, the FCB file read.
    ///
    /// # Errors
    /// An FCB file that cannot be read or is none (exit 13); a read command or clock that chip, flash part or board do
    /// not have (exit 2).
    pub fn wishes(&self, target: &Target) -> Result<HeaderWishes, Problem> {
        let fcb = self.fcb.as_deref().map(fcb_file).transpose()?;
        let wishes = HeaderWishes {
            policy: self.policy,
            fcb: fcb.map(Box::new),
            read_opcode: self.read_opcode,
            clock_hz: self.clock_hz,
        };
        self.require_read(target)?;
        self.require_clock(target, &wishes)?;
        Ok(wishes)
    }

    fn require_read(&self, target: &Target) -> Result<(), Problem> {
        let Some(opcode) = self.read_opcode else {
            return Ok(());
        };
        let refusal = |what| {
            Problem::new("read-mode", ExitCode::Usage, what).fix("choose another --read-mode")
        };
        let part = &target.flash().name;
        let Some(read) = target.flash().read_command(opcode) else {
            return Err(refusal(format!("{part} has no read {opcode:02X}h")));
        };
        let wired = target.board().data_lines;
        let needed = read.lines.iter().copied().max().unwrap_or_default();
        if needed > wired {
            return Err(refusal(format!(
                "read {opcode:02X}h of {part} needs {needed} data lines, and {wired} are wired on board {}",
                target.board().name
            )));
        }
        Ok(())
    }

    fn require_clock(&self, target: &Target, wishes: &HeaderWishes) -> Result<(), Problem> {
        let Some(hz) = self.clock_hz else {
            return Ok(());
        };
        let refusal =
            |what: String, fix: String| Err(Problem::new("clock", ExitCode::Usage, what).fix(fix));
        let clocks: Vec<u32> = target.chip().clocks_hz().collect();
        if !clocks.contains(&hz) {
            let known: Vec<String> = clocks.iter().map(|hz| mhz(*hz)).collect();
            return refusal(
                format!(
                    "{} has no flash clock of {} MHz",
                    target.chip().name,
                    mhz(hz)
                ),
                format!("choose one of {}", known.join(", ")),
            );
        }
        let slower = HeaderWishes {
            clock_hz: None,
            ..wishes.clone()
        };
        match (fcb_with(target, wishes), fcb_with(target, &slower)) {
            (Some(made), _) if made.clock.hz == hz => Ok(()),
            (made, Some(usual)) => refusal(
                format!(
                    "{} MHz is too fast for read {:02X}h of {} on board {}",
                    mhz(hz),
                    usual.read.opcode,
                    target.flash().name,
                    target.board().name
                ),
                format!(
                    "choose {} MHz or less, or give an FCB of your own with --fcb",
                    mhz(made.map_or(usual.read.max_hz, |made| made.clock.hz))
                ),
            ),
            // told by the verdict: no FCB can be made at all
            (_, None) => Ok(()),
        }
    }
}

fn mhz(hz: u32) -> String {
    (hz / HZ_PER_MHZ).to_string()
}

fn fcb_file(path: &Path) -> Result<GivenFcb, Problem> {
    let read = File::open(path).and_then(|file| {
        let mut content = Vec::new();
        let longest = file.take(Fcb::SIZE_BYTES as u64);
        BufReader::new(longest).read_to_end(&mut content)?;
        Ok(content)
    });
    let content = read.map_err(|error| {
        Problem::new(
            "fcb-file",
            ExitCode::MalformedInput,
            "the FCB file cannot be read",
        )
        .at(Place::in_file(path, None))
        .because(error.to_string())
        .fix("check the name and the file's permissions")
    })?;
    GivenFcb::read(path.to_owned(), &content)
}
