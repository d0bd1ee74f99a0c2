//! `Route`: which requests go to which models.

use super::connector::ConnectorSpec;
use super::data_class::DataClassSpec;
use super::data_store::DataStoreSpec;
use super::gateway::GatewaySpec;
use super::macros::{choice, record, words};
use super::model::{ModelSpec, Tier};
use super::reference::Ref;
use super::tenant::TenantSpec;
use super::value::{Count, Duration, Money, Name, OrNone, Percent, Text, Texts, Tokens};
use crate::source::Spanned;

record! {
    /// Which requests a route is for.
    pub struct RouteMatch {
        /// Tenants.
        tenants: Vec<Ref<TenantSpec>>,
        /// A task that callers name.
        task: Option<Spanned<Name>>,
        /// Headers with their values.
        headers: Texts<Text>,
    }
}

words! {
    /// How bad a failure would be.
    pub enum Criticality {
        /// Not.
        Low = "low",
        /// Somewhat.
        Normal = "normal",
        /// Very: needs a fallback in another failure domain.
        High = "high",
    }
}

record! {
    /// What ends a canary.
    pub struct CanaryAbort {
        /// Share of failed requests.
        error_rate: Option<Spanned<Percent>>,
        /// Latency at the 99th percentile.
        p99: Option<Spanned<Duration>>,
        /// Cost of a request.
        cost_per_request: Option<Spanned<Money>>,
    }
}

record! {
    /// A new model on trial.
    pub struct Canary {
        /// What ends the trial.
        abort: CanaryAbort,
    }
}

record! {
    /// A model that takes a share of the requests.
    pub struct Primary {
        /// The model.
        model: Ref<ModelSpec>,
        /// Its share in percent.
        weight: Option<Spanned<Count>>,
        /// Set while it is on trial.
        canary: Option<Canary>,
    }
}

words! {
    /// What went wrong with an attempt.
    pub enum Trigger {
        /// The provider asks to slow down.
        Throttled = "throttled",
        /// The provider fails.
        Unavailable = "unavailable",
        /// No answer in time.
        Timeout = "timeout",
        /// The request does not fit into the context.
        ContextOverflow = "context-overflow",
        /// The content was refused.
        ContentRefused = "content-refused",
    }
}

choice! {
    /// Where a request goes next.
    pub enum FallbackTarget {
        /// To a model.
        Model(Ref<ModelSpec>) = model,
        /// To another route.
        Route(Ref<RouteSpec>) = route,
    }
}

record! {
    /// What is tried when the primary fails.
    pub struct Fallback {
        /// What must have gone wrong.
        on: Vec<Spanned<Trigger>>,
    }
    flatten {
        /// Where the request goes.
        target: FallbackTarget
    }
}

words! {
    /// What is done with input that is too long.
    pub enum Truncation {
        /// It is refused.
        Refuse = "refuse",
        /// The oldest messages are dropped.
        OldestFirst = "oldest-first",
    }
}

record! {
    /// How long a request and an answer may be.
    pub struct Caps {
        /// Tokens in.
        input: Option<Spanned<Tokens>>,
        /// Tokens out.
        output: Option<Spanned<Tokens>>,
        /// What is done with input that is too long.
        truncate: Option<Spanned<Truncation>>,
    }
}

record! {
    /// How long may be waited.
    pub struct Timeouts {
        /// For one attempt.
        attempt: Option<Spanned<Duration>>,
        /// For everything.
        total: Option<Spanned<Duration>>,
    }
}

record! {
    /// How long to wait between attempts.
    pub struct Backoff {
        /// At first.
        base: Spanned<Duration>,
        /// At most.
        max: Spanned<Duration>,
    }
}

record! {
    /// Attempts on the same model.
    pub struct Retry {
        /// How many, the first included.
        attempts: Spanned<Count>,
        /// Share of requests that may be retries.
        budget: Option<Spanned<Percent>>,
        /// What must have gone wrong.
        on: Vec<Spanned<Trigger>>,
        /// How long to wait between them.
        backoff: Option<Backoff>,
    }
}

record! {
    /// What callers and SDKs do around the gateway.
    pub struct ClientRetry {
        /// How many attempts.
        attempts: Spanned<Count>,
        /// How long they wait.
        timeout: Option<Spanned<Duration>>,
    }
}

record! {
    /// When a model is left alone for a while.
    pub struct CircuitBreaker {
        /// After so many failures in a row.
        consecutive_failures: Spanned<Count>,
        /// For so long.
        cool_down: Spanned<Duration>,
    }
}

words! {
    /// What is done with a long context.
    pub enum Compression {
        /// Nothing.
        None = "none",
        /// It is summarised.
        Summarise = "summarise",
        /// It is rewritten.
        Rewrite = "rewrite",
    }
}

record! {
    /// What is done to the context.
    pub struct ContextRule {
        /// With a long one.
        compress: Option<Spanned<Compression>>,
        /// What is added to it.
        retrieval: Option<OrNone<Ref<ConnectorSpec>>>,
    }
}

record! {
    /// Requests that are sent together.
    pub struct Batch {
        /// How many at most.
        max_size: Spanned<Count>,
    }
}

record! {
    /// Which requests go to which models.
    pub struct RouteSpec {
        /// The gateway that serves it.
        gateway: Ref<GatewaySpec>,
        /// Which requests it is for.
        r#match: RouteMatch,
        /// The highest class of data in its requests.
        data_class: Ref<DataClassSpec>,
        /// How bad a failure would be.
        criticality: Option<Spanned<Criticality>>,
        /// The tier below which a fallback must be visible to the caller.
        quality_floor: Option<Spanned<Tier>>,
        /// Models that share the requests.
        primary: Vec<Primary>,
        /// What is tried in order when they fail.
        fallback: Vec<Fallback>,
        /// How long a request and an answer may be.
        caps: Option<Caps>,
        /// How long may be waited.
        timeout: Option<Timeouts>,
        /// Attempts on the same model.
        retry: Option<Retry>,
        /// What callers do around the gateway.
        client_retry: Option<ClientRetry>,
        /// When a model is left alone.
        circuit_breaker: Option<CircuitBreaker>,
        /// What is done to the context.
        context: Option<ContextRule>,
        /// Requests that are sent together.
        batch: Option<Batch>,
        /// Where answers are kept for reuse.
        cache: Option<OrNone<Ref<DataStoreSpec>>>,
    }
}
