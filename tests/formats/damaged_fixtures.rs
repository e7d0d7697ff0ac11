//! Fixtures that are damaged or cut off, without libFuzzer.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::board::content;
use crate::check;

const FIXTURES: [&str; 6] = [
    "blinky-xip.headerless.hex",
    "formats/blinky-xip.headerless.srec",
    "formats/blinky-xip.headerless.elf",
    "formats/blinky-xip.headerless.uf2",
    "formats/blinky-xip.headerless.bin",
    "formats/blinky-xip.complete.bin",
];

proptest! {
    #[test]
    fn a_fixture_with_other_bytes_or_without_its_end_is_read_or_refused(
        fixture in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        end in prop::option::of(any::<Index>()),
    ) {
        let mut content = content(fixture);
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Some(end) = end {
            content.truncate(end.index(content.len()));
        }
        check::read(&content, None);
        check::read(&content, Some(0x6000_0000));
    }
}
