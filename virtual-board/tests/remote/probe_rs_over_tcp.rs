//! probe-rs's own `blackmagic` driver, unmodified, over TCP: attach, memory, core, in each version.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;
use probe_rs::probe::{DebugProbeSelector, WireProtocol};
use probe_rs::{MemoryInterface, Permissions, RegisterId, Session};

use super::Bench;

const VENDOR_ID: u16 = 0x1D50;
const PRODUCT_ID: u16 = 0x6018;
/// On-chip RAM that nobody uses while the ROM waits.
const RAM: u64 = 0x2021_0000;
/// The ROM's last word about a blank flash comes before this.
const ROM_GIVES_UP: Duration = Duration::from_millis(50);

/// Serves one host on a port of the system's choice.
fn served(bench: &Bench) -> (DebugProbeSelector, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let selector = DebugProbeSelector {
        vendor_id: VENDOR_ID,
        product_id: PRODUCT_ID,
        interface: None,
        serial_number: Some(listener.local_addr().unwrap().to_string()),
    };
    let server = bench.server.clone();
    let thread = thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        server.serve(&client).unwrap();
    });
    (selector, thread)
}

fn session(selector: DebugProbeSelector, target: &str) -> Session {
    let mut probe = Lister::new().open(selector).unwrap();
    probe.select_protocol(WireProtocol::Swd).unwrap();
    probe.attach(target, Permissions::default()).unwrap()
}

fn works_over_version(version: u8) {
    let bench = Bench::new(version);
    bench.board.sleep(ROM_GIVES_UP).unwrap();
    let (selector, server) = served(&bench);
    let mut session = session(selector, "MIMXRT1060");
    {
        let mut core = session.core(0).unwrap();
        core.halt(Duration::from_millis(500)).unwrap();
        assert!(core.core_halted().unwrap());

        // every width, and more than one packet holds
        let words: Vec<u32> = (0..700_u32).map(|n| n.wrapping_mul(0x9E37_79B9)).collect();
        core.write_32(RAM, &words).unwrap();
        let mut read = vec![0; words.len()];
        core.read_32(RAM, &mut read).unwrap();
        assert_eq!(read, words);
        core.write_8(RAM + 1, &[1, 2, 3]).unwrap();
        core.write_16(RAM + 6, &[0xBEEF]).unwrap();
        core.write_64(RAM + 16, &[0x0123_4567_89AB_CDEF]).unwrap();
        let mut bytes = [0; 24];
        core.read_8(RAM, &mut bytes).unwrap();
        assert_eq!(bytes[1..4], [1, 2, 3]);
        assert_eq!(bytes[6..8], [0xEF, 0xBE]);
        assert_eq!(bytes[16..24], 0x0123_4567_89AB_CDEF_u64.to_le_bytes());

        // core registers, and a program of two instructions: adds r0, #1; bkpt
        core.write_8(RAM, &[0x01, 0x30, 0x00, 0xBE]).unwrap();
        core.write_core_reg(RegisterId(0), 41_u32).unwrap();
        core.write_core_reg(RegisterId(15), RAM as u32).unwrap();
        core.run().unwrap();
        core.wait_for_core_halted(Duration::from_millis(500))
            .unwrap();
        let r0: u32 = core.read_core_reg(RegisterId(0)).unwrap();
        let pc: u32 = core.read_core_reg(RegisterId(15)).unwrap();
        assert_eq!((r0, pc), (42, RAM as u32 + 2));
    }
    assert_eq!(bench.board.violations().unwrap(), Vec::<String>::new());
    drop(session);
    server.join().unwrap();
}

#[test]
fn probe_rs_attaches_reads_writes_halts_and_runs_over_version_1() {
    works_over_version(1);
}

#[test]
fn probe_rs_attaches_reads_writes_halts_and_runs_over_version_2() {
    works_over_version(2);
}

#[test]
fn probe_rs_attaches_reads_writes_halts_and_runs_over_version_3() {
    works_over_version(3);
}

#[test]
fn probe_rs_attaches_reads_writes_halts_and_runs_over_version_4() {
    works_over_version(4);
}

#[test]
fn one_host_after_the_other_finds_the_same_board() {
    let bench = Bench::new(4);
    bench.board.sleep(ROM_GIVES_UP).unwrap();
    for expected in [None, Some(0x5EED)] {
        let (selector, server) = served(&bench);
        let mut session = session(selector, "MIMXRT1060");
        {
            let mut core = session.core(0).unwrap();
            if let Some(expected) = expected {
                assert_eq!(core.read_word_32(RAM).unwrap(), expected);
            }
            core.write_word_32(RAM, 0x5EED).unwrap();
        }
        drop(session);
        server.join().unwrap();
    }
}

/// As `probe-rs download` does it, with the algorithm that probe-rs ships for a sister chip (it drives the FlexSPI itself).
#[test]
fn probe_rs_s_flash_loader_programs_and_verifies_over_tcp() {
    const BASE: usize = 0x1_0000;
    let bench = Bench::new(4);
    bench.board.sleep(ROM_GIVES_UP).unwrap();
    let (selector, server) = served(&bench);
    let mut session = session(selector, "MIMXRT1040");
    let data: Vec<u8> = (0..0x1000_u32 + 300)
        .map(|n| (n.wrapping_mul(0x9E37_79B9) >> 24) as u8)
        .collect();
    let mut loader = session.target().flash_loader();
    loader.add_data(0x6000_0000 + BASE as u64, &data).unwrap();
    let mut options = DownloadOptions::new();
    options.verify = true;
    loader.commit(&mut session, options).unwrap();
    drop(session);
    server.join().unwrap();
    let flash = bench
        .board
        .with(|b| b.chip.system.borrow().nor.content().to_vec())
        .unwrap();
    assert_eq!(flash[BASE..BASE + data.len()], data);
}
