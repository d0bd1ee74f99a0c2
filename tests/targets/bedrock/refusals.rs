//! What a runtime or a state machine cannot do is refused at the text that asks for it.

use super::files;
use crate::harness::workspace::Built;

/// The code and the text under each finding that is no note of another target, for an agent and more documents.
fn told(agent: &str, more: &[(&str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    let agent = format!("tenant: t, model: {{ model: m }}, {agent}");
    // Each limit is looked at alone, so that sessions may cost what they want.
    let environment = "aws: { accountId: \"111122223333\", regions: [eu-central-1, eu-west-1] }, severity: { AIP-BUD-010: off }";
    let mut all = vec![
        ("Environment", "prod", environment),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Group", "leads", "members: [a@acme.example]"),
        ("Guardrail", "g", "filters: { hate: high }"),
        ("Connector", "f", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        ("Agent", "a", agent.as_str()),
    ];
    all.extend(more);
    let built = Built::new(&files(&all));
    let stops = built.findings().iter().any(|one| one.severity == "error");
    assert_eq!(stops, built.artifacts.is_empty());
    let one = |found: &aipolicy_compiler::diagnostic::Diagnostic| {
        (found.severity.word(), found.code.to_string(), built.sources.slice(found.primary.span).to_owned())
    };
    built.diagnostics.iter().map(one).collect()
}

#[track_caller]
fn check(agent: &str, more: &[(&str, &str, &str)], expected: &[(&str, &str)]) {
    let found = told(agent, more);
    let found: Vec<_> = found
        .iter()
        .filter(|(_, code, _)| code.starts_with("AIP-CMP"))
        .map(|(severity, _, place)| (*severity, place.as_str()))
        .collect();
    assert_eq!(found, expected, "{agent}");
}

fn tool(rest: &str) -> String {
    format!("tools: [{{ name: x, connector: f, access: read, {rest} }}]")
}

#[test]
fn a_harness_refuses_what_it_has_no_member_for() {
    let cases = [
        ("guardrail: g", "error", "g"),
        ("limits: { consecutiveFailures: 3 }", "error", "3"),
        ("limits: { sessions: 50 per day }", "error", "50 per day"),
        ("limits: { concurrent: 7 }", "error", "7"),
        ("limits: { wallClock: 9h }", "error", "9h"),
        ("limits: { wallClock: 1500ms }", "error", "1500ms"),
        ("limits: { tokensPerSession: 20k }", "note", "20k"),
        ("memory: { retention: 1d }", "error", "1d"),
        ("memory: { retention: 30d, region: eu-west-1 }", "error", "eu-west-1"),
        ("trace: { redact: [iban] }", "note", "iban"),
        ("release: { canary: { weight: 10%, bake: 1h, abort: { errorRate: 5% } } }", "error", "10%"),
    ];
    for (agent, severity, place) in cases {
        check(agent, &[], &[(severity, place)]);
    }
    for (rate, place) in [
        ("5 requests/h", "5 requests/h"),
        ("5k tokens/min", "5k tokens/min"),
        ("11M requests/s", "11M requests/s"),
    ] {
        check(&tool(&format!("input: {{ file: one.json }}, rate: {rate}")), &[], &[("error", place)]);
    }
    let other = ("Agent", "b", "tenant: t, model: { model: m }");
    check("collaborators: [{ agent: b }]", &[other], &[("error", "b")]);
    let confirm =
        "tools: [{ name: x, connector: f, access: write, input: { file: one.json }, gate: confirm }]";
    check(confirm, &[], &[("error", "confirm")]);
    check("limits: { steps: 3, wallClock: 2m }, memory: { retention: 7d }", &[], &[]);
}

#[test]
fn agents_classic_refuses_what_it_has_no_member_for() {
    let classic = |rest: &str| format!("runtime: bedrock-agents, instructions: {{ file: told.md }}, {rest}");
    let cases = [
        ("limits: { steps: 3 }", "error", "3"),
        ("limits: { wallClock: 2m }", "error", "2m"),
        ("limits: { tokensPerSession: 20k }", "error", "20k"),
        ("limits: { consecutiveFailures: 4 }", "error", "4"),
        ("memory: { retention: 400d }", "error", "400d"),
        ("trace: { redact: [iban] }", "note", "iban"),
        ("release: { canary: { weight: 10%, bake: 1h, abort: { errorRate: 5% } } }", "error", "10%"),
    ];
    for (agent, severity, place) in cases {
        check(&classic(agent), &[], &[(severity, place)]);
    }
    check(
        &classic(&tool("input: { file: one.json }, rate: 5 requests/s")),
        &[],
        &[("error", "5 requests/s")],
    );
    let other = ("Agent", "b", "tenant: t, model: { model: m }");
    check(&classic("collaborators: [{ agent: b }]"), &[other], &[("error", "b")]);
    check("runtime: bedrock-agents, instructions: { file: one.json }", &[], &[]);
    check(&classic("guardrail: g, memory: { retention: 30d }"), &[], &[]);
}

#[test]
fn callers_that_an_authorizer_cannot_know_are_refused() {
    let secret =
        ("Connector", "s", "secretsManager: { secret: s }, region: eu-central-1, dataClass: internal");
    let jwt = |url: &str, rest: &str| {
        format!(
            "callers: {{ jwt: {{ discoveryUrl: \"{url}\", client: {{ id: c, secret: s }}, {rest} }} }}, \
             tools: [{{ name: x, connector: f, access: read, input: {{ file: one.json }} }}]"
        )
    };
    let known = "https://id.acme.example/.well-known/openid-configuration";
    check(&jwt(known, "clients: [d]"), &[secret], &[]);
    for url in [
        "http://id.acme.example/.well-known/openid-configuration",
        "https://id.acme.example/.well-known/openid-configurations",
        "https:///.well-known/openid-configuration",
        "https://id.acme.example",
        "https://id.acme.example/.well-known/openid-configuration?a=b",
    ] {
        check(&jwt(url, "clients: [d]"), &[secret], &[("error", &format!("\"{url}\""))]);
    }
    let long = "s".repeat(65);
    let cases = [
        ("scopes: [a b]".to_owned(), "a b"),
        (format!("scopes: [{long}]"), &long),
        ("claims: [{ name: a b, equals: c }]".to_owned(), "a b"),
        ("claims: [{ name: a, equals: c d }]".to_owned(), "c d"),
        ("claims: [{ name: a, containsAny: [c, d@e] }]".to_owned(), "d@e"),
        ("claims: [{ name: a, containsAny: [] }]".to_owned(), "a"),
        ("rate: 5 requests/day".to_owned(), "5 requests/day"),
    ];
    for (rest, place) in cases {
        check(&jwt(known, &rest), &[secret], &[("error", place)]);
    }
    let no_secret = ("Connector", "s", "sqs: { queue: s }, region: eu-central-1, dataClass: internal");
    check(&jwt(known, "clients: [d]"), &[no_secret], &[("error", "s")]);
    let far = ("Connector", "s", "secretsManager: { secret: s }, region: eu-west-1, dataClass: internal");
    check(&jwt(known, "clients: [d]"), &[far], &[("error", "s")]);
    let toolless =
        format!("callers: {{ jwt: {{ discoveryUrl: \"{known}\", client: {{ id: c, secret: s }} }} }}");
    let place = toolless.split_once(": ").unwrap().1.to_owned();
    check(&toolless, &[secret], &[("error", &place)]);
    let classic = format!("runtime: bedrock-agents, instructions: {{ file: told.md }}, {toolless}");
    check(&classic, &[secret], &[("error", &place)]);
}

#[test]
fn calls_that_a_machine_cannot_make_are_refused() {
    let connector = |kind: &str| format!("{kind}, region: eu-central-1, dataClass: internal");
    let input = "input: { file: one.json }";
    let kinds = [
        "secretsManager: { secret: s }",
        "openSearch: { collection: c }",
        "s3Vectors: { bucket: v, index: i }",
        "sqs: { queue: q }",
        "http: { url: \"https://x.acme.example\" }",
    ];
    for kind in kinds {
        let spec = connector(kind);
        let agent = format!("tools: [{{ name: x, connector: c, access: read, {input} }}]");
        check(&agent, &[("Connector", "c", &spec)], &[("error", "c")]);
    }
    let far = "lambda: { function: f }, region: eu-west-1, dataClass: internal";
    let agent = format!("tools: [{{ name: x, connector: c, access: read, {input} }}]");
    check(&agent, &[("Connector", "c", far)], &[("error", "c")]);
    let private = connector("lambda: { function: f }") + ", network: { vpcEndpoint: vpce-1 }";
    check(&agent, &[("Connector", "c", &private)], &[("error", "vpce-1")]);
    let odd = connector("lambda: { function: \"f:g\" }");
    check(&agent, &[("Connector", "c", &odd)], &[("error", "\"f:g\"")]);
    let many = connector("dynamoDb: { table: t, indexes: [i, j] }");
    check(&agent, &[("Connector", "c", &many)], &[("error", "j")]);
    let two = connector("s3: { bucket: b, prefixes: [i/, j/] }");
    check(&agent, &[("Connector", "c", &two)], &[("error", "j/")]);
}

#[test]
fn a_gate_without_enough_people_and_a_tool_without_a_schema_are_refused() {
    let gate = |groups: &str| {
        format!(
            "tools: [{{ name: x, connector: f, access: write, input: {{ file: one.json }}, gate: {{ approval: {{ from: [{groups}] }} }} }}]"
        )
    };
    let lonely = ("Group", "lonely", "members: [z@acme.example], notAlone: [z@acme.example]");
    let both = ("Group", "both", "members: [z@acme.example], required: 2");
    for group in [lonely, both] {
        let found = told(&gate(group.1), &[group]);
        assert!(
            found.iter().any(|(_, code, place)| code == "AIP-CMP-002" && place.contains("approval")),
            "{found:?}"
        );
    }
    check(&gate("leads"), &[], &[]);
    check("tools: [{ name: naked, connector: f, access: read }]", &[], &[("error", "naked")]);
}

#[test]
fn limits_on_what_the_schema_does_not_have_are_refused() {
    let cases = [
        ("allow: { nothing: { max: 5 } }", "{ max: 5 }"),
        ("allow: { id: { max: 5 } }", "5"),
        ("allow: { ok: { oneOf: [true] } }", "true"),
        ("allow: { count: { maxLength: 6 } }", "6"),
        ("allow: { count: { oneOf: [a] } }", "a"),
    ];
    for (allow, place) in cases {
        check(&tool(&format!("input: {{ file: flat.json }}, {allow}")), &[], &[("error", place)]);
    }
}

#[test]
fn schemas_that_cannot_be_checked_are_refused_where_they_say_so() {
    let wrap = |member: &str| {
        format!(
            "{{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {{ \"x\": {member} }} }}"
        )
    };
    let cases = [
        (wrap(r#"{ "type": "string", "format": "email" }"#), "\"email\""),
        (wrap(r#"{ "type": "integer", "multipleOf": 5 }"#), "5"),
        (wrap(r#"{ "type": "string", "pattern": "a.c" }"#), "\"a.c\""),
        (wrap(r#"{ "type": ["string", "null"] }"#), "[\"string\", \"null\"]"),
        (wrap(r#"{ "anyOf": [] }"#), r#"{ "anyOf": [] }"#),
        (wrap(r#"{ "type": "null" }"#), "\"null\""),
        (wrap(r#"{ "type": "string", "minLength": "5" }"#), "\"5\""),
        (r#"{ "type": "object", "properties": {} }"#.to_owned(), r#"{ "type": "object", "properties": {} }"#),
        (r#"{ "type": "string" }"#.to_owned(), r#"{ "type": "string" }"#),
    ];
    for (schema, place) in cases {
        let agent = "tenant: t, model: { model: m }, tools: [{ name: x, connector: f, access: read, input: { file: odd.json } }]";
        let mut all = files(&[
            ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
            (
                "Tenant",
                "t",
                "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]",
            ),
            ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
            ("Connector", "f", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
            ("Agent", "a", agent),
        ]);
        all.push(("odd.json".to_owned(), schema.clone()));
        let built = Built::new(&all);
        let found: Vec<_> = built
            .diagnostics
            .iter()
            .map(|one| (one.code.to_string(), built.sources.slice(one.primary.span)))
            .collect();
        assert!(found.contains(&("AIP-CMP-002".to_owned(), place)), "{schema}: {found:?}");
        assert!(built.artifacts.is_empty());
    }
}

const CONNECTION: &str =
    "arn:aws:events:eu-central-1:111122223333:connection/c/4b1f0c2e-0000-4000-8000-000000000003";

fn server(rest: &str) -> String {
    format!("http: {{ {rest} }}, region: eu-central-1, dataClass: internal")
}

#[test]
fn servers_that_no_machine_can_call_are_refused() {
    let agent = "tools: [{ name: x, connector: c, access: read, operation: listLines }]";
    let at = |url: &str, auth: &str| {
        server(&format!("url: \"{url}\", openApi: {{ file: orders.openapi.yaml }}, auth: {{ {auth} }}"))
    };
    let proof = format!("connection: \"{CONNECTION}\"");
    let good = "https://x.acme.example/v1";
    check(agent, &[("Connector", "c", &at(good, &proof))], &[]);
    for url in [
        "http://x.acme.example",
        "https://",
        "https://x.acme.example/a?b=c",
        "https://x.acme.example/*",
        "https://x.acme.example/a/../b",
        "https://${aws:username}.example",
    ] {
        check(agent, &[("Connector", "c", &at(url, &proof))], &[("error", &format!("\"{url}\""))]);
    }
    for arn in [
        CONNECTION.replace("eu-central-1", "eu-west-1"),
        CONNECTION.replace("111122223333", "444455556666"),
        CONNECTION.replace("events", "kms"),
        CONNECTION.replace("connection/c/", "connection/"),
    ] {
        let spec = at(good, &format!("connection: \"{arn}\""));
        check(agent, &[("Connector", "c", &spec)], &[("error", &format!("\"{arn}\""))]);
    }
    let secret =
        ("Connector", "s", "secretsManager: { secret: s }, region: eu-central-1, dataClass: internal");
    check(agent, &[("Connector", "c", &at(good, "secret: s")), secret], &[("error", "s")]);
    let open = server(&format!("url: \"{good}\", openApi: {{ file: orders.openapi.yaml }}"));
    check(agent, &[("Connector", "c", &open)], &[("error", &format!("\"{good}\""))]);
    let silent = server(&format!("url: \"{good}\", auth: {{ {proof} }}"));
    check(
        "tools: [{ name: x, connector: c, access: read, input: { file: one.json } }]",
        &[("Connector", "c", &silent)],
        &[("error", "c")],
    );
    let nowhere = "tools: [{ name: x, connector: c, access: read, operation: listLine }]";
    check(nowhere, &[("Connector", "c", &at(good, &proof))], &[("error", "listLine")]);
    let misread = "tools: [{ name: x, connector: c, access: read, operation: addLine }]";
    check(misread, &[("Connector", "c", &at(good, &proof))], &[("error", "read")]);
    let miswritten = "tools: [{ name: x, connector: c, access: write, operation: listLines, gate: { approval: { from: [leads] } } }]";
    check(miswritten, &[("Connector", "c", &at(good, &proof))], &[("error", "write")]);
    let twice = "runtime: bedrock-agents, instructions: { file: told.md }, tools: [\
                 { name: x, connector: c, access: read, operation: listLines }, \
                 { name: y, connector: c, access: read, operation: listLines }]";
    check(twice, &[("Connector", "c", &at(good, &proof))], &[("error", "y")]);
}

/// What is refused of a document with one operation, `x`, that has these members.
fn refused(method: &str, path: &str, members: &str) -> Vec<String> {
    let document = format!(
        "openapi: 3.1.0\ninfo: {{ title: t, version: \"1\" }}\npaths:\n  \"{path}\":\n    {method}: {{ operationId: x, {members} }}\n\
         components: {{ schemas: {{ Loop: {{ type: object, properties: {{ next: {{ $ref: \"#/components/schemas/Loop\" }} }} }} }} }}\n"
    );
    let (access, gate) = match method {
        "get" => ("read", ""),
        _ => ("write", ", gate: { approval: { from: [leads] } }"),
    };
    let agent = format!(
        "tenant: t, model: {{ model: m }}, tools: [{{ name: x, connector: f, access: {access}, \
         input: {{ file: odd.openapi.yaml }}, operation: x{gate} }}]"
    );
    let mut all = files(&[
        ("Environment", "prod", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }"),
        ("Tenant", "t", "owner: a@acme.example, environments: [prod], clearance: [internal], models: [m]"),
        ("Model", "m", "provider: bedrock, modelId: openai.gpt-oss-20b-1:0"),
        ("Group", "leads", "members: [a@acme.example]"),
        ("Connector", "f", "lambda: { function: f }, region: eu-central-1, dataClass: internal"),
        ("Agent", "a", &agent),
    ]);
    all.push(("odd.openapi.yaml".to_owned(), document));
    let built = Built::new(&all);
    let found = built.diagnostics.iter().filter(|one| one.code == "AIP-CMP-002");
    let found: Vec<_> = found.map(|one| built.sources.slice(one.primary.span).to_owned()).collect();
    assert_eq!(found.is_empty(), !built.artifacts.is_empty(), "{found:?}");
    found
}

#[test]
fn operations_that_cannot_be_checked_are_refused_where_they_say_so() {
    let query = |more: &str| format!("parameters: [{{ name: a, in: query, {more} }}]");
    let whole = |more: &str| format!("{{ name: a, in: query, {more} }}");
    let body = |schema: &str| {
        format!("requestBody: {{ required: true, content: {{ application/json: {{ schema: {schema} }} }} }}")
    };
    assert_eq!(refused("get", "/a", &query("schema: { type: string }")), [""; 0]);
    assert_eq!(
        refused("post", "/a", &body("{ type: object, properties: { b: { type: boolean } } }")),
        [""; 0]
    );
    let cases = [
        ("get", "/a", query("schema: { type: string, format: uuid }"), "uuid".to_owned()),
        (
            "get",
            "/a",
            query("schema: { type: array, items: { type: string } }"),
            whole("schema: { type: array, items: { type: string } }"),
        ),
        ("get", "/a", query("schema: { type: string }, style: deepObject"), "deepObject".to_owned()),
        ("get", "/a", query("schema: { type: string }, allowReserved: true"), "true".to_owned()),
        (
            "get",
            "/a",
            query("schema: { $ref: \"https://x.acme.example/s\" }"),
            "\"https://x.acme.example/s\"".to_owned(),
        ),
        ("get", "/a", query("schema: { $ref: \"#/none\" }"), "\"#/none\"".to_owned()),
        (
            "get",
            "/a",
            "parameters: [{ name: a, in: cookie, schema: { type: string } }]".to_owned(),
            "{ name: a, in: cookie, schema: { type: string } }".to_owned(),
        ),
        (
            "get",
            "/a",
            "parameters: [{ name: Authorization, in: header, schema: { type: string } }]".to_owned(),
            "{ name: Authorization, in: header, schema: { type: string } }".to_owned(),
        ),
        (
            "get",
            "/{a}",
            "parameters: [{ name: a, in: path, schema: { type: string } }]".to_owned(),
            "{ name: a, in: path, schema: { type: string } }".to_owned(),
        ),
        ("post", "/a", body("{ type: string }"), "{ schema: { type: string } }".to_owned()),
        (
            "post",
            "/a",
            "requestBody: { required: true, content: { text/plain: {} } }".to_owned(),
            "{ required: true, content: { text/plain: {} } }".to_owned(),
        ),
        (
            "post",
            "/a",
            body("{ type: object, properties: { b: { anyOf: [] } } }"),
            "{ anyOf: [] }".to_owned(),
        ),
        (
            "post",
            "/a",
            body("{ type: object, additionalProperties: true, properties: {} }"),
            "{ type: object, additionalProperties: true, properties: {} }".to_owned(),
        ),
    ];
    for (method, path, members, place) in cases {
        let found = refused(method, path, &members);
        assert!(found.contains(&place), "{members}: {found:?}");
    }
    let operation = refused("get", "/a/{b}", "responses: {}");
    assert!(operation[0].contains("operationId: x"), "{operation:?}");
    assert!(!refused("get", "/a b", "responses: {}").is_empty());
    assert!(!refused("get", "/a/../b", "responses: {}").is_empty());
    assert!(!refused("delete", "/a", &body("{ type: object, properties: {} }")).is_empty());
    let twice = "parameters: [{ name: b, in: query, schema: { type: string } }], requestBody: { content: { application/json: { \
                 schema: { type: object, properties: { b: { type: string } } } } } }";
    assert!(!refused("post", "/a", twice).is_empty());
    let optional = "requestBody: { content: { application/json: { schema: { type: object, required: [b], properties: { b: { type: string } } } } } }";
    assert!(!refused("post", "/a", optional).is_empty());
    assert!(!refused("post", "/a", &body("{ $ref: \"#/components/schemas/Loop\" }")).is_empty());
    // Cedar would read these names as something else.
    for name in ["a-b", "in", "true"] {
        let odd = format!("parameters: [{{ name: \"{name}\", in: query, schema: {{ type: string }} }}]");
        assert_eq!(refused("get", "/a", &odd).len(), 1, "{name}");
    }
}

#[test]
fn calls_of_mcp_servers_that_nothing_would_check_are_refused() {
    let secret =
        ("Connector", "s", "secretsManager: { secret: s }, region: eu-central-1, dataClass: internal");
    let mcp = |rest: &str| {
        format!(
            "mcp: {{ url: \"https://x.acme.example/mcp\", version: \"1\"{rest} }}, region: eu-west-1, dataClass: internal"
        )
    };
    let known = mcp(", auth: { secret: s }");
    let tool =
        |access: &str, rest: &str| format!("tools: [{{ name: x, connector: c, access: {access}, {rest} }}]");
    let plain = "input: { file: plain.json }";
    let with = |agent: &str, spec: &str, expected: &[(&str, &str)]| {
        check(agent, &[("Connector", "c", spec), secret], expected);
    };
    with(&tool("read", plain), &known, &[]);
    with(
        &tool("read", &format!("{plain}, gate: {{ approval: {{ from: [leads] }} }}")),
        &known,
        &[("error", "{ approval: { from: [leads] } }")],
    );
    with(
        &tool("write", &format!("{plain}, gate: {{ approval: {{ from: [leads] }} }}")),
        &known,
        &[("error", "write"), ("error", "{ approval: { from: [leads] } }")],
    );
    with(&tool("read", "input: { file: one.json }"), &known, &[("error", "1")]);
    with(
        &tool("read", &format!("{plain}, allow: {{ term: {{ maxLength: 6 }} }}")),
        &known,
        &[("error", "6")],
    );
    with(&tool("read", &format!("{plain}, operation: a b")), &known, &[("error", "a b")]);
    with(&tool("read", plain), &mcp(""), &[("error", "\"https://x.acme.example/mcp\"")]);
    let connection = mcp(&format!(", auth: {{ connection: \"{CONNECTION}\" }}"));
    with(&tool("read", plain), &connection, &[("error", &format!("\"{CONNECTION}\""))]);
    let classic =
        format!("runtime: bedrock-agents, instructions: {{ file: told.md }}, {}", tool("read", plain));
    with(&classic, &known, &[("error", "c")]);
    with(&tool("read", &format!("{plain}, operation: a-b")), &known, &[("error", "a-b")]);
    let alike = format!(
        "tools: [{{ name: x, connector: c-1, access: read, {plain} }}, {{ name: y, connector: c1, access: read, {plain} }}]"
    );
    check(&alike, &[("Connector", "c-1", &known), ("Connector", "c1", &known), secret], &[("error", "c1")]);
    let twice = format!(
        "tools: [{{ name: x, connector: c, access: read, {plain}, operation: o }}, {{ name: y, connector: c, access: read, {plain}, operation: o }}]"
    );
    with(&twice, &known, &[("error", "y")]);
}
