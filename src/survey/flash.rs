//! The flash part as it is found, from what the algorithm read of it.

/// What the flash part says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashFound {
    /// Answer to 9Fh.
    pub jedec_id: [u8; 3],
    /// Status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub status_register: u32,
    /// First bytes of the SFDP space, as many as were read.
    pub sfdp: Vec<u8>,
}

/// "SFDP", the first bytes of the tables (JESD216).
const SIGNATURE: &[u8; 4] = b"SFDP";
/// Offset of the address of the first table, the basic flash parameters; three bytes (JESD216).
const FIRST_TABLE_POINTER: usize = 0x0C;
/// Offset of the density in that table, its second word (JESD216).
const DENSITY: usize = 4;
/// Density: bits 30:0 are a power of two, not a count.
const DENSITY_IS_EXPONENT: u32 = 1 << 31;

impl FlashFound {
    /// Nothing answers: the lines stay high or low.
    pub fn is_absent(&self) -> bool {
        matches!(self.jedec_id, [0, 0, 0] | [0xFF, 0xFF, 0xFF])
    }

    /// Size in bytes by the part's own tables, where it has them and they were read.
    pub fn sfdp_size_bytes(&self) -> Option<u64> {
        if self.sfdp.first_chunk::<4>() != Some(SIGNATURE) {
            return None;
        }
        let pointer = self.sfdp.get(FIRST_TABLE_POINTER..)?.first_chunk::<3>()?;
        let [a, b, c] = *pointer;
        let table = u32::from_le_bytes([a, b, c, 0]) as usize;
        let density = u32::from_le_bytes(*self.sfdp.get(table + DENSITY..)?.first_chunk::<4>()?);
        let bits = if density & DENSITY_IS_EXPONENT != 0 {
            1u64.checked_shl(density & !DENSITY_IS_EXPONENT)?
        } else {
            u64::from(density) + 1
        };
        Some(bits / 8)
    }
}
