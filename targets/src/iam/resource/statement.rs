//! Statements of policies of resources, with the origin of every part.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::source::Span;
use aipolicy_iam::Effect;

use crate::account::Account;
use crate::iam::policy::{Allow, Condition, sids};
use crate::origin::Origin;
use crate::tree::Tree;

/// Whom a statement is about.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Everybody,
    Service(String),
    Roles(BTreeMap<String, Origin>),
}

/// What a policy of a resource says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Words that become the statement id.
    pub(super) sid: String,
    pub(super) effect: Effect,
    pub(super) who: Who,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<(String, Origin)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

impl Said {
    /// Something that everybody is denied, under the conditions that are added.
    pub(super) fn denial(
        sid: impl Into<String>,
        actions: &[&str],
        resources: Vec<(String, Origin)>,
        origin: Origin,
    ) -> Self {
        Self {
            sid: sid.into(),
            effect: Effect::Deny,
            who: Who::Everybody,
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            resources,
            conditions: Vec::new(),
            origin,
        }
    }

    /// The same, under one more condition.
    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    fn tree(&self, sid: String) -> Tree {
        let texts = |texts: &[String]| Tree::list(texts.iter().map(Tree::text));
        let resources: BTreeMap<_, _> = self.resources.iter().map(|(arn, origin)| (arn, origin)).collect();
        let resources = resources.into_iter().map(|(arn, origin)| Tree::text(arn).from(origin.clone()));
        let mut entries = vec![
            ("Sid", Tree::text(sid)),
            ("Effect", Tree::text(self.effect.as_str())),
            ("Principal", self.who.tree()),
            ("Action", texts(&self.actions)),
            ("Resource", Tree::list(resources)),
        ];
        if !self.conditions.is_empty() {
            entries.push(("Condition", conditions(&self.conditions)));
        }
        Tree::map(entries).from(self.origin.clone())
    }
}

impl Who {
    fn tree(&self) -> Tree {
        match self {
            Self::Everybody => Tree::text("*"),
            Self::Service(name) => Tree::map([("Service", Tree::text(name))]),
            Self::Roles(roles) => {
                let roles = roles.iter().map(|(role, origin)| Tree::text(role).from(origin.clone()));
                Tree::map([("AWS", Tree::list(roles))])
            }
        }
    }
}

/// Conditions, in which each value says where it comes from.
fn conditions(all: &[Condition]) -> Tree {
    let mut operators: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, &Origin>>> = BTreeMap::new();
    for condition in all {
        let values = operators.entry(condition.operator).or_default().entry(&condition.key).or_default();
        values.extend(condition.values.iter().map(|value| (value.as_str(), &condition.origin)));
    }
    Tree::map(operators.into_iter().map(|(operator, keys)| {
        let keys = keys.into_iter().map(|(key, values)| {
            let values = values.into_iter().map(|(value, origin)| Tree::text(value).from(origin.clone()));
            (key.to_owned(), Tree::list(values))
        });
        (operator, Tree::map(keys.collect::<Vec<_>>()))
    }))
}

/// A policy with these statements.
pub(super) fn document(account: &Account<'_>, all: &[Said]) -> Tree {
    let sids = sids(all.iter().map(|said| said.sid.as_str()));
    let statements = all.iter().zip(sids).map(|(said, sid)| said.tree(sid));
    Tree::map([
        ("Version", Tree::text("2012-10-17").from(account.default("iam.policyVersion"))),
        ("Statement", Tree::list(statements)),
    ])
}

/// The size of a policy as it is sent.
pub(super) fn size(document: &Tree) -> usize {
    serde_json::to_string(document).map_or(usize::MAX, |text| text.len())
}

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
    conditions.map(|one| (one.operator, one.key.clone(), one.values.clone())).collect()
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
