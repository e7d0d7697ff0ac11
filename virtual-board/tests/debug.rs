//! Core debug through probe-rs: halting, registers, running code, breakpoints, faults, cache hazards.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use probe_rs::architecture::arm::dp::DpAddress;
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::architecture::arm::{ArmDebugInterface, FullyQualifiedApAddress};
use probe_rs::probe::list::Lister;
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::Part;

const DHCSR: u64 = 0xE000_EDF0;
const DCRSR: u64 = 0xE000_EDF4;
const DCRDR: u64 = 0xE000_EDF8;
const DEMCR: u64 = 0xE000_EDFC;
const CCR: u64 = 0xE000_ED14;
const MPU_CTRL: u64 = 0xE000_ED94;
const CODE: u32 = 0x2020_9000;

static SERIAL: AtomicU32 = AtomicU32::new(0);

struct Bench {
    board: BoardHandle,
    arm: Box<dyn ArmDebugInterface>,
}

impl Bench {
    fn new() -> Self {
        let serial = format!("core-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
        let part = Part::builtin("is25wp064").expect("part");
        let board = BoardHandle::start(BoardConfig::new(part), &serial).expect("board");
        let listed = Lister::new().list_all();
        let info = listed
            .iter()
            .find(|p| p.serial_number.as_deref() == Some(&serial))
            .expect("listed");
        let mut probe = info.open().expect("probe");
        probe.set_speed(4_000).expect("speed");
        probe.attach_to_unspecified().expect("attach");
        let mut arm = probe
            .try_into_arm_debug_interface(DefaultArmSequence::create())
            .map_err(|e| e.1)
            .expect("arm");
        arm.select_debug_port(DpAddress::Default).expect("dp");
        // let the boot ROM give up on the blank flash
        board.sleep(Duration::from_millis(50)).expect("sleep");
        Bench { board, arm }
    }

    fn mem(&mut self) -> Box<dyn ArmMemoryInterface + '_> {
        self.arm
            .memory_interface(&FullyQualifiedApAddress::v1_with_default_dp(0))
            .expect("memory interface")
    }

    fn halt(&mut self) {
        let mut m = self.mem();
        m.write_word_32(DHCSR, 0xA05F_0003).expect("halt");
        assert_ne!(
            m.read_word_32(DHCSR).expect("dhcsr") & (1 << 17),
            0,
            "halted"
        );
        m.write_word_32(MPU_CTRL, 0).expect("mpu");
        let ccr = m.read_word_32(CCR).expect("ccr");
        m.write_word_32(CCR, ccr & !0x0003_0000).expect("ccr");
    }

    fn write_register(&mut self, n: u32, value: u32) {
        let mut m = self.mem();
        m.write_word_32(DCRDR, value).expect("dcrdr");
        m.write_word_32(DCRSR, n | 1 << 16).expect("dcrsr");
        assert_ne!(
            m.read_word_32(DHCSR).expect("dhcsr") & (1 << 16),
            0,
            "register ready"
        );
    }

    fn read_register(&mut self, n: u32) -> u32 {
        let mut m = self.mem();
        m.write_word_32(DCRSR, n).expect("dcrsr");
        m.read_word_32(DCRDR).expect("dcrdr")
    }

    /// Loads halfwords at CODE and runs them with a stack in OCRAM2 until the core halts.
    fn run(&mut self, code: &[u16]) {
        self.halt();
        let words: Vec<u32> = code
            .chunks(2)
            .map(|c| u32::from(c[0]) | u32::from(c.get(1).copied().unwrap_or(0xBF00)) << 16)
            .collect();
        self.mem().write_32(u64::from(CODE), &words).expect("code");
        self.write_register(13, 0x2022_0000);
        self.write_register(16, 0x0100_0000);
        self.write_register(15, CODE);
        self.mem().write_word_32(DHCSR, 0xA05F_0001).expect("run");
        self.board.sleep(Duration::from_millis(5)).expect("sleep");
    }

