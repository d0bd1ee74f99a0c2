//! Roles and policies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::kills::at_each_instant;
use super::{ACCOUNT, Site, held};
use crate::cli::{aipolicy, copy_of, done, edit};

/// The path of what is ours there.
pub(super) const PATH: &str = "/aipolicy/quickstart/dev/";
/// The role of the tool of the agent, and its policy.
pub(super) const TOOLS: &str = "quickstart-dev-tools-handbook";

impl Site {
    /// Somebody else does something in the account.
    #[track_caller]
    pub(super) fn somebody(&self, operation: &str, members: &Value) -> Value {
        self.server.calls(ACCOUNT, &[json!(["iam", operation, members])]).remove(0)
    }

    /// Somebody else does several things in the account.
    #[track_caller]
    fn somebody_does(&self, all: &[(&str, Value)]) {
        let calls: Vec<_> =
            all.iter().map(|(operation, members)| json!(["iam", operation, members])).collect();
        self.server.calls(ACCOUNT, &calls);
    }

    /// Every role and policy below our path: its documents and what is attached, told by boto3.
    pub(super) fn world(&self) -> BTreeMap<String, Value> {
        let details = self.somebody(
            "get_account_authorization_details",
            &json!({ "Filter": ["Role", "LocalManagedPolicy"] }),
        );
        let mut world = BTreeMap::new();
        for role in details["RoleDetailList"].as_array().unwrap() {
            if role["Path"] == PATH {
                let attached = role["AttachedManagedPolicies"].as_array().unwrap().iter();
                let mut attached: Vec<_> = attached.map(|policy| policy["PolicyName"].clone()).collect();
                attached.sort_by_key(ToString::to_string);
                let name = format!("Role/{}", role["RoleName"].as_str().unwrap());
                let said = json!({
                    "trust": role["AssumeRolePolicyDocument"],
                    "attached": attached,
                    "inline": role["RolePolicyList"],
                    "boundary": role["PermissionsBoundary"]["PermissionsBoundaryArn"],
                    "tags": role["Tags"],
                });
                assert!(world.insert(name.clone(), said).is_none(), "{name} is there twice");
            }
        }
        for policy in details["Policies"].as_array().unwrap() {
            if policy["Path"] == PATH {
                let versions = policy["PolicyVersionList"].as_array().unwrap();
                let default = versions.iter().find(|version| version["IsDefaultVersion"] == true).unwrap();
                let name = format!("Policy/{}", policy["Arn"].as_str().unwrap().rsplit('/').next().unwrap());
                assert!(
                    world.insert(name.clone(), default["Document"].clone()).is_none(),
                    "{name} is there twice"
                );
            }
        }
        world
    }
}

/// What a settled account holds, as another site has it that nothing disturbed.
pub(super) fn undisturbed() -> BTreeMap<String, Value> {
    let site = Site::new(&["iam"]);
    site.apply();
    site.world()
}

pub(super) fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy{PATH}{name}")
}

#[test]
fn what_was_compiled_is_there_and_a_second_plan_is_empty() {
    let site = Site::new(&["iam"]);
    let said = site.run(&["plan"]).expect(0);
    assert!(said.contains(&format!("iam/Role/{TOOLS}")), "{said}");
    assert_eq!(site.writes().len(), 0, "a plan only looks");
    site.apply();
    site.is_settled();
    let world = site.world();
    let expected = crate::harness::root().join("examples/quickstart/expected/dev/iam");
    let compiled = |kind: &str| -> BTreeMap<String, Value> {
        let files = std::fs::read_dir(expected.join(kind)).unwrap().map(|file| file.unwrap().path());
        let read = |path: PathBuf| {
            let name = format!("{kind}/{}", path.file_stem().unwrap().to_str().unwrap());
            (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        };
        files.map(read).collect()
    };
    let (policies, roles) = (compiled("Policy"), compiled("Role"));
    assert_eq!(world.len(), policies.len() + roles.len());
    for (name, policy) in &policies {
        assert_eq!(world[name], policy["PolicyDocument"], "{name}");
    }
    for (name, role) in &roles {
        let arns = role["AttachedManagedPolicies"].as_array().unwrap().iter();
        let attached: Vec<_> = arns.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap()).collect();
        let expected = json!({
            "trust": role["AssumeRolePolicyDocument"],
            "attached": attached,
            "inline": [],
            "boundary": role["PermissionsBoundary"],
            "tags": role["Tags"],
        });
        assert_eq!(world[name], expected, "{name}");
    }
    assert!(roles.values().any(|role| role["PermissionsBoundary"].is_string()), "some role is bounded");
    // A policy is there before the role that it is attached to.
    let writes = site.writes();
    let first = |name: &str| writes.iter().position(|(found, _)| found == name).unwrap();
    assert!(first("CreatePolicy") < first("CreateRole") && first("CreateRole") < first("AttachRolePolicy"));
}

