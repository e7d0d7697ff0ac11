//! FlexSPI register accesses: what a read shows and what a write does at once.

use super::registers as reg;
use super::{FlexSpi, Ports, ahb};
use crate::bus::{BusFault, Width};
use crate::time::Time;

impl FlexSpi {
    /// Reads a register.
    ///
    /// # Errors
    /// No register at this offset, a write-only one, or not a word access.
    pub fn read(
        &mut self,
        offset: u32,
        width: Width,
        ports: &mut Ports<'_>,
    ) -> Result<u32, BusFault> {
        word_only(offset, width, ports)?;
        self.advance(ports);
        self.finish_reset(ports);
        let index = |base: u32| ((offset - base) / 4) as usize;
        let of = |words: &[u32], base: u32| words.get(index(base)).copied().unwrap_or(0);
        Ok(match offset {
            reg::MCR0 => self.mcr0,
            reg::MCR1 => self.mcr1,
            reg::MCR2 => self.mcr2,
            reg::AHBCR => self.ahbcr,
            reg::INTEN => self.inten,
            reg::INTR => self.intr(),
            reg::LUTKEY => self.lutkey,
            reg::LUTCR if self.lut_locked => reg::lut::LOCK,
            reg::LUTCR => reg::lut::UNLOCK,
            reg::AHBRXBUF0CR0..reg::AHBRXBUF_END => of(&self.ahbrxbuf, reg::AHBRXBUF0CR0),
            reg::FLSHA1CR0..reg::FLSHA1CR1 => of(&self.flshcr0, reg::FLSHA1CR0),
            reg::FLSHA1CR1..reg::FLSHA1CR2 => of(&self.flshcr1, reg::FLSHA1CR1),
            reg::FLSHA1CR2..reg::FLSHCR2_END => of(&self.flshcr2, reg::FLSHA1CR2),
            reg::FLSHCR4 => self.flshcr4,
            reg::IPCR0 => self.ipcr0,
            reg::IPCR1 => self.ipcr1,
            reg::IPCMD => 0,
            reg::IPRXFCR => self.iprxfcr,
            reg::IPTXFCR => self.iptxfcr,
            reg::DLLCRA..reg::DLLCR_END => of(&self.dllcr, reg::DLLCRA),
            reg::STS0 => self.sts0(ports.now),
            reg::STS1 => self.sts1,
            reg::STS2 => self.sts2(),
            reg::AHBSPNDSTS => 0,
            reg::IPRXFSTS => self.rx.fill() | self.rx.counter() << reg::fifo::COUNTER_SHIFT,
            reg::IPTXFSTS => self.tx.fill() | self.tx.counter() << reg::fifo::COUNTER_SHIFT,
            reg::RFDR..reg::TFDR => self.read_rx_window(index(reg::RFDR), ports),
            reg::LUT..reg::END => {
                self.complain_while_disabled("LUT read", ports);
                of(&self.lut, reg::LUT)
            }
            _ => return Err(no_register("read", offset, ports)),
        })
    }

