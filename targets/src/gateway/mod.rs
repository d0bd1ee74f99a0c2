//! Routing tables of AI gateways: the canonical table, and what a dialect makes of it.

mod canonical;
mod litellm;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::gateway::{Dialect, GatewaySpec};
use aipolicy_compiler::rule;

use crate::artifact::Artifact;
use crate::input::Input;
use crate::routing::{Shares, Table};

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
