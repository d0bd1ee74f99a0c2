//! `Environment`: where things run, and who approves changes.

use super::connector::ConnectorSpec;
use super::data_store::DataStoreSpec;
use super::group::GroupSpec;
use super::guardrail::GuardrailSpec;
use super::macros::{record, words};
use super::model::ModelSpec;
use super::reference::Ref;
use super::value::{AccountId, Arn, Cidr, Count, Region, Text, Texts, TimeOfDay, TimeZone};
use crate::diagnostic::Severity;
use crate::source::Spanned;

words! {
    /// A partition of AWS.
    pub enum Partition {
        /// The commercial regions.
        Aws = "aws",
        /// GovCloud.
        UsGov = "aws-us-gov",
        /// China.
        China = "aws-cn",
        /// The European Sovereign Cloud.
        EuSovereign = "aws-eusc",
    }
}

words! {
    /// Where artifacts of a target live.
    pub enum ProviderName {
        /// A folder that plays the world.
        Local = "local",
        /// AWS accounts.
        Aws = "aws",
        /// Kubernetes API servers.
        Kubernetes = "kubernetes",
        /// A folder for a GitOps tool.
        Git = "git",
    }
}

words! {
    /// A day of the week.
    pub enum Weekday {
        /// Monday.
        Monday = "mon",
        /// Tuesday.
        Tuesday = "tue",
        /// Wednesday.
        Wednesday = "wed",
        /// Thursday.
        Thursday = "thu",
        /// Friday.
        Friday = "fri",
        /// Saturday.
        Saturday = "sat",
        /// Sunday.
        Sunday = "sun",
    }
}

words! {
    /// How much a rule matters in an environment.
    pub enum SeverityWord {
        /// It stops.
        Mandatory = "mandatory",
        /// It is shown.
        Advisory = "advisory",
        /// It informs.
        Note = "note",
        /// It is not evaluated.
        Off = "off",
    }
}

record! {
    /// The AWS account of an environment.
    pub struct AwsAccount {
        /// The account number, in quotes.
        account_id: Spanned<AccountId>,
        /// The partition; `aws` when left out.
        partition: Option<Spanned<Partition>>,
        /// Every region that may be used, the destinations of inference profiles included.
        regions: Vec<Spanned<Region>>,
    }
}

words! {
    /// The least version of TLS.
    pub enum TlsVersion {
        /// TLS 1.2.
        V12 = "1.2",
        /// TLS 1.3.
        V13 = "1.3",
    }
}

record! {
    /// The private network of an environment.
    pub struct Network {
        /// Id of the VPC.
        vpc: Option<Spanned<Text>>,
        /// VPC endpoints by service, for instance `bedrock-runtime`.
        endpoints: Texts<Text>,
        /// Address ranges of the subnets that interface endpoints are in. Network policies of pods name them.
        endpoint_addresses: Vec<Spanned<Cidr>>,
        /// The least version of TLS.
        tls: Option<Spanned<TlsVersion>>,
    }
}

record! {
    /// The provider of each target; `local` where nothing is said.
    pub struct Providers {
        /// Of IAM.
        iam: Option<Spanned<ProviderName>>,
        /// Of Bedrock.
        bedrock: Option<Spanned<ProviderName>>,
        /// Of gateways.
        gateway: Option<Spanned<ProviderName>>,
        /// Of Kubernetes.
        kubernetes: Option<Spanned<ProviderName>>,
        /// Of Lambda.
        lambda: Option<Spanned<ProviderName>>,
        /// Of observability.
        observability: Option<Spanned<ProviderName>>,
    }
}

record! {
    /// Who must agree to a change.
    pub struct Approvals {
        /// How many approvals.
        required: Spanned<Count>,
        /// Groups whose members may give one.
        from: Vec<Ref<GroupSpec>>,
    }
}

