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
/// [`Setup::flags`]: the part knows QPI, which F5h on four lines leaves; the entry sends it.
pub const FLAG_QPI: u32 = 1 << 2;
/// [`Setup::flags`]: 01h takes a second byte, for status register 2, and clears that register on some dies if it gets one
/// byte only.
pub const FLAG_STATUS_PAIR: u32 = 1 << 3;

/// The opcodes of a status register besides the first; 0 where the part has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusAccess {
    /// Reads it.
    pub read_opcode: u8,
    /// Writes it, with one byte.
    pub write_opcode: u8,
}

/// Where the part shows that an erase or a program is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuspendFlags {
    /// Reads the register; 0 where the part has none.
    pub read_opcode: u8,
    /// Any of these bits set: something is suspended.
    pub mask: u8,
}

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
    /// QE's bit in the status registers: register 1 in bits 7:0, register 2 in bits 15:8.
    pub quad_enable_mask: u32,
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
    /// Status registers 2 and 3.
    pub further_status: [StatusAccess; 2],
    /// Suspend flags.
    pub suspend: SuspendFlags,
    /// Answer to 9Fh of the part that all this is about. Opcodes of one family mean other things in another: a part with
    /// another ID is asked nothing but what all parts answer. Zeros: the part is not known.
    pub jedec_id: [u8; 3],
}

impl Setup {
    /// The block on the wire.
    pub fn to_words(&self) -> [u32; WORDS] {
        let [second, third] = self.further_status;
        let [a, b, c] = self.jedec_id;
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
            self.quad_enable_mask,
            u32::from_le_bytes([
                self.quad_program_opcode,
                self.quad_read_opcode,
                self.quad_read_dummy_clocks,
                self.fast_read_dummy_clocks,
            ]),
            self.work_clock_mhz,
            u32::from_le_bytes([
                second.read_opcode,
                second.write_opcode,
                third.read_opcode,
                third.write_opcode,
            ]),
            u32::from_le_bytes([self.suspend.read_opcode, self.suspend.mask, 0, 0]),
            u32::from_le_bytes([a, b, c, 0]),
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
        let [read_2, write_2, read_3, write_3] = words[17].to_le_bytes();
        let [suspend_opcode, suspend_mask, _, _] = words[18].to_le_bytes();
        let [a, b, c, _] = words[19].to_le_bytes();
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
            quad_enable_mask: words[14],
            quad_program_opcode,
            quad_read_opcode,
            quad_read_dummy_clocks,
            fast_read_dummy_clocks,
            work_clock_mhz: words[16],
            further_status: [
                StatusAccess {
                    read_opcode: read_2,
                    write_opcode: write_2,
                },
                StatusAccess {
                    read_opcode: read_3,
                    write_opcode: write_3,
                },
            ],
            suspend: SuspendFlags {
                read_opcode: suspend_opcode,
                mask: suspend_mask,
            },
            jedec_id: [a, b, c],
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
