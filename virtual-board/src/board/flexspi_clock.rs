//! Whether FlexSPI's serial clock changes only while nothing runs on it.

use super::system::System;

impl System {
    /// The clock that reaches an enabled FlexSPI. Its registers answer behind a closed gate too: the algorithms that NXP
    /// compiled for the sister chips write MCR0 there.
    pub(super) fn live_flexspi_clock(&self) -> Option<u64> {
        let clocks = self.soc.clocks();
        (self.flexspi.enabled() && clocks.flexspi_gate_open())
            .then(|| clocks.flexspi_source_hz(self.now()))
    }

    /// NXP's drivers close the gate or set MDIS while they change the clock: a glitch may upset the running module.
    pub(super) fn check_flexspi_clock(&mut self, before: Option<u64>) {
        let after = self.soc.clocks().flexspi_source_hz(self.now());
        if let Some(before) = before
            && before != after
        {
            self.violation(
                "flexspi",
                format!("serial clock changed from {before} to {after} Hz with MDIS = 0 and its gate open"),
            );
        }
    }
}
