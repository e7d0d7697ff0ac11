//! What only the target has: registers behind volatile accesses, vectors, entry points, panic.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use flexspi_nor::bus::Bus;
use flexspi_nor::cmsis::{FAILED, Functions};
use flexspi_nor::registers::scb;
use flexspi_nor::server::{Server, request_reset};
use mailbox::fault::{FaultCode, Stage};
use mailbox::layout::{AREA_ADDRESS, AREA_BYTES, LAYOUT_DIGEST, MAGIC, VERSION};
use mailbox::status::{self, ServerState};
use mailbox::words::{RawWords, Words};

/// Registers of the chip.
#[derive(Clone, Copy)]
struct Registers;

impl Bus for Registers {
    #[inline(always)]
    fn read32(&mut self, address: u32) -> u32 {
        // SAFETY: the callers pass addresses of registers of this chip, aligned to four, and nothing else lives there.
        unsafe { (address as *const u32).read_volatile() }
    }
    #[inline(always)]
    fn write32(&mut self, address: u32, value: u32) {
        // SAFETY: as for `read32`.
        unsafe { (address as *mut u32).write_volatile(value) }
    }
    #[inline(always)]
    fn read16(&mut self, address: u32) -> u16 {
        // SAFETY: as for `read32`, aligned to two.
        unsafe { (address as *const u16).read_volatile() }
    }
    #[inline(always)]
    fn write16(&mut self, address: u32, value: u16) {
        // SAFETY: as for `read16`.
        unsafe { (address as *mut u16).write_volatile(value) }
    }
    #[inline(always)]
    fn yield_hint(&mut self) {
        // SAFETY: a hint without effect on memory or registers.
        unsafe { asm!("yield", options(nomem, nostack, preserves_flags)) }
    }
}

/// The mailbox area at its place in OCRAM.
fn area() -> RawWords {
    // SAFETY: the linker script keeps blob and stack below the area, and only the host's debug accesses share it.
    unsafe { RawWords::new(AREA_ADDRESS as *mut u32, AREA_BYTES) }
}

/// State of the CMSIS functions between calls.
struct State(UnsafeCell<Option<Functions<Registers>>>);

// SAFETY: one core, interrupts masked by every entry: there is never a second access.
unsafe impl Sync for State {}

// In the data section, so that the image holds it and nobody has to clear memory before a function is called.
#[unsafe(link_section = ".data")]
static STATE: State = State(UnsafeCell::new(None));

fn with_functions(call: impl FnOnce(&mut Functions<Registers>) -> u32) -> u32 {
    // SAFETY: see `State`: the only reference while it lives.
    match unsafe { &mut *STATE.0.get() } {
        Some(functions) => call(functions),
        None => FAILED,
    }
}

// Vector table and entry table. The host reads the entry table from the manifest; a debugger finds it here.
global_asm!(
    ".section .vectors, \"a\"",
    ".global vectors",
    "vectors:",
    ".word __stack_top",
    ".word serve",
    ".rept 14",
    ".word exception",
    ".endr",
    ".word {magic}",
    ".word {version}",
    ".word {layout}",
    ".word {area}",
    ".word serve, Init, UnInit, EraseSector, EraseChip, ProgramPage, Verify, BlankCheck",
    magic = const MAGIC,
    version = const VERSION,
    layout = const LAYOUT_DIGEST,
    area = const AREA_ADDRESS,
);

// Every entry comes through here before it touches its stack: interrupts off; a data cache that is still on is cleaned and
// turned off (its dirty lines may be someone's, and later pushes must reach memory); the instruction cache is emptied, so
// that what the debugger wrote is what runs, and turned on. r0 to r2 hold the caller's arguments, r12 is free.
global_asm!(
    ".section .text.prepare, \"ax\"",
    ".thumb_func",
    "prepare:",
    "cpsid i",
    "movw r12, #0xED14", // CCR
    "movt r12, #0xE000",
    "ldr r12, [r12]",
    "tst r12, #{dc}",
    "beq 2f",
    "mov r8, r0", // only host-called entries come here: r8 to r11 are theirs to lose
    "mov r9, r1",
    "movw r11, #0xEF74", // DCCISW
    "movt r11, #0xE000",
    "mov r0, #0x1FE0", // set 255, way 0
    "1:",
    "str r0, [r11]",
    "add r1, r0, #0x40000000",
    "str r1, [r11]",
    "add r1, r0, #0x80000000",
    "str r1, [r11]",
    "add r1, r0, #0xC0000000",
    "str r1, [r11]",
    "subs r0, r0, #32",
    "bpl 1b",
    "dsb",
    "movw r11, #0xED14",
    "movt r11, #0xE000",
    "bic r12, r12, #{dc}",
    "str r12, [r11]",
    "dsb",
    "mov r0, r8",
    "mov r1, r9",
    "2:",
    "movw r12, #0xEF50", // ICIALLU
    "movt r12, #0xE000",
    "mov r3, #0",
    "dsb",
    "str r3, [r12]",
    "dsb",
    "isb",
    "movw r12, #0xED14",
    "movt r12, #0xE000",
    "ldr r3, [r12]",
    "orr r3, r3, #{ic}",
    "str r3, [r12]",
    "dsb",
    "isb",
    "bx lr",
    dc = const scb::CCR_DC,
    ic = const scb::CCR_IC,
);

