//! probe-rs's own session and flash loader, for comparison only: no job of ours runs through it.

use probe_rs::Permissions;
use probe_rs::config::Registry;
use probe_rs::flashing::{DownloadOptions, FlashError};
use probe_rs::probe::DebugProbeError;
use probe_rs::probe::list::Lister;

use super::VirtualBench;
use crate::address::Address;

/// The chip as probe-rs's built-in targets call it.
const STOCK_TARGET: &str = "MIMXRT1060";
/// Our algorithm as a target of probe-rs, in [`OUR_TARGETS`].
const OUR_TARGET: &str = "MIMXRT1062-IS25WP064";
const OUR_TARGETS: &str = include_str!("../../targets/probe-rs/rtflash-mimxrt1062.yaml");

/// Which flash algorithm probe-rs's loader uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAlgorithm {
    /// The one that probe-rs ships for the chip.
    Stock,
    /// Ours, by its CMSIS entry points.
    Ours,
}

/// Why the peer did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The virtual board's probe is not listed.
    #[error("the virtual probe is not listed by probe-rs")]
    NotListed,
    /// The probe.
    #[error("probe-rs: {0}")]
    Probe(#[from] DebugProbeError),
    /// Attach or target description.
    #[error("probe-rs: {0}")]
    Attach(#[from] probe_rs::Error),
    /// The target description.
    #[error("probe-rs: {0}")]
    Registry(#[from] probe_rs::config::RegistryError),
    /// Erase, program or verify.
    #[error("probe-rs: {0}")]
    Flash(#[from] FlashError),
}

/// Erases, programs and verifies `runs` on a virtual board as `probe-rs download --verify` does, then resets the board.
/// `phase` is called as each phase begins.
///
/// # Errors
/// [`PeerError`].
pub fn flash_through_probe_rs(
    bench: &VirtualBench,
    algorithm: PeerAlgorithm,
    speed_khz: u32,
    runs: &[(Address, &[u8])],
    phase: &mut dyn FnMut(&'static str),
) -> Result<(), PeerError> {
    let mut registry = Registry::from_builtin_families();
    let target = match algorithm {
        PeerAlgorithm::Stock => STOCK_TARGET,
        PeerAlgorithm::Ours => {
            registry.add_target_family_from_yaml(OUR_TARGETS)?;
            OUR_TARGET
        }
    };
    phase("attach");
    let serial = bench.selector().serial;
    let listed = Lister::new().list_all();
    let info = listed.iter().find(|info| info.serial_number == serial);
    let mut probe = info.ok_or(PeerError::NotListed)?.open()?;
    probe.set_speed(speed_khz)?;
    let mut session = probe.attach_with_registry(target, Permissions::default(), &registry)?;
    phase("program");
    let mut loader = session.target().flash_loader();
    for (address, bytes) in runs {
        loader.add_data(u64::from(address.get()), bytes)?;
    }
    let mut options = DownloadOptions::new();
    options.verify = true;
    loader.commit(&mut session, options)?;
    phase("reset");
    session.core(0)?.reset()?;
    Ok(())
}
