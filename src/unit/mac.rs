//! MAC addresses: EUI-48 and EUI-64, from a series.

use serde::{Deserialize, Serialize};

use super::encoded::{Encoded, hex_text};
use super::given::hex_bytes;
use super::rule::{Letters, Order};
use super::series::Series;

/// A MAC address: `base` + number of the series × `stride`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mac {
    /// The series that gives the number.
    pub series: String,
    /// The address for the number 0, such as `00:1B:63:00:00:00`; without it, the number is the address.
    pub base: Option<String>,
    /// Distance between the addresses of two neighbouring numbers: how many addresses a unit has. All of them lie in the
    /// first one's OUI (24 bits); that they lie in a smaller block (MA-M, MA-S) is for `last` of the series to say.
    #[serde(default = "one")]
    pub stride: u64,
    /// Bits: 48 or 64.
    #[serde(default = "eui_48")]
    pub eui: u8,
    /// As bytes, or how it is written.
    #[serde(default)]
    pub form: MacForm,
    /// Order of the octets of `bytes`; as they are transmitted (`big`) by default.
    pub order: Option<Order>,
    /// Case of the letters of text.
    #[serde(default)]
    pub letters: Letters,
    /// That the addresses are not from the IEEE is known and meant.
    #[serde(default)]
    pub locally_administered: bool,
}

/// How a MAC address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MacForm {
    /// Six or eight bytes.
    #[default]
    Bytes,
    /// Text with colons.
    Colons,
    /// Text with dashes.
    Dashes,
    /// Text of digits only.
    Plain,
}

const fn one() -> u64 {
    1
}

const fn eui_48() -> u8 {
    48
}

/// First octet, bit 0: a group of stations (IEEE 802).
const MULTICAST: u8 = 0x01;
/// First octet, bit 1: not from the IEEE.
const LOCAL: u8 = 0x02;
/// The first three octets name who assigns the rest.
const OUI_OCTETS: usize = 3;

impl Mac {
    fn octets(&self) -> Result<usize, String> {
        match self.eui {
            48 => Ok(6),
            64 => Ok(8),
            other => Err(format!("an address has 48 or 64 bits, not {other}")),
        }
    }

    /// The address for the number 0.
    fn base(&self) -> Result<u64, String> {
        let Some(text) = &self.base else {
            return Ok(0);
        };
        let octets = self.octets()?;
        let bytes = hex_bytes(text).map_err(|why| format!("`{text}` is no address: {why}"))?;
        if bytes.len() != octets {
            return Err(format!(
                "`{text}` has not the {octets} octets of an EUI-{}",
                self.eui
            ));
        }
        Ok(bytes
            .iter()
            .fold(0, |all, byte| all << u8::BITS | u64::from(*byte)))
    }

    /// The octets for `number`, as they are transmitted.
    fn address(&self, number: u64) -> Result<Vec<u8>, String> {
        self.further(number, 0)
    }

    /// The octets of the address that lies so many behind the one for `number`.
    fn further(&self, number: u64, behind: u64) -> Result<Vec<u8>, String> {
        let octets = self.octets()?;
        let distance = number.checked_mul(self.stride);
        let distance = distance.and_then(|distance| distance.checked_add(behind));
        let address = distance.and_then(|distance| self.base().ok()?.checked_add(distance));
        let all = address.map(u64::to_be_bytes).unwrap_or_default();
        let (zeros, own) = all.split_at(all.len() - octets);
        if address.is_none() || zeros.iter().any(|byte| *byte != 0) {
            return Err(format!(
                "the address for the number {number} has more than {} bits",
                self.eui
            ));
        }
        Ok(own.to_vec())
    }

