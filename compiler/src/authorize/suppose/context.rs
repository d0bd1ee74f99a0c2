//! Contexts that are changed: a value is read as the schema wants it, and what follows from it is changed with it.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::ast::{EntityUID, Literal as CedarLiteral, Value, ValueKind};
use cedar_policy_core::validator::ValidatorSchema;
use cedar_policy_core::validator::types::{AttributeType, Attributes, EntityKind, Type};

use super::super::entities::{self, Key, uid_of};
use super::super::value::{bool, datetime, entity, long, string};
use super::{Hearing, Supposed};
use crate::ir::Action;
use crate::model::data_class::DataClassSpec;
use crate::model::model::ModelSpec;
use crate::model::residency_rule::ResidencyRuleSpec;
use crate::model::value::{Literal, OneOrMany, Texts};
use crate::model::{Id, Spec};
use crate::resolve::{Graph, class_rank};

/// A value of a context, read for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Nothing where no residency rule applies.
    pub(super) value: Option<Value>,
}

impl Hearing<'_> {
    /// The keys of the context of an action, each with its type in the schema.
    pub(super) fn keys(&self, action: Action) -> Option<&Attributes> {
        let schema: &ValidatorSchema = self.court.policies.schema.as_ref();
        let found = schema.context_type(&entities::uid("Action", action.word()).into())?;
        if let Type::Record { attrs, .. } = found { Some(attrs) } else { None }
    }

    /// A value as the schema wants it for a key of an action; or what is wanted instead.
    pub(super) fn take(
        &self,
        action: Action,
        key: &str,
        given: &OneOrMany<Literal>,
    ) -> Result<Taken, String> {
        let wanted = self.keys(action).and_then(|keys| keys.get_attr(key));
        let Some(wanted) = wanted else { return Err(format!("`{}` has no `{key}`", action.word())) };
        if key == "residency" {
            return self.residency_of(&given.0);
        }
        self.optional(wanted, &given.0).map(|value| Taken { value })
    }

    /// The attributes of an entity as the schema wants them, with those that follow; or which one is wrong, and why.
    pub(super) fn attributes<'g>(
        &self,
        uid: &cedar_policy::EntityUid,
        given: &'g Texts<OneOrMany<Literal>>,
    ) -> Result<BTreeMap<String, Option<Value>>, (&'g str, String)> {
        let schema: &ValidatorSchema = self.court.policies.schema.as_ref();
        let own = EntityUID::from(uid.clone());
        let kind = schema.get_entity_type(own.entity_type());
        let mut found = BTreeMap::new();
        for (key, given) in &given.0 {
            let wrong = |why: String| (key.as_str(), why);
            let wanted = kind.and_then(|kind| kind.attr(key));
            let wanted = wanted.ok_or_else(|| wrong(format!("a {} has no `{key}`", uid.type_name())))?;
            found.insert(key.clone(), self.optional(wanted, &given.value.0).map_err(wrong)?);
        }
        for (of, rank) in [("clearance", "clearanceRank"), ("dataClass", "dataClassRank")] {
            let classes = given.0.get(of).filter(|_| !found.contains_key(rank));
            let Some(classes) = classes else { continue };
            let graph = self.court.graph;
            let classes =
                classes.value.0.iter().filter_map(|name| graph.find::<DataClassSpec>(&name.to_string()));
            let highest = classes.map(|class| class_rank(graph, class)).max().unwrap_or(0);
            found.insert(rank.to_owned(), Some(long(highest)));
        }
        Ok(found)
    }

    /// A value as the schema wants it; nothing for `[]` where the value may be missing.
    fn optional(&self, wanted: &AttributeType, given: &[Literal]) -> Result<Option<Value>, String> {
        if given.is_empty() && !wanted.is_required {
            return Ok(None);
        }
        self.typed(&wanted.attr_type, given).map(Some)
    }

    fn typed(&self, wanted: &Type, given: &[Literal]) -> Result<Value, String> {
        if let Type::Set { element_type: Some(element) } = wanted {
            let values = given.iter().map(|one| self.single(element, one)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Value::set(values, None));
        }
        match given {
            [one] => self.single(wanted, one),
            _ => Err(format!("expected {}, found a list", named(wanted))),
        }
    }

    fn single(&self, wanted: &Type, given: &Literal) -> Result<Value, String> {
        match (wanted, given) {
            (Type::String, Literal::Text(text)) => Ok(string(text)),
            (Type::Long, Literal::Integer(number)) => Ok(Value::from(*number)),
            (Type::Bool(_), Literal::Bool(value)) => Ok(bool(*value)),
            (Type::ExtensionType { .. }, Literal::Text(text)) => datetime(text),
            (Type::Entity(kind), Literal::Text(text)) => {
                let kind = kind_of(kind).ok_or("this version has no word for such an entity")?;
                let name = text.strip_prefix(&format!("{kind}/")).unwrap_or(text);
                let uid = key_of(self.court.graph, &kind, name).map(|(uid, _)| uid);
                uid.map(entity).ok_or_else(|| format!("there is no {kind} with the name `{name}`"))
            }
            _ => Err(format!("expected {}, found `{given}`", named(wanted))),
        }
    }

    /// What the rules with these names allow together.
    fn residency_of(&self, given: &[Literal]) -> Result<Taken, String> {
        let graph = self.court.graph;
        let rule = |one: &Literal| {
            let name = one.to_string();
            let missing = || format!("there is no ResidencyRule with the name `{name}`");
            graph.find::<ResidencyRuleSpec>(&name).ok_or_else(missing)
        };
        let rules: BTreeSet<_> = given.iter().map(rule).collect::<Result<_, String>>()?;
        let residency = graph.together(&rules.into_iter().collect::<Vec<_>>());
        Ok(Taken { value: residency.map(|residency| self.court.shared.residency(&residency)) })
    }

    /// The request with these values of its context, and with what follows from them: where a region is, whether the
    /// call crosses regions, the rank of a class, and the residency rules that apply.
    pub(super) fn with(&self, supposed: &Supposed, given: &[(&str, Taken)]) -> Supposed {
        let mut changed = supposed.clone();
        for (key, taken) in given {
            changed.put(key, taken.value.clone());
        }
        let graph = self.court.graph;
        let names: BTreeSet<&str> = given.iter().map(|(key, _)| *key).collect();
        let any = |keys: &[&str]| keys.iter().any(|key| names.contains(key));
        let known = self.keys(supposed.action);
        let follow = |changed: &mut Supposed, key: &str, value: Option<Value>| {
            let knows = known.is_some_and(|known| known.get_attr(key).is_some());
            if knows && !names.contains(key) {
                changed.put(key, value);
            }
        };
        if let Some(region) = changed.text("region").filter(|_| any(&["region"])).map(str::to_owned) {
            follow(&mut changed, "jurisdictions", Some(self.court.shared.jurisdictions(&region)));
        }
        if any(&["region", "sourceRegion"]) {
            let crosses = changed.context.get("region") != changed.context.get("sourceRegion");
            follow(&mut changed, "crossRegion", Some(bool(crosses)));
        }
        if any(&["sourceRegion"]) {
            let model = graph.find::<ModelSpec>(changed.object.id().unescaped());
            let model = model.and_then(|id| graph.resource(id)).zip(changed.text("sourceRegion"));
            let offered = model.and_then(|(model, source)| graph.offered(&model.spec, source));
            follow(&mut changed, "offered", offered.map(bool));
        }
        if any(&["route"]) {
            follow(&mut changed, "direct", Some(bool(false)));
        }
        if any(&["dataClass", "tenant"])
            && let Some(class) = changed.text("dataClass").and_then(|name| graph.find::<DataClassSpec>(name))
        {
            follow(&mut changed, "dataClassRank", Some(long(class_rank(graph, class))));
            let residency = changed.residency(class, self);
            follow(&mut changed, "residency", residency);
        }
        changed.reach(graph);
        changed
    }
}

