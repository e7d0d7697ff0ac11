//! Whatever keeps a board from working, `doctor` names it: every cause that the virtual board can be given, by the way
//! that a user goes, with the code and the exit code of the diagnosis.

use std::path::Path;
use std::time::Duration;

use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Question, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::{CheckResult, Record, Verdict};
use virtual_board::board::{Board, BoardConfig};
use virtual_board::nor::Faults;
use virtual_board::rom::Reading;
use virtual_board::soc::Straps;
use virtual_board::swd::BadContact;

use crate::bench;
use crate::images::{APPLICATION, intel_hex};

const QE: u8 = 0x40;
const FCB: usize = 0;
const IVT: usize = 0x1000;
const BOOT_DATA: usize = 0x1020;
const VECTORS: usize = 0x2000;
const SLOT: u32 = 0x6002_0000;
const SECOND_SLOT: u32 = 0x6032_0000;
const WINDOW: u32 = 0x6000_0000;

/// `b .`
const LOOP: &[u16] = &[0xE7FE];
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

    fn then(mut self, then: impl FnOnce(&mut Board) + Send + 'static) -> Self {
        self.then = Box::new(then);
        self
    }

    fn to_hold(mut self, image: Vec<(u32, Vec<u8>)>) -> Self {
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
            .sleep(Duration::from_millis(30))
            .expect("board");
        board.board().with(self.then).expect("board");
        let before = bench::flash_content(&board);
        let record = examine(&board, self.choice, self.image, self.no_reset);
        assert!(bench::flash_content(&board) == before, "the flash was changed");
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
        let diagnosis = record.doctor.as_ref().and_then(|doctor| doctor.diagnosis.as_ref());
        assert!(
            diagnosis.is_none_or(|d| d.fix.is_some() && d.why.is_some()),
            "{name}: no reason or no advice\n{}",
            text(&record)
        );
        return Ok(record);
    }
    Err(format!("{name}: expected {code} ({exit})\n{}", text(&record)))
}

fn text(record: &Record) -> String {
    rtflash::report::lines(record, false).join("\n")
}

#[track_caller]
fn all(cases: Vec<(&str, Patient, &str, u8)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, patient, code, exit)| {
            let begun = std::time::Instant::now();
            let result = has(name, patient, code, exit).err();
            eprintln!("{name}: {:?}", begun.elapsed());
            result
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_healthy_board_is_called_healthy() {
    all(vec![
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
        ("blank flash", Patient::holding(Vec::new()), "flash-blank", 16),
        ("application alone", Patient::holding(app()), "fcb-missing", 16),
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
        ("first block erased", Patient::holding(behind()), "first-block-erased", 16),
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
        ("FCB: other bytes", Patient::healthy().word(FCB, 0x1234_5678), "fcb-tag", 16),
        ("FCB: version", fcb(0x004, 0), "fcb-version", 16),
        ("FCB: empty LUT", Patient::healthy().patched(FCB + 0x80, &[0; 16]), "fcb-no-read", 16),
        ("FCB: pads", fcb(0x044, 0x0007_0101), "fcb-pads", 16),
        ("FCB: size", fcb(0x050, 0), "fcb-size", 16),
        ("IVT: length", ivt(0, 0x4130_00D1), "ivt-length", 16),
        ("IVT: entry 0", ivt(1, 0), "entry-outside", 16),
        ("IVT: entry elsewhere", ivt(1, 0x6030_0000), "entry-outside", 16),
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
            Patient::healthy().word(VECTORS, 0x1234_5678),
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
        ("serial downloader", strapped(1, 0), "strapped-serial-downloader", 16),
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
    let fused = |bits: u32| Patient::healthy().with(move |config| config.fuses.set_word(0x460, bits));
    let mut elsewhere = Patient::healthy();
    elsewhere.choice.probe = None;
    all(vec![
        (
            "no power",
            Patient::healthy().then(|board| board.chip.power_off(1)),
            "target-unpowered",
            22,
        ),
        (
            "not wired",
            Patient::healthy().with(|config| config.wire_faults.closed_port = true),
            "target-no-answer",
            22,
        ),
        ("SJC_DISABLE", fused(1 << 20), "target-no-answer", 22),
        ("JTAG_SMODE: none", fused(3 << 22), "target-no-answer", 22),
        ("JTAG_SMODE: challenge", fused(1 << 22), "target-no-answer", 22),
        ("bad contact", contact(500, None), "contact-poor", 22),
        ("bad contact at the clock asked for", contact(2000, Some(8000)), "contact-poor", 22),
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

/// AIRCR = 0x05FA0004
const RESET_AT_ONCE: &[u16] = &[
    0x4801, // ldr r0, [pc, #4]
    0x4902, // ldr r1, [pc, #8]
    0x6001, // str r1, [r0]
    0xE7FE, // b .
    0xED0C, 0xE000, // AIRCR
    0x0004, 0x05FA,
];

#[test]
fn what_the_application_does_wrong_is_named() {
    all(vec![
        ("crash at once", Patient::running(CRASH), "image-crashed", 16),
        (
            "crash at once, seen as a lockup",
            Patient::running(CRASH).with(|config| config.reading = Reading::Lenient),
            "image-crashed",
            16,
        ),
        ("reset loop", Patient::running(RESET_AT_ONCE), "reset-loop", 16),
        ("halted", Patient::healthy().then(halt), "core-halted", 16),
        ("asleep without bus clock", Patient::running(SLEEP), "target-asleep", 22),
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
        ("the image", flashed().to_hold(app(1)), "healthy", 0),
        ("another", flashed().to_hold(app(2)), "image-other", 11),
        ("half of it", Patient::holding(half).to_hold(app(1)), "image-half", 11),
        (
            "the image without a header",
            Patient::holding(app(1)).to_hold(app(1)),
            "fcb-missing",
            16,
        ),
    ]);
}