#[test]
fn a_policy_is_changed_as_often_as_wanted_and_goes_with_its_agent() {
    let site = Site::new(&["iam"]);
    site.apply();
    let mut prefix = "prefixes: [published/]".to_owned();
    for at in 0..7 {
        let next = format!("prefixes: [published-{at}/]");
        edit(&site.folder, "agent.yaml", &prefix, &next);
        prefix = next;
        site.apply();
        site.is_settled();
    }
    let world = site.world();
    assert!(world[&format!("Policy/{TOOLS}")].to_string().contains("published-6/"));
    let versions = site.somebody("list_policy_versions", &json!({ "PolicyArn": policy_arn(TOOLS) }));
    assert_eq!(versions["Versions"].as_array().unwrap().len(), 5, "IAM keeps five");

    std::fs::remove_file(site.folder.join("agent.yaml")).unwrap();
    site.apply();
    site.is_settled();
    let left: Vec<_> = site.world().into_keys().filter(|name| name.contains("handbook")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_somebody_changed_is_told_and_taken_back() {
    let site = Site::new(&["iam"]);
    site.apply();
    let settled = site.world();
    let all = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    let anybody = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }]
    });
    let (all, tag) = (all.to_string(), json!([{ "Key": "cost", "Value": "theirs" }]));
    site.somebody_does(&[
        (
            "attach_role_policy",
            json!({ "RoleName": TOOLS, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" }),
        ),
        ("put_role_policy", json!({ "RoleName": TOOLS, "PolicyName": "more", "PolicyDocument": all })),
        ("update_assume_role_policy", json!({ "RoleName": TOOLS, "PolicyDocument": anybody.to_string() })),
        ("delete_role_permissions_boundary", json!({ "RoleName": TOOLS })),
        ("update_role", json!({ "RoleName": TOOLS, "MaxSessionDuration": 7200 })),
        ("tag_role", json!({ "RoleName": TOOLS, "Tags": tag })),
        ("tag_policy", json!({ "PolicyArn": policy_arn(TOOLS), "Tags": tag })),
    ]);
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    for told in [TOOLS, "AdministratorAccess", "\"more\"", ACCOUNT, "7200", "\"theirs\"", "2 to update"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    site.apply();
    site.is_settled();
    assert_eq!(site.world(), settled);
}

#[test]
fn what_is_not_ours_is_never_touched() {
    let site = Site::new(&["iam"]);
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }]
    });
    let role = |path: &str| json!({ "RoleName": TOOLS, "Path": path, "AssumeRolePolicyDocument": trust.to_string() });
    // Another path, and our path without our tags.
    for path in ["/others/", PATH] {
        site.somebody("create_role", &role(path));
        let before = site.writes();
        let said = site.run(&["apply", "--yes"]).expect(3);
        assert!(said.contains("AIP-CMP-006") && said.contains(TOOLS), "{said}");
        assert_eq!(site.writes(), before, "nothing is written");
        site.somebody("delete_role", &json!({ "RoleName": TOOLS }));
    }
    let nothing = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*" }]
    });
    let policy = json!({ "PolicyName": TOOLS, "Path": "/others/", "PolicyDocument": nothing.to_string() });
    let made = site.somebody("create_policy", &policy);
    let said = site.run(&["apply", "--yes"]).expect(3);
    assert!(said.contains("AIP-CMP-006") && said.contains(&format!("iam/Policy/{TOOLS}")), "{said}");
    site.somebody("delete_policy", &json!({ "PolicyArn": made["Policy"]["Arn"] }));
    site.apply();
    site.is_settled();
}

