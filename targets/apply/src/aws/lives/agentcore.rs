//! Amazon Bedrock AgentCore: providers of credentials, policy engines, gateways, memories and harnesses, each with its parts.

use serde_json::{Value, json};

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] =
    &[API_KEY, OAUTH2, ENGINE, POLICY, GATEWAY, TARGET, RATE_LIMIT, MEMORY, HARNESS, ENDPOINT];

const CREDENTIAL_TAGS: Tags = Tags { arn: ("resourceArn", "credentialProviderArn"), ..TAG_MAP };

const API_KEY: Life = Life {
    words: &["bedrock/ApiKeyProvider"],
    service: Service::AgentCore,
    list: List {
        operation: "ListApiKeyCredentialProviders",
        at: "credentialProviders",
        keys: &[("name", &["name"])],
        ..PLAIN.list
    },
    read: Some(("GetApiKeyCredentialProvider", "")),
    create: ("CreateApiKeyCredentialProvider", ""),
    update: Update::By("UpdateApiKeyCredentialProvider", &[]),
    delete: "DeleteApiKeyCredentialProvider",
    members: &[
        Member::Same("name"),
        Member::Same("apiKeySecretSource"),
        Member::As("apiKeySecretConfig", |shown, wanted| {
            secret(shown, wanted, "apiKeySecretArn", "apiKeySecretJsonKey")
        }),
    ],
    tags: Some(&CREDENTIAL_TAGS),
    states: &[],
    ..PLAIN
};

/// Where a secret is kept. It is asked for by name or ARN, and shown by an ARN that ends with six letters of its own (Secrets
/// Manager User Guide, "What's in a secret").
fn secret(shown: &Value, wanted: Option<&Value>, arn: &str, key: &str) -> Option<Value> {
    let found = shown.get(arn)?.get("secretArn")?.as_str()?;
    let own = found.split(":secret:").nth(1).unwrap_or(found);
    let is_same =
        |id: &str| id == found || id == own || own.rsplit_once('-').is_some_and(|(name, _)| name == id);
    let id = wanted.and_then(|wanted| wanted.get("secretId")).filter(|id| id.as_str().is_some_and(is_same));
    let id = id.cloned().unwrap_or_else(|| found.into());
    Some(match shown.get(key) {
        Some(key) => json!({ "secretId": id, "jsonKey": key }),
        None => json!({ "secretId": id }),
    })
}

const OAUTH2: Life = Life {
    words: &["bedrock/Oauth2Provider"],
    service: Service::AgentCore,
    list: List {
        operation: "ListOauth2CredentialProviders",
        at: "credentialProviders",
        keys: &[("name", &["name"])],
        ..PLAIN.list
    },
    read: Some(("GetOauth2CredentialProvider", "")),
    create: ("CreateOauth2CredentialProvider", ""),
    update: Update::By("UpdateOauth2CredentialProvider", &[]),
    delete: "DeleteOauth2CredentialProvider",
    members: &[
        Member::Same("name"),
        Member::Same("credentialProviderVendor"),
        Member::As("oauth2ProviderConfigInput", oauth2),
    ],
    tags: Some(&CREDENTIAL_TAGS),
    ..PLAIN
};

/// The configuration of a client as it was asked for: the answer has it as an output, and the secret beside it.
fn oauth2(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let (vendor, output) = shown.get("oauth2ProviderConfigOutput")?.as_object()?.iter().next()?;
    let mut config = output.clone();
    let asked = wanted.and_then(|wanted| wanted.get(vendor));
    let secret_asked = asked.and_then(|asked| asked.get("clientSecretConfig"));
    let members = config.as_object_mut()?;
    for (name, value) in [
        ("clientSecretSource", shown.get("clientSecretSource").cloned()),
        ("clientSecretConfig", secret(shown, secret_asked, "clientSecretArn", "clientSecretJsonKey")),
    ] {
        members.extend(value.map(|value| (name.to_owned(), value)));
    }
    Some(json!({ vendor: config }))
}

const ENGINE: Life = Life {
    words: &["bedrock/PolicyEngine"],
    service: Service::AgentCore,
    list: List {
        operation: "ListPolicyEngines",
        at: "policyEngines",
        keys: &[("policyEngineId", &["policyEngineId"])],
        ..PLAIN.list
    },
    read: Some(("GetPolicyEngine", "")),
    create: ("CreatePolicyEngine", ""),
    update: Update::Patch("UpdatePolicyEngine", &["name", "encryptionKeyArn"], &["description"]),
    delete: "DeletePolicyEngine",
    members: &[Member::Same("name"), Member::Same("description"), Member::Same("encryptionKeyArn")],
    tags: Some(&Tags { arn: ("resourceArn", "policyEngineArn"), ..TAG_MAP }),
    ..PLAIN
};

