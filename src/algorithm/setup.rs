//! The setup block from the target's data: every limit is the data sheet's maximum with the same margin.

use mailbox::Setup;
use mailbox::setup::{
    FLAG_DQS_LOOPBACK, FLAG_QPI, FLAG_QUAD, FLAG_STATUS_PAIR, StatusAccess, SuspendFlags,
};

use crate::target::{FlashPart, FurtherStatus, Target};

/// Margin over the data sheet's maxima: tables of sibling parts differ by up to two.
const MARGIN: u32 = 2;
/// Lease of the host in ms (PROTOCOL.md §10).
pub const LEASE_MS: u32 = 2_000;
/// Longest time from ABh to the next command on any known part, in us (SFDP of the IS25WP256: 15).
const POWER_DOWN_RELEASE_US: u32 = 15;
/// Read with address, mode and data on four lines.
const QUAD_READ: u8 = 0xEB;
/// First byte of the JEDEC ID of ISSI's parts.
const ISSI: u8 = 0x9D;
/// Read on one line with dummy clocks.
const FAST_READ: u8 = 0x0B;
const HERTZ_PER_MEGAHERTZ: u32 = 1_000_000;
const SECTOR: u32 = 0x1000;
const HALF_BLOCK: u32 = 0x8000;
const BLOCK: u32 = 0x1_0000;

/// What the algorithm is told about `target` in session number `session`.
pub fn setup_for(target: &Target, session: u32) -> Setup {
    let (part, board) = (target.flash(), target.board());
    let limit = |max_us: u32| max_us.saturating_mul(MARGIN);
    let erase = |size: u32| {
        limit(
            part.erase_unit(size)
                .map_or(part.chip_erase.max_us, |unit| unit.max_us),
        )
    };
    let quad_read = part.read_command(QUAD_READ);
    let fast_read = part.read_command(FAST_READ);
    let quad_program = part.page_program.opcodes_1_1_4.first().copied();
    let quad = board.data_lines == 4 && quad_read.is_some() && quad_program.is_some();
    let mut flags = 0;
    if part.qpi.is_some() {
        flags |= FLAG_QPI;
    }
    if part.status_pair.is_some() {
        flags |= FLAG_STATUS_PAIR;
    }
    if board.dqs_pad_free {
        flags |= FLAG_DQS_LOOPBACK;
    }
    if quad {
        flags |= FLAG_QUAD;
    }
    let read_max_hz = [quad_read, fast_read]
        .into_iter()
        .flatten()
        .map(|read| read.max_hz)
        .min();
    let work_hz = board
        .max_hz
        .min(part.max_hz)
        .min(read_max_hz.unwrap_or(u32::MAX));
    Setup {
        session,
        lease_ms: LEASE_MS,
        flash_bytes: part.size_bytes,
        page_program_limit_us: limit(part.page_program.max_us),
        erase_4k_limit_us: erase(SECTOR),
        erase_32k_limit_us: erase(HALF_BLOCK),
        erase_64k_limit_us: erase(BLOCK),
        erase_chip_limit_us: limit(part.chip_erase.max_us),
        write_status_limit_us: limit(part.write_status.max_us),
        reset_recovery_us: limit(part.software_reset.recovery_us),
        power_down_release_us: limit(POWER_DOWN_RELEASE_US),
        flags,
        quad_enable_mask: part.quad_enable_mask(),
        quad_program_opcode: quad_program.unwrap_or(0),
        quad_read_opcode: QUAD_READ,
        quad_read_dummy_clocks: quad_read.map_or(0, |read| read.dummy_clocks),
        fast_read_dummy_clocks: fast_read.map_or(0, |read| read.dummy_clocks),
        work_clock_mhz: work_hz / HERTZ_PER_MEGAHERTZ,
        further_status: [part.registers.status_2, part.registers.status_3].map(access),
        suspend: part
            .suspend_flags()
            .map_or(SuspendFlags::default(), |(read_opcode, mask)| {
                SuspendFlags { read_opcode, mask }
            }),
        jedec_id: part.jedec_id,
    }
}

/// What the algorithm is told where nobody knows yet which part is on the board: the longest limit of every part there
/// is data for, one line, the slowest clock, and no opcode that means different things in different parts. What the
/// target calls its flash part does not matter.
pub fn setup_to_identify(target: &Target, session: u32) -> Setup {
    let parts = FlashPart::names().filter_map(|name| FlashPart::builtin(name).ok());
    let (chip, board) = (target.chip(), target.board());
    let targets = parts.filter_map(|part| Target::new(chip.clone(), part, board.clone()).ok());
    let unknown = Setup {
        flags: 0,
        work_clock_mhz: 0,
        further_status: Default::default(),
        suspend: SuspendFlags::default(),
        jedec_id: [0; 3],
        ..setup_for(target, session)
    };
    targets.fold(unknown, |known, target| {
        let part = setup_for(&target, session);
        // the algorithm asks for these flags of this maker's parts only, as long as the part is not known
        let is_asked = part.jedec_id[0] == ISSI;
        Setup {
            flash_bytes: known.flash_bytes.max(part.flash_bytes),
            erase_chip_limit_us: known.erase_chip_limit_us.max(part.erase_chip_limit_us),
            write_status_limit_us: known.write_status_limit_us.max(part.write_status_limit_us),
            reset_recovery_us: known.reset_recovery_us.max(part.reset_recovery_us),
            flags: known.flags | part.flags & FLAG_QPI,
            suspend: if is_asked {
                part.suspend
            } else {
                known.suspend
            },
            ..known
        }
    })
}

fn access(register: Option<FurtherStatus>) -> StatusAccess {
    register.map_or(StatusAccess::default(), |register| StatusAccess {
        read_opcode: register.read_opcode,
        write_opcode: register.write_opcode,
    })
}
