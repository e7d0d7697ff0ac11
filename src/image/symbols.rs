//! Symbols of an ELF program: where the loader finds the first value of a variable.

use object::LittleEndian;
use object::elf::{
    FileHeader32, PT_LOAD, ProgramHeader32, SHN_UNDEF, STB_LOCAL, STT_FILE, STT_FUNC, STT_SECTION,
};
use object::read::elf::{ProgramHeader, SectionTable, Sym};

use super::Image;
use crate::address::Address;

const ENDIAN: LittleEndian = LittleEndian;
/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;

/// A variable, or another name, of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Symbol {
    /// Where its name begins in the table of names.
    name_at: usize,
    /// Its address while the program runs.
    value: u32,
    /// Size in bytes; 0 where the linker knows none.
    size_bytes: u32,
    is_local: bool,
}

/// A segment: which addresses of the running program come from which of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loaded {
    linked: u32,
    stored: u32,
    file_bytes: u32,
    memory_bytes: u32,
}

/// All of a file. Names stay in one table, as the file has them: a hostile file could let many symbols share a long one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbols {
    names: Vec<u8>,
    symbols: Vec<Symbol>,
    loaded: Vec<Loaded>,
}

/// Where a symbol's first value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolPlace {
    /// Bus address at which the image brings its first byte.
    pub stored: Address,
    /// Its address while the program runs; another one for a variable in RAM.
    pub linked: Address,
    /// Size in bytes; 0 where the linker knows none.
    pub size_bytes: u32,
}

/// Why a symbol is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSymbol {
    /// No input is an ELF file with symbols.
    NoneAtAll,
    /// There is no such symbol.
    Unknown,
    /// The startup code fills it with zeros, or leaves it as it is: no byte of the flash is its first value.
    NotStored {
        /// Its address while the program runs.
        linked: Address,
    },
    /// Several symbols have the name.
    Several {
        /// Where one of them is linked.
        first: Address,
        /// And another.
        second: Address,
    },
}

impl Symbols {
    /// The symbols of a program whose segments were read; none where their table is missing or damaged, because the program
    /// can be flashed without.
    pub(super) fn read(
        content: &[u8],
        table: &SectionTable<'_, FileHeader32<LittleEndian>>,
        segments: &[ProgramHeader32<LittleEndian>],
        has_physical: bool,
    ) -> Self {
        let Ok(found) = table.symbols(ENDIAN, content, object::elf::SHT_SYMTAB) else {
            return Symbols::default();
        };
        let mut names = Vec::new();
        let mut symbols = Vec::new();
        if let Some(section) = table.section(found.string_section()).ok()
            && let Ok(bytes) = section_bytes(section, content)
        {
            names.extend_from_slice(bytes);
        }
        for symbol in found.iter() {
            let kind = symbol.st_type();
            let is_named = symbol.st_name(ENDIAN) != 0
                && symbol.st_shndx(ENDIAN) != SHN_UNDEF
                && kind != STT_FILE
                && kind != STT_SECTION;
            if !is_named {
                continue;
            }
            let thumb = if kind == STT_FUNC { THUMB } else { 0 };
            symbols.push(Symbol {
                name_at: symbol.st_name(ENDIAN) as usize,
                value: symbol.st_value(ENDIAN) & !thumb,
                size_bytes: symbol.st_size(ENDIAN),
                is_local: symbol.st_bind() == STB_LOCAL,
            });
        }
        let loaded = segments
            .iter()
            .filter(|segment| segment.p_type(ENDIAN) == PT_LOAD)
            .map(|segment| Loaded {
                linked: segment.p_vaddr(ENDIAN),
                stored: if has_physical {
                    segment.p_paddr(ENDIAN)
                } else {
                    segment.p_vaddr(ENDIAN)
                },
                file_bytes: segment.p_filesz(ENDIAN),
                memory_bytes: segment.p_memsz(ENDIAN),
            })
            .collect();
        Symbols {
            names,
            symbols,
            loaded,
        }
    }

    fn name_of(&self, symbol: &Symbol) -> &[u8] {
        let rest = self.names.get(symbol.name_at..).unwrap_or_default();
        rest.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// Where the byte that the running program sees at `linked` is stored.
    fn stored_at(&self, linked: u32) -> Option<u32> {
        let inside = |segment: &&Loaded| {
            let distance = linked.checked_sub(segment.linked);
            distance.is_some_and(|distance| distance < segment.memory_bytes)
        };
        // an overlay shares its addresses with others: the one with content counts
        self.loaded.iter().filter(inside).find_map(|segment| {
            let distance = linked - segment.linked;
            (distance < segment.file_bytes).then(|| segment.stored.checked_add(distance))?
        })
    }
}

fn section_bytes<'c>(
    section: &object::elf::SectionHeader32<LittleEndian>,
    content: &'c [u8],
) -> object::read::Result<&'c [u8]> {
    object::read::elf::SectionHeader::data(section, ENDIAN, content)
}

