//! The FCB as the ROM reads it: the fields that decide how the flash is set up for boot.

use super::{Reading, RefusalReason};

/// Words of an FCB.
pub(super) const WORDS: usize = 128;
pub(super) const TAG: u32 = 0x4246_4346;

// Offsets (IMXRT1060MFUUG, FlexSPI NOR configuration block).
pub(super) const VERSION: u32 = 0x004;
pub(super) const READ_SAMPLE_CLK_SRC: u32 = 0x00C;
pub(super) const CS_HOLD_TIME: u32 = 0x00D;
pub(super) const CS_SETUP_TIME: u32 = 0x00E;
pub(super) const COLUMN_ADDRESS_WIDTH: u32 = 0x00F;
pub(super) const DEVICE_MODE_CFG_ENABLE: u32 = 0x010;
pub(super) const WAIT_TIME_CFG_COMMANDS: u32 = 0x012;
pub(super) const DEVICE_MODE_SEQ: u32 = 0x014;
pub(super) const DEVICE_MODE_ARG: u32 = 0x018;
pub(super) const CONFIG_CMD_ENABLE: u32 = 0x01C;
const CONFIG_CMD_SEQS: u32 = 0x020;
const CONFIG_CMD_ARGS: u32 = 0x030;
pub(super) const CONTROLLER_MISC_OPTION: u32 = 0x040;
pub(super) const DEVICE_TYPE: u32 = 0x044;
pub(super) const SFLASH_PAD_TYPE: u32 = 0x045;
pub(super) const SERIAL_CLK_FREQ: u32 = 0x046;
pub(super) const SFLASH_A1_SIZE: u32 = 0x050;
pub(super) const TIMEOUT_IN_MS: u32 = 0x070;
pub(super) const COMMAND_INTERVAL: u32 = 0x074;
pub(super) const BUSY_OFFSET: u32 = 0x07C;
pub(super) const BUSY_BIT_POLARITY: u32 = 0x07E;
pub(super) const LOOKUP_TABLE: u32 = 0x080;

pub(super) const MISC_SAFE_FREQUENCY: u32 = 1 << 4;
/// deviceType of a serial NOR.
pub(super) const SERIAL_NOR: u32 = 1;
pub(super) const HIGHEST_FREQUENCY_CODE: u8 = 9;
/// TCSS and TCSH of FLSHxxCR1 have five bits.
pub(super) const LONGEST_CS_CLOCKS: u32 = 0x1F;

/// A command that the ROM sends to the flash before it reads the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModeCommand {
    /// First LUT sequence.
    pub sequence: u8,
    /// Number of sequences.
    pub sequences: u8,
    /// Data sent.
    pub argument: u32,
}

/// An FCB whose tag is right.
#[derive(Clone, Debug)]
pub(super) struct Fcb {
    words: Vec<u32>,
}

impl Fcb {
    /// Takes the words read at flash offset 0.
    pub fn new(words: &[u32], reading: Reading) -> Result<Fcb, RefusalReason> {
        let first = words.first().copied().unwrap_or(0);
        if first != TAG || words.len() < WORDS {
            return Err(RefusalReason::FcbTag {
                found: first.to_le_bytes(),
            });
        }
        let fcb = Fcb {
            words: words.to_vec(),
        };
        fcb.check_modelled()?;
        match fcb.unsettled().into_iter().next() {
            Some(point) if reading == Reading::Strict => Err(point),
            _ => Ok(fcb),
        }
    }

    /// RXCLKSRC.
    pub fn read_sample_clk_src(&self) -> u32 {
        u32::from(self.byte(READ_SAMPLE_CLK_SRC)) & 3
    }

    /// FLSHxxCR1: chip-select set-up and hold in clocks, column address width, deselect interval. commandInterval is in
    /// nanoseconds; NXP's driver turns it into clocks of the serial clock at that moment, rounded up, and cuts the number
    /// off at the register's 16 bits.
    pub fn flash_timing(&self, serial_hz: u32) -> u32 {
        let setup = u32::from(self.byte(CS_SETUP_TIME)) & LONGEST_CS_CLOCKS;
        let hold = u32::from(self.byte(CS_HOLD_TIME)) & LONGEST_CS_CLOCKS;
        let column = u32::from(self.byte(COLUMN_ADDRESS_WIDTH)) & 0xF;
        let cycle_ns = (1_000_000_000 / serial_hz.max(1)).max(1);
        let interval = self.word(COMMAND_INTERVAL).div_ceil(cycle_ns) & 0xFFFF;
        setup | hold << 5 | column << 11 | interval << 16
    }

