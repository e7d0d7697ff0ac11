//! The command line as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "virtual-board")]
use super::benchmark::BenchmarkArgs;
#[cfg(feature = "virtual-board")]
use super::board::BoardCommand;
use super::doctor::DoctorArgs;
use super::erase::EraseArgs;
use super::header::{BoardHeaderArgs, HeaderArgs};
use super::info::InfoArgs;
use super::inspect::InspectArgs;
use super::job_file::JobCommand;
use super::pack::PackArgs;
use super::packaging::{CompletionsArgs, ManArgs};
use super::read::ReadArgs;
use super::records::RecordsArgs;
use super::station::StationArgs;
use crate::job::{FileHash, InputFile};
use crate::problem::Problem;

/// Programs the QSPI NOR flash of i.MX RT1062 boards over SWD, adds the boot header the ROM needs, and proves that the board boots.
#[derive(Debug, Parser)]
#[command(name = "rtflash", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Say more: -v phases with probe transactions, -vv debug log, -vvv trace log (stderr)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Narrow enough for a terminal of 80 columns; the README has the same table.
const EXIT_CODES: &str = "\
Exit codes:
    0  yes, proven
    1  internal error
    2  usage
    6  wrong or unknown chip or flash part
    8  erase failed
    9  not blank after erase, or a sector to erase holds bytes of others
   10  programming failed
   11  verified, and differs, or bytes outside the image have changed
   12  reading failed (could not find out)
   13  input file unreadable, malformed, or hash not as pinned
   16  boot not proven or failed (flash: programmed and verified)
   20  would not boot or does not fit, or bytes of others cannot be saved: refused
   21  no probe, or several and none chosen
   22  target does not answer, or was lost with or without its probe, or a poor contact
   23  output file could not be written
  130  cancelled (Ctrl-C); the last line says what that leaves in the flash";

const FLASH_EXIT_CODES: &str = "\
Exit codes: 0 PASS, or an unproven boot that --boot-proof=none accepts; 16 programmed
and verified, but the boot is not proven or failed; 13 or 20 refused, nothing written;
6 another chip or flash part; 8, 10, 11, 12 erasing, programming, verifying, reading
failed; 9 --no-shared-sectors; 21 no probe; 22 no answer, or a poor contact; 130
Ctrl-C. `rtflash --help` lists them all.";

const VERIFY_EXIT_CODES: &str = "\
Exit codes: 0 equal; 11 differs; 12 could not be read; 13 or 20 image refused;
6 another chip or flash part; 21 no probe; 22 no answer, or a poor contact.
`rtflash --help` lists them all.";

const RESET_EXIT_CODES: &str = "\
Exit codes: 0 the ROM started what is in the flash; 16 it was not seen to; 6 another
chip or flash part; 12 the flash could not be read; 21 no probe; 22 no answer, or a
poor contact. `rtflash --help` lists them all.";

const INSPECT_EXIT_CODES: &str = "\
Exit codes: 0 it boots, or boots after inserting what is missing; 20 it will not
boot; 13 a file cannot be read. `rtflash --help` lists them all.";

const PACK_EXIT_CODES: &str = "\
Exit codes: 0 written; 20 it would not boot, nothing written; 2 the ending of its
name says no format; 13 a file cannot be read; 23 the output cannot be written. `rtflash --help` lists them all.";

#[cfg(feature = "virtual-board")]
const BENCHMARK_EXIT_CODES: &str = "Exit codes: 0 every figure reaches what it must; 1 one does not, or a case has no\nfigures; 2 no case contains that text; 23 the timeline cannot be written.";

const PROBES_EXIT_CODES: &str = "Exit codes: 0 at least one probe was found; 21 none.";

const TARGETS_EXIT_CODES: &str = "Exit codes: 0 listed.";

