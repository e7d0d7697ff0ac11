//! The probe-rs driver at the host's end: probe-rs's own CMSIS-DAP driver, made again over a [`Wire`](crate::probe::Wire).
//!
//! probe-rs's `CmsisDap` cannot be used itself: its transport is an enum of a HID device and a USB interface in a
//! private module, and nothing public makes one (0.32.0, src/probe/cmsisdap). What decides time and behaviour was taken
//! from there as facts (mod.rs, commands/mod.rs):
//!
//! - opening drains the probe for 1 ms, then asks DAP_Info for packet size, packet count and capabilities;
//! - attach is DAP_Connect (if no sequence needed it before), DAP_SWJ_Clock, DAP_TransferConfigure (0 idle cycles, 0xFFFF
//!   WAIT retries), DAP_SWD_Configure, DAP_HostStatus; detach is DAP_Disconnect, DAP_HostStatus;
//! - register writes wait in a batch; it goes out as one DAP_Transfer with the next read at its end, or when
//!   (packet size − 3) / 5 are in it, or before a block, or when flushed;
//! - blocks go as DAP_TransferBlock of (packet size − 6) / 4 words, one after the other;
//! - one packet a USB round trip, the response awaited: no pipelining, the packet count is not used;
//! - after FAULT: CTRL/STAT is read, and STICKYERR cleared if it is set; after WAIT: DAPABORT; both as a DAP_Transfer.
//!   The access is not repeated;
//! - SWJ sequences are sent without flushing the batch.
//!
//! Left out: JTAG and SWO, and the limit of a second for a response (WAIT retries reach it below 0.9 MHz only).

use std::sync::Arc;

use probe_rs::CoreStatus;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmCommunicationInterface, ArmDebugInterface, ArmError, DapProbe, RawDapAccess, RegisterAddress,
};
use probe_rs::probe::{BatchCommand, DebugProbe, DebugProbeError, WireProtocol};

use super::host::{CmsisDapProbe, DapPacketError, request_bits};
use super::{command, request};

const IDLE_CYCLES: u8 = 0;
const WAIT_RETRIES: u16 = 0xFFFF;
const MATCH_RETRIES: u16 = 0;
/// DAP_HostStatus: the debugger is connected, or the target runs.
const STATUS_CONNECTED: u8 = 0;
const STATUS_RUNNING: u8 = 1;

impl DebugProbe for CmsisDapProbe {
    fn get_name(&self) -> &str {
        self.profile.name
    }

    /// As asked for: CMSIS-DAP does not tell the speed.
    fn speed_khz(&self) -> u32 {
        self.speed_khz
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        let hertz = speed_khz
            .checked_mul(1_000)
            .ok_or(DebugProbeError::UnsupportedSpeed(speed_khz))?;
        self.order(command::SWJ_CLOCK, &hertz.to_le_bytes())?;
        self.speed_khz = speed_khz;
        Ok(speed_khz)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        self.connect_if_needed()?;
        self.set_speed(self.speed_khz)?;
        let mut configuration = vec![IDLE_CYCLES];
        configuration.extend(WAIT_RETRIES.to_le_bytes());
        configuration.extend(MATCH_RETRIES.to_le_bytes());
        self.order(command::TRANSFER_CONFIGURE, &configuration)?;
        // one clock of turnaround, no data phase after WAIT and FAULT
        self.order(command::SWD_CONFIGURE, &[0])?;
        // some probes do not know it
        let _ = self.send(command::HOST_STATUS, &[STATUS_CONNECTED, 1]);
        Ok(())
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        self.process_batch()?;
        let disconnected = self.order(command::DISCONNECT, &[]);
        let _ = self.send(command::HOST_STATUS, &[STATUS_CONNECTED, 0]);
        self.connected = false;
        Ok(disconnected?)
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.send(command::RESET_TARGET, &[]).map(|_| ())
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        self.drive_nreset(false)
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.drive_nreset(true)
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Swd => {
                self.protocol = Some(protocol);
                Ok(())
            }
            WireProtocol::Jtag => Err(DebugProbeError::UnsupportedProtocol(protocol)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        self.protocol
    }

    fn has_arm_interface(&self) -> bool {
        true
    }

    fn try_get_arm_debug_interface<'probe>(
        self: Box<Self>,
        sequence: Arc<dyn ArmDebugSequence>,
    ) -> Result<Box<dyn ArmDebugInterface + 'probe>, (Box<dyn DebugProbe>, ArmError)> {
        Ok(ArmCommunicationInterface::create(self, sequence, false))
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn try_as_dap_probe(&mut self) -> Option<&mut dyn DapProbe> {
        Some(self)
    }
}

impl RawDapAccess for CmsisDapProbe {
    fn raw_read_register(&mut self, address: RegisterAddress) -> Result<u32, ArmError> {
        let word = self.batch_add(BatchCommand::Read(address))?;
        let missing = || DebugProbeError::from(DapPacketError::Short { made: 0, asked: 1 });
        word.ok_or_else(|| missing().into())
    }

    fn raw_write_register(&mut self, address: RegisterAddress, value: u32) -> Result<(), ArmError> {
        self.batch_add(BatchCommand::Write(address, value))
            .map(|_| ())
    }

    fn raw_read_block(
        &mut self,
        address: RegisterAddress,
        values: &mut [u32],
    ) -> Result<(), ArmError> {
        self.process_batch()?;
        let bits = request_bits(address) | request::READ;
        for chunk in values.chunks_mut(self.block_words()) {
            let words = self.block(bits, chunk.len(), &[])?;
            for (value, word) in chunk.iter_mut().zip(words) {
                *value = word;
            }
        }
        Ok(())
    }

    fn raw_write_block(
        &mut self,
        address: RegisterAddress,
        values: &[u32],
    ) -> Result<(), ArmError> {
        self.process_batch()?;
        for chunk in values.chunks(self.block_words()) {
            self.block(request_bits(address), chunk.len(), chunk)?;
        }
        Ok(())
    }

    fn raw_flush(&mut self) -> Result<(), ArmError> {
        self.process_batch().map(|_| ())
    }

    fn jtag_sequence(&mut self, _cycles: u8, _tms: bool, _tdi: u64) -> Result<(), DebugProbeError> {
        Err(DebugProbeError::UnsupportedProtocol(WireProtocol::Jtag))
    }

    fn swj_sequence(&mut self, bit_len: u8, bits: u64) -> Result<(), DebugProbeError> {
        self.connect_if_needed()?;
        let mut body = vec![bit_len];
        body.extend(
            bits.to_le_bytes()
                .iter()
                .take(usize::from(bit_len).div_ceil(8)),
        );
        self.order(command::SWJ_SEQUENCE, &body)
    }

    fn swj_pins(
        &mut self,
        pin_out: u32,
        pin_select: u32,
        pin_wait: u32,
    ) -> Result<u32, DebugProbeError> {
        self.connect_if_needed()?;
        self.pins(pin_out as u8, pin_select as u8, pin_wait)
            .map(u32::from)
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn core_status_notification(&mut self, state: CoreStatus) -> Result<(), DebugProbeError> {
        self.send(
            command::HOST_STATUS,
            &[STATUS_RUNNING, u8::from(state.is_running())],
        )
        .map(|_| ())
    }
}

impl DapProbe for CmsisDapProbe {}
