//! LPUART1 to LPUART8: the transmitter, at its baud rate. Nothing ever arrives at the receiver.

use std::collections::VecDeque;

use super::registers::Access;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets and bits (IMXRT1060RM LPUART chapter).
const VERID: u32 = 0x00;
const PARAM: u32 = 0x04;
const GLOBAL: u32 = 0x08;
const PINCFG: u32 = 0x0C;
const BAUD: u32 = 0x10;
const STAT: u32 = 0x14;
const CTRL: u32 = 0x18;
const DATA: u32 = 0x1C;
const MATCH: u32 = 0x20;
const MODIR: u32 = 0x24;
const FIFO: u32 = 0x28;
const WATER: u32 = 0x2C;
const VERID_VALUE: u32 = 0x0401_0003;
const PARAM_VALUE: u32 = 0x0000_0202;
const GLOBAL_RST: u32 = 1 << 1;
const BAUD_RESET: u32 = 0x0F00_0004;
const BAUD_WRITABLE: u32 = 0xFFBF_FFFF;
const STAT_TC: u32 = 1 << 22;
const STAT_TDRE: u32 = 1 << 23;
const STAT_WRITABLE: u32 = 0x3E00_0000;
const CTRL_M: u32 = 1 << 4;
const CTRL_TE: u32 = 1 << 19;
const CTRL_TCIE: u32 = 1 << 22;
const CTRL_TIE: u32 = 1 << 23;
const CTRL_WRITABLE: u32 = 0xFFFF_CFFF;
const DATA_RXEMPT: u32 = 1 << 12;
const FIFO_SIZES: u32 = 0x11;
const FIFO_TXFE: u32 = 1 << 7;
const FIFO_TXFLUSH: u32 = 1 << 15;
const FIFO_TXOF: u32 = 1 << 17;
const FIFO_RXEMPT: u32 = 1 << 22;
const FIFO_TXEMPT: u32 = 1 << 23;
const FIFO_WRITABLE: u32 = 0x0000_1F88;
const WATER_WRITABLE: u32 = 0x0003_0003;
const TX_FIFO_DEPTH: usize = 4;

/// A byte that left the transmitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UartByte {
    /// When its stop bit ended.
    pub at: Time,
    /// The byte.
    pub value: u8,
}

/// One LPUART.
#[derive(Clone, Debug)]
pub struct Lpuart {
    baud: u32,
    stat: u32,
    ctrl: u32,
    fifo: u32,
    water: u32,
    plain: [u32; 3],
    in_reset: bool,
    /// Ends of the bytes not yet sent, oldest first.
    pending: VecDeque<Time>,
    sent: Vec<UartByte>,
    root_hz: u64,
}

impl Default for Lpuart {
    fn default() -> Self {
        Self::new()
    }
}

impl Lpuart {
    /// In reset state.
    pub fn new() -> Self {
        Lpuart {
            baud: BAUD_RESET,
            stat: 0,
            ctrl: 0,
            fifo: 0,
            water: 0,
            plain: [0; 3],
            in_reset: false,
            pending: VecDeque::new(),
            sent: Vec::new(),
            root_hz: 0,
        }
    }

    /// Chip reset; what was sent stays known.
    pub fn reset(&mut self) {
        *self = Lpuart {
            sent: std::mem::take(&mut self.sent),
            root_hz: self.root_hz,
            ..Lpuart::new()
        };
    }

    /// The clock tree changed; 0 while gated.
    pub fn set_clock(&mut self, root_hz: u64) {
        self.root_hz = root_hz;
    }

    /// All bytes sent since the board was made, with those still on their way.
    pub fn output(&self) -> &[UartByte] {
        &self.sent
    }

    /// Whether the interrupt line is active.
    pub fn interrupt(&mut self, now: Time) -> bool {
        let stat = self.status(now);
        (self.ctrl & CTRL_TIE != 0 && stat & STAT_TDRE != 0)
            || (self.ctrl & CTRL_TCIE != 0 && stat & STAT_TC != 0)
    }

    /// When the next byte ends, where an interrupt waits for it.
    pub fn next_interrupt(&mut self, now: Time) -> Option<Time> {
        self.prune(now);
        (self.ctrl & (CTRL_TIE | CTRL_TCIE) != 0).then(|| self.pending.front().copied())?
    }

