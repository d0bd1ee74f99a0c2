//! Statements of policies that set limits and grant nothing: actions, resources or all others, with the origin of every part.

use aipolicy_iam::{Document, Effect, Matcher, Statement, Version, measure};

use super::policy::{self, Condition};
use crate::origin::Origin;
use crate::tree::Tree;

/// A statement. One that denies may be about all resources but some.
pub(super) struct Stated {
    pub(super) sid: String,
    pub(super) effect: Effect,
    pub(super) actions: Vec<(String, Origin)>,
    pub(super) resources: Vec<(String, Origin)>,
    /// Whether it is about all resources but these.
    pub(super) others: bool,
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

impl Stated {
    fn statement(&self) -> Statement {
        let texts = |all: &[(String, Origin)]| all.iter().map(|(text, _)| text.clone()).collect();
        let resources = texts(&self.resources);
        Statement {
            sid: Some(self.sid.clone()),
            effect: self.effect,
            principal: None,
            actions: Matcher::In(texts(&self.actions)),
            resources: Some(if self.others { Matcher::NotIn(resources) } else { Matcher::In(resources) }),
            conditions: policy::conditions(&self.conditions),
        }
    }

    pub(super) fn tree(&self) -> Tree {
        let texts = |all: &[(String, Origin)]| {
            Tree::list(all.iter().map(|(text, origin)| Tree::text(text).from(origin.clone())))
        };
        let mut entries = vec![
            ("Sid", Tree::text(&self.sid)),
            ("Effect", Tree::text(self.effect.as_str())),
            ("Action", texts(&self.actions)),
            (if self.others { "NotResource" } else { "Resource" }, texts(&self.resources)),
        ];
        if !self.conditions.is_empty() {
            entries.push(("Condition", policy::conditions_tree(&self.conditions)));
        }
        Tree::map(entries).from(self.origin.clone())
    }
}

/// How many characters a policy of these statements has, as IAM counts them.
pub(super) fn length(all: &[Stated]) -> usize {
    let statements = all.iter().map(Stated::statement).collect();
    measure(&Document { version: Version::V2012, id: None, statements })
}
