//! Who may assume a role: the runtime that it is for, and no other.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::cluster::{ClusterIdentity, ClusterSpec};
use aipolicy_compiler::model::gateway::{GatewayPlatform, GatewaySpec};
use aipolicy_compiler::model::workload::{Platform, WorkloadSpec};
use aipolicy_compiler::source::Span;
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::{self, Condition, Form};
use crate::origin::Origin;
use crate::tree::Tree;

/// A trust policy: who, by which actions, under which conditions.
pub(super) struct Trust {
    pub(super) principal: (&'static str, String),
    pub(super) actions: &'static [&'static str],
    pub(super) conditions: Vec<Condition>,
    pub(super) origin: Origin,
}

const ASSUME: &[&str] = &["sts:AssumeRole"];
const ASSUME_WITH_TAGS: &[&str] = &["sts:AssumeRole", "sts:TagSession"];
const ASSUME_WITH_IDENTITY: &[&str] = &["sts:AssumeRoleWithWebIdentity"];

impl Writer<'_> {
    /// The trust of the principal's role; nothing, with a report, where the runtime cannot be known.
    pub(super) fn trust(&mut self, role: Grant<'_>) -> Option<Trust> {
        let graph = self.account.graph();
        match self.principal {
            Principal::Agent(id) => self.runtime_trust(graph.resource(id)?, role.decision.request.span),
            Principal::Workload(id) => self.workload_trust(graph.resource(id)?, role),
            Principal::Gateway(id) => self.gateway_trust(graph.resource(id)?, role),
            Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => None,
        }
    }

    /// The trust of a role for the runtime of an agent.
    pub(super) fn runtime_trust(&mut self, agent: &Resource<AgentSpec>, span: Span) -> Option<Trust> {
        let runtime = agent.spec.runtime.as_ref();
        let origin = runtime
            .map_or_else(|| self.account.default("agent.runtime"), |runtime| Origin::written(runtime.span));
        let (service, namespace, pieces): (_, _, &[Piece<'_>]) = match runtime.map(|runtime| runtime.value) {
            Some(AgentRuntime::BedrockAgents) => {
                ("bedrock.amazonaws.com", "bedrock", &[Piece::Literal("agent/"), Piece::AnyRun])
            }
            Some(AgentRuntime::AgentCore) | None => {
                ("bedrock-agentcore.amazonaws.com", "bedrock-agentcore", &[Piece::AnyRun])
            }
        };
        let region = self.account.region_of(agent);
        let source = self.pattern(namespace, (region, self.account.id()), (pieces, span))?;
        Some(self.service(service, vec![source], origin))
    }

    /// A service that states the account and the resource on whose behalf it acts.
    pub(super) fn service(&self, service: &str, sources: Vec<String>, origin: Origin) -> Trust {
        let guard = self.account.default("iam.confusedDeputy");
        let sources = sources.into_iter().map(|source| (source, guard.clone()));
        let like = Condition::any("ArnLike", "aws:SourceArn", sources);
        let account = Condition::equals("aws:SourceAccount", self.account.id(), guard);
        Trust {
            principal: ("Service", service.into()),
            actions: ASSUME,
            conditions: vec![account, like],
            origin,
        }
    }

    fn workload_trust(&mut self, workload: &Resource<WorkloadSpec>, role: Grant<'_>) -> Option<Trust> {
        let graph = self.account.graph();
        let origin = Origin::written(workload.spec.platform.span);
        match workload.spec.platform.value {
            Platform::Lambda => Some(Trust {
                principal: ("Service", "lambda.amazonaws.com".into()),
                actions: ASSUME,
                conditions: Vec::new(),
                origin,
            }),
            Platform::Eks => {
                let Some(cluster) = workload.spec.cluster.as_ref().and_then(|cluster| graph.get(cluster))
                else {
                    let message = "a workload on `eks` needs a `cluster` to get its role from".to_owned();
                    return self.refuse(workload.spec.platform.span, message, "add `cluster`");
                };
                let tenant = graph.get(&workload.spec.tenant)?;
                let namespace = workload.spec.namespace.as_ref().or(tenant.spec.namespaces.first());
                let Some(namespace) = namespace else {
                    let message = "a workload on `eks` needs a namespace".to_owned();
                    let help = "add `namespaces` to the tenant, or `namespace` to the workload";
                    return self.refuse(role.decision.request.span, message, help);
                };
                let account = (namespace.value.as_str(), workload.name().as_str());
                self.pod(cluster, account, Origin::written(namespace.span))
            }
        }
    }

    fn gateway_trust(&mut self, gateway: &Resource<GatewaySpec>, role: Grant<'_>) -> Option<Trust> {
        let cluster = gateway.spec.cluster.as_ref();
        match (cluster, gateway.spec.platform.as_ref().map(|platform| (platform.value, platform.span))) {
            (None, Some((GatewayPlatform::Eks, span))) => {
                let message = "a gateway on `eks` needs a `cluster` to get its role from".to_owned();
                self.refuse(span, message, "add `cluster`")
            }
            (Some(cluster), Some((GatewayPlatform::Eks, _)) | None) => {
                let origin = Origin::written(cluster.name.span);
                let cluster = self.account.graph().get(cluster)?;
                self.pod(cluster, ("aipolicy-gateways", gateway.name().as_str()), origin)
            }
            (_, platform) => {
                let default = self.account.default("gateway.platform");
                let origin = platform.map_or(default, |(_, span)| Origin::written(span));
                let region = gateway.spec.region.value.as_str();
                let place = (&[Piece::AnyRun][..], role.decision.request.span);
                let source = self.pattern("ecs", (region, self.account.id()), place)?;
                Some(self.service("ecs-tasks.amazonaws.com", vec![source], origin))
            }
        }
    }

    /// A service account of a cluster.
    fn pod(
        &mut self,
        cluster: &Resource<ClusterSpec>,
        (namespace, account): (&str, &str),
        origin: Origin,
    ) -> Option<Trust> {
        match cluster.spec.identity.value {
            ClusterIdentity::PodIdentity => {
                let tag = |key: &str, value: &str, origin: &Origin| {
                    Condition::equals(&format!("aws:RequestTag/{key}"), value, origin.clone())
                };
                let own = Origin::written(cluster.spec.eks_name.span);
                let conditions = vec![
                    tag("eks-cluster-name", cluster.spec.eks_name.value.as_str(), &own),
                    tag("kubernetes-namespace", namespace, &origin),
                    tag("kubernetes-service-account", account, &origin),
                ];
                let principal = ("Service", "pods.eks.amazonaws.com".to_owned());
                Some(Trust { principal, actions: ASSUME_WITH_TAGS, conditions, origin })
            }
            ClusterIdentity::Irsa => self.web_identity(cluster, (namespace, account), origin),
        }
    }

    fn web_identity(
        &mut self,
        cluster: &Resource<ClusterSpec>,
        (namespace, account): (&str, &str),
        origin: Origin,
    ) -> Option<Trust> {
        let Some(oidc) = &cluster.spec.oidc_id else {
            let message = "`irsa` needs the id of the cluster's OIDC provider".to_owned();
            return self.refuse(cluster.spec.identity.span, message, "add `oidcId`, or use `pod-identity`");
        };
        let issuer = format!("oidc.eks.{}.amazonaws.com/id/{}", cluster.spec.region.value, oidc.value);
        let provider = self.arn("iam", "", (&format!("oidc-provider/{issuer}"), oidc.span))?;
        let subject = format!("system:serviceaccount:{namespace}:{account}");
        let conditions = vec![
            Condition::equals(&format!("{issuer}:aud"), "sts.amazonaws.com", Origin::written(oidc.span)),
            Condition::equals(&format!("{issuer}:sub"), subject, origin.clone()),
        ];
        Some(Trust { principal: ("Federated", provider), actions: ASSUME_WITH_IDENTITY, conditions, origin })
    }

    /// The trust of a role for state machines: these and no others.
    pub(super) fn gate_trust(&self, machines: Vec<String>, origin: Origin) -> Trust {
        self.service("states.amazonaws.com", machines, origin)
    }

    /// The trust of a role for the schedules of a group. Scheduler names the group, and never the schedule.
    pub(super) fn schedule_trust(&self, group: String, origin: Origin) -> Trust {
        self.service("scheduler.amazonaws.com", vec![group], origin)
    }

    /// The trust of a function's role. Lambda states no source.
    pub(super) fn function_trust(&self, origin: Origin) -> Trust {
        let principal = ("Service", "lambda.amazonaws.com".to_owned());
        Trust { principal, actions: ASSUME, conditions: Vec::new(), origin }
    }
}

impl Trust {
    /// The trust policy as a document.
    pub(super) fn tree(&self, version: Origin) -> Tree {
        let mut statement = vec![
            ("Effect", Tree::text("Allow")),
            ("Principal", Tree::map([(self.principal.0, Tree::text(&self.principal.1))])),
            ("Action", Tree::list(self.actions.iter().map(|action| Tree::text(*action)))),
        ];
        if !self.conditions.is_empty() {
            statement.push(("Condition", condition::tree(&self.conditions, Form::AsGiven)));
        }
        Tree::map([
            ("Version", Tree::text("2012-10-17").from(version)),
            ("Statement", Tree::list([Tree::map(statement).from(self.origin.clone())])),
        ])
    }
}
