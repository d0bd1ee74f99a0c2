//! Documents made from the schemas of kinds, and systematic mistakes in them.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

/// Makes samples of a schema; the same seed makes the same ones.
pub(crate) struct Sampler<'s> {
    definitions: &'s Value,
    runner: TestRunner,
    /// Chooses among alternatives: each sample of a row takes the next one everywhere.
    turn: usize,
}

impl<'s> Sampler<'s> {
    pub(crate) fn new(schema: &'s Value, turn: usize) -> Self {
        let mut seed = [0; 32];
        seed[0] = u8::try_from(turn % 256).unwrap();
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        Self {
            definitions: &schema["$defs"],
            runner: TestRunner::new_with_rng(Config::default(), random),
            turn,
        }
    }

    fn pick<'v>(&self, from: &'v [Value]) -> &'v Value {
        &from[self.turn % from.len()]
    }

    /// A value that the schema accepts, with every property that it may have.
    pub(crate) fn sample(&mut self, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let definitions = self.definitions;
            return self.sample(&definitions[name.trim_start_matches("#/$defs/")]);
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(Value::Array(words)) = schema.get("enum") {
            return self.pick(words).clone();
        }
        match schema["type"].as_str() {
            Some("object") => Value::Object(self.object(schema)),
            Some("array") => (0..self.turn % 3).map(|_| self.sample(&schema["items"])).collect(),
            Some("integer") => json!(schema["minimum"].as_i64().unwrap_or(0).max(1) + self.turn as i64),
            Some("number") => json!((self.turn % 1000) as f64 / 1000.0),
            Some("boolean") => json!(self.turn.is_multiple_of(2)),
            Some("string") => json!(self.text(schema)),
            _ => {
                let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf"));
                let alternatives = alternatives.and_then(Value::as_array);
                let chosen =
                    self.pick(alternatives.unwrap_or_else(|| panic!("a schema of a new form: {schema}")));
                self.sample(&chosen.clone())
            }
        }
    }

    fn object(&mut self, schema: &Value) -> Map<String, Value> {
        let mut object = Map::new();
        let alternatives: Vec<&str> = schema["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["required"][0].as_str())
            .collect();
        let chosen = alternatives.get(self.turn % alternatives.len().max(1));
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            if !alternatives.contains(&key.as_str()) || chosen == Some(&key.as_str()) {
                object.insert(key.clone(), self.sample(inner));
            }
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            let keys = schema.get("propertyNames").cloned();
            for at in 0..self.turn % 3 {
                let key = keys.as_ref().map_or_else(|| json!(format!("key-{at}")), |keys| self.sample(keys));
                object.insert(key.as_str().unwrap().to_owned(), self.sample(inner));
            }
        }
        object
    }

    fn text(&mut self, schema: &Value) -> String {
        let pattern = schema["pattern"].as_str().unwrap_or("^[a-z]{1,8}( [a-z]{1,8}){0,2}$");
        if schema["format"] == "date" {
            return format!(
                "20{:02}-{:02}-{:02}",
                27 + self.turn % 70,
                1 + self.turn % 12,
                1 + self.turn % 28
            );
        }
        if pattern.contains("[^/") {
            return ["prompts/bot.md", "a", ".hidden/a..b/c"][self.turn % 3].to_owned();
        }
        let strategy = proptest::string::string_regex(pattern.trim_start_matches('^').trim_end_matches('$'));
        strategy.unwrap().new_tree(&mut self.runner).unwrap().current()
    }
}

/// One change to a document: what is done where.
pub(crate) struct Mutant {
    pub(crate) what: String,
    path: String,
    changed: Value,
}

impl Mutant {
    /// The document with the change.
    pub(crate) fn of(self, document: &Value) -> Value {
        let mut mutated = document.clone();
        *mutated.pointer_mut(&self.path).unwrap() = self.changed;
        mutated
    }
}

/// Every systematic change of a document. `other` is another one of the kind, whose keys are added in one of them.
pub(crate) fn mutants(document: &Value, other: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    for path in paths(document, String::new()) {
        let node = document.pointer(&path).unwrap();
        for (what, changed) in changes(node, other.pointer(&path)) {
            found.push(Mutant { what: format!("{what} at {path}"), path: path.clone(), changed });
        }
    }
    found
}

/// The place of every value of a document.
fn paths(node: &Value, at: String) -> Vec<String> {
    let mut found = Vec::new();
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match node {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(key, inner)| found.extend(paths(inner, format!("{at}/{}", escape(key)))));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, inner)| found.extend(paths(inner, format!("{at}/{index}"))));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found.push(at);
    found
}

fn changes(node: &Value, other: Option<&Value>) -> Vec<(String, Value)> {
    let others = [
        json!([]),
        json!({}),
        json!(5),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(0.5),
        json!(1_000_001),
        json!(9_223_372_036_854_775_808_u64),
        json!(1e300),
        json!(true),
        json!(null),
        json!(""),
        json!("x"),
        json!("5"),
        json!("0.5"),
        json!("true"),
        json!("none"),
        json!("AKIAIOSFODNN7EXAMPLE"),
        json!("://a:b@"),
        json!([node]),
        json!({ "a": node }),
    ];
    let mut found: Vec<_> = others.into_iter().map(|value| (format!("{value}"), value)).collect();
    match node {
        Value::Object(fields) => found.extend(changed_fields(fields, other)),
        Value::String(text) => found.extend(changed_text(text)),
        Value::Array(items) => {
            let with = |value: Value| Value::Array(items.iter().cloned().chain([value]).collect());
            found.extend([
                ("null added".to_owned(), with(json!(null))),
                ("text added".to_owned(), with(json!("x"))),
            ]);
            found.extend(items.first().map(|first| ("first twice".to_owned(), with(first.clone()))));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    found.retain(|(_, changed)| changed != node);
    found
}

fn changed_fields(fields: &Map<String, Value>, other: Option<&Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, inner) in fields {
        let mut without = fields.clone();
        without.remove(key);
        found.push((format!("`{key}` removed"), Value::Object(without.clone())));
        without.insert(key.to_uppercase(), inner.clone());
        found.push((format!("`{key}` in capitals"), Value::Object(without)));
    }
    for (key, value) in [("zzz", json!("x")), ("", json!("x")), ("zzz", json!(null))] {
        let mut with = fields.clone();
        with.insert(key.to_owned(), value);
        found.push((format!("`{key}` added"), Value::Object(with)));
    }
    if let Some(Value::Object(others)) = other {
        let mut both = others.clone();
        both.extend(fields.clone());
        found.push(("fields of another".to_owned(), Value::Object(both)));
    }
    found
}

fn changed_text(text: &str) -> Vec<(String, Value)> {
    let shorter: String = text.chars().skip(1).collect();
    let doubled: String = text.chars().take(1).chain(text.chars()).collect();
    let changed = [
        format!("{text}x"),
        format!("{text}\n"),
        format!("{text} "),
        format!(" {text}"),
        format!("0{text}"),
        text.to_uppercase(),
        text.replace('0', "9"),
        text.replace(['-', '/', ' '], "_"),
        text.repeat(70),
        shorter,
        doubled,
    ];
    changed.into_iter().map(|text| (format!("{text:?}"), Value::String(text))).collect()
}
