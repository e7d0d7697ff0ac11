//! Where a job finds its board: the choice of probe, the clock that counts, and how many transactions were made.

use std::path::PathBuf;
use std::sync::Arc;

use super::{contact, saved};
use crate::clock::Clock;
#[cfg(feature = "virtual-board")]
use crate::link::VirtualBench;
use crate::link::{Choice, Counts, Listed};

/// A probe to be opened, with its clock.
pub struct Bench {
    choice: Choice,
    clock: Arc<dyn Clock + Send + Sync>,
    /// Instead of the environment's.
    state_directory: Option<PathBuf>,
    #[cfg(feature = "virtual-board")]
    virtual_board: Option<VirtualBench>,
}

impl Bench {
    /// A probe on this computer.
    pub fn real(choice: Choice, clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Bench {
            choice,
            clock,
            state_directory: None,
            #[cfg(feature = "virtual-board")]
            virtual_board: None,
        }
    }

    /// No probe to be opened: the caller of [`super::write_over`] brings a link. Foreign bytes are saved in
    /// `state_directory`.
    pub fn without_probe(clock: Arc<dyn Clock + Send + Sync>, state_directory: PathBuf) -> Self {
        Bench {
            state_directory: Some(state_directory),
            ..Bench::real(Choice::default(), clock)
        }
    }

    /// The probe of a virtual board, whose time is the job's clock. `choice` says how to connect.
    #[cfg(feature = "virtual-board")]
    pub fn virtual_board(choice: Choice, bench: VirtualBench) -> Self {
        Bench {
            choice: Choice {
                probe: Some(bench.selector()),
                ..choice
            },
            clock: bench.clock(),
            state_directory: None,
            virtual_board: Some(bench),
        }
    }

    /// Where foreign bytes are saved while a job runs; none where the environment names no directory.
    pub fn state_directory(&self) -> Option<PathBuf> {
        #[cfg(feature = "virtual-board")]
        if let Some(bench) = &self.virtual_board {
            return Some(bench.state_directory());
        }
        self.state_directory.clone().or_else(saved::host_directory)
    }

    /// Where it is noted which clock the contact through `probe` stands; none where the environment names no directory,
    /// and for a virtual board that ends with the process.
    pub fn contact_note(&self, probe: &Listed) -> Option<PathBuf> {
        #[cfg(feature = "virtual-board")]
        if let Some(bench) = &self.virtual_board {
            return bench.contact_note();
        }
        Some(saved::host_directory()?.join(contact::file_name(probe)))
    }

    /// Whether the job's clock is a virtual board's.
    pub fn is_virtual(&self) -> bool {
        #[cfg(feature = "virtual-board")]
        return self.virtual_board.is_some();
        #[cfg(not(feature = "virtual-board"))]
        false
    }

    /// The probe, and how to connect.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The job's clock.
    pub fn clock(&self) -> &Arc<dyn Clock + Send + Sync> {
        &self.clock
    }

    /// Probe transactions so far: exact on a virtual board, else one for every access that the link made.
    pub fn transactions(&self, counts: Counts) -> u64 {
        #[cfg(feature = "virtual-board")]
        if let Some(bench) = &self.virtual_board {
            return bench.transactions();
        }
        counts.reads + counts.writes
    }

    /// The virtual board's own log so far; nothing for a real one.
    pub fn trace(&self) -> Vec<String> {
        #[cfg(feature = "virtual-board")]
        if let Some(bench) = &self.virtual_board {
            return bench.board().trace().unwrap_or_default();
        }
        Vec::new()
    }
}
