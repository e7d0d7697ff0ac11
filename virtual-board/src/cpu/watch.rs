//! DWT comparators, PC samples and cycle counter; FPB breakpoints (ARMv7-M ARM C1.8 and C1.11, Cortex-M7 TRM).

use crate::bus::Width;

/// Kind of access a comparator sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An instruction is about to execute.
    Instruction,
    /// Data read.
    Read,
    /// Data write.
    Write,
}

#[derive(Clone, Copy, Debug, Default)]
struct Comparator {
    comp: u32,
    mask: u32,
    function: u32,
    matched: bool,
}

/// The data watchpoint and trace unit: four comparators.
#[derive(Clone, Debug, Default)]
pub struct Dwt {
    control: u32,
    comparators: [Comparator; 4],
    cycles_base: u64,
}

impl Dwt {
    /// Base address of the block.
    pub const BASE: u32 = 0xE000_1000;
    const CYCCNTENA: u32 = 1;
    const NUMCOMP: u32 = 4 << 28;
    /// Writable bits of DWT_CTRL.
    const CTRL_MASK: u32 = 0x007F_1FFF;
    const MATCHED: u32 = 1 << 24;

    /// True where a comparator watches instruction addresses.
    pub fn watches_instructions(&self) -> bool {
        self.comparators
            .iter()
            .any(|c| matches!(c.function & 0xF, 4 | 8))
    }

    /// True where a comparator watches data.
    pub fn watches_data(&self) -> bool {
        self.comparators
            .iter()
            .any(|c| matches!(c.function & 0xF, 5..=7 | 9..=11))
    }

    /// Shows one access to the comparators; true where one of them asks for a halt.
    pub fn observe(&mut self, kind: Kind, address: u32) -> bool {
        let mut halt = false;
        for c in &mut self.comparators {
            let wants = match c.function & 0xF {
                4 | 8 => kind == Kind::Instruction,
                5 | 9 => kind == Kind::Read,
                6 | 10 => kind == Kind::Write,
                7 | 11 => kind != Kind::Instruction,
                _ => false,
            };
            let ignore = (1u32 << (c.mask & 0x1F)) - 1;
            if wants && (address ^ c.comp) & !ignore == 0 {
                c.matched = true;
                halt |= (4..=7).contains(&(c.function & 0xF));
            }
        }
        halt
    }