impl Image {
    /// Where the first value of the variable `name` is stored. A global symbol goes before local ones of the same name.
    ///
    /// # Errors
    /// [`NoSymbol`].
    pub fn symbol(&self, name: &str) -> Result<SymbolPlace, NoSymbol> {
        let tables = || self.inputs.iter().filter(|i| !i.symbols.symbols.is_empty());
        if tables().next().is_none() {
            return Err(NoSymbol::NoneAtAll);
        }
        let mut found: Vec<(bool, u32, u32, Option<Address>)> = Vec::new();
        for input in tables() {
            let moved_up = input.placement.moved_up_by();
            for symbol in &input.symbols.symbols {
                if input.symbols.name_of(symbol) != name.as_bytes() {
                    continue;
                }
                let stored = input.symbols.stored_at(symbol.value);
                let stored = stored.and_then(|stored| stored.checked_add(moved_up));
                found.push((
                    symbol.is_local,
                    symbol.value,
                    symbol.size_bytes,
                    stored.map(Address::new),
                ));
            }
        }
        found.sort_by_key(|(is_local, ..)| *is_local);
        let Some(&(is_local, linked, size_bytes, stored)) = found.first() else {
            return Err(NoSymbol::Unknown);
        };
        let same_kind = found.iter().filter(|other| other.0 == is_local);
        let mut others = same_kind.filter(|other| (other.1, other.3) != (linked, stored));
        let linked = Address::new(linked);
        if let Some(other) = others.next() {
            return Err(NoSymbol::Several {
                first: linked,
                second: Address::new(other.1),
            });
        }
        let stored = stored.ok_or(NoSymbol::NotStored { linked })?;
        Ok(SymbolPlace {
            stored,
            linked,
            size_bytes,
        })
    }

    /// Names of all symbols, as far as they are text.
    pub fn symbol_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().flat_map(|input| {
            let symbols = input.symbols.symbols.iter();
            symbols.filter_map(|symbol| std::str::from_utf8(input.symbols.name_of(symbol)).ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::image::sample::{Segment, Symbol, elf};

    const CODE: u32 = 0x6000_2000;
    const RAM: u32 = 0x2000_0000;

    /// Code in the flash, and variables in RAM whose first values lie behind it.
    fn program(symbols: &[Symbol<'_>]) -> Image {
        let segments = [
            Segment {
                linked: CODE,
                stored: CODE,
                bytes: &[1; 0x100],
                cleared: 0,
            },
            Segment {
                linked: RAM,
                stored: CODE + 0x100,
                bytes: &[2; 0x40],
                cleared: 0x80,
            },
        ];
        Image::parse(Path::new("app.elf"), &elf(&segments, symbols)).expect("a program")
    }

    #[test]
    fn a_symbol_is_found_where_its_first_value_is_stored() {
        let image = program(&[
            ("constant", CODE + 0x10, 16, false),
            ("variable", RAM + 0x20, 4, false),
            ("cleared", RAM + 0x40, 4, false),
            ("elsewhere", 0x8000_0000, 4, false),
        ]);
        let constant = image.symbol("constant").expect("found");
        assert_eq!(constant.stored, Address::new(CODE + 0x10));
        assert_eq!(constant.size_bytes, 16);
        let variable = image.symbol("variable").expect("found");
        assert_eq!(variable.stored, Address::new(CODE + 0x120));
        assert_eq!(variable.linked, Address::new(RAM + 0x20));
        assert_eq!(image.bytes_at(variable.stored, 4), Some(&[2; 4][..]));
        let linked = Address::new(RAM + 0x40);
        assert_eq!(image.symbol("cleared"), Err(NoSymbol::NotStored { linked }));
        let linked = Address::new(0x8000_0000);
        assert_eq!(
            image.symbol("elsewhere"),
            Err(NoSymbol::NotStored { linked })
        );
        assert_eq!(image.symbol("constan"), Err(NoSymbol::Unknown));
        let names: Vec<&str> = image.symbol_names().collect();
        assert_eq!(names, ["constant", "variable", "cleared", "elsewhere"]);
    }

    #[test]
    fn a_global_symbol_goes_before_local_ones_and_two_of_a_kind_are_one_too_many() {
        let image = program(&[
            ("a", CODE, 4, true),
            ("a", CODE + 4, 4, false),
            ("b", CODE, 4, true),
            ("b", CODE + 8, 4, true),
            ("c", CODE, 4, true),
            ("c", CODE, 4, true),
        ]);
        assert_eq!(
            image.symbol("a").map(|s| s.stored),
            Ok(Address::new(CODE + 4))
        );
        let (first, second) = (Address::new(CODE), Address::new(CODE + 8));
        assert_eq!(image.symbol("b"), Err(NoSymbol::Several { first, second }));
        assert!(image.symbol("c").is_ok());
    }

    #[test]
    fn without_an_elf_file_there_are_none() {
        let image = Image::raw(Path::new("a.bin"), &[1], Address::new(CODE)).expect("image");
        assert_eq!(image.symbol("a"), Err(NoSymbol::NoneAtAll));
    }

    #[test]
    fn a_damaged_table_of_symbols_does_not_keep_the_program_from_being_flashed() {
        let whole = elf(
            &[Segment {
                linked: CODE,
                stored: CODE,
                bytes: &[1; 16],
                cleared: 0,
            }],
            &[("a", CODE, 4, false)],
        );
        let table = whole.len() - 2 * 40;
        for byte in 0..40 {
            let mut damaged = whole.clone();
            damaged[table + byte] = 0xFF;
            let image = Image::parse(Path::new("app.elf"), &damaged).expect("a program");
            assert_eq!(image.len_bytes(), 16);
            let _any = image.symbol("a");
        }
    }
}
