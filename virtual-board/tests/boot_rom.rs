//! The boot ROM model on the modelled bus: which flash contents it starts, which it refuses, and the reason it gives.
#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

mod boot_rom_bench;

use boot_rom_bench::{Bench, FCB_EVK, Image, KNOWN_FCBS, QE, fcb};
use virtual_board::nor::Margin;
use virtual_board::rom::{Outcome, ROM_VTOR, Reading, RefusalReason, RomStep};
use virtual_board::soc::{ResetCause, Straps};
use virtual_board::time::Time;

const READINGS: [Reading; 2] = [Reading::Strict, Reading::Lenient];

/// A board with the image, QE set, both readings; the outcome of a power-on boot under each.
fn outcomes(image: &Image) -> [Outcome; 2] {
    READINGS.map(|reading| Bench::with(image, QE, reading).boot())
}

fn refusals(image: &Image) -> [Option<RefusalReason>; 2] {
    outcomes(image).map(|outcome| match outcome {
        Outcome::SerialDownloader(reason) => Some(reason),
        _ => None,
    })
}

#[track_caller]
fn refused_by_both(image: &Image, expected: RefusalReason) {
    assert_eq!(refusals(image), [Some(expected.clone()), Some(expected)]);
}

/// The field and the rule are looked at by the caller: here only that strict refuses and lenient boots.
#[track_caller]
fn uncertain(image: &Image) -> RefusalReason {
    let [strict, lenient] = refusals(image);
    assert_eq!(lenient, None, "the lenient reading boots");
    strict.expect("the strict reading refuses")
}

#[test]
fn a_blank_flash_ends_in_the_serial_downloader() {
    let blank = Image { flash: Vec::new() };
    refused_by_both(&blank, RefusalReason::FcbTag { found: [0xFF; 4] });
    let text = refusals(&blank)[0].clone().expect("refused").to_string();
    assert_eq!(
        text,
        "no FCB: flash offset 0x0 holds [FF, FF, FF, FF], not the tag 46 43 46 42 (\"FCFB\")"
    );
}

#[test]
fn an_nxp_sdk_image_boots() {
    for reading in READINGS {
        let mut bench = Bench::with(&Image::sdk(), QE, reading);
        let step = bench.run();
        let vtor = if reading == Reading::Strict {
            ROM_VTOR
        } else {
            0x6000_2000
        };
        assert_eq!(
            step,
            RomStep::Boot {
                sp: Some(0x2002_0000),
                pc: 0x6000_2101,
                vtor
            }
        );
        let expected = Outcome::Booted {
            pc: 0x6000_2101,
            vector_table: Some(0x6000_2000),
        };
        assert_eq!(bench.rom.outcome(), Some(&expected));
        assert_eq!(bench.trace.violations(), 0, "{:#?}", bench.trace.lines());
        assert_eq!(bench.core_hz(), 396_000_000);
        let ms = bench.now.as_us() / 1000;
        assert!((5..30).contains(&ms), "{ms} ms from reset to the jump");
    }
}

#[test]
fn the_flash_is_left_reading_as_the_fcb_says() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Strict);
    bench.run();
    assert_eq!(bench.flexspi.lut()[0], 0x0A18_04EB);
    // FCB code 7 on the RT1060: 480 MHz * 18 / 24 / 3.
    assert_eq!(bench.soc.flexspi_root_hz(bench.now), 120_000_000);
}

#[test]
fn the_boot_mode_register_is_read_early_with_mpu_and_caches_on() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Strict);
    let at = bench.run_to_read_of(0x400F_8004).expect("SBMR1 is read");
    assert!(at < Time::ms(31), "before the RTWDOG bites: {at}");
    assert!(bench.mpu && bench.caches);
    assert!((0x0020_0000..0x0022_0000).contains(&bench.rom.pc()));
    assert_eq!(bench.core_hz(), 12_000_000, "the PLLs are still down");
}

#[test]
fn the_rom_overwrites_its_working_ram_and_nothing_above() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Strict);
    bench.ocram.fill(0xA5);
    bench.run();
    let (working, above) = bench.ocram.split_at(0x8000);
    assert!(working.chunks(4).all(|word| word != [0xA5; 4]));
    assert!(above.iter().all(|byte| *byte == 0xA5));
}

#[test]
fn a_flash_without_fcb_is_refused_whatever_else_it_holds() {
    let mut image = Image::sdk();
    image.flash[..512].fill(0);
    refused_by_both(&image, RefusalReason::FcbTag { found: [0; 4] });
}

