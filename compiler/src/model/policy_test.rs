//! `PolicyTest`: requests, and the decisions that policies must give.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::macros::{record, words};
use super::reference::{AnyRef, Linked, Reference};
use super::value::{Keyed, Literal, OneOrMany, Text, Texts};
use crate::rule;
use crate::source::Spanned;
use crate::yaml::{Decode, Node, Reader, Value};

words! {
    /// What is asked for.
    pub enum Action {
        /// Invoke a model.
        InvokeModel = "invokeModel",
        /// Read from a connector.
        ReadConnector = "readConnector",
        /// Write to a connector.
        WriteConnector = "writeConnector",
        /// Call a tool.
        CallTool = "callTool",
        /// Let content come to rest.
        StoreData = "storeData",
        /// Run on a cluster.
        RunOn = "runOn",
        /// Use a namespace of a cluster.
        UseNamespace = "useNamespace",
        /// Send requests to a route.
        UseRoute = "useRoute",
        /// Have what a runtime needs around its grants.
        SupportRuntime = "supportRuntime",
        /// Hand work to another agent.
        Delegate = "delegate",
        /// Change the world.
        Change = "change",
    }
}

words! {
    /// A decision.
    pub enum Expected {
        /// Permitted.
        Allow = "allow",
        /// Refused.
        Deny = "deny",
    }
}

/// A principal or a resource of a request, written `Kind/name`.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The kind, as the Cedar schema calls it.
    pub kind: &'static str,
    /// The name with its place. A tool is named after its agent, as in `Tool/invoice-bot.pay`.
    pub name: Spanned<String>,
    /// The resource that is meant, where it is one.
    resource: Option<AnyRef>,
}

/// Entities that are no resources of their own.
const OTHER_ENTITIES: [&str; 3] = ["Artifact", "Region", "Tool"];

/// Whether a text begins with a letter or a digit, and has these and `-`, `_`, `.` and `/`.
fn is_name(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./".contains(sign))
}

impl Decode for Entity {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let other = |text: &str| {
            let (kind, name) = text.split_once('/')?;
            let kind = OTHER_ENTITIES.into_iter().find(|known| *known == kind)?;
            Some((kind, name.to_owned()))
        };
        if let Value::Scalar { text, .. } = &node.value
            && let Some((kind, name)) = other(text)
        {
            if !is_name(&name) {
                let message = format!("`{name}` is not the name of a {kind}");
                let help = "names have letters, digits, and `-`, `_`, `.`, `/`";
                return reader.fail(rule::BAD_VALUE.at(node.span, message, "").help(help));
            }
            return Some(Self { kind, name: Spanned { value: name, span: node.span }, resource: None });
        }
        let resource = AnyRef::decode(node, reader)?;
        let name = Spanned { value: resource.name.value.to_string(), span: resource.name.span };
        Some(Self { kind: resource.kind.word(), name, resource: Some(resource) })
    }
}

impl Linked for Entity {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        self.resource.each_reference(visit);
    }
}

impl JsonSchema for Entity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Entity".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let resource = generator.subschema_for::<AnyRef>();
        let other = format!("^({})/[A-Za-z0-9][A-Za-z0-9_./-]*$", OTHER_ENTITIES.join("|"));
        json_schema!({ "anyOf": [resource, {
            "type": "string",
            "pattern": other,
            "description": "A tool such as `Tool/invoice-bot.pay`, a region, or an artifact by its address.",
        }] })
    }
}

record! {
    /// One request and its decision. What `context` does not say is as the workspace asks for it; where nobody does, it is
    /// as it would be if the principal asked.
    pub struct PolicyCase {
        /// What is tested, in words.
        title: Option<Spanned<Text>>,
        /// Who asks, as `Kind/name`.
        principal: Entity,
        /// For what.
        action: Spanned<Action>,
        /// Of what, as `Kind/name`.
        resource: Entity,
        /// Under which circumstances: keys of the context of the action in the Cedar schema. A day is written `2027-03-31`, an
        /// entity by its name, and `residency` as the names of rules; `[]` is for what may be missing and is.
        context: Texts<OneOrMany<Literal>>,
        /// Attributes that entities of the request have instead of their own, as the Cedar schema calls them:
        /// `Agent/invoice-bot: { clearance: [internal] }`.
        entities: Keyed<Entity, Texts<OneOrMany<Literal>>>,
        /// The decision.
        expect: Spanned<Expected>,
        /// Policies that have to match, by their `@id`.
        by: Vec<Spanned<Text>>,
        /// Policies that must not match, by their `@id`.
        not_by: Vec<Spanned<Text>>,
    }
}

/// Requests and the decisions that policies must give.
pub type PolicyTestSpec = Vec<PolicyCase>;
