//! Residency from resources to verdicts: where data may be processed and kept, in one table.

use std::fmt::Write as _;

use crate::harness::workspace::Built;

/// What all cases have: an environment with regions of every kind, a rule, a tenant and a gateway.
const SHARED: &str = r#"
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec:
  aws:
    accountId: "111122223333"
    regions: [eu-central-1, eu-central-2, eu-north-1, eu-south-1, eu-south-2, eu-west-1, eu-west-2, eu-west-3,
              us-east-1, us-east-2, us-west-1, us-west-2, il-central-1]
LOGGING
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: payments }
spec: { owner: a@acme.example, environments: [prod], clearance: [confidential], models: [MODELS] }
---
apiVersion: aipolicy.dev/v1
kind: Gateway
metadata: { name: edge }
spec: { dialect: litellm, environment: prod, region: eu-central-1 }
"#;

const RULE: &str = "appliesTo: { dataClasses: [confidential] }, allow: { jurisdictions: [eu] }";
const NOVA: &str = "provider: bedrock, modelId: amazon.nova-lite-v1:0";
const OPEN: &str = "provider: bedrock, modelId: openai.gpt-oss-20b-1:0";
const TITAN: &str = "provider: bedrock, modelId: amazon.titan-embed-text-v2:0";
const HAIKU: &str = "provider: bedrock, modelId: anthropic.claude-haiku-5-5";

/// A document: its kind, its name and its specification.
type Document<'a> = (&'a str, &'a str, &'a str);

/// What a case is about, who uses the connector, what and where it is, and the findings.
type Resting<'a> = (&'a str, &'a [Document<'a>], &'a str, &'a str, &'a [&'a str]);

