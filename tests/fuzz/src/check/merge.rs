//! What must hold for several files of arbitrary pieces: one image in every order, or one conflict named with both sides.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::Input;
use crate::address::Address;
use crate::image::{Image, ImageError};

const NAMES: [&str; 4] = ["a.srec", "b.srec", "c.srec", "d.srec"];
/// Where pieces lie: in the flash, and up to the end of the bus.
const BASES: [u32; 2] = [0x6000_0000, 0xFFFF_F000];
const REACH: u32 = 0x1000;
const LONGEST_PIECE: u32 = 64;

/// One file as a map, with the line that brings each byte.
#[derive(Clone, Default)]
struct File {
    name: &'static str,
    text: String,
    lines: u32,
    bytes: BTreeMap<u32, (u8, u32)>,
    overlaps: bool,
}

impl File {
    fn put(&mut self, address: u32, data: &[u8]) {
        let mut record = vec![data.len() as u8 + 5];
        record.extend(address.to_be_bytes());
        record.extend(data);
        record.push(
            !record
                .iter()
                .fold(0_u8, |sum, byte| sum.wrapping_add(*byte)),
        );
        self.text.push_str("S3");
        for byte in record {
            write!(self.text, "{byte:02X}").expect("text");
        }
        self.text.push('\n');
        self.lines += 1;
        for (address, byte) in (address..=u32::MAX).zip(data) {
            let before = self.bytes.insert(address, (*byte, self.lines));
            self.overlaps |= before.is_some();
        }
    }
}

/// Five bytes a piece: file and base, address, length, and the byte at which it differs from what all files agree on.
pub fn merge(content: &[u8]) {
    let mut files: [File; 4] = std::array::from_fn(|index| File {
        name: NAMES[index],
        ..File::default()
    });
    let mut input = Input::new(content);
    while let Some([choice, low, high, length, odd]) = input.bytes(5).first_chunk().copied() {
        let base = BASES[usize::from(choice >> 2 & 1)];
        let address = base + u32::from(u16::from_le_bytes([low, high])) % REACH;
        let room = (u32::MAX - address).saturating_add(1);
        let length = (1 + u32::from(length) % LONGEST_PIECE).min(room);
        let mut data: Vec<u8> = (0..length).map(|at| agreed(address + at)).collect();
        if let Some(byte) = data.get_mut(usize::from(odd)) {
            *byte ^= 0x5A;
        }
        files[usize::from(choice & 3)].put(address, &data);
    }
    let files: Vec<File> = files.into_iter().filter(|file| file.lines > 0).collect();
    let mut images = Vec::new();
    for file in &files {
        let text = format!("{}S70500000000FA\n", file.text);
        let image = Image::parse(Path::new(file.name), text.as_bytes());
        let overlaps = matches!(image, Err(ImageError::OverlapInFile { .. }));
        assert_eq!(overlaps, file.overlaps, "{text}");
        match image {
            Ok(image) => images.push((file, image)),
            Err(_) if overlaps => return,
            Err(error) => panic!("{error}: {text}"),
        }
    }
    let forwards = merged(&images);
    for _ in 1..images.len() {
        images.rotate_left(1);
        assert_eq!(merged(&images), forwards);
    }
    images.reverse();
    assert_eq!(merged(&images), forwards);
}

/// What every file has at an address, unless it is odd there.
fn agreed(address: u32) -> u8 {
    (address.wrapping_mul(0x9E37_79B1) >> 24) as u8
}

/// Merges in this order and compares with a plain map; the content, if the files agree.
fn merged(files: &[(&File, Image)]) -> Option<Vec<(u32, Vec<u8>)>> {
    let result = Image::merge(files.iter().map(|(_, image)| image.clone()).collect());
    let mut all: BTreeMap<u32, (u8, u32, &str)> = BTreeMap::new();
    for (file, _) in files {
        let differing = file.bytes.iter().find_map(|(address, (byte, line))| {
            let earlier = all.get(address).filter(|(other, ..)| other != byte)?;
            Some((*address, *earlier, (*byte, *line, file.name)))
        });
        if let Some((address, first, second)) = differing {
            conflicts(result, address, first, second);
            return None;
        }
        for (address, (byte, line)) in &file.bytes {
            all.entry(*address).or_insert((*byte, *line, file.name));
        }
    }
    let image = match result {
        Ok(image) => image,
        Err(ImageError::NoInput) if files.is_empty() => return None,
        Err(error) => panic!("the files agree: {error}"),
    };
    assert_eq!(image.len_bytes(), all.len() as u64);
    for (address, (byte, line, name)) in &all {
        let address = Address::new(*address);
        assert_eq!(image.bytes_at(address, 1), Some(&[*byte][..]));
        let place = image.place_of(address).expect("place");
        assert_eq!(place.file.as_deref(), Some(Path::new(*name)));
        assert_eq!(place.line, Some(*line));
    }
    let segments = image.segments().iter();
    Some(
        segments
            .map(|s| (s.start().get(), s.bytes().to_vec()))
            .collect(),
    )
}

/// The refusal names the first address at which the files differ, and both sides.
fn conflicts(
    result: Result<Image, ImageError>,
    address: u32,
    first: (u8, u32, &str),
    second: (u8, u32, &str),
) {
    let Err(ImageError::Conflict {
        address: told,
        conflict,
    }) = result
    else {
        panic!("the files differ at 0x{address:08X}");
    };
    assert_eq!(told.get(), address);
    for (place, told, (byte, line, name)) in [
        (&conflict.first, conflict.first_byte, first),
        (&conflict.second, conflict.second_byte, second),
    ] {
        assert_eq!(place.file.as_deref(), Some(Path::new(name)));
        assert_eq!((place.line, told), (Some(line), byte));
    }
}
