//! Time and probe transactions of each phase.

use std::time::Duration;

use super::Bench;
use crate::link::{Counts, Retry};
use crate::report::Phase;

/// Measures phases, one after the other.
pub struct Meter<'b> {
    bench: &'b Bench,
    current: Option<(&'static str, Duration, u64)>,
    counts: Counts,
    retries: Vec<Retry>,
    phases: Vec<Phase>,
}

impl<'b> Meter<'b> {
    /// No phase yet.
    pub fn new(bench: &'b Bench) -> Self {
        Meter {
            bench,
            current: None,
            counts: Counts::default(),
            retries: Vec::new(),
            phases: Vec::new(),
        }
    }

    /// Notes what the link has done and retried so far.
    pub fn note(&mut self, counts: Counts, retries: &[Retry]) {
        self.counts = counts;
        self.retries = retries.to_vec();
    }

    /// What the link had retried when it was last noted.
    pub fn retries(&self) -> &[Retry] {
        &self.retries
    }

    /// What the link had done when it was last noted.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Ends the current phase and begins the next.
    pub fn begin(&mut self, name: &'static str) {
        let (now, transactions) = (
            self.bench.clock().now(),
            self.bench.transactions(self.counts),
        );
        self.end(now, transactions);
        self.current = Some((name, now, transactions));
    }

    fn end(&mut self, now: Duration, transactions: u64) {
        if let Some((name, since, before)) = self.current.take() {
            self.phases.push(Phase {
                name,
                seconds: now.saturating_sub(since).as_secs_f64(),
                transactions: transactions.saturating_sub(before),
            });
        }
    }

    /// Ends the last phase.
    pub fn finish(mut self) -> Vec<Phase> {
        let (now, transactions) = (
            self.bench.clock().now(),
            self.bench.transactions(self.counts),
        );
        self.end(now, transactions);
        self.phases
    }
}
