//! Where the records are: a directory, or a database server and a journal's file.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::problem::{ExitCode, Problem};

/// Name of the ledger's file in a directory of records.
const LEDGER: &str = "ledger.sqlite";

/// Beginnings of the address of a database server.
const SERVER: [&str; 2] = ["postgres://", "postgresql://"];

/// Where the records are.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A directory on a local disk: `ledger.sqlite`, and `journal-STATION.jsonl` for each station.
    Directory(PathBuf),
    /// A PostgreSQL database, which several stations share; the journal is the station's own file.
    Server {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// The journal.
        journal: PathBuf,
    },
}

impl Place {
    /// Reads what `--records` and `--journal` say.
    ///
    /// # Errors
    /// A server without a journal, a directory with one.
    pub fn parse(records: &str, journal: Option<&Path>) -> Result<Place, Problem> {
        let is_server = SERVER.iter().any(|start| records.starts_with(start));
        match (is_server, journal) {
            (false, None) => Ok(Place::Directory(PathBuf::from(records))),
            (true, Some(journal)) => Ok(Place::Server {
                url: records.to_owned(),
                journal: journal.to_owned(),
            }),
            (true, None) => Err(Problem::new(
                "records-journal",
                ExitCode::Usage,
                "records on a database server need a journal of the station's own",
            )
            .fix("add `--journal FILE`, on a local disk")),
            (false, Some(_)) => Err(Problem::new(
                "records-journal",
                ExitCode::Usage,
                "a directory of records has its journals inside",
            )
            .fix("leave out `--journal`")),
        }
    }

    /// The file of the ledger, where it is a file.
    pub fn ledger_file(&self) -> Option<PathBuf> {
        match self {
            Place::Directory(directory) => Some(directory.join(LEDGER)),
            Place::Server { .. } => None,
        }
    }

    /// The journal of `station`.
    pub fn journal(&self, station: &str) -> PathBuf {
        match self {
            Place::Directory(directory) => {
                directory.join(format!("journal-{}.jsonl", file_name(station)))
            }
            Place::Server { journal, .. } => journal.clone(),
        }
    }

    /// The journals that are there, by name.
    pub fn journals(&self) -> Vec<PathBuf> {
        match self {
            Place::Server { journal, .. } => vec![journal.clone()],
            Place::Directory(directory) => {
                let mut found: Vec<PathBuf> = fs::read_dir(directory)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|path| {
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        name.starts_with("journal-") && name.ends_with(".jsonl")
                    })
                    .collect();
                found.sort();
                found
            }
        }
    }
}

/// A station's label as part of a file's name: what is no letter, digit, `-`, `_` or `.` becomes `%` and two hex digits a
/// byte, so that two labels never share a file.
fn file_name(station: &str) -> String {
    station
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

impl fmt::Display for Place {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Directory(directory) => write!(f, "{}", directory.display()),
            Place::Server { url, .. } => write!(f, "{}", without_secrets(url)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address without what stands before `@` and behind `?`: both may hold the password.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split('?').next().unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_shown_without_its_password() {
        for url in [
            "postgres://line:secret@db:5432/rtflash",
            "postgres://line:sec@ret@db:5432/rtflash?password=secret",
        ] {
            let place = Place::parse(url, Some(Path::new("j"))).unwrap();
            assert_eq!(place.to_string(), "postgres://db:5432/rtflash");
            assert_eq!(format!("{place:?}"), "postgres://db:5432/rtflash");
        }
    }

    #[test]
    fn stations_never_share_a_journal() {
        let place = Place::parse("/r", None).unwrap();
        let names: Vec<_> = ["A", "a/b", "a%2Fb", "../x", "ü"]
            .map(|station| place.journal(station))
            .into();
        assert_eq!(names[1], Path::new("/r/journal-a%2Fb.jsonl"));
        assert_eq!(names[2], Path::new("/r/journal-a%252Fb.jsonl"));
        assert_eq!(names[3], Path::new("/r/journal-..%2Fx.jsonl"));
    }

    #[test]
    fn a_journal_is_named_for_a_server_and_only_then() {
        assert!(Place::parse("postgres://db/x", None).is_err());
        assert!(Place::parse("dir", Some(Path::new("j"))).is_err());
    }
}
