//! The rules for an FCB's read sequence and clock against what the flash part takes.

use super::fcb::Fcb;
use super::fcb_rules::has_mode_commands;
use super::finding::Finding;
use super::judge::Bench;
use super::lut::{Instruction, Opcode, sequence};
use crate::problem::Place;
use crate::target::ReadCommand;

const SAMPLE_INTERNAL_LOOPBACK: u8 = 0;
const ADDRESS_BITS: u8 = 24;
/// A part in its default 3-byte mode takes the fourth byte for mode bits.
const FOUR_BYTE_ADDRESS_BITS: u8 = 32;
const EIGHT_LINES: u8 = 8;
/// NXP's boards read with it above the data sheet's limit for the dummies, and work.
const QUAD_IO_READ: u8 = 0xEB;
const KEEP_OR_OMIT: &str = "correct the FCB, or leave it out: then one is inserted";

/// Checks the read sequence; whether its clock can be judged.
pub(super) fn check_read(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) -> bool {
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
pub(super) fn check_clock(bench: &mut Bench<'_>, fcb: &Fcb, place: &Place) {
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
