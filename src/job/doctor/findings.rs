//! The rules of `inspect`, applied to what the board holds, and what else its content says.

use super::Question;
use super::content::{BLOCK_BYTES, Content, Held};
use super::examination::{Examination, check};
use crate::address::Address;
use crate::boot::mcuboot::{HashCheck, Slot};
use crate::boot::{self, Anatomy, Fcb, Finding, Severity, judge};
use crate::diagnosis::{Observation, Weight};
use crate::job::run::Run;
use crate::problem::{ExitCode, Place, Problem};
use crate::reset::Cause;
use crate::target::Target;

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;
/// The highest byte of an FCB's version: "V".
const FCB_VERSION_LETTER: u8 = b'V';
/// A tag that was programmed to 0, or one that is not programmed yet.
const DEAD_TAGS: [[u8; 4]; 2] = [[0; 4], [0xFF; 4]];
/// Findings that are about files and not about a board, or that are told in a better way here.
const NOT_OF_A_BOARD: [&str; 8] = [
    "fcb-tag",
    "ivt-tag",
    "gaps",
    "partial-image",
    "bootloader-unknown",
    "bootloader-without-application",
    "empty-image",
    "image-empty",
];
/// Findings that let an image pass, for another bootloader may start it; MCUboot passes such an image over or starts what
/// is none.
const STOPS_BOOTLOADER: [&str; 4] = [
    "mcuboot-incomplete",
    "mcuboot-linked-elsewhere",
    "mcuboot-not-bootable",
    "mcuboot-no-hash",
];
/// What `boot` puts before a finding about bytes of a board.
const ON_BOARD: &str = "on the board: ";

impl Run<'_> {
    /// Judges what the flash holds.
    pub(super) fn examine_content(
        &self,
        question: &Question,
        held: Held,
        status: u32,
        examination: &mut Examination,
    ) -> Content {
        let target = self.job.target;
        let image = held.image(target);
        let present = held.present();
        let judgement = judge(&image, Some(&boot::Present::default()), target);
        let anatomy = Anatomy::of(&image, judgement.boot_image(), target);
        let rewrite = format!("run: {}", question.flash_command);
        let header = missing(&held, &present, &anatomy, target, &rewrite);
        let header_is_there = header.is_empty();
        for problem in header {
            examination.found(check::HEADER, Observation::of(problem));
        }
        for finding in judgement.findings() {
            let is_told = NOT_OF_A_BOARD.contains(&finding.code)
                || (!header_is_there && finding.code == "nothing-to-start");
            if !is_told {
                let observation = observation(finding, &rewrite);
                examination.found(check_of(finding.code), observation);
            }
        }
        if header_is_there {
            let text = "FCB and IVT are there";
            examination.ok(check::HEADER, text);
        }
        tell_quad_enable(&anatomy, status, target, examination);
        let application = tell_slots(&anatomy, &rewrite, examination);
        let reset_handler = boot::reset_handler(&present, target);
        match reset_handler {
            Some(address) => examination.ok(
                check::APPLICATION,
                format!("its reset handler is at {address}"),
            ),
            None => examination.ok(check::APPLICATION, "none that the boot ROM would find"),
        }
        Content {
            reset_handler,
            application,
            starts_another: anatomy.is_bootloader || !anatomy.slots.is_empty(),
            is_signed: anatomy.csf.is_some(),
            present,
            held: image,
            status,
        }
    }
}

