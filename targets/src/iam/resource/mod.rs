//! Policies of resources, computed from what roles were given, so that they allow nothing that no grant asked for.
//!
//! Where the environment says that they are ours, they are written whole: those of VPC endpoints, buckets and secrets.
//! What the keys and buckets of others have to say is put down for whoever has them.

mod bucket;
mod endpoint;
mod guard;
mod key;
mod log;
mod shared;

use std::collections::BTreeSet;

use aipolicy_compiler::ir::{Object, Principal};
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::workload::Platform;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::Writer;
use super::policy::Allow;
use super::statement::{Statement, Who};
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::request::{Members, Request};
use crate::tree::Tree;

/// A role, and what it was given.
pub(super) struct Held {
    /// Its ARN.
    role: String,
    /// Where its calls come from, where they may come through the network of the environment.
    home: Option<Home>,
    allows: Vec<Allow>,
}

/// Where the calls of a role come from.
enum Home {
    /// Pods of a cluster in this region.
    Pod(String),
    /// Tasks of ECS in this region.
    Task(String),
}

impl Writer<'_> {
    /// Notes what a role was given.
    pub(super) fn hold(&mut self, role: &str, allows: &[Allow]) {
        let held = Held { role: self.account.role_arn(role), home: self.home(), allows: allows.to_vec() };
        self.held.push(held);
    }

    /// Where the principal itself calls from. Services that act for an agent are outside of every network.
    fn home(&self) -> Option<Home> {
        let graph = self.account.graph();
        match self.principal {
            Principal::Workload(id) => {
                let workload = graph.resource(id)?;
                let cluster = workload.spec.cluster.as_ref().and_then(|cluster| graph.get(cluster))?;
                let region = cluster.spec.region.value.as_str().to_owned();
                (workload.spec.platform.value == Platform::Eks).then_some(Home::Pod(region))
            }
            Principal::Gateway(id) => {
                let gateway = graph.resource(id)?;
                let cluster = gateway.spec.cluster.as_ref().and_then(|cluster| graph.get(cluster));
                Some(match cluster {
                    Some(cluster) => Home::Pod(cluster.spec.region.value.as_str().to_owned()),
                    None => Home::Task(gateway.spec.region.value.as_str().to_owned()),
                })
            }
            Principal::Agent(_) | Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => {
                None
            }
        }
    }

    /// The policies of resources, from what all roles hold.
    pub(super) fn resources(&mut self, held: &[Held]) -> Vec<Artifact> {
        self.check_exclusive();
        let mut artifacts = self.endpoints(held);
        artifacts.extend(self.buckets(held));
        artifacts.extend(self.secrets(held));
        artifacts.extend(self.keys(held));
        artifacts
    }

    /// A policy that was promised to be exclusive has to be ours.
    fn check_exclusive(&mut self) {
        let account = self.account;
        let graph = account.graph();
        let policies = account.environment.spec.resource_policies.iter();
        let ours: Vec<_> =
            policies.flat_map(|policies| &policies.connectors).filter_map(|named| named.id()).collect();
        let mut seen = BTreeSet::new();
        for grant in account.input.grants.grants() {
            let Object::Connector(id) = grant.decision.request.object else { continue };
            let Some(connector) = graph.resource(id).filter(|_| seen.insert(id)) else { continue };
            let Some(word) = connector.spec.exclusive.as_ref().filter(|word| word.value) else { continue };
            let name = connector.name();
            let (message, help) = match &connector.spec.kind {
                ConnectorKind::S3(_) | ConnectorKind::SecretsManager(_) if ours.contains(&id) => continue,
                ConnectorKind::S3(_) | ConnectorKind::SecretsManager(_) => (
                    format!("nothing keeps others from `{name}` in `{}`", account.environment.name()),
                    "name it in `resourcePolicies.connectors` of the environment",
                ),
                ConnectorKind::DynamoDb(_)
                | ConnectorKind::Lambda(_)
                | ConnectorKind::OpenSearch(_)
                | ConnectorKind::S3Vectors(_)
                | ConnectorKind::KnowledgeBase(_)
                | ConnectorKind::Sqs(_)
                | ConnectorKind::StepFunctions(_)
                | ConnectorKind::Http(_)
                | ConnectorKind::Mcp(_) => (
                    format!("nothing keeps others from `{name}`: its policy is not written by us"),
                    "leave `exclusive` out",
                ),
            };
            self.refuse::<()>(word.span, message, help);
        }
    }

    /// Reports a policy that is larger than its resource takes.
    fn check_policy_size(&mut self, (size, most): (usize, usize), span: Span) -> bool {
        if size > most {
            let message = format!("the policy of this resource has {size} characters, and AWS takes {most}");
            let help = "leave it out of `resourcePolicies`, or split the environment";
            self.out.report(rule::POLICY_SIZE.at(span, message, "").help(help));
        }
        size <= most
    }

    /// Reports a resource whose policy two environments of an account would write.
    fn refuse_two_writers(&mut self, what: &str, (own, other): (Span, Span), name: &str) {
        let message = format!("`{name}` writes the policy of `{what}` too");
        let found = rule::NAME_COLLISION.at(own, message, "this one").label(other, "and this one");
        self.out.report(found.help("let one environment of an account write it"));
    }
}

/// Something that everybody is denied, under the conditions that are added.
fn denial(
    sid: impl Into<String>,
    actions: &[&str],
    resources: Vec<(String, Origin)>,
    origin: Origin,
) -> Statement {
    Statement::denial(sid, actions, resources, origin).about(Who::Everybody)
}

/// The whole policy of a resource, as the request that sets it.
fn whole(
    (kind, name): (&str, String),
    region: (String, Origin),
    members: Members,
    origin: &Origin,
) -> Artifact {
    let address = Address { target: "iam".into(), kind: kind.into(), name };
    Request { address, region, members, needs: Vec::new() }.artifact(origin)
}

/// What the policy of somebody else's resource has to say. It is no request, since that policy says more.
fn part((kind, name): (&str, String), members: Members, origin: &Origin) -> Artifact {
    let address = Address { target: "iam".into(), kind: kind.into(), name };
    Artifact::new(address, Format::Json, &Tree::map(members).from(origin.clone()))
}
