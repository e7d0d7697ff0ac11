//! Packets as probe-rs's own CMSIS-DAP driver makes them: what goes into one, when it is sent, what follows an error.

use std::fmt;
use std::time::Duration;

use probe_rs::architecture::arm::dp::{Abort, Ctrl, DpRegister};
use probe_rs::architecture::arm::{ArmError, DapError, RegisterAddress};
use probe_rs::probe::{BatchCommand, DebugProbe, DebugProbeError, ProbeError, WireProtocol};

use super::packet::{Fields, Refusal};
use super::{DAP_OK, ack, command, info, pin, port, request};
use crate::probe::driver::usb;
use crate::probe::{Packets, Profile, Wire, WireError, shelf};

/// How long an open waits for bytes that an earlier owner left unread.
const DRAIN: Duration = Duration::from_millis(1);

/// Bytes of a DAP_Transfer before its transfers.
const TRANSFER_HEAD: usize = 3;
/// Bytes of a register write in it.
const TRANSFER_WRITE: usize = 5;
/// What probe-rs leaves for the head of a DAP_TransferBlock, with one byte for HID.
const BLOCK_HEAD: usize = 6;

/// A response that is not what the command asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DapPacketError {
    /// Another command's response, or 0xFF: the probe does not know the command.
    #[error("the CMSIS-DAP probe answered command 0x{sent:02X} with a response to 0x{got:02X}")]
    Mismatch {
        /// The command.
        sent: u8,
        /// The ID in the response.
        got: u8,
    },
    /// The response ends too early.
    #[error("the CMSIS-DAP probe's response is malformed: {0}")]
    Malformed(Refusal),
    /// The response says that the command failed.
    #[error("the CMSIS-DAP probe refused command 0x{command:02X}")]
    Failed {
        /// The command.
        command: u8,
    },
    /// Fewer transfers than asked for, and no error.
    #[error("the CMSIS-DAP probe made {made} of {asked} transfers and reports no error")]
    Short {
        /// Transfers made.
        made: usize,
        /// Transfers asked for.
        asked: usize,
    },
}

impl ProbeError for DapPacketError {}

impl From<Refusal> for DapPacketError {
    fn from(refusal: Refusal) -> Self {
        DapPacketError::Malformed(refusal)
    }
}

/// An open CMSIS-DAP probe.
pub struct CmsisDapProbe {
    serial: String,
    pub(super) profile: Profile,
    /// Always here until dropped.
    wire: Option<Box<dyn Wire>>,
    packets: Packets,
    pub(super) protocol: Option<WireProtocol>,
    pub(super) connected: bool,
    pub(super) speed_khz: u32,
    batch: Vec<BatchCommand>,
}

impl CmsisDapProbe {
    pub(in crate::probe) fn open(
        serial: String,
        profile: Profile,
        packets: Packets,
        wire: Box<dyn Wire>,
    ) -> Result<Self, DebugProbeError> {
        let mut probe = CmsisDapProbe {
            serial,
            profile,
            wire: Some(wire),
            packets,
            protocol: None,
            connected: false,
            speed_khz: profile.default_khz,
            batch: Vec::new(),
        };
        probe.wire()?.wait(DRAIN).map_err(usb)?;
        let size = probe.info(info::PACKET_SIZE, 2)?;
        probe.packets.bytes = size as usize;
        probe.info(info::PACKET_COUNT, 1)?;
        probe.info(info::CAPABILITIES, 2)?;
        Ok(probe)
    }

    fn wire(&mut self) -> Result<&mut dyn Wire, DebugProbeError> {
        match self.wire.as_deref_mut() {
            Some(wire) => Ok(wire),
            None => Err(usb(WireError::Unplugged)),
        }
    }

    /// One packet there and one back; gives what follows the command ID.
    pub(super) fn send(&mut self, id: u8, body: &[u8]) -> Result<Vec<u8>, DebugProbeError> {
        let mut packet = vec![id];
        packet.extend_from_slice(body);
        if self.packets.reports {
            packet.resize(packet.len().max(self.packets.bytes), 0);
        }
        let mut response = self.wire()?.dap_packet(packet).map_err(usb)?;
        let (got, _) = Fields::of(&response).map_err(DapPacketError::from)?;
        if got != id {
            return Err(DapPacketError::Mismatch { sent: id, got }.into());
        }
        response.remove(0);
        Ok(response)
    }

