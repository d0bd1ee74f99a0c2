//! `import`: what others made comes under our care, and nothing else does.

use serde_json::{Value, json};

use super::kinds::Whole;
use super::roles::{PATH, TOOLS, policy_arn, undisturbed};
use super::{ACCOUNT, Site, held_of};
use crate::cli::edit;

/// The document of the role of the tool.
const ROLE: &str = "iam/Role/quickstart-dev-tools-handbook";

impl Site {
    /// Somebody makes a role of this name and path, with these tags.
    fn role_of_others(&self, (path, name): (&str, &str), tags: &[(&str, &str)]) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }]
        });
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let (trust, tags) = (trust.to_string(), json!(tags));
        let role = json!({ "RoleName": name, "Path": path, "AssumeRolePolicyDocument": trust, "Tags": tags });
        self.somebody("create_role", &role);
    }

    fn no_role(&self, name: &str) {
        self.somebody("delete_role", &json!({ "RoleName": name }));
    }
}

#[test]
fn a_role_and_a_policy_of_others_are_adopted_changed_and_removed() {
    let site = Site::new(&["iam"]);
    site.role_of_others((PATH, TOOLS), &[("cost", "theirs")]);
    let nothing = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*" }]
    });
    let policy = json!({ "PolicyName": TOOLS, "Path": PATH, "PolicyDocument": nothing.to_string() });
    site.somebody("create_policy", &policy);
    let before = site.writes().len();
    let said = site.run(&["plan"]).expect(3);
    assert!(said.contains("AIP-CMP-006"), "{said}");
    assert!(said.contains(&format!("`aipolicy import {ROLE} ID -e dev`")), "{said}");
    let said = site.run(&["import", ROLE, TOOLS]).expect(1);
    assert!(said.contains("nobody is there to ask") && said.contains("--yes"), "{said}");
    for told in
        ["+      \"Key\": \"aipolicy:workspace\"", "it gets the tags `aipolicy:environment=dev`", PATH]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(site.writes().len(), before, "nothing is written");

    let said = site.run(&["import", ROLE, TOOLS, "-e", "dev", "--yes"]).expect(0);
    assert!(said.contains("1 done"), "{said}");
    site.run(&["import", &format!("iam/Policy/{TOOLS}"), &policy_arn(TOOLS), "--yes"]).expect(0);
    let tagged = [("TagRole".to_owned(), "ok".to_owned()), ("TagPolicy".to_owned(), "ok".to_owned())];
    assert_eq!(site.writes()[before..], tagged, "it is tagged and nothing else");
    let said = site.run(&["import", ROLE, TOOLS, "--yes"]).expect(0);
    assert!(said.contains("ours already: nothing to do"), "{said}");
    assert_eq!(site.writes().len(), before + 2, "what is ours is not tagged again");

    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    for told in [&format!("update {ROLE} (asked for by the sources, widens)"), "\"theirs\"", "2 to update"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("AIP-CMP-006") && !said.contains(&format!("create {ROLE}")), "{said}");
    site.apply();
    site.is_settled();
    assert_eq!(site.world(), undisturbed());
    std::fs::remove_file(site.folder.join("agent.yaml")).unwrap();
    site.apply();
    site.is_settled();
    assert!(!site.world().keys().any(|name| name.contains(TOOLS)));
}

