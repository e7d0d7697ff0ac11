//! One change of a sound image for every finding that the ROM can show, and where the others are tested.

use std::ops::Range;

/// What a finding does to the verdict, and what the two readings of the ROM then do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Will not boot, under neither reading.
    Refused,
    /// May boot or not: the strict reading refuses, the lenient one boots.
    Uncertain,
    /// May boot or not, and the model has one answer only.
    UncertainAlike {
        /// What the model does under both readings.
        boots: bool,
        /// Why it cannot show the other outcome.
        why: &'static str,
    },
    /// Boots under both readings, with a word about it.
    Told,
}

/// A change and the finding it leads to.
pub struct Case {
    pub code: &'static str,
    pub side: Side,
    words: &'static [(usize, u32)],
    erased: Option<Range<usize>>,
    /// What the file does not bring; the flash is erased there.
    pub gap: Option<Range<usize>>,
}

impl Case {
    pub fn changes(&self) -> Vec<(usize, Vec<u8>)> {
        let erased = self.erased.iter().chain(&self.gap);
        let erased = erased.map(|range| (range.start, vec![0xFF; range.len()]));
        let words = self.words.iter();
        erased
            .chain(words.map(|(at, word)| (*at, word.to_le_bytes().to_vec())))
            .collect()
    }

    /// The same with a range in which the flash, and the file, are erased.
    const fn erased(self, range: Range<usize>) -> Self {
        Case {
            erased: Some(range),
            ..self
        }
    }

    /// The same with a range that the file does not bring.
    const fn without(self, range: Range<usize>) -> Self {
        Case {
            gap: Some(range),
            ..self
        }
    }
}

const fn case(code: &'static str, side: Side, words: &'static [(usize, u32)]) -> Case {
    Case {
        code,
        side,
        words,
        erased: None,
        gap: None,
    }
}

/// Uncertain, and the model boots.
const fn boots(why: &'static str) -> Side {
    Side::UncertainAlike { boots: true, why }
}

/// Uncertain, and the model does not boot.
const fn fails(why: &'static str) -> Side {
    Side::UncertainAlike { boots: false, why }
}

use Side::{Refused, Told, Uncertain};

const FCB: Range<usize> = 0..0x200;
const IVT: Range<usize> = 0x1000..0x1020;

