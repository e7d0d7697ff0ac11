//! `rtflash job`: job files are begun, pinned, signed and checked.

mod init;
mod keys;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::print;
use crate::problem::{ExitCode, Place, Problem};
use crate::station::{JobBootProof, LoadedJob, Lock, TrustedKey, signature_path};
use init::InitArgs;
use keys::{KeygenArgs, SignArgs};

/// Exit codes of `job` and what is below it.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, or (check) the job is ready to run; 13 the job or a file of it is
unreadable, malformed, not pinned, not the pinned one, not signed, signed with another
key or altered; 20 its image would not boot or does not fit; 2 usage; 23 a file cannot
be written. `rtflash --help` lists them all.";

/// Columns of a line's label.
const LABEL: usize = 10;
/// What can be done with a job file.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Write a job file to begin with, for images in its folder
    #[command(after_help = EXIT_CODES)]
    Init(InitArgs),
    /// Write the SHA-256 of every file that the job names into it; comments and order stay
    ///
    /// Each hash is printed, the old one as well where it was another. With nothing to change, nothing is written.
    #[command(after_help = EXIT_CODES)]
    Lock(LockArgs),
    /// Say whether a station can run the job: format, pins, rules, and whether the image will boot; no board is needed
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Make a pair of keys to sign jobs with: NAME.key, to be kept secret, and NAME.pub, for the stations
    ///
    /// The files are those of minisign.
    #[command(after_help = EXIT_CODES)]
    Keygen(KeygenArgs),
    /// Sign the job: JOB.minisig beside it, which minisign verifies as well
    ///
    /// The job must be ready to run. What is signed is the job file, byte for byte; it pins all its files.
    #[command(after_help = EXIT_CODES)]
    Sign(SignArgs),
}

/// Arguments of `job lock`.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// The job file
    #[arg(value_name = "JOB")]
    job: PathBuf,
    /// Take a signature away that the new hashes void
    #[arg(long)]
    void_signature: bool,
}

/// Arguments of `job check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The job file
    #[arg(value_name = "JOB")]
    job: PathBuf,
    /// Demand a signature with this key: a public key file, or the key itself in Base64
    #[arg(long, value_name = "KEY")]
    trust: Option<String>,
}

/// Runs it.
///
/// # Errors
/// What keeps it from being done; for `check`, what keeps the job from being run.
pub fn run(command: &JobCommand) -> Result<u8, Problem> {
    match command {
        JobCommand::Init(args) => init::run(args),
        JobCommand::Lock(args) => lock(args),
        JobCommand::Check(args) => check(args),
        JobCommand::Keygen(args) => keys::make(args),
        JobCommand::Sign(args) => keys::sign(args),
    }?;
    Ok(ExitCode::Proven.number())
}

fn say(label: &str, text: &str) {
    print(&format!("{label:<LABEL$}{text}"));
}

fn lock(args: &LockArgs) -> Result<(), Problem> {
    let lock = Lock::of(&args.job)?;
    for pin in lock.pins() {
        let before = match pin.before {
            Some(before) if pin.is_new() => format!(", was {before}"),
            Some(_) => ", unchanged".to_owned(),
            None => ", was not pinned".to_owned(),
        };
        say("pin", &format!("{}: {}{before}", pin.name, pin.now));
    }
    let voided = lock.write(args.void_signature)?;
    if let Some(signature) = voided {
        let text = format!(
            "{} is void and was taken away; sign the job again",
            signature.display()
        );
        say("signature", &text);
    }
    let changed = lock.pins().iter().filter(|pin| pin.is_new()).count();
    print(&match changed {
        0 => format!("{} has all its pins, nothing written", args.job.display()),
        _ => format!("LOCKED: {}", args.job.display()),
    });
    Ok(())
}

fn check(args: &CheckArgs) -> Result<(), Problem> {
    let trusted = args.trust.as_deref().map(TrustedKey::named).transpose()?;
    let job = LoadedJob::load(&args.job, trusted.as_ref())?;
    let file = &job.file;
    let revision = file.revision.iter();
    let revision: String = revision.map(|text| format!(", revision {text}")).collect();
    say("job", &format!("{}{revision}", file.name));
    say("sha256", &job.sha256.to_string());
    let signature = match &job.signed {
        Some(signed) => format!("verified: {signed}"),
        None if signature_path(&args.job).exists() => "there is one; --trust verifies it".into(),
        None => "none".into(),
    };
    say("signature", &signature);
    let target = &file.target;
    let names = [&target.chip, &target.flash, &target.board];
    say("target", &names.map(String::as_str).join(", "));
    for input in job.request.image.inputs() {
        let (bytes, hash) = (input.size_bytes, input.sha256_text());
        say(
            "image",
            &format!("{}, {bytes} bytes, {hash}", input.path.display()),
        );
    }
    let boots = match job.request.judged_offline(&job.target)? {
        Some(image) if image.inserted().is_empty() => "with the boot header of the image",
        Some(_) => "with the boot header that rtflash inserts",
        None => "as what the board holds allows, which is judged on each",
    };
    say("boots", boots);
    let proof = match (file.boot.boot_proof, &file.boot.reason) {
        (JobBootProof::None, Some(reason)) => format!("none needed to PASS: {reason}"),
        _ => "required".into(),
    };
    say("proof", &proof);
    for rule in job.rules.rules().rules() {
        say("data", &format!("{} of each unit", rule.name));
    }
    print("READY: a station can run this job");
    Ok(())
}

/// A file that is not written over.
fn already_there(path: &Path) -> Problem {
    Problem::new(
        "output-exists",
        ExitCode::Usage,
        "the file is there already",
    )
    .at(Place::in_file(path, None))
    .because("it is not written over: it may be the only copy")
    .fix("choose another name, or move the file away")
}