/// What of the header is not there, and what else stands in the flash says how that came.
fn missing(
    held: &Held,
    present: &boot::Present,
    anatomy: &Anatomy,
    target: &Target,
    rewrite: &str,
) -> Vec<Problem> {
    let offsets = &target.chip().boot;
    let head = |offset| present.bytes_at::<4>(offset).copied();
    let problem = |code, what: &str| Problem::new(code, ExitCode::BootNotProven, what).fix(rewrite);
    if held.first_block_is_blank {
        return vec![blank(held, anatomy, rewrite)];
    }
    let mut problems = Vec::new();
    let fcb = present.fcb(offsets);
    let raw = present
        .bytes_at::<{ Fcb::SIZE_BYTES }>(offsets.fcb_offset)
        .map(|bytes| bytes.as_slice());
    let is_dead = raw.is_some_and(|bytes| {
        bytes
            .first_chunk()
            .is_some_and(|tag| DEAD_TAGS.contains(tag))
            && bytes.get(7) == Some(&FCB_VERSION_LETTER)
    });
    if is_dead {
        problems.push(
            problem("flash-interrupted", "programming the flash was interrupted: the FCB is there, and its tag is not")
                .at(Place { address: target.address_of(offsets.fcb_offset), ..Place::default() })
                .because("`rtflash flash` takes the tag away first and writes it last, so that half an image never boots"),
        );
    } else if fcb.is_none()
        && let Some(found) = head(offsets.fcb_offset)
    {
        problems.push(Problem::from(Cause::NoFcb { found }).fix(inserts(rewrite)));
    }
    if anatomy.ivt.is_none()
        && anatomy.bee.is_empty()
        && let Some(found) = head(offsets.ivt_offset)
    {
        problems.push(Problem::from(Cause::NoIvt { found }).fix(inserts(rewrite)));
    }
    problems
}

/// What to do about a header that is not there.
fn inserts(rewrite: &str) -> String {
    format!("{rewrite} (with the whole image; FCB and IVT are inserted where it has none)")
}

/// The first block is erased: what stands behind it tells why.
fn blank(held: &Held, anatomy: &Anatomy, rewrite: &str) -> Problem {
    let problem = |code, what: String| Problem::new(code, ExitCode::BootNotProven, what);
    if let Some(slot) = anatomy.slots.first() {
        return problem(
            "bootloader-missing",
            format!("the flash holds an MCUboot application at {}, and no bootloader before it", slot.address),
        )
        .because(format!(
            "the first {} KiB are erased: FCB, IVT and bootloader were never programmed, or a flash loader erased them with its block",
            BLOCK_BYTES / 1024
        ))
        .fix(format!("{rewrite}, with the bootloader's file and the application's"));
    }
    match held.first_content {
        Some(offset) => problem(
            "first-block-erased",
            format!("the first {} KiB of the flash are erased, FCB and IVT with them, and behind them is content", BLOCK_BYTES / 1024),
        )
        .because(format!(
            "there is content at flash offset {offset}: a flash loader that erases 64 KiB blocks has programmed an application alone, \
             or programming was interrupted"
        ))
        .fix(rewrite.to_owned()),
        None => problem("flash-blank", "the flash is blank: nothing was programmed, or it was erased".to_owned())
            .because("neither the first 128 KiB nor any place of a slot in a known layout hold anything")
            .fix(rewrite.to_owned()),
    }
}

/// A finding of the rules as an observation about this board.
fn observation(finding: &Finding, rewrite: &str) -> Observation {
    let weight = match finding.severity {
        _ if STOPS_BOOTLOADER.contains(&finding.code) => Weight::Cause,
        Severity::Error => Weight::Cause,
        Severity::Warning => Weight::Suspicion,
        Severity::Note => Weight::Note,
    };
    let mut problem = Problem::from(finding.clone());
    problem.exit = ExitCode::BootNotProven;
    if let Some(what) = problem.what.strip_prefix(ON_BOARD) {
        problem.what = what.to_owned();
        // that one speaks to a user who is flashing something else
        problem.fix = None;
    }
    if weight != Weight::Note && problem.fix.is_none() {
        problem.fix = Some(match check_of(finding.code) {
            check::HEADER => format!(
                "let the image be built with another boot header, or let rtflash make one: {rewrite} --replace-boot-header"
            ),
            _ => format!(
                "correct the image (`rtflash inspect` says what is wrong with a file), then {rewrite}"
            ),
        });
    }
    Observation::new(weight, problem)
}

