//! Guardrails, each with a numbered version for every state that it was in.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::guardrail::{FilterStrength, Filters, GuardrailSpec, Pii, PiiAction};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Members, Request, address, reference};
use crate::origin::Origin;
use crate::tree::Tree;

/// What is told when something is blocked.
const BLOCKED: &str = "This is not possible here.";

/// The addresses of a guardrail in a region, and of its version.
pub(crate) fn addresses(
    account: &Account<'_>,
    guardrail: &Resource<GuardrailSpec>,
    region: &str,
) -> Option<(Address, Address)> {
    let name = account.guardrail(guardrail.name().as_str(), region)?;
    Some((address("Guardrail", name.clone()), address("GuardrailVersion", name)))
}

/// A guardrail and its version. `used` is the line that names it.
pub(crate) fn artifacts(
    account: &Account<'_>,
    (guardrail, region): (&Resource<GuardrailSpec>, &str),
    used: &Origin,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let Some((own, version)) = addresses(account, guardrail, region) else { return Vec::new() };
    let spec = &guardrail.spec;
    let blocked = || Tree::text(BLOCKED).from(account.default("bedrock.blockedMessage"));
    let mut members: Members = vec![
        ("name", Tree::text(&own.name).from(account.default("origin.name"))),
        ("blockedInputMessaging", blocked()),
        ("blockedOutputsMessaging", blocked()),
    ];
    let list = |key: &'static str, items: Vec<Tree>| {
        (!items.is_empty()).then(|| Tree::map([(key, Tree::list(items))]))
    };
    let parts = [
        (
            "contentPolicyConfig",
            list("filtersConfig", spec.filters.as_ref().map(filters).unwrap_or_default()),
        ),
        ("topicPolicyConfig", list("topicsConfig", topics(spec, out))),
        ("wordPolicyConfig", list("wordsConfig", words(spec, out))),
        (
            "sensitiveInformationPolicyConfig",
            list("piiEntitiesConfig", spec.pii.as_ref().map(pii).unwrap_or_default()),
        ),
        ("contextualGroundingPolicyConfig", list("filtersConfig", grounding(spec))),
    ];
    members.extend(parts.into_iter().filter_map(|(key, tree)| Some((key, tree?))));
    members.push(("tags", tags(account, guardrail)));
    let place = (region.to_owned(), used.clone());
    let origin = Origin::written(guardrail.name_span());
    let made =
        Request { address: own.clone(), region: place.clone(), members, needs: Vec::new() }.artifact(&origin);
    let members = vec![
        ("guardrailIdentifier", reference(&own, "guardrailId")),
        ("description", Tree::text(made.document.digest()).from(account.default("bedrock.guardrailVersion"))),
    ];
    let version = Request { address: version, region: place, members, needs: vec![own] }.artifact(&origin);
    vec![made, version]
}

/// The guardrails that workloads name in their calls, in every region of those.
pub(crate) fn named(account: &Account<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let graph = account.graph();
    let mut artifacts = Vec::new();
    for (principal, grants) in account.input.grants.by_principal() {
        let Principal::Workload(id) = principal else { continue };
        let uses = graph.resource(id).and_then(|workload| workload.spec.uses.as_ref());
        let Some(named) = uses.and_then(|uses| uses.guardrail.as_ref()) else { continue };
        let Some(guardrail) = graph.get(named) else { continue };
        let used = Origin::written(named.name.span);
        for region in account.called_from(&grants) {
            artifacts.extend(self::artifacts(account, (guardrail, region), &used, out));
        }
    }
    artifacts
}

/// The marks of ownership, and the name by which roles are allowed to apply it.
fn tags(account: &Account<'_>, guardrail: &Resource<GuardrailSpec>) -> Tree {
    let tag = |(key, value, origin): (&str, &str, Origin)| {
        Tree::map([("key", Tree::text(key)), ("value", Tree::text(value))]).from(origin)
    };
    let marks = account.marks().map(|(key, value)| (key, value, account.default("aws.tags")));
    let name = ("aipolicy:guardrail", guardrail.name().as_str(), Origin::written(guardrail.name_span()));
    Tree::list(marks.into_iter().chain([name]).map(tag))
}

fn strength(strength: FilterStrength) -> &'static str {
    match strength {
        FilterStrength::None => "NONE",
        FilterStrength::Low => "LOW",
        FilterStrength::Medium => "MEDIUM",
        FilterStrength::High => "HIGH",
    }
}

