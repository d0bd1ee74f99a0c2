//! Operations of an agent on Agents Classic: a document of OpenAPI 3.0 with these and no others, and in it what the machines
//! check.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;

use super::beside::{confirmed, described};
use super::{Agent, refusal};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::openapi::{Place, Request};
use crate::bedrock::tool::schema::{Kind, Property, Shape};
use crate::origin::Origin;
use crate::tree::Tree;

/// The document of these tools, each of which is an operation.
pub(super) fn document(agent: &Agent<'_>, calls: &[&Call<'_>], out: &mut Diagnostics) -> Tree {
    let mut paths: BTreeMap<&str, BTreeMap<&str, &Call<'_>>> = BTreeMap::new();
    for call in calls {
        let Some(request) = &call.request else { continue };
        let (path, method) = (request.operation.path.as_str(), request.operation.method);
        if let Some(other) = paths.entry(path).or_default().insert(method, call) {
            let message = format!("`{method} {path}` is the tool `{}` already", other.tool.name.value);
            out.report(refusal(call.tool.name.span, &message, "give it to another agent"));
        }
    }
    let default = || agent.account.default("classic.operations");
    let paths = paths.into_iter().map(|(path, methods)| {
        let methods = methods.into_iter().map(|(method, call)| (method.to_lowercase(), operation(call)));
        (path.to_owned(), Tree::map(methods))
    });
    let info = [("title", Tree::text(agent.name())), ("version", Tree::text("1"))];
    Tree::map([
        ("openapi", Tree::text("3.0.3").from(default())),
        ("info", Tree::map(info).from(default())),
        ("paths", Tree::map(paths)),
    ])
}

fn operation(call: &Call<'_>) -> Tree {
    let mut entries = vec![
        ("operationId", Tree::text(call.tool.name.value.as_str())),
        ("description", described(call)),
        ("x-requireConfirmation", confirmed(call)),
    ];
    if let Some(request) = &call.request {
        let of = |place: Place| {
            let all = call.shape.properties().iter();
            all.filter(move |one| request.place(&one.name) == Some(place)).collect::<Vec<_>>()
        };
        let outside = [(Place::Path, "path"), (Place::Query, "query"), (Place::Header, "header")];
        let parameters =
            outside.map(|(place, word)| of(place).into_iter().map(move |one| parameter(one, word)));
        let parameters: Vec<_> = parameters.into_iter().flatten().collect();
        if !parameters.is_empty() {
            entries.push(("parameters", Tree::list(parameters)));
        }
        let members = of(Place::Body);
        if !members.is_empty() {
            entries.push(("requestBody", body(&members, request)));
        }
    }
    let answer = [("description", Tree::text("What came of the call."))];
    entries.push(("responses", Tree::map([("200", Tree::map(answer))])));
    Tree::map(entries).from(call.origin.clone())
}

fn parameter(property: &Property, place: &str) -> Tree {
    let mut entries = vec![("name", Tree::text(&property.name)), ("in", Tree::text(place))];
    entries.extend(description(&property.shape));
    entries.push(("required", Tree::bool(property.required)));
    entries.push(("schema", schema(&property.shape)));
    Tree::map(entries).from(Origin::written(property.shape.span))
}

fn body(members: &[&Property], request: &Request) -> Tree {
    let properties = members.iter().map(|one| (one.name.clone(), schema(&one.shape)));
    let required = members.iter().filter(|one| one.required).map(|one| Tree::text(&one.name));
    let required: Vec<_> = required.collect();
    let needed = !required.is_empty();
    let mut object = vec![("type", Tree::text("object")), ("properties", Tree::map(properties))];
    if needed {
        object.push(("required", Tree::list(required)));
    }
    let content = Tree::map([("application/json", Tree::map([("schema", Tree::map(object))]))]);
    let tree = Tree::map([("required", Tree::bool(needed)), ("content", content)]);
    tree.from(Origin::written(request.operation.span))
}

fn description(shape: &Shape) -> Option<(&'static str, Tree)> {
    let (text, span) = shape.description.as_ref()?;
    Some(("description", Tree::text(text).from(Origin::written(*span))))
}

/// The part of a schema that a model needs to know; the machine asks all of it.
fn schema(shape: &Shape) -> Tree {
    let mut entries = vec![("type", Tree::text(shape.word()))];
    entries.extend(description(shape));
    if let Kind::List { items, .. } = &shape.kind {
        entries.push(("items", schema(items)));
    }
    if let Some((values, span)) = &shape.only {
        let values = values.iter().filter_map(|value| {
            let text = value.as_str().map(Tree::text);
            text.or_else(|| value.as_i64().map(Tree::integer)).or_else(|| value.as_f64().map(Tree::decimal))
        });
        entries.push(("enum", Tree::list(values).from(Origin::written(*span))));
    }
    Tree::map(entries).from(Origin::written(shape.span))
}
