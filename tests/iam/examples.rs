//! Every approved request of the examples is allowed by the compiled policies, and whatever is one step outside is denied:
//! by our evaluator and by the independent simulator, both asked what the services of AWS ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aipolicy_compiler::ir::{
    AccessRequest, Action, CREDENTIAL, Circumstances, Object, Principal, VERIFICATION,
};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec, Gate, Tool};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec, ServerAuth};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::model::{Inference, ModelProvider};
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::trigger::TriggerSource;
use aipolicy_compiler::resolve::Graph;
use serde_json::{Map, Value, json};

use super::asked::{
    Asked, Caller, naming_guardrail, of_call, of_charged_call, of_connector, of_guardrail, of_table_of_starts,
};
use super::oracle::case::{Case, Verdict};
use super::oracle::{SIMULATOR, asked};
use crate::harness::workspace::Built;
use crate::targets::control::closed;
use crate::targets::iam::everything;
use crate::targets::{ACME, QUICKSTART};

/// The examples, a workspace with everything that can be asked of IAM, and an example whose accounts have service control
/// policies; each with the name of its workspace and what names begin with.
fn examples() -> [(&'static Built, &'static str, &'static str); 4] {
    static CLOSED: LazyLock<Built> = LazyLock::new(|| closed("examples/acme"));
    assert!(CLOSED.all().any(|one| one.document.address.kind == CONTROL));
    [
        (&ACME, "acme-ai", "acme"),
        (&QUICKSTART, "quickstart", "quickstart"),
        (everything(), "w", "w"),
        (&CLOSED, "acme-ai", "acme"),
    ]
}

const CONTROL: &str = "ServiceControlPolicy";

/// An environment of an example.
struct Place<'b> {
    graph: &'b Graph,
    id: Id<EnvironmentSpec>,
    account: &'b str,
    workspace: &'b str,
    environment: &'b str,
    prefix: &'b str,
}

/// What each role may ask.
type Approved = BTreeMap<String, BTreeSet<Asked>>;

#[test]
fn what_is_approved_is_allowed_and_nothing_beside_it() {
    let folder = SIMULATOR.folder();
    let (mut problems, mut kinds) = (Vec::new(), BTreeSet::new());
    for (built, workspace, prefix) in examples() {
        let graph = &built.compilation.graph;
        for (id, environment) in graph.each::<EnvironmentSpec>() {
            let account = environment.spec.aws.account_id.value.as_str();
            let place =
                Place { graph, id, account, workspace, environment: environment.name().as_str(), prefix };
            let (cases, counts) = place.cases(built);
            let theirs = asked(&folder, &cases.iter().map(|one| one.case.clone()).collect::<Vec<_>>());
            for (one, theirs) in cases.iter().zip(theirs) {
                let ours = one.case.ours();
                for (who, allowed) in
                    [("we", ours == Verdict::Allowed), ("the simulator", theirs == Ok(Verdict::Allowed))]
                {
                    if allowed != one.is_approved {
                        problems.push(format!(
                            "{workspace}, {}: {who}: {}: {:?} {theirs:?}",
                            place.environment, one.what, one.asked
                        ));
                    }
                }
            }
            println!("{workspace}, {}: {counts:?}", place.environment);
            assert!(counts["approved"] > 0, "{counts:?}");
            kinds.extend(counts.into_keys());
        }
    }
    problems.iter().take(30).for_each(|problem| println!("{problem}"));
    assert!(problems.is_empty(), "{} problems", problems.len());
    for kind in ["bucket", "prefix", "region", "model", "tenant", "guardrail", "VPC endpoint", "key"] {
        assert!(kinds.contains(kind), "nothing is asked of another {kind}");
    }
}

/// A question, and what has to be said.
struct Question {
    case: Case,
    asked: Asked,
    what: String,
    is_approved: bool,
}

