//! Whatever is changed in a journal or in the ledger is found, and the first broken link is the right one.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rtflash::clock::Clock;
use rtflash::records::audit::{Audit, Break};
use rtflash::records::{AttemptId, Check, JournalMark, Told, check, read_journal};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::records_line::Line;

/// Nobody writes to these records: a second reading needs no wait.
struct NoWait;

impl Clock for NoWait {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

fn audit(line: &Line) -> Audit {
    check(&line.place(), &Check::default(), &NoWait).expect("records")
}

/// The audit of the line with other bytes in the journal of `station`.
fn with_journal(line: &Line, station: &str, bytes: &[u8]) -> Audit {
    let path = line.journal(station);
    let before = fs::read(&path).expect("a journal");
    fs::write(&path, bytes).expect("a journal");
    let audit = audit(line);
    fs::write(&path, before).expect("a journal");
    audit
}

#[track_caller]
fn first(audit: &Audit, change: &str) -> Break {
    let first = audit.breaks.first().cloned();
    first.unwrap_or_else(|| panic!("{change}: {}", audit.verdict()))
}

/// The first break is that of the chain at `line`.
#[track_caller]
fn breaks_at(audit: &Audit, line: usize, change: &str) {
    let first = first(audit, change);
    assert_eq!(
        (first.line, first.attempt),
        (Some(line as u64), None),
        "{change}: {first}"
    );
}

/// The line that is named where line `at` (from 0) is changed: a torn line has lost its explanation if that is what it was.
fn named(lines: &[Vec<u8>], at: usize) -> usize {
    const EXPLAINS: &[u8] = b"\"event\":\"torn\"";
    let explains = lines[at]
        .windows(EXPLAINS.len())
        .any(|bytes| bytes == EXPLAINS);
    if explains { at } else { at + 1 }
}

const STATIONS: [&str; 2] = ["line-a", "line-b"];

#[test]
fn the_records_of_a_line_agree_whatever_happened_to_its_attempts() {
    let line = Line::new();
    let audit = audit(&line);
    assert!(audit.agrees(), "{:#?}", audit.breaks);
    assert_eq!(audit.attempts, 17);
    let open: Vec<i64> = audit.open.iter().map(|id| id.0).collect();
    assert_eq!(open, [16, 17]);
    assert_eq!(
        audit.verdict(),
        format!("RECORDS AGREE: 17 attempts, {} lines", audit.lines)
    );
    let told: BTreeSet<String> = STATIONS
        .iter()
        .flat_map(|station| line.lines(station))
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(&line).ok())
        .filter_map(|line| Some(line.get("event")?.as_str()?.to_owned()))
        .collect();
    let every = [
        "begun",
        "claimed",
        "clock-stepped-back",
        "ended",
        "hook",
        "interrupted",
        "opened",
        "torn",
        "withdrawn",
    ];
    assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), every);
}

#[test]
fn a_line_that_is_taken_out_doubled_or_moved_is_named() {
    let line = Line::new();
    for station in STATIONS {
        let lines = line.lines(station);
        for at in 0..lines.len() - 1 {
            let mut without = lines.clone();
            without.remove(at);
            let change = format!("{station} without line {}", at + 1);
            let broken = with_journal(&line, station, &without.concat());
            breaks_at(&broken, named(&lines, at), &change);

            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            let change = format!("{station} with lines {} and {} swapped", at + 1, at + 2);
            let broken = with_journal(&line, station, &swapped.concat());
            breaks_at(&broken, named(&lines, at), &change);
        }
        for at in 0..lines.len() {
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at].clone());
            let change = format!("{station} with line {} twice", at + 1);
            let broken = with_journal(&line, station, &doubled.concat());
            let first = first(&broken, &change);
            let named = first.line.unwrap_or_default() as usize;
            assert!((at + 1..=at + 2).contains(&named), "{change}: {first}");
        }
    }
}

