//! Why a ledger is not the one that is wanted.

use super::{Identity, RecordsError, schema};

/// The ledger is of the other kind.
pub(super) fn other_kind(identity: &Identity) -> RecordsError {
    let (is, wanted) = if identity.rehearsal {
        ("rehearsals", "real boards")
    } else {
        ("real boards", "rehearsals")
    };
    RecordsError::new(
        "records-kind",
        format!("the records are those of {is}, not of {wanted}"),
        "serial numbers of rehearsals must not mix with real ones",
        "name other records with `--records`",
    )
}

/// The ledger's tables are of another version than this program's.
pub(super) fn other_version(version: i64) -> RecordsError {
    RecordsError::new(
        "records-version",
        "the records were written by a newer rtflash",
        format!(
            "their tables are version {version}, this program knows version {}",
            schema::VERSION
        ),
        "use the newer rtflash",
    )
}

/// The ledger is not what it was.
pub(super) fn gone(why: impl Into<String>) -> RecordsError {
    RecordsError::new(
        "records-gone",
        "the ledger is gone",
        why,
        "bring the ledger back, and start the station again; for a new beginning name another directory with `--records`",
    )
}
