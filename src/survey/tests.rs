//! What the survey concludes from what it reads.

use super::*;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

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
    }
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
fn a_part_without_tables_is_identified_by_its_id() {
    let found = flash([0x9D, 0x70, 0x17], vec![0xFF; 64]);
    assert_eq!(found.sfdp_size_bytes(), None);
    assert!(Identified::new(chip(), found, &target()).is_ok());
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
