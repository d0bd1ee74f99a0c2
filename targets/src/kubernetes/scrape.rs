//! Objects for a Prometheus that its operator runs: whose pods it reads metrics of, and the rules that it evaluates. They
//! are in our own namespaces, so that nothing of ours is in that of Prometheus.
//!
//! Source: Prometheus operator 0.92.0, `monitoring.coreos.com/v1`.

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::model::cluster::PrometheusOperator;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use super::Writer;
use super::gateway::keys;
use super::identity::Holder;
use super::object::Object;
use super::site::{GATEWAYS, Running};
use super::space::labels;
use crate::artifact::{Address, Format, written};
use crate::gateway::METRICS_KEY;
use crate::observability::Rules;
use crate::origin::Origin;
use crate::tree::Tree;

const API: &str = "monitoring.coreos.com/v1";
/// The longest name of an object, as Prometheus makes a label of it.
const NAME: usize = 63;

impl<'w> Writer<'w> {
    fn operator(&self) -> Option<&'w PrometheusOperator> {
        self.site.cluster.spec.prometheus_operator.as_ref()
    }

    /// Has Prometheus read the metrics of a gateway, with a key that opens nothing else.
    pub(super) fn scrape_gateway(
        &mut self,
        running: &Running<'w, GatewaySpec>,
        holder: &Holder<'_>,
        deployment: &Address,
    ) {
        let telemetry = running.resource.spec.telemetry.as_ref();
        let Some(asked) = telemetry.and_then(|found| found.prometheus.as_ref()).filter(|word| word.value)
        else {
            return;
        };
        let key = Tree::map([("name", Tree::text(keys(holder.name))), ("key", Tree::text(METRICS_KEY))]);
        let credentials = Tree::map([("credentials", key.from(self.default("kubernetes.gatewayKeys")))]);
        let endpoint = [
            ("port", Tree::text("http")),
            // LiteLLM answers elsewhere with a redirect.
            ("path", Tree::text("/metrics/")),
            ("authorization", credentials),
        ];
        let endpoint = Tree::map(endpoint).from(self.default("litellm.metrics"));
        self.monitor(holder, (endpoint, &Origin::written(asked.span)), deployment);
    }

    /// Has Prometheus read the metrics of a workload that serves a model, where autoscaling follows them.
    pub(super) fn scrape_server(
        &mut self,
        running: &Running<'w, WorkloadSpec>,
        holder: &Holder<'_>,
        deployment: &Address,
    ) {
        let Some(scale) = &running.resource.spec.scale else { return };
        let endpoint = Tree::map([("port", Tree::text("http")), ("path", Tree::text("/metrics"))]);
        let endpoint = endpoint.from(self.default("kubernetes.metrics"));
        self.monitor(holder, (endpoint, &Origin::written(scale.min.span)), deployment);
    }

    fn monitor(&mut self, holder: &Holder<'_>, (endpoint, origin): (Tree, &Origin), deployment: &Address) {
        let Some(operator) = self.operator() else { return };
        let object = Object::new((API, "PodMonitor"), holder.name, origin).within(holder.namespace);
        let object = self.selected(object, operator).needs([deployment.clone()]);
        let selector = labels("app.kubernetes.io/name", holder.name);
        let spec = [("selector", selector), ("podMetricsEndpoints", Tree::list([endpoint]))];
        self.add(object.spec(spec));
    }

    /// The rules of the environment, an object for each group.
    pub(super) fn rules(&mut self, namespace: &Address) {
        let shared = self.shared;
        let (Some(operator), Some(rules)) = (self.operator(), &shared.rules) else { return };
        self.note_gateways_elsewhere(operator, rules);
        for (word, group) in &rules.groups {
            let name = self.account.name(&[word], NAME);
            let spec = Tree::map([("groups", Tree::list([group.clone()]))]);
            self.bound_rules(operator, (word, &spec));
            let origin = Origin::written(operator.namespace.span);
            let object = Object::new((API, "PrometheusRule"), name, &origin).within(GATEWAYS);
            let object = self.selected(object, operator).needs([namespace.clone()]);
            self.add(object.field("spec", spec));
        }
    }

    /// The labels by which Prometheus selects an object.
    fn selected(&mut self, mut object: Object, operator: &PrometheusOperator) -> Object {
        for (key, value) in &operator.labels.0 {
            if is_label(key, value.value.as_str()) && !is_ours(key) {
                object =
                    object.label(key, Tree::text(value.value.as_str()).from(Origin::written(value.span)));
            }
        }
        object
    }

    /// Reports labels that no object can have, or that say whose an object is.
    pub(super) fn check_labels(&mut self) {
        let Some(operator) = self.operator() else { return };
        for (key, value) in &operator.labels.0 {
            self.check_label(key, value);
        }
    }

    fn check_label(&mut self, key: &str, value: &Spanned<aipolicy_compiler::model::value::Text>) {
        let text = value.value.as_str();
        if !is_label(key, text) {
            let message = format!("`{key}: {text}` is no label of Kubernetes");
            let help = "use letters, digits, `-`, `_` and `.`, at most 63, and for the key a domain with `/` before it";
            self.refuse::<()>(value.span, message, help);
        } else if is_ours(key) {
            self.refuse::<()>(
                value.span,
                format!("`{key}` says whose an object is"),
                "select by another label",
            );
        }
    }

    /// The operator puts the rules of an object into one ConfigMap.
    fn bound_rules(&mut self, operator: &PrometheusOperator, (word, spec): (&str, &Tree)) {
        let size = written(Format::Yaml, spec).len();
        let most = self.account.graph().catalog().limit("prometheusOperator.ruleFile").unwrap_or(0);
        if u64::try_from(size).is_ok_and(|size| size > most) {
            let message =
                format!("the rules `{word}` have {size} bytes, and the operator takes {most} in one object");
            let found = rule::TARGET_LIMIT.at(operator.namespace.span, message, "");
            self.out
                .report(found.help("leave `prometheusOperator` out, and give Prometheus the file of rules"));
        }
    }

    /// Rules sum over all gateways of the environment, whose metrics have to reach the Prometheus that evaluates them.
    fn note_gateways_elsewhere(&mut self, operator: &PrometheusOperator, rules: &Rules<'_>) {
        let here = |name: &str| self.site.gateways.iter().any(|running| running.name() == name);
        let names = rules.gateways.iter().map(|gateway| gateway.name().as_str());
        let elsewhere: Vec<_> = names.filter(|name| !here(name)).map(|name| format!("`{name}`")).collect();
        if elsewhere.is_empty() {
            return;
        }
        let message = format!(
            "rules on `{}` are also about {}, whose metrics nothing brings there",
            self.site.name(),
            elsewhere.join(", ")
        );
        let found =
            rule::APPROXIMATED.at(operator.namespace.span, message, "this Prometheus evaluates the rules");
        self.out.report(Diagnostic { severity: Severity::Note, ..found });
    }
}

/// Whether a label says whose an object is.
fn is_ours(key: &str) -> bool {
    key.starts_with("aipolicy.dev/") || key == "app.kubernetes.io/managed-by"
}

/// Whether a key and a value are a label. Source: Kubernetes, labels and selectors, syntax and character set.
fn is_label(key: &str, value: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_word = |text: &str| {
        let bytes = text.as_bytes();
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
    };
    let is_domain = |text: &str| {
        let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let part = |part: &str| {
            let bytes = part.as_bytes();
            edge(bytes.first()) && edge(bytes.last()) && part.bytes().all(small)
        };
        text.len() <= 253 && text.split('.').all(part)
    };
    let is_key = match key.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_word(name),
        None => is_word(key),
    };
    is_key && is_word(value)
}
