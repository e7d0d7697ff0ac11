//! What job files promise: old ones load, odd ones are told with their place, and pins and signatures hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::address::Address;
use crate::boot::HeaderPolicy;
use crate::image::FileHash;
use crate::job::{BootPolicy, Guard, SharedSectors};
use crate::problem::{ExitCode, Problem};
use crate::records::PassedBefore;
use crate::report::schema_tests::is_published;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/jobs/version-1")
        .join(name)
}

/// The fixture's folder on a desk of its own.
fn desk() -> TempDir {
    let desk = tempfile::tempdir().expect("desk");
    fs::create_dir(desk.path().join("data")).expect("folder");
    for name in [
        "job.toml",
        "job.toml.minisig",
        "good.hex",
        "data/table.bin",
        "fcb.bin",
        "keys.csv",
    ] {
        fs::copy(fixture(name), desk.path().join(name)).expect("copied");
    }
    desk
}

fn text_of_fixture() -> String {
    fs::read_to_string(fixture("job.toml")).expect("fixture")
}

fn key() -> TrustedKey {
    TrustedKey::named(fixture("release.pub").to_str().expect("text")).expect("a key")
}

/// What loading the fixture's job says where `from` in it is `to`.
fn refusal(from: &str, to: &str) -> Problem {
    let text = text_of_fixture();
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    LoadedJob::from_content(&fixture("job.toml"), text.as_bytes(), None).expect_err(to)
}

#[test]
fn a_job_of_version_1_loads_as_it_was_meant() {
    let job = LoadedJob::load(&fixture("job.toml"), Some(&key())).expect("a job");
    let file = &job.file;
    assert_eq!(file.name, "gateway-mk2");
    assert_eq!(file.revision.as_deref(), Some("B, 2026-11-23"));
    assert_eq!(job.target.flash().name, "IS25WP064");
    assert_eq!(job.images_sha256().len(), 2);
    assert_eq!(file.images[1].address, Some(0x6004_0000));
    let end = Address::new(0x6004_00FF);
    assert!(
        job.request
            .image
            .segments()
            .iter()
            .any(|s| s.byte_at(end) == Some(0xFF))
    );
    let wishes = &job.request.wishes;
    assert_eq!(wishes.policy, HeaderPolicy::Replace);
    assert!(wishes.fcb.is_some());
    let pipeline = job.job();
    assert_eq!(pipeline.boot_policy, BootPolicy::Accepted);
    assert_eq!(pipeline.shared, SharedSectors::Preserve);
    assert_eq!(pipeline.guard, Guard::Chip);
    assert_eq!(pipeline.boot_timeout, Some(Duration::from_millis(2500)));
    assert_eq!(pipeline.boot_watch, Some(Duration::from_millis(50)));
    let choice = job.choice(None);
    assert_eq!(choice.speed_khz, Some(8000));
    assert!(choice.connect_under_reset);
    assert_eq!(file.unit.attempts, Some(3));
    assert_eq!(file.unit.passed_before, PassedBefore::FlashAgain);
    assert_eq!(file.unit.start, JobStart::Barcode);
    assert_eq!(file.unit.quota, Some(5000));
    assert_eq!(job.cycle_budget(), Some(Duration::from_millis(12_500)));
    assert_eq!(job.rules.rules().series().len(), 1);
    assert_eq!(job.rules.rules().rules().len(), 3);
    let barcode = job.barcode.expect("a pattern");
    assert!(barcode.fits("GW00010001"));
    for other in [
        "",
        "GW0001000",
        "GW000100012",
        "xGW00010001",
        "GW00010001\n",
    ] {
        assert!(!barcode.fits(other), "{other:?}");
    }
}

