//! Small applications as machine code, assembled here by hand (ARMv7-M Architecture Reference Manual, A7.7): no compiler
//! and no third-party code is behind them.

/// Halfwords of Thumb code, in the order of execution.
#[derive(Clone, Debug, Default)]
pub struct Code(Vec<u16>);

/// Registers used: R0 address, R1 value, R2 counter.
const ADDRESS: u16 = 0;
const VALUE: u16 = 1;
const COUNTER: u16 = 2;

/// B to itself.
const HALT_HERE: u16 = 0xE7FE;

impl Code {
    /// No instruction yet.
    pub fn new() -> Self {
        Code::default()
    }

    /// MOVW, MOVT (encodings T3, T1): a 32-bit constant.
    fn constant(mut self, register: u16, value: u32) -> Self {
        for (opcode, half) in [(0xF240, value & 0xFFFF), (0xF2C0, value >> 16)] {
            let half = half as u16;
            let (imm4, i, imm3, imm8) = (half >> 12, half >> 11 & 1, half >> 8 & 7, half & 0xFF);
            self.0.push(opcode | i << 10 | imm4);
            self.0.push(imm3 << 12 | register << 8 | imm8);
        }
        self
    }

    /// STR (T1): a word.
    pub fn store(self, address: u32, value: u32) -> Self {
        let code = self.constant(ADDRESS, address).constant(VALUE, value);
        code.half(0x6000 | ADDRESS << 3 | VALUE)
    }

    /// STRH (T1): a halfword.
    pub fn store_half(self, address: u32, value: u16) -> Self {
        let code = self
            .constant(ADDRESS, address)
            .constant(VALUE, value.into());
        code.half(0x8000 | ADDRESS << 3 | VALUE)
    }

    /// SUBS, BNE: some microseconds.
    pub fn delay(self, rounds: u32) -> Self {
        let code = self.constant(COUNTER, rounds);
        code.half(0x3801 | COUNTER << 8).half(0xD1FD)
    }

    /// WFI for ever, in RUN mode, so that the bus clock stays on.
    pub fn idle_here(self) -> Self {
        let code = self.store(CLPCR, 0x78);
        let again = code.here();
        code.wait_for_interrupt().back_to(again)
    }

    /// CPSID i.
    pub fn interrupts_off(self) -> Self {
        self.half(0xB672)
    }

    /// CPSIE i.
    pub fn interrupts_on(self) -> Self {
        self.half(0xB662)
    }

    /// WFI.
    pub fn wait_for_interrupt(self) -> Self {
        self.half(0xBF30)
    }

    /// UDF #0.
    pub fn undefined(self) -> Self {
        self.half(0xDE00)
    }

    /// B to itself.
    pub fn halt_here(self) -> Self {
        self.half(HALT_HERE)
    }

    /// The place of the next instruction.
    pub fn here(&self) -> usize {
        self.0.len()
    }

    /// B (T2) to a place that was passed.
    pub fn back_to(self, place: usize) -> Self {
        // the program counter reads four bytes, two halfwords, ahead
        let distance = place as i32 - (self.0.len() as i32 + 2);
        self.half(0xE000 | (distance as u16 & 0x7FF))
    }

    fn half(mut self, half: u16) -> Self {
        self.0.push(half);
        self
    }

    /// As bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|half| half.to_le_bytes()).collect()
    }
}

// System control (ARMv7-M ARM B3.2) and registers of the chip (IMXRT1060RM), as applications use them.
const AIRCR: u32 = 0xE000_ED0C;
const CLPCR: u32 = 0x400F_C054;
const CCGR1: u32 = 0x400F_C06C;
const WDOG1: u32 = 0x400B_8000;
const RTWDOG: u32 = 0x400B_C000;
const GPT1: u32 = 0x401E_C000;
/// ISER3 and ICPR3 with the bit of interrupt 100, GPT1.
const NVIC_ISER3: u32 = 0xE000_E10C;
const NVIC_ICPR3: u32 = 0xE000_E28C;
const IRQ_GPT1: u32 = 1 << (100 - 96);
const SYST_CSR: u32 = 0xE000_E010;
const SYST_RVR: u32 = 0xE000_E014;
/// Crystal ticks of a GPT in a millisecond.
const TICKS_PER_MS: u32 = 24_000;