global_asm!(
    ".section .text.entries, \"ax\"",
    ".global serve",
    ".thumb_func",
    "serve:",
    "bl prepare",
    "b {serve}",
    ".global Init",
    ".thumb_func",
    "Init:",
    "mov r10, lr",
    "bl prepare",
    "mov lr, r10",
    "b {init}",
    serve = sym serve_mailbox,
    init = sym init,
);

extern "C" fn serve_mailbox() -> ! {
    Server::start(Registers, area()).run()
}

extern "C" fn init(_address: u32, _clock: u32, _function: u32) -> u32 {
    match Functions::init(Registers) {
        Ok(functions) => {
            // SAFETY: see `State`: the only reference while it lives.
            unsafe { *STATE.0.get() = Some(functions) };
            0
        }
        Err(_) => FAILED,
    }
}

/// CMSIS `UnInit`.
#[unsafe(no_mangle)]
extern "C" fn UnInit(_function: u32) -> u32 {
    with_functions(Functions::uninit)
}

/// CMSIS `EraseSector`.
#[unsafe(no_mangle)]
extern "C" fn EraseSector(address: u32) -> u32 {
    with_functions(|functions| functions.erase_sector(address))
}

/// CMSIS `EraseChip`.
#[unsafe(no_mangle)]
extern "C" fn EraseChip() -> u32 {
    with_functions(Functions::erase_chip)
}

/// CMSIS `ProgramPage`.
#[unsafe(no_mangle)]
extern "C" fn ProgramPage(address: u32, size: u32, data: *const u8) -> u32 {
    with_functions(|functions| functions.program_page(address, bytes(data, size)))
}

/// CMSIS `Verify`.
#[unsafe(no_mangle)]
extern "C" fn Verify(address: u32, size: u32, data: *const u8) -> u32 {
    with_functions(|functions| functions.verify(address, bytes(data, size)))
}

/// CMSIS `BlankCheck`.
#[unsafe(no_mangle)]
extern "C" fn BlankCheck(address: u32, size: u32, _pattern: u8) -> u32 {
    with_functions(|functions| functions.blank_check(address, size))
}

fn bytes<'a>(data: *const u8, size: u32) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller of a CMSIS function has put `size` bytes there and waits for the function to return.
    unsafe { core::slice::from_raw_parts(data, size as usize) }
}

/// Any exception: a defect of ours or a bus fault. Said in the fault line, then the lease decides.
#[unsafe(no_mangle)]
extern "C" fn exception() -> ! {
    fail(Registers.read32(scb::ICSR) & 0x1FF, 0)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    fail(0, info.location().map_or(0, |location| location.line()))
}

fn fail(exception: u32, line: u32) -> ! {
    let area = area();
    let code = FaultCode::Defect.word();
    area.store_all(
        status::AT_FAULT_LINE,
        &[0, code, Stage::Entry.word(), 0, exception, line],
    );
    area.order();
    area.store(status::AT_FAULTS, 1);
    area.order();
    area.store(status::AT_STATE, ServerState::Failed.word());
    // Without trust in anything else, clocks included: no lease, the next thing is a reset, once the host had time to read.
    for _ in 0..DEFECT_ROUNDS {
        // SAFETY: does nothing; keeps the loop from being removed.
        unsafe { asm!("nop", options(nomem, nostack, preserves_flags)) }
    }
    request_reset(&mut Registers);
    loop {
        Registers.yield_hint();
    }
}

/// Rounds of the loop before the reset after a defect: about half a second at 396 MHz; the host looks every 2 ms.
const DEFECT_ROUNDS: u32 = 60_000_000;
