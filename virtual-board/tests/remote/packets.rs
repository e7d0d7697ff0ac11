//! The protocol packet by packet: what each version knows, what it answers, and what it answers to nonsense.

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use virtual_board::remote::{Idle, Server, Version};

use super::Bench;

/// DPIDR of the chip, as its bytes in memory.
const DPIDR: &str = "77 14 d1 0b";
const ALL_VERSIONS: [u8; 5] = [0, 1, 2, 3, 4];

fn dpidr() -> String {
    format!("&K{}#", DPIDR.replace(' ', ""))
}

/// `Hd…` or `Ad…`: the packet that reads register `address` of the debug port.
fn dp_read(version: u8, address: u16) -> String {
    match version {
        0 => format!("Hdff{address:04x}"),
        1 | 2 => format!("Hd00ff{address:04x}"),
        _ => format!("Ad00ff{address:04x}"),
    }
}

fn dp_write(version: u8, address: u16, value: u32) -> String {
    match version {
        0 => format!("HL00{address:04x}{value:08x}"),
        1 | 2 => format!("HL0000{address:04x}{value:08x}"),
        _ => format!("AR0000{address:04x}{value:08x}"),
    }
}

fn powered(version: u8) -> Bench {
    let bench = Bench::new(version);
    bench.power_up();
    assert_eq!(bench.ask(&dp_read(version, 0)), dpidr());
    assert_eq!(bench.ask(&dp_write(version, 4, 0x5000_0000)), "&K00000000#");
    bench
}

fn mem_write(version: u8, alignment: u8, address: u32, bytes: &[u8]) -> String {
    let data: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let length = bytes.len();
    let csw = 0x2300_0000;
    match version {
        0 => format!("Hm00{csw:08x}{alignment:02x}{address:08x}{length:08x}{data}"),
        1 | 2 => format!("Hm0000{csw:08x}{alignment:02x}{address:08x}{length:08x}{data}"),
        3 => format!("AM0000{csw:08x}{alignment:02x}{address:08x}{length:08x}{data}"),
        _ => format!("AM0000{csw:08x}{alignment:02x}{address:016x}{length:08x}{data}"),
    }
}

fn mem_read(version: u8, address: u32, length: usize) -> String {
    let csw = 0x2300_0000;
    match version {
        0 => format!("HM00{csw:08x}{address:08x}{length:08x}"),
        1 | 2 => format!("HM0000{csw:08x}{address:08x}{length:08x}"),
        3 => format!("Am0000{csw:08x}{address:08x}{length:08x}"),
        _ => format!("Am0000{csw:08x}{address:016x}{length:08x}"),
    }
}

#[test]
fn every_version_names_itself() {
    for version in ALL_VERSIONS {
        let bench = Bench::new(version);
        let answers = bench.stream(b"+#!GA#\0!HC#\0 !GV#");
        assert!(answers[0].starts_with(b"&KBlack Magic Probe"));
        assert_eq!(answers[1], format!("&K{version}#").into_bytes());
        assert_eq!(answers[2], b"&K3.3V#");
    }
}

#[test]
fn what_a_version_does_not_have_is_unrecognised() {
    for version in ALL_VERSIONS {
        let bench = Bench::new(version);
        let since = |first: u8, answer: &str| {
            if version >= first {
                answer.to_owned()
            } else {
                "&E1#".to_owned()
            }
        };
        assert_eq!(bench.ask("GF003d0900"), since(2, "&K0#"));
        // 4 MHz in Hz, lowest byte first
        assert_eq!(bench.ask("Gf"), since(2, "&K00093d00#"));
        assert_eq!(bench.ask("GE1"), since(2, "&K0#"));
        assert_eq!(bench.ask("AV01"), since(4, "&K0#"));
        // under version 3 the letters mean accesses, which lack their fields
        if version >= 3 {
            assert_eq!(bench.ask("HA"), since(4, "&K1#"));
            assert_eq!(bench.ask("Ha"), since(4, "&K1#"));
            assert_eq!(bench.ask("HF"), since(4, "&K80000#"));
            assert_eq!(bench.ask("Hd00ff0000"), "&E1#");
        } else {
            assert_eq!(bench.ask("Ad00ff0000"), "&E1#");
        }
        for nonsense in ["X", "XY", "G?", "S?", "A6a00", "RP"] {
            assert!(
                ["&E1#", "&E2#"].contains(&bench.ask(nonsense).as_str()),
                "{nonsense}"
            );
        }
    }
}

