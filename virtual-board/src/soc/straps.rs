//! What the chip is given from outside: boot pins and fuses, latched at power-on.

use std::collections::BTreeMap;

/// The boot pins as the board straps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Straps {
    /// BOOT_MODE[1:0]: 0 fuses, 1 serial downloader, 2 internal boot, 3 reserved.
    pub boot_mode: u8,
    /// BOOT_CFG1[7:0] pins.
    pub boot_cfg1: u8,
    /// BOOT_CFG2[3:0] pins (the upper half has no pins).
    pub boot_cfg2: u8,
}

impl Straps {
    /// Internal boot from FlexSPI NOR: BOOT_MODE 10, all BOOT_CFG pins low.
    pub const INTERNAL_BOOT: Straps = Straps {
        boot_mode: 2,
        boot_cfg1: 0,
        boot_cfg2: 0,
    };
    /// Serial downloader: BOOT_MODE 01.
    pub const SERIAL_DOWNLOADER: Straps = Straps {
        boot_mode: 1,
        boot_cfg1: 0,
        boot_cfg2: 0,
    };
}

impl Default for Straps {
    fn default() -> Self {
        Straps::INTERNAL_BOOT
    }
}

/// SEC_CONFIG: what the chip demands of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecConfig {
    /// Fresh from NXP's factory.
    Fab,
    /// Open: authentication failures are ignored.
    Open,
    /// Closed: only images signed with the fused key run.
    Closed,
}

/// The fuses, by fuse address (0x400 to 0x8F0, in steps of 0x10; the shadow register stands at OCOTP + fuse address).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fuses {
    words: BTreeMap<u32, u32>,
}

/// LOCK, the first word of bank 0.
pub const FIRST_BANK: std::ops::RangeInclusive<u32> = 0x400..=0x6F0;
/// ROM patch and GP words.
pub const SECOND_BANK: std::ops::RangeInclusive<u32> = 0x800..=0x8F0;
/// The OTP master key: never readable.
pub const MASTER_KEY: std::ops::RangeInclusive<u32> = 0x500..=0x570;

/// Word with SEC_CONFIG[0] in bit 1.
const SEC_CONFIG_0: u32 = 0x440;
const FLEXSPI_NOR_CONFIG: u32 = 0x450;
const BOOT_CONFIG: u32 = 0x460;
const MISC_CONF0: u32 = 0x6D0;
const UNIQUE_ID: [u32; 2] = [0x410, 0x420];

impl Default for Fuses {
    /// An open part as NXP ships it, with a made-up unique ID.
    fn default() -> Self {
        let mut fuses = Fuses {
            words: BTreeMap::new(),
        };
        fuses.set_word(SEC_CONFIG_0, 1 << 1);
        fuses.set_unique_id([0x5A3C_4D61, 0x1B26_09D7]);
        fuses
    }
}

impl Fuses {
    /// The word at fuse address `address`; unblown fuses read 0.
    pub fn word(&self, address: u32) -> u32 {
        self.words.get(&address).copied().unwrap_or(0)
    }

    /// Sets the word at fuse address `address`, for making a board.
    pub fn set_word(&mut self, address: u32, value: u32) {
        self.words.insert(address, value);
    }

    /// The 64-bit unique ID, low word first (fuses 0x410 and 0x420).
    pub fn unique_id(&self) -> [u32; 2] {
        UNIQUE_ID.map(|address| self.word(address))
    }

    /// Sets the unique ID, low word first.
    pub fn set_unique_id(&mut self, id: [u32; 2]) {
        for (address, word) in UNIQUE_ID.into_iter().zip(id) {
            self.set_word(address, word);
        }
    }

    /// Open, closed or fab.
    pub fn sec_config(&self) -> SecConfig {
        if self.bit(BOOT_CONFIG, 1) {
            SecConfig::Closed
        } else if self.bit(SEC_CONFIG_0, 1) {
            SecConfig::Open
        } else {
            SecConfig::Fab
        }
    }

    /// Closes the part.
    pub fn close(&mut self) {
        self.set_word(BOOT_CONFIG, self.word(BOOT_CONFIG) | 1 << 1);
    }

    /// BT_FUSE_SEL: the boot configuration comes from fuses, not from pins.
    pub fn bt_fuse_sel(&self) -> bool {
        self.bit(BOOT_CONFIG, 4)
    }

    /// SJC_DISABLE, or JTAG_SMODE 11: the debug port does not answer.
    pub fn debug_port_closed(&self) -> bool {
        self.bit(BOOT_CONFIG, 20) || self.field(BOOT_CONFIG, 22, 2) == 3
    }

    /// JTAG_SMODE 01: the debug port waits for a response to its challenge.
    pub fn debug_port_wants_response(&self) -> bool {
        self.field(BOOT_CONFIG, 22, 2) == 1
    }

    /// BOOT_CFG word of the fuses.
    pub fn boot_cfg(&self) -> u32 {
        self.word(FLEXSPI_NOR_CONFIG)
    }

    /// Default FlexRAM split (0x6D0 19:16).
    pub fn flexram_split(&self) -> u32 {
        self.field(MISC_CONF0, 16, 4)
    }

    fn bit(&self, address: u32, bit: u32) -> bool {
        self.field(address, bit, 1) == 1
    }

    fn field(&self, address: u32, low: u32, bits: u32) -> u32 {
        (self.word(address) >> low) & ((1 << bits) - 1)
    }
}