    /// A command whose response is a status.
    pub(super) fn order(&mut self, id: u8, body: &[u8]) -> Result<(), DebugProbeError> {
        match self.send(id, body)?.first() {
            Some(&DAP_OK) => Ok(()),
            _ => Err(DapPacketError::Failed { command: id }.into()),
        }
    }

    /// A number of `bytes` bytes.
    fn info(&mut self, id: u8, bytes: u8) -> Result<u16, DebugProbeError> {
        let response = self.send(command::INFO, &[id])?;
        let number = response.get(1..=usize::from(bytes)).unwrap_or_default();
        if response.first() != Some(&bytes) || number.is_empty() {
            return Err(DapPacketError::Failed {
                command: command::INFO,
            }
            .into());
        }
        let little_endian = |value: u16, byte: &u8| value << 8 | u16::from(*byte);
        Ok(number.iter().rev().fold(0, little_endian))
    }

    pub(super) fn connect_if_needed(&mut self) -> Result<(), DebugProbeError> {
        if self.connected {
            return Ok(());
        }
        let mode = match self.protocol {
            Some(_) => port::SWD,
            None => port::DEFAULT,
        };
        if self.send(command::CONNECT, &[mode])?.first() != Some(&port::SWD) {
            return Err(DapPacketError::Failed {
                command: command::CONNECT,
            }
            .into());
        }
        self.protocol = Some(WireProtocol::Swd);
        self.connected = true;
        Ok(())
    }

    pub(super) fn drive_nreset(&mut self, level: bool) -> Result<(), DebugProbeError> {
        self.pins(if level { pin::NRESET } else { 0 }, pin::NRESET, 0)
            .map(|_| ())
    }

    pub(super) fn pins(
        &mut self,
        output: u8,
        select: u8,
        wait_us: u32,
    ) -> Result<u8, DebugProbeError> {
        let mut body = vec![output, select];
        body.extend(wait_us.to_le_bytes());
        let response = self.send(command::SWJ_PINS, &body)?;
        let (levels, _) = Fields::of(&response).map_err(DapPacketError::from)?;
        Ok(levels)
    }

    /// Sends `commands` as one DAP_Transfer. Gives the transfers made, the response bits, and the words read.
    fn transfer(
        &mut self,
        commands: &[BatchCommand],
    ) -> Result<(usize, u8, Vec<u8>), DebugProbeError> {
        let mut body = vec![0, commands.len() as u8];
        for command in commands {
            match *command {
                BatchCommand::Read(register) => body.push(request_bits(register) | request::READ),
                BatchCommand::Write(register, value) => {
                    body.push(request_bits(register));
                    body.extend(value.to_le_bytes());
                }
            }
        }
        let response = self.send(command::TRANSFER, &body)?;
        let (made, mut fields) = Fields::of(&response).map_err(DapPacketError::from)?;
        let bits = fields.u8().map_err(DapPacketError::from)?;
        let words = response.get(2..).unwrap_or_default().to_vec();
        Ok((usize::from(made), bits, words))
    }

    /// One transfer that is not repeated and not batched.
    fn transfer_now(&mut self, transfer: BatchCommand) -> Result<u32, ArmError> {
        let (_, bits, words) = self.transfer(&[transfer])?;
        judge(bits)?;
        Ok(words
            .first_chunk()
            .map_or(0, |word| u32::from_le_bytes(*word)))
    }

    /// Sends the batch, if there is one. Gives the word that the last transfer read.
    pub(super) fn process_batch(&mut self) -> Result<Option<u32>, ArmError> {
        let batch = std::mem::take(&mut self.batch);
        let Some(last) = batch.last() else {
            return Ok(None);
        };
        let (made, bits, words) = self.transfer(&batch)?;
        self.settle(bits)?;
        if made < batch.len() {
            let short = DapPacketError::Short {
                made,
                asked: batch.len(),
            };
            return Err(DebugProbeError::from(short).into());
        }
        let word = words.first_chunk().map(|word| u32::from_le_bytes(*word));
        match last {
            BatchCommand::Read(_) => Ok(word),
            BatchCommand::Write(..) => Ok(None),
        }
    }

