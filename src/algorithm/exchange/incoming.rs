//! What the target says: status, results, replies.

use mailbox::layout::{REPLIES_BYTES, REPLY_MAX_BYTES, RESULT_BYTES, RESULT_SLOTS};
use mailbox::{Request, ResultRecord, Status, crc, result};

use super::{Damaged, Exchange, Outcome, is_before};

/// How often a record that arrived damaged is read again.
const READ_AGAIN: u32 = 3;

impl Exchange {
    pub(super) fn take_status(&mut self, status: Status) -> Result<(), Damaged> {
        // The block has no checksum. It may say less than the truth; more than was asked for it cannot say, unless it
        // arrived damaged, or the doorbell did and the target has run on into what nobody has put.
        if is_before(self.requests_put, status.results_put) {
            self.status_due = true;
            self.impossible += 1;
            self.read_again += 1;
            let sequence = self.requests_put;
            let may_look_again = self.impossible <= READ_AGAIN;
            return may_look_again.then_some(()).ok_or(Damaged { sequence });
        }
        self.impossible = 0;
        while is_before(self.chunks_counted, status.payload_taken) && status.fault.is_none() {
            let Some(bytes) = self.chunk_bytes.pop_front() else {
                break;
            };
            self.programmed_bytes += u64::from(bytes);
            self.chunks_counted = self.chunks_counted.wrapping_add(1);
        }
        self.status = Some(status);
        Ok(())
    }

    /// The oldest request that has ended and whose record must be read; those that need no record are ended here.
    pub(super) fn result_due(&mut self) -> Option<u32> {
        let status = self.status?;
        while let Some(first) = self.in_flight.front() {
            let ended = status.results_put.wrapping_sub(first.sequence);
            if ended == 0 || ended > RESULT_SLOTS {
                return None;
            }
            // The status was read after its counter: a fault of this request would stand in it.
            let no_fault = status.fault.is_none();
            if !(no_fault
                && matches!(
                    first.request,
                    Request::Erase { .. } | Request::Program { .. }
                ))
            {
                return Some(first.sequence);
            }
            let outcome = Outcome {
                request: first.request,
                result: Ok(()),
                values: [0; 2],
                reply: Vec::new(),
            };
            self.outcomes.insert(first.sequence, outcome);
            self.in_flight.pop_front();
        }
        None
    }

    pub(super) fn take_result(&mut self, sequence: u32, words: &[u32]) -> Result<(), Damaged> {
        debug_assert_eq!(RESULT_BYTES as usize, result::WORDS * 4);
        let record = words
            .first_chunk()
            .and_then(|words| ResultRecord::from_words(words, sequence))
            .filter(has_possible_reply);
        let Some(record) = record else {
            return self.again(sequence);
        };
        self.damaged = 0;
        if record.reply_length > 0 {
            self.reply_due = Some(record);
        } else {
            self.finish(&record, Vec::new());
        }
        Ok(())
    }

    pub(super) fn take_reply(
        &mut self,
        record: ResultRecord,
        words: &[u32],
    ) -> Result<(), Damaged> {
        let mut crc = crc::Crc32::new();
        words.iter().for_each(|word| crc.word(*word));
        if crc.finish() != record.reply_crc {
            return self.again(record.sequence);
        }
        self.damaged = 0;
        self.reply_due = None;
        self.replies_taken = record
            .reply_start
            .wrapping_add(record.reply_length.next_multiple_of(4));
        // Only a target that has more to say needs the room at once.
        self.doorbell_due |= self.in_flight.len() > 1 || !self.waiting.is_empty();
        self.finish(&record, words.to_vec());
        Ok(())
    }

    /// How many records were read again because they had arrived damaged.
    pub const fn read_again(&self) -> u64 {
        self.read_again
    }

    /// Leaves everything as it is, so that the same read comes again.
    pub(super) fn again(&mut self, sequence: u32) -> Result<(), Damaged> {
        self.damaged += 1;
        self.read_again += 1;
        if self.damaged > READ_AGAIN {
            Err(Damaged { sequence })
        } else {
            Ok(())
        }
    }

    pub(super) fn finish(&mut self, record: &ResultRecord, reply: Vec<u32>) {
        if let Some(first) = self.in_flight.pop_front() {
            let (result, values) = (record.outcome, record.values);
            let outcome = Outcome {
                request: first.request,
                result,
                values,
                reply,
            };
            self.outcomes.insert(record.sequence, outcome);
        }
    }
}

/// Whether the reply can lie where the record says: aligned, no longer than a reply may be, and inside the ring. A checksum
/// proves that a record arrived as it was written, not that it was written well.
fn has_possible_reply(record: &ResultRecord) -> bool {
    let (start, length) = (record.reply_start, record.reply_length);
    length <= REPLY_MAX_BYTES
        && start.is_multiple_of(4)
        && start % REPLIES_BYTES + length.next_multiple_of(4) <= REPLIES_BYTES
}
