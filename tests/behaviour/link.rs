//! Promises of the link: the right probe or a clear refusal, no damaged word, no hang, and a board that is taken over
//! and let go as the ROM needs it. Below probe-rs stands the virtual wire with a chip of RAM and debug registers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rtflash::address::Address;
use rtflash::clock::Clock;
use rtflash::link::{
    BootWatch, Choice, Connection, CoreRegister, CoreState, Link, LinkError, ProbeSelector, Start,
    WatchState, list,
};
use rtflash::problem::{ExitCode, Problem};
use rtflash::target::Chip;
use virtual_board::bus::Width;
use virtual_board::probe::{self, JLINK, Profile, Wire, WireError};
use virtual_board::swd::{ApError, ApTarget, FlippedBit, IoItem, SwDp};

const RAM: u32 = 0x2020_0000;
const RAM_BYTES: usize = 64 * 1024;
const CODE: Address = Address::new(0x2020_9000);
const SBMR1: u32 = 0x400F_8004;

const C_DEBUGEN: u32 = 1;
const C_HALT: u32 = 2;

/// RAM and the registers that the link touches, as the manuals name them.
#[derive(Default)]
struct Desk {
    ram: Vec<u8>,
    asleep: u32,
    powered: bool,
    /// Transactions until the port answers again.
    silent: u32,
    silent_after_reset: u32,
    rom_reads_sbmr1: bool,
    stubborn: bool,
    dhcsr: u32,
    halted: bool,
    reset_seen: bool,
    registers: [u32; 32],
    dcrdr: u32,
    demcr: u32,
    aircr: u32,
    vtor: u32,
    ccr: u32,
    mpu_ctrl: u32,
    fp_ctrl: u32,
    fp_comp: [u32; 8],
    comp: [u32; 4],
    function: [u32; 4],
    gpr16: u32,
    srsr: u32,
    nreset: Vec<bool>,
    /// DHCSR, DEMCR, AIRCR, GPR16, SRSR as each system reset found them.
    resets: Vec<[u32; 5]>,
}

impl Desk {
    fn system_reset(&mut self, aircr: u32) {
        self.resets
            .push([self.dhcsr, self.demcr, aircr, self.gpr16, self.srsr]);
        self.reset_seen = true;
        self.srsr |= 2;
        self.silent = self.silent_after_reset;
        // What the ROM does until it reads SBMR1.
        self.mpu_ctrl = 5;
        self.ccr = 0x0003_0200;
        self.halted = false;
        let armed = self.demcr & 1 << 24 != 0 && self.dhcsr & C_DEBUGEN != 0;
        if armed && self.comp[0] == SBMR1 && self.function[0] & 0xF == 7 && self.rom_reads_sbmr1 {
            self.halted = true;
        }
        // The image is started.
        for n in [1, 2] {
            if self.function[n] & 0xF != 8 || self.halted {
                continue;
            }
            self.function[n] |= 1 << 24;
        }
    }

    fn register(&mut self, address: u32) -> Option<u32> {
        let dwt = ((address & 0xF0) as usize >> 4).wrapping_sub(2) & 3;
        Some(match address {
            0xE000_EDF0 => {
                let reset = if std::mem::take(&mut self.reset_seen) {
                    1 << 25
                } else {
                    0
                };
                let halted = if self.halted { 1 << 17 } else { 0 };
                self.dhcsr | 1 << 16 | halted | reset
            }
            0xE000_EDF8 => self.dcrdr,
            0xE000_EDFC => self.demcr,
            0xE000_ED08 => self.vtor,
            0xE000_ED0C => self.aircr,
            0xE000_ED14 => self.ccr,
            0xE000_ED94 => self.mpu_ctrl,
            0xE000_2000 => self.fp_ctrl,
            0xE000_2008..0xE000_2028 => self.fp_comp[(address as usize - 0xE000_2008) / 4],
            0xE000_1020 | 0xE000_1030 | 0xE000_1040 | 0xE000_1050 => self.comp[dwt],
            0xE000_1028 | 0xE000_1038 | 0xE000_1048 | 0xE000_1058 => {
                let value = self.function[dwt];
                self.function[dwt] &= !(1 << 24);
                value
            }
            0x400A_C040 => self.gpr16,
            0x400F_8008 => self.srsr,
            _ => return None,
        })
    }

