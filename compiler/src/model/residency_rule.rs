//! `ResidencyRule`: where classes of data may be processed and stored.

use super::data_class::DataClassSpec;
use super::macros::{choice, record, words};
use super::reference::Ref;
use super::tenant::TenantSpec;
use super::value::{Duration, Jurisdiction, Region};
use crate::source::Spanned;

record! {
    /// What a rule is about; several lists mean all of them together.
    pub struct AppliesTo {
        /// Classes of data; whatever is as sensitive or more is meant too. Every class when left out.
        data_classes: Vec<Ref<DataClassSpec>>,
        /// Tenants; every tenant when left out.
        tenants: Vec<Ref<TenantSpec>>,
    }
}

choice! {
    /// Where data may be.
    pub enum AllowedPlaces {
        /// In every region of these jurisdictions.
        Jurisdictions(Vec<Spanned<Jurisdiction>>) = jurisdictions,
        /// In these regions.
        Regions(Vec<Spanned<Region>>) = regions,
    }
}

words! {
    /// Whether inference may move between regions.
    pub enum CrossRegion {
        /// It stays in the region of the request.
        Never = "never",
        /// It stays within the allowed places.
        Within = "within",
        /// It may go anywhere.
        Any = "any",
    }
}

record! {
    /// How inference may be done.
    pub struct InferenceRule {
        /// Whether it may move between regions.
        cross_region: Spanned<CrossRegion>,
    }
}

words! {
    /// How data at rest is encrypted.
    pub enum EncryptionRule {
        /// With a key of the provider.
        ProviderKey = "provider-key",
        /// With a key of the customer.
        CustomerManagedKey = "customer-managed-key",
    }
}

record! {
    /// Times for which content is kept, by what it is.
    pub struct RetentionLimits {
        /// Of prompts.
        prompts: Option<Spanned<Duration>>,
        /// Of completions.
        completions: Option<Spanned<Duration>>,
        /// Of traces.
        traces: Option<Spanned<Duration>>,
        /// Of agent memory.
        memory: Option<Spanned<Duration>>,
        /// Of logs.
        logs: Option<Spanned<Duration>>,
    }
}

record! {
    /// How data is kept.
    pub struct StorageRule {
        /// How it is encrypted.
        encryption: Option<Spanned<EncryptionRule>>,
        /// How long it is kept at most.
        retention: Option<RetentionLimits>,
        /// How long it is kept at least, for instance because a law says so.
        retention_at_least: Option<RetentionLimits>,
    }
}

words! {
    /// Whether something may be done.
    pub enum Permission {
        /// It may.
        Allowed = "allowed",
        /// It may not.
        Forbidden = "forbidden",
    }
}

record! {
    /// Where data may be processed and stored.
    pub struct ResidencyRuleSpec {
        /// What the rule is about.
        applies_to: AppliesTo,
        /// Where that data may be.
        allow: Spanned<AllowedPlaces>,
        /// How inference may be done.
        inference: Option<InferenceRule>,
        /// How data is kept.
        storage: Option<StorageRule>,
        /// Whether a model provider may keep prompts or completions.
        provider_retention: Option<Spanned<Permission>>,
    }
}
