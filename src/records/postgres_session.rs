//! One connection to a PostgreSQL server, in a thread of its own: a server that hangs is an error and not a hang.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use postgres::{Client, NoTls};

use super::RecordsError;
use super::postgres::lost;
use super::refusals::gone;
use super::store::{Cell, Row, StoreError, damaged};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the answer to a statement may take: longer than the server allows itself.
const ANSWER: Duration = Duration::from_secs(15);

/// When a silent connection is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What the server is asked.
pub(super) enum Ask {
    /// Statements without values and without an answer.
    Batch(String),
    /// A statement with values.
    Query(String, Vec<Cell>),
}

type Answer = Result<Vec<Row>, StoreError>;

/// A connection. Where an answer does not come in time, the thread is left to itself and ends with its socket.
pub(super) struct Session {
    asks: Sender<Ask>,
    answers: Receiver<Answer>,
}

impl Session {
    /// Connects.
    pub fn open(config: &postgres::Config) -> Result<Self, StoreError> {
        let mut config = config.clone();
        config
            .connect_timeout(CONNECT)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(ANSWER);
        let (asks, asked) = channel();
        let (answer, answers) = channel();
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || serve(&config, &asked, &answer))
            .map_err(|error| lost(format!("no thread for the connection: {error}")))?;
        let session = Session { asks, answers };
        session.wait(CONNECT)?;
        Ok(session)
    }

    /// Asks, and waits for the answer.
    pub fn ask(&self, ask: Ask) -> Answer {
        self.asks
            .send(ask)
            .map_err(|_| StoreError::Lost(lost("the connection has ended")))?;
        self.wait(ANSWER)
    }

    fn wait(&self, limit: Duration) -> Answer {
        self.answers.recv_timeout(limit).unwrap_or_else(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => {
                    format!("no answer within {} s", limit.as_secs())
                }
                RecvTimeoutError::Disconnected => "the connection has ended".to_owned(),
            };
            Err(StoreError::Lost(lost(why)))
        })
    }
}

/// The thread: connects, then answers until nobody asks any more.
fn serve(config: &postgres::Config, asked: &Receiver<Ask>, answer: &Sender<Answer>) {
    let mut client = match config.connect(NoTls) {
        Ok(client) => client,
        Err(error) => {
            let _ = answer.send(Err(told(&error)));
            return;
        }
    };
    let mut statements = HashMap::new();
    let mut result = Ok(Vec::new());
    loop {
        if answer.send(result).is_err() {
            return;
        }
        result = match asked.recv() {
            Err(_) => return,
            Ok(Ask::Batch(sql)) => client
                .batch_execute(&sql)
                .map(|()| Vec::new())
                .map_err(|error| told(&error)),
            Ok(Ask::Query(sql, values)) => query(&mut client, &mut statements, sql, &values),
        };
    }
}

fn query(
    client: &mut Client,
    statements: &mut HashMap<String, postgres::Statement>,
    sql: String,
    values: &[Cell],
) -> Answer {
    let statement = match statements.get(&sql) {
        Some(statement) => statement.clone(),
        None => {
            let statement = client.prepare(&sql).map_err(|error| told(&error))?;
            statements.insert(sql, statement.clone());
            statement
        }
    };
    let values: Vec<&(dyn ToSql + Sync)> = values
        .iter()
        .map(|cell| cell as &(dyn ToSql + Sync))
        .collect();
    client
        .query(&statement, &values)
        .map_err(|error| told(&error))?
        .iter()
        .map(read)
        .collect()
}

fn read(row: &postgres::Row) -> Result<Row, StoreError> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cell = match *column.type_() {
                Type::INT8 => row
                    .try_get::<_, Option<i64>>(at)
                    .map(|value| value.map_or(Cell::Null, Cell::Int)),
                _ => row
                    .try_get::<_, Option<String>>(at)
                    .map(|value| value.map_or(Cell::Null, Cell::Text)),
            };
            cell.map_err(|error| damaged(error.to_string()))
        })
        .collect::<Result<_, _>>()
        .map(Row)
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(value) => value.to_sql(ty, out),
            Cell::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The server's reason in our words, and whether doing it again may help.
fn told(error: &postgres::Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        let mut why = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            why = format!("{why}: {source}");
        }
        // what the server has not said, the connection has
        return StoreError::Lost(lost(why));
    };
    let why = format!("{} ({})", said.message(), said.code().code());
    let is_in_class = |class: &str| said.code().code().starts_with(class);
    let (code, what, fix) = match said.code() {
        code if [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(&code) =>
        {
            return StoreError::Again(locked(why));
        }
        code if [
            &SqlState::ADMIN_SHUTDOWN,
            &SqlState::CRASH_SHUTDOWN,
            &SqlState::CANNOT_CONNECT_NOW,
            &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            &SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(&code)
            || is_in_class("08") =>
        {
            return StoreError::Lost(lost(why));
        }
        code if [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::QUERY_CANCELED].contains(&code) => {
            return StoreError::Final(locked(why));
        }
        code if [
            &SqlState::UNDEFINED_TABLE,
            &SqlState::INVALID_SCHEMA_NAME,
            &SqlState::INVALID_CATALOG_NAME,
        ]
        .contains(&code) =>
        {
            return StoreError::Final(gone(why));
        }
        &SqlState::DISK_FULL => (
            "records-full",
            "the disk of the database server is full",
            "make room on the server's disk",
        ),
        _ if is_in_class("28") || *said.code() == SqlState::INSUFFICIENT_PRIVILEGE => (
            "records-access",
            "the database server does not let the station in",
            "check user and password of the address, and the user's rights",
        ),
        _ if is_in_class("23") || *said.code() == SqlState::RAISE_EXCEPTION => (
            "records-refused",
            "the ledger does not take what it was given",
            "report this as a fault of rtflash",
        ),
        _ => (
            "records-io",
            "the database server cannot do what it was asked",
            "look into the server's log",
        ),
    };
    StoreError::Final(RecordsError::new(code, what, why, fix))
}

fn locked(why: String) -> RecordsError {
    RecordsError::new(
        "records-locked",
        "the ledger is locked by another program",
        why,
        "end the program that has the ledger locked",
    )
}
