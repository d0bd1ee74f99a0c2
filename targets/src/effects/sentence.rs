//! Effects as sentences that a reviewer reads.

use std::collections::BTreeSet;

use aipolicy_compiler::ir::{CREDENTIAL, VERIFICATION};

use super::{EffectClass, Excepted, Fact};

/// "`invoice-bot` may now read connector `invoices` in eu-central-1, under waiver `audit` until 2027-01-31".
pub(super) fn of(fact: &Fact, waivers: &BTreeSet<Excepted>, class: EffectClass) -> String {
    let mut text = plain(fact, class);
    let named: Vec<_> =
        waivers.iter().map(|one| format!("waiver `{}` until {}", one.waiver, one.until)).collect();
    if !named.is_empty() {
        // What is gone was allowed so; what is there is allowed so.
        let how = if class == EffectClass::Narrows { "which it might under" } else { "under" };
        text.push_str(&format!(", {how} {}", named.join(" and ")));
    }
    text
}

fn plain(fact: &Fact, class: EffectClass) -> String {
    let may = if class == EffectClass::Narrows { "may no longer" } else { "may now" };
    let who = who(fact);
    let name = name(&fact.resource);
    let get = |key: &str| fact.context.get(key).map(String::as_str);
    match fact.action.as_str() {
        "invokeModel" => invocation(fact, may, &who),
        "readConnector" => format!("{who} {may} read {}{}", scoped(fact, name), gated(get("gate"))),
        "writeConnector" => format!("{who} {may} write to {}{}", scoped(fact, name), gated(get("gate"))),
        "callTool" => format!(
            "{} {may} call tool `{name}` to {}{}",
            get("callers").map_or_else(|| who.clone(), |callers| format!("whoever has {callers}")),
            get("access").unwrap_or("use it"),
            gated(get("gate"))
        ),
        "storeData" => storage(fact, may, name),
        "runOn" if fact.resource.starts_with("Region/") => format!("{who} {may} run in {name}"),
        "runOn" => format!("{who} {may} run on cluster `{name}`"),
        "useNamespace" => {
            format!("{who} {may} use namespace `{}` of cluster `{name}`", get("namespace").unwrap_or(""))
        }
        "useRoute" => format!("{who} {may} send requests to route `{name}`"),
        "delegate" => format!("{who} {may} hand work to agent `{name}`"),
        "supportRuntime" => format!("{who} {may} be started by {}", get("startedBy").unwrap_or("something")),
        other => format!("{who} {may} {other} `{name}`"),
    }
}

fn who(fact: &Fact) -> String {
    let (kind, name) = fact.principal.split_once('/').unwrap_or(("", &fact.principal));
    format!("{} `{name}`", kind.to_lowercase())
}

fn name(resource: &str) -> &str {
    resource.split_once('/').map_or(resource, |(_, name)| name)
}

/// "`s3://acme-invoices/eu/` (connector `invoices`)".
fn scoped(fact: &Fact, name: &str) -> String {
    match fact.context.get("scope") {
        Some(scope) => format!("`{scope}` (connector `{name}`)"),
        None => format!("connector `{name}`"),
    }
}

fn gated(gate: Option<&str>) -> String {
    match gate {
        None | Some("none") => String::new(),
        Some(VERIFICATION) => ", to verify calls of a gated tool".to_owned(),
        Some(CREDENTIAL) => ", to prove who it is".to_owned(),
        Some(gate) => format!(", behind its gate ({gate})"),
    }
}

fn invocation(fact: &Fact, may: &str, who: &str) -> String {
    let get = |key: &str| fact.context.get(key).map(String::as_str);
    let mut text = format!("{who} {may} invoke model `{}`", name(&fact.resource));
    let regions = get("region").unwrap_or("unknown");
    text.push_str(&format!(", processed in {regions}"));
    if let Some(route) = get("route") {
        let order = if get("fallback").is_some() { ", as a fallback" } else { "" };
        text.push_str(&format!(", for route `{route}`{order}"));
    }
    if let Some(tenant) = get("tenant") {
        text.push_str(&format!(", with {} data of `{tenant}`", get("dataClass").unwrap_or("")));
    }
    if let Some(profile) = get("profile") {
        text.push_str(&format!(", through profile {profile}"));
    }
    text
}

fn storage(fact: &Fact, may: &str, region: &str) -> String {
    let get = |key: &str| fact.context.get(key).map_or("", String::as_str);
    let of = fact.context.get("tenant").map_or_else(String::new, |tenant| format!(" of `{tenant}`"));
    format!("{} data{of} {may} be kept in {region} ({}, {})", get("dataClass"), get("place"), who(fact))
}
