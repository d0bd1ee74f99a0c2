//! Configurations of LiteLLM, which the proxy itself does not check.

use std::collections::BTreeSet;

use serde_json::Value;

use super::gateway::everything;
use super::{ACME, QUICKSTART, at, texts};
use crate::harness::workspace::Built;
use crate::harness::{read, root};

/// Keys that LiteLLM 1.108.7 reads without listing them in its models.
const UNLISTED: &[(&str, &[&str])] = &[
    (
        "GenericLiteLLMParams",
        &["model_id", "cooldown_time", "weight", "max_tokens", "additional_drop_params"],
    ),
    ("ModelInfo", &["max_tokens", "max_output_tokens"]),
    ("UpdateRouterConfig", &["max_fallbacks", "content_policy_fallbacks"]),
    ("ConfigGeneralSettings", &["custom_auth_run_common_checks"]),
];

fn configs() -> Vec<Value> {
    let built = [everything(), &ACME, &QUICKSTART];
    let configs =
        built.into_iter().flat_map(Built::sound).filter(|one| one.document.address.kind == "LiteLlmConfig");
    configs.map(|one| serde_saphyr::from_str(&one.document.text).unwrap()).collect()
}

fn deployments(config: &Value) -> impl Iterator<Item = &Value> {
    at(config, "/model_list").as_array().unwrap().iter()
}

fn groups(config: &Value) -> BTreeSet<&str> {
    deployments(config).map(|one| one["model_name"].as_str().unwrap()).collect()
}

#[test]
fn every_key_is_known_to_litellm() {
    let known: Value =
        serde_json::from_str(&read(&root().join("tests/data/litellm-1.108.7-fields.json"))).unwrap();
    let check = |section: &str, value: &Value| {
        let unlisted = UNLISTED.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
        for key in value.as_object().unwrap().keys() {
            assert!(
                known[section].get(key).is_some() || unlisted.contains(&key.as_str()),
                "{section} has no {key}"
            );
        }
    };
    for config in configs() {
        check("ConfigYAML", &config);
        check("UpdateRouterConfig", &config["router_settings"]);
        check("ConfigGeneralSettings", &config["general_settings"]);
        for deployment in deployments(&config) {
            assert_eq!(deployment.as_object().unwrap().len(), 3);
            check("GenericLiteLLMParams", &deployment["litellm_params"]);
            check("ModelInfo", &deployment["model_info"]);
        }
        for policy in at(&config, "/router_settings/model_group_retry_policy").as_object().unwrap().values() {
            check("RetryPolicy", policy);
        }
    }
}

#[test]
fn numbers_are_numbers() {
    let numbers = [
        "timeout",
        "cooldown_time",
        "weight",
        "max_tokens",
        "max_output_tokens",
        "allowed_fails",
        "num_retries",
        "max_fallbacks",
    ];
    fn walk(value: &Value, numbers: &[&str]) {
        match value {
            Value::Object(entries) => entries.iter().for_each(|(key, value)| {
                let wants = numbers.contains(&key.as_str()) || key.ends_with("Retries");
                assert!(!wants || value.is_number(), "{key}: {value}");
                walk(value, numbers);
            }),
            Value::Array(items) => items.iter().for_each(|item| walk(item, numbers)),
            _ => {}
        }
    }
    let configs = configs();
    configs.iter().for_each(|config| walk(config, &numbers));
    assert_eq!(at(&configs[0], "/model_list/0/litellm_params/timeout"), &Value::from(1.5));
}

#[test]
fn fallbacks_aliases_and_retries_name_groups_that_exist() {
    for config in configs() {
        let groups = groups(&config);
        for kind in ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"] {
            for chain in at(&config, &format!("/router_settings/{kind}")).as_array().unwrap() {
                for (group, later) in chain.as_object().unwrap() {
                    assert!(groups.contains(group.as_str()), "{kind}: {group}");
                    assert!(
                        !texts(later).is_empty() && texts(later).iter().all(|one| groups.contains(one)),
                        "{kind}: {later}"
                    );
                }
            }
        }
        for (alias, group) in at(&config, "/router_settings/model_group_alias").as_object().unwrap() {
            assert!(
                groups.contains(group.as_str().unwrap()) && !groups.contains(alias.as_str()),
                "{alias}: {group}"
            );
        }
        let retried = at(&config, "/router_settings/model_group_retry_policy").as_object().unwrap();
        assert!(retried.keys().map(String::as_str).eq(groups.iter().copied()), "{retried:?}");
    }
}

