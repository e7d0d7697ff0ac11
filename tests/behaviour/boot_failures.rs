//! Boards that do not boot, one for every way in which the virtual board can fail to: a name, a set-up, and what the boot
//! proof says. Other tests ask the same boards other questions.

use std::time::Duration;

use rtflash::link::VirtualBench;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Margin;
use virtual_board::soc::Straps;

use crate::bench;
use crate::thumb::{
    BREAKPOINT, PUSH, SLEEP, SPIN, UNDEFINED, call_for_ever, load_word, program,
    start_vector_table, store, store_half, wait_ms,
};

/// Quad enable in the flash's status register.
pub const QE: u8 = 0x40;
/// First instruction of every image here.
pub const RESET_HANDLER: u32 = 0x6000_2100;
/// Where every exception of the images here goes: a loop.
pub const FAULT_HANDLER: u32 = 0x6000_2080;

const CONTENT_BYTES: usize = 0x4000;
const FCB: usize = 0;
const IVT: usize = 0x1000;
const BOOT_DATA: usize = 0x1020;
const DCD: usize = 0x1040;
const CSF: usize = 0x3000;
pub const VECTORS: usize = 0x2000;
pub const FLASH: u32 = 0x6000_0000;

// Registers that the programs write.
pub const AIRCR: u32 = 0xE000_ED0C;
pub const SYSRESETREQ: u32 = 0x05FA_0004;
const VECTRESET: u32 = 0x05FA_0001;
pub const WDOG1_WCR: u32 = 0x400B_8000;
/// WDE off, SRS low: resets at once.
const WCR_SOFTWARE_RESET: u16 = 0x0020;
/// Nothing answers here.
const NOWHERE: u32 = 0x3000_0000;
/// IOMUXC_SW_MUX_CTL_PAD_GPIO_AD_B0_06.
pub const MUX_OF_SWDIO: u32 = 0x401F_80D4;
const FLEXSPI: u32 = 0x402A_8000;
/// OCRAM2 behind the boot ROM's own.
pub const RAM: u32 = 0x2021_0000;
/// Of the flash driver in the boot ROM's API, where the model has it.
pub const ROM_CLEAR_CACHE: u32 = 0x0020_C251;

/// A board that does not boot.
pub struct BootFailure {
    /// What is wrong.
    pub name: &'static str,
    /// Changes a sound board.
    pub config: fn(&mut BoardConfig),
    /// What its flash holds, from offset 0.
    pub flash: fn() -> Vec<u8>,
    /// The flash's status register.
    pub status: u8,
    /// Stable code of what the boot proof says.
    pub code: &'static str,
    /// A part of its text: the stage that failed.
    pub says: &'static str,
}

const fn failure(name: &'static str, code: &'static str, says: &'static str) -> BootFailure {
    BootFailure {
        name,
        config: |_| {},
        flash: || sound(&SPIN),
        status: QE,
        code,
        says,
    }
}

impl BootFailure {
    const fn board(mut self, config: fn(&mut BoardConfig)) -> Self {
        self.config = config;
        self
    }

    const fn flash(mut self, flash: fn() -> Vec<u8>) -> Self {
        self.flash = flash;
        self
    }

    const fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// The board as its user finds it: powered on with that content.
    pub fn start(&self) -> VirtualBench {
        let board = self.start_blank();
        self.fill(&board);
        board
            .board()
            .with(|board| board.power_cycle(1))
            .expect("the board runs");
        let boot = Duration::from_millis(50);
        board.board().sleep(boot).expect("the board runs");
        board
    }

    /// The board as it is when a job comes to its final reset: the content is there, and was not yet started.
    pub fn start_as_just_flashed(&self) -> VirtualBench {
        let board = self.start_blank();
        self.fill(&board);
        board
    }

    fn start_blank(&self) -> VirtualBench {
        let mut config = bench::config();
        (self.config)(&mut config);
        let board = bench::start(config);
        let boot = Duration::from_millis(30);
        board.board().sleep(boot).expect("the board runs");
        board
    }

    fn fill(&self, board: &VirtualBench) {
        bench::fill(board, 0, &(self.flash)());
        bench::set_status(board, self.status);
    }
}

