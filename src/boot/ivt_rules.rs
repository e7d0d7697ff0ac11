//! The rules for IVT, boot data, DCD and CSF.

use super::boot_image::Entry;
use super::dcd::{self, DCD_HEADER_BYTES, DCD_LONGEST_BYTES, DCD_VERSIONS, DcdHeader, DcdStep};
use super::entry::{self, LoadMap};
use super::finding::Finding;
use super::ivt::{BootData, CSF_TAG, Ivt};
use super::judge::Bench;
use crate::address::Address;

const NOT_SETTLED: &str = "no source says whether the boot ROM tests this";
/// The boot ROM keeps its own data in OCRAM2 below this address (NXP MCUBootUtility: first free address).
const ROM_WORKING_RAM_END: u32 = 0x2020_8000;
const ROM_WORKING_RAM: u32 = 0x2020_0000;
const WORD_BYTES: u32 = 4;

/// Checks an IVT and what it points to; `None` where nothing further can be judged.
pub(super) fn check_ivt(bench: &mut Bench<'_>, ivt: &Ivt) -> Option<(LoadMap, BootData)> {
    let boot = &bench.target.chip().boot;
    let window = bench.target.flash_window();
    let place = bench.place(boot.ivt_offset);
    check_header(bench, ivt);
    let own = Address::new(ivt.self_address);
    let base = own.checked_sub(boot.ivt_offset.get());
    let in_place = base == Some(window.start());
    let in_ram = bench
        .target
        .chip()
        .ram
        .iter()
        .any(|ram| ram.range().contains(own));
    if !in_place
        && !in_ram
        && let Some(data) = boot_data_from_self(bench, ivt)
    {
        let what = format!("the IVT says it is at {own}, which is not its place in the flash");
        let why = "a boot ROM that counts pointers from `self` finds other boot data, and may go on with it";
        bench
            .findings
            .push(Finding::uncertain("ivt-self", what, why).at(place));
        return Some((LoadMap::in_place(window), data));
    }
    let Some(base) = base.filter(|_| in_place || in_ram) else {
        let other = bench.target.chip().flexspi.other_window().contains(own);
        let finding = Finding::error(
            "ivt-self",
            format!(
                "the IVT says it is at {own}, which is neither its place in the flash nor in RAM"
            ),
        )
        .at(place);
        bench.findings.push(if other {
            finding
                .because("that is the window of FlexSPI2, where an RT1064 has its flash: the RT1062 boots from FlexSPI1 only")
                .fix("link the image for the RT1062, at 0x60000000")
        } else {
            finding
                .because("the boot ROM finds boot data and entry by this address")
                .fix("link the IVT at 0x60001000 with that address as `self`")
        });
        return None;
    };
    let map = if in_place {
        LoadMap::in_place(window)
    } else {
        LoadMap::copied_to(window, base)
    };
    let data = check_boot_data(bench, ivt, map, base)?;
    check_dcd(bench, ivt, map);
    check_csf(bench, ivt, map);
    Some((map, data))
}

/// What a boot ROM that counts pointers from `self` takes for boot data, where it could go on with it.
fn boot_data_from_self(bench: &Bench<'_>, ivt: &Ivt) -> Option<BootData> {
    let ivt_address = bench
        .target
        .address_of(bench.target.chip().boot.ivt_offset)?;
    let distance = ivt.boot_data.wrapping_sub(ivt.self_address);
    let stored = Address::new(ivt_address.get().wrapping_add(distance));
    let bytes = bench
        .image
        .bytes_at(stored, BootData::SIZE_BYTES)?
        .first_chunk()?;
    let data = BootData::parse(bytes);
    let window = bench.target.chip().flexspi.window();
    let in_ram = bench
        .target
        .chip()
        .ram
        .iter()
        .any(|ram| ram.range().contains(Address::new(data.start)));
    let possible = window.contains(Address::new(data.start)) || in_ram;
    (possible && data.length_bytes != 0).then_some(data)
}

fn check_header(bench: &mut Bench<'_>, ivt: &Ivt) {
    let place = bench.place(bench.target.chip().boot.ivt_offset);
    let mut odd = |code, what: String| {
        let finding = Finding::uncertain(code, what, NOT_SETTLED).at(place.clone());
        bench.findings.push(finding);
    };
    if usize::from(ivt.length_bytes) != Ivt::SIZE_BYTES {
        odd(
            "ivt-length",
            format!(
                "the IVT's header gives its length as {} instead of 32",
                ivt.length_bytes
            ),
        );
    }
    if !Ivt::VERSIONS.contains(&ivt.version) {
        odd(
            "ivt-version",
            format!(
                "the IVT has version 0x{:02X}; 0x40 to 0x43 are known",
                ivt.version
            ),
        );
    }
    if ivt.reserved_08 != 0 || ivt.reserved_1c != 0 {
        odd(
            "ivt-reserved",
            "a reserved word of the IVT is not 0".to_owned(),
        );
    }
}

