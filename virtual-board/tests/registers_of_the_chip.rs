//! The register blocks: addresses as imxrt-ral has them, and the behaviour that flash algorithms and the ROM rely on.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use imxrt_ral as ral;
use virtual_board::bus::{BusFault, Width};
use virtual_board::soc::registers::Register;
use virtual_board::soc::{Fuses, ResetCause, Soc, Straps, clock_registers, plain_registers};
use virtual_board::time::Time;
use virtual_board::trace::Trace;

struct Chip {
    soc: Soc,
    trace: Trace,
    now: Time,
}

impl Chip {
    fn new() -> Self {
        Chip {
            soc: Soc::new(Straps::INTERNAL_BOOT, Fuses::default()),
            trace: Trace::default(),
            now: Time::us(10),
        }
    }
    fn read(&mut self, address: usize, width: Width) -> Result<u32, BusFault> {
        self.soc
            .peripheral_read(address as u32, width, self.now, &mut self.trace)
            .expect("a peripheral")
    }
    fn write(&mut self, address: usize, width: Width, value: u32) -> Result<(), BusFault> {
        self.soc
            .peripheral_write(address as u32, width, value, self.now, &mut self.trace)
            .expect("a peripheral")
    }
    fn get(&mut self, address: usize) -> u32 {
        self.read(address, Width::Word).expect("modelled")
    }
    fn put(&mut self, address: usize, value: u32) {
        self.write(address, Width::Word, value).expect("modelled");
    }
}

fn offset_of(table: &[Register], name: &str) -> usize {
    table
        .iter()
        .find(|r| r.name == name)
        .unwrap_or_else(|| panic!("{name} is not in the table"))
        .offset as usize
}

macro_rules! at {
    ($block:ident . $instance:ident . $register:ident) => {
        ral::$block::$instance as usize
            + std::mem::offset_of!(ral::$block::RegisterBlock, $register)
    };
}

macro_rules! same_offsets {
    ($table:expr, $block:ident . $instance:ident : $($register:ident)+) => {
        $(assert_eq!(
            offset_of($table, stringify!($register)),
            std::mem::offset_of!(ral::$block::RegisterBlock, $register),
            stringify!($register)
        );)+
    };
}

#[test]
fn register_tables_agree_with_imxrt_ral() {
    same_offsets!(clock_registers::CCM, ccm.CCM: CCR CSR CCSR CACRR CBCDR CBCMR CSCMR1 CSCMR2 CSCDR1 CS1CDR CS2CDR
        CDCDR CSCDR2 CSCDR3 CDHIPR CLPCR CISR CIMR CCOSR CGPR CCGR0 CCGR1 CCGR2 CCGR3 CCGR4 CCGR5 CCGR6 CCGR7 CMEOR);
    same_offsets!(clock_registers::CCM_ANALOG, ccm_analog.CCM_ANALOG: PLL_ARM PLL_USB1 PLL_USB2 PLL_SYS PLL_SYS_SS
        PLL_SYS_NUM PLL_SYS_DENOM PLL_AUDIO PLL_AUDIO_NUM PLL_AUDIO_DENOM PLL_VIDEO PLL_VIDEO_NUM PLL_VIDEO_DENOM
        PLL_ENET PFD_480 PFD_528 MISC0 MISC1 MISC2);
    same_offsets!(clock_registers::CCM_ANALOG, pmu.PMU: REG_1P1 REG_3P0 REG_2P5 REG_CORE);
    same_offsets!(plain_registers::IOMUXC_GPR, iomuxc_gpr.IOMUXC_GPR: GPR1 GPR2 GPR4 GPR14 GPR16 GPR17 GPR26 GPR34);
    same_offsets!(plain_registers::DCDC, dcdc.DCDC: REG0 REG1 REG2 REG3);
    same_offsets!(plain_registers::SNVS, snvs.SNVS: HPLR HPCOMR HPCR HPSVSR LPCR LPSR LPSRTCMR LPSRTCLR);
    same_offsets!(plain_registers::GPC, gpc.GPC: CNTR IMR1 IMR2 IMR3 IMR4 ISR1 IMR5);
    same_offsets!(plain_registers::SEMC, semc.SEMC: MCR IOCR BMCR0 BMCR1 BR0 BR8 INTEN INTR SDRAMCR0 SDRAMCR3
        IPCR0 IPCR1 IPCR2 IPCMD IPTXDAT STS0);
}

