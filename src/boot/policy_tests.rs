//! Tests of what happens to the boot header by the user's wishes, and of images that need what the board holds.

use std::path::PathBuf;

use super::mcuboot::sample;
use super::tests::{RESET, STACK, app, bytes_of, ciphertext, fcb, ivt, ivt_with, target};
use super::*;
use crate::address::{Address, FlashOffset};
use crate::image::sample::{application, image_of};
use crate::image::{Image, Patch};
use crate::problem::ExitCode;

type Pieces<'a> = &'a [(u32, Vec<u8>)];

const SLOT: u32 = 0x6002_0000;

fn judged(pieces: Pieces<'_>, wishes: &HeaderWishes) -> Judgement {
    judge_with(&image_of(pieces), None, &target(), wishes)
}

fn replaced(pieces: Pieces<'_>) -> BootImage {
    let judgement = judged(pieces, &HeaderWishes::only(HeaderPolicy::Replace));
    judgement.into_boot_image().expect("accepted")
}

fn reasons(boot: &BootImage) -> Vec<(&'static str, Reason)> {
    let inserted = boot.inserted().iter();
    inserted.map(|i| (i.part.name(), i.reason)).collect()
}

fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.findings().iter().map(|f| f.code).collect()
}

/// What a flash with `pieces` holds.
fn flash_with(pieces: Pieces<'_>) -> Vec<u8> {
    let mut flash = vec![0xFF; 8 << 20];
    for (address, bytes) in pieces {
        let at = (address - 0x6000_0000) as usize;
        flash[at..at + bytes.len()].copy_from_slice(bytes);
    }
    flash
}

/// Reads from `flash` what the judgement wants to know, as a job does; the pieces read.
fn surveyed(
    flash: &[u8],
    image: Option<&Image>,
    policy: HeaderPolicy,
) -> (Present, Vec<(u32, u32)>) {
    let (mut present, mut read) = (Present::default(), Vec::new());
    while let Some((offset, length)) = wanted(image, &present, &target(), policy) {
        read.push((offset.get(), length));
        assert!(
            read.len() < 20,
            "the survey does not come to an end: {read:x?}"
        );
        let bytes = &flash[offset.index()..offset.index() + length as usize];
        present.add(offset, bytes.to_vec());
    }
    (present, read)
}

/// Judges with what a board that holds `flash` tells.
fn judged_on(flash: &[u8], pieces: Pieces<'_>, policy: HeaderPolicy) -> Judgement {
    let image = image_of(pieces);
    let (present, _) = surveyed(flash, Some(&image), policy);
    judge_with(
        &image,
        Some(&present),
        &target(),
        &HeaderWishes::only(policy),
    )
}

fn on_board_with_bootloader(pieces: Pieces<'_>) -> Judgement {
    let flash = flash_with(&[fcb(), ivt(), app()]);
    judged_on(&flash, pieces, HeaderPolicy::InsertMissing)
}

fn slot() -> (u32, Vec<u8>) {
    (SLOT, sample::signed(SLOT, STACK, 0x400))
}

#[test]
fn a_header_is_replaced_only_on_demand_and_never_a_signed_ivt() {
    let nonsense = [
        (0x6000_0000, vec![0x5A; 512]),
        (0x6000_1000, vec![0x5A; 48]),
        app(),
    ];
    let refused = judged(&nonsense, &HeaderWishes::default());
    assert_eq!(codes(&refused), ["fcb-tag"]);
    let both = [
        ("FCB", Reason::Replaced),
        ("IVT and boot data", Reason::Replaced),
    ];
    assert_eq!(reasons(&replaced(&nonsense)), both);
    assert_eq!(reasons(&replaced(&[fcb(), ivt(), app()])), both);
    let missing = ("FCB", Reason::Missing);
    assert_eq!(reasons(&replaced(&[ivt(), app()])), [missing, both[1]]);
    let mut signed = app();
    signed.1[0x300] = 0xD4;
    let ivt = ivt_with(|ivt, _| ivt.csf = 0x6000_2300);
    let boot = replaced(&[fcb(), ivt.clone(), signed]);
    assert_eq!(reasons(&boot), both[..1]);
    assert_eq!(bytes_of(&boot, 0x1000, 0x30), ivt.1);
}

