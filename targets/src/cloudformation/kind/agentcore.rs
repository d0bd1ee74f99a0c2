//! Agents on AgentCore: gateways with their policies, harnesses, memories and credentials.

use super::super::shape::{DATA, DOCUMENT, PAIRS, SCHEMA, Shape};
use super::{Kind, Removal};

static ENTRIES: Shape = Shape::Members(&[("dimensions", "Dimensions", &DATA)]);
static TARGET: Shape = Shape::Members(&[("mcp", "Mcp", &MCP)]);
static MCP: Shape = Shape::Members(&[("lambda", "Lambda", &LAMBDA), ("mcpServer", "McpServer", &SERVER)]);
static SERVER: Shape = Shape::Members(&[("mcpToolSchema", "McpToolSchema", &PINNED)]);
static PINNED: Shape = Shape::Members(&[("inlinePayload", "InlinePayload", &DOCUMENT)]);
static LAMBDA: Shape = Shape::Members(&[("toolSchema", "ToolSchema", &TOOLS)]);
static TOOLS: Shape = Shape::Members(&[("inlinePayload", "InlinePayload", &TOOL)]);
static TOOL: Shape =
    Shape::Members(&[("inputSchema", "InputSchema", &SCHEMA), ("outputSchema", "OutputSchema", &SCHEMA)]);

pub(super) static KINDS: &[Kind] = &[
    Kind::resource(
        "ApiKeyProvider",
        "AWS::BedrockAgentCore::ApiKeyCredentialProvider",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("credentialProviderArn", "CredentialProviderArn")]),
    Kind::resource("CedarPolicy", "AWS::BedrockAgentCore::Policy", Shape::Members(&[])),
    Kind::resource("Gateway", "AWS::BedrockAgentCore::Gateway", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[("gatewayId", "GatewayIdentifier"), ("gatewayArn", "GatewayArn")])
        .telling("GatewayUrl"),
    Kind::resource(
        "GatewayRateLimit",
        "AWS::BedrockAgentCore::GatewayRateLimit",
        Shape::Members(&[("entries", "Entries", &ENTRIES)]),
    ),
    Kind::resource(
        "GatewayTarget",
        "AWS::BedrockAgentCore::GatewayTarget",
        Shape::Members(&[("targetConfiguration", "TargetConfiguration", &TARGET)]),
    ),
    Kind::resource("Harness", "AWS::BedrockAgentCore::Harness", Shape::Members(&[("tags", "Tags", &PAIRS)]))
        .answering(&[
            ("harness.arn", "Arn"),
            ("harness.harnessId", "HarnessId"),
            ("harness.harnessVersion", "Version"),
        ]),
    Kind::resource(
        "HarnessEndpoint",
        "AWS::BedrockAgentCore::HarnessEndpoint",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .telling("Arn"),
    Kind::resource("Memory", "AWS::BedrockAgentCore::Memory", Shape::Members(&[("tags", "Tags", &DATA)]))
        .answering(&[("memory.arn", "MemoryArn")])
        .removed(Removal::Retained),
    Kind::resource(
        "Oauth2Provider",
        "AWS::BedrockAgentCore::OAuth2CredentialProvider",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("credentialProviderArn", "CredentialProviderArn")]),
    Kind::resource(
        "PolicyEngine",
        "AWS::BedrockAgentCore::PolicyEngine",
        Shape::Members(&[("tags", "Tags", &PAIRS)]),
    )
    .answering(&[("policyEngineId", "PolicyEngineId"), ("policyEngineArn", "PolicyEngineArn")]),
];