record! {
    /// A time in which changes may be applied.
    pub struct ChangeWindow {
        /// Days of the week.
        days: Vec<Spanned<Weekday>>,
        /// Start.
        from: Spanned<TimeOfDay>,
        /// End.
        to: Spanned<TimeOfDay>,
        /// Time zone of both; UTC when left out.
        time_zone: Option<Spanned<TimeZone>>,
    }
}

record! {
    /// Where logs of an environment come to rest.
    pub struct Logging {
        /// Prompts and completions as Bedrock logs them.
        invocations: Option<Ref<DataStoreSpec>>,
        /// Traces: logs and records of calls, or spans where the store is X-Ray.
        traces: Option<Ref<DataStoreSpec>>,
        /// Spans, beside logs and records: a store of the kind `xray`.
        spans: Option<Ref<DataStoreSpec>>,
        /// Who called what, as CloudTrail records it.
        audit: Option<Ref<DataStoreSpec>>,
    }
}

record! {
    /// Resources whose whole policy is written from here, since a resource has one policy and whoever writes it replaces what
    /// was there. Whatever is not named keeps its policy.
    pub struct ResourcePolicies {
        /// VPC endpoints, by their services as in `network.endpoints`.
        endpoints: Vec<Spanned<Text>>,
        /// Connectors of the kinds `s3` and `secretsManager`: the policy of the bucket, or of the secret.
        connectors: Vec<Ref<ConnectorSpec>>,
        /// Stores of the kind `s3` in `logging`: the policy of the bucket.
        stores: Vec<Ref<DataStoreSpec>>,
    }
}

record! {
    /// What every call of a model of Bedrock must pass in an account, whoever makes it and whatever it says.
    pub struct EnforcedGuardrail {
        /// The guardrail.
        guardrail: Ref<GuardrailSpec>,
        /// Models whose calls do not pass it, for instance those that only make embeddings.
        except: Vec<Ref<ModelSpec>>,
    }
}

record! {
    /// Who is told when something is wrong.
    pub struct Notifications {
        /// ARNs of SNS topics. An alarm tells those of its own region.
        sns: Vec<Spanned<Arn>>,
    }
}

record! {
    /// Where things run.
    pub struct EnvironmentSpec {
        /// The AWS account.
        aws: AwsAccount,
        /// The private network.
        network: Option<Network>,
        /// The provider of each target.
        providers: Option<Providers>,
        /// Who must agree to a change.
        approvals: Option<Approvals>,
        /// When changes may be applied; always when left out.
        change_windows: Vec<ChangeWindow>,
        /// Where logs come to rest.
        logging: Option<Logging>,
        /// Where services keep content for agents: stores of the kinds `session` and `memory`, one of a kind for a
        /// region. Their keys encrypt what is kept there.
        stores: Vec<Ref<DataStoreSpec>>,
        /// Policies of resources that are written from here.
        resource_policies: Option<ResourcePolicies>,
        /// The guardrail of every call of a model. It takes an account for this environment alone; there is none when
        /// left out.
        enforced_guardrail: Option<EnforcedGuardrail>,
        /// Who is told when something is wrong; without it there are no alarms.
        notifications: Option<Notifications>,
        /// Whether a service control policy denies to everybody in the account what was granted to nobody: models, agents
        /// and endpoints of Bedrock. It takes an account for this environment alone; there is none when left out.
        service_control_policy: Option<Spanned<bool>>,
        /// Severity by rule code.
        severity: Texts<SeverityWord>,
    }
}

impl EnvironmentSpec {
    /// How much a rule matters here, by its code: as the environment says, or else as it is; nothing when it is off.
    pub fn severity_of(&self, code: &str, default: Severity) -> Option<Severity> {
        match self.severity.0.get(code).map(|word| word.value) {
            Some(SeverityWord::Mandatory) => Some(Severity::Mandatory),
            Some(SeverityWord::Advisory) => Some(Severity::Advisory),
            Some(SeverityWord::Note) => Some(Severity::Note),
            Some(SeverityWord::Off) => None,
            None => Some(default),
        }
    }
}
