//! The ledger's tables, in the words that both databases share, and what keeps them append-only in each.

/// Version of the tables. A newer program brings an older ledger up to its own; an older program refuses a newer one.
pub(super) const VERSION: i64 = 1;

/// The tables of version 1. `{id}` is how the database counts rows.
///
/// Columns beside a `document` repeat what it says, for the database to search by. Times are RFC 3339 text of fixed length,
/// numbers are text of 20 digits: 64 bits without sign do not fit the databases' integers.
const TABLES: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE attempt (
    id {id},
    token TEXT NOT NULL UNIQUE,
    station TEXT NOT NULL,
    site TEXT NOT NULL,
    job TEXT NOT NULL,
    barcode TEXT,
    begun_at TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX attempt_job ON attempt (job);
CREATE INDEX attempt_station ON attempt (station);
CREATE INDEX attempt_barcode ON attempt (barcode) WHERE barcode IS NOT NULL;
CREATE TABLE claim (
    attempt BIGINT PRIMARY KEY REFERENCES attempt (id),
    uid TEXT NOT NULL,
    job TEXT NOT NULL,
    attempt_of_unit BIGINT NOT NULL,
    claimed_at TEXT NOT NULL,
    database_seconds BIGINT NOT NULL
);
CREATE INDEX claim_uid ON claim (uid);
CREATE INDEX claim_job ON claim (job);
CREATE TABLE series (
    name TEXT PRIMARY KEY,
    first TEXT NOT NULL,
    step TEXT NOT NULL
);
CREATE TABLE number (
    series TEXT NOT NULL REFERENCES series (name),
    number TEXT NOT NULL,
    uid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'committed', 'void')),
    reserved_at TEXT NOT NULL,
    attempt BIGINT NOT NULL REFERENCES attempt (id),
    settled_by BIGINT REFERENCES attempt (id),
    PRIMARY KEY (series, number)
);
CREATE UNIQUE INDEX number_of_unit ON number (series, uid) WHERE state <> 'void';
CREATE TABLE claimed_number (
    attempt BIGINT NOT NULL REFERENCES attempt (id),
    place BIGINT NOT NULL,
    series TEXT NOT NULL,
    number TEXT NOT NULL,
    reserved_at TEXT NOT NULL,
    kept BIGINT NOT NULL,
    on_failure TEXT NOT NULL CHECK (on_failure IN ('keep', 'void')),
    PRIMARY KEY (attempt, place),
    UNIQUE (attempt, series),
    FOREIGN KEY (series, number) REFERENCES number (series, number)
);
CREATE TABLE ending (
    attempt BIGINT PRIMARY KEY REFERENCES attempt (id),
    token TEXT NOT NULL UNIQUE,
    verdict TEXT NOT NULL,
    code TEXT,
    uid TEXT,
    serial TEXT,
    ended_at TEXT NOT NULL,
    journal_line BIGINT NOT NULL,
    journal_sha256 TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX ending_uid ON ending (uid);
CREATE INDEX ending_serial ON ending (serial);
CREATE TABLE hook (
    id {id},
    token TEXT NOT NULL UNIQUE,
    attempt BIGINT NOT NULL REFERENCES ending (attempt),
    journal_line BIGINT NOT NULL,
    journal_sha256 TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX hook_attempt ON hook (attempt);
";

/// Tables whose rows never change and never go.
const APPEND_ONLY: [&str; 6] = [
    "attempt",
    "claim",
    "series",
    "claimed_number",
    "ending",
    "hook",
];

/// What a number may not do, in words that the database answers with.
const NUMBER_MOVES: &str = "a number only goes from reserved to committed or void";

/// Columns of a number that stay as they are.
const NUMBER_IS: [&str; 5] = ["series", "number", "uid", "reserved_at", "attempt"];

/// Statements that make an empty SQLite database a ledger, but for the rows of `meta`.
pub(super) fn sqlite() -> String {
    let mut sql = TABLES.replace("{id}", "INTEGER PRIMARY KEY AUTOINCREMENT");
    for table in APPEND_ONLY {
        for action in ["UPDATE", "DELETE"] {
            sql += &format!(
                "CREATE TRIGGER {table}_no_{action} BEFORE {action} ON {table} \
                 BEGIN SELECT RAISE(ABORT, '{table}: rows are added only'); END;\n"
            );
        }
    }
    let same = NUMBER_IS
        .map(|column| format!("NEW.{column} IS OLD.{column}"))
        .join(" AND ");
    sql += &format!(
        "CREATE TRIGGER number_begins BEFORE INSERT ON number \
         WHEN NEW.state <> 'reserved' OR NEW.settled_by IS NOT NULL \
         BEGIN SELECT RAISE(ABORT, '{NUMBER_MOVES}'); END;\n\
         CREATE TRIGGER number_moves BEFORE UPDATE ON number \
         WHEN NOT (OLD.state = 'reserved' AND NEW.state IN ('committed', 'void') \
         AND NEW.settled_by IS NOT NULL AND {same}) \
         BEGIN SELECT RAISE(ABORT, '{NUMBER_MOVES}'); END;\n\
         CREATE TRIGGER number_stays BEFORE DELETE ON number \
         BEGIN SELECT RAISE(ABORT, '{NUMBER_MOVES}'); END;\n\
         CREATE TRIGGER meta_no_update BEFORE UPDATE ON meta \
         BEGIN SELECT RAISE(ABORT, 'meta: rows are added only'); END;\n\
         CREATE TRIGGER meta_no_delete BEFORE DELETE ON meta \
         BEGIN SELECT RAISE(ABORT, 'meta: rows are added only'); END;\n"
    );
    sql
}

/// Statements that make an empty PostgreSQL schema a ledger, but for the rows of `meta`.
pub(super) fn postgres() -> String {
    let mut sql = TABLES.replace("{id}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
    // The row that transactions which must be alone lock.
    sql += "CREATE TABLE gate (one BIGINT PRIMARY KEY CHECK (one = 1));\n\
            INSERT INTO gate (one) VALUES (1);\n\
            CREATE TABLE version (version BIGINT NOT NULL);\n\
            CREATE FUNCTION added_only() RETURNS trigger LANGUAGE plpgsql AS $$\n\
            BEGIN RAISE EXCEPTION '%: rows are added only', TG_TABLE_NAME; END $$;\n";
    let same = NUMBER_IS
        .map(|column| format!("NEW.{column} IS NOT DISTINCT FROM OLD.{column}"))
        .join(" AND ");
    sql += &format!(
        "CREATE FUNCTION number_moves() RETURNS trigger LANGUAGE plpgsql AS $$\n\
         BEGIN\n\
         IF TG_OP = 'INSERT' AND NEW.state = 'reserved' AND NEW.settled_by IS NULL THEN RETURN NEW; END IF;\n\
         IF TG_OP = 'UPDATE' AND OLD.state = 'reserved' AND NEW.state IN ('committed', 'void') \
         AND NEW.settled_by IS NOT NULL AND {same} THEN RETURN NEW; END IF;\n\
         RAISE EXCEPTION '{NUMBER_MOVES}';\n\
         END $$;\n\
         CREATE TRIGGER number_moves BEFORE INSERT OR UPDATE ON number FOR EACH ROW EXECUTE FUNCTION number_moves();\n\
         CREATE TRIGGER number_stays BEFORE DELETE OR TRUNCATE ON number \
         FOR EACH STATEMENT EXECUTE FUNCTION added_only();\n"
    );
    for table in APPEND_ONLY.into_iter().chain(["meta"]) {
        sql += &format!(
            "CREATE TRIGGER {table}_added_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
             FOR EACH STATEMENT EXECUTE FUNCTION added_only();\n"
        );
    }
    sql
}
