//! An inspection as lines for people; the last line is the verdict.

use super::inspection::Inspection;
use super::inspection_parts::{FieldsRecord, SlotRecord};

/// Width of the labels in front.
const LABEL_WIDTH: usize = 9;

/// The lines of an inspection. `with_fields` adds every field of the header and every step of the DCD.
pub fn inspection_lines(inspection: &Inspection, with_fields: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| lines.push(format!("{label:LABEL_WIDTH$} {text}"));
    let target = &inspection.target;
    say(
        "target",
        format!("{}, {}, board {}", target.chip, target.flash, target.board),
    );
    for input in &inspection.inputs {
        let text = format!(
            "{} ({}), SHA-256 {}",
            input.path, input.format, input.sha256
        );
        say("input", text);
        if let Some(placement) = &input.placement {
            say("", placement.clone());
        }
    }
    for region in &inspection.map {
        let from = if region.files.is_empty() {
            "inserted by rtflash".to_owned()
        } else {
            format!("from {}", region.files.join(" and "))
        };
        let text = format!(
            "{} {:>9} bytes  {}, {from}",
            region.start, region.length_bytes, region.what
        );
        say("map", text);
    }
    if with_fields {
        header_lines(inspection, &mut say);
    }
    for slot in &inspection.mcuboot {
        slot_lines(slot, &mut say);
    }
    for inserted in &inspection.inserted {
        say("header", inserted.clone());
    }
    if let Some(reset_handler) = &inspection.reset_handler {
        say("entry", format!("reset handler {reset_handler}"));
    }
    if let Some(sha256) = &inspection.flash_sha256 {
        say(
            "flash",
            format!("SHA-256 {sha256} from its first byte to the end of the image"),
        );
    }
    for finding in &inspection.findings {
        say(
            finding.severity,
            format!("{} [{}]", finding.what, finding.code),
        );
        for (label, text) in [
            ("where", &finding.place),
            ("why", &finding.why),
            ("do", &finding.fix),
        ] {
            if let Some(text) = text {
                say("", format!("{:7}{text}", format!("{label}:")));
            }
        }
    }
    for sentence in &inspection.board_must_hold {
        say("board", format!("must hold {sentence}"));
    }
    if let Some(output) = &inspection.output {
        let text = format!(
            "{} ({}, {} bytes), SHA-256 {}",
            output.path, output.format, output.size_bytes, output.sha256
        );
        say("output", text);
        if output.filled_bytes != 0 {
            let text = format!(
                "brings {} bytes of FFh where the image brings none: the format has no gaps, and what a board holds there is lost",
                output.filled_bytes
            );
            say("", text);
        }
    }
    lines.push(inspection.verdict.to_string());
    lines
}

fn header_lines(inspection: &Inspection, say: &mut impl FnMut(&str, String)) {
    if let Some(fcb) = &inspection.fcb {
        field_lines("FCB", &fcb.block, say);
        for sequence in &fcb.lookup_table {
            let text = format!(
                "lookupTable {:2}: {}",
                sequence.sequence, sequence.instructions
            );
            say("", text);
        }
    }
    if let Some(ivt) = &inspection.ivt {
        field_lines("IVT", ivt, say);
    }
    if let Some(data) = &inspection.boot_data {
        field_lines("boot data", data, say);
    }
    if let Some(dcd) = &inspection.dcd {
        let text = format!(
            "at {}, {} bytes, version 0x{:02X}",
            dcd.address, dcd.length_bytes, dcd.version
        );
        say("DCD", text);
        for step in &dcd.steps {
            say("", step.clone());
        }
        if let Some(fault) = &dcd.fault {
            say("", fault.clone());
        }
    }
    if let Some(csf) = &inspection.csf {
        let text = format!(
            "at {}, {} bytes: signed (HAB)",
            csf.address, csf.length_bytes
        );
        say("CSF", text);
    }
    for address in &inspection.bee {
        say(
            "BEE",
            format!("data at {address}, where a BEE header stands"),
        );
    }
}

fn field_lines(label: &str, block: &FieldsRecord, say: &mut impl FnMut(&str, String)) {
    let whose = if block.inserted {
        "inserted"
    } else {
        "from the image"
    };
    say(label, format!("at {}, {whose}", block.address));
    for field in &block.fields {
        let meaning = field.meaning.as_ref().map(|text| format!("  {text}"));
        let text = format!(
            "{:03X} {:20} {}{}",
            field.offset,
            field.name,
            field.value,
            meaning.unwrap_or_default()
        );
        say("", text);
    }
}

fn slot_lines(slot: &SlotRecord, say: &mut impl FnMut(&str, String)) {
    let name = slot.slot.unwrap_or("no slot of a known layout");
    let flags = if slot.flags.is_empty() {
        String::new()
    } else {
        format!(", {}", slot.flags.join(", "))
    };
    say(
        "MCUboot",
        format!(
            "version {} at {} ({name}), {} bytes behind a header of {}{flags}",
            slot.version, slot.address, slot.image_bytes, slot.header_bytes
        ),
    );
    say(
        "",
        format!("{}, {}, {}", slot.hash, slot.signature, slot.trailer),
    );
    if !slot.tlvs.is_empty() {
        say("", format!("TLVs: {}", slot.tlvs.join(", ")));
    }
}
