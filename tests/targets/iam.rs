//! IAM documents against the actions that AWS publishes, and against the grants behind them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aipolicy_iam::action::{Action, action};
use aipolicy_targets::artifact::Artifact;
use serde_json::Value;

use super::{ACME, QUICKSTART, at, texts};
use crate::harness::workspace::Built;

/// Everything that can be asked of IAM, once.
pub(super) const EVERYTHING: &[(&str, &str, &str)] = &[
    (
        "Environment",
        "prod",
        "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-north-1, eu-west-1, eu-west-3] }, \
         severity: { AIP-CMP-009: off }",
    ),
    (
        "Tenant",
        "payments",
        "owner: a@acme.example, environments: [prod], clearance: [internal], namespaces: [pay], \
      models: [demand, profile, global, mantle, reserved]",
    ),
    ("Model", "demand", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
    (
        "Model",
        "profile",
        "provider: bedrock, modelId: amazon.nova-lite-v1:0, inference: { profile: eu }, regions: [eu-central-1]",
    ),
    (
        "Model",
        "global",
        "provider: bedrock, modelId: anthropic.claude-haiku-5-5, inference: { profile: global }, regions: [eu-west-1]",
    ),
    ("Model", "mantle", "provider: bedrock-mantle, modelId: openai.gpt-oss-120b, regions: [eu-central-1]"),
    (
        "Model",
        "reserved",
        "provider: bedrock, modelId: amazon.nova-lite-v1:0, \
      inference: { provisioned: \"arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/abc\" }",
    ),
    ("Cluster", "pods", "environment: prod, region: eu-central-1, eksName: pods, identity: pod-identity"),
    (
        "Cluster",
        "old",
        "environment: prod, region: eu-central-1, eksName: old, identity: irsa, oidcId: ABC123",
    ),
    (
        "Connector",
        "files",
        "s3: { bucket: files, prefixes: [in/, out/], delete: true }, region: eu-central-1, \
      dataClass: internal, partition: { key: tenant }, network: { vpcEndpoint: vpce-0a1b2c3d }, \
      encryption: { kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/k\" }",
    ),
    ("Connector", "whole", "s3: { bucket: whole }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "table",
        "dynamoDb: { table: ledger, indexes: [by-day] }, region: eu-central-1, dataClass: internal, \
      partition: { key: tenant }, encryption: { kmsKeyArn: \"arn:aws:kms:eu-central-1:111122223333:key/k\" }",
    ),
    ("Connector", "plain", "dynamoDb: { table: plain }, region: eu-central-1, dataClass: internal"),
    (
        "Connector",
        "function",
        "lambda: { function: refund, qualifier: live }, region: eu-central-1, dataClass: internal",
    ),
    ("Connector", "secret", "secretsManager: { secret: a/b }, region: eu-central-1, dataClass: internal"),
    ("Connector", "search", "openSearch: { collection: abc }, region: eu-central-1, dataClass: internal"),
    ("Connector", "vectors", "s3Vectors: { bucket: v, index: i }, region: eu-central-1, dataClass: internal"),
    ("Connector", "base", "knowledgeBase: { id: ABCDEFGHIJ }, region: eu-central-1, dataClass: internal"),
    ("Connector", "queue", "sqs: { queue: q }, region: eu-central-1, dataClass: internal"),
    ("Connector", "machine", "stepFunctions: { stateMachine: m }, region: eu-central-1, dataClass: internal"),
    ("Group", "leads", "members: [x@acme.example, y@acme.example]"),
    (
        "Agent",
        "reader",
        "tenant: payments, model: { model: profile }, tools: [{ name: a, connector: files, access: read }, \
      { name: b, connector: whole, access: read }, { name: c, connector: table, access: read }, \
      { name: d, connector: secret, access: read }, { name: e, connector: search, access: read }, \
      { name: f, connector: vectors, access: read }, { name: g, connector: base, access: read }, \
      { name: h, connector: queue, access: read }, { name: i, connector: machine, access: read }, \
      { name: j, connector: plain, access: read }]",
    ),
    (
        "Agent",
        "writer",
        "tenant: payments, runtime: bedrock-agents, model: { model: global }, \
      tools: [{ name: a, connector: files, access: write, gate: confirm }, { name: c, connector: table, access: write, gate: confirm }, \
      { name: d, connector: secret, access: write, gate: confirm }, { name: f, connector: vectors, access: write, gate: confirm }, \
      { name: h, connector: queue, access: write, gate: confirm }, { name: i, connector: machine, access: write, gate: confirm }]",
    ),
    (
        "Agent",
        "careful",
        "tenant: payments, model: { model: mantle }, tools: [\
      { name: pay, connector: function, access: write, gate: { approval: { from: [leads] } } }, \
      { name: look, connector: table, access: read, gate: { verify: { with: function } } }, \
      { name: ask, connector: queue, access: write, gate: confirm }]",
    ),
    ("Agent", "backed", "tenant: payments, model: { model: reserved }"),
    (
        "Workload",
        "pod",
        "tenant: payments, platform: eks, cluster: pods, uses: { models: [demand] }, consumes: { sqs: work }",
    ),
    ("Workload", "old-pod", "tenant: payments, platform: eks, cluster: old, uses: { models: [demand] }"),
    ("Workload", "function", "tenant: payments, platform: lambda, uses: { models: [demand] }"),
    ("Gateway", "tasks", "dialect: litellm, environment: prod, region: eu-central-1"),
    ("Gateway", "podded", "dialect: litellm, environment: prod, region: eu-central-1, cluster: pods"),
    (
        "Route",
        "chat",
        "gateway: tasks, match: { tenants: [payments] }, dataClass: internal, caps: { output: 64 }, primary: [{ model: profile }]",
    ),
];

pub(crate) fn everything() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| Built::of(super::workspace(EVERYTHING)));
    &BUILT
}

