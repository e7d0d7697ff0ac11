//! The CRCs of whole bytes up to 64 bits, by their names in the catalogue of parametrised CRC algorithms.
//!
//! Names and numbers: Greg Cook, <https://reveng.sourceforge.io/crc-catalogue/all.htm>, as crate `crc-catalog` has them.

use ::crc::{Algorithm, Crc};

/// An algorithm, by the type its register fits in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// 8 bits.
    U8(&'static Algorithm<u8>),
    /// 16 bits.
    U16(&'static Algorithm<u16>),
    /// 24 or 32 bits.
    U32(&'static Algorithm<u32>),
    /// 40 or 64 bits.
    U64(&'static Algorithm<u64>),
}

use Known::{U8, U16, U32, U64};

impl Known {
    /// By name, without regard to case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = CATALOGUE.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, known)| *known)
    }

    /// Size of the CRC in bytes.
    pub(super) fn bytes(self) -> u32 {
        let bits = match self {
            U8(algorithm) => algorithm.width,
            U16(algorithm) => algorithm.width,
            U32(algorithm) => algorithm.width,
            U64(algorithm) => algorithm.width,
        };
        u32::from(bits) / u8::BITS
    }

    /// Over `bytes`.
    pub(super) fn checksum(self, bytes: &[u8]) -> u64 {
        match self {
            U8(algorithm) => Crc::<u8>::new(algorithm).checksum(bytes).into(),
            U16(algorithm) => Crc::<u16>::new(algorithm).checksum(bytes).into(),
            U32(algorithm) => Crc::<u32>::new(algorithm).checksum(bytes).into(),
            U64(algorithm) => Crc::<u64>::new(algorithm).checksum(bytes),
        }
    }
}

/// All of them, by number of bits.
pub(super) const CATALOGUE: &[(&str, Known)] = &[
    ("CRC-8/AUTOSAR", U8(&::crc::CRC_8_AUTOSAR)),
    ("CRC-8/BLUETOOTH", U8(&::crc::CRC_8_BLUETOOTH)),
    ("CRC-8/CDMA2000", U8(&::crc::CRC_8_CDMA2000)),
    ("CRC-8/DARC", U8(&::crc::CRC_8_DARC)),
    ("CRC-8/DVB-S2", U8(&::crc::CRC_8_DVB_S2)),
    ("CRC-8/GSM-A", U8(&::crc::CRC_8_GSM_A)),
    ("CRC-8/GSM-B", U8(&::crc::CRC_8_GSM_B)),
    ("CRC-8/HITAG", U8(&::crc::CRC_8_HITAG)),
    ("CRC-8/I-432-1", U8(&::crc::CRC_8_I_432_1)),
    ("CRC-8/I-CODE", U8(&::crc::CRC_8_I_CODE)),
    ("CRC-8/LTE", U8(&::crc::CRC_8_LTE)),
    ("CRC-8/MAXIM-DOW", U8(&::crc::CRC_8_MAXIM_DOW)),
    ("CRC-8/MIFARE-MAD", U8(&::crc::CRC_8_MIFARE_MAD)),
    ("CRC-8/NRSC-5", U8(&::crc::CRC_8_NRSC_5)),
    ("CRC-8/OPENSAFETY", U8(&::crc::CRC_8_OPENSAFETY)),
    ("CRC-8/ROHC", U8(&::crc::CRC_8_ROHC)),
    ("CRC-8/SAE-J1850", U8(&::crc::CRC_8_SAE_J1850)),
    ("CRC-8/SMBUS", U8(&::crc::CRC_8_SMBUS)),
    ("CRC-8/TECH-3250", U8(&::crc::CRC_8_TECH_3250)),
    ("CRC-8/WCDMA", U8(&::crc::CRC_8_WCDMA)),
    ("CRC-16/ARC", U16(&::crc::CRC_16_ARC)),
    ("CRC-16/CDMA2000", U16(&::crc::CRC_16_CDMA2000)),
    ("CRC-16/CMS", U16(&::crc::CRC_16_CMS)),
    ("CRC-16/DDS-110", U16(&::crc::CRC_16_DDS_110)),
    ("CRC-16/DECT-R", U16(&::crc::CRC_16_DECT_R)),
    ("CRC-16/DECT-X", U16(&::crc::CRC_16_DECT_X)),
    ("CRC-16/DNP", U16(&::crc::CRC_16_DNP)),
    ("CRC-16/EN-13757", U16(&::crc::CRC_16_EN_13757)),
    ("CRC-16/GENIBUS", U16(&::crc::CRC_16_GENIBUS)),
    ("CRC-16/GSM", U16(&::crc::CRC_16_GSM)),
    ("CRC-16/IBM-3740", U16(&::crc::CRC_16_IBM_3740)),
    ("CRC-16/IBM-SDLC", U16(&::crc::CRC_16_IBM_SDLC)),
    (
        "CRC-16/ISO-IEC-14443-3-A",
        U16(&::crc::CRC_16_ISO_IEC_14443_3_A),
    ),
    ("CRC-16/KERMIT", U16(&::crc::CRC_16_KERMIT)),
    ("CRC-16/LJ1200", U16(&::crc::CRC_16_LJ1200)),
    ("CRC-16/M17", U16(&::crc::CRC_16_M17)),
    ("CRC-16/MAXIM-DOW", U16(&::crc::CRC_16_MAXIM_DOW)),
    ("CRC-16/MCRF4XX", U16(&::crc::CRC_16_MCRF4XX)),
    ("CRC-16/MODBUS", U16(&::crc::CRC_16_MODBUS)),
    ("CRC-16/NRSC-5", U16(&::crc::CRC_16_NRSC_5)),
    ("CRC-16/OPENSAFETY-A", U16(&::crc::CRC_16_OPENSAFETY_A)),
    ("CRC-16/OPENSAFETY-B", U16(&::crc::CRC_16_OPENSAFETY_B)),
    ("CRC-16/PROFIBUS", U16(&::crc::CRC_16_PROFIBUS)),
    ("CRC-16/RIELLO", U16(&::crc::CRC_16_RIELLO)),
    ("CRC-16/SPI-FUJITSU", U16(&::crc::CRC_16_SPI_FUJITSU)),
    ("CRC-16/T10-DIF", U16(&::crc::CRC_16_T10_DIF)),
    ("CRC-16/TELEDISK", U16(&::crc::CRC_16_TELEDISK)),
    ("CRC-16/TMS37157", U16(&::crc::CRC_16_TMS37157)),
    ("CRC-16/UMTS", U16(&::crc::CRC_16_UMTS)),
    ("CRC-16/USB", U16(&::crc::CRC_16_USB)),
    ("CRC-16/XMODEM", U16(&::crc::CRC_16_XMODEM)),
    ("CRC-24/BLE", U32(&::crc::CRC_24_BLE)),
    ("CRC-24/FLEXRAY-A", U32(&::crc::CRC_24_FLEXRAY_A)),
    ("CRC-24/FLEXRAY-B", U32(&::crc::CRC_24_FLEXRAY_B)),
    ("CRC-24/INTERLAKEN", U32(&::crc::CRC_24_INTERLAKEN)),
    ("CRC-24/LTE-A", U32(&::crc::CRC_24_LTE_A)),
    ("CRC-24/LTE-B", U32(&::crc::CRC_24_LTE_B)),
    ("CRC-24/OPENPGP", U32(&::crc::CRC_24_OPENPGP)),
    ("CRC-24/OS-9", U32(&::crc::CRC_24_OS_9)),
    ("CRC-32/AIXM", U32(&::crc::CRC_32_AIXM)),
    ("CRC-32/AUTOSAR", U32(&::crc::CRC_32_AUTOSAR)),
    ("CRC-32/BASE91-D", U32(&::crc::CRC_32_BASE91_D)),
    ("CRC-32/BZIP2", U32(&::crc::CRC_32_BZIP2)),
    ("CRC-32/CD-ROM-EDC", U32(&::crc::CRC_32_CD_ROM_EDC)),
    ("CRC-32/CKSUM", U32(&::crc::CRC_32_CKSUM)),
    ("CRC-32/ISCSI", U32(&::crc::CRC_32_ISCSI)),
    ("CRC-32/ISO-HDLC", U32(&::crc::CRC_32_ISO_HDLC)),
    ("CRC-32/JAMCRC", U32(&::crc::CRC_32_JAMCRC)),
    ("CRC-32/MEF", U32(&::crc::CRC_32_MEF)),
    ("CRC-32/MPEG-2", U32(&::crc::CRC_32_MPEG_2)),
    ("CRC-32/XFER", U32(&::crc::CRC_32_XFER)),
    ("CRC-40/GSM", U64(&::crc::CRC_40_GSM)),
    ("CRC-64/ECMA-182", U64(&::crc::CRC_64_ECMA_182)),
    ("CRC-64/GO-ISO", U64(&::crc::CRC_64_GO_ISO)),
    ("CRC-64/MS", U64(&::crc::CRC_64_MS)),
    ("CRC-64/NVME", U64(&::crc::CRC_64_NVME)),
    ("CRC-64/REDIS", U64(&::crc::CRC_64_REDIS)),
    ("CRC-64/WE", U64(&::crc::CRC_64_WE)),
    ("CRC-64/XZ", U64(&::crc::CRC_64_XZ)),
];