/// Attempts to override instructions are looked for in input alone, as the service has it.
fn filters(filters: &Filters) -> Vec<Tree> {
    let all = [
        ("HATE", &filters.hate),
        ("INSULTS", &filters.insults),
        ("MISCONDUCT", &filters.misconduct),
        ("PROMPT_ATTACK", &filters.prompt_attack),
        ("SEXUAL", &filters.sexual),
        ("VIOLENCE", &filters.violence),
    ];
    let one = |(kind, filter): (&str, &Option<Spanned<FilterStrength>>)| {
        let filter = filter.as_ref()?;
        let word = strength(filter.value);
        let output = if kind == "PROMPT_ATTACK" { "NONE" } else { word };
        let tree = Tree::map([
            ("type", Tree::text(kind)),
            ("inputStrength", Tree::text(word)),
            ("outputStrength", Tree::text(output)),
        ]);
        Some(tree.from(Origin::written(filter.span)))
    };
    all.into_iter().filter_map(one).collect()
}

fn topics(spec: &GuardrailSpec, out: &mut Diagnostics) -> Vec<Tree> {
    let mut found = Vec::new();
    for topic in &spec.denied_topics {
        within(&topic.definition, 200, out);
        topic.examples.iter().for_each(|example| within(example, 100, out));
        if let Some(sixth) = topic.examples.get(5) {
            out.report(rule::TARGET_LIMIT.at(sixth.span, "a topic has at most 5 examples", ""));
        }
        let text = |text: &Spanned<aipolicy_compiler::model::value::Text>| {
            Tree::text(text.value.as_str()).from(Origin::written(text.span))
        };
        let mut entries = vec![
            ("name", Tree::text(topic.name.value.as_str())),
            ("definition", text(&topic.definition)),
            ("type", Tree::text("DENY")),
        ];
        if !topic.examples.is_empty() {
            entries.push(("examples", Tree::list(topic.examples.iter().map(text))));
        }
        found.push(Tree::map(entries).from(Origin::written(topic.name.span)));
    }
    found
}

fn words(spec: &GuardrailSpec, out: &mut Diagnostics) -> Vec<Tree> {
    spec.words.iter().for_each(|word| within(word, 100, out));
    let one = |word: &Spanned<aipolicy_compiler::model::value::Text>| {
        Tree::map([("text", Tree::text(word.value.as_str()))]).from(Origin::written(word.span))
    };
    spec.words.iter().map(one).collect()
}

/// Reports a text that is too long for the service.
fn within(text: &Spanned<aipolicy_compiler::model::value::Text>, most: usize, out: &mut Diagnostics) {
    if text.value.as_str().chars().count() > most {
        let message = format!("a guardrail takes at most {most} characters here");
        out.report(rule::TARGET_LIMIT.at(text.span, message, ""));
    }
}

fn pii(pii: &Pii) -> Vec<Tree> {
    let all = [
        ("ADDRESS", &pii.address),
        ("AGE", &pii.age),
        ("AWS_ACCESS_KEY", &pii.aws_access_key),
        ("AWS_SECRET_KEY", &pii.aws_secret_key),
        ("CREDIT_DEBIT_CARD_CVV", &pii.credit_debit_card_cvv),
        ("CREDIT_DEBIT_CARD_EXPIRY", &pii.credit_debit_card_expiry),
        ("CREDIT_DEBIT_CARD_NUMBER", &pii.credit_debit_card_number),
        ("EMAIL", &pii.email),
        ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", &pii.international_bank_account_number),
        ("IP_ADDRESS", &pii.ip_address),
        ("NAME", &pii.name),
        ("PASSWORD", &pii.password),
        ("PHONE", &pii.phone),
        ("SWIFT_CODE", &pii.swift_code),
        ("USERNAME", &pii.username),
    ];
    let one = |(kind, action): (&str, &Option<Spanned<PiiAction>>)| {
        let action = action.as_ref()?;
        let word = match action.value {
            PiiAction::Block => "BLOCK",
            PiiAction::Anonymise => "ANONYMIZE",
        };
        let tree = Tree::map([("type", Tree::text(kind)), ("action", Tree::text(word))]);
        Some(tree.from(Origin::written(action.span)))
    };
    all.into_iter().filter_map(one).collect()
}

fn grounding(spec: &GuardrailSpec) -> Vec<Tree> {
    let Some(grounding) = &spec.grounding else { return Vec::new() };
    let all = [("GROUNDING", &grounding.grounding), ("RELEVANCE", &grounding.relevance)];
    let one = |(kind, least): (&str, &Option<Spanned<aipolicy_compiler::model::value::Fraction>>)| {
        let least = least.as_ref()?;
        let threshold = f64::from(least.value.thousandths) / 1000.0;
        let tree = Tree::map([("type", Tree::text(kind)), ("threshold", Tree::decimal(threshold))]);
        Some(tree.from(Origin::written(least.span)))
    };
    all.into_iter().filter_map(one).collect()
}
