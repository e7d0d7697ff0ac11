//! The promises of rtflash as tests on the virtual board: one module per promise, read as a specification.

mod bench;
mod boot_proof;
mod edges;
mod few_transactions;
mod link;
mod stock_tools_can_use_our_algorithm;
mod the_flash_holds_exactly_image_and_header;
