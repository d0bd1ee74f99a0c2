//! The results of tests as JUnit: a case for each case, and one for each measure that is below what was asked for.

use aipolicy_compiler::trial::Trial;

use super::Report;
use super::words::{share, title};
use crate::render::junit::{Case, Outcome, report};

impl Report<'_> {
    pub(super) fn junit(&self) -> String {
        let cases = self.trials.iter().map(|trial| self.junit_case(trial));
        let below = self.below.iter().map(|below| Case {
            class: "measures".to_owned(),
            name: below.clone(),
            outcome: Outcome::Failed { kind: "below", message: below.clone(), text: below.clone() },
        });
        let cases: Vec<_> = cases.chain(below).collect();
        let ((values, had), (changes, killed)) = (self.covered(), self.killed());
        let properties = [("coverage", share(values, had)), ("changesNoticed", share(changes, killed))];
        report(&cases, &properties)
    }

    fn junit_case(&self, trial: &Trial<'_>) -> Case {
        let place = self.workspace.place(trial.case.expect.span);
        let faults = trial.asked.iter().flat_map(|tried| {
            let circumstances = self.circumstances(tried);
            tried.faults.iter().map(move |fault| format!("{} ({circumstances})", self.fault(fault)))
        });
        let faults: Vec<_> = faults.collect();
        let outcome = match faults.first() {
            None => Outcome::Passed(None),
            Some(first) => {
                let text = std::iter::once(&place).chain(&faults).cloned().collect::<Vec<_>>().join("\n");
                Outcome::Failed { kind: "decision", message: first.clone(), text }
            }
        };
        let class = trial.test.name().as_str().to_owned();
        Case { class, name: format!("{} {}", trial.at + 1, title(trial.case)), outcome }
    }
}
