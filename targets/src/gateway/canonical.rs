//! The canonical routing table: every unit in its name, whole numbers, arrays sorted, absent where nothing was said.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetPeriod, BudgetSpec, Threshold};
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::route::RouteSpec;
use aipolicy_compiler::model::value::{BudgetLimit, Duration, Price, Rate, RateUnit, Tokens};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::routing::{Backend, Route, Step, Table, Target, Tenant};
use crate::tree::Tree;

type Entries = Vec<(&'static str, Tree)>;

/// The table as a document.
pub(super) fn artifact(table: &Table<'_>, out: &mut Diagnostics) -> Artifact {
    let name = table.gateway.name().to_string();
    let default = |name| Origin::default(table.input.sources, name);
    let tree = Tree::map([
        ("format", Tree::text("aipolicy.routing/1").from(default("gateway.format"))),
        ("gateway", Tree::text(&name).from(Origin::written(table.gateway.name_span()))),
        ("region", spanned_text(table.gateway.spec.region.value.as_str(), table.gateway.spec.region.span)),
        ("tenants", Tree::list(table.tenants.iter().map(|tenant| self::tenant(tenant, out)))),
        (
            "backends",
            Tree::list(table.backends.iter().map(|(id, backend)| self::backend(table, id, backend))),
        ),
        ("routes", Tree::list(table.routes.iter().map(|route| self::route(route)))),
    ]);
    let address = Address { target: "gateway".into(), kind: "RoutingTable".into(), name };
    let origin = Origin::written(table.gateway.name_span());
    Artifact::of(table.input.wanted, (address, Format::Json), origin, || tree)
}

fn spanned_text(text: &str, span: aipolicy_compiler::source::Span) -> Tree {
    Tree::text(text).from(Origin::written(span))
}

fn put<T>(entries: &mut Entries, key: &'static str, value: Option<&Spanned<T>>, tree: impl Fn(&T) -> Tree) {
    entries.extend(value.map(|found| (key, tree(&found.value).from(Origin::written(found.span)))));
}

fn milliseconds(duration: &Duration) -> Tree {
    Tree::integer(duration.milliseconds())
}

fn count(tokens: &Tokens) -> Tree {
    Tree::integer(tokens.count())
}

fn per_minute(rate: &Rate) -> Tree {
    Tree::integer(rate.per_minute())
}

fn tenant(tenant: &Tenant<'_>, out: &mut Diagnostics) -> Tree {
    let spec = &tenant.resource.spec;
    let name = tenant.resource.name();
    let mut entries: Entries = vec![
        ("id", spanned_text(name.as_str(), tenant.resource.name_span())),
        (
            "auth",
            Tree::map([
                ("kind", Tree::text("api_key")),
                ("secret_ref", Tree::text(key_variable(name.as_str()))),
            ]),
        ),
        (
            "allow_routes",
            Tree::list(tenant.routes.iter().map(|(route, origin)| Tree::text(*route).from(origin.clone()))),
        ),
    ];
    if let Some(namespace) = spec.namespaces.first() {
        entries.push(("namespace", spanned_text(namespace.value.as_str(), namespace.span)));
    }
    let mut limits: Entries = Vec::new();
    if let Some(quota) = &spec.quota {
        put(&mut limits, "requests_per_minute", quota.requests.as_ref(), per_minute);
        put(&mut limits, "tokens_per_minute", quota.tokens.as_ref(), per_minute);
        check_unit(quota.requests.as_ref(), RateUnit::Requests, out);
        check_unit(quota.tokens.as_ref(), RateUnit::Tokens, out);
    }
    if !limits.is_empty() {
        entries.push(("limits", Tree::map(limits)));
    }
    entries.extend(tenant.budget.map(|budget| ("budget", self::budget(budget))));
    Tree::map(entries).from(tenant.origin.clone())
}

/// A rate of tokens where requests are meant, or the other way round.
fn check_unit(rate: Option<&Spanned<Rate>>, wanted: RateUnit, out: &mut Diagnostics) {
    if let Some(rate) = rate.filter(|rate| rate.value.unit != wanted) {
        let message =
            format!("this is a rate of {}, and {} are limited here", rate.value.unit.word(), wanted.word());
        out.report(rule::BAD_VALUE.at(rate.span, message, ""));
    }
}

/// The environment variable of a gateway that holds the key of a tenant.
pub(super) fn key_variable(tenant: &str) -> String {
    format!("AIPOLICY_KEY_{}", variable(tenant))
}

/// The variable that holds the key of whoever reads metrics.
pub(crate) const METRICS_KEY: &str = "AIPOLICY_METRICS_KEY";

/// The environment variable of a gateway that holds the key for the provider of a model. No tenant has the same one.
pub(super) fn model_key_variable(model: &str) -> String {
    format!("AIPOLICY_MODEL_KEY_{}", variable(model))
}

fn variable(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

fn budget(budget: &Resource<BudgetSpec>) -> Tree {
    let spec = &budget.spec;
    let window = match spec.period.value {
        BudgetPeriod::Day => "calendar_day",
        BudgetPeriod::Week => "calendar_week",
        BudgetPeriod::Month => "calendar_month",
        BudgetPeriod::Quarter => "calendar_quarter",
        BudgetPeriod::Year => "calendar_year",
    };
    let limit = match spec.limit.value {
        BudgetLimit::Money(money) => {
            vec![("currency", Tree::text(money.currency)), ("micro_units", Tree::integer(money.micros))]
        }
        BudgetLimit::Tokens(tokens) => vec![("tokens", Tree::integer(tokens.count()))],
    };
    let mut entries: Entries =
        limit.into_iter().map(|(key, tree)| (key, tree.from(Origin::written(spec.limit.span)))).collect();
    entries.push(("window", Tree::text(window).from(Origin::written(spec.period.span))));
    entries.push((
        "time_zone",
        spec.time_zone
            .as_ref()
            .map_or_else(|| Tree::text("UTC"), |zone| spanned_text(&zone.value.0, zone.span)),
    ));
    entries.push(("thresholds", Tree::list(spec.thresholds.iter().map(threshold))));
    Tree::map(entries).from(Origin::written(budget.name_span()))
}

fn threshold(threshold: &Threshold) -> Tree {
    let (at, action, to) = match threshold {
        Threshold::Notify(notify) => (&notify.at, "notify", None),
        Threshold::Shift(shift) => (&shift.at, "shift", Some(shift.to.value.word())),
        Threshold::Block(block) => (&block.at, "refuse", None),
    };
    let mut entries: Entries =
        vec![("at_basis_points", Tree::integer(at.value.basis_points())), ("action", Tree::text(action))];
    entries.extend(to.map(|tier| ("tier", Tree::text(tier))));
    Tree::map(entries).from(Origin::written(at.span))
}

fn backend(table: &Table<'_>, id: &str, backend: &Backend<'_>) -> Tree {
    let spec = &backend.model.spec;
    let api = match spec.provider.value {
        ModelProvider::Bedrock => "aws_bedrock_converse",
        ModelProvider::BedrockMantle => "aws_bedrock_mantle",
        ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => "openai",
    };
    let credential = match spec.provider.value {
        ModelProvider::Bedrock | ModelProvider::BedrockMantle => "workload_identity",
        ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => "secret",
    };
    let mut entries: Entries = vec![
        ("id", spanned_text(id, backend.model.name_span())),
        ("api", Tree::text(api).from(Origin::written(spec.provider.span))),
        ("region", Tree::text(backend.source)),
        ("processing_regions", Tree::list(backend.regions.iter().map(|region| Tree::text(*region)))),
        ("model_id", invoked_id(table, backend)),
        ("credential", Tree::map([("kind", Tree::text(credential))])),
    ];
    put(&mut entries, "endpoint", spec.endpoint.as_ref(), |text| Tree::text(text.as_str()));
    entries.extend(limits(table, spec));
    entries.extend(price(table, spec).map(|price| ("price", price)));
    Tree::map(entries).from(backend.origin.clone())
}

/// What is invoked: a profile, a provisioned model, or the model itself.
fn invoked_id(table: &Table<'_>, backend: &Backend<'_>) -> Tree {
    let spec = &backend.model.spec;
    let span = table.input.grants.graph().inference_span(spec);
    match (backend.profile, spec.inference.as_ref().map(|inference| &inference.value)) {
        (Some(profile), _) => spanned_text(profile, span),
        (None, Some(Inference::Provisioned(arn))) => spanned_text(arn.value.as_str(), arn.span),
        (None, _) => spanned_text(spec.model_id.value.as_str(), spec.model_id.span),
    }
}

/// Context and output: what the model says, or else what the catalog knows of its id.
fn limits(table: &Table<'_>, spec: &ModelSpec) -> Entries {
    let fact = table.input.grants.graph().catalog().model(spec.model_id.value.as_str());
    let written = spec.limits.as_ref();
    let known = |value: Option<u64>| {
        value.map(|value| Tree::integer(value).from(Origin::written(spec.model_id.span)))
    };
    let own = |value: Option<&Spanned<Tokens>>| {
        value.map(|found| count(&found.value).from(Origin::written(found.span)))
    };
    let context =
        own(written.and_then(|limits| limits.context.as_ref())).or(known(fact.and_then(|fact| fact.context)));
    let output =
        own(written.and_then(|limits| limits.output.as_ref())).or(known(fact.and_then(|fact| fact.output)));
    let named = [("context_tokens", context), ("max_output_tokens", output)];
    named.into_iter().filter_map(|(key, tree)| Some((key, tree?))).collect()
}

fn price(table: &Table<'_>, spec: &ModelSpec) -> Option<Tree> {
    let per_million = |price: &Price| Tree::integer(price.micros_per_million());
    let mut entries: Entries = Vec::new();
    if let Some(prices) = &spec.price {
        put(&mut entries, "input_micro_units_per_mtok", Some(&prices.input), per_million);
        put(&mut entries, "output_micro_units_per_mtok", prices.output.as_ref(), per_million);
        put(&mut entries, "cache_read_micro_units_per_mtok", prices.cache_read.as_ref(), per_million);
        put(&mut entries, "cache_write_micro_units_per_mtok", prices.cache_write.as_ref(), per_million);
        entries.push(("currency", spanned_text(prices.input.value.money.currency, prices.input.span)));
    } else {
        let fact = table.input.grants.graph().catalog().model(spec.model_id.value.as_str())?;
        let named = [
            ("input_micro_units_per_mtok", &fact.price.input),
            ("output_micro_units_per_mtok", &fact.price.output),
            ("cache_read_micro_units_per_mtok", &fact.price.cache_read),
        ];
        let known = |text: &Option<String>| Price::of_catalog(text.as_deref()?);
        for (key, text) in named {
            entries.extend(
                known(text).map(|price| (key, per_million(&price).from(Origin::written(spec.model_id.span)))),
            );
        }
        let currency = known(&fact.price.input)?.money.currency;
        entries.push(("currency", spanned_text(currency, spec.model_id.span)));
    }
    entries.sort_by_key(|(key, _)| *key);
    Some(Tree::map(entries))
}

fn route(route: &Route<'_>) -> Tree {
    let spec = &route.resource.spec;
    let mut entries: Entries = vec![
        ("id", spanned_text(route.name, route.resource.name_span())),
        ("match", matching(spec)),
        ("data_class", spanned_text(spec.data_class.name.value.as_str(), spec.data_class.name.span)),
        (
            "targets",
            Tree::list(route.steps.iter().enumerate().flat_map(|(priority, step)| targets(priority, step))),
        ),
    ];
    put(&mut entries, "criticality", spec.criticality.as_ref(), |word| Tree::text(word.word()));
    put(&mut entries, "quality_floor", spec.quality_floor.as_ref(), |word| Tree::text(word.word()));
    let mut timeouts: Entries = Vec::new();
    if let Some(timeout) = &spec.timeout {
        put(&mut timeouts, "attempt", timeout.attempt.as_ref(), milliseconds);
        put(&mut timeouts, "total", timeout.total.as_ref(), milliseconds);
    }
    entries.extend((!timeouts.is_empty()).then(|| ("timeouts_ms", Tree::map(timeouts))));
    entries.extend(caps(spec));
    entries.extend(retry(spec).map(|retry| ("retry", retry)));
    entries.extend(spec.circuit_breaker.as_ref().map(|breaker| {
        let mut own: Entries = Vec::new();
        let failures = |count: &aipolicy_compiler::model::value::Count| Tree::integer(count.0);
        put(&mut own, "consecutive_failures", Some(&breaker.consecutive_failures), failures);
        put(&mut own, "open_ms", Some(&breaker.cool_down), milliseconds);
        ("breaker", Tree::map(own))
    }));
    entries.extend(canary(spec).map(|canary| ("canary", canary)));
    Tree::map(entries).from(route.origin.clone())
}

fn matching(spec: &RouteSpec) -> Tree {
    let mut entries: Entries = Vec::new();
    let tenants = &spec.r#match.tenants;
    let names = tenants.iter().map(|tenant| spanned_text(tenant.name.value.as_str(), tenant.name.span));
    entries.push(("tenants", Tree::list(names)));
    put(&mut entries, "task", spec.r#match.task.as_ref(), |task| Tree::text(task.as_str()));
    let headers = spec
        .r#match
        .headers
        .0
        .iter()
        .map(|(key, value)| (key.clone(), spanned_text(value.value.as_str(), value.span)));
    entries.push(("headers", Tree::map(headers)));
    Tree::map(entries)
}

fn targets<'t>(priority: usize, step: &'t Step<'_>) -> impl Iterator<Item = Tree> + 't {
    step.targets.iter().map(move |target| self::target(priority, step, target))
}

fn target(priority: usize, step: &Step<'_>, target: &Target) -> Tree {
    let mut entries: Entries = vec![
        ("backend", Tree::text(&target.backend)),
        ("priority", Tree::integer(i64::try_from(priority).unwrap_or(i64::MAX))),
        ("weight", Tree::integer(target.weight).from(target.weight_origin.clone())),
    ];
    if !step.on.is_empty() {
        let on = step.on.iter().map(|trigger| spanned_text(trigger.value.word(), trigger.span));
        entries.push(("on", Tree::list(on)));
    }
    Tree::map(entries).from(target.origin.clone())
}

fn caps(spec: &RouteSpec) -> Entries {
    let Some(caps) = &spec.caps else { return Vec::new() };
    let cap = |tokens: &Option<Spanned<Tokens>>, excess: &'static str| {
        let tokens = tokens.as_ref()?;
        let origin = Origin::written(tokens.span);
        Some(Tree::map([("max", count(&tokens.value)), ("on_excess", Tree::text(excess))]).from(origin))
    };
    let excess = match caps.truncate.as_ref().map(|word| word.value.word()) {
        Some("oldest-first") => "truncate_oldest",
        _ => "refuse",
    };
    let named = [("input_tokens", cap(&caps.input, excess)), ("output_tokens", cap(&caps.output, "clamp"))];
    named.into_iter().filter_map(|(key, tree)| Some((key, tree?))).collect()
}

fn retry(spec: &RouteSpec) -> Option<Tree> {
    let retry = spec.retry.as_ref()?;
    let mut entries: Entries = Vec::new();
    let attempts = |count: &aipolicy_compiler::model::value::Count| Tree::integer(count.0);
    put(&mut entries, "attempts_per_target", Some(&retry.attempts), attempts);
    put(&mut entries, "budget_basis_points", retry.budget.as_ref(), |share| {
        Tree::integer(share.basis_points())
    });
    entries.push((
        "on",
        Tree::list(retry.on.iter().map(|trigger| spanned_text(trigger.value.word(), trigger.span))),
    ));
    if let Some(backoff) = &retry.backoff {
        put(&mut entries, "backoff_base_ms", Some(&backoff.base), milliseconds);
        put(&mut entries, "backoff_max_ms", Some(&backoff.max), milliseconds);
    }
    Some(Tree::map(entries))
}

/// What ends the trial of a model, for whoever watches it.
fn canary(spec: &RouteSpec) -> Option<Tree> {
    let trials = spec.primary.iter().filter_map(|primary| Some((&primary.model, primary.canary.as_ref()?)));
    let trials: Vec<_> = trials
        .map(|(model, canary)| {
            let mut entries: Entries =
                vec![("model", spanned_text(model.name.value.as_str(), model.name.span))];
            let abort = &canary.abort;
            put(&mut entries, "error_rate_basis_points", abort.error_rate.as_ref(), |share| {
                Tree::integer(share.basis_points())
            });
            put(&mut entries, "p99_ms", abort.p99.as_ref(), milliseconds);
            put(&mut entries, "cost_per_request", abort.cost_per_request.as_ref(), |money| {
                Tree::text(money.to_string())
            });
            Tree::map(entries)
        })
        .collect();
    (!trials.is_empty()).then(|| Tree::list(trials))
}
