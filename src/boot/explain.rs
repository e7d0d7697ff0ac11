//! Fields of FCB, IVT and boot data in the manual's names, with what their values mean.

use super::fcb::Fcb;
use super::ivt::{BootData, Ivt};
use crate::address::Address;
use crate::target::Chip;

/// A field as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Offset in bytes from the start of its structure.
    pub offset: usize,
    /// The manual's name.
    pub name: &'static str,
    /// Value in hex.
    pub value: String,
    /// What it means, where that is more than the number.
    pub meaning: Option<String>,
}

const DEVICE_MODES: [&str; 6] = [
    "generic",
    "quad enable",
    "SPI to xPI",
    "xPI to SPI",
    "SPI to no command",
    "reset",
];
const SAMPLE_CLOCKS: [&str; 4] = [
    "internal loopback",
    "loopback from the DQS pad",
    "loopback from the SCK pad",
    "DQS driven by the flash",
];
const MISC_OPTIONS: [&str; 8] = [
    "differential clock",
    "CK2",
    "parallel mode",
    "word addressable",
    "safe configuration clock",
    "pad setting override",
    "DDR mode",
    "valid time for all clocks",
];

/// The fields of an FCB without the look-up table and without reserved fields that are 0.
pub fn fcb_fields(fcb: &Fcb, chip: &Chip) -> Vec<Field> {
    let bytes = fcb.build();
    Fcb::FIELDS
        .iter()
        .filter(|(_, name, _)| *name != "lookupTable")
        .filter_map(|(offset, name, size)| {
            let field = bytes.get(*offset..offset + size)?;
            let empty = field.iter().all(|byte| *byte == 0);
            let optional = *name == "reserved" || *size > 4;
            (!(optional && empty)).then(|| Field {
                offset: *offset,
                name,
                value: number(field),
                meaning: meaning(name, fcb, chip),
            })
        })
        .collect()
}

/// The sequences of an FCB's look-up table that are not empty, as number and text.
pub fn sequences(fcb: &Fcb) -> Vec<(usize, String)> {
    (0..super::lut::SEQUENCES)
        .map(|number| (number, fcb.lookup_table.sequence(number)))
        .filter(|(_, instructions)| !instructions.is_empty())
        .map(|(number, instructions)| {
            let text: Vec<String> = instructions.iter().map(ToString::to_string).collect();
            (number, text.join(", "))
        })
        .collect()
}

/// The fields of an IVT.
pub fn ivt_fields(ivt: &Ivt) -> Vec<Field> {
    let entry = if ivt.entry & 1 == 0 {
        "even: a vector table"
    } else {
        "odd: a Thumb reset handler"
    };
    let header = format!("length {}, version 0x{:02X}", ivt.length_bytes, ivt.version);
    let none = |word: u32| (word == 0).then(|| "none".to_owned());
    let fields = [
        ("header", None, Some(header)),
        ("entry", Some(ivt.entry), Some(entry.to_owned())),
        ("reserved1", Some(ivt.reserved_08), None),
        ("dcd", Some(ivt.dcd), none(ivt.dcd)),
        ("boot_data", Some(ivt.boot_data), None),
        ("self", Some(ivt.self_address), None),
        ("csf", Some(ivt.csf), none(ivt.csf)),
        ("reserved2", Some(ivt.reserved_1c), None),
    ];
    let bytes = ivt.build();
    fields
        .into_iter()
        .enumerate()
        .map(|(index, (name, word, meaning))| Field {
            offset: 4 * index,
            name,
            value: match word {
                Some(word) => Address::new(word).to_string(),
                None => bytes.iter().take(4).map(|b| format!("{b:02X}")).collect(),
            },
            meaning,
        })
        .collect()
}

