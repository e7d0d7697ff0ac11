//! A value as bytes and as text, and numbers as bytes.

use super::rule::{Letters, Order};

/// A value of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    /// As the flash holds it.
    pub bytes: Vec<u8>,
    /// As people write it.
    pub text: String,
}

impl Encoded {
    /// Text that the flash holds as it is.
    pub(super) fn text(text: String) -> Self {
        Encoded {
            bytes: text.clone().into_bytes(),
            text,
        }
    }
}

/// `number` in `width` bytes, little-endian unless `order` says otherwise; an error where it does not fit.
pub(super) fn number_bytes(
    number: u64,
    width: u32,
    order: Option<Order>,
) -> Result<Vec<u8>, String> {
    let all = number.to_be_bytes();
    let skipped = all.len().checked_sub(width as usize);
    let (zeros, bytes) = skipped
        .filter(|_| width != 0)
        .and_then(|skipped| all.split_at_checked(skipped))
        .ok_or_else(|| format!("a number has 1 to {} bytes, not {width}", all.len()))?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(format!("{number} does not fit into {width} bytes"));
    }
    Ok(order.unwrap_or(Order::Little).of(bytes.to_vec()))
}

/// `bytes` as hexadecimal digits with `between` between two of them.
pub(super) fn hex_text(bytes: &[u8], between: &str, letters: Letters) -> String {
    let digits: Vec<String> = bytes
        .iter()
        .map(|byte| match letters {
            Letters::Upper => format!("{byte:02X}"),
            Letters::Lower => format!("{byte:02x}"),
        })
        .collect();
    digits.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_in_its_width_and_order() {
        let little = number_bytes(0x01_0203, 4, None);
        assert_eq!(little, Ok(vec![0x03, 0x02, 0x01, 0x00]));
        let big = number_bytes(0x01_0203, 4, Some(Order::Big));
        assert_eq!(big, Ok(vec![0x00, 0x01, 0x02, 0x03]));
        assert_eq!(number_bytes(0xFF, 1, None), Ok(vec![0xFF]));
        assert_eq!(number_bytes(u64::MAX, 8, None), Ok(vec![0xFF; 8]));
        assert!(number_bytes(0x100, 1, None).is_err());
        assert!(number_bytes(1, 0, None).is_err());
        assert!(number_bytes(1, 9, None).is_err());
    }
}
