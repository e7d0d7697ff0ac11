//! Random lives of a station against a model that is a few maps: the ledger answers as the model does, through crashes too.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rtflash::records::{
    AttemptId, Claim, ClaimRefused, NumberState, PassedBefore, SeriesPolicy, UnitClaim, VerdictKind,
};

use crate::bench::{Bench, Station, series, told, uid};
use crate::sqlite_bench::Sqlite;

const SERIES: [(&str, SeriesPolicy); 2] =
    [("kept", SeriesPolicy::Keep), ("void", SeriesPolicy::Void)];
const RETRY_LIMIT: u32 = 2;
const QUOTA: usize = 4;
const CHIPS: u64 = 6;

/// One step. Attempts are meant by their place among those that are open.
#[derive(Clone, Debug)]
enum Step {
    Begin,
    Claim {
        open: usize,
        chip: u64,
        again: bool,
    },
    End {
        open: usize,
        verdict: VerdictKind,
    },
    /// The process is gone, and a new one starts.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        4 => Just(VerdictKind::Pass),
        4 => Just(VerdictKind::Fail),
        1 => Just(VerdictKind::Cancelled),
    ];
    prop_oneof![
        4 => Just(Step::Begin),
        5 => (0_usize..3, 0..CHIPS, any::<bool>())
            .prop_map(|(open, chip, again)| Step::Claim { open, chip, again }),
        5 => (0_usize..3, verdict).prop_map(|(open, verdict)| Step::End { open, verdict }),
        1 => Just(Step::Crash),
    ]
}

/// The unit, and the numbers that it got.
type Claimed = (u64, Vec<u64>);

/// What the ledger must know.
#[derive(Default)]
struct Model {
    attempts: i64,
    /// Open attempts with the chip that they have claimed, and their numbers.
    open: Vec<(AttemptId, Option<Claimed>)>,
    passed: BTreeSet<u64>,
    failed: BTreeMap<u64, u32>,
    claims: BTreeMap<u64, u32>,
    /// Number and state of each series.
    numbers: [BTreeMap<u64, (u64, NumberState)>; 2],
}

impl Model {
    fn claim(
        &mut self,
        at: usize,
        chip: u64,
        again: bool,
    ) -> Option<Result<Vec<u64>, &'static str>> {
        if self.open[at].1.is_some() {
            return None;
        }
        let under_way =
            |open: &(AttemptId, Option<(u64, Vec<u64>)>)| open.1.as_ref().map(|unit| unit.0);
        if self
            .open
            .iter()
            .filter_map(under_way)
            .any(|other| other == chip)
        {
            return Some(Err("in work"));
        }
        let has_passed = self.passed.contains(&chip);
        if has_passed && !again {
            return Some(Err("passed before"));
        }
        if self
            .failed
            .get(&chip)
            .is_some_and(|failed| *failed >= RETRY_LIMIT)
        {
            return Some(Err("retry limit"));
        }
        let mut counted = self.passed.clone();
        counted.extend(self.open.iter().filter_map(under_way));
        if !has_passed && counted.len() >= QUOTA {
            return Some(Err("quota"));
        }
        let numbers: Vec<u64> = self
            .numbers
            .iter_mut()
            .map(|numbers| {
                let own = numbers
                    .iter()
                    .find(|(_, (owner, state))| *owner == chip && *state != NumberState::Void)
                    .map(|(number, _)| *number);
                own.unwrap_or_else(|| {
                    let next = numbers.len() as u64 + 1;
                    numbers.insert(next, (chip, NumberState::Reserved));
                    next
                })
            })
            .collect();
        *self.claims.entry(chip).or_default() += 1;
        self.open[at].1 = Some((chip, numbers.clone()));
        Some(Ok(numbers))
    }

    fn end(&mut self, at: usize, verdict: VerdictKind) {
        let Some((chip, numbers)) = self.open.remove(at).1 else {
            return;
        };
        match verdict {
            VerdictKind::Pass => {
                self.passed.insert(chip);
                self.failed.remove(&chip);
            }
            VerdictKind::Fail => *self.failed.entry(chip).or_default() += 1,
            _ => {}
        }
        for ((number, numbers), (_, policy)) in numbers.iter().zip(&mut self.numbers).zip(SERIES) {
            let state = &mut numbers.get_mut(number).expect("handed out").1;
            if *state == NumberState::Reserved {
                *state = match (verdict, policy) {
                    (VerdictKind::Pass, _) => NumberState::Committed,
                    (_, SeriesPolicy::Void) => NumberState::Void,
                    (_, SeriesPolicy::Keep) => NumberState::Reserved,
                };
            }
        }
    }
}

