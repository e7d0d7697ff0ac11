//! Who released a job: a detached minisign signature beside it, made with one key and verified with its public half.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use super::load::LoadedJob;
use crate::job::OutputFile;

use crate::problem::{ExitCode, Place, Problem};

/// Behind the job file's name.
const ENDING: &str = ".minisig";
/// Characters of the 64 bytes of an Ed25519 signature in Base64.
const SIGNATURE_CHARACTERS: usize = 88;
/// Characters of the 158 bytes of a secret key in Base64.
const SECRET_KEY_CHARACTERS: usize = 212;
/// Their line in its file, from 0.
const SECRET_KEY_LINE: usize = 1;
/// The line of a signature file, from 0, that signs the trusted comment.
const COMMENT_SIGNATURE_LINE: usize = 3;
/// First line of a signature file, which nothing protects.
const UNTRUSTED: &str = "signature of a job file of rtflash";
/// First line of a secret key's file.
const SECRET_KEY: &str = "secret key of rtflash job keygen, in minisign's form";
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
    keynum
        .iter()
        .rev()
        .map(|byte| format!("{byte:02X}"))
        .collect()
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
            refusal("job-signature", "the job's signature cannot be used").because(why)
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
        if !signature.is_prehashed() {
            return Err(damaged(
                "it is of the form that minisign calls legacy (-l)".into(),
            ));
        }
        let comment = signature
            .trusted_comment()
            .map_err(|error| damaged(error.to_string()))?;
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

/// A secret key, ready to sign.
pub struct SigningKey(SecretKey);

impl SigningKey {
    /// The key in a file as `rtflash job keygen` and minisign write it. `password` is asked for one where the key is protected
    /// by one.
    ///
    /// # Errors
    /// `secret-key` (exit 2), and what `password` refuses.
    pub fn read(
        path: &Path,
        password: impl FnOnce() -> Result<String, Problem>,
    ) -> Result<Self, Problem> {
        let refusal = |why: String| {
            Problem::new("secret-key", ExitCode::Usage, "the secret key cannot be used")
                .at(Place::in_file(path, None))
                .because(why)
                .fix("take the file NAME.key that `rtflash job keygen` wrote, or a minisign secret key file, and its password")
        };
        let text = fs::read_to_string(path).map_err(|error| refusal(error.to_string()))?;
        let line = text.lines().nth(SECRET_KEY_LINE).unwrap_or_default();
        if line.trim().len() != SECRET_KEY_CHARACTERS {
            return Err(refusal("it does not have the form of a secret key".into()));
        }
        let in_file =
            || SecretKeyBox::from_string(&text).map_err(|error| refusal(error.to_string()));
        let key = match in_file()?.into_unencrypted_secret_key() {
            Ok(key) => return Ok(SigningKey(key)),
            Err(error) if matches!(error.kind(), minisign::ErrorKind::Verify) => {
                return Err(refusal(
                    "its checksum is wrong: it is damaged, or minisign made it without a password (-W) and without checksum"
                        .into(),
                ));
            }
            Err(_) => in_file()?.into_secret_key(Some(password()?)),
        };
        key.map(SigningKey)
            .map_err(|error| refusal(error.to_string()))
    }

    /// Signs `content`, the bytes that `job` was loaded from, and puts the signature beside the job file.
    ///
    /// # Errors
    /// `output-unwritable` (exit 23); `sign` (exit 1), where the system has no random numbers.
    pub fn sign(&self, job: &LoadedJob, content: &[u8]) -> Result<(PathBuf, Signed), Problem> {
        let revision = job.file.revision.iter();
        let revision: String = revision.map(|text| format!(", revision {text}")).collect();
        let comment = format!(
            "rtflash job {}{revision}, sha256 {}",
            job.file.name, job.sha256
        );
        let content = Cursor::new(content);
        let signature = minisign::sign(None, &self.0, content, Some(&comment), Some(UNTRUSTED))
            .map_err(|error| Problem::new("sign", ExitCode::Internal, error.to_string()))?;
        let path = signature_path(&job.path);
        OutputFile::begin(&path)?.finish(signature.into_string().as_bytes())?;
        let signed = Signed {
            key: key_id(self.0.keynum()),
            comment,
        };
        Ok((path, signed))
    }
}

/// A new pair of keys, as the files that hold them; the secret one protected by `password`, where there is one.
pub struct NewKeys {
    /// ID, 16 hexadecimal digits.
    pub id: String,
    /// Content of the public key's file.
    pub public: String,
    /// Content of the secret key's file.
    pub secret: String,
}

impl NewKeys {
    /// Makes them.
    ///
    /// # Errors
    /// `keygen` (exit 1), where the system has no random numbers.
    pub fn new(password: Option<String>) -> Result<Self, Problem> {
        let failed =
            |error: minisign::PError| Problem::new("keygen", ExitCode::Internal, error.to_string());
        let pair = match password {
            Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
            None => KeyPair::generate_unencrypted_keypair(),
        };
        let KeyPair { pk, sk } = pair.map_err(failed)?;
        Ok(NewKeys {
            id: key_id(pk.keynum()),
            public: pk.to_box().map_err(failed)?.into_string(),
            secret: sk.to_box(Some(SECRET_KEY)).map_err(failed)?.into_string(),
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
