//! IAM: roles and managed policies.

mod policy;
mod role;

use std::collections::BTreeMap;
use std::sync::Arc;

use aipolicy_targets::Tree;
use aipolicy_targets::artifact::{Address, Document, Format};
use aipolicy_targets::plan::Observed;
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag as SdkTag;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::error::Refusal;
use super::looking::patiently;
use super::tags::is_of_aws;
use super::{AwsPlace, Kind};
use crate::adoption::{Adoption, Free, NotAdopted};

/// How many objects are read side by side.
const SIDE_BY_SIDE: usize = 10;

/// The kinds of IAM, as `target/Kind`.
pub(super) const KINDS: [&str; 2] = ["iam/Policy", "iam/Role"];

/// The kinds of IAM by `target/Kind`.
pub(super) fn kinds(config: &SdkConfig, place: &Arc<AwsPlace>) -> BTreeMap<&'static str, Arc<dyn Kind>> {
    let client = Client::new(config);
    let roles = role::Roles { client: client.clone(), place: Arc::clone(place) };
    let policies = policy::Policies { client, place: Arc::clone(place) };
    BTreeMap::from([
        ("iam/Policy", Arc::new(policies) as Arc<dyn Kind>),
        ("iam/Role", Arc::new(roles) as Arc<dyn Kind>),
    ])
}

/// A tag as documents write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

impl Tag {
    /// Tags as they are listed, by key.
    fn all(found: &[SdkTag]) -> Vec<Self> {
        let mut all: Vec<_> = found
            .iter()
            .filter(|tag| !is_of_aws(tag.key()))
            .map(|tag| Self { key: tag.key().to_owned(), value: tag.value().to_owned() })
            .collect();
        all.sort();
        all
    }

    fn sent(&self) -> Result<SdkTag, Refusal> {
        SdkTag::builder().key(&self.key).value(&self.value).build().map_err(Refusal::unreadable)
    }
}

/// Tags to set, and keys to take away, so that one list becomes the other.
fn retagged(found: &[Tag], wanted: &[Tag]) -> Result<(Vec<SdkTag>, Vec<String>), Refusal> {
    let set = wanted.iter().filter(|tag| !found.contains(tag)).map(Tag::sent).collect::<Result<_, _>>()?;
    let kept = |key: &str| wanted.iter().any(|tag| tag.key == key);
    let gone = found.iter().filter(|tag| !kept(&tag.key)).map(|tag| tag.key.clone()).collect();
    Ok((set, gone))
}

impl AwsPlace {
    /// Whether an object of IAM is ours: its path and its tags say so.
    fn owns(&self, path: &str, tags: &[Tag]) -> bool {
        let mark = self.mark();
        let tagged = |(key, value): (&str, &str)| tags.iter().any(|tag| tag.key == key && tag.value == value);
        path == mark.path() && mark.tags().into_iter().all(tagged)
    }

    /// Tags with our mark.
    fn marked(&self, tags: &[Tag]) -> Vec<Tag> {
        let mut all: BTreeMap<_, _> = tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        all.extend(self.mark_tags());
        all.into_iter().map(|(key, value)| Tag { key, value }).collect()
    }

    fn mark_sent(&self) -> Result<Vec<SdkTag>, Refusal> {
        self.marked(&[]).iter().map(Tag::sent).collect()
    }

    /// Why an object with this path, name and tags is not adopted for a document that asks for another path and name, if it is
    /// not.
    fn refused<'t>(
        &self,
        found: (&str, &str),
        expected: (&str, &str),
        tags: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Option<NotAdopted> {
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        if let Some(whose) = self.others(&tags) {
            return Some(NotAdopted::OfOthers { whose });
        }
        (found != expected).then(|| NotAdopted::Other {
            found: in_words(found),
            expected: in_words(expected),
            why: "IAM changes neither path nor name of what is there, and a plan finds it by both; remove it, so that the next \
                  apply makes it anew"
                .to_owned(),
        })
    }

    /// An object that may be adopted, as it is and as it will be.
    fn free<T: Serialize>(
        &self,
        (arn, wanted): (&str, &Document),
        (found, marked): (&T, &T),
        tags: &[Tag],
    ) -> Result<Adoption, Refusal> {
        let path = self.mark().path();
        if self.owns(&path, tags) {
            return Ok(Adoption::Ours);
        }
        Ok(Adoption::Free(Free {
            object: arn.to_owned(),
            mark: self.mark_in_words(),
            found: document(wanted.address.clone(), found)?,
            marked: document(wanted.address.clone(), marked)?,
        }))
    }

    fn policy_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:policy{}{name}", self.partition, self.account, self.mark().path())
    }
}

fn in_words((path, name): (&str, &str)) -> String {
    format!("`{path}{name}`")
}

fn absent(expected: (&str, &str)) -> Adoption {
    Adoption::No(NotAdopted::Absent { expected: in_words(expected) })
}

/// The name in an ARN; what is no ARN is one.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// The address of an object of IAM; nothing for a name that we would never give.
fn address(kind: &str, name: &str) -> Option<Address> {
    format!("iam/{kind}/{name}").parse().ok()
}

/// A document in the form in which it is compiled.
fn document(address: Address, members: &impl Serialize) -> Result<Document, Refusal> {
    let mut text = serde_json::to_string_pretty(members).map_err(Refusal::unreadable)?;
    text.push('\n');
    Ok(Document { address, format: Format::Json, text })
}

/// The members of a compiled document. One that says what is not understood here is refused, so that nothing of it is lost.
fn members<T: DeserializeOwned>(document: &Document) -> Result<T, Refusal> {
    serde_json::from_str(&document.text).map_err(Refusal::unreadable)
}

/// A policy document as IAM gives it back: percent-encoded (API reference, `GetRole`). What is no JSON stays a text.
fn decoded(text: &str) -> Tree {
    let text = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_else(|_| Tree::text(text))
}

/// A policy document as IAM takes it: without spaces, which count against no limit but are sent for nothing.
fn encoded(policy: &Tree) -> Result<String, Refusal> {
    serde_json::to_string(policy).map_err(Refusal::unreadable)
}

/// Something of others under a name that we could give: what it says is none of our business.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Foreign<'a> {
    path: &'a str,
}

fn foreign(kind: &str, (name, path): (&str, &str)) -> Result<Option<Observed>, Refusal> {
    let Some(address) = address(kind, name) else { return Ok(None) };
    Ok(Some(Observed { document: document(address, &Foreign { path })?, owned: false }))
}

/// Objects that are read by their names.
#[async_trait]
trait Named {
    /// The object with this name.
    async fn named(&self, name: &str) -> Result<Option<Observed>, Refusal>;
}

/// Reads objects by name, some side by side. What went away meanwhile is left out.
async fn read_all<K: Named + Clone + Send + Sync + 'static>(
    kind: &K,
    names: Vec<String>,
) -> Result<Vec<Observed>, Refusal> {
    let room = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut tasks = JoinSet::new();
    for name in names {
        let (kind, room) = (kind.clone(), Arc::clone(&room));
        tasks.spawn(async move {
            let _room = room.acquire().await.map_err(Refusal::unreadable)?;
            patiently(|| kind.named(&name)).await
        });
    }
    let mut found = Vec::new();
    while let Some(read) = tasks.join_next().await {
        found.extend(read.map_err(Refusal::unreadable)??);
    }
    Ok(found)
}
