//! Which change may run next: what it needs comes first, and deletions come last, kind after kind.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_targets::artifact::Address;
use aipolicy_targets::plan::{Action, Change};

/// The changes of a plan that are not over yet, by their place in the plan.
pub(crate) struct Schedule {
    steps: Vec<Step>,
    /// Those that need nothing more, by stage and place.
    ready: BTreeSet<(usize, usize)>,
    /// Those that were not started.
    waiting: BTreeSet<usize>,
    /// How many changes of each stage are not over.
    stages: BTreeMap<usize, usize>,
    running: usize,
}

struct Step {
    /// 0 for what is made or changed; the deletions of one kind share a stage.
    stage: usize,
    needs: BTreeSet<usize>,
    dependants: Vec<usize>,
}

impl Schedule {
    pub(crate) fn new(changes: &[Change]) -> Self {
        let places: BTreeMap<&Address, usize> =
            changes.iter().enumerate().map(|(place, change)| (&change.address, place)).collect();
        let mut steps: Vec<Step> = stages(changes).into_iter().map(Step::new).collect();
        for (place, change) in changes.iter().enumerate() {
            let needs: BTreeSet<usize> =
                change.after_changes.iter().filter_map(|need| places.get(need)).copied().collect();
            for need in &needs {
                if let Some(needed) = steps.get_mut(*need) {
                    needed.dependants.push(place);
                }
            }
            if let Some(step) = steps.get_mut(place) {
                step.needs = needs;
            }
        }
        Self::of(steps)
    }

    fn of(steps: Vec<Step>) -> Self {
        let mut stages = BTreeMap::new();
        steps.iter().for_each(|step| *stages.entry(step.stage).or_insert(0) += 1);
        let free = steps.iter().enumerate().filter(|(_, step)| step.needs.is_empty());
        let ready = free.map(|(place, step)| (step.stage, place)).collect();
        Self { ready, waiting: (0..steps.len()).collect(), stages, running: 0, steps }
    }

    /// A change that may start now. Where changes need each other in a circle, the first one starts, so that nothing
    /// waits for ever.
    pub(crate) fn start(&mut self) -> Option<usize> {
        let stage = self.stages.keys().next().copied()?;
        let place = match self.ready.first() {
            Some((found, place)) if *found == stage || self.running == 0 => *place,
            None if self.running == 0 => self.waiting.first().copied()?,
            _ => return None,
        };
        self.leave(place);
        self.running += 1;
        Some(place)
    }

    /// A change is done.
    pub(crate) fn done(&mut self, place: usize) {
        self.running -= 1;
        self.over(place);
        for dependant in self.dependants(place) {
            let waits = self.waiting.contains(&dependant);
            let Some(step) = self.steps.get_mut(dependant) else { continue };
            step.needs.remove(&place);
            if waits && step.needs.is_empty() {
                self.ready.insert((step.stage, dependant));
            }
        }
    }

    /// A change failed. Returns those that needed it, directly or not, which will not start.
    pub(crate) fn failed(&mut self, place: usize) -> BTreeSet<usize> {
        self.running -= 1;
        self.over(place);
        let mut skipped = BTreeSet::new();
        let mut next = self.dependants(place);
        while let Some(dependant) = next.pop() {
            if self.waiting.contains(&dependant) {
                self.leave(dependant);
                self.over(dependant);
                skipped.insert(dependant);
                next.extend(self.dependants(dependant));
            }
        }
        skipped
    }

    /// Those that were not started.
    pub(crate) fn waiting(&self) -> &BTreeSet<usize> {
        &self.waiting
    }

    fn leave(&mut self, place: usize) {
        self.waiting.remove(&place);
        if let Some(step) = self.steps.get(place) {
            self.ready.remove(&(step.stage, place));
        }
    }

    fn over(&mut self, place: usize) {
        let Some(step) = self.steps.get(place) else { return };
        if let Some(count) = self.stages.get_mut(&step.stage) {
            *count -= 1;
            if *count == 0 {
                self.stages.remove(&step.stage);
            }
        }
    }

    fn dependants(&self, place: usize) -> Vec<usize> {
        self.steps.get(place).map(|step| step.dependants.clone()).unwrap_or_default()
    }
}

