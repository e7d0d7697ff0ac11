//! Merging: the order of files that agree makes no difference, and files that do not are refused with both named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use rtflash::address::Address;
use rtflash::image::{Image, ImageError};
use rtflash::problem::{ExitCode, Problem};

use crate::write;

const BASE: u32 = 0x6000_2000;
const REACH: u32 = 0x200;

/// A file's bytes by address, and its name.
#[derive(Clone, Debug)]
struct File {
    name: PathBuf,
    bytes: BTreeMap<u32, u8>,
}

impl File {
    /// The file as S-records, one for each run of bytes.
    fn read(&self) -> Image {
        let mut pieces: Vec<(u32, Vec<u8>)> = Vec::new();
        for (address, byte) in &self.bytes {
            match pieces.last_mut() {
                Some((start, bytes)) if *start + bytes.len() as u32 == *address => {
                    bytes.push(*byte);
                }
                _ => pieces.push((*address, vec![*byte])),
            }
        }
        Image::parse(&self.name, &write::s_records(3, &pieces)).expect("image")
    }
}

/// What all files that agree have at an address.
fn agreed(address: u32) -> u8 {
    (address.wrapping_mul(0x9E37_79B1) >> 24) as u8
}

/// Files of a few pieces each, which may overlap and then agree.
fn files() -> impl Strategy<Value = Vec<File>> {
    let piece = (0..REACH, 1_u32..60);
    let file = prop::collection::vec(piece, 1..5);
    prop::collection::vec(file, 1..5).prop_map(|files| {
        let named = files.into_iter().enumerate().map(|(index, pieces)| {
            let addresses = pieces.into_iter().flat_map(|(at, length)| at..at + length);
            File {
                name: PathBuf::from(format!("{index}.srec")),
                bytes: addresses.map(|at| (BASE + at, agreed(BASE + at))).collect(),
            }
        });
        named.collect()
    })
}

fn merged(files: &[File]) -> Result<Image, ImageError> {
    Image::merge(files.iter().map(File::read).collect())
}

fn content(image: &Image) -> Vec<(Address, &[u8])> {
    let segments = image.segments().iter();
    segments.map(|s| (s.start(), s.bytes())).collect()
}

proptest! {
    #[test]
    fn the_order_of_files_that_agree_makes_no_difference(
        (files, shuffled) in files().prop_flat_map(|files| (Just(files.clone()), Just(files).prop_shuffle())),
    ) {
        let one = merged(&files).expect("they agree");
        let other = merged(&shuffled).expect("they agree");
        prop_assert_eq!(content(&one), content(&other));
        let all: BTreeSet<u32> = files.iter().flat_map(|file| file.bytes.keys().copied()).collect();
        prop_assert_eq!(one.len_bytes(), all.len() as u64);
        for address in all {
            let at = Address::new(address);
            let expected = [agreed(address)];
            prop_assert_eq!(one.bytes_at(at, 1), Some(&expected[..]));
            // the first file that brings it counts as its origin
            let first = shuffled.iter().find(|file| file.bytes.contains_key(&address));
            let origin = other.place_of(at).and_then(|place| place.file);
            prop_assert_eq!(origin.as_ref(), first.map(|file| &file.name));
        }
    }

    #[test]
    fn any_difference_is_refused_with_both_files_the_address_and_the_first_difference(
        (files, places) in (files(), prop::collection::vec(any::<Index>(), 1..4)).prop_flat_map(|(mut files, places)| {
            // a copy of the first file with other bytes in some places
            let mut odd = File { name: PathBuf::from("odd.srec"), ..files[0].clone() };
            let addresses: Vec<u32> = odd.bytes.keys().copied().collect();
            let places: BTreeSet<u32> = places.iter().map(|place| *place.get(&addresses)).collect();
            for place in &places {
                odd.bytes.entry(*place).and_modify(|byte| *byte ^= 0x5A);
            }
            files.push(odd);
            (Just(files).prop_shuffle(), Just(places))
        }),
    ) {
        let error = merged(&files).expect_err("they differ");
        let ImageError::Conflict { address, conflict } = &error else {
            return Err(TestCaseError::fail(format!("{error:?}")));
        };
        let position = |name: Option<&PathBuf>| files.iter().position(|file| Some(&file.name) == name);
        let first = position(conflict.first.file.as_ref()).expect("a file");
        let second = position(conflict.second.file.as_ref()).expect("a file");
        prop_assert!(first < second, "in the order given");
        let [first, second] = [&files[first], &files[second]];
        let names = [&first.name, &second.name];
        prop_assert!(names.contains(&&PathBuf::from("odd.srec")), "{:?}", names);
        // it is the first of their differences
        let differences = first.bytes.iter().filter(|(at, byte)| {
            second.bytes.get(at).is_some_and(|other| other != *byte)
        });
        let (at, byte) = differences.min().expect("a difference");
        prop_assert!(places.contains(at));
        prop_assert_eq!(address.get(), *at);
        prop_assert_eq!((conflict.first_byte, conflict.second_byte), (*byte, second.bytes[at]));
        let (first_place, second_place) = (conflict.first.to_string(), conflict.second.to_string());
        let problem = Problem::from(error.clone());
        prop_assert_eq!((problem.code, problem.exit), ("input-conflict", ExitCode::MalformedInput));
        prop_assert_eq!(problem.place.file.as_deref(), Some(Path::new(&second.name)));
        prop_assert_eq!(problem.place.address, Some(*address));
        let why = problem.why.unwrap_or_default();
        let expected = format!(
            "{first_place} brings 0x{byte:02X}, {second_place} brings 0x{:02X}", second.bytes[at]
        );
        prop_assert_eq!(why, expected);
    }
}
