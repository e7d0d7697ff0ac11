//! LUT instructions and the checks the controller makes before it runs a sequence.

use super::registers::lut;
use crate::nor::Lines;

/// What an instruction does (IMXRT1060RM FlexSPI chapter, "Programmable Sequence Engine"; the DDR form is +20h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// End of the sequence.
    Stop,
    /// Drives the operand.
    Command,
    /// Drives the row address; operand = bits.
    RowAddress,
    /// Drives the column address; operand = bits.
    ColumnAddress,
    /// Drives this many bits of the operand.
    Mode(u32),
    /// Drives data.
    Write,
    /// Takes data.
    Read,
    /// Learns the sample phase.
    Learn,
    /// Drives the data size; operand = bits.
    DataSize,
    /// Dummy clocks; operand = clocks.
    Dummy,
    /// Dummy clocks, their number set by the flash's RWDS.
    DummyRwds,
    /// Ends the sequence; the next AHB command starts at the operand.
    JumpOnCs,
    /// None of the above.
    Unknown,
}

/// Opcode bit of the DDR variants.
const DDR: u8 = 0x20;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub kind: Kind,
    /// Double transfer rate.
    pub ddr: bool,
    /// Number of lines; `None` for eight.
    pub lines: Option<Lines>,
    /// Operand.
    pub operand: u8,
}

impl Instruction {
    /// From the 16 bits in the LUT.
    pub fn decode(half: u16) -> Self {
        let code = (half >> 10) as u8;
        let ddr = code & DDR != 0;
        let kind = match code & !DDR {
            0x00 if !ddr => Kind::Stop,
            0x01 => Kind::Command,
            0x02 => Kind::RowAddress,
            0x03 => Kind::ColumnAddress,
            0x04 => Kind::Mode(1),
            0x05 => Kind::Mode(2),
            0x06 => Kind::Mode(4),
            0x07 => Kind::Mode(8),
            0x08 => Kind::Write,
            0x09 => Kind::Read,
            0x0A => Kind::Learn,
            0x0B => Kind::DataSize,
            0x0C => Kind::Dummy,
            0x0D => Kind::DummyRwds,
            0x1F if !ddr => Kind::JumpOnCs,
            _ => Kind::Unknown,
        };
        let lines = Lines::from_count(1 << ((half >> 8) & 0x3));
        Instruction {
            kind,
            ddr,
            lines,
            operand: half as u8,
        }
    }

    /// Bits it drives, for the instructions that drive a fixed number.
    pub fn fixed_bits(&self) -> u32 {
        match self.kind {
            Kind::Command => 8,
            Kind::RowAddress | Kind::ColumnAddress | Kind::DataSize => u32::from(self.operand),
            Kind::Mode(bits) => bits,
            _ => 0,
        }
    }
}

/// Error codes in STS1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// JMP_ON_CS in an IP command (or an AHB write).
    JumpOnCs = 0x2,
    /// Unknown opcode.
    UnknownOpcode = 0x3,
    /// SDR dummies in a DDR sequence.
    SdrDummyInDdr = 0x4,
    /// DDR dummies in an SDR sequence.
    DdrDummyInSdr = 0x5,
    /// Start address beyond the flash sizes.
    Address = 0x6,
    /// The sequence took too long.
    Timeout = 0xE,
    /// The data cross a flash boundary.
    Boundary = 0xF,
}

/// The instruction at `index` (0 to 7) of `sequence` (0 to 15).
pub fn fetch(table: &[u32; lut::WORDS], sequence: u8, index: u8) -> Instruction {
    let word = usize::from(sequence) * lut::SEQUENCE_WORDS + usize::from(index / 2);
    let word = table.get(word).copied().unwrap_or(0);
    Instruction::decode((word >> (16 * u32::from(index % 2))) as u16)
}

/// The instructions of `sequence` from `start` to its end.
pub fn sequence(table: &[u32; lut::WORDS], sequence: u8, start: u8) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    for index in start..lut::SEQUENCE_INSTRUCTIONS {
        let instruction = fetch(table, sequence, index);
        if instruction.kind == Kind::Stop {
            break;
        }
        instructions.push(instruction);
        if instruction.kind == Kind::JumpOnCs {
            break;
        }
    }
    instructions
}

/// What the controller refuses before it starts.
///
/// # Errors
/// The code for STS1.
pub fn check(instructions: &[Instruction], by_ip: bool) -> Result<(), ErrorCode> {
    let ddr = instructions
        .iter()
        .any(|i| i.ddr && !matches!(i.kind, Kind::Dummy | Kind::DummyRwds));
    for instruction in instructions {
        match instruction.kind {
            Kind::Unknown | Kind::Learn => return Err(ErrorCode::UnknownOpcode),
            Kind::JumpOnCs if by_ip => return Err(ErrorCode::JumpOnCs),
            Kind::Dummy | Kind::DummyRwds if ddr && !instruction.ddr => {
                return Err(ErrorCode::SdrDummyInDdr);
            }
            Kind::Dummy | Kind::DummyRwds if !ddr && instruction.ddr => {
                return Err(ErrorCode::DdrDummyInSdr);
            }
            _ => {}
        }
    }
    Ok(())
}
