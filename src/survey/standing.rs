//! What the board is doing before anybody takes it over: lost with the reset.

use super::reset_causes::ResetCauses;
use crate::address::Address;
use crate::link::registers::{DEMCR, DEMCR_TRCENA, DWT_PCSR, VTOR};
use crate::link::{CoreState, Link, LinkError};
use crate::target::Chip;

/// DWT_PCSR while the core is halted, or where it has no sample.
const NO_SAMPLE: u32 = u32::MAX;

/// The state in which the board was found. What the bus refused is absent: firmware may have turned a block's clock off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the core does.
    pub core: CoreState,
    /// A sample of the program counter.
    pub program_counter: Option<Address>,
    /// VTOR.
    pub vector_table: Option<Address>,
    /// SRC_SRSR.
    pub reset_causes: Option<ResetCauses>,
    /// IOMUXC_GPR16.
    pub gpr16: Option<u32>,
    /// IOMUXC_GPR17.
    pub gpr17: Option<u32>,
}

impl Standing {
    /// Looks at the running board. The core is neither halted nor reset; only the trace unit is turned on, which gives the
    /// program counter, and left as it was.
    ///
    /// # Errors
    /// [`LinkError`], save accesses that the bus refuses.
    pub fn read(link: &mut dyn Link, chip: &Chip) -> Result<Self, LinkError> {
        let core = link.core_state()?;
        let program_counter = sample(link)?;
        let registers = &chip.registers;
        let mut word = |address| answered(link.read_word(address));
        Ok(Standing {
            core,
            program_counter,
            vector_table: word(VTOR)?.map(Address::new),
            reset_causes: word(registers.src_srsr)?.map(ResetCauses),
            gpr16: word(registers.iomuxc_gpr16)?,
            gpr17: word(registers.iomuxc_gpr17)?,
        })
    }

    /// Whether the program counter stands in the boot ROM.
    pub fn is_in_rom(&self, chip: &Chip) -> bool {
        let range = chip.rom_range();
        self.program_counter.is_some_and(|pc| range.contains(pc))
    }
}

fn sample(link: &mut dyn Link) -> Result<Option<Address>, LinkError> {
    let before = link.read_word(DEMCR)?;
    let is_on = before & DEMCR_TRCENA != 0;
    if !is_on {
        link.write_word(DEMCR, before | DEMCR_TRCENA)?;
    }
    let pc = link.read_word(DWT_PCSR)?;
    if !is_on {
        link.write_word(DEMCR, before)?;
    }
    Ok((pc != NO_SAMPLE && pc != 0).then_some(Address::new(pc)))
}

/// A word, where the bus gave one.
pub(super) fn answered(word: Result<u32, LinkError>) -> Result<Option<u32>, LinkError> {
    match word {
        Ok(word) => Ok(Some(word)),
        Err(LinkError::BusFault { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
