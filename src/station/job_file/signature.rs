//! Who released a job: a detached minisign signature beside it, made with one key and verified with its public half.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use minisign::{PublicKey, PublicKeyBox, SignatureBox};

use crate::problem::{ExitCode, Place, Problem};

/// Behind the job file's name.
const ENDING: &str = ".minisig";
/// Characters of the 64 bytes of an Ed25519 signature in Base64.
const SIGNATURE_CHARACTERS: usize = 88;
/// The line of a signature file, from 0, that signs the trusted comment.
const COMMENT_SIGNATURE_LINE: usize = 3;
const NO_KEY: &str = "take the file NAME.pub that `rtflash job keygen` wrote, a minisign public key file, or its second line";

/// A public key, whose signatures are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey(PublicKey);

/// A signature that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// ID of the key, 16 hexadecimal digits as minisign prints it.
    pub key: String,
    /// What was said when it was signed; signed as well.
    pub comment: String,
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by key {}, \"{}\"", self.key, self.comment)
    }
}

/// Where the signature of the job file at `job` is.
pub fn signature_path(job: &Path) -> PathBuf {
    let mut name = OsString::from(job);
    name.push(ENDING);
    name.into()
}

/// A key's ID as minisign prints it: the number in the file, least significant byte first.
fn key_id(keynum: &[u8]) -> String {
    keynum.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}

impl TrustedKey {
    /// The key in a file as `rtflash job keygen` and minisign write it, or itself in Base64.
    ///
    /// # Errors
    /// `trust-key` (exit 2).
    pub fn named(text: &str) -> Result<Self, Problem> {
        let refusal = |what: &str| Problem::new("trust-key", ExitCode::Usage, what).fix(NO_KEY);
        if let Ok(key) = PublicKey::from_base64(text.trim()) {
            return Ok(TrustedKey(key));
        }
        let place = Place::in_file(text, None);
        let content = fs::read_to_string(text).map_err(|error| {
            refusal("the public key cannot be read")
                .at(place.clone())
                .because(error.to_string())
        })?;
        let key = PublicKeyBox::from_string(&content).and_then(PublicKeyBox::into_public_key);
        key.map(TrustedKey).map_err(|error| {
            refusal("the file holds no public key")
                .at(place)
                .because(error.to_string())
        })
    }

    /// Makes sure that `content`, read from the job file at `job`, was signed with this key.
    ///
    /// # Errors
    /// `job-not-signed`, `job-other-key`, `job-signature` (exit 13).
    pub fn verify(&self, job: &Path, content: &[u8]) -> Result<Signed, Problem> {
        let path = signature_path(job);
        let refusal = |code, what: &str| {
            Problem::new(code, ExitCode::MalformedInput, what)
                .at(Place::in_file(path.clone(), None))
                .fix("get the job and its signature again from whoever released it")
        };
        let damaged = |why: String| {
            refusal("job-signature", "the job's signature file is damaged").because(why)
        };
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => refusal("job-not-signed", "the job is not signed")
                .because("the station was told to trust one key only, and there is no signature beside the job")
                .fix("get the signature from whoever released the job, or sign it with `rtflash job sign`"),
            _ => damaged(error.to_string()),
        })?;
        require_whole(&text).map_err(&damaged)?;
        let signature =
            SignatureBox::from_string(&text).map_err(|error| damaged(error.to_string()))?;
        let (signer, trusted) = (key_id(signature.keynum()), key_id(self.0.keynum()));
        if signer != trusted {
            return Err(refusal("job-other-key", "the job is signed with another key")
                .because(format!("key {signer} signed it, and key {trusted} is trusted"))
                .fix("get the job from whoever holds the trusted key; change the trusted key only if its holder says so"));
        }
        let comment = signature.trusted_comment().map_err(|error| damaged(error.to_string()))?;
        minisign::verify(&self.0, &signature, Cursor::new(content), true, false, false).map_err(
            |error| {
                refusal("job-signature", "the job is not what was signed")
                    .at(Place::in_file(job, None))
                    .because(format!(
                        "job, signature or comment were altered after key {trusted} signed them: {error}"
                    ))
            },
        )?;
        Ok(Signed {
            key: signer,
            comment,
        })
    }
}

/// minisign 0.10.0 takes the comment's signature for as long as it must be, and panics where it is shorter.
fn require_whole(text: &str) -> Result<(), String> {
    let line = text.lines().nth(COMMENT_SIGNATURE_LINE).map(str::trim);
    match line {
        Some(line) if line.len() == SIGNATURE_CHARACTERS => Ok(()),
        _ => Err("its fourth line does not hold 64 bytes".into()),
    }
}
