//! A malformed file is refused with exit 13, a stable code, the line or offset at fault, the reason and the fix.

use rtflash::problem::{ExitCode, Problem};

use crate::board::{content, read};
use crate::write;

fn refused(content: &[u8], code: &str) -> Problem {
    let problem = read(content).expect_err(code);
    assert_eq!(problem.code, code, "{problem}");
    assert_eq!(problem.exit, ExitCode::MalformedInput, "{problem}");
    assert!(problem.fix.is_some(), "{problem}");
    problem
}

#[test]
fn s_records() {
    let head = write::s_record(0, 0, b"x") + &write::s_record(3, 0x6000_2000, &[1, 2]);
    let end = write::s_record(7, 0, &[]);
    let count = |n| write::s_record(5, n, &[]);
    let cases: &[(String, &str, u32)] = &[
        ("S30760002000AABB14".into(), "srec-checksum", 3),
        ("S30760002000AABB".into(), "srec-record", 3),
        ("S30760002000AABB1".into(), "srec-record", 3),
        ("S30760002000AABG13".into(), "srec-record", 3),
        ("S3".into(), "srec-record", 3),
        ("S".into(), "srec-record", 3),
        ("Sx0760002000AABB13".into(), "srec-record", 3),
        (":00000001FF".into(), "srec-record", 3),
        ("S3010".into(), "srec-record", 3),
        ("S300".into(), "srec-record", 3),
        // S3 whose count byte leaves no room for the address
        ("S3030000FC".into(), "srec-record", 3),
        // data in an end record
        (write::s_record(9, 0, &[1]), "srec-record", 3),
        ("S4030000FC".into(), "srec-record-type", 3),
        (write::s_record(3, 0xFFFF_FFFF, &[1, 2]), "srec-address", 3),
        (write::s_record(1, 0xFFFF, &[1, 2]), "srec-address", 3),
        (write::s_record(2, 0xFF_FFFE, &[1, 2, 3]), "srec-address", 3),
        (count(2), "srec-count", 3),
        (count(1) + &count(0), "srec-count", 4),
        (write::s_record(6, 7, &[]), "srec-count", 3),
        (write::s_record(3, 0x6000_2001, &[2]), "srec-overlap", 3),
    ];
    for (lines, code, line) in cases {
        let lines = lines.trim_end();
        let problem = refused(format!("{head}{lines}\n{end}").as_bytes(), code);
        assert_eq!(problem.place.line, Some(*line), "{problem}");
    }
    let problem = refused(head.as_bytes(), "srec-no-end");
    assert_eq!(problem.place.line, Some(2));
    let problem = refused(format!("{head}{end}\n{end}").as_bytes(), "srec-after-end");
    assert_eq!(problem.place.line, Some(5));
    refused(end.as_bytes(), "input-no-data");
}

#[test]
fn a_wrong_checksum_of_an_s_record_says_what_it_should_be() {
    let problem = refused(b"S107200001020304CF\nS9030000FC\n", "srec-checksum");
    assert_eq!(
        problem.to_string(),
        "the checksum of the record is wrong [srec-checksum]\n  where: app:1\n  \
         why:   the line ends in CF, its bytes need CE\n  do:    build or copy the file again"
    );
}

#[test]
fn lower_case_blank_lines_and_carriage_returns_are_no_error() {
    let text = "\u{feff}\r\n".to_owned()
        + &write::s_record(3, 0x6000_2000, &[0xAB])
            .to_lowercase()
            .replace('s', "S")
        + "\r\n  "
        + &write::s_record(7, 0, &[]);
    assert_eq!(read(text.as_bytes()).expect("image").len_bytes(), 1);
}

/// The fixture with another byte at `at`.
fn elf_with(at: usize, byte: u8) -> Vec<u8> {
    let mut elf = content("formats/blinky-xip.headerless.elf");
    elf[at] = byte;
    elf
}

#[test]
fn elf_for_another_machine() {
    refused(&elf_with(4, 2), "elf-class");
    refused(&elf_with(5, 2), "elf-endianness");
    refused(&elf_with(4, 7), "elf-structure");
    let problem = refused(&elf_with(18, 243), "elf-machine");
    assert!(problem.to_string().contains("243"), "{problem}");
    refused(&elf_with(16, 1), "elf-not-linked");
    refused(&elf_with(16, 3), "elf-not-linked");
}

