//! Tools that are operations of an OpenAPI document, with what each of them takes, said once more in JSON Schema.

use aipolicy_compiler::model::agent::Tool;
use serde_json::{Value, json};

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
        other => panic!("nothing says what `{other}` takes"),
    };
    Some(json!({
        "type": "object", "additionalProperties": false, "required": required, "properties": properties,
    }))
}
