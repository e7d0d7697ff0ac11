//! The ledger's numbers against the attempts that claimed them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Auditor, Break, Use};
use crate::records::{AttemptId, Number, NumberState, VerdictKind};

type Key<'a> = (&'a str, u64);

impl Auditor {
    /// Where they do not agree. Attempts of stations whose journals are elsewhere are in the ledger too, so nothing is
    /// left out here.
    pub(super) fn number_breaks(&self, numbers: &[Number]) -> Vec<Break> {
        let mut breaks = Vec::new();
        let mut uses: BTreeMap<Key, Vec<(AttemptId, &Use)>> = BTreeMap::new();
        for (id, attempt) in &self.uses {
            for it in &attempt.reserved {
                let key = (it.series.as_str(), it.number);
                uses.entry(key).or_default().push((*id, attempt));
            }
        }
        let mut known: BTreeMap<Key, &Number> = BTreeMap::new();
        let mut of_chip: BTreeSet<(&str, &str)> = BTreeSet::new();
        for number in numbers {
            if known
                .insert((&number.series, number.number), number)
                .is_some()
            {
                breaks.push(of(number, None, "it was handed out twice"));
            }
            let is_void = number.state == NumberState::Void;
            if !is_void && !of_chip.insert((&number.series, &number.uid)) {
                let what = format!("chip {} has another one of the series", number.uid);
                breaks.push(of(number, None, what));
            }
            let uses = uses.get(&(number.series.as_str(), number.number));
            breaks.extend(Self::number(number, uses.map_or(&[], Vec::as_slice)));
        }
        for ((series, number), uses) in &uses {
            if !known.contains_key(&(series, *number)) {
                breaks.push(Break {
                    journal: None,
                    line: None,
                    attempt: uses.first().map(|(id, _)| *id),
                    field: Some("reserved".to_owned()),
                    what: format!(
                        "it claimed number {number} of series {series}, which the ledger has not handed out"
                    ),
                });
            }
        }
        breaks
    }

    /// `uses` are the attempts that claimed it, oldest first.
    fn number(number: &Number, uses: &[(AttemptId, &Use)]) -> Vec<Break> {
        let mut breaks = Vec::new();
        if uses.first().map(|(id, _)| *id) != Some(number.attempt) {
            let what =
                "the attempt that is said to have reserved it is not the first that claimed it";
            breaks.push(of(number, Some("attempt"), what));
        }
        for (id, attempt) in uses {
            if attempt.uid.as_ref() != Some(&number.uid) {
                let what = format!(
                    "it belongs to chip {}, and attempt {} claimed it for another",
                    number.uid, id.0
                );
                breaks.push(of(number, Some("uid"), what));
            }
            let claimed = attempt.reserved.iter().find(|it| is_it(it, number));
            if claimed.is_some_and(|it| it.reserved_at != number.reserved_at) {
                let what = format!("attempt {} tells another time for it", id.0);
                breaks.push(of(number, Some("reserved_at"), what));
            }
        }
        let passed = uses.iter().any(|(_, attempt)| attempt.passed());
        let ended_by = |may: fn(&Use) -> bool, of_station: fn(u64, u64) -> bool| {
            uses.iter().any(|(id, it)| {
                Some(*id) == number.settled_by && may(it) && it.is_outermost(uses, may, of_station)
            })
        };
        let what = match (number.state, passed) {
            (NumberState::Committed, true)
                if ended_by(Use::passed, |line, other| line <= other) =>
            {
                None
            }
            (NumberState::Committed, true) => {
                Some("it is committed, and not by the attempt that passed with it first")
            }
            (NumberState::Committed, false) => {
                Some("it is committed, and no attempt passed with it")
            }
            (NumberState::Reserved | NumberState::Void, true) => {
                Some("an attempt passed with it, and it is not committed")
            }
            (NumberState::Reserved, false) => number
                .settled_by
                .map(|_| "it is only reserved, and an attempt is said to have settled it"),
            (NumberState::Void, false)
                if ended_by(Use::did_not_pass, |line, other| line >= other) =>
            {
                None
            }
            (NumberState::Void, false) => {
                Some("it is void, and not by the end of the last attempt with it")
            }
        };
        breaks.extend(what.map(|what| of(number, Some("state"), what)));
        breaks
    }
}

impl Use {
    fn passed(&self) -> bool {
        self.end
            .is_some_and(|(verdict, _)| verdict == VerdictKind::Pass)
    }

    fn did_not_pass(&self) -> bool {
        self.end
            .is_some_and(|(verdict, _)| verdict != VerdictKind::Pass)
    }

    /// Whether it ended before, or after, all others of its station that ended so. The ends of two stations have no order
    /// that anybody could vouch for.
    fn is_outermost(
        &self,
        uses: &[(AttemptId, &Use)],
        so: fn(&Use) -> bool,
        in_order: fn(u64, u64) -> bool,
    ) -> bool {
        let others = uses.iter().map(|(_, it)| it);
        let mut of_station = others.filter(|it| it.station == self.station && so(it));
        of_station.all(|other| match (self.end, other.end) {
            (Some((_, line)), Some((_, of_other))) => in_order(line, of_other),
            _ => false,
        })
    }
}

fn is_it(it: &crate::records::Reserved, number: &Number) -> bool {
    it.number == number.number && it.series == number.series
}

fn of(number: &Number, field: Option<&str>, what: impl Into<String>) -> Break {
    Break {
        journal: None,
        line: None,
        attempt: Some(number.attempt),
        field: field.map(|field| format!("number.{field}")),
        what: format!(
            "number {} of series {}: {}",
            number.number,
            number.series,
            what.into()
        ),
    }
}
