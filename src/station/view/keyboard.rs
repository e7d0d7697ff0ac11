//! Keys to commands, where a scanner types on the same keyboard as the operator.
//!
//! A scanner as keyboard wedge types a code within milliseconds and ends it with Enter. Two rules keep it from pressing
//! shortcuts. Where the job takes codes, every character goes to the scan line, and shortcuts are function keys, arrows and
//! keys with Ctrl, none of which a code contains. Where it takes none, a character is a shortcut only if it stands alone:
//! it is known that nothing was typed within [`ALONE`] before or after it. What comes faster is collected in the scan line as
//! well, and its Enter sends it, so that the station can say that it has no use for it.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::Model;
use super::tile::DIGIT_KEYS;
use crate::records::visible;
use crate::station::Command;

/// A wedge's characters follow each other faster, a hand's do not.
pub const ALONE: Duration = Duration::from_millis(80);
/// A line that nobody goes on with is no beginning of the next code.
pub const LINE_KEPT: Duration = Duration::from_secs(5);
/// What terminals make of the separators FS, GS, RS and US of a Data Matrix code: Ctrl with 4 to 7.
const SEPARATORS: [(char, char); 4] = [
    ('4', '\u{1C}'),
    ('5', '\u{1D}'),
    ('6', '\u{1E}'),
    ('7', '\u{1F}'),
];

/// When something was typed, as far as that is known: neither before the first moment nor after the second, both times since
/// any fixed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between(pub Duration, pub Duration);

/// How soon the station shall end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ending {
    /// Not at all.
    #[default]
    No,
    /// When the boards under way are done.
    Done,
    /// Where they can be left safely.
    Safe,
    /// At once, wherever they are.
    AtOnce,
}

/// What was typed and is not a command yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyboard {
    takes_codes: bool,
    /// The scan line.
    line: String,
    /// A character that may be a shortcut, if it stays alone.
    pending: Option<char>,
    /// When a character was typed last, at the latest.
    typed_at: Option<Duration>,
    selected: Option<usize>,
    /// The acknowledge key was pressed while several sites wait for it.
    asks_which: bool,
    ending: Ending,
    /// Tiles beside each other, as drawn last: how far up and down go.
    columns: usize,
}

impl Keyboard {
    /// For a job that takes codes, or none.
    pub fn new(takes_codes: bool) -> Self {
        Keyboard {
            takes_codes,
            columns: 1,
            ..Keyboard::default()
        }
    }

    /// Place of the site that the operator has chosen.
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Whether the program shall end at once, whatever the boards are in: Ctrl-C was pressed once more when all that the
    /// station can be asked was asked.
    pub fn ends_at_once(&self) -> bool {
        self.ending == Ending::AtOnce
    }

    /// Says how the tiles are drawn.
    pub fn set_columns(&mut self, columns: u16) {
        self.columns = usize::from(columns).max(1);
    }

