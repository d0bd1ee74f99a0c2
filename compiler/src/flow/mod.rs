//! Where content goes: every way from whoever has it to a place where it is processed or kept, and whether residency
//! rules allow the place.
//!
//! It follows what resources say, and not the requests that `authorize` derives from them: a place that is forgotten there
//! is a difference here. Content has the class that the resource declares which takes it (the clearance of an agent, the
//! class of a route or of a connector), and stays that of the tenant that it came from.

mod agent;
mod connector;
mod environment;
mod path;
mod route;
mod workload;

use std::rc::Rc;

pub use path::{Count, End, Leak, Step};

use crate::model::data_class::DataClassSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::model::ModelSpec;
use crate::model::reference::Ref;
use crate::model::residency_rule::ResidencyRuleSpec;
use crate::model::tenant::TenantSpec;
use crate::model::{Id, Resource};
use crate::resolve::{Graph, class_rank};
use crate::source::Span;
use path::Node;

/// What was found about an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residence<'g> {
    /// How many ways there are.
    pub count: Count,
    /// For each start from which content leaks, the shortest way; the shortest of all first.
    pub leaks: Vec<Leak<'g>>,
    /// Ways that come back to where they have been, so that they have no end: the step that comes back.
    pub endless: Vec<Step<'g>>,
    /// How many residency rules there are.
    pub rules: usize,
}

impl Residence<'_> {
    /// Whether every way was followed to its end, and each end is allowed. Where there are no rules, or no ways, nothing
    /// was shown.
    pub fn holds(&self) -> bool {
        let is_about_something = self.rules > 0 && self.count.held.saturating_add(self.count.free) > 0;
        is_about_something && self.count.leaks == 0 && self.endless.is_empty()
    }
}

/// Follows all content of an environment.
pub fn follow(graph: &Graph, environment: Id<EnvironmentSpec>) -> Residence<'_> {
    let mut flow = Flow { graph, environment, endless: Vec::new() };
    let mut starts = agent::starts(&mut flow);
    starts.extend(workload::starts(&mut flow));
    starts.extend(route::starts(&mut flow));
    starts.extend(environment::starts(&flow));
    let mut count = Count::default();
    starts.iter().for_each(|start| count += start.count);
    let mut leaks: Vec<_> = starts.iter().filter_map(|start| start.shortest_leak()).collect();
    leaks.sort_by_key(|leak| leak.steps.len());
    let rules = graph.each::<ResidencyRuleSpec>().count();
    Residence { count, leaks, endless: flow.endless, rules }
}

/// What is followed, and where.
struct Flow<'g> {
    graph: &'g Graph,
    environment: Id<EnvironmentSpec>,
    endless: Vec<Step<'g>>,
}

/// Content of a class that came from a tenant; from nobody in particular where there is none.
#[derive(Clone, Copy)]
struct Content {
    class: Id<DataClassSpec>,
    tenant: Option<Id<TenantSpec>>,
}

impl Content {
    /// The same content, where a resource takes it that declares a class.
    fn declared(self, class: &Ref<DataClassSpec>) -> Self {
        Self { class: class.id().unwrap_or_else(public), ..self }
    }
}

/// The least sensitive class, which is built in and the first.
fn public() -> Id<DataClassSpec> {
    Id::new(0)
}

type Way<'g> = Rc<Node<'g>>;

impl<'g> Flow<'g> {
    /// Content that is processed or kept in a region.
    fn rests(&self, content: Content, step: Step<'g>, region: &str) -> Way<'g> {
        Node::end(step, End::at(region, self.graph.residency(content.class, content.tenant)))
    }

    /// A call of a model from a region.
    fn calls(
        &self,
        content: Content,
        (what, model): (&'static str, &'g Ref<ModelSpec>),
        from: &str,
    ) -> Option<Way<'g>> {
        let found = self.graph.get(model)?;
        let ends = self.graph.processing(&found.spec, from).into_iter().map(|call| {
            let step = step("is processed", "", self.graph.inference_span(&found.spec));
            Node::end(step, End::of_call(call, self.graph.residency(content.class, content.tenant)))
        });
        Some(Node::new(step(what, found.name().as_str(), model.name.span), ends.collect()))
    }

    fn is_here(&self, environments: &[Id<EnvironmentSpec>]) -> bool {
        environments.contains(&self.environment)
    }

    /// The region of what does not say where it is: the first of the environment.
    fn home(&self) -> &'g str {
        let environment = self.graph.resource(self.environment);
        let first = environment.and_then(|found| found.spec.aws.regions.first());
        first.map_or("unknown", |region| region.value.as_str())
    }

    /// The most sensitive of some classes.
    fn most_sensitive(&self, classes: impl Iterator<Item = Id<DataClassSpec>>) -> Id<DataClassSpec> {
        classes.max_by_key(|class| (class_rank(self.graph, *class), *class)).unwrap_or_else(public)
    }

    fn clearance(&self, tenant: &Ref<TenantSpec>) -> &'g [Ref<DataClassSpec>] {
        self.graph.get(tenant).map_or(&[], |tenant| tenant.spec.clearance.as_slice())
    }
}

fn step<'g>(what: &'static str, name: &'g str, span: Span) -> Step<'g> {
    Step { what, name, span }
}

/// The step at which content is with a resource from the start.
fn start<'g, S>(what: &'static str, found: &'g Resource<S>) -> Step<'g> {
    step(what, found.name().as_str(), found.name_span())
}
