//! The probe's firmware: takes a command packet, moves the pins, gives a response packet.

use std::time::Duration;

use super::line::Line;
use super::packet::{Fields, Refusal};
use super::requests::{self, Block};
use super::transfers::{Done, Retries, Transfers};
use super::{DAP_ERROR, DAP_OK, command, info, pin, port};
use crate::probe::Packets;

/// What DAP_Info says.
const VENDOR: &str = "virtual board";
const PRODUCT: &str = "virtual CMSIS-DAP";
const PROTOCOL_VERSION: &str = "2.1.1";
/// SWD and nothing else: no JTAG, SWO, UART, atomic commands, test domain timer.
const CAPABILITIES: [u8; 2] = [0x01, 0x00];
/// One packet at a time.
const PACKET_COUNT: u8 = 1;

/// 0 stands for this many bits of a DAP_SWJ_Sequence.
const SWJ_SEQUENCE_BITS: usize = 256;
/// 0 stands for this many clocks of a DAP_SWD_Sequence.
const SWD_SEQUENCE_CLOCKS: usize = 64;
const SWD_SEQUENCE_COUNT: u8 = 0x3F;
const SWD_SEQUENCE_INPUT: u8 = 1 << 7;

const SWD_CONFIGURE_TURNAROUND: u8 = 0b011;
const SWD_CONFIGURE_DATA_PHASE: u8 = 0b100;

/// What the firmware has at hand: the pins of the debug connector, and time.
pub trait DebugPins {
    /// One SWCLK period in which the probe drives `driven`, or lets SWDIO go. Gives the line's level after the rising
    /// edge, high where nobody drives.
    fn clock(&mut self, driven: Option<bool>) -> bool;

    /// Sets the SWCLK frequency, in kHz.
    fn set_swclk_khz(&mut self, khz: u32);

    /// Drives the reset pin low (`false`) or lets it go.
    fn set_nreset(&mut self, level: bool);

    /// The reset pin.
    fn nreset(&self) -> bool;

    /// Time passes at the target.
    fn delay(&mut self, span: Duration);
}

/// A CMSIS-DAP firmware with SWD.
#[derive(Clone, Debug)]
pub struct Firmware {
    packets: Packets,
    max_khz: u32,
    /// DAP_Connect was sent; without it no pin is driven.
    connected: bool,
    swclk: bool,
    line: Line,
    retries: Retries,
}

impl Firmware {
    /// As after power-on. SWCLK never runs faster than `max_khz`.
    pub fn new(packets: Packets, max_khz: u32) -> Self {
        Firmware {
            packets,
            max_khz,
            connected: false,
            swclk: true,
            line: Line::new(),
            retries: Retries::new(),
        }
    }

    /// Executes one command packet.
    ///
    /// # Errors
    /// [`Refusal`] where the packet breaks the rules of packets. Nothing has moved then.
    pub fn execute(&mut self, packet: &[u8], pins: &mut dyn DebugPins) -> Result<Vec<u8>, Refusal> {
        let limit = self.packets.bytes;
        if packet.len() > limit {
            return Err(Refusal::TooLong {
                bytes: packet.len(),
                limit,
            });
        }
        let (id, mut fields) = Fields::of(packet)?;
        let mut response = match self.command(id, &mut fields, pins)? {
            Some(body) => [&[id], body.as_slice()].concat(),
            None => vec![command::INVALID],
        };
        if self.packets.reports {
            response.resize(limit, 0);
        }
        Ok(response)
    }

