//! An order in which changes can be applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change};
use crate::artifact::Address;

/// Sorts changes so that each comes after what it needs. Deletions come last, in the reverse order of their kinds,
/// and keep only those needs that are part of the plan.
pub(super) fn sorted(changes: Vec<Change>) -> Vec<Change> {
    let addresses: BTreeSet<Address> = changes.iter().map(|change| change.address.clone()).collect();
    let mut waiting: BTreeMap<(bool, Address), Change> = BTreeMap::new();
    for mut change in changes {
        change.after_changes.retain(|needed| addresses.contains(needed));
        waiting.insert((change.action == Action::Delete, change.address.clone()), change);
    }
    let mut done: BTreeSet<Address> = BTreeSet::new();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(key) = next(&waiting, &done) {
        if let Some(change) = waiting.remove(&key) {
            done.insert(change.address.clone());
            order.push(change);
        }
    }
    order
}

/// The first change whose needs are met; in a circle, the first one at all, so that nothing is lost.
fn next(waiting: &BTreeMap<(bool, Address), Change>, done: &BTreeSet<Address>) -> Option<(bool, Address)> {
    let ready = |change: &Change| change.after_changes.iter().all(|needed| done.contains(needed));
    let found = waiting.iter().find(|(_, change)| ready(change)).or_else(|| waiting.iter().next());
    found.map(|(key, _)| key.clone())
}
