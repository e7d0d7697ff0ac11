//! AHB reads of the flash window: the read sequence of the chip, and RX buffers that keep what they once fetched.

use super::instruction::{self, ErrorCode, Kind};
use super::ip::{data_clocks, emit, fixed_clocks};
use super::registers::{ahbcr, ahbrxbuf, flshcr1, flshcr2, intr, mcr0, mcr1, status};
use super::wires::Wires;
use super::{FlexSpi, Ports};
use crate::bus::BusFault;
use crate::nor::Lines;
use crate::time::Time;

/// The master number of the core and of its AHB-AP on the bus to FlexSPI (IMXRT1060RM, MSTRID of the Cortex-M7).
const CORE_MASTER: u32 = 0;
/// AHBBUSWAIT counts in units of this many AHB clocks.
const AHBBUSWAIT_UNIT: u64 = 1024;
/// The AHB clock, only for the length of a time-out (IMXRT1060RM: AHB_CLK_ROOT at most 600 MHz).
const AHB_HZ: u64 = 600_000_000;
/// Fetches start at multiples of this.
const FETCH_ALIGN: u32 = 8;

/// One AHB RX buffer: a copy of the flash as it was when fetched.
#[derive(Clone, Debug, Default)]
pub(super) struct RxBuffer {
    start: u32,
    data: Vec<u8>,
    first_byte_at: Time,
    byte_ps: u64,
}

impl RxBuffer {
    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    fn arrival(&self, index: usize) -> Time {
        self.first_byte_at + Time::ps(self.byte_ps * index as u64)
    }

    fn hit(&self, offset: u32, length: usize) -> Option<(usize, Time)> {
        let index = offset.checked_sub(self.start)? as usize;
        (index + length <= self.data.len()).then(|| (index, self.arrival(index + length - 1)))
    }
}

impl FlexSpi {
    /// Reads `out.len()` bytes at `offset` of the window; the time the bus waits.
    ///
    /// # Errors
    /// The module is disabled, the clock stopped, the address beyond the flash sizes, the sequence bad, or an IP command
    /// holds the bus for ever.
    pub fn ahb_read(
        &mut self,
        offset: u32,
        out: &mut [u8],
        ports: &mut Ports<'_>,
    ) -> Result<Time, BusFault> {
        if out.is_empty() {
            return Ok(Time::ZERO);
        }
        if self.mcr0 & mcr0::MDIS != 0 {
            return Err(self.refuse(ports, "AHB read with MDIS = 1"));
        }
        self.advance(ports);
        let began = ports.now;
        let buffer = self.buffer_for(CORE_MASTER);
        if self.run.is_none()
            && let Some((index, ready)) = self
                .buffers
                .get(buffer)
                .and_then(|held| held.hit(offset, out.len()))
        {
            self.copy_out(buffer, index, out);
            return Ok(ready.saturating_sub(began));
        }
        self.wait_for_ip(ports)?;
        if ports.serial_root_hz == 0 {
            self.flags |= intr::AHBBUSTIMEOUT;
            return Err(self.refuse(ports, "AHB read with the serial clock stopped"));
        }
        self.fetch(buffer, offset, out.len(), ports)?;
        let fetched = self
            .buffers
            .get(buffer)
            .and_then(|held| held.hit(offset, out.len()));
        let Some((index, ready)) = fetched else {
            return Err(self.refuse(ports, "AHB read across the end of a flash"));
        };
        self.copy_out(buffer, index, out);
        Ok(ready.saturating_sub(began))
    }

    /// Writes to the window: no flash takes them, so the bus gets an error.
    ///
    /// # Errors
    /// Always.
    pub fn ahb_write(
        &mut self,
        offset: u32,
        _data: &[u8],
        ports: &mut Ports<'_>,
    ) -> Result<Time, BusFault> {
        Err(self.refuse(
            ports,
            &format!("AHB write at {offset:08X}h of the flash window is not modelled"),
        ))
    }

    /// Ends a prefetch that is still filling a buffer: what has not arrived is not there.
    pub(super) fn cut_prefetch(&mut self, now: Time) {
        if self.prefetch_until <= now {
            return;
        }
        for buffer in &mut self.buffers {
            let held = buffer.data.len();
            let arrived = (0..held)
                .take_while(|index| buffer.arrival(*index) <= now)
                .count();
            buffer.data.truncate(arrived);
        }
        self.prefetch_until = now;
        self.wires_free_at = now;
    }

    fn copy_out(&self, buffer: usize, index: usize, out: &mut [u8]) {
        if let Some(data) = self
            .buffers
            .get(buffer)
            .and_then(|held| held.data.get(index..index + out.len()))
        {
            out.copy_from_slice(data);
        }
    }

    fn refuse(&mut self, ports: &mut Ports<'_>, text: &str) -> BusFault {
        ports.trace.violation(ports.now, "flexspi", text);
        BusFault
    }

