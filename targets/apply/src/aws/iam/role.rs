//! Roles, with the policies that are attached to them.

use std::sync::Arc;

use aipolicy_targets::Tree;
use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::Observed;
use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role as SdkRole;
use serde::{Deserialize, Serialize};

use super::{
    Named, Tag, absent, address, decoded, document, encoded, foreign, last, members, read_all, retagged,
};
use crate::adoption::Adoption;
use crate::aws::error::Refusal;
use crate::aws::looking::patiently;
use crate::aws::{AwsPlace, Kind};

/// A role as documents write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Role {
    role_name: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    assume_role_policy_document: Tree,
    max_session_duration: i32,
    attached_managed_policies: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<String>,
    /// Policies in the role itself. We write none, so one that is found was put there by somebody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    role_policy_list: Vec<Inline>,
    tags: Vec<Tag>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Inline {
    policy_name: String,
    policy_document: Tree,
}

/// The roles of an account.
#[derive(Clone)]
pub(super) struct Roles {
    pub(super) client: Client,
    pub(super) place: Arc<AwsPlace>,
}

impl Roles {
    /// The names of those below our path, and those of others under names that we could give.
    async fn listed(&self) -> Result<(Vec<String>, Vec<Observed>), Refusal> {
        let (mut ours, mut all) = (Vec::new(), Vec::new());
        let mut pages = self.client.list_roles().into_paginator().items().send();
        while let Some(role) = pages.next().await {
            let role = role.map_err(Refusal::of)?;
            if role.path() == self.place.mark().path() {
                ours.push(role.role_name().to_owned());
            } else if self.place.is_near(role.role_name()) {
                all.extend(foreign("Role", (role.role_name(), role.path()))?);
            }
        }
        Ok((ours, all))
    }

    async fn shown(&self, name: &str) -> Result<Option<SdkRole>, Refusal> {
        match self.client.get_role().role_name(name).send().await.map_err(Refusal::of) {
            Err(refusal) if refusal.is_gone() => Ok(None),
            found => Ok(found?.role),
        }
    }

    async fn members(&self, found: &SdkRole) -> Result<Role, Refusal> {
        let name = found.role_name();
        Ok(Role {
            role_name: name.to_owned(),
            path: found.path().to_owned(),
            description: found.description().filter(|text| !text.is_empty()).map(str::to_owned),
            assume_role_policy_document: decoded(found.assume_role_policy_document().unwrap_or("")),
            // An hour is what IAM has where nothing is said (API reference, `CreateRole`).
            max_session_duration: found.max_session_duration().unwrap_or(3600),
            attached_managed_policies: self.attached(name).await?,
            permissions_boundary: found
                .permissions_boundary()
                .and_then(|boundary| boundary.permissions_boundary_arn())
                .map(str::to_owned),
            role_policy_list: self.inline(name).await?,
            tags: Tag::all(found.tags()),
        })
    }

    async fn attached(&self, role: &str) -> Result<Vec<String>, Refusal> {
        let mut pages =
            self.client.list_attached_role_policies().role_name(role).into_paginator().items().send();
        let mut arns = Vec::new();
        while let Some(policy) = pages.next().await {
            arns.extend(policy.map_err(Refusal::of)?.policy_arn().map(str::to_owned));
        }
        arns.sort();
        Ok(arns)
    }

    async fn inline(&self, role: &str) -> Result<Vec<Inline>, Refusal> {
        let mut pages = self.client.list_role_policies().role_name(role).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(name) = pages.next().await {
            let name = name.map_err(Refusal::of)?;
            let found = self.client.get_role_policy().role_name(role).policy_name(&name).send().await;
            let policy_document = decoded(found.map_err(Refusal::of)?.policy_document());
            all.push(Inline { policy_name: name, policy_document });
        }
        Ok(all)
    }

    /// What is taken away goes first, and a boundary is there before anything is attached, so that at no instant a role may
    /// do what neither of the two documents lets it.
    async fn alter(&self, found: &Role, wanted: &Role) -> Result<(), Refusal> {
        let name = wanted.role_name.as_str();
        for inline in found.role_policy_list.iter().filter(|inline| !wanted.role_policy_list.contains(inline))
        {
            let call = self.client.delete_role_policy().role_name(name).policy_name(&inline.policy_name);
            call.send().await.map_err(Refusal::of)?;
        }
        for arn in &found.attached_managed_policies {
            if !wanted.attached_managed_policies.contains(arn) {
                let call = self.client.detach_role_policy().role_name(name).policy_arn(arn);
                call.send().await.map_err(Refusal::of)?;
            }
        }
        self.bound(found, wanted).await?;
        if found.assume_role_policy_document != wanted.assume_role_policy_document {
            let policy = encoded(&wanted.assume_role_policy_document)?;
            let call = self.client.update_assume_role_policy().role_name(name).policy_document(policy);
            call.send().await.map_err(Refusal::of)?;
        }
        self.describe(found, wanted).await?;
        for arn in &wanted.attached_managed_policies {
            if !found.attached_managed_policies.contains(arn) {
                let call = self.client.attach_role_policy().role_name(name).policy_arn(arn);
                call.send().await.map_err(Refusal::of)?;
            }
        }
        Ok(())
    }

