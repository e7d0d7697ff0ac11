//! Golden words: our boot header against NXP's SDK and the `imxrt-boot-gen` crate.

use imxrt_boot_gen::Imxrt;
use imxrt_boot_gen::flexspi::opcodes::sdr::{CMD, DUMMY, RADDR, READ as READ_DATA, WRITE};
use imxrt_boot_gen::flexspi::{
    self, ColumnAddressWidth, Command, DeviceModeConfiguration, FlashPadType, Instr,
    LookupTable as TheirTable, Pads as TheirPads, ReadSampleClockSource, Sequence, SequenceBuilder,
    SerialClockOption, SerialFlashRegion, Version,
};
use imxrt_boot_gen::serial_flash::nor;

use super::*;
use crate::target::Target;

fn evk() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("a word")))
        .collect()
}

/// All non-zero words as (offset, word).
fn non_zero(fcb: &Fcb) -> Vec<(usize, u32)> {
    words(&fcb.build())
        .into_iter()
        .enumerate()
        .map(|(index, word)| (4 * index, word))
        .filter(|(_, word)| *word != 0)
        .collect()
}

#[test]
fn the_fields_of_the_fcb_fill_512_bytes_without_gap() {
    let mut at = 0;
    for (offset, name, size) in Fcb::FIELDS {
        assert_eq!(*offset, at, "{name}");
        at += size;
    }
    assert_eq!(at, Fcb::SIZE_BYTES);
}

#[test]
fn our_fcb_for_the_evk_s_part_word_by_word() {
    let new = fcb_for(&evk()).expect("fcb");
    assert_eq!(
        non_zero(&new.fcb),
        [
            (0x000, 0x4246_4346), // tag "FCFB"
            (0x004, 0x5601_0400), // version 1.4.0
            (0x00C, 0x0003_0301), // columnAddressWidth 0, csSetupTime 3, csHoldTime 3, readSampleClkSrc 1: DQS pad loopback
            (0x040, 0x0000_0010), // controllerMiscOption: safe configuration clock
            (0x044, 0x0005_0401), // serialClkFreq 5: 80 MHz, sflashPadType 4, deviceType 1: serial NOR
            (0x050, 0x0080_0000), // sflashA1Size 8 MiB
            (0x080, 0x0A18_04EB), // 0: CMD/1 EBh, RADDR/4 24
            (0x084, 0x3204_1EFF), //    MODE8/4 FFh, DUMMY/4 4
            (0x088, 0x0000_2604), //    READ/4
            (0x090, 0x2404_0405), // 1: CMD/1 05h, READ/1
            (0x0B0, 0x0000_0406), // 3: CMD/1 06h
            (0x0D0, 0x0818_0420), // 5: CMD/1 20h, RADDR/1 24
            (0x100, 0x0818_04D8), // 8: CMD/1 D8h, RADDR/1 24
            (0x110, 0x0818_0402), // 9: CMD/1 02h, RADDR/1 24
            (0x114, 0x0000_2004), //    WRITE/1
            (0x130, 0x0000_0460), // 11: CMD/1 60h
            (0x1C0, 0x0000_0100), // pageSize 256
            (0x1C4, 0x0000_1000), // sectorSize 4096
            (0x1C8, 0x0000_0001), // ipcmdSerialClkFreq 1: 30 MHz
            (0x1D0, 0x0001_0000), // blockSize 64 KiB
        ]
    );
    assert_eq!(new.clock.hz, 80_000_000);
    assert!(new.fcb.needs_quad_enable());
    assert_eq!(new.fcb.read_lines(), Some([1, 4, 4]));
    assert_eq!(new.fcb.read_wait_clocks(), 6);
}

/// NXP's form of the quad read: six dummy clocks, the mode byte among them undriven.
const NXP_READ: [Instruction; 4] = [
    Instruction::new(Opcode::Cmd, Pads::One, 0xEB),
    Instruction::new(Opcode::RowAddress, Pads::Four, 24),
    Instruction::new(Opcode::Dummy, Pads::Four, 6),
    Instruction::new(Opcode::Read, Pads::Four, 4),
];

/// Our block with the two choices of NXP's: its read sequence and its clock.
fn as_nxp(clock_code: u8) -> Fcb {
    let mut fcb = fcb_for(&evk()).expect("fcb").fcb;
    fcb.lookup_table.set_sequence(sequence::READ, &NXP_READ);
    fcb.serial_clk_freq = clock_code;
    fcb
}

#[test]
fn with_nxp_s_two_choices_it_is_nxp_s_evk_block() {
    // NXP mcux-sdk evkmimxrt1060 and Zephyr mimxrt1060_evk; 120 MHz is code 7.
    assert_eq!(
        non_zero(&as_nxp(7)),
        [
            (0x000, 0x4246_4346),
            (0x004, 0x5601_0400),
            (0x00C, 0x0003_0301),
            (0x040, 0x0000_0010),
            (0x044, 0x0007_0401),
            (0x050, 0x0080_0000),
            (0x080, 0x0A18_04EB),
            (0x084, 0x2604_3206),
            (0x090, 0x2404_0405),
            (0x0B0, 0x0000_0406),
            (0x0D0, 0x0818_0420),
            (0x100, 0x0818_04D8),
            (0x110, 0x0818_0402),
            (0x114, 0x0000_2004),
            (0x130, 0x0000_0460),
            (0x1C0, 0x0000_0100),
            (0x1C4, 0x0000_1000),
            (0x1C8, 0x0000_0001),
            (0x1D0, 0x0001_0000),
        ]
    );
}

