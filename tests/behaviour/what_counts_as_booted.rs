//! An image that runs is seen to run, whatever it does with core, clocks and debug logic; and the record says what the
//! proof was. Through the whole of `rtflash flash`, onto a blank board.

use std::time::Duration;

use rtflash::job::{Job, Outcome};
use rtflash::report::Verdict;
use virtual_board::board::BoardConfig;
use virtual_board::rom::Reading;
use virtual_board::soc::Straps;

use crate::bench;
use crate::boot_failures::{
    AIRCR, FLASH, MUX_OF_SWDIO, RAM, ROM_CLEAR_CACHE, SYSRESETREQ, VECTORS, WDOG1_WCR, in_ram, put,
    put_code, set_up, sound,
};
use crate::slots::request;
use crate::thumb::{
    SLEEP, SPIN, call_for_ever, jump, program, start_vector_table, store, store_half, store_itself,
    unless_word, wait_ms,
};

const DEMCR: u32 = 0xE000_EDFC;
const VTOR: u32 = 0xE000_ED08;
const CCR: u32 = 0xE000_ED14;
const MPU_CTRL: u32 = 0xE000_ED94;
const ICIALLU: u32 = 0xE000_EF50;
const COMPARATORS: [u32; 2] = [0xE000_1038, 0xE000_1048];
const SRSR: u32 = 0x400F_8008;
/// SRC_GPR5: survives a reset of the chip.
const KEPT: u32 = 0x400F_8030;
const CLPCR: u32 = 0x400F_C054;
/// CCM_CLPCR with LPM 00: WFI leaves the bus clock on.
const CLPCR_RUN: u32 = 0x78;
/// WDE, SRS, WDA; WT 0: half a second.
const WCR_HALF_A_SECOND: u16 = 0x0034;

struct Booting {
    name: &'static str,
    config: fn(&mut BoardConfig),
    flash: fn() -> Vec<u8>,
    proof: &'static str,
    /// A part of the evidence.
    seen: &'static str,
}

const fn booting(name: &'static str, flash: fn() -> Vec<u8>) -> Booting {
    Booting {
        name,
        config: |_| {},
        flash,
        proof: "reset-handler",
        seen: "(DWT comparator)",
    }
}

impl Booting {
    const fn board(mut self, config: fn(&mut BoardConfig)) -> Self {
        self.config = config;
        self
    }

    const fn by(mut self, proof: &'static str, seen: &'static str) -> Self {
        self.proof = proof;
        self.seen = seen;
        self
    }
}

fn comparators_off() -> Vec<u16> {
    COMPARATORS.iter().flat_map(|at| store(*at, 0)).collect()
}

