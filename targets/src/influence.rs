//! What a line has a part in without being the origin of a value: a word such as `access: read` decides which documents
//! there are, and none of them says it.

use std::collections::BTreeSet;

use aipolicy_compiler::enclosing;
use aipolicy_compiler::model::Bundle;
use aipolicy_compiler::resolve::file_requests;
use aipolicy_compiler::source::{SourceId, SourceKind, SourceMap, Span};

use crate::artifact::Artifact;

/// The artifacts that whatever the line is part of has a part in: first those of the innermost list or map around it, then
/// those of what that is part of, up to its document; at last those that hold a digest of any of them. A line of a file that
/// a resource names is part of what names it.
pub fn shaped_by<'a>(
    artifacts: &'a [Artifact],
    (sources, bundle): (&SourceMap, &Bundle),
    (source, line): (SourceId, usize),
) -> Vec<&'a Artifact> {
    let mut places = match sources.get(source).kind() {
        SourceKind::Resources => enclosing(sources, source, line),
        SourceKind::Referenced => vec![Span::new(source, 0, sources.get(source).text().len())],
        SourceKind::Policies { .. } | SourceKind::Defaults => Vec::new(),
    };
    let path = sources.get(source).path();
    places
        .extend(file_requests(bundle).into_iter().filter(|named| named.path == path).map(|named| named.span));
    let mut found: Vec<&Artifact> = Vec::new();
    for place in places {
        let within =
            artifacts.iter().filter(|one| one.trace.origins().iter().any(|at| place.contains(at.span)));
        for artifact in within {
            if !found.iter().any(|known| std::ptr::eq(*known, artifact)) {
                found.push(artifact);
            }
        }
    }
    let addresses: BTreeSet<_> = found.iter().map(|one| &one.document.address).collect();
    let digests = artifacts
        .iter()
        .filter(|one| !addresses.contains(&one.document.address) && one.document.text.contains("sha256:"));
    let digests: Vec<_> =
        digests.filter(|one| one.needs.iter().any(|need| addresses.contains(need))).collect();
    found.into_iter().chain(digests).collect()
}
