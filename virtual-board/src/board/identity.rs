//! What a chip says of itself, as data: a board with another chip under the same probe.

use crate::cpu::CPUID;
use crate::rom::{FINGERPRINT, api};
use crate::swd::PortIds;

/// By what a debugger tells one chip from another. The default is the RT1062.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipIdentity {
    /// DPIDR and AP IDR.
    pub ports: PortIds,
    /// CPUID.
    pub cpuid: u32,
    /// What the boot ROM shows.
    pub rom: RomIdentity,
}

impl Default for ChipIdentity {
    fn default() -> Self {
        ChipIdentity {
            ports: PortIds::default(),
            cpuid: CPUID,
            rom: RomIdentity::default(),
        }
    }
}

/// Words of the boot ROM that differ from chip to chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RomIdentity {
    /// The word that tells the ROMs of the family apart.
    pub mark: u32,
    /// First word of the ROM API tree. No source gives the RT1062's: unless a test sets one, reading it is refused.
    pub api_version: Option<u32>,
}

impl Default for RomIdentity {
    fn default() -> Self {
        RomIdentity {
            mark: FINGERPRINT.1,
            api_version: None,
        }
    }
}

impl RomIdentity {
    /// The word at `address`, where it is one of these.
    pub(super) fn word(&self, address: u32) -> Option<u32> {
        match address {
            _ if address == FINGERPRINT.0 => Some(self.mark),
            _ if address == api::TREE => self.api_version,
            _ => None,
        }
    }
}
