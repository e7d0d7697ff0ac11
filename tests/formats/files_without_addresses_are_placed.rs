//! A raw binary, or a file that begins at 0, goes where its content belongs, and nowhere if that is not certain.

use std::path::Path;

use proptest::prelude::*;
use rtflash::address::Address;
use rtflash::image::{Format, Image, Placement};
use rtflash::job;
use rtflash::problem::{ExitCode, Problem};

use crate::board::{content, read, target};
use crate::write;

const WINDOW: u32 = 0x6000_0000;
const WINDOW_BYTES: u32 = 0x1000_0000;

fn complete() -> Vec<u8> {
    content("formats/blinky-xip.complete.bin")
}

fn headerless() -> Vec<u8> {
    content("formats/blinky-xip.headerless.bin")
}

fn start(image: &Image) -> u32 {
    image.segments()[0].start().get()
}

fn note(image: &Image) -> String {
    image.inputs()[0].placement.note().unwrap_or_default()
}

fn refused(content: &[u8]) -> Problem {
    read(content).expect_err("not placed")
}

#[test]
fn a_binary_without_fcb_is_recognised_by_its_ivt() {
    let mut binary = complete();
    binary[..0x200].fill(0xFF);
    let image = read(&binary).expect("image");
    assert_eq!(start(&image), WINDOW);
    assert_eq!(
        note(&image),
        "placed at 0x60000000, where an IVT as this one belongs"
    );
}

#[test]
fn a_binary_that_begins_with_the_ivt_goes_to_the_place_of_the_ivt() {
    let image = read(&complete()[0x1000..]).expect("image");
    assert_eq!(start(&image), WINDOW + 0x1000);
}

#[test]
fn a_vector_table_that_could_lie_elsewhere_is_not_guessed() {
    // made longer, the code could as well be linked for a lower address
    let mut binary = headerless();
    binary.resize(0x8000, 0xFF);
    let image = read(&binary).expect("the start-up code holds the table's address");
    assert_eq!(start(&image), WINDOW + 0x2000);
    let address = 0x6000_2000_u32.to_le_bytes();
    let at = binary.windows(4).position(|word| word == address);
    binary[at.expect("address of the table")] ^= 0x04;
    let problem = refused(&binary);
    assert_eq!(problem.code, "input-format");
    assert_eq!(problem.exit, ExitCode::MalformedInput);
    assert!(problem.what.contains("vector table"), "{problem}");
    assert!(problem.to_string().contains("FILE@0x60002000"), "{problem}");
}

#[test]
fn an_application_signed_for_mcuboot_needs_its_slot() {
    let mut binary = 0x96F3_B83D_u32.to_le_bytes().to_vec();
    binary.resize(0x1000, 0x5A);
    let problem = refused(&binary);
    assert!(problem.what.contains("MCUboot"), "{problem}");
    assert!(problem.to_string().contains("FILE@0x60020000"), "{problem}");
}

#[test]
fn other_bytes_are_not_guessed() {
    for content in [&[0_u8; 4096][..], &[0xFF; 64], b"\x00\x01\x02", b"\xFE"] {
        let problem = refused(content);
        assert_eq!(problem.code, "input-format");
        assert_eq!(problem.place.line, None, "{problem}");
    }
}

#[test]
fn an_address_is_for_raw_binaries_only() {
    let places = job::rom_places(&target());
    let at = |content: &[u8]| {
        let start = Some(Address::new(0x6004_0000));
        Image::read(Path::new("app"), content, start, &places).map_err(Problem::from)
    };
    for name in [
        "blinky-xip.headerless.hex",
        "formats/blinky-xip.headerless.srec",
        "formats/blinky-xip.headerless.elf",
        "formats/blinky-xip.headerless.uf2",
    ] {
        let problem = at(&content(name)).expect_err("refused");
        assert_eq!(problem.code, "input-address", "{name}");
        assert_eq!(problem.exit, ExitCode::MalformedInput);
    }
    // the first byte of a table may be a colon
    for content in [&b":\x00\xFF"[..], b"S123\x80", b"plain text", b" \n"] {
        let image = at(content).expect("image");
        assert_eq!(start(&image), 0x6004_0000);
        assert_eq!(image.segments()[0].bytes(), content);
        assert_eq!(image.inputs()[0].format, Format::Raw);
    }
    let places = job::rom_places(&target());
    let end = Some(Address::new(0xFFFF_FFFF));
    let problem = Image::read(Path::new("app"), b"ab", end, &places).expect_err("too long");
    assert_eq!(Problem::from(problem).code, "input-address");
}

