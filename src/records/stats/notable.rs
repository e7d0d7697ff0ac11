//! The site that fails more often or is slower than the others, named only where chance is no good explanation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cycle::{Spread, cycles};
use super::{SiteFigures, ratio};
use crate::records::Attempt;

/// How many times as often as the others a site must fail to be named.
pub const NOTABLY_OFTEN: f64 = 2.0;
/// How many times as long as the others' a site's median cycle must be to be named: the factor that the station itself
/// keeps between its sites.
pub const NOTABLY_SLOW: f64 = 1.1;
/// Passes that a site, and the others together, must have before their cycle times are compared.
pub const FEWEST_CYCLES: u32 = 5;
/// How likely chance may be, over all sites of a line, to have a site named that is like the others.
const LIKELY: f64 = 0.01;

/// Something that a line engineer should look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "notable", rename_all = "kebab-case")]
pub enum Notable {
    /// The units of a site fail at their first attempt more often than the others'.
    FailsMoreOften {
        /// The station.
        station: String,
        /// The site.
        site: String,
        /// Units that failed at their first attempt there.
        failed: u32,
        /// Units tried there.
        tried: u32,
        /// Units that failed at their first attempt at the other sites.
        others_failed: u32,
        /// Units tried there.
        others_tried: u32,
        /// How many times as often; none where the others do not fail.
        times: Option<f64>,
        /// How likely chance alone makes a site of this line fail that often.
        chance: f64,
    },
    /// A site is slower than the others.
    Slower {
        /// The station.
        station: String,
        /// The site.
        site: String,
        /// Its median cycle time in seconds.
        median: f64,
        /// That of the attempts at all other sites.
        others_median: f64,
        /// How many times as long.
        times: f64,
    },
}

pub fn notable(
    sites: &[SiteFigures],
    by_site: &BTreeMap<(&str, &str), Vec<&Attempt>>,
) -> Vec<Notable> {
    let failing = sites
        .iter()
        .filter_map(|site| fails_more_often(site, sites));
    let slow = sites.iter().filter_map(|site| slower(site, by_site));
    failing.chain(slow).collect()
}

fn fails_more_often(site: &SiteFigures, sites: &[SiteFigures]) -> Option<Notable> {
    let failed = |site: &SiteFigures| site.figures.units.tried - site.figures.units.passed_first;
    let (here, tried) = (failed(site), site.figures.units.tried);
    let others_failed = sites.iter().map(failed).sum::<u32>() - here;
    let others_tried = sites.iter().map(|s| s.figures.units.tried).sum::<u32>() - tried;
    let rate = ratio(f64::from(here), f64::from(tried))?;
    let others_rate = ratio(f64::from(others_failed), f64::from(others_tried))?;
    let times = ratio(rate, others_rate);
    let compared = f64::from(u32::try_from(sites.len()).ok()?);
    let chance = compared * chance_of_at_least(here, tried, others_failed, others_tried);
    let is_notable = times.is_none_or(|times| times >= NOTABLY_OFTEN) && chance < LIKELY;
    is_notable.then(|| Notable::FailsMoreOften {
        station: site.station.clone(),
        site: site.site.clone(),
        failed: here,
        tried,
        others_failed,
        others_tried,
        times,
        chance,
    })
}

fn slower(site: &SiteFigures, by_site: &BTreeMap<(&str, &str), Vec<&Attempt>>) -> Option<Notable> {
    let here = site.figures.cycle?;
    let others = by_site
        .iter()
        .filter(|(place, _)| **place != (site.station.as_str(), site.site.as_str()))
        .flat_map(|(_, attempts)| cycles(attempts));
    let others = Spread::of(others.collect())?;
    let times = ratio(here.median, others.median)?;
    let is_notable =
        here.count >= FEWEST_CYCLES && others.count >= FEWEST_CYCLES && times >= NOTABLY_SLOW;
    is_notable.then(|| Notable::Slower {
        station: site.station.clone(),
        site: site.site.clone(),
        median: here.median,
        others_median: others.median,
        times,
    })
}

/// How likely it is that `failed` or more of the units tried here fail if all that failed are spread by chance over all
/// units: the one-sided tail of the hypergeometric distribution (R. A. Fisher, *The Design of Experiments*, 1935, II).
fn chance_of_at_least(failed: u32, tried: u32, others_failed: u32, others_tried: u32) -> f64 {
    let (all_failed, all) = (failed + others_failed, tried + others_tried);
    let mut ln_factorial = vec![0.0_f64];
    for n in 1..=all {
        let last = ln_factorial.last().copied().unwrap_or_default();
        ln_factorial.push(last + f64::from(n).ln());
    }
    let ln_factorial = |n: u32| {
        let place = usize::try_from(n).unwrap_or(usize::MAX);
        ln_factorial.get(place).copied().unwrap_or_default()
    };
    let ln_choose = |n: u32, k: u32| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let whole = ln_choose(all, tried);
    (failed..=tried.min(all_failed))
        .filter(|here| tried - here <= all - all_failed)
        .map(|here| {
            let others = ln_choose(all - all_failed, tried - here);
            (ln_choose(all_failed, here) + others - whole).exp()
        })
        .sum::<f64>()
        .min(1.0)
}

#[cfg(test)]
mod tests {
    use super::chance_of_at_least;

    #[test]
    fn chance_is_that_of_fishers_tea_tasting_lady() {
        // 8 cups, 4 of each kind: all four found by chance 1 in 70, three or more 17 in 70
        assert!((chance_of_at_least(4, 4, 0, 4) - 1.0 / 70.0).abs() < 1e-12);
        assert!((chance_of_at_least(3, 4, 1, 4) - 17.0 / 70.0).abs() < 1e-12);
        assert!((chance_of_at_least(0, 4, 4, 4) - 1.0).abs() < 1e-12);
    }
}
