//! The JSON Schemas of inputs: the part of the language whose every keyword can be checked by a state machine.

use aipolicy_compiler::PlacedJson;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use serde_json::Value;

/// What a value must be, with the place that says so.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// The only values, each a text or a number.
    pub(crate) only: Option<(Vec<Value>, Span)>,
    pub(crate) description: Option<(String, Span)>,
    pub(crate) span: Span,
}

/// The type of a value, with what is asked of values of it.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Text(TextRules),
    Number(NumberRules),
    Bool,
    List { items: Box<Shape>, least: Option<Rule>, most: Option<Rule> },
    Object(Vec<Property>),
}

/// A bound and its place.
pub(crate) type Rule = (serde_json::Number, Span);

/// What is asked of texts: lengths in characters, and a pattern that both engines read alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextRules {
    pub(crate) least: Option<Rule>,
    pub(crate) most: Option<Rule>,
    pub(crate) pattern: Option<(String, Span)>,
}

/// What is asked of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct NumberRules {
    pub(crate) whole: bool,
    pub(crate) least: Option<Rule>,
    pub(crate) most: Option<Rule>,
    pub(crate) above: Option<Rule>,
    pub(crate) below: Option<Rule>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
}

/// Keywords that say nothing about which values are valid.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "title",
];

/// Nesting that no tool needs, and as many values.
const DEEPEST: usize = 8;
const MOST: usize = 1000;

impl Shape {
    /// The members, of an object.
    pub(crate) fn properties(&self) -> &[Property] {
        if let Kind::Object(properties) = &self.kind { properties } else { &[] }
    }

    /// The JSON type.
    pub(crate) fn word(&self) -> &'static str {
        match &self.kind {
            Kind::Text(_) => "string",
            Kind::Number(rules) if rules.whole => "integer",
            Kind::Number(_) => "number",
            Kind::Bool => "boolean",
            Kind::List { .. } => "array",
            Kind::Object(_) => "object",
        }
    }
}

/// Reads the schema of a tool's input, which is a closed object; what cannot be checked is reported where it stands.
pub(super) fn read(document: &PlacedJson, out: &mut Diagnostics) -> Option<Shape> {
    let mut reader = Reader::new(document, out, false);
    let shape = reader.shape(&document.value, "", 0)?;
    if !matches!(shape.kind, Kind::Object(_)) {
        reader.refuse("", "the input of a tool is an object", "use `\"type\": \"object\"`");
    }
    reader.sound.then_some(shape)
}

