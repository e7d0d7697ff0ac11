//! The SFDP tables (JESD216 revision 1.6) a part shows to 5Ah, built from its data.

use super::command::opcode;
use super::part::Part;

/// Where the basic flash parameter table stands.
const BASIC_TABLE_AT: usize = 0x30;
const BASIC_TABLE_DWORDS: usize = 16;

/// The SFDP area from address 0 to the end of the basic table; everything beyond reads FFh.
pub fn area(part: &Part) -> Vec<u8> {
    let mut area = vec![0xFF; BASIC_TABLE_AT + BASIC_TABLE_DWORDS * 4];
    let header: [u8; 16] = [
        b'S', b'F', b'D', b'P', // signature
        0x06, 0x01, 0x00, 0xFF, // revision 1.6, one parameter header
        0x00, 0x06, 0x01, 0x10, // basic table (ID FF00h), revision 1.6, 16 dwords
        0x30, 0x00, 0x00, 0xFF, // its address, ID high byte
    ];
    for (slot, byte) in area.iter_mut().zip(header) {
        *slot = byte;
    }
    let bytes = basic_table(part).into_iter().flat_map(u32::to_le_bytes);
    for (slot, byte) in area.iter_mut().skip(BASIC_TABLE_AT).zip(bytes) {
        *slot = byte;
    }
    area
}

/// The basic flash parameter table; dword n of JESD216 stands at index n - 1.
fn basic_table(part: &Part) -> [u32; BASIC_TABLE_DWORDS] {
    let knows = |opcode| part.commands.opcodes.contains(opcode);
    let double_rate = u32::from(opcode::DTR_READS.iter().any(knows));
    let sector_opcode = part
        .erases
        .first()
        .and_then(|erase| erase.opcodes.first())
        .copied()
        .unwrap_or(0xFF);
    [
        // 4 KiB erase, 1..64 byte writes, DTR where the part knows it, 1-1-2, 1-2-2, 1-1-4, 1-4-4 reads, 3-byte addresses only.
        0xFFF1_00E5 | u32::from(sector_opcode) << 8 | double_rate << 19,
        // Density: highest bit number.
        part.size_bytes.saturating_mul(8).wrapping_sub(1),
        read_half(part, 0xEB) | read_half(part, 0x6B) << 16,
        read_half(part, 0x3B) | read_half(part, 0xBB) << 16,
        // 4-4-4 reads where the part has QPI, 2-2-2 no.
        if part.qpi.is_some() {
            0xFFFF_FFFE
        } else {
            0xFFFF_FFEE
        },
        0xFF00_FFFF,
        0x0000_FFFF
            | if part.qpi.is_some() {
                read_half(part, 0xEB) << 16
            } else {
                0xFF00_0000
            },
        erase_half(part, 0) | erase_half(part, 1) << 16,
        erase_half(part, 2) | erase_half(part, 3) << 16,
        erase_times(part),
        program_times(part),
        suspend_times(part),
        suspend_opcodes(part),
        power_down(part),
        // 4-4-4 off by F5h, on by 35h; 0-4-4 yes: off by a mode byte other than Axh or Fh for 8 clocks, on by Axh;
        // quad enable as the part says.
        0xFF04_4A00
            | if part.qpi.is_some() { 0x42 } else { 0 }
            | u32::from(part.quad_enable.sfdp_requirement) << 20,
        // Status register non-volatile, written after 06h; soft reset 66h 99h, 0-4-4 left first.
        0x0000_3081,
    ]
}

/// Wait states 4:0, mode clocks 7:5, opcode 15:8.
fn read_half(part: &Part, opcode: u8) -> u32 {
    match part.read_by_opcode(opcode) {
        Some(read) => {
            (read.dummy_clocks & 0x1F) | (read.mode_clocks & 0x7) << 5 | u32::from(opcode) << 8
        }
        None => 0xFF00,
    }
}

