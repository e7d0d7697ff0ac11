//! FlexSPI register offsets, fields and reset values (IMXRT1060RM FlexSPI chapter, register descriptions).

/// Module control register 0.
pub const MCR0: u32 = 0x00;
/// Module control register 1.
pub const MCR1: u32 = 0x04;
/// Module control register 2.
pub const MCR2: u32 = 0x08;
/// AHB bus control register.
pub const AHBCR: u32 = 0x0C;
/// Interrupt enable.
pub const INTEN: u32 = 0x10;
/// Interrupt flags, write one to clear.
pub const INTR: u32 = 0x14;
/// LUT key.
pub const LUTKEY: u32 = 0x18;
/// LUT control.
pub const LUTCR: u32 = 0x1C;
/// AHB RX buffer 0 control; three more follow.
pub const AHBRXBUF0CR0: u32 = 0x20;
/// Behind the four AHB RX buffer controls.
pub const AHBRXBUF_END: u32 = 0x30;
/// Flash A1 size; A2, B1, B2 follow.
pub const FLSHA1CR0: u32 = 0x60;
/// Flash A1 timing; A2, B1, B2 follow.
pub const FLSHA1CR1: u32 = 0x70;
/// Flash A1 AHB sequences; A2, B1, B2 follow.
pub const FLSHA1CR2: u32 = 0x80;
/// Behind the four of them.
pub const FLSHCR2_END: u32 = 0x90;
/// Flash control register 4.
pub const FLSHCR4: u32 = 0x94;
/// IP command: flash address.
pub const IPCR0: u32 = 0xA0;
/// IP command: data size and sequence.
pub const IPCR1: u32 = 0xA4;
/// IP command: trigger.
pub const IPCMD: u32 = 0xB0;
/// IP RX FIFO control.
pub const IPRXFCR: u32 = 0xB8;
/// IP TX FIFO control.
pub const IPTXFCR: u32 = 0xBC;
/// DLL control, port A; port B follows.
pub const DLLCRA: u32 = 0xC0;
/// Behind both of them.
pub const DLLCR_END: u32 = 0xC8;
/// Status register 0.
pub const STS0: u32 = 0xE0;
/// Status register 1.
pub const STS1: u32 = 0xE4;
/// Status register 2.
pub const STS2: u32 = 0xE8;
/// AHB suspend status.
pub const AHBSPNDSTS: u32 = 0xEC;
/// IP RX FIFO status.
pub const IPRXFSTS: u32 = 0xF0;
/// IP TX FIFO status.
pub const IPTXFSTS: u32 = 0xF4;
/// IP RX FIFO window, 32 words.
pub const RFDR: u32 = 0x100;
/// IP TX FIFO window, 32 words.
pub const TFDR: u32 = 0x180;
/// The LUT, 64 words.
pub const LUT: u32 = 0x200;
/// First offset behind the block.
pub const END: u32 = 0x300;

/// Fields of MCR0.
pub mod mcr0 {
    /// Software reset, clears itself.
    pub const SWRESET: u32 = 1 << 0;
    /// Module disable.
    pub const MDIS: u32 = 1 << 1;
    /// Sample clock source.
    pub const RXCLKSRC_SHIFT: u32 = 4;
    /// Sample clock source.
    pub const RXCLKSRC_MASK: u32 = 0x3 << RXCLKSRC_SHIFT;
    /// RX FIFO belongs to the AHB side.
    pub const ARDFEN: u32 = 1 << 6;
    /// TX FIFO belongs to the AHB side.
    pub const ATDFEN: u32 = 1 << 7;
    /// Serial clock divider; older manuals call it reserved.
    pub const SERCLKDIV_MASK: u32 = 0x7 << 8;
    /// Half speed access.
    pub const HSEN: u32 = 1 << 11;
    /// Port A and B combined.
    pub const COMBINATIONEN: u32 = 1 << 13;
    /// Serial clock free running.
    pub const SCKFREERUNEN: u32 = 1 << 14;
    /// What can be written.
    pub const WRITABLE: u32 = 0xFFFF_FFF3;
    /// At reset.
    pub const RESET: u32 = 0xFFFF_80C2;
}

/// Fields of MCR1.
pub mod mcr1 {
    /// Sequence time-out in units of 1024 serial clocks.
    pub const SEQWAIT_SHIFT: u32 = 16;
    /// AHB time-out in units of 1024 AHB clocks.
    pub const AHBBUSWAIT_MASK: u32 = 0xFFFF;
    /// At reset.
    pub const RESET: u32 = 0xFFFF_FFFF;
}

