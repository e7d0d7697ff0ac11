//! The boot header that we insert: an FCB from flash part and board, IVT and boot data from the image.

use super::fcb::Fcb;
use super::ivt::{BootData, Ivt};
use super::lut::{Instruction, LookupTable, Opcode, Pads, sequence};
use super::wishes::HeaderWishes;
use crate::address::FlashOffset;
use crate::target::{FlashPart, ReadCommand, SerialClock, Target};

// Values of NXP's SDK block for this chip (mcux-sdk `evkmimxrt1060_flexspi_nor_config.c`), seen booting on every EVK.
const VERSION_1_4_0: u32 = 0x5601_0400;
const CS_HOLD_CLOCKS: u8 = 3;
const CS_SETUP_CLOCKS: u8 = 3;
/// Mode and configuration commands, if any, go at the safe 30 MHz.
const MISC_SAFE_CONFIGURATION_CLOCK: u32 = 1 << 4;
const DEVICE_TYPE_SERIAL_NOR: u8 = 1;
const IP_COMMAND_CLOCK_30_MHZ: u8 = 1;
const SAMPLE_INTERNAL_LOOPBACK: u8 = 0;
const SAMPLE_DQS_PAD_LOOPBACK: u8 = 1;
const BLOCK_BYTES: u32 = 0x1_0000;

const ADDRESS_BITS: u8 = 24;
/// READ and WRITE operands only give a default length.
const DATA_LENGTH: u8 = 4;
const MODE_BITS: u8 = 8;

// Commands common to the serial NOR families (IS25WP064A data sheet, command set).
const READ_STATUS: u8 = 0x05;
const WRITE_ENABLE: u8 = 0x06;
const ERASE_BLOCK_64K: u8 = 0xD8;
/// Reads in order of preference: quad I/O, fast on one line, plain.
const READS_BY_PREFERENCE: [u8; 3] = [0xEB, 0x0B, 0x03];

/// An FCB that we made, and the choices in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFcb {
    /// The block.
    pub fcb: Fcb,
    /// Read command chosen.
    pub read: ReadCommand,
    /// Clock chosen.
    pub clock: SerialClock,
    /// Whether samples are clocked through the DQS pad.
    pub dqs_loopback: bool,
}

/// Builds the FCB for a target with its safe defaults; see [`fcb_with`].
pub fn fcb_for(target: &Target) -> Option<NewFcb> {
    fcb_with(target, &HeaderWishes::default())
}

/// Builds the FCB for a target; `None` when part, board and chip share no read command and clock.
///
/// The read is EBh with the part's default dummies where four lines are wired, and the mode byte is *driven* with the
/// part's "leave continuous read" value: NXP's block leaves those two clocks floating, and what floats may be Axh, after
/// which the flash takes no commands. There is no device mode step: the flasher itself sets and verifies QE, which is
/// non-volatile, so that no boot depends on a status write.
pub fn fcb_with(target: &Target, wishes: &HeaderWishes) -> Option<NewFcb> {
    let part = target.flash();
    let board = target.board();
    let asked = wishes.read_opcode.into_iter();
    let usual = READS_BY_PREFERENCE
        .into_iter()
        .filter(|_| wishes.read_opcode.is_none());
    let read = asked
        .chain(usual)
        .filter_map(|opcode| part.read_command(opcode))
        .find(|read| read.lines.iter().all(|lines| *lines <= board.data_lines))?;
    if wishes.clock_hz.is_some_and(|wanted| wanted > read.max_hz) {
        return None;
    }
    let mut limit_hz = read.max_hz.min(wishes.clock_hz.unwrap_or(board.max_hz));
    if !board.dqs_pad_free {
        limit_hz = limit_hz.min(target.chip().serial_clock_limits.without_dqs_loopback_hz);
    }
    let clock = target.chip().fastest_clock_within(limit_hz)?;
    let fcb = Fcb {
        tag: Fcb::TAG,
        version: VERSION_1_4_0,
        read_sample_clk_src: if board.dqs_pad_free {
            SAMPLE_DQS_PAD_LOOPBACK
        } else {
            SAMPLE_INTERNAL_LOOPBACK
        },
        cs_hold_time: CS_HOLD_CLOCKS,
        cs_setup_time: CS_SETUP_CLOCKS,
        controller_misc_option: MISC_SAFE_CONFIGURATION_CLOCK,
        device_type: DEVICE_TYPE_SERIAL_NOR,
        sflash_pad_type: read.lines[2],
        serial_clk_freq: clock.code,
        sflash_a1_size: part.size_bytes,
        lookup_table: lookup_table(part, read)?,
        page_size: part.page_bytes,
        sector_size: FlashPart::SECTOR_BYTES,
        ipcmd_serial_clk_freq: IP_COMMAND_CLOCK_30_MHZ,
        block_size: BLOCK_BYTES,
        ..Fcb::default()
    };
    Some(NewFcb {
        fcb,
        read: *read,
        clock,
        dqs_loopback: board.dqs_pad_free,
    })
}

