//! Statements of policies, with the origin of every part, and documents of them.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_iam::Effect;

use super::condition::{self, Condition, Form};
use crate::account::Account;
use crate::origin::Origin;
use crate::tree::Tree;

/// Whom a policy of a resource is about.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Everybody,
    Service(String),
    Roles(BTreeMap<String, Origin>),
}

/// A statement: what is allowed or denied, on what, and when.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Words that become the statement id.
    pub(super) sid: String,
    pub(super) effect: Effect,
    /// Whom it is about, which the policy of a resource says and no other.
    pub(super) who: Option<Who>,
    pub(super) actions: Vec<(String, Origin)>,
    pub(super) resources: Vec<(String, Origin)>,
    /// Whether it is about all resources but these.
    pub(super) others: bool,
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

impl Statement {
    /// Something that is allowed.
    pub(super) fn allowance(
        sid: impl Into<String>,
        actions: &[&str],
        resources: Vec<(String, Origin)>,
        origin: Origin,
    ) -> Self {
        Self {
            sid: sid.into(),
            effect: Effect::Allow,
            who: None,
            actions: actions.iter().map(|action| ((*action).to_owned(), origin.clone())).collect(),
            resources,
            others: false,
            conditions: Vec::new(),
            origin,
        }
    }

    /// Something that is denied.
    pub(super) fn denial(
        sid: impl Into<String>,
        actions: &[&str],
        resources: Vec<(String, Origin)>,
        origin: Origin,
    ) -> Self {
        Self { effect: Effect::Deny, ..Self::allowance(sid, actions, resources, origin) }
    }

    /// The same, said about somebody.
    pub(super) fn about(self, who: Who) -> Self {
        Self { who: Some(who), ..self }
    }

    /// The same, under more conditions.
    pub(super) fn when(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.conditions.extend(conditions);
        self
    }

    fn tree(&self, sid: String) -> Tree {
        let text = |(text, origin): (&String, &Origin)| Tree::text(text).from(origin.clone());
        let mut resources = BTreeMap::new();
        for (arn, origin) in &self.resources {
            resources.entry(arn).or_insert(origin);
        }
        let mut entries = vec![("Sid", Tree::text(sid)), ("Effect", Tree::text(self.effect.as_str()))];
        entries.extend(self.who.as_ref().map(|who| ("Principal", who.tree())));
        entries.extend([
            ("Action", Tree::list(self.actions.iter().map(|(action, origin)| text((action, origin))))),
            (
                if self.others { "NotResource" } else { "Resource" },
                Tree::list(resources.into_iter().map(text)),
            ),
        ]);
        if !self.conditions.is_empty() {
            entries.push(("Condition", condition::tree(&self.conditions, Form::List)));
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

/// A policy with these statements.
pub(super) fn document(account: &Account<'_>, all: &[Statement]) -> Tree {
    let sids = sids(all.iter().map(|one| one.sid.as_str()));
    let statements = all.iter().zip(sids).map(|(one, sid)| one.tree(sid));
    Tree::map([
        ("Version", Tree::text("2012-10-17").from(account.default("iam.policyVersion"))),
        ("Statement", Tree::list(statements)),
    ])
}

/// The size of a policy as it is sent: its bytes, which are never fewer than its characters.
pub(super) fn size(document: &Tree) -> usize {
    serde_json::to_string(document).map_or(usize::MAX, |text| text.len())
}

/// Statement ids are letters and digits, and differ within a policy.
pub(super) fn sids<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut sid = |text: &str| {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let base: String = words.map(capital).collect();
        let mut sid = base.clone();
        let mut count = 1;
        while !taken.insert(sid.clone()) {
            count += 1;
            sid = format!("{base}{count}");
        }
        sid
    };
    texts.into_iter().map(&mut sid).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