impl Supposed {
    fn put(&mut self, key: &str, value: Option<Value>) {
        match value {
            Some(value) => _ = self.context.insert(key.to_owned(), value),
            None => _ = self.context.remove(key),
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.context.get(key).and_then(text_of)
    }

    /// What residency rules allow for a class and the tenant of the context.
    fn residency(&self, class: Id<DataClassSpec>, hearing: &Hearing<'_>) -> Option<Value> {
        let graph = hearing.court.graph;
        let named = self.context.get("tenant").and_then(uid_in);
        let tenant = named.and_then(|uid| graph.find(uid.eid().as_ref())).or(self.tenant);
        let residency = graph.residency(class, tenant)?;
        Some(hearing.court.shared.residency(&residency))
    }

    /// Lets the entities of the context be reached.
    fn reach(&mut self, graph: &Graph) {
        for value in self.context.values() {
            let Some(uid) = uid_in(value) else { continue };
            let kind = uid.entity_type().to_string();
            let found = key_of(graph, &kind, uid.eid().as_ref());
            self.keys.extend(found.map(|(_, key)| key));
        }
    }
}

pub(super) fn text_of(value: &Value) -> Option<&str> {
    match value.value_kind() {
        ValueKind::Lit(CedarLiteral::String(text)) => Some(text),
        ValueKind::Lit(_) | ValueKind::Set(_) | ValueKind::Record(_) | ValueKind::ExtensionValue(_) => None,
    }
}

pub(super) fn uid_in(value: &Value) -> Option<&EntityUID> {
    match value.value_kind() {
        ValueKind::Lit(CedarLiteral::EntityUID(uid)) => Some(uid),
        ValueKind::Lit(_) | ValueKind::Set(_) | ValueKind::Record(_) | ValueKind::ExtensionValue(_) => None,
    }
}

/// The entity of this kind and name that a context or an attribute can name.
fn key_of(graph: &Graph, kind: &str, name: &str) -> Option<(cedar_policy::EntityUid, Key)> {
    fn of<S: Spec>(
        graph: &Graph,
        name: &str,
        key: impl Fn(Id<S>) -> Key,
    ) -> Option<(cedar_policy::EntityUid, Key)> {
        graph.find::<S>(name).map(|id| (uid_of(graph, id), key(id)))
    }
    match kind {
        "Environment" => of(graph, name, Key::Environment),
        "Route" => of(graph, name, Key::Route),
        "Tenant" => of(graph, name, Key::Tenant),
        "DataStore" => of(graph, name, Key::DataStore),
        "Model" => of(graph, name, Key::Model),
        "Gateway" => of(graph, name, Key::Gateway),
        "Connector" => of(graph, name, Key::Connector),
        _ => None,
    }
}

fn kind_of(kind: &EntityKind) -> Option<String> {
    match kind {
        EntityKind::Entity(kinds) => kinds.get_single_entity().map(ToString::to_string),
        EntityKind::AnyEntity => None,
    }
}

/// A type of the schema, in words.
fn named(wanted: &Type) -> String {
    match wanted {
        Type::String => "text".into(),
        Type::Long => "a whole number".into(),
        Type::Bool(_) => "`true` or `false`".into(),
        Type::Set { .. } => "a list".into(),
        Type::ExtensionType { .. } => "a day such as `2027-03-31`".into(),
        Type::Entity(kind) => format!("the name of a {}", kind_of(kind).unwrap_or_else(|| "resource".into())),
        Type::Record { .. } | Type::Never => "something that cannot be written here".into(),
    }
}