impl<'b> Place<'b> {
    /// Every question to the roles of the environment, and how many there are of each kind.
    fn cases(&self, built: &'b Built) -> (Vec<Question>, BTreeMap<&'static str, usize>) {
        let documents = Documents::of(built, self.environment);
        let (approved, all) = (self.approved(built), self.all(built));
        let (mut cases, mut counts) = (Vec::new(), BTreeMap::new());
        let missing: Vec<_> =
            approved.keys().filter(|role| !documents.0.contains_key(&("Role", role.as_str()))).collect();
        assert!(missing.is_empty(), "no role {missing:?}");
        for role in documents.roles() {
            let mine = approved.get(role).cloned().unwrap_or_default();
            let mut outside: BTreeMap<Asked, &str> = BTreeMap::new();
            for (what, asked) in mine
                .iter()
                .flat_map(Asked::outside)
                .chain(all.iter().map(|one| ("another grant", one.clone())))
            {
                if !mine.iter().any(|own| asked.is_covered_by(own)) {
                    outside.entry(asked).or_insert(what);
                }
            }
            let questions = mine
                .iter()
                .map(|asked| (asked, "approved"))
                .chain(outside.iter().map(|(asked, what)| (asked, *what)));
            for (asked, what) in questions {
                *counts.entry(what).or_default() += 1;
                let is_approved = what == "approved";
                let case = documents.case(role, asked, self.account);
                cases.push(Question {
                    case,
                    asked: asked.clone(),
                    what: format!("{role}: {what}"),
                    is_approved,
                });
            }
        }
        (cases, counts)
    }

