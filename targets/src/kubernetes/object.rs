//! Objects as `kubectl` reads them: what they are called, whose they are, and where each value comes from.

use std::borrow::Cow;

use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// Fields in the order in which they are written.
pub(super) type Entries = Vec<(String, Tree)>;

/// One object of a cluster.
pub(super) struct Object {
    kind: (&'static str, &'static str),
    namespace: Option<String>,
    name: String,
    labels: Entries,
    annotations: Entries,
    body: Vec<(&'static str, Tree)>,
    origin: Origin,
    needs: Vec<Address>,
    guards: bool,
}

impl Object {
    /// An object of a kind, given as API version and kind.
    pub(super) fn new(kind: (&'static str, &'static str), name: impl Into<String>, origin: &Origin) -> Self {
        Self {
            kind,
            namespace: None,
            name: name.into(),
            labels: Vec::new(),
            annotations: Vec::new(),
            body: Vec::new(),
            origin: origin.clone(),
            needs: Vec::new(),
            guards: false,
        }
    }

    pub(super) fn within(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    pub(super) fn label(mut self, key: &str, value: Tree) -> Self {
        self.labels.push((key.to_owned(), value));
        self
    }

    pub(super) fn annotate(mut self, key: &str, value: Tree) -> Self {
        self.annotations.push((key.to_owned(), value));
        self
    }

    pub(super) fn field(mut self, key: &'static str, value: Tree) -> Self {
        self.body.push((key, value));
        self
    }

    pub(super) fn spec<K: Into<Cow<'static, str>>>(
        self,
        entries: impl IntoIterator<Item = (K, Tree)>,
    ) -> Self {
        self.field("spec", Tree::map(entries))
    }

    pub(super) fn needs(mut self, needs: impl IntoIterator<Item = Address>) -> Self {
        self.needs.extend(needs);
        self
    }

    /// Says that the object stands before whatever runs in its namespace.
    pub(super) fn guarding(mut self) -> Self {
        self.guards = true;
        self
    }

    /// The namespace that the object guards.
    pub(super) fn guarded(&self) -> Option<String> {
        self.namespace.clone().filter(|_| self.guards)
    }

    /// The object as a document of a cluster.
    pub(super) fn artifact(self, account: &Account<'_>, cluster: &str) -> Artifact {
        let address = address(cluster, self.kind.1, (self.namespace.as_deref(), &self.name));
        let mut metadata = vec![("name", Tree::text(self.name))];
        metadata.extend(self.namespace.map(|namespace| ("namespace", Tree::text(namespace))));
        metadata.push(("labels", Tree::map(marks(account).into_iter().chain(self.labels))));
        if !self.annotations.is_empty() {
            metadata.push(("annotations", Tree::map(self.annotations)));
        }
        let mut entries = vec![
            ("apiVersion", Tree::text(self.kind.0)),
            ("kind", Tree::text(self.kind.1)),
            ("metadata", Tree::map(metadata)),
        ];
        entries.extend(self.body);
        let tree = || Tree::map(entries);
        Artifact::of(account.input.wanted, (address, Format::Yaml), self.origin, tree).needs(self.needs)
    }
}

/// The labels that say whose an object is.
pub(super) fn marks(account: &Account<'_>) -> Entries {
    let origin = account.default("kubernetes.labels");
    let [(_, environment), (_, workspace)] = account.marks();
    let named = [
        ("app.kubernetes.io/managed-by", "aipolicy"),
        ("aipolicy.dev/environment", environment),
        ("aipolicy.dev/workspace", workspace),
    ];
    named.map(|(key, value)| (key.to_owned(), Tree::text(value).from(origin.clone()))).to_vec()
}

/// The address of an object. Names have no dots, so no two objects have the same one.
pub(super) fn address(cluster: &str, kind: &str, (namespace, name): (Option<&str>, &str)) -> Address {
    let parts = [Some(cluster), namespace, Some(name)];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(".");
    Address { target: "kubernetes".into(), kind: kind.into(), name }
}