#[test]
fn a_flash_without_ivt_is_refused() {
    let mut image = Image::sdk();
    image.flash[0x1000..0x1030].fill(0xFF);
    refused_by_both(&image, RefusalReason::IvtHeader { found: [0xFF; 4] });
}

#[test]
fn a_wrong_ivt_tag_length_or_version_class_is_refused() {
    for (index, value) in [(0, 0xD2), (1, 0x20), (2, 0x40), (3, 0x30)] {
        let mut image = Image::sdk();
        image.flash[0x1000 + index] = value;
        let found = image.flash[0x1000..0x1004].try_into().expect("four");
        refused_by_both(&image, RefusalReason::IvtHeader { found });
    }
}

#[test]
fn a_wrong_fcb_tag_is_refused() {
    let mut image = Image::sdk();
    image.flash[0] = 0x47;
    refused_by_both(&image, RefusalReason::FcbTag { found: *b"GCFB" });
}

#[test]
fn quad_reads_without_qe_make_the_ivt_unreadable() {
    for reading in READINGS {
        let outcome = Bench::with(&Image::sdk(), 0, reading).boot();
        assert!(
            matches!(
                outcome,
                Outcome::SerialDownloader(RefusalReason::IvtHeader { .. })
            ),
            "{outcome:?}"
        );
    }
}

#[test]
fn an_odd_entry_is_jumped_to_and_the_stack_pointer_stays_the_roms() {
    for reading in READINGS {
        let mut bench = Bench::with(&Image::sdk().entry(0x6000_2101), QE, reading);
        assert_eq!(
            bench.run(),
            RomStep::Boot {
                sp: None,
                pc: 0x6000_2101,
                vtor: ROM_VTOR
            }
        );
    }
}

#[test]
fn an_even_entry_that_is_code_is_taken_for_a_vector_table() {
    // NXP community, an elftosb build with an even code address: it did not boot. What the core does is its own matter.
    let image = Image::sdk().entry(0x6000_2100);
    for (reading, vtor) in [(Reading::Strict, ROM_VTOR), (Reading::Lenient, 0x6000_2100)] {
        let step = Bench::with(&image, QE, reading).run();
        assert_eq!(
            step,
            RomStep::Boot {
                sp: Some(0xE7FE_BF00),
                pc: 0xBF00_BF00,
                vtor
            }
        );
    }
}

#[test]
fn an_erased_vector_table_is_refused() {
    let mut image = Image::sdk();
    image.flash[0x2000..0x2008].fill(0xFF);
    let [strict, lenient] = refusals(&image);
    assert_eq!(strict, lenient);
    assert!(matches!(strict, Some(RefusalReason::VectorTable { .. })));
}

#[test]
fn the_version_byte_does_not_decide_how_the_entry_is_taken() {
    for version in [0x40, 0x41, 0x43] {
        let mut image = Image::sdk();
        image.flash[0x1003] = version;
        let booted = Outcome::Booted {
            pc: 0x6000_2101,
            vector_table: Some(0x6000_2000),
        };
        assert_eq!(outcomes(&image), [booted.clone(), booted]);
    }
}

#[test]
fn a_csf_pointer_to_a_zero_placeholder_is_accepted_on_an_open_part() {
    let image = Image::sdk().ivt_word(6, 0x6000_3000);
    assert_eq!(refusals(&image), [None, None]);
}

#[test]
fn a_dcd_pointer_to_a_zero_byte_is_uncertain() {
    let reason = uncertain(&Image::sdk().ivt_word(3, 0x6000_1030));
    assert_eq!(
        reason.to_string(),
        "IVT field dcd at 0x6000100C is 0x60001030: no DCD header (D2) there"
    );
}

#[test]
fn odd_ivt_words_are_uncertain() {
    for image in [
        Image::sdk().ivt_word(2, 1),
        Image::sdk().ivt_word(7, 1),
        Image::sdk().ivt_word(0, 0x4A20_00D1),
    ] {
        assert!(matches!(uncertain(&image), RefusalReason::IvtField { .. }));
    }
}

#[test]
fn a_wrong_self_pointer_is_uncertain_only_with_pointers_that_follow_it() {
    let moved = Image::sdk()
        .ivt_word(5, 0x6000_1100)
        .ivt_word(4, 0x6000_1120);
    assert!(matches!(
        uncertain(&moved),
        RefusalReason::IvtField { field: "self", .. }
    ));
}

