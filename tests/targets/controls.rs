//! Every control is carried by a target of the workspace, or told where it is declared.

use std::collections::BTreeSet;

use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_targets::capabilities;
use aipolicy_targets::control::Control;

use super::document;
use crate::harness::workspace::Built;

/// A control, the resource that declares it and nothing else, and the text that is to blame.
type Case = (Control, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    (Control::Guardrail, "Agent", "guardrail: safe", "safe"),
    (Control::Limits, "Agent", "limits: { concurrent: 20 }", "20"),
    (Control::Limits, "Agent", "limits: { wallClock: 5m, steps: 12 }", "12"),
    (Control::Memory, "Agent", "memory: { retention: 30d }", "30d"),
    (Control::Memory, "Agent", "memory: { region: eu-central-1 }", "eu-central-1"),
    (Control::Trace, "Agent", "trace: { redact: [iban] }", "iban"),
    (Control::Trace, "Agent", "trace: { retention: 90d }", "90d"),
    (
        Control::Release,
        "Agent",
        "release: { canary: { weight: 10%, bake: 24h, abort: { errorRate: 5% } } }",
        "10%",
    ),
    (Control::Trigger, "Agent", "triggers: [{ schedule: { rate: 2h, deadLetter: failed } }]", "2h"),
    (Control::DelegationDepth, "Agent", "collaborators: [{ agent: other, maxDepth: 3 }]", "3"),
    (
        Control::ToolInput,
        "Agent",
        "tools: [{ name: x, connector: f, access: read, input: { file: x.json } }]",
        "x.json",
    ),
    (
        Control::ToolAllow,
        "Agent",
        "tools: [{ name: x, connector: f, access: read, allow: { amount: { max: 500 } } }]",
        "{ max: 500 }",
    ),
    (
        Control::ToolRate,
        "Agent",
        "tools: [{ name: x, connector: f, access: read, rate: 5 requests/s }]",
        "5 requests/s",
    ),
    (
        Control::Callers,
        "Agent",
        "callers: { jwt: { discoveryUrl: x, client: { id: c, secret: f } } }",
        "{ jwt: { discoveryUrl: x, client: { id: c, secret: f } } }",
    ),
    (
        Control::Confirmation,
        "Agent",
        "tools: [{ name: x, connector: f, access: write, gate: confirm }]",
        "confirm",
    ),
    (
        Control::ToolGate,
        "Agent",
        "tools: [{ name: x, connector: f, access: write, gate: { approval: { from: [g] } } }]",
        "{ approval: { from: [g] } }",
    ),
    (Control::TenantBudget, "Budget", "scope: { tenant: t }, period: month, limit: USD 7", "USD 7"),
    (Control::OtherBudget, "Budget", "scope: organisation, period: month, limit: USD 7", "USD 7"),
    (Control::OtherBudget, "Budget", "scope: { environment: prod }, period: month, limit: USD 7", "USD 7"),
    (Control::AgentBudget, "Budget", "scope: { agent: other }, period: month, limit: USD 7", "USD 7"),
    (
        Control::BudgetNotice,
        "Budget",
        "scope: { tenant: t }, period: month, limit: USD 7, thresholds: [{ at: 80%, do: notify, to: [a] }]",
        "80%",
    ),
    (
        Control::AgentNotice,
        "Budget",
        "scope: { agent: other }, period: month, limit: USD 7, thresholds: [{ at: 80%, do: notify, to: [a] }]",
        "80%",
    ),
    (Control::Logging, "Environment", "logging: { traces: logs }", "logs"),
    (Control::Spans, "Environment", "logging: { spans: logs }", "logs"),
    (Control::Audit, "Environment", "logging: { audit: logs }", "logs"),
    (
        Control::Notifications,
        "Environment",
        "notifications: { sns: [\"arn:aws:sns:eu-central-1:111122223333:alarms\"] }",
        "\"arn:aws:sns:eu-central-1:111122223333:alarms\"",
    ),
    (Control::EnforcedGuardrail, "Environment", "enforcedGuardrail: { guardrail: safe }", "safe"),
    (Control::ControlPolicy, "Environment", "serviceControlPolicy: true", "true"),
    (Control::Tls, "Environment", "network: { tls: \"1.2\" }", "\"1.2\""),
    (
        Control::ResourcePolicies,
        "Environment",
        "network: { endpoints: { s3: vpce-1 } }, resourcePolicies: { endpoints: [s3] }",
        "s3",
    ),
    (Control::Exclusive, "Connector", "exclusive: true", "true"),
    (Control::Routing, "Route", "", "case"),
    (Control::Quota, "Tenant", "quota: { requests: 600 requests/min }", "600 requests/min"),
    (Control::CallGuardrail, "Workload", "uses: { models: [m], guardrail: safe }", "safe"),
];

/// What a resource of a kind has to say; none of it is a control but of a route.
fn least(kind: &str) -> &'static str {
    match kind {
        "Agent" => "tenant: t, model: { model: m }",
        "Connector" => "s3: { bucket: b }, region: eu-central-1, dataClass: internal",
        "Environment" => "aws: { accountId: \"111122223333\", regions: [eu-central-1] }",
        "Tenant" => "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
        "Workload" => "tenant: t, platform: lambda",
        "Route" => {
            "gateway: edge, match: { tenants: [t] }, dataClass: internal, primary: [{ model: m }], \
             caps: { output: 64 }"
        }
        _ => "",
    }
}

