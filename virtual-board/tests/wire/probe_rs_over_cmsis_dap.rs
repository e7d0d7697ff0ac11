//! Stock probe-rs 0.32 over the CMSIS-DAP probes: the packets that its own driver would send, and what comes of them.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use probe_rs::architecture::arm::dp::{Ctrl, DpRegister};
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::architecture::arm::{ArmDebugInterface, FullyQualifiedApAddress};
use probe_rs::probe::list::Lister;
use probe_rs::probe::{DebugProbeSelector, Probe, WireProtocol};
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::Part;
use virtual_board::probe::cmsis_dap::Firmware;
use virtual_board::probe::{
    self, CMSIS_DAP_V1, CMSIS_DAP_V2_HS, Interface, Profile, Wire, WireError,
};
use virtual_board::swd::{FlippedBit, IoItem, WaitStorm};

use super::{Desk, RAM};

const AP: FullyQualifiedApAddress = FullyQualifiedApAddress::v1_with_default_dp(0);
const BOTH: [Profile; 2] = [CMSIS_DAP_V1, CMSIS_DAP_V2_HS];

struct Bench {
    firmware: Firmware,
    desk: Desk,
    plugged: bool,
    /// Listed, and no packet arrives.
    deaf: bool,
    /// Every command packet, its filling cut off.
    sent: Vec<Vec<u8>>,
    /// Bytes of every command packet.
    lengths: Vec<usize>,
}

#[derive(Clone)]
struct Cable(Arc<Mutex<Bench>>);

impl Cable {
    fn bench(&self) -> MutexGuard<'_, Bench> {
        self.0.lock().unwrap()
    }

    /// Command IDs since the last look.
    fn commands(&self) -> Vec<u8> {
        let sent = std::mem::take(&mut self.bench().sent);
        sent.iter().map(|packet| packet[0]).collect()
    }
}

impl Wire for Cable {
    fn set_profile(&mut self, _profile: &Profile) {}

    fn swd_io(&mut self, _items: Vec<IoItem>) -> Result<Vec<bool>, WireError> {
        panic!("a CMSIS-DAP probe takes packets")
    }

    fn dap_packet(&mut self, packet: Vec<u8>) -> Result<Vec<u8>, WireError> {
        let mut bench = self.bench();
        if !bench.plugged || bench.deaf {
            return Err(WireError::Unplugged);
        }
        let Bench {
            firmware,
            desk,
            sent,
            lengths,
            ..
        } = &mut *bench;
        lengths.push(packet.len());
        sent.push(packet.clone());
        Ok(firmware.execute(&packet, desk)?)
    }

    fn set_nreset(&mut self, _level: bool) -> Result<(), WireError> {
        panic!("a CMSIS-DAP probe takes packets")
    }

    fn set_speed_khz(&mut self, _khz: u32) -> Result<(), WireError> {
        panic!("a CMSIS-DAP probe takes packets")
    }

    fn target_millivolts(&mut self) -> Result<u32, WireError> {
        panic!("a CMSIS-DAP probe takes packets")
    }

    fn wait(&mut self, _span: Duration) -> Result<(), WireError> {
        Ok(())
    }

    fn plugged(&self) -> bool {
        self.bench().plugged
    }
}

/// A cable to a chip, its probe offered under `serial` and the profile's name.
fn offered(profile: &Profile, serial: &str) -> (Cable, String) {
    let Interface::CmsisDap(packets) = profile.interface else {
        panic!("{} takes no packets", profile.name);
    };
    let cable = Cable(Arc::new(Mutex::new(Bench {
        firmware: Firmware::new(packets, profile.max_khz),
        desk: Desk::new(),
        plugged: true,
        deaf: false,
        sent: Vec::new(),
        lengths: Vec::new(),
    })));
    let serial = format!("{} {serial}", profile.name);
    probe::register();
    probe::offer(&serial, *profile, Box::new(cable.clone()));
    (cable, serial)
}

fn selector(serial: &str) -> DebugProbeSelector {
    DebugProbeSelector {
        vendor_id: probe::VENDOR_ID,
        product_id: probe::PRODUCT_ID,
        interface: None,
        serial_number: Some(serial.to_owned()),
    }
}

fn opened(serial: &str) -> Probe {
    Lister::new().open(selector(serial)).unwrap()
}