/// Fields of MCR2.
pub mod mcr2 {
    /// Clears itself.
    pub const CLRLEARNPHASE: u32 = 1 << 14;
    /// What can be written.
    pub const WRITABLE: u32 = 0xFF08_C800;
    /// At reset.
    pub const RESET: u32 = 0x2000_81F7;
}

/// Fields of AHBCR.
pub mod ahbcr {
    /// Parallel mode.
    pub const APAREN: u32 = 1 << 0;
    /// Clear the AHB RX buffers; only newer headers have it.
    pub const CLRAHBRXBUF: u32 = 1 << 1;
    /// Clear the AHB TX buffer; only newer headers have it.
    pub const CLRAHBTXBUF: u32 = 1 << 2;
    /// Prefetch.
    pub const PREFETCHEN: u32 = 1 << 5;
    /// What can be written.
    pub const WRITABLE: u32 = 0x0000_0479;
    /// At reset.
    pub const RESET: u32 = 0x18;
}

/// Flags of INTR and INTEN.
pub mod intr {
    /// IP command finished (also after an error).
    pub const IPCMDDONE: u32 = 1 << 0;
    /// IP command not granted in time.
    pub const IPCMDGE: u32 = 1 << 1;
    /// AHB command not granted in time.
    pub const AHBCMDGE: u32 = 1 << 2;
    /// IP command error.
    pub const IPCMDERR: u32 = 1 << 3;
    /// AHB command error.
    pub const AHBCMDERR: u32 = 1 << 4;
    /// RX FIFO holds a watermark.
    pub const IPRXWA: u32 = 1 << 5;
    /// TX FIFO has room for a watermark.
    pub const IPTXWE: u32 = 1 << 6;
    /// Serial clock stopped: RX FIFO full.
    pub const SCKSTOPBYRD: u32 = 1 << 8;
    /// Serial clock stopped: TX FIFO empty.
    pub const SCKSTOPBYWR: u32 = 1 << 9;
    /// AHB access timed out.
    pub const AHBBUSTIMEOUT: u32 = 1 << 10;
    /// Sequence timed out.
    pub const SEQTIMEOUT: u32 = 1 << 11;
    /// All of them.
    pub const ALL: u32 = 0xF7F;
}

/// LUT lock.
pub mod lut {
    /// The key.
    pub const KEY: u32 = 0x5AF0_5AF0;
    /// LUTCR: lock.
    pub const LOCK: u32 = 1 << 0;
    /// LUTCR: unlock.
    pub const UNLOCK: u32 = 1 << 1;
    /// Words in all.
    pub const WORDS: usize = 64;
    /// Words of a sequence.
    pub const SEQUENCE_WORDS: usize = 4;
    /// Instructions of a sequence.
    pub const SEQUENCE_INSTRUCTIONS: u8 = 8;
}

/// Fields of AHBRXBUFnCR0.
pub mod ahbrxbuf {
    /// Size in 64-bit units.
    pub const BUFSZ_MASK: u32 = 0xFF;
    /// Master.
    pub const MSTRID_SHIFT: u32 = 16;
    /// Master.
    pub const MSTRID_MASK: u32 = 0xF << MSTRID_SHIFT;
    /// Prefetch for this buffer's master.
    pub const PREFETCHEN: u32 = 1 << 31;
    /// What can be written.
    pub const WRITABLE: u32 = 0x830F_00FF;
    /// At reset, less the master number.
    pub const RESET: u32 = 0x8000_0020;
    /// All buffers together, in bytes.
    pub const TOTAL_BYTES: u32 = 1024;
}

/// Fields of FLSHxxCR0.
pub mod flshcr0 {
    /// Size in KiB.
    pub const FLSHSZ_MASK: u32 = 0x7F_FFFF;
    /// At reset: 64 MiB.
    pub const RESET: u32 = 0x1_0000;
}

/// Fields of FLSHxxCR1.
pub mod flshcr1 {
    /// CS# setup, in serial clocks.
    pub const TCSS_MASK: u32 = 0x1F;
    /// CS# hold, in serial clocks.
    pub const TCSH_SHIFT: u32 = 5;
    /// Word addressable.
    pub const WA: u32 = 1 << 10;
    /// Column address size.
    pub const CAS_MASK: u32 = 0xF << 11;
    /// CS# interval counts 256 clocks.
    pub const CSINTERVALUNIT: u32 = 1 << 15;
    /// CS# interval.
    pub const CSINTERVAL_SHIFT: u32 = 16;
    /// At reset.
    pub const RESET: u32 = 0x63;
}

