//! The service control policy of an environment: what nobody in its account may ask of Bedrock, at any of its endpoints,
//! since it was granted to nobody.
//!
//! It denies and allows nothing, so roles need their policies as before. What is not known before it is made is told by its
//! name or by our tags, as in the policies of roles.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::rule;
use aipolicy_iam::limits;

use super::condition::Condition;
use super::model::{INVOKE, INVOKE_MANTLE};
use super::policy::Allow;
use super::statement::{Statement, document, size};
use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

const SERVICES: &[&str] = &["bedrock:*", "bedrock-agentcore:*", "bedrock-mantle:*"];
/// Keys of APIs, which say nothing about who calls.
const BEARER: &[&str] = &["bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken"];
/// What else calls models or agents, or makes models.
const OTHERWISE: &[&str] = &[
    "bedrock:AgenticRetrieveStream",
    "bedrock:CreateAdvancedPromptOptimizationJob",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelCopyJob",
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelEvaluationJob",
    "bedrock:CreateModelImportJob",
    "bedrock:CreateModelInvocationJob",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeDataAutomation",
    "bedrock:InvokeDataAutomationAsync",
    "bedrock:InvokeFlow",
    "bedrock:InvokeInlineAgent",
    "bedrock:RetrieveAndGenerate",
    "bedrock:StartFlowExecution",
    "bedrock-agentcore:InvokeCodeInterpreter",
    "bedrock-agentcore:InvokeRegistryMcp",
    "bedrock-agentcore:InvokeWebSearch",
    "bedrock-agentcore:StartBrowserSession",
    "bedrock-agentcore:StartCodeInterpreterSession",
];
const AGENT: &[&str] = &["bedrock:InvokeAgent"];
const AGENTCORE: &[&str] = &[
    "bedrock-agentcore:InvokeAgentRuntime",
    "bedrock-agentcore:InvokeAgentRuntimeForUser",
    "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:InvokeHarness",
];
const PROFILE: &str = "bedrock:InferenceProfileArn";
const MODEL: &str = "bedrock-mantle:Model";
const REGION: &str = "aws:RequestedRegion";
/// The region of a request that may end anywhere.
const UNSPECIFIED: &str = "unspecified";

/// What is allowed to anybody in an environment, as far as it is about Bedrock.
#[derive(Default)]
pub(super) struct Granted {
    /// Everything that calls of models name: models, profiles, throughput.
    called: BTreeMap<String, Origin>,
    /// Models that are called without a profile.
    direct: BTreeSet<String>,
    /// Profiles through which models are called.
    through: BTreeMap<String, Origin>,
    /// Regions that are named.
    regions: BTreeMap<String, Origin>,
    /// Models behind the other endpoint.
    mantle: BTreeMap<String, Origin>,
    actions: BTreeSet<&'static str>,
}

impl Granted {
    /// Notes what a role is allowed.
    pub(super) fn note(&mut self, allow: &Allow) {
        let of_bedrock = |action: &&&str| action.starts_with("bedrock");
        self.actions.extend(allow.actions.iter().filter(of_bedrock).copied());
        if !allow.actions.iter().any(|action| of_bedrock(&action)) {
            return;
        }
        let calls = [INVOKE, INVOKE_MANTLE].contains(&allow.actions);
        let profiles = allow.conditions.iter().filter(|one| one.key == PROFILE);
        let profiles: Vec<_> = profiles.collect();
        for (arn, origin) in &allow.resources {
            let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).unwrap_or(UNSPECIFIED);
            add(&mut self.regions, region, origin);
            if allow.actions == INVOKE {
                add(&mut self.called, arn, origin);
            }
            if calls && profiles.is_empty() && arn.contains(":foundation-model/") {
                self.direct.insert(arn.clone());
            }
        }
        for condition in &profiles {
            condition.values.iter().for_each(|(value, origin)| add(&mut self.through, value, origin));
        }
        for condition in allow.conditions.iter().filter(|one| one.key == MODEL) {
            condition.values.iter().for_each(|(value, origin)| add(&mut self.mantle, value, origin));
        }
    }
}

fn add(all: &mut BTreeMap<String, Origin>, text: &str, origin: &Origin) {
    all.entry(text.to_owned()).or_insert_with(|| origin.clone());
}

