//! What each packet means, by version.

use super::access::{Access, Failed, Register, Width};
use super::line::MAX_BITS;
use super::packet::{BUFFER_BYTES, Fields, Malformed};
use super::reply::Reply;
use super::{BLACK_MAGIC, IDENTITY, Pins, Remote, Version};

/// Since this version the frequency can be set.
const FREQUENCY: Version = Version(2);
/// Since this version ADIv5 packets begin with `A` and errors have a cause.
const ADIV5_PACKETS: Version = Version(3);
/// Since this version ADIv5 packets carry a device index.
const DEVICE_INDEX: Version = Version(1);
/// Since this version addresses have 64 bits and the host asks for accelerations.
const ACCELERATIONS: Version = Version(4);

/// Bit of the answer to the question for accelerations: ADIv5.
const ACCELERATION_ADIV5: u64 = 1 << 0;
/// Bit of the answer to the question for architectures: Cortex-M.
const ARCHITECTURE_CORTEX_M: u64 = 1 << 0;
/// Bit of the answer to the question for families: NXP i.MX RT.
const FAMILY_IMXRT: u64 = 1 << 19;

/// Set in the 16-bit register address of an access port's register.
const ADDRESS_APNDP: u16 = 0x0100;
const HERTZ_PER_KHZ: u32 = 1_000;

/// Characters around the digits of an answer that a host leaves room for.
const READ_OVERHEAD: usize = 2;

impl Remote {
    /// Does what `packet` asks for.
    ///
    /// # Errors
    /// [`Malformed`] where the packet is not one of the protocol's.
    pub(super) fn obey(&mut self, packet: &[u8], pins: &mut dyn Pins) -> Result<Reply, Malformed> {
        let mut fields = Fields::of(packet);
        let group = fields.character()?;
        if group == b'J' || (group == b's' && self.version >= ADIV5_PACKETS) {
            return Ok(Reply::NotSupported);
        }
        let command = fields.character();
        match group {
            b'G' => self.general(command?, fields, pins),
            b'S' => self.swd(command?, fields, pins),
            b'H' => self.high_level(command?, fields, pins),
            b'A' if self.version >= ADIV5_PACKETS => self.adiv5(command?, fields, pins),
            _ => Ok(Reply::UNRECOGNISED),
        }
    }

    fn general(
        &mut self,
        command: u8,
        mut fields: Fields<'_>,
        pins: &mut dyn Pins,
    ) -> Result<Reply, Malformed> {
        let has_frequency = self.version >= FREQUENCY;
        match command {
            b'Z' => {
                // '1' asserts the reset
                self.nreset = !last_flag(fields)?;
                pins.set_nreset(self.nreset);
                Ok(Reply::OK)
            }
            b'P' => {
                // as a real probe does where it finds VTref powered: it does not feed against it
                let feed = last_flag(fields)?;
                Ok(if feed { Reply::FAILED } else { Reply::OK })
            }
            b'F' if has_frequency => {
                let khz = fields.u32()? / HERTZ_PER_KHZ;
                fields.end()?;
                pins.set_khz(khz.clamp(1, BLACK_MAGIC.max_khz));
                Ok(Reply::OK)
            }
            b'E' if has_frequency => last_flag(fields).map(|_| Reply::OK),
            _ => match self.general_question(command, pins) {
                Some(reply) => fields.end().map(|()| reply),
                None => Ok(Reply::UNRECOGNISED),
            },
        }
    }

    fn general_question(&self, command: u8, pins: &dyn Pins) -> Option<Reply> {
        Some(match command {
            b'A' => Reply::Text(IDENTITY.to_owned()),
            b'V' => {
                let millivolts = pins.target_millivolts();
                let (volts, tenths) = (millivolts / 1_000, millivolts % 1_000 / 100);
                Reply::Text(format!("{volts}.{tenths}V"))
            }
            b'z' => Reply::Value((!self.nreset).into()),
            b'p' => Reply::Value(0),
            b'f' if self.version >= FREQUENCY => word(pins.khz().saturating_mul(HERTZ_PER_KHZ)),
            _ => return None,
        })
    }

    fn swd(
        &mut self,
        command: u8,
        mut fields: Fields<'_>,
        pins: &mut dyn Pins,
    ) -> Result<Reply, Malformed> {
        if command == b'S' {
            return fields.end().map(|()| Reply::OK);
        }
        if !matches!(command, b'i' | b'I' | b'o' | b'O') {
            return Ok(Reply::UNRECOGNISED);
        }
        let count = u32::from(fields.u8()?);
        if count > MAX_BITS {
            return Err(Malformed::Length);
        }
        match command {
            b'i' => {
                fields.end()?;
                Ok(Reply::Value(self.line.read(count, pins).into()))
            }
            b'I' => {
                fields.end()?;
                let (bits, sound) = self.line.read_with_parity(count, pins);
                Ok(if sound {
                    Reply::Value(bits.into())
                } else {
                    Reply::WrongParity(bits.into())
                })
            }
            b'o' => {
                self.line.write(fields.last_number()?.into(), count, pins);
                Ok(Reply::OK)
            }
            _ => {
                self.line
                    .write_with_parity(fields.last_number()?, count, pins);
                Ok(Reply::OK)
            }
        }
    }