fn built(targets: &str, (kind, fields): (&str, &str)) -> Built {
    let own = format!("packs: [baseline, residency], targets: [{targets}], naming: {{ prefix: w }}");
    let (rest, logs) =
        ("region: eu-central-1", "s3: { bucket: logs }, region: eu-central-1, holds: internal");
    // What checks say of a resource is for their tests.
    let off = "severity: { AIP-AGT-004: off, AIP-AGT-015: off, AIP-BUD-003: off, AIP-BUD-010: off, AIP-DAT-004: off }";
    let quiet = format!("{}, {off}", least("Environment"));
    let base = [
        ("Environment", "prod", quiet.as_str()),
        ("Tenant", "t", least("Tenant")),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Gateway", "edge", &format!("dialect: litellm, environment: prod, {rest}")),
        ("Connector", "f", &format!("dynamoDb: {{ table: f }}, {rest}, dataClass: internal")),
        ("Connector", "failed", &format!("sqs: {{ queue: failed }}, {rest}, dataClass: internal")),
        ("DataStore", "logs", logs),
        ("Guardrail", "safe", "filters: { hate: high }"),
        ("Group", "g", "members: [x@acme.example]"),
        ("Agent", "other", least("Agent")),
    ];
    let off = if kind == "Environment" && !fields.contains("severity") { off } else { "" };
    let fields = [least(kind), fields, off].into_iter().filter(|text| !text.is_empty());
    let spec = fields.collect::<Vec<_>>().join(", ");
    // There is one environment and one tenant; the case takes its place.
    let name = match kind {
        "Environment" => "prod",
        "Tenant" => "t",
        _ => "case",
    };
    let mut text = document("Workspace", "w", &own) + &document(kind, name, &spec);
    for (kind, other, spec) in base.into_iter().filter(|(_, other, _)| *other != name) {
        text += &document(kind, other, spec);
    }
    Built::new(&[("case.yaml".to_owned(), text), ("x.json".to_owned(), "{}".to_owned())])
}

/// The severity of each finding about a control that nobody carries, and the texts that it shows.
fn told(built: &Built) -> Vec<(&'static str, Vec<&str>)> {
    let found = built.diagnostics.iter().filter(|found| found.code == "AIP-CMP-009");
    let told = found.map(|found| {
        let labels = std::iter::once(&found.primary).chain(&found.related);
        (found.severity.word(), labels.map(|label| built.sources.slice(label.span)).collect())
    });
    told.collect()
}

fn able(control: Control) -> BTreeSet<TargetName> {
    let able = capabilities().into_iter().filter(|(_, carried)| carried.contains(&control));
    able.map(|(target, _)| target).collect()
}

#[test]
fn every_control_has_a_case() {
    let tested: BTreeSet<_> = CASES.iter().map(|(control, ..)| *control).collect();
    assert_eq!(tested, Control::ALL.iter().copied().collect());
    for (control, kind, fields, _) in CASES {
        assert_eq!(control.kind().word(), *kind);
        let first = control.field().split(['.', ':']).next().unwrap();
        assert!(format!("{}, {fields}", least(kind)).contains(&format!("{first}: ")), "{control:?}");
    }
}

#[test]
fn a_control_is_told_unless_a_target_of_the_workspace_carries_it() {
    for targets in [&[TargetName::Iam][..], &[TargetName::Gateway], &[TargetName::Iam, TargetName::Gateway]] {
        let words: Vec<_> = targets.iter().map(|target| target.word()).collect();
        for (control, kind, fields, text) in CASES {
            let built = built(&words.join(", "), (kind, fields));
            let able = able(*control);
            let severity = if able.is_empty() { "warning" } else { "error" };
            let is_carried = targets.iter().any(|target| able.contains(target));
            let expected = if is_carried { vec![] } else { vec![(severity, vec![*text])] };
            let mut found = told(&built);
            // A notice stands beside the limit of its budget.
            found.iter_mut().for_each(|(_, texts)| texts.retain(|found| found == text));
            found.retain(|(_, texts)| !texts.is_empty());
            assert_eq!(found, expected, "{control:?} in {words:?}");
            assert_eq!(built.artifacts.is_empty(), told(&built).iter().any(|(word, _)| *word == "error"));
        }
    }
}

#[test]
fn an_environment_says_how_much_a_missing_control_matters() {
    for (word, expected) in
        [("mandatory", &["error"][..]), ("advisory", &["warning"]), ("note", &["note"]), ("off", &[])]
    {
        let fields = format!("network: {{ tls: \"1.2\" }}, severity: {{ AIP-CMP-009: {word} }}");
        let built = built("iam, gateway", ("Environment", &fields));
        let found: Vec<_> = told(&built).into_iter().map(|(severity, _)| severity).collect();
        assert_eq!(found, expected, "{word}");
        assert_eq!(built.artifacts.is_empty(), word == "mandatory");
    }
}

#[test]
fn a_resource_gets_one_finding_with_every_place() {
    let fields = "guardrail: safe, memory: { retention: 30d }, tools: [\
                  { name: x, connector: f, access: read, input: { file: x.json } }, \
                  { name: y, connector: f, access: read, input: { file: x.json } }]";
    let built = built("iam, gateway", ("Agent", fields));
    let severity = if able(Control::Guardrail).is_empty() { "warning" } else { "error" };
    assert_eq!(told(&built), [(severity, vec!["safe", "30d", "x.json", "x.json"])]);
    let message = "no target of the workspace holds `guardrail`, `memory` and `tools.input` of agent `case`";
    assert!(built.findings().iter().any(|found| found.message == message), "{:#?}", built.findings());
}

#[test]
fn what_is_not_compiled_at_all_is_not_told() {
    assert_eq!(told(&built("", ("Agent", "guardrail: safe"))), []);
    assert_eq!(told(&built("iam", ("Agent", "enabled: false, guardrail: safe"))), []);
    assert_eq!(told(&built("iam", ("Agent", ""))), []);
    assert_eq!(told(&built("iam", ("Agent", "limits: {}, memory: {}, trace: {}"))), []);
}
