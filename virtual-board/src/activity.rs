//! What link and flash were busy with, and when: the material of a timeline.

use crate::time::Time;

/// What a span of time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One USB transaction of the probe, from the request at the host to the answer at the host.
    Transaction,
    /// A self-timed erase of so many bytes.
    Erase {
        /// Size of the unit.
        bytes: u32,
    },
    /// A self-timed page program.
    Program,
    /// A self-timed write of registers.
    WriteRegisters,
}

/// A span of virtual time and what it was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Begin.
    pub from: Time,
    /// End, as planned: a power cut or a reset may have broken it off.
    pub until: Time,
    /// What.
    pub what: What,
}

/// A list of spans, kept only where somebody asked for it.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    spans: Option<Vec<Span>>,
}

impl Activity {
    /// Begins to record.
    pub fn record(&mut self) {
        self.spans.get_or_insert_default();
    }

    /// What was recorded, in order of begin.
    pub fn spans(&self) -> &[Span] {
        self.spans.as_deref().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, from: Time, until: Time, what: What) {
        if let Some(spans) = &mut self.spans {
            spans.push(Span { from, until, what });
        }
    }
}
