//! Requests of workloads: placement, routes, models, connectors, and what their runtime needs.

use super::{Asker, Call, Group, highest, home_region};
use crate::ir::{AccessRequest, Action, Circumstances, Object, Principal};
use crate::model::agent::Access;
use crate::model::data_class::DataClassSpec;
use crate::model::reference::Ref;
use crate::model::workload::{Platform, WorkloadSpec};
use crate::model::{Id, Resource};
use crate::resolve::Graph;

pub(super) fn groups(graph: &Graph) -> impl Iterator<Item = Group> {
    graph.each::<WorkloadSpec>().map(|(id, workload)| group(graph, id, workload))
}

fn group(graph: &Graph, id: Id<WorkloadSpec>, workload: &Resource<WorkloadSpec>) -> Group {
    let tenant = workload.spec.tenant.id();
    let asker = |environment| Asker { graph, principal: Principal::Workload(id), environment, tenant };
    let asks = |environment| Asks { asker: asker(environment), workload }.all();
    graph.places_of_workload(&workload.spec).into_iter().flat_map(asks).collect()
}

struct Asks<'g> {
    asker: Asker<'g>,
    workload: &'g Resource<WorkloadSpec>,
}

impl<'g> Asks<'g> {
    fn all(&self) -> Group {
        let mut all: Group = self.placement().into_iter().collect();
        all.extend(self.routes());
        all.extend(self.models());
        all.extend(self.connectors());
        all.push(self.support("role"));
        if self.workload.spec.image.is_some() {
            all.push(self.support("image"));
        }
        if self.workload.spec.consumes.is_some() {
            all.push(self.support("trigger"));
        }
        all
    }

    fn region(&self) -> &'g str {
        let cluster = self.workload.spec.cluster.as_ref().and_then(|cluster| self.asker.graph.get(cluster));
        cluster.map_or_else(
            || home_region(self.asker.graph, self.asker.environment),
            |cluster| cluster.spec.region.value.as_str(),
        )
    }

    fn class(&self) -> Id<DataClassSpec> {
        let graph = self.asker.graph;
        let tenant = graph.get(&self.workload.spec.tenant).map(|tenant| tenant.spec.clearance.as_slice());
        highest(graph, tenant.unwrap_or_default().iter().filter_map(Ref::id))
    }

    /// On its cluster; on Lambda, in the region of the environment.
    fn placement(&self) -> Option<AccessRequest> {
        let platform = &self.workload.spec.platform;
        let (object, span) = match platform.value {
            Platform::Eks => {
                let cluster = self.workload.spec.cluster.as_ref()?;
                (Object::Cluster(cluster.id()?), cluster.name.span)
            }
            Platform::Lambda => (Object::Region(self.region().into()), platform.span),
        };
        Some(self.asker.placed(object, self.class(), span))
    }

    fn routes(&self) -> impl Iterator<Item = AccessRequest> {
        let routes = self.workload.spec.uses.iter().flat_map(|uses| &uses.routes);
        routes.filter_map(|route| Some(self.asker.route(route.id()?, route.name.span)))
    }

    fn models(&self) -> impl Iterator<Item = AccessRequest> {
        let models = self.workload.spec.uses.iter().flat_map(|uses| &uses.models);
        models.flat_map(|model| {
            let call = Call { model, route: None, fallback: false, class: self.class() };
            self.asker.invoke(&call, self.region())
        })
    }

    fn connectors(&self) -> impl Iterator<Item = AccessRequest> {
        let used = self.workload.spec.uses.iter().flat_map(|uses| &uses.connectors);
        used.filter_map(|used| {
            let id = used.connector.id()?;
            let class = self.asker.graph.resource(id)?.spec.data_class.id().unwrap_or(Id::new(0));
            let residency = self.asker.graph.residency(class, self.asker.tenant);
            let action = match used.access.value {
                Access::Read => Action::ReadConnector,
                Access::Write => Action::WriteConnector,
            };
            let circumstances = Circumstances::Connector { gate: "none", residency };
            Some(self.asker.ask(action, (Object::Connector(id), circumstances), used.connector.name.span))
        })
    }

    fn support(&self, need: &'static str) -> AccessRequest {
        let object = Object::Environment(self.asker.environment);
        self.asker.ask(
            Action::SupportRuntime,
            (object, Circumstances::Support(need)),
            self.workload.name_span(),
        )
    }
}
