//! Routing tables against their schema and against themselves.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::{ACME, QUICKSTART, at, texts, workspace};
use crate::harness::workspace::Built;
use crate::harness::{read, root};

/// A gateway with everything that a routing table can say.
pub(super) const EVERYTHING: &[(&str, &str, &str)] = &[
    (
        "Environment",
        "prod",
        "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-north-1, eu-west-1, eu-west-3] }, \
      severity: { AIP-BUD-003: off }",
    ),
    (
        "Tenant",
        "payments",
        "owner: a@acme.example, environments: [prod], clearance: [internal], namespaces: [pay], \
      models: [small, large, twice, own, mantle], quota: { tokens: 100k tokens/min, requests: 5 requests/min }",
    ),
    (
        "Tenant",
        "own",
        "owner: b@acme.example, environments: [prod], clearance: [internal], models: [small, own]",
    ),
    (
        "Budget",
        "b",
        "scope: { tenant: payments }, period: month, timeZone: Europe/Berlin, limit: USD 12.50, \
      thresholds: [{ at: 100%, do: block }]",
    ),
    ("Model", "small", "provider: bedrock, modelId: amazon.nova-lite-v1:0, inference: { profile: eu }"),
    (
        "Model",
        "large",
        "provider: bedrock, modelId: amazon.nova-pro-v1:0, \
      inference: { provisioned: \"arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/abc\" }",
    ),
    ("Model", "twice", "provider: bedrock, modelId: qwen.qwen3-32b-v1:0, regions: [eu-central-1, eu-west-1]"),
    (
        "Model",
        "own",
        "provider: self-hosted, modelId: acme/own, endpoint: \"https://own.example/v1\", regions: [eu-central-1], \
      limits: { context: 32k, output: 2k }, price: { input: USD 0.01 / 1M tokens, output: USD 0.02 / 1M tokens, \
      cacheWrite: USD 0.03 / 1M tokens }",
    ),
    ("Model", "mantle", "provider: bedrock-mantle, modelId: openai.gpt-oss-120b"),
    (
        "Gateway",
        "edge",
        "dialect: litellm, environment: prod, region: eu-central-1, \
      telemetry: { prometheus: true, otlp: \"http://collector:4318\" }",
    ),
    (
        "Route",
        "chat",
        "gateway: edge, match: { tenants: [payments, own], task: talk }, dataClass: internal, \
      criticality: high, qualityFloor: standard, primary: [{ model: small, weight: 90 }, \
      { model: own, weight: 10, canary: { abort: { errorRate: 5%, p99: 8s, costPerRequest: USD 0.02 } } }], \
      fallback: [{ model: own, on: [throttled, unavailable, timeout] }], caps: { input: 16k, output: 1024 }, \
      timeout: { attempt: 1500ms, total: 100s }, retry: { attempts: 2, on: [throttled, timeout], backoff: { base: 200ms, max: 2s } }, \
      circuitBreaker: { consecutiveFailures: 5, coolDown: 30s }",
    ),
    (
        "Route",
        "extract",
        "gateway: edge, match: { tenants: [payments] }, dataClass: internal, \
      primary: [{ model: twice, weight: 75 }, { model: large, weight: 25 }], fallback: [{ model: small, on: [context-overflow] }, \
      { model: mantle, on: [content-refused] }, { route: chat, on: [throttled, unavailable, timeout] }], \
      retry: { attempts: 3, on: [unavailable, content-refused] }, caps: { output: 512 }",
    ),
];

pub(super) fn everything() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| Built::of(workspace(EVERYTHING)));
    &BUILT
}

fn tables() -> Vec<Value> {
    let built = [everything(), &ACME, &QUICKSTART];
    let tables =
        built.into_iter().flat_map(Built::sound).filter(|one| one.document.address.kind == "RoutingTable");
    tables.map(|one| serde_json::from_str(&one.document.text).unwrap()).collect()
}

