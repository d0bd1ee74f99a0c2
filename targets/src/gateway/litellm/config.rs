//! `config.yaml` of the proxy.

use aipolicy_compiler::model::model::{Inference, ModelProvider};
use aipolicy_compiler::model::route::{RouteSpec, Trigger};
use aipolicy_compiler::model::value::Tokens;
use aipolicy_compiler::source::Spanned;

use crate::origin::Origin;
use crate::routing::{Backend, Route, Step, Table, Target, deployment, group};
use crate::tree::Tree;

type Entries = Vec<(&'static str, Tree)>;

/// The whole configuration.
pub(super) fn tree(table: &Table<'_>) -> Tree {
    let strict = Origin::default(table.input.sources, "litellm.strict");
    Tree::map([
        ("model_list", Tree::list(table.routes.iter().flat_map(|route| deployments(table, route)))),
        ("router_settings", router(table, &strict)),
        ("litellm_settings", settings(table, &strict)),
        ("general_settings", general(table, &strict)),
    ])
}

fn deployments(table: &Table<'_>, route: &Route<'_>) -> Vec<Tree> {
    let steps = route.steps.iter().enumerate();
    steps
        .flat_map(|(at, step)| {
            step.targets.iter().filter_map(move |target| entry(table, route, (at, step), target))
        })
        .collect()
}

fn entry(
    table: &Table<'_>,
    route: &Route<'_>,
    (at, step): (usize, &Step<'_>),
    target: &Target,
) -> Option<Tree> {
    let backend = table.backends.get(&target.backend)?;
    let mut parameters = provider(backend);
    let governed = &step.governed_by.spec;
    if let Some(attempt) = governed.timeout.as_ref().and_then(|timeout| timeout.attempt.as_ref()) {
        parameters
            .push(("timeout", seconds(attempt.value.milliseconds()).from(Origin::written(attempt.span))));
    }
    if let Some(breaker) = &governed.circuit_breaker {
        let origin = Origin::written(breaker.cool_down.span);
        parameters.push(("cooldown_time", seconds(breaker.cool_down.value.milliseconds()).from(origin)));
    }
    parameters.push(("weight", Tree::integer(target.weight).from(target.weight_origin.clone())));
    let id = deployment(route.name, at, &target.backend);
    let mut info: Entries = vec![("id", Tree::text(id))];
    if let Some(cap) = output_cap(&route.resource.spec) {
        let origin = Origin::written(cap.span);
        let most = || Tree::integer(cap.value.count()).from(origin.clone());
        parameters.push(("max_tokens", most()));
        let dropped = Tree::list([Tree::text("max_completion_tokens")]).from(origin.clone());
        parameters.push(("additional_drop_params", dropped));
        info.extend([("max_tokens", most()), ("max_output_tokens", most())]);
    }
    let entry = Tree::map([
        ("model_name", Tree::text(group(route.name, at)).from(route.origin.clone())),
        ("litellm_params", Tree::map(parameters)),
        ("model_info", Tree::map(info)),
    ]);
    Some(entry.from(target.origin.clone()))
}

/// How a backend is called. Credentials come from the environment of the proxy, or from its identity.
fn provider(backend: &Backend<'_>) -> Entries {
    let spec = &backend.model.spec;
    let written = Origin::written(spec.model_id.span);
    let model = |prefix: &str, id: &str| ("model", Tree::text(format!("{prefix}{id}")).from(written.clone()));
    let id = backend.profile.unwrap_or(spec.model_id.value.as_str());
    let region = ("aws_region_name", Tree::text(backend.source));
    match (spec.provider.value, spec.inference.as_ref().map(|inference| &inference.value)) {
        (ModelProvider::Bedrock, Some(Inference::Provisioned(arn))) => vec![
            model("bedrock/converse/", id),
            ("model_id", Tree::text(arn.value.as_str()).from(Origin::written(arn.span))),
            region,
        ],
        (ModelProvider::Bedrock, _) => vec![model("bedrock/converse/", id), region],
        (ModelProvider::BedrockMantle, _) => vec![model("bedrock_mantle/", id), region],
        (ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted, _) => {
            let variable = format!(
                "os.environ/{}",
                super::super::canonical::model_key_variable(backend.model.name().as_str())
            );
            let mut entries = vec![model("openai/", id), ("api_key", Tree::text(variable))];
            entries.extend(spec.endpoint.as_ref().map(|endpoint| {
                ("api_base", Tree::text(endpoint.value.as_str()).from(Origin::written(endpoint.span)))
            }));
            entries
        }
    }
}

/// LiteLLM wants seconds as a number; text such as `2s` starts, and then fails every request.
fn seconds(milliseconds: u64) -> Tree {
    if milliseconds.is_multiple_of(1000) {
        return Tree::integer(milliseconds / 1000);
    }
    let milliseconds = u32::try_from(milliseconds).unwrap_or(u32::MAX);
    Tree::decimal(f64::from(milliseconds) / 1000.0)
}

fn output_cap(spec: &RouteSpec) -> Option<&Spanned<Tokens>> {
    spec.caps.as_ref()?.output.as_ref()
}

fn router(table: &Table<'_>, strict: &Origin) -> Tree {
    let most_steps = table.routes.iter().map(|route| route.steps.len()).max().unwrap_or(1);
    let entries: Entries = vec![
        ("routing_strategy", Tree::text("simple-shuffle").from(strict.clone())),
        ("num_retries", Tree::integer(0).from(strict.clone())),
        ("max_fallbacks", Tree::integer(i64::try_from(most_steps).unwrap_or(5)).from(strict.clone())),
        ("fallbacks", fallbacks(table, &[Trigger::Throttled, Trigger::Unavailable, Trigger::Timeout])),
        ("context_window_fallbacks", fallbacks(table, &[Trigger::ContextOverflow])),
        ("content_policy_fallbacks", fallbacks(table, &[Trigger::ContentRefused])),
        ("model_group_alias", aliases(table)),
        ("model_group_retry_policy", retries(table, strict)),
    ];
    let breakers = table.routes.iter().filter_map(|route| route.resource.spec.circuit_breaker.as_ref());
    let failures =
        breakers.map(|breaker| &breaker.consecutive_failures).min_by_key(|failures| failures.value);
    let failures = failures.map(|failures| {
        ("allowed_fails", Tree::integer(failures.value.0).from(Origin::written(failures.span)))
    });
    Tree::map(entries.into_iter().chain(failures)).from(strict.clone())
}

/// For each route, the groups that are tried in order when one of these things went wrong.
fn fallbacks(table: &Table<'_>, triggers: &[Trigger]) -> Tree {
    let chain = |route: &Route<'_>| {
        let wanted = |step: &Step<'_>| {
            step.on.is_empty() || step.on.iter().any(|trigger| triggers.contains(&trigger.value))
        };
        let later = route
            .steps
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, step)| wanted(step) && !step.targets.is_empty());
        let groups: Vec<_> = later
            .map(|(at, step)| {
                let origin =
                    step.targets.first().map_or_else(|| route.origin.clone(), |target| target.origin.clone());
                Tree::text(group(route.name, at)).from(origin)
            })
            .collect();
        (!groups.is_empty())
            .then(|| Tree::map([(route.name.to_owned(), Tree::list(groups))]).from(route.origin.clone()))
    };
    Tree::list(table.routes.iter().filter_map(chain))
}