// The sound header has: 00C 00030301, 010 0, 040 10, 044 00050401, 050 00800000, 080 0A1804EB, 084 32041EFF, 088 2604.
pub const CASES: &[Case] = &[
    case("fcb-tag", Refused, &[(0x000, 0x4246_4347)]),
    case("fcb-version", Uncertain, &[(0x004, 0x5602_0000)]),
    case("fcb-version", Uncertain, &[(0x004, 0)]),
    case("fcb-device-type", Uncertain, &[(0x044, 0x0005_0402)]),
    case("fcb-pads", Uncertain, &[(0x044, 0x0005_0801)]),
    case(
        "fcb-pads",
        boots("the model muxes all pads, whatever sflashPadType says"),
        &[(0x044, 0x0005_0101)],
    ),
    case("fcb-sample-clock", Uncertain, &[(0x00C, 0x0003_0305)]),
    case(
        "fcb-sample-clock",
        fails(
            "the modelled board is as slow as the limit without loopback supposes; boards differ",
        ),
        &[(0x00C, 0x0003_0300)],
    ),
    case("fcb-clock-code", Uncertain, &[(0x044, 0x0000_0401)]),
    case("fcb-clock-code", Uncertain, &[(0x044, 0x000A_0401)]),
    case("fcb-clock", Told, &[(0x044, 0x0007_0401)]),
    case(
        "fcb-clock",
        fails("the modelled part keeps up with the clocks of NXP's boards, and no further"),
        &[(0x044, 0x0009_0401)],
    ),
    case("fcb-no-read", Refused, &[(0x080, 0)]),
    case("fcb-lut-opcode", Refused, &[(0x084, 0x6804_1EFF)]),
    case(
        "fcb-read-command",
        fails("the modelled part knows the commands of its data only"),
        &[(0x080, 0x0A18_04ED)],
    ),
    case("fcb-read-lines", Refused, &[(0x080, 0x0818_04EB)]),
    case("fcb-read-lines", Refused, &[(0x080, 0x0A20_04EB)]),
    case(
        "fcb-dummies",
        fails("the modelled part has its dummies of delivery"),
        &[(0x084, 0x3206_1EFF)],
    ),
    case(
        "fcb-continuous-read",
        fails("the modelled part takes the next command for an address"),
        &[(0x084, 0x3204_1EA0)],
    ),
    case(
        "fcb-read-sequence",
        fails("the part sees too many clocks"),
        &[(0x084, 0x3204_3204)],
    ),
    case(
        "fcb-read-sequence",
        boots("the part sees the right clocks, whatever they are called"),
        &[(0x084, 0x3202_1EFF), (0x088, 0x2604_3202)],
    ),
    case(
        "fcb-misc",
        fails("not modelled: DDR mode"),
        &[(0x040, 0x50)],
    ),
    case(
        "fcb-column-address",
        fails("not modelled: column addresses"),
        &[(0x00C, 0x0303_0301)],
    ),
    case("fcb-cs-time", Uncertain, &[(0x00C, 0x0003_2001)]),
    case("fcb-reserved", Uncertain, &[(0x008, 1)]),
    case("fcb-size", Refused, &[(0x050, 0)]),
    case("fcb-size", Refused, &[(0x050, 0x1000)]),
    case("fcb-size", Told, &[(0x050, 0x2400)]),
    case(
        "fcb-size-odd",
        boots("the FlexSPI drops what is no whole KiB"),
        &[(0x050, 0x80_0001)],
    ),
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
    case(
        "fcb-mode-commands",
        boots("an empty sequence does nothing on the modelled FlexSPI"),
        &[(0x010, 1)],
    ),
    case("ivt-tag", Refused, &[(0x1000, 0x4120_00D2)]),
    case(
        "ivt-length",
        fails("both readings look for the guide's bytes D1 00 20"),
        &[(0x1000, 0x4121_00D1)],
    ),
    case("ivt-version", Uncertain, &[(0x1000, 0x4420_00D1)]),
    case(
        "ivt-version",
        fails("the lenient reading ends with the 4Fh that SPSDK knows"),
        &[(0x1000, 0x3020_00D1)],
    ),
    case("ivt-reserved", Uncertain, &[(0x1008, 1)]),
    case("ivt-self", Refused, &[(0x1014, 0x6000_0400)]),
    case("ivt-self", Refused, &[(0x1014, 0x7000_1000)]),
    case("ivt-boot-data", Refused, &[(0x1010, 0)]),
    case("ivt-boot-data", Refused, &[(0x1010, 0x6100_0000)]),
    case(
        "boot-data-alignment",
        fails("both readings read words"),
        &[(0x1010, 0x6000_1021)],
    ),
    case("boot-data-start", Uncertain, &[(0x1020, 0x6000_1000)]),
    case("boot-data-length", Refused, &[(0x1024, 0)]),
    case("boot-data-length", Told, &[(0x1024, 32)]),
    case("plugin", fails("not modelled: plugins"), &[(0x1028, 1)]),
    case("plugin", Uncertain, &[(0x1028, 2)]),
    case("dcd-tag", Uncertain, &[(0x100C, 0x6000_3000)]),
    case(
        "dcd-range",
        fails("both readings keep to the guide's limit"),
        &[(0x100C, 0x6000_3000), (0x3000, 0x4100_70D2)],
    ),
    case(
        "dcd-version",
        Uncertain,
        &[(0x100C, 0x6000_3000), (0x3000, 0x4204_00D2)],
    ),
    case(
        "dcd-command",
        fails("both readings refuse what cannot be walked"),
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
    case(
        "csf-range",
        fails("the modelled ROM looks for the CSF, and the bus has nothing there"),
        &[(0x1018, 0x6F00_0000)],
    ),
    case(
        "signed",
        Told,
        &[(0x1018, 0x6000_3000), (0x3000, 0x4250_00D4)],
    ),
    case("entry-outside", Refused, &[(0x1004, 0x7000_2000)]),
    case(
        "vector-table-alignment",
        boots("the core looks at VTOR at an exception only"),
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
    case(
        "vector-table-alignment",
        Uncertain,
        &[
            (0x1004, 0x6000_2042),
            (0x2042, 0x2002_0000),
            (0x2046, 0x6000_2101),
        ],
    ),
    // a check for any clear bit of no mask at all waits for ever; one for all set bits of it does not wait
    case(
        "dcd-waits",
        boots("the modelled register fulfils the check at once"),
        &[
            (0x100C, 0x6000_3000),
            (0x3000, 0x4110_00D2),
            (0x3004, 0x140C_00CF),
            (0x3008, 0x68C0_0F40),
            (0x300C, 0),
        ],
    ),
    case(
        "dcd-waits",
        fails("not modelled: the unlock command"),
        &[
            (0x100C, 0x6000_3000),
            (0x3000, 0x4108_00D2),
            (0x3004, 0x0004_00B2),
        ],
    ),
    case("fcb-misc", Uncertain, &[(0x040, 0x11)]),
    case("fcb-misc", Uncertain, &[(0x040, 0x12)]),
    case("fcb-misc", Uncertain, &[(0x040, 0x30)]),
    case("fcb-misc", Uncertain, &[(0x040, 0x90)]),
    case("fcb-misc", Uncertain, &[(0x040, 0x8000_0010)]),
    case(
        "fcb-custom-sequences",
        Uncertain,
        &[(0x044, 0x0105_0401), (0x180, 1)],
    ),
    // a wait of 100 us behind a write of the status register
    case(
        "fcb-mode-commands",
        fails("the modelled part takes longer for the write"),
        &[
            (0x010, 0x0001_0101),
            (0x014, 0x0000_0401),
            (0x018, 0x40),
            (0x0C0, 0x2001_0401),
        ],
    ),
    // linked for the RAM that the ROM itself uses
    case(
        "boot-data-ram",
        fails("both readings protect the ROM's own RAM"),
        &[
            (0x1004, 0x2020_6000),
            (0x1010, 0x2020_5020),
            (0x1014, 0x2020_5000),
            (0x1020, 0x2020_4000),
            (0x1024, 0x3000),
            (0x2004, 0x2020_6101),
        ],
    ),
    // the entry is missing
    case("ivt-incomplete", Refused, &[]).without(0x1004..0x1008),
    // the read sequence is missing
    case("fcb-incomplete", Refused, &[]).without(0x080..0x090),
    case(
        "vector-table-at-start",
        Refused,
        &[(0x000, 0x2002_0000), (0x004, 0x6000_0101)],
    ),
    case("boot-data-place-taken", Refused, &[]).erased(IVT),
    case("maybe-encrypted", Refused, &[(0x400, 0x1234_5678)]).erased(IVT),
    case("maybe-encrypted", Refused, &[(0x800, 0x1234_5678)]).erased(IVT),
    case("fcb-wrong-place", Told, &[(0x400, 0x4246_4346)]).erased(FCB),
    case("partial-image", Refused, &[]).without(0..0x2100),
    case("gaps", Told, &[]).without(0x3000..0x3100),
];

/// Codes that no change of one header can show on the ROM, and the file with their test.
pub const ELSEWHERE: &[(&str, &str)] = &[
    // how the image and the part fit: 8 MiB and more, other windows
    ("beyond-part", "src/boot/tests.rs"),
    ("other-flexspi", "src/boot/tests.rs"),
    // what was missing and is inserted: the completed image is what boots
    ("fcb-absent", "tests/verdict/main.rs"),
    ("ivt-absent", "tests/verdict/main.rs"),
    // what the user asks for
    ("fcb-impossible", "tests/verdict/main.rs"),
    ("board-not-read", "tests/verdict/main.rs"),
    ("fcb-changed", "tests/verdict/main.rs"),
    ("ivt-changed", "tests/verdict/main.rs"),
    ("dcd-dropped", "src/boot/policy_tests.rs"),
    ("fcb-file", "src/boot/policy_tests.rs"),
    // what the board holds
    ("covers-entry", "src/boot/policy_tests.rs"),
    ("slot-unknown", "src/boot/policy_tests.rs"),
    ("data-signed", "src/boot/policy_tests.rs"),
    ("slot-alignment", "src/boot/policy_tests.rs"),
    // the ROM model has no BEE
    ("bee-headers", "src/boot/policy_tests.rs"),
    ("mcuboot-header", "src/boot/policy_tests.rs"),
    ("mcuboot-not-bootable", "src/boot/policy_tests.rs"),
    ("mcuboot-slot-size", "src/boot/policy_tests.rs"),
    ("mcuboot-vectors", "src/boot/policy_tests.rs"),
    // what the bootloader decides, after the ROM
    ("bootloader-unknown", "src/boot/tests.rs"),
    ("bootloader-without-application", "src/boot/tests.rs"),
    ("mcuboot-hash", "src/boot/tests.rs"),
    ("mcuboot-incomplete", "src/boot/tests.rs"),
    ("mcuboot-linked-elsewhere", "src/boot/tests.rs"),
    ("mcuboot-no-hash", "src/boot/tests.rs"),
    ("mcuboot-not-signed", "src/boot/tests.rs"),
    // no image comes to it: the fuzz target `judge` looks for one
    ("not-judged", "tests/fuzz/src/check/flash.rs"),
];
