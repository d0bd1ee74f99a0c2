//! What several roles are allowed alike, so that a policy of a resource says it once.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::source::Span;

use crate::iam::policy::Allow;
use crate::origin::Origin;

/// What several roles are allowed.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) roles: BTreeMap<String, Origin>,
    pub(super) allow: Allow,
}

/// Conditions as they are compared.
type Conditions = BTreeSet<(&'static str, String, Vec<String>)>;

/// Actions, what they are about and where that is named, and conditions.
type Alike = (Vec<&'static str>, Vec<(String, Span)>, Conditions);
/// Actions, conditions, and roles.
type Joined = (Vec<&'static str>, Conditions, Vec<String>);

fn compared(allow: &Allow) -> Conditions {
    let conditions = allow.conditions.iter();
    conditions.map(|one| (one.operator, one.key.clone(), one.texts().map(str::to_owned).collect())).collect()
}

/// What roles are allowed, with what several are allowed alike said once. What different lines name stays apart, so that
/// each can be traced.
pub(super) fn shared(all: impl IntoIterator<Item = (String, Allow)>) -> Vec<Shared> {
    let mut alike: BTreeMap<Alike, Shared> = BTreeMap::new();
    for (role, allow) in all {
        let resources = allow.resources.iter().map(|(arn, origin)| (arn.clone(), origin.span)).collect();
        let key = (allow.actions.to_vec(), resources, compared(&allow));
        let origin = allow.origin.clone();
        let shared = alike.entry(key).or_insert_with(|| Shared { roles: BTreeMap::new(), allow });
        shared.roles.entry(role).or_insert(origin);
    }
    let mut joined: BTreeMap<Joined, Vec<Shared>> = BTreeMap::new();
    for ((actions, _, conditions), one) in alike {
        let roles = one.roles.keys().cloned().collect();
        let known = joined.entry((actions, conditions, roles)).or_default();
        let names = |other: &Shared| {
            let mut arns = one.allow.resources.iter().map(|(arn, _)| arn);
            arns.any(|arn| other.allow.resources.iter().any(|(own, _)| own == arn))
        };
        match known.iter_mut().find(|other| !names(other)) {
            Some(other) => other.allow.resources.extend(one.allow.resources),
            None => known.push(one),
        }
    }
    joined.into_values().flatten().collect()
}
