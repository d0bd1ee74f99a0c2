//! Cedar texts to policies that are known to be sound, each with its name and place.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use rayon::prelude::*;

use super::index::Index;
use super::nesting;
use super::on_large_stacks;
use super::packs::SHIPPED;
use crate::diagnostic::{Diagnostics, Rule, Severity};
use crate::ir::{Action, PolicyFact, PolicyIndex};
use crate::rule;
use crate::source::{SourceId, SourceKind, SourceMap, Span};

/// The schema that every policy is validated against.
pub const SCHEMA: &str = include_str!("../../../schemas/aipolicy.cedarschema");

/// The largest file of policies that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Every policy of a run.
#[derive(Debug)]
pub struct Policies {
    pub(super) schema: Schema,
    pub(super) facts: Vec<PolicyFact>,
    pub(super) index: Index,
    pub(super) severity: Vec<Severity>,
    pub(super) effects: Vec<Effect>,
    by_id: BTreeMap<String, PolicyIndex>,
}

impl Policies {
    /// Every policy as people know it.
    pub fn facts(&self) -> &[PolicyFact] {
        &self.facts
    }

    /// The policy with this `@id`.
    pub fn find(&self, id: &str) -> Option<PolicyIndex> {
        self.by_id.get(id).copied()
    }

    /// A policy as Cedar has it.
    pub fn get(&self, at: PolicyIndex) -> Option<&Policy> {
        self.index.get(at.0 as usize)
    }

    /// The schema that the policies were validated against.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether the policy with this `@id` forbids.
    pub(crate) fn forbids(&self, id: &str) -> bool {
        let at = self.by_id.get(id).map(|at| at.0 as usize);
        at.and_then(|at| self.effects.get(at)) == Some(&Effect::Forbid)
    }

    /// Whether the policy with this `@id` is about changes of the world alone.
    pub(crate) fn is_about_changes(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|at| self.index.is_about(at.0 as usize, Action::Change.word()))
    }

    /// The position of the policy that Cedar names.
    pub(super) fn position(&self, id: &PolicyId) -> Option<PolicyIndex> {
        self.by_id.get(AsRef::<str>::as_ref(id)).copied()
    }
}

static READ: LazyLock<Schema> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the schema is part of the program, and a test reads it")]
    Schema::from_cedarschema_str(SCHEMA).expect("the schema that ships").0
});

/// The Cedar schema that ships, read once.
pub(super) fn schema() -> Schema {
    READ.clone()
}

/// Reads the schema that ships, unless that was done.
pub(crate) fn prepare() {
    LazyLock::force(&READ);
}

