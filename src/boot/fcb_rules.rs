//! The rules for an FCB that the image or the user brings, or the board holds.

use super::boot_image::Entry;
use super::fcb::Fcb;
use super::finding::Finding;
use super::judge::Bench;
use super::lut::{Instruction, Opcode, Pads, sequence};
use crate::problem::Place;
use crate::target::ReadCommand;

const NOT_SETTLED: &str = "no source says whether the boot ROM tests this";
const KEEP_OR_OMIT: &str = "correct the FCB, or leave it out: then one is inserted";

// Values of the manual's fields (IMXRT1060RM System Boot chapter, FlexSPI NOR configuration block).
const VERSION_MASK: u32 = 0xFFFF_0000;
const VERSION_1: u32 = 0x5601_0000;
const HIGHEST_DEVICE_TYPE: u8 = 1;
const SAMPLE_INTERNAL_LOOPBACK: u8 = 0;
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
const ADDRESS_BITS: u8 = 24;
/// A part in its default 3-byte mode takes the fourth byte for mode bits.
const FOUR_BYTE_ADDRESS_BITS: u8 = 32;
const EIGHT_LINES: u8 = 8;
const READ_STATUS: u8 = 0x05;
const WRITE_ENABLE: u8 = 0x06;
/// NXP's boards read with it above the data sheet's limit for the dummies, and work.
const QUAD_IO_READ: u8 = 0xEB;

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

/// Checks the read sequence; whether its clock can be judged.
fn check_read(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) -> bool {
    let instructions = fcb.lookup_table.sequence(sequence::READ);
    let has_mode_commands = has_mode_commands(fcb);
    let mut say = |finding: Finding| bench.findings.push(finding.at(place.clone()));
    let has = |opcode| {
        instructions
            .iter()
            .any(|i: &Instruction| i.opcode == opcode)
    };
    if !has(Opcode::Read) || !has(Opcode::RowAddress) {
        say(Finding::error(
            "fcb-no-read",
            "the FCB's look-up table has no read sequence at 0",
        )
        .because("the boot ROM reads the IVT through sequence 0")
        .fix(KEEP_OR_OMIT));
        return false;
    }
    let shown: Vec<String> = instructions.iter().map(ToString::to_string).collect();
    let shown = shown.join(", ");
    if instructions
        .iter()
        .any(|i| matches!(i.opcode, Opcode::Unknown(_)))
    {
        say(Finding::error(
            "fcb-lut-opcode",
            format!("the FCB's read sequence holds an instruction that the FlexSPI does not have: {shown}"),
        )
        .because("the FlexSPI ends such a sequence with an error, and the boot ROM reads nothing")
        .fix(KEEP_OR_OMIT));
        return false;
    }
    let part = bench.target.flash();
    let Some(read) = fcb
        .read_opcode()
        .and_then(|opcode| part.read_command(opcode))
    else {
        say(Finding::uncertain(
            "fcb-read-command",
            format!(
                "the FCB reads with a command that our data on {} lacks: {shown}",
                part.name
            ),
            "the part may know it",
        ));
        return false;
    };
    let canonical = Canonical::of(&instructions);
    let Some(canonical) = canonical else {
        say(Finding::uncertain(
            "fcb-read-sequence",
            format!("the FCB's read sequence has an unusual form: {shown}"),
            "the flash part expects command, address, mode, dummies and data in this order",
        ));
        return false;
    };
    if canonical.lines != read.lines || canonical.address_bits != ADDRESS_BITS {
        let what = format!(
            "the FCB's read sequence does not fit {:02X}h of {}, which takes 24 address bits on {} lines and gives data on \
             {}: {shown}",
            read.opcode, part.name, read.lines[1], read.lines[2]
        );
        // eight lines take the other port's pads as well: what the flash then sees is not settled
        let on_port = !canonical.lines.contains(&EIGHT_LINES);
        let sure = on_port && canonical.lines != read.lines
            || canonical.address_bits == FOUR_BYTE_ADDRESS_BITS;
        say(if has_mode_commands || !sure {
            let why = "mode commands, an address of no whole bytes or the pads of the other port may change that";
            Finding::uncertain("fcb-read-lines", what, why)
        } else {
            Finding::error("fcb-read-lines", what)
                .because("the part takes address and data on the lines of its data sheet, whatever the FlexSPI uses")
                .fix(KEEP_OR_OMIT)
        });
        return false;
    }
    let part_waits = u32::from(read.mode_clocks) + u32::from(read.dummy_clocks);
    if canonical.wait_clocks != part_waits {
        say(Finding::uncertain(
            "fcb-dummies",
            format!(
                "the FCB waits {} clocks between address and data; {:02X}h of {} takes {part_waits} by default",
                canonical.wait_clocks, read.opcode, part.name
            ),
            "the part's read parameters may have been changed for good, or by the FCB's commands",
        ));
        return false;
    }
    let continuous = part.continuous_read;
    let enters =
        |mode: u8| ((mode >> 4) ^ continuous.enter_high_nibble) & continuous.enter_nibble_mask == 0;
    if canonical.mode_byte.is_some_and(enters) {
        say(Finding::uncertain(
            "fcb-continuous-read",
            format!("the FCB's mode byte leaves the flash in continuous read: {shown}"),
            "the next read would have to come without its command",
        ));
        return false;
    }
    if canonical
        .mode_byte
        .is_some_and(|_| canonical.mode_clocks != u32::from(read.mode_clocks))
    {
        say(Finding::uncertain(
            "fcb-dummies",
            format!("the FCB sends a mode byte where the part has none: {shown}"),
            "the part may take it for dummies",
        ));
        return false;
    }
    if u16::from(fcb.sflash_pad_type) < u16::from(read.lines[2]) {
        say(Finding::uncertain(
            "fcb-pads",
            format!(
                "the FCB's sflashPadType is {}, and its read uses {} lines",
                fcb.sflash_pad_type, read.lines[2]
            ),
            "the boot ROM may mux too few pads",
        ));
    }
    true
}