#[test]
fn tables_keep_to_the_schema() {
    let schema = read(&root().join("schemas/formats/routing-table.schema.json"));
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let tables = tables();
    assert!(tables.len() >= 5);
    for table in &tables {
        let errors: Vec<_> =
            validator.iter_errors(table).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    // The schema is strict: one key more, one less, or another unit is refused, wherever it is.
    let table = &tables[0];
    for (pointer, change) in
        [("/routes/0", "extra"), ("/backends/0/price", "input_usd"), ("/tenants/0/auth", "secret")]
    {
        let mut table = table.clone();
        let found = table.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        found.insert(change.to_owned(), Value::from(1));
        assert!(!validator.is_valid(&table), "{pointer}/{change}");
    }
    for (pointer, value) in [
        ("/routes/0/timeouts_ms/attempt", Value::from("2s")),
        ("/tenants/0/limits/requests_per_minute", Value::from(0.5)),
    ] {
        let mut table = table.clone();
        if let Some(found) = table.pointer_mut(pointer) {
            *found = value;
            assert!(!validator.is_valid(&table), "{pointer}");
        }
    }
}

#[test]
fn tables_name_only_what_they_have() {
    for table in tables() {
        let ids = |pointer: &str| {
            let found: Vec<_> = at(&table, pointer)
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            assert!(
                found.is_sorted() && found.iter().collect::<BTreeSet<_>>().len() == found.len(),
                "{pointer}: {found:?}"
            );
            found
        };
        let (tenants, backends, routes) = (ids("/tenants"), ids("/backends"), ids("/routes"));
        for tenant in table["tenants"].as_array().unwrap() {
            assert!(
                texts(&tenant["allow_routes"]).iter().all(|route| routes.iter().any(|known| known == route))
            );
        }
        for route in table["routes"].as_array().unwrap() {
            assert!(
                texts(at(route, "/match/tenants")).iter().all(|one| tenants.iter().any(|known| known == one))
            );
            let targets = route["targets"].as_array().unwrap();
            assert!(targets.iter().all(|one| backends.iter().any(|known| one["backend"] == **known)));
            let mut priorities: Vec<_> =
                targets.iter().map(|one| one["priority"].as_u64().unwrap()).collect();
            assert!(priorities.is_sorted());
            priorities.dedup();
            assert!(priorities.iter().copied().eq(0..priorities.len() as u64), "{priorities:?}");
        }
    }
}

#[test]
fn a_table_says_what_was_written() {
    let built = everything();
    let table = built.json("gateway/RoutingTable/edge");
    let chat = at(&table, "/routes/0");
    assert_eq!(chat["timeouts_ms"], serde_json::json!({ "attempt": 1500, "total": 100_000 }));
    assert_eq!(chat["retry"]["backoff_base_ms"], 200);
    assert_eq!(chat["breaker"], serde_json::json!({ "consecutive_failures": 5, "open_ms": 30_000 }));
    assert_eq!(chat["canary"][0]["cost_per_request"], "USD 0.02");
    assert_eq!(chat["output_tokens"], serde_json::json!({ "max": 1024, "on_excess": "clamp" }));
    let payments = &table["tenants"].as_array().unwrap()[1];
    assert_eq!(
        payments["limits"],
        serde_json::json!({ "requests_per_minute": 5, "tokens_per_minute": 100_000 })
    );
    assert_eq!(payments["budget"]["micro_units"], 12_500_000);
    assert_eq!(payments["budget"]["time_zone"], "Europe/Berlin");
    let backend =
        |id: &str| table["backends"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(backend("large")["region"], "eu-north-1");
    assert_eq!(backend("large")["model_id"], "arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/abc");
    assert_eq!(backend("small")["model_id"], "eu.amazon.nova-lite-v1:0");
    assert_eq!(backend("own")["price"]["cache_write_micro_units_per_mtok"], 30_000);
    assert_eq!(backend("twice.eu-west-1")["processing_regions"], serde_json::json!(["eu-west-1"]));
}

#[test]
fn regions_share_the_weight_of_their_model() {
    let built = everything();
    let table = built.json("gateway/RoutingTable/edge");
    let targets = at(&table, "/routes/1/targets").as_array().unwrap();
    let weights: Vec<_> = targets
        .iter()
        .take(3)
        .map(|one| (one["backend"].as_str().unwrap(), one["weight"].as_u64().unwrap()))
        .collect();
    assert_eq!(weights, [("twice.eu-central-1", 38), ("twice.eu-west-1", 37), ("large", 25)]);
}

#[test]
fn a_key_of_a_tenant_is_never_that_of_a_model() {
    let built = everything();
    let table = built.json("gateway/RoutingTable/edge");
    let keys: Vec<_> = table["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| at(one, "/auth/secret_ref").as_str().unwrap())
        .collect();
    assert_eq!(keys, ["AIPOLICY_KEY_OWN", "AIPOLICY_KEY_PAYMENTS"]);
    let config = built.text("gateway/LiteLlmConfig/edge");
    assert!(config.contains("os.environ/AIPOLICY_MODEL_KEY_OWN"), "{config}");
    assert!(keys.iter().all(|key| !config.contains(key)));
}
