//! What calls of models pass in an account that they did not before: enforced guardrails, compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Access, EffectClass};
use crate::artifact;

const KIND: &str = "EnforcedGuardrail";

/// The parts of a configuration that decide which calls pass what.
#[derive(PartialEq)]
struct Enforced {
    guardrail: Value,
    version: Value,
    /// Models that it is for, those that are excepted, and what of a call passes it.
    included: BTreeSet<String>,
    excepted: BTreeSet<String>,
    content: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    guardrail_inference_config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    guardrail_identifier: Value,
    guardrail_version: Value,
    model_enforcement: Models,
    #[serde(default)]
    selective_content_guarding: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Models {
    included_models: BTreeSet<String>,
    excluded_models: BTreeSet<String>,
}

/// A sentence for each configuration that came, went or is another now.
pub(super) fn changed(before: &[&artifact::Document], after: &[&artifact::Document]) -> Vec<Access> {
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let differing = names.into_iter().filter(|name| {
        let text = |all: &BTreeMap<&str, &artifact::Document>| all.get(name).map(|one| one.text.clone());
        text(&before) != text(&after)
    });
    differing.flat_map(|name| between(name, before.get(name).copied(), after.get(name).copied())).collect()
}

fn by_name<'d>(documents: &[&'d artifact::Document]) -> BTreeMap<&'d str, &'d artifact::Document> {
    let own = documents.iter().filter(|one| one.address.target == "bedrock" && one.address.kind == KIND);
    own.map(|one| (one.address.name.as_str(), *one)).collect()
}

fn between(
    name: &str,
    before: Option<&artifact::Document>,
    after: Option<&artifact::Document>,
) -> Vec<Access> {
    let subject = before.or(after).map_or_else(String::new, |one| one.address.to_string());
    let told = |class, sentence| Access { class, role: subject.clone(), sentence, witness: None };
    let calls = format!("calls of models in the account of {name}");
    let (old, new) = (before.map(enforced), after.map(enforced));
    let (old, new) = match (old, new) {
        (Some(Err(())), _) | (_, Some(Err(()))) => {
            let sentence = format!("what {calls} pass is not compared, since {subject} cannot be read");
            return vec![told(EffectClass::Mixed, sentence)];
        }
        (old, new) => (old.and_then(Result::ok), new.and_then(Result::ok)),
    };
    match (old, new) {
        (Some(old), None) => {
            let sentence = format!("{calls} no longer pass {}", label(&old.guardrail));
            vec![told(EffectClass::Widens, sentence)]
        }
        (None, Some(new)) => {
            let sentence = format!("{calls} now pass {}, whatever they name", label(&new.guardrail));
            vec![told(EffectClass::Narrows, sentence)]
        }
        (Some(old), Some(new)) => {
            let own = label(&new.guardrail);
            let freed = new.excepted.difference(&old.excepted).map(|model| {
                let sentence = format!("calls of {model} in the account of {name} no longer pass {own}");
                told(EffectClass::Widens, sentence)
            });
            let bound = old.excepted.difference(&new.excepted).map(|model| {
                told(
                    EffectClass::Narrows,
                    format!("calls of {model} in the account of {name} now pass {own}"),
                )
            });
            let mut all: Vec<_> = freed.chain(bound).collect();
            if (Enforced { excepted: new.excepted.clone(), ..old }) != new {
                all.push(told(EffectClass::Mixed, format!("{calls} pass something else now: {own}")));
            }
            all
        }
        (None, None) => Vec::new(),
    }
}

fn enforced(document: &artifact::Document) -> Result<Enforced, ()> {
    let read: Described = serde_json::from_str(&document.text).map_err(drop)?;
    let Config { guardrail_identifier, guardrail_version, model_enforcement, selective_content_guarding } =
        read.guardrail_inference_config;
    Ok(Enforced {
        guardrail: guardrail_identifier,
        version: guardrail_version,
        included: model_enforcement.included_models,
        excepted: model_enforcement.excluded_models,
        content: selective_content_guarding,
    })
}

/// What people know a guardrail by: the name of the document that makes it, or the id.
fn label(guardrail: &Value) -> String {
    let text = guardrail["$ref"].as_str().or(guardrail.as_str()).unwrap_or("a guardrail");
    let name = text.split('#').next().and_then(|address| address.rsplit('/').next()).unwrap_or(text);
    format!("guardrail {name}")
}
