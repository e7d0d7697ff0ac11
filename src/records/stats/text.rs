//! The figures as lines: in all, the failures by code, a table of the sites, and what is notable.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::{Figures, Notable, Output, SiteFigures, Stats};
use crate::records::plain::visible;

const SECONDS_PER_MINUTE: f64 = 60.0;
const MINUTES_PER_HOUR: f64 = 60.0;
const PERCENT: f64 = 100.0;
/// What stands where there is no figure.
const NONE: &str = "-";
/// Columns of text at the left of the table of the sites.
const SITE_NAMES: usize = 2;

pub fn lines(stats: &Stats) -> Vec<String> {
    let all = &stats.all;
    let mut lines = vec![endings(all)];
    lines.extend(interrupted(all));
    lines.extend(units(all));
    lines.extend(all.output.as_ref().map(output));
    lines.extend(cycle(all));
    lines.extend(phases(all));
    if all.backwards > 0 {
        let n = all.backwards;
        lines.push(format!(
            "clock      {n} attempts end before they begin: the station's clock was set back; they have no cycle time"
        ));
    }
    if !all.failures.is_empty() {
        lines.push(String::new());
        lines.extend(table(&failures(all), 1));
    }
    if !stats.sites.is_empty() {
        lines.push(String::new());
        lines.extend(table(&sites(stats), SITE_NAMES));
    }
    if !stats.notable.is_empty() {
        lines.push(String::new());
        let of_several = stats
            .sites
            .iter()
            .any(|site| Some(&site.station) != stats.sites.first().map(|first| &first.station));
        lines.extend(stats.notable.iter().map(|it| notable(it, of_several)));
    }
    lines
}

fn endings(figures: &Figures) -> String {
    let it = figures.attempts;
    let mut line = format!(
        "attempts   {}: {} pass, {} fail, {} refused, {} cancelled, {} interrupted",
        it.total, it.pass, it.fail, it.refused, it.cancelled, it.interrupted
    );
    if it.open > 0 {
        line += &format!(", {} without an end", it.open);
    }
    line
}

fn interrupted(figures: &Figures) -> Option<String> {
    let it = figures.attempts.interrupted;
    (it > 0).then(|| {
        let attempts = counted(it, "attempt");
        format!("no verdict {attempts} interrupted: cut off, or shown as FAIL 23; in no yield")
    })
}

fn units(figures: &Figures) -> Vec<String> {
    let (units, retests) = (&figures.units, &figures.retests);
    let mut tried = format!(
        "units      {} tried, {} passed at their first attempt, {} in the end",
        units.tried, units.passed_first, units.passed
    );
    if units.unidentified > 0 {
        tried += &format!(
            "; {} of them failed before their chip was known",
            units.unidentified
        );
    }
    let yields = format!(
        "yield      first pass {}, final {}",
        percent(units.first_pass_yield),
        percent(units.final_yield)
    );
    let again = format!(
        "retests    {} attempts on {} units, at most {} attempts on one; {} units passed after a failure",
        retests.attempts, retests.units, retests.most, retests.passed_after_failure
    );
    vec![tried, yields, again]
}

fn output(output: &Output) -> String {
    let mut line = format!(
        "output     {} units passed in {}: {} an hour",
        output.units,
        time(output.seconds),
        figure(output.units_per_hour, 1)
    );
    if output.idle_gaps > 0 {
        line += &format!(
            "; without {} of more than 5 min and {} in all: {} an hour",
            counted(output.idle_gaps, "idle gap"),
            time(output.idle_seconds),
            figure(output.units_per_hour_without_gaps, 1)
        );
    }
    line
}

fn cycle(figures: &Figures) -> Option<String> {
    let cycle = figures.cycle?;
    let mut line = format!(
        "cycle      median {:.2} s, 90 % within {:.2} s, longest {:.2} s ({} passed)",
        cycle.median, cycle.p90, cycle.max, cycle.count
    );
    if let Some(over) = figures.over_budget {
        line += &format!(
            "; {} ({}) over the budget of {} s",
            over.attempts,
            percent(over.share),
            over.budget_seconds
        );
    }
    Some(line)
}

