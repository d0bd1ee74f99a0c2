//! Requests that were granted, and requests one step beside them, decided by our evaluator and by an independent one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Documents, environments, everything, iam};
use crate::iam::oracle::{Case, Verdict, simulated};
use crate::targets::{at, texts};

const ACCOUNT: &str = "111122223333";

/// A role: its ARN, what it is attached, and what may assume it.
struct Role {
    arn: String,
    policies: Vec<Value>,
    trusted: String,
}

fn roles(documents: &Documents) -> Vec<Role> {
    let of_role = |((_, name), role): (&(String, String), &Value)| {
        let policies = texts(&role["AttachedManagedPolicies"]).into_iter().map(|arn| {
            let policy = arn.rsplit('/').next().unwrap().to_owned();
            documents[&("Policy".to_owned(), policy)]["PolicyDocument"].clone()
        });
        let account = account(role, documents);
        Role {
            arn: format!("arn:aws:iam::{account}:role{}{name}", role["Path"].as_str().unwrap()),
            policies: policies.collect(),
            trusted: role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"].to_string(),
        }
    };
    documents.iter().filter(|((kind, _), _)| kind == "Role").map(of_role).collect()
}

/// The account of a role, which stands in the ARNs of its policies.
fn account(role: &Value, documents: &Documents) -> String {
    let attached = documents.values().find_map(|one| {
        let arn = texts(&one["AttachedManagedPolicies"]).first()?.split(':').nth(4)?.to_owned();
        Some(arn)
    });
    let own =
        texts(&role["AttachedManagedPolicies"]).first().map(|arn| arn.split(':').nth(4).unwrap().to_owned());
    own.or(attached).unwrap()
}

/// One of what a pattern stands for.
fn instance(pattern: &str) -> String {
    pattern.replace('*', "x").replace('?', "a")
}

/// Requests that a statement allows, one for each action and resource.
fn requests(role: &str, statement: &Value) -> Vec<Case> {
    let mut context = Map::new();
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().unwrap() {
            let value = instance(texts(values)[0]);
            match operator.as_str() {
                "Null" => continue,
                "ForAllValues:StringEquals" => context.insert(key.clone(), json!([value])),
                _ => context.insert(key.clone(), json!(value)),
            };
        }
    }
    let mut all = Vec::new();
    for action in texts(&statement["Action"]) {
        for resource in texts(&statement["Resource"]) {
            let mut context = context.clone();
            context.insert("aws:PrincipalArn".into(), json!(role));
            context.insert("aws:SecureTransport".into(), json!("true"));
            context.insert("aws:PrincipalIsAWSService".into(), json!("false"));
            if action.starts_with("s3:") {
                context.insert("s3:TlsVersion".into(), json!("1.3"));
            }
            all.push(Case {
                principal: role.to_owned(),
                owner: role.split(':').nth(4).unwrap().to_owned(),
                action: action.to_owned(),
                resource: instance(resource),
                context,
                ..Case::default()
            });
        }
    }
    all
}

/// Requests that a role was granted, with its policies.
fn granted(role: &Role) -> Vec<Case> {
    let statements = role.policies.iter().flat_map(|policy| at(policy, "/Statement").as_array().unwrap());
    let allowed = statements.filter(|statement| statement["Effect"] == "Allow");
    let mut all: Vec<_> = allowed.flat_map(|statement| requests(&role.arn, statement)).collect();
    all.iter_mut().for_each(|case| case.identity = role.policies.clone());
    all
}

/// The policy of the bucket, secret or key that a request is about.
fn policy_of<'d>(documents: &'d Documents, case: &Case) -> Option<&'d Value> {
    documents.iter().find_map(|((kind, _), found)| match kind.as_str() {
        "BucketPolicy" => {
            let bucket = format!("arn:aws:s3:::{}", found["Bucket"].as_str()?);
            let is_ours = case.resource == bucket || case.resource.starts_with(&format!("{bucket}/"));
            is_ours.then_some(&found["Policy"])
        }
        "SecretPolicy" => {
            let secret = format!(":secret:{}-", found["SecretId"].as_str()?);
            case.resource.contains(&secret).then_some(&found["ResourcePolicy"])
        }
        "KeyStatements" => (found["KeyId"] == case.resource).then_some(&found["PolicyDocument"]),
        _ => None,
    })
}

/// Everything that is allowed to everybody, for those who want to get somewhere.
fn anything() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })
}

