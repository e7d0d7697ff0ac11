//! The rules: what is wrong with a header or an image, why, and what to do about it.

use super::boot_image::{HeaderPart, Inserted, Reason};
use super::fcb::Fcb;
use super::finding::{Finding, Severity};
use super::judge::Bench;
use super::{bee, mcuboot};
use crate::address::{Address, FlashOffset};
use crate::image::ImageError;
use crate::problem::{Place, Problem};
use crate::target::Target;

/// Where headers of sister chips stand: RT1010 and RT117x have the FCB at 0x400; 0x1000 is our IVT's place.
const OTHER_FCB_OFFSETS: [u32; 2] = [0x400, 0x1000];

/// Header parts that the files do not bring, or not so, as findings.
pub(super) fn inserted(inserted: &Inserted) -> Finding {
    let name = inserted.part.name();
    let (missing, other) = match inserted.part {
        HeaderPart::Fcb { .. } => ("fcb-absent", "fcb-changed"),
        HeaderPart::Ivt(_) => ("ivt-absent", "ivt-changed"),
    };
    match inserted.reason {
        Reason::Missing => Finding::note(missing, format!("the image has no {name}"))
            .because("without it the boot ROM stays in the serial downloader: the board seems to do nothing")
            .fix("nothing: `rtflash flash` and `rtflash pack` insert it"),
        Reason::Replaced => Finding::note(other, format!("{name} of the image will be replaced"))
            .because("--replace-boot-header asks for it"),
        Reason::Given => Finding::note(other, format!("{name} is taken from a file"))
            .because("--fcb asks for it"),
        Reason::KeptOfBoard => Finding::note(other, format!("{name} stays as the board holds it"))
            .because("the image brings none, and --keep-boot-header asks for it"),
    }
}

/// The board's header is to stay, and was not read.
pub(super) fn board_not_read() -> Finding {
    Finding::error(
        "board-not-read",
        "whether the image boots depends on the boot header that the board holds",
    )
    .because("--keep-boot-header takes what the image lacks from the board")
    .fix("leave the option out to see what would be inserted, or flash with it")
}

/// The DCD of an IVT that is replaced is not there.
pub(super) fn dcd_dropped(bench: &Bench<'_>, dcd: u32) -> Finding {
    Finding::warning(
        "dcd-dropped",
        format!(
            "the replaced IVT pointed to a DCD at {}, where none is: the new one has none",
            Address::new(dcd)
        ),
    )
    .at(bench.place(bench.target.chip().boot.ivt_offset))
    .because("an image that needs a DCD for its RAM will not run without it")
}

/// An FCB where sister chips have it.
pub(super) fn fcb_elsewhere(bench: &Bench<'_>) -> Option<Finding> {
    let boot = &bench.target.chip().boot;
    let offset = OTHER_FCB_OFFSETS
        .into_iter()
        .map(FlashOffset::new)
        .find(|offset| {
            bench
                .target
                .address_of(*offset)
                .and_then(|address| bench.image.word_at(address))
                == Some(Fcb::TAG)
        })?;
    Some(
        Finding::warning(
            "fcb-wrong-place",
            format!("the image has an FCB at flash offset {offset}, where this chip does not look for it"),
        )
        .at(bench.place(offset))
        .because(format!(
            "the RT1062 reads its FCB at flash offset {}; 0x400 is the place of other chips",
            boot.fcb_offset
        ))
        .fix("check that the image is built for the RT1062"),
    )
}

/// The vector table is followed by bytes that no file brings.
pub(super) fn gaps(bench: &Bench<'_>) -> Option<Finding> {
    let first = bench
        .target
        .address_of(bench.target.chip().boot.vector_table_offset)?;
    let mut count = 0_u32;
    let mut bytes = 0;
    let mut place = None;
    for pair in bench.brought.segments().windows(2) {
        let [lower, upper] = pair else { continue };
        let is_slot = bench.brought.word_at(upper.start()) == Some(mcuboot::MAGIC);
        if lower.end() <= u64::from(first.get()) || is_slot {
            continue;
        }
        count += 1;
        bytes += u64::from(upper.start().get()).saturating_sub(lower.end());
        place = place.or_else(|| bench.brought.place_of(upper.start()));
    }
    (count != 0).then(|| {
        Finding::note(
            "gaps",
            format!("the image has {count} gaps behind its vector table, {bytes} bytes in all"),
        )
        .at(place.unwrap_or_default())
        .because("no file brings bytes for them: they keep what the board holds, or become FFh where a sector is erased")
    })
}

