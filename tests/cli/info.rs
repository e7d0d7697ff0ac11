//! `rtflash info`: what it tells, and that telling changes nothing.

use crate::json::record;
use crate::station::{Station, image, noise, probe};

const SESSION: &str = "\
chip      MIMXRT1062, UID 1B2609D75A3C4D61, silicon revision word 0x00000000
flash     IS25WP064, JEDEC ID 9D 70 17, 8192 KiB
vtref     3300 mV
port      DPIDR 0x0bd11477, AP IDR 0x04770041
found     running, program counter 0x0020EB00 in the boot ROM, VTOR 0x00200000
reset by  power-on or reset pin (SRC_SRSR 0x00000001)
core      CPUID 0x411fc271
boot rom  mark 0x80dbf000, API tree at 0x0020C000, its version cannot be read
boot mode BOOT_MODE 10, internal boot (SRC_SBMR2 0x02000001)
boot from FlexSPI NOR (QSPI NOR, 3-byte addresses), BOOT_CFG1 0x00, BOOT_CFG2 0x00 from pins (SRC_SBMR1 0x00000000)
hab       open, images need no signature
fuses     0x450 0x00000000, 0x460 0x00000000, 0x470 0x00000000, 0x6D0 0x00000000, 0x6E0 0x00000000
          debug port open, SRK hash not set, watchdog off
flexram   ITCM 128 KiB, DTCM 128 KiB, OCRAM 256 KiB (by fuses)
sfdp      revision 1.6, 8192 KiB
status    0x00: QE 0, BP 0x00 (nothing protected), SRWD 0, WEL 0, WIP 0
";

#[test]
fn a_blank_board_is_told_line_by_line() {
    let station = Station::new();
    let session = station
        .run(&["info", "--probe", &probe("")])
        .ends_with(0)
        .last_line_is("DONE: the board was read, nothing was changed");
    let told: String = session
        .stdout
        .lines()
        .filter(|line| !line.starts_with("probe ") && !line.starts_with("time "))
        .take_while(|line| !line.starts_with("DONE"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(told, SESSION, "{session}");
}

#[test]
fn a_board_that_runs_is_told_as_it_was_before_the_reset_and_runs_afterwards() {
    let station = Station::flashed(&image());
    let before = station.board();
    let session = station
        .run(&["info", "--probe", &probe("")])
        .ends_with(0)
        .reports("found", &["running", "program counter 0x6000"])
        .reports("status", &["0x40", "QE 1"]);
    assert!(station.board() == before, "{session}");
}

#[test]
fn the_pins_and_another_part_are_told_in_words() {
    let session = Station::new()
        .run(&[
            "info",
            "--probe",
            "virtual?part=w25q64jv&boot-mode=serial-downloader",
        ])
        .ends_with(0)
        .reports("flash", &["W25Q64JV", "EF 40 17"])
        .reports("boot mode", &["BOOT_MODE 01", "serial downloader"])
        .reports("no boot", &["serial downloader"]);
    // status registers 3, 2, 1: asked for once the part is known
    session.reports("status", &["0x600200", "QE 1"]);
}

#[test]
fn the_record_has_a_section_for_it() {
    let session = Station::new()
        .run(&["info", "--json", "--probe", "virtual?boot-mode=fuses"])
        .ends_with(0);
    let record = record(&session);
    assert_eq!(record["command"], "info");
    assert_eq!(record["verdict"]["kind"], "done");
    let info = &record["info"];
    assert_eq!(info["dpidr"], "0x0bd11477");
    assert_eq!(info["boot"]["boot_mode"], "00");
    assert_eq!(info["boot"]["boot_cfg_from_fuses"], true);
    assert!(
        info["boot"]["obstacle"]
            .as_str()
            .is_some_and(|o| o.contains("BT_FUSE_SEL"))
    );
    assert_eq!(info["fuses"]["srk_hash_set"], false);
    assert_eq!(info["flexram"]["dtcm_bytes"], 0x2_0000);
    assert_eq!(info["found"]["reset_causes"][0], "power-on or reset pin");
    assert_eq!(info["flash"]["sfdp"], "1.6");
    assert_eq!(info["flash"]["status_bits"]["quad_enable"], false);
}

#[test]
fn it_changes_nothing_on_a_board_full_of_data() {
    let before = noise(21, crate::station::FLASH_BYTES);
    let station = Station::holding(&before);
    let session = station.run(&["info", "--probe", &probe("")]).ends_with(0);
    assert!(station.content() == before, "{session}");
}
