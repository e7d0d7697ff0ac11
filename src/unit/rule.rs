//! `[[data]]` of a job: one rule, which says where bytes go and what they are.

use serde::{Deserialize, Serialize};

use super::given::Given;
use super::place::Where;
use super::{Crc, Mac, Program, Serial, Stamp, Table, UidCopy};
use crate::address::Address;

/// Order of the bytes of a number, or of the octets of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Least significant byte first, as the core reads words.
    Little,
    /// Most significant byte first, as it is written and transmitted.
    Big,
}

impl Order {
    /// `bytes`, which are most significant first, in this order.
    pub(super) fn of(self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self == Order::Little {
            bytes.reverse();
        }
        bytes
    }
}

/// Case of letters among hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Letters {
    /// `A` to `F`.
    #[default]
    Upper,
    /// `a` to `f`.
    Lower,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "DataTable", into = "DataTable")]
pub struct Rule {
    /// Its name, unique in the job: in messages, in records, in verify differences.
    pub name: String,
    /// Where the bytes go.
    pub place: Where,
    /// How many bytes, where that is more than the value has.
    pub length: Option<u32>,
    /// What fills the rest of `length`.
    pub pad: u8,
    /// What they are.
    pub value: Value,
}

/// What a rule writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A serial number.
    Serial(Serial),
    /// A MAC address.
    Mac(Mac),
    /// A copy of the chip's unique ID.
    UniqueId(UidCopy),
    /// When the unit was flashed.
    Timestamp(Stamp),
    /// The scanned code.
    Barcode(Given),
    /// The same text on every unit.
    Text(String),
    /// The same bytes on every unit.
    Bytes(Vec<u8>),
    /// A CRC over what the unit's flash will hold.
    Crc(Crc),
    /// A value from a CSV file.
    Table(Table),
    /// A value from another program.
    Program(Program),
}

/// A rule as it is written: exactly one place and exactly one value.
#[derive(Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct DataTable {
    /// Name of the rule, unique in the job.
    name: String,
    /// Where: bus address in the flash's window. The image must bring bytes there, unless `add` is true.
    address: Option<u32>,
    /// Where: a symbol of an ELF image of the job, in the flash or in initialised RAM.
    symbol: Option<String>,
    /// Where: a data block in a 4 KiB sector of its own, by bus address; the image must bring nothing there. Several rules
    /// may share a block.
    block: Option<u32>,
    /// Bytes behind the symbol's or the block's start.
    offset: Option<u32>,
    /// With `address`: bytes may go where the image brings nothing.
    add: Option<bool>,
    /// With `block`: what fills the rest of its sector; 255 by default, as erased.
    fill: Option<u8>,
    /// Number of bytes; the value is padded to it. Needed where the value's length is not always the same.
    length: Option<u32>,
    /// What fills the rest of `length`; 0 by default.
    pad: Option<u8>,
    /// What: a serial number.
    serial: Option<Serial>,
    /// What: a MAC address.
    mac: Option<Mac>,
    /// What: a copy of the chip's unique ID.
    unique_id: Option<UidCopy>,
    /// What: when the unit was flashed.
    timestamp: Option<Stamp>,
    /// What: the scanned code.
    barcode: Option<Given>,
    /// What: the same text on every unit.
    text: Option<String>,
    /// What: the same bytes on every unit, as hexadecimal digits.
    bytes: Option<String>,
    /// What: a CRC, computed when everything else is in place.
    crc: Option<Crc>,
    /// What: a value from a CSV file.
    table: Option<Table>,
    /// What: a line that another program prints.
    program: Option<Program>,
}

/// The keys that a rule may have one of.
const PLACES: &str = "address, symbol, block";
const VALUES: &str = "serial, mac, unique_id, timestamp, barcode, text, bytes, crc, table, program";

