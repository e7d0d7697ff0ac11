//! Pins and signatures: what was released is what is run.

use super::*;

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
