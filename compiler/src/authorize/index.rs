//! Which policies can have a say in a request. Cedar asks every policy; whose scope cannot match neither decides nor
//! fails, so leaving it out changes nothing but the time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicySet, PrincipalConstraint};

/// Policies by action and principal.
#[derive(Debug)]
pub(super) struct Index {
    policies: Vec<Policy>,
    /// Policies for any action, and those for one.
    any_action: Vec<usize>,
    by_action: BTreeMap<String, Vec<usize>>,
    sets: RwLock<BTreeMap<Vec<usize>, Arc<PolicySet>>>,
}

impl Index {
    pub(super) fn new(policies: Vec<Policy>) -> Self {
        let mut index = Self {
            policies: Vec::new(),
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
        let specific = self.by_action.get(action).map_or(&[][..], Vec::as_slice);
        let mut chosen: Vec<usize> = self.any_action.iter().chain(specific).copied().collect();
        chosen.retain(|at| !without.contains(at) && self.may_match(*at, principals));
        chosen.sort_unstable();
        chosen.dedup();
        self.set(chosen)
    }

    /// Positions of the permits that can match.
    pub(super) fn permits(&self, action: &str, principals: &[EntityUid]) -> Vec<usize> {
        let specific = self.by_action.get(action).map_or(&[][..], Vec::as_slice);
        let permits =
            |at: &usize| self.policies.get(*at).is_some_and(|policy| policy.effect() == Effect::Permit);
        let matching = self.any_action.iter().chain(specific).copied();
        matching.filter(|at| permits(at) && self.may_match(*at, principals)).collect()
    }

    /// Whether the principal scope of a policy can match: `principals` is the principal, then its ancestors.
    fn may_match(&self, at: usize, principals: &[EntityUid]) -> bool {
        let Some((policy, principal)) = self.policies.get(at).zip(principals.first()) else { return false };
        match policy.principal_constraint() {
            PrincipalConstraint::Any => true,
            PrincipalConstraint::Eq(uid) => uid == *principal,
            PrincipalConstraint::In(uid) => principals.contains(&uid),
            PrincipalConstraint::Is(kind) => kind == *principal.type_name(),
            PrincipalConstraint::IsIn(kind, uid) => {
                kind == *principal.type_name() && principals.contains(&uid)
            }
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