/// The only one of `options`, of which exactly one must be there.
fn one_of<T>(name: &str, options: Vec<Option<T>>, keys: &str) -> Result<T, String> {
    let mut there = options.into_iter().flatten();
    match (there.next(), there.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(format!("the rule `{name}` has none of: {keys}")),
        (Some(_), Some(_)) => Err(format!("the rule `{name}` has more than one of: {keys}")),
    }
}

impl TryFrom<DataTable> for Rule {
    type Error = String;

    fn try_from(table: DataTable) -> Result<Self, String> {
        let name = table.name;
        if name.is_empty() {
            return Err("a rule has an empty name".to_owned());
        }
        let offset = table.offset;
        let place = one_of(
            &name,
            vec![
                table.address.map(|at| Where::Address {
                    at: Address::new(at),
                    add: table.add.unwrap_or(false),
                }),
                table.symbol.map(|symbol| Where::Symbol {
                    symbol,
                    offset: offset.unwrap_or(0),
                }),
                table.block.map(|at| Where::Block {
                    at: Address::new(at),
                    offset: offset.unwrap_or(0),
                    fill: table.fill.unwrap_or(crate::boot::ERASED),
                }),
            ],
            PLACES,
        )?;
        let misplaced = match place {
            Where::Address { .. } if offset.is_some() => Some("offset"),
            Where::Symbol { .. } | Where::Block { .. } if table.add.is_some() => Some("add"),
            Where::Address { .. } | Where::Symbol { .. } if table.fill.is_some() => Some("fill"),
            _ => None,
        };
        if let Some(key) = misplaced {
            return Err(format!(
                "`{key}` of the rule `{name}` has no meaning for its place"
            ));
        }
        let bytes = match table.bytes {
            Some(digits) => Some(Value::Bytes(super::given::hex_bytes(&digits).map_err(
                |why| format!("the bytes of the rule `{name}` are no bytes: {why}"),
            )?)),
            None => None,
        };
        let value = one_of(
            &name,
            vec![
                table.serial.map(Value::Serial),
                table.mac.map(Value::Mac),
                table.unique_id.map(Value::UniqueId),
                table.timestamp.map(Value::Timestamp),
                table.barcode.map(Value::Barcode),
                table.text.map(Value::Text),
                bytes,
                table.crc.map(Value::Crc),
                table.table.map(Value::Table),
                table.program.map(Value::Program),
            ],
            VALUES,
        )?;
        Ok(Rule {
            name,
            place,
            length: table.length,
            pad: table.pad.unwrap_or(0),
            value,
        })
    }
}

impl From<Rule> for DataTable {
    fn from(rule: Rule) -> Self {
        let mut table = DataTable {
            name: rule.name,
            length: rule.length,
            pad: (rule.pad != 0).then_some(rule.pad),
            ..DataTable::default()
        };
        match rule.place {
            Where::Address { at, add } => {
                table.address = Some(at.get());
                table.add = add.then_some(true);
            }
            Where::Symbol { symbol, offset } => {
                table.symbol = Some(symbol);
                table.offset = Some(offset);
            }
            Where::Block { at, offset, fill } => {
                table.block = Some(at.get());
                table.offset = Some(offset);
                table.fill = Some(fill);
            }
        }
        match rule.value {
            Value::Serial(serial) => table.serial = Some(serial),
            Value::Mac(mac) => table.mac = Some(mac),
            Value::UniqueId(copy) => table.unique_id = Some(copy),
            Value::Timestamp(stamp) => table.timestamp = Some(stamp),
            Value::Barcode(given) => table.barcode = Some(given),
            Value::Text(text) => table.text = Some(text),
            Value::Bytes(bytes) => {
                table.bytes = Some(super::encoded::hex_text(&bytes, " ", Letters::Upper));
            }
            Value::Crc(crc) => table.crc = Some(crc),
            Value::Table(values) => table.table = Some(values),
            Value::Program(program) => table.program = Some(program),
        }
        table
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Rule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DataRule".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        DataTable::json_schema(generator)
    }
}
