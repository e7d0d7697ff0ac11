//! Bit-level promises, without probe-rs: requests built by hand from ADIv5 figures B4-1 to B4-7.

use virtual_board::swd::{BadContact, FlippedBit, IoItem, SwDp, WaitStorm};

use super::{Chip, RAM};

const OK: u32 = 0b001;
const WAIT: u32 = 0b010;
const FAULT: u32 = 0b100;
const NOTHING: u32 = 0b111;

const DPIDR: (bool, u8) = (false, 0x0);
const ABORT: (bool, u8) = (false, 0x0);
const CTRL: (bool, u8) = (false, 0x4);
const SELECT: (bool, u8) = (false, 0x8);
const RESEND: (bool, u8) = (false, 0x8);
const RDBUFF: (bool, u8) = (false, 0xC);
const CSW: (bool, u8) = (true, 0x0);
const TAR: (bool, u8) = (true, 0x4);
const DRW: (bool, u8) = (true, 0xC);

const POWER_UP: u32 = 0x5000_0000;
const POWERED: u32 = 0xF000_0000;
const ORUNDETECT: u32 = 1;
const STICKYORUN: u32 = 1 << 1;
const STICKYERR: u32 = 1 << 5;
const WDATAERR: u32 = 1 << 7;
const CLEAR_ALL: u32 = 0x1E;
const DAPABORT: u32 = 1;

const WORD_SINGLE: u32 = 0x2300_0012;
const BYTE_SINGLE: u32 = 0x2300_0010;
const BYTE_PACKED: u32 = 0x2300_0020;

struct Host {
    dp: SwDp,
    chip: Chip,
    data_phase_always: bool,
}

fn drive(bits: u64, count: u32) -> impl Iterator<Item = IoItem> {
    (0..count).map(move |n| IoItem::Drive((bits >> n) & 1 == 1))
}

fn request(register: (bool, u8), read: bool) -> u64 {
    let (ap, address) = register;
    let fields = u64::from(ap) | u64::from(read) << 1 | u64::from(address) >> 2 << 2;
    0x81 | fields << 1 | u64::from(fields.count_ones() % 2) << 5
}

impl Host {
    /// After the switch sequence, a line reset and the DPIDR read.
    fn connected() -> Self {
        let mut host = Host::new();
        host.switch_to_swd();
        host.line_reset();
        assert_eq!(host.read(DPIDR), (OK, 0x0BD1_1477));
        host
    }

    /// And powered up, with 32-bit accesses that increment.
    fn ready() -> Self {
        let mut host = Host::connected();
        assert_eq!(host.write(CTRL, POWER_UP), OK);
        assert_eq!(host.write(SELECT, 0), OK);
        assert_eq!(host.write(CSW, WORD_SINGLE), OK);
        host
    }

    fn new() -> Self {
        Host {
            dp: SwDp::new(),
            chip: Chip::new(),
            data_phase_always: false,
        }
    }

    fn io(&mut self, items: impl IntoIterator<Item = IoItem>) -> Vec<bool> {
        let items: Vec<IoItem> = items.into_iter().collect();
        let mut out = Vec::new();
        self.dp.io(&items, &mut self.chip, &mut out);
        out
    }

    fn switch_to_swd(&mut self) {
        self.io(drive(u64::MAX, 51));
        self.io(drive(0xE79E, 16));
    }

    fn line_reset(&mut self) {
        self.io(drive(u64::MAX, 51));
        self.io(drive(0, 3));
    }

    fn read(&mut self, register: (bool, u8)) -> (u32, u32) {
        let (ack, value, parity) = self.read_with_parity(register);
        if ack == OK {
            assert_eq!(parity, value.count_ones() % 2, "parity of {register:?}");
        }
        (ack, value)
    }

