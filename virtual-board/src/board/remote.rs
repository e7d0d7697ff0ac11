//! The board under a Black Magic Probe: one packet of its remote protocol is one transaction.

use super::{Board, Supply};
use crate::probe::WireError;
use crate::remote::{Framed, Pins, Remote};
use crate::time::Time;

const VTREF_MILLIVOLTS: u32 = 3_300;
const KHZ: u64 = 1_000;

impl Board {
    /// One packet: charges the probe's round trip and the SWD clocks that are driven; the board runs meanwhile.
    ///
    /// # Errors
    /// [`WireError::Unplugged`].
    pub fn remote(&mut self, probe: &mut Remote, packet: &Framed) -> Result<Vec<u8>, WireError> {
        self.transaction(|board| probe.answer(packet, board))
    }
}

impl Pins for Board {
    fn clock(&mut self, driven: Option<bool>) -> bool {
        self.chip.wire_now += Time::cycles(1, u64::from(self.swclk_khz) * KHZ);
        self.dp.clock(driven, &mut self.chip)
    }

    fn set_nreset(&mut self, level: bool) {
        self.chip.run_until(self.chip.wire_now);
        self.set_reset_pin(level);
    }

    fn set_khz(&mut self, khz: u32) {
        self.set_swclk(khz);
    }

    fn khz(&self) -> u32 {
        self.swclk_khz
    }

    fn target_millivolts(&self) -> u32 {
        if self.chip.supply() == Supply::Off {
            0
        } else {
            VTREF_MILLIVOLTS
        }
    }

    fn now(&self) -> Time {
        self.chip.wire_now
    }
}
