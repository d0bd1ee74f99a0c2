//! Guardrails of calls: one that an account enforces, and one that a workload has to name.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_iam::Request;
use aipolicy_targets::effects::{access, role};
use aipolicy_targets::plan::EffectClass;
use serde_json::{Value, json};

use super::{ACME, at, document, texts};
use crate::harness::workspace::Built;

const IMAGE: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/judge@sha256:\
                     9f2c1d7be04a6358f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";

/// A workspace in which a function names a guardrail and the account enforces another, with some words replaced.
fn built(edits: &[(&str, &str)]) -> Built {
    let uses = "uses: { models: [m, reserved], guardrail: strict }";
    let workload = format!(
        "tenant: t, platform: lambda, image: \"{IMAGE}\", {uses}, timeout: 1m, \
         scale: {{ min: 0, metrics: [{{ tokensPerSecond: 100 }}] }}"
    );
    let documents = [
        (
            "Workspace",
            "w",
            "packs: [baseline], targets: [iam, bedrock, gateway, lambda], naming: { prefix: w }".to_owned(),
        ),
        (
            "Environment",
            "prod",
            "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1] }, \
             enforcedGuardrail: { guardrail: plain, except: [reserved] }, severity: { AIP-CMP-009: off, AIP-RES-009: off }"
                .into(),
        ),
        (
            "Environment",
            "dev",
            "aws: { accountId: \"444455556666\", regions: [eu-central-1] }, severity: { AIP-RES-009: off }".into(),
        ),
        ("Guardrail", "plain", "filters: { hate: high }".into()),
        ("Guardrail", "strict", "filters: { hate: high, promptAttack: high }".into()),
        (
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m, reserved, far, other], \
             namespaces: [n], quota: { tokens: 60k tokens/min, requests: 120 requests/min }"
                .into(),
        ),
        ("Model", "m", "provider: bedrock, modelId: amazon.nova-micro-v1:0, inference: { profile: eu }, \
                        regions: [eu-central-1]".into()),
        (
            "Model",
            "reserved",
            "provider: bedrock, modelId: openai.gpt-oss-20b-1:0, regions: [eu-central-1], \
             inference: { provisioned: \"arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/a1b2c3d4e5f6\" }"
                .into(),
        ),
        ("Model", "far", "provider: bedrock, modelId: openai.gpt-oss-120b-1:0, regions: [eu-west-1]".into()),
        ("Model", "other", "provider: bedrock-mantle, modelId: openai.gpt-oss-120b".into()),
        ("Gateway", "edge", "dialect: litellm, environment: prod, region: eu-central-1".into()),
        (
            "Route",
            "chat",
            "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], \
             caps: { input: 9k, output: 1k }, timeout: { attempt: 60s }"
                .into(),
        ),
        ("Cluster", "pods", "environment: prod, region: eu-central-1, eksName: pods, identity: pod-identity".into()),
        ("Workload", "judge", workload),
    ];
    let mut text: String = documents.iter().map(|(kind, name, spec)| document(kind, name, spec)).collect();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Built::of(text)
}

/// The guardrails that a role may apply, by region.
fn applied(built: &Built, name: &str) -> BTreeSet<(String, String)> {
    let policy = built.json(&format!("iam/Policy/{name}"));
    let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap().clone();
    let apply = statements.into_iter().filter(|one| texts(&one["Action"]) == ["bedrock:ApplyGuardrail"]);
    let named = |one: Value| {
        let tags = at(&one, "/Condition/StringEquals");
        assert_eq!(texts(&tags["aws:ResourceTag/aipolicy:workspace"]), ["w"]);
        assert_eq!(texts(&tags["aws:ResourceTag/aipolicy:environment"]), ["prod"]);
        let region = texts(&one["Resource"])[0].split(':').nth(3).unwrap().to_owned();
        (region, texts(&tags["aws:ResourceTag/aipolicy:guardrail"])[0].to_owned())
    };
    apply.map(named).collect()
}

fn pair(region: &str, name: &str) -> (String, String) {
    (region.to_owned(), name.to_owned())
}