/// Content that boots: FCB of NXP's EVK, IVT, boot data, vector table, and `code` as its reset handler. Every exception
/// ends in a loop.
pub fn sound(code: &[u16]) -> Vec<u8> {
    let mut flash = vec![0xFF; CONTENT_BYTES];
    let fcb: [(usize, u32); 15] = [
        (0x000, 0x4246_4346),
        (0x004, 0x5601_0400),
        (0x00C, 0x0003_0301),
        (0x040, 0x10),
        (0x044, 0x0007_0401),
        (0x050, 0x0080_0000),
        (0x080, 0x0A18_04EB),
        (0x084, 0x2604_3206),
        (0x090, 0x2404_0405),
        (0x0B0, 0x0000_0406),
        (0x110, 0x0818_0402),
        (0x114, 0x0000_2004),
        (0x1C0, 0x100),
        (0x1C4, 0x1000),
        (0x1D0, 0x1_0000),
    ];
    flash[..512].fill(0);
    for (at, word) in fcb {
        put(&mut flash, FCB + at, &[word]);
    }
    let ivt = [
        0x4120_00D1,
        FLASH + VECTORS as u32,
        0,
        0,
        FLASH + BOOT_DATA as u32,
        FLASH + IVT as u32,
        0,
        0,
    ];
    put(&mut flash, IVT, &ivt);
    put(&mut flash, BOOT_DATA, &[FLASH, 0x0080_0000, 0]);
    put(&mut flash, VECTORS, &[0x2002_0000, RESET_HANDLER | 1]);
    put(&mut flash, VECTORS + 8, &[FAULT_HANDLER | 1; 14]);
    put_code(&mut flash, FAULT_HANDLER, &SPIN);
    put_code(&mut flash, RESET_HANDLER, code);
    flash
}

