//! The NOR command set: what follows each opcode on the wire.

use self::opcode as op;
use super::Lines;
use super::part::Part;

/// Opcodes the model names (IS25LP/WP data sheets, command table). Erases, reads and programs come from the part file.
pub mod opcode {
    /// Write disable.
    pub const WRDI: u8 = 0x04;
    /// Read status register.
    pub const RDSR: u8 = 0x05;
    /// Write enable.
    pub const WREN: u8 = 0x06;
    /// Read AutoBoot register.
    pub const RDABR: u8 = 0x14;
    /// Write AutoBoot register.
    pub const WRABR: u8 = 0x15;
    /// Sector lock.
    pub const SECLOCK: u8 = 0x24;
    /// Sector unlock.
    pub const SECUNLOCK: u8 = 0x26;
    /// Write function register (one-time bits).
    pub const WRFR: u8 = 0x42;
    /// Read function register.
    pub const RDFR: u8 = 0x48;
    /// Read unique ID.
    pub const RDUID: u8 = 0x4B;
    /// Read SFDP.
    pub const RDSFDP: u8 = 0x5A;
    /// Read the read parameters.
    pub const RDRP: u8 = 0x61;
    /// Program information row.
    pub const IRP: u8 = 0x62;
    /// Set read parameters, volatile (alias).
    pub const SRPV_ALIAS: u8 = 0x63;
    /// Erase information row.
    pub const IRER: u8 = 0x64;
    /// Set read parameters, non-volatile.
    pub const SRPNV: u8 = 0x65;
    /// Read information row.
    pub const IRRD: u8 = 0x68;
    /// Read the extended read parameters.
    pub const RDERP: u8 = 0x81;
    /// Set extended read parameters, volatile.
    pub const SERPV: u8 = 0x83;
    /// Set extended read parameters, non-volatile.
    pub const SERPNV: u8 = 0x85;
    /// Read manufacturer and device ID.
    pub const RDMDID: u8 = 0x90;
    /// Read JEDEC ID.
    pub const RDJDID: u8 = 0x9F;
    /// Set read parameters, volatile.
    pub const SRPV: u8 = 0xC0;
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
    /// The status register, again and again.
    Status,
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
        part.qpi.enter_opcode,
        part.qpi.leave_opcode,
    ];
    if bare_commands.contains(&opcode)
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
    if opcode == part.write_status.opcode
        || [
            op::WRFR,
            op::SRPV,
            op::SRPV_ALIAS,
            op::SRPNV,
            op::SERPV,
            op::SERPNV,
        ]
        .contains(&opcode)
    {
        return Some(Shape {
            data: Data::In,
            ..bare
        });
    }
    if opcode == part.qpi.read_id_opcode {
        return Some(out(Source::JedecId));
    }
    Some(match opcode {
        op::RDSR => out(Source::Status),
        op::RDFR => out(Source::Function),
        op::RDRP => out(Source::ReadParameters),
        op::RDERP => out(Source::ExtendedReadParameters),
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
