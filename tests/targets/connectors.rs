//! Every kind of connector with each way of access, used by a workload: exactly these rights, or a refusal at its line.

use serde_json::Value;

use super::{at, document, texts};
use crate::harness::workspace::Built;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/k";

/// What is allowed: actions, resources, and the conditions as `operator key value`.
type Right = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// What a connector is, the way of access, and what it becomes.
const CASES: &[(&str, &str, &[Right])] = &[
    (
        "s3: { bucket: b, prefixes: [in/] }",
        "read",
        &[
            (&["s3:GetObject"], &["arn:aws:s3:::b/in/*"], &[]),
            (&["s3:ListBucket"], &["arn:aws:s3:::b"], &["StringLike s3:prefix in/*"]),
        ],
    ),
    (
        "s3: { bucket: b, prefixes: [in/] }",
        "write",
        &[(&["s3:AbortMultipartUpload", "s3:PutObject"], &["arn:aws:s3:::b/in/*"], &[])],
    ),
    (
        "s3: { bucket: b, delete: true }",
        "write",
        &[
            (&["s3:AbortMultipartUpload", "s3:PutObject"], &["arn:aws:s3:::b/*"], &[]),
            (&["s3:DeleteObject"], &["arn:aws:s3:::b/*"], &[]),
        ],
    ),
    (
        "s3: { bucket: b }, network: { vpcEndpoint: vpce-1 }, encryption: { kmsKeyArn: \"KEY\" }",
        "read",
        &[
            (&["s3:GetObject"], &["arn:aws:s3:::b/*"], &["StringEquals aws:SourceVpce vpce-1"]),
            (&["s3:ListBucket"], &["arn:aws:s3:::b"], &["StringEquals aws:SourceVpce vpce-1"]),
            (&["kms:Decrypt"], &[KEY], &["StringEquals kms:ViaService s3.eu-central-1.amazonaws.com"]),
        ],
    ),
    (
        "s3: { bucket: b }, encryption: { kmsKeyArn: \"KEY\" }",
        "write",
        &[
            (&["s3:AbortMultipartUpload", "s3:PutObject"], &["arn:aws:s3:::b/*"], &[]),
            (
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &[KEY],
                &["StringEquals kms:ViaService s3.eu-central-1.amazonaws.com"],
            ),
        ],
    ),
    (
        "s3: { bucket: b }, partition: { key: tenant }",
        "read",
        &[
            (&["s3:GetObject"], &["arn:aws:s3:::b/t/*"], &[]),
            (&["s3:ListBucket"], &["arn:aws:s3:::b"], &["StringLike s3:prefix t/*"]),
        ],
    ),
    (
        "dynamoDb: { table: x, indexes: [by-day] }",
        "read",
        &[
            (
                &[
                    "dynamodb:BatchGetItem",
                    "dynamodb:ConditionCheckItem",
                    "dynamodb:GetItem",
                    "dynamodb:Query",
                ],
                &["arn:aws:dynamodb:eu-central-1:111122223333:table/x"],
                &[],
            ),
            (&["dynamodb:Query"], &["arn:aws:dynamodb:eu-central-1:111122223333:table/x/index/by-day"], &[]),
            (&["dynamodb:DescribeTable"], &["arn:aws:dynamodb:eu-central-1:111122223333:table/x"], &[]),
        ],
    ),
    (
        "dynamoDb: { table: x, indexes: [by-day] }, partition: { key: tenant }, encryption: { kmsKeyArn: \"KEY\" }",
        "write",
        &[
            (
                &[
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                ],
                &["arn:aws:dynamodb:eu-central-1:111122223333:table/x"],
                &["ForAllValues:StringEquals dynamodb:LeadingKeys t", "Null dynamodb:LeadingKeys false"],
            ),
            (
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &[KEY],
                &["StringEquals kms:ViaService dynamodb.eu-central-1.amazonaws.com"],
            ),
        ],
    ),
    (
        "lambda: { function: f, qualifier: live }",
        "read",
        &[(&["lambda:InvokeFunction"], &["arn:aws:lambda:eu-central-1:111122223333:function:f:live"], &[])],
    ),
    (
        "lambda: { function: f }",
        "write",
        &[(&["lambda:InvokeFunction"], &["arn:aws:lambda:eu-central-1:111122223333:function:f"], &[])],
    ),
    (
        "secretsManager: { secret: a/b }, encryption: { kmsKeyArn: \"KEY\" }",
        "read",
        &[
            (
                &["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
                &["arn:aws:secretsmanager:eu-central-1:111122223333:secret:a/b-??????"],
                &[],
            ),
            (
                &["kms:Decrypt"],
                &[KEY],
                &["StringEquals kms:ViaService secretsmanager.eu-central-1.amazonaws.com"],
            ),
        ],
    ),
    (
        "secretsManager: { secret: a/b }",
        "write",
        &[(
            &["secretsmanager:PutSecretValue"],
            &["arn:aws:secretsmanager:eu-central-1:111122223333:secret:a/b-??????"],
            &[],
        )],
    ),
    (
        "openSearch: { collection: c1 }",
        "read",
        &[(&["aoss:APIAccessAll"], &["arn:aws:aoss:eu-central-1:111122223333:collection/c1"], &[])],
    ),
    (
        "openSearch: { collection: c1, index: i }",
        "write",
        &[(&["aoss:APIAccessAll"], &["arn:aws:aoss:eu-central-1:111122223333:collection/c1"], &[])],
    ),
    (
        "s3Vectors: { bucket: v, index: i }, encryption: { kmsKeyArn: \"KEY\" }",
        "read",
        &[
            (
                &["s3vectors:GetIndex", "s3vectors:GetVectors", "s3vectors:QueryVectors"],
                &["arn:aws:s3vectors:eu-central-1:111122223333:bucket/v/index/i"],
                &[],
            ),
            (&["kms:Decrypt"], &[KEY], &["StringEquals kms:ViaService s3vectors.eu-central-1.amazonaws.com"]),
        ],
    ),
    (
        "s3Vectors: { bucket: v, index: i }, encryption: { kmsKeyArn: \"KEY\" }",
        "write",
        &[
            (
                &["s3vectors:DeleteVectors", "s3vectors:PutVectors"],
                &["arn:aws:s3vectors:eu-central-1:111122223333:bucket/v/index/i"],
                &[],
            ),
            (&["kms:Decrypt"], &[KEY], &["StringEquals kms:ViaService s3vectors.eu-central-1.amazonaws.com"]),
        ],
    ),
    (
        "knowledgeBase: { id: ABCDEFGHIJ }",
        "read",
        &[(
            &["bedrock:Retrieve"],
            &["arn:aws:bedrock:eu-central-1:111122223333:knowledge-base/ABCDEFGHIJ"],
            &[],
        )],
    ),
    (
        "sqs: { queue: q }, encryption: { kmsKeyArn: \"KEY\" }",
        "read",
        &[
            (
                &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                &["arn:aws:sqs:eu-central-1:111122223333:q"],
                &[],
            ),
            (&["kms:Decrypt"], &[KEY], &["StringEquals kms:ViaService sqs.eu-central-1.amazonaws.com"]),
        ],
    ),
    (
        "sqs: { queue: q }",
        "write",
        &[(&["sqs:SendMessage"], &["arn:aws:sqs:eu-central-1:111122223333:q"], &[])],
    ),
    (
        "stepFunctions: { stateMachine: m }",
        "read",
        &[(
            &["states:DescribeStateMachine"],
            &["arn:aws:states:eu-central-1:111122223333:stateMachine:m"],
            &[],
        )],
    ),
    (
        "stepFunctions: { stateMachine: m }",
        "write",
        &[(&["states:StartExecution"], &["arn:aws:states:eu-central-1:111122223333:stateMachine:m"], &[])],
    ),
    // Servers are called without IAM.
    ("http: { url: \"https://a.example\" }", "read", &[]),
    ("mcp: { url: \"https://a.example\", version: \"1\" }", "write", &[]),
];

/// A connector that says something that IAM cannot hold, the way of access, and the text that it is refused at.
const REFUSED: &[(&str, &str, &str)] = &[
    ("knowledgeBase: { id: ABCDEFGHIJ }", "write", "c"),
    ("lambda: { function: f }, partition: { key: tenant }", "write", "tenant"),
    ("sqs: { queue: q }, partition: { key: tenant }", "read", "tenant"),
    ("s3Vectors: { bucket: v, index: i }, partition: { key: tenant }", "read", "tenant"),
    ("openSearch: { collection: c1 }, partition: { key: tenant }", "read", "tenant"),
    ("http: { url: \"https://a.example\" }, network: { vpcEndpoint: vpce-1 }", "read", "vpce-1"),
    (
        "mcp: { url: \"https://a.example\", version: \"1\" }, network: { vpcEndpoint: vpce-1 }",
        "write",
        "vpce-1",
    ),
    (
        "http: { url: \"https://a.example\", auth: { connection: \"CONNECTION\" } }",
        "read",
        "arn:aws:events:eu-central-1:111122223333:connection/a/4b1f0c2e-0000-4000-8000-000000000021",
    ),
];

/// A workload that uses one connector.
fn built(connector: &str, access: &str) -> Built {
    let connection =
        "arn:aws:events:eu-central-1:111122223333:connection/a/4b1f0c2e-0000-4000-8000-000000000021";
    let connector = connector.replace("KEY", KEY).replace("CONNECTION", connection);
    let connector = format!("{connector}, region: eu-central-1, dataClass: internal");
    let workload = format!(
        "tenant: t, platform: lambda, uses: {{ connectors: [{{ connector: c, access: {access} }}] }}"
    );
    let documents = [
        ("Workspace", "w", "packs: [baseline], targets: [iam], naming: { prefix: w }"),
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal]"),
        ("Connector", "c", &connector),
        ("Workload", "x", &workload),
    ];
    Built::of(documents.map(|(kind, name, spec)| document(kind, name, spec)).concat())
}

