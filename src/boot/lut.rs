//! FlexSPI look-up table: sequences of instructions, encoded, decoded and shown as text.

use std::fmt;

/// Words of one sequence; a word holds two instructions, low half first (IMXRT1060RM FlexSPI chapter, look-up table).
pub const WORDS_PER_SEQUENCE: usize = 4;
/// Sequences in the table.
pub const SEQUENCES: usize = 16;

const OPCODE_SHIFT: u16 = 10;
const PADS_SHIFT: u16 = 8;
const PADS_MASK: u16 = 0x3;
const OPERAND_MASK: u16 = 0xFF;
const HALF_BITS: u32 = 16;
/// Added to an opcode for both clock edges.
const DDR_BIT: u8 = 0x20;

/// Sequence numbers that the boot ROM's driver and NXP's SDK give a meaning.
pub mod sequence {
    /// AHB read; the only one that booting needs.
    pub const READ: usize = 0;
    /// Read status register.
    pub const READ_STATUS: usize = 1;
    /// Write enable.
    pub const WRITE_ENABLE: usize = 3;
    /// Erase a sector.
    pub const ERASE_SECTOR: usize = 5;
    /// Erase a block.
    pub const ERASE_BLOCK: usize = 8;
    /// Program a page.
    pub const PAGE_PROGRAM: usize = 9;
    /// Erase the chip.
    pub const ERASE_CHIP: usize = 11;
}

/// What an instruction does, in the manual's words. `Ddr` doubles every one but STOP and JMP_ON_CS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// End of the sequence.
    Stop,
    /// Command byte.
    Cmd,
    /// Row address; the operand is its number of bits.
    RowAddress,
    /// Column address.
    ColumnAddress,
    /// One mode bit.
    Mode1,
    /// Two mode bits.
    Mode2,
    /// Four mode bits.
    Mode4,
    /// Eight mode bits.
    Mode8,
    /// Data to the flash.
    Write,
    /// Data from the flash.
    Read,
    /// Data learning pattern.
    Learn,
    /// Data size.
    DataSize,
    /// Dummy clocks; the operand is their number.
    Dummy,
    /// Dummy clocks decided by RWDS.
    DummyRwds,
    /// End, and start here at the next AHB access while CS stays low.
    JumpOnCs,
    /// Not in the manual.
    Unknown(u8),
}

/// Opcodes 00h to 0Dh in the order of their encoding.
const CODED: [Opcode; 14] = [
    Opcode::Stop,
    Opcode::Cmd,
    Opcode::RowAddress,
    Opcode::ColumnAddress,
    Opcode::Mode1,
    Opcode::Mode2,
    Opcode::Mode4,
    Opcode::Mode8,
    Opcode::Write,
    Opcode::Read,
    Opcode::Learn,
    Opcode::DataSize,
    Opcode::Dummy,
    Opcode::DummyRwds,
];
const JUMP_ON_CS: u8 = 0x1F;

impl Opcode {
    fn decode(code: u8) -> Self {
        match CODED.get(usize::from(code)) {
            Some(opcode) => *opcode,
            None if code == JUMP_ON_CS => Opcode::JumpOnCs,
            None => Opcode::Unknown(code),
        }
    }

    fn encode(self) -> u8 {
        match self {
            Opcode::JumpOnCs => JUMP_ON_CS,
            Opcode::Unknown(code) => code,
            coded => CODED
                .iter()
                .position(|opcode| *opcode == coded)
                .map_or(0, |code| code as u8),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Opcode::Stop => "STOP",
            Opcode::Cmd => "CMD",
            Opcode::RowAddress => "RADDR",
            Opcode::ColumnAddress => "CADDR",
            Opcode::Mode1 => "MODE1",
            Opcode::Mode2 => "MODE2",
            Opcode::Mode4 => "MODE4",
            Opcode::Mode8 => "MODE8",
            Opcode::Write => "WRITE",
            Opcode::Read => "READ",
            Opcode::Learn => "LEARN",
            Opcode::DataSize => "DATSZ",
            Opcode::Dummy => "DUMMY",
            Opcode::DummyRwds => "DUMMY_RWDS",
            Opcode::JumpOnCs => "JMP_ON_CS",
            Opcode::Unknown(_) => "?",
        }
    }
}

/// Lines an instruction uses, with the manual's two-bit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pads {
    /// One line.
    One,
    /// Two lines.
    Two,
    /// Four lines.
    Four,
    /// Eight lines.
    Eight,
}

impl Pads {
    /// From a number of lines; `None` unless it is 1, 2, 4 or 8.
    pub const fn from_lines(lines: u8) -> Option<Self> {
        match lines {
            1 => Some(Pads::One),
            2 => Some(Pads::Two),
            4 => Some(Pads::Four),
            8 => Some(Pads::Eight),
            _ => None,
        }
    }

    /// Number of lines.
    pub const fn lines(self) -> u8 {
        1 << self.code()
    }

    const fn code(self) -> u16 {
        match self {
            Pads::One => 0,
            Pads::Two => 1,
            Pads::Four => 2,
            Pads::Eight => 3,
        }
    }

    const fn from_code(code: u16) -> Self {
        match code & PADS_MASK {
            0 => Pads::One,
            1 => Pads::Two,
            2 => Pads::Four,
            _ => Pads::Eight,
        }
    }
}

