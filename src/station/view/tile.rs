//! One site's tile: a title with its word, the word drawn large where there is room, and the rest in words below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::letters::{self, Size};
use super::look::Look;
use super::model::{Site, State};
use super::wrap::{columns, cut, fit, wrap};
use crate::records::VerdictKind;
use crate::station::{Needs, UnitVerdict};

/// Free columns left and right of the text in a tile.
const MARGIN: u16 = 1;
/// Sites with a key of one digit.
pub const DIGIT_KEYS: usize = 9;
const PERCENT: u64 = 100;
/// Items up to this rank go before the large word: why, and what to do.
const NEEDED: u8 = 1;

/// A tile and what it needs to know besides its site.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its place among the sites, from 0.
    pub place: usize,
    /// Whether the operator has chosen it.
    pub selected: bool,
    /// Whether colours are shown.
    pub color: bool,
    /// The key that starts it, in words.
    pub key: &'a str,
}

/// Something that a tile says.
struct Item {
    /// The smallest is shown first where there is not room for all.
    rank: u8,
    what: Content,
}

enum Content {
    Text(String),
    Bar { done: u64, total: u64 },
}

impl Tile<'_> {
    /// Draws it.
    pub fn render(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let look = Look::of(self.site);
        buffer.set_style(area, look.tone.face(self.color));
        let width = usize::from(area.width);
        let mut style = look.tone.title(self.color);
        if self.selected {
            style = style.add_modifier(Modifier::REVERSED);
        }
        buffer.set_stringn(area.x, area.y, self.title(&look, width), width, style);

        let width = usize::from(area.width.saturating_sub(2 * MARGIN));
        let rows = usize::from(area.height.saturating_sub(1));
        let lines = self.body(&look, width, rows);
        for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
            buffer.set_stringn(area.x + MARGIN, y, line, width, look.tone.face(self.color));
        }
    }

    /// ` 1 A1 ─────── × FAIL `: the word is never cut where the label can be.
    fn title(&self, look: &Look, width: usize) -> String {
        let word = format!(" {} {} ", look.symbol, look.word);
        let number = self.place + 1;
        let name = if number <= DIGIT_KEYS {
            format!("{number} {}", self.site.label)
        } else {
            self.site.label.clone()
        };
        let (open, close) = if self.selected {
            ('[', ']')
        } else {
            (' ', ' ')
        };
        let room = width.saturating_sub(columns(&word) + 3);
        let name = format!("─{open}{}{close}", cut(&name, room));
        let fill = width.saturating_sub(columns(&name) + columns(&word));
        cut(&format!("{name}{}{word}", "─".repeat(fill)), width)
    }

    fn body(&self, look: &Look, width: usize, rows: usize) -> Vec<String> {
        let items = self.items();
        let wanted: Vec<usize> = items.iter().map(|item| item.rows(width)).collect();
        let pairs = items.iter().zip(&wanted);
        let needed: usize = pairs
            .filter(|(item, _)| item.rank <= NEEDED)
            .map(|(_, wanted)| wanted)
            .sum();
        let mut lines = Vec::new();
        if let Some(word) = look.large {
            let fits = |size: &Size| size.columns(word) <= width && size.rows() + needed <= rows;
            if let Some(size) = Size::ALL.into_iter().find(fits) {
                let indent = " ".repeat((width - size.columns(word)) / 2);
                let drawn = letters::draw(word, size);
                lines.extend(drawn.iter().map(|line| format!("{indent}{line}")));
                let all: usize = wanted.iter().sum();
                // free rows around it where nothing else wants them
                if lines.len() + all < rows {
                    lines.push(String::new());
                }
                if lines.len() + all < rows {
                    lines.insert(0, String::new());
                }
            }
        }
        let granted = grant(&items, &wanted, rows.saturating_sub(lines.len()));
        for (item, granted) in items.iter().zip(granted) {
            lines.extend(item.lines(width, granted));
        }
        lines
    }

    /// In the order in which they are shown.
    fn items(&self) -> Vec<Item> {
        let site = self.site;
        let probe_gone = site.probe_gone.as_ref();
        let out_of_service = site.out_of_service.as_ref();
        let cannot = out_of_service.map(|why| (why, "→ start the station again"));
        let cannot = cannot.or(probe_gone.map(|why| (why, "→ connect the probe again")));
        let mut items = match (&site.state, cannot) {
            (
                State::Ended {
                    verdict,
                    acknowledged,
                },
                _,
            ) => verdict_items(verdict, *acknowledged),
            (State::Running { phase, progress }, _) => running_items(*phase, *progress),
            (_, Some((why, to_do))) => vec![text(0, why.clone()), text(1, to_do)],
            (State::Waiting(Needs::Key), None) => vec![text(0, format!("→ press {}", self.key))],
            (State::Waiting(Needs::Barcode), None) => vec![text(0, "→ scan the board's code")],
            (State::Seated, None) => vec![text(0, "board seated")],
            (State::Empty, None) => Vec::new(),
        };
        if matches!(site.state, State::Ended { .. } | State::Running { .. })
            && let Some((why, to_do)) = cannot
        {
            items.push(text(2, format!("! {why}")));
            items.push(text(2, to_do));
        }
        if let Some(note) = &site.note {
            items.insert(0, text(1, format!("! {note}")));
        }
        let ended = match &site.state {
            State::Ended { verdict, .. } => Some(verdict),
            _ => None,
        };
        let unit = site.unit.as_ref();
        let serial = ended.and_then(|verdict| verdict.serial.as_ref());
        if let Some(serial) = serial.or(unit.and_then(|unit| unit.serial.as_ref())) {
            items.push(text(3, format!("serial {serial}")));
        }
        if let Some(barcode) = &site.barcode {
            items.push(text(4, format!("code {barcode}")));
        }
        let uid = ended.and_then(|verdict| verdict.uid.as_ref());
        if let Some(uid) = uid.or(unit.map(|unit| &unit.uid)) {
            items.push(text(6, format!("chip {uid}")));
        }
        if let Some(unit) = unit.filter(|unit| unit.attempt > 1) {
            items.push(text(5, format!("attempt {} on this unit", unit.attempt)));
        }
        if site.figures.attempts > 0 {
            let figures = &site.figures;
            items.push(text(
                7,
                format!("attempts {}, passed {}", figures.attempts, figures.passed),
            ));
        }
        items
    }
}

