//! The look-up table: which sequence does what, and its instructions (IMXRT1060RM, FlexSPI look-up table).

/// Lines used by an instruction, as the table's pads field has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Pads {
    /// One line.
    One = 0,
    /// Four lines.
    Four = 2,
}

const STOP: u16 = 0x00;
const CMD: u16 = 0x01;
const RADDR: u16 = 0x02;
const MODE8: u16 = 0x07;
const WRITE: u16 = 0x08;
const READ: u16 = 0x09;
const DUMMY: u16 = 0x0C;

/// Address bits of every part up to 16 MiB, and of the 3-byte mode that the boot ROM expects.
const ADDRESS_BITS: u8 = 24;
/// Default data size; IDATSZ overrides it.
const DATA: u8 = 4;
/// Clocks between address and data of 5Ah (JESD216).
const SFDP_DUMMY_CLOCKS: u8 = 8;
/// Mode byte that does not start a continuous read on any known part.
const MODE_NO_CONTINUOUS_READ: u8 = 0xFF;

/// Instructions in a sequence.
const INSTRUCTIONS: usize = 8;
/// Words in a sequence.
pub const WORDS: usize = INSTRUCTIONS / 2;

/// One sequence of the table.
pub type Sequence = [u32; WORDS];

/// Index of a sequence in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Slot {
    /// AHB reads, so that a debugger sees the flash in the window: 03h.
    AhbRead = 0,
    /// 05h on one line.
    ReadStatus = 1,
    /// 06h.
    WriteEnable = 2,
    /// 9Fh.
    ReadId = 3,
    /// 5Ah.
    ReadSfdp = 4,
    /// A register besides the status register; the opcode changes.
    ReadRegister = 5,
    /// An erase with address; the opcode changes.
    Erase = 6,
    /// A command without address and data; the opcode changes.
    Bare = 7,
    /// Page program.
    Program = 8,
    /// Read at the work clock.
    Read = 9,
    /// Write of a status register; the opcode changes.
    WriteStatus = 10,
    /// Ones on four lines: ends a continuous read.
    EndContinuousRead = 11,
    /// F5h on four lines: leaves QPI.
    LeaveQpi = 12,
    /// 05h on four lines: the status register of a part in QPI.
    ReadStatusQpi = 13,
}

const fn instruction(opcode: u16, pads: Pads, operand: u8) -> u16 {
    opcode << 10 | (pads as u16) << 8 | operand as u16
}

const fn sequence(i: [u16; INSTRUCTIONS]) -> Sequence {
    let [a, b, c, d, e, f, g, h] = i;
    [pair(a, b), pair(c, d), pair(e, f), pair(g, h)]
}

const fn pair(low: u16, high: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

/// Opcode alone.
pub const fn bare(opcode: u8) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    sequence([cmd, STOP, STOP, STOP, STOP, STOP, STOP, STOP])
}

/// Opcode and address.
pub const fn addressed(opcode: u8) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    let address = instruction(RADDR, Pads::One, ADDRESS_BITS);
    sequence([cmd, address, STOP, STOP, STOP, STOP, STOP, STOP])
}

/// Opcode, then data to the host side.
pub const fn read_register(opcode: u8, pads: Pads) -> Sequence {
    let cmd = instruction(CMD, pads, opcode);
    let data = instruction(READ, pads, DATA);
    sequence([cmd, data, STOP, STOP, STOP, STOP, STOP, STOP])
}

/// Opcode, then data to the flash.
pub const fn write_register(opcode: u8) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    let data = instruction(WRITE, Pads::One, 1);
    sequence([cmd, data, STOP, STOP, STOP, STOP, STOP, STOP])
}

/// Read on one line with dummy clocks.
pub const fn read_with_dummy(opcode: u8, dummy_clocks: u8) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    let address = instruction(RADDR, Pads::One, ADDRESS_BITS);
    let dummy = instruction(DUMMY, Pads::One, dummy_clocks);
    let data = instruction(READ, Pads::One, DATA);
    sequence([cmd, address, dummy, data, STOP, STOP, STOP, STOP])
}

/// 03h: read on one line without dummy clocks, at most 50 MHz.
pub const fn read_slow() -> Sequence {
    let cmd = instruction(CMD, Pads::One, 0x03);
    let address = instruction(RADDR, Pads::One, ADDRESS_BITS);
    let data = instruction(READ, Pads::One, DATA);
    sequence([cmd, address, data, STOP, STOP, STOP, STOP, STOP])
}

/// 5Ah: SFDP.
pub const fn read_sfdp() -> Sequence {
    read_with_dummy(0x5A, SFDP_DUMMY_CLOCKS)
}

/// Read with address, mode byte and data on four lines.
pub const fn read_quad(opcode: u8, dummy_clocks: u8) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    let address = instruction(RADDR, Pads::Four, ADDRESS_BITS);
    let mode = instruction(MODE8, Pads::Four, MODE_NO_CONTINUOUS_READ);
    let dummy = instruction(DUMMY, Pads::Four, dummy_clocks);
    let data = instruction(READ, Pads::Four, DATA);
    sequence([cmd, address, mode, dummy, data, STOP, STOP, STOP])
}

/// Page program: opcode and address on one line, data on `pads`.
pub const fn program(opcode: u8, pads: Pads) -> Sequence {
    let cmd = instruction(CMD, Pads::One, opcode);
    let address = instruction(RADDR, Pads::One, ADDRESS_BITS);
    let data = instruction(WRITE, pads, DATA);
    sequence([cmd, address, data, STOP, STOP, STOP, STOP, STOP])
}

/// Fourteen clocks of ones on four lines: where a continuous read is on, its mode byte is 0xFF; on one line it reads as FFh.
pub const fn ones() -> Sequence {
    let ff = instruction(CMD, Pads::Four, 0xFF);
    sequence([ff, ff, ff, ff, ff, ff, ff, STOP])
}

/// F5h on four lines. Where QPI is off these are two clocks, no whole opcode.
pub const fn leave_qpi() -> Sequence {
    let cmd = instruction(CMD, Pads::Four, 0xF5);
    sequence([cmd, STOP, STOP, STOP, STOP, STOP, STOP, STOP])
}
