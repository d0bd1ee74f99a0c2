//! What the roles of an account may do now that they could not before: compiled policies of IAM, compared.
//!
//! Effects tell what was granted. This confirms it on what was compiled, and sees what somebody else changed.

use std::collections::BTreeMap;

use aipolicy_iam::{Change, Difference, Document, Policies, Request, compare, find};
use serde::{Deserialize, Serialize};

use super::{EffectClass, guardrail, resource};
use crate::artifact::{self, Address};

/// Something that a role of the account may do and could not before, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Access {
    /// Whether it lets more happen, or less.
    pub class: EffectClass,
    /// The name of the role, or the resource whose policy it is about.
    pub role: String,
    /// One sentence for people.
    pub sentence: String,
    /// A request that is decided differently before and after; absent where that was not proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Request>,
}

/// A role with its policies, as documents say it.
#[derive(Debug, Default)]
pub struct Role {
    /// What it may do.
    pub policies: Policies,
    /// Who may become it.
    pub trust: Policies,
    /// How many policies it has.
    pub held: usize,
    /// What cannot be read or is not there.
    pub missing: Vec<String>,
}

/// The documents of IAM, by kind and name.
pub(crate) struct Documents<'d>(BTreeMap<(&'d str, &'d str), &'d artifact::Document>);

const ROLE: &str = "Role";
const POLICY: &str = "Policy";
const CONTROL: &str = "ServiceControlPolicy";

/// The part of a role that says which policies it has.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(default)]
    attached_managed_policies: Vec<String>,
    permissions_boundary: Option<String>,
}

/// The name of the policy that an ARN names.
fn policy(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

impl<'d> Documents<'d> {
    pub(crate) fn of(documents: impl IntoIterator<Item = &'d artifact::Document>) -> Self {
        let of_iam = documents.into_iter().filter(|document| document.address.target == "iam");
        let named = of_iam.map(|document| {
            let Address { kind, name, .. } = &document.address;
            ((kind.as_str(), name.as_str()), document)
        });
        Self(named.collect())
    }

    fn all(&self) -> impl Iterator<Item = &'d artifact::Document> {
        self.0.values().copied()
    }

    fn get(&self, kind: &str, name: &str) -> Option<&'d artifact::Document> {
        self.0.get(&(kind, name)).copied()
    }

    fn differs(&self, other: &Self, kind: &str, name: &str) -> bool {
        let text = |documents: &Self| documents.get(kind, name).map(|document| document.text.as_str());
        text(self) != text(other)
    }

    fn described(&self, role: &str) -> Option<Described> {
        serde_json::from_str(&self.get(ROLE, role)?.text).ok()
    }

    /// The names of roles.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &'d str> {
        self.0.keys().filter(|(kind, _)| *kind == ROLE).map(|(_, name)| *name)
    }

    /// A role with its policies; `None` where there is no such role.
    pub(crate) fn role(&self, name: &str) -> Option<Role> {
        let document = self.get(ROLE, name)?;
        let mut role = Role::default();
        for trust in role.read(document) {
            role.trust = std::mem::take(&mut role.trust).resource(document.address.to_string(), &trust);
        }
        let Some(described) = self.described(name) else {
            role.missing.push(document.address.to_string());
            return Some(role);
        };
        role.held = described.attached_managed_policies.len();
        for held in self.policies(&mut role, &described.attached_managed_policies) {
            let policies = std::mem::take(&mut role.policies);
            role.policies = policies.identity(held.0, &held.1);
        }
        for bound in self.policies(&mut role, described.permissions_boundary.as_slice()) {
            let policies = std::mem::take(&mut role.policies);
            role.policies = policies.boundary(bound.0, &bound.1);
        }
        Some(role)
    }

    /// The service control policies of the account, by address; without what they say where that cannot be read.
    pub(super) fn controls(&self) -> Vec<(String, Option<Document>)> {
        let all = self.0.iter().filter(|((kind, _), _)| *kind == CONTROL);
        let read = |document: &artifact::Document| {
            let found = find(&document.text).ok()?.into_iter().next()?;
            Some(found.document)
        };
        all.map(|(_, document)| (document.address.to_string(), read(document))).collect()
    }

    fn policies(&self, role: &mut Role, arns: &[String]) -> Vec<(String, Document)> {
        let mut found = Vec::new();
        for arn in arns {
            match self.get(POLICY, policy(arn)) {
                Some(document) => {
                    let address = document.address.to_string();
                    found.extend(role.read(document).into_iter().map(|read| (address.clone(), read)));
                }
                None => role.missing.push(arn.clone()),
            }
        }
        found
    }
}

