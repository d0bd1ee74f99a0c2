//! The circumstances of a request as the context that Cedar sees.

use super::entities::uid_of;
use super::shared::Shared;
use super::value::{Value, bool, clamped, entity, long, set, string};
use crate::ir::{AccessRequest, Circumstances, Invocation, Object, Principal, ROLE, Storage};
use crate::model::agent::InputTrust;
use crate::model::data_class::DataClassSpec;
use crate::model::guardrail::GuardrailSpec;
use crate::model::model::{ModelProvider, ModelSpec};
use crate::model::{Id, Ref};
use crate::resolve::{Graph, Residency, class_rank};

type Pairs = Vec<(&'static str, Value)>;

/// The context of a request, or why there is none.
pub(super) fn pairs(shared: &Shared<'_>, request: &AccessRequest) -> Result<Pairs, String> {
    let graph = shared.graph;
    let mut pairs = Pairs::with_capacity(16);
    put(&mut pairs, "environment", entity(uid_of(graph, request.environment)));
    put(&mut pairs, "today", shared.today.clone()?);
    match &request.circumstances {
        Circumstances::Invocation(call) => invocation(shared, request, call, &mut pairs),
        Circumstances::Connector { gate, residency } => {
            put(&mut pairs, "gate", string(gate));
            connector(shared, &request.object, &mut pairs);
            rules(shared, residency.as_deref(), &mut pairs);
        }
        Circumstances::Tool { access, gate, .. } => {
            put(&mut pairs, "access", string(access.word()));
            put(&mut pairs, "gate", string(gate));
            tool(graph, &request.object, &mut pairs);
        }
        Circumstances::Storage(content) => storage(shared, request, content, &mut pairs),
        Circumstances::Placement { class: highest, residency } => {
            class(graph, *highest, &mut pairs);
            rules(shared, residency.as_deref(), &mut pairs);
        }
        Circumstances::Namespace { name, class: highest, residency } => {
            put(&mut pairs, "namespace", string(name));
            class(graph, *highest, &mut pairs);
            rules(shared, residency.as_deref(), &mut pairs);
        }
        Circumstances::Support(need) => put(&mut pairs, "need", string(need)),
        Circumstances::Trigger(_) => {
            put(&mut pairs, "need", string("trigger"));
            if let Some(trigger) = request.trigger(graph) {
                put(&mut pairs, "trigger", string(trigger.word()));
            }
        }
        Circumstances::Route { residency } => {
            if let Some(tenant) = request.tenant {
                put(&mut pairs, "tenant", entity(uid_of(graph, tenant)));
            }
            rules(shared, residency.as_deref(), &mut pairs);
        }
        Circumstances::Plain => {}
    }
    Ok(pairs)
}

fn put(pairs: &mut Pairs, key: &'static str, value: Value) {
    pairs.push((key, value));
}

fn class(graph: &Graph, class: Id<DataClassSpec>, pairs: &mut Pairs) {
    put(pairs, "dataClass", string(graph.name(class)));
    put(pairs, "dataClassRank", long(class_rank(graph, class)));
}

fn place(shared: &Shared<'_>, region: &str, pairs: &mut Pairs) {
    put(pairs, "region", string(region));
    put(pairs, "jurisdictions", shared.jurisdictions(region));
}

fn rules(shared: &Shared<'_>, residency: Option<&Residency>, pairs: &mut Pairs) {
    if let Some(residency) = residency {
        put(pairs, "residency", shared.residency(residency));
    }
}

fn invocation(shared: &Shared<'_>, request: &AccessRequest, call: &Invocation, pairs: &mut Pairs) {
    let graph = shared.graph;
    place(shared, &call.region, pairs);
    class(graph, call.class, pairs);
    put(pairs, "sourceRegion", string(&call.source));
    put(pairs, "crossRegion", bool(call.region != call.source));
    put(pairs, "direct", bool(call.route.is_none()));
    put(pairs, "fallback", bool(call.fallback));
    if let Some(profile) = &call.profile {
        put(pairs, "profile", string(profile));
    }
    if let Object::Model(id) = request.object
        && let Some(model) = graph.resource(id)
    {
        let offered = graph.offered(&model.spec, &call.source);
        pairs.extend(offered.map(|offered| ("offered", bool(offered))));
        let guardrail = guardrail(graph, request, (id, &model.spec));
        pairs.extend(guardrail.map(|named| ("guardrail", string(named.name.value.as_str()))));
    }
    if let Some(route) = call.route {
        put(pairs, "route", entity(uid_of(graph, route)));
    }
    if let Some(tenant) = request.tenant {
        put(pairs, "tenant", entity(uid_of(graph, tenant)));
    }
    rules(shared, call.residency.as_deref(), pairs);
}

/// The guardrail that a call has to pass, whatever its code says: the one that the caller names, or else the one that the
/// environment enforces. Nothing demands one at other endpoints than `bedrock-runtime`.
fn guardrail<'g>(
    graph: &'g Graph,
    request: &AccessRequest,
    (id, model): (Id<ModelSpec>, &ModelSpec),
) -> Option<&'g Ref<GuardrailSpec>> {
    if model.provider.value != ModelProvider::Bedrock {
        return None;
    }
    let named = match request.principal {
        Principal::Workload(id) => {
            graph.resource(id).and_then(|found| found.spec.uses.as_ref()?.guardrail.as_ref())
        }
        Principal::Agent(id) => graph.resource(id).and_then(|found| found.spec.guardrail.as_ref()),
        Principal::Gateway(_) | Principal::Tenant(_) | Principal::Environment(_) | Principal::Route(_) => {
            None
        }
    };
    let enforced =
        graph.resource(request.environment).and_then(|place| place.spec.enforced_guardrail.as_ref());
    let enforced = enforced.filter(|enforced| !enforced.except.iter().any(|one| one.id() == Some(id)));
    named.or(enforced.map(|enforced| &enforced.guardrail))
}

