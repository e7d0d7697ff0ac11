//! The ledger in an SQLite file on a local disk, for the stations of one computer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, ffi};

use super::database::{Database, found, identity};
use super::network::network_file_system;
use super::refusals::{gone, other_kind, other_version};
use super::same_file::{SameFile, make_directories, sync_directory_of};
use super::schema;
use super::store::{Cell, Row, Store, StoreError, damaged};
use super::{Identity, RecordsError};
use crate::clock::{Clock, HostClock};

/// How long a transaction waits for those of other processes. They take milliseconds.
const BUSY: Duration = Duration::from_secs(2);

/// How often, and after which pause, the change to write-ahead logging is tried, which SQLite does not wait for.
const WAL_TRIES: u32 = 20;
const WAL_PAUSE: Duration = Duration::from_millis(100);

/// What SQLite keeps beside the ledger while it is open. Whatever is lost of them takes commits with it.
const BESIDE: [&str; 2] = [WAL, "-shm"];
const WAL: &str = "-wal";

/// A ledger's file.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// The file and, to write, those beside it, as opened; those beside are known after the first transaction.
    opened: Vec<SameFile>,
    access: Access,
}

/// How the file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Write,
    /// To read, while a station has it open or did not live to close it: its write-ahead log is there.
    Read,
    /// To read as it stands: nobody has it open, and SQLite makes no files beside it.
    ReadAtRest,
}

/// Opens the ledger at `path` to write. Where there is none, it is made as one of rehearsals or of real boards, unless
/// `must_exist`.
///
/// # Errors
/// `records-gone`, `records-kind`, `records-version`, `records-network`, or what SQLite says.
pub(super) fn open(
    path: &Path,
    rehearsal: bool,
    must_exist: bool,
) -> Result<(Database<Sqlite>, Identity), RecordsError> {
    if !must_exist && let Some(directory) = path.parent() {
        make_directories(directory).map_err(|error| {
            RecordsError::new(
                "records-io",
                format!("{} cannot be created", directory.display()),
                error.to_string(),
                "choose a directory that can be written with `--records`",
            )
        })?;
    }
    if let Some(kind) = network_file_system(path) {
        return Err(RecordsError::new(
            "records-network",
            format!("{} is on a network file system", path.display()),
            format!("it is `{kind}`, where a lock does not hold for certain"),
            "keep records on a local disk, or on a PostgreSQL server",
        ));
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if must_exist {
        if !path.exists() {
            return Err(gone(format!("{} is not there", path.display())));
        }
    } else {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags).map_err(told)?;
    connection.busy_timeout(BUSY).map_err(told)?;
    write_ahead(&connection)?;
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(told)?;
    let mut store = Sqlite {
        connection,
        path: path.to_owned(),
        opened: vec![SameFile::at(path).map_err(|error| gone(error.to_string()))?],
        access: Access::Write,
    };
    create(&mut store, rehearsal, must_exist)?;
    sync_directory_of(path).map_err(|error| {
        RecordsError::new(
            "records-io",
            "the directory of the records cannot be made safe",
            error.to_string(),
            CHECK_DISK,
        )
    })?;
    let identity = identity(&mut store)?;
    if identity.rehearsal != rehearsal {
        return Err(other_kind(&identity));
    }
    Ok((Database::new(store), identity))
}

/// Opens the ledger at `path` to read; nothing is created or changed.
///
/// # Errors
/// `records-none`, `records-version`, or what SQLite says.
pub(super) fn open_to_read(path: &Path) -> Result<Database<Sqlite>, RecordsError> {
    let opened = SameFile::at(path).map_err(|error| {
        RecordsError::new(
            "records-none",
            format!("there is no ledger at {}", path.display()),
            error.to_string(),
            "name the directory that the station was given with `--records`",
        )
    })?;
    let (connection, access) = connect_to_read(path)?;
    let store = Sqlite {
        connection,
        path: path.to_owned(),
        opened: vec![opened],
        access,
    };
    match store.version()? {
        schema::VERSION => Ok(Database::new(store)),
        0 => Err(gone(format!("{} is empty", path.display()))),
        version => Err(other_version(version)),
    }
}

/// Opens the file to read, without leaving anything beside it.
fn connect_to_read(path: &Path) -> Result<(Connection, Access), RecordsError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let (connection, access) = if beside(path, WAL).exists() {
        let connection = Connection::open_with_flags(path, flags);
        (connection, Access::Read)
    } else {
        let name = path.to_string_lossy();
        let name = name
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let connection = Connection::open_with_flags(
            format!("file:{name}?immutable=1"),
            flags | OpenFlags::SQLITE_OPEN_URI,
        );
        (connection, Access::ReadAtRest)
    };
    let connection = connection.map_err(told)?;
    connection.busy_timeout(BUSY).map_err(told)?;
    Ok((connection, access))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(end);
    PathBuf::from(name)
}

/// What to do about a disk.
const CHECK_DISK: &str = "check the disk with the records";

fn write_ahead(connection: &Connection) -> Result<(), RecordsError> {
    let clock = HostClock::start();
    let mut tries = 0;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        tries += 1;
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(RecordsError::new(
                    "records-io",
                    "the ledger cannot be logged ahead",
                    format!("its journal mode is `{mode}`"),
                    CHECK_DISK,
                ));
            }
            Err(error) if tries < WAL_TRIES && is_busy(&error) => clock.sleep(WAL_PAUSE),
            Err(error) => return Err(told(error)),
        }
    }
}