#[test]
fn the_boot_data_length_counts_only_when_it_is_zero() {
    assert_eq!(
        refusals(&Image::sdk().boot_data(0x6000_0000, 32, 0)),
        [None, None]
    );
    assert_eq!(
        refusals(&Image::sdk().boot_data(0x6000_0000, 0x1F7F_FFFF, 0)),
        [None, None]
    );
    let why = "an image of no bytes";
    let reason = RefusalReason::BootDataField {
        address: 0x6000_1024,
        field: "length",
        found: 0,
        why,
    };
    refused_by_both(&Image::sdk().boot_data(0x6000_0000, 0, 0), reason);
}

#[test]
fn a_plugin_is_not_modelled_and_says_so() {
    let image = Image::sdk().boot_data(0x6000_0000, 0x4000, 1);
    assert!(matches!(
        &refusals(&image)[1],
        Some(RefusalReason::NotModelled { .. })
    ));
}

#[test]
fn boot_mode_01_ends_in_the_serial_downloader() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.soc.set_straps(Straps::SERIAL_DOWNLOADER);
    let outcome = bench.boot();
    assert_eq!(
        outcome,
        Outcome::SerialDownloader(RefusalReason::StrappedToSerialDownloader { sbmr2: 0x0100_0001 })
    );
}

#[test]
fn pins_changed_without_a_power_cycle_do_not_count() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.run();
    bench.soc.set_straps(Straps::SERIAL_DOWNLOADER);
    assert!(matches!(bench.warm_reset(), Outcome::Booted { .. }));
    assert!(matches!(bench.boot(), Outcome::SerialDownloader(_)));
}

#[test]
fn boot_mode_00_needs_bt_fuse_sel() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.soc.set_straps(Straps {
        boot_mode: 0,
        ..Straps::default()
    });
    assert!(matches!(
        bench.boot(),
        Outcome::SerialDownloader(RefusalReason::BootFusesNotSet { .. })
    ));
    bench.soc.fuses_mut().set_word(0x460, 1 << 4);
    assert!(matches!(bench.boot(), Outcome::Booted { .. }));
}

#[test]
fn with_bt_fuse_sel_the_pins_are_ignored() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.soc.set_straps(Straps {
        boot_cfg1: 0x40,
        ..Straps::default()
    });
    assert!(matches!(
        bench.boot(),
        Outcome::SerialDownloader(RefusalReason::OtherBootDevice { .. })
    ));
    bench.soc.fuses_mut().set_word(0x460, 1 << 4);
    assert!(matches!(bench.boot(), Outcome::Booted { .. }));
}

#[test]
fn the_endless_loop_pin_hangs_the_rom() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.soc.set_straps(Straps {
        boot_cfg2: 8,
        ..Straps::default()
    });
    assert!(matches!(
        bench.boot(),
        Outcome::Hangs(RefusalReason::EndlessLoop { .. })
    ));
}

#[test]
fn a_closed_part_refuses_an_unsigned_image() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
    bench.soc.fuses_mut().close();
    assert_eq!(
        bench.boot(),
        Outcome::SerialDownloader(RefusalReason::NotSigned { csf: 0 })
    );
    let mut signed = Image::sdk().ivt_word(6, 0x6000_3000);
    signed.flash[0x3000..0x3004].copy_from_slice(&[0xD4, 0, 0x50, 0x42]);
    let mut bench = Bench::with(&signed, QE, Reading::Lenient);
    bench.soc.fuses_mut().close();
    assert!(
        matches!(
            bench.boot(),
            Outcome::SerialDownloader(RefusalReason::NotModelled { .. })
        ),
        "no signature is ever taken for good"
    );
}

#[test]
fn every_fcb_known_to_boot_boots() {
    for (name, words) in KNOWN_FCBS {
        let image = Image::sdk().with_fcb(words);
        for reading in READINGS {
            let mut bench = Bench::with(&image, QE, reading);
            let outcome = bench.boot();
            assert!(
                matches!(outcome, Outcome::Booted { .. }),
                "{name}, {reading:?}: {outcome:?}\n{:#?}",
                bench.trace.lines()
            );
        }
    }
}

#[test]
fn an_fcb_above_the_data_sheets_clock_is_misread_on_a_part_that_keeps_to_it() {
    let mut bench = Bench::with_margin(Margin::DataSheet, &Image::sdk(), QE, Reading::Lenient);
    assert!(matches!(
        bench.boot(),
        Outcome::SerialDownloader(RefusalReason::IvtHeader { .. })
    ));
    assert_eq!(bench.trace.violations(), 1);
}