fn connector(shared: &Shared<'_>, object: &Object, pairs: &mut Pairs) {
    let Object::Connector(id) = object else { return };
    let Some(found) = shared.graph.resource(*id) else { return };
    place(shared, found.spec.region.value.as_str(), pairs);
    class(shared.graph, found.spec.data_class.id().unwrap_or(Id::new(0)), pairs);
}

fn tool(graph: &Graph, object: &Object, pairs: &mut Pairs) {
    let Object::Tool(agent, at) = object else { return };
    let Some(agent) = graph.resource(*agent) else { return };
    let Some(tool) = agent.spec.tools.get(*at) else { return };
    put(pairs, "callers", string(agent.spec.callers.as_ref().map_or(ROLE, |callers| callers.value.word())));
    if let Some(connector) = graph.get(&tool.connector) {
        class(graph, connector.spec.data_class.id().unwrap_or(Id::new(0)), pairs);
    }
    put(pairs, "inputs", set(tool.allow.0.keys().map(String::as_str)));
    put(pairs, "schema", bool(tool.input.is_some() || tool.operation.is_some()));
    put(pairs, "idempotent", bool(tool.idempotency_key.is_some()));
    let input = tool.trust.as_ref().and_then(|trust| trust.input.as_ref());
    put(pairs, "untrusted", bool(input.is_some_and(|word| word.value == InputTrust::Untrusted)));
}

fn storage(shared: &Shared<'_>, request: &AccessRequest, content: &Storage, pairs: &mut Pairs) {
    let graph = shared.graph;
    put(pairs, "place", string(content.place));
    class(graph, content.class, pairs);
    put(pairs, "customerManagedKey", bool(content.customer_managed_key));
    put(pairs, "immutable", bool(content.immutable));
    if let Some(days) = content.retention_days {
        put(pairs, "retentionDays", clamped(days));
    }
    let residency = content.residency.as_deref();
    if let Some(days) = residency.and_then(|residency| residency.retention.at_most(content.place)) {
        put(pairs, "retentionAtMost", clamped(days));
    }
    if let Some(days) = residency.and_then(|residency| residency.retention_at_least.at_least(content.place)) {
        put(pairs, "retentionAtLeast", clamped(days));
    }
    if let Some(store) = content.store {
        put(pairs, "store", entity(uid_of(graph, store)));
    }
    if let Some(tenant) = request.tenant {
        put(pairs, "tenant", entity(uid_of(graph, tenant)));
    }
    rules(shared, content.residency.as_deref(), pairs);
}
