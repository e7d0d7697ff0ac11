//! The TLV areas behind an MCUboot application.

use crate::address::Address;
use crate::image::Image;

const INFO_BYTES: usize = 4;
const ENTRY_HEADER_BYTES: usize = 4;
const MAGIC_PLAIN: u16 = 0x6907;
const MAGIC_PROTECTED: u16 = 0x6908;
const SHA256: u16 = 0x10;

/// Types and their names (mcuboot `image.h`, `IMAGE_TLV_*`).
const NAMES: [(u16, &str); 18] = [
    (0x01, "key hash"),
    (0x02, "public key"),
    (SHA256, "SHA-256"),
    (0x11, "SHA-384"),
    (0x12, "SHA-512"),
    (0x20, "RSA-2048 signature"),
    (0x21, "ECDSA P-224 signature"),
    (0x22, "ECDSA signature"),
    (0x23, "RSA-3072 signature"),
    (0x24, "Ed25519 signature"),
    (0x25, "pure signature"),
    (0x30, "key encrypted with RSA-2048"),
    (0x31, "key encrypted with AES-KW"),
    (0x32, "key encrypted with EC P-256"),
    (0x33, "key encrypted with X25519"),
    (0x40, "dependency"),
    (0x50, "security counter"),
    (0x60, "boot record"),
];

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// RSA-2048, PSS.
    Rsa2048,
    /// ECDSA over P-224, no longer in use.
    EcdsaP224,
    /// ECDSA over P-256 or P-384.
    Ecdsa,
    /// RSA-3072, PSS.
    Rsa3072,
    /// Ed25519.
    Ed25519,
}

impl Signature {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Signature::Rsa2048 => "RSA-2048",
            Signature::EcdsaP224 => "ECDSA P-224",
            Signature::Ecdsa => "ECDSA",
            Signature::Rsa3072 => "RSA-3072",
            Signature::Ed25519 => "Ed25519",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    /// Type.
    pub kind: u16,
    /// Value.
    pub value: Vec<u8>,
    /// Whether the hash covers it.
    pub protected: bool,
}

impl Tlv {
    /// The type in words, or `None` where it is not known.
    pub fn name(&self) -> Option<&'static str> {
        NAMES
            .iter()
            .find(|(kind, _)| *kind == self.kind)
            .map(|(_, name)| *name)
    }

    /// The signature it holds, if it is one.
    pub const fn signature(&self) -> Option<Signature> {
        match self.kind {
            0x20 => Some(Signature::Rsa2048),
            0x21 => Some(Signature::EcdsaP224),
            0x22 => Some(Signature::Ecdsa),
            0x23 => Some(Signature::Rsa3072),
            0x24 => Some(Signature::Ed25519),
            _ => None,
        }
    }

    pub(super) const fn is_sha256(&self) -> bool {
        self.kind == SHA256
    }
}

/// Both areas.
pub(super) struct Area {
    /// Entries, protected ones first.
    pub tlvs: Vec<Tlv>,
    /// Bytes of both areas as far as they could be read.
    pub length_bytes: u64,
    /// Whether the unprotected area was read to its end.
    pub complete: bool,
}

/// Reads the areas that begin at `address`.
pub(super) fn read(image: &Image, address: Address, protected_bytes: u16) -> Area {
    let mut area = Area {
        tlvs: Vec::new(),
        length_bytes: 0,
        complete: false,
    };
    let mut at = Some(address);
    if protected_bytes != 0 {
        let length = at.and_then(|at| read_one(image, at, true, &mut area.tlvs));
        if length != Some(protected_bytes) {
            return area;
        }
        area.length_bytes += u64::from(protected_bytes);
        at = address.checked_add(u32::from(protected_bytes));
    }
    if let Some(length) = at.and_then(|at| read_one(image, at, false, &mut area.tlvs)) {
        area.length_bytes += u64::from(length);
        area.complete = true;
    }
    area
}

/// Reads one area; its length, or `None` where it is not there or not complete.
fn read_one(image: &Image, address: Address, protected: bool, into: &mut Vec<Tlv>) -> Option<u16> {
    let [m0, m1, l0, l1] = *image.bytes_at(address, INFO_BYTES)?.first_chunk()?;
    let magic = if protected {
        MAGIC_PROTECTED
    } else {
        MAGIC_PLAIN
    };
    if u16::from_le_bytes([m0, m1]) != magic {
        return None;
    }
    let length = u16::from_le_bytes([l0, l1]);
    let mut rest = image
        .bytes_at(address, usize::from(length))?
        .get(INFO_BYTES..)?;
    while !rest.is_empty() {
        let [k0, k1, l0, l1] = *rest.first_chunk::<ENTRY_HEADER_BYTES>()?;
        let end = ENTRY_HEADER_BYTES + usize::from(u16::from_le_bytes([l0, l1]));
        into.push(Tlv {
            kind: u16::from_le_bytes([k0, k1]),
            value: rest.get(ENTRY_HEADER_BYTES..end)?.to_vec(),
            protected,
        });
        rest = rest.get(end..)?;
    }
    Some(length)
}