#[test]
fn jtag_is_not_supported_and_says_so() {
    let bench = Bench::new(4);
    for packet in [
        "JS",
        "JR",
        "JT0501",
        "JD20ffffffff",
        "JN11",
        "HJ00000000000000000000",
    ] {
        assert_eq!(bench.ask(packet), "&N0#", "{packet}");
    }
}

#[test]
fn raw_bits_read_the_identity_with_the_turnarounds_of_the_firmware() {
    let bench = Bench::new(4);
    bench.power_up();
    // request to read DPIDR, its acknowledgement, its data with parity
    assert_eq!(bench.ask("So08a5"), "&K0#");
    assert_eq!(bench.ask("Si03"), "&K1#");
    assert_eq!(bench.ask("SI20"), "&Kbd11477#");
    assert_eq!(bench.ask("So0800"), "&K0#");
}

#[test]
fn registers_and_memory_are_reached_in_every_version() {
    for version in ALL_VERSIONS {
        let bench = powered(version);
        let acknowledged = bench.ask(&dp_read(version, 4));
        assert_eq!(
            &acknowledged[8..10],
            "f0",
            "both powered up: {acknowledged}"
        );
        let idr = match version {
            0 => "Ha0001fc",
            1 | 2 => "Ha000001fc",
            _ => "Aa000001fc",
        };
        assert_eq!(bench.ask(idr), "&K41007704#");

        // over a border of TAR's counter, in each width
        for (alignment, unit) in [(0, 1), (1, 2), (2, 4), (3, 8)] {
            let bytes: Vec<u8> = (0..64).map(|n| n * 3 + alignment).collect();
            let address = 0x2020_03E0 + unit;
            let write = mem_write(version, alignment, address, &bytes);
            assert_eq!(bench.ask(&write), "&K0#", "{write}");
            let expected: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(
                bench.ask(&mem_read(version, address, bytes.len())),
                format!("&K{expected}#")
            );
        }
        assert_eq!(bench.ask(&mem_read(version, 0x2020_0000, 0)), "&K#");
    }
}

#[test]
fn a_bus_error_is_told_and_the_next_access_works() {
    for version in ALL_VERSIONS {
        let bench = powered(version);
        let fault = if version >= 3 { "&E403#" } else { "&E0#" };
        assert_eq!(bench.ask(&mem_read(version, 0x1000_0000, 4)), fault);
        assert_eq!(
            bench.ask(&mem_write(version, 2, 0x1000_0000, &[0; 4])),
            fault
        );
        assert!(
            bench
                .ask(&mem_read(version, 0x2020_0000, 4))
                .starts_with("&K")
        );
    }
}

#[test]
fn a_port_that_was_never_woken_gives_no_acknowledgement() {
    assert_eq!(Bench::new(4).ask(&dp_read(4, 0)), "&E703#");
    assert_eq!(Bench::new(2).ask(&dp_read(2, 0)), "&E0#");
}

#[test]
fn the_reset_pin_resets_the_chip_and_its_debug_port() {
    let bench = powered(4);
    assert_eq!(bench.ask("Gz"), "&K0#");
    assert_eq!(bench.ask("GZ1"), "&K0#");
    assert_eq!(bench.ask("Gz"), "&K1#");
    assert_eq!(bench.ask(&dp_read(4, 0)), "&E703#");
    assert_eq!(bench.ask("GZ0"), "&K0#");
    assert_eq!(bench.board.with(|b| b.chip.resets()).unwrap(), 1);
    bench.power_up();
    assert_eq!(bench.ask(&dp_read(4, 0)), dpidr());
}

#[test]
fn the_board_feeds_itself_so_power_is_refused() {
    let bench = Bench::new(4);
    assert_eq!(bench.ask("Gp"), "&K0#");
    assert_eq!(bench.ask("GP0"), "&K0#");
    assert_eq!(bench.ask("GP1"), "&E0#");
}

