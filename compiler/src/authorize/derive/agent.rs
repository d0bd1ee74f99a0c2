//! Requests of agents: their model, tools, memory, collaborators, and what their runtime needs.

use std::sync::Arc;

use super::{Asker, Call, Group, gate_word, highest, home_region, resting};
use crate::ir::{
    AccessRequest, Action, CREDENTIAL, Circumstances, Object, Principal, ROLE, Storage, VERIFICATION,
};
use crate::model::agent::{Access, AgentClient, AgentModel, AgentSpec, Callers, Gate, Tool};
use crate::model::connector::{ConnectorSpec, ServerAuth};
use crate::model::data_class::DataClassSpec;
use crate::model::reference::Ref;
use crate::model::trigger::AgentTrigger;
use crate::model::{Id, Resource};
use crate::resolve::{Graph, StorePlace};

pub(super) fn groups(graph: &Graph) -> impl Iterator<Item = Group> {
    super::agents(graph).map(|(id, agent)| group(graph, id, agent))
}

fn group(graph: &Graph, id: Id<AgentSpec>, agent: &Resource<AgentSpec>) -> Group {
    // Whose tenant is not there cannot be asked about, and that has been reported.
    if graph.get(&agent.spec.tenant).is_none() {
        return Vec::new();
    }
    let asker = |environment| Asker {
        graph,
        principal: Principal::Agent(id),
        environment,
        tenant: agent.spec.tenant.id(),
    };
    let places = graph.places_of_agent(&agent.spec);
    places.into_iter().flat_map(|environment| Asks { asker: asker(environment), id, agent }.all()).collect()
}

struct Asks<'g> {
    asker: Asker<'g>,
    id: Id<AgentSpec>,
    agent: &'g Resource<AgentSpec>,
}

impl<'g> Asks<'g> {
    fn all(&self) -> Group {
        let mut all = self.model();
        for (at, tool) in self.agent.spec.tools.iter().enumerate() {
            all.extend(self.tool(at, tool));
        }
        all.push(self.session());
        let client = self.agent.spec.callers.as_ref().map(|callers| callers.value.client());
        let secret = |client: &AgentClient| self.connector(Action::ReadConnector, &client.secret, CREDENTIAL);
        all.extend(client.and_then(secret));
        all.extend(self.memory());
        all.extend(self.collaborators());
        all.push(self.support("role"));
        for (at, trigger) in self.agent.spec.triggers.iter().enumerate() {
            all.extend(self.trigger(at, trigger));
        }
        all
    }

    /// The start by a trigger, the messages that it takes, and what Lambda holds of what it is handed, under a key of AWS.
    fn trigger(&self, at: usize, trigger: &AgentTrigger) -> impl Iterator<Item = AccessRequest> {
        let object = Object::Environment(self.asker.environment);
        let start =
            self.asker.ask(Action::SupportRuntime, (object, Circumstances::Trigger(at)), trigger.span());
        let taken = trigger.queue().and_then(|queue| self.connector(Action::ReadConnector, queue, "none"));
        let held = trigger.is_handed_over().then(|| {
            let mut storage = resting("executions", self.class());
            storage.retention_days = Some(1);
            self.asker.store(self.region(), storage, trigger.span())
        });
        [start].into_iter().chain(taken).chain(held)
    }

