//! Loading the blob, reading it back, and starting it on a halted core.

use std::time::Duration;

use mailbox::Setup;
use mailbox::layout::{
    AREA_ADDRESS, HOST, HOST_BYTES, REPLY_MAX_BYTES, SETUP, STATUS, STATUS_BYTES,
};

use super::{AlgorithmError, Blob};
use crate::address::Address;
use crate::link::{Link, LinkError, Start};
use crate::target::Chip;

/// The tightly coupled data RAM, as the chip's file calls it.
const DTCM: &str = "DTCM";

/// The bus address of an offset in the mailbox area, which ends well below the end of the bus.
pub(super) const fn area(offset: u32) -> Address {
    Address::new(AREA_ADDRESS + offset)
}

/// Puts code, setup and empty counters into RAM, proves that they are there, and lets the core run. Returns how many bytes
/// a second the link carried.
///
/// The core is halted with MPU and caches off (`take_over`).
///
/// # Errors
/// The link, or RAM that does not hold what was written.
pub(super) fn load_and_start(
    link: &mut (dyn Link + '_),
    blob: &Blob,
    setup: Setup,
    chip: &Chip,
) -> Result<u64, AlgorithmError> {
    let begin = link.clock().now();
    link.write(blob.load_address, &blob.words)?;
    let took = link.clock().now().saturating_sub(begin);
    let bytes_per_second = rate(&blob.words, took);
    let setup = Setup {
        lease_ms: setup.lease_ms.max(lease_ms(bytes_per_second)),
        ..setup
    };
    check(link, blob.load_address, &blob.words)?;
    write_checked(link, area(STATUS), &[0; (STATUS_BYTES / 4) as usize])?;
    write_checked(link, area(SETUP), &setup.to_words())?;
    write_checked(link, area(HOST), &[0; (HOST_BYTES / 4) as usize])?;
    let stack = stack_top(link, blob, chip)?;
    link.start(Start {
        entry: blob.entry,
        stack,
        vector_table: blob.load_address,
        argument: 0,
    })?;
    Ok(bytes_per_second)
}

/// Bytes in a second.
fn rate(words: &[u32], took: Duration) -> u64 {
    let bytes = words.len() as f64 * 4.0;
    (bytes / took.as_secs_f64().max(f64::MIN_POSITIVE)) as u64
}

/// A lease that outlasts the longest single access twice, in ms: while one is on its way the host renews nothing. It
/// matters at clocks below about 400 kHz.
fn lease_ms(bytes_per_second: u64) -> u32 {
    const LONGEST_ACCESS_BYTES: u64 = REPLY_MAX_BYTES as u64;
    const MS: u64 = 1_000;
    /// The target's time base wraps after 178 s, and a longer lease would never run out.
    const MOST_MS: u64 = 120_000;
    let ms = 2 * MS * LONGEST_ACCESS_BYTES / bytes_per_second.max(1);
    ms.min(MOST_MS) as u32
}

/// Initial stack pointer: in DTCM, which the core reaches without wait states, unless the FlexRAM split of this board has
/// none; then where the blob has it.
fn stack_top(
    link: &mut (dyn Link + '_),
    blob: &Blob,
    chip: &Chip,
) -> Result<Address, AlgorithmError> {
    /// Found in no RAM by chance, and another word at each end of the stack.
    const MARKS: [u32; 2] = [0x5AC3_0F96, !0x5AC3_0F96];
    let Some(dtcm) = chip.ram.iter().find(|ram| ram.name == DTCM) else {
        return Ok(blob.stack_top);
    };
    let top = Address::new(dtcm.address.get() + blob.stack_bytes);
    let last = Address::new(top.get() - 4 * MARKS.len() as u32);
    for (address, marks) in [(dtcm.address, MARKS), (last, [MARKS[1], MARKS[0]])] {
        match write_checked(link, address, &marks) {
            Ok(()) => {}
            Err(
                AlgorithmError::Link(LinkError::BusFault { .. }) | AlgorithmError::ReadBack { .. },
            ) => return Ok(blob.stack_top),
            Err(error) => return Err(error),
        }
    }
    Ok(top)
}

fn write_checked(
    link: &mut (dyn Link + '_),
    address: Address,
    words: &[u32],
) -> Result<(), AlgorithmError> {
    link.write(address, words)?;
    check(link, address, words)
}

fn check(
    link: &mut (dyn Link + '_),
    address: Address,
    words: &[u32],
) -> Result<(), AlgorithmError> {
    let mut read = vec![0; words.len()];
    link.read(address, &mut read)?;
    for (n, (&expected, found)) in (0..).zip(words.iter().zip(read)) {
        if expected != found {
            let address = Address::new(address.get() + n * 4);
            return Err(AlgorithmError::ReadBack {
                address,
                expected,
                found,
            });
        }
    }
    Ok(())
}
