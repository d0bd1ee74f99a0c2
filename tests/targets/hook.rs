//! The hook of the LiteLLM target, run by Python beside stand-ins for the proxy.

use std::process::Command;

use crate::harness::root;

const TABLE: &str = r#"{
  "tenants": {
    "payments": { "key_env": "AIPOLICY_KEY_PAYMENTS", "routes": ["chat", "free"], "groups": ["chat", "chat.fallback-1", "free"],
                  "rpm_limit": 5, "max_budget_micro_usd": 12500000 },
    "own": { "key_env": "AIPOLICY_KEY_OWN", "routes": ["secret"], "groups": ["secret"] }
  },
  "metrics": { "key_env": "AIPOLICY_METRICS_KEY" },
  "routes": { "chat": { "max_input_tokens": 4, "max_output_tokens": 64 }, "free": {}, "secret": {} }
}"#;

/// What Python prints.
fn told() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("tenants.json");
    std::fs::write(&table, TABLE).unwrap();
    let mut command = Command::new("python3");
    command
        .args(["-B", "tests/targets/hook_test.py", "targets/src/gateway/litellm/aipolicy_litellm.py"])
        .arg(&table);
    let done = command.current_dir(root()).output();
    let done = done.unwrap_or_else(|error| panic!("python3 cannot be run: {error}; install Python 3.11"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn tenants_are_let_in_kept_to_their_routes_and_held_to_caps() {
    let told = told();
    let capped = |most: &str| format!(r#"{{"max_tokens": {most}, "model": "chat"}}"#);
    let expected = [
        r#"/chat/completions key-of-payments {"api_key": "hash", "max_budget": 12.5, "models": ["chat", "chat.fallback-1", "free"], "rpm_limit": 5, "team_alias": "payments", "team_id": "payments", "tpm_limit": null}"#.to_owned(),
        "/chat/completions wrong 401".to_owned(),
        "/chat/completions  401".to_owned(),
        "/chat/completions None 401".to_owned(),
        "/chat/completions key-of-metrics 401".to_owned(),
        r#"/metrics key-of-metrics {"api_key": "hash", "user_role": "proxy_admin"}"#.to_owned(),
        "/metrics key-of-payments 401".to_owned(),
        "/metrics  401".to_owned(),
        "/metrics None 401".to_owned(),
        r#"/metrics/ key-of-metrics {"api_key": "hash", "user_role": "proxy_admin"}"#.to_owned(),
        "/metrics/ key-of-payments 401".to_owned(),
        "/metrics/  401".to_owned(),
        "/metrics/ None 401".to_owned(),
        "/metrics/key key-of-metrics 401".to_owned(),
        "/metrics/ key-of-metrics 401".to_owned(),
        format!("route {}", capped("64")),
        format!("alias {}", capped("64")),
        "other route 403".to_owned(),
        "fallback group 403".to_owned(),
        "no model 403".to_owned(),
        "no tenant 403".to_owned(),
        format!("max_tokens {} {}", capped("64"), capped("9")),
        format!("max_completion_tokens {} {}", capped("64"), capped("9")),
        format!("max_output_tokens {} {}", capped("64"), capped("9")),
        format!("all three {}", capped("10")),
        format!("text {}", capped("64")),
        r#"responses {"input": "a b", "max_output_tokens": 64, "model": "chat"}"#.to_owned(),
        r#"short {"max_tokens": 64, "messages": [{"content": "a b c d"}], "model": "chat"}"#.to_owned(),
        "long messages 413".to_owned(),
        "long prompt 413".to_owned(),
        "long input 413".to_owned(),
        "together 413".to_owned(),
        r#"uncapped {"max_tokens": 5000, "messages": [{"content": "a b c d e"}], "model": "free"}"#.to_owned(),
    ];
    assert_eq!(told, expected);
}
