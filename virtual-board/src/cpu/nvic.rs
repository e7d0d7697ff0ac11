//! Exceptions: what is pending, enabled and active, and which one runs next (ARMv7-M ARM B1.5, B3.4).

/// Exception numbers.
pub mod number {
    /// Non-maskable interrupt.
    pub const NMI: u16 = 2;
    /// HardFault.
    pub const HARD_FAULT: u16 = 3;
    /// MemManage.
    pub const MEM_MANAGE: u16 = 4;
    /// BusFault.
    pub const BUS_FAULT: u16 = 5;
    /// UsageFault.
    pub const USAGE_FAULT: u16 = 6;
    /// SVCall.
    pub const SV_CALL: u16 = 11;
    /// PendSV.
    pub const PEND_SV: u16 = 14;
    /// SysTick.
    pub const SYS_TICK: u16 = 15;
    /// First external interrupt.
    pub const EXTERNAL: u16 = 16;
}

/// External interrupts of the RT1062.
pub const INTERRUPTS: usize = 160;
const EXCEPTIONS: usize = 16 + INTERRUPTS;
const WORDS: usize = INTERRUPTS / 32;
/// The RT1062 implements the upper four priority bits.
const PRIORITY_MASK: u8 = 0xF0;

/// The masks that raise the execution priority.
#[derive(Clone, Copy, Debug, Default)]
pub struct Masks {
    /// PRIMASK.
    pub primask: bool,
    /// FAULTMASK.
    pub faultmask: bool,
    /// BASEPRI (0 = off).
    pub basepri: u8,
}

/// Pending, enabled, active exceptions and their priorities.
#[derive(Clone, Debug)]
pub struct Nvic {
    enabled: [u32; WORDS],
    pending: [bool; EXCEPTIONS],
    any_pending: bool,
    priority: [u8; EXCEPTIONS],
    active: Vec<u16>,
    /// AIRCR.PRIGROUP.
    pub prigroup: u8,
}

impl Default for Nvic {
    fn default() -> Self {
        Nvic {
            enabled: [0; WORDS],
            pending: [false; EXCEPTIONS],
            any_pending: false,
            priority: [0; EXCEPTIONS],
            active: Vec::new(),
            prigroup: 0,
        }
    }
}

impl Nvic {
    /// Makes an exception pending.
    pub fn pend(&mut self, n: u16) {
        if let Some(p) = self.pending.get_mut(usize::from(n)) {
            *p = true;
            self.any_pending = true;
        }
    }

    /// Clears a pending exception.
    pub fn unpend(&mut self, n: u16) {
        if let Some(p) = self.pending.get_mut(usize::from(n)) {
            *p = false;
            self.any_pending = self.pending.iter().any(|p| *p);
        }
    }

    /// True where `n` is pending.
    pub fn is_pending(&self, n: u16) -> bool {
        self.pending.get(usize::from(n)).copied().unwrap_or(false)
    }

    /// Fast check: something is pending.
    pub fn any_pending(&self) -> bool {
        self.any_pending
    }

    /// The exception the core is in (0 = Thread mode).
    pub fn current(&self) -> u16 {
        self.active.last().copied().unwrap_or(0)
    }

    /// True where `n` is active.
    pub fn is_active(&self, n: u16) -> bool {
        self.active.contains(&n)
    }

    /// The number of active exceptions.
    pub fn depth(&self) -> usize {
        self.active.len()
    }

    /// Marks `n` active.
    pub fn enter(&mut self, n: u16) {
        self.unpend(n);
        self.active.push(n);
    }

    /// Marks `n` inactive; false where it was not active.
    pub fn leave(&mut self, n: u16) -> bool {
        match self.active.iter().rposition(|a| *a == n) {
            Some(i) => {
                self.active.remove(i);
                true
            }
            None => false,
        }
    }

    /// Priority of an exception: −3 … 255, lower is more urgent.
    fn priority_of(&self, n: u16) -> i16 {
        match n {
            1 => -3,
            number::NMI => -2,
            number::HARD_FAULT => -1,
            n => i16::from(self.priority.get(usize::from(n)).copied().unwrap_or(0)),
        }
    }

    fn group(&self, priority: i16) -> i16 {
        if priority < 0 {
            priority
        } else {
            priority & !((2i16 << self.prigroup) - 1)
        }
    }

    /// The execution priority (256 = Thread mode, nothing masked).
    pub fn execution_priority(&self, masks: Masks) -> i16 {
        let mut p = self
            .active
            .iter()
            .map(|n| self.group(self.priority_of(*n)))
            .min()
            .unwrap_or(256);
        if masks.basepri != 0 {
            p = p.min(self.group(i16::from(masks.basepri & PRIORITY_MASK)));
        }
        if masks.primask {
            p = p.min(0);
        }
        if masks.faultmask {
            p = p.min(-1);
        }
        p
    }

