//! What policies made by chance do, counted naively: each set without each policy, by Cedar's own authorizer.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::{Question, each_question};
use aipolicy_compiler::inspect::{Inspected, Verdict};
use aipolicy_compiler::ir::PolicyIndex;
use cedar_policy::{Authorizer, Decision, Effect, Entities, Policy, PolicyId, PolicySet, Request};
use fastrand::Rng;

use super::{Compiled, WORKSPACE, id, inspected, word, workspace};
use crate::harness::compile::{compile, today};
use crate::harness::tries;

const ACTIONS: [&str; 4] = ["invokeModel", "callTool", "readConnector", "supportRuntime"];
const PRINCIPALS: [&str; 4] = [
    "principal",
    "principal is Agent",
    r#"principal in Tenant::"payments""#,
    r#"principal == Agent::"scholar""#,
];
const CONDITIONS: [&str; 6] = [
    "",
    r#"when { context.environment.name == "prod" }"#,
    r#"unless { context.environment.name == "prod" }"#,
    r#"when { principal == Agent::"clerk" || context.environment.name == "lab" }"#,
    r#"when { context.environment.name == "nowhere" }"#,
    r#"when { resource in [Model::"small"] } unless { principal in Tenant::"payments" }"#,
];

/// A set of policies for a seed.
pub(super) fn policies(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let count = 2 + rng.usize(..8);
    let policy = |at: usize| {
        let (principal, action) = (PRINCIPALS[rng.usize(..4)], ACTIONS[rng.usize(..4)]);
        let condition = CONDITIONS[rng.usize(..6)];
        let effect = ["permit", "forbid"][usize::from(rng.u8(..3) == 0)];
        let severity = ["", "@severity(\"advisory\") "][usize::from(effect == "forbid" && rng.bool())];
        format!(
            "@id(\"p{at}\") {severity}{effect} ({principal}, action == Action::\"{action}\", resource) {condition};\n"
        )
    };
    (0..count).map(policy).collect()
}

/// The policies of a set but one, those that only advise left out on demand.
pub(super) fn set(all: &[Policy], without: Option<&PolicyId>, advice: bool) -> PolicySet {
    let is_advice = |policy: &&Policy| policy.annotation("severity") == Some("advisory");
    let kept = all.iter().filter(|policy| Some(policy.id()) != without && (advice || !is_advice(policy)));
    PolicySet::from_policies(kept.cloned()).unwrap()
}

fn allows(question: &Question, set: &PolicySet) -> bool {
    allows_of(&question.request, set, &question.entities)
}

pub(super) fn allows_of(request: &Request, set: &PolicySet, entities: &Entities) -> bool {
    Authorizer::new().is_authorized(request, set, entities).decision() == Decision::Allow
}

/// Whether a policy matches: alone it permits, or stops what everything else permits.
fn matches(question: &Question, policy: &Policy) -> bool {
    let alone = PolicySet::from_policies([policy.clone()]).unwrap();
    match policy.effect() {
        Effect::Permit => allows(question, &alone),
        Effect::Forbid => {
            let permit =
                Policy::parse(Some(PolicyId::new("all")), "permit (principal, action, resource);").unwrap();
            let mut with = alone;
            with.add(permit).unwrap();
            !allows(question, &with)
        }
    }
}

/// What is decided, and whether something advises against what nothing stops.
fn decision(question: &Question, all: &[Policy], without: Option<&PolicyId>) -> (bool, bool) {
    let permitted = allows(question, &set(all, without, false));
    let forbids = |advice: bool| {
        all.iter().any(|policy| {
            let advises = policy.annotation("severity") == Some("advisory");
            policy.effect() == Effect::Forbid
                && advises == advice
                && Some(policy.id()) != without
                && matches(question, policy)
        })
    };
    (permitted, !forbids(false) && forbids(true))
}