#[test]
fn a_journal_that_was_cut_off_is_found_by_what_the_ledger_notes() {
    let line = Line::new();
    for station in STATIONS {
        let lines = line.lines(station);
        let told: Vec<(Option<AttemptId>, bool)> = read_journal(&line.journal(station))
            .expect("a journal")
            .map(
                |read| match read.expect("a line").line.map(|line| line.told) {
                    Some(told) => (
                        told.attempt(),
                        matches!(told, Told::ClockSteppedBack { .. }),
                    ),
                    None => (None, false),
                },
            )
            .collect();
        for length in 1..lines.len() {
            let change = format!("{station} cut after line {length}");
            let broken = with_journal(&line, station, &lines[..length].concat());
            let lost: Vec<AttemptId> = told[length..].iter().filter_map(|(id, _)| *id).collect();
            let first = first(&broken, &change);
            match first.attempt {
                Some(attempt) => assert!(lost.contains(&attempt), "{change}: {first}"),
                None => assert_eq!(first.line, Some(length as u64), "{change}: {first}"),
            }

            let mut within = lines[..=length].concat();
            within.truncate(within.len() - lines[length].len() / 2);
            let change = format!("{station} cut within line {}", length + 1);
            let broken = with_journal(&line, station, &within);
            breaks_at(&broken, named(&lines, length), &change);
        }
    }
}

#[test]
fn a_byte_that_is_changed_is_found_in_its_line() {
    const SAMPLES: usize = 150;
    let line = Line::new();
    for station in STATIONS {
        let lines = line.lines(station);
        let bytes = lines.concat();
        for sample in 0..SAMPLES {
            let at = sample * bytes.len() / SAMPLES;
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (sample % 8);
            let before = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
            let change = format!("{station}: byte {at} of {:?}", bytes[at] as char);
            let broken = with_journal(&line, station, &changed);
            breaks_at(&broken, named(&lines, before), &change);
        }
    }
}

#[test]
fn journals_that_are_exchanged_gone_or_of_another_ledger_are_found() {
    let line = Line::new();
    let (a, b) = (line.lines("line-a").concat(), line.lines("line-b").concat());
    let other = Line::new();
    let foreign = other.lines("line-a").concat();
    assert_ne!(foreign, a);
    breaks_at(
        &with_journal(&line, "line-a", &foreign),
        1,
        "another ledger's",
    );
    breaks_at(&with_journal(&line, "line-b", &a), 1, "the same twice");
    breaks_at(&with_journal(&line, "line-b", b""), 1, "an empty one");
    fs::remove_file(line.journal("line-b")).expect("removed");
    let gone = first(&audit(&line), "a journal that is gone");
    assert_eq!(gone.attempt, Some(AttemptId(12)), "{gone}");
    assert!(gone.what.contains("no journal of station line-b"), "{gone}");
    fs::write(line.journal("line-b"), b).expect("written");
    assert!(audit(&line).agrees());
}

#[test]
fn a_head_that_was_noted_is_missed_in_a_chain_that_was_made_anew() {
    let line = Line::new();
    let heads: Vec<JournalMark> = audit(&line)
        .heads
        .into_iter()
        .map(|head| head.mark)
        .collect();
    assert_eq!(heads.len(), 2);
    let wanted = Check {
        journals: None,
        heads: heads.clone(),
    };
    assert!(
        check(&line.place(), &wanted, &NoWait)
            .expect("records")
            .agrees()
    );
    let other = Line::new();
    let audit = check(&other.place(), &wanted, &NoWait).expect("records");
    let first = first(&audit, "another line's records");
    assert_eq!(first.line, Some(heads[0].line), "{first}");
    assert!(first.what.contains(&heads[0].sha256), "{first}");
}