/// Statements that allow something in the identity policies of a workspace, with the artifact and the pointer of each.
fn statements(built: &Built) -> Vec<(&Artifact, String, Value)> {
    let mut all = Vec::new();
    let is_policy = |one: &&Artifact| {
        one.document.address.kind == "Policy" && !one.document.address.name.contains("-boundary-")
    };
    for artifact in built.sound().into_iter().filter(is_policy) {
        let document: Value = serde_json::from_str(&artifact.document.text).unwrap();
        let found = at(&document, "/PolicyDocument/Statement").as_array().unwrap();
        let pointer = |at: usize| format!("/PolicyDocument/Statement/{at}");
        let allowed = found.iter().enumerate().filter(|(_, one)| one["Effect"] != "Deny");
        all.extend(allowed.map(|(at, one)| (artifact, pointer(at), one.clone())));
    }
    assert!(!all.is_empty());
    all
}

fn workspaces() -> [&'static Built; 3] {
    [everything(), &ACME, &QUICKSTART]
}

/// Whether an ARN, or a pattern of ARNs, is of the form `arn:${Partition}:s3:::${BucketName}`.
fn fits(arn: &str, form: &str) -> bool {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (arn, form) = (parts(arn), parts(form));
    let part = |at: usize| match form[at].as_str() {
        "" => arn[at].is_empty(),
        text if text.starts_with("${") => !arn[at].is_empty(),
        text => arn[at] == *text,
    };
    let account = part(4) || (form[4].starts_with("${") && form[2] == "s3");
    (0..4).all(part) && account && resource_fits(&arn[5], &form[5])
}

/// Literal pieces of the form stand in the resource in their order, and each variable is at least one character.
fn resource_fits(resource: &str, form: &str) -> bool {
    let Some((literal, rest)) = form.split_once("${") else { return resource == form };
    let Some(after) = resource.strip_prefix(literal) else { return false };
    let rest = rest.split_once('}').unwrap().1;
    (1..=after.len()).filter(|at| after.is_char_boundary(*at)).any(|at| resource_fits(&after[at..], rest))
}

