//! What in the flash keeps the ROM from booting: what is settled first, then what is likely.

use super::cause::Cause;
use super::latched::Latched;
use super::prove::FlashContent;
use crate::address::{Address, FlashOffset};
use crate::boot::{CSF_TAG, Finding, Present, Severity, judge_present};
use crate::target::{Chip, Target};

/// Version class of an IVT: 4x.
const IVT_VERSION_CLASS: u8 = 0x40;
/// Findings on what the ROM itself looks at, by the beginning of their codes.
const OF_THE_ROM: [&str; 6] = ["fcb-", "ivt-", "boot-data-", "plugin", "dcd-", "bee-"];
/// Findings on what the core needs for its first instruction.
const OF_THE_ENTRY: [&str; 4] = ["entry-", "reset-", "stack-pointer", "vector-table"];
const OUTSIDE: [&str; 2] = ["entry-outside", "reset-outside"];
const OF_THE_FCB: &str = "fcb-";

/// Why the ROM does not start what the flash holds, where that is settled.
pub(super) fn obstacle(
    content: &FlashContent,
    target: &Target,
    latched: &Latched,
) -> Option<Cause> {
    missing(content, target)
        .or_else(|| {
            find(content, target, |finding| {
                finding.severity == Severity::Error
            })
        })
        .or_else(|| closed(content, target.chip(), latched))
}

/// Why the ROM may not start it; `None` where all that was read looks right. Asked for once the ROM did not.
pub(super) fn doubt(content: &FlashContent, target: &Target, latched: &Latched) -> Option<Cause> {
    let of_rom = |finding: &Finding| begins_with_any(finding, &OF_THE_ROM);
    latched
        .demand()
        .or_else(|| find(content, target, |f| f.uncertain && of_rom(f)))
}

/// What of the FCB works on some boards and not on others.
pub(super) fn warning(content: &FlashContent, target: &Target) -> Option<Cause> {
    find(content, target, |f| {
        f.severity == Severity::Warning && f.code.starts_with(OF_THE_FCB)
    })
}

fn find(content: &FlashContent, target: &Target, pick: impl Fn(&Finding) -> bool) -> Option<Cause> {
    let found = findings(content, target).into_iter().find(pick);
    found.map(|finding| Cause::Header(Box::new(finding)))
}

/// What is wrong with the way from the IVT's entry to the first instruction.
pub(super) fn entry_finding(content: &FlashContent, target: &Target) -> Option<Finding> {
    findings(content, target)
        .into_iter()
        .find(|finding| begins_with_any(finding, &OF_THE_ENTRY))
}

/// Why the first instruction is none of the image: it stands where nothing of it is.
pub(super) fn entry_nonsense(content: &FlashContent, target: &Target) -> Option<Finding> {
    findings(content, target)
        .into_iter()
        .find(|finding| OUTSIDE.contains(&finding.code))
}

/// Whether the ROM performs a DCD before it starts the image.
pub(super) fn has_dcd(content: &FlashContent, target: &Target) -> bool {
    let ivt = content.present.ivt(&target.chip().boot);
    ivt.is_some_and(|ivt| ivt.dcd != 0)
}

fn findings(content: &FlashContent, target: &Target) -> Vec<Finding> {
    let judgement = judge_present(&content.present, target);
    judgement.findings().into_iter().cloned().collect()
}

fn begins_with_any(finding: &Finding, codes: &[&str]) -> bool {
    codes.iter().any(|code| finding.code.starts_with(code))
}

/// FCB or IVT is not there, or cannot be read for want of QE.
fn missing(content: &FlashContent, target: &Target) -> Option<Cause> {
    let (present, offsets) = (&content.present, &target.chip().boot);
    let head = |offset| present.bytes_at::<4>(offset).copied();
    let fcb = present.fcb(offsets);
    if let (None, Some(found)) = (&fcb, head(offsets.fcb_offset)) {
        return Some(Cause::NoFcb { found });
    }
    if let (Some(fcb), Some(status)) = (&fcb, content.status_register)
        && fcb.needs_quad_enable()
        && status & target.flash().quad_enable_mask() == 0
        && fcb.device_mode_cfg_enable == 0
    {
        return Some(Cause::QuadEnableOff { status });
    }
    let found = head(offsets.ivt_offset)?;
    let ivt = present.ivt(offsets).filter(|ivt| {
        ivt.length_bytes == crate::boot::Ivt::SIZE_BYTES as u16
            && ivt.version & 0xF0 == IVT_VERSION_CLASS
    });
    ivt.is_none().then_some(Cause::NoIvt { found })
}

/// A closed part: the image is not signed, or its signature is not taken.
fn closed(content: &FlashContent, chip: &Chip, latched: &Latched) -> Option<Cause> {
    if !latched.config.is_closed() {
        return None;
    }
    let sbmr2 = latched.config.sbmr2;
    let ivt = content.present.ivt(&chip.boot)?;
    let csf = offset_of(Address::new(ivt.csf), chip).filter(|_| ivt.csf != 0);
    let signed = csf.and_then(|at| first_byte(&content.present, at)) == Some(CSF_TAG);
    Some(if signed {
        Cause::SignatureRefused { sbmr2 }
    } else {
        Cause::Closed { sbmr2 }
    })
}

fn first_byte(present: &Present, at: FlashOffset) -> Option<u8> {
    present.bytes_at::<1>(at).map(|[byte]| *byte)
}

fn offset_of(address: Address, chip: &Chip) -> Option<FlashOffset> {
    let window = chip.flexspi.window();
    window
        .contains(address)
        .then(|| address.checked_from(window.start()).map(FlashOffset::new))?
}
