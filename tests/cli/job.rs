//! `rtflash job`: what a station will run, and what is refused with which outcome.

use std::fs;

use crate::station::{Session, Station, data};

const KEY: &str = "release.key";
const PUBLIC: &str = "release.pub";
const SIGNATURE: &str = "job.toml.minisig";
/// What `job init` writes behind the pin of the image; `unit` comes last.
const PIN: &str = "sha256 = \"";

/// A desk with an image and a job for it.
fn desk() -> Station {
    let station = Station::new();
    fs::copy(data("odd/good.hex"), station.path("good.hex")).expect("image");
    job(&station, &["init", "good.hex"]).ends_with(0);
    station
}

/// The same with a pair of keys, and signed.
fn signed_desk() -> Station {
    let station = desk();
    job(&station, &["keygen", "-o", "release", "--no-password"]).ends_with(0);
    job(&station, &["sign", "job.toml", "-s", KEY]).ends_with(0);
    station
}

fn job(station: &Station, arguments: &[&str]) -> Session {
    station.run(&[&["job"], arguments].concat())
}

fn check(station: &Station) -> Session {
    job(station, &["check", "job.toml"])
}

fn check_signed(station: &Station) -> Session {
    job(station, &["check", "job.toml", "--trust", PUBLIC])
}

fn text(station: &Station) -> String {
    fs::read_to_string(station.path("job.toml")).expect("job")
}

/// Changes the job file.
fn edit(station: &Station, from: &str, to: &str) {
    let text = text(station);
    assert!(text.contains(from), "{from}\n{text}");
    fs::write(station.path("job.toml"), text.replacen(from, to, 1)).expect("job");
}

/// The place of `key` as complaints write it.
fn line(station: &Station, key: &str) -> String {
    let text = text(station);
    let at = text.lines().position(|line| line.starts_with(key));
    format!("job.toml:{}", at.expect(key) + 1)
}

#[test]
fn a_job_that_init_wrote_is_ready_to_run() {
    let station = desk();
    let hash = "bac0e5d9fc73f0189531a98e482740d3679964dd2f06eb93358ac4befb8cce8d";
    check(&station)
        .ends_with(0)
        .reports("job", &["good"])
        .reports("signature", &["none"])
        .reports("target", &["mimxrt1062, is25wp064, qspi"])
        .reports("image", &["good.hex", hash])
        .reports("boots", &["inserts"])
        .reports("proof", &["required"])
        .last_line_is("READY: a station can run this job");
    let before = text(&station);
    job(&station, &["init", "good.hex"])
        .ends_with(2)
        .complains("output-exists", &["job.toml"])
        .advises();
    assert_eq!(text(&station), before);
    fs::create_dir(station.path("jobs")).expect("folder");
    job(&station, &["init", "good.hex", "-o", "jobs/job.toml"])
        .ends_with(2)
        .complains("job-path", &["good.hex"])
        .advises();
}

#[test]
fn every_fault_of_a_job_file_has_its_own_code_its_line_and_advice() {
    for (from, to, code, key, words) in [
        (
            "[unit]",
            "[unit]\ncolour = \"red\"",
            "job-syntax",
            "colour",
            &["unknown field", "colour", "attempts"][..],
        ),
        (
            "version = 1",
            "version = 2",
            "job-newer",
            "version",
            &["up to version 1", "newer rtflash"],
        ),
        ("version = 1", "", "job-version", "", &["version = 1"]),
        (
            "[unit]",
            "[boot]\nboot_proof = \"none\"\n[unit]",
            "job-proof-reason",
            "[boot]",
            &["reason = "],
        ),
        (
            "start = \"insertion\"",
            "start = \"barcode\"\nbarcode = \"SN[0-9\"",
            "job-barcode",
            "barcode",
            &["regular expression", "unclosed"],
        ),
        (
            "\"good.hex\"",
            "\"../good.hex\"",
            "job-path",
            "file",
            &["folder"],
        ),
        (
            "is25wp064",
            "auto",
            "target-unknown",
            "chip",
            &["IS25WP064"],
        ),
        (
            "name = \"good\"",
            "name = \"good board\"",
            "job-name",
            "name",
            &["good board"],
        ),
        (
            "attempts = 3",
            "attempts = three",
            "job-syntax",
            "attempts",
            &[],
        ),
    ] {
        let station = desk();
        edit(&station, from, to);
        let session = check(&station).ends_with(13);
        let key = if key == "chip" { "[target]" } else { key };
        let place = match key {
            "" => "job.toml".to_owned(),
            key => line(&station, key),
        };
        session
            .complains(code, words)
            .complains(code, &["where:", &place])
            .advises();
        // lock and sign want a sound job as well, target and pins apart
        if code != "target-unknown" {
            let before = text(&station);
            job(&station, &["lock", "job.toml"])
                .ends_with(13)
                .complains(code, &[]);
            assert_eq!(text(&station), before);
        }
    }
}