/// The fields of boot data.
pub fn boot_data_fields(data: &BootData) -> Vec<Field> {
    let plugin = if data.plugin == 0 { "no" } else { "yes" };
    vec![
        Field {
            offset: 0,
            name: "start",
            value: Address::new(data.start).to_string(),
            meaning: None,
        },
        Field {
            offset: 4,
            name: "length",
            value: format!("0x{:X}", data.length_bytes),
            meaning: Some(format!("{} bytes", data.length_bytes)),
        },
        Field {
            offset: 8,
            name: "plugin",
            value: format!("0x{:X}", data.plugin),
            meaning: Some(plugin.to_owned()),
        },
    ]
}

fn number(bytes: &[u8]) -> String {
    let digits = |bytes: &[u8]| -> String {
        let hex: String = bytes.iter().rev().map(|b| format!("{b:02X}")).collect();
        format!("0x{hex}")
    };
    if matches!(bytes.len(), 1 | 2 | 4) {
        return digits(bytes);
    }
    let words: Vec<String> = bytes.chunks(4).map(digits).collect();
    words.join(" ")
}

fn meaning(name: &str, fcb: &Fcb, chip: &Chip) -> Option<String> {
    let of = |list: &[&str], code: u8| list.get(usize::from(code)).map(|text| (*text).to_owned());
    let bytes = |size: u32| (size != 0).then(|| format!("{} KiB", size / 1024));
    match name {
        "tag" => fcb.has_tag().then(|| "\"FCFB\"".to_owned()),
        "version" => {
            let [bug_fix, minor, major, letter] = fcb.version.to_le_bytes();
            (letter == b'V').then(|| format!("V{major}.{minor}.{bug_fix}"))
        }
        "readSampleClkSrc" => of(&SAMPLE_CLOCKS, fcb.read_sample_clk_src),
        "deviceModeType" if fcb.device_mode_cfg_enable != 0 => {
            of(&DEVICE_MODES, fcb.device_mode_type)
        }
        "deviceModeSeq" if fcb.device_mode_cfg_enable != 0 => Some(format!(
            "{} from sequence {}",
            fcb.device_mode_seq.seq_num, fcb.device_mode_seq.seq_id
        )),
        "controllerMiscOption" if fcb.controller_misc_option != 0 => {
            let names: Vec<&str> = MISC_OPTIONS
                .iter()
                .enumerate()
                .filter(|(bit, _)| fcb.controller_misc_option >> bit & 1 == 1)
                .map(|(_, name)| *name)
                .collect();
            Some(names.join(", "))
        }
        "deviceType" => Some(
            match fcb.device_type {
                0 => "not given: works",
                1 => "serial NOR",
                2 => "serial NAND",
                3 => "serial RAM",
                _ => "multi-chip or unknown",
            }
            .to_owned(),
        ),
        "sflashPadType" => Some(format!("{} data lines", fcb.sflash_pad_type)),
        "serialClkFreq" => Some(match chip.clock_of_code(fcb.serial_clk_freq) {
            Some(hz) => format!("{} MHz", hz / 1_000_000),
            None => "not in this chip's table".to_owned(),
        }),
        "sflashA1Size" => bytes(fcb.sflash_a1_size),
        "sflashA2Size" => bytes(fcb.sflash_a2_size),
        "sflashB1Size" => bytes(fcb.sflash_b1_size),
        "sflashB2Size" => bytes(fcb.sflash_b2_size),
        "timeoutInMs" if fcb.timeout_in_ms == 0 => Some("for ever".to_owned()),
        "pageSize" => Some(format!("{} bytes", fcb.page_size)),
        "sectorSize" => Some(format!("{} bytes", fcb.sector_size)),
        "blockSize" => Some(format!("{} bytes", fcb.block_size)),
        "ipcmdSerialClkFreq" => Some(match fcb.ipcmd_serial_clk_freq {
            0 => "unchanged".to_owned(),
            code => format!("{} MHz", chip.clock_of_code(code).unwrap_or(0) / 1_000_000),
        }),
        _ => None,
    }
}
