//! What comes from outside is never trusted: files that a user gives, and words that a probe brings. Nothing of it makes
//! the program panic, every refusal has a stable code, and what is sound comes through unchanged.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "../fuzz/src/check/mod.rs"]
mod check;
mod corpus;
#[cfg(test)]
#[path = "../algorithm_on_model/host.rs"]
#[allow(dead_code, reason = "one of the checks needs a part of it")]
mod host;

use std::collections::BTreeMap;
use std::path::Path;

use ihex::Record;
use mailbox::chunk::ChunkHeader;
use mailbox::crc::crc32_words;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::STATUS;
use mailbox::result::{IDENTITY_WORDS, Identity, SFDP_BYTES, SectorRecord};
use mailbox::setup::{StatusAccess, SuspendFlags};
use mailbox::{
    Digest, Request, ResultRecord, ServerState, Setup, Status, request, result, setup, status,
};
use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
#[cfg(test)]
use target_side::board;
// the paths under which `check` finds them beside the fuzz targets, too
use rtflash::{address, algorithm, boot, image, problem, target};

use rtflash::address::Address;
use rtflash::boot::judge;
use rtflash::image::Image;
use rtflash::problem::{ExitCode, Problem};
use rtflash::target::Target;

const FIXTURES: [&str; 3] = [
    include_str!("../data/odd/good.hex"),
    include_str!("../data/blinky-xip.headerless.hex"),
    include_str!("../data/blinky-itcm.complete.hex"),
];
const COMPLETE: &str = include_str!("../data/blinky-xip.complete.hex");

/// Codes of a malformed file; scripts know them.
const MALFORMED: [&str; 17] = [
    "hex-record",
    "hex-checksum",
    "hex-record-type",
    "hex-address",
    "hex-after-end",
    "hex-no-end",
    "hex-overlap",
    // a changed first letter can make another text format of it
    "srec-record",
    "srec-checksum",
    "srec-record-type",
    "srec-address",
    "srec-after-end",
    "srec-no-end",
    "srec-overlap",
    "input-empty",
    "input-format",
    "input-no-data",
];
/// Those that no line can be blamed for; what is no text has no lines.
const WITHOUT_LINE: [&str; 3] = ["input-empty", "input-no-data", "input-format"];

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

/// Says what every problem must say, exit code included.
fn assert_well_told(problem: &Problem, exit: ExitCode) {
    assert_eq!(problem.exit, exit, "{problem}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(
        !problem.code.is_empty() && problem.code.chars().all(plain),
        "{problem}"
    );
    assert!(
        !problem.what.is_empty() && !problem.what.starts_with(char::is_uppercase),
        "{problem}"
    );
    assert!(problem.fix.is_some(), "{problem}");
}

/// Reads and judges `content` as `rtflash flash` would.
fn take_in(content: &[u8]) -> Option<Image> {
    let lines = content.split(|byte| *byte == b'\n').count();
    let image = match Image::parse(Path::new("app.hex"), content) {
        Ok(image) => image,
        Err(error) => {
            let problem = Problem::from(error);
            assert_well_told(&problem, ExitCode::MalformedInput);
            assert!(MALFORMED.contains(&problem.code), "{problem}");
            assert_eq!(
                problem.place.file.as_deref(),
                Some(Path::new("app.hex")),
                "{problem}"
            );
            match problem.place.line {
                Some(line) => assert!((1..=lines).contains(&(line as usize)), "{problem}"),
                None => assert!(WITHOUT_LINE.contains(&problem.code), "{problem}"),
            }
            return None;
        }
    };
    assert!(image.len_bytes() > 0);
    assert!(
        image
            .segments()
            .windows(2)
            .all(|two| two[0].end() < u64::from(two[1].start().get()))
    );
    for segment in image.segments() {
        let place = image.place_of(segment.start()).expect("place");
        let line = place.line.expect("line") as usize;
        assert!((1..=lines).contains(&line), "{place}");
    }
    judge_as_flash_does(&image);
    Some(image)
}

fn judge_as_flash_does(image: &Image) {
    let target = target();
    if let Err(error) = image.require_inside(target.flash_window()) {
        let problem = Problem::from(error);
        assert_well_told(&problem, ExitCode::Refused);
        assert!(problem.place.line.is_some(), "{problem}");
        return;
    }
    if let Err(refused) = judge(image, None, &target).into_boot_image() {
        assert_well_told(&refused.into(), ExitCode::Refused);
    }
}

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, u8),
    Insert(Index, u8),
    Delete(Index),
    Truncate(Index),
    RepeatLine(Index, Index),
    DropLine(Index),
}

