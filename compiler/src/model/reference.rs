//! References between resources: names until they are linked, ids afterwards.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{KindName, Name, Spec};
use crate::rule;
use crate::source::{Span, Spanned};
use crate::yaml::{Decode, Node, Reader, Value};

/// The position of a resource among those of its kind.
pub struct Id<S> {
    index: u32,
    kind: PhantomData<fn() -> S>,
}

impl<S> Id<S> {
    pub(crate) fn new(index: usize) -> Self {
        Self { index: u32::try_from(index).unwrap_or(u32::MAX), kind: PhantomData }
    }

    /// The position.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl<S> Clone for Id<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Id<S> {}

impl<S> PartialEq for Id<S> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<S> Eq for Id<S> {}

impl<S> PartialOrd for Id<S> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<S> Ord for Id<S> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.index.cmp(&other.index)
    }
}

impl<S> std::hash::Hash for Id<S> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl<S> std::fmt::Debug for Id<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "#{}", self.index)
    }
}

/// The name of another resource. Linking gives it the id; one that does not resolve is reported and stays without.
pub struct Ref<S> {
    /// The name with its place.
    pub name: Spanned<Name>,
    pub(crate) id: Option<Id<S>>,
}

impl<S> Ref<S> {
    /// The resource that is meant, once linked; nothing if there is none of that name.
    pub fn id(&self) -> Option<Id<S>> {
        self.id
    }
}

impl<S> Clone for Ref<S> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), id: self.id }
    }
}

impl<S> std::fmt::Debug for Ref<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Ref({:?})", self.name.value)
    }
}

impl<S: Spec> Decode for Ref<S> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        Spanned::<Name>::decode(node, reader).map(|name| Self { name, id: None })
    }
}

impl<S: Spec> JsonSchema for Ref<S> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Ref", S::KIND.word()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = <Name as JsonSchema>::json_schema(generator);
        schema.insert("description".into(), format!("The name of a {}.", S::KIND.word()).into());
        schema
    }
}

/// A reference that is being linked: what it names, and where the id goes.
pub(crate) struct Reference<'r> {
    pub(crate) kind: KindName,
    pub(crate) name: &'r Spanned<Name>,
    pub(crate) resolve: &'r mut dyn FnMut(usize),
}

/// What may hold references.
pub(crate) trait Linked {
    /// Shows every reference inside.
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        let _ = visit;
    }
}

impl<S: Spec> Linked for Ref<S> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        let Self { name, id } = self;
        visit(Reference { kind: S::KIND, name, resolve: &mut |index| *id = Some(Id::new(index)) });
    }
}

/// A reference that names its kind too, written `Kind/name`.
#[derive(Clone, Debug)]
pub struct AnyRef {
    /// The kind.
    pub kind: KindName,
    /// The name with its place.
    pub name: Spanned<Name>,
}

impl Decode for AnyRef {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Scalar { text, .. } = &node.value else { return reader.wrong_type(node, WANTED) };
        let Some((kind, name)) = text.split_once('/') else {
            let message = format!("`{text}` is not a kind and a name");
            return reader
                .fail(rule::BAD_VALUE.at(node.span, message, "").help(format!("expected {WANTED}")));
        };
        let Some(kind) = KindName::find(kind) else {
            return reader.fail(rule::UNKNOWN_KIND.at(node.span, format!("there is no kind `{kind}`"), ""));
        };
        let start = node.span.start as usize + kind.word().len() + 1;
        let quoted = u32::from(node.span.end as usize - node.span.start as usize > text.len());
        let span = Span {
            start: u32::try_from(start).unwrap_or(u32::MAX) + quoted,
            end: node.span.end - quoted,
            ..node.span
        };
        let name = Node { value: Value::Scalar { text: name.into(), plain: false }, span };
        Name::decode(&name, reader).map(|value| Self { kind, name: Spanned { value, span } })
    }
}

const WANTED: &str = "a resource such as `Route/chat`";

impl JsonSchema for AnyRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds: Vec<_> = KindName::ALL.iter().map(|kind| kind.word()).collect();
        let pattern = format!("^({})/[a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])?$", kinds.join("|"));
        schemars::json_schema!({ "type": "string", "pattern": pattern, "description": "A resource such as `Route/chat`." })
    }
}

impl Linked for AnyRef {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        visit(Reference { kind: self.kind, name: &self.name, resolve: &mut |_| {} });
    }
}

impl<T: Linked> Linked for Option<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Some(inner) = self {
            inner.each_reference(visit);
        }
    }
}

impl<T: Linked> Linked for Vec<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        for inner in self {
            inner.each_reference(visit);
        }
    }
}

impl<T: Linked> Linked for Box<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        self.as_mut().each_reference(visit);
    }
}

impl<T: Linked> Linked for Spanned<T> {
    fn each_reference(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        self.value.each_reference(visit);
    }
}

impl Linked for bool {}
