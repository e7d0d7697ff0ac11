//! Which board is put in where, and in what order: written in a file, or drawn.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::defect::Defect;
use super::draw::Draw;
use crate::problem::{ExitCode, Place, Problem};

/// One board of a rehearsal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitLine {
    /// Its name in the script and in the table at the end.
    pub name: String,
    /// What is wrong with it.
    #[serde(default = "good")]
    pub defect: Defect,
    /// The chip's unique ID, 16 hex digits; left out, one that the job's identity rules allow is drawn.
    #[serde(default)]
    pub uid: Option<String>,
    /// Its barcode, for jobs that ask for one.
    #[serde(default)]
    pub barcode: Option<String>,
    /// How far the job has come when the mishap strikes, 0 to 1; left out, it is drawn.
    #[serde(default)]
    pub strikes_at: Option<f64>,
}

const fn good() -> Defect {
    Defect::Good
}

/// One insertion of a board.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertionLine {
    /// Name of the board.
    pub unit: String,
    /// Label of the site.
    pub site: String,
    /// Not before this virtual time, in seconds from the start of the rehearsal.
    #[serde(default)]
    pub not_before_s: f64,
}

/// What is rehearsed. Insertions at one site are made in their order; those of one board, too, wherever they are: a site
/// waits for a board that is to be at another one before. As there is one order for all, it never waits for ever.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The boards.
    #[serde(rename = "unit", default)]
    pub units: Vec<UnitLine>,
    /// The insertions.
    #[serde(rename = "insertion", default)]
    pub insertions: Vec<InsertionLine>,
}

/// One insertion, as a site's operator makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Number of the board, from 0.
    pub unit: usize,
    /// The how-manieth insertion of this board, from 0.
    pub of_unit: u32,
    /// Seconds of virtual time before which it is not made.
    pub not_before_s: f64,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// `script-unreadable`, `script-syntax` (exit 13).
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let refused = |code, what: &str, why: String| {
            Problem::new(code, ExitCode::MalformedInput, what)
                .at(Place::in_file(path, None))
                .because(why)
        };
        let text = fs::read_to_string(path).map_err(|error| {
            refused(
                "script-unreadable",
                "the script of the rehearsal cannot be read",
                error.to_string(),
            )
            .fix("check the name and the file's permissions")
        })?;
        toml::from_str(&text).map_err(|error| {
            let names = Defect::ALL.map(Defect::name).join(", ");
            refused(
                "script-syntax",
                "the script of the rehearsal is not written as one is",
                error.to_string().trim().replace('\n', " "),
            )
            .fix(format!(
                "write [[unit]] with name and defect, and [[insertion]] with unit and site; defects: {names}"
            ))
        })
    }

    /// `units` boards drawn from `seed`, of which `defects_percent` in a hundred are not plainly good, dealt to the sites in
    /// turn.
    pub fn drawn(seed: u64, units: u32, defects_percent: u8, sites: &[String]) -> Self {
        let mut script = Script::default();
        for (number, site) in (0..units).zip(sites.iter().cycle()) {
            let mut draw = Draw::of(seed, number.into());
            let defect = match Defect::ALL.split_first() {
                Some((_, others)) if draw.wins(defects_percent) => draw.one_of(others),
                _ => None,
            };
            let defect = defect.copied().unwrap_or(Defect::Good);
            let name = format!("{}", number + 1);
            for _ in 0..defect.insertions() {
                script.insertions.push(InsertionLine {
                    unit: name.clone(),
                    site: site.clone(),
                    not_before_s: 0.0,
                });
            }
            script.units.push(UnitLine {
                name,
                defect,
                uid: None,
                barcode: None,
                strikes_at: None,
            });
        }
        script
    }

    /// The insertions of each site, in order.
    ///
    /// # Errors
    /// `script-names`: a board or site that is not there, or a board twice. `script-value`: a time or fraction that is none.
    /// Both exit 13.
    pub fn by_site(&self, sites: &[String]) -> Result<Vec<Vec<Visit>>, Problem> {
        self.check_units()?;
        let mut visits = vec![Vec::new(); sites.len()];
        let mut made: BTreeMap<usize, u32> = BTreeMap::new();
        for insertion in &self.insertions {
            let unit = self.units.iter().position(|u| u.name == insertion.unit);
            let unit = unit.ok_or_else(|| {
                refused(
                    "script-names",
                    format!("no [[unit]] is called \"{}\"", insertion.unit),
                )
            })?;
            let place = sites.iter().position(|label| *label == insertion.site);
            let queue = place.and_then(|at| visits.get_mut(at)).ok_or_else(|| {
                refused(
                    "script-names",
                    format!("no site is called \"{}\"", insertion.site),
                )
                .because(format!("the sites are {}", sites.join(", ")))
            })?;
            if !(insertion.not_before_s >= 0.0 && insertion.not_before_s.is_finite()) {
                let what = format!("not_before_s = {} is no time", insertion.not_before_s);
                return Err(refused("script-value", what));
            }
            let of_unit = made.entry(unit).or_default();
            queue.push(Visit {
                unit,
                of_unit: *of_unit,
                not_before_s: insertion.not_before_s,
            });
            *of_unit += 1;
        }
        Ok(visits)
    }

    fn check_units(&self) -> Result<(), Problem> {
        for (at, unit) in self.units.iter().enumerate() {
            if self
                .units
                .iter()
                .take(at)
                .any(|other| other.name == unit.name)
            {
                let what = format!("two boards are called \"{}\"", unit.name);
                return Err(refused("script-names", what));
            }
            if unit.strikes_at.is_some_and(|at| !(0.0..=1.0).contains(&at)) {
                let what = format!("strikes_at of \"{}\" is not between 0 and 1", unit.name);
                return Err(refused("script-value", what));
            }
        }
        Ok(())
    }
}

