//! `TrafficProfile`: expected requests, from which cost and capacity are computed.

use super::macros::record;
use super::model::ModelSpec;
use super::reference::Ref;
use super::route::RouteSpec;
use super::value::{Duration, Growth, Keyed, Percent, Rate, Tokens};
use crate::source::Spanned;

record! {
    /// How many requests.
    pub struct RequestVolume {
        /// On average.
        mean: Spanned<Rate>,
        /// At most.
        peak: Option<Spanned<Rate>>,
        /// Growth.
        growth: Option<Spanned<Growth>>,
    }
}

record! {
    /// A distribution of sizes.
    pub struct TokenSizes {
        /// The median.
        p50: Spanned<Tokens>,
        /// The 99th percentile.
        p99: Option<Spanned<Tokens>>,
    }
}

record! {
    /// How long requests and answers are.
    pub struct TokenVolume {
        /// Requests.
        input: TokenSizes,
        /// Answers.
        output: TokenSizes,
        /// Share of the input that comes from a cache.
        cached: Option<Spanned<Percent>>,
    }
}

record! {
    /// Measured latency.
    pub struct Latency {
        /// The 95th percentile.
        p95: Option<Spanned<Duration>>,
        /// The 99th percentile.
        p99: Option<Spanned<Duration>>,
    }
}

record! {
    /// Expected requests of a route.
    pub struct TrafficProfileSpec {
        /// The route.
        route: Ref<RouteSpec>,
        /// How many requests.
        requests: RequestVolume,
        /// How long they are.
        tokens: TokenVolume,
        /// Measured latency of each model.
        latency: Keyed<Ref<ModelSpec>, Latency>,
    }
}