/// Data outside the part, by where it lies.
pub(super) fn does_not_fit(target: &Target, error: ImageError) -> Finding {
    let outside = match &error {
        ImageError::OutsideWindow { address, .. } => Some(*address),
        _ => None,
    };
    let problem = Problem::from(error);
    let finding = |code, what: String, fix: &str| Finding::error(code, what).fix(fix);
    let flexspi = &target.chip().flexspi;
    let part = target.flash();
    let told = match outside {
        Some(address) if flexspi.window().contains(address) => finding(
            "beyond-part",
            format!(
                "the image goes beyond the end of the {} ({} bytes)",
                part.name, part.size_bytes
            ),
            "make the image smaller, or choose the part that is fitted",
        ),
        Some(address) if flexspi.other_window().contains(address) => finding(
            "other-flexspi",
            "the image is linked for FlexSPI2, or for an RT1064".to_owned(),
            "link it for 0x60000000: this chip boots from FlexSPI1 only; the RT1064 has its flash at 0x70000000",
        ),
        _ => finding(
            problem.code,
            problem.what.clone(),
            problem.fix.as_deref().unwrap_or_default(),
        ),
    };
    let told = told.at(*problem.place);
    match problem.why {
        Some(why) => told.because(why),
        None => told,
    }
}

/// Something is where the FCB must be.
pub(super) fn no_fcb_but_something(bench: &Bench<'_>) -> Finding {
    let offset = bench.target.chip().boot.fcb_offset;
    let place = bench.place(offset);
    let start = bench.target.chip().flexspi.window_start();
    let word = |distance| {
        start
            .checked_add(distance)
            .and_then(|address| bench.image.word_at(address))
    };
    let is_table = word(0).zip(word(4)).is_some_and(|(sp, reset)| {
        bench
            .target
            .chip()
            .ram_for_stack(Address::new(sp))
            .is_some()
            && reset & 1 == 1
    });
    if is_table {
        return Finding::error(
            "vector-table-at-start",
            format!("the vector table is at {start}, where the boot ROM needs the FCB"),
        )
        .at(place)
        .because(
            "the ROM reads the FCB at flash offset 0 and the IVT at 0x1000; code linked there leaves no room for them, \
             so nothing can be inserted",
        )
        .fix(
            "link the application at 0x60002000 or above; for Zephyr set CONFIG_ROM_START_OFFSET=0x2000, or switch on \
             the boot header (CONFIG_NXP_IMXRT_BOOT_HEADER=y; with a flash configuration block for the board)",
        );
    }
    Finding::error(
        "fcb-tag",
        format!("what the image holds at {start} is no FCB"),
    )
    .at(place)
    .because(
        "the boot ROM needs the tag \"FCFB\" there; it is neither there, nor is the place empty",
    )
    .fix("link the application at 0x60002000 or above, or correct the FCB")
}

/// Something is where the IVT must be.
pub(super) fn no_ivt_but_something(bench: &Bench<'_>) -> Finding {
    let offset = bench.target.chip().boot.ivt_offset;
    Finding::error(
        "ivt-tag",
        "what the image holds at flash offset 0x1000 is no IVT",
    )
    .at(bench.place(offset))
    .because("the boot ROM needs the bytes D1 00 20 4x there; they are neither there, nor is the place empty")
    .fix("link the application at 0x60002000 or above, or correct the IVT")
}