#[test]
fn an_fcb_that_sets_qe_boots_a_flash_without_qe() {
    let (name, circuit_python) = KNOWN_FCBS[5];
    assert_eq!(name, "CircuitPython");
    let mut bench = Bench::with(&Image::sdk().with_fcb(circuit_python), 0, Reading::Strict);
    let outcome = bench.boot();
    assert!(matches!(outcome, Outcome::Booted { .. }), "{outcome:?}");
    assert_eq!(bench.nor.status_register() & QE, QE);
}

#[test]
fn the_quad_step_of_micropython_does_not_set_qe() {
    let (name, micro_python) = KNOWN_FCBS[6];
    assert_eq!(name, "MicroPython");
    let mut bench = Bench::with(&Image::sdk().with_fcb(micro_python), 0, Reading::Lenient);
    assert!(matches!(
        bench.boot(),
        Outcome::SerialDownloader(RefusalReason::IvtHeader { .. })
    ));
    assert_eq!(bench.nor.status_register() & QE, 0);
}

#[test]
fn a_mode_command_without_a_status_sequence_hangs_for_ever() {
    let words = fcb(
        FCB_EVK,
        &[
            (0x10, 0x0000_0101),
            (0x14, 0x0000_0401),
            (0x18, 0x40),
            (0x90, 0),
            (0xC0, 0x2001_0401),
        ],
    );
    let mut bench = Bench::with(&Image::sdk().with_fcb(&words), QE, Reading::Lenient);
    assert_eq!(
        bench.boot(),
        Outcome::Hangs(RefusalReason::NeverReady { timeout_ms: 0 })
    );
    let later = bench.now + Time::ms(2_000);
    bench.run_until(later);
    assert!(
        (0x0020_0000..0x0022_0000).contains(&bench.rom.pc()),
        "still in the ROM"
    );
    let timed = fcb(&words, &[(0x70, 100)]);
    let outcome = Bench::with(&Image::sdk().with_fcb(&timed), QE, Reading::Lenient).boot();
    assert_eq!(
        outcome,
        Outcome::SerialDownloader(RefusalReason::NeverReady { timeout_ms: 100 })
    );
}

#[test]
fn device_type_0_is_accepted() {
    assert_eq!(
        refusals(&Image::sdk().with_fcb(&fcb(FCB_EVK, &[(0x44, 0x0007_0400)]))),
        [None, None]
    );
}

#[test]
fn odd_fcb_fields_are_uncertain() {
    let changes = [
        (0x04, 0x5701_0000),
        (0x44, 0x0007_0402),
        (0x44, 0x0007_0801),
        (0x44, 0x000A_0401),
        (0x44, 0x0000_0401),
    ];
    for change in changes {
        let reason = uncertain(&Image::sdk().with_fcb(&fcb(FCB_EVK, &[change])));
        assert!(
            matches!(reason, RefusalReason::FcbField { .. }),
            "{change:X?}"
        );
    }
}

#[test]
fn a_read_sequence_that_reads_nothing_is_refused() {
    let image = Image::sdk().with_fcb(&fcb(FCB_EVK, &[(0x80, 0), (0x84, 0)]));
    let reason = RefusalReason::BusError {
        address: 0x6000_1000,
        doing: "reads the IVT through the FCB's read sequence",
    };
    refused_by_both(&image, reason);
}

#[test]
fn a_flash_size_of_zero_is_refused() {
    let image = Image::sdk().with_fcb(&fcb(FCB_EVK, &[(0x50, 0)]));
    assert!(refusals(&image)[1].is_some());
}

#[test]
fn a_flash_left_in_another_mode_is_misread_until_a_power_cycle() {
    type Enter = fn(&mut Bench);
    let modes: [(&str, Enter); 3] = [
        ("QPI", |b| b.nor.set_mode(true, None, false)),
        ("continuous read", |b| {
            b.nor.set_mode(false, Some(0xEB), false)
        }),
        ("deep power-down", |b| b.nor.set_mode(false, None, true)),
    ];
    for (name, enter) in modes {
        let mut bench = Bench::with(&Image::sdk(), QE, Reading::Lenient);
        assert!(matches!(bench.boot(), Outcome::Booted { .. }));
        enter(&mut bench);
        let outcome = bench.warm_reset();
        assert!(
            matches!(
                outcome,
                Outcome::SerialDownloader(RefusalReason::FcbTag { .. })
            ),
            "{name}: {outcome:?}"
        );
        bench.power_cycle_flash();
        assert!(matches!(bench.boot(), Outcome::Booted { .. }), "{name}");
    }
}

