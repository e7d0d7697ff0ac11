//! Keys, codes, cables and boards that change places: what the operators do reaches the station as it would at a line.

use rtflash::station::What;
use rtflash::station::rehearsal::{Pace, Script, text};

use crate::desk::{Desk, Rehearsed};

fn script(text: &str) -> Script {
    toml::from_str(text).expect("script")
}

/// What each board was told, in the order of the script.
fn told(rehearsed: &Rehearsed) -> Vec<Vec<String>> {
    let verdicts = rehearsed.findings.verdicts.iter().map(|verdicts| {
        let words = verdicts.iter();
        words
            .map(|(verdict, code)| code.clone().unwrap_or_else(|| verdict.name().to_owned()))
            .collect()
    });
    verdicts.collect()
}

#[test]
fn boards_that_change_their_sites_are_known_for_what_they_are() {
    let desk = Desk::new("");
    let text = r#"
        unit = [{ name = "a" }, { name = "b", defect = "wrong-part" }]
        insertion = [
            { unit = "a", site = "1" }, { unit = "b", site = "2" },
            { unit = "a", site = "2", not_before_s = 60.0 }, { unit = "b", site = "1" },
        ]
    "#;
    let rehearsed = desk.rehearse(desk.plan(2, script(text))).agrees();
    let expected = [["pass", "passed-before"], ["flash-part", "flash-part"]];
    assert_eq!(told(&rehearsed), expected);
    let late = &rehearsed.findings.sites[1];
    assert!(late.until.as_secs() >= 60, "{late:?}");
}

#[test]
fn a_board_that_fails_again_and_again_goes_to_rework() {
    let desk = Desk::new("unit = { attempts = 2 }");
    let text = r#"
        unit = [{ name = "a", defect = "stuck-bit" }, { name = "b" }]
        insertion = [
            { unit = "a", site = "1" }, { unit = "a", site = "1" }, { unit = "a", site = "1" }, { unit = "b", site = "1" },
        ]
    "#;
    let rehearsed = desk.rehearse(desk.plan(1, script(text))).agrees();
    assert_eq!(
        told(&rehearsed)[0],
        ["program-differs", "program-differs", "retry-limit"]
    );
    assert_eq!(told(&rehearsed)[1], ["pass"]);
}

#[test]
fn units_begin_by_key_or_by_their_code_where_the_job_says_so() {
    let text = r#"
        unit = [{ name = "a" }, { name = "b", defect = "probe-pulled", strikes_at = 0.5 }]
        insertion = [{ unit = "a", site = "1" }, { unit = "b", site = "1" }, { unit = "b", site = "1" }]
    "#;
    let by_key = Desk::new("unit = { start = \"key\" }");
    let rehearsed = by_key.rehearse(by_key.plan(1, script(text))).agrees();
    assert_eq!(told(&rehearsed), [vec!["pass"], vec!["probe-lost", "pass"]]);
    let has = |what: fn(&What) -> bool| rehearsed.events.iter().any(|event| what(&event.what));
    assert!(has(|what| matches!(what, What::Waiting { .. })));
    assert!(has(|what| matches!(what, What::ProbeGone { .. })));
    assert!(has(|what| matches!(what, What::ProbeBack)));

    let by_code = Desk::new("unit = { start = \"barcode\", barcode = \"PCB-[0-9]{3}\" }");
    let mut plan = by_code.plan(1, script(text));
    plan.barcodes = Some("PCB-###".to_owned());
    let rehearsed = by_code.rehearse(plan).agrees();
    let mut codes = rehearsed
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Scanned { barcode } => Some(barcode.as_str()),
            _ => None,
        });
    assert_eq!(codes.next(), Some("PCB-001"));
    assert_eq!(codes.next(), Some("PCB-002"));
}

#[test]
fn the_time_of_a_cycle_begins_with_the_attempt_and_the_report_says_so() {
    let board = r#"
        unit = [{ name = "a" }]
        insertion = [{ unit = "a", site = "1" }]
    "#;
    let cycle = |more: &str| {
        let desk = Desk::new(more);
        let findings = desk.rehearse(desk.plan(1, script(board))).agrees().findings;
        let told = text(&findings);
        assert!(told.contains("begun to PASS"), "{told}");
        assert!(!told.contains("seated to"), "{told}");
        findings.sites[0].cycle_seconds().expect("passed")
    };
    let (at_once, by_key) = (cycle(""), cycle("unit = { start = \"key\" }"));
    // the hand that presses the key takes its time before
    let reaction = Pace::default().reaction.as_secs_f64();
    assert!(by_key < at_once + reaction / 2.0, "{by_key} {at_once}");
}
