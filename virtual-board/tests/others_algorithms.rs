//! Others' code runs on the board unchanged: the algorithms that probe-rs ships for two sister chips with the same
//! FlexSPI block (compiled by NXP) erase, program and verify through probe-rs's own session and flash loader.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use probe_rs::Permissions;
use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::Part;

#[path = "noise/mod.rs"]
mod noise;
use noise::noise;

fn erase_program_and_verify(target: &str) {
    const BASE: usize = 0x1_0000;
    let part = Part::builtin("is25wp064").expect("part");
    let serial = format!("others-{target}");
    let board = BoardHandle::start(BoardConfig::new(part), &serial).expect("board");
    let old = noise(7, 0x4000);
    let before = old.clone();
    board
        .with(move |b| {
            let mut system = b.chip.system.borrow_mut();
            system.nor.content_mut()[BASE..BASE + before.len()].copy_from_slice(&before);
        })
        .expect("previous content");

    let listed = Lister::new().list_all();
    let info = listed
        .iter()
        .find(|p| p.serial_number.as_deref() == Some(&serial))
        .expect("listed");
    let mut probe = info.open().expect("open");
    probe.set_speed(15_000).expect("speed");
    let mut session = probe
        .attach(target, Permissions::default())
        .expect("attach");
    // two whole sectors and a piece of a third
    let data = noise(99, 0x2000 + 300);
    let mut loader = session.target().flash_loader();
    loader
        .add_data(0x6000_0000 + BASE as u64, &data)
        .expect("data");
    let mut options = DownloadOptions::new();
    options.verify = true;
    loader
        .commit(&mut session, options)
        .expect("erase, program and verify");
    drop(session);

    let flash = board
        .with(|b| b.chip.system.borrow().nor.content().to_vec())
        .expect("content");
    assert_eq!(&flash[BASE..BASE + data.len()], &data[..], "programmed");
    assert_eq!(
        &flash[BASE + 0x3000..BASE + 0x4000],
        &old[0x3000..],
        "the next sector is untouched"
    );
    assert!(flash[..BASE].iter().all(|b| *b == 0xFF), "nothing below");
    assert!(
        flash[BASE + 0x4000..].iter().all(|b| *b == 0xFF),
        "nothing above"
    );
    assert_eq!(
        board.violations().expect("violations"),
        Vec::<String>::new()
    );
}

#[test]
fn the_algorithm_that_probe_rs_ships_for_mimxrt1050_quadspi_runs_without_a_violation() {
    erase_program_and_verify("MIMXRT1050_quadspi");
}

#[test]
fn the_algorithm_that_probe_rs_ships_for_mimxrt1040_runs_without_a_violation() {
    erase_program_and_verify("MIMXRT1040");
}
