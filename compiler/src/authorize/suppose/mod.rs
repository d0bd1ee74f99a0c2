//! Requests that somebody supposes, asked as those of the workspace are: the cases of tests, and what would have to
//! differ for another verdict.

mod case;
mod context;
mod nearest;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{Entities, Entity, EntityUid, Request};
use cedar_policy_core::ast::{self, Value};
use cedar_policy_core::entities::Dereference;

use super::entities::{self, Key, Made, Slice};
use super::{Answer, Court, Policies, Posed, Question, context as requested, reached, value};
use crate::diagnostic::Severity;
use crate::ir::{AccessRequest, Action, Outcome, PolicyIndex};
use crate::model::Id;
use crate::model::environment::{EnvironmentSpec, SeverityWord};
use crate::model::tenant::TenantSpec;
use crate::model::value::Date;
use crate::resolve::Graph;
use crate::source::Span;

pub use context::Taken;
pub use nearest::{After, Altered, Place};

/// What a request is about: principal, action, resource.
type About = (EntityUid, Action, EntityUid);

/// Asks about requests that somebody supposes. No waiver is looked at: a waiver is about a finding, and this is about
/// policies.
pub struct Hearing<'a> {
    court: Court<'a>,
    asked: BTreeMap<About, Vec<AccessRequest>>,
}

/// A request whose context can be changed.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// Where it is made.
    pub environment: Id<EnvironmentSpec>,
    /// What is asked for.
    pub action: Action,
    /// The line of the workspace that asks for it, if one does.
    pub line: Option<Span>,
    tenant: Option<Id<TenantSpec>>,
    /// The principal, then those above it.
    principals: Vec<EntityUid>,
    object: EntityUid,
    /// What it names.
    keys: BTreeSet<Key>,
    /// The parts of an artifact that is changed: its target and its kind.
    artifact: Option<[String; 2]>,
    context: BTreeMap<String, Value>,
    /// Attributes that entities have instead of their own.
    attributes: BTreeMap<EntityUid, BTreeMap<String, Option<Value>>>,
}

/// A request that was asked.
#[derive(Clone, Debug)]
pub struct Heard {
    /// As Cedar was asked it, with the policies that can have a say.
    pub question: Question,
    /// Where.
    pub environment: Id<EnvironmentSpec>,
    /// What policies say together; or why some of them cannot be evaluated.
    pub answer: Result<Answer, Vec<String>>,
}

impl Supposed {
    /// The value of a key of the context, as Cedar writes it.
    pub fn value(&self, key: &str) -> Option<String> {
        self.context.get(key).map(ToString::to_string)
    }

    /// The principal, the action and the resource, as Cedar writes them.
    pub fn about(&self) -> [String; 3] {
        let principal = self.principals.first().map(ToString::to_string).unwrap_or_default();
        [principal, self.action.word().to_owned(), self.object.to_string()]
    }
}

impl<'a> Hearing<'a> {
    /// For the requests of a workspace on a day.
    pub fn new(graph: &'a Graph, policies: &'a Policies, today: Date) -> Self {
        let mut asked: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for request in super::derive::requests(graph).into_iter().flatten() {
            asked.entry(about(graph, &request)).or_default().push(request);
        }
        Self { court: Court::new(graph, policies, today), asked }
    }

    /// A request of the workspace; or why it has no context.
    pub fn request(&self, request: &AccessRequest) -> Result<Supposed, String> {
        let pairs = requested::pairs(&self.court.shared, request)?;
        Ok(Supposed {
            environment: request.environment,
            action: request.action,
            line: Some(request.span),
            tenant: request.tenant,
            principals: entities::principal(self.court.graph, request.principal),
            object: entities::object(self.court.graph, &request.object),
            keys: reached(request).into_iter().collect(),
            artifact: None,
            context: pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            attributes: BTreeMap::new(),
        })
    }

