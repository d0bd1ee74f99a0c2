//! What `check` does to a generated workspace before targets are asked, beside parsing and Cedar alone.

use std::error::Error;
use std::io::Write as _;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::fingerprint::fingerprints;

use crate::clock::{Took, time};
use crate::floor::{self, Floor};
use crate::generate::{self, Size};
use crate::measure::{self, PHASES, RENDER, Watch};

/// Of so many runs, that which needed the least CPU is shown.
const RUNS: usize = 3;

/// Measures workspaces of so many tenants.
pub(crate) fn run(words: &mut dyn Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(crate::STACK).build_global()?;
    let sizes: Vec<usize> = words.map(|word| word.parse()).collect::<Result<_, _>>()?;
    let sizes = if sizes.is_empty() { vec![100, 1_000, 10_000] } else { sizes };
    for tenants in sizes {
        let mut runs = (0..RUNS).map(|_| Run::of(tenants)).collect::<Result<Vec<_>, _>>()?;
        runs.sort_by(|left, right| (left.cpu() + left.floor()).total_cmp(&(right.cpu() + right.floor())));
        for run in runs.iter().take(1) {
            writeln!(std::io::stdout().lock(), "{}", run.text())?;
        }
    }
    Ok(())
}

/// A run, and its floor.
struct Run {
    tenants: usize,
    requests: usize,
    findings: usize,
    phases: Vec<Took>,
    /// Of naming each finding.
    fingerprints: Took,
    floor: Floor,
}

impl Run {
    fn of(tenants: usize) -> Result<Self, Box<dyn Error>> {
        let size = Size { tenants, per_account: generate::TENANTS_PER_ACCOUNT };
        let (mut watch, mut out) = (Watch::new(), Diagnostics::default());
        let today = measure::today()?;
        let made = measure::compile(generate::workspace(size, 1)?, today, (&mut watch, &mut out))?;
        let mut named = Took::default();
        time(&mut named, || fingerprints(&out, &made.sources).len());
        let (floor, _) = floor::asked(&made, today)?;
        Ok(Self {
            tenants,
            requests: made.decisions.all().len(),
            findings: out.len(),
            phases: watch.took(),
            fingerprints: named,
            floor,
        })
    }

    fn cpu(&self) -> f64 {
        self.phases.iter().map(|took| took.cpu).sum::<f64>() + self.fingerprints.cpu
    }

    fn floor(&self) -> f64 {
        self.floor.parse.cpu + self.floor.decide.cpu
    }

    fn text(&self) -> String {
        let Self { tenants, requests, findings, phases, fingerprints, floor } = self;
        let mut text = format!("{tenants} tenants, {requests} requests, {findings} findings\n");
        for (phase, took) in PHASES.iter().zip(phases).take(RENDER) {
            text.push_str(&format!("{phase:<14}{:>10.1} ms\n", took.cpu * 1e3));
        }
        text.push_str(&format!("{:<14}{:>10.1} ms\n", "fingerprints", fingerprints.cpu * 1e3));
        text + &format!(
            "{:<14}{:>10.1} ms: {:.2} of the parser ({:.1} ms) and Cedar ({:.1} ms) alone\n",
            "total",
            self.cpu() * 1e3,
            self.cpu() / self.floor(),
            floor.parse.cpu * 1e3,
            floor.decide.cpu * 1e3
        )
    }
}