#[test]
fn a_malformed_packet_gets_the_protocol_s_error() {
    let bench = powered(4);
    for (packet, answer) in [
        ("", "&E2#"),
        ("G", "&E2#"),
        ("GZ", "&E2#"),
        ("GZ10", "&E2#"),
        ("GZx", "&P0#"),
        ("GF4000000", "&E2#"),
        ("Si", "&E2#"),
        ("Si21", "&E2#"),
        ("Six0", "&P0#"),
        ("So08", "&E2#"),
        ("So08123456789", "&E2#"),
        ("Ad00ff00", "&E2#"),
        ("Am000023000000", "&E2#"),
        // more than a buffer holds
        ("Am000023000000000000002020000000000200", "&P0#"),
        // beyond 32 bits
        ("Am000023000000000000010000000000000004", "&P0#"),
        // length and alignment do not fit
        ("AM00002300000002000000002020000000000003010203", "&P0#"),
        ("AM00002300000004000000002020000000000004010203", "&P0#"),
        ("AM00002300000002000000002020000000000004010203", "&E2#"),
    ] {
        assert_eq!(bench.ask(packet), answer, "{packet}");
    }
    assert_eq!(bench.ask(&dp_read(4, 0)), dpidr(), "none of them did harm");
    let mut long = vec![b'!'; 1];
    long.resize(2000, b'0');
    long.push(b'#');
    assert_eq!(bench.stream(&long), [b"&E2#"]);
}

#[test]
fn a_packet_takes_one_round_trip_and_the_clocks_it_drives() {
    let bench = Bench::new(4);
    // the ROM goes in large steps until it has given up on the blank flash, then in small ones
    bench.board.sleep(Duration::from_millis(50)).unwrap();
    assert_eq!(bench.ask("GF000f4240"), "&K0#");
    let clocks = || bench.board.with(|b| b.dp_mut().counts().clocks).unwrap();
    let costs = |packet: &str| {
        let before = (bench.board.now().unwrap(), clocks());
        assert_eq!(bench.ask(packet), "&K0#");
        let took = bench.board.now().unwrap() - before.0;
        (took.as_micros() / 50 * 50, clocks() - before.1)
    };
    assert_eq!(costs("SS"), (1_000, 0));
    // 500 kHz; the turnaround to the probe comes once
    assert_eq!(bench.ask("GF0007a120"), "&K0#");
    assert_eq!(costs("So2000000000"), (1_050, 33));
    assert_eq!(costs("So2000000000"), (1_050, 32));
    assert_eq!(bench.board.transactions().unwrap(), 5);
}

#[test]
fn the_board_stands_still_while_a_host_is_silent_unless_asked_to_run() {
    for (idle, runs) in [(Idle::Stands, false), (Idle::Runs, true)] {
        let bench = Bench::new(4);
        let server = Server::new(bench.board.clone(), Version::NEWEST, idle);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let serving = thread::spawn(move || server.serve(&accepted).unwrap());
        thread::sleep(Duration::from_millis(300));
        drop(client);
        serving.join().unwrap();
        assert_eq!(bench.board.now().unwrap() > Duration::ZERO, runs);
    }
}

/// Bytes that look like packets: the right letters, then digits, fields cut and mixed.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let packet = (
        prop::sample::select(vec![
            "!GZ", "!GF", "!Gf", "!GP", "!GE", "!Si", "!SI", "!So", "!SO", "!Hd", "!HL", "!Ha",
            "!HA", "!HM", "!Hm", "!HC", "!Ad", "!AR", "!Aa", "!AA", "!Am", "!AM", "!A6", "!AV",
            "!AT", "!JS", "!sB", "!RP", "!", "$", "+#", "",
        ]),
        "[0-9a-f]{0,60}",
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec!["#", ""]),
    )
        .prop_map(|(start, digits, noise, end)| {
            [start.as_bytes(), digits.as_bytes(), &noise, end.as_bytes()].concat()
        });
    prop::collection::vec(packet, 1..30).prop_map(|packets| packets.concat())
}

/// The packets in a stream: how many answers a host waits for.
fn ends(bytes: &[u8]) -> usize {
    let mut open = false;
    let mut count = 0;
    for byte in bytes {
        match byte {
            b'!' => open = true,
            b'$' | 4 => open = false,
            b'#' if open => {
                open = false;
                count += 1;
            }
            _ => {}
        }
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_every_packet_gets_one_answer_and_the_probe_lives(
        version in 0_u8..=4,
        bytes in stream(),
    ) {
        let bench = Bench::new(version);
        bench.power_up();
        let answers = bench.stream(&bytes);
        prop_assert_eq!(answers.len(), ends(&bytes));
        for answer in answers {
            prop_assert!(answer.starts_with(b"&") && answer.ends_with(b"#"));
            prop_assert!(b"KEPN".contains(&answer[1]));
            prop_assert!(answer.len() <= 1024 + 3);
        }
        prop_assert_eq!(bench.ask("HC"), format!("&K{version}#"));
    }
}
