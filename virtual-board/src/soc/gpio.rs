//! GPIO1 to GPIO9: ports, with a log of what the outputs did. Pads (IOMUXC) are not looked at: the log is of the ports.

use super::registers::Access;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets (IMXRT1060RM GPIO chapter).
const DR: u32 = 0x00;
const GDIR: u32 = 0x04;
const PSR: u32 = 0x08;
const ICR1: u32 = 0x0C;
const ICR2: u32 = 0x10;
const IMR: u32 = 0x14;
const ISR: u32 = 0x18;
const EDGE_SEL: u32 = 0x1C;
const DR_SET: u32 = 0x84;
const DR_CLEAR: u32 = 0x88;
const DR_TOGGLE: u32 = 0x8C;

/// One change of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpioEdge {
    /// Virtual time.
    pub at: Time,
    /// Port number, 1 to 9.
    pub port: usize,
    /// Bit in the port.
    pub pin: u32,
    /// New level.
    pub level: bool,
}

/// One port.
#[derive(Clone, Debug, Default)]
pub struct Gpio {
    dr: u32,
    gdir: u32,
    icr: [u32; 2],
    imr: u32,
    isr: u32,
    edge_sel: u32,
    /// Levels that the board applies to inputs.
    inputs: u32,
    /// Levels last driven on outputs.
    driven: u32,
}

impl Gpio {
    /// Chip reset: the levels applied from outside stay.
    pub fn reset(&mut self) {
        *self = Gpio {
            inputs: self.inputs,
            ..Gpio::default()
        };
    }

    /// Applies a level to an input pin.
    pub fn apply(&mut self, pin: u32, level: bool) {
        let bit = 1u32 << (pin & 31);
        let before = self.inputs & bit != 0;
        self.inputs = if level {
            self.inputs | bit
        } else {
            self.inputs & !bit
        };
        let rising = !before && level;
        let falling = before && !level;
        let any_edge = self.edge_sel & bit != 0;
        if (any_edge && (rising || falling))
            || (rising && self.mode(pin) == 2)
            || (falling && self.mode(pin) == 3)
        {
            self.isr |= bit;
        }
    }

    /// Active interrupt bits of the port.
    pub fn interrupts(&self) -> u32 {
        self.status() & self.imr
    }

    /// A read by software.
    ///
    /// # Errors
    /// [`BusFault`] for another width or an unknown register.
    pub fn read(&self, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        access.word_only("gpio", offset, width)?;
        Ok(match offset {
            DR => (self.dr & self.gdir) | (self.inputs & !self.gdir),
            GDIR => self.gdir,
            PSR => self.levels(),
            ICR1 => self.icr[0],
            ICR2 => self.icr[1],
            IMR => self.imr,
            ISR => self.status(),
            EDGE_SEL => self.edge_sel,
            DR_SET | DR_CLEAR | DR_TOGGLE => 0,
            _ => {
                return Err(access.no_register("gpio", offset));
            }
        })
    }

    /// A write by software; gives the outputs that changed and their levels.
    ///
    /// # Errors
    /// As [`Gpio::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(u32, u32), BusFault> {
        access.word_only("gpio", offset, width)?;
        match offset {
            DR => self.dr = value,
            GDIR => self.gdir = value,
            PSR => {}
            ICR1 => self.icr[0] = value,
            ICR2 => self.icr[1] = value,
            IMR => self.imr = value,
            ISR => self.isr &= !value,
            EDGE_SEL => self.edge_sel = value,
            DR_SET => self.dr |= value,
            DR_CLEAR => self.dr &= !value,
            DR_TOGGLE => self.dr ^= value,
            _ => {
                return Err(access.no_register("gpio", offset));
            }
        }
        let changed = (self.driven ^ self.dr) & self.gdir;
        self.driven = (self.driven & !self.gdir) | (self.dr & self.gdir);
        Ok((changed, self.driven))
    }

    fn levels(&self) -> u32 {
        (self.dr & self.gdir) | (self.inputs & !self.gdir)
    }

    /// Edge interrupts stay until cleared; level interrupts follow the pin.
    fn status(&self) -> u32 {
        let mut status = self.isr;
        for pin in 0..32 {
            let bit = 1u32 << pin;
            if self.edge_sel & bit == 0 {
                let high = self.levels() & bit != 0;
                if (self.mode(pin) == 0 && !high) || (self.mode(pin) == 1 && high) {
                    status |= bit;
                }
            }
        }
        status
    }

    /// ICR field of a pin: 0 low level, 1 high level, 2 rising edge, 3 falling edge.
    fn mode(&self, pin: u32) -> u32 {
        let word = if pin & 16 == 0 {
            self.icr[0]
        } else {
            self.icr[1]
        };
        (word >> (2 * (pin & 15))) & 3
    }
}
