//! IVT and boot data as the ROM reads them, and the jump.

use super::{Reading, RefusalReason};

/// Where the ROM looks for the IVT of a FlexSPI NOR.
pub(super) const IVT_ADDRESS: u32 = 0x6000_1000;
/// Words of an IVT.
pub(super) const IVT_WORDS: u32 = 8;
/// Words of boot data: start, length, plugin.
pub(super) const BOOT_DATA_WORDS: u32 = 3;
/// FlexSPI1's window.
pub(super) const WINDOW: std::ops::Range<u32> = 0x6000_0000..0x7000_0000;
const OFFSET_OF_IVT: u32 = 0x1000;
const TAG: u8 = 0xD1;
const LENGTH: [u8; 2] = [0x00, 0x20];

/// The IVT (IMXRT1060MFUUG, image vector table).
#[derive(Clone, Copy, Debug)]
pub(super) struct Ivt {
    pub entry: u32,
    pub dcd: u32,
    pub boot_data: u32,
    pub this: u32,
    pub csf: u32,
    /// From boot data.
    pub start: u32,
    pub length: u32,
}

impl Ivt {
    /// Takes the words read at 0x60001000.
    pub fn new(words: &[u32], reading: Reading) -> Result<Ivt, RefusalReason> {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        let header = word(0).to_le_bytes();
        let [tag, high, low, version] = header;
        if tag != TAG || [high, low] != LENGTH || version & 0xF0 != 0x40 {
            return Err(RefusalReason::IvtHeader { found: header });
        }
        let ivt = Ivt {
            entry: word(1),
            dcd: word(3),
            boot_data: word(4),
            this: word(5),
            csf: word(6),
            start: 0,
            length: 0,
        };
        let refuse = |index: usize, field, why| {
            let address = IVT_ADDRESS + 4 * index as u32;
            Err(RefusalReason::IvtField {
                address,
                field,
                found: word(index),
                why,
            })
        };
        if reading == Reading::Strict {
            if !(0x40..=0x43).contains(&version) {
                return refuse(0, "header", "version is not 40h to 43h");
            }
            if word(2) != 0 {
                return refuse(2, "reserved1", "not 0");
            }
            if word(7) != 0 {
                return refuse(7, "reserved2", "not 0");
            }
        }
        if ivt.boot_data == 0 {
            return refuse(4, "boot_data", "no boot data");
        }
        Ok(ivt)
    }

    /// Where something that the IVT points to stands in the flash window: pointers count from `self`.
    pub fn in_flash(&self, pointer: u32) -> u32 {
        IVT_ADDRESS.wrapping_add(pointer.wrapping_sub(self.this))
    }

    /// Adds the boot data.
    pub fn with_boot_data(self, words: &[u32], reading: Reading) -> Result<Ivt, RefusalReason> {
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        let (start, length, plugin) = (word(0), word(1), word(2));
        let refuse = |index: u32, field, found, why| {
            let address = self.in_flash(self.boot_data).wrapping_add(4 * index);
            Err(RefusalReason::BootDataField {
                address,
                field,
                found,
                why,
            })
        };
        if length == 0 {
            return refuse(1, "length", length, "an image of no bytes");
        }
        if plugin & 1 != 0 {
            return Err(RefusalReason::NotModelled {
                what: "boot data asks for a plugin".to_string(),
            });
        }
        if reading == Reading::Strict && plugin != 0 {
            return refuse(2, "plugin", plugin, "neither 0 nor 1");
        }
        let ivt = Ivt {
            start,
            length,
            ..self
        };
        let expected = start.wrapping_add(OFFSET_OF_IVT);
        if reading == Reading::Strict && self.this != expected {
            let why = "not the address of the IVT itself";
            return Err(RefusalReason::IvtField {
                address: IVT_ADDRESS + 0x14,
                field: "self",
                found: self.this,
                why,
            });
        }
        if !ivt.in_place() && !ram_free_for_image(start, length) {
            return refuse(
                0,
                "start",
                start,
                "neither the flash nor RAM outside the ROM's own",
            );
        }
        Ok(ivt)
    }

    /// Whether the image runs where it lies.
    pub fn in_place(&self) -> bool {
        WINDOW.contains(&self.start)
    }

    /// The jump: bit 0 of the entry decides between code and vector table.
    pub fn entry_is_code(&self) -> bool {
        self.entry & 1 == 1
    }

    /// Checks the entry, before anything is read through it.
    pub fn check_entry(&self, reading: Reading) -> Result<(), RefusalReason> {
        let refuse = |why| {
            Err(RefusalReason::IvtField {
                address: IVT_ADDRESS + 4,
                field: "entry",
                found: self.entry,
                why,
            })
        };
        if self.entry == 0 || self.entry == u32::MAX {
            return refuse("no entry");
        }
        if reading == Reading::Strict {
            if self.in_place() && !WINDOW.contains(&self.entry) {
                return refuse("outside the flash window");
            }
            if !self.entry_is_code() && !self.entry.is_multiple_of(4) {
                return refuse("even, so a vector table, and not word aligned");
            }
        }
        Ok(())
    }
}

/// ITCM, DTCM and OCRAM as split by the fuses, without the ROM's working RAM.
fn ram_free_for_image(start: u32, length: u32) -> bool {
    const RAM: [std::ops::RangeInclusive<u64>; 3] = [
        0..=0x0002_0000,
        0x2000_0000..=0x2002_0000,
        0x2020_8000..=0x202C_0000,
    ];
    let end = u64::from(start) + u64::from(length);
    RAM.iter()
        .any(|range| range.contains(&u64::from(start)) && range.contains(&end))
}
