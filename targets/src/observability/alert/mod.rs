//! Alerts: what is wrong when, told to whom, and two worlds that show that they fire and that they keep quiet.

pub(super) mod budget;
pub(super) mod canary;
pub(super) mod latency;
pub(super) mod notice;
pub(super) mod route;
pub(super) mod spent;
pub(super) mod tokens;

use super::metric::Recorded;
use super::promql::{Expression, Series};
use crate::origin::Origin;

/// How fast somebody must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Now.
    Page,
    /// On a working day.
    Ticket,
}

impl Urgency {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// One alert on one thing.
pub(super) struct Alert {
    /// The kind of alert, the same for every thing that it watches.
    pub(super) name: &'static str,
    pub(super) urgency: Urgency,
    /// Recorded series that it reads.
    pub(super) reads: Vec<Recorded>,
    pub(super) expression: Expression,
    /// For how many seconds it must hold before it is told.
    pub(super) hold: u64,
    /// What it watches.
    pub(super) labels: Vec<(&'static str, String)>,
    /// The label that is left of the series.
    pub(super) left: Option<(&'static str, String)>,
    pub(super) summary: String,
    /// The line with the limit.
    pub(super) origin: Origin,
    pub(super) proof: Proof,
}

/// What shows that an alert fires, and that it keeps quiet.
pub(super) enum Proof {
    /// Series in which it alone fires, and series in which nothing of its name does.
    Series { loud: Vec<Feed>, quiet: Vec<Feed> },
    /// What is spent of a budget, which others may count too.
    Spent(spent::Spent),
}

/// A counter with one sample a minute.
#[derive(Clone)]
pub(super) struct Feed {
    pub(super) series: Series,
    /// Growth a minute.
    growth: f64,
    /// For how many minutes there are samples.
    pub(super) minutes: u32,
}

impl Feed {
    /// A counter that grows by so much a second.
    pub(super) fn steady(series: Series, each_second: f64, minutes: u32) -> Self {
        Self { series, growth: each_second * 60.0, minutes }
    }

    /// Samples in the notation of promtool.
    pub(super) fn values(&self) -> String {
        format!("0+{}x{}", self.growth, self.minutes)
    }
}

/// Counts as Prometheus has them.
#[expect(
    clippy::cast_precision_loss,
    reason = "limits have far fewer than 53 bits, and Prometheus has no others"
)]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
