//! The proof of residency against every way of content, one after the other, and against what policies decide.

mod enumerate;
mod generate;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::flow::{Residence, follow};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::resolve::{Graph, link};
use aipolicy_compiler::source::{SourceKind, SourceMap};

use crate::harness::compile::compile;
use enumerate::{Facts, Way, ways};
use generate::{text, workspace};

/// How many workspaces are made.
const WORKSPACES: u64 = 1_000;

/// For how many of them policies are asked, which takes most of the time.
const ASKED: u64 = 120;

/// Residency policies that ask something else than where data may be: what is offered, what is open, what was agreed to.
const BESIDE: [&str; 4] = ["AIP-RES-008", "AIP-RES-009", "AIP-RES-013", "AIP-RES-022"];

fn linked(text: &str) -> Graph {
    let (mut sources, mut out) = (SourceMap::new(), Diagnostics::default());
    sources.add("aipolicy.yaml", text, SourceKind::Resources);
    let bundle = aipolicy_compiler::read(&sources, &mut out);
    let graph = link(bundle, &[], &sources, &mut out);
    let wrong: Vec<_> = out.iter().map(|one| &one.message).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{text}");
    graph
}

fn followed<'g>(graph: &'g Graph, environment: &str) -> Residence<'g> {
    follow(graph, graph.find::<EnvironmentSpec>(environment).unwrap())
}

/// The names on a way, as both write them: places have none, and a region comes last.
fn names(found: &Residence<'_>) -> Option<Vec<String>> {
    let leak = found.leaks.first()?;
    let named = leak.steps.iter().map(|step| step.name.to_owned()).filter(|name| !name.is_empty());
    Some(named.chain([leak.end.region.clone()]).collect())
}

/// A way without the words that stand for places in the enumeration.
fn plain(way: &Way) -> Vec<String> {
    const PLACES: [&str; 9] =
        ["session", "waits", "memory", "held", "runs", "processed", "home", "copy", "cluster"];
    way.steps.iter().filter(|step| !PLACES.contains(&step.as_str())).cloned().collect()
}

#[test]
fn it_counts_what_an_enumeration_finds_and_agrees_with_the_policies() {
    let facts = Facts::new();
    let (mut held, mut leaks, mut broken, mut longest) = (0, 0, 0_u64, 0);
    for seed in 0..WORKSPACES {
        let all = workspace(seed);
        let text = text(&all);
        let graph = linked(&text);
        let mut any = false;
        for environment in ["prod", "lab"] {
            let found = followed(&graph, environment);
            let all = ways(&all, &facts, environment);
            let leaking: Vec<_> = all.iter().filter(|way| way.leaks).collect();
            let count = |is: fn(&Way) -> bool| all.iter().filter(|way| is(way)).count() as u128;
            let counted = [count(|way| way.held), count(|way| !way.held), leaking.len() as u128];
            let ours = [found.count.held, found.count.free, found.count.leaks];
            assert_eq!(ours, counted, "seed {seed}, {environment}: {:#?}\n{text}", found.leaks);
            assert!(found.endless.is_empty());
            let shortest = leaking.iter().map(|way| way.steps.len()).min();
            assert_eq!(found.leaks.first().map(|leak| leak.steps.len() + 1), shortest, "seed {seed}");
            if let Some(names) = names(&found) {
                let is_one = |way: &&&Way| Some(way.steps.len()) == shortest && plain(way) == names;
                assert!(
                    leaking.iter().any(|way| is_one(&way)),
                    "seed {seed}: {names:?}\n{leaking:#?}\n{text}"
                );
            }
            assert_eq!(found.holds(), leaking.is_empty() && !all.is_empty(), "seed {seed}");
            any |= !leaking.is_empty();
            held += counted[0];
            leaks += counted[2];
            broken += u64::from(!leaking.is_empty());
            longest = longest.max(shortest.unwrap_or(0));
        }
        if seed < ASKED {
            let compiled = compile(&[("aipolicy.yaml".to_owned(), text.clone())]);
            let codes: Vec<_> = compiled.diagnostics.iter().map(|one| &*one.code).collect();
            let is_about_places = |code: &&str| code.starts_with("AIP-RES-") && !BESIDE.contains(code);
            let refused = codes.iter().any(is_about_places);
            assert_eq!(refused, any, "seed {seed}: {codes:?}\n{text}");
        }
    }
    println!(
        "{held} paths in {WORKSPACES} workspaces, {leaks} leak, {broken} of {} environments broken, the longest shortest leak has {longest} steps",
        2 * WORKSPACES
    );
    assert!(broken > 200 && broken < 2 * WORKSPACES - 200, "both answers are common: {broken}");
}

