//! The properties of a resource: the members of a request, in the words of CloudFormation.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::source::SourceId;

use super::document::{Documents, Resource, referred, refused};
use super::kind::Place;
use super::shape::Shape;
use crate::account::Account;
use crate::artifact::Address;
use crate::origin::Origin;
use crate::tree::{Key, Tree, Value};

/// The module that code in a template becomes.
const MODULE: &str = "index";

/// What CloudFormation replaces wherever it stands.
const DYNAMIC: &str = "{{resolve:";

/// Writes the properties of one resource, and reports what a template cannot say.
pub(super) struct Writer<'w> {
    pub(super) account: &'w Account<'w>,
    pub(super) documents: &'w Documents,
    pub(super) resource: &'w Resource,
    /// What the resource refers to.
    pub(super) referred: BTreeSet<Address>,
    pub(super) out: &'w mut Diagnostics,
}

impl Writer<'_> {
    /// The properties, those of the parts included.
    pub(super) fn properties(&mut self) -> Tree {
        let resource = self.resource;
        let document = &resource.document;
        let mut entries = self.members(&document.tree, &document.kind.shape);
        for part in &resource.parts {
            let members = self.members(&part.tree, &part.kind.shape);
            let Place::Item { list, .. } = part.kind.place else {
                entries.extend(members);
                continue;
            };
            let item = Tree::map(members).from(part.origin.clone());
            match entries.iter_mut().find(|(key, _)| key == list) {
                Some((_, items)) => items.push(item),
                None => entries.push((list.into(), Tree::list([item]))),
            }
        }
        if document.address.kind == "Agent" {
            let prepared = Tree::bool(true).from(self.account.default("cloudformation.prepare"));
            entries.push(("AutoPrepare".into(), prepared));
        }
        self.name_module(&mut entries);
        Tree::map(entries)
    }

    /// The members of a structure under their names in a template.
    fn members(&mut self, tree: &Tree, shape: &Shape) -> Vec<(Key, Tree)> {
        let mut written = Vec::new();
        for (key, value) in tree.entries().iter().filter(|(key, _)| key != "$region") {
            match shape.member(key) {
                Some((_, Shape::Dropped)) => {}
                Some((_, Shape::Lifted(inner))) => {
                    written.extend(self.value(value, inner).entries().iter().cloned());
                }
                Some((name, shape)) => written.push((name.into(), self.value(value, shape))),
                None => self.refuse(value, format!("a template has no property for `{key}`")),
            }
        }
        written
    }

    fn value(&mut self, tree: &Tree, shape: &Shape) -> Tree {
        let written = match tree.value() {
            Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) => tree.clone(),
            Value::Text(text) | Value::Document(text, _) => self.text(tree, text, shape),
            Value::List(_) if matches!(shape, Shape::Document) => self.document(tree),
            Value::List(items) => {
                Tree::list(items.iter().map(|item| self.value(item, shape)).collect::<Vec<_>>())
            }
            Value::Map(entries) => match self.function(tree) {
                Some(function) => function,
                None => self.map(tree, entries, shape),
            },
        };
        match tree.origin() {
            Some(origin) => written.or_from(origin),
            None => written,
        }
    }

    fn map(&mut self, tree: &Tree, entries: &[(Key, Tree)], shape: &Shape) -> Tree {
        match shape {
            Shape::Members(_) => Tree::map(self.members(tree, shape)),
            Shape::Map(inner) | Shape::Lifted(inner) => self.data(entries, inner),
            Shape::Document => self.document(tree),
            Shape::Verbatim | Shape::Typed | Shape::Dropped => self.data(entries, &Shape::Verbatim),
            Shape::Pairs => {
                let values = entries.iter().map(|(key, value)| (key, self.value(value, &Shape::Verbatim)));
                Tree::list(values.map(pair).collect::<Vec<_>>())
            }
        }
    }

    /// A map whose keys somebody may have chosen. Some keys are functions to CloudFormation.
    fn data(&mut self, entries: &[(Key, Tree)], shape: &Shape) -> Tree {
        let mut written = Vec::new();
        for (key, value) in entries {
            if key == "Ref" || key.starts_with("Fn::") {
                self.refuse(value, format!("CloudFormation would take the name `{key}` for a function"));
            }
            written.push((key.clone(), self.value(value, shape)));
        }
        Tree::map(written)
    }

    fn text(&mut self, tree: &Tree, text: &str, shape: &Shape) -> Tree {
        self.refuse_dynamic(tree, text);
        match shape {
            Shape::Typed => serde_json::from_str(text).unwrap_or_else(|_| tree.clone()),
            Shape::Members(_)
            | Shape::Map(_)
            | Shape::Verbatim
            | Shape::Document
            | Shape::Pairs
            | Shape::Lifted(_)
            | Shape::Dropped => tree.clone(),
        }
    }

    /// The text of a JSON document.
    fn document(&mut self, tree: &Tree) -> Tree {
        self.refuse_inside(tree);
        Tree::document(serde_json::to_string(tree).unwrap_or_default(), tree.clone())
    }

    /// Refuses what cannot be said in the text of a document: references, and what would be replaced.
    fn refuse_inside(&mut self, tree: &Tree) {
        match tree.value() {
            Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) => {}
            Value::Text(text) | Value::Document(text, _) => self.refuse_dynamic(tree, text),
            Value::List(items) => items.iter().for_each(|item| self.refuse_inside(item)),
            Value::Map(entries) => {
                if referred(tree).is_some() || tree.get("$join").is_some() {
                    self.refuse(tree, "a template cannot refer to something from inside of a text");
                }
                for (key, value) in entries {
                    self.refuse_dynamic(value, key);
                    self.refuse_inside(value);
                }
            }
        }
    }

    fn refuse_dynamic(&mut self, tree: &Tree, text: &str) {
        if text.contains(DYNAMIC) {
            self.refuse(tree, format!("CloudFormation would replace `{DYNAMIC}…}}}}` by what it names"));
        }
    }

    /// A reference, or a text that is put together.
    fn function(&mut self, tree: &Tree) -> Option<Tree> {
        if let Some(parts) = tree.get("$join") {
            let Value::List(parts) = parts.value() else { return None };
            let parts =
                Tree::list(parts.iter().map(|part| self.value(part, &Shape::Verbatim)).collect::<Vec<_>>());
            return Some(Tree::map([("Fn::Join", Tree::list([Tree::text(""), parts]))]));
        }
        let (address, member) = referred(tree)?;
        let documents = self.documents;
        if let Some((code, origin)) = documents.code.get(&address) {
            return Some(Tree::text(code).from(origin.clone()));
        }
        let other = documents.resources.get(&address).filter(|other| other.stack == self.resource.stack);
        let attribute = other.and_then(|other| Some((other, other.document.kind.attribute(member)?)));
        let Some((other, attribute)) = attribute else {
            self.refuse(tree, format!("a template cannot refer to `{address}#{member}`"));
            return Some(tree.clone());
        };
        self.referred.insert(address);
        Some(Tree::map([("Fn::GetAtt", Tree::list([Tree::text(&other.id), Tree::text(attribute)]))]))
    }

    /// A function whose code stands in the template has it in a module of another name.
    fn name_module(&self, entries: &mut [(Key, Tree)]) {
        let inline = |(key, value): &(Key, Tree)| key == "Code" && value.get("ZipFile").is_some();
        if !entries.iter().any(inline) {
            return;
        }
        for (_, value) in entries.iter_mut().filter(|(key, _)| key == "Handler") {
            let Some((_, handler)) = value.as_text().and_then(|text| text.split_once('.')) else { continue };
            let origin = self.account.default("cloudformation.inlineCode");
            *value = Tree::text(format!("{MODULE}.{handler}")).from(origin);
        }
    }

    /// Reports something at its line; where it follows from a default, at that of the resource.
    fn refuse(&mut self, tree: &Tree, message: impl Into<String>) {
        let written = |origin: &&Origin| origin.span.source != SourceId::DEFAULTS;
        let origin = tree.origin().filter(written).unwrap_or(&self.resource.document.origin);
        self.out.report(refused(origin, message));
    }
}

/// A tag as a list of tags has it.
fn pair((key, value): (&Key, Tree)) -> Tree {
    let origin = value.origin().cloned();
    let pair = Tree::map([("Key", Tree::text(key.clone())), ("Value", value)]);
    match origin {
        Some(origin) => pair.from(origin),
        None => pair,
    }
}
