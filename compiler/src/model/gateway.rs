//! `Gateway`: one AI gateway.

use super::cluster::ClusterSpec;
use super::environment::EnvironmentSpec;
use super::macros::{record, words};
use super::reference::Ref;
use super::value::{Cidr, Count, Region, Text};
use crate::source::Spanned;

words! {
    /// The product that a routing table is compiled for.
    pub enum Dialect {
        /// LiteLLM proxy.
        Litellm = "litellm",
        /// Plain Envoy.
        Envoy = "envoy",
        /// Envoy AI Gateway.
        EnvoyAiGateway = "envoy-ai-gateway",
        /// AgentCore Gateway.
        AgentCore = "agentcore",
    }
}

words! {
    /// What a gateway runs on.
    pub enum GatewayPlatform {
        /// A cluster.
        Eks = "eks",
        /// ECS tasks.
        Ecs = "ecs",
    }
}

record! {
    /// What a gateway tells.
    pub struct Telemetry {
        /// Whether it serves metrics for Prometheus.
        prometheus: Option<Spanned<bool>>,
        /// Address of an OTLP collector.
        otlp: Option<Spanned<Text>>,
    }
}

record! {
    /// One AI gateway.
    pub struct GatewaySpec {
        /// The product.
        dialect: Spanned<Dialect>,
        /// Where it runs.
        environment: Ref<EnvironmentSpec>,
        /// Its region.
        region: Spanned<Region>,
        /// What it runs on; `eks` with a cluster, `ecs` without one.
        platform: Option<Spanned<GatewayPlatform>>,
        /// Its cluster.
        cluster: Option<Ref<ClusterSpec>>,
        /// The address that callers use.
        endpoint: Option<Spanned<Text>>,
        /// Its image by digest, on a cluster.
        image: Option<Spanned<Text>>,
        /// Address ranges that callers outside of its cluster come from, those of load balancers included.
        callers: Vec<Spanned<Cidr>>,
        /// How many instances.
        replicas: Option<Spanned<Count>>,
        /// What it tells.
        telemetry: Option<Telemetry>,
    }
}
