//! `read`: from a range of the flash to a file, each byte proven by a digest that the target makes; nothing is changed.

use std::io::Write;
use std::path::Path;

use mailbox::result::SECTOR_BYTES;
use sha2::{Digest, Sha256};

use super::output::{self, OutputFile};
use super::pack::{PackFormat, Run as Piece};
use super::run::Run;
use super::{Bench, Job, Observer, Outcome, RangeChoice, range};
use crate::address::FlashOffset;
use crate::algorithm::{Algorithm, SectorDigests};
use crate::boot::ERASED;
use crate::link::Link;
use crate::problem::{ExitCode, Problem};
use crate::report::{OutputRecord, RangeRecord, ReadRecord, RetryRecord, Verdict, hex};
use crate::verify::{Expected, Verification, Verified, VerifyError, verify};

/// Sectors that are read in one go, between two looks at whether to go on.
const SECTORS_AT_ONCE: usize = 16;
/// Name of the standard output in messages.
const STDOUT: &str = "standard output";

/// Where the bytes go.
pub enum Destination<'d> {
    /// Into a file, in this format.
    File {
        /// The file, begun.
        file: OutputFile,
        /// Its format.
        format: PackFormat,
    },
    /// As they are.
    Stream(&'d mut dyn Write),
}

impl std::fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Destination::File { file, format } => write!(f, "{file:?} as {format:?}"),
            Destination::Stream(_) => f.write_str(STDOUT),
        }
    }
}

/// What is to be read.
#[derive(Debug)]
pub struct ReadRequest<'d> {
    /// The range; the whole part where there is none.
    pub range: Option<RangeChoice>,
    /// Leaves sectors that are erased out of the file, in formats that know addresses.
    pub skip_erased: bool,
    /// Where the bytes go.
    pub destination: Destination<'d>,
}

/// Reads a range of the flash. Nothing non-volatile is changed; the board is reset before and after.
pub fn read(
    job: &Job<'_>,
    request: ReadRequest<'_>,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("read", job, bench, observer);
    let verdict = run.read(request);
    run.finish(verdict)
}

/// Bytes of whole sectors as they arrived, and which of those sectors are erased.
struct Arrived {
    first_sector: u32,
    bytes: Vec<u8>,
    erased: Vec<bool>,
    repeated: u32,
}

impl Arrived {
    fn sector_mut(&mut self, sector: u32) -> Option<&mut [u8]> {
        let from = (sector.checked_sub(self.first_sector)? * SECTOR_BYTES) as usize;
        self.bytes.get_mut(from..from + SECTOR_BYTES as usize)
    }
}

