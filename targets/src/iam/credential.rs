//! Credentials that an agent on AgentCore proves itself with: fetched from the vault of AgentCore, which reads a secret
//! that somebody else keeps, with the rights of the agent.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Object, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentModel, AgentSpec};
use aipolicy_compiler::source::Span;
use aipolicy_iam::Piece;

use super::Writer;
use super::gate::support;
use super::policy::Allow;
use crate::origin::Origin;

const TOKEN: &[&str] = &["bedrock-agentcore:GetResourceOauth2Token"];
const KEY: &[&str] = &["bedrock-agentcore:GetResourceApiKey"];
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
        self.use_of_vault(("Get token", TOKEN), (&provider, span), grant)
    }

    /// The key with which an agent calls a gateway of models.
    pub(super) fn route_key(&mut self) -> Vec<Allow> {
        let used = self.grants.iter().find(|grant| matches!(grant.decision.request.object, Object::Route(_)));
        let (Some(agent), Some(grant)) = (self.agent(), used.copied()) else { return Vec::new() };
        let AgentModel::Route(route) = &agent.spec.model.value else { return Vec::new() };
        let Some(tenant) = self.account.graph().get(&agent.spec.tenant) else { return Vec::new() };
        let span = route.name.span;
        let provider = format!("apikeycredentialprovider/{}", self.account.gateway_key(agent));
        let mut allows: Vec<_> =
            self.use_of_vault(("Get key", KEY), (&provider, span), grant).into_iter().collect();
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

    /// The use of a provider of credentials by an agent under its own identity, which gets its id when it is made.
    fn use_of_vault(
        &mut self,
        (sid, actions): (&str, &'static [&'static str]),
        (provider, span): (&str, Span),
        grant: Grant<'w>,
    ) -> Option<Allow> {
        let Principal::Agent(_) = self.principal else { return None };
        let agent: &Resource<AgentSpec> = self.agent()?;
        let harness = self.account.harness(agent)?;
        let region = self.account.region_of(agent);
        let directory = "workload-identity-directory/default";
        let own = [
            Piece::Literal(directory),
            Piece::Literal("/workload-identity/"),
            Piece::Literal(&harness),
            Piece::Literal("-"),
            Piece::AnyRun,
        ];
        let named = [
            "token-vault/default".to_owned(),
            format!("token-vault/default/{provider}"),
            directory.to_owned(),
        ];
        let mut arns = Vec::new();
        for resource in named {
            arns.push(self.arn("bedrock-agentcore", region, (&resource, span))?);
        }
        arns.push(self.pattern("bedrock-agentcore", (region, self.account.id()), (&own, span))?);
        let place = Origin::written(span);
        let mut arns = arns.into_iter().map(|arn| (arn, place.clone()));
        let mut allow = support(sid, actions, arns.next()?, Origin::granted(grant));
        allow.resources.extend(arns);
        Some(allow)
    }
}
