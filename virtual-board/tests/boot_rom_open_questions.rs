//! What no source settles about the boot ROM: the strict reading refuses, the lenient one boots and the log says so.
#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

#[allow(
    dead_code,
    reason = "the ROM's own tests use more of their bench than these"
)]
#[allow(unused_imports, reason = "as above")]
mod boot_rom_bench;

use boot_rom_bench::{Bench, FCB_EVK, FcbWords, Image, KNOWN_FCBS, QE, fcb};
use virtual_board::rom::{Outcome, Reading, RefusalReason};
use virtual_board::time::Time;

fn boot(words: &FcbWords, reading: Reading) -> (Outcome, Bench) {
    let mut bench = Bench::with(&Image::sdk().with_fcb(words), QE, reading);
    let outcome = bench.boot();
    (outcome, bench)
}

fn says(bench: &Bench, text: &str) -> bool {
    bench
        .trace
        .lines()
        .iter()
        .any(|line| line.text.contains(text))
}

#[track_caller]
fn strict_refuses_and_lenient_tells(words: &FcbWords, name: &str) {
    let (strict, _) = boot(words, Reading::Strict);
    assert!(
        matches!(&strict, Outcome::SerialDownloader(RefusalReason::FcbField { field, .. }) if *field == name),
        "{name}: {strict:?}"
    );
    let (lenient, bench) = boot(words, Reading::Lenient);
    assert!(
        matches!(lenient, Outcome::Booted { .. }),
        "{name}: {lenient:?}"
    );
    assert!(
        says(&bench, "not settled"),
        "{name}: {:#?}",
        bench.trace.lines()
    );
}

#[test]
fn fields_whose_effect_no_source_gives_are_never_taken_in_silence() {
    for bit in [0, 1, 5, 7, 8] {
        let words = fcb(FCB_EVK, &[(0x040, 0x10 | 1 << bit)]);
        strict_refuses_and_lenient_tells(&words, "controllerMiscOption");
    }
    let cases: [(&str, &[(usize, u32)]); 6] = [
        ("csHoldTime", &[(0x00C, 0x0003_2001)]),
        ("csSetupTime", &[(0x00C, 0x0020_0301)]),
        (
            "lutCustomSeq",
            &[(0x044, 0x0107_0401), (0x180, 0x0000_0001)],
        ),
        ("reserved", &[(0x008, 1)]),
        ("reserved", &[(0x1B4, 1)]),
        ("reserved", &[(0x1FC, 1)]),
    ];
    for (name, changes) in cases {
        strict_refuses_and_lenient_tells(&fcb(FCB_EVK, changes), name);
    }
}

#[test]
fn what_working_images_have_boots_under_both_readings() {
    let cases: [(&str, FcbWords, &str); 4] = [
        (
            "an empty custom table",
            fcb(FCB_EVK, &[(0x044, 0x0107_0401)]),
            "",
        ),
        (
            "overrides without their bit",
            fcb(FCB_EVK, &[(0x060, 0x10F1)]),
            "",
        ),
        (
            "dataValidTime",
            fcb(FCB_EVK, &[(0x078, 0x0010_0010)]),
            "dataValidTime is not settled",
        ),
        (
            "sample clock 2",
            **nuttx(),
            "readSampleClkSrc 2 (loopback from the SCK pad) is not settled",
        ),
    ];
    for (name, words, remark) in cases {
        for reading in [Reading::Strict, Reading::Lenient] {
            let (outcome, bench) = boot(&words, reading);
            assert!(
                matches!(outcome, Outcome::Booted { .. }),
                "{name}: {outcome:?}"
            );
            assert!(says(&bench, remark), "{name}");
            assert_eq!(bench.trace.violations(), 0, "{name}");
        }
    }
}

fn nuttx() -> &'static &'static FcbWords {
    let known = KNOWN_FCBS
        .iter()
        .find(|(name, _)| name.starts_with("NuttX"));
    &known.expect("listed").1
}

#[test]
fn sample_clock_2_is_known_at_60_mhz_only() {
    let faster = fcb(nuttx(), &[(0x044, 0x0005_0401)]);
    for reading in [Reading::Strict, Reading::Lenient] {
        let (outcome, bench) = boot(&faster, reading);
        assert!(
            matches!(outcome, Outcome::SerialDownloader(_)),
            "{outcome:?}"
        );
        assert!(says(&bench, "RXCLKSRC = 2"));
    }
}

