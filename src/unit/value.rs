//! From a rule and the facts of a unit to the bytes of its value.

use super::encoded::{Encoded, hex_text};
use super::facts::UnitFacts;
use super::rules::UnitRules;
use super::{Given, Letters, Rule, Value};

impl Rule {
    /// The series that it takes a number of.
    pub(super) fn series(&self) -> Option<&str> {
        match &self.value {
            Value::Serial(serial) => Some(&serial.series),
            Value::Mac(mac) => Some(&mac.series),
            Value::Table(table) => table.series.as_deref(),
            _ => None,
        }
    }

    /// Checks it by itself and with the numbers that may come.
    pub(super) fn checked(&self, unit: &UnitRules) -> Result<(), String> {
        let series = self.series().map(|name| unit.series_named(name));
        let series = series.transpose()?;
        match (&self.value, series) {
            (Value::Serial(serial), Some(series)) => serial.checked(series),
            (Value::Mac(mac), Some(series)) => mac.checked(series),
            (Value::UniqueId(copy), _) => copy.checked(),
            (Value::Timestamp(stamp), _) => stamp.checked(),
            (Value::Barcode(given), _) => given.checked(),
            (Value::Crc(crc), _) => crc.checked().map(|_| ()),
            (Value::Table(table), series) => table.checked(series, unit.serial_rule().is_some()),
            (Value::Program(program), _) => program.checked(),
            _ => Ok(()),
        }
    }

    /// How many bytes it writes.
    pub(super) fn length_bytes(&self, unit: &UnitRules) -> Result<u32, String> {
        let own = match &self.value {
            Value::Barcode(_) | Value::Table(_) | Value::Program(_) => None,
            Value::Crc(crc) => Some(crc.checked()?.0.bytes() as usize),
            // of the same length on every unit
            _ => Some(self.encoded(&unit.sample(), 0)?.bytes.len()),
        };
        match (self.length, own) {
            (Some(0), _) | (None, Some(0)) => Err("it writes no byte".to_owned()),
            (Some(length), Some(own)) if own > length as usize => Err(format!(
                "its value has {own} bytes, and its `length` is {length}"
            )),
            (Some(length), _) => Ok(length),
            (None, Some(own)) => u32::try_from(own).map_err(|_| "it is too long".to_owned()),
            (None, None) => {
                Err("its value may have any length: say with `length` how many bytes".to_owned())
            }
        }
    }

    /// The value of one unit, CRCs apart; `length` is for values that have none of their own.
    pub(super) fn encoded(&self, facts: &UnitFacts, length: u32) -> Result<Encoded, String> {
        let number = |series: &str| {
            let number = facts.numbers.get(series);
            number.ok_or_else(|| format!("the unit has no number of the series `{series}`"))
        };
        let outside = || facts.outside.get(&self.name).ok_or("no value was given");
        match &self.value {
            Value::Serial(serial) => serial.encoded(number(&serial.series)?),
            Value::Mac(mac) => mac.encoded(number(&mac.series)?.number),
            Value::UniqueId(copy) => copy.encoded(facts.uid),
            Value::Timestamp(stamp) => stamp.encoded(facts.now),
            Value::Barcode(given) => {
                let code = facts.barcode.as_deref().ok_or("no code was scanned")?;
                let told = |why| format!("the code `{code}` cannot be used: {why}");
                given.encoded(code, length).map_err(told)
            }
            Value::Text(text) => Ok(Encoded::text(text.clone())),
            Value::Bytes(bytes) => Ok(Encoded {
                bytes: bytes.clone(),
                text: hex_text(bytes, " ", Letters::Upper),
            }),
            Value::Table(table) => table.given().encoded(outside()?, length),
            Value::Program(program) => program.given().encoded(outside()?, length),
            Value::Crc(_) => Err("a CRC needs the bytes that it covers".to_owned()),
        }
    }

    /// A value that a unit could have, also where it comes from outside.
    pub(super) fn sample(&self, facts: &UnitFacts, length: u32) -> Result<Encoded, String> {
        match self.given() {
            Some(given) => given.encoded(&given.sample(length), length),
            None => self.encoded(facts, length),
        }
    }

    /// How text from outside becomes its bytes; none for a value that does not come from there.
    pub(super) fn given(&self) -> Option<Given> {
        match &self.value {
            Value::Barcode(given) => Some(given.clone()),
            Value::Table(table) => Some(table.given()),
            Value::Program(program) => Some(program.given()),
            _ => None,
        }
    }

    /// The bytes of `encoded`, filled up to `length`.
    pub(super) fn padded(&self, encoded: Encoded, length: u32) -> Result<Encoded, String> {
        let Encoded { mut bytes, text } = encoded;
        if bytes.len() > length as usize {
            return Err(format!(
                "`{text}` has {} bytes, and there is room for {length}",
                bytes.len()
            ));
        }
        bytes.resize(length as usize, self.pad);
        Ok(Encoded { bytes, text })
    }
}
