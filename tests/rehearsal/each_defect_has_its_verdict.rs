//! What is wrong with a board decides its verdict, and nothing that is wrong with another one does.

use rtflash::station::rehearsal::{Defect, InsertionLine, Script, UnitLine, text};

use crate::desk::Desk;

/// So many boards with the defect at one site, put in as often as a random rehearsal does.
fn boards(defect: Defect, count: usize) -> Script {
    let mut script = Script::default();
    for number in 0..count {
        let name = format!("{defect}-{number}");
        for _ in 0..defect.insertions() {
            script.insertions.push(InsertionLine {
                unit: name.clone(),
                site: "1".to_owned(),
                not_before_s: 0.0,
            });
        }
        script.units.push(UnitLine {
            name,
            defect,
            uid: None,
            barcode: None,
            strikes_at: None,
        });
    }
    script
}

#[test]
fn every_defect_alone_between_good_boards() {
    let desk = Desk::new("");
    for defect in Defect::ALL {
        let mut script = boards(Defect::Good, 1);
        let flawed = boards(defect, 3);
        script.units.extend(flawed.units);
        script.insertions.extend(flawed.insertions);
        if defect == Defect::Good {
            continue;
        }
        let begin = std::time::Instant::now();
        let rehearsed = desk.rehearse(desk.plan(1, script));
        println!(
            "{defect} {:?}\n{}{:?}",
            begin.elapsed(),
            text(&rehearsed.findings),
            rehearsed.findings.verdicts
        );
        if !rehearsed.findings.agrees() {
            println!("{}", rehearsed.lines());
        }
    }
}
