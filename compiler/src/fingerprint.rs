//! What a finding is about, wherever it is written: the same in another file, on another line, in another order.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceId, SourceKind, SourceMap, Span};
use crate::yaml::{Document, Node, Value, documents};

/// Names a finding: its rule, the resource that it is in, where in the resource, and what it says. It is the
/// same when files are moved or renamed, when resources, fields and items change places, and whatever comments and
/// layout are. Another violation, and one that became larger, has another one.
///
/// It is written in sixteen letters from `k` to `z`, which YAML reads as a text, and nobody takes for a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

/// Letters of a fingerprint, for half a byte each.
const LETTERS: &[u8; 16] = b"klmnopqrstuvwxyz";

impl Fingerprint {
    /// The fingerprint that is written so, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |letter: u8| LETTERS.iter().position(|known| *known == letter);
        let add = |sum: u64, letter: u8| Some(sum << 4 | digit(letter)? as u64);
        (text.len() == 16).then(|| text.bytes().try_fold(0, add))?.map(Self)
    }

    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let first = hash.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Self(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = (0..16).rev().map(|at| LETTERS.get((self.0 >> (4 * at) & 0xf) as usize).copied());
        letters.flatten().try_for_each(|letter| write!(formatter, "{}", char::from(letter)))
    }
}

/// The fingerprints of findings, in their order. Findings that are alike in everything are told apart by counting.
pub fn fingerprints<'d>(
    found: impl IntoIterator<Item = &'d Diagnostic>,
    sources: &SourceMap,
) -> Vec<Fingerprint> {
    let mut read = Read { sources, files: BTreeMap::new() };
    let mut seen: BTreeMap<Fingerprint, u64> = BTreeMap::new();
    let mut print = |found: &Diagnostic| {
        let parts = read.parts(found);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let times = seen.entry(Fingerprint::of(&parts)).and_modify(|times| *times += 1).or_insert(1);
        let count = times.to_string();
        Fingerprint::of(&[&parts[..], &[&count]].concat())
    };
    found.into_iter().map(&mut print).collect()
}

/// The texts that findings are in, each read once.
struct Read<'s> {
    sources: &'s SourceMap,
    files: BTreeMap<SourceId, Vec<Part<'s>>>,
}

/// A part of a text between two marks of documents. Most parts hold no finding, and are not read.
struct Part<'s> {
    text: &'s str,
    /// Where it begins.
    start: u32,
    /// Its trees, with places from its beginning.
    documents: OnceCell<Vec<Document<'s>>>,
    names: Names,
}

/// The parts of a text. A line that begins with `---` begins a document wherever it is: YAML has it in no value.
fn parts(text: &str) -> Vec<Part<'_>> {
    let is_mark = |at: &usize| {
        let rest = text.get(at + 3..).unwrap_or("");
        rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r'])
    };
    let marks = text.match_indices("\n---").map(|(at, _)| at + 1).filter(is_mark);
    let starts: Vec<_> = std::iter::once(0).chain(marks).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let part = |(start, end): (&usize, usize)| Part {
        text: text.get(*start..end).unwrap_or(""),
        start: u32::try_from(*start).unwrap_or(u32::MAX),
        documents: OnceCell::new(),
        names: Names::new(),
    };
    starts.iter().zip(ends).map(part).collect()
}

/// How many items of a list have a name, by the place of the list.
type Names = BTreeMap<Span, BTreeMap<Option<String>, usize>>;

/// Of a line that stands for a place, so many characters.
const LONGEST_LINE: usize = 200;

