//! Address and data of a memory access in one transaction of the probe, where the probe takes raw SWD bits.
//!
//! probe-rs sends the write of TAR and the accesses to DRW as two transactions, 1 KiB at a time because TAR counts no
//! further, and every transaction costs a round trip over USB. [`Joined`] holds the write of TAR back until DRW is
//! accessed, and blocks of writes until something else is asked, so that many KiB are one sequence of bits, which the
//! probe's driver cuts only where the probe's buffer ends. A block that is held back is sent, and its errors are told, by
//! [`RawDapAccess::raw_flush`], as probe-rs has it for probes that queue.
//! Whatever goes another way than the plain one (WAIT, a disturbed wire) is left to probe-rs's own code.

use std::fmt;
use std::sync::Arc;

use probe_rs::CoreStatus;
use probe_rs::architecture::arm::dp::{Abort, DpRegister, RdBuff};
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmCommunicationInterface, ArmDebugInterface, ArmError, DapError, DapProbe, RawDapAccess,
    RegisterAddress,
};
use probe_rs::probe::{
    DebugProbe, DebugProbeError, IoSequenceItem, JtagAccess, RawSwdIo, WireProtocol,
};

/// MEM-AP registers (ADIv5.2 C2.6).
const TAR: RegisterAddress = RegisterAddress::ApRegister(0x04);
const DRW: RegisterAddress = RegisterAddress::ApRegister(0x0C);
const RDBUFF: RegisterAddress = RegisterAddress::DpRegister(RdBuff::ADDRESS);
const ABORT: RegisterAddress = RegisterAddress::DpRegister(Abort::ADDRESS);

/// Clocks of a request: start, APnDP, RnW, A2, A3, parity, stop, park.
const REQUEST_CLOCKS: usize = 8;
/// Clocks of a transfer after the request: acknowledge, turnarounds, 32 data bits, parity.
const ANSWER_CLOCKS: usize = 38;
const ACK_CLOCKS: usize = 3;
const DATA_BITS: usize = 32;
/// Words held back at most: 128 KiB of levels for the driver are enough, and more would not be faster.
const HELD_WORDS: usize = 0x2000;

/// A probe whose memory accesses are joined.
pub struct Joined<P> {
    probe: P,
    /// TAR as it is to be, not sent yet.
    address: Option<u32>,
    /// Blocks to be written, not sent yet; they come before `address`.
    held: Vec<Block>,
}

/// Words for consecutive addresses within one KiB.
struct Block {
    address: u32,
    values: Vec<u32>,
}

/// One transfer of a sequence.
#[derive(Clone, Copy)]
enum Transfer {
    Read(RegisterAddress),
    Write(RegisterAddress, u32),
}

