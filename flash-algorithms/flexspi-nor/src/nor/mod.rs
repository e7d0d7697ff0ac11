//! The flash device: identify, read, erase, program, status, exit; every wait limited by the part's data.

use crate::bus::Bus;
use crate::clocks::{self, Rate};
use crate::controller::{self, Result, Strobe};
use crate::lut::{self, Pads, Slot};
use crate::machine::{Deadline, Duty, Machine};
use crate::pins;
use crate::wake;
use mailbox::Setup;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{FOUND_PLLS_DOWN, Identity, SFDP_BYTES};
use mailbox::setup::{FLAG_DQS_LOOPBACK, FLAG_QUAD, FLAG_STATUS_PAIR};

/// Status register: write in progress.
pub const WIP: u8 = 1;
/// Status register: write enable latch.
pub const WEL: u8 = 1 << 1;
/// Chip erase: the one erase without address.
const CHIP_ERASE: [u8; 2] = [0xC7, 0x60];
/// 02h, page program on one line.
const PAGE_PROGRAM: u8 = 0x02;
/// 0Bh, read on one line with dummy clocks.
const FAST_READ: u8 = 0x0B;
/// Rates above this need the strobe from the DQS pad (IMXRT1060CEC, FlexSPI input timing).
const INTERNAL_STROBE_MHZ: u32 = 60;
const ERASED: u32 = 0xFFFF_FFFF;
/// First byte of the JEDEC ID of ISSI's parts.
const ISSI: u8 = 0x9D;
/// Places of status registers 2 and 3 in a status word.
const FURTHER_SHIFTS: [u32; 2] = [8, 16];

mod change;
mod content;

/// A flash that has been woken and identified.
pub struct Nor<B, D> {
    /// Bus and duties.
    pub machine: Machine<B, D>,
    pub(crate) setup: Setup,
    pub(crate) bare_opcode: Option<u8>,
    erase_opcode: Option<u8>,
    register_opcode: Option<u8>,
    quad: bool,
    jedec_id: [u8; 3],
    found: u32,
    rate: Rate,
    /// Limit of the operation started last: the only one that can still run.
    last_limit_us: u32,
}

impl<B: Bus, D: Duty> Nor<B, D> {
    /// Clocks, pins and controller from any state, then the flash into its reset state; nothing non-volatile changes.
    ///
    /// # Errors
    /// The fault, and the machine so that the caller can go on beating.
    pub fn wake(
        mut machine: Machine<B, D>,
        setup: Setup,
    ) -> core::result::Result<Self, (Fault, Machine<B, D>)> {
        let found = match bring_up(&mut machine, &setup) {
            Ok(found) => found,
            Err(fault) => return Err((fault, machine)),
        };
        let mut nor = Nor {
            machine,
            setup,
            bare_opcode: None,
            erase_opcode: None,
            register_opcode: None,
            quad: false,
            jedec_id: [0; 3],
            found,
            rate: clocks::IDENTIFY,
            last_limit_us: setup.write_status_limit_us,
        };
        match nor.wake_flash() {
            Ok(()) => Ok(nor),
            Err(fault) => Err((fault, nor.machine)),
        }
    }

    fn wake_flash(&mut self) -> Result<()> {
        self.found |= wake::wake(self)? | self.machine.watchdogs.found();
        self.jedec_id = self.read_id()?;
        self.enter_work_rate()
    }

    /// Switches to the work clock and proves that reading works at it.
    fn enter_work_rate(&mut self) -> Result<()> {
        let loopback = self.setup.flags & FLAG_DQS_LOOPBACK != 0;
        let mhz = if loopback {
            self.setup.work_clock_mhz
        } else {
            self.setup.work_clock_mhz.min(INTERNAL_STROBE_MHZ)
        };
        self.rate = Rate::at_most_mhz(mhz);
        let strobe = if loopback {
            Strobe::DqsPad
        } else {
            Strobe::Internal
        };
        controller::change_rate(&mut self.machine, self.rate, strobe, self.setup.flash_bytes)?;
        let again = self.read_id()?;
        if again != self.jedec_id {
            let fault = Fault::new(FaultCode::IdentityChanged, Stage::Identify);
            return Err(fault.values(id_word(self.jedec_id), id_word(again)));
        }
        let status = self.status_word(Stage::Identify)?;
        self.follow_quad_enable(status)
    }

