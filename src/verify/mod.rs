//! Verify: the target digests what the flash holds, the host compares, and a difference is found to the byte.

mod difference;

use mailbox::{Digest, digest};

pub use difference::{Difference, Look, Mismatch};

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

/// The answer to "does the flash hold this".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It does.
    Equal(Verified),
    /// It does not.
    Differs(Box<Difference>),
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
                .fix("start again with -vv and report the log: this is a defect in rtflash"),
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

/// Has the target digest every range under a new nonce and compares. Where some differ, their sectors are digested
/// to find those that do, of which the first ones are read to find the bytes.
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
    let mut differing = Vec::new();
    for (expected, (nonce, found)) in expected.iter().zip(digests) {
        if digest::digest(nonce, &expected.bytes) == found {
            verified.push((expected.offset, expected.bytes.len() as u32, nonce, found));
        } else {
            differing.push(expected);
        }
    }
    if differing.is_empty() {
        return Ok(Verification::Equal(Verified { ranges: verified }));
    }
    let difference = difference::find(algorithm, &differing, difference::sectors_in(expected))?;
    Ok(Verification::Differs(Box::new(difference)))
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
