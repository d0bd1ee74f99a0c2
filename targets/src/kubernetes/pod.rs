//! Deployments: pods that run as nobody, with the resources, nodes and service account that are theirs.

use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::model::workload::Architecture;
use aipolicy_compiler::source::{Span, Spanned};

use super::Writer;
use super::amount::{Amounts, GPU};
use super::identity::Holder;
use super::object::{Entries, Object};
use super::space::labels;
use crate::origin::Origin;
use crate::tree::Tree;

/// What differs from pod to pod.
pub(super) struct Pod<'p> {
    pub(super) image: &'p Spanned<Text>,
    /// How many; nothing where an autoscaler decides.
    pub(super) replicas: Option<Tree>,
    pub(super) labels: Entries,
    pub(super) annotations: Entries,
    /// Further fields of the container.
    pub(super) container: Vec<(&'static str, Tree)>,
    pub(super) volumes: Option<Tree>,
    pub(super) amounts: Amounts,
    pub(super) architecture: Option<&'p Spanned<Architecture>>,
}

impl Writer<'_> {
    /// The image of a workload or gateway, which is named by its digest.
    pub(super) fn image<'i>(
        &mut self,
        image: Option<&'i Spanned<Text>>,
        (what, span): (&str, Span),
    ) -> Option<&'i Spanned<Text>> {
        let Some(image) = image else {
            return self.refuse(
                span,
                format!("{what} runs on a cluster and has no `image`"),
                "add `image`, by digest",
            );
        };
        if !is_digest(image.value.as_str()) {
            let message = format!("`{}` does not name one image by its digest", image.value);
            return self.refuse(image.span, message, "write `registry/name@sha256:…`");
        }
        Some(image)
    }

    /// A deployment of one container.
    pub(super) fn deployment(&self, holder: &Holder<'_>, pod: Pod<'_>) -> Object {
        let name = || Tree::text(holder.name);
        let object =
            Object::new(("apps/v1", "Deployment"), holder.name, holder.origin).within(holder.namespace);
        let object = pod.labels.iter().fold(object, |object, (key, value)| object.label(key, value.clone()));
        let mut spec: Vec<(&str, Tree)> = Vec::new();
        spec.extend(pod.replicas.clone().map(|replicas| ("replicas", replicas)));
        let update = [("maxSurge", Tree::integer(1)), ("maxUnavailable", Tree::integer(0))];
        let strategy = [("type", Tree::text("RollingUpdate")), ("rollingUpdate", Tree::map(update))];
        spec.push(("strategy", Tree::map(strategy).from(self.default("kubernetes.rollout"))));
        spec.push(("selector", labels("app.kubernetes.io/name", holder.name)));
        let mut own: Entries = vec![("app.kubernetes.io/name".to_owned(), name())];
        own.extend(super::object::marks(self.account));
        own.extend(pod.labels.iter().cloned());
        let mut metadata = vec![("labels", Tree::map(own))];
        if !pod.annotations.is_empty() {
            metadata.push(("annotations", Tree::map(pod.annotations.clone())));
        }
        let template = [("metadata", Tree::map(metadata)), ("spec", self.pod(holder, pod))];
        spec.push(("template", Tree::map(template)));
        object.label("app.kubernetes.io/name", name()).spec(spec)
    }

    fn pod(&self, holder: &Holder<'_>, pod: Pod<'_>) -> Tree {
        let security = self.default("kubernetes.podSecurity");
        let profile = Tree::map([("type", Tree::text("RuntimeDefault"))]);
        let context = Tree::map([("runAsNonRoot", Tree::bool(true)), ("seccompProfile", profile)]);
        let mut spec: Vec<(&str, Tree)> = vec![
            ("serviceAccountName", Tree::text(holder.name)),
            ("automountServiceAccountToken", Tree::bool(false).from(self.default("kubernetes.noToken"))),
            ("securityContext", context.from(security.clone())),
        ];
        if let Some(architecture) = pod.architecture {
            let word = Tree::text(architecture.value.word()).from(Origin::written(architecture.span));
            spec.push(("nodeSelector", Tree::map([("kubernetes.io/arch", word)])));
        }
        if let Some((_, origin)) = &pod.amounts.gpus {
            let tolerated = [("key", GPU), ("operator", "Exists"), ("effect", "NoSchedule")];
            let tolerated = Tree::map(tolerated.map(|(key, value)| (key, Tree::text(value))));
            spec.push(("tolerations", Tree::list([tolerated]).from(origin.clone())));
        }
        spec.push(("topologySpreadConstraints", self.spread(holder.name)));
        let dropped = Tree::map([("drop", Tree::list([Tree::text("ALL")]))]);
        let context = [("allowPrivilegeEscalation", Tree::bool(false)), ("capabilities", dropped)];
        let image = Tree::text(pod.image.value.as_str()).from(Origin::written(pod.image.span));
        let mut container = vec![("name", Tree::text(holder.name)), ("image", image)];
        container.extend(pod.container);
        container.push(("resources", pod.amounts.tree()));
        container.push(("securityContext", Tree::map(context).from(security)));
        spec.push(("containers", Tree::list([Tree::map(container)])));
        spec.extend(pod.volumes.map(|volumes| ("volumes", volumes)));
        Tree::map(spec)
    }

    /// Instances are kept in different zones where there is room.
    fn spread(&self, name: &str) -> Tree {
        let constraint = Tree::map([
            ("maxSkew", Tree::integer(1)),
            ("topologyKey", Tree::text("topology.kubernetes.io/zone")),
            ("whenUnsatisfiable", Tree::text("ScheduleAnyway")),
            ("labelSelector", labels("app.kubernetes.io/name", name)),
        ]);
        Tree::list([constraint]).from(self.default("kubernetes.spread"))
    }

    /// Nodes are drained one instance at a time.
    pub(super) fn budget(&self, holder: &Holder<'_>) -> Object {
        let object = Object::new(("policy/v1", "PodDisruptionBudget"), holder.name, holder.origin);
        let one = Tree::integer(1).from(self.default("kubernetes.disruption"));
        let selector = labels("app.kubernetes.io/name", holder.name);
        object.within(holder.namespace).spec([("maxUnavailable", one), ("selector", selector)])
    }

    /// The service of a workload or gateway. Its name begins with a letter, which DNS wants.
    pub(super) fn serving(&mut self, holder: &Holder<'_>, port: u16, span: Span) -> Option<Object> {
        if holder.name.starts_with(|letter: char| letter.is_ascii_digit()) {
            let message = format!("a service cannot be called `{}`", holder.name);
            return self.refuse(span, message, "choose a name that begins with a letter");
        }
        let selector = Tree::map([("app.kubernetes.io/name", Tree::text(holder.name))]);
        let port = [
            ("name", Tree::text("http")),
            ("port", Tree::integer(port)),
            ("protocol", Tree::text("TCP")),
            ("targetPort", Tree::integer(port)),
        ];
        let object = Object::new(("v1", "Service"), holder.name, holder.origin).within(holder.namespace);
        let ports = Tree::list([Tree::map(port)]);
        Some(object.spec([("type", Tree::text("ClusterIP")), ("selector", selector), ("ports", ports)]))
    }
}

/// Whether a text names an image by its SHA-256 digest.
fn is_digest(image: &str) -> bool {
    let Some((name, digest)) = image.split_once("@sha256:") else { return false };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"./_-:".contains(&byte);
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    !name.is_empty() && name.bytes().all(plain) && digest.len() == 64 && digest.bytes().all(hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::is_digest;

    #[test]
    fn an_image_is_named_by_its_digest() {
        let digest = "0123456789abcdef".repeat(4);
        assert!(is_digest(&format!("registry.acme.example:5000/a/b@sha256:{digest}")));
        for text in ["a:latest", "a@sha256:12", "@sha256:", "a b@sha256:", "a\n@sha256:"] {
            assert!(!is_digest(text), "{text}");
        }
        assert!(!is_digest(&format!("a b@sha256:{digest}")));
        assert!(!is_digest(&format!("a@sha256:{}", digest.to_uppercase())));
    }
}
