//! Autoscaling with KEDA: what the number of instances follows, what holds without metrics, and the most that is paid for.

use aipolicy_compiler::model::value::{Count, Text};
use aipolicy_compiler::model::workload::{Consumes, Scale, ScaleMetric, WorkloadSpec};
use aipolicy_compiler::source::{Span, Spanned};

use super::Writer;
use super::identity::Holder;
use super::object::Object;
use super::site::Running;
use crate::artifact::Address;
use crate::capacity::{Capacity, Term};
use crate::origin::Origin;
use crate::tree::Tree;

const KEDA: &str = "keda.sh/v1alpha1";

/// One thing that the number of instances follows.
struct Trigger {
    name: &'static str,
    kind: &'static str,
    metadata: Vec<(&'static str, Tree)>,
    /// Whether it needs an identity.
    authenticated: bool,
    /// How many instances it asks for, as an expression.
    wanted: String,
    origin: Origin,
}

impl<'w> Writer<'w> {
    /// The most instances of a workload, or what it has without an autoscaler.
    pub(super) fn most(&self, running: &Running<'w, WorkloadSpec>) -> u64 {
        let Some(scale) = &running.resource.spec.scale else { return 1 };
        let least = u64::from(scale.min.value.0);
        self.terms(running).iter().map(|term| term.most).min().unwrap_or(least).max(least)
    }

    /// Every bound of a workload.
    fn terms(&self, running: &Running<'w, WorkloadSpec>) -> Vec<Term> {
        let capacity =
            Capacity { account: self.account, spec: &running.resource.spec, grants: &running.grants };
        capacity.terms()
    }

    /// The autoscaler of a workload, if it has one.
    pub(super) fn scaled(
        &mut self,
        running: &Running<'w, WorkloadSpec>,
        holder: &Holder<'_>,
        deployment: Address,
    ) {
        let Some(scale) = &running.resource.spec.scale else { return };
        let mut triggers = Vec::new();
        for metric in &scale.metrics {
            triggers.extend(self.trigger(running, holder, metric));
        }
        if triggers.is_empty() || triggers.len() < scale.metrics.len() {
            return;
        }
        let terms = self.terms(running);
        let Some(most) = self.bounded(scale, running.name(), &terms) else { return };
        if triggers.iter().any(|trigger| trigger.wanted.contains("instances")) {
            triggers.push(self.instances(holder));
        }
        let mut needs = vec![deployment];
        if triggers.iter().any(|trigger| trigger.authenticated) {
            needs.push(self.authentication(holder));
        }
        let mut object =
            Object::new((KEDA, "ScaledObject"), holder.name, holder.origin).within(holder.namespace);
        for term in &terms {
            let told = Tree::text(&term.told).from(Origin::written(term.span));
            object = object.annotate(&format!("aipolicy.dev/most-by-{}", key(&terms, term)), told);
        }
        let spec = self.spec(scale, (holder.name, most), &triggers);
        self.add(object.spec(spec).needs(needs));
    }

