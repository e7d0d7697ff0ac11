//! Every format holds the final bytes and nothing else, and is read back by our own readers.

use std::path::Path;

use super::*;
use crate::boot::judge;
use crate::image::Image;
use crate::image::sample::{application, image_of};
use crate::job::rom_places;

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

fn packed(format: PackFormat) -> (BootImage, Vec<u8>) {
    let app = application(0x2002_0000, 0x6000_2101, 0x400);
    let pieces = [(0x6000_2000, app), (0x6001_FFF3, vec![0xA5; 45])];
    let boot_image = judge(&image_of(&pieces), None, &target())
        .into_boot_image()
        .expect("bootable");
    let content = format.write(&boot_image, &target()).expect("content");
    (boot_image, content)
}

/// The flash after programming an image whose every byte it must hold, erased elsewhere.
fn flash_of(boot_image: &BootImage) -> Vec<u8> {
    let mut flash = vec![crate::boot::ERASED; 0x3_0000];
    for run in boot_image.runs() {
        flash[run.offset.index()..][..run.bytes.len()].copy_from_slice(&run.bytes);
    }
    flash
}

#[test]
fn what_is_packed_is_read_back_as_the_same_flash() {
    for (name, format) in [
        ("a.hex", PackFormat::IntelHex),
        ("a.bin", PackFormat::Binary),
        ("a.srec", PackFormat::SRecord),
        ("a.uf2", PackFormat::Uf2),
    ] {
        assert_eq!(PackFormat::of_name(Path::new(name)).expect("known"), format);
        let (boot_image, content) = packed(format);
        let places = rom_places(&target());
        let image = Image::read(Path::new(name), &content, None, &places).expect(name);
        let again = judge(&image, None, &target())
            .into_boot_image()
            .expect("bootable");
        assert!(again.inserted().is_empty(), "{name}");
        assert!(flash_of(&again) == flash_of(&boot_image), "{name}");
        let exact = matches!(format, PackFormat::IntelHex | PackFormat::SRecord);
        assert!(!exact || again.runs() == boot_image.runs(), "{name}");
    }
}

#[test]
fn an_s_record_carries_count_and_checksum() {
    let run = Run {
        start: Address::new(0x6000_0000),
        bytes: b"FCFB",
    };
    let text = String::from_utf8(s_record::write(&[run])).expect("text");
    assert_eq!(
        text,
        "S00A00007274666C61736801\nS309600000004643464285\nS70500000000FA\n"
    );
}

#[test]
fn every_usual_ending_of_an_s_record_is_known() {
    for name in ["a.srec", "a.s19", "a.S37", "a.mot"] {
        let format = PackFormat::of_name(Path::new(name));
        assert_eq!(format.expect(name), PackFormat::SRecord);
    }
}

#[test]
fn an_ending_that_says_nothing_is_a_usage_error() {
    for name in ["packed", "packed.elf", "packed.hex.gz"] {
        let problem = PackFormat::of_name(Path::new(name)).expect_err("usage");
        assert_eq!(
            (problem.code, problem.exit),
            ("output-format", ExitCode::Usage)
        );
    }
}