#[test]
fn what_is_left_out_is_as_cautious_as_can_be() {
    let text = "version = 1\nname = \"a\"\n\
        target = { chip = \"mimxrt1062\", flash = \"is25wp064\", board = \"qspi\" }\n\
        image = [{ file = \"good.hex\", sha256 = \"bac0e5d9fc73f0189531a98e482740d3679964dd2f06eb93358ac4befb8cce8d\" }]\n";
    let job =
        LoadedJob::from_content(&fixture("least.toml"), text.as_bytes(), None).expect("a job");
    let pipeline = job.job();
    assert_eq!(pipeline.boot_policy, BootPolicy::Required);
    assert_eq!(pipeline.shared, SharedSectors::Refuse);
    assert_eq!(job.file.unit.passed_before, PassedBefore::Refuse);
    assert_eq!(job.request.wishes.policy, HeaderPolicy::InsertMissing);
    assert!(job.barcode.is_none() && job.cycle_budget().is_none() && job.signed.is_none());
}

#[test]
fn the_signature_that_minisign_made_is_trusted_and_says_who_made_it() {
    let job = LoadedJob::load(&fixture("job.toml"), Some(&key())).expect("a job");
    let signed = job.signed.expect("signed");
    assert_eq!(signed.comment, "released by minisign 0.11");
    let public = fs::read_to_string(fixture("release.pub")).expect("key");
    assert!(public.contains(&signed.key), "{public}");
    let bare = public.lines().nth(1).expect("the key itself");
    assert_eq!(TrustedKey::named(bare), Ok(key()));
}

#[test]
fn no_byte_of_a_signed_job_or_its_signature_can_be_changed() {
    let desk = desk();
    let job = desk.path().join("job.toml");
    let signature = desk.path().join("job.toml.minisig");
    let (text, signed) = (
        fs::read(&job).expect("job"),
        fs::read(&signature).expect("signature"),
    );
    assert!(key().verify(&job, &text).is_ok());
    for at in (0..text.len()).step_by(7) {
        let mut altered = text.clone();
        altered[at] ^= 1;
        let problem = key().verify(&job, &altered).expect_err("altered");
        assert_eq!(problem.code, "job-signature", "byte {at}");
    }
    // the first line of a signature is the one that nothing protects
    let protected = signed
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a line")
        + 1;
    for at in protected..signed.len() {
        let mut altered = signed.clone();
        altered[at] ^= 4;
        fs::write(&signature, &altered).expect("written");
        match key().verify(&job, &text) {
            // line ends, and what fills up the Base64
            Ok(_) => assert!(b"\n=".contains(&signed[at]), "byte {at} can be changed"),
            Err(problem) => assert!(
                ["job-signature", "job-other-key"].contains(&problem.code),
                "{problem}"
            ),
        }
        fs::write(&signature, &signed[..at]).expect("written");
        let cut = key().verify(&job, &text);
        // without the end of its last line it is whole
        assert!(cut.is_err() || at + 1 == signed.len(), "cut at {at}");
    }
}

#[test]
fn the_schema_of_the_job_file_is_published() {
    is_published::<JobFile>("job.schema.json");
}

#[test]
fn the_schema_accepts_the_job_of_version_1_and_no_unknown_key() {
    let schema = serde_json::to_value(schemars::schema_for!(JobFile)).expect("schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let json = |text: &str| {
        let table: toml::Value = toml::from_str(text).expect("TOML");
        serde_json::to_value(table).expect("JSON")
    };
    let text = text_of_fixture();
    let errors: Vec<String> = schema
        .iter_errors(&json(&text))
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (from, to) in [
        ("[unit]", "[unit]\ncolour = 3"),
        ("version = 1\n", "version = 1\ncolour = 3\n"),
        ("[[image]]", "[[image]]\ncolour = 3"),
        ("[boot]", "[boot]\ncolour = 3"),
        ("[target]", "[target]\ncolour = 3"),
        ("[identity]", "[identity]\ncolour = 3"),
        ("[link]", "[link]\ncolour = 3"),
        ("[boot_header]", "[boot_header]\ncolour = 3"),
        ("[[series]]", "[[series]]\ncolour = 3"),
        ("[[data]]", "[[data]]\ncolour = 3"),
        ("unique_id = {}", "unique_id = { colour = 3 }"),
    ] {
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        assert!(!schema.is_valid(&json(&text)), "{to}");
        // and the program agrees
        let problem = refusal(from, to);
        assert_eq!(problem.code, "job-syntax", "{problem}");
        assert!(problem.place.line.is_some(), "{problem}");
        assert!(problem.why.expect("why").contains("colour"));
    }
}

