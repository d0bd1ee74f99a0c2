//! Tools that are operations of an OpenAPI document, with what each of them takes, said once more in JSON Schema.

use std::process::Command;

use aipolicy_compiler::model::agent::{Access, Tool};
use serde_json::{Value, json};

use super::everything;
use crate::harness::program::answer;
use crate::harness::tools::{Client, Tool as Provided};
use crate::harness::workspace::Built;
use crate::targets::{ACME, at, texts};

/// A validator of OpenAPI documents.
static VALIDATOR: Provided = Provided {
    name: "openapi",
    client: Client::Pip,
    packages: &["openapi-spec-validator==0.7.2"],
    options: &["--only-binary=:all:"],
};

/// What is wrong about a document, in one line; nothing if nothing is.
fn problems(document: &Value) -> String {
    let script = "import json, sys\nfrom openapi_spec_validator import OpenAPIV30SpecValidator as V\n\
                  print([error.message for error in V(json.load(sys.stdin)).iter_errors()])";
    let python = VALIDATOR.folder().join("bin/python");
    answer(Command::new(python).args(["-c", script]), &document.to_string(), "Python 3.11").trim().to_owned()
}

/// The documents of the action groups of a workspace.
fn documents(built: &Built) -> Vec<(String, Value)> {
    let groups = built.sound().into_iter().filter(|one| one.document.address.kind == "ActionGroup");
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap()["apiSchema"]["payload"].clone();
    let all = groups.map(|one| (one.document.address.name.clone(), read(&one.document.text)));
    all.filter(|(_, payload)| !payload.is_null()).collect()
}

#[test]
fn action_groups_hold_the_chosen_operations_and_no_others() {
    let all: Vec<_> = [everything(), &*ACME].into_iter().flat_map(documents).collect();
    for (name, document) in &all {
        assert_eq!(problems(document), "[]", "{name}");
        let mut wrong = document.clone();
        wrong["paths"].as_object_mut().unwrap().values_mut().for_each(|item| item["get"] = json!({}));
        assert_ne!(problems(&wrong), "[]", "{name}");
    }
    let (_, desk) = all.iter().find(|(name, _)| name == "w-prod-desk.operations").unwrap();
    let paths: Vec<_> = desk["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/orders/{id}/lines"]);
    let operation = |method: &str| at(desk, &format!("/paths/~1orders~1{{id}}~1lines/{method}"));
    assert_eq!(operation("get")["operationId"], "list-lines");
    assert_eq!(operation("get")["x-requireConfirmation"], "DISABLED");
    assert_eq!(operation("post")["x-requireConfirmation"], "ENABLED");
    let parameters = operation("get")["parameters"].as_array().unwrap();
    let named: Vec<_> = parameters.iter().map(|one| format!("{} {}", one["in"], one["name"])).collect();
    assert_eq!(
        named,
        ["\"path\" \"id\"", "\"query\" \"exact\"", "\"query\" \"limit\"", "\"header\" \"X_Trace\""]
    );
    let body = at(operation("post"), "/requestBody/content/application~1json/schema");
    assert_eq!(texts(&body["required"]), ["count", "sku"]);
    assert_eq!(texts(at(body, "/properties/kind/enum")), ["new", "used"]);
}

