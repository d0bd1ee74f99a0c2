//! Templates of CloudFormation: everything is in them, they are what the service takes, and what they cannot say is
//! refused.

mod content;
mod lint;
mod refusals;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::cloudformation;
use serde_json::Value;

use std::sync::LazyLock;

use super::{QUICKSTART, at, bedrock, iam, resources};
use crate::harness::cases::Finding;
use crate::harness::compile::finding;
use crate::harness::workspace::Built;

/// The example without trials of new versions, which no stack can make.
pub(super) static ACME: LazyLock<Built> = LazyLock::new(|| Built::example_with("examples/acme", at_once));

/// A file without trials of new versions.
fn at_once(text: String) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("  release: ")).collect()
}

/// Every workspace that has something for a template.
fn workspaces() -> [&'static Built; 5] {
    [iam::everything(), bedrock::everything(), resources::everything(), &ACME, &QUICKSTART]
}

/// What became of an environment.
struct Written {
    environment: String,
    /// The artifacts with templates among them; nothing where that was refused.
    artifacts: Option<Vec<Artifact>>,
    findings: Vec<Finding>,
}

/// The templates of a workspace, whose artifacts a test may have changed before.
fn written(built: &Built, change: impl Fn(&mut Vec<Artifact>)) -> Vec<Written> {
    built.sound();
    let graph = &built.compilation.graph;
    let environments = graph.each::<EnvironmentSpec>();
    let one = |(id, environment): (_, &aipolicy_compiler::model::Resource<EnvironmentSpec>)| {
        let name = environment.name().to_string();
        let (_, artifacts) = built.artifacts.iter().find(|(own, _)| *own == name)?;
        let mut artifacts = artifacts.clone();
        change(&mut artifacts);
        let mut out = Diagnostics::default();
        let grants = built.compilation.decisions.approved(graph, id).unwrap();
        let artifacts = cloudformation::templates(grants, &built.sources, artifacts, &mut out);
        let findings = out.iter().map(|found| finding(found, &built.sources)).collect();
        Some(Written { environment: name, artifacts, findings })
    };
    environments.filter_map(one).collect()
}

/// Every artifact of a workspace that must compile, with templates among them, by environment.
#[track_caller]
pub(super) fn sound(built: &Built) -> Vec<(String, Vec<Artifact>)> {
    let all = written(built, |_| {}).into_iter();
    all.map(|one| (one.environment, one.artifacts.unwrap_or_else(|| panic!("{:#?}", one.findings)))).collect()
}

/// The name of the stack of a template, if the artifact is one.
fn stack(artifact: &Artifact) -> Option<&str> {
    let address = &artifact.document.address;
    (address.target == cloudformation::TARGET).then_some(address.name.as_str())
}

/// The templates among artifacts, by stack.
fn templates(artifacts: &[Artifact]) -> Vec<(&str, Value)> {
    let read = |one: &Artifact| serde_json::from_str(&one.document.text).unwrap();
    artifacts.iter().filter_map(|one| Some((stack(one)?, read(one)))).collect()
}

#[test]
fn trials_of_new_versions_are_refused_where_they_are_asked_for() {
    let written = written(&super::ACME, |_| {});
    let prod = written.iter().find(|one| one.environment == "prod").unwrap();
    assert!(prod.artifacts.is_none());
    let places: Vec<_> =
        prod.findings.iter().map(|found| (found.code.as_str(), found.file.as_str())).collect();
    let expected =
        [("AIP-CMP-002", "tenants/support/agents.yaml"), ("AIP-CMP-002", "tenants/payments/agents.yaml")];
    assert_eq!(places, expected);
    assert!(prod.findings[0].message.contains("`case-assistant` to callers at once"), "{:?}", prod.findings);
    assert!(written.iter().any(|one| one.environment == "staging" && one.artifacts.is_some()));
}
