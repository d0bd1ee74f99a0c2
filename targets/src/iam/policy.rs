//! What grants allow, and managed policies of it within the limits of IAM.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use aipolicy_iam::{Document, Effect, Matcher, limits};

use super::condition::{self, Condition};
use super::statement::{self, Statement};
use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// Something that is allowed because of a grant.
#[derive(Clone, Debug)]
pub(super) struct Allow {
    /// Words that become the statement id.
    pub(super) sid: String,
    /// What it is about: where statements need several policies, those about one thing stand together.
    pub(super) about: String,
    pub(super) actions: &'static [&'static str],
    pub(super) resources: Vec<(String, Origin)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

impl Allow {
    /// Whether both allow the same, without conditions.
    pub(super) fn gives_the_same_as(&self, other: &Self) -> bool {
        let arns = |allow: &Self| allow.resources.iter().map(|(arn, _)| arn.clone()).collect::<Vec<_>>();
        let are_plain = self.conditions.is_empty() && other.conditions.is_empty();
        are_plain && self.actions == other.actions && arns(self) == arns(other)
    }

    /// The statement, as it is spread over policies.
    fn plain(&self, sid: &str) -> aipolicy_iam::Statement {
        let texts = |items: &mut dyn Iterator<Item = String>| Matcher::In(items.collect::<BTreeSet<_>>());
        aipolicy_iam::Statement {
            sid: Some(sid.into()),
            effect: Effect::Allow,
            principal: None,
            actions: texts(&mut self.actions.iter().map(|action| (*action).to_owned())),
            resources: Some(texts(&mut self.resources.iter().map(|(arn, _)| arn.clone()))),
            conditions: condition::plain(&self.conditions),
        }
    }

    /// What a part of the statement says, with the origin of everything in it.
    fn part(&self, part: &aipolicy_iam::Statement) -> Statement {
        let actions: Vec<_> = part.actions.patterns().collect();
        let arns: BTreeSet<_> = part.resources.iter().flat_map(Matcher::patterns).collect();
        let resources = self.resources.iter().filter(|(arn, _)| arns.contains(arn.as_str())).cloned();
        let sid = part.sid.clone().unwrap_or_default();
        Statement::allowance(sid, &actions, resources.collect(), self.origin.clone())
            .when(self.conditions.iter().cloned())
    }
}

impl From<Allow> for Statement {
    fn from(allow: Allow) -> Self {
        let Allow { sid, about: _, actions, resources, conditions, origin } = allow;
        Self::allowance(sid, actions, resources, origin).when(conditions)
    }
}

/// Managed policies that hold these statements, and nothing else, no more than `most`: one more thing
/// changes one of them.
pub(super) fn managed(
    account: &Account<'_>,
    (words, allows, most): (&[&str], &[Allow], usize),
    origin: &Origin,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let sids = statement::sids(allows.iter().map(|allow| allow.sid.as_str()));
    let by_sid: BTreeMap<&str, &Allow> = sids.iter().map(String::as_str).zip(allows).collect();
    let statements = allows.iter().zip(&sids);
    let statements: Vec<_> =
        statements.map(|(allow, sid)| (allow.about.as_str(), allow.plain(sid))).collect();
    if statements.is_empty() {
        return Vec::new();
    }
    match aipolicy_iam::spread(&statements, limits::MANAGED_POLICY, most) {
        Ok(documents) => documents
            .iter()
            .map(|(suffix, document)| artifact(account, (words, suffix), (document, &by_sid), origin))
            .collect(),
        Err(error) => {
            let message = format!("what is granted does not fit into the policies of one role: {error}");
            let help = "split the tools over several agents, or name fewer resources";
            out.report(rule::POLICY_SIZE.at(origin.span, message, "").help(help));
            Vec::new()
        }
    }
}

fn artifact(
    account: &Account<'_>,
    (words, suffix): (&[&str], &str),
    (document, by_sid): (&Document, &BTreeMap<&str, &Allow>),
    origin: &Origin,
) -> Artifact {
    let mut words = words.to_vec();
    words.extend((!suffix.is_empty()).then_some(suffix));
    let name = account.name(&words, limits::POLICY_NAME);
    let parts = document.statements.iter();
    let statements = parts.filter_map(|part| Some(by_sid.get(part.sid.as_deref()?)?.part(part)));
    named(account, name, &statements.collect::<Vec<_>>(), origin)
}

/// A managed policy of this name with these statements.
pub(super) fn named(
    account: &Account<'_>,
    name: String,
    statements: &[Statement],
    origin: &Origin,
) -> Artifact {
    let address = Address { target: "iam".into(), kind: "Policy".into(), name: name.clone() };
    Artifact::of(account.input.wanted, (address, Format::Json), origin.clone(), || {
        Tree::map([
            ("PolicyName", Tree::text(name).from(account.default("origin.name"))),
            ("Path", Tree::text(account.path()).from(account.default("iam.path"))),
            ("PolicyDocument", statement::document(account, statements)),
            ("Tags", super::role::tags(account)),
        ])
    })
}
