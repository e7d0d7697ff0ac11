//! One step of a plan, and what each programming step writes.

use std::fmt;

use crate::address::FlashOffset;

/// What a verify step compares with the final content. The *mark* is what makes an image count: the FCB, or the first
/// sector of a slot; its *tag* is the first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyScope {
    /// Every sector of the plan except the mark.
    AllButMark,
    /// The mark except its tag.
    MarkWithoutTag,
    /// Every sector of the plan, mark and tag included.
    Everything,
}

/// One step. The order of the steps is the promise that a cut never leaves a board that boots half an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Program the tag of the mark to 0, so that the ROM, or the bootloader, no longer starts what is there.
    KillTag {
        /// The tag word.
        offset: FlashOffset,
    },
    /// Write non-volatile bits of the status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    SetStatus {
        /// New value.
        value: u32,
        /// Bits that must read back so.
        mask: u32,
    },
    /// Erase one unit.
    Erase {
        /// First byte, a multiple of the size.
        offset: FlashOffset,
        /// Size of the unit in bytes.
        size_bytes: u32,
    },
    /// Program final content.
    Program {
        /// First byte.
        offset: FlashOffset,
        /// Length in bytes; may span pages.
        length_bytes: u32,
    },
    /// Program the mark without its tag.
    ProgramHeader {
        /// First byte.
        offset: FlashOffset,
        /// Length in bytes.
        length_bytes: u32,
    },
    /// Program the tag: the commit.
    ProgramTag {
        /// First byte.
        offset: FlashOffset,
        /// Length in bytes: the tag word, or its page on parts that program a page only once.
        length_bytes: u32,
    },
    /// Compare; the next step must wait for the result.
    Verify(VerifyScope),
}

impl Step {
    /// The range that the step programs, of any kind.
    pub const fn programs(&self) -> Option<(FlashOffset, u32)> {
        match *self {
            Step::KillTag { offset } => Some((offset, crate::boot::Fcb::TAG_BYTES)),
            Step::Program {
                offset,
                length_bytes,
            }
            | Step::ProgramHeader {
                offset,
                length_bytes,
            }
            | Step::ProgramTag {
                offset,
                length_bytes,
            } => Some((offset, length_bytes)),
            Step::SetStatus { .. } | Step::Erase { .. } | Step::Verify(_) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::KillTag { offset } => write!(f, "program the tag at {offset} to 0"),
            Step::SetStatus { value, .. } => write!(f, "set the status register to 0x{value:02X}"),
            Step::Erase { offset, size_bytes } => write!(f, "erase {size_bytes} bytes at {offset}"),
            Step::Program {
                offset,
                length_bytes,
            } => write!(f, "program {length_bytes} bytes at {offset}"),
            Step::ProgramHeader {
                offset,
                length_bytes,
            } => write!(
                f,
                "program what follows the tag, {length_bytes} bytes at {offset}"
            ),
            Step::ProgramTag { offset, .. } => write!(f, "program the tag at {offset}"),
            Step::Verify(VerifyScope::AllButMark) => write!(f, "verify all but the mark"),
            Step::Verify(VerifyScope::MarkWithoutTag) => write!(f, "verify the mark without tag"),
            Step::Verify(VerifyScope::Everything) => write!(f, "verify everything"),
        }
    }
}
