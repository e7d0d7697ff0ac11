//! The flash part as it is found, from what the algorithm read of it.

use mailbox::result::{
    FOUND_BUSY, FOUND_RTWDOG_LOCKED, FOUND_SUSPENDED, FOUND_WDOG1_LOCKED, FOUND_WDOG2_LOCKED,
    Identity,
};

/// What the flash part says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashFound {
    /// Answer to 9Fh.
    pub jedec_id: [u8; 3],
    /// Status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub status_register: u32,
    /// First bytes of the SFDP space, as many as were read.
    pub sfdp: Vec<u8>,
    /// What the algorithm met when it began, flash and chip: `FOUND_*` of the mailbox.
    pub on_entry: u32,
}

/// The part's own tables (JESD216), as far as they identify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sfdp {
    /// Nothing answers 5Ah: all FFh or all 00h.
    Absent,
    /// Something answers, and it is no such table.
    Damaged,
    /// The tables.
    Tables {
        /// Major and minor revision.
        revision: [u8; 2],
        /// Size of the part in bytes.
        size_bytes: u64,
    },
}

impl Sfdp {
    /// The first bytes of the tables.
    pub const SIGNATURE: &[u8; 4] = b"SFDP";
}

/// Offset of the minor revision; the major one follows.
const MINOR_REVISION: usize = 4;
const MAJOR_REVISION: usize = 5;
/// Offset of the address of the first table, the basic flash parameters; three bytes.
const FIRST_TABLE_POINTER: usize = 0x0C;
/// Offset of the density in that table, its second word.
const DENSITY: usize = 4;
/// Density: bits 30:0 are a power of two, not a count.
const DENSITY_IS_EXPONENT: u32 = 1 << 31;

/// `FOUND_*` in words, save what our own reset brings about: PLLs that are down.
const ON_ENTRY: [(u32, &str); 5] = [
    (FOUND_BUSY, "the flash was busy"),
    (
        FOUND_SUSPENDED,
        "a suspended erase or program was found and resumed",
    ),
    (FOUND_WDOG1_LOCKED, "WDOG1 cannot be disabled"),
    (FOUND_WDOG2_LOCKED, "WDOG2 cannot be disabled"),
    (FOUND_RTWDOG_LOCKED, "RTWDOG cannot be disabled"),
];

impl From<&Identity> for FlashFound {
    fn from(identity: &Identity) -> Self {
        FlashFound {
            jedec_id: identity.jedec_id,
            status_register: identity.status_register,
            sfdp: identity.sfdp.to_vec(),
            on_entry: identity.found,
        }
    }
}

impl FlashFound {
    /// Nothing answers: the lines stay high or low.
    pub fn is_absent(&self) -> bool {
        matches!(self.jedec_id, [0, 0, 0] | [0xFF, 0xFF, 0xFF])
    }

    /// The part's own tables. They carry no checksum: what is called sound here has a signature, a first table within
    /// what was read, and a size.
    pub fn sfdp(&self) -> Sfdp {
        let silent = |level: u8| self.sfdp.iter().all(|byte| *byte == level);
        if silent(0xFF) || silent(0x00) {
            return Sfdp::Absent;
        }
        self.tables().unwrap_or(Sfdp::Damaged)
    }

    fn tables(&self) -> Option<Sfdp> {
        if self.sfdp.first_chunk::<4>() != Some(Sfdp::SIGNATURE) {
            return None;
        }
        let revision = [
            *self.sfdp.get(MAJOR_REVISION)?,
            *self.sfdp.get(MINOR_REVISION)?,
        ];
        let [a, b, c] = *self.sfdp.get(FIRST_TABLE_POINTER..)?.first_chunk::<3>()?;
        let table = u32::from_le_bytes([a, b, c, 0]) as usize;
        let density = u32::from_le_bytes(*self.sfdp.get(table + DENSITY..)?.first_chunk::<4>()?);
        let bits = if density & DENSITY_IS_EXPONENT != 0 {
            1u64.checked_shl(density & !DENSITY_IS_EXPONENT)?
        } else {
            u64::from(density) + 1
        };
        Some(Sfdp::Tables {
            revision,
            size_bytes: bits / 8,
        })
    }

    /// Size in bytes by the part's own tables, where it has them and they were read.
    pub fn sfdp_size_bytes(&self) -> Option<u64> {
        match self.sfdp() {
            Sfdp::Tables { size_bytes, .. } => Some(size_bytes),
            Sfdp::Absent | Sfdp::Damaged => None,
        }
    }

    /// What the algorithm met when it began, in words; usually nothing.
    pub fn on_entry(&self) -> impl Iterator<Item = &'static str> {
        let met = ON_ENTRY
            .into_iter()
            .filter(|(bit, _)| self.on_entry & bit != 0);
        met.map(|(_, text)| text)
    }
}
