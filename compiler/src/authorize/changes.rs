//! Asks Cedar whether changes of the world may be made.

use cedar_policy::{Authorizer, Decision as Verdict, Entity, Request};
use jiff::Timestamp;
use jiff::civil::Weekday as Day;
use jiff::tz::TimeZone;

use super::asked::on_large_stacks;
use super::entities::{Attributes, Key, Made, Slice, uid, uid_of};
use super::policies::Policies;
use super::shared::Shared;
use super::value::{bool, context, entity, long, string};
use crate::diagnostic::Diagnostics;
use crate::model::Id;
use crate::model::environment::{ChangeWindow, EnvironmentSpec, Weekday};
use crate::resolve::Graph;
use crate::rule;
use crate::source::Span;

/// A change, as policies see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The target of the document, for instance `iam`.
    pub target: String,
    /// Its kind, for instance `Role`.
    pub kind: String,
    /// Its whole address.
    pub address: String,
    /// `create`, `update` or `delete`.
    pub operation: &'static str,
    /// `neutral`, `narrows`, `widens` or `mixed`.
    pub effect: &'static str,
}

/// Asks about every change at a moment. What is refused or cannot be evaluated is reported; the answer is whether all
/// may be made.
pub fn permit_changes(
    (graph, policies): (&Graph, &Policies),
    environment: Id<EnvironmentSpec>,
    (changes, now): (&[ChangeRequest], Timestamp),
    out: &mut Diagnostics,
) -> bool {
    let Some(found) = graph.resource(environment) else { return false };
    let span = found.name_span();
    let day = now.to_zoned(TimeZone::UTC).date().to_string();
    let shared = Shared::new(graph, &policies.schema, &day);
    let asked = Asked { graph, policies, shared, environment, spec: &found.spec, now };
    let refusals = || changes.iter().map(|change| asked.refusal(change)).collect::<Result<Vec<_>, String>>();
    match on_large_stacks(refusals) {
        Ok(refusals) => {
            let refusals: Vec<_> = refusals.into_iter().flatten().collect();
            refusals.iter().for_each(|refusal| asked.report(refusal, span, out));
            refusals.is_empty()
        }
        Err(why) => {
            out.report(rule::POLICY_ERROR.at(span, format!("a change cannot be evaluated: {why}"), ""));
            false
        }
    }
}

struct Asked<'a> {
    graph: &'a Graph,
    policies: &'a Policies,
    shared: Shared<'a>,
    environment: Id<EnvironmentSpec>,
    spec: &'a EnvironmentSpec,
    now: Timestamp,
}

/// A change that may not be made, and the policies that forbid it; none where nothing permits it.
struct Refusal {
    change: ChangeRequest,
    by: Vec<usize>,
    /// Whether it may be made in a window, and with the approvals that are required.
    waits: bool,
}

/// What a change waits for.
#[derive(Clone, Copy)]
struct Awaited {
    approvals: u32,
    in_window: bool,
}

