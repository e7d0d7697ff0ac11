//! Why the chip was reset, from SRC_SRSR (IMXRT1060RM SRC chapter).

use std::fmt;

/// SRC_SRSR. Causes add up until software clears them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetCauses(pub u32);

/// The bits in words.
const CAUSES: [(u32, &str); 9] = [
    (1 << 0, "power-on or reset pin"),
    (1 << 1, "SYSRESETREQ or lockup"),
    (1 << 2, "CSU"),
    (1 << 3, "user reset (ipp_user_reset_b)"),
    (1 << 4, "WDOG1 or WDOG2"),
    (1 << 5, "JTAG"),
    (1 << 6, "JTAG software reset"),
    (1 << 7, "RTWDOG"),
    (1 << 8, "temperature sensor"),
];
const WATCHDOGS: u32 = 1 << 4 | 1 << 7;

impl ResetCauses {
    /// Whether a watchdog is among them.
    pub const fn by_watchdog(self) -> bool {
        self.0 & WATCHDOGS != 0
    }

    /// Each in words.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = CAUSES.into_iter().filter(move |(bit, _)| self.0 & bit != 0);
        set.map(|(_, name)| name)
    }
}

impl fmt::Display for ResetCauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        if names.is_empty() {
            return f.write_str("none noted, or cleared by the firmware");
        }
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::ResetCauses;

    #[test]
    fn causes_add_up() {
        assert_eq!(ResetCauses(1).to_string(), "power-on or reset pin");
        assert_eq!(
            ResetCauses(0x83).to_string(),
            "power-on or reset pin, SYSRESETREQ or lockup, RTWDOG"
        );
        assert!(ResetCauses(0x83).by_watchdog() && !ResetCauses(3).by_watchdog());
        assert!(ResetCauses(0).to_string().contains("cleared"));
    }
}
