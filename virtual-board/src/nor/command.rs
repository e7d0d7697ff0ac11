//! The NOR command set: what follows each opcode on the wire.

use self::opcode as op;
use super::Lines;
use super::part::Part;
use super::registers::{FurtherStatus, Parameters};

/// Opcodes the model names, equal on all parts. Erases, reads, programs and registers come from the part file.
pub mod opcode {
    /// Write disable.
    pub const WRDI: u8 = 0x04;
    /// Read status register.
    pub const RDSR: u8 = 0x05;
    /// Write enable.
    pub const WREN: u8 = 0x06;
    /// Read unique ID.
    pub const RDUID: u8 = 0x4B;
    /// Read SFDP.
    pub const RDSFDP: u8 = 0x5A;
    /// Read information row.
    pub const IRRD: u8 = 0x68;
    /// Read manufacturer and device ID.
    pub const RDMDID: u8 = 0x90;
    /// Read JEDEC ID.
    pub const RDJDID: u8 = 0x9F;
    /// Not a command: a line held high, as sent to leave a continuous read.
    pub const IDLE_HIGH: u8 = 0xFF;
    /// Reads with double transfer rate.
    pub const DTR_READS: [u8; 3] = [0x0D, 0xBD, 0xED];
    /// Commands the chip takes in SPI mode only.
    pub const SPI_ONLY: [u8; 16] = [
        0x03, 0x0D, 0x14, 0x15, 0x32, 0x35, 0x38, 0x3B, 0x62, 0x64, 0x68, 0x6B, 0x9F, 0xBB, 0xBD,
        0xED,
    ];
}

/// What the chip drives after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The array from the address on.
    Array,
    /// Status register 1, again and again.
    Status,
    /// Status register 2.
    Status2,
    /// Status register 3.
    Status3,
    /// The function register.
    Function,
    /// The read parameters.
    ReadParameters,
    /// The extended read parameters.
    ExtendedReadParameters,
    /// Manufacturer, type, capacity, again and again.
    JedecId,
    /// Manufacturer and device ID in turn; address bit 0 chooses the first.
    ManufacturerDevice,
    /// The one-byte device ID of ABh.
    DeviceId,
    /// The SFDP tables from the address on.
    Sfdp,
    /// The unique ID from the address on.
    UniqueId,
    /// The information row.
    InformationRow,
}

/// What follows address, mode and dummies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nothing: the command acts at CS# rising.
    None,
    /// The chip drives.
    Out(Source),
    /// The chip takes data bytes and acts at CS# rising.
    In,
}

/// The wire form of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Address bytes, 0 or 3.
    pub address_bytes: u8,
    /// Lines of address and mode.
    pub address_lines: Lines,
    /// Whether a mode byte follows the address.
    pub mode: bool,
    /// Dummy clocks.
    pub dummy_clocks: u32,
    /// Data.
    pub data: Data,
    /// Lines of the data.
    pub data_lines: Lines,
    /// Highest serial clock.
    pub max_hz: u64,
}

/// Total clocks between address and data in QPI for the reads without mode byte (IS25LP/WP data sheets: as EBh).
const QPI_FAST_READ: u8 = 0x0B;

/// The read parameters' current dummy setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DummySetting {
    /// Field 0: each command has its own default.
    Default,
    /// A row of the part's table.
    Row {
        /// Clocks in all.
        clocks: u32,
        /// Highest quad I/O clock.
        max_hz: u64,
    },
    /// A value the part's table lacks: taken as that many clocks, and a violation.
    Undefined {
        /// The field's value.
        value: u8,
    },
}

impl DummySetting {
    /// Decodes the read parameters register.
    pub fn decode(part: &Part, read_parameters: u8) -> Self {
        let table = &part.quad_io_dummies;
        let value = (read_parameters & table.register_mask) >> table.register_shift;
        if value == 0 {
            return DummySetting::Default;
        }
        match table.rows.iter().find(|row| row.register_value == value) {
            Some(row) => DummySetting::Row {
                clocks: row.clocks,
                max_hz: row.max_hz,
            },
            None => DummySetting::Undefined { value },
        }
    }
}