    /// The response without its command ID; `None` for a command that is not implemented.
    fn command(
        &mut self,
        id: u8,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(Some(match id {
            command::INFO => self.info(fields.u8()?),
            command::HOST_STATUS => match fields.bytes(2)? {
                [0 | 1, _] => vec![DAP_OK],
                _ => vec![DAP_ERROR],
            },
            command::CONNECT => self.connect(fields.u8()?, pins),
            command::DISCONNECT => {
                self.connected = false;
                pins.set_nreset(true);
                vec![DAP_OK]
            }
            command::TRANSFER_CONFIGURE => {
                self.line.idle_cycles = u32::from(fields.u8()?);
                self.retries.wait = fields.u16()?;
                self.retries.mismatch = fields.u16()?;
                vec![DAP_OK]
            }
            command::TRANSFER => self.transfer(fields, pins)?,
            command::TRANSFER_BLOCK => self.transfer_block(fields, pins)?,
            command::WRITE_ABORT => self.write_abort(fields, pins)?,
            command::DELAY => {
                pins.delay(Duration::from_micros(u64::from(fields.u16()?)));
                vec![DAP_OK]
            }
            // no reset sequence of a device is implemented
            command::RESET_TARGET => vec![DAP_OK, 0],
            command::SWJ_PINS => self.swj_pins(fields, pins)?,
            command::SWJ_CLOCK => self.swj_clock(fields.u32()?, pins),
            command::SWJ_SEQUENCE => self.swj_sequence(fields, pins)?,
            command::SWD_CONFIGURE => {
                let bits = fields.u8()?;
                self.line.turnaround = u32::from(bits & SWD_CONFIGURE_TURNAROUND) + 1;
                self.line.data_phase = bits & SWD_CONFIGURE_DATA_PHASE != 0;
                vec![DAP_OK]
            }
            command::SWD_SEQUENCE => self.swd_sequence(fields, pins)?,
            _ => return Ok(None),
        }))
    }

    fn info(&self, id: u8) -> Vec<u8> {
        let text = |text: &str| [text.as_bytes(), &[0]].concat();
        let value = match id {
            info::VENDOR => text(VENDOR),
            info::PRODUCT => text(PRODUCT),
            info::PROTOCOL_VERSION => text(PROTOCOL_VERSION),
            info::CAPABILITIES => CAPABILITIES.to_vec(),
            info::PACKET_COUNT => vec![PACKET_COUNT],
            info::PACKET_SIZE => (self.packets.bytes as u16).to_le_bytes().to_vec(),
            _ => Vec::new(),
        };
        [&[value.len() as u8], value.as_slice()].concat()
    }

    fn connect(&mut self, mode: u8, pins: &mut dyn DebugPins) -> Vec<u8> {
        match mode {
            port::DEFAULT | port::SWD => {
                self.connected = true;
                self.swclk = true;
                self.line.driven = true;
                pins.set_nreset(true);
                vec![port::SWD]
            }
            _ => vec![port::FAILED],
        }
    }

    fn transfers<'w>(&'w mut self, pins: &'w mut dyn DebugPins) -> Transfers<'w> {
        Transfers {
            line: &mut self.line,
            retries: &mut self.retries,
            pins,
        }
    }

    /// A response of `head` bytes and `words` words must fit in a packet.
    fn check(&self, head: usize, words: usize) -> Result<(), Refusal> {
        let (bytes, limit) = (head + 4 * words, self.packets.bytes);
        if bytes > limit {
            return Err(Refusal::ResponseTooLong { bytes, limit });
        }
        Ok(())
    }

    fn transfer(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let requests = requests::list(fields)?;
        let reads = requests
            .iter()
            .filter(|request| matches!(request, requests::Request::Read(_)));
        self.check(3, reads.count())?;
        let done = if self.connected {
            self.transfers(pins).list(&requests)
        } else {
            Done::default()
        };
        let mut response = vec![done.count as u8, done.response];
        response.extend(done.words.iter().flat_map(|word| word.to_le_bytes()));
        Ok(response)
    }

    fn transfer_block(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let block = Block::of(fields)?;
        if let Block::Read(_, count) = block {
            self.check(4, usize::from(count))?;
        }
        let done = if self.connected {
            self.transfers(pins).block(&block)
        } else {
            Done::default()
        };
        let mut response = done.count.to_le_bytes().to_vec();
        response.push(done.response);
        response.extend(done.words.iter().flat_map(|word| word.to_le_bytes()));
        Ok(response)
    }

