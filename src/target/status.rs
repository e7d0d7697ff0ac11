//! The status registers of a flash part: where QE and the protection are, and how they are read and written.

use serde::Deserialize;

use super::FlashPart;

/// Bits of status register 1 (05h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct StatusBits {
    /// Busy.
    pub wip_mask: u8,
    /// Write enabled.
    pub wel_mask: u8,
    /// Block protection.
    pub bp_mask: u8,
    /// Quad enable, where it is in this register.
    pub qe_mask: u8,
    /// Status register write disable.
    pub srwd_mask: u8,
    /// Bits that say what the block protection means.
    #[serde(default)]
    pub option_mask: u8,
    /// What a produced unit holds in the non-volatile bits.
    pub production_value: u8,
}

impl StatusBits {
    /// The bits that outlive a power cycle.
    pub const fn non_volatile_mask(self) -> u8 {
        self.bp_mask | self.qe_mask | self.srwd_mask | self.option_mask
    }
}

/// The register that holds QE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum QuadEnableRegister {
    /// Status register 1.
    #[serde(rename = "status")]
    Status,
    /// Status register 2.
    #[serde(rename = "status 2")]
    Status2,
}

/// How QE is read and set.
#[derive(Clone, Debug, Deserialize)]
pub struct QuadEnable {
    /// Register that holds QE.
    pub register: QuadEnableRegister,
    /// Bit in it.
    pub mask: u8,
    /// Opcode that reads the register.
    pub read_opcode: u8,
    /// Opcode that writes it.
    pub write_opcode: u8,
    /// Data bytes of that write.
    pub write_bytes: u8,
}

/// 01h with a second byte, for status register 2.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct StatusPair {
    /// 01h.
    pub opcode: u8,
}

/// Protection bits outside status register 1.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Protection {
    /// Bit of status register 2 that exchanges covered and free.
    #[serde(default)]
    pub complement_mask: u8,
    /// Bit of status register 3 that puts a lock on each block.
    #[serde(default)]
    pub individual_locks_mask: u8,
}

/// Registers besides status register 1, where the part has them.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct FlashRegisters {
    /// ISSI's function register.
    pub function: Option<FunctionRegister>,
    /// Status register 2.
    pub status_2: Option<FurtherStatus>,
    /// Status register 3.
    pub status_3: Option<FurtherStatus>,
}

/// ISSI's function register.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FunctionRegister {
    /// Opcode that reads it.
    pub read_opcode: u8,
    /// Set while a program is suspended.
    pub program_suspended_mask: u8,
    /// Set while an erase is suspended.
    pub erase_suspended_mask: u8,
}

/// Status register 2 or 3.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FurtherStatus {
    /// Opcode that reads it.
    pub read_opcode: u8,
    /// Opcode that writes it, with one byte.
    pub write_opcode: u8,
    /// Bits that a write changes and that outlive a power cycle.
    pub non_volatile_mask: u8,
    /// Set while an erase or a program is suspended.
    pub suspended_mask: u8,
}

/// One word of all status registers: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16 (PROTOCOL.md §5).
const fn status_word(first: u8, second: u8, third: u8) -> u32 {
    u32::from_le_bytes([first, second, third, 0])
}

impl FlashPart {
    /// QE in the status word.
    pub const fn quad_enable_mask(&self) -> u32 {
        match self.quad_enable.register {
            QuadEnableRegister::Status => status_word(self.quad_enable.mask, 0, 0),
            QuadEnableRegister::Status2 => status_word(0, self.quad_enable.mask, 0),
        }
    }

    /// The bits of the status word that outlive a power cycle and can be written more than once.
    pub fn status_mask(&self) -> u32 {
        let further = |register: Option<FurtherStatus>| register.map_or(0, |r| r.non_volatile_mask);
        status_word(
            self.status.non_volatile_mask(),
            further(self.registers.status_2),
            further(self.registers.status_3),
        )
    }

    /// The bits of the status word of which any one may protect some of the array: with all of them clear nothing is.
    pub const fn protection_mask(&self) -> u32 {
        status_word(
            self.status.bp_mask,
            self.protection.complement_mask,
            self.protection.individual_locks_mask,
        )
    }

    /// Opcode and mask of the flags that show a suspended erase or program.
    pub fn suspend_flags(&self) -> Option<(u8, u8)> {
        let function = self.registers.function.map(|r| {
            let mask = r.program_suspended_mask | r.erase_suspended_mask;
            (r.read_opcode, mask)
        });
        let second = self.registers.status_2;
        let second = second.filter(|r| r.suspended_mask != 0);
        function.or(second.map(|r| (r.read_opcode, r.suspended_mask)))
    }

    /// What contradicts itself in all this.
    pub(super) fn check_status(&self) -> Result<(), &'static str> {
        if self.status.production_value & self.status.bp_mask != 0 {
            return Err("production_value protects blocks");
        }
        if self.quad_enable_mask() & self.status_mask() == 0 {
            return Err("QE is not among the bits that can be written");
        }
        if self.protection_mask() & !self.status_mask() != 0 {
            return Err("a protection bit is not among the bits that can be written");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qe_and_protection_are_where_the_maker_has_them() {
        let issi = FlashPart::builtin("is25wp064").expect("part");
        assert_eq!(issi.quad_enable_mask(), 0x40);
        assert_eq!((issi.status_mask(), issi.protection_mask()), (0xFC, 0x3C));
        assert_eq!(issi.suspend_flags(), Some((0x48, 0x0C)));
        let winbond = FlashPart::builtin("w25q64jv").expect("part");
        assert_eq!(winbond.quad_enable_mask(), 0x0200);
        assert_eq!(winbond.status_mask(), 0x64_43FC);
        assert_eq!(winbond.protection_mask(), 0x04_401C);
        assert_eq!(winbond.suspend_flags(), Some((0x35, 0x80)));
    }
}
