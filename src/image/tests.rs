//! Tests of reading and merging.

use std::path::Path;

use super::*;
use crate::problem::{ExitCode, Problem};

fn parse(text: &str) -> Result<Image, ImageError> {
    Image::parse(Path::new("app.hex"), text.as_bytes())
}

fn problem(text: &str) -> Problem {
    parse(text).expect_err("malformed").into()
}

/// A record of type `kind`, with the right checksum.
fn record(kind: u8, offset: u16, data: &[u8]) -> String {
    let mut bytes = vec![data.len() as u8];
    bytes.extend(offset.to_be_bytes());
    bytes.push(kind);
    bytes.extend(data);
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.push(sum.wrapping_neg());
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(":{digits}\n")
}

fn upper(half: u16) -> String {
    record(4, 0, &half.to_be_bytes())
}

const END: &str = ":00000001FF\n";

#[test]
fn records_become_sorted_segments_that_know_their_lines() {
    let text = upper(0x6000)
        + &record(0, 0x2004, &[5, 6])
        + &record(0, 0x2000, &[1, 2, 3, 4])
        + &record(0, 0x3000, &[9])
        + END;
    let image = parse(&text).expect("image");
    assert_eq!(image.segments().len(), 2);
    assert_eq!(image.len_bytes(), 7);
    let start = Address::new(0x6000_2000);
    assert_eq!(image.bytes_at(start, 6), Some(&[1, 2, 3, 4, 5, 6][..]));
    assert_eq!(image.word_at(start), Some(0x0403_0201));
    assert_eq!(image.bytes_at(start, 7), None);
    let line = |address| {
        image
            .place_of(Address::new(address))
            .and_then(|place| place.line)
    };
    assert_eq!(line(0x6000_2003), Some(3));
    assert_eq!(line(0x6000_2004), Some(2));
    assert_eq!(line(0x6000_3000), Some(4));
    assert_eq!(line(0x6000_2006), None);
}

#[test]
fn segment_addresses_count_in_paragraphs() {
    let text = record(2, 0, &[0x10, 0x00]) + &record(0, 0x0020, &[7]) + END;
    let image = parse(&text).expect("image");
    assert_eq!(image.segments()[0].start(), Address::new(0x1_0020));
}

#[test]
fn crlf_blank_lines_and_a_byte_order_mark_are_no_error() {
    let text =
        format!("\u{feff}{}\n{}", upper(0x6000) + &record(0, 0, &[1]), END).replace('\n', "\r\n");
    assert_eq!(parse(&text).expect("image").len_bytes(), 1);
}

#[test]
fn malformed_files_give_code_and_line() {
    let good = upper(0x6000) + &record(0, 0x2000, &[1, 2]);
    let cases: &[(String, &str, u32)] = &[
        (good.clone() + ":02201000AABB00\n" + END, "hex-checksum", 3),
        (good.clone() + ":0220\n" + END, "hex-record", 3),
        (good.clone() + ":02201000AAB\n" + END, "hex-record", 3),
        (good.clone() + ":0220100GAABB00\n" + END, "hex-record", 3),
        (good.clone() + "hello\n" + END, "hex-record", 3),
        (
            good.clone() + &record(6, 0, &[]) + END,
            "hex-record-type",
            3,
        ),
        (
            good.clone() + &record(0, 0x2001, &[1]) + END,
            "hex-overlap",
            3,
        ),
        (
            good.clone() + END + &record(0, 0x2004, &[1]),
            "hex-after-end",
            4,
        ),
        (
            upper(0xFFFF) + &record(0, 0xFFFF, &[1, 2]) + END,
            "hex-address",
            2,
        ),
        (good.clone(), "hex-no-end", 2),
        ("hello".to_owned(), "input-format", 1),
        ("\n\nST is no record".to_owned(), "input-format", 3),
        (String::new(), "input-empty", 1),
        (" \r\n".to_owned(), "input-empty", 1),
    ];
    for (text, code, line) in cases {
        let problem = problem(text);
        assert_eq!(problem.code, *code, "{text}");
        assert_eq!(problem.place.line, Some(*line), "{text}");
        assert_eq!(problem.exit, ExitCode::MalformedInput);
    }
    assert_eq!(problem(END).code, "input-no-data");
}

