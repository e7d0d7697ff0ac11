//! IVT and boot data: how the boot ROM finds the image behind the FCB.

use super::raw::{Raw, Reader};
use crate::address::Address;

/// First byte of the IVT header.
const IVT_TAG: u8 = 0xD1;
/// First byte of a CSF header: only with it is an image signed.
pub const CSF_TAG: u8 = 0xD4;

/// Image vector table, 32 bytes (IMXRT1060MFUUG Rev 3, image vector table).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ivt {
    /// Length as the header says it; big-endian in the file.
    pub length_bytes: u16,
    /// Version, 0x40 to 0x43.
    pub version: u8,
    /// Even: address of a vector table. Odd: Thumb address of the reset handler.
    pub entry: u32,
    /// 0.
    pub reserved_08: u32,
    /// Address of the DCD, or 0.
    pub dcd: u32,
    /// Address of the boot data.
    pub boot_data: u32,
    /// Address of the IVT itself.
    pub self_address: u32,
    /// Address of the CSF, or 0.
    pub csf: u32,
    /// 0.
    pub reserved_1c: u32,
}

impl Ivt {
    /// Size in bytes.
    pub const SIZE_BYTES: usize = 32;
    /// Versions that the guide allows.
    pub const VERSIONS: std::ops::RangeInclusive<u8> = 0x40..=0x43;
    /// The version of NXP's SDK and Zephyr on this chip.
    pub const USUAL_VERSION: u8 = 0x41;

    /// An IVT without DCD and CSF.
    pub fn new(entry: u32, self_address: Address, boot_data: Address) -> Self {
        Ivt {
            length_bytes: Self::SIZE_BYTES as u16,
            version: Self::USUAL_VERSION,
            entry,
            reserved_08: 0,
            dcd: 0,
            boot_data: boot_data.get(),
            self_address: self_address.get(),
            csf: 0,
            reserved_1c: 0,
        }
    }

    /// Takes 32 bytes apart; `None` without the tag.
    pub fn parse(bytes: &[u8; Self::SIZE_BYTES]) -> Option<Self> {
        let reader = &mut Reader::new(bytes);
        let tag = u8::get(reader);
        let length: [u8; 2] = Raw::get(reader);
        let ivt = Ivt {
            length_bytes: u16::from_be_bytes(length),
            version: u8::get(reader),
            entry: u32::get(reader),
            reserved_08: u32::get(reader),
            dcd: u32::get(reader),
            boot_data: u32::get(reader),
            self_address: u32::get(reader),
            csf: u32::get(reader),
            reserved_1c: u32::get(reader),
        };
        (tag == IVT_TAG).then_some(ivt)
    }

    /// The 32 bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut bytes = vec![IVT_TAG];
        bytes.extend(self.length_bytes.to_be_bytes());
        bytes.push(self.version);
        for word in [
            self.entry,
            self.reserved_08,
            self.dcd,
            self.boot_data,
            self.self_address,
            self.csf,
            self.reserved_1c,
        ] {
            word.put(&mut bytes);
        }
        bytes
    }
}

/// Boot data, 16 bytes with NXP's filler word (IMXRT1060MFUUG Rev 3, boot data).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootData {
    /// Where the image begins on the bus: the flash window for an image that executes in place.
    pub start: u32,
    /// Its length in bytes.
    pub length_bytes: u32,
    /// 1 for a plugin image.
    pub plugin: u32,
}

impl BootData {
    /// Size in bytes of the fields that mean something.
    pub const SIZE_BYTES: usize = 12;
    /// Size in bytes with the filler word behind them.
    pub const BUILT_BYTES: usize = 16;
    /// Fourth word of NXP's SDK: leaves the flash bits erased.
    const FILLER: u32 = 0xFFFF_FFFF;

    /// Takes 12 bytes apart.
    pub fn parse(bytes: &[u8; Self::SIZE_BYTES]) -> Self {
        let reader = &mut Reader::new(bytes);
        BootData {
            start: u32::get(reader),
            length_bytes: u32::get(reader),
            plugin: u32::get(reader),
        }
    }

    /// 16 bytes: the fields and NXP's filler.
    pub fn build(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [self.start, self.length_bytes, self.plugin, Self::FILLER] {
            word.put(&mut bytes);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ivt_is_that_of_nxp_s_sdk() {
        let ivt = Ivt::new(
            0x6000_2000,
            Address::new(0x6000_1000),
            Address::new(0x6000_1020),
        );
        let words: Vec<u32> = ivt
            .build()
            .chunks(4)
            .map(|word| u32::from_le_bytes(word.try_into().expect("a word")))
            .collect();
        assert_eq!(
            words,
            [
                0x4120_00D1, // header: tag D1, length 0020 big-endian, version 41
                0x6000_2000, // entry
                0,
                0,           // dcd
                0x6000_1020, // boot_data
                0x6000_1000, // self
                0,           // csf
                0,
            ]
        );
        let bytes: [u8; 32] = ivt.build().try_into().expect("32 bytes");
        assert_eq!(Ivt::parse(&bytes), Some(ivt));
        assert_eq!(Ivt::parse(&[0xFF; 32]), None);
    }

    #[test]
    fn boot_data_round_trips() {
        let data = BootData {
            start: 0x6000_0000,
            length_bytes: 0x1234,
            plugin: 0,
        };
        let bytes = data.build();
        assert_eq!(bytes.len(), 16);
        let fields: [u8; 12] = bytes[..12].try_into().expect("12 bytes");
        assert_eq!(BootData::parse(&fields), data);
    }
}