    fn read_with_parity(&mut self, register: (bool, u8)) -> (u32, u32, u32) {
        let mut levels = self.io(drive(request(register, true), 8).chain([IoItem::Sample; 3]));
        let ack = number(&levels.split_off(8));
        let mut value = (0, 0);
        if ack == OK || self.data_phase_always {
            let levels = self.io([IoItem::Sample; 33]);
            value = (number(&levels[..32]), number(&levels[32..]));
        }
        self.io([IoItem::Sample; 2]);
        (ack, value.0, value.1)
    }

    fn write(&mut self, register: (bool, u8), value: u32) -> u32 {
        self.write_with_parity(register, value, value.count_ones() % 2)
    }

    fn write_with_parity(&mut self, register: (bool, u8), value: u32, parity: u32) -> u32 {
        let mut levels = self.io(drive(request(register, false), 8).chain([IoItem::Sample; 5]));
        let ack = number(&levels.split_off(8)[..3]);
        if ack == OK || self.data_phase_always {
            self.io(drive(u64::from(value) | u64::from(parity) << 32, 33));
        }
        ack
    }

    fn ctrl_stat(&mut self) -> u32 {
        let (ack, value) = self.read(CTRL);
        assert_eq!(ack, OK, "CTRL/STAT is always readable");
        value
    }
}

fn number(levels: &[bool]) -> u32 {
    levels
        .iter()
        .rev()
        .fold(0, |value, level| value << 1 | u32::from(*level))
}

#[test]
fn the_port_is_silent_until_it_is_switched_to_swd_and_the_line_is_reset() {
    let mut host = Host::new();
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, NOTHING, "still JTAG");
    host.switch_to_swd();
    assert_eq!(host.read(DPIDR).0, NOTHING, "no line reset yet");
    host.line_reset();
    assert_eq!(host.read(DPIDR), (OK, 0x0BD1_1477));
    host.io(drive(u64::MAX, 51));
    host.io(drive(0xE73C, 16));
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, NOTHING, "back in JTAG");
}

#[test]
fn a_line_reset_needs_fifty_clocks_high_and_two_low() {
    let mut host = Host::connected();
    host.io(drive(0, 2));
    host.io(drive(u64::MAX, 49));
    host.io(drive(0, 3));
    assert_eq!(host.read(DPIDR).0, NOTHING, "49 clocks");
    host.io(drive(0, 2));
    host.io(drive(u64::MAX, 50));
    host.io(drive(0, 1));
    assert_eq!(host.read(DPIDR).0, NOTHING, "one idle clock");
    host.io(drive(0, 1));
    host.io(drive(u64::MAX, 50));
    host.io(drive(0, 2));
    assert_eq!(host.read(DPIDR).0, OK);
}

#[test]
fn dpidr_is_the_first_thing_to_read_after_a_line_reset() {
    let mut host = Host::connected();
    host.line_reset();
    assert_eq!(host.read(CTRL).0, NOTHING);
    assert_eq!(host.read(DPIDR).0, NOTHING, "only another line reset helps");
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, OK);
    assert_eq!(host.read(CTRL).0, OK);
}

#[test]
fn a_malformed_request_gets_no_answer_until_the_next_line_reset() {
    for broken in [0x20, 0x40, 0x80] {
        let mut host = Host::connected();
        let bits = request(DPIDR, true) ^ broken;
        let levels = host.io(drive(bits, 8).chain([IoItem::Sample; 3]));
        assert_eq!(number(&levels[8..]), NOTHING, "bit {broken:#x}");
        host.io(drive(0, 40));
        assert_eq!(host.read(DPIDR).0, NOTHING, "bit {broken:#x}");
        host.line_reset();
        assert_eq!(host.read(DPIDR).0, OK, "bit {broken:#x}");
    }
}