#[test]
fn every_action_exists_and_fits_its_resources_and_conditions() {
    let mut problems = BTreeSet::new();
    for built in workspaces() {
        for (_, _, statement) in statements(built) {
            for name in texts(&statement["Action"]) {
                match action(name) {
                    Some(known) if known.to_string() == name => problems.extend(misfits(known, &statement)),
                    Some(_) | None => {
                        problems.insert(format!("{name} does not exist"));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The resources and condition keys of the statement that the action does not have.
fn misfits(action: &Action, statement: &Value) -> Vec<String> {
    let forms: Vec<&str> = action.resource_types().flat_map(|kind| kind.formats.iter().copied()).collect();
    let strange = |arn: &&str| !forms.iter().any(|form| fits(arn, form));
    let resources = texts(&statement["Resource"]);
    let resources = resources.into_iter().filter(strange).map(|arn| format!("{action} is never about {arn}"));
    let asked = statement["Condition"].as_object().into_iter().flat_map(|operators| operators.values());
    let asked = asked.flat_map(|keys| keys.as_object().unwrap().keys());
    let unknown = asked.filter(|key| !key.starts_with("aws:") && action.key_of_service(key).is_none());
    resources.chain(unknown.map(|key| format!("{action} has no condition key {key}"))).collect()
}

#[test]
fn nothing_stands_for_everything() {
    for built in workspaces() {
        for (artifact, _, statement) in statements(built) {
            assert_eq!(statement["Effect"], "Allow");
            assert!(statement.get("NotAction").is_none() && statement.get("NotResource").is_none());
            for action in texts(&statement["Action"]) {
                assert!(!action.contains(['*', '?']) && !action.contains("Converse"), "{action}");
            }
            for arn in texts(&statement["Resource"]) {
                // A function names the streams of its log group itself.
                let arn = arn.strip_suffix(":log-stream:*").unwrap_or(arn);
                let (head, resource) = arn.rsplit_once(':').unwrap();
                assert!(!head.contains(['*', '?']), "{arn} in {}", artifact.document.address);
                let literal = resource.trim_end_matches(['*', '?']);
                assert!(
                    !literal.is_empty() && !literal.contains('*'),
                    "{arn} in {}",
                    artifact.document.address
                );
            }
        }
    }
}

#[test]
fn what_is_allowed_was_granted() {
    for built in workspaces() {
        for (artifact, pointer, statement) in statements(built) {
            for part in ["", "/Effect", "/Action", "/Action/0", "/Sid"] {
                let origin = artifact.trace.at(&format!("{pointer}{part}")).unwrap();
                assert!(!origin.policies.is_empty(), "{}{pointer}{part}", artifact.document.address);
                for policy in origin.policies.iter() {
                    let fact = built.compilation.decisions.policy(*policy).unwrap();
                    let text = built.sources.slice(fact.span);
                    assert!(text.contains("permit ("), "{statement:#} is there because of {}", fact.id);
                }
            }
            let conditioned = statement["Condition"].as_object().into_iter().flatten();
            for (operator, keys) in conditioned {
                for key in keys.as_object().unwrap().keys() {
                    let key = key.replace('/', "~1");
                    let pointer = format!("{pointer}/Condition/{operator}/{key}");
                    assert!(artifact.trace.at(&pointer).is_some(), "{pointer}");
                }
            }
        }
    }
}

#[test]
fn each_value_of_a_condition_comes_from_the_line_that_says_it() {
    let built = everything();
    let mut seen = BTreeSet::new();
    for (artifact, pointer, statement) in statements(built) {
        let Some(prefixes) = statement["Condition"]["StringLike"].get("s3:prefix") else { continue };
        for (at, prefix) in texts(prefixes).into_iter().enumerate() {
            let pointer = format!("{pointer}/Condition/StringLike/s3:prefix/{at}");
            let written = built.sources.slice(artifact.trace.at(&pointer).unwrap().span);
            assert!(prefix.starts_with(written), "{prefix} comes from {written}");
            seen.insert(written);
        }
    }
    assert_eq!(seen, BTreeSet::from(["in/", "out/"]));
}

#[test]
fn statement_ids_differ_within_a_policy() {
    let tools = "tools: [{ name: a, connector: x, access: read }, { name: b, connector: x, access: read }, \
                 { name: c, connector: x-2, access: read }]";
    let table =
        |name: &str| format!("lambda: {{ function: {name} }}, region: eu-central-1, dataClass: internal");
    let (one, two, agent) = (table("x"), table("y"), format!("tenant: t, model: {{ model: m }}, {tools}"));
    let built = Built::of(super::workspace(&[
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Connector", "x", &one),
        ("Connector", "x-2", &two),
        ("Agent", "a", &agent),
    ]));
    let policy = built.json("iam/Policy/w-prod-tools-a");
    let sids: Vec<_> =
        at(&policy, "/PolicyDocument/Statement").as_array().unwrap().iter().map(|one| &one["Sid"]).collect();
    assert_eq!(sids.iter().collect::<std::collections::HashSet<_>>().len(), sids.len(), "{sids:?}");
    // Each resource comes from the line that names it.
    for (at_, one) in at(&policy, "/PolicyDocument/Statement").as_array().unwrap().iter().enumerate() {
        let artifact = built
            .all()
            .find(|one| {
                one.document.address.kind == "Policy" && one.document.address.name == "w-prod-tools-a"
            })
            .unwrap();
        let origin = artifact.trace.at(&format!("/PolicyDocument/Statement/{at_}/Resource/0")).unwrap();
        let written = built.sources.slice(origin.span);
        let arn = texts(&one["Resource"])[0];
        assert!(arn.ends_with(written), "{arn} comes from {written}");
    }
}

/// Statements of one policy, as pairs of id and statement.
fn of<'v>(policy: &'v Value, sid: &str) -> &'v Value {
    let all = at(policy, "/PolicyDocument/Statement").as_array().unwrap();
    all.iter().find(|one| one["Sid"] == sid).unwrap_or_else(|| panic!("no {sid} in {policy:#}"))
}

#[test]
fn models_are_named_where_they_are_called_and_where_calls_may_end() {
    let built = everything();
    let gateway = built.json("iam/Policy/w-prod-gateway-tasks");
    let profile = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0";
    assert_eq!(texts(&of(&gateway, "InvokeProfileEuCentral1")["Resource"]), [profile]);
    let behind = of(&gateway, "ReachProfileEuCentral1");
    let places = ["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"];
    let model = |region: &str| format!("arn:aws:bedrock:{region}::foundation-model/amazon.nova-lite-v1:0");
    assert_eq!(texts(&behind["Resource"]), places.map(model));
    assert_eq!(texts(at(behind, "/Condition/StringEquals/bedrock:InferenceProfileArn")), [profile]);

    // Through the profile of the tenant, which is told by its tags, and in no other way.
    let reader = built.json("iam/Policy/w-prod-agent-reader");
    assert!(
        !reader.to_string().contains(":inference-profile/"),
        "calls that nobody is charged for: {reader}"
    );
    let charged = of(&reader, "ChargeProfileEuCentral1");
    let any = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/*";
    assert_eq!(texts(&charged["Resource"]), [any]);
    for (key, value) in
        [("tenant", "payments"), ("model", "profile"), ("workspace", "w"), ("environment", "prod")]
    {
        let key = format!("/Condition/StringEquals/aws:ResourceTag~1aipolicy:{key}");
        assert_eq!(texts(at(charged, &key)), [value]);
    }
    let behind = of(&reader, "ReachChargedProfileEuCentral1");
    assert_eq!(texts(&behind["Resource"]), places.map(model));
    assert_eq!(texts(at(behind, "/Condition/ArnLike/bedrock:InferenceProfileArn")), [any]);

    let writer = built.json("iam/Policy/w-prod-agent-writer");
    assert!(!writer.to_string().contains("application-inference-profile"), "a global profile has none");
    let profile =
        "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/global.anthropic.claude-haiku-5-5";
    let entry = of(&writer, "InvokeGlobalEuWest1");
    assert_eq!(texts(&entry["Resource"]), [profile]);
    assert_eq!(texts(at(entry, "/Condition/StringEquals/aws:RequestedRegion")), ["eu-west-1"]);
    let forms = [
        (
            "ReachGlobalEuWest1",
            "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-haiku-5-5",
            "eu-west-1",
        ),
        (
            "ReachAnywhereGlobalEuWest1",
            "arn:aws:bedrock:::foundation-model/anthropic.claude-haiku-5-5",
            "unspecified",
        ),
    ];
    for (sid, arn, region) in forms {
        let found = of(&writer, sid);
        assert_eq!(texts(&found["Resource"]), [arn]);
        assert_eq!(texts(at(found, "/Condition/StringEquals/aws:RequestedRegion")), [region]);
        assert_eq!(texts(at(found, "/Condition/StringEquals/bedrock:InferenceProfileArn")), [profile]);
    }

    let careful = built.json("iam/Policy/w-prod-agent-careful");
    let mantle = of(&careful, "InvokeMantleEuCentral1");
    assert_eq!(texts(&mantle["Action"]), ["bedrock-mantle:CreateInference"]);
    assert_eq!(
        texts(&mantle["Resource"]),
        ["arn:aws:bedrock-mantle:eu-central-1:111122223333:project/default"]
    );
    assert_eq!(texts(at(mantle, "/Condition/StringEquals/bedrock-mantle:Model")), ["openai.gpt-oss-120b"]);

    let backed = built.json("iam/Policy/w-prod-agent-backed");
    let reserved = of(&backed, "InvokeReservedEuNorth1");
    assert_eq!(
        texts(&reserved["Resource"]),
        ["arn:aws:bedrock:eu-north-1:111122223333:provisioned-model/abc"]
    );
}

#[test]
fn connectors_are_narrowed_to_what_they_name() {
    let built = everything();
    let reader = built.json("iam/Policy/w-prod-tools-reader");
    let files = of(&reader, "ReadFiles");
    assert_eq!(texts(&files["Action"]), ["s3:GetObject"]);
    let prefixes = ["arn:aws:s3:::files/in/payments/*", "arn:aws:s3:::files/out/payments/*"];
    assert_eq!(texts(&files["Resource"]), prefixes);
    assert_eq!(texts(at(files, "/Condition/StringEquals/aws:SourceVpce")), ["vpce-0a1b2c3d"]);
    let list = of(&reader, "ListFiles");
    assert_eq!(texts(&list["Resource"]), ["arn:aws:s3:::files"]);
    assert_eq!(texts(at(list, "/Condition/StringLike/s3:prefix")), ["in/payments/*", "out/payments/*"]);
    assert_eq!(texts(at(list, "/Condition/StringEquals/aws:SourceVpce")), ["vpce-0a1b2c3d"]);
    let key = of(&reader, "KeyFiles");
    assert_eq!(texts(&key["Action"]), ["kms:Decrypt"]);
    assert_eq!(texts(at(key, "/Condition/StringEquals/kms:ViaService")), ["s3.eu-central-1.amazonaws.com"]);
    assert!(of(&reader, "ListWhole").get("Condition").is_none());
    assert_eq!(texts(&of(&reader, "ReadWhole")["Resource"]), ["arn:aws:s3:::whole/*"]);

    for sid in ["ReadTable", "QueryTable"] {
        let table = of(&reader, sid);
        assert_eq!(
            texts(at(table, "/Condition/ForAllValues:StringEquals/dynamodb:LeadingKeys")),
            ["payments"]
        );
        assert_eq!(texts(at(table, "/Condition/Null/dynamodb:LeadingKeys")), ["false"]);
    }
    assert!(of(&reader, "ReadPlain").get("Condition").is_none());
    let secret = ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:a/b-??????"];
    assert_eq!(texts(&of(&reader, "ReadSecret")["Resource"]), secret);
    assert!(!built.all().any(|one| one.document.text.contains("dynamodb:Scan")));

    let writer = built.json("iam/Policy/w-prod-tools-writer");
    assert_eq!(texts(&of(&writer, "WriteFiles")["Action"]), ["s3:AbortMultipartUpload", "s3:PutObject"]);
    assert_eq!(texts(&of(&writer, "DeleteFiles")["Resource"]), prefixes);
    assert_eq!(texts(&of(&writer, "KeyFiles")["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"]);
    let write = of(&writer, "WriteTable");
    assert_eq!(texts(at(write, "/Condition/Null/dynamodb:LeadingKeys")), ["false"]);
}

#[test]
fn every_for_all_values_stands_with_its_null_guard() {
    for built in workspaces() {
        for (_, _, statement) in statements(built) {
            let operators = statement["Condition"].as_object().into_iter().flatten();
            for (_, keys) in operators.filter(|(operator, _)| operator.starts_with("ForAllValues:")) {
                for key in keys.as_object().unwrap().keys() {
                    assert_eq!(texts(&statement["Condition"]["Null"][key]), ["false"], "{statement:#}");
                }
            }
        }
    }
}

#[test]
fn gated_calls_are_made_by_the_gate_alone() {
    let built = everything();
    let careful = built.json("iam/Policy/w-prod-agent-careful");
    let actions = |policy: &Value| {
        let all = at(policy, "/PolicyDocument/Statement").as_array().unwrap().iter();
        all.flat_map(|one| texts(&one["Action"]).into_iter().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let of_agent: Vec<_> = actions(&careful).into_iter().collect();
    assert_eq!(of_agent, ["bedrock-agentcore:InvokeGateway", "bedrock-mantle:CreateInference"]);
    let gateway = built.json("iam/Policy/w-prod-gateway-careful-tools");
    let of_gateway: Vec<_> = actions(&gateway).into_iter().collect();
    assert_eq!(
        of_gateway,
        [
            "bedrock-agentcore:AuthorizeAction",
            "bedrock-agentcore:GetPolicyEngine",
            "bedrock-agentcore:PartiallyAuthorizeActions",
            "lambda:InvokeFunction"
        ]
    );
    let caller = built.json("iam/Policy/w-prod-caller-careful");
    let of_caller: Vec<_> =
        actions(&caller).into_iter().filter(|action| !action.starts_with("logs:")).collect();
    assert_eq!(of_caller, ["states:StartExecution", "states:StartSyncExecution"]);
    let machine = |tool: &str| {
        format!("arn:aws:states:eu-central-1:111122223333:stateMachine:w-prod-gate-careful-{tool}")
    };
    assert_eq!(texts(&of(&caller, "StartAsk")["Action"]), ["states:StartSyncExecution"]);
    for (tool, sid) in [("pay", "StartPay"), ("look", "StartLook")] {
        assert_eq!(texts(&of(&caller, sid)["Resource"]), [machine(tool)]);
        assert_eq!(texts(&of(&caller, sid)["Action"]), ["states:StartExecution"]);
        let role = built.json(&format!("iam/Role/w-prod-gate-careful-{tool}"));
        let trust = at(&role, "/AssumeRolePolicyDocument/Statement/0");
        assert_eq!(trust["Principal"]["Service"], "states.amazonaws.com");
        assert_eq!(at(trust, "/Condition/ArnLike/aws:SourceArn"), &Value::from(machine(tool)));
    }
    let pay = built.json("iam/Policy/w-prod-gate-careful-pay");
    assert_eq!(actions(&pay).into_iter().collect::<Vec<_>>(), ["lambda:InvokeFunction", "sqs:SendMessage"]);
    let look = built.json("iam/Policy/w-prod-gate-careful-look");
    assert!(actions(&look).contains("dynamodb:GetItem"));
}