    fn set_register(&mut self, address: u32, value: u32) -> Option<()> {
        let dwt = ((address & 0xF0) as usize >> 4).wrapping_sub(2) & 3;
        match address {
            0xE000_EDF0 if value >> 16 == 0xA05F => {
                self.dhcsr = value & 0xF;
                self.halted = value & (C_HALT | C_DEBUGEN) == C_HALT | C_DEBUGEN && !self.stubborn;
            }
            0xE000_EDF4 => {
                let n = (value & 0x1F) as usize;
                if value & 1 << 16 != 0 {
                    self.registers[n] = self.dcrdr;
                } else {
                    self.dcrdr = self.registers[n];
                }
            }
            0xE000_EDF8 => self.dcrdr = value,
            0xE000_EDFC => self.demcr = value,
            0xE000_ED08 => self.vtor = value,
            0xE000_ED0C if value >> 16 == 0x05FA && value & 4 != 0 => self.system_reset(value),
            0xE000_ED14 => self.ccr = value,
            0xE000_ED94 => self.mpu_ctrl = value,
            0xE000_2000 if value & 2 != 0 => self.fp_ctrl = value & 1,
            0xE000_2004 => {}
            0xE000_2008..0xE000_2028 => self.fp_comp[(address as usize - 0xE000_2008) / 4] = value,
            0xE000_1020 | 0xE000_1030 | 0xE000_1040 | 0xE000_1050 => self.comp[dwt] = value,
            0xE000_1024 | 0xE000_1034 | 0xE000_1044 | 0xE000_1054 => {}
            0xE000_1028 | 0xE000_1038 | 0xE000_1048 | 0xE000_1058 => self.function[dwt] = value,
            0x400A_C040 => self.gpr16 = value,
            0x400F_8008 => self.srsr &= !value,
            _ => return None,
        }
        Some(())
    }

    fn cell(&mut self, address: u32, width: Width) -> Option<&mut [u8]> {
        let at = address.checked_sub(RAM)? as usize;
        self.ram.get_mut(at..at + width.bytes() as usize)
    }

    fn word(&mut self, address: u32) -> u32 {
        let bytes: [u8; 4] = (&*self.cell(address, Width::Word).unwrap())
            .try_into()
            .unwrap();
        u32::from_le_bytes(bytes)
    }

    fn sleeps(&mut self) -> bool {
        let asleep = self.asleep > 0;
        self.asleep = self.asleep.saturating_sub(1);
        asleep
    }
}

impl ApTarget for Desk {
    fn ap_read(&mut self, address: u32, width: Width, _csw: u32) -> Result<u32, ApError> {
        if self.sleeps() {
            return Err(ApError::Wait);
        }
        if let Some(value) = self.register(address) {
            return Ok(value);
        }
        let cell = self.cell(address, width).ok_or(ApError::Fault)?;
        Ok(cell
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    fn ap_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        _csw: u32,
    ) -> Result<(), ApError> {
        if self.sleeps() {
            return Err(ApError::Wait);
        }
        if self.set_register(address, value).is_some() {
            return Ok(());
        }
        let cell = self.cell(address, width).ok_or(ApError::Fault)?;
        let bytes = value.to_le_bytes();
        cell.copy_from_slice(&bytes[..cell.len()]);
        Ok(())
    }

    fn debug_powered(&self) -> bool {
        self.powered
    }

    fn port_open(&self) -> bool {
        self.powered && self.silent == 0
    }

    fn set_nreset(&mut self, level: bool) {
        self.nreset.push(level);
    }
}

struct Bench {
    dp: SwDp,
    desk: Desk,
    plugged: bool,
    transactions: u64,
    khz: u32,
}

#[derive(Clone)]
struct Cable(Arc<Mutex<Bench>>);

impl Cable {
    fn bench(&self) -> MutexGuard<'_, Bench> {
        self.0.lock().unwrap()
    }

    fn transaction(&self) -> Result<MutexGuard<'_, Bench>, WireError> {
        let mut bench = self.bench();
        bench.transactions += 1;
        bench.desk.silent = bench.desk.silent.saturating_sub(1);
        if bench.plugged {
            Ok(bench)
        } else {
            Err(WireError::Unplugged)
        }
    }

    fn transfers(&self) -> u64 {
        self.bench().dp.counts().transfers
    }
}

