//! The published schemas of what the records are exported as.

use super::Attempt;
use super::stats::Stats;
use crate::report::schema_tests::is_published;

#[test]
fn the_schema_of_an_attempt_is_published() {
    is_published::<Attempt>("attempt.schema.json");
}

#[test]
fn the_schema_of_the_figures_is_published() {
    is_published::<Stats>("records-stats.schema.json");
}
