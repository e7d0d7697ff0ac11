//! States in which software, another tool or a cut may have left a board: how to set each up, and what `flash` owes it.
//!
//! 4-byte address mode is not among them: no part in `targets/flash` is larger than 16 MiB, and none of their data sheets
//! has a command for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rtflash::boot::{BootImage, judge};
use rtflash::image::Image;
use rtflash::link::VirtualBench;
use virtual_board::board::system::System;
use virtual_board::board::{Board, BoardConfig};
use virtual_board::bus::{Bus, Width};
use virtual_board::cpu::State as CoreState;
use virtual_board::nor::Lines;
use virtual_board::soc::Straps;
use virtual_board::time::Time;

use crate::apps::{self, Code};
use crate::bench;
use crate::images::{APPLICATION, intel_hex};

/// What `flash` owes a board in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// PASS.
    Pass,
    /// Everything programmed and verified, and this code about the boot.
    NotBooted(&'static str),
    /// This code, and a board that was not touched.
    Refusal(&'static str),
}

/// Changes a board's making.
type Configure = Arc<dyn Fn(&mut BoardConfig) + Send + Sync>;
/// Changes a board that runs.
type Prepare = Arc<dyn Fn(&mut Board) + Send + Sync>;
/// Whether a board is in the state.
type Evidence = Arc<dyn Fn(&mut Board) -> bool + Send + Sync>;

/// A state of a board.
#[derive(Clone)]
pub struct State {
    /// In words.
    pub name: String,
    /// Whether the user asks for the reset pin.
    pub under_reset: bool,
    /// What `flash` owes.
    pub owed: Owed,
    /// Whether it is one of those that other commands are shown as well.
    pub is_main: bool,
    app: Code,
    configure: Configure,
    prepare: Prepare,
    evidence: Evidence,
}

/// QE of ISSI's parts.
const QE: u8 = 0x40;
/// Time from power-on until the application runs.
const UNTIL_IT_RUNS: Duration = Duration::from_millis(20);

impl State {
    fn new(name: impl Into<String>, app: Code) -> Self {
        State {
            name: name.into(),
            under_reset: false,
            owed: Owed::Pass,
            is_main: false,
            app,
            configure: Arc::new(|_| {}),
            prepare: Arc::new(|_| {}),
            evidence: Arc::new(|_| true),
        }
    }

    /// A board that is not so is not in the state, and the test is void.
    fn evident(self, evidence: impl Fn(&mut Board) -> bool + Send + Sync + 'static) -> Self {
        State {
            evidence: Arc::new(evidence),
            ..self
        }
    }

    /// The application has reset the chip by itself within `limit`.
    fn that_resets_itself(self, limit: Time) -> Self {
        self.evident(move |b| {
            let end = b.now() + limit;
            while b.chip.resets() == 0 && b.now() < end {
                b.wait(Time::ms(1));
            }
            b.chip.resets() > 0
        })
    }

    /// The application idles, and the board is changed while it does.
    fn prepared(
        name: impl Into<String>,
        prepare: impl Fn(&mut Board) + Send + Sync + 'static,
    ) -> Self {
        State {
            prepare: Arc::new(prepare),
            ..State::new(name, apps::idles())
        }
    }

    fn configured(self, configure: impl Fn(&mut BoardConfig) + Send + Sync + 'static) -> Self {
        State {
            configure: Arc::new(configure),
            ..self
        }
    }

    fn under_reset(self) -> Self {
        State {
            name: format!("{}, under reset", self.name),
            under_reset: true,
            owed: Owed::Pass,
            ..self
        }
    }

    fn owes(self, owed: Owed) -> Self {
        State { owed, ..self }
    }

    fn main(self) -> Self {
        State {
            is_main: true,
            ..self
        }
    }

    /// The image that the board holds.
    pub fn old_image(&self) -> BootImage {
        image_of(&self.app)
    }

    /// A board in this state.
    pub fn board(&self) -> VirtualBench {
        let mut config = bench::config();
        (self.configure)(&mut config);
        let board = bench::start(config);
        for run in self.old_image().runs() {
            bench::fill(&board, run.offset.get() as usize, &run.bytes);
        }
        bench::set_status(&board, QE);
        board.board().with(|b| b.power_cycle(1)).expect("board");
        board.board().sleep(UNTIL_IT_RUNS).expect("board");
        let (prepare, evidence) = (self.prepare.clone(), self.evidence.clone());
        let is_so = board.board().with(move |b| {
            prepare(b);
            evidence(b)
        });
        assert!(is_so.expect("board"), "not in the state: {}", self.name);
        board
    }
}

/// An image whose reset handler is `code`; its SysTick handler returns, and every other exception has no code.
pub fn image_of(code: &Code) -> BootImage {
    image_with(code, &[])
}

/// The same with further segments at bus addresses.
pub fn image_with(code: &Code, segments: &[(u32, Vec<u8>)]) -> BootImage {
    const SYSTICK: usize = 15;
    /// BX LR, and a NOP for alignment.
    const RETURN: u32 = 0xBF00_4770;
    let table_end = APPLICATION + 64;
    let mut words = vec![0; 16];
    words[0] = 0x2001_0000;
    words[1] = (table_end + 4) | 1;
    words[SYSTICK] = table_end | 1;
    words.push(RETURN);
    let mut bytes: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    bytes.extend(code.bytes());
    let mut all = vec![(APPLICATION, bytes)];
    all.extend_from_slice(segments);
    let text = intel_hex(&all);
    let image = Image::parse(Path::new("app.hex"), text.as_bytes()).expect("image");
    judge(&image, None, &bench::target())
        .into_boot_image()
        .expect("a bootable image")
}

/// All states.
pub fn all() -> Vec<State> {
    let mut all = flash_states();
    all.extend(protection_states());
    all.extend(controller_states());
    all.extend(application_states());
    all.extend(sleeping_states());
    all.extend(watchdog_states());
    all.extend(debugger_states());
    all
}

/// The modes and operations of the flash.
fn flash_states() -> Vec<State> {
    let mode = |qpi, continuous, powered_down| {
        move |b: &mut Board| {
            let mut system = b.chip.system.borrow_mut();
            system.nor.set_mode(qpi, continuous, powered_down);
        }
    };
    let mut states = vec![
        State::prepared("flash in QPI", mode(true, None, false)).main(),
        State::prepared(
            "flash in continuous read EBh",
            mode(false, Some(0xEB), false),
        )
        .main(),
        State::prepared(
            "flash in continuous read BBh",
            mode(false, Some(0xBB), false),
        ),
        State::prepared(
            "flash in QPI and continuous read",
            mode(true, Some(0xEB), false),
        ),
        State::prepared("flash in deep power-down", mode(false, None, true)).main(),
        State::prepared("WEL left set", |b| send(b, &[0x06])),
        State::prepared("reset enabled (66h) and not followed by 99h", |b| {
            send(b, &[0x66]);
        }),
        State::prepared("flash busy with a sector erase", |b| {
            erase(b, &[0x20, 0x03, 0x00, 0x00]);
        })
        .main(),
        State::prepared("flash busy with a block erase", |b| {
            erase(b, &[0xD8, 0x03, 0x00, 0x00]);
        }),
        State::prepared("flash busy with a chip erase", |b| erase(b, &[0xC7])),
        State::prepared("flash busy with a page program", program),
        State::prepared("flash busy with a status register write", |b| {
            erase(b, &[0x01, QE]);
        }),
        State::prepared("erase suspended", |b| {
            erase(b, &[0xD8, 0x03, 0x00, 0x00]);
            b.wait(Time::ms(1));
            send(b, &[0x75]);
            b.wait(Time::us(200));
            assert!(b.chip.system.borrow().nor.is_suspended());
        })
        .main(),
        State::prepared("program suspended", |b| {
            program(b);
            b.wait(Time::us(20));
            send(b, &[0x75]);
            b.wait(Time::us(120));
            assert!(b.chip.system.borrow().nor.is_suspended());
        }),
        State::prepared("erase suspended, then deep power-down asked for", |b| {
            erase(b, &[0xD8, 0x03, 0x00, 0x00]);
            b.wait(Time::ms(1));
            send(b, &[0x75]);
            b.wait(Time::us(200));
            send(b, &[0xB9]);
        }),
    ];
    states.push(State::prepared(
        "flash in QPI and busy with a block erase",
        |b| {
            erase(b, &[0xD8, 0x03, 0x00, 0x00]);
            b.chip.system.borrow_mut().nor.set_mode(true, None, false);
        },
    ));
    states
}

/// BP and SRWD.
fn protection_states() -> Vec<State> {
    let status = |status: u8| {
        move |b: &mut Board| {
            let mut system = b.chip.system.borrow_mut();
            system.nor.set_status_register(status);
        }
    };
    let mut states: Vec<State> = (1..16)
        .map(|bp| {
            State::prepared(
                format!("BP3 to BP0 = {bp:04b}, QE set"),
                status(QE | bp << 2),
            )
        })
        .collect();
    states.extend([
        State::prepared("BP all set, QE clear", status(0x3C)).main(),
        State::prepared("QE clear", status(0)).main(),
        State::prepared("SRWD set", status(0x80 | QE)),
        State::prepared("SRWD and BP all set, QE clear", status(0xBC)),
    ]);
    states
}

// FlexSPI1 and its clock gate (IMXRT1060RM FlexSPI, CCM chapters).
const MCR0: u32 = 0x402A_8000;
const LUTKEY: u32 = 0x402A_8018;
const LUTCR: u32 = 0x402A_801C;
const IPCR0: u32 = 0x402A_80A0;
const IPCR1: u32 = 0x402A_80A4;
const IPCMD: u32 = 0x402A_80B0;
const STS0: u32 = 0x402A_80E0;
const LUT: u32 = 0x402A_8200;
const CCGR6: u32 = 0x400F_C080;

/// The FlexSPI.
fn controller_states() -> Vec<State> {
    vec![
        State::prepared("FlexSPI with MDIS set", |b| {
            let control = get(b, MCR0);
            put(b, MCR0, control | 2);
        })
        .evident(|b| get(b, MCR0) & 2 != 0),
        State::prepared("FlexSPI software reset pending", |b| {
            let control = get(b, MCR0);
            put(b, MCR0, control | 1);
        }),
        State::prepared("FlexSPI look-up table emptied and locked", |b| {
            put(b, LUTKEY, 0x5AF0_5AF0);
            put(b, LUTCR, 2);
            for word in 0..64 {
                put(b, LUT + 4 * word, 0);
            }
            put(b, LUTKEY, 0x5AF0_5AF0);
            put(b, LUTCR, 1);
        }),
        State::prepared("FlexSPI IP read under way, nobody empties its FIFO", |b| {
            stalled_read(b);
        })
        .evident(|b| get(b, STS0) & 3 != 3)
        .main(),
        State::prepared("FlexSPI clock gate closed", |b| {
            let gates = get(b, CCGR6);
            put(b, CCGR6, gates & !(3 << 10));
        }),
        State::prepared(
            "FlexSPI clock gate closed in the middle of an IP read",
            |b| {
                stalled_read(b);
                let gates = get(b, CCGR6);
                put(b, CCGR6, gates & !(3 << 10));
            },
        ),
    ]
}

/// What the application does to the rest of the chip.
fn application_states() -> Vec<State> {
    const GPR16: u32 = 0x400A_C040;
    const GPR17: u32 = 0x400A_C044;
    const CCR: u32 = 0xE000_ED14;
    const MPU_CTRL: u32 = 0xE000_ED94;
    /// Multiplexers of SWDIO and SWCLK: ALT5, GPIO.
    const SWD_PADS: [(u32, u32); 2] = [(0x401F_80D4, 5), (0x401F_80D8, 5)];
    let pads = State::new("debug pins turned into GPIO", apps::sets(&SWD_PADS))
        .evident(|b| !b.chip.debug_port_answers())
        .owes(Owed::Refusal("target-no-answer"))
        .main();
    vec![
        State::new("application loops", apps::loops()).main(),
        State::new(
            "caches and MPU on",
            apps::sets(&[(CCR, 0x0003_0200), (MPU_CTRL, 5)]),
        )
        .evident(|b| b.chip.cpu.scs.mpu_ctrl & 1 != 0),
        State::new("interrupts", apps::takes_interrupts(APPLICATION))
            .evident(|b| b.chip.cpu.scs.systick_interrupts()),
        State::new(
            "FlexRAM all DTCM",
            apps::sets(&[(GPR17, 0xAAAA_AAAA), (GPR16, 0x0020_0007)]),
        )
        .evident(|b| dtcm_bytes(b) == Some(512 * 1024)),
        State::new(
            "FlexRAM all OCRAM, no DTCM",
            apps::sets(&[(GPR17, 0x5555_5555), (GPR16, 0x0020_0007)]),
        )
        .evident(|b| dtcm_bytes(b) == Some(0)),
        State::new("crashes at once", apps::crashes())
            .evident(|b| b.chip.cpu.crash().is_some())
            .main(),
        State::new("resets itself at once, in a loop", apps::resets_itself(0))
            .that_resets_itself(Time::ms(40))
            .main(),
        State::new(
            "resets itself after 1 ms, in a loop",
            apps::resets_itself(130_000),
        )
        .that_resets_itself(Time::ms(40)),
        State::new(
            "resets itself after 20 ms, in a loop",
            apps::resets_itself(2_600_000),
        )
        .that_resets_itself(Time::ms(80)),
        State::new(
            "resets itself through WDOG1 at once, in a loop",
            apps::resets_through_wdog(),
        )
        .that_resets_itself(Time::ms(40)),
        pads.clone(),
        pads.under_reset(),
    ]
}

/// Applications that sleep with the bus clock off.
fn sleeping_states() -> Vec<State> {
    let never = State::new("sleeps in WAIT and never wakes", apps::sleeps(1))
        .evident(asleep)
        .owes(Owed::Refusal("target-asleep"))
        .main();
    let stopped = State::new("sleeps in STOP and never wakes", apps::sleeps(2))
        .evident(asleep)
        .owes(Owed::Refusal("target-asleep"));
    let strapped = never
        .clone()
        .configured(|config| config.straps = Straps::SERIAL_DOWNLOADER)
        .evident(|b| b.chip.cpu.in_rom())
        .owes(Owed::NotBooted("strapped-serial-downloader"));
    let strapped = State {
        name: format!("{}, strapped to the serial downloader", strapped.name),
        ..strapped
    };
    let mut states = vec![
        State::new("sleeps in RUN mode, bus clock on", apps::sleeps(0)).evident(asleep),
        never.clone(),
        never.under_reset().main(),
        stopped.clone(),
        stopped.under_reset(),
        strapped,
    ];
    states.extend([1, 10, 100, 1000].map(|period_ms| {
        State::new(
            format!("sleeps in WAIT and wakes every {period_ms} ms"),
            apps::sleeps_and_wakes(period_ms),
        )
        .evident(asleep)
    }));
    states
}

/// Watchdogs of the application, and the one of the fuse.
fn watchdog_states() -> Vec<State> {
    /// Fuse word and bit of WDOG_ENABLE, and the shortest time-out, 4 s (fuse map of the RT1060; i.MX6ULL manual for the times).
    const BOOT_CONFIG: u32 = 0x460;
    const WDOG_ENABLE: u32 = 1 << 21;
    const MISC_CONF0: u32 = 0x6D0;
    const SHORTEST: u32 = 4 << 13;
    let mut states: Vec<State> = apps::WDOGS
        .into_iter()
        .zip(["WDOG1", "WDOG2"])
        .map(|(base, name)| {
            State::new(
                format!("{name} on at 0.5 s, locked, starved"),
                apps::starves_wdog(base),
            )
            .that_resets_itself(Time::ms(600))
        })
        .collect();
    states.extend([10, 1000].map(|ms| {
        State::new(
            format!("RTWDOG on at {ms} ms, locked, starved"),
            apps::starves_rtwdog(32 * ms),
        )
        .that_resets_itself(Time::ms(1200))
    }));
    states.push(
        State::new("watchdog enabled by fuse, 4 s", apps::idles())
            .evident(|b| b.chip.system.borrow().soc.watchdog_deadline().is_some())
            .configured(|config| {
                config.fuses.set_word(BOOT_CONFIG, WDOG_ENABLE);
                config.fuses.set_word(MISC_CONF0, SHORTEST);
            }),
    );
    states
}

// Debug registers (ARMv7-M ARM, part C).
const DHCSR: u32 = 0xE000_EDF0;
const DEMCR: u32 = 0xE000_EDFC;
const FP_CTRL: u32 = 0xE000_2000;
const FP_COMP0: u32 = 0xE000_2008;
const DWT_COMP0: u32 = 0xE000_1020;
const DWT_FUNCTION0: u32 = 0xE000_1028;
/// Places in the boot ROM, where breakpoints of ours would halt it before the read of SRC_SBMR1.
const IN_ROM: u32 = 0x0020_2000;
const SBMR1: u32 = 0x400F_8004;
/// First instruction of [`image_of`].
const RESET_HANDLER: u32 = APPLICATION + 68;

/// What other debuggers leave behind.
fn debugger_states() -> Vec<State> {
    let catches = |b: &mut Board| put_debug(b, &[(DHCSR, 0xA05F_0001), (DEMCR, 0x0100_07F1)]);
    let breakpoints = |b: &mut Board| {
        put_debug(b, &[(DHCSR, 0xA05F_0001), (FP_CTRL, 3)]);
        for (n, at) in (0..8).zip([IN_ROM, RESET_HANDLER, 0x2020_9080].into_iter().cycle()) {
            put_debug(b, &[(FP_COMP0 + 4 * n, at | 1)]);
        }
    };
    let watchpoints = |b: &mut Board| {
        put_debug(b, &[(DHCSR, 0xA05F_0001), (DEMCR, 1 << 24)]);
        // on instructions, and on accesses of data
        for (n, (at, function)) in (0..4).zip([
            (RESET_HANDLER, 4),
            (SBMR1, 7),
            (0x2020_9080, 4),
            (0x400B_C000, 7),
        ]) {
            put_debug(
                b,
                &[
                    (DWT_COMP0 + 16 * n, at),
                    (DWT_FUNCTION0 + 16 * n, 2 << 10 | function),
                ],
            );
        }
    };
    vec![
        State::prepared("core left halted", |b| {
            put_debug(b, &[(DHCSR, 0xA05F_0003)]);
        })
        .evident(|b| b.chip.cpu.debug.halted())
        .main(),
        State::prepared("halting debug left on", |b| {
            put_debug(b, &[(DHCSR, 0xA05F_0001)]);
        }),
        State::prepared("vector catches left on", catches),
        State::prepared("breakpoints left in the FPB", breakpoints),
        State::prepared("watchpoints left in the DWT", watchpoints),
        State::prepared(
            "catches, breakpoints and watchpoints left, core halted",
            move |b| {
                catches(b);
                breakpoints(b);
                watchpoints(b);
                put_debug(b, &[(DEMCR, 0x0100_07F1), (DHCSR, 0xA05F_0003)]);
            },
        )
        .main(),
    ]
}

/// Sends a command to the flash, as software does through whatever controller it has.
fn send(b: &mut Board, bytes: &[u8]) {
    const SCK_HZ: u64 = 30_000_000;
    let mut system = b.chip.system.borrow_mut();
    let now = system.now();
    let System { nor, trace, .. } = &mut *system;
    nor.select(now, SCK_HZ, trace);
    for byte in bytes {
        nor.shift_out(*byte, Lines::One, false, trace);
    }
    nor.deselect(now + Time::us(bytes.len() as u64), trace);
}

/// Write enable, then this command.
fn erase(b: &mut Board, command: &[u8]) {
    send(b, &[0x06]);
    send(b, command);
    let busy = b.chip.system.borrow().nor.busy_until();
    assert!(busy.is_some(), "the flash has begun");
}

/// Programs a page far from the image.
fn program(b: &mut Board) {
    let mut command = vec![0x02, 0x10, 0x00, 0x00];
    command.resize(4 + 256, 0x00);
    erase(b, &command);
}

/// An IP read of more bytes than the FIFO holds, with nobody at its other end: CS# stays low.
fn stalled_read(b: &mut Board) {
    const SEQUENCE: u32 = 0;
    put(b, IPCR0, 0);
    put(b, IPCR1, SEQUENCE << 16 | 1024);
    put(b, IPCMD, 1);
}

/// In WFI or WFE.
fn asleep(b: &mut Board) -> bool {
    *b.chip.cpu.state() == CoreState::Sleeping
}

fn dtcm_bytes(b: &mut Board) -> Option<u32> {
    let split = b.chip.system.borrow().soc.flexram();
    split.map(|split| split.dtcm_bytes)
}

fn get(b: &mut Board, address: u32) -> u32 {
    let mut system = b.chip.system.borrow_mut();
    system.read(address, Width::Word).expect("a register")
}

fn put(b: &mut Board, address: u32, value: u32) {
    let mut system = b.chip.system.borrow_mut();
    system
        .write(address, Width::Word, value)
        .expect("a register");
}

/// Writes of a debugger.
fn put_debug(b: &mut Board, registers: &[(u32, u32)]) {
    for (address, value) in registers {
        b.chip
            .cpu
            .ppb_write(*address, Width::Word, *value, true)
            .expect("a register");
    }
}

/// Everything of a debugger that is still set.
pub fn debug_residue(board: &VirtualBench) -> Vec<String> {
    let plain = [
        ("DHCSR control".to_owned(), DHCSR, 0xF),
        ("DEMCR".to_owned(), DEMCR, u32::MAX),
        ("FP_CTRL.ENABLE".to_owned(), FP_CTRL, 1),
    ];
    let breakpoints = (0..8).map(|n| (format!("FP_COMP{n}"), FP_COMP0 + 4 * n, u32::MAX));
    let watchpoints = (0..4).map(|n| (format!("DWT_FUNCTION{n}"), DWT_FUNCTION0 + 16 * n, 0xF));
    let registers: Vec<_> = plain.into_iter().chain(breakpoints).collect();
    let traced: Vec<_> = watchpoints.collect();
    board
        .board()
        .with(move |b| {
            let set = |b: &mut Board, (name, address, mask): (String, u32, u32)| {
                let value = b.chip.cpu.ppb_read(address, Width::Word, true).ok()? & mask;
                (value != 0).then(|| format!("{name} = {value:#x}"))
            };
            let mut residue: Vec<String> =
                registers.into_iter().filter_map(|r| set(b, r)).collect();
            // the DWT shows itself with TRCENA only
            put_debug(b, &[(DEMCR, 1 << 24)]);
            residue.extend(traced.into_iter().filter_map(|r| set(b, r)));
            residue
        })
        .expect("board")
}

/// Everything about the flash that the boot ROM does not expect.
pub fn unlike_the_rom_needs(board: &VirtualBench) -> Vec<String> {
    board
        .board()
        .with(|b| {
            let now = b.now();
            let mut system = b.chip.system.borrow_mut();
            system.nor.settle(now);
            let nor = &system.nor;
            let status = nor.status_register();
            let facts = [
                ("busy", nor.busy_until().is_some() || status & 1 != 0),
                ("write enabled", status & 2 != 0),
                ("suspended", nor.is_suspended()),
                ("in QPI", nor.in_qpi()),
                ("in continuous read", nor.continuous_read().is_some()),
                ("in deep power-down", nor.in_deep_power_down()),
                ("in a command", nor.is_selected()),
                ("without QE", status & QE == 0),
            ];
            let wrong = facts.into_iter().filter(|(_, wrong)| *wrong);
            wrong.map(|(what, _)| what.to_owned()).collect()
        })
        .expect("board")
}
