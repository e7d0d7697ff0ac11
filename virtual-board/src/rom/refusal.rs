//! Why the ROM did not start the flash, in plain words.

use thiserror::Error;

/// The reason, with offset and bytes found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RefusalReason {
    /// The board is strapped to it.
    #[error("boot mode pins say serial downloader (SBMR2 {sbmr2:#010X}, BMOD 01)")]
    StrappedToSerialDownloader {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// BOOT_MODE 00 on a part whose boot fuses are not set.
    #[error(
        "boot mode pins say boot from fuses, and BT_FUSE_SEL is not blown (SBMR2 {sbmr2:#010X})"
    )]
    BootFusesNotSet {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// BOOT_MODE 11.
    #[error("boot mode pins say 11, which is reserved (SBMR2 {sbmr2:#010X})")]
    ReservedBootMode {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// Another device than FlexSPI NOR is selected.
    #[error("BOOT_CFG1 selects another boot device than FlexSPI NOR (SBMR1 {sbmr1:#010X})")]
    OtherBootDevice {
        /// SRC_SBMR1.
        sbmr1: u32,
    },
    /// BOOT_CFG2[3]: endless loop for debugging.
    #[error("BOOT_CFG2[3] asks for the endless loop in the ROM (SBMR1 {sbmr1:#010X})")]
    EndlessLoop {
        /// SRC_SBMR1.
        sbmr1: u32,
    },
    /// A feature of the ROM that this model does not have.
    #[error("not modelled: {what}")]
    NotModelled {
        /// The feature.
        what: String,
    },
    /// A bus error on a register or memory the ROM needs.
    #[error("bus error at {address:#010X} while the ROM {doing}")]
    BusError {
        /// Address.
        address: u32,
        /// What the ROM was doing.
        doing: &'static str,
    },
    /// A status bit did not come.
    #[error("{what} did not happen in time")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
    },
    /// No FCB.
    #[error("no FCB: flash offset 0x0 holds {found:02X?}, not the tag 46 43 46 42 (\"FCFB\")")]
    FcbTag {
        /// First four bytes of the flash as the ROM read them.
        found: [u8; 4],
    },
    /// A field of the FCB is refused.
    #[error("FCB field {field} at offset {offset:#05X} is {found:#X}: {why}")]
    FcbField {
        /// Offset in the FCB.
        offset: u32,
        /// Field name.
        field: &'static str,
        /// Value.
        found: u32,
        /// The rule.
        why: &'static str,
    },
    /// A sequence of the FCB could not be run.
    #[error("the FCB's sequence {sequence} failed on the FlexSPI (INTR {intr:#X}, STS1 {sts1:#X})")]
    SequenceFailed {
        /// LUT sequence number.
        sequence: u8,
        /// FlexSPI INTR.
        intr: u32,
        /// FlexSPI STS1.
        sts1: u32,
    },
    /// The flash never says ready after a mode or configuration command.
    #[error(
        "after the FCB's mode command the flash never reads ready through sequence 1 (FCB timeoutInMs {timeout_ms})"
    )]
    NeverReady {
        /// FCB timeoutInMs; 0 waits for ever.
        timeout_ms: u32,
    },
    /// No IVT.
    #[error("no IVT: flash offset 0x1000 holds {found:02X?}, not D1 00 20 4x")]
    IvtHeader {
        /// First four bytes of the IVT as the ROM read them.
        found: [u8; 4],
    },
    /// A field of the IVT is refused.
    #[error("IVT field {field} at {address:#010X} is {found:#010X}: {why}")]
    IvtField {
        /// Address of the field.
        address: u32,
        /// Field name.
        field: &'static str,
        /// Value.
        found: u32,
        /// The rule.
        why: &'static str,
    },
    /// A field of the boot data is refused.
    #[error("boot data field {field} at {address:#010X} is {found:#010X}: {why}")]
    BootDataField {
        /// Address of the field.
        address: u32,
        /// Field name.
        field: &'static str,
        /// Value.
        found: u32,
        /// The rule.
        why: &'static str,
    },
    /// The DCD is malformed or one of its checks failed.
    #[error("DCD at {address:#010X}, byte {at:#X}: {why}")]
    Dcd {
        /// Address of the DCD.
        address: u32,
        /// Offset of the command.
        at: u32,
        /// What is wrong.
        why: String,
    },
    /// A closed part demands a signature.
    #[error(
        "the part is closed (SEC_CONFIG) and the image is not signed: no CSF (D4) behind the pointer {csf:#010X}"
    )]
    NotSigned {
        /// IVT csf field.
        csf: u32,
    },
    /// The vector table cannot be used.
    #[error("vector table at {table:#010X}: {why} (SP {sp:#010X}, reset vector {pc:#010X})")]
    VectorTable {
        /// Address of the table.
        table: u32,
        /// First word.
        sp: u32,
        /// Second word.
        pc: u32,
        /// The rule.
        why: &'static str,
    },
}