/// Puts words at a flash offset.
pub fn put(flash: &mut [u8], at: usize, words: &[u32]) {
    for (index, word) in words.iter().enumerate() {
        flash[at + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
    }
}

/// Puts code at a bus address.
pub fn put_code(flash: &mut [u8], address: u32, code: &[u16]) {
    let at = (address - FLASH) as usize;
    for (index, half) in code.iter().enumerate() {
        flash[at + 2 * index..][..2].copy_from_slice(&half.to_le_bytes());
    }
}

/// Sound content with other words at an offset.
pub fn with(at: usize, words: &[u32]) -> Vec<u8> {
    let mut flash = sound(&SPIN);
    put(&mut flash, at, words);
    flash
}

/// Sound content with word `index` of the IVT changed.
fn ivt(index: usize, word: u32) -> Vec<u8> {
    with(IVT + 4 * index, &[word])
}

/// Sound content with a DCD of these words (big-endian, as a DCD is).
fn dcd(words: &[u32]) -> Vec<u8> {
    let mut flash = ivt(3, FLASH + DCD as u32);
    let swapped: Vec<u32> = words.iter().map(|word| word.swap_bytes()).collect();
    put(&mut flash, DCD, &swapped);
    flash
}

/// An image whose stack pointer and reset vector are these, with code that uses its stack at once.
fn vectors(stack: u32, reset: u32) -> Vec<u8> {
    let mut flash = sound(&program(&[&[PUSH], &SPIN]));
    put(&mut flash, VECTORS, &[stack, reset]);
    flash
}

/// An image whose fault handlers are no code either: it locks up.
fn without_fault_handlers(code: &[u16]) -> Vec<u8> {
    let mut flash = sound(code);
    put(&mut flash, VECTORS + 8, &[0; 14]);
    flash
}

/// The same content as a sound one, but copied to RAM by the boot ROM and running there.
pub fn in_ram(code: &[u16]) -> Vec<u8> {
    let mut flash = sound(code);
    let moved = |address: u32| address - FLASH + RAM;
    let ivt = [
        0x4120_00D1,
        RAM + VECTORS as u32,
        0,
        0,
        RAM + BOOT_DATA as u32,
        RAM + IVT as u32,
        0,
        0,
    ];
    put(&mut flash, IVT, &ivt);
    put(&mut flash, BOOT_DATA, &[RAM, 0x3000, 0]);
    put(&mut flash, VECTORS + 4, &[moved(RESET_HANDLER) | 1]);
    put(&mut flash, VECTORS + 8, &[moved(FAULT_HANDLER) | 1; 14]);
    flash
}

/// Sends 35h to the flash, which then takes commands on four lines only.
fn enter_qpi() -> Vec<u16> {
    const SEQUENCE: u32 = 15;
    const QPI_ENABLE: u32 = 0x0435;
    program(&[
        &store(FLEXSPI + 0x18, 0x5AF0_5AF0),
        &store(FLEXSPI + 0x1C, 2),
        &store(FLEXSPI + 0x200 + 16 * SEQUENCE, QPI_ENABLE),
        &store(FLEXSPI + 0xA0, 0),
        &store(FLEXSPI + 0xA4, SEQUENCE << 16),
        &store(FLEXSPI + 0xB0, 1),
        &wait_ms(12),
    ])
}

/// An image that sets VTOR and then runs `code`, as start-up code does.
pub fn set_up(code: &[u16]) -> Vec<u8> {
    sound(&program(&[
        &store(0xE000_ED08, FLASH + VECTORS as u32),
        code,
    ]))
}

fn strapped(boot_mode: u8, boot_cfg1: u8, boot_cfg2: u8) -> Straps {
    Straps {
        boot_mode,
        boot_cfg1,
        boot_cfg2,
    }
}

/// Boot mode pins and fuses.
const BOOT_MODE: &[BootFailure] = &[
    failure(
        "boot mode pins say serial downloader",
        "strapped-serial-downloader",
        "serial downloader",
    )
    .board(|board| board.straps = Straps::SERIAL_DOWNLOADER),
    failure(
        "boot mode pins say fuses, which are not set",
        "boot-fuses-not-set",
        "boot fuses are not set",
    )
    .board(|board| board.straps = strapped(0, 0, 0)),
    failure(
        "boot mode pins have the reserved value",
        "boot-mode-reserved",
        "reserved value 11",
    )
    .board(|board| board.straps = strapped(3, 0, 0)),
    failure(
        "boot configuration pins choose another device",
        "boot-device",
        "another device",
    )
    .board(|board| board.straps = strapped(2, 0x40, 0)),
    failure(
        "fuses choose another device and override the pins",
        "boot-device",
        "from fuses",
    )
    .board(|board| {
        board.fuses.set_word(0x460, 1 << 4);
        board.fuses.set_word(0x450, 0x40);
    }),
    failure(
        "boot mode is fuses, and they choose another device",
        "boot-device",
        "from fuses",
    )
    .board(|board| {
        board.straps = strapped(0, 0, 0);
        board.fuses.set_word(0x460, 1 << 4);
        board.fuses.set_word(0x450, 0x20);
    }),
    failure(
        "a pin asks for the endless loop in the boot ROM",
        "boot-config",
        "endless loop",
    )
    .board(|board| board.straps = strapped(2, 0, 8)),
    failure(
        "a fuse asks for the endless loop in the boot ROM",
        "boot-config",
        "endless loop",
    )
    .board(|board| {
        board.fuses.set_word(0x460, 1 << 4);
        board.fuses.set_word(0x450, 1 << 11);
    }),
    failure(
        "a pin asks for encrypted XIP",
        "boot-config",
        "encrypted XIP",
    )
    .board(|board| board.straps = strapped(2, 1 << 1, 0)),
    failure(
        "a pin asks for the flash to be probed",
        "boot-config",
        "auto-probe",
    )
    .board(|board| board.straps = strapped(2, 1, 0)),
    failure("pins say HyperFlash", "boot-config", "flash type")
        .board(|board| board.straps = strapped(2, 0, 2)),
    failure(
        "a fuse asks for a secondary image",
        "boot-config",
        "secondary image",
    )
    .board(|board| board.fuses.set_word(0x6E0, 1 << 16)),
    failure(
        "a fuse asks for a JEDEC reset of the flash",
        "boot-config",
        "JEDEC reset",
    )
    .board(|board| board.fuses.set_word(0x6E0, 1 << 6)),
    failure(
        "the part is closed and the image is not signed",
        "part-closed",
        "signed images only",
    )
    .board(|board| board.fuses.close()),
    failure(
        "the part is closed and does not take the image's signature",
        "signature-refused",
        "signature",
    )
    .board(|board| board.fuses.close())
    .flash(|| {
        let mut flash = ivt(6, FLASH + CSF as u32);
        put(&mut flash, CSF, &[0x4250_00D4]);
        flash
    }),
];

/// The FCB, and how the flash is read by it.
const FLASH_SET_UP: &[BootFailure] = &[
    failure("the flash is blank", "fcb-missing", "no FCB").flash(|| vec![0xFF; CONTENT_BYTES]),
    failure("the flash is all zeros", "fcb-missing", "no FCB").flash(|| vec![0; CONTENT_BYTES]),
    failure("the FCB's tag is damaged", "fcb-missing", "no FCB")
        .flash(|| with(FCB, &[0x4246_4347])),
    failure(
        "the FCB stands where other chips look for it",
        "fcb-missing",
        "no FCB",
    )
    .flash(|| {
        let mut flash = sound(&SPIN);
        flash.copy_within(0..0x200, 0x400);
        flash[..0x200].fill(0xFF);
        flash
    }),
    failure(
        "the boot ROM refuses the FCB's version",
        "fcb-version",
        "version",
    )
    .flash(|| with(FCB + 4, &[0x5602_0000])),
    failure("quad enable is off", "qe-clear", "quad enable").status(0),
    failure(
        "the FCB's clock is too fast for the flash",
        "fcb-clock",
        "MHz",
    )
    .board(|board| board.flash_margin = Margin::DataSheet)
    .flash(|| with(FCB + 0x44, &[0x0009_0401])),
    failure(
        "the FCB samples with the internal loopback at 120 MHz",
        "fcb-sample-clock",
        "FCB",
    )
    .flash(|| with(FCB + 0xC, &[0x0003_0300])),
    failure(
        "the FCB has no read sequence",
        "fcb-no-read",
        "read sequence",
    )
    .flash(|| with(FCB + 0x80, &[0, 0])),
    failure("the FCB gives the flash no size", "fcb-size", "FCB").flash(|| with(FCB + 0x50, &[0])),
    failure(
        "the FCB's mode command never ends, for the status sequence is missing",
        "fcb-mode-commands",
        "FCB",
    )
    .flash(|| {
        let mut flash = with(FCB + 0x10, &[0x0000_0101, 0x0000_0401, 0x40]);
        put(&mut flash, FCB + 0x90, &[0]);
        put(&mut flash, FCB + 0xC0, &[0x2001_0401]);
        flash
    }),
];

/// IVT, boot data, DCD, entry.
const IMAGE_HEADER: &[BootFailure] = &[
    failure("the IVT is missing", "ivt-missing", "no IVT").flash(|| {
        let mut flash = sound(&SPIN);
        flash[IVT..IVT + 0x30].fill(0xFF);
        flash
    }),
    failure("the IVT's length is wrong", "ivt-missing", "no IVT").flash(|| ivt(0, 0x4124_00D1)),
    failure(
        "the IVT's version is of another class",
        "ivt-missing",
        "no IVT",
    )
    .flash(|| ivt(0, 0x3120_00D1)),
    failure(
        "the IVT's self pointer is not where the IVT is",
        "ivt-self",
        "IVT",
    )
    .flash(|| ivt(5, 0x6000_0400)),
    failure("the IVT has no boot data", "ivt-boot-data", "boot data").flash(|| ivt(4, 0)),
    failure(
        "the IVT's boot data lies outside the flash",
        "ivt-boot-data",
        "boot data",
    )
    .flash(|| ivt(4, 0x2000_0000)),
    failure(
        "the boot data's length is 0",
        "boot-data-length",
        "boot data",
    )
    .flash(|| with(BOOT_DATA, &[FLASH, 0, 0])),
    failure(
        "the boot data's start is no memory",
        "boot-data-start",
        "boot data",
    )
    .flash(|| with(BOOT_DATA, &[NOWHERE, 0x4000, 0])),
    failure("the boot data asks for a plugin", "plugin", "plugin")
        .flash(|| with(BOOT_DATA, &[FLASH, 0x0080_0000, 1])),
    failure("the IVT points to a DCD that is none", "dcd-tag", "DCD")
        .flash(|| ivt(3, FLASH + DCD as u32)),
    failure("the DCD has an unknown command", "dcd-command", "DCD")
        .flash(|| dcd(&[0xD200_0841, 0xAB00_0404])),
    failure("the DCD waits for what never comes", "dcd-waits", "DCD")
        .flash(|| dcd(&[0xD200_1041, 0xCF00_0C14, 0x400F_8008, 0x8000_0000])),
    failure("the DCD writes where nothing is", "rom-refused", "DCD")
        .flash(|| dcd(&[0xD200_1041, 0xCC00_0C04, NOWHERE, 1])),
    failure("the IVT has no entry", "entry-outside", "IVT's entry").flash(|| ivt(1, 0)),
    failure(
        "the IVT's entry lies outside the flash",
        "entry-outside",
        "entry",
    )
    .flash(|| ivt(1, 0x2000_0101)),
    failure(
        "the vector table is erased",
        "entry-outside",
        "outside the image",
    )
    .flash(|| with(VECTORS, &[u32::MAX; 16])),
];

/// What happens from the jump on, before the image's first instruction was executed.
const ENTRY: &[BootFailure] = &[
    failure(
        "the entry is even and points to code",
        "entry-fault",
        "reset vector",
    )
    .flash(|| {
        let mut flash = sound(&program(&[&load_word(0), &SPIN]));
        put(&mut flash, IVT + 4, &[RESET_HANDLER]);
        flash
    }),
    failure(
        "the reset vector points to RAM that nobody fills",
        "reset-outside",
        "does not fill",
    )
    // where the boot proof parks the core, so that code happens to be there
    .flash(|| vectors(0x2002_0000, 0x2027_FF81)),
    failure(
        "the reset vector is no Thumb address",
        "entry-fault",
        "reset handler",
    )
    .flash(|| vectors(0x2002_0000, RESET_HANDLER)),
    failure(
        "the reset vector points to no memory",
        "entry-fault",
        "reset handler",
    )
    .flash(|| vectors(0x2002_0000, NOWHERE | 1)),
];

/// What the image does.
const IMAGE: &[BootFailure] = &[
    failure("the stack is in no memory", "image-crashed", "crashed")
        .flash(|| vectors(NOWHERE, RESET_HANDLER | 1)),
    failure(
        "the reset vector points to erased flash",
        "image-crashed",
        "crashed",
    )
    .flash(|| vectors(0x2002_0000, 0x6000_3801)),
    failure(
        "the image's first instruction is undefined",
        "image-crashed",
        "crashed",
    )
    .flash(|| sound(&[UNDEFINED])),
    failure(
        "the image faults behind its start-up code, and its fault handler loops",
        "image-crashed",
        "crashed",
    )
    .flash(|| set_up(&[UNDEFINED])),
    failure(
        "the image faults, and its fault handler sleeps",
        "image-crashed",
        "crashed",
    )
    .flash(|| {
        let run_mode = store(0x400F_C054, 0x78);
        let mut flash = set_up(&program(&[&run_mode, &[UNDEFINED]]));
        put_code(&mut flash, FAULT_HANDLER, &SLEEP);
        flash
    }),
    failure(
        "the image stops at a breakpoint",
        "image-crashed",
        "crashed",
    )
    .flash(|| set_up(&[BREAKPOINT])),
    failure("the image locks the core up", "image-crashed", "crashed").flash(|| {
        let mut flash = without_fault_handlers(&[]);
        let vtor = store(0xE000_ED08, FLASH + VECTORS as u32);
        put_code(&mut flash, RESET_HANDLER, &program(&[&vtor, &[UNDEFINED]]));
        flash
    }),
    failure("the image jumps to nowhere", "image-crashed", "crashed")
        .flash(|| set_up(&start_vector_table(FLASH + 0x3000))),
    failure(
        "the image resets the chip at once, again and again",
        "image-resets",
        "again and again",
    )
    .flash(|| set_up(&store(AIRCR, SYSRESETREQ))),
    failure(
        "the image resets the chip after 12 ms, again and again",
        "image-resets",
        "again and again",
    )
    .flash(|| set_up(&program(&[&wait_ms(12), &store(AIRCR, SYSRESETREQ)]))),
    failure(
        "the image's fault handler resets the chip, again and again",
        "image-resets",
        "again and again",
    )
    .flash(|| {
        let mut flash = set_up(&[UNDEFINED]);
        put_code(&mut flash, FAULT_HANDLER, &store(AIRCR, SYSRESETREQ));
        flash
    }),
    failure(
        "the image lets the watchdog reset the chip, again and again",
        "reset-loop",
        "watchdog",
    )
    .flash(|| {
        set_up(&program(&[
            &store_half(WDOG1_WCR, WCR_SOFTWARE_RESET),
            &SPIN,
        ]))
    }),
    failure(
        "the image resets the core alone",
        "not-started-again",
        "did not start it again",
    )
    .flash(|| set_up(&program(&[&wait_ms(12), &store(AIRCR, VECTRESET)]))),
    failure(
        "the image leaves the flash in QPI and resets the chip",
        "not-started-again",
        "did not start it again",
    )
    .flash(|| in_ram(&program(&[&enter_qpi(), &store(AIRCR, SYSRESETREQ)]))),
    failure(
        "the image takes the debug port's pins at once",
        "debug-port-silent",
        "debug port",
    )
    .flash(|| sound(&program(&[&store(MUX_OF_SWDIO, 5), &SPIN]))),
    failure(
        "the image goes back into the boot ROM and stays there",
        "image-left",
        "went back into the boot ROM",
    )
    .flash(|| sound(&call_for_ever(ROM_CLEAR_CACHE))),
];

/// Every board here.
pub fn all() -> impl Iterator<Item = &'static BootFailure> {
    [BOOT_MODE, FLASH_SET_UP, IMAGE_HEADER, ENTRY, IMAGE]
        .into_iter()
        .flatten()
}
