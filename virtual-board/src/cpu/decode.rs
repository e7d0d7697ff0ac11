//! What the board must know of an instruction before armagnac executes it: accesses to the private peripheral bus,
//! system instructions that armagnac leaves open, and everything the model does not have.

use armagnac::registers::{CoreRegisters, RegisterIndex};

use crate::bus::Width;

/// A single load or store with its addressing form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Load or store.
    pub load: bool,
    /// Width of the access.
    pub width: Width,
    /// Sign-extend a loaded byte or halfword.
    pub signed: bool,
    /// Transfer register (0–15).
    pub rt: u8,
    /// Base register (0–14).
    pub rn: u8,
    /// Offset.
    pub offset: Offset,
    /// Base register is written back with base + offset.
    pub write_back: bool,
    /// The offset is applied before the access.
    pub pre_index: bool,
}

/// Offset of a load or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// Added to the base.
    Immediate(i32),
    /// `Rm << shift`, added to the base.
    Register {
        /// Index of Rm.
        rm: u8,
        /// Left shift, 0–3.
        shift: u8,
    },
}

impl Access {
    /// The effective address, and the base register's new value.
    pub fn effective(&self, registers: &CoreRegisters) -> (u32, u32) {
        let base = registers[RegisterIndex::new_main(u32::from(self.rn))];
        let offset = match self.offset {
            Offset::Immediate(imm) => imm as u32,
            Offset::Register { rm, shift } => {
                registers[RegisterIndex::new_main(u32::from(rm))] << shift
            }
        };
        let sum = base.wrapping_add(offset);
        (if self.pre_index { sum } else { base }, sum)
    }
}

/// Classes of instructions that the board treats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// armagnac executes it, no memory access.
    Plain,
    /// A single load or store.
    Access(Access),
    /// Several words, exclusive, or double: may not touch the private peripheral bus in this model.
    Several {
        /// Base register.
        rn: u8,
    },
    /// MOV or ADD to the PC: a plain branch that keeps the Thumb state (ALUWritePC); armagnac takes bit 0 for it.
    MoveToPc,
    /// SVC.
    Svc,
    /// UDF.
    Udf,
    /// Any coprocessor or floating-point instruction (11x0 11.. / 1111 11..).
    Coprocessor,
    /// MRS of PRIMASK, BASEPRI, FAULTMASK or CONTROL.
    Mrs {
        /// Destination.
        rd: u8,
        /// SYSm.
        sysm: u8,
    },
    /// MSR to PRIMASK, BASEPRI, BASEPRI_MAX, FAULTMASK or CONTROL.
    Msr {
        /// Source.
        rn: u8,
        /// SYSm.
        sysm: u8,
    },
    /// CPS.
    Cps {
        /// Clears the mask (CPSIE).
        enable: bool,
        /// PRIMASK.
        i: bool,
        /// FAULTMASK.
        f: bool,
    },
    /// WFI.
    Wfi,
    /// WFE.
    Wfe,
    /// YIELD: the program idles.
    Yield,
}

/// Classifies a 16-bit encoding.
pub fn classify16(hw: u16) -> Class {
    match hw {
        0xBF10 => return Class::Yield,
        0xBF20 => return Class::Wfe,
        0xBF30 => return Class::Wfi,
        _ => {}
    }
    let reg = |shift: u16| ((hw >> shift) & 7) as u8;
    let immediate = |width: Width, load: bool| {
        Class::Access(Access {
            load,
            width,
            signed: false,
            rt: reg(0),
            rn: reg(3),
            offset: Offset::Immediate((((hw >> 6) & 0x1F) as u32 * width.bytes()) as i32),
            write_back: false,
            pre_index: true,
        })
    };
    match hw >> 11 {
        0b01010 | 0b01011 => {
            let (load, width, signed) = match (hw >> 9) & 7 {
                0 => (false, Width::Word, false),
                1 => (false, Width::Half, false),
                2 => (false, Width::Byte, false),
                3 => (true, Width::Byte, true),
                4 => (true, Width::Word, false),
                5 => (true, Width::Half, false),
                6 => (true, Width::Byte, false),
                _ => (true, Width::Half, true),
            };
            Class::Access(Access {
                load,
                width,
                signed,
                rt: reg(0),
                rn: reg(3),
                offset: Offset::Register {
                    rm: reg(6),
                    shift: 0,
                },
                write_back: false,
                pre_index: true,
            })
        }
        0b01100 => immediate(Width::Word, false),
        0b01101 => immediate(Width::Word, true),
        0b01110 => immediate(Width::Byte, false),
        0b01111 => immediate(Width::Byte, true),
        0b10000 => immediate(Width::Half, false),
        0b10001 => immediate(Width::Half, true),
        0b11000 | 0b11001 => Class::Several {
            rn: ((hw >> 8) & 7) as u8,
        },
        _ if hw & 0xFD87 == 0x4487 => Class::MoveToPc,
        _ if hw >> 8 == 0xDF => Class::Svc,
        _ if hw >> 8 == 0xDE => Class::Udf,
        _ if hw & 0xFFEC == 0xB660 => Class::Cps {
            enable: hw & 0x10 == 0,
            i: hw & 2 != 0,
            f: hw & 1 != 0,
        },
        _ => Class::Plain,
    }
}