/// A read sequence in the usual order: command, address, perhaps mode, perhaps dummies, data.
struct Canonical {
    lines: [u8; 3],
    address_bits: u8,
    mode_byte: Option<u8>,
    mode_clocks: u32,
    wait_clocks: u32,
}

impl Canonical {
    fn of(instructions: &[Instruction]) -> Option<Self> {
        let [command, address, middle @ .., data] = instructions else {
            return None;
        };
        let in_order = command.opcode == Opcode::Cmd
            && address.opcode == Opcode::RowAddress
            && data.opcode == Opcode::Read;
        if !in_order || instructions.iter().any(|instruction| instruction.ddr) {
            return None;
        }
        let (mode, dummy) = match middle {
            [] => (None, None),
            [one] if one.opcode == Opcode::Dummy => (None, Some(one)),
            [one] if one.opcode == Opcode::Mode8 => (Some(one), None),
            [mode, dummy] if mode.opcode == Opcode::Mode8 && dummy.opcode == Opcode::Dummy => {
                (Some(mode), Some(dummy))
            }
            _ => return None,
        };
        let mode_clocks = mode.map_or(0, |mode| 8 / u32::from(mode.pads.lines()));
        Some(Canonical {
            lines: [command, address, data].map(|instruction| instruction.pads.lines()),
            address_bits: address.operand,
            mode_byte: mode.map(|mode| mode.operand),
            mode_clocks,
            wait_clocks: mode_clocks + dummy.map_or(0, |dummy| u32::from(dummy.operand)),
        })
    }
}

/// Checks the clock of a read that fits the part.
fn check_clock(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) {
    let chip = bench.target.chip();
    let part = bench.target.flash();
    let Some(read) = fcb
        .read_opcode()
        .and_then(|opcode| part.read_command(opcode))
    else {
        return;
    };
    let Some(clock) = chip.clock_of_code(fcb.serial_clk_freq) else {
        bench.findings.push(
            Finding::uncertain(
                "fcb-clock-code",
                format!(
                    "the FCB's serialClkFreq is {}; this chip's table has 1 to 9",
                    fcb.serial_clk_freq
                ),
                "sister chips take 30 MHz for a code above their table, and leave the clock alone for 0",
            )
            .at(place.clone()),
        );
        return;
    };
    let internal_limit = chip.serial_clock_limits.without_dqs_loopback_hz;
    if fcb.read_sample_clk_src == SAMPLE_INTERNAL_LOOPBACK && clock > internal_limit {
        bench.findings.push(
            Finding::uncertain(
                "fcb-sample-clock",
                format!(
                    "the FCB clocks samples internally at {} MHz; that is good for {} MHz",
                    mhz(clock),
                    mhz(internal_limit)
                ),
                "boards differ",
            )
            .at(place.clone()),
        );
    }
    if let Some(finding) = clock_finding(read, clock, part.max_hz, &part.name) {
        bench.findings.push(finding.at(place.clone()));
    }
}

fn clock_finding(read: &ReadCommand, clock: u32, part_hz: u32, part: &str) -> Option<Finding> {
    if clock <= read.max_hz {
        return None;
    }
    let what = format!(
        "the FCB reads with {:02X}h at {} MHz; {part} allows {} MHz with these dummy clocks",
        read.opcode,
        mhz(clock),
        mhz(read.max_hz)
    );
    Some(if read.opcode == QUAD_IO_READ && clock <= part_hz {
        Finding::warning("fcb-clock", what)
            .because("NXP's own evaluation kits do this and work, but it is no data sheet setting")
    } else {
        Finding::uncertain("fcb-clock", what, "the part may keep up, or not")
    })
}

const fn mhz(hz: u32) -> u32 {
    hz / 1_000_000
}

const fn has_mode_commands(fcb: &Fcb) -> bool {
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
