//! What may happen now that could not before, and the other way round: two sets of grants, compared.

mod access;
mod account;
mod effect;
mod guardrail;
mod resource;
mod sentence;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Decisions;
use aipolicy_compiler::ir::{AccessRequest, Action, Circumstances};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::source::SourceMap;
use serde::{Deserialize, Serialize};

pub(crate) use access::Documents;
pub use access::{Access, Role, access, role};
pub use effect::{Effect, EffectClass, Origin};

/// Something that is granted, without where it is written: what two revisions are compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Who, as `Kind/name`.
    pub principal: String,
    /// May do what.
    pub action: String,
    /// With what, as `Kind/name`.
    pub resource: String,
    /// Under which circumstances.
    pub context: BTreeMap<String, String>,
}

/// What is granted in an environment, each with the line that asked for it.
pub type Facts = BTreeMap<Fact, Option<Origin>>;

/// Everything that is permitted in an environment. What only supports other grants is left out.
pub fn facts(
    graph: &Graph,
    decisions: &Decisions,
    environment: Id<EnvironmentSpec>,
    sources: &SourceMap,
) -> Facts {
    let permitted = decisions.of(environment).filter(|decision| decision.permitted());
    let told = permitted.filter(|decision| is_told(&decision.request));
    told.map(|decision| (fact(graph, &decision.request), Some(origin(sources, &decision.request)))).collect()
}

/// Whether something may happen because of it: what starts an agent is support that does.
fn is_told(request: &AccessRequest) -> bool {
    request.action != Action::SupportRuntime || matches!(request.circumstances, Circumstances::Trigger(_))
}

fn fact(graph: &Graph, request: &AccessRequest) -> Fact {
    let (kind, name) = request.principal.label(graph);
    let (what, object) = request.object.label(graph);
    let context = request.facts(graph).into_iter().map(|(key, value)| (key.to_owned(), value));
    Fact {
        principal: format!("{kind}/{name}"),
        action: request.action.word().to_owned(),
        resource: format!("{what}/{object}"),
        context: context.collect(),
    }
}

fn origin(sources: &SourceMap, request: &AccessRequest) -> Origin {
    let file = sources.get(request.span.source).path().to_owned();
    Origin { file, line: sources.position(request.span).line }
}

/// Facts as they are kept in a journal.
pub fn record(facts: &Facts) -> Vec<String> {
    facts.keys().filter_map(|fact| serde_json::to_string(fact).ok()).collect()
}

/// Facts as a journal kept them. Where they were written is not known any more.
///
/// # Errors
/// The first line that is not a fact.
pub fn recall(lines: &[String]) -> Result<Facts, String> {
    let read =
        |line: &String| serde_json::from_str::<Fact>(line).map_err(|error| format!("{error} in {line}"));
    lines.iter().map(|line| read(line).map(|fact| (fact, None))).collect()
}

/// What is granted after and not before, and before and not after. Grants that differ only in the region are one effect.
pub fn compare(before: &Facts, after: &Facts) -> Vec<Effect> {
    let gained = after.iter().filter(|(fact, _)| !before.contains_key(fact));
    let lost = before.iter().filter(|(fact, _)| !after.contains_key(fact));
    let mut effects = merged(gained, EffectClass::Widens);
    effects.extend(merged(lost, EffectClass::Narrows));
    let covered: Vec<bool> =
        effects.iter().map(|effect| effects.iter().any(|other| covers(other, effect))).collect();
    let mut covered = covered.into_iter();
    effects.retain(|_| !covered.next().unwrap_or(false));
    effects.sort_by(|left, right| order(left).cmp(&order(right)));
    effects
}

/// Whether an effect is none, given another: what is lost lies within what is gained, or the other way round. A prefix that
/// gets shorter takes nothing away.
fn covers(other: &Effect, effect: &Effect) -> bool {
    let rest = |effect: &Effect| {
        let mut context = effect.context.clone();
        context.remove("scope");
        (effect.principal.clone(), effect.action.clone(), effect.resource.clone(), context)
    };
    let (Some(wide), Some(narrow)) = (other.context.get("scope"), effect.context.get("scope")) else {
        return false;
    };
    let mut prefixes = narrow.split(", ");
    other.class != effect.class
        && rest(other) == rest(effect)
        && prefixes.all(|prefix| {
            prefix.starts_with(OBJECTS) && wide.split(", ").any(|wider| prefix.starts_with(wider))
        })
}

/// What the names of prefixes of buckets begin with.
const OBJECTS: &str = "s3://";

/// Wider access first, then by who and what.
fn order(effect: &Effect) -> (std::cmp::Reverse<EffectClass>, &str, &str, &str, &BTreeMap<String, String>) {
    (std::cmp::Reverse(effect.class), &effect.principal, &effect.action, &effect.resource, &effect.context)
}

fn merged<'f>(
    facts: impl Iterator<Item = (&'f Fact, &'f Option<Origin>)>,
    class: EffectClass,
) -> Vec<Effect> {
    let mut alike: BTreeMap<Fact, (BTreeSet<&str>, Option<&Origin>)> = BTreeMap::new();
    for (fact, origin) in facts {
        let mut key = fact.clone();
        key.context.remove("region");
        let entry = alike.entry(key).or_insert((BTreeSet::new(), origin.as_ref()));
        entry.0.extend(fact.context.get("region").map(String::as_str));
    }
    let effect = |(mut fact, (regions, origin)): (Fact, (BTreeSet<&str>, Option<&Origin>))| {
        if !regions.is_empty() {
            fact.context.insert("region".to_owned(), regions.into_iter().collect::<Vec<_>>().join(", "));
        }
        Effect {
            class,
            sentence: sentence::of(&fact, class),
            principal: fact.principal,
            action: fact.action,
            resource: fact.resource,
            context: fact.context,
            origin: origin.cloned(),
        }
    };
    alike.into_iter().map(effect).collect()
}
