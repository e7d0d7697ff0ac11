//! Scripts that set up pads, clock and FlexSPI as the ROM's driver does. The ROM has its own register definitions.

use super::fcb::{Fcb, ModeCommand};
use super::script::Action;
use crate::bus::Width;
use crate::time::Time;

// CCM and CCM_ANALOG (IMXRT1060RM CCM chapter).
const CCM_CSCMR1: u32 = 0x400F_C01C;
pub(super) const CCM_CCGR6: u32 = 0x400F_C080;
pub(super) const CCGR6_FLEXSPI: u32 = 3 << 10;
const CSCMR1_FLEXSPI: u32 = 3 << 29 | 7 << 23;
const CSCMR1_FLEXSPI_FROM_PFD0: u32 = 3 << 29;
const PFD_480_SET: u32 = 0x400D_80F4;
const PFD_480_CLR: u32 = 0x400D_80F8;
const PFD0_GATE: u32 = 1 << 7;
const PFD0_FRACTION: u32 = 0x3F;

/// IOMUXC: mux (address, value), then pad control, then select input of GPIO_SD_B1_05 to 11
/// (IMXRT1060RM IOMUXC chapter; values of the ROM's driver).
const PADS: [(u32, u32); 20] = [
    (0x401F_81E8, 0x11),
    (0x401F_81EC, 0x1),
    (0x401F_81F0, 0x11),
    (0x401F_81F4, 0x1),
    (0x401F_81F8, 0x1),
    (0x401F_81FC, 0x1),
    (0x401F_8200, 0x1),
    (0x401F_83D8, 0x1_30F1),
    (0x401F_83DC, 0x10F1),
    (0x401F_83E0, 0x10F1),
    (0x401F_83E4, 0x10F1),
    (0x401F_83E8, 0x10F1),
    (0x401F_83EC, 0x10F1),
    (0x401F_83F0, 0x10F1),
    (0x401F_84A4, 0),
    (0x401F_84C8, 0),
    (0x401F_84A8, 0),
    (0x401F_84AC, 0),
    (0x401F_84B0, 0),
    (0x401F_84B4, 0),
];

// FlexSPI1 (IMXRT1060RM FlexSPI chapter).
pub(super) const MCR0: u32 = 0x402A_8000;
pub(super) const MCR1: u32 = 0x402A_8004;
pub(super) const MCR2: u32 = 0x402A_8008;
pub(super) const AHBCR: u32 = 0x402A_800C;
pub(super) const INTR: u32 = 0x402A_8014;
pub(super) const LUTKEY: u32 = 0x402A_8018;
pub(super) const LUTCR: u32 = 0x402A_801C;
pub(super) const AHBRXBUFCR0: u32 = 0x402A_8020;
pub(super) const FLSHCR0: u32 = 0x402A_8060;
pub(super) const FLSHCR1: u32 = 0x402A_8070;
pub(super) const FLSHCR2: u32 = 0x402A_8080;
pub(super) const IPCR0: u32 = 0x402A_80A0;
pub(super) const IPCR1: u32 = 0x402A_80A4;
pub(super) const IPCMD: u32 = 0x402A_80B0;
pub(super) const IPRXFCR: u32 = 0x402A_80B8;
pub(super) const IPTXFCR: u32 = 0x402A_80BC;
pub(super) const DLLCRA: u32 = 0x402A_80C0;
pub(super) const STS0: u32 = 0x402A_80E0;
pub(super) const STS1: u32 = 0x402A_80E4;
pub(super) const IPRXFSTS: u32 = 0x402A_80F0;
/// First word of the RX FIFO window.
pub(super) const RFDR0: u32 = 0x402A_8100;
pub(super) const TFDR0: u32 = 0x402A_8180;
pub(super) const LUT: u32 = 0x402A_8200;
const MCR0_SWRESET: u32 = 1 << 0;
pub(super) const MCR0_MDIS: u32 = 1 << 1;
/// AHBGRANTWAIT and IPGRANTWAIT, longest.
pub(super) const MCR0_GRANT_WAITS: u32 = 0xFFFF << 16;
/// The fields that the driver sets: the grant waits, COMBINATIONEN, ATDFEN, ARDFEN, RXCLKSRC.
pub(super) const MCR0_SET_BY_DRIVER: u32 = 0xFFFF << 16 | 1 << 13 | 3 << 6 | 3 << 4;
pub(super) const MCR2_SAMEDEVICEEN: u32 = 1 << 15;
/// BUFSZ, MSTRID and PRIORITY.
pub(super) const AHBRXBUFCR0_SET_BY_DRIVER: u32 = 0xFF | 0xF << 16 | 3 << 24;
/// Longest arbitration waits, FIFOs on the IP side, module enabled.
const MCR0_BASE: u32 = 0xFFFF_8000;
const AHBCR_BASE: u32 = 0x38;
pub(super) const AHBCR_READADDROPT: u32 = 1 << 6;
pub(super) const AHBCR_APAREN: u32 = 1 << 0;
pub(super) const AHBCR_PREFETCHEN: u32 = 1 << 5;
const INTR_DONE: u32 = 1 << 0;
/// IPCMDERR, IPCMDGE, SEQTIMEOUT.
pub(super) const INTR_FAILED: u32 = 1 << 1 | 1 << 3 | 1 << 11;
pub(super) const INTR_IPTXWE: u32 = 1 << 6;
pub(super) const INTR_IPRXWA: u32 = 1 << 5;
pub(super) const INTR_IPCMDERR: u32 = 1 << 3;
/// IPCMDGE, AHBCMDGE, IPCMDERR, AHBCMDERR.
pub(super) const INTR_COMMAND_ERRORS: u32 = 0xF << 1;
pub(super) const IPCMD_TRG: u32 = 1;
pub(super) const STS0_SEQIDLE: u32 = 1 << 0;
pub(super) const STS0_ARBIDLE: u32 = 1 << 1;
pub(super) const STS1_IPCMDERRCODE_SHIFT: u32 = 24;
/// IPCMDERRCODE: the sequence took too long.
pub(super) const STS1_TIMED_OUT: u32 = 0xE;
/// The AHB write sequence of the driver; no QSPI NOR uses it.
pub(super) const FLSHCR2_AWRSEQID_9: u32 = 9 << 8;
const INTR_ALL_BUT_WATERMARKS: u32 = 0xF1F;
pub(super) const LUT_KEY: u32 = 0x5AF0_5AF0;
pub(super) const LUT_UNLOCK: u32 = 2;
pub(super) const LUT_LOCK: u32 = 1;
pub(super) const FIFO_CLEAR: u32 = 1;
pub(super) const CLRINSTRPTR: u32 = 1 << 31;
pub(super) const DLL_OVERRIDE: u32 = 1 << 8;
pub(super) const IPRXFSTS_FILL: u32 = 0xFF;