    fn high_level(
        &mut self,
        command: u8,
        fields: Fields<'_>,
        pins: &mut dyn Pins,
    ) -> Result<Reply, Malformed> {
        if command == b'C' {
            return fields
                .end()
                .map(|()| Reply::Value(self.version.number().into()));
        }
        if command == b'J' && self.version >= DEVICE_INDEX {
            return Ok(Reply::NotSupported);
        }
        if self.version < ADIV5_PACKETS {
            // the same accesses by their older letters
            let command = match command {
                b'M' => b'm',
                b'm' => b'M',
                b'L' => b'R',
                b'd' | b'a' | b'A' => command,
                _ => return Ok(Reply::UNRECOGNISED),
            };
            return self.accesses(command, fields, pins);
        }
        let answer = match command {
            _ if self.version < ACCELERATIONS => return Ok(Reply::UNRECOGNISED),
            b'A' => ACCELERATION_ADIV5,
            b'a' => ARCHITECTURE_CORTEX_M,
            b'F' => FAMILY_IMXRT,
            _ => return Ok(Reply::UNRECOGNISED),
        };
        fields.end().map(|()| Reply::Value(answer))
    }

    fn adiv5(
        &mut self,
        command: u8,
        mut fields: Fields<'_>,
        pins: &mut dyn Pins,
    ) -> Result<Reply, Malformed> {
        let since_4 = self.version >= ACCELERATIONS;
        match command {
            // the version of the debug port and the target to select: this port is version 1 and alone on the wire
            b'V' if since_4 => fields.u8().map(|_| ())?,
            b'T' if since_4 => fields.u32().map(|_| ())?,
            b'd' | b'a' | b'A' | b'R' | b'm' | b'M' => {
                return self.accesses(command, fields, pins);
            }
            _ => return Ok(Reply::UNRECOGNISED),
        }
        fields.end().map(|()| Reply::OK)
    }

    /// The accesses of ADIv5, by the letters of version 3.
    fn accesses(
        &mut self,
        command: u8,
        mut fields: Fields<'_>,
        pins: &mut dyn Pins,
    ) -> Result<Reply, Malformed> {
        if self.version >= DEVICE_INDEX {
            // there is one device
            fields.u8()?;
        }
        // of a raw access: whether it reads
        let apsel = fields.u8()?;
        let outcome = match command {
            b'd' => {
                let register = register(&mut fields)?;
                fields.end()?;
                self.access(pins).read(register).map(word)
            }
            b'R' => {
                let register = register(&mut fields)?;
                let value = fields.u32()?;
                fields.end()?;
                let read = apsel != 0;
                let outcome = self.access(pins).raw(register, (!read).then_some(value));
                outcome.map(|value| word(if read { value } else { 0 }))
            }
            b'a' => {
                let register = register(&mut fields)?;
                fields.end()?;
                let outcome = self.access(pins).read_ap(apsel, register.address);
                outcome.map(word)
            }
            b'A' => {
                let register = register(&mut fields)?;
                let value = fields.u32()?;
                fields.end()?;
                let outcome = self.access(pins).write_ap(apsel, register.address, value);
                outcome.map(|()| Reply::OK)
            }
            b'm' => {
                let csw = fields.u32()?;
                let address = self.address(&mut fields)?;
                let length = fields.u32()?;
                fields.end()?;
                if length as usize > (BUFFER_BYTES - READ_OVERHEAD) / 2 {
                    return Err(Malformed::Value);
                }
                let outcome = self.access(pins).read_memory(apsel, csw, address, length);
                outcome.map(Reply::Bytes)
            }
            _ => {
                let csw = fields.u32()?;
                let alignment = fields.u8()?;
                let address = self.address(&mut fields)?;
                let length = fields.u32()? as usize;
                let (width, unit) = width(alignment)?;
                if !length.is_multiple_of(unit) {
                    return Err(Malformed::Value);
                }
                let bytes = fields.last_bytes(length)?;
                let outcome = self
                    .access(pins)
                    .write_memory(apsel, csw, address, &bytes, width);
                outcome.map(|()| Reply::OK)
            }
        };
        Ok(outcome.unwrap_or_else(|failed| self.failure(failed)))
    }

    fn access<'a>(&'a mut self, pins: &'a mut dyn Pins) -> Access<'a> {
        Access::over(&mut self.line, pins)
    }

    /// An address in memory: of 64 bits since version 4, of which an AHB-AP has 32.
    fn address(&self, fields: &mut Fields<'_>) -> Result<u32, Malformed> {
        if self.version < ACCELERATIONS {
            return fields.u32();
        }
        u32::try_from(fields.u64()?).map_err(|_| Malformed::Value)
    }

    fn failure(&self, failed: Failed) -> Reply {
        match failed {
            _ if self.version < ADIV5_PACKETS => Reply::FAILED,
            Failed::Acknowledgement(acknowledgement) => Reply::fault(acknowledgement),
            Failed::Damaged => Reply::EXCEPTION,
        }
    }
}

/// '0' or '1', and nothing behind it.
fn last_flag(mut fields: Fields<'_>) -> Result<bool, Malformed> {
    let flag = fields.character()?;
    fields.end()?;
    match flag {
        b'0' => Ok(false),
        b'1' => Ok(true),
        _ => Err(Malformed::Value),
    }
}

fn register(fields: &mut Fields<'_>) -> Result<Register, Malformed> {
    let address = fields.u16()?;
    Ok(Register {
        ap: address & ADDRESS_APNDP != 0,
        address: (address & 0xFF) as u8,
    })
}

/// A register's value travels as its bytes in memory.
fn word(value: u32) -> Reply {
    Reply::Bytes(value.to_le_bytes().to_vec())
}

/// The width of one access, and of how many bytes the data must be a multiple. An AHB-AP does 64 bits as twice 32.
fn width(alignment: u8) -> Result<(Width, usize), Malformed> {
    match alignment {
        0 => Ok((Width::Byte, 1)),
        1 => Ok((Width::Half, 2)),
        2 => Ok((Width::Word, 4)),
        3 => Ok((Width::Word, 8)),
        _ => Err(Malformed::Value),
    }
}
