//! What is wrong with a board decides its verdict, and nothing that is wrong with another one does.

use rtflash::station::rehearsal::{Defect, InsertionLine, Script, UnitLine};

use crate::desk::Desk;

/// What the operator is told, insertion by insertion; none where what is wrong shows itself now and then.
fn told(defect: Defect) -> Option<&'static [&'static str]> {
    Some(match defect {
        Defect::Good | Defect::OlderContent => &["pass"],
        Defect::InsertedAgain => &["pass", "passed-before"],
        Defect::ForeignContent => &["shared-sector"],
        Defect::StuckBit => &["program-differs"],
        Defect::WeakErase => &["erase-incomplete"],
        Defect::WrongPart => &["flash-part"],
        Defect::WrongChip => &["chip-rom"],
        Defect::SerialDownloader => &["strapped-serial-downloader"],
        Defect::PortClosed | Defect::NoContact => &["target-no-answer"],
        Defect::NoPower => &[],
        Defect::ContactLost | Defect::PowerLost => &["target-lost", "pass"],
        Defect::ProbePulled => &["probe-lost", "pass"],
        Defect::FlakyBit | Defect::PoorContact => return None,
    })
}

#[test]
fn every_defect_is_told_by_its_code_and_what_struck_once_passes_the_second_time() {
    let desk = Desk::new("");
    let mut script = Script::default();
    for (number, defect) in Defect::ALL.into_iter().enumerate() {
        for _ in 0..defect.insertions() {
            script.insertions.push(InsertionLine {
                unit: defect.to_string(),
                site: (1 + number % 2).to_string(),
                not_before_s: 0.0,
            });
        }
        script.units.push(UnitLine {
            name: defect.to_string(),
            defect,
            uid: None,
            barcode: None,
            strikes_at: Some(0.5),
        });
    }
    let rehearsed = desk.rehearse(desk.plan(2, script)).agrees();
    for (defect, verdicts) in Defect::ALL.into_iter().zip(&rehearsed.findings.verdicts) {
        let verdicts: Vec<&str> = verdicts
            .iter()
            .map(|(verdict, code)| code.as_deref().unwrap_or(verdict.name()))
            .collect();
        if let Some(told) = told(defect) {
            assert_eq!(verdicts, told, "{defect}");
        }
    }
}
