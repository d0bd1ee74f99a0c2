//! What policies of resources let happen now that they did not before: those of endpoints, buckets and secrets, compared.

use std::collections::BTreeMap;

use aipolicy_iam::{Change, Document, Policies, Request, compare, read};
use serde_json::{Value, json};

use super::{Access, EffectClass};
use crate::artifact;

/// Kinds of documents that are policies of resources: the member that holds the policy, the one that names the resource,
/// and what the resource is called.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("BucketPolicy", "Policy", "Bucket", "bucket"),
    ("EndpointPolicy", "PolicyDocument", "VpcEndpointId", "endpoint"),
    ("SecretPolicy", "ResourcePolicy", "SecretId", "secret"),
];
const ENDPOINT: &str = "EndpointPolicy";

/// A policy of a resource.
struct Held {
    kind: &'static str,
    /// What it is about, in words.
    subject: String,
    policy: Option<Document>,
}

/// What each policy lets happen after and not before, and the other way round. One that is not there lets everything
/// through an endpoint, and says nothing about a bucket or a secret.
pub(super) fn changed<'d>(
    before: impl IntoIterator<Item = &'d artifact::Document>,
    after: impl IntoIterator<Item = &'d artifact::Document>,
) -> Vec<Access> {
    let mut pairs: BTreeMap<&str, [Option<&artifact::Document>; 2]> = BTreeMap::new();
    let both = [before.into_iter().collect::<Vec<_>>(), after.into_iter().collect()];
    for (at, documents) in both.into_iter().enumerate() {
        let of_resources = documents.into_iter().filter(|document| {
            let address = &document.address;
            address.target == "iam" && KINDS.iter().any(|(kind, ..)| *kind == address.kind)
        });
        for document in of_resources {
            let pair = pairs.entry(document.address.name.as_str()).or_default();
            if let Some(place) = pair.get_mut(at) {
                *place = Some(document);
            }
        }
    }
    let differing = pairs.into_values().filter(|[old, new]| {
        let text = |document: &Option<&artifact::Document>| document.map(|document| document.text.clone());
        text(old) != text(new)
    });
    differing.flat_map(|[old, new]| between(old, new)).collect()
}

fn between(old: Option<&artifact::Document>, new: Option<&artifact::Document>) -> Vec<Access> {
    let (before, after) = (old.and_then(held), new.and_then(held));
    let Some(Held { kind, subject, .. }) = after.as_ref().or(before.as_ref()) else { return Vec::new() };
    let policy = |held: Option<&Held>| match held {
        Some(held) => held.policy.clone(),
        None if *kind == ENDPOINT => everything(),
        None => nothing(),
    };
    let (Some(before_policy), Some(after_policy)) = (policy(before.as_ref()), policy(after.as_ref())) else {
        let sentence =
            format!("what the policy of {subject} lets happen is not compared, since it cannot be read");
        return vec![Access { class: EffectClass::Mixed, role: subject.clone(), sentence, witness: None }];
    };
    let alone = |document: &Document| Policies::default().resource("policy", document);
    let mut told = Told::default();
    told.add(subject, &alone(&before_policy), &alone(&after_policy));
    if *kind != ENDPOINT {
        // What a bucket denies is denied to those whom their own policies allow everything.
        let allowed = |document: &Document| {
            let policies = everything().map(|all| Policies::default().resource("own", &all));
            policies.unwrap_or_default().resource("policy", document)
        };
        told.add(subject, &allowed(&before_policy), &allowed(&after_policy));
    }
    told.0
}

/// What was told already is not told again.
#[derive(Default)]
struct Told(Vec<Access>);

impl Told {
    fn add(&mut self, subject: &str, before: &Policies, after: &Policies) {
        let compared = compare(before, after);
        self.tell(subject, compared.gained, (EffectClass::Widens, "now lets happen:"));
        self.tell(subject, compared.lost, (EffectClass::Narrows, "no longer lets happen:"));
    }

    fn tell(&mut self, subject: &str, change: Change, (class, verb): (EffectClass, &str)) {
        let mut put = |sentence: String, witness: Option<Request>| {
            let access = Access { class, role: subject.to_owned(), sentence, witness };
            if !self.0.contains(&access) {
                self.0.push(access);
            }
        };
        match change {
            Change::Nothing => {}
            Change::Shown(differences) => {
                for found in differences {
                    put(format!("{subject} {verb} {}", found.witness), Some(found.witness));
                }
            }
            Change::NotProven(reasons) => {
                put(
                    format!(
                        "{subject} {verb} something, or not: not proven, since {}",
                        reasons.join(", and ")
                    ),
                    None,
                );
            }
        }
    }
}

fn held(document: &artifact::Document) -> Option<Held> {
    let (kind, member, named, word) = *KINDS.iter().find(|(kind, ..)| *kind == document.address.kind)?;
    let value: Value = serde_json::from_str(&document.text).unwrap_or_default();
    let policy = value.get(member).and_then(|policy| read(&policy.to_string()).ok());
    let name = value.get(named).and_then(Value::as_str).unwrap_or(&document.address.name);
    Some(Held { kind, subject: format!("{word} {name}"), policy })
}

/// What an endpoint has without a policy of its own.
fn everything() -> Option<Document> {
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" });
    read(&json!({ "Version": "2012-10-17", "Statement": statement }).to_string()).ok()
}

fn nothing() -> Option<Document> {
    everything().map(|all| Document { statements: Vec::new(), ..all })
}
