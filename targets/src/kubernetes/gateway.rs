//! Gateways on a cluster: the proxy with the files that its dialect makes, and secrets by reference alone.

use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::rule;

use super::Writer;
use super::identity::Holder;
use super::network::Path;
use super::object::Object;
use super::pod::Pod;
use super::reach::PROXY;
use super::site::{GATEWAYS, Running};
use crate::artifact::digest;
use crate::gateway::Given;
use crate::origin::Origin;
use crate::tree::Tree;

/// The folder that the files of a gateway are in.
const FOLDER: &str = "/etc/aipolicy";

impl<'w> Writer<'w> {
    /// The namespace of gateways, and each gateway in it.
    pub(super) fn gateways(&mut self) {
        let site = self.site;
        let Some(first) = site.gateways.first() else { return };
        let object = self.namespace(GATEWAYS, &first.origin);
        let address = self.add(object);
        self.closed(GATEWAYS, (&address, &first.origin));
        for running in &site.gateways {
            self.gateway(running);
        }
        self.rules(&address);
    }

    fn gateway(&mut self, running: &'w Running<'w, GatewaySpec>) {
        let (spec, given) = (&running.resource.spec, &self.shared.given);
        // The target `gateway` refuses a dialect that this version does not compile.
        let Some(given) = given.get(&running.id) else { return };
        let what = format!("gateway `{}`", running.name());
        let Some(image) = self.image(spec.image.as_ref(), (&what, running.resource.name_span())) else {
            return;
        };
        let holder =
            Holder { word: "gateway", name: running.name(), namespace: GATEWAYS, origin: &running.origin };
        let home = self.address("Namespace", (None, GATEWAYS));
        let mut needs = self.account(&holder, &home);
        let config = Object::new(("v1", "ConfigMap"), running.name(), &running.origin).within(GATEWAYS);
        let files = Tree::map(given.files.iter().map(|(name, tree)| (*name, tree.clone())));
        let config = self.add(config.field("data", files).needs([home]));
        self.bound_size(given, running);
        let mut egress = self.egress(running);
        egress.extend(self.telemetry(running));
        let ingress = self.ingress_of_gateway(running);
        needs.extend(self.policy(&holder, &ingress, &egress));
        let pod = self.proxy(running, given, image);
        needs.push(config);
        needs.extend(self.guards(GATEWAYS));
        needs.extend(self.bindings(GATEWAYS));
        let deployment = self.deployment(&holder, pod).needs(needs);
        let deployment = self.add(deployment);
        self.scrape_gateway(running, &holder, &deployment);
        let budget = self.budget(&holder).needs([deployment.clone()]);
        self.add(budget);
        if let Some(service) = self.serving(&holder, PROXY, running.resource.name_span()) {
            self.add(service.needs([deployment]));
        }
    }

    /// A ConfigMap holds one mebibyte.
    fn bound_size(&mut self, given: &Given, running: &Running<'_, GatewaySpec>) {
        let size: usize = given.files.iter().filter_map(|(_, tree)| tree.as_text()).map(str::len).sum();
        let most = self.account.graph().catalog().limit("kubernetes.configMap").unwrap_or(0);
        if u64::try_from(size).is_ok_and(|size| size > most) {
            let message = format!(
                "the files of gateway `{}` have {size} bytes, and a ConfigMap takes {most}",
                running.name()
            );
            let found = rule::TARGET_LIMIT.at(running.resource.name_span(), message, "");
            self.out.report(found.help("spread the routes over several gateways"));
        }
    }

    /// The way to the collector of traces.
    fn telemetry(&mut self, running: &Running<'w, GatewaySpec>) -> Option<Path> {
        let address = running.resource.spec.telemetry.as_ref()?.otlp.as_ref()?;
        self.reach_address(address, &Origin::written(address.span))
    }

