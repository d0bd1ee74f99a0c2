//! Who has to become a role so that a grant can be carried out: the service that acts, on behalf of what it acts for.
//!
//! Sources: the pages on service roles and the confused deputy of each service; EKS user guide, Pod Identity and IAM
//! roles for service accounts.

use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::cluster::{ClusterIdentity, ClusterSpec};
use aipolicy_compiler::model::gateway::{GatewayPlatform, GatewaySpec};
use aipolicy_compiler::model::workload::{Platform, WorkloadSpec};
use aipolicy_iam::{ArnError, PrincipalKind};

use super::super::need::{Assumed, Needs};
use super::agent::runtime;

/// A service that says for which resource it acts.
pub(super) fn service(needs: &Needs<'_>, service: &str, source: Result<String, ArnError>) -> Assumed {
    let mut assumed = Assumed::by(PrincipalKind::Service, service, &["sts:AssumeRole"]);
    let calls = assumed.calls.where_is("aws:SourceAccount", needs.account.id());
    assumed.calls = match source {
        Ok(source) => calls.when("ArnLike", "aws:SourceArn", [source]),
        Err(error) => calls.on(Err(error)),
    };
    assumed
}

/// Lambda, which says for no resource that it acts.
pub(super) fn function() -> Assumed {
    Assumed::by(PrincipalKind::Service, "lambda.amazonaws.com", &["sts:AssumeRole"])
}

/// The service that runs an agent.
pub(super) fn agent(needs: &Needs<'_>, agent: &Resource<AgentSpec>) -> Assumed {
    let region = needs.account.region_of(agent);
    match runtime(agent) {
        AgentRuntime::AgentCore => {
            let source = needs.own(("bedrock-agentcore", region), "*", &[]);
            service(needs, "bedrock-agentcore.amazonaws.com", source)
        }
        AgentRuntime::BedrockAgents => {
            let source = needs.own(("bedrock", region), "agent/*", &[]);
            service(needs, "bedrock.amazonaws.com", source)
        }
    }
}

/// Who runs what has a role of its own; `None` where it cannot be told.
pub(super) fn of(needs: &Needs<'_>, principal: Principal) -> Option<Assumed> {
    let graph = needs.account.graph();
    match principal {
        Principal::Agent(id) => Some(agent(needs, graph.resource(id)?)),
        Principal::Workload(id) => workload(needs, graph.resource(id)?),
        Principal::Gateway(id) => gateway(needs, graph.resource(id)?),
        Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => None,
    }
}

fn workload(needs: &Needs<'_>, workload: &Resource<WorkloadSpec>) -> Option<Assumed> {
    if workload.spec.platform.value == Platform::Lambda {
        return Some(function());
    }
    let graph = needs.account.graph();
    let tenant = graph.get(&workload.spec.tenant)?;
    let namespace = workload.spec.namespace.as_ref().or(tenant.spec.namespaces.first())?;
    let cluster = graph.get(workload.spec.cluster.as_ref()?)?;
    pod(needs, cluster, (namespace.value.as_str(), workload.name().as_str()))
}

fn gateway(needs: &Needs<'_>, gateway: &Resource<GatewaySpec>) -> Option<Assumed> {
    let platform = gateway.spec.platform.as_ref().map(|platform| platform.value);
    match (&gateway.spec.cluster, platform) {
        (Some(cluster), Some(GatewayPlatform::Eks) | None) => {
            let cluster = needs.account.graph().get(cluster)?;
            pod(needs, cluster, ("aipolicy-gateways", gateway.name().as_str()))
        }
        (_, Some(GatewayPlatform::Ecs)) | (None, None) => {
            let source = needs.own(("ecs", gateway.spec.region.value.as_str()), "*", &[]);
            Some(service(needs, "ecs-tasks.amazonaws.com", source))
        }
        (None, Some(GatewayPlatform::Eks)) => None,
    }
}

/// The pods of one service account.
fn pod(
    needs: &Needs<'_>,
    cluster: &Resource<ClusterSpec>,
    (namespace, account): (&str, &str),
) -> Option<Assumed> {
    match cluster.spec.identity.value {
        ClusterIdentity::PodIdentity => {
            let both = ["sts:AssumeRole", "sts:TagSession"];
            let mut assumed = Assumed::by(PrincipalKind::Service, "pods.eks.amazonaws.com", &both);
            let tags = [
                ("eks-cluster-name", cluster.spec.eks_name.value.as_str()),
                ("kubernetes-namespace", namespace),
                ("kubernetes-service-account", account),
            ];
            for (tag, value) in tags {
                assumed.calls = assumed.calls.where_is(&format!("aws:RequestTag/{tag}"), value);
            }
            Some(assumed)
        }
        ClusterIdentity::Irsa => {
            let id = cluster.spec.oidc_id.as_ref()?.value.as_str();
            let issuer = format!("oidc.eks.{}.amazonaws.com/id/{id}", cluster.spec.region.value);
            let provider = needs.own(("iam", ""), "oidc-provider/{}", &[&issuer]).ok()?;
            let web = ["sts:AssumeRoleWithWebIdentity"];
            let mut assumed = Assumed::by(PrincipalKind::Federated, &provider, &web);
            let subject = format!("system:serviceaccount:{namespace}:{account}");
            assumed.calls = assumed.calls.where_is(&format!("{issuer}:aud"), "sts.amazonaws.com");
            assumed.calls = assumed.calls.where_is(&format!("{issuer}:sub"), &subject);
            Some(assumed)
        }
    }
}
