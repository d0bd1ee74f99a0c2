//! Manifests of clusters: namespaces of tenants that are closed by default, and the workloads and gateways in them.

mod admission;
mod amount;
mod endpoint;
mod gateway;
mod identity;
mod network;
mod object;
mod pod;
mod reach;
mod scale;
mod scrape;
mod site;
mod space;
mod workload;

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::gateway::{Given, given};
use crate::input::Input;
use crate::observability::{Rules, rules};
use crate::origin::Origin;
use object::Object;
use site::Site;

/// Renders every object of every cluster of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let sites = site::sites(&account, out);
    let operated = sites.iter().any(|site| site.cluster.spec.prometheus_operator.is_some());
    let rules = operated.then(|| rules(input)).flatten();
    let shared = Shared { given: given(input), rules };
    let mut artifacts = Vec::new();
    for site in sites {
        let (guards, artifacts_of_site) = (BTreeMap::new(), Vec::new());
        let mut writer = Writer {
            account: &account,
            site: &site,
            shared: &shared,
            guards,
            artifacts: artifacts_of_site,
            out,
        };
        writer.write();
        artifacts.append(&mut writer.artifacts);
    }
    artifacts
}

/// What is gathered once for all clusters.
struct Shared<'s> {
    given: BTreeMap<Id<GatewaySpec>, Given>,
    /// The rules for a Prometheus in a cluster, where one evaluates them.
    rules: Option<Rules<'s>>,
}

/// Writes the objects of one cluster, and reports what Kubernetes cannot express.
struct Writer<'w> {
    account: &'w Account<'w>,
    site: &'w Site<'w>,
    shared: &'w Shared<'w>,
    /// What stands before that which runs in a namespace, by the name of the namespace.
    guards: BTreeMap<String, Vec<Address>>,
    artifacts: Vec<Artifact>,
    out: &'w mut Diagnostics,
}

impl<'w> Writer<'w> {
    fn write(&mut self) {
        let site = self.site;
        self.check_labels();
        for space in &site.spaces {
            self.space(space);
        }
        for running in &site.workloads {
            self.workload(running);
        }
        self.gateways();
        self.admission();
    }

    /// Keeps an object, and returns where it is found.
    fn add(&mut self, object: Object) -> Address {
        let guarded = object.guarded();
        let artifact = object.artifact(self.account, self.site.name());
        let address = artifact.document.address.clone();
        if let Some(namespace) = guarded {
            self.guards.entry(namespace).or_default().push(address.clone());
        }
        self.artifacts.push(artifact);
        address
    }

    /// The address of an object of this cluster.
    fn address(&self, kind: &str, name: (Option<&str>, &str)) -> Address {
        object::address(self.site.name(), kind, name)
    }

    /// What stands before that which runs in a namespace.
    fn guards(&self, namespace: &str) -> Vec<Address> {
        self.guards.get(namespace).cloned().unwrap_or_default()
    }

    fn default(&self, name: &str) -> Origin {
        self.account.default(name)
    }

    /// Reports what Kubernetes cannot express.
    fn refuse<T>(&mut self, span: Span, message: impl Into<String>, help: &str) -> Option<T> {
        self.out.report(rule::UNSUPPORTED.at(span, message, "").help(help));
        None
    }
}