impl<P: RawSwdIo + JtagAccess + 'static> Joined<P> {
    /// Joins the accesses of `probe`.
    pub fn new(probe: P) -> Self {
        Joined {
            probe,
            address: None,
            held: Vec::new(),
        }
    }

    /// Sends what is held back.
    fn flush(&mut self) -> Result<(), ArmError> {
        self.send_held()?;
        match self.address.take() {
            Some(address) => self.probe.raw_write_register(TAR, address),
            None => Ok(()),
        }
    }

    /// Sends `transfers` as one sequence. `None`: the target asked to wait, and everything is to be done again.
    fn send(&mut self, transfers: &[Transfer]) -> Result<Option<Vec<u32>>, ArmError> {
        let settings = self.probe.swd_settings();
        let (between, verify, after) = (
            settings.num_idle_cycles_between_writes,
            settings.idle_cycles_before_write_verify,
            settings.idle_cycles_after_transfer,
        );
        let mut items =
            Vec::with_capacity(transfers.len() * (REQUEST_CLOCKS + ANSWER_CLOCKS + between));
        let mut starts = Vec::with_capacity(transfers.len());
        for (n, transfer) in transfers.iter().enumerate() {
            starts.push(items.len());
            transfer.append(&mut items);
            let idle = match transfer {
                Transfer::Write(..) if n + 2 == transfers.len() => between + verify,
                Transfer::Write(..) => between,
                Transfer::Read(_) if n + 1 == transfers.len() => after,
                Transfer::Read(_) => 0,
            };
            items.extend(std::iter::repeat_n(IoSequenceItem::Output(false), idle));
        }
        let levels = self.probe.swd_io(items)?;
        let mut values = Vec::with_capacity(transfers.len());
        for (transfer, start) in transfers.iter().zip(starts) {
            let answer = levels.get(start + REQUEST_CLOCKS..).unwrap_or_default();
            match transfer.value(answer) {
                Ok(value) => values.push(value),
                // all the others were taken, and must not be done again: only the closing look is
                Err(error @ DapError::WaitResponse) if values.len() + 1 == transfers.len() => {
                    self.recover(error)?;
                    values.push(self.probe.raw_read_register(RDBUFF)?);
                }
                Err(error) => return self.recover(error),
            }
        }
        Ok(Some(values))
    }

    /// The port as it must be before the next access.
    fn recover(&mut self, error: DapError) -> Result<Option<Vec<u32>>, ArmError> {
        if matches!(error, DapError::WaitResponse | DapError::FaultResponse) {
            let mut abort = Abort(0);
            abort.set_orunerrclr(true);
            abort.set_stkerrclr(true);
            self.probe.raw_write_register(ABORT, abort.into())?;
        }
        match error {
            DapError::WaitResponse => Ok(None),
            error => Err(error.into()),
        }
    }

    fn send_held(&mut self) -> Result<(), ArmError> {
        let blocks = std::mem::take(&mut self.held);
        if blocks.is_empty() {
            return Ok(());
        }
        let words: usize = blocks.iter().map(|block| block.values.len()).sum();
        let mut transfers = Vec::with_capacity(words + blocks.len() + 1);
        for block in &blocks {
            transfers.push(Transfer::Write(TAR, block.address));
            transfers.extend(
                block
                    .values
                    .iter()
                    .map(|value| Transfer::Write(DRW, *value)),
            );
        }
        // reports how the last write, which the port buffers, went
        transfers.push(Transfer::Read(RDBUFF));
        if self.send(&transfers)?.is_some() {
            return Ok(());
        }
        // the target asked to wait somewhere: all again, one by one
        for block in &blocks {
            self.probe.raw_write_register(TAR, block.address)?;
            self.probe.raw_write_block(DRW, &block.values)?;
        }
        Ok(())
    }

    fn read_joined(&mut self, address: u32, values: &mut [u32]) -> Result<(), ArmError> {
        self.send_held()?;
        let mut transfers = vec![Transfer::Write(TAR, address)];
        transfers.extend(values.iter().map(|_| Transfer::Read(DRW)));
        transfers.push(Transfer::Read(RDBUFF));
        let Some(read) = self.send(&transfers)? else {
            self.probe.raw_write_register(TAR, address)?;
            return self.probe.raw_read_block(DRW, values);
        };
        // the port posts reads: each answer carries the value of the one before; the first two are TAR and no value
        for (to, from) in values.iter_mut().zip(read.into_iter().skip(2)) {
            *to = from;
        }
        Ok(())
    }
}

impl Transfer {
    fn append(self, items: &mut Vec<IoSequenceItem>) {
        let (register, read) = match self {
            Transfer::Read(register) => (register, true),
            Transfer::Write(register, _) => (register, false),
        };
        let (ap, a2, a3) = (register.is_ap(), register.a2(), register.a3());
        let parity = ap ^ read ^ a2 ^ a3;
        let request = [true, ap, read, a2, a3, parity, false, true];
        items.extend(request.map(IoSequenceItem::Output));
        match self {
            Transfer::Read(_) => items.extend([IoSequenceItem::Input; ANSWER_CLOCKS]),
            Transfer::Write(_, value) => {
                // turnaround, acknowledge, turnaround
                items.extend([IoSequenceItem::Input; 2 + ACK_CLOCKS]);
                let bits = (0..DATA_BITS).map(|bit| value & (1 << bit) != 0);
                items.extend(bits.map(IoSequenceItem::Output));
                items.push(IoSequenceItem::Output(value.count_ones() % 2 == 1));
            }
        }
    }

    /// The value in the levels that follow the request. A J-Link samples one clock early, so that the acknowledge
    /// begins in the turnaround; probe-rs's drivers of the kind all present it so.
    fn value(self, answer: &[bool]) -> Result<u32, DapError> {
        match answer.first_chunk::<ACK_CLOCKS>() {
            Some([true, false, false]) => {}
            Some([false, true, false]) => return Err(DapError::WaitResponse),
            Some([false, false, true]) => return Err(DapError::FaultResponse),
            Some([true, true, true]) => return Err(DapError::NoAcknowledge),
            _ => return Err(DapError::Protocol(WireProtocol::Swd)),
        }
        let Transfer::Read(_) = self else {
            return Ok(0);
        };
        let data = answer.get(ACK_CLOCKS..).unwrap_or_default();
        let value = data
            .iter()
            .take(DATA_BITS)
            .rev()
            .fold(0, |value, bit| value << 1 | u32::from(*bit));
        match data.get(DATA_BITS) {
            Some(parity) if *parity == (value.count_ones() % 2 == 1) => Ok(value),
            _ => Err(DapError::IncorrectParity),
        }
    }
}

