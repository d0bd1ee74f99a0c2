//! What a connector demands of everybody who uses its resource, as denials.

use std::collections::BTreeMap;

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::rule;

use super::{Held, denial};
use crate::iam::Writer;
use crate::iam::condition::Condition;
use crate::iam::statement::Statement;
use crate::origin::Origin;

/// What may be read of a resource, and what may be written to it.
pub(super) struct Ways<'a> {
    /// Actions that are denied, as patterns, and the one by which a role that was granted it is known.
    pub(super) read: (&'a [&'a str], &'a str),
    pub(super) write: (&'a [&'a str], &'a str),
    /// What they are about.
    pub(super) resources: Vec<(String, Origin)>,
    /// What the ARNs of it begin with in the policies of roles.
    pub(super) begins: String,
}

impl Writer<'_> {
    /// Calls come through the endpoint of the connector, and nobody does what somebody else was granted.
    pub(super) fn guards(
        &mut self,
        connector: &Resource<ConnectorSpec>,
        ways: &Ways<'_>,
        held: &[Held],
    ) -> Vec<Statement> {
        let name = connector.name();
        let mut all = Vec::new();
        if let Some(network) = &connector.spec.network {
            let origin = Origin::written(network.vpc_endpoint.span);
            let actions = [ways.read.0, ways.write.0].concat();
            let id = network.vpc_endpoint.value.as_str();
            let elsewhere = Condition::new("StringNotEquals", "aws:SourceVpce", id, origin.clone());
            let sid = format!("Only through endpoint {name}");
            all.push(denial(sid, &actions, ways.resources.clone(), origin).when([elsewhere]));
        }
        let Some(word) = connector.spec.exclusive.as_ref().filter(|word| word.value) else { return all };
        self.refuse_shared(connector);
        for (verb, (actions, known)) in [("Read", ways.read), ("Write", ways.write)] {
            let users = users(held, known, &ways.begins);
            if users.is_empty() {
                continue;
            }
            let origin = Origin::written(word.span);
            let sid = format!("{verb} {name} alone");
            let others = Condition::any("ArnNotEquals", "aws:PrincipalArn", users);
            all.push(denial(sid, actions, ways.resources.clone(), origin).when([others]));
        }
        all
    }

    /// Roles that are not ours, or not of this environment, would be kept out too.
    fn refuse_shared(&mut self, connector: &Resource<ConnectorSpec>) {
        let account = self.account;
        let Some(word) = &connector.spec.exclusive else { return };
        if let Some(other) = account.neighbours().next() {
            let message = format!(
                "`{}` has the same account, and its roles would be kept out of `{}`",
                other.name(),
                connector.name()
            );
            self.refuse::<()>(
                word.span,
                message,
                "give each environment an account, or leave `exclusive` out",
            );
        }
        for grant in account.input.grants.grants() {
            let aipolicy_compiler::ir::Object::Connector(id) = grant.decision.request.object else {
                continue;
            };
            let Some(base) = account.graph().resource(id) else { continue };
            let ConnectorKind::KnowledgeBase(found) = &base.spec.kind else { continue };
            let source =
                found.sources.iter().find(|source| source.name.value.as_str() == connector.name().as_str());
            if let Some(source) = source {
                let message =
                    format!("the role of knowledge base `{}` reads it too, and is not ours", base.name());
                let found =
                    rule::UNSUPPORTED.at(word.span, message, "").label(source.name.span, "its source");
                self.out.report(found.help("leave `exclusive` out"));
                return;
            }
        }
    }
}

/// The roles that were given an action on something of the resource, each with the origin of its grant.
fn users(held: &[Held], action: &str, begins: &str) -> BTreeMap<String, Origin> {
    let mut users = BTreeMap::new();
    for held in held {
        let allow = held.allows.iter().find(|allow| {
            allow.actions.contains(&action) && allow.resources.iter().any(|(arn, _)| arn.starts_with(begins))
        });
        if let Some(allow) = allow {
            users.entry(held.role.clone()).or_insert_with(|| allow.origin.clone());
        }
    }
    users
}
