//! Packet-level promises of the CMSIS-DAP firmware: packets by hand from Arm's CMSIS-DAP documentation.

use std::time::Duration;

use virtual_board::probe::cmsis_dap::{Firmware, Refusal};
use virtual_board::probe::{CMSIS_DAP_V1, CMSIS_DAP_V2_HS, Interface, Packets, Profile};
use virtual_board::swd::{FlippedBit, WaitStorm};

use super::{Desk, RAM};

/// Clocks of a transfer with data.
const TRANSFER: u64 = 46;

const WRITE_ABORT: u8 = 0x00;
const WRITE_CSW: u8 = 0x01;
const READ_DPIDR: u8 = 0x02;
const WRITE_CTRL: u8 = 0x04;
const WRITE_TAR: u8 = 0x05;
const READ_CTRL: u8 = 0x06;
const WRITE_SELECT: u8 = 0x08;
const WRITE_DRW: u8 = 0x0D;
const READ_DRW: u8 = 0x0F;
const READ_RDBUFF: u8 = 0x0E;
const MATCH: u8 = 0x10;
const WRITE_MASK: u8 = 0x20;

const OK: u8 = 1;
const WAIT: u8 = 2;
const FAULT: u8 = 4;
const NO_ACK: u8 = 7;
const PROTOCOL_ERROR: u8 = 8;
const MISMATCH: u8 = 0x11;

struct Probe {
    firmware: Firmware,
    desk: Desk,
}

fn packets(profile: &Profile) -> Packets {
    match profile.interface {
        Interface::CmsisDap(packets) => packets,
        Interface::RawBits { .. } => panic!("{} takes no packets", profile.name),
    }
}

impl Probe {
    fn new(profile: &Profile) -> Self {
        Probe {
            firmware: Firmware::new(packets(profile), profile.max_khz),
            desk: Desk::new(),
        }
    }