#[test]
fn machines_may_send_their_request_and_no_other() {
    let built = everything();
    let statements = |role: &str| {
        let policy = built.json(&format!("iam/Policy/{role}"));
        at(&policy, "/PolicyDocument/Statement").as_array().unwrap().clone()
    };
    let of = |all: &[Value], action: &str| {
        all.iter().filter(|one| texts(&one["Action"]).contains(&action)).cloned().collect::<Vec<_>>()
    };
    let gate = statements("w-prod-gate-clerk-add-line");
    let sent = of(&gate, "states:InvokeHTTPEndpoint");
    assert_eq!(sent.len(), 1);
    let machine = "arn:aws:states:eu-central-1:111122223333:stateMachine:w-prod-gate-clerk-add-line";
    assert_eq!(texts(&sent[0]["Resource"]), [machine]);
    let condition = &sent[0]["Condition"];
    assert_eq!(texts(&condition["StringEquals"]["states:HTTPMethod"]), ["POST"]);
    let address = "https://orders.acme.example/v1/orders/*/lines";
    assert_eq!(texts(&condition["StringLike"]["states:HTTPEndpoint"]), [address]);
    let secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:events!connection/orders/*";
    assert_eq!(texts(&of(&gate, "secretsmanager:GetSecretValue")[0]["Resource"]), [secret]);
    // What needs no gate reads, with a role that may not send what the gate holds back.
    let plain = of(&statements("w-prod-tools-clerk"), "states:InvokeHTTPEndpoint");
    assert_eq!(texts(&plain[0]["Condition"]["StringEquals"]["states:HTTPMethod"]), ["GET"]);
    assert_eq!(plain.len(), 1);
    let exact = of(&statements("w-prod-gate-note-set-note"), "states:InvokeHTTPEndpoint");
    let address = "https://orders.acme.example/v1/orders";
    assert_eq!(texts(&exact[0]["Condition"]["StringEquals"]["states:HTTPEndpoint"]), [address]);
    // The agents themselves may send nothing.
    for agent in ["clerk", "desk", "note"] {
        let sent = of(&statements(&format!("w-prod-agent-{agent}")), "states:InvokeHTTPEndpoint");
        assert!(sent.is_empty(), "{sent:?}");
    }
}

#[test]
fn a_gateway_has_the_keys_of_its_servers_and_its_agent_has_none() {
    let built = everything();
    let secrets = |role: &str| {
        let policy = built.json(&format!("iam/Policy/{role}"));
        let all = at(&policy, "/PolicyDocument/Statement").as_array().unwrap().clone();
        let reads =
            all.into_iter().filter(|one| texts(&one["Action"]).contains(&"secretsmanager:GetSecretValue"));
        reads
            .flat_map(|one| texts(&one["Resource"]).into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let key = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:server-key-??????";
    assert_eq!(secrets("w-prod-gateway-reader-tools"), [key]);
    assert_eq!(secrets("w-prod-agent-reader"), [""; 0]);
    // An agent with nothing but tools of a server has no machine and no function.
    let made: Vec<_> = built.sound().iter().map(|one| one.document.address.to_string()).collect();
    assert!(made.iter().any(|name| name == "bedrock/GatewayTarget/w-prod-only-remote.mcpTerms"));
    let idle =
        ["bedrock/StateMachine", "bedrock/Function", "iam/Role/w-prod-caller", "iam/Role/w-prod-tools"];
    let beside = made.iter().filter(|name| name.contains("only-remote"));
    let beside: Vec<_> = beside.filter(|name| idle.iter().any(|kind| name.starts_with(kind))).collect();
    assert_eq!(beside, [""; 0]);
    let target = built.json("bedrock/GatewayTarget/w-prod-reader.mcpTerms");
    let tools = at(&target, "/targetConfiguration/mcp/mcpServer/mcpToolSchema/inlinePayload/tools");
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["findTerm", "list_terms"]);
    let limit = built.json("bedrock/GatewayRateLimit/w-prod-reader.tools");
    assert_eq!(at(&limit, "/entries/0/dimensions/toolName"), "mcpTerms___findTerm");
}

/// A document with a reference of every kind, parameters of every place, and a body.
pub(super) const ORDERS: &str = r##"openapi: 3.0.3
info: { title: Orders, version: "1" }
servers: [{ url: https://elsewhere.acme.example }]
paths:
  /orders/{id}/lines:
    parameters:
      - $ref: "#/components/parameters/OrderId"
      - { name: limit, in: query, schema: { type: string } }
    get:
      operationId: listLines
      summary: Lists the lines of an order.
      parameters:
        - { name: limit, in: query, description: How many., schema: { type: integer, minimum: 1, maximum: 50 } }
        - { name: X-Trace, in: header, required: true, schema: { type: string, pattern: "^[a-z0-9]{4}$" } }
        - { name: exact, in: query, required: true, schema: { type: boolean } }
      responses: { "200": { description: Lines. } }
    post:
      operationId: addLine
      requestBody: { $ref: "#/components/requestBodies/Line" }
      responses: { "201": { description: Added. } }
  /orders/{id}:
    delete:
      operationId: cancelOrder
      parameters: [{ name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }]
      responses: { "204": { description: Gone. } }
  /orders:
    put:
      operationId: replaceNote
      requestBody:
        content: { application/json: { schema: { type: object, properties: { note: { type: string, maxLength: 5 } } } } }
      responses: { "200": { description: Replaced. } }
components:
  parameters:
    OrderId: { name: id, in: path, required: true, schema: { $ref: "#/components/schemas/Name" } }
  requestBodies:
    Line:
      required: true
      content: { application/json: { schema: { $ref: "#/components/schemas/Line" } } }
  schemas:
    Name: { type: string, maxLength: 12 }
    Line:
      type: object
      required: [sku, count]
      properties:
        sku: { $ref: "#/components/schemas/Name" }
        count: { type: integer, minimum: 1, maximum: 9 }
        kind: { type: string, enum: [new, used] }
        tags: { type: array, maxItems: 2, items: { type: string } }
"##;

/// What the operation of a tool takes: an object with the parameters and the members of the body. A text in a path is
/// never empty, and never dots.
pub(super) fn schema(tool: &Tool) -> Option<Value> {
    if tool.input.as_ref().is_some_and(|input| !input.file.value.as_str().ends_with(".openapi.yaml")) {
        return None;
    }
    let id = json!({ "type": "string", "minLength": 1, "maxLength": 12, "not": { "enum": [".", ".."] } });
    let (required, properties) = match tool.operation.as_ref()?.value.as_str() {
        "listLines" => (
            json!(["id", "X_Trace", "exact"]),
            json!({
                "id": id, "limit": { "type": "integer", "minimum": 1, "maximum": 50 }, "exact": { "type": "boolean" },
                "X_Trace": { "type": "string", "pattern": "^[a-z0-9]{4}$" },
            }),
        ),
        "addLine" => (
            json!(["id", "sku", "count"]),
            json!({
                "id": id, "limit": { "type": "string" }, "sku": { "type": "string", "maxLength": 12 },
                "count": { "type": "integer", "minimum": 1, "maximum": 9 }, "kind": { "enum": ["new", "used"] },
                "tags": { "type": "array", "maxItems": 2, "items": { "type": "string" } },
            }),
        ),
        "cancelOrder" => (json!(["id"]), json!({ "id": { "type": "integer", "minimum": 1 } })),
        "replaceNote" => (json!([]), json!({ "note": { "type": "string", "maxLength": 5 } })),
        "getNumber" => (
            json!(["country", "number"]),
            json!({
                "country": { "enum": ["AT", "BE", "DE", "ES", "FR", "IT", "NL", "PL"] },
                "number": { "type": "string", "pattern": "^[0-9A-Z]{8,12}$" },
            }),
        ),
        "trackParcel" | "bookReturn" => {
            let parcel = json!({ "type": "string", "pattern": "^[A-Z]{2}[0-9]{9}$" });
            let text = json!({ "type": "string", "minLength": 8, "maxLength": 64 });
            match tool.access.value {
                Access::Read => (
                    json!(["parcel"]),
                    json!({ "parcel": parcel, "language": { "enum": ["de", "en", "fr"] } }),
                ),
                Access::Write => (
                    json!(["parcel", "reason", "requestId"]),
                    json!({
                        "parcel": parcel, "reason": { "enum": ["damaged", "wrong-item", "not-wanted"] }, "requestId": text,
                    }),
                ),
            }
        }
        other => panic!("nothing says what `{other}` takes"),
    };
    Some(json!({
        "type": "object", "additionalProperties": false, "required": required, "properties": properties,
    }))
}