#[test]
fn what_contradicts_itself_is_told_with_its_line() {
    for (from, to, code, line) in [
        ("version = 1", "version = 2", "job-newer", 2),
        ("version = 1", "version = 0", "job-version", 2),
        ("version = 1", "version = \"1\"", "job-version", 2),
        ("version = 1", "version = -1", "job-version", 2),
        ("gateway-mk2", "-mk2", "job-name", 3),
        ("gateway-mk2", "gate way", "job-name", 3),
        ("gateway-mk2", "", "job-name", 3),
        ("B, 2026-11-23", "B\\nC", "job-value", 4),
        ("is25wp064", "auto", "target-unknown", 8),
        ("\"0123456789abcdef\"", "\"0123\"", "job-identity", 14),
        ("[\"fab\", \"open\", \"closed\"]", "[]", "job-identity", 16),
        ("8000", "9", "job-value", 19),
        ("\"good.hex\"", "\"../good.hex\"", "job-path", 23),
        ("\"good.hex\"", "\"/good.hex\"", "job-path", 23),
        ("\"good.hex\"", "\"C:good.hex\"", "job-path", 23),
        ("\"good.hex\"", "'data\\good.hex'", "job-path", 23),
        ("\"good.hex\"", "\"-\"", "job-path", 23),
        ("\"good.hex\"", "\"\"", "job-path", 23),
        ("\"keys.csv\"", "\"../keys.csv\"", "job-path", 70),
        ("\"fcb.bin\"", "\"../fcb.bin\"", "job-path", 33),
        (
            "policy = \"replace\"",
            "policy = \"keep\"",
            "job-contradiction",
            31,
        ),
        (
            "policy = \"replace\"",
            "clock_mhz = 60",
            "job-contradiction",
            31,
        ),
        (
            "reason = \"the fixture's pin 12 holds the application in reset\"\n",
            "",
            "job-proof-reason",
            35,
        ),
        (
            "the fixture's pin 12 holds the application in reset",
            "  ",
            "job-proof-reason",
            35,
        ),
        ("boot_proof = \"none\"\n", "", "job-contradiction", 36),
        ("2500", "9", "job-value", 38),
        ("attempts = 3", "attempts = 0", "job-value", 42),
        ("GW[0-9]{8}", "GW[0-9", "job-barcode", 45),
        ("GW[0-9]{8}", "a)(b", "job-barcode", 45),
        ("GW[0-9]{8}", "[0-9]*", "job-barcode", 45),
        ("\"barcode\"\n", "\"key\"\n", "job-barcode", 45),
        ("barcode = 'GW[0-9]{8}'\n", "", "job-barcode", 41),
        ("12.5", "-1.0", "job-value", 46),
        ("12.5", "nan", "job-value", 46),
        ("5000", "0", "job-value", 47),
        ("[link]", "[link", "job-syntax", 18),
        ("revision = ", "name = ", "job-syntax", 4),
    ] {
        let problem = refusal(from, to);
        assert_eq!(problem.code, code, "{to}: {problem}");
        assert_eq!(problem.exit, ExitCode::MalformedInput, "{problem}");
        assert_eq!(problem.place.line, Some(line), "{to}: {problem}");
        assert!(problem.place.file.is_some(), "{problem}");
    }
}

