//! Fallbacks below the tier that callers were promised.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::route::RouteSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-RTE-019",
    name: "quality-tier-downgrade-silent",
    severity: Severity::Advisory,
    family: Family::Verdict,
    page: include_str!("quality_tier_downgrade_silent.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, route) in graph.each::<RouteSpec>() {
        let Some(floor) = &route.spec.quality_floor else { continue };
        for standby in graph.standbys(id) {
            let name = standby.model.name();
            let message = match &standby.model.spec.tier {
                Some(tier) if tier.value >= floor.value => continue,
                Some(tier) => format!("`{name}` is {}, and callers are not told", tier.value.word()),
                None => {
                    format!("`{name}` says no tier, so it may be below the floor, and callers are not told")
                }
            };
            let found = RULE.at(standby.at, message, "");
            let found = found.label(floor.span, "the floor").label(standby.named, "the model");
            let help = "fall back to a model of that tier, or lower `qualityFloor`";
            out.report(&graph.places_of_route(&route.spec), found.help(help));
        }
    }
}
