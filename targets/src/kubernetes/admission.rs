//! Admission policies: what was decided holds in the cluster too. Expressions are constants; whatever somebody wrote is
//! a parameter.

use aipolicy_compiler::model::data_class::DataClassSpec;
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::source::Spanned;

use super::Writer;
use super::object::{Entries, Object};
use super::site::GATEWAYS;
use crate::artifact::Address;
use crate::origin::Origin;
use crate::tree::Tree;

/// Where the parameters of policies are: away from tenants.
const SYSTEM: &str = "aipolicy-system";
/// The parameters of a cluster.
const CLUSTER: &str = "aipolicy-cluster";
/// The longest name of a policy, as it is the value of a label of others.
const NAME: usize = 63;

const API: &str = "admissionregistration.k8s.io/v1";

/// A rule that an admission policy holds.
struct Rule {
    name: &'static str,
    resources: &'static [(&'static str, &'static [&'static str])],
    condition: Option<(&'static str, &'static str)>,
    variables: &'static [(&'static str, &'static str)],
    /// What must be so, and what is said where it is not.
    validations: &'static [(&'static str, &'static str)],
}

const PODS: Rule = Rule {
    name: "pods",
    resources: &[("", &["pods", "pods/ephemeralcontainers"])],
    condition: None,
    variables: &[
        ("workload", "object.metadata.?labels['app.kubernetes.io/name'].orValue('')"),
        ("image", "params.data[?('image.' + variables.workload)].orValue('')"),
    ],
    validations: &[
        ("variables.image != ''", "the label app.kubernetes.io/name names no workload of this namespace"),
        (
            "object.spec.containers.all(c, c.image == variables.image)",
            "containers run the image of the workload",
        ),
        (
            "object.spec.?initContainers.orValue([]).all(c, c.image == variables.image)",
            "init containers run the image of the workload",
        ),
        ("object.spec.?ephemeralContainers.orValue([]).size() == 0", "there are no containers to debug with"),
        (
            "object.spec.?serviceAccountName.orValue('') == variables.workload",
            "the service account is that of the workload",
        ),
        (
            "!object.spec.?automountServiceAccountToken.orValue(true)",
            "no token for the API server is mounted",
        ),
        (
            "object.metadata.?labels['aipolicy.dev/tenant'].orValue('') == params.data.tenant",
            "the label aipolicy.dev/tenant names the tenant of the namespace",
        ),
    ],
};

const NAMESPACES: Rule = Rule {
    name: "namespaces",
    resources: &[("", &["namespaces"])],
    condition: None,
    variables: &[("labels", "object.metadata.?labels.orValue({})")],
    validations: &[
        (
            "variables.labels[?'aipolicy.dev/tenant'].orValue('') == params.data.tenant",
            "the label aipolicy.dev/tenant names the tenant of the namespace",
        ),
        (
            "variables.labels[?'aipolicy.dev/data-class'].orValue('') == params.data.dataClass",
            "the label aipolicy.dev/data-class names the class of data of the tenant",
        ),
        (
            "variables.labels[?'pod-security.kubernetes.io/enforce'].orValue('') == 'restricted'",
            "pods of the namespace are restricted",
        ),
    ],
};

const CLASSES: Rule = Rule {
    name: "classes",
    resources: &[("", &["namespaces"])],
    condition: Some(("has-class", "object.metadata.?labels[?'aipolicy.dev/data-class'].hasValue()")),
    variables: &[],
    validations: &[(
        "('class.' + object.metadata.labels['aipolicy.dev/data-class']) in params.data",
        "the cluster is not for this class of data",
    )],
};

/// The namespace that a binding is about, and its parameters.
struct Bound<'b> {
    namespace: Option<&'b str>,
    parameters: &'b str,
    origin: &'b Origin,
}

impl<'w> Writer<'w> {
    /// The policies of the cluster, their parameters and their bindings.
    pub(super) fn admission(&mut self) {
        let site = self.site;
        let first = site.spaces.first().map(|space| &space.origin);
        let Some(first) = first.or(site.gateways.first().map(|running| &running.origin)) else { return };
        let system = self.namespace(SYSTEM, first);
        let system = self.add(system);
        self.closed(SYSTEM, (&system, first));
        self.rule(&PODS, first);
        self.rule(&NAMESPACES, first);
        for space in &site.spaces {
            let tenant =
                Tree::text(space.tenant.name().as_str()).from(Origin::written(space.tenant.name_span()));
            let whose = [("tenant", tenant), ("dataClass", Tree::text(space.class))];
            let workloads = site.residents(space.name);
            let images =
                workloads.filter_map(|running| image(running.name(), running.resource.spec.image.as_ref()));
            self.hold((space.name, &space.origin), whose, images.collect());
        }
        let nobody = || [("tenant", Tree::text("")), ("dataClass", Tree::text(""))];
        if let Some(first) = site.gateways.first() {
            let running = site.gateways.iter();
            let images =
                running.filter_map(|running| image(running.name(), running.resource.spec.image.as_ref()));
            self.hold((GATEWAYS, &first.origin), nobody(), images.collect());
        }
        self.hold((SYSTEM, first), nobody(), Vec::new());
        self.classes();
    }