    /// The arbiter lets a running IP command finish first.
    fn wait_for_ip(&mut self, ports: &mut Ports<'_>) -> Result<(), BusFault> {
        let limit = ports.now
            + Time::cycles(
                u64::from(self.mcr1 & mcr1::AHBBUSWAIT_MASK) * AHBBUSWAIT_UNIT,
                AHB_HZ,
            );
        while self.run.is_some() {
            match self.busy_until() {
                Some(until) if until <= limit => {
                    ports.now = ports.now.max(until);
                    self.advance(ports);
                }
                _ => {
                    self.flags |= intr::AHBCMDGE;
                    return Err(
                        self.refuse(ports, "AHB read while an IP command waits for its FIFO")
                    );
                }
            }
        }
        Ok(())
    }

    fn fetch(
        &mut self,
        buffer: usize,
        offset: u32,
        length: usize,
        ports: &mut Ports<'_>,
    ) -> Result<(), BusFault> {
        self.cut_prefetch(ports.now);
        let Some((chip, address, room)) = self.locate(offset) else {
            return Err(self.refuse(ports, "AHB read beyond the flash sizes"));
        };
        let cr2 = self.flshcr2[0];
        let sequence = (cr2 & flshcr2::ARDSEQID_MASK) as u8;
        if cr2 >> flshcr2::ARDSEQNUM_SHIFT & flshcr2::SEQNUM_MASK != 0 {
            return Err(self.refuse(
                ports,
                "AHB reads of more than one sequence are not modelled",
            ));
        }
        let instructions = instruction::sequence(&self.lut, sequence, self.saved_pointer);
        if let Err(code) = instruction::check(&instructions, false) {
            return Err(self.ahb_error(sequence, code, ports));
        }
        self.complain_about_modes(ports);
        let skip = address % FETCH_ALIGN;
        let wanted = (length as u32 + skip).next_multiple_of(FETCH_ALIGN);
        let bytes = self.prefetch_bytes(buffer).max(wanted).min(room + skip);
        let wires = Wires::connect(&instructions, self.mcr0, chip, ports).bent(&self.faults);
        let hz = ports.serial_root_hz;
        let start = ports.now.max(self.wires_free_at);
        wires.select(ports, start, hz);
        let mut clocks = u64::from(self.flshcr1[0] & flshcr1::TCSS_MASK);
        let mut held = RxBuffer {
            start: offset - skip,
            ..RxBuffer::default()
        };
        for instruction in &instructions {
            match instruction.kind {
                Kind::Read => {
                    let lines = instruction.lines.unwrap_or(Lines::Four);
                    held.data = (0..bytes)
                        .map(|_| wires.take(ports, lines, instruction.ddr))
                        .collect();
                    let byte = Time::cycles(data_clocks(instruction, 1), hz);
                    held.byte_ps = byte.as_ps();
                    held.first_byte_at = start + Time::cycles(clocks, hz) + byte;
                    clocks += data_clocks(instruction, bytes);
                }
                Kind::JumpOnCs => self.saved_pointer = instruction.operand,
                _ => {
                    emit(instruction, address - skip, bytes, &wires, ports);
                    clocks += fixed_clocks(instruction);
                }
            }
        }
        let end = start
            + Time::cycles(
                clocks + u64::from((self.flshcr1[0] >> flshcr1::TCSH_SHIFT) & flshcr1::TCSS_MASK),
                hz,
            );
        wires.deselect(ports, end);
        self.prefetch_until = end;
        self.wires_free_at = end + self.interval(hz);
        if held.data.is_empty() {
            return Err(self.refuse(ports, &format!("AHB read sequence {sequence} has no READ")));
        }
        if let Some(slot) = self.buffers.get_mut(buffer) {
            *slot = held;
        }
        Ok(())
    }

    fn ahb_error(&mut self, sequence: u8, code: ErrorCode, ports: &mut Ports<'_>) -> BusFault {
        self.flags |= intr::AHBCMDERR;
        self.sts1 = (self.sts1 & !status::AHB_HALF)
            | u32::from(sequence) << status::AHBCMDERRID_SHIFT
            | (code as u32) << status::AHBCMDERRCODE_SHIFT;
        self.refuse(
            ports,
            &format!("AHB read, sequence {sequence}: error {code:?}"),
        )
    }

    /// The buffer of `master`: the first of buffers 0 to 2 that names it and has a size, else buffer 3.
    fn buffer_for(&self, master: u32) -> usize {
        let named = self.ahbrxbuf.iter().take(3).position(|control| {
            (control & ahbrxbuf::MSTRID_MASK) >> ahbrxbuf::MSTRID_SHIFT == master
                && control & ahbrxbuf::BUFSZ_MASK != 0
        });
        named.unwrap_or(3)
    }

    fn prefetch_bytes(&self, buffer: usize) -> u32 {
        let control = self.ahbrxbuf.get(buffer).copied().unwrap_or(0);
        let on = self.ahbcr & ahbcr::PREFETCHEN != 0 && control & ahbrxbuf::PREFETCHEN != 0;
        if on {
            (control & ahbrxbuf::BUFSZ_MASK) * FETCH_ALIGN
        } else {
            0
        }
    }
}
