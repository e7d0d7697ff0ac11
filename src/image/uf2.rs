//! UF2: blocks of 512 bytes, each with address and family, of which only those for this chip family count.
//!
//! Layout and flags: microsoft/uf2 `README.md`; family names: `utils/uf2families.json` there.

use std::path::Path;

use super::fault::BinaryFault;
use super::segment::{Pieces, Segment};
use super::source::Source;
use super::{Format, ImageError};
use crate::address::Address;

/// First bytes of every block.
pub(crate) const MAGIC: &[u8; 4] = b"UF2\n";
/// The family of i.MX RT1010 to RT1064.
pub(crate) const FAMILY_IMXRT10XX: u32 = 0x4FB2_D5BD;

/// Size of a block in bytes.
pub(crate) const BLOCK_BYTES: usize = 512;
/// Where its data begins.
pub(crate) const DATA_AT: usize = 32;
const DATA_BYTES: u32 = 476;
/// Second word of every block.
pub(crate) const SECOND_MAGIC: u32 = 0x9E5D_5157;
/// Last word of every block.
pub(crate) const FINAL_MAGIC: u32 = 0x0AB1_6F30;
/// The data is not for the main flash.
const FLAG_NOT_MAIN_FLASH: u32 = 0x0000_0001;
/// The block holds a file, not flash content.
const FLAG_FILE_CONTAINER: u32 = 0x0000_1000;
/// The word at 28 is a family, not a file size.
pub(crate) const FLAG_FAMILY: u32 = 0x0000_2000;

/// A block whose magic words are right.
struct Block<'c> {
    offset: u64,
    flags: u32,
    address: u32,
    number: u32,
    count: u32,
    family: Option<u32>,
    data: &'c [u8],
}

impl<'c> Block<'c> {
    fn parse(offset: u64, bytes: &'c [u8]) -> Result<Self, BinaryFault> {
        let word = |at: usize| {
            let word: Option<[u8; 4]> = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
            word.map(u32::from_le_bytes).ok_or(BinaryFault::CutOff)
        };
        let final_magic = word(BLOCK_BYTES - 4)?;
        if !bytes.starts_with(MAGIC) || word(4)? != SECOND_MAGIC || final_magic != FINAL_MAGIC {
            return Err(BinaryFault::Uf2Magic);
        }
        let flags = word(8)?;
        let length = word(16)?;
        let data = Some(length)
            .filter(|length| *length <= DATA_BYTES)
            .and_then(|length| bytes.get(DATA_AT..DATA_AT + length as usize))
            .ok_or(BinaryFault::Uf2Length { length })?;
        let family = word(28)?;
        Ok(Block {
            offset,
            flags,
            address: word(12)?,
            number: word(20)?,
            count: word(24)?,
            family: (flags & FLAG_FAMILY != 0).then_some(family),
            data,
        })
    }

    const fn is_flash_content(&self) -> bool {
        self.flags & (FLAG_NOT_MAIN_FLASH | FLAG_FILE_CONTAINER) == 0
    }
}

/// Reads the blocks of this chip family, each as a piece with its offset in the file.
///
/// # Errors
/// [`ImageError`] with the offset of the block at fault.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<Vec<Segment>, ImageError> {
    let fault = |offset, fault| ImageError::Binary {
        path: path.to_owned(),
        format: Format::Uf2,
        offset: Some(offset),
        fault,
    };
    let mut ours = Vec::new();
    let mut other = None;
    for (index, bytes) in content.chunks(BLOCK_BYTES).enumerate() {
        let offset = (index * BLOCK_BYTES) as u64;
        let block = Block::parse(offset, bytes).map_err(|f| fault(offset, f))?;
        if block.family == Some(FAMILY_IMXRT10XX) {
            ours.push(block);
        } else if other.is_none() {
            other = Some((offset, block.family));
        }
    }
    // a file for several families is read as a bootloader reads it: blocks of others are passed over
    if let (true, Some((offset, family))) = (ours.is_empty(), other) {
        return Err(fault(offset, BinaryFault::Uf2Family { family }));
    }
    check_numbers(&ours).map_err(|(offset, f)| fault(offset, f))?;
    let mut pieces = Pieces::default();
    for block in ours {
        if !block.is_flash_content() {
            continue;
        }
        let source = Source::offset(block.offset + DATA_AT as u64);
        pieces
            .add(Address::new(block.address), block.data, source)
            .ok_or_else(|| fault(block.offset, BinaryFault::AddressOverflow))?;
    }
    Ok(pieces.into_segments())
}

