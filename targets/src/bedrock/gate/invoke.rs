//! The call itself: what a tool's input becomes as a request to the service behind its connector.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::Access;
use aipolicy_compiler::model::connector::{
    ConnectorKind, DynamoDbSource, KnowledgeBaseSource, S3Source, SqsQueue,
};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::http;
use super::machine::Machine;
use crate::bedrock::shared;
use crate::bedrock::tool::schema::{Kind, Property};
use crate::bedrock::tool::{INPUT, jsonata};
use crate::origin::Origin;
use crate::tree::Tree;

/// A task that makes the call, and the expression for what comes back.
pub(super) struct Task {
    pub(super) resource: String,
    pub(super) arguments: Tree,
    pub(super) result: &'static str,
}

/// The task of a tool; nothing, with a report, where a state machine cannot make the call, or nothing says how.
pub(super) fn task(machine: &Machine<'_>, out: &mut Diagnostics) -> Option<Task> {
    let connector = machine.call.connector;
    let named = machine.call.tool.connector.name.span;
    if let ConnectorKind::Http(server) = &connector.spec.kind {
        return http::task(machine, server, out);
    }
    shared::same_region((connector, named), machine.account.region_of(machine.call.agent), out)?;
    if let Some(network) = &connector.spec.network {
        let message = "a state machine calls services from outside of your network";
        let help = "leave `network` out, or put a function in the network before it";
        return refuse(network.vpc_endpoint.span, message, help, out);
    }
    let write = machine.call.tool.access.value == Access::Write;
    match (&connector.spec.kind, write) {
        (ConnectorKind::Lambda(function), _) => {
            let region = connector.spec.region.value.as_str();
            let arn = shared::function_arn(machine.account, region, function, out)?;
            let arguments = vec![
                ("FunctionName", Tree::text(arn).from(Origin::written(function.function.span))),
                ("Payload", Tree::text("{% $input %}")),
            ];
            Some(task_of(machine, "lambda:invoke", arguments, "$states.result.Payload"))
        }
        (ConnectorKind::Sqs(queue), true) => send(machine, queue, out),
        (ConnectorKind::StepFunctions(target), true) => {
            let name = &target.state_machine;
            let region = connector.spec.region.value.as_str();
            let resource = format!("stateMachine:{}", shared::plain_name(name, out)?);
            let arn = machine.account.arn("states", region, &resource);
            let mut arguments = vec![
                ("StateMachineArn", Tree::text(arn).from(Origin::written(name.span))),
                ("Input", Tree::text("{% $input %}")),
            ];
            arguments.extend(key(machine).map(|(key, origin)| {
                ("Name", Tree::text(jsonata::template(&jsonata::member(INPUT, key))).from(origin))
            }));
            Some(task_of(machine, "states:startExecution", arguments, "$states.result.ExecutionArn"))
        }
        (ConnectorKind::DynamoDb(table), true) => put_item(machine, table, out),
        (ConnectorKind::DynamoDb(table), false) => find_item(machine, table, out),
        (ConnectorKind::S3(bucket), write) => object(machine, (bucket, write), out),
        (ConnectorKind::KnowledgeBase(base), false) => retrieve(machine, base, out),
        (ConnectorKind::SecretsManager(_), _) => {
            refuse(named, "a secret is never given to a model", "let a function use the secret", out)
        }
        (
            kind @ (ConnectorKind::KnowledgeBase(_)
            | ConnectorKind::Sqs(_)
            | ConnectorKind::StepFunctions(_)
            | ConnectorKind::OpenSearch(_)
            | ConnectorKind::S3Vectors(_)
            | ConnectorKind::Http(_)
            | ConnectorKind::Mcp(_)),
            _,
        ) => {
            let help = "put a function before it, and use that as the connector";
            refuse(named, why_not(kind), help, out)
        }
    }
}

/// Why no state machine makes such a call.
fn why_not(kind: &ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::OpenSearch(_) => {
            "Step Functions has no integration for searches in a collection, and signs no requests to servers"
        }
        ConnectorKind::S3Vectors(_) => "an index is asked with a vector, and a model answers with texts",
        ConnectorKind::Mcp(_) => "a state machine holds no session with an MCP server",
        ConnectorKind::KnowledgeBase(_) => "a knowledge base is written through its sources",
        ConnectorKind::Sqs(_) => "a queue is read by workers, and not by tools",
        ConnectorKind::StepFunctions(_) => "a state machine is started, and not read",
        ConnectorKind::Http(_)
        | ConnectorKind::Lambda(_)
        | ConnectorKind::S3(_)
        | ConnectorKind::DynamoDb(_)
        | ConnectorKind::SecretsManager(_) => "a state machine cannot make this call for a tool",
    }
}

pub(super) fn refuse<T>(span: Span, message: &str, help: &str, out: &mut Diagnostics) -> Option<T> {
    out.report(rule::UNSUPPORTED.at(span, message, "").help(help));
    None
}