/// Fields of FLSHxxCR2.
pub mod flshcr2 {
    /// AHB read sequence.
    pub const ARDSEQID_MASK: u32 = 0xF;
    /// AHB read sequences less one.
    pub const ARDSEQNUM_SHIFT: u32 = 5;
    /// Three bits.
    pub const SEQNUM_MASK: u32 = 0x7;
    /// Forget the instruction pointer JMP_ON_CS saved; clears itself.
    pub const CLRINSTRPTR: u32 = 1 << 31;
    /// What can be written.
    pub const WRITABLE: u32 = 0x7FFF_EFEF;
}

/// Fields of FLSHCR4.
pub mod flshcr4 {
    /// What can be written.
    pub const WRITABLE: u32 = 0xD;
    /// Write mask on port A or B.
    pub const WRITE_MASKS: u32 = 0xC;
}

/// Fields of IPCR1.
pub mod ipcr1 {
    /// Data size in bytes.
    pub const IDATSZ_MASK: u32 = 0xFFFF;
    /// Sequence.
    pub const ISEQID_SHIFT: u32 = 16;
    /// Four bits.
    pub const ISEQID_MASK: u32 = 0xF;
    /// Sequences less one.
    pub const ISEQNUM_SHIFT: u32 = 24;
    /// Three bits.
    pub const ISEQNUM_MASK: u32 = 0x7;
    /// Parallel mode.
    pub const IPAREN: u32 = 1 << 31;
    /// What can be written.
    pub const WRITABLE: u32 = 0x870F_FFFF;
}

/// IPCMD: trigger.
pub const IPCMD_TRG: u32 = 1;

/// Fields of IPRXFCR and IPTXFCR.
pub mod fifo {
    /// Empty the FIFO; clears itself.
    pub const CLEAR: u32 = 1 << 0;
    /// Filled or drained by DMA.
    pub const DMAEN: u32 = 1 << 1;
    /// Watermark.
    pub const WMRK_SHIFT: u32 = 2;
    /// Four bits.
    pub const WMRK_MASK: u32 = 0xF;
    /// What stays when written.
    pub const WRITABLE: u32 = 0x3E;
    /// One entry, in bytes.
    pub const ENTRY_BYTES: usize = 8;
    /// The FIFO, in bytes.
    pub const BYTES: usize = 128;
    /// Words of the window.
    pub const WINDOW_WORDS: usize = 32;
    /// The counters in IPRXFSTS and IPTXFSTS.
    pub const COUNTER_SHIFT: u32 = 16;
}

/// Fields of DLLCRA and DLLCRB.
pub mod dllcr {
    /// Calibration on.
    pub const DLLEN: u32 = 1 << 0;
    /// What can be written.
    pub const WRITABLE: u32 = 0x7F7B;
    /// At reset.
    pub const RESET: u32 = 0x100;
}

/// Fields of the status registers.
pub mod status {
    /// STS0: sequence controller idle.
    pub const SEQIDLE: u32 = 1 << 0;
    /// STS0: arbiter idle.
    pub const ARBIDLE: u32 = 1 << 1;
    /// STS0: the current command is an IP command.
    pub const SOURCE_IP: u32 = 2 << 2;
    /// STS1: sequence of the AHB error.
    pub const AHBCMDERRID_SHIFT: u32 = 0;
    /// STS1: code of the AHB error.
    pub const AHBCMDERRCODE_SHIFT: u32 = 8;
    /// STS1: sequence of the IP error.
    pub const IPCMDERRID_SHIFT: u32 = 16;
    /// STS1: code of the IP error.
    pub const IPCMDERRCODE_SHIFT: u32 = 24;
    /// STS1: the AHB half.
    pub const AHB_HALF: u32 = 0x0000_FFFF;
    /// STS2 at reset.
    pub const STS2_RESET: u32 = 0x0100_0100;
    /// STS2: port A delay lines locked.
    pub const A_LOCKED: u32 = 0x3;
    /// STS2: port B delay lines locked.
    pub const B_LOCKED: u32 = 0x3 << 16;
}
