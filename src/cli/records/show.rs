//! `rtflash records show`: everything on record about one unit.

use clap::Args;

use crate::cli::print;
use crate::cli::records_place::RecordsPlace;
use crate::problem::{ExitCode, Problem};
use crate::records::stats::cycle_seconds;
use crate::records::{Attempt, AttemptId, Filter, Ledger, Number, visible};

/// Hex digits of a unique ID.
const UID_DIGITS: usize = 16;

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    place: RecordsPlace,
    /// The number of an attempt, a serial number, or a chip's unique ID; where it may be more than one of these, say which:
    /// attempt:17, serial:17 or uid:0123456789ABCDEF
    #[arg(value_name = "ATTEMPT|SERIAL|UID")]
    unit: String,
    /// The attempts as one JSON array, as docs/attempt.schema.json describes each
    #[arg(long)]
    json: bool,
}

/// Prints it.
///
/// # Errors
/// They cannot be read, nothing fits, or more than one unit does.
pub fn run(args: &ShowArgs) -> Result<u8, Problem> {
    let mut ledger = super::open(&args.place)?;
    let attempts = story(ledger.as_mut(), &args.unit)?;
    if args.json {
        print(&super::json(&attempts)?);
        return Ok(ExitCode::Proven.number());
    }
    for attempt in &attempts {
        lines(attempt).iter().for_each(|line| print(line));
    }
    let uid = attempts.iter().find_map(uid).map(str::to_owned);
    if let Some(uid) = uid {
        let numbers = ledger.numbers().map_err(super::unreadable)?;
        for number in numbers.iter().filter(|number| number.uid == uid) {
            print(&number_line(number));
        }
    }
    Ok(ExitCode::Proven.number())
}

/// Every attempt on the chip that is meant; a unit whose chip never told its ID has the one attempt.
fn story(ledger: &mut dyn Ledger, unit: &str) -> Result<Vec<Attempt>, Problem> {
    let mut found: Vec<(&str, Vec<Attempt>)> = Vec::new();
    for (kind, filter) in readings(unit) {
        let attempts = ledger.attempts(&filter).map_err(super::unreadable)?;
        if !attempts.is_empty() {
            found.push((kind, attempts));
        }
    }
    let mut chips: Vec<Option<&str>> = Vec::new();
    for attempt in found.iter().flat_map(|(_, attempts)| attempts) {
        let chip = uid(attempt);
        if chip.is_none() || !chips.contains(&chip) {
            chips.push(chip);
        }
    }
    let chip = match chips.as_slice() {
        [] => return Err(unknown(unit)),
        [chip] => chip.map(str::to_owned),
        _ => {
            let kinds: Vec<&str> = found.iter().map(|(kind, _)| *kind).collect();
            return Err(ambiguous(unit, chips.len(), &kinds));
        }
    };
    match chip {
        Some(uid) => {
            let filter = Filter {
                uid: Some(uid),
                ..Filter::default()
            };
            ledger.attempts(&filter).map_err(super::unreadable)
        }
        None => Ok(found
            .into_iter()
            .flat_map(|(_, attempts)| attempts)
            .collect()),
    }
}

/// What the text may mean.
fn readings(unit: &str) -> Vec<(&'static str, Filter)> {
    let attempt = |text: &str| {
        let id = text.parse().ok().map(AttemptId);
        id.map(|id| Filter {
            id: Some(id),
            ..Filter::default()
        })
    };
    let serial = |text: &str| Filter {
        serial: Some(text.to_owned()),
        ..Filter::default()
    };
    let uid = |text: &str| Filter {
        uid: Some(text.to_ascii_uppercase()),
        ..Filter::default()
    };
    let (of_attempt, of_serial, of_uid) = ("attempt", "serial", "uid");
    match unit.split_once(':') {
        Some(("attempt", text)) => attempt(text)
            .map(|it| (of_attempt, it))
            .into_iter()
            .collect(),
        Some(("serial", text)) => vec![(of_serial, serial(text))],
        Some(("uid", text)) => vec![(of_uid, uid(text))],
        _ => {
            let is_uid =
                unit.len() == UID_DIGITS && unit.chars().all(|digit| digit.is_ascii_hexdigit());
            let mut readings = vec![(of_serial, serial(unit))];
            readings.extend(attempt(unit).map(|it| (of_attempt, it)));
            readings.extend(is_uid.then(|| (of_uid, uid(unit))));
            readings
        }
    }
}

