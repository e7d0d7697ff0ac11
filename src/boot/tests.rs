//! Tests of the verdict: what is inserted, what is refused, and with which words.

use super::*;
use crate::address::{Address, FlashOffset};
use crate::image::Image;
use crate::image::sample::{application, image_of};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

pub(super) const STACK: u32 = 0x2002_0000;
pub(super) const RESET: u32 = 0x6000_2101;

pub(super) fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

pub(super) fn app() -> (u32, Vec<u8>) {
    (0x6000_2000, application(STACK, RESET, 0x400))
}

pub(super) fn fcb() -> (u32, Vec<u8>) {
    (
        0x6000_0000,
        fcb_for(&target()).expect("fcb").fcb.build().to_vec(),
    )
}

/// A BEE header as the flash holds it: without a pattern that repeats in 16 bytes.
pub(super) fn ciphertext() -> Vec<u8> {
    (0..0x200_u32).map(|at| ((at * 7) >> 2) as u8).collect()
}

pub(super) fn ivt_with(change: impl Fn(&mut Ivt, &mut BootData)) -> (u32, Vec<u8>) {
    let mut ivt = Ivt::new(
        0x6000_2000,
        Address::new(0x6000_1000),
        Address::new(0x6000_1020),
    );
    let mut data = BootData {
        start: 0x6000_0000,
        length_bytes: 0x2400,
        plugin: 0,
    };
    change(&mut ivt, &mut data);
    let mut bytes = ivt.build();
    bytes.extend(data.build());
    (0x6000_1000, bytes)
}

pub(super) fn ivt() -> (u32, Vec<u8>) {
    ivt_with(|_, _| {})
}

fn accepted(image: &Image) -> BootImage {
    judge(image, None, &target())
        .into_boot_image()
        .expect("accepted")
}

fn refused(pieces: &[(u32, Vec<u8>)]) -> Problem {
    let refusal = judge(&image_of(pieces), None, &target())
        .into_boot_image()
        .expect_err("refused");
    let problem = Problem::from(refusal);
    assert_eq!(problem.exit, ExitCode::Refused);
    problem
}

fn warnings(pieces: &[(u32, Vec<u8>)]) -> Vec<&'static str> {
    accepted(&image_of(pieces))
        .findings()
        .iter()
        .map(|f| f.code)
        .collect()
}

pub(super) fn bytes_of(boot: &BootImage, start: u32, length: usize) -> Vec<u8> {
    (start..)
        .take(length)
        .map(|at| boot.byte_at(FlashOffset::new(at)).expect("brought"))
        .collect()
}

#[test]
fn a_headerless_image_gets_fcb_ivt_and_boot_data() {
    let boot = accepted(&image_of(&[app()]));
    assert_eq!(bytes_of(&boot, 0, 512), fcb().1);
    assert_eq!(bytes_of(&boot, 0x1000, 0x30), ivt().1);
    assert_eq!(bytes_of(&boot, 0x2000, 0x400), app().1);
    assert_eq!(boot.len_bytes(), 512 + 0x30 + 0x400);
    assert_eq!(
        boot.inserted()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [
            "FCB missing, added: IS25WP064, 80 MHz, read EBh on 1-4-4 pads with 2 mode and 4 dummy clocks, samples clocked \
             through the DQS pad",
            "IVT and boot data missing, added: entry 0x60002000 (vector table), start 0x60000000, length 9216 bytes",
        ]
    );
    let entry = boot.start().expect("whole").entry;
    assert_eq!(entry.reset_handler, Address::new(0x6000_2100));
    assert_eq!(entry.initial_sp, Some(Address::new(STACK)));
    assert!(boot.needs_quad_enable());
    let origin = |at| {
        boot.origin_of(FlashOffset::new(at))
            .expect("origin")
            .to_string()
    };
    assert_eq!(origin(0), "the FCB that rtflash puts there");
    assert_eq!(origin(0x1000), "the IVT that rtflash puts there");
    assert_eq!(origin(0x2010), "app.hex:4");
    assert_eq!(boot.origin_of(FlashOffset::new(0x300)), None);
}

