//! Names become ids: the graph of a workspace, with what could not be resolved reported once, where it is written.

mod backwards;
mod files;
mod places;
mod regions;
mod residency;
mod standby;

pub use files::{FileAnswer, FileRequest, FileRequests, file_requests};
pub use places::StorePlace;
pub use regions::Processing;
pub use residency::{Residency, class_rank};
pub use standby::{FailureDomain, Standby};

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::diagnostic::Diagnostics;
use crate::model::data_class::DataClassSpec;
use crate::model::{Bundle, File, Id, KindName, Ref, Resource, Spec, value};
use crate::rule;
use crate::source::{SourceId, SourceMap, Spanned};
use crate::yaml::nearest;

/// Every resource of a workspace, linked.
#[derive(Debug)]
pub struct Graph {
    bundle: Bundle,
    files: BTreeMap<String, SourceId>,
    catalog: &'static Catalog,
    residencies: residency::Residencies,
    backwards: backwards::Backwards,
}

impl Graph {
    /// All resources.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The facts that resources are compared with.
    pub fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// The resource that a reference means; nothing if there is none of that name, which has been reported.
    pub fn get<S: Spec>(&self, reference: &Ref<S>) -> Option<&Resource<S>> {
        reference.id().and_then(|id| self.resource(id))
    }

    /// The resource with an id of this graph.
    pub fn resource<S: Spec>(&self, id: Id<S>) -> Option<&Resource<S>> {
        S::all(&self.bundle).get(id.index())
    }

    /// Every resource of a kind with its id.
    pub fn each<S: Spec>(&self) -> impl Iterator<Item = (Id<S>, &Resource<S>)> {
        S::all(&self.bundle).iter().enumerate().map(|(index, found)| (Id::new(index), found))
    }

    /// The name of the resource with this id; empty for a foreign id.
    pub fn name<S: Spec>(&self, id: Id<S>) -> &str {
        self.resource(id).map_or("", |found| found.name().as_str())
    }

    /// The resource of a kind with this name.
    pub fn find<S: Spec>(&self, name: &str) -> Option<Id<S>> {
        self.each::<S>().find(|(_, found)| found.name().as_str() == name).map(|(id, _)| id)
    }

    /// The source that holds the content of a file that a resource names.
    pub fn file(&self, file: &File) -> Option<SourceId> {
        self.files.get(file.file.value.as_str()).copied()
    }
}

/// Gives every reference its id.
pub fn link(mut bundle: Bundle, files: &[FileAnswer], sources: &SourceMap, out: &mut Diagnostics) -> Graph {
    add_built_in_classes(&mut bundle, sources);
    let names = index(&bundle, out);
    let refused = std::mem::take(&mut bundle.refused);
    bundle.each_reference(
        &mut |reference| match names.get(&(reference.kind, reference.name.value.as_str())) {
            Some(found) => (reference.resolve)(found.0),
            None if refused.contains(&(reference.kind, reference.name.value.clone())) => {}
            None => report_dangling(reference.kind, reference.name, &names, out),
        },
    );
    let files = files::accept(&bundle, files, out);
    let (residencies, backwards) = (residency::Residencies::default(), backwards::Backwards::of(&bundle));
    Graph { bundle, files, catalog: Catalog::shipped(), residencies, backwards }
}

/// The position of each resource by kind and name, and where its name is written.
type Index = BTreeMap<(KindName, Box<str>), (usize, crate::source::Span)>;

fn index(bundle: &Bundle, out: &mut Diagnostics) -> Names {
    let mut names = Names { by_name: Index::new() };
    for kind in KindName::ALL {
        for (position, name) in bundle.names(*kind).into_iter().enumerate() {
            names.add(*kind, (position, name), out);
        }
    }
    names
}

struct Names {
    by_name: Index,
}

impl Names {
    fn add(
        &mut self,
        kind: KindName,
        (position, name): (usize, &Spanned<value::Name>),
        out: &mut Diagnostics,
    ) {
        let key = (kind, Box::from(name.value.as_str()));
        match self.by_name.get(&key) {
            Some((_, first)) => {
                let message =
                    format!("there are two resources of kind {kind} with the name `{}`", name.value);
                out.report(rule::DUPLICATE_RESOURCE.at(name.span, message, "again").label(*first, "first"));
            }
            None => _ = self.by_name.insert(key, (position, name.span)),
        }
    }

    fn get(&self, key: &(KindName, &str)) -> Option<&(usize, crate::source::Span)> {
        self.by_name.get(&(key.0, Box::from(key.1)))
    }

    fn of(&self, kind: KindName) -> impl Iterator<Item = &str> {
        self.by_name
            .range((kind, Box::from(""))..)
            .take_while(move |((found, _), _)| *found == kind)
            .map(|((_, name), _)| &**name)
    }
}

fn report_dangling(kind: KindName, name: &Spanned<value::Name>, names: &Names, out: &mut Diagnostics) {
    let found = rule::UNRESOLVED_REFERENCE.at(
        name.span,
        format!("there is no {kind} with the name `{}`", name.value),
        "",
    );
    out.report(match nearest(name.value.as_str(), names.of(kind)) {
        Some(near) => found.help(format!("`{near}` is the nearest")),
        None => found.help(format!("add a resource of kind {kind}, or correct the name")),
    });
}

/// The classes that every organisation has, each with its line in the defaults.
fn add_built_in_classes(bundle: &mut Bundle, sources: &SourceMap) {
    let built_in = ["public", "internal", "confidential", "restricted"];
    let classes = built_in.iter().zip([0, 10, 20, 30]).filter_map(|(name, rank)| {
        let span = sources.default_span(&format!("dataClass.{name}"));
        DataClassSpec::built_in(name, rank, span)
    });
    bundle.data_classes.splice(0..0, classes.collect::<Vec<_>>());
}
