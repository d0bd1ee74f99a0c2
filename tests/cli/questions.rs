//! The questions: `why`, `where`, `can`, `explain`, `schema`, `init`, `diff`.

use super::{DAY, aipolicy, copy_of, edit};
use crate::harness::{files_below, root};

/// Every JSON pointer of a document, leaves only.
fn leaves(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        serde_json::Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, format!("{at}/{index}"), found));
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => found.push(at),
    }
}

/// The origins of a built workspace answer for every leaf of every artifact with a file and a line; `why` reads the
/// same origins, which a sample of pointers shows.
#[test]
fn why_answers_for_every_pointer() {
    let (_place, folder) = copy_of("acme");
    let out = tempfile::tempdir().unwrap();
    let target = out.path().join("out");
    aipolicy(&folder, &["build", "--as-of", DAY, "--out", target.to_str().unwrap()]).expect(0);
    let mut asked = 0;
    for environment in ["prod", "staging"] {
        let origins = std::fs::read_to_string(target.join(environment).join("origins.json")).unwrap();
        let origins: serde_json::Value = serde_json::from_str(&origins).unwrap();
        for (file, map) in origins["artifacts"].as_object().unwrap() {
            let map = map.as_object().unwrap();
            for pointer in pointers(&target.join(environment).join(file)) {
                let covering = map.iter().filter(|(entry, _)| covers(entry, &pointer));
                let nearest = covering.max_by_key(|(entry, _)| entry.len());
                let nearest = nearest.unwrap_or_else(|| panic!("{file}#{pointer} has no origin"));
                let origin = &origins["origins"][usize::try_from(nearest.1.as_u64().unwrap()).unwrap()];
                assert!(origin["line"].as_u64().unwrap() >= 1, "{file}#{pointer}");
                let empty = origin["line"] == origin["endLine"] && origin["column"] == origin["endColumn"];
                assert!(!empty, "{file}#{pointer} only has a start of a file: {origin}");
                asked += 1;
            }
        }
    }
    assert!(asked > 1000, "{asked} leaves");
    for address in [
        "iam/Role/acme-prod-agent-invoice-bot#/MaxSessionDuration",
        "gateway/RoutingTable/edge-eu#/routes/0/id",
    ] {
        let said = aipolicy(&folder, &["why", address, "-e", "prod", "--as-of", DAY]).expect(0);
        assert!(said.contains(".yaml:") || said.contains("<defaults>:"), "{said}");
    }
}

fn covers(entry: &str, pointer: &str) -> bool {
    pointer.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn pointers(file: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let value: serde_json::Value = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).unwrap(),
        Some("yaml") => serde_saphyr::from_str(&text).unwrap(),
        _ => return vec![String::new()],
    };
    let mut found = Vec::new();
    leaves(&value, String::new(), &mut found);
    found
}

