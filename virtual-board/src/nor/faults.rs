//! Faults of a NOR chip, as data.

use super::operation::Random;

/// What is wrong with this chip. The default is a sound chip.
///
/// Operations and commands are numbered from 0 since the chip was made, as [`super::Counters`] counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// WIP never falls again once an operation has started.
    pub stuck_wip: bool,
    /// Bits that stay 1 whatever is programmed: `(address, mask)`.
    pub unprogrammable: Vec<(u32, u8)>,
    /// Bits that an erase leaves at 0 if they are 0: `(address, mask)`.
    pub weak_erase: Vec<(u32, u8)>,
    /// The answer to 9Fh instead of the part's own.
    pub jedec_id: Option<[u8; 3]>,
    /// Bytes of the SFDP area that read so: `(offset, byte)`.
    pub sfdp: Vec<(u32, u8)>,
    /// A broken address line inside the chip: every program also reaches the address with these bits inverted.
    pub program_echo: Option<u32>,
    /// The same for erases.
    pub erase_echo: Option<u32>,
    /// Page programs that take their time and change nothing: a charge pump that fails under load.
    pub dropped_programs: Vec<u64>,
    /// Erases that take their time and change nothing.
    pub dropped_erases: Vec<u64>,
    /// Erases that end too soon, some bits erased and some not: the chip gives up on a worn block and does not say so.
    pub short_erases: Vec<u64>,
    /// Programs that go to another page, `(number, address bits inverted)`: an address bit disturbed on the wire.
    pub misdirected_programs: Vec<(u64, u32)>,
    /// The same for erases.
    pub misdirected_erases: Vec<(u64, u32)>,
    /// An address line inside the chip that does not move, `(mask, level)`: reads, programs and erases all go astray.
    pub stuck_address: Option<(u32, bool)>,
    /// Cells of which these bits read so whatever is stored: `(address, mask, bits)`.
    pub stuck_cells: Vec<(u32, u8, u8)>,
    /// Cells at the edge of their threshold.
    pub flaky_cells: Vec<FlakyCell>,
    /// Programs that take bits of another cell from 1 to 0, `(number, address, mask)`: program disturb.
    pub disturbing_programs: Vec<(u64, u32, u8)>,
    /// Reads of the array in which something goes wrong once.
    pub disturbed_reads: Vec<DisturbedRead>,
    /// Write enables that the chip does not take.
    pub dropped_write_enables: Vec<u64>,
    /// Protection that comes back, `(program, status register)`: the chip loads its registers anew after a dip of its
    /// supply, and the cells behind them are not what was written last.
    pub protection_returns: Option<(u64, u8)>,
    /// The WP# pin is tied low (it counts only with QE = 0).
    pub write_protect_low: bool,
    /// The chip is not on the board: nothing answers.
    pub absent: bool,
}

/// Bits that now and then read as the opposite of what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlakyCell {
    /// Where.
    pub address: u32,
    /// The bits.
    pub mask: u8,
    /// One read of this many is wrong.
    pub one_in: u64,
    /// Draws which.
    pub seed: u64,
}

impl FlakyCell {
    fn is_wrong_at(&self, read: u64) -> bool {
        let mut random = Random::new(self.seed ^ read.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.next().is_multiple_of(self.one_in.max(1))
    }
}

/// What goes wrong in one read of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisturbedRead {
    /// Its number.
    pub read: u64,
    /// How.
    pub how: ReadFault,
}

/// How a read goes wrong once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The chip misses the command (a glitch on CS# or the clock): nobody drives the lines, all bytes are FFh.
    Silent,
    /// The byte this far behind the first arrives with these bits inverted.
    Bits {
        /// Distance from the read's address.
        at: u32,
        /// Bits.
        mask: u8,
    },
    /// The chip takes another address, with these bits inverted.
    Elsewhere(u32),
}

impl Faults {
    /// What the byte of the SFDP area reads as.
    pub(super) fn sfdp(&self, offset: u32, stored: u8) -> u8 {
        let here = self.sfdp.iter().find(|(at, _)| *at == offset);
        here.map_or(stored, |(_, byte)| *byte)
    }

    /// The bits of the byte at `address` that cannot be programmed.
    pub fn unprogrammable(&self, address: u32) -> u8 {
        self.unprogrammable
            .iter()
            .filter(|(at, _)| *at == address)
            .fold(0, |mask, (_, bits)| mask | bits)
    }

    /// Whether a read of the array may show anything else than what is stored where it asks.
    pub(super) fn disturb_reads(&self) -> bool {
        self.stuck_address.is_some()
            || !self.stuck_cells.is_empty()
            || !self.flaky_cells.is_empty()
            || !self.disturbed_reads.is_empty()
    }

    /// The address that the array decodes.
    pub fn decoded(&self, address: u32) -> u32 {
        match self.stuck_address {
            Some((mask, true)) => address | mask,
            Some((mask, false)) => address & !mask,
            None => address,
        }
    }

    /// What a stored byte reads as, whenever it is read.
    pub fn stuck(&self, address: u32, stored: u8) -> u8 {
        let cells = self.stuck_cells.iter().filter(|(at, _, _)| *at == address);
        cells.fold(stored, |byte, (_, mask, bits)| byte & !mask | bits & mask)
    }

    /// What the byte at `address` of the array reads as in the read with this number, `distance` bytes behind its first.
    pub(super) fn read(&self, address: u32, stored: u8, read: u64, distance: u32) -> u8 {
        let mut byte = self.stuck(address, stored);
        for cell in self.flaky_cells.iter().filter(|c| c.address == address) {
            if cell.is_wrong_at(read) {
                byte ^= cell.mask;
            }
        }
        for fault in self.disturbed_reads.iter().filter(|f| f.read == read) {
            match fault.how {
                ReadFault::Silent => byte = 0xFF,
                ReadFault::Bits { at, mask } if at == distance => byte ^= mask,
                ReadFault::Bits { .. } | ReadFault::Elsewhere(_) => {}
            }
        }
        byte
    }

    /// Address bits that this read has wrong.
    pub(super) fn read_elsewhere(&self, read: u64) -> u32 {
        let here = self.disturbed_reads.iter().filter(|f| f.read == read);
        here.fold(0, |bits, fault| match fault.how {
            ReadFault::Elsewhere(inverted) => bits ^ inverted,
            _ => bits,
        })
    }
}

/// The address bits that an operation with this number has wrong.
pub(super) fn misdirection(faults: &[(u64, u32)], number: u64) -> u32 {
    let here = faults.iter().filter(|(at, _)| *at == number);
    here.fold(0, |bits, (_, inverted)| bits ^ inverted)
}
