//! The CoreSight ROM tables of the RT1062 and the identification registers of the components they list.
//!
//! Identification values and tree as J-Link and LinkServer logs of the chip print them; entries of the two Arm tables as
//! in the Cortex-M7 TRM (DDI 0489F chapter 9); register layout from ADIv5.2 chapters D1 to D3.

const PAGE_BYTES: u32 = 0x1000;

const OFFSET_DEVARCH: u32 = 0xFBC;
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

/// DEVTYPE of a core's trace source.
const DEVTYPE_ETM: u32 = 0x13;
/// DEVARCH of an ETMv4: Arm, present, architecture 0x4A13.
const DEVARCH_ETM4: u32 = 0x4770_4A13;

struct Component {
    base: u32,
    cid: u32,
    /// PIDR4 (high word) and PIDR3 to PIDR0 (low word, a byte each).
    pid: u64,
    /// MEMTYPE of a ROM table, DEVTYPE of a CoreSight component, 0 where not listed.
    kind: u32,
    /// The entries of a ROM table: offset to the component in bits 31:12, 32-bit format in bit 1, present in bit 0.
    entries: &'static [u32],
}

const COMPONENTS: &[Component] = &[
    // NXP's table of the chip, part 0x88C.
    Component {
        base: 0xE00F_D000,
        cid: CID_ROM_TABLE,
        pid: 0x00_0008_E88C,
        kind: MEMTYPE_SYSMEM,
        entries: &[0x0000_1003, 0xFFF4_3003, 0xFFF4_6003],
    },
    // Cortex-M7 processor table.
    Component {
        base: 0xE00F_E000,
        cid: CID_ROM_TABLE,
        pid: 0x04_000B_B4C8,
        kind: MEMTYPE_SYSMEM,
        entries: &[0x0000_1003, 0xFFF4_3003, 0xFFF4_4003, 0x1FF0_2002],
    },
    // Cortex-M7 PPB table.
    Component {
        base: 0xE00F_F000,
        cid: CID_ROM_TABLE,
        pid: 0x04_000B_B4C7,
        kind: MEMTYPE_SYSMEM,
        entries: &[0xFFF0_F003, 0xFFF0_2003, 0xFFF0_3003, 0xFFF0_1003],
    },
    // SCS, DWT, FPB, ITM.
    Component {
        base: 0xE000_E000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B00C,
        kind: 0,
        entries: &[],
    },
    Component {
        base: 0xE000_1000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B002,
        kind: 0,
        entries: &[],
    },
    Component {
        base: 0xE000_2000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B00E,
        kind: 0,
        entries: &[],
    },
    Component {
        base: 0xE000_0000,
        cid: CID_GENERIC_IP,
        pid: 0x04_000B_B001,
        kind: 0,
        entries: &[],
    },
    // TPIU, ETM, CTI.
    Component {
        base: 0xE004_0000,
        cid: CID_CORESIGHT,
        pid: 0x04_000B_B9A9,
        kind: 0x11,
        entries: &[],
    },
    Component {
        base: 0xE004_1000,
        cid: CID_CORESIGHT,
        pid: 0x04_001B_B975,
        kind: DEVTYPE_ETM,
        entries: &[],
    },
    Component {
        base: 0xE004_2000,
        cid: CID_CORESIGHT,
        pid: 0x04_004B_B906,
        kind: 0x14,
        entries: &[],
    },
    // Time stamp generator.
    Component {
        base: 0xE004_3000,
        cid: CID_PRIMECELL,
        pid: 0x04_001B_B101,
        kind: 0,
        entries: &[],
    },
];

/// The word at `address` where it belongs to a ROM table or to the identification registers (offsets 0xFBC, 0xFCC,
/// 0xFD0 to 0xFFC) of a listed component; `None` elsewhere, the components' working registers included.
///
/// Offsets 0x000 to 0xFC8 of the three ROM tables are entries, zero after the last.
pub fn rom_table_word(address: u32) -> Option<u32> {
    let offset = address % PAGE_BYTES;
    let component = COMPONENTS.iter().find(|c| c.base == address - offset)?;
    if !offset.is_multiple_of(4) {
        return None;
    }
    let pid_byte = |n: u32| ((component.pid >> (u8::BITS * n)) & 0xFF) as u32;
    let word = match offset {
        OFFSET_CIDR0.. => (component.cid >> (u8::BITS * ((offset - OFFSET_CIDR0) / 4))) & 0xFF,
        OFFSET_PIDR0.. => pid_byte((offset - OFFSET_PIDR0) / 4),
        OFFSET_PIDR4.. => pid_byte((offset - OFFSET_PIDR4) / 4 + 4),
        OFFSET_MEMTYPE_DEVTYPE => component.kind,
        OFFSET_DEVARCH if component.kind == DEVTYPE_ETM => DEVARCH_ETM4,
        OFFSET_DEVARCH => 0,
        // Zero after the last entry.
        _ if component.cid == CID_ROM_TABLE => component
            .entries
            .get(offset as usize / 4)
            .map_or(0, |entry| *entry),
        _ => return None,
    };
    Some(word)
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