/// Pointers go on into the files that a ConfigMap holds, and a line is followed into clusters.
#[test]
fn why_and_where_reach_into_clusters() {
    let (_place, folder) = copy_of("acme");
    let address = "kubernetes/ConfigMap/eu-1.aipolicy-gateways.edge-eu#/data/config.yaml/model_list/0/litellm_params/timeout";
    let said = aipolicy(&folder, &["why", address, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("tenants/payments/routes.yaml") && said.contains("attempt: 20s"), "{said}");
    let address = "kubernetes/ScaledObject/eu-1.research.embedder#/spec/maxReplicaCount";
    let said = aipolicy(&folder, &["why", address, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("500k tokens/min"), "{said}");
    let missing = "kubernetes/ConfigMap/eu-1.aipolicy-gateways.edge-eu#/data/config.yaml/nothing";
    aipolicy(&folder, &["why", missing, "-e", "prod", "--as-of", DAY]).expect(1);
    let quota = std::fs::read_to_string(folder.join("tenants/research/tenant.yaml")).unwrap();
    let line = quota.lines().position(|line| line.contains("quota:")).unwrap() + 1;
    let line = format!("tenants/research/tenant.yaml:{line}");
    let said = aipolicy(&folder, &["where", &line, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("kubernetes/ScaledObject/eu-1.research.embedder#/spec/maxReplicaCount"), "{said}");
}

#[test]
fn why_names_the_bucket_and_the_policy() {
    let (_place, folder) = copy_of("acme");
    let address = "iam/Policy/acme-prod-tools-invoice-bot#/PolicyDocument/Statement/0/Resource/0";
    let said = aipolicy(&folder, &["why", address, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("tenants/payments/connectors.yaml:"), "{said}");
    let address = "iam/Policy/acme-prod-tools-invoice-bot#/PolicyDocument/Statement/0/Action/0";
    let said = aipolicy(&folder, &["why", address, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("tenants/payments/agents.yaml:") && said.contains("baseline-connectors"), "{said}");
    aipolicy(&folder, &["why", "iam/Role/nobody#/Path", "-e", "prod"]).expect(1);
    let gate = std::fs::read_to_string(
        root().join("examples/acme/expected/prod/iam/Policy/acme-prod-gate-dispute-clerk-open-dispute.json"),
    );
    let gate: serde_json::Value = serde_json::from_str(&gate.unwrap()).unwrap();
    let statements = gate["PolicyDocument"]["Statement"].as_array().unwrap();
    let at = statements.iter().position(|one| one["Sid"] == "VerifyByDisputeCheck").unwrap();
    let address = format!(
        "iam/Policy/acme-prod-gate-dispute-clerk-open-dispute#/PolicyDocument/Statement/{at}/Action/0"
    );
    let said = aipolicy(&folder, &["why", &address, "-e", "prod", "--as-of", DAY]).expect(0);
    assert!(said.contains("gate: { verify: { with: dispute-check } }"), "{said}");
    assert!(said.contains("baseline-connectors"), "{said}");
}

#[test]
fn can_says_what_is_granted_and_by_what() {
    let (_place, folder) = copy_of("acme");
    let ask = |arguments: &[&str]| aipolicy(&folder, arguments);
    let said = ask(&["can", "Agent/invoice-bot", "readConnector", "Connector/invoices"]).expect(0);
    assert!(said.contains("baseline-connectors"), "{said}");
    ask(&["can", "Agent/invoice-bot", "readConnector", "Connector/papers"]).expect(3);
}

#[test]
fn a_disabled_agent_is_called_disabled() {
    let (_place, folder) = copy_of("acme");
    let agents = "tenants/payments/agents.yaml";
    edit(&folder, agents, "enabled: true", "enabled: false");
    let text = std::fs::read_to_string(folder.join(agents)).unwrap();
    let line = text.lines().position(|line| line.contains("enabled: false")).unwrap() + 1;
    let questions: &[&[&str]] = &[
        &["can", "Agent/invoice-bot", "readConnector", "Connector/invoices"],
        &["can", "Agent/invoice-bot", "callTool", "Tool/invoice-bot.read-invoice"],
        &["why", "iam/Role/acme-prod-agent-invoice-bot#/Path"],
        &["why", "iam/Policy/acme-prod-gate-invoice-bot-issue-refund", "-e", "prod"],
        &["why", "prod/iam/Role/acme-prod-gate-invoice-bot-issue-refund.json"],
    ];
    for question in questions {
        let said = aipolicy(&folder, question).expect(3);
        assert!(said.contains("agent `invoice-bot` is disabled"), "{said}");
        assert!(said.contains(&format!("{agents}:{line}:")), "{said}");
    }
    aipolicy(&folder, &["why", "iam/Role/nobody#/Path"]).expect(1);
    aipolicy(&folder, &["why", "iam/Role/acme-prod-agent-dispute-clerk#/Path"]).expect(0);
}

#[test]
fn where_shows_what_a_line_causes() {
    let (_place, folder) = copy_of("quickstart");
    let text = std::fs::read_to_string(folder.join("agent.yaml")).unwrap();
    let line = text.lines().position(|line| line.contains("bucket:")).unwrap() + 1;
    let said = aipolicy(&folder, &["where", &format!("agent.yaml:{line}")]).expect(0);
    assert!(said.contains("iam/Policy/quickstart-dev-tools-handbook"), "{said}");
}

#[test]
fn explain_knows_every_code_that_it_lists() {
    let place = tempfile::tempdir().unwrap();
    let list = aipolicy(place.path(), &["explain"]).expect(0);
    let codes: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 40, "{list}");
    for code in ["AIP-RES-002", "AIP-LNG-001", "AIP-RTE-002", "AIP-CMP-002"] {
        let page = aipolicy(place.path(), &["explain", code]).expect(0);
        assert!(page.starts_with("# "), "{page}");
    }
    aipolicy(place.path(), &["explain", "AIP-NIX-999"]).expect(1);
}

#[test]
fn what_init_writes_is_clean_and_can_be_applied() {
    let place = tempfile::tempdir().unwrap();
    aipolicy(place.path(), &["init", "new", "--name", "acme"]).expect(0);
    let folder = place.path().join("new");
    aipolicy(&folder, &["check", "--as-of", DAY]).expect(0);
    aipolicy(&folder, &["apply", "--yes"]).expect(0);
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
    aipolicy(place.path(), &["init", "new"]).expect(1);
    assert!(files_below(&folder).len() > 3);
}

#[test]
fn diff_tells_effects_between_two_folders() {
    let (_before, before) = copy_of("quickstart");
    let (_after, after) = copy_of("quickstart");
    let folders = |format: &'static str| {
        ["diff", before.to_str().unwrap(), after.to_str().unwrap(), "--format", format].map(str::to_owned)
    };
    let run = |format| {
        let arguments = folders(format);
        aipolicy(&after, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run("text").expect(0);
    edit(&after, "agent.yaml", "access: read", "access: write\n      gate: confirm");
    let said = run("text").expect(2);
    assert!(said.contains("may now write to") && said.contains("may no longer read"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&run("json").out).unwrap();
    assert!(json.is_object());
}
