//! Whatever keeps a board from working, `doctor` names it: every cause that the virtual board can be given, by the way
//! that a user goes, with the code and the exit code of the diagnosis.

use std::path::Path;
use std::time::Duration;

use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Question, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::{CheckResult, Record, Verdict};
use sha2::{Digest, Sha256};
use virtual_board::board::{Board, BoardConfig};
use virtual_board::nor::Faults;
use virtual_board::rom::Reading;
use virtual_board::soc::Straps;
use virtual_board::swd::BadContact;

use crate::bench;
use crate::boot_failures::{self, BootFailure};
use crate::images::{APPLICATION, intel_hex};
use crate::thumb::{PUSH, SPIN, program, store, store_half, wait_ms};

const QE: u8 = 0x40;
const FCB: usize = 0;
const IVT: usize = 0x1000;
const BOOT_DATA: usize = 0x1020;
const VECTORS: usize = 0x2000;
const SLOT: u32 = 0x6002_0000;
const SECOND_SLOT: u32 = 0x6032_0000;
const WINDOW: u32 = 0x6000_0000;
const MAGIC: u32 = 0x96F3_B83D;
/// First bytes of the trailer of a slot (MCUboot's boot_img_magic).
const TRAILER_MAGIC: [u8; 16] = [
    0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F, 0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80,
];
const HEADER_BYTES: u32 = 0x400;

// Registers that the programs write.
const AIRCR: u32 = 0xE000_ED0C;
const SYSRESETREQ: u32 = 0x05FA_0004;
const CCM_CLPCR: u32 = 0x400F_C054;
const WDOG1_WCR: u32 = 0x400B_8000;

/// `yield`, and again: a loop that the board may skip
const LOOP: &[u16] = &SPIN;
/// `udf #0`, twice
const CRASH: &[u16] = &[0xDE00, 0xDE00];
/// `wfi`, and again
const SLEEP: &[u16] = &[0xBF30, 0xE7FD];

/// What a patient has: everything that makes its board different from a healthy one.
struct Patient {
    config: BoardConfig,
    /// Pieces of the flash, by bus address.
    content: Vec<(u32, Vec<u8>)>,
    status: u8,
    /// How long it ran before.
    ran_ms: u64,
    /// Done to the board once it has run for a while.
    then: Box<dyn FnOnce(&mut Board) + Send>,
    choice: Choice,
    image: Option<Vec<(u32, Vec<u8>)>>,
    no_reset: bool,
}

impl Patient {
    /// A board that holds `pieces` as they are.
    fn holding(pieces: Vec<(u32, Vec<u8>)>) -> Self {
        Patient {
            config: bench::config(),
            content: pieces,
            status: QE,
            ran_ms: 30,
            then: Box::new(|_| {}),
            choice: Choice {
                speed_khz: Some(15_000),
                ..Choice::default()
            },
            image: None,
            no_reset: false,
        }
    }

    /// A board that was flashed with an application whose reset handler is `code`.
    fn running(code: &[u16]) -> Self {
        Patient::holding(complete(&[(APPLICATION, application(APPLICATION, code))]))
    }

    fn healthy() -> Self {
        Patient::running(LOOP)
    }

