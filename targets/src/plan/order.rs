//! An order in which changes can be applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change};
use crate::artifact::Address;

/// Kinds of which one uses another, each after those that it uses. Nothing says any more what a document needed that goes,
/// so what is deleted goes in the reverse order of this: nothing is deleted while something may use it.
const USED_FIRST: &[&str] = &[
    "iam/Policy",
    "iam/Role",
    "bedrock/Guardrail",
    "bedrock/GuardrailVersion",
    "bedrock/EnforcedGuardrail",
    "bedrock/InferenceProfile",
    "bedrock/ApprovalQueue",
    "bedrock/StateMachine",
    "bedrock/Table",
    "bedrock/TimeToLive",
    "bedrock/LogGroup",
    "bedrock/LogRetention",
    "bedrock/LogStream",
    "bedrock/Alarm",
    "lambda/LogGroup",
    "lambda/LogRetention",
    "bedrock/QueuePolicy",
    "bedrock/QueueRedrive",
    "lambda/QueueRedrive",
    "bedrock/Function",
    "bedrock/FunctionConcurrency",
    "bedrock/FunctionPermission",
    "bedrock/EventInvokeConfig",
    "bedrock/EventSourceMapping",
    "bedrock/Subscription",
    "lambda/Function",
    "lambda/FunctionConcurrency",
    "lambda/EventSourceMapping",
    "bedrock/Rule",
    "bedrock/RuleTargets",
    "bedrock/ScheduleGroup",
    "bedrock/Schedule",
    "bedrock/ApiKeyProvider",
    "bedrock/Oauth2Provider",
    "bedrock/PolicyEngine",
    "bedrock/Gateway",
    "bedrock/GatewayTarget",
    "bedrock/CedarPolicy",
    "bedrock/Memory",
    "bedrock/Harness",
    "bedrock/HarnessEndpoint",
    "bedrock/Agent",
    "bedrock/ActionGroup",
    "bedrock/AgentKnowledgeBase",
    "bedrock/AgentAlias",
    "bedrock/AgentCollaborator",
    "iam/BucketPolicy",
    "iam/SecretPolicy",
    "iam/ServiceControlPolicy",
    "observability/DeliverySource",
    "observability/DeliveryDestination",
    "observability/Delivery",
    "observability/Trail",
    "observability/TrailSelectors",
    "observability/TrailLogging",
    "observability/Budget",
    "observability/BudgetAction",
    "observability/Alarm",
];

/// Sorts changes so that each comes after what it needs. Deletions come last, kind after kind, what uses before what is
/// used. Needs outside the plan are dropped.
pub(super) fn sorted(changes: Vec<Change>) -> Vec<Change> {
    let addresses: BTreeSet<Address> = changes.iter().map(|change| change.address.clone()).collect();
    let (mut gone, kept): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.action == Action::Delete);
    let mut waiting: BTreeMap<Address, Change> = BTreeMap::new();
    for mut change in kept {
        change.after_changes.retain(|needed| addresses.contains(needed));
        waiting.insert(change.address.clone(), change);
    }
    let mut done: BTreeSet<Address> = BTreeSet::new();
    let mut order = Vec::with_capacity(waiting.len() + gone.len());
    while let Some(change) = next(&waiting, &done).and_then(|address| waiting.remove(&address)) {
        done.insert(change.address.clone());
        order.push(change);
    }
    let place = |change: &Change| {
        let word = change.address.word();
        USED_FIRST.iter().position(|kind| **kind == word).map_or(0, |place| place + 1)
    };
    gone.sort_by(|left, right| (place(right), &right.address).cmp(&(place(left), &left.address)));
    order.extend(gone);
    order
}

/// The first change whose needs are met; in a circle, the first one at all, so that nothing is lost.
fn next(waiting: &BTreeMap<Address, Change>, done: &BTreeSet<Address>) -> Option<Address> {
    let ready = |change: &Change| change.after_changes.iter().all(|needed| done.contains(needed));
    let found = waiting.iter().find(|(_, change)| ready(change)).or_else(|| waiting.iter().next());
    found.map(|(address, _)| address.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{EffectClass, Reason};

    fn change(address: &str, action: Action, needs: &[&str]) -> Change {
        Change {
            address: address.parse().unwrap(),
            action,
            reason: Reason::Sources,
            effect: EffectClass::Neutral,
            before: None,
            after: None,
            after_changes: needs.iter().map(|address| address.parse().unwrap()).collect(),
            origins: Vec::new(),
        }
    }

    #[test]
    fn what_is_needed_comes_first_and_what_goes_goes_last_in_reverse() {
        let changes = vec![
            change("iam/Policy/old", Action::Delete, &[]),
            change("iam/Role/old", Action::Delete, &[]),
            change("iam/Role/a", Action::Create, &["iam/Policy/z", "iam/Policy/unchanged"]),
            change("iam/Policy/z", Action::Create, &[]),
        ];
        let order: Vec<_> = sorted(changes).into_iter().map(|change| change.address.to_string()).collect();
        assert_eq!(order, ["iam/Policy/z", "iam/Role/a", "iam/Role/old", "iam/Policy/old"]);
    }

    #[test]
    fn a_circle_loses_nothing() {
        let changes = vec![
            change("iam/Role/a", Action::Create, &["iam/Role/b"]),
            change("iam/Role/b", Action::Create, &["iam/Role/a"]),
        ];
        assert_eq!(sorted(changes).len(), 2);
    }
}
