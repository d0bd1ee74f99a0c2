//! Which residency rules hold for a class of data and a tenant, as one answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use super::Graph;
use crate::model::Id;
use crate::model::data_class::DataClassSpec;
use crate::model::residency_rule::{
    AllowedPlaces, CrossRegion, Permission, ResidencyRuleSpec, RetentionLimits, StorageRule,
};
use crate::model::tenant::TenantSpec;
use crate::model::value::Duration;
use crate::source::Spanned;

/// What all rules that apply allow together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency {
    /// The rules.
    pub rules: Vec<Id<ResidencyRuleSpec>>,
    /// Regions that every rule allows.
    pub regions: BTreeSet<String>,
    /// The strictest word on inference across regions.
    pub cross_region: CrossRegion,
    /// Whether every rule lets a model provider keep content.
    pub provider_retention: bool,
    /// Whether a rule demands a key of the customer.
    pub customer_managed_key: bool,
    /// How long content may be kept.
    pub retention: Retention,
    /// How long content has to be kept.
    pub retention_at_least: Retention,
}

/// A number of days for which content is kept, by what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    prompts: Option<u64>,
    completions: Option<u64>,
    traces: Option<u64>,
    memory: Option<u64>,
    logs: Option<u64>,
}

impl Retention {
    /// For how long content may be in a place at most, where these are the longest times.
    pub fn at_most(&self, place: &str) -> Option<u64> {
        self.of(place).into_iter().flatten().min()
    }

    /// For how long content has to be in a place, where these are the shortest times. A cache is no record: what is in it
    /// may go at any time.
    pub fn at_least(&self, place: &str) -> Option<u64> {
        self.of(place).into_iter().flatten().max().filter(|_| place != "cache")
    }

    /// What is said of all that is in a place, as `storeData` names it. The log of invocations has prompts and
    /// completions, and is a log.
    fn of(&self, place: &str) -> [Option<u64>; 3] {
        let Self { prompts, completions, traces, memory, logs } = *self;
        match place {
            "invocations" => [prompts, completions, logs],
            "cache" => [prompts, completions, None],
            "traces" => [traces, None, None],
            "memory" => [memory, None, None],
            "audit" => [logs, None, None],
            _ => [None; 3],
        }
    }

    /// One of two numbers of days for each, where both say something.
    fn with(self, other: Self, chosen: fn(u64, u64) -> u64) -> Self {
        let both = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).reduce(chosen);
        Self {
            prompts: both(self.prompts, other.prompts),
            completions: both(self.completions, other.completions),
            traces: both(self.traces, other.traces),
            memory: both(self.memory, other.memory),
            logs: both(self.logs, other.logs),
        }
    }
}

impl From<&RetentionLimits> for Retention {
    fn from(limits: &RetentionLimits) -> Self {
        let days = |limit: &Option<Spanned<Duration>>| limit.as_ref().map(|limit| limit.value.days());
        Self {
            prompts: days(&limits.prompts),
            completions: days(&limits.completions),
            traces: days(&limits.traces),
            memory: days(&limits.memory),
            logs: days(&limits.logs),
        }
    }
}

/// What is allowed together by the rules that some class and tenant have in common, once it was asked for.
pub(super) type Residencies = RwLock<BTreeMap<Vec<Id<ResidencyRuleSpec>>, Arc<Residency>>>;

/// The rank of a class.
pub fn class_rank(graph: &Graph, class: Id<DataClassSpec>) -> u32 {
    graph.resource(class).map_or(0, |class| class.spec.rank.value.0)
}

impl Graph {
    /// The residency of data of this class that belongs to these tenants; nothing when no rule applies.
    /// A rule about a class holds for every class that is as sensitive or more.
    pub fn residency(
        &self,
        class: Id<DataClassSpec>,
        tenant: Option<Id<TenantSpec>>,
    ) -> Option<Arc<Residency>> {
        let applies = |rule: &ResidencyRuleSpec| self.applies(rule, class, tenant);
        let rules: Vec<_> = self.each().filter(|(_, rule)| applies(&rule.spec)).map(|(id, _)| id).collect();
        if let Some(found) = self.residencies.read().ok().and_then(|known| known.get(&rules).cloned()) {
            return Some(found);
        }
        let found = Arc::new(self.together(&rules)?);
        if let Ok(mut known) = self.residencies.write() {
            known.insert(rules, Arc::clone(&found));
        }
        Some(found)
    }