fn attached(serial: &str) -> Box<dyn ArmDebugInterface> {
    let mut probe = opened(serial);
    probe.select_protocol(WireProtocol::Swd).unwrap();
    probe.set_speed(4_000).unwrap();
    probe.attach_to_unspecified().unwrap();
    let sequence = DefaultArmSequence::create();
    let mut interface = probe.try_into_arm_debug_interface(sequence).unwrap();
    interface
        .select_debug_port(probe_rs::architecture::arm::dp::DpAddress::Default)
        .unwrap();
    interface
}

fn memory(interface: &mut Box<dyn ArmDebugInterface>) -> Box<dyn ArmMemoryInterface + '_> {
    interface.memory_interface(&AP).unwrap()
}

#[test]
fn open_attach_and_close_send_what_probe_rs_sends() {
    let (cable, serial) = offered(&CMSIS_DAP_V2_HS, "life");
    let mut probe = opened(&serial);
    let asked = std::mem::take(&mut cable.bench().sent);
    assert_eq!(asked, [[0x00, 0xFF], [0x00, 0xFE], [0x00, 0xF0]]);
    probe.attach_to_unspecified().unwrap();
    let attach = std::mem::take(&mut cable.bench().sent);
    let khz_1000 = [0x11, 0x40, 0x42, 0x0F, 0x00];
    assert_eq!(
        attach,
        [
            &[0x02, 0][..],
            &khz_1000,
            &[0x04, 0, 0xFF, 0xFF, 0, 0],
            &[0x13, 0],
            &[0x01, 0, 1],
        ]
    );
    assert_eq!(cable.bench().desk.khz, 1_000);
    drop(probe);
    let detach = std::mem::take(&mut cable.bench().sent);
    assert_eq!(detach, [&[0x03][..], &[0x01, 0, 0]]);
    drop(opened(&serial));
}

#[test]
fn version_1_sends_whole_reports_and_version_2_no_byte_too_much() {
    let (cable, serial) = offered(&CMSIS_DAP_V1, "length");
    drop(attached(&serial));
    assert!(cable.bench().lengths.iter().all(|bytes| *bytes == 64));
    let (cable, serial) = offered(&CMSIS_DAP_V2_HS, "length");
    drop(attached(&serial));
    assert!(cable.bench().lengths.iter().all(|bytes| *bytes < 16));
}

#[test]
fn a_kibibyte_takes_as_many_packets_as_its_payload_and_one_for_the_address() {
    // 14 words in 64 bytes, 126 words in 512 bytes; measured rates of real probes agree, see the profiles' sources
    for (profile, packets) in [(CMSIS_DAP_V1, 20), (CMSIS_DAP_V2_HS, 4)] {
        let (cable, serial) = offered(&profile, "kibibyte");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        memory.write_word_32(u64::from(RAM), 0).unwrap();
        memory.flush().unwrap();
        cable.commands();
        let words: Vec<u32> = (0..256).collect();
        memory.write_32(u64::from(RAM), &words).unwrap();
        let commands = cable.commands();
        assert_eq!(commands.len(), packets, "{}", profile.name);
        assert_eq!(commands[0], 0x05);
        assert!(commands[1..].iter().all(|id| *id == 0x06));
        let mut back = vec![0; 256];
        memory.read_32(u64::from(RAM), &mut back).unwrap();
        assert_eq!(cable.commands(), commands);
        assert_eq!(back, words);
    }
}

#[test]
fn register_writes_wait_for_the_next_read_or_a_full_packet() {
    let (cable, serial) = offered(&CMSIS_DAP_V2_HS, "batch");
    let mut interface = attached(&serial);
    let mut memory = memory(&mut interface);
    memory.write_word_32(u64::from(RAM), 0).unwrap();
    memory.flush().unwrap();
    cable.commands();
    memory.write_word_32(u64::from(RAM), 0x11).unwrap();
    memory.write_word_32(u64::from(RAM) + 8, 0x22).unwrap();
    assert_eq!(cable.commands(), [] as [u8; 0], "nothing sent yet");
    assert_eq!(memory.read_word_32(u64::from(RAM) + 8).unwrap(), 0x22);
    let sent = std::mem::take(&mut cable.bench().sent);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0][..9],
        [0x05, 0, 6, 0x05, 0x00, 0x00, 0x20, 0x20, 0x0D],
        "TAR, DRW, TAR, DRW, TAR, and the read of DRW"
    );
    for n in 0..51 {
        memory.write_word_32(u64::from(RAM), n).unwrap();
    }
    let sent = std::mem::take(&mut cable.bench().sent);
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0][2], sent[0].len()), (101, 3 + 101 * 5));
    memory.flush().unwrap();
    assert_eq!(cable.bench().sent[0][2], 1);
}

