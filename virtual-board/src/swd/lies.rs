//! A probe or a bridge that lies: memory reads answered with what was there before, memory writes taken and not done.

use std::collections::HashMap;
use std::ops::Range;

use super::{ApError, ApTarget, WireFaults};
use crate::bus::Width;

/// What has been read and written through the access port, and how often a fault made it something else.
#[derive(Clone, Debug, Default)]
pub(super) struct Lies {
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) strikes: u64,
    /// What the reads gave, by address; kept only where a fault may ask for it.
    given: HashMap<u32, u32>,
}

/// The chip as the access port reaches it.
pub(super) struct Lying<'a> {
    pub(super) target: &'a mut dyn ApTarget,
    pub(super) faults: &'a WireFaults,
    pub(super) lies: &'a mut Lies,
}

fn has(ranges: &[Range<u64>], number: u64) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}

impl ApTarget for Lying<'_> {
    fn ap_read(&mut self, address: u32, width: Width, csw: u32) -> Result<u32, ApError> {
        let value = self.target.ap_read(address, width, csw)?;
        let number = self.lies.reads;
        self.lies.reads += 1;
        if self.faults.replayed_reads.is_empty() {
            return Ok(value);
        }
        let former = self.lies.given.get(&address).copied();
        match former.filter(|_| has(&self.faults.replayed_reads, number)) {
            Some(former) => {
                self.lies.strikes += u64::from(former != value);
                Ok(former)
            }
            None => {
                self.lies.given.insert(address, value);
                Ok(value)
            }
        }
    }

    fn ap_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        csw: u32,
    ) -> Result<(), ApError> {
        if has(&self.faults.lost_writes, self.lies.writes) {
            self.lies.writes += 1;
            self.lies.strikes += 1;
            return Ok(());
        }
        self.target.ap_write(address, width, value, csw)?;
        self.lies.writes += 1;
        Ok(())
    }

    fn debug_powered(&self) -> bool {
        self.target.debug_powered()
    }

    fn port_open(&self) -> bool {
        self.target.port_open()
    }

    fn set_nreset(&mut self, level: bool) {
        self.target.set_nreset(level);
    }
}