#[test]
fn a_replaced_ivt_keeps_entry_and_dcd() {
    let dcd = (0x6000_1030, vec![0xD2, 0, 4, 0x41]);
    let old = ivt_with(|ivt, data| {
        ivt.entry = RESET;
        ivt.dcd = 0x6000_1030;
        data.length_bytes = 0;
    });
    let boot = replaced(&[fcb(), old, dcd, app()]);
    let new = Ivt::parse(bytes_of(&boot, 0x1000, 32).first_chunk().expect("32 bytes"));
    let new = new.expect("IVT");
    assert_eq!((new.entry, new.dcd), (RESET, 0x6000_1030));
    assert_eq!(boot.first_instruction(), Some(Address::new(RESET & !1)));
    assert_eq!(bytes_of(&boot, 0x1024, 4), 0x2400_u32.to_le_bytes());
    assert!(boot.inserted()[1].to_string().contains("DCD at 0x60001030"));

    let nowhere = ivt_with(|ivt, _| {
        ivt.entry = 0x6070_0000;
        ivt.dcd = 0x6000_2000;
    });
    let boot = replaced(&[fcb(), nowhere, app()]);
    assert_eq!(boot.first_instruction(), Some(Address::new(RESET & !1)));
    let dropped = boot.findings().iter().any(|f| f.code == "dcd-dropped");
    assert!(dropped, "{:?}", boot.findings());
}

#[test]
fn the_ivt_of_an_image_that_is_copied_to_ram_stays() {
    let ram = 0x2020_A000;
    let copied = ivt_with(|ivt, data| {
        ivt.self_address = ram + 0x1000;
        ivt.boot_data = ram + 0x1020;
        ivt.entry = ram + 0x2000;
        data.start = ram;
    });
    let code = (0x6000_2000, application(STACK, ram + 0x2101, 0x400));
    let boot = replaced(&[fcb(), copied.clone(), code]);
    assert_eq!(reasons(&boot), [("FCB", Reason::Replaced)]);
    assert_eq!(bytes_of(&boot, 0x1000, 0x30), copied.1);
}

#[test]
fn half_a_header_is_refused_unless_it_goes() {
    let half_fcb = (0x6000_0000, fcb().1[..256].to_vec());
    let half_ivt = (0x6000_1000, ivt().1[..16].to_vec());
    let pieces = [half_fcb.clone(), ivt(), app()];
    assert_eq!(
        codes(&judged(&pieces, &HeaderWishes::default()))[0],
        "fcb-incomplete"
    );
    assert_eq!(replaced(&pieces).inserted().len(), 2);
    let given = HeaderWishes {
        fcb: Some(Box::new(given_fcb(|_| {}))),
        ..HeaderWishes::default()
    };
    assert!(judged(&pieces, &given).boot_image().is_some());
    let pieces = [fcb(), half_ivt, app()];
    let judgement = judged(&pieces, &HeaderWishes::default());
    assert!(
        codes(&judgement).contains(&"ivt-incomplete"),
        "{judgement:?}"
    );
    assert!(judgement.boot_image().is_none());
    assert_eq!(replaced(&pieces).inserted().len(), 2);
}

/// An image that may be encrypted is not touched, whatever is wished of its header.
#[test]
fn no_wish_inserts_an_ivt_into_an_encrypted_image() {
    for place in [0x6000_0400, 0x6000_0800] {
        let pieces = [
            fcb(),
            (place, ciphertext()),
            (0x6000_1000, vec![0xA5; 0x1400]),
        ];
        for wishes in [
            HeaderWishes::default(),
            HeaderWishes::only(HeaderPolicy::Replace),
            HeaderWishes {
                fcb: Some(Box::new(given_fcb(|_| {}))),
                ..HeaderWishes::default()
            },
        ] {
            let judgement = judged(&pieces, &wishes);
            assert_eq!(codes(&judgement), ["maybe-encrypted"], "{wishes:?}");
        }
    }
}

fn given_fcb(change: impl Fn(&mut Fcb)) -> GivenFcb {
    let mut fcb = fcb_for(&target()).expect("fcb").fcb;
    fcb.serial_clk_freq = 1;
    change(&mut fcb);
    GivenFcb {
        fcb,
        file: PathBuf::from("own.bin"),
    }
}

