//! FCBs that are published by projects whose boards boot, word by word.

/// An FCB as 128 little-endian words.
pub type FcbWords = [u32; 128];

/// `base` with the words at some byte offsets replaced.
pub const fn fcb(base: &FcbWords, changes: &[(usize, u32)]) -> FcbWords {
    let mut words = *base;
    let mut i = 0;
    while i < changes.len() {
        words[changes[i].0 / 4] = changes[i].1;
        i += 1;
    }
    words
}

/// Tag, page size and sector size: in every one of them.
const COMMON: FcbWords = fcb(
    &[0; 128],
    &[(0x000, 0x4246_4346), (0x1C0, 0x100), (0x1C4, 0x1000)],
);

/// The sequences of NXP's SDK: EBh read, 05h, 06h, 20h, D8h, 02h, 60h.
const SDK_LUT: [(usize, u32); 9] = [
    (0x080, 0x0A18_04EB),
    (0x084, 0x2604_3206),
    (0x090, 0x2404_0405),
    (0x0B0, 0x0000_0406),
    (0x0D0, 0x0818_0420),
    (0x100, 0x0818_04D8),
    (0x110, 0x0818_0402),
    (0x114, 0x0000_2004),
    (0x130, 0x0000_0460),
];

const fn sdk_like(changes: &[(usize, u32)]) -> FcbWords {
    fcb(&fcb(&COMMON, &SDK_LUT), changes)
}

/// NXP SDK and Zephyr, EVK and EVKB (mcux-sdk evkmimxrt1060_flexspi_nor_config.c).
pub static FCB_EVK: &FcbWords = &EVK;
const EVK: FcbWords = sdk_like(&[
    (0x004, 0x5601_0400),
    (0x00C, 0x0003_0301),
    (0x040, 0x10),
    (0x044, 0x0007_0401),
    (0x050, 0x0080_0000),
    (0x1C8, 1),
    (0x1D0, 0x1_0000),
]);
const EVKC: FcbWords = fcb(&EVK, &[(0x050, 0x0100_0000)]);
const RT1064: FcbWords = fcb(&EVK, &[(0x050, 0x0040_0000)]);
const LEGACY: FcbWords = fcb(
    &COMMON,
    &[
        (0x004, 0x5601_0400),
        (0x00C, 0x0003_0301),
        (0x044, 0x0006_0400),
        (0x050, 0x0080_0000),
        (0x080, 0x0A18_04EB),
        (0x084, 0x2604_3206),
        (0x1D0, 0x1_0000),
    ],
);
const BOOT_GEN: FcbWords = fcb(&EVK, &[(0x044, 0x0008_0401), (0x100, 0), (0x1D0, 0)]);
const CIRCUIT_PYTHON: FcbWords = fcb(
    &EVK,
    &[
        (0x010, 0x0000_0101),
        (0x014, 0x0000_0401),
        (0x018, 0x0000_0040),
        (0x040, 0),
        (0x044, 0x0003_0401),
        (0x090, 0x2402_0405),
        (0x0C0, 0x2001_0401),
    ],
);
const MICRO_PYTHON: FcbWords = fcb(
    &EVK,
    &[
        (0x010, 0x0000_0101),
        (0x014, 0x0000_0401),
        (0x018, 0x0000_0040),
        (0x040, 0),
        (0x044, 0x0006_0401),
        (0x0C0, 0x2404_0481),
        (0x1C8, 0),
        (0x1D0, 0x8000),
    ],
);
const TEENSY_2019: FcbWords = fcb(
    &EVK,
    &[
        (0x004, 0x5601_0000),
        (0x00C, 0x0002_0101),
        (0x040, 0),
        (0x044, 0x0003_0401),
    ],
);
const TEENSY_2020: FcbWords = fcb(
    &EVK,
    &[(0x004, 0x5601_0000), (0x040, 0), (0x044, 0x0008_0401)],
);
const TEENSY_2026: FcbWords = fcb(
    &COMMON,
    &[
        (0x004, 0x5601_0000),
        (0x00C, 0x0002_0101),
        (0x044, 0x0106_0401),
        (0x050, 0x0080_0000),
        (0x080, 0x0A18_04EB),
        (0x084, 0x3204_1EFF),
        (0x088, 0x0000_2601),
    ],
);
const NUTTX_TEENSY: FcbWords = fcb(
    &EVK,
    &[
        (0x004, 0x5601_0100),
        (0x00C, 0x0003_0302),
        (0x040, 0),
        (0x044, 0x0003_0401),
        (0x0B0, 0x0000_0401),
    ],
);
const WOLF_BOOT_RT1050: FcbWords = fcb(
    &EVK,
    &[
        (0x010, 0x0000_0101),
        (0x014, 0x0000_0302),
        (0x018, 0x0000_0040),
        (0x040, 0),
        (0x044, 0x0006_0401),
        (0x0C0, 0x2001_0401),
    ],
);

/// (project, FCB). All assume that QE is set, or set it; MicroPython's sequence 4 is its "quad step".
pub const KNOWN_FCBS: &[(&str, &FcbWords)] = &[
    ("NXP SDK, EVK and EVKB", &EVK),
    ("NXP SDK, EVKC", &EVKC),
    ("NXP SDK, RT1064", &RT1064),
    ("NXP SDK before 2020", &LEGACY),
    ("imxrt-boot-gen", &BOOT_GEN),
    ("CircuitPython", &CIRCUIT_PYTHON),
    ("MicroPython", &MICRO_PYTHON),
    ("Teensy 2019", &TEENSY_2019),
    ("Teensy 2020", &TEENSY_2020),
    ("Teensy 2026", &TEENSY_2026),
    ("wolfBoot, RT1050", &WOLF_BOOT_RT1050),
    ("NuttX, Teensy 4", &NUTTX_TEENSY),
];