    fn write_abort(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let _dap_index = fields.u8()?;
        let value = fields.u32()?;
        if !self.connected {
            return Ok(vec![DAP_ERROR]);
        }
        // DP register 0, and its answer is not told
        self.line.transfer(0, value, pins);
        Ok(vec![DAP_OK])
    }

    /// No pin is held by the target, so every level is there at once and the wait is never needed.
    fn swj_pins(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let (output, select) = (fields.u8()?, fields.u8()?);
        let _wait_us = fields.u32()?;
        if self.connected {
            let wanted = |pin: u8| (select & pin != 0).then_some(output & pin != 0);
            let rises = wanted(pin::SWCLK) == Some(true) && !self.swclk;
            self.swclk = wanted(pin::SWCLK).unwrap_or(self.swclk);
            self.line.driven = wanted(pin::SWDIO).unwrap_or(self.line.driven);
            if rises {
                self.line.write(self.line.driven, pins);
            }
            if let Some(level) = wanted(pin::NRESET) {
                pins.set_nreset(level);
            }
        }
        let levels = [
            (pin::SWCLK, self.swclk),
            (pin::SWDIO, self.line.driven),
            (pin::NRESET, pins.nreset()),
        ];
        let high = levels.iter().filter(|(_, level)| *level);
        Ok(vec![high.fold(0, |bits, (pin, _)| bits | pin)])
    }

    /// A probe that cannot run as fast as asked runs as fast as it can, and says nothing.
    fn swj_clock(&mut self, hertz: u32, pins: &mut dyn DebugPins) -> Vec<u8> {
        if hertz == 0 {
            return vec![DAP_ERROR];
        }
        pins.set_swclk_khz((hertz / 1_000).clamp(1, self.max_khz));
        vec![DAP_OK]
    }

    fn swj_sequence(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let bits = count(fields.u8()?, SWJ_SEQUENCE_BITS);
        let bytes = fields.bytes(bits.div_ceil(8))?;
        if self.connected {
            for bit in levels(bytes).take(bits) {
                self.line.write(bit, pins);
            }
        }
        Ok(vec![DAP_OK])
    }

    fn swd_sequence(
        &mut self,
        fields: &mut Fields<'_>,
        pins: &mut dyn DebugPins,
    ) -> Result<Vec<u8>, Refusal> {
        let sequences = (0..fields.u8()?)
            .map(|_| {
                let bits = fields.u8()?;
                let clocks = count(bits & SWD_SEQUENCE_COUNT, SWD_SEQUENCE_CLOCKS);
                let input = bits & SWD_SEQUENCE_INPUT != 0;
                let output = if input { 0 } else { clocks.div_ceil(8) };
                Ok((clocks, (!input).then_some(fields.bytes(output)?)))
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        let inputs = sequences.iter().filter(|(_, output)| output.is_none());
        let captured: usize = inputs.map(|(clocks, _)| clocks.div_ceil(8)).sum();
        let (bytes, limit) = (2 + captured, self.packets.bytes);
        if bytes > limit {
            return Err(Refusal::ResponseTooLong { bytes, limit });
        }
        let mut response = vec![DAP_OK];
        for (clocks, output) in sequences {
            match output {
                Some(bytes) if self.connected => {
                    for bit in levels(bytes).take(clocks) {
                        self.line.write(bit, pins);
                    }
                }
                Some(_) => {}
                None => {
                    let mut captured = vec![0; clocks.div_ceil(8)];
                    for n in 0..clocks {
                        // an open line is pulled high
                        let level = !self.connected || self.line.read(pins);
                        if let Some(byte) = captured.get_mut(n / 8) {
                            *byte |= u8::from(level) << (n % 8);
                        }
                    }
                    response.extend(captured);
                }
            }
        }
        Ok(response)
    }
}

/// A count of which 0 means the most.
fn count(value: u8, most: usize) -> usize {
    match value {
        0 => most,
        count => usize::from(count),
    }
}

/// The bits of `bytes`, lowest first.
fn levels(bytes: &[u8]) -> impl Iterator<Item = bool> + '_ {
    bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |n| byte >> n & 1 == 1))
}