#[test]
fn what_is_left_in_an_account_is_told_when_its_target_moves_away() {
    let site = Site::new(&["iam"]);
    site.apply();
    let settled = site.world();
    edit(&site.folder, "environment.yaml", "{ iam: aws }", "{ iam: local }");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let said = site.run(command).expect(1);
        let told =
            "is ours and lives in `aws`, which no longer serves target `iam`: name `aws` for it once more";
        assert!(said.contains(&format!("`iam/Policy/quickstart-dev-agent-handbook` {told}")), "{said}");
    }
    assert_eq!(site.world(), settled);
    assert!(!site.folder.join(".aipolicy/world/dev/iam/Role").exists(), "nothing was made elsewhere");
    // Once somebody has removed all of it, the target lives elsewhere, and the account is not asked any more.
    site.server.ask("reset", Some(&json!({})));
    site.apply();
    let asked = site.server.ask("log", None).as_array().unwrap().len();
    assert!(asked > 0);
    site.is_settled();
    assert_eq!(site.server.ask("log", None).as_array().unwrap().len(), asked);
}

#[test]
fn documents_that_are_not_applied_are_refused_before_anybody_is_asked() {
    let (_place, folder) = copy_of("acme");
    edit(&folder, "environments/prod.yaml", "providers: { iam: local,", "providers: { iam: aws,");
    let said = aipolicy(&folder, &["plan", "-e", "prod"]).expect(1);
    assert!(said.contains("do not apply: 5 of `iam/EndpointPolicy`\n"), "{said}");
}

