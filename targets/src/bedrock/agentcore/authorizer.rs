//! Who may call the gateway of an agent: the agent by its role, or whoever has a token that an issuer signed.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::{Callers, Claim, ClaimIs, JwtCallers};
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::source::Spanned;
use serde_json::{Value, json};

use super::{Agent, refusal};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Members, Request, address, reference};
use crate::bedrock::shared::{same_region, tag_map};
use crate::origin::Origin;
use crate::tree::Tree;

/// The longest scope that a harness may ask for.
const LONGEST_SCOPE: usize = 64;

/// The longest name or value of a claim.
const LONGEST_CLAIM: usize = 255;

impl<'a> Agent<'a> {
    /// Those who call with tokens; nobody, where the agent calls by its role.
    pub(super) fn token_callers(&self) -> Option<&'a JwtCallers> {
        let Callers::Jwt(callers) = &self.spec().callers.as_ref()?.value;
        Some(callers)
    }
}

/// The members of a gateway that say who may call it.
pub(super) fn members(agent: &Agent<'_>, out: &mut Diagnostics) -> Members {
    let Some(callers) = agent.token_callers() else {
        let kind = Tree::text("AWS_IAM").from(agent.account.default("agentcore.authorizer"));
        return vec![("authorizerType", kind)];
    };
    check(callers, out);
    let place = agent.spec().callers.as_ref().map_or(agent.resource.name_span(), |callers| callers.span);
    let config = Tree::map([("customJWTAuthorizer", authorizer(callers))]);
    vec![
        ("authorizerType", Tree::text("CUSTOM_JWT").from(Origin::written(place))),
        ("authorizerConfiguration", config.from(Origin::written(place))),
    ]
}

fn authorizer(callers: &JwtCallers) -> Tree {
    let mut entries = vec![
        ("discoveryUrl", written(&callers.discovery_url)),
        ("allowedClients", Tree::list(clients(callers).map(written))),
    ];
    for (name, texts) in [("allowedAudience", &callers.audiences), ("allowedScopes", &callers.scopes)] {
        if !texts.is_empty() {
            entries.push((name, Tree::list(texts.iter().map(written))));
        }
    }
    if !callers.claims.is_empty() {
        entries.push(("customClaims", Tree::list(callers.claims.iter().map(claim))));
    }
    Tree::map(entries)
}

/// The agent itself, and the others.
fn clients(callers: &JwtCallers) -> impl Iterator<Item = &Spanned<Text>> {
    std::iter::once(&callers.client.id).chain(&callers.clients)
}

fn written(text: &Spanned<Text>) -> Tree {
    Tree::text(text.value.as_str()).from(Origin::written(text.span))
}

fn claim(claim: &Claim) -> Tree {
    let (kind, operator, value) = match &claim.is {
        ClaimIs::Equals(text) => ("STRING", "EQUALS", ("matchValueString", written(text))),
        ClaimIs::ContainsAny(texts) => {
            ("STRING_ARRAY", "CONTAINS_ANY", ("matchValueStringList", Tree::list(texts.iter().map(written))))
        }
    };
    let matched =
        Tree::map([("claimMatchValue", Tree::map([value])), ("claimMatchOperator", Tree::text(operator))]);
    let tree = Tree::map([
        ("inboundTokenClaimName", written(&claim.name)),
        ("inboundTokenClaimValueType", Tree::text(kind)),
        ("authorizingClaimMatchValue", matched),
    ]);
    tree.from(Origin::written(claim.name.span))
}

/// What the service would not take, at its place.
fn check(callers: &JwtCallers, out: &mut Diagnostics) {
    let mut refuse = |text: &Spanned<Text>, message: &str, help: &str| {
        out.report(refusal(text.span, message, help));
    };
    if !is_discovery(callers.discovery_url.value.as_str()) {
        let help = "use `https://ISSUER/.well-known/openid-configuration`";
        refuse(&callers.discovery_url, "this is not the address of an OpenID configuration", help);
    }
    let is_scope = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    for scope in &callers.scopes {
        let text = scope.value.as_str();
        if text.len() > LONGEST_SCOPE || !text.bytes().all(is_scope) {
            let message =
                format!("a scope has at most {LONGEST_SCOPE} letters, and neither spaces nor quotes");
            refuse(scope, &message, "write each scope by itself");
        }
    }
    let is_plain = |text: &str, more: &[u8]| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) || more.contains(&byte);
        text.len() <= LONGEST_CLAIM && text.bytes().all(plain)
    };
    for claim in &callers.claims {
        if !is_plain(claim.name.value.as_str(), b":") {
            refuse(&claim.name, "a claim is named by letters, digits, `_`, `.`, `-` and `:`", "use another");
        }
        let values = match &claim.is {
            ClaimIs::Equals(text) => std::slice::from_ref(text),
            ClaimIs::ContainsAny(texts) if texts.is_empty() => {
                refuse(&claim.name, "nothing says what this claim must contain", "list at least one value");
                continue;
            }
            ClaimIs::ContainsAny(texts) => texts,
        };
        for value in values.iter().filter(|value| !is_plain(value.value.as_str(), b"")) {
            refuse(value, "a claim is compared with letters, digits, `_`, `.` and `-`", "use another claim");
        }
    }
}

