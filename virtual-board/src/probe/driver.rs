//! The probe-rs driver: raw SWD bits over a [`Wire`], as probe-rs's own J-Link driver sends them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitvec::vec::BitVec;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmCommunicationInterface, ArmDebugInterface, ArmError, DapProbe, Pins,
};
use probe_rs::probe::{
    AutoImplementJtagAccess, DebugProbe, DebugProbeError, IoSequenceItem, JtagDriverState,
    ProbeError, RawJtagIo, RawSwdIo, SwdSettings, WireProtocol,
};

use super::{Profile, Wire, WireError, shelf};
use crate::swd::IoItem;

/// What a J-Link driver gives where it cannot read the pins.
const PINS_UNREADABLE: u32 = 0xFFFF_FFFF;
/// How long [`DebugProbe::target_reset`] holds the reset pin.
const RESET_PULSE: Duration = Duration::from_millis(10);

impl ProbeError for WireError {}

/// An open virtual probe.
pub struct VirtualProbe {
    serial: String,
    profile: Profile,
    /// The most clocks of one transaction.
    max_bits: usize,
    /// Always here until dropped.
    wire: Option<Box<dyn Wire>>,
    speed_khz: u32,
    swd_settings: SwdSettings,
    jtag_state: JtagDriverState,
}

impl VirtualProbe {
    pub(super) fn new(
        serial: String,
        profile: Profile,
        max_bits: usize,
        wire: Box<dyn Wire>,
    ) -> Self {
        VirtualProbe {
            serial,
            profile,
            max_bits,
            wire: Some(wire),
            speed_khz: 0,
            swd_settings: SwdSettings::default(),
            jtag_state: JtagDriverState::default(),
        }
    }

    fn wire(&mut self) -> Result<&mut dyn Wire, DebugProbeError> {
        match self.wire.as_deref_mut() {
            Some(wire) => Ok(wire),
            None => Err(usb(WireError::Unplugged)),
        }
    }

    fn refuse_jtag(&self) -> DebugProbeError {
        DebugProbeError::UnsupportedProtocol(WireProtocol::Jtag)
    }
}

/// As nusb reports a device that is gone.
pub(super) fn usb(error: WireError) -> DebugProbeError {
    match error {
        WireError::Unplugged => {
            DebugProbeError::Usb(std::io::Error::new(std::io::ErrorKind::NotConnected, error))
        }
        WireError::Stopped(_) | WireError::Refused(_) => error.into(),
    }
}

impl Drop for VirtualProbe {
    fn drop(&mut self) {
        if let Some(wire) = self.wire.take() {
            shelf::put_back(&self.serial, wire);
        }
    }
}

impl fmt::Debug for VirtualProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualProbe")
            .field("serial", &self.serial)
            .field("profile", &self.profile.name)
            .finish_non_exhaustive()
    }
}

impl DebugProbe for VirtualProbe {
    fn get_name(&self) -> &str {
        self.profile.name
    }

    fn speed_khz(&self) -> u32 {
        self.speed_khz
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        if speed_khz == 0 || speed_khz > self.profile.max_khz {
            return Err(DebugProbeError::UnsupportedSpeed(speed_khz));
        }
        self.wire()?.set_speed_khz(speed_khz).map_err(usb)?;
        self.speed_khz = speed_khz;
        Ok(speed_khz)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        self.wire()?.target_millivolts().map_err(usb)?;
        // As the J-Link driver does: an attach lets the reset pin go.
        self.wire()?.set_nreset(true).map_err(usb)?;
        if self.speed_khz == 0 {
            self.set_speed(self.profile.default_khz)?;
        }
        Ok(())
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        Ok(())
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.target_reset_assert()?;
        self.wire()?.wait(RESET_PULSE).map_err(usb)?;
        self.target_reset_deassert()
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        self.wire()?.set_nreset(false).map_err(usb)
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.wire()?.set_nreset(true).map_err(usb)
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Swd => Ok(()),
            WireProtocol::Jtag => Err(self.refuse_jtag()),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        Some(WireProtocol::Swd)
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
        let millivolts = self.wire()?.target_millivolts().map_err(usb)?;
        Ok(Some(millivolts as f32 / 1000.0))
    }
}

impl RawSwdIo for VirtualProbe {
    fn swd_io<S>(&mut self, swdio: S) -> Result<Vec<bool>, DebugProbeError>
    where
        S: IntoIterator<Item = IoSequenceItem>,
    {
        let max_bits = self.max_bits;
        let wire = self.wire()?;
        let mut items = swdio.into_iter().map(|item| match item {
            IoSequenceItem::Output(level) => IoItem::Drive(level),
            IoSequenceItem::Input => IoItem::Sample,
        });
        let mut levels = Vec::new();
        loop {
            let chunk: Vec<IoItem> = items.by_ref().take(max_bits).collect();
            if chunk.is_empty() {
                return Ok(levels);
            }
            levels.extend(wire.swd_io(chunk).map_err(usb)?);
        }
    }

    fn swj_pins(
        &mut self,
        pin_out: u32,
        pin_select: u32,
        pin_wait: u32,
    ) -> Result<u32, DebugProbeError> {
        let pins = |bits: u32| Pins((bits & 0xFF) as u8);
        let (out, select) = (pins(pin_out), pins(pin_select));
        if select.ntrst() || select.tdi() || select.tdo() {
            return Err(DebugProbeError::CommandNotSupportedByProbe {
                command_name: "swj_pins",
            });
        }
        let wire = self.wire()?;
        if select.nreset() {
            wire.set_nreset(out.nreset()).map_err(usb)?;
        }
        if pin_wait > 0 {
            wire.wait(Duration::from_micros(u64::from(pin_wait)))
                .map_err(usb)?;
        }
        Ok(PINS_UNREADABLE)
    }

    fn swd_settings(&self) -> &SwdSettings {
        &self.swd_settings
    }
}

impl RawJtagIo for VirtualProbe {
    fn state_mut(&mut self) -> &mut JtagDriverState {
        &mut self.jtag_state
    }

    fn state(&self) -> &JtagDriverState {
        &self.jtag_state
    }

    fn shift_bit(&mut self, _tms: bool, _tdi: bool, _capture: bool) -> Result<(), DebugProbeError> {
        Err(self.refuse_jtag())
    }

    fn read_captured_bits(&mut self) -> Result<BitVec, DebugProbeError> {
        Err(self.refuse_jtag())
    }
}

impl AutoImplementJtagAccess for VirtualProbe {}
impl DapProbe for VirtualProbe {}