/// What all cases have.
const SHARED: &str = r#"
{ apiVersion: aipolicy.dev/v1, kind: Workspace, metadata: { name: w }, spec: { packs: [baseline], targets: [] } }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec: { aws: { accountId: "111122223333", regions: [eu-central-1] } }
---
apiVersion: aipolicy.dev/v1
kind: ResidencyRule
metadata: { name: r }
spec: { appliesTo: { dataClasses: [confidential] }, allow: { jurisdictions: [eu] } }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: t }
spec: { owner: a@acme.example, environments: [prod], clearance: [internal], models: [] }
---
apiVersion: aipolicy.dev/v1
kind: Gateway
metadata: { name: g }
spec: { dialect: litellm, environment: prod, region: eu-central-1 }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: home }
spec: { provider: bedrock, modelId: openai.gpt-oss-20b-1:0 }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: abroad }
spec: { provider: bedrock, modelId: openai.gpt-oss-20b-1:0, regions: [us-east-1] }
"#;

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: aipolicy.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

/// The shared documents with more of them.
fn with(documents: &[(&str, &str, &str)]) -> Graph {
    let more: String = documents.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect();
    linked(&format!("{SHARED}{more}"))
}

const ROUTE: &str = "gateway: g, match: { tenants: [t] }, dataClass: confidential, caps: { output: 1k }";

fn route(rest: &str) -> String {
    format!("{ROUTE}, primary: [{{ model: home }}], {rest}")
}

#[test]
fn the_shortest_of_several_leaks_is_told_with_every_step() {
    let (first, second) = (
        route("fallback: [{ route: second, on: [timeout] }, { model: home, on: [timeout] }]"),
        route("fallback: [{ route: third, on: [timeout] }, { model: abroad, on: [timeout] }]"),
    );
    let third = route("fallback: [{ model: abroad, on: [throttled] }]");
    let graph = with(&[("Route", "first", &first), ("Route", "second", &second), ("Route", "third", &third)]);
    let found = followed(&graph, "prod");
    let steps: Vec<_> =
        found.leaks.iter().map(|leak| leak.steps.iter().map(|step| step.name).collect::<Vec<_>>()).collect();
    assert_eq!(
        steps,
        [
            vec!["t", "second", "abroad", ""],
            vec!["t", "third", "abroad", ""],
            vec!["t", "first", "second", "abroad", ""],
        ]
    );
    assert_eq!(found.leaks[2].end.region, "us-east-1");
    // Each route passes the gateway and has its model; from `first` there are three gateways, four models at home, and two abroad.
    assert_eq!(found.count.leaks, 1 + 2 + 2);
    assert_eq!(found.count.held, 3 + (3 + 3) + (3 + 3 + 3));
    assert!(!found.holds());
}

#[test]
fn ways_that_come_together_are_counted_and_not_walked() {
    const DEEP: usize = 100;
    let routes: Vec<(String, String)> = (0..DEEP)
        .map(|at| {
            let next = format!("{{ route: x{}, on: [timeout] }}", at + 1);
            let last = at + 1 == DEEP;
            let fallback = if last { String::new() } else { format!("fallback: [{next}, {next}]") };
            (format!("x{at}"), route(&fallback))
        })
        .collect();
    let documents: Vec<_> =
        routes.iter().map(|(name, spec)| ("Route", name.as_str(), spec.as_str())).collect();
    let found_in = with(&documents);
    let found = followed(&found_in, "prod");
    // Behind a route that leads on for `n` more there are two ways of its own and twice those of the next: 2 × (2ⁿ⁺¹ − 1).
    let all: u128 = (0..DEEP).map(|more| 2 * ((1 << (more + 1)) - 1)).sum();
    assert_eq!(found.count.held, all);
    assert!(found.holds());
}

#[test]
fn what_comes_back_to_itself_is_not_proven() {
    let (one, other) =
        (route("fallback: [{ route: y, on: [timeout] }]"), route("fallback: [{ route: x, on: [timeout] }]"));
    let graph = with(&[("Route", "x", &one), ("Route", "y", &other)]);
    let found = followed(&graph, "prod");
    assert_eq!(found.count.leaks, 0);
    assert_eq!(found.endless.iter().map(|step| step.name).collect::<Vec<_>>(), ["x", "y"]);
    assert!(!found.holds());

    let base =
        "knowledgeBase: { id: ABCDEFGHIJ, sources: [k] }, region: eu-central-1, dataClass: confidential";
    let agent = "tenant: t, model: { model: home }, tools: [{ name: look, connector: k, access: read }]";
    let graph = with(&[("Connector", "k", base), ("Agent", "a", agent)]);
    let found = followed(&graph, "prod");
    assert_eq!(found.endless.iter().map(|step| step.name).collect::<Vec<_>>(), ["k"]);
    assert!(!found.holds());
}

