//! The permissions boundary of each tenant: what its roles may do at most, whatever else somebody attaches to them.
//!
//! It holds every action that a role of the tenant was granted, on what the tenant has. It is coarser than the roles where
//! that keeps it the same when a tool is added: a bucket without its prefixes, the tools of an agent by their first words.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::{Id, Resource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use aipolicy_iam::{Effect, limits};

use super::Writer;
use super::condition::Condition;
use super::cover::{Family, Names, shrink};
use super::model::{INVOKE, INVOKE_MANTLE};
use super::policy::{self, Allow};
use super::statement::{Statement, document, size};
use crate::account::Account;
use crate::artifact::Artifact;
use crate::origin::Origin;

/// Conditions that keep tenants apart, which the boundary keeps. Others narrow single roles.
const KEPT: &[&str] = &[
    "aws:ResourceTag/aipolicy:environment",
    "aws:ResourceTag/aipolicy:tenant",
    "aws:ResourceTag/aipolicy:workspace",
];
const KEYS: &str = "dynamodb:LeadingKeys";

/// What the roles of each tenant are allowed.
#[derive(Default)]
pub(super) struct Bounds(BTreeMap<Id<TenantSpec>, Bound>);

/// What the roles of a tenant are allowed.
struct Bound {
    /// The grant of its first role.
    origin: Origin,
    held: Vec<Held>,
    /// What the names of the machines of its agents begin with.
    machines: BTreeSet<String>,
}

/// What a statement of a role allows, as far as the boundary tells it.
struct Held {
    actions: BTreeSet<&'static str>,
    resources: Vec<(String, Origin)>,
    /// Where models may be called.
    places: Vec<(String, Origin)>,
    conditions: Vec<Condition>,
    origin: Origin,
}

/// What is put into one statement: what a service is asked under the same conditions. Whatever may be asked without
/// conditions of something that has conditions elsewhere stands apart, since what else may be asked there without them would
/// be allowed on it too.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    service: &'static str,
    conditions: Vec<(&'static str, String)>,
    apart: bool,
}

/// A statement of a boundary: it allows actions on some resources, or denies them on all others.
struct Draft {
    sid: &'static str,
    effect: Effect,
    actions: BTreeMap<&'static str, Origin>,
    families: Vec<Family>,
    conditions: Vec<Condition>,
    origin: Origin,
}

impl Bounds {
    /// The boundaries.
    pub(super) fn artifacts(&self, account: &Account<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
        let all: BTreeSet<String> = self.0.values().flat_map(Bound::names).collect();
        let mut artifacts = Vec::new();
        for (tenant, bound) in &self.0 {
            let Some(tenant) = account.graph().resource(*tenant) else { continue };
            let own = bound.names().collect();
            artifacts.extend(bound.artifact((account, tenant), &Names { all: &all, own: &own }, out));
        }
        artifacts
    }
}

impl Writer<'_> {
    /// The boundary of a role, and the line of the tenant that it is for.
    pub(super) fn bounded(&mut self, allows: &[Allow], origin: &Origin) -> Option<(String, Span)> {
        let named = self.tenant()?;
        let (id, tenant) = (named.id()?, self.account.graph().get(named)?);
        let new = || Bound { origin: origin.clone(), held: Vec::new(), machines: BTreeSet::new() };
        let machines = self.agent().map(|agent| machines(self.account, agent));
        let bound = self.bounds.0.entry(id).or_insert_with(new);
        bound.held.extend(allows.iter().map(|allow| Held::of(allow, tenant.name().as_str())));
        bound.machines.extend(machines.into_iter().flatten());
        Some((self.account.boundary(tenant), named.name.span))
    }
}

/// What the names of the machines of an agent begin with.
fn machines(account: &Account<'_>, agent: &Resource<AgentSpec>) -> [String; 2] {
    ["gate", "tool"].map(|word| format!("{}-", account.name(&[word, agent.name().as_str()], usize::MAX)))
}