#[test]
fn an_account_enforces_a_guardrail_in_every_region() {
    let built = built(&[]);
    for region in ["eu-central-1", "eu-west-1"] {
        let enforced = built.json(&format!("bedrock/EnforcedGuardrail/w-prod-{region}"));
        let reference = |kind: &str, member: &str| json!({ "$ref": format!("bedrock/{kind}/w-prod-plain-{region}#{member}") });
        let config = json!({
            "guardrailIdentifier": reference("Guardrail", "guardrailId"),
            "guardrailVersion": reference("GuardrailVersion", "version"),
            "modelEnforcement": { "includedModels": ["ALL"], "excludedModels": ["openai.gpt-oss-20b-1:0"] },
            "selectiveContentGuarding": { "system": "COMPREHENSIVE", "messages": "COMPREHENSIVE" },
        });
        assert_eq!(enforced, json!({ "$region": region, "guardrailInferenceConfig": config }));
        let made = built.json(&format!("bedrock/Guardrail/w-prod-plain-{region}"));
        let tags: BTreeMap<_, _> = made["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| (tag["key"].as_str(), tag["value"].as_str()))
            .collect();
        assert_eq!(tags[&Some("aipolicy:guardrail")], Some("plain"));
    }
    // The function names its own where it calls; nobody calls from the other region.
    let strict = |region: &str| {
        let address = format!("bedrock/Guardrail/w-prod-strict-{region}");
        built.all().any(|one| one.document.address.to_string() == address)
    };
    assert!(strict("eu-central-1") && !strict("eu-west-1"));
}

#[test]
fn whoever_calls_may_apply_what_it_has_to_pass_and_nothing_else() {
    let own = built(&[]);
    let (plain, strict) = (pair("eu-central-1", "plain"), pair("eu-central-1", "strict"));
    assert_eq!(applied(&own, "w-prod-workload-judge"), BTreeSet::from([plain.clone(), strict.clone()]));
    assert_eq!(applied(&own, "w-prod-gateway-edge"), BTreeSet::from([plain]));
    // Its model is excepted, so that nothing but its own is asked for.
    let excepted = built(&[("models: [m, reserved], guardrail", "models: [reserved], guardrail")]);
    assert_eq!(applied(&excepted, "w-prod-workload-judge"), BTreeSet::from([strict]));
    let without = built(&[("enforcedGuardrail: { guardrail: plain, except: [reserved] }, ", "")]);
    assert_eq!(applied(&without, "w-prod-gateway-edge"), BTreeSet::new());
    // The other endpoint knows no guardrails.
    let mantle = built(&[("primary: [{ model: m }]", "primary: [{ model: other }]")]);
    assert_eq!(applied(&mantle, "w-prod-gateway-edge"), BTreeSet::new());
}

#[test]
fn a_workload_has_to_name_a_version_of_a_guardrail_in_every_call() {
    let built = built(&[]);
    let documents: Vec<_> = built.sound().into_iter().map(|one| &one.document).collect();
    let role = role(documents, "w-prod-workload-judge").unwrap();
    let profile = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.amazon.nova-micro-v1:0";
    let guardrail = |account: &str, rest: &str| {
        format!("arn:aws:bedrock:eu-central-1:{account}:guardrail/a1b2c3d4e5f6{rest}")
    };
    let decided = |resource: &str, named: Option<String>| {
        let mut request = Request::new("bedrock:InvokeModel", resource);
        request.context.set("bedrock:InferenceProfileArn", [profile.to_owned()]);
        request.context.set("bedrock:GuardrailIdentifier", named);
        role.policies.decide(&request).is_allowed()
    };
    for model in [
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-micro-v1:0",
        "arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/a1b2c3d4e5f6",
    ] {
        assert!(decided(model, Some(guardrail("111122223333", ":7"))), "{model}");
        assert!(!decided(model, None), "{model} without a guardrail");
        assert!(!decided(model, Some(guardrail("111122223333", ""))), "{model} with the draft");
        assert!(!decided(model, Some(guardrail("999999999999", ":7"))), "{model} with somebody else's");
    }
    let function = built.json("lambda/Function/w-prod-workload-judge");
    let reference = |kind: &str, member: &str| json!({ "$ref": format!("bedrock/{kind}/w-prod-strict-eu-central-1#{member}") });
    let variables = json!({
        "BEDROCK_GUARDRAIL_ID": reference("Guardrail", "guardrailId"),
        "BEDROCK_GUARDRAIL_VERSION": reference("GuardrailVersion", "version"),
    });
    assert_eq!(at(&function, "/Environment/Variables"), &variables);
}

#[test]
fn guardrails_that_nothing_could_hold_are_refused_at_their_line() {
    let refused = |edits: &[(&str, &str)]| {
        let built = built(edits);
        let errors = built.diagnostics.iter().filter(|found| found.severity.word() == "error");
        let place = |span| built.sources.slice(span).to_owned();
        let told: BTreeSet<_> = errors
            .map(|found| (found.code.to_string(), place(found.primary.span), found.message.clone()))
            .collect();
        told.into_iter()
            .map(|(code, place, message)| format!("{code} {place}: {message}"))
            .collect::<Vec<_>>()
    };
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[("models: [m, reserved]", "models: [m, other]")],
            "AIP-CMP-002 strict: no guardrail of Bedrock is asked for where `other` is called",
        ),
        (
            &[("models: [m, reserved]", "models: [m, far]")],
            "AIP-CMP-002 strict: models are called from 2 regions, and each has its own guardrail",
        ),
        (
            &[("except: [reserved]", "except: [other]")],
            "AIP-CMP-002 other: calls of `other` pass no guardrail that Bedrock enforces",
        ),
        (
            &[("modelId: openai.gpt-oss-20b-1:0", "modelId: \"Amazon.Nova\"")],
            "AIP-CMP-002 reserved: `Amazon.Nova` is no id by which Bedrock excepts a model",
        ),
        (
            &[("444455556666", "111122223333")],
            "AIP-CMP-002 plain: `dev` has the same account, and its calls would have to pass it",
        ),
        (
            &[("targets: [iam, bedrock,", "targets: [iam,"), ("AIP-CMP-009: off, ", "")],
            "AIP-CMP-009 plain: no target of the workspace holds `enforcedGuardrail` of environment `prod`",
        ),
        (
            &[
                ("platform: lambda", "platform: eks, cluster: pods, namespace: n"),
                ("timeout: 1m, scale: { min: 0", "scale: { min: 1"),
                ("gateway, lambda]", "gateway, kubernetes]"),
            ],
            "AIP-CMP-002 strict: a manifest cannot tell a pod the id of a guardrail, which nobody knows before it is made",
        ),
    ];
    for (edits, expected) in cases {
        let told = refused(edits);
        assert!(told.iter().any(|one| one == expected), "{expected}: {told:#?}");
    }
}

