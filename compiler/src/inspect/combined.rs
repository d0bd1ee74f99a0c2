//! Requests that nobody makes, combined from what a workspace has: each principal with each resource that an action takes,
//! in each context that occurs for the action.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::{Context, Entities, EntityId, EntityTypeName, EntityUid, Request};
use cedar_policy_core::ast::{self, ExprKind};

use super::Subject;
use crate::authorize::{Asked, Policies, each_asked, everything};
use crate::ir::{AccessRequest, Action, PolicyIndex};
use crate::model::Id;
use crate::model::environment::EnvironmentSpec;

/// So many contexts of an action are combined.
const CONTEXTS: usize = 5_000;

/// Who asks for what: the types of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestType {
    /// The type of the principal.
    pub(super) principal: EntityTypeName,
    /// What is asked for.
    pub(super) action: Action,
    /// The type of the resource.
    pub(super) resource: EntityTypeName,
}

/// How many requests were combined, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// So many were asked.
    pub tried: u64,
    /// Of so many.
    pub of: u64,
    /// So many requests have contexts that were not combined, since there are too many.
    pub contexts_left_out: u64,
}

/// A request that shows something.
#[derive(Clone, Debug)]
pub struct Witness {
    /// As Cedar is asked.
    pub request: Request,
    /// Where it is made.
    pub environment: Id<EnvironmentSpec>,
    /// The request of the workspace; nothing for one that is combined.
    pub asked: Option<AccessRequest>,
}

impl Witness {
    /// Who asks for what, as `Kind/name action Kind/name`.
    pub fn question(&self) -> String {
        let named = |uid: &EntityUid| format!("{}/{}", uid.type_name(), uid.id().unescaped());
        let action = self.request.action().map_or("", |uid| uid.id().unescaped());
        let [principal, resource] =
            [self.request.principal(), self.request.resource()].map(|uid| uid.map_or(String::new(), named));
        format!("{principal} {action} {resource}")
    }

    /// The context, as Cedar writes it.
    pub fn context(&self) -> Vec<(String, String)> {
        let Some(ast::Context::Value(values)) = self.request.context().map(AsRef::as_ref) else {
            return Vec::new();
        };
        values.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }
}

/// A context, and where it occurs.
type Placed = (Context, Id<EnvironmentSpec>);

/// What requests are combined from.
pub(super) struct Parts {
    pub(super) entities: Arc<Entities>,
    by_type: BTreeMap<EntityTypeName, Vec<EntityUid>>,
    contexts: BTreeMap<Action, Vec<Placed>>,
    left_out: BTreeMap<Action, u64>,
    types: Vec<RequestType>,
}

impl Parts {
    /// What a workspace has, or why that cannot be put together.
    pub(super) fn of(subject: &Subject<'_>, wanted: impl Fn(Action) -> bool + Sync) -> Result<Self, String> {
        let Subject { graph, policies, today, environments } = *subject;
        let entities = Arc::new(everything(graph, policies, today)?);
        let mut by_type: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entity in entities.iter() {
            let uid = entity.uid();
            by_type.entry(uid.type_name().clone()).or_default().push(uid);
        }
        by_type.values_mut().for_each(|uids| uids.sort_unstable());
        let found = each_asked((graph, policies, today), |group| {
            let meant =
                |one: &&Asked| environments.contains(&one.request.environment) && wanted(one.request.action);
            group.iter().filter(meant).filter_map(context).collect::<Vec<_>>()
        });
        let mut known: BTreeMap<Action, BTreeMap<String, Placed>> = BTreeMap::new();
        let mut left_out = BTreeMap::new();
        for (action, key, placed) in found.into_iter().flatten() {
            let known = known.entry(action).or_default();
            if known.len() < CONTEXTS || known.contains_key(&key) {
                known.entry(key).or_insert(placed);
            } else {
                *left_out.entry(action).or_default() += 1;
            }
        }
        let contexts = known.into_iter().map(|(action, known)| (action, known.into_values().collect()));
        let types = policies.schema().request_envs().filter_map(|one| {
            let action = Action::ALL.iter().find(|action| action.word() == one.action().id().unescaped())?;
            let (principal, resource) = (one.principal().clone(), one.resource().clone());
            Some(RequestType { principal, action: *action, resource })
        });
        let mut types: Vec<_> = types.filter(|one| wanted(one.action)).collect();
        types.sort_unstable();
        Ok(Self { entities, by_type, contexts: contexts.collect(), left_out, types })
    }

    /// The types of requests.
    pub(super) fn types(&self) -> &[RequestType] {
        &self.types
    }

    fn uids(&self, kind: &EntityTypeName) -> &[EntityUid] {
        self.by_type.get(kind).map_or(&[], Vec::as_slice)
    }

