//! `rtflash station --virtual N`: what is rehearsed, and what came of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::print_aside;
use crate::problem::{ExitCode, Problem};
use crate::station::LoadedJob;
use crate::station::rehearsal::{
    MOST_SITES, Measured, Pace, Plan, Rehearsal, Script, labels, measure,
};

/// Boards of a random rehearsal, and of a measurement for each site.
const UNITS: u32 = 20;
/// Of a hundred boards so many have something wrong.
const DEFECTS: u8 = 25;

/// A rehearsal in place of real sites.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rehearsal, without any hardware")]
pub struct RehearsalArgs {
    /// Rehearse the job at so many virtual sites: boards come and go by a script, some defective, and every verdict is
    /// held against what the board really was; exit 0 only if all agree
    #[arg(id = "virtual", long = "virtual", value_name = "SITES", conflicts_with_all = ["sites", "site"])]
    sites: Option<u8>,
    /// Boards of a random rehearsal [default: 20]
    #[arg(
        long,
        value_name = "N",
        requires = "virtual",
        conflicts_with = "script"
    )]
    boards: Option<u32>,
    /// Draws boards and defects; the same seed gives the same verdicts
    #[arg(long, value_name = "N", requires = "virtual", default_value_t = 1)]
    seed: u64,
    /// How many in a hundred boards have something wrong [default: 25]
    #[arg(long, value_name = "PERCENT", requires = "virtual", conflicts_with = "script",
          value_parser = clap::value_parser!(u8).range(..=100))]
    defects: Option<u8>,
    /// Which board comes to which site, with what defect, from a file instead
    #[arg(long, value_name = "FILE", requires = "virtual")]
    script: Option<PathBuf>,
    /// Barcodes of the boards, # for the digits of a board's number, where the job asks for codes
    #[arg(long, value_name = "TEXT", requires = "virtual")]
    barcodes: Option<String>,
    /// Seconds from one board to the next at a site: an assumption, to be measured at the line
    #[arg(long, value_name = "SECONDS", requires = "virtual", default_value_t = 8.0, value_parser = handling)]
    handling_s: f64,
    /// Virtual seconds for one of yours, to watch and learn (default: as fast as it goes)
    #[arg(long, value_name = "FACTOR", requires = "virtual", value_parser = factor)]
    pace: Option<f64>,
    /// Measure instead: good boards only, at all sites and at one alone
    #[arg(long, requires = "virtual", conflicts_with_all = ["script", "defects", "pace"])]
    measure: bool,
}

/// Below it, a removal would not be seen before the next board is in: the seat is looked at four times a second.
const SHORTEST_HANDLING_S: f64 = 1.0;
const LONGEST_HANDLING_S: f64 = 3600.0;

fn handling(text: &str) -> Result<f64, String> {
    let range = SHORTEST_HANDLING_S..=LONGEST_HANDLING_S;
    number(text)
        .filter(|seconds| range.contains(seconds))
        .ok_or_else(|| format!("not a number from {SHORTEST_HANDLING_S} to {LONGEST_HANDLING_S}"))
}

fn factor(text: &str) -> Result<f64, String> {
    const MOST: f64 = 1e6;
    let factor = number(text).filter(|factor| *factor > 0.0 && *factor <= MOST);
    factor.ok_or_else(|| format!("not a number above 0 and up to {MOST}"))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// A directory of its own for one rehearsal: gone with it, unless it is kept.
pub struct Stage {
    directory: PathBuf,
    is_kept: bool,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.is_kept || std::thread::panicking() {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let directory = self.directory.display();
            print_aside(&format!("{directory} could not be deleted: {error}"));
        }
    }
}

