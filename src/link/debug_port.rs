//! What the debug port and its access port say of themselves, before anything behind them is touched.

use probe_rs::architecture::arm::dp::{DPIDR, DpAddress, DpRegister};
use probe_rs::architecture::arm::{ArmDebugInterface, ArmError, FullyQualifiedApAddress};

/// IDR of an access port (ADIv5 C1.4).
const AP_IDR: u64 = 0xFC;
/// How often a question is put before its failure counts.
const ATTEMPTS: u32 = 3;

/// Identification of the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebugPort {
    /// DPIDR.
    pub dpidr: u32,
    /// IDR of access port 0.
    pub ap_idr: u32,
}

impl DebugPort {
    /// Asks both. Two registers of the debug logic: the board notices nothing.
    pub(super) fn read(
        interface: &mut dyn ArmDebugInterface,
        ap: &FullyQualifiedApAddress,
    ) -> Result<Self, ArmError> {
        let mut attempt = 1;
        loop {
            match ask(interface, ap) {
                Err(_) if attempt < ATTEMPTS => interface.reinitialize()?,
                answer => return answer,
            }
            attempt += 1;
        }
    }
}

fn ask(
    interface: &mut dyn ArmDebugInterface,
    ap: &FullyQualifiedApAddress,
) -> Result<DebugPort, ArmError> {
    Ok(DebugPort {
        dpidr: interface.read_raw_dp_register(DpAddress::Default, DPIDR::ADDRESS)?,
        ap_idr: interface.read_raw_ap_register(ap, AP_IDR)?,
    })
}