impl Granted {
    /// The policy, where the environment asks for one.
    pub(super) fn artifact(&self, account: &Account<'_>, out: &mut Diagnostics) -> Option<Artifact> {
        let asked = account.environment.spec.service_control_policy.as_ref().filter(|asked| asked.value)?;
        let span = asked.span;
        if let Some(other) = shares(account) {
            let message = format!(
                "the policy would deny to environment `{other}`, in the same account, what it was granted"
            );
            let help = "give each environment an account of its own, or leave this out";
            out.report(rule::UNSUPPORTED.at(span, message, "").help(help));
            return None;
        }
        let agents: Vec<_> = account.agents().map(|(agent, _)| agent).collect();
        let closing = Closing { account, granted: self, agents: &agents, asked: Origin::written(span) };
        let most = limits::SERVICE_CONTROL_POLICY;
        // A model in each of its regions, or, where that is too long, in any of them.
        let found = [false, true]
            .map(|wide| document(account, &closing.statements(wide)))
            .into_iter()
            .find(|content| size(content) <= most);
        let Some(content) = found else {
            let message =
                format!("what was granted does not fit into a service control policy of {most} characters");
            out.report(rule::POLICY_SIZE.at(span, message, "").help("use fewer models, or leave this out"));
            return None;
        };
        Some(closing.artifact(content))
    }
}

/// Another environment in the account. Its grants are not those that this policy is made from.
fn shares(account: &Account<'_>) -> Option<String> {
    let all = account.graph().each::<EnvironmentSpec>();
    let mut others = all.filter(|(id, _)| *id != account.input.grants.environment());
    let other = others.find(|(_, other)| other.spec.aws.account_id.value.as_str() == account.id());
    other.map(|(_, other)| other.name().to_string())
}

/// What the policy is made from.
struct Closing<'c> {
    account: &'c Account<'c>,
    granted: &'c Granted,
    agents: &'c [&'c Resource<AgentSpec>],
    /// The line that asks for it.
    asked: Origin,
}