impl Wire for Cable {
    fn set_profile(&mut self, _profile: &Profile) {}

    fn swd_io(&mut self, items: Vec<IoItem>) -> Result<Vec<bool>, WireError> {
        let mut bench = self.transaction()?;
        let mut levels = Vec::new();
        let Bench { dp, desk, .. } = &mut *bench;
        dp.io(&items, desk, &mut levels);
        Ok(levels)
    }

    fn set_nreset(&mut self, level: bool) -> Result<(), WireError> {
        self.transaction()?.desk.set_nreset(level);
        Ok(())
    }

    fn set_speed_khz(&mut self, khz: u32) -> Result<(), WireError> {
        self.transaction()?.khz = khz;
        Ok(())
    }

    fn target_millivolts(&mut self) -> Result<u32, WireError> {
        self.transaction()
            .map(|bench| if bench.desk.powered { 3300 } else { 12 })
    }

    fn wait(&mut self, _span: Duration) -> Result<(), WireError> {
        Ok(())
    }

    fn plugged(&self) -> bool {
        self.bench().plugged
    }
}

/// Every look at it takes 50 µs, so that no poll lasts for ever.
#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.fetch_add(50, Ordering::Relaxed))
    }

    fn sleep(&self, span: Duration) {
        self.0.fetch_add(span.as_micros() as u64, Ordering::Relaxed);
    }
}

/// A bench whose probe is offered under `serial`. The list of probes is the process's, so serials are unique.
fn bench(serial: &str) -> Cable {
    let desk = Desk {
        ram: vec![0; RAM_BYTES],
        powered: true,
        rom_reads_sbmr1: true,
        ..Desk::default()
    };
    let cable = Cable(Arc::new(Mutex::new(Bench {
        dp: SwDp::new(),
        desk,
        plugged: true,
        transactions: 0,
        khz: 0,
    })));
    probe::register();
    probe::offer(serial, JLINK, Box::new(cable.clone()));
    cable
}

fn choice(serial: &str) -> Choice {
    let probe = ProbeSelector {
        vendor_id: probe::VENDOR_ID,
        product_id: probe::PRODUCT_ID,
        serial: Some(serial.to_owned()),
    };
    Choice {
        probe: Some(probe),
        ..Choice::default()
    }
}

fn chip() -> Chip {
    Chip::builtin("MIMXRT1062").unwrap()
}

fn open(choice: &Choice) -> Result<Connection, LinkError> {
    Connection::open(choice, &chip(), Arc::new(Ticks::default()))
}

