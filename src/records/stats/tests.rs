//! The figures of lines that can be counted by hand, and what holds for every line.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Notable, Stats};
use crate::records::sample::{attempt, ended, failed, passed};
use crate::records::{Attempt, AttemptId, VerdictKind};

/// Of all attempts of a history.
fn of(history: &[Attempt]) -> Stats {
    let all = history.iter().map(|attempt| attempt.id).collect();
    Stats::of(history, &all, None)
}

fn refused(id: i64, site: &str, begun: i64, uid: &str) -> Attempt {
    let attempt = attempt(id, site, begun);
    ended(
        attempt,
        VerdictKind::Refused,
        Some("passed-before"),
        Some(uid),
        1,
    )
}

/// A morning: five units at two sites, one retest that passes, one chip that was never reached, a break.
fn morning() -> Vec<Attempt> {
    vec![
        passed(1, "1", 0, "A"),
        failed(2, "2", 2, Some("B"), "boot-not-seen"),
        passed(3, "1", 60, "C"),
        failed(4, "2", 61, None, "no-answer"),
        passed(5, "2", 120, "B"),
        refused(6, "1", 130, "A"),
        failed(7, "1", 1200, Some("D"), "boot-not-seen"),
        attempt(8, "2", 1300),
    ]
}

#[test]
fn the_figures_of_a_morning_are_those_counted_by_hand() {
    let stats = of(&morning());
    let lines = stats.lines().join("\n");
    let expected = "\
attempts   8: 3 pass, 3 fail, 1 refused, 0 cancelled, 0 interrupted, 1 without an end
units      5 tried, 2 passed at their first attempt, 3 in the end; 1 of them failed before their chip was known
yield      first pass 40.0 %, final 60.0 %
retests    1 attempts on 1 units, at most 2 attempts on one; 1 units passed after a failure
output     3 units passed in 20 min: 9.0 an hour; without 1 idle gap of more than 5 min and 18 min in all: 79.4 an hour
cycle      median 8.00 s, 90 % within 8.00 s, longest 8.00 s (3 passed)
phases     medians in s: connect 0.50, program 2.00

failure        count   share   so far
boot-not-seen      2  66.7 %   66.7 %
no-answer          1  33.3 %  100.0 %

station  site  attempts  units  first pass   final  retests  units/h  median s  90 % s  max s  to all
line-a   1            4      3      66.7 %  66.7 %        0      6.0      8.00    8.00   8.00   1.00x
line-a   2            4      2       0.0 %  50.0 %        1     28.6      8.00    8.00   8.00   1.00x";
    assert_eq!(lines, expected, "\n{lines}");
}

#[test]
fn a_unit_that_failed_before_the_time_chosen_is_no_first_pass_of_that_time() {
    let history = morning();
    let later: BTreeSet<AttemptId> = (5..=8).map(AttemptId).collect();
    let units = Stats::of(&history, &later, None).all.units;
    assert_eq!((units.tried, units.passed_first, units.passed), (1, 0, 0));
}

#[test]
fn an_attempt_that_did_not_reach_the_chip_belongs_to_the_chip_of_its_barcode() {
    let mut history = vec![
        failed(1, "1", 0, None, "no-answer"),
        passed(2, "1", 20, "A"),
    ];
    for attempt in &mut history {
        attempt.begin.barcode = Some("W-1".to_owned());
    }
    let units = of(&history).all.units;
    assert_eq!((units.tried, units.passed_first, units.passed), (1, 0, 1));
    assert_eq!(units.unidentified, 0);
}

#[test]
fn the_same_chip_under_another_job_is_another_unit() {
    let mut history = vec![
        failed(1, "1", 0, Some("A"), "boot-not-seen"),
        passed(2, "1", 20, "A"),
    ];
    history[1].begin.job = "widget-2".to_owned();
    let units = of(&history).all.units;
    assert_eq!((units.tried, units.passed_first), (2, 1));
}

#[test]
fn refused_cancelled_and_interrupted_attempts_are_nobodys_first() {
    for kind in [
        VerdictKind::Refused,
        VerdictKind::Cancelled,
        VerdictKind::Interrupted,
    ] {
        let before = ended(attempt(1, "1", 0), kind, Some("x"), Some("A"), 3);
        let units = of(&[before, passed(2, "1", 20, "A")]).all.units;
        assert_eq!((units.tried, units.passed_first), (1, 1), "{kind:?}");
    }
}