fn claim_of(station: &Station, chip: u64, again: bool) -> UnitClaim {
    UnitClaim {
        retry_limit: Some(RETRY_LIMIT),
        quota: Some(QUOTA as u64),
        passed_before: if again {
            PassedBefore::FlashAgain
        } else {
            PassedBefore::Refuse
        },
        series: SERIES.map(|(name, policy)| series(name, policy)).into(),
        ..station.claim_of(chip)
    }
}

fn name(refused: &ClaimRefused) -> &'static str {
    match refused {
        ClaimRefused::PassedBefore { .. } => "passed before",
        ClaimRefused::RetryLimit { .. } => "retry limit",
        ClaimRefused::Quota { .. } => "quota",
        ClaimRefused::InWork { .. } => "in work",
        ClaimRefused::BarcodeUsed { .. } => "barcode",
        ClaimRefused::SeriesExhausted { .. } => "exhausted",
    }
}

fn live(steps: &[Step]) {
    let bench = Sqlite::fresh();
    let mut station = bench.station("A");
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Begin if model.open.len() < 3 => {
                model.attempts += 1;
                let attempt = station.begin();
                assert_eq!(attempt.0, model.attempts);
                model.open.push((attempt, None));
            }
            Step::Claim { open, chip, again } if *open < model.open.len() => {
                let attempt = model.open[*open].0;
                let claim = claim_of(&station, *chip, *again);
                let Some(wanted) = model.claim(*open, *chip, *again) else {
                    continue;
                };
                match (station.claim(attempt, &claim), wanted) {
                    (
                        Claim::Granted {
                            reserved,
                            attempt_of_unit,
                        },
                        Ok(numbers),
                    ) => {
                        let got: Vec<u64> = reserved.iter().map(|one| one.number).collect();
                        assert_eq!(got, numbers);
                        assert_eq!(attempt_of_unit, model.claims[chip]);
                    }
                    (Claim::Refused(refused), Err(wanted)) => assert_eq!(name(&refused), wanted),
                    (got, wanted) => panic!("{got:?}, wanted {wanted:?}"),
                }
            }
            Step::End { open, verdict } if *open < model.open.len() => {
                let (attempt, unit) = model.open[*open].clone();
                let verdict = match (&unit, verdict) {
                    (None, VerdictKind::Pass) => VerdictKind::Refused,
                    (_, verdict) => *verdict,
                };
                let end = station.end_of(verdict, unit.map(|unit| unit.0));
                station.records.end(attempt, &end).expect("ended");
                model.end(*open, verdict);
            }
            Step::Crash => {
                drop(station);
                let (started, recovered) = bench.start("A");
                station = started;
                let open: Vec<AttemptId> = model.open.iter().map(|open| open.0).collect();
                assert_eq!(recovered.interrupted, open);
                assert_eq!((recovered.withdrawn, recovered.missing), (vec![], vec![]));
                while !model.open.is_empty() {
                    model.end(0, VerdictKind::Interrupted);
                }
            }
            _ => {}
        }
    }
    let mut wanted = Vec::new();
    for ((name, _), numbers) in SERIES.iter().zip(&model.numbers) {
        for (number, (chip, state)) in numbers {
            wanted.push(((*name).to_owned(), *number, uid(*chip), *state));
        }
    }
    let got: Vec<_> = bench
        .numbers()
        .into_iter()
        .map(|one| (one.series, one.number, one.uid, one.state))
        .collect();
    assert_eq!(got, wanted);
    told(&bench.journal("A"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_life_of_a_station_goes_as_the_model_says(steps in proptest::collection::vec(step(), 1..40)) {
        live(&steps);
    }
}
