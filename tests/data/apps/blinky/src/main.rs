//! Test application for rtflash: says that it runs on LPUART1, then toggles GPIO1_IO09 for ever.
//!
//! Pins and serial port are those of NXP's MIMXRT1060-EVK (debug UART on GPIO_AD_B0_12/13, user LED on
//! GPIO_AD_B0_09). Clocks are left as the boot ROM hands them over; the UART runs from the 24 MHz crystal, so
//! the baud rate does not depend on them.

#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

use imxrt_ral as ral;
// Only its `.fcb` section is wanted.
#[cfg(feature = "boot-header")]
use imxrt1060evk_fcb as _;

#[cfg(feature = "xip")]
const GREETING: &[u8] = b"rtflash fixture blinky-xip alive\r\n";
#[cfg(feature = "itcm")]
const GREETING: &[u8] = b"rtflash fixture blinky-itcm alive\r\n";

/// The pin of the EVK's user LED, as a mask of GPIO1 (GPIO_AD_B0_09).
const LED: u32 = 1 << 9;

/// Turns of the busy loop between two toggles: some 100 µs to 1 ms, a tone on a scope and few instructions for
/// an emulator.
const DELAY_TURNS: u32 = 20_000;

/// Toggles so far. In `.data` and not zero at the start, so that the start-up code has something to copy.
static TOGGLES: AtomicU32 = AtomicU32::new(0x1000_0000);

#[imxrt_rt::entry]
fn main() -> ! {
    // SAFETY: the only code that runs; no interrupt is enabled.
    let (ccm, iomuxc, gpio, lpuart) = unsafe {
        (
            ral::ccm::CCM::instance(),
            ral::iomuxc::IOMUXC::instance(),
            ral::gpio::GPIO1::instance(),
            ral::lpuart::LPUART1::instance(),
        )
    };
    start_clocks(&ccm);
    route_pins(&iomuxc);
    start_uart(&lpuart);
    for &byte in GREETING {
        send(&lpuart, byte);
    }

    ral::modify_reg!(ral::gpio, gpio, GDIR, |gdir| gdir | LED);
    loop {
        ral::write_reg!(ral::gpio, gpio, DR_TOGGLE, LED);
        TOGGLES.store(
            TOGGLES.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
        delay();
    }
}

/// Clock gates of GPIO1, IOMUXC and LPUART1 on; UART clock = 24 MHz crystal, undivided (IMXRT1060RM, CCM).
fn start_clocks(ccm: &ral::ccm::CCM) {
    ral::modify_reg!(ral::ccm, ccm, CSCDR1, UART_CLK_SEL: UART_CLK_SEL_1, UART_CLK_PODF: 0);
    ral::modify_reg!(ral::ccm, ccm, CCGR1, CG13: 0b11);
    ral::modify_reg!(ral::ccm, ccm, CCGR4, CG1: 0b11);
    ral::modify_reg!(ral::ccm, ccm, CCGR5, CG12: 0b11);
}

/// LPUART1 TX and RX to GPIO_AD_B0_12/13 (ALT2), the LED pin to GPIO (ALT5); pad settings as in NXP's EVK code.
fn route_pins(iomuxc: &ral::iomuxc::IOMUXC) {
    /// 100 MHz, drive strength R0/6, keeper on.
    const PAD: u32 = 0x10B0;
    ral::write_reg!(ral::iomuxc, iomuxc, SW_MUX_CTL_PAD_GPIO_AD_B0_12, MUX_MODE: ALT2);
    ral::write_reg!(ral::iomuxc, iomuxc, SW_MUX_CTL_PAD_GPIO_AD_B0_13, MUX_MODE: ALT2);
    ral::write_reg!(ral::iomuxc, iomuxc, SW_MUX_CTL_PAD_GPIO_AD_B0_09, MUX_MODE: ALT5);
    ral::write_reg!(ral::iomuxc, iomuxc, SW_PAD_CTL_PAD_GPIO_AD_B0_12, PAD);
    ral::write_reg!(ral::iomuxc, iomuxc, SW_PAD_CTL_PAD_GPIO_AD_B0_13, PAD);
    ral::write_reg!(ral::iomuxc, iomuxc, SW_PAD_CTL_PAD_GPIO_AD_B0_09, PAD);
}

/// 115200 8N1: 24 MHz / (26 samples × 8) = 115385 baud, 0.2 % fast. Transmitter only.
fn start_uart(lpuart: &ral::lpuart::LPUART1) {
    ral::write_reg!(ral::lpuart, lpuart, GLOBAL, RST: RST_1);
    ral::write_reg!(ral::lpuart, lpuart, GLOBAL, RST: RST_0);
    ral::write_reg!(ral::lpuart, lpuart, BAUD, OSR: 25, SBR: 8);
    ral::modify_reg!(ral::lpuart, lpuart, CTRL, TE: TE_1);
}

fn send(lpuart: &ral::lpuart::LPUART1, byte: u8) {
    while ral::read_reg!(ral::lpuart, lpuart, STAT, TDRE == TDRE_0) {}
    ral::write_reg!(ral::lpuart, lpuart, DATA, u32::from(byte));
}

/// Busy: the core never sleeps, so a debugger always gets an answer.
fn delay() {
    for turn in 0..DELAY_TURNS {
        // Keeps the loop: the compiler may not drop or merge it.
        core::hint::black_box(turn);
    }
}

#[panic_handler]
fn stop(_: &PanicInfo) -> ! {
    loop {
        core::sync::atomic::compiler_fence(Ordering::SeqCst);
    }
}