    fn proxy<'p>(
        &self,
        running: &'p Running<'w, GatewaySpec>,
        given: &Given,
        image: &'p aipolicy_compiler::source::Spanned<aipolicy_compiler::model::value::Text>,
    ) -> Pod<'p> {
        let spec = &running.resource.spec;
        let proxy = self.default("litellm.process");
        let replicas = spec.replicas.as_ref();
        let default = || Tree::integer(2).from(self.default("kubernetes.gatewayReplicas"));
        let written = |count: u32, origin| Tree::integer(count).from(origin);
        let replicas =
            replicas.map_or_else(default, |count| written(count.value.0, Origin::written(count.span)));
        let config = format!("{FOLDER}/config.yaml");
        let port = PROXY.to_string();
        let args = ["--config", &config, "--port", &port].map(Tree::text);
        let listens = Tree::map([("name", Tree::text("http")), ("containerPort", Tree::integer(PROXY))]);
        let mount = [
            ("name", Tree::text("config")),
            ("mountPath", Tree::text(FOLDER)),
            ("readOnly", Tree::bool(true)),
        ];
        let container = vec![
            ("args", Tree::list(args).from(proxy.clone())),
            ("env", self.environment(running, given)),
            ("ports", Tree::list([listens]).from(proxy.clone())),
            ("startupProbe", probe("/health/liveliness", 60).from(proxy.clone())),
            ("livenessProbe", probe("/health/liveliness", 3).from(proxy.clone())),
            ("readinessProbe", probe("/health/readiness", 3).from(proxy.clone())),
            ("volumeMounts", Tree::list([Tree::map(mount)]).from(proxy.clone())),
        ];
        let source = Tree::map([("name", Tree::text(running.name()))]);
        let volume = Tree::map([("name", Tree::text("config")), ("configMap", source)]);
        let texts: String = given.files.iter().filter_map(|(_, tree)| tree.as_text()).collect();
        let digest = Tree::text(digest(texts.as_bytes())).from(Origin::written(spec.dialect.span));
        let mut amounts = self.amounts(None);
        amounts.mebibytes = (1024, proxy.clone());
        Pod {
            image,
            replicas: Some(replicas),
            labels: Vec::new(),
            annotations: vec![("aipolicy.dev/config-digest".to_owned(), digest)],
            container,
            volumes: Some(Tree::list([volume]).from(proxy)),
            amounts,
            architecture: None,
        }
    }

    /// Variables of the proxy. What is secret is read from a Secret that somebody else keeps.
    fn environment(&self, running: &Running<'_, GatewaySpec>, given: &Given) -> Tree {
        let source = self.default("kubernetes.gatewayKeys");
        let secret = keys(running.name());
        let variable = |(name, origin): (&String, &Origin)| {
            let key =
                Tree::map([("name", Tree::text(&secret).from(source.clone())), ("key", Tree::text(name))]);
            let value = Tree::map([("secretKeyRef", key)]);
            Tree::map([("name", Tree::text(name)), ("valueFrom", value)]).from(origin.clone())
        };
        let mut variables: Vec<_> = given.secrets.iter().map(variable).collect();
        let telemetry = running.resource.spec.telemetry.as_ref();
        if let Some(address) = telemetry.and_then(|telemetry| telemetry.otlp.as_ref()) {
            let plain = [
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "otlp_http"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", address.value.as_str()),
            ];
            variables.extend(plain.map(|(name, value)| {
                let entry = Tree::map([("name", Tree::text(name)), ("value", Tree::text(value))]);
                entry.from(Origin::written(address.span))
            }));
        }
        Tree::list(variables)
    }
}

/// The Secret with the keys of a gateway.
pub(super) fn keys(gateway: &str) -> String {
    format!("{gateway}-keys")
}

/// Asks a path of the proxy; it takes a while to start.
fn probe(path: &str, failures: u32) -> Tree {
    let get = Tree::map([("path", Tree::text(path)), ("port", Tree::integer(PROXY))]);
    Tree::map([
        ("httpGet", get),
        ("periodSeconds", Tree::integer(5)),
        ("timeoutSeconds", Tree::integer(5)),
        ("failureThreshold", Tree::integer(failures)),
    ])
}