#[test]
fn a_job_without_a_pin_is_locked_before_it_is_run() {
    let station = desk();
    let whole = text(&station);
    let at = whole.find(PIN).expect("pin");
    let pin = &whole[at..at + PIN.len() + 64 + 2];
    edit(&station, pin, "");
    for arguments in [&["check", "job.toml"][..], &["sign", "job.toml", "-s", KEY]] {
        job(&station, arguments)
            .ends_with(13)
            .complains("job-not-locked", &["good.hex", "rtflash job lock"])
            .advises();
    }
    job(&station, &["lock", "job.toml"])
        .ends_with(0)
        .reports("pin", &["good.hex: bac0e5d9", "was not pinned"])
        .last_line_is("LOCKED: job.toml");
    check(&station).ends_with(0);
    assert_eq!(text(&station), whole);
    job(&station, &["lock", "job.toml"])
        .ends_with(0)
        .reports("pin", &["unchanged"])
        .last_line_is("job.toml has all its pins, nothing written");
}

#[test]
fn an_altered_image_is_refused_until_the_job_is_locked_and_signed_again() {
    let station = signed_desk();
    let image = fs::read_to_string(station.path("good.hex")).expect("image");
    fs::write(station.path("good.hex"), image.to_lowercase()).expect("image");
    check_signed(&station)
        .ends_with(13)
        .complains("input-hash", &["good.hex", "bac0e5d9", "rtflash job lock"])
        .advises();
    job(&station, &["lock", "job.toml"])
        .ends_with(2)
        .complains("job-signed", &[SIGNATURE, "--void-signature"])
        .advises();
    check_signed(&station)
        .ends_with(13)
        .complains("input-hash", &[]);
    job(&station, &["lock", "job.toml", "--void-signature"])
        .ends_with(0)
        .reports("pin", &["good.hex", "was bac0e5d9"])
        .reports("signature", &[SIGNATURE, "void"]);
    check(&station).ends_with(0);
    check_signed(&station)
        .ends_with(13)
        .complains("job-not-signed", &[SIGNATURE]);
    job(&station, &["sign", "job.toml", "-s", KEY]).ends_with(0);
    check_signed(&station).ends_with(0);
}

#[test]
fn with_a_trusted_key_only_its_jobs_are_taken_and_only_unaltered() {
    let station = signed_desk();
    let public = fs::read_to_string(station.path(PUBLIC)).expect("key");
    let bare = public.lines().nth(1).expect("the key itself");
    for trusted in [PUBLIC, bare] {
        job(&station, &["check", "job.toml", "--trust", trusted])
            .ends_with(0)
            .reports(
                "signature",
                &["verified: by key", "rtflash job good, sha256"],
            );
    }
    check(&station)
        .ends_with(0)
        .reports("signature", &["there is one; --trust verifies it"]);

    // altered in a comment, which changes nothing but the bytes that were signed
    edit(&station, "# quota", "# Quota");
    check(&station).ends_with(0);
    check_signed(&station)
        .ends_with(13)
        .complains("job-signature", &["where: job.toml", "altered"])
        .advises();
    edit(&station, "# Quota", "# quota");
    check_signed(&station).ends_with(0);

    // what cannot be trusted is not even read
    edit(&station, "version = 1", "version = 2");
    check_signed(&station)
        .ends_with(13)
        .complains("job-signature", &[]);
    edit(&station, "version = 2", "version = 1");

    job(&station, &["keygen", "-o", "other", "--no-password"]).ends_with(0);
    job(&station, &["check", "job.toml", "--trust", "other.pub"])
        .ends_with(13)
        .complains("job-other-key", &[SIGNATURE])
        .gives_a_reason()
        .advises();

    let signature = fs::read_to_string(station.path(SIGNATURE)).expect("signature");
    let comment = signature.replace(
        "trusted comment: rtflash job good",
        "trusted comment: rtflash job evil",
    );
    let cut: Vec<&str> = signature.lines().take(3).collect();
    for damaged in [
        comment,
        cut.join("\n"),
        String::new(),
        "x\ny\nz\nQQ==\n".to_owned(),
    ] {
        fs::write(station.path(SIGNATURE), damaged).expect("signature");
        check_signed(&station)
            .ends_with(13)
            .complains("job-signature", &[])
            .advises();
    }
    fs::remove_file(station.path(SIGNATURE)).expect("signature");
    check_signed(&station)
        .ends_with(13)
        .complains("job-not-signed", &[SIGNATURE])
        .advises();

    for no_key in ["nowhere.pub", "good.hex", "RWQ="] {
        job(&station, &["check", "job.toml", "--trust", no_key])
            .ends_with(2)
            .complains("trust-key", &[])
            .advises();
    }
}

