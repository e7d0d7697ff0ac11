//! Every exit code of the table, by a command that ends with it. 1 is a fault of the program itself; 130 has tests of its own
//! in `cancel`.

use crate::help::EXIT_CODES;
use crate::station::{FLASH_BYTES, Station, data, image, noise, probe};

/// A desk, what is typed there, and the exit code.
struct Row {
    code: i32,
    desk: Station,
    arguments: Vec<String>,
    /// What the last line begins with.
    last: &'static str,
}

fn row(code: i32, desk: Station, arguments: &[&str], last: &'static str) -> Row {
    Row {
        code,
        desk,
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        last,
    }
}

fn rows() -> Vec<Row> {
    let path = image();
    let image = path.to_str().expect("text");
    let malformed = data("odd").join("bad-checksum.hex");
    let malformed = malformed.to_str().expect("text");
    let unbootable = data("odd").join("entry-even.hex");
    let unbootable = unbootable.to_str().expect("text");
    let zeros = || Station::holding(&vec![0; FLASH_BYTES]);
    let full = || Station::holding(&noise(3, FLASH_BYTES));
    let at = probe("");
    let at = at.as_str();
    let strapped = probe("boot-mode=serial-downloader");
    let other = probe("part=is25wp064");
    let weak = probe("weak-erase=0x2000");
    let stuck = probe("stuck-bit=0x2000");
    let lost = probe("lost-after=4000");
    let flaky: Vec<String> = (0..16)
        .map(|n| format!("flaky-bit={}", 0x2000 + n))
        .collect();
    let flaky = probe(&flaky.join("&"));
    let flash = ["flash", image, "--probe"];
    let on = |more: &[&'static str], probe: &str, desk: Station, code: i32, last: &'static str| {
        let arguments: Vec<&str> = flash
            .iter()
            .copied()
            .chain([probe])
            .chain(more.iter().copied())
            .collect();
        row(code, desk, &arguments, last)
    };
    vec![
        on(&[], at, Station::new(), 0, "PASS"),
        on(
            &["--flash", "nonsense"],
            at,
            full(),
            2,
            "REFUSED, board not touched: ",
        ),
        on(
            &["--flash", "is25wp128"],
            &other,
            Station::new(),
            6,
            "FAIL: ",
        ),
        on(&[], &weak, zeros(), 8, "FAIL: "),
        on(&["--no-shared-sectors"], at, full(), 9, "FAIL: "),
        on(&[], &stuck, Station::new(), 10, "FAIL: "),
        row(11, full(), &["verify", image, "--probe", at], "DIFFERS"),
        row(
            12,
            full(),
            &[
                "read",
                "-o",
                "a.bin",
                "--range",
                "0x2000+4K",
                "--probe",
                &flaky,
            ],
            "FAIL: ",
        ),
        row(
            13,
            full(),
            &["flash", malformed, "--probe", at],
            "REFUSED, board not touched: ",
        ),
        on(
            &[],
            &strapped,
            Station::new(),
            16,
            "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN",
        ),
        row(
            20,
            full(),
            &["flash", unbootable, "--probe", at],
            "REFUSED, board not touched: ",
        ),
        on(&[], "dead:beef", full(), 21, "FAIL: "),
        on(&[], &lost, full(), 22, "FAIL: "),
        row(
            23,
            full(),
            &["read", "-o", "no/such/folder/a.bin", "--probe", at],
            "REFUSED, board not touched: ",
        ),
    ]
}

#[test]
fn each_code_of_the_table_is_what_a_command_ends_with_and_the_last_line_is_the_verdict() {
    let rows = rows();
    for code in EXIT_CODES {
        let number: i32 = code.parse().expect("a number");
        assert!(
            ["1", "130"].contains(&code) || rows.iter().any(|row| row.code == number),
            "no command ends with {code}"
        );
    }
    for Row {
        code,
        desk,
        arguments,
        last,
    } in rows
    {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let session = desk.run(&arguments).ends_with(code);
        let line = session.stdout.lines().last().unwrap_or_default();
        assert!(
            line.starts_with(last),
            "the last line is not {last:?}\n{session}"
        );
        assert_eq!(session.stderr.contains("error: "), code != 0, "{session}");
    }
}