    /// Frequency code of the set-up for the image: 0 leaves the clock alone, above the table is 30 MHz.
    pub fn frequency_code(&self) -> u8 {
        match self.byte(SERIAL_CLK_FREQ) {
            code if code > HIGHEST_FREQUENCY_CODE => 1,
            code => code,
        }
    }

    /// Whether mode and configuration commands are sent at 30 MHz.
    pub fn safe_frequency(&self) -> bool {
        self.word(CONTROLLER_MISC_OPTION) & MISC_SAFE_FREQUENCY != 0
    }

    /// Sizes of A1, A2, B1, B2 in bytes.
    pub fn sizes(&self) -> [u32; 4] {
        [0, 4, 8, 12].map(|offset| self.word(SFLASH_A1_SIZE + offset))
    }

    /// Device type 1 (NOR) lets the controller read ahead of the address (AHBCR.READADDROPT).
    pub fn read_address_option(&self) -> bool {
        self.byte(DEVICE_TYPE) == 1
    }

    /// The 64 words of the LUT.
    pub fn lut(&self) -> &[u32] {
        let first = (LOOKUP_TABLE / 4) as usize;
        self.words.get(first..first + 64).unwrap_or(&[])
    }

    /// (opcode, length) of the first instruction of a command that writes (8) or reads (9) data, from the LUT.
    pub fn data_instruction(&self, command: ModeCommand) -> Option<(u32, u32)> {
        let first = 4 * usize::from(command.sequence);
        let words = self
            .lut()
            .get(first..)?
            .iter()
            .take(4 * usize::from(command.sequences));
        let mut instructions = words.flat_map(|word| [word & 0xFFFF, word >> 16]);
        instructions.find_map(|instruction| {
            let opcode = instruction >> 10 & 0x1F;
            matches!(opcode, 8 | 9).then_some((opcode, instruction & 0xFF))
        })
    }

    /// Mode command and configuration commands, in order.
    pub fn mode_commands(&self) -> Vec<ModeCommand> {
        let command = |seq: u32, arg: u32| ModeCommand {
            sequences: self.byte(seq).max(1),
            sequence: self.byte(seq + 1) & 0xF,
            argument: self.word(arg),
        };
        let mut commands = Vec::new();
        if self.byte(DEVICE_MODE_CFG_ENABLE) != 0 {
            commands.push(command(DEVICE_MODE_SEQ, DEVICE_MODE_ARG));
        }
        if self.byte(CONFIG_CMD_ENABLE) != 0 {
            let configured =
                (0..3).map(|i| command(CONFIG_CMD_SEQS + 4 * i, CONFIG_CMD_ARGS + 4 * i));
            commands.extend(configured.filter(|c| c.sequence != 0));
        }
        commands
    }

    /// Wait after each command in units of 100 µs; 0 polls the busy bit.
    pub fn wait_time_100us(&self) -> u32 {
        u32::from(self.half(WAIT_TIME_CFG_COMMANDS))
    }

    /// Limit of the busy poll; 0 waits for ever.
    pub fn timeout_ms(&self) -> u32 {
        self.word(TIMEOUT_IN_MS)
    }

    /// Whether `status` says busy.
    pub fn busy(&self, status: u32) -> bool {
        let bit = status >> (self.half(BUSY_OFFSET) & 31) & 1;
        bit == u32::from(self.half(BUSY_BIT_POLARITY) == 0)
    }

    /// Bytes of a status read.
    pub fn status_bytes(&self) -> u32 {
        if self.half(BUSY_OFFSET) < 8 { 1 } else { 2 }
    }

    pub(super) fn word(&self, offset: u32) -> u32 {
        self.words.get((offset / 4) as usize).copied().unwrap_or(0)
    }

    pub(super) fn half(&self, offset: u32) -> u16 {
        (self.word(offset) >> (8 * (offset & 2))) as u16
    }

    pub(super) fn byte(&self, offset: u32) -> u8 {
        (self.word(offset) >> (8 * (offset & 3))) as u8
    }
}
