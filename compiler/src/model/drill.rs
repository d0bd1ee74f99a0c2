//! `Drill`: a failure to simulate, and what must still hold.

use super::gateway::GatewaySpec;
use super::macros::{choice, record, words};
use super::model::ModelSpec;
use super::reference::Ref;
use super::value::{Change, Comparison, Duration, Money, Percent, Region, Text};
use crate::source::Spanned;

choice! {
    /// What fails.
    pub enum FailureKind {
        /// A region.
        Region(Spanned<Region>) = region,
        /// A model.
        Model(Ref<ModelSpec>) = model,
        /// An inference profile, by id.
        Profile(Spanned<Text>) = profile,
        /// A gateway.
        Gateway(Ref<GatewaySpec>) = gateway,
        /// A share of requests is refused.
        Throttle(Spanned<Percent>) = throttle,
        /// Prices change.
        Price(Spanned<Change>) = price,
    }
}

record! {
    /// One failure.
    pub struct Failure {
        /// For how long.
        for_: Option<Spanned<Duration>>,
    }
    flatten {
        /// What fails.
        kind: FailureKind
    }
}

words! {
    /// Whether something holds.
    pub enum Held {
        /// It does.
        Held = "held",
    }
}

record! {
    /// An alarm that must be raised.
    pub struct ExpectedAlert {
        /// Its name.
        name: Spanned<Text>,
        /// In which time.
        within: Spanned<Duration>,
    }
}

record! {
    /// What must still hold.
    pub struct Assertions {
        /// Share of requests that are answered.
        served: Option<Spanned<Comparison<Percent>>>,
        /// Latency at the 99th percentile.
        p99: Option<Spanned<Comparison<Duration>>>,
        /// Residency.
        residency: Option<Spanned<Held>>,
        /// Money that is spent.
        spend: Option<Spanned<Comparison<Money>>>,
        /// Alarms that must be raised.
        alerts: Vec<ExpectedAlert>,
    }
}

record! {
    /// A failure to simulate, and what must still hold.
    pub struct DrillSpec {
        /// How often it is rehearsed.
        every: Option<Spanned<Duration>>,
        /// What fails.
        fail: Vec<Failure>,
        /// What must still hold.
        assert: Assertions,
    }
}