/// Size as a power of two 7:0, opcode 15:8; size 0 where the part has no such erase.
fn erase_half(part: &Part, index: usize) -> u32 {
    match part.erases.get(index) {
        Some(erase) => {
            let opcode = erase.opcodes.first().copied().unwrap_or(0xFF);
            erase.size_bytes.trailing_zeros() | u32::from(opcode) << 8
        }
        None => 0xFF00,
    }
}

/// Smallest `(count, unit)` whose `(count + 1) * unit` is not below `value`.
fn count_and_unit(value: u64, units: &[u64], counts: u64) -> (u32, u32, u64) {
    let mut best = (counts as u32 - 1, units.len() as u32 - 1, u64::MAX);
    for (index, unit) in units.iter().enumerate() {
        let count = value.div_ceil(*unit).max(1);
        let shown = count * unit;
        if count <= counts && shown < best.2 {
            best = (count as u32 - 1, index as u32, shown);
        }
    }
    best
}

/// The multiplier field n: maximum = 2 (n + 1) times typical.
fn multiplier(pairs: impl Iterator<Item = (u64, u64)>) -> u32 {
    let worst = pairs
        .map(|(typ, max)| max.div_ceil(2 * typ.max(1)))
        .max()
        .unwrap_or(1);
    (worst.clamp(1, 16) - 1) as u32
}

fn erase_times(part: &Part) -> u32 {
    const UNITS_US: [u64; 4] = [1_000, 16_000, 128_000, 1_000_000];
    let mut pairs = Vec::new();
    let mut word = 0;
    for (index, erase) in part.erases.iter().enumerate().take(4) {
        let (count, unit, shown) = count_and_unit(erase.duration.typ_us, &UNITS_US, 32);
        pairs.push((shown, erase.duration.max_us));
        word |= (count | unit << 5) << (4 + 7 * index);
    }
    word | multiplier(pairs.into_iter())
}

fn program_times(part: &Part) -> u32 {
    let program = &part.page_program;
    let (page, page_unit, page_shown) = count_and_unit(program.duration.typ_us, &[8, 64], 32);
    let (first, first_unit, _) = count_and_unit(u64::from(program.first_byte_typ_us), &[1, 8], 16);
    let (next, next_unit, _) = count_and_unit(u64::from(program.next_byte_typ_us), &[1, 8], 16);
    let (chip, chip_unit, _) = count_and_unit(
        part.chip_erase.duration.typ_us,
        &[16_000, 256_000, 4_000_000, 64_000_000],
        32,
    );
    multiplier([(page_shown, program.duration.max_us)].into_iter())
        | part.page_bytes.trailing_zeros() << 4
        | (page | page_unit << 5) << 8
        | (first | first_unit << 4) << 14
        | (next | next_unit << 4) << 19
        | (chip | chip_unit << 5) << 24
        | 1 << 31
}

fn suspend_times(part: &Part) -> u32 {
    const UNITS_NS: [u64; 4] = [128, 1_000, 8_000, 64_000];
    let (latency, unit, _) = count_and_unit(part.suspend.latency_us * 1_000, &UNITS_NS, 32);
    // Suspended program or erase: no erase and no program anywhere (as the IS25WP256 says).
    let forbidden = 0xC | 0xC << 4 | 1 << 8;
    let interval = 1;
    forbidden
        | interval << 9
        | (latency | unit << 5) << 13
        | interval << 20
        | (latency | unit << 5) << 24
}

fn suspend_opcodes(part: &Part) -> u32 {
    let resume = u32::from(part.suspend.resume_opcodes.first().copied().unwrap_or(0));
    let suspend = u32::from(part.suspend.suspend_opcodes.first().copied().unwrap_or(0));
    let pair = resume | suspend << 8;
    pair | pair << 16
}

fn power_down(part: &Part) -> u32 {
    let down = &part.deep_power_down;
    let (exit, unit, _) = count_and_unit(down.exit_us * 1_000, &[128, 1_000, 8_000, 64_000], 32);
    // Reserved ones, polling by 05h bit 0.
    0xF7 | (exit | unit << 5) << 8
        | u32::from(down.exit_opcode) << 15
        | u32::from(down.enter_opcode) << 23
}
