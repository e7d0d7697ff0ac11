//! Bytes of a command packet, taken one field after the other.

/// Why a packet is not executed. Arm: "the debugger must ensure that each data package fits"; what a probe does with one
/// that does not is open, so the model does not guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The packet is longer than DAP_PACKET_SIZE.
    #[error("a command packet of {bytes} bytes, where the probe takes {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// DAP_PACKET_SIZE.
        limit: usize,
    },
    /// The packet ends before its command does.
    #[error("a command packet that ends in the middle of its command 0x{command:02X}")]
    Cut {
        /// The command, 0xFF for none at all.
        command: u8,
    },
    /// The response would be longer than DAP_PACKET_SIZE.
    #[error("a command whose response takes {bytes} bytes, where a packet has {limit}")]
    ResponseTooLong {
        /// Its length.
        bytes: usize,
        /// DAP_PACKET_SIZE.
        limit: usize,
    },
    /// The probe is of another kind.
    #[error("a CMSIS-DAP packet for a probe that takes none")]
    NoFirmware,
}

/// What is left of a command packet. Bytes after a command's end are ignored: HID reports are filled up.
pub(super) struct Fields<'p> {
    command: u8,
    rest: &'p [u8],
}

impl<'p> Fields<'p> {
    /// The command ID and what follows it.
    pub(super) fn of(packet: &'p [u8]) -> Result<(u8, Self), Refusal> {
        match packet {
            [command, rest @ ..] => Ok((
                *command,
                Fields {
                    command: *command,
                    rest,
                },
            )),
            [] => Err(Refusal::Cut {
                command: super::command::INVALID,
            }),
        }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'p [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Refusal::Cut {
            command: self.command,
        })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Refusal> {
        Ok(self.little_endian(1)? as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Refusal> {
        Ok(self.little_endian(2)? as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Refusal> {
        self.little_endian(4)
    }

    fn little_endian(&mut self, count: usize) -> Result<u32, Refusal> {
        let bytes = self.bytes(count)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }
}