    /// Asks the policies; or says why the schema does not know such a request.
    pub fn hear(&self, supposed: &Supposed) -> Result<Heard, String> {
        let Supposed { environment, action, .. } = *supposed;
        let mut slice = Slice::new(&self.court.shared);
        supposed.keys.iter().for_each(|key| slice.add(key.clone()));
        let schema = &self.court.policies.schema;
        let mut entities = slice.finish()?;
        if let Some([target, kind]) = &supposed.artifact {
            let attributes = vec![("target", value::string(target)), ("kind", value::string(kind))];
            let made = Made::of("Artifact", supposed.object.id().unescaped(), attributes).entity();
            let added = entities.add_entities([Entity::from(made)], Some(schema));
            entities = added.map_err(|error| error.to_string())?;
        }
        let changed = supposed.attributes.iter().map(|(uid, given)| changed(&entities, uid, given));
        let changed = changed.collect::<Result<Vec<_>, String>>()?;
        let entities = entities.upsert_entities(changed, Some(schema)).map_err(|error| error.to_string())?;
        let principal = supposed.principals.first().cloned().ok_or("the request has no principal")?;
        let pairs = supposed.context.iter().map(|(key, value)| (key.as_str(), value.clone()));
        let word = entities::uid("Action", action.word());
        let request =
            Request::new(principal, word, supposed.object.clone(), value::context(pairs), Some(schema))
                .map_err(|error| error.to_string())?;
        let asked = Posed {
            environment,
            action,
            principals: &supposed.principals,
            question: &request,
            entities: &entities,
        };
        let answer = self.court.settle(&asked, &BTreeSet::new());
        let off = self.court.switched(environment, SeverityWord::Off);
        let policies = self.court.policies.index.candidates(action.word(), &supposed.principals, &off);
        let question = Question { request, policies, entities: Arc::new(entities) };
        Ok(Heard { question, environment, answer })
    }

    /// Whether a policy is asked in an environment: a forbid may be off there.
    pub fn is_on(&self, policy: PolicyIndex, environment: Id<EnvironmentSpec>) -> bool {
        !self.court.switched(environment, SeverityWord::Off).contains(&(policy.0 as usize))
    }

    /// What policies say together in an environment where these match and none fails.
    pub fn together(&self, environment: Id<EnvironmentSpec>, matching: &[PolicyIndex]) -> Answer {
        let forbids = |at: &PolicyIndex| {
            self.court.policies.effects.get(at.0 as usize) == Some(&cedar_policy::Effect::Forbid)
        };
        let (forbids, permits): (Vec<_>, Vec<_>) = matching.iter().copied().partition(forbids);
        let stops = |at: &PolicyIndex| self.court.severity(*at, environment) == Severity::Mandatory;
        let (mandatory, advisory): (Vec<_>, Vec<_>) = forbids.into_iter().partition(stops);
        if !mandatory.is_empty() {
            return Answer { outcome: Outcome::Forbidden(mandatory), advisory: Vec::new() };
        }
        let outcome = if permits.is_empty() { Outcome::NotPermitted } else { Outcome::Permitted(permits) };
        Answer { outcome, advisory }
    }
}

/// An entity with other attributes.
fn changed(
    entities: &Entities,
    uid: &EntityUid,
    given: &BTreeMap<String, Option<Value>>,
) -> Result<Entity, String> {
    let all: &cedar_policy_core::entities::Entities = entities.as_ref();
    let Dereference::Data(entity) = all.entity(&uid.clone().into()) else {
        return Err(format!("`{uid}` is no part of the request"));
    };
    let own = entity.attrs().filter(|(key, _)| !given.contains_key(key.as_str()));
    let own = own.map(|(key, value)| (key.clone(), value.clone()));
    let other = given
        .iter()
        .filter_map(|(key, value)| Some((key.as_str().into(), ast::PartialValue::Value(value.clone()?))));
    let parents = entity.parents().cloned().collect();
    let made = ast::Entity::new_with_attr_partial_value(
        uid.clone().into(),
        own.chain(other),
        HashSet::new(),
        parents,
        [],
    );
    Ok(Entity::from(made))
}

fn about(graph: &Graph, request: &AccessRequest) -> About {
    let principal = entities::uid(request.principal.kind().word(), request.principal.name(graph));
    (principal, request.action, entities::object(graph, &request.object))
}