    /// Reads a register; `cycles` is the core's cycle counter, `pc` the sample for DWT_PCSR.
    pub fn read(&mut self, offset: u32, cycles: u64, pc: u32) -> Option<u32> {
        Some(match offset {
            0x000 => self.control | Self::NUMCOMP,
            0x004 => self.cycle_count(cycles),
            0x008 | 0x00C | 0x010 | 0x014 | 0x018 => 0,
            0x01C => pc,
            0x020..0x060 => {
                let c = self.comparators.get_mut(((offset - 0x20) / 16) as usize)?;
                match offset & 0xC {
                    0x0 => c.comp,
                    0x4 => c.mask,
                    0x8 => {
                        let matched = std::mem::take(&mut c.matched);
                        c.function | if matched { Self::MATCHED } else { 0 }
                    }
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// Writes a register.
    pub fn write(&mut self, offset: u32, value: u32, cycles: u64) -> Option<()> {
        match offset {
            0x000 => {
                let count = self.cycle_count(cycles);
                self.control = value & Self::CTRL_MASK;
                self.cycles_base = cycles.wrapping_sub(u64::from(count));
            }
            0x004 => self.cycles_base = cycles.wrapping_sub(u64::from(value)),
            0x008 | 0x00C | 0x010 | 0x014 | 0x018 => {}
            0x020..0x060 => {
                let c = self.comparators.get_mut(((offset - 0x20) / 16) as usize)?;
                match offset & 0xC {
                    0x0 => c.comp = value,
                    0x4 => c.mask = value & 0x1F,
                    0x8 => {
                        c.function = value & 0x000F_FDAF;
                        c.matched = false;
                    }
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Power-on reset.
    pub fn power_on(&mut self) {
        *self = Dwt::default();
    }

    fn cycle_count(&self, cycles: u64) -> u32 {
        if self.control & Self::CYCCNTENA != 0 {
            cycles.wrapping_sub(self.cycles_base) as u32
        } else {
            0
        }
    }
}

/// The flash patch and breakpoint unit, version 2: eight code breakpoints.
#[derive(Clone, Debug, Default)]
pub struct Fpb {
    enabled: bool,
    comparators: [u32; 8],
}

impl Fpb {
    /// Base address of the block.
    pub const BASE: u32 = 0xE000_2000;
    /// REV = 1 (version 2), NUM_CODE = 8.
    const CTRL: u32 = (1 << 28) | (8 << 4);
    const KEY: u32 = 2;

    /// True where a breakpoint may match.
    pub fn active(&self) -> bool {
        self.enabled && self.comparators.iter().any(|c| c & 1 != 0)
    }

    /// A breakpoint stands at `pc`.
    pub fn hits(&self, pc: u32) -> bool {
        self.enabled && self.comparators.iter().any(|c| c & 1 != 0 && c & !1 == pc)
    }

    /// Reads a register.
    pub fn read(&self, offset: u32) -> Option<u32> {
        match offset {
            0x0 => Some(Self::CTRL | u32::from(self.enabled)),
            0x4 => Some(0),
            _ => self
                .comparators
                .get((offset.checked_sub(8)? / 4) as usize)
                .copied(),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, offset: u32, value: u32) -> Option<()> {
        match offset {
            0x0 if value & Self::KEY != 0 => self.enabled = value & 1 != 0,
            0x0 | 0x4 => {}
            _ => {
                *self
                    .comparators
                    .get_mut((offset.checked_sub(8)? / 4) as usize)? = value
            }
        }
        Some(())
    }

    /// Power-on reset.
    pub fn power_on(&mut self) {
        *self = Fpb::default();
    }
}

/// The instrumentation trace: its switches are kept, what a program says through it goes nowhere.
#[derive(Clone, Debug, Default)]
pub struct Itm {
    enabled_ports: u32,
    control: u32,
}

impl Itm {
    /// Base address of the block.
    pub const BASE: u32 = 0xE000_0000;
    const TER: u32 = 0xE00;
    const TCR: u32 = 0xE80;

    /// Reads a register.
    pub fn read(&self, offset: u32) -> Option<u32> {
        match offset {
            Self::TER => Some(self.enabled_ports),
            Self::TCR => Some(self.control),
            _ => None,
        }
    }

    /// Writes a register.
    pub fn write(&mut self, offset: u32, value: u32) -> Option<()> {
        match offset {
            Self::TER => self.enabled_ports = value,
            Self::TCR => self.control = value & 0x007F_0F1F,
            _ => return None,
        }
        Some(())
    }
}

/// A byte or halfword of a register, as the bus lanes present it.
pub fn lane(word: u32, address: u32, width: Width) -> u32 {
    let shifted = word >> ((address & 3) * 8);
    match width {
        Width::Byte => shifted & 0xFF,
        Width::Half => shifted & 0xFFFF,
        Width::Word => word,
    }
}

/// `word` with the lane of a narrow write replaced.
pub fn with_lane(word: u32, address: u32, width: Width, value: u32) -> u32 {
    let shift = (address & 3) * 8;
    let mask = match width {
        Width::Byte => 0xFF << shift,
        Width::Half => 0xFFFF << shift,
        Width::Word => u32::MAX,
    };
    (word & !mask) | ((value << shift) & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_only_comparator_remembers_the_match_and_does_not_halt() {
        let mut dwt = Dwt::default();
        assert!(dwt.write(0x30, 0x6000_2100, 0).is_some());
        assert!(dwt.write(0x38, 0x8, 0).is_some());
        assert!(!dwt.observe(Kind::Instruction, 0x6000_2100));
        assert_eq!(dwt.read(0x38, 0, 0), Some(0x0100_0008));
        assert_eq!(dwt.read(0x38, 0, 0), Some(0x8), "reading clears MATCHED");
    }

    #[test]
    fn a_read_write_watchpoint_halts_on_both() {
        let mut dwt = Dwt::default();
        dwt.write(0x20, 0x400F_8004, 0);
        dwt.write(0x28, (2 << 10) | 7, 0);
        assert!(dwt.observe(Kind::Read, 0x400F_8004));
        assert!(dwt.observe(Kind::Write, 0x400F_8004));
        assert!(!dwt.observe(Kind::Read, 0x400F_8008));
    }
}
