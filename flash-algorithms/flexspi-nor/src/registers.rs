//! Register addresses and fields, transcribed from the i.MX RT1060 reference manual (IMXRT1060RM) and, for the
//! core's own registers, the Armv7-M architecture reference manual.

/// System control block (Armv7-M ARM, B3.2).
pub mod scb {
    /// Interrupt control and state.
    pub const ICSR: u32 = 0xE000_ED04;
    /// Application interrupt and reset control.
    pub const AIRCR: u32 = 0xE000_ED0C;
    /// AIRCR.VECTKEY, as it must be written.
    pub const AIRCR_VECTKEY: u32 = 0x05FA << 16;
    /// AIRCR.PRIGROUP.
    pub const AIRCR_PRIGROUP: u32 = 7 << 8;
    /// AIRCR.SYSRESETREQ.
    pub const AIRCR_SYSRESETREQ: u32 = 1 << 2;
    /// Configuration and control.
    pub const CCR: u32 = 0xE000_ED14;
    /// CCR.DC: data cache enable.
    pub const CCR_DC: u32 = 1 << 16;
    /// CCR.IC: instruction cache enable.
    pub const CCR_IC: u32 = 1 << 17;
    /// Invalidates the whole instruction cache.
    pub const ICIALLU: u32 = 0xE000_EF50;
    /// Cleans and invalidates one data cache line by set and way.
    pub const DCCISW: u32 = 0xE000_EF74;
}

/// Clock controller (IMXRT1060RM, CCM chapter).
pub mod ccm {
    /// ARM clock root divider.
    pub const CACRR: u32 = 0x400F_C010;
    /// CACRR for division by two.
    pub const CACRR_DIVIDE_BY_2: u32 = 1;
    /// Serial clock multiplexer 1.
    pub const CSCMR1: u32 = 0x400F_C01C;
    /// CSCMR1.PERCLK_CLK_SEL: 1 takes the 24 MHz crystal.
    pub const CSCMR1_PERCLK_CLK_SEL: u32 = 1 << 6;
    /// CSCMR1.FLEXSPI_PODF.
    pub const CSCMR1_FLEXSPI_PODF: u32 = 7 << 23;
    /// Position of FLEXSPI_PODF; the field holds the divisor less one.
    pub const CSCMR1_FLEXSPI_PODF_SHIFT: u32 = 23;
    /// CSCMR1.FLEXSPI_CLK_SEL; all ones take PFD0 of PLL_USB1.
    pub const CSCMR1_FLEXSPI_CLK_SEL: u32 = 3 << 29;
    /// Clock gates 0.
    pub const CCGR0: u32 = 0x400F_C068;
    /// CCGR0.CG12 and CG13: GPT2 bus and serial clock, on in all modes.
    pub const CCGR0_GPT2: u32 = 0xF << 24;
    /// Clock gates 6.
    pub const CCGR6: u32 = 0x400F_C080;
    /// CCGR6.CG5: FlexSPI, on in all modes.
    pub const CCGR6_FLEXSPI: u32 = 3 << 10;
}

/// PLLs (IMXRT1060RM, CCM_ANALOG section).
pub mod ccm_analog {
    /// PLL_ARM (PLL1).
    pub const PLL_ARM: u32 = 0x400D_8000;
    /// PLL_ARM.DIV_SELECT: output is 24 MHz × DIV_SELECT / 2.
    pub const PLL_ARM_DIV_SELECT: u32 = 0x7F;
    /// DIV_SELECT for 792 MHz.
    pub const PLL_ARM_DIV_792_MHZ: u32 = 66;
    /// PLL_ARM.POWERDOWN.
    pub const PLL_ARM_POWERDOWN: u32 = 1 << 12;
    /// PLL_USB1 (PLL3), 480 MHz.
    pub const PLL_USB1: u32 = 0x400D_8010;
    /// PLL_USB1.DIV_SELECT: 0 is 480 MHz.
    pub const PLL_USB1_DIV_SELECT: u32 = 3;
    /// PLL_USB1.POWER.
    pub const PLL_USB1_POWER: u32 = 1 << 12;
    /// ENABLE of both PLLs.
    pub const PLL_ENABLE: u32 = 1 << 13;
    /// BYPASS_CLK_SRC of both PLLs; 0 is the crystal.
    pub const PLL_BYPASS_CLK_SRC: u32 = 3 << 14;
    /// BYPASS of both PLLs.
    pub const PLL_BYPASS: u32 = 1 << 16;
    /// LOCK of both PLLs.
    pub const PLL_LOCK: u32 = 1 << 31;
    /// Fractional dividers of PLL_USB1.
    pub const PFD_480: u32 = 0x400D_80F0;
    /// PFD_480.PFD0_FRAC: output is 480 MHz × 18 / frac.
    pub const PFD_480_PFD0_FRAC: u32 = 0x3F;
    /// PFD_480.PFD0_CLKGATE: 1 stops the output.
    pub const PFD_480_PFD0_CLKGATE: u32 = 1 << 7;
}

