//! Measurements as text for people and as JSON for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::generate;
use crate::measure::{Measured, PHASES};

impl Measured {
    fn cpu(&self) -> f64 {
        self.phases.iter().map(|took| took.cpu).sum()
    }

    /// CPU and floor without the calls of the file system, which are the same on both sides.
    fn pure(&self) -> (f64, f64) {
        let write = PHASES.iter().zip(&self.phases).filter(|(name, _)| **name == "write");
        let write: f64 = write.map(|(_, took)| took.cpu).sum();
        (self.cpu() - write, self.floor.cpu() - self.floor.write.cpu)
    }

    /// The floor of a phase, where it has one.
    fn floor_of(&self, phase: &str) -> Option<f64> {
        match phase {
            "read" => Some(self.floor.parse.cpu),
            "decide" => Some(self.floor.decide.cpu),
            "render" => Some(self.floor.serialise.cpu),
            "write" => Some(self.floor.write.cpu),
            _ => None,
        }
    }
}

/// How CPU grows from one size to the next: the exponent of the size.
fn growth(measured: &[Measured]) -> Vec<(usize, usize, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "numbers of tenants are small")]
    let exponent = |from: &Measured, to: &Measured| {
        (to.cpu() / from.cpu()).ln() / (to.tenants as f64 / from.tenants as f64).ln()
    };
    let pairs = measured.iter().zip(measured.iter().skip(1));
    pairs.map(|(from, to)| (from.tenants, to.tenants, exponent(from, to))).collect()
}

/// Tables for people.
pub(crate) fn text(measured: &[Measured], (seed, threads): (u64, usize)) -> String {
    let mut text = format!(
        "per tenant: {}\nshared: {}\nseed {seed}, {threads} thread(s)\n",
        generate::PER_TENANT,
        generate::SHARED,
    );
    for one in measured {
        table(one, &mut text);
    }
    for (from, to, exponent) in growth(measured) {
        _ = writeln!(text, "growth {from} -> {to}: CPU grows with the size to the power of {exponent:.3}");
    }
    text
}

fn table(one: &Measured, text: &mut String) {
    let total = one.cpu();
    _ = writeln!(
        text,
        "\n{} tenants: {:.1} MB read, {} requests ({:.1} candidate policies each), {} files, {:.1} MB written",
        one.tenants,
        megabytes(one.bytes_read),
        one.requests,
        one.candidates,
        one.files,
        megabytes(one.bytes_written),
    );
    _ = writeln!(
        text,
        "{:<10}{:>12}{:>12}{:>8}{:>12}{:>8}",
        "phase", "CPU ms", "wall ms", "share", "floor ms", "ratio"
    );
    for (phase, took) in PHASES.iter().zip(&one.phases) {
        let floor = one.floor_of(phase).map_or_else(String::new, |floor| format!("{:.1}", floor * 1e3));
        let ratio = one.floor_of(phase).map_or_else(String::new, |floor| format!("{:.2}", took.cpu / floor));
        let share = took.cpu / total * 100.0;
        let (cpu, wall) = (took.cpu * 1e3, took.wall * 1e3);
        _ = writeln!(text, "{phase:<10}{cpu:>12.1}{wall:>12.1}{share:>7.1}%{floor:>12}{ratio:>8}");
    }
    let wall: f64 = one.phases.iter().map(|took| took.wall).sum();
    let (floor, (pure, pure_floor)) = (one.floor.cpu(), one.pure());
    _ = writeln!(
        text,
        "{:<10}{:>12.1}{:>12.1}{:>7.1}%{:>12.1}{:>8.2}",
        "total",
        total * 1e3,
        wall * 1e3,
        100.0,
        floor * 1e3,
        total / floor
    );
    _ = writeln!(
        text,
        "without the file system: {:.1} ms, floor {:.1} ms, ratio {:.2}; peak of memory {:.0} MiB",
        pure * 1e3,
        pure_floor * 1e3,
        pure / pure_floor,
        one.peak
    );
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The same for machines.
pub(crate) fn json(measured: &[Measured], seed: u64) -> Value {
    let sizes = measured.iter().map(|one| {
        json!({
            "measured": one,
            "phaseNames": PHASES,
            "cpu": one.cpu(),
            "floor": one.floor.cpu(),
            "ratio": one.cpu() / one.floor.cpu(),
            "ratioWithoutFiles": one.pure().0 / one.pure().1,
        })
    });
    json!({
        "perTenant": generate::PER_TENANT,
        "shared": generate::SHARED,
        "policies": generate::POLICIES,
        "seed": seed,
        "sizes": sizes.collect::<Vec<_>>(),
        "growth": growth(measured),
    })
}
