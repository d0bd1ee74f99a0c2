//! A waiver excepts the findings that it names until its last day, and nothing else; and it permits nothing.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::Diagnostic;
use aipolicy_compiler::fingerprint::fingerprints;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;

use crate::corpus::every_seed;
use crate::harness::compile::{Compiled, compile_on, today, with_workspace};
use crate::harness::workspace::{Built, ONE_AGENT};

type Files = Vec<(String, String)>;

/// A finding that can be named: its code, its resource and its fingerprint.
type Named = (String, String, String);

fn day(text: &str) -> Date {
    Date(text.parse().unwrap())
}

/// Every finding in a resource, whether or not it is waived.
fn named(compiled: &Compiled) -> Vec<(Named, &Diagnostic)> {
    let prints = fingerprints(&compiled.diagnostics, &compiled.sources);
    let resources = compiled.compilation.graph.bundle().resources();
    let all = compiled.diagnostics.iter().zip(prints).filter_map(|(found, print)| {
        let (kind, name, _) = resources.iter().find(|(_, _, span)| span.contains(found.primary.span))?;
        Some(((found.code.to_string(), format!("{kind}/{}", name.value), print.to_string()), found))
    });
    all.collect()
}

fn waiver(name: &str, (rule, resource, print): &Named, expires: &str) -> String {
    format!(
        "---\napiVersion: aipolicy.dev/v1\nkind: Waiver\nmetadata: {{ name: {name} }}\nspec: {{ rule: {rule}, resources: \
         [{resource}], fingerprints: [{print}], expires: {expires}, owner: a@bank.example, reason: agreed, ticket: T-1 }}\n"
    )
}

/// The files with a waiver until a day for each of these findings.
fn with_waivers(files: &Files, findings: &[Named], expires: &str) -> Files {
    let text: String =
        findings.iter().enumerate().map(|(at, one)| waiver(&format!("w{at}"), one, expires)).collect();
    files.iter().cloned().chain([("waivers.yaml".to_owned(), text)]).collect()
}

/// Environments that may be compiled, and all of them.
fn approved(compiled: &Compiled) -> (usize, usize) {
    let graph = &compiled.compilation.graph;
    let all: Vec<_> = graph.each::<EnvironmentSpec>().collect();
    let fine = all.iter().filter(|(id, _)| compiled.compilation.decisions.approved(graph, *id).is_some());
    (fine.count(), all.len())
}

const LAST: &str = "2027-02-28";

#[test]
fn every_mistake_of_the_corpus_is_excepted_until_the_last_day_and_no_longer() {
    let mut rules = BTreeSet::new();
    // What rules about the life of models find is another thing on another day.
    // One seed of each rule is enough: it is compiled five times.
    let mut seen = BTreeSet::new();
    let rule = |title: &str| title.split(':').next().unwrap_or(title).to_owned();
    let seeds = every_seed().into_iter().filter(|(title, _)| !title.starts_with("AIP-LIF-0"));
    for (title, files) in seeds.filter(|(title, _)| seen.insert(rule(title))) {
        let files = with_workspace(&files);
        let plain = compile_on(today(), &files, None);
        let found: Vec<Named> = named(&plain).into_iter().map(|(one, _)| one).collect();
        let fixed = |(code, _, _): &Named| code.starts_with("AIP-POL") || code.starts_with("AIP-LNG");
        if found.is_empty() || found.iter().any(fixed) {
            continue;
        }
        let waived = with_waivers(&files, &found, LAST);
        for date in ["2026-11-22", "2027-02-27", LAST] {
            let compiled = compile_on(day(date), &waived, None);
            let left: Vec<_> = compiled.diagnostics.iter().filter(|found| found.waived.is_none()).collect();
            let about_days = |found: &&&Diagnostic| !found.code.starts_with("AIP-LIF-0");
            assert!(left.iter().find(about_days).is_none(), "{title}: {date}: {left:#?}");
            let (fine, all) = approved(&compiled);
            assert_eq!(fine, all, "{title}: {date}");
            assert!(
                named(&compiled).iter().filter(|(_, found)| found.waived.is_some()).count() >= found.len()
            );
        }
        let after = compile_on(day("2027-03-01"), &waived, None);
        assert!(after.diagnostics.iter().all(|found| found.waived.is_none()), "{title}");
        let again: BTreeSet<_> = named(&after).into_iter().map(|(one, _)| one).collect();
        assert!(found.iter().all(|one| again.contains(one)), "{title}: {again:#?}");
        assert_eq!(approved(&after).0, 0, "{title}");
        rules.extend(found.into_iter().map(|(code, _, _)| code));
    }
    println!("{} rules: {rules:?}", rules.len());
    assert!(rules.len() > 40);
}

