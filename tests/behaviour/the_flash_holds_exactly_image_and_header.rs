//! After `flash` the flash holds the image and the inserted header, and every other byte is as before.

use proptest::prelude::*;
use rtflash::report::Verdict;

use crate::bench;
use crate::images::{WINDOW, before, segments, status};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_segments_and_the_previous_content(
        segments in segments(),
        before in before(),
        status in status(),
    ) {
        let board = bench::start(bench::config());
        before.each(|at, bytes| bench::fill(&board, at, bytes));
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