#[test]
fn wishes_choose_read_command_clock_and_fcb() {
    let with = |wishes: &HeaderWishes| {
        fcb_with(&target(), wishes).map(|new| (new.read.opcode, new.clock.hz))
    };
    let wishes = |read_opcode, clock_mhz: Option<u32>| HeaderWishes {
        read_opcode,
        clock_hz: clock_mhz.map(|mhz| mhz * 1_000_000),
        ..HeaderWishes::default()
    };
    assert_eq!(with(&wishes(None, None)), Some((0xEB, 80_000_000)));
    assert_eq!(with(&wishes(Some(0x03), None)), Some((0x03, 50_000_000)));
    assert_eq!(with(&wishes(None, Some(100))), Some((0xEB, 100_000_000)));
    assert_eq!(with(&wishes(None, Some(133))), None);
    let own = given_fcb(|_| {});
    let given = HeaderWishes {
        fcb: Some(Box::new(own.clone())),
        ..HeaderWishes::default()
    };
    for pieces in [vec![fcb(), ivt(), app()], vec![app()]] {
        let boot = judged(&pieces, &given).into_boot_image().expect("accepted");
        assert_eq!(boot.start().expect("whole").fcb, own.fcb);
        assert_eq!(bytes_of(&boot, 0, 512), own.fcb.build());
        assert_eq!(reasons(&boot)[0], ("FCB", Reason::Given));
    }
    let read = |content: &[u8]| GivenFcb::read(own.file.clone(), content);
    assert_eq!(read(&own.fcb.build()).as_ref(), Ok(&own));
    let refused = read(&[0; 512]).expect_err("none");
    assert_eq!(
        (refused.code, refused.exit),
        ("fcb-file", ExitCode::MalformedInput)
    );
}

#[test]
fn findings_on_a_given_fcb_name_its_file_and_an_odd_read_is_told_as_it_is() {
    let odd = given_fcb(|fcb| {
        // continuous read from the first command on: no command at all
        let read = Instruction::new(Opcode::Read, Pads::Four, 4);
        let address = Instruction::new(Opcode::RowAddress, Pads::Four, 24);
        fcb.lookup_table
            .set_sequence(sequence::READ, &[address, read]);
    });
    let wishes = HeaderWishes {
        fcb: Some(Box::new(odd)),
        ..HeaderWishes::default()
    };
    let judgement = judged(&[app()], &wishes);
    let finding = judgement.findings()[0].clone();
    assert_eq!(
        (finding.code, finding.uncertain),
        ("fcb-read-command", true)
    );
    assert_eq!(finding.place.to_string(), "own.bin");
    let boot = judgement.boot_image().expect("accepted");
    let told = boot.inserted()[0].to_string();
    assert!(
        told.starts_with("FCB given: IS25WP064, 30 MHz, read by RADDR/4 24"),
        "{told}"
    );
}

#[test]
fn an_image_without_anything_to_start_needs_a_board_with_a_bootloader() {
    let alone = judged(&[slot()], &HeaderWishes::default());
    assert!(alone.needs_board());
    assert_eq!(codes(&alone), ["partial-image"]);
    assert!(
        alone.findings()[0]
            .what
            .contains("MCUboot application at 0x60020000")
    );

    let blank = judged_on(&flash_with(&[]), &[slot()], HeaderPolicy::InsertMissing);
    assert!(!blank.needs_board());
    assert_eq!(codes(&blank), ["partial-image"]);
    let headerless = judged_on(
        &flash_with(&[app()]),
        &[slot()],
        HeaderPolicy::InsertMissing,
    );
    assert_eq!(codes(&headerless), ["partial-image"]);

    let judgement = on_board_with_bootloader(&[slot()]);
    assert_eq!(codes(&judgement), ["partial-image"]);
    let boot = judgement.into_boot_image().expect("accepted");
    assert_eq!(boot.inserted(), []);
    assert_eq!(boot.len_bytes(), slot().1.len() as u64);
    assert_eq!(
        boot.commit_mark(),
        CommitMark::FirstSectors(vec![FlashOffset::new(0x2_0000)])
    );
    // the resident bootloader is read on four lines as well
    assert!(boot.needs_quad_enable());
    let Role::Partial {
        resident,
        application,
        ..
    } = boot.role()
    else {
        panic!("{:?}", boot.role());
    };
    assert_eq!(resident.entry.reset_handler, Address::new(RESET & !1));
    assert_eq!(*application, Some(Address::new(SLOT + 0x500)));
}

