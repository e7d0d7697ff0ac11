//! The chip: identity, memory map, boot offsets and the registers that the flasher reads.

use serde::{Deserialize, Deserializer};

use super::builtin::{self, CHIPS};
use super::{TargetError, inconsistent};
use crate::address::{Address, AddressRange, FlashOffset};

/// A chip, as its file in `targets/chips/` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Name users give, such as `MIMXRT1062`.
    pub name: String,
    /// Core, for the report.
    pub core: String,
    /// Where the description comes from.
    pub source: String,
    /// What identifies the chip.
    pub identity: Identity,
    /// Boot ROM.
    pub rom: Rom,
    /// FlexSPI that boots.
    pub flexspi: FlexSpi,
    /// Where the ROM looks in the flash.
    pub boot: BootOffsets,
    /// FCB clock codes, ascending in both columns.
    pub serial_clock: Vec<SerialClock>,
    /// Limits on those.
    pub serial_clock_limits: SerialClockLimits,
    /// RAM ranges at their largest.
    pub ram: Vec<Ram>,
    /// RAM that the boot ROM leaves to a debugger.
    pub algorithm_ram: AlgorithmRam,
    /// Register addresses.
    pub registers: Registers,
    /// Boot mode values.
    pub boot_mode: BootModeValues,
}

/// What a debug probe reads before it believes that this is the chip.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// SW-DP DPIDR.
    pub dpidr: u32,
    /// IDR of AHB-AP 0.
    pub ahb_ap_idr: u32,
    /// Base of the first ROM table.
    #[serde(deserialize_with = "address")]
    pub rom_table_address: Address,
    /// SCB CPUID.
    #[serde(deserialize_with = "address")]
    pub cpuid_address: Address,
    /// Its value.
    pub cpuid_value: u32,
    /// A word of the boot ROM that differs between families.
    #[serde(deserialize_with = "address")]
    pub rom_fingerprint_address: Address,
    /// Its value.
    pub rom_fingerprint_value: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Boot ROM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rom {
    /// First address.
    #[serde(deserialize_with = "address")]
    pub address: Address,
    /// Size in bytes.
    pub size_bytes: u32,
    /// Holds the address of the ROM API tree.
    #[serde(deserialize_with = "address")]
    pub api_tree_pointer_address: Address,
    /// Where the numbers come from.
    pub source: String,
}

/// The FlexSPI that boots and its window.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlexSpi {
    /// First register.
    #[serde(deserialize_with = "address")]
    pub base_address: Address,
    /// Where the flash appears on the bus.
    #[serde(deserialize_with = "address")]
    pub window_address: Address,
    /// Size of that window in bytes.
    pub window_bytes: u32,
    /// Window of the other FlexSPI, which cannot boot.
    #[serde(deserialize_with = "address")]
    pub other_window_address: Address,
    /// Its size in bytes.
    pub other_window_bytes: u32,
    /// Where the numbers come from.
    pub source: String,
}

impl FlexSpi {
    /// First address of the flash window.
    pub const fn window_start(&self) -> Address {
        self.window_address
    }

    /// The whole flash window, whatever part is fitted.
    pub fn window(&self) -> AddressRange {
        clipped(self.window_address, self.window_bytes)
    }

    /// The window of the FlexSPI that cannot boot.
    pub fn other_window(&self) -> AddressRange {
        clipped(self.other_window_address, self.other_window_bytes)
    }
}

/// Places the boot ROM looks at, in bytes from the start of the flash.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootOffsets {
    /// FCB.
    #[serde(deserialize_with = "offset")]
    pub fcb_offset: FlashOffset,
    /// BEE headers of an encrypted image, one for each engine.
    #[serde(deserialize_with = "offsets")]
    pub bee_header_offsets: Vec<FlashOffset>,
    /// Size of one of them in bytes.
    pub bee_header_bytes: u32,
    /// IVT.
    #[serde(deserialize_with = "offset")]
    pub ivt_offset: FlashOffset,
    /// Usual place of the boot data; the IVT points to it.
    #[serde(deserialize_with = "offset")]
    pub boot_data_offset: FlashOffset,
    /// Usual place of the application's vector table.
    #[serde(deserialize_with = "offset")]
    pub vector_table_offset: FlashOffset,
    /// Alignment of a vector table in bytes.
    pub vector_table_alignment_bytes: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// One FCB `serialClkFreq` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialClock {
    /// The code in the FCB.
    pub code: u8,
    /// Nominal clock in Hz.
    pub hz: u32,
}

