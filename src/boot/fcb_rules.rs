//! The rules for an FCB that the image or the user brings, or the board holds.

use super::boot_image::Entry;
use super::fcb::Fcb;
use super::fcb_read_rules::{check_clock, check_read};
use super::finding::Finding;
use super::judge::Bench;
use super::lut::{Instruction, Opcode, Pads, sequence};
use crate::problem::Place;

const NOT_SETTLED: &str = "no source says whether the boot ROM tests this";

// Values of the manual's fields (IMXRT1060RM System Boot chapter, FlexSPI NOR configuration block).
const VERSION_MASK: u32 = 0xFFFF_0000;
const VERSION_1: u32 = 0x5601_0000;
const HIGHEST_DEVICE_TYPE: u8 = 1;
const SAMPLE_DQS_PAD_LOOPBACK: u8 = 1;
/// Mode and configuration commands at a safe clock: the one bit that FCBs of QSPI flashes in use have.
const MISC_USUAL: u32 = 1 << 4;
const MISC_UNUSUAL: [(u32, &str); 7] = [
    (1 << 0, "a differential clock"),
    (1 << 1, "a second clock"),
    (1 << 2, "parallel mode"),
    (1 << 3, "word addressing"),
    (1 << 5, "pad settings of its own"),
    (1 << 6, "DDR mode"),
    (1 << 7, "the data valid time at every clock"),
];
/// Unit of `waitTimeCfgCommands` in us.
const WAIT_UNIT_US: u32 = 100;
const PADS_OF_QSPI: [u8; 3] = [1, 2, 4];
const SIZE_UNIT_BYTES: u32 = 1024;
const LONGEST_CS_CLOCKS: u8 = 31;
const READ_STATUS: u8 = 0x05;
const WRITE_ENABLE: u8 = 0x06;

/// Checks an FCB that we did not make. `entry` is what the ROM must be able to reach through it, `place` where it stands.
pub(super) fn check_fcb(bench: &mut Bench<'_>, fcb: &Fcb, entry: &Entry, place: &Place) {
    check_fields(bench, fcb, place);
    check_size(bench, fcb, entry, place);
    if check_read(bench, fcb, place) {
        check_clock(bench, fcb, place);
    }
    check_mode_commands(bench, fcb, place);
}

fn check_fields(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) {
    let dqs_pad_free = bench.target.board().dqs_pad_free;
    let mut odd = |code, what: String, why: &str| {
        let finding = Finding::uncertain(code, what, why).at(place.clone());
        bench.findings.push(finding);
    };
    if fcb.version & VERSION_MASK != VERSION_1 {
        odd(
            "fcb-version",
            format!(
                "the FCB has version 0x{:08X}; 0x5601xxxx is known",
                fcb.version
            ),
            NOT_SETTLED,
        );
    }
    if fcb.device_type > HIGHEST_DEVICE_TYPE {
        odd(
            "fcb-device-type",
            format!(
                "the FCB's deviceType is {}; serial NOR is 1",
                fcb.device_type
            ),
            NOT_SETTLED,
        );
    }
    if !PADS_OF_QSPI.contains(&fcb.sflash_pad_type) {
        odd(
            "fcb-pads",
            format!(
                "the FCB's sflashPadType is {}; a QSPI flash has 1, 2 or 4 lines",
                fcb.sflash_pad_type
            ),
            NOT_SETTLED,
        );
    }
    if fcb.read_sample_clk_src > SAMPLE_DQS_PAD_LOOPBACK {
        odd(
            "fcb-sample-clock",
            format!(
                "the FCB's readSampleClkSrc is {}; 0 and 1 are usual for a QSPI flash",
                fcb.read_sample_clk_src
            ),
            "2 is called reserved by some headers and works for others; 3 needs a flash that drives DQS",
        );
    } else if fcb.read_sample_clk_src == SAMPLE_DQS_PAD_LOOPBACK && !dqs_pad_free {
        odd(
            "fcb-sample-clock",
            "the FCB clocks samples through the DQS pad, which the board uses for something else"
                .to_owned(),
            "reads then fail now and then",
        );
    }
    let misc = fcb.controller_misc_option & !MISC_USUAL;
    if misc != 0 {
        let mut known = MISC_UNUSUAL.iter();
        let name = known
            .find(|(mask, _)| misc & mask != 0)
            .map_or("something unknown", |(_, name)| name);
        odd(
            "fcb-misc",
            format!("the FCB's controllerMiscOption (0x{misc:X}) asks for {name}"),
            "a single QSPI flash has no use for it",
        );
    }
    let custom = fcb.lut_custom_seq.iter();
    if fcb.lut_custom_seq_enable != 0 && custom.clone().any(|sequence| sequence.seq_num != 0) {
        odd(
            "fcb-custom-sequences",
            "the FCB's lutCustomSeq replaces sequences".to_owned(),
            NOT_SETTLED,
        );
    }
    if fcb.column_address_width != 0 {
        odd(
            "fcb-column-address",
            format!(
                "the FCB's columnAddressWidth is {}; a QSPI flash has 0",
                fcb.column_address_width
            ),
            "the FlexSPI then splits every address",
        );
    }
    if fcb.cs_hold_time > LONGEST_CS_CLOCKS || fcb.cs_setup_time > LONGEST_CS_CLOCKS {
        odd(
            "fcb-cs-time",
            "csHoldTime or csSetupTime of the FCB is above 31".to_owned(),
            NOT_SETTLED,
        );
    }
    let reserved = [
        fcb.reserved_008,
        fcb.reserved_02c,
        fcb.reserved_03c,
        fcb.reserved_048[0],
        fcb.reserved_048[1],
    ];
    let reserved = reserved
        .iter()
        .chain(&fcb.reserved_1b0)
        .chain(&fcb.reserved_1d4);
    if reserved.into_iter().any(|word| *word != 0) || fcb.reserved_1cb != 0 {
        odd(
            "fcb-reserved",
            "a reserved field of the FCB is not 0".to_owned(),
            NOT_SETTLED,
        );
    }
}

