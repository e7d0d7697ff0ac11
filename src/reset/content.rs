//! What in the flash keeps the ROM from booting, as far as sources settle it. Odd but harmless things are `boot`'s matter.

use super::cause::Cause;
use super::prove::FlashContent;
use crate::address::{Address, FlashOffset};
use crate::boot::{BootData, CSF_TAG, Present};
use crate::target::Chip;

/// Version class of an IVT: 4x.
const IVT_VERSION_CLASS: u8 = 0x40;

/// The first thing in the flash that the ROM cannot boot; `None` where all that was read looks right.
pub(super) fn obstacle(
    content: &FlashContent,
    chip: &Chip,
    closed_sbmr2: Option<u32>,
) -> Option<Cause> {
    let (present, offsets) = (&content.present, &chip.boot);
    let head = |offset| present.bytes_at::<4>(offset).copied();
    let fcb = present.fcb(offsets);
    if let (None, Some(found)) = (&fcb, head(offsets.fcb_offset)) {
        return Some(Cause::NoFcb { found });
    }
    if let (Some(fcb), Some(status)) = (&fcb, content.status_register)
        && fcb.needs_quad_enable()
        && status & content.quad_enable_mask == 0
        && fcb.device_mode_cfg_enable == 0
    {
        return Some(Cause::QuadEnableOff { status });
    }
    let found = head(offsets.ivt_offset)?;
    let Some(ivt) = present.ivt(offsets) else {
        return Some(Cause::NoIvt { found });
    };
    if ivt.length_bytes != crate::boot::Ivt::SIZE_BYTES as u16
        || ivt.version & 0xF0 != IVT_VERSION_CLASS
    {
        return Some(Cause::NoIvt { found });
    }
    let bad = |field, found, rule| Some(Cause::BadHeader { field, found, rule });
    if matches!(ivt.entry, 0 | u32::MAX) {
        return bad("IVT's entry", ivt.entry, "there is no address to jump to");
    }
    let flash_offset = |pointer: u32| offset_of(Address::new(pointer), chip);
    let boot_data =
        flash_offset(ivt.boot_data).and_then(|at| present.bytes_at::<{ BootData::SIZE_BYTES }>(at));
    if let Some(bytes) = boot_data {
        let boot_data = BootData::parse(bytes);
        if boot_data.length_bytes == 0 {
            return bad("boot data's length", 0, "the ROM takes the image as empty");
        }
    }
    let signed = ivt.csf != 0
        && flash_offset(ivt.csf).and_then(|at| first_byte(present, at)) == Some(CSF_TAG);
    closed_sbmr2
        .filter(|_| !signed)
        .map(|sbmr2| Cause::Closed { sbmr2 })
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