/// LUT sequence numbers of the ROM's driver.
pub(super) const SEQUENCE_READ_STATUS: u8 = 1;
const SEQUENCE_WRITE_ENABLE: u8 = 3;

/// 03h, 24-bit address and data on one line.
const PROBE_READ_3_BYTE: [u32; 2] = [0x0818_0403, 0x0000_2404];
/// 13h, 32-bit address and data on one line.
const PROBE_READ_4_BYTE: [u32; 2] = [0x0820_0413, 0x0000_2404];
/// Reads behind the last byte of the largest supported flash never happen while probing.
const PROBE_SIZE_KIB: u32 = 0x1_0000;

/// Code of the probing clock.
pub(super) const PROBE_FREQUENCY: u8 = 1;

/// (PFD0 fraction, divider) per FCB frequency code 1 to 9: 30, 50, 60, 75, 80, 100, 120, 133, 166 MHz.
const FREQUENCIES: [(u32, u32); 9] = [
    (34, 8),
    (22, 8),
    (24, 6),
    (30, 4),
    (18, 6),
    (14, 6),
    (24, 3),
    (17, 4),
    (26, 2),
];

const COMMAND_LIMIT: Time = Time::ms(1_000);

const DOING: &str = "sets up the FlexSPI";

fn put(address: u32, value: u32) -> Action {
    Action::Write {
        address,
        width: Width::Word,
        value,
        doing: DOING,
    }
}

fn modify(address: u32, set: u32, clear: u32) -> Action {
    Action::Modify {
        address,
        width: Width::Word,
        set,
        clear,
        doing: DOING,
    }
}

/// Muxes the seven pads of FlexSPI A, DQS included.
pub(super) fn pads() -> Vec<Action> {
    PADS.iter()
        .map(|(address, value)| put(*address, *value))
        .collect()
}

/// Changes the serial clock to an FCB frequency code (1 to 9), with module and clock gate off meanwhile.
pub(super) fn clock(code: u8) -> Vec<Action> {
    let index = usize::from(code).saturating_sub(1);
    let (fraction, divider) = FREQUENCIES.get(index).copied().unwrap_or((34, 8));
    vec![
        modify(MCR0, MCR0_MDIS, 0),
        modify(CCM_CCGR6, 0, CCGR6_FLEXSPI),
        put(PFD_480_SET, PFD0_GATE),
        put(PFD_480_CLR, PFD0_FRACTION),
        put(PFD_480_SET, fraction),
        put(PFD_480_CLR, PFD0_GATE),
        modify(
            CCM_CSCMR1,
            CSCMR1_FLEXSPI_FROM_PFD0 | (divider - 1) << 23,
            CSCMR1_FLEXSPI,
        ),
        modify(CCM_CCGR6, CCGR6_FLEXSPI, 0),
        modify(MCR0, 0, MCR0_MDIS),
    ]
}

/// The serial clock of an FCB frequency code, in hertz; 0 leaves the probing clock.
pub(super) fn serial_hz(code: u8) -> u32 {
    const PLL3_TIMES_18: u32 = 480_000_000 / 1_000 * 18;
    let index = usize::from(code.max(PROBE_FREQUENCY)) - 1;
    let (fraction, divider) = FREQUENCIES.get(index).copied().unwrap_or((34, 8));
    PLL3_TIMES_18 / fraction / divider * 1_000
}

