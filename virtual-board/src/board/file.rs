//! `virtual:FILE`: the flash array in a file of exactly the part's size, its non-volatile registers in `FILE.nv`.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::nor::{NonVolatile, Nor};

/// The file that keeps a virtual flash.
#[derive(Debug)]
pub struct FlashFile {
    path: PathBuf,
    /// Held while the board stands: two boards on one file would each write what the other does not know of.
    _lock: File,
    saved: Vec<u8>,
    saved_registers: NonVolatile,
}

/// Why the flash file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FlashFileError {
    /// Reading or writing failed.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// "read" or "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another board stands on the file.
    #[error("{path} is in use by another virtual board")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file does not have the part's size.
    #[error("{path} has {found} bytes, the flash part has {expected}")]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The part's size.
        expected: u64,
    },
    /// The register file is not what this program writes.
    #[error("{path} is no register file of a virtual flash: {reason}")]
    Registers {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registers {
    status_register: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_register_2: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_register_3: Option<u8>,
    read_parameters: u8,
    function_register: u8,
    extended_read_register: u8,
}

fn registers_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".nv");
    name.into()
}

impl FlashFile {
    /// Loads the flash from `path`, or leaves it blank where the file is missing.
    ///
    /// # Errors
    /// [`FlashFileError`].
    pub fn open(path: PathBuf, nor: &mut Nor) -> Result<Self, FlashFileError> {
        match fs::read(&path) {
            Ok(bytes) if bytes.len() == nor.content().len() => {
                nor.content_mut().copy_from_slice(&bytes)
            }
            Ok(bytes) => {
                let (found, expected) = (bytes.len() as u64, nor.content().len() as u64);
                return Err(FlashFileError::Size {
                    path,
                    found,
                    expected,
                });
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                fs::write(&path, nor.content()).map_err(|source| FlashFileError::Io {
                    what: "write",
                    path: path.clone(),
                    source,
                })?;
            }
            Err(source) => {
                return Err(FlashFileError::Io {
                    what: "read",
                    path,
                    source,
                });
            }
        }
        let lock = lock(&path)?;
        let registers = registers_path(&path);
        match fs::read_to_string(&registers) {
            Ok(text) => {
                let r: Registers =
                    toml::from_str(&text).map_err(|e| FlashFileError::Registers {
                        path: registers,
                        reason: e.message().to_owned(),
                    })?;
                nor.set_registers(NonVolatile {
                    status: r.status_register,
                    status_2: r.status_register_2.unwrap_or(nor.registers().status_2),
                    status_3: r.status_register_3.unwrap_or(nor.registers().status_3),
                    read_parameters: r.read_parameters,
                    function: r.function_register,
                    extended: r.extended_read_register,
                });
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(FlashFileError::Io {
                    what: "read",
                    path: registers,
                    source,
                });
            }
        }
        Ok(FlashFile {
            path,
            _lock: lock,
            saved: nor.content().to_vec(),
            saved_registers: nor.registers(),
        })
    }

    /// Writes what changed since the last time.
    ///
    /// # Errors
    /// [`FlashFileError`].
    pub fn save(&mut self, nor: &Nor) -> Result<(), FlashFileError> {
        if self.saved != nor.content() {
            write(&self.path, nor.content())?;
            self.saved.copy_from_slice(nor.content());
        }
        let now = nor.registers();
        if self.saved_registers != now {
            let path = registers_path(&self.path);
            let registers = &nor.part().registers;
            let text = toml::to_string(&Registers {
                status_register: now.status,
                status_register_2: registers.status_2.map(|_| now.status_2),
                status_register_3: registers.status_3.map(|_| now.status_3),
                read_parameters: now.read_parameters,
                function_register: now.function,
                extended_read_register: now.extended,
            })
            .map_err(|e| FlashFileError::Registers {
                path: path.clone(),
                reason: e.to_string(),
            })?;
            write(&path, text.as_bytes())?;
            self.saved_registers = now;
        }
        Ok(())
    }
}

fn lock(path: &Path) -> Result<File, FlashFileError> {
    let io = |source| FlashFileError::Io {
        what: "lock",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FlashFileError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FlashFileError> {
    fs::write(path, bytes).map_err(|source| FlashFileError::Io {
        what: "write",
        path: path.to_owned(),
        source,
    })
}