const POLICY: Life = Life {
    words: &["bedrock/CedarPolicy"],
    service: Service::AgentCore,
    whole: Some(Whole { word: "bedrock/PolicyEngine", keys: &[("policyEngineId", "policyEngineId")] }),
    list: List {
        operation: "ListPolicies",
        at: "policies",
        keys: &[("policyId", &["policyId"])],
        ..PLAIN.list
    },
    read: Some(("GetPolicy", "")),
    create: ("CreatePolicy", ""),
    update: Update::Patch("UpdatePolicy", &["policyEngineId", "name"], &["description"]),
    delete: "DeletePolicy",
    identity: &["policyEngineId", "name"],
    members: &[
        Member::Same("policyEngineId"),
        Member::Same("name"),
        Member::Same("definition"),
        Member::Same("description"),
        Member::Same("enforcementMode"),
        super::untold("validationMode"),
    ],
    echoes: &[Echo::Usual("/enforcementMode", r#""ACTIVE""#)],
    ..PLAIN
};

const GATEWAY: Life = Life {
    words: &["bedrock/Gateway"],
    service: Service::AgentCore,
    list: List {
        operation: "ListGateways",
        at: "items",
        keys: &[("gatewayIdentifier", &["gatewayId"])],
        ..PLAIN.list
    },
    read: Some(("GetGateway", "")),
    create: ("CreateGateway", ""),
    update: Update::By("UpdateGateway", &[]),
    delete: "DeleteGateway",
    members: &[
        Member::Same("name"),
        Member::Same("description"),
        Member::Same("roleArn"),
        Member::Same("protocolType"),
        Member::Same("protocolConfiguration"),
        Member::Same("authorizerType"),
        Member::Same("authorizerConfiguration"),
        Member::Same("kmsKeyArn"),
        Member::Same("customTransformConfiguration"),
        Member::Same("interceptorConfigurations"),
        Member::Same("policyEngineConfiguration"),
        Member::Same("exceptionLevel"),
        Member::Same("wafConfiguration"),
        Member::Same("domainOverride"),
    ],
    echoes: &[Echo::Usual("/interceptorConfigurations", "[]")],
    tags: Some(&Tags { arn: ("resourceArn", "gatewayArn"), ..TAG_MAP }),
    ..PLAIN
};

/// The gateway of its parts.
const IN_GATEWAY: Option<Whole> =
    Some(Whole { word: "bedrock/Gateway", keys: &[("gatewayIdentifier", "gatewayIdentifier")] });

/// The id of a gateway, which its parts show as the end of its ARN.
fn gateway(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let arn = shown.get("gatewayArn").and_then(Value::as_str);
    arn.and_then(|arn| arn.rsplit('/').next()).map(Value::from).or_else(|| wanted.cloned())
}

const TARGET: Life = Life {
    words: &["bedrock/GatewayTarget"],
    service: Service::AgentCore,
    whole: IN_GATEWAY,
    list: List {
        operation: "ListGatewayTargets",
        at: "items",
        keys: &[("targetId", &["targetId"])],
        ..PLAIN.list
    },
    read: Some(("GetGatewayTarget", "")),
    create: ("CreateGatewayTarget", ""),
    update: Update::By("UpdateGatewayTarget", &["gatewayIdentifier"]),
    delete: "DeleteGatewayTarget",
    identity: &["gatewayIdentifier", "name"],
    members: &[
        Member::As("gatewayIdentifier", gateway),
        Member::Same("name"),
        Member::Same("description"),
        Member::Same("targetConfiguration"),
        Member::Same("credentialProviderConfigurations"),
        Member::Same("metadataConfiguration"),
        Member::Same("privateEndpoint"),
        Member::Same("certificateConfigurations"),
    ],
    echoes: &[Echo::Usual("/credentialProviderConfigurations", "[]")],
    texts: &["/targetConfiguration/mcp/mcpServer/mcpToolSchema/inlinePayload"],
    ..PLAIN
};

const RATE_LIMIT: Life = Life {
    words: &["bedrock/GatewayRateLimit"],
    service: Service::AgentCore,
    whole: IN_GATEWAY,
    list: List {
        operation: "ListGatewayRateLimits",
        at: "rateLimits",
        keys: &[("rateLimitId", &["rateLimitId"])],
        ..PLAIN.list
    },
    read: Some(("GetGatewayRateLimit", "")),
    create: ("CreateGatewayRateLimit", ""),
    update: Update::Patch(
        "UpdateGatewayRateLimit",
        &["gatewayIdentifier", "rateLimitId", "dimensionKeys"],
        &[],
    ),
    delete: "DeleteGatewayRateLimit",
    identity: &["gatewayIdentifier", "rateLimitId"],
    members: &[
        Member::Same("gatewayIdentifier"),
        Member::Same("rateLimitId"),
        Member::Same("description"),
        Member::Same("dimensionKeys"),
        Member::Same("entries"),
    ],
    ..PLAIN
};

const MEMORY: Life = Life {
    words: &["bedrock/Memory"],
    service: Service::AgentCore,
    list: List {
        operation: "ListMemories",
        at: "memories",
        keys: &[("memoryId", &["id", "memoryId"])],
        ..PLAIN.list
    },
    read: Some(("GetMemory", "memory")),
    create: ("CreateMemory", "memory"),
    update: Update::Patch("UpdateMemory", &["name", "encryptionKeyArn"], &[]),
    delete: "DeleteMemory",
    members: &[
        Member::Same("name"),
        Member::Same("description"),
        Member::Same("eventExpiryDuration"),
        Member::Same("encryptionKeyArn"),
        Member::Same("memoryExecutionRoleArn"),
        Member::At("memoryStrategies", "/strategies"),
    ],
    echoes: &[Echo::Usual("/memoryStrategies", "[]")],
    tags: Some(&TAG_MAP),
    ..PLAIN
};

const HARNESS: Life = Life {
    words: &["bedrock/Harness"],
    service: Service::AgentCore,
    list: List {
        operation: "ListHarnesses",
        at: "harnesses",
        keys: &[("harnessId", &["harnessId"])],
        ..PLAIN.list
    },
    read: Some(("GetHarness", "harness")),
    create: ("CreateHarness", "harness"),
    update: Update::Patch(
        "UpdateHarness",
        &["harnessName"],
        &["authorizerConfiguration", "environmentArtifact", "memory"],
    ),
    delete: "DeleteHarness",
    identity: &["harnessName"],
    members: &[
        Member::Same("harnessName"),
        Member::Same("executionRoleArn"),
        Member::Same("environment"),
        Member::Same("environmentArtifact"),
        Member::Same("environmentVariables"),
        Member::Same("authorizerConfiguration"),
        Member::Same("model"),
        Member::Same("systemPrompt"),
        Member::Same("tools"),
        Member::Same("skills"),
        Member::Same("allowedTools"),
        Member::Same("memory"),
        Member::Same("truncation"),
        Member::Same("hooks"),
        Member::Same("maxIterations"),
        Member::Same("maxTokens"),
        Member::Same("timeoutSeconds"),
    ],
    echoes: &[
        Echo::Any("/environment/agentCoreRuntimeEnvironment/agentRuntimeArn"),
        Echo::Any("/environment/agentCoreRuntimeEnvironment/agentRuntimeId"),
        Echo::Any("/environment/agentCoreRuntimeEnvironment/agentRuntimeName"),
        Echo::Usual(
            "/environment/agentCoreRuntimeEnvironment/lifecycleConfiguration",
            r#"{"idleRuntimeSessionTimeout":900,"maxLifetime":28800}"#,
        ),
        Echo::Usual(
            "/environment/agentCoreRuntimeEnvironment/networkConfiguration",
            r#"{"networkMode":"PUBLIC"}"#,
        ),
        Echo::Usual("/environment/agentCoreRuntimeEnvironment", "{}"),
        Echo::Usual("/environment", "{}"),
        Echo::Usual("/environmentVariables", "{}"),
        Echo::Usual("/skills", "[]"),
        Echo::Usual("/tools", "[]"),
        Echo::Usual("/allowedTools", "[]"),
        Echo::Usual("/systemPrompt", "[]"),
        Echo::Usual("/hooks", "[]"),
        Echo::Usual("/truncation", r#"{"strategy":"sliding_window"}"#),
    ],
    tags: Some(&TAG_MAP),
    ..PLAIN
};

const ENDPOINT: Life = Life {
    words: &["bedrock/HarnessEndpoint"],
    service: Service::AgentCore,
    whole: Some(Whole { word: "bedrock/Harness", keys: &[("harnessId", "harnessId")] }),
    list: List {
        operation: "ListHarnessEndpoints",
        at: "endpoints",
        keys: &[("endpointName", &["endpointName"])],
        ..PLAIN.list
    },
    read: Some(("GetHarnessEndpoint", "endpoint")),
    create: ("CreateHarnessEndpoint", "endpoint"),
    update: Update::Patch("UpdateHarnessEndpoint", &["harnessId", "endpointName"], &[]),
    delete: "DeleteHarnessEndpoint",
    identity: &["harnessId", "endpointName"],
    members: &[
        Member::Same("harnessId"),
        Member::Same("endpointName"),
        Member::Same("targetVersion"),
        Member::Same("description"),
    ],
    tags: Some(&TAG_MAP),
    ..PLAIN
};