/// What a change does to what calls pass, in words.
fn told(from: &str, to: &str) -> Vec<(EffectClass, String)> {
    let (before, after) = (built(&[]), built(&[(from, to)]));
    let [before, after] = [&before, &after].map(|built| built.sound().into_iter().map(|one| &one.document));
    let of_account = access(before, after).into_iter().filter(|one| one.role.contains("EnforcedGuardrail"));
    of_account.map(|one| (one.class, one.sentence)).collect()
}

#[test]
fn changes_of_what_calls_pass_are_told_in_words() {
    let calls = |region: &str| format!("calls of models in the account of w-prod-{region}");
    let gone = told("enforcedGuardrail: { guardrail: plain, except: [reserved] }, ", "");
    let lost = |region: &str| {
        (EffectClass::Widens, format!("{} no longer pass guardrail w-prod-plain-{region}", calls(region)))
    };
    assert_eq!(gone, [lost("eu-central-1"), lost("eu-west-1")]);
    let more = told("except: [reserved]", "except: [reserved, far]");
    let freed = |region: &str| {
        let who = format!("calls of openai.gpt-oss-120b-1:0 in the account of w-prod-{region}");
        (EffectClass::Widens, format!("{who} no longer pass guardrail w-prod-plain-{region}"))
    };
    assert_eq!(more, [freed("eu-central-1"), freed("eu-west-1")]);
    let fewer = told("except: [reserved]", "except: []");
    assert!(fewer.iter().all(|(class, _)| *class == EffectClass::Narrows) && fewer.len() == 2, "{fewer:?}");
    let other = told("enforcedGuardrail: { guardrail: plain", "enforcedGuardrail: { guardrail: strict");
    assert!(other.iter().all(|(class, _)| *class == EffectClass::Mixed) && other.len() == 2, "{other:?}");
    assert!(
        other[0].1.ends_with("pass something else now: guardrail w-prod-strict-eu-central-1"),
        "{other:?}"
    );
}

#[test]
fn an_example_enforces_one() {
    let enforced = ACME.all().filter(|one| one.document.address.kind == "EnforcedGuardrail").count();
    assert_eq!(enforced, 6, "one for each region of staging");
}
