//! Attempts for the tests of what is made of them.

use jiff::{SignedDuration, Timestamp};

use super::{Attempt, AttemptId, Begin, End, JournalMark, Reserved, VerdictKind};

/// When the first board of the sample line is seated.
pub const START: &str = "2026-11-23T08:00:00Z";

/// An attempt on the sample line.
pub fn attempt(id: i64, site: &str, begun_second: i64) -> Attempt {
    Attempt {
        id: AttemptId(id),
        begin: Begin {
            station: "line-a".to_owned(),
            site: site.to_owned(),
            operator: Some("Ada".to_owned()),
            probe: "1366:0101:000123".to_owned(),
            job: "widget".to_owned(),
            job_sha256: "ab".repeat(32),
            images_sha256: vec!["cd".repeat(32)],
            tool_version: "0.1.0".to_owned(),
            barcode: None,
            begun_at: at(begun_second),
            rehearsal: false,
        },
        claimed: None,
        reserved: Vec::new(),
        end: None,
        journal: None,
        hooks: Vec::new(),
        damage: None,
    }
}

/// That many seconds after [`START`].
pub fn at(second: i64) -> Timestamp {
    let start: Timestamp = START.parse().expect("a time");
    start + SignedDuration::from_secs(second)
}

/// The attempt ended so, that many seconds after its begin.
pub fn ended(
    mut attempt: Attempt,
    verdict: VerdictKind,
    code: Option<&str>,
    uid: Option<&str>,
    seconds: i64,
) -> Attempt {
    attempt.end = Some(End {
        verdict,
        exit: if verdict == VerdictKind::Pass { 0 } else { 16 },
        code: code.map(str::to_owned),
        text: format!("{} in words", verdict.name()),
        uid: uid.map(str::to_owned),
        serial: None,
        flash_sha256: None,
        phases: vec![("connect".to_owned(), 0.5), ("program".to_owned(), 2.0)],
        retries: 0,
        record: serde_json::Value::Null,
        ended_at: attempt.begin.begun_at + SignedDuration::from_secs(seconds),
    });
    attempt.journal = Some(JournalMark {
        line: 3,
        sha256: "ef".repeat(32),
    });
    attempt
}

/// It passed in eight seconds.
pub fn passed(id: i64, site: &str, begun_second: i64, uid: &str) -> Attempt {
    let attempt = attempt(id, site, begun_second);
    ended(attempt, VerdictKind::Pass, None, Some(uid), 8)
}

/// It failed in five seconds.
pub fn failed(id: i64, site: &str, begun_second: i64, uid: Option<&str>, code: &str) -> Attempt {
    let attempt = attempt(id, site, begun_second);
    ended(attempt, VerdictKind::Fail, Some(code), uid, 5)
}

/// It has a serial number of the series `serial`.
pub fn with_serial(mut attempt: Attempt, number: u64) -> Attempt {
    attempt.reserved.push(Reserved {
        series: "serial".to_owned(),
        number,
        reserved_at: attempt.begin.begun_at,
        kept: false,
    });
    if let Some(end) = &mut attempt.end {
        end.serial = Some(format!("W{number:05}"));
    }
    attempt
}
