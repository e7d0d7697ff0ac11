//! When the contact to a board is checked, what this host remembers of it, and what follows from a poor one.
//!
//! A check is due where no job on this host found the contact through this probe clean at the clock asked for, and where
//! the last one ended with a problem or had to repeat accesses.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::run::Run;
use super::saved::write_synced;
use crate::link::{Connection, Contact, Counts, Link, Listed, check_contact};
use crate::problem::{ExitCode, Problem};
use crate::report::{ContactRecord, ContactWarning};

const VERSION: u32 = 1;
/// Code of the problem.
const POOR: &str = "contact-poor";
/// What is worth trying where no clock is clean, and what `--speed` takes at least.
const SLOWER_BY: u32 = 10;
const SLOWEST_KHZ: u32 = 10;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    probe: String,
    clean_khz: u32,
}

/// What this host remembers of the contact through one probe. It is a matter of time only: a note that cannot be read or
/// written costs a check.
#[derive(Debug)]
pub struct ContactNote {
    /// The file; none where nothing can be remembered.
    path: Option<PathBuf>,
    probe: String,
    clean_khz: Option<u32>,
}

impl ContactNote {
    /// What the file at `path` says of `probe`.
    pub fn open(path: Option<PathBuf>, probe: &Listed) -> Self {
        let probe = probe.to_string();
        let text = path.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let document = text.and_then(|text| serde_json::from_str::<Document>(&text).ok());
        let document = document.filter(|note| note.version == VERSION && note.probe == probe);
        ContactNote {
            path,
            probe,
            clean_khz: document.map(|note| note.clean_khz),
        }
    }

    /// Whether the contact was found clean at this clock or a faster one, and nothing spoke against it since.
    pub fn is_clean_at(&self, khz: u32) -> bool {
        self.clean_khz.is_some_and(|clean| khz <= clean)
    }

    /// Remembers that it is clean up to this clock.
    pub fn remember(&self, clean_khz: u32) {
        let Some(path) = &self.path else {
            return;
        };
        let document = Document {
            version: VERSION,
            probe: self.probe.clone(),
            clean_khz,
        };
        let written = serde_json::to_string_pretty(&document)
            .map_err(Into::into)
            .and_then(|text| write_synced(path, &text));
        if let Err(error) = written {
            tracing::warn!("the contact is not remembered: {error}");
        }
    }

    /// Forgets it, so that the next job checks again.
    pub fn forget(&self) {
        if let Some(path) = &self.path {
            // usually there is none
            let _ = fs::remove_file(path);
        }
    }
}

/// Name of the file for this probe among those of other probes.
pub fn file_name(probe: &Listed) -> String {
    let selector = probe.selector().to_string();
    let letters = selector.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c,
        _ => '-',
    });
    format!("probe-{}.json", letters.collect::<String>())
}

impl Run<'_> {
    /// Opens the connection, slowly where the contact is to be checked.
    pub(super) fn connect_carefully(&mut self) -> Result<Connection, Problem> {
        let bench = self.bench;
        let mut note = None;
        let always = self.always_check_contact;
        let connection = Connection::open_carefully(
            bench.choice(),
            self.job.target.chip(),
            bench.clock().clone(),
            |probe, khz| {
                let known = ContactNote::open(bench.contact_note(probe), probe);
                let is_clean = known.is_clean_at(khz);
                note = Some(known);
                always || !is_clean
            },
        );
        self.contact_note = note;
        let connection = connection?;
        self.unproven_khz = connection.unproven_khz();
        Ok(connection)
    }

    /// Checks the contact where that is due, and leaves the probe at a clock that is clean. The chip is taken over, and
    /// nothing is in its RAM yet.
    pub(super) fn require_contact(&mut self, link: &mut dyn Link) -> Result<(), Problem> {
        let Some(asked_khz) = self.unproven_khz.take() else {
            return Ok(());
        };
        self.note_link(link);
        self.begin("contact");
        let ram = self.job.target.chip().algorithm_ram.address;
        let contact = match check_contact(link, ram, asked_khz) {
            Ok(contact) => contact,
            Err(error) => {
                self.let_run(link);
                return Err(error.into());
            }
        };
        self.note_link(link);
        let was_asked = self.bench.choice().speed_khz.is_some();
        let clean_khz = contact.clean_khz();
        let used_khz = clean_khz.filter(|khz| *khz == asked_khz || !was_asked);
        if let Some(probe) = &mut self.record.probe {
            probe.contact = ContactRecord::new(&contact);
            probe.speed_khz = used_khz.unwrap_or(probe.speed_khz);
        }
        let Some(used_khz) = used_khz else {
            let slowest_khz = contact.trials().last().map_or(asked_khz, |trial| trial.khz);
            if clean_khz.is_none() {
                // the reset that lets the board run needs a better clock than the ones tried; if there is none, it fails
                let slower_khz = (slowest_khz / SLOWER_BY).max(SLOWEST_KHZ);
                let _ = link.set_speed_khz(slower_khz);
                let _ = link.reattach();
            }
            self.let_run(link);
            return Err(poor(&contact, asked_khz));
        };
        // the errors of clocks that are not used say nothing about the one that is
        self.retries_before = link.counts().retries;
        if used_khz < asked_khz {
            let warning = ContactWarning {
                asked_khz,
                used_khz,
            };
            self.observer.note(&format!("warning: {warning}"));
            if let Some(probe) = &mut self.record.probe {
                probe.contact_warning = Some(warning);
            }
        }
        if let Some(note) = &self.contact_note {
            note.remember(used_khz);
        }
        Ok(())
    }

    /// What a problem before the check comes from: damaged bits at the slowest clock leave nothing to check.
    pub(super) fn blame_contact(&self, problem: Problem, counts: Counts) -> Problem {
        let is_first = self.unproven_khz.is_some();
        if !is_first || problem.exit != ExitCode::LinkLost || counts.damaged == 0 {
            return problem;
        }
        let khz = self
            .record
            .probe
            .as_ref()
            .map_or(0, |probe| probe.speed_khz);
        let times = counts.damaged;
        none_clean(khz).because(format!("{}; {times} accesses were damaged", problem.what))
    }

    /// Forgets that the contact is clean where the job does not bear it out.
    pub(super) fn review_contact(&self, failed: bool) {
        let repeated = self.meter.counts().retries > self.retries_before;
        if let Some(note) = &self.contact_note
            && (failed || repeated)
        {
            note.forget();
        }
    }
}