#[test]
fn blocks_bytes_and_halfwords_reach_their_place() {
    for profile in BOTH {
        let (cable, serial) = offered(&profile, "block");
        let mut interface = attached(&serial);
        let words: Vec<u32> = (0..1500_u32).map(|n| n.wrapping_mul(0x9E37_79B9)).collect();
        let at = u64::from(RAM) + 0x3F8;
        let mut memory = memory(&mut interface);
        memory.write_32(at, &words).unwrap();
        let mut back = vec![0; words.len()];
        memory.read_32(at, &mut back).unwrap();
        assert_eq!(back, words);
        memory
            .write_8(u64::from(RAM) + 1, &[0xA1, 0xA2, 0xA3, 0xA4])
            .unwrap();
        memory
            .write_16(u64::from(RAM) + 10, &[0xB1B0, 0xB3B2])
            .unwrap();
        memory.flush().unwrap();
        assert_eq!(
            cable.bench().desk.chip.ram[..14],
            [
                0, 0xA1, 0xA2, 0xA3, 0xA4, 0, 0, 0, 0, 0, 0xB0, 0xB1, 0xB2, 0xB3
            ]
        );
    }
}

#[test]
fn an_unmapped_address_is_an_error_and_the_next_access_works() {
    for profile in BOTH {
        let (_cable, serial) = offered(&profile, "fault");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        assert!(memory.read_word_32(0x1000_0000).is_err());
        assert!(memory.read_32(0x1000_0000, &mut [0; 300]).is_err());
        assert!(memory.write_32(0x1000_0000, &[1; 300]).is_err());
        memory.write_word_32(0x1000_0000, 1).unwrap();
        assert!(memory.flush().is_err(), "a batched write is told later");
        memory.write_word_32(u64::from(RAM), 0x600D_600D).unwrap();
        assert_eq!(memory.read_word_32(u64::from(RAM)).unwrap(), 0x600D_600D);
    }
}

#[test]
fn a_fault_is_cleared_by_the_packets_that_probe_rs_sends() {
    let (cable, serial) = offered(&CMSIS_DAP_V2_HS, "clear");
    let mut interface = attached(&serial);
    let mut memory = memory(&mut interface);
    memory.read_word_32(u64::from(RAM)).unwrap();
    cable.commands();
    assert!(memory.read_word_32(0x1000_0000).is_err());
    let sent = std::mem::take(&mut cable.bench().sent);
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1], [0x05, 0, 1, 0x06], "CTRL/STAT is read");
    assert_eq!(sent[2], [0x05, 0, 1, 0x00, 0x04, 0, 0, 0], "STKERRCLR");
}

#[test]
fn waits_are_ridden_out_by_the_probe_without_a_packet_more() {
    for profile in BOTH {
        let (cable, serial) = offered(&profile, "wait");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        let words: Vec<u32> = (1..=200).collect();
        memory.write_32(u64::from(RAM), &words).unwrap();
        let packets = cable.commands().len();
        let from = cable.bench().desk.dp.counts().transfers + 40;
        cable.bench().desk.dp.faults_mut().wait_storm = Some(WaitStorm {
            from,
            transfers: 500,
        });
        memory.write_32(u64::from(RAM), &words).unwrap();
        assert!(cable.commands().len() <= packets);
        assert_eq!(cable.bench().desk.dp.counts().waits, 500);
        cable.bench().desk.chip.asleep = 5;
        let mut back = vec![0; words.len()];
        memory.read_32(u64::from(RAM), &mut back).unwrap();
        assert_eq!(back, words);
    }
}

#[test]
fn a_core_that_stays_asleep_is_an_error_and_can_be_read_after_it_woke() {
    for profile in BOTH {
        let (cable, serial) = offered(&profile, "asleep");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        cable.bench().desk.chip.asleep = u32::MAX;
        let error = memory.read_word_32(u64::from(RAM)).unwrap_err();
        assert!(format!("{error:?}").contains("WaitResponse"), "{error:?}");
        cable.bench().desk.chip.asleep = 0;
        cable.bench().desk.chip.set_word(RAM, 77);
        assert_eq!(memory.read_word_32(u64::from(RAM)).unwrap(), 77);
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    // A word is read by: TAR write, DRW read, RDBUFF read; the data of the DRW read is nobody's, but its parity is
    // looked at.
    for (later, expected) in [(0, "FaultResponse"), (1, "Protocol"), (2, "Protocol")] {
        let (cable, serial) = offered(&CMSIS_DAP_V2_HS, "parity");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        memory.write_word_32(u64::from(RAM), 0x55).unwrap();
        memory.flush().unwrap();
        let transfer = cable.bench().desk.dp.counts().transfers + later;
        cable.bench().desk.dp.faults_mut().flipped_bits = vec![FlippedBit { transfer, bit: 3 }];
        let error = memory.read_word_32(u64::from(RAM)).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(expected), "transfer {later}: {text}");
    }
}

