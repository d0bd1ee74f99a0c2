//! Managed policies, with their versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use aipolicy_targets::Tree;
use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::Observed;
use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::config::Config;
use aws_sdk_iam::types::{PolicyScopeType, PolicyVersion};
use serde::{Deserialize, Serialize};

use super::{Named, Tag, absent, address, decoded, document, encoded, foreign, members, read_all, retagged};
use crate::adoption::{Adoption, NotAdopted};
use crate::aws::error::Refusal;
use crate::aws::looking::patiently;
use crate::aws::{AwsPlace, Kind};

/// How many versions IAM keeps of a policy (IAM User Guide, "IAM and AWS STS quotas").
const VERSIONS: usize = 5;

/// A managed policy as documents write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Policy {
    policy_name: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    policy_document: Tree,
    tags: Vec<Tag>,
}

/// The managed policies of an account.
#[derive(Clone)]
pub(super) struct Policies {
    pub(super) client: Client,
    pub(super) place: Arc<AwsPlace>,
}

impl Policies {
    /// The names of those below our path, and those of others under names that we could give.
    async fn listed(&self) -> Result<(Vec<String>, Vec<Observed>), Refusal> {
        let (mut ours, mut all) = (Vec::new(), Vec::new());
        let mut pages =
            self.client.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
        while let Some(policy) = pages.next().await {
            let policy = policy.map_err(Refusal::of)?;
            let (Some(name), path) = (policy.policy_name(), policy.path().unwrap_or("/")) else { continue };
            if path == self.place.mark().path() {
                ours.push(name.to_owned());
            } else if self.place.is_near(name) {
                all.extend(foreign("Policy", (name, path))?);
            }
        }
        Ok((ours, all))
    }

    async fn versions(&self, arn: &str) -> Result<Vec<PolicyVersion>, Refusal> {
        let mut pages = self.client.list_policy_versions().policy_arn(arn).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(version) = pages.next().await {
            all.push(version.map_err(Refusal::of)?);
        }
        Ok(all)
    }

    async fn forget(&self, arn: &str, version: &PolicyVersion) -> Result<(), Refusal> {
        let id = version.version_id().unwrap_or("");
        let call = self.client.delete_policy_version().policy_arn(arn).version_id(id);
        call.send().await.map_err(Refusal::of).map(drop)
    }

    /// Makes a version that counts. The oldest goes where there is no room for it.
    async fn write(&self, arn: &str, policy: &Tree) -> Result<(), Refusal> {
        let versions = self.versions(arn).await?;
        if versions.len() >= VERSIONS {
            let old = versions.iter().filter(|version| !version.is_default_version());
            if let Some(oldest) = old.min_by_key(|version| number(version)) {
                self.forget(arn, oldest).await?;
            }
        }
        let call = self.client.create_policy_version().policy_arn(arn).policy_document(encoded(policy)?);
        // Asked twice, it makes two versions; whoever asks again looks first.
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let call = call.set_as_default(true).customize().config_override(once);
        call.send().await.map_err(Refusal::of).map(drop)
    }
}

