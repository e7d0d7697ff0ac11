//! Tests of values from CSV files and programs, with real files and real programs.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;

use super::Outside;
use crate::image::FileHash;
use crate::problem::{ExitCode, Problem};
use crate::unit::{Number, Rule, Series, UnitFacts, UnitRules};

#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    series: Vec<Series>,
    data: Vec<Rule>,
}

const SERIAL: &str = "[[series]]\nname = 'sn'\nfirst = 1\nlast = 3\n[[data]]\nname = 'sn'\naddress = 0x60002200\nserial = { series = 'sn', format = 'decimal', width = 3, text = 'S{number}' }\n";

fn rules(text: &str) -> UnitRules {
    let tables: Tables = toml::from_str(text).expect(text);
    UnitRules::new(tables.series, tables.data).expect(text)
}

fn facts(number: u64) -> UnitFacts {
    let now = "2026-11-23T01:37:14Z".parse().expect("a time");
    let of = |series: &str| {
        let reserved_at = now;
        (
            series.to_owned(),
            Number {
                number,
                reserved_at,
            },
        )
    };
    UnitFacts {
        uid: 0x0123_4567_89AB_CDEF,
        numbers: [of("sn"), of("rows")].into(),
        now,
        barcode: Some("B1".to_owned()),
        outside: std::collections::BTreeMap::new(),
    }
}

/// A rule with four bytes from `keys.csv`, which has this content.
fn table(folder: &Path, csv: &str, keys: &str) -> String {
    fs::write(folder.join("keys.csv"), csv).expect("written");
    let sha256 = FileHash::of(csv.as_bytes());
    format!(
        "[[data]]\nname = 'key'\naddress = 0x60002300\nlength = 4\ntable = {{ file = 'keys.csv', sha256 = '{sha256}', column = 'key', form = 'hex', {keys} }}\n"
    )
}

fn load(folder: &TempDir, text: &str) -> Result<Outside, Problem> {
    Outside::load(&rules(text), "job", folder.path())
}