#[test]
fn a_cut_cable_is_an_error_at_whatever_transfer_it_comes() {
    for n in 0..12 {
        let (cable, serial) = offered(&CMSIS_DAP_V1, "cut");
        let mut interface = attached(&serial);
        let mut memory = memory(&mut interface);
        memory.write_word_32(u64::from(RAM), 0).unwrap();
        memory.flush().unwrap();
        {
            let mut bench = cable.bench();
            let at = bench.desk.dp.counts().transfers + n;
            bench.desk.dp.faults_mut().cable_cut_at = Some(at);
        }
        assert!(
            memory.write_32(u64::from(RAM), &[1; 20]).is_err(),
            "transfer {n}"
        );
        assert!(memory.read_word_32(u64::from(RAM)).is_err(), "transfer {n}");
    }
}

#[test]
fn an_unplugged_probe_is_an_error_and_leaves_the_list() {
    for profile in BOTH {
        let (cable, serial) = offered(&profile, "unplug");
        let mut interface = attached(&serial);
        {
            let mut memory = memory(&mut interface);
            cable.bench().plugged = false;
            let error = memory.read_word_32(u64::from(RAM)).unwrap_err();
            assert!(format!("{error:?}").contains("Unplugged"), "{error:?}");
        }
        drop(interface);
        assert!(Lister::new().list(Some(&selector(&serial))).is_empty());
        cable.bench().plugged = true;
        assert_eq!(Lister::new().list(Some(&selector(&serial))).len(), 1);
        drop(attached(&serial));
    }
}

#[test]
fn a_probe_that_fails_while_it_is_opened_can_be_opened_again() {
    let (cable, serial) = offered(&CMSIS_DAP_V1, "reopen");
    cable.bench().deaf = true;
    let error = Lister::new().open(selector(&serial)).unwrap_err();
    assert!(format!("{error:?}").contains("Unplugged"), "{error:?}");
    cable.bench().deaf = false;
    drop(opened(&serial));
}

#[test]
fn the_reset_pin_and_the_speed_follow_the_probe() {
    let (cable, serial) = offered(&CMSIS_DAP_V1, "pin");
    let mut probe = opened(&serial);
    assert!(probe.select_protocol(WireProtocol::Jtag).is_err());
    probe.set_speed(15_000).unwrap();
    assert_eq!(cable.bench().desk.khz, 2_000, "as fast as it can");
    probe.attach_to_unspecified().unwrap();
    probe.target_reset_assert().unwrap();
    assert!(!cable.bench().desk.chip.nreset);
    probe.target_reset_deassert().unwrap();
    assert!(cable.bench().desk.chip.nreset);
    let pins = probe
        .try_as_dap_probe()
        .unwrap()
        .swj_pins(0, 0x80, 10)
        .unwrap();
    assert_eq!(pins, 0x03);
    assert!(!cable.bench().desk.chip.nreset);
    drop(probe);
    assert!(cable.bench().desk.chip.nreset, "let go with the probe");
}

#[test]
fn a_packet_costs_one_round_trip_and_the_clocks_it_makes() {
    for profile in BOTH {
        let config = BoardConfig {
            probe: profile,
            ..BoardConfig::new(Part::builtin("is25wp064").unwrap())
        };
        let board = BoardHandle::start(config, &format!("{} time", profile.name)).unwrap();
        let mut interface = attached(board.serial());
        let dap = interface.try_dap_probe_mut().unwrap();
        let before = (board.now().unwrap(), board.transactions().unwrap());
        dap.raw_read_register(Ctrl::ADDRESS.into()).unwrap();
        assert_eq!(board.transactions().unwrap() - before.1, 1);
        let clocks = 46 * Duration::from_millis(1) / profile.max_khz.min(4_000);
        let expected = profile.round_trip + clocks;
        let took = board.now().unwrap() - before.0;
        // the core ends the step it is in
        let apart = took.abs_diff(expected);
        assert!(
            apart < Duration::from_micros(5),
            "{took:?} instead of {expected:?}"
        );
        drop(interface);
        assert_eq!(board.violations().unwrap(), [] as [&str; 0]);
    }
}
