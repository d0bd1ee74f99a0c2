//! Routing tables of AI gateways: the canonical table, and what a dialect makes of it.

mod canonical;
mod litellm;

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::gateway::{Dialect, GatewaySpec};
use aipolicy_compiler::rule;

use crate::artifact::Artifact;
use crate::input::Input;
use crate::origin::Origin;
use crate::routing::{Shares, Table};
use crate::tree::Tree;
pub(crate) use canonical::METRICS_KEY;

/// What the process of a gateway is given: files, and secrets in its environment.
pub(crate) struct Given {
    /// Its files by name, all in one folder.
    pub(crate) files: Vec<(&'static str, Tree)>,
    /// Environment variables that hold secrets, by name.
    pub(crate) secrets: BTreeMap<String, Origin>,
}

/// What each gateway of an environment is given, where this version compiles its dialect.
pub(crate) fn given(input: Input<'_>) -> BTreeMap<Id<GatewaySpec>, Given> {
    let shares = Shares::gather(input);
    let of = |(id, gateway)| {
        let table = shares.table(id, gateway);
        match gateway.spec.dialect.value {
            Dialect::Litellm => Some((id, litellm::given(&table))),
            Dialect::Envoy | Dialect::EnvoyAiGateway | Dialect::AgentCore => None,
        }
    };
    let environment = Some(input.grants.environment());
    let all = input.grants.graph().each::<GatewaySpec>();
    all.filter(|(_, gateway)| gateway.spec.environment.id() == environment).filter_map(of).collect()
}

/// Renders the tables of every gateway of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let environment = input.grants.environment();
    let here = input
        .grants
        .graph()
        .each::<GatewaySpec>()
        .filter(|(_, gateway)| gateway.spec.environment.id() == Some(environment));
    let shares = Shares::gather(input);
    let tables: Vec<_> = here.map(|(id, gateway)| shares.table(id, gateway)).collect();
    tables.iter().flat_map(|table| documents(table, out)).collect()
}

fn documents(table: &Table<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut artifacts = vec![canonical::artifact(table, out)];
    let dialect = &table.gateway.spec.dialect;
    match dialect.value {
        Dialect::Litellm => artifacts.extend(litellm::artifacts(table, out)),
        Dialect::Envoy | Dialect::EnvoyAiGateway | Dialect::AgentCore => {
            let message = format!("this version does not compile the dialect `{}`", dialect.value.word());
            out.report(rule::UNSUPPORTED.at(dialect.span, message, "").help("use `litellm`"));
        }
    }
    artifacts
}