    fn contexts(&self, action: Action) -> &[Placed] {
        self.contexts.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The requests of a type that are meant: each principal with each resource, and that in so many contexts.
    fn space(&self, kind: &RequestType, contexts: u64, most: u64) -> Combined {
        let uids = [&kind.principal, &kind.resource].map(|kind| self.uids(kind).len() as u64);
        let of = uids.into_iter().fold(contexts, u64::saturating_mul);
        let contexts_left_out = self.left_out.get(&kind.action).copied().unwrap_or(0);
        Combined { tried: of.min(most), of, contexts_left_out }
    }

    /// A request with parts that a position picks.
    fn request(
        &self,
        kind: &RequestType,
        at: &mut Position,
        context: impl FnOnce(&mut Position) -> Option<Placed>,
    ) -> Option<Witness> {
        let principal = at.pick(self.uids(&kind.principal))?.clone();
        let resource = at.pick(self.uids(&kind.resource))?.clone();
        let action = EntityId::new(kind.action.word());
        let action = EntityUid::from_type_name_and_id("Action".parse().ok()?, action);
        let (context, environment) = context(at)?;
        let request = Request::new(principal, action, resource, context, None).ok()?;
        Some(Witness { request, environment, asked: None })
    }

    /// Every context that occurs.
    pub(super) fn occurring(&self) -> impl Iterator<Item = (Action, &Context)> {
        self.contexts.iter().flat_map(|(action, placed)| placed.iter().map(|(context, _)| (*action, context)))
    }

    /// How many requests of a type there are in the contexts that occur, of which at most so many are meant to be asked.
    pub(super) fn count(&self, kind: &RequestType, most: u64) -> Combined {
        self.space(kind, self.contexts(kind.action).len() as u64, most)
    }

    /// One of those that are asked, spread evenly over all.
    pub(super) fn nth(&self, kind: &RequestType, combined: Combined, nth: u64) -> Option<Witness> {
        let position = &mut Position::of(combined, nth);
        self.request(kind, position, |at| at.pick(self.contexts(kind.action)).cloned())
    }

    /// How many requests there are with what contexts say for some keys, each value with each other.
    pub(super) fn varied(&self, kind: &RequestType, keys: &BTreeSet<String>) -> Varied<'_> {
        let placed = self.contexts(kind.action);
        let values = |key: &String| {
            let values = placed.iter().map(|(context, _)| value(context, key));
            let values: BTreeMap<_, _> =
                values.map(|value| (value.as_ref().map(ToString::to_string), value)).collect();
            (key.clone(), values.into_values().collect::<Vec<_>>())
        };
        Varied { parts: self, base: placed.first(), keys: keys.iter().map(values).collect() }
    }
}

/// Contexts that differ in some keys, each of which has one of the values that occur for it.
pub(super) struct Varied<'p> {
    parts: &'p Parts,
    base: Option<&'p Placed>,
    keys: Vec<(String, Vec<Option<ast::Value>>)>,
}

impl Varied<'_> {
    /// How many requests of a type there are with these contexts, of which at most so many are meant to be asked.
    pub(super) fn count(&self, kind: &RequestType, most: u64) -> Combined {
        let first = u64::from(self.base.is_some());
        let contexts =
            self.keys.iter().fold(first, |all, (_, values)| all.saturating_mul(values.len() as u64));
        self.parts.space(kind, contexts, most)
    }

    /// One of those that are asked, spread evenly over all.
    pub(super) fn nth(&self, kind: &RequestType, combined: Combined, nth: u64) -> Option<Witness> {
        self.parts.request(kind, &mut Position::of(combined, nth), |at| {
            let (base, environment) = self.base?;
            let ast::Context::Value(written) = base.as_ref() else { return None };
            let mut map = BTreeMap::clone(written);
            for (key, values) in &self.keys {
                match at.pick(values)? {
                    Some(value) => _ = map.insert(key.as_str().into(), value.clone()),
                    None => _ = map.remove(key.as_str()),
                }
            }
            Some((Context::from(ast::Context::Value(Arc::new(map))), *environment))
        })
    }
}

/// A position in a product, from which one factor after the other picks.
struct Position(u64);

impl Position {
    /// Positions that are asked are spread evenly over all.
    fn of(combined: Combined, nth: u64) -> Self {
        let at = u128::from(nth) * u128::from(combined.of) / u128::from(combined.tried.max(1));
        Self(u64::try_from(at).unwrap_or(u64::MAX))
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let count = from.len() as u64;
        let one = from.get(usize::try_from(self.0.checked_rem(count)?).ok()?);
        self.0 = self.0.checked_div(count)?;
        one
    }
}

fn value(context: &Context, key: &str) -> Option<ast::Value> {
    let inner: &ast::Context = context.as_ref();
    let ast::Context::Value(values) = inner else { return None };
    values.get(key).cloned()
}

/// The keys of the context that a policy speaks of.
pub fn context_keys(policies: &Policies, at: PolicyIndex) -> BTreeSet<String> {
    let policy: Option<&ast::Policy> = policies.get(at).map(AsRef::as_ref);
    let Some(body) = policy.and_then(ast::Policy::non_scope_constraints) else { return BTreeSet::new() };
    let key = |expr: &ast::Expr| {
        let kind = expr.expr_kind();
        let (base, key) = if let ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } = kind {
            (expr, attr)
        } else if let ExprKind::ExtHasAttr { expr, attrs } = kind {
            (expr, attrs.first())
        } else {
            return None;
        };
        matches!(base.expr_kind(), ExprKind::Var(ast::Var::Context)).then(|| key.to_string())
    };
    body.subexpressions().filter_map(key).collect()
}

/// The context of a request, with what tells it from others.
fn context(one: &Asked) -> Option<(Action, String, Placed)> {
    let context = one.question.request.context()?.clone();
    let inner: &ast::Context = context.as_ref();
    Some((one.request.action, inner.to_string(), (context, one.request.environment)))
}