#[test]
fn a_protected_key_signs_with_its_password_only() {
    let station = desk();
    fs::write(station.path("password"), "correct horse\n").expect("password");
    fs::write(station.path("wrong"), "battery staple\n").expect("password");
    let keygen = ["keygen", "-o", "release", "--password-file", "password"];
    job(&station, &keygen).ends_with(0);
    let secret = fs::read(station.path(KEY)).expect("key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(station.path(KEY))
            .expect("key")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "others can read the secret key");
    }
    job(&station, &keygen)
        .ends_with(2)
        .complains("output-exists", &[])
        .advises();
    assert_eq!(fs::read(station.path(KEY)).expect("key"), secret);

    let sign = ["sign", "job.toml", "-s", KEY];
    job(&station, &sign)
        .ends_with(2)
        .complains("password", &["--password-file"]);
    job(
        &station,
        &[&sign[..], &["--password-file", "wrong"]].concat(),
    )
    .ends_with(2)
    .complains("secret-key", &["Wrong password"])
    .advises();
    assert!(!station.path(SIGNATURE).exists());
    job(
        &station,
        &[&sign[..], &["--password-file", "password"]].concat(),
    )
    .ends_with(0)
    .last_line_is("SIGNED: job.toml.minisig");
    check_signed(&station).ends_with(0);
    job(&station, &["sign", "job.toml", "-s", PUBLIC])
        .ends_with(2)
        .complains("secret-key", &[]);
}

#[test]
fn an_image_that_would_not_boot_is_refused_before_any_station_has_it() {
    let station = desk();
    for (name, code) in [
        ("vectors-at-start.hex", "vector-table-at-start"),
        ("stack-not-in-ram.hex", "stack-pointer"),
        ("beyond-flash.hex", "beyond-part"),
    ] {
        fs::copy(data("odd").join(name), station.path("good.hex")).expect("image");
        job(&station, &["lock", "job.toml"]).ends_with(0);
        for arguments in [&["check", "job.toml"][..], &["sign", "job.toml", "-s", KEY]] {
            job(&station, arguments)
                .ends_with(20)
                .complains(code, &["good.hex"])
                .advises();
        }
    }
}

#[test]
fn a_job_that_cannot_be_read_is_said_to_be() {
    let station = desk();
    fs::write(station.path("noise.toml"), [b'a', b'\n', 0xFF]).expect("noise");
    for (name, word) in [
        ("nowhere.toml", "os error"),
        (".", "os error"),
        ("noise.toml", "noise.toml:2"),
    ] {
        for command in ["check", "lock"] {
            job(&station, &[command, name])
                .ends_with(13)
                .complains("job-unreadable", &[word])
                .advises();
        }
    }
    fs::remove_file(station.path("good.hex")).expect("image");
    for command in ["check", "lock"] {
        job(&station, &[command, "job.toml"])
            .ends_with(13)
            .complains("input-unreadable", &["good.hex", "os error"]);
    }
}