const fn theirs() -> nor::ConfigurationBlock {
    const fn command(opcode: u8) -> Instr {
        Instr::new(CMD, TheirPads::One, opcode)
    }
    const ADDRESS: Instr = Instr::new(RADDR, TheirPads::One, 24);
    const READ: Sequence = SequenceBuilder::new()
        .instr(command(0xEB))
        .instr(Instr::new(RADDR, TheirPads::Four, 24))
        .instr(Instr::new(DUMMY, TheirPads::Four, 6))
        .instr(Instr::new(READ_DATA, TheirPads::Four, 4))
        .build();
    const STATUS: Sequence = SequenceBuilder::new()
        .instr(command(0x05))
        .instr(Instr::new(READ_DATA, TheirPads::One, 4))
        .build();
    const PROGRAM: Sequence = SequenceBuilder::new()
        .instr(command(0x02))
        .instr(ADDRESS)
        .instr(Instr::new(WRITE, TheirPads::One, 4))
        .build();
    let table = TheirTable::new()
        .command(Command::Read, READ)
        .command(Command::ReadStatus, STATUS)
        .command(
            Command::WriteEnable,
            SequenceBuilder::new().instr(command(0x06)).build(),
        )
        .command(
            Command::EraseSector,
            SequenceBuilder::new()
                .instr(command(0x20))
                .instr(ADDRESS)
                .build(),
        )
        .command(Command::PageProgram, PROGRAM)
        .command(
            Command::ChipErase,
            SequenceBuilder::new().instr(command(0x60)).build(),
        );
    let chip = Imxrt::Imxrt1060;
    let block = flexspi::ConfigurationBlock::new(table)
        .version(Version::new(1, 4, 0))
        .read_sample_clk_src(ReadSampleClockSource::LoopbackFromDQSPad)
        .cs_hold_time(3)
        .cs_setup_time(3)
        .controller_misc_options(0x10)
        .column_address_width(ColumnAddressWidth::OtherDevices)
        .device_mode_configuration(DeviceModeConfiguration::Disabled)
        .serial_flash_pad_type(FlashPadType::Quad)
        .serial_clk_freq(chip.serial_clock_frequency(SerialClockOption::MHz133))
        .flash_size(SerialFlashRegion::A1, 0x80_0000);
    nor::ConfigurationBlock::new(chip, block)
        .page_size(256)
        .sector_size(4096)
        .ip_cmd_serial_clk_freq(Some(
            chip.ip_serial_clock_frequency(SerialClockOption::MHz30),
        ))
}

#[test]
fn with_their_choices_it_is_the_block_of_imxrt_boot_gen() {
    // SAFETY: the block is `repr(C, packed)` and 512 bytes of plain integers.
    let theirs: [u8; Fcb::SIZE_BYTES] = unsafe { std::mem::transmute(theirs()) };
    // They give no 64 KiB erase and no block size, and the EVK example runs at 133 MHz (code 8).
    let mut ours = as_nxp(8);
    ours.lookup_table.set_sequence(sequence::ERASE_BLOCK, &[]);
    ours.block_size = 0;
    for (at, (ours, theirs)) in words(&ours.build()).iter().zip(words(&theirs)).enumerate() {
        assert_eq!(*ours, theirs, "offset {:03X}", 4 * at);
    }
    assert!(Fcb::parse(&theirs).has_tag());
}

#[test]
fn a_busy_dqs_pad_takes_the_loopback_and_the_clock_down() {
    use crate::target::{Board, Chip, FlashPart};
    let board = Board {
        dqs_pad_free: false,
        ..Board::builtin("qspi").expect("board")
    };
    let target = Target::new(
        Chip::builtin("mimxrt1062").expect("chip"),
        FlashPart::builtin("is25wp064").expect("part"),
        board,
    )
    .expect("target");
    let new = fcb_for(&target).expect("fcb");
    assert_eq!(new.fcb.read_sample_clk_src, 0);
    assert_eq!(new.fcb.serial_clk_freq, 3);
}

proptest::proptest! {
    #[test]
    fn any_512_bytes_survive_parsing_and_building(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 512)) {
        let bytes: [u8; 512] = bytes.try_into().expect("512 bytes");
        proptest::prop_assert_eq!(Fcb::parse(&bytes).build(), bytes);
    }

    #[test]
    fn any_ivt_survives_building_and_parsing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 32)) {
        let mut bytes: [u8; 32] = bytes.try_into().expect("32 bytes");
        bytes[0] = 0xD1;
        let ivt = Ivt::parse(&bytes).expect("tag");
        proptest::prop_assert_eq!(ivt.build(), bytes.to_vec());
    }
}
