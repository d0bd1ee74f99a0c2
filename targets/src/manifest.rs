//! What lies beside artifacts in a folder: digests, and where every value comes from.

use std::collections::{BTreeMap, HashMap};

use aipolicy_compiler::authorize::Decisions;
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::source::SourceMap;
use serde::{Serialize, Serializer};

use crate::artifact::{Artifact, digest};
use crate::origin::Origin;

/// The version of the format of manifests.
pub const MANIFEST: &str = "aipolicy.manifest/1";
/// The version of the format of source maps.
pub const ORIGINS: &str = "aipolicy.origins/1";

/// The digests of everything in a folder, and of what it was made from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    format: &'static str,
    tool: String,
    sources: String,
    catalog: String,
    files: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest of artifacts, made by a version of the tool from sources and a catalog with these digests.
    pub fn new(artifacts: &[Artifact], tool: &str, sources: &str, catalog: &str) -> Self {
        let files = artifacts.iter().map(|artifact| (artifact.document.file(), artifact.document.digest()));
        Self {
            format: MANIFEST,
            tool: tool.into(),
            sources: sources.into(),
            catalog: catalog.into(),
            files: files.collect(),
        }
    }

    /// The manifest with further files, given by path with their texts.
    pub fn with(mut self, files: &BTreeMap<String, String>) -> Self {
        self.files.extend(files.iter().map(|(path, text)| (path.clone(), digest(text.as_bytes()))));
        self
    }
}

/// Where every value of every artifact comes from.
#[derive(Debug, Serialize)]
pub struct SourceMapFile<'a> {
    format: &'static str,
    artifacts: BTreeMap<String, Pointers<'a>>,
    origins: Vec<Place>,
}

/// The values of one artifact: pointers in the order of the document, each with the position of its origin.
#[derive(Debug)]
struct Pointers<'a>(Vec<(&'a str, usize)>);

impl Serialize for Pointers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// An origin as it is written: lines and columns from 1, the end exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// File, relative to the workspace, or `<defaults>`.
    pub file: String,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// One past the last column.
    pub end_column: usize,
    /// Ids of the Cedar policies that permitted it.
    pub policies: Vec<String>,
    /// Ids of the Cedar policies that forbid it and are waived, each with the name of its waiver.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub waived: BTreeMap<String, String>,
}

impl Place {
    /// An origin with its place.
    pub fn new(origin: &Origin, sources: &SourceMap, (graph, decisions): (&Graph, &Decisions)) -> Self {
        let waived = origin.waived.iter().filter_map(|one| {
            Some((decisions.policy(one.policy)?.id.clone(), graph.name(one.waiver).to_owned()))
        });
        let (start, end) = (sources.position(origin.span), sources.end_position(origin.span));
        let policies = origin.policies.iter().filter_map(|index| decisions.policy(*index));
        Self {
            file: sources.get(origin.span.source).path().to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            policies: policies.map(|fact| fact.id.clone()).collect(),
            waived: waived.collect(),
        }
    }
}

impl<'a> SourceMapFile<'a> {
    /// The source map of artifacts.
    pub fn new(artifacts: &'a [Artifact], sources: &SourceMap, judged: (&Graph, &Decisions)) -> Self {
        let mut known: HashMap<&Origin, usize> = HashMap::new();
        let mut origins = Vec::new();
        let mut map = BTreeMap::new();
        for artifact in artifacts {
            let mut position = |origin| {
                *known.entry(origin).or_insert_with(|| {
                    origins.push(Place::new(origin, sources, judged));
                    origins.len() - 1
                })
            };
            let own: Vec<_> = artifact.trace.origins().iter().map(&mut position).collect();
            let entry = |(pointer, at): (&'a str, u32)| Some((pointer, *own.get(at as usize)?));
            let entries = artifact.trace.entries().filter_map(entry);
            map.insert(artifact.document.file(), Pointers(entries.collect()));
        }
        Self { format: ORIGINS, artifacts: map, origins }
    }

    /// The file as it is written: indented, with a final line break. It is large, so it gets its room at once.
    #[expect(clippy::expect_used, reason = "it holds text, numbers, lists and maps with text as keys")]
    pub fn text(&self) -> String {
        let pointers = self.artifacts.values().flat_map(|pointers| &pointers.0);
        let pointers: usize = pointers.map(|(pointer, _)| pointer.len() + 24).sum();
        let mut text = Vec::with_capacity(pointers + 128 * self.artifacts.len() + 256 * self.origins.len());
        serde_json::to_writer_pretty(&mut text, self).expect("a source map is JSON");
        text.push(b'\n');
        String::from_utf8(text).expect("JSON is UTF-8")
    }
}
