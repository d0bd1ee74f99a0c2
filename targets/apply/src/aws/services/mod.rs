//! The services of AWS that are asked in the words of documents.

mod agentcore;
mod agents;
mod bedrock;
mod functions;
mod machines;

use aws_config::SdkConfig;
use serde_json::Value;

use super::error::Refusal;
use super::exchange::{Members, operations};

/// A service, each behind its SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Amazon Bedrock: guardrails, profiles, the log of invocations.
    Bedrock,
    /// Agents for Amazon Bedrock.
    Agents,
    /// Amazon Bedrock AgentCore, its control plane.
    AgentCore,
    /// AWS Lambda.
    Functions,
    /// AWS Step Functions.
    Machines,
}

impl Service {
    /// Asks the service in the region of a configuration.
    pub(super) async fn ask(
        self,
        config: &SdkConfig,
        operation: &str,
        members: Members,
    ) -> Result<Value, Refusal> {
        match self {
            Self::Bedrock => Box::pin(bedrock::ask(config, operation, members)).await,
            Self::Agents => Box::pin(agents::ask(config, operation, members)).await,
            Self::AgentCore => Box::pin(agentcore::ask(config, operation, members)).await,
            Self::Functions => Box::pin(functions::ask(config, operation, members)).await,
            Self::Machines => Box::pin(machines::ask(config, operation, members)).await,
        }
    }
}