fn unknown(unit: &str) -> Problem {
    Problem::new(
        "records-unit",
        ExitCode::Usage,
        format!("nothing on record is `{}`", visible(unit)),
    )
    .because("it is no attempt's number, no unit's serial number and no chip's unique ID there")
    .fix("see what there is with `rtflash records list`")
}

fn ambiguous(unit: &str, units: usize, kinds: &[&str]) -> Problem {
    let unit = visible(unit);
    let ways: Vec<String> = kinds.iter().map(|kind| format!("{kind}:{unit}")).collect();
    let (why, fix) = if let [kind] = kinds {
        (
            format!("{units} units have the {kind}"),
            format!("see them with `rtflash records list --{kind} {unit}`, and name an attempt"),
        )
    } else {
        (
            format!("it is the {} of different units", kinds.join(" and the ")),
            format!("say which: {}", ways.join(" or ")),
        )
    };
    let what = format!("more than one unit on record is `{unit}`");
    Problem::new("records-unit", ExitCode::Usage, what)
        .because(why)
        .fix(fix)
}

fn uid(attempt: &Attempt) -> Option<&str> {
    let of_end = attempt.end.as_ref().and_then(|end| end.uid.as_deref());
    of_end.or_else(|| attempt.claimed.as_ref().map(|claimed| claimed.uid.as_str()))
}

fn lines(attempt: &Attempt) -> Vec<String> {
    let begin = &attempt.begin;
    let mut lines = vec![format!(
        "attempt    {} at {:.0}, job {}, station {}, site {}{}{}",
        attempt.id.0,
        begin.begun_at,
        visible(&begin.job),
        visible(&begin.station),
        visible(&begin.site),
        begin
            .operator
            .as_ref()
            .map(|operator| format!(", operator {}", visible(operator)))
            .unwrap_or_default(),
        if begin.rehearsal { ", a rehearsal" } else { "" },
    )];
    let mut say = |label: &str, text: &str| lines.push(format!("  {label:<9}{}", visible(text)));
    say("probe", &begin.probe);
    if let Some(barcode) = &begin.barcode {
        say("barcode", barcode);
    }
    say("job file", &begin.job_sha256);
    say("images", &begin.images_sha256.join(" "));
    say("rtflash", &begin.tool_version);
    if let Some(uid) = uid(attempt) {
        let which = attempt
            .claimed
            .as_ref()
            .map(|claimed| format!(", attempt {} of the job on it", claimed.attempt_of_unit));
        say("chip", &format!("{uid}{}", which.unwrap_or_default()));
    }
    for it in &attempt.reserved {
        let kept = if it.kept { ", its own from before" } else { "" };
        say(
            "number",
            &format!(
                "{} {}, of {:.0}{kept}",
                it.series, it.number, it.reserved_at
            ),
        );
    }
    let Some(end) = &attempt.end else {
        say("verdict", "none: under way, or its station was cut off");
        return lines;
    };
    if let Some(serial) = &end.serial {
        say("serial", serial);
    }
    if let Some(flash) = &end.flash_sha256 {
        say("flash", flash);
    }
    let phases: Vec<String> = end
        .phases
        .iter()
        .map(|(name, seconds)| format!("{name} {seconds:.2}"))
        .collect();
    if !phases.is_empty() {
        say("phases", &format!("{} s", phases.join(", ")));
    }
    if end.retries > 0 {
        say("retries", &end.retries.to_string());
    }
    for hook in &attempt.hooks {
        let ended = hook.error.clone().unwrap_or_else(|| "done".to_owned());
        say("hook", &format!("{}: {ended}", hook.command));
    }
    if let Some(mark) = &attempt.journal {
        say("journal", &format!("line {}, {}", mark.line, mark.sha256));
    }
    if let Some(damage) = &attempt.damage {
        say("damaged", damage);
    }
    let cycle = cycle_seconds(attempt).map(|seconds| format!(" after {seconds:.1} s"));
    let code = end.code.as_ref().map(|code| format!(" [{code}]"));
    let (cycle, code) = (cycle.unwrap_or_default(), code.unwrap_or_default());
    say(
        "verdict",
        &format!(
            "{}{cycle}: {}{code}, exit {}",
            end.verdict.name(),
            end.text,
            end.exit
        ),
    );
    lines
}

fn number_line(number: &Number) -> String {
    let settled = number
        .settled_by
        .map(|by| format!(", by attempt {}", by.0))
        .unwrap_or_default();
    format!(
        "number     {} {}: {}{settled}; reserved by attempt {} at {:.0}",
        visible(&number.series),
        number.number,
        number.state.name(),
        number.attempt.0,
        number.reserved_at
    )
}
