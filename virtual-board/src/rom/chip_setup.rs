//! From the boot mode to the first flash access: watchdog, clocks, boot device, and the set-up that the FCB asks for.

use super::fcb::{self, Fcb};
use super::flexspi;
use super::image::WINDOW;
use super::script::Action;
use super::stages::Stage;
use super::{Outcome, RefusalReason, Rom};
use crate::bus::Width;
use crate::time::Time;

// RTWDOG (IMXRT1060RM RTWDOG chapter).
const RTWDOG_CS: u32 = 0x400B_C000;
const RTWDOG_CNT: u32 = 0x400B_C004;
const RTWDOG_TOVAL: u32 = 0x400B_C008;
const RTWDOG_UNLOCK: u32 = 0xD928_C520;
const RTWDOG_OFF: u32 = 0x2120;
/// On, from the 32 kHz clock divided by 256.
const RTWDOG_ON: u32 = 0x3180;
const RTWDOG_UPDATE: u32 = 1 << 5;
const RTWDOG_HZ: u32 = 128;
const LONGEST_WATCHDOG_S: u32 = 64;

// Clocks (IMXRT1060RM CCM chapter).
const PLL_ARM: u32 = 0x400D_8000;
const PLL_USB1: u32 = 0x400D_8010;
const PLL_SYS: u32 = 0x400D_8030;
const PFD_480: u32 = 0x400D_80F0;
const PFD_528: u32 = 0x400D_8100;
const CACRR: u32 = 0x400F_C010;
const PLL_BYPASS: u32 = 1 << 16;
const PLL_LOCK: u32 = 1 << 31;
const PLL_ENABLE: u32 = 1 << 13;
const PLL_USB_POWER: u32 = 1 << 12;
const PFD_480_AT_BOOT: u32 = 0x0F1A_2323;
const PFD_528_AT_BOOT: u32 = 0x1813_1818;
/// PLL_ARM dividers for 396 and 528 MHz at ARM_PODF = 2.
const ARM_DIVIDERS: [u32; 2] = [66, 88];
const LOCK_LIMIT: Time = Time::ms(5);

/// Hold time before the first flash access, by fuse 0x6E0 5:4.
const HOLD_TIMES: [Time; 4] = [Time::us(500), Time::ms(1), Time::ms(3), Time::ms(10)];

impl Rom {
    /// The watchdog fuse arms the RTWDOG; otherwise the ROM turns it off.
    pub(super) fn set_up_watchdog(&mut self) {
        let [_, boot_config, _, misc_conf0, _] = self.fuses;
        let put = |address, value| Action::Write {
            address,
            width: Width::Word,
            value,
            doing: "sets up the watchdog",
        };
        let (toval, cs) = if boot_config & 1 << 21 != 0 {
            // 000 is 64 s, each step halves it.
            let seconds = LONGEST_WATCHDOG_S >> (misc_conf0 >> 13 & 7);
            let update = if self.strict() { 0 } else { RTWDOG_UPDATE };
            (seconds.max(1) * RTWDOG_HZ, RTWDOG_ON | update)
        } else {
            (0xFFFF, RTWDOG_OFF)
        };
        self.queue([
            put(RTWDOG_CNT, RTWDOG_UNLOCK),
            put(RTWDOG_TOVAL, toval),
            put(RTWDOG_CS, cs),
        ]);
    }