pub(super) fn task_of(
    machine: &Machine<'_>,
    resource: &str,
    arguments: Vec<(&'static str, Tree)>,
    result: &'static str,
) -> Task {
    Task { resource: machine.integration(resource), arguments: Tree::map(arguments), result }
}

/// The input that makes a repetition harmless.
fn key<'m>(machine: &Machine<'m>) -> Option<(&'m str, Origin)> {
    let key = machine.call.tool.idempotency_key.as_ref()?;
    Some((key.value.as_str(), Origin::written(key.span)))
}

fn send(machine: &Machine<'_>, queue: &SqsQueue, out: &mut Diagnostics) -> Option<Task> {
    let name = shared::plain_name(&queue.queue, out)?;
    let url = shared::queue_url(machine.account, machine.call.connector.spec.region.value.as_str(), name);
    let mut arguments = vec![
        ("QueueUrl", Tree::text(url).from(Origin::written(queue.queue.span))),
        ("MessageBody", Tree::text("{% $input %}")),
    ];
    if name.ends_with(".fifo") {
        let Some((key, origin)) = key(machine) else {
            let message = "a message in a FIFO queue needs an id";
            return refuse(queue.queue.span, message, "add `idempotencyKey` to the tool", out);
        };
        let id = jsonata::template(&jsonata::member(INPUT, key));
        arguments.push(("MessageDeduplicationId", Tree::text(id).from(origin)));
        arguments.push(("MessageGroupId", Tree::text(machine.call.agent.name().as_str())));
    }
    Some(task_of(machine, "sqs:sendMessage", arguments, "$states.result.MessageId"))
}

/// Members of the input as attributes of a table, and the key that keeps tenants apart.
fn attributes(machine: &Machine<'_>, out: &mut Diagnostics) -> Option<Vec<(String, Tree)>> {
    let mut found = Vec::new();
    if let (Some(partition), Some(tenant)) = (&machine.call.connector.spec.partition, machine.call.tenant) {
        let value = Tree::map([("S", Tree::text(jsonata::plain(tenant)))]);
        found
            .push((partition.key.value.as_str().to_owned(), value.from(Origin::written(partition.key.span))));
    }
    for property in machine.call.shape.properties() {
        if found.iter().any(|(name, _)| *name == property.name) {
            let message = format!("`{}` keeps tenants apart, and is no input", property.name);
            return refuse(property.shape.span, &message, "rename the input", out);
        }
        found.push((property.name.clone(), attribute(property, out)?));
    }
    Some(found)
}

fn attribute(property: &Property, out: &mut Diagnostics) -> Option<Tree> {
    let member = jsonata::member(INPUT, &property.name);
    let (kind, value) = match &property.shape.kind {
        _ if !property.required => {
            let message = format!("`{}` may be missing, and an attribute of a table may not", property.name);
            return refuse(property.shape.span, &message, "require it", out);
        }
        Kind::Text(_) => ("S", member),
        Kind::Number(_) => ("N", format!("$string({member})")),
        Kind::Bool => ("BOOL", member),
        Kind::List { .. } | Kind::Object(_) => {
            let message = format!("`{}` cannot become an attribute of a table", property.name);
            return refuse(property.shape.span, &message, "use texts, numbers and booleans", out);
        }
    };
    let value = Tree::map([(kind, Tree::text(jsonata::template(&value)))]);
    Some(value.from(Origin::written(property.shape.span)))
}

/// The input becomes an item. With a key for repetitions, an item that is there already is never replaced.
fn put_item(machine: &Machine<'_>, table: &DynamoDbSource, out: &mut Diagnostics) -> Option<Task> {
    let mut arguments = vec![
        (
            "TableName",
            Tree::text(jsonata::plain(table.table.value.as_str())).from(Origin::written(table.table.span)),
        ),
        ("Item", Tree::map(attributes(machine, out)?)),
    ];
    if let Some((key, origin)) = key(machine) {
        let names = Tree::map([("#key", Tree::text(key))]);
        arguments
            .push(("ConditionExpression", Tree::text("attribute_not_exists(#key)").from(origin.clone())));
        arguments.push(("ExpressionAttributeNames", names.from(origin)));
    }
    Some(task_of(machine, "dynamodb:putItem", arguments, "'written'"))
}

