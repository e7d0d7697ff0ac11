//! Where the L1 caches would serve old data: the model keeps no cached copies of RAM, it reports the hazard.
//!
//! A line that the core touched while a cache was on is taken to stay in it until it is maintained; that is
//! pessimistic, a real cache may evict it earlier. Cacheable accesses of the AHB-AP (probe-rs sets HPROT[3]) look the
//! data cache up and do not allocate in it; instruction fetches never see the data cache.

/// Cache line of the Cortex-M7, in bytes.
const LINE: u32 = 32;
/// Cacheable RAM: OCRAM2 and OCRAM.
const BASE: u32 = 0x2020_0000;
const BYTES: u32 = 0x0010_0000;
/// Set/way operations that a whole sweep of the data cache takes: 256 sets × 4 ways.
const SWEEP: u32 = 1024;

const IN_INSTRUCTION_CACHE: u8 = 1;
const INSTRUCTION_STALE: u8 = 2;
const IN_DATA_CACHE: u8 = 4;
const DATA_STALE: u8 = 8;
const DIRTY: u8 = 16;

/// Cache state of every line of OCRAM.
#[derive(Clone, Debug)]
pub struct Caches {
    lines: Vec<u8>,
    instruction_on: bool,
    data_on: bool,
    maintained: u32,
}

/// A line that a master would see wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// The core fetches from a line that changed after it entered the instruction cache.
    StaleInstruction,
    /// The core fetches from a line whose new content is only in the data cache.
    DirtyInstruction,
    /// The core reads with the data cache off what is only in the data cache.
    DirtyData,
    /// The core reads from the data cache what changed in memory while the cache was off.
    StaleData,
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The core: allocates in the data cache.
    Core,
    /// The AHB-AP: updates a line that is there, else memory.
    Debugger,
}

impl Default for Caches {
    fn default() -> Self {
        Caches {
            lines: vec![0; (BYTES / LINE) as usize],
            instruction_on: false,
            data_on: false,
            maintained: 0,
        }
    }
}

impl Caches {
    /// CCR.IC and CCR.DC.
    pub fn enable(&mut self, instruction: bool, data: bool) {
        self.instruction_on = instruction;
        self.data_on = data;
    }

    /// CCR.IC.
    pub fn instruction_on(&self) -> bool {
        self.instruction_on
    }

    /// CCR.DC.
    pub fn data_on(&self) -> bool {
        self.data_on
    }

    fn line(&mut self, address: u32) -> Option<&mut u8> {
        let offset = address.checked_sub(BASE)?;
        self.lines.get_mut((offset / LINE) as usize)
    }

    /// An instruction fetch.
    pub fn fetch(&mut self, address: u32) -> Option<Hazard> {
        let on = self.instruction_on;
        let line = self.line(address)?;
        if *line & DIRTY != 0 {
            return Some(Hazard::DirtyInstruction);
        }
        if on {
            if *line & INSTRUCTION_STALE != 0 {
                return Some(Hazard::StaleInstruction);
            }
            *line |= IN_INSTRUCTION_CACHE;
        }
        None
    }

    /// A data read by the core.
    pub fn read(&mut self, address: u32) -> Option<Hazard> {
        let on = self.data_on;
        let line = self.line(address)?;
        if on {
            *line |= IN_DATA_CACHE;
            (*line & DATA_STALE != 0).then_some(Hazard::StaleData)
        } else {
            (*line & DIRTY != 0).then_some(Hazard::DirtyData)
        }
    }

    /// A data write; `changed` tells whether the bytes differ from what is there.
    pub fn write(&mut self, address: u32, writer: Writer, changed: bool) {
        let on = self.data_on;
        let Some(line) = self.line(address) else {
            return;
        };
        if changed && *line & IN_INSTRUCTION_CACHE != 0 {
            *line |= INSTRUCTION_STALE;
        }
        if on && writer == Writer::Core {
            *line |= IN_DATA_CACHE;
        }
        if changed && *line & IN_DATA_CACHE != 0 {
            *line |= if on { DIRTY } else { DATA_STALE };
        }
        self.maintained = 0;
    }

    /// ICIALLU.
    pub fn invalidate_instruction(&mut self) {
        for line in &mut self.lines {
            *line &= !(IN_INSTRUCTION_CACHE | INSTRUCTION_STALE);
        }
    }

    /// One data cache operation by line or set and way; a whole sweep empties the cache.
    pub fn maintain_data(&mut self) {
        self.maintained += 1;
        if self.maintained >= SWEEP {
            for line in &mut self.lines {
                *line &= !(DIRTY | DATA_STALE | IN_DATA_CACHE);
            }
            self.maintained = 0;
        }
    }

    /// Chip reset: the caches come up off. What they held is invalid or unknown; software has to invalidate them.
    pub fn reset(&mut self) {
        self.enable(false, false);
        for line in &mut self.lines {
            *line &= !(DIRTY | DATA_STALE | IN_DATA_CACHE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: u32 = 0x2020_9000;

    #[test]
    fn code_written_while_the_instruction_cache_holds_the_line_is_stale_until_iciallu() {
        let mut c = Caches::default();
        c.enable(true, false);
        assert_eq!(c.fetch(CODE), None);
        c.write(CODE, Writer::Debugger, true);
        assert_eq!(c.fetch(CODE), Some(Hazard::StaleInstruction));
        c.invalidate_instruction();
        assert_eq!(c.fetch(CODE), None);
    }

    #[test]
    fn a_download_into_lines_of_the_data_cache_is_not_what_the_core_fetches() {
        let mut c = Caches::default();
        c.enable(true, true);
        assert_eq!(c.read(CODE), None);
        c.write(CODE, Writer::Debugger, true);
        assert_eq!(c.fetch(CODE), Some(Hazard::DirtyInstruction));
        c.enable(false, false);
        assert_eq!(
            c.fetch(CODE),
            Some(Hazard::DirtyInstruction),
            "turning the cache off does not clean it"
        );
        for _ in 0..SWEEP {
            c.maintain_data();
        }
        assert_eq!(c.fetch(CODE), None);
    }

    #[test]
    fn a_download_past_the_data_cache_leaves_an_old_copy_in_it() {
        let mut c = Caches::default();
        c.enable(false, true);
        c.read(CODE);
        c.enable(false, false);
        c.write(CODE, Writer::Debugger, true);
        assert_eq!(c.read(CODE), None, "memory is right");
        c.enable(false, true);
        assert_eq!(c.read(CODE), Some(Hazard::StaleData));
    }

    #[test]
    fn a_debugger_write_to_a_line_that_no_cache_holds_is_no_hazard() {
        let mut c = Caches::default();
        c.enable(true, true);
        c.write(CODE, Writer::Debugger, true);
        assert_eq!((c.fetch(CODE), c.read(CODE)), (None, None));
        c.write(0x2000_0000, Writer::Core, true);
        assert_eq!(
            c.fetch(0x2000_0000),
            None,
            "tightly coupled memory is not cached"
        );
    }
}
