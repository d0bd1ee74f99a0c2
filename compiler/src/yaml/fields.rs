//! Trees to typed values: everything is read before anything is given up, so that all problems show at once.

use super::{Core, Key, Node, Value, nearest};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rule;
use crate::source::{Span, Spanned};

/// What decoding needs besides the tree: where to report.
pub(crate) struct Reader<'o> {
    pub(crate) out: &'o mut Diagnostics,
}

impl Reader<'_> {
    /// Reports and gives nothing, so that a caller can return the result.
    pub(crate) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.out.report(diagnostic);
        None
    }

    /// Reports a value of the wrong type.
    pub(crate) fn wrong_type<T>(&mut self, node: &Node<'_>, wanted: &str) -> Option<T> {
        let mut diagnostic =
            rule::WRONG_TYPE.at(node.span, format!("expected {wanted}, found {}", node.what()), "");
        if let Value::Scalar { text, plain: true } = &node.value
            && matches!(node.core(), Some(Core::Integer(_) | Core::Float(_) | Core::Bool(_)))
            && wanted.contains("text")
        {
            diagnostic = diagnostic.help(format!("write \"{text}\" in quotes if text is meant"));
        }
        self.fail(diagnostic)
    }
}

/// A type that can be read from a tree.
pub(crate) trait Decode: Sized {
    /// Reads a value, or reports why not.
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What a missing field means; `None` makes the field required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else { return reader.wrong_type(node, "a list") };
        let read: Vec<_> = items.iter().map(|item| T::decode(item, reader)).collect();
        read.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(|value| Self { value, span: node.span })
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Self::new)
    }
}

impl Decode for bool {
    fn decode(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.core() {
            Some(Core::Bool(value)) => Some(value),
            _ => reader.wrong_type(node, "`true` or `false`"),
        }
    }
}

/// The fields of a map that is being read.
pub(crate) struct Fields<'n, 'a> {
    entries: &'n [(Key<'a>, Node<'a>)],
    taken: Vec<bool>,
    span: Span,
    lacking: Vec<Lack>,
}

/// Something that is missing; it is held back until the unknown fields show whether one of them was meant.
struct Lack {
    /// The keys of which one would do.
    keys: Vec<String>,
    found: Diagnostic,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The fields of a node that must be a map.
    pub(crate) fn of(node: &'n Node<'a>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else { return reader.wrong_type(node, "a map") };
        Some(Self { entries, taken: vec![false; entries.len()], span: node.span, lacking: Vec::new() })
    }

    /// The first line of the map, for what concerns all of it.
    pub(crate) fn head(&self) -> Span {
        let end = self.entries.first().map_or(self.span.end, |(key, _)| key.span.end);
        Span { end, ..self.span }
    }

    /// The value of a field, marked as read. The name is the Rust one; keys are in camel case.
    pub(crate) fn find(&mut self, field: &str) -> Option<(&'n Key<'a>, &'n Node<'a>)> {
        let at = self.entries.iter().position(|(key, _)| is_key_of(&key.value, field))?;
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        self.entries.get(at).map(|(key, value)| (key, value))
    }

    /// Notes that one of these keys should have been there, to be reported by [`Self::finish`].
    pub(crate) fn lack(&mut self, keys: Vec<String>, found: Diagnostic) {
        self.lacking.push(Lack { keys, found });
    }

    /// Notes that a required field is missing.
    pub(crate) fn lack_field(&mut self, field: &str, help: Option<String>) {
        let key = camel(field);
        let found = rule::MISSING_FIELD.at(self.head(), format!("the field `{key}` is missing"), "");
        self.lack(
            vec![key],
            match help {
                Some(help) => found.help(help),
                None => found,
            },
        );
    }

    /// Reads a field; a missing one that is required is noted.
    pub(crate) fn take<T: Decode>(&mut self, field: &str, reader: &mut Reader<'_>) -> Option<T> {
        match self.find(field) {
            Some((key, node)) if node.core() == Some(Core::Null) => {
                let message = format!("`{}` has no value", key.value);
                reader.fail(
                    rule::MISSING_VALUE.at(key.span, message, "").help("give it a value or remove the line"),
                )
            }
            Some((_, node)) => T::decode(node, reader),
            None => T::absent().or_else(|| {
                self.lack_field(field, None);
                None
            }),
        }
    }

    /// Reports every field that nobody read, with the nearest known one, and what is missing; what is only misspelt
    /// is not missing too. Gives whether all is well.
    pub(crate) fn finish(&mut self, known: &[&str], reader: &mut Reader<'_>) -> bool {
        if self.lacking.is_empty() && self.taken.iter().all(|taken| *taken) {
            return true;
        }
        let known: Vec<_> = known.iter().map(|field| camel(field)).collect();
        let mut meant = Vec::new();
        let mut sound = self.lacking.is_empty();
        for ((key, _), _) in self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken) {
            let message = format!("there is no field `{}` here", key.value);
            let diagnostic = rule::UNKNOWN_FIELD.at(key.span, message, "");
            let near = nearest(&key.value, known.iter().map(String::as_str));
            reader.out.report(match near {
                Some(near) => diagnostic.help(format!("`{near}` is the nearest known field")),
                None => diagnostic.help(format!("known fields are {}", list(&known))),
            });
            meant.extend(near);
            sound = false;
        }
        self.lacking.retain(|lack| !lack.keys.iter().any(|key| meant.contains(&key.as_str())));
        self.report_lacking(reader);
        sound
    }

    /// Reports what is missing where nothing can be said about the other fields.
    pub(crate) fn report_lacking(&mut self, reader: &mut Reader<'_>) {
        for lack in self.lacking.drain(..) {
            reader.out.report(lack.found);
        }
    }
}

/// Words in backticks, for messages.
pub(crate) fn list(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    quoted.join(", ")
}

/// The key of a Rust field: `data_class` is `dataClass`; a trailing `_` escapes a keyword.
pub(crate) fn camel(field: &str) -> String {
    let mut upper = false;
    let mut key = String::with_capacity(field.len());
    for letter in field.trim_end_matches('_').trim_start_matches("r#").chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                key.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => key.push(letter),
        }
    }
    key
}

/// Whether a written key is the one of a Rust field, without building it.
fn is_key_of(key: &str, field: &str) -> bool {
    let mut written = key.bytes();
    let mut upper = false;
    for letter in field.trim_end_matches('_').trim_start_matches("r#").bytes() {
        if letter == b'_' {
            upper = true;
            continue;
        }
        let wanted = if upper { letter.to_ascii_uppercase() } else { letter };
        upper = false;
        if written.next() != Some(wanted) {
            return false;
        }
    }
    written.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{camel, is_key_of};

    #[test]
    fn keys_are_the_camel_case_of_fields() {
        for (field, key) in [("data_class", "dataClass"), ("r#type", "type"), ("for_", "for"), ("s3", "s3")] {
            assert_eq!(camel(field), key);
            assert!(is_key_of(key, field), "{field}");
        }
        assert!(!is_key_of("dataClas", "data_class"));
        assert!(!is_key_of("dataClasss", "data_class"));
        assert!(!is_key_of("data_class", "data_class"));
    }
}