/// The input is the key of an item, or what an index is asked for.
fn find_item(machine: &Machine<'_>, table: &DynamoDbSource, out: &mut Diagnostics) -> Option<Task> {
    let name = Tree::text(jsonata::plain(table.table.value.as_str())).from(Origin::written(table.table.span));
    let attributes = attributes(machine, out)?;
    let index = match table.indexes.as_slice() {
        [] => {
            let arguments = vec![("TableName", name), ("Key", Tree::map(attributes))];
            return Some(task_of(machine, "dynamodb:getItem", arguments, "$states.result.Item"));
        }
        [index] => index,
        [_, second, ..] => {
            let message = "nothing says which index the tool uses";
            return refuse(second.span, message, "give each index a connector of its own", out);
        }
    };
    let places = || attributes.iter().enumerate().map(|(at, (name, value))| (at, name, value));
    let equal: Vec<_> = places().map(|(at, ..)| format!("#k{at} = :v{at}")).collect();
    let arguments = vec![
        ("TableName", name),
        ("IndexName", Tree::text(jsonata::plain(index.value.as_str())).from(Origin::written(index.span))),
        ("KeyConditionExpression", Tree::text(equal.join(" AND "))),
        (
            "ExpressionAttributeNames",
            Tree::map(places().map(|(at, name, _)| (format!("#k{at}"), Tree::text(name)))),
        ),
        (
            "ExpressionAttributeValues",
            Tree::map(places().map(|(at, _, value)| (format!(":v{at}"), value.clone()))),
        ),
    ];
    Some(task_of(machine, "aws-sdk:dynamodb:query", arguments, "$states.result.Items"))
}

/// An object whose key is the one text of the input, or that is named by the key for repetitions.
fn object(machine: &Machine<'_>, (bucket, write): (&S3Source, bool), out: &mut Diagnostics) -> Option<Task> {
    let call = machine.call;
    let (prefix, span) = match bucket.prefixes.as_slice() {
        [] => ("", bucket.bucket.span),
        [prefix] => (prefix.value.as_str(), prefix.span),
        [_, second, ..] => {
            let message = "nothing says which prefix the tool uses";
            return refuse(second.span, message, "give each prefix a connector of its own", out);
        }
    };
    let tenant = call.connector.spec.partition.as_ref().and(call.tenant);
    let folder = tenant.map_or_else(|| prefix.to_owned(), |tenant| format!("{prefix}{tenant}/"));
    let named = if write { key(machine).map(|(key, _)| key) } else { only_text(machine) };
    let Some(named) = named else {
        let (message, help) = if write {
            ("nothing says what the object is called", "add `idempotencyKey` to the tool")
        } else {
            ("nothing says which input is the key of the object", "let the input be one required text")
        };
        return refuse(call.tool.connector.name.span, message, help, out);
    };
    let suffix = if write { " & '.json'" } else { "" };
    let key = format!("{} & {}{suffix}", jsonata::text(&folder), jsonata::member(INPUT, named));
    let mut arguments = vec![
        (
            "Bucket",
            Tree::text(jsonata::plain(bucket.bucket.value.as_str()))
                .from(Origin::written(bucket.bucket.span)),
        ),
        ("Key", Tree::text(jsonata::template(&key)).from(Origin::written(span))),
    ];
    if write {
        arguments.push(("Body", Tree::text("{% $input %}")));
        arguments.push(("ContentType", Tree::text("application/json")));
        arguments.push(("IfNoneMatch", Tree::text("*")));
        return Some(task_of(machine, "aws-sdk:s3:putObject", arguments, "'written'"));
    }
    Some(task_of(machine, "aws-sdk:s3:getObject", arguments, "$states.result.Body"))
}

/// The only input, where it is a required text.
fn only_text<'m>(machine: &Machine<'m>) -> Option<&'m str> {
    match machine.call.shape.properties() {
        [Property { name, required: true, shape }] if matches!(shape.kind, Kind::Text(_)) => Some(name),
        _ => None,
    }
}

/// A question to a knowledge base: the one text of the input, and the one whole number as the count of results.
fn retrieve(machine: &Machine<'_>, base: &KnowledgeBaseSource, out: &mut Diagnostics) -> Option<Task> {
    let (mut query, mut count) = (None, None);
    for property in machine.call.shape.properties() {
        let place = match &property.shape.kind {
            Kind::Text(_) => &mut query,
            Kind::Number(rules) if rules.whole => &mut count,
            Kind::Number(_) | Kind::Bool | Kind::List { .. } | Kind::Object(_) => &mut None,
        };
        if place.replace(property).is_some() || !property.required {
            query = None;
            break;
        }
    }
    let known = [query, count].iter().flatten().count();
    let Some(query) = query.filter(|_| known == machine.call.shape.properties().len()) else {
        let message = "a question to a knowledge base is one text, and a whole number for how many results";
        return refuse(machine.call.shape.span, message, "require these, and nothing else", out);
    };
    let member = |property: &Property| {
        let value = jsonata::template(&jsonata::member(INPUT, &property.name));
        Tree::text(value).from(Origin::written(property.shape.span))
    };
    let mut arguments = vec![
        (
            "KnowledgeBaseId",
            Tree::text(jsonata::plain(base.id.value.as_str())).from(Origin::written(base.id.span)),
        ),
        ("RetrievalQuery", Tree::map([("Text", member(query))])),
    ];
    arguments.extend(count.map(|count| {
        let search = Tree::map([("NumberOfResults", member(count))]);
        ("RetrievalConfiguration", Tree::map([("VectorSearchConfiguration", search)]))
    }));
    Some(task_of(
        machine,
        "aws-sdk:bedrockagentruntime:retrieve",
        arguments,
        "$states.result.RetrievalResults",
    ))
}
