//! Refusals as findings: a forbid names its policy, a default deny what could have permitted; one mistake, one finding.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::policies::Policies;
use crate::diagnostic::{Diagnostic, Diagnostics, Family, Label, Severity};
use crate::ir::{AccessRequest, Circumstances, Decision, Object, Outcome, PolicyIndex, Waiving};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;
use crate::model::waiver::WaiverSpec;
use crate::resolve::Graph;
use crate::rule;
use crate::source::Span;

/// Findings about requests that policies forbid, each with the decisions that it is about.
pub(super) struct Forbidden {
    pub(super) found: Diagnostics,
    about: Vec<(PolicyIndex, Vec<usize>)>,
}

/// What policies forbid, whether or not it is waived.
pub(super) fn forbidden(graph: &Graph, policies: &Policies, decisions: &[Decision]) -> Forbidden {
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, decision) in decisions.iter().enumerate() {
        let Outcome::Forbidden(by) = &decision.outcome else { continue };
        for policy in by {
            let request = &decision.request;
            alike.entry((request.span, *policy, request.action.word())).or_default().push(at);
        }
    }
    let mut forbidden = Forbidden { found: Diagnostics::default(), about: Vec::new() };
    for ((_, policy, _), about) in alike {
        let requests = about.iter().filter_map(|at| Some(&decisions.get(*at)?.request));
        forbidden.found.report(forbids(graph, policies, &requests.collect::<Vec<_>>(), policy));
        forbidden.about.push((policy, about));
    }
    forbidden
}

impl Forbidden {
    /// Notes at each decision which waivers name what forbids it, given the waiver of each finding.
    pub(super) fn waive(&self, named: &[Option<Id<WaiverSpec>>], decisions: &mut [Decision]) {
        for ((policy, about), waiver) in self.about.iter().zip(named) {
            let Some(waiver) = *waiver else { continue };
            for at in about {
                let Some(decision) = decisions.get_mut(*at) else { continue };
                let mut waived = std::mem::take(&mut decision.waived).into_vec();
                waived.push(Waiving { policy: *policy, waiver });
                waived.sort_unstable();
                decision.waived = waived.into_boxed_slice();
            }
        }
    }
}

/// Reports what no policy permits.
pub(super) fn not_permitted(
    graph: &Graph,
    policies: &Policies,
    decisions: &[Decision],
    out: &mut Diagnostics,
) {
    let mut alike: BTreeMap<_, Vec<&AccessRequest>> = BTreeMap::new();
    let none = decisions.iter().filter(|decision| decision.outcome == Outcome::NotPermitted);
    for request in none.map(|decision| &decision.request) {
        alike.entry((request.span, request.action.word())).or_default().push(request);
    }
    for requests in alike.into_values() {
        out.extend(requests.first().map(|first| nothing_permits(graph, policies, first, &requests)));
    }
}

/// Reports what policies of a severity that does not stop would forbid.
pub(super) fn warnings(
    graph: &Graph,
    policies: &Policies,
    (found, severity): (&[super::Warning], Severity),
    out: &mut Diagnostics,
) {
    let mut alike: BTreeMap<_, Vec<&AccessRequest>> = BTreeMap::new();
    for (request, policy, _) in found.iter().filter(|(_, _, found)| *found == severity) {
        alike.entry((request.span, *policy, request.action.word())).or_default().push(request);
    }
    for ((_, policy, _), requests) in alike {
        out.report(Diagnostic { severity, ..forbids(graph, policies, &requests, policy) });
    }
}

/// What a policy says to requests that differ only in what one finding can list: regions, tenants, environments.
fn forbids(
    graph: &Graph,
    policies: &Policies,
    requests: &[&AccessRequest],
    policy: PolicyIndex,
) -> Diagnostic {
    let fact = policies.facts.get(policy.0 as usize);
    let id = fact.map_or("", |fact| fact.id.as_str());
    let what = sentence(graph, requests);
    let span =
        requests.first().map_or(Span::new(crate::source::SourceId::DEFAULTS, 0, 0), |request| request.span);
    let mut found = Diagnostic {
        code: Cow::Owned(id.to_owned()),
        name: Cow::Owned(fact.and_then(|fact| fact.title.clone()).unwrap_or_else(|| id.to_owned())),
        severity: Severity::Mandatory,
        family: Family::Verdict,
        message: format!("policy `{id}` forbids {what}"),
        primary: Label { span, text: "asked for here".into() },
        related: fact
            .map(|fact| Label { span: fact.head, text: format!("forbidden by `{}`", fact.id) })
            .into_iter()
            .collect(),
        note: residency_note(graph, requests)
            .filter(|_| id.starts_with("AIP-RES") || !id.starts_with("AIP-")),
        help: fact.and_then(|fact| fact.help.clone()),
        about: Some(about(graph, requests)),
        waived: None,
    };
    found.related.extend(requests.first().and_then(|request| profile_label(graph, request)));
    found
}

