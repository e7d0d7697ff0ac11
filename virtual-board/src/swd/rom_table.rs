//! The CoreSight ROM tables of the RT1062 and the identification registers of the components they list.
//!
//! Values as J-Link and LinkServer logs of the chip print them; register layout from ADIv5.2 chapters D1 to D3.

const PAGE_BYTES: u32 = 0x1000;

const OFFSET_MEMTYPE_DEVTYPE: u32 = 0xFCC;
const OFFSET_PIDR4: u32 = 0xFD0;
const OFFSET_PIDR0: u32 = 0xFE0;
const OFFSET_CIDR0: u32 = 0xFF0;

/// Component identifications: the class stands in bits 15:12.
const CID_ROM_TABLE: u32 = 0xB105_100D;
const CID_CORESIGHT: u32 = 0xB105_900D;
const CID_GENERIC_IP: u32 = 0xB105_E00D;
const CID_PRIMECELL: u32 = 0xB105_F00D;

/// A class 1 ROM table whose table space is also system memory.
const MEMTYPE_SYSMEM: u32 = 1;

/// Present, 32-bit format.
const ENTRY_PRESENT: u32 = 0b11;

struct Component {
    base: u32,
    cid: u32,
    /// PIDR4 (high word) and PIDR3 to PIDR0 (low word, a byte each).
    pid: u64,
    /// MEMTYPE of a ROM table, DEVTYPE of a CoreSight component, 0 where not listed.
    kind: u32,
    /// The components this ROM table lists, by base address.
    lists: &'static [u32],
}

const COMPONENTS: &[Component] = &[
    // NXP's table of the chip, part 0x88C.
    Component {
        base: 0xE00F_D000,
        cid: CID_ROM_TABLE,
        pid: 0x00_0008_E88C,
        kind: MEMTYPE_SYSMEM,
        lists: &[0xE00F_E000, 0xE004_0000, 0xE004_3000],
    },
    // Cortex-M7 processor table.
    Component {
        base: 0xE00F_E000,
        cid: CID_ROM_TABLE,
        pid: 0x04_000B_B4C8,
        kind: MEMTYPE_SYSMEM,
        lists: &[0xE00F_F000, 0xE004_1000, 0xE004_2000],
    },
    // Cortex-M7 PPB table.
    Component {
        base: 0xE00F_F000,
        cid: CID_ROM_TABLE,
        pid: 0x04_000B_B4C7,
        kind: MEMTYPE_SYSMEM,
        lists: &[0xE000_E000, 0xE000_1000, 0xE000_2000, 0xE000_0000],
    },
    // SCS, DWT, FPB, ITM.
    Component {
        base: 0xE000_E000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B00C,
        kind: 0,
        lists: &[],
    },
    Component {
        base: 0xE000_1000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B002,
        kind: 0,
        lists: &[],
    },
    Component {
        base: 0xE000_2000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B00E,
        kind: 0,
        lists: &[],
    },
    Component {
        base: 0xE000_0000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B001,
        kind: 0,
        lists: &[],
    },
    // TPIU, ETM, CTI.
    Component {
        base: 0xE004_0000,
        cid: CID_CORESIGHT,
        pid: 0x04_000B_B9A9,
        kind: 0x11,
        lists: &[],
    },
    Component {
        base: 0xE004_1000,
        cid: CID_CORESIGHT,
        pid: 0x04_001B_B975,
        kind: 0x13,
        lists: &[],
    },
    Component {
        base: 0xE004_2000,
        cid: CID_CORESIGHT,
        pid: 0x04_004B_B906,
        kind: 0x14,
        lists: &[],
    },
    // Time stamp generator.
    Component {
        base: 0xE004_3000,
        cid: CID_PRIMECELL,
        pid: 0x04_001B_B101,
        kind: 0,
        lists: &[],
    },
];

/// The word at `address` where it belongs to a ROM table or to the identification registers (offsets 0xFCC, 0xFD0 to
/// 0xFFC) of a listed component; `None` elsewhere, the components' working registers included.
///
/// Offsets 0x000 to 0xFC8 of the three ROM tables are entries, zero after the last.
pub fn rom_table_word(address: u32) -> Option<u32> {
    let offset = address % PAGE_BYTES;
    let component = COMPONENTS.iter().find(|c| c.base == address - offset)?;
    if !offset.is_multiple_of(4) {
        return None;
    }
    let pid_byte = |n: u32| ((component.pid >> (u8::BITS * n)) & 0xFF) as u32;
    match offset {
        OFFSET_CIDR0.. => {
            let n = (offset - OFFSET_CIDR0) / 4;
            Some((component.cid >> (u8::BITS * n)) & 0xFF)
        }
        OFFSET_PIDR0.. => Some(pid_byte((offset - OFFSET_PIDR0) / 4)),
        OFFSET_PIDR4 => Some(pid_byte(4)),
        OFFSET_PIDR4.. => Some(0),
        OFFSET_MEMTYPE_DEVTYPE => Some(component.kind),
        _ if component.cid == CID_ROM_TABLE => Some(entry(component, offset / 4)),
        _ => None,
    }
}

fn entry(table: &Component, index: u32) -> u32 {
    match table.lists.get(index as usize) {
        Some(base) => base.wrapping_sub(table.base) | ENTRY_PRESENT,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::rom_table_word;

    #[test]
    fn the_tables_lead_from_the_base_register_to_the_system_control_space() {
        assert_eq!(rom_table_word(0xE00F_D000), Some(0x0000_1003));
        assert_eq!(rom_table_word(0xE00F_E000), Some(0x0000_1003));
        assert_eq!(rom_table_word(0xE00F_F000), Some(0xFFF0_F003));
        assert_eq!(rom_table_word(0xE00F_F010), Some(0));
    }

    #[test]
    fn working_registers_are_not_answered_here() {
        assert_eq!(rom_table_word(0xE000_ED00), None);
        assert_eq!(rom_table_word(0xE000_1020), None);
        assert_eq!(rom_table_word(0x2000_0FF0), None);
        assert_eq!(rom_table_word(0xE000_EFE0), Some(0x0C));
    }
}