/// General purpose timer 2 (IMXRT1060RM, GPT chapter).
pub mod gpt2 {
    /// Control.
    pub const CR: u32 = 0x401F_0000;
    /// CR.EN.
    pub const CR_EN: u32 = 1;
    /// CR.ENMOD: counting starts from zero.
    pub const CR_ENMOD: u32 = 1 << 1;
    /// CR.CLKSRC: crystal oscillator, 24 MHz.
    pub const CR_CLKSRC_CRYSTAL: u32 = 5 << 6;
    /// CR.FRR: free-running, no restart at a compare.
    pub const CR_FRR: u32 = 1 << 9;
    /// CR.EN_24M: takes the crystal's clock in.
    pub const CR_EN_24M: u32 = 1 << 10;
    /// Prescalers; 0 divides by one.
    pub const PR: u32 = 0x401F_0004;
    /// Interrupt enables.
    pub const IR: u32 = 0x401F_000C;
    /// Counter.
    pub const CNT: u32 = 0x401F_0024;
}

/// WDOG1 and WDOG2, 16 bits wide (IMXRT1060RM, WDOG chapter).
pub mod wdog {
    /// Base of WDOG1.
    pub const WDOG1: u32 = 0x400B_8000;
    /// Base of WDOG2.
    pub const WDOG2: u32 = 0x400D_0000;
    /// Control.
    pub const WCR: u32 = 0x0;
    /// WCR.WDE; can be set once and not cleared again.
    pub const WCR_WDE: u16 = 1 << 2;
    /// Service.
    pub const WSR: u32 = 0x2;
    /// The two words of the service sequence.
    pub const WSR_SEQUENCE: [u16; 2] = [0x5555, 0xAAAA];
    /// Miscellaneous control.
    pub const WMCR: u32 = 0x8;
    /// WMCR.PDE: power-down counter enable.
    pub const WMCR_PDE: u16 = 1;
}

/// RTWDOG, also called WDOG3 (IMXRT1060RM, RTWDOG chapter).
pub mod rtwdog {
    /// Control and status.
    pub const CS: u32 = 0x400B_C000;
    /// CS.UPDATE: may be configured again.
    pub const CS_UPDATE: u32 = 1 << 5;
    /// CS.EN.
    pub const CS_EN: u32 = 1 << 7;
    /// CS.RCS: the configuration has taken effect; 0 after a reset until the first one.
    pub const CS_RCS: u32 = 1 << 10;
    /// CS.CMD32EN: refresh and unlock are one 32-bit write.
    pub const CS_CMD32EN: u32 = 1 << 13;
    /// Counter: takes refresh and unlock words.
    pub const CNT: u32 = 0x400B_C004;
    /// Refresh word.
    pub const REFRESH: u32 = 0xB480_A602;
    /// Unlock word.
    pub const UNLOCK: u32 = 0xD928_C520;
    /// Time-out value.
    pub const TOVAL: u32 = 0x400B_C008;
    /// Longest time-out.
    pub const TOVAL_MAX: u32 = 0xFFFF;
}

