//! Codes of rules that resources name: under `severity` of an environment, and as the rule of a waiver.

use std::collections::BTreeMap;

use crate::authorize::{Policies, SHIPPED};
use crate::check::{self, CHECKS, CHECKS_OF_POLICIES, CHECKS_OF_WAIVERS};
use crate::diagnostic::{Diagnostics, Rule};
use crate::model::environment::EnvironmentSpec;
use crate::model::waiver::WaiverSpec;
use crate::resolve::Graph;
use crate::rule::{self, RULES};
use crate::source::Span;
use crate::yaml::nearest;

/// What may be said about a rule.
#[derive(Clone, Copy)]
enum Standing {
    /// Its severity may be changed, and its findings waived.
    Free,
    /// Its severity may be changed; its findings are not waived, and why.
    NotWaived(&'static str),
    /// Neither, and why.
    Fixed(&'static str),
}

const FORM: &str = "it is about the form of the input";
const TARGET: &str = "a target says what it does not carry";
const PERMIT: &str = "what no policy permits is not granted";
const CHANGE: &str = "it is about changes of the world, which are asked about when a plan is made";
const PROOF: &str = "it is about everything that could happen, and a proof has no exceptions";
const SECRET: &str = "whoever reads the sources reads the secret";
const OF_POLICIES: &str = "it is about a policy, and a waiver names resources";
const OF_WAIVERS: &str = "it is about waivers";

/// Reports codes that mean no rule, and rules about which that cannot be said.
pub(crate) fn check(graph: &Graph, policies: &Policies, out: &mut Diagnostics) {
    let known = known(policies);
    for (_, environment) in graph.each::<EnvironmentSpec>() {
        for (code, word) in &environment.spec.severity.0 {
            match known.get(code.as_str()) {
                None => report_unknown(code, word.span, &known, out),
                Some(Standing::Fixed(why)) => {
                    let message = format!("the severity of `{code}` cannot be changed: {why}");
                    out.report(rule::FIXED_RULE.at(word.span, message, "").help("remove the line"));
                }
                Some(Standing::Free | Standing::NotWaived(_)) => {}
            }
        }
    }
    for (_, waiver) in graph.each::<WaiverSpec>() {
        let (code, span) = (waiver.spec.rule.value.as_str(), waiver.spec.rule.span);
        let why = match known.get(code) {
            None => {
                report_unknown(code, span, &known, out);
                continue;
            }
            Some(Standing::Free) => continue,
            Some(Standing::NotWaived(why) | Standing::Fixed(why)) => why,
        };
        let message = format!("`{code}` cannot be waived: {why}");
        out.report(
            rule::FIXED_RULE.at(span, message, "").help("correct what it finds, and remove the waiver"),
        );
    }
}

/// Every rule of the product and of the workspace.
fn known(policies: &Policies) -> BTreeMap<&str, Standing> {
    let told_by_targets = rule::NOT_CARRIED.code;
    let fixed = RULES.iter().map(|rule| match rule.code == told_by_targets {
        true => (rule.code, Standing::NotWaived(TARGET)),
        false => (rule.code, Standing::Fixed(why_fixed(rule.code))),
    });
    let shipped = SHIPPED.iter().map(|policy| (policy.id(), policy.forbids()));
    let asked = policies.facts().iter().map(|fact| (fact.id.as_str(), policies.forbids(&fact.id)));
    let policies = shipped.chain(asked).map(|(id, forbids)| {
        let change = policies.is_about_changes(id);
        (
            id,
            if !forbids {
                Standing::Fixed(PERMIT)
            } else if change {
                Standing::Fixed(CHANGE)
            } else {
                Standing::Free
            },
        )
    });
    let checks = CHECKS.iter().map(|check| (check.rule.code, Standing::Free));
    let of_waivers = CHECKS_OF_WAIVERS.iter().map(|check| (check.rule.code, Standing::NotWaived(OF_WAIVERS)));
    let of_policies = CHECKS_OF_POLICIES.iter();
    let of_policies = of_policies.map(|check| (check.rule.code, Standing::NotWaived(OF_POLICIES)));
    fixed.chain(policies).chain(checks).chain(of_policies).chain(of_waivers).collect()
}

fn why_fixed(code: &str) -> &'static str {
    let is = |rules: &[&Rule]| rules.iter().any(|rule| rule.code == code);
    if is(&[&rule::NOT_PERMITTED]) {
        PERMIT
    } else if is(rule::OF_PLANS) {
        CHANGE
    } else if is(rule::OF_RESIDENCY) || is(rule::OF_PRIVILEGE) {
        PROOF
    } else if is(&[&rule::INLINE_SECRET]) {
        SECRET
    } else if code.starts_with("AIP-CMP") || code.starts_with("AIP-IAM") {
        TARGET
    } else {
        FORM
    }
}

fn report_unknown(code: &str, span: Span, known: &BTreeMap<&str, Standing>, out: &mut Diagnostics) {
    let found = rule::UNKNOWN_RULE.at(span, format!("no check and no policy has the code `{code}`"), "");
    let named = check::all().map(|check| check.rule).find(|rule| rule.name == code).map(|rule| rule.code);
    out.report(match named.or_else(|| nearest(code, known.keys().copied())) {
        Some(near) => found.help(format!("`{near}` is the nearest")),
        None => found.help("`aipolicy explain` lists the codes of all rules"),
    });
}
