//! What a board keeps without power: its flash.

use std::collections::BTreeMap;

use virtual_board::board::Board;
use virtual_board::nor::NonVolatile;

use crate::boot::ERASED;

const SECTOR_BYTES: usize = 4096;

/// The content of a flash, sectors that are blank left out, and its registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    sectors: BTreeMap<usize, Vec<u8>>,
    registers: Option<NonVolatile>,
}

impl Kept {
    /// What the flash of `board` holds now, operations that have ended finished.
    pub fn of(board: &mut Board) -> Self {
        let now = board.now();
        let mut system = board.chip.system.borrow_mut();
        system.nor.settle(now);
        let sectors = system.nor.content().chunks(SECTOR_BYTES).enumerate();
        let written = sectors.filter(|(_, bytes)| bytes.iter().any(|byte| *byte != ERASED));
        Kept {
            sectors: written.map(|(at, bytes)| (at, bytes.to_vec())).collect(),
            registers: Some(system.nor.registers()),
        }
    }

    /// Puts it into the flash of `board`, which is blank.
    pub fn put_into(&self, board: &mut Board) {
        let mut system = board.chip.system.borrow_mut();
        if let Some(registers) = self.registers {
            system.nor.set_registers(registers);
        }
        let content = system.nor.content_mut();
        for (number, bytes) in &self.sectors {
            let place = content.iter_mut().skip(number * SECTOR_BYTES);
            place.zip(bytes).for_each(|(to, from)| *to = *from);
        }
    }

    /// Writes `bytes` at `offset`, as if they had always been there.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        for (at, byte) in (offset..).zip(bytes) {
            let blank = || vec![ERASED; SECTOR_BYTES];
            let sector = self.sectors.entry(at / SECTOR_BYTES).or_insert_with(blank);
            if let Some(place) = sector.get_mut(at % SECTOR_BYTES) {
                *place = *byte;
            }
        }
    }

    /// The byte at `offset`.
    pub fn byte(&self, offset: usize) -> u8 {
        let sector = self.sectors.get(&(offset / SECTOR_BYTES));
        let byte = sector.and_then(|bytes| bytes.get(offset % SECTOR_BYTES));
        byte.copied().unwrap_or(ERASED)
    }

    /// The first offset from `offset` on at which it does not hold `bytes`.
    pub fn differs(&self, offset: usize, bytes: &[u8]) -> Option<usize> {
        let mut pairs = (offset..).zip(bytes);
        pairs.find_map(|(at, byte)| (self.byte(at) != *byte).then_some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_there_and_all_else_is_blank() {
        let mut kept = Kept::default();
        kept.write(SECTOR_BYTES - 2, &[1, 2, 3, 4]);
        assert_eq!(
            kept.differs(SECTOR_BYTES - 3, &[0xFF, 1, 2, 3, 4, 0xFF]),
            None
        );
        assert_eq!(
            kept.differs(SECTOR_BYTES - 2, &[1, 2, 3, 5]),
            Some(SECTOR_BYTES + 1)
        );
        assert_eq!(kept.byte(1 << 30), ERASED);
    }
}
