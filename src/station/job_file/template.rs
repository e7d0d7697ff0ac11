//! A job file to begin with: what must be said, and in comments what may be.

use std::fmt::Write;

use super::file::JOB_VERSION;
use crate::address::Address;
use crate::image::FileHash;

/// What a new job is for.
#[derive(Clone, Debug)]
pub struct NewJob<'j> {
    /// Its name.
    pub name: &'j str,
    /// Names of chip, flash part and board.
    pub target: [&'j str; 3],
    /// The files of the image: name from the job's folder, address of a raw binary, hash.
    pub images: &'j [(String, Option<Address>, FileHash)],
}

impl NewJob<'_> {
    /// The job file.
    pub fn text(&self) -> String {
        let [chip, flash, board] = self.target.map(quoted);
        let name = quoted(self.name);
        let images: String = self.images.iter().map(image).collect();
        format!(
            "\
# A job for `rtflash station`. `rtflash job check` says whether it is ready to run, and docs/job.schema.json describes
# every key; an unknown one is refused.
version = {JOB_VERSION}
# quota, attempts and records count by the name
name = {name}
# revision = \"A\"                      # put on record
# shared_sectors = \"refuse\"           # or \"preserve\": bytes of others in a sector to erase are saved and written back
# guard = \"near\"                      # or \"whole\": compare the whole flash outside the image before and after

# as `rtflash targets` lists them
[target]
chip = {chip}
flash = {flash}
board = {board}

# which boards may be flashed; what is left out may be anything
# [identity]
# unique_ids = [\"????????????????\"]   # ? is any digit
# boot_modes = [\"internal\"]           # internal, serial-downloader, fuses
# security = [\"open\"]                 # fab, open, closed
{images}
# [boot_header]
# policy = \"insert\"                   # or \"keep\" (the board's), \"replace\"

# [boot]
# boot_timeout_ms = 2000
# boot_watch_ms = 20
# boot_proof = \"none\"                 # a board that was not seen to start may PASS ...
# reason = \"...\"                      # ... for a reason, which is put on record

# [link]
# speed_khz = 4000
# connect_under_reset = true

[unit]
start = \"insertion\"                   # or \"key\", \"barcode\"
attempts = 3                            # that did not pass, before a unit must go to rework
passed_before = \"refuse\"              # or \"flash-again\"
# barcode = 'SN[0-9]{{8}}'                # with start = \"barcode\": must fit the whole code
# cycle_budget_s = 10.0                 # more is said
# quota = 1000                          # units that may pass
"
        )
    }
}

fn image((name, address, hash): &(String, Option<Address>, FileHash)) -> String {
    let mut table = format!("\n[[image]]\nfile = {}\n", quoted(name));
    if let Some(address) = address {
        // writing to a string cannot fail
        let _ = writeln!(table, "address = 0x{:08X}", address.get());
    }
    let _ = writeln!(table, "sha256 = \"{hash}\"");
    table
}

/// As TOML quotes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
