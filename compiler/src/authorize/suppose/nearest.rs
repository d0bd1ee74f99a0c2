//! Near misses: the smallest change of a request that gives it the other verdict.
//!
//! Which values are worth trying is read from the clauses of the policies that can have a say: what they compare a key of the
//! context or an attribute with. Each combination is asked, so nothing is told that policies did not say.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{
    BinaryOp, EntityUID, Expr, ExprKind, Literal as CedarLiteral, SlotEnv, UnaryOp, Value, ValueKind, Var,
};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::super::on_large_stacks;
use super::super::value::{bool, long, set, string};
use super::context::{text_of, uid_in};
use super::{Hearing, Supposed, Taken};
use crate::clause::{Clauses, Part};
use crate::ir::{Outcome, PolicyIndex};
use crate::model::data_class::DataClassSpec;
use crate::model::environment::EnvironmentSpec;
use crate::resolve::class_rank;

/// How many combinations of a size are asked about at most.
const MOST: usize = 4_000;

/// How many values are changed at most.
const LARGEST: usize = 4;

/// What is changed of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A key of its context.
    Context(String),
    /// An attribute of an entity.
    Attribute(EntityUid, String),
}

/// A value that is another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Altered {
    /// Where.
    pub place: Place,
    /// As it is, as Cedar writes it; nothing where it is not there.
    pub before: Option<String>,
    /// What would be there instead.
    pub after: After,
}

/// What would be there instead, as Cedar writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum After {
    /// Nothing.
    Absent,
    /// This value.
    Value(String),
    /// The same list with these elements too.
    With(Vec<String>),
    /// The same list without these elements.
    Without(Vec<String>),
}

impl After {
    fn of(before: Option<&Value>, after: Option<&Value>) -> Self {
        let Some(after) = after else { return Self::Absent };
        let lists = before.and_then(elements_of).zip(elements_of(after));
        let texts = |one: &BTreeSet<Value>, other: &BTreeSet<Value>| {
            one.difference(other).map(ToString::to_string).collect::<Vec<_>>()
        };
        match lists.map(|(before, after)| (texts(after, before), texts(before, after))) {
            Some((more, less)) if less.is_empty() && !more.is_empty() => Self::With(more),
            Some((more, less)) if more.is_empty() && !less.is_empty() => Self::Without(less),
            Some(_) | None => Self::Value(after.to_string()),
        }
    }
}

impl Altered {
    fn changes(&self) -> bool {
        match &self.after {
            After::Absent => self.before.is_some(),
            After::Value(after) => self.before.as_ref() != Some(after),
            After::With(_) | After::Without(_) => true,
        }
    }
}

/// One change that is tried: what it is told as, and what it does.
#[derive(Clone, Debug)]
struct Move {
    told: Altered,
    context: Vec<(String, Taken)>,
    attributes: Vec<(EntityUid, String, Option<Value>)>,
}

/// What policies say to a request.
struct Now {
    permitted: bool,
    forbids: BTreeSet<PolicyIndex>,
    permits: BTreeSet<PolicyIndex>,
}

/// Every combination of so many moves at different places, in order.
fn combinations<'m>(moves: &'m [&'m Move], size: usize) -> Box<dyn Iterator<Item = Vec<&'m Move>> + 'm> {
    if size == 0 {
        return Box::new(std::iter::once(Vec::new()));
    }
    Box::new(moves.iter().enumerate().flat_map(move |(at, one)| {
        let rest = combinations(moves.get(at + 1..).unwrap_or_default(), size - 1);
        let apart = rest.filter(|rest| rest.iter().all(|other| other.told.place != one.told.place));
        apart.map(|rest| std::iter::once(*one).chain(rest).collect())
    }))
}