#[test]
fn the_hash_is_that_of_the_flash_as_a_file() {
    use sha2::{Digest, Sha256};
    let boot = accepted(&image_of(&[app(), (0x6000_5123, vec![1, 2, 3])]));
    let mut file = vec![ERASED; boot.end() as usize];
    for run in boot.runs() {
        file[run.offset.index()..][..run.bytes.len()].copy_from_slice(&run.bytes);
    }
    let expected: [u8; 32] = Sha256::digest(&file).into();
    assert_eq!(boot.sha256(), expected);
}

#[test]
fn only_what_is_missing_is_inserted() {
    let names = |pieces: &[(u32, Vec<u8>)]| -> Vec<String> {
        accepted(&image_of(pieces))
            .inserted()
            .iter()
            .map(|i| {
                i.to_string()
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(names(&[app()]), ["FCB", "IVT"]);
    assert_eq!(names(&[ivt(), app()]), ["FCB"]);
    assert_eq!(names(&[fcb(), app()]), ["IVT"]);
    assert!(names(&[fcb(), ivt(), app()]).is_empty());
}

#[test]
fn a_complete_image_is_left_as_it_is() {
    let image = image_of(&[fcb(), ivt(), app()]);
    let boot = accepted(&image);
    let ours: Vec<_> = boot
        .runs()
        .iter()
        .map(|run| (run.offset.get(), run.bytes.clone()))
        .collect();
    let theirs: Vec<_> = image
        .segments()
        .iter()
        .map(|s| (s.start().get() - 0x6000_0000, s.bytes().to_vec()))
        .collect();
    assert_eq!(ours, theirs);
    assert!(boot.findings().is_empty());
}

#[test]
fn zeros_and_erased_bytes_both_count_as_absent() {
    for filler in [0x00, 0xFF] {
        let mut whole = vec![filler; 0x2000];
        whole.extend(app().1);
        let boot = accepted(&image_of(&[(0x6000_0000, whole)]));
        assert_eq!(boot.inserted().len(), 2, "{filler:02X}");
        assert_eq!(bytes_of(&boot, 0, 512), fcb().1);
        assert_eq!(bytes_of(&boot, 0x1000, 0x30), ivt().1);
        assert_eq!(bytes_of(&boot, 0x200, 0x100), vec![filler; 0x100]);
        assert_eq!(boot.runs().len(), 1);
    }
}

#[test]
fn a_vector_table_in_the_fcb_s_place_is_refused_with_zephyr_s_cure() {
    let problem = refused(&[(0x6000_0000, application(STACK, 0x6000_0101, 0x3000))]);
    assert_eq!(problem.code, "vector-table-at-start");
    assert!(
        problem
            .fix
            .expect("fix")
            .contains("CONFIG_ROM_START_OFFSET=0x2000")
    );
    assert_eq!(problem.place.line, Some(2));
}

#[test]
fn images_that_cannot_boot_are_refused_with_a_stable_code() {
    let code = |pieces: &[(u32, Vec<u8>)]| refused(pieces).code;
    let with_app = |sp, reset| [(0x6000_2000, application(sp, reset, 0x400))];
    assert_eq!(code(&with_app(0x6000_0000, RESET)), "stack-pointer");
    assert_eq!(code(&with_app(0, RESET)), "stack-pointer");
    assert_eq!(
        code(&with_app(STACK - 2, RESET)),
        "stack-pointer-misaligned"
    );
    assert_eq!(code(&with_app(STACK, RESET - 1)), "reset-not-thumb");
    assert_eq!(code(&with_app(STACK, 0x6000_3001)), "reset-outside");
    assert_eq!(code(&with_app(STACK, 0x0000_0101)), "reset-outside");
    assert_eq!(code(&[(0x6000_0000, vec![0x5A; 512]), app()]), "fcb-tag");
    assert_eq!(code(&[(0x6000_1000, vec![0x5A; 32]), app()]), "ivt-tag");
    assert_eq!(
        code(&[(0x6000_1020, vec![0x5A; 32]), app()]),
        "boot-data-place-taken"
    );
    assert_eq!(
        code(&[fcb(), (0x6000_0400, ciphertext()), app()]),
        "maybe-encrypted"
    );
    assert_eq!(
        code(&[(0x6000_0000, fcb().1[..256].to_vec()), app()]),
        "fcb-incomplete"
    );
    let code =
        |change: fn(&mut Ivt, &mut BootData)| refused(&[fcb(), ivt_with(change), app()]).code;
    assert_eq!(code(|ivt, _| ivt.entry = 0x6000_3000), "entry-outside");
    assert_eq!(code(|ivt, _| ivt.entry = 0x7000_2000), "entry-outside");
    assert_eq!(code(|ivt, _| ivt.entry = 0x6000_3001), "entry-outside");
    assert_eq!(code(|ivt, _| ivt.self_address = 0x6000_0400), "ivt-self");
    assert_eq!(code(|ivt, _| ivt.boot_data = 0x6100_0000), "ivt-boot-data");
    assert_eq!(code(|_, data| data.length_bytes = 0), "boot-data-length");
}

#[test]
fn an_fcb_that_cannot_be_read_through_is_refused() {
    let mut block = fcb_for(&target()).expect("fcb").fcb;
    block.sflash_a1_size = 0;
    let pieces = [(0x6000_0000, block.build().to_vec()), ivt(), app()];
    assert_eq!(refused(&pieces).code, "fcb-size");
    let mut block = fcb_for(&target()).expect("fcb").fcb;
    block.lookup_table = LookupTable::EMPTY;
    let pieces = [(0x6000_0000, block.build().to_vec()), ivt(), app()];
    assert_eq!(refused(&pieces).code, "fcb-no-read");
}

#[test]
fn data_that_does_not_fit_is_refused() {
    let beyond = refused(&[app(), (0x607F_FFFF, vec![1, 2])]);
    assert_eq!(beyond.code, "beyond-part");
    assert_eq!(beyond.place.address, Some(Address::new(0x6080_0000)));
    assert_eq!(
        refused(&[app(), (0x7000_0000, vec![1])]).code,
        "other-flexspi"
    );
    assert_eq!(
        refused(&[app(), (0x2000_0000, vec![1])]).code,
        "outside-flash"
    );
}

#[test]
fn working_images_of_others_are_not_refused() {
    let pass = |change: fn(&mut Ivt, &mut BootData)| warnings(&[fcb(), ivt_with(change), app()]);
    // Odd entry: Teensy, SPSDK. Any of the four versions. Placeholder CSF: Teensy.
    assert!(pass(|ivt, _| ivt.entry = RESET).is_empty());
    for version in Ivt::VERSIONS {
        let mut piece = ivt();
        piece.1[3] = version;
        assert!(warnings(&[fcb(), piece, app()]).is_empty());
    }
    assert!(pass(|ivt, _| ivt.csf = 0x6000_2300).is_empty());
    // Lengths of all kinds: SDK (whole flash), NuttX (beyond it), 32 (ChibiOS author).
    assert!(pass(|_, data| data.length_bytes = 0x80_0000).is_empty());
    assert!(pass(|_, data| data.length_bytes = 0x1F7F_FFFF).is_empty());
    assert_eq!(pass(|_, data| data.length_bytes = 32), ["boot-data-length"]);
    // A DCD pointer without DCD: NXP's own sample.
    assert_eq!(pass(|ivt, _| ivt.dcd = 0x6000_2300), ["dcd-tag"]);
    // NXP's 120 MHz with six dummy clocks, and device type 0.
    let mut block = fcb_for(&target()).expect("fcb").fcb;
    block.serial_clk_freq = 7;
    block.device_type = 0;
    let pieces = [(0x6000_0000, block.build().to_vec()), ivt(), app()];
    assert_eq!(warnings(&pieces), ["fcb-clock"]);
}

#[test]
fn what_no_source_settles_is_called_uncertain() {
    for change in [
        (|ivt, _| ivt.version = 0x30) as fn(&mut Ivt, &mut BootData),
        |ivt, _| ivt.length_bytes = 0x2000,
        |_, data| data.plugin = 1,
        |_, data| data.start = 0x2020_0000,
    ] {
        let boot = accepted(&image_of(&[fcb(), ivt_with(change), app()]));
        assert_eq!(boot.findings().len(), 1);
        let why = boot.findings()[0].why.clone().expect("why");
        assert!(why.starts_with("uncertain"), "{why}");
    }
}

#[test]
fn an_image_that_the_rom_copies_to_ram_is_followed_there() {
    // Stored at flash offset 0, linked for OCRAM2 at 0x2020_8000: IVT at +0x1000, code at +0x2000.
    let ivt = ivt_with(|ivt, data| {
        ivt.self_address = 0x2020_9000;
        ivt.boot_data = 0x2020_9020;
        ivt.entry = 0x2020_A000;
        data.start = 0x2020_8000;
    });
    let app = (0x6000_2000, application(STACK, 0x2020_A101, 0x400));
    let boot = accepted(&image_of(&[fcb(), ivt, app]));
    assert_eq!(
        boot.start().expect("whole").entry.reset_handler,
        Address::new(0x2020_A100)
    );
    assert!(boot.findings().is_empty());
}

#[test]
fn a_signed_image_only_gets_an_fcb() {
    let mut application = app();
    application.1[0x300] = 0xD4;
    let ivt = ivt_with(|ivt, _| ivt.csf = 0x6000_2300);
    let boot = accepted(&image_of(&[ivt.clone(), application]));
    assert_eq!(boot.inserted().len(), 1);
    assert_eq!(boot.findings()[0].code, "signed");
    assert_eq!(bytes_of(&boot, 0x1000, 0x30), ivt.1);
}

mod slots {
    //! Findings on MCUboot images, and the map of a combined image.

    use super::*;
    use crate::boot::mcuboot::sample::{bootloader_constants, padded, signed};

    const SLOT: u32 = 0x6002_0000;

    fn bootloader() -> (u32, Vec<u8>) {
        let (start, mut bytes) = app();
        bytes.extend(bootloader_constants());
        (start, bytes)
    }

    fn codes(pieces: &[(u32, Vec<u8>)]) -> Vec<&'static str> {
        let judgement = judge(&image_of(pieces), None, &target());
        judgement.findings().iter().map(|f| f.code).collect()
    }

    #[test]
    fn a_bootloader_with_its_signed_application_has_nothing_to_be_told() {
        let application = (SLOT, signed(SLOT, STACK, 0x800));
        assert!(codes(&[bootloader(), application.clone()]).is_empty());
        let padded = (SLOT, padded(application.1, 0x4000, true));
        assert!(codes(&[bootloader(), padded]).is_empty());
    }

    #[test]
    fn one_without_the_other_is_told() {
        assert_eq!(codes(&[bootloader()]), ["bootloader-without-application"]);
        let alone = [(SLOT, signed(SLOT, STACK, 0x800))];
        assert_eq!(codes(&alone), ["partial-image"]);
        let problem = refused(&alone);
        assert!(problem.what.contains("MCUboot application at 0x60020000"));
        let other_bootloader = [app(), (SLOT, signed(SLOT, STACK, 0x800))];
        assert_eq!(codes(&other_bootloader), ["bootloader-unknown"]);
    }

    #[test]
    fn a_damaged_application_is_refused_and_an_odd_one_told() {
        let with = |slot: Vec<u8>| codes(&[bootloader(), (SLOT, slot)]);
        let mut damaged = signed(SLOT, STACK, 0x800);
        damaged[0x600] ^= 0x10;
        assert_eq!(with(damaged), ["mcuboot-hash"]);
        let mut unsigned_yet = signed(SLOT, STACK, 0x800);
        unsigned_yet.truncate(0xC00);
        assert_eq!(with(unsigned_yet), ["mcuboot-incomplete"]);
        let elsewhere = signed(0x6032_0000, STACK, 0x800);
        assert_eq!(with(elsewhere), ["mcuboot-linked-elsewhere"]);
        // the hash alone, without key hash and signature
        let mut hash_only = signed(SLOT, STACK, 0x800);
        hash_only.truncate(0xC00 + 4 + 4 + 32);
        hash_only[0xC02..0xC04].copy_from_slice(&40_u16.to_le_bytes());
        assert_eq!(with(hash_only.clone()), ["mcuboot-not-signed"]);
        hash_only[0xC04] = 0x11;
        assert_eq!(with(hash_only), ["mcuboot-no-hash", "mcuboot-not-signed"]);
    }

    #[test]
    fn the_map_names_every_byte_of_a_combined_image() {
        let image = image_of(&[bootloader(), (SLOT, signed(SLOT, STACK, 0x800))]);
        let judgement = judge(&image, None, &target());
        let anatomy = Anatomy::of(&image, judgement.boot_image(), &target());
        let told: Vec<(u32, &str)> = anatomy
            .map
            .iter()
            .map(|region| (region.start.get(), region.what.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (0x6000_0000, "FCB"),
                (0x6000_1000, "IVT"),
                (0x6000_1020, "boot data"),
                (0x6000_2000, "bootloader (MCUboot)"),
                (0x6002_0000, "MCUboot header"),
                (0x6002_0400, "MCUboot application 1.2.3+4"),
                (0x6002_0C00, "MCUboot TLVs"),
            ]
        );
        let bytes: u64 = anatomy.map.iter().map(|region| region.length_bytes).sum();
        let boot_image = judgement.boot_image().expect("bootable");
        assert_eq!(bytes, boot_image.len_bytes());
    }
}

#[test]
fn an_fcb_where_sister_chips_have_it_is_told() {
    let image = [(0x6000_0400, fcb().1), ivt(), app()];
    assert_eq!(warnings(&image), ["fcb-wrong-place"]);
    assert!(warnings(&[ivt(), app()]).is_empty());
}

#[test]
fn gaps_behind_the_vector_table_are_told() {
    assert_eq!(warnings(&[app(), (0x6000_8000, vec![1; 16])]), ["gaps"]);
    assert!(warnings(&[app(), (0x6000_2400, vec![1; 16])]).is_empty());
}

#[test]
fn an_encrypted_image_is_not_given_an_ivt() {
    let bee = (0x6000_0400, ciphertext());
    let cipher = (0x6000_1000, vec![0xA5; 0x40]);
    assert_eq!(
        refused(&[fcb(), bee.clone(), cipher, app()]).code,
        "maybe-encrypted"
    );
    let image = image_of(&[fcb(), bee, app()]);
    let anatomy = Anatomy::of(&image, None, &target());
    assert_eq!(anatomy.bee, [Address::new(0x6000_0400)]);
}

#[test]
fn an_image_for_an_rt1064_is_told_as_such() {
    let rt1064 = ivt_with(|ivt, data| {
        ivt.self_address = 0x7000_1000;
        ivt.boot_data = 0x7000_1020;
        ivt.entry = 0x7000_2000;
        data.start = 0x7000_0000;
    });
    let problem = refused(&[fcb(), rt1064, app()]);
    assert_eq!(problem.code, "ivt-self");
    assert!(problem.why.expect("why").contains("RT1064"));
}

#[test]
fn a_copied_image_must_bring_its_entry_and_land_in_free_ram() {
    let linked = |start: u32, length_bytes| {
        let ivt = ivt_with(|ivt, data| {
            ivt.self_address = start + 0x1000;
            ivt.boot_data = start + 0x1020;
            ivt.entry = start + 0x2000;
            data.start = start;
            data.length_bytes = length_bytes;
        });
        let app = (0x6000_2000, application(STACK, start + 0x2101, 0x400));
        [fcb(), ivt, app]
    };
    assert!(warnings(&linked(0x2020_8000, 0x2400)).is_empty());
    assert_eq!(warnings(&linked(0x2020_4000, 0x2400)), ["boot-data-ram"]);
    assert_eq!(
        refused(&linked(0x2020_8000, 0x2000)).code,
        "boot-data-length"
    );
}
