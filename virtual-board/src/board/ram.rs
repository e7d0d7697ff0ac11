//! On-chip RAM: OCRAM2, and the FlexRAM as the current split hands it to ITCM, DTCM and OCRAM.

use crate::soc::FlexRam;

const OCRAM2_BASE: u32 = 0x2020_0000;
const OCRAM2_BYTES: u32 = 512 * 1024;
const OCRAM_BASE: u32 = 0x2028_0000;
const DTCM_BASE: u32 = 0x2000_0000;

/// Kind of RAM an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ITCM or DTCM.
    Tcm,
    /// OCRAM2 or OCRAM.
    Ocram,
}

/// The RAM of the chip.
pub struct Ram {
    split: FlexRam,
    ocram2: Vec<u8>,
    itcm: Vec<u8>,
    dtcm: Vec<u8>,
    ocram: Vec<u8>,
}

/// Content nobody may rely on: RAM after power-on, or after its bank moved.
fn noise(bytes: u32) -> Vec<u8> {
    (0..bytes)
        .map(|i| (i.wrapping_mul(0x9E37_79B1) >> 24) as u8)
        .collect()
}

impl Ram {
    /// RAM after power-on.
    pub fn new(split: FlexRam) -> Self {
        Ram {
            split,
            ocram2: noise(OCRAM2_BYTES),
            itcm: noise(split.itcm_bytes),
            dtcm: noise(split.dtcm_bytes),
            ocram: noise(split.ocram_bytes),
        }
    }

    /// Gives the banks to other memories. Which bank keeps which address depends on GPR17's order, so nothing is kept.
    pub fn set_split(&mut self, split: FlexRam) {
        if self.split != split {
            self.itcm = noise(split.itcm_bytes);
            self.dtcm = noise(split.dtcm_bytes);
            self.ocram = noise(split.ocram_bytes);
            self.split = split;
        }
    }

    /// The bytes from `address` to the end of its memory, and their kind.
    pub fn slice(&mut self, address: u32) -> Option<(&mut [u8], Kind)> {
        let (memory, base, kind) = match address {
            OCRAM_BASE.. => (&mut self.ocram, OCRAM_BASE, Kind::Ocram),
            OCRAM2_BASE.. => (&mut self.ocram2, OCRAM2_BASE, Kind::Ocram),
            DTCM_BASE.. => (&mut self.dtcm, DTCM_BASE, Kind::Tcm),
            _ => (&mut self.itcm, 0, Kind::Tcm),
        };
        let from = (address - base) as usize;
        if from >= memory.len() {
            return None;
        }
        memory.get_mut(from..).map(|s| (s, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuse_default_gives_128_kib_to_each_tcm() {
        let split = FlexRam {
            itcm_bytes: 0x2_0000,
            dtcm_bytes: 0x2_0000,
            ocram_bytes: 0x4_0000,
        };
        let mut ram = Ram::new(split);
        for (inside, outside) in [
            (0x0001_FFFF, 0x0002_0000),
            (0x2001_FFFF, 0x2002_0000),
            (0x202B_FFFF, 0x202C_0000),
        ] {
            assert!(ram.slice(inside).is_some());
            assert!(ram.slice(outside).is_none());
        }
    }

    #[test]
    fn a_new_split_keeps_nothing_of_the_flexram_and_all_of_ocram2() {
        let split = FlexRam {
            itcm_bytes: 0x2_0000,
            dtcm_bytes: 0x2_0000,
            ocram_bytes: 0x4_0000,
        };
        let mut ram = Ram::new(split);
        for address in [0x2000_0001, 0x2020_0001] {
            if let Some((s, _)) = ram.slice(address) {
                s[0] = 0xA5;
            }
        }
        ram.set_split(FlexRam {
            itcm_bytes: 0x4_0000,
            dtcm_bytes: 0x2_0000,
            ocram_bytes: 0x2_0000,
        });
        assert_ne!(ram.slice(0x2000_0001).map(|(s, _)| s[0]), Some(0xA5));
        assert_eq!(ram.slice(0x2020_0001).map(|(s, _)| s[0]), Some(0xA5));
    }
}
