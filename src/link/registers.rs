//! Debug and system registers of the Cortex-M7 that the link drives (ARMv7-M Architecture Reference Manual, DDI 0403E).

use crate::address::Address;

/// CPU identification.
pub const CPUID: Address = Address::new(0xE000_ED00);
/// Interrupt control and state.
pub const ICSR: Address = Address::new(0xE000_ED04);
/// Vector table offset.
pub const VTOR: Address = Address::new(0xE000_ED08);
/// Application interrupt and reset control.
pub const AIRCR: Address = Address::new(0xE000_ED0C);
/// Configuration and control.
pub const CCR: Address = Address::new(0xE000_ED14);
/// Configurable fault status: why a fault was taken.
pub const CFSR: Address = Address::new(0xE000_ED28);
/// HardFault status.
pub const HFSR: Address = Address::new(0xE000_ED2C);
/// MPU control.
pub const MPU_CTRL: Address = Address::new(0xE000_ED94);
/// Debug halting control and status.
pub const DHCSR: Address = Address::new(0xE000_EDF0);
/// Debug core register selector.
pub const DCRSR: Address = Address::new(0xE000_EDF4);
/// Debug core register data.
pub const DCRDR: Address = Address::new(0xE000_EDF8);
/// Debug exception and monitor control.
pub const DEMCR: Address = Address::new(0xE000_EDFC);
/// Instrumentation trace control.
pub const ITM_TCR: Address = Address::new(0xE000_0E80);
/// DWT control.
pub const DWT_CTRL: Address = Address::new(0xE000_1000);
/// Program counter sample.
pub const DWT_PCSR: Address = Address::new(0xE000_101C);
/// Flash patch and breakpoint control; FP_REMAP and the comparators follow.
pub const FP_CTRL: Address = Address::new(0xE000_2000);

/// Comparators of the RT1062's FPB, all for code.
pub const FP_COMPARATORS: usize = 8;
/// Comparators of the RT1062's DWT.
pub const DWT_COMPARATORS: u32 = 4;
/// The comparator of the boot watch. Not 0, which the caught reset of probe-rs uses.
pub const BOOT_WATCH_COMPARATOR: u32 = 1;

/// A second one on the same address: it still has the match where a damaged read of the first has lost it.
pub const BOOT_WATCH_SPARE: u32 = 2;

const DWT_COMP0: u32 = 0xE000_1020;
const DWT_MASK0: u32 = 0xE000_1024;
const DWT_FUNCTION0: u32 = 0xE000_1028;
const DWT_COMPARATOR_STRIDE: u32 = 0x10;

/// Comparator value of DWT comparator `n`.
pub const fn dwt_comp(n: u32) -> Address {
    Address::new(DWT_COMP0 + n * DWT_COMPARATOR_STRIDE)
}

/// Ignored low address bits of DWT comparator `n`.
pub const fn dwt_mask(n: u32) -> Address {
    Address::new(DWT_MASK0 + n * DWT_COMPARATOR_STRIDE)
}

/// Function of DWT comparator `n`.
pub const fn dwt_function(n: u32) -> Address {
    Address::new(DWT_FUNCTION0 + n * DWT_COMPARATOR_STRIDE)
}

/// FUNCTION: match on the instruction address gives CMPMATCH only, nothing halts.
pub const DWT_FUNCTION_PC_CMPMATCH: u32 = 0b1000;
/// FUNCTION: the field that says what the comparator does; 0 is off.
pub const DWT_FUNCTION_MASK: u32 = 0b1111;
/// FUNCTION: the comparator has matched since the last read.
pub const DWT_FUNCTION_MATCHED: u32 = 1 << 24;

/// DWT_CTRL: CYCCNTENA, PCSAMPLENA and the event counters' enables.
pub const DWT_CTRL_ENABLES: u32 = 1 << 0 | 1 << 12 | 0x7F << 16;
/// ITM_TCR: on.
pub const ITM_TCR_ITMENA: u32 = 1 << 0;

/// ICSR: the exception that the core is in, 0 outside of any.
pub const ICSR_VECTACTIVE: u32 = 0x1FF;
/// Exception numbers of HardFault, MemManage, BusFault and UsageFault.
pub const FAULT_EXCEPTIONS: std::ops::RangeInclusive<u32> = 3..=6;

/// DHCSR: the key that makes a write count.
pub const DHCSR_DBGKEY: u32 = 0xA05F << 16;
/// DHCSR: halting debug on.
pub const DHCSR_C_DEBUGEN: u32 = 1 << 0;
/// DHCSR: halt request.
pub const DHCSR_C_HALT: u32 = 1 << 1;
/// DHCSR: the DCRSR transfer is done.
pub const DHCSR_S_REGRDY: u32 = 1 << 16;
/// DHCSR: halted.
pub const DHCSR_S_HALT: u32 = 1 << 17;
/// DHCSR: asleep.
pub const DHCSR_S_SLEEP: u32 = 1 << 18;
/// DHCSR: locked up.
pub const DHCSR_S_LOCKUP: u32 = 1 << 19;

/// DHCSR: the core was reset since DHCSR was last read. Reading clears it.
pub const DHCSR_S_RESET_ST: u32 = 1 << 25;

/// DCRSR: write the register (else read it).
pub const DCRSR_REG_WNR: u32 = 1 << 16;

/// DEMCR: DWT and ITM on.
pub const DEMCR_TRCENA: u32 = 1 << 24;

/// AIRCR: the key that makes a write count.
pub const AIRCR_VECTKEY: u32 = 0x05FA << 16;
/// AIRCR: priority grouping, which must be written as it is.
pub const AIRCR_PRIGROUP: u32 = 0b111 << 8;
/// AIRCR: reset of the whole chip.
pub const AIRCR_SYSRESETREQ: u32 = 1 << 2;

/// CCR: data cache on.
pub const CCR_DC: u32 = 1 << 16;
/// CCR: instruction cache on.
pub const CCR_IC: u32 = 1 << 17;

/// FP_CTRL: the key that makes a write count; with ENABLE = 0 it turns all breakpoints off.
pub const FP_CTRL_KEY: u32 = 1 << 1;

/// IOMUXC_GPR16: the FlexRAM split comes from GPR17 instead of the fuses (IMXRT1060RM IOMUXC_GPR chapter).
pub const GPR16_FLEXRAM_BANK_CFG_SEL: u32 = 1 << 2;

/// xPSR: Thumb state, the only one there is.
pub const XPSR_T: u32 = 1 << 24;
/// PRIMASK in the register that DCRSR 0x14 selects: no interrupt but NMI and HardFault.
pub const SPECIAL_PRIMASK: u32 = 1 << 0;