impl Closing<'_> {
    /// The statements; `wide` names models without their regions, which another statement tells.
    fn statements(&self, wide: bool) -> Vec<Statement> {
        let mut all = vec![self.regions(), self.models(wide)];
        all.extend(self.unprofiled(wide));
        all.extend(self.charged());
        all.push(self.mantle());
        all.extend(self.agents());
        all.push(self.agentcore());
        all.push(self.otherwise());
        all
    }

    /// A global profile is asked for with the region `unspecified`, or without any: AWS documents the one, and somebody saw
    /// the other. Where one was granted, a request without a region is left to the other statements.
    fn regions(&self) -> Statement {
        let regions = &self.granted.regions;
        let unspecified = regions.get(UNSPECIFIED);
        self.denies("OtherRegions", SERVICES)
            .when([Condition::any("StringNotEquals", REGION, regions.clone())])
            .when(unspecified.map(|origin| Condition::new("Null", REGION, "false", origin.clone())))
    }

    /// Whatever answers calls of models and was not granted: other models, profiles and throughput.
    fn models(&self, wide: bool) -> Statement {
        let called = &self.granted.called;
        if called.is_empty() {
            return self.denies("Models", INVOKE);
        }
        let named = called.iter().map(|(arn, origin)| (place(arn, wide), origin.clone()));
        let resources: BTreeMap<_, _> = named.collect();
        Statement {
            resources: resources.into_iter().collect(),
            others: true,
            ..self.denies("OtherModels", INVOKE)
        }
    }

    /// Models that were granted through profiles alone. The call of the profile itself has no such key, so this is about
    /// models and nothing else.
    fn unprofiled(&self, wide: bool) -> Option<Statement> {
        let Granted { called, direct, through, .. } = self.granted;
        let direct: BTreeSet<_> = direct.iter().map(|arn| place(arn, wide)).collect();
        let behind = called.iter().filter(|(arn, _)| arn.contains(":foundation-model/"));
        let behind = behind.map(|(arn, origin)| (place(arn, wide), origin.clone()));
        let resources: BTreeMap<_, _> = behind.filter(|(arn, _)| !direct.contains(arn)).collect();
        (!resources.is_empty()).then(|| Statement {
            resources: resources.into_iter().collect(),
            conditions: vec![Condition::any("ArnNotLike", PROFILE, through.clone())],
            ..self.denies("OtherProfiles", INVOKE)
        })
    }

    /// Profiles that carry the tags for a bill are told by them, so those of others are too.
    fn charged(&self) -> Vec<Statement> {
        let profiles =
            self.granted.called.iter().filter(|(arn, _)| arn.contains(":application-inference-profile/"));
        let resources: Vec<_> = profiles.map(|(arn, origin)| (arn.clone(), origin.clone())).collect();
        if resources.is_empty() {
            return Vec::new();
        }
        self.unmarked("ProfilesOfOthers", INVOKE, &resources)
    }

    /// The other endpoint of the same models, which has actions of its own.
    fn mantle(&self) -> Statement {
        let models = &self.granted.mantle;
        if models.is_empty() {
            return self.denies("Mantle", &["bedrock-mantle:*"]);
        }
        let others = Condition::any("StringNotEquals", MODEL, models.clone());
        let actions = ["bedrock-mantle:CreateFineTuningJob", "bedrock-mantle:CreateInference"];
        self.denies("OtherModelsOfMantle", &actions).when([others])
    }

    /// Agents on Agents Classic get their ids when they are made, and carry our tags.
    fn agents(&self) -> Vec<Statement> {
        let classic = |agent: &&&Resource<AgentSpec>| {
            agent.spec.runtime.as_ref().is_some_and(|runtime| runtime.value == AgentRuntime::BedrockAgents)
        };
        if !self.agents.iter().any(|agent| classic(&agent)) {
            return vec![self.denies("Agents", AGENT)];
        }
        self.unmarked("AgentsOfOthers", AGENT, &self.everything())
    }

    /// Agents, gateways and runtimes of AgentCore, by what their names begin with.
    fn agentcore(&self) -> Statement {
        let names = self.agents.iter().filter_map(|agent| {
            let core =
                agent.spec.runtime.as_ref().is_none_or(|runtime| runtime.value == AgentRuntime::AgentCore);
            core.then(|| (agent.name_span(), self.account.harness(agent), self.account.gateway(agent)))
        });
        let mut resources = BTreeMap::new();
        for (span, harness, gateway) in names {
            let prefix = self.account.name(&[], usize::MAX);
            let named = [
                ("harness/", harness.clone(), prefix.replace('-', "_") + "_"),
                ("runtime/*", harness, prefix.replace('-', "_") + "_"),
                ("gateway/", gateway, prefix + "-"),
            ];
            for (kind, name, prefix) in named {
                let Some(name) = name else { continue };
                let begins = if name.starts_with(&prefix) { prefix } else { name + "-" };
                let arn = self.account.arn("bedrock-agentcore", "*", &format!("{kind}{begins}*"));
                resources.entry(arn).or_insert_with(|| Origin::written(span));
            }
        }
        if resources.is_empty() {
            return self.denies("AgentCore", &["bedrock-agentcore:*"]);
        }
        let resources = resources.into_iter().collect();
        Statement { resources, others: true, ..self.denies("AgentCoreOfOthers", AGENTCORE) }
    }

    /// Keys of APIs, and other ways to models and agents, unless somebody was granted them.
    fn otherwise(&self) -> Statement {
        let all = BEARER.iter().chain(OTHERWISE).copied();
        let all: Vec<_> = all.filter(|action| !self.granted.actions.contains(action)).collect();
        self.denies("OtherWays", &all)
    }

    /// A denial of everything that is not marked as ours. Each tag is asked for by itself, since all keys of a condition
    /// have to hold.
    fn unmarked(&self, sid: &str, actions: &[&str], resources: &[(String, Origin)]) -> Vec<Statement> {
        let marks = self.account.marks().into_iter().zip(1..);
        let denial = |((key, value), at): ((&str, &str), usize)| {
            let (key, origin) = (format!("aws:ResourceTag/{key}"), self.account.default("aws.tags"));
            Statement {
                resources: resources.to_vec(),
                conditions: vec![Condition::new("StringNotEquals", &key, value, origin)],
                ..self.denies(&format!("{sid}{at}"), actions)
            }
        };
        marks.map(denial).collect()
    }

    /// A denial of actions on everything.
    fn denies(&self, sid: &str, actions: &[&str]) -> Statement {
        Statement::denial(sid, actions, self.everything(), self.asked.clone())
    }

    fn everything(&self) -> Vec<(String, Origin)> {
        vec![("*".to_owned(), self.asked.clone())]
    }

    fn artifact(&self, content: Tree) -> Artifact {
        let account = self.account;
        let name = account.name(&["bedrock"], limits::POLICY_NAME);
        let environment = account.environment.name();
        let description = format!(
            "Denies what was granted to nobody in {environment}: calls of models and agents of Bedrock"
        );
        let target = Origin::written(account.environment.spec.aws.account_id.span);
        let tree = Tree::map([
            ("Name", Tree::text(&name).from(account.default("origin.name"))),
            ("Description", Tree::text(description)),
            ("Type", Tree::text("SERVICE_CONTROL_POLICY")),
            ("Content", content),
            ("TargetIds", Tree::list([Tree::text(account.id())]).from(target)),
            ("Tags", super::role::tags(account)),
        ]);
        let address = Address { target: "iam".into(), kind: "ServiceControlPolicy".into(), name };
        Artifact::of(account.input.wanted, (address, Format::Json), self.asked.clone(), || tree)
    }
}

/// The name of a model, in its region or in any.
fn place(arn: &str, wide: bool) -> String {
    if wide { super::boundary::anywhere(arn) } else { arn.to_owned() }
}
