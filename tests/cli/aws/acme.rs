//! All of `acme` in an account, made, changed and removed, with kills in between.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::edit;
use super::kills::{Census, Place, is_same};
use super::kinds::{Whole, emptied};

/// What is done in an account, and what is there when nobody was killed meanwhile.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// The account and the workspace before it.
    pub(super) begin: Place,
    pub(super) after: Census,
    /// How many calls of it change something.
    pub(super) writes: u64,
    /// How long it takes after the first of them.
    within: Duration,
}

impl Step {
    /// Does it once, undisturbed. What is there then.
    fn done(name: &'static str, begin: Place) -> (Self, Place) {
        let place = begin.branch();
        let (before, mut apply) = (place.made(), place.start(&[]));
        while place.made() == before && apply.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let start = Instant::now();
        assert!(apply.wait().unwrap().success(), "{name}");
        let (within, writes) = (start.elapsed(), place.made() - before);
        place.is_settled();
        println!("{name}: {writes} calls in {:.1} s", within.as_secs_f64());
        (Self { name, begin, after: place.census(), writes, within }, place)
    }
}

/// Everything is made, much of it changes, and it goes.
pub(super) fn steps(site: &Whole) -> [Step; 3] {
    let before = site.branch();
    let nothing = before.census();
    let (made, place) = Step::done("made", before);
    changed(&place.folder);
    let (changed, place) = Step::done("changed", place);
    emptied(&place.folder, site.of());
    let (removed, _) = Step::done("removed", place);
    everything_went(&removed.after, &nothing, site.of().0);
    for pair in [[&made, &changed], [&changed, &removed]] {
        assert_ne!(pair[0].after, pair[1].after, "{}", pair[1].name);
    }
    [made, changed, removed]
}

/// Tags, instructions and a guardrail change: of things of every tenant, and of agents of both runtimes.
fn changed(folder: &Path) {
    for tenant in ["payments", "research", "support"] {
        edit(folder, &format!("tenants/{tenant}/tenant.yaml"), "costCentre: CC-", "costCentre: CC-9");
    }
    edit(folder, "org/guardrails.yaml", "insults: medium", "insults: high");
    for agent in ["paper-reader", "lab-notebook", "case-assistant", "dispute-clerk"] {
        let file = folder.join(format!("prompts/{agent}.md"));
        let prompt = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{prompt}Be brief.\n")).unwrap();
    }
}

/// Nothing under a name of ours is left, and what is of others is as it was: but for settings of theirs that nobody can tell any
/// more what they were, or whose place the name of the document does not say.
#[track_caller]
fn everything_went(after: &Census, before: &Census, environment: &str) {
    let ours = format!("acme-{environment}-");
    let set = ["SQSBackend queues", "LogsBackend groups", "SecretsManagerBackend secrets"];
    let alike = |kind: &str| set.iter().any(|end| kind.ends_with(end));
    for (kind, things) in after.iter().filter(|(kind, _)| !alike(kind)) {
        let none = Vec::new();
        let before = before.get(kind).unwrap_or(&none);
        let left: Vec<_> = things.iter().filter(|one| one.contains(&ours) && !before.contains(one)).collect();
        assert!(left.is_empty(), "{kind}: {left:?}");
    }
    for (kind, things) in before {
        let left = after.get(kind).map_or(0, Vec::len);
        assert!(left >= things.len(), "{kind}: {left} of {} are left", things.len());
        let gone = things.iter().filter(|one| !after[kind].contains(one));
        let gone: Vec<_> = gone.filter(|_| !alike(kind)).collect();
        assert!(gone.is_empty(), "{kind}: {gone:?}");
    }
}

/// Kills applies of all steps at random, one to three before each repair. How many fell into an apply.
#[track_caller]
pub(super) fn killed_at_random(steps: &[Step], kills: usize, seed: u64) -> usize {
    let (mut chance, mut done, mut within, start) = (fastrand::Rng::with_seed(seed), 0, 0, Instant::now());
    let mut repairs = 0;
    while done < kills {
        let step = &steps[chance.usize(..steps.len())];
        let (place, mut told) = (step.begin.branch(), Vec::new());
        for again in 0..chance.usize(1..=3).min(kills - done) as u64 {
            // What is left is less each time.
            let (calls, pause) = (step.writes / (1 + again * 2), step.within / (1 + again as u32 * 2));
            let came = if chance.bool() {
                let at = (chance.u64(1..=calls.max(1)), ["before", "after"][chance.usize(..2)]);
                told.push(format!("{at:?}"));
                place.killed_at(at)
            } else {
                let pause = pause.mul_f64(chance.f64());
                told.push(format!("after {pause:?}"));
                place.killed_after(pause)
            };
            within += usize::from(came);
            done += 1;
        }
        repairs += 1;
        place.is_repaired(&step.after, &format!("seed {seed}, {}, killed {}", step.name, told.join(", ")));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "seed {seed}: {done} kills, {within} of them within an apply, {repairs} repairs, {seconds:.0} s"
    );
    within
}

#[test]
fn killed_at_random_nothing_is_lost_doubled_left_or_taken() {
    let site = Whole::staging();
    let seed = seed();
    let within = killed_at_random(&steps(&site), 30, seed);
    assert!(within >= 15, "seed {seed}: only {within} of 30 kills fell into an apply");
}

/// `AIPOLICY_SEED`, or any number.
pub(super) fn seed() -> u64 {
    let given = std::env::var("AIPOLICY_SEED").ok();
    given.map_or_else(|| fastrand::u64(..1 << 32), |seed| seed.parse().unwrap())
}

#[test]
fn the_answer_to_each_call_is_lost() {
    let site = Whole::staging();
    let undisturbed = site.branch();
    undisturbed.apply();
    let place = site.branch();
    place.wish(&json!({ "lose": true }));
    place.apply();
    place.wish(&json!({ "lose": false }));
    place.is_settled();
    is_same(&place.census(), &undisturbed.census(), "each answer was lost");
}
