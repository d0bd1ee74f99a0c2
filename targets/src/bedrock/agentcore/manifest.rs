//! The Cedar schema that AgentCore generates from the tools of a gateway: an action for each tool, and its input as the
//! context. Objects are records, whole numbers `Long`, other numbers `decimal`, lists sets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cedar_policy::{EntityTypeName, Schema, Validator};
use serde_json::{Map, Value, json};

use super::Agent;
use super::gateway::{target_name, tool_name};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::schema::{Kind, Property, Shape};

/// The id of the action of a tool.
pub(super) fn action(call: &Call<'_>) -> String {
    format!("{}___{}", target_name(call), tool_name(call))
}

/// The type of those who call a gateway.
pub(super) fn caller_type(agent: &Agent<'_>) -> &'static str {
    if agent.token_callers().is_some() { "OAuthUser" } else { "IamEntity" }
}

/// What validates the policies of gateways. Agents whose tools take the same inputs share one.
#[derive(Default)]
pub(crate) struct Validators {
    by_schema: BTreeMap<String, Validator>,
}

impl Validators {
    /// The validator for the tools of an agent.
    ///
    /// # Errors
    /// Why Cedar does not take the schema, for instance since a member has a reserved name.
    pub(super) fn of(&mut self, agent: &Agent<'_>) -> Result<&Validator, String> {
        let schema = schema(agent);
        Ok(match self.by_schema.entry(schema.to_string()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let schema = Schema::from_json_value(schema).map_err(|error| error.to_string())?;
                new.insert(Validator::new(schema))
            }
        })
    }
}

/// The schema for the tools of a gateway. The claims of a token are tags of its caller.
fn schema(agent: &Agent<'_>) -> Value {
    let caller = caller_type(agent);
    let mut actions = Map::new();
    actions.insert("Mcp".into(), json!({}));
    actions.insert("CallTool".into(), json!({ "memberOf": [{ "id": "Mcp" }] }));
    for call in agent.calls {
        let context = json!({ "type": "Record", "attributes": { "input": attribute(&call.shape, true) } });
        let applies = json!({ "principalTypes": [caller], "resourceTypes": ["Gateway"], "context": context });
        let named = action(call);
        actions.insert(named, json!({ "memberOf": [{ "id": "CallTool" }], "appliesTo": applies }));
    }
    let mut entity = json!({ "shape": { "type": "Record", "attributes": { "id": { "type": "String" } } } });
    if let (Some(entity), true) = (entity.as_object_mut(), agent.token_callers().is_some()) {
        entity.insert("tags".into(), json!({ "type": "String" }));
    }
    let namespace = json!({ "entityTypes": { caller: entity, "Gateway": {} }, "actions": actions });
    json!({ "AgentCore": namespace })
}

/// A member of an input whose name the schema of a gateway cannot have, since Cedar reads it as something else.
pub(super) fn unspeakable(shape: &Shape) -> Option<&Property> {
    match &shape.kind {
        Kind::Object(properties) => properties.iter().find_map(|property| {
            let sound = property.name.parse::<EntityTypeName>().is_ok();
            if sound { unspeakable(&property.shape) } else { Some(property) }
        }),
        Kind::List { items, .. } => unspeakable(items),
        Kind::Text(_) | Kind::Number(_) | Kind::Bool => None,
    }
}

fn attribute(shape: &Shape, required: bool) -> Value {
    let mut made = match &shape.kind {
        Kind::Text(_) => json!({ "type": "String" }),
        Kind::Number(rules) if rules.whole => json!({ "type": "Long" }),
        Kind::Number(_) => json!({ "type": "Extension", "name": "decimal" }),
        Kind::Bool => json!({ "type": "Boolean" }),
        Kind::List { items, .. } => json!({ "type": "Set", "element": attribute(items, true) }),
        Kind::Object(properties) => {
            let members =
                properties.iter().map(|one| (one.name.clone(), attribute(&one.shape, one.required)));
            json!({ "type": "Record", "attributes": members.collect::<Map<_, _>>() })
        }
    };
    if let (false, Some(made)) = (required, made.as_object_mut()) {
        made.insert("required".into(), Value::Bool(false));
    }
    made
}