    fn with(mut self, change: impl FnOnce(&mut BoardConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Other bytes in the flash.
    fn patched(mut self, offset: usize, bytes: &[u8]) -> Self {
        let at = WINDOW + offset as u32;
        let patched = self.content.iter_mut().any(|(start, piece)| {
            let from = at.wrapping_sub(*start) as usize;
            let place = piece.get_mut(from..from.wrapping_add(bytes.len()));
            place.map(|place| place.copy_from_slice(bytes)).is_some()
        });
        if !patched {
            self.content.push((at, bytes.to_vec()));
        }
        self
    }

    fn word(self, offset: usize, word: u32) -> Self {
        self.patched(offset, &word.to_le_bytes())
    }

    fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    fn after_ms(mut self, ran_ms: u64) -> Self {
        self.ran_ms = ran_ms;
        self
    }

    fn then(mut self, then: impl FnOnce(&mut Board) + Send + 'static) -> Self {
        self.then = Box::new(then);
        self
    }

    fn which_should_hold(mut self, image: Vec<(u32, Vec<u8>)>) -> Self {
        self.image = Some(image);
        self
    }

    /// Powers the board up, lets it run, and calls the doctor.
    fn examined(self) -> Record {
        let board = bench::start(self.config);
        for (at, bytes) in &self.content {
            bench::fill(&board, (at - WINDOW) as usize, bytes);
        }
        bench::set_status(&board, self.status);
        board
            .board()
            .with(|board| board.power_cycle(1))
            .expect("board");
        board
            .board()
            .sleep(Duration::from_millis(self.ran_ms))
            .expect("board");
        board.board().with(self.then).expect("board");
        let before = bench::flash_content(&board);
        let record = examine(&board, self.choice, self.image, self.no_reset);
        assert!(
            bench::flash_content(&board) == before,
            "the flash was changed"
        );
        record
    }
}

fn examine(
    board: &VirtualBench,
    choice: Choice,
    image: Option<Vec<(u32, Vec<u8>)>>,
    no_reset: bool,
) -> Record {
    let question = Question {
        image: image.map(|pieces| Request::new(parsed(&pieces))),
        no_reset,
        flash_command: "rtflash flash IMAGE".to_owned(),
    };
    let target = bench::target();
    let job = Job {
        boot_timeout: Some(Duration::from_millis(60)),
        ..Job::new(&target)
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::doctor(&job, &question, &bench, &mut ()).record
}

fn parsed(pieces: &[(u32, Vec<u8>)]) -> Image {
    let text = intel_hex(pieces);
    Image::parse(Path::new("test.hex"), text.as_bytes()).expect("image")
}

/// The pieces with the boot header that `flash` adds.
fn complete(pieces: &[(u32, Vec<u8>)]) -> Vec<(u32, Vec<u8>)> {
    let judged = rtflash::boot::judge(&parsed(pieces), None, &bench::target());
    let image = judged.into_boot_image().expect("a bootable image");
    let runs = image.runs().iter();
    runs.map(|run| (WINDOW + run.offset.get(), run.bytes.clone()))
        .collect()
}

/// Vector table at `table`, then `code`; every exception ends in a lockup.
fn application(table: u32, code: &[u16]) -> Vec<u8> {
    let mut words = vec![0x2001_0000, (table + 64) | 1];
    words.resize(16, 0);
    let mut bytes: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    bytes.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    bytes
}

/// Code of the diagnosis and exit code; `healthy` where there is none.
fn told(record: &Record) -> (String, u8) {
    let code = match &record.verdict {
        Verdict::Healthy { .. } => "healthy".to_owned(),
        Verdict::Diagnosed { code, .. } => code.clone(),
        other => panic!("{other}"),
    };
    (code, record.verdict.exit())
}

/// Every cause with its diagnosis.
fn has(name: &str, patient: Patient, code: &str, exit: u8) -> Result<Record, String> {
    let record = patient.examined();
    if told(&record) == (code.to_owned(), exit) {
        let diagnosis = record
            .doctor
            .as_ref()
            .and_then(|doctor| doctor.diagnosis.as_ref());
        let told = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        assert!(
            diagnosis.is_none_or(|d| told(&d.fix) && told(&d.why)),
            "{name}: no reason or no advice\n{}",
            text(&record)
        );
        return Ok(record);
    }
    Err(format!(
        "{name}: expected {code} ({exit})\n{}",
        text(&record)
    ))
}

fn text(record: &Record) -> String {
    rtflash::report::lines(record, false).join("\n")
}

#[track_caller]
fn all(cases: Vec<(&str, Patient, &str, u8)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, patient, code, exit)| has(name, patient, code, exit).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_healthy_board_is_called_healthy() {
    let mut under_reset = Patient::healthy();
    under_reset.choice.connect_under_reset = true;
    all(vec![
        ("connected under reset", under_reset, "healthy", 0),
        ("looping", Patient::healthy(), "healthy", 0),
        ("protected", Patient::healthy().status(0x7C), "healthy", 0),
        (
            "lenient ROM",
            Patient::healthy().with(|config| config.reading = Reading::Lenient),
            "healthy",
            0,
        ),
    ]);
}

#[test]
fn what_the_flash_lacks_is_named() {
    let app = || vec![(APPLICATION, application(APPLICATION, LOOP))];
    let behind = || vec![(0x6001_0000, application(0x6001_0000, LOOP))];
    all(vec![
        (
            "blank flash",
            Patient::holding(Vec::new()),
            "flash-blank",
            16,
        ),
        (
            "application alone",
            Patient::holding(app()),
            "fcb-missing",
            16,
        ),
        (
            "FCB erased",
            Patient::healthy().patched(FCB, &[0xFF; 0x200]),
            "fcb-missing",
            16,
        ),
        (
            "FCB zeros",
            Patient::healthy().patched(FCB, &[0; 0x200]),
            "fcb-missing",
            16,
        ),
        (
            "IVT erased",
            Patient::healthy().patched(IVT, &[0xFF; 0x30]),
            "ivt-missing",
            16,
        ),
        (
            "first block erased",
            Patient::holding(behind()),
            "first-block-erased",
            16,
        ),
        (
            "tag dead",
            Patient::healthy().patched(FCB, &[0; 4]),
            "flash-interrupted",
            16,
        ),
        (
            "tag not written yet",
            Patient::healthy().patched(FCB, &[0xFF; 4]),
            "flash-interrupted",
            16,
        ),
        ("QE off", Patient::healthy().status(0), "qe-clear", 16),
        (
            "application crashed and no FCB",
            Patient::running(CRASH).patched(FCB, &[0xFF; 0x200]),
            "fcb-missing",
            16,
        ),
    ]);
}

#[test]
fn a_wrong_word_in_the_boot_header_is_named() {
    let ivt = |word: usize, value: u32| Patient::healthy().word(IVT + 4 * word, value);
    let fcb = |at: usize, value: u32| Patient::healthy().word(FCB + at, value);
    all(vec![
        (
            "FCB: other bytes",
            Patient::healthy().word(FCB, 0x1234_5678),
            "fcb-missing",
            16,
        ),
        ("FCB: version", fcb(0x004, 0), "fcb-version", 16),
        (
            "FCB: empty LUT",
            Patient::healthy().patched(FCB + 0x80, &[0; 16]),
            "fcb-no-read",
            16,
        ),
        ("FCB: size", fcb(0x050, 0), "fcb-size", 16),
        ("IVT: length", ivt(0, 0x4130_00D1), "ivt-missing", 16),
        ("IVT: entry 0", ivt(1, 0), "entry-outside", 16),
        (
            "IVT: entry elsewhere",
            ivt(1, 0x6030_0000),
            "entry-outside",
            16,
        ),
        ("IVT: boot data 0", ivt(4, 0), "ivt-boot-data", 16),
        ("IVT: self", ivt(5, 0x6000_2000), "ivt-self", 16),
        ("IVT: DCD", ivt(3, 0x6000_3000), "dcd-tag", 16),
        (
            "boot data: length 0",
            Patient::healthy().word(BOOT_DATA + 4, 0),
            "boot-data-length",
            16,
        ),
        (
            "stack pointer",
            Patient::running(&[PUSH, 0xE7FE]).word(VECTORS, 0x1234_5678),
            "stack-pointer",
            16,
        ),
        (
            "even reset vector",
            Patient::healthy().word(VECTORS + 4, APPLICATION + 64),
            "reset-not-thumb",
            16,
        ),
        (
            "reset vector elsewhere",
            Patient::healthy().word(VECTORS + 4, 0x6070_0001),
            "reset-outside",
            16,
        ),
    ]);
}

#[test]
fn a_wrong_boot_mode_is_named() {
    let strapped = |boot_mode, boot_cfg1| {
        Patient::healthy().with(move |config| {
            config.straps = Straps {
                boot_mode,
                boot_cfg1,
                ..Straps::default()
            }
        })
    };
    all(vec![
        (
            "serial downloader",
            strapped(1, 0),
            "strapped-serial-downloader",
            16,
        ),
        ("from fuses", strapped(0, 0), "boot-fuses-not-set", 16),
        ("reserved", strapped(3, 0), "boot-mode-reserved", 16),
        ("other device by pins", strapped(2, 0x40), "boot-device", 16),
        (
            "other device by fuses",
            Patient::healthy().with(|config| {
                config.fuses.set_word(0x460, 1 << 4);
                config.fuses.set_word(0x450, 0x40);
            }),
            "boot-device",
            16,
        ),
        (
            "closed",
            Patient::healthy().with(|config| config.fuses.close()),
            "part-closed",
            16,
        ),
        (
            "serial downloader with a blank flash",
            Patient::holding(Vec::new()).with(|config| config.straps = Straps::SERIAL_DOWNLOADER),
            "strapped-serial-downloader",
            16,
        ),
    ]);
}

#[test]
fn what_is_wrong_between_probe_and_chip_is_named() {
    let contact = |good_khz, speed_khz| {
        let mut patient = Patient::healthy().with(move |config| {
            config.wire_faults.bad_contact = Some(BadContact { good_khz, seed: 1 });
        });
        patient.choice.speed_khz = speed_khz;
        patient
    };
    // what runs does not matter here, and a boot ROM that waits costs no time
    let silent = |change: fn(&mut BoardConfig)| Patient::holding(Vec::new()).with(change);
    all(vec![
        (
            "no power",
            Patient::holding(Vec::new()).then(|board| board.chip.power_off(1)),
            "target-unpowered",
            22,
        ),
        (
            "not wired",
            silent(|config| config.wire_faults.closed_port = true),
            "target-no-answer",
            22,
        ),
        (
            "SJC_DISABLE",
            silent(|config| config.fuses.set_word(0x460, 1 << 20)),
            "target-no-answer",
            22,
        ),
        (
            "JTAG_SMODE: none",
            silent(|config| config.fuses.set_word(0x460, 3 << 22)),
            "target-no-answer",
            22,
        ),
        (
            "JTAG_SMODE: challenge",
            silent(|config| config.fuses.set_word(0x460, 1 << 22)),
            "target-no-answer",
            22,
        ),
        ("bad contact", contact(500, None), "contact-poor", 22),
        (
            "bad contact at the clock asked for",
            contact(2000, Some(8000)),
            "contact-poor",
            22,
        ),
        ("contact good for less", contact(2000, None), "healthy", 0),
    ]);
}

#[test]
fn a_wrong_flash_part_is_named() {
    let flash = |faults: Faults| Patient::healthy().with(move |config| config.nor_faults = faults);
    all(vec![
        (
            "other part",
            flash(Faults {
                jedec_id: Some([0xC2, 0x20, 0x17]),
                ..Faults::default()
            }),
            "flash-part",
            6,
        ),
        (
            "no part",
            flash(Faults {
                absent: true,
                ..Faults::default()
            }),
            "flash-none",
            6,
        ),
    ]);
}

/// Puts the core to sleep with its clock on.
fn sleep_in_run_mode() -> Vec<u16> {
    program(&[&store(CCM_CLPCR, 0x78), SLEEP])
}

/// Lets WDOG1 bite half a second later, and sleeps.
fn wait_for_the_watchdog() -> Vec<u16> {
    program(&[&store_half(WDOG1_WCR, 0x0034), &sleep_in_run_mode()])
}

fn reset_after_ms(ms: u32) -> Vec<u16> {
    program(&[&wait_ms(ms), &store(AIRCR, SYSRESETREQ)])
}

#[test]
fn what_the_application_does_wrong_is_named() {
    all(vec![
        (
            "crash at once",
            Patient::running(CRASH),
            "image-crashed",
            16,
        ),
        (
            "crash at once, seen as a lockup",
            Patient::running(CRASH).with(|config| config.reading = Reading::Lenient),
            "image-crashed",
            16,
        ),
        (
            "reset loop",
            Patient::running(&reset_after_ms(1)),
            "image-resets",
            16,
        ),
        (
            "watchdog loop",
            Patient::running(&wait_for_the_watchdog()).after_ms(600),
            "reset-loop",
            16,
        ),
        (
            "asleep",
            Patient::running(&sleep_in_run_mode()),
            "healthy",
            0,
        ),
        ("halted", Patient::healthy().then(halt), "core-halted", 16),
        (
            // the reset pin is wired: the doctor gets past the sleep, says so, and finds nothing wrong
            "asleep without bus clock",
            Patient::running(SLEEP),
            "healthy",
            0,
        ),
        (
            "programmed and not reset",
            Patient::holding(Vec::new()).then(|board| {
                let pieces = complete(&[(APPLICATION, application(APPLICATION, LOOP))]);
                let mut system = board.chip.system.borrow_mut();
                for (at, bytes) in pieces {
                    let at = (at - WINDOW) as usize;
                    system.nor.content_mut()[at..at + bytes.len()].copy_from_slice(&bytes);
                }
            }),
            "not-reset",
            16,
        ),
    ]);
}

fn halt(board: &mut Board) {
    use virtual_board::swd::ApTarget;
    let dhcsr = 0xE000_EDF0;
    let now = board.now();
    board.chip.wire_now = now;
    let written = board
        .chip
        .ap_write(dhcsr, virtual_board::bus::Width::Word, 0xA05F_0003, 0);
    assert!(written.is_ok());
}

#[test]
fn another_content_than_the_image_given_is_named() {
    let app = |seed| {
        let mut bytes = application(APPLICATION, LOOP);
        bytes.extend(bench::noise(seed, 0x5000));
        vec![(APPLICATION, bytes)]
    };
    let flashed = || Patient::holding(complete(&app(1)));
    let mut half = complete(&app(1));
    let last = half.last_mut().expect("a run");
    let keep = last.1.len() - 0x2800;
    last.1.truncate(keep);
    all(vec![
        (
            "the image",
            flashed().which_should_hold(app(1)),
            "healthy",
            0,
        ),
        (
            "another",
            flashed().which_should_hold(app(2)),
            "image-other",
            11,
        ),
        (
            "half of it",
            Patient::holding(half).which_should_hold(app(1)),
            "image-half",
            11,
        ),
        (
            "the image without a header",
            Patient::holding(app(1)).which_should_hold(app(1)),
            "fcb-missing",
            16,
        ),
    ]);
}

/// An MCUboot-like bootloader: starts the slot if its header has the magic, and waits for ever if not; with the constants
/// that MCUboot's code has.
fn bootloader() -> Vec<u8> {
    let code = [
        0x4806, // ldr r0, slot
        0x4907, // ldr r1, magic
        0x6802, // ldr r2, [r0]
        0x4291, // cmp r1, r2
        0xD106, // bne wait
        0x8903, // ldrh r3, [r0, #8]: header size
        0x18C0, // adds r0, r0, r3: vector table
        0x6801, // ldr r1, [r0]
        0xF381, 0x8808, // msr msp, r1
        0x6842, // ldr r2, [r0, #4]
        0x4710, // bx r2
        0xBF10, // wait: yield
        0xE7FD, // b wait
    ];
    let mut bytes = application(APPLICATION, &code);
    bytes.extend(SLOT.to_le_bytes());
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(TRAILER_MAGIC);
    bytes
}

/// A signed application for `linked`, as imgtool writes it.
fn signed(linked: u32, code: &[u16]) -> Vec<u8> {
    let mut payload = application(linked + HEADER_BYTES, code);
    payload.resize(payload.len().next_multiple_of(4) + 0x1800, 0x5A);
    let header = [
        MAGIC,
        0,
        HEADER_BYTES,
        payload.len() as u32,
        0,
        0x0002_0001,
        0,
    ];
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(HEADER_BYTES as usize, 0);
    bytes.extend(payload);
    let hash = Sha256::digest(&bytes);
    let head = [0x6907_u16, 4 + 36, 0x10, 32];
    bytes.extend(head.iter().flat_map(|half| half.to_le_bytes()));
    bytes.extend(hash);
    bytes
}

#[test]
fn what_a_bootloader_cannot_start_is_named() {
    let with_slots = |slots: Vec<(u32, Vec<u8>)>| {
        let mut pieces = complete(&[(APPLICATION, bootloader())]);
        pieces.extend(slots);
        Patient::holding(pieces)
    };
    let sound = || signed(SLOT, LOOP);
    let half = {
        let mut bytes = sound();
        bytes.truncate(0x1000);
        bytes
    };
    let mut damaged = sound();
    damaged[0x800] ^= 1;
    let mut without_first_sector = sound();
    without_first_sector.drain(..0x1000);
    all(vec![
        ("sound", with_slots(vec![(SLOT, sound())]), "healthy", 0),
        (
            "empty slot",
            with_slots(Vec::new()),
            "bootloader-without-application",
            16,
        ),
        (
            "slot without its first sector",
            with_slots(vec![(SLOT + 0x1000, without_first_sector)]),
            "bootloader-without-application",
            16,
        ),
        (
            "half a slot",
            with_slots(vec![(SLOT, half)]),
            "mcuboot-incomplete",
            16,
        ),
        (
            "damaged slot",
            with_slots(vec![(SLOT, damaged)]),
            "mcuboot-hash",
            16,
        ),
        (
            "second slot alone",
            with_slots(vec![(SECOND_SLOT, signed(SLOT, LOOP))]),
            "mcuboot-second-slot",
            16,
        ),
        (
            "linked for the second slot",
            with_slots(vec![(SLOT, signed(SECOND_SLOT, LOOP))]),
            "mcuboot-linked-elsewhere",
            16,
        ),
        (
            "no bootloader",
            Patient::holding(vec![(SLOT, sound())]),
            "bootloader-missing",
            16,
        ),
        (
            "bootloader that waits for ever",
            with_slots(vec![(SLOT, sound())]).word(VECTORS + 0x40, 0xE7FD_BF10),
            "slot-not-started",
            16,
        ),
        (
            "application in a slot crashes",
            with_slots(vec![(SLOT, signed(SLOT, CRASH))]),
            "image-crashed",
            16,
        ),
    ]);
}

#[test]
fn an_older_version_in_the_slot_is_told_with_both_versions() {
    let old = signed(SLOT, LOOP);
    let mut new = signed(SLOT, LOOP);
    new[20] = 2;
    let end = new.len() - 40;
    let hash = Sha256::digest(&new[..end]);
    let at = new.len() - 32;
    new[at..].copy_from_slice(&hash);
    let mut pieces = complete(&[(APPLICATION, bootloader())]);
    pieces.push((SLOT, old));
    let record = has(
        "older version",
        Patient::holding(pieces).which_should_hold(vec![(SLOT, new)]),
        "image-other",
        11,
    )
    .unwrap_or_else(|text| panic!("{text}"));
    let why = record.problem.expect("problem").why.expect("why");
    assert!(
        why.contains("the board has version 1.0.2") && why.contains("the image 2.0.2"),
        "{why}"
    );
}

/// What the doctor sees and the boot proof does not: it reads more of the flash, and it meets a board that has run, not
/// one that was just flashed.
const SEES_MORE: &[(&str, &str, u8)] = &[
    ("the flash is blank", "flash-blank", 16),
    ("the vector table is erased", "stack-pointer", 16),
    (
        "the entry is even and points to code",
        "reset-not-thumb",
        16,
    ),
    (
        "the reset vector is no Thumb address",
        "reset-not-thumb",
        16,
    ),
    ("the reset vector points to no memory", "reset-outside", 16),
    ("the stack is in no memory", "stack-pointer", 16),
    (
        "the reset vector points to erased flash",
        "reset-outside",
        16,
    ),
];

#[test]
fn every_board_that_does_not_boot_has_the_cause_that_is_known() {
    let filter = std::env::var("RTFLASH_BOOT_FAILURE").unwrap_or_default();
    let expected = |failure: &BootFailure| {
        let more = SEES_MORE.iter().find(|(name, ..)| *name == failure.name);
        more.map_or((failure.code, 16), |(_, code, exit)| (*code, *exit))
    };
    let wrong: Vec<String> = boot_failures::all()
        .filter(|failure| failure.name.contains(&filter))
        .filter_map(|failure| {
            let choice = Patient::healthy().choice;
            let record = examine(&failure.start(), choice, None, false);
            let (code, exit) = told(&record);
            ((code.as_str(), exit) != expected(failure)).then(|| {
                format!(
                    "{}: expected {:?}\n{}",
                    failure.name,
                    expected(failure),
                    text(&record)
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_probe_that_is_not_there_is_named() {
    let choice = Choice {
        probe: Some("1209:0001:NOT-THERE".parse().expect("selector")),
        ..Choice::default()
    };
    let clock = std::sync::Arc::new(rtflash::clock::HostClock::start());
    let target = bench::target();
    let question = Question {
        image: None,
        no_reset: false,
        flash_command: "rtflash flash IMAGE".to_owned(),
    };
    let outcome = job::doctor(
        &Job::new(&target),
        &question,
        &Bench::real(choice, clock),
        &mut (),
    );
    assert_eq!(told(&outcome.record), ("probe-not-found".to_owned(), 21));
    let checks = outcome.record.doctor.expect("doctor").checks;
    let result = |name: &str| {
        let check = checks.iter().find(|check| check.name == name);
        check.map(|check| check.result)
    };
    assert_eq!(result("probe"), Some(CheckResult::Problem));
    assert_eq!(result("boot"), Some(CheckResult::NotChecked));
    assert!(checks.iter().any(|check| check.name == "permissions"));
}

#[test]
fn a_step_that_fails_ends_only_those_that_need_it() {
    let record = Patient::healthy()
        .with(|config| {
            config.nor_faults = Faults {
                absent: true,
                ..Faults::default()
            }
        })
        .examined();
    let checks = record.doctor.expect("doctor").checks;
    for check in &checks {
        let expected = match check.name {
            "permissions" | "image" => CheckResult::NotChecked,
            "flash part" => CheckResult::Problem,
            "flash state" | "boot header" | "quad enable" | "application" | "slots" | "boot" => {
                CheckResult::NotChecked
            }
            _ => CheckResult::Ok,
        };
        assert_eq!(check.result, expected, "{check:?}");
        if check.result == CheckResult::NotChecked {
            assert!(check.text.starts_with("not checked, because "), "{check:?}");
        }
    }
    assert_eq!(checks.len(), 18);
}

#[test]
fn without_a_reset_the_board_runs_on_undisturbed() {
    let board = {
        let patient = Patient::running(&sleep_in_run_mode());
        let board = bench::start(patient.config);
        for (at, bytes) in &patient.content {
            bench::fill(&board, (at - WINDOW) as usize, bytes);
        }
        bench::set_status(&board, QE);
        board
            .board()
            .with(|board| board.power_cycle(1))
            .expect("board");
        board
            .board()
            .sleep(Duration::from_millis(30))
            .expect("board");
        board
    };
    let before = board
        .board()
        .with(|board| board.chip.resets())
        .expect("board");
    let record = examine(&board, Choice::default(), None, true);
    assert_eq!(
        told(&record),
        ("healthy".to_owned(), 0),
        "{}",
        text(&record)
    );
    let (after, halted) = board
        .board()
        .with(|board| (board.chip.resets(), board.chip.cpu.debug.halted()))
        .expect("board");
    assert_eq!((after, halted), (before, false));
}
