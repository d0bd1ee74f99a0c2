//! Documents to resources.

use super::{Bundle, KindName, Metadata, Name, Resource, Spec, keep};
use crate::diagnostic::Diagnostics;
use crate::rule;
use crate::source::{SourceId, SourceMap, Span};
use crate::yaml::{Decode, Document, Fields, Node, Reader, Value, documents, nearest};

/// The version of the language that is read.
pub(crate) const API_VERSION: &str = "aipolicy.dev/v1";

/// Reads every resource of a file that can be read, and reports the rest.
pub(crate) fn read_file(sources: &SourceMap, id: SourceId, out: &mut Diagnostics) -> Bundle {
    let mut bundle = Bundle::default();
    for document in documents(sources.get(id).text(), id, out) {
        read_document(&document, &mut bundle, &mut Reader { out });
    }
    bundle
}

/// A document whose kind is known.
pub(super) struct Header<'n, 'a> {
    fields: Fields<'n, 'a>,
    span: Span,
}

fn read_document(document: &Document<'_>, bundle: &mut Bundle, reader: &mut Reader<'_>) {
    let Some(mut fields) = Fields::of(&document.root, reader) else { return };
    let version = fields.find("api_version");
    let kind = fields.find("kind");
    check_version(version.map(|(_, node)| node), &mut fields, reader);
    match kind.map(|(_, node)| node) {
        Some(node) => {
            if let Some(kind) = read_kind(node, reader) {
                keep(kind, Header { fields, span: document.root.span }, bundle, reader);
                return;
            }
        }
        None => fields.lack_field("kind", None),
    }
    fields.report_lacking(reader);
}

fn check_version(node: Option<&Node<'_>>, fields: &mut Fields<'_, '_>, reader: &mut Reader<'_>) {
    let Some(node) = node else {
        fields.lack_field("api_version", Some(format!("write `apiVersion: {API_VERSION}`")));
        return;
    };
    if !super::shape::is_word(node, API_VERSION) {
        let message = "the version of the language is not known";
        reader
            .out
            .report(rule::API_VERSION.at(node.span, message, "").help(format!("write `{API_VERSION}`")));
    }
}

fn read_kind(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<KindName> {
    let Value::Scalar { text, .. } = &node.value else { return reader.wrong_type(node, "a kind") };
    KindName::find(text).or_else(|| {
        let found = rule::UNKNOWN_KIND.at(node.span, format!("there is no kind `{text}`"), "");
        let words = KindName::ALL.iter().map(|kind| kind.word());
        reader.fail(match nearest(text, words.clone()) {
            Some(near) => found.help(format!("`{near}` is the nearest")),
            None => found.help(format!("kinds are {}", crate::yaml::list(&words.collect::<Vec<_>>()))),
        })
    })
}

impl Header<'_, '_> {
    /// The resource, or the name of what could not be read.
    pub(super) fn resource<S: Spec>(mut self, reader: &mut Reader<'_>) -> Result<Resource<S>, Option<Name>> {
        let metadata = self.fields.take::<Metadata>("metadata", reader);
        let spec = self.fields.take::<Required<S>>("spec", reader);
        self.fields.finish(&["api_version", "kind", "metadata", "spec"], reader);
        match (metadata, spec) {
            (Some(metadata), Some(Required(spec))) => Ok(Resource { metadata, spec, span: self.span }),
            (metadata, _) => Err(metadata.map(|metadata| metadata.name.value)),
        }
    }
}

/// A specification is never left out, even where its type could be.
struct Required<T>(T);

impl<T: Decode> Decode for Required<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Self)
    }
}