/// Base addresses of WDOG1 and WDOG2.
pub const WDOGS: [u32; 2] = [WDOG1, 0x400D_0000];

/// Loops.
pub fn loops() -> Code {
    Code::new().halt_here()
}

/// Waits for interrupts that never come, the bus clock on: what most of these boards do, because the emulator is done with
/// it at once.
pub fn idles() -> Code {
    Code::new().idle_here()
}

/// Executes an undefined instruction at once.
pub fn crashes() -> Code {
    Code::new().undefined().undefined()
}

/// Sleeps for ever with the bus clock off (CLPCR.LPM: 1 WAIT, 2 STOP; the reserved bits as out of reset).
pub fn sleeps(low_power_mode: u32) -> Code {
    let code = Code::new().store(CLPCR, 0x78 | low_power_mode);
    let again = code.here();
    code.wait_for_interrupt().back_to(again)
}

/// Sleeps with the bus clock off and is woken by GPT1 every `period_ms`.
pub fn sleeps_and_wakes(period_ms: u32) -> Code {
    let code = Code::new()
        .interrupts_off()
        .store(CLPCR, 0x79)
        // clock gates of GPT1
        .store(CCGR1, 0xFFFF_FFFF)
        .store(GPT1 + 0x10, period_ms * TICKS_PER_MS)
        .store(GPT1 + 0x0C, 1)
        // crystal clock, restart at compare 1, on in WAIT
        .store(GPT1, 0x0000_054A)
        .store(GPT1, 0x0000_054B)
        .store(NVIC_ISER3, IRQ_GPT1);
    let again = code.here();
    code.wait_for_interrupt()
        .store(GPT1 + 0x08, 0x3F)
        .store(NVIC_ICPR3, IRQ_GPT1)
        .back_to(again)
}

/// Requests a system reset after a while, every time it starts.
pub fn resets_itself(rounds: u32) -> Code {
    let code = Code::new();
    let code = if rounds > 0 { code.delay(rounds) } else { code };
    code.store(AIRCR, 0x05FA_0004).halt_here()
}

/// Turns WDOG1 or WDOG2 on at half a second, which cannot be taken back, and never services it.
pub fn starves_wdog(base: u32) -> Code {
    Code::new().store_half(base, 0x0034).idle_here()
}

/// Resets the chip through WDOG1's software reset (WCR.SRS = 0).
pub fn resets_through_wdog() -> Code {
    Code::new().store_half(WDOG1, 0x0020).halt_here()
}

/// Turns the RTWDOG on for `ticks` of 32 kHz, locks it and never services it.
pub fn starves_rtwdog(ticks: u32) -> Code {
    Code::new()
        .store(RTWDOG + 4, 0xD928_C520)
        .store(RTWDOG + 8, ticks)
        .store(RTWDOG, 0x2180)
        .idle_here()
}

/// Takes SysTick interrupts through the vector table at `vectors` (ARMv7-M ARM B3.2.5, B3.3).
pub fn takes_interrupts(vectors: u32) -> Code {
    Code::new()
        .store(0xE000_ED08, vectors)
        .store(SYST_RVR, 10_000)
        .store(SYST_CSR, 7)
        .interrupts_on()
        .halt_here()
}

/// Writes `words` to registers and idles.
pub fn sets(words: &[(u32, u32)]) -> Code {
    let code = words.iter().fold(Code::new(), |code, (address, value)| {
        code.store(*address, *value)
    });
    code.idle_here()
}
