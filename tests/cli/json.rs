//! `--json`: one record of the published shape on standard output, whatever happens.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::station::{Session, Station, data, image, probe};

/// The record on standard output, valid by the published schema.
pub fn record(session: &Session) -> Value {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/record.schema.json");
    let schema = fs::read_to_string(schema).expect("schema");
    let schema: Value = serde_json::from_str(&schema).expect("schema");
    let validator = jsonschema::validator_for(&schema).expect("schema");
    let record: Value = serde_json::from_str(&session.stdout)
        .unwrap_or_else(|e| panic!("standard output is not one JSON value: {e}\n{session}"));
    let errors: Vec<String> = validator
        .iter_errors(&record)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{session}");
    assert_eq!(record["record_version"], 1, "{session}");
    record
}

#[test]
fn a_flash_is_one_record_with_image_identity_phases_verdict_and_evidence() {
    let station = Station::new();
    let session = station.flash(&image(), &["--json"]).ends_with(0);
    let record = record(&session);
    assert_eq!(record["command"], "flash");
    assert_eq!(record["verdict"]["kind"], "pass");
    assert_eq!(record["left"], "complete");
    assert_eq!(
        record["inputs"][0]["sha256"].as_str().map(str::len),
        Some(64)
    );
    assert_eq!(record["chip"]["uid"].as_str().map(str::len), Some(16));
    assert_eq!(record["flash"]["jedec_id"], "9D 70 17");
    assert!(
        record["image"]["inserted"]
            .as_array()
            .is_some_and(|parts| !parts.is_empty())
    );
    assert!(
        record["phases"]
            .as_array()
            .is_some_and(|phases| phases.len() > 4)
    );
    assert!(
        record["boot"]["evidence"]
            .as_array()
            .is_some_and(|seen| !seen.is_empty())
    );
    assert_eq!(record["retries"], Value::Array(Vec::new()));
    assert_eq!(record["problem"], Value::Null);
}

#[test]
fn verify_reset_and_every_kind_of_failure_are_records_of_the_same_shape() {
    let station = Station::flashed(&image());
    let at = probe("");
    let image = image();
    let image = image.to_str().expect("text");
    let malformed = data("odd").join("bad-checksum.hex");
    let malformed = malformed.to_str().expect("text");
    let strapped = probe("boot-mode=serial-downloader");
    let sessions: [(&[&str], i32, &str); 7] = [
        (&["verify", image, "--probe", &at, "--json"], 0, "equal"),
        (&["reset", "--probe", &at, "--json"], 0, "pass"),
        (&["reset", "--probe", &strapped, "--json"], 16, "not-booted"),
        (
            &["flash", image, "--probe", &strapped, "--json"],
            16,
            "boot-not-proven",
        ),
        (
            &["flash", malformed, "--probe", &at, "--json"],
            13,
            "refused",
        ),
        (
            &[
                "flash", image, "--flash", "nonsense", "--probe", &at, "--json",
            ],
            2,
            "refused",
        ),
        (
            &[
                "flash",
                image,
                "--flash",
                "is25wp128",
                "--probe",
                &probe("part=is25wp064"),
                "--json",
            ],
            6,
            "failed",
        ),
    ];
    for (arguments, code, kind) in sessions {
        let session = station.run(arguments).ends_with(code);
        let record = record(&session);
        assert_eq!(record["verdict"]["kind"], kind, "{session}");
        assert_eq!(record["command"], arguments[0], "{session}");
        assert_eq!(record["problem"].is_null(), code == 0, "{session}");
        if code != 0 {
            assert_eq!(record["problem"]["exit"], code, "{session}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_record_that_cannot_be_written_is_no_success() {
    let station = Station::new();
    let path = image();
    let path = path.to_str().expect("text");
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a device that is always full");
    let at = probe("");
    let output = station
        .command(&["flash", path, "--probe", &at, "--json"])
        .stdout(full)
        .output()
        .expect("rtflash runs");
    assert_eq!(output.status.code(), Some(23));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("[output-lost]"), "{complaint}");
    // the board has its image all the same
    station.verify(&image()).ends_with(0);
}