    /// Holds the rules of pods and of their namespace, for images by the names of those who run them.
    fn hold(
        &mut self,
        (namespace, origin): (&str, &Origin),
        whose: [(&'static str, Tree); 2],
        images: Entries,
    ) {
        let bound = Bound { namespace: Some(namespace), parameters: namespace, origin };
        let whose = whose.map(|(key, value)| (key.to_owned(), value));
        let parameters = self.parameters(&bound, whose.into_iter().chain(images).collect());
        self.bind(&PODS, &bound, &parameters);
        self.bind(&NAMESPACES, &bound, &parameters);
    }

    /// A cluster that is dedicated to classes of data takes namespaces of no other.
    fn classes(&mut self) {
        let dedicated = &self.site.cluster.spec.dedicated_to;
        let Some(first) = dedicated.first() else { return };
        let origin = Origin::written(first.name.span);
        self.rule(&CLASSES, &origin);
        let entry = |class: &Ref<DataClassSpec>| {
            let value = Tree::text(class.name.value.as_str()).from(Origin::written(class.name.span));
            (format!("class.{}", class.name.value), value)
        };
        let bound = Bound { namespace: None, parameters: CLUSTER, origin: &origin };
        let parameters = self.parameters(&bound, dedicated.iter().map(entry).collect());
        self.bind(&CLASSES, &bound, &parameters);
    }

    fn parameters(&mut self, bound: &Bound<'_>, data: Entries) -> Address {
        let system = self.address("Namespace", (None, SYSTEM));
        let object = Object::new(("v1", "ConfigMap"), bound.parameters, bound.origin).within(SYSTEM);
        self.add(object.field("data", Tree::map(data)).needs([system]))
    }

    fn rule(&mut self, rule: &Rule, origin: &Origin) {
        let name = self.account.name(&[rule.name], NAME);
        let pair = |(key, first): (&'static str, &str), (second, value): (&'static str, &str)| {
            Tree::map([(key, Tree::text(first)), (second, Tree::text(value))])
        };
        let mut spec = vec![
            ("failurePolicy", Tree::text("Fail")),
            ("paramKind", pair(("apiVersion", "v1"), ("kind", "ConfigMap"))),
            ("matchConstraints", Tree::map([("resourceRules", resources(rule, None))])),
        ];
        if let Some((name, expression)) = rule.condition {
            spec.push(("matchConditions", Tree::list([pair(("name", name), ("expression", expression))])));
        }
        if !rule.variables.is_empty() {
            let variable = |(name, text): &(&str, &str)| pair(("name", name), ("expression", text));
            spec.push(("variables", Tree::list(rule.variables.iter().map(variable))));
        }
        let validation = |(expression, message): &(&str, &str)| {
            Tree::map([
                ("expression", Tree::text(*expression)),
                ("message", Tree::text(*message)),
                ("reason", Tree::text("Forbidden")),
            ])
        };
        spec.push(("validations", Tree::list(rule.validations.iter().map(validation))));
        let spec = Tree::map(spec).from(self.default("kubernetes.admission"));
        self.add(Object::new((API, "ValidatingAdmissionPolicy"), name, origin).field("spec", spec));
    }

    fn bind(&mut self, rule: &Rule, bound: &Bound<'_>, parameters: &Address) {
        let policy = self.account.name(&[rule.name], NAME);
        let name = self.binding(rule, bound.namespace);
        let reference = Tree::map([
            ("name", Tree::text(bound.parameters)),
            ("namespace", Tree::text(SYSTEM)),
            ("parameterNotFoundAction", Tree::text("Deny")),
        ]);
        let mut spec = vec![
            ("policyName", Tree::text(&policy)),
            ("validationActions", Tree::list([Tree::text("Deny"), Tree::text("Audit")])),
            ("paramRef", reference),
        ];
        let named = |namespace: &str| match rule.name {
            "namespaces" => ("resourceRules", resources(rule, Some(namespace))),
            _ => ("namespaceSelector", super::space::labels("kubernetes.io/metadata.name", namespace)),
        };
        spec.extend(bound.namespace.map(|namespace| ("matchResources", Tree::map([named(namespace)]))));
        let needs = [self.address("ValidatingAdmissionPolicy", (None, &policy)), parameters.clone()];
        let object = Object::new((API, "ValidatingAdmissionPolicyBinding"), name, bound.origin);
        self.add(object.spec(spec).needs(needs));
    }

    fn binding(&self, rule: &Rule, namespace: Option<&str>) -> String {
        let words: Vec<_> = [Some(rule.name), namespace].into_iter().flatten().collect();
        self.account.name(&words, NAME)
    }

    /// The bindings that stand before pods of a namespace.
    pub(super) fn bindings(&self, namespace: &str) -> Vec<Address> {
        let name = self.binding(&PODS, Some(namespace));
        vec![self.address("ValidatingAdmissionPolicyBinding", (None, &name))]
    }
}

/// The parameter that says which image is run under a name.
fn image(name: &str, image: Option<&Spanned<Text>>) -> Option<(String, Tree)> {
    let image = image?;
    let tree = Tree::text(image.value.as_str()).from(Origin::written(image.span));
    Some((format!("image.{name}"), tree))
}

/// What a policy, or a binding of it, is asked about.
fn resources(rule: &Rule, name: Option<&str>) -> Tree {
    let texts = |texts: &[&str]| Tree::list(texts.iter().map(|text| Tree::text(*text)));
    Tree::list(rule.resources.iter().map(|(group, resources)| {
        let mut entries = vec![
            ("apiGroups", texts(&[group])),
            ("apiVersions", texts(&["v1"])),
            ("operations", texts(&["CREATE", "UPDATE"])),
            ("resources", texts(resources)),
        ];
        entries.extend(name.map(|name| ("resourceNames", texts(&[name]))));
        Tree::map(entries)
    }))
}
