//! What keeps a board from working, out of everything that was seen of it: one diagnosis, and the rest in order.

mod causes;

use causes::{Stage, explains, implies, is_symptom, place_of, stage_of};

use crate::problem::Problem;

/// How much something that was seen says about why a board does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// By itself enough to keep the board from working.
    Cause,
    /// Shows that the board does not work, and leaves open why.
    Symptom,
    /// May keep it from working: no source settles it, or boards that work have it too.
    Suspicion,
    /// Worth knowing.
    Note,
}

impl Weight {
    /// The word for texts.
    pub const fn name(self) -> &'static str {
        match self {
            Weight::Cause => "cause",
            Weight::Symptom => "symptom",
            Weight::Suspicion => "suspicion",
            Weight::Note => "note",
        }
    }
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What it says about the board.
    pub weight: Weight,
    /// The same as the user meets it, with what to do about it.
    pub problem: Problem,
}

impl Observation {
    /// A problem as a stage found it: a cause, or a symptom where its code names what happened and not why.
    pub fn of(problem: Problem) -> Self {
        let weight = if is_symptom(problem.code) {
            Weight::Symptom
        } else {
            Weight::Cause
        };
        Observation { weight, problem }
    }

    /// With a weight of its own.
    pub const fn new(weight: Weight, problem: Problem) -> Self {
        Observation { weight, problem }
    }
}

/// What of the boot was seen to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boot {
    /// Nothing: it was not tried, or it failed.
    NotSeen,
    /// The boot ROM started what the flash holds, and whether a bootloader there starts its application is not known.
    ByRom,
    /// The application itself was started.
    ToTheEnd,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The most likely reason why the board does not work; none where nothing keeps it from working.
    pub first: Option<Problem>,
    /// What else was seen, the most likely first.
    pub others: Vec<Observation>,
}

/// Orders everything that was seen: causes before symptoms, a symptom behind the suspicion that explains it, and among
/// equals what comes first on the way from the probe to the application, for it hides what comes later.
///
/// What a boot that was seen to work disproves is only worth knowing, however sure the rule is.
pub fn diagnose(seen: Vec<Observation>, boot: Boot) -> Diagnosis {
    let mut told: Vec<Observation> = Vec::new();
    for mut observation in seen {
        if disproved(observation.problem.code, boot) && observation.weight < Weight::Suspicion {
            observation.weight = Weight::Suspicion;
        }
        match told
            .iter_mut()
            .find(|other| other.problem.code == observation.problem.code)
        {
            // the first to see it knew most about it
            Some(other) => other.weight = other.weight.min(observation.weight),
            None => told.push(observation),
        }
    }
    let symptoms: Vec<&'static str> = told
        .iter()
        .filter(|observation| observation.weight == Weight::Symptom)
        .map(|observation| observation.problem.code)
        .collect();
    told.sort_by_key(|observation| {
        let code = observation.problem.code;
        let class = match observation.weight {
            Weight::Cause => 0,
            // of a header, the boot proof names what the ROM stumbled over
            Weight::Suspicion
                if stage_of(code) >= Stage::Image
                    && symptoms.iter().any(|symptom| explains(code, symptom)) =>
            {
                1
            }
            Weight::Symptom => 2,
            Weight::Suspicion => 3,
            Weight::Note => 4,
        };
        (class, place_of(code))
    });
    // a suspicion comes before a symptom, where it does, only because it explains that
    let is_answer = told
        .first()
        .is_some_and(|first| first.weight <= Weight::Symptom || !symptoms.is_empty());
    if !is_answer {
        return Diagnosis {
            first: None,
            others: told,
        };
    }
    let first = told.remove(0).problem;
    // a symptom that has found its reason is no other cause, nor is what the diagnosis says already
    told.retain(|other| !implies(first.code, other.problem.code));
    told.retain(|other| {
        other.weight != Weight::Symptom || !explains(first.code, other.problem.code)
    });
    Diagnosis {
        first: Some(first),
        others: told,
    }
}

/// Whether a boot that was seen shows that this cannot be what keeps the board from working. It says nothing of the wire,
/// which other commands need as well, nor of what comes later.
fn disproved(code: &str, boot: Boot) -> bool {
    match boot {
        Boot::NotSeen => false,
        Boot::ByRom => (Stage::BootSource..=Stage::Image).contains(&stage_of(code)),
        Boot::ToTheEnd => (Stage::BootSource..=Stage::Slot).contains(&stage_of(code)),
    }
}

#[cfg(test)]
mod tests;
