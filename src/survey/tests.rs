//! What the survey concludes from what it reads.

use super::*;
use crate::link::DebugPort;
use crate::problem::{ExitCode, Problem};
use crate::target::{FlashPart, Target};

fn target() -> Target {
    Target::builtin("MIMXRT1062", "IS25WP064", "qspi").expect("a built-in target")
}

fn chip() -> ChipFound {
    ChipFound {
        cpuid: 0x411F_C271,
        rom_fingerprint: 0x80DB_F000,
        unique_id: UniqueId::from_words(0x89AB_CDEF, 0x0123_4567),
        silicon_revision: 0,
        boot: target().chip().boot_config(0, 0x0200_0001),
        srsr: 1,
        fuse_0x450: 0,
        fuse_0x460: 0,
    }
}

/// SFDP with one table at 0x30 whose density word is `density`.
fn sfdp(density: u32) -> Vec<u8> {
    let mut bytes = vec![0xFF; 64];
    bytes[..4].copy_from_slice(b"SFDP");
    bytes[0x0C..0x0F].copy_from_slice(&[0x30, 0, 0]);
    bytes[0x34..0x38].copy_from_slice(&density.to_le_bytes());
    bytes
}

fn flash(jedec_id: [u8; 3], sfdp: Vec<u8>) -> FlashFound {
    FlashFound {
        jedec_id,
        status_register: 0x40,
        sfdp,
        on_entry: 0,
    }
}

/// What this part answers where all is well.
pub(super) fn flash_of(part: &FlashPart) -> FlashFound {
    flash(part.jedec_id, sfdp(part.size_bytes * 8 - 1))
}

#[track_caller]
fn refused(flash: FlashFound, code: &str) {
    let problem = Problem::from(Identified::new(chip(), flash, &target()).expect_err("refused"));
    assert_eq!((problem.code, problem.exit), (code, ExitCode::WrongDevice));
    assert!(problem.fix.is_some());
}

#[test]
fn the_right_part_is_identified_by_id_and_size() {
    let size = 8 * 8_388_608 - 1;
    let found = Identified::new(chip(), flash([0x9D, 0x70, 0x17], sfdp(size)), &target())
        .expect("identified");
    assert_eq!(found.chip().unique_id.to_string(), "0123456789ABCDEF");
    assert_eq!(found.flash().sfdp_size_bytes(), Some(8_388_608));
}

#[test]
fn a_part_whose_tables_are_missing_or_damaged_is_refused() {
    let mut pointer = sfdp(8 * 8_388_608 - 1);
    pointer[0x0D] = 0x40;
    let mut signature = sfdp(8 * 8_388_608 - 1);
    signature[3] = b'Q';
    let exponent = sfdp(1 << 31 | 200);
    for tables in [vec![0xFF; 64], vec![0; 64], pointer, signature, exponent] {
        refused(flash([0x9D, 0x70, 0x17], tables), "flash-sfdp");
    }
    let silent = flash([0x9D, 0x70, 0x17], vec![0xFF; 64]);
    let error = Identified::new(chip(), silent.clone(), &target()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the flash part's SFDP cannot be read: it begins with FF FF FF FF; expected 53 46 44 50 of IS25WP064"
    );
    assert_eq!(silent.sfdp(), Sfdp::Absent);
}

#[test]
fn a_part_of_which_no_tables_are_promised_is_identified_by_its_id() {
    let mut part = target().flash().clone();
    part.identity.sfdp_dummy_clocks = None;
    let board = target().board().clone();
    let target = Target::new(target().chip().clone(), part, board).expect("target");
    let found = flash([0x9D, 0x70, 0x17], vec![0xFF; 64]);
    assert!(Identified::new(chip(), found, &target).is_ok());
}

#[test]
fn the_part_is_found_among_those_with_data() {
    for name in FlashPart::names() {
        let part = FlashPart::builtin(name).expect("part");
        assert_eq!(part_found(&flash_of(&part)).expect("found").name, name);
    }
    let found = |id| part_found(&flash(id, sfdp(8 * 8_388_608 - 1)));
    let unknown = Problem::from(found([0x12, 0x34, 0x56]).expect_err("unknown"));
    assert_eq!(unknown.code, "flash-unknown");
    assert_eq!(unknown.what, "found an unknown flash part (12 34 56)");
    assert!(unknown.fix.expect("fix").contains("is25wp064"));
    let silent = Problem::from(found([0xFF; 3]).expect_err("silent"));
    assert_eq!(silent.code, "flash-none");
}

#[test]
fn a_unique_id_of_all_zeros_or_all_ones_is_none() {
    let plausible = |low, high| UniqueId::from_words(low, high).is_plausible();
    assert!(plausible(1, 0) && plausible(0, 1) && plausible(u32::MAX, 0));
    assert!(!plausible(0, 0) && !plausible(u32::MAX, u32::MAX));
}

#[test]
fn another_debug_port_is_refused_by_either_register() {
    let chip = target().chip().clone();
    let right = DebugPort {
        dpidr: 0x0BD1_1477,
        ap_idr: 0x0477_0041,
    };
    assert!(require_debug_port(right, &chip).is_ok());
    let other = DebugPort {
        dpidr: 0x2BA0_1477,
        ..right
    };
    assert_eq!(
        require_debug_port(other, &chip)
            .expect_err("other")
            .to_string(),
        "the debug port is not the one of MIMXRT1062: DPIDR reads 0x2ba01477, not 0x0bd11477"
    );
    let other = DebugPort {
        ap_idr: 0x2477_0011,
        ..right
    };
    let problem = Problem::from(require_debug_port(other, &chip).expect_err("other"));
    assert_eq!(
        (problem.code, problem.exit),
        ("chip-debug-port", ExitCode::WrongDevice)
    );
    assert!(
        problem.what.contains("AP IDR reads 0x24770011"),
        "{problem}"
    );
}

#[test]
fn a_size_given_as_power_of_two_is_understood() {
    assert_eq!(
        flash([0; 3], sfdp(1 << 31 | 36)).sfdp_size_bytes(),
        Some(1 << 33)
    );
    assert_eq!(flash([0; 3], sfdp(1 << 31 | 200)).sfdp_size_bytes(), None);
    assert_eq!(
        flash([0; 3], b"SFDP".to_vec()).sfdp_size_bytes(),
        None,
        "cut off"
    );
}

#[test]
fn another_part_is_refused_with_both_ids() {
    refused(flash([0x9D, 0x60, 0x17], Vec::new()), "flash-part");
    let error = Identified::new(chip(), flash([0xEF, 0x40, 0x18], Vec::new()), &target())
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        "found W25Q128JV (EF 40 18), which rtflash has no data for; expected IS25WP064 (9D 70 17)"
    );
}

#[test]
fn a_part_of_another_size_is_refused() {
    refused(
        flash([0x9D, 0x70, 0x17], sfdp(8 * 16_777_216 - 1)),
        "flash-size",
    );
}

#[test]
fn silence_is_no_flash() {
    refused(flash([0xFF; 3], Vec::new()), "flash-none");
    refused(flash([0; 3], Vec::new()), "flash-none");
}