#[test]
fn what_is_not_what_the_document_asks_for_is_refused() {
    let site = Site::new(&["iam", "bedrock"]);
    let import = |address: &str, id: &str, exit| site.run(&["import", address, id, "--yes"]).expect(exit);
    let wanted = format!("`{PATH}{TOOLS}`");
    let said = import("iam/Role/quickstart-dev-tools-handbok", TOOLS, 1);
    assert!(said.contains(&format!("`{ROLE}` is the nearest")), "{said}");
    let said = import(ROLE, TOOLS, 1);
    assert!(said.contains("nothing of this kind is called so") && said.contains(&wanted), "{said}");
    let said = import("bedrock/GatewayTarget/quickstart-dev-handbook.tools", "tools", 1);
    assert!(said.contains("a part of a `bedrock/Gateway`") && said.contains("import that"), "{said}");
    let said = import("bedrock/InvocationLogging/quickstart-dev-eu-central-1", "x", 1);
    assert!(said.contains("a setting of what others keep"), "{said}");

    site.role_of_others(("/others/", TOOLS), &[]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/others/{TOOLS}");
    for id in [TOOLS, &arn] {
        let said = import(ROLE, id, 3);
        let told = ["IAM changes neither path nor name", &format!("`/others/{TOOLS}`"), &wanted];
        assert!(told.iter().all(|told| said.contains(told)), "{said}");
    }
    let said = import(ROLE, &format!("arn:aws:iam::{ACCOUNT}:role/elsewhere/{TOOLS}"), 1);
    assert!(said.contains("nothing of this kind is called so"), "an ARN says the path, too: {said}");
    site.no_role(TOOLS);
    site.role_of_others((PATH, "another"), &[]);
    let said = import(ROLE, "another", 3);
    assert!(said.contains(&format!("`{PATH}another`")) && said.contains(&wanted), "{said}");
    for (tags, whose) in [
        ([("aipolicy:workspace", "quickstart"), ("aipolicy:environment", "prod")], "the environment `prod`"),
        ([("aipolicy:workspace", "other"), ("aipolicy:environment", "dev")], "the workspace `other`"),
    ] {
        site.role_of_others((PATH, TOOLS), &tags);
        let said = import(ROLE, TOOLS, 3);
        assert!(said.contains("belongs to") && said.contains(whose), "{said}");
        site.no_role(TOOLS);
    }
    let engine = json!({ "name": "quickstart_dev_handbook", "tags": { "aipolicy:workspace": "other" } });
    let control = "bedrock-agentcore-control";
    site.asks(control, "create_policy_engine", &engine);
    let theirs = json!({ "name": "theirs", "tags": {} });
    let theirs = site.asks(control, "create_policy_engine", &theirs)["policyEngineArn"].clone();
    let address = "bedrock/PolicyEngine/quickstart_dev_handbook";
    let said = import(address, "quickstart_dev_handbook", 3);
    assert!(said.contains("the workspace `other`"), "{said}");
    let said = import(address, theirs.as_str().unwrap(), 3);
    assert!(said.contains("name `theirs`") && said.contains("name `quickstart_dev_handbook`"), "{said}");
    assert!(site.writes().iter().all(|(name, _)| !name.starts_with("Tag")), "nothing was tagged");
}

/// An object of ours that loses its mark: its document, what the service calls it, and the call that takes the mark away.
struct Stripped {
    address: &'static str,
    id: String,
    call: Value,
}

/// What is made for a service: how it is untagged, with the members that name it and the keys.
fn stripped(
    address: &'static str,
    id: &str,
    (service, operation, named, keys): (&str, &str, &str, &str),
    arn: &str,
) -> Stripped {
    let marks = ["aipolicy:environment", "aipolicy:workspace"];
    let region = if service == "budgets" { "us-east-1" } else { "eu-central-1" };
    let call = json!([service, operation, { named: arn, keys: marks }, region]);
    Stripped { address, id: id.to_owned(), call }
}

/// The first thing of a list whose member says this, by two further members.
fn listed(site: &Whole, call: Value, (at, name, value): (&str, &str, &str)) -> Value {
    let answer = site.server.calls(site.account, &[call]).remove(0);
    let all = answer[at].as_array().unwrap();
    all.iter().find(|thing| thing[name] == value).unwrap_or_else(|| panic!("{value} in {answer}")).clone()
}

fn unmarked(site: &Whole) -> Vec<Stripped> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (account, all) = (site.account, "acme-staging-employees-eu-central-1");
    let of = |service: &str, rest: &str| format!("arn:aws:{service}:eu-central-1:{account}:{rest}");
    let guardrail = listed(site, json!(["bedrock", "list_guardrails", {}]), ("guardrails", "name", all));
    let name = "acme-staging-lab-notebook";
    let agent =
        listed(site, json!(["bedrock-agent", "list_agents", {}]), ("agentSummaries", "agentName", name));
    let control = "bedrock-agentcore-control";
    let gateways = json!([control, "list_gateways", {}]);
    let gateway = text(&listed(site, gateways, ("items", "name", "acme-staging-paper-reader"))["gatewayId"]);
    let mappings = json!(["lambda", "list_event_source_mappings", {}]);
    let keyworder = "acme-staging-workload-keyworder";
    let function = of("lambda", &format!("function:{keyworder}"));
    let mapping = listed(site, mappings, ("EventSourceMappings", "FunctionArn", &function));
    let mapping_id = text(&mapping["UUID"]);
    let (group, table) =
        (format!("/aws/lambda/{keyworder}"), of("dynamodb", "table/acme-staging-starts-paper-reader"));
    let schedules = of("scheduler", "schedule-group/acme-staging-trigger-paper-reader-morning");
    let agent = text(&agent["agentId"]);
    vec![
        stripped(
            "bedrock/Guardrail/acme-staging-employees-eu-central-1",
            &text(&guardrail["id"]),
            ("bedrock", "untag_resource", "resourceARN", "tagKeys"),
            &text(&guardrail["arn"]),
        ),
        stripped(
            "bedrock/Agent/acme-staging-lab-notebook",
            &agent,
            ("bedrock-agent", "untag_resource", "resourceArn", "tagKeys"),
            &of("bedrock", &format!("agent/{agent}")),
        ),
        stripped(
            "bedrock/Gateway/acme-staging-paper-reader",
            &gateway,
            (control, "untag_resource", "resourceArn", "tagKeys"),
            &of("bedrock-agentcore", &format!("gateway/{gateway}")),
        ),
        stripped(
            "lambda/LogGroup/acme-staging-workload-keyworder",
            &of("logs", &format!("log-group:{group}:*")),
            ("logs", "untag_resource", "resourceArn", "tagKeys"),
            &of("logs", &format!("log-group:{group}")),
        ),
        stripped(
            "lambda/Function/acme-staging-workload-keyworder",
            &function,
            ("lambda", "untag_resource", "Resource", "TagKeys"),
            &function,
        ),
        stripped(
            "lambda/EventSourceMapping/acme-staging-workload-keyworder",
            &mapping_id,
            ("lambda", "untag_resource", "Resource", "TagKeys"),
            &of("lambda", &format!("event-source-mapping:{mapping_id}")),
        ),
        stripped(
            "bedrock/Table/acme-staging-starts-paper-reader",
            "acme-staging-starts-paper-reader",
            ("dynamodb", "untag_resource", "ResourceArn", "TagKeys"),
            &table,
        ),
        stripped(
            "bedrock/ScheduleGroup/acme-staging-trigger-paper-reader-morning",
            &schedules,
            ("scheduler", "untag_resource", "ResourceArn", "TagKeys"),
            &schedules,
        ),
        stripped(
            "observability/Budget/acme-staging-acme-monthly",
            "acme-staging-acme-monthly",
            ("budgets", "untag_resource", "ResourceARN", "ResourceTagKeys"),
            &format!("arn:aws:budgets::{account}:budget/acme-staging-acme-monthly"),
        ),
    ]
}

