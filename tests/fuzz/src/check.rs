//! What must hold for every content of a file; the fuzz targets and the replay of their corpus ask the same.

use std::path::Path;

use crate::address::{Address, AddressRange, FlashOffset};
use crate::image::{Image, ImageError, Placement, RomPlaces};
use crate::problem::{ExitCode, Problem};

/// The i.MX RT1062's, as far as these checks need them.
pub fn places() -> RomPlaces {
    let range = |start, length| AddressRange::new(Address::new(start), length).expect("range");
    RomPlaces {
        window: range(0x6000_0000, 0x1000_0000),
        fcb: FlashOffset::new(0),
        ivt: FlashOffset::new(0x1000),
        vector_table: FlashOffset::new(0x2000),
        vector_table_alignment_bytes: 0x400,
        ram: vec![
            range(0, 0x8_0000),
            range(0x2000_0000, 0x8_0000),
            range(0x2020_0000, 0x10_0000),
        ],
    }
}

/// Reads `content`, which must neither panic nor give an image or a message that contradicts itself.
pub fn read(content: &[u8], start: Option<u32>) {
    let path = Path::new("input");
    let start = start.map(Address::new);
    match Image::read(path, content, start, &places()) {
        Ok(image) => sound(&image, content),
        Err(error) => well_told(error, content),
    }
}

fn sound(image: &Image, content: &[u8]) {
    let segments = image.segments();
    assert!(!segments.is_empty());
    let gaps = |a: u64, b: Address| a < u64::from(b.get());
    assert!(
        segments
            .windows(2)
            .all(|two| gaps(two[0].end(), two[1].start()))
    );
    assert!(image.len_bytes() <= content.len() as u64);
    for segment in segments {
        assert!(segment.end() <= 1 << 32);
        for (index, byte) in segment.bytes().iter().enumerate().step_by(7) {
            let address = segment
                .start()
                .checked_add(index as u32)
                .expect("on the bus");
            let place = image.place_of(address).expect("place");
            match (place.line, place.offset) {
                (None, Some(offset)) => assert_eq!(content.get(offset as usize), Some(byte)),
                (Some(line), None) => assert!(line >= 1),
                other => panic!("a byte has a line or an offset: {other:?}"),
            }
        }
    }
    // reading the same file twice changes nothing
    let twice = Image::merge(vec![image.clone(), image.clone()]).expect("equal");
    assert_eq!(twice.segments(), image.segments());
    // a picture of the flash stays at 0 only where the user put it there
    if image
        .inputs()
        .iter()
        .all(|input| !matches!(input.placement, Placement::Given { .. }))
    {
        let again = image.clone().rebased(&places());
        assert_eq!(again.segments(), image.segments());
    }
}

fn well_told(error: ImageError, content: &[u8]) {
    let problem = Problem::from(error);
    assert_eq!(problem.exit, ExitCode::MalformedInput);
    assert!(problem.fix.is_some() && !problem.what.is_empty() && !problem.code.is_empty());
    let lines = content.split(|byte| *byte == b'\n').count();
    assert!(
        problem
            .place
            .line
            .is_none_or(|line| (1..=lines).contains(&(line as usize)))
    );
}