/// One look-up table instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub opcode: Opcode,
    /// Both clock edges.
    pub ddr: bool,
    /// Lines.
    pub pads: Pads,
    /// Operand.
    pub operand: u8,
}

impl Instruction {
    /// STOP; also what an empty table holds.
    pub const STOP: Instruction = Instruction::new(Opcode::Stop, Pads::One, 0);

    /// An instruction on one clock edge.
    pub const fn new(opcode: Opcode, pads: Pads, operand: u8) -> Self {
        Instruction {
            opcode,
            ddr: false,
            pads,
            operand,
        }
    }

    /// From its 16 bits.
    pub fn decode(half: u16) -> Self {
        let code = (half >> OPCODE_SHIFT) as u8;
        let plain = Opcode::decode(code);
        let (opcode, ddr) = match Opcode::decode(code & !DDR_BIT) {
            doubled if code & DDR_BIT != 0 && doubled != Opcode::Stop => match doubled {
                Opcode::Unknown(_) | Opcode::JumpOnCs => (plain, false),
                known => (known, true),
            },
            _ => (plain, false),
        };
        Instruction {
            opcode,
            ddr,
            pads: Pads::from_code(half >> PADS_SHIFT),
            operand: (half & OPERAND_MASK) as u8,
        }
    }

    /// Its 16 bits.
    pub fn encode(self) -> u16 {
        let ddr = if self.ddr { DDR_BIT } else { 0 };
        u16::from(self.opcode.encode() | ddr) << OPCODE_SHIFT
            | self.pads.code() << PADS_SHIFT
            | u16::from(self.operand)
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ddr = if self.ddr { "_DDR" } else { "" };
        let name = self.opcode.name();
        let lines = self.pads.lines();
        match self.opcode {
            Opcode::Stop | Opcode::JumpOnCs => write!(f, "{name}"),
            Opcode::Unknown(code) => write!(f, "?{code:02X}h/{lines} {:02X}h", self.operand),
            Opcode::RowAddress | Opcode::ColumnAddress | Opcode::Dummy => {
                write!(f, "{name}{ddr}/{lines} {}", self.operand)
            }
            _ => write!(f, "{name}{ddr}/{lines} {:02X}h", self.operand),
        }
    }
}

/// The look-up table of an FCB: 16 sequences of 4 words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LookupTable([u32; SEQUENCES * WORDS_PER_SEQUENCE]);

impl LookupTable {
    /// All STOP.
    pub const EMPTY: LookupTable = LookupTable([0; SEQUENCES * WORDS_PER_SEQUENCE]);

    /// From its words.
    pub const fn new(words: [u32; SEQUENCES * WORDS_PER_SEQUENCE]) -> Self {
        LookupTable(words)
    }

    /// Its words.
    pub const fn words(&self) -> &[u32; SEQUENCES * WORDS_PER_SEQUENCE] {
        &self.0
    }

    /// The instructions of a sequence up to, without, its STOP. Empty for a number above 15.
    pub fn sequence(&self, number: usize) -> Vec<Instruction> {
        self.0
            .iter()
            .skip(number.saturating_mul(WORDS_PER_SEQUENCE))
            .take(WORDS_PER_SEQUENCE)
            .flat_map(|word| [*word as u16, (*word >> HALF_BITS) as u16])
            .map(Instruction::decode)
            .take_while(|instruction| instruction.opcode != Opcode::Stop)
            .collect()
    }

    /// Sets a sequence; what is not given becomes STOP. Instructions beyond the eighth are not stored.
    pub fn set_sequence(&mut self, number: usize, instructions: &[Instruction]) {
        let half = |index: usize| {
            let instruction = instructions.get(index).unwrap_or(&Instruction::STOP);
            u32::from(instruction.encode())
        };
        let words = self
            .0
            .iter_mut()
            .skip(number.saturating_mul(WORDS_PER_SEQUENCE))
            .take(WORDS_PER_SEQUENCE);
        for (index, word) in words.enumerate() {
            *word = half(2 * index) | half(2 * index + 1) << HALF_BITS;
        }
    }
}

impl fmt::Display for LookupTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for number in 0..SEQUENCES {
            let instructions = self.sequence(number);
            if instructions.is_empty() {
                continue;
            }
            let text: Vec<String> = instructions.iter().map(ToString::to_string).collect();
            writeln!(f, "{number:2}: {}", text.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for LookupTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_word_survives_decoding_and_encoding() {
        for half in 0..=u16::MAX {
            assert_eq!(Instruction::decode(half).encode(), half, "{half:04X}");
        }
    }

    #[test]
    fn the_evk_read_sequence_is_shown_in_the_manual_s_words() {
        // NXP mcux-sdk evkmimxrt1060: 0A1804EB 26043206.
        let mut words = [0; SEQUENCES * WORDS_PER_SEQUENCE];
        words[0] = 0x0A18_04EB;
        words[1] = 0x2604_3206;
        let table = LookupTable::new(words);
        assert_eq!(
            table.to_string(),
            " 0: CMD/1 EBh, RADDR/4 24, DUMMY/4 6, READ/4 04h\n"
        );
        let mut again = LookupTable::EMPTY;
        again.set_sequence(sequence::READ, &table.sequence(sequence::READ));
        assert_eq!(again, table);
    }
}
