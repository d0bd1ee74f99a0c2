//! Credentials that an agent on AgentCore proves itself with: fetched from the vault of AgentCore, which reads a secret
//! that somebody else keeps, with the rights of the agent or its gateway.

use std::collections::BTreeSet;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Object;
use aipolicy_compiler::model::agent::AgentModel;
use aipolicy_compiler::model::connector::{ConnectorKind, ServerAuth};
use aipolicy_compiler::source::Span;
use aipolicy_iam::Piece;

use super::Writer;
use super::gate::{Called, support};
use super::policy::Allow;
use crate::origin::Origin;

const TOKEN: &[&str] = &["bedrock-agentcore:GetResourceOauth2Token"];
const KEY: &[&str] = &["bedrock-agentcore:GetResourceApiKey"];
/// A harness is given the token of its identity, and a gateway asks for it.
const OWN_TOKEN: &[&str] = &["bedrock-agentcore:GetWorkloadAccessToken"];
const VAULT: &str = "token-vault/default";
const DIRECTORY: &str = "workload-identity-directory/default";
const SECRET: &[&str] = &["secretsmanager:GetSecretValue"];

impl<'w> Writer<'w> {
    /// Whether the principal was granted a secret for the client that it is.
    pub(super) fn is_credential(&self, grant: &Grant<'_>) -> bool {
        self.client_secret() == Some(grant.decision.request.span)
    }

    /// Where the secret of the client that an agent is, is named.
    fn client_secret(&self) -> Option<Span> {
        let callers = self.agent()?.spec.callers.as_ref()?;
        Some(callers.value.client().secret.name.span)
    }

    /// The token with which an agent calls its gateway, where that takes tokens.
    pub(super) fn client_token(&mut self) -> Option<Allow> {
        let (agent, span) = (self.agent()?, self.client_secret()?);
        let grant = self.grants.iter().find(|grant| grant.decision.request.span == span).copied()?;
        let provider = format!("oauth2credentialprovider/{}", self.account.client(agent));
        let harness = self.account.harness(agent)?;
        self.use_of_vault(("Get token", TOKEN), (&provider, span), (grant, &harness))
    }

    /// The key with which an agent calls a gateway of models.
    pub(super) fn route_key(&mut self) -> Vec<Allow> {
        let used = self.grants.iter().find(|grant| matches!(grant.decision.request.object, Object::Route(_)));
        let (Some(agent), Some(grant)) = (self.agent(), used.copied()) else { return Vec::new() };
        let AgentModel::Route(route) = &agent.spec.model.value else { return Vec::new() };
        let Some(tenant) = self.account.graph().get(&agent.spec.tenant) else { return Vec::new() };
        let span = route.name.span;
        let provider = format!("apikeycredentialprovider/{}", self.account.gateway_key(agent));
        let Some(harness) = self.account.harness(agent) else { return Vec::new() };
        let mut allows = Vec::new();
        allows.extend(self.use_of_vault(("Get key", KEY), (&provider, span), (grant, &harness)));
        let name = self.account.gateway_secret(tenant.name().as_str());
        let mut pieces = vec![Piece::Literal("secret:"), Piece::Literal(&name), Piece::Literal("-")];
        pieces.extend([Piece::AnyOne; 6]);
        let region = self.account.region_of(agent);
        let secret = self.pattern("secretsmanager", (region, self.account.id()), (&pieces, span));
        allows
            .extend(secret.map(|arn| {
                support("Read key", SECRET, (arn, Origin::written(span)), Origin::granted(grant))
            }));
        allows
    }

    /// The keys with which a gateway calls MCP servers, each from the secret of its server.
    pub(super) fn server_keys(&mut self, called: &[Called<'w>]) -> Vec<Allow> {
        let mut allows = Vec::new();
        let mut done = BTreeSet::new();
        for one in called.iter().filter(|one| one.direct) {
            let Some(connector) = self.account.graph().get(&one.tool.connector) else { continue };
            let ConnectorKind::Mcp(server) = &connector.spec.kind else { continue };
            let Some(ServerAuth::Secret(secret)) = &server.auth else { continue };
            let span = secret.name.span;
            let granted = self.grants.iter().find(|grant| grant.decision.request.span == span).copied();
            let Some(grant) = granted.filter(|_| done.insert(span)) else { continue };
            let Some(gateway) = self.account.gateway(one.agent) else { continue };
            if allows.is_empty() {
                allows.extend(self.own_token(&gateway, span, grant));
            }
            let name = self.account.server_key(one.agent, connector.name().as_str());
            let provider = format!("apikeycredentialprovider/{name}");
            let sid = format!("Get key of {}", connector.name());
            allows.extend(self.use_of_vault((&sid, KEY), (&provider, span), (grant, &gateway)));
            allows.extend(self.connector(grant));
        }
        allows
    }

    /// The token of a gateway's own identity.
    fn own_token(&mut self, gateway: &str, span: Span, grant: Grant<'w>) -> Option<Allow> {
        let mut arns = self.identity(gateway, span)?.into_iter();
        let mut allow = support("Get own token", OWN_TOKEN, arns.next()?, Origin::granted(grant));
        allow.resources.extend(arns);
        Some(allow)
    }

    /// An identity of AgentCore, which gets its id when it is made, in its directory.
    fn identity(&mut self, name: &str, span: Span) -> Option<Vec<(String, Origin)>> {
        let region = self.account.region_of(self.agent()?);
        let pieces = [
            Piece::Literal(DIRECTORY),
            Piece::Literal("/workload-identity/"),
            Piece::Literal(name),
            Piece::Literal("-"),
            Piece::AnyRun,
        ];
        let directory = self.arn("bedrock-agentcore", region, (DIRECTORY, span))?;
        let own = self.pattern("bedrock-agentcore", (region, self.account.id()), (&pieces, span))?;
        Some(vec![(directory, Origin::written(span)), (own, Origin::written(span))])
    }

    /// The use of a provider of credentials under an identity of AgentCore.
    fn use_of_vault(
        &mut self,
        (sid, actions): (&str, &'static [&'static str]),
        (provider, span): (&str, Span),
        (grant, identity): (Grant<'w>, &str),
    ) -> Option<Allow> {
        let region = self.account.region_of(self.agent()?);
        let named = self.arn("bedrock-agentcore", region, (&format!("{VAULT}/{provider}"), span))?;
        let vault = self.arn("bedrock-agentcore", region, (VAULT, span))?;
        let mut allow = support(sid, actions, (vault, Origin::written(span)), Origin::granted(grant));
        allow.resources.push((named, Origin::written(span)));
        allow.resources.extend(self.identity(identity, span)?);
        Some(allow)
    }
}
