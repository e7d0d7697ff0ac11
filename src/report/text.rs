//! The record as lines for people; the last line is the verdict.

use super::record::{Phase, Record};
use super::retry::FlashLeft;
use super::{EraseRecord, MismatchRecord, ReadRecord};

/// The usual role of an image, which needs no line.
const WHOLE_IMAGE: &str = "whole image";
/// Width of the labels in front.
const LABEL_WIDTH: usize = 9;

/// The lines of a record. `verbose` adds the contact check, and the probe transactions of each phase.
pub fn lines(record: &Record, verbose: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| lines.push(format!("{label:LABEL_WIDTH$} {text}"));
    if let Some(probe) = &record.probe {
        let text = format!(
            "{} ({}), SWD at {} kHz",
            probe.name, probe.selector, probe.speed_khz
        );
        say("probe", text);
        if verbose {
            for trial in &probe.contact {
                say("contact", trial.text.clone());
            }
        }
        if let Some(warning) = &probe.contact_warning {
            say("warning", warning.to_string());
        }
    }
    if let Some(chip) = &record.chip {
        let revision = record
            .info
            .as_ref()
            .map(|_| format!(", silicon revision word {}", chip.silicon_revision));
        let text = format!(
            "{}, UID {}{}",
            chip.name,
            chip.uid,
            revision.unwrap_or_default()
        );
        say("chip", text);
    }
    if let Some(flash) = &record.flash {
        let is_found = record.target.as_ref().is_some_and(|t| t.found_by_id);
        let size = flash
            .size_bytes
            .map(|bytes| format!(", {} KiB", bytes / 1024));
        let text = format!(
            "{}, JEDEC ID {}{}{}",
            flash.part,
            flash.jedec_id,
            size.unwrap_or_default(),
            if is_found { ", found by its ID" } else { "" }
        );
        say("flash", text);
    }
    if let Some(info) = &record.info {
        for (label, text) in info.lines() {
            say(label, text);
        }
    }
    for input in &record.inputs {
        let text = format!(
            "{} ({}), SHA-256 {}",
            input.path, input.format, input.sha256
        );
        say("input", text);
        if let Some(placement) = &input.placement {
            say("", placement.clone());
        }
    }
    if let Some(image) = &record.image {
        let segments: Vec<String> = image
            .segments
            .iter()
            .map(|(start, length)| format!("{length} bytes at {start}"))
            .collect();
        say("image", segments.join(", "));
        let whole = image.role == WHOLE_IMAGE;
        if !whole {
            say("role", image.role.to_owned());
        }
        if image.inserted.is_empty() && image.reset_handler.is_some() {
            let whose = if whole {
                "FCB and IVT are in the image; nothing inserted"
            } else {
                "FCB and IVT are those of the board"
            };
            say("header", whose.to_owned());
        }
        for inserted in &image.inserted {
            say("header", inserted.clone());
        }
        if let Some((entry, reset_handler)) = image.entry.as_ref().zip(image.reset_handler.as_ref())
        {
            let then = image
                .application
                .as_ref()
                .map_or_else(String::new, |address| {
                    format!(", then the application's at {address}")
                });
            say(
                "entry",
                format!("IVT entry {entry}, reset handler {reset_handler}{then}"),
            );
        }
    }
    for finding in &record.findings {
        let why = finding.why.as_ref().map(|why| format!(": {why}"));
        let text = format!(
            "{}{} [{}]",
            finding.what,
            why.unwrap_or_default(),
            finding.code
        );
        say(finding.severity, text);
    }
    if let Some(plan) = &record.plan {
        let mut text = format!(
            "{} erased, {} programmed without erase, {} already equal; {} bytes programmed",
            plan.sectors_erased, plan.sectors_programmed, plan.sectors_kept, plan.programmed_bytes
        );
        if plan.foreign_bytes != 0 {
            text += &format!("; {} bytes of others restored", plan.foreign_bytes);
        }
        say("sectors", text);
    }
    if let Some(flash) = &record.flash
        && let Some(after) = flash
            .status_after
            .filter(|after| *after != flash.status_before)
    {
        let text = format!(
            "status register 0x{:02X} -> 0x{after:02X}",
            flash.status_before
        );
        say("status", text);
    }
    for digest in &record.digest {
        say("digest", digest.clone());
    }
    for text in record.mismatch.iter().flat_map(MismatchRecord::lines) {
        say("differs", text);
    }
    for (label, text) in record.read.iter().flat_map(ReadRecord::lines) {
        say(label, text);
    }
    for (label, text) in record.erase.iter().flat_map(EraseRecord::lines) {
        say(label, text);
    }
    if let Some(boot) = &record.boot {
        let label = if boot.proven { "boot" } else { "seen" };
        for evidence in &boot.evidence {
            say(label, evidence.clone());
        }
    }
    for retry in &record.retries {
        say("retry", retry.to_string());
    }
    let is_as_wanted = |left: &FlashLeft| matches!(left, FlashLeft::Complete | FlashLeft::Erased);
    if let Some(left) = record.left.filter(|left| !is_as_wanted(left)) {
        say("left", left.to_string());
    }
    for phase in &record.phases {
        say("time", phase_text(phase, record.virtual_time, verbose));
    }
    if !record.phases.is_empty() {
        let total = Phase {
            name: "total",
            seconds: record.phases.iter().map(|phase| phase.seconds).sum(),
            transactions: record.phases.iter().map(|phase| phase.transactions).sum(),
        };
        say("time", phase_text(&total, record.virtual_time, verbose));
    }
    if let Some(doctor) = &record.doctor {
        let mut say =
            |label: &str, text: String| lines.push(format!("{label:LABEL_WIDTH$} {text}"));
        doctor.say(&mut say);
    }
    lines.push(record.verdict.to_string());
    lines
}

fn phase_text(phase: &Phase, virtual_time: bool, with_transactions: bool) -> String {
    let unit = if virtual_time { "virtual s" } else { "s" };
    let text = format!("{:<10} {:>9.3} {unit}", phase.name, phase.seconds);
    if with_transactions {
        format!("{text} {:>6} transactions", phase.transactions)
    } else {
        text
    }
}
