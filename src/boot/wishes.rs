//! What the user wants of the boot header, where the defaults are not wanted.

use std::path::PathBuf;

use super::fcb::Fcb;
use crate::problem::{ExitCode, Place, Problem};

/// What happens to FCB, IVT and boot data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderPolicy {
    /// What the image lacks is made and inserted.
    #[default]
    InsertMissing,
    /// All is made anew and put in the place of what the image brings, as far as it is not signed.
    Replace,
    /// What the image lacks stays as the board holds it.
    KeepOfBoard,
    /// Nothing is asked of the header: the bytes are not meant to boot.
    DataOnly,
}

/// An FCB that the user brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenFcb {
    /// The block.
    pub fcb: Fcb,
    /// The file it was read from.
    pub file: PathBuf,
}

impl GivenFcb {
    /// Takes an FCB from the content of a file: 512 bytes, or a longer file that begins with one.
    ///
    /// # Errors
    /// `fcb-file` (exit 13), where there is none.
    pub fn read(file: PathBuf, content: &[u8]) -> Result<Self, Problem> {
        match content
            .first_chunk()
            .map(Fcb::parse)
            .filter(Fcb::has_tag)
        {
            Some(fcb) => Ok(GivenFcb { fcb, file }),
            None => Err(Problem::new(
                "fcb-file",
                ExitCode::MalformedInput,
                "the FCB file does not begin with 512 bytes of an FCB",
            )
            .at(Place::in_file(file, None))
            .because("an FCB begins with the bytes 46 43 46 42 (\"FCFB\")")
            .fix("give a raw binary file that begins with an FCB, such as a picture of a flash that boots")),
        }
    }
}

/// How a header is inserted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderWishes {
    /// What happens to what the image brings or lacks.
    pub policy: HeaderPolicy,
    /// This FCB in place of one made for the target.
    pub fcb: Option<Box<GivenFcb>>,
    /// Read command of a new FCB.
    pub read_opcode: Option<u8>,
    /// Highest clock of a new FCB in Hz.
    pub clock_hz: Option<u32>,
}

impl HeaderWishes {
    /// Only a policy.
    pub fn only(policy: HeaderPolicy) -> Self {
        HeaderWishes {
            policy,
            ..HeaderWishes::default()
        }
    }

    /// Whether something is wished of a header that we write.
    pub fn makes_header(&self) -> bool {
        self.policy == HeaderPolicy::Replace || self.fcb.is_some() || self.shapes_a_new_fcb()
    }

    /// Whether something is wished of an FCB that we make.
    pub const fn shapes_a_new_fcb(&self) -> bool {
        self.read_opcode.is_some() || self.clock_hz.is_some()
    }
}
