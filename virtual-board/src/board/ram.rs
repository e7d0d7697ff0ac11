//! On-chip RAM: OCRAM2, and the FlexRAM as the current split hands it to ITCM, DTCM and OCRAM.

use crate::nor::operation::Random;
use crate::soc::FlexRam;

const OCRAM2_BASE: u32 = 0x2020_0000;
const OCRAM2_BYTES: u32 = 512 * 1024;
const OCRAM_BASE: u32 = 0x2028_0000;
const DTCM_BASE: u32 = 0x2000_0000;
/// Seed of the content before the first power cut.
const FIRST_POWER_ON: u64 = 0x5EED;

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
    random: Random,
}

/// Content nobody may rely on: RAM after power-on, or after its bank moved. It differs every time.
fn noise(bytes: u32, random: &mut Random) -> Vec<u8> {
    (0..bytes.div_ceil(8))
        .flat_map(|_| random.next().to_le_bytes())
        .take(bytes as usize)
        .collect()
}

impl Ram {
    /// RAM after power-on.
    pub fn new(split: FlexRam) -> Self {
        let mut random = Random::new(FIRST_POWER_ON);
        Ram {
            split,
            ocram2: noise(OCRAM2_BYTES, &mut random),
            itcm: noise(split.itcm_bytes, &mut random),
            dtcm: noise(split.dtcm_bytes, &mut random),
            ocram: noise(split.ocram_bytes, &mut random),
            random,
        }
    }

    /// The power fails: nothing is kept. The same seed gives the same unknown content.
    pub fn lose_power(&mut self, seed: u64) {
        self.random = Random::new(seed);
        self.ocram2 = noise(OCRAM2_BYTES, &mut self.random);
        self.move_banks(self.split);
    }

    /// Gives the banks to other memories. Which bank keeps which address depends on GPR17's order, so nothing is kept.
    pub fn set_split(&mut self, split: FlexRam) {
        if self.split != split {
            self.move_banks(split);
        }
    }

    fn move_banks(&mut self, split: FlexRam) {
        self.itcm = noise(split.itcm_bytes, &mut self.random);
        self.dtcm = noise(split.dtcm_bytes, &mut self.random);
        self.ocram = noise(split.ocram_bytes, &mut self.random);
        self.split = split;
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