#[test]
fn a_transfer_takes_46_clocks_and_its_answer_stands_where_a_j_link_sees_it() {
    let mut host = Host::connected();
    let before = host.dp.counts().clocks;
    let levels = host.io(drive(request(DPIDR, true), 8).chain([IoItem::Sample; 38]));
    assert_eq!(host.dp.counts().clocks - before, 46);
    // The first ACK bit in the turnaround slot, so the data begin at index 11 and nobody drives the last two clocks.
    assert_eq!(number(&levels[8..11]), OK);
    assert_eq!(number(&levels[11..43]), 0x0BD1_1477);
    assert_eq!(
        number(&levels[43..46]),
        0b110 | (0x0BD1_1477_u32.count_ones() % 2)
    );
    assert_eq!(host.read(CTRL).0, OK, "the next request follows at once");
    assert_eq!(host.write(SELECT, 0xF0), OK);
    assert_eq!(host.read(CTRL).0, OK, "and after a write too");
}

#[test]
fn the_turnaround_can_be_made_longer() {
    let mut host = Host::connected();
    assert_eq!(host.write(SELECT, 1), OK);
    assert_eq!(host.write(CTRL, 2 << 8), OK, "DLCR.TURNROUND = 3 clocks");
    let levels = host.io(drive(request(DPIDR, true), 8).chain([IoItem::Sample; 2 + 38 + 2]));
    assert_eq!(number(&levels[8..10]), 0b11, "undriven");
    assert_eq!(number(&levels[10..13]), OK);
    assert_eq!(number(&levels[13..45]), 0x0BD1_1477);
    let levels = host.io(drive(request(SELECT, false), 8).chain([IoItem::Sample; 9]));
    assert_eq!(number(&levels[10..13]), OK);
    host.io(drive(0, 33));
    host.line_reset();
    assert_eq!(
        host.read(DPIDR).0,
        OK,
        "a line reset makes it one clock again"
    );
    assert_eq!(host.read(CTRL).0, OK);
}

#[test]
fn power_is_acknowledged_only_when_asked_for_and_there() {
    let mut host = Host::connected();
    assert_eq!(host.ctrl_stat(), 0);
    assert_eq!(host.read(DRW).0, FAULT, "no access port before power-up");
    assert_eq!(host.ctrl_stat(), STICKYERR);
    assert_eq!(host.write(ABORT, CLEAR_ALL), OK);
    host.chip.powered = false;
    assert_eq!(host.write(CTRL, POWER_UP), OK);
    assert_eq!(host.ctrl_stat(), POWER_UP);
    host.chip.powered = true;
    assert_eq!(host.ctrl_stat(), POWERED);
}

#[test]
fn reads_of_the_access_port_come_one_transfer_late() {
    let mut host = Host::ready();
    host.chip.set_word(RAM, 0x1111_1111);
    host.chip.set_word(RAM + 4, 0x2222_2222);
    assert_eq!(host.write(TAR, RAM), OK);
    assert_eq!(host.read(DRW).0, OK);
    assert_eq!(host.read(DRW), (OK, 0x1111_1111));
    assert_eq!(
        host.read(RESEND),
        (OK, 0x1111_1111),
        "RESEND repeats what was sent"
    );
    assert_eq!(host.read(RDBUFF), (OK, 0x2222_2222));
    assert_eq!(host.read(RESEND), (OK, 0x2222_2222));
    assert_eq!(host.ctrl_stat(), POWERED | 1 << 6, "READOK");
}

#[test]
fn a_bus_error_is_sticky_until_abort_clears_it() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, 0x1000_0000), OK);
    assert_eq!(
        host.write(DRW, 1),
        OK,
        "the write is buffered, so its own answer is good"
    );
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert_eq!(host.write(SELECT, 0), FAULT);
    assert_eq!(host.read(DRW).0, FAULT);
    assert_eq!(host.read(DPIDR).0, OK);
    assert_eq!(host.ctrl_stat() & 0xFF, STICKYERR);
    assert_eq!(host.write(ABORT, CLEAR_ALL), OK);
    assert_eq!(host.read(TAR).0, OK);
    assert_eq!(
        host.read(RDBUFF),
        (OK, 0x1000_0000),
        "TAR does not move on an error"
    );
}

