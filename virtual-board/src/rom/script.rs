//! The ROM's actions on the bus: a short script is queued by each decision and then performed one action a step.

use super::dcd::Condition;
use super::{Outcome, RefusalReason, Rom, RomBus};
use crate::bus::{BusFault, Width};
use crate::time::Time;

/// Words copied or filled in one step.
const WORDS_PER_STEP: u32 = 64;
/// What the ROM spends between two looks at a flag.
const POLL_PAUSE: Time = Time::us(1);
/// Longest time that passes in one step.
const LONGEST_STEP: Time = Time::us(20);
/// A wait without limit counts as a hang after this.
const HANG_AFTER: Time = Time::ms(200);

/// One action.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Reads a word into the results.
    Read { address: u32, doing: &'static str },
    /// Reads `words` words into the results.
    ReadMany {
        address: u32,
        words: u32,
        doing: &'static str,
    },
    /// Writes.
    Write {
        address: u32,
        width: Width,
        value: u32,
        doing: &'static str,
    },
    /// Sets and clears bits.
    Modify {
        address: u32,
        width: Width,
        set: u32,
        clear: u32,
        doing: &'static str,
    },
    /// Waits until `value & mask == wanted`.
    Poll {
        address: u32,
        mask: u32,
        wanted: u32,
        limit: Time,
        what: &'static str,
    },
    /// Waits for a DCD condition: `tries` reads, or for ever.
    Check {
        address: u32,
        width: Width,
        mask: u32,
        condition: Condition,
        tries: Option<u32>,
        dcd: u32,
        at: u32,
    },
    /// Fills memory with a pattern.
    Fill { address: u32, end: u32 },
    /// Copies words.
    Copy { from: u32, to: u32, bytes: u32 },
    /// Passes time.
    Spend(Time),
    /// Turns MPU set-up and caches on.
    ProtectAndCache { mpu: bool, caches: bool },
}

impl Rom {
    pub(super) fn queue(&mut self, actions: impl IntoIterator<Item = Action>) {
        self.script.extend(actions);
    }

    pub(super) fn perform(
        &mut self,
        action: Action,
        bus: &mut dyn RomBus,
    ) -> Result<(), RefusalReason> {
        match action {
            Action::Read { address, doing } => {
                let word = read(bus, address, Width::Word, doing)?;
                self.results.push(word);
            }
            Action::ReadMany {
                address,
                words,
                doing,
            } => {
                let word = read(bus, address, Width::Word, doing)?;
                self.results.push(word);
                if words > 1 {
                    self.script.push_front(Action::ReadMany {
                        address: address + 4,
                        words: words - 1,
                        doing,
                    });
                }
            }
            Action::Write {
                address,
                width,
                value,
                doing,
            } => write(bus, address, width, value, doing)?,
            Action::Modify {
                address,
                width,
                set,
                clear,
                doing,
            } => {
                let value = read(bus, address, width, doing)?;
                write(bus, address, width, (value & !clear) | set, doing)?;
            }
            Action::Poll {
                address,
                mask,
                wanted,
                limit,
                what,
            } => {
                let value = read(bus, address, Width::Word, what)?;
                let since = *self.poll_since.get_or_insert_with(|| bus.now());
                if value & mask == wanted {
                    self.poll_since = None;
                } else if bus.now().saturating_sub(since) > limit {
                    return Err(RefusalReason::TimedOut { what });
                } else {
                    bus.spend(POLL_PAUSE);
                    self.script.push_front(Action::Poll {
                        address,
                        mask,
                        wanted,
                        limit,
                        what,
                    });
                }
            }
            Action::Check {
                address,
                width,
                mask,
                condition,
                tries,
                dcd,
                at,
            } => {
                let value = read(bus, address, width, "runs a DCD check")?;
                let since = *self.poll_since.get_or_insert_with(|| bus.now());
                if condition.holds(value, mask) {
                    self.poll_since = None;
                    return Ok(());
                }
                let reason = || RefusalReason::Dcd {
                    address: dcd,
                    at,
                    why: format!(
                        "check of {address:#010X} never holds: reads {value:#X}, mask {mask:#X}"
                    ),
                };
                if tries.is_some_and(|tries| tries <= 1) {
                    return Err(reason());
                }
                if bus.now().saturating_sub(since) > HANG_AFTER && tries.is_none() {
                    self.outcome = Some(Outcome::Hangs(reason()));
                }
                bus.spend(POLL_PAUSE);
                let tries = tries.map(|tries| tries - 1);
                self.script.push_front(Action::Check {
                    address,
                    width,
                    mask,
                    condition,
                    tries,
                    dcd,
                    at,
                });
            }
            Action::Fill { address, end } => {
                let stop = end.min(address + 4 * WORDS_PER_STEP);
                for at in (address..stop).step_by(4) {
                    // The ROM's variables: any value that nobody could mistake for his own.
                    write(bus, at, Width::Word, !at, "clears its working RAM")?;
                }
                if stop < end {
                    self.script.push_front(Action::Fill { address: stop, end });
                }
            }
            Action::Copy { from, to, bytes } => {
                let now = bytes.min(4 * WORDS_PER_STEP);
                for offset in (0..now).step_by(4) {
                    let word = read(
                        bus,
                        from.wrapping_add(offset),
                        Width::Word,
                        "copies the image to RAM",
                    )?;
                    write(
                        bus,
                        to.wrapping_add(offset),
                        Width::Word,
                        word,
                        "copies the image to RAM",
                    )?;
                }
                if now < bytes {
                    let (from, to) = (from.wrapping_add(now), to.wrapping_add(now));
                    self.script.push_front(Action::Copy {
                        from,
                        to,
                        bytes: bytes - now,
                    });
                }
            }
            Action::Spend(span) => {
                // in pieces, so that a debugger sees the ROM in the middle of it
                let piece = span.min(LONGEST_STEP);
                bus.spend(piece);
                if span > piece {
                    self.script.push_front(Action::Spend(span - piece));
                }
            }
            Action::ProtectAndCache { mpu, caches } => {
                bus.set_mpu(mpu);
                bus.set_caches(caches);
            }
        }
        Ok(())
    }
}

pub(super) fn read(
    bus: &mut dyn RomBus,
    address: u32,
    width: Width,
    doing: &'static str,
) -> Result<u32, RefusalReason> {
    bus.read(address, width)
        .map_err(|BusFault| RefusalReason::BusError { address, doing })
}

fn write(
    bus: &mut dyn RomBus,
    address: u32,
    width: Width,
    value: u32,
    doing: &'static str,
) -> Result<(), RefusalReason> {
    bus.write(address, width, value)
        .map_err(|BusFault| RefusalReason::BusError { address, doing })
}