const PACKAGING_EXIT_CODES: &str = "Exit codes: 0 written; 23 the output cannot be written.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Insert the boot header if it is missing, program, verify, reset, prove the boot
    #[command(after_help = FLASH_EXIT_CODES)]
    Flash {
        #[command(flatten)]
        images: ImageArgs,
        #[command(flatten)]
        board: BoardArgs,
        #[command(flatten)]
        header: HeaderArgs,
        #[command(flatten)]
        board_header: BoardHeaderArgs,
        /// What a PASS needs after verify
        #[arg(long, value_name = "POLICY", default_value = "required")]
        boot_proof: BootProof,
        #[command(flatten)]
        watch: WatchArgs,
        /// Refuse to erase a sector that holds bytes of others, in place of saving and restoring them
        #[arg(long)]
        no_shared_sectors: bool,
        /// Compare the whole flash outside the image before and after, not only the blocks around what is changed
        #[arg(long)]
        guard: bool,
    },
    /// Compare the board with the image, header included as `flash` would insert it; nothing is written
    #[command(after_help = VERIFY_EXIT_CODES)]
    Verify {
        #[command(flatten)]
        images: ImageArgs,
        #[command(flatten)]
        board: BoardArgs,
        #[command(flatten)]
        header: HeaderArgs,
        #[command(flatten)]
        board_header: BoardHeaderArgs,
    },
    /// Reset into the ROM boot path and prove that the ROM starts what is in the flash
    #[command(after_help = RESET_EXIT_CODES)]
    Reset {
        #[command(flatten)]
        board: BoardArgs,
        #[command(flatten)]
        watch: WatchArgs,
    },
    /// Say why the board does not boot: probe, contact, chip, flash, boot header, slots, and what runs
    ///
    /// Nothing non-volatile is changed. The board is first looked at as it runs; then it is reset twice, to read its flash and
    /// to watch it boot (--no-reset only looks). A step that fails ends only those that need it. The last line is the
    /// diagnosis, with the reason and what to do about it above, and other things that were seen in their order.
    #[command(after_help = super::doctor::EXIT_CODES)]
    Doctor(DoctorArgs),
    /// Read the flash, or a range of it, into a file; nothing is changed
    #[command(after_help = super::read::EXIT_CODES)]
    Read(ReadArgs),
    /// Erase the flash, or ranges of it, and read back that it is blank
    #[command(after_help = super::erase::EXIT_CODES)]
    Erase(EraseArgs),
    /// Tell what is on the board: chip, boot configuration, fuses, RAM split, last reset, flash part
    ///
    /// Nothing non-volatile is changed. The board is reset twice: to look into it, and to let it boot afterwards. What a
    /// reset takes away (its cause, the RAM split, what the core did) is read before. The flash part is found by its ID,
    /// whatever --flash says.
    #[command(after_help = super::info::EXIT_CODES)]
    Info(InfoArgs),
    /// Show what is in the image and whether the boot ROM will start it; no board is needed
    #[command(after_help = INSPECT_EXIT_CODES)]
    Inspect(InspectArgs),
    /// Write the complete image, boot header included, as one file for any programmer; no board is needed
    #[command(after_help = PACK_EXIT_CODES)]
    Pack(PackArgs),
    /// Job files for stations: begin, pin, sign, check; no board is needed
    #[command(after_help = super::job_file::EXIT_CODES)]
    Job {
        /// What to do with it.
        #[command(subcommand)]
        command: JobCommand,
    },
    /// Flash board after board at several sites, with a verdict and a record for each
    #[command(after_help = super::station::EXIT_CODES)]
    Station(Box<StationArgs>),
    /// What the station put on record: list, show, export, stats, verify; nothing is changed
    #[command(after_help = super::records::EXIT_CODES)]
    Records(RecordsArgs),
    /// Measure flashing in virtual time on the virtual board, beside the peers and what the parts allow
    #[cfg(feature = "virtual-board")]
    #[command(after_help = BENCHMARK_EXIT_CODES)]
    Benchmark(BenchmarkArgs),
    /// List the debug probes that can be used
    #[command(after_help = PROBES_EXIT_CODES)]
    Probes,
    /// List the chips, flash parts and boards that rtflash has data for
    #[command(after_help = TARGETS_EXIT_CODES)]
    Targets,
    /// Print a completion script for a shell
    #[command(after_help = PACKAGING_EXIT_CODES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for every command
    #[command(after_help = PACKAGING_EXIT_CODES)]
    Man(ManArgs),
    /// The virtual board on its own, for other tools
    #[cfg(feature = "virtual-board")]
    #[command(after_help = super::board::EXIT_CODES)]
    Board {
        /// What to do with it.
        #[command(subcommand)]
        command: BoardCommand,
    },
}

