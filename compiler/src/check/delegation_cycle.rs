//! Agents that hand work round in a circle without an end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::agent::AgentSpec;
use crate::model::{Id, Ref};
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-011",
    name: "delegation-cycle",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("delegation_cycle.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    let mut reported = BTreeSet::new();
    // By name, so that the finding stays where it is when resources are moved.
    let mut starts: Vec<_> = graph.each::<AgentSpec>().collect();
    starts.sort_by_key(|(_, agent)| agent.name().as_str());
    for (start, _) in starts {
        let Some(circle) = circle(graph, start) else { continue };
        let ids: BTreeSet<_> = circle.iter().map(|(from, _)| *from).collect();
        if !ids.is_disjoint(&reported) {
            continue;
        }
        report(graph, &circle, out);
        reported.extend(ids);
    }
}

/// An agent, and where it names the next one.
type Step<'g> = (Id<AgentSpec>, &'g Ref<AgentSpec>);

/// The shortest way on which work comes back to an agent; a step with `maxDepth` ends it.
fn circle<'g>(graph: &'g Graph, start: Id<AgentSpec>) -> Option<Vec<Step<'g>>> {
    let mut reached: BTreeMap<Id<AgentSpec>, Step<'g>> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(from) = open.pop_front() {
        let unbounded = graph.resource(from)?.spec.collaborators.iter().filter(|one| one.max_depth.is_none());
        for next in unbounded.map(|one| &one.agent) {
            let Some(id) = next.id() else { continue };
            if let Entry::Vacant(entry) = reached.entry(id) {
                entry.insert((from, next));
                open.push_back(id);
            }
        }
    }
    let mut steps = vec![*reached.get(&start)?];
    while let Some((from, _)) = steps.last().copied().filter(|(from, _)| *from != start) {
        steps.push(*reached.get(&from)?);
    }
    steps.reverse();
    Some(steps)
}

/// The most agents of a circle that a message names.
const LONGEST: usize = 12;

fn report(graph: &Graph, circle: &[Step<'_>], out: &mut Findings<'_>) {
    let Some((_, closing)) = circle.last() else { return };
    let names = circle.iter().chain(circle.first()).map(|(id, _)| graph.name(*id));
    let mut names: Vec<_> = names.collect();
    if names.len() > LONGEST {
        names.splice(LONGEST / 2..names.len() - LONGEST / 2, ["…"]);
    }
    let message = format!("agents hand work on in a circle: {}", names.join(" → "));
    let agents = circle.iter().filter_map(|(id, _)| graph.resource(*id));
    let places: Vec<_> = agents.flat_map(|agent| graph.places_of_agent(&agent.spec)).collect();
    let found = RULE.at(closing.name.span, message, "closes the circle");
    out.report(&places, found.help("leave this one out, or bound it with `maxDepth`"));
}