fn refused(choice: &Choice) -> LinkError {
    match open(choice) {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

/// Connects to the bench of this serial and runs `job`.
fn on(serial: &str, job: impl FnOnce(&mut dyn Link)) {
    let mut connection = open(&choice(serial)).unwrap();
    job(&mut connection.link(&chip()).unwrap());
}

#[test]
fn a_probe_that_is_not_there_is_named_with_those_that_are() {
    bench("present");
    let missing = Choice {
        probe: Some("dead:beef".parse().unwrap()),
        ..Choice::default()
    };
    let error = refused(&missing);
    assert!(
        matches!(error, LinkError::ProbeNotFound { .. }),
        "{error:?}"
    );
    let problem = Problem::from(error);
    assert_eq!(
        (problem.code, problem.exit),
        ("probe-not-found", ExitCode::NoProbe)
    );
    assert!(problem.why.unwrap().contains("1209:0001:present"));
}

#[test]
fn several_probes_and_none_chosen_is_a_refusal_that_lists_them() {
    bench("twin one");
    bench("twin two");
    let either = Choice {
        probe: Some("1209:0001".parse().unwrap()),
        ..Choice::default()
    };
    let error = refused(&either);
    assert!(
        matches!(error, LinkError::SeveralProbes { .. }),
        "{error:?}"
    );
    let problem = Problem::from(error);
    assert_eq!(
        (problem.code, problem.exit),
        ("probe-several", ExitCode::NoProbe)
    );
    let why = problem.why.unwrap();
    assert!(
        why.contains("twin one") && why.contains("twin two"),
        "{why}"
    );
}

#[test]
fn a_probe_in_use_or_without_permission_says_so() {
    bench("in use");
    let first = open(&choice("in use")).unwrap();
    let problem = Problem::from(refused(&choice("in use")));
    assert_eq!(
        (problem.code, problem.exit),
        ("probe-busy", ExitCode::NoProbe)
    );
    drop(first);
    drop(open(&choice("in use")).unwrap());

    bench("denied");
    probe::deny("denied", true);
    assert!(
        list()
            .iter()
            .any(|p| p.serial.as_deref() == Some("denied") && !p.accessible)
    );
    let problem = Problem::from(refused(&choice("denied")));
    assert_eq!(
        (problem.code, problem.exit),
        ("probe-permission", ExitCode::NoProbe)
    );
    assert!(problem.fix.unwrap().contains("udev"));
}

#[test]
fn the_speed_is_what_was_asked_for_or_a_refusal() {
    let cable = bench("speed");
    for khz in [0, 15_001] {
        let error = refused(&Choice {
            speed_khz: Some(khz),
            ..choice("speed")
        });
        let problem = Problem::from(error);
        assert_eq!(
            (problem.code, problem.exit),
            ("probe-speed", ExitCode::Usage)
        );
    }
    let fast = Choice {
        speed_khz: Some(15_000),
        ..choice("speed")
    };
    assert_eq!(open(&fast).unwrap().speed_khz(), 15_000);
    assert_eq!(cable.bench().khz, 15_000);
    assert_eq!(open(&choice("speed")).unwrap().speed_khz(), 4_000);
}

#[test]
fn a_chip_of_another_family_is_refused_before_the_probe_is_opened() {
    let mut other = chip();
    other.name = "STM32F4".to_owned();
    let result = Connection::open(&choice("none"), &other, Arc::new(Ticks::default()));
    assert!(matches!(result, Err(LinkError::UnsupportedChip { .. })));
}

#[test]
fn a_board_without_power_and_a_closed_port_are_told_apart() {
    let cable = bench("dead");
    cable.bench().desk.powered = false;
    let problem = Problem::from(refused(&choice("dead")));
    assert_eq!(
        (problem.code, problem.exit),
        ("target-unpowered", ExitCode::LinkLost)
    );

    let cable = bench("closed");
    cable.bench().dp.faults_mut().closed_port = true;
    let problem = Problem::from(refused(&choice("closed")));
    assert_eq!(
        (problem.code, problem.exit),
        ("target-no-answer", ExitCode::LinkLost)
    );
}

#[test]
fn attaching_and_taking_over_stay_within_their_transactions() {
    let cable = bench("count");
    let mut connection = open(&choice("count")).unwrap();
    let mut link = connection.link(&chip()).unwrap();
    let attach = cable.bench().transactions;
    assert!(attach <= 40, "attach took {attach}");
    (&mut link as &mut dyn Link).take_over().unwrap();
    let take_over = cable.bench().transactions - attach;
    assert!(take_over <= 46, "taking over took {take_over}");
    let counts = link.counts();
    assert_eq!((counts.retries, counts.reattaches), (0, 0));
    drop(link);
    let before = cable.bench().transactions;
    drop(connection);
    assert!(cable.bench().transactions - before <= 3);
}

#[test]
fn blocks_arrive_whole() {
    let cable = bench("block");
    let words: Vec<u32> = (0..3000_u32).map(|n| n.wrapping_mul(0x9E37_79B9)).collect();
    on("block", |link| {
        link.write(CODE, &words).unwrap();
        let mut back = vec![0; words.len()];
        link.read(CODE, &mut back).unwrap();
        assert_eq!(back, words);
        let counts = link.counts();
        assert_eq!((counts.words_written, counts.words_read), (3000, 3000));
    });
    assert_eq!(cable.bench().desk.word(CODE.get() + 4 * 2999), words[2999]);
}

#[test]
fn many_kib_and_the_word_that_makes_them_count_are_a_few_full_transactions() {
    const WORDS: u32 = 5 * 1028;
    let cable = bench("joined");
    let behind = Address::new(CODE.get() + 4 * WORDS);
    on("joined", |link| {
        // the access size is set by the first access
        link.read(CODE, &mut [0]).unwrap();
        let before = cable.bench().transactions;
        let pieces = [(CODE, (1..=WORDS).collect()), (behind, vec![1, 2, 3, 4])];
        link.write_in_order(&pieces).unwrap();
        let made = cable.bench().transactions - before;
        // 48 clocks a word fill the 65,535 of a J-Link's transaction less than four times
        assert!(made <= 4, "{made} transactions");
    });
    assert_eq!(cable.bench().desk.word(behind.get() + 12), 4);
    assert_eq!(cable.bench().desk.word(behind.get() - 4), WORDS);
}

#[test]
fn a_piece_behind_a_damaged_one_is_not_written_before_that_is_right() {
    const WORDS: u32 = 600;
    let behind = Address::new(CODE.get() + 4 * WORDS);
    let pieces = [(CODE, vec![7; WORDS as usize]), (behind, vec![1, 2, 3, 4])];
    // the transfers of the first attempt: with the cable cut behind them there is no second one
    let attempt = |damaged: Option<u64>| {
        let cable = bench("order");
        let mut transfers = 0;
        on("order", |link| {
            link.read(CODE, &mut [0]).unwrap();
            let first = cable.transfers();
            if let Some(transfer) = damaged {
                let mut bench = cable.bench();
                let faults = bench.dp.faults_mut();
                let transfer = first + transfer;
                faults.flipped_bits = vec![FlippedBit { transfer, bit: 4 }];
                faults.cable_cut_at = Some(first + u64::from(WORDS) + 10);
            }
            let written = link.write_in_order(&pieces);
            assert_eq!(written.is_err(), damaged.is_some());
            transfers = cable.transfers() - first;
        });
        let mut bench = cable.bench();
        let doorbell = bench.desk.word(behind.get() + 12);
        (transfers, doorbell)
    };
    let (transfers, doorbell) = attempt(None);
    assert_eq!(doorbell, 4);
    assert!(transfers <= u64::from(WORDS) + 10, "{transfers}");
    for damaged in [0, 1, 2, 255, 256, 257, 258, 259, 400, 600, 602] {
        let (_, doorbell) = attempt(Some(damaged));
        assert_eq!(doorbell, 0, "transfer {damaged}");
    }
}

#[test]
fn a_bit_flipped_on_the_wire_never_reaches_memory_or_caller() {
    for later in 0..30 {
        let cable = bench("flip");
        on("flip", |link| {
            let words: Vec<u32> = (1..=20).collect();
            let flip = |later: u64| {
                let transfer = cable.transfers() + later;
                cable.bench().dp.faults_mut().flipped_bits = vec![FlippedBit { transfer, bit: 4 }];
            };
            flip(later);
            link.write(CODE, &words).unwrap();
            for (n, word) in words.iter().enumerate() {
                assert_eq!(
                    cable.bench().desk.word(CODE.get() + 4 * n as u32),
                    *word,
                    "{later}"
                );
            }
            flip(later);
            let mut back = vec![0; words.len()];
            link.read(CODE, &mut back).unwrap();
            assert_eq!(back, words, "transfer {later}");
            if later < 20 {
                assert!(link.counts().retries > 0, "transfer {later} was damaged");
            }
        });
    }
}

#[test]
fn a_wire_that_stays_disturbed_is_an_error() {
    let cable = bench("noise");
    on("noise", |link| {
        let now = cable.transfers();
        cable.bench().dp.faults_mut().flipped_bits = (0..4000)
            .filter(|n| n % 3 != 0)
            .map(|n| FlippedBit {
                transfer: now + n,
                bit: 4,
            })
            .collect();
        let error = link.read(CODE, &mut [0; 100]).unwrap_err();
        let problem = Problem::from(error);
        assert_eq!(problem.exit, ExitCode::LinkLost, "{problem}");
    });
}

#[test]
fn an_address_where_nothing_answers_is_told_and_not_tried_again() {
    bench("fault");
    on("fault", |link| {
        let error = link
            .read(Address::new(0x6000_0000), &mut [0; 4])
            .unwrap_err();
        assert!(matches!(error, LinkError::BusFault { .. }), "{error:?}");
        let problem = Problem::from(error);
        assert_eq!(problem.code, "target-bus-fault");
        assert_eq!(problem.place.address, Some(Address::new(0x6000_0000)));
        assert!(link.write(Address::new(0x6000_0000), &[1; 4]).is_err());
        assert_eq!(link.counts().retries, 0);
        link.write_word(CODE, 5).unwrap();
        assert_eq!(link.read_word(CODE).unwrap(), 5);
    });
}

#[test]
fn a_cut_cable_or_a_pulled_probe_is_an_error_at_once() {
    for later in 0..12 {
        let cable = bench("cut");
        on("cut", |link| {
            let at = cable.transfers() + later;
            cable.bench().dp.faults_mut().cable_cut_at = Some(at);
            let error = link.write(CODE, &[7; 10]).unwrap_err();
            assert!(matches!(error, LinkError::TargetLost { .. }), "{error:?}");
            cable.bench().dp.faults_mut().cable_cut_at = None;
            link.reattach().unwrap();
            link.write(CODE, &[7; 10]).unwrap();
        });
    }
    let cable = bench("pulled");
    on("pulled", |link| {
        cable.bench().plugged = false;
        let error = link.read_word(CODE).unwrap_err();
        assert!(matches!(error, LinkError::ProbeLost { .. }), "{error:?}");
        assert_eq!(Problem::from(error).exit, ExitCode::LinkLost);
    });
}

#[test]
fn a_sleeping_bus_is_waited_for_but_not_for_ever() {
    let cable = bench("asleep");
    on("asleep", |link| {
        link.write_word(CODE, 1).unwrap();
        cable.bench().desk.asleep = 3_000;
        link.write_word(CODE, 2).unwrap();
        assert_eq!(link.read_word(CODE).unwrap(), 2);
        assert!(link.counts().retries > 0);
        cable.bench().desk.asleep = u32::MAX;
        let error = link.read_word(CODE).unwrap_err();
        assert!(matches!(error, LinkError::Asleep { .. }), "{error:?}");
    });
}

#[test]
fn a_power_cycle_on_the_way_leaves_block_accesses_right() {
    let cable = bench("power");
    on("power", |link| {
        link.write(CODE, &[1, 2, 3]).unwrap();
        cable.bench().dp.power_on();
        link.write(CODE, &[4, 5, 6]).unwrap();
        let mut back = [0; 3];
        link.read(CODE, &mut back).unwrap();
        assert_eq!(back, [4, 5, 6]);
    });
}

#[test]
fn a_board_taken_over_is_halted_in_the_rom_with_mpu_and_caches_off() {
    let cable = bench("take over");
    cable.bench().desk.gpr16 = 0x0020_0007;
    on("take over", |link| {
        link.take_over().unwrap();
        assert_eq!(link.core_state().unwrap(), CoreState::Halted);
        let bench = cable.bench();
        assert_eq!(bench.desk.mpu_ctrl, 0);
        assert_eq!(bench.desk.ccr, 0x0000_0200);
        assert_eq!(bench.desk.gpr16, 0x0020_0003);
        assert_eq!(bench.desk.function, [0; 4]);
        assert_eq!(bench.desk.resets.len(), 1);
    });
}

#[test]
fn a_rom_that_does_not_come_by_is_told() {
    let cable = bench("no rom");
    cable.bench().desk.rom_reads_sbmr1 = false;
    on("no rom", |link| {
        let error = link.take_over().unwrap_err();
        assert!(matches!(error, LinkError::NotCaught { .. }), "{error:?}");
        let whats: Vec<&str> = link.retries().iter().map(|retry| retry.what).collect();
        assert_eq!(
            whats,
            [
                "the caught reset was made again",
                "the halt request was kept up until the core was awake"
            ]
        );
        let desk = &cable.bench().desk;
        assert_eq!((desk.dhcsr, desk.demcr), (0, 0), "and the board is let go");
        assert_eq!((desk.function, desk.halted), ([0; 4], false));
    });
}

#[test]
fn a_core_that_does_not_halt_is_told() {
    let cable = bench("stubborn");
    cable.bench().desk.stubborn = true;
    on("stubborn", |link| {
        let error = link.halt().unwrap_err();
        assert!(matches!(error, LinkError::NotHalted { .. }), "{error:?}");
    });
}

#[test]
fn code_is_started_with_its_own_stack_and_table_and_interrupts_masked() {
    let cable = bench("start");
    on("start", |link| {
        link.take_over().unwrap();
        link.set_core_register(CoreRegister::Lr, 0x1234).unwrap();
        assert_eq!(link.core_register(CoreRegister::Lr).unwrap(), 0x1234);
        let before = cable.bench().transactions;
        link.start(Start {
            entry: Address::new(CODE.get() | 1),
            stack: Address::new(0x2020_8000),
            vector_table: Address::new(0x2020_A000),
            argument: 42,
        })
        .unwrap();
        assert!(cable.bench().transactions - before <= 34);
        assert_eq!(link.core_state().unwrap(), CoreState::Running);
        let bench = cable.bench();
        let registers = &bench.desk.registers;
        assert_eq!(registers[15], CODE.get());
        assert_eq!(
            (registers[17], registers[16], registers[20]),
            (0x2020_8000, 1 << 24, 1)
        );
        assert_eq!((registers[0], bench.desk.vtor), (42, 0x2020_A000));
    });
}

#[test]
fn the_final_reset_finds_the_debugger_gone_and_the_watch_armed() {
    let cable = bench("final");
    on("final", |link| {
        link.take_over().unwrap();
        link.start(Start {
            entry: CODE,
            stack: CODE,
            vector_table: CODE,
            argument: 0,
        })
        .unwrap();
        {
            let desk = &mut cable.bench().desk;
            desk.aircr = 0xFA05_0300;
            desk.gpr16 |= 4;
            desk.fp_ctrl = 1;
            desk.fp_comp = [0x6000_2001; 8];
            desk.function = [7, 7, 7, 7];
            desk.silent_after_reset = 30;
        }
        link.final_reset(Some(BootWatch {
            address: Address::new(0x6000_2301),
        }))
        .unwrap();
        let desk = &mut cable.bench().desk;
        let [dhcsr, demcr, aircr, gpr16, srsr] = desk.resets[1];
        assert_eq!(dhcsr, 0, "halting debug off before the reset");
        assert_eq!(demcr, 1 << 24, "no vector catch");
        assert_eq!(aircr, 0x05FA_0304, "PRIGROUP kept");
        assert_eq!((gpr16 & 4, srsr), (0, 0));
        assert_eq!((desk.fp_ctrl, desk.fp_comp), (0, [0; 8]));
        assert_eq!((desk.comp[1], desk.comp[2]), (0x6000_2300, 0x6000_2300));
        assert_eq!((desk.function[0], desk.function[3]), (0, 0));
    });
}

#[test]
fn the_watch_tells_whether_the_image_was_started() {
    let cable = bench("watch");
    on("watch", |link| {
        link.final_reset(Some(BootWatch {
            address: Address::new(0x6000_2301),
        }))
        .unwrap();
        assert_eq!(link.boot_watch().unwrap(), WatchState::Matched);
        let again = link.boot_watch().unwrap();
        assert_eq!(again, WatchState::Waiting, "asking clears it");
        let spare = link.spare_boot_watch().unwrap();
        assert_eq!(spare, WatchState::Matched, "the other one was not asked");
        link.final_reset(None).unwrap();
        assert_eq!(cable.bench().desk.demcr, 0);
        let off = link.boot_watch().unwrap();
        assert_eq!(off, WatchState::Taken, "it was not armed");
    });
}

#[test]
fn a_board_that_was_only_looked_at_runs_on_without_debugger() {
    let cable = bench("look");
    on("look", |link| {
        link.halt().unwrap();
        link.let_go().unwrap();
        assert_eq!(link.core_state().unwrap(), CoreState::Running);
        let bench = cable.bench();
        assert_eq!((bench.desk.dhcsr, bench.desk.demcr), (0, 0));
        assert!(bench.desk.resets.is_empty());
    });
}

#[test]
fn connecting_under_reset_pulses_the_pin_and_halts_at_once() {
    let cable = bench("under reset");
    let mut connection = open(&Choice {
        connect_under_reset: true,
        ..choice("under reset")
    })
    .unwrap();
    assert_eq!(cable.bench().desk.nreset, [true, false, true]);
    let mut link = connection.link(&chip()).unwrap();
    let link: &mut dyn Link = &mut link;
    assert_eq!(link.core_state().unwrap(), CoreState::Halted);
}