fn verdicts(cases: &[Case], wanted: impl Fn(Verdict) -> bool) -> usize {
    let theirs = simulated(cases);
    for (case, theirs) in cases.iter().zip(theirs) {
        let ours = case.ours();
        assert!(wanted(ours), "{ours:?}: {case:#?}");
        // The simulator leaves out keys of the family `kms:EncryptionContext:`, whose names go on after another colon. And a
        // model without a region, in which a global profile ends, is of no type that it knows.
        let is_left_out = case.context.keys().any(|key| key.starts_with("kms:EncryptionContext:"));
        if let Ok(theirs) = theirs
            && !is_left_out
        {
            assert!(wanted(theirs), "the simulator says {theirs:?}: {case:#?}");
        }
    }
    cases.len()
}

#[test]
fn what_was_granted_works_with_the_policies_of_resources() {
    let mut cases = Vec::new();
    for documents in environments() {
        for role in roles(&documents) {
            for mut case in granted(&role) {
                case.resource_policy = policy_of(&documents, &case).cloned();
                if case.resource_policy.is_some() {
                    cases.push(case);
                }
            }
        }
    }
    let number = verdicts(&cases, |verdict| verdict == Verdict::Allowed);
    let kinds: BTreeSet<_> = cases.iter().map(|case| case.action.split(':').next().unwrap()).collect();
    println!("{number} granted requests on resources with a policy");
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["kms", "s3", "secretsmanager"]);
    assert!(number > 50, "{number}");
}

/// A request to a bucket or secret that is one step beside a granted one, by somebody who may do anything.
fn beside(case: &Case, change: &str, context: &[(&str, Option<&str>)]) -> Case {
    let mut case = case.clone();
    if change == "principal" {
        case.principal = format!("arn:aws:iam::{}:role/other", case.owner);
        case.context.insert("aws:PrincipalArn".into(), json!(case.principal));
    }
    for (key, value) in context {
        match value {
            Some(value) => _ = case.context.insert((*key).to_owned(), json!(value)),
            None => _ = case.context.remove(*key),
        }
    }
    case.identity = vec![anything()];
    case
}

#[test]
fn one_step_beside_what_was_granted_is_denied() {
    let documents = iam(&everything().artifacts[0].1);
    let mut told: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for role in roles(&documents) {
        for mut case in granted(&role) {
            let Some(policy) = policy_of(&documents, &case) else { continue };
            case.resource_policy = Some(policy.clone());
            let s3 = case.action.starts_with("s3:");
            let mut tell = |what, case| told.entry(what).or_default().push(case);
            if s3 {
                tell("without TLS", beside(&case, "", &[("aws:SecureTransport", Some("false"))]));
                tell("with an old TLS", beside(&case, "", &[("s3:TlsVersion", Some("1.1"))]));
            }
            let is_metadata = case.action == "secretsmanager:DescribeSecret";
            if case.context.contains_key("aws:SourceVpce") && !is_metadata {
                tell("from elsewhere", beside(&case, "", &[("aws:SourceVpce", Some("vpce-0ff"))]));
                tell("from outside", beside(&case, "", &[("aws:SourceVpce", None)]));
            }
            let exclusive = case.resource.contains("drafts") || case.resource.contains("a/key");
            if exclusive && !is_metadata {
                tell("by somebody else", beside(&case, "principal", &[]));
            }
            if case.action == "s3:PutObject" && case.resource.contains(":files/") {
                let key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
                let other = "arn:aws:kms:eu-central-1:111122223333:key/other";
                tell("with another key", beside(&case, "", &[(key, Some(other))]));
                tell(
                    "without KMS",
                    beside(&case, "", &[("s3:x-amz-server-side-encryption", Some("AES256"))]),
                );
            }
            if case.action.starts_with("kms:") {
                // Its own policies allow it, and the policy of the key does not name it.
                tell("a key by somebody else", beside(&case, "principal", &[]));
                tell(
                    "a key through another service",
                    beside(&case, "", &[("kms:ViaService", Some("ebs.eu-central-1.amazonaws.com"))]),
                );
            }
        }
    }
    let number: usize =
        told.values().map(|cases| verdicts(cases, |verdict| verdict != Verdict::Allowed)).sum();
    println!("{number} requests one step beside granted ones: {:?}", told.keys().collect::<Vec<_>>());
    assert_eq!(told.len(), 9);
}

#[test]
fn objects_with_the_key_of_their_connector_may_be_written() {
    let documents = iam(&everything().artifacts[0].1);
    let role = roles(&documents).into_iter().find(|role| role.arn.ends_with("workload-writer")).unwrap();
    let mut cases = granted(&role);
    cases.retain(|case| case.action == "s3:PutObject" && case.resource.contains(":files/"));
    for case in &mut cases {
        case.resource_policy = policy_of(&documents, case).cloned();
        let own = "arn:aws:kms:eu-central-1:111122223333:key/k";
        case.context.insert("s3:x-amz-server-side-encryption-aws-kms-key-id".into(), json!(own));
        case.context.insert("s3:x-amz-server-side-encryption".into(), json!("aws:kms"));
    }
    assert_eq!(verdicts(&cases, |verdict| verdict == Verdict::Allowed), 1);
}

