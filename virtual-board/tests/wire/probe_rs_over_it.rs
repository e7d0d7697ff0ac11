//! Stock probe-rs 0.32 over the virtual probe: the code that drives a real J-Link finds what it expects.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use probe_rs::architecture::arm::memory::{ArmMemoryInterface, Component};
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::architecture::arm::{ArmDebugInterface, ArmError, FullyQualifiedApAddress};
use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{DebugProbeError, DebugProbeSelector, Probe, WireProtocol};
use virtual_board::probe::{self, JLINK, Profile, Wire, WireError};
use virtual_board::swd::{FlippedBit, IoItem, SwDp, WaitStorm};

use super::{Chip, RAM};

struct Bench {
    dp: SwDp,
    chip: Chip,
    plugged: bool,
    transactions: u64,
    longest: usize,
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
        if bench.plugged {
            Ok(bench)
        } else {
            Err(WireError::Unplugged)
        }
    }
}

impl Wire for Cable {
    fn set_profile(&mut self, profile: &Profile) {
        assert_eq!(profile.name, "jlink");
    }

    fn swd_io(&mut self, items: Vec<IoItem>) -> Result<Vec<bool>, WireError> {
        let mut bench = self.transaction()?;
        bench.longest = bench.longest.max(items.len());
        let mut levels = Vec::new();
        let Bench { dp, chip, .. } = &mut *bench;
        dp.io(&items, chip, &mut levels);
        Ok(levels)
    }

    fn set_nreset(&mut self, level: bool) -> Result<(), WireError> {
        use virtual_board::swd::ApTarget;
        self.transaction()?.chip.set_nreset(level);
        Ok(())
    }

    fn set_speed_khz(&mut self, khz: u32) -> Result<(), WireError> {
        self.transaction()?.khz = khz;
        Ok(())
    }

    fn target_millivolts(&mut self) -> Result<u32, WireError> {
        self.transaction().map(|_| 3300)
    }

    fn wait(&mut self, _span: Duration) -> Result<(), WireError> {
        Ok(())
    }

    fn plugged(&self) -> bool {
        self.bench().plugged
    }
}

/// A cable to a chip, its probe offered under `serial`. The shelf of probes is the process's, so serials are unique.
fn offered(serial: &str) -> Cable {
    let cable = Cable(Arc::new(Mutex::new(Bench {
        dp: SwDp::new(),
        chip: Chip::new(),
        plugged: true,
        transactions: 0,
        longest: 0,
        khz: 0,
    })));
    probe::register();
    probe::offer(serial, JLINK, Box::new(cable.clone()));
    cable
}

fn selector(serial: &str) -> DebugProbeSelector {
    DebugProbeSelector {
        vendor_id: probe::VENDOR_ID,
        product_id: probe::PRODUCT_ID,
        interface: None,
        serial_number: Some(serial.to_owned()),
    }
}

fn attached(serial: &str) -> Box<dyn ArmDebugInterface> {
    let mut probe = Lister::new().open(selector(serial)).unwrap();
    probe.select_protocol(WireProtocol::Swd).unwrap();
    probe.set_speed(15_000).unwrap();
    probe.attach_to_unspecified().unwrap();
    probe
        .try_into_arm_debug_interface(DefaultArmSequence::create())
        .map_err(|(_, e)| e)
        .unwrap()
}

const AP: FullyQualifiedApAddress = FullyQualifiedApAddress::v1_with_default_dp(0);

fn memory(interface: &mut Box<dyn ArmDebugInterface>) -> Box<dyn ArmMemoryInterface + '_> {
    interface.memory_interface(&AP).unwrap()
}

#[test]
fn the_probe_is_listed_opened_once_and_back_on_the_shelf_when_closed() {
    offered("shelf");
    let listed = || {
        let items = Lister::new().list_with_access(Some(&selector("shelf")));
        items
            .first()
            .map(|item| (item.info.to_string(), item.accessibility))
    };
    let (text, accessibility) = listed().unwrap();
    assert_eq!(text, "virtual jlink -- 1209:0001:shelf (virtual board)");
    assert_eq!(accessibility, Accessibility::Accessible);
    let open = Lister::new().open(selector("shelf")).unwrap();
    let busy = Lister::new().open(selector("shelf")).unwrap_err();
    assert!(
        matches!(&busy, DebugProbeError::Usb(e) if e.kind() == std::io::ErrorKind::ResourceBusy),
        "{busy:?}"
    );
    drop(open);
    drop(Lister::new().open(selector("shelf")).unwrap());
    probe::deny("shelf", true);
    assert_eq!(listed().unwrap().1, Accessibility::PermissionDenied);
    assert!(Lister::new().open(selector("shelf")).is_err());
    probe::withdraw("shelf");
    assert_eq!(listed(), None);
}

