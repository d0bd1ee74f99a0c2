//! Calls behind tools: the agent or its gateway starts a machine, and the machine makes the call, asks who has to be
//! asked, and writes down what became of it.
//!
//! Sources: Step Functions developer guide, "Call HTTPS APIs" and "Encryption at rest"; AgentCore developer guide,
//! "Policy permissions"; Lambda developer guide, "CloudWatch Logs".

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorSpec, HttpTool, ServerAuth};
use aipolicy_compiler::resolve::StorePlace;
use aipolicy_iam::ArnError;

use super::super::need::{Calls, Needs};
use super::agent::{Identity, made, runtime, vault};
use super::connector::{Use, through};
use super::trust;
use crate::account::{is_associated, is_direct, is_gated};
use crate::openapi::{Segment, base, connection, document, operation};

const KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
/// As many machines as a trust policy of 2,048 characters has room for.
const LISTED: usize = 10;
const WRITE_LOG: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// A tool of an agent, with its connector.
#[derive(Clone, Copy)]
pub(super) struct Held<'t> {
    agent: &'t Resource<AgentSpec>,
    tool: &'t Tool,
    connector: &'t Resource<ConnectorSpec>,
}

impl<'t> Held<'t> {
    pub(super) fn of(needs: &Needs<'t>, agent: &'t Resource<AgentSpec>, tool: &'t Tool) -> Option<Self> {
        Some(Self { agent, tool, connector: needs.account.graph().get(&tool.connector)? })
    }

    fn is_direct(self) -> bool {
        is_direct(&self.agent.spec, self.connector)
    }

    fn is_associated(self) -> bool {
        is_associated(&self.agent.spec, self.tool, self.connector)
    }

    /// The role that makes the call.
    pub(super) fn role(self, needs: &Needs<'_>) -> String {
        let (agent, tool) = (self.agent.name().as_str(), self.tool.name.value.as_str());
        if self.is_associated() {
            needs.account.role(&["agent", agent])
        } else if is_gated(self.tool) {
            needs.account.role(&["gate", agent, tool])
        } else {
            needs.account.role(&["tools", agent])
        }
    }

    fn region(self, needs: &Needs<'_>) -> &'static str {
        needs.account.region_of(self.agent)
    }

    fn machine(self, needs: &Needs<'_>) -> Result<String, ArnError> {
        let name = needs.account.machine(self.agent, self.tool).unwrap_or_default();
        needs.own(("states", self.region(needs)), "stateMachine:{}", &[&name])
    }

    /// The machines that act with the role. A trust policy has no room for those of many tools: of these, all machines
    /// of tools are meant.
    fn machines(self, needs: &Needs<'_>) -> Result<String, ArnError> {
        let graph = needs.account.graph();
        let spec = &self.agent.spec;
        let plain = spec.tools.iter().filter(|tool| !is_gated(tool)).filter(|tool| {
            let connector = graph.get(&tool.connector);
            connector.is_some_and(|found| !is_direct(spec, found) && !is_associated(spec, tool, found))
        });
        if is_gated(self.tool) || plain.count() <= LISTED {
            return self.machine(needs);
        }
        let prefix = needs.account.name(&["tool-"], usize::MAX);
        needs.own(("states", self.region(needs)), "stateMachine:{}*", &[&prefix])
    }

    /// The use of the connector that was granted for the tool. Servers are not called with an ARN of their own.
    pub(super) fn connector<'a>(self, all: &mut Needs<'a>, grant: Grant<'a>) -> Option<()> {
        let role = self.role(all);
        let kind = &self.connector.spec.kind;
        if kind.mcp().is_some() {
            return None;
        }
        let calls = match kind.http() {
            Some(server) => self.server(all, server)?,
            None => Use::of(all, &self.connector.spec, &grant.decision.request).calls(all),
        };
        for calls in calls {
            all.add(&role, grant, calls);
        }
        Some(())
    }

    /// One method on one address, and the credential of the connection.
    fn server(self, needs: &Needs<'_>, server: &HttpTool) -> Option<Vec<Calls>> {
        let named = self.tool.operation.as_ref()?;
        let file = document(self.tool, &self.connector.spec)?;
        let found = operation(needs.account, file, named).ok()?;
        let segments = found.segments()?;
        let is_exact = segments.iter().all(|segment| matches!(segment, Segment::Literal(_)));
        let path = segments.iter().map(|segment| match segment {
            Segment::Literal(text) => *text,
            Segment::Parameter(_) => "*",
        });
        let address: String = std::iter::once(base(server)?).chain(path).collect();
        let operator = if is_exact { "StringEquals" } else { "StringLike" };
        let request = Calls::of(&["states:InvokeHTTPEndpoint"])
            .on(self.machine(needs))
            .where_is("states:HTTPMethod", found.method)
            .when(operator, "states:HTTPEndpoint", [address]);
        let mut all = vec![request];
        if let Some(ServerAuth::Connection(arn)) = &server.auth {
            let (region, account, name) = connection(arn.value.as_str())?;
            let retrieve = Calls::of(&["events:RetrieveConnectionCredentials"]);
            all.push(retrieve.on(Ok(arn.value.as_str().to_owned())));
            let secret =
                needs.arn((("secretsmanager", region), account), "secret:events!connection/{}/*", &[name]);
            let read = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
            all.push(Calls::of(&read).on(secret));
        }
        Some(all)
    }

