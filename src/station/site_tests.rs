//! What must hold at a site, whatever happens to it and in whatever order.

use proptest::prelude::*;

use super::event::{Needs, What};
use super::job_file::JobStart;
use super::site::{Action, Asked, Input, Look, Site};
use crate::records::VerdictKind;

/// What happens to a site, as an operator and a job make it happen.
#[derive(Clone, Debug)]
enum Happens {
    /// So many looks in a row that show the same.
    Looks(Look, u32),
    Key,
    Code,
    Acknowledge,
    Ends(VerdictKind),
}

fn happens() -> impl Strategy<Value = Happens> {
    let look = prop_oneof![
        4 => Just(Look::Seated),
        3 => Just(Look::Empty),
        1 => Just(Look::ProbeGone("unplugged".to_owned())),
    ];
    prop_oneof![
        6 => (look, 1..4u32).prop_map(|(look, times)| Happens::Looks(look, times)),
        2 => Just(Happens::Key),
        1 => Just(Happens::Code),
        2 => Just(Happens::Acknowledge),
        4 => prop::sample::select(VerdictKind::ALL.to_vec()).prop_map(Happens::Ends),
    ]
}

fn start_by() -> impl Strategy<Value = JobStart> {
    prop_oneof![
        Just(JobStart::Insertion),
        Just(JobStart::Key),
        Just(JobStart::Barcode)
    ]
}

fn inputs(happens: &[Happens]) -> Vec<Input> {
    let input = |happens: &Happens| match happens {
        Happens::Looks(look, times) => vec![Input::Look(look.clone()); *times as usize],
        Happens::Key => vec![Input::Start],
        Happens::Code => vec![Input::Code("SN1".to_owned())],
        Happens::Acknowledge => vec![Input::Acknowledge],
        Happens::Ends(verdict) => vec![Input::Ended(*verdict)],
    };
    happens.iter().flat_map(input).collect()
}

/// What was sensed and done, beside the machine and with no regard to how it works.
#[derive(Default)]
struct Truth {
    last_two: Vec<Look>,
    running: bool,
    /// Begins since the board was last told as seated.
    begins: u32,
    /// Keys and codes since then.
    pressed: u32,
    /// A verdict that is not PASS has been shown and not acknowledged.
    red: bool,
    seated: bool,
    gone: bool,
}

impl Truth {
    fn sees(&mut self, input: &Input) {
        match input {
            Input::Look(look) if !self.running => {
                self.last_two.push(look.clone());
                let drop = self.last_two.len().saturating_sub(2);
                self.last_two.drain(..drop);
            }
            Input::Start | Input::Code(_) if !self.running => self.pressed += 1,
            Input::Ended(verdict) if self.running => {
                self.running = false;
                self.red = *verdict != VerdictKind::Pass;
                self.last_two.clear();
            }
            _ => {}
        }
    }

    fn shows(&self, look: fn(&Look) -> bool) -> bool {
        self.last_two.len() == 2 && self.last_two.iter().all(look)
    }

