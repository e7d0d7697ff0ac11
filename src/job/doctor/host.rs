//! The host: may this user open debug probes?

use std::fs;
use std::path::Path;

use super::examination::{Examination, check};
use crate::diagnosis::{Observation, Weight};
use crate::job::Bench;
use crate::problem::{ExitCode, Problem};

/// The rule that gives the user of the local seat access to debug probes.
pub const UDEV_RULE: &str = include_str!("../../../packaging/udev/70-rtflash.rules");
/// Its name among the rules.
pub const UDEV_RULE_NAME: &str = "70-rtflash.rules";
/// Where a system keeps its rules.
const UDEV_DIRECTORIES: [&str; 3] = [
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/lib/udev/rules.d",
];
/// SEGGER's vendor ID, which every rule for J-Links names.
const SEGGER: &str = "1366";

/// Looks whether a rule for debug probes is installed. That one is missing keeps nobody from a probe by itself: root and
/// members of the right group open it without.
pub(super) fn look(bench: &Bench, examination: &mut Examination) {
    if bench.is_virtual() {
        examination.skip(check::PERMISSIONS, "the probe is virtual");
        return;
    }
    if !cfg!(target_os = "linux") {
        examination.skip(
            check::PERMISSIONS,
            "only Linux asks for a rule to open a probe",
        );
        return;
    }
    match UDEV_DIRECTORIES
        .iter()
        .find_map(|directory| rule_in(Path::new(directory)))
    {
        Some(rule) => examination.ok(
            check::PERMISSIONS,
            format!("{rule} gives access to debug probes"),
        ),
        None => examination.found(check::PERMISSIONS, no_rule()),
    }
}

/// A rule for J-Links in `directory`.
fn rule_in(directory: &Path) -> Option<String> {
    let entries = fs::read_dir(directory).ok()?;
    entries.filter_map(Result::ok).find_map(|entry| {
        let path = entry.path();
        let text = fs::read_to_string(&path).ok()?;
        text.contains(SEGGER).then(|| path.display().to_string())
    })
}

fn no_rule() -> Observation {
    let problem = Problem::new(
        "udev-rule",
        ExitCode::NoProbe,
        "no udev rule for debug probes is installed",
    )
    .because("without one, only root may open a probe on most systems")
    .fix(format!(
        "rtflash doctor --print-udev-rule | sudo tee /etc/udev/rules.d/{UDEV_RULE_NAME}; then sudo udevadm control \
         --reload && sudo udevadm trigger, and plug the probe in again"
    ));
    Observation::new(Weight::Suspicion, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rule_is_found_where_it_is_installed_and_nothing_is_found_elsewhere() {
        let directory = tempfile::tempdir().expect("directory");
        assert_eq!(rule_in(directory.path()), None);
        assert_eq!(rule_in(&directory.path().join("missing")), None);
        let path = directory.path().join(UDEV_RULE_NAME);
        fs::write(&path, UDEV_RULE).expect("rule");
        assert_eq!(rule_in(directory.path()), Some(path.display().to_string()));
    }

    #[test]
    fn the_shipped_rule_covers_both_classes_of_probes_and_comes_before_the_seat_s_rules() {
        let rules: Vec<&str> = UDEV_RULE
            .lines()
            .filter(|line| line.contains("uaccess") && !line.starts_with('#'))
            .collect();
        for (words, kind) in [
            (["usb", SEGGER], "J-Link"),
            (["SUBSYSTEM==\"usb\"", "CMSIS-DAP"], "CMSIS-DAP v2"),
            (["SUBSYSTEM==\"hidraw\"", "CMSIS-DAP"], "CMSIS-DAP v1"),
        ] {
            let is_covered = |rule: &&&str| words.iter().all(|word| rule.contains(word));
            assert!(rules.iter().find(is_covered).is_some(), "{kind}");
        }
        assert!(UDEV_RULE_NAME < "73-seat-late.rules");
    }
}
