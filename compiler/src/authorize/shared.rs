//! What the groups of a run have in common, made once: entities that many groups reach, values that many requests
//! have in their context, and which shapes Cedar's schema was asked about.
//!
//! The code that makes an entity or a context decides the type of each attribute, whatever the data. So one that
//! conforms to the schema vouches for all with the same attributes, and only the first of a shape is checked; builds
//! for development check every one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock, RwLock};

use cedar_policy::entities_errors::EntitiesError;
use cedar_policy::{Entities, Schema};
use cedar_policy_core::ast::Entity;
use cedar_policy_core::entities::TCComputation;
use cedar_policy_core::entities::conformance::EntitySchemaConformanceChecker;
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::CoreSchema;

use super::entities::{self, Key, Made};
use super::value::{Value, bool, datetime, record, set, string};
use crate::model::Id;
use crate::model::residency_rule::ResidencyRuleSpec;
use crate::resolve::{Graph, Residency};

/// The kinds of something and the names of its attributes.
pub(super) type Shape = ([&'static str; 3], Vec<&'static str>);

/// An entity, or why there is none.
type Known = OnceLock<Result<Arc<Entity>, String>>;

/// What is made once for a run.
pub(super) struct Shared<'g> {
    pub(super) graph: &'g Graph,
    pub(super) schema: &'g Schema,
    /// The day of the run.
    pub(super) today: Result<Value, String>,
    /// The actions, which every group reaches.
    actions: Result<Entities, String>,
    known: BTreeMap<Key, Known>,
    jurisdictions: BTreeMap<&'static str, Value>,
    residencies: RwLock<BTreeMap<Vec<Id<ResidencyRuleSpec>>, Value>>,
    sound: RwLock<BTreeSet<Shape>>,
}

impl<'g> Shared<'g> {
    /// Nothing yet, for a run on a day, written `2026-11-22`.
    pub(super) fn new(graph: &'g Graph, schema: &'g Schema, today: &str) -> Self {
        let regions = graph.catalog().regions();
        let jurisdictions =
            |region: &'static crate::catalog::RegionFact| region.jurisdictions.iter().map(String::as_str);
        Self {
            graph,
            schema,
            today: datetime(today),
            actions: Entities::from_entities([], Some(schema)).map_err(|error| error.to_string()),
            known: entities::shared_keys(graph).map(|key| (key, Known::new())).collect(),
            jurisdictions: regions.map(|one| (one.id.as_str(), set(jurisdictions(one)))).collect(),
            residencies: RwLock::default(),
            sound: RwLock::default(),
        }
    }

    /// These entities, with what is always there.
    pub(super) fn entities(&self, found: Vec<Arc<Entity>>) -> Result<Entities, String> {
        let actions: &cedar_policy_core::entities::Entities = self.actions.as_ref()?.as_ref();
        // No parent has a parent, so the hierarchy is complete as it is.
        let closure = match cfg!(debug_assertions) {
            true => TCComputation::EnforceAlreadyComputed,
            false => TCComputation::AssumeAlreadyComputed,
        };
        let schema: Option<&CoreSchema<'_>> = None;
        let all = actions.clone().add_entities(found, schema, closure, Extensions::all_available());
        all.map(Entities::from).map_err(|error| error.to_string())
    }

    /// The entity of a resource that was found.
    pub(super) fn entity(&self, key: &Key) -> Option<Result<Arc<Entity>, String>> {
        match self.known.get(key) {
            Some(known) => match known.get() {
                Some(entity) => Some(entity.clone()),
                None => {
                    let made = self.checked(entities::make(self.graph, key)?);
                    Some(known.get_or_init(|| made).clone())
                }
            },
            None => Some(self.checked(entities::make(self.graph, key)?)),
        }
    }

    fn checked(&self, made: Result<Made, String>) -> Result<Arc<Entity>, String> {
        let made = made?;
        let shape = ([made.kind, "", ""], made.attributes.iter().map(|(key, _)| *key).collect());
        let entity = made.entity();
        if !self.is_sound(&shape) {
            let schema = CoreSchema::new(self.schema.as_ref());
            let checker = EntitySchemaConformanceChecker::new(&schema, Extensions::all_available());
            checker.validate_entity(&entity).map_err(|error| EntitiesError::from(error).to_string())?;
            self.note_sound(shape);
        }
        Ok(Arc::new(entity))
    }

    /// Whether the schema need not be asked about a shape again.
    pub(super) fn is_sound(&self, shape: &Shape) -> bool {
        !cfg!(debug_assertions) && self.sound.read().is_ok_and(|sound| sound.contains(shape))
    }

    /// Notes that one of a shape conforms to the schema.
    pub(super) fn note_sound(&self, shape: Shape) {
        if let Ok(mut sound) = self.sound.write() {
            sound.insert(shape);
        }
    }

    /// The jurisdictions of a region; none for one that the catalog does not know.
    pub(super) fn jurisdictions(&self, region: &str) -> Value {
        self.jurisdictions.get(region).cloned().unwrap_or_else(|| set([]))
    }

    /// What residency rules allow, as a record.
    pub(super) fn residency(&self, residency: &Residency) -> Value {
        let known = self.residencies.read().ok();
        if let Some(found) = known.as_ref().and_then(|known| known.get(residency.rules.as_slice())) {
            return found.clone();
        }
        drop(known);
        let value = record([
            ("rules", set(residency.rules.iter().map(|rule| self.graph.name(*rule)))),
            ("regions", set(residency.regions.iter().map(String::as_str))),
            ("crossRegion", string(residency.cross_region.word())),
            ("providerRetention", bool(residency.provider_retention)),
            ("customerManagedKey", bool(residency.customer_managed_key)),
        ]);
        if let Ok(mut known) = self.residencies.write() {
            known.insert(residency.rules.clone(), value.clone());
        }
        value
    }
}