#[test]
fn a_partial_image_is_judged_by_the_header_on_the_board() {
    let broken = ivt_with(|ivt, _| ivt.entry = 0x6070_0000);
    let flash = flash_with(&[fcb(), broken, app()]);
    let judgement = judged_on(&flash, &[slot()], HeaderPolicy::InsertMissing);
    assert_eq!(codes(&judgement)[0], "entry-outside");
    assert!(judgement.boot_image().is_none());
    let place = judgement.findings()[0].place.to_string();
    assert!(place.contains("the board"), "{place}");

    let mut damaged = slot();
    damaged.1[0x500] ^= 1;
    assert_eq!(
        codes(&on_board_with_bootloader(&[damaged]))[0],
        "mcuboot-hash"
    );

    let over_handler = (RESET & !1, vec![0x5A; 0x10]);
    let judgement = on_board_with_bootloader(&[over_handler]);
    assert_eq!(codes(&judgement), ["slot-alignment", "covers-entry"]);

    let data = (0x6004_0000, vec![0x5A; 0x10]);
    let judgement = on_board_with_bootloader(&[data]);
    assert_eq!(codes(&judgement), ["slot-unknown", "partial-image"]);
    let boot = judgement.boot_image().expect("accepted");
    assert_eq!(boot.first_instruction(), None);
}

/// The image with bytes of one unit.
fn with_unit(pieces: Pieces<'_>, at: u32) -> Image {
    let own = Patch {
        by: "serial".to_owned(),
        start: Address::new(at),
        bytes: vec![0xA5; 16],
    };
    image_of(pieces).patched(&[own]).expect("an image")
}

fn judged_image_on(flash: &[u8], image: &Image, policy: HeaderPolicy) -> Judgement {
    let (present, _) = surveyed(flash, Some(image), policy);
    let wishes = HeaderWishes::only(policy);
    judge_with(image, Some(&present), &target(), &wishes)
}

#[test]
fn a_unit_s_own_bytes_below_an_application_take_no_commit_mark_from_it() {
    let flash = flash_with(&[fcb(), ivt(), app()]);
    let data = (0x6004_0000, vec![0x5A; 0x10]);
    for (own, first) in [
        (0x6001_0000, 0x4_0000),
        // right below
        (0x6003_FFF0, 0x4_0000),
        (0x6005_0000, 0x4_0000),
        // its own first bytes
        (0x6004_0000, 0x4_0000),
    ] {
        let image = with_unit(std::slice::from_ref(&data), own);
        let judgement = judged_image_on(&flash, &image, HeaderPolicy::InsertMissing);
        let boot = judgement.into_boot_image().expect("accepted");
        let Role::Partial { slots, .. } = boot.role() else {
            panic!("not partial");
        };
        assert_eq!(slots, &[FlashOffset::new(first)], "{own:08X}");
    }
}

#[test]
fn a_unit_s_own_bytes_are_not_put_below_a_signature_that_the_board_holds() {
    let mut signed = app();
    signed.1[0x300] = 0xD4;
    let ivt = ivt_with(|ivt, _| ivt.csf = 0x6000_2300);
    let flash = flash_with(&[fcb(), ivt, signed.clone()]);
    let told = |own| {
        let image = with_unit(std::slice::from_ref(&signed), own);
        let judgement = judged_image_on(&flash, &image, HeaderPolicy::KeepOfBoard);
        let codes = codes(&judgement);
        assert!(codes.contains(&"signed"), "{codes:?}");
        codes.contains(&"data-signed")
    };
    assert!(told(0x6000_2200));
    assert!(told(0x6000_22F0));
    assert!(!told(0x6000_2310));
    assert!(!told(0x6001_0000));
}