    /// Takes reads and programs to four lines if QE is set and the setup allows, else to one.
    fn follow_quad_enable(&mut self, status: u32) -> Result<()> {
        let s = &self.setup;
        self.quad = s.flags & FLAG_QUAD != 0 && status & s.quad_enable_mask != 0;
        let (read, program) = if self.quad {
            let read = lut::read_quad(s.quad_read_opcode, s.quad_read_dummy_clocks);
            (read, lut::program(s.quad_program_opcode, Pads::Four))
        } else {
            let read = lut::read_with_dummy(FAST_READ, s.fast_read_dummy_clocks);
            (read, lut::program(PAGE_PROGRAM, Pads::One))
        };
        controller::load(
            &mut self.machine,
            &[(Slot::Read, read), (Slot::Program, program)],
        )
    }

    /// Size of the flash in bytes.
    pub fn flash_bytes(&self) -> u32 {
        self.setup.flash_bytes
    }

    /// Corrects the size once the part is known.
    pub fn set_flash_bytes(&mut self, bytes: u32) {
        self.setup.flash_bytes = bytes;
    }

    /// JEDEC ID, registers and the head of SFDP.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn identify(&mut self) -> Result<Identity> {
        let jedec_id = self.read_id()?;
        let status_register = self.status_word(Stage::Identify)?;
        let suspend_register = self.suspend_register(Stage::Identify)?;
        let mut sfdp = [0; SFDP_BYTES];
        let mut blocks = sfdp.as_chunks_mut::<16>().0.iter_mut();
        controller::read(
            &mut self.machine,
            Slot::ReadSfdp,
            0,
            SFDP_BYTES as u32,
            Stage::Identify,
            |block| {
                let to = blocks
                    .next()
                    .into_iter()
                    .flat_map(|b| b.as_chunks_mut::<4>().0);
                to.zip(block)
                    .for_each(|(to, word)| *to = word.to_le_bytes());
            },
        )?;
        let (found, work_clock_hz, quad) = (self.found, self.rate.hz(), self.quad);
        Ok(Identity {
            jedec_id,
            status_register,
            suspend_register,
            found,
            work_clock_hz,
            quad,
            sfdp,
        })
    }

    /// Answer to 9Fh.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn read_id(&mut self) -> Result<[u8; 3]> {
        let id = controller::read_word(&mut self.machine, Slot::ReadId, 3, Stage::Identify)?;
        let [a, b, c, _] = id.to_le_bytes();
        Ok([a, b, c])
    }

    /// Answer to 05h.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn read_status(&mut self, stage: Stage) -> Result<u8> {
        self.read_register(Slot::ReadStatus, stage)
    }

    pub(crate) fn read_register(&mut self, slot: Slot, stage: Stage) -> Result<u8> {
        Ok(controller::read_word(&mut self.machine, slot, 1, stage)? as u8)
    }

    /// Takes what the setup says of the part as true only if the part is that one: an opcode that reads a register here may
    /// change the mode of another family's part.
    pub(crate) fn know_part(&mut self) -> Result<()> {
        let id = self.read_id()?;
        let is_other = match self.setup.jedec_id {
            // Nobody has said which part it is; what the CMSIS functions assume is true of one maker's parts.
            [0, 0, 0] => id[0] != ISSI,
            expected => id != expected,
        };
        if is_other {
            self.setup.further_status = Default::default();
            self.setup.suspend = Default::default();
            self.setup.flags &= !(FLAG_QUAD | FLAG_STATUS_PAIR);
        }
        Ok(())
    }

    /// All status registers as one word: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub(crate) fn status_word(&mut self, stage: Stage) -> Result<u32> {
        let mut word = u32::from(self.read_status(stage)?);
        for (access, shift) in self.setup.further_status.into_iter().zip(FURTHER_SHIFTS) {
            if access.read_opcode != 0 {
                word |= u32::from(self.read_opcode(access.read_opcode, stage)?) << shift;
            }
        }
        Ok(word)
    }

    /// The register with the suspend flags; all ones where the part has none.
    pub(crate) fn suspend_register(&mut self, stage: Stage) -> Result<u8> {
        match self.setup.suspend.read_opcode {
            0 => Ok(u8::MAX),
            opcode => self.read_opcode(opcode, stage),
        }
    }

    /// Reads one byte behind an opcode on one line.
    fn read_opcode(&mut self, opcode: u8, stage: Stage) -> Result<u8> {
        if self.register_opcode != Some(opcode) {
            let sequence = lut::read_register(opcode, Pads::One);
            controller::load(&mut self.machine, &[(Slot::ReadRegister, sequence)])?;
            self.register_opcode = Some(opcode);
        }
        self.read_register(Slot::ReadRegister, stage)
    }

    /// Sends an opcode alone.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub(crate) fn bare(&mut self, opcode: u8, stage: Stage) -> Result<()> {
        if self.bare_opcode != Some(opcode) {
            controller::load(&mut self.machine, &[(Slot::Bare, lut::bare(opcode))])?;
            self.bare_opcode = Some(opcode);
        }
        controller::command(&mut self.machine, Slot::Bare, 0, stage)
    }

    /// Waits for WIP = 0 and returns the last status seen.
    ///
    /// # Errors
    /// The limit passed, or the controller failed.
    pub(crate) fn wait_ready(&mut self, limit_us: u32, stage: Stage, address: u32) -> Result<u8> {
        let deadline: Deadline = self.machine.deadline(limit_us);
        loop {
            let status = self.read_status(stage).map_err(|fault| fault.at(address))?;
            if status & WIP == 0 {
                return Ok(status);
            }
            if self.machine.is_over(deadline) {
                return Err(Fault::new(FaultCode::Timeout, stage)
                    .at(address)
                    .values(limit_us, u32::from(status)));
            }
            self.machine.idle();
        }
    }

    /// The state the boot ROM expects: idle, no QPI, no continuous read, 3-byte addresses, after a reset; the controller's
    /// read buffers empty. Returns JEDEC ID and status word, read by 1-1-1 afterwards as proof.
    ///
    /// # Errors
    /// Time-out, or a JEDEC ID that is no longer the one of the entry.
    pub fn exit(&mut self) -> Result<(u32, u32)> {
        self.wait_ready(self.last_limit_us, Stage::Exit, 0)?;
        wake::reset_flash(self, Stage::Exit)?;
        controller::change_rate(
            &mut self.machine,
            clocks::IDENTIFY,
            Strobe::Internal,
            self.setup.flash_bytes,
        )?;
        let id = self.read_id()?;
        let status = self.status_word(Stage::Exit)?;
        if id != self.jedec_id {
            let fault = Fault::new(FaultCode::IdentityChanged, Stage::Exit);
            return Err(fault.values(id_word(self.jedec_id), id_word(id)));
        }
        controller::software_reset(&mut self.machine)?;
        Ok((id_word(id), status))
    }

    fn check_range(&self, address: u32, length: u32, stage: Stage) -> Result<()> {
        match address.checked_add(length) {
            Some(end) if end <= self.setup.flash_bytes && length > 0 => Ok(()),
            _ => Err(Fault::new(FaultCode::OutOfRange, stage)
                .at(address)
                .values(self.setup.flash_bytes, length)),
        }
    }
}

fn bring_up<B: Bus, D: Duty>(machine: &mut Machine<B, D>, setup: &Setup) -> Result<u32> {
    let plls_were_down = clocks::start(machine)?;
    let dqs = setup.flags & FLAG_DQS_LOOPBACK != 0;
    pins::take(&mut machine.bus, dqs);
    // The clock is slow enough here for the internal strobe, whatever the board does with the DQS pad.
    controller::start(
        machine,
        clocks::IDENTIFY,
        Strobe::Internal,
        setup.flash_bytes,
    )?;
    controller::load(
        machine,
        &[
            (Slot::AhbRead, lut::read_slow()),
            (Slot::ReadStatus, lut::read_register(0x05, Pads::One)),
            (Slot::WriteEnable, lut::bare(0x06)),
            (Slot::ReadId, lut::read_register(0x9F, Pads::One)),
            (Slot::ReadSfdp, lut::read_sfdp()),
            (Slot::EndContinuousRead, lut::ones()),
            (Slot::LeaveQpi, lut::leave_qpi()),
            (Slot::ReadStatusQpi, lut::read_register(0x05, Pads::Four)),
        ],
    )?;
    Ok(if plls_were_down { FOUND_PLLS_DOWN } else { 0 })
}

fn id_word([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}