fn check_boot_data(
    bench: &mut Bench<'_>,
    ivt: &Ivt,
    map: LoadMap,
    base: Address,
) -> Option<BootData> {
    let pointer = Address::new(ivt.boot_data);
    let stored = map.stored_at(pointer);
    let bytes: Option<[u8; BootData::SIZE_BYTES]> = stored
        .and_then(|stored| bench.image.bytes_at(stored, BootData::SIZE_BYTES))
        .and_then(|bytes| bytes.try_into().ok());
    let Some((bytes, stored)) = bytes.zip(stored) else {
        let finding = Finding::error(
            "ivt-boot-data",
            format!("the IVT's boot data pointer {pointer} lies outside the image"),
        )
        .at(bench.place(bench.target.chip().boot.ivt_offset))
        .because("without boot data the boot ROM does not know where the image belongs")
        .fix("link the boot data behind the IVT, usually at 0x60001020");
        entry::refuse(bench, finding, stored);
        return None;
    };
    let data = BootData::parse(&bytes);
    let place = bench.image.place_of(stored).unwrap_or_default();
    let mut say = |finding: Finding| bench.findings.push(finding.at(place.clone()));
    if !pointer.is_aligned_to(WORD_BYTES) {
        say(Finding::uncertain(
            "boot-data-alignment",
            format!("the boot data at {pointer} is not aligned to 4 bytes"),
            NOT_SETTLED,
        ));
    }
    if data.start != base.get() {
        let what = format!(
            "the boot data's start {} does not fit the IVT, which belongs to {base}",
            Address::new(data.start)
        );
        say(Finding::uncertain("boot-data-start", what, NOT_SETTLED));
    }
    let image_end = bench.end;
    let window_start = u64::from(bench.target.flash_window().start().get());
    if data.length_bytes == 0 {
        say(
            Finding::error("boot-data-length", "the boot data's length is 0")
                .because("a boot with length 0 was measured to fail")
                .fix("set it to the length of the image counted from 0x60000000"),
        );
    } else if u64::from(data.length_bytes) < image_end.saturating_sub(window_start) {
        say(Finding::warning(
            "boot-data-length",
            format!(
                "the boot data's length of {} bytes does not cover the image",
                data.length_bytes
            ),
        )
        .because("an open part that executes in place boots all the same, a closed one does not"));
    }
    if data.plugin != 0 {
        say(Finding::uncertain(
            "plugin",
            "the boot data marks a plugin image",
            "the boot ROM would call it and expect it to return",
        ));
    }
    Some(data)
}

/// Checks an image that the ROM copies to RAM: where it lands, and whether its entry comes along.
pub(super) fn check_copied(bench: &mut Bench<'_>, ivt: &Ivt, data: &BootData, entry: &Entry) {
    let own = Address::new(ivt.self_address);
    let place = bench.place(bench.target.chip().boot.boot_data_offset);
    let start = Address::new(data.start);
    let end = u64::from(data.start) + u64::from(data.length_bytes);
    let chip = bench.target.chip();
    let in_place = chip.flexspi.window().contains(start);
    let consistent = start.checked_add(chip.boot.ivt_offset.get()) == Some(own);
    if in_place || !consistent {
        return;
    }
    let in_default_ram = chip.ram.iter().any(|ram| {
        let from = u64::from(ram.address.get());
        (from..=from + u64::from(ram.default_bytes)).contains(&end) && ram.address <= start
    });
    let in_rom_data = data.start < ROM_WORKING_RAM_END && end > u64::from(ROM_WORKING_RAM);
    if !in_default_ram || in_rom_data {
        bench.findings.push(
            Finding::uncertain(
                "boot-data-ram",
                format!(
                    "the boot ROM would copy {} bytes to {start}, which is not all RAM that it may fill",
                    data.length_bytes
                ),
                "the FlexRAM split by fuses and the boot ROM's own data decide",
            )
            .at(place.clone()),
        );
    }
    let copied = |address: Address| {
        address
            .checked_from(start)
            .is_some_and(|distance| distance < data.length_bytes)
    };
    let table_copied = entry.vector_table.is_none_or(copied);
    if !(table_copied && copied(entry.reset_handler)) {
        bench.findings.push(
            Finding::error(
                "boot-data-length",
                format!(
                    "the boot ROM copies {} bytes to {start}, and the entry is not among them",
                    data.length_bytes
                ),
            )
            .at(place)
            .because("it would jump to RAM that nobody filled")
            .fix("set the boot data's length to that of the image counted from flash offset 0"),
        );
    }
}