#[test]
fn the_board_s_header_is_kept_on_demand() {
    let keep = HeaderPolicy::KeepOfBoard;
    assert!(judged(&[app()], &HeaderWishes::only(keep)).needs_board());
    let own = given_fcb(|_| {}).fcb.build().to_vec();
    let flash = flash_with(&[(0x6000_0000, own.clone()), ivt(), app()]);
    let judgement = judged_on(&flash, &[app()], keep);
    let boot = judgement.into_boot_image().expect("accepted");
    let kept = [
        ("FCB", Reason::KeptOfBoard),
        ("IVT and boot data", Reason::KeptOfBoard),
    ];
    assert_eq!(reasons(&boot), kept);
    assert_eq!(bytes_of(&boot, 0, 512), own);
    assert_eq!(bytes_of(&boot, 0x1000, 0x20), ivt().1[..0x20]);
    assert!(matches!(boot.role(), Role::Whole(_)));
    // an FCB in the image counts before the board's; a board without one gets a new one
    let judgement = judged_on(&flash, &[fcb(), app()], keep);
    assert_eq!(
        reasons(judgement.boot_image().expect("accepted")),
        kept[1..]
    );
    let judgement = judged_on(&flash_with(&[]), &[app()], keep);
    let boot = judgement.into_boot_image().expect("accepted");
    assert_eq!(reasons(&boot)[0], ("FCB", Reason::Missing));
    // and without the wish the board's header does not matter
    let judgement = judged_on(&flash, &[app()], HeaderPolicy::InsertMissing);
    let boot = judgement.into_boot_image().expect("accepted");
    assert_eq!(bytes_of(&boot, 0, 512), fcb().1);
}

#[test]
fn data_is_asked_for_nothing_but_room() {
    let wishes = HeaderWishes::only(HeaderPolicy::DataOnly);
    let data = (0x6004_0000, vec![0x5A; 0x10]);
    let boot = judged(&[data], &wishes)
        .into_boot_image()
        .expect("accepted");
    assert_eq!((boot.role(), boot.len_bytes()), (&Role::Data, 0x10));
    assert_eq!(boot.commit_mark(), CommitMark::FirstSectors(Vec::new()));
    let over_fcb = judged(&[(0x6000_0200, vec![1; 4])], &wishes);
    let over_fcb = over_fcb.into_boot_image().expect("accepted");
    assert_eq!(
        over_fcb.commit_mark(),
        CommitMark::FcbTag(FlashOffset::ZERO)
    );
    assert_eq!(
        codes(&judged(&[(0x6080_0000, vec![1])], &wishes)),
        ["beyond-part"]
    );
}

#[test]
fn only_what_decides_is_read_of_the_board() {
    let flash = flash_with(&[fcb(), ivt(), app()]);
    let read = |pieces: Pieces<'_>| {
        let image = image_of(pieces);
        surveyed(&flash, Some(&image), HeaderPolicy::InsertMissing).1
    };
    assert_eq!(read(&[app()]), []);
    assert_eq!(read(&[fcb(), ivt(), app()]), []);
    let partial = [
        (0x0, 512),
        (0x1000, 32),
        (0x1020, 16),
        (0x2000, 8),
        (0x2100, 2),
    ];
    assert_eq!(read(&[slot()]), partial);
    let (present, read) = surveyed(&flash, None, HeaderPolicy::InsertMissing);
    // what the ROM starts now: the header first, as the caller asks for it by policy
    assert_eq!(read, partial);
    assert_eq!(
        reset_handler(&present, &target()),
        Some(Address::new(RESET & !1))
    );
}

#[test]
fn a_dcd_that_only_the_board_holds_is_walked() {
    let ivt = ivt_with(|ivt, _| ivt.dcd = 0x6000_1040);
    let image = [fcb(), ivt, app()];
    assert_eq!(
        codes(&judged(&image, &HeaderWishes::default())),
        ["dcd-tag"]
    );
    let flash = flash_with(&[(0x6000_1040, vec![0xD2, 0, 4, 0x41])]);
    let judgement = judged_on(&flash, &image, HeaderPolicy::InsertMissing);
    assert_eq!(codes(&judgement), [] as [&str; 0]);
}

