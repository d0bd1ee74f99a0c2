//! `Workload`: a service on a cluster that calls models or serves one.

use super::agent::Access;
use super::cluster::ClusterSpec;
use super::connector::ConnectorSpec;
use super::environment::EnvironmentSpec;
use super::guardrail::GuardrailSpec;
use super::macros::{choice, record, words};
use super::model::ModelSpec;
use super::reference::Ref;
use super::route::RouteSpec;
use super::tenant::TenantSpec;
use super::value::{Bytes, Count, Cpu, Duration, Name, Text};
use crate::source::Spanned;

words! {
    /// What a workload runs on.
    pub enum Platform {
        /// A cluster.
        Eks = "eks",
        /// Lambda.
        Lambda = "lambda",
    }
}

record! {
    /// The model that a workload serves.
    pub struct Serves {
        /// The model.
        model: Ref<ModelSpec>,
    }
}

record! {
    /// A connector that a workload uses.
    pub struct WorkloadConnector {
        /// The connector.
        connector: Ref<ConnectorSpec>,
        /// What it does with it.
        access: Spanned<Access>,
    }
}

record! {
    /// What a workload uses.
    pub struct Uses {
        /// Routes that it sends to.
        routes: Vec<Ref<RouteSpec>>,
        /// Models that it calls directly.
        models: Vec<Ref<ModelSpec>>,
        /// The guardrail that each of these calls names, on `lambda`; its role demands that.
        guardrail: Option<Ref<GuardrailSpec>>,
        /// Connectors that it uses.
        connectors: Vec<WorkloadConnector>,
    }
}

choice! {
    /// Where work comes from.
    pub enum Consumes {
        /// An SQS queue, by name.
        Sqs(Spanned<Text>) = sqs,
    }
}

words! {
    /// A processor architecture.
    pub enum Architecture {
        /// x86-64.
        Amd64 = "amd64",
        /// 64-bit Arm.
        Arm64 = "arm64",
    }
}

record! {
    /// What one instance needs.
    pub struct Resources {
        /// Graphics processors.
        gpu: Option<Spanned<Count>>,
        /// Processors.
        cpu: Option<Spanned<Cpu>>,
        /// Memory.
        memory: Option<Spanned<Bytes>>,
        /// Processor architecture.
        architecture: Option<Spanned<Architecture>>,
    }
}

choice! {
    /// What the number of instances follows.
    pub enum ScaleMetric {
        /// Tokens per second of an instance.
        TokensPerSecond(Spanned<Count>) = tokens_per_second,
        /// Latency at the 95th percentile.
        P95(Spanned<Duration>) = p95,
        /// Waiting messages of an instance.
        QueueDepth(Spanned<Count>) = queue_depth,
    }
}

record! {
    /// How many instances there are; the most is computed.
    pub struct Scale {
        /// At least.
        min: Spanned<Count>,
        /// What the number follows.
        metrics: Vec<ScaleMetric>,
        /// How many when metrics are missing.
        fallback_replicas: Option<Spanned<Count>>,
    }
}

record! {
    /// A service that calls models or serves one.
    pub struct WorkloadSpec {
        /// Whose it is.
        tenant: Ref<TenantSpec>,
        /// What it runs on.
        platform: Spanned<Platform>,
        /// Where it runs on `lambda`; where its tenant does when left out. On `eks` its cluster says so.
        environments: Vec<Ref<EnvironmentSpec>>,
        /// Its cluster, on `eks`.
        cluster: Option<Ref<ClusterSpec>>,
        /// Its namespace; the first of the tenant when left out.
        namespace: Option<Spanned<Name>>,
        /// Its image, by digest.
        image: Option<Spanned<Text>>,
        /// The model that it serves.
        serves: Option<Serves>,
        /// What it uses.
        uses: Option<Uses>,
        /// Where work comes from.
        consumes: Option<Consumes>,
        /// The queue for work that fails, on `lambda`: a connector of the kind `sqs`.
        dead_letter: Option<Ref<ConnectorSpec>>,
        /// How long one piece of work may take, on `lambda`; as long as a function runs when left out.
        timeout: Option<Spanned<Duration>>,
        /// What one instance needs.
        resources: Option<Resources>,
        /// How many instances there are.
        scale: Option<Scale>,
    }
}