#[test]
fn nothing_is_proven_about_nothing() {
    let graph = with(&[]);
    assert!(!followed(&graph, "prod").holds(), "there is a rule, and nothing that it could be about");
    let of_tenant = with(&[("Route", "x", &route(""))]);
    assert!(followed(&of_tenant, "prod").holds());
    let without = linked(&format!(
        "{}{}",
        SHARED.replace("kind: ResidencyRule", "kind: Group").replace(
            "spec: { appliesTo: { dataClasses: [confidential] }, allow: { jurisdictions: [eu] } }",
            "spec: { members: [a@acme.example] }",
        ),
        document("Route", "x", &route(""))
    ));
    let found = followed(&without, "prod");
    assert_eq!((found.rules, found.count.held, found.count.free), (0, 0, 2));
    assert!(!found.holds());
}

#[test]
fn places_that_are_easily_forgotten_are_followed() {
    let agent =
        |rest: &str| format!("tenant: t, clearance: [confidential], model: {{ model: home }}, {rest}");
    let other =
        ("Tenant", "u", "owner: b@acme.example, environments: [prod], clearance: [confidential], models: []");
    let of_t = ("ResidencyRule", "of-t", "appliesTo: { tenants: [t] }, allow: { regions: [eu-central-1] }");
    let cluster =
        ("Cluster", "us", "environment: prod, region: us-east-1, eksName: us, identity: pod-identity");
    let own =
        ("Model", "own", "provider: self-hosted, modelId: a/b, endpoint: \"http://own.lab.svc:8000/v1\"");
    let abroad = |kind: &str| format!("{kind}, region: us-east-1, dataClass: confidential");
    let (function, queue, base) = (
        abroad("lambda: { function: f }"),
        abroad("sqs: { queue: q }"),
        abroad("knowledgeBase: { id: ABCDEFGHIJ }"),
    );
    let verified =
        agent("tools: [{ name: pay, connector: here, access: write, gate: { verify: { with: k } } }]");
    let here =
        ("Connector", "here", "lambda: { function: g }, region: eu-central-1, dataClass: confidential");
    let failing = agent("triggers: [{ sns: { topic: news, deadLetter: k } }]");
    let handing = agent("collaborators: [{ agent: b }]");
    let theirs = "tenant: u, clearance: [confidential], model: { model: home }";
    let looking = route("context: { retrieval: k }");
    let anybody = ROUTE.replace("tenants: [t]", "task: talk").replace("gateway: g", "gateway: far")
        + ", primary: [{ model: home }]";
    let far = ("Gateway", "far", "dialect: litellm, environment: prod, region: us-east-1");
    let elsewhere =
        ("Gateway", "far", "dialect: litellm, environment: prod, region: eu-central-1, cluster: us");
    let served = route("").replace("model: home", "model: own");
    let serving = ("Workload", "s", "tenant: t, platform: eks, cluster: us, serves: { model: own }");
    let through = route("").replace("gateway: g", "gateway: far");
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str, &'a str)>, &'a str);
    let cases: Vec<Case<'_>> = vec![
        (
            "a function that verifies",
            vec![here, ("Connector", "k", &function), ("Agent", "a", &verified)],
            "us-east-1",
        ),
        ("a queue for what fails", vec![("Connector", "k", &queue), ("Agent", "a", &failing)], "us-east-1"),
        (
            "an agent of a tenant under fewer rules",
            vec![other, of_t, ("Agent", "a", &handing), ("Agent", "b", theirs)],
            "unknown",
        ),
        ("retrieval of a route", vec![("Connector", "k", &base), ("Route", "x", &looking)], "us-east-1"),
        ("a route for everybody", vec![far, ("Route", "x", &anybody)], "us-east-1"),
        ("a model of one's own", vec![cluster, own, ("Route", "x", &served), serving], "us-east-1"),
        ("a model of one's own that nobody serves", vec![own, ("Route", "x", &served)], "unknown"),
        ("a gateway on a cluster", vec![cluster, elsewhere, ("Route", "x", &through)], "us-east-1"),
    ];
    for (what, documents, region) in cases {
        let graph = with(&documents);
        let found = followed(&graph, "prod");
        let ends: Vec<_> = found.leaks.iter().map(|leak| leak.end.region.as_str()).collect();
        assert!(ends.contains(&region), "{what}: {:#?}", found.leaks);
    }
}
