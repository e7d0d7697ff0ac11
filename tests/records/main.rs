//! What the records promise, on both databases: no number twice, none lost, nothing unsaid.
//!
//! On PostgreSQL with `tests/postgresql.sh`, which starts a server and runs the ignored tests.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod bench;
mod claims;
mod cut_connections;
mod journal;
mod ledger_file;
mod model;
mod on_a_server;
mod postgres_bench;
mod processes;
mod proxy;
mod reading;
mod restarts;
mod sqlite_bench;

/// Every promise on both databases.
macro_rules! on_both {
    ($($module:ident: $($promise:ident),+;)+) => {
        mod on_sqlite {
            $($(#[test]
            fn $promise() {
                super::$module::$promise(&super::sqlite_bench::Sqlite::fresh());
            })+)+
        }

        mod on_postgresql {
            $($(#[test]
            #[ignore = "needs a server: tests/postgresql.sh"]
            fn $promise() {
                super::$module::$promise(&super::postgres_bench::Postgres::fresh());
            })+)+
        }
    };
}

on_both! {
    claims:
        a_number_is_the_chips_until_it_passes_and_ever_after,
        a_void_number_is_nobodys_for_ever,
        a_committed_number_stays_the_units_whatever_fails_later,
        only_failures_since_the_last_pass_count_against_a_unit,
        a_quota_counts_units_that_passed_and_units_under_way,
        a_unit_that_has_passed_is_refused_with_its_serial_or_flashed_again,
        a_chip_is_in_work_once,
        a_dead_station_blocks_a_chip_for_ten_minutes,
        a_code_belongs_to_one_chip,
        a_series_that_is_used_up_takes_nothing_from_the_others,
        a_series_has_one_step,
        numbers_have_sixty_four_bits,
        numbers_are_never_filled_up,
        only_the_unit_that_was_claimed_passes,
        a_claim_that_is_asked_again_is_answered_the_same;
    reading:
        what_was_recorded_is_read_back,
        every_filter_means_what_it_says,
        many_attempts_come_in_pages,
        rows_are_added_only,
        a_row_that_was_changed_is_said_to_be;
    restarts:
        what_a_killed_station_left_is_interrupted,
        numbers_of_an_interrupted_attempt_go_by_their_series,
        an_end_that_the_ledger_does_not_have_is_withdrawn,
        a_hooks_result_that_the_ledger_does_not_have_is_withdrawn,
        rows_that_the_journal_does_not_tell_are_named,
        a_rehearsal_never_mixes_with_real_boards,
        a_label_works_once,
        two_labels_work_at_the_same_time,
        a_newer_ledger_is_refused,
        a_journal_without_its_ledger_begins_nothing,
        a_journal_of_another_ledger_is_refused,
        a_ledger_older_than_its_journal_is_refused,
        a_start_that_fails_leaves_no_journal,
        reading_creates_nothing,
        a_clock_that_steps_back_is_noted_and_nothing_more;
}
