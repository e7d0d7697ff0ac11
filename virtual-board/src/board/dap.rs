//! The CMSIS-DAP probe at the board: its firmware, and the pins it drives.

use std::time::Duration;

use super::{Board, Supply};
use crate::probe::cmsis_dap::{DebugPins, Firmware, Refusal};
use crate::probe::{Interface, Profile, WireError};
use crate::time::Time;

impl Board {
    /// Connects another probe.
    pub(super) fn set_probe(&mut self, profile: Profile) {
        self.probe = profile;
        self.dap = None;
    }

    pub(super) fn dap_packet(&mut self, packet: &[u8]) -> Result<Vec<u8>, WireError> {
        let Interface::CmsisDap(packets) = self.probe.interface else {
            return Err(Refusal::NoFirmware.into());
        };
        let max_khz = self.probe.max_khz;
        let response = self.transaction(|board| {
            let mut firmware = board
                .dap
                .take()
                .unwrap_or_else(|| Firmware::new(packets, max_khz));
            let response = firmware.execute(packet, board);
            board.dap = Some(firmware);
            if let Err(refusal) = &response {
                board
                    .chip
                    .system
                    .borrow_mut()
                    .violation("probe", refusal.to_string());
            }
            response
        })?;
        Ok(response?)
    }
}

impl DebugPins for Board {
    fn clock(&mut self, driven: Option<bool>) -> bool {
        self.chip.wire_now += Time::cycles(1_000, u64::from(self.swclk_khz) * 1_000_000);
        self.dp.clock(driven, &mut self.chip)
    }

    fn set_swclk_khz(&mut self, khz: u32) {
        self.set_swclk(khz);
    }

    fn set_nreset(&mut self, level: bool) {
        self.chip.run_until(self.chip.wire_now);
        self.set_reset_pin(level);
    }

    fn nreset(&self) -> bool {
        self.chip.supply() != Supply::HeldInReset
    }

    fn delay(&mut self, span: Duration) {
        self.chip.wire_now += Time::from(span);
    }
}
