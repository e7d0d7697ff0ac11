//! What is refused, with its code and its line, whatever is wrong with the file; the schema agrees.

use proptest::prelude::*;

use super::*;
use crate::report::schema_tests::is_published;

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
        ("2500", "120001", "job-value", 38),
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