    /// Checks one action against what was there.
    fn check(&mut self, action: &Action, input: &Input, start_by: JobStart) {
        match action {
            Action::Begin { barcode } => {
                assert!(!self.running, "begun while running");
                assert!(self.seated && !self.gone, "begun without a board");
                assert!(!self.red, "begun over a FAIL that nobody acknowledged");
                assert_eq!(barcode.is_some(), start_by == JobStart::Barcode);
                self.begins += 1;
                let by_insertion = u32::from(start_by == JobStart::Insertion);
                assert!(
                    self.begins <= self.pressed + by_insertion,
                    "begun twice on one insertion"
                );
                self.running = true;
            }
            Action::Tell(What::BoardSeated) => {
                assert!(!self.seated && !self.gone && !self.running);
                assert!(
                    self.shows(|look| *look == Look::Seated),
                    "a bounce was taken for a board"
                );
                self.seated = true;
                (self.begins, self.red) = (0, false);
                // a code may come before its board
                self.pressed = u32::from(start_by == JobStart::Barcode && self.pressed > 0);
            }
            Action::Tell(What::BoardRemoved) => {
                assert!(self.seated && !self.running);
                assert!(
                    self.shows(|look| *look == Look::Empty),
                    "a bounce was taken for a removal"
                );
                self.seated = false;
                self.red = false;
                self.pressed = 0;
            }
            Action::Tell(What::ProbeGone { .. }) => {
                assert!(!self.gone && !self.running);
                assert!(self.shows(|look| matches!(look, Look::ProbeGone(_))));
                self.gone = true;
                // a sitting goes on only where red holds it
                self.seated &= self.red;
                self.pressed *= u32::from(self.red);
            }
            Action::Tell(What::ProbeBack) => {
                assert!(self.gone && !self.running);
                self.gone = false;
            }
            Action::Tell(What::Acknowledged) => {
                assert!(self.red && *input == Input::Acknowledge);
                self.red = false;
                self.seated &= !self.gone;
            }
            Action::Tell(What::Waiting { .. }) => {
                assert!(self.seated && !self.running && !self.red);
            }
            Action::Tell(What::Scanned { .. }) => assert_eq!(start_by, JobStart::Barcode),
            Action::Tell(What::NotTaken { .. }) => {
                assert!(!matches!(input, Input::Look(_) | Input::Ended(_)));
            }
            Action::Tell(other) => panic!("a site does not tell {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn a_site_never_begins_without_a_board_or_twice_and_tells_everything_in_order(
        start_by in start_by(),
        happens in prop::collection::vec(happens(), 0..60),
    ) {
        let mut site = Site::new(start_by);
        let mut truth = Truth::default();
        for input in inputs(&happens) {
            truth.sees(&input);
            for action in site.take(input.clone()) {
                truth.check(&action, &input, start_by);
            }
            prop_assert_eq!(site.is_running(), truth.running);
        }
    }
}

fn site(start_by: JobStart, inputs: &[Input]) -> (Site, Vec<Action>) {
    let mut site = Site::new(start_by);
    let actions = inputs.iter().flat_map(|input| site.take(input.clone()));
    let actions = actions.collect();
    (site, actions)
}

fn looks(look: Look) -> [Input; 2] {
    [Input::Look(look.clone()), Input::Look(look)]
}

fn begins(actions: &[Action]) -> usize {
    let begins = actions
        .iter()
        .filter(|action| matches!(action, Action::Begin { .. }));
    begins.count()
}

/// A board that came while the site was watched, and has its verdict.
fn judged(verdict: VerdictKind) -> Site {
    let inputs = [looks(Look::Empty), looks(Look::Seated)].concat();
    let (mut site, actions) = site(JobStart::Insertion, &inputs);
    assert_eq!(begins(&actions), 1, "{actions:?}");
    assert!(site.take(Input::Ended(verdict)).is_empty());
    site
}

#[test]
fn an_insertion_begins_one_attempt_and_no_second_one_however_long_the_board_stays() {
    let mut site = judged(VerdictKind::Pass);
    for _ in 0..100 {
        assert!(site.take(Input::Look(Look::Seated)).is_empty());
    }
}

#[test]
fn a_fail_holds_until_acknowledged_and_its_board_then_begins_by_its_key() {
    let mut site = judged(VerdictKind::Fail);
    let actions = site.take(Input::Start);
    assert!(matches!(
        actions.as_slice(),
        [Action::Tell(What::NotTaken { .. })]
    ));
    assert_eq!(
        site.take(Input::Acknowledge),
        [Action::Tell(What::Acknowledged)]
    );
    assert_eq!(begins(&site.take(Input::Start)), 1);
}

#[test]
fn a_board_that_was_there_before_the_station_waits_for_its_key() {
    let (mut site, actions) = site(JobStart::Insertion, &looks(Look::Seated));
    assert_eq!(begins(&actions), 0, "{actions:?}");
    assert_eq!(begins(&site.take(Input::Start)), 1);
}

#[test]
fn a_pass_is_not_held_for_a_board_that_came_while_the_probe_was_gone() {
    let mut site = judged(VerdictKind::Pass);
    let gone = looks(Look::ProbeGone("unplugged".to_owned()));
    let inputs = [gone, looks(Look::Seated)].concat();
    let told: Vec<Action> = inputs
        .into_iter()
        .flat_map(|input| site.take(input))
        .collect();
    assert_eq!(begins(&told), 0);
    assert!(told.contains(&Action::Tell(What::BoardSeated)), "{told:?}");
    assert_eq!(begins(&site.take(Input::Start)), 1);
}

#[test]
fn a_code_scanned_before_its_board_begins_it_and_only_it() {
    let first = [
        looks(Look::Empty).to_vec(),
        vec![Input::Code("SN1".to_owned())],
        looks(Look::Seated).to_vec(),
    ]
    .concat();
    let (mut site, actions) = site(JobStart::Barcode, &first);
    let begun = Action::Begin {
        barcode: Some("SN1".to_owned()),
    };
    assert_eq!(actions.last(), Some(&begun));
    site.take(Input::Ended(VerdictKind::Pass));
    let next = [looks(Look::Empty), looks(Look::Seated)].concat();
    let told: Vec<Action> = next
        .into_iter()
        .flat_map(|input| site.take(input))
        .collect();
    assert_eq!(begins(&told), 0, "{told:?}");
}

#[test]
fn a_board_whose_probe_was_gone_needs_its_code_again() {
    let code = || Input::Code("SN1".to_owned());
    let first = [
        looks(Look::Empty).to_vec(),
        vec![code()],
        looks(Look::Seated).to_vec(),
        vec![Input::Ended(VerdictKind::Fail)],
        looks(Look::ProbeGone("unplugged".to_owned())).to_vec(),
        looks(Look::Seated).to_vec(),
        vec![Input::Acknowledge],
    ]
    .concat();
    let (mut site, actions) = site(JobStart::Barcode, &first);
    assert_eq!(begins(&actions), 1, "{actions:?}");
    let needs = Needs::Barcode;
    assert_eq!(
        site.take(Input::Start),
        [Action::Tell(What::Waiting { needs })]
    );
    assert_eq!(begins(&site.take(code())), 1);
}

/// What is asked for by somebody who has been told as much as by `era`.
fn asked(site: &mut Site, input: Input, era: u32) -> Vec<Action> {
    site.asked(Asked { input, era })
}

#[track_caller]
fn is_not_taken(actions: &[Action]) {
    let is = matches!(actions, [Action::Tell(What::NotTaken { .. })]);
    assert!(is, "{actions:?}");
}

#[test]
fn what_was_asked_for_before_a_verdict_was_told_is_not_applied_to_it() {
    for verdict in VerdictKind::ALL {
        let inputs = [looks(Look::Empty), looks(Look::Seated)].concat();
        let (mut site, _) = site(JobStart::Insertion, &inputs);
        let before = site.era();
        site.take(Input::Ended(verdict));
        for input in [Input::Acknowledge, Input::Start] {
            is_not_taken(&asked(&mut site, input, before));
        }
        let now = site.era();
        if verdict != VerdictKind::Pass {
            let acknowledged = Action::Tell(What::Acknowledged);
            assert_eq!(asked(&mut site, Input::Acknowledge, now), [acknowledged]);
        }
        assert_eq!(begins(&asked(&mut site, Input::Start, now)), 1);
    }
}

#[test]
fn a_code_for_a_board_that_is_gone_is_not_kept_for_the_next() {
    let code = || Input::Code("SN1".to_owned());
    for gone in [Look::Empty, Look::ProbeGone("unplugged".to_owned())] {
        let inputs = [looks(Look::Empty), looks(Look::Seated)].concat();
        let (mut site, _) = site(JobStart::Barcode, &inputs);
        let waiting = site.era();
        let next = [looks(gone.clone()), looks(Look::Empty)].concat();
        for input in next {
            site.take(input);
        }
        is_not_taken(&asked(&mut site, code(), waiting));
        for input in looks(Look::Seated) {
            assert_eq!(begins(&site.take(input)), 0, "{gone:?}");
        }
        let now = site.era();
        assert_eq!(begins(&asked(&mut site, code(), now)), 1);
    }
}
