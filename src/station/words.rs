//! Events in plain words, one line each: for people who read lines, and for the operator's list of what happened last.

use super::event::{Needs, UnitVerdict, What};
use crate::records::{VerdictKind, visible};

/// Digits of a SHA-256 that people compare by eye.
pub const SHORT_HASH_DIGITS: usize = 8;

impl What {
    /// What happened, in words, without when and where; none for what is too fleeting for a line.
    pub fn words(&self) -> Option<String> {
        let words = match self {
            What::StationStarted {
                station,
                job,
                job_sha256,
                sites,
                rehearsal,
                interrupted,
            } => {
                let hash: String = job_sha256.chars().take(SHORT_HASH_DIGITS).collect();
                let what = if *rehearsal {
                    "rehearsal of"
                } else {
                    "station for"
                };
                let mut words = format!(
                    "{station}: {what} job {job} ({hash}), {} site(s): {}",
                    sites.len(),
                    sites.join(", ")
                );
                if *interrupted > 0 {
                    words.push_str(&format!(
                        "; {interrupted} attempt(s) of an earlier run had no end and are interrupted"
                    ));
                }
                words
            }
            What::ProbeGone { why } => format!("probe gone: {why}"),
            What::ProbeBack => "probe back".to_owned(),
            What::BoardSeated => "board seated".to_owned(),
            What::Waiting { needs: Needs::Key } => "waits for its key".to_owned(),
            What::Waiting {
                needs: Needs::Barcode,
            } => "waits for its code".to_owned(),
            What::Scanned { barcode } => format!("code {barcode}"),
            What::NotTaken { why } => format!("nothing done: {why}"),
            What::Begun { attempt } => format!("attempt {} begins", attempt.0),
            What::UnitKnown {
                uid,
                serial,
                attempt_of_unit,
            } => {
                let serial = serial.as_ref().map(|serial| format!("serial {serial}, "));
                format!(
                    "{}chip {uid}, attempt {attempt_of_unit} on it",
                    serial.unwrap_or_default()
                )
            }
            What::Phase { phase } => (*phase).to_owned(),
            What::Progress { .. } => return None,
            What::Verdict(verdict) => verdict.words(),
            What::HookFailed {
                attempt: Some(attempt),
                why,
            } => format!("hook of attempt {}: {why}", attempt.0),
            What::HookFailed { attempt: None, why } => format!("hook: {why}"),
            What::Acknowledged => "acknowledged".to_owned(),
            What::BoardRemoved => "board removed".to_owned(),
            What::OutOfService { why } => {
                format!("site out of service until the station is started again: {why}")
            }
            What::QuotaReached => "the job's quota is used up".to_owned(),
            What::StationEnded { passed, not_passed } => {
                format!("station ended: {passed} passed, {not_passed} did not")
            }
        };
        // a probe's name or a scanned code may hold anything
        Some(visible(&words))
    }
}

impl UnitVerdict {
    /// In one line: the word, the unit, why and what to do.
    pub fn words(&self) -> String {
        let mut words = self.verdict.name().to_uppercase();
        if let Some(serial) = &self.serial {
            words.push_str(&format!(" serial {serial}"));
        }
        words.push_str(&format!(" in {:.1} s", self.cycle_seconds));
        if self.over_budget {
            words.push_str(", over the budget");
        }
        if self.verdict != VerdictKind::Pass {
            if let Some(code) = &self.code {
                words.push_str(&format!(" [{code}]"));
            }
            words.push_str(&format!(": {}", self.text));
        }
        if !self.to_do.is_empty() {
            words.push_str(&format!("; {}", self.to_do));
        }
        words
    }
}
