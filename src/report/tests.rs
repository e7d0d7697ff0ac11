//! Golden text and JSON of a record.

use super::*;
use crate::boot::judge;
use crate::image::sample::{application, image_of};
use crate::plan::{Layout, Plan, SectorMap, SectorState, SharedSectors};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

fn record() -> Record {
    let target = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
    let app = application(0x2002_0000, 0x60002101, 0x400);
    let boot_image = judge(&image_of(&[(0x60002000, app)]), None, &target)
        .into_boot_image()
        .expect("bootable");
    let map: SectorMap = Layout::new(&boot_image)
        .sectors()
        .iter()
        .map(|need| (need.number(), SectorState::Blank))
        .collect();
    let plan = Plan::new(
        &boot_image,
        target.flash(),
        &map,
        0,
        SharedSectors::Preserve,
    )
    .expect("plan");
    let problem = Problem::new(
        "boot-mode",
        ExitCode::BootNotProven,
        "the board is strapped to the serial downloader",
    );
    let mut record = Record::new(
        "flash",
        &target,
        Verdict::NotBooted {
            code: problem.code.to_owned(),
            why: problem.what.clone(),
        },
    );
    record.note_image(&boot_image);
    record.plan = Some((&plan).into());
    record.chip = Some(ChipRecord {
        name: "MIMXRT1062".to_owned(),
        uid: "0123456789ABCDEF".to_owned(),
        silicon_revision: "0x006C0001".to_owned(),
    });
    record.flash = Some(FlashRecord {
        part: "IS25WP064".to_owned(),
        jedec_id: "9D 70 17".to_owned(),
        size_bytes: Some(8 << 20),
        status_before: 0,
        status_after: Some(0x40),
    });
    record.phases = vec![Phase {
        name: "attach",
        seconds: 0.0125,
        transactions: 36,
    }];
    record
}

#[test]
fn the_text_says_it_all_and_ends_with_the_verdict() {
    let record = record();
    let sha256 = &record.inputs[0].sha256;
    let expected = format!(
        "\
chip      MIMXRT1062, UID 0123456789ABCDEF
flash     IS25WP064, JEDEC ID 9D 70 17, 8192 KiB
input     app.hex (Intel HEX), SHA-256 {sha256}
image     1024 bytes at 0x60002000
header    FCB missing, added: IS25WP064, 80 MHz, read EBh on 1-4-4 pads with 2 mode and 4 dummy clocks, samples clocked through the DQS pad
header    IVT and boot data missing, added: entry 0x60002000 (vector table), start 0x60000000, length 9216 bytes
entry     IVT entry 0x60002000, reset handler 0x60002100
sectors   0 erased, 3 programmed without erase, 0 already equal; 1792 bytes programmed
status    status register 0x00 -> 0x40
time      attach         0.013 s     36 transactions
time      total          0.013 s     36 transactions
NOT BOOTED (the board is strapped to the serial downloader)"
    );
    assert_eq!(lines(&record, true).join("\n"), expected);
    assert_eq!(record.verdict.exit(), 16);
}

#[test]
fn the_json_record_is_versioned() {
    let json = serde_json::to_value(record()).expect("json");
    assert_eq!(json["record_version"], 1);
    assert_eq!(json["verdict"]["kind"], "not-booted");
    assert_eq!(json["plan"]["sectors_programmed"], 3);
    assert_eq!(json["image"]["reset_handler"], "0x60002100");
}

#[test]
fn every_verdict_has_its_exit_code() {
    let not_proven = |accepted| Verdict::BootNotProven {
        code: "boot-mode".to_owned(),
        why: "why".to_owned(),
        accepted,
    };
    assert_eq!(not_proven(false).exit(), 16);
    assert_eq!(not_proven(true).exit(), 0);
    assert_eq!(Verdict::Equal.exit(), 0);
    assert_eq!(Verdict::Differs.exit(), 11);
    let problem = Problem::new("link-lost", ExitCode::LinkLost, "the probe is gone");
    assert_eq!(Verdict::failed(&problem).exit(), 22);
    assert_eq!(
        Verdict::failed(&problem).to_string(),
        "FAIL: the probe is gone [link-lost]"
    );
}