    pub(super) fn set_up_clocks(&mut self) {
        let [_, boot_config, ..] = self.fuses;
        let divider = ARM_DIVIDERS[usize::from(boot_config & 1 << 2 != 0)];
        let doing = "sets up the clocks";
        let put = |address, value| Action::Write {
            address,
            width: Width::Word,
            value,
            doing,
        };
        let start = |address, value| {
            [
                put(address, value | PLL_BYPASS),
                Action::Poll {
                    address,
                    mask: PLL_LOCK,
                    wanted: PLL_LOCK,
                    limit: LOCK_LIMIT,
                    what: "PLL lock",
                },
                put(address, value),
            ]
        };
        self.queue([put(CACRR, 1)]);
        self.queue(start(PLL_ARM, PLL_ENABLE | divider));
        self.queue(start(PLL_USB1, PLL_ENABLE | PLL_USB_POWER));
        self.queue(start(PLL_SYS, PLL_ENABLE | 1));
        self.queue([put(PFD_480, PFD_480_AT_BOOT), put(PFD_528, PFD_528_AT_BOOT)]);
    }

    pub(super) fn choose_device(&mut self) -> Result<(), RefusalReason> {
        let (sbmr1, sbmr2) = (self.sbmr1, self.sbmr2);
        let [_, boot_config, _, _, misc_conf1] = self.fuses;
        let bt_fuse_sel = sbmr2 & 1 << 4 != 0;
        let force_internal = boot_config & 1 << 16 != 0;
        match sbmr2 >> 24 & 3 {
            _ if force_internal => {}
            0 if bt_fuse_sel => {}
            0 => return Err(RefusalReason::BootFusesNotSet { sbmr2 }),
            1 => return Err(RefusalReason::StrappedToSerialDownloader { sbmr2 }),
            2 => {}
            _ => return Err(RefusalReason::ReservedBootMode { sbmr2 }),
        }
        if sbmr1 & 0xF0 != 0 {
            return Err(RefusalReason::OtherBootDevice { sbmr1 });
        }
        if sbmr1 & 1 << 11 != 0 {
            self.outcome = Some(Outcome::Hangs(RefusalReason::EndlessLoop { sbmr1 }));
            self.stage = Stage::EndlessLoop;
            return Ok(());
        }
        let not_modelled = |what: &str| {
            Err(RefusalReason::NotModelled {
                what: what.to_string(),
            })
        };
        if sbmr1 & 1 << 1 != 0 {
            return not_modelled("encrypted XIP (BOOT_CFG1[1])");
        }
        if sbmr1 & 1 != 0 {
            return not_modelled("auto-probe of the flash (fuse 0x450[0])");
        }
        if misc_conf1 & 0x00FF_0040 != 0 {
            return not_modelled("secondary image or JEDEC reset (fuse 0x6E0)");
        }
        let four_byte_address = match sbmr1 >> 8 & 7 {
            0 => false,
            1 => true,
            _ => return not_modelled("flash type in BOOT_CFG2[2:0] other than QSPI NOR"),
        };
        let hold = HOLD_TIMES[(misc_conf1 >> 4 & 3) as usize];
        self.queue(flexspi::pads());
        self.queue(flexspi::clock(flexspi::PROBE_FREQUENCY));
        self.queue(flexspi::probe(four_byte_address));
        self.queue([
            Action::Spend(hold),
            Action::ReadMany {
                address: WINDOW.start,
                words: fcb::WORDS as u32,
                doing: "reads the FCB",
            },
        ]);
        self.stage = Stage::CheckFcb;
        Ok(())
    }

    /// Sets the FlexSPI up from the FCB and lists the commands to send, once per chip that has a size.
    pub(super) fn configure(&mut self, fcb: &Fcb) {
        let commands = fcb.mode_commands();
        let slow_first = fcb.safe_frequency() && !commands.is_empty();
        let code = if slow_first {
            flexspi::PROBE_FREQUENCY
        } else {
            fcb.frequency_code()
        };
        if code != 0 {
            self.queue(flexspi::clock(code));
        }
        self.queue(flexspi::configure(fcb, flexspi::serial_hz(code)));
        let mut base = 0u32;
        for size in fcb.sizes() {
            if size != 0 {
                self.commands
                    .extend(commands.iter().map(|command| (*command, base)));
            }
            base = base.wrapping_add(size);
        }
        self.raise_clock = slow_first.then(|| fcb.frequency_code());
    }
}
