//! A whole image, cut at every operation: the ROM starts the complete old one, the complete new one, or waits in its serial
//! downloader; the next job finishes the work.

use std::path::Path;

use rtflash::boot::{BootImage, HeaderPolicy, HeaderWishes};
use rtflash::image::Image;
use rtflash::job::Request;

use crate::cut_points::Recorded;
use crate::cut_sweep::{Counts, Update, sweep};
use crate::desk::Desk;
use crate::images::{WINDOW, image, image_for, intel_hex, noise};

const EXTENT: usize = 0x4_0000;
const QE: u8 = 0x40;
const PROTECTED: u8 = 0x3C;

fn request(image: &BootImage) -> Request {
    Request::new(image.image().clone())
}

/// An image of three sectors besides header and vector table.
fn small(seed: u32) -> BootImage {
    image(&[(0x6000_2800, noise(seed, 0x2500))])
}

/// A desk on which `old` was flashed.
fn desk_with(old: &Request) -> Desk {
    let desk = Desk::new("is25wp064");
    install(&desk, old);
    desk
}

fn install(desk: &Desk, old: &Request) {
    let done = desk.flash(old);
    assert!(done.passed(), "{}", done.code());
    desk.power_cycle();
}

/// Says what was swept, which must not become less unnoticed: the sweeps of whole and partial images together have more than
/// 2,000 power cuts.
fn report(name: &str, counts: Counts, least: usize) {
    println!("cut sweep: {name}: {counts}");
    assert!(
        counts.points >= least,
        "{name}: {} power cuts",
        counts.points
    );
}

#[test]
fn over_a_blank_flash() {
    let desk = Desk::new("is25wp064");
    let new = request(&small(1));
    let counts = sweep(
        &desk,
        &Update {
            name: "blank",
            old: None,
            new: &new,
            extent: EXTENT,
            others: None,
        },
    );
    report("over a blank flash", counts, 125);
    assert!(counts.new > 0 && counts.dead > 0);
}

#[test]
fn over_another_image_with_bytes_of_others_around() {
    let old = small(1);
    let desk = desk_with(&request(&old));
    for (at, length) in [
        (0x400, 0x80),
        (0xF00, 0x100),
        (0x4E00, 0x200),
        (0x5000, 0x40),
    ] {
        desk.fill(at, &noise(at as u32, length));
    }
    let counts = sweep(
        &desk,
        &Update {
            name: "other image",
            old: Some(&old),
            new: &request(&small(2)),
            extent: EXTENT,
            others: None,
        },
    );
    report("over another image, bytes of others", counts, 145);
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}

#[test]
fn over_protected_blocks_and_without_qe() {
    for status in [PROTECTED | QE, PROTECTED, 0x04] {
        let old = small(1);
        let desk = desk_with(&request(&old));
        desk.nor(|nor| nor.set_status_register(status));
        let counts = sweep(
            &desk,
            &Update {
                name: "protected",
                old: Some(&old),
                new: &request(&image(&[(0x6000_2800, noise(2, 0x300))])),
                extent: EXTENT,
                others: None,
            },
        );
        report(&format!("status register {status:#04x}"), counts, 52);
        assert!(counts.new > 0 && counts.dead > 0);
    }
}

#[test]
fn over_the_same_image_nothing_or_only_qe_changes() {
    let old = small(1);
    let desk = desk_with(&request(&old));
    for (status, points) in [(QE, 1), (0, 4), (PROTECTED | QE, 1)] {
        desk.nor(|nor| nor.set_status_register(status));
        let counts = sweep(
            &desk,
            &Update {
                name: "same",
                old: Some(&old),
                new: &request(&old),
                extent: EXTENT,
                others: None,
            },
        );
        report(
            &format!("same image, status register {status:#04x}"),
            counts,
            points,
        );
    }
}

#[test]
fn over_an_image_with_another_fcb() {
    let wishes = HeaderWishes {
        read_opcode: Some(0x0B),
        clock_hz: Some(60_000_000),
        ..HeaderWishes::default()
    };
    let old = Request {
        wishes,
        ..request(&small(1))
    };
    let desk = desk_with(&old);
    let old = desk.judged(&old);
    desk.nor(|nor| nor.set_status_register(0));
    let new = small(2);
    let counts = sweep(
        &desk,
        &Update {
            name: "other FCB",
            old: Some(&old),
            new: &request(&new),
            extent: EXTENT,
            others: None,
        },
    );
    report("over an image with another FCB", counts, 138);
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}