#[test]
fn what_the_command_line_calls_by_its_options_is_called_by_the_job_s_keys() {
    let fcb = text_of_fixture();
    let fcb = fcb
        .lines()
        .find(|line| line.starts_with("fcb = "))
        .expect("fcb");
    for (to, code, word) in [
        ("clock_mhz = 61", "clock", "61 MHz"),
        (
            "read_mode = \"quad-io\"\nclock_mhz = 166",
            "clock",
            "with fcb",
        ),
    ] {
        let problem = refusal(fcb, to);
        assert_eq!(
            (problem.code, problem.exit),
            (code, ExitCode::MalformedInput)
        );
        let said = problem.to_string();
        assert!(said.contains(word) && !said.contains("--"), "{said}");
        assert_eq!(problem.place.line, Some(31), "{said}");
    }
}

#[test]
fn a_job_that_does_not_pin_all_its_files_is_not_run() {
    for (name, after) in [
        ("good.hex", "\nsha256 = \""),
        ("fcb.bin", ", sha256 = \""),
        ("keys.csv", ", sha256 = \""),
    ] {
        let text = text_of_fixture();
        let named = text.find(name).expect("named");
        let pin = named + text[named..].find(after).expect("pinned");
        let pin = &text[pin..pin + after.len() + 64 + 1];
        let problem = refusal(pin, "");
        assert_eq!(problem.code, "job-not-locked");
        assert!(problem.what.contains(name), "{problem}");
    }
}

#[test]
fn a_file_that_changes_after_the_job_was_loaded_is_noticed() {
    let desk = desk();
    let path = desk.path().join("job.toml");
    let job = LoadedJob::load(&path, None).expect("a job");
    assert_eq!(job.still_the_same(), Ok(()));
    for (name, code) in [
        ("good.hex", "image-changed"),
        ("data/table.bin", "image-changed"),
        ("fcb.bin", "image-changed"),
        ("keys.csv", "image-changed"),
        ("job.toml", "job-changed"),
    ] {
        let file = desk.path().join(name);
        let before = fs::read(&file).expect("file");
        let mut after = before.clone();
        after.push(b'\n');
        fs::write(&file, after).expect("written");
        let problem = job.still_the_same().expect_err("changed");
        assert_eq!(
            (problem.code, problem.exit),
            (code, ExitCode::MalformedInput)
        );
        assert_eq!(problem.place.file.as_deref(), Some(file.as_path()));
        fs::remove_file(&file).expect("removed");
        assert_eq!(job.still_the_same().expect_err("gone").code, code);
        fs::write(&file, before).expect("written");
        assert_eq!(job.still_the_same(), Ok(()));
    }
}

#[test]
fn locking_changes_pins_and_nothing_else() {
    let desk = desk();
    let path = desk.path().join("job.toml");
    let pinned = text_of_fixture();
    // every pin another, and one of them with a comment behind it
    let bac0 = "bac0e5d9fc73f0189531a98e482740d3679964dd2f06eb93358ac4befb8cce8d";
    let hash = FileHash::of(b"another file").to_string();
    let pins = || {
        pinned
            .match_indices("sha256 = \"")
            .map(|(at, _)| &pinned[at + 10..at + 74])
    };
    assert_eq!(pins().count(), 4);
    let stale = pins().fold(pinned.clone(), |text, pin| text.replace(pin, &hash));
    let remark = |text: &str, pin: &str| {
        text.replacen(
            &format!("\"{pin}\"\n"),
            &format!("\"{pin}\" # the released one\n"),
            1,
        )
    };
    fs::write(&path, remark(&stale, &hash)).expect("written");
    let lock = Lock::of(&path).expect("a lock");
    assert!(lock.pins().iter().all(Pin::is_new));
    assert_eq!(lock.write(false).expect_err("signed").code, "job-signed");
    assert!(lock.write(true).expect("written").is_some());
    assert!(!desk.path().join("job.toml.minisig").exists());
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text, remark(&pinned, bac0));
    let as_on_windows = |text: &str| text.replace('\n', "\r\n");
    fs::write(&path, as_on_windows(&stale)).expect("written");
    Lock::of(&path)
        .expect("a lock")
        .write(false)
        .expect("written");
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text, as_on_windows(&pinned));

    // and with none, in tables and inline tables
    let without: String = pinned
        .lines()
        .filter(|line| !line.starts_with("sha256"))
        .map(|line| match line.find(", sha256 = \"") {
            Some(at) => format!("{}{}\n", &line[..at], &line[at + 12 + 65..]),
            None => format!("{line}\n"),
        })
        .collect();
    fs::write(&path, &without).expect("written");
    Lock::of(&path)
        .expect("a lock")
        .write(false)
        .expect("written");
    let text = fs::read_to_string(&path).expect("text");
    let order = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("sha256"));
        lines
            .map(|line| line.split(", sha256").next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(order(&text), order(&pinned));
    assert!(
        text.contains(&format!(
            "fcb = {{ file = \"fcb.bin\", sha256 = \"{}\" }}\n",
            pins().nth(2).expect("fcb")
        )),
        "{text}"
    );
    assert!(LoadedJob::load(&path, None).is_ok());
    assert!(
        !Lock::of(&path)
            .expect("a lock")
            .pins()
            .iter()
            .any(Pin::is_new)
    );
}