#[test]
fn whoever_asks_is_of_the_account() {
    let site = Site::new(&["iam"]);
    let said = done(site.command(&["plan"]).env("AWS_ACCESS_KEY_ID", "AKIA999988887777")).expect(1);
    assert!(said.contains("account 999988887777") && said.contains(&format!("account {ACCOUNT}")), "{said}");
    let mut nobody = site.command(&["plan"]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true");
    let said = done(&mut nobody).expect(1);
    assert!(said.contains("no credentials of AWS") && said.contains("AWS_PROFILE"), "{said}");
    assert_eq!(site.writes().len(), 0);
}

#[test]
fn a_service_that_is_slow_busy_and_loses_answers_makes_no_difference() {
    let site = Site::new(&["iam"]);
    let operations =
        ["CreatePolicy", "CreateRole", "AttachRolePolicy", "GetRole", "ListRoles", "GetPolicyVersion"];
    let twice: serde_json::Map<_, _> =
        operations.iter().map(|name| (format!("iam:{name}"), json!(2))).collect();
    let failure =
        json!([{ "code": "ServiceFailure", "message": "try again", "status": 500, "when": "after" }]);
    let fail: serde_json::Map<_, _> =
        operations.iter().map(|name| (format!("iam:{name}"), failure.clone())).collect();
    site.wish(&json!({ "throttle": twice, "drop": twice, "fail": fail, "unseen": 3, "page": 1 }));
    site.apply();
    assert!(site.writes().iter().any(|(_, outcome)| outcome == "dropped"), "answers were lost");
    assert!(site.writes().iter().any(|(_, outcome)| outcome == "Throttling"), "calls were throttled");
    site.wish(&json!({ "page": 100 }));
    site.is_settled();
    assert_eq!(site.world(), undisturbed());
}

#[test]
fn whoever_is_asked_to_end_begins_nothing_and_asked_twice_waits_for_nothing() {
    let site = Site::new(&["iam"]);
    for signals in [["INT", "INT"], ["TERM", "INT"], ["TERM", "TERM"]] {
        site.reset();
        // Policies are made, but for one; roles are asked for again and again.
        site.wish(&json!({ "throttle": { "iam:CreateRole": 1000 } }));
        let mut apply = held(&site, (3, "before"), &[]).unwrap();
        let id = apply.id().to_string();
        let signal = |word: &str| {
            let sent = Command::new("kill").args(["-s", word, &id]).status().unwrap();
            assert!(sent.success());
        };
        signal(signals[0]);
        // What was in flight ends within this, but for the call that is held.
        std::thread::sleep(Duration::from_secs(2));
        let begun = site.writes();
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(site.writes(), begun, "{signals:?}");
        assert!(apply.try_wait().unwrap().is_none(), "{signals:?}: what was in flight is waited for");
        signal(signals[1]);
        assert_eq!(apply.wait().unwrap().code(), Some(1), "{signals:?}");
        site.wish(&json!({ "hold": {}, "throttle": {} }));
        site.apply();
        site.is_settled();
    }
}

#[test]
fn of_many_at_once_one_applies() {
    let (site, expected) = (Site::new(&["iam"]), undisturbed());
    for _ in 0..3 {
        site.reset();
        let start =
            || site.command(&["apply", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let all: Vec<Child> = std::iter::repeat_with(start).take(8).collect();
        let ends: Vec<_> = all.into_iter().map(|mut one| one.wait().unwrap().code().unwrap()).collect();
        // Others found the lock held, the world changed, or, later, nothing left to do.
        assert!(ends.contains(&0) && ends.iter().all(|end| [0, 5, 6].contains(end)), "{ends:?}");
        site.is_settled();
        assert_eq!(site.world(), expected);
        let made =
            site.writes().iter().filter(|(name, _)| name == "CreateRole" || name == "CreatePolicy").count();
        assert_eq!(made, expected.len(), "each is made once");
    }
}

/// Kills an apply before and after each of its calls that change something, and wants the next apply to repair it. Returns how
/// many kills that were.
fn repaired(site: &Site) -> usize {
    let undisturbed = site.branch();
    undisturbed.apply();
    let expected = undisturbed.census();
    let calls = at_each_instant(&site.branch(), |_| true, |left, after| left.is_repaired(&expected, after));
    println!("{} kills, each repaired by one apply", 2 * calls);
    2 * calls
}

#[test]
fn a_kill_while_things_are_made_loses_nothing_and_doubles_nothing() {
    let (site, expected) = (Site::new(&["iam"]), undisturbed());
    let attached = expected.keys().filter(|name| name.starts_with("Role/")).count();
    let kills = repaired(&site);
    assert_eq!(kills, 2 * (expected.len() + attached), "before and after each role, policy and attachment");
}

#[test]
fn a_kill_while_things_are_changed_or_removed_is_repaired() {
    let site = Site::new(&["iam"]);
    // One role is changed by four calls, a policy by one, and a policy and a role that are no longer wanted go.
    let agent = std::fs::read_to_string(site.folder.join("agent.yaml")).unwrap();
    let more = agent
        .replace("{ name: handbook }", "{ name: archive }")
        .replace("staff-handbook", "old-handbook")
        .replace("quickstart-handbook", "quickstart-archive");
    std::fs::write(site.folder.join("more.yaml"), &more).unwrap();
    site.apply();
    std::fs::remove_file(site.folder.join("more.yaml")).unwrap();
    let arn = policy_arn(TOOLS);
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }]
    });
    let document = document.to_string();
    site.somebody_does(&[
        ("detach_role_policy", json!({ "RoleName": TOOLS, "PolicyArn": arn })),
        ("put_role_policy", json!({ "RoleName": TOOLS, "PolicyName": "more", "PolicyDocument": document })),
        ("update_role", json!({ "RoleName": TOOLS, "MaxSessionDuration": 7200 })),
        (
            "create_policy_version",
            json!({ "PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": true }),
        ),
    ]);
    let kills = repaired(&site);
    assert!(kills >= 2 * 10, "{kills} kills");
}