/// The wire form of `opcode`, or `None` for a command the model does not do.
pub fn shape(part: &Part, setting: DummySetting, qpi: bool, opcode: u8) -> Option<Shape> {
    let one = if qpi { Lines::Four } else { Lines::One };
    let bare = Shape {
        address_bytes: 0,
        address_lines: one,
        mode: false,
        dummy_clocks: 0,
        data: Data::None,
        data_lines: one,
        max_hz: part.max_hz,
    };
    let out = |source| Shape {
        data: Data::Out(source),
        ..bare
    };
    let addressed = Shape {
        address_bytes: part.address_bytes,
        ..bare
    };
    if part.read_by_opcode(opcode).is_some() {
        return read_shape(part, setting, qpi, opcode, addressed);
    }
    if part.erase_by_opcode(opcode).is_some() {
        return Some(addressed);
    }
    let program = &part.page_program;
    if opcode == program.opcode_1_1_1 {
        return Some(Shape {
            data: Data::In,
            max_hz: program.max_hz,
            ..addressed
        });
    }
    if program.opcodes_1_1_4.contains(&opcode) {
        return Some(Shape {
            data: Data::In,
            data_lines: Lines::Four,
            max_hz: program.max_hz,
            ..addressed
        });
    }
    let down = &part.deep_power_down;
    let bare_commands = [
        op::WREN,
        op::WRDI,
        part.software_reset.enable_opcode,
        part.software_reset.reset_opcode,
        down.enter_opcode,
    ];
    let changes_qpi = part
        .qpi
        .is_some_and(|qpi| [qpi.enter_opcode, qpi.leave_opcode].contains(&opcode));
    if changes_qpi
        || bare_commands.contains(&opcode)
        || part.chip_erase.opcodes.contains(&opcode)
        || part.suspend.suspend_opcodes.contains(&opcode)
        || part.suspend.resume_opcodes.contains(&opcode)
    {
        return Some(bare);
    }
    if opcode == down.exit_opcode {
        // Three don't-care bytes, then the device ID; the release itself needs the opcode only.
        return Some(Shape {
            address_bytes: 3,
            ..out(Source::DeviceId)
        });
    }
    if let Some(source) = register_read(part, opcode) {
        return Some(out(source));
    }
    if is_register_write(part, opcode) {
        return Some(Shape {
            data: Data::In,
            ..bare
        });
    }
    if part.qpi.is_some_and(|qpi| opcode == qpi.read_id_opcode) {
        return Some(out(Source::JedecId));
    }
    Some(match opcode {
        op::RDJDID => out(Source::JedecId),
        op::RDMDID => Shape {
            address_bytes: 3,
            ..out(Source::ManufacturerDevice)
        },
        op::RDSFDP => Shape {
            address_bytes: 3,
            dummy_clocks: part.identity.sfdp_dummy_clocks,
            ..out(Source::Sfdp)
        },
        op::RDUID => Shape {
            address_bytes: 3,
            dummy_clocks: part.identity.unique_id_dummy_clocks,
            ..out(Source::UniqueId)
        },
        op::IRRD => Shape {
            address_bytes: 3,
            dummy_clocks: 8,
            ..out(Source::InformationRow)
        },
        _ => return None,
    })
}

/// The register that `opcode` reads.
pub fn register_read(part: &Part, opcode: u8) -> Option<Source> {
    let registers = &part.registers;
    let further = |register: &Option<FurtherStatus>| register.map(|r| r.read_opcode);
    let parameters = |register: &Option<Parameters>| register.as_ref().map(|r| r.read_opcode);
    let reads = [
        (Some(op::RDSR), Source::Status),
        (further(&registers.status_2), Source::Status2),
        (further(&registers.status_3), Source::Status3),
        (registers.function.map(|r| r.read_opcode), Source::Function),
        (
            parameters(&registers.read_parameters),
            Source::ReadParameters,
        ),
        (
            parameters(&registers.extended_read_parameters),
            Source::ExtendedReadParameters,
        ),
    ];
    let found = reads.into_iter().find(|(reads, _)| *reads == Some(opcode));
    found.map(|(_, source)| source)
}

/// Whether `opcode` writes a register.
fn is_register_write(part: &Part, opcode: u8) -> bool {
    let registers = &part.registers;
    let further = [&registers.status_2, &registers.status_3];
    let parameters = [
        &registers.read_parameters,
        &registers.extended_read_parameters,
    ];
    opcode == part.write_status.opcode
        || registers.function.is_some_and(|r| r.write_opcode == opcode)
        || further
            .into_iter()
            .flatten()
            .any(|r| r.write_opcode == opcode)
        || parameters
            .into_iter()
            .flatten()
            .any(|r| r.non_volatile_opcode == opcode || r.volatile_opcodes.contains(&opcode))
}

fn read_shape(
    part: &Part,
    setting: DummySetting,
    qpi: bool,
    opcode: u8,
    addressed: Shape,
) -> Option<Shape> {
    let read = part.read_by_opcode(opcode)?;
    let table = &part.quad_io_dummies;
    let [_, address, data] = read.lines;
    let (address_lines, data_lines) = if qpi {
        (Lines::Four, Lines::Four)
    } else {
        (Lines::from_count(address)?, Lines::from_count(data)?)
    };
    let takes_setting = read.mode_clocks + read.dummy_clocks > 0;
    let default_clocks = if qpi && opcode == QPI_FAST_READ {
        table.default_clocks
    } else {
        read.mode_clocks + read.dummy_clocks
    };
    let row_of = |clocks| {
        table
            .rows
            .iter()
            .find(|row| row.clocks == clocks)
            .map(|row| row.max_hz)
    };
    let (clocks, row_hz) = match setting {
        DummySetting::Default => (default_clocks, row_of(table.default_clocks)),
        DummySetting::Row { clocks, max_hz } => (clocks, Some(max_hz)),
        DummySetting::Undefined { value } => (u32::from(value), Some(0)),
    };
    let clocks = if takes_setting { clocks } else { 0 };
    let own_table = opcode == table.opcode || qpi || setting != DummySetting::Default;
    let max_hz = match row_hz {
        Some(hz) if takes_setting && own_table => hz.min(read.max_hz.max(part.max_hz)),
        _ => read.max_hz,
    };
    Some(Shape {
        address_lines,
        mode: read.mode_clocks > 0,
        dummy_clocks: clocks.saturating_sub(read.mode_clocks),
        data: Data::Out(Source::Array),
        data_lines,
        max_hz,
        ..addressed
    })
}
