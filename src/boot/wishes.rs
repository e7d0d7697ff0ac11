//! What the user wants of the boot header, where the defaults are not wanted.

use super::fcb::Fcb;
use crate::problem::{ExitCode, Place, Problem};

/// How a header is inserted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderWishes {
    /// Put new FCB, IVT and boot data in the place of those that the image brings, as far as it is not signed.
    pub replace: bool,
    /// This FCB instead of one made for the target.
    pub fcb: Option<Box<Fcb>>,
    /// Read command of a new FCB.
    pub read_opcode: Option<u8>,
    /// Highest clock of a new FCB in Hz.
    pub clock_hz: Option<u32>,
}

impl HeaderWishes {
    /// Takes an FCB from the content of a file: 512 bytes, or a longer file that begins with one.
    ///
    /// # Errors
    /// `fcb-file` (exit 13), where there is none.
    pub fn fcb_of(content: &[u8]) -> Result<Box<Fcb>, Problem> {
        content
            .first_chunk()
            .map(Fcb::parse)
            .filter(Fcb::has_tag)
            .map(Box::new)
            .ok_or_else(|| {
                Problem::new(
                    "fcb-file",
                    ExitCode::MalformedInput,
                    "the FCB file does not begin with 512 bytes of an FCB",
                )
                .at(Place::default())
                .because("an FCB begins with the bytes 46 43 46 42 (\"FCFB\")")
                .fix("give a raw binary file")
            })
    }
}
