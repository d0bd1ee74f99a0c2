//! Stores of an environment that no service would keep anything in.

use std::collections::BTreeMap;

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::environment::EnvironmentSpec;
use crate::resolve::{Graph, StorePlace};

static RULE: Rule = Rule {
    code: "AIP-DAT-017",
    name: "store-without-purpose",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("store_without_purpose.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (id, environment) in graph.each::<EnvironmentSpec>() {
        let mut first = BTreeMap::new();
        for named in &environment.spec.stores {
            let Some(store) = graph.get(named) else { continue };
            let (name, span) = (&named.name.value, named.name.span);
            let found = match StorePlace::of(&store.spec.kind) {
                None => {
                    let message = format!("services keep nothing for agents in `{name}`");
                    let help = "name stores of the kinds `session` and `memory`; others belong into `logging` or a route";
                    Some(RULE.at(span, message, "").help(help))
                }
                Some(place) => first.insert((place, store.spec.region.value.as_str()), span).map(|before| {
                    let message = format!("`{name}` is the second store of its kind for its region");
                    let found = RULE.at(span, message, "").label(before, "the first");
                    found.help("name one store of a kind for each region")
                }),
            };
            let copies = store.spec.replicates_to.first().map(|region| {
                let message = format!("services do not copy what they keep in `{name}`");
                RULE.at(region.span, message, "").help("leave `replicatesTo` out")
            });
            found.into_iter().chain(copies).for_each(|found| out.report(&[id], found));
        }
    }
}
