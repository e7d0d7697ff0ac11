//! Figures in virtual time: what a job must reach, measured as `rtflash benchmark` does, and the peers on the same board.

use rtflash::benchmark::{Bound, Case, Row, Set, Way, Work, cases, measure};

use crate::bench::target;

fn row(case: Case) -> Row {
    let target = target();
    let measured = measure(&case, &target).unwrap_or_else(|error| panic!("{case}: {error}"));
    let bound = (case.work == Work::Flash)
        .then(|| Bound::new(&case, measured.pages, &target).expect("bound"));
    Row {
        case,
        measured,
        bound,
    }
}

/// The biggest run of the suite: each case twice, with up to 1 MiB.
#[test]
fn every_figure_that_must_be_reached_is_reached() {
    let chosen = cases(Set::Quick).into_iter();
    let chosen: Vec<Case> = chosen.filter(|case| case.must.is_some()).collect();
    assert_eq!(chosen.len(), 6);
    for row in chosen.into_iter().map(row) {
        assert_eq!(row.reaches(), Some(true), "{row}");
    }
}

#[test]
fn the_stock_algorithm_takes_more_than_ten_times_as_long() {
    let peers = cases(Set::Quick).into_iter();
    let small = |case: Case| Case {
        bytes: 0x2_0000,
        ..case
    };
    let peers: Vec<Case> = peers
        .filter(|case| case.speed_khz == 15_000 && matches!(case.way, Way::Stock(_)))
        .map(small)
        .collect();
    assert_eq!(
        peers.len(),
        2,
        "with the ROM's erase as published, and sound"
    );
    let ours = row(Case {
        way: Way::Ours,
        ..peers[0].clone()
    });
    for peer in peers.into_iter().map(row) {
        let ratio = peer.measured.data_seconds() / ours.measured.data_seconds();
        assert!(ratio >= 10.0, "{ratio}: {peer}");
    }
}

#[test]
fn the_cost_grows_with_the_image_and_has_no_step() {
    const KIB: u32 = 1024;
    let full = cases(Set::Quick)
        .into_iter()
        .find(|case| case.way == Way::Ours && case.speed_khz == 15_000 && case.must.is_none());
    let full = full.expect("the plain case");
    let seconds = [64, 128, 192, 256].map(|kib| {
        let case = Case {
            bytes: kib * KIB,
            ..full.clone()
        };
        row(case).measured.data_seconds()
    });
    // 64 KiB more are one block erase and 256 pages more, whatever is there already
    let steps: Vec<f64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for step in &steps {
        assert!((step / steps[0] - 1.0).abs() < 0.03, "{seconds:?}");
    }
}
