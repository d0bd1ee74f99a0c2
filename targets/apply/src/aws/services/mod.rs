//! The services of AWS that are asked in the words of documents.

mod agentcore;
mod agents;
mod alarms;
mod bedrock;
mod buckets;
mod budgets;
mod events;
mod functions;
mod logs;
mod machines;
mod organizations;
mod queues;
mod schedules;
mod secrets;
mod tables;
mod topics;
mod traces;
mod trails;

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
    /// Amazon SQS.
    Queues,
    /// Amazon EventBridge.
    Events,
    /// Amazon EventBridge Scheduler.
    Schedules,
    /// Amazon SNS.
    Topics,
    /// Amazon DynamoDB.
    Tables,
    /// Amazon CloudWatch Logs.
    Logs,
    /// AWS X-Ray.
    Traces,
    /// AWS Budgets.
    Budgets,
    /// AWS CloudTrail.
    Trails,
    /// Amazon CloudWatch.
    Alarms,
    /// Amazon S3.
    Buckets,
    /// AWS Secrets Manager.
    Secrets,
    /// AWS Organizations.
    Organizations,
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
            Self::Queues => Box::pin(queues::ask(config, operation, members)).await,
            Self::Events => Box::pin(events::ask(config, operation, members)).await,
            Self::Schedules => Box::pin(schedules::ask(config, operation, members)).await,
            Self::Topics => Box::pin(topics::ask(config, operation, members)).await,
            Self::Tables => Box::pin(tables::ask(config, operation, members)).await,
            Self::Logs => Box::pin(logs::ask(config, operation, members)).await,
            Self::Traces => Box::pin(traces::ask(config, operation, members)).await,
            Self::Budgets => Box::pin(budgets::ask(config, operation, members)).await,
            Self::Alarms => Box::pin(alarms::ask(config, operation, members)).await,
            Self::Trails => Box::pin(trails::ask(config, operation, members)).await,
            Self::Buckets => Box::pin(buckets::ask(config, operation, members)).await,
            Self::Secrets => Box::pin(secrets::ask(config, operation, members)).await,
            Self::Organizations => Box::pin(organizations::ask(config, operation, members)).await,
        }
    }
}
