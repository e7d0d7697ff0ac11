//! Golden words: our boot header against NXP's SDK and the block that `imxrt-boot-gen` builds for the same board.

use imxrt_boot_gen::Imxrt;
use imxrt_boot_gen::flexspi::SerialClockOption;

use super::*;
use crate::address::FlashOffset;
use crate::image::sample::{application, image_of};
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

/// What `imxrt1060evk-fcb` builds with `imxrt-boot-gen` for the same board.
fn boot_gen() -> [u8; Fcb::SIZE_BYTES] {
    packed(&imxrt1060evk_fcb::SERIAL_NOR_CONFIGURATION_BLOCK)
}

/// The bytes of a packed block, from its `Debug` text: the fields are private, the text has all of them in their order,
/// reserved ones too, and looking at the memory would need `unsafe`. What is misread here has no 512 bytes.
fn packed(block: &impl std::fmt::Debug) -> [u8; Fcb::SIZE_BYTES] {
    /// Widths in bytes of the numbers in fields that are no bytes.
    const WIDTHS: [(&str, usize); 22] = [
        ("tag", 4),
        ("version", 4),
        ("wait_time_cfg_commands", 2),
        ("_reserved", 2),
        ("device_mode_arg", 4),
        ("cfg_cmd_args", 4),
        ("controller_misc_options", 4),
        ("serial_flash_sizes", 4),
        ("cs_pad_setting_override", 4),
        ("sclk_pad_setting_override", 4),
        ("data_pad_setting_override", 4),
        ("dqs_pad_setting_override", 4),
        ("timeout_ms", 4),
        ("command_interval", 4),
        ("data_valid_time", 4),
        ("busy_offset", 2),
        ("busy_bit_polarity", 2),
        ("lookup_table", 2),
        ("page_size", 4),
        ("sector_size", 4),
        ("block_size", 4),
        ("flash_state_ctx", 4),
    ];
    /// Values of the enumerators that these blocks hold.
    const ENUMERATORS: [(&str, u32); 3] =
        [("LoopbackFromDQSPad", 1), ("OtherDevices", 0), ("Quad", 4)];
    let text = format!("{block:?}");
    let mut bytes = Vec::new();
    let mut width = 1;
    for token in text.split(|c: char| " ,()[]{}".contains(c)) {
        if let Some(field) = token.strip_suffix(':') {
            let wide = WIDTHS.iter().find(|(name, _)| *name == field);
            width = wide.map_or(1, |(_, width)| *width);
            continue;
        }
        let enumerator = ENUMERATORS.iter().find(|(name, _)| *name == token);
        let number = match token.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => token.parse().ok(),
        };
        if let Some(number) = number.or(enumerator.map(|(_, value)| *value)) {
            bytes.extend(&number.to_le_bytes()[..width]);
        }
    }
    bytes.try_into().expect("512 bytes")
}

/// Fields in which two blocks differ, the look-up table by sequence: name, value in the first, value in the second.
fn differences(a: &Fcb, b: &Fcb) -> Vec<(String, String, String)> {
    let (a_bytes, b_bytes) = (a.build(), b.build());
    let hex = |bytes: &[u8]| -> String { bytes.iter().rev().map(|b| format!("{b:02X}")).collect() };
    let fields = Fcb::FIELDS.iter().filter_map(|(offset, name, size)| {
        let range = *offset..offset + size;
        let (a, b) = (&a_bytes[range.clone()], &b_bytes[range]);
        (*name != "lookupTable" && a != b).then(|| ((*name).to_owned(), hex(a), hex(b)))
    });
    let text = |fcb: &Fcb, number| -> String {
        let sequence = fcb.lookup_table.sequence(number);
        let shown: Vec<String> = sequence.iter().map(ToString::to_string).collect();
        shown.join(", ")
    };
    let tables = [a, b].map(|fcb| fcb.lookup_table.words().as_chunks::<4>().0);
    let sequences = (0..tables[0].len())
        .filter(|number| tables[0][*number] != tables[1][*number])
        .map(|number| {
            (
                format!("sequence {number}"),
                text(a, number),
                text(b, number),
            )
        });
    fields.chain(sequences).collect()
}

fn told(differences: &[(String, String, String)]) -> Vec<(&str, &str, &str)> {
    let strings = differences.iter();
    strings.map(|(name, a, b)| (&**name, &**a, &**b)).collect()
}

#[test]
fn our_fcb_differs_from_that_of_imxrt_boot_gen_where_we_mean_it() {
    let ours = fcb_for(&evk()).expect("fcb").fcb;
    assert_eq!(
        told(&differences(&ours, &Fcb::parse(&boot_gen()))),
        [
            // 80 MHz, in the data sheet's limit for these dummies; theirs 133 MHz
            ("serialClkFreq", "05", "08"),
            // the ROM does not erase; ROM-API users erase blocks
            ("blockSize", "00010000", "00000000"),
            // the mode byte driven, not floating
            (
                "sequence 0",
                "CMD/1 EBh, RADDR/4 24, MODE8/4 FFh, DUMMY/4 4, READ/4 04h",
                "CMD/1 EBh, RADDR/4 24, DUMMY/4 6, READ/4 04h"
            ),
            ("sequence 8", "CMD/1 D8h, RADDR/1 24", ""),
        ]
    );
}

#[test]
fn our_fcb_differs_from_nxp_s_where_we_mean_it() {
    let ours = fcb_for(&evk()).expect("fcb").fcb;
    let differences = differences(&ours, &as_nxp(7));
    let names: Vec<&str> = differences.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["serialClkFreq", "sequence 0"]);
}

#[test]
fn the_block_of_imxrt_boot_gen_survives_parsing_and_building_and_has_the_words_of_a_known_one() {
    let block = boot_gen();
    let fcb = Fcb::parse(&block);
    assert_eq!(fcb.build(), block);
    assert!(fcb.has_tag() && fcb.needs_quad_enable());
    assert_eq!((fcb.read_opcode(), fcb.read_wait_clocks()), (Some(0xEB), 6));
    assert_eq!(
        non_zero(&fcb),
        [
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
        ]
    );
    // with their choices ours is theirs, all 128 words of it
    let mut ours = as_nxp(8);
    ours.lookup_table.set_sequence(sequence::ERASE_BLOCK, &[]);
    ours.block_size = 0;
    assert_eq!(words(&ours.build()), words(&block));
}

#[test]
fn our_ivt_and_boot_data_word_by_word() {
    let app = application(0x2002_0000, 0x6000_2101, 0x400);
    let judgement = judge(&image_of(&[(0x6000_2000, app)]), None, &evk());
    let boot_image = judgement.boot_image().expect("accepted");
    let bytes = (0x1000..0x1030).map(|at| boot_image.byte_at(FlashOffset::new(at)));
    let bytes: Vec<u8> = bytes.collect::<Option<_>>().expect("brought");
    assert_eq!(
        words(&bytes),
        [
            0x4120_00D1, // header: tag D1, length 0020 big-endian, version 41
            0x6000_2000, // entry: the vector table
            0x0000_0000, // reserved1
            0x0000_0000, // dcd
            0x6000_1020, // boot_data
            0x6000_1000, // self
            0x0000_0000, // csf
            0x0000_0000, // reserved2
            0x6000_0000, // start: the flash window
            0x0000_2400, // length: to the end of the image
            0x0000_0000, // plugin
            0xFFFF_FFFF, // NXP's filler
        ]
    );
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
