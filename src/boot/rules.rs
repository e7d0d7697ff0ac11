//! The rules: what is wrong with a header or an image, why, and what to do about it.

use super::entry::LoadMap;
use super::fcb::Fcb;
use super::finding::Finding;
use super::ivt::{BootData, CSF_TAG, DCD_TAG, Ivt};
use super::judge::Bench;
use crate::address::Address;
use crate::image::ImageError;
use crate::problem::{Place, Problem};
use crate::target::Target;

const UNCERTAIN: &str = "uncertain: no source says whether the boot ROM tests this";

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
            "the image is linked for FlexSPI2".to_owned(),
            "link it for 0x60000000: this chip boots from FlexSPI1 only",
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
            "link the application at 0x6000_2000 or above; for Zephyr set CONFIG_ROM_START_OFFSET=0x2000, or switch on \
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
    let offset = bench.target.chip().boot.bee_header_offset;
    Finding::error(
        "maybe-encrypted",
        "the image has an FCB and data at flash offset 0x400, but no IVT: it may be encrypted (BEE)",
    )
    .at(bench.place(offset))
    .because("an encrypted image has an unreadable IVT; one inserted by us would destroy it")
    .fix("if it is not encrypted, give the IVT in the image")
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
pub(super) fn nothing_to_start(bench: &Bench<'_>, signed_application: Option<Address>) -> Finding {
    let first = bench.image.segments().first().map(|s| s.start());
    let place = first
        .and_then(|address| bench.image.place_of(address))
        .unwrap_or_default();
    let what = match signed_application {
        Some(address) => format!(
            "the image is an MCUboot application at {address} without a bootloader: nothing in it can be started by the boot ROM"
        ),
        None => "the image has no IVT and no vector table at 0x60002000: nothing in it can be started by the boot ROM"
            .to_owned(),
    };
    let resident = bench
        .present
        .map(|present| present.has_boot_header(&bench.target.chip().boot));
    let why = match resident {
        Some(true) => {
            "the board holds a boot header of its own, so this may be a slot for its bootloader; writing only a slot is not \
             supported yet"
        }
        Some(false) => "the board holds no boot header either",
        None => "a bootloader would have to be on the board already",
    };
    Finding::error("partial-image", what)
        .at(place)
        .because(why)
        .fix("join bootloader and application into one HEX (mergehex, srec_cat) and flash that")
}

/// Checks an IVT and its boot data; `None` where nothing further can be judged.
pub(super) fn check_ivt(bench: &mut Bench<'_>, ivt: &Ivt) -> Option<LoadMap> {
    let boot = &bench.target.chip().boot;
    let window = bench.target.flash_window();
    let place = bench.place(boot.ivt_offset);
    if usize::from(ivt.length_bytes) != Ivt::SIZE_BYTES {
        bench.findings.push(
            Finding::warning(
                "ivt-length",
                format!(
                    "the IVT's header gives its length as {} instead of 32",
                    ivt.length_bytes
                ),
            )
            .at(place.clone())
            .because(UNCERTAIN),
        );
    }
    if !Ivt::VERSIONS.contains(&ivt.version) {
        bench.findings.push(
            Finding::warning(
                "ivt-version",
                format!(
                    "the IVT has version 0x{:02X}; 0x40 to 0x43 are known",
                    ivt.version
                ),
            )
            .at(place.clone())
            .because(UNCERTAIN),
        );
    }
    let own = Address::new(ivt.self_address);
    let base = own.checked_sub(boot.ivt_offset.get());
    let in_place = base == Some(window.start());
    let in_ram = bench
        .target
        .chip()
        .ram
        .iter()
        .any(|ram| ram.range().contains(own));
    let Some(base) = base.filter(|_| in_place || in_ram) else {
        bench.findings.push(
            Finding::error(
                "ivt-self",
                format!("the IVT says it is at {own}, which is neither its place in the flash nor in RAM"),
            )
            .at(place)
            .because("the boot ROM finds boot data and entry by this address")
            .fix("link the IVT at 0x60001000 with that address as `self`"),
        );
        return None;
    };
    let map = if in_place {
        LoadMap::in_place(window)
    } else {
        LoadMap::copied_to(window, base)
    };
    check_boot_data(bench, ivt, map, base)?;
    check_tagged(bench, ivt.dcd, map, DCD_TAG, |address| {
        Finding::warning(
            "dcd-tag",
            format!("the IVT's DCD pointer {address} leads to no DCD"),
        )
        .because("uncertain: NXP ships working images like this, and others call it an error")
    });
    if tagged(bench, ivt.csf, map) == Some(CSF_TAG) {
        bench.findings.push(
            Finding::note(
                "signed",
                "the image is signed (HAB): only an FCB may be added to it",
            )
            .at(place),
        );
    }
    Some(map)
}