#[test]
fn interrupted_attempts_are_told_on_a_line_of_their_own() {
    let kind = VerdictKind::Interrupted;
    let cut = ended(attempt(1, "1", 0), kind, Some("x"), Some("A"), 3);
    let lines = of(&[cut, passed(2, "1", 20, "A")]).lines();
    assert_eq!(
        lines[1],
        "no verdict 1 attempt interrupted: cut off, or shown as FAIL 23; in no yield"
    );
    let none = of(&[passed(2, "1", 20, "A")]).lines().join("\n");
    assert!(!none.contains("FAIL 23"), "{none}");
}

#[test]
fn an_interruption_found_in_the_morning_does_not_make_the_night_working_time() {
    let eight_hours = 8 * 3600;
    let cut = ended(
        attempt(2, "1", 100),
        VerdictKind::Interrupted,
        Some("interrupted"),
        Some("B"),
        eight_hours,
    );
    let output = of(&[passed(1, "1", 0, "A"), cut])
        .all
        .output
        .expect("output");
    assert_eq!((output.seconds, output.idle_gaps), (8.0, 0));
}

#[test]
fn a_clock_that_was_set_back_is_told_and_gives_no_cycle_time() {
    let mut attempt = passed(1, "1", 100, "A");
    attempt.end.as_mut().expect("an end").ended_at = crate::records::sample::at(90);
    let stats = of(&[attempt]);
    assert_eq!((stats.all.backwards, stats.all.cycle), (1, None));
    assert!(stats.lines().iter().any(|line| line.starts_with("clock")));
}

#[test]
fn passes_over_the_budget_are_counted() {
    let history = vec![passed(1, "1", 0, "A"), passed(2, "2", 0, "B")];
    let all = history.iter().map(|attempt| attempt.id).collect();
    for (budget, expected) in [(7.9, 2), (8.0, 0)] {
        let over = Stats::of(&history, &all, Some(budget)).all.over_budget;
        assert_eq!(over.map(|over| over.attempts), Some(expected));
    }
}

/// A line of four sites of 50 units, where site 3 fails `failing` times and the others twice each, and takes `seconds`.
fn line(failing: i64, seconds: i64) -> Vec<Attempt> {
    let mut history = Vec::new();
    for site in 1..=4 {
        for unit in 0..50 {
            let (id, name) = (site * 100 + unit, site.to_string());
            let fails = unit < if site == 3 { failing } else { 2 };
            let attempt = attempt(id, &name, unit * 30);
            let uid = format!("{id:016X}");
            let (verdict, code) = if fails {
                (VerdictKind::Fail, Some("boot-not-seen"))
            } else {
                (VerdictKind::Pass, None)
            };
            let seconds = if site == 3 { seconds } else { 10 };
            history.push(ended(attempt, verdict, code, Some(&uid), seconds));
        }
    }
    history
}

#[test]
fn a_site_that_fails_more_often_than_the_others_is_named() {
    let stats = of(&line(10, 10));
    let [Notable::FailsMoreOften { site, times, .. }] = stats.notable.as_slice() else {
        panic!("{:?}", stats.notable);
    };
    assert_eq!((site.as_str(), times.map(f64::round)), ("3", Some(5.0)));
    let last = stats.lines().pop().expect("a line");
    assert!(
        last.starts_with(
            "notable    site 3 fails 5.0x as often as the others: 10 of 50 units at their first attempt against 6 of 150"
        ),
        "{last}"
    );
}

#[test]
fn a_site_that_fails_no_more_than_chance_has_it_is_not_named() {
    assert_eq!(of(&line(4, 10)).notable, vec![]);
}

#[test]
fn a_site_that_is_slower_than_the_others_is_named() {
    let stats = of(&line(2, 13));
    let last = stats.lines().pop().expect("a line");
    assert_eq!(
        last,
        "notable    site 3 takes 1.30x as long as the others: a median of 13.00 s against 10.00 s"
    );
    let site = stats.sites.iter().find(|site| site.site == "3");
    assert_eq!(site.and_then(|site| site.cycle_to_all), Some(1.3));
}