    fn caller(&self, tenant: Option<Id<TenantSpec>>) -> Caller<'b> {
        let tenant = tenant.map(|tenant| self.graph.name(tenant));
        Caller { account: self.account, workspace: self.workspace, environment: self.environment, tenant }
    }

    /// What was approved, by the role that carries it out.
    fn approved(&self, built: &Built) -> Approved {
        let mut approved = Approved::new();
        for decision in built.compilation.decisions.of(self.id) {
            assert!(decision.permitted(), "examples are approved");
            let request = &decision.request;
            let asked = self.carried_out_by(request).into_iter().map(|role| (role, self.asked(request)));
            for (words, asked) in asked.chain(self.started_by(request)).filter(|(_, asked)| !asked.is_empty())
            {
                let role = format!("{}-{}-{words}", self.prefix, self.environment);
                approved.entry(role).or_default().extend(asked);
            }
        }
        approved
    }

    /// What a request asks of AWS; nothing where it is another that holds it.
    fn asked(&self, request: &AccessRequest) -> Vec<Asked> {
        let caller = self.caller(request.tenant);
        match (&request.object, &request.circumstances) {
            (_, Circumstances::Support("role")) => self.passed_by_agent(request).into_iter().collect(),
            (Object::Model(id), Circumstances::Invocation(call)) => {
                let model = self.graph.resource(*id).unwrap();
                let inference = model.spec.inference.as_ref().map(|one| &one.value);
                let is_charged = model.spec.provider.value == ModelProvider::Bedrock
                    && matches!(request.principal, Principal::Agent(_))
                    && !matches!(inference, Some(Inference::Provisioned(_)))
                    && call.region.as_ref() != "global";
                let mut asked = match is_charged {
                    true => of_charged_call((model.name().as_str(), &model.spec), call, caller),
                    false => of_call(&model.spec, call, caller),
                };
                if model.spec.provider.value != ModelProvider::Bedrock {
                    return asked;
                }
                if let Some(named) = self.named_guardrail(request.principal) {
                    asked = naming_guardrail(asked, call, caller);
                    asked.push(of_guardrail(named, &call.source, caller));
                }
                let enforced = self.graph.resource(self.id).unwrap().spec.enforced_guardrail.as_ref();
                if let Some(enforced) = enforced
                    && enforced.except.iter().all(|other| other.name.value != *model.name())
                {
                    asked.push(of_guardrail(enforced.guardrail.name.value.as_str(), &call.source, caller));
                }
                asked
            }
            (Object::Connector(id), _) => {
                let connector = self.graph.resource(*id).unwrap();
                of_connector(&connector.spec, request.action == Action::WriteConnector, caller)
            }
            _ => Vec::new(),
        }
    }

    /// The guardrail that a workload names in its calls.
    fn named_guardrail(&self, principal: Principal) -> Option<&'b str> {
        let Principal::Workload(id) = principal else { return None };
        let uses = self.graph.resource(id).unwrap().spec.uses.as_ref()?;
        uses.guardrail.as_ref().map(|named| named.name.value.as_str())
    }

    /// What an agent on Agents Classic passes, where it runs.
    fn passed_by_agent(&self, request: &AccessRequest) -> Option<Asked> {
        let Principal::Agent(id) = request.principal else { return None };
        let agent = &self.graph.resource(id).unwrap().spec;
        let named = agent.guardrail.as_ref().filter(|_| is_classic(agent))?;
        let first = &self.graph.resource(self.id).unwrap().spec.aws.regions[0];
        let region = agent.region.as_ref().unwrap_or(first).value.as_str();
        Some(of_guardrail(named.name.value.as_str(), region, self.caller(request.tenant)))
    }

    /// The roles that carry out a request, by what stands behind the environment in their names. An agent calls its model
    /// itself; its tools are called by the role that they share, or by that of their gate.
    fn carried_out_by(&self, request: &AccessRequest) -> Vec<String> {
        match request.principal {
            Principal::Agent(id) => self.of_agent(
                self.graph.resource(id).map(|agent| (agent.name().as_str(), &agent.spec)).unwrap(),
                request,
            ),
            Principal::Workload(id) => vec![format!("workload-{}", self.graph.name(id))],
            Principal::Gateway(id) => vec![format!("gateway-{}", self.graph.name(id))],
            Principal::Tenant(_) | Principal::Route(_) | Principal::Environment(_) => Vec::new(),
        }
    }

    fn of_agent(&self, (name, agent): (&str, &AgentSpec), request: &AccessRequest) -> Vec<String> {
        let own = vec![format!("agent-{name}")];
        let (Object::Connector(connector), Circumstances::Connector { gate, .. }) =
            (&request.object, &request.circumstances)
        else {
            return own;
        };
        if *gate == CREDENTIAL {
            return self.of_credential((name, agent), request);
        }
        let connector = &self.graph.resource(*connector).unwrap().spec;
        let asks = |tool: &&Tool| match tool.gate.as_ref().map(|gate| &gate.value) {
            Some(Gate::Verify(verify)) if *gate == VERIFICATION => verify.with.name.span == request.span,
            _ => tool.connector.name.span == request.span,
        };
        let role = |tool: &Tool| match tool.gate.as_ref().map(|gate| &gate.value) {
            Some(Gate::Approval(_) | Gate::Verify(_)) => format!("gate-{name}-{}", tool.name.value),
            // Agents Classic asks a knowledge base itself.
            None if is_classic(agent)
                && matches!(connector.kind, ConnectorKind::KnowledgeBase(_))
                && tool.input.is_none() =>
            {
                format!("agent-{name}")
            }
            Some(Gate::Confirm) | None => format!("tools-{name}"),
        };
        agent.tools.iter().filter(asks).map(role).collect()
    }

    /// An MCP server is called by the gateway of the agent, which proves with the secret who calls.
    fn of_credential(&self, (name, agent): (&str, &AgentSpec), request: &AccessRequest) -> Vec<String> {
        let of_server = |tool: &Tool| {
            let server = &self.graph.get(&tool.connector).unwrap().spec.kind;
            matches!(server, ConnectorKind::Mcp(_))
                && matches!(server.auth(), Some(ServerAuth::Secret(secret)) if secret.name.span == request.span)
        };
        match agent.tools.iter().any(of_server) {
            true => vec![format!("gateway-{name}-tools")],
            false => vec![format!("agent-{name}")],
        }
    }

    /// What the roles that start an agent ask: of the queue that starts it, of the one for what fails, and of the key of
    /// the table of starts, which is that of the queue.
    fn started_by(&self, request: &AccessRequest) -> Vec<(String, Vec<Asked>)> {
        let (Principal::Agent(id), Circumstances::Trigger(at)) = (request.principal, &request.circumstances)
        else {
            return Vec::new();
        };
        let agent = self.graph.resource(id).unwrap();
        let trigger = &agent.spec.triggers[*at];
        let (word, queue, failed) = match &trigger.source {
            TriggerSource::Sqs(source) => ("sqs", Some(&source.queue), None),
            TriggerSource::Sns(source) => ("sns", None, source.dead_letter.as_ref()),
            TriggerSource::EventBridge(source) => ("event-bridge", None, source.dead_letter.as_ref()),
            TriggerSource::Schedule(source) => ("schedule", None, source.dead_letter.as_ref()),
        };
        let name = trigger.name.as_ref().map_or(word.to_owned(), |name| name.value.to_string());
        let caller = self.caller(request.tenant);
        let queues = queue.map(|queue| (queue, false)).into_iter().chain(failed.map(|queue| (queue, true)));
        let started = queues.flat_map(|(queue, write)| {
            let queue = &self.graph.get(queue).unwrap().spec;
            [of_connector(queue, write, caller), of_table_of_starts(queue)].concat()
        });
        let scheduled = failed.filter(|_| word == "schedule").map(|queue| {
            let asked = of_connector(&self.graph.get(queue).unwrap().spec, true, caller);
            (format!("schedule-{}-{name}", agent.name()), asked)
        });
        [(format!("trigger-{}-{name}", agent.name()), started.collect())]
            .into_iter()
            .chain(scheduled)
            .collect()
    }

    /// What anybody might ask here: every connector read and written by every tenant, and every call of a model that
    /// somebody was granted, also as if no tenant were charged for it.
    fn all(&self, built: &Built) -> BTreeSet<Asked> {
        let mut all = BTreeSet::new();
        let tenants: Vec<_> = self.graph.each::<TenantSpec>().map(|(id, _)| id).collect();
        for (_, connector) in self.graph.each::<ConnectorSpec>() {
            for (tenant, write) in tenants.iter().flat_map(|tenant| [(tenant, false), (tenant, true)]) {
                all.extend(of_connector(&connector.spec, write, self.caller(Some(*tenant))));
            }
        }
        let decisions = built.compilation.decisions.of(self.id);
        for request in decisions.map(|decision| &decision.request) {
            all.extend(self.asked(request));
            if let (Object::Model(id), Circumstances::Invocation(call)) =
                (&request.object, &request.circumstances)
            {
                let model = self.graph.resource(*id).unwrap();
                all.extend(of_call(&model.spec, call, self.caller(request.tenant)));
            }
        }
        all
    }
}