fn check_dcd(bench: &mut Bench<'_>, ivt: &Ivt, map: LoadMap) {
    if ivt.dcd == 0 {
        return;
    }
    let pointer = Address::new(ivt.dcd);
    let place = bench.place(bench.target.chip().boot.ivt_offset);
    let found = dcd_header(bench, ivt.dcd, map);
    let mut say = |finding: Finding| bench.findings.push(finding.at(place.clone()));
    let Some((header, stored)) = found else {
        say(Finding::uncertain(
            "dcd-tag",
            format!("the IVT's DCD pointer {pointer} leads to no DCD"),
            "NXP ships working images like this, and others call it an error",
        ));
        return;
    };
    let bytes = bench
        .image
        .bytes_at(stored, usize::from(header.length_bytes));
    let Some(bytes) = bytes.filter(|_| header.has_possible_length()) else {
        say(Finding::uncertain(
            "dcd-range",
            format!(
                "the DCD at {pointer} gives its length as {} bytes; it must lie in the image and have 4 to {DCD_LONGEST_BYTES}",
                header.length_bytes
            ),
            NOT_SETTLED,
        ));
        return;
    };
    if !DCD_VERSIONS.contains(&header.version) {
        say(Finding::uncertain(
            "dcd-version",
            format!(
                "the DCD has version 0x{:02X}; 0x40 and 0x41 are known",
                header.version
            ),
            NOT_SETTLED,
        ));
    }
    match dcd::walk(bytes) {
        Err(fault) => say(Finding::uncertain(
            "dcd-command",
            format!("the DCD at {pointer} is malformed: {fault}"),
            NOT_SETTLED,
        )),
        Ok(steps) => {
            let waits = steps
                .iter()
                .any(|step| matches!(step, DcdStep::Unlock | DcdStep::Check { tries: None, .. }));
            if waits {
                say(Finding::uncertain(
                    "dcd-waits",
                    "the DCD waits for a register without limit, or unlocks something",
                    "whether it comes to its end depends on the board",
                ));
            }
        }
    }
    if !pointer.is_aligned_to(WORD_BYTES) {
        say(Finding::uncertain(
            "dcd-alignment",
            format!("the DCD at {pointer} is not aligned to 4 bytes"),
            NOT_SETTLED,
        ));
    }
}

fn check_csf(bench: &mut Bench<'_>, ivt: &Ivt, map: LoadMap) {
    if ivt.csf == 0 {
        return;
    }
    let place = bench.place(bench.target.chip().boot.ivt_offset);
    let Some(stored) = map.stored_at(Address::new(ivt.csf)) else {
        bench.findings.push(
            Finding::uncertain(
                "csf-range",
                format!(
                    "the IVT's CSF pointer {} lies outside the flash part",
                    Address::new(ivt.csf)
                ),
                "an open part may ignore it",
            )
            .at(place),
        );
        return;
    };
    let tag = bench.image.bytes_at(stored, 1).and_then(<[u8]>::first);
    if tag == Some(&CSF_TAG) {
        if let Some(at) = bench.of_unit_below(stored) {
            bench.findings.push(
                Finding::error(
                    "data-signed",
                    format!("bytes of this unit only, at {at}, lie in the signed part of the image (HAB)"),
                )
                .at(bench.brought.place_of(at).unwrap_or_default())
                .because("the signature, on the board or in the files, is over other bytes: a closed part refuses the image")
                .fix("put them into a `block` behind the signed part; let a CRC cover only what the image brings itself"),
            );
        }
        bench.findings.push(
            Finding::note(
                "signed",
                "the image is signed (HAB): only an FCB may be added to it",
            )
            .at(place),
        );
    }
}

/// Whether a CSF stands where the IVT says: then nothing in the signed range may change.
pub(super) fn is_signed(bench: &Bench<'_>, ivt: &Ivt) -> bool {
    LoadMap::of(ivt, bench.target)
        .and_then(|map| map.stored_at(Address::new(ivt.csf)))
        .and_then(|stored| bench.image.bytes_at(stored, 1))
        .is_some_and(|bytes| bytes == [CSF_TAG])
}

/// Whether the IVT belongs to an image that the ROM copies to RAM: no new one can be made for it.
pub(super) fn is_copied(bench: &Bench<'_>, ivt: &Ivt) -> bool {
    let own = Address::new(ivt.self_address);
    let mut ram = bench.target.chip().ram.iter();
    ram.any(|ram| ram.range().contains(own))
}

/// Whether a DCD stands where `pointer` leads.
pub(super) fn has_dcd(bench: &Bench<'_>, pointer: u32, map: LoadMap) -> bool {
    dcd_header(bench, pointer, map).is_some()
}

fn dcd_header(bench: &Bench<'_>, pointer: u32, map: LoadMap) -> Option<(DcdHeader, Address)> {
    let stored = map.stored_at(Address::new(pointer))?;
    let bytes = bench.image.bytes_at(stored, DCD_HEADER_BYTES)?;
    let header = DcdHeader::parse(*bytes.first_chunk()?)?;
    Some((header, stored))
}
