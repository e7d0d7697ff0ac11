//! What the chip does by itself: watchdogs that bite, interrupt lines, and when the next such thing happens.

use super::{ResetCause, Soc, Wdog};
use crate::time::Time;

// Interrupt numbers (IMXRT1060RM interrupt chapter).
const IRQ_LPUART1: u16 = 20;
const IRQ_GPIO1_COMBINED: u16 = 80;
const IRQ_GPIO5_COMBINED: u16 = 88;
const IRQ_GPT1: u16 = 100;
const IRQ_PIT: u16 = 122;
const IRQ_GPIO_FAST: u16 = 157;

impl Soc {
    /// A watchdog that bites at `now`. The caller then resets the chip with that cause.
    pub fn watchdog_due(&self, now: Time) -> Option<ResetCause> {
        let wdogs = self.wdogs.iter().filter_map(|w| w.due(now));
        wdogs
            .chain(self.rtwdog.due(now))
            .find(|cause| self.reset_controller.lets_through(*cause))
    }

    /// When a watchdog next bites if nobody services it.
    pub fn watchdog_deadline(&self) -> Option<Time> {
        let lets = |cause| self.reset_controller.lets_through(cause);
        let wdogs = self
            .wdogs
            .iter()
            .filter(|_| lets(ResetCause::Watchdog))
            .filter_map(Wdog::deadline);
        wdogs
            .chain(
                self.rtwdog
                    .deadline()
                    .filter(|_| lets(ResetCause::RtWatchdog)),
            )
            .min()
    }

    /// The active interrupt lines, by number.
    pub fn interrupts(&mut self, now: Time) -> Vec<u16> {
        let mut lines = Vec::new();
        for (number, uart) in (IRQ_LPUART1..).zip(&mut self.lpuarts) {
            if uart.interrupt(now) {
                lines.push(number);
            }
        }
        for (index, gpio) in self.gpios.iter().enumerate() {
            let active = gpio.interrupts();
            let base = match index {
                0..=3 => IRQ_GPIO1_COMBINED + 2 * index as u16,
                4 => IRQ_GPIO5_COMBINED,
                _ if active != 0 => {
                    lines.push(IRQ_GPIO_FAST);
                    continue;
                }
                _ => continue,
            };
            if active & 0xFFFF != 0 {
                lines.push(base);
            }
            if active >> 16 != 0 {
                lines.push(base + 1);
            }
        }
        for (number, gpt) in (IRQ_GPT1..).zip(&mut self.gpts) {
            if gpt.interrupt(now) {
                lines.push(number);
            }
        }
        if self.pit.interrupt(now) {
            lines.push(IRQ_PIT);
        }
        lines.dedup();
        lines
    }

    /// When something next happens by itself: a timer or transmitter interrupt, or a watchdog.
    pub fn next_event(&mut self, now: Time) -> Option<Time> {
        let mut next = self.watchdog_deadline();
        let timers = self.gpts.iter_mut().filter_map(|g| g.next_interrupt(now));
        let uarts = self
            .lpuarts
            .iter_mut()
            .filter_map(|u| u.next_interrupt(now));
        for at in timers.chain(uarts).chain(self.pit.next_interrupt(now)) {
            next = Some(next.map_or(at, |n| n.min(at)));
        }
        next
    }
}
