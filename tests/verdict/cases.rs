//! One change of a sound header for every finding that the ROM can show.

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Will not boot.
    Refused,
    /// May boot or not.
    Uncertain,
    /// Boots, with a word about it.
    Told,
}

/// A change and the finding it leads to.
pub struct Case {
    pub code: &'static str,
    pub side: Side,
    words: &'static [(usize, u32)],
}

impl Case {
    pub fn changes(&self) -> Vec<(usize, Vec<u8>)> {
        self.words
            .iter()
            .map(|(at, word)| (*at, word.to_le_bytes().to_vec()))
            .collect()
    }
}

const fn case(code: &'static str, side: Side, words: &'static [(usize, u32)]) -> Case {
    Case { code, side, words }
}

use Side::{Refused, Told, Uncertain};

// The sound header has: 00C 00030301, 010 0, 040 10, 044 00050401, 050 00800000, 080 0A1804EB, 084 32041EFF, 088 2604.
pub const CASES: &[Case] = &[
    case("fcb-tag", Refused, &[(0x000, 0x4246_4347)]),
    case("fcb-version", Uncertain, &[(0x004, 0x5602_0000)]),
    case("fcb-version", Uncertain, &[(0x004, 0)]),
    case("fcb-device-type", Uncertain, &[(0x044, 0x0005_0402)]),
    case("fcb-pads", Uncertain, &[(0x044, 0x0005_0801)]),
    case("fcb-pads", Uncertain, &[(0x044, 0x0005_0101)]),
    case("fcb-sample-clock", Uncertain, &[(0x00C, 0x0003_0304)]),
    case("fcb-sample-clock", Uncertain, &[(0x00C, 0x0003_0300)]),
    case("fcb-clock-code", Uncertain, &[(0x044, 0x0000_0401)]),
    case("fcb-clock-code", Uncertain, &[(0x044, 0x000A_0401)]),
    case("fcb-clock", Told, &[(0x044, 0x0007_0401)]),
    case("fcb-clock", Uncertain, &[(0x044, 0x0009_0401)]),
    case("fcb-no-read", Refused, &[(0x080, 0)]),
    case("fcb-lut-opcode", Refused, &[(0x084, 0x6804_1EFF)]),
    case("fcb-read-command", Uncertain, &[(0x080, 0x0A18_04ED)]),
    case("fcb-read-lines", Refused, &[(0x080, 0x0818_04EB)]),
    case("fcb-read-lines", Refused, &[(0x080, 0x0A20_04EB)]),
    case("fcb-dummies", Uncertain, &[(0x084, 0x3206_1EFF)]),
    case("fcb-continuous-read", Uncertain, &[(0x084, 0x3204_1EA0)]),
    case("fcb-read-sequence", Uncertain, &[(0x084, 0x3204_3204)]),
    case("fcb-misc", Uncertain, &[(0x040, 0x50)]),
    case("fcb-column-address", Uncertain, &[(0x00C, 0x0303_0301)]),
    case("fcb-cs-time", Uncertain, &[(0x00C, 0x0003_2001)]),
    case("fcb-reserved", Uncertain, &[(0x008, 1)]),
    case("fcb-size", Refused, &[(0x050, 0)]),
    case("fcb-size", Refused, &[(0x050, 0x1000)]),
    case("fcb-size", Told, &[(0x050, 0x2400)]),
    case("fcb-size-odd", Uncertain, &[(0x050, 0x80_0001)]),
    // 01h with 40h through sequence 4, as CircuitPython has it
    case(
        "fcb-writes-status",
        Told,
        &[
            (0x010, 0x0000_0101),
            (0x014, 0x0000_0401),
            (0x018, 0x40),
            (0x0C0, 0x2001_0401),
        ],
    ),
    case("fcb-mode-commands", Uncertain, &[(0x010, 1)]),
    case("ivt-tag", Refused, &[(0x1000, 0x4120_00D2)]),
    case("ivt-length", Uncertain, &[(0x1000, 0x4121_00D1)]),
    case("ivt-version", Uncertain, &[(0x1000, 0x4420_00D1)]),
    case("ivt-version", Uncertain, &[(0x1000, 0x3020_00D1)]),
    case("ivt-reserved", Uncertain, &[(0x1008, 1)]),
    case("ivt-self", Refused, &[(0x1014, 0x6000_0400)]),
    case("ivt-self", Refused, &[(0x1014, 0x7000_1000)]),
    case("ivt-boot-data", Refused, &[(0x1010, 0)]),
    case("ivt-boot-data", Refused, &[(0x1010, 0x6100_0000)]),
    case("boot-data-alignment", Uncertain, &[(0x1010, 0x6000_1021)]),
    case("boot-data-start", Uncertain, &[(0x1020, 0x6000_1000)]),
    case("boot-data-length", Refused, &[(0x1024, 0)]),
    case("boot-data-length", Told, &[(0x1024, 32)]),
    case("plugin", Uncertain, &[(0x1028, 1)]),
    case("dcd-tag", Uncertain, &[(0x100C, 0x6000_3000)]),
    case(
        "dcd-range",
        Uncertain,
        &[(0x100C, 0x6000_3000), (0x3000, 0x4100_70D2)],
    ),
    case(
        "dcd-version",
        Uncertain,
        &[(0x100C, 0x6000_3000), (0x3000, 0x4204_00D2)],
    ),
    case(
        "dcd-command",
        Uncertain,
        &[(0x100C, 0x6000_3000), (0x3000, 0x4108_00D2)],
    ),
    case(
        "dcd-alignment",
        Uncertain,
        &[
            (0x100C, 0x6000_3002),
            (0x3000, 0x00D2_0000),
            (0x3004, 0x4104),
        ],
    ),
    case("csf-range", Uncertain, &[(0x1018, 0x6F00_0000)]),
    case(
        "signed",
        Told,
        &[(0x1018, 0x6000_3000), (0x3000, 0x4250_00D4)],
    ),
    case("entry-outside", Refused, &[(0x1004, 0x7000_2000)]),
    case(
        "vector-table-alignment",
        Uncertain,
        &[
            (0x1004, 0x6000_2040),
            (0x2040, 0x2002_0000),
            (0x2044, 0x6000_2101),
        ],
    ),
    case("stack-pointer", Refused, &[(0x2000, 0x6000_0000)]),
    case(
        "stack-pointer-misaligned",
        Refused,
        &[(0x2000, 0x2001_0002)],
    ),
    case("stack-pointer-misaligned", Told, &[(0x2000, 0x2001_0004)]),
    case("reset-not-thumb", Refused, &[(0x2004, 0x6000_2100)]),
    case("reset-outside", Refused, &[(0x2004, 0x6000_9001)]),
];
