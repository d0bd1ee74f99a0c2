//! MCP servers that nobody reviewed.

use super::{Check, Findings, Look};
use crate::diagnostic::{Family, Rule, Severity};
use crate::model::connector::ConnectorSpec;
use crate::resolve::Graph;

static RULE: Rule = Rule {
    code: "AIP-AGT-008",
    name: "mcp-server-unpinned",
    severity: Severity::Mandatory,
    family: Family::Verdict,
    page: include_str!("mcp_server_unpinned.md"),
};

pub(super) const CHECK: Check = Check { rule: &RULE, run: Look::Resources(run) };

fn run(graph: &Graph, out: &mut Findings<'_>) {
    for (_, connector) in graph.each::<ConnectorSpec>() {
        let Some(server) = connector.spec.kind.mcp() else { continue };
        if server.version.is_some() || server.digest.is_some() {
            continue;
        }
        let message = format!("nothing says which version of MCP server `{}` was reviewed", connector.name());
        let found = RULE.at(server.url.span, message, "its tools decide what agents read");
        let found = found.help("add `version` or `digest` with what was reviewed");
        out.report(&[], found);
    }
}