impl Held {
    fn of(allow: &Allow, tenant: &str) -> Self {
        let keeps = |condition: &&Condition| {
            let of_tenant =
                |found: &Condition| found.key == KEYS && found.texts().any(|value| value == tenant);
            KEPT.contains(&condition.key.as_str())
                || (condition.key == KEYS && allow.conditions.iter().any(of_tenant))
        };
        let calls = [INVOKE, INVOKE_MANTLE].contains(&allow.actions);
        let place = |(arn, origin): &(String, Origin)| {
            let origin = origin.clone();
            places(arn).into_iter().map(move |place| (place, origin.clone()))
        };
        Self {
            actions: allow.actions.iter().copied().collect(),
            resources: allow.resources.iter().map(|(arn, origin)| (anywhere(arn), origin.clone())).collect(),
            places: allow.resources.iter().filter(|_| calls).flat_map(place).collect(),
            conditions: allow.conditions.iter().filter(keeps).cloned().collect(),
            origin: allow.origin.clone(),
        }
    }

    /// The service of its actions, which are all of one.
    fn service(&self) -> &'static str {
        self.actions.first().and_then(|action| action.split(':').next()).unwrap_or_default()
    }

    fn conditions(&self) -> Vec<(&'static str, String)> {
        let all = self.conditions.iter();
        let values = |one: &Condition| one.texts().collect::<Vec<_>>().join(",");
        all.map(|one| (one.operator, format!("{}={}", one.key, values(one)))).collect()
    }
}

impl Bound {
    fn names(&self) -> impl Iterator<Item = String> {
        self.held.iter().flat_map(|held| held.resources.iter().map(|(arn, _)| arn.clone()))
    }

    fn artifact(
        &self,
        (account, tenant): (&Account<'_>, &Resource<TenantSpec>),
        known: &Names<'_>,
        out: &mut Diagnostics,
    ) -> Option<Artifact> {
        let containers = Containers { machines: &self.machines, known };
        let mut drafts = self.drafts(&containers);
        let place = Origin::written(tenant.name_span());
        if !fit(account, &mut drafts, known) {
            let message = "the permissions boundary of this tenant does not fit into one policy";
            let help = "use fewer services or regions, or make two tenants of it";
            out.report(rule::POLICY_SIZE.at(place.span, message, "").help(help));
            return None;
        }
        let mut statements: Vec<_> = drafts.iter().map(Draft::statement).collect();
        if statements.is_empty() {
            let everything = vec![("*".to_owned(), self.origin.clone())];
            statements.push(Statement::denial("Nothing", &["*"], everything, self.origin.clone()));
        }
        Some(policy::named(account, account.boundary(tenant), &statements, &place))
    }

    /// The statements, each with names that were not put together yet.
    fn drafts(&self, containers: &Containers<'_>) -> Vec<Draft> {
        let conditioned = self.held.iter().filter(|held| !held.conditions.is_empty());
        let conditioned: BTreeSet<&str> =
            conditioned.flat_map(|held| &held.resources).map(|(arn, _)| arn.as_str()).collect();
        let mut groups: BTreeMap<Key, Vec<&Held>> = BTreeMap::new();
        for held in &self.held {
            let conditions = held.conditions();
            let is_conditioned = |(arn, _): &(String, Origin)| conditioned.contains(arn.as_str());
            let apart = conditions.is_empty() && held.resources.iter().any(is_conditioned);
            groups.entry(Key { service: held.service(), conditions, apart }).or_default().push(held);
        }
        let drafts = groups.into_iter();
        let drafts = drafts.filter_map(|(key, group)| Draft::allowing(&group, key.service, containers));
        drafts.chain(Draft::outside(&self.held, containers.known)).collect()
    }
}

impl Draft {
    /// A statement that allows what was granted to any of these.
    fn allowing(group: &[&Held], sid: &'static str, containers: &Containers<'_>) -> Option<Self> {
        let first = group.first()?;
        let (mut actions, mut names) = (BTreeMap::new(), BTreeMap::new());
        for held in group {
            for action in &held.actions {
                actions.entry(*action).or_insert_with(|| held.origin.clone());
            }
            for (arn, origin) in &held.resources {
                names.entry(containers.around(arn)).or_insert_with(|| origin.clone());
            }
        }
        let families = Family::of(names, containers.known);
        let (conditions, origin) = (first.conditions.clone(), first.origin.clone());
        Some(Self { sid, effect: Effect::Allow, actions, families, conditions, origin })
    }

