//! Bytes of others that an interrupted job left on the host.

use std::fs;

use rtflash::address::FlashOffset;
use rtflash::job::{Saved, SavedBy};
use rtflash::plan::Foreign;

use crate::station::{FLASH_BYTES, Station, image, noise, probe};

/// The virtual board's chip.
const UID: &str = "1B2609D75A3C4D61";
/// Behind the image, in its last sector.
const BEHIND_IMAGE: std::ops::Range<usize> = 0x24D8..0x3000;

/// What a job leaves that was cut after it had erased the image's last sector of a flash that held `before`.
fn interrupted(before: &[u8]) -> Station {
    let mut cut = before.to_vec();
    cut[0x2000..0x3000].fill(0xFF);
    let station = Station::holding(&cut);
    save(&station, BEHIND_IMAGE.start, &before[BEHIND_IMAGE]);
    station
}

/// Leaves bytes on the host as a whole image's job does.
fn save(station: &Station, at: usize, bytes: &[u8]) {
    let mut saved = Saved::open(Some(station.saved()), UID).expect("nothing saved yet");
    let piece = Foreign {
        offset: FlashOffset::new(at as u32),
        bytes: bytes.to_vec(),
    };
    saved
        .keep(SavedBy::WholeImage, [&piece], |_, _| None)
        .expect("saved");
}

#[test]
fn after_a_cut_the_next_flash_puts_the_bytes_of_others_back() {
    let before = noise(10, FLASH_BYTES);
    let station = interrupted(&before);
    station
        .flash(&image(), &[])
        .ends_with(0)
        .last_line_is("PASS");
    let after = station.content();
    assert!(
        after[BEHIND_IMAGE] == before[BEHIND_IMAGE],
        "the saved bytes are not back"
    );
    assert!(
        after[0x3000..] == before[0x3000..],
        "another sector was changed"
    );
    assert_eq!(
        station.saved_files(),
        0,
        "the saved bytes are not forgotten"
    );
}

/// Bytes at the end of the image's last sector, other than the saved ones.
fn written_since(station: &Station) -> (std::ops::Range<usize>, Vec<u8>) {
    let written = 0x2500..BEHIND_IMAGE.end;
    let since = noise(12, written.len());
    station.damage(written.start, &since);
    (written, since)
}

#[test]
fn bytes_that_somebody_wrote_since_the_cut_win_over_saved_ones() {
    let station = interrupted(&noise(11, FLASH_BYTES));
    // whoever has completed the board since has given it a live FCB
    station.damage(0, b"FCFB");
    let (written, since) = written_since(&station);
    station
        .flash(&image(), &[])
        .ends_with(0)
        .last_line_is("PASS");
    assert!(
        station.content()[written] == since,
        "bytes written since were replaced"
    );
}

#[test]
fn on_a_board_that_is_dead_since_the_cut_saved_bytes_come_back_whatever_lies_there() {
    // another interrupted job may have left anything there; nothing has run on the board since
    let before = noise(11, FLASH_BYTES);
    let station = interrupted(&before);
    let (written, _) = written_since(&station);
    station
        .flash(&image(), &[])
        .ends_with(0)
        .last_line_is("PASS");
    assert!(station.content()[written.clone()] == before[written]);
}

#[test]
fn a_damaged_file_of_saved_bytes_stops_the_job_before_anything_is_erased() {
    let before = noise(9, FLASH_BYTES);
    let station = Station::holding(&before);
    fs::create_dir(station.saved()).expect("folder");
    fs::write(station.saved().join(format!("{UID}.json")), "{ not json").expect("saved file");
    station
        .flash(&image(), &[])
        .ends_with(20)
        .complains("saved-damaged", &["1B2609D75A3C4D61.json"])
        .advises();
    assert!(station.content() == before, "the flash was changed");
}

#[test]
fn without_a_place_for_the_bytes_of_others_nothing_is_erased() {
    let before = noise(13, FLASH_BYTES);
    let station = Station::holding(&before);
    fs::write(station.saved(), "a file, not a folder").expect("file");
    station
        .flash(&image(), &[])
        .ends_with(20)
        .complains("saved-io", &["flash.bin.saved"])
        .advises();
    assert!(station.content() == before, "the board was changed");
}

#[test]
fn an_erase_beside_the_fcb_of_an_interrupted_flash_is_refused_with_advice() {
    let station = Station::flashed(&image());
    let fcb = station.content()[..0x200].to_vec();
    save(&station, 0, &fcb);
    // the sector of the FCB is erased first, and of the image nothing else was begun
    station.damage(0, &[0xFF; 0x1000]);
    station.damage(0x800, &[0; 0x100]);
    let before = station.content();
    let at = probe("");
    let range = ["--range", "0x60000800+128", "--keep-others"];
    let erase: Vec<&str> = ["erase", "--probe", &at].into_iter().chain(range).collect();
    station
        .run(&erase)
        .ends_with(20)
        .complains("flash-unfinished", &["finish `rtflash flash` first"])
        .gives_a_reason()
        .advises();
    assert!(station.content() == before, "the flash was changed");
    station
        .flash(&image(), &["--keep-boot-header"])
        .ends_with(0)
        .last_line_is("PASS");
    assert!(station.content()[..0x200] == fcb, "the FCB is lost");
    station.run(&erase).ends_with(0);
    assert_eq!(station.saved_files(), 0);
}
