//! What resources declare differently: every field that differs, whether or not anything that is compiled tells it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::PlacedJson;
use aipolicy_compiler::model::data_class::DataClassSpec;
use aipolicy_compiler::resolve::class_rank;
use aipolicy_compiler::source::{SourceKind, Span};
use aipolicy_targets::plan::{EffectClass, Origin};
use serde::Serialize;
use serde_json::Value;

use super::direction::class;
use crate::workspace::Workspace;

/// Fields that only people read.
const PROSE: &[&str] = &["metadata.description", "metadata.annotations"];
/// Members by which the items of a list are told apart.
const NAMES: &[&str] = &["name", "at", "model", "route", "agent", "connector", "key", "type"];
/// Fields that name a class of data.
const CLASSES: &[&str] = &["dataClass", "holds"];
/// Of a value, so many characters are shown.
const LONGEST: usize = 80;

/// Something that is declared differently.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Declared {
    /// Whether it lets more happen, or less; mixed where nobody has said.
    pub(super) class: EffectClass,
    /// `Kind/name`, or the path of a file.
    pub(super) subject: String,
    /// The field, where it is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) field: String,
    /// One sentence for people.
    pub(super) sentence: String,
    /// Where it is, or was.
    pub(super) origin: Option<Origin>,
}

/// What a workspace declares.
struct Declarations<'w> {
    workspace: &'w Workspace,
    resources: BTreeMap<(String, String), PlacedJson>,
    /// Policies of the workspace, without comments and layout.
    policies: BTreeMap<&'w str, (String, Span)>,
    /// Files that resources name.
    files: BTreeMap<&'w str, &'w str>,
}

/// One side of a field.
type Sides<'v> = [Option<&'v Value>; 2];

/// Everything that is declared differently, resource by resource.
pub(super) fn declared(before: &Workspace, after: &Workspace) -> Vec<Declared> {
    let both = [Declarations::of(before), Declarations::of(after)];
    let names: BTreeSet<_> = both.iter().flat_map(|side| side.resources.keys()).collect();
    let mut out = Vec::new();
    for name in names {
        let sides = [0, 1].map(|at| both.get(at).and_then(|side| side.resources.get(name)));
        let mut found = Differing { both: &both, name, path: Vec::new(), out: &mut out };
        found.compare(sides.map(|side| side.map(|one| &one.value)));
    }
    let [before, after] = &both;
    out.extend(policies(before, after));
    out.extend(files(before, after));
    out
}

impl<'w> Declarations<'w> {
    fn of(workspace: &'w Workspace) -> Self {
        let sources = &workspace.sources;
        let texts = sources.iter().filter(|(_, source)| source.kind() == SourceKind::Resources);
        let read = texts.flat_map(|(id, _)| PlacedJson::all(sources, id));
        let named = read.filter_map(|one| {
            let text = |pointer: &str| one.value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            Some(((text("/kind")?, text("/metadata/name")?), one))
        });
        let files = sources.iter().filter(|(_, source)| source.kind() == SourceKind::Referenced);
        let own =
            workspace.compilation.policies.facts().iter().filter(|fact| {
                sources.get(fact.span.source).kind() == SourceKind::Policies { shipped: false }
            });
        Self {
            workspace,
            resources: named.collect(),
            policies: own.map(|fact| (&*fact.id, (bare(sources.slice(fact.span)), fact.span))).collect(),
            files: files.map(|(_, source)| (source.path(), source.text())).collect(),
        }
    }

    /// How sensitive a class of data is.
    fn rank(&self, class: &Value) -> Option<u32> {
        let graph = self.workspace.graph();
        Some(class_rank(graph, graph.find::<DataClassSpec>(class.as_str()?)?))
    }

    fn origin(&self, span: Span) -> Origin {
        let sources = &self.workspace.sources;
        Origin { file: sources.get(span.source).path().to_owned(), line: sources.position(span).line }
    }
}

/// The text of a policy without lines of comments and without layout.
fn bare(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// A walk through two sides of a resource.
struct Differing<'d, 'w> {
    both: &'d [Declarations<'w>; 2],
    name: &'d (String, String),
    /// Names of fields and, with `false`, of items.
    path: Vec<(String, bool)>,
    out: &'d mut Vec<Declared>,
}

