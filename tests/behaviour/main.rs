//! The promises of rtflash as tests on the virtual board: one module per promise, read as a specification.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod a_bootloader_may_take_its_time;
mod a_cancelled_job_says_what_it_leaves;
mod a_cut_never_leaves_half_an_image;
mod a_lie_never_becomes_a_pass;
mod a_part_with_qe_elsewhere_is_no_exception;
mod a_wrong_part_is_called_by_its_name;
mod an_interrupted_job_is_finished_by_the_next;
mod apps;
mod as_fast_as_the_parts_allow;
mod bench;
mod boot_failures;
mod boot_proof;
mod edges;
mod erase_takes_no_more_than_it_is_told;
mod every_kind_of_probe;
mod every_way_not_to_boot_is_told;
mod fault_plan;
mod few_transactions;
mod from_any_state;
mod images;
mod info_tells_what_there_is;
mod link;
mod never_a_false_pass;
mod nothing_changes_before_the_board_is_known;
mod partial_images;
mod slots;
mod states;
mod stock_tools_can_use_our_algorithm;
mod the_contact_is_checked_when_due;
mod the_doctor_names_the_cause;
mod the_flash_holds_exactly_image_and_header;
mod the_part_is_found_by_its_id;
mod thumb;
mod virtual_time_is_honest;
mod watched;
mod what_counts_as_booted;
mod what_is_read_was_in_the_flash;
mod what_the_rom_started;
