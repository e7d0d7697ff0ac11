//! A link without a probe: its memory is the mailbox area and plain RAM, its registers are the board's, and whoever wants to
//! lie gets every word to change.

use std::collections::HashMap;
use std::time::Duration;

use flexspi_nor::bus::Bus;
use mailbox::layout::{AREA_ADDRESS, AREA_BYTES};
use mailbox::words::Words;
use rtflash::address::Address;
use rtflash::clock::Clock;
use rtflash::link::registers::{
    AIRCR, AIRCR_SYSRESETREQ, CPUID, DCRSR, DHCSR, DHCSR_C_HALT, DHCSR_S_HALT, DHCSR_S_REGRDY,
};
use rtflash::link::{Counts, Doing, Link, LinkError};
use rtflash::target::{Chip, Registers};
use target_side::target::Target;
use virtual_board::rom::content_word;
use virtual_board::time::Time;

/// A round trip of a fast probe, and what a word adds at 15 MHz.
const ROUND_TRIP: Time = Time::us(150);
const WORD: Time = Time::ns(3_000);

const ITCM_DTCM: std::ops::Range<u32> = 0x0000_0000..0x2008_0000;
const OCRAM: std::ops::Range<u32> = 0x2020_0000..0x2030_0000;
const ROM: std::ops::Range<u32> = 0x0020_0000..0x0022_0000;
const PRIVATE: u32 = 0xE000_0000;

/// One access on its way.
pub struct Access<'w> {
    /// Address of the first word.
    pub address: u32,
    pub is_write: bool,
    /// What the target gets, or what the host gets.
    pub words: &'w mut [u32],
    /// Words written that the target does not get, although the host is told so; empty for a read.
    pub lost: &'w mut [bool],
}

