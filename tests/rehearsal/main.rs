//! Rehearsals: whole jobs at virtual sites, and their verdicts held against what the boards really were.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod broken_off;
mod desk;
mod each_defect_has_its_verdict;
mod operators_do_what_the_job_asks;
mod program;
mod sites_keep_out_of_each_other_s_way;
mod two_hundred_boards;
mod what_a_rehearsal_leaves;
