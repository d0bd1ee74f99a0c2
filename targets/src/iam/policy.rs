//! Statements with the origin of every part, and managed policies within the limits of IAM.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use aipolicy_iam::{Conditions, Document, Effect, Matcher, Statement, limits};

use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// A condition: operator, key, values, and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) operator: &'static str,
    pub(super) key: String,
    pub(super) values: Vec<String>,
    pub(super) origin: Origin,
}

/// Something that is allowed because of a grant.
#[derive(Clone, Debug)]
pub(super) struct Allow {
    /// Words that become the statement id.
    pub(super) sid: String,
    pub(super) actions: &'static [&'static str],
    pub(super) resources: Vec<(String, Origin)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

impl Condition {
    /// A condition on one value of a key.
    pub(super) fn equals(key: &str, value: impl Into<String>, origin: Origin) -> Self {
        Self { operator: "StringEquals", key: key.into(), values: vec![value.into()], origin }
    }
}

impl Allow {
    /// Whether both allow the same, without conditions.
    pub(super) fn gives_the_same_as(&self, other: &Self) -> bool {
        let arns = |allow: &Self| allow.resources.iter().map(|(arn, _)| arn.clone()).collect::<Vec<_>>();
        let are_plain = self.conditions.is_empty() && other.conditions.is_empty();
        are_plain && self.actions == other.actions && arns(self) == arns(other)
    }

    fn statement(&self, sid: &str) -> Statement {
        let texts = |items: &mut dyn Iterator<Item = String>| Matcher::In(items.collect::<BTreeSet<_>>());
        Statement {
            sid: Some(sid.into()),
            effect: Effect::Allow,
            principal: None,
            actions: texts(&mut self.actions.iter().map(|action| (*action).to_owned())),
            resources: Some(texts(&mut self.resources.iter().map(|(arn, _)| arn.clone()))),
            conditions: conditions(&self.conditions),
        }
    }

    fn resource_origin(&self, arn: &str) -> Option<&Origin> {
        self.resources.iter().find(|(known, _)| known == arn).map(|(_, origin)| origin)
    }
}

/// Conditions as a statement holds them.
pub(super) fn conditions(all: &[Condition]) -> Conditions {
    let mut conditions = Conditions::new();
    for condition in all {
        let keys = conditions.entry(condition.operator.into()).or_default();
        let values = keys.entry(condition.key.clone()).or_default();
        values.extend(condition.values.iter().cloned());
    }
    conditions
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

/// Managed policies that hold these statements, and nothing else, as few as fit, and no more than `most`.
pub(super) fn managed(
    account: &Account<'_>,
    (words, allows, most): (&[&str], &[Allow], usize),
    origin: &Origin,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let sids = sids(allows.iter().map(|allow| allow.sid.as_str()));
    let by_sid: BTreeMap<&str, &Allow> = sids.iter().map(String::as_str).zip(allows).collect();
    let statements: Vec<_> = allows.iter().zip(&sids).map(|(allow, sid)| allow.statement(sid)).collect();
    if statements.is_empty() {
        return Vec::new();
    }
    match aipolicy_iam::split(&statements, limits::MANAGED_POLICY, most) {
        Ok(documents) => {
            let many = documents.len() > 1;
            let name = |at: usize| if many { format!("{}", at + 1) } else { String::new() };
            let named = documents.iter().enumerate().map(|(at, document)| (name(at), document));
            named
                .map(|(suffix, document)| artifact(account, (words, &suffix), (document, &by_sid), origin))
                .collect()
        }
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
    let statements = document.statements.iter().filter_map(|statement| {
        let allow = by_sid.get(statement.sid.as_deref()?)?;
        Some(tree(statement, allow))
    });
    named(account, name, statements, origin)
}

/// A managed policy of this name with these statements.
pub(super) fn named(
    account: &Account<'_>,
    name: String,
    statements: impl IntoIterator<Item = Tree>,
    origin: &Origin,
) -> Artifact {
    let tree = Tree::map([
        ("PolicyName", Tree::text(&name).from(account.default("origin.name"))),
        ("Path", Tree::text(account.path()).from(account.default("iam.path"))),
        (
            "PolicyDocument",
            Tree::map([
                ("Version", Tree::text("2012-10-17").from(account.default("iam.policyVersion"))),
                ("Statement", Tree::list(statements)),
            ]),
        ),
        ("Tags", super::role::tags(account)),
    ]);
    let address = Address { target: "iam".into(), kind: "Policy".into(), name };
    Artifact::new(address, Format::Json, &tree.from(origin.clone()))
}

/// A statement with the origin of each part: actions from the grant, resources and conditions from what names them.
fn tree(statement: &Statement, allow: &Allow) -> Tree {
    let texts = |matcher: &Matcher| match matcher {
        Matcher::In(texts) | Matcher::NotIn(texts) => texts.iter().cloned().collect::<Vec<_>>(),
    };
    let resources = statement.resources.as_ref().map(&texts).unwrap_or_default();
    let resource = |arn: String| {
        let origin = allow.resource_origin(&arn).unwrap_or(&allow.origin).clone();
        Tree::text(arn).from(origin)
    };
    let mut entries = vec![
        ("Sid", Tree::text(statement.sid.clone().unwrap_or_default())),
        ("Effect", Tree::text(statement.effect.as_str())),
        ("Action", Tree::list(texts(&statement.actions).into_iter().map(Tree::text))),
        ("Resource", Tree::list(resources.into_iter().map(resource))),
    ];
    if !statement.conditions.is_empty() {
        entries.push(("Condition", conditions_tree(&allow.conditions)));
    }
    Tree::map(entries).from(allow.origin.clone())
}

/// Conditions with the origin of each key.
pub(super) fn conditions_tree(all: &[Condition]) -> Tree {
    let origin = |operator: &str, key: &str| {
        let found = all.iter().find(|found| found.operator == operator && found.key == key);
        found.map(|condition| condition.origin.clone())
    };
    Tree::map(conditions(all).into_iter().map(|(operator, keys)| {
        let keys = keys.into_iter().map(|(key, values)| {
            let list = Tree::list(values.iter().map(Tree::text));
            let list = match origin(&operator, &key) {
                Some(origin) => list.from(origin),
                None => list,
            };
            (key, list)
        });
        let keys = Tree::map(keys);
        (operator, keys)
    }))
}