/// Cells that tell nothing of what has happened: keys by which a row is found again after a lost commit, what the ledger
/// goes by while an attempt is under way, and which program made the ledger.
const NO_EVIDENCE: [(&str, &str); 7] = [
    ("attempt", "token"),
    ("ending", "token"),
    ("hook", "token"),
    ("hook", "id"),
    ("claim", "database_seconds"),
    ("claimed_number", "place"),
    ("claimed_number", "on_failure"),
];

/// All but `series`, which says what is handed out next, not what was.
const TABLES: [&str; 7] = [
    "meta",
    "attempt",
    "claim",
    "number",
    "claimed_number",
    "ending",
    "hook",
];

/// Another value that could stand in the same place; documents have one for each of their leaves.
fn others(column: &str, value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(0) if column == "kept" => vec![Value::Integer(1)],
        Value::Integer(1) if column == "kept" => vec![Value::Integer(0)],
        Value::Integer(number) => vec![Value::Integer(number + 1)],
        Value::Null if column == "settled_by" => vec![Value::Integer(1)],
        Value::Null => vec![Value::Text("x".to_owned())],
        Value::Text(text) if column == "document" => documents(text),
        Value::Text(text) if column == "state" => ["reserved", "committed", "void"]
            .into_iter()
            .filter(|state| state != text)
            .map(|state| Value::Text(state.to_owned()))
            .collect(),
        Value::Text(text) => vec![Value::Text(other_text(text))],
        _ => panic!("{column}: {value:?}"),
    }
}

/// The last digit is the next one; a text without digits is longer.
fn other_text(text: &str) -> String {
    match text.rfind(|c: char| c.is_ascii_digit()) {
        Some(at) => {
            let digit = (text.as_bytes()[at] - b'0' + 1) % 10;
            format!("{}{digit}{}", &text[..at], &text[at + 1..])
        }
        None => format!("{text}x"),
    }
}

fn documents(text: &str) -> Vec<Value> {
    let document: serde_json::Value = serde_json::from_str(text).expect("a document");
    let mut leaves = Vec::new();
    paths(&document, "", &mut leaves);
    leaves
        .into_iter()
        .map(|path| {
            let mut changed = document.clone();
            let leaf = changed.pointer_mut(&path).expect("a leaf");
            *leaf = match leaf.take() {
                serde_json::Value::Null => "x".into(),
                serde_json::Value::Bool(it) => (!it).into(),
                serde_json::Value::Number(it) => match it.as_u64() {
                    Some(it) => (it + 1).into(),
                    None => (it.as_f64().unwrap_or_default() + 0.001).into(),
                },
                serde_json::Value::String(it) => other_text(&it).into(),
                empty => panic!("{path}: {empty}"),
            };
            Value::Text(changed.to_string())
        })
        .collect()
}

fn paths(value: &serde_json::Value, at: &str, leaves: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                paths(field, &format!("{at}/{name}"), leaves);
            }
        }
        serde_json::Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                paths(item, &format!("{at}/{place}"), leaves);
            }
        }
        _ => leaves.push(at.to_owned()),
    }
}

/// The ledger without what keeps its rows from being changed.
fn open_to_forge(line: &Line) -> Connection {
    let database = Connection::open(line.ledger()).expect("the ledger");
    let triggers: Vec<String> = {
        let mut found = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .expect("triggers");
        let names = found.query_map([], |row| row.get(0)).expect("names");
        names.map(|name| name.expect("a name")).collect()
    };
    assert!(!triggers.is_empty());
    for trigger in triggers {
        database
            .execute_batch(&format!("DROP TRIGGER \"{trigger}\""))
            .expect("dropped");
    }
    database
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;")
        .expect("off");
    database
}

