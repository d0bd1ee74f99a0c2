//! What policies of resources say, where that comes from, what is refused, and how a change is told.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_targets::plan::EffectClass;
use serde_json::Value;

use super::{built, environments, everything, workspaces};
use crate::targets::{at, texts};

/// The statements of a policy of a resource, under its name.
fn statements<'v>(document: &'v Value, pointer: &str) -> BTreeMap<&'v str, &'v Value> {
    let all = at(document, pointer).as_array().unwrap();
    all.iter().map(|one| (one["Sid"].as_str().unwrap(), one)).collect()
}

#[test]
fn services_write_where_and_with_what_key_they_were_granted_to() {
    let built = everything();
    let key = "arn:aws:kms:eu-central-1:111122223333:key/logs";
    let logs = built.json("iam/KeyStatements/w-prod-eu-central-1-key-logs");
    assert_eq!(logs["KeyId"], key);
    let of_key = statements(&logs, "/PolicyDocument/Statement");
    let service = |statement: &Value| statement["Principal"]["Service"].as_str().unwrap().to_owned();
    let keyed: BTreeMap<_, _> = of_key.iter().map(|(sid, one)| (*sid, service(one))).collect();
    assert_eq!(
        keyed,
        BTreeMap::from([
            ("DescribeForAudit", "cloudtrail.amazonaws.com".to_owned()),
            ("EncryptAudit", "cloudtrail.amazonaws.com".to_owned()),
            ("EncryptInvocations", "bedrock.amazonaws.com".to_owned()),
            ("EncryptSpans", "logs.eu-central-1.amazonaws.com".to_owned()),
            ("EncryptTraces", "delivery.logs.amazonaws.com".to_owned()),
        ])
    );
    let spans = at(of_key["EncryptSpans"], "/Condition/ArnEquals/kms:EncryptionContext:aws:logs:arn");
    assert_eq!(texts(spans), ["arn:aws:logs:eu-central-1:111122223333:log-group:aws/spans"]);

    let audit = built.json("iam/BucketPolicy/w-prod-audit");
    let audit = statements(&audit, "/Policy/Statement");
    assert_eq!(texts(&audit["WriteAudit"]["Resource"]), ["arn:aws:s3:::audit/trail/AWSLogs/111122223333/*"]);
    let trail = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/w-prod-audit";
    assert_eq!(texts(at(audit["WriteAudit"], "/Condition/ArnEquals/aws:SourceArn")), [trail]);
    assert!(audit.contains_key("NobodyChangesAudit") && audit.contains_key("OnlyTLS"), "{audit:?}");
    let prompts = built.json("iam/BucketPolicy/w-prod-prompts");
    let prompts = statements(&prompts, "/Policy/Statement");
    assert_eq!(
        texts(&prompts["WriteInvocations"]["Resource"]),
        ["arn:aws:s3:::prompts/AWSLogs/111122223333/BedrockModelInvocationLogs/*"]
    );
    // The policy of this bucket is somebody else's.
    let traces = built.json("iam/BucketStatements/w-prod-traces");
    let traces = statements(&traces, "/PolicyDocument/Statement");
    assert_eq!(
        texts(&traces["WriteTraces"]["Resource"]),
        ["arn:aws:s3:::traces/agents/AWSLogs/111122223333/*"]
    );
    assert_eq!(traces.len(), 1);

    let own = built.json("iam/KeyStatements/w-prod-eu-central-1-key-k");
    let own = statements(&own, "/PolicyDocument/Statement");
    let kept = own["KeepWhatFailsAtClerkNews"];
    assert_eq!(kept["Principal"]["Service"], "sns.amazonaws.com");
    assert_eq!(
        texts(at(kept, "/Condition/ArnEquals/aws:SourceArn")),
        ["arn:aws:sns:eu-central-1:111122223333:news"]
    );
    assert_eq!(own["IndexVectors"]["Principal"]["Service"], "indexing.s3vectors.amazonaws.com");
}