impl Differing<'_, '_> {
    fn compare(&mut self, sides: Sides<'_>) {
        match sides {
            [Some(before), Some(after)] if before == after => {}
            [Some(Value::Object(before)), Some(Value::Object(after))] => {
                let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    self.step((key, true), [before.get(key), after.get(key)]);
                }
            }
            [Some(Value::Array(before)), Some(Value::Array(after))] => self.items(before, after),
            sides => self.report(sides),
        }
    }

    fn step(&mut self, (name, field): (&str, bool), sides: Sides<'_>) {
        self.path.push((name.to_owned(), field));
        if !PROSE.contains(&&*self.field()) {
            self.compare(sides);
        }
        self.path.pop();
    }

    /// Items of a list, told apart by their names; those without one are told apart by what they say.
    fn items(&mut self, before: &[Value], after: &[Value]) {
        let [old, new] = [before, after].map(|items| items.iter().map(label).collect::<Vec<_>>());
        let names: BTreeSet<_> = old.iter().chain(&new).collect();
        if names.len() < old.len().max(new.len()) {
            return self.report([Some(&Value::Array(before.to_vec())), Some(&Value::Array(after.to_vec()))]);
        }
        let find = |labels: &[String], items: &[Value], name: &String| {
            let at = labels.iter().position(|label| label == name)?;
            items.get(at).cloned()
        };
        for name in &names {
            let sides = [find(&old, before, name), find(&new, after, name)];
            self.step((name, false), [sides[0].as_ref(), sides[1].as_ref()]);
        }
        let kept = |labels: &[String], other: &[String]| -> Vec<String> {
            labels.iter().filter(|label| other.contains(label)).cloned().collect()
        };
        if kept(&old, &new) != kept(&new, &old) {
            let sentence = format!("the order of {} is another", self.subject());
            self.tell(EffectClass::Mixed, sentence, None);
        }
    }

    fn report(&mut self, sides: Sides<'_>) {
        let [before, after] = sides;
        let ranked = self.by_rank(sides);
        let class = ranked.unwrap_or_else(|| class(&self.name.0, &self.path, before, after));
        let sentence = match (before, after) {
            _ if self.path.is_empty() => match (&*self.name.0, after) {
                ("Waiver", Some(after)) => waiver(&self.name.1, after),
                (_, Some(_)) => format!("{} is new", self.subject()),
                (_, None) => format!("{} is gone", self.subject()),
            },
            (None, Some(value)) if self.is_item() => format!("{}: {} is new", self.list(), shown(value)),
            (Some(value), None) if self.is_item() => format!("{}: {} is gone", self.list(), shown(value)),
            (None, Some(value)) => format!("{} is new: {}", self.subject(), shown(value)),
            (Some(value), None) => format!("{} is gone: {}", self.subject(), shown(value)),
            (Some(before), Some(after)) => {
                format!("{}: from {} to {}", self.subject(), shown(before), shown(after))
            }
            (None, None) => return,
        };
        self.tell(class, sentence, Some(after.is_some()));
    }

    /// What another class of data means: what is less sensitive is protected less.
    fn by_rank(&self, [before, after]: Sides<'_>) -> Option<EffectClass> {
        self.path.last().filter(|(name, field)| *field && CLASSES.contains(&name.as_str()))?;
        let [old, new] = self.both;
        let order = old.rank(before?)?.cmp(&new.rank(after?)?);
        Some(match order {
            Ordering::Less => EffectClass::Narrows,
            Ordering::Equal => EffectClass::Neutral,
            Ordering::Greater => EffectClass::Widens,
        })
    }

    /// Adds a difference, with its place on the side that is named: the one after, if it is there.
    fn tell(&mut self, class: EffectClass, sentence: String, is_after: Option<bool>) {
        let side = if is_after == Some(false) { self.both.first() } else { self.both.last() };
        let origin = side.and_then(|side| {
            let placed = side.resources.get(self.name)?;
            Some(side.origin(placed.place(&self.pointer(&placed.value))?))
        });
        let (kind, name) = self.name;
        self.out.push(Declared {
            class,
            subject: format!("{kind}/{name}"),
            field: self.field(),
            sentence,
            origin,
        });
    }

    fn is_item(&self) -> bool {
        self.path.last().is_some_and(|(_, field)| !field)
    }

    /// The path as people write it: `spec.tools[refund].gate`.
    fn field(&self) -> String {
        written(&self.path)
    }

    /// The resource, or a field of it, in words.
    fn subject(&self) -> String {
        self.about(&self.path)
    }

    /// The list that an item is in, in words.
    fn list(&self) -> String {
        self.about(self.path.split_last().map_or(&[], |(_, list)| list))
    }

    fn about(&self, path: &[(String, bool)]) -> String {
        let (kind, name) = self.name;
        let field = written(path);
        match field.strip_prefix("spec.").unwrap_or(&field) {
            "" => format!("`{kind}/{name}`"),
            field => format!("`{field}` of `{kind}/{name}`"),
        }
    }

    /// The JSON pointer of the path in a document.
    fn pointer(&self, root: &Value) -> String {
        let mut pointer = String::new();
        for (name, field) in &self.path {
            let step = match (field, root.pointer(&pointer)) {
                (false, Some(Value::Array(items))) => {
                    items.iter().position(|item| label(item) == *name).unwrap_or(0).to_string()
                }
                _ => name.replace('~', "~0").replace('/', "~1"),
            };
            pointer.push('/');
            pointer.push_str(&step);
        }
        pointer
    }
}

