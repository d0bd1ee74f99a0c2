//! The tools of an agent that were granted, each with the shape of its input and what is asked of it.

pub(crate) mod condition;
pub(crate) mod jsonata;
pub(crate) mod openapi;
mod pattern;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::rc::Rc;

use aipolicy_compiler::PlacedJson;
use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentSpec, Tool};
use aipolicy_compiler::model::connector::{ConnectorSpec, McpServer};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::SourceId;

use crate::account::{Account, is_associated, is_direct};
use crate::openapi::{document, operation};
use crate::origin::Origin;
use condition::{Condition, Limit};
use openapi::Request;
use schema::Shape;

/// A tool that an agent may call, and everything that decides about a call.
pub(crate) struct Call<'a> {
    pub(crate) agent: &'a Resource<AgentSpec>,
    pub(crate) tool: &'a Tool,
    pub(crate) connector: &'a Resource<ConnectorSpec>,
    /// The name of the tenant that it is made for.
    pub(crate) tenant: Option<&'a str>,
    /// The grant of the call, and that of the connector.
    pub(crate) origin: Origin,
    pub(crate) used: Origin,
    pub(crate) shape: Rc<Shape>,
    pub(crate) limits: Vec<Limit>,
    /// The request that it is, of an operation.
    pub(crate) request: Option<Request>,
}

/// The variable that holds the input in every machine.
pub(crate) const INPUT: &str = "$input";

impl<'a> Call<'a> {
    /// The MCP server that the gateway of the agent calls by itself, where it is one: there is no machine then.
    pub(crate) fn server(&self) -> Option<&'a McpServer> {
        self.connector.spec.kind.mcp().filter(|_| is_direct(&self.agent.spec, self.connector))
    }

    /// Everything that is asked of an input, in order.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let mut all = condition::of_shape(&self.shape, INPUT);
        all.extend(self.request.iter().flat_map(|request| request.conditions(&self.shape, INPUT)));
        all.extend(self.limits.iter().map(|limit| limit.condition(INPUT)));
        all
    }
}

/// Reads the tools of agents. A schema that several name is read once.
pub(crate) struct Tools<'t, 'a> {
    account: &'t Account<'a>,
    shapes: BTreeMap<SourceId, Rc<Shape>>,
}

impl<'t, 'a> Tools<'t, 'a> {
    pub(crate) fn new(account: &'t Account<'a>) -> Self {
        Self { account, shapes: BTreeMap::new() }
    }

    /// The tools of an agent, among its grants. One whose input cannot be checked is reported and left out.
    pub(crate) fn calls(
        &mut self,
        agent: &'a Resource<AgentSpec>,
        grants: &[Grant<'a>],
        out: &mut Diagnostics,
    ) -> Vec<Call<'a>> {
        let tools = agent.spec.tools.iter().enumerate();
        tools.filter_map(|(at, tool)| self.call((agent, at, tool), grants, out)).collect()
    }

    fn call(
        &mut self,
        (agent, at, tool): (&'a Resource<AgentSpec>, usize, &'a Tool),
        grants: &[Grant<'a>],
        out: &mut Diagnostics,
    ) -> Option<Call<'a>> {
        let granted = grants
            .iter()
            .find(|grant| matches!(grant.decision.request.object, Object::Tool(_, found) if found == at))?;
        let used = grants.iter().find(|grant| {
            let request = &grant.decision.request;
            request.span == tool.connector.name.span && matches!(request.object, Object::Connector(_))
        })?;
        let graph = self.account.graph();
        let connector = graph.get(&tool.connector)?;
        if is_associated(&agent.spec, tool, connector) {
            return None;
        }
        let (shape, request) = self.described(tool, connector, out)?;
        let limits = condition::limits(tool, &shape, out)?;
        let tenant = granted.decision.request.tenant.map(|tenant| graph.name(tenant));
        let (origin, used) = (Origin::granted(*granted), Origin::granted(*used));
        Some(Call { agent, tool, connector, tenant, origin, used, shape, limits, request })
    }

    /// What the input of a tool is, and the request that it becomes, where an operation says so.
    fn described(
        &mut self,
        tool: &Tool,
        connector: &Resource<ConnectorSpec>,
        out: &mut Diagnostics,
    ) -> Option<(Rc<Shape>, Option<Request>)> {
        let (Some(named), Some(file)) = (&tool.operation, document(tool, &connector.spec)) else {
            return Some((self.shape(tool, out)?, None));
        };
        match operation(self.account, file, named) {
            Ok(found) => {
                let access = (tool.access.value, tool.access.span);
                openapi::read(found, access, out).map(|(shape, request)| (Rc::new(shape), Some(request)))
            }
            Err(found) => {
                out.append(found);
                None
            }
        }
    }

    fn shape(&mut self, tool: &Tool, out: &mut Diagnostics) -> Option<Rc<Shape>> {
        let Some(file) = &tool.input else {
            let message = format!(
                "nothing says what the input of tool `{}` is, so no call can be checked",
                tool.name.value
            );
            let help =
                "add `input: { file: … }` with a JSON Schema, or an `operation` of an OpenAPI document";
            out.report(rule::UNSUPPORTED.at(tool.name.span, message, "").help(help));
            return None;
        };
        let source = self.account.graph().file(file)?;
        if let Some(known) = self.shapes.get(&source) {
            return Some(Rc::clone(known));
        }
        match PlacedJson::read(self.account.input.sources, source) {
            Ok(document) => {
                let shape = Rc::new(schema::read(&document, out)?);
                self.shapes.insert(source, Rc::clone(&shape));
                Some(shape)
            }
            Err(found) => {
                out.append(found);
                None
            }
        }
    }
}
