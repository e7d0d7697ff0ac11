//! Who sees what happens at the station, and how.

use std::sync::mpsc::{Receiver, Sender};

use jiff::tz::TimeZone;

use super::super::{print, print_aside};
use crate::station::{Command, Event, JobStart, LoadedJob, What, view};

/// Who sees the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The operator, on a terminal.
    View,
    /// Somebody who reads lines.
    Lines,
    /// A program.
    Json,
}

/// Shows the station until it has ended. What the operator's terminal showed last is gone with the view: the verdicts of
/// boards that are still seated, and how the station ended, are printed behind it.
pub fn show(shown: Shown, job: &LoadedJob, events: &Receiver<Event>, commands: &Sender<Command>) {
    let zone = TimeZone::system();
    if shown == Shown::View {
        let settings = view::Settings::of_environment(job.file.unit.start == JobStart::Barcode);
        let (on_tiles, ended) = view::run(events, commands, &settings);
        if let Err(error) = ended {
            print_aside(&format!("the terminal is lost: {error}"));
        }
        for event in &on_tiles {
            print_line(event, &zone);
        }
    }
    // what the view has not shown, or all of it
    for event in events {
        match shown {
            Shown::Json => print_json(&event),
            Shown::View | Shown::Lines => print_line(&event, &zone),
        }
    }
}

fn print_json(event: &Event) {
    if matches!(event.what, What::Progress { .. }) {
        return;
    }
    // plain data, which has no way to fail
    print(&serde_json::to_string(event).unwrap_or_default());
}

fn print_line(event: &Event, zone: &TimeZone) {
    let Some(words) = event.what.words() else {
        return;
    };
    let time = event
        .at
        .to_zoned(zone.clone())
        .strftime("%H:%M:%S")
        .to_string();
    let site = event.site.as_deref().unwrap_or("-");
    print(&format!("{time}  {site:<8}{words}"));
}
