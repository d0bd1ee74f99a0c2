//! Which rules were run, and which were not, and why: a report that is silent about that cannot be trusted.

use std::collections::BTreeSet;

use aipolicy_compiler::authorize::{SHIPPED, policy_page};
use aipolicy_compiler::check;
use aipolicy_compiler::diagnostic::{Rule, Severity};
use aipolicy_compiler::model::environment::{EnvironmentSpec, SeverityWord};
use aipolicy_compiler::rule;
use aipolicy_iam::lint;
use serde::Serialize;

use crate::workspace::Workspace;

/// What was run and what was not.
#[derive(Debug, Default)]
pub(crate) struct Evaluated {
    /// By code.
    pub(crate) rules: Vec<RuleRun>,
    pub(crate) not_run: Vec<NotRun>,
}

/// A rule that was run.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct RuleRun {
    pub(crate) code: String,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) page: Option<&'static str>,
    /// What a finding is by default; nothing for a policy, whose findings are verdicts.
    #[serde(skip)]
    pub(crate) severity: Option<Severity>,
}

/// Something that was not run.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NotRun {
    /// What, in words.
    pub(crate) what: String,
    /// The rules that are concerned, by code; none where it is not about rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<String>,
    /// Why.
    pub(crate) why: String,
}

impl NotRun {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), rules: Vec::new(), why: why.into() }
    }

    fn rules(mut self, rules: impl IntoIterator<Item = String>) -> Self {
        self.rules = rules.into_iter().collect();
        self
    }

    /// One sentence.
    pub(crate) fn sentence(&self) -> String {
        format!("not run: {}: {}", self.what, self.why)
    }
}

/// The rules of a workspace. What depends on environments that were chosen is for the command to add.
pub(crate) fn of_workspace(workspace: &Workspace) -> Evaluated {
    let elsewhere = [rule::OF_PLANS, rule::OF_RESIDENCY, rule::OF_PRIVILEGE].concat();
    let mut rules: Vec<_> =
        aipolicy_compiler::rules().filter(|rule| !elsewhere.contains(rule)).map(run).collect();
    let mut not_run = packs(workspace);
    let decisions = &workspace.compilation.decisions;
    let policies = decisions.policies().iter().map(|policy| RuleRun {
        code: policy.id.clone(),
        name: policy.title.clone().unwrap_or_else(|| policy.id.clone()),
        page: policy_page(&policy.id),
        severity: None,
    });
    if decisions.asked() {
        rules.extend(policies);
    } else {
        let codes = policies.map(|policy| policy.code);
        not_run.push(NotRun::new("policies", "they cannot all be read").rules(codes));
    }
    let graph = workspace.graph();
    for (idle, why) in check::without_input(graph) {
        rules.retain(|rule| rule.code != idle.code);
        not_run.push(NotRun::new(idle.code, why).rules([idle.code.to_owned()]));
    }
    for (_, environment) in graph.each::<EnvironmentSpec>() {
        let off = environment.spec.severity.0.iter().filter(|(_, word)| word.value == SeverityWord::Off);
        not_run.extend(off.map(|(code, word)| {
            let what = format!("{code} in `{}`", environment.name());
            NotRun::new(what, format!("off, at {}", workspace.place(word.span))).rules([code.clone()])
        }));
    }
    rules.sort();
    Evaluated { rules, not_run }
}

/// Some rules, and nothing else.
pub(crate) fn of_rules(rules: &[&Rule]) -> Evaluated {
    Evaluated { rules: rules.iter().map(|rule| run(rule)).collect(), not_run: Vec::new() }
}

fn run(rule: &Rule) -> RuleRun {
    RuleRun {
        code: rule.code.to_owned(),
        name: rule.name.to_owned(),
        page: Some(rule.page),
        severity: Some(rule.severity),
    }
}

/// What ships and the workspace does not name.
fn packs(workspace: &Workspace) -> Vec<NotRun> {
    let workspaces = &workspace.graph().bundle().workspaces;
    let named = workspaces.iter().flat_map(|workspace| &workspace.spec.packs).map(|pack| pack.value);
    let named: BTreeSet<_> = named.collect();
    let missing: BTreeSet<_> =
        SHIPPED.iter().map(|one| one.pack).filter(|pack| !named.contains(pack)).collect();
    let told = missing.into_iter().map(|pack| {
        let rules = SHIPPED.iter().filter(|one| one.pack == pack).map(|one| one.id().to_owned());
        let why = "the workspace does not name it";
        NotRun::new(format!("pack `{}`", pack.word()), why).rules(rules)
    });
    told.collect()
}

/// The rules about policies of IAM.
pub(crate) fn of_policies() -> Evaluated {
    let rules = lint::RULES.iter().map(|rule| RuleRun {
        code: rule.code.to_owned(),
        name: rule.name.to_owned(),
        page: Some(rule.page),
        severity: Some(match rule.severity {
            lint::Severity::Unreadable | lint::Severity::Error => Severity::Mandatory,
            lint::Severity::Warning => Severity::Advisory,
        }),
    });
    Evaluated { rules: rules.collect(), not_run: Vec::new() }
}