#[test]
fn elf_that_is_damaged() {
    let elf = content("formats/blinky-xip.headerless.elf");
    for length in [4, 5, 6, 16, 51, 52, 100, 0x2004, elf.len() - 1] {
        refused(&elf[..length], "elf-structure");
    }
    let pieces = [(0x6000_2000, vec![1, 2, 3, 4]), (0x6001_0000, vec![5])];
    let whole = write::elf(&pieces);
    let problem = refused(&whole[..whole.len() - 1], "elf-cut-off");
    assert_eq!(problem.place.offset, Some(whole.len() as u64 - 1));
    let pieces = [(0x6000_2000, vec![1, 2, 3, 4]), (0x6000_2002, vec![5])];
    let problem = refused(&write::elf(&pieces), "elf-overlap");
    assert_eq!(
        problem.to_string().lines().nth(1),
        Some("  where: app, offset 0x78, address 0x60002002")
    );
    assert!(problem.to_string().contains("offset 0x76"), "{problem}");
    refused(&write::elf(&[(0xFFFF_FFFF, vec![1, 2])]), "elf-address");
    refused(&write::elf(&[]), "input-no-data");
}

#[test]
fn uf2_for_another_family() {
    let for_rp2040 = write::uf2_block(0x1000_0000, &[1], 0, 1, 0xE48B_FF56);
    let problem = refused(&for_rp2040, "uf2-family");
    assert_eq!(
        problem.why.as_deref(),
        Some("it is for family 0xE48BFF56 (RP2040), i.MX RT10xx is 0x4FB2D5BD")
    );
    let problem = refused(&write::uf2_block(0, &[1], 0, 1, 0x1234), "uf2-family");
    assert!(problem.to_string().contains("unknown"), "{problem}");
    let mut without = write::uf2_block(0, &[1], 0, 1, write::FAMILY);
    without[8..12].fill(0);
    let problem = refused(&without, "uf2-family");
    assert!(problem.to_string().contains("uf2conv.py -f"), "{problem}");
    // a file for several families is used as far as it is for ours
    let ours = write::uf2_block(0x6000_2000, &[7], 0, 1, write::FAMILY);
    let image = read(&[for_rp2040, ours].concat()).expect("image");
    assert_eq!(image.len_bytes(), 1);
}

#[test]
fn uf2_that_is_damaged() {
    let block = |address, number, count| {
        write::uf2_block(address, &[number as u8; 8], number, count, write::FAMILY)
    };
    let first = block(0x6000_2000, 0, 2);
    let second = block(0x6000_2008, 1, 2);
    let cases: &[(Vec<u8>, &str, u64)] = &[
        (first.clone(), "uf2-missing-block", 0),
        (second.clone(), "uf2-missing-block", 0),
        ([&first[..], &first].concat(), "uf2-block", 512),
        (
            [first.clone(), block(0x6000_2008, 1, 3)].concat(),
            "uf2-block",
            512,
        ),
        (
            [first.clone(), block(0x6000_2008, 2, 2)].concat(),
            "uf2-block",
            512,
        ),
        ([&first[..], &second[..511]].concat(), "uf2-cut-off", 512),
        ([&first[..], &second, b"x"].concat(), "uf2-cut-off", 1024),
        (
            [first.clone(), block(0x6000_2004, 1, 2)].concat(),
            "uf2-overlap",
            512 + 32,
        ),
        (block(0xFFFF_FFFC, 0, 1), "uf2-address", 0),
    ];
    for (file, code, offset) in cases {
        let problem = refused(file, code);
        assert_eq!(problem.place.offset, Some(*offset), "{problem}");
    }
    for (at, byte) in [(4, 0), (508, 0), (511, 1)] {
        let mut second = second.clone();
        second[at] = byte;
        let problem = refused(&[&first[..], &second].concat(), "uf2-block");
        assert_eq!(problem.place.offset, Some(512), "{problem}");
    }
    let mut long = block(0x6000_2000, 0, 1);
    long[16..20].copy_from_slice(&477_u32.to_le_bytes());
    refused(&long, "uf2-block");
    // not for the main flash: counted, and passed over
    let mut other = block(0x6000_2008, 1, 2);
    other[8] = 1;
    let image = read(&[first, other].concat()).expect("image");
    assert_eq!(image.len_bytes(), 8);
}
