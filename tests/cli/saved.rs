//! Bytes of others that an interrupted job left on the host.

use std::fs;

use crate::station::{FLASH_BYTES, Station, image, noise};

/// Name of the file for the virtual board's chip.
const SAVED_FILE: &str = "1b2609d75a3c4d61.json";

#[test]
fn a_damaged_file_of_saved_bytes_stops_the_job_before_anything_is_erased() {
    let before = noise(9, FLASH_BYTES);
    let station = Station::holding(&before);
    for name in [SAVED_FILE, &SAVED_FILE.to_uppercase().replace("JSON", "json")] {
        fs::write(station.state().join(name), "{ not json").expect("saved file");
    }
    station.flash(&image(), &[]).ends_with(20).complains("saved-damaged", &[".json"]).advises();
    assert!(station.content() == before, "the flash was changed");
}
