//! What AWS Budgets needs to stop calls: a policy for each budget that denies them, and a role that may attach these
//! policies to those whom they stop, and nothing else.

use std::collections::BTreeMap;

use aipolicy_iam::{Piece, limits};

use super::condition::Condition;
use super::policy::Allow;
use super::statement::Statement;
use super::{Writer, model, policy};
use crate::account::Account;
use crate::artifact::Artifact;
use crate::billing::{self, Stop};
use crate::origin::Origin;

const ATTACH: &[&str] = &["iam:AttachRolePolicy", "iam:DetachRolePolicy"];

/// How many policies of budgets each role needs room for.
pub(super) fn room(stops: &[Stop<'_>]) -> BTreeMap<String, usize> {
    let mut room = BTreeMap::new();
    for role in stops.iter().flat_map(|stop| &stop.roles) {
        *room.entry(role.clone()).or_default() += 1;
    }
    room
}

impl Writer<'_> {
    /// The policies that budgets attach, and the role that attaches them.
    pub(super) fn stops(&mut self, stops: &[Stop<'_>]) -> Vec<Artifact> {
        let Some(first) = stops.first() else { return Vec::new() };
        let span = first.grant.decision.request.span;
        let pieces = [Piece::Literal("budget/"), Piece::AnyRun];
        let Some(source) = self.pattern("budgets", ("", self.account.id()), (&pieces, span)) else {
            return Vec::new();
        };
        let trust = self.service("budgets.amazonaws.com", vec![source], Origin::granted(first.grant));
        let allows: Vec<_> = stops.iter().map(|stop| allow(self.account, stop)).collect();
        let role = self.documents(billing::ROLE, (&trust, &allows), &Origin::granted(first.grant));
        stops.iter().map(|stop| denial(self.account, stop)).chain(role).collect()
    }
}

fn allow(account: &Account<'_>, stop: &Stop<'_>) -> Allow {
    let (origin, limit) = (Origin::granted(stop.grant), Origin::written(stop.budget.spec.limit.span));
    let policy = account.arn("iam", "", &format!("policy{}{}", account.path(), account.stop(stop.budget)));
    let condition = Condition::new("ArnEquals", "iam:PolicyARN", policy, limit.clone());
    Allow {
        sid: format!("Stop for {}", stop.budget.name()),
        about: stop.budget.name().to_string(),
        actions: ATTACH,
        resources: stop.roles.iter().map(|role| (account.role_arn(role), limit.clone())).collect(),
        conditions: vec![condition],
        origin,
    }
}

/// A policy that denies every call of a model.
fn denial(account: &Account<'_>, stop: &Stop<'_>) -> Artifact {
    let name = account.stop(stop.budget);
    let actions = [model::INVOKE, model::INVOKE_MANTLE].concat();
    let origin = Origin::granted(stop.grant);
    let everything = vec![("*".to_owned(), origin.clone())];
    let statement = Statement::denial("Stop", &actions, everything, origin.clone());
    policy::named(account, name, &[statement], &origin)
}

/// How many managed policies a role may have of its own, so that every budget finds room.
pub(super) fn own(room: &BTreeMap<String, usize>, role: &str) -> usize {
    limits::MANAGED_POLICIES_PER_ROLE.saturating_sub(room.get(role).copied().unwrap_or_default())
}
