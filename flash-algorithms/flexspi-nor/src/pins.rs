//! Pads of FlexSPI A: the ones the boot ROM uses, set as it sets them.

use crate::bus::Bus;
use crate::registers::iomuxc::{DQS, PADS, Pad};

/// Gives the pads to FlexSPI A. The DQS pad only where the board leaves it free.
pub fn take(bus: &mut impl Bus, dqs: bool) {
    for pad in PADS.iter().chain(dqs.then_some(&DQS)) {
        set(bus, pad);
    }
}

fn set(bus: &mut impl Bus, pad: &Pad) {
    if let Some(register) = pad.select_input {
        bus.write32(register, 0);
    }
    bus.write32(pad.control, pad.control_value);
    bus.write32(pad.mux, pad.mux_value);
}