/// Changes what goes over the wire.
pub type Tap = Box<dyn FnMut(Access<'_>)>;

/// The target's time, which passes when the host waits.
struct Clockwork(Target);

impl Clock for Clockwork {
    fn now(&self) -> Duration {
        self.0.now().into()
    }
    fn sleep(&self, span: Duration) {
        self.0.run_for(span.into());
    }
}

/// The link.
pub struct Wire {
    clockwork: Clockwork,
    /// From this access on the cable is cut; the target runs on.
    pub cut_at: Option<u64>,
    pub tap: Option<Tap>,
    accesses: u64,
    registers: Registers,
    cpuid: u32,
    ocram: Vec<u32>,
    /// ITCM and DTCM.
    tightly_coupled: HashMap<u32, u32>,
    private: HashMap<u32, u32>,
    halted: bool,
    counts: Counts,
}

impl Wire {
    pub fn new(target: Target, chip: &Chip) -> Self {
        Wire {
            clockwork: Clockwork(target),
            cut_at: None,
            tap: None,
            accesses: 0,
            registers: chip.registers.clone(),
            cpuid: chip.identity.cpuid_value,
            ocram: vec![0; OCRAM.len() / 4],
            tightly_coupled: HashMap::new(),
            private: HashMap::new(),
            halted: false,
            counts: Counts::default(),
        }
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.clockwork.0
    }

    /// Accesses so far.
    pub fn accesses(&self) -> u64 {
        self.accesses
    }

    /// The time of an access passes; its words move in the middle of it.
    fn transfer(
        &mut self,
        address: u32,
        words: &mut [u32],
        is_write: bool,
    ) -> Result<(), LinkError> {
        let number = self.accesses;
        self.accesses += 1;
        if self.cut_at.is_some_and(|at| number >= at) {
            let (address, words) = (Address::new(address), words.len());
            let doing = if is_write {
                Doing::Writing { address, words }
            } else {
                Doing::Reading { address, words }
            };
            return Err(LinkError::TargetLost { doing });
        }
        let mut span = ROUND_TRIP;
        for _ in 0..words.len() {
            span += WORD;
        }
        let half = Time::ps(span.as_ps() / 2);
        self.target().run_for(half);
        let mut lost = vec![false; if is_write { words.len() } else { 0 }];
        if is_write {
            self.tap(address, words, &mut lost);
        }
        let end = address + words.len() as u32 * 4;
        let plain = address.checked_sub(OCRAM.start).filter(|_| {
            Wire::in_area(end).is_none() && end <= AREA_ADDRESS && !lost.contains(&true)
        });
        if let Some(from) = plain {
            // the blob goes there: many words, and nobody but the link looks at them
            let here = &mut self.ocram[from as usize / 4..][..words.len()];
            if is_write {
                here.copy_from_slice(words);
            } else {
                words.copy_from_slice(here);
            }
        }
        let each = if plain.is_some() { 0 } else { words.len() };
        let words_here = (address..).step_by(4).zip(words.iter_mut().take(each));
        for (index, (at, word)) in words_here.enumerate() {
            if !is_write {
                *word = self.load(at)?;
            } else if !lost[index] {
                self.store(at, *word);
            }
        }
        if !is_write {
            self.tap(address, words, &mut lost);
        }
        self.target().run_for(half);
        Ok(())
    }

    fn tap(&mut self, address: u32, words: &mut [u32], lost: &mut [bool]) {
        if let Some(tap) = &mut self.tap {
            tap(Access {
                address,
                is_write: !lost.is_empty(),
                words,
                lost,
            });
        }
    }

    fn in_area(address: u32) -> Option<u32> {
        address
            .checked_sub(AREA_ADDRESS)
            .filter(|offset| *offset < AREA_BYTES)
    }

    fn load(&mut self, address: u32) -> Result<u32, LinkError> {
        if let Some(offset) = Wire::in_area(address) {
            return Ok(self.target().area.load(offset));
        }
        if ROM.contains(&address) {
            let address = Address::new(address);
            let doing = Doing::Reading { address, words: 1 };
            return content_word(address.get()).ok_or(LinkError::BusFault { doing });
        }
        if OCRAM.contains(&address) {
            return Ok(self.ocram[(address - OCRAM.start) as usize / 4]);
        }
        if ITCM_DTCM.contains(&address) {
            return Ok(self.tightly_coupled.get(&address).copied().unwrap_or(0));
        }
        if address == CPUID.get() {
            return Ok(self.cpuid);
        }
        if address == DHCSR.get() {
            let halted = if self.halted { DHCSR_S_HALT } else { 0 };
            return Ok(DHCSR_S_REGRDY | halted);
        }
        if address >= PRIVATE && address != AIRCR.get() {
            return Ok(self.private.get(&address).copied().unwrap_or(0));
        }
        Ok(self.target().board.clone().read32(address))
    }

    fn store(&mut self, address: u32, word: u32) {
        if let Some(offset) = Wire::in_area(address) {
            self.target().area.store(offset, word);
        } else if OCRAM.contains(&address) {
            self.ocram[(address - OCRAM.start) as usize / 4] = word;
        } else if ITCM_DTCM.contains(&address) {
            self.tightly_coupled.insert(address, word);
        } else if address == DHCSR.get() {
            let halt = word & DHCSR_C_HALT != 0;
            // the registers of a halted core were set to the algorithm's entry
            if self.halted && !halt && self.private.contains_key(&DCRSR.get()) {
                self.target().start();
            }
            self.halted = halt;
        } else if address == AIRCR.get() {
            if word & AIRCR_SYSRESETREQ != 0 {
                self.target().reset();
            }
        } else if address >= PRIVATE {
            self.private.insert(address, word);
        } else {
            self.target().board.clone().write32(address, word);
        }
    }

    fn write_words(&mut self, address: Address, words: &[u32]) -> Result<(), LinkError> {
        self.counts.writes += 1;
        self.counts.words_written += words.len() as u64;
        self.transfer(address.get(), &mut words.to_vec(), true)
    }
}

impl Link for Wire {
    fn read(&mut self, address: Address, words: &mut [u32]) -> Result<(), LinkError> {
        self.counts.reads += 1;
        self.counts.words_read += words.len() as u64;
        self.transfer(address.get(), words, false)
    }

    fn write(&mut self, address: Address, words: &[u32]) -> Result<(), LinkError> {
        self.write_words(address, words)
    }

    fn write_in_order(&mut self, pieces: &[(Address, Vec<u32>)]) -> Result<(), LinkError> {
        pieces
            .iter()
            .try_for_each(|(address, words)| self.write_words(*address, words))
    }

    fn write_once(&mut self, address: Address, word: u32) -> Result<(), LinkError> {
        self.write_words(address, &[word])
    }

    fn caught_reset(&mut self) -> Result<(), LinkError> {
        self.target().reset();
        self.private.clear();
        self.halted = true;
        self.target().run_for(ROUND_TRIP);
        Ok(())
    }

    fn reattach(&mut self) -> Result<(), LinkError> {
        Ok(())
    }

    fn set_speed_khz(&mut self, _khz: u32) -> Result<(), LinkError> {
        Ok(())
    }

    fn registers(&self) -> &Registers {
        &self.registers
    }

    fn clock(&self) -> &dyn Clock {
        &self.clockwork
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}
