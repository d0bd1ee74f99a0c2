//! Workloads on a cluster.

use aipolicy_compiler::ir::Object as Asked;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::source::Spanned;

use super::Writer;
use super::endpoint::Endpoint;
use super::identity::Holder;
use super::pod::Pod;
use super::reach::PROXY;
use super::site::{GATEWAYS, Running, Space};
use crate::origin::Origin;
use crate::tree::Tree;

impl<'w> Writer<'w> {
    /// The objects of a workload.
    pub(super) fn workload(&mut self, running: &'w Running<'w, WorkloadSpec>) {
        let spec = &running.resource.spec;
        let Some(space) = self.site.space(self.account, running.resource) else {
            let asked = spec.namespace.as_ref().map(|namespace| namespace.span);
            let span = asked.or(spec.cluster.as_ref().map(|cluster| cluster.name.span));
            let message = format!(
                "workload `{}` runs in a namespace that its tenant does not have here",
                running.name()
            );
            let help =
                "add it to `namespaces` of the tenant, and the cluster to its `clusters` if it has any";
            self.refuse::<()>(span.unwrap_or(spec.platform.span), message, help);
            return;
        };
        if let Some(named) = spec.uses.as_ref().and_then(|uses| uses.guardrail.as_ref()) {
            let message =
                "a manifest cannot tell a pod the id of a guardrail, which nobody knows before it is made";
            let help = "use `platform: lambda`, or `enforcedGuardrail` of the environment";
            self.refuse::<()>(named.name.span, message.to_owned(), help);
        }
        let what = format!("workload `{}`", running.name());
        let Some(image) = self.image(spec.image.as_ref(), (&what, running.resource.name_span())) else {
            return;
        };
        let holder =
            Holder { word: "workload", name: running.name(), namespace: space.name, origin: &running.origin };
        let namespace = self.address("Namespace", (None, space.name));
        let mut needs = self.account(&holder, &namespace);
        let port = self.port(running, space);
        let egress = self.egress(running);
        let ingress = port.map_or_else(Vec::new, |port| self.ingress_of_server(running, port.value));
        needs.extend(self.policy(&holder, &ingress, &egress));
        let pod = self.pod_of(running, (space, image), port);
        let deployment = self.deployment(&holder, pod);
        needs.extend(self.guards(space.name));
        needs.extend(self.bindings(space.name));
        let deployment = self.add(deployment.needs(needs));
        let budget = self.budget(&holder).needs([deployment.clone()]);
        self.add(budget);
        if let Some(port) = port
            && let Some(service) = self.serving(&holder, port.value, running.resource.name_span())
        {
            self.add(service.needs([deployment.clone()]));
            self.scrape_server(running, &holder, &deployment);
        }
        self.scaled(running, &holder, deployment);
    }

    /// The port of a workload that serves a model: that of the model's endpoint, which must be this very service.
    fn port(&mut self, running: &Running<'w, WorkloadSpec>, space: &Space<'_>) -> Option<Spanned<u16>> {
        let serves = running.resource.spec.serves.as_ref()?;
        let model = self.account.graph().get(&serves.model)?;
        let Some(address) = &model.spec.endpoint else {
            let message =
                format!("model `{}` has no endpoint for `{}` to serve", model.name(), running.name());
            return self.refuse(model.spec.model_id.span, message, "add `endpoint`");
        };
        let found = Endpoint::read(address.value.as_str());
        match found.as_ref().and_then(Endpoint::service) {
            Some((service, namespace)) if (service, namespace) == (running.name(), space.name) => {
                found.map(|found| Spanned { value: found.port, span: address.span })
            }
            _ => {
                let message =
                    format!("`{}` is not the service of workload `{}`", address.value, running.name());
                let help = format!("the service is `{}.{}.svc`", running.name(), space.name);
                self.refuse(address.span, message, &help)
            }
        }
    }

    fn pod_of<'p>(
        &self,
        running: &'p Running<'w, WorkloadSpec>,
        (space, image): (&Space<'_>, &'p Spanned<aipolicy_compiler::model::value::Text>),
        port: Option<Spanned<u16>>,
    ) -> Pod<'p> {
        let spec = &running.resource.spec;
        let mut container = Vec::new();
        let client = self.client(running);
        if !client.is_empty() {
            container.push(("env", Tree::list(client)));
        }
        if let Some(port) = port {
            let origin = Origin::written(port.span);
            let number = || Tree::integer(port.value).from(origin.clone());
            let listens = Tree::map([("name", Tree::text("http")), ("containerPort", number())]);
            container.push(("ports", Tree::list([listens])));
            let probe = Tree::map([("tcpSocket", Tree::map([("port", number())]))]);
            container.push(("readinessProbe", probe));
        }
        let tenant = Tree::text(space.tenant.name().as_str()).from(Origin::written(space.tenant.name_span()));
        let one = || Tree::integer(1).from(self.default("kubernetes.replicas"));
        let resources = spec.resources.as_ref();
        Pod {
            image,
            replicas: spec.scale.is_none().then(one),
            labels: vec![("aipolicy.dev/tenant".to_owned(), tenant)],
            annotations: Vec::new(),
            container,
            volumes: None,
            amounts: self.amounts(resources),
            architecture: resources.and_then(|found| found.architecture.as_ref()),
        }
    }

    /// Where a workload finds its gateway, and the secret with its key, under the names that OpenAI clients read. With
    /// several gateways there is no one address.
    fn client(&self, running: &Running<'w, WorkloadSpec>) -> Vec<Tree> {
        let graph = self.account.graph();
        let mut gateways: Vec<(&Running<'w, GatewaySpec>, Origin)> = Vec::new();
        for grant in &running.grants {
            let Asked::Route(route) = grant.decision.request.object else { continue };
            let Some(route) = graph.resource(route) else { continue };
            let Some(gateway) = self.site.gateway(&route.spec.gateway) else { continue };
            if gateways.iter().all(|(known, _)| known.id != gateway.id) {
                gateways.push((gateway, Origin::granted(*grant)));
            }
        }
        let [(gateway, origin)] = gateways.as_slice() else { return Vec::new() };
        let address = format!("http://{}.{GATEWAYS}.svc:{PROXY}/v1", gateway.name());
        let key = Tree::map([
            ("name", Tree::text(format!("{}-gateway-key", running.name()))),
            ("key", Tree::text("key")),
        ]);
        let address = [("name", Tree::text("OPENAI_BASE_URL")), ("value", Tree::text(address))];
        let secret = Tree::map([("secretKeyRef", key.from(self.default("kubernetes.gatewayKey")))]);
        let key = [("name", Tree::text("OPENAI_API_KEY")), ("valueFrom", secret)];
        [Tree::map(address), Tree::map(key)].map(|entry| entry.from(origin.clone())).to_vec()
    }
}