impl Change {
    fn apply(&self, text: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let lines = |text: &[u8]| {
            text.split_inclusive(|b| *b == b'\n')
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        match self {
            Change::Replace(at, byte) => {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            Change::Insert(at, byte) => text.insert(at.index(text.len()), *byte),
            Change::Delete(at) => {
                text.remove(at.index(text.len()));
            }
            Change::Truncate(at) => text.truncate(at.index(text.len())),
            Change::RepeatLine(from, to) => {
                let mut all = lines(text);
                let line = all[from.index(all.len())].clone();
                all.insert(to.index(all.len()), line);
                *text = all.concat();
            }
            Change::DropLine(at) => {
                let mut all = lines(text);
                all.remove(at.index(all.len()));
                *text = all.concat();
            }
        }
    }
}

/// Bytes that mean something in a HEX file more often than others.
fn telling_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        select(b":0123456789ABCDEFabcdef\r\n \t\0\x1A".to_vec()),
        any::<u8>()
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), telling_byte()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (any::<Index>(), telling_byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Delete),
        any::<Index>().prop_map(Change::Truncate),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::RepeatLine(from, to)),
        any::<Index>().prop_map(Change::DropLine),
    ]
}

/// A line whose checksum is right and whose content may be anything, so that it gets past the first checks.
fn line(record_type: u8, offset: u16, data: &[u8]) -> String {
    let [high, low] = offset.to_be_bytes();
    let mut bytes = vec![data.len() as u8, high, low, record_type];
    bytes.extend_from_slice(data);
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.push(sum.wrapping_neg());
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(":{digits}\n")
}

/// Records of every type, addresses at the edges included, with the right checksum.
fn any_line() -> impl Strategy<Value = String> {
    let offset = prop_oneof![Just(0), Just(0xFFFF), Just(0xFFF8), any::<u16>()];
    let half = prop_oneof![
        Just(0),
        Just(0x6000),
        Just(0x6080),
        Just(0xFFFF),
        any::<u16>()
    ];
    prop_oneof![
        4 => (offset, vec(any::<u8>(), 0..20)).prop_map(|(offset, data)| line(0, offset, &data)),
        2 => half.prop_flat_map(|half| select(vec![2, 4]).prop_map(move |t| line(t, 0, &half.to_be_bytes()))),
        1 => (0..8_u8, any::<u16>(), vec(any::<u8>(), 0..6)).prop_map(|(t, offset, data)| line(t, offset, &data)),
    ]
}

/// The content of a HEX file by address, read by the `ihex` crate alone.
fn bytes_of(text: &str) -> BTreeMap<u32, u8> {
    let mut upper = 0;
    let mut bytes = BTreeMap::new();
    for record in ihex::Reader::new(text) {
        match record.expect("record") {
            Record::ExtendedLinearAddress(half) => upper = u32::from(half) << 16,
            Record::Data { offset, value } => {
                bytes.extend((upper + u32::from(offset)..).zip(value));
            }
            _ => {}
        }
    }
    bytes
}

/// A HEX file with the bytes, one record each run of up to 16.
fn hex_of(bytes: &BTreeMap<u32, u8>) -> String {
    let mut text = String::new();
    let mut run: Vec<u8> = Vec::new();
    for (address, byte) in bytes {
        run.push(*byte);
        if run.len() == 16 || address % 16 == 15 || !bytes.contains_key(&address.wrapping_add(1)) {
            let start = address - (run.len() as u32 - 1);
            text += &line(4, 0, &((start >> 16) as u16).to_be_bytes());
            text += &line(0, start as u16, &run);
            run.clear();
        }
    }
    text + ":00000001FF\n"
}

