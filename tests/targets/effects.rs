//! What two revisions allow, compared: gains, losses, and what counts as one of each.

use std::collections::BTreeMap;

use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::effects::{Cause, Excepted, Fact, Facts, compare, facts, recall, record};
use aipolicy_targets::plan::EffectClass::{self, Narrows, Widens};

use crate::harness::workspace::Built;

fn fact(action: &str, resource: &str, context: &[(&str, &str)]) -> Fact {
    let context: BTreeMap<_, _> =
        context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Fact { principal: "Agent/bot".into(), action: action.into(), resource: resource.into(), context }
}

/// What a case is about, the facts before and after, and the effects of that.
type Case<'a> = (&'a str, &'a [Fact], &'a [Fact], &'a [(EffectClass, &'a str)]);

fn of(facts: &[Fact]) -> Facts {
    facts.iter().map(|fact| (fact.clone(), Cause::default())).collect()
}

#[test]
fn grants_that_differ_are_gained_and_lost() {
    let read = |gate| fact("readConnector", "Connector/files", &[("gate", gate)]);
    let write = |gate| fact("writeConnector", "Connector/files", &[("gate", gate)]);
    let invoke = |region| fact("invokeModel", "Model/m", &[("region", region), ("dataClass", "internal")]);
    let through = |region| {
        fact("invokeModel", "Model/m", &[("region", region), ("dataClass", "internal"), ("profile", "eu.m")])
    };
    let cases: &[Case<'_>] = &[
        ("nothing", &[read("none")], &[read("none")], &[]),
        ("gain", &[], &[read("none")], &[(Widens, "agent `bot` may now read connector `files`")]),
        ("loss", &[read("none")], &[], &[(Narrows, "agent `bot` may no longer read connector `files`")]),
        (
            "a gate that goes away is one gain and one loss",
            &[write("approval")],
            &[write("none")],
            &[
                (Widens, "agent `bot` may now write to connector `files`"),
                (Narrows, "agent `bot` may no longer write to connector `files`, behind its gate (approval)"),
            ],
        ),
        (
            "regions are one effect",
            &[invoke("eu-central-1")],
            &[invoke("eu-central-1"), invoke("eu-west-1"), invoke("eu-west-3")],
            &[(Widens, "agent `bot` may now invoke model `m`, processed in eu-west-1, eu-west-3")],
        ),
        (
            "regions of different calls are not",
            &[],
            &[invoke("eu-west-1"), through("eu-west-3")],
            &[
                (
                    Widens,
                    "agent `bot` may now invoke model `m`, processed in eu-west-3, through profile eu.m",
                ),
                (Widens, "agent `bot` may now invoke model `m`, processed in eu-west-1"),
            ],
        ),
        (
            "a region that is exchanged",
            &[invoke("eu-west-1")],
            &[invoke("us-east-1")],
            &[
                (Widens, "agent `bot` may now invoke model `m`, processed in us-east-1"),
                (Narrows, "agent `bot` may no longer invoke model `m`, processed in eu-west-1"),
            ],
        ),
    ];
    for (what, before, after, expected) in cases {
        let found = compare(&of(before), &of(after));
        let found: Vec<_> = found.iter().map(|effect| (effect.class, effect.sentence.as_str())).collect();
        assert_eq!(found, *expected, "{what}");
        let back = compare(&of(after), &of(before));
        assert_eq!(back.len(), found.len(), "{what}, the other way round");
    }
}

