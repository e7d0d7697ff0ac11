//! A range of the flash as it is typed: `START+LENGTH`, or `START..END` without END.

use std::str::FromStr;

use crate::address::{Address, FlashOffset};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

const HEX: u32 = 16;
/// What may stand behind a length, and what it means.
const MULTIPLES: [(char, u32); 2] = [('K', 1 << 10), ('M', 1 << 20)];

/// A range as typed; never empty. Whether START is a bus address or a flash offset shows by the part: what is below its size
/// is an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeChoice {
    start: u32,
    length_bytes: u32,
    typed: String,
}

impl FromStr for RangeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (start, length_bytes) = match (text.split_once(".."), text.split_once('+')) {
            (Some((start, end)), _) => {
                let (start, end) = (address(start)?, address(end)?);
                let length = end.checked_sub(start);
                let length = length.ok_or_else(|| format!("{end:#x} is before {start:#x}"))?;
                (start, length)
            }
            (None, Some((start, length))) => (address(start)?, number(length)?),
            (None, None) => {
                return Err("not START+LENGTH and not START..END".to_owned());
            }
        };
        if length_bytes == 0 {
            return Err("there is not one byte in it".to_owned());
        }
        if start.checked_add(length_bytes - 1).is_none() {
            return Err("it ends beyond the 32-bit bus".to_owned());
        }
        Ok(RangeChoice {
            start,
            length_bytes,
            typed: text.to_owned(),
        })
    }
}

/// A number with 0x.
fn address(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    let digits = digits.ok_or_else(|| format!("`{text}` does not begin with 0x"))?;
    digits_of(&digits.replace('_', ""), HEX)
        .ok_or_else(|| format!("`{text}` is no number of 32 bits"))
}

/// A number with 0x, or a decimal one that K or M may follow.
fn number(text: &str) -> Result<u32, String> {
    if text.starts_with("0x") || text.starts_with("0X") {
        return address(text);
    }
    let multiple = MULTIPLES
        .iter()
        .find_map(|(letter, times)| Some((text.strip_suffix(*letter)?, *times)));
    let (digits, times) = multiple.unwrap_or((text, 1));
    digits_of(&digits.replace('_', ""), 10)
        .and_then(|number| number.checked_mul(times))
        .ok_or_else(|| format!("`{text}` is no length: 0x1000, 4096, 4K or 8M are"))
}

/// Digits and nothing else; `from_str_radix` takes a sign as well.
fn digits_of(digits: &str, radix: u32) -> Option<u32> {
    let all = digits.chars().all(|c| c.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| all)
}

impl RangeChoice {
    /// Where it lies in the target's flash part, as offset and length in bytes.
    ///
    /// # Errors
    /// `range-outside` (exit 20).
    pub fn within(&self, target: &Target) -> Result<(FlashOffset, u32), Problem> {
        let size = target.flash().size_bytes;
        let offset = if self.start < size {
            Some(FlashOffset::new(self.start))
        } else {
            target.offset_of(Address::new(self.start))
        };
        offset
            .filter(|offset| self.length_bytes <= size - offset.get())
            .map(|offset| (offset, self.length_bytes))
            .ok_or_else(|| self.outside(target))
    }

    fn outside(&self, target: &Target) -> Problem {
        let part = target.flash();
        let last = FlashOffset::new(part.size_bytes - 1);
        let (first, last_address) = (
            target.flash_window().start(),
            target
                .address_of(last)
                .unwrap_or(target.flash_window().start()),
        );
        let what = format!("the range {} is not inside the flash part", self.typed);
        Problem::new("range-outside", ExitCode::Refused, what)
            .because(format!(
                "{} has {} bytes: bus addresses {first} to {last_address}, or offsets {} to {last}",
                part.name,
                part.size_bytes,
                FlashOffset::ZERO
            ))
            .fix("give a range inside it, START and END both as bus addresses or both as offsets; if another part is fitted, name it with --flash")
    }
}

/// The whole flash part, as offset and length in bytes.
pub(super) const fn whole(target: &Target) -> (FlashOffset, u32) {
    (FlashOffset::ZERO, target.flash().size_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
    }

    fn within(typed: &str) -> Result<(u32, u32), &'static str> {
        let choice: RangeChoice = typed.parse().expect(typed);
        let within = choice.within(&target());
        within
            .map(|(offset, length)| (offset.get(), length))
            .map_err(|problem| problem.code)
    }

    #[test]
    fn a_range_is_a_start_with_a_length_or_an_end_that_is_not_in_it() {
        for typed in [
            "0x60002000+0x1000",
            "0x60002000+4096",
            "0x60002000+4K",
            "0x60002000..0x60003000",
            "0x6000_2000+4_096",
            "0x2000+4K",
            "0x2000..0x3000",
        ] {
            assert_eq!(within(typed), Ok((0x2000, 0x1000)), "{typed}");
        }
        assert_eq!(within("0x0+8M"), Ok((0, 8 << 20)));
        assert_eq!(within("0x60000000..0x60800000"), Ok((0, 8 << 20)));
        assert_eq!(within("0x7FFFFF+1"), Ok((0x7F_FFFF, 1)));
    }

    #[test]
    fn what_is_no_range_is_told_before_any_part_is_known() {
        for typed in [
            "",
            "+",
            "..",
            "0x1000",
            "1000+1000",
            "0x1000+",
            "0x+4",
            "0x1000..",
            "0x1000+0",
            "0x1000..0x1000",
            "0x2000..0x1000",
            "0x60000000+4G",
            "0x60000000+5000M",
            "0x60000000+-1",
            "0x-1+4",
            "0x160000000+4",
            "0xFFFFFFFF+2",
            "0x60000000+0x1FFFFFFFF",
            "0x1000+4+4",
        ] {
            assert!(typed.parse::<RangeChoice>().is_err(), "{typed}");
        }
        assert!("0xFFFFFFFF+1".parse::<RangeChoice>().is_ok());
    }

    #[test]
    fn a_range_that_leaves_the_part_is_refused() {
        for typed in [
            "0x60800000+1",
            "0x607FFFFF+2",
            "0x5FFFFFFF+1",
            "0x800000+1",
            "0x7FFFFF+2",
            // START as an offset, END as a bus address
            "0x0..0x60001000",
            "0xFFFFFFFF+1",
        ] {
            assert_eq!(within(typed), Err("range-outside"), "{typed}");
        }
    }
}