/// Classifies a 32-bit encoding (first halfword in the high half).
pub fn classify32(ins: u32) -> Class {
    let rn = ((ins >> 16) & 0xF) as u8;
    match ins >> 25 {
        // LDM, STM, LDRD, STRD, LDREX, STREX, TBB
        0b1110100 => return Class::Several { rn },
        0b1111100 => return single32(ins, rn),
        _ => {}
    }
    if (ins >> 26) & 0x3B == 0x3B {
        return Class::Coprocessor;
    }
    if ins & 0xFFFF_F000 == 0xF3EF_8000 {
        let sysm = (ins & 0xFF) as u8;
        if sysm >= 16 {
            return Class::Mrs {
                rd: ((ins >> 8) & 0xF) as u8,
                sysm,
            };
        }
    }
    if ins & 0xFFF0_F300 == 0xF380_8000 {
        let sysm = (ins & 0xFF) as u8;
        if sysm >= 16 {
            return Class::Msr { rn, sysm };
        }
    }
    match ins {
        0xF3AF_8001 => Class::Yield,
        0xF3AF_8002 => Class::Wfe,
        0xF3AF_8003 => Class::Wfi,
        _ if ins & 0xFFF0_F000 == 0xF7F0_A000 => Class::Udf,
        _ => Class::Plain,
    }
}

fn single32(ins: u32, rn: u8) -> Class {
    let load = ins & (1 << 20) != 0;
    let rt = ((ins >> 12) & 0xF) as u8;
    if rn == 15 || (load && rt == 15 && (ins >> 21) & 3 != 2) {
        // literal loads reach code memory only; PLD/PLI have no effect
        return Class::Plain;
    }
    let width = match (ins >> 21) & 3 {
        0 => Width::Byte,
        1 => Width::Half,
        2 => Width::Word,
        _ => return Class::Plain,
    };
    let signed = ins & (1 << 24) != 0;
    let imm8 = (ins & 0xFF) as i32;
    let (offset, write_back, pre_index) = if ins & (1 << 23) != 0 {
        (Offset::Immediate((ins & 0xFFF) as i32), false, true)
    } else if ins & (1 << 11) != 0 {
        let offset = if ins & (1 << 9) != 0 { imm8 } else { -imm8 };
        (
            Offset::Immediate(offset),
            ins & (1 << 8) != 0,
            ins & (1 << 10) != 0,
        )
    } else if (ins >> 6) & 0x3F == 0 {
        let rm = (ins & 0xF) as u8;
        (
            Offset::Register {
                rm,
                shift: ((ins >> 4) & 3) as u8,
            },
            false,
            true,
        )
    } else {
        return Class::Plain;
    };
    Class::Access(Access {
        load,
        width,
        signed,
        rt,
        rn,
        offset,
        write_back,
        pre_index,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_and_stores_are_classified_as_the_architecture_manual_encodes_them() {
        // ldr r2, [r3, #8]
        assert_eq!(
            classify16(0x689A),
            Class::Access(Access {
                load: true,
                width: Width::Word,
                signed: false,
                rt: 2,
                rn: 3,
                offset: Offset::Immediate(8),
                write_back: false,
                pre_index: true
            })
        );
        // str.w r0, [r1], #-4
        assert_eq!(
            classify32(0xF841_0904),
            Class::Access(Access {
                load: false,
                width: Width::Word,
                signed: false,
                rt: 0,
                rn: 1,
                offset: Offset::Immediate(-4),
                write_back: true,
                pre_index: false
            })
        );
        // ldrb.w r0, [r1, r2, lsl #2]
        assert_eq!(
            classify32(0xF811_0022),
            Class::Access(Access {
                load: true,
                width: Width::Byte,
                signed: false,
                rt: 0,
                rn: 1,
                offset: Offset::Register { rm: 2, shift: 2 },
                write_back: false,
                pre_index: true
            })
        );
    }

    #[test]
    fn system_instructions_are_classified() {
        assert_eq!(
            classify16(0xB672),
            Class::Cps {
                enable: false,
                i: true,
                f: false
            }
        );
        assert_eq!(classify16(0xBF10), Class::Yield);
        assert_eq!(classify16(0x46AF), Class::MoveToPc, "mov pc, r5");
        assert_eq!(classify16(0x4497), Class::MoveToPc, "add pc, r2");
        assert_eq!(classify16(0x4585), Class::Plain, "cmp r5, r0");
        assert_eq!(classify32(0xF3EF_8010), Class::Mrs { rd: 0, sysm: 16 });
        assert_eq!(classify32(0xF380_8811), Class::Msr { rn: 0, sysm: 17 });
        assert_eq!(
            classify32(0xF3EF_8008),
            Class::Plain,
            "MRS MSP is armagnac's"
        );
        // vmov / vldr / mcr
        assert_eq!(classify32(0xEE00_0A10), Class::Coprocessor);
        assert_eq!(classify32(0xED93_7A00), Class::Coprocessor);
        assert_eq!(classify32(0xF7FF_FFFE), Class::Plain, "BL");
    }
}