/// Which check a rule belongs to.
fn check_of(code: &str) -> &'static str {
    const OF_SLOTS: [&str; 2] = ["mcuboot-", "bootloader-"];
    const OF_APPLICATIONS: [&str; 4] = [
        "stack-pointer",
        "reset-",
        "vector-table-alignment",
        "entry-",
    ];
    let begins = |list: &[&str]| list.iter().any(|start| code.starts_with(start));
    if begins(&OF_SLOTS) {
        check::SLOTS
    } else if begins(&OF_APPLICATIONS) {
        check::APPLICATION
    } else {
        check::HEADER
    }
}

fn tell_quad_enable(
    anatomy: &Anatomy,
    status: u32,
    target: &Target,
    examination: &mut Examination,
) {
    let check = check::QUAD_ENABLE;
    let is_set = status & target.flash().quad_enable_mask() != 0;
    let Some(fcb) = anatomy.fcb.as_ref().map(|part| &part.value) else {
        let state = if is_set { "set" } else { "clear" };
        examination.ok(
            check,
            format!("{state}; without an FCB nobody needs it yet"),
        );
        return;
    };
    match (fcb.needs_quad_enable(), is_set) {
        (true, false) if fcb.device_mode_cfg_enable == 0 => {
            examination.found(
                check,
                Observation::of(Cause::QuadEnableOff { status }.into()),
            );
        }
        (true, false) => examination.ok(check, "clear; the FCB has a command that sets it"),
        (true, true) => examination.ok(check, "set, as the FCB needs it"),
        (false, _) => examination.ok(check, "not needed: the FCB does not read on four lines"),
    }
}

/// Tells the slots, and gives the first instruction of the application that a bootloader is to start.
fn tell_slots(anatomy: &Anatomy, rewrite: &str, examination: &mut Examination) -> Option<Address> {
    let slots = &anatomy.slots;
    if slots.is_empty() {
        if !anatomy.is_bootloader {
            examination.ok(check::SLOTS, "no MCUboot bootloader and no MCUboot image");
            return None;
        }
        let problem = Problem::new(
            "bootloader-without-application",
            ExitCode::BootNotProven,
            "the flash holds an MCUboot bootloader and no application that it could start",
        )
        .because("no slot of a known layout, and no 64 KiB block, begins with the header of an MCUboot image")
        .fix(format!("{rewrite}, with the signed application's file (zephyr.signed.hex)"));
        examination.found(check::SLOTS, Observation::of(problem));
        return None;
    }
    for slot in slots {
        let name = slot.name.map_or(String::new(), |name| format!(" ({name})"));
        let text = format!(
            "version {} at {}{name}, {}",
            slot.header.version,
            slot.address,
            slot.hash.text()
        );
        examination.ok(check::SLOTS, text);
    }
    let primary = slots.iter().find(|slot| slot.primary != Some(false));
    let Some(primary) = primary else {
        if anatomy.is_bootloader {
            examination.found(check::SLOTS, Observation::of(second_slot(slots, rewrite)));
        }
        return None;
    };
    let is_sound = !matches!(primary.hash, HashCheck::Differs | HashCheck::Incomplete)
        && primary.runs_in_place() == Some(true)
        && !primary.header.is_not_bootable();
    let (_, reset) = primary.vectors?;
    (is_sound && anatomy.is_bootloader).then_some(Address::new(reset & !THUMB))
}

fn second_slot(slots: &[Slot], rewrite: &str) -> Problem {
    let at = slots
        .first()
        .map_or(String::new(), |slot| format!(" at {}", slot.address));
    Problem::new(
        "mcuboot-second-slot",
        ExitCode::BootNotProven,
        format!("the application stands in the second slot{at} only, and the first is empty"),
    )
    .because("MCUboot starts what is in the first slot; the second one's is copied there after an upgrade was asked for")
    .fix(format!("{rewrite}, with an application signed and linked for the first slot"))
}
