//! Network policies: who may reach the pods of a workload or gateway, and what they may reach.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::workload::WorkloadSpec;

use super::Writer;
use super::endpoint::Endpoint;
use super::identity::Holder;
use super::object::Object;
use super::reach::PROXY;
use super::site::Running;
use super::space::labels;
use crate::artifact::Address;
use crate::origin::Origin;
use crate::tree::Tree;

/// A way between pods and others, over TCP.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) peers: Vec<Tree>,
    pub(super) port: u16,
    pub(super) origin: Origin,
}

impl Path {
    pub(super) fn new(peer: Tree, port: u16, origin: Origin) -> Self {
        Self { peers: vec![peer], port, origin }
    }

    /// Whether both lead to the same place.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.peers == other.peers && self.port == other.port
    }

    fn rule(&self, direction: &'static str) -> Tree {
        let port = Tree::map([("protocol", Tree::text("TCP")), ("port", Tree::integer(self.port))]);
        let rule = Tree::map([(direction, Tree::list(self.peers.clone())), ("ports", Tree::list([port]))]);
        rule.from(self.origin.clone())
    }
}

/// The pods of a workload or gateway.
pub(super) fn pods(namespace: &str, name: &str) -> Tree {
    Tree::map([
        ("namespaceSelector", labels("kubernetes.io/metadata.name", namespace)),
        ("podSelector", labels("app.kubernetes.io/name", name)),
    ])
}

/// All pods of a namespace.
pub(super) fn namespace(name: &str) -> Tree {
    Tree::map([("namespaceSelector", labels("kubernetes.io/metadata.name", name))])
}

/// A range of addresses.
pub(super) fn block(range: &str) -> Tree {
    Tree::map([("ipBlock", Tree::map([("cidr", Tree::text(range))]))])
}

/// The way from a workload or gateway that was granted it.
fn called((namespace, name, grant): (&str, &str, Grant<'_>), port: u16) -> Path {
    Path::new(pods(namespace, name), port, Origin::granted(grant))
}

impl<'w> Writer<'w> {
    /// The policy of the pods of a workload or gateway; without one, the namespace stays closed to them.
    pub(super) fn policy(
        &mut self,
        holder: &Holder<'_>,
        ingress: &[Path],
        egress: &[Path],
    ) -> Option<Address> {
        let mut types = Vec::new();
        let mut spec = vec![("podSelector", labels("app.kubernetes.io/name", holder.name))];
        let mut rules = Vec::new();
        for (kind, key, direction, paths) in
            [("Ingress", "ingress", "from", ingress), ("Egress", "egress", "to", egress)]
        {
            if !paths.is_empty() {
                types.push(Tree::text(kind));
                rules.push((key, Tree::list(paths.iter().map(|path| path.rule(direction)))));
            }
        }
        if rules.is_empty() {
            return None;
        }
        spec.push(("policyTypes", Tree::list(types)));
        spec.extend(rules);
        let object = Object::new(("networking.k8s.io/v1", "NetworkPolicy"), holder.name, holder.origin);
        let namespace: Address = self.address("Namespace", (None, holder.namespace));
        Some(self.add(object.within(holder.namespace).spec(spec).needs([namespace])))
    }

    /// Who may call a workload that serves a model: those that were granted the model, and whoever reads its metrics.
    pub(super) fn ingress_of_server(&mut self, running: &Running<'w, WorkloadSpec>, port: u16) -> Vec<Path> {
        let Some(model) = running.resource.spec.serves.as_ref().and_then(|serves| serves.model.id()) else {
            return Vec::new();
        };
        let callers = self.site.callers(self.account, model);
        let mut paths: Vec<_> = callers.into_iter().map(|caller| called(caller, port)).collect();
        if running.resource.spec.scale.is_some() {
            paths.extend(self.scraped(port));
        }
        paths
    }

    /// Who may call a gateway: workloads that were granted one of its routes, and the callers that it names.
    pub(super) fn ingress_of_gateway(&mut self, running: &Running<'w, GatewaySpec>) -> Vec<Path> {
        let clients = self.site.clients(self.account, running.id);
        let mut paths: Vec<_> = clients.into_iter().map(|client| called(client, PROXY)).collect();
        let spec = &running.resource.spec;
        for range in &spec.callers {
            paths.push(Path::new(block(range.value.as_str()), PROXY, Origin::written(range.span)));
        }
        let telemetry = spec.telemetry.as_ref().and_then(|telemetry| telemetry.prometheus.as_ref());
        if telemetry.is_some_and(|word| word.value) {
            paths.extend(self.scraped(PROXY));
        }
        paths
    }

    /// The way from the Prometheus of the cluster, if that is in the cluster.
    fn scraped(&self, port: u16) -> Option<Path> {
        if let Some(operator) = &self.site.cluster.spec.prometheus_operator {
            let from = namespace(operator.namespace.value.as_str());
            return Some(Path::new(from, port, Origin::written(operator.namespace.span)));
        }
        let address = self.site.cluster.spec.prometheus.as_ref()?;
        let (_, from) = Endpoint::read(address.value.as_str())?.service()?;
        Some(Path::new(namespace(from), port, Origin::written(address.span)))
    }
}