    /// What leads to the call, and what the machine does around it.
    pub(super) fn call<'a>(self, all: &mut Needs<'a>, grant: Grant<'a>) {
        if self.is_associated() {
            return;
        }
        if runtime(self.agent) == AgentRuntime::AgentCore {
            self.through_gateway(all, grant);
        }
        if self.is_direct() {
            return;
        }
        self.started(all, grant);
        let role = self.role(all);
        for calls in self.around(all) {
            all.add(&role, grant, calls);
        }
        let machines = trust::service(all, "states.amazonaws.com", self.machines(all));
        all.assumed(&role, grant, machines);
    }

    /// The agent calls its gateway, unless its callers have tokens; the gateway asks its policy engine, and calls the
    /// function.
    fn through_gateway<'a>(self, all: &mut Needs<'a>, grant: Grant<'a>) {
        let (account, region) = (all.account, self.region(all));
        let gateway = made(all, self.agent, ("gateway", account.gateway(self.agent)));
        let engine = made(all, self.agent, ("policy-engine", account.engine(self.agent)));
        if self.agent.spec.callers.is_none() {
            let role = account.role(&["agent", self.agent.name().as_str()]);
            let invoke = Calls::of(&["bedrock-agentcore:InvokeGateway"]).on(gateway.clone());
            all.add(&role, grant, invoke);
        }
        let role = gateway_role(all, self.agent);
        let runtime = trust::agent(all, self.agent);
        all.assumed(&role, grant, runtime);
        let authorize = ["bedrock-agentcore:AuthorizeAction", "bedrock-agentcore:PartiallyAuthorizeActions"];
        all.add(&role, grant, Calls::of(&authorize).on(gateway).on(engine.clone()));
        all.add(&role, grant, Calls::of(&["bedrock-agentcore:GetPolicyEngine"]).on(engine));
        if !self.is_direct() {
            let name = account.function(self.agent).unwrap_or_default();
            let function = all.own(("lambda", region), "function:{}", &[&name]);
            all.add(&role, grant, Calls::of(&["lambda:InvokeFunction"]).on(function));
        }
    }

    /// The function starts the machine of the tool, and writes its own log.
    fn started<'a>(self, all: &mut Needs<'a>, grant: Grant<'a>) {
        let (account, region) = (all.account, self.region(all));
        let role = account.role(&["caller", self.agent.name().as_str()]);
        let start = if is_gated(self.tool) { "states:StartExecution" } else { "states:StartSyncExecution" };
        let machine = self.machine(all);
        all.add(&role, grant, Calls::of(&[start]).on(machine));
        all.assumed(&role, grant, trust::function());
        let name = account.function(self.agent).unwrap_or_default();
        let group = all.own(("logs", region), "log-group:/aws/lambda/{}", &[&name]);
        let streams = all.own(("logs", region), "log-group:/aws/lambda/{}:log-stream:*", &[&name]);
        all.add(&role, grant, Calls::of(&["logs:CreateLogGroup"]).on(group));
        all.add(&role, grant, Calls::of(WRITE_LOG).on(streams));
    }

    /// What the machine does before and after the call.
    fn around(self, needs: &Needs<'_>) -> Vec<Calls> {
        let (account, region) = (needs.account, self.region(needs));
        let group = account.records(region).map(|(group, _)| group.value.as_str());
        if !is_gated(self.tool) {
            let stream = account.calls(self.agent);
            let into = |group| {
                let arn = needs.own(("logs", region), "log-group:{}:log-stream:{}", &[group, &stream]);
                Calls::of(&["logs:PutLogEvents"]).on(arn)
            };
            return group.map(into).into_iter().collect();
        }
        let own = [self.agent.name().as_str(), self.tool.name.value.as_str()];
        let into = |group| {
            let names = [group, own[0], own[1]];
            let arn = needs.own(("logs", region), "log-group:{}:log-stream:{}/{}/*", &names);
            Calls::of(WRITE_LOG).on(arn)
        };
        let mut all: Vec<_> = group.map(into).into_iter().collect();
        if let (Some(key), Ok(machine)) =
            (account.history_key(self.agent, self.connector), self.machine(needs))
        {
            let calls = Calls::of(KEY).on(Ok(key.value.as_str().to_owned()));
            all.push(calls.where_is("kms:EncryptionContext:aws:states:stateMachineArn", &machine));
        }
        if let Some(Gate::Approval(_)) = self.tool.gate.as_ref().map(|gate| &gate.value) {
            let queue = account.approvals(region).unwrap_or_default();
            all.push(Calls::of(&["sqs:SendMessage"]).on(needs.own(("sqs", region), "{}", &[&queue])));
            all.extend(account.kept_key(StorePlace::Session, region).map(|key| {
                let calls = Calls::of(KEY).on(Ok(key.value.as_str().to_owned()));
                through(calls, ("sqs", region))
            }));
        }
        all
    }
}

/// The role of the gateway of an agent's tools.
fn gateway_role(needs: &Needs<'_>, agent: &Resource<AgentSpec>) -> String {
    needs.account.role(&["gateway", agent.name().as_str(), "tools"])
}

/// The credential of a server that the gateway of an agent calls itself.
pub(super) fn server_key<'a>(
    all: &mut Needs<'a>,
    (agent, grant): (&Resource<AgentSpec>, Grant<'a>),
    (server, secret): (&str, &ConnectorSpec),
) -> Option<()> {
    let role = gateway_role(all, agent);
    let gateway = Identity { agent, name: all.account.gateway(agent)? };
    let provider = all.account.server_key(agent, server);
    let token = gateway.on(all, Calls::of(&["bedrock-agentcore:GetWorkloadAccessToken"]));
    all.add(&role, grant, token);
    let key = Calls::of(&["bedrock-agentcore:GetResourceApiKey"]);
    let key = vault(all, &gateway, (key, "apikeycredentialprovider", &provider));
    all.add(&role, grant, key);
    for calls in Use::of(all, secret, &grant.decision.request).calls(all) {
        all.add(&role, grant, calls);
    }
    Some(())
}