/// Reads and validates every policy of the sources. What is not sound is reported, and must stop the run.
pub fn read(sources: &SourceMap, out: &mut Diagnostics) -> Policies {
    let mut found = Diagnostics::default();
    let thread = std::thread::Builder::new().stack_size(nesting::STACK);
    let read = std::thread::scope(|scope| {
        let reading = thread.spawn_scoped(scope, || read_here(sources, &mut found)).ok()?;
        Some(reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    out.append(found);
    read.unwrap_or_else(|| {
        let nowhere = Span::new(SourceId::DEFAULTS, 0, 0);
        let found = rule::POLICY_INVALID.at(nowhere, "there is no thread to read the policies on", "");
        out.report(found.help("let the process have more memory or threads"));
        policies(schema(), Vec::new(), out)
    })
}

/// Reads on the stack of the caller, which must be large.
fn read_here(sources: &SourceMap, out: &mut Diagnostics) -> Policies {
    let mut files: Vec<_> = sources
        .iter()
        .filter_map(|(id, source)| match source.kind() {
            SourceKind::Policies { shipped } => Some((!shipped, source.path(), id)),
            SourceKind::Defaults | SourceKind::Resources | SourceKind::Referenced => None,
        })
        .collect();
    files.sort_unstable();
    let known = |(own, _, id): &(bool, &str, SourceId)| {
        if !own {
            shipped(sources.get(*id).text());
        }
    };
    on_large_stacks(|| files.par_iter().for_each(known));
    let (mut read, mut sound) = (Vec::new(), BTreeSet::new());
    for (own, _, id) in files {
        let text = sources.get(id).text();
        match shipped(text).filter(|_| !own) {
            Some(set) => {
                sound.insert(id);
                read.extend(placed(set, id));
            }
            None => read.extend(parse(id, text, out).iter().flat_map(|set| placed(set, id))),
        }
    }
    let named = name(read, out);
    let schema = schema();
    let unknown = named.iter().filter(|(_, fact)| !sound.contains(&fact.span.source));
    validate(&schema, &unknown.collect::<Vec<_>>(), out);
    policies(schema, named, out)
}

/// The policies of a file that ships, where its text is that of one and is sound. It is parsed once in a process, however
/// many workspaces are read. The text is part of the program: builds for development validate it, and so does every test.
fn shipped(text: &str) -> Option<&'static PolicySet> {
    type Known = BTreeMap<&'static str, OnceLock<Option<PolicySet>>>;
    static KNOWN: LazyLock<Known> =
        LazyLock::new(|| SHIPPED.iter().map(|one| (one.text, OnceLock::new())).collect());
    let (text, known) = KNOWN.get_key_value(text)?;
    let sound = || {
        let mut out = Diagnostics::default();
        let set = parse(SourceId::DEFAULTS, text, &mut out)?;
        let named = name(placed(&set, SourceId::DEFAULTS), &mut out);
        if cfg!(debug_assertions) {
            validate(&schema(), &named.iter().collect::<Vec<_>>(), &mut out);
        }
        out.is_empty().then_some(set)
    };
    known.get_or_init(sound).as_ref()
}

fn policies(schema: Schema, named: Vec<(Policy, PolicyFact)>, out: &mut Diagnostics) -> Policies {
    let index = Index::new(named.iter().map(|(policy, _)| policy.clone()).collect());
    Policies {
        schema,
        index,
        severity: named.iter().map(|(policy, fact)| severity(policy, fact, out)).collect(),
        effects: named.iter().map(|(policy, _)| policy.effect()).collect(),
        by_id: named.iter().zip(0..).map(|((_, fact), at)| (fact.id.clone(), PolicyIndex(at))).collect(),
        facts: named.into_iter().map(|(_, fact)| fact).collect(),
    }
}

/// The policies of a file, if it can be read.
fn parse(source: SourceId, text: &str, out: &mut Diagnostics) -> Option<PolicySet> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, and at most {MAX_BYTES} are read", text.len());
        let found = rule::LIMIT_EXCEEDED.at(Span::new(source, 0, 0), message, "");
        out.report(found.help("split it into several files"));
        return None;
    }
    if let Some((at, what)) = nesting::excess(text) {
        let span = Span::new(source, at, at + 1);
        out.report(
            rule::POLICY_NESTING.at(span, format!("the policy {what}"), "").help("split it into several"),
        );
        return None;
    }
    let set = match PolicySet::from_str(text) {
        Ok(set) => set,
        Err(errors) => {
            for error in errors.iter() {
                convert(error, &rule::POLICY_SYNTAX, Span::new(source, 0, 0), out);
            }
            return None;
        }
    };
    for template in set.templates() {
        let inner: &cedar_policy_core::ast::Template = template.as_ref();
        let place = inner.loc().map_or(Span::new(source, 0, 0), |loc| head(source, loc.start(), loc.end()));
        let name = template.annotation("id").unwrap_or("this policy");
        let message = format!("`{name}` is a template, and nothing links it");
        out.report(rule::POLICY_INVALID.at(place, message, "").help("write a policy without slots"));
    }
    Some(set)
}

/// The policies of a file, in order, with their places.
fn placed(set: &PolicySet, source: SourceId) -> Vec<(Policy, Span)> {
    let mut found: Vec<_> = set.policies().map(|policy| (policy.clone(), place(policy, source))).collect();
    found.sort_by_key(|(_, span)| *span);
    found
}