fn is_classic(agent: &AgentSpec) -> bool {
    agent.runtime.as_ref().is_some_and(|runtime| runtime.value == AgentRuntime::BedrockAgents)
}

/// The documents of an environment, by kind and name.
struct Documents<'b>(BTreeMap<(&'b str, &'b str), Value>);

impl<'b> Documents<'b> {
    fn of(built: &'b Built, environment: &str) -> Self {
        let (_, artifacts) = built.artifacts.iter().find(|(name, _)| name == environment).unwrap();
        let iam = artifacts.iter().map(|one| &one.document).filter(|one| one.address.target == "iam");
        let read = |one: &'b aipolicy_targets::artifact::Document| {
            ((one.address.kind.as_str(), one.address.name.as_str()), serde_json::from_str(&one.text).unwrap())
        };
        Self(iam.map(read).collect())
    }

    fn roles(&self) -> impl Iterator<Item = &'b str> {
        self.0.keys().filter(|(kind, _)| *kind == "Role").map(|(_, name)| *name)
    }

    fn policy(&self, arn: &Value) -> Value {
        let arn = arn.as_str().unwrap_or_else(|| arn["PermissionsBoundaryArn"].as_str().unwrap());
        self.0[&("Policy", arn.rsplit('/').next().unwrap())]["PolicyDocument"].clone()
    }

    /// The service control policy of the account.
    fn control(&self) -> Option<Value> {
        let (_, document) = self.0.iter().find(|((kind, _), _)| *kind == CONTROL)?;
        Some(document["Content"].clone())
    }

    /// A role asks.
    fn case(&self, role: &str, asked: &Asked, account: &str) -> Case {
        let document = &self.0[&("Role", role)];
        let inline =
            document["Policies"].as_array().into_iter().flatten().map(|one| one["PolicyDocument"].clone());
        let attached = document["AttachedManagedPolicies"].as_array().into_iter().flatten();
        let principal = format!("arn:aws:iam::{account}:role{}{role}", document["Path"].as_str().unwrap());
        let mut context: Map<String, Value> =
            asked.context.iter().map(|(key, values)| (key.clone(), said(key, values))).collect();
        context.insert("aws:PrincipalArn".to_owned(), json!(principal));
        context.insert("aws:PrincipalAccount".to_owned(), json!(account));
        context.insert("aws:SecureTransport".to_owned(), json!("true"));
        let owner = asked.resource.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(account);
        Case {
            principal,
            owner: owner.to_owned(),
            action: asked.action.to_owned(),
            resource: asked.resource.clone(),
            context,
            identity: attached.map(|arn| self.policy(arn)).chain(inline).collect(),
            boundary: document.get("PermissionsBoundary").map(|arn| self.policy(arn)),
            service_control: self.control().into_iter().map(|control| vec![full_access(), control]).collect(),
            resource_policy: asked.action.starts_with("kms:").then(|| of_account(owner)),
            ..Case::default()
        }
    }
}

/// The policy that AWS attaches to every account.
fn full_access() -> Value {
    json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } })
}

/// The policy of a key that leaves it to the policies of its account, as AWS makes it.
fn of_account(account: &str) -> Value {
    let root = json!({ "AWS": format!("arn:aws:iam::{account}:root") });
    json!({ "Statement": { "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*" } })
}

fn said(key: &str, values: &[String]) -> Value {
    match values {
        [value] if key != "dynamodb:LeadingKeys" => json!(value),
        values => json!(values),
    }
}
