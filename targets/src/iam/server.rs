//! Rights of machines that call servers: one method on one address, with the credential of one connection.

use aipolicy_compiler::model::agent::Tool;
use aipolicy_compiler::model::connector::{ConnectorKind, ServerAuth};
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::gate::{Called, support};
use super::policy::Allow;
use crate::openapi::{Segment, base, connection, document, operation};
use crate::origin::Origin;

const INVOKE: &[&str] = &["states:InvokeHTTPEndpoint"];
const CREDENTIALS: &[&str] = &["events:RetrieveConnectionCredentials"];
const SECRET: &[&str] = &["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];

impl<'w> Writer<'w> {
    /// What the machine of a tool needs to call a server. What is wrong about the operation is for the target of the
    /// machine to say.
    pub(super) fn server(&mut self, called: &Called<'w>) -> Vec<Allow> {
        let about = called.tool.connector.name.value.to_string();
        let all = self.endpoint(called).into_iter().chain(self.proof(called));
        all.map(|allow| Allow { about: about.clone(), ..allow }).collect()
    }

    /// The request, and no other.
    fn endpoint(&mut self, called: &Called<'w>) -> Option<Allow> {
        let tool: &Tool = called.tool;
        let connector = self.account.graph().get(&tool.connector)?;
        let ConnectorKind::Http(server) = &connector.spec.kind else { return None };
        let (named, file) = (tool.operation.as_ref()?, document(tool, &connector.spec)?);
        let found = operation(self.account, file, named).ok()?;
        let mut address = base(server)?.to_owned();
        let segments = found.segments()?;
        for segment in &segments {
            match segment {
                Segment::Literal(text) => address.push_str(text),
                Segment::Parameter(_) => address.push('*'),
            }
        }
        let machine = self.machine(called)?;
        let origin = Origin::granted(called.connector);
        let sid = format!("Request {}", tool.name.value);
        let mut allow = support(&sid, INVOKE, (machine, Origin::written(tool.name.span)), origin);
        let method = Condition::equals("states:HTTPMethod", found.method, Origin::written(found.span));
        let wide = segments.iter().any(|segment| matches!(segment, Segment::Parameter(_)));
        let operator = if wide { "StringLike" } else { "StringEquals" };
        let place = Origin::written(server.url.span);
        let endpoint = Condition::new(operator, "states:HTTPEndpoint", address, place);
        allow.conditions = vec![method, endpoint];
        Some(allow)
    }

    /// The credential of a connection, which EventBridge keeps in a secret of its own.
    fn proof(&mut self, called: &Called<'w>) -> Vec<Allow> {
        let Some(connector) = self.account.graph().get(&called.tool.connector) else { return Vec::new() };
        let ConnectorKind::Http(server) = &connector.spec.kind else { return Vec::new() };
        let Some(ServerAuth::Connection(arn)) = &server.auth else { return Vec::new() };
        let Some((region, account, name)) = connection(arn.value.as_str()) else { return Vec::new() };
        let pieces = [
            Piece::Literal("secret:events!connection/"),
            Piece::Literal(name),
            Piece::Literal("/"),
            Piece::AnyRun,
        ];
        let origin = || Origin::granted(called.connector);
        let place = Origin::written(arn.span);
        let named = connector.name();
        let mut allows = vec![support(
            &format!("Use connection of {named}"),
            CREDENTIALS,
            (arn.value.as_str().to_owned(), place.clone()),
            origin(),
        )];
        let secret = self.pattern("secretsmanager", (region, account), (&pieces, arn.span));
        let sid = format!("Read connection of {named}");
        allows.extend(secret.map(|secret| support(&sid, SECRET, (secret, place), origin())));
        allows
    }
}
