//! A tenant's namespace: closed by default, bounded by what its workloads take, and read by its people.

use std::borrow::Cow;

use super::Writer;
use super::amount::{GPU, mebibytes, millis};
use super::object::Object;
use super::site::Space;
use crate::artifact::Address;
use crate::origin::Origin;
use crate::tree::Tree;

/// What all workloads of a namespace take together.
#[derive(Default)]
struct Sum {
    millis: u64,
    mebibytes: u64,
    gpus: u64,
    pods: u64,
    largest: u64,
}

impl<'w> Writer<'w> {
    /// The objects of a namespace that are there before anything runs in it.
    pub(super) fn space(&mut self, space: &'w Space<'w>) {
        let tenant =
            || Tree::text(space.tenant.name().as_str()).from(Origin::written(space.tenant.name_span()));
        let namespace = self.namespace(space.name, &space.origin);
        let namespace = namespace.label("aipolicy.dev/tenant", tenant());
        let namespace = self.add(namespace.label("aipolicy.dev/data-class", Tree::text(space.class)));
        self.closed(space.name, (&namespace, &space.origin));
        let sum = self.sum(space);
        let within = |kind, name| {
            let object = Object::new(kind, name, &space.origin).within(space.name);
            object.label("aipolicy.dev/tenant", tenant()).needs([namespace.clone()])
        };
        let quota = within(("v1", "ResourceQuota"), "workloads").spec([("hard", self.hard(&sum))]);
        self.add(quota.guarding());
        let limits = within(("v1", "LimitRange"), "containers").spec([("limits", self.limits(&sum))]);
        self.add(limits.guarding());
        let role = within(("rbac.authorization.k8s.io/v1", "Role"), "viewer").field("rules", self.viewer());
        let role = self.add(role);
        let binding = within(("rbac.authorization.k8s.io/v1", "RoleBinding"), "viewer").needs([role]);
        let group = format!("aipolicy:{}", space.tenant.name());
        self.add(self.bound(binding, &group));
    }

    /// A namespace with the strictest level of Pod Security.
    pub(super) fn namespace(&self, name: &str, origin: &Origin) -> Object {
        let security = self.default("kubernetes.podSecurity");
        let mut object = Object::new(("v1", "Namespace"), name, origin);
        for mode in ["enforce", "audit", "warn"] {
            for (suffix, value) in [("", "restricted"), ("-version", "latest")] {
                let key = format!("pod-security.kubernetes.io/{mode}{suffix}");
                object = object.label(&key, Tree::text(value).from(security.clone()));
            }
        }
        object
    }

    /// Nothing comes in, and nothing goes out but questions to the DNS of the cluster.
    pub(super) fn closed(&mut self, name: &str, (namespace, origin): (&Address, &Origin)) {
        let closed = self.default("kubernetes.defaultDeny");
        let policy = |called: &str| {
            let object = Object::new(("networking.k8s.io/v1", "NetworkPolicy"), called, origin);
            object.within(name).needs([namespace.clone()]).guarding()
        };
        let everything = || Tree::map::<&str>([]);
        let types = ["Ingress", "Egress"].map(Tree::text);
        let deny = [("podSelector", everything()), ("policyTypes", Tree::list(types))];
        let deny = policy("default-deny").field("spec", Tree::map(deny).from(closed));
        self.add(deny);
        let ports = ["UDP", "TCP"]
            .map(|protocol| Tree::map([("protocol", Tree::text(protocol)), ("port", Tree::integer(53))]));
        let dns = Tree::map([
            ("namespaceSelector", labels("kubernetes.io/metadata.name", "kube-system")),
            ("podSelector", labels("k8s-app", "kube-dns")),
        ]);
        let rule = Tree::map([("to", Tree::list([dns])), ("ports", Tree::list(ports))]);
        let spec = Tree::map([
            ("podSelector", everything()),
            ("policyTypes", Tree::list([Tree::text("Egress")])),
            ("egress", Tree::list([rule])),
        ]);
        let spec = spec.from(self.default("kubernetes.dns"));
        self.add(policy("allow-dns").field("spec", spec));
    }

