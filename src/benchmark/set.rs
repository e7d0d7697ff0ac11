//! The cases of the table.

use std::time::Duration;

use virtual_board::nor::TimingProfile;
use virtual_board::probe::{CMSIS_DAP_V1, CMSIS_DAP_V2_HS, JLINK, Profile};
use virtual_board::rom::api::RomErase;

use super::{Before, Case, Must, Way, Work};

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;
/// Clock of an ordinary cable, and the fastest of a J-Link BASE.
const SPEEDS_KHZ: [u32; 2] = [4_000, 15_000];

/// Which cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// The figures that have a limit, without the longest, and the peers.
    Quick,
    /// Everything.
    Full,
}

/// The cases of a set, in the order of the table.
pub fn cases(set: Set) -> Vec<Case> {
    let [_, fast] = SPEEDS_KHZ;
    let base = Case {
        work: Work::Flash,
        way: Way::Ours,
        bytes: MIB,
        before: Before::Other,
        speed_khz: fast,
        probe: JLINK,
        timing: TimingProfile::Typ,
        core_divider: 1,
        must: None,
    };
    let mut cases = vec![
        Case {
            work: Work::Session,
            before: Before::Same,
            must: Some(Must::Seconds(0.3)),
            ..base.clone()
        },
        Case {
            work: Work::Verify,
            before: Before::Same,
            must: Some(Must::Seconds(0.4)),
            ..base.clone()
        },
        Case {
            before: Before::Same,
            must: Some(Must::Seconds(0.4)),
            ..base.clone()
        },
        Case {
            before: Before::OneSector,
            must: Some(Must::Seconds(0.6)),
            ..base.clone()
        },
        Case {
            before: Before::Blank,
            must: Some(Must::OfBound(1.15)),
            ..base.clone()
        },
    ];
    if set == Set::Full {
        cases.push(Case {
            bytes: 8 * MIB,
            must: Some(Must::OfBound(1.05)),
            ..base.clone()
        });
        cases.extend(growth(&base));
        cases.extend(other_boards(&base));
    }
    for speed_khz in SPEEDS_KHZ {
        // at the higher clock the flash is the bound in any case
        let must = (speed_khz == SPEEDS_KHZ[0]).then_some(Must::OfBound(1.10));
        cases.push(Case {
            speed_khz,
            must,
            ..base.clone()
        });
        cases.extend(peers(&base, speed_khz));
    }
    cases
}

/// The same job for growing images: the cost grows with them and has no step.
fn growth(base: &Case) -> Vec<Case> {
    let sizes = [256 * KIB, 512 * KIB, 2 * MIB, 4 * MIB];
    let case = |bytes| Case {
        bytes,
        ..base.clone()
    };
    sizes.into_iter().map(case).collect()
}

/// Other probes, flash parts within their data sheet, half the core clock.
fn other_boards(base: &Case) -> Vec<Case> {
    let round_trip = |us| Profile {
        round_trip: Duration::from_micros(us),
        ..JLINK
    };
    let mut cases = Vec::new();
    for before in [Before::Blank, Before::Other] {
        let base = Case {
            before,
            ..base.clone()
        };
        for us in [125, 500] {
            cases.push(Case {
                probe: round_trip(us),
                ..base.clone()
            });
        }
        for timing in [TimingProfile::Slow, TimingProfile::Max] {
            cases.push(Case {
                timing,
                ..base.clone()
            });
        }
        cases.push(Case {
            core_divider: 2,
            ..base.clone()
        });
    }
    cases.push(Case {
        before: Before::Blank,
        speed_khz: SPEEDS_KHZ[0],
        ..base.clone()
    });
    for probe in [CMSIS_DAP_V2_HS, CMSIS_DAP_V1] {
        for way in [Way::Ours, Way::Stock(RomErase::AsPublished)] {
            cases.push(Case {
                way,
                bytes: 256 * KIB,
                probe,
                speed_khz: base.speed_khz.min(probe.max_khz),
                ..base.clone()
            });
        }
    }
    cases
}

/// Other ways for the same job.
fn peers(base: &Case, speed_khz: u32) -> [Case; 4] {
    [
        Way::Plain,
        Way::EntryPoints,
        Way::Stock(RomErase::AsPublished),
        Way::Stock(RomErase::Sound),
    ]
    .map(|way| Case {
        way,
        speed_khz,
        ..base.clone()
    })
}
