//! How long steps take while their payload is transferred beside them.

use std::collections::VecDeque;
use std::time::Duration;

use super::SECTOR_BYTES;
use super::step::Step;
use crate::target::FlashPart;

/// How payload reaches the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes that the link carries in a second.
    pub bytes_per_second: u64,
    /// Bytes that may lie on the target before they are programmed.
    pub window_bytes: u32,
}

impl Pace {
    /// Time of `steps` by the part's typical times: each payload is programmed when it has arrived and what stands before
    /// it is done, and sent when the one before it is sent and there is room. Status writes and verifies do not count.
    pub fn time(&self, part: &FlashPart, steps: &[Step]) -> Duration {
        let mut flash = Duration::ZERO;
        let mut link = Duration::ZERO;
        // payload on the target: when it is programmed, and how much it is
        let mut waiting: VecDeque<(Duration, u32)> = VecDeque::new();
        let mut waiting_bytes = 0;
        for step in steps {
            if let Step::Erase { size_bytes, .. } = step {
                flash += Duration::from_micros(part.erase_typ_us(*size_bytes).into());
            }
            let Some((offset, length)) = step.programs() else {
                continue;
            };
            let mut left = length;
            let mut at = offset.get();
            while left > 0 {
                let bytes = left.min(SECTOR_BYTES - at % SECTOR_BYTES);
                while waiting_bytes + bytes > self.window_bytes
                    && let Some((done, freed)) = waiting.pop_front()
                {
                    link = link.max(done);
                    waiting_bytes -= freed;
                }
                link += self.transfer(bytes);
                let pages = bytes.div_ceil(part.page_bytes);
                let program = part.page_program.typ_us.saturating_mul(pages);
                flash = flash.max(link) + Duration::from_micros(program.into());
                waiting.push_back((flash, bytes));
                waiting_bytes += bytes;
                at += bytes;
                left -= bytes;
            }
        }
        flash
    }

    fn transfer(&self, bytes: u32) -> Duration {
        const NANOSECONDS: u64 = 1_000_000_000;
        Duration::from_nanos(u64::from(bytes) * NANOSECONDS / self.bytes_per_second.max(1))
    }
}
