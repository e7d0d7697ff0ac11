//! `rtflash job keygen` and `rtflash job sign`.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::print;
use super::{already_there, say};
use crate::job::{OutputFile, unwritable};
use crate::problem::{ExitCode, Place, Problem};
use crate::station::{LoadedJob, NewKeys, SigningKey, job_content};

/// Endings of the key files.
const PUBLIC: &str = "pub";
/// See [`PUBLIC`].
const SECRET: &str = "key";

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

/// Signs a job.
///
/// # Errors
/// What keeps the job from being run, the key from being used, and the signature from being written.
pub fn sign(args: &SignArgs) -> Result<(), Problem> {
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

/// Makes a pair of keys.
///
/// # Errors
/// `output-exists`, what keeps the password from being had (exit 2), and the files from being written (exit 23).
pub fn make(args: &KeygenArgs) -> Result<(), Problem> {
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