impl Read<'_> {
    /// What a fingerprint is made of.
    fn parts(&mut self, found: &Diagnostic) -> Vec<String> {
        let span = found.primary.span;
        let [subject, path] = self.place(span);
        let fixed = ["aipolicy/1".to_owned(), found.code.to_string(), subject, path];
        let words = || found.message.split_whitespace().filter(|word| !is_place(word)).map(str::to_owned);
        match &found.about {
            Some(about) => fixed.into_iter().chain(about.iter().cloned()).collect(),
            None => fixed.into_iter().chain(words()).collect(),
        }
    }

    /// The resource or file that a place is in, and where in it.
    fn place(&mut self, span: Span) -> [String; 2] {
        let source = self.sources.get(span.source);
        let tree = match source.kind() {
            SourceKind::Resources => true,
            SourceKind::Referenced => source.path().ends_with(".json") || source.path().ends_with(".yaml"),
            SourceKind::Defaults | SourceKind::Policies { .. } => false,
        };
        let parts = self.files.entry(span.source).or_insert_with(|| match tree {
            true => parts(source.text()),
            false => Vec::new(),
        });
        let after = parts.partition_point(|part| part.start <= span.start);
        let found = after.checked_sub(1).and_then(|at| parts.get_mut(at)).and_then(|part| part.place(span));
        let Some((subject, path)) = found else {
            let line = self.sources.line(span).trim().chars().take(LONGEST_LINE);
            return [source.path().to_owned(), line.collect()];
        };
        [subject.unwrap_or_else(|| source.path().to_owned()), path]
    }
}

impl Part<'_> {
    /// The resource that a place is in, where it is one, and where in it; nothing where there is no document.
    fn place(&mut self, span: Span) -> Option<(Option<String>, String)> {
        let read = || documents(self.text, span.source, &mut Diagnostics::default());
        let documents = self.documents.get_or_init(read);
        let span =
            Span { start: span.start - self.start, end: span.end.max(span.start) - self.start, ..span };
        let document = around(documents, |document| document.root.span, span)?;
        let mut path = String::new();
        descend(&document.root, span, (&mut path, &mut self.names));
        Some((resource(&document.root), path))
    }
}

/// The one among things in the order of their places that a place is in.
fn around<T>(all: &[T], place: impl Fn(&T) -> Span, span: Span) -> Option<&T> {
    let after = all.partition_point(|one| place(one).start <= span.start);
    all.get(after.checked_sub(1)?).filter(|one| place(one).contains(span))
}

/// `Kind/name` of a document that is a resource.
fn resource(root: &Node<'_>) -> Option<String> {
    let name = field(field(root, "metadata")?, "name")?;
    Some(format!("{}/{}", text(field(root, "kind")?)?, text(name)?))
}

fn field<'n, 'a>(node: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
}

fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    if let Value::Scalar { text, .. } = &node.value { Some(text) } else { None }
}

/// Adds the keys and items on the way to a place. An item is called by what it is, not by its position.
fn descend(node: &Node<'_>, span: Span, (path, names): (&mut String, &mut Names)) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => {
            if let Some(item) = around(items, |item| item.span, span) {
                path.push_str(&format!("[{}]", called(item, (node.span, items), names)));
                descend(item, span, (path, names));
            }
        }
        Value::Map(entries) => {
            if let Some((key, value)) = around(entries, |(key, value)| key.span.to(value.span), span) {
                path.push_str(&format!("/{}", key.value));
                descend(value, span, (path, names));
            }
        }
    }
}

/// Fields by which the items of lists are known, the first that an item has.
const NAMES: &[&str] = &["name", "model", "route", "connector", "principal", "Sid"];

/// What an item is known by in its list: its name, or all of it.
fn called(item: &Node<'_>, (list, items): (Span, &[Node<'_>]), names: &mut Names) -> String {
    let count = || {
        let mut names = BTreeMap::new();
        items.iter().for_each(|item| *names.entry(name(item)).or_insert(0) += 1);
        names
    };
    let names = names.entry(list).or_insert_with(count);
    let name = name(item).filter(|name| names.get(&Some(name.clone())) == Some(&1));
    name.unwrap_or_else(|| content(item))
}

fn name(item: &Node<'_>) -> Option<String> {
    let known = NAMES.iter().find_map(|name| Some((name, field(item, name)?)));
    known.map(|(name, value)| format!("{name}={}", content(value)))
}