/// FlexSPI1 (IMXRT1060RM, FlexSPI chapter).
pub mod flexspi {
    /// Base.
    pub const BASE: u32 = 0x402A_8000;
    /// Module control 0.
    pub const MCR0: u32 = BASE;
    /// MCR0.SWRESET; clears itself.
    pub const MCR0_SWRESET: u32 = 1;
    /// MCR0.MDIS.
    pub const MCR0_MDIS: u32 = 1 << 1;
    /// Position of MCR0.RXCLKSRC.
    pub const MCR0_RXCLKSRC_SHIFT: u32 = 4;
    /// RXCLKSRC: the strobe is looped back inside the chip.
    pub const RXCLKSRC_INTERNAL: u32 = 0;
    /// RXCLKSRC: the strobe is looped back from the DQS pad.
    pub const RXCLKSRC_DQS_PAD: u32 = 1;
    /// MCR0.IPGRANTWAIT and AHBGRANTWAIT at their longest.
    pub const MCR0_GRANT_WAITS: u32 = 0xFFFF << 16;
    /// Module control 1: AHBBUSWAIT and SEQWAIT.
    pub const MCR1: u32 = BASE + 0x04;
    /// Both waits at their longest.
    pub const MCR1_LONGEST: u32 = 0xFFFF_FFFF;
    /// AHB bus control.
    pub const AHBCR: u32 = BASE + 0x0C;
    /// Interrupt enables.
    pub const INTEN: u32 = BASE + 0x10;
    /// Interrupt flags, cleared by writing one.
    pub const INTR: u32 = BASE + 0x14;
    /// INTR.IPCMDDONE.
    pub const INTR_IPCMDDONE: u32 = 1;
    /// INTR.IPCMDGE: grant time-out.
    pub const INTR_IPCMDGE: u32 = 1 << 1;
    /// INTR.IPCMDERR.
    pub const INTR_IPCMDERR: u32 = 1 << 3;
    /// INTR.IPRXWA: the receive FIFO holds a watermark of data. Clearing it drops them.
    pub const INTR_IPRXWA: u32 = 1 << 5;
    /// INTR.IPTXWE: the transmit FIFO has room for a watermark of data. Clearing it pushes them.
    pub const INTR_IPTXWE: u32 = 1 << 6;
    /// INTR.SEQTIMEOUT.
    pub const INTR_SEQTIMEOUT: u32 = 1 << 11;
    /// All flags of INTR.
    pub const INTR_ALL: u32 = 0xFFF;
    /// LUT key.
    pub const LUTKEY: u32 = BASE + 0x18;
    /// What LUTKEY must be written with before LUTCR.
    pub const LUTKEY_VALUE: u32 = 0x5AF0_5AF0;
    /// LUT control.
    pub const LUTCR: u32 = BASE + 0x1C;
    /// LUTCR: lock.
    pub const LUTCR_LOCK: u32 = 1;
    /// LUTCR: unlock.
    pub const LUTCR_UNLOCK: u32 = 2;
    /// Size of the device on A1 in KiB; B2 is the last of the four.
    pub const FLSHA1CR0: u32 = BASE + 0x60;
    /// Size of the device on A2.
    pub const FLSHA2CR0: u32 = BASE + 0x64;
    /// Size of the device on B1.
    pub const FLSHB1CR0: u32 = BASE + 0x68;
    /// Size of the device on B2.
    pub const FLSHB2CR0: u32 = BASE + 0x6C;
    /// Timing of the device on A1.
    pub const FLSHA1CR1: u32 = BASE + 0x70;
    /// TCSS and TCSH of three serial clocks, 3-byte word-addressing off, no CS interval.
    pub const FLSHA1CR1_TIMING: u32 = 3 << 5 | 3;
    /// AHB sequences of the device on A1.
    pub const FLSHA1CR2: u32 = BASE + 0x80;
    /// FLSHxCR2.CLRINSTRPTR: forget where JMP_ON_CS left off.
    pub const FLSHCR2_CLRINSTRPTR: u32 = 1 << 31;
    /// IP command address.
    pub const IPCR0: u32 = BASE + 0xA0;
    /// IP command size and sequence.
    pub const IPCR1: u32 = BASE + 0xA4;
    /// Position of IPCR1.ISEQID.
    pub const IPCR1_ISEQID_SHIFT: u32 = 16;
    /// IP command trigger.
    pub const IPCMD: u32 = BASE + 0xB0;
    /// IPCMD.TRG.
    pub const IPCMD_TRG: u32 = 1;
    /// Receive FIFO control.
    pub const IPRXFCR: u32 = BASE + 0xB8;
    /// Transmit FIFO control.
    pub const IPTXFCR: u32 = BASE + 0xBC;
    /// CLRIPRXF, CLRIPTXF.
    pub const FIFO_CLEAR: u32 = 1;
    /// Position of RXWMRK, TXWMRK; the field holds the watermark in 8-byte units less one.
    pub const FIFO_WATERMARK_SHIFT: u32 = 2;
    /// DLL control of port A.
    pub const DLLCRA: u32 = BASE + 0xC0;
    /// DLL overridden with one delay cell: no DLL below 100 MHz.
    pub const DLLCR_OVERRIDE: u32 = 1 << 8;
    /// Status 0.
    pub const STS0: u32 = BASE + 0xE0;
    /// STS0.SEQIDLE and ARBIDLE.
    pub const STS0_IDLE: u32 = 3;
    /// Status 1: error codes.
    pub const STS1: u32 = BASE + 0xE4;
    /// Receive FIFO status.
    pub const IPRXFSTS: u32 = BASE + 0xF0;
    /// IPRXFSTS.FILL, in 8-byte units.
    pub const FSTS_FILL: u32 = 0xFF;
    /// Receive FIFO window of 32 words.
    pub const RFDR: u32 = BASE + 0x100;
    /// Transmit FIFO window of 32 words.
    pub const TFDR: u32 = BASE + 0x180;
    /// Look-up table of 64 words.
    pub const LUT: u32 = BASE + 0x200;
}