#[test]
fn reset_values_stand_at_the_addresses_of_imxrt_ral() {
    let mut chip = Chip::new();
    let words = [
        (at!(ccm.CCM.CBCDR), 0x000A_8300),
        (at!(ccm.CCM.CBCMR), 0x2DAE_8324),
        (at!(ccm.CCM.CSCMR1), 0x0490_0000),
        (at!(ccm.CCM.CDHIPR), 0),
        (at!(ccm_analog.CCM_ANALOG.PLL_ARM), 0x0001_3063),
        (at!(ccm_analog.CCM_ANALOG.PFD_480_SET), 0x1311_100C),
        (at!(iomuxc.IOMUXC.SW_MUX_CTL_PAD_GPIO_SD_B1_05), 5),
        (at!(iomuxc.IOMUXC.SW_MUX_CTL_PAD_GPIO_AD_B0_06), 0),
        (at!(iomuxc.IOMUXC.SW_PAD_CTL_PAD_GPIO_SD_B1_11), 0x10B0),
        (at!(iomuxc.IOMUXC.FLEXSPIA_DQS_SELECT_INPUT), 0),
        (at!(iomuxc_gpr.IOMUXC_GPR.GPR16), 0x0020_0003),
        (at!(src.SRC.SRSR), 1),
        (at!(src.SRC.SBMR2), 0x0200_0001),
        (at!(src.SRC.GPR10), 0),
        (at!(ocotp.OCOTP.CFG0), 0x5A3C_4D61),
        (at!(ocotp.OCOTP.CFG5), 0),
        (at!(ocotp.OCOTP.MISC_CONF1), 0),
        (at!(rtwdog.RTWDOG.CS), 0x2180),
        (at!(rtwdog.RTWDOG.TOVAL), 0x400),
        (at!(gpt.GPT2.OCR), u32::MAX),
        (at!(gpt.GPT1.CNT), 0),
        (at!(pit.PIT.MCR), 2),
        (at!(gpio.GPIO9.GDIR), 0),
        (at!(gpio.GPIO5.PSR), 0),
        (at!(lpuart.LPUART8.PARAM), 0x202),
        (at!(lpuart.LPUART1.STAT), 0x00C0_0000),
        (at!(aipstz.AIPSTZ4.OPACR4), 0x4444_4444),
    ];
    // The RTWDOG's first unlock window is over.
    chip.now = Time::ms(1);
    for (address, reset) in words {
        assert_eq!(chip.get(address), reset, "{address:#010X}");
    }
    let halves = [
        (at!(wdog.WDOG1.WCR), 0x30),
        (at!(wdog.WDOG2.WICR), 4),
        (at!(wdog.WDOG1.WMCR), 1),
        (at!(wdog.WDOG2.WRSR), 0x10),
    ];
    for (address, reset) in halves {
        assert_eq!(
            chip.read(address, Width::Half),
            Ok(reset),
            "{address:#010X}"
        );
    }
    assert_eq!(chip.trace.violations(), 0);
}

#[test]
fn what_is_not_modelled_faults_and_says_so() {
    let mut chip = Chip::new();
    for address in [
        at!(usb.USB1.ID),
        at!(ccm.CCM.CCR) + 4,
        at!(enet.ENET1.EIR),
        0x4000_0000,
        at!(ocotp.OCOTP.OTPMK0),
    ] {
        assert_eq!(
            chip.read(address, Width::Word),
            Err(BusFault),
            "{address:#010X}"
        );
    }
    assert_eq!(chip.trace.violations(), 5);
    assert!(
        chip.soc
            .peripheral_read(0x402A_8000, Width::Word, chip.now, &mut chip.trace)
            .is_none()
    );
    assert!(
        chip.soc
            .peripheral_read(0x2020_0000, Width::Word, chip.now, &mut chip.trace)
            .is_none()
    );
}

#[test]
fn fuses_cannot_be_programmed() {
    let mut chip = Chip::new();
    for address in [
        at!(ocotp.OCOTP.CTRL),
        at!(ocotp.OCOTP.DATA),
        at!(ocotp.OCOTP.CFG5),
    ] {
        assert_eq!(chip.write(address, Width::Word, 1), Err(BusFault));
    }
    assert_eq!(chip.trace.violations(), 3);
}

