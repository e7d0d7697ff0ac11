//! How a site looks: its word, its symbol, its colour. The words alone tell the state; colour only helps.

use ratatui::style::{Color, Modifier, Style};

use super::model::{Site, State};
use crate::records::VerdictKind;
use crate::station::Needs;

/// What a tile means at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to see.
    Idle,
    /// The job runs.
    Running,
    /// PASS.
    Good,
    /// The operator must do something, or the board was not flashed.
    Attention {
        /// The operator has seen it.
        seen: bool,
    },
    /// FAIL.
    Bad {
        /// The operator has seen it.
        seen: bool,
    },
}

/// How a site looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// At a glance.
    pub tone: Tone,
    /// In one character, of those that fonts of consoles have.
    pub symbol: char,
    /// In one or two words.
    pub word: &'static str,
    /// The word that is drawn large; short, so that it fits; none where nothing is worth it.
    pub large: Option<&'static str>,
}

impl Look {
    /// Of a site.
    pub fn of(site: &Site) -> Look {
        let attention = |word, large| Look {
            tone: Tone::Attention { seen: false },
            symbol: '!',
            word,
            large: Some(large),
        };
        match &site.state {
            State::Ended {
                verdict,
                acknowledged,
            } => verdict_look(verdict.verdict, *acknowledged),
            _ if site.out_of_service.is_some() => attention("OUT OF USE", "STOP"),
            State::Running { .. } => Look {
                tone: Tone::Running,
                symbol: '►',
                word: "RUNNING",
                large: None,
            },
            _ if site.probe_gone.is_some() => attention("NO PROBE", "STOP"),
            State::Waiting(Needs::Key) => Look {
                symbol: '?',
                ..attention("PRESS KEY", "KEY")
            },
            State::Waiting(Needs::Barcode) => Look {
                symbol: '?',
                ..attention("SCAN CODE", "SCAN")
            },
            State::Seated => Look {
                tone: Tone::Idle,
                symbol: '·',
                word: "SEATED",
                large: None,
            },
            State::Empty => Look {
                tone: Tone::Idle,
                symbol: '·',
                word: "EMPTY",
                large: None,
            },
        }
    }
}

fn verdict_look(verdict: VerdictKind, seen: bool) -> Look {
    let stopped = |word| Look {
        tone: Tone::Attention { seen },
        symbol: '!',
        word,
        large: Some("STOP"),
    };
    match verdict {
        VerdictKind::Pass => Look {
            tone: Tone::Good,
            symbol: '√',
            word: "PASS",
            large: Some("PASS"),
        },
        VerdictKind::Fail => Look {
            tone: Tone::Bad { seen },
            symbol: '×',
            word: if seen { "FAIL SEEN" } else { "FAIL" },
            large: Some("FAIL"),
        },
        VerdictKind::Refused => stopped("REFUSED"),
        VerdictKind::Cancelled => stopped("CANCELLED"),
        VerdictKind::Interrupted => stopped("INTERRUPTED"),
    }
}

impl Tone {
    /// Of a tile's face. Without colour a FAIL that nobody has seen is reversed.
    pub fn face(self, color: bool) -> Style {
        let plain = Style::new();
        if !color {
            return match self {
                Tone::Bad { seen: false } => plain.add_modifier(Modifier::REVERSED),
                Tone::Idle | Tone::Bad { seen: true } | Tone::Attention { seen: true } => {
                    plain.add_modifier(Modifier::DIM)
                }
                Tone::Running | Tone::Good | Tone::Attention { seen: false } => plain,
            };
        }
        match self {
            Tone::Idle => plain.add_modifier(Modifier::DIM),
            Tone::Running => plain.fg(Color::White).bg(Color::Blue),
            Tone::Good => plain.fg(Color::Black).bg(Color::Green),
            Tone::Attention { seen: false } => plain.fg(Color::Black).bg(Color::Yellow),
            Tone::Bad { seen: false } => plain.fg(Color::White).bg(Color::Red),
            Tone::Attention { seen: true } => plain.fg(Color::Yellow).bg(Color::Black),
            Tone::Bad { seen: true } => plain.fg(Color::LightRed).bg(Color::Black),
        }
    }

    /// Of a tile's title. Bold only without colour: terminals make grey of bold black.
    pub fn title(self, color: bool) -> Style {
        let face = self.face(color);
        if color || self == Tone::Idle {
            return face;
        }
        face.add_modifier(Modifier::BOLD)
    }
}
