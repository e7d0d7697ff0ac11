//! Verify: the target digests what the flash holds, the host compares, and a difference is found to the byte.

use std::fmt;

use mailbox::result::SECTOR_BYTES;
use mailbox::{Digest, digest};

use crate::address::FlashOffset;
use crate::algorithm::{Algorithm, AlgorithmError};
use crate::plan::{Plan, VerifyScope};

/// Bytes that the flash should hold from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// First byte.
    pub offset: FlashOffset,
    /// The bytes; never empty.
    pub bytes: Vec<u8>,
}

/// Proof that the flash held every expected byte when it was asked. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    ranges: Vec<(FlashOffset, u32, u32, Digest)>,
}

impl Verified {
    /// Bytes covered.
    pub fn bytes(&self) -> u64 {
        self.ranges
            .iter()
            .map(|(_, length, _, _)| u64::from(*length))
            .sum()
    }

    /// The ranges covered, as offset and length in bytes.
    pub fn ranges(&self) -> impl Iterator<Item = (FlashOffset, u32)> {
        self.ranges
            .iter()
            .map(|(offset, length, _, _)| (*offset, *length))
    }

    /// The digests as the target computed them, one sentence a range, for the record.
    pub fn digest_lines(&self) -> Vec<String> {
        let line = |(offset, length, nonce, Digest([a, b])): &(FlashOffset, u32, u32, Digest)| {
            format!(
                "{a:08x}{b:08x} under nonce {nonce:08x}: {length} bytes from offset {offset}, computed by the target"
            )
        };
        self.ranges.iter().map(line).collect()
    }
}

/// The first byte that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where it is.
    pub offset: FlashOffset,
    /// What should be there.
    pub expected: u8,
    /// What is there.
    pub found: u8,
}

impl Mismatch {
    /// Number of its 4 KiB sector.
    pub const fn sector(&self) -> u32 {
        self.offset.get() / SECTOR_BYTES
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch {
            offset,
            expected,
            found,
        } = self;
        write!(
            f,
            "flash offset {offset} (sector {}) holds 0x{found:02X} instead of 0x{expected:02X}",
            self.sector()
        )
    }
}

/// The answer to "does the flash hold this".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It does.
    Equal(Verified),
    /// It does not.
    Differs(Mismatch),
}

/// Why the question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The algorithm could not read.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// A digest and the bytes as read do not belong together: reading is not reliable.
    #[error("the flash reads differently each time, near {offset}")]
    Unstable {
        /// Start of the piece concerned.
        offset: FlashOffset,
    },
    /// Nothing to compare.
    #[error("there is nothing to verify")]
    Nothing,
}

impl From<VerifyError> for crate::problem::Problem {
    fn from(error: VerifyError) -> Self {
        use crate::problem::{ExitCode, Problem};
        let what = error.to_string();
        match error {
            VerifyError::Algorithm(error) => error.into(),
            VerifyError::Unstable { .. } => Problem::new(
                "flash-unstable",
                ExitCode::ReadFailed,
                what,
            )
            .because("two readings of the same bytes do not agree")
            .fix("check the flash part's wiring and supply, and the board description's `max_hz`"),
            VerifyError::Nothing => Problem::new("verify-nothing", ExitCode::Internal, what)
                .fix("start again with -v and report the log: this is a defect in rtflash"),
        }
    }
}

/// What a plan's verify step compares.
pub fn expected_by(plan: &Plan, scope: VerifyScope) -> Vec<Expected> {
    let ranges = plan.verify_ranges(scope).into_iter();
    ranges
        .filter_map(|(offset, length)| {
            Some(Expected {
                offset,
                bytes: plan.content(offset, length)?,
            })
        })
        .filter(|expected| !expected.bytes.is_empty())
        .collect()
}

/// Has the target digest every range under a new nonce and compares. Where one differs, its pieces are digested to find
/// the first sector that does, which is read to find the byte.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    algorithm: &mut Algorithm<'_, '_>,
    expected: &[Expected],
) -> Result<Verification, VerifyError> {
    if expected.is_empty() {
        return Err(VerifyError::Nothing);
    }
    let ranges: Vec<(FlashOffset, u32)> = expected
        .iter()
        .map(|e| (e.offset, e.bytes.len() as u32))
        .collect();
    let digests = algorithm.digests(&ranges)?;
    let mut verified = Vec::new();
    for (expected, (nonce, found)) in expected.iter().zip(digests) {
        if digest::digest(nonce, &expected.bytes) != found {
            return first_difference(algorithm, expected).map(Verification::Differs);
        }
        verified.push((expected.offset, expected.bytes.len() as u32, nonce, found));
    }
    Ok(Verification::Equal(Verified { ranges: verified }))
}

/// Has the target read again what was read before, because it is about to be decided by, or to be written back: a read that
/// went wrong once does not go wrong the same way twice.
///
/// # Errors
/// [`VerifyError::Unstable`] where it now reads otherwise.
pub fn confirm(algorithm: &mut Algorithm<'_, '_>, read: &[Expected]) -> Result<(), VerifyError> {
    let ranges: Vec<(FlashOffset, u32)> = read
        .iter()
        .map(|e| (e.offset, e.bytes.len() as u32))
        .collect();
    let digests = algorithm.digests(&ranges)?;
    for (read, (nonce, found)) in read.iter().zip(digests) {
        if digest::digest(nonce, &read.bytes) != found {
            return Err(VerifyError::Unstable {
                offset: read.offset,
            });
        }
    }
    Ok(())
}

fn first_difference(
    algorithm: &mut Algorithm<'_, '_>,
    expected: &Expected,
) -> Result<Mismatch, VerifyError> {
    let pieces = pieces(expected);
    let ranges: Vec<(FlashOffset, u32)> = pieces
        .iter()
        .map(|(offset, bytes)| (*offset, bytes.len() as u32))
        .collect();
    let digests = algorithm.digests(&ranges)?;
    for ((offset, bytes), (nonce, found)) in pieces.into_iter().zip(digests) {
        if digest::digest(nonce, bytes) == found {
            continue;
        }
        let read = algorithm.read(offset, bytes.len() as u32)?;
        let differing = (0..)
            .zip(bytes.iter().zip(read))
            .find(|(_, (expected, found))| **expected != *found);
        return match differing {
            Some((distance, (&expected, found))) => Ok(Mismatch {
                offset: FlashOffset::new(offset.get() + distance),
                expected,
                found,
            }),
            None => Err(VerifyError::Unstable { offset }),
        };
    }
    Err(VerifyError::Unstable {
        offset: expected.offset,
    })
}

/// The range cut at sector boundaries.
fn pieces(expected: &Expected) -> Vec<(FlashOffset, &[u8])> {
    let mut pieces = Vec::new();
    let mut at = expected.offset.get();
    let mut rest = expected.bytes.as_slice();
    while !rest.is_empty() {
        let room = (SECTOR_BYTES - at % SECTOR_BYTES) as usize;
        let (piece, left) = rest.split_at(room.min(rest.len()));
        pieces.push((FlashOffset::new(at), piece));
        at += piece.len() as u32;
        rest = left;
    }
    pieces
}