    fn dhcsr(&mut self) -> u32 {
        self.mem().read_word_32(DHCSR).expect("dhcsr")
    }

    fn violations(&self) -> Vec<String> {
        self.board.violations().expect("violations")
    }
}

#[test]
fn downloaded_code_runs_until_its_breakpoint_and_leaves_its_result_in_a_register() {
    let mut b = Bench::new();
    // movs r0,#7 ; adds r0,#35 ; bkpt
    b.run(&[0x2007, 0x3023, 0xBE00]);
    assert_ne!(b.dhcsr() & (1 << 17), 0, "halted at the breakpoint");
    assert_eq!(b.read_register(0), 42);
    assert_eq!(b.read_register(15), CODE + 4);
    assert_eq!(b.violations(), Vec::<String>::new());
}

#[test]
fn the_core_reaches_the_system_control_space_by_its_own_loads_and_stores() {
    let mut b = Bench::new();
    // ldr r1,[pc,#12] ; ldr r0,[r1] ; ldr r2,[pc,#8]→VTOR; movs r3,#0 ; str r3,[r2] ; ldr r4,[r2] ; bkpt ; nop ; words
    b.run(&[
        0x4903, 0x6808, 0x4A03, 0x2380, 0x6013, 0x6814, 0xBE00, 0xBF00, 0xED00, 0xE000, 0xED08,
        0xE000,
    ]);
    assert_eq!(b.read_register(0), 0x411F_C271, "CPUID");
    assert_eq!(b.read_register(4), 0x80, "VTOR as written");
    assert_eq!(b.violations(), Vec::<String>::new());
}

#[test]
fn a_hardware_breakpoint_halts_before_its_instruction() {
    let mut b = Bench::new();
    b.halt();
    b.mem().write_word_32(0xE000_2000, 3).expect("fp_ctrl");
    b.mem()
        .write_word_32(0xE000_2008, (CODE + 2) | 1)
        .expect("fp_comp0");
    b.run(&[0x2001, 0x2002, 0xBE00]);
    assert_eq!(b.read_register(15), CODE + 2);
    assert_eq!(b.read_register(0), 1);
}

#[test]
fn a_match_comparator_tells_that_an_instruction_ran_without_halting_the_core() {
    let mut b = Bench::new();
    b.halt();
    let demcr = b.mem().read_word_32(DEMCR).expect("demcr");
    b.mem()
        .write_word_32(DEMCR, demcr | 1 << 24)
        .expect("demcr");
    b.mem().write_word_32(0xE000_1030, CODE + 2).expect("comp1");
    b.mem().write_word_32(0xE000_1034, 0).expect("mask1");
    b.mem().write_word_32(0xE000_1038, 8).expect("function1");
    // nop ; nop ; b .
    b.run(&[0xBF00, 0xBF00, 0xE7FE]);
    assert_eq!(b.dhcsr() & (1 << 17), 0, "still running");
    assert_ne!(
        b.mem().read_word_32(0xE000_1038).expect("function1") & (1 << 24),
        0,
        "matched"
    );
    let pcsr = b.mem().read_word_32(0xE000_101C).expect("pcsr");
    assert_eq!(pcsr, CODE + 4);
}

#[test]
fn a_bus_fault_becomes_a_hard_fault_and_a_second_one_locks_the_core_up() {
    let mut b = Bench::new();
    b.halt();
    // vector table with a HardFault handler that faults again
    b.mem()
        .write_word_32(0x2021_000C, CODE | 1)
        .expect("vector");
    b.mem()
        .write_word_32(0xE000_ED08, 0x2021_0000)
        .expect("vtor");
    // movs r0,#0x90 ; lsls r0,r0,#24 ; ldr r1,[r0]
    b.run(&[0x2090, 0x0600, 0x6801, 0xBE00]);
    assert_ne!(b.dhcsr() & (1 << 19), 0, "locked up");
    assert!(
        b.violations().iter().any(|v| v.contains("0x90000000")),
        "{:?}",
        b.violations()
    );
}