#[test]
fn a_write_with_wrong_parity_is_dropped_and_told() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM), OK);
    assert_eq!(host.write_with_parity(DRW, 7, 0), OK);
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert_eq!(host.ctrl_stat() & 0xBF, WDATAERR);
    assert_eq!(host.chip.word(RAM), 0);
    assert_eq!(host.write(ABORT, CLEAR_ALL), OK);
    assert_eq!(host.write(DRW, 7), OK);
    assert_eq!(host.chip.word(RAM), 7);
}

#[test]
fn a_sleeping_bus_makes_the_port_wait_until_it_wakes_or_is_aborted() {
    let mut host = Host::ready();
    host.chip.set_word(RAM, 0xABCD_0123);
    assert_eq!(host.write(TAR, RAM), OK);
    host.chip.asleep = 3;
    assert_eq!(host.read(DRW).0, OK);
    assert_eq!(host.read(RDBUFF).0, WAIT);
    assert_eq!(host.read(DPIDR).0, OK, "never waits");
    assert_eq!(host.ctrl_stat() & 0xFF, 0, "never waits, READOK is off");
    assert_eq!(host.read(RDBUFF).0, WAIT);
    assert_eq!(host.read(RDBUFF), (OK, 0xABCD_0123));
    host.chip.asleep = u32::MAX;
    assert_eq!(host.write(DRW, 5), OK);
    assert_eq!(host.write(SELECT, 0), WAIT);
    assert_eq!(host.write(ABORT, DAPABORT), OK);
    assert_eq!(host.write(SELECT, 0), OK);
    host.chip.asleep = 0;
    assert_eq!(host.read(RDBUFF).0, OK);
    assert_eq!(
        host.chip.word(RAM + 4),
        0,
        "the aborted write did not happen"
    );
}

#[test]
fn with_overrun_detection_every_answer_has_a_data_phase_and_the_first_wait_sticks() {
    let mut host = Host::ready();
    assert_eq!(host.write(CTRL, POWER_UP | ORUNDETECT), OK);
    host.data_phase_always = true;
    assert_eq!(host.write(TAR, RAM), OK);
    host.chip.asleep = 2;
    assert_eq!(host.write(DRW, 1), OK);
    assert_eq!(host.write(DRW, 2), WAIT);
    assert_eq!(host.write(DRW, 3), FAULT);
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert_eq!(host.ctrl_stat() & 0xBF, STICKYORUN | ORUNDETECT);
    assert_eq!(host.write(ABORT, CLEAR_ALL), OK);
    assert_eq!(host.write(DRW, 4), OK);
    assert_eq!((host.chip.word(RAM), host.chip.word(RAM + 4)), (1, 4));
}

#[test]
fn the_address_counts_within_one_kibibyte() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM + 0x3FC), OK);
    assert_eq!(host.write(DRW, 1), OK);
    assert_eq!(host.write(DRW, 2), OK);
    assert_eq!((host.chip.word(RAM + 0x3FC), host.chip.word(RAM)), (1, 2));
    assert_eq!(host.chip.word(RAM + 0x400), 0);
    assert_eq!(host.write(CSW, WORD_SINGLE & !0x10), OK);
    assert_eq!(host.write(TAR, RAM + 8), OK);
    assert_eq!(host.write(DRW, 3), OK);
    assert_eq!(host.write(DRW, 4), OK);
    assert_eq!(
        (host.chip.word(RAM + 8), host.chip.word(RAM + 12)),
        (4, 0),
        "no increment"
    );
}