/// A document in one line.
fn document(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: aipolicy.dev/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

/// Compiles the shared documents with more of them, and returns the codes that were reported, sorted.
fn codes(documents: &[Document<'_>]) -> Vec<String> {
    let logging = documents.iter().find(|(kind, ..)| *kind == "logging");
    let logging = logging.map_or_else(String::new, |(.., spec)| format!("  logging: {{ {spec} }}"));
    let models: Vec<_> =
        documents.iter().filter(|(kind, ..)| *kind == "Model").map(|(_, name, _)| *name).collect();
    let mut text = SHARED.replace("LOGGING", &logging).replace("MODELS", &models.join(", "));
    for (kind, name, spec) in documents.iter().filter(|(kind, ..)| *kind != "logging") {
        write!(text, "{}", document(kind, name, spec)).unwrap();
    }
    let mut found: Vec<_> = Built::of(text).findings().into_iter().map(|one| one.code).collect();
    found.sort();
    found.dedup();
    found
}

#[track_caller]
fn check(what: &str, documents: &[Document<'_>], expected: &[&str]) {
    assert_eq!(codes(documents), expected, "{what}");
}

const AGENT: (&str, &str, &str) = ("Agent", "bot", "tenant: payments, model: { model: m }");

#[test]
fn a_model_is_processed_where_its_inference_leads() {
    let cases: &[(&str, &str, String, &[&str])] = &[
        ("on demand where the agent is", RULE, OPEN.into(), &[]),
        ("on demand elsewhere", RULE, format!("{OPEN}, regions: [us-east-1]"), &["AIP-RES-015"]),
        (
            "on demand in one of two",
            RULE,
            format!("{OPEN}, regions: [eu-west-1, us-east-1]"),
            &["AIP-RES-015"],
        ),
        ("London is not in the EU", RULE, format!("{OPEN}, regions: [eu-west-2]"), &["AIP-RES-015"]),
        ("Zurich is not in the EU", RULE, format!("{TITAN}, regions: [eu-central-2]"), &["AIP-RES-015"]),
        ("the eu profile from Frankfurt", RULE, format!("{HAIKU}, inference: {{ profile: eu }}"), &[]),
        (
            "the eu profile from London",
            RULE,
            format!("{HAIKU}, inference: {{ profile: eu }}, regions: [eu-west-2]"),
            &["AIP-RES-002"],
        ),
        (
            "the eu profile from Zurich",
            RULE,
            format!("{HAIKU}, inference: {{ profile: eu }}, regions: [eu-central-2]"),
            &["AIP-RES-002"],
        ),
        (
            "the eu profile from Tel Aviv",
            RULE,
            format!("{NOVA}, inference: {{ profile: eu }}, regions: [il-central-1]"),
            &["AIP-RES-002"],
        ),
        (
            "the us profile from Ohio",
            RULE,
            format!("{HAIKU}, inference: {{ profile: us }}, regions: [us-east-2]"),
            &["AIP-RES-002"],
        ),
        (
            "a profile from a region that it does not have",
            RULE,
            format!("{NOVA}, inference: {{ profile: us }}"),
            &["AIP-RES-002"],
        ),
        (
            "a profile that the catalog lacks",
            RULE,
            format!("{NOVA}, inference: {{ profile: au }}"),
            &["AIP-RES-002"],
        ),
        (
            "destinations that the catalog does not know",
            RULE,
            "provider: bedrock, modelId: openai.gpt-6-sol, inference: { profile: us }, regions: [us-east-1]"
                .into(),
            &["AIP-RES-002"],
        ),
        ("the global profile", RULE, format!("{HAIKU}, inference: {{ profile: global }}"), &["AIP-RES-003"]),
        (
            "provisioned in the EU",
            RULE,
            format!(
                "{OPEN}, inference: {{ provisioned: \"arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/a\" }}"
            ),
            &[],
        ),
        (
            "provisioned in another region than it is said to be called in",
            RULE,
            format!(
                "{OPEN}, regions: [eu-central-1], inference: {{ provisioned: \"arn:aws:bedrock:us-east-1:111122223333:provisioned-model/a\" }}"
            ),
            &["AIP-RES-015"],
        ),
        (
            "an endpoint that states no region",
            RULE,
            "provider: openai-compatible, modelId: a/b, endpoint: \"https://models.example/v1\"".into(),
            &["AIP-RES-007"],
        ),
    ];
    for (what, rule, model, expected) in cases {
        check(what, &[("ResidencyRule", "r", rule), ("Model", "m", model), AGENT], expected);
    }
}

#[test]
fn rules_say_how_far_inference_may_go() {
    let eu = format!("{HAIKU}, inference: {{ profile: eu }}");
    let global = format!("{HAIKU}, inference: {{ profile: global }}");
    let us = format!("{HAIKU}, inference: {{ profile: us }}, regions: [us-east-1]");
    let ptu = format!(
        "{OPEN}, inference: {{ provisioned: \"arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/a\" }}"
    );
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("never, through a profile", "never", &eu, &["AIP-RES-016"]),
        ("never, on demand", "never", OPEN, &[]),
        ("never, where the throughput is", "never", &ptu, &[]),
        ("never, global", "never", &global, &["AIP-RES-003"]),
        ("within, through a profile", "within", &eu, &[]),
        ("any, global", "any", &global, &[]),
        ("any, from a region that is not allowed", "any", &us, &["AIP-RES-002"]),
    ];
    for (what, word, model, expected) in cases {
        let rule = format!("{RULE}, inference: {{ crossRegion: {word} }}");
        check(what, &[("ResidencyRule", "r", &rule), ("Model", "m", model), AGENT], expected);
    }
}

#[test]
fn fallbacks_hold_the_same_rules_at_any_depth() {
    let us = format!("{OPEN}, regions: [us-east-1]");
    let match_ = "gateway: edge, match: { tenants: [payments] }, dataClass: confidential";
    let first = format!(
        "{match_}, caps: {{ output: 1k }}, primary: [{{ model: m }}], fallback: [{{ route: second, on: [timeout] }}]"
    );
    let second = "gateway: edge, match: { tenants: [payments] }, dataClass: internal, caps: { output: 1k }, primary: [{ model: m }], \
                  fallback: [{ route: third, on: [timeout] }]";
    let third = "gateway: edge, match: { tenants: [payments] }, dataClass: internal, caps: { output: 1k }, primary: [{ model: n }]";
    let models = [("Model", "m", OPEN), ("Model", "n", us.as_str()), ("ResidencyRule", "r", RULE)];
    let routes = [("Route", "first", first.as_str()), ("Route", "second", second), ("Route", "third", third)];
    let all: Vec<_> = models.into_iter().chain(routes).collect();
    check("the third route", &all, &["AIP-RES-001"]);
    check(
        "without the first route nothing confidential gets there",
        &[all[0], all[1], all[2], all[4], all[5]],
        &[],
    );
}

#[test]
fn connectors_rest_where_rules_allow() {
    let tool = "tenant: payments, model: { model: m }, clearance: [confidential], \
                tools: [{ name: t, connector: c, access: read }]";
    let cluster = "environment: prod, region: eu-central-1, eksName: k, identity: pod-identity";
    let workload =
        "tenant: payments, platform: eks, cluster: k, uses: { connectors: [{ connector: c, access: read }] }";
    let agent = [("Agent", "b", tool)];
    let pod = [("Cluster", "k", cluster), ("Workload", "w", workload)];
    let base = "knowledgeBase: { id: ABCDEFGHIJ }";
    let sourced = "knowledgeBase: { id: ABCDEFGHIJ, sources: [f] }";
    let cases: &[Resting<'_>] = &[
        (
            "a backup",
            &agent,
            "s3: { bucket: c }, backup: { regions: [us-east-1] }",
            "eu-west-1",
            &["AIP-RES-012"],
        ),
        ("a knowledge base", &agent, base, "us-east-1", &["AIP-RES-005"]),
        ("a knowledge base at home", &agent, base, "eu-west-1", &[]),
        ("its source", &agent, sourced, "eu-west-1", &["AIP-RES-005"]),
        ("vectors", &agent, "s3Vectors: { bucket: v, index: i }", "us-east-1", &["AIP-RES-005"]),
        ("a table", &agent, "dynamoDb: { table: t }", "us-east-1", &["AIP-RES-005"]),
        ("a table of a workload", &pod, "dynamoDb: { table: t }", "us-east-1", &["AIP-RES-005"]),
        ("a function", &agent, "lambda: { function: f }", "us-east-1", &["AIP-RES-020"]),
        ("a function at home", &agent, "lambda: { function: f }", "eu-west-1", &[]),
    ];
    let source = ("Connector", "f", "s3: { bucket: f }, region: us-east-1, dataClass: confidential");
    for (what, users, connector, region, expected) in cases {
        let connector = format!("{connector}, region: {region}, dataClass: confidential");
        let mut all =
            vec![("ResidencyRule", "r", RULE), ("Model", "m", OPEN), source, ("Connector", "c", &connector)];
        all.extend(*users);
        check(what, &all, expected);
    }
    let less = "dynamoDb: { table: t }, region: us-east-1, dataClass: internal";
    let all = [("ResidencyRule", "r", RULE), ("Model", "m", OPEN), ("Connector", "c", less), agent[0]];
    check("less sensitive data", &all, &[]);
}

#[test]
fn logs_caches_and_memory_rest_where_rules_allow() {
    let memory = |more: &str| format!("tenant: payments, model: {{ model: m }}, {more}");
    let route = "gateway: edge, match: { tenants: [payments] }, dataClass: confidential, caps: { output: 1k }, primary: [{ model: m }], \
                 cache: d";
    let (abroad, beside) =
        (memory("memory: { region: us-east-1 }"), memory("region: eu-west-2, memory: { retention: 1d }"));
    let s3 = |region: &str, copies: &str| {
        format!("s3: {{ bucket: l }}, region: {region}, replicatesTo: [{copies}]")
    };
    let invocations = ("logging", "", "invocations: d");
    let cases: &[(&str, Document<'_>, String, &[&str])] = &[
        ("memory", ("Agent", "b", &abroad), s3("eu-west-1", ""), &["AIP-RES-006"]),
        (
            "memory beside the agent",
            ("Agent", "b", &beside),
            s3("eu-west-1", ""),
            &["AIP-RES-006", "AIP-RES-015", "AIP-RES-018"],
        ),
        ("logs", invocations, s3("us-east-1", ""), &["AIP-RES-004"]),
        (
            "traces",
            ("logging", "", "traces: d"),
            "xray: { name: x }, region: eu-west-2".into(),
            &["AIP-DAT-009", "AIP-RES-004"],
        ),
        ("a replica", invocations, s3("eu-west-1", "us-west-2"), &["AIP-RES-004"]),
        ("logs at home", invocations, s3("eu-west-1", "eu-west-3"), &[]),
        ("a cache", ("Route", "x", route), "cache: { name: x }, region: us-east-1".into(), &["AIP-RES-006"]),
    ];
    for (what, document, store, expected) in cases {
        let store = format!("{store}, holds: confidential, retention: 30d");
        let all = [("ResidencyRule", "r", RULE), ("Model", "m", OPEN), ("DataStore", "d", &store), *document];
        check(what, &all, expected);
    }
}

#[test]
fn rules_are_about_tenants_classes_and_whatever_is_more_sensitive() {
    let tool = "tenant: payments, model: { model: m }, tools: [{ name: t, connector: c, access: read }]";
    let table = "dynamoDb: { table: t }, region: us-east-1, dataClass: confidential";
    let of_tenant = "appliesTo: { tenants: [payments] }, allow: { jurisdictions: [eu] }";
    let of_other = "appliesTo: { tenants: [others] }, allow: { jurisdictions: [eu] }";
    let both =
        "appliesTo: { tenants: [others], dataClasses: [confidential] }, allow: { jurisdictions: [eu] }";
    let lower = "appliesTo: { dataClasses: [internal] }, allow: { jurisdictions: [eu] }";
    let higher = "appliesTo: { dataClasses: [restricted] }, allow: { jurisdictions: [eu] }";
    let others = ("Tenant", "others", "owner: b@acme.example, environments: [prod], clearance: [internal]");
    let all = [("Model", "m", OPEN), ("Agent", "b", tool), ("Connector", "c", table), others];
    let cases: &[(&str, &str, &[&str])] = &[
        ("of the tenant", of_tenant, &["AIP-RES-005"]),
        ("of another tenant", of_other, &[]),
        ("of another tenant with this class", both, &[]),
        ("of a less sensitive class", lower, &["AIP-RES-005"]),
        ("of a more sensitive class", higher, &[]),
        ("of everything", "appliesTo: {}, allow: { regions: [eu-central-1] }", &["AIP-RES-005"]),
        ("by regions", "appliesTo: {}, allow: { regions: [eu-central-1, us-east-1] }", &[]),
    ];
    for (what, rule, expected) in cases {
        let documents: Vec<_> = all.into_iter().chain([("ResidencyRule", "r", *rule)]).collect();
        check(what, &documents, expected);
    }
    let apart = [
        ("ResidencyRule", "r", RULE),
        ("ResidencyRule", "s", "appliesTo: {}, allow: { jurisdictions: [us] }"),
    ];
    let documents: Vec<_> = [("Model", "m", OPEN), AGENT].into_iter().chain(apart).collect();
    check("two rules that allow nothing together", &documents, &["AIP-RES-015", "AIP-RES-018"]);
}

#[test]
fn what_a_tenant_logs_and_caches_is_held_to_the_rules_of_that_tenant() {
    let rule = ("ResidencyRule", "r", "appliesTo: { tenants: [payments] }, allow: { jurisdictions: [eu] }");
    let store =
        ("DataStore", "d", "s3: { bucket: logs }, region: us-east-1, holds: confidential, retention: 30d");
    let logging = ("logging", "", "invocations: d");
    check("logs", &[rule, store, logging], &["AIP-RES-004"]);
    let route = "gateway: edge, match: { tenants: [payments] }, dataClass: internal, caps: { output: 1k }, primary: [{ model: m }], cache: d";
    let cache = ("DataStore", "d", "cache: { name: c }, region: us-east-1, holds: confidential");
    check("cache", &[rule, cache, ("Model", "m", OPEN), ("Route", "x", route)], &["AIP-RES-006"]);
}

#[test]
fn an_environment_may_turn_a_policy_into_a_warning_or_a_note_or_off() {
    let severity = |word: &str| {
        let text = SHARED
            .replace("LOGGING", &format!("  severity: {{ AIP-RES-015: {word} }}"))
            .replace("MODELS", "m");
        let more =
            [("ResidencyRule", "r", RULE), ("Model", "m", &format!("{OPEN}, regions: [us-east-1]")), AGENT];
        let more: String = more.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect();
        let found = Built::of(text + &more).findings();
        found.into_iter().map(|one| one.severity).collect::<Vec<_>>()
    };
    assert_eq!(severity("mandatory"), ["error"]);
    assert_eq!(severity("advisory"), ["warning"]);
    assert_eq!(severity("note"), ["note"]);
    assert_eq!(severity("off"), [""; 0]);
}
