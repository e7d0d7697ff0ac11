//! A ledger in a database of its own, on the server that RTFLASH_TEST_POSTGRES names.

use std::env;

use postgres::{Client, NoTls};
use rtflash::records::Place;
use tempfile::TempDir;

use crate::bench::Bench;

pub struct Postgres {
    server: String,
    database: String,
    journals: TempDir,
}

impl Postgres {
    pub fn fresh() -> Self {
        let server = env::var("RTFLASH_TEST_POSTGRES").expect(
            "RTFLASH_TEST_POSTGRES=postgres://user@host:port, as tests/postgresql.sh sets it",
        );
        let journals = TempDir::new().expect("a directory");
        let name = journals.path().file_name().expect("a name");
        let letters = name.to_string_lossy().replace('.', "");
        let bytes: String = letters.bytes().map(|byte| format!("{byte:02x}")).collect();
        let database = format!("t{bytes}");
        let bench = Postgres {
            server,
            database,
            journals,
        };
        bench
            .client("postgres")
            .batch_execute(&format!("CREATE DATABASE {}", bench.database))
            .expect("a database");
        bench
    }

    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.database)
    }

    /// Host and port of the server.
    pub fn address(&self) -> String {
        let (_, host) = self.server.split_once('@').expect("user@host:port");
        host.to_owned()
    }

    /// The address of the database by way of another host and port.
    pub fn url_by(&self, address: &str) -> String {
        self.url().replace(&self.address(), address)
    }

    fn client(&self, database: &str) -> Client {
        Client::connect(&format!("{}/{database}", self.server), NoTls).expect("the server")
    }

    pub fn stranger(&self) -> Client {
        let mut client = self.client(&self.database);
        client
            .batch_execute("SET search_path = rtflash")
            .expect("a session");
        client
    }

    pub fn place_by(&self, address: &str, station: &str) -> Place {
        Place::Server {
            url: self.url_by(address),
            journal: self.journals.path().join(format!("{station}.jsonl")),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        if let Ok(mut client) = Client::connect(&format!("{}/postgres", self.server), NoTls) {
            let _ = client.batch_execute(&drop);
        }
    }
}

impl Bench for Postgres {
    fn place(&self, station: &str) -> Place {
        self.place_by(&self.address(), station)
    }

    fn sql(&self, statement: &str) -> Result<(), String> {
        self.stranger()
            .batch_execute(statement)
            .map_err(|error| error.to_string())
    }

    fn force(&self, statement: &str) {
        let mut client = self.stranger();
        client
            .batch_execute("SET session_replication_role = replica")
            .expect("a superuser");
        client.batch_execute(statement).expect("forced");
    }

    fn make_newer(&self) {
        self.force("UPDATE version SET version = 2");
    }

    fn remove(&self) {
        self.force("DROP SCHEMA rtflash CASCADE");
    }
}
