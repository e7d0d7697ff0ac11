//! What was looked at so far, and what was seen.

use super::Question;
use crate::diagnosis::{Boot, Observation, Weight};
use crate::problem::Problem;
use crate::report::{CheckRecord, CheckResult};

/// Names of the checks, in the order in which a board comes to life.
pub(super) mod check {
    pub const PERMISSIONS: &str = "permissions";
    pub const PROBE: &str = "probe";
    pub const POWER: &str = "power";
    pub const DEBUG_PORT: &str = "debug port";
    pub const RUNNING: &str = "running";
    pub const CHIP: &str = "chip";
    pub const CONTACT: &str = "contact";
    pub const BOOT_MODE: &str = "boot mode";
    pub const FUSES: &str = "fuses";
    pub const SECURITY: &str = "security";
    pub const FLASH_PART: &str = "flash part";
    pub const FLASH_STATE: &str = "flash state";
    pub const HEADER: &str = "boot header";
    pub const QUAD_ENABLE: &str = "quad enable";
    pub const APPLICATION: &str = "application";
    pub const SLOTS: &str = "slots";
    pub const IMAGE: &str = "image";
    pub const BOOT: &str = "boot";
}

const CHECKS: [&str; 18] = [
    check::PERMISSIONS,
    check::PROBE,
    check::POWER,
    check::DEBUG_PORT,
    check::RUNNING,
    check::CHIP,
    check::CONTACT,
    check::BOOT_MODE,
    check::FUSES,
    check::SECURITY,
    check::FLASH_PART,
    check::FLASH_STATE,
    check::HEADER,
    check::QUAD_ENABLE,
    check::APPLICATION,
    check::SLOTS,
    check::IMAGE,
    check::BOOT,
];

/// All that was seen, ready to be weighed.
pub(super) struct Examined {
    pub checks: Vec<CheckRecord>,
    pub seen: Vec<Observation>,
    pub boot: Boot,
}

/// An examination under way.
pub(super) struct Examination {
    checks: Vec<CheckRecord>,
    seen: Vec<Observation>,
    /// The check that a failure belongs to.
    now: &'static str,
    /// Why nothing further can be looked at.
    stopped: Option<String>,
    /// What counts only where the boot is not seen to fail.
    deferred: Option<Observation>,
    boot: Option<Boot>,
}

impl Examination {
    pub fn new(question: &Question) -> Self {
        let mut examination = Examination {
            checks: Vec::new(),
            seen: Vec::new(),
            now: check::PROBE,
            stopped: None,
            deferred: None,
            boot: None,
        };
        if question.image.is_none() {
            examination.skip(check::IMAGE, "no IMAGE was given to compare with");
        }
        examination
    }

    /// The check that what follows belongs to.
    pub fn at(&mut self, check: &'static str) {
        self.now = check;
    }

    /// As it should be.
    pub fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.tell(check, CheckResult::Ok, text.into());
    }

    /// Not looked at, and why.
    pub fn skip(&mut self, check: &'static str, why: &str) {
        self.tell(
            check,
            CheckResult::NotChecked,
            format!("not checked, because {why}"),
        );
    }

    /// Something was seen.
    pub fn found(&mut self, check: &'static str, observation: Observation) {
        let result = match observation.weight {
            Weight::Cause | Weight::Symptom => CheckResult::Problem,
            Weight::Suspicion => CheckResult::Warning,
            Weight::Note => CheckResult::Ok,
        };
        self.tell(check, result, observation.problem.what.clone());
        self.seen.push(observation);
    }

    /// Something was seen that counts only where the boot is not seen to fail: else it is told with that.
    pub fn defer(&mut self, check: &'static str, observation: Observation) {
        self.tell(
            check,
            CheckResult::Problem,
            observation.problem.what.clone(),
        );
        self.deferred = Some(observation);
    }

    /// Nothing further can be looked at.
    pub fn stop(&mut self, problem: Problem) {
        self.stop_because(problem.what.clone());
        self.found(self.now, Observation::of(problem));
    }

    /// Nothing further is looked at, for a reason that is no problem or was told.
    pub fn stop_because(&mut self, why: impl Into<String>) {
        self.stopped = Some(why.into());
    }

    /// How the boot went.
    pub fn boot(&mut self, boot: Boot) {
        self.boot = Some(boot);
    }

    /// Closes it: what was not looked at says why.
    pub fn finish(mut self) -> Examined {
        let why = self.stopped.take().unwrap_or_default();
        for name in CHECKS {
            if !self.checks.iter().any(|check| check.name == name) {
                self.skip(name, &why);
            }
        }
        self.checks
            .sort_by_key(|check| CHECKS.iter().position(|name| *name == check.name));
        // where the boot was tried and failed, that tells more
        if self.boot != Some(Boot::NotSeen) {
            self.seen.extend(self.deferred);
        }
        Examined {
            checks: self.checks,
            seen: self.seen,
            boot: self.boot.unwrap_or(Boot::NotSeen),
        }
    }

    fn tell(&mut self, name: &'static str, result: CheckResult, text: String) {
        let weight = |result| match result {
            CheckResult::Ok => 0,
            CheckResult::NotChecked => 1,
            CheckResult::Warning => 2,
            CheckResult::Problem => 3,
        };
        match self.checks.iter_mut().find(|check| check.name == name) {
            Some(check) => {
                if weight(result) > weight(check.result) {
                    check.result = result;
                }
                check.text = format!("{}; {text}", check.text);
            }
            None => self.checks.push(CheckRecord { name, result, text }),
        }
    }
}
