//! What may happen now that could not before, and the other way round: two sets of grants, compared.

mod access;
mod account;
mod effect;
mod guardrail;
mod resource;
mod sentence;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Decisions;
use aipolicy_compiler::ir::{AccessRequest, Action, Circumstances, Decision, Waiving};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::source::SourceMap;
use serde::{Deserialize, Serialize};

pub(crate) use access::Documents;
pub use access::{Access, Role, access, role};
pub use effect::{Effect, EffectClass, Excepted, Origin};

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

/// Why something is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The line that asked for it.
    pub origin: Option<Origin>,
    /// The waivers without which it would not be granted.
    pub waivers: BTreeSet<Excepted>,
}

/// What is granted in an environment, and why.
pub type Facts = BTreeMap<Fact, Cause>;

/// Everything that is permitted in an environment. What only supports other grants is left out.
pub fn facts(
    graph: &Graph,
    decisions: &Decisions,
    environment: Id<EnvironmentSpec>,
    sources: &SourceMap,
) -> Facts {
    let permitted = decisions.of(environment).filter(|decision| decision.permitted());
    let told = permitted.filter(|decision| is_told(&decision.request));
    let cause = |decision: &Decision| Cause {
        origin: Some(origin(sources, &decision.request)),
        waivers: decision.waived.iter().filter_map(|waiving| excepted(graph, waiving)).collect(),
    };
    told.map(|decision| (fact(graph, &decision.request), cause(decision))).collect()
}

fn excepted(graph: &Graph, waiving: &Waiving) -> Option<Excepted> {
    let waiver = graph.resource(waiving.waiver)?;
    Some(Excepted { waiver: waiver.name().to_string(), until: waiver.spec.expires.value.to_string() })
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

/// Facts as a journal kept them. Why they were granted is not known any more.
///
/// # Errors
/// The first line that is not a fact.
pub fn recall(lines: &[String]) -> Result<Facts, String> {
    let read =
        |line: &String| serde_json::from_str::<Fact>(line).map_err(|error| format!("{error} in {line}"));
    lines.iter().map(|line| read(line).map(|fact| (fact, Cause::default()))).collect()
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

fn merged<'f>(facts: impl Iterator<Item = (&'f Fact, &'f Cause)>, class: EffectClass) -> Vec<Effect> {
    // Regions that only a waiver opens are an effect of their own.
    let mut alike: BTreeMap<(Fact, &BTreeSet<Excepted>), Alike<'_>> = BTreeMap::new();
    for (fact, cause) in facts {
        let mut key = fact.clone();
        key.context.remove("region");
        let start = || Alike { regions: BTreeSet::new(), origin: cause.origin.as_ref() };
        let entry = alike.entry((key, &cause.waivers)).or_insert_with(start);
        entry.regions.extend(fact.context.get("region").map(String::as_str));
    }
    let effect = |((mut fact, waivers), alike): ((Fact, &BTreeSet<Excepted>), Alike<'_>)| {
        if !alike.regions.is_empty() {
            let regions = alike.regions.into_iter().collect::<Vec<_>>().join(", ");
            fact.context.insert("region".to_owned(), regions);
        }
        Effect {
            class,
            sentence: sentence::of(&fact, waivers, class),
            principal: fact.principal,
            action: fact.action,
            resource: fact.resource,
            context: fact.context,
            waivers: waivers.iter().cloned().collect(),
            origin: alike.origin.cloned(),
        }
    };
    alike.into_iter().map(effect).collect()
}

/// Grants that differ only in the region.
struct Alike<'f> {
    regions: BTreeSet<&'f str>,
    origin: Option<&'f Origin>,
}
