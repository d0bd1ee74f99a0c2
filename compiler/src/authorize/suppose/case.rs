//! The cases of a `PolicyTest` as requests.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::Value;

use super::super::derive::supposed;
use super::super::entities::{self, Key};
use super::super::value::{bool, entity, long};
use super::{Hearing, Supposed, Taken};
use crate::diagnostic::Diagnostic;
use crate::ir::{AccessRequest, Action, Object, Principal};
use crate::model::Id;
use crate::model::agent::AgentSpec;
use crate::model::environment::EnvironmentSpec;
use crate::model::policy_test::{Entity, PolicyCase};
use crate::model::value::{Literal, OneOrMany, Texts};
use crate::resolve::Graph;
use crate::rule;
use crate::source::Span;

/// What keeps a case from being asked.
type Unclear = Box<Diagnostic>;

impl Hearing<'_> {
    /// The requests that a case means: each request of the workspace with this principal, action and resource, in each
    /// environment, or the one that the principal would make. A value of the context that some of them have chooses
    /// those; another one changes them all.
    pub fn case(&self, case: &PolicyCase) -> Result<Vec<Supposed>, Unclear> {
        let principal = self.principal(&case.principal)?;
        self.fits(case)?;
        let given = self.given(case)?;
        let place = self.environment(case)?;
        let action = case.action.value;
        let mut found = match action == Action::Change {
            true => vec![self.change(principal, case)?],
            false => self.asked(principal, (action, self.object(&case.resource)?), (place, case))?,
        };
        let attributes = self.attributes_of(case)?;
        found.iter_mut().for_each(|one| one.attributes.clone_from(&attributes));
        for (key, taken) in &given {
            let holds = |one: &Supposed| one.context.get(*key) == taken.value.as_ref();
            if found.iter().any(holds) {
                found.retain(holds);
            }
        }
        Ok(found.iter().map(|one| self.with(one, &given)).collect())
    }

    /// What the context says, but for the environment.
    fn given<'c>(&self, case: &'c PolicyCase) -> Result<Vec<(&'c str, Taken)>, Unclear> {
        let action = case.action.value;
        let named = case.context.0.iter().filter(|(key, _)| *key != "environment");
        let take = |(key, given): (&'c String, &'c crate::source::Spanned<_>)| {
            let known = || self.keys(action).into_iter().flat_map(|keys| keys.keys().map(|key| key.as_str()));
            self.take(action, key, &given.value).map(|taken| (key.as_str(), taken)).map_err(|why| {
                let found = cannot(given.span, why);
                match known().any(|one| one == key) {
                    true => found,
                    false => Box::new(found.help(match crate::yaml::nearest(key, known()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known are {}", known().collect::<Vec<_>>().join(", ")),
                    })),
                }
            })
        };
        named.map(take).collect()
    }

    /// What `entities` says.
    fn attributes_of(
        &self,
        case: &PolicyCase,
    ) -> Result<BTreeMap<EntityUid, BTreeMap<String, Option<Value>>>, Unclear> {
        let of = |(entity, given): &(Entity, Texts<OneOrMany<Literal>>)| {
            let uid = entities::uid(entity.kind, &entity.name.value);
            let found = self.attributes(&uid, given).map_err(|(key, why)| {
                let place = given.0.get(key).map_or(entity.name.span, |given| given.span);
                cannot(place, why)
            })?;
            Ok((uid, found))
        };
        case.entities.0.iter().map(of).collect()
    }

    /// The requests of the workspace, or those that nobody makes.
    fn asked(
        &self,
        principal: Principal,
        (action, object): (Action, Object),
        (place, case): (Option<Id<EnvironmentSpec>>, &PolicyCase),
    ) -> Result<Vec<Supposed>, Unclear> {
        let graph = self.court.graph;
        let own = entities::uid(principal.kind().word(), principal.name(graph));
        let about = (own, action, entities::object(graph, &object));
        let here = |request: &&AccessRequest| place.is_none_or(|place| place == request.environment);
        let asked: Vec<_> = self.asked.get(&about).into_iter().flatten().filter(here).collect();
        let made =
            |request: &AccessRequest| self.request(request).map_err(|why| cannot(case.action.span, why));
        if !asked.is_empty() {
            return asked.into_iter().map(made).collect();
        }
        let environment = self.only(principal, place, case)?;
        self.says(case, supposed::unknown(principal, action))?;
        let span = case.principal.name.span;
        let made = supposed::requests(graph, (principal, environment), (action, &object), span).into_iter();
        made.map(|request| {
            let supposed = self.request(&request).map_err(|why| cannot(case.action.span, why));
            supposed.map(|supposed| Supposed { line: None, ..supposed })
        })
        .collect()
    }

    /// A change of an artifact, as `apply` asks about it.
    fn change(&self, principal: Principal, case: &PolicyCase) -> Result<Supposed, Unclear> {
        let Principal::Environment(environment) = principal else {
            return Err(cannot(case.principal.name.span, "changes are asked for by an environment".into()));
        };
        let graph = self.court.graph;
        let found = graph.resource(environment).map(|found| &found.spec);
        self.says(case, supposed::unknown(principal, Action::Change))?;
        let windows = found.is_some_and(|found| !found.change_windows.is_empty());
        if windows {
            self.says(case, &["inWindow"])?;
        }
        let required = found.and_then(|found| found.approvals.as_ref());
        let today = self.court.shared.today.clone().map_err(|why| cannot(case.action.span, why))?;
        let own = entities::uid_of(graph, environment);
        let context = [
            ("environment", entity(own.clone())),
            ("today", today),
            ("approvals", long(0)),
            ("approvalsRequired", long(required.map_or(0, |approvals| approvals.required.value.0))),
            ("inWindow", bool(true)),
        ];
        let mut parts = case.resource.name.value.split('/').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Ok(Supposed {
            environment,
            action: Action::Change,
            line: None,
            tenant: None,
            principals: vec![own],
            object: entities::uid("Artifact", &case.resource.name.value),
            keys: [Key::Environment(environment)].into(),
            artifact: Some([next(), next()]),
            context: context.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            attributes: BTreeMap::new(),
        })
    }

    /// The environment that the context names.
    fn environment(&self, case: &PolicyCase) -> Result<Option<Id<EnvironmentSpec>>, Unclear> {
        let Some(given) = case.context.0.get("environment") else { return Ok(None) };
        let [name] = given.value.0.as_slice() else {
            return Err(cannot(given.span, "expected the name of an Environment".into()));
        };
        let graph = self.court.graph;
        let text = name.to_string();
        let name = text.strip_prefix("Environment/").unwrap_or(&text);
        let missing = || {
            let known = graph.each::<EnvironmentSpec>().map(|(_, found)| found.name().as_str());
            let found = cannot(given.span, format!("there is no Environment with the name `{name}`"));
            Box::new(found.help(format!("known are {}", known.collect::<Vec<_>>().join(", "))))
        };
        graph.find(name).map(Some).ok_or_else(missing)
    }

    /// The environment that is named, or the only one in which a principal is.
    fn only(
        &self,
        principal: Principal,
        place: Option<Id<EnvironmentSpec>>,
        case: &PolicyCase,
    ) -> Result<Id<EnvironmentSpec>, Unclear> {
        let found = supposed::environments(self.court.graph, principal);
        match (place, found.as_slice()) {
            (Some(place), _) => Ok(place),
            (None, [only]) => Ok(*only),
            (None, _) => {
                let names = found.iter().map(|id| self.court.graph.name(*id)).collect::<Vec<_>>().join(", ");
                let why = "nothing in the workspace asks for this, so it has to be said where";
                let found = cannot(case.action.span, why.into());
                Err(Box::new(
                    found.help(format!("write `context: {{ environment: … }}` with one of {names}")),
                ))
            }
        }
    }

    /// Refuses a case that leaves out what nobody else can say.
    fn says(&self, case: &PolicyCase, wanted: &[&str]) -> Result<(), Unclear> {
        match wanted.iter().find(|key| !case.context.0.contains_key(**key)) {
            None => Ok(()),
            Some(key) => {
                let why = format!("nothing in the workspace asks for this, so `context` has to say `{key}`");
                Err(cannot(case.action.span, why))
            }
        }
    }

    fn principal(&self, written: &Entity) -> Result<Principal, Unclear> {
        let graph = self.court.graph;
        let name = written.name.value.as_str();
        let found = match written.kind {
            "Agent" => graph.find(name).map(Principal::Agent),
            "Workload" => graph.find(name).map(Principal::Workload),
            "Gateway" => graph.find(name).map(Principal::Gateway),
            "Tenant" => graph.find(name).map(Principal::Tenant),
            "Route" => graph.find(name).map(Principal::Route),
            "Environment" => graph.find(name).map(Principal::Environment),
            _ => None,
        };
        found.ok_or_else(|| missing(written, "asks for anything"))
    }

    fn object(&self, written: &Entity) -> Result<Object, Unclear> {
        let graph = self.court.graph;
        let name = written.name.value.as_str();
        let found = match written.kind {
            "Model" => graph.find(name).map(Object::Model),
            "Connector" => graph.find(name).map(Object::Connector),
            "Tool" => tool(graph, name),
            "Region" => Some(Object::Region(name.into())),
            "Cluster" => graph.find(name).map(Object::Cluster),
            "Route" => graph.find(name).map(Object::Route),
            "Agent" => graph.find(name).map(Object::Agent),
            "DataStore" => graph.find(name).map(Object::DataStore),
            "Environment" => graph.find(name).map(Object::Environment),
            _ => None,
        };
        found.ok_or_else(|| missing(written, "is asked for"))
    }

    /// Whether the schema knows the action with such a principal and such a resource.
    fn fits(&self, case: &PolicyCase) -> Result<(), Unclear> {
        let action = case.action.value.word();
        let schema: &cedar_policy_core::validator::ValidatorSchema = self.court.policies.schema.as_ref();
        let Some(found) = schema.get_action_id(&entities::uid("Action", action).into()) else {
            return Err(cannot(case.action.span, format!("the schema has no action `{action}`")));
        };
        let principals: Vec<_> = found.applies_to_principals().map(ToString::to_string).collect();
        let resources: Vec<_> = found.applies_to_resources().map(ToString::to_string).collect();
        for (written, known, part) in
            [(&case.principal, principals, "principal"), (&case.resource, resources, "resource")]
        {
            if !known.iter().any(|one| one == written.kind) {
                let why = format!("`{}` is no {part} of `{action}`", written.kind);
                let help = format!("it may be {}", listed(&known));
                return Err(Box::new(cannot(written.name.span, why).help(help)));
            }
        }
        Ok(())
    }
}

fn listed(known: &[String]) -> String {
    known.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

fn tool(graph: &Graph, name: &str) -> Option<Object> {
    let (agent, tool) = name.split_once('.')?;
    let id = graph.find::<AgentSpec>(agent)?;
    let tools = &graph.resource(id)?.spec.tools;
    let at = tools.iter().position(|one| one.name.value.as_str() == tool)?;
    Some(Object::Tool(id, at))
}

fn missing(written: &Entity, what: &str) -> Unclear {
    let name = &written.name.value;
    cannot(written.name.span, format!("there is no {} with the name `{name}` that {what}", written.kind))
}

fn cannot(span: Span, why: String) -> Unclear {
    Box::new(rule::TEST_UNCLEAR.at(span, why, ""))
}
