//! `tenants.json`: what the hook knows of each tenant. Keys are named, never written.

use aipolicy_compiler::model::budget::Threshold;
use aipolicy_compiler::model::value::BudgetLimit;

use crate::gateway::canonical::{METRICS_KEY, key_variable};
use crate::origin::Origin;
use crate::routing::{Route, Table, Tenant, group};
use crate::tree::Tree;

type Entries = Vec<(&'static str, Tree)>;

/// Tenants, the caps of routes, and who reads metrics.
pub(super) fn tree(table: &Table<'_>) -> Tree {
    let metrics = super::metrics(table)
        .map(|origin| ("metrics", Tree::map([("key_env", Tree::text(METRICS_KEY))]).from(origin)));
    let entries = [
        (
            "tenants",
            Tree::map(
                table
                    .tenants
                    .iter()
                    .map(|tenant| (tenant.resource.name().to_string(), self::tenant(table, tenant))),
            ),
        ),
        ("routes", Tree::map(table.routes.iter().map(|route| (route.name.to_owned(), self::route(route))))),
    ];
    Tree::map(entries.into_iter().chain(metrics))
}

fn tenant(table: &Table<'_>, tenant: &Tenant<'_>) -> Tree {
    let routes = tenant.routes.iter().map(|(route, origin)| Tree::text(*route).from(origin.clone()));
    let groups = tenant.routes.iter().flat_map(|(name, origin)| {
        let route = table.routes.iter().find(|route| route.name == *name);
        let steps = route.map_or(0, |route| route.steps.len());
        (0..steps).map(|at| Tree::text(group(name, at)).from(origin.clone()))
    });
    let mut entries: Entries = vec![
        ("key_env", Tree::text(key_variable(tenant.resource.name().as_str()))),
        ("routes", Tree::list(routes)),
        ("groups", Tree::list(groups)),
    ];
    if let Some(quota) = &tenant.resource.spec.quota {
        let limit = |rate: &aipolicy_compiler::source::Spanned<aipolicy_compiler::model::value::Rate>| {
            Tree::integer(rate.value.per_minute()).from(Origin::written(rate.span))
        };
        entries.extend(quota.requests.as_ref().map(|rate| ("rpm_limit", limit(rate))));
        entries.extend(quota.tokens.as_ref().map(|rate| ("tpm_limit", limit(rate))));
    }
    entries.extend(budget(tenant));
    Tree::map(entries).from(tenant.origin.clone())
}

/// A limit in dollars that refuses requests when it is reached.
fn budget(tenant: &Tenant<'_>) -> Option<(&'static str, Tree)> {
    let spec = &tenant.budget?.spec;
    let blocks = spec.thresholds.iter().any(|threshold| matches!(threshold, Threshold::Block(_)));
    match spec.limit.value {
        BudgetLimit::Money(money) if blocks && money.currency == "USD" => {
            Some(("max_budget_micro_usd", Tree::integer(money.micros).from(Origin::written(spec.limit.span))))
        }
        BudgetLimit::Money(_) | BudgetLimit::Tokens(_) => None,
    }
}

fn route(route: &Route<'_>) -> Tree {
    let caps = route.resource.spec.caps.as_ref();
    let named = [
        ("max_input_tokens", caps.and_then(|caps| caps.input.as_ref())),
        ("max_output_tokens", caps.and_then(|caps| caps.output.as_ref())),
    ];
    let cap =
        |(key, cap): (
            &'static str,
            Option<&aipolicy_compiler::source::Spanned<aipolicy_compiler::model::value::Tokens>>,
        )| { cap.map(|cap| (key, Tree::integer(cap.value.count()).from(Origin::written(cap.span)))) };
    Tree::map(named.into_iter().filter_map(cap)).from(route.origin.clone())
}