impl Asked<'_> {
    fn refusal(&self, change: &ChangeRequest) -> Result<Option<Refusal>, String> {
        let now = Awaited { approvals: 0, in_window: in_window(&self.spec.change_windows, self.now) };
        let Some(by) = self.refused(change, now)? else { return Ok(None) };
        let then = Awaited { approvals: self.required(), in_window: true };
        let waits = self.refused(change, then)?.is_none();
        Ok(Some(Refusal { change: change.clone(), by, waits }))
    }

    /// The policies that forbid a change, where it may not be made.
    fn refused(&self, change: &ChangeRequest, awaited: Awaited) -> Result<Option<Vec<usize>>, String> {
        let own = uid_of(self.graph, self.environment);
        let resource = uid("Artifact", &change.address);
        let attributes = vec![("target", string(&change.target)), ("kind", string(&change.kind))];
        let artifact = Entity::from(Made::of("Artifact", &change.address, attributes).entity());
        let schema = &self.policies.schema;
        let mut slice = Slice::new(&self.shared);
        slice.add(Key::Environment(self.environment));
        let entities = slice.finish()?;
        let entities = entities.add_entities([artifact], Some(schema)).map_err(|error| error.to_string())?;
        let context = context(self.context(change, awaited)?);
        let action = uid("Action", "change");
        let request = Request::new(own.clone(), action, resource, context, Some(schema))
            .map_err(|error| error.to_string())?;
        let candidates = self.policies.index.candidates("change", &[own], &std::collections::BTreeSet::new());
        let answer = Authorizer::new().is_authorized(&request, &candidates, &entities);
        if let Some(error) = answer.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let by = answer.diagnostics().reason().filter_map(|id| self.policies.position(id));
        let by = by.map(|at| at.0 as usize).collect();
        Ok((answer.decision() == Verdict::Deny).then_some(by))
    }

    fn required(&self) -> u32 {
        self.spec.approvals.as_ref().map_or(0, |approvals| approvals.required.value.0)
    }

    fn context(&self, change: &ChangeRequest, awaited: Awaited) -> Result<Attributes, String> {
        Ok(vec![
            ("environment", entity(uid_of(self.graph, self.environment))),
            ("today", self.shared.today.clone()?),
            ("operation", string(change.operation)),
            ("effect", string(change.effect)),
            ("approvals", long(awaited.approvals)),
            ("approvalsRequired", long(self.required())),
            ("inWindow", bool(awaited.in_window)),
        ])
    }

    fn report(&self, refusal: &Refusal, span: Span, out: &mut Diagnostics) {
        let what = format!(
            "to {} `{}` ({})",
            refusal.change.operation, refusal.change.address, refusal.change.effect
        );
        let facts = refusal.by.iter().filter_map(|at| self.policies.facts.get(*at));
        let mut found = match refusal.by.first().and_then(|at| self.policies.facts.get(*at)) {
            Some(fact) => {
                let message = format!("policy `{}` forbids {what}", fact.id);
                let rule = if refusal.waits { &rule::CHANGE_WAITS } else { &rule::FORBIDDEN };
                let found = rule.at(span, message, "in this environment");
                fact.help.iter().fold(found, |found, help| found.help(help.clone()))
            }
            None => {
                let rule = if refusal.waits { &rule::CHANGE_WAITS } else { &rule::NOT_PERMITTED };
                rule.at(span, format!("no policy permits {what}"), "in this environment")
            }
        };
        for fact in facts {
            found = found.label(fact.head, format!("forbidden by `{}`", fact.id));
        }
        out.report(found);
    }
}

/// Whether a moment is inside a window; without windows every moment is.
fn in_window(windows: &[ChangeWindow], now: Timestamp) -> bool {
    windows.is_empty() || windows.iter().any(|window| is_inside(window, now).unwrap_or(false))
}

fn is_inside(window: &ChangeWindow, now: Timestamp) -> Option<bool> {
    let zone = match &window.time_zone {
        Some(zone) => TimeZone::get(&zone.value.0).ok()?,
        None => TimeZone::UTC,
    };
    let local = now.to_zoned(zone);
    let minutes = u16::try_from(local.hour()).ok()? * 60 + u16::try_from(local.minute()).ok()?;
    let day = window.days.iter().any(|day| weekday(day.value) == local.weekday());
    Some(day && (window.from.value.minutes..window.to.value.minutes).contains(&minutes))
}

fn weekday(day: Weekday) -> Day {
    match day {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::{Scalar, TimeOfDay, TimeZone as Zone};
    use crate::source::{SourceId, Spanned};

    fn here<T>(value: T) -> Spanned<T> {
        Spanned { value, span: Span::new(SourceId::DEFAULTS, 0, 0) }
    }

    fn time(text: &str) -> Spanned<TimeOfDay> {
        here(TimeOfDay::parse(text).ok().unwrap())
    }

    #[test]
    fn a_window_is_in_the_time_of_its_zone() {
        let zone = Zone::parse("Europe/Berlin").ok().map(here);
        let days = vec![here(Weekday::Monday)];
        let window = [ChangeWindow { days, from: time("09:00"), to: time("16:00"), time_zone: zone }];
        let at = |text: &str| in_window(&window, text.parse().unwrap());
        assert!(at("2026-11-23T08:00:00Z"), "nine in Berlin");
        assert!(!at("2026-11-23T07:59:00Z"));
        assert!(!at("2026-11-23T15:00:00Z"), "the end is not part of it");
        assert!(!at("2026-11-24T10:00:00Z"), "a Tuesday");
        assert!(in_window(&[], "2026-11-24T10:00:00Z".parse().unwrap()));
    }
}