#[test]
fn a_bootloader_alone_finds_its_application_on_the_board_or_not() {
    let mut code = app();
    code.1.extend(sample::bootloader_constants());
    let image = [code];
    let severity = |judgement: &Judgement| {
        let finding = judgement.findings()[0].clone();
        assert_eq!(finding.code, "bootloader-without-application");
        finding.severity
    };
    let offline = judged(&image, &HeaderWishes::default());
    assert_eq!(severity(&offline), Severity::Warning);
    let blank = judged_on(&flash_with(&[]), &image, HeaderPolicy::InsertMissing);
    assert_eq!(severity(&blank), Severity::Warning);
    let with_slot = judged_on(&flash_with(&[slot()]), &image, HeaderPolicy::InsertMissing);
    assert_eq!(severity(&with_slot), Severity::Note);
}

#[test]
fn a_kept_header_wins_over_filler_in_the_files() {
    let own = given_fcb(|_| {}).fcb.build().to_vec();
    let with_dcd = ivt_with(|ivt, _| ivt.dcd = 0x6000_1040);
    let dcd = (0x6000_1040, vec![0xD2, 0, 4, 0x41]);
    let flash = flash_with(&[(0x6000_0000, own.clone()), with_dcd, dcd, app()]);
    for filler in [0xFF, 0x00] {
        let padded = [(0x6000_0000, vec![filler; 0x2000]), app()];
        let judgement = judged_on(&flash, &padded, HeaderPolicy::KeepOfBoard);
        assert_eq!(codes(&judgement), [] as [&str; 0], "{filler:02X}");
        let boot = judgement.into_boot_image().expect("accepted");
        assert_eq!(bytes_of(&boot, 0, 512), own);
        let kept = boot.inserted().iter().map(|i| i.reason);
        assert!(kept.eq([Reason::KeptOfBoard; 2]));
        assert_eq!(
            boot.byte_at(FlashOffset::new(0x1040)),
            None,
            "the DCD stays"
        );
    }
}

#[test]
fn a_kept_header_may_start_an_application_at_another_place() {
    let elsewhere = ivt_with(|ivt, data| {
        ivt.entry = 0x6000_5000;
        data.length_bytes = 0x8000;
    });
    let code = (0x6000_5000, application(STACK, 0x6000_5101, 0x400));
    let flash = flash_with(&[fcb(), elsewhere, code.clone()]);
    let keep = judged_on(
        &flash,
        std::slice::from_ref(&code),
        HeaderPolicy::KeepOfBoard,
    );
    let boot = keep.into_boot_image().expect("accepted");
    assert!(matches!(boot.role(), Role::Whole(_)));
    assert_eq!(boot.first_instruction(), Some(Address::new(0x6000_5100)));
    let refused = judged_on(&flash, &[code], HeaderPolicy::InsertMissing);
    let finding = refused.findings()[0].clone();
    assert_eq!(finding.code, "covers-entry");
    assert!(finding.fix.expect("fix").contains("--keep-boot-header"));
}

#[test]
fn a_header_alone_is_judged_by_the_application_on_the_board() {
    let header = [fcb(), ivt()];
    let alone = judged(&header, &HeaderWishes::default());
    assert_eq!(codes(&alone), ["entry-outside"]);
    assert!(alone.needs_board());
    let insert = HeaderPolicy::InsertMissing;
    let repaired = judged_on(&flash_with(&[app()]), &header, insert);
    assert_eq!(codes(&repaired), [] as [&str; 0]);
    let blank = judged_on(&flash_with(&[]), &header, insert);
    assert_eq!(codes(&blank), ["entry-outside"]);
    assert!(!blank.needs_board());
}

#[test]
fn an_image_with_bee_headers_and_an_ivt_in_clear_keeps_it() {
    let bee = (0x6000_0400, ciphertext());
    let pieces = [fcb(), bee, ivt(), app()];
    let judgement = judged(&pieces, &HeaderWishes::default());
    assert_eq!(codes(&judgement), ["bee-headers"]);
    assert!(judgement.findings()[0].uncertain);
    assert_eq!(reasons(&replaced(&pieces)), [("FCB", Reason::Replaced)]);
    // filler of a linker is no header
    let filler = [fcb(), (0x6000_0200, vec![0xD4; 0xE00]), ivt(), app()];
    assert_eq!(
        codes(&judged(&filler, &HeaderWishes::default())),
        [] as [&str; 0]
    );
    // an FCB of a sister chip stands at the same place, and is none
    let sister = [fcb(), (0x6000_0400, fcb().1), ivt(), app()];
    let judgement = judged(&sister, &HeaderWishes::default());
    assert!(!codes(&judgement).contains(&"bee-headers"), "{judgement:?}");
    // nothing to read at all: not even a replacement is made
    let cipher = [
        (0x6000_0800, ciphertext()),
        (0x6000_1000, vec![0xA5; 0x1400]),
    ];
    let judgement = judged(&cipher, &HeaderWishes::only(HeaderPolicy::Replace));
    assert_eq!(codes(&judgement), ["maybe-encrypted"]);
}