    /// Connected, the port switched to SWD, the line reset, DPIDR read.
    fn connected() -> Self {
        let mut probe = Probe::new(&CMSIS_DAP_V2_HS);
        assert_eq!(probe.send(&[0x02, 1]), [0x02, 1]);
        let high = [0x12, 51, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
        assert_eq!(probe.send(&high), [0x12, 0]);
        assert_eq!(probe.send(&[0x12, 16, 0x9E, 0xE7]), [0x12, 0]);
        probe.line_reset();
        let response = probe.send(&[0x05, 0, 1, READ_DPIDR]);
        assert_eq!(response, [0x05, 1, OK, 0x77, 0x14, 0xD1, 0x0B]);
        probe
    }

    /// And powered up, with 32-bit accesses that increment.
    fn ready() -> Self {
        let mut probe = Probe::connected();
        let response = probe.transfer(&[
            (WRITE_CTRL, Some(0x5000_0000)),
            (WRITE_SELECT, Some(0)),
            (WRITE_CSW, Some(0x2300_0012)),
        ]);
        assert_eq!(response, (3, OK, vec![]));
        probe
    }

    /// 51 clocks high, 5 low.
    fn line_reset(&mut self) {
        let sequence = [0x12, 56, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
        assert_eq!(self.send(&sequence), [0x12, 0]);
    }

    fn send(&mut self, packet: &[u8]) -> Vec<u8> {
        self.firmware.execute(packet, &mut self.desk).unwrap()
    }

    fn refusal(&mut self, packet: &[u8]) -> Refusal {
        let before = self.clocks();
        let refusal = self.firmware.execute(packet, &mut self.desk).unwrap_err();
        assert_eq!(self.clocks(), before, "nothing moved");
        refusal
    }

    fn transfer(&mut self, requests: &[(u8, Option<u32>)]) -> (u8, u8, Vec<u32>) {
        let response = self.send(&transfer_packet(requests));
        assert_eq!(response[0], 0x05);
        (response[1], response[2], words(&response[3..]))
    }

    fn read_block(&mut self, count: u16) -> (u16, u8, Vec<u32>) {
        let mut packet = vec![0x06, 0];
        packet.extend(count.to_le_bytes());
        packet.push(READ_DRW);
        self.block(&packet)
    }

    fn write_block(&mut self, words: &[u32]) -> (u16, u8, Vec<u32>) {
        let mut packet = vec![0x06, 0];
        packet.extend((words.len() as u16).to_le_bytes());
        packet.push(WRITE_DRW);
        packet.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.block(&packet)
    }

    fn block(&mut self, packet: &[u8]) -> (u16, u8, Vec<u32>) {
        let response = self.send(packet);
        assert_eq!(response[0], 0x06);
        let count = u16::from_le_bytes([response[1], response[2]]);
        (count, response[3], words(&response[4..]))
    }

    fn set_address(&mut self, address: u32) {
        assert_eq!(
            self.transfer(&[(WRITE_TAR, Some(address))]),
            (1, OK, vec![])
        );
    }

    fn clocks(&self) -> u64 {
        self.desk.dp.counts().clocks
    }

    fn transfers(&self) -> u64 {
        self.desk.dp.counts().transfers
    }

    /// The sticky bits of CTRL/STAT are cleared.
    fn clear(&mut self) {
        assert_eq!(self.send(&[0x08, 0, 0x1E, 0, 0, 0]), [0x08, 0]);
    }
}

fn transfer_packet(requests: &[(u8, Option<u32>)]) -> Vec<u8> {
    let mut packet = vec![0x05, 0, requests.len() as u8];
    for (bits, data) in requests {
        packet.push(*bits);
        packet.extend(data.iter().flat_map(|word| word.to_le_bytes()));
    }
    packet
}

fn words(bytes: &[u8]) -> Vec<u32> {
    assert_eq!(bytes.len() % 4, 0, "{bytes:02x?}");
    bytes
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn a_command_that_is_not_implemented_is_answered_with_ff() {
    let mut probe = Probe::connected();
    for command in [0x07, 0x0B, 0x14, 0x16, 0x17, 0x7E, 0x7F, 0x80, 0xFE, 0xFF] {
        assert_eq!(probe.send(&[command, 0, 0]), [0xFF], "{command:#x}");
    }
}

#[test]
fn info_tells_what_the_probe_is() {
    let mut probe = Probe::new(&CMSIS_DAP_V2_HS);
    assert_eq!(probe.send(&[0, 0xF0]), [0, 2, 0x01, 0x00], "SWD only");
    assert_eq!(probe.send(&[0, 0xFE]), [0, 1, 1], "packet count");
    assert_eq!(probe.send(&[0, 0xFF]), [0, 2, 0x00, 0x02], "512 bytes");
    assert_eq!(probe.send(&[0, 0x04]), b"\x00\x062.1.1\0");
    assert_eq!(probe.send(&[0, 0x42]), [0, 0], "no such information");
}

#[test]
fn packets_of_version_1_are_whole_reports() {
    let mut probe = Probe::new(&CMSIS_DAP_V1);
    let mut report = [0; 64];
    report[1] = 0xFF;
    let response = probe.send(&report);
    assert_eq!(response.len(), 64);
    assert_eq!(response[..5], [0, 2, 64, 0, 0]);
    assert_eq!(probe.send(&[0x7F]).len(), 64);
}

#[test]
fn only_swd_can_be_connected() {
    let mut probe = Probe::new(&CMSIS_DAP_V2_HS);
    assert_eq!(probe.send(&[0x02, 2]), [0x02, 0], "JTAG");
    assert_eq!(probe.send(&[0x02, 0]), [0x02, 1], "the default");
    assert_eq!(probe.send(&[0x02, 1]), [0x02, 1]);
    assert_eq!(probe.send(&[0x03]), [0x03, 0]);
}

#[test]
fn before_a_connect_no_pin_moves() {
    let mut probe = Probe::new(&CMSIS_DAP_V2_HS);
    assert_eq!(probe.send(&[0x12, 8, 0xFF]), [0x12, 0]);
    assert_eq!(probe.send(&[0x05, 0, 1, READ_DPIDR]), [0x05, 0, 0]);
    assert_eq!(probe.send(&[0x06, 0, 1, 0, READ_DPIDR]), [0x06, 0, 0, 0]);
    assert_eq!(probe.send(&[0x08, 0, 0, 0, 0, 0]), [0x08, 0xFF]);
    assert_eq!(probe.send(&[0x1D, 1, 8, 0xA5]), [0x1D, 0]);
    probe.send(&[0x10, 0x00, 0x80, 0, 0, 0, 0]);
    assert!(probe.desk.chip.nreset);
    assert_eq!(probe.clocks(), 0);
}

#[test]
fn a_disconnect_lets_the_pins_go() {
    let mut probe = Probe::connected();
    probe.send(&[0x10, 0x00, 0x80, 0, 0, 0, 0]);
    assert!(!probe.desk.chip.nreset);
    probe.send(&[0x03]);
    assert!(probe.desk.chip.nreset);
    assert_eq!(probe.send(&[0x05, 0, 1, READ_DPIDR]), [0x05, 0, 0]);
}

#[test]
fn a_transfer_takes_46_clocks() {
    let mut probe = Probe::connected();
    let before = probe.clocks();
    probe.transfer(&[(READ_CTRL, None)]);
    assert_eq!(probe.clocks() - before, TRANSFER);
}

#[test]
fn a_write_is_checked_with_rdbuff_once_at_the_end() {
    let mut probe = Probe::ready();
    let before = (probe.transfers(), probe.clocks());
    let done = probe.transfer(&[
        (WRITE_TAR, Some(RAM)),
        (WRITE_DRW, Some(0x1111_1111)),
        (WRITE_DRW, Some(0x2222_2222)),
    ]);
    assert_eq!(done, (3, OK, vec![]));
    assert_eq!(probe.transfers() - before.0, 4);
    assert_eq!(probe.clocks() - before.1, 4 * TRANSFER);
    assert_eq!(probe.desk.chip.word(RAM), 0x1111_1111);
    assert_eq!(probe.desk.chip.word(RAM + 4), 0x2222_2222);
}

#[test]
fn reads_of_the_access_port_are_posted_and_their_data_comes_in_order() {
    let mut probe = Probe::ready();
    for n in 0..3 {
        probe.desk.chip.set_word(RAM + 4 * n, 0x1000 + n);
    }
    let before = probe.transfers();
    let done = probe.transfer(&[
        (WRITE_TAR, Some(RAM)),
        (READ_DRW, None),
        (READ_DRW, None),
        (READ_DRW, None),
    ]);
    assert_eq!(done, (4, OK, vec![0x1000, 0x1001, 0x1002]));
    assert_eq!(
        probe.transfers() - before,
        5,
        "one RDBUFF read after the last"
    );
    probe.set_address(RAM);
    let before = probe.transfers();
    let (count, response, data) = probe.transfer(&[
        (READ_DRW, None),
        (READ_CTRL, None),
        (READ_DRW, None),
        (WRITE_TAR, Some(RAM)),
        (READ_RDBUFF, None),
    ]);
    assert_eq!((count, response), (5, OK));
    assert_eq!((data[0], data[2]), (0x1000, 0x1001));
    assert_eq!(data[1] & 0xF000_0000, 0xF000_0000, "CTRL/STAT");
    assert_eq!(
        probe.transfers() - before,
        7,
        "RDBUFF before what is no AP read"
    );
}

#[test]
fn blocks_are_read_and_written_word_after_word() {
    let mut probe = Probe::ready();
    let words: Vec<u32> = (0..126).map(|n| n * 0x0101_0101).collect();
    probe.set_address(RAM);
    let before = probe.clocks();
    assert_eq!(probe.write_block(&words), (126, OK, vec![]));
    assert_eq!(
        probe.clocks() - before,
        127 * TRANSFER,
        "checked with RDBUFF"
    );
    probe.set_address(RAM);
    let before = probe.clocks();
    assert_eq!(probe.read_block(126), (126, OK, words));
    assert_eq!(
        probe.clocks() - before,
        127 * TRANSFER,
        "the first one posts"
    );
    assert_eq!(probe.read_block(0), (0, 0, vec![]));
    assert_eq!(probe.write_block(&[]), (0, 0, vec![]));
}

#[test]
fn a_bus_error_stops_a_block_and_the_count_says_where() {
    let mut probe = Probe::ready();
    probe.desk.chip.ram.truncate(0x108);
    probe.set_address(RAM + 0x100);
    let before = probe.transfers();
    let done = probe.write_block(&[1, 2, 3, 4, 5]);
    // The third word is the first beyond RAM; the port takes it and tells with the fourth.
    assert_eq!(done, (3, FAULT, vec![]));
    assert_eq!(probe.transfers() - before, 4, "and nothing more");
    assert_eq!(probe.desk.chip.word(RAM + 0x104), 2);
    assert_eq!(
        probe.transfer(&[(WRITE_TAR, Some(RAM))]),
        (0, FAULT, vec![])
    );
    probe.clear();
    probe.set_address(RAM + 0x100);
    assert_eq!(probe.read_block(5), (2, FAULT, vec![1, 2]));
}

#[test]
fn a_bus_error_of_the_last_write_is_found_by_the_check() {
    let mut probe = Probe::ready();
    let done = probe.transfer(&[(WRITE_TAR, Some(0x1000_0000)), (WRITE_DRW, Some(1))]);
    assert_eq!(done, (2, FAULT, vec![]));
    let (count, response, data) = probe.transfer(&[(READ_CTRL, None)]);
    assert_eq!((count, response), (1, OK));
    assert_eq!(data[0] & 0xFF, 1 << 5, "STICKYERR");
    let done = probe.transfer(&[(WRITE_ABORT, Some(0x1E)), (WRITE_TAR, Some(RAM))]);
    assert_eq!(done, (2, OK, vec![]));
}

#[test]
fn wait_is_tried_again_as_often_as_configured_and_then_told() {
    let mut probe = Probe::ready();
    probe.desk.chip.set_word(RAM, 0xCAFE_F00D);
    assert_eq!(probe.send(&[0x04, 0, 3, 0, 0, 0]), [0x04, 0]);
    probe.set_address(RAM);
    probe.desk.chip.asleep = 4;
    let done = probe.transfer(&[(READ_DRW, None)]);
    assert_eq!(done, (1, OK, vec![0xCAFE_F00D]));
    assert_eq!(probe.desk.dp.counts().waits, 3);

    probe.set_address(RAM);
    probe.desk.chip.asleep = u32::MAX;
    let before = probe.clocks();
    assert_eq!(probe.transfer(&[(READ_DRW, None)]), (1, WAIT, vec![]));
    assert_eq!(
        probe.desk.dp.counts().waits,
        7,
        "the first try and three more"
    );
    assert_eq!(
        probe.clocks() - before,
        TRANSFER + 4 * 13,
        "no data phase after WAIT"
    );
    assert_eq!(probe.send(&[0x08, 0, 1, 0, 0, 0]), [0x08, 0], "DAPABORT");
    probe.desk.chip.asleep = 0;
    probe.set_address(RAM);
    assert_eq!(probe.read_block(1), (1, OK, vec![0xCAFE_F00D]));
}

#[test]
fn waits_within_a_block_cost_clocks_and_no_words() {
    let mut probe = Probe::ready();
    probe.set_address(RAM);
    let from = probe.transfers() + 5;
    probe.desk.dp.faults_mut().wait_storm = Some(WaitStorm { from, transfers: 9 });
    let words: Vec<u32> = (100..120).collect();
    let before = probe.clocks();
    assert_eq!(probe.write_block(&words), (20, OK, vec![]));
    assert_eq!(probe.clocks() - before, 21 * TRANSFER + 9 * 13);
    probe.set_address(RAM);
    assert_eq!(probe.read_block(20).2, words);
}

#[test]
fn with_a_data_phase_after_every_answer_overrun_detection_works() {
    let mut probe = Probe::ready();
    assert_eq!(probe.send(&[0x13, 0x04]), [0x13, 0]);
    let control = 0x5000_0001;
    assert_eq!(
        probe.transfer(&[(WRITE_CTRL, Some(control))]),
        (1, OK, vec![])
    );
    probe.set_address(RAM);
    let from = probe.transfers();
    probe.desk.dp.faults_mut().wait_storm = Some(WaitStorm { from, transfers: 1 });
    let before = probe.clocks();
    // The retry finds STICKYORUN set by the WAIT.
    assert_eq!(probe.write_block(&[1]), (0, FAULT, vec![]));
    assert_eq!(probe.clocks() - before, 2 * TRANSFER);
    probe.clear();
    assert_eq!(probe.write_block(&[7]), (1, OK, vec![]));
    assert_eq!(probe.desk.chip.word(RAM), 7);
}

#[test]
fn no_answer_is_told_as_such() {
    let mut probe = Probe::connected();
    probe.desk.dp.faults_mut().closed_port = true;
    let before = probe.clocks();
    assert_eq!(probe.transfer(&[(READ_DPIDR, None)]), (0, NO_ACK, vec![]));
    assert_eq!(
        probe.clocks() - before,
        TRANSFER,
        "the data phase is clocked all the same"
    );
}

#[test]
fn a_read_with_wrong_parity_is_a_protocol_error_without_data() {
    let mut probe = Probe::connected();
    let transfer = probe.transfers();
    probe.desk.dp.faults_mut().flipped_bits = vec![FlippedBit { transfer, bit: 12 }];
    let done = probe.transfer(&[(READ_DPIDR, None)]);
    assert_eq!(done, (0, PROTOCOL_ERROR, vec![]));
    let done = probe.transfer(&[(READ_DPIDR, None)]);
    assert_eq!(done, (1, OK, vec![0x0BD1_1477]));
}

#[test]
fn a_register_is_read_until_its_value_matches() {
    let mut probe = Probe::ready();
    // READOK stands after the RDBUFF read that ended the last command
    let found = probe.transfer(&[
        (WRITE_MASK, Some(0xF000_0000)),
        (READ_CTRL | MATCH, Some(0xF000_0000)),
    ]);
    assert_eq!(found, (2, OK, vec![]), "no data of a match");
    assert_eq!(probe.send(&[0x04, 0, 100, 0, 5, 0]), [0x04, 0]);
    let before = probe.transfers();
    let missed = probe.transfer(&[(READ_CTRL | MATCH, Some(0x1000_0000)), (READ_DPIDR, None)]);
    assert_eq!(missed, (0, MISMATCH, vec![]));
    assert_eq!(
        probe.transfers() - before,
        6,
        "the first try and five more, nothing after"
    );
    probe.desk.chip.set_word(RAM, 0xA5A5_0000);
    let port = probe.transfer(&[
        (WRITE_TAR, Some(RAM)),
        (WRITE_CSW, Some(0x2300_0002)),
        (WRITE_MASK, Some(0xFFFF_0000)),
        (READ_DRW | MATCH, Some(0xA5A5_0000)),
    ]);
    assert_eq!(port, (4, OK, vec![]));
}

#[test]
fn idle_cycles_and_a_longer_turnaround_are_driven() {
    let mut probe = Probe::ready();
    assert_eq!(probe.send(&[0x04, 8, 100, 0, 0, 0]), [0x04, 0]);
    let before = probe.clocks();
    probe.transfer(&[(READ_CTRL, None)]);
    assert_eq!(probe.clocks() - before, TRANSFER + 8);
    // DLCR.TURNROUND: three clocks. By hand, for a DAP_Transfer would check the write with the turnaround of before.
    probe.transfer(&[(WRITE_SELECT, Some(1))]);
    let written = probe.send(&[
        0x1D, 3, 0x08, 0xA9, 0x85, 0x21, 0x00, 0x02, 0x00, 0x00, 0x01,
    ]);
    assert_eq!(written[2] >> 1 & 0b111, OK);
    assert_eq!(probe.send(&[0x13, 0x02]), [0x13, 0]);
    let done = probe.transfer(&[(READ_DPIDR, None), (WRITE_SELECT, Some(0))]);
    assert_eq!(done, (2, OK, vec![0x0BD1_1477]));
}

#[test]
fn a_sequence_by_hand_reads_dpidr() {
    let mut probe = Probe::connected();
    let response = probe.send(&[0x1D, 5, 0x08, 0xA5, 0x81, 0x83, 0xA0, 0x82]);
    assert_eq!(response.len(), 2 + 1 + 1 + 4 + 1);
    assert_eq!(response[..2], [0x1D, 0]);
    assert_eq!(response[3], OK);
    assert_eq!(response[4..8], 0x0BD1_1477_u32.to_le_bytes());
    assert_eq!(
        u32::from(response[8] & 1),
        0x0BD1_1477_u32.count_ones() % 2,
        "parity"
    );
    assert_eq!(probe.transfer(&[(READ_CTRL, None)]).1, OK);
}

#[test]
fn the_clock_is_what_was_asked_for_up_to_the_probe_s_fastest() {
    let mut probe = Probe::new(&CMSIS_DAP_V1);
    assert_eq!(probe.send(&[0x11, 0, 0, 0, 0])[..2], [0x11, 0xFF]);
    assert_eq!(probe.desk.khz, 0);
    assert_eq!(probe.send(&[0x11, 0x40, 0x42, 0x0F, 0])[..2], [0x11, 0]);
    assert_eq!(probe.desk.khz, 1_000);
    let hertz = 15_000_000_u32.to_le_bytes();
    let packet = [&[0x11], hertz.as_slice()].concat();
    assert_eq!(probe.send(&packet)[..2], [0x11, 0]);
    assert_eq!(probe.desk.khz, 2_000);
}

#[test]
fn the_reset_pin_is_driven_and_read_back() {
    let mut probe = Probe::connected();
    let low = probe.send(&[0x10, 0x00, 0x80, 0x10, 0x27, 0, 0]);
    assert_eq!(low, [0x10, 0x03]);
    assert!(!probe.desk.chip.nreset);
    let high = probe.send(&[0x10, 0x80, 0x80, 0, 0, 0, 0]);
    assert_eq!(high, [0x10, 0x83]);
    assert!(probe.desk.chip.nreset);
}

#[test]
fn a_clock_made_by_hand_reaches_the_target() {
    let mut probe = Probe::connected();
    let before = probe.clocks();
    assert_eq!(probe.send(&[0x10, 0, 0x03, 0, 0, 0, 0]), [0x10, 0x80]);
    assert_eq!(probe.clocks(), before, "the falling edge does nothing");
    assert_eq!(probe.send(&[0x10, 1, 0x01, 0, 0, 0, 0]), [0x10, 0x81]);
    assert_eq!(probe.clocks(), before + 1);
}

#[test]
fn the_small_commands_answer_as_documented() {
    let mut probe = Probe::connected();
    assert_eq!(probe.send(&[0x01, 0, 1]), [0x01, 0]);
    assert_eq!(probe.send(&[0x01, 1, 0]), [0x01, 0]);
    assert_eq!(probe.send(&[0x01, 2, 0]), [0x01, 0xFF]);
    assert_eq!(probe.send(&[0x0A]), [0x0A, 0, 0], "no device's sequence");
    assert_eq!(probe.send(&[0x09, 0xE8, 0x03]), [0x09, 0]);
    assert_eq!(probe.desk.delayed, Duration::from_millis(1));
}

#[test]
fn a_packet_longer_than_the_packet_size_is_refused() {
    for profile in [CMSIS_DAP_V1, CMSIS_DAP_V2_HS] {
        let limit = packets(&profile).bytes;
        let mut probe = Probe::new(&profile);
        probe.send(&[0x02, 1]);
        let mut packet = vec![0; limit];
        assert_eq!(probe.send(&packet)[0], 0, "{limit} bytes fit");
        packet.push(0);
        let bytes = limit + 1;
        assert_eq!(probe.refusal(&packet), Refusal::TooLong { bytes, limit });
    }
}

#[test]
fn a_response_longer_than_the_packet_size_is_refused_before_anything_moves() {
    let mut probe = Probe::ready();
    probe.set_address(RAM);
    assert_eq!(probe.read_block(127).0, 127, "512 bytes fit");
    let refused = Refusal::ResponseTooLong {
        bytes: 516,
        limit: 512,
    };
    assert_eq!(probe.refusal(&[0x06, 0, 128, 0, READ_DRW]), refused);
    let requests = [(READ_CTRL, None); 128];
    let packet = transfer_packet(&requests);
    let refused = Refusal::ResponseTooLong {
        bytes: 515,
        limit: 512,
    };
    assert_eq!(probe.refusal(&packet), refused);
    let sequences = [[0x1D, 64].as_slice(), &[0x80; 64]].concat();
    let refused = Refusal::ResponseTooLong {
        bytes: 514,
        limit: 512,
    };
    assert_eq!(probe.refusal(&sequences), refused);
}

#[test]
fn a_packet_that_ends_within_its_command_is_refused() {
    let mut probe = Probe::ready();
    for cut in [
        &[0x00_u8][..],
        &[0x01, 0],
        &[0x02],
        &[0x04, 0, 0, 0, 0],
        &[0x05, 0, 1],
        &[0x05, 0, 2, READ_CTRL],
        &[0x05, 0, 1, WRITE_TAR, 0, 0, 0],
        &[0x06, 0, 2, 0, WRITE_DRW, 1, 2, 3, 4, 5],
        &[0x08, 0, 0, 0, 0],
        &[0x09, 1],
        &[0x10, 0, 0x80, 0, 0, 0],
        &[0x11, 0, 0, 0],
        &[0x12, 9, 0xFF],
        &[0x12, 0, 0xFF],
        &[0x13],
        &[0x1D, 1, 16, 0],
    ] {
        let command = cut[0];
        assert_eq!(probe.refusal(cut), Refusal::Cut { command }, "{cut:02x?}");
    }
    assert_eq!(probe.refusal(&[]), Refusal::Cut { command: 0xFF });
}