#[test]
fn the_core_starts_at_12_mhz_and_reaches_396_mhz_once_the_pll_locks() {
    let mut chip = Chip::new();
    assert_eq!(chip.soc.core_hz(chip.now), 12_000_000);
    let pll_arm = at!(ccm_analog.CCM_ANALOG.PLL_ARM);
    chip.put(pll_arm, 0x0001_2042);
    assert_eq!(chip.get(pll_arm) >> 31, 0);
    assert_eq!(chip.soc.core_hz(chip.now), 12_000_000);
    chip.now += Time::us(94);
    assert_eq!(chip.get(pll_arm) >> 31, 1);
    chip.put(at!(ccm_analog.CCM_ANALOG.PLL_ARM_CLR), 1 << 16);
    assert_eq!(chip.soc.core_hz(chip.now), 396_000_000);
}

#[test]
fn the_flexspi_clock_follows_selector_divider_phase_gate_and_clock_gate() {
    let mut chip = Chip::new();
    assert_eq!(chip.soc.flexspi_root_hz(chip.now), 6_000_000);
    chip.put(at!(ccm_analog.CCM_ANALOG.PLL_USB1), 0x0001_3000);
    chip.now += Time::us(20);
    chip.put(at!(ccm_analog.CCM_ANALOG.PLL_USB1_CLR), 1 << 16);
    chip.put(at!(ccm_analog.CCM_ANALOG.PFD_480), 0x0F1A_2323);
    chip.put(at!(ccm.CCM.CSCMR1), 0x6380_0000);
    // 480 MHz * 18 / 35 / 8.
    assert_eq!(chip.soc.flexspi_root_hz(chip.now), 30_857_142);
    chip.put(at!(ccm_analog.CCM_ANALOG.PFD_480_SET), 1 << 7);
    assert_eq!(chip.soc.flexspi_root_hz(chip.now), 0);
    chip.put(at!(ccm_analog.CCM_ANALOG.PFD_480_CLR), 1 << 7);
    chip.put(at!(ccm.CCM.CCGR6), 0xFFFF_F3FF);
    assert_eq!(chip.soc.flexspi_root_hz(chip.now), 0);
}

#[test]
fn gpt2_counts_the_crystal_whatever_the_core_clock_is() {
    let mut chip = Chip::new();
    chip.put(at!(gpt.GPT2.PR), 0);
    // EN, ENMOD, CLKSRC 5, FRR, EN_24M.
    chip.put(at!(gpt.GPT2.CR), 0x743);
    assert_eq!(chip.get(at!(gpt.GPT2.CNT)), 0);
    chip.now += Time::ms(100);
    assert_eq!(chip.get(at!(gpt.GPT2.CNT)), 2_400_000);
    chip.put(at!(ccm_analog.CCM_ANALOG.PLL_ARM), 0x0001_2042);
    chip.put(at!(gpt.GPT2.PR), 0x0000_2007);
    chip.now += Time::ms(1);
    assert_eq!(
        chip.get(at!(gpt.GPT2.CNT)),
        2_401_000,
        "24 MHz divided by 3 and by 8"
    );
    chip.put(at!(ccm.CCM.CCGR0), !(3 << 26));
    chip.now += Time::ms(1);
    assert_eq!(
        chip.get(at!(gpt.GPT2.CNT)),
        2_401_000,
        "its serial clock is gated"
    );
    chip.put(at!(ccm.CCM.CCGR0), !(3 << 24));
    assert_eq!(
        chip.read(at!(gpt.GPT2.CNT), Width::Word),
        Err(BusFault),
        "its bus clock is gated"
    );
}

#[test]
fn a_timer_compare_raises_its_interrupt_on_time() {
    let mut chip = Chip::new();
    silence_rtwdog(&mut chip);
    chip.put(at!(gpt.GPT1.OCR), 24_000);
    chip.put(at!(gpt.GPT1.IR), 1);
    chip.put(at!(gpt.GPT1.CR), 0x743);
    let due = chip.now + Time::ms(1);
    assert_eq!(chip.soc.next_event(chip.now), Some(due));
    assert!(chip.soc.interrupts(Time::ps(due.as_ps() - 1)).is_empty());
    assert_eq!(chip.soc.interrupts(due), [100]);
    chip.now = due;
    chip.put(at!(gpt.GPT1.SR), 1);
    assert!(chip.soc.interrupts(due).is_empty());
}

