//! The operator of one site: what the hands do next, and when, by the site's clock. No board, no clock.

use std::time::Duration;

use super::super::fixture::Pressed;
use crate::records::VerdictKind;

/// How quick an operator is. No source gives these for a hand-loaded fixture: the defaults are assumptions, and can be
/// changed where a line has measured its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// From the empty seat to the next board in it: put the last one away, take one up, place it, close the fixture.
    pub handling: Duration,
    /// From a verdict to the hand that answers it: acknowledges, opens the fixture, plugs a cable in.
    pub reaction: Duration,
    /// How long a board is left in a site that says nothing.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            handling: Duration::from_secs(8),
            reaction: Duration::from_secs(2),
            patience: Duration::from_secs(10),
        }
    }
}

/// What begins a unit, and with which code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starts {
    /// The board.
    ByItself,
    /// The site's key.
    WithKey,
    /// A scanned code, which each board has.
    WithCode,
}

/// What the hands do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Put the next board in.
    Insert,
    /// Press, or scan.
    Press(Pressed),
    /// Plug the probe's cable in.
    Plug,
    /// Take the board out.
    Remove,
}

/// What the operator is waiting for.
#[derive(Clone, Debug, PartialEq)]
enum Doing {
    /// For the next board, which is not decided yet.
    Idle,
    /// Brings it.
    Bringing { at: Duration },
    /// Watches the site.
    Watching {
        press_at: Option<Duration>,
        give_up_at: Duration,
    },
    /// Answers a verdict.
    Answering { acts: Vec<(Duration, Act)> },
}

/// One site's operator.
#[derive(Clone, Debug)]
pub struct Operator {
    pace: Pace,
    starts: Starts,
    code: Option<String>,
    doing: Doing,
}

impl Operator {
    /// With empty hands.
    pub fn new(pace: Pace, starts: Starts) -> Self {
        Operator {
            pace,
            starts,
            code: None,
            doing: Doing::Idle,
        }
    }

    /// Whether the seat is empty and no board on its way.
    pub fn is_idle(&self) -> bool {
        self.doing == Doing::Idle
    }

    /// The next board, with its code, can be had from `free_at`; it is not put in before `not_before`.
    pub fn bring(
        &mut self,
        now: Duration,
        free_at: Duration,
        not_before: Duration,
        code: Option<String>,
    ) {
        self.code = code;
        let at = (now.max(free_at) + self.pace.handling).max(not_before);
        self.doing = Doing::Bringing { at };
    }

    /// When the hands move next; never while there is nothing to bring.
    pub fn next_at(&self) -> Option<Duration> {
        match &self.doing {
            Doing::Idle => None,
            Doing::Bringing { at } => Some(*at),
            Doing::Watching {
                press_at,
                give_up_at,
            } => Some(press_at.map_or(*give_up_at, |at| at.min(*give_up_at))),
            Doing::Answering { acts } => acts.first().map(|(at, _)| *at),
        }
    }

    /// What they do at `now`, if it is time.
    pub fn act(&mut self, now: Duration) -> Option<Act> {
        if self.next_at().is_none_or(|at| now < at) {
            return None;
        }
        match &mut self.doing {
            Doing::Idle => None,
            Doing::Bringing { .. } => {
                let presses = self.starts != Starts::ByItself;
                self.doing = Doing::Watching {
                    press_at: presses.then_some(now + self.pace.reaction),
                    give_up_at: now + self.pace.patience,
                };
                Some(Act::Insert)
            }
            Doing::Watching { give_up_at, .. } if *give_up_at <= now => {
                self.doing = Doing::Idle;
                Some(Act::Remove)
            }
            Doing::Watching { press_at, .. } => {
                *press_at = None;
                Some(Act::Press(match (&self.starts, &self.code) {
                    (Starts::WithCode, Some(code)) => Pressed::Code(code.clone()),
                    _ => Pressed::Start,
                }))
            }
            Doing::Answering { acts } => {
                let (_, act) = acts.remove(0);
                if acts.is_empty() {
                    self.doing = Doing::Idle;
                }
                Some(act)
            }
        }
    }

    /// The verdict is shown at `now`: what is not PASS is acknowledged first, and a cable that was pulled plugged in.
    pub fn sees(&mut self, now: Duration, verdict: VerdictKind, is_unplugged: bool) {
        let mut hands = Vec::new();
        if is_unplugged {
            hands.push(Act::Plug);
        }
        if verdict != VerdictKind::Pass {
            hands.push(Act::Press(Pressed::Acknowledge));
        }
        hands.push(Act::Remove);
        let times = (1..).map(|n| now + self.pace.reaction * n);
        self.doing = Doing::Answering {
            acts: times.zip(hands).collect(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// Everything that the hands do, with its time, until they rest.
    fn acts(operator: &mut Operator) -> Vec<(u64, Act)> {
        let mut acts = Vec::new();
        while let Some(at) = operator.next_at() {
            assert_eq!(operator.act(at.saturating_sub(S / 1000)), None);
            let act = operator.act(at).expect("it is time");
            acts.push((at.as_secs(), act.clone()));
            if act == Act::Insert {
                break;
            }
        }
        acts
    }

    fn operator(starts: Starts) -> Operator {
        let mut operator = Operator::new(Pace::default(), starts);
        operator.bring(S * 100, S * 90, Duration::ZERO, Some("PCB-1".into()));
        assert_eq!(acts(&mut operator), [(108, Act::Insert)]);
        operator
    }

    #[test]
    fn a_board_that_passed_is_taken_out_and_one_that_failed_acknowledged_first() {
        let mut passed = operator(Starts::ByItself);
        passed.sees(S * 110, VerdictKind::Pass, false);
        assert_eq!(acts(&mut passed), [(112, Act::Remove)]);
        assert!(passed.is_idle());
        let mut failed = operator(Starts::ByItself);
        failed.sees(S * 110, VerdictKind::Fail, true);
        let answer = [
            (112, Act::Plug),
            (114, Act::Press(Pressed::Acknowledge)),
            (116, Act::Remove),
        ];
        assert_eq!(acts(&mut failed), answer);
    }

    #[test]
    fn a_site_that_says_nothing_is_given_up() {
        assert_eq!(acts(&mut operator(Starts::ByItself)), [(118, Act::Remove)]);
    }

    #[test]
    fn a_unit_is_begun_by_key_or_code_where_the_job_asks_for_it() {
        let press = |starts| acts(&mut operator(starts)).remove(0);
        assert_eq!(press(Starts::WithKey), (110, Act::Press(Pressed::Start)));
        let code = Act::Press(Pressed::Code("PCB-1".into()));
        assert_eq!(press(Starts::WithCode), (110, code));
    }

    #[test]
    fn a_board_is_not_put_in_before_it_is_free_nor_before_its_time() {
        let at = |free_at: u64, not_before: u64| {
            let mut operator = Operator::new(Pace::default(), Starts::ByItself);
            operator.bring(S * 10, S * free_at as u32, S * not_before as u32, None);
            operator.next_at().expect("a time").as_secs()
        };
        assert_eq!(at(0, 0), 18);
        assert_eq!(at(20, 0), 28);
        assert_eq!(at(20, 60), 60);
    }
}