#[test]
fn column_addresses_and_custom_sequences_in_mode_commands_are_not_modelled() {
    let mode_command = [
        (0x010, 0x0000_0101),
        (0x014, 0x0000_0401),
        (0x018, 0x40),
        (0x0C0, 0x2001_0401),
    ];
    let custom = [(0x044, 0x0107_0401), (0x188, 0x0000_0301)];
    for words in [
        fcb(FCB_EVK, &[(0x00C, 0x0303_0301)]),
        fcb(&fcb(FCB_EVK, &mode_command), &custom),
    ] {
        for reading in [Reading::Strict, Reading::Lenient] {
            let (outcome, _) = boot(&words, reading);
            assert!(
                matches!(
                    outcome,
                    Outcome::SerialDownloader(RefusalReason::NotModelled { .. })
                ),
                "{outcome:?}"
            );
        }
    }
}

#[test]
fn the_command_interval_is_in_nanoseconds() {
    // 120 MHz has cycles of 8 ns in whole numbers, as NXP's driver counts them: 100 ns are 13 clocks.
    let (_, mut bench) = boot(&fcb(FCB_EVK, &[(0x074, 100)]), Reading::Strict);
    assert_eq!(bench.word(0x402A_8070) >> 16, 13);
    let (_, mut bench) = boot(
        &fcb(FCB_EVK, &[(0x044, 0x0001_0401), (0x074, 100)]),
        Reading::Strict,
    );
    assert_eq!(bench.word(0x402A_8070) >> 16, 4);
}

#[test]
fn a_plugin_flag_of_neither_0_nor_1_is_uncertain() {
    let image = Image::sdk().boot_data(0x6000_0000, 0x4000, 2);
    let [strict, lenient] =
        [Reading::Strict, Reading::Lenient].map(|reading| Bench::with(&image, QE, reading).boot());
    assert!(
        matches!(
            strict,
            Outcome::SerialDownloader(RefusalReason::BootDataField {
                field: "plugin",
                ..
            })
        ),
        "{strict:?}"
    );
    assert!(matches!(lenient, Outcome::Booted { .. }), "{lenient:?}");
}

#[test]
fn a_bad_stack_pointer_or_reset_vector_is_not_the_roms_matter() {
    for (at, word) in [(0x2000, 0x6000_0000_u32), (0x2004, 0x6000_2100)] {
        let mut image = Image::sdk();
        image.flash[at..at + 4].copy_from_slice(&word.to_le_bytes());
        for reading in [Reading::Strict, Reading::Lenient] {
            let outcome = Bench::with(&image, QE, reading).boot();
            assert!(matches!(outcome, Outcome::Booted { .. }), "{outcome:?}");
        }
    }
}

fn without_fcb(fuses: &[(u32, u32)]) -> (Outcome, Bench) {
    let blank = Image { flash: Vec::new() };
    let mut bench = Bench::with(&blank, QE, Reading::Strict);
    for (address, value) in fuses {
        bench.soc.fuses_mut().set_word(*address, *value);
    }
    let outcome = bench.boot();
    (outcome, bench)
}

#[test]
fn after_a_refusal_the_rom_goes_where_its_fuses_send_it() {
    let (outcome, bench) = without_fcb(&[]);
    assert!(matches!(outcome, Outcome::SerialDownloader(_)));
    assert!(says(&bench, "no card") && says(&bench, "serial downloader"));
    assert!(!says(&bench, "LPSPI"));
    let (outcome, bench) = without_fcb(&[(0x6D0, 1 << 24), (0x470, 1 << 3)]);
    assert!(matches!(outcome, Outcome::SerialDownloader(_)));
    assert!(says(&bench, "LPSPI") && !says(&bench, "no card"));
}

#[test]
fn with_the_serial_downloader_disabled_the_rom_never_answers() {
    let (outcome, mut bench) = without_fcb(&[(0x460, 1 << 17)]);
    assert_eq!(
        outcome,
        Outcome::Hangs(RefusalReason::FcbTag { found: [0xFF; 4] })
    );
    assert!(says(&bench, "not settled"));
    let later = bench.now + Time::ms(100);
    bench.run_until(later);
    assert!((0x0020_0000..0x0022_0000).contains(&bench.rom.pc()));
    assert!(matches!(bench.rom.outcome(), Some(Outcome::Hangs(_))));
}