/// All that a value says, in one order.
fn content(node: &Node<'_>) -> String {
    match &node.value {
        Value::Scalar { text, .. } => format!("{text:?}"),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(content).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{:?}:{}", key.value, content(value)));
            let entries: BTreeSet<_> = entries.collect();
            format!("{{{}}}", entries.into_iter().collect::<Vec<_>>().join(","))
        }
    }
}

/// Whether a word is a place such as `a.yaml:3:4`.
fn is_place(word: &str) -> bool {
    let end = word.rsplit_once(':').map(|(_, end)| end);
    end.is_some_and(|end| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::UNSUPPORTED;

    const TEXT: &str = "\
kind: Route
metadata: { name: chat }
spec:
  fallback:
    - { model: a, on: [x] }
    - { model: b }
  caps: { input: 8k }
";

    /// The fingerprints of a finding at each of these texts.
    fn prints(path: &str, text: &str, places: &[(&str, &str)]) -> Vec<Fingerprint> {
        let mut sources = SourceMap::new();
        let id = sources.add(path, text, SourceKind::Resources);
        let finding = |(place, message): &(&str, &str)| {
            let at = text.find(place).unwrap();
            UNSUPPORTED.at(Span::new(id, at, at + place.len()), *message, "")
        };
        fingerprints(&places.iter().map(finding).collect::<Vec<_>>(), &sources)
    }

    #[test]
    fn it_is_the_same_wherever_it_is_written() {
        let other = "\
# moved
kind: Group
---
spec:
  caps:
    input: 8k # enough
  fallback: [ {model: b}, {on: [x, y], model: \"a\"}]
metadata:
  name: 'chat'
kind: Route
";
        let here = prints("a.yaml", TEXT, &[("model: a", "m `a`"), ("8k", "m"), ("model: b", "m")]);
        let there = prints(
            "b/c.yaml",
            other,
            &[("model: \"a\"", "m x.yaml:3:4 `a`"), ("8k", "m"), ("model: b", "m")],
        );
        assert_eq!(here, there);
    }

    #[test]
    fn it_is_another_for_another_violation() {
        let places =
            [("8k", "m"), ("b }", "m"), ("x]", "m"), ("x]", "m `a`"), ("x]", "m in eu-west-1"), ("x]", "m")];
        let found = prints("a.yaml", TEXT, &places);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), places.len(), "{found:?}");
        let renamed = prints("a.yaml", &TEXT.replace("chat", "talk"), &places);
        assert!(found.iter().all(|print| !renamed.contains(print)));
    }

    /// A resource is the same beside others, whatever looks like the beginning of one in their texts.
    #[test]
    fn it_is_the_same_beside_other_documents() {
        let places = [("model: a", "m"), ("8k", "m"), ("fallback", "m"), ("kind: R", "m")];
        let alone = prints("a.yaml", TEXT, &places);
        let before =
            "kind: Group\nspec: |\n  a\n  ---\n  b\n---x: \"c\n  ---\n  d\"\n---\nkind: [\n---\r\nmore: 1";
        for between in ["\n---\n", "\n--- # next\n", "\n...\n---\n", "\r\n---\r\n"] {
            let text = format!("{before}{between}{TEXT}{between}{before}");
            assert_eq!(prints("b.yaml", &text, &places), alone, "{between:?}");
        }
        let outside = prints(
            "a.yaml",
            &format!("{before}\n---\n{TEXT}"),
            &[("Group", "m"), ("more", "m"), ("---\r", "m")],
        );
        assert!(outside.iter().all(|print| !alone.contains(print)));
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        for print in prints("a.yaml", TEXT, &[("8k", "m"), ("b }", "m")]) {
            assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
        }
        for text in ["", "klm", "klmnopqrstuvwxya", "klmnopqrstuvwxyzz", "KLMNOPQRSTUVWXYZ"] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