    /// Checks the rule by itself and with the numbers that may come.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn checked(&self, series: &Series) -> Result<(), String> {
        self.base()?;
        if self.stride == 0 {
            return Err("its stride is 0: every unit would get the same address".to_owned());
        }
        if self.base.is_none() && self.stride != 1 {
            return Err("a stride needs a `base`".to_owned());
        }
        if self.order.is_some() && self.form != MacForm::Bytes {
            return Err("text has no byte order: leave `order` out".to_owned());
        }
        let first = self.address(series.first)?;
        // the last unit has all of its addresses
        let last = self.further(series.largest(), self.stride - 1)?;
        let shown = |octets: &[u8]| hex_text(octets, ":", Letters::Upper);
        if first.get(..OUI_OCTETS) != last.get(..OUI_OCTETS) {
            return Err(format!(
                "its addresses reach from {} to {}, beyond one OUI",
                shown(&first),
                shown(&last)
            ));
        }
        let start = first.first().copied().unwrap_or_default();
        if start & MULTICAST != 0 {
            return Err(format!("{} is a multicast address", shown(&first)));
        }
        match (start & LOCAL != 0, self.locally_administered) {
            (true, false) => Err(format!(
                "{} is locally administered; if that is meant, say `locally_administered = true`",
                shown(&first)
            )),
            (false, true) => Err(format!(
                "{} is not locally administered, as `locally_administered` says",
                shown(&first)
            )),
            _ => Ok(()),
        }
    }

    /// For one unit.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn encoded(&self, number: u64) -> Result<Encoded, String> {
        let octets = self.address(number)?;
        let between = match self.form {
            MacForm::Bytes => {
                return Ok(Encoded {
                    text: hex_text(&octets, ":", Letters::Upper),
                    bytes: self.order.unwrap_or(Order::Big).of(octets),
                });
            }
            MacForm::Colons => ":",
            MacForm::Dashes => "-",
            MacForm::Plain => "",
        };
        Ok(Encoded::text(hex_text(&octets, between, self.letters)))
    }

    /// Every address that units may get by this rule: the first, the distance to the next, how many.
    fn addresses(&self, series: &Series) -> Option<(i128, i128, i128)> {
        let base = i128::from(self.base().ok()?);
        let stride = i128::from(self.stride);
        let first = base + i128::from(series.first) * stride;
        Some((
            first,
            i128::from(series.step) * stride,
            i128::from(series.count()),
        ))
    }

    /// An address that both rules give, if there is one: two units, or one unit twice, would have it.
    pub(super) fn shared_with(&self, own: &Series, other: &Mac, others: &Series) -> Option<String> {
        if self.eui != other.eui {
            return None;
        }
        let (a, b) = (self.addresses(own)?, other.addresses(others)?);
        let address = u64::try_from(first_common(a, b)?).ok()?.to_be_bytes();
        let octets = address.get(address.len() - self.octets().ok()?..)?;
        Some(hex_text(octets, ":", Letters::Upper))
    }
}

/// The first number that both sequences hold; each is its first number, the distance to the next, and how many there are.
fn first_common(a: (i128, i128, i128), b: (i128, i128, i128)) -> Option<i128> {
    let (a_first, a_step, _) = a;
    let (b_first, b_step, _) = b;
    let (divisor, factor) = greatest_common_divisor(a_step, b_step);
    let apart = b_first - a_first;
    if divisor == 0 || apart % divisor != 0 {
        return None;
    }
    // a_first + i · a_step ≡ b_first (mod b_step), solved for the smallest i ≥ 0
    let modulus = b_step / divisor;
    let smallest = (apart / divisor % modulus * (factor % modulus)).rem_euclid(modulus);
    let common = a_first + smallest * a_step;
    let period = a_step * modulus;
    // neither sequence has begun before the later of their first numbers
    let start = a_first.max(b_first);
    let missing = (start - common).max(0);
    let common = common + (missing + period - 1) / period * period;
    let last = |(first, step, count): (i128, i128, i128)| first + step * (count - 1);
    (common <= last(a).min(last(b))).then_some(common)
}

