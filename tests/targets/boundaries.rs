//! Permissions boundaries: one for each tenant, which takes away nothing that was granted, and all that was not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aipolicy_iam::{Change, Document, Policies, Relation, compare, find, read};
use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::effects;
use serde_json::{Value, json};

use super::{ACME, QUICKSTART, at, bedrock, document, iam, texts, workspace};
use crate::harness::workspace::Built;

/// A role of a tenant: its name, what it holds, and its boundary.
struct Bounded {
    name: String,
    boundary: String,
    held: Vec<Document>,
    bound: Document,
}

impl Bounded {
    /// Its own policies, without the boundary.
    fn held(&self) -> Policies {
        self.held.iter().fold(Policies::default(), |all, one| all.identity("held", one))
    }

    /// What is left of it, and of what somebody attached.
    fn bounded(&self, attached: &[Document]) -> Policies {
        let all = attached.iter().fold(self.held(), |all, one| all.identity("attached", one));
        all.boundary("boundary", &self.bound)
    }
}

/// The policy that an ARN names.
fn policy(built: &Built, arn: &str) -> Document {
    let text = built.text(&format!("iam/Policy/{}", arn.rsplit('/').next().unwrap()));
    let [found] = find(text).unwrap().try_into().unwrap();
    found.document
}

/// The roles of a workspace that have a boundary, and the names of those that have none.
fn roles(built: &Built) -> (Vec<Bounded>, BTreeSet<String>) {
    let (mut bounded, mut free) = (Vec::new(), BTreeSet::new());
    let is_role = |one: &&Artifact| one.document.address.to_string().starts_with("iam/Role/");
    for role in built.sound().into_iter().filter(is_role) {
        let name = role.document.address.name.clone();
        let found: Value = serde_json::from_str(&role.document.text).unwrap();
        let Some(arn) = found["PermissionsBoundary"].as_str() else {
            free.insert(name);
            continue;
        };
        let held =
            texts(&found["AttachedManagedPolicies"]).into_iter().map(|arn| policy(built, arn)).collect();
        let boundary = arn.rsplit('/').next().unwrap().to_owned();
        assert!(role.needs.iter().any(|need| need.name == boundary), "{name} waits for {boundary}");
        bounded.push(Bounded { name, boundary, held, bound: policy(built, arn) });
    }
    (bounded, free)
}

fn workspaces() -> [&'static Built; 4] {
    [iam::everything(), bedrock::everything(), &ACME, &QUICKSTART]
}

#[test]
fn every_role_of_a_tenant_has_the_boundary_of_its_tenant_and_loses_nothing() {
    for built in workspaces() {
        let (bounded, free) = roles(built);
        assert!(!bounded.is_empty());
        for role in &bounded {
            let found = compare(&role.held(), &role.bounded(&[]));
            assert_eq!(
                found.relation(),
                Relation::Equal,
                "{} within {}: {found:#?}",
                role.name,
                role.boundary
            );
        }
        // Gateways serve several tenants, and the rest is the environment's.
        let nobodys = |name: &String| {
            let gateway = name.contains("-gateway-") && !name.ends_with("-tools");
            gateway || name.ends_with("-budgets") || name.ends_with("-invocations")
        };
        assert!(free.iter().all(nobodys), "{free:?}");
    }
    let (bounded, _) = roles(&ACME);
    let of = |role: &str| &bounded.iter().find(|one| one.name == role).unwrap().boundary;
    assert_eq!(of("acme-prod-agent-invoice-bot"), "acme-prod-boundary-payments");
    assert_eq!(of("acme-prod-gate-invoice-bot-issue-refund"), "acme-prod-boundary-payments");
    assert_eq!(of("acme-prod-trigger-paper-reader-morning"), "acme-prod-boundary-research");
    assert_eq!(of("acme-prod-workload-embedder"), "acme-prod-boundary-research");
}

fn allowed(action: &str, resource: &str) -> Document {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    read(&json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()).unwrap()
}