/// The verdict on each policy by what the words mean.
fn verdicts(compiled: &Compiled) -> BTreeMap<String, (&'static str, usize)> {
    let policies = &compiled.compilation.policies;
    let mut questions = Vec::new();
    each_question(&compiled.compilation.graph, policies, today(), &mut |group| {
        questions.extend(group.to_vec());
    });
    let all: Vec<_> = policies.each().map(|at| policies.get(at).unwrap().clone()).collect();
    let matched = |policy: &Policy| -> BTreeSet<usize> {
        (0..questions.len()).filter(|at| matches(&questions[*at], policy)).collect()
    };
    let matched: Vec<_> = all.iter().map(matched).collect();
    let stops = |policy: &Policy| policy.annotation("severity") != Some("advisory");
    let mut told = BTreeMap::new();
    for (policy, own) in all.iter().zip(&matched) {
        let others = || all.iter().zip(&matched).filter(|(other, _)| other.id() != policy.id());
        let forbidden: BTreeSet<_> = others()
            .filter(|(other, _)| other.effect() == Effect::Forbid && stops(other))
            .flat_map(|(_, matched)| matched.iter().copied())
            .collect();
        let shadowed = others().any(|(other, matched)| {
            other.effect() == policy.effect() && (stops(other) || !stops(policy)) && own.is_subset(matched)
        });
        let redundant =
            questions.iter().all(|one| decision(one, &all, None) == decision(one, &all, Some(policy.id())));
        let word = if own.is_empty() {
            "vacuous"
        } else if policy.effect() == Effect::Permit && own.is_subset(&forbidden) {
            "overridden"
        } else if shadowed {
            "shadowed"
        } else if redundant {
            "redundant"
        } else {
            "deciding"
        };
        told.insert(policy.id().to_string(), (word, own.len()));
    }
    told
}

#[test]
fn verdicts_are_those_of_a_naive_count() {
    let mut seen = BTreeMap::new();
    for seed in 0..tries(30) as u64 {
        let compiled = workspace(&policies(seed));
        let naive = verdicts(&compiled);
        for one in &inspected(&compiled).policies {
            let told = match word(&one.verdict) {
                "guarding" => "vacuous",
                told => told,
            };
            assert_eq!(
                (told, one.matched),
                naive[&id(&compiled, one)],
                "seed {seed}: {}\n{one:?}",
                policies(seed)
            );
            *seen.entry(told).or_insert(0) += 1;
        }
    }
    for word in ["vacuous", "overridden", "shadowed", "redundant", "deciding"] {
        assert!(seen.get(word).is_some_and(|count| *count >= 3), "{word} is hardly met: {seen:?}");
    }
}

/// What `check` has to say of a policy, given what all requests together say of it.
fn told(compiled: &Compiled, one: &Inspected) -> Option<String> {
    let policies = &compiled.compilation.policies;
    let name = |at: &PolicyIndex| format!("`{}`", policies.facts()[at.0 as usize].id);
    let list = |all: &[PolicyIndex]| all.iter().map(name).collect::<Vec<_>>().join(", ");
    let permits = policies.get(one.policy).unwrap().effect() == Effect::Permit;
    let why = match &one.verdict {
        Verdict::Vacuous(_) if permits => {
            format!("permits none of the {} requests that it is asked about", one.asked)
        }
        Verdict::Shadowed { by, .. } => format!("matches nothing that {} does not match too", list(&[*by])),
        Verdict::Redundant { beside, .. } => format!("changes nothing beside {}", list(beside)),
        Verdict::Overridden(by) => format!("permits nothing that {} does not forbid", list(by)),
        Verdict::Vacuous(_) | Verdict::Decides | Verdict::Guards(_) | Verdict::Off | Verdict::Changes => {
            return None;
        }
    };
    Some(format!("policy {} {why}", name(&one.policy)))
}

/// `check` counts on the way, and looks at policies of a pack only where one of the workspace matches.
#[test]
fn what_is_counted_on_the_way_is_what_all_requests_say() {
    let mut seen = 0;
    for seed in 0..tries(12) as u64 {
        for packs in ["[]", "[baseline]", "[baseline, least-privilege]"] {
            let texts = [WORKSPACE.replace("packs: []", &format!("packs: {packs}")), policies(seed)];
            let [workspace, own] = texts;
            let paths = ["aipolicy.yaml", "policies/own.cedar"].map(str::to_owned);
            let compiled = compile(&paths.into_iter().zip([workspace, own]).collect::<Vec<_>>());
            let inspection = inspected(&compiled);
            let is_own = |one: &&Inspected| id(&compiled, one).starts_with('p');
            let own = inspection.policies.iter().filter(is_own);
            let mut expected: Vec<_> = own.filter_map(|one| told(&compiled, one)).collect();
            let found = compiled.diagnostics.iter().filter(|found| found.code == "AIP-AGT-018");
            let mut found: Vec<_> = found.map(|found| found.message.clone()).collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "seed {seed}, packs {packs}: {}", policies(seed));
            seen += found.len();
        }
    }
    assert!(seen > 20, "{seen}");
}
