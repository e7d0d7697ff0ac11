//! The peripheral address map: which block stands in which 16 KiB slot, and which clock gate opens it.

/// A block of the peripheral space. Indices count from 0 (`Gpt(0)` is GPT1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// CCM.
    Ccm,
    /// CCM_ANALOG with PMU, USB_ANALOG and XTALOSC24M.
    Analog,
    /// IOMUXC.
    Iomuxc,
    /// IOMUXC_GPR.
    IomuxcGpr,
    /// IOMUXC_SNVS.
    IomuxcSnvs,
    /// IOMUXC_SNVS_GPR.
    IomuxcSnvsGpr,
    /// SRC.
    Src,
    /// OCOTP.
    Ocotp,
    /// WDOG1, WDOG2.
    Wdog(usize),
    /// RTWDOG.
    RtWdog,
    /// GPT1, GPT2.
    Gpt(usize),
    /// PIT.
    Pit,
    /// GPIO1 to GPIO9.
    Gpio(usize),
    /// LPUART1 to LPUART8.
    Lpuart(usize),
    /// AIPSTZ1 to AIPSTZ4.
    Aipstz(usize),
    /// DCDC.
    Dcdc,
    /// FlexRAM control.
    FlexRam,
    /// SNVS.
    Snvs,
    /// GPC and PGC.
    Gpc,
    /// SEMC registers.
    Semc,
    /// In the peripheral space, and not modelled; with its name.
    NotModelled(&'static str),
}

/// Size of a slot on the peripheral bridges.
const SLOT_BYTES: u32 = 0x4000;
/// Peripheral bridges, and the fast GPIO on the AHB.
const PERIPHERALS: std::ops::Range<u32> = 0x4000_0000..0x4400_0000;
/// FlexSPI1: belongs to the board.
const FLEXSPI: u32 = 0x402A_8000;

/// (base, block), sorted by base. Bases from NXP's SVD of the MIMXRT1062.
pub const SLOTS: &[(u32, Block)] = &[
    (0x4007_C000, Block::Aipstz(0)),
    (0x4008_0000, Block::Dcdc),
    (0x4008_4000, Block::Pit),
    (0x4009_4000, Block::NotModelled("CMP")),
    (0x400A_4000, Block::IomuxcSnvsGpr),
    (0x400A_8000, Block::IomuxcSnvs),
    (0x400A_C000, Block::IomuxcGpr),
    (0x400B_0000, Block::FlexRam),
    (0x400B_4000, Block::NotModelled("EWM")),
    (0x400B_8000, Block::Wdog(0)),
    (0x400B_C000, Block::RtWdog),
    (0x400C_0000, Block::Gpio(4)),
    (0x400C_4000, Block::NotModelled("ADC1")),
    (0x400C_8000, Block::NotModelled("ADC2")),
    (0x400C_C000, Block::NotModelled("TRNG")),
    (0x400D_0000, Block::Wdog(1)),
    (0x400D_4000, Block::Snvs),
    (0x400D_8000, Block::Analog),
    (0x400D_C000, Block::NotModelled("CSU")),
    (0x400E_0000, Block::NotModelled("TSC")),
    (0x400E_8000, Block::NotModelled("DMA")),
    (0x400E_C000, Block::NotModelled("DMAMUX")),
    (0x400F_4000, Block::Gpc),
    (0x400F_8000, Block::Src),
    (0x400F_C000, Block::Ccm),
    (0x4017_C000, Block::Aipstz(1)),
    (0x4018_0000, Block::NotModelled("ROMC")),
    (0x4018_4000, Block::Lpuart(0)),
    (0x4018_8000, Block::Lpuart(1)),
    (0x4018_C000, Block::Lpuart(2)),
    (0x4019_0000, Block::Lpuart(3)),
    (0x4019_4000, Block::Lpuart(4)),
    (0x4019_8000, Block::Lpuart(5)),
    (0x4019_C000, Block::Lpuart(6)),
    (0x401A_0000, Block::Lpuart(7)),
    (0x401A_C000, Block::NotModelled("FLEXIO1")),
    (0x401B_0000, Block::NotModelled("FLEXIO2")),
    (0x401B_8000, Block::Gpio(0)),
    (0x401B_C000, Block::Gpio(1)),
    (0x401C_0000, Block::Gpio(2)),
    (0x401C_4000, Block::Gpio(3)),
    (0x401D_0000, Block::NotModelled("CAN1")),
    (0x401D_4000, Block::NotModelled("CAN2")),
    (0x401D_8000, Block::NotModelled("CAN3")),
    (0x401E_C000, Block::Gpt(0)),
    (0x401F_0000, Block::Gpt(1)),
    (0x401F_4000, Block::Ocotp),
    (0x401F_8000, Block::Iomuxc),
    (0x401F_C000, Block::NotModelled("KPP")),
    (0x4027_C000, Block::Aipstz(2)),
    (0x402A_4000, Block::NotModelled("FLEXSPI2")),
    (0x402C_0000, Block::NotModelled("USDHC1")),
    (0x402C_4000, Block::NotModelled("USDHC2")),
    (0x402D_4000, Block::NotModelled("ENET2")),
    (0x402D_8000, Block::NotModelled("ENET")),
    (0x402E_0000, Block::NotModelled("USB")),
    (0x402F_0000, Block::Semc),
    (0x402F_C000, Block::NotModelled("DCP")),
    (0x4037_C000, Block::Aipstz(3)),
    (0x403E_C000, Block::NotModelled("BEE")),
    (0x4200_0000, Block::Gpio(5)),
    (0x4200_4000, Block::Gpio(6)),
    (0x4200_8000, Block::Gpio(7)),
    (0x4200_C000, Block::Gpio(8)),
];

