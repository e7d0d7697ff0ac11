//! After the verdict: the hook gets the attempt as it is on record, and how it ended goes on record too.

use std::sync::mpsc::Sender;
use std::thread::Scope;

use jiff::Timestamp;

use super::event::{Event, UnitVerdict, What};
use super::hook::{Hook, HookEnd};
use super::shared::Shared;
use crate::records::{AttemptId, HookResult};

/// Starts the hook for the attempt of `verdict`, which was `shown`, on a thread of its own: neither this site nor another
/// waits for it.
pub fn start<'scope, 'e>(
    scope: &'scope Scope<'scope, 'e>,
    shared: &'e Shared<'e>,
    hook: &'e Hook,
    verdict: &UnitVerdict,
    shown: Event,
    events: Sender<Event>,
) {
    let attempt = verdict.attempt;
    scope.spawn(move || {
        let mut at = shown.at;
        let Err(why) = run(shared, hook, attempt, &mut at) else {
            return;
        };
        let _ = events.send(Event {
            at,
            what: What::HookFailed { attempt, why },
            ..shown
        });
    });
}

/// Moves the time on by what the hook took.
fn run(
    shared: &Shared<'_>,
    hook: &Hook,
    attempt: Option<AttemptId>,
    at: &mut Timestamp,
) -> Result<(), String> {
    let attempt = attempt.ok_or("the attempt is not on record")?;
    let record = shared.records().attempt(attempt);
    let record = record
        .map_err(|error| format!("{error}: {}", error.why))?
        .filter(|attempt| attempt.end.is_some())
        .ok_or("the attempt is not on record")?;
    let text = serde_json::to_string(&record).map_err(|error| error.to_string())?;
    let HookEnd {
        status,
        error,
        took,
    } = hook.run(&text);
    *at = at.saturating_add(took).unwrap_or(*at);
    let result = HookResult {
        command: hook.command(),
        status,
        error: error.clone(),
        ended_at: *at,
    };
    let noted = shared.records().hook(attempt, &result);
    match (error, noted) {
        (None, Ok(())) => Ok(()),
        (Some(why), Ok(())) => Err(why),
        (None, Err(error)) => Err(format!(
            "its result is not on record: {error}: {}",
            error.why
        )),
        (Some(why), Err(error)) => Err(format!(
            "{why}; and that is not on record: {error}: {}",
            error.why
        )),
    }
}