impl Stage {
    /// A new directory among the system's temporary ones.
    ///
    /// # Errors
    /// `rehearsal-directory` (exit 23).
    pub fn new() -> Result<Self, Problem> {
        let base = std::env::temp_dir();
        let process = std::process::id();
        let mut names = (1..).map(|n: u32| base.join(format!("rtflash-rehearsal-{process}-{n}")));
        let made = names.find_map(|directory| match fs::create_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            made => Some(made.map(|()| directory)),
        });
        match made {
            Some(Ok(directory)) => Ok(Stage {
                directory,
                is_kept: false,
            }),
            Some(Err(error)) => Err(Problem::new(
                "rehearsal-directory",
                ExitCode::RecordNotWritten,
                format!(
                    "no directory for the rehearsal can be made in {}",
                    base.display()
                ),
            )
            .because(error.to_string())
            .fix("give a directory with --records, or set TMPDIR")),
            None => Err(Problem::new(
                "rehearsal-directory",
                ExitCode::Internal,
                "all names of directories are taken",
            )),
        }
    }

    /// Where the records go, unless they were given another place.
    pub fn records(&self) -> &Path {
        &self.directory
    }

    /// Leaves it behind. Gives its name, for whom it may concern.
    pub fn keep(&mut self) -> String {
        self.is_kept = true;
        self.directory.display().to_string()
    }

    /// Deletes it: it tells nothing that anybody wants to know.
    pub fn clear(mut self) {
        self.is_kept = false;
    }
}

impl RehearsalArgs {
    /// How many virtual sites are asked for, if any.
    ///
    /// # Errors
    /// `virtual-sites` (exit 2).
    pub fn sites(&self) -> Result<Option<usize>, Problem> {
        match self.sites.map(usize::from) {
            Some(sites) if sites == 0 || sites > MOST_SITES => Err(Problem::new(
                "virtual-sites",
                ExitCode::Usage,
                format!("{sites} virtual sites are none that a station can have"),
            )
            .fix(format!("give --virtual 1 to {MOST_SITES}"))),
            sites => Ok(sites),
        }
    }

    /// Whether it is to be watched: then it goes at a pace that eyes can follow, unless another one is given.
    pub fn speed(&self, is_watched: bool) -> Option<f64> {
        const WATCHABLE: f64 = 5.0;
        self.pace.or_else(|| is_watched.then_some(WATCHABLE))
    }

    fn hands(&self) -> Pace {
        Pace {
            handling: Duration::try_from_secs_f64(self.handling_s).unwrap_or_default(),
            ..Pace::default()
        }
    }

    /// The measurement, where it is asked for.
    ///
    /// # Errors
    /// What keeps a rehearsal from running.
    pub fn measured(
        &self,
        job: &LoadedJob,
        sites: usize,
        stage: &Stage,
    ) -> Result<Option<Measured>, Problem> {
        if !self.measure {
            return Ok(None);
        }
        let units = self.boards.unwrap_or(UNITS);
        let barcodes = self.barcodes.as_deref();
        measure(job, sites, units, self.hands(), barcodes, stage.records()).map(Some)
    }

    /// Makes the boards.
    ///
    /// # Errors
    /// Those of [`Script::load`] and [`Rehearsal::new`].
    pub fn rehearsal(
        &self,
        job: &LoadedJob,
        sites: usize,
        stage: &Stage,
        is_watched: bool,
    ) -> Result<Rehearsal, Problem> {
        let script = match &self.script {
            Some(path) => Script::load(path)?,
            None => Script::drawn(
                self.seed,
                self.boards.unwrap_or(UNITS),
                self.defects.unwrap_or(DEFECTS),
                &labels(sites),
            ),
        };
        Rehearsal::new(
            job,
            Plan {
                sites,
                script,
                seed: self.seed,
                pace: self.hands(),
                speed: self.speed(is_watched),
                barcodes: self.barcodes.clone(),
                directory: stage.directory.join("saved"),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_gone_with_its_rehearsal_unless_it_is_kept() {
        let gone = Stage::new().expect("directory");
        let directory = gone.directory.clone();
        fs::write(directory.join("ledger.sqlite"), "").expect("file");
        drop(gone);
        assert!(!directory.exists());
        let mut kept = Stage::new().expect("directory");
        let directory = PathBuf::from(kept.keep());
        drop(kept);
        assert!(directory.exists());
        let cleared = Stage {
            directory: directory.clone(),
            is_kept: true,
        };
        cleared.clear();
        assert!(!directory.exists());
    }
}
