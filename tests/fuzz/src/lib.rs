//! The pure stages by themselves, so that the fuzz targets need neither probe-rs nor an emulator.

#[path = "../../../src/address.rs"]
pub mod address;
pub mod algorithm;
#[path = "../../../src/boot/mod.rs"]
pub mod boot;
pub mod check;
#[path = "../../../src/image/mod.rs"]
pub mod image;
#[path = "../../../src/plan/mod.rs"]
pub mod plan;
#[path = "../../../src/problem.rs"]
pub mod problem;
#[path = "../../../src/target/mod.rs"]
pub mod target;

// The modelled FlexSPI, flash and clocks at the paths that they have in the virtual board.
#[path = "../../../virtual-board/src/activity.rs"]
pub mod activity;
#[path = "../../target-side/src/board.rs"]
pub mod board;
#[path = "../../../virtual-board/src/bus.rs"]
pub mod bus;
#[path = "../../../virtual-board/src/flexspi/mod.rs"]
pub mod flexspi;
#[path = "../../algorithm_on_model/host.rs"]
pub mod host;
#[path = "../../../virtual-board/src/nor/mod.rs"]
pub mod nor;
#[path = "../../../virtual-board/src/soc/mod.rs"]
pub mod soc;
#[path = "../../../virtual-board/src/time.rs"]
pub mod time;
#[path = "../../../virtual-board/src/trace.rs"]
pub mod trace;

extern crate self as virtual_board;
