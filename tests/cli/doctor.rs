//! `doctor`: the question that the project began with, asked by a user.

use crate::json::record;
use crate::station::{Session, Station, data, image, probe};

/// What another tool leaves that writes the file as it is: no FCB, no IVT.
fn programmed_by_another_tool() -> Station {
    let station = Station::flashed(&image());
    station.damage(0, &[0xFF; 0x2000]);
    station
}

fn doctor(station: &Station, options: &str, more: &[&str]) -> Session {
    let probe = probe(options);
    station.run(&[&["doctor", "--probe", &probe], more].concat())
}

/// The command line that the doctor advises.
fn advised(session: &Session) -> Vec<String> {
    let advice = session.labelled("do");
    let line = advice.lines().next().expect("advice");
    let command = line.strip_prefix("run: rtflash ").expect("a command");
    let command = command.split(" (").next().expect("text");
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn an_image_that_another_tool_has_written_lacks_its_header_and_the_advice_mends_that() {
    let station = programmed_by_another_tool();
    let before = station.board();
    let image = image();
    let path = image.to_str().expect("text");
    let session = doctor(&station, "", &[path])
        .ends_with(16)
        .reports("diagnosis", &["the flash has no FCB", "[fcb-missing]"])
        .reports("why", &["flash offset 0x0", "FF FF FF FF"])
        .reports("do", &["rtflash flash", path, "--probe virtual:flash.bin"])
        .reports("also", &["[ivt-missing]", "[image-without-header]"])
        .reports("problem", &["boot header:", "image:", "boot:"])
        .last_line_is("DIAGNOSIS: the flash has no FCB [fcb-missing]");
    assert!(!session.stderr.contains("error"), "{session}");
    assert!(station.board() == before, "the board was changed");
    let command = advised(&session);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    station.run(&command).ends_with(0).last_line_is("PASS");
    doctor(&station, "", &[path])
        .ends_with(0)
        .last_line_is("HEALTHY: the flash holds the image, and it is started");
}

#[test]
fn without_an_image_the_advice_says_where_to_put_it() {
    let station = programmed_by_another_tool();
    doctor(&station, "", &[])
        .ends_with(16)
        .reports(
            "do",
            &["run: rtflash flash IMAGE --probe virtual:flash.bin"],
        )
        .last_line_is("DIAGNOSIS: the flash has no FCB [fcb-missing]");
}

#[test]
fn the_record_has_checks_diagnosis_and_other_causes_in_their_order() {
    let station = programmed_by_another_tool();
    let session = doctor(&station, "boot-mode=serial-downloader", &["--json"]).ends_with(16);
    let record = record(&session);
    assert_eq!(record["command"], "doctor");
    assert_eq!(record["verdict"]["kind"], "diagnosed");
    assert_eq!(record["verdict"]["code"], "strapped-serial-downloader");
    assert_eq!(record["problem"]["code"], "strapped-serial-downloader");
    let doctor = &record["doctor"];
    assert_eq!(doctor["diagnosis"]["code"], "strapped-serial-downloader");
    for part in ["what", "why", "fix"] {
        assert!(doctor["diagnosis"][part].is_string(), "{session}");
    }
    let others: Vec<(&str, &str)> = doctor["others"]
        .as_array()
        .expect("others")
        .iter()
        .map(|other| (other["weight"].as_str(), other["code"].as_str()))
        .map(|(weight, code)| (weight.expect("weight"), code.expect("code")))
        .collect();
    assert_eq!(others, [("cause", "fcb-missing"), ("cause", "ivt-missing")]);
    let results: Vec<&str> = doctor["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| check["result"].as_str().expect("result"))
        .collect();
    for result in ["ok", "problem", "not-checked"] {
        assert!(results.contains(&result), "{results:?}");
    }
}

#[test]
fn what_can_be_rehearsed_on_the_virtual_board_is_diagnosed() {
    let station = Station::flashed(&image());
    // what runs does not matter there, and a boot ROM that waits costs no time
    let blank = Station::new();
    for (station, options, exit, code) in [
        (
            &station,
            "boot-mode=serial-downloader",
            16,
            "strapped-serial-downloader",
        ),
        (&station, "boot-mode=fuses", 16, "boot-fuses-not-set"),
        (&station, "boot-mode=reserved", 16, "boot-mode-reserved"),
        (&station, "boot-device=other", 16, "boot-device"),
        (&station, "security=closed", 16, "part-closed"),
        (&blank, "power=off", 22, "target-unpowered"),
        (&blank, "debug-port=closed", 22, "target-no-answer"),
        (&blank, "contact-khz=500", 22, "contact-poor"),
    ] {
        let session = doctor(station, options, &[]).ends_with(exit);
        let last = session.stdout.lines().last().expect("a line");
        let is_right = last.starts_with("DIAGNOSIS: ") && last.ends_with(&format!("[{code}]"));
        assert!(is_right, "{options}\n{session}");
    }
    doctor(&station, "contact-khz=2000", &[])
        .ends_with(0)
        .reports("warning", &["[contact-slow]"])
        .reports("also", &["[contact-slow]"])
        .last_line_is("HEALTHY: the flash holds an application, and it is started");
}

#[test]
fn an_image_of_another_build_is_told() {
    let station = Station::flashed(&data("blinky-itcm.headerless.hex"));
    let other = image();
    doctor(&station, "", &[other.to_str().expect("text")])
        .ends_with(11)
        .reports(
            "diagnosis",
            &["the flash holds another image, or another version"],
        )
        .reports("where", &["address 0x60"]);
}

#[test]
fn the_part_is_found_where_it_is_not_known() {
    let station = Station::new();
    station
        .flash(&image(), &["--flash", "is25wp128"])
        .ends_with(0);
    let on = |part: &str| doctor(&station, "part=is25wp128", &["--flash", part]);
    on("is25wp064")
        .ends_with(6)
        .reports("do", &["--flash is25wp128"])
        .reports(
            "-",
            &["boot header", "not checked, because found IS25WP128"],
        );
    on("auto").ends_with(0).reports("flash", &["IS25WP128"]);
}

#[test]
fn only_looking_does_not_read_the_flash_and_says_so() {
    let station = Station::flashed(&image());
    doctor(&station, "", &["--no-reset"])
        .ends_with(0)
        .reports("ok", &["running: code runs", "boot mode: FlexSPI NOR"])
        .reports("-", &["boot header", "not checked, because --no-reset"])
        .last_line_is("HEALTHY: code runs outside of the boot ROM; nothing else was looked at");
    let blank = Station::new();
    doctor(&blank, "", &["--no-reset"])
        .ends_with(16)
        .last_line_is("DIAGNOSIS: the core is in its boot ROM: the ROM has not started anything [in-boot-rom]");
    doctor(&blank, "", &["--no-reset", "--connect-under-reset"]).ends_with(2);
}

#[test]
fn the_rule_for_probes_is_printed_as_it_is_to_be_installed() {
    let session = Station::new()
        .run(&["doctor", "--print-udev-rule"])
        .ends_with(0);
    let shipped = include_str!("../../packaging/udev/70-rtflash.rules");
    assert_eq!(session.stdout, shipped);
}

#[test]
fn a_file_that_cannot_be_read_is_no_diagnosis() {
    let session = Station::new().run(&["doctor", "missing.hex", "--probe", "virtual"]);
    session
        .ends_with(13)
        .complains("input-unreadable", &["missing.hex"]);
}