    /// A read by software. DATA takes every width.
    ///
    /// # Errors
    /// [`BusFault`] for another width or an unknown register.
    pub fn read(
        &mut self,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        if offset != DATA {
            access.word_only("lpuart", offset, width)?;
        }
        let now = access.now;
        Ok(match offset {
            VERID => VERID_VALUE,
            PARAM => PARAM_VALUE,
            GLOBAL => {
                if self.in_reset {
                    GLOBAL_RST
                } else {
                    0
                }
            }
            PINCFG => self.plain[0],
            BAUD => self.baud,
            STAT => self.status(now),
            CTRL => self.ctrl,
            DATA => DATA_RXEMPT,
            MATCH => self.plain[1],
            MODIR => self.plain[2],
            FIFO => {
                self.prune(now);
                let empty = if self.pending.is_empty() {
                    FIFO_TXEMPT
                } else {
                    0
                };
                self.fifo | FIFO_SIZES | FIFO_RXEMPT | empty
            }
            WATER => {
                self.prune(now);
                self.water | (self.waiting() as u32) << 8
            }
            _ => {
                return Err(access.no_register("lpuart", offset));
            }
        })
    }

    /// A write by software. DATA takes every width.
    ///
    /// # Errors
    /// As [`Lpuart::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        if offset != DATA {
            access.word_only("lpuart", offset, width)?;
        }
        match offset {
            VERID | PARAM => {}
            GLOBAL => {
                let held = value & GLOBAL_RST != 0;
                if held {
                    self.reset();
                }
                self.in_reset = held;
            }
            PINCFG => self.plain[0] = value & 0x3,
            BAUD => self.baud = value & BAUD_WRITABLE,
            STAT => self.stat = value & STAT_WRITABLE,
            CTRL => self.ctrl = value & CTRL_WRITABLE,
            DATA => self.transmit(value as u8, access),
            MATCH => self.plain[1] = value & 0x03FF_03FF,
            MODIR => self.plain[2] = value & 0x0007_033F,
            FIFO => {
                self.fifo = (self.fifo & FIFO_TXOF & !value) | (value & FIFO_WRITABLE);
                if value & FIFO_TXFLUSH != 0 {
                    self.prune(access.now);
                    // The byte in the shift register still leaves.
                    let lost = self.waiting();
                    self.pending.truncate(self.pending.len() - lost);
                    self.sent.truncate(self.sent.len().saturating_sub(lost));
                }
            }
            WATER => self.water = value & WATER_WRITABLE,
            _ => {
                return Err(access.no_register("lpuart", offset));
            }
        }
        Ok(())
    }

    fn transmit(&mut self, value: u8, access: &mut Access) {
        self.prune(access.now);
        if self.ctrl & CTRL_TE == 0 || self.in_reset {
            access.trace.violation(
                access.now,
                "lpuart",
                "byte written while the transmitter is off: lost",
            );
            return;
        }
        let Some(byte_time) = self.byte_time() else {
            access.trace.violation(
                access.now,
                "lpuart",
                "byte written without a baud clock: lost",
            );
            return;
        };
        let depth = if self.fifo & FIFO_TXFE != 0 {
            TX_FIFO_DEPTH
        } else {
            1
        };
        if self.waiting() >= depth {
            self.fifo |= FIFO_TXOF;
            access
                .trace
                .violation(access.now, "lpuart", "transmit FIFO overflow: byte lost");
            return;
        }
        let start = self.pending.back().copied().unwrap_or(access.now);
        let end = start + byte_time;
        self.pending.push_back(end);
        self.sent.push(UartByte { at: end, value });
    }

    fn byte_time(&self) -> Option<Time> {
        let oversampling = u64::from(self.baud >> 24 & 0x1F) + 1;
        let modulo = u64::from(self.baud & 0x1FFF);
        if self.root_hz == 0 || modulo == 0 {
            return None;
        }
        let stop_bits = 1 + u64::from(self.baud >> 13 & 1);
        // M selects 9 bits; with PE the parity bit is among the data bits.
        let data_bits = if self.ctrl & CTRL_M != 0 { 9 } else { 8 };
        Some(Time::cycles(
            (1 + data_bits + stop_bits) * oversampling * modulo,
            self.root_hz,
        ))
    }

    /// Bytes in the FIFO, without the one in the shift register.
    fn waiting(&self) -> usize {
        self.pending.len().saturating_sub(1)
    }

    fn prune(&mut self, now: Time) {
        while self.pending.front().is_some_and(|end| *end <= now) {
            self.pending.pop_front();
        }
    }

    fn status(&mut self, now: Time) -> u32 {
        self.prune(now);
        let mark = if self.fifo & FIFO_TXFE != 0 {
            (self.water & 3) as usize
        } else {
            0
        };
        let ready = if self.waiting() <= mark { STAT_TDRE } else { 0 };
        let complete = if self.pending.is_empty() { STAT_TC } else { 0 };
        self.stat | ready | complete
    }
}