/// Only some bytes of a header part are in the image.
pub(super) fn incomplete(part: &str, code: &'static str, place: Place) -> Finding {
    Finding::error(code, format!("the image holds only a part of the {part}"))
        .at(place)
        .because("the rest would be whatever the board holds now")
        .fix(format!(
            "give the complete {part}, or none: then it is inserted"
        ))
}

/// An FCB, data where BEE keeps its headers, and no readable IVT.
pub(super) fn maybe_encrypted(bench: &Bench<'_>) -> Finding {
    let at = bee::headers(&bench.image, bench.target).into_iter().next();
    let place = at.and_then(|at| bench.image.place_of(at));
    Finding::error(
        "maybe-encrypted",
        format!(
            "the image has an FCB and data at {}, but no IVT: it may be encrypted (BEE)",
            at.map_or_else(String::new, |at| at.to_string())
        ),
    )
    .at(place.unwrap_or_default())
    .because("an encrypted image has an unreadable IVT; one inserted by us would destroy it")
    .fix("if it is not encrypted, give the IVT in the image, or leave its FCB out")
}

/// Data where BEE keeps its headers, and an IVT in clear.
pub(super) fn bee_headers(bench: &Bench<'_>) -> Finding {
    let at = bee::headers(&bench.image, bench.target).into_iter().next();
    let place = at.and_then(|at| bench.image.place_of(at));
    Finding::uncertain(
        "bee-headers",
        format!(
            "the image has data at {}, where an encrypted image (BEE) has its headers",
            at.map_or_else(String::new, |at| at.to_string())
        ),
        "with fuses for encrypted execution the chip reads everything else deciphered; only an FCB is added to such an image",
    )
    .at(place.unwrap_or_default())
}

/// What the board holds is no fault of the files: the cure is another.
pub(super) fn blame_the_board(finding: &mut Finding) {
    if finding.severity == Severity::Error && finding.place.is_of_board() {
        finding.what = format!("on the board: {}", finding.what);
        finding.fix = Some(
            "flash the files that bring FCB, IVT and bootloader again; with --keep-boot-header: leave that out"
                .to_owned(),
        );
    }
}

/// IVT absent, but its boot data's place is taken.
pub(super) fn no_room_for_boot_data(bench: &Bench<'_>) -> Finding {
    let offset = bench.target.chip().boot.boot_data_offset;
    Finding::error(
        "boot-data-place-taken",
        "the image has no IVT, but holds data at flash offset 0x1020, where the boot data would go",
    )
    .at(bench.place(offset))
    .fix("link the application at 0x60002000 or above")
}

/// No FCB can be made for the target.
pub(super) fn no_fcb_possible(target: &Target) -> Finding {
    Finding::error(
        "fcb-impossible",
        format!(
            "no FCB can be made for {} on board {}",
            target.flash().name,
            target.board().name
        ),
    )
    .because("part, wiring and chip share no read command and clock")
    .fix("correct the target files, or give an image with an FCB")
}

/// Neither an IVT nor a vector table at the usual place: nothing for the ROM to start.
pub(super) fn nothing_to_start(bench: &Bench<'_>) -> Finding {
    let segments = bench.brought.segments();
    let first = segments.first().map(|s| s.start());
    let slot = mcuboot::slots(bench.brought, bench.target)
        .first()
        .map(|slot| slot.address);
    let place = slot
        .or(first)
        .and_then(|address| bench.brought.place_of(address))
        .unwrap_or_default();
    let what = match slot {
        Some(address) => format!(
            "the image is an MCUboot application at {address} without a bootloader: nothing in it can be started by the boot ROM"
        ),
        None => "the image has no IVT and no vector table at 0x60002000: nothing in it can be started by the boot ROM"
            .to_owned(),
    };
    let why = match bench.present {
        Some(_) => "the board holds no FCB and IVT that would start a bootloader either",
        None => "a bootloader with FCB and IVT must be on the board already",
    };
    Finding::error("partial-image", what)
        .at(place)
        .because(why)
        .fix(
            "give the bootloader's file as well (bootloader.hex application.hex); where the board holds a bootloader, `rtflash \
             flash` takes it alone, and bytes that are not meant to boot with --data",
        )
}
