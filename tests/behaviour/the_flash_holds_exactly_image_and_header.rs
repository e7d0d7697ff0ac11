//! After `flash` the flash holds the image and the inserted header, and every other byte is as before.

use proptest::prelude::*;
use rtflash::report::Verdict;

use crate::bench;

const WINDOW: u32 = 0x6000_0000;
/// Where further segments may lie: behind the application, in the first half megabyte.
const ROOM: std::ops::Range<u32> = 0x6000_3000..0x6008_0000;

/// What the flash held before.
#[derive(Clone, Debug)]
enum Before {
    Blank,
    Full(u32),
    Patches(Vec<(u32, u32, u16)>),
}

fn before() -> impl Strategy<Value = Before> {
    let patch = (0..0x8_0000u32, any::<u32>(), 1..6000u16);
    prop_oneof![
        Just(Before::Blank),
        any::<u32>().prop_map(Before::Full),
        prop::collection::vec(patch, 1..5).prop_map(Before::Patches),
    ]
}

fn segments() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let segment = (ROOM, any::<u32>(), 1..9000usize)
        .prop_map(|(start, seed, length)| (start, bench::noise(seed, length)));
    prop::collection::vec(segment, 0..4).prop_map(|mut segments| {
        segments.sort_by_key(|(start, _)| *start);
        let mut end = ROOM.start;
        segments.retain(|(start, bytes)| {
            let fits = *start >= end;
            if fits {
                end = start + bytes.len() as u32;
            }
            fits
        });
        segments
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_segments_and_the_previous_content(
        segments in segments(),
        before in before(),
        status in prop_oneof![Just(0x00u8), Just(0x40), Just(0x3C), Just(0x7C)],
    ) {
        let board = bench::start(bench::config());
        match before {
            Before::Blank => {}
            Before::Full(seed) => bench::fill(&board, 0, &bench::noise(seed, 0x10_0000)),
            Before::Patches(patches) => {
                for (at, seed, length) in patches {
                    bench::fill(&board, at as usize, &bench::noise(seed, length.into()));
                }
            }
        }
        bench::set_status(&board, status);
        let mut expected = bench::flash_content(&board);
        let image = bench::image(&segments);
        for run in image.runs() {
            let at = run.offset.get() as usize;
            expected[at..at + run.bytes.len()].copy_from_slice(&run.bytes);
        }
        for (start, bytes) in &segments {
            let at = (start - WINDOW) as usize;
            prop_assert_eq!(&expected[at..at + bytes.len()], &bytes[..], "the image has its segments");
        }

        let outcome = bench::flash(&board, &image);
        prop_assert!(matches!(outcome.record.verdict, Verdict::Pass(_)), "{:?}", outcome.problem);
        let found = bench::flash_content(&board);
        let first = found.iter().zip(&expected).position(|(a, b)| a != b);
        prop_assert_eq!(first, None, "first differing offset");
        prop_assert_eq!(bench::violations(&board), Vec::<String>::new());
    }
}