/// Every cell of a table: column, row, value, and the attempt that the row is about.
fn cells(database: &Connection, table: &str) -> Vec<(String, i64, Value, Option<i64>)> {
    let mut select = database
        .prepare(&format!("SELECT rowid AS \"row\", * FROM \"{table}\""))
        .expect("a table");
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let own = if table == "attempt" { "id" } else { "attempt" };
    let mut cells = Vec::new();
    let mut rows = select.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let attempt = names.iter().position(|name| name == own);
        let attempt: Option<i64> = attempt.and_then(|at| row.get(at).ok());
        for (at, name) in names.iter().enumerate().skip(1) {
            let value: Value = row.get(at).expect("a cell");
            let id: i64 = row.get(0).expect("a row's id");
            cells.push((name.clone(), id, value, attempt));
        }
    }
    cells
}

#[test]
fn every_cell_of_the_ledger_that_is_changed_is_found() {
    let line = Line::new();
    let database = open_to_forge(&line);
    let tool: i64 = database
        .query_row("SELECT rowid FROM meta WHERE key = 'tool'", [], |row| {
            row.get(0)
        })
        .expect("a row");
    let (mut found, mut refused, mut missed) = (0, 0, Vec::new());
    let mut misnamed = Vec::new();
    for table in TABLES {
        for (column, row, value, attempt) in cells(&database, table) {
            let is_tool = table == "meta" && row == tool;
            if is_tool || NO_EVIDENCE.contains(&(table, column.as_str())) {
                continue;
            }
            let update = format!("UPDATE \"{table}\" SET \"{column}\" = ?1 WHERE rowid = ?2");
            for other in others(&column, &value) {
                let change = format!("{table}.{column} of row {row}: {value:?} is now {other:?}");
                // a key that belongs to another row is kept away by the database itself
                if database.execute(&update, (&other, row)).is_err() {
                    refused += 1;
                    continue;
                }
                let row_now = match &other {
                    Value::Integer(id) if column == "id" => *id,
                    _ => row,
                };
                match check(&line.place(), &Check::default(), &NoWait) {
                    Err(_) => found += 1,
                    Ok(audit) => match audit.breaks.first() {
                        None => missed.push(change),
                        Some(first) => {
                            found += 1;
                            let is_named = first.attempt.is_none_or(|id| Some(id.0) == attempt);
                            if !is_named && !["id", "attempt"].contains(&column.as_str()) {
                                misnamed.push(format!("{change}: {first}"));
                            }
                        }
                    },
                }
                database
                    .execute(&update, (&value, row_now))
                    .expect("as before");
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(
        misnamed.is_empty(),
        "{} misnamed:\n{}",
        misnamed.len(),
        misnamed.join("\n")
    );
    assert!(
        found > 700 && refused < 100,
        "{found} found, {refused} refused"
    );
    assert!(audit(&line).agrees());
}

#[test]
fn every_row_of_the_ledger_that_is_taken_out_is_found() {
    let line = Line::new();
    let database = open_to_forge(&line);
    for table in [
        "attempt",
        "claim",
        "number",
        "claimed_number",
        "ending",
        "hook",
    ] {
        let cells = cells(&database, table);
        let rows: BTreeSet<i64> = cells.iter().map(|cell| cell.1).collect();
        for row in rows {
            let of_row: Vec<_> = cells.iter().filter(|cell| cell.1 == row).collect();
            let names: Vec<&str> = of_row.iter().map(|cell| cell.0.as_str()).collect();
            let values: Vec<&Value> = of_row.iter().map(|cell| &cell.2).collect();
            let places: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
            let delete = format!("DELETE FROM \"{table}\" WHERE rowid = {row}");
            database.execute_batch(&delete).expect("taken out");
            let change = format!("{table} without row {row}");
            let broken = first(&audit(&line), &change);
            let attempt = of_row.first().and_then(|cell| cell.3);
            assert!(
                broken.attempt.is_none_or(|id| Some(id.0) == attempt),
                "{change}: {broken}"
            );
            let insert = format!(
                "INSERT INTO \"{table}\" ({}) VALUES ({})",
                names.join(", "),
                places.join(", ")
            );
            database
                .execute(&insert, rusqlite::params_from_iter(values))
                .expect("put back");
        }
    }
    assert!(audit(&line).agrees());
}
