//! The ledger on a PostgreSQL server, for stations on several computers.
//!
//! The connection is not encrypted: keep the server in the line's own network, or behind a tunnel. The tables are in the
//! schema `rtflash` of the database. A proxy that gives every transaction another session (PgBouncer's `transaction` mode)
//! will not do: the station's label is locked by its session.

use std::time::Duration;

use postgres::config::SslMode;

use super::cells::random_id;
use super::database::{Database, LOST, found, identity};
use super::journal::in_use;
use super::postgres_session::{Ask, Session};
use super::refusals::{gone, other_kind, other_version};
use super::schema;
use super::store::{Cell, Row, Store, StoreError, damaged};
use super::{Identity, RecordsError};
use crate::clock::{Clock, HostClock};

/// How long the server may take for a statement; for a lock, a little less, so that it is the lock that is named; and how
/// long a transaction may stand still before the server gives it up: less still, so that a station that died in one lets the
/// others' locks be granted.
const SESSION: &str = "
SET search_path = rtflash;
SET statement_timeout = '10s';
SET lock_timeout = '8s';
SET idle_in_transaction_session_timeout = '5s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET default_transaction_isolation = 'read committed';
SET client_min_messages = error;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
";

/// Tries of a transaction whose connection was lost, with a pause before each but the first that doubles: about seven
/// seconds, in which a server may start again.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// Tries for the lock of the station's label, which an own session that was lost may still hold for a moment.
const LABEL_TRIES: u32 = 30;
const LABEL_PAUSE: Duration = Duration::from_millis(100);

/// Key of the lock under which the tables are made: the letters `rtflash`.
const MAKING: i64 = 0x0072_7466_6C61_7368;

/// A ledger's server.
pub(super) struct Postgres {
    config: postgres::Config,
    /// The station that writes; none to read.
    station: Option<String>,
    /// What the server knows this process by, over all of its connections.
    name: String,
    session: Option<Session>,
    clock: HostClock,
}

/// Opens the ledger at `url` for `station` to write. Where there is none, it is made as one of rehearsals or of real
/// boards, unless `must_exist`.
///
/// # Errors
/// `records-in-use`, `records-gone`, `records-kind`, `records-version`, `records-lost`, or what the server says.
pub(super) fn open(
    url: &str,
    station: &str,
    rehearsal: bool,
    must_exist: bool,
) -> Result<(Database<Postgres>, Identity), RecordsError> {
    let mut store = Postgres::at(url, Some(station.to_owned()))?;
    store.connect()?;
    let made = store.begin(false).and_then(|()| {
        make(&mut store, rehearsal, must_exist)?;
        store.commit()
    });
    if made.is_err() {
        store.rollback();
    }
    made?;
    let identity = identity(&mut store)?;
    if identity.rehearsal != rehearsal {
        return Err(other_kind(&identity));
    }
    Ok((Database::new(store), identity))
}

/// Opens the ledger at `url` to read; nothing is created or changed.
///
/// # Errors
/// `records-none`, `records-version`, `records-lost`, or what the server says.
pub(super) fn open_to_read(url: &str) -> Result<Database<Postgres>, RecordsError> {
    let mut store = Postgres::at(url, None)?;
    store.connect()?;
    match version(&mut store)? {
        None => Err(RecordsError::new(
            "records-none",
            "there is no ledger in this database",
            "it has no schema `rtflash` with tables",
            "name the database that the station was given with `--records`",
        )),
        Some(schema::VERSION) => Ok(Database::new(store)),
        Some(version) => Err(other_version(version)),
    }
}

/// Makes the tables, where there are none; others that want the same wait.
fn make(store: &mut Postgres, rehearsal: bool, must_exist: bool) -> Result<(), StoreError> {
    store.query(
        "SELECT 1::bigint FROM (SELECT pg_advisory_xact_lock($1)) AS locked",
        &[MAKING.into()],
    )?;
    match version(store)? {
        Some(schema::VERSION) => Ok(()),
        Some(version) => Err(other_version(version).into()),
        None if must_exist => Err(gone("the database has no schema `rtflash` with tables").into()),
        None => {
            store.batch("CREATE SCHEMA IF NOT EXISTS rtflash")?;
            store.batch(&schema::postgres())?;
            store.query(
                "INSERT INTO version (version) VALUES ($1)",
                &[schema::VERSION.into()],
            )?;
            found(store, rehearsal)
        }
    }
}