fn check_size(bench: &mut Bench<'_>, fcb: &Fcb, entry: &Entry, place: &Place) {
    let size = u64::from(fcb.sflash_a1_size);
    let window_start = u64::from(bench.target.flash_window().start().get());
    let image_end = bench.end;
    let chip = bench.target.chip();
    // an entry in RAM (a copied image) is below the window and adds nothing
    let reached = [entry.vector_table, Some(entry.reset_handler)]
        .into_iter()
        .flatten()
        .filter(|address| chip.flexspi.window().contains(*address))
        .map(|address| u64::from(address.get()) + 8 - window_start)
        .chain([u64::from(chip.boot.vector_table_offset.get())])
        .max()
        .unwrap_or(0);
    let why = "the FlexSPI refuses every address beyond that size";
    let finding = if size < reached {
        Finding::error(
            "fcb-size",
            format!("the FCB gives the flash on A1 a size of {size}, and the boot ROM needs {reached} bytes"),
        )
        .because(why)
        .fix("set sflashA1Size to the size of the flash part")
    } else if size < image_end.saturating_sub(window_start) {
        Finding::warning(
            "fcb-size",
            format!("the FCB gives the flash on A1 {size} bytes, fewer than the image needs"),
        )
        .because(why)
        .fix("set sflashA1Size to the size of the flash part")
    } else if !fcb.sflash_a1_size.is_multiple_of(SIZE_UNIT_BYTES)
        || size > u64::from(chip.flexspi.window_bytes)
    {
        Finding::uncertain(
            "fcb-size-odd",
            format!("the FCB gives the flash on A1 {size} bytes"),
            "the FlexSPI counts in KiB and its window ends at 256 MiB",
        )
    } else {
        return;
    };
    bench.findings.push(finding.at(place.clone()));
}

/// Whether the ROM sends commands to the flash before it reads the image.
pub(super) const fn has_mode_commands(fcb: &Fcb) -> bool {
    fcb.device_mode_cfg_enable != 0 || fcb.config_cmd_enable != 0
}

/// Checks commands that the ROM sends to the flash before it reads the image.
fn check_mode_commands(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) {
    if !has_mode_commands(fcb) {
        return;
    }
    let qe = &bench.target.flash().quad_enable;
    let command = Instruction::new(Opcode::Cmd, Pads::One, qe.write_opcode);
    let step = fcb
        .lookup_table
        .sequence(usize::from(fcb.device_mode_seq.seq_id));
    let writes_status = matches!(step.as_slice(), [first, second]
        if *first == command && second.opcode == Opcode::Write && second.operand == qe.write_bytes);
    let sets_qe = fcb.device_mode_arg & u32::from(qe.mask) != 0 || !fcb.needs_quad_enable();
    let begins_with = |number, opcode| {
        let expected = Instruction::new(Opcode::Cmd, Pads::One, opcode);
        fcb.lookup_table.sequence(number).first() == Some(&expected)
    };
    let polls = begins_with(sequence::READ_STATUS, READ_STATUS)
        && fcb
            .lookup_table
            .sequence(sequence::READ_STATUS)
            .last()
            .is_some_and(|i| i.opcode == Opcode::Read)
        && fcb.busy_offset == 0
        && fcb.busy_bit_polarity == 0;
    let longest_write_us = bench.target.flash().write_status.max_us;
    let waits = match fcb.wait_time_cfg_commands {
        0 => polls,
        units => u32::from(units) * WAIT_UNIT_US >= longest_write_us,
    };
    let single_flash =
        fcb.sflash_a2_size == 0 && fcb.sflash_b1_size == 0 && fcb.sflash_b2_size == 0;
    let known = fcb.config_cmd_enable == 0
        && fcb.device_mode_seq.seq_num <= 1
        && writes_status
        && sets_qe
        && waits
        && begins_with(sequence::WRITE_ENABLE, WRITE_ENABLE)
        && single_flash;
    let finding = if known {
        Finding::note(
            "fcb-writes-status",
            "the FCB makes the boot ROM write the flash's status register at every boot",
        )
        .because("it sets QE, which is non-volatile: the write is redundant once done")
    } else {
        Finding::uncertain(
            "fcb-mode-commands",
            "the FCB makes the boot ROM send commands to the flash before it reads the image",
            "what they do depends on the flash part and its state; a status poll that never ends hangs the board",
        )
    };
    bench.findings.push(finding.at(place.clone()));
}