#[test]
fn a_watchdog_takes_16_bit_accesses_only_and_bites() {
    let mut chip = Chip::new();
    let wcr = at!(wdog.WDOG1.WCR);
    assert_eq!(chip.write(wcr, Width::Word, 0x34), Err(BusFault));
    assert_eq!(chip.write(wcr, Width::Half, 0x0034), Ok(()));
    let start = chip.now;
    chip.write(wcr, Width::Half, 0x0030).expect("half");
    assert_eq!(
        chip.read(wcr, Width::Half),
        Ok(0x34),
        "WDE is write-one-once"
    );
    assert_eq!(
        chip.soc.watchdog_deadline(),
        Some(Time::cycles(0x400, 32_768)),
        "RTWDOG is on after reset"
    );
    silence_rtwdog(&mut chip);
    assert_eq!(chip.soc.watchdog_deadline(), Some(start + Time::ms(500)));
    chip.now += Time::ms(400);
    chip.write(at!(wdog.WDOG1.WSR), Width::Half, 0x5555)
        .expect("half");
    chip.write(at!(wdog.WDOG1.WSR), Width::Half, 0xAAAA)
        .expect("half");
    chip.now += Time::ms(499);
    assert_eq!(chip.soc.watchdog_due(chip.now), None);
    chip.now += Time::ms(1);
    assert_eq!(chip.soc.watchdog_due(chip.now), Some(ResetCause::Watchdog));
    chip.soc.reset(ResetCause::Watchdog, chip.now);
    assert_eq!(chip.get(at!(src.SRC.SRSR)), 0x11);
    assert_eq!(chip.read(at!(wdog.WDOG1.WRSR), Width::Half), Ok(2));
    assert_eq!(chip.read(wcr, Width::Half), Ok(0x30));
}

fn silence_rtwdog(chip: &mut Chip) {
    chip.put(at!(rtwdog.RTWDOG.CNT), 0xD928_C520);
    chip.put(at!(rtwdog.RTWDOG.TOVAL), 0xFFFF);
    chip.put(at!(rtwdog.RTWDOG.CS), 0x2120);
}

#[test]
fn the_rtwdog_bites_unless_unlocked_and_disabled_within_its_window() {
    let mut chip = Chip::new();
    chip.now = Time::ms(31);
    assert_eq!(chip.soc.watchdog_due(chip.now), None);
    chip.put(at!(rtwdog.RTWDOG.CNT), 0xD928_C520);
    // 128 bus clocks at 3 MHz.
    chip.now += Time::us(50);
    chip.put(at!(rtwdog.RTWDOG.CS), 0x2120);
    assert_eq!(chip.trace.violations(), 1, "too late: ignored");
    chip.now = Time::ms(32);
    assert_eq!(
        chip.soc.watchdog_due(chip.now),
        Some(ResetCause::RtWatchdog)
    );
    chip.soc.reset(ResetCause::RtWatchdog, chip.now);
    assert_eq!(chip.get(at!(src.SRC.SRSR)), 0x81);
    chip.now += Time::ms(1);
    silence_rtwdog(&mut chip);
    chip.now += Time::ms(10_000);
    assert_eq!(chip.soc.watchdog_due(chip.now), None);
    // The two-write form, with CMD32EN off.
    chip.put(at!(rtwdog.RTWDOG.CNT), 0xD928_C520);
    chip.put(at!(rtwdog.RTWDOG.CS), 0x01A0);
    chip.put(at!(rtwdog.RTWDOG.CNT), 0xC520);
    chip.put(at!(rtwdog.RTWDOG.CNT), 0xD928);
    chip.put(at!(rtwdog.RTWDOG.CS), 0x0120);
    assert_eq!(chip.get(at!(rtwdog.RTWDOG.CS)) & (1 << 7), 0);
}

