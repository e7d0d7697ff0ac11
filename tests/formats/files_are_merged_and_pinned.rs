//! `rtflash flash a b`: several files become one image, each may be pinned by its SHA-256, and one may be standard input.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use rtflash::image::FileHash;
use tempfile::TempDir;

use crate::board::{content, data};
use crate::write;

/// Where a second image lies beside the application.
const SLOT: u32 = 0x6002_0000;
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder of input files, and the program run there on a virtual board whose flash is a file.
struct Desk(TempDir);

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        Desk(tempfile::tempdir().expect("folder"))
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("file");
        path
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_rtflash"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("RTFLASH_STATE", self.0.path().join("state"))
            .env("RTFLASH_PROBE", "virtual:flash.bin")
            .write_stdin(stdin)
            .timeout(PATIENCE)
            .output()
            .expect("rtflash runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    fn flash(&self) -> Vec<u8> {
        fs::read(self.0.path().join("flash.bin")).expect("flash")
    }

    fn untouched(&self) -> bool {
        !self.0.path().join("flash.bin").exists()
    }
}

impl Ended {
    fn passes(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    fn ends_refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
        self
    }
}

fn application() -> PathBuf {
    data("blinky-xip.headerless.hex")
}

fn name(path: &Path) -> &str {
    path.to_str().expect("name")
}

#[test]
fn files_of_different_formats_are_flashed_and_verified_as_one_image() {
    let desk = Desk::new();
    let slot: Vec<u8> = (0..5000_u32).map(|n| (n * 7) as u8).collect();
    desk.put("slot.srec", &write::s_records(3, &[(SLOT, slot.clone())]));
    desk.put("table.bin", b"settings");
    let app = data("formats/blinky-xip.headerless.elf");
    let images = [name(&app), "slot.srec", "table.bin@0x6004_0000"];
    let ended = desk.run(&[&["flash"], &images[..]].concat()).passes();
    assert!(ended.stdout.contains("slot.srec (Motorola S-record)"));
    assert!(ended.stdout.contains("placed at 0x60040000, as asked for"));
    let flash = desk.flash();
    assert_eq!(&flash[0x2_0000..0x2_0000 + slot.len()], &slot[..]);
    assert_eq!(&flash[0x4_0000..0x4_0008], b"settings");
    let code = content("formats/blinky-xip.headerless.bin");
    assert_eq!(&flash[0x2000..0x2000 + code.len()], &code[..]);
    desk.run(&[&["verify"], &images[..]].concat()).passes();
    desk.put("table.bin", b"SETTINGS");
    desk.run(&[&["verify"], &images[..]].concat())
        .ends_refused(11, &["table.bin, offset 0x0"]);
}

#[test]
fn the_same_bytes_twice_are_fine_and_different_ones_name_both_files() {
    let desk = Desk::new();
    let app = application();
    let twin = data("formats/blinky-xip.headerless.uf2");
    desk.run(&["flash", name(&app), name(&twin)]).passes();

    let desk = Desk::new();
    let mut changed = content("formats/blinky-xip.headerless.bin");
    changed[0x30] ^= 0x11;
    changed[0x41] ^= 0x11;
    desk.put("changed.bin", &changed);
    desk.run(&["flash", name(&app), "changed.bin@0x60002000"])
        .ends_refused(
            13,
            &[
                "input-conflict",
                "changed.bin, offset 0x30, address 0x60002030",
                "blinky-xip.headerless.hex:5 brings 0xA3, changed.bin, offset 0x30 brings 0xB2",
            ],
        );
    assert!(desk.untouched());
}

#[test]
fn a_pinned_file_is_taken_only_with_its_hash() {
    let desk = Desk::new();
    let app = application();
    let hash = FileHash::of(&content("blinky-xip.headerless.hex")).to_string();
    let other = FileHash::of(b"another release").to_string();
    let upper = hash.to_uppercase();
    desk.run(&["flash", name(&app), "--sha256", &upper])
        .passes();
    let desk = Desk::new();
    for command in ["flash", "verify"] {
        desk.run(&[command, name(&app), "--sha256", &other])
            .ends_refused(13, &["input-hash", &hash, &other, "where:", "do:"]);
    }
    // the n-th pin belongs to the n-th file
    desk.put("slot.hex", &write::intel_hex(&[(SLOT, vec![1, 2])]));
    let slot = FileHash::of(&write::intel_hex(&[(SLOT, vec![1, 2])])).to_string();
    let images = ["flash", name(&app), "slot.hex"];
    desk.run(&[&images[..], &["--sha256", &slot, "--sha256", &hash]].concat())
        .ends_refused(13, &["input-hash", "blinky-xip.headerless.hex"]);
    assert!(desk.untouched());
    desk.run(&[&images[..], &["--sha256", &hash, "--sha256", &slot]].concat())
        .passes();
}

#[test]
fn pins_that_are_none_or_do_not_cover_every_file_are_a_usage_error() {
    let desk = Desk::new();
    let app = application();
    let hash = FileHash::of(b"x").to_string();
    for pin in [
        "",
        "12",
        &hash[1..],
        &format!("{hash}00"),
        &"g".repeat(64),
        &"é".repeat(32),
    ] {
        desk.run(&["flash", name(&app), "--sha256", pin])
            .ends_refused(2, &["64 hexadecimal digits"]);
    }
    desk.run(&["flash", name(&app), "b.hex", "--sha256", &hash])
        .ends_refused(2, &["pin-count"]);
    assert!(desk.untouched());
}

#[test]
fn a_hyphen_is_standard_input() {
    let desk = Desk::new();
    let ended = desk.run_with(&["flash", "-"], &content("blinky-xip.headerless.hex"));
    assert!(ended.passes().stdout.contains("- (Intel HEX)"));
    let binary = content("formats/blinky-xip.headerless.bin");
    desk.run_with(&["verify", "--", "-@0x60002000"], &binary)
        .passes();
    desk.run_with(&["verify", "-", "-"], &binary)
        .ends_refused(2, &["stdin-twice"]);
    desk.run(&["verify", "-"])
        .ends_refused(13, &["input-empty"]);
}

#[test]
fn an_address_without_0x_is_part_of_the_name_and_the_message_says_so() {
    Desk::new()
        .run(&["flash", "app.bin@60002000"])
        .ends_refused(13, &["input-unreadable", "begins with 0x"]);
}