/// Builds IVT and boot data for an image that is entered at `entry`, has its DCD at `dcd` or none (0), and whose last byte
/// is before `end`.
pub(super) fn ivt_for(target: &Target, entry: u32, dcd: u32, end: FlashOffset) -> Option<NewIvt> {
    let boot = &target.chip().boot;
    let self_address = target.address_of(boot.ivt_offset)?;
    let boot_data_address = target.address_of(boot.boot_data_offset)?;
    Some(NewIvt {
        ivt: Ivt {
            dcd,
            ..Ivt::new(entry, self_address, boot_data_address)
        },
        boot_data: BootData {
            start: target.chip().flexspi.window_start().get(),
            length_bytes: end.get(),
            plugin: 0,
        },
    })
}

/// An IVT and the boot data it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIvt {
    /// The IVT.
    pub ivt: Ivt,
    /// Boot data.
    pub boot_data: BootData,
}

fn lookup_table(part: &FlashPart, read: &ReadCommand) -> Option<LookupTable> {
    let mut table = LookupTable::EMPTY;
    table.set_sequence(sequence::READ, &read_sequence(part, read)?);
    let command = |opcode| Instruction::new(Opcode::Cmd, Pads::One, opcode);
    let address = Instruction::new(Opcode::RowAddress, Pads::One, ADDRESS_BITS);
    let data = |opcode| Instruction::new(opcode, Pads::One, DATA_LENGTH);
    let sector_erase = part.erase_unit(FlashPart::SECTOR_BYTES)?.opcodes.first()?;
    table.set_sequence(
        sequence::READ_STATUS,
        &[command(READ_STATUS), data(Opcode::Read)],
    );
    table.set_sequence(sequence::WRITE_ENABLE, &[command(WRITE_ENABLE)]);
    table.set_sequence(sequence::ERASE_SECTOR, &[command(*sector_erase), address]);
    table.set_sequence(sequence::ERASE_BLOCK, &[command(ERASE_BLOCK_64K), address]);
    table.set_sequence(
        sequence::PAGE_PROGRAM,
        &[
            command(part.page_program.opcode_1_1_1),
            address,
            data(Opcode::Write),
        ],
    );
    table.set_sequence(
        sequence::ERASE_CHIP,
        &[command(*part.chip_erase.opcodes.last()?)],
    );
    Some(table)
}

fn read_sequence(part: &FlashPart, read: &ReadCommand) -> Option<Vec<Instruction>> {
    let [command, address, data] = read.lines;
    let address_pads = Pads::from_lines(address)?;
    let mut instructions = vec![
        Instruction::new(Opcode::Cmd, Pads::from_lines(command)?, read.opcode),
        Instruction::new(Opcode::RowAddress, address_pads, ADDRESS_BITS),
    ];
    if read.mode_clocks == MODE_BITS / address {
        let leave = part.continuous_read.leave_mode_byte;
        instructions.push(Instruction::new(Opcode::Mode8, address_pads, leave));
    } else if read.mode_clocks != 0 {
        return None;
    }
    if read.dummy_clocks != 0 {
        let dummy = Instruction::new(Opcode::Dummy, address_pads, read.dummy_clocks);
        instructions.push(dummy);
    }
    let data_pads = Pads::from_lines(data)?;
    instructions.push(Instruction::new(Opcode::Read, data_pads, DATA_LENGTH));
    Some(instructions)
}