#[test]
fn a_job_to_begin_with_is_a_job() {
    let hash = FileHash::of(&fs::read(fixture("good.hex")).expect("image"));
    let images = [("good.hex".to_owned(), None, hash)];
    let new = |images| NewJob {
        name: "begun",
        target: ["mimxrt1062", "is25wp064", "qspi"],
        images,
    };
    let text = new(&images).text();
    let job = LoadedJob::from_content(&fixture("begun.toml"), text.as_bytes(), None);
    assert_eq!(job.expect("a job").file.name, "begun");
    // what stands in comments is meant as well
    let keys = text.lines().filter_map(|line| line.strip_prefix("# "));
    let known =
        |line: &str| line.starts_with('[') || line.split(" = ").count() == 2 && !line.contains('`');
    let all: String = keys
        .filter(|line| known(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let keys: toml::Table = toml::from_str(&all).expect("TOML");
    assert!(keys.len() >= 6, "{all}");
    let odd = [(
        "a \"b\\c.bin".to_owned(),
        Some(Address::new(0x6000_2000)),
        hash,
    )];
    let text = JobText::new(Path::new("odd.toml"), new(&odd).text().as_bytes()).expect("text");
    let file = text.parse().expect("a job");
    assert_eq!(file.images[0].file, Path::new("a \"b\\c.bin"));
    assert_eq!(file.images[0].address, Some(0x6000_2000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_with_any_damage_is_a_job_or_refused_with_its_place(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "(?s).{0,12}|\\[|\\]|=|\"|'''|#|\\n|0x|1e999|\\{\\}"), 1..4)
    ) {
        let mut text = text_of_fixture();
        for (at, length, instead) in cuts {
            let from = at.index(text.len());
            let from = (0..=from).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let to = (from + length..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            text.replace_range(from..to, &instead);
        }
        match LoadedJob::from_content(&fixture("job.toml"), text.as_bytes(), None) {
            Ok(job) => prop_assert_eq!(job.file.version, JOB_VERSION),
            Err(problem) => {
                prop_assert!(problem.place.file.is_some(), "{}\n{}", problem, text);
                prop_assert!(matches!(problem.exit, ExitCode::MalformedInput | ExitCode::Refused), "{}", problem);
                prop_assert!(problem.fix.is_some(), "{}", problem);
            }
        }
        // what can be understood can be edited
        let read = JobText::new(Path::new("job.toml"), text.as_bytes());
        if read.is_ok_and(|read| read.parse().is_ok()) {
            prop_assert!(text.parse::<toml_edit::DocumentMut>().is_ok());
        }
    }

    #[test]
    fn bytes_that_are_no_job_are_refused_and_signatures_that_are_none_are(
        content in prop::collection::vec(any::<u8>(), 0..400)
    ) {
        prop_assert!(LoadedJob::from_content(Path::new("job.toml"), &content, None).is_err());
    }
}
