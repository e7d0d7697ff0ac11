//! `rtflash station`: what keeps it from starting, each with its own outcome.

use std::fs;

use crate::station::{Session, Station, data};

/// A desk with a job that is ready to run.
fn desk() -> Station {
    let station = Station::new();
    fs::copy(data("odd/good.hex"), station.path("good.hex")).expect("image");
    station.run(&["job", "init", "good.hex"]).ends_with(0);
    station
}

fn start(station: &Station, more: &[&str]) -> Session {
    let records = ["--records", "records"];
    station.run(&[&["station", "job.toml"], more, &records].concat())
}

#[test]
fn a_station_needs_its_sites_stated_once_each() {
    let station = desk();
    for (sites, words) in [
        (&[][..], &["no site"][..]),
        (&["--site", "A"], &["LABEL=PROBE"]),
        (&["--site", "A=J-Link"], &["J-Link"]),
        (&["--site", "A=usb:4"], &["USB port"]),
        (
            &["--site", "A=1366:0101:1", "--site", "A=1366:0101:2"],
            &["two sites", "\"A\""],
        ),
        (
            &["--site", "A=1366:0101:1", "--site", "B=1366:0101:1"],
            &["same probe"],
        ),
        // one without a serial number may be the other
        (
            &["--site", "A=1366:0101", "--site", "B=1366:0101:1"],
            &["same probe"],
        ),
        (
            &["--site", "A=usb:1-4", "--site", "B=usb:1-4"],
            &["same probe"],
        ),
    ] {
        start(&station, sites)
            .ends_with(2)
            .complains("site-map", words)
            .advises();
    }
    assert!(
        !station.files().contains(&"records".to_owned()),
        "nothing was begun"
    );
}

#[test]
fn a_site_map_takes_no_key_that_it_does_not_know() {
    let station = desk();
    let map = "station = \"line-1\"\n[[site]]\nlabel = \"A\"\nprobe = \"1366:0101:1\"\n";
    for wrong in [
        format!("{map}colour = 3\n"),
        format!("{map}usb = \"1-4\"\n"),
        map.replace("probe", "# probe"),
        map.replace("\"A\"", "\"A and B\""),
    ] {
        fs::write(station.path("sites.toml"), wrong).expect("map");
        start(&station, &["--sites", "sites.toml"])
            .ends_with(2)
            .complains("site-map", &["sites.toml"])
            .advises();
    }
    fs::write(station.path("sites.toml"), map).expect("map");
    start(&station, &["--sites", "sites.toml"])
        .ends_with(21)
        .complains("probe-not-found", &["none of the sites"])
        .advises();
}

#[test]
fn a_job_that_was_altered_or_is_not_signed_is_not_run() {
    let station = desk();
    let site = ["--site", "A=1366:0101:1"];
    start(&station, &[&site[..], &["--trust", "nobody.pub"]].concat())
        .ends_with(2)
        .complains("trust-key", &["nobody.pub"])
        .advises();
    let key = ["job", "keygen", "-o", "release", "--no-password"];
    station.run(&key).ends_with(0);
    let trust = [&site[..], &["--trust", "release.pub"]].concat();
    start(&station, &trust)
        .ends_with(13)
        .complains("job-not-signed", &[])
        .advises();
    let sign = ["job", "sign", "job.toml", "-s", "release.key"];
    station.run(&sign).ends_with(0);
    start(&station, &trust).ends_with(21);
    let text = fs::read_to_string(station.path("job.toml")).expect("job");
    fs::write(station.path("job.toml"), text + "\n# altered\n").expect("job");
    start(&station, &trust)
        .ends_with(13)
        .complains("job-signature", &[])
        .advises();
    fs::write(station.path("good.hex"), "").expect("image");
    start(&station, &site)
        .ends_with(13)
        .complains("input-hash", &["good.hex"]);
}

#[test]
fn a_hook_that_is_no_command_is_told_before_anything_begins() {
    let station = desk();
    start(&station, &["--site", "A=1366:0101:1", "--hook", "[1]"])
        .ends_with(2)
        .complains("hook-command", &[])
        .advises();
}