    fn is_enabled(&self, n: u16) -> bool {
        match n.checked_sub(number::EXTERNAL) {
            None => true,
            Some(irq) => self
                .enabled
                .get(usize::from(irq / 32))
                .is_some_and(|w| w & (1 << (irq % 32)) != 0),
        }
    }

    /// The pending exception that preempts now.
    pub fn next(&self, masks: Masks) -> Option<u16> {
        if !self.any_pending {
            return None;
        }
        let limit = self.execution_priority(masks);
        self.most_urgent(limit)
    }

    /// True where an exception is pending that would preempt if PRIMASK were 0 (it wakes a core from WFI).
    pub fn wakes(&self, masks: Masks) -> bool {
        self.any_pending
            && self
                .most_urgent(self.execution_priority(Masks {
                    primask: false,
                    ..masks
                }))
                .is_some()
    }

    fn most_urgent(&self, limit: i16) -> Option<u16> {
        (1..EXCEPTIONS as u16)
            .filter(|n| self.is_pending(*n) && self.is_enabled(*n))
            .min_by_key(|n| (self.priority_of(*n), *n))
            .filter(|n| self.group(self.priority_of(*n)) < limit)
    }

    /// Configurable priority of a system exception or interrupt.
    pub fn priority(&self, n: u16) -> u8 {
        self.priority.get(usize::from(n)).copied().unwrap_or(0)
    }

    /// Sets it; only the implemented bits are kept.
    pub fn set_priority(&mut self, n: u16, value: u8) {
        if let Some(p) = self.priority.get_mut(usize::from(n)) {
            *p = value & PRIORITY_MASK;
        }
    }

    /// NVIC_ISERn.
    pub fn enabled_word(&self, index: usize) -> u32 {
        self.enabled.get(index).copied().unwrap_or(0)
    }

    /// Writes NVIC_ISERn (`set`) or NVIC_ICERn.
    pub fn write_enabled(&mut self, index: usize, bits: u32, set: bool) {
        if let Some(w) = self.enabled.get_mut(index) {
            if set { *w |= bits } else { *w &= !bits }
        }
    }

    /// NVIC_ISPRn or, with `active`, NVIC_IABRn.
    pub fn state_word(&self, index: usize, active: bool) -> u32 {
        (0..32u16).fold(0, |word, bit| {
            let n = number::EXTERNAL + index as u16 * 32 + bit;
            let on = if active {
                self.is_active(n)
            } else {
                self.is_pending(n)
            };
            word | (u32::from(on) << bit)
        })
    }

    /// Writes NVIC_ISPRn (`set`) or NVIC_ICPRn.
    pub fn write_pending(&mut self, index: usize, bits: u32, set: bool) {
        for bit in (0..32u16).filter(|b| bits & (1 << b) != 0) {
            let n = number::EXTERNAL + index as u16 * 32 + bit;
            if set { self.pend(n) } else { self.unpend(n) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primask_holds_back_everything_but_faults_and_nmi() {
        let mut nvic = Nvic::default();
        nvic.pend(number::SYS_TICK);
        let masked = Masks {
            primask: true,
            ..Masks::default()
        };
        assert_eq!(nvic.next(masked), None);
        assert!(nvic.wakes(masked), "a masked interrupt still ends WFI");
        assert_eq!(nvic.next(Masks::default()), Some(number::SYS_TICK));
        nvic.pend(number::HARD_FAULT);
        assert_eq!(nvic.next(masked), Some(number::HARD_FAULT));
    }

    #[test]
    fn only_a_more_urgent_exception_preempts() {
        let mut nvic = Nvic::default();
        nvic.set_priority(number::SYS_TICK, 0x40);
        nvic.set_priority(number::PEND_SV, 0xFF);
        nvic.enter(number::SYS_TICK);
        nvic.pend(number::PEND_SV);
        assert_eq!(nvic.next(Masks::default()), None);
        nvic.leave(number::SYS_TICK);
        assert_eq!(nvic.next(Masks::default()), Some(number::PEND_SV));
    }

    #[test]
    fn an_interrupt_needs_its_enable_bit() {
        let mut nvic = Nvic::default();
        nvic.write_pending(0, 1 << 20, true);
        assert_eq!(nvic.next(Masks::default()), None);
        nvic.write_enabled(0, 1 << 20, true);
        assert_eq!(nvic.next(Masks::default()), Some(36));
    }
}