    fn region(&self) -> &'g str {
        match &self.agent.spec.region {
            Some(region) => region.value.as_str(),
            None => home_region(self.asker.graph, self.asker.environment),
        }
    }

    /// The most sensitive data that it may handle: its clearance, or that of its tenant.
    fn class(&self) -> Id<DataClassSpec> {
        let graph = self.asker.graph;
        let tenant = graph.get(&self.agent.spec.tenant).map(|tenant| tenant.spec.clearance.as_slice());
        let own = self.agent.spec.clearance.as_slice();
        let classes = if own.is_empty() { tenant.unwrap_or_default() } else { own };
        highest(graph, classes.iter().filter_map(Ref::id))
    }

    fn model(&self) -> Group {
        match &self.agent.spec.model.value {
            AgentModel::Model(model) => {
                let call = Call { model, route: None, fallback: false, class: self.class() };
                self.asker.invoke(&call, self.region())
            }
            AgentModel::Route(route) => {
                route.id().map(|id| self.asker.route(id, route.name.span)).into_iter().collect()
            }
        }
    }

    /// The call of a tool, the use of its connector, and what its gate calls before.
    fn tool(&self, at: usize, tool: &Tool) -> Group {
        let gate = tool.gate.as_ref().map(|gate| &gate.value);
        let word = gate_word(gate);
        let access = tool.access.value;
        let action = match access {
            Access::Read => Action::ReadConnector,
            Access::Write => Action::WriteConnector,
        };
        let Some(used) = self.connector(action, &tool.connector, word) else { return Vec::new() };
        let executions = self.executions(tool);
        let call =
            (Object::Tool(self.id, at), Circumstances::Tool { access, gate: word, callers: self.callers() });
        let verification = match gate {
            Some(Gate::Verify(verify)) => self.connector(Action::ReadConnector, &verify.with, VERIFICATION),
            Some(Gate::Approval(_) | Gate::Confirm) | None => None,
        };
        let call = self.asker.ask(Action::CallTool, call, tool.name.span);
        let credential = self.credential(tool);
        [call, used].into_iter().chain(verification).chain(credential).chain(executions).collect()
    }

    /// The secret that holds the credential for the server behind a tool.
    fn credential(&self, tool: &Tool) -> Option<AccessRequest> {
        match self.asker.graph.get(&tool.connector)?.spec.kind.auth()? {
            ServerAuth::Secret(secret) => self.connector(Action::ReadConnector, secret, CREDENTIAL),
            ServerAuth::Connection(_) => None,
        }
    }

    /// Who may call, in words: everything that widens or narrows it.
    fn callers(&self) -> Arc<str> {
        let Some(Callers::Jwt(callers)) = self.agent.spec.callers.as_ref().map(|callers| &callers.value)
        else {
            return ROLE.into();
        };
        callers.to_string().into()
    }

    fn connector(
        &self,
        action: Action,
        reference: &Ref<ConnectorSpec>,
        gate: &'static str,
    ) -> Option<AccessRequest> {
        let id = reference.id()?;
        let class = self.asker.graph.resource(id)?.spec.data_class.id().unwrap_or(Id::new(0));
        let residency = self.asker.graph.residency(class, self.asker.tenant);
        let circumstances = Circumstances::Connector { gate, residency };
        Some(self.asker.ask(action, (Object::Connector(id), circumstances), reference.name.span))
    }

    /// What the service that runs it holds while a session lasts, in its own region.
    fn session(&self) -> AccessRequest {
        let storage = self.kept(StorePlace::Session, resting("session", self.class()), self.region());
        let written = self.agent.spec.region.as_ref().map(|region| region.span);
        self.asker.store(self.region(), storage, written.unwrap_or(self.agent.name_span()))
    }

    /// The history of the calls that a gate decides about, and the queue in which they wait for approval. The calls of
    /// the other tools leave nothing behind.
    fn executions(&self, tool: &Tool) -> Option<AccessRequest> {
        let gate = tool.gate.as_ref()?;
        let shared = match &gate.value {
            Gate::Approval(_) => true,
            Gate::Verify(_) => false,
            Gate::Confirm => return None,
        };
        let mut storage = self.kept(StorePlace::Session, resting("executions", self.class()), self.region());
        storage.retention_days = self.asker.graph.catalog().limit("stepFunctions.historyDays");
        let connector = self.asker.graph.get(&tool.connector)?;
        storage.customer_managed_key |= !shared && connector.spec.encryption.is_some();
        Some(self.asker.store(self.region(), storage, gate.span))
    }

    /// What the environment says about the place where a service keeps content in a region.
    fn kept(&self, place: StorePlace, mut storage: Storage, region: &str) -> Storage {
        if let Some((id, store)) = self.asker.graph.kept(self.asker.environment, place, region) {
            storage.customer_managed_key = store.spec.encryption.is_some();
            storage.retention_days = store.spec.retention.as_ref().map(|retention| retention.value.days());
            storage.store = Some(id);
        }
        storage
    }

    fn memory(&self) -> Option<AccessRequest> {
        let memory = self.agent.spec.memory.as_ref()?;
        let region = memory.region.as_ref().map_or(self.region(), |region| region.value.as_str());
        let mut storage = self.kept(StorePlace::Memory, resting("memory", self.class()), region);
        storage.retention_days = memory.retention.as_ref().map(|retention| retention.value.days());
        let written = memory.region.as_ref().map(|region| region.span);
        let span = written.or(memory.retention.as_ref().map(|retention| retention.span));
        Some(self.asker.store(region, storage, span.unwrap_or(self.agent.name_span())))
    }

    fn collaborators(&self) -> impl Iterator<Item = AccessRequest> {
        self.agent.spec.collaborators.iter().filter_map(|other| {
            let id = other.agent.id()?;
            let off = self.asker.graph.resource(id).and_then(|other| other.spec.switched_off());
            if off.is_some() {
                return None;
            }
            let object = Object::Agent(id);
            Some(self.asker.ask(Action::Delegate, (object, Circumstances::Plain), other.agent.name.span))
        })
    }

    fn support(&self, need: &'static str) -> AccessRequest {
        let object = Object::Environment(self.asker.environment);
        self.asker.ask(Action::SupportRuntime, (object, Circumstances::Support(need)), self.agent.name_span())
    }
}