/// The version of the tables, where there are any.
fn version(store: &mut Postgres) -> Result<Option<i64>, StoreError> {
    let there = store.query(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'rtflash' AND tablename = 'version'",
        &[],
    )?;
    if first_int(&there)? == 0 {
        return Ok(None);
    }
    let rows = store.query("SELECT version FROM version", &[])?;
    first_int(&rows).map(Some)
}

fn first_int(rows: &[Row]) -> Result<i64, StoreError> {
    rows.first()
        .ok_or_else(|| damaged("an answer without a row"))?
        .int(0)
}

impl Postgres {
    fn at(url: &str, station: Option<String>) -> Result<Self, RecordsError> {
        let mut config: postgres::Config = url.parse().map_err(|error: postgres::Error| {
            RecordsError::new(
                "records-address",
                "the address of the database is not one",
                error.to_string(),
                "write it as postgres://user:password@host:port/database",
            )
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(RecordsError::new(
                "records-address",
                "the database cannot be reached as its address wants",
                "it asks for TLS, which rtflash does not speak",
                "use a server in the line's own network or behind a tunnel, without `sslmode=require`",
            ));
        }
        let name = format!("rtflash-{}", random_id());
        config.application_name(&name);
        Ok(Postgres {
            config,
            station,
            name,
            session: None,
            clock: HostClock::start(),
        })
    }

    /// Connects, ends what is left of this process's earlier session, and locks the station's label.
    fn connect(&mut self) -> Result<(), StoreError> {
        self.session = None;
        self.session = Some(Session::open(&self.config)?);
        self.batch(SESSION)?;
        let Some(station) = self.station.clone() else {
            return self.batch("SET default_transaction_read_only = on");
        };
        let name = self.name.clone();
        self.query(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name = $1 AND pid <> pg_backend_pid()",
            &[name.into()],
        )?;
        for _ in 0..LABEL_TRIES {
            let locked = self.query(
                "SELECT CASE WHEN pg_try_advisory_lock(hashtextextended($1, 0)) \
                 THEN 1::bigint ELSE 0::bigint END",
                &[station.as_str().into()],
            )?;
            if first_int(&locked)? == 1 {
                return Ok(());
            }
            self.clock.sleep(LABEL_PAUSE);
        }
        self.session = None;
        Err(in_use(&format!("the ledger as `{station}`")).into())
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.ask(Ask::Batch(sql.to_owned())).map(drop)
    }

    /// One statement; after a lost connection there is none.
    fn ask(&mut self, ask: Ask) -> Result<Vec<Row>, StoreError> {
        let Some(session) = &self.session else {
            return Err(StoreError::Lost(lost("there is no connection")));
        };
        let answer = session.ask(ask);
        if let Err(StoreError::Lost(_)) = &answer {
            self.session = None;
        }
        answer
    }
}

/// There is no connection to the server.
pub(super) fn lost(why: impl Into<String>) -> RecordsError {
    RecordsError::new(
        LOST,
        "the database server with the ledger cannot be reached",
        why,
        "check server and network; the station goes on when they are back",
    )
}

impl Store for Postgres {
    fn seconds(&self) -> &'static str {
        "extract(epoch FROM clock_timestamp())::bigint"
    }

    fn begin(&mut self, alone: bool) -> Result<(), StoreError> {
        if self.session.is_none() {
            self.connect()?;
        }
        self.batch("BEGIN")?;
        if alone {
            self.query("SELECT one FROM gate FOR UPDATE", &[])?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) {
        if self.session.is_some() && self.batch("ROLLBACK").is_err() {
            // the server undoes what a lost session has begun
            self.session = None;
        }
    }

    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Row>, StoreError> {
        self.ask(Ask::Query(sql.to_owned(), values.to_vec()))
    }

    fn again(&mut self, tries: u32) -> bool {
        if tries >= TRIES {
            return false;
        }
        let doubled = 1_u32 << tries.saturating_sub(1).min(TRIES);
        self.clock.sleep(PAUSE.saturating_mul(doubled));
        true
    }
}