    /// What several rules allow together; nothing when there are none.
    pub(crate) fn together(&self, ids: &[Id<ResidencyRuleSpec>]) -> Option<Residency> {
        let rules: Vec<_> = ids.iter().filter_map(|id| Some((*id, self.resource(*id)?))).collect();
        let mut places = rules.iter().map(|(_, rule)| self.allowed(&rule.spec));
        let mut regions = places.next()?;
        for place in places {
            regions = regions.intersection(&place).cloned().collect();
        }
        Some(Residency {
            regions,
            cross_region: rules.iter().map(|(_, rule)| cross_region(&rule.spec)).min()?,
            provider_retention: rules.iter().all(|(_, rule)| may_retain(&rule.spec)),
            customer_managed_key: rules.iter().any(|(_, rule)| wants_customer_key(&rule.spec)),
            retention: rules
                .iter()
                .map(|(_, rule)| retention(&rule.spec, |storage| storage.retention.as_ref()))
                .fold(Retention::default(), |all, one| all.with(one, u64::min)),
            retention_at_least: rules
                .iter()
                .map(|(_, rule)| retention(&rule.spec, |storage| storage.retention_at_least.as_ref()))
                .fold(Retention::default(), |all, one| all.with(one, u64::max)),
            rules: rules.into_iter().map(|(id, _)| id).collect(),
        })
    }

    fn applies(
        &self,
        rule: &ResidencyRuleSpec,
        class: Id<DataClassSpec>,
        tenant: Option<Id<TenantSpec>>,
    ) -> bool {
        let rank = class_rank(self, class);
        let classes = &rule.applies_to.data_classes;
        let tenants = &rule.applies_to.tenants;
        let class_applies = classes.iter().filter_map(super::Ref::id).any(|id| class_rank(self, id) <= rank);
        let tenant_applies = tenants.iter().filter_map(super::Ref::id).any(|id| Some(id) == tenant);
        (classes.is_empty() || class_applies) && (tenants.is_empty() || tenant_applies)
    }

    fn allowed(&self, rule: &ResidencyRuleSpec) -> BTreeSet<String> {
        match &rule.allow.value {
            AllowedPlaces::Regions(regions) => {
                regions.iter().map(|region| region.value.to_string()).collect()
            }
            AllowedPlaces::Jurisdictions(wanted) => {
                let inside =
                    |found: &BTreeSet<String>| wanted.iter().any(|one| found.contains(one.value.as_str()));
                let regions = self.catalog().regions().filter(|region| inside(&region.jurisdictions));
                regions.map(|region| region.id.clone()).collect()
            }
        }
    }
}

fn cross_region(rule: &ResidencyRuleSpec) -> CrossRegion {
    rule.inference.as_ref().map_or(CrossRegion::Within, |inference| inference.cross_region.value)
}

fn may_retain(rule: &ResidencyRuleSpec) -> bool {
    rule.provider_retention.as_ref().is_none_or(|word| word.value == Permission::Allowed)
}

fn wants_customer_key(rule: &ResidencyRuleSpec) -> bool {
    use crate::model::residency_rule::EncryptionRule::CustomerManagedKey;
    let encryption = rule.storage.as_ref().and_then(|storage| storage.encryption.as_ref());
    encryption.is_some_and(|word| word.value == CustomerManagedKey)
}

fn retention(
    rule: &ResidencyRuleSpec,
    written: impl Fn(&StorageRule) -> Option<&RetentionLimits>,
) -> Retention {
    rule.storage.as_ref().and_then(written).map(Retention::from).unwrap_or_default()
}
