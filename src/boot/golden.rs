//! Golden words: our boot header against NXP's SDK and the `imxrt-boot-gen` crate.

use imxrt_boot_gen::Imxrt;
use imxrt_boot_gen::flexspi::SerialClockOption;

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

/// The non-zero words that `imxrt-boot-gen` 0.4.0 gives for the EVK: chip 1060, version 1.4.0, DQS pad loopback, CS hold
/// and set-up 3, misc options 10h, quad, 133 MHz, A1 8 MiB, IP commands at 30 MHz, and the sequences below. Printed from
/// its block once, byte for byte; its fields are private, and looking at them again would need `unsafe`.
const IMXRT_BOOT_GEN: &[(usize, u32)] = &[
    (0x000, 0x4246_4346), // tag
    (0x004, 0x5601_0400), // version
    (0x00C, 0x0003_0301), // column_address_width, cs_setup_time, cs_hold_time, read_sample_clk_src
    (0x040, 0x0000_0010), // controller_misc_options
    (0x044, 0x0008_0401), // serial_clk_freq 133 MHz, serial_flash_pad_type, device_type
    (0x050, 0x0080_0000), // serial_flash_sizes A1
    (0x080, 0x0A18_04EB), // Read: CMD EBh, RADDR
    (0x084, 0x2604_3206), //       DUMMY 6, READ
    (0x090, 0x2404_0405), // ReadStatus
    (0x0B0, 0x0000_0406), // WriteEnable
    (0x0D0, 0x0818_0420), // EraseSector
    (0x110, 0x0818_0402), // PageProgram
    (0x114, 0x0000_2004),
    (0x130, 0x0000_0460), // ChipErase
    (0x1C0, 0x0000_0100), // page_size
    (0x1C4, 0x0000_1000), // sector_size
    (0x1C8, 0x0000_0001), // ip_cmd_serial_clk_freq
];

#[test]
fn with_their_choices_it_is_the_block_of_imxrt_boot_gen() {
    // They give no 64 KiB erase and no block size, and the EVK example runs at 133 MHz (code 8).
    let mut ours = as_nxp(8);
    ours.lookup_table.set_sequence(sequence::ERASE_BLOCK, &[]);
    ours.block_size = 0;
    assert_eq!(non_zero(&ours), IMXRT_BOOT_GEN);
}

#[test]
fn the_clock_codes_are_those_of_imxrt_boot_gen() {
    use SerialClockOption::*;
    let theirs = [
        MHz30, MHz50, MHz60, MHz75, MHz80, MHz100, MHz120, MHz133, MHz166,
    ];
    let megahertz = [30, 50, 60, 75, 80, 100, 120, 133, 166];
    let target = evk();
    assert_eq!(target.chip().serial_clock.len(), theirs.len());
    for (option, megahertz) in theirs.into_iter().zip(megahertz) {
        let code = Imxrt::Imxrt1060.serial_clock_frequency(option).get();
        assert_eq!(
            target.chip().clock_of_code(code),
            Some(megahertz * 1_000_000)
        );
    }
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
