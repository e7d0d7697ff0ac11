//! What must hold for the parts of a boot header, whatever bytes stand in their places.

use std::sync::LazyLock;

use super::Input;
use crate::boot::dcd::{self, DCD_HEADER_BYTES, DcdHeader};
use crate::boot::{
    BootData, Fcb, Instruction, Ivt, LookupTable, boot_data_fields, fcb_fields, ivt_fields,
    sequences,
};
use crate::target::Chip;

const SEQUENCES: usize = 16;
static CHIP: LazyLock<Chip> = LazyLock::new(|| Chip::builtin("mimxrt1062").expect("chip"));

/// 512 bytes, zeros behind the end of the input: parsed, built and explained.
pub fn fcb(content: &[u8]) {
    let mut block = [0; Fcb::SIZE_BYTES];
    for (to, from) in block.iter_mut().zip(content) {
        *to = *from;
    }
    let fcb = Fcb::parse(&block);
    assert_eq!(fcb.build(), block);
    for field in fcb_fields(&fcb, &CHIP) {
        assert!(field.offset < Fcb::SIZE_BYTES && field.value.starts_with("0x"));
    }
    let lines = fcb.read_lines();
    assert_eq!(
        fcb.needs_quad_enable(),
        lines.is_some_and(|lines| lines.contains(&4))
    );
    assert!(fcb.read_wait_clocks() <= 8 * u32::from(u8::MAX));
    look_up_table(&fcb);
}

/// A sequence that is read and set again is the same up to its STOP, and leaves the others alone.
fn look_up_table(fcb: &Fcb) {
    let table = fcb.lookup_table;
    let mut again = LookupTable::EMPTY;
    let mut in_place = table;
    for number in 0..SEQUENCES {
        let sequence = table.sequence(number);
        again.set_sequence(number, &sequence);
        in_place.set_sequence(number, &sequence);
        assert_eq!(again.sequence(number), sequence);
        for instruction in &sequence {
            assert_eq!(Instruction::decode(instruction.encode()), *instruction);
        }
    }
    assert_eq!(again, in_place);
    assert!(table.sequence(SEQUENCES).is_empty());
    let shown = sequences(fcb);
    assert_eq!(table.to_string().lines().count(), shown.len());
}

/// IVT and boot data as they follow each other in the flash.
pub fn ivt(content: &[u8]) {
    let mut input = Input::new(content);
    let mut bytes = [0; Ivt::SIZE_BYTES];
    for byte in &mut bytes {
        *byte = input.byte().unwrap_or_default();
    }
    let parsed = Ivt::parse(&bytes);
    assert_eq!(parsed.is_some(), bytes[0] == 0xD1);
    if let Some(ivt) = parsed {
        assert_eq!(ivt.build(), bytes);
        assert_eq!(ivt_fields(&ivt).len(), Ivt::SIZE_BYTES / 4);
    }
    let mut bytes = [0; BootData::SIZE_BYTES];
    for byte in &mut bytes {
        *byte = input.byte().unwrap_or_default();
    }
    let data = BootData::parse(&bytes);
    assert!(data.build().starts_with(&bytes));
    assert_eq!(boot_data_fields(&data).len(), BootData::SIZE_BYTES / 4);
}

/// A DCD as it stands, and once more with the length and tag bytes that get the walk further.
pub fn dcd(content: &[u8]) {
    walk(content);
    let mut repaired = content.to_vec();
    let mut at = DCD_HEADER_BYTES;
    while let Some([tag, high, low, parameter]) = repaired.get_mut(at..at + DCD_HEADER_BYTES) {
        *tag = [0xCC, 0xCF, 0xC0, 0xB2, *tag][usize::from(*tag) % 5];
        *parameter = *parameter & 0xF8 | [1, 2, 4][usize::from(*parameter) % 3];
        let length = match *tag {
            0xCC => DCD_HEADER_BYTES + 8 * (1 + usize::from(*low) % 4),
            0xCF => DCD_HEADER_BYTES + 8 + 4 * (usize::from(*low) % 2),
            _ => DCD_HEADER_BYTES,
        };
        [*high, *low] = (length as u16).to_be_bytes();
        at += length;
    }
    walk(&repaired);
}

fn walk(bytes: &[u8]) {
    if let Some(header) = bytes.first_chunk().copied().and_then(DcdHeader::parse) {
        assert_eq!(bytes[0], dcd::DCD_TAG);
        assert!(!header.has_possible_length() || usize::from(header.length_bytes) >= 4);
    }
    match dcd::walk(bytes) {
        Ok(steps) => {
            assert!(steps.len() * DCD_HEADER_BYTES <= bytes.len());
            assert!(steps.iter().all(|step| !step.to_string().is_empty()));
        }
        Err(fault) => {
            assert!((DCD_HEADER_BYTES..bytes.len()).contains(&fault.at));
            // what stands before the fault is well-formed by itself
            assert!(dcd::walk(&bytes[..fault.at]).is_ok());
        }
    }
}