fn refused(code: &'static str, what: String) -> Problem {
    Problem::new(code, ExitCode::MalformedInput, what).fix("correct the script of the rehearsal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(count: usize) -> Vec<String> {
        (1..=count).map(|n| n.to_string()).collect()
    }

    fn script(text: &str) -> Script {
        toml::from_str(text).expect("script")
    }

    fn refusal(text: &str) -> &'static str {
        let refused = script(text).by_site(&sites(2));
        refused.expect_err("refused").code
    }

    #[test]
    fn drawn_scripts_depend_on_their_seed_only_and_deal_boards_to_all_sites() {
        let four = sites(4);
        let drawn = Script::drawn(7, 200, 30, &four);
        assert_eq!(drawn, Script::drawn(7, 200, 30, &four));
        assert_ne!(drawn, Script::drawn(8, 200, 30, &four));
        let flawed = drawn.units.iter().filter(|u| u.defect != Defect::Good);
        assert!((40..80).contains(&flawed.count()));
        for queue in drawn.by_site(&four).expect("order") {
            assert!(queue.len() >= 50);
        }
        let good = Script::drawn(7, 200, 0, &four);
        assert!(good.units.iter().all(|u| u.defect == Defect::Good));
    }

    #[test]
    fn boards_can_be_swapped_between_sites() {
        let text = r#"
            [[unit]]
            name = "a"
            [[unit]]
            name = "b"
            defect = "stuck-bit"
            [[insertion]]
            unit = "a"
            site = "1"
            [[insertion]]
            unit = "b"
            site = "2"
            not_before_s = 2.5
            [[insertion]]
            unit = "a"
            site = "2"
            [[insertion]]
            unit = "b"
            site = "1"
        "#;
        let visits = script(text).by_site(&sites(2)).expect("order");
        let order: Vec<Vec<(usize, u32)>> = visits
            .iter()
            .map(|queue| queue.iter().map(|v| (v.unit, v.of_unit)).collect())
            .collect();
        assert_eq!(order, [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]);
    }

    #[test]
    fn names_and_values_that_mean_nothing_are_refused() {
        let unit = "[[unit]]\nname = \"a\"\n";
        let insertion = "[[insertion]]\nunit = \"a\"\nsite = \"1\"\n";
        assert!(
            script(&format!("{unit}{insertion}"))
                .by_site(&sites(1))
                .is_ok()
        );
        assert_eq!(refusal(insertion), "script-names");
        assert_eq!(refusal(&format!("{unit}{unit}")), "script-names");
        let third = insertion.replace('1', "3");
        assert_eq!(refusal(&format!("{unit}{third}")), "script-names");
        let early = format!("{unit}{insertion}not_before_s = -1.0\n");
        assert_eq!(refusal(&early), "script-value");
        let late = format!("{unit}strikes_at = 1.5\n");
        assert_eq!(refusal(&late), "script-value");
        assert!(toml::from_str::<Script>("[[unit]]\nname = \"a\"\ncolour = \"red\"").is_err());
    }
}
