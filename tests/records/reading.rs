//! What was recorded is what is read, and nobody changes it unseen.

use rtflash::records::{Filter, HookResult, Told, VerdictKind};

use crate::bench::{Bench, JOB, told, uid};
use VerdictKind::{Fail, Pass};

pub fn what_was_recorded_is_read_back(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut begin = station.begin_of(JOB);
    begin.barcode = Some("B-1\u{1F4A5}'\"\\".into());
    let id = station.records.begin(&begin).expect("begun");
    let claim = station.claim_of(7);
    let reserved = station.granted(id, &claim);
    let open = bench.attempt(id);
    assert_eq!((&open.begin, &open.end), (&begin, &None));
    let end = station.end_of(Pass, Some(7));
    station.records.end(id, &end).expect("ended");
    let hook = HookResult {
        command: "./label.sh".into(),
        status: Some(1),
        error: Some("no paper".into()),
        ended_at: end.ended_at,
    };
    station.records.hook(id, &hook).expect("added");
    station.records.hook(id, &hook).expect("added");
    let attempt = station.records.attempt(id).expect("read").expect("there");
    assert_eq!(attempt, bench.attempt(id));
    assert_eq!(attempt.begin, begin);
    assert_eq!(attempt.reserved, reserved);
    assert_eq!(attempt.end.as_ref(), Some(&end));
    assert_eq!(attempt.hooks, [hook.clone(), hook.clone()]);
    assert_eq!(attempt.damage, None);
    let claimed = attempt.claimed.expect("claimed");
    assert_eq!((claimed.uid, claimed.attempt_of_unit), (uid(7), 1));
    assert_eq!(claimed.claimed_at, claim.claimed_at);
    // the journal tells the same, at the line that the row names
    let journal = bench.journal("A");
    let mark = attempt.journal.expect("a mark");
    let lines = crate::bench::lines(&journal);
    assert_eq!(lines[mark.line as usize - 1].sha256, mark.sha256);
    let told = told(&journal);
    assert_eq!(
        told[1],
        Told::Begun {
            attempt: id,
            begin: Box::new(begin)
        }
    );
    assert_eq!(
        told[3],
        Told::Ended {
            attempt: id,
            end: Box::new(end)
        }
    );
    assert_eq!(
        told[5],
        Told::Hook {
            attempt: id,
            result: hook
        }
    );
    assert_eq!(
        bench.attempts(&Filter {
            id: Some(rtflash::records::AttemptId(99)),
            ..Filter::default()
        }),
        []
    );
}

pub fn every_filter_means_what_it_says(bench: &impl Bench) {
    let mut a = bench.station("A");
    let mut b = bench.station("B");
    a.flash(1, Fail);
    a.flash(1, Pass);
    b.clock.set(1_900_000_000);
    b.flash(2, Pass);
    let mut begin = b.begin_of("another job");
    begin.site = "2".into();
    b.records.begin(&begin).expect("begun");
    let ids = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        let found = bench.attempts(&filter);
        found.iter().map(|attempt| attempt.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(&|_| ()), [1, 2, 3, 4]);
    assert_eq!(ids(&|f| f.job = Some("another job".into())), [4]);
    assert_eq!(ids(&|f| f.station = Some("A".into())), [1, 2]);
    assert_eq!(ids(&|f| f.site = Some("2".into())), [4]);
    assert_eq!(ids(&|f| f.uid = Some(uid(1))), [1, 2]);
    assert_eq!(ids(&|f| f.serial = Some("SN0002".into())), [3]);
    assert_eq!(ids(&|f| f.verdict = Some(Pass)), [2, 3]);
    assert_eq!(ids(&|f| f.code = Some("program-failed".into())), [1]);
    let later = begin.begun_at;
    assert_eq!(ids(&|f| f.since = Some(later)), [4]);
    assert_eq!(ids(&|f| f.until = Some(later)), [1, 2, 3]);
    assert_eq!(ids(&|f| f.newest = Some(2)), [3, 4]);
    assert_eq!(ids(&|f| f.newest = Some(0)), [0_i64; 0]);
    assert_eq!(
        ids(&|f| {
            f.newest = Some(1);
            f.verdict = Some(Pass);
            f.station = Some("A".into());
        }),
        [2]
    );
    assert_eq!(ids(&|f| f.job = Some("' OR 1=1 --".into())), [0_i64; 0]);
}