/// Limits of the serial clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialClockLimits {
    /// Highest clock when samples are not clocked by the DQS pad, in Hz.
    pub without_dqs_loopback_hz: u32,
    /// What the ROM uses for a code outside the table, in Hz.
    pub unknown_code_hz: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// One RAM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ram {
    /// Name in the manual.
    pub name: String,
    /// First address.
    #[serde(deserialize_with = "address")]
    pub address: Address,
    /// Largest size in bytes that a FlexRAM split or board gives it.
    pub size_bytes: u32,
    /// Size in bytes with unprogrammed fuses.
    pub default_bytes: u32,
}

impl Ram {
    /// The largest range.
    pub fn range(&self) -> AddressRange {
        clipped(self.address, self.size_bytes)
    }
}

/// RAM for code that a debugger loads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlgorithmRam {
    /// First address.
    #[serde(deserialize_with = "address")]
    pub address: Address,
    /// Size in bytes.
    pub size_bytes: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Addresses of registers that the host reads or writes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registers {
    /// SRC control.
    #[serde(deserialize_with = "address")]
    pub src_scr: Address,
    /// SRC boot mode 1 (BOOT_CFG).
    #[serde(deserialize_with = "address")]
    pub src_sbmr1: Address,
    /// SRC reset status; write 1 to clear.
    #[serde(deserialize_with = "address")]
    pub src_srsr: Address,
    /// SRC boot mode 2 (BMOD, SEC_CONFIG).
    #[serde(deserialize_with = "address")]
    pub src_sbmr2: Address,
    /// FlexRAM split selection.
    #[serde(deserialize_with = "address")]
    pub iomuxc_gpr16: Address,
    /// FlexRAM bank map.
    #[serde(deserialize_with = "address")]
    pub iomuxc_gpr17: Address,
    /// Unique ID, low word.
    #[serde(deserialize_with = "address")]
    pub ocotp_uid_low: Address,
    /// Unique ID, high word.
    #[serde(deserialize_with = "address")]
    pub ocotp_uid_high: Address,
    /// Silicon revision.
    #[serde(deserialize_with = "address")]
    pub ocotp_silicon_revision: Address,
    /// Fuse word 0x450.
    #[serde(deserialize_with = "address")]
    pub ocotp_boot_config_0x450: Address,
    /// Fuse word 0x460.
    #[serde(deserialize_with = "address")]
    pub ocotp_boot_config_0x460: Address,
    /// Fuse word 0x470.
    #[serde(deserialize_with = "address")]
    pub ocotp_boot_config_0x470: Address,
    /// Fuse words 0x580 to 0x5F0: the hash of the keys that sign images.
    #[serde(deserialize_with = "addresses")]
    pub ocotp_srk_hash: Vec<Address>,
    /// Fuse word 0x6D0.
    #[serde(deserialize_with = "address")]
    pub ocotp_misc_conf_0x6d0: Address,
    /// Fuse word 0x6E0.
    #[serde(deserialize_with = "address")]
    pub ocotp_misc_conf_0x6e0: Address,
    /// Where the numbers come from.
    pub source: String,
}

/// Boot mode fields and values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootModeValues {
    /// Position of BMOD in SBMR2.
    pub sbmr2_bmod_shift: u8,
    /// BMOD mask after the shift.
    pub sbmr2_bmod_mask: u32,
    /// BMOD of the serial downloader.
    pub serial_downloader: u8,
    /// BMOD of internal boot.
    pub internal_boot: u8,
    /// BMOD of boot from fuses.
    pub boot_from_fuses: u8,
    /// BT_FUSE_SEL in SBMR2.
    pub sbmr2_bt_fuse_sel_mask: u32,
    /// SEC_CONFIG in SBMR2.
    pub sbmr2_sec_config_mask: u32,
    /// SEC_CONFIG values of a part that is not closed.
    pub sec_config_open: Vec<u8>,
    /// Boot device field of SBMR1.
    pub sbmr1_device_mask: u32,
    /// Its value for FlexSPI NOR.
    pub sbmr1_flexspi_nor: u32,
    /// How long the ROM may take to start the image, in ms.
    pub boot_timeout_ms: u32,
    /// How long a bootloader on the board may take to start what it is to start: signature check, swap of slots.
    pub bootloader_timeout_ms: u32,
    /// Where the numbers come from.
    pub source: String,
}