const FORBID: &str = "\
@id(\"no-small-models\")
forbid (principal is Agent, action == Action::\"invokeModel\", resource == Model::\"small\");
";

fn forbidden(workspace: &str) -> Files {
    vec![("aipolicy.yaml".into(), workspace.into()), ("policies/p.cedar".into(), FORBID.into())]
}

fn found_in(files: &Files) -> Vec<Named> {
    named(&compile_on(today(), files, None)).into_iter().map(|(one, _)| one).collect()
}

#[test]
fn a_grant_that_needs_a_waiver_says_so() {
    let files = forbidden(ONE_AGENT);
    let found = found_in(&files);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(Built::new(&files).artifacts.is_empty());
    let built = Built::new(&with_waivers(&files, &found, LAST));
    let graph = &built.compilation.graph;
    let (id, _) = graph.each::<EnvironmentSpec>().next().unwrap();
    let grants = built.compilation.decisions.approved(graph, id).unwrap();
    let waived: Vec<_> = grants.grants().filter(|grant| !grant.waived.is_empty()).collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(graph.name(waived[0].waived[0].waiver), "w0");
    assert_eq!(grants.policy(waived[0].waived[0].policy).unwrap().id, "no-small-models");
    assert!(!waived[0].policies.is_empty(), "some policy permits it still");
    let origins = built.sound().into_iter().flat_map(|artifact| artifact.trace.origins());
    assert!(origins.filter(|origin| !origin.waived.is_empty()).count() > 0, "values say so too");
}

/// Without a policy that permits, a waiver of the one that forbids gives nothing.
#[test]
fn a_waiver_permits_nothing() {
    let files = forbidden(&ONE_AGENT.replace("[baseline]", "[]"));
    let found = found_in(&files);
    let of_forbid: Vec<_> = found.iter().filter(|(code, _, _)| code == "no-small-models").cloned().collect();
    assert_eq!(of_forbid.len(), 1);
    let compiled = compile_on(today(), &with_waivers(&files, &of_forbid, LAST), None);
    let standing = named(&compiled).into_iter().filter(|(_, found)| found.waived.is_none());
    let standing: Vec<_> = standing.map(|((code, resource, _), _)| format!("{code} {resource}")).collect();
    assert!(standing.contains(&"AIP-POL-005 Agent/clerk".to_owned()), "{standing:?}");
    assert!(!standing.contains(&"no-small-models Agent/clerk".to_owned()), "{standing:?}");
    assert_eq!(approved(&compiled).0, 0);
}

/// Two policies forbid, and only one is waived.
#[test]
fn what_else_forbids_is_not_excepted() {
    let mut files = forbidden(ONE_AGENT);
    files.push(("policies/q.cedar".into(), FORBID.replace("no-small-models", "no-models-at-all")));
    let found = found_in(&files);
    assert_eq!(found.len(), 2);
    for one in &found {
        let compiled = compile_on(today(), &with_waivers(&files, std::slice::from_ref(one), LAST), None);
        assert_eq!(approved(&compiled).0, 0);
    }
    assert_eq!(approved(&compile_on(today(), &with_waivers(&files, &found, LAST), None)), (1, 1));
}

/// A violation that is larger, or another one, in the same resource by the same rule is not what the waiver names.
#[test]
fn a_new_violation_is_not_covered() {
    let files = forbidden(ONE_AGENT);
    let found = found_in(&files);
    let staging = "---\napiVersion: aipolicy.dev/v1\nkind: Environment\nmetadata: { name: staging }\nspec: { aws: { \
                   accountId: \"444455556666\", regions: [eu-west-1] } }\n";
    let larger = [
        format!("{ONE_AGENT}{staging}").replace("environments: [prod]", "environments: [prod, staging]"),
        ONE_AGENT
            .replace(
                "regions: [eu-central-1] }\n---\napiVersion: aipolicy.dev/v1\nkind: Agent",
                "regions: [eu-west-1] }\n---\napiVersion: aipolicy.dev/v1\nkind: Agent",
            )
            .replace(
                "regions: [eu-central-1] }\n---\napiVersion: aipolicy.dev/v1\nkind: Tenant",
                "regions: [eu-central-1, eu-west-1] }\n---\napiVersion: aipolicy.dev/v1\nkind: Tenant",
            ),
    ];
    for workspace in larger {
        assert_ne!(workspace, ONE_AGENT);
        let files = with_waivers(&forbidden(&workspace), &found, LAST);
        let compiled = compile_on(today(), &files, None);
        let forbids: Vec<_> =
            named(&compiled).into_iter().filter(|((code, _, _), _)| code == "no-small-models").collect();
        assert!(!forbids.is_empty());
        assert!(
            forbids
                .iter()
                .all(|((_, _, print), found)| found.waived.is_none() && *print != found_print(&files)),
            "{workspace}"
        );
    }
}

fn found_print(files: &Files) -> String {
    let text = &files.iter().find(|(path, _)| path == "waivers.yaml").unwrap().1;
    text.split("fingerprints: [").nth(1).unwrap()[..16].to_owned()
}