#[test]
fn speeds_are_those_of_the_probe() {
    let cable = offered("speed");
    let mut probe = Lister::new().open(selector("speed")).unwrap();
    assert!(matches!(
        probe.set_speed(0),
        Err(DebugProbeError::UnsupportedSpeed(0))
    ));
    assert!(matches!(
        probe.set_speed(15_001),
        Err(DebugProbeError::UnsupportedSpeed(15_001))
    ));
    assert!(probe.select_protocol(WireProtocol::Jtag).is_err());
    probe.attach_to_unspecified().unwrap();
    assert_eq!(cable.bench().khz, 400);
    assert_eq!(probe.get_target_voltage().unwrap(), Some(3.3));
}

#[test]
fn the_rom_tables_name_the_chip_and_its_components() {
    offered("rom");
    let mut interface = attached("rom");
    let mut memory = memory(&mut interface);
    let base = memory.base_address().unwrap();
    assert_eq!(base, 0xE00F_D000);
    let Component::Class1RomTable(id, table) = Component::try_parse(&mut *memory, base).unwrap()
    else {
        panic!("not a ROM table");
    };
    assert_eq!(id.peripheral_id().part(), 0x88C);
    assert_eq!(table.entries().count(), 3);
    let mut found = Vec::new();
    collect(&table, &mut found);
    for address in [
        0xE000_E000,
        0xE000_1000,
        0xE000_2000,
        0xE000_0000,
        0xE004_0000_u64,
    ] {
        assert!(found.contains(&address), "{address:#x} in {found:x?}");
    }
}

fn collect(table: &probe_rs::architecture::arm::memory::RomTable, found: &mut Vec<u64>) {
    for entry in table.entries() {
        match entry.component() {
            Component::Class1RomTable(_, table) => collect(table, found),
            other => found.push(other.id().component_address()),
        }
    }
}

#[test]
fn blocks_cross_the_address_wrap() {
    let cable = offered("block");
    let mut interface = attached("block");
    let words: Vec<u32> = (0..1500_u32).map(|n| n.wrapping_mul(0x9E37_79B9)).collect();
    let at = u64::from(RAM) + 0x3F8;
    let mut memory = memory(&mut interface);
    memory.write_32(at, &words).unwrap();
    let mut back = vec![0; words.len()];
    memory.read_32(at, &mut back).unwrap();
    assert_eq!(back, words);
    for (n, word) in words.iter().enumerate() {
        assert_eq!(cable.bench().chip.word(RAM + 0x3F8 + n as u32 * 4), *word);
    }
}

#[test]
fn bytes_and_halfwords_reach_their_place() {
    let cable = offered("lanes");
    let mut interface = attached("lanes");
    let mut memory = memory(&mut interface);
    memory
        .write_8(u64::from(RAM) + 1, &[0xA1, 0xA2, 0xA3, 0xA4])
        .unwrap();
    memory
        .write_16(u64::from(RAM) + 10, &[0xB1B0, 0xB3B2])
        .unwrap();
    assert_eq!(
        cable.bench().chip.ram[..16],
        [
            0, 0xA1, 0xA2, 0xA3, 0xA4, 0, 0, 0, 0, 0, 0xB0, 0xB1, 0xB2, 0xB3, 0, 0
        ]
    );
    let mut bytes = [0; 3];
    memory.read_8(u64::from(RAM) + 3, &mut bytes).unwrap();
    assert_eq!(bytes, [0xA3, 0xA4, 0]);
    assert_eq!(memory.read_word_32(u64::from(RAM)).unwrap(), 0xA3A2_A100);
}

#[test]
fn an_unmapped_address_is_an_error_and_the_next_access_works() {
    offered("fault");
    let mut interface = attached("fault");
    let mut memory = memory(&mut interface);
    assert!(memory.read_word_32(0x1000_0000).is_err());
    assert!(memory.write_word_32(0x1000_0000, 1).is_err());
    assert!(memory.read_32(0x1000_0000, &mut [0; 300]).is_err());
    memory.write_word_32(u64::from(RAM), 0x600D_600D).unwrap();
    assert_eq!(memory.read_word_32(u64::from(RAM)).unwrap(), 0x600D_600D);
}

#[test]
fn waits_are_ridden_out_without_losing_a_word() {
    let cable = offered("wait");
    let mut interface = attached("wait");
    let mut memory = memory(&mut interface);
    memory.write_word_32(u64::from(RAM), 0).unwrap();
    let words: Vec<u32> = (1..=200).collect();

    let from = cable.bench().dp.counts().transfers + 40;
    cable.bench().dp.faults_mut().wait_storm = Some(WaitStorm { from, transfers: 3 });
    memory.write_32(u64::from(RAM), &words).unwrap();
    let storm = cable.bench().dp.counts().waits;
    assert!(storm > 0);

    cable.bench().chip.asleep = 5;
    let mut back = vec![0; words.len()];
    memory.read_32(u64::from(RAM), &mut back).unwrap();
    assert_eq!(back, words);
    assert!(cable.bench().dp.counts().waits > storm);
}