/// Which files make the image.
#[derive(Debug, Args)]
pub struct ImageArgs {
    /// Files of the image, merged: Intel HEX, ELF, Motorola S-record, UF2 or raw binary, told by content; FILE@0xADDRESS
    /// for a raw binary that does not show where it belongs; - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// SHA-256 that the file must have; once for every IMAGE, in the same order
    #[arg(long, value_name = "HEX")]
    sha256: Vec<FileHash>,
}

impl ImageArgs {
    /// The inputs, each with its address and pin.
    ///
    /// # Errors
    /// See [`InputFile::all`].
    pub fn inputs(&self) -> Result<Vec<InputFile>, Problem> {
        InputFile::all(&self.images, &self.sha256)
    }
}

/// What `flash` asks for before it says PASS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BootProof {
    /// The ROM must be seen to start the image
    Required,
    /// The boot is watched all the same; where it is not seen, that ends with 0, and record and last line say so
    None,
}

/// How long a boot may take.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Longest time in seconds from the reset to the image's first instruction (default: 2, or 15 where `flash` brings an
    /// image that a bootloader on the board starts; `reset` waits for the bootloader only)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub boot_timeout: Option<Duration>,

    /// How long in seconds the image must then run without a crash or a reset (default: 0.02); longer than its watchdogs
    /// shows whether it services them
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub boot_watch: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.01..=3600.0;
    text.parse()
        .ok()
        .filter(|seconds| RANGE.contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            format!(
                "not a number of seconds from {} to {}",
                RANGE.start(),
                RANGE.end()
            )
        })
}

/// Which board, through which probe.
#[derive(Debug, Args)]
pub struct BoardArgs {
    /// Debug probe: VID:PID[:SERIAL] of a probe that `rtflash probes` lists, `virtual` for a fresh simulated board, or
    /// `virtual:FILE` for one that keeps its flash in FILE. Options of the simulated board follow a question mark, joined
    /// by &: boot-mode=internal|serial-downloader|fuses|reserved, boot-device=flexspi-nor|other, security=open|closed,
    /// power=on|off, debug-port=open|closed, timing=typ|slow|max, rom=strict|lenient, part=NAME,
    /// probe=jlink|cmsis-dap-v2-hs|cmsis-dap-v1, round-trip-us=N, core-divider=1|2, contact-khz=N (bad above it),
    /// flash-mode=spi|qpi|continuous-read|deep-power-down, weak-erase=OFFSET, stuck-bit=OFFSET, flaky-bit=OFFSET,
    /// lost-after=TRANSFERS, uid=16 HEX DIGITS
    #[arg(long, env = "RTFLASH_PROBE", value_name = "PROBE")]
    pub probe: Option<String>,
    /// SWD clock in kHz (default: 4000, or what the probe can do and the contact stands). On first contact and after
    /// errors it is checked, with a pattern through RAM at rising clocks; a clock asked for that is not clean ends the job
    #[arg(long, value_name = "KHZ", value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub speed: Option<u32>,
    /// Pulse the reset pin (POR_B, wired to the probe) first and halt the core in its boot ROM: for firmware that sleeps
    /// with its bus clock off or turns SWD off
    #[arg(long)]
    pub connect_under_reset: bool,
    /// Flash part on the board: is25wp032, is25wp064, is25wp128, is25lp064 or w25q64jv; or auto, to find it by its ID, which
    /// costs one more reset of the board
    #[arg(
        long,
        visible_alias = "target",
        value_name = "PART",
        default_value = "is25wp064"
    )]
    pub flash: String,
    /// How the flash is wired: qspi is one part on the primary pins of FlexSPI A
    #[arg(long, value_name = "BOARD", default_value = "qspi")]
    pub board: String,
    /// One JSON record in place of lines
    #[arg(long)]
    pub json: bool,
}