fn is_discovery(url: &str) -> bool {
    let Some((issuer, path)) = url.split_once("/.well-known/") else { return false };
    let known = ["openid-configuration", "oauth-authorization-server"];
    let known = known.iter().any(|known| path == *known || path.starts_with(&format!("{known}/")));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\');
    let host = issuer.strip_prefix("https://").is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
    known && host && url.bytes().all(is_plain)
}

/// What Cedar asks of the claims of a caller. Audiences, and claims that are lists, are left to the authorizer: Cedar
/// sees each claim as one text.
pub(super) fn conditions(callers: &JwtCallers) -> Vec<Value> {
    let ids: Vec<_> = clients(callers).map(|id| json!({ "Value": id.value.as_str() })).collect();
    let mut all = vec![json!({ "&&": {
        "left": has("client_id"),
        "right": { "contains": { "left": { "Set": ids }, "right": get("client_id") } },
    } })];
    all.extend(callers.scopes.iter().map(|scope| has_scope(scope.value.as_str())));
    for claim in &callers.claims {
        if let ClaimIs::Equals(text) = &claim.is {
            let name = claim.name.value.as_str();
            let equal = json!({ "==": { "left": get(name), "right": { "Value": text.value.as_str() } } });
            all.push(json!({ "&&": { "left": has(name), "right": equal } }));
        }
    }
    all
}

/// Scopes are one text with a space between each two.
fn has_scope(scope: &str) -> Value {
    let literal = |text: &str| json!({ "Literal": text });
    let wild = || json!("Wildcard");
    let like = |pattern: Value| json!({ "like": { "left": get("scope"), "pattern": pattern } });
    let (first, last, inner) = (format!("{scope} "), format!(" {scope}"), format!(" {scope} "));
    let ways = [
        json!({ "==": { "left": get("scope"), "right": { "Value": scope } } }),
        like(json!([literal(&first), wild()])),
        like(json!([wild(), literal(&last)])),
        like(json!([wild(), literal(&inner), wild()])),
    ];
    let any = ways.into_iter().reduce(|left, right| json!({ "||": { "left": left, "right": right } }));
    json!({ "&&": { "left": has("scope"), "right": any } })
}

fn has(claim: &str) -> Value {
    json!({ "hasTag": { "left": { "Var": "principal" }, "right": { "Value": claim } } })
}

fn get(claim: &str) -> Value {
    json!({ "getTag": { "left": { "Var": "principal" }, "right": { "Value": claim } } })
}

/// The address of the client that the agent is, where callers have tokens.
pub(super) fn client_address(agent: &Agent<'_>) -> Option<Address> {
    agent.token_callers()?;
    Some(address("Oauth2Provider", agent.account.client(agent.resource)))
}

/// How a harness proves who it is to its gateway.
pub(super) fn outbound(agent: &Agent<'_>) -> Tree {
    let (Some(callers), Some(client)) = (agent.token_callers(), client_address(agent)) else {
        return Tree::map([("awsIam", Tree::map::<String>([]))]);
    };
    let provider = Tree::map([
        ("providerArn", reference(&client, "credentialProviderArn")),
        ("scopes", Tree::list(callers.scopes.iter().map(written))),
        ("grantType", Tree::text("CLIENT_CREDENTIALS").from(agent.account.default("agentcore.client"))),
    ]);
    Tree::map([("oauth", provider)]).from(Origin::written(callers.client.id.span))
}

/// The client that the agent is, with its credential in a secret that somebody else keeps.
pub(super) fn client(agent: &Agent<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let (callers, address) = (agent.token_callers()?, client_address(agent)?);
    let named = &callers.client.secret;
    let connector = agent.account.graph().get(named)?;
    let granted = agent.grants.iter().find(|grant| grant.decision.request.span == named.name.span)?;
    let ConnectorKind::SecretsManager(source) = &connector.spec.kind else {
        out.report(refusal(
            named.name.span,
            "a credential is in a secret",
            "name a connector with `secretsManager`",
        ));
        return None;
    };
    same_region((connector, named.name.span), &agent.region().0, out)?;
    let default = || agent.account.default("agentcore.client");
    let secret = Tree::map([
        ("secretId", written(&source.secret)),
        ("jsonKey", Tree::text("clientSecret").from(default())),
    ]);
    let discovery = Tree::map([("discoveryUrl", written(&callers.discovery_url))]);
    let config = Tree::map([
        ("oauthDiscovery", discovery),
        ("clientId", written(&callers.client.id)),
        ("clientSecretSource", Tree::text("EXTERNAL").from(default())),
        ("clientSecretConfig", secret),
    ]);
    let members = vec![
        ("name", Tree::text(&address.name).from(agent.account.default("origin.name"))),
        ("credentialProviderVendor", Tree::text("CustomOauth2").from(default())),
        ("oauth2ProviderConfigInput", Tree::map([("customOauth2ProviderConfig", config)])),
        ("tags", tag_map(agent.account)),
    ];
    let request = Request { address, region: agent.region(), members, needs: Vec::new() };
    Some(request.artifact(&Origin::granted(*granted)))
}
