//! The circumstances of a request as the context that Cedar sees.

use cedar_policy::RestrictedExpression as Value;

use super::entities::uid_of;
use super::value::{bool, clamped, datetime, entity, long, record, set, string};
use crate::ir::{AccessRequest, Circumstances, Invocation, Object, Storage};
use crate::model::Id;
use crate::model::data_class::DataClassSpec;
use crate::resolve::{Graph, Residency, class_rank};

type Pairs = Vec<(String, Value)>;

/// The context of a request on a day, written `2026-11-22`.
pub(super) fn pairs(graph: &Graph, request: &AccessRequest, today: &str) -> Pairs {
    let mut pairs = Pairs::with_capacity(16);
    put(&mut pairs, "environment", entity(uid_of(graph, request.environment)));
    put(&mut pairs, "today", datetime(today));
    match &request.circumstances {
        Circumstances::Invocation(call) => invocation(graph, request, call, &mut pairs),
        Circumstances::Connector { gate, residency } => {
            put(&mut pairs, "gate", string(gate));
            connector(graph, &request.object, &mut pairs);
            rules(graph, residency.as_deref(), &mut pairs);
        }
        Circumstances::Tool { access, gate } => {
            put(&mut pairs, "access", string(access.word()));
            put(&mut pairs, "gate", string(gate));
            tool(graph, &request.object, &mut pairs);
        }
        Circumstances::Storage(content) => storage(graph, request, content, &mut pairs),
        Circumstances::Placement(found) => class(graph, *found, &mut pairs),
        Circumstances::Namespace(namespace) => put(&mut pairs, "namespace", string(namespace)),
        Circumstances::Support(need) => put(&mut pairs, "need", string(need)),
        Circumstances::Plain => {
            if let (Object::Route(_), Some(tenant)) = (&request.object, request.tenant) {
                put(&mut pairs, "tenant", entity(uid_of(graph, tenant)));
            }
        }
    }
    pairs
}

fn put(pairs: &mut Pairs, key: &str, value: Value) {
    pairs.push((key.to_owned(), value));
}

fn class(graph: &Graph, class: Id<DataClassSpec>, pairs: &mut Pairs) {
    put(pairs, "dataClass", string(graph.name(class)));
    put(pairs, "dataClassRank", long(class_rank(graph, class)));
}

fn place(graph: &Graph, region: &str, pairs: &mut Pairs) {
    put(pairs, "region", string(region));
    let fact = graph.catalog().region(region);
    put(
        pairs,
        "jurisdictions",
        set(fact.into_iter().flat_map(|fact| &fact.jurisdictions).map(String::as_str)),
    );
}

fn rules(graph: &Graph, residency: Option<&Residency>, pairs: &mut Pairs) {
    let Some(residency) = residency else { return };
    let fields = vec![
        ("rules".to_owned(), set(residency.rules.iter().map(|rule| graph.name(*rule)))),
        ("regions".to_owned(), set(residency.regions.iter().map(String::as_str))),
        ("crossRegion".to_owned(), string(residency.cross_region.word())),
        ("providerRetention".to_owned(), bool(residency.provider_retention)),
        ("customerManagedKey".to_owned(), bool(residency.customer_managed_key)),
    ];
    put(pairs, "residency", record(fields));
}

fn invocation(graph: &Graph, request: &AccessRequest, call: &Invocation, pairs: &mut Pairs) {
    place(graph, &call.region, pairs);
    class(graph, call.class, pairs);
    put(pairs, "sourceRegion", string(&call.source));
    put(pairs, "crossRegion", bool(call.region != call.source));
    put(pairs, "direct", bool(call.route.is_none()));
    put(pairs, "fallback", bool(call.fallback));
    if let Some(profile) = &call.profile {
        put(pairs, "profile", string(profile));
    }
    if let Some(route) = call.route {
        put(pairs, "route", entity(uid_of(graph, route)));
    }
    if let Some(tenant) = request.tenant {
        put(pairs, "tenant", entity(uid_of(graph, tenant)));
    }
    rules(graph, call.residency.as_deref(), pairs);
}

fn connector(graph: &Graph, object: &Object, pairs: &mut Pairs) {
    let Object::Connector(id) = object else { return };
    let Some(found) = graph.resource(*id) else { return };
    place(graph, found.spec.region.value.as_str(), pairs);
    class(graph, found.spec.data_class.id().unwrap_or(Id::new(0)), pairs);
}

fn tool(graph: &Graph, object: &Object, pairs: &mut Pairs) {
    let Object::Tool(agent, at) = object else { return };
    let Some(tool) = graph.resource(*agent).and_then(|agent| agent.spec.tools.get(*at)) else { return };
    if let Some(connector) = graph.get(&tool.connector) {
        class(graph, connector.spec.data_class.id().unwrap_or(Id::new(0)), pairs);
    }
    put(pairs, "inputs", set(tool.allow.0.keys().map(String::as_str)));
    put(pairs, "schema", bool(tool.input.is_some()));
    put(pairs, "idempotent", bool(tool.idempotency_key.is_some()));
}

fn storage(graph: &Graph, request: &AccessRequest, content: &Storage, pairs: &mut Pairs) {
    put(pairs, "place", string(content.place));
    class(graph, content.class, pairs);
    put(pairs, "customerManagedKey", bool(content.customer_managed_key));
    put(pairs, "immutable", bool(content.immutable));
    if let Some(days) = content.retention_days {
        put(pairs, "retentionDays", clamped(days));
    }
    if let Some(store) = content.store {
        put(pairs, "store", entity(uid_of(graph, store)));
    }
    if let Some(tenant) = request.tenant {
        put(pairs, "tenant", entity(uid_of(graph, tenant)));
    }
    rules(graph, content.residency.as_deref(), pairs);
}