/// The first character of a range, for what concerns all of it.
fn head(source: SourceId, start: usize, end: usize) -> Span {
    Span::new(source, start, end.min(start + 1))
}

/// Where a policy is written. The core crate knows; its public face does not say.
fn place(policy: &Policy, source: SourceId) -> Span {
    let inner: &cedar_policy_core::ast::Policy = policy.as_ref();
    inner.loc().map_or(Span::new(source, 0, 0), |loc| Span::new(source, loc.start(), loc.end()))
}

/// The line with `permit` or `forbid`: what follows the annotations.
fn effect_line(policy: &Policy, span: Span) -> Span {
    let word = match policy.effect() {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    };
    let inner: &cedar_policy_core::ast::Policy = policy.as_ref();
    let text = inner.loc().and_then(|loc| loc.snippet()).unwrap_or("");
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(word) {
            let start = span.start as usize + at + line.len() - line.trim_start().len();
            return Span::new(span.source, start, start + word.len());
        }
        at += line.len();
    }
    Span { end: span.end.min(span.start + 1), ..span }
}

/// Gives each policy the name that it states, and reports those that have none or share one.
fn name(read: Vec<(Policy, Span)>, out: &mut Diagnostics) -> Vec<(Policy, PolicyFact)> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut named = Vec::with_capacity(read.len());
    for (policy, span) in read {
        let head = Span { end: span.end.min(span.start + 1), ..span };
        let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()).map(str::to_owned) else {
            let help = "write `@id(\"a-name\")` before it";
            out.report(rule::POLICY_ID.at(head, "the policy has no `@id`", "").help(help));
            continue;
        };
        if let Some(first) = seen.get(&id) {
            let message = format!("there are two policies with the id `{id}`");
            out.report(rule::POLICY_ID.at(head, message, "again").label(*first, "first"));
            continue;
        }
        seen.insert(id.clone(), head);
        let text = |key| policy.annotation(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let head = effect_line(&policy, span);
        let fact = PolicyFact { title: text("title"), help: text("help"), span, head, id: id.clone() };
        named.push((policy.new_id(PolicyId::new(id)), fact));
    }
    named
}

fn severity(policy: &Policy, fact: &PolicyFact, out: &mut Diagnostics) -> Severity {
    match policy.annotation("severity") {
        None | Some("mandatory") => Severity::Mandatory,
        Some("advisory") => Severity::Advisory,
        Some(other) => {
            let message = format!("`{other}` is not a severity");
            let help = "severities are `mandatory` and `advisory`";
            out.report(rule::POLICY_INVALID.at(fact.span, message, "").help(help));
            Severity::Mandatory
        }
    }
}

fn validate(schema: &Schema, named: &[&(Policy, PolicyFact)], out: &mut Diagnostics) {
    if named.is_empty() {
        return;
    }
    let places: BTreeMap<&str, Span> = named.iter().map(|(_, fact)| (fact.id.as_str(), fact.span)).collect();
    let Ok(set) = PolicySet::from_policies(named.iter().map(|(policy, _)| policy.clone())) else {
        return;
    };
    let found = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let at = |id: &PolicyId| places.get(AsRef::<str>::as_ref(id)).copied();
    for error in found.validation_errors() {
        if let Some(place) = at(error.policy_id()) {
            convert(error, &rule::POLICY_INVALID, place, out);
        }
    }
}

/// Turns an error of Cedar into a finding: its labels point into the one file that was parsed.
fn convert(error: &dyn miette::Diagnostic, rule: &'static Rule, fallback: Span, out: &mut Diagnostics) {
    let mut labels = error.labels().into_iter().flatten();
    let (span, text) = labels.next().map_or((fallback, String::new()), |label| {
        let span = Span::new(fallback.source, label.offset(), label.offset() + label.len());
        (span, label.label().unwrap_or("").to_owned())
    });
    let mut found = rule.at(span, error.to_string(), text);
    if let Some(help) = error.help() {
        found = found.help(help.to_string());
    }
    out.report(found);
}
