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
/// is data for, one line, the slowest clock, and no opcode that means different things in different parts. Which flash
/// part `target` names does not matter.
pub fn setup_to_identify(target: &Target, session: u32) -> Setup {
    let parts = FlashPart::names().filter_map(|name| FlashPart::builtin(name).ok());
    let (chip, board) = (target.chip(), target.board());
    let targets = parts.filter_map(|part| Target::new(chip.clone(), part, board.clone()).ok());
    let unknown = setup_for(target, session);
    let all = targets.fold(unknown, |all, target| {
        longest_of(all, setup_for(&target, session))
    });
    Setup {
        flags: all.flags & FLAG_QPI,
        quad_enable_mask: 0,
        quad_program_opcode: 0,
        quad_read_opcode: 0,
        quad_read_dummy_clocks: 0,
        work_clock_mhz: 0,
        further_status: Default::default(),
        jedec_id: [0; 3],
        ..all
    }
}

/// The longer of each limit, and the suspend flags of ISSI's parts: of a part that is not known the algorithm asks for them
/// only where its ID says that it is one of these.
fn longest_of(a: Setup, b: Setup) -> Setup {
    let is_asked = b.jedec_id[0] == ISSI;
    Setup {
        flash_bytes: a.flash_bytes.max(b.flash_bytes),
        page_program_limit_us: a.page_program_limit_us.max(b.page_program_limit_us),
        erase_4k_limit_us: a.erase_4k_limit_us.max(b.erase_4k_limit_us),
        erase_32k_limit_us: a.erase_32k_limit_us.max(b.erase_32k_limit_us),
        erase_64k_limit_us: a.erase_64k_limit_us.max(b.erase_64k_limit_us),
        erase_chip_limit_us: a.erase_chip_limit_us.max(b.erase_chip_limit_us),
        write_status_limit_us: a.write_status_limit_us.max(b.write_status_limit_us),
        reset_recovery_us: a.reset_recovery_us.max(b.reset_recovery_us),
        fast_read_dummy_clocks: a.fast_read_dummy_clocks.max(b.fast_read_dummy_clocks),
        flags: a.flags | b.flags,
        suspend: if is_asked { b.suspend } else { a.suspend },
        ..a
    }
}

fn access(register: Option<FurtherStatus>) -> StatusAccess {
    register.map_or(StatusAccess::default(), |register| StatusAccess {
        read_opcode: register.read_opcode,
        write_opcode: register.write_opcode,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_for_an_unknown_part_wait_as_long_as_any_part_needs_and_assume_nothing_of_it() {
        let target = |part: &str| Target::builtin("mimxrt1062", part, "qspi").expect("target");
        let unknown = setup_to_identify(&target("is25wp032"), 7);
        for name in FlashPart::names() {
            let part = setup_for(&target(name), 7);
            assert!(unknown.flash_bytes >= part.flash_bytes, "{name}");
            assert!(
                unknown.erase_chip_limit_us >= part.erase_chip_limit_us
                    && unknown.write_status_limit_us >= part.write_status_limit_us
                    && unknown.reset_recovery_us >= part.reset_recovery_us
                    && unknown.power_down_release_us >= part.power_down_release_us,
                "{name}"
            );
        }
        assert_eq!((unknown.jedec_id, unknown.work_clock_mhz), ([0; 3], 0));
        assert_eq!(unknown.flags, FLAG_QPI, "no quad, no second status byte");
        assert!(
            unknown
                .further_status
                .iter()
                .all(|status| status.read_opcode == 0)
        );
        assert_eq!(
            unknown.suspend.read_opcode, 0x48,
            "ISSI's function register"
        );
        assert_eq!(setup_to_identify(&target("w25q64jv"), 7), unknown);
    }
}
