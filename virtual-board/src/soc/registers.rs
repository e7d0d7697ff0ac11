//! Plain register storage: a table of known registers, and a bank that faults on everything the table does not list.

use crate::bus::{BusFault, Width};
use crate::time::Time;
use crate::trace::Trace;

/// One access as a block sees it: when it happens, and where to complain.
pub struct Access<'a> {
    /// Virtual time of the access.
    pub now: Time,
    /// The board's log.
    pub trace: &'a mut Trace,
}

impl Access<'_> {
    /// Writes a violation and gives the fault to return.
    pub fn refuse(&mut self, source: &'static str, text: String) -> BusFault {
        self.trace.violation(self.now, source, text);
        BusFault
    }

    /// Refuses an access where the block has no register that is modelled.
    pub fn no_register(&mut self, block: &'static str, offset: u32) -> BusFault {
        let text = format!("not modelled: register at offset {offset:#X}");
        self.refuse(block, text)
    }

    /// Refuses an access that is not an aligned word.
    ///
    /// # Errors
    /// [`BusFault`], with a violation in the log.
    pub fn word_only(
        &mut self,
        block: &'static str,
        offset: u32,
        width: Width,
    ) -> Result<(), BusFault> {
        if width == Width::Word && offset.is_multiple_of(4) {
            return Ok(());
        }
        let bits = width.bytes() * 8;
        Err(self.refuse(
            block,
            format!(
                "{bits}-bit access at offset {offset:#X}: only aligned 32-bit accesses are modelled"
            ),
        ))
    }
}

/// One register of plain storage.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Byte offset in its block.
    pub offset: u32,
    /// The manual's name.
    pub name: &'static str,
    /// Value after reset.
    pub reset: u32,
    /// Bits that software can write.
    pub writable: u32,
    /// Bits that a written 1 clears.
    pub write_one_to_clear: u32,
    /// Whether SET, CLR and TOG follow at +4, +8 and +0xC.
    pub aliased: bool,
}

/// A register of plain storage with its reset value and writable bits.
pub const fn rw(offset: u32, name: &'static str, reset: u32, writable: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable,
        write_one_to_clear: 0,
        aliased: false,
    }
}

/// A read-only register.
pub const fn ro(offset: u32, name: &'static str, reset: u32) -> Register {
    rw(offset, name, reset, 0)
}

/// A register some of whose bits are cleared by writing 1.
pub const fn w1c(offset: u32, name: &'static str, reset: u32, clearable: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable: 0,
        write_one_to_clear: clearable,
        aliased: false,
    }
}

/// A register with SET, CLR and TOG aliases.
pub const fn sct(offset: u32, name: &'static str, reset: u32, writable: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable,
        write_one_to_clear: 0,
        aliased: true,
    }
}

/// How an aliased register is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alias {
    Value,
    Set,
    Clear,
    Toggle,
}

/// The values of one block's plain registers.
#[derive(Clone, Debug)]
pub struct Bank {
    block: &'static str,
    table: &'static [Register],
    values: Vec<u32>,
}

impl Bank {
    /// A bank in reset state; `table` is sorted by offset.
    pub fn new(block: &'static str, table: &'static [Register]) -> Self {
        Bank {
            block,
            table,
            values: table.iter().map(|r| r.reset).collect(),
        }
    }

    /// The block's name, as the log shows it.
    pub fn block(&self) -> &'static str {
        self.block
    }

    /// The table behind the bank.
    pub fn table(&self) -> &'static [Register] {
        self.table
    }

    /// Back to the reset values.
    pub fn reset(&mut self) {
        for (value, register) in self.values.iter_mut().zip(self.table) {
            *value = register.reset;
        }
    }

    /// The stored value at `offset` (0 where the table has no such register).
    pub fn get(&self, offset: u32) -> u32 {
        self.index(offset)
            .and_then(|i| self.values.get(i).copied())
            .unwrap_or(0)
    }

    /// Stores `value` at `offset` whatever the writable mask says: the hardware's side of the register.
    pub fn put(&mut self, offset: u32, value: u32) {
        if let Some(slot) = self.index(offset).and_then(|i| self.values.get_mut(i)) {
            *slot = value;
        }
    }

    /// A read by software.
    ///
    /// # Errors
    /// [`BusFault`] for a register that the table does not list, or for an access that is not an aligned word.
    pub fn read(&self, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        access.word_only(self.block, offset, width)?;
        let (index, _) = self.locate(offset, access)?;
        Ok(self.values.get(index).copied().unwrap_or(0))
    }

    /// A write by software; gives the base offset of the register and its value before and after.
    ///
    /// # Errors
    /// As [`Bank::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<Written, BusFault> {
        access.word_only(self.block, offset, width)?;
        let (index, alias) = self.locate(offset, access)?;
        let (Some(register), Some(slot)) = (self.table.get(index), self.values.get_mut(index))
        else {
            return Err(BusFault);
        };
        let before = *slot;
        let wanted = match alias {
            Alias::Value => value,
            Alias::Set => before | value,
            Alias::Clear => before & !value,
            Alias::Toggle => before ^ value,
        };
        let cleared = before & !(value & register.write_one_to_clear);
        *slot = (cleared & !register.writable) | (wanted & register.writable);
        Ok(Written {
            offset: register.offset,
            before,
            after: *slot,
        })
    }

    fn index(&self, offset: u32) -> Option<usize> {
        self.table.binary_search_by_key(&offset, |r| r.offset).ok()
    }

    fn locate(&self, offset: u32, access: &mut Access) -> Result<(usize, Alias), BusFault> {
        let alias = match offset & 0xC {
            0x0 => Alias::Value,
            0x4 => Alias::Set,
            0x8 => Alias::Clear,
            _ => Alias::Toggle,
        };
        if let Some(index) = self.index(offset) {
            return Ok((index, Alias::Value));
        }
        if alias != Alias::Value
            && let Some(index) = self.index(offset & !0xF)
            && self.table.get(index).is_some_and(|r| r.aliased)
        {
            return Ok((index, alias));
        }
        let block = self.block;
        Err(access.no_register(block, offset))
    }
}

/// What a write to plain storage did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Base offset of the register written (not of its SET/CLR/TOG alias).
    pub offset: u32,
    /// Value before.
    pub before: u32,
    /// Value after.
    pub after: u32,
}