#[test]
fn things_of_many_services_are_adopted_by_what_the_services_call_them() {
    let site = Whole::staging();
    site.apply();
    let all = unmarked(&site);
    site.server.calls(site.account, &all.iter().map(|one| one.call.clone()).collect::<Vec<_>>());
    let said = site.run(&["plan"]).expect(3);
    for one in &all {
        assert!(
            said.contains(&format!("`{}` exists already and is not ours", one.address)),
            "{}",
            one.address
        );
    }
    for one in &all {
        let said = site.run(&["import", one.address, &one.id, "--yes"]).expect(0);
        assert!(said.contains("1 done"), "{}: {said}", one.address);
        let said = site.run(&["import", one.address, &one.id, "--yes"]).expect(0);
        assert!(said.contains("ours already"), "{}: {said}", one.address);
    }
    site.is_settled();
}

#[test]
fn what_was_adopted_is_changed_and_removed_with_its_parts() {
    let site = Site::with_agents();
    site.apply();
    let things = site.things();
    let guardrails = site.asks("bedrock", "list_guardrails", &json!({}));
    let guardrail = &guardrails["guardrails"][0];
    let marks = json!(["aipolicy:environment", "aipolicy:workspace"]);
    site.asks("bedrock", "untag_resource", &json!({ "resourceARN": guardrail["arn"], "tagKeys": marks }));
    let agent = site.agent("quickstart-dev-clerk");
    let arn = format!("arn:aws:bedrock:eu-central-1:{ACCOUNT}:agent/{}", agent.as_str().unwrap());
    site.asks("bedrock-agent", "untag_resource", &json!({ "resourceArn": arn, "tagKeys": marks }));
    edit(&site.folder, "desk.yaml", "insults: medium", "insults: high");
    let address = format!("bedrock/Guardrail/{}", guardrail["name"].as_str().unwrap());
    site.run(&["apply", "--yes"]).expect(3);
    site.run(&["import", &address, guardrail["arn"].as_str().unwrap(), "--yes"]).expect(0);
    site.run(&["import", "bedrock/Agent/quickstart-dev-clerk", &arn, "--yes"]).expect(0);
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains(&format!("update {address} (asked for by the sources)")), "{said}");
    assert!(said.contains(" 0 to create") && said.contains(" 0 to delete"), "{said}");
    site.apply();
    site.is_settled();
    let now = site.things();
    assert!(things.keys().all(|name| now.contains_key(name)), "{now:?}");
    std::fs::remove_file(site.folder.join("desk.yaml")).unwrap();
    site.apply();
    site.is_settled();
    let left = site.things();
    assert!(
        left.keys().all(|name| !name.contains("clerk") && !name.starts_with("list_guardrails")),
        "{left:?}"
    );
}

