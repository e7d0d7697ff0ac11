//! The configuration block that a caller hands over, field by field as the driver reads and writes it in RAM.

use super::line::Line;
use super::{Stop, status};
use crate::bus::Width;
use crate::rom::fcb;

// Offsets (NXP `fsl_romapi.h`, flexspi_nor_config_t); those of the FCB part that boot needs stand in `fcb`.
pub(super) const DEVICE_MODE_TYPE: u32 = 0x011;
pub(super) const LUT_CUSTOM_SEQ_ENABLE: u32 = 0x047;
pub(super) const PAGE_SIZE: u32 = 0x1C0;
pub(super) const SECTOR_SIZE: u32 = 0x1C4;
pub(super) const IPCMD_SERIAL_CLK_FREQ: u32 = 0x1C8;
pub(super) const IS_UNIFORM_BLOCK_SIZE: u32 = 0x1C9;
/// serialNorType, needExitNoCmdMode, halfClkForNonReadCmd, needRestoreNoCmdMode.
const SERIAL_NOR_TYPE: u32 = 0x1CC;
pub(super) const BLOCK_SIZE: u32 = 0x1D0;
/// Bytes of the block.
pub(super) const BYTES: u32 = 0x200;

/// deviceModeType: the mode command sets QE.
pub(super) const QUAD_ENABLE: u32 = 1;
/// controllerMiscOption: differential clock, CK2, parallel, word addresses, pad setting override, DTR.
const MISC_NOT_MODELLED: u32 = 0x6F;
const LAST_LOOPBACK_SOURCE: u32 = 1;

/// The block at an address of the caller's RAM.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub line: Line,
    address: u32,
}

impl Config {
    pub fn new(line: Line, address: u32) -> Self {
        Config { line, address }
    }

    /// Address of a field.
    pub fn at(&self, offset: u32) -> u32 {
        self.address.wrapping_add(offset)
    }

    pub async fn word(&self, offset: u32) -> Result<u32, Stop> {
        self.line.read(self.at(offset)).await
    }

    pub async fn half(&self, offset: u32) -> Result<u32, Stop> {
        self.line.read_narrow(self.at(offset), Width::Half).await
    }

    pub async fn byte(&self, offset: u32) -> Result<u32, Stop> {
        self.line.read_narrow(self.at(offset), Width::Byte).await
    }

    pub async fn set_word(&self, offset: u32, value: u32) -> Result<(), Stop> {
        self.line.write(self.at(offset), value).await
    }

    pub async fn set_byte(&self, offset: u32, value: u32) -> Result<(), Stop> {
        let address = self.at(offset);
        self.line.write_narrow(address, Width::Byte, value).await
    }

    /// The four words of a LUT sequence.
    pub async fn sequence(&self, number: u32) -> Result<[u32; 4], Stop> {
        let mut words = [0; 4];
        for (word, index) in words.iter_mut().zip(0..) {
            *word = self
                .word(fcb::LOOKUP_TABLE + 16 * number + 4 * index)
                .await?;
        }
        Ok(words)
    }

    /// Writes the first words of a LUT sequence; the others stay.
    pub async fn set_sequence(&self, number: u32, words: &[u32]) -> Result<(), Stop> {
        for (word, index) in words.iter().zip(0..) {
            self.set_word(fcb::LOOKUP_TABLE + 16 * number + 4 * index, *word)
                .await?;
        }
        Ok(())
    }

    /// Refuses what the model does not have. The driver reads these fields too, some of them at every command.
    pub async fn check_modelled(&self) -> Result<(), Stop> {
        if self.word(fcb::CONTROLLER_MISC_OPTION).await? & MISC_NOT_MODELLED != 0 {
            return Err(Stop::Model("this controllerMiscOption in a ROM API call"));
        }
        if self.byte(LUT_CUSTOM_SEQ_ENABLE).await? != 0 {
            return Err(Stop::Model("custom LUT sequences in a ROM API call"));
        }
        if self.word(SERIAL_NOR_TYPE).await? != 0 {
            return Err(Stop::Model(
                "octal, continuous or half-clock modes of the ROM API",
            ));
        }
        if self.byte(fcb::READ_SAMPLE_CLK_SRC).await? > LAST_LOOPBACK_SOURCE {
            return Err(Stop::Model("this readSampleClkSrc in a ROM API call"));
        }
        if self.byte(fcb::CONFIG_CMD_ENABLE).await? != 0 {
            return Err(Stop::Model("configuration commands in a ROM API call"));
        }
        for other in [4, 8, 12] {
            if self.word(fcb::SFLASH_A1_SIZE + other).await? != 0 {
                return Err(Stop::Model("more than one flash chip in a ROM API call"));
            }
        }
        Ok(())
    }

    /// The tag, which is all that the driver checks of the block.
    pub async fn check_tag(&self) -> Result<(), Stop> {
        if self.word(0).await? == fcb::TAG {
            Ok(())
        } else {
            Err(Stop::Status(status::INVALID_ARGUMENT))
        }
    }
}