#[test]
fn a_core_that_stays_asleep_is_an_error_and_can_be_read_after_it_woke() {
    let cable = offered("asleep");
    let mut interface = attached("asleep");
    let mut memory = memory(&mut interface);
    cable.bench().chip.asleep = u32::MAX;
    assert!(memory.read_word_32(u64::from(RAM)).is_err());
    cable.bench().chip.asleep = 0;
    cable.bench().chip.set_word(RAM, 77);
    assert_eq!(memory.read_word_32(u64::from(RAM)).unwrap(), 77);
}

#[test]
fn a_flipped_bit_is_noticed() {
    // A word is read by: TAR write, RDBUFF read, DRW read, RDBUFF read; the first DRW value is nobody's.
    let mut noticed = 0;
    for later in 0..6 {
        let cable = offered("parity");
        let mut interface = attached("parity");
        let mut memory = memory(&mut interface);
        memory.write_word_32(u64::from(RAM), 0x55).unwrap();
        let transfer = cable.bench().dp.counts().transfers + later;
        cable.bench().dp.faults_mut().flipped_bits = vec![FlippedBit { transfer, bit: 3 }];
        match memory.read_word_32(u64::from(RAM)) {
            Ok(value) => assert_eq!(value, 0x55, "transfer {later}"),
            Err(e) => {
                noticed += 1;
                let text = format!("{e:?}");
                // The target drops a damaged write and answers FAULT, the host drops a damaged read.
                let expected = if later == 0 {
                    "FaultResponse"
                } else {
                    "IncorrectParity"
                };
                assert!(text.contains(expected), "transfer {later}: {text}");
            }
        }
    }
    assert!(noticed >= 3, "{noticed}");
}

#[test]
fn a_cut_cable_is_an_error_at_whatever_transfer_it_comes() {
    for n in 0..12 {
        let cable = offered("cut");
        let mut interface = attached("cut");
        let mut memory = memory(&mut interface);
        memory.write_word_32(u64::from(RAM), 0).unwrap();
        {
            let mut bench = cable.bench();
            let at = bench.dp.counts().transfers + n;
            bench.dp.faults_mut().cable_cut_at = Some(at);
        }
        assert!(
            memory.write_32(u64::from(RAM), &[1; 10]).is_err(),
            "transfer {n}"
        );
        assert!(memory.read_word_32(u64::from(RAM)).is_err(), "transfer {n}");
    }
}

#[test]
fn an_unplugged_probe_is_an_error_and_leaves_the_list() {
    let cable = offered("unplug");
    let mut interface = attached("unplug");
    cable.bench().plugged = false;
    let error = memory_error(&mut interface);
    assert!(format!("{error:?}").contains("Unplugged"), "{error:?}");
    drop(interface);
    assert!(Lister::new().list(Some(&selector("unplug"))).is_empty());
    cable.bench().plugged = true;
    assert_eq!(Lister::new().list(Some(&selector("unplug"))).len(), 1);
}

fn memory_error(interface: &mut Box<dyn ArmDebugInterface>) -> ArmError {
    match interface.memory_interface(&AP) {
        Ok(mut memory) => memory.read_word_32(u64::from(RAM)).unwrap_err(),
        Err(e) => e,
    }
}

#[test]
fn the_reset_pin_follows_the_probe() {
    let cable = offered("pin");
    let mut probe = Lister::new().open(selector("pin")).unwrap();
    probe.target_reset_assert().unwrap();
    assert!(!cable.bench().chip.nreset);
    probe.attach_to_unspecified().unwrap();
    assert!(
        cable.bench().chip.nreset,
        "as a J-Link, attach lets the pin go"
    );
    probe
        .try_as_dap_probe()
        .unwrap()
        .swj_pins(0, 0x80, 10)
        .unwrap();
    assert!(!cable.bench().chip.nreset);
    probe.target_reset().unwrap();
    assert!(cable.bench().chip.nreset);
}

#[test]
fn long_sequences_are_split_as_the_j_link_driver_splits_them() {
    use probe_rs::probe::{IoSequenceItem, RawSwdIo};
    let cable = offered("split");
    let mut probe = Lister::new().open(selector("split")).unwrap();
    let virtual_probe = Probe::try_into::<probe::VirtualProbe>(&mut probe).unwrap();
    let before = cable.bench().transactions;
    let levels = virtual_probe
        .swd_io(vec![IoSequenceItem::Output(true); 65_536])
        .unwrap();
    assert_eq!(levels.len(), 65_536);
    assert_eq!(cable.bench().transactions - before, 2);
    assert_eq!(cable.bench().longest, 65_535);
}
