//! Where the L1 caches would serve old data: the model keeps no cached copies of RAM, it reports the hazard.
//!
//! Lines are assumed to stay cached until they are maintained; that is pessimistic, a real cache may evict them earlier.
//! AHB-AP accesses go through the data cache while it is on (probe-rs sets HPROT[3]), instruction fetches do not.

/// Cache line of the Cortex-M7, in bytes.
const LINE: u32 = 32;
/// Cacheable RAM: OCRAM2 and OCRAM.
const BASE: u32 = 0x2020_0000;
const BYTES: u32 = 0x0010_0000;
/// Set/way operations that a whole sweep of the data cache takes: 256 sets × 4 ways.
const SWEEP: u32 = 1024;

const IN_INSTRUCTION_CACHE: u8 = 1;
const INSTRUCTION_STALE: u8 = 2;
const DIRTY: u8 = 4;

/// Cache state of every line of OCRAM.
#[derive(Clone, Debug)]
pub struct Caches {
    lines: Vec<u8>,
    instruction_on: bool,
    data_on: bool,
    clean_operations: u32,
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
}

impl Default for Caches {
    fn default() -> Self {
        Caches {
            lines: vec![0; (BYTES / LINE) as usize],
            instruction_on: false,
            data_on: false,
            clean_operations: 0,
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
        (!on && *line & DIRTY != 0).then_some(Hazard::DirtyData)
    }

    /// A data write by the core or, through the data cache, by the AHB-AP.
    pub fn write(&mut self, address: u32) {
        let on = self.data_on;
        if let Some(line) = self.line(address) {
            if *line & IN_INSTRUCTION_CACHE != 0 {
                *line |= INSTRUCTION_STALE;
            }
            if on {
                *line |= DIRTY;
            }
        }
        if on {
            self.clean_operations = 0;
        }
    }

    /// ICIALLU.
    pub fn invalidate_instruction(&mut self) {
        for line in &mut self.lines {
            *line &= !(IN_INSTRUCTION_CACHE | INSTRUCTION_STALE);
        }
    }

    /// DCIMVAC or DCISW: what was dirty is lost, which the caller has to answer for; memory is what counts from here.
    pub fn invalidate_data(&mut self) {
        self.sweep();
    }

    /// DCCxxx: one line or one set and way.
    pub fn clean_data(&mut self) {
        self.sweep();
    }

    fn sweep(&mut self) {
        self.clean_operations += 1;
        if self.clean_operations >= SWEEP {
            for line in &mut self.lines {
                *line &= !DIRTY;
            }
            self.clean_operations = 0;
        }
    }

    /// Chip reset: the caches come up off; their content is unknown until invalidated, the hazards stay.
    pub fn reset(&mut self) {
        self.enable(false, false);
        for line in &mut self.lines {
            *line &= !DIRTY;
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
        c.write(CODE);
        assert_eq!(c.fetch(CODE), Some(Hazard::StaleInstruction));
        c.invalidate_instruction();
        assert_eq!(c.fetch(CODE), None);
    }

    #[test]
    fn a_download_through_the_data_cache_is_not_what_the_core_fetches() {
        let mut c = Caches::default();
        c.enable(true, true);
        c.write(CODE);
        assert_eq!(c.fetch(CODE), Some(Hazard::DirtyInstruction));
        c.enable(false, false);
        assert_eq!(c.fetch(CODE), Some(Hazard::DirtyInstruction), "turning the cache off does not clean it");
        for _ in 0..SWEEP {
            c.clean_data();
        }
        assert_eq!(c.fetch(CODE), None);
    }

    #[test]
    fn tightly_coupled_memory_has_no_hazard() {
        let mut c = Caches::default();
        c.enable(true, true);
        c.write(0x2000_0000);
        assert_eq!(c.fetch(0x2000_0000), None);
    }
}