pub fn many_attempts_come_in_pages(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Fail);
    station.flash(2, Pass);
    // more than one page, by the database's own hand: 600 begins on the disk would take their time
    let row = "token || '-' || n, station, site, job, barcode, begun_at, document";
    bench
        .sql(&format!(
            "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 600) \
             INSERT INTO attempt (token, station, site, job, barcode, begun_at, document) \
             SELECT {row} FROM attempt, counted WHERE id = 2"
        ))
        .expect("copies");
    station.flash(3, Pass);
    let all = bench.attempts(&Filter::default());
    assert_eq!(all.len(), 603);
    assert!(all.is_sorted_by_key(|attempt| attempt.id));
    let last = all.last().expect("the last");
    assert_eq!(last.reserved[0].number, 3);
    let newest = Filter {
        newest: Some(500),
        ..Filter::default()
    };
    assert_eq!(bench.attempts(&newest), all[103..]);
}

pub fn rows_are_added_only(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let claim = station.claim_of(1);
    station.granted(attempt, &claim);
    station.end(attempt, Pass, 1);
    let hook = HookResult {
        command: "true".into(),
        status: Some(0),
        error: None,
        ended_at: claim.claimed_at,
    };
    station.records.hook(attempt, &hook).expect("added");
    station.flash(2, Fail);
    for (table, column) in [
        ("attempt", "document"),
        ("claim", "uid"),
        ("series", "step"),
        ("claimed_number", "number"),
        ("ending", "verdict"),
        ("hook", "document"),
        ("meta", "value"),
    ] {
        for statement in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
        ] {
            let refused = bench.sql(&statement).expect_err(&statement);
            assert!(!refused.is_empty());
        }
    }
    let before = bench.numbers();
    for statement in [
        "DELETE FROM number",
        "UPDATE number SET number = '00000000000000000009'",
        "UPDATE number SET uid = 'x' WHERE state = 'reserved'",
        "UPDATE number SET state = 'reserved'",
        "UPDATE number SET state = 'void', settled_by = 1 WHERE state = 'committed'",
        "UPDATE number SET state = 'void' WHERE state = 'reserved'",
        "UPDATE number SET state = 'committed', settled_by = 1, uid = 'x' WHERE state = 'reserved'",
        "UPDATE number SET state = 'lost', settled_by = 1 WHERE state = 'reserved'",
        // born settled, handed out twice, a second one for the same chip
        "INSERT INTO number (series, number, uid, state, reserved_at, attempt, settled_by) \
         VALUES ('serial', '00000000000000000009', 'x', 'committed', '', 1, 1)",
        "INSERT INTO number (series, number, uid, state, reserved_at, attempt) \
         SELECT series, number, 'x', 'reserved', reserved_at, attempt FROM number",
        "INSERT INTO number (series, number, uid, state, reserved_at, attempt) \
         SELECT series, '00000000000000000009', uid, 'reserved', reserved_at, attempt FROM number WHERE state = 'reserved'",
    ] {
        bench.sql(statement).expect_err(statement);
    }
    assert_eq!(bench.numbers(), before);
    // the one thing that may be done
    bench
        .sql("UPDATE number SET state = 'void', settled_by = 2 WHERE state = 'reserved'")
        .expect("allowed");
}

pub fn a_row_that_was_changed_is_said_to_be(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Fail);
    station.flash(2, Fail);
    bench.force("UPDATE ending SET verdict = 'pass' WHERE attempt = 1");
    bench.force("UPDATE attempt SET site = '9' WHERE id = 2");
    let damage: Vec<_> = bench
        .attempts(&Filter::default())
        .into_iter()
        .map(|attempt| attempt.damage.expect("said"))
        .collect();
    assert!(damage[0].contains("`verdict`"), "{damage:?}");
    assert!(damage[1].contains("`site`"), "{damage:?}");
}