#[test]
fn a_kill_while_something_is_adopted_is_repaired() {
    let site = Site::new(&["iam"]);
    let import = ["import", ROLE, TOOLS, "--yes"];
    for when in ["before", "after"] {
        site.reset();
        site.role_of_others((PATH, TOOLS), &[]);
        let mut held = held_of(&site, (1, when), &import).expect("it writes once");
        held.kill().unwrap();
        held.wait().unwrap();
        site.wish(&json!({ "hold": {} }));
        // Whether it was tagged decides whether it is in the way.
        let said = site.run(&["plan"]).expect(if when == "before" { 3 } else { 0 });
        assert_eq!(said.contains("AIP-CMP-006"), when == "before", "{said}");
        let said = site.run(&import).expect(0);
        assert_eq!(said.contains("ours already"), when == "after", "{said}");
        let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
        assert!(said.contains(&format!("update {ROLE} (asked for by the sources")), "{when}: {said}");
        site.apply();
        site.is_settled();
        assert_eq!(site.world(), undisturbed(), "killed {when}");
        assert_eq!(
            site.writes().iter().filter(|(name, outcome)| name == "TagRole" && outcome == "ok").count(),
            usize::from(when == "before")
        );
    }
}

#[test]
fn an_import_that_loses_its_answer_is_done_once() {
    let site = Site::new(&["iam"]);
    site.role_of_others((PATH, TOOLS), &[]);
    site.wish(&json!({ "drop": { "iam:TagRole": 1 }, "throttle": { "iam:GetRole": 2, "iam:TagRole": 1 } }));
    site.run(&["import", ROLE, TOOLS, "--yes"]).expect(0);
    let said = site.run(&["plan"]).expect(0);
    assert!(said.contains(&format!("update {ROLE} (asked for by the sources, widens)")), "{said}");
}
