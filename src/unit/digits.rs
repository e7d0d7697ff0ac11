//! Numbers as digits, and digits as packed BCD.

/// Crockford's base 32: no I, L, O, U (<https://www.crockford.com/base32.html>).
pub(super) const BASE_32: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Hexadecimal digits.
pub(super) const HEX: &str = "0123456789ABCDEF";
/// The same with small letters.
pub(super) const HEX_LOWER: &str = "0123456789abcdef";
/// Decimal digits.
pub(super) const DECIMAL: &str = "0123456789";

/// `number` in `width` digits of `alphabet`, whose length is the base; an error where it does not fit.
pub(super) fn in_digits(number: u64, alphabet: &str, width: u32) -> Result<String, String> {
    let base = alphabet.len() as u64;
    let mut rest = number;
    let mut digits = Vec::new();
    for _ in 0..width {
        let digit = alphabet.as_bytes().get((rest % base) as usize);
        digits.extend(digit.copied().map(char::from));
        rest /= base;
    }
    if rest != 0 {
        return Err(format!("{number} does not fit into {width} digits"));
    }
    Ok(digits.into_iter().rev().collect())
}

/// Two decimal digits in a byte, the first in its upper half; an odd number of them gets a 0 in front.
pub(super) fn packed(digits: &str) -> Result<Vec<u8>, String> {
    let padding = (digits.len() % 2 == 1).then_some(0);
    let values: Option<Vec<u8>> = digits
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let values =
        values.ok_or_else(|| format!("`{digits}` has something that is no decimal digit"))?;
    let values: Vec<u8> = padding.into_iter().chain(values).collect();
    let (pairs, _) = values.as_chunks::<2>();
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_each_base() {
        let is = |number, alphabet, width, text: &str| {
            assert_eq!(in_digits(number, alphabet, width).as_deref(), Ok(text));
        };
        is(1234, DECIMAL, 6, "001234");
        is(0xBEEF, HEX, 6, "00BEEF");
        is(0xBEEF, HEX_LOWER, 4, "beef");
        // 31 is the last digit, 32 the first number of two
        is(31, BASE_32, 2, "0Z");
        is(32, BASE_32, 2, "10");
        is(1023, BASE_32, 2, "ZZ");
        assert!(in_digits(1024, BASE_32, 2).is_err());
        assert!(in_digits(1_000_000, DECIMAL, 6).is_err());
        is(u64::MAX, DECIMAL, 20, "18446744073709551615");
    }

    #[test]
    fn decimal_digits_are_packed_two_in_a_byte() {
        assert_eq!(packed("001234"), Ok(vec![0x00, 0x12, 0x34]));
        assert_eq!(packed("12345"), Ok(vec![0x01, 0x23, 0x45]));
        assert_eq!(packed("99"), Ok(vec![0x99]));
        assert!(packed("1A").is_err());
    }
}
