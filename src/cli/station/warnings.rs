//! What whoever looks after the station should know before it begins.

use super::super::{WARNING, complain};
use crate::link::{self, ProbePlace};
use crate::problem::{ExitCode, Problem};
use crate::records::Recovered;
use crate::station::{SiteEntry, SiteMap};

/// Names every probe that belongs to no site: it is not used. A site whose probe is missing waits for it.
///
/// # Errors
/// `probe-not-found` (exit 21), where none of the sites' probes is connected.
pub fn look_for_probes(map: &SiteMap) -> Result<(), Problem> {
    let listed = link::list();
    let strangers = map.strangers(&listed);
    for stranger in &strangers {
        let problem = Problem::new(
            "probe-of-no-site",
            ExitCode::NoProbe,
            format!("the probe {stranger} belongs to no site and is not used"),
        );
        complain(&problem, WARNING);
    }
    let is_there = |site: &SiteEntry| match &site.place {
        ProbePlace::Named(selector) => link::is_there(selector),
        ProbePlace::Port(_) => false,
    };
    if strangers.len() < listed.len() || map.sites.iter().any(is_there) {
        return Ok(());
    }
    Err(Problem::new(
        "probe-not-found",
        ExitCode::NoProbe,
        "none of the sites' probes is connected",
    )
    .fix("connect them, or correct the site map: `rtflash probes` lists what is connected"))
}

/// What an earlier run has left is settled; who looks after the records should know.
pub fn tell_of(recovered: &Recovered) {
    let warn = |code, what: String| {
        complain(
            &Problem::new(code, ExitCode::RecordNotWritten, what),
            WARNING,
        );
    };
    if let Some(bytes) = recovered.torn {
        warn(
            "journal-torn",
            format!(
                "the journal's last {bytes} bytes were cut off while they were written; they stay in it"
            ),
        );
    }
    if let withdrawn @ 1.. = recovered.withdrawn.len() {
        warn(
            "journal-withdrawn",
            format!(
                "{withdrawn} line(s) of the journal never came into the ledger, and are withdrawn"
            ),
        );
    }
    if let missing @ 1.. = recovered.missing.len() {
        warn(
            "journal-missing",
            format!(
                "the journal lacks {missing} attempt(s) that the ledger has: `rtflash records verify` names them"
            ),
        );
    }
    if recovered.clock_stepped_back {
        warn(
            "clock-stepped-back",
            "this computer's clock shows less than at the journal's last line".to_owned(),
        );
    }
}