impl Role {
    fn read(&mut self, document: &artifact::Document) -> Vec<Document> {
        let Ok(found) = find(&document.text) else {
            self.missing.push(document.address.to_string());
            return Vec::new();
        };
        found.into_iter().map(|found| found.document).collect()
    }
}

/// A role of an environment, by its name in the account.
pub fn role<'d>(documents: impl IntoIterator<Item = &'d artifact::Document>, name: &str) -> Option<Role> {
    Documents::of(documents).role(name)
}

/// What roles that are there before and after may do then and not before, and the other way round; what policies of
/// resources let happen, and what calls of models pass.
pub fn access<'d>(
    before: impl IntoIterator<Item = &'d artifact::Document>,
    after: impl IntoIterator<Item = &'d artifact::Document>,
) -> Vec<Access> {
    let both: [Vec<_>; 2] = [before.into_iter().collect(), after.into_iter().collect()];
    let of_guardrails = guardrail::changed(&both[0], &both[1]);
    let [before, after] = both.map(Documents::of);
    let of_resources = resource::changed(before.all(), after.all());
    let changed = |documents: &Documents<'_>, name: &str| {
        let Described { attached_managed_policies, permissions_boundary } =
            documents.described(name).unwrap_or_default();
        let mut policies = attached_managed_policies.iter().chain(&permissions_boundary);
        policies.any(|arn| before.differs(&after, POLICY, policy(arn)))
    };
    let changed = after.roles().filter(|name| {
        before.get(ROLE, name).is_some()
            && (before.differs(&after, ROLE, name) || changed(&before, name) || changed(&after, name))
    });
    changed
        .filter_map(|name| Some(between(name, &before.role(name)?, &after.role(name)?)))
        .flatten()
        .chain(of_resources)
        .chain(super::account::between(&before, &after))
        .chain(of_guardrails)
        .collect()
}

fn between(name: &str, old: &Role, new: &Role) -> Vec<Access> {
    if let Some(missing) = old.missing.iter().chain(&new.missing).next() {
        let sentence = format!("what {name} may do is not compared, since {missing} cannot be read");
        return vec![Access { class: EffectClass::Mixed, role: name.to_owned(), sentence, witness: None }];
    }
    let held = compare(&old.policies, &new.policies);
    let trust = compare(&old.trust, &new.trust);
    let told = |change: Change, class: EffectClass, verb: &str| told(name, change, class, verb);
    let mut access = told(held.gained, EffectClass::Widens, "may now");
    access.extend(told(trust.gained, EffectClass::Widens, "now lets others"));
    access.extend(told(held.lost, EffectClass::Narrows, "may no longer"));
    access.extend(told(trust.lost, EffectClass::Narrows, "no longer lets others"));
    access
}

fn told(name: &str, change: Change, class: EffectClass, verb: &str) -> Vec<Access> {
    match change {
        Change::Nothing => Vec::new(),
        Change::Shown(differences) => differences
            .into_iter()
            .map(|Difference { witness, .. }| {
                let sentence = format!("{name} {verb} {witness}");
                Access { class, role: name.to_owned(), sentence, witness: Some(witness) }
            })
            .collect(),
        Change::NotProven(reasons) => {
            let sentence =
                format!("{name} {verb} do something, or not: not proven, since {}", reasons.join(", and "));
            vec![Access { class, role: name.to_owned(), sentence, witness: None }]
        }
    }
}
