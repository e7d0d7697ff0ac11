//! A run of image bytes that knows, byte for byte, the file and position it came from.

use super::source::{Position, Source};
use crate::address::{Address, AddressRange};

/// From this byte of the segment on, bytes come from `source` and what follows it, until the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    from: usize,
    source: Source,
}

/// A gapless run of bytes at a bus address; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    start: Address,
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// Two pieces bring the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overlap {
    /// First address that both bring.
    pub address: Address,
    /// The piece that stands earlier in the file.
    pub first: Position,
    /// The other.
    pub second: Position,
}

impl Segment {
    /// A piece from one source, or `None` if it is empty or leaves the 32-bit bus.
    pub(super) fn new(start: Address, bytes: Vec<u8>, source: Source) -> Option<Self> {
        let length = u32::try_from(bytes.len()).ok()?;
        if length == 0 || AddressRange::new(start, length).is_none() {
            return None;
        }
        Some(Segment {
            start,
            bytes,
            runs: vec![Run { from: 0, source }],
        })
    }

    /// First address.
    pub const fn start(&self) -> Address {
        self.start
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Address behind the last byte, as 33-bit number because the bus may end there.
    pub fn end(&self) -> u64 {
        u64::from(self.start.get()) + self.bytes.len() as u64
    }

    /// The byte at `address`.
    pub fn byte_at(&self, address: Address) -> Option<u8> {
        let index = address.checked_from(self.start)? as usize;
        self.bytes.get(index).copied()
    }

    /// Where the byte at `address` came from.
    pub fn source_of(&self, address: Address) -> Option<Source> {
        let index = address.checked_from(self.start)? as usize;
        if index >= self.bytes.len() {
            return None;
        }
        let run = self.runs.partition_point(|run| run.from <= index);
        let run = self.runs.get(run.checked_sub(1)?)?;
        Some(run.source.advanced(index - run.from))
    }

    /// The runs of bytes that come from one input each: address, length in bytes, index of the input.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Address, u32, usize)> {
        let ends = self.runs.iter().skip(1).map(|run| run.from);
        let runs = self.runs.iter().zip(ends.chain([self.bytes.len()]));
        runs.filter_map(|(run, end)| {
            let start = self.start.checked_add(u32::try_from(run.from).ok()?)?;
            let length = u32::try_from(end.checked_sub(run.from)?).ok()?;
            Some((start, length, run.source.input))
        })
    }

    /// The part of the segment inside `range`.
    pub(super) fn piece_in(&self, range: AddressRange) -> Option<(Address, &[u8])> {
        let range_start = u64::from(range.start().get());
        let from = u64::from(self.start.get()).max(range_start);
        let to = self
            .end()
            .min(range_start + u64::from(range.length_bytes()));
        if from >= to {
            return None;
        }
        let base = u64::from(self.start.get());
        let bytes = self
            .bytes
            .get((from - base) as usize..(to - base) as usize)?;
        Some((Address::new(u32::try_from(from).ok()?), bytes))
    }

    /// The first address that does not lie in `window`.
    pub(super) fn first_outside(&self, window: AddressRange) -> Option<Address> {
        if !window.contains(self.start) {
            return Some(self.start);
        }
        let window_end = u64::from(window.start().get()) + u64::from(window.length_bytes());
        if self.end() <= window_end {
            return None;
        }
        u32::try_from(window_end).ok().map(Address::new)
    }

    /// The same bytes with every input index raised by `by`.
    pub(super) fn with_inputs_moved(mut self, by: usize) -> Self {
        for run in &mut self.runs {
            run.source.input += by;
        }
        self
    }

    /// The same bytes `by` further up, or `None` beyond the 32-bit bus.
    pub(super) fn moved_up(self, by: u32) -> Option<Self> {
        let start = self.start.checked_add(by)?;
        AddressRange::new(start, u32::try_from(self.bytes.len()).ok()?)?;
        Some(Segment { start, ..self })
    }

    /// What `others` do not bring already, and the first address at which one of them brings another value.
    pub(super) fn without(&self, others: &[Segment]) -> (Vec<Segment>, Option<Address>) {
        for (first, at, theirs) in self.shared_with(others) {
            let ours = self
                .bytes
                .get(first..first + theirs.len())
                .unwrap_or_default();
            if let Some(difference) = ours.iter().zip(theirs).position(|(a, b)| a != b) {
                return (Vec::new(), at.checked_add(difference as u32));
            }
        }
        (self.outside(others), None)
    }

