//! What a rehearsal found, as text.

use std::fmt::Write;

use super::findings::{BrokenOff, Counts, Findings};

/// Disagreements that are printed; all of them count.
const SHOWN: usize = 20;

/// The table of truth against verdict, the figures, and the line that says whether all agree.
pub fn text(findings: &Findings) -> String {
    let mut text = String::new();
    // writing to a String cannot fail
    let _ = writeln!(
        text,
        "{:<18} {:>6} {:>10} {:>5} {:>5} {:>8} {:>8}  right",
        "boards", "units", "insertions", "pass", "fail", "refused", "nothing"
    );
    for (defect, counts) in &findings.counts {
        let truths = findings.truths.get(defect).map(|truths| truths.join("; "));
        let _ = writeln!(
            text,
            "{}  {}",
            row(defect.name(), counts),
            truths.unwrap_or_default()
        );
    }
    let total = findings.total();
    let _ = writeln!(text, "{}\n", row("total", &total));
    let _ = write!(text, "{}", times(findings));
    for line in findings.disagreements.iter().take(SHOWN) {
        let _ = writeln!(text, "DISAGREES: {line}");
    }
    if let more @ 1.. = findings.disagreements.len().saturating_sub(SHOWN) {
        let _ = writeln!(text, "DISAGREES: and {more} more");
    }
    let _ = writeln!(text, "{}", last_line(findings, &total));
    text
}

fn row(name: &str, counts: &Counts) -> String {
    format!(
        "{name:<18} {:>6} {:>10} {:>5} {:>5} {:>8} {:>8}",
        counts.units,
        counts.insertions,
        counts.passed,
        counts.failed,
        counts.refused,
        counts.nothing
    )
}

fn times(findings: &Findings) -> String {
    let mut text = String::new();
    for (number, site) in (1..).zip(&findings.sites) {
        let cycle = site.cycle_seconds();
        let cycle = cycle.map_or_else(|| "-".to_owned(), |cycle| format!("{cycle:.3} s"));
        let _ = writeln!(
            text,
            "site {number}: {} boards in {:.1} virtual s, {:.0} an hour; begun to PASS {cycle} on average",
            site.boards,
            site.until.as_secs_f64(),
            site.boards_per_hour()
        );
    }
    let (sum, longest) = findings.records_seconds;
    let attempts = findings.total().attempts().max(1);
    let _ = writeln!(
        text,
        "records: {:.1} ms of the host's time an attempt, {:.1} ms at the longest, waiting for other sites included; \
         not in the figures above\n",
        1e3 * sum / f64::from(attempts),
        1e3 * longest
    );
    text
}

fn last_line(findings: &Findings, total: &Counts) -> String {
    let counts = format!(
        "REHEARSAL: {} units, {} attempts: {} passed, {} failed, {} refused, {} insertions without an attempt",
        total.units,
        total.attempts(),
        total.passed,
        total.failed,
        total.refused,
        total.nothing
    );
    let counts = match findings.broken_off {
        None => counts,
        Some(BrokenOff {
            boards,
            cancelled: 0,
        }) => format!("{counts}; BROKEN OFF, {boards} board(s) not done"),
        Some(BrokenOff { boards, cancelled }) => {
            format!(
                "{counts}; BROKEN OFF, {boards} board(s) not done, {cancelled} attempt(s) cancelled"
            )
        }
    };
    match findings.disagreements.len() {
        0 => format!(
            "{counts}; all verdicts agree with the truth, and the records with the verdicts"
        ),
        1 => format!("{counts}; 1 DISAGREES"),
        number => format!("{counts}; {number} DISAGREE"),
    }
}
