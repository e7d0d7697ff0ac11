//! FCB, the 512-byte FlexSPI configuration block at the start of the flash, with the manual's field names.

use super::lut::{LookupTable, Opcode, SEQUENCES, WORDS_PER_SEQUENCE, sequence};
use super::raw::{Raw, Reader};

/// `lutSequence`: which look-up table sequences a step runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LutSequence {
    /// Number of sequences. NXP's header comments have this and the next byte reversed; struct and images agree with us.
    pub seq_num: u8,
    /// First sequence.
    pub seq_id: u8,
    /// 0.
    pub reserved: u16,
}

impl Raw for LutSequence {
    const SIZE: usize = 4;
    fn get(reader: &mut Reader<'_>) -> Self {
        LutSequence {
            seq_num: u8::get(reader),
            seq_id: u8::get(reader),
            reserved: u16::get(reader),
        }
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.seq_num.put(out);
        self.seq_id.put(out);
        self.reserved.put(out);
    }
}

impl Raw for LookupTable {
    const SIZE: usize = SEQUENCES * WORDS_PER_SEQUENCE * u32::SIZE;
    fn get(reader: &mut Reader<'_>) -> Self {
        LookupTable::new(Raw::get(reader))
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.words().put(out);
    }
}

/// Declares the block once: struct, parser, builder and field list come from the same rows.
macro_rules! fcb_fields {
    ($($(#[$doc:meta])* $offset:literal $manual:literal $name:ident: $type:ty,)*) => {
        /// FCB, field by field (IMXRT1060RM System Boot chapter, FlexSPI NOR configuration block; NXP mcux-sdk
        /// `evkmimxrt1060_flexspi_nor_config.h`). Reserved bytes are kept, so that parsing and building round-trip.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Fcb {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Fcb {
            /// Every field as offset in bytes, the manual's name and size in bytes.
            pub const FIELDS: &'static [(usize, &'static str, usize)] =
                &[$(($offset, $manual, <$type as Raw>::SIZE),)*];

            /// Takes 512 bytes apart, whatever they hold; see [`Fcb::has_tag`].
            pub fn parse(bytes: &[u8; Fcb::SIZE_BYTES]) -> Self {
                let reader = &mut Reader::new(bytes);
                Fcb { $($name: Raw::get(reader),)* }
            }

            /// The 512 bytes.
            pub fn build(&self) -> [u8; Fcb::SIZE_BYTES] {
                let mut bytes = Vec::with_capacity(Fcb::SIZE_BYTES);
                $(self.$name.put(&mut bytes);)*
                let mut block = [0; Fcb::SIZE_BYTES];
                for (to, from) in block.iter_mut().zip(bytes) {
                    *to = from;
                }
                block
            }
        }
    };
}

