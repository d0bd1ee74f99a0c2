//! How long the parts of a run took.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use aipolicy_compiler::Phase;

/// A stopwatch. What is between two marks belongs to the first of them; a part that comes again is added.
pub(crate) struct Timings {
    last: (&'static str, Instant),
    took: Vec<(&'static str, Duration)>,
}

impl Timings {
    /// Starts with the first part.
    pub(crate) fn start(part: &'static str) -> Self {
        Self { last: (part, Instant::now()), took: Vec::new() }
    }

    /// Ends the part before, and begins this one.
    pub(crate) fn mark(&mut self, part: &'static str) {
        let now = Instant::now();
        let (before, began) = std::mem::replace(&mut self.last, (part, now));
        match self.took.iter_mut().find(|(known, _)| *known == before) {
            Some((_, took)) => *took += now - began,
            None => self.took.push((before, now - began)),
        }
    }

    /// The same for a part of a compile.
    pub(crate) fn phase(&mut self, phase: Phase) {
        self.mark(match phase {
            Phase::Linking => "linking",
            Phase::Policies => "policies",
            Phase::Checks => "checks",
            Phase::Cedar => "cedar",
        });
    }

    /// A line for each part in milliseconds, in the order of their beginnings, and one for all of them.
    pub(crate) fn text(mut self) -> String {
        self.mark("");
        let total: Duration = self.took.iter().map(|(_, took)| *took).sum();
        let mut text = String::new();
        for (part, took) in self.took.iter().chain([&("total", total)]) {
            _ = writeln!(text, "{part:<10}{:>10.1} ms", took.as_secs_f64() * 1e3);
        }
        text
    }
}