#[test]
fn a_slot_begins_on_a_sector_that_holds_nothing_of_what_is_started() {
    let bytes = vec![0x5A; 0x10];
    let judged = |address: u32| on_board_with_bootloader(&[(address, bytes.clone())]);
    assert_eq!(codes(&judged(0x6004_0010))[0], "slot-alignment");
    assert_eq!(codes(&judged(0x6004_0000))[0], "slot-unknown");
    for beside_header in [0x6000_0400, 0x6000_1400, 0x6000_2800] {
        let judgement = judged(beside_header);
        assert!(
            codes(&judgement).contains(&"covers-entry"),
            "{beside_header:x}"
        );
        assert!(judgement.boot_image().is_none());
    }
}

#[test]
fn an_image_that_is_to_be_swapped_in_is_not_taken_for_the_one_it_replaces() {
    let second = (0x6032_0000, sample::signed(SLOT, STACK, 0x400));
    let judgement = on_board_with_bootloader(&[second]);
    assert_eq!(codes(&judgement), ["partial-image"]);
    let boot = judgement.boot_image().expect("accepted");
    assert_eq!(boot.first_instruction(), None);
    let first = (SLOT, sample::signed(0x6032_0000, STACK, 0x400));
    let judgement = on_board_with_bootloader(&[first]);
    assert!(codes(&judgement).contains(&"mcuboot-linked-elsewhere"));
}

#[test]
fn what_is_wrong_with_a_slot_is_told_without_a_board() {
    let mut damaged = slot();
    damaged.1[0x500] ^= 1;
    let judgement = judged(&[damaged], &HeaderWishes::default());
    assert_eq!(codes(&judgement), ["mcuboot-hash", "partial-image"]);
    assert!(!judgement.needs_board(), "no board can cure that");
}

#[test]
fn a_slot_that_mcuboot_may_refuse_is_uncertain() {
    let told = |change: &dyn Fn(&mut Vec<u8>), slot: u32| {
        let mut image = sample::signed(slot, STACK, 0x400);
        change(&mut image);
        let pieces = [app(), (slot, image)];
        let judgement = judged(&pieces, &HeaderWishes::default());
        let findings = judgement.findings();
        let uncertain = findings.iter().filter(|finding| finding.uncertain);
        uncertain.map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(told(&|_| {}, SLOT), [] as [&str; 0]);
    assert_eq!(
        told(&|image| image[16] |= 0x10, SLOT),
        ["mcuboot-not-bootable"]
    );
    let vectors = ["mcuboot-vectors"];
    let no_stack =
        |image: &mut Vec<u8>| image[0x400..0x404].copy_from_slice(&[0x78, 0x56, 0x34, 0x12]);
    assert_eq!(told(&no_stack, SLOT), vectors);
    assert_eq!(told(&|image| image[0x404] &= 0xFE, SLOT), vectors);
    assert_eq!(
        told(&|image| image[12..16].fill(0), SLOT),
        ["mcuboot-header"]
    );
    let long = |image: &mut Vec<u8>| *image = sample::signed(0x6010_0000, STACK, 0x10_0000);
    assert_eq!(told(&long, 0x6010_0000), ["mcuboot-slot-size"]);
}

#[test]
fn what_the_board_holds_is_not_blamed_on_the_files() {
    let flash = flash_with(&[(0x6000_0000, vec![0x5A; 512]), ivt(), app()]);
    let judgement = judged_on(&flash, &[app()], HeaderPolicy::KeepOfBoard);
    let finding = judgement.findings()[0].clone();
    assert_eq!(finding.code, "fcb-tag");
    assert!(
        finding.what.starts_with("on the board: "),
        "{}",
        finding.what
    );
    assert!(finding.fix.expect("fix").contains("--keep-boot-header"));
}
