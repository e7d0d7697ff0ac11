//! What must happen to the status registers: QE where the FCB reads on four lines, no protection where sectors change.

use crate::target::FlashPart;

/// A write of status registers, as status words: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusChange {
    /// The new value.
    pub value: u32,
    /// Bits that must read back so; the part keeps the others.
    pub mask: u32,
    /// Whether the present value protects blocks, so that even the tag could not be killed.
    pub unprotects: bool,
}

/// The status write that the job needs, if any. `needs_qe` says that the ROM is to read on four lines, `now` is what the registers hold, `changes` says that sectors change.
///
/// Bits that say nothing about QE or protection stay as they are; one-time bits are not even in the mask.
pub(super) fn status_change(
    needs_qe: bool,
    part: &FlashPart,
    now: u32,
    changes: bool,
) -> Option<StatusChange> {
    let quad_enable = part.quad_enable_mask();
    let lacks_qe = needs_qe && now & quad_enable == 0;
    let unprotects = changes && now & part.protection_mask() != 0;
    if !lacks_qe && !unprotects {
        return None;
    }
    let mask = part.status_mask();
    let kept = now & mask;
    let with_qe = if needs_qe { kept | quad_enable } else { kept };
    let value = if unprotects {
        with_qe & !part.protection_mask()
    } else {
        with_qe
    };
    Some(StatusChange {
        value,
        mask,
        unprotects,
    })
}