fn phases(figures: &Figures) -> Option<String> {
    let phases: Vec<String> = figures
        .phases
        .iter()
        .map(|phase| format!("{} {:.2}", visible(&phase.phase), phase.median))
        .collect();
    (!phases.is_empty()).then(|| format!("phases     medians in s: {}", phases.join(", ")))
}

fn failures(figures: &Figures) -> Vec<Vec<String>> {
    let mut rows = vec![row(&["failure", "count", "share", "so far"])];
    rows.extend(figures.failures.iter().map(|failure| {
        vec![
            visible(&failure.code),
            failure.count.to_string(),
            percent(Some(failure.share)),
            percent(Some(failure.cumulative)),
        ]
    }));
    rows
}

fn sites(stats: &Stats) -> Vec<Vec<String>> {
    let mut head = row(&[
        "station",
        "site",
        "attempts",
        "units",
        "first pass",
        "final",
        "retests",
        "units/h",
        "median s",
        "90 % s",
        "max s",
        "to all",
    ]);
    let with_budget = stats.all.over_budget.is_some();
    if with_budget {
        head.push("over".to_owned());
    }
    let mut rows = vec![head];
    rows.extend(stats.sites.iter().map(|site| site_row(site, with_budget)));
    rows
}

fn site_row(site: &SiteFigures, with_budget: bool) -> Vec<String> {
    let figures = &site.figures;
    let cycle = figures.cycle;
    let mut row = vec![
        visible(&site.station),
        visible(&site.site),
        figures.attempts.total.to_string(),
        figures.units.tried.to_string(),
        percent(figures.units.first_pass_yield),
        percent(figures.units.final_yield),
        figures.retests.attempts.to_string(),
        figure(figures.output.and_then(|output| output.units_per_hour), 1),
        figure(cycle.map(|cycle| cycle.median), 2),
        figure(cycle.map(|cycle| cycle.p90), 2),
        figure(cycle.map(|cycle| cycle.max), 2),
        site.cycle_to_all
            .map_or_else(|| NONE.to_owned(), |times| format!("{times:.2}x")),
    ];
    if with_budget {
        row.push(
            figures
                .over_budget
                .map_or(0, |over| over.attempts)
                .to_string(),
        );
    }
    row
}

fn notable(it: &Notable, of_several: bool) -> String {
    let place = |station: &str, site: &str| {
        let site = visible(site);
        if of_several {
            format!("notable    station {}, site {site}", visible(station))
        } else {
            format!("notable    site {site}")
        }
    };
    match it {
        Notable::FailsMoreOften {
            station,
            site,
            failed,
            tried,
            others_failed,
            others_tried,
            times,
            chance,
        } => {
            let place = place(station, site);
            let often = match times {
                Some(times) => format!("fails {times:.1}x as often as the others"),
                None => "fails, and no other does".to_owned(),
            };
            let one_in = 1.0 / chance;
            format!(
                "{place} {often}: {failed} of {tried} units at their first attempt against {others_failed} of \
                 {others_tried}; chance does that in one line of {one_in:.0}"
            )
        }
        Notable::Slower {
            station,
            site,
            median,
            others_median,
            times,
        } => {
            let place = place(station, site);
            format!(
                "{place} takes {times:.2}x as long as the others: a median of {median:.2} s against {others_median:.2} s"
            )
        }
    }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Columns of text first, then figures at the right.
fn table(rows: &[Vec<String>], texts: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    for row in rows {
        table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let left = if at == 0 { 0 } else { 1 };
        column.set_padding((left, 1));
        if at >= texts {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn counted(n: u32, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || NONE.to_owned(),
        |share| format!("{:.1} %", share * PERCENT),
    )
}

fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.digits$}"))
}

/// A span as people say it.
fn time(seconds: f64) -> String {
    if seconds < SECONDS_PER_MINUTE {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / SECONDS_PER_MINUTE).round();
    if minutes < MINUTES_PER_HOUR {
        return format!("{minutes:.0} min");
    }
    let hours = (minutes / MINUTES_PER_HOUR).floor();
    format!("{hours:.0} h {:.0} min", minutes - hours * MINUTES_PER_HOUR)
}
