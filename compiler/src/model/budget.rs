//! `Budget`: a limit in money or tokens over a calendar period.

use super::agent::AgentSpec;
use super::environment::EnvironmentSpec;
use super::macros::{choice, record, tagged, words};
use super::model::Tier;
use super::reference::Ref;
use super::tenant::TenantSpec;
use super::value::{BudgetLimit, Money, Percent, Text, TimeZone};
use crate::source::Spanned;

choice! {
    /// What a budget is for.
    pub enum BudgetScope {
        /// An environment.
        Environment(Ref<EnvironmentSpec>) = environment,
        /// A tenant.
        Tenant(Ref<TenantSpec>) = tenant,
        /// An agent.
        Agent(Ref<AgentSpec>) = agent,
    }
    words {
        /// The whole organisation.
        Organisation = "organisation",
    }
}

words! {
    /// A calendar period.
    pub enum BudgetPeriod {
        /// A day.
        Day = "day",
        /// A week, from Monday.
        Week = "week",
        /// A month.
        Month = "month",
        /// A quarter.
        Quarter = "quarter",
        /// A year.
        Year = "year",
    }
}

record! {
    /// Tell somebody.
    pub struct Notify {
        /// At this share of the limit.
        at: Spanned<Percent>,
        /// Whom.
        to: Vec<Spanned<Text>>,
    }
}

record! {
    /// Send requests to a cheaper tier.
    pub struct Shift {
        /// At this share of the limit.
        at: Spanned<Percent>,
        /// To which tier.
        to: Spanned<Tier>,
    }
}

record! {
    /// Refuse requests.
    pub struct Block {
        /// At this share of the limit.
        at: Spanned<Percent>,
    }
}

tagged! {
    /// What happens at a share of the limit.
    pub enum Threshold by do_ {
        /// Tell somebody.
        Notify(Notify) = "notify",
        /// Send requests to a cheaper tier.
        Shift(Shift) = "shift",
        /// Refuse requests.
        Block(Block) = "block",
    }
}

record! {
    /// A limit over a calendar period.
    pub struct BudgetSpec {
        /// What it is for.
        scope: BudgetScope,
        /// The budget that it is a part of.
        parent: Option<Ref<BudgetSpec>>,
        /// The period.
        period: Spanned<BudgetPeriod>,
        /// Time zone of the period; UTC when left out.
        time_zone: Option<Spanned<TimeZone>>,
        /// The limit.
        limit: Spanned<BudgetLimit>,
        /// Overshoot that is accepted.
        tolerance: Option<Spanned<Money>>,
        /// What happens on the way.
        thresholds: Vec<Threshold>,
    }
}