#[test]
fn a_dcd_is_performed_before_the_jump() {
    // Writes SRC_GPR2, sets and clears bits of SRC_GPR1, and checks the result.
    let dcd = [
        0xD2, 0x00, 0x34, 0x41, //
        0xCC, 0x00, 0x0C, 0x04, 0x40, 0x0F, 0x80, 0x24, 0x12, 0x34, 0x56, 0x78, //
        0xCC, 0x00, 0x0C, 0x1C, 0x40, 0x0F, 0x80, 0x20, 0x00, 0x00, 0x00, 0xFF, //
        0xCC, 0x00, 0x0C, 0x0C, 0x40, 0x0F, 0x80, 0x20, 0x00, 0x00, 0x00, 0x0F, //
        0xCF, 0x00, 0x0C, 0x14, 0x40, 0x0F, 0x80, 0x20, 0x00, 0x00, 0x00, 0xF0,
    ];
    let mut image = Image::sdk().ivt_word(3, 0x6000_1030);
    image.flash[0x1030..0x1030 + dcd.len()].copy_from_slice(&dcd);
    let mut bench = Bench::with(&image, QE, Reading::Strict);
    assert!(matches!(bench.boot(), Outcome::Booted { .. }));
    assert_eq!(bench.word(0x400F_8024), 0x1234_5678);
    assert_eq!(bench.word(0x400F_8020), 0xF0);
    // The same check with the condition turned round never holds: the DCD polls for ever.
    image.flash[0x1030 + 43] = 0x04;
    let mut bench = Bench::with(&image, QE, Reading::Strict);
    assert!(matches!(
        bench.boot(),
        Outcome::Hangs(RefusalReason::Dcd { .. })
    ));
}

#[test]
fn a_malformed_dcd_is_refused() {
    let mut image = Image::sdk().ivt_word(3, 0x6000_1030);
    image.flash[0x1030..0x103C]
        .copy_from_slice(&[0xD2, 0, 0x0C, 0x41, 0xCC, 0, 0x20, 4, 0, 0, 0, 0]);
    let [strict, lenient] = refusals(&image);
    assert_eq!(strict, lenient);
    let text = strict.expect("refused").to_string();
    assert_eq!(
        text,
        "DCD at 0x60001030, byte 0x4: command length 32 does not fit"
    );
}

#[test]
fn an_image_for_ram_is_copied_there() {
    let image = Image::for_ram(0x2020_9000);
    for reading in READINGS {
        let mut bench = Bench::with(&image, QE, reading);
        let step = bench.run();
        assert!(
            matches!(
                step,
                RomStep::Boot {
                    pc: 0x2020_B101,
                    ..
                }
            ),
            "{step:X?}"
        );
        assert_eq!(bench.ocram[0x9000..0x9000 + 0x3000], image.flash[..0x3000]);
    }
}

#[test]
fn an_image_for_the_roms_own_ram_is_refused() {
    assert!(matches!(
        &refusals(&Image::for_ram(0x2020_1000))[1],
        Some(RefusalReason::BootDataField { field: "start", .. })
    ));
}

#[test]
fn the_watchdog_fuse_arms_the_rtwdog() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Strict);
    bench.run();
    assert_eq!(bench.soc.watchdog_deadline(), None, "off by default");
    bench.soc.fuses_mut().set_word(0x460, 1 << 21);
    bench.soc.fuses_mut().set_word(0x6D0, 4 << 13);
    bench.boot();
    let deadline = bench.soc.watchdog_deadline().expect("armed");
    let left = deadline.saturating_sub(bench.now);
    assert!(
        left > Time::ms(3_900) && left <= Time::ms(4_000),
        "4 s: {left}"
    );
}

#[test]
fn after_a_watchdog_reset_the_rom_runs_again() {
    let mut bench = Bench::with(&Image::sdk(), QE, Reading::Strict);
    bench.run();
    bench.soc.reset(ResetCause::Watchdog, bench.now);
    assert!(matches!(bench.run_rom_again(), Outcome::Booted { .. }));
    assert_eq!(bench.word(0x400F_8008), 0x11);
}
