//! An order in which changes can be applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change};
use crate::artifact::Address;

/// Sorts changes so that each comes after what it needs. Deletions come last, in the reverse order of addresses, since
/// what is named later tends to use what is named earlier (a role its policies). Needs outside the plan are dropped.
pub(super) fn sorted(changes: Vec<Change>) -> Vec<Change> {
    let addresses: BTreeSet<Address> = changes.iter().map(|change| change.address.clone()).collect();
    let (mut gone, kept): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.action == Action::Delete);
    let mut waiting: BTreeMap<Address, Change> = BTreeMap::new();
    for mut change in kept {
        change.after_changes.retain(|needed| addresses.contains(needed));
        waiting.insert(change.address.clone(), change);
    }
    let mut done: BTreeSet<Address> = BTreeSet::new();
    let mut order = Vec::with_capacity(waiting.len() + gone.len());
    while let Some(change) = next(&waiting, &done).and_then(|address| waiting.remove(&address)) {
        done.insert(change.address.clone());
        order.push(change);
    }
    gone.sort_by(|left, right| right.address.cmp(&left.address));
    order.extend(gone);
    order
}

/// The first change whose needs are met; in a circle, the first one at all, so that nothing is lost.
fn next(waiting: &BTreeMap<Address, Change>, done: &BTreeSet<Address>) -> Option<Address> {
    let ready = |change: &Change| change.after_changes.iter().all(|needed| done.contains(needed));
    let found = waiting.iter().find(|(_, change)| ready(change)).or_else(|| waiting.iter().next());
    found.map(|(address, _)| address.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{EffectClass, Reason};

    fn change(address: &str, action: Action, needs: &[&str]) -> Change {
        Change {
            address: address.parse().unwrap(),
            action,
            reason: Reason::Sources,
            effect: EffectClass::Neutral,
            before: None,
            after: None,
            after_changes: needs.iter().map(|address| address.parse().unwrap()).collect(),
            origins: Vec::new(),
        }
    }

    #[test]
    fn what_is_needed_comes_first_and_what_goes_goes_last_in_reverse() {
        let changes = vec![
            change("iam/Policy/old", Action::Delete, &[]),
            change("iam/Role/old", Action::Delete, &[]),
            change("iam/Role/a", Action::Create, &["iam/Policy/z", "iam/Policy/unchanged"]),
            change("iam/Policy/z", Action::Create, &[]),
        ];
        let order: Vec<_> = sorted(changes).into_iter().map(|change| change.address.to_string()).collect();
        assert_eq!(order, ["iam/Policy/z", "iam/Role/a", "iam/Role/old", "iam/Policy/old"]);
    }

    #[test]
    fn a_circle_loses_nothing() {
        let changes = vec![
            change("iam/Role/a", Action::Create, &["iam/Role/b"]),
            change("iam/Role/b", Action::Create, &["iam/Role/a"]),
        ];
        assert_eq!(sorted(changes).len(), 2);
    }
}