/// The policy of an endpoint as a bound: it allows nothing, and lets through what others allow.
fn bound(policy: &Value) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        assert_eq!(statement["Principal"], "*", "a gateway endpoint takes no other principal");
        statement.as_object_mut().unwrap().remove("Principal");
    }
    policy
}

/// The policies of endpoints, by the id of the endpoint.
fn endpoints(documents: &Documents) -> BTreeMap<String, Value> {
    let all = documents.iter().filter(|((kind, _), _)| kind == "EndpointPolicy");
    all.map(|(_, found)| {
        (found["VpcEndpointId"].as_str().unwrap().to_owned(), bound(&found["PolicyDocument"]))
    })
    .collect()
}

/// The endpoint through which a request goes, by its service and its region. Buckets say no region, and all are in one.
fn way(case: &Case) -> Option<String> {
    let profile = case.context.get("bedrock:InferenceProfileArn").and_then(Value::as_str);
    let region = profile.unwrap_or(&case.resource).split(':').nth(3).unwrap();
    let service = match case.action.split(':').next().unwrap() {
        "s3" => return Some("s3-eu-central-1".to_owned()),
        "bedrock" if case.action == "bedrock:Retrieve" => "bedrock-agent-runtime",
        "bedrock" => "bedrock-runtime",
        known @ ("dynamodb" | "sqs" | "secretsmanager" | "lambda" | "states") => known,
        _ => return None,
    };
    Some(format!("{service}-{region}"))
}

#[test]
fn pods_get_through_endpoints_to_what_they_were_granted_and_to_nothing_else() {
    let (mut through, mut stopped, mut used) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (at, documents) in environments().into_iter().enumerate() {
        let policies: Vec<_> = documents.iter().filter(|((kind, _), _)| kind == "EndpointPolicy").collect();
        for role in roles(&documents) {
            let is_pod = role.trusted.contains("pods.eks");
            for case in granted(&role) {
                let Some(way) = way(&case) else { continue };
                for ((_, name), found) in &policies {
                    let asked = case.context.get("aws:SourceVpce");
                    let is_way = name.ends_with(&format!("-{way}"))
                        && asked.is_none_or(|asked| *asked == found["VpcEndpointId"]);
                    let mut case = Case { boundary: Some(bound(&found["PolicyDocument"])), ..case.clone() };
                    if is_way && is_pod {
                        stopped.push(beside(&case, "principal", &[]));
                        case.identity = role.policies.clone();
                        used.insert((at, name.clone()));
                        through.push(case);
                    } else {
                        case.identity = vec![anything()];
                        stopped.push(case);
                    }
                }
            }
        }
    }
    let let_through = verdicts(&through, |verdict| verdict == Verdict::Allowed);
    let stopped = verdicts(&stopped, |verdict| verdict != Verdict::Allowed);
    println!("{let_through} requests through {} endpoints, {stopped} stopped", used.len());
    // Those of this workspace, and those of the example.
    assert_eq!(used.len(), 9 + 5, "{used:?}");
}

#[test]
fn endpoints_let_through_no_other_resource_of_the_same_role() {
    let documents = iam(&everything().artifacts[0].1);
    let role = roles(&documents).into_iter().find(|role| role.arn.ends_with("workload-reader")).unwrap();
    let all = endpoints(&documents);
    let mut cases = Vec::new();
    for (id, action, resource) in [
        ("vpce-0a", "s3:GetObject", "arn:aws:s3:::files/outgoing/x".to_owned()),
        ("vpce-0a", "s3:PutObject", "arn:aws:s3:::files/incoming/x".to_owned()),
        ("vpce-0a", "s3:GetObject", "arn:aws:s3:::elsewhere/in/x".to_owned()),
        ("vpce-0b", "dynamodb:Scan", format!("arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/x")),
        ("vpce-0c", "sqs:ReceiveMessage", format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:other")),
        ("vpce-0e", "lambda:InvokeFunction", format!("arn:aws:lambda:eu-central-1:{ACCOUNT}:function:f")),
        (
            "vpce-1a",
            "bedrock:InvokeModel",
            "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0".to_owned(),
        ),
    ] {
        let context = json!({ "aws:PrincipalArn": role.arn, "aws:SourceVpce": id });
        cases.push(Case {
            principal: role.arn.clone(),
            owner: ACCOUNT.to_owned(),
            action: action.to_owned(),
            resource,
            context: context.as_object().unwrap().clone(),
            identity: vec![anything()],
            boundary: Some(all[id].clone()),
            ..Case::default()
        });
    }
    verdicts(&cases, |verdict| verdict != Verdict::Allowed);
}