impl Chip {
    /// Names of the built-in chips.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHIPS.iter().map(|file| file.name)
    }

    /// A built-in chip by name, without regard to case.
    ///
    /// # Errors
    /// [`TargetError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, TargetError> {
        let file = builtin::find("chip", CHIPS, name)?;
        Chip::from_toml(file.name, file.text)
    }

    /// Parses and checks a chip file.
    ///
    /// # Errors
    /// [`TargetError::Syntax`], [`TargetError::Inconsistent`].
    pub fn from_toml(file: &str, text: &str) -> Result<Self, TargetError> {
        let chip: Chip = toml::from_str(text).map_err(|source| TargetError::Syntax {
            kind: "chip",
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        chip.check()
            .map_err(|what| inconsistent("chip", &chip.name, what))?;
        Ok(chip)
    }

    /// The clock of an FCB `serialClkFreq` code, or `None` outside the table.
    pub fn clock_of_code(&self, code: u8) -> Option<u32> {
        self.serial_clock
            .iter()
            .find(|clock| clock.code == code)
            .map(|clock| clock.hz)
    }

    /// All coded clocks in Hz, ascending.
    pub fn clocks_hz(&self) -> impl Iterator<Item = u32> {
        self.serial_clock.iter().map(|clock| clock.hz)
    }

    /// The fastest coded clock that is not above `limit_hz`.
    pub fn fastest_clock_within(&self, limit_hz: u32) -> Option<SerialClock> {
        self.serial_clock
            .iter()
            .copied()
            .filter(|clock| clock.hz <= limit_hz)
            .max_by_key(|clock| clock.hz)
    }

    /// The RAM in which a descending stack may start at `address`.
    pub fn ram_for_stack(&self, address: Address) -> Option<&Ram> {
        self.ram
            .iter()
            .find(|ram| address != ram.address && ram.range().contains_or_ends_at(address))
    }

    /// The boot ROM's range.
    pub fn rom_range(&self) -> AddressRange {
        clipped(self.rom.address, self.rom.size_bytes)
    }

    fn check(&self) -> Result<(), String> {
        let ranges = [
            ("rom", self.rom.address, self.rom.size_bytes),
            (
                "flexspi window",
                self.flexspi.window_address,
                self.flexspi.window_bytes,
            ),
            (
                "other flexspi window",
                self.flexspi.other_window_address,
                self.flexspi.other_window_bytes,
            ),
            (
                "algorithm_ram",
                self.algorithm_ram.address,
                self.algorithm_ram.size_bytes,
            ),
        ];
        let rams = self
            .ram
            .iter()
            .map(|ram| (ram.name.as_str(), ram.address, ram.size_bytes));
        for (name, start, size_bytes) in ranges.into_iter().chain(rams) {
            if size_bytes == 0 || AddressRange::new(start, size_bytes).is_none() {
                return Err(format!("the range of {name} is empty or leaves the bus"));
            }
        }
        if self.serial_clock.is_empty()
            || !self
                .serial_clock
                .is_sorted_by(|a, b| a.code < b.code && a.hz < b.hz)
        {
            return Err("serial_clock must ascend in code and hz".to_owned());
        }
        if !self.boot.vector_table_alignment_bytes.is_power_of_two() {
            return Err("vector_table_alignment_bytes is no power of two".to_owned());
        }
        if !(self.boot.fcb_offset < self.boot.ivt_offset
            && self.boot.ivt_offset < self.boot.boot_data_offset
            && self.boot.boot_data_offset < self.boot.vector_table_offset)
        {
            return Err("FCB, IVT, boot data and vector table must ascend".to_owned());
        }
        Ok(())
    }
}

/// A range whose length was checked when the file was read; without that check a bad one is empty.
fn clipped(start: Address, length_bytes: u32) -> AddressRange {
    AddressRange::new(start, length_bytes).unwrap_or(AddressRange::EMPTY)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    u32::deserialize(deserializer).map(Address::new)
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let numbers = Vec::<u32>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(Address::new).collect())
}

fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FlashOffset, D::Error> {
    u32::deserialize(deserializer).map(FlashOffset::new)
}

fn offsets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FlashOffset>, D::Error> {
    let numbers = Vec::<u32>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(FlashOffset::new).collect())
}
