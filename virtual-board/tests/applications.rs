//! Real applications, built from the imxrt-rs crates, run in the emulator after the boot ROM started them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use ihex::{Reader, Record};
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::Part;
use virtual_board::rom::{Outcome, Reading};

const WINDOW: u32 = 0x6000_0000;
/// QE, which the EVK's FCB takes for granted.
const QUAD_ENABLED: u8 = 0x40;

fn board_with(hex: &str, reading: Reading) -> BoardHandle {
    let path = format!("{}/../tests/data/{hex}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("fixture");
    let part = Part::builtin("is25wp064").expect("part");
    let config = BoardConfig {
        reading,
        ..BoardConfig::new(part)
    };
    let board = BoardHandle::start(config, &format!("app-{hex}-{reading:?}")).expect("board");
    board
        .with(move |b| {
            {
                let mut system = b.chip.system.borrow_mut();
                let flash = system.nor.content_mut();
                let mut base = 0u32;
                for record in Reader::new(&text) {
                    match record.expect("record") {
                        Record::ExtendedLinearAddress(high) => base = u32::from(high) << 16,
                        Record::Data { offset, value } => {
                            let at = (base + u32::from(offset) - WINDOW) as usize;
                            flash[at..at + value.len()].copy_from_slice(&value);
                        }
                        _ => {}
                    }
                }
                system.nor.set_status_register(QUAD_ENABLED);
            }
            b.power_cycle(1);
        })
        .expect("flash");
    board
}

fn greeting(board: &BoardHandle) -> String {
    board
        .with(|b| {
            let system = b.chip.system.borrow();
            system
                .soc
                .uart_output(1)
                .iter()
                .map(|byte| char::from(byte.value))
                .collect()
        })
        .expect("uart")
}

fn boots_and_speaks(hex: &str, name: &str) {
    for reading in [Reading::Strict, Reading::Lenient] {
        let board = board_with(hex, reading);
        board.sleep(Duration::from_millis(30)).expect("run");
        let outcome = board.with(|b| b.chip.rom_outcome()).expect("outcome");
        assert!(
            matches!(outcome, Some(Outcome::Booted { .. })),
            "{outcome:?}"
        );
        assert_eq!(
            greeting(&board),
            format!("rtflash fixture {name} alive\r\n")
        );
        let edges = board
            .with(|b| b.chip.system.borrow().soc.gpio_edges().len())
            .expect("edges");
        assert!(edges >= 2, "the pin toggles: {edges}");
        assert_eq!(
            board.violations().expect("violations"),
            Vec::<String>::new()
        );
    }
}

#[test]
fn an_application_that_executes_in_place_runs_and_is_seen_on_uart_and_pin() {
    boots_and_speaks("blinky-xip.complete.hex", "blinky-xip");
}

#[test]
fn an_application_that_moves_to_itcm_and_splits_the_flexram_anew_runs_and_is_seen() {
    boots_and_speaks("blinky-itcm.complete.hex", "blinky-itcm");
}

#[test]
fn the_same_application_without_boot_header_never_runs() {
    let board = board_with("blinky-xip.headerless.hex", Reading::Lenient);
    board.sleep(Duration::from_millis(30)).expect("run");
    let outcome = board.with(|b| b.chip.rom_outcome()).expect("outcome");
    assert!(
        matches!(outcome, Some(Outcome::SerialDownloader(_))),
        "{outcome:?}"
    );
    assert_eq!(greeting(&board), "");
}
