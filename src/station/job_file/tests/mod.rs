//! What job files promise: old ones load, odd ones are told with their place, and pins and signatures hold.

mod pins;
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::address::Address;
use crate::boot::HeaderPolicy;
use crate::image::FileHash;
use crate::job::{BootPolicy, Guard, SharedSectors};
use crate::problem::{ExitCode, Problem};
use crate::records::PassedBefore;

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