#[test]
fn bytes_travel_in_the_lane_of_their_address() {
    let mut host = Host::ready();
    host.chip.set_word(RAM, 0x4433_2211);
    assert_eq!(host.write(CSW, BYTE_SINGLE), OK);
    assert_eq!(host.write(TAR, RAM + 1), OK);
    assert_eq!(host.read(DRW).0, OK);
    assert_eq!(host.read(DRW), (OK, 0x0000_2200));
    assert_eq!(host.read(RDBUFF), (OK, 0x0033_0000));
    assert_eq!(host.write(DRW, 0x9900_0000), OK);
    assert_eq!(host.chip.word(RAM), 0x9933_2211);
    assert_eq!(host.write(CSW, BYTE_PACKED), OK);
    assert_eq!(host.write(TAR, RAM), OK);
    assert_eq!(host.write(DRW, 0x8877_6655), OK);
    assert_eq!(host.chip.word(RAM), 0x8877_6655);
    assert_eq!(host.read(TAR).0, OK);
    assert_eq!(host.read(RDBUFF), (OK, RAM + 4));
}

#[test]
fn unaligned_and_oversized_accesses_fault_instead_of_guessing() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM + 2), OK);
    assert_eq!(host.write(DRW, 1), OK);
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert_eq!(host.write(ABORT, CLEAR_ALL), OK);
    assert_eq!(host.write(CSW, 0x2300_0013), OK, "64 bits");
    assert_eq!(host.write(TAR, RAM), OK);
    assert_eq!(host.write(DRW, 1), OK);
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert!(host.chip.accesses.is_empty());
}

#[test]
fn the_banked_data_registers_reach_four_words_around_the_address() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM + 0x20), OK);
    assert_eq!(host.write(SELECT, 0x10), OK);
    for bank in 0..4_u8 {
        assert_eq!(host.write((true, bank * 4), u32::from(bank) + 1), OK);
    }
    for bank in 0..4 {
        assert_eq!(host.chip.word(RAM + 0x20 + bank * 4), bank + 1);
    }
    assert_eq!(host.read((true, 8)).0, OK);
    assert_eq!(host.read(RDBUFF), (OK, 3));
}

#[test]
fn there_is_one_access_port() {
    let mut host = Host::ready();
    for (ap, idr) in [(0, 0x0477_0041), (1, 0), (255, 0)] {
        assert_eq!(host.write(SELECT, ap << 24 | 0xF0), OK);
        assert_eq!(host.read((true, 0xC)).0, OK);
        assert_eq!(host.read(RDBUFF), (OK, idr), "AP {ap}");
    }
}

#[test]
fn a_closed_port_and_a_cut_cable_give_no_answer_at_all() {
    let mut host = Host::connected();
    host.chip.open = false;
    assert_eq!(host.read(CTRL).0, NOTHING);

    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM), OK);
    host.dp.faults_mut().cable_cut_at = Some(host.dp.counts().transfers + 1);
    assert_eq!(host.write(DRW, 1), OK);
    assert_eq!(host.write(DRW, 2), NOTHING);
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, NOTHING);
    assert_eq!((host.chip.word(RAM), host.chip.word(RAM + 4)), (1, 0));
    host.dp.faults_mut().cable_cut_at = None;
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, OK, "plugged in again");
}

#[test]
fn a_cable_cut_inside_the_data_writes_nothing() {
    for clock in 0..46 {
        let mut host = Host::ready();
        assert_eq!(host.write(TAR, RAM), OK);
        host.dp.faults_mut().cable_cut_at_clock = Some(host.dp.counts().clocks + clock);
        host.data_phase_always = true;
        host.write(DRW, 0xFFFF_FFFF);
        assert_eq!(host.chip.word(RAM), 0, "clock {clock}");
    }
}

#[test]
fn a_storm_of_waits_spares_what_never_waits() {
    let mut host = Host::ready();
    host.dp.faults_mut().wait_storm = Some(WaitStorm {
        from: host.dp.counts().transfers,
        transfers: 4,
    });
    assert_eq!(host.read(RDBUFF).0, WAIT);
    assert_eq!(host.read(DPIDR).0, OK);
    assert_eq!(host.read(CTRL).0, OK);
    assert_eq!(host.write(TAR, RAM), WAIT);
    assert_eq!(host.write(TAR, RAM), OK);
    assert_eq!(host.dp.counts().waits, 2);
}