/// Pads of FlexSPI A on GPIO_SD_B1_05 to 11 (IMXRT1060RM, IOMUXC chapter).
pub mod iomuxc {
    /// Base of IOMUXC.
    pub const BASE: u32 = 0x401F_8000;
    /// Multiplexer value: ALT1.
    pub const MUX_ALT1: u32 = 1;
    /// Multiplexer value: ALT1 with the input path forced on (SION), so that the clock and strobe can be looped back.
    pub const MUX_ALT1_SION: u32 = 0x11;
    /// 100 kΩ pull-up, fast, strong: a chip that drives nothing reads as busy and absent. NXP's ROM drivers use 0x10F1,
    /// a keeper, under which it reads as whatever was driven last (IMXRT1060RM IOMUXC, SW_PAD_CTL_PAD_GPIO_SD_B1).
    pub const PAD_DATA: u32 = 0xB0F1;
    /// Pad control of the strobe: as above with hysteresis.
    pub const PAD_DQS: u32 = 0x1_30F1;

    /// One pad.
    pub struct Pad {
        /// Multiplexer register.
        pub mux: u32,
        /// What goes into it.
        pub mux_value: u32,
        /// Pad control register.
        pub control: u32,
        /// What goes into it.
        pub control_value: u32,
        /// Input selection register, written with 0 (GPIO_SD_B1), where there is one.
        pub select_input: Option<u32>,
    }

    const fn pad(
        mux: u32,
        mux_value: u32,
        control: u32,
        control_value: u32,
        select_input: Option<u32>,
    ) -> Pad {
        Pad {
            mux: BASE + mux,
            mux_value,
            control: BASE + control,
            control_value,
            select_input,
        }
    }

    /// GPIO_SD_B1_05: A_DQS.
    pub const DQS: Pad = pad(0x1E8, MUX_ALT1_SION, 0x3D8, PAD_DQS, Some(BASE + 0x4A4));
    /// GPIO_SD_B1_06 to 11: A_SS0_B, A_SCLK, A_DATA0 to A_DATA3.
    pub const PADS: [Pad; 6] = [
        pad(0x1EC, MUX_ALT1, 0x3DC, PAD_DATA, None),
        pad(0x1F0, MUX_ALT1_SION, 0x3E0, PAD_DATA, Some(BASE + 0x4C8)),
        pad(0x1F4, MUX_ALT1, 0x3E4, PAD_DATA, Some(BASE + 0x4A8)),
        pad(0x1F8, MUX_ALT1, 0x3E8, PAD_DATA, Some(BASE + 0x4AC)),
        pad(0x1FC, MUX_ALT1, 0x3EC, PAD_DATA, Some(BASE + 0x4B0)),
        pad(0x200, MUX_ALT1, 0x3F0, PAD_DATA, Some(BASE + 0x4B4)),
    ];
}
