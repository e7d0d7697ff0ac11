//! Where the records are: one option for the station and for everything that reads them.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::job;
use crate::problem::{ExitCode, Problem};
use crate::records::Place;

/// The directory of the records in the state directory.
const DIRECTORY: &str = "records";

/// Where the records are.
#[derive(Debug, Args)]
pub struct RecordsPlace {
    /// Where the records are: a directory on a local disk, or postgres://USER:PASSWORD@HOST/DATABASE (default: `records`
    /// in $RTFLASH_STATE, or else in $XDG_STATE_HOME/rtflash or ~/.local/state/rtflash)
    #[arg(
        long,
        env = "RTFLASH_RECORDS",
        value_name = "PLACE",
        hide_env_values = true
    )]
    records: Option<String>,
}

impl RecordsPlace {
    /// For a station: a server needs the station's own `journal`, a directory has it inside.
    ///
    /// # Errors
    /// Options that do not fit each other; no directory by default.
    pub fn place(&self, journal: Option<&Path>) -> Result<Place, Problem> {
        match &self.records {
            Some(records) => Place::parse(records, journal),
            None => Place::parse(&default_directory()?, journal),
        }
    }

    /// Whether a place was named on the command line; what the environment names is the line's own, and no rehearsal's.
    pub fn is_typed(&self) -> bool {
        self.records.is_some() && self.records != std::env::var("RTFLASH_RECORDS").ok()
    }

    /// To read the ledger: a server needs no journal for that.
    ///
    /// # Errors
    /// No directory by default.
    pub fn place_to_read(&self) -> Result<Place, Problem> {
        self.place(None).or_else(|problem| match &self.records {
            Some(url) => Ok(Place::Server {
                url: url.clone(),
                journal: PathBuf::new(),
            }),
            None => Err(problem),
        })
    }
}

fn default_directory() -> Result<String, Problem> {
    let state = job::host_directory().ok_or_else(|| {
        Problem::new(
            "records-place",
            ExitCode::Usage,
            "there is no directory for the records",
        )
        .because("neither RTFLASH_STATE, XDG_STATE_HOME nor HOME is set")
        .fix("name one with --records, on a disk that survives a power cut")
    })?;
    Ok(state.join(DIRECTORY).display().to_string())
}