/// The block at `address` and the offset in it; `None` outside the peripheral space, and for FlexSPI1.
pub fn locate(address: u32) -> Option<(Block, u32)> {
    if !PERIPHERALS.contains(&address) {
        return None;
    }
    let slot = address & !(SLOT_BYTES - 1);
    if slot == FLEXSPI {
        return None;
    }
    let block = match SLOTS.binary_search_by_key(&slot, |(base, _)| *base) {
        Ok(index) => SLOTS.get(index).map(|(_, block)| *block)?,
        Err(_) => Block::NotModelled("no name known to the model"),
    };
    Some((block, address - slot))
}

impl Block {
    /// Serial clock gates of GPT1 and GPT2: (CCGR register, gate).
    pub const GPT_SERIAL_GATES: [(u32, u32); 2] = [(1, 11), (0, 13)];

    /// The clock gate without which registers do not answer: (CCGR register, gate) (IMXRT1060RM CCM chapter).
    pub fn clock_gate(self) -> Option<(u32, u32)> {
        const GPIO: [(u32, u32); 5] = [(1, 13), (0, 15), (2, 13), (3, 6), (1, 15)];
        const LPUART: [(u32, u32); 8] = [
            (5, 12),
            (0, 14),
            (0, 6),
            (1, 12),
            (3, 1),
            (3, 3),
            (5, 13),
            (6, 7),
        ];
        match self {
            Block::Iomuxc => Some((4, 1)),
            Block::IomuxcGpr => Some((4, 2)),
            Block::Wdog(0) => Some((3, 8)),
            Block::Wdog(_) => Some((5, 5)),
            Block::RtWdog => Some((5, 2)),
            Block::Ocotp => Some((2, 6)),
            Block::Gpt(0) => Some((1, 10)),
            Block::Gpt(_) => Some((0, 12)),
            Block::Pit => Some((1, 6)),
            Block::Semc => Some((3, 2)),
            Block::Gpio(i) => GPIO.get(i).copied(),
            Block::Lpuart(i) => LPUART.get(i).copied(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_sorted_and_aligned() {
        assert!(SLOTS.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(SLOTS.iter().all(|(base, _)| base % SLOT_BYTES == 0));
    }
}