    /// What `others` do not bring, whatever they bring elsewhere.
    pub(super) fn outside(&self, others: &[Segment]) -> Vec<Segment> {
        let mut rest = Vec::new();
        let mut from = 0;
        for (first, _, theirs) in self.shared_with(others) {
            rest.extend(self.cut(from, first));
            from = from.max(first + theirs.len());
        }
        rest.extend(self.cut(from, self.bytes.len()));
        rest
    }

    /// The parts of `others` inside this segment, ascending: index of the first byte, its address, their bytes.
    fn shared_with<'o>(&self, others: &'o [Segment]) -> Vec<(usize, Address, &'o [u8])> {
        let Some(range) = AddressRange::new(self.start, self.bytes.len() as u32) else {
            return Vec::new();
        };
        let pieces = others.iter().filter_map(|other| other.piece_in(range));
        let mut shared: Vec<_> = pieces
            .filter_map(|(at, theirs)| Some((at.checked_from(self.start)? as usize, at, theirs)))
            .collect();
        shared.sort_by_key(|(first, ..)| *first);
        shared
    }

    fn cut(&self, from: usize, to: usize) -> Option<Segment> {
        let bytes = self.bytes.get(from..to)?.to_vec();
        if bytes.is_empty() {
            return None;
        }
        let runs = self
            .runs
            .iter()
            .enumerate()
            .filter(|(index, run)| {
                let end = self
                    .runs
                    .get(index + 1)
                    .map_or(usize::MAX, |next| next.from);
                run.from < to && end > from
            })
            .map(|(_, run)| Run {
                from: run.from.saturating_sub(from),
                source: run.source.advanced(from.saturating_sub(run.from)),
            })
            .collect();
        Some(Segment {
            start: self.start.checked_add(u32::try_from(from).ok()?)?,
            bytes,
            runs,
        })
    }

    fn append(&mut self, later: Segment) {
        let moved = self.bytes.len();
        self.bytes.extend(later.bytes);
        for run in later.runs {
            self.begin_run(run.from + moved, run.source);
        }
    }

    /// From this byte on, bytes come from `source`.
    fn begin_run(&mut self, from: usize, source: Source) {
        let continued = self.runs.last();
        let continued = continued.map(|last| last.source.advanced(from - last.from));
        if continued != Some(source) {
            self.runs.push(Run { from, source });
        }
    }
}

/// Pieces in the order of their file. A piece right behind the one before continues it: most do.
#[derive(Default)]
pub(super) struct Pieces(Vec<Segment>);

impl Pieces {
    /// Adds bytes, or returns `None` where they leave the 32-bit bus. No bytes are no piece.
    pub(super) fn add(&mut self, start: Address, bytes: &[u8], source: Source) -> Option<()> {
        AddressRange::new(start, u32::try_from(bytes.len()).ok()?)?;
        match self.0.last_mut() {
            _ if bytes.is_empty() => {}
            Some(last) if last.end() == u64::from(start.get()) => {
                last.begin_run(last.bytes.len(), source);
                last.bytes.extend_from_slice(bytes);
            }
            _ => self.0.push(Segment::new(start, bytes.to_vec(), source)?),
        }
        Some(())
    }

    /// The pieces.
    pub(super) fn into_segments(self) -> Vec<Segment> {
        self.0
    }
}

/// Sorts pieces and joins those that touch.
///
/// # Errors
/// The first [`Overlap`] by address.
pub(super) fn join(mut pieces: Vec<Segment>) -> Result<Vec<Segment>, Overlap> {
    pieces.sort_by_key(|piece| piece.start);
    let mut joined: Vec<Segment> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.end() > u64::from(piece.start.get()) => {
                return Err(overlap(last, &piece));
            }
            Some(last) if last.end() == u64::from(piece.start.get()) => last.append(piece),
            _ => joined.push(piece),
        }
    }
    Ok(joined)
}

fn overlap(a: &Segment, b: &Segment) -> Overlap {
    let address = b.start;
    let position = |segment: &Segment| {
        segment
            .source_of(address)
            .map_or(Position::Offset(0), |source| source.position)
    };
    let (a, b) = (position(a), position(b));
    let in_order = (a.line(), a.offset()) <= (b.line(), b.offset());
    let (first, second) = if in_order { (a, b) } else { (b, a) };
    Overlap {
        address,
        first,
        second,
    }
}
