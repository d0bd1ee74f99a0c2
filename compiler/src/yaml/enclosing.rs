//! What a line of a document is part of.

use super::{Node, Value, documents};
use crate::diagnostic::Diagnostics;
use crate::source::{SourceId, SourceMap, Span};

/// The places of the lists and maps of a document that a line is part of, the innermost first. A field begins at its key.
pub fn enclosing(sources: &SourceMap, id: SourceId, line: usize) -> Vec<Span> {
    let text = sources.get(id).text();
    let mut found = Vec::new();
    for document in documents(text, id, &mut Diagnostics::default()) {
        descend(&document.root, document.root.span, &mut |span| {
            let inside = (sources.position(span).line..=sources.end_position(span).line).contains(&line);
            found.extend(inside.then_some(span));
            inside
        });
    }
    found.reverse();
    found
}

/// Visits what is not a scalar, from the outside; what the visitor does not want is not entered.
fn descend(node: &Node<'_>, span: Span, visit: &mut impl FnMut(Span) -> bool) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => {
            if visit(span) {
                items.iter().for_each(|item| descend(item, item.span, visit));
            }
        }
        Value::Map(entries) => {
            if visit(span) {
                entries.iter().for_each(|(key, value)| descend(value, key.span.to(value.span), visit));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceKind;

    const TEXT: &str = "a: 1\n---\nspec:\n  tools:\n    - name: x\n      access: read\n    - { name: y,\n        gate: z }\n";

    #[test]
    fn the_innermost_place_comes_first() {
        let mut sources = SourceMap::new();
        let id = sources.add("x.yaml", TEXT, SourceKind::Resources);
        let starts = |line: usize| {
            let places = enclosing(&sources, id, line).into_iter();
            places.map(|span| sources.slice(span).lines().next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(starts(6), ["name: x", "tools:", "spec:", "spec:"]);
        assert_eq!(starts(8), ["{ name: y,", "tools:", "spec:", "spec:"]);
        assert_eq!(starts(1), ["a: 1"]);
    }
}
