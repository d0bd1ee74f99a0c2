//! The results of tests for people.

use aipolicy_compiler::trial::{Fate, PolicyCover, Trial};

use super::Report;
use super::words::{share, title};
use crate::ui::harmless;

impl Report<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut before = None;
        for trial in &self.trials {
            let name = trial.test.name().as_str();
            if before.replace(name) != Some(name) {
                let place = self.workspace.place(trial.test.name_span());
                text.push_str(&format!("{name} ({place})\n"));
            }
            text.push_str(&self.case(trial));
        }
        text.push('\n');
        if self.coverage.is_empty() {
            text.push_str(
                "coverage and changes: the workspace has no policies of its own; `--packs` measures packs\n",
            );
        } else {
            text.push_str(&self.clauses());
            text.push_str(&self.survivors());
        }
        for below in &self.below {
            text.push_str(&format!("\x1b[31m{below}\x1b[0m\n"));
        }
        text.push_str(&self.summary());
        text
    }

    fn case(&self, trial: &Trial<'_>) -> String {
        let (number, expected) = (trial.at + 1, trial.case.expect.value.word());
        let what = title(trial.case);
        let what = harmless(&what);
        if trial.passed() {
            return format!("  \x1b[32mok\x1b[0m    {number} {what}: {expected}\n");
        }
        let mut text = format!("  \x1b[31mFAIL\x1b[0m  {number} {what}: {expected}\n");
        let quoted = self.workspace.quoted("at", trial.case.expect.span);
        text.extend(quoted.lines().map(|line| format!("      {line}\n")));
        for tried in trial.asked.iter().filter(|tried| !tried.faults.is_empty()) {
            let circumstances = self.circumstances(tried);
            for fault in &tried.faults {
                text.push_str(&format!("        {} ({circumstances})\n", harmless(&self.fault(fault))));
            }
        }
        text
    }

    fn clauses(&self) -> String {
        let (all, had) = self.covered();
        let mut text = format!("values that clauses had: {}\n", share(all, had));
        for policy in &self.coverage {
            let (all, had) = policy.count();
            if all > had {
                text.push_str(&format!(
                    "  {}: {}\n{}",
                    self.id(policy.policy),
                    share(all, had),
                    self.unreached(policy)
                ));
            }
        }
        text
    }

    fn unreached(&self, policy: &PolicyCover) -> String {
        let told = policy.clauses.iter().flat_map(|clause| {
            let place = self.workspace.place(clause.clause.span);
            let gaps = self.gaps(policy, clause).into_iter();
            gaps.map(move |gap| format!("    {place}: {}\n", harmless(&gap)))
        });
        told.collect()
    }

    fn survivors(&self) -> String {
        let (all, killed) = self.killed();
        let mut text = format!("changes of policies that a case notices: {}\n", share(all, killed));
        for mutant in self.mutants.iter().filter(|mutant| mutant.fate == Fate::Survived) {
            let place = self.workspace.place(mutant.mutation.span);
            text.push_str(&format!("  survived at {place}: {}\n", harmless(&self.change(mutant))));
        }
        text
    }

    fn summary(&self) -> String {
        let failed = self.trials.iter().filter(|trial| !trial.passed()).count();
        let passed = self.trials.len() - failed;
        let colour = if failed == 0 { "32" } else { "31" };
        format!("\x1b[{colour}m{passed} passed, {failed} failed\x1b[0m\n")
    }
}