#[test]
fn with_blocks_of_64_kib() {
    let old = image(&[(0x6000_3000, noise(1, 0x1_8000))]);
    let mut parts = noise(2, 0x1_4000);
    parts[0x800..0x1_3000].fill(0xFF);
    let new = image(&[(0x6000_3000, parts)]);
    let desk = desk_with(&request(&old));
    let counts = sweep(
        &desk,
        &Update {
            name: "blocks",
            old: Some(&old),
            new: &request(&new),
            extent: EXTENT,
            others: None,
        },
    );
    report("blocks of 64 KiB", counts, 130);
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}

#[test]
fn on_a_part_with_its_quad_enable_bit_in_status_register_2() {
    let mut desk = Desk::new("w25q64jv");
    let old = image_for(&desk.target, &[(0x6000_2800, noise(1, 0x900))]);
    let new = image_for(&desk.target, &[(0x6000_2800, noise(2, 0x900))]);
    for protection in [0, 0x1C] {
        desk.renew();
        install(&desk, &request(&old));
        desk.nor(|nor| nor.set_status_register(protection));
        let counts = sweep(
            &desk,
            &Update {
                name: "W25Q64JV",
                old: Some(&old),
                new: &request(&new),
                extent: EXTENT,
                others: None,
            },
        );
        report("W25Q64JV", counts, 50);
        assert!(counts.new > 0 && counts.dead > 0);
    }
}

#[test]
fn over_what_an_earlier_cut_left() {
    let old = small(1);
    let new = request(&small(2));
    let desk = desk_with(&request(&old));
    for (at, length) in [(0x400, 0x80), (0x4E00, 0x200)] {
        desk.fill(at, &noise(at as u32, length));
    }
    let first = Recorded::new(&desk, &new, EXTENT);
    let mut cuts = Vec::new();
    first.every_cut(1, |cut| cuts.push(cut.kept.clone()));
    // early, in the middle and late; the same image again, and a third one
    let third = request(&small(3));
    let picked = [1, 3, cuts.len() / 2, cuts.len() - 4];
    let mut total = Counts::default();
    for (at, update) in picked.into_iter().zip([&new, &third, &third, &new]) {
        desk.power_up_with(&cuts[at]);
        desk.set_saved(&first.done.saved);
        total += sweep(
            &desk,
            &Update {
                name: "half finished",
                old: None,
                new: update,
                extent: EXTENT,
                others: Some(&first.before.content),
            },
        );
    }
    report("over what an earlier cut left", total, 410);
    assert!(total.new > 0 && total.dead > 0);
}

#[test]
fn over_what_an_earlier_cut_left_and_others_have_written_to_since() {
    let old = small(1);
    let desk = desk_with(&request(&old));
    const OTHERS: usize = 0x4E00;
    desk.fill(OTHERS, &noise(3, 0x200));
    let second = small(2);
    let job = Recorded::new(&desk, &request(&second), EXTENT);
    assert!(job.done.passed(), "{}", job.done.code());
    // somebody else has finished it, and what stands beside it is in use
    desk.set_saved(&job.done.saved);
    desk.fill(OTHERS, &noise(4, 0x200));
    let mut bytes = noise(2, 0x2500);
    bytes[0] = !bytes[0];
    // the sector that is shared with others is right already
    let third = request(&image(&[(0x6000_2800, bytes)]));
    let counts = sweep(
        &desk,
        &Update {
            name: "newer bytes of others",
            old: Some(&second),
            new: &third,
            extent: EXTENT,
            others: None,
        },
    );
    report("over newer bytes of others", counts, 40);
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}

#[test]
fn with_the_header_that_the_board_has() {
    let old = small(1);
    let desk = desk_with(&request(&old));
    let new = Request {
        wishes: HeaderWishes::only(HeaderPolicy::KeepOfBoard),
        ..request(&small(2))
    };
    let counts = sweep(
        &desk,
        &Update {
            name: "kept header",
            old: Some(&old),
            new: &new,
            extent: EXTENT,
            others: None,
        },
    );
    report("with the header that the board has", counts, 135);
    assert!(counts.new > 0);
}

#[test]
fn an_image_that_brings_its_own_header() {
    let with_header = |seed| {
        let segments: Vec<(u32, Vec<u8>)> = small(seed)
            .runs()
            .iter()
            .map(|run| (WINDOW + run.offset.get(), run.bytes.clone()))
            .collect();
        let text = intel_hex(&segments);
        let image = Image::parse(Path::new("complete.hex"), text.as_bytes()).expect("image");
        Request::new(image)
    };
    let (old, new) = (with_header(1), with_header(2));
    let desk = desk_with(&old);
    let old = desk.judged(&old);
    assert!(old.inserted().is_empty());
    let counts = sweep(
        &desk,
        &Update {
            name: "own header",
            old: Some(&old),
            new: &new,
            extent: EXTENT,
            others: None,
        },
    );
    report("an image that brings its own header", counts, 135);
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}
