//! The guardrail that every call of a model has to pass: one configuration for each region of an account.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::environment::EnforcedGuardrail;
use aipolicy_compiler::model::model::{ModelProvider, ModelSpec};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::guardrail;
use crate::account::Account;
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, reference};
use crate::origin::Origin;
use crate::tree::Tree;

/// The guardrail and its configuration in every region of the environment, the destinations of profiles included, since
/// whoever may call there has to pass it too.
pub(crate) fn artifacts(account: &Account<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(enforced) = &account.environment.spec.enforced_guardrail else { return Vec::new() };
    let Some(guardrail) = account.graph().get(&enforced.guardrail) else { return Vec::new() };
    let span = enforced.guardrail.name.span;
    if let Some(other) = account.neighbours().next() {
        let message = format!("`{}` has the same account, and its calls would have to pass it", other.name());
        let found = rule::UNSUPPORTED.at(span, message, "");
        let found = found.label(other.spec.aws.account_id.span, "the same account");
        out.report(
            found.help(
                "give each environment an account of its own, or name guardrails where models are called",
            ),
        );
        return Vec::new();
    }
    let Some(models) = models(account, enforced, out) else { return Vec::new() };
    let used = Origin::written(span);
    let mut artifacts = Vec::new();
    for region in &account.environment.spec.aws.regions {
        let place = region.value.as_str();
        let made = guardrail::artifacts(account, (guardrail, place), &used, out);
        let Some((own, version)) = guardrail::addresses(account, guardrail, place) else { continue };
        let config = Tree::map([
            ("guardrailIdentifier", reference(&own, "guardrailId")),
            ("guardrailVersion", reference(&version, "version")),
            ("modelEnforcement", models.clone()),
            ("selectiveContentGuarding", everything(account)),
        ]);
        let request = Request {
            address: address("EnforcedGuardrail", account.name(&[place], usize::MAX)),
            region: (place.to_owned(), Origin::written(region.span)),
            members: vec![("guardrailInferenceConfig", config)],
            needs: vec![own, version],
        };
        artifacts.extend(made);
        artifacts.push(request.artifact(&used));
    }
    artifacts
}

/// Whatever a call marks as content to be guarded, all of it is.
fn everything(account: &Account<'_>) -> Tree {
    let all = || Tree::text("COMPREHENSIVE");
    Tree::map([("system", all()), ("messages", all())]).from(account.default("bedrock.enforcedContent"))
}

/// The models whose calls pass it: all but those that are excepted.
fn models(account: &Account<'_>, enforced: &EnforcedGuardrail, out: &mut Diagnostics) -> Option<Tree> {
    let named =
        enforced.except.iter().filter_map(|named| Some((account.graph().get(named)?, named.name.span)));
    let excepted: Option<Vec<_>> = named.map(|named| excepted(named, out)).collect();
    let all = Tree::list([Tree::text("ALL")]).from(account.default("bedrock.enforcedModels"));
    let origin = Origin::written(enforced.guardrail.name.span);
    Some(Tree::map([("includedModels", all), ("excludedModels", Tree::list(excepted?))]).from(origin))
}

fn excepted((model, span): (&Resource<ModelSpec>, Span), out: &mut Diagnostics) -> Option<Tree> {
    let id = model.spec.model_id.value.as_str();
    let mut refuse = |message: String| {
        out.report(rule::UNSUPPORTED.at(span, message, "").help("leave it out"));
        None
    };
    if model.spec.provider.value != ModelProvider::Bedrock {
        return refuse(format!("calls of `{}` pass no guardrail that Bedrock enforces", model.name()));
    }
    if !is_identifier(id) {
        return refuse(format!("`{id}` is no id by which Bedrock excepts a model"));
    }
    Some(Tree::text(id).from(Origin::written(span)))
}

/// Whether an id is one of `ExcludedModelId`. Source: the service model of Bedrock.
fn is_identifier(id: &str) -> bool {
    let word = |word: &str| {
        let known = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        (1..=63).contains(&word.len()) && word.bytes().all(known)
    };
    let (id, suffix) = id.split_once('/').map_or((id, None), |(id, suffix)| (id, Some(suffix)));
    let custom = |suffix: &str| suffix.len() == 12 && suffix.bytes().all(|one| one.is_ascii_alphanumeric());
    let mut parts = id.split(':');
    let name = parts.next().and_then(|name| name.split_once('.'));
    let rest: Vec<_> = parts.collect();
    name.is_some_and(|(provider, name)| word(provider) && word(name))
        && rest.len() <= 2
        && rest.iter().all(|part| word(part))
        && suffix.is_none_or(custom)
}
