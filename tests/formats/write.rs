//! Files of every format, written independently of the code that reads them.

/// Bytes and where they go.
pub type Pieces = [(u32, Vec<u8>)];

/// Intel HEX with records of up to 16 bytes.
pub fn intel_hex(pieces: &Pieces) -> Vec<u8> {
    use ihex::Record;
    let mut records = Vec::new();
    for (start, bytes) in pieces {
        let mut at = *start;
        for byte in bytes.chunks(1) {
            records.push(Record::ExtendedLinearAddress((at >> 16) as u16));
            records.push(Record::Data {
                offset: at as u16,
                value: byte.to_vec(),
            });
            at = at.wrapping_add(1);
        }
    }
    records.push(Record::EndOfFile);
    let text = ihex::create_object_file_representation(&records).expect("records");
    text.into_bytes()
}

/// One S-record.
pub fn s_record(kind: u8, address: u32, data: &[u8]) -> String {
    let address_bytes = match kind {
        3 | 7 => 4,
        2 | 6 | 8 => 3,
        _ => 2,
    };
    let mut bytes = vec![(address_bytes + data.len() + 1) as u8];
    bytes.extend(&address.to_be_bytes()[4 - address_bytes..]);
    bytes.extend(data);
    let sum = bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    bytes.push(!(sum as u8));
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("S{kind}{digits}\n")
}

/// S-records with data records of type `kind` (1, 2 or 3), count and end.
pub fn s_records(kind: u8, pieces: &Pieces) -> Vec<u8> {
    let mut text = s_record(0, 0, b"test");
    let mut count = 0;
    for (start, bytes) in pieces {
        for (index, chunk) in bytes.chunks(32).enumerate() {
            text += &s_record(kind, start + 32 * index as u32, chunk);
            count += 1;
        }
    }
    text += &s_record(if count > 0xFFFF { 6 } else { 5 }, count, &[]);
    text += &s_record(10 - kind, 0, &[]);
    text.into_bytes()
}

/// The UF2 family of i.MX RT10xx.
pub const FAMILY: u32 = 0x4FB2_D5BD;

/// One UF2 block.
pub fn uf2_block(address: u32, data: &[u8], number: u32, count: u32, family: u32) -> Vec<u8> {
    let head = [
        0x0A32_4655,
        0x9E5D_5157,
        0x2000,
        address,
        data.len() as u32,
        number,
        count,
        family,
    ];
    let mut block: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
    block.extend(data);
    block.resize(508, 0);
    block.extend(0x0AB1_6F30_u32.to_le_bytes());
    block
}

/// UF2 with blocks of 256 bytes, the last one first.
pub fn uf2(pieces: &Pieces) -> Vec<u8> {
    let blocks: Vec<(u32, &[u8])> = pieces
        .iter()
        .flat_map(|(start, bytes)| {
            let chunks = bytes.chunks(256).enumerate();
            chunks.map(move |(index, chunk)| (start + 256 * index as u32, chunk))
        })
        .collect();
    let count = blocks.len() as u32;
    let numbered = blocks.iter().enumerate().rev();
    numbered
        .flat_map(|(number, (address, chunk))| {
            uf2_block(*address, chunk, number as u32, count, FAMILY)
        })
        .collect()
}

/// An ELF program of segments without sections, whose virtual addresses lie elsewhere.
pub fn elf(pieces: &Pieces) -> Vec<u8> {
    const HEADER: usize = 52;
    const PROGRAM_HEADER: usize = 32;
    let mut offset = HEADER + PROGRAM_HEADER * pieces.len();
    let mut file = b"\x7FELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2, 0, 40, 0]);
    for word in [1, 0, HEADER as u32, 0, 0x0500_0000] {
        file.extend(word.to_le_bytes());
    }
    for half in [HEADER, PROGRAM_HEADER, pieces.len(), 40, 0, 0] {
        file.extend((half as u16).to_le_bytes());
    }
    // where all physical addresses are 0, the virtual ones count
    let away = if pieces.iter().all(|(start, _)| *start == 0) {
        0
    } else {
        u32::MAX
    };
    for (start, bytes) in pieces {
        let size = bytes.len() as u32;
        for word in [
            1,
            offset as u32,
            start ^ away,
            *start,
            size,
            size + 64,
            5,
            1,
        ] {
            file.extend(word.to_le_bytes());
        }
        offset += bytes.len();
    }
    file.extend(pieces.iter().flat_map(|(_, bytes)| bytes));
    file
}
