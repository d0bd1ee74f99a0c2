//! Where the pods of a workload or gateway have to get to: what its grants imply, and nothing else.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Invocation, Object};
use aipolicy_compiler::model::cluster::ClusterIdentity;
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec};
use aipolicy_compiler::model::model::{ModelProvider, ModelSpec};
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::source::{Span, Spanned};

use super::Writer;
use super::endpoint::Endpoint;
use super::network::{Path, block, namespace, pods};
use super::site::{GATEWAYS, Running};
use crate::origin::Origin;
use crate::tree::Tree;

/// The port of the agent of EKS Pod Identity on every node, and its address for IPv4.
const POD_IDENTITY: (&str, u16) = ("169.254.170.23/32", 80);

/// The port of LiteLLM.
pub(super) const PROXY: u16 = 4000;

/// Services of AWS that are called, each by the name that its VPC endpoint has, with what asks for it.
type Services = BTreeMap<String, Origin>;

impl<'w> Writer<'w> {
    /// The way to everything that was granted.
    pub(super) fn egress<S>(&mut self, running: &Running<'w, S>) -> Vec<Path> {
        let mut paths = Vec::new();
        let mut services = Services::new();
        for grant in &running.grants {
            let origin = Origin::granted(*grant);
            match (&grant.decision.request.object, &grant.decision.request.circumstances) {
                (Object::Route(_), _) => paths.extend(self.reach_gateway(*grant)),
                (Object::Model(id), Circumstances::Invocation(call)) => {
                    paths.extend(self.reach_model(*id, (call, &origin), &mut services));
                }
                (Object::Connector(id), Circumstances::Connector { .. }) => {
                    paths.extend(self.reach_connector(*id, &origin, &mut services));
                }
                (_, Circumstances::Support("trigger")) => {
                    services.entry(self.service("sqs", self.site.region())).or_insert(origin);
                }
                _ => {}
            }
        }
        paths.extend(self.reach_services(services));
        let mut distinct: Vec<Path> = Vec::new();
        for path in paths {
            if !distinct.iter().any(|known| known.same(&path)) {
                distinct.push(path);
            }
        }
        distinct
    }

    fn reach_gateway(&mut self, grant: Grant<'w>) -> Option<Path> {
        let Object::Route(id) = grant.decision.request.object else { return None };
        let route = self.account.graph().resource(id)?;
        let Some(gateway) = self.site.gateway(&route.spec.gateway) else {
            let message = format!("route `{}` is served by a gateway outside of this cluster", route.name());
            let help = "a network policy cannot name it; use a route of a gateway on the same cluster";
            return self.refuse(grant.decision.request.span, message, help);
        };
        Some(Path::new(pods(GATEWAYS, gateway.name()), PROXY, Origin::granted(grant)))
    }

    fn reach_model(
        &mut self,
        id: Id<ModelSpec>,
        (call, origin): (&Invocation, &Origin),
        services: &mut Services,
    ) -> Option<Path> {
        let model = self.account.graph().resource(id)?;
        let service = match model.spec.provider.value {
            ModelProvider::Bedrock => "bedrock-runtime",
            ModelProvider::BedrockMantle => "bedrock-mantle",
            ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => {
                return self.reach_endpoint((id, model), origin);
            }
        };
        services.entry(self.service(service, &call.source)).or_insert_with(|| origin.clone());
        None
    }

