//! A contact that does not stand the clock: what the user sees of it.

use crate::station::{Station, image, probe};

fn transactions(station: &Station) -> (bool, u32) {
    let session = station
        .run(&["reset", "--probe", &probe(""), "-v"])
        .ends_with(0);
    let times = session.labelled("time");
    let total = times.lines().last().expect("total");
    let words: Vec<&str> = total.split_whitespace().collect();
    let count = words[words.len() - 2].parse().expect("number");
    (times.contains("contact"), count)
}

#[test]
fn the_first_job_through_a_probe_checks_the_contact_and_the_second_does_not() {
    let station = Station::new();
    station
        .flash(&image(), &["-v", "--speed", "15000"])
        .ends_with(0)
        .reports(
            "contact",
            &["1000 kHz", "15000 kHz: 1024 bytes each way, clean"],
        )
        .reports("time", &["contact"])
        .last_line_is("PASS");
    let (checked, without) = transactions(&station);
    assert!(!checked);
    std::fs::remove_file(station.contact_note()).expect("note");
    let (checked, with) = transactions(&station);
    assert!(
        checked && with > without,
        "{with} and {without} transactions"
    );
}

#[test]
fn a_poor_contact_is_used_slower_and_every_command_says_so() {
    let station = Station::new();
    let poor = probe("contact-khz=2000");
    let image = image();
    let image = image.to_str().expect("text");
    for (command, last) in [
        (vec!["flash", image], "PASS"),
        (vec!["verify", image], "EQUAL"),
        (vec!["reset"], "PASS"),
    ] {
        let session = station
            .run(&[command, vec!["--probe", &poor]].concat())
            .ends_with(0)
            .reports("probe", &["SWD at 2000 kHz"])
            .reports(
                "warning",
                &["4000 kHz", "2000 kHz is used", "[contact-slow]"],
            )
            .last_line_is(last);
        assert!(session.stderr.contains("[contact-slow]"), "{session}");
    }
}

#[test]
fn a_clock_that_was_asked_for_and_is_not_clean_ends_every_command_with_22_and_changes_nothing() {
    let station = Station::new();
    let poor = probe("contact-khz=2000");
    let image = image();
    let image = image.to_str().expect("text");
    let at = |command: &[&str], speed: &str| {
        station.run(&[command, &["--probe", &poor, "--speed", speed]].concat())
    };
    at(&["flash", image], "2000")
        .ends_with(0)
        .last_line_is("PASS");
    let before = station.board();
    for command in [vec!["flash", image], vec!["verify", image], vec!["reset"]] {
        at(&command, "15000")
            .ends_with(22)
            .complains(
                "contact-poor",
                &["15000 kHz", "2000 kHz is clean", "4000 kHz", "--speed 2000"],
            )
            .gives_a_reason()
            .advises();
        assert!(station.board() == before, "the flash was changed");
    }
    at(&["verify", image], "2000")
        .ends_with(0)
        .last_line_is("EQUAL");
}

#[test]
fn a_contact_that_stands_no_clock_of_the_check_is_an_error_and_a_slower_clock_helps() {
    let station = Station::new();
    let poor = probe("contact-khz=500");
    station
        .flash(&image(), &["--probe", &poor])
        .ends_with(22)
        .advises();
    assert!(station.content().iter().all(|byte| *byte == 0xFF));
    station
        .flash(&image(), &["--probe", &poor, "--speed", "500"])
        .ends_with(0)
        .last_line_is("PASS");
}