/// The number in `v12`. Versions are numbered as they are made.
fn number(version: &PolicyVersion) -> u64 {
    version.version_id().and_then(|id| id.strip_prefix('v')?.parse().ok()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Named for Policies {
    async fn named(&self, name: &str) -> Result<Option<Observed>, Refusal> {
        let arn = self.place.policy_arn(name);
        let found = match self.client.get_policy().policy_arn(&arn).send().await.map_err(Refusal::of) {
            Err(refusal) if refusal.is_gone() => return Ok(None),
            found => found?,
        };
        let Some((found, address)) = found.policy().zip(address("Policy", name)) else { return Ok(None) };
        let version = found.default_version_id().unwrap_or("");
        let call = self.client.get_policy_version().policy_arn(&arn).version_id(version);
        let version = match call.send().await.map_err(Refusal::of) {
            Err(refusal) if refusal.is_gone() => return Ok(None),
            version => version?,
        };
        let text = version.policy_version().and_then(PolicyVersion::document).unwrap_or("");
        let members = Policy {
            policy_name: name.to_owned(),
            path: found.path().unwrap_or("/").to_owned(),
            description: found.description().filter(|text| !text.is_empty()).map(str::to_owned),
            policy_document: decoded(text),
            tags: Tag::all(found.tags()),
        };
        let owned = found.policy_name() == Some(name) && self.place.owns(&members.path, &members.tags);
        Ok(Some(Observed { document: document(address, &members)?, owned }))
    }
}

#[async_trait]
impl Kind for Policies {
    async fn list(&self) -> Result<Vec<Observed>, Refusal> {
        let (ours, mut all) = patiently(|| self.listed()).await?;
        all.extend(read_all(self, ours).await?);
        Ok(all)
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, Refusal> {
        self.named(&address.name).await
    }

    async fn create(&self, wanted: &Document) -> Result<(), Refusal> {
        let wanted: Policy = members(wanted)?;
        let tags = wanted.tags.iter().map(Tag::sent).collect::<Result<_, _>>()?;
        let call = self.client.create_policy().policy_name(&wanted.policy_name).path(&wanted.path);
        let call = call.policy_document(encoded(&wanted.policy_document)?);
        let call = call.set_description(wanted.description).set_tags(Some(tags));
        call.send().await.map_err(Refusal::of).map(drop)
    }

    async fn adoption(&self, wanted: &Document, id: &str) -> Result<Adoption, Refusal> {
        let asked: Policy = members(wanted)?;
        let mut pages =
            self.client.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
        let mut called = None;
        while let (None, Some(policy)) = (&called, pages.next().await) {
            let policy = policy.map_err(Refusal::of)?;
            let names = [policy.arn(), policy.policy_name(), policy.policy_id()];
            called = names.contains(&Some(id)).then_some(policy);
        }
        let expected = (asked.path.as_str(), asked.policy_name.as_str());
        let Some(found) = called else { return Ok(absent(expected)) };
        let arn = found.arn().unwrap_or_default();
        let mut tags = self.client.list_policy_tags().policy_arn(arn).into_paginator().items().send();
        let mut all = BTreeMap::new();
        while let Some(tag) = tags.next().await {
            let tag = tag.map_err(Refusal::of)?;
            all.insert(tag.key().to_owned(), tag.value().to_owned());
        }
        let tags = all.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let own = (found.path().unwrap_or("/"), found.policy_name().unwrap_or_default());
        if let Some(no) = self.place.refused(own, expected, tags) {
            return Ok(Adoption::No(no));
        }
        let Some(observed) = self.named(&asked.policy_name).await? else { return Ok(absent(expected)) };
        let members: Policy = members(&observed.document)?;
        if members.description != asked.description {
            let told = |text: &Option<String>| {
                text.as_ref().map_or_else(
                    || "without a description".to_owned(),
                    |text| format!("described as `{text}`"),
                )
            };
            return Ok(Adoption::No(NotAdopted::Other {
                found: format!("`{arn}` {}", told(&members.description)),
                expected: format!("one {}", told(&asked.description)),
                why: "IAM changes no description of a policy; make one anew and attach that".to_owned(),
            }));
        }
        let marked = Policy { tags: self.place.marked(&members.tags), ..members.clone() };
        self.place.free((arn, wanted), (&members, &marked), &members.tags)
    }

    async fn mark(&self, found: &Document) -> Result<(), Refusal> {
        let call = self.client.tag_policy().policy_arn(self.place.policy_arn(&found.address.name));
        call.set_tags(Some(self.place.mark_sent()?)).send().await.map_err(Refusal::of).map(drop)
    }

    /// A policy is made by one call, so none is ever half made.
    fn is_begun(&self, _found: &Document, _wanted: &Document) -> bool {
        false
    }

    async fn change(&self, found: &Document, wanted: &Document) -> Result<(), Refusal> {
        let (found, wanted): (Policy, Policy) = (members(found)?, members(wanted)?);
        if (&found.path, &found.description) != (&wanted.path, &wanted.description) {
            return Err(Refusal::unreadable("IAM changes neither the path nor the description of a policy"));
        }
        let arn = self.place.policy_arn(&wanted.policy_name);
        if found.policy_document != wanted.policy_document {
            self.write(&arn, &wanted.policy_document).await?;
        }
        let (set, gone) = retagged(&found.tags, &wanted.tags)?;
        if !set.is_empty() {
            let call = self.client.tag_policy().policy_arn(&arn).set_tags(Some(set));
            call.send().await.map_err(Refusal::of)?;
        }
        if !gone.is_empty() {
            let call = self.client.untag_policy().policy_arn(&arn).set_tag_keys(Some(gone));
            call.send().await.map_err(Refusal::of)?;
        }
        Ok(())
    }

    async fn remove(&self, found: &Document) -> Result<(), Refusal> {
        let arn = self.place.policy_arn(&found.address.name);
        for version in self.versions(&arn).await?.iter().filter(|version| !version.is_default_version()) {
            self.forget(&arn, version).await?;
        }
        self.client.delete_policy().policy_arn(&arn).send().await.map_err(Refusal::of).map(drop)
    }
}