#[test]
fn a_wrong_checksum_says_what_it_should_be() {
    let text = upper(0x6000) + ":02201000AABB00\n" + END;
    assert_eq!(
        problem(&text).to_string(),
        "the checksum of the record is wrong [hex-checksum]\n  where: app.hex:2\n  \
         why:   the line ends in 00, its bytes need 69\n  do:    build or copy the file again"
    );
}

#[test]
fn data_outside_the_flash_is_refused_with_its_place() {
    let window = AddressRange::new(Address::new(0x6000_0000), 0x80_0000).expect("window");
    let inside = parse(&(upper(0x607F) + &record(0, 0xFFFF, &[1]) + END)).expect("image");
    assert_eq!(inside.require_inside(window), Ok(()));
    let outside = parse(&(upper(0x607F) + &record(0, 0xFFFF, &[1, 2]) + END)).expect("image");
    let problem = Problem::from(outside.require_inside(window).expect_err("outside"));
    assert_eq!(problem.exit, ExitCode::Refused);
    assert_eq!(problem.place.address, Some(Address::new(0x6080_0000)));
    assert_eq!(problem.place.line, Some(2));
    let below = parse(&(upper(0x2000) + &record(0, 0, &[1]) + END)).expect("image");
    assert!(below.require_inside(window).is_err());
}

fn named(name: &str, text: &str) -> Image {
    Image::parse(Path::new(name), text.as_bytes()).expect("image")
}

#[test]
fn equal_bytes_of_two_files_merge_and_different_ones_name_both() {
    let a = named(
        "a.hex",
        &(upper(0x6000) + &record(0, 0x100, &[1, 2, 3, 4]) + END),
    );
    let b = named(
        "b.hex",
        &(upper(0x6000) + &record(0, 0xFE, &[8, 9, 1, 2, 3, 4, 5]) + END),
    );
    let merged = Image::merge(vec![a.clone(), b]).expect("merged");
    let start = Address::new(0x6000_00FE);
    assert_eq!(merged.bytes_at(start, 7), Some(&[8, 9, 1, 2, 3, 4, 5][..]));
    let file = |address| {
        merged
            .place_of(Address::new(address))
            .and_then(|place| place.file)
    };
    assert_eq!(file(0x6000_0100), Some("a.hex".into()));
    assert_eq!(file(0x6000_0104), Some("b.hex".into()));
    let c = named(
        "c.hex",
        &(upper(0x6000) + &record(0, 0x102, &[3, 0x55]) + END),
    );
    let problem = Problem::from(Image::merge(vec![a, c]).expect_err("conflict"));
    assert_eq!(problem.code, "input-conflict");
    assert_eq!(problem.place.address, Some(Address::new(0x6000_0103)));
    assert_eq!(
        problem.why.as_deref(),
        Some("a.hex:2 brings 0x04, c.hex:2 brings 0x55")
    );
}

proptest::proptest! {
    #[test]
    fn merging_gives_every_byte_of_every_file(
        pieces in proptest::collection::vec((0_u16..400, proptest::collection::vec(proptest::prelude::any::<u8>(), 1..60)), 1..8),
    ) {
        let mut flash = std::collections::BTreeMap::new();
        let mut images = Vec::new();
        for (index, (offset, data)) in pieces.iter().enumerate() {
            // Later files agree with earlier ones where they overlap.
            let data: Vec<u8> = data
                .iter()
                .enumerate()
                .map(|(i, byte)| *flash.entry(u32::from(*offset) + i as u32).or_insert(*byte))
                .collect();
            images.push(named(&format!("{index}.hex"), &(record(0, *offset, &data) + END)));
        }
        let merged = Image::merge(images).expect("merged");
        proptest::prop_assert_eq!(merged.len_bytes(), flash.len() as u64);
        for (address, byte) in flash {
            let address = Address::new(address);
            proptest::prop_assert_eq!(merged.bytes_at(address, 1), Some(&[byte][..]));
            let from = merged.place_of(address).and_then(|place| place.file).expect("place");
            let index: usize = from.to_string_lossy().trim_end_matches(".hex").parse().expect("index");
            let (offset, data) = &pieces[index];
            let at = address.get().checked_sub(u32::from(*offset)).expect("inside") as usize;
            proptest::prop_assert!(at < data.len());
        }
    }

    #[test]
    fn no_content_makes_the_reader_panic(content in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let mut hex = b":".to_vec();
        hex.extend(content);
        let _outcome = Image::parse(Path::new("x"), &hex);
    }
}
