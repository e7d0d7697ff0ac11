//! Two hundred boards, a third of them with something wrong, at four sites: every verdict is right and on record.

use rtflash::station::rehearsal::{Defect, Script, labels};

use crate::desk::Desk;

#[test]
fn the_verdicts_on_two_hundred_boards_are_the_truth_and_complete_on_record() {
    let desk = Desk::new("");
    let script = Script::drawn(6, 200, 33, &labels(4));
    let insertions = script.insertions.len() as u32;
    let good = script.units.iter().filter(|unit| unit.defect == Defect::Good);
    let good = good.count() as u32;
    let findings = desk.rehearse(desk.plan(4, script)).agrees().findings;
    let total = findings.total();
    assert_eq!((total.units, total.insertions), (200, insertions));
    assert_eq!(total.attempts() + total.nothing, insertions);
    let counted = findings.counts[&Defect::Good];
    assert_eq!((counted.passed, counted.attempts()), (good, good));
    for defect in Defect::ALL {
        let counts = findings.counts.get(&defect).copied().unwrap_or_default();
        assert!(counts.units > 0, "no board was {defect}");
    }
}
