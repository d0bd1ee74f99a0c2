//! Which policies can have a say in a request. Cedar asks every policy; whose scope cannot match neither decides nor
//! fails, so leaving it out changes nothing but the time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicySet, PrincipalConstraint};

/// Policies by action and principal.
#[derive(Debug)]
pub(super) struct Index {
    policies: Vec<Policy>,
    /// The principal scope of each policy.
    scopes: Vec<PrincipalConstraint>,
    /// Policies for any action, and those for an action together with them, in order.
    any_action: Vec<usize>,
    by_action: BTreeMap<String, Vec<usize>>,
    sets: RwLock<BTreeMap<Vec<usize>, Arc<PolicySet>>>,
}

impl Index {
    pub(super) fn new(policies: Vec<Policy>) -> Self {
        let mut index = Self {
            policies: Vec::new(),
            scopes: policies.iter().map(Policy::principal_constraint).collect(),
            any_action: Vec::new(),
            by_action: BTreeMap::new(),
            sets: RwLock::default(),
        };
        for (at, policy) in policies.iter().enumerate() {
            let actions = match policy.action_constraint() {
                ActionConstraint::Any => {
                    index.any_action.push(at);
                    continue;
                }
                ActionConstraint::Eq(action) => vec![action],
                ActionConstraint::In(actions) => actions,
            };
            for action in actions {
                index.by_action.entry(action.id().unescaped().to_owned()).or_default().push(at);
            }
        }
        for positions in index.by_action.values_mut() {
            positions.extend(&index.any_action);
            positions.sort_unstable();
            positions.dedup();
        }
        index.policies = policies;
        index
    }

    /// The policies that can match, without those at the positions in `without`.
    pub(super) fn candidates(
        &self,
        action: &str,
        principals: &[EntityUid],
        without: &BTreeSet<usize>,
    ) -> Arc<PolicySet> {
        let about = self.about(action).iter().copied();
        self.set(about.filter(|at| !without.contains(at) && self.may_match(*at, principals)).collect())
    }

    /// Positions of the permits that can match, those for any action first.
    pub(super) fn permits(&self, action: &str, principals: &[EntityUid]) -> Vec<usize> {
        let permits =
            |at: &usize| self.policies.get(*at).is_some_and(|policy| policy.effect() == Effect::Permit);
        let about = self.about(action).iter().copied();
        let mut found: Vec<_> = about.filter(|at| permits(at) && self.may_match(*at, principals)).collect();
        found.sort_by_key(|at| self.any_action.binary_search(at).is_err());
        found
    }

    /// The policy at a position.
    pub(super) fn get(&self, at: usize) -> Option<&Policy> {
        self.policies.get(at)
    }

    /// Whether a policy is about this action alone.
    pub(super) fn is_about(&self, at: usize, action: &str) -> bool {
        let named = |(_, positions): &(&String, &Vec<usize>)| positions.binary_search(&at).is_ok();
        let mut about = self.by_action.iter().filter(named).map(|(named, _)| named.as_str());
        self.any_action.binary_search(&at).is_err() && about.next() == Some(action) && about.next().is_none()
    }

    /// Policies whose action scope can match, in order.
    fn about(&self, action: &str) -> &[usize] {
        self.by_action.get(action).unwrap_or(&self.any_action)
    }

    /// Whether the principal scope of a policy can match: `principals` is the principal, then its ancestors.
    fn may_match(&self, at: usize, principals: &[EntityUid]) -> bool {
        let Some((scope, principal)) = self.scopes.get(at).zip(principals.first()) else { return false };
        match scope {
            PrincipalConstraint::Any => true,
            PrincipalConstraint::Eq(uid) => uid == principal,
            PrincipalConstraint::In(uid) => principals.contains(uid),
            PrincipalConstraint::Is(kind) => kind == principal.type_name(),
            PrincipalConstraint::IsIn(kind, uid) => kind == principal.type_name() && principals.contains(uid),
        }
    }

    fn set(&self, chosen: Vec<usize>) -> Arc<PolicySet> {
        if let Some(found) = self.sets.read().ok().and_then(|sets| sets.get(&chosen).cloned()) {
            return found;
        }
        let policies = chosen.iter().filter_map(|at| self.policies.get(*at).cloned());
        #[expect(clippy::expect_used, reason = "ids are unique: `policies::name` refuses a second one")]
        let set = Arc::new(PolicySet::from_policies(policies).expect("unique ids"));
        if let Ok(mut sets) = self.sets.write() {
            sets.insert(chosen, Arc::clone(&set));
        }
        set
    }
}