/// A waiver changes what is said of a grant, and nothing of whether it is one: regions that it opens are told apart from those
/// that need none, and a grant that is there with and without it is no effect.
#[test]
fn a_grant_that_needs_a_waiver_names_it() {
    let invoke = |region| fact("invokeModel", "Model/m", &[("region", region)]);
    let under = |names: &[&str]| Cause {
        waivers: names
            .iter()
            .map(|name| Excepted { waiver: (*name).to_owned(), until: "2027-01-31".to_owned() })
            .collect(),
        ..Cause::default()
    };
    let facts: Facts = [
        (invoke("eu-central-1"), under(&[])),
        (invoke("us-east-1"), under(&["a"])),
        (invoke("us-west-2"), under(&["a"])),
        (invoke("ap-east-1"), under(&["a", "b"])),
    ]
    .into();
    let told = |effects: Vec<aipolicy_targets::plan::Effect>| {
        effects.into_iter().map(|effect| effect.sentence).collect::<Vec<_>>()
    };
    let may =
        |word: &str, rest: &str| format!("agent `bot` may {word} invoke model `m`, processed in {rest}");
    assert_eq!(
        told(compare(&Facts::new(), &facts)),
        [
            may("now", "ap-east-1, under waiver `a` until 2027-01-31 and waiver `b` until 2027-01-31"),
            may("now", "eu-central-1"),
            may("now", "us-east-1, us-west-2, under waiver `a` until 2027-01-31"),
        ]
    );
    let gone = told(compare(&facts, &Facts::new()));
    let us = may("no longer", "us-east-1, us-west-2, which it might under waiver `a` until 2027-01-31");
    assert!(gone.contains(&us) && gone.contains(&may("no longer", "eu-central-1")), "{gone:?}");
    let without: Facts = facts.keys().map(|fact| (fact.clone(), Cause::default())).collect();
    assert_eq!(compare(&without, &facts), [], "nothing else may happen");
}

#[test]
fn a_journal_keeps_facts() {
    let all = of(&[fact("useRoute", "Route/chat", &[("tenant", "t")]), fact("delegate", "Agent/other", &[])]);
    assert_eq!(recall(&record(&all)).unwrap(), all);
    assert!(recall(&["{}".to_owned()]).unwrap_err().contains("{}"));
}

/// The facts of a workspace whose agent says this beside its tenant and its model.
fn granted(agent: &str) -> Facts {
    let built = Built::of(workspace_of(agent));
    let graph = &built.compilation.graph;
    let environment = graph.find::<EnvironmentSpec>("prod").unwrap();
    facts(graph, &built.compilation.decisions, environment, &built.sources)
}

fn workspace_of(agent: &str) -> String {
    super::workspace(&[
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Connector", "c", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        ("Connector", "s", "secretsManager: { secret: s }, region: eu-central-1, dataClass: internal"),
        ("Group", "g", "members: [x@acme.example]"),
        ("Agent", "bot", &format!("tenant: t, model: {{ model: m }}, {agent}")),
    ])
}

#[test]
fn effects_of_a_change_name_its_line() {
    let agent = |gate: &str| format!("tools: [{{ name: x, connector: c, access: write{gate} }}]");
    let before = granted(&agent(", gate: { approval: { from: [g] } }"));
    let after = granted(&agent(""));
    assert!(before.keys().all(|fact| fact.action != "supportRuntime"));
    let found = compare(&before, &after);
    let told: Vec<_> = found.iter().map(|effect| (effect.class, effect.action.as_str())).collect();
    let expected = [
        (Widens, "callTool"),
        (Widens, "writeConnector"),
        (Narrows, "callTool"),
        (Narrows, "storeData"),
        (Narrows, "writeConnector"),
    ];
    assert_eq!(told, expected);
    let line = workspace_of(&agent("")).lines().position(|line| line.contains("connector: c")).unwrap() + 1;
    assert!(found.iter().all(|effect| effect.origin.as_ref().is_some_and(|origin| origin.line == line)));
}

#[test]
fn a_new_client_may_call_what_only_others_could() {
    let agent = |clients: &str| {
        format!(
            "callers: {{ jwt: {{ discoveryUrl: \"https://id.acme.example/.well-known/openid-configuration\", \
             client: {{ id: own, secret: s }}, scopes: [b, a]{clients} }} }}, \
             tools: [{{ name: x, connector: c, access: read }}]"
        )
    };
    let before = granted(&agent(""));
    assert!(before.keys().any(|fact| fact.resource == "Connector/s" && fact.context["gate"] == "credential"));
    let found = compare(&before, &granted(&agent(", clients: [desk]")));
    let told: Vec<_> = found.iter().map(|effect| (effect.class, effect.sentence.as_str())).collect();
    let issuer = "https://id.acme.example/.well-known/openid-configuration";
    let now = format!(
        "whoever has tokens of {issuer} for client own, desk; scope a, b may now call tool `bot.x` to read"
    );
    let before = format!(
        "whoever has tokens of {issuer} for client own; scope a, b may no longer call tool `bot.x` to read"
    );
    assert_eq!(told, [(Widens, now.as_str()), (Narrows, before.as_str())]);
}
