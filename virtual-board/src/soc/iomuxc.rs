//! IOMUXC, IOMUXC_GPR and the SNVS pads: pad multiplexing, the FlexRAM bank map and the other general registers.

use super::plain_registers::{IOMUXC_GPR, IOMUXC_SNVS, IOMUXC_SNVS_GPR};
use super::registers::{Access, Bank};
use crate::bus::{BusFault, Width};
use crate::flexspi::Pads;

/// Mux, pad and select-input registers fill the block up to here without a gap (NXP's SVD of the MIMXRT1062).
const FIRST: u32 = 0x014;
const LAST: u32 = 0x78C;

const MUX_RESET: u32 = 5;
const MUX_MASK: u32 = 0x1F;
const PAD_RESET: u32 = 0x10B0;
const PAD_MASK: u32 = 0x1_F0F9;
const SELECT_INPUT_MASK: u32 = 0x7;
const MUX_MODE: u32 = 0xF;
const MUX_SION: u32 = 0x10;

/// Pads whose control register resets to something else than 0x10B0: (offset, value).
const PAD_EXCEPTIONS: [(u32, u32); 9] = [
    (0x270, 0x30B0),
    (0x2BC, 0x30B0),
    (0x2C0, 0x30B0),
    (0x2C4, 0x70A0),
    (0x2C8, 0x70A0),
    (0x2CC, 0xB0A0),
    (0x2D0, 0x70A0),
    (0x2D4, 0x90B1),
    (0x2D8, 0x70A0),
];

/// Mux registers that reset to 0: GPIO_AD_B0_04 to _11 (boot and JTAG pads) and the SPI_B pads with the same duty.
const MUX_ZERO: [std::ops::RangeInclusive<u32>; 4] =
    [0x0CC..=0x0E8, 0x65C..=0x65C, 0x690..=0x690, 0x6B0..=0x6B0];

// FlexSPI A on GPIO_SD_B1_05..11, ALT1 (IMXRT1060RM IOMUXC chapter).
const FLEXSPI_ALT: u32 = 1;
const SD_B1_05_DQS: u32 = 0x1E8;
const SD_B1_06_SS0: u32 = 0x1EC;
const SD_B1_07_SCLK: u32 = 0x1F0;
const SD_B1_08_DATA0: u32 = 0x1F4;
const SD_B1_09_DATA1: u32 = 0x1F8;
const SD_B1_10_DATA2: u32 = 0x1FC;
const SD_B1_11_DATA3: u32 = 0x200;
/// GPIO_AD_B0_06 and _07: SWDIO and SWCLK as ALT0.
const DEBUG_PADS: [u32; 2] = [0x0D4, 0x0D8];
const DEBUG_ALT: u32 = 0;
const SELECT_DQS: u32 = 0x4A4;
const SELECT_DATA0: u32 = 0x4A8;
const SELECT_DATA1: u32 = 0x4AC;
const SELECT_DATA2: u32 = 0x4B0;
const SELECT_DATA3: u32 = 0x4B4;

const GPR16: u32 = 0x40;
const GPR17: u32 = 0x44;
const FLEXRAM_FROM_GPR17: u32 = 1 << 2;
const BANKS: u32 = 16;
const BANK_BYTES: u32 = 32 * 1024;

/// The FlexRAM split in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlexRam {
    /// ITCM, from address 0.
    pub itcm_bytes: u32,
    /// DTCM, from 0x20000000.
    pub dtcm_bytes: u32,
    /// FlexRAM part of the OCRAM, from 0x20280000.
    pub ocram_bytes: u32,
}

/// The three pad blocks.
#[derive(Clone, Debug)]
pub struct Iomuxc {
    pads: Vec<u32>,
    gpr: Bank,
    snvs: Bank,
    snvs_gpr: Bank,
}

impl Default for Iomuxc {
    fn default() -> Self {
        Self::new()
    }
}

impl Iomuxc {
    /// All in the state after power-on.
    pub fn new() -> Self {
        let pads = (FIRST..=LAST)
            .step_by(4)
            .map(|offset| kind(offset).0)
            .collect();
        Iomuxc {
            pads,
            gpr: Bank::new("iomuxc_gpr", IOMUXC_GPR),
            snvs: Bank::new("iomuxc_snvs", IOMUXC_SNVS),
            snvs_gpr: Bank::new("iomuxc_snvs_gpr", IOMUXC_SNVS_GPR),
        }
    }

    /// Warm reset: GPR16 and GPR17 keep their value (as probe-rs observed: the FlexRAM split survives SYSRESETREQ).
    pub fn warm_reset(&mut self) {
        let kept = [GPR16, GPR17].map(|offset| (offset, self.gpr.get(offset)));
        *self = Self::new();
        for (offset, value) in kept {
            self.gpr.put(offset, value);
        }
    }

    /// Reads IOMUXC.
    ///
    /// # Errors
    /// [`BusFault`] for what is not modelled.
    pub fn read_pad(
        &self,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        let index = pad_index(offset, width, access)?;
        self.pads.get(index).copied().ok_or(BusFault)
    }

    /// Writes IOMUXC.
    ///
    /// # Errors
    /// As [`Iomuxc::read_pad`].
    pub fn write_pad(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        let index = pad_index(offset, width, access)?;
        let slot = self.pads.get_mut(index).ok_or(BusFault)?;
        *slot = value & kind(offset).1;
        Ok(())
    }