/// Tasks are other names of routes.
fn aliases(table: &Table<'_>) -> Tree {
    Tree::map(table.routes.iter().filter_map(|route| {
        let task = route.resource.spec.r#match.task.as_ref()?;
        let alias = Tree::text(route.name).from(Origin::written(task.span));
        (task.value.as_str() != route.name).then(|| (task.value.to_string(), alias))
    }))
}

/// What is tried again, for each group. Whatever is not named is not tried again.
fn retries(table: &Table<'_>, strict: &Origin) -> Tree {
    let groups = table.routes.iter().flat_map(|route| {
        route
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| (group(route.name, at), retry(&step.governed_by.spec, strict)))
    });
    Tree::map(groups)
}

fn retry(spec: &RouteSpec, strict: &Origin) -> Tree {
    let classes: [(&str, Option<Trigger>); 8] = [
        ("BadRequestErrorRetries", None),
        ("AuthenticationErrorRetries", None),
        ("TimeoutErrorRetries", Some(Trigger::Timeout)),
        ("RateLimitErrorRetries", Some(Trigger::Throttled)),
        ("ContentPolicyViolationErrorRetries", Some(Trigger::ContentRefused)),
        ("InternalServerErrorRetries", Some(Trigger::Unavailable)),
        ("ServiceUnavailableErrorRetries", Some(Trigger::Unavailable)),
        ("NotFoundErrorRetries", None),
    ];
    let again = |trigger: Option<Trigger>| {
        let retry = spec.retry.as_ref()?;
        let on = retry.on.iter().find(|on| Some(on.value) == trigger)?;
        Some(Tree::integer(retry.attempts.value.0.saturating_sub(1)).from(Origin::written(on.span)))
    };
    let never = || Tree::integer(0).from(strict.clone());
    Tree::map(classes.map(|(class, trigger)| (class, again(trigger).unwrap_or_else(never))))
}

fn settings(table: &Table<'_>, strict: &Origin) -> Tree {
    let hook = Origin::default(table.input.sources, "litellm.hook");
    let mut callbacks = vec![Tree::text("aipolicy_litellm.hook").from(hook)];
    let telemetry = table.gateway.spec.telemetry.as_ref();
    callbacks.extend(super::metrics(table).map(|origin| Tree::text("prometheus").from(origin)));
    if let Some(address) = telemetry.and_then(|telemetry| telemetry.otlp.as_ref()) {
        callbacks.push(Tree::text("otel").from(Origin::written(address.span)));
    }
    Tree::map([
        ("callbacks", Tree::list(callbacks)),
        ("modify_params", Tree::bool(true).from(strict.clone())),
        ("num_retries", Tree::integer(0).from(strict.clone())),
    ])
}

fn general(table: &Table<'_>, strict: &Origin) -> Tree {
    let hook = Origin::default(table.input.sources, "litellm.hook");
    let master = Origin::default(table.input.sources, "gateway.masterKey");
    Tree::map([
        ("master_key", Tree::text("os.environ/LITELLM_MASTER_KEY").from(master)),
        ("custom_auth", Tree::text("aipolicy_litellm.user_api_key_auth").from(hook)),
        ("custom_auth_run_common_checks", Tree::bool(true).from(strict.clone())),
        ("enforce_fallback_model_access", Tree::bool(true).from(strict.clone())),
        ("reject_clientside_metadata_tags", Tree::bool(true).from(strict.clone())),
    ])
}
