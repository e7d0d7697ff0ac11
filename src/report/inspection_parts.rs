//! The parts of an inspection: regions, header fields, look-up table, DCD, MCUboot slots, the file written.

use serde::Serialize;

use super::record::hex;
use crate::boot::{Field, Region, mcuboot::Slot};

/// A run of bytes of one meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegionRecord {
    /// First bus address.
    pub start: String,
    /// Length in bytes.
    pub length_bytes: u64,
    /// What it is.
    pub what: String,
    /// Files that bring it.
    pub files: Vec<String>,
}

impl From<&Region> for RegionRecord {
    fn from(region: &Region) -> Self {
        RegionRecord {
            start: region.start.to_string(),
            length_bytes: region.length_bytes,
            what: region.what.clone(),
            files: region.files.clone(),
        }
    }
}

/// A field of a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FieldRecord {
    /// Offset in bytes from the start of its structure.
    pub offset: usize,
    /// The manual's name.
    pub name: &'static str,
    /// Value in hex.
    pub value: String,
    /// What it means.
    pub meaning: Option<String>,
}

impl From<Field> for FieldRecord {
    fn from(field: Field) -> Self {
        FieldRecord {
            offset: field.offset,
            name: field.name,
            value: field.value,
            meaning: field.meaning,
        }
    }
}

/// A header structure field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FieldsRecord {
    /// Bus address.
    pub address: String,
    /// Whether it is inserted, not in the image.
    pub inserted: bool,
    /// Its fields.
    pub fields: Vec<FieldRecord>,
}

impl FieldsRecord {
    pub(super) fn new(address: String, inserted: bool, fields: Vec<Field>) -> Self {
        FieldsRecord {
            address,
            inserted,
            fields: fields.into_iter().map(Into::into).collect(),
        }
    }
}

/// An FCB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FcbRecord {
    /// Its fields.
    #[serde(flatten)]
    pub block: FieldsRecord,
    /// Sequences of its look-up table.
    pub lookup_table: Vec<SequenceRecord>,
}

/// A sequence of a look-up table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SequenceRecord {
    /// Its number.
    pub sequence: usize,
    /// Its instructions, each as name, lines and operand.
    pub instructions: String,
}

/// A DCD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DcdRecord {
    /// Bus address.
    pub address: String,
    /// Length in bytes.
    pub length_bytes: u16,
    /// Version.
    pub version: u8,
    /// What it does, step by step.
    pub steps: Vec<String>,
    /// Where it cannot be read further, and why.
    pub fault: Option<String>,
}

/// A part known by place and length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PartRecord {
    /// Bus address.
    pub address: String,
    /// Length in bytes.
    pub length_bytes: u64,
}

/// An MCUboot image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlotRecord {
    /// Bus address of its header.
    pub address: String,
    /// Slot of a known layout.
    pub slot: Option<&'static str>,
    /// Version.
    pub version: String,
    /// Header size in bytes.
    pub header_bytes: u16,
    /// Size of the application in bytes.
    pub image_bytes: u32,
    /// Flags that are set.
    pub flags: Vec<&'static str>,
    /// Check of the SHA-256.
    pub hash: &'static str,
    /// Kind of signature.
    pub signature: String,
    /// TLVs by name.
    pub tlvs: Vec<String>,
    /// Padding and trailer.
    pub trailer: &'static str,
    /// Address of the vector table.
    pub vector_table: Option<String>,
}

impl From<&Slot> for SlotRecord {
    fn from(slot: &Slot) -> Self {
        let tlvs = slot.tlvs.iter().map(|tlv| {
            let name = tlv
                .name()
                .map_or_else(|| format!("type 0x{:02X}", tlv.kind), str::to_owned);
            let protected = if tlv.protected { ", protected" } else { "" };
            format!("{name} ({} bytes{protected})", tlv.value.len())
        });
        SlotRecord {
            address: slot.address.to_string(),
            slot: slot.name,
            version: slot.header.version.to_string(),
            header_bytes: slot.header.header_bytes,
            image_bytes: slot.header.image_bytes,
            flags: slot.header.flag_names(),
            hash: slot.hash.text(),
            signature: slot.signature_text(),
            tlvs: tlvs.collect(),
            trailer: slot.trailer.map_or("no trailer", |trailer| trailer.text()),
            vector_table: slot.vector_table().map(|address| address.to_string()),
        }
    }
}

/// The file written by `pack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutputRecord {
    /// Name as given.
    pub path: String,
    /// Format.
    pub format: &'static str,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Bytes of the flash that the file brings as FFh although the image brings none: the format has no gaps.
    pub filled_bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

impl OutputRecord {
    /// A file of this content hash.
    pub fn new(
        path: String,
        format: &'static str,
        size_bytes: u64,
        filled_bytes: u64,
        sha256: &[u8; 32],
    ) -> Self {
        OutputRecord {
            path,
            format,
            size_bytes,
            filled_bytes,
            sha256: hex(sha256),
        }
    }
}