/// The greatest common divisor of `a` and `b`, and x with a · x ≡ divisor (mod b).
fn greatest_common_divisor(a: i128, b: i128) -> (i128, i128) {
    let (mut rest, mut next) = (a, b);
    let (mut x, mut next_x) = (1, 0);
    while next != 0 {
        let quotient = rest / next;
        (rest, next) = (next, rest - quotient * next);
        (x, next_x) = (next_x, x - quotient * next_x);
    }
    (rest, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(first: u64, last: u64) -> Series {
        Series {
            name: "mac".to_owned(),
            first,
            last,
            step: 1,
            on_failure: super::super::OnFailure::Keep,
        }
    }

    fn mac(rule: &str) -> Mac {
        toml::from_str(&format!("series = 'mac'\n{rule}")).expect("a MAC")
    }

    fn encoded(rule: &str, number: u64) -> Encoded {
        let mac = mac(rule);
        mac.checked(&series(number, number)).expect(rule);
        mac.encoded(number).expect(rule)
    }

    const BASE: &str = "base = '00:1B:63:00:00:10'";

    #[test]
    fn addresses_are_written_in_every_form_and_order() {
        let with = |more: &str| encoded(&format!("{BASE}\n{more}"), 0x2F0);
        assert_eq!(with("").bytes, [0x00, 0x1B, 0x63, 0x00, 0x03, 0x00]);
        assert_eq!(with("").text, "00:1B:63:00:03:00");
        assert_eq!(
            with("order = 'little'").bytes,
            [0x00, 0x03, 0x00, 0x63, 0x1B, 0x00]
        );
        assert_eq!(with("form = 'colons'").bytes, b"00:1B:63:00:03:00");
        assert_eq!(
            with("form = 'dashes'\nletters = 'lower'").bytes,
            b"00-1b-63-00-03-00"
        );
        assert_eq!(with("form = 'plain'").bytes, b"001B63000300");
    }

    #[test]
    fn eui_64_and_numbers_that_are_addresses_work_too() {
        let rule = "eui = 64\nbase = '00-1B-63-FF-FE-00-00-00'";
        assert_eq!(
            encoded(rule, 0x0102).bytes,
            [0x00, 0x1B, 0x63, 0xFF, 0xFE, 0x00, 0x01, 0x02]
        );
        assert_eq!(encoded("", 0x001B_6300_0001).text, "00:1B:63:00:00:01");
    }

    #[test]
    fn a_unit_with_several_addresses_leaves_room_for_them() {
        let rule = format!("{BASE}\nstride = 4");
        assert_eq!(encoded(&rule, 0).text, "00:1B:63:00:00:10");
        assert_eq!(encoded(&rule, 1).text, "00:1B:63:00:00:14");
        assert_eq!(encoded(&rule, 1000).text, "00:1B:63:00:0F:B0");
    }

    #[test]
    fn addresses_that_must_not_be_are_refused() {
        let refused = |rule: &str, first, last, word: &str| {
            let why = mac(rule).checked(&series(first, last)).expect_err(rule);
            assert!(why.contains(word), "{rule}: {why}");
        };
        refused("base = '01:00:5E:00:00:00'", 0, 9, "multicast");
        refused("base = '02:00:00:00:00:00'", 0, 9, "locally");
        refused(
            &format!("{BASE}\nlocally_administered = true"),
            0,
            9,
            "not locally",
        );
        refused(BASE, 0, 0xFF_FFFF, "beyond one OUI");
        refused("base = '00:1B:63:FF:FF:FF'", 0, 1, "beyond one OUI");
        refused(
            "base = '00:1B:63:FF:FF:FE'\nstride = 4",
            0,
            0,
            "beyond one OUI",
        );
        refused(&format!("{BASE}\nstride = 0"), 0, 9, "stride");
        refused("stride = 2", 0, 9, "base");
        refused("", 0, 1 << 48, "more than 48 bits");
        refused(
            "base = 'FC:FF:FF:FF:FF:FF'\nstride = 9223372036854775807",
            0,
            3,
            "more than",
        );
        refused("base = '00:1B:63'", 0, 9, "octets");
        refused("base = '00:1B:63:00:00:1'", 0, 9, "no address");
        refused("eui = 40", 0, 9, "48 or 64");
        refused(
            &format!("{BASE}\nform = 'plain'\norder = 'big'"),
            0,
            9,
            "byte order",
        );
        let local = "base = '02:00:00:00:00:00'\nlocally_administered = true";
        assert_eq!(mac(local).checked(&series(0, 9)), Ok(()));
        // the last address of an OUI is one
        assert_eq!(mac(BASE).checked(&series(0, 0xFF_FFEF)), Ok(()));
    }

    #[test]
    fn two_rules_never_give_one_address_twice() {
        let shared = |a: &str, b: &str| {
            let series = series(0, 99);
            mac(a).shared_with(&series, &mac(b), &series)
        };
        let second = "base = '00:1B:63:00:00:11'";
        assert_eq!(shared(BASE, second).as_deref(), Some("00:1B:63:00:00:11"));
        assert_eq!(
            shared(
                &format!("{BASE}\nstride = 2"),
                &format!("{second}\nstride = 2")
            ),
            None
        );
        assert_eq!(shared(BASE, "base = '00:1B:63:00:00:74'"), None);
        assert_eq!(
            shared(BASE, "base = '00:1B:63:00:00:73'").as_deref(),
            Some("00:1B:63:00:00:73")
        );
    }

    proptest::proptest! {
        #[test]
        fn common_addresses_are_found_as_by_trying_all(
            a in (0_i128..300, 1_i128..12, 1_i128..40), b in (0_i128..300, 1_i128..12, 1_i128..40),
        ) {
            let all = |(first, step, count): (i128, i128, i128)| (0..count).map(move |i| first + i * step);
            let tried = all(a).find(|value| all(b).any(|other| other == *value));
            proptest::prop_assert_eq!(first_common(a, b), tried);
        }
    }
}
