//! Calls of servers: a request that an OpenAPI document describes, with the credential of a connection of EventBridge.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::connector::{HttpTool, ServerAuth};

use super::invoke::{Task, refuse, task_of};
use super::machine::Machine;
use crate::bedrock::tool::openapi::{Place, Request};
use crate::bedrock::tool::{INPUT, jsonata};
use crate::openapi::{Segment, base, connection};
use crate::origin::Origin;
use crate::tree::Tree;

/// What comes back: a body, or nothing.
const RESULT: &str = "$exists($states.result.ResponseBody) ? $states.result.ResponseBody : null";

/// The request of a tool as a task.
pub(super) fn task(machine: &Machine<'_>, server: &HttpTool, out: &mut Diagnostics) -> Option<Task> {
    let call = machine.call;
    let named = call.tool.connector.name.span;
    let Some(request) = &call.request else {
        let help = "add `operation`, and `openApi: { file: … }` to the connector";
        return refuse(named, "nothing says which request to the server this tool is", help, out);
    };
    if let Some(network) = &call.connector.spec.network {
        let message = "a state machine calls servers from outside of your network";
        return refuse(network.vpc_endpoint.span, message, "leave `network` out", out);
    }
    if let Some(partition) = &call.connector.spec.partition {
        let message = "a request to a server cannot keep tenants apart";
        return refuse(partition.key.span, message, "give each tenant a connector of its own", out);
    }
    let Some(base) = base(server) else {
        let message = "a state machine calls servers at plain `https` addresses, without a query";
        return refuse(server.url.span, message, "correct the address", out);
    };
    let mut arguments = vec![
        ("ApiEndpoint", endpoint(base, request)?.from(Origin::written(server.url.span))),
        ("Method", Tree::text(request.operation.method).from(Origin::written(request.operation.span))),
        ("Authentication", Tree::map([("ConnectionArn", proof(machine, server, out)?)])),
    ];
    let places = [(Place::Header, "Headers"), (Place::Query, "QueryParameters")];
    for (place, member) in places {
        if request.inputs(place).next().is_some() {
            arguments.push((member, gathered(machine, request, place)));
        }
    }
    if request.inputs(Place::Body).next().is_some() {
        arguments.push(("RequestBody", gathered(machine, request, Place::Body)));
    }
    Some(task_of(machine, "http:invoke", arguments, RESULT))
}

/// The connection whose credential proves who calls.
fn proof(machine: &Machine<'_>, server: &HttpTool, out: &mut Diagnostics) -> Option<Tree> {
    let help = "add `auth: { connection: \"arn:aws:events:…:connection/NAME/ID\" }`";
    let arn = match &server.auth {
        Some(ServerAuth::Connection(arn)) => arn,
        Some(ServerAuth::Secret(secret)) => {
            let message = "a state machine calls servers with the credential of a connection of EventBridge";
            return refuse(secret.name.span, message, help, out);
        }
        None => {
            let message = "a state machine calls no server without a connection of EventBridge";
            return refuse(server.url.span, message, help, out);
        }
    };
    let own = (machine.account.region_of(machine.call.agent), machine.account.id());
    let found = connection(arn.value.as_str()).map(|(region, account, _)| (region, account));
    if found != Some(own) {
        let message = format!("this is no connection of EventBridge of this account in {}", own.0);
        return refuse(arn.span, &message, "name a connection where the agent is", out);
    }
    Some(Tree::text(arn.value.as_str()).from(Origin::written(arn.span)))
}

/// The address, with inputs in it as parts of a path and nothing else.
fn endpoint(base: &str, request: &Request) -> Option<Tree> {
    let mut parts = vec![base.to_owned()];
    let mut terms = Vec::new();
    for segment in request.operation.segments()? {
        match segment {
            Segment::Literal(text) => parts.push(text.to_owned()),
            Segment::Parameter(name) => {
                terms.push(jsonata::text(&parts.concat()));
                parts.clear();
                terms.push(format!("$encodeUrlComponent($string({}))", jsonata::member(INPUT, name)));
            }
        }
    }
    let rest = parts.concat();
    if terms.is_empty() {
        return Some(Tree::text(rest));
    }
    if !rest.is_empty() {
        terms.push(jsonata::text(&rest));
    }
    Some(Tree::text(jsonata::template(&terms.join(" & "))))
}

/// The inputs of one place as an object: those that are there.
fn gathered(machine: &Machine<'_>, request: &Request, place: Place) -> Tree {
    let objects = request.inputs(place).map(|(name, sent)| {
        let member = jsonata::member(INPUT, name);
        let value = if place == Place::Body { member.clone() } else { format!("$string({member})") };
        let object = format!("{{ {}: {value} }}", jsonata::text(sent));
        let properties = machine.call.shape.properties();
        let required = properties.iter().any(|property| property.name == name && property.required);
        if required { object } else { format!("$exists({member}) ? {object} : {{}}") }
    });
    let merged = format!("$merge([{}])", objects.collect::<Vec<_>>().join(", "));
    Tree::text(jsonata::template(&merged)).from(Origin::written(request.operation.span))
}
