//! Files that resources name: asked for first, answered by whoever may read, then part of the graph.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostics;
use crate::model::connector::ConnectorKind;
use crate::model::{Bundle, File};
use crate::rule;
use crate::source::{SourceId, Span};

/// A file that a resource names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRequest {
    /// Its path inside the workspace.
    pub path: String,
    /// Where it is named.
    pub span: Span,
}

/// All files that are named, in the order of resources.
pub type FileRequests = Vec<FileRequest>;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAnswer {
    /// The content is a source now.
    Found {
        /// The path that was asked for.
        path: String,
        /// Its source.
        source: SourceId,
    },
    /// It could not be read.
    Unreadable {
        /// The path that was asked for.
        path: String,
        /// Why, in a few words.
        why: String,
    },
    /// It is a link that leads out of the workspace.
    Outside {
        /// The path that was asked for.
        path: String,
    },
}

/// Every file that a resource names.
pub fn file_requests(bundle: &Bundle) -> FileRequests {
    let request =
        |file: &File| FileRequest { path: file.file.value.as_str().to_owned(), span: file.file.span };
    named(bundle).map(request).collect()
}

fn named(bundle: &Bundle) -> impl Iterator<Item = &File> {
    let agents = bundle.agents.iter().flat_map(|agent| {
        let inputs = agent.spec.tools.iter().filter_map(|tool| tool.input.as_ref());
        agent.spec.instructions.iter().chain(inputs)
    });
    let connectors = bundle.connectors.iter().filter_map(|connector| {
        if let ConnectorKind::Http(http) = &connector.spec.kind { http.open_api.as_ref() } else { None }
    });
    let tests = bundle
        .model_tests
        .iter()
        .flat_map(|test| std::iter::once(&test.spec.send).chain(test.spec.expect.matches_schema.as_ref()));
    agents.chain(connectors).chain(tests)
}

/// Keeps what was found, and reports the rest at every place that names it.
pub(super) fn accept(
    bundle: &Bundle,
    answers: &[FileAnswer],
    out: &mut Diagnostics,
) -> BTreeMap<String, SourceId> {
    let by_path: BTreeMap<&str, &FileAnswer> = answers.iter().map(|answer| (answer.path(), answer)).collect();
    let mut found = BTreeMap::new();
    for request in file_requests(bundle) {
        let place = request.span;
        match by_path.get(request.path.as_str()) {
            Some(FileAnswer::Found { source, .. }) => _ = found.insert(request.path, *source),
            Some(FileAnswer::Unreadable { why, .. }) => {
                let message = format!("the file `{}` cannot be read: {why}", request.path);
                out.report(
                    rule::FILE_UNREADABLE.at(place, message, "").help("paths are relative to the workspace"),
                );
            }
            Some(FileAnswer::Outside { .. }) => {
                let message = format!("`{}` is a link that leaves the workspace", request.path);
                out.report(
                    rule::FILE_OUTSIDE.at(place, message, "").help("put the file itself into the workspace"),
                );
            }
            None => {
                let message = format!("the file `{}` was not looked for", request.path);
                out.report(rule::FILE_UNREADABLE.at(place, message, ""));
            }
        }
    }
    found
}

impl FileAnswer {
    fn path(&self) -> &str {
        match self {
            Self::Found { path, .. } | Self::Unreadable { path, .. } | Self::Outside { path } => path,
        }
    }
}
