//! Packets of the remote protocol as bytes: found in the stream, taken apart field by field.

/// What a probe's buffer holds (the Black Magic project's `GDB_PACKET_BUFFER_SIZE`).
pub const BUFFER_BYTES: usize = 1024;

const START: u8 = b'!';
const END: u8 = b'#';
/// Begins a packet of GDB's protocol, which shares the line.
const GDB_START: u8 = b'$';
/// The host closed the line.
const END_OF_TRANSMISSION: u8 = 0x04;

/// Finds packets in a stream of bytes. What stands between packets is skipped.
#[derive(Debug, Default)]
pub struct Framer {
    packet: Option<Vec<u8>>,
}

/// A packet from the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    /// What stood between start and end.
    Packet(Vec<u8>),
    /// A packet longer than the probe's buffer. A real probe drops it without a word; here it gets an answer.
    TooLong,
}

impl Framer {
    /// Takes one byte; a packet comes with its last.
    pub fn push(&mut self, byte: u8) -> Option<Framed> {
        match byte {
            START => self.packet = Some(Vec::new()),
            GDB_START | END_OF_TRANSMISSION => self.packet = None,
            END => {
                let packet = self.packet.take()?;
                return Some(if packet.len() > BUFFER_BYTES {
                    Framed::TooLong
                } else {
                    Framed::Packet(packet)
                });
            }
            _ => {
                if let Some(packet) = &mut self.packet
                    && packet.len() <= BUFFER_BYTES
                {
                    packet.push(byte);
                }
            }
        }
        None
    }
}

/// Why a packet cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Too short or too long.
    Length,
    /// A character that is no hexadecimal digit, or a value that makes no sense.
    Value,
}

/// The fields of a packet, from the left.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'p> {
    rest: &'p [u8],
}

impl<'p> Fields<'p> {
    /// The fields of `text`.
    pub fn of(text: &'p [u8]) -> Self {
        Fields { rest: text }
    }

    /// The next character.
    pub fn character(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed::Length)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next `digits` hexadecimal digits as a number.
    fn number(&mut self, digits: usize) -> Result<u64, Malformed> {
        let (text, rest) = self
            .rest
            .split_at_checked(digits)
            .ok_or(Malformed::Length)?;
        self.rest = rest;
        number(text)
    }

    /// Two digits.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.number(2).map(|value| value as u8)
    }

    /// Four digits.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.number(4).map(|value| value as u16)
    }

    /// Eight digits.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.number(8).map(|value| value as u32)
    }

    /// Sixteen digits.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.number(16)
    }

    /// All digits that are left, one to eight.
    pub fn last_number(&mut self) -> Result<u32, Malformed> {
        if !(1..=8).contains(&self.rest.len()) {
            return Err(Malformed::Length);
        }
        self.number(self.rest.len()).map(|value| value as u32)
    }

    /// All that is left as pairs of digits, `length` of them.
    pub fn last_bytes(&mut self, length: usize) -> Result<Vec<u8>, Malformed> {
        let text = std::mem::take(&mut self.rest);
        if text.len() != length.saturating_mul(2) {
            return Err(Malformed::Length);
        }
        text.chunks(2)
            .map(|pair| number(pair).map(|value| value as u8))
            .collect()
    }

    /// Nothing is left.
    pub fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Length)
        }
    }
}

fn number(digits: &[u8]) -> Result<u64, Malformed> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Malformed::Value)?;
        Ok((value << 4) | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(bytes: &[u8]) -> Vec<Framed> {
        let mut framer = Framer::default();
        bytes.iter().filter_map(|b| framer.push(*b)).collect()
    }

    #[test]
    fn packets_are_found_between_other_bytes_and_a_new_start_begins_anew() {
        let packet = |text: &[u8]| Framed::Packet(text.to_vec());
        assert_eq!(
            framed(b"+#!GA#\0 !HC#x#!So!GV#$m0,4#"),
            [packet(b"GA"), packet(b"HC"), packet(b"GV")]
        );
    }

    #[test]
    fn a_packet_beyond_the_buffer_is_told() {
        let mut bytes = vec![b'0'; BUFFER_BYTES + 1];
        bytes.insert(0, b'!');
        bytes.extend(b"#!GA#");
        assert_eq!(
            framed(&bytes),
            [Framed::TooLong, Framed::Packet(b"GA".to_vec())]
        );
    }

    #[test]
    fn fields_are_read_from_the_left_and_all_must_be_used() {
        let mut fields = Fields::of(b"0aF00000001");
        assert_eq!(fields.u8(), Ok(0x0A));
        assert_eq!(fields.u32(), Ok(0xF000_0000));
        assert_eq!(fields.end(), Err(Malformed::Length));
        assert_eq!(fields.last_number(), Ok(1));
        assert_eq!(fields.end(), Ok(()));
        assert_eq!(Fields::of(b"+1").u8(), Err(Malformed::Value));
        assert_eq!(Fields::of(b"0102").last_bytes(2), Ok(vec![1, 2]));
    }
}