    /// The most instances; reports where it cannot be computed, or is less than what is asked for.
    fn bounded<'t>(&mut self, scale: &Scale, name: &str, terms: &'t [Term]) -> Option<&'t Term> {
        let Some(most) = terms.iter().min_by_key(|term| term.most) else {
            let message = format!("the most instances of `{name}` cannot be computed");
            let help =
                "give the tenant a quota, and a metric `tokensPerSecond` or routes with caps and a timeout";
            return self.refuse(scale.min.span, message, help);
        };
        let wanted = [Some(&scale.min), scale.fallback_replicas.as_ref()];
        for count in wanted.into_iter().flatten().filter(|count| u64::from(count.value.0) > most.most) {
            let message = format!(
                "`{name}` cannot have {} instances: its {} keeps {} busy",
                count.value.0, most.by, most.most
            );
            let found = aipolicy_compiler::rule::UNSUPPORTED.at(count.span, message, "");
            let found = found.label(most.span, "this bounds it").note(most.told.clone());
            self.out.report(found.help("ask for fewer, or raise the bound"));
        }
        (most.most > 0).then_some(most)
    }

    fn spec(
        &self,
        scale: &Scale,
        (name, most): (&str, &Term),
        triggers: &[Trigger],
    ) -> Vec<(&'static str, Tree)> {
        let keda = self.default("kubernetes.scale");
        let count = |count: &Spanned<Count>| Tree::integer(count.value.0).from(Origin::written(count.span));
        let target = [("apiVersion", "apps/v1"), ("kind", "Deployment"), ("name", name)];
        let target = Tree::map(target.map(|(key, value)| (key, Tree::text(value))));
        let mut spec = vec![
            ("scaleTargetRef", target),
            ("minReplicaCount", count(&scale.min)),
            ("maxReplicaCount", Tree::integer(most.most).from(Origin::written(most.span))),
        ];
        if let Some(replicas) = &scale.fallback_replicas {
            let fallback = Tree::map([
                ("failureThreshold", Tree::integer(3)),
                ("replicas", count(replicas)),
                ("behavior", Tree::text("currentReplicasIfHigher")),
            ]);
            spec.push(("fallback", fallback.from(keda.clone())));
        }
        let down = Tree::map([("stabilizationWindowSeconds", Tree::integer(300))]);
        let behavior = Tree::map([("scaleDown", down)]);
        let autoscaler = [("name", Tree::text(name)), ("behavior", behavior)];
        let mut advanced = vec![("horizontalPodAutoscalerConfig", Tree::map(autoscaler))];
        if let Some(formula) = formula(triggers) {
            let modifiers = [("formula", formula.as_str()), ("target", "1"), ("metricType", "AverageValue")];
            let modifiers = modifiers.map(|(key, value)| (key, Tree::text(value)));
            advanced.push(("scalingModifiers", Tree::map(modifiers)));
        }
        spec.push(("advanced", Tree::map(advanced).from(keda)));
        spec.push(("triggers", Tree::list(triggers.iter().map(|trigger| trigger.tree(name)))));
        spec
    }

    fn trigger(
        &mut self,
        running: &Running<'w, WorkloadSpec>,
        holder: &Holder<'_>,
        metric: &ScaleMetric,
    ) -> Option<Trigger> {
        let serves = running.resource.spec.serves.as_ref();
        let model = serves.and_then(|serves| self.account.graph().get(&serves.model));
        let model = model.map(|model| &model.spec.model_id.value);
        let tenant = running.resource.spec.tenant.name.value.as_str();
        match metric {
            ScaleMetric::TokensPerSecond(rate) => {
                let count = self.positive(rate)?;
                let sum = match model {
                    Some(model) => format!("gen_ai_client_token_usage_sum{}", served(holder, model)),
                    None => format!("litellm_total_tokens_metric_total{{team={}}}", quoted(tenant)),
                };
                let query = format!("sum(rate({sum}[2m]))");
                self.prometheus(
                    ("tokens", rate.span),
                    query,
                    (count.to_string(), format!("tokens / {count}")),
                )
            }
            ScaleMetric::P95(latency) => {
                let (name, labels) = match model {
                    Some(model) => ("gen_ai_server_request_duration_seconds", served(holder, model)),
                    None => ("litellm_request_total_latency_metric", format!("{{team={}}}", quoted(tenant))),
                };
                let quantile =
                    format!("histogram_quantile(0.95, sum by (le) (rate({name}_bucket{labels}[5m])))");
                // Without requests the quantile is no number; that is no load, and not a failure to measure.
                let query = format!("({quantile} >= 0) or (sum(rate({name}_count{labels}[5m])) * 0)");
                let seconds = seconds(latency.value.milliseconds());
                let wanted = format!("p95 / {seconds} * instances");
                self.prometheus(("p95", latency.span), query, (seconds, wanted))
            }
            ScaleMetric::QueueDepth(depth) => self.queue(running, depth),
        }
    }

    /// A count that something is divided by.
    fn positive(&mut self, count: &Spanned<Count>) -> Option<u32> {
        if count.value.0 > 0 {
            return Some(count.value.0);
        }
        self.refuse(count.span, "no instance can keep up with zero", "write what one instance can do")
    }

    fn prometheus(
        &mut self,
        (name, span): (&'static str, Span),
        query: String,
        (threshold, wanted): (String, String),
    ) -> Option<Trigger> {
        let Some(address) = &self.site.cluster.spec.prometheus else {
            let message = format!("cluster `{}` names no Prometheus to ask", self.site.name());
            return self.refuse(span, message, "add `prometheus` to the cluster");
        };
        let metric = self.default("kubernetes.metrics");
        let metadata = vec![
            ("serverAddress", Tree::text(address.value.as_str()).from(Origin::written(address.span))),
            ("query", Tree::text(query).from(metric.clone())),
            ("threshold", Tree::text(threshold)),
            ("ignoreNullValues", Tree::text("false").from(metric)),
        ];
        let origin = Origin::written(span);
        Some(Trigger { name, kind: "prometheus", metadata, authenticated: false, wanted, origin })
    }

    /// The queue that a workload takes its work from. KEDA looks at it with its own identity, which we do not grant.
    fn queue(&mut self, running: &Running<'w, WorkloadSpec>, depth: &Spanned<Count>) -> Option<Trigger> {
        let Some(Consumes::Sqs(queue)) = &running.resource.spec.consumes else {
            let message = format!("`{}` consumes no queue", running.name());
            return self.refuse(depth.span, message, "add `consumes`, or follow another metric");
        };
        let count = self.positive(depth)?;
        let address = self.queue_address(queue)?;
        let message = format!("KEDA asks for the depth of queue `{}` with its own role", queue.value);
        let found = aipolicy_compiler::rule::APPROXIMATED.at(depth.span, message, "");
        let found = found.help("let the role of the KEDA operator use `sqs:GetQueueAttributes` on it");
        self.out.report(aipolicy_compiler::diagnostic::Diagnostic {
            severity: aipolicy_compiler::diagnostic::Severity::Note,
            ..found
        });
        let region = &self.site.cluster.spec.region;
        let metadata = vec![
            ("queueURL", Tree::text(address).from(Origin::written(queue.span))),
            ("queueLength", Tree::text(count.to_string())),
            ("awsRegion", Tree::text(region.value.as_str()).from(Origin::written(region.span))),
        ];
        let origin = Origin::written(depth.span);
        let wanted = format!("queue / {count}");
        let authenticated = true;
        Some(Trigger { name: "queue", kind: "aws-sqs-queue", metadata, authenticated, wanted, origin })
    }

    /// The address of a queue in the account. A name holds letters, digits, `-` and `_`, and may end in `.fifo`.
    fn queue_address(&mut self, queue: &Spanned<Text>) -> Option<String> {
        let name = queue.value.as_str();
        let stem = name.strip_suffix(".fifo").unwrap_or(name);
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.len() > 80 || stem.is_empty() || !stem.bytes().all(letter) {
            let message = format!("`{name}` is not the name of an SQS queue");
            return self.refuse(queue.span, message, "correct the name");
        }
        let domain = match self.account.partition {
            aipolicy_iam::Partition::Aws | aipolicy_iam::Partition::AwsUsGov => "amazonaws.com",
            aipolicy_iam::Partition::AwsCn => "amazonaws.com.cn",
            aipolicy_iam::Partition::AwsEusc => "amazonaws.eu",
        };
        Some(format!("https://sqs.{}.{domain}/{}/{name}", self.site.region(), self.account.id()))
    }

    /// How many instances there are: what a ratio is multiplied with.
    fn instances(&self, holder: &Holder<'_>) -> Trigger {
        let selector = format!("app.kubernetes.io/name={}", holder.name);
        Trigger {
            name: "instances",
            kind: "kubernetes-workload",
            metadata: vec![("podSelector", Tree::text(selector)), ("value", Tree::text("1"))],
            authenticated: false,
            wanted: String::new(),
            origin: self.default("kubernetes.scale"),
        }
    }

    /// KEDA uses its own identity.
    fn authentication(&mut self, holder: &Holder<'_>) -> Address {
        let identity = Tree::map([("provider", Tree::text("aws"))]);
        let object = Object::new((KEDA, "TriggerAuthentication"), holder.name, holder.origin);
        let object = object.within(holder.namespace).spec([("podIdentity", identity)]);
        let namespace = self.address("Namespace", (None, holder.namespace));
        self.add(object.needs([namespace]))
    }
}

