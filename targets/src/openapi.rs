//! Operations of OpenAPI documents: which request of a server a tool is.

use aipolicy_compiler::PlacedJson;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::model::agent::Tool;
use aipolicy_compiler::model::connector::{ConnectorSpec, HttpTool};
use aipolicy_compiler::model::value::{File, Text};
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_compiler::{nearest, rule};
use serde_json::Value;

use crate::account::Account;

/// Methods of requests, as documents and as requests have them.
const METHODS: &[(&str, &str)] =
    &[("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// An operation of a document.
pub(crate) struct Operation {
    pub(crate) document: PlacedJson,
    /// Where it stands: the item of its path, and itself.
    pub(crate) item: String,
    pub(crate) pointer: String,
    pub(crate) path: String,
    pub(crate) method: &'static str,
    pub(crate) span: Span,
}

/// A piece of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'p> {
    Literal(&'p str),
    Parameter(&'p str),
}

/// The document that says what a tool's operation is: its own, or that of its server.
pub(crate) fn document<'t>(tool: &'t Tool, connector: &'t ConnectorSpec) -> Option<&'t File> {
    tool.operation.as_ref()?;
    let served = connector.kind.http().and_then(|server| server.open_api.as_ref());
    tool.input.as_ref().or(served).filter(|_| connector.kind.mcp().is_none())
}

/// The operation that a tool names, in this document.
///
/// # Errors
/// What is wrong about the document, or that it has no such operation, or several.
pub(crate) fn operation(
    account: &Account<'_>,
    file: &File,
    named: &Spanned<Text>,
) -> Result<Operation, Diagnostics> {
    let one = |found: Diagnostic| {
        let mut all = Diagnostics::default();
        all.report(found);
        all
    };
    let source = account.graph().file(file).ok_or_else(Diagnostics::default)?;
    let document = PlacedJson::read(account.input.sources, source)?;
    let version = document.value.get("openapi").and_then(Value::as_str).unwrap_or("");
    if !version.starts_with("3.0.") && !version.starts_with("3.1.") {
        let message = "this is no document of OpenAPI 3.0 or 3.1";
        let span = document.place("/openapi").unwrap_or(file.file.span);
        return Err(one(rule::UNSUPPORTED.at(span, message, "").help("begin it with `openapi: 3.0.3`")));
    }
    let all = operations(&document);
    let word = named.value.as_str();
    let own: Vec<_> = all.iter().filter(|(id, ..)| *id == word).collect();
    match own.as_slice() {
        [(_, path, method)] => {
            let item = format!("/paths/{}", escaped(path));
            let pointer = format!("{item}/{}", method.0);
            let (path, method) = ((*path).to_owned(), method.1);
            let span = document.place(&pointer).unwrap_or(named.span);
            Ok(Operation { document, item, pointer, path, method, span })
        }
        [] => {
            let message = format!("`{}` has no operation `{word}`", file.file.value.as_str());
            let found = rule::UNSUPPORTED.at(named.span, message, "");
            let near = nearest(word, all.iter().map(|(id, ..)| *id));
            Err(one(match near {
                Some(near) => found.help(format!("`{near}` is the nearest")),
                None => found.help("name the `operationId` of a get, post, put, patch or delete"),
            }))
        }
        [_, ..] => {
            let message = format!("`{}` has several operations `{word}`", file.file.value.as_str());
            Err(one(rule::UNSUPPORTED
                .at(named.span, message, "")
                .help("give each an `operationId` of its own")))
        }
    }
}

/// Every operation with an id: the id, its path, and its method.
fn operations(document: &PlacedJson) -> Vec<(&str, &str, (&'static str, &'static str))> {
    let paths = document.value.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flatten();
    let each = |(path, item)| {
        let item: &Value = item;
        METHODS.iter().filter_map(move |method| {
            let id = item.get(method.0)?.get("operationId")?.as_str()?;
            Some((id, String::as_str(path), *method))
        })
    };
    items.flat_map(each).collect()
}

/// A key as a part of a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl Operation {
    /// The path in pieces; nothing where it holds what a path of a request does not.
    pub(crate) fn segments(&self) -> Option<Vec<Segment<'_>>> {
        let mut rest = self.path.as_str();
        let mut found = Vec::new();
        if !rest.starts_with('/') {
            return None;
        }
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            found.extend([Segment::Literal(literal), Segment::Parameter(name)]);
            rest = after;
        }
        found.push(Segment::Literal(rest));
        found.retain(|segment| *segment != Segment::Literal(""));
        found
            .iter()
            .all(|segment| !matches!(segment, Segment::Literal(text) if !is_plain(text)))
            .then_some(found)
    }
}

/// The address that paths are added to; nothing where it is not `https`, or holds what IAM or a request would read as
/// something else.
pub(crate) fn base(http: &HttpTool) -> Option<&str> {
    let url = http.url.value.as_str().trim_end_matches('/');
    let rest = url.strip_prefix("https://")?;
    let host = rest.split('/').next()?;
    let sound = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    (sound && !host.is_empty() && is_plain(rest)).then_some(url)
}

/// Whether a text stands for itself in an address, and in a pattern of IAM.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!&'()+,;=:@".contains(&byte);
    text.bytes().all(plain) && !text.split('/').any(|part| matches!(part, "." | ".."))
}

/// A connection of EventBridge by its ARN, in pieces: region, account and name.
pub(crate) fn connection(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (name, id) = resource.strip_prefix("connection/")?.split_once('/')?;
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    (service == "events" && plain(name, b"._-") && plain(id, b"-")).then_some((region, account, name))
}