fn value(folder: &TempDir, text: &str, number: u64) -> Result<String, Problem> {
    let outside = load(folder, text).expect(text);
    let values = outside.values(&facts(number), false)?;
    Ok(values["key"].clone())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

const CSV: &str = "\u{feff}sn,uid,code,key\nS001,0123456789abcdef,B7,00000001\nS002 , 00,B1, 00000002\nS003,1,x,0000_3\n";

#[test]
fn a_row_is_found_by_serial_number_unique_id_barcode_or_turn() {
    let csv = CSV.replace("0000_3", "00000003");
    let folder = folder();
    let by = |keys: &str, number| {
        let series = "[[series]]\nname = 'rows'\nfirst = 1\nlast = 3\n";
        let series = if keys.contains("next") { series } else { "" };
        let text = format!("{SERIAL}{series}{}", table(folder.path(), &csv, keys));
        value(&folder, &text, number)
    };
    assert_eq!(
        by("key = 'serial', key_column = 'sn'", 2),
        Ok("00000002".to_owned())
    );
    assert_eq!(
        by("key = 'unique-id', key_column = 'uid'", 2),
        Ok("00000001".to_owned())
    );
    assert_eq!(
        by("key = 'barcode', key_column = 'code'", 1),
        Ok("00000002".to_owned())
    );
    assert_eq!(
        by("key = 'next', series = 'rows'", 3),
        Ok("00000003".to_owned())
    );
    let problem = by("key = 'barcode', key_column = 'sn'", 2).expect_err("no row");
    assert_eq!(
        (problem.code, problem.exit),
        ("table-no-row", ExitCode::Refused)
    );
    assert!(problem.what.contains("`B1`"), "{problem}");
}

#[test]
fn files_that_cannot_be_trusted_are_refused_when_the_job_is_loaded() {
    let folder = folder();
    let by_serial = "key = 'serial', key_column = 'sn'";
    let refused = |csv: &str, keys: &str, change: fn(String) -> String| {
        let text = SERIAL.to_owned() + &change(table(folder.path(), csv, keys));
        let problem = load(&folder, &text).expect_err(csv);
        assert_eq!(problem.exit, ExitCode::MalformedInput);
        (problem.code, problem.place.line)
    };
    let same = |text| text;
    assert_eq!(refused(CSV, by_serial, same), ("table-value", Some(4)));
    let double = "sn,key\nS001,00000001\nS002,00000002\nS001,00000003\n";
    assert_eq!(refused(double, by_serial, same), ("table-key", Some(4)));
    assert_eq!(
        refused("sn,key\n,00000001\n", by_serial, same),
        ("table-key", Some(2))
    );
    assert_eq!(
        refused("sn,key\nS001,1,2\n", by_serial, same),
        ("table-syntax", Some(2))
    );
    let open = "sn,key,note\nS001,00000001,\"5 inch\nS002,00000002,\n";
    assert_eq!(refused(open, by_serial, same), ("table-syntax", Some(2)));
    assert_eq!(
        refused("sn;key\nS001;1\n", by_serial, same),
        ("table-column", Some(1))
    );
    assert_eq!(
        refused("sn,key,key\nS001,1,2\n", by_serial, same),
        ("table-column", Some(1))
    );
    let good = "sn,key\nS001,00000001\n";
    let other = |text: String| {
        let at = text.find("sha256 = '").expect("a hash") + "sha256 = '".len();
        let mut text = text;
        text.replace_range(at..at + 4, "0000");
        text
    };
    assert_eq!(refused(good, by_serial, other), ("table-hash", None));
    let not_pinned = |text: String| {
        let from = text.find("sha256").expect("a hash");
        let to = text.find("column").expect("a column");
        let mut text = text;
        text.replace_range(from..to, "");
        text
    };
    assert_eq!(
        refused(good, by_serial, not_pinned),
        ("table-not-pinned", None)
    );
    let gone = |text: String| text.replace("keys.csv", "gone.csv");
    assert_eq!(refused(good, by_serial, gone), ("table-unreadable", None));
    let few = "[[series]]\nname = 'rows'\nfirst = 1\nlast = 2\n".to_owned()
        + &table(folder.path(), good, "key = 'next', series = 'rows'");
    assert_eq!(
        load(&folder, &few).expect_err("few rows").code,
        "table-rows"
    );
}

/// A rule whose value a shell script prints.
#[cfg(unix)]
fn script(folder: &Path, script: &str, timeout_ms: u32) -> String {
    fs::write(folder.join("ask.sh"), script).expect("written");
    let sha256 = FileHash::of(script.as_bytes());
    by_program(&format!(
        "command = ['sh', 'ask.sh', 'a b'], files = [{{ file = 'ask.sh', sha256 = '{sha256}' }}], timeout_ms = {timeout_ms}"
    ))
}

/// A rule whose value a program with these keys prints.
fn by_program(keys: &str) -> String {
    format!(
        "{SERIAL}[[data]]\nname = 'key'\naddress = 0x60002300\nlength = 64\nprogram = {{ {keys} }}\n"
    )
}

#[cfg(unix)]
fn asked(text: &str, timeout_ms: u32) -> Result<String, Problem> {
    let folder = folder();
    let rules = script(folder.path(), text, timeout_ms);
    value(&folder, &rules, 2)
}

#[cfg(unix)]
#[test]
fn a_program_gets_the_unit_s_facts_and_its_line_is_the_value() {
    const LONG: u32 = 20_000;
    let folder = folder();
    let text = script(folder.path(), "cat > facts.json; echo \"$1-7\"", LONG);
    assert_eq!(value(&folder, &text, 2), Ok("a b-7".to_owned()));
    let facts = fs::read(folder.path().join("facts.json")).expect("facts");
    let facts: serde_json::Value = serde_json::from_slice(&facts).expect("JSON");
    assert_eq!(
        facts,
        serde_json::json!({
            "facts_version": 1, "job": "job", "rule": "key", "uid": "0123456789ABCDEF", "serial": "S002",
            "barcode": "B1", "numbers": {"sn": 2, "rows": 2}, "values": {}, "now": "2026-11-23T01:37:14Z",
            "rehearsal": false,
        })
    );
    // one that does not read its input
    assert_eq!(asked("echo ok", LONG), Ok("ok".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_program_that_refuses_fails_or_hangs_refuses_the_unit() {
    const LONG: u32 = 20_000;
    let refused = |text, timeout_ms| {
        let problem = asked(text, timeout_ms).expect_err(text);
        assert_eq!(problem.exit, ExitCode::Refused);
        (problem.code, problem.why.expect("a reason"))
    };
    let (code, why) = refused(
        "echo first >&2; echo no such unit >&2; echo x; exit 3",
        LONG,
    );
    assert_eq!(code, "program-refused");
    assert!(why.contains('3') && why.contains("no such unit"), "{why}");
    assert_eq!(refused("sleep 30; echo late", 100).0, "program-timeout");
    assert_eq!(refused("", LONG).0, "program-output");
    assert_eq!(refused("echo a; echo b", LONG).0, "program-output");
    assert_eq!(refused("printf '\\377\\n'", LONG).0, "program-output");
    let long = "printf '%065d\\n' 1";
    let (code, why) = refused(long, LONG);
    assert_eq!(code, "program-output");
    assert!(why.contains("room for 64"), "{why}");
    assert_eq!(refused("kill -9 $$", LONG).0, "program-refused");
}

#[test]
fn a_program_of_the_job_s_own_folder_is_run_only_where_the_job_pins_it() {
    let folder = folder();
    for name in ["ask.sh", "gone.sh"] {
        let refused = |keys: &str| {
            let problem = load(&folder, &by_program(keys)).expect_err(keys);
            assert_eq!(problem.exit, ExitCode::MalformedInput, "{problem}");
            problem.code
        };
        if name == "ask.sh" {
            fs::write(folder.path().join(name), "echo ok").expect("written");
            // a script that the station's own interpreter runs
            let keys = format!("command = ['sh', '{name}']");
            assert_eq!(refused(&keys), "program-not-pinned");
        }
        let keys = format!("command = ['./{name}']");
        assert_eq!(refused(&keys), "program-not-pinned");
        let other = FileHash::of(b"something else");
        let keys = format!("{keys}, files = [{{ file = '{name}', sha256 = '{other}' }}]");
        let is_there = name == "ask.sh";
        let code = if is_there {
            "program-hash"
        } else {
            "program-missing"
        };
        assert_eq!(refused(&keys), code);
    }
    // what is not the job's is the station's
    assert!(load(&folder, &by_program("command = ['sh', '-c', 'echo ok']")).is_ok());
}

#[cfg(unix)]
#[test]
fn a_program_that_was_swapped_after_the_start_is_not_run() {
    let folder = folder();
    let text = script(folder.path(), "echo ok", 20_000);
    let outside = load(&folder, &text).expect("pinned");
    assert!(outside.values(&facts(2), false).is_ok());
    fs::write(folder.path().join("ask.sh"), "echo swapped").expect("written");
    let problem = outside.values(&facts(2), false).expect_err("swapped");
    assert_eq!(problem.code, "program-hash");
}

#[cfg(unix)]
#[test]
fn a_program_is_found_also_where_the_job_is_named_from_where_one_stands() {
    let here = tempfile::tempdir_in(".").expect("a folder here");
    let directory = Path::new(here.path().file_name().expect("a name"));
    let script = "#!/bin/sh\necho $PWD";
    let path = directory.join("ask.sh");
    // made by a process of its own: one that this process has open to write might not be started yet
    fs::write(directory.join("draft"), script).expect("written");
    let mut install = std::process::Command::new("install");
    let made = install
        .args(["-m", "755"])
        .arg(directory.join("draft"))
        .arg(&path);
    assert!(made.status().expect("install").success());
    let sha256 = FileHash::of(script.as_bytes());
    let pinned = format!("files = [{{ file = 'ask.sh', sha256 = '{sha256}' }}]");
    let place = fs::canonicalize(directory).expect("a place");
    for command in ["'./ask.sh'", "'sh', 'ask.sh'"] {
        let text = by_program(&format!("command = [{command}], {pinned}")).replace("64", "200");
        let outside = Outside::load(&rules(&text), "job", directory).expect("pinned");
        let values = outside.values(&facts(2), false).expect(command);
        assert_eq!(Path::new(&values["key"]), place);
    }
    // beside the job file
    let rules = rules(&by_program("command = ['sh', '-c', 'echo $PWD']").replace("64", "200"));
    let outside = Outside::load(&rules, "job", Path::new("")).expect("nothing of its own");
    let values = outside.values(&facts(2), false).expect("started");
    assert_eq!(
        Path::new(&values["key"]),
        fs::canonicalize(".").expect("here")
    );
}
