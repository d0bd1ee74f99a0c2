//! Our evaluator against an independent simulator, on generated policies and requests.

pub(super) mod case;
mod generate;
mod known;
mod simulator;
mod vocabulary;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

pub(crate) use case::{Case, Verdict};
use generate::Generator;
use known::{KNOWN, restated};

use crate::harness::tools::{Client, Tool};
use crate::harness::tries;

/// The simulator. Its license is that of the GNU Affero GPL, so it only ever runs as a process of its own.
pub(super) static SIMULATOR: Tool = Tool {
    name: "iam-simulate",
    client: Client::Npm,
    packages: &["@cloud-copilot/iam-simulate@0.1.173"],
    options: &[],
};

/// How many cases are held at once.
const AT_ONCE: usize = 20_000;
/// How many processes simulate.
const PROCESSES: usize = 2;

/// What came out, as the test prints it.
#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<Verdict, usize>,
    causes: BTreeMap<&'static str, usize>,
}

#[test]
fn the_simulator_decides_alike() {
    let (folder, wanted, start) = (SIMULATOR.folder(), tries(20_000), Instant::now());
    let before: usize = std::env::var("AIPOLICY_BEFORE").map_or(0, |cases| cases.parse().unwrap());
    let mut tally = Tally::default();
    for first in (0..wanted).step_by(AT_ONCE) {
        let numbers = first..wanted.min(first + AT_ONCE);
        let generated: Vec<_> =
            numbers.map(|number| Generator::new((before + number) as u64).case()).collect();
        tally.compare(&folder, &generated);
    }
    let shares: Vec<_> = tally
        .verdicts
        .iter()
        .map(|(verdict, count)| format!("{verdict:?} {:.1} %", 100.0 * *count as f64 / wanted as f64))
        .collect();
    println!("{wanted} cases in {:.0} s: {}", start.elapsed().as_secs_f64(), shares.join(", "));
    for (cause, count) in &tally.causes {
        println!("{count} disagreements: {cause}");
    }
    let allowed = tally.verdicts[&Verdict::Allowed];
    assert!((wanted / 4..wanted * 3 / 4).contains(&allowed), "the cases are lopsided: {allowed} are allowed");
}

impl Tally {
    /// Compares all cases. A disagreement has to be one of the simulator's known errors.
    fn compare(&mut self, folder: &Path, cases: &[Case]) {
        let ours: Vec<_> = cases.iter().map(Case::ours).collect();
        let theirs = asked(folder, cases);
        for verdict in &ours {
            *self.verdicts.entry(*verdict).or_default() += 1;
        }
        let refused: Vec<_> = theirs.iter().filter_map(|said| said.as_ref().err()).take(3).collect();
        assert!(refused.is_empty(), "the simulator takes every case: {refused:#?}");
        let disputed: Vec<_> = (0..cases.len()).filter(|at| theirs[*at].as_ref() != Ok(&ours[*at])).collect();
        let disputed: Vec<_> = disputed.into_iter().map(|at| (&cases[at], ours[at])).collect();
        self.explain(folder, &disputed);
    }

    fn explain(&mut self, folder: &Path, disputed: &[(&Case, Verdict)]) {
        let ways = KNOWN.len() + 1;
        let restatements: Vec<Case> = disputed
            .iter()
            .flat_map(|(case, _)| KNOWN.iter().map(|known| (known.restated)(case)).chain([restated(case)]))
            .collect();
        let said = asked(folder, &restatements);
        let mut unexplained = Vec::new();
        for (at, (case, ours)) in disputed.iter().enumerate() {
            let agrees = |way: &usize| {
                let at = at * ways + way;
                said[at].as_ref() == Ok(ours) && restatements[at].ours() == *ours
            };
            let Some(way) = (0..ways).find(agrees) else {
                let decision = format!("{:?}", case.policies().decide(&case.request()));
                unexplained.push(format!("{}\nwe: {decision}", case.simulation()));
                continue;
            };
            let cause = KNOWN.get(way).map_or("several of these", |known| known.error);
            *self.causes.entry(cause).or_default() += 1;
        }
        unexplained.sort_by_key(String::len);
        unexplained.iter().take(20).for_each(|one| println!("{one}"));
        assert!(unexplained.is_empty(), "{} disagreements are not explained", unexplained.len());
    }
}

/// What the simulator says of cases that somebody else made, in order.
pub(crate) fn simulated(cases: &[Case]) -> Vec<Result<Verdict, String>> {
    asked(&SIMULATOR.folder(), cases)
}

/// Asks several processes at once.
pub(super) fn asked(folder: &Path, cases: &[Case]) -> Vec<simulator::Said> {
    let parts = cases.chunks(cases.len().div_ceil(PROCESSES).max(1));
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || simulator::ask(folder, part))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn known_errors_are_documented() {
    for known in KNOWN {
        assert!(known.documented.starts_with('"') && known.documented.ends_with(')'), "{}", known.error);
    }
}