impl<P: RawSwdIo + JtagAccess + 'static> RawDapAccess for Joined<P> {
    fn raw_read_register(&mut self, register: RegisterAddress) -> Result<u32, ArmError> {
        if register == DRW
            && let Some(address) = self.address.take()
        {
            let mut value = [0];
            self.read_joined(address, &mut value)?;
            let [value] = value;
            return Ok(value);
        }
        self.flush()?;
        self.probe.raw_read_register(register)
    }

    fn raw_read_block(
        &mut self,
        register: RegisterAddress,
        values: &mut [u32],
    ) -> Result<(), ArmError> {
        if register == DRW
            && let Some(address) = self.address.take()
        {
            return self.read_joined(address, values);
        }
        self.flush()?;
        self.probe.raw_read_block(register, values)
    }

    fn raw_write_register(
        &mut self,
        register: RegisterAddress,
        value: u32,
    ) -> Result<(), ArmError> {
        if register == TAR {
            self.address = Some(value);
            return Ok(());
        }
        self.raw_write_block(register, &[value])
    }

    fn raw_write_block(
        &mut self,
        register: RegisterAddress,
        values: &[u32],
    ) -> Result<(), ArmError> {
        if register == DRW
            && let Some(address) = self.address.take()
        {
            let values = values.to_vec();
            let is_block = values.len() > 1;
            self.held.push(Block { address, values });
            let words: usize = self.held.iter().map(|block| block.values.len()).sum();
            // a single word may start or stop something: it goes at once, and what came before it with it
            return if is_block && words < HELD_WORDS {
                Ok(())
            } else {
                self.send_held()
            };
        }
        self.flush()?;
        match values {
            [value] => self.probe.raw_write_register(register, *value),
            values => self.probe.raw_write_block(register, values),
        }
    }

    fn raw_flush(&mut self) -> Result<(), ArmError> {
        self.flush()?;
        self.probe.raw_flush()
    }

    fn configure_jtag(&mut self, skip_scan: bool) -> Result<(), DebugProbeError> {
        self.probe.configure_jtag(skip_scan)
    }

    fn jtag_sequence(&mut self, cycles: u8, tms: bool, tdi: u64) -> Result<(), DebugProbeError> {
        self.probe.jtag_sequence(cycles, tms, tdi)
    }

    fn swj_sequence(&mut self, bit_len: u8, bits: u64) -> Result<(), DebugProbeError> {
        // a line reset follows an error or begins a session: whatever was to be written is written again by then
        self.address = None;
        self.held.clear();
        self.probe.swj_sequence(bit_len, bits)
    }

    fn swj_pins(&mut self, out: u32, select: u32, wait: u32) -> Result<u32, DebugProbeError> {
        RawDapAccess::swj_pins(&mut self.probe, out, select, wait)
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn core_status_notification(&mut self, state: CoreStatus) -> Result<(), DebugProbeError> {
        self.probe.core_status_notification(state)
    }
}

impl<P: RawSwdIo + JtagAccess + 'static> DebugProbe for Joined<P> {
    fn get_name(&self) -> &str {
        self.probe.get_name()
    }

    fn speed_khz(&self) -> u32 {
        self.probe.speed_khz()
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        self.probe.set_speed(speed_khz)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        self.probe.attach()
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        self.probe.detach()
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.probe.target_reset()
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        self.probe.target_reset_assert()
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.probe.target_reset_deassert()
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        // JTAG has other transfers than the ones joined here
        match protocol {
            WireProtocol::Swd => self.probe.select_protocol(protocol),
            WireProtocol::Jtag => Err(DebugProbeError::UnsupportedProtocol(protocol)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        self.probe.active_protocol()
    }

    fn has_arm_interface(&self) -> bool {
        true
    }

    fn try_get_arm_debug_interface<'probe>(
        self: Box<Self>,
        sequence: Arc<dyn ArmDebugSequence>,
    ) -> Result<Box<dyn ArmDebugInterface + 'probe>, (Box<dyn DebugProbe>, ArmError)> {
        Ok(ArmCommunicationInterface::create(self, sequence, true))
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn try_as_dap_probe(&mut self) -> Option<&mut dyn DapProbe> {
        Some(self)
    }

    fn get_target_voltage(&mut self) -> Result<Option<f32>, DebugProbeError> {
        self.probe.get_target_voltage()
    }
}

impl<P: RawSwdIo + JtagAccess + 'static> DapProbe for Joined<P> {}

impl<P: DebugProbe> fmt::Debug for Joined<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("probe", &self.probe)
            .finish_non_exhaustive()
    }
}