impl Trigger {
    fn tree(&self, name: &str) -> Tree {
        let mut entries = vec![
            ("type", Tree::text(self.kind)),
            ("name", Tree::text(self.name)),
            ("metricType", Tree::text("AverageValue")),
            ("metadata", Tree::map(self.metadata.clone())),
        ];
        if self.authenticated {
            entries.push(("authenticationRef", Tree::map([("name", Tree::text(name))])));
        }
        Tree::map(entries).from(self.origin.clone())
    }
}

/// The most instances that any of several metrics asks for. One alone needs no formula, unless it is a ratio.
fn formula(triggers: &[Trigger]) -> Option<String> {
    let wanted: Vec<_> =
        triggers.iter().map(|trigger| trigger.wanted.as_str()).filter(|wanted| !wanted.is_empty()).collect();
    match wanted.as_slice() {
        [] => None,
        [one] => (triggers.len() > 1).then(|| (*one).to_owned()),
        many => Some(format!("max({})", many.join(", "))),
    }
}

/// A string of PromQL.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The labels of a server's own metrics.
fn served(holder: &Holder<'_>, model: &Text) -> String {
    format!("{{namespace={},gen_ai_request_model={}}}", quoted(holder.namespace), quoted(model.as_str()))
}

/// Seconds with three decimals where there are any.
fn seconds(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => (milliseconds / 1000).to_string(),
        rest => format!("{}.{rest:03}", milliseconds / 1000),
    }
}

/// The name of a bound; numbered where several are of one kind.
fn key(terms: &[Term], term: &Term) -> String {
    let alike: Vec<_> = terms.iter().filter(|other| other.by == term.by).collect();
    match alike.iter().position(|other| other.span == term.span) {
        Some(at) if at > 0 => format!("{}-{}", term.by, at + 1),
        _ => term.by.to_owned(),
    }
}