impl Step {
    fn new(stage: usize) -> Self {
        Self { stage, needs: BTreeSet::new(), dependants: Vec::new() }
    }
}

/// The stage of each change: deletions follow the plan, one kind after the other.
fn stages(changes: &[Change]) -> Vec<usize> {
    let mut stage = 0;
    let mut last = None;
    let mut stage_of = |change: &Change| {
        if change.action != Action::Delete {
            return 0;
        }
        let kind = Some((change.address.target.clone(), change.address.kind.clone()));
        if last != kind {
            stage += 1;
            last = kind;
        }
        stage
    };
    changes.iter().map(&mut stage_of).collect()
}

#[cfg(test)]
mod tests {
    use aipolicy_targets::plan::{EffectClass, Reason};

    use super::*;

    fn change(action: Action, address: &str, needs: &[&str]) -> Change {
        Change {
            address: address.parse().unwrap(),
            action,
            reason: Reason::Sources,
            effect: EffectClass::Neutral,
            before: None,
            after: None,
            after_changes: needs.iter().map(|need| need.parse().unwrap()).collect(),
            origins: Vec::new(),
        }
    }

    /// Starts all that may start, ends it, and so on; the rounds by place.
    fn rounds(changes: &[Change]) -> Vec<Vec<usize>> {
        let mut schedule = Schedule::new(changes);
        let mut rounds = Vec::new();
        loop {
            let round: Vec<usize> = std::iter::from_fn(|| schedule.start()).collect();
            if round.is_empty() {
                assert!(schedule.waiting().is_empty());
                return rounds;
            }
            round.iter().for_each(|place| schedule.done(*place));
            rounds.push(round);
        }
    }

    #[test]
    fn needs_come_first_whatever_the_order_of_the_plan() {
        let changes = [
            change(Action::Create, "iam/Agent/a", &["iam/Role/r", "iam/Absent/x"]),
            change(Action::Create, "iam/Role/r", &["iam/Policy/p"]),
            change(Action::Create, "iam/Policy/p", &[]),
            change(Action::Create, "iam/Policy/q", &[]),
        ];
        assert_eq!(rounds(&changes), [vec![2, 3], vec![1], vec![0]]);
    }

    #[test]
    fn deletions_come_last_kind_after_kind() {
        let changes = [
            change(Action::Delete, "iam/Agent/a", &[]),
            change(Action::Delete, "iam/Agent/b", &[]),
            change(Action::Delete, "iam/Role/r", &[]),
            change(Action::Update, "iam/Policy/p", &[]),
        ];
        assert_eq!(rounds(&changes), [vec![3], vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_document_may_need_a_deletion() {
        let changes = [
            change(Action::Create, "iam/Role/new", &["iam/Role/old"]),
            change(Action::Delete, "iam/Role/old", &[]),
        ];
        assert_eq!(rounds(&changes), [vec![1], vec![0]]);
    }

    #[test]
    fn a_circle_does_not_wait_for_ever() {
        let changes = [
            change(Action::Create, "iam/Role/a", &["iam/Role/b"]),
            change(Action::Create, "iam/Role/b", &["iam/Role/a"]),
            change(Action::Create, "iam/Role/c", &["iam/Role/c"]),
        ];
        assert_eq!(rounds(&changes), [vec![0], vec![1], vec![2]]);
    }

    #[test]
    fn a_failure_takes_its_dependants_along_and_nothing_else() {
        let changes = [
            change(Action::Create, "iam/Policy/p", &[]),
            change(Action::Create, "iam/Role/r", &["iam/Policy/p"]),
            change(Action::Create, "iam/Agent/a", &["iam/Role/r"]),
            change(Action::Create, "iam/Role/other", &[]),
            change(Action::Delete, "iam/Role/old", &[]),
        ];
        let mut schedule = Schedule::new(&changes);
        assert_eq!((schedule.start(), schedule.start(), schedule.start()), (Some(0), Some(3), None));
        assert_eq!(schedule.failed(0), BTreeSet::from([1, 2]));
        schedule.done(3);
        assert_eq!(schedule.start(), Some(4));
        schedule.done(4);
        assert_eq!(schedule.start(), None);
    }
}
