//! Which boards may be flashed: the job's rules on the chip that was found.

use super::file::{JobBootMode, JobIdentity, JobSecurity};
use crate::problem::{ExitCode, Problem};
use crate::survey::ChipFound;
use crate::target::{BootMode, SecConfig};

/// Characters of a unique ID.
const UID_DIGITS: usize = 16;
/// Stands for any digit.
const ANY: char = '?';

impl JobBootMode {
    const fn is(self, found: BootMode) -> bool {
        matches!(
            (self, found),
            (JobBootMode::Internal, BootMode::Internal)
                | (JobBootMode::SerialDownloader, BootMode::SerialDownloader)
                | (JobBootMode::Fuses, BootMode::Fuses)
        )
    }

    const fn name(self) -> &'static str {
        match self {
            JobBootMode::Internal => "internal",
            JobBootMode::SerialDownloader => "serial-downloader",
            JobBootMode::Fuses => "fuses",
        }
    }
}

impl JobSecurity {
    const fn is(self, found: SecConfig) -> bool {
        matches!(
            (self, found),
            (JobSecurity::Fab, SecConfig::Fab)
                | (JobSecurity::Open, SecConfig::Open)
                | (JobSecurity::Closed, SecConfig::Closed)
        )
    }

    const fn name(self) -> &'static str {
        match self {
            JobSecurity::Fab => "fab",
            JobSecurity::Open => "open",
            JobSecurity::Closed => "closed",
        }
    }
}

/// Whether `pattern` can fit a unique ID at all.
pub fn is_uid_pattern(pattern: &str) -> bool {
    pattern.len() == UID_DIGITS && pattern.chars().all(|c| c == ANY || c.is_ascii_hexdigit())
}

fn fits(pattern: &str, uid: &str) -> bool {
    pattern.len() == uid.len()
        && pattern
            .chars()
            .zip(uid.chars())
            .all(|(wanted, found)| wanted == ANY || wanted.eq_ignore_ascii_case(&found))
}

impl JobIdentity {
    /// Whether the job may flash a board with this chip.
    ///
    /// # Errors
    /// `wrong-board-uid`, `wrong-board-boot-mode`, `wrong-board-security` (exit 6).
    pub fn require(&self, chip: &ChipFound) -> Result<(), Problem> {
        let uid = chip.unique_id.to_string();
        if let Some(patterns) = &self.unique_ids
            && !patterns.iter().any(|pattern| fits(pattern, &uid))
        {
            return Err(wrong(
                "wrong-board-uid",
                format!("the job is not for the chip with the unique ID {uid}"),
                format!("its unique_ids allow {}", patterns.join(", ")),
                "take out the board and see which job it belongs to",
            ));
        }
        let mode = chip.boot.mode;
        if let Some(modes) = &self.boot_modes
            && !modes.iter().any(|allowed| allowed.is(mode))
        {
            let allowed: Vec<&str> = modes.iter().map(|allowed| allowed.name()).collect();
            return Err(wrong(
                "wrong-board-boot-mode",
                format!("the board's boot mode is: {mode}"),
                format!("the job's boot_modes allow {}", allowed.join(", ")),
                "set the board's BOOT_MODE pins, power it off and on, and start again",
            ));
        }
        let security = chip.boot.security;
        if let Some(levels) = &self.security
            && !levels.iter().any(|allowed| allowed.is(security))
        {
            let allowed: Vec<&str> = levels.iter().map(|allowed| allowed.name()).collect();
            return Err(wrong(
                "wrong-board-security",
                format!("the chip's SEC_CONFIG is {security}"),
                format!("the job's security allows {}", allowed.join(", ")),
                "take out the board and see which job it belongs to: fuses cannot be changed back",
            ));
        }
        Ok(())
    }
}

fn wrong(code: &'static str, what: String, why: String, fix: &str) -> Problem {
    Problem::new(code, ExitCode::WrongDevice, what)
        .because(why)
        .fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::UniqueId;
    use crate::target::Chip;

    const UID_LOW: u32 = 0x89AB_CDEF;
    const UID_HIGH: u32 = 0x0123_4567;

    /// BOOT_MODE is SBMR2[25:24]; SEC_CONFIG its bits 1 and 0.
    fn chip(sbmr2: u32) -> ChipFound {
        let chip = Chip::builtin("mimxrt1062").expect("chip");
        ChipFound {
            cpuid: 0,
            rom_fingerprint: 0,
            unique_id: UniqueId::from_words(UID_LOW, UID_HIGH),
            silicon_revision: 0,
            boot: chip.boot_config(0, sbmr2),
            srsr: 0,
            fuse_0x450: 0,
            fuse_0x460: 0,
        }
    }

    const INTERNAL_OPEN: u32 = 2 << 24 | 1;
    const SERIAL_OPEN: u32 = 1 << 24 | 1;
    const INTERNAL_CLOSED: u32 = 2 << 24 | 2;

    #[test]
    fn without_rules_every_board_will_do() {
        for sbmr2 in [INTERNAL_OPEN, SERIAL_OPEN, INTERNAL_CLOSED, 0] {
            assert_eq!(JobIdentity::default().require(&chip(sbmr2)), Ok(()));
        }
    }

    #[test]
    fn a_unique_id_must_fit_one_of_the_patterns() {
        let rules = |patterns: &[&str]| JobIdentity {
            unique_ids: Some(patterns.iter().map(|p| (*p).to_owned()).collect()),
            ..JobIdentity::default()
        };
        for fitting in [
            "0123456789ABCDEF",
            "0123456789abcdef",
            "????????????????",
            "01234567????????",
        ] {
            assert!(is_uid_pattern(fitting));
            assert_eq!(
                rules(&["FFFFFFFFFFFFFFFF", fitting]).require(&chip(INTERNAL_OPEN)),
                Ok(())
            );
        }
        let problem = rules(&["1???????????????", "0123456789ABCDEE"])
            .require(&chip(INTERNAL_OPEN))
            .expect_err("another chip");
        assert_eq!(
            (problem.code, problem.exit),
            ("wrong-board-uid", ExitCode::WrongDevice)
        );
        assert!(problem.what.contains("0123456789ABCDEF"), "{problem}");
        assert!(problem.why.expect("why").contains("0123456789ABCDEE"));
        for none in [
            "",
            "0123456789ABCDE",
            "0123456789ABCDEFF",
            "012345678*ABCDEF",
        ] {
            assert!(!is_uid_pattern(none), "{none}");
        }
    }

    #[test]
    fn boot_mode_and_security_must_be_among_those_named() {
        let rules = JobIdentity {
            unique_ids: None,
            boot_modes: Some(vec![JobBootMode::Internal, JobBootMode::Fuses]),
            security: Some(vec![JobSecurity::Open]),
        };
        assert_eq!(rules.require(&chip(INTERNAL_OPEN)), Ok(()));
        let code = |sbmr2| rules.require(&chip(sbmr2)).expect_err("refused").code;
        assert_eq!(code(SERIAL_OPEN), "wrong-board-boot-mode");
        assert_eq!(code(INTERNAL_CLOSED), "wrong-board-security");
    }
}
