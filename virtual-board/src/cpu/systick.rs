//! The system timer (ARMv7-M ARM B3.3).

/// SysTick.
#[derive(Clone, Debug, Default)]
pub struct SysTick {
    /// SYST_CSR without COUNTFLAG.
    pub control: u32,
    /// SYST_RVR.
    pub reload: u32,
    /// SYST_CVR.
    pub current: u32,
    /// Core cycle at which `current` held.
    pub at: u64,
    /// COUNTFLAG.
    pub count_flag: bool,
}

impl SysTick {
    const ENABLE: u32 = 1;
    const TICKINT: u32 = 2;
    const CLKSOURCE: u32 = 4;

    /// Cycles a tick: the external reference of the RT1062 is 100 kHz (24 MHz / 240), counted here in core cycles.
    fn cycles_per_tick(&self, core_hz: u64) -> u64 {
        if self.control & Self::CLKSOURCE != 0 {
            1
        } else {
            (core_hz / 100_000).max(1)
        }
    }

    /// Brings the counter up to `cycle`; true where it reached zero with TICKINT set.
    pub fn advance(&mut self, cycle: u64, core_hz: u64) -> bool {
        if self.control & Self::ENABLE == 0 {
            self.at = cycle;
            return false;
        }
        let per = self.cycles_per_tick(core_hz);
        let ticks = (cycle.saturating_sub(self.at)) / per;
        if ticks == 0 {
            return false;
        }
        self.at += ticks * per;
        let period = u64::from(self.reload) + 1;
        let from_reload = |past: u64| if past == 0 { 0 } else { (period - past) as u32 };
        let to_zero = if self.current == 0 {
            period
        } else {
            u64::from(self.current)
        };
        let wraps = ticks >= to_zero;
        self.current = if wraps {
            from_reload((ticks - to_zero) % period)
        } else if self.current == 0 {
            from_reload(ticks)
        } else {
            self.current - ticks as u32
        };
        self.count_flag |= wraps;
        wraps && self.control & Self::TICKINT != 0
    }
}