    /// Takes a key. Where it may have followed the last one closely it is taken for a scanner's.
    pub fn press(&mut self, key: KeyEvent, at: Between, model: &Model) -> Vec<Command> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let Between(earliest, _) = at;
        let mut commands = self.settle(earliest, model);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let command = match key.code {
            KeyCode::Char('c') if control => self.interrupt(),
            KeyCode::Char('q') if control => Some(self.quit()),
            KeyCode::Char('a') if control => self.acknowledge(model),
            KeyCode::Char('s') if control => self.start_selected(model),
            KeyCode::Char(c) if control => {
                let separator = SEPARATORS.iter().find(|(sent, _)| *sent == c);
                if let Some((_, separator)) = separator {
                    self.typed(*separator, at);
                }
                None
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::ALT) => {
                self.typed(c, at);
                None
            }
            KeyCode::Enter => self.enter(model),
            KeyCode::Backspace => {
                self.line.pop();
                None
            }
            KeyCode::Esc => {
                self.line.clear();
                (self.pending, self.selected, self.asks_which) = (None, None, false);
                None
            }
            KeyCode::F(number) => self.site_key(number.into(), model),
            KeyCode::Left => self.select(-1, model),
            KeyCode::Right => self.select(1, model),
            KeyCode::Up => self.select(-self.row_step(), model),
            KeyCode::Down => self.select(self.row_step(), model),
            _ => None,
        };
        commands.extend(command);
        commands
    }

    /// What the passing of time decides: a character that stayed alone is a shortcut, an abandoned line is gone. Until `now`
    /// all that was typed must have been told.
    pub fn settle(&mut self, now: Duration, model: &Model) -> Vec<Command> {
        let Some(quiet) = self.typed_at.map(|typed_at| now.saturating_sub(typed_at)) else {
            return Vec::new();
        };
        if quiet >= LINE_KEPT {
            self.line.clear();
        }
        if quiet < ALONE {
            return Vec::new();
        }
        let command = self.pending.take().and_then(|c| self.shortcut(c, model));
        command.into_iter().collect()
    }

    fn typed(&mut self, c: char, Between(earliest, latest): Between) {
        let follows = self
            .typed_at
            .is_some_and(|typed_at| earliest.saturating_sub(typed_at) < ALONE);
        self.typed_at = Some(latest);
        if self.takes_codes || !self.line.is_empty() || follows {
            self.line.extend(self.pending.take());
            self.line.push(c);
        } else {
            self.pending = Some(c);
        }
    }

    fn shortcut(&mut self, c: char, model: &Model) -> Option<Command> {
        match c.to_ascii_lowercase() {
            'a' => self.acknowledge(model),
            'q' => Some(self.quit()),
            ' ' => self.start_selected(model),
            digit => {
                let number = digit.to_digit(10)?;
                self.site_key(usize::try_from(number).ok()?, model)
            }
        }
    }

    fn enter(&mut self, model: &Model) -> Option<Command> {
        self.line.extend(self.pending.take());
        self.typed_at = None;
        if self.line.is_empty() {
            return None;
        }
        let site = self.selected.take().and_then(|place| label(place, model));
        Some(Command::Code {
            site,
            code: std::mem::take(&mut self.line),
        })
    }

    /// The key of the site with this number, from 1: its start, or the answer to which site's verdict was seen.
    fn site_key(&mut self, number: usize, model: &Model) -> Option<Command> {
        let site = label(number.checked_sub(1)?, model)?;
        self.selected = None;
        if std::mem::take(&mut self.asks_which) {
            return Some(Command::Acknowledge { site: Some(site) });
        }
        Some(Command::Start { site })
    }

    fn start_selected(&mut self, model: &Model) -> Option<Command> {
        let site = label(self.selected.take()?, model)?;
        Some(Command::Start { site })
    }

    /// One key for the one site that waits or that was chosen; where several wait, nobody guesses which one was seen.
    fn acknowledge(&mut self, model: &Model) -> Option<Command> {
        if let Some(place) = self.selected.take() {
            self.asks_which = false;
            let site = Some(label(place, model)?);
            return Some(Command::Acknowledge { site });
        }
        if std::mem::take(&mut self.asks_which) {
            return Some(Command::Acknowledge { site: None });
        }
        match model.unacknowledged().as_slice() {
            [] => None,
            [place] => Some(Command::Acknowledge {
                site: Some(label(*place, model)?),
            }),
            _ => {
                self.asks_which = true;
                None
            }
        }
    }

    fn quit(&mut self) -> Command {
        if self.ending == Ending::No {
            self.ending = Ending::Done;
        }
        Command::Quit
    }

    /// Each goes one further, as the signal does where Ctrl-C is one.
    fn interrupt(&mut self) -> Option<Command> {
        let (ending, command) = match self.ending {
            Ending::No => (Ending::Done, Some(Command::Quit)),
            Ending::Done => (Ending::Safe, Some(Command::Cancel)),
            Ending::Safe | Ending::AtOnce => (Ending::AtOnce, None),
        };
        self.ending = ending;
        command
    }

    fn row_step(&self) -> isize {
        isize::try_from(self.columns).unwrap_or(1)
    }

    fn select(&mut self, step: isize, model: &Model) -> Option<Command> {
        let last = model.sites.len().checked_sub(1)?;
        self.selected = Some(match self.selected {
            None => 0,
            Some(place) => place
                .checked_add_signed(step)
                .filter(|place| *place <= last)
                .unwrap_or(place),
        });
        None
    }

    /// The key that starts a site, in words.
    pub fn key_of(&self, place: usize) -> String {
        let number = place + 1;
        match (number <= DIGIT_KEYS, self.takes_codes) {
            (true, false) => format!("key {number}"),
            (true, true) => format!("F{number}"),
            (false, false) => "arrows, then space".to_owned(),
            (false, true) => "arrows, then Ctrl-S".to_owned(),
        }
    }

    /// The last line of the page: what is being typed, or which keys there are.
    pub fn help(&self, model: &Model) -> String {
        let chosen = self.selected.and_then(|place| label(place, model));
        if !self.line.is_empty() {
            let site = chosen
                .map(|site| format!(" for {site}"))
                .unwrap_or_default();
            return format!(
                " code{site}: {}_   Enter takes it, Esc clears it",
                visible(&self.line)
            );
        }
        if self.asks_which {
            let keys = if self.takes_codes { "F1–F9" } else { "1–9" };
            let again = if self.takes_codes { "Ctrl-A" } else { "a" };
            return format!(" which verdict was seen? {keys} that site, {again} all, Esc none");
        }
        match self.ending {
            Ending::No => {}
            Ending::Done => {
                return format!(
                    " ending: {} board(s) under way are finished first; Ctrl-C cancels them",
                    model.running()
                );
            }
            Ending::Safe | Ending::AtOnce => {
                return format!(
                    " ending: {} board(s) are left where that is safe; Ctrl-C ends at once",
                    model.running()
                );
            }
        }
        let (start, acknowledge, quit, chosen_start) = if self.takes_codes {
            ("scan a code · F1–F9 start", "Ctrl-A", "Ctrl-Q", "Ctrl-S")
        } else {
            ("1–9 start", "a", "q", "space")
        };
        match chosen {
            Some(site) => {
                format!(
                    " {site} chosen: {chosen_start} start · {acknowledge} acknowledge · Esc none"
                )
            }
            None => format!(" {start} · {acknowledge} acknowledge · arrows choose · {quit} quit"),
        }
    }
}

fn label(place: usize, model: &Model) -> Option<String> {
    model.sites.get(place).map(|site| site.label.clone())
}