    async fn bound(&self, found: &Role, wanted: &Role) -> Result<(), Refusal> {
        if found.permissions_boundary == wanted.permissions_boundary {
            return Ok(());
        }
        let name = wanted.role_name.as_str();
        match &wanted.permissions_boundary {
            Some(arn) => {
                let call =
                    self.client.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
                call.send().await.map_err(Refusal::of).map(drop)
            }
            None => {
                let call = self.client.delete_role_permissions_boundary().role_name(name);
                call.send().await.map_err(Refusal::of).map(drop)
            }
        }
    }

    async fn describe(&self, found: &Role, wanted: &Role) -> Result<(), Refusal> {
        let name = wanted.role_name.as_str();
        let told = |role: &Role| (role.max_session_duration, role.description.clone());
        if told(found) != told(wanted) {
            let call = self.client.update_role().role_name(name);
            let call = call.max_session_duration(wanted.max_session_duration);
            let call = call.description(wanted.description.clone().unwrap_or_default());
            call.send().await.map_err(Refusal::of)?;
        }
        let (set, gone) = retagged(&found.tags, &wanted.tags)?;
        if !set.is_empty() {
            let call = self.client.tag_role().role_name(name).set_tags(Some(set));
            call.send().await.map_err(Refusal::of)?;
        }
        if !gone.is_empty() {
            let call = self.client.untag_role().role_name(name).set_tag_keys(Some(gone));
            call.send().await.map_err(Refusal::of)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Named for Roles {
    async fn named(&self, name: &str) -> Result<Option<Observed>, Refusal> {
        let Some(found) = self.shown(name).await? else { return Ok(None) };
        let Some(address) = address("Role", found.role_name()) else { return Ok(None) };
        let members = match self.members(&found).await {
            Err(refusal) if refusal.is_gone() => return Ok(None),
            members => members?,
        };
        let owned = found.role_name() == name && self.place.owns(&members.path, &members.tags);
        Ok(Some(Observed { document: document(address, &members)?, owned }))
    }
}

#[async_trait]
impl Kind for Roles {
    async fn list(&self) -> Result<Vec<Observed>, Refusal> {
        let (ours, mut all) = patiently(|| self.listed()).await?;
        all.extend(read_all(self, ours).await?);
        Ok(all)
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, Refusal> {
        self.named(&address.name).await
    }

    async fn create(&self, wanted: &Document) -> Result<(), Refusal> {
        let wanted: Role = members(wanted)?;
        let call = self.client.create_role().role_name(&wanted.role_name).path(&wanted.path);
        let call = call.assume_role_policy_document(encoded(&wanted.assume_role_policy_document)?);
        let call = call.max_session_duration(wanted.max_session_duration);
        let call = call.set_description(wanted.description.clone());
        let call = call.set_permissions_boundary(wanted.permissions_boundary.clone());
        let tags = wanted.tags.iter().map(Tag::sent).collect::<Result<_, _>>()?;
        call.set_tags(Some(tags)).send().await.map_err(Refusal::of)?;
        let bare = Role { attached_managed_policies: Vec::new(), ..wanted.clone() };
        self.alter(&bare, &wanted).await
    }

    async fn adoption(&self, wanted: &Document, id: &str) -> Result<Adoption, Refusal> {
        let asked: Role = members(wanted)?;
        let mut found = self.shown(last(id)).await?.filter(|found| last(id) == id || found.arn() == id);
        if found.is_none() {
            found = self.shown(&asked.role_name).await?.filter(|found| found.role_id() == id);
        }
        let Some(found) = found else { return Ok(absent((&asked.path, &asked.role_name))) };
        let own = (found.path(), found.role_name());
        let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
        if let Some(no) = self.place.refused(own, (&asked.path, &asked.role_name), tags) {
            return Ok(Adoption::No(no));
        }
        let members = self.members(&found).await?;
        let mut marked = members.clone();
        marked.tags = self.place.marked(&members.tags);
        self.place.free((found.arn(), wanted), (&members, &marked), &members.tags)
    }

    async fn mark(&self, found: &Document) -> Result<(), Refusal> {
        let call = self.client.tag_role().role_name(&found.address.name);
        call.set_tags(Some(self.place.mark_sent()?)).send().await.map_err(Refusal::of).map(drop)
    }

    fn is_begun(&self, found: &Document, wanted: &Document) -> bool {
        let (Ok(found), Ok(wanted)) = (members::<Role>(found), members::<Role>(wanted)) else { return false };
        let bare = |role: &Role| Role { attached_managed_policies: Vec::new(), ..role.clone() };
        let fewer =
            found.attached_managed_policies.iter().all(|arn| wanted.attached_managed_policies.contains(arn));
        bare(&found) == bare(&wanted) && fewer
    }

    async fn change(&self, found: &Document, wanted: &Document) -> Result<(), Refusal> {
        self.alter(&members(found)?, &members(wanted)?).await
    }

    async fn remove(&self, found: &Document) -> Result<(), Refusal> {
        let found: Role = members(found)?;
        let name = found.role_name.as_str();
        for inline in &found.role_policy_list {
            let call = self.client.delete_role_policy().role_name(name).policy_name(&inline.policy_name);
            call.send().await.map_err(Refusal::of)?;
        }
        for arn in &found.attached_managed_policies {
            let call = self.client.detach_role_policy().role_name(name).policy_arn(arn);
            call.send().await.map_err(Refusal::of)?;
        }
        self.client.delete_role().role_name(name).send().await.map_err(Refusal::of).map(drop)
    }
}