fcb_fields! {
    /// "FCFB".
    0x000 "tag" tag: u32,
    /// 'V', major, minor, bug fix.
    0x004 "version" version: u32,
    /// 0.
    0x008 "reserved" reserved_008: u32,
    /// Sample clock: 0 internal loopback, 1 loopback from the DQS pad, 2 from the SCK pad, 3 from the flash.
    0x00C "readSampleClkSrc" read_sample_clk_src: u8,
    /// CS hold time in serial clocks.
    0x00D "csHoldTime" cs_hold_time: u8,
    /// CS set-up time in serial clocks.
    0x00E "csSetupTime" cs_setup_time: u8,
    /// Column address bits; 0 for QSPI.
    0x00F "columnAddressWidth" column_address_width: u8,
    /// Whether `device_mode_seq` is run.
    0x010 "deviceModeCfgEnable" device_mode_cfg_enable: u8,
    /// What that does: 0 generic, 1 quad enable, 2 SPI to xPI, 3 xPI to SPI, 4 SPI to no command, 5 reset.
    0x011 "deviceModeType" device_mode_type: u8,
    /// Wait after it in units of 100 us; 0 polls the busy bit with sequence 1.
    0x012 "waitTimeCfgCommands" wait_time_cfg_commands: u16,
    /// Sequences of the device mode step.
    0x014 "deviceModeSeq" device_mode_seq: LutSequence,
    /// Data that step sends.
    0x018 "deviceModeArg" device_mode_arg: u32,
    /// Whether `config_cmd_seqs` are run.
    0x01C "configCmdEnable" config_cmd_enable: u8,
    /// What each does, as `device_mode_type`.
    0x01D "configModeType" config_mode_type: [u8; 3],
    /// Sequences of each; skipped where `seq_id` is 0.
    0x020 "configCmdSeqs" config_cmd_seqs: [LutSequence; 3],
    /// 0.
    0x02C "reserved" reserved_02c: u32,
    /// Data each sends.
    0x030 "configCmdArgs" config_cmd_args: [u32; 3],
    /// 0.
    0x03C "reserved" reserved_03c: u32,
    /// Bits: 0 differential clock, 1 CK2, 2 parallel, 3 word addressable, 4 safe configuration clock, 5 pad setting override, 6 DDR.
    0x040 "controllerMiscOption" controller_misc_option: u32,
    /// 1 serial NOR; 0 occurs in images that boot.
    0x044 "deviceType" device_type: u8,
    /// Data lines: 1, 2, 4 or 8.
    0x045 "sflashPadType" sflash_pad_type: u8,
    /// Clock code; its meaning differs between chips of the family.
    0x046 "serialClkFreq" serial_clk_freq: u8,
    /// Whether `lut_custom_seq` counts.
    0x047 "lutCustomSeqEnable" lut_custom_seq_enable: u8,
    /// 0.
    0x048 "reserved" reserved_048: [u32; 2],
    /// Size of the flash on A1 in bytes.
    0x050 "sflashA1Size" sflash_a1_size: u32,
    /// Size of the flash on A2 in bytes.
    0x054 "sflashA2Size" sflash_a2_size: u32,
    /// Size of the flash on B1 in bytes.
    0x058 "sflashB1Size" sflash_b1_size: u32,
    /// Size of the flash on B2 in bytes.
    0x05C "sflashB2Size" sflash_b2_size: u32,
    /// Pad setting, used only with misc bit 5.
    0x060 "csPadSettingOverride" cs_pad_setting_override: u32,
    /// As above.
    0x064 "sclkPadSettingOverride" sclk_pad_setting_override: u32,
    /// As above.
    0x068 "dataPadSettingOverride" data_pad_setting_override: u32,
    /// As above.
    0x06C "dqsPadSettingOverride" dqs_pad_setting_override: u32,
    /// Limit of busy polling in ms; 0 waits for ever.
    0x070 "timeoutInMs" timeout_in_ms: u32,
    /// CS interval in ns.
    0x074 "commandInterval" command_interval: u32,
    /// Data valid time in 0.1 ns or delay cells.
    0x078 "dataValidTime" data_valid_time: [u16; 2],
    /// Bit number of the busy flag.
    0x07C "busyOffset" busy_offset: u16,
    /// 0: busy when the flag is 1.
    0x07E "busyBitPolarity" busy_bit_polarity: u16,
    /// 16 sequences.
    0x080 "lookupTable" lookup_table: LookupTable,
    /// Replacement sequence numbers.
    0x180 "lutCustomSeq" lut_custom_seq: [LutSequence; 12],
    /// 0.
    0x1B0 "reserved" reserved_1b0: [u32; 4],
    /// Page size in bytes.
    0x1C0 "pageSize" page_size: u32,
    /// Sector size in bytes.
    0x1C4 "sectorSize" sector_size: u32,
    /// Clock code for IP commands; 0 leaves it.
    0x1C8 "ipcmdSerialClkFreq" ipcmd_serial_clk_freq: u8,
    /// Whether all erase blocks have one size.
    0x1C9 "isUniformBlockSize" is_uniform_block_size: u8,
    /// Newer headers: `isDataOrderSwapped`; older: reserved.
    0x1CA "isDataOrderSwapped" is_data_order_swapped: u8,
    /// 0.
    0x1CB "reserved" reserved_1cb: u8,
    /// 0.
    0x1CC "serialNorType" serial_nor_type: u8,
    /// Whether a no-command mode must be left first.
    0x1CD "needExitNoCmdMode" need_exit_no_cmd_mode: u8,
    /// Half the clock for other commands than read.
    0x1CE "halfClkForNonReadCmd" half_clk_for_non_read_cmd: u8,
    /// Whether a no-command mode must be restored.
    0x1CF "needRestoreNoCmdMode" need_restore_no_cmd_mode: u8,
    /// Block size in bytes.
    0x1D0 "blockSize" block_size: u32,
    /// 0.
    0x1D4 "reserved" reserved_1d4: [u32; 11],
}

impl Fcb {
    /// Size in bytes.
    pub const SIZE_BYTES: usize = 512;
    /// "FCFB" as little-endian word.
    pub const TAG: u32 = 0x4246_4346;
    /// Size of the tag in bytes; the tag stands first.
    pub const TAG_BYTES: u32 = 4;

    /// Whether the tag is right: the one thing that the ROM is known to test.
    pub const fn has_tag(&self) -> bool {
        self.tag == Self::TAG
    }

    /// The lines that the AHB read uses for command, address and data; `None` without a read in sequence 0.
    pub fn read_lines(&self) -> Option<[u8; 3]> {
        let instructions = self.lookup_table.sequence(sequence::READ);
        let lines_of = |opcode| {
            instructions
                .iter()
                .find(|instruction| instruction.opcode == opcode)
                .map(|instruction| instruction.pads.lines())
        };
        let data = lines_of(Opcode::Read)?;
        let address = lines_of(Opcode::RowAddress)?;
        // A sequence without command is continuous read: it borrows the address lines.
        Some([lines_of(Opcode::Cmd).unwrap_or(address), address, data])
    }

    /// The read command of sequence 0.
    pub fn read_opcode(&self) -> Option<u8> {
        self.lookup_table
            .sequence(sequence::READ)
            .iter()
            .find(|instruction| instruction.opcode == Opcode::Cmd)
            .map(|instruction| instruction.operand)
    }

    /// Clocks between address and data, mode bits included.
    pub fn read_wait_clocks(&self) -> u32 {
        self.lookup_table
            .sequence(sequence::READ)
            .iter()
            .map(|instruction| {
                let lines = u32::from(instruction.pads.lines());
                match instruction.opcode {
                    Opcode::Dummy => instruction.operand.into(),
                    Opcode::Mode8 => 8_u32.div_ceil(lines),
                    Opcode::Mode4 => 4_u32.div_ceil(lines),
                    Opcode::Mode2 => 2_u32.div_ceil(lines),
                    Opcode::Mode1 => 1,
                    _ => 0,
                }
            })
            .sum()
    }

    /// Whether the read uses four lines, so that the part's QE must be set.
    pub fn needs_quad_enable(&self) -> bool {
        self.read_lines().is_some_and(|lines| lines.contains(&4))
    }
}

impl Default for Fcb {
    /// All zero.
    fn default() -> Self {
        Fcb::parse(&[0; Fcb::SIZE_BYTES])
    }
}