#[test]
fn what_services_are_allowed_says_for_whom_they_act() {
    let mut seen = 0;
    for documents in environments() {
        for ((kind, name), found) in &documents {
            let policy =
                ["Policy", "PolicyDocument", "ResourcePolicy"].map(|member| &found[member]["Statement"]);
            if ["Policy", "Role"].contains(&kind.as_str()) {
                continue;
            }
            for statement in policy.into_iter().flat_map(|one| one.as_array().into_iter().flatten()) {
                if statement["Principal"]["Service"].is_null() {
                    continue;
                }
                seen += 1;
                let condition = statement["Condition"].to_string();
                let told = condition.contains("aws:SourceArn") && condition.contains("aws:SourceAccount");
                // CloudWatch Logs names the group, and nothing else. Source: its guide, encrypt log data.
                assert!(
                    told || condition.contains("kms:EncryptionContext:aws:logs:arn"),
                    "{kind} {name}: {statement:#}"
                );
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn what_a_policy_of_a_resource_allows_was_granted() {
    let mut seen = 0;
    for built in workspaces() {
        let ours = built.sound().into_iter().filter(|one| {
            let address = &one.document.address;
            address.target == "iam" && !["Policy", "Role"].contains(&&*address.kind)
        });
        for artifact in ours {
            let found: Value = serde_json::from_str(&artifact.document.text).unwrap();
            for member in ["Policy", "PolicyDocument", "ResourcePolicy"] {
                for (at, statement) in found[member]["Statement"].as_array().into_iter().flatten().enumerate()
                {
                    let pointer = format!("/{member}/Statement/{at}");
                    let origin = artifact.trace.at(&pointer).unwrap();
                    let allows = statement["Effect"] == "Allow";
                    assert!(!allows || !origin.policies.is_empty(), "{}{pointer}", artifact.document.address);
                    seen += usize::from(allows);
                    for action in texts(&statement["Action"]).into_iter().filter(|_| allows) {
                        assert!(!action.contains('*'), "{action}");
                    }
                }
            }
            assert_eq!(artifact.trace.uncovered(), [""; 0]);
        }
    }
    assert!(seen > 40, "{seen}");
}

/// The errors of a workspace in which something is said otherwise: the code, and the text that it is at. One text may be
/// part of several names.
fn refused(from: &str, to: &str) -> Vec<(String, String)> {
    let built = built(|all| {
        let before = all.iter().filter(|(.., spec)| spec.contains(from)).count();
        assert!(before > 0, "{from}");
        all.iter_mut().for_each(|(.., spec)| *spec = spec.replace(from, to));
    });
    let errors = built.diagnostics.iter().filter(|found| found.severity.word() == "error");
    let place = |span| built.sources.slice(span).trim_matches('"').to_owned();
    let mut told: Vec<_> = errors.map(|found| (found.code.to_string(), place(found.primary.span))).collect();
    told.dedup();
    told
}

#[test]
fn policies_that_cannot_be_ours_are_refused_at_their_line() {
    let unsupported = |place: &str| vec![("AIP-CMP-002".to_owned(), place.to_owned())];
    for (from, to, place) in [
        ("endpoints: [s3,", "endpoints: [s4, s3,", "s4"),
        ("endpoints: [s3,", "endpoints: [ecr.api, s3,", "ecr.api"),
        ("connectors: [files, drafts, key]", "connectors: [files, drafts, key, table]", "table"),
        ("connectors: [files, drafts, key]", "connectors: [files, drafts]", "true"),
        ("stores: [audit, prompts]", "stores: [audit, prompts, spans]", "spans"),
        ("prefix: agents/", "prefix: \"a*/\"", "a*/"),
        ("prefix: trail/", "prefix: \"t*/\"", "t*/"),
        ("bucket: traces,", "bucket: \"b*\",", "b*"),
        ("bucket: audit,", "bucket: \"b*\",", "b*"),
        ("s3: { bucket: traces, prefix: agents/ }", "cloudWatch: { logGroup: \"g*\" }", "g*"),
        (
            "dynamoDb: { table: x, indexes: [i] }",
            "dynamoDb: { table: x, indexes: [i] }, exclusive: true",
            "true",
        ),
        ("knowledgeBase: { id: ABCDEFGHIJ }", "knowledgeBase: { id: ABCDEFGHIJ, sources: [drafts] }", "true"),
        ("secret: a/key }, exclusive: true, network: { vpcEndpoint: vpce-0d }", "secret: a/key }", "key"),
    ] {
        assert_eq!(refused(from, to), unsupported(place), "{to}");
    }
    let twice = refused("bedrock-runtime.eu-west-1: vpce-1b", "bedrock-runtime.eu-west-1: vpce-1a");
    assert_eq!(twice, [("AIP-CMP-003".to_owned(), "bedrock-runtime.eu-west-1".to_owned())]);
}

#[test]
fn two_environments_of_an_account_do_not_write_one_policy() {
    let built = built(|all| {
        let other = "aws: { accountId: \"111122223333\", regions: [eu-central-1] }, network: { endpoints: { s3: vpce-0a } }, \
                     resourcePolicies: { endpoints: [s3], connectors: [files, key] }";
        all.push(("Environment", "other", other.into()));
    });
    let errors = built.findings().into_iter().filter(|found| found.severity == "error");
    let told: BTreeSet<_> = errors.map(|found| (found.code, found.message)).collect();
    let twice = |what: &str| ("AIP-CMP-003".to_owned(), format!("`other` writes the policy of `{what}` too"));
    for what in ["vpce-0a", "files", "a/key"] {
        assert!(told.contains(&twice(what)), "{told:#?}");
    }
    let shared =
        |name: &str| format!("`other` has the same account, and its roles would be kept out of `{name}`");
    for name in ["drafts", "key"] {
        assert!(told.iter().any(|(_, message)| *message == shared(name)), "{told:#?}");
    }
}

#[test]
fn an_endpoint_that_nothing_is_granted_through_lets_nothing_through() {
    let built = built(|all| all.retain(|(kind, ..)| !["Workload", "Agent"].contains(kind)));
    let policy = built.json("iam/EndpointPolicy/w-prod-sqs-eu-central-1");
    let only = at(&policy, "/PolicyDocument/Statement/0");
    assert_eq!((only["Effect"].as_str(), texts(&only["Action"])), (Some("Deny"), vec!["*"]));
}

#[test]
fn nodes_may_fetch_the_layers_of_images_and_short_wildcards_are_left_out() {
    let policy = everything().json("iam/EndpointPolicy/w-prod-s3-eu-central-1");
    let policy = statements(&policy, "/PolicyDocument/Statement");
    let layers = "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*";
    assert_eq!(texts(&policy["PullImages"]["Resource"]), [layers]);
    assert_eq!(texts(at(policy["ListFiles"], "/Condition/StringLike/s3:prefix")), ["incoming/*"]);
    let short = built(|all| {
        all.iter_mut()
            .for_each(|(.., spec)| *spec = spec.replace("prefixes: [incoming/]", "prefixes: [in/]"));
    });
    let listed = short.json("iam/EndpointPolicy/w-prod-s3-eu-central-1");
    let listed = statements(&listed, "/PolicyDocument/Statement");
    assert!(at(listed["ListFiles"], "/Condition").get("StringLike").is_none());
    let told = short
        .findings()
        .into_iter()
        .any(|one| one.code == "AIP-CMP-008" && one.message.contains("s3:prefix"));
    assert!(told);
}

/// What a change of the workspace does to policies of resources, in words.
fn told(from: &str, to: &str) -> Vec<(EffectClass, String)> {
    let after = built(|all| all.iter_mut().for_each(|(.., spec)| *spec = spec.replace(from, to)));
    let [before, after] = [everything(), &after].map(|built| {
        built.sound();
        built.artifacts[0].1.iter().map(|one| &one.document).collect::<Vec<_>>()
    });
    let access = aipolicy_targets::effects::access(before, after).into_iter();
    let of_resources = access.filter(|one| one.role.contains(' '));
    of_resources.map(|one| (one.class, one.sentence)).collect()
}

#[test]
fn changes_of_policies_of_resources_are_told_in_words() {
    let wider = told("prefixes: [incoming/]", "prefixes: [incoming/, other/]");
    let found = wider.iter().any(|(class, sentence)| {
        *class == EffectClass::Widens
            && sentence.starts_with("endpoint vpce-0a now lets happen: s3:")
            && sentence.contains("arn:aws:s3:::files/other/")
    });
    assert!(found, "{wider:#?}");
    let open = told("drafts, delete: true }, exclusive: true", "drafts, delete: true }");
    let found = open.iter().any(|(class, sentence)| {
        *class == EffectClass::Widens && sentence.starts_with("bucket drafts now lets happen: s3:")
    });
    assert!(found, "{open:#?}");
    let given_up = told("endpoints: [s3, dynamodb,", "endpoints: [s3,");
    let found = given_up.iter().any(|(class, sentence)| {
        *class == EffectClass::Widens && sentence.starts_with("endpoint vpce-0b now lets happen:")
    });
    assert!(found, "{given_up:#?}");
}