#[test]
fn the_fixtures_are_taken_in() {
    for text in FIXTURES.into_iter().chain([COMPLETE]) {
        let image = take_in(text.as_bytes()).expect("a sound file");
        for (address, byte) in bytes_of(text) {
            assert_eq!(
                image.bytes_at(Address::new(address), 1),
                Some([byte].as_slice())
            );
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_with_code_and_line(content in vec(any::<u8>(), 0..400)) {
        take_in(&content);
    }

    #[test]
    fn arbitrary_text_behind_a_colon_is_refused_with_code_and_line(content in vec(telling_byte(), 0..400)) {
        take_in(&[b":".as_slice(), &content].concat());
    }

    #[test]
    fn a_mutated_file_is_taken_or_refused_with_code_and_line(
        text in select(FIXTURES.to_vec()),
        changes in vec(change(), 1..6),
    ) {
        let mut text = text.as_bytes().to_vec();
        for change in changes {
            change.apply(&mut text);
        }
        take_in(&text);
    }

    #[test]
    fn records_that_are_sound_one_by_one_are_taken_or_refused_with_code_and_line(
        lines in vec(any_line(), 0..12),
        ended in any::<bool>(),
    ) {
        let end = if ended { ":00000001FF\r\n" } else { "" };
        take_in((lines.concat() + end).as_bytes());
    }

    #[test]
    fn one_changed_digit_is_never_taken_for_the_file_it_was(
        at in any::<Index>(),
        digit in select(b"0123456789ABCDEF".to_vec()),
    ) {
        let sound = Image::parse(Path::new("app.hex"), FIXTURES[0].as_bytes()).expect("sound");
        let mut text = FIXTURES[0].as_bytes().to_vec();
        let digits: Vec<usize> = (0..text.len()).filter(|i| text[*i].is_ascii_hexdigit()).collect();
        let at = digits[at.index(digits.len())];
        prop_assume!(text[at] != digit);
        text[at] = digit;
        if let Some(image) = take_in(&text) {
            prop_assert_ne!(image.segments(), sound.segments());
        }
    }

    #[test]
    fn every_byte_of_a_sound_file_comes_through_in_any_order_of_lines(
        chunks in vec((0x6000_0000_u32..0x6000_4000, vec(any::<u8>(), 1..40)), 1..20),
        seed in any::<u64>(),
        line_end in select(vec!["\n", "\r\n", "\n\n"]),
        lower in any::<bool>(),
    ) {
        let bytes: BTreeMap<u32, u8> = chunks.into_iter().flat_map(|(start, data)| (start..).zip(data)).collect();
        let text = hex_of(&bytes);
        // each data record follows its address record: pairs may stand in any order
        let body: Vec<&str> = text.lines().filter(|line| *line != ":00000001FF").collect();
        let mut pairs: Vec<String> = body.chunks(2).map(|pair| pair.join("\n")).collect();
        let mut x = seed | 1;
        pairs.sort_by_cached_key(|_| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            x >> 32
        });
        let text = (pairs.join("\n") + "\n:00000001FF\n").replace('\n', line_end);
        let text = if lower { text.to_lowercase() } else { text };
        let image = take_in(text.as_bytes()).expect("a sound file");
        prop_assert_eq!(image.len_bytes(), bytes.len() as u64);
        for (address, byte) in &bytes {
            let address = Address::new(*address);
            let wanted = [*byte];
            prop_assert_eq!(image.bytes_at(address, 1), Some(wanted.as_slice()));
            let line = image.place_of(address).and_then(|place| place.line).expect("line");
            let line = text.lines().nth(line as usize - 1).expect("the file has that line");
            prop_assert!(line.to_uppercase().contains(&format!("{byte:02X}")), "{} does not bring {:02X}", line, byte);
        }
    }

    #[test]
    fn an_image_with_a_damaged_boot_header_is_judged_or_refused_with_code(
        damage in vec(
            (
                prop_oneof![
                    Just(0_u32..0x200), // FCB
                    Just(0x1000..0x1030), // IVT and boot data
                    Just(0x2000..0x2010), // first vectors
                ]
                .prop_flat_map(|range| range),
                prop_oneof![Just(0_u8), Just(0xFF), any::<u8>()],
            ),
            1..8,
        ),
        dropped in proptest::option::of((0..0x2400_u32, 1..0x1200_u32)),
    ) {
        let mut bytes = bytes_of(COMPLETE);
        for (offset, value) in damage {
            bytes.insert(0x6000_0000 + offset, value);
        }
        if let Some((from, length)) = dropped {
            let range = 0x6000_0000 + from..0x6000_0000 + from + length;
            bytes.retain(|address, _| !range.contains(address));
        }
        let text = hex_of(&bytes);
        let image = Image::parse(Path::new("app.hex"), text.as_bytes()).expect("a sound file");
        judge_as_flash_does(&image);
    }
}

fn any_request() -> impl Strategy<Value = Request> {
    let three = any::<[u32; 3]>();
    prop_oneof![
        Just(Request::Identify),
        Just(Request::ClearFault),
        Just(Request::Stop),
        three.prop_map(|[address, length, nonce]| Request::Map {
            address,
            length,
            nonce
        }),
        any::<[u32; 3]>().prop_map(|[address, length, nonce]| Request::Digest {
            address,
            length,
            nonce
        }),
        (any::<[u32; 3]>(), any::<u8>()).prop_map(|([address, size, flags], opcode)| {
            Request::Erase {
                address,
                size,
                opcode,
                flags,
            }
        }),
        any::<[u32; 4]>().prop_map(|[address, length, first_chunk, chunks]| Request::Program {
            address,
            length,
            first_chunk,
            chunks
        }),
        any::<[u32; 2]>().prop_map(|[address, length]| Request::Read { address, length }),
        any::<[u32; 2]>().prop_map(|[value, mask]| Request::SetStatus { value, mask }),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let codes: Vec<FaultCode> = (0..64).filter_map(FaultCode::from_word).collect();
    let stages: Vec<Stage> = (0..64).filter_map(Stage::from_word).collect();
    (select(codes), select(stages), any::<[u32; 3]>()).prop_map(
        |(code, stage, [address, expected, found])| Fault {
            code,
            stage,
            address,
            expected,
            found,
        },
    )
}

fn any_result() -> impl Strategy<Value = ResultRecord> {
    let outcome = prop_oneof![Just(Ok(())), any_fault().prop_map(Err)];
    (outcome, any::<[u32; 6]>()).prop_map(
        |(outcome, [sequence, v0, v1, reply_start, reply_length, reply_crc])| ResultRecord {
            sequence,
            outcome,
            values: [v0, v1],
            reply_start,
            reply_length,
            reply_crc,
        },
    )
}

fn any_setup() -> impl Strategy<Value = Setup> {
    (any::<[u32; 14]>(), any::<[u8; 13]>()).prop_map(|(words, bytes)| Setup {
        session: words[0],
        lease_ms: words[1],
        flash_bytes: words[2],
        page_program_limit_us: words[3],
        erase_4k_limit_us: words[4],
        erase_32k_limit_us: words[5],
        erase_64k_limit_us: words[6],
        erase_chip_limit_us: words[7],
        write_status_limit_us: words[8],
        reset_recovery_us: words[9],
        power_down_release_us: words[10],
        flags: words[11],
        quad_enable_mask: words[13],
        quad_program_opcode: bytes[1],
        quad_read_opcode: bytes[2],
        quad_read_dummy_clocks: bytes[3],
        fast_read_dummy_clocks: bytes[4],
        work_clock_mhz: words[12],
        further_status: [[bytes[5], bytes[6]], [bytes[7], bytes[8]]].map(
            |[read_opcode, write_opcode]| StatusAccess {
                read_opcode,
                write_opcode,
            },
        ),
        suspend: SuspendFlags {
            read_opcode: bytes[9],
            mask: bytes[0],
        },
        jedec_id: [bytes[10], bytes[11], bytes[12]],
    })
}

fn any_identity() -> impl Strategy<Value = Identity> {
    let registers = (
        uniform3(any::<u8>()),
        (any::<u32>(), any::<u8>()),
        any::<[u32; 2]>(),
        any::<bool>(),
    );
    (registers, vec(any::<u8>(), SFDP_BYTES)).prop_map(
        |((jedec_id, (status, suspend), [found, hz], quad), sfdp)| Identity {
            jedec_id,
            status_register: status,
            suspend_register: suspend,
            found,
            work_clock_hz: hz,
            quad,
            sfdp: sfdp.try_into().expect("length"),
        },
    )
}

/// Words with the checksum that `sealed` of them need in the last.
fn seal<const N: usize>(words: &mut [u32; N]) {
    if let Some((last, rest)) = words.split_last_mut() {
        *last = crc32_words(rest);
    }
}

/// Turns one bit over.
fn flip<const N: usize>(words: &mut [u32; N], bit: Index) {
    let bit = bit.index(N * 32);
    words[bit / 32] ^= 1 << (bit % 32);
}

proptest! {
    #[test]
    fn a_request_arrives_as_it_was_sent(sent in any_request(), sequence in any::<u32>()) {
        prop_assert_eq!(Request::from_words(&sent.to_words(sequence), sequence), Some(sent));
        prop_assert_eq!(Request::from_words(&sent.to_words(sequence), sequence.wrapping_add(1)), None);
    }

    #[test]
    fn a_request_with_one_flipped_bit_is_none(sent in any_request(), sequence in any::<u32>(), bit in any::<Index>()) {
        let mut words = sent.to_words(sequence);
        flip(&mut words, bit);
        prop_assert_eq!(Request::from_words(&words, sequence), None);
    }

    #[test]
    fn random_words_are_a_request_only_with_a_kind_that_exists(
        mut words in any::<[u32; request::WORDS]>(),
        kind in 0..16_u32,
    ) {
        let _ = Request::from_words(&words, words[1]);
        words[0] = kind;
        seal(&mut words);
        let taken = Request::from_words(&words, words[1]);
        prop_assert_eq!(taken.is_some(), (1..=9).contains(&kind));
        if let Some(request) = taken {
            prop_assert_eq!(Request::from_words(&request.to_words(5), 5), Some(request));
        }
    }

    #[test]
    fn a_result_arrives_as_it_was_sent(sent in any_result()) {
        prop_assert_eq!(ResultRecord::from_words(&sent.to_words(), sent.sequence), Some(sent));
        prop_assert_eq!(ResultRecord::from_words(&sent.to_words(), sent.sequence.wrapping_sub(1)), None);
    }

    #[test]
    fn a_result_with_one_flipped_bit_is_none(sent in any_result(), bit in any::<Index>()) {
        let mut words = sent.to_words();
        flip(&mut words, bit);
        prop_assert_eq!(ResultRecord::from_words(&words, sent.sequence), None);
    }

    #[test]
    fn random_words_are_a_result_only_with_codes_that_exist(
        mut words in any::<[u32; result::WORDS]>(),
        code in 0..64_u32,
        stage in 0..64_u32,
    ) {
        let _ = ResultRecord::from_words(&words, words[0]);
        (words[1], words[2]) = (code, stage);
        seal(&mut words);
        let taken = ResultRecord::from_words(&words, words[0]);
        let known = FaultCode::from_word(code).is_some() && Stage::from_word(stage).is_some();
        prop_assert_eq!(taken.is_some(), code == 0 || known);
        prop_assert_eq!(taken.map(|result| result.outcome.is_ok()), taken.map(|_| code == 0));
    }

    #[test]
    fn a_setup_arrives_as_it_was_sent(sent in any_setup()) {
        prop_assert_eq!(Setup::from_words(&sent.to_words()), Some(sent));
    }

    #[test]
    fn a_setup_with_one_flipped_bit_is_none(sent in any_setup(), bit in any::<Index>()) {
        let mut words = sent.to_words();
        flip(&mut words, bit);
        prop_assert_eq!(Setup::from_words(&words), None);
    }

    #[test]
    fn random_words_are_no_setup(mut words in any::<[u32; setup::WORDS]>()) {
        prop_assert_eq!(Setup::from_words(&words), None);
        seal(&mut words);
        prop_assert_eq!(Setup::from_words(&words), None);
    }

    #[test]
    fn a_status_takes_every_word_from_its_place_and_hides_no_fault(
        words in any::<[u32; status::WORDS]>(),
        state in 0..9_u32,
        faults in 0..2_u32,
    ) {
        let mut words = words;
        let place = |offset: u32| ((offset - STATUS) / 4) as usize;
        words[place(status::AT_STATE)] = state;
        words[place(status::AT_FAULTS)] = faults;
        let taken = Status::from_words(&words);
        for (offset, value) in [
            (status::AT_MAGIC, taken.magic),
            (status::AT_VERSION, taken.version),
            (status::AT_LAYOUT_DIGEST, taken.layout_digest),
            (status::AT_SESSION, taken.session),
            (status::AT_ALIVE, taken.alive),
            (status::AT_RESULTS_PUT, taken.results_put),
            (status::AT_REQUESTS_TAKEN, taken.requests_taken),
            (status::AT_PAYLOAD_TAKEN, taken.payload_taken),
            (status::AT_REPLIES_PUT, taken.replies_put),
            (status::AT_PROGRESS, taken.progress),
        ] {
            prop_assert_eq!(words[place(offset)], value, "status word at {:#x}", offset);
        }
        prop_assert_eq!(taken.state, ServerState::from_word(state));
        prop_assert_eq!(taken.fault.is_some(), faults != 0);
        // a block of noise is nobody's server
        prop_assert!(!taken.is_up(taken.session));
    }

    #[test]
    fn an_identity_arrives_as_it_was_sent(sent in any_identity()) {
        prop_assert_eq!(Identity::from_words(&sent.to_words()), sent);
    }

    #[test]
    fn random_words_are_an_identity_that_is_stable(words in vec(any::<u32>(), IDENTITY_WORDS)) {
        let words: [u32; IDENTITY_WORDS] = words.try_into().expect("length");
        let identity = Identity::from_words(&words);
        prop_assert_eq!(Identity::from_words(&identity.to_words()), identity);
    }

    #[test]
    fn sector_records_and_chunk_headers_are_their_words(words in any::<[u32; 4]>()) {
        let [a, b, c, _] = words;
        let sector = SectorRecord::from_words([a, b, c]);
        prop_assert_eq!(sector.to_words(), [a, b, c]);
        prop_assert_eq!((sector.is_blank(), sector.digest), (a == 0, Digest([b, c])));
        prop_assert_eq!(ChunkHeader::from_words(words).to_words(), words);
    }
}