fn check_boot_data(bench: &mut Bench<'_>, ivt: &Ivt, map: LoadMap, base: Address) -> Option<()> {
    let pointer = Address::new(ivt.boot_data);
    let stored = map.stored_at(pointer);
    let bytes: Option<&[u8; BootData::SIZE_BYTES]> = stored
        .and_then(|stored| bench.image.bytes_at(stored, BootData::SIZE_BYTES))
        .and_then(|bytes| bytes.try_into().ok());
    let Some((bytes, stored)) = bytes.zip(stored) else {
        bench.findings.push(
            Finding::error(
                "ivt-boot-data",
                format!("the IVT's boot data pointer {pointer} lies outside the image"),
            )
            .at(bench.place(bench.target.chip().boot.ivt_offset))
            .because("without boot data the boot ROM does not know where the image belongs")
            .fix("link the boot data behind the IVT, usually at 0x60001020"),
        );
        return None;
    };
    let data = BootData::parse(bytes);
    let place = bench.image.place_of(stored).unwrap_or_default();
    if data.start != base.get() {
        let what = format!(
            "the boot data's start {} does not fit the IVT, which belongs to {base}",
            Address::new(data.start)
        );
        bench.findings.push(
            Finding::warning("boot-data-start", what)
                .at(place.clone())
                .because(UNCERTAIN),
        );
    }
    let image_end = bench.image.segments().last().map_or(0, |s| s.end());
    let window_start = u64::from(bench.target.flash_window().start().get());
    if data.length_bytes == 0 {
        bench.findings.push(
            Finding::error("boot-data-length", "the boot data's length is 0")
                .at(place.clone())
                .because("a boot with length 0 was measured to fail")
                .fix("set it to the length of the image counted from 0x60000000"),
        );
    } else if u64::from(data.length_bytes) < image_end.saturating_sub(window_start) {
        bench.findings.push(
            Finding::warning(
                "boot-data-length",
                format!("the boot data's length of {} bytes does not cover the image", data.length_bytes),
            )
            .at(place.clone())
            .because("uncertain: an open part that executes in place boots all the same, a closed one does not"),
        );
    }
    if data.plugin != 0 {
        bench.findings.push(
            Finding::warning("plugin", "the boot data marks a plugin image")
                .at(place)
                .because("uncertain: the boot ROM would call it and expect it to return"),
        );
    }
    Some(())
}

fn tagged(bench: &Bench<'_>, pointer: u32, map: LoadMap) -> Option<u8> {
    let stored = map.stored_at(Address::new(pointer))?;
    bench.image.bytes_at(stored, 1)?.first().copied()
}

fn check_tagged(
    bench: &mut Bench<'_>,
    pointer: u32,
    map: LoadMap,
    tag: u8,
    finding: impl Fn(Address) -> Finding,
) {
    if pointer != 0 && tagged(bench, pointer, map) != Some(tag) {
        let place = bench.place(bench.target.chip().boot.ivt_offset);
        bench
            .findings
            .push(finding(Address::new(pointer)).at(place));
    }
}

/// Checks an FCB that the image brings.
pub(super) fn check_fcb(bench: &mut Bench<'_>, fcb: &Fcb) {
    let chip = bench.target.chip();
    let part = bench.target.flash();
    let place = bench.place(chip.boot.fcb_offset);
    let Some(opcode) = fcb.read_opcode().filter(|_| fcb.read_lines().is_some()) else {
        bench.findings.push(
            Finding::error(
                "fcb-no-read",
                "the FCB's look-up table has no read sequence at 0",
            )
            .at(place)
            .because("the boot ROM reads the IVT through sequence 0")
            .fix("correct the FCB, or leave it out: then one is inserted"),
        );
        return;
    };
    let image_end = bench.image.segments().last().map_or(0, |s| s.end());
    let window_start = u64::from(bench.target.flash_window().start().get());
    if fcb.sflash_a1_size == 0 {
        bench.findings.push(
            Finding::error("fcb-size", "the FCB gives the flash on A1 a size of 0")
                .at(place.clone())
                .because("the FlexSPI refuses every address beyond that size")
                .fix("set sflashA1Size to the size of the flash part"),
        );
    } else if u64::from(fcb.sflash_a1_size) < image_end.saturating_sub(window_start) {
        bench.findings.push(
            Finding::warning(
                "fcb-size",
                format!(
                    "the FCB gives the flash on A1 {} bytes, fewer than the image needs",
                    fcb.sflash_a1_size
                ),
            )
            .at(place.clone())
            .because("the FlexSPI refuses every address beyond that size"),
        );
    }
    let limit = part
        .read_command(opcode)
        .filter(|read| {
            u32::from(read.mode_clocks) + u32::from(read.dummy_clocks) == fcb.read_wait_clocks()
        })
        .map(|read| read.max_hz);
    let clock = chip.clock_of_code(fcb.serial_clk_freq);
    if let Some((limit, clock)) = limit.zip(clock).filter(|(limit, clock)| clock > limit) {
        bench.findings.push(
            Finding::warning(
                "fcb-clock",
                format!(
                    "the FCB reads with {opcode:02X}h at {} MHz; {} allows {} MHz with these dummy clocks",
                    clock / 1_000_000,
                    part.name,
                    limit / 1_000_000
                ),
            )
            .at(place)
            .because("NXP's own evaluation kits do this and work, but it is no data sheet setting"),
        );
    }
}