    /// Models are named without their region, so a statement denies their calls wherever none was granted, at both
    /// endpoints.
    fn outside(held: &[Held], known: &Names<'_>) -> Option<Self> {
        let origin = &held.iter().find(|held| !held.places.is_empty())?.origin;
        let mut places = BTreeMap::new();
        for (place, origin) in held.iter().flat_map(|held| &held.places) {
            places.entry(place.clone()).or_insert_with(|| origin.clone());
        }
        Some(Self {
            sid: "OutsideRegions",
            effect: Effect::Deny,
            actions: INVOKE.iter().chain(INVOKE_MANTLE).map(|action| (*action, origin.clone())).collect(),
            families: Family::of(places, known),
            conditions: Vec::new(),
            origin: origin.clone(),
        })
    }

    fn statement(&self) -> Statement {
        let patterns = self.families.iter().flat_map(Family::patterns);
        Statement {
            sid: self.sid.to_owned(),
            effect: self.effect,
            who: None,
            actions: self
                .actions
                .iter()
                .map(|(action, origin)| ((*action).to_owned(), origin.clone()))
                .collect(),
            resources: patterns.map(|(pattern, origin)| (pattern.to_owned(), origin.clone())).collect(),
            others: self.effect == Effect::Deny,
            conditions: self.conditions.clone(),
            origin: self.origin.clone(),
        }
    }
}

/// Puts names together until the statements fit into one policy; tells whether they do.
fn fit(account: &Account<'_>, drafts: &mut [Draft], known: &Names<'_>) -> bool {
    loop {
        let statements: Vec<_> = drafts.iter().map(Draft::statement).collect();
        let size = size(&document(account, &statements));
        let Some(excess) = size.checked_sub(limits::MANAGED_POLICY).filter(|excess| *excess > 0) else {
            return true;
        };
        let allowing = drafts.iter_mut().filter(|draft| draft.effect == Effect::Allow);
        let families = allowing.flat_map(|draft| &mut draft.families);
        if !shrink(&mut families.collect::<Vec<_>>(), excess, known) {
            return false;
        }
    }
}

/// What a tenant has that holds more than what was granted of it, and that no other tenant has a part in.
struct Containers<'k> {
    machines: &'k BTreeSet<String>,
    known: &'k Names<'k>,
}

impl Containers<'_> {
    /// A pattern for the container of a name, or the name itself: the bucket of objects, the machines of an agent, its
    /// streams in a log group.
    fn around(&self, arn: &str) -> String {
        let end = |mark: &str| arn.find(mark).map(|at| at + mark.len());
        let machine = || {
            let begin = end(":stateMachine:")?;
            let own = self
                .machines
                .iter()
                .filter(|own| arn.get(begin..).is_some_and(|name| name.starts_with(*own)));
            own.map(|own| begin + own.len()).max()
        };
        let stream = || {
            let begin = end(":log-stream:")?;
            Some(begin + arn.get(begin..)?.find('/')? + 1)
        };
        let objects = || arn.contains(":s3:").then(|| end("/")).flatten();
        let length = objects().or_else(machine).or_else(stream);
        let prefix = length.and_then(|length| arn.get(..length));
        let prefix = prefix.filter(|prefix| !self.known.is_foreign(prefix));
        prefix.map_or_else(|| arn.to_owned(), |prefix| format!("{prefix}*"))
    }
}

/// The name of a model without its region; other names as they are.
pub(super) fn anywhere(arn: &str) -> String {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [arn, partition, service, _, "", model] if model.starts_with("foundation-model/") => {
            format!("{arn}:{partition}:{service}:*::{model}")
        }
        _ => arn.to_owned(),
    }
}

/// Everything in the region of a resource of Bedrock, at both endpoints; of a model without a region, that model.
fn places(arn: &str) -> Vec<String> {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [_, _, _, "", ..] => vec![arn.to_owned()],
        [arn, partition, _, region, ..] => vec![
            format!("{arn}:{partition}:bedrock:{region}:*:*"),
            format!("{arn}:{partition}:bedrock-mantle:{region}:*:project/*"),
        ],
        _ => Vec::new(),
    }
}

impl Account<'_> {
    /// The name of the policy that bounds the roles of a tenant.
    pub(super) fn boundary(&self, tenant: &Resource<TenantSpec>) -> String {
        self.name(&["boundary", tenant.name().as_str()], limits::POLICY_NAME)
    }
}