/// Why a job is not begun at the clock that was asked for, or at none.
fn poor(contact: &Contact, asked_khz: u32) -> Problem {
    let tried: Vec<String> = contact.trials().iter().map(ToString::to_string).collect();
    let problem = match contact.clean_khz() {
        Some(clean_khz) => Problem::new(
            POOR,
            ExitCode::LinkLost,
            format!(
                "the contact to the board is not clean at {asked_khz} kHz; {clean_khz} kHz is clean"
            ),
        )
        .fix(format!(
            "use a shorter cable with a ground wire beside SWCLK, or --speed {clean_khz}"
        )),
        None => none_clean(contact.trials().last().map_or(asked_khz, |trial| trial.khz)),
    };
    problem.because(tried.join("; "))
}

fn none_clean(slowest_khz: u32) -> Problem {
    Problem::new(
        POOR,
        ExitCode::LinkLost,
        format!("the contact to the board is not clean, not even at {slowest_khz} kHz"),
    )
    .fix(format!(
        "check the pins and GND, use a shorter cable with a ground wire beside SWCLK; try --speed {}",
        (slowest_khz / SLOWER_BY).max(SLOWEST_KHZ)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(serial: &str) -> Listed {
        Listed {
            name: "J-Link".to_owned(),
            driver: "J-Link".to_owned(),
            vendor_id: 0x1366,
            product_id: 0x0101,
            serial: Some(serial.to_owned()),
            accessible: true,
        }
    }

    #[test]
    fn a_clean_contact_is_remembered_for_its_probe_and_for_clocks_up_to_the_one_checked() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("new").join("note.json");
        let open = |serial: &str| ContactNote::open(Some(path.clone()), &probe(serial));
        assert!(!open("1").is_clean_at(10));
        open("1").remember(4000);
        assert!(open("1").is_clean_at(4000) && open("1").is_clean_at(100));
        assert!(!open("1").is_clean_at(4001));
        assert!(!open("2").is_clean_at(4000), "another probe's note");
        open("1").forget();
        assert!(!open("1").is_clean_at(4000));
        open("1").forget();
    }

    #[test]
    fn a_damaged_note_and_no_place_for_one_only_cost_a_check() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("note.json");
        let open = || ContactNote::open(Some(path.clone()), &probe("1"));
        open().remember(4000);
        let text = fs::read_to_string(&path).expect("text");
        for damaged in ["", "{}", &text[..text.len() / 2], &text.replace('1', "2")] {
            fs::write(&path, damaged).expect("write");
            assert!(!open().is_clean_at(10), "{damaged}");
        }
        let nowhere = ContactNote::open(None, &probe("1"));
        nowhere.remember(4000);
        nowhere.forget();
        assert!(!nowhere.is_clean_at(10));
    }

    #[test]
    fn every_probe_has_a_file_of_its_own_whatever_its_serial_is_made_of() {
        assert_eq!(
            file_name(&probe("0001:/..")),
            "probe-1366-0101-0001----.json"
        );
        assert_ne!(file_name(&probe("1")), file_name(&probe("2")));
    }
}