    pub(super) fn batch_add(&mut self, command: BatchCommand) -> Result<Option<u32>, ArmError> {
        let read = matches!(command, BatchCommand::Read(_));
        self.batch.push(command);
        let most = (self.packets.bytes.saturating_sub(TRANSFER_HEAD) / TRANSFER_WRITE).max(1);
        if read || self.batch.len() >= most {
            self.process_batch()
        } else {
            Ok(None)
        }
    }

    /// What a response says, and what the port needs after it.
    fn settle(&mut self, bits: u8) -> Result<(), ArmError> {
        let verdict = judge(bits);
        match verdict {
            Err(DapError::FaultResponse) => self.clear_sticky_error()?,
            Err(DapError::WaitResponse) => {
                let mut abort = Abort(0);
                abort.set_dapabort(true);
                self.write_abort(abort)?;
            }
            _ => {}
        }
        Ok(verdict?)
    }

    fn clear_sticky_error(&mut self) -> Result<(), ArmError> {
        let clear = match self.transfer_now(BatchCommand::Read(Ctrl::ADDRESS.into())) {
            Ok(value) => Ctrl(value).sticky_err(),
            Err(ArmError::Dap(DapError::FaultResponse)) => true,
            Err(error) => return Err(error),
        };
        if !clear {
            return Ok(());
        }
        let mut abort = Abort(0);
        abort.set_stkerrclr(true);
        self.write_abort(abort)
    }

    fn write_abort(&mut self, abort: Abort) -> Result<(), ArmError> {
        self.transfer_now(BatchCommand::Write(Abort::ADDRESS.into(), abort.into()))
            .map(|_| ())
    }

    /// Words of a DAP_TransferBlock.
    pub(super) fn block_words(&self) -> usize {
        (self.packets.bytes.saturating_sub(BLOCK_HEAD) / 4).max(1)
    }

    /// One DAP_TransferBlock. Gives the words read.
    pub(super) fn block(
        &mut self,
        bits: u8,
        count: usize,
        data: &[u32],
    ) -> Result<Vec<u32>, ArmError> {
        let mut body = vec![0];
        body.extend((count as u16).to_le_bytes());
        body.push(bits);
        body.extend(data.iter().flat_map(|word| word.to_le_bytes()));
        let response = self.send(command::TRANSFER_BLOCK, &body)?;
        let malformed = |refusal| DebugProbeError::from(DapPacketError::from(refusal));
        let (_, mut fields) = Fields::of(&response).map_err(malformed)?;
        // the count's high byte; what was done before an error is of no use to the caller
        fields.u8().map_err(malformed)?;
        self.settle(fields.u8().map_err(malformed)?)?;
        if bits & request::READ == 0 {
            return Ok(Vec::new());
        }
        (0..count)
            .map(|_| fields.u32().map_err(|refusal| malformed(refusal).into()))
            .collect()
    }
}

/// A register's bits in a transfer request.
pub(super) fn request_bits(register: RegisterAddress) -> u8 {
    let port = if register.is_ap() { request::AP } else { 0 };
    port | register.a2_and_3()
}

/// What a transfer response says.
fn judge(bits: u8) -> Result<(), DapError> {
    if bits & ack::PROTOCOL_ERROR != 0 {
        return Err(DapError::Protocol(WireProtocol::Swd));
    }
    match bits & ack::MASK {
        ack::OK => Ok(()),
        ack::WAIT => Err(DapError::WaitResponse),
        ack::FAULT => Err(DapError::FaultResponse),
        _ => Err(DapError::NoAcknowledge),
    }
}

impl Drop for CmsisDapProbe {
    fn drop(&mut self) {
        // a probe that is gone needs no goodbye
        let _ = self.process_batch();
        let _ = self.detach();
        if let Some(wire) = self.wire.take() {
            shelf::put_back(&self.serial, wire);
        }
    }
}

impl fmt::Debug for CmsisDapProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CmsisDapProbe")
            .field("serial", &self.serial)
            .field("profile", &self.profile.name)
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}