    fn reach_endpoint(
        &mut self,
        (id, model): (Id<ModelSpec>, &Resource<ModelSpec>),
        origin: &Origin,
    ) -> Option<Path> {
        let Some(address) = &model.spec.endpoint else {
            let message = format!("model `{}` has no endpoint to let pods through to", model.name());
            return self.refuse(model.spec.model_id.span, message, "add `endpoint`");
        };
        let space = |server: &Running<'w, _>| {
            let space = self.site.space(self.account, server.resource)?;
            Some(pods(space.name, server.name()))
        };
        match self.site.server(id).and_then(space) {
            Some(peer) => {
                let port = Endpoint::read(address.value.as_str())?.port;
                Some(Path::new(peer, port, origin.clone()))
            }
            None => self.reach_address(address, origin),
        }
    }

    /// The way to an address inside of the cluster; any other is refused.
    pub(super) fn reach_address(&mut self, address: &Spanned<Text>, origin: &Origin) -> Option<Path> {
        let found = Endpoint::read(address.value.as_str());
        if let Some((service, port)) = found.as_ref().and_then(|found| Some((found.service()?, found.port))) {
            return Some(Path::new(namespace(service.1), port, origin.clone()));
        }
        let message = format!("a network policy cannot name `{}`", address.value);
        let help = "use the name of a service in the cluster, `http://service.namespace.svc:port`";
        self.refuse(address.span, message, help)
    }

    fn reach_connector(
        &mut self,
        id: Id<ConnectorSpec>,
        origin: &Origin,
        services: &mut Services,
    ) -> Option<Path> {
        let connector = self.account.graph().resource(id)?;
        let name = match &connector.spec.kind {
            ConnectorKind::S3(_) => "s3",
            ConnectorKind::DynamoDb(_) => "dynamodb",
            ConnectorKind::Lambda(_) => "lambda",
            ConnectorKind::SecretsManager(_) => "secretsmanager",
            ConnectorKind::OpenSearch(_) => "aoss",
            ConnectorKind::S3Vectors(_) => "s3vectors",
            ConnectorKind::KnowledgeBase(_) => "bedrock-agent-runtime",
            ConnectorKind::Sqs(_) => "sqs",
            ConnectorKind::StepFunctions(_) => "states",
            ConnectorKind::Http(tool) => return self.reach_address(&tool.url, origin),
            ConnectorKind::Mcp(server) => return self.reach_address(&server.url, origin),
        };
        let key = self.service(name, connector.spec.region.value.as_str());
        services.entry(key).or_insert_with(|| origin.clone());
        None
    }

    /// The name of a service among the endpoints of the environment; with its region where that is another one.
    fn service(&self, name: &str, region: &str) -> String {
        if region == self.site.region() { name.to_owned() } else { format!("{name}.{region}") }
    }

    /// The way to services of AWS, through the VPC endpoints that the environment names, and to the credentials.
    fn reach_services(&mut self, services: Services) -> Vec<Path> {
        let Some((_, first)) = services.first_key_value().map(|(name, origin)| (name, origin.clone())) else {
            return Vec::new();
        };
        let mut needed = services;
        if self.site.cluster.spec.identity.value == ClusterIdentity::Irsa {
            needed.entry("sts".to_owned()).or_insert_with(|| first.clone());
        }
        let network = self.account.environment.spec.network.as_ref();
        for (service, origin) in &needed {
            if network.is_none_or(|network| !network.endpoints.0.contains_key(service)) {
                let message = format!("the environment names no VPC endpoint for `{service}`");
                let help =
                    format!("add `{service}` to `network.endpoints`; pods reach AWS through endpoints alone");
                self.refuse::<()>(origin.span, message, &help);
            }
        }
        let ranges = network.map_or(&[][..], |network| network.endpoint_addresses.as_slice());
        if ranges.is_empty() {
            self.refuse_ranges(first.span);
            return Vec::new();
        }
        let blocks = ranges.iter().map(|range| block(range.value.as_str()).from(Origin::written(range.span)));
        let mut paths = vec![Path { peers: blocks.collect(), port: 443, origin: first }];
        paths.extend(self.reach_credentials());
        paths
    }

    fn refuse_ranges(&mut self, span: Span) {
        let message = "the environment does not say which addresses its VPC endpoints have";
        self.refuse::<()>(span, message, "add `network.endpointAddresses`, the ranges of their subnets");
    }

    fn reach_credentials(&self) -> Option<Path> {
        let origin = self.default("kubernetes.podIdentityAgent");
        let (address, port) = POD_IDENTITY;
        let agent: Tree = block(address);
        (self.site.cluster.spec.identity.value == ClusterIdentity::PodIdentity)
            .then(|| Path::new(agent, port, origin))
    }
}
