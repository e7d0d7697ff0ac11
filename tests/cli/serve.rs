//! A board served to other tools: flashed by this program over the wire, reported on, kept, and refused where it must be.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::station::{FLASH_BYTES, Station, data, image, noise};

/// A running `rtflash board serve`; ended with its owner.
struct Served {
    process: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Served {
    /// Serves the desk's board on a port of the system's choice.
    fn on(station: &Station, more: &[&str]) -> Self {
        Served::of(&format!("virtual:{}", station.flash_file().display()), more)
    }

    fn of(board: &str, more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rtflash"))
            .args(["board", "serve", board])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rtflash runs");
        let mut stdout = BufReader::new(process.stdout.take().expect("stdout"));
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            stdout.read_line(line).expect("line");
        }
        let [listening, attach] = lines;
        let address = listening
            .strip_prefix("listening ")
            .and_then(|rest| rest.split(',').next())
            .expect("an address")
            .to_owned();
        assert!(attach.contains(&format!("1d50:6018:{address}")), "{attach}");
        Served {
            process,
            stdout,
            address,
        }
    }

    fn selector(&self) -> String {
        format!("1d50:6018:{}", self.address)
    }

    /// Waits for the end; gives the exit code and what was printed after the address.
    fn end(mut self) -> (Option<i32>, String) {
        let mut report = String::new();
        self.stdout.read_to_string(&mut report).expect("report");
        (self.process.wait().expect("end").code(), report)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // one that has ended is as good
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn reports(report: &str, lines: &[&str]) {
    for line in lines {
        assert!(report.contains(line), "no `{line}` in\n{report}");
    }
}

fn flashing_passes_over_version(version: &str) {
    let station = Station::new();
    let served = Served::on(&station, &["--once", "--protocol-version", version]);
    station
        .flash(&image(), &["--probe", &served.selector()])
        .ends_with(0)
        .reports("probe", &[&served.selector(), "SWD at 4000 kHz"])
        .last_line_is("PASS");
    let (code, report) = served.end();
    assert_eq!(code, Some(0), "{report}");
    reports(
        &report,
        &[
            "of virtual time",
            " packets, ",
            " page programs, 1 register writes",
            "manuals   nothing was done that they forbid",
            "boot ROM  started the image at 0x600022B9",
            "core      runs, PC 0x6000",
        ],
    );
    // what was flashed over the wire is in the file, where the everyday commands find it
    station.verify(&image()).ends_with(0).last_line_is("EQUAL");
}

#[test]
fn a_served_board_is_flashed_by_this_program_over_version_2() {
    flashing_passes_over_version("2");
}

#[test]
fn a_served_board_is_flashed_by_this_program_over_version_3() {
    flashing_passes_over_version("3");
}

#[test]
fn a_served_board_is_flashed_by_this_program_over_version_4() {
    flashing_passes_over_version("4");
}

#[test]
fn one_client_after_the_other_is_served_and_each_gets_its_report() {
    let station = Station::new();
    let mut served = Served::on(&station, &[]);
    let selector = served.selector();
    station
        .flash(&data("blinky-xip.complete.hex"), &["--probe", &selector])
        .ends_with(0)
        .last_line_is("PASS");
    station
        .flash(&image(), &["--probe", &selector])
        .ends_with(0)
        .last_line_is("PASS");
    let mut erases = Vec::new();
    for line in (&mut served.stdout).lines() {
        let line = line.expect("line");
        if line.starts_with("flash ") {
            erases.push(line);
            if erases.len() == 2 {
                break;
            }
        }
    }
    assert_eq!(erases.len(), 2);
    assert!(erases[0].contains(" 0 erases "), "{erases:?}");
    assert!(!erases[1].contains("(0 × 4 KiB"), "{erases:?}");
}

#[test]
fn a_probe_that_is_lost_while_the_flash_is_programmed_is_22_and_says_what_is_left() {
    let station = Station::holding(&noise(5, FLASH_BYTES));
    fs::write(station.path("payload.bin"), noise(9, 128 << 10)).expect("payload");
    let mut served = Some(Served::on(&station, &[]));
    let selector = served.as_ref().map_or(String::new(), Served::selector);
    let image = image();
    let image = image.to_str().expect("text");
    let arguments = [
        "flash",
        image,
        "payload.bin@0x60010000",
        "--probe",
        &selector,
        "--json",
    ];
    let session = station
        .run_until(&arguments, "program ", |_| drop(served.take()))
        .ends_with(22)
        .complains("probe-lost", &["lost while"])
        .advises();
    let record = crate::json::record(&session);
    assert_eq!(record["left"], "incomplete", "{session}");
    assert_eq!(record["verdict"]["kind"], "failed", "{session}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_server_with_the_report_and_the_flash_kept() {
    for signal in ["-INT", "-TERM"] {
        let station = Station::new();
        let served = Served::on(&station, &[]);
        let mut client = TcpStream::connect(&served.address).expect("connection");
        std::io::Write::write_all(&mut client, b"!HC#").expect("packet");
        let mut answer = [0; 4];
        client.read_exact(&mut answer).expect("answer");
        assert_eq!(&answer, b"&K4#");
        let pid = served.process.id().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status();
        assert!(kill.expect("kill").success());
        let (code, report) = served.end();
        assert_eq!(code, Some(0), "{report}");
        reports(&report, &["link      1 packets, 0 SWD clocks"]);
        assert_eq!(station.content().len(), FLASH_BYTES);
    }
}

#[test]
fn options_of_the_board_count_for_a_served_one_too() {
    let served = Served::of("virtual?round-trip-us=100000", &["--once"]);
    let mut client = TcpStream::connect(&served.address).expect("connection");
    std::io::Write::write_all(&mut client, b"!HC#").expect("packet");
    let mut answer = [0; 4];
    client.read_exact(&mut answer).expect("answer");
    drop(client);
    let (code, report) = served.end();
    assert_eq!(code, Some(0), "{report}");
    reports(&report, &["time      0.10", "link      1 packets"]);
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_asked_for() {
    Station::new()
        .run(&["board", "serve", "--listen", "0.0.0.0:0"])
        .ends_with(2)
        .complains("listen-remote", &["other computers"])
        .gives_a_reason()
        .advises();
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    Station::new()
        .run(&["board", "serve", "--listen", &address])
        .ends_with(2)
        .complains("listen", &[&address])
        .gives_a_reason()
        .advises();
}

#[test]
fn a_version_or_board_that_does_not_exist_is_a_usage_error() {
    let station = Station::new();
    let serve = |more: &[&str]| {
        let arguments = [["board", "serve"].as_slice(), more].concat();
        station.run(&arguments).ends_with(2)
    };
    serve(&["--protocol-version", "5"]);
    serve(&["J-Link"])
        .complains("virtual-board", &["J-Link"])
        .advises();
    serve(&["virtual?boot-mode=dfu"])
        .complains("virtual-option", &["dfu"])
        .advises();
    serve(&["virtual?probe=cmsis-dap-v1"])
        .complains("virtual-option", &["Black Magic Probe"])
        .advises();
    serve(&["--listen", "somewhere"]);
}

#[test]
fn a_flash_file_of_the_wrong_size_is_refused_before_anybody_connects() {
    let station = Station::holding(&[0; 100]);
    let board = format!("virtual:{}", station.flash_file().display());
    station
        .run(&["board", "serve", &board])
        .ends_with(21)
        .complains("virtual-file", &["100 bytes"])
        .advises();
    assert_eq!(fs::read(station.flash_file()).expect("file"), [0; 100]);
}