#[test]
fn the_rtwdog_stands_still_in_debug_halt() {
    let mut chip = Chip::new();
    chip.soc.set_debug_halted(chip.now, true);
    chip.now = Time::ms(5_000);
    assert_eq!(chip.soc.watchdog_due(chip.now), None);
    chip.soc.set_debug_halted(chip.now, false);
    chip.now += Time::ms(32);
    assert_eq!(
        chip.soc.watchdog_due(chip.now),
        Some(ResetCause::RtWatchdog)
    );
}

#[test]
fn a_warm_reset_keeps_the_flexram_split_and_the_latched_pins() {
    let mut chip = Chip::new();
    let split = chip.soc.flexram().expect("fuse default");
    assert_eq!(
        (split.itcm_bytes, split.dtcm_bytes, split.ocram_bytes),
        (128 << 10, 128 << 10, 256 << 10)
    );
    chip.put(at!(iomuxc_gpr.IOMUXC_GPR.GPR17), 0xAAAA_FFFF);
    chip.put(at!(iomuxc_gpr.IOMUXC_GPR.GPR16), 0x0020_0007);
    chip.put(at!(iomuxc_gpr.IOMUXC_GPR.GPR4), 0x1);
    chip.put(at!(src.SRC.GPR3), 0x1234);
    chip.soc.set_straps(Straps::SERIAL_DOWNLOADER);
    chip.soc.reset(ResetCause::SystemRequest, chip.now);
    let split = chip.soc.flexram().expect("GPR17");
    assert_eq!(
        (split.itcm_bytes, split.dtcm_bytes, split.ocram_bytes),
        (256 << 10, 256 << 10, 0)
    );
    assert_eq!(chip.get(at!(iomuxc_gpr.IOMUXC_GPR.GPR4)), 0);
    assert_eq!(chip.get(at!(src.SRC.GPR3)), 0x1234);
    assert_eq!(chip.get(at!(src.SRC.SBMR2)) >> 24, 2);
    assert_eq!(chip.get(at!(src.SRC.SRSR)), 3);
    chip.put(at!(src.SRC.SRSR), 1);
    assert_eq!(chip.get(at!(src.SRC.SRSR)), 2);
    chip.soc.reset(ResetCause::PowerOn, chip.now);
    assert_eq!(chip.get(at!(src.SRC.SBMR2)) >> 24, 1);
    assert_eq!(chip.get(at!(src.SRC.SRSR)), 1);
    assert_eq!(chip.get(at!(src.SRC.GPR3)), 0);
}

#[test]
fn outputs_are_logged_with_their_time() {
    let mut chip = Chip::new();
    chip.put(at!(gpio.GPIO2.GDIR), 1 << 3);
    chip.now = Time::ms(2);
    chip.put(at!(gpio.GPIO2.DR_SET), 1 << 3 | 1 << 4);
    chip.now = Time::ms(3);
    chip.put(at!(gpio.GPIO2.DR_TOGGLE), 1 << 3);
    let edges: Vec<_> = chip
        .soc
        .gpio_edges()
        .iter()
        .map(|e| (e.at, e.port, e.pin, e.level))
        .collect();
    assert_eq!(
        edges,
        [(Time::ms(2), 2, 3, true), (Time::ms(3), 2, 3, false)]
    );
}

#[test]
fn a_uart_sends_at_its_baud_rate() {
    let mut chip = Chip::new();
    // 24 MHz / 13 / 16 = 115385 baud.
    chip.put(at!(ccm.CCM.CSCDR1), 0x0649_0B40);
    chip.put(at!(lpuart.LPUART1.BAUD), 0x0F00_000D);
    chip.put(at!(lpuart.LPUART1.CTRL), 1 << 19);
    let start = chip.now;
    for byte in b"ok" {
        while chip.get(at!(lpuart.LPUART1.STAT)) & (1 << 23) == 0 {
            chip.now += Time::us(1);
        }
        chip.write(at!(lpuart.LPUART1.DATA), Width::Byte, u32::from(*byte))
            .expect("modelled");
    }
    let byte_time = Time::cycles(10 * 16 * 13, 24_000_000);
    let sent = chip.soc.uart_output(1);
    assert_eq!(sent.iter().map(|b| b.value).collect::<Vec<_>>(), b"ok");
    assert_eq!(sent[1].at, start + byte_time + byte_time);
}
