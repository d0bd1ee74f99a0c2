//! What two sets of policies decide differently, counted naively: every request and every combination, by Cedar's own
//! authorizer.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::{each_question, everything};
use aipolicy_compiler::inspect::{Compared, Decided, Subject, compare};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use cedar_policy::{Context, Entities, EntityUid, PolicySet, Request};

use super::naive::{allows_of, policies, set};
use super::{Compiled, PERMITS, workspace};
use crate::harness::compile::today;
use crate::harness::tries;

/// Both sides over the second workspace.
fn compared(before: &Compiled, after: &Compiled, most: u64) -> Vec<Compared> {
    let (graph, policies) = (&after.compilation.graph, &after.compilation.policies);
    let environments: Vec<_> = graph.each::<EnvironmentSpec>().map(|(id, _)| id).collect();
    let subject = Subject { graph, policies, today: today(), environments: &environments };
    compare((&before.compilation.graph, &before.compilation.policies), &subject, most).unwrap()
}

/// Requests of the workspace and combined ones, newly permitted and newly refused, by type.
type Counts = BTreeMap<(String, String, String), [[u64; 2]; 2]>;

fn sides(before: &Compiled, after: &Compiled) -> [PolicySet; 2] {
    [before, after].map(|side| {
        let policies = &side.compilation.policies;
        let all: Vec<_> = policies.each().map(|at| policies.get(at).unwrap().clone()).collect();
        set(&all, None, false)
    })
}

fn naive(before: &Compiled, after: &Compiled) -> Counts {
    let sides = sides(before, after);
    let mut counts = Counts::new();
    let mut add = |request: &Request, entities: &Entities, combined: usize| {
        let decided = [&sides[0], &sides[1]].map(|set| allows_of(request, set, entities));
        let direction = match decided {
            [false, true] => 0,
            [true, false] => 1,
            [true, true] | [false, false] => return,
        };
        let kind = |uid: Option<&EntityUid>| uid.unwrap().type_name().to_string();
        let action = request.action().unwrap().id().unescaped().to_owned();
        let key = (kind(request.principal()), action, kind(request.resource()));
        counts.entry(key).or_default()[direction][combined] += 1;
    };
    let (graph, policies) = (&after.compilation.graph, &after.compilation.policies);
    let mut contexts: BTreeMap<EntityUid, BTreeMap<String, Context>> = BTreeMap::new();
    each_question(graph, policies, today(), &mut |group| {
        for one in group {
            add(&one.request, &one.entities, 0);
            let (action, context) = (one.request.action().unwrap(), one.request.context().unwrap());
            contexts.entry(action.clone()).or_default().insert(format!("{context:?}"), context.clone());
        }
    });
    let entities = everything(graph, policies, today()).unwrap();
    let uids: BTreeSet<EntityUid> = entities.iter().map(cedar_policy::Entity::uid).collect();
    for kind in policies.schema().request_envs() {
        for principal in uids.iter().filter(|uid| uid.type_name() == kind.principal()) {
            for resource in uids.iter().filter(|uid| uid.type_name() == kind.resource()) {
                for context in contexts.get(kind.action()).into_iter().flat_map(BTreeMap::values) {
                    let parts = (principal.clone(), kind.action().clone(), resource.clone());
                    add(
                        &Request::new(parts.0, parts.1, parts.2, context.clone(), None).unwrap(),
                        &entities,
                        1,
                    );
                }
            }
        }
    }
    counts
}

#[test]
fn differences_are_those_of_a_naive_count() {
    let mut met = [0; 2];
    for seed in 0..tries(16) as u64 {
        let text = [policies(2 * seed), policies(2 * seed + 1)];
        let (before, after) = (workspace(&text[0]), workspace(&text[1]));
        let mut wanted = naive(&before, &after);
        for one in compared(&before, &after, u64::MAX) {
            let Compared { principal, action, resource, permitted, refused, combined, .. } = &one;
            let key = (principal.clone(), action.word().to_owned(), resource.clone());
            let count = |found: &Option<aipolicy_compiler::inspect::Difference>| {
                found.as_ref().map_or([0, 0], |found| [found.asked, found.combined])
            };
            let told = [count(permitted), count(refused)];
            assert_eq!(told, wanted.remove(&key).unwrap_or_default(), "seed {seed} {key:?}: {text:?}");
            assert!(one.same || combined.tried == combined.of, "{combined:?}");
            for (found, direction) in [permitted, refused].into_iter().zip([[false, true], [true, false]]) {
                let Some(found) = found else { continue };
                met[usize::from(direction[0])] += 1;
                assert_eq!(found.decided.each_ref().map(Decided::permits), direction);
                assert_eq!(found.first.asked.is_some(), found.asked > 0, "the first is one of the workspace");
            }
        }
        assert!(wanted.is_empty(), "{wanted:?}");
    }
    assert!(met.iter().all(|count| *count >= 5), "{met:?}");
}

/// The same policies under other names, in another order and with other titles decide alike, without being asked.
#[test]
fn the_same_policies_are_not_asked() {
    let before = workspace(PERMITS);
    let renamed: String =
        PERMITS.lines().rev().map(|line| format!("{}\n", line.replace("@id(\"", "@id(\"x-"))).collect();
    let after = workspace(&renamed);
    for one in compared(&before, &after, 100) {
        assert!(
            one.same && one.combined.tried == 0 && one.permitted.is_none() && one.refused.is_none(),
            "{one:?}"
        );
    }
}

/// One that became advisory, by its annotation or by what an environment says, no longer stops.
#[test]
fn how_much_a_policy_matters_is_compared_too() {
    let forbid = |severity: &str, id: &str| {
        format!(
            r#"{PERMITS}@id("{id}") {severity} forbid (principal, action == Action::"invokeModel", resource);"#
        )
    };
    let advisory = "@severity(\"advisory\")";
    let found = |before: String, after: String| {
        let all = compared(&workspace(&before), &workspace(&after), 1000);
        let one = all
            .into_iter()
            .find(|one| one.principal == "Agent" && one.action.word() == "invokeModel")
            .unwrap();
        [one.permitted, one.refused].map(|found| found.map_or(0, |found| found.asked))
    };
    assert_eq!(found(forbid("", "stop"), forbid(advisory, "stop")), [3, 0]);
    assert_eq!(found(forbid(advisory, "stop"), forbid("", "stop")), [0, 3]);
    // `lab` switches `quiet` off.
    assert_eq!(found(forbid("", "stop"), forbid("", "quiet")), [1, 0]);
}

/// What is not asked is told, and what is asked is spread over all.
#[test]
fn combined_requests_are_bounded() {
    let before = workspace(PERMITS);
    let after = workspace(&PERMITS.replace(
        r#"permit (principal, action == Action::"supportRuntime", resource)"#,
        r#"permit (principal, action == Action::"supportRuntime", resource) when { context.need == "logs" }"#,
    ));
    let [few, all] = [3, u64::MAX].map(|most| {
        let all = compared(&before, &after, most);
        all.into_iter()
            .find(|one| {
                [one.principal.as_str(), one.action.word(), &one.resource]
                    == ["Agent", "supportRuntime", "Environment"]
            })
            .unwrap()
    });
    assert_eq!((few.combined.tried, few.combined.of), (3, all.combined.of));
    assert!(all.combined.of > 3 && all.combined.tried == all.combined.of, "{all:?}");
}