/// Makes the tables, where there are none.
fn create(store: &mut Sqlite, rehearsal: bool, must_exist: bool) -> Result<(), RecordsError> {
    store.begin(true)?;
    let made = match store.version()? {
        0 if must_exist => Err(gone(format!("{} is empty", store.path.display())).into()),
        0 => store
            .connection
            .execute_batch(&schema::sqlite())
            .and_then(|()| {
                store
                    .connection
                    .pragma_update(None, "user_version", schema::VERSION)
            })
            .map_err(|error| told(error).into())
            .and_then(|()| found(store, rehearsal)),
        schema::VERSION => Ok(()),
        version => Err(other_version(version).into()),
    };
    let made = made.and_then(|()| store.commit());
    if made.is_err() {
        store.rollback();
    }
    Ok(made?)
}

impl Sqlite {
    fn version(&self) -> Result<i64, RecordsError> {
        self.connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(told)
    }

    /// Whether a file that was opened as nobody's is somebody's now.
    fn is_at_rest_no_more(&self) -> bool {
        self.access == Access::ReadAtRest && beside(&self.path, WAL).exists()
    }

    /// That what is open is what the path leads to: a commit into a file without a name is none.
    fn is_still_there(&self) -> Result<(), StoreError> {
        match self.opened.iter().find_map(SameFile::gone) {
            None => Ok(()),
            Some(why) => Err(gone(why).into()),
        }
    }
}

impl Store for Sqlite {
    fn seconds(&self) -> &'static str {
        "unixepoch()"
    }

    fn begin(&mut self, _: bool) -> Result<(), StoreError> {
        self.is_still_there()?;
        if self.access != Access::Write {
            return Ok(self.connection.execute_batch("BEGIN").map_err(told)?);
        }
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(told)?;
        if self.opened.len() == 1 {
            for end in BESIDE {
                self.opened.extend(SameFile::at(&beside(&self.path, end)));
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.is_still_there()?;
        let committed = self.connection.execute_batch("COMMIT");
        committed.map_err(|error| in_doubt(told(error)))?;
        if self.is_at_rest_no_more() {
            return Err(StoreError::Again(RecordsError::new(
                "records-locked",
                "a station has begun to work with the ledger",
                "what was read may be old and new mixed",
                "read again",
            )));
        }
        // between the look before and the commit it may have gone; then there is no such commit, unless it comes back
        match self.opened.iter().find_map(SameFile::gone) {
            None => Ok(()),
            Some(why) => Err(StoreError::Lost(gone(why))),
        }
    }

    fn rollback(&mut self) {
        // where SQLite has done it itself there is nothing to undo, which it calls an error
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Row>, StoreError> {
        let sql = sql.replace('$', "?");
        let mut statement = self.connection.prepare_cached(&sql).map_err(told)?;
        let columns = statement.column_count();
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .map_err(told)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(told)? {
            let cells = (0..columns)
                .map(|at| match row.get_ref(at).map_err(told)? {
                    ValueRef::Null => Ok(Cell::Null),
                    ValueRef::Integer(value) => Ok(Cell::Int(value)),
                    ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec())
                        .map(Cell::Text)
                        .map_err(|error| damaged(error.to_string())),
                    other => Err(damaged(format!("a value of {:?}", other.data_type()))),
                })
                .collect::<Result<_, StoreError>>()?;
            found.push(Row(cells));
        }
        Ok(found)
    }

    fn again(&mut self, _: u32) -> bool {
        if !self.is_at_rest_no_more() {
            return false;
        }
        match connect_to_read(&self.path) {
            Ok((connection, access)) => {
                self.connection = connection;
                self.access = access;
                true
            }
            Err(_) => false,
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// SQLite's reason in our words.
/// What a commit that ended in an error has come to: where the disk failed, nobody knows before the file is read again.
fn in_doubt(error: RecordsError) -> StoreError {
    match error.code {
        "records-io" => StoreError::Lost(error),
        _ => error.into(),
    }
}

fn told(error: rusqlite::Error) -> RecordsError {
    let why = error.to_string();
    let (code, what, fix) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "records-locked",
            "the ledger is locked by another program",
            "end the program that has the ledger open",
        ),
        Some(ErrorCode::DiskFull) => (
            "records-full",
            "the disk with the ledger is full",
            "make room on the disk with the records",
        ),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            "records-damaged",
            "the ledger is damaged",
            "keep the ledger as it is, and restore a copy of it",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            if error
                .sqlite_error()
                .is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_DBMOVED) =>
        {
            return gone(why);
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            "records-io",
            "the ledger cannot be opened to write",
            "make the directory of the records writable",
        ),
        Some(ErrorCode::ConstraintViolation) => (
            "records-refused",
            "the ledger does not take what it was given",
            "report this as a fault of rtflash",
        ),
        _ => (
            "records-io",
            "the ledger cannot be read or written",
            CHECK_DISK,
        ),
    };
    RecordsError::new(code, what, why, fix)
}
