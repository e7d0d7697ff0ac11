//! The promises of rtflash as tests on the virtual board: one module per promise, read as a specification.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod a_lie_never_becomes_a_pass;
mod a_part_with_qe_elsewhere_is_no_exception;
mod a_wrong_part_is_called_by_its_name;
mod an_interrupted_job_is_finished_by_the_next;
mod as_fast_as_the_parts_allow;
mod bench;
mod boot_proof;
mod edges;
mod every_kind_of_probe;
mod fault_plan;
mod few_transactions;
mod images;
mod link;
mod never_a_false_pass;
mod partial_images;
mod stock_tools_can_use_our_algorithm;
mod the_contact_is_checked_when_due;
mod the_flash_holds_exactly_image_and_header;
mod virtual_time_is_honest;
mod what_the_rom_started;