#[test]
fn what_somebody_attaches_to_a_role_gives_nothing_beyond_its_tenant() {
    let foreign = [
        ("iam:*", "*"),
        ("sts:AssumeRole", "*"),
        ("organizations:*", "*"),
        ("s3:GetObject", "arn:aws:s3:::acme-support-articles/*"),
        ("s3:*", "arn:aws:s3:::somebody-elses/*"),
        ("dynamodb:Scan", "*"),
        ("lambda:UpdateFunctionCode", "*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:111122223333:function:of-others"),
        (
            "states:StartExecution",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:acme-prod-gate-case-assistant-issue-voucher",
        ),
        ("bedrock:InvokeModel", "arn:aws:bedrock:ap-south-1::foundation-model/anthropic.claude-haiku-5-5"),
        (
            "bedrock:InvokeModel",
            "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-text-express-v1",
        ),
        ("bedrock:CreateAgent", "*"),
        (
            "bedrock:InvokeModel",
            "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abcdefghijkl",
        ),
        (
            "bedrock-agentcore:InvokeHarness",
            "arn:aws:bedrock-agentcore:eu-central-1:111122223333:harness/acme_prod_paper_reader-abcdefghij",
        ),
    ];
    let (bounded, _) = roles(&ACME);
    let payments = |role: &&Bounded| role.boundary == "acme-prod-boundary-payments";
    assert!(bounded.iter().any(|role| payments(&role)));
    for role in bounded.iter().filter(payments) {
        for (action, resource) in foreign {
            let attached = allowed(action, resource);
            let before = role.held();
            let found = compare(&before, &role.bounded(std::slice::from_ref(&attached)));
            let profile = resource.contains("application-inference-profile");
            // A profile is told by its tags, so it is another tenant's that is cut.
            let Change::Shown(gained) = &found.gained else {
                assert_eq!(
                    found.relation(),
                    Relation::Equal,
                    "{}: {action} on {resource}: {found:#?}",
                    role.name
                );
                continue;
            };
            let tenant =
                |key: &str| gained.iter().all(|one| one.witness.context.value(key) == Some("payments"));
            assert!(
                profile && tenant("aws:resourcetag/aipolicy:tenant"),
                "{}: {action}: {found:#?}",
                role.name
            );
        }
        // Attached without a boundary, each of them would have given something.
        let everything = foreign.map(|(action, resource)| allowed(action, resource));
        let all = everything.iter().fold(role.held(), |all, one| all.identity("attached", one));
        assert!(matches!(compare(&role.held(), &all).gained, Change::Shown(_)), "{}", role.name);
    }
}

#[test]
fn the_boundary_holds_no_right_over_identities_and_no_kind_of_action() {
    for built in workspaces() {
        for role in roles(built).0 {
            let allowing =
                role.bound.statements.iter().filter(|one| one.effect == aipolicy_iam::Effect::Allow);
            for action in allowing.flat_map(|one| match &one.actions {
                aipolicy_iam::Matcher::In(actions) => actions,
                aipolicy_iam::Matcher::NotIn(_) => panic!("{} allows all but something", role.boundary),
            }) {
                assert!(!action.contains(['*', '?']), "{}: {action}", role.boundary);
                let service = action.split(':').next().unwrap();
                assert!(!["iam", "sts", "organizations"].contains(&service), "{}: {action}", role.boundary);
            }
        }
    }
}

/// Two tenants with an agent each; that of `t` has so many tools, each over a table of its own, and these too.
fn busy(tools: usize, more: &[(&str, &str)]) -> Built {
    let environment = "aws: { accountId: \"111122223333\", regions: [eu-central-1] }";
    let tenant = "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]";
    let mut list = String::new();
    let mut connectors = String::new();
    let mut connector = |name: &str, what: &str| {
        connectors +=
            &document("Connector", name, &format!("{what}, region: eu-central-1, dataClass: internal"));
    };
    for at in 0..tools {
        write!(list, "{{ name: tool-{at}, connector: c-{at}, access: read }}, ").unwrap();
        connector(&format!("c-{at}"), &format!("dynamoDb: {{ table: quite-a-long-name-of-a-table-{at} }}"));
    }
    for (name, what) in more {
        write!(list, "{{ name: {name}, connector: {name}, access: read }}, ").unwrap();
        connector(name, what);
    }
    connector("theirs", "dynamoDb: { table: quite-a-long-name-of-another-tenant }");
    connector("shared", "s3: { bucket: shared, prefixes: [in/] }, partition: { key: tenant }");
    let shared = "{ name: shared, connector: shared, access: read }";
    let agent = |tenant: &str, list: &str| {
        format!("tenant: {tenant}, model: {{ model: m }}, tools: [{list}{shared}]")
    };
    let (mine, other) = (agent("t", &list), agent("u", "{ name: x, connector: theirs, access: read }, "));
    let documents = [
        ("Environment", "prod", environment),
        ("Tenant", "t", tenant),
        ("Tenant", "u", tenant),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Agent", "busy", mine.as_str()),
        ("Agent", "other", other.as_str()),
    ];
    Built::of(workspace(&documents) + &connectors)
}