impl Hearing<'_> {
    /// The smallest changes that give a request the other verdict, all of the same size. Every single value and every pair is
    /// tried; of three and four values, those of which each alone silences a policy that forbids, or lets one permit. Nothing
    /// where there is no change, and where the request cannot be asked.
    pub fn nearest(&self, supposed: &Supposed) -> Vec<Vec<Altered>> {
        on_large_stacks(|| self.smallest(supposed))
    }

    fn smallest(&self, supposed: &Supposed) -> Vec<Vec<Altered>> {
        let Some(before) = self.outcome(supposed) else { return Vec::new() };
        let moves = self.moves(supposed);
        let flips = |chosen: &[&Move]| {
            let changed = chosen.iter().fold(supposed.clone(), |before, one| self.moved(&before, one));
            let after = self.outcome(&changed);
            after.is_some_and(|after| after.permitted != before.permitted)
        };
        let told = |chosen: Vec<&Move>| chosen.into_iter().map(|one| one.told.clone()).collect::<Vec<_>>();
        let all: Vec<&Move> = moves.iter().collect();
        for size in 1..=2 {
            let found = combinations(&all, size).take(MOST).filter(|chosen| flips(chosen)).map(told);
            let found: Vec<_> = found.collect();
            if !found.is_empty() {
                return found;
            }
        }
        let helps = |one: &&&Move| {
            let after = self.outcome(&self.moved(supposed, one));
            after.is_some_and(|after| {
                !before.forbids.is_subset(&after.forbids) || !after.permits.is_subset(&before.permits)
            })
        };
        let helpful: Vec<&Move> = all.iter().filter(helps).copied().collect();
        for size in 3..=LARGEST {
            let found = combinations(&helpful, size).take(MOST).filter(|chosen| flips(chosen)).map(told);
            let found: Vec<_> = found.collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    fn outcome(&self, supposed: &Supposed) -> Option<Now> {
        let heard = self.hear(supposed).ok()?;
        let permitted = matches!(heard.answer.as_ref().ok()?.outcome, Outcome::Permitted(_));
        let policies = self.court.policies;
        let forbids =
            |at: &PolicyIndex| policies.effects.get(at.0 as usize) == Some(&cedar_policy::Effect::Forbid);
        let (forbids, permits) = policies.said(&heard.question).matching.into_iter().partition(forbids);
        Some(Now { permitted, forbids, permits })
    }

    fn moved(&self, supposed: &Supposed, one: &Move) -> Supposed {
        let given: Vec<_> = one.context.iter().map(|(key, taken)| (key.as_str(), taken.clone())).collect();
        let mut changed = self.with(supposed, &given);
        for (uid, key, value) in &one.attributes {
            let own = changed.attributes.entry(uid.clone()).or_default();
            own.insert(key.clone(), value.clone());
        }
        changed
    }

    /// What is worth trying, each once, what is in the request itself first.
    fn moves(&self, supposed: &Supposed) -> Vec<Move> {
        let Ok(heard) = self.hear(supposed) else { return Vec::new() };
        let request: &cedar_policy_core::ast::Request = heard.question.request.as_ref();
        let entities = heard.question.entities.as_ref().as_ref();
        let evaluator = Evaluator::new(request.clone(), entities, Extensions::all_available());
        let mut tries = BTreeMap::<Place, Vec<Option<Value>>>::new();
        for policy in heard.question.policies.policies() {
            let Some(fact) = self.court.policies.position(policy.id()) else { continue };
            let Some(fact) = self.court.policies.facts.get(fact.0 as usize) else { continue };
            let clauses = Clauses::of(policy, fact.span);
            for clause in clauses.all.iter().filter(|clause| clause.part == Part::Condition) {
                for expr in clause.expr().subexpressions() {
                    look(expr, &evaluator, &mut tries);
                }
            }
        }
        let mut found = Vec::new();
        for (place, values) in tries {
            match &place {
                Place::Context(key) => self.context_moves(supposed, (key, values), &mut found),
                Place::Attribute(uid, key) => {
                    let before = entity_value(entities, uid, key);
                    self.attribute_moves((uid, key), (before, values), &mut found);
                }
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|one| one.told.changes() && seen.insert(one.told.clone()));
        // That no residency rule applies would be a change of the rules, and of little help.
        found.sort_by_key(|one| one.told.place == Place::Context("residency".to_owned()));
        found
    }

    /// A key of the context; one that follows from another stands for that.
    fn context_moves(
        &self,
        supposed: &Supposed,
        (key, values): (&str, Vec<Option<Value>>),
        found: &mut Vec<Move>,
    ) {
        let graph = self.court.graph;
        let knows = |key: &str| supposed.context.contains_key(key);
        let (key, values) = match key {
            // Who asks, where and for whom is the question itself.
            "environment" | "tenant" | "route" | "store" => return,
            "dataClass" | "dataClassRank" => {
                let classes = graph.each::<DataClassSpec>().map(|(_, class)| string(class.name().as_str()));
                ("dataClass", classes.map(Some).collect())
            }
            "region" | "jurisdictions" | "crossRegion" if knows("region") => {
                let regions = graph.each::<EnvironmentSpec>().flat_map(|(_, one)| &one.spec.aws.regions);
                let regions = regions.map(|region| Some(string(region.value.as_str())));
                (
                    "region",
                    regions
                        .chain(values.into_iter().filter(|one| one.as_ref().and_then(text_of).is_some()))
                        .collect(),
                )
            }
            key => (key, values),
        };
        for value in values {
            let told = Altered {
                place: Place::Context(key.to_owned()),
                before: supposed.context.get(key).map(ToString::to_string),
                after: After::of(supposed.context.get(key), value.as_ref()),
            };
            found.push(Move {
                told,
                context: vec![(key.to_owned(), Taken { value })],
                attributes: Vec::new(),
            });
        }
    }

    /// An attribute; the rank of a class stands for the class.
    fn attribute_moves(
        &self,
        (uid, key): (&EntityUid, &str),
        (before, values): (Option<Value>, Vec<Option<Value>>),
        found: &mut Vec<Move>,
    ) {
        let graph = self.court.graph;
        let mut put = |key: &str, (before, after): (Option<String>, After), attributes| {
            let place = Place::Attribute(uid.clone(), key.to_owned());
            found.push(Move { told: Altered { place, before, after }, context: Vec::new(), attributes });
        };
        let with = |key: &str, value: Option<Value>| (uid.clone(), key.to_owned(), value);
        match key {
            // Another name is another resource, and what it belongs to is what it is.
            "name" | "tenant" | "connector" | "gateway" | "environment" => {}
            "clearanceRank" | "dataClassRank" => {
                let class_key = key.trim_end_matches("Rank");
                for (id, class) in graph.each::<DataClassSpec>() {
                    let rank = long(class_rank(graph, id));
                    if Some(&rank) == before.as_ref() {
                        continue;
                    }
                    let name = class.name().as_str();
                    let named = if class_key == "clearance" { set([name]) } else { string(name) };
                    let told = (
                        before.as_ref().map(|rank| format!("rank {rank}")),
                        After::Value(format!("\"{name}\"")),
                    );
                    put(class_key, told, vec![with(class_key, Some(named)), with(key, Some(rank))]);
                }
            }
            _ => {
                for value in values {
                    let after = After::of(before.as_ref(), value.as_ref());
                    let told = (before.as_ref().map(ToString::to_string), after);
                    put(key, told, vec![with(key, value)]);
                }
            }
        }
    }
}

fn entity_value(
    entities: &cedar_policy_core::entities::Entities,
    uid: &EntityUid,
    key: &str,
) -> Option<Value> {
    use cedar_policy_core::ast::PartialValue;
    let cedar_policy_core::entities::Dereference::Data(entity) = entities.entity(&uid.clone().into()) else {
        return None;
    };
    match entity.get(key)? {
        PartialValue::Value(value) => Some(value.clone()),
        PartialValue::Residual(_) => None,
    }
}

/// What an expression compares with what: each side that has a place could have the value of the other.
fn look(expr: &Expr, evaluator: &Evaluator<'_>, tries: &mut BTreeMap<Place, Vec<Option<Value>>>) {
    let value = |expr: &Expr| evaluator.interpret(expr, &SlotEnv::new()).ok();
    let mut put = |expr: &Expr, values: Vec<Option<Value>>| {
        let places = place(expr, evaluator);
        places.into_iter().for_each(|place| tries.entry(place).or_default().extend(values.iter().cloned()));
    };
    if let ExprKind::BinaryApp { op, arg1, arg2 } = expr.expr_kind() {
        let order = matches!(op, BinaryOp::Less | BinaryOp::LessEq);
        if order || *op == BinaryOp::Eq {
            for (one, other) in [(arg1, arg2), (arg2, arg1)] {
                put(one, value(other).into_iter().flat_map(|value| around(value, order)).map(Some).collect());
            }
        }
        if *op == BinaryOp::Contains {
            let (all, one) = (value(arg1), value(arg2));
            let elements = all.as_ref().and_then(elements_of).into_iter().flatten();
            put(arg2, elements.cloned().map(Some).collect());
            if let Some((all, one)) = all.as_ref().and_then(elements_of).zip(one) {
                let more = all.iter().cloned().chain([one.clone()]);
                let less = all.iter().filter(|element| **element != one).cloned();
                put(arg1, vec![Some(Value::set(more, None)), Some(Value::set(less, None))]);
            }
        }
    }
    if let ExprKind::UnaryApp { op: UnaryOp::IsEmpty, arg } = expr.expr_kind() {
        put(arg, vec![Some(Value::empty_set(None))]);
    }
    if matches!(expr.expr_kind(), ExprKind::HasAttr { .. }) {
        put(expr, vec![None]);
    }
    if matches!(expr.expr_kind(), ExprKind::GetAttr { .. })
        && let Some(ValueKind::Lit(CedarLiteral::Bool(now))) =
            value(expr).map(|value| value.value_kind().clone())
    {
        put(expr, vec![Some(bool(!now))]);
    }
}

fn elements_of(value: &Value) -> Option<&BTreeSet<Value>> {
    if let ValueKind::Set(set) = value.value_kind() { Some(&*set.authoritative) } else { None }
}

/// A value; of a number that is a bound also those beside it.
fn around(value: Value, order: bool) -> Vec<Value> {
    match value.value_kind() {
        ValueKind::Lit(CedarLiteral::Long(number)) if order => {
            let beside = [number.checked_sub(1), Some(*number), number.checked_add(1)];
            beside.into_iter().flatten().map(Value::from).collect()
        }
        ValueKind::Lit(_) | ValueKind::Set(_) | ValueKind::Record(_) | ValueKind::ExtensionValue(_) => {
            vec![value]
        }
    }
}

/// Where a value comes from, if it is a key of the context or an attribute of an entity.
fn place(expr: &Expr, evaluator: &Evaluator<'_>) -> Option<Place> {
    let (ExprKind::GetAttr { expr: of, attr } | ExprKind::HasAttr { expr: of, attr }) = expr.expr_kind()
    else {
        return None;
    };
    if *of.expr_kind() == ExprKind::Var(Var::Context) {
        return Some(Place::Context(attr.to_string()));
    }
    let of = evaluator.interpret(of, &SlotEnv::new()).ok()?;
    let uid: &EntityUID = uid_in(&of)?;
    Some(Place::Attribute(uid.clone().into(), attr.to_string()))
}