#[test]
fn a_picture_of_the_flash_linked_at_0_is_moved_and_said_so() {
    let pieces = [(0, complete())];
    let mut without_fcb = complete();
    without_fcb[..0x200].fill(0);
    let trimmed = [(0x1000, complete()[0x1000..].to_vec())];
    for (file, landmark) in [
        (write::s_records(1, &pieces), "an FCB at 0x00000000"),
        (write::s_records(2, &pieces), "an FCB at 0x00000000"),
        (write::elf(&pieces), "an FCB at 0x00000000"),
        (write::uf2(&[(0, without_fcb)]), "an IVT at 0x00001000"),
        (write::intel_hex(&trimmed), "an IVT at 0x00001000"),
    ] {
        let image = read(&file).expect("image");
        assert_eq!(start(&image) & 0xFFFF_0000, WINDOW);
        assert_eq!(
            note(&image),
            format!(
                "moved from 0x00000000 to 0x60000000: it is linked for 0 and holds {landmark}, so it is a picture of \
                 the flash"
            )
        );
    }
}

#[test]
fn code_that_merely_runs_from_itcm_is_not_moved() {
    let mut itcm = headerless();
    itcm.resize(0x3000, 0xFF);
    let image = read(&write::intel_hex(&[(0, itcm.clone())])).expect("image");
    assert_eq!((start(&image), note(&image)), (0, String::new()));
    let problem = Problem::from(
        image
            .require_inside(target().flash_window())
            .expect_err("outside"),
    );
    assert_eq!(
        (problem.code, problem.exit),
        ("outside-flash", ExitCode::Refused)
    );
    // beside an image of the flash it stays as well
    let both = [(0, itcm), (WINDOW, complete())];
    let image = read(&write::s_records(3, &both)).expect("image");
    assert_eq!(start(&image), 0);
    assert_eq!(image.segments()[1].start().get(), WINDOW);
}

#[test]
fn a_picture_of_the_flash_beside_data_elsewhere_is_not_moved() {
    let both = [(0, complete()), (0x2000_0000, vec![1, 2, 3])];
    let image = read(&write::intel_hex(&both)).expect("image");
    assert_eq!(image.inputs()[0].placement, Placement::OwnAddresses);
}

/// Pieces that do not touch, from behind the IVT on and around the end of the window.
fn pieces() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let start = prop_oneof![
        0x1020_u32..0x4000,
        WINDOW_BYTES - 0x200..WINDOW_BYTES + 0x20
    ];
    let piece = prop::collection::vec(any::<u8>(), 1..90);
    prop::collection::btree_map(start, piece, 0..6).prop_map(|pieces| {
        let mut free = 0;
        let mut kept = Vec::new();
        for (start, bytes) in pieces {
            if start > free {
                free = start + bytes.len() as u32;
                kept.push((start, bytes));
            }
        }
        kept
    })
}

/// What shows a picture of the flash, and something that does not.
fn landmark() -> impl Strategy<Value = (u32, Vec<u8>, bool)> {
    prop_oneof![
        Just((0, b"FCFB".to_vec(), true)),
        Just((0, b"FCFC".to_vec(), false)),
        Just((0x1000, vec![0xD1, 0x00, 0x20, 0x41], true)),
        Just((0x1000, vec![0xD1, 0x00, 0x20, 0x50], false)),
    ]
}

proptest! {
    #[test]
    fn moving_takes_every_byte_the_same_distance_and_none_out_of_the_window(
        (at, mark, is_landmark) in landmark(),
        pieces in pieces(),
    ) {
        let mut all = vec![(at, mark)];
        all.extend(pieces);
        let end = all.iter().map(|(start, bytes)| start + bytes.len() as u32).max();
        let fits = end.is_some_and(|end| end <= WINDOW_BYTES);
        let own = Image::parse(Path::new("app"), &write::s_records(3, &all)).expect("image");
        let target = target();
        let places = job::rom_places(&target);
        let moved = own.clone().rebased(&places);
        let is_moved = moved.inputs()[0].placement != Placement::OwnAddresses;
        prop_assert_eq!(is_moved, is_landmark && fits);
        let by = if is_moved { WINDOW } else { 0 };
        prop_assert_eq!(moved.segments().len(), own.segments().len());
        for (a, b) in own.segments().iter().zip(moved.segments()) {
            prop_assert_eq!(a.start().get() + by, b.start().get());
            prop_assert_eq!(a.bytes(), b.bytes());
            for distance in 0..a.bytes().len() as u32 {
                let line = |image: &Image, start: Address| image.place_of(start.checked_add(distance)?)?.line;
                let before = line(&own, a.start());
                prop_assert!(before.is_some());
                prop_assert_eq!(before, line(&moved, b.start()));
            }
        }
        if is_moved {
            prop_assert_eq!(moved.require_inside(target.chip().flexspi.window()), Ok(()));
        }
        // an image in the flash stays
        prop_assert_eq!(moved.clone().rebased(&places), moved);
    }
}
