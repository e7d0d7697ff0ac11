//! Machine code for small programs on the virtual board: what an image does in its first moments.

/// `yield` and back: an idle loop that the board may skip.
pub const SPIN: [u16; 2] = [0xBF10, 0xE7FD];
/// `wfi` and back.
pub const SLEEP: [u16; 2] = [0xBF30, 0xE7FD];
/// `udf #0`.
pub const UNDEFINED: u16 = 0xDE00;
/// `bkpt #0`.
pub const BREAKPOINT: u16 = 0xBE00;
/// `push {r0}`.
pub const PUSH: u16 = 0xB401;

const DEMCR: u32 = 0xE000_EDFC;
const TRCENA: u32 = 1 << 24;
const DWT_CTRL: u32 = 0xE000_1000;
const CYCCNTENA: u32 = 1;
const DWT_CYCCNT: u32 = 0xE000_1004;
/// The core's clock behind the boot ROM.
const CORE_KHZ: u32 = 396_000;
const R0: u16 = 0;
const R1: u16 = 1;
const R2: u16 = 2;
const R3: u16 = 3;

/// Pieces one behind the other.
pub fn program(pieces: &[&[u16]]) -> Vec<u16> {
    pieces.concat()
}

/// `movw`, `movt`.
fn load(register: u16, value: u32) -> [u16; 4] {
    let half = |opcode: u16, imm: u16| {
        [
            opcode | (imm >> 11 & 1) << 10 | imm >> 12,
            (imm >> 8 & 7) << 12 | register << 8 | imm & 0xFF,
        ]
    };
    let [a, b] = half(0xF240, value as u16);
    let [c, d] = half(0xF2C0, (value >> 16) as u16);
    [a, b, c, d]
}

/// Writes a word.
pub fn store(address: u32, value: u32) -> Vec<u16> {
    let str_r1_r0 = 0x6000 | R0 << 3 | R1;
    [&load(R0, address)[..], &load(R1, value), &[str_r1_r0]].concat()
}

/// Writes a halfword.
pub fn store_half(address: u32, value: u16) -> Vec<u16> {
    let strh_r1_r0 = 0x8000 | R0 << 3 | R1;
    [
        &load(R0, address)[..],
        &load(R1, value.into()),
        &[strh_r1_r0],
    ]
    .concat()
}

/// Reads the word at `address`.
pub fn load_word(address: u32) -> Vec<u16> {
    let ldr_r1_r0 = 0x6800 | R0 << 3 | R1;
    [&load(R0, address)[..], &[ldr_r1_r0]].concat()
}

/// Writes the word at `address` to itself: clears what is cleared by writing 1.
pub fn store_itself(address: u32) -> Vec<u16> {
    let str_r1_r0 = 0x6000 | R0 << 3 | R1;
    [load_word(address), vec![str_r1_r0]].concat()
}

/// Loads SP and branches as the vector table at `address` says.
pub fn start_vector_table(address: u32) -> Vec<u16> {
    let ldr_r1 = 0x6800 | R0 << 3 | R1;
    let ldr_r2_4 = 0x6840 | R0 << 3 | R2;
    let msr_msp_r1 = [0xF380 | R1, 0x8808];
    let bx_r2 = 0x4700 | R2 << 3;
    [
        &load(R0, address)[..],
        &[ldr_r1],
        &msr_msp_r1,
        &[ldr_r2_4, bx_r2],
    ]
    .concat()
}

/// Waits by the DWT's cycle counter.
pub fn wait_ms(ms: u32) -> Vec<u16> {
    let ldr_r2_r0 = 0x6800 | R0 << 3 | R2;
    let turn = [
        SPIN[0],
        0x6800 | R0 << 3 | R3,           // ldr r3, [r0]
        0x1A00 | R2 << 6 | R3 << 3 | R3, // subs r3, r3, r2
        0x4280 | R1 << 3 | R3,           // cmp r3, r1
        0xD3FA,                          // blo back to the yield
    ];
    program(&[
        &store(DEMCR, TRCENA),
        &store(DWT_CTRL, CYCCNTENA),
        &load(R0, DWT_CYCCNT),
        &load(R1, ms * CORE_KHZ),
        &[ldr_r2_r0],
        &turn,
    ])
}

/// Calls the function at `address`, with 0 as its argument, and again.
pub fn call_for_ever(address: u32) -> Vec<u16> {
    const R4: u16 = 4;
    let blx_r4 = 0x4780 | R4 << 3;
    let movs_r0_0 = 0x2000;
    let back_to_movs = 0xE7FC;
    program(&[&load(R4, address), &[movs_r0_0, blx_r4, back_to_movs]])
}

/// Goes on at `address`.
pub fn jump(address: u32) -> Vec<u16> {
    let bx_r0 = 0x4700 | R0 << 3;
    [&load(R0, address | 1)[..], &[bx_r0]].concat()
}

/// Does `first` and stops in a loop where the word at `address` is not `value`, and skips that where it is.
pub fn unless_word(address: u32, value: u32, first: &[u16]) -> Vec<u16> {
    let ldr_r2_r0 = 0x6800 | R0 << 3 | R2;
    let cmp_r2_r1 = 0x4280 | R1 << 3 | R2;
    let skipped = program(&[first, &SPIN]);
    let beq_over_it = 0xD000 | (skipped.len() as u16 - 1);
    program(&[
        &load(R0, address),
        &load(R1, value),
        &[ldr_r2_r0, cmp_r2_r1, beq_over_it],
        &skipped,
    ])
}