/// SWRESET: forgets what the AHB buffers hold.
pub(super) fn software_reset() -> Vec<Action> {
    vec![
        modify(MCR0, MCR0_SWRESET, 0),
        Action::Poll {
            address: MCR0,
            mask: MCR0_SWRESET,
            wanted: 0,
            limit: COMMAND_LIMIT,
            what: "FlexSPI software reset",
        },
    ]
}

/// Set-up for reading the FCB, by flash type (3-byte or 4-byte address).
pub(super) fn probe(four_byte_address: bool) -> Vec<Action> {
    let sequence = if four_byte_address {
        PROBE_READ_4_BYTE
    } else {
        PROBE_READ_3_BYTE
    };
    let mut lut = [0; 64];
    for (slot, word) in lut.iter_mut().zip(sequence) {
        *slot = word;
    }
    let mut script = vec![
        put(MCR0, MCR0_BASE),
        put(AHBCR, AHBCR_BASE),
        put(DLLCRA, DLL_OVERRIDE),
        put(FLSHCR0, PROBE_SIZE_KIB),
        put(FLSHCR1, 0x63),
        put(FLSHCR2, 0),
    ];
    script.extend(load_lut(&lut));
    script.extend(software_reset());
    script
}

/// Set-up for the image, from the FCB; the serial clock runs at `serial_hz`.
pub(super) fn configure(fcb: &Fcb, serial_hz: u32) -> Vec<Action> {
    let address_option = if fcb.read_address_option() {
        AHBCR_READADDROPT
    } else {
        0
    };
    let mut script = vec![
        put(MCR0, MCR0_BASE | fcb.read_sample_clk_src() << 4),
        put(AHBCR, AHBCR_BASE | address_option),
        put(DLLCRA, DLL_OVERRIDE),
    ];
    for (chip, size) in (0..).zip(fcb.sizes()) {
        script.push(put(FLSHCR0 + 4 * chip, size / 1024));
        script.push(put(FLSHCR1 + 4 * chip, fcb.flash_timing(serial_hz)));
        script.push(put(FLSHCR2 + 4 * chip, 0));
    }
    script.extend(load_lut(fcb.lut()));
    script.extend(software_reset());
    script
}

/// A mode command: write enable, then the sequence with its argument. Leaves INTR and STS1 of both in the results.
pub(super) fn mode_command(command: ModeCommand, flash_address: u32, fcb: &Fcb) -> Vec<Action> {
    let (opcode, bytes) = fcb.data_instruction(command).unwrap_or((0, 0));
    let argument = (opcode == 8).then_some(command.argument);
    let mut script = ip_command(SEQUENCE_WRITE_ENABLE, 1, flash_address, 0, None);
    script.extend(ip_command(
        command.sequence,
        command.sequences,
        flash_address,
        bytes,
        argument,
    ));
    script
}

/// A status read. Leaves INTR, STS1 and the FIFO's fill level in the results.
pub(super) fn read_status(flash_address: u32, bytes: u32) -> Vec<Action> {
    let mut script = ip_command(SEQUENCE_READ_STATUS, 1, flash_address, bytes, None);
    script.push(Action::Read {
        address: IPRXFSTS,
        doing: DOING,
    });
    script
}

/// Whether a status read of [`read_status`] brought data.
pub(super) fn has_data(iprxfsts: u32) -> bool {
    iprxfsts & IPRXFSTS_FILL != 0
}

fn ip_command(
    sequence: u8,
    sequences: u8,
    flash_address: u32,
    bytes: u32,
    argument: Option<u32>,
) -> Vec<Action> {
    let mut script = vec![
        put(INTR, INTR_ALL_BUT_WATERMARKS),
        put(IPRXFCR, FIFO_CLEAR),
        put(IPTXFCR, FIFO_CLEAR),
        put(FLSHCR2, CLRINSTRPTR),
        put(IPCR0, flash_address),
        put(
            IPCR1,
            bytes | u32::from(sequence) << 16 | u32::from(sequences.max(1) - 1) << 24,
        ),
    ];
    if let Some(argument) = argument {
        script.extend([
            put(TFDR0, argument),
            put(TFDR0 + 4, 0),
            put(INTR, INTR_IPTXWE),
        ]);
    }
    script.extend([
        put(IPCMD, 1),
        Action::Poll {
            address: INTR,
            mask: INTR_DONE,
            wanted: INTR_DONE,
            limit: COMMAND_LIMIT,
            what: "end of a FlexSPI command",
        },
        Action::Read {
            address: INTR,
            doing: DOING,
        },
        Action::Read {
            address: STS1,
            doing: DOING,
        },
    ]);
    script
}

fn load_lut(words: &[u32]) -> Vec<Action> {
    let mut script = vec![put(LUTKEY, LUT_KEY), put(LUTCR, LUT_UNLOCK)];
    script.extend(
        (0..)
            .zip(words)
            .map(|(index, word)| put(LUT + 4 * index, *word)),
    );
    script.extend([put(LUTKEY, LUT_KEY), put(LUTCR, LUT_LOCK)]);
    script
}