#[test]
fn fallbacks_follow_their_triggers() {
    let config = &configs()[0];
    let router = |key: &str| at(config, &format!("/router_settings/{key}")).clone();
    let chains = |chat: &[&str], extract: &[&str]| {
        let chain =
            |name: &str, groups: &[&str]| (!groups.is_empty()).then(|| serde_json::json!({ name: groups }));
        Value::Array([chain("chat", chat), chain("extract", extract)].into_iter().flatten().collect())
    };
    let (third, fourth) = ("extract.fallback-3", "extract.fallback-4");
    assert_eq!(router("fallbacks"), chains(&["chat.fallback-1"], &[third, fourth]));
    assert_eq!(router("context_window_fallbacks"), chains(&[], &["extract.fallback-1"]));
    assert_eq!(router("content_policy_fallbacks"), chains(&[], &["extract.fallback-2"]));
    assert_eq!(router("max_fallbacks"), 5);
    let retries = |group: &str| {
        let policy = router("model_group_retry_policy")[group].as_object().unwrap().clone();
        policy
            .into_iter()
            .filter(|(_, count)| *count != 0)
            .map(|(key, count)| format!("{key} {count}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(retries("chat"), ["TimeoutErrorRetries 1", "RateLimitErrorRetries 1"]);
    let expected = [
        "ContentPolicyViolationErrorRetries 2",
        "InternalServerErrorRetries 2",
        "ServiceUnavailableErrorRetries 2",
    ];
    assert_eq!(retries("extract"), expected);
    // A step of another route is governed by that route.
    assert_eq!(retries(third), retries("chat"));
}

#[test]
fn weights_and_caps_hold_in_every_deployment() {
    let config = &configs()[0];
    let weights: Vec<_> = deployments(config)
        .map(|one| {
            (one["model_info"]["id"].as_str().unwrap(), one["litellm_params"]["weight"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(weights[..3], [("chat.small", 90), ("chat.own", 10), ("chat.fallback-1.own", 100)]);
    let ids: BTreeSet<_> = weights.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), weights.len());
    for deployment in deployments(config) {
        let caps = [
            at(deployment, "/litellm_params").get("max_tokens"),
            at(deployment, "/model_info").get("max_tokens"),
            at(deployment, "/model_info").get("max_output_tokens"),
        ];
        let dropped = at(deployment, "/litellm_params").get("additional_drop_params");
        if deployment["model_name"].as_str().unwrap().starts_with("chat") {
            assert!(caps.iter().all(|cap| *cap == Some(&Value::from(1024))), "{deployment:#}");
            assert_eq!(dropped, Some(&serde_json::json!(["max_completion_tokens"])));
        } else {
            assert!(caps.iter().all(Option::is_none) && dropped.is_none());
        }
    }
    assert_eq!(at(config, "/litellm_settings/modify_params"), &Value::from(true));
}

#[test]
fn what_the_proxy_would_let_through_is_switched_on() {
    for config in configs() {
        let general = &config["general_settings"];
        for key in [
            "custom_auth_run_common_checks",
            "enforce_fallback_model_access",
            "reject_clientside_metadata_tags",
        ] {
            assert_eq!(general[key], true, "{key}");
        }
        assert_eq!(general["master_key"], "os.environ/LITELLM_MASTER_KEY");
        assert_eq!(general["custom_auth"], "aipolicy_litellm.user_api_key_auth");
        assert!(texts(at(&config, "/litellm_settings/callbacks")).contains(&"aipolicy_litellm.hook"));
        assert_eq!(at(&config, "/router_settings/num_retries"), 0);
        assert_eq!(at(&config, "/litellm_settings/num_retries"), 0);
    }
}

#[test]
fn keys_are_named_and_never_written() {
    let secret = |key: &str| {
        key.contains("api_key") || key.contains("secret") || key == "master_key" || key.contains("password")
    };
    for config in configs() {
        let mut waiting = vec![&config];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(entries) => {
                    for (key, value) in entries {
                        let text = value.as_str().unwrap_or_default();
                        assert!(!secret(key) || text.starts_with("os.environ/"), "{key}: {text}");
                        waiting.push(value);
                    }
                }
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
    }
}
