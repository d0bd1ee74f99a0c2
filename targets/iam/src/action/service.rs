//! Services and their actions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::key::{ConditionKey, Keys};
use super::resource::ResourceType;
use crate::pattern::Pattern;

/// A service of AWS.
#[derive(Debug, Default)]
pub struct Service {
    /// What its actions begin with, such as `s3`.
    pub prefix: &'static str,
    /// What AWS calls it, such as `Amazon S3`.
    pub name: &'static str,
    pub(super) keys: Keys,
    /// By name in lower case.
    actions: BTreeMap<String, Action>,
    /// By name in lower case.
    resource_types: BTreeMap<String, ResourceType>,
}

/// Something that a service can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The prefix of the service, such as `s3`.
    pub service: &'static str,
    /// The name as AWS writes it, such as `GetObject`.
    pub name: &'static str,
    /// What it does to what.
    pub level: Level,
    /// The types of resources that it is about. Where there is none, only the resource `*` is.
    pub on: Vec<On>,
    pub(super) keys: Vec<&'static str>,
}

/// A type of resources that an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct On {
    /// The name of the type.
    pub resource_type: &'static str,
    /// Whether every request names one. Where several types are required, they may be alternatives: the reference does
    /// not tell (`bedrock:InvokeModel` requires twelve, and is about one of them).
    pub required: bool,
}

/// The access level of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Level {
    /// Tells which resources there are.
    List,
    /// Tells what a resource holds.
    Read,
    /// Changes tags.
    Tagging,
    /// Creates, changes or deletes.
    Write,
    /// Changes who may do what.
    #[serde(rename = "Permissions management")]
    PermissionsManagement,
}

impl Service {
    /// The action of this name, without the prefix. Case makes no difference.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(&name.to_ascii_lowercase())
    }

    /// Every action, by name.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    /// The actions that a pattern without the prefix stands for.
    #[must_use]
    pub fn actions_matching(&self, pattern: &str) -> Vec<&Action> {
        let pattern = pattern.to_ascii_lowercase();
        let plain = pattern.split(['*', '?']).next().unwrap_or_default().to_owned();
        let wanted = Pattern::action(&pattern);
        let near = self.actions.range(plain.clone()..).take_while(|(name, _)| name.starts_with(&plain));
        near.filter(|(name, _)| wanted.matches(name, |_| None)).map(|(_, action)| action).collect()
    }

    /// The type of resources of this name. Case makes no difference.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types.get(&name.to_ascii_lowercase())
    }

    /// Every type of resources, by name.
    pub fn resource_types(&self) -> impl Iterator<Item = &ResourceType> {
        self.resource_types.values()
    }

    /// The condition key of the service that this name is one of. Case makes no difference.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&ConditionKey> {
        self.keys.find(name)
    }

    /// Every condition key of the service.
    pub fn keys(&self) -> impl Iterator<Item = &ConditionKey> {
        self.keys.iter()
    }

    pub(super) fn add_resource_type(&mut self, kind: ResourceType) {
        match self.resource_types.get_mut(&kind.name.to_ascii_lowercase()) {
            Some(known) => {
                known.formats.extend(kind.formats);
                known.keys.extend(kind.keys);
            }
            None => {
                self.resource_types.insert(kind.name.to_ascii_lowercase(), kind);
            }
        }
    }

    pub(super) fn add_action(&mut self, action: Action) {
        match self.actions.get_mut(&action.name.to_ascii_lowercase()) {
            Some(known) => {
                known.on.extend(action.on);
                known.keys.extend(action.keys);
            }
            None => {
                self.actions.insert(action.name.to_ascii_lowercase(), action);
            }
        }
    }

    /// Tells every type of resources which longer formats there are beside its own.
    pub(super) fn settle(&mut self) {
        let formats: Vec<&'static str> =
            self.resource_types.values().flat_map(|kind| kind.formats.iter().copied()).collect();
        for kind in self.resource_types.values_mut() {
            kind.separate_from(&formats);
        }
    }
}

impl Action {
    /// The types of resources that it is about.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static ResourceType> {
        let service = super::service(self.service);
        let kind = move |on: &On| service?.resource_type(on.resource_type);
        self.on.iter().filter_map(kind)
    }

    /// The condition keys that the service answers for it, those of its types of resources included; not those of every
    /// service ([`super::global_keys`]).
    pub fn keys(&self) -> impl Iterator<Item = &'static ConditionKey> {
        let service = super::service(self.service);
        let names =
            self.keys.iter().copied().chain(self.resource_types().flat_map(|kind| kind.keys.iter().copied()));
        names.filter_map(move |name| service?.keys.named(name))
    }

    /// The condition key of the action, or of every service, that this name is one of.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static ConditionKey> {
        self.key_of_service(name).or_else(|| super::global_key(name))
    }

    /// The condition key that the service answers for the action, and that this name is one of.
    #[must_use]
    pub fn key_of_service(&self, name: &str) -> Option<&'static ConditionKey> {
        self.keys().find(|key| key.is(name))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

impl On {
    /// As the catalog writes it: a name, with `*` where it is required.
    pub(super) fn read(text: &'static str) -> Self {
        let name = text.strip_suffix('*');
        Self { resource_type: name.unwrap_or(text), required: name.is_some() }
    }
}