#[test]
fn a_flipped_bit_breaks_the_parity() {
    for bit in [0, 17, 31, 32] {
        let mut host = Host::connected();
        let transfer = host.dp.counts().transfers;
        host.dp
            .faults_mut()
            .flipped_bits
            .push(FlippedBit { transfer, bit });
        let (ack, value, parity) = host.read_with_parity(DPIDR);
        assert_eq!(ack, OK);
        assert_ne!(parity, value.count_ones() % 2, "bit {bit}");
        assert_eq!(host.read(DPIDR), (OK, 0x0BD1_1477));
    }
}

#[test]
fn a_bit_flipped_on_the_way_to_the_target_is_dropped_and_told() {
    let mut host = Host::ready();
    assert_eq!(host.write(TAR, RAM), OK);
    let transfer = host.dp.counts().transfers;
    host.dp
        .faults_mut()
        .flipped_bits
        .push(FlippedBit { transfer, bit: 5 });
    assert_eq!(host.write(DRW, 7), OK);
    assert_eq!(host.read(RDBUFF).0, FAULT);
    assert_eq!(host.ctrl_stat() & 0xBF, WDATAERR);
    assert_eq!(host.chip.word(RAM), 0);
}

/// What 2000 reads and writes at `khz` over a contact that is good up to 2 MHz meet: wrong acknowledges, reads with wrong
/// parity, writes told by WDATAERR, wrong values that nothing tells.
fn met(khz: u32, seed: u64) -> [u32; 4] {
    let mut host = Host::ready();
    host.dp.faults_mut().bad_contact = Some(BadContact {
        good_khz: 2000,
        seed,
    });
    host.dp.set_swclk_khz(khz);
    let [mut acks, mut parities, mut data_errors, mut unseen] = [0; 4];
    for _ in 0..2000 {
        let (ack, value, parity) = host.read_with_parity(DPIDR);
        match (ack == OK, parity == value.count_ones() % 2) {
            (false, _) => {
                acks += 1;
                host.line_reset();
            }
            (true, false) => parities += 1,
            (true, true) if value != 0x0BD1_1477 => unseen += 1,
            (true, true) => {}
        }
    }
    for _ in 0..2000 {
        // at a clock that is good the host looks what the disturbed write did
        host.dp.set_swclk_khz(2000);
        host.line_reset();
        host.read(DPIDR);
        host.write(ABORT, CLEAR_ALL);
        host.dp.set_swclk_khz(khz);
        acks += u32::from(host.write(SELECT, 0) != OK);
        host.dp.set_swclk_khz(2000);
        host.line_reset();
        host.read(DPIDR);
        data_errors += u32::from(host.ctrl_stat() & WDATAERR != 0);
    }
    [acks, parities, data_errors, unseen]
}

#[test]
fn a_bad_contact_disturbs_both_ways_above_its_clock_and_never_below() {
    assert_eq!(met(2000, 1), [0; 4]);
    let [acks, parities, data_errors, unseen] = met(2001, 1);
    // one transfer in 32: about 31 of 4000 in the acknowledge, 41 of 2000 each way by one bit, 6 by two
    assert!((15..60).contains(&acks), "{acks}");
    assert!((20..70).contains(&parities), "{parities}");
    assert!((20..90).contains(&data_errors), "{data_errors}");
    assert!((1..20).contains(&unseen), "{unseen}");
}

#[test]
fn a_bad_contact_is_the_same_for_the_same_seed_and_another_for_another() {
    assert_eq!(met(15_000, 7), met(15_000, 7));
    assert_ne!(met(15_000, 7), met(15_000, 8));
}

#[test]
fn a_power_cycle_forgets_everything() {
    let mut host = Host::ready();
    host.dp.power_on();
    assert_eq!(host.read(DPIDR).0, NOTHING);
    host.switch_to_swd();
    host.line_reset();
    assert_eq!(host.read(DPIDR).0, OK);
    assert_eq!(host.ctrl_stat(), 0);
}
