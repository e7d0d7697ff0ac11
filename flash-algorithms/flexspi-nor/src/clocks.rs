//! Clocks from either state: before the boot ROM ran (PLLs bypassed) and after.

use crate::bus::Bus;
use crate::machine::{Duty, Machine};
use crate::registers::{ccm, ccm_analog as pll};
use mailbox::fault::{Fault, FaultCode, Stage};

/// Longest wait for a PLL's lock, in µs; the data sheet's figure is well below 1 ms (IMXRT1060CEC).
const LOCK_LIMIT_US: u32 = 10_000;
/// Settling of a fractional divider after its gate opens, in µs.
const PFD_SETTLE_US: u32 = 5;
/// Output of PLL_USB1 times the 18 of its fractional dividers, in Hz.
const PFD_NUMERATOR_HZ: u64 = 480_000_000 * 18;

/// A rate of the FlexSPI serial root: 480 MHz × 18 / frac / divisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    frac: u32,
    divisor: u32,
    hz: u32,
}

/// For identification and the exit sequence: every command of every part works at it.
pub const IDENTIFY: Rate = Rate::new(34, 8);

/// Rates for work, slow to fast, with frac even and within 12..=35 as the boot ROM has them.
static WORK: [Rate; 6] = [
    IDENTIFY,
    Rate::new(22, 8),
    Rate::new(24, 6),
    Rate::new(30, 4),
    Rate::new(18, 6),
    Rate::new(14, 6),
];

impl Rate {
    /// Only for constants: the division is 64 bits wide, which the core cannot do in one instruction.
    const fn new(frac: u32, divisor: u32) -> Self {
        let hz = (PFD_NUMERATOR_HZ / (frac as u64 * divisor as u64)) as u32;
        Rate { frac, divisor, hz }
    }

    /// The rate in Hz.
    pub const fn hz(self) -> u32 {
        self.hz
    }

    /// The fastest rate of at most `mhz`; [`IDENTIFY`] if none is.
    pub fn at_most_mhz(mhz: u32) -> Rate {
        let limit = mhz.saturating_mul(1_000_000);
        WORK.iter()
            .rev()
            .find(|rate| rate.hz() <= limit)
            .copied()
            .unwrap_or(IDENTIFY)
    }
}

/// Brings core clock and PLL_USB1 up. Returns true if the PLLs were down.
///
/// # Errors
/// A PLL that does not lock.
pub fn start<B: Bus, D: Duty>(machine: &mut Machine<B, D>) -> Result<bool, Fault> {
    let were_down = machine.bus.read32(pll::PLL_ARM) & pll::PLL_BYPASS != 0;
    if were_down {
        // PERCLK must not follow the bus clock up beyond its 75 MHz; nothing of ours depends on it.
        machine
            .bus
            .modify32(ccm::CSCMR1, 0, ccm::CSCMR1_PERCLK_CLK_SEL);
        machine.bus.write32(ccm::CACRR, ccm::CACRR_DIVIDE_BY_2);
        let clear = pll::PLL_ARM_DIV_SELECT | pll::PLL_ARM_POWERDOWN | pll::PLL_BYPASS_CLK_SRC;
        machine.bus.modify32(
            pll::PLL_ARM,
            clear,
            pll::PLL_ENABLE | pll::PLL_ARM_DIV_792_MHZ,
        );
        wait_for_lock(machine, pll::PLL_ARM)?;
        machine.bus.modify32(pll::PLL_ARM, pll::PLL_BYPASS, 0);
    }
    let running = pll::PLL_ENABLE | pll::PLL_USB1_POWER | pll::PLL_LOCK;
    let usb1 = machine.bus.read32(pll::PLL_USB1);
    if usb1 & (running | pll::PLL_BYPASS | pll::PLL_USB1_DIV_SELECT) != running {
        let clear = pll::PLL_USB1_DIV_SELECT | pll::PLL_BYPASS_CLK_SRC;
        machine.bus.modify32(
            pll::PLL_USB1,
            clear,
            pll::PLL_BYPASS | pll::PLL_ENABLE | pll::PLL_USB1_POWER,
        );
        wait_for_lock(machine, pll::PLL_USB1)?;
        machine.bus.modify32(pll::PLL_USB1, pll::PLL_BYPASS, 0);
    }
    Ok(were_down)
}

fn wait_for_lock<B: Bus, D: Duty>(machine: &mut Machine<B, D>, register: u32) -> Result<(), Fault> {
    let deadline = machine.deadline(LOCK_LIMIT_US);
    loop {
        let value = machine.bus.read32(register);
        if value & pll::PLL_LOCK != 0 {
            return Ok(());
        }
        if machine.is_over(deadline) {
            return Err(Fault::new(FaultCode::Clock, Stage::Clocks)
                .values(pll::PLL_LOCK, value)
                .at(register));
        }
        machine.idle();
    }
}

/// Sets the FlexSPI's serial root. The caller has the module disabled (MDIS).
pub fn set_flexspi<B: Bus, D: Duty>(machine: &mut Machine<B, D>, rate: Rate) {
    machine.bus.modify32(ccm::CCGR6, ccm::CCGR6_FLEXSPI, 0);
    machine
        .bus
        .modify32(pll::PFD_480, 0, pll::PFD_480_PFD0_CLKGATE);
    machine
        .bus
        .modify32(pll::PFD_480, pll::PFD_480_PFD0_FRAC, rate.frac);
    machine.bus.modify32(
        ccm::CSCMR1,
        ccm::CSCMR1_FLEXSPI_PODF,
        ccm::CSCMR1_FLEXSPI_CLK_SEL | (rate.divisor - 1) << ccm::CSCMR1_FLEXSPI_PODF_SHIFT,
    );
    machine
        .bus
        .modify32(pll::PFD_480, pll::PFD_480_PFD0_CLKGATE, 0);
    machine.pause(PFD_SETTLE_US);
    machine.bus.modify32(ccm::CCGR6, 0, ccm::CCGR6_FLEXSPI);
}

/// Opens the FlexSPI's gate, whatever its clock, so that its registers answer.
pub fn open_flexspi_gate(bus: &mut impl Bus) {
    bus.modify32(ccm::CCGR6, 0, ccm::CCGR6_FLEXSPI);
}