impl Run<'_> {
    fn read(&mut self, request: ReadRequest<'_>) -> Result<Verdict, Problem> {
        let target = self.job.target;
        let (offset, length) = match &request.range {
            Some(choice) => choice.within(target)?,
            None => range::whole(target),
        };
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, _) = self.survey(link)?;
        let arrived = self.take(offset, length, &mut algorithm);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        self.let_run(link);
        let (arrived, verified) = arrived?;
        // a part that does not know its own ID any more has not told what it holds
        stopped?;
        self.record.digest = verified.digest_lines();
        self.deliver(request, offset, length, &arrived)
    }

    /// Reads the sectors that a range lies in, and proves what arrived. What did not arrive as the target digests it is
    /// read once more.
    fn take(
        &mut self,
        offset: FlashOffset,
        length: u32,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(Arrived, Verified), Problem> {
        self.note_counts(algorithm);
        self.begin("map");
        let first = offset.get() / SECTOR_BYTES;
        let sectors = (offset.get() + length).div_ceil(SECTOR_BYTES) - first;
        let map = algorithm.map(first, sectors)?;
        let all = first..first + sectors;
        let is_erased = |sector: u32| map.is_blank(sector) == Some(true);
        let mut arrived = Arrived {
            first_sector: first,
            bytes: vec![ERASED; (sectors * SECTOR_BYTES) as usize],
            erased: all.clone().map(is_erased).collect(),
            repeated: 0,
        };
        self.note_counts(algorithm);
        self.begin("read");
        let filled: Vec<u32> = all.clone().filter(|sector| !is_erased(*sector)).collect();
        self.fetch(&filled, &mut arrived, algorithm)?;
        self.note_counts(algorithm);
        self.begin("verify");
        if let Some(verified) = prove(&arrived, algorithm)? {
            return Ok((arrived, verified));
        }
        let again = algorithm.map(first, sectors)?;
        let wrong = differing(&again, &mut arrived, all);
        arrived.repeated = wrong.len() as u32;
        let at = FlashOffset::new(wrong.first().map_or(first, |sector| *sector) * SECTOR_BYTES);
        let unstable = || Problem::from(VerifyError::Unstable { offset: at });
        // where no sector differs now, comparing once more is all that is repeated
        let times = u64::from(arrived.repeated).max(1);
        self.note_retry(RetryRecord::of(
            "what was read was compared again, and sectors that differed were read again",
            times,
            &unstable(),
        ));
        self.fetch(&wrong, &mut arrived, algorithm)?;
        match prove(&arrived, algorithm)? {
            Some(verified) => Ok((arrived, verified)),
            None => Err(unstable()),
        }
    }

    /// Reads whole sectors.
    fn fetch(
        &mut self,
        sectors: &[u32],
        arrived: &mut Arrived,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(), Problem> {
        let total = sectors.len() as u64 * u64::from(SECTOR_BYTES);
        let mut done = 0;
        for run in sectors.chunk_by(|a, b| a + 1 == *b) {
            for some in run.chunks(SECTORS_AT_ONCE) {
                let going_on = self.go_on();
                going_on.map_err(|problem| problem.fix("start again: no file was written"))?;
                let Some(first) = some.first() else {
                    continue;
                };
                let length = some.len() as u32 * SECTOR_BYTES;
                let read = algorithm.read(FlashOffset::new(first * SECTOR_BYTES), length)?;
                for (sector, bytes) in some.iter().zip(read.chunks(SECTOR_BYTES as usize)) {
                    if let Some(place) = arrived.sector_mut(*sector) {
                        place.copy_from_slice(bytes);
                    }
                }
                done += u64::from(length);
                self.observer.progress(done, total);
            }
        }
        Ok(())
    }

    /// Writes what was read, and notes it.
    fn deliver(
        &mut self,
        request: ReadRequest<'_>,
        offset: FlashOffset,
        length: u32,
        arrived: &Arrived,
    ) -> Result<Verdict, Problem> {
        let target = self.job.target;
        let from = (offset.get() - arrived.first_sector * SECTOR_BYTES) as usize;
        let bytes = arrived.bytes.get(from..from + length as usize);
        let (Some(bytes), Some(start)) = (bytes, target.address_of(offset)) else {
            return Err(Problem::new(
                "read-range",
                ExitCode::Internal,
                "the range is not where it was read",
            ));
        };
        let mut record = ReadRecord {
            range: RangeRecord::new(offset, length, target),
            sha256: hex(&Sha256::digest(bytes)),
            erased_sectors: arrived.erased.iter().filter(|erased| **erased).count() as u32,
            erased_left_out: request.skip_erased,
            sectors_repeated: arrived.repeated,
            output: None,
        };
        let whole = Piece { start, bytes };
        let name = match request.destination {
            Destination::Stream(stream) => {
                let written = stream.write_all(bytes).and_then(|()| stream.flush());
                written.map_err(|error| output::unwritable(Path::new(STDOUT), &error))?;
                STDOUT.to_owned()
            }
            Destination::File { file, format } => {
                let pieces = if request.skip_erased {
                    without_erased(&whole, from, &arrived.erased)
                } else {
                    vec![whole]
                };
                let given: u64 = pieces.iter().map(|piece| piece.bytes.len() as u64).sum();
                let content = format.content(&pieces)?;
                let name = file.path().display().to_string();
                file.finish(&content)?;
                record.output = Some(OutputRecord::new(
                    name.clone(),
                    format_name(format),
                    content.len() as u64,
                    format.brings_bytes(given, &content) - given,
                    &Sha256::digest(&content).into(),
                ));
                name
            }
        };
        self.record.read = Some(record);
        Ok(Verdict::done(format!(
            "{length} bytes from {start} read and proven by the target's digest, to {name}"
        )))
    }
}

/// A binary begins with the range, unlike that of `pack`.
const fn format_name(format: PackFormat) -> &'static str {
    match format {
        PackFormat::Binary => "raw binary of the range",
        other => other.name(),
    }
}

/// Whether what arrived is what the target digests now.
fn prove(
    arrived: &Arrived,
    algorithm: &mut Algorithm<'_, '_>,
) -> Result<Option<Verified>, Problem> {
    let expected = Expected {
        offset: FlashOffset::new(arrived.first_sector * SECTOR_BYTES),
        bytes: arrived.bytes.clone(),
    };
    match verify(algorithm, &[expected]) {
        Ok(Verification::Equal(verified)) => Ok(Some(verified)),
        Ok(Verification::Differs(_)) | Err(VerifyError::Unstable { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The sectors that arrived otherwise than the target digests them now. What was taken for erased is only so if it still is.
fn differing(
    map: &SectorDigests,
    arrived: &mut Arrived,
    mut sectors: std::ops::Range<u32>,
) -> Vec<u32> {
    let mut wrong = Vec::new();
    let mut states = arrived.erased.iter_mut();
    let mut contents = arrived.bytes.chunks(SECTOR_BYTES as usize);
    while let (Some(sector), Some(erased), Some(content)) =
        (sectors.next(), states.next(), contents.next())
    {
        if map.holds(sector, content) != Some(true) {
            *erased = map.is_blank(sector) == Some(true);
            wrong.push(sector);
        }
    }
    wrong
}

/// The pieces of a range, which begins `from` bytes into its first sector, that lie in sectors that are not erased.
fn without_erased<'b>(whole: &Piece<'b>, from: usize, erased: &[bool]) -> Vec<Piece<'b>> {
    let mut pieces = Vec::new();
    let (mut start, mut rest) = (whole.start, whole.bytes);
    let mut room = SECTOR_BYTES as usize - from;
    for erased in erased {
        let (bytes, behind) = rest.split_at(room.min(rest.len()));
        if !erased && !bytes.is_empty() {
            pieces.push(Piece { start, bytes });
        }
        start = start.checked_add(bytes.len() as u32).unwrap_or(start);
        (rest, room) = (behind, SECTOR_BYTES as usize);
    }
    pieces
}