fn text(rank: u8, text: impl Into<String>) -> Item {
    Item {
        rank,
        what: Content::Text(text.into()),
    }
}

fn verdict_items(verdict: &UnitVerdict, acknowledged: bool) -> Vec<Item> {
    let passed = verdict.verdict == VerdictKind::Pass;
    let mut items = Vec::new();
    if !passed {
        items.push(text(1, verdict.text.clone()));
    }
    if acknowledged && !passed {
        items.push(text(0, "→ remove the board"));
    }
    if !verdict.to_do.is_empty() {
        let rank = if acknowledged { 2 } else { 0 };
        items.push(text(rank, format!("→ {}", verdict.to_do)));
    }
    let mut time = format!("{:.1} s", verdict.cycle_seconds);
    if verdict.over_budget {
        time.push_str(", over the budget");
    }
    let time_rank = if verdict.over_budget { 2 } else { 5 };
    match verdict.code.as_ref().filter(|_| !passed) {
        Some(code) => items.push(text(4, format!("[{code}] exit {}, {time}", verdict.exit))),
        None => items.push(text(time_rank, time)),
    }
    items
}

fn running_items(phase: Option<&'static str>, progress: Option<(u64, u64)>) -> Vec<Item> {
    let mut items = vec![text(0, phase.unwrap_or("begins"))];
    if let Some((done, total)) = progress {
        items.push(Item {
            rank: 1,
            what: Content::Bar { done, total },
        });
    }
    items
}

impl Item {
    /// Rows that it takes in full.
    fn rows(&self, width: usize) -> usize {
        match &self.what {
            Content::Text(text) => wrap(text, width).len(),
            Content::Bar { .. } => 1,
        }
    }

    fn lines(&self, width: usize, rows: usize) -> Vec<String> {
        match &self.what {
            Content::Text(text) => fit(text, width, rows),
            Content::Bar { .. } if rows == 0 => Vec::new(),
            Content::Bar { done, total } => vec![bar(*done, *total, width)],
        }
    }
}

/// Who gets how many rows. One each goes to what is needed, then all that is needed gets what it wants; after that the same
/// for the rest; always in the order of the ranks.
fn grant(items: &[Item], wanted: &[usize], rows: usize) -> Vec<usize> {
    let mut order: Vec<(usize, u8)> = items.iter().map(|item| item.rank).enumerate().collect();
    order.sort_by_key(|(_, rank)| *rank);
    let mut granted = vec![0; items.len()];
    let mut left = rows;
    for (needed, one_each) in [(true, true), (true, false), (false, true), (false, false)] {
        for (at, rank) in &order {
            if (*rank <= NEEDED) != needed {
                continue;
            }
            let (Some(granted), Some(wanted)) = (granted.get_mut(*at), wanted.get(*at)) else {
                continue;
            };
            let wish = if one_each { (*wanted).min(1) } else { *wanted };
            let more = wish.saturating_sub(*granted).min(left);
            *granted += more;
            left -= more;
        }
    }
    granted
}

/// `████░░░░  45 %`.
fn bar(done: u64, total: u64, width: usize) -> String {
    let done = done.min(total);
    // nothing to do is done
    let percent = (done.saturating_mul(PERCENT))
        .checked_div(total)
        .unwrap_or(PERCENT);
    let figure = format!(" {percent:>3} %");
    let room = width.saturating_sub(columns(&figure));
    let share = u128::from(done) * room as u128;
    let filled = share
        .checked_div(u128::from(total))
        .and_then(|filled| usize::try_from(filled).ok())
        .unwrap_or(room);
    format!(
        "{}{}{figure}",
        "█".repeat(filled),
        "░".repeat(room - filled)
    )
}
