//! Measurements as text for people and as JSON for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::generate;
use crate::measure::{MANIFEST, Measured, PHASES, RENDER, WRITE};

impl Measured {
    /// What orders runs of one size: CPU of compile and floor.
    pub(crate) fn least(&self) -> f64 {
        self.cpu() + self.floor.cpu()
    }

    fn cpu(&self) -> f64 {
        self.phases.iter().map(|took| took.cpu).sum()
    }

    /// CPU and floor without the calls of the file system, which are the same on both sides.
    fn pure(&self) -> (f64, f64) {
        let write = self.phases.get(WRITE).map_or(0.0, |took| took.cpu);
        (self.cpu() - write, self.floor.cpu() - self.floor.write.cpu)
    }

    /// The floor of a phase, where it has one.
    fn floor_of(&self, phase: usize) -> Option<f64> {
        match (phase, PHASES.get(phase).copied()) {
            (_, Some("read")) => Some(self.floor.parse.cpu),
            (_, Some("decide")) => Some(self.floor.decide.cpu),
            (RENDER, _) => Some(self.floor.documents()),
            (MANIFEST, _) => Some(self.floor.beside()),
            (WRITE, _) => Some(self.floor.write.cpu),
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

/// How it was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) per_account: usize,
}

/// Tables for people.
pub(crate) fn text(measured: &[Measured], conditions: Conditions) -> String {
    let Conditions { seed, threads, per_account } = conditions;
    let mut text = format!(
        "per tenant: {}\nper {per_account} tenants: {}\nshared: {}\nseed {seed}, {threads} thread(s)\n",
        generate::PER_TENANT,
        generate::PER_ACCOUNT,
        generate::SHARED,
    );
    for one in measured {
        phases(one, &mut text);
        targets(one, &mut text);
    }
    text.push('\n');
    for (from, to, exponent) in growth(measured) {
        _ = writeln!(text, "growth {from} -> {to}: CPU grows with the size to the power of {exponent:.3}");
    }
    text
}

fn phases(one: &Measured, text: &mut String) {
    let total = one.cpu();
    _ = writeln!(
        text,
        "\n{} tenants, {} environments: {:.1} MB read, {} requests ({:.1} candidate policies each), {} findings, {} \
         files, {:.1} MB written",
        one.tenants,
        one.environments,
        megabytes(one.bytes_read),
        one.requests,
        one.candidates,
        one.findings,
        one.files,
        megabytes(one.bytes_written),
    );
    _ = writeln!(
        text,
        "{:<10}{:>12}{:>12}{:>8}{:>12}{:>8}",
        "phase", "CPU ms", "wall ms", "share", "floor ms", "ratio"
    );
    for (at, (phase, took)) in PHASES.iter().zip(&one.phases).enumerate() {
        let (floor, ratio) = beside(took.cpu, one.floor_of(at));
        let share = took.cpu / total * 100.0;
        let (cpu, wall) = (took.cpu * 1e3, took.wall * 1e3);
        _ = writeln!(text, "{phase:<10}{cpu:>12.1}{wall:>12.1}{share:>7.1}%{floor:>12}{ratio:>8}");
    }
    let wall: f64 = one.phases.iter().map(|took| took.wall).sum();
    let (pure, pure_floor) = one.pure();
    let (floor, ratio) = beside(total, Some(one.floor.cpu()));
    let (total, wall) = (total * 1e3, wall * 1e3);
    _ = writeln!(text, "{:<10}{total:>12.1}{wall:>12.1}{:>7.1}%{floor:>12}{ratio:>8}", "total", 100.0);
    _ = writeln!(
        text,
        "without the file system: {:.1} ms, floor {:.1} ms, ratio {:.2}; peak of memory {:.0} MiB",
        pure * 1e3,
        pure_floor * 1e3,
        pure / pure_floor,
        one.peak
    );
}

fn targets(one: &Measured, text: &mut String) {
    _ = writeln!(
        text,
        "{:<14}{:>9}{:>9}{:>10}{:>9}{:>12}{:>8}",
        "target", "files", "MB", "CPU ms", "share", "floor ms", "ratio"
    );
    for (target, made) in &one.targets {
        let cpu = made.render.cpu;
        let (floor, ratio) = beside(cpu, one.floor.serialise.get(target).map(|took| took.cpu));
        _ = writeln!(
            text,
            "{target:<14}{:>9}{:>9.1}{:>10.1}{:>8.1}%{floor:>12}{ratio:>8}",
            made.files,
            megabytes(made.bytes),
            cpu * 1e3,
            cpu / one.cpu() * 100.0,
        );
    }
}

/// A floor in milliseconds and the ratio to it, as text.
fn beside(cpu: f64, floor: Option<f64>) -> (String, String) {
    let text = |floor: f64| (format!("{:.1}", floor * 1e3), format!("{:.2}", cpu / floor));
    floor.map_or_else(Default::default, text)
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The same for machines.
pub(crate) fn json(measured: &[Measured], conditions: Conditions) -> Value {
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
        "perAccount": generate::PER_ACCOUNT,
        "tenantsPerAccount": conditions.per_account,
        "shared": generate::SHARED,
        "policies": generate::POLICIES,
        "seed": conditions.seed,
        "sizes": sizes.collect::<Vec<_>>(),
        "growth": growth(measured),
    })
}