#[test]
fn a_bad_board_that_is_tried_again_and_again_is_no_news_about_its_site() {
    let mut history = line(2, 10);
    for again in 0..20 {
        let uid = format!("{:016X}", 300);
        history.push(failed(
            1000 + again,
            "3",
            2000 + again * 10,
            Some(&uid),
            "boot-not-seen",
        ));
    }
    assert_eq!(of(&history).notable, vec![]);
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    (
        (0..4_i64, 0..3_u8, 0..6_u8, 0..7_u8),
        (0..5000_i64, -5..300_i64, prop::option::of(0..4_u8)),
    )
        .prop_map(|((site, job, chip, kind), (begun, seconds, code))| {
            let mut attempt = attempt(0, &site.to_string(), begun);
            attempt.begin.job = format!("job-{job}");
            attempt.begin.barcode = code.map(|code| format!("B{code}"));
            let uid = (chip > 0).then(|| format!("{chip:016X}"));
            let failure = format!("code-{}", chip % 3);
            let verdict = match kind {
                0..=2 => VerdictKind::Pass,
                3 => VerdictKind::Fail,
                4 => VerdictKind::Refused,
                5 => VerdictKind::Interrupted,
                _ => return attempt,
            };
            let code = (verdict != VerdictKind::Pass).then_some(failure.as_str());
            ended(attempt, verdict, code, uid.as_deref(), seconds)
        })
}

proptest! {
    #[test]
    fn what_holds_for_every_line(
        mut history in prop::collection::vec(any_attempt(), 0..60),
        chosen in prop::collection::vec(any::<bool>(), 60),
        turn in 0..60_usize,
    ) {
        for (id, attempt) in (1..).zip(&mut history) {
            attempt.id = AttemptId(id);
        }
        let chosen: BTreeSet<AttemptId> = history
            .iter()
            .zip(&chosen)
            .filter(|(_, chosen)| **chosen)
            .map(|(attempt, _)| attempt.id)
            .collect();
        let stats = Stats::of(&history, &chosen, Some(60.0));
        let all = &stats.all;
        let it = all.attempts;
        let sum = it.pass + it.fail + it.refused + it.cancelled + it.interrupted + it.open;
        prop_assert_eq!(it.total as usize, chosen.len());
        prop_assert_eq!(sum, it.total);
        prop_assert!(all.units.passed_first <= all.units.passed);
        prop_assert!(all.units.passed <= all.units.tried);
        prop_assert!(all.units.tried + all.retests.attempts == it.pass + it.fail);
        prop_assert_eq!(all.failures.iter().map(|f| f.count).sum::<u32>(), it.fail);
        if let Some(last) = all.failures.last() {
            let shares: f64 = all.failures.iter().map(|failure| failure.share).sum();
            prop_assert!((shares - 1.0).abs() < 1e-9);
            prop_assert!((last.cumulative - 1.0).abs() < 1e-9);
        }
        prop_assert!(all.failures.windows(2).all(|two| two[0].count >= two[1].count));
        let of_sites = |figure: fn(&super::Figures) -> u32| -> u32 {
            stats.sites.iter().map(|site| figure(&site.figures)).sum()
        };
        prop_assert_eq!(of_sites(|f| f.attempts.total), it.total);
        prop_assert_eq!(of_sites(|f| f.units.tried), all.units.tried);
        prop_assert_eq!(of_sites(|f| f.units.passed_first), all.units.passed_first);
        prop_assert_eq!(of_sites(|f| f.retests.attempts), all.retests.attempts);
        if let Some(output) = all.output {
            prop_assert!(output.idle_seconds <= output.seconds);
            prop_assert!(output.longest_gap_seconds <= output.idle_seconds);
            match (output.units_per_hour, output.units_per_hour_without_gaps) {
                (Some(whole), Some(without)) => prop_assert!(whole <= without),
                // no time at all, or none but gaps
                (whole, None) => prop_assert!(whole.is_none() || output.seconds == output.idle_seconds),
                (None, Some(_)) => prop_assert!(false, "less time than none"),
            }
        }
        if let Some(cycle) = all.cycle {
            prop_assert!(cycle.median <= cycle.max && cycle.p90 <= cycle.max);
        }

        let mut turned = history.clone();
        let turn = turn % turned.len().max(1);
        turned.rotate_left(turn);
        turned.reverse();
        prop_assert_eq!(stats, Stats::of(&turned, &chosen, Some(60.0)));
    }
}
