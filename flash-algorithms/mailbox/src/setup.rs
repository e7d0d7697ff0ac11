//! The setup block: the part's data and the session's terms, written by the host before it starts the server.

use crate::crc::crc32_words;
use crate::layout::{LAYOUT_DIGEST, MAGIC};

/// Words of the setup block.
pub const WORDS: usize = 24;
const CRC_WORD: usize = WORDS - 1;

/// [`Setup::flags`]: the DQS pad (GPIO_SD_B1_05) is free, so it may loop the read strobe back.
pub const FLAG_DQS_LOOPBACK: u32 = 1;
/// [`Setup::flags`]: use four lines for reads and programs whenever the part's QE bit is set.
pub const FLAG_QUAD: u32 = 1 << 1;
/// [`Setup::flags`]: the part knows 35h/F5h, the entry leaves QPI.
pub const FLAG_QPI: u32 = 1 << 2;

/// What the target must know before it touches the flash. Limits are what the target waits at most, margin included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The host's number for this session; the target repeats it when it is up.
    pub session: u32,
    /// The lease: unchanged for this long, the server stops, in ms.
    pub lease_ms: u32,
    /// Size of the flash in bytes.
    pub flash_bytes: u32,
    /// Limit of a page program, in µs.
    pub page_program_limit_us: u32,
    /// Limit of a 4 KiB erase, in µs.
    pub erase_4k_limit_us: u32,
    /// Limit of a 32 KiB erase, in µs.
    pub erase_32k_limit_us: u32,
    /// Limit of a 64 KiB erase, in µs.
    pub erase_64k_limit_us: u32,
    /// Limit of a chip erase, in µs.
    pub erase_chip_limit_us: u32,
    /// Limit of a status register write, in µs.
    pub write_status_limit_us: u32,
    /// Time after 99h before the next command, in µs.
    pub reset_recovery_us: u32,
    /// Time after ABh before the next command, in µs.
    pub power_down_release_us: u32,
    /// `FLAG_*`.
    pub flags: u32,
    /// QE's bit in the status register.
    pub quad_enable_mask: u8,
    /// Quad page program opcode, one line for command and address.
    pub quad_program_opcode: u8,
    /// Quad read opcode, four lines for address, mode and data.
    pub quad_read_opcode: u8,
    /// Clocks between the mode byte and the data of the quad read.
    pub quad_read_dummy_clocks: u8,
    /// Clocks between address and data of 0Bh.
    pub fast_read_dummy_clocks: u8,
    /// Serial clock wanted for work, in MHz; the target takes the next lower it can make.
    pub work_clock_mhz: u32,
}

impl Setup {
    /// The block on the wire.
    pub fn to_words(&self) -> [u32; WORDS] {
        let mut words = [
            MAGIC,
            LAYOUT_DIGEST,
            self.session,
            self.lease_ms,
            self.flash_bytes,
            self.page_program_limit_us,
            self.erase_4k_limit_us,
            self.erase_32k_limit_us,
            self.erase_64k_limit_us,
            self.erase_chip_limit_us,
            self.write_status_limit_us,
            self.reset_recovery_us,
            self.power_down_release_us,
            self.flags,
            u32::from(self.quad_enable_mask),
            u32::from_le_bytes([
                self.quad_program_opcode,
                self.quad_read_opcode,
                self.quad_read_dummy_clocks,
                self.fast_read_dummy_clocks,
            ]),
            self.work_clock_mhz,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        words[CRC_WORD] = crc32_words(&words[..CRC_WORD]);
        words
    }

    /// Takes a block apart. `None` if magic, layout digest or CRC is wrong.
    pub fn from_words(words: &[u32; WORDS]) -> Option<Self> {
        if words[0] != MAGIC
            || words[1] != LAYOUT_DIGEST
            || words[CRC_WORD] != crc32_words(&words[..CRC_WORD])
        {
            return None;
        }
        let [
            quad_program_opcode,
            quad_read_opcode,
            quad_read_dummy_clocks,
            fast_read_dummy_clocks,
        ] = words[15].to_le_bytes();
        Some(Setup {
            session: words[2],
            lease_ms: words[3],
            flash_bytes: words[4],
            page_program_limit_us: words[5],
            erase_4k_limit_us: words[6],
            erase_32k_limit_us: words[7],
            erase_64k_limit_us: words[8],
            erase_chip_limit_us: words[9],
            write_status_limit_us: words[10],
            reset_recovery_us: words[11],
            power_down_release_us: words[12],
            flags: words[13],
            quad_enable_mask: words[14] as u8,
            quad_program_opcode,
            quad_read_opcode,
            quad_read_dummy_clocks,
            fast_read_dummy_clocks,
            work_clock_mhz: words[16],
        })
    }

    /// Limit in µs of erasing a unit of `size` bytes; the whole chip's for anything else.
    pub const fn erase_limit_us(&self, size: u32) -> u32 {
        match size {
            0x1000 => self.erase_4k_limit_us,
            0x8000 => self.erase_32k_limit_us,
            0x1_0000 => self.erase_64k_limit_us,
            _ => self.erase_chip_limit_us,
        }
    }
}