#[test]
fn code_run_under_the_boot_roms_cache_settings_is_a_reported_hazard() {
    let mut b = Bench::new();
    b.halt();
    // the core reads the line with both caches on (ldr r0,[pc] ; bkpt), then another download replaces it
    b.mem().write_word_32(CCR, 0x0007_0200).expect("ccr");
    b.mem()
        .write_32(u64::from(CODE), &[0xBE00_4800, 0])
        .expect("code");
    b.write_register(13, 0x2022_0000);
    b.write_register(15, CODE);
    b.mem().write_word_32(DHCSR, 0xA05F_0001).expect("run");
    b.board.sleep(Duration::from_millis(1)).expect("sleep");
    assert_eq!(
        b.violations(),
        Vec::<String>::new(),
        "the first download is sound"
    );
    b.mem()
        .write_32(u64::from(CODE), &[0xBE00_2007])
        .expect("code");
    b.write_register(15, CODE);
    b.mem().write_word_32(DHCSR, 0xA05F_0001).expect("run");
    b.board.sleep(Duration::from_millis(1)).expect("sleep");
    assert!(
        b.violations().iter().any(|v| v.contains("cache")),
        "{:?}",
        b.violations()
    );
}

#[test]
fn a_system_reset_request_runs_the_boot_rom_again() {
    let mut b = Bench::new();
    b.halt();
    let before = b.board.with(|board| board.chip.resets()).expect("resets");
    b.mem()
        .write_word_32(0xE000_ED0C, 0x05FA_0004)
        .expect("aircr");
    b.board.sleep(Duration::from_millis(1)).expect("sleep");
    let dhcsr = b.dhcsr();
    assert_ne!(dhcsr & (1 << 25), 0, "S_RESET_ST");
    assert_eq!(dhcsr & (1 << 17), 0, "running");
    assert_eq!(
        b.board.with(|board| board.chip.resets()).expect("resets"),
        before + 1
    );
}

#[test]
fn an_access_to_nothing_is_a_fault_with_a_trace_line_and_the_port_recovers() {
    let mut b = Bench::new();
    assert!(b.mem().read_word_32(0x9000_0000).is_err());
    assert_eq!(
        b.mem().read_word_32(0xE000_ED00).expect("cpuid"),
        0x411F_C271
    );
    assert!(b.violations().iter().any(|v| v.contains("0x90000000")));
}

#[test]
fn polls_of_a_tool_that_sleeps_are_charged_and_those_of_the_flash_loader_are_not() {
    const POLLS: u32 = 10;
    let mut b = Bench::new();
    b.halt();
    // b .
    b.mem()
        .write_word_32(u64::from(CODE), 0xE7FE_E7FE)
        .expect("code");
    b.write_register(15, CODE);
    let polls = |b: &mut Bench| {
        let mut m = b
            .arm
            .memory_interface(&FullyQualifiedApAddress::v1_with_default_dp(0))
            .expect("memory");
        let begun = b.board.now().expect("now");
        for _ in 0..POLLS {
            m.read_word_32(DHCSR).expect("dhcsr");
        }
        b.board.now().expect("now") - begun
    };
    let round_trips = 2 * POLLS * Duration::from_micros(300);
    // nobody waits for a core that has halted
    let halted = polls(&mut b);
    assert!(halted < round_trips, "{halted:?}");
    b.mem().write_word_32(DHCSR, 0xA05F_0001).expect("run");
    // a loader that buffers twice fills the other buffer first
    b.mem()
        .write_word_32(u64::from(CODE) + 0x100, 1)
        .expect("other buffer");
    let tight = polls(&mut b);
    assert!(tight < round_trips, "{tight:?}");
    // an erase is long enough to be charged all the same
    assert!(polls(&mut b) + polls(&mut b) > Duration::from_millis(8));
}
