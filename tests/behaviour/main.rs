//! The promises of rtflash as tests on the virtual board: one module per promise, read as a specification.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

// Who is there, and how control is got.
mod a_wrong_part_is_called_by_its_name;
mod every_kind_of_probe_will_do;
mod info_tells_what_there_is;
mod it_gets_control_from_any_state;
mod nothing_changes_before_the_board_is_known;
mod the_contact_is_checked_when_due;
mod the_part_is_found_by_its_id;
mod the_wire_is_never_trusted;

// What is written, and only that.
mod a_part_with_qe_elsewhere_is_no_exception;
mod a_slot_is_flashed_under_its_bootloader;
mod erase_takes_no_more_than_it_is_told;
mod every_unit_gets_its_own_data;
mod the_flash_holds_exactly_image_and_header;
mod what_is_read_was_in_the_flash;

// Whatever goes wrong.
mod a_cancelled_job_says_what_it_leaves;
mod a_cut_never_leaves_half_an_image;
mod a_defect_never_becomes_a_pass;
mod a_lie_never_becomes_a_pass;
mod an_interrupted_job_is_finished_by_the_next;

// Whether it boots, and why not.
mod a_boot_is_proven_without_touching_the_core;
mod a_bootloader_may_take_its_time;
mod every_way_not_to_boot_is_told;
mod reset_tells_what_the_rom_started;
mod the_doctor_names_the_cause;
mod what_counts_as_booted;

// How fast, how honest, how built.
mod a_job_takes_few_transactions;
mod as_fast_as_the_parts_allow;
mod each_stage_uses_only_what_it_may;
mod stock_tools_can_use_our_algorithm;
mod virtual_time_is_honest;

// What the promises are shown with: boards, images, programs, faults.
mod apps;
mod bench;
mod boot_failures;
mod fault_plan;
mod images;
mod slots;
mod states;
mod thumb;
mod watched;
