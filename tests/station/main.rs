//! What a station promises its operators, on virtual boards that are put in and taken out by hand.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../behaviour/apps.rs"]
#[allow(dead_code, reason = "one of many applications is enough here")]
mod apps;
mod floor;
mod hand;
#[path = "../behaviour/images.rs"]
#[allow(dead_code, reason = "what other tests need of it")]
mod images;

mod a_board_gets_one_verdict;
mod a_code_belongs_to_one_board;
mod a_look_disturbs_nothing;
mod no_record_no_pass;
mod one_site_never_disturbs_another;
