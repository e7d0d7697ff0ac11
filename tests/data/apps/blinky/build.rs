//! Chooses memory layout and boot header of the fixture by feature and lets imxrt-rt write the linker script.

use std::env;
use std::error::Error;

use imxrt_rt::{Family, FlexRamBanks, Memory, RuntimeBuilder};

/// IS25WP064: 8 MiB at 0x60000000.
const FLASH_SIZE_BYTES: usize = 8 * 1024 * 1024;

/// FCB, IVT and boot data live below this offset; the program starts here.
const PROGRAM_OFFSET: u32 = 0x2000;

/// The FlexRAM split of the `itcm` fixture in banks of 32 KiB: on purpose not the one of the fuses
/// (OCRAM 8, ITCM 4, DTCM 4), so that a debugger finds another RAM layout while the program runs.
const ITCM_BANKS: FlexRamBanks = FlexRamBanks {
    ocram: 4,
    itcm: 8,
    dtcm: 4,
};

fn main() -> Result<(), Box<dyn Error>> {
    let selected = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();

    let mut runtime = if selected("BOOT_HEADER") {
        RuntimeBuilder::from_flexspi(Family::Imxrt1060, FLASH_SIZE_BYTES)
    } else {
        let program_bytes = FLASH_SIZE_BYTES - PROGRAM_OFFSET as usize;
        RuntimeBuilder::in_flash(Family::Imxrt1060, program_bytes, PROGRAM_OFFSET)
    };
    match (selected("XIP"), selected("ITCM")) {
        (true, false) => {
            // imxrt-rt does not allow the vector table in flash: it is loaded there and copied to DTCM.
            runtime.text(Memory::Flash).rodata(Memory::Flash);
        }
        (false, true) => {
            runtime.text(Memory::Itcm).flexram_banks(ITCM_BANKS);
        }
        _ => return Err("select exactly one of the features `xip` and `itcm`".into()),
    }
    runtime.linker_script_name("blinky.x").build()?;

    println!("cargo:rustc-link-arg=-Tblinky.x");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
