//! What has to be there before a resource, beyond what it refers to.

use std::collections::BTreeSet;

use super::document::{Documents, Resource};
use crate::artifact::Address;

/// The resources of the same template that must be made first. What the resource refers to needs no mention. A part is
/// made with its resource, so that what needs the part waits for the resource, and for what the part needed.
pub(super) fn depends_on<'d>(
    documents: &'d Documents,
    resource: &'d Resource,
    referred: &BTreeSet<Address>,
) -> BTreeSet<&'d str> {
    let own = &resource.document.address;
    let parts = resource.parts.iter().flat_map(|part| &part.needs);
    let mut needed = BTreeSet::new();
    for need in resource.document.needs.iter().chain(parts) {
        needed.extend(resources(documents, need));
    }
    let found = needed.into_iter().filter(|address| *address != own && !referred.contains(address));
    let found = found.filter_map(|address| documents.resources.get(address));
    let here = found.filter(|other| other.stack == resource.stack && !waits_for(documents, other, own));
    here.map(|other| other.id.as_str()).collect()
}

/// The resources that a need stands for.
fn resources<'d>(documents: &'d Documents, need: &'d Address) -> Vec<&'d Address> {
    let Some(host) = documents.hosts.get(need) else { return vec![need] };
    let parts = documents.resources.get(host).into_iter().flat_map(|resource| &resource.parts);
    let needs = parts.filter(|part| part.address == *need).flat_map(|part| &part.needs);
    std::iter::once(host).chain(needs).collect()
}

/// Whether a resource needs another one itself: then the other cannot wait for it.
fn waits_for(documents: &Documents, resource: &Resource, other: &Address) -> bool {
    resource.document.needs.iter().any(|need| resources(documents, need).contains(&other))
}