/// Every block from 0 to the count exactly once, in any order.
fn check_numbers(blocks: &[Block<'_>]) -> Result<(), (u64, BinaryFault)> {
    let Some(first) = blocks.first() else {
        return Ok(());
    };
    let count = first.count;
    let mut seen = vec![false; blocks.len()];
    for block in blocks {
        if block.count != count {
            let fault = BinaryFault::Uf2Count {
                first: count,
                here: block.count,
            };
            return Err((block.offset, fault));
        }
        if block.number >= count {
            let number = block.number;
            return Err((block.offset, BinaryFault::Uf2Number { number, count }));
        }
        match seen.get_mut(block.number as usize) {
            Some(seen) if *seen => {
                let number = block.number;
                return Err((block.offset, BinaryFault::Uf2Repeated { number }));
            }
            Some(seen) => *seen = true,
            None => {}
        }
    }
    let missing = seen.iter().position(|seen| !seen);
    let missing = missing.and_then(|number| u32::try_from(number).ok());
    let missing = missing.or_else(|| u32::try_from(blocks.len()).ok().filter(|n| *n < count));
    match (missing, blocks.last()) {
        (Some(number), Some(last)) => Err((last.offset, BinaryFault::Uf2Missing { number, count })),
        _ => Ok(()),
    }
}

/// Name of a family, for messages.
pub(super) fn family_name(family: u32) -> &'static str {
    FAMILIES
        .iter()
        .find(|(id, _)| *id == family)
        .map_or("unknown", |(_, name)| name)
}

const FAMILIES: [(u32, &str); 40] = [
    (0x00FF_6919, "STM32L4"),
    (0x0424_0BDF, "STM32L5"),
    (0x1657_3617, "ATmega32"),
    (0x1851_780A, "SAML21"),
    (0x1B57_745F, "nRF52"),
    (0x1C5F_21B0, "ESP32"),
    (0x1E1F_432D, "STM32L1"),
    (0x202E_3A91, "STM32L0"),
    (0x2146_0FF0, "STM32WL"),
    (0x2ABC_77EC, "LPC55"),
    (0x2B88_D29C, "ESP32-C2"),
    (0x300F_5633, "STM32G0"),
    (0x31D2_28C6, "GD32F350"),
    (0x3327_26F6, "ESP32-H2"),
    (0x3D30_8E94, "ESP32-P4"),
    (0x4C71_240A, "STM32G4"),
    (FAMILY_IMXRT10XX, "i.MX RT10xx"),
    (0x53B8_0F00, "STM32F7"),
    (0x540D_DF62, "ESP32-C6"),
    (0x5511_4460, "SAMD51"),
    (0x5775_5A57, "STM32F4"),
    (0x5A18_069B, "FX2"),
    (0x5D1A_0A2E, "STM32F2"),
    (0x5EE2_1072, "STM32F1"),
    (0x621E_937A, "nRF52833"),
    (0x6478_24B6, "STM32F0"),
    (0x68ED_2B88, "SAMD21"),
    (0x6B84_6188, "STM32F3"),
    (0x6D09_22FA, "STM32F407"),
    (0x6DB6_6082, "STM32H7"),
    (0x70D1_6653, "STM32WB"),
    (0x7EAB_61ED, "ESP8266"),
    (0x7F83_E793, "KL32L2"),
    (0x8FB0_60FE, "STM32F407VG"),
    (0x9AF0_3E33, "GD32VF103"),
    (0xADA5_2840, "nRF52840"),
    (0xBFDD_4EEE, "ESP32-S2"),
    (0xC47E_5767, "ESP32-S3"),
    (0xD42B_A06C, "ESP32-C3"),
    (0xE48B_FF56, "RP2040"),
];
