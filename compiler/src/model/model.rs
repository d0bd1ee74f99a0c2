//! `Model`: one offering of a model.

use super::data_class::DataClassSpec;
use super::macros::{choice, record, words};
use super::reference::Ref;
use super::residency_rule::Permission;
use super::value::{Arn, Date, Price, Rate, Region, Text, Tokens};
use crate::source::Spanned;

words! {
    /// Who serves a model.
    pub enum ModelProvider {
        /// Bedrock, through `bedrock-runtime`.
        Bedrock = "bedrock",
        /// Bedrock, through the OpenAI-style endpoint.
        BedrockMantle = "bedrock-mantle",
        /// An endpoint that speaks the OpenAI protocol.
        OpenAiCompatible = "openai-compatible",
        /// A workload of one's own.
        SelfHosted = "self-hosted",
    }
}

choice! {
    /// How a model is invoked.
    pub enum Inference {
        /// Through a cross-region inference profile, by its geography: `eu`, `us`, `global`.
        Profile(Spanned<Text>) = profile,
        /// On provisioned throughput.
        Provisioned(Spanned<Arn>) = provisioned,
    }
    words {
        /// In the region of the request.
        OnDemand = "onDemand",
    }
}

words! {
    /// How much a model can do, and costs.
    pub enum Tier {
        /// Cheap.
        Economy = "economy",
        /// In between.
        Standard = "standard",
        /// The best.
        Premium = "premium",
    }
}

words! {
    /// Something that a model can do.
    pub enum Capability {
        /// Call tools.
        Tools = "tools",
        /// See images.
        Vision = "vision",
        /// Stream.
        Streaming = "streaming",
        /// Answer in JSON.
        Json = "json",
        /// Follow a system prompt.
        System = "system",
        /// Make embeddings.
        Embeddings = "embeddings",
    }
}

record! {
    /// How much may be asked.
    pub struct Quota {
        /// Tokens.
        tokens: Option<Spanned<Rate>>,
        /// Requests.
        requests: Option<Spanned<Rate>>,
    }
}

record! {
    /// An agreement with a provider.
    pub struct Agreement {
        /// What kind, for instance `DPA` or `BAA`.
        r#type: Spanned<Text>,
        /// Its last day.
        until: Option<Spanned<Date>>,
    }
}

record! {
    /// What the provider may do with content.
    pub struct Processing {
        /// Classes of data that the provider is approved for.
        approved_classes: Vec<Ref<DataClassSpec>>,
        /// Whether it may train on content.
        training: Option<Spanned<Permission>>,
        /// Whether it may keep content.
        retention: Option<Spanned<Permission>>,
        /// Agreements that are in force.
        agreements: Vec<Agreement>,
    }
}

record! {
    /// How much fits.
    pub struct ModelLimits {
        /// The context window.
        context: Option<Spanned<Tokens>>,
        /// The longest output.
        output: Option<Spanned<Tokens>>,
    }
}

record! {
    /// What tokens cost.
    pub struct Prices {
        /// Of input.
        input: Spanned<Price>,
        /// Of output.
        output: Option<Spanned<Price>>,
        /// Of input read from a cache.
        cache_read: Option<Spanned<Price>>,
        /// Of input written to a cache.
        cache_write: Option<Spanned<Price>>,
    }
}

words! {
    /// Where a model is in its life.
    pub enum LifecycleStatus {
        /// In use.
        Active = "active",
        /// Announced to end.
        Legacy = "legacy",
        /// Ended.
        EndOfLife = "endOfLife",
    }
}

record! {
    /// The life of a model.
    pub struct Lifecycle {
        /// Where it is.
        status: Spanned<LifecycleStatus>,
        /// First day as legacy.
        legacy_from: Option<Spanned<Date>>,
        /// Last day.
        end_of_life: Option<Spanned<Date>>,
        /// What replaces it.
        successor: Option<Ref<ModelSpec>>,
    }
}

record! {
    /// One offering of a model. What the catalog knows may be left out; what is written overrides it.
    pub struct ModelSpec {
        /// Who serves it.
        provider: Spanned<ModelProvider>,
        /// Its id with that provider.
        model_id: Spanned<Text>,
        /// Address of the endpoint, for `openai-compatible` and `self-hosted`.
        endpoint: Option<Spanned<Text>>,
        /// How it is invoked; on demand when left out.
        inference: Option<Spanned<Inference>>,
        /// Regions in which it is called, whoever calls; the region of the caller when left out.
        regions: Vec<Spanned<Region>>,
        /// How much it can do, and costs.
        tier: Option<Spanned<Tier>>,
        /// How much may be asked of it.
        quota: Option<Quota>,
        /// What the provider may do with content.
        processing: Option<Processing>,
        /// How much fits.
        limits: Option<ModelLimits>,
        /// What it can do.
        capabilities: Vec<Spanned<Capability>>,
        /// What it costs.
        price: Option<Prices>,
        /// Its life.
        lifecycle: Option<Lifecycle>,
    }
}