/// Reads schemas of a document, and reports what cannot be checked.
pub(super) struct Reader<'r> {
    document: &'r PlacedJson,
    out: &'r mut Diagnostics,
    pub(super) sound: bool,
    /// Whether an object that says nothing of other members is taken to have none: for what is sent, where nobody
    /// else decides what that is.
    closes: bool,
    read: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(document: &'r PlacedJson, out: &'r mut Diagnostics, closes: bool) -> Self {
        Self { document, out, sound: true, closes, read: 0 }
    }

    /// The value that a reference leads to, with its place; the value itself where it is none.
    pub(super) fn resolve(&mut self, pointer: &str) -> Option<(&'r Value, String)> {
        let mut pointer = pointer.to_owned();
        for _ in 0..DEEPEST {
            let value = self.document.value.pointer(&pointer)?;
            let Some(target) = value.get("$ref") else { return Some((value, pointer)) };
            let at = format!("{pointer}/$ref");
            if value.as_object().is_some_and(|map| map.len() > 1) {
                self.refuse(
                    &pointer,
                    "what stands beside `$ref` has no meaning that all agree on",
                    "remove it",
                );
                return None;
            }
            let inner = target.as_str().and_then(|target| target.strip_prefix('#'));
            let Some(inner) = inner.filter(|inner| self.document.value.pointer(inner).is_some()) else {
                self.refuse(&at, "a reference leads to a place in the same file", "use `#/…`");
                return None;
            };
            inner.clone_into(&mut pointer);
        }
        self.refuse(&pointer, "references lead too far", "name the place itself");
        None
    }

    /// A member of an object in the document, by its name.
    pub(super) fn is_name(name: &str) -> bool {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    }

    pub(super) fn place(&self, pointer: &str) -> Option<Span> {
        self.document.place(pointer)
    }

    pub(super) fn refuse(&mut self, pointer: &str, message: &str, help: &str) {
        self.sound = false;
        if let Some(span) = self.place(pointer) {
            self.out.report(rule::UNSUPPORTED.at(span, message, "cannot be checked").help(help));
        }
    }

    pub(super) fn shape(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Shape> {
        self.read += 1;
        if self.read > MOST {
            self.refuse(pointer, &format!("the schema describes more than {MOST} values"), "describe less");
            return None;
        }
        if value.get("$ref").is_some() {
            let (value, pointer) = self.resolve(pointer)?;
            return self.shape(value, &pointer, depth + 1);
        }
        let Value::Object(map) = value else {
            self.refuse(pointer, "a schema is an object here", "write `{ \"type\": … }`");
            return None;
        };
        if depth > DEEPEST {
            self.refuse(pointer, "the schema is nested too deeply", "make the input flatter");
            return None;
        }
        let only = self.only(map, pointer);
        let word = match map.get("type") {
            Some(Value::String(word)) => word.clone(),
            Some(_) => {
                self.refuse(&format!("{pointer}/type"), "a value has one type here", "name one type");
                return None;
            }
            None => self.implied(only.as_ref(), pointer)?,
        };
        let kind = self.kind(&word, map, (pointer, depth))?;
        self.refuse_unknown(map, &kind, pointer);
        let described = format!("{pointer}/description");
        let description = map.get("description").and_then(Value::as_str).map(str::to_owned);
        let description = description.and_then(|text| Some((text, self.place(&described)?)));
        self.check_only(only.as_ref(), &kind, pointer);
        Some(Shape { kind, only, description, span: self.place(pointer)? })
    }

    fn kind(
        &mut self,
        word: &str,
        map: &serde_json::Map<String, Value>,
        (pointer, depth): (&str, usize),
    ) -> Option<Kind> {
        let rule = |key: &str| {
            let number = map.get(key)?.as_number().cloned()?;
            Some((number, self.place(&format!("{pointer}/{key}"))?))
        };
        Some(match word {
            "string" => {
                let (least, most) = (rule("minLength"), rule("maxLength"));
                Kind::Text(TextRules { least, most, pattern: self.pattern(map, pointer) })
            }
            "integer" | "number" => Kind::Number(NumberRules {
                whole: word == "integer",
                least: rule("minimum"),
                most: rule("maximum"),
                above: rule("exclusiveMinimum"),
                below: rule("exclusiveMaximum"),
            }),
            "boolean" => Kind::Bool,
            "array" => {
                let (least, most) = (rule("minItems"), rule("maxItems"));
                let items = map.get("items").unwrap_or(&Value::Null);
                let items = self.shape(items, &format!("{pointer}/items"), depth + 1)?;
                Kind::List { items: Box::new(items), least, most }
            }
            "object" => Kind::Object(self.properties(map, (pointer, depth))),
            _ => {
                self.refuse(&format!("{pointer}/type"), "this type has no place in an input", "use another");
                return None;
            }
        })
    }

    fn properties(
        &mut self,
        map: &serde_json::Map<String, Value>,
        (pointer, depth): (&str, usize),
    ) -> Vec<Property> {
        let others = map.get("additionalProperties");
        if others != Some(&Value::Bool(false)) && !(self.closes && others.is_none()) {
            let help = "add `\"additionalProperties\": false`";
            self.refuse(pointer, "members that the schema does not name could not be checked", help);
        }
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let members = map.get("properties").and_then(Value::as_object);
        let names = || members.into_iter().flatten().map(|(name, _)| name.as_str());
        if let Some(missing) = required.iter().find(|name| !names().any(|known| known == **name)) {
            let message = format!("`{missing}` is required and not described");
            self.refuse(&format!("{pointer}/required"), &message, "describe it in `properties`");
        }
        let mut found = Vec::new();
        for (name, value) in members.into_iter().flatten() {
            let below = format!("{pointer}/properties/{}", name.replace('~', "~0").replace('/', "~1"));
            if !Self::is_name(name) {
                self.refuse(&below, "names of inputs are letters, digits, `_` and `-`", "rename it");
            }
            if let Some(shape) = self.shape(value, &below, depth + 1) {
                let required = required.contains(&name.as_str());
                found.push(Property { name: name.clone(), required, shape });
            }
        }
        found
    }

    /// The values of `enum` or `const`.
    fn only(&self, map: &serde_json::Map<String, Value>, pointer: &str) -> Option<(Vec<Value>, Span)> {
        match (map.get("enum"), map.get("const")) {
            (Some(Value::Array(values)), _) => {
                Some((values.clone(), self.place(&format!("{pointer}/enum"))?))
            }
            (_, Some(value)) => Some((vec![value.clone()], self.place(&format!("{pointer}/const"))?)),
            _ => None,
        }
    }

    /// The type that the values of an `enum` have in common.
    fn implied(&mut self, only: Option<&(Vec<Value>, Span)>, pointer: &str) -> Option<String> {
        let values = only.map_or(&[][..], |(values, _)| values);
        let all = |is: fn(&Value) -> bool| !values.is_empty() && values.iter().all(is);
        let word = if all(Value::is_string) {
            "string"
        } else if all(|value| value.is_i64() || value.is_u64()) {
            "integer"
        } else if all(Value::is_number) {
            "number"
        } else {
            self.refuse(pointer, "the type of this input cannot be known", "add `\"type\"`");
            return None;
        };
        Some(word.to_owned())
    }

    fn check_only(&mut self, only: Option<&(Vec<Value>, Span)>, kind: &Kind, pointer: &str) {
        let Some((values, _)) = only else { return };
        let fits = |value: &Value| match kind {
            Kind::Text(_) => value.is_string(),
            Kind::Number(_) => value.is_number(),
            Kind::Bool | Kind::List { .. } | Kind::Object(_) => false,
        };
        if values.is_empty() || !values.iter().all(fits) {
            let message = "the only values of an input are texts, or numbers, of its type";
            self.refuse(pointer, message, "list values of one type");
        }
    }

    fn pattern(&mut self, map: &serde_json::Map<String, Value>, pointer: &str) -> Option<(String, Span)> {
        let pattern = map.get("pattern")?.as_str()?;
        let at = format!("{pointer}/pattern");
        if let Err(why) = super::pattern::check(pattern) {
            let message = format!("not every engine reads this pattern alike: {why}");
            self.refuse(&at, &message, "use literals, classes, groups, alternatives, counts, `^` and `$`");
        }
        Some((pattern.to_owned(), self.place(&at)?))
    }

    /// Reports keywords that would not be checked.
    fn refuse_unknown(&mut self, map: &serde_json::Map<String, Value>, kind: &Kind, pointer: &str) {
        let checked: &[&str] = match kind {
            Kind::Text(_) => &["minLength", "maxLength", "pattern"],
            Kind::Number(_) => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
            Kind::Bool => &[],
            Kind::List { .. } => &["items", "minItems", "maxItems"],
            Kind::Object(_) => &["properties", "required", "additionalProperties"],
        };
        for (key, value) in map {
            let known = ["type", "enum", "const"].contains(&key.as_str())
                || ANNOTATIONS.contains(&key.as_str())
                || checked.contains(&key.as_str());
            let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            if !known {
                let message = format!("a state machine cannot check `{key}`");
                self.refuse(&below, &message, "leave it out, or say it with other keywords");
            } else if is_bound(key) && !value.is_number() {
                self.refuse(&below, "a bound is a number", "write a number");
            }
        }
    }
}

fn is_bound(key: &str) -> bool {
    key.starts_with("min") || key.starts_with("max") || key.starts_with("exclusive")
}