const BOOTING: &[Booting] = &[
    booting("it idles", || set_up(&SPIN)),
    booting("it has no vector table of its own", || sound(&SPIN)),
    booting("the boot ROM sets VTOR", || sound(&SPIN)).board(|b| b.reading = Reading::Lenient),
    booting("it sleeps with the bus clock on", || {
        set_up(&program(&[&store(CLPCR, CLPCR_RUN), &SLEEP]))
    })
    .by("reset-handler", "the core sleeps"),
    booting("it sleeps with the bus clock off, some time later", || {
        set_up(&program(&[&wait_ms(12), &SLEEP]))
    })
    .by("reset-handler", "its bus clock off"),
    booting("it sleeps with the bus clock off at once", || sound(&SLEEP))
        .by("sleep", "the boot ROM does not do that"),
    booting("it runs in OCRAM", || in_ram(&SPIN)),
    booting("it runs in OCRAM and takes the comparators", || {
        let vectors = store(VTOR, RAM + VECTORS as u32);
        in_ram(&program(&[&vectors, &comparators_off(), &SPIN]))
    })
    .by("samples", "has turned the comparator off"),
    booting("it copies itself to ITCM", || {
        const ITCM: u32 = 0x100;
        let spin = u32::from(SPIN[0]) | u32::from(SPIN[1]) << 16;
        set_up(&program(&[&store(ITCM, spin), &jump(ITCM)]))
    }),
    booting("it takes the comparators for itself", || {
        set_up(&program(&[&comparators_off(), &SPIN]))
    })
    .by("samples", "has turned the comparator off"),
    booting("it takes the comparators and sets no vector table", || {
        sound(&program(&[&comparators_off(), &SPIN]))
    })
    .by("samples", "has turned the comparator off"),
    booting("it turns TRCENA off", || {
        set_up(&program(&[&store(DEMCR, 0), &SPIN]))
    })
    .by("samples", "has turned the comparator off"),
    booting("it clears the reset status", || {
        set_up(&program(&[&store_itself(SRSR), &SPIN]))
    })
    .by("reset-handler", "cleared the reset status"),
    booting(
        "it clears the reset status and takes the comparators",
        || set_up(&program(&[&store_itself(SRSR), &comparators_off(), &SPIN])),
    )
    .by("samples", "has turned the comparator off"),
    booting("it starts a second stage", || {
        let mut flash = set_up(&start_vector_table(FLASH + 0x3000));
        put(&mut flash, 0x3000, &[0x2001_0000, FLASH + 0x3101]);
        put_code(&mut flash, FLASH + 0x3100, &SPIN);
        flash
    }),
    booting("it turns MPU and caches on", || {
        set_up(&program(&[
            &store(MPU_CTRL, 5),
            &store(ICIALLU, 0),
            &store(CCR, 0x0003_0200),
            &SPIN,
        ]))
    }),
    booting("it calls the boot ROM's flash driver all the time", || {
        set_up(&call_for_ever(ROM_CLEAR_CACHE))
    }),
    booting("it resets the chip once", || {
        const DONE: u32 = 0x600D_600D;
        let again = program(&[&wait_ms(12), &store(KEPT, DONE), &store(AIRCR, SYSRESETREQ)]);
        set_up(&program(&[&unless_word(KEPT, DONE, &again), &SPIN]))
    })
    .by("reset-handler", "reset again by itself, once"),
    booting("it takes the debug port's pins, some time later", || {
        set_up(&program(&[&wait_ms(12), &store(MUX_OF_SWDIO, 5), &SPIN]))
    })
    .by("reset-handler", "debug port does not answer"),
    booting("the flash's hold time is the longest", || set_up(&SPIN))
        .board(|b| b.fuses.set_word(0x6E0, 3 << 4)),
    booting("a fuse forces internal boot over the pins", || {
        set_up(&SPIN)
    })
    .board(|b| {
        b.straps = Straps::SERIAL_DOWNLOADER;
        b.fuses.set_word(0x460, 1 << 16);
    }),
    booting("fuses choose the flash", || set_up(&SPIN)).board(|b| {
        b.straps = Straps {
            boot_mode: 0,
            ..Straps::default()
        };
        b.fuses.set_word(0x460, 1 << 4);
    }),
];

fn flash(row: &Booting, boot_watch: Option<Duration>) -> Outcome {
    let mut config = bench::config();
    (row.config)(&mut config);
    let board = bench::start(config);
    bench::run(&board, &request(&[(FLASH, (row.flash)())]), |job| Job {
        boot_timeout: Some(Duration::from_millis(300)),
        boot_watch,
        ..job
    })
}

fn complaint(row: &Booting) -> Option<String> {
    let outcome = flash(row, None);
    let boot = outcome.record.boot.as_ref();
    let right = matches!(outcome.record.verdict, Verdict::Pass(_))
        && boot.is_some_and(|boot| {
            boot.proven
                && boot.proof == Some(row.proof)
                && boot.evidence.join("\n").contains(row.seen)
        });
    (!right).then(|| {
        format!(
            "{}: {}, {boot:#?}, {:?}",
            row.name, outcome.record.verdict, outcome.problem
        )
    })
}

/// `RTFLASH_BOOTING` picks rows by a part of their names.
#[test]
fn every_image_that_runs_passes_and_the_record_names_the_proof() {
    let filter = std::env::var("RTFLASH_BOOTING").unwrap_or_default();
    let complaints: Vec<String> = BOOTING
        .iter()
        .filter(|row| row.name.contains(&filter))
        .filter_map(complaint)
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn a_watchdog_that_nobody_services_is_seen_by_a_watch_that_is_longer() {
    let by_image = booting("by the image", || {
        set_up(&program(&[
            &store_half(WDOG1_WCR, WCR_HALF_A_SECOND),
            &SPIN,
        ]))
    });
    let by_fuse = booting("by fuse", || set_up(&SPIN)).board(|b| {
        b.fuses.set_word(0x460, 1 << 21);
        b.fuses.set_word(0x6D0, 6 << 13);
    });
    for row in [by_image, by_fuse] {
        let short = flash(&row, None);
        assert!(
            matches!(short.record.verdict, Verdict::Pass(_)),
            "{}: {:?}",
            row.name,
            short.problem
        );
        let long = flash(&row, Some(Duration::from_secs(3)));
        assert_eq!(long.record.verdict.exit(), 16, "{}", row.name);
        let problem = long.problem.expect("a problem");
        assert_eq!(problem.code, "reset-loop", "{}: {problem}", row.name);
    }
}