fn written(path: &[(String, bool)]) -> String {
    let mut text = String::new();
    for (name, field) in path {
        match (field, text.is_empty()) {
            (true, true) => text.push_str(name),
            (true, false) => text.push_str(&format!(".{name}")),
            (false, _) => text.push_str(&format!("[{name}]")),
        }
    }
    text
}

/// By what an item of a list is told apart.
fn label(item: &Value) -> String {
    let named = item.as_object().and_then(|members| NAMES.iter().find_map(|name| members.get(*name)));
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    named.map_or_else(|| plain(item), plain)
}

/// A value in backticks, or how long it is.
fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('`', "'");
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

/// What a new waiver excepts, from which rule, and until when.
fn waiver(name: &str, value: &Value) -> String {
    let text =
        |member: &str| value.pointer(&format!("/spec/{member}")).map_or_else(|| "`?`".to_owned(), shown);
    let resources = value.pointer("/spec/resources").and_then(Value::as_array);
    let resources: Vec<_> = resources.into_iter().flatten().map(shown).collect();
    let resources = if resources.is_empty() { "something".to_owned() } else { resources.join(", ") };
    format!("`Waiver/{name}` excepts {resources} from {} until {}", text("rule"), text("expires"))
}

fn policies(before: &Declarations<'_>, after: &Declarations<'_>) -> Vec<Declared> {
    let ids: BTreeSet<_> = before.policies.keys().chain(after.policies.keys()).collect();
    let told = ids.into_iter().filter_map(|id| {
        let (old, new) = (before.policies.get(id), after.policies.get(id));
        let what = match (old, new) {
            (Some(old), Some(new)) if old.0 == new.0 => return None,
            (Some(_), Some(_)) => "is another",
            (None, _) => "is new",
            (_, None) => "is gone",
        };
        let origin = new.map(|one| after.origin(one.1)).or_else(|| old.map(|one| before.origin(one.1)));
        Some(Declared {
            class: EffectClass::Mixed,
            subject: format!("Policy/{id}"),
            field: String::new(),
            sentence: format!("Cedar policy `{id}` {what}"),
            origin,
        })
    });
    told.collect()
}

/// Files that both sides name, and that say something else. One that only one side names is told by the field.
fn files(before: &Declarations<'_>, after: &Declarations<'_>) -> Vec<Declared> {
    let differing =
        before.files.iter().filter(|(path, text)| after.files.get(*path).is_some_and(|new| new != *text));
    let told = differing.map(|(path, _)| Declared {
        class: EffectClass::Mixed,
        subject: (*path).to_owned(),
        field: String::new(),
        sentence: format!("file `{path}` says something else"),
        origin: Some(Origin { file: (*path).to_owned(), line: 1 }),
    });
    told.collect()
}