    fn sum(&self, space: &Space<'_>) -> Sum {
        let mut sum = Sum::default();
        for running in self.site.residents(space.name) {
            let spec = &running.resource.spec;
            let amounts = self.amounts(spec.resources.as_ref());
            // One more while a new version replaces the old one.
            let instances = self.most(running).saturating_add(1);
            let times = |amount: u64| amount.saturating_mul(instances);
            sum.millis = sum.millis.saturating_add(times(amounts.millis.0));
            sum.mebibytes = sum.mebibytes.saturating_add(times(amounts.mebibytes.0));
            sum.gpus = sum.gpus.saturating_add(times(amounts.gpus.map_or(0, |(count, _)| count)));
            sum.pods = sum.pods.saturating_add(instances);
            sum.largest = sum.largest.max(amounts.mebibytes.0);
        }
        sum
    }

    /// Exactly what the workloads take when each has its most instances, and one more while it is replaced.
    fn hard(&self, sum: &Sum) -> Tree {
        let count = |amount: u64| Tree::text(amount.to_string());
        let named = [
            (Cow::Borrowed("requests.cpu"), millis(sum.millis)),
            ("requests.memory".into(), mebibytes(sum.mebibytes)),
            ("limits.memory".into(), mebibytes(sum.mebibytes)),
            (format!("requests.{GPU}").into(), count(sum.gpus)),
            ("pods".into(), count(sum.pods)),
            ("persistentvolumeclaims".into(), count(0)),
            ("services.loadbalancers".into(), count(0)),
            ("services.nodeports".into(), count(0)),
        ];
        Tree::map(named).from(self.default("kubernetes.quota"))
    }

    fn limits(&self, sum: &Sum) -> Tree {
        let default = Tree::map([("memory", mebibytes(256))]);
        let request = Tree::map([("cpu", millis(100)), ("memory", mebibytes(128))]);
        let most = Tree::map([("memory", mebibytes(sum.largest.max(256)))]);
        let container = Tree::map([
            ("type", Tree::text("Container")),
            ("default", default),
            ("defaultRequest", request),
            ("max", most),
        ]);
        Tree::list([container]).from(self.default("kubernetes.limits"))
    }

    /// What people of the tenant may see. Secrets are not among it.
    fn viewer(&self) -> Tree {
        let texts = |texts: &[&str]| Tree::list(texts.iter().map(|text| Tree::text(*text)));
        let rule = |groups: &[&str], resources: &[&str]| {
            Tree::map([
                ("apiGroups", texts(groups)),
                ("resources", texts(resources)),
                ("verbs", texts(&["get", "list", "watch"])),
            ])
        };
        let rules = [
            rule(&[""], &["pods", "pods/log", "services", "configmaps", "events", "resourcequotas"]),
            rule(&["apps"], &["deployments", "replicasets"]),
            rule(&["policy"], &["poddisruptionbudgets"]),
            rule(&["networking.k8s.io"], &["networkpolicies"]),
            rule(&["keda.sh"], &["scaledobjects"]),
        ];
        Tree::list(rules).from(self.default("kubernetes.viewer"))
    }

    fn bound(&self, binding: Object, group: &str) -> Object {
        let group_of = "rbac.authorization.k8s.io";
        let role = [("apiGroup", group_of), ("kind", "Role"), ("name", "viewer")];
        let subject = [("apiGroup", group_of), ("kind", "Group"), ("name", group)];
        let tree = |fields: [(&'static str, &str); 3]| {
            Tree::map(fields.map(|(key, value)| (key, Tree::text(value))))
        };
        let viewer = self.default("kubernetes.viewer");
        binding
            .field("roleRef", tree(role).from(viewer.clone()))
            .field("subjects", Tree::list([tree(subject)]).from(viewer))
    }
}

/// A selector of one label.
pub(super) fn labels(key: &str, value: &str) -> Tree {
    Tree::map([("matchLabels", Tree::map([(key.to_owned(), Tree::text(value))]))])
}
