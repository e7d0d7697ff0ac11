//! From the IVT to the jump: signature, DCD, and where the core goes.

use super::dcd;
use super::image::{IVT_ADDRESS, Ivt, WINDOW};
use super::script::Action;
use super::stages::Stage;
use super::{Outcome, ROM_VTOR, RefusalReason, Rom, RomBus, RomStep};

impl Rom {
    pub(super) fn ivt(&self) -> Result<Ivt, RefusalReason> {
        self.ivt.ok_or_else(|| RefusalReason::NotModelled {
            what: "boot without an IVT".to_string(),
        })
    }

    pub(super) fn check_signature(&mut self, results: &[u32]) -> Result<(), RefusalReason> {
        const CSF_TAG: u8 = 0xD4;
        let ivt = self.ivt()?;
        let signed = results
            .first()
            .is_some_and(|word| word.to_le_bytes()[0] == CSF_TAG);
        let closed = self.sbmr2 & 2 != 0;
        if closed && !signed {
            return Err(RefusalReason::NotSigned { csf: ivt.csf });
        }
        if closed {
            return Err(RefusalReason::NotModelled {
                what: "signature check of a closed part".to_string(),
            });
        }
        let dcd = ivt.in_flash(ivt.dcd);
        self.stage = Stage::CopyImage;
        if ivt.dcd != 0 {
            if !WINDOW.contains(&dcd) || dcd % 4 != 0 {
                return self.bad_dcd(ivt.dcd, "points outside the flash, or is not aligned");
            }
            self.queue([Action::Read {
                address: dcd,
                doing: "reads the DCD",
            }]);
            self.stage = Stage::CheckDcd;
        }
        Ok(())
    }

    pub(super) fn check_dcd(&mut self, header: u32) -> Result<(), RefusalReason> {
        let ivt = self.ivt()?;
        let address = ivt.in_flash(ivt.dcd);
        let Some((length, version)) = dcd::length(header) else {
            self.stage = Stage::CopyImage;
            return self.bad_dcd(ivt.dcd, "no DCD header (D2) there");
        };
        let refuse = |why: &str| {
            Err(RefusalReason::Dcd {
                address,
                at: 0,
                why: why.to_string(),
            })
        };
        if !(4..=dcd::LONGEST).contains(&length) {
            return refuse("length is not 4 to 1768");
        }
        if self.strict() && !matches!(version, 0x40 | 0x41) {
            return refuse("version is not 40h or 41h");
        }
        self.queue([Action::ReadMany {
            address,
            words: length.div_ceil(4),
            doing: "reads the DCD",
        }]);
        self.stage = Stage::RunDcd { address, length };
        Ok(())
    }

    /// One of NXP's own samples has a DCD pointer with nothing behind it.
    fn bad_dcd(&mut self, pointer: u32, why: &'static str) -> Result<(), RefusalReason> {
        if self.strict() {
            Err(ivt_field(0x0C, "dcd", pointer, why))
        } else {
            Ok(())
        }
    }

    pub(super) fn jump(
        &mut self,
        results: &[u32],
        bus: &mut dyn RomBus,
    ) -> Result<RomStep, RefusalReason> {
        let ivt = self.ivt()?;
        let vectors = match *results {
            [sp, pc, ..] if !ivt.entry_is_code() => Some((sp, pc)),
            _ => None,
        };
        // Whether SP and PC are any good is the core's matter: no source says that the ROM looks at them.
        if let Some((sp, pc)) = vectors
            && (pc == 0 || pc == u32::MAX)
        {
            return Err(RefusalReason::VectorTable {
                table: ivt.entry,
                sp,
                pc,
                why: "no reset vector",
            });
        }
        let pc = vectors.map_or(ivt.entry, |(_, pc)| pc);
        let vector_table = vectors.map(|_| ivt.entry);
        let vtor = vector_table.filter(|_| !self.strict()).unwrap_or(ROM_VTOR);
        bus.set_mpu(false);
        self.outcome = Some(Outcome::Booted { pc, vector_table });
        Ok(RomStep::Boot {
            sp: vectors.map(|(sp, _)| sp),
            pc,
            vtor,
        })
    }
}

pub(super) fn ivt_field(
    offset: u32,
    field: &'static str,
    found: u32,
    why: &'static str,
) -> RefusalReason {
    RefusalReason::IvtField {
        address: IVT_ADDRESS + offset,
        field,
        found,
        why,
    }
}