/// Each request of a finding with all that tells it from others.
fn about(graph: &Graph, requests: &[&AccessRequest]) -> BTreeSet<String> {
    let told = requests.iter().map(|request| {
        let (kind, name) = request.principal.label(graph);
        let (what, object) = request.object.label(graph);
        let place = graph.name(request.environment);
        let facts = request.facts(graph).into_iter().map(|(key, value)| format!(", {key} {value}"));
        let facts: String = facts.collect();
        format!("{kind}/{name} {} {what}/{object} in {place}{facts}", request.action.word())
    });
    told.collect()
}

/// The line that decides in which regions a model is processed.
fn profile_label(graph: &Graph, request: &AccessRequest) -> Option<Label> {
    let (Circumstances::Invocation(call), Object::Model(id)) = (&request.circumstances, &request.object)
    else {
        return None;
    };
    let profile = call.profile.as_ref()?;
    let span = graph.inference_span(&graph.resource(*id)?.spec);
    Some(Label { span, text: format!("calls go through the inference profile `{profile}`") })
}

/// Which residency rules are behind a refusal, and what they allow.
fn residency_note(graph: &Graph, requests: &[&AccessRequest]) -> Option<String> {
    let residency = requests.iter().find_map(|request| request.circumstances.residency())?;
    let rules: Vec<_> = residency.rules.iter().map(|rule| format!("`{}`", graph.name(*rule))).collect();
    let regions: Vec<_> = residency.regions.iter().map(String::as_str).collect();
    let allowed = match regions.as_slice() {
        [] => "no region at all".to_owned(),
        few if few.len() <= 12 => few.join(", "),
        many => format!("{} regions", many.len()),
    };
    let (word, verb) = if rules.len() == 1 { ("rule", "allows") } else { ("rules", "together allow") };
    Some(format!("residency {word} {} {verb} {allowed}", rules.join(" and ")))
}

fn nothing_permits(
    graph: &Graph,
    policies: &Policies,
    first: &AccessRequest,
    requests: &[&AccessRequest],
) -> Diagnostic {
    let what = sentence(graph, requests);
    let mut found = rule::NOT_PERMITTED.at(first.span, format!("no policy permits {what}"), "asked for here");
    let permits =
        policies.index.permits(first.action.word(), &super::entities::principal(graph, first.principal));
    let near: Vec<_> = permits.into_iter().filter_map(|at| policies.facts.get(at)).collect();
    if near.is_empty() {
        return found.help(format!("no policy is about `{}`; add a pack or a policy", first.action.word()));
    }
    for fact in near.iter().take(3) {
        found =
            found.label(fact.head, format!("`{}` could permit it, and its conditions do not hold", fact.id));
    }
    let helps = near.iter().find_map(|fact| fact.help.clone());
    found.help(helps.unwrap_or_else(|| "change the resource so that one of these policies permits it".into()))
}

/// "agent `a` to invoke model `m` in us-east-1 and us-west-2".
fn sentence(graph: &Graph, requests: &[&AccessRequest]) -> String {
    let Some(first) = requests.first() else { return String::new() };
    let (kind, name) = first.principal.label(graph);
    let (what, object) = first.object.label(graph);
    let mut text = format!("{} `{name}` {} {} `{object}`", lower(kind.word()), verb(first), lower(what));
    if let Circumstances::Storage(storage) = &first.circumstances {
        let class = graph.name(storage.class);
        text =
            format!("{} `{name}` to keep {class} data ({}) in `{object}`", lower(kind.word()), storage.place);
    }
    let called = requests.iter().filter_map(|request| request.circumstances.invocation());
    let regions = distinct(called.map(|call| call.region.to_string()));
    if !regions.is_empty() {
        text.push_str(&format!(" in {}", words(&regions)));
    }
    let tenants =
        distinct(requests.iter().filter_map(|request| Some(graph.name(request.tenant?).to_owned())));
    if !tenants.is_empty() {
        text.push_str(&format!(" for {}", words(&tenants)));
    }
    let places = distinct(requests.iter().map(|request| environment(graph, request.environment)));
    text.push_str(&format!(" ({})", words(&places)));
    text
}

fn verb(request: &AccessRequest) -> &'static str {
    use crate::ir::Action;
    match request.action {
        Action::InvokeModel => "to invoke",
        Action::ReadConnector => "to read",
        Action::WriteConnector => "to write to",
        Action::CallTool => "to call",
        Action::StoreData => "to keep data in",
        Action::RunOn if matches!(request.object, Object::Region(_)) => "to run in",
        Action::RunOn => "to run on",
        Action::UseNamespace => "to use a namespace of",
        Action::UseRoute => "to send requests to",
        Action::SupportRuntime => "to have support from",
        Action::Delegate => "to hand work to",
        Action::Change => "to change",
    }
}

fn environment(graph: &Graph, id: Id<EnvironmentSpec>) -> String {
    graph.name(id).to_owned()
}

fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    words.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// "a", "a and b", "a, b and c", and past eight only how many more.
fn words(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [few @ .., last] if all.len() <= 8 => format!("{} and {last}", few.join(", ")),
        many => format!(
            "{} and {} more",
            many.iter().take(8).cloned().collect::<Vec<_>>().join(", "),
            many.len() - 8
        ),
    }
}

/// `DataStore` as "data store".
fn lower(kind: &str) -> String {
    let mut text = String::new();
    for (at, letter) in kind.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