/// What a statement allows, in the words of a case.
fn words(statement: &Value) -> (Vec<&str>, Vec<&str>, Vec<String>) {
    assert_eq!(statement["Effect"], "Allow");
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let conditions = operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().unwrap().iter();
        keys.flat_map(move |(key, values)| {
            texts(values).into_iter().map(move |value| format!("{operator} {key} {value}"))
        })
    });
    (texts(&statement["Action"]), texts(&statement["Resource"]), conditions.collect())
}

#[test]
fn each_way_of_access_is_exactly_these_rights() {
    for (connector, access, expected) in CASES {
        let built = built(connector, access);
        let all = built.sound();
        let policy = all.iter().find(|one| {
            one.document.address.name == "w-prod-workload-x" && one.document.address.kind == "Policy"
        });
        let policy: Value =
            policy.map_or(Value::Null, |policy| serde_json::from_str(&policy.document.text).unwrap());
        let of_log = |statement: &&Value| statement["Sid"] != "WriteOwnLog";
        let none = Vec::new();
        let statements = at(&policy, "/PolicyDocument/Statement").as_array().unwrap_or(&none);
        let found: Vec<_> = statements.iter().filter(of_log).map(words).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(actions, resources, conditions)| {
                let conditions = conditions.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
                (actions.to_vec(), resources.to_vec(), conditions)
            })
            .collect();
        assert_eq!(found, expected, "{access} {connector}");
    }
}

#[test]
fn what_iam_cannot_hold_is_refused_at_its_line() {
    for (connector, access, place) in REFUSED {
        let built = built(connector, access);
        let errors: Vec<_> = built
            .diagnostics
            .iter()
            .filter(|found| found.severity.word() == "error")
            .map(|found| (&*found.code, built.sources.slice(found.primary.span).trim_matches('"')))
            .collect();
        assert_eq!(errors, [("AIP-CMP-002", *place)], "{access} {connector}");
        assert!(built.artifacts.is_empty());
    }
}

#[test]
fn that_a_collection_has_one_right_is_said() {
    for access in ["read", "write"] {
        let built = built("openSearch: { collection: c1 }", access);
        let notes: Vec<_> = built.findings().into_iter().filter(|one| one.code == "AIP-CMP-008").collect();
        let told =
            notes.iter().any(|one| one.severity == "note" && one.message.contains("data access policy"));
        assert!(told, "{notes:#?}");
    }
}