    /// Writes a register.
    ///
    /// # Errors
    /// As [`FlexSpi::read`]; a read-only register.
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        ports: &mut Ports<'_>,
    ) -> Result<(), BusFault> {
        word_only(offset, width, ports)?;
        self.advance(ports);
        self.finish_reset(ports);
        let index = |base: u32| ((offset - base) / 4) as usize;
        let set = |words: &mut [u32], base: u32, value: u32| {
            if let Some(slot) = words.get_mut(index(base)) {
                *slot = value;
            }
        };
        let harmless = matches!(
            offset,
            reg::INTEN | reg::INTR | reg::LUTKEY | reg::TFDR..reg::LUT | reg::IPCMD
        ) || (offset == reg::MCR0 && value & reg::mcr0::SWRESET != 0);
        if self.run.is_some() && !harmless {
            ports.trace.violation(
                ports.now,
                "flexspi",
                format!("register {offset:03X}h written during a command"),
            );
        }
        if offset != reg::LUTKEY && offset != reg::LUTCR {
            self.key_given = false;
        }
        match offset {
            reg::MCR0 => self.write_mcr0(value, ports),
            reg::MCR1 => self.mcr1 = value,
            reg::MCR2 => {
                self.mcr2 = (self.mcr2 & !reg::mcr2::WRITABLE)
                    | (value & reg::mcr2::WRITABLE & !reg::mcr2::CLRLEARNPHASE)
            }
            reg::AHBCR => self.write_ahbcr(value, ports),
            reg::INTEN => self.inten = value & reg::intr::ALL,
            reg::INTR => self.clear_flags(value, ports),
            reg::LUTKEY => {
                self.key_given = value == reg::lut::KEY;
                self.lutkey = value;
            }
            reg::LUTCR => self.write_lutcr(value, ports),
            reg::AHBRXBUF0CR0..reg::AHBRXBUF_END => {
                set(
                    &mut self.ahbrxbuf,
                    reg::AHBRXBUF0CR0,
                    value & reg::ahbrxbuf::WRITABLE,
                );
                let units: u32 = self
                    .ahbrxbuf
                    .iter()
                    .map(|control| control & reg::ahbrxbuf::BUFSZ_MASK)
                    .sum();
                if units * 8 > reg::ahbrxbuf::TOTAL_BYTES {
                    ports.trace.note(
                        ports.now,
                        "flexspi",
                        "AHB RX buffers together are set beyond 1 KiB",
                    );
                }
            }
            reg::FLSHA1CR0..reg::FLSHA1CR1 => set(
                &mut self.flshcr0,
                reg::FLSHA1CR0,
                value & reg::flshcr0::FLSHSZ_MASK,
            ),
            reg::FLSHA1CR1..reg::FLSHA1CR2 => set(&mut self.flshcr1, reg::FLSHA1CR1, value),
            reg::FLSHA1CR2..reg::FLSHCR2_END => {
                if value & reg::flshcr2::CLRINSTRPTR != 0 && offset == reg::FLSHA1CR2 {
                    self.saved_pointer = 0;
                }
                set(
                    &mut self.flshcr2,
                    reg::FLSHA1CR2,
                    value & reg::flshcr2::WRITABLE,
                );
            }
            reg::FLSHCR4 => self.flshcr4 = value & reg::flshcr4::WRITABLE,
            reg::IPCR0 => self.ipcr0 = value,
            reg::IPCR1 => self.ipcr1 = value & reg::ipcr1::WRITABLE,
            reg::IPCMD if value & reg::IPCMD_TRG != 0 => self.trigger(ports),
            reg::IPCMD => {}
            reg::IPRXFCR => {
                self.iprxfcr = value & reg::fifo::WRITABLE;
                if value & reg::fifo::CLEAR != 0 {
                    self.rx.clear();
                    self.wake(ports);
                }
                self.complain_about_dma(value, ports);
            }
            reg::IPTXFCR => {
                self.iptxfcr = value & reg::fifo::WRITABLE;
                if value & reg::fifo::CLEAR != 0 {
                    self.tx.clear();
                }
                self.complain_about_dma(value, ports);
            }
            reg::DLLCRA..reg::DLLCR_END => {
                set(&mut self.dllcr, reg::DLLCRA, value & reg::dllcr::WRITABLE)
            }
            reg::TFDR..reg::LUT => self.write_tx_window(index(reg::TFDR), value, ports),
            reg::LUT..reg::END => self.write_lut(index(reg::LUT), value, ports),
            _ => return Err(no_register("write", offset, ports)),
        }
        Ok(())
    }

    fn write_mcr0(&mut self, value: u32, ports: &mut Ports<'_>) {
        if value & reg::mcr0::SERCLKDIV_MASK != 0
            && (value ^ self.mcr0) & reg::mcr0::SERCLKDIV_MASK != 0
        {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "SERCLKDIV: manuals differ on its existence; not modelled, divides by 1",
            );
        }
        self.mcr0 = value & reg::mcr0::WRITABLE;
        self.finish_reset(ports);
    }

    /// SWRESET happens as soon as the module is enabled and its serial clock runs.
    fn finish_reset(&mut self, ports: &mut Ports<'_>) {
        if self.mcr0 & reg::mcr0::SWRESET == 0 || self.mcr0 & reg::mcr0::MDIS != 0 {
            return;
        }
        if ports.serial_root_hz == 0 {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "SWRESET waits: the serial clock is stopped",
            );
            return;
        }
        self.abort(ports);
        self.mcr0 &= !reg::mcr0::SWRESET;
        self.rx.clear();
        self.tx.clear();
        if self.faults.stale_ahb_resets > 0 {
            self.faults.stale_ahb_resets -= 1;
            let held = self.buffers.iter().any(|buffer| !buffer.is_empty());
            self.strikes += u64::from(held);
        } else {
            self.forget_buffers();
        }
        self.flags = 0;
        self.sts1 = 0;
        self.saved_pointer = 0;
        self.prefetch_until = Time::ZERO;
        self.wires_free_at = ports.now;
    }

    fn forget_buffers(&mut self) {
        self.buffers = std::array::from_fn(|_| ahb::RxBuffer::default());
    }

    fn write_ahbcr(&mut self, value: u32, ports: &mut Ports<'_>) {
        self.ahbcr = value & reg::ahbcr::WRITABLE;
        if value & (reg::ahbcr::CLRAHBRXBUF | reg::ahbcr::CLRAHBTXBUF) != 0 {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "CLRAHBRXBUF, CLRAHBTXBUF: manuals differ on their existence; use SWRESET",
            );
            self.forget_buffers();
        }
    }

    fn write_lutcr(&mut self, value: u32, ports: &mut Ports<'_>) {
        let key_given = std::mem::take(&mut self.key_given);
        match value & (reg::lut::LOCK | reg::lut::UNLOCK) {
            _ if !key_given => ports.trace.violation(
                ports.now,
                "flexspi",
                "LUTCR written without the key right before it",
            ),
            reg::lut::LOCK => self.lut_locked = true,
            reg::lut::UNLOCK => self.lut_locked = false,
            other => ports.trace.violation(
                ports.now,
                "flexspi",
                format!("LUTCR = {other} is not valid"),
            ),
        }
    }

    /// The LUT takes words while it is unlocked, the module enabled and nothing under way (NXP's boot ROM driver waits for
    /// both idle flags, and enables the module before it updates the LUT).
    fn write_lut(&mut self, index: usize, value: u32, ports: &mut Ports<'_>) {
        let complaint = if self.lut_locked {
            format!("LUT word {index} written while locked")
        } else if self.complain_while_disabled("LUT write is ignored", ports) {
            return;
        } else if self.run.is_none() && self.prefetch_until > ports.now {
            format!("LUT word {index} written while an AHB prefetch runs")
        } else {
            if let Some(slot) = self.lut.get_mut(index) {
                *slot = value;
            }
            return;
        };
        ports.trace.violation(ports.now, "flexspi", complaint);
    }

    /// MDIS = 1 leaves only the registers within reach: LUT and FIFOs are without clock (IMXRT1060RM, MCR0.MDIS).
    fn complain_while_disabled(&self, what: &str, ports: &mut Ports<'_>) -> bool {
        if !self.enabled() {
            let text = format!("{what}: LUT and FIFOs are out of reach with MDIS = 1");
            ports.trace.violation(ports.now, "flexspi", text);
        }
        !self.enabled()
    }

    /// W1C, where IPRXWA pops a watermark out of the RX FIFO and IPTXWE pushes one into the TX FIFO.
    ///
    /// IPRXWA written while less than a watermark is held: the manual says that a pop takes a watermark, and that a tail
    /// is to be cleared by CLRIPRXF or the next read is wrong (IMXRT1060RM, "Reading Data from IP RX FIFO"). Black Magic
    /// Debug (src/target/imxrt.c) never clears, reads single bytes with a watermark of 128 and pops them so; it is
    /// reported to work on RT1011 to RT1060 (its pull requests 1468 and 1599), which it could not if the tail stayed. So
    /// the tail goes, and whoever relies on that is told when the next data is read.
    fn clear_flags(&mut self, value: u32, ports: &mut Ports<'_>) {
        let set = self.intr();
        self.flags &= !value;
        if value & reg::intr::IPCMDERR != 0 {
            self.sts1 &= reg::status::AHB_HALF;
        }
        if value & reg::intr::AHBCMDERR != 0 {
            self.sts1 &= !reg::status::AHB_HALF;
        }
        if value & reg::intr::IPRXWA != 0 {
            self.rx.pop(watermark(self.iprxfcr));
        }
        if value & set & reg::intr::IPTXWE != 0 {
            self.tx.push(watermark(self.iptxfcr));
        }
        self.wake(ports);
    }

    pub(super) fn intr(&self) -> u32 {
        let mut flags = self.flags;
        if self.rx.fill() as usize * reg::fifo::ENTRY_BYTES >= watermark(self.iprxfcr) {
            flags |= reg::intr::IPRXWA;
        }
        if self.tx.has_room(watermark(self.iptxfcr)) {
            flags |= reg::intr::IPTXWE;
        }
        flags
    }

    fn sts0(&self, now: Time) -> u32 {
        if self.run.is_some() {
            reg::status::SOURCE_IP
        } else if self.prefetch_until > now {
            0
        } else {
            reg::status::SEQIDLE | reg::status::ARBIDLE
        }
    }

    fn sts2(&self) -> u32 {
        let on = self.mcr0 & reg::mcr0::MDIS == 0;
        let locked = |port: usize, mask| {
            if on && self.dllcr[port] & reg::dllcr::DLLEN != 0 {
                mask
            } else {
                0
            }
        };
        reg::status::STS2_RESET
            | locked(0, reg::status::A_LOCKED)
            | locked(1, reg::status::B_LOCKED)
    }

    fn read_rx_window(&mut self, index: usize, ports: &mut Ports<'_>) -> u32 {
        if self.complain_while_disabled("RFDR reads zero", ports) {
            return 0;
        }
        let problem = if self.mcr0 & reg::mcr0::ARDFEN != 0 {
            "RFDR reads zero: ARDFEN = 1 gives the RX FIFO to the AHB side"
        } else if let Some(word) = self.rx.word(index) {
            if self.rx.take_popped_short() {
                let text = "RFDR read after IPRXWA was written below a watermark, without CLRIPRXF: \
                            unknown what that pops; taken as all there was";
                ports.trace.violation(ports.now, "flexspi", text);
            }
            return word;
        } else {
            "RFDR read beyond what the RX FIFO holds"
        };
        ports.trace.violation(ports.now, "flexspi", problem);
        0
    }

    fn write_tx_window(&mut self, index: usize, value: u32, ports: &mut Ports<'_>) {
        if self.complain_while_disabled("TFDR write is ignored", ports) {
            return;
        }
        if self.mcr0 & reg::mcr0::ATDFEN != 0 {
            let text = "TFDR write is ignored: ATDFEN = 1 gives the TX FIFO to the AHB side";
            return ports.trace.violation(ports.now, "flexspi", text);
        }
        if !self.tx.has_room(watermark(self.iptxfcr)) {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "TFDR written while the TX FIFO has no room for a watermark",
            );
        }
        self.tx.set_word(index, value);
    }

    fn complain_about_dma(&self, value: u32, ports: &mut Ports<'_>) {
        if value & reg::fifo::DMAEN != 0 {
            ports
                .trace
                .violation(ports.now, "flexspi", "FIFO access by DMA is not modelled");
        }
    }
}

/// The watermark of a FIFO control register, in bytes.
fn watermark(control: u32) -> usize {
    ((control >> reg::fifo::WMRK_SHIFT & reg::fifo::WMRK_MASK) as usize + 1)
        * reg::fifo::ENTRY_BYTES
}

fn word_only(offset: u32, width: Width, ports: &mut Ports<'_>) -> Result<(), BusFault> {
    if width == Width::Word && offset.is_multiple_of(4) {
        return Ok(());
    }
    ports.trace.violation(
        ports.now,
        "flexspi",
        format!("{width:?} access at {offset:03X}h: unknown, word registers only"),
    );
    Err(BusFault)
}

fn no_register(what: &str, offset: u32, ports: &mut Ports<'_>) -> BusFault {
    ports.trace.violation(
        ports.now,
        "flexspi",
        format!("{what} at {offset:03X}h: no register there, or not for a {what}"),
    );
    BusFault
}
