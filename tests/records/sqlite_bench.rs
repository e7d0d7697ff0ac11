//! A ledger in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};

use rtflash::records::Place;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::bench::Bench;

pub struct Sqlite {
    directory: TempDir,
}

impl Sqlite {
    pub fn fresh() -> Self {
        Sqlite {
            directory: TempDir::new().expect("a directory"),
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn ledger(&self) -> PathBuf {
        self.path().join("ledger.sqlite")
    }

    pub fn connection(&self) -> Connection {
        Connection::open(self.ledger()).expect("the ledger")
    }
}

impl Bench for Sqlite {
    fn place(&self, _: &str) -> Place {
        Place::Directory(self.path().to_owned())
    }

    fn sql(&self, statement: &str) -> Result<(), String> {
        self.connection()
            .execute_batch(statement)
            .map_err(|error| error.to_string())
    }

    fn force(&self, statement: &str) {
        let connection = self.connection();
        let triggers: Vec<(String, String)> = connection
            .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            .and_then(|mut all| {
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .expect("the triggers");
        for (name, _) in &triggers {
            connection
                .execute_batch(&format!("DROP TRIGGER {name}"))
                .expect("dropped");
        }
        connection.execute_batch(statement).expect("forced");
        for (_, sql) in &triggers {
            connection.execute_batch(sql).expect("made again");
        }
    }

    fn make_newer(&self) {
        self.force("PRAGMA user_version = 2");
    }

    fn remove(&self) {
        fs::remove_file(self.ledger()).expect("removed");
    }
}