    /// IOMUXC_GPR.
    pub fn gpr(&self) -> &Bank {
        &self.gpr
    }

    /// IOMUXC_GPR, to write.
    pub fn gpr_mut(&mut self) -> &mut Bank {
        &mut self.gpr
    }

    /// IOMUXC_SNVS.
    pub fn snvs_mut(&mut self) -> &mut Bank {
        &mut self.snvs
    }

    /// IOMUXC_SNVS_GPR.
    pub fn snvs_gpr_mut(&mut self) -> &mut Bank {
        &mut self.snvs_gpr
    }

    /// Which FlexSPI A signals are routed to GPIO_SD_B1. DQS counts with its loop back into the controller (SION and
    /// select input), the data lines with their select inputs.
    pub fn flexspi_pads(&self) -> Pads {
        let routed = |mux: u32| self.pad(mux) & MUX_MODE == FLEXSPI_ALT;
        let data = [
            (SD_B1_08_DATA0, SELECT_DATA0),
            (SD_B1_09_DATA1, SELECT_DATA1),
            (SD_B1_10_DATA2, SELECT_DATA2),
            (SD_B1_11_DATA3, SELECT_DATA3),
        ];
        Pads {
            ss0: routed(SD_B1_06_SS0),
            sclk: routed(SD_B1_07_SCLK),
            data: data.map(|(mux, select)| routed(mux) && self.pad(select) == 0),
            dqs: routed(SD_B1_05_DQS)
                && self.pad(SD_B1_05_DQS) & MUX_SION != 0
                && self.pad(SELECT_DQS) == 0,
        }
    }

    /// Whether SWDIO and SWCLK still reach the debug port.
    pub fn debug_pads(&self) -> bool {
        let mut pads = DEBUG_PADS.into_iter();
        pads.all(|mux| self.pad(mux) & MUX_MODE == DEBUG_ALT)
    }

    /// The FlexRAM split now in force: GPR17 where GPR16 says so, else the fuse default (fuse 0x6D0 19:16).
    /// `None` for a fuse value whose split no source gives.
    pub fn flexram(&self, fuse_split: u32) -> Option<FlexRam> {
        if self.gpr.get(GPR16) & FLEXRAM_FROM_GPR17 == 0 {
            // 0000: 128 KiB ITCM, 128 KiB DTCM, 256 KiB OCRAM.
            let default = FlexRam {
                itcm_bytes: 4 * BANK_BYTES,
                dtcm_bytes: 4 * BANK_BYTES,
                ocram_bytes: 8 * BANK_BYTES,
            };
            return (fuse_split == 0).then_some(default);
        }
        let map = self.gpr.get(GPR17);
        let mut split = FlexRam {
            itcm_bytes: 0,
            dtcm_bytes: 0,
            ocram_bytes: 0,
        };
        for bank in 0..BANKS {
            // 00 not used, 01 OCRAM, 10 DTCM, 11 ITCM (IMXRT1060RM IOMUXC_GPR17).
            match (map >> (2 * bank)) & 3 {
                1 => split.ocram_bytes += BANK_BYTES,
                2 => split.dtcm_bytes += BANK_BYTES,
                3 => split.itcm_bytes += BANK_BYTES,
                _ => {}
            }
        }
        Some(split)
    }

    /// CM7_INIT_VTOR of GPR16: where the core takes its first vectors.
    pub fn initial_vtor(&self) -> u32 {
        self.gpr.get(GPR16) & 0xFFFF_FF80
    }

    /// Whether bit `pin` of GPIO1..3 (`port` 1 to 3, with 4 as 4) is switched to the fast GPIO6..9 (GPR26 to GPR29).
    pub fn fast_gpio(&self, port: usize, pin: u32) -> bool {
        const GPR26: u32 = 0x68;
        (1..=4).contains(&port) && (self.gpr.get(GPR26 + 4 * (port as u32 - 1)) >> pin) & 1 == 1
    }

    fn pad(&self, offset: u32) -> u32 {
        self.pads
            .get(((offset - FIRST) / 4) as usize)
            .copied()
            .unwrap_or(0)
    }
}

/// Reset value and writable bits of the IOMUXC register at `offset`.
fn kind(offset: u32) -> (u32, u32) {
    match offset {
        0x014..=0x200 | 0x65C..=0x6B0 => {
            let zero = MUX_ZERO.iter().any(|range| range.contains(&offset));
            (if zero { 0 } else { MUX_RESET }, MUX_MASK)
        }
        0x204..=0x3F0 | 0x6B4..=0x708 => {
            let exception = PAD_EXCEPTIONS.iter().find(|(at, _)| *at == offset);
            (exception.map_or(PAD_RESET, |(_, value)| *value), PAD_MASK)
        }
        _ => (0, SELECT_INPUT_MASK),
    }
}

fn pad_index(offset: u32, width: Width, access: &mut Access) -> Result<usize, BusFault> {
    access.word_only("iomuxc", offset, width)?;
    if !(FIRST..=LAST).contains(&offset) {
        return Err(access.no_register("iomuxc", offset));
    }
    Ok(((offset - FIRST) / 4) as usize)
}