#[test]
fn it_fits_one_policy_however_many_tools_there_are() {
    for tools in [1, 40, 90] {
        let built = busy(tools, &[]);
        let text = built.json("iam/Policy/w-prod-boundary-t")["PolicyDocument"].to_string();
        assert!(text.chars().count() <= 6144, "{tools}: {}", text.len());
        let (bounded, _) = roles(&built);
        for role in bounded.iter().filter(|role| role.boundary == "w-prod-boundary-t") {
            let found = compare(&role.held(), &role.bounded(&[]));
            assert_eq!(found.relation(), Relation::Equal, "{}: {found:#?}", role.name);
            for arn in ["table/quite-a-long-name-of-another-tenant", "table/x"] {
                let arn = format!("arn:aws:dynamodb:eu-central-1:111122223333:{arn}");
                let other = [
                    allowed("dynamodb:GetItem", &arn),
                    allowed("s3:GetObject", "arn:aws:s3:::shared/in/u/*"),
                ];
                let found = compare(&role.held(), &role.bounded(&other));
                assert_eq!(found.relation(), Relation::Equal, "{}: {found:#?}", role.name);
            }
        }
    }
}

/// The lines of the boundary.
fn lines(built: &Built) -> BTreeSet<String> {
    let text = built.text("iam/Policy/w-prod-boundary-t");
    text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect()
}

#[test]
fn a_further_tool_changes_it_little() {
    let files = ("files", "s3: { bucket: b, prefixes: [in/] }");
    let before = lines(&busy(3, &[files]));
    let again = lines(&busy(3, &[files, ("more", "s3: { bucket: b, prefixes: [out/] }")]));
    assert_eq!(again, before, "a tool over a bucket that the tenant has");
    let table = lines(&busy(4, &[files]));
    let added: Vec<_> = table.difference(&before).collect();
    assert_eq!(added.len(), 1, "{added:#?}");
    assert!(before.is_subset(&table));
    let (many, more) = (lines(&busy(70, &[])), lines(&busy(71, &[])));
    assert!(many.symmetric_difference(&more).count() <= 4, "{:#?}", many.symmetric_difference(&more));
}

#[test]
fn whose_roles_may_do_nothing_are_bounded_to_that() {
    let built = Built::of(workspace(&[
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        (
            "Tenant",
            "t",
            "owner: a@acme.example, environments: [prod], clearance: [internal], namespaces: [n]",
        ),
        ("Cluster", "k", "environment: prod, region: eu-central-1, eksName: k, identity: pod-identity"),
        ("Workload", "idle", "tenant: t, platform: eks, cluster: k"),
    ]));
    let boundary = built.json("iam/Policy/w-prod-boundary-t");
    let statement = at(&boundary, "/PolicyDocument/Statement/0");
    assert_eq!(statement, &json!({ "Sid": "Nothing", "Effect": "Deny", "Action": ["*"], "Resource": ["*"] }));
}

#[test]
fn a_plan_sees_what_a_boundary_takes_away() {
    let documents: Vec<_> = ACME.artifacts[0].1.iter().map(|one| one.document.clone()).collect();
    let mut after = documents.clone();
    let boundary = after.iter_mut().find(|one| one.address.name == "acme-prod-boundary-payments").unwrap();
    boundary.text = boundary.text.replace("dynamodb:GetItem", "dynamodb:DescribeTable");
    let lost = effects::access(&documents, &after);
    assert!(
        lost.iter().any(|one| one.sentence.contains("may no longer") && one.role.contains("invoice-bot")),
        "{lost:#?}"
    );
    assert!(effects::access(&documents, &documents).is_empty());
}
