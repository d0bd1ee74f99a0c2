//! Which findings do not stop on a day, because a waiver names them: its rule, their resource, and their fingerprint.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, Waived};
use crate::fingerprint::{Fingerprint, fingerprints};
use crate::model::value::Date;
use crate::model::waiver::WaiverSpec;
use crate::model::{Id, KindName, Name, Resource};
use crate::resolve::Graph;
use crate::source::{SourceMap, Span};

/// A resource as people name it.
pub type ResourceName<'g> = (KindName, &'g Name);

/// The waivers of a workspace on a day, and what they have excepted so far. One that has expired excepts nothing.
#[derive(Debug)]
pub struct Waivers<'g> {
    graph: &'g Graph,
    sources: &'g SourceMap,
    today: Date,
    /// Waivers in force, by their rule, in the order of their names.
    by_rule: BTreeMap<&'g str, Vec<Id<WaiverSpec>>>,
    /// Where resources are, in the order of places.
    places: Vec<(Span, ResourceName<'g>)>,
    met: BTreeMap<Id<WaiverSpec>, Vec<Met<'g>>>,
    whole: bool,
}

/// A finding of the rule of a waiver in one of its resources.
#[derive(Clone, Debug)]
pub(crate) struct Met<'g> {
    pub(crate) resource: ResourceName<'g>,
    pub(crate) print: Fingerprint,
    pub(crate) message: String,
}

impl<'g> Waivers<'g> {
    /// The waivers that are in force on a day. The last day of a waiver ends at midnight UTC.
    pub fn new(graph: &'g Graph, sources: &'g SourceMap, today: Date) -> Self {
        let mut all: Vec<_> = graph.each::<WaiverSpec>().collect();
        all.retain(|(_, waiver)| today <= waiver.spec.expires.value);
        all.sort_by_key(|(_, waiver)| waiver.name());
        let mut by_rule: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, waiver) in all {
            by_rule.entry(waiver.spec.rule.value.as_str()).or_default().push(id);
        }
        let places = if by_rule.is_empty() { Vec::new() } else { places(graph) };
        Self { graph, sources, today, by_rule, places, met: BTreeMap::new(), whole: false }
    }

    /// The resources.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// Every text.
    pub(crate) fn sources(&self) -> &'g SourceMap {
        self.sources
    }

    /// The day.
    pub fn today(&self) -> Date {
        self.today
    }

    /// Notes that every rule was asked, so that what was not met is not there.
    pub(crate) fn conclude(&mut self) {
        self.whole = true;
    }

    /// Every waiver in force with the findings that it could mean; nothing where some rule was not asked.
    pub(crate) fn concluded(&self) -> impl Iterator<Item = (&'g Resource<WaiverSpec>, &[Met<'g>])> {
        let ids = self.by_rule.values().flatten().filter(|_| self.whole);
        ids.filter_map(|id| {
            Some((self.graph.resource(*id)?, self.met.get(id).map_or(&[][..], Vec::as_slice)))
        })
    }

    /// Whether a waiver is in force.
    pub(crate) fn holds(&self, id: Id<WaiverSpec>) -> bool {
        self.graph.resource(id).is_some_and(|waiver| self.today <= waiver.spec.expires.value)
    }

    /// Marks the findings that a waiver in force names, and tells the waiver of each. They have to be all findings of
    /// their rules.
    pub fn apply(&mut self, found: &mut Diagnostics) -> Vec<Option<Id<WaiverSpec>>> {
        if !found.iter().any(|one| self.by_rule.contains_key(&*one.code)) {
            return vec![None; found.len()];
        }
        let prints = fingerprints(&*found, self.sources);
        let one = |(found, print): (&mut crate::diagnostic::Diagnostic, Fingerprint)| {
            let resource = self.resource_at(found.primary.span)?;
            let mut by = None;
            for id in self.by_rule.get(&*found.code)? {
                let Some(waiver) = self.graph.resource(*id).filter(|one| names(&one.spec, resource)) else {
                    continue;
                };
                let met = Met { resource, print, message: found.message.clone() };
                self.met.entry(*id).or_default().push(met);
                if waiver.spec.lists(print) && by.is_none() {
                    found.waived = Some(Arc::new(waived(waiver)));
                    by = Some(*id);
                }
            }
            by
        };
        found.iter_mut().zip(prints).map(one).collect()
    }

    /// The resource that a place is in.
    fn resource_at(&self, span: Span) -> Option<ResourceName<'g>> {
        let after = self
            .places
            .partition_point(|(place, _)| (place.source, place.start) <= (span.source, span.start));
        let (place, name) = self.places.get(after.checked_sub(1)?)?;
        place.contains(span).then_some(*name)
    }
}

fn places(graph: &Graph) -> Vec<(Span, ResourceName<'_>)> {
    let resources = graph.bundle().resources().into_iter();
    let mut places: Vec<_> = resources.map(|(kind, name, span)| (span, (kind, &name.value))).collect();
    places.sort_unstable_by_key(|(span, _)| *span);
    places
}

fn names(waiver: &WaiverSpec, (kind, name): ResourceName<'_>) -> bool {
    waiver.resources.iter().any(|named| named.kind == kind && named.name.value == *name)
}

fn waived(waiver: &Resource<WaiverSpec>) -> Waived {
    Waived {
        by: waiver.name().to_string(),
        expires: waiver.spec.expires.value.to_string(),
        owner: waiver.spec.owner.value.to_string(),
        reason: waiver.spec.reason.value.to_string(),
        ticket: waiver.spec.ticket.value.to_string(),
        span: waiver.name_span(),
    }
}
