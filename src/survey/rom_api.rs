//! The boot ROM's API tree: where it stands, and the version in its first word (NXP hal_nxp `fsl_romapi.h`).

use super::standing::answered;
use crate::address::Address;
use crate::link::{Link, LinkError};
use crate::target::Chip;

/// The API tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RomApi {
    /// Where it stands.
    pub tree: Address,
    /// Its version word, where it could be read.
    pub version: Option<u32>,
}

impl RomApi {
    /// Follows the ROM's pointer. `None` where that leads out of the ROM.
    ///
    /// # Errors
    /// [`LinkError`], save accesses that the bus refuses.
    pub fn read(link: &mut dyn Link, chip: &Chip) -> Result<Option<Self>, LinkError> {
        let pointer = answered(link.read_word(chip.rom.api_tree_pointer_address))?;
        let tree = pointer.map(Address::new);
        let Some(tree) = tree.filter(|tree| chip.rom_range().contains(*tree)) else {
            return Ok(None);
        };
        let version = answered(link.read_word(tree))?;
        Ok(Some(RomApi { tree, version }))
    }
}
