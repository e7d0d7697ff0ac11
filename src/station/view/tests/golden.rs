//! What is drawn, cell by cell, beside the sources: the text, and below it the colours.

use std::fs;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::scenes::{Scene, draw, fail, rows, settings, shift, verdict};
use crate::records::VerdictKind;
use crate::station::view::{Keyboard, Settings};
use crate::station::{Needs, What};

/// Set to 1, the pictures are written anew.
const BLESS: &str = "RTFLASH_BLESS";

/// One letter for the colour of a cell: a capital where the cell is filled, a small one where it is written in the colour.
fn colour(cell: &Cell) -> char {
    let named = |color| match color {
        Color::Red | Color::LightRed => Some('r'),
        Color::Green | Color::LightGreen => Some('g'),
        Color::Yellow | Color::LightYellow => Some('y'),
        Color::Blue | Color::LightBlue => Some('b'),
        _ => None,
    };
    if let Some(letter) = named(cell.bg) {
        return letter.to_ascii_uppercase();
    }
    if let Some(letter) = named(cell.fg) {
        return letter;
    }
    let modifiers = [
        (Modifier::REVERSED, '#'),
        (Modifier::BOLD, '*'),
        (Modifier::DIM, '.'),
    ];
    let found = modifiers.iter().find(|(m, _)| cell.modifier.contains(*m));
    found.map_or(' ', |(_, letter)| *letter)
}

fn picture(buffer: &Buffer) -> String {
    let mut lines = rows(buffer);
    lines.push("-- colours --".to_owned());
    for row in buffer.content().chunks(usize::from(buffer.area.width)) {
        let row: String = row.iter().map(colour).collect();
        lines.push(row.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

#[track_caller]
fn is_as_drawn(name: &str, buffer: &Buffer) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/station/view/golden")
        .join(format!("{name}.txt"));
    let drawn = picture(buffer);
    if std::env::var(BLESS).is_ok_and(|value| value == "1") {
        fs::write(&file, &drawn).expect("written");
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        golden == drawn,
        "{name} is drawn otherwise; if it is meant: {BLESS}=1 cargo test --lib view; now:\n{drawn}"
    );
}

#[test]
fn an_empty_station() {
    is_as_drawn("empty", &Scene::of(&["A1", "A2"]).drawn(80, 24));
}

#[test]
fn a_board_on_its_way() {
    let scene = Scene::of(&["A1", "A2"])
        .seated("A1")
        .known("A1", 2)
        .at("A1", "program", 471_040, 1_048_576)
        .seated("A2")
        .begun("A2");
    is_as_drawn("running", &scene.drawn(80, 24));
}

#[test]
fn a_pass() {
    is_as_drawn("pass", &Scene::of(&["A1"]).passes("A1").drawn(80, 24));
}

#[test]
fn a_fail_that_nobody_has_seen_and_one_that_was() {
    let scene = Scene::of(&["A1", "A2"])
        .fails("A1")
        .fails("A2")
        .acknowledged("A2");
    is_as_drawn("fail", &scene.drawn(80, 24));
    let plain = Settings {
        color: false,
        ..settings()
    };
    let buffer = draw(&scene.model(), &Keyboard::new(false), &plain, 80, 24);
    let colours = [Color::Reset];
    let cells = buffer.content().iter();
    assert!(
        cells
            .clone()
            .all(|cell| colours.contains(&cell.fg) && colours.contains(&cell.bg))
    );
    is_as_drawn("fail-without-colour", &buffer);
}

#[test]
fn boards_that_wait_and_a_probe_that_is_gone() {
    let scene = Scene::of(&["A1", "A2", "A3", "A4"])
        .waits("A1", Needs::Barcode)
        .waits("A2", Needs::Key)
        .probe_gone("A3")
        .seated("A4");
    let codes = Settings {
        barcodes: true,
        ..settings()
    };
    let buffer = draw(&scene.model(), &Keyboard::new(true), &codes, 80, 24);
    is_as_drawn("waiting", &buffer);
}

#[test]
fn eight_sites_in_the_middle_of_a_shift() {
    is_as_drawn("eight-80x24", &shift().drawn(80, 24));
    is_as_drawn("eight-120x40", &shift().drawn(120, 40));
}

#[test]
fn one_site_on_a_large_terminal() {
    is_as_drawn("large", &Scene::of(&["A1"]).fails("A1").drawn(200, 60));
}

#[test]
fn twenty_four_sites_on_the_smallest_usual_terminal() {
    let mut scene = Scene::with_sites(24);
    for site in ["A1", "B2", "A5", "B12"] {
        scene = scene.passes(site);
    }
    scene = scene.fails("A2").fails("B11").acknowledged("B11");
    scene = scene.probe_gone("A7").waits("B7", Needs::Key);
    scene = scene.seated("A9").known("A9", 1).at("A9", "verify", 9, 10);
    scene.tell(None, What::QuotaReached);
    is_as_drawn("twenty-four", &scene.drawn(80, 24));
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_hides_no_fail() {
    let scene = Scene::with_sites(24).fails("B11").passes("A1");
    is_as_drawn("too-small", &scene.drawn(60, 12));
}

/// Rows of the tiles that show something: what says how a site stands is in the text, with colour or without.
#[test]
fn every_state_has_its_word_and_every_cut_its_ellipsis() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        for sites in 1..=24 {
            let labels: Vec<String> = (1..=sites).map(|site| format!("S{site}")).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let mut scene = Scene::of(&labels);
            for label in &labels {
                scene = scene.fails(label);
            }
            let text = rows(&scene.drawn(width, height));
            let all = text.join("\n");
            assert_eq!(
                all.matches("× FAIL").count(),
                sites,
                "{width}x{height}\n{all}"
            );
            let shown = all.matches("→ put the").count();
            assert_eq!(shown, sites, "{sites} on {width}x{height}\n{all}");
            // where the end of the advice is missing there is an ellipsis in its place
            let ends = all.matches("what is").count() + all.matches('…').count();
            assert!(ends >= sites, "{sites} on {width}x{height}\n{all}");
        }
    }
}

#[test]
fn a_board_that_was_slow_or_cancelled_is_told_in_words() {
    let mut slow = verdict(VerdictKind::Pass);
    slow.over_budget = true;
    let mut cancelled = fail();
    cancelled.verdict = VerdictKind::Cancelled;
    let scene = Scene::of(&["A1", "A2"])
        .seated("A1")
        .known("A1", 1)
        .ends("A1", slow)
        .seated("A2")
        .known("A2", 1)
        .ends("A2", cancelled);
    let text = rows(&scene.drawn(80, 24)).join("\n");
    assert!(text.contains("4.2 s, over the budget"), "{text}");
    assert!(text.contains("! CANCELLED"), "{text}");
}
