//! `rtflash job`: job files are begun, pinned, signed and checked.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Component, Path, PathBuf};

use clap::{Args, Subcommand};

use super::CHIP;
use super::print;
use crate::job::{FileHash, InputFile, OutputFile, unwritable};
use crate::problem::{ExitCode, Place, Problem};
use crate::station::{
    JobBootProof, LoadedJob, Lock, NewJob, NewKeys, SigningKey, TrustedKey, job_content,
    signature_path,
};

/// Exit codes of `job` and what is below it.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, or (check) the job is ready to run; 13 the job or a file of it is
unreadable, malformed, not pinned, not the pinned one, not signed, signed with another
key or altered; 20 its image would not boot or does not fit; 2 usage; 23 a file cannot
be written. `rtflash --help` lists them all.";

/// Columns of a line's label.
const LABEL: usize = 10;
/// Endings of the key files.
const PUBLIC: &str = "pub";
/// See [`PUBLIC`].
const SECRET: &str = "key";

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

/// Arguments of `job init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Files of the image, in the job's folder or below; FILE@0xADDRESS for a raw binary that does not show where it belongs
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// The job file to write
    #[arg(short, long, value_name = "JOB", default_value = "job.toml")]
    output: PathBuf,
    /// The job's name (default: that of the first image, up to its first dot)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Flash part on the boards: is25wp032, is25wp064, is25wp128, is25lp064 or w25q64jv
    #[arg(long, value_name = "PART", default_value = "is25wp064")]
    flash: String,
    /// How the flash is wired
    #[arg(long, value_name = "BOARD", default_value = "qspi")]
    board: String,
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

/// Arguments of `job keygen`.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// Name of the two files, without ending
    #[arg(short, long, value_name = "NAME")]
    output: PathBuf,
    /// File whose first line is the password that protects the secret key (default: it is asked for)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Leave the secret key unprotected: whoever gets the file can sign
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
}

/// Arguments of `job sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The job file
    #[arg(value_name = "JOB")]
    job: PathBuf,
    /// The secret key's file, of `rtflash job keygen` or minisign
    #[arg(short, long, value_name = "FILE")]
    secret_key: PathBuf,
    /// File whose first line is the secret key's password (default: it is asked for, where there is one)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// What keeps it from being done; for `check`, what keeps the job from being run.
pub fn run(command: &JobCommand) -> Result<u8, Problem> {
    match command {
        JobCommand::Init(args) => init(args),
        JobCommand::Lock(args) => lock(args),
        JobCommand::Check(args) => check(args),
        JobCommand::Keygen(args) => keygen(args),
        JobCommand::Sign(args) => sign(args),
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

fn sign(args: &SignArgs) -> Result<(), Problem> {
    // the bytes that are checked are the bytes that are signed
    let content = job_content(&args.job)?;
    let job = LoadedJob::from_content(&args.job, &content, None)?;
    let key = SigningKey::read(&args.secret_key, || match &args.password_file {
        Some(file) => password_in(file),
        None => asked("password of the secret key: "),
    })?;
    let (path, signed) = key.sign(&job, &content)?;
    say("signature", &format!("{signed}"));
    print(&format!("SIGNED: {}", path.display()));
    Ok(())
}

fn keygen(args: &KeygenArgs) -> Result<(), Problem> {
    let named = |ending: &str| {
        let mut name = args.output.clone().into_os_string();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    };
    let (public, secret) = (named(PUBLIC), named(SECRET));
    for path in [&public, &secret] {
        if path.exists() {
            return Err(already_there(path));
        }
    }
    let password = match (&args.password_file, args.no_password) {
        (_, true) => None,
        (Some(file), _) => Some(password_in(file)?),
        (None, _) => Some(new_password()?),
    };
    let keys = NewKeys::new(password)?;
    write_secret(&secret, &keys.secret)?;
    OutputFile::begin(&public)?.finish(keys.public.as_bytes())?;
    say("key", &keys.id);
    let path = secret.display();
    say(
        "secret",
        &format!("{path}: keep it where jobs are released, and a copy in a safe"),
    );
    let path = public.display();
    say(
        "public",
        &format!("{path}: for `rtflash station --trust` on every station"),
    );
    Ok(())
}

/// Readable for its owner only, where the system has that.
fn write_secret(path: &Path, content: &str) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| unwritable(path, &error))
}

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

fn password_in(file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file).map_err(|error| {
        Problem::new(
            "password-file",
            ExitCode::Usage,
            "the password file cannot be read",
        )
        .at(Place::in_file(file, None))
        .because(error.to_string())
        .fix("check the name and the file's permissions")
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn new_password() -> Result<String, Problem> {
    let password = asked("password for the secret key: ")?;
    if asked("the same again: ")? != password {
        return Err(Problem::new(
            "password-differs",
            ExitCode::Usage,
            "the two passwords differ",
        )
        .fix("run the command again"));
    }
    Ok(password)
}

fn asked(question: &str) -> Result<String, Problem> {
    let unasked = |why: String| {
        Problem::new(
            "password",
            ExitCode::Usage,
            "the password cannot be asked for",
        )
        .because(why)
        .fix("give it with --password-file")
    };
    if !io::stdin().is_terminal() {
        return Err(unasked("this is no terminal".into()));
    }
    rpassword::prompt_password(question).map_err(|error| unasked(error.to_string()))
}

fn init(args: &InitArgs) -> Result<(), Problem> {
    if args.output.exists() {
        return Err(already_there(&args.output));
    }
    let mut images = Vec::new();
    for typed in &args.images {
        let input = InputFile::named(typed.as_os_str());
        let hash = FileHash::of(&input.content()?);
        images.push((name_from(&args.output, &input.path)?, input.start, hash));
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(images.first().map(|(name, _, _)| Path::new(name))),
    };
    let job = NewJob {
        name: &name,
        target: [CHIP, &args.flash, &args.board],
        images: &images,
    };
    OutputFile::begin(&args.output)?.finish(job.text().as_bytes())?;
    print(&format!(
        "WRITTEN: {}; adapt it, then run `rtflash job check` on it",
        args.output.display()
    ));
    Ok(())
}

/// What a job at `job` calls the file at `file`.
fn name_from(job: &Path, file: &Path) -> Result<String, Problem> {
    let folder = match job.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let outside = || {
        Problem::new("job-path", ExitCode::Usage, "the image is not in the job's folder")
            .at(Place::in_file(file, None))
            .because("a job is a folder that is copied as a whole: its files lie beside the job file or below")
            .fix("copy the file into the job's folder, or write the job beside it with -o")
    };
    let whole = |path: &Path| path.canonicalize().map_err(|_| outside());
    let (folder, file) = (whole(folder)?, whole(file)?);
    let below = file.strip_prefix(&folder).map_err(|_| outside())?;
    let parts: Option<Vec<&str>> = below
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    Ok(parts.ok_or_else(outside)?.join("/"))
}

fn name_of(image: Option<&Path>) -> String {
    let name = image.and_then(Path::file_name).and_then(OsStr::to_str);
    let stem = name.and_then(|name| name.split('.').next());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = stem.unwrap_or_default().chars().map(plain).collect();
    let stem = stem.trim_matches('-');
    if stem.is_empty() { "job" } else { stem }.to_owned()
}
