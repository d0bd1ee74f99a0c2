//! Generated tool calls: valid ones, ones at the limits and just past them, and ones that are something else.

use aipolicy_compiler::model::agent::{Constraint, Tool};
use aipolicy_compiler::model::value::Literal;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

/// As many inputs as asked for, the same ones every time.
pub(super) fn inputs(schema: &Value, tool: &Tool, count: usize) -> Vec<Value> {
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = input(schema, tool);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What the schema and the tool's own limits say of an input, as JSON Schema means it.
pub(super) fn is_allowed(schema: &jsonschema::Validator, tool: &Tool, input: &Value) -> bool {
    schema.is_valid(input)
        && tool
            .allow
            .0
            .iter()
            .all(|(name, limit)| input.get(name).is_none_or(|value| keeps(value, &limit.value)))
}

fn keeps(value: &Value, limit: &Constraint) -> bool {
    let bound = |bound: &Literal| match bound {
        Literal::Integer(bound) => *bound as f64,
        Literal::Text(_) | Literal::Bool(_) => panic!("{bound} is no bound"),
    };
    let least = limit.min.as_ref().is_none_or(|least| value.as_f64().unwrap() >= bound(&least.value));
    let most = limit.max.as_ref().is_none_or(|most| value.as_f64().unwrap() <= bound(&most.value));
    let length = limit.max_length.as_ref();
    let length = length.is_none_or(|most| value.as_str().unwrap().chars().count() <= most.value.0 as usize);
    let same = |one: &Literal| match one {
        Literal::Text(text) => value == text.as_str(),
        Literal::Integer(number) => value == *number,
        Literal::Bool(word) => value == *word,
    };
    let listed = limit.one_of.is_empty() || limit.one_of.iter().any(|one| same(&one.value));
    least && most && length && listed
}

fn input(schema: &Value, tool: &Tool) -> BoxedStrategy<Value> {
    let object = object(schema, Some(tool));
    prop_oneof![60 => object, 1 => odd(), 1 => object_with_more(schema, tool)].boxed()
}

fn object_with_more(schema: &Value, tool: &Tool) -> BoxedStrategy<Value> {
    let more = prop_oneof![Just("other"), Just(""), Just("__proto__"), Just("a b")];
    (object(schema, Some(tool)), more, odd())
        .prop_map(|(mut object, name, value)| {
            object.as_object_mut().unwrap().insert(name.to_owned(), value);
            object
        })
        .boxed()
}

fn object(schema: &Value, tool: Option<&Tool>) -> BoxedStrategy<Value> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut members: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for (name, shape) in schema["properties"].as_object().unwrap() {
        let absent = if required.contains(&name.as_str()) { 1 } else { 20 };
        let limit = tool.and_then(|tool| tool.allow.0.get(name)).map(|limit| limit.value.clone());
        let member = prop_oneof![absent => Just(None), 60 => value(shape, limit).prop_map(Some)];
        let name = name.clone();
        members = (members, member)
            .prop_map(move |(mut members, member)| {
                members.extend(member.map(|value| (name.clone(), value)));
                members
            })
            .boxed();
    }
    members.prop_map(Value::Object).boxed()
}

/// Anything that JSON has and a tool would not expect.
fn odd() -> BoxedStrategy<Value> {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("1"),
        json!("true"),
        json!([]),
        json!(["EUR"]),
        json!({}),
        json!({ "amount": 1 }),
    ];
    proptest::sample::select(values.to_vec()).boxed()
}

fn value(shape: &Value, limit: Option<Constraint>) -> BoxedStrategy<Value> {
    let usual = if let Some(only) = shape["enum"].as_array() {
        let mut values = only.clone();
        values.extend([json!("none"), json!(only[0].as_str().unwrap_or("1").to_lowercase())]);
        prop_oneof![6 => proptest::sample::select(only.clone()), 1 => proptest::sample::select(values)]
            .boxed()
    } else if let Some(only) = shape.get("const") {
        prop_oneof![6 => Just(only.clone()), 1 => Just(json!("two"))].boxed()
    } else {
        match shape["type"].as_str().unwrap() {
            "string" => text(shape),
            "integer" | "number" => number(shape, limit),
            "boolean" => any::<bool>().prop_map(Value::from).boxed(),
            "array" => {
                let most = shape["maxItems"].as_u64().unwrap_or(3) as usize;
                proptest::collection::vec(value(&shape["items"], None), 0..=most + 1)
                    .prop_map(Value::from)
                    .boxed()
            }
            "object" => object(shape, None),
            other => panic!("{other}"),
        }
    };
    prop_oneof![40 => usual, 1 => odd()].boxed()
}

fn text(shape: &Value) -> BoxedStrategy<Value> {
    if let Some(pattern) = shape["pattern"].as_str() {
        let fits = proptest::string::string_regex(pattern.trim_matches(['^', '$'])).unwrap().boxed();
        let near = (fits.clone(), "[a-z\\n ]").prop_map(|(text, more)| format!("{text}{more}"));
        return prop_oneof![30 => fits, 1 => near, 1 => "[ -~]{0,12}"].prop_map(Value::from).boxed();
    }
    let (least, most) = (shape["minLength"].as_u64().unwrap_or(0), shape["maxLength"].as_u64().unwrap_or(20));
    let lengths = [least.saturating_sub(1), least, least + 1, most.saturating_sub(1), most, most + 1];
    let letters = prop_oneof![Just("a"), Just("ü"), Just("\u{1f600}"), Just("'"), Just("\\")];
    let ends = (proptest::sample::select(lengths.to_vec()), letters)
        .prop_map(|(length, letter)| letter.repeat(length as usize));
    let inside =
        proptest::string::string_regex(&format!("[ -~]{{{least},{}}}", most.min(30).max(least))).unwrap();
    prop_oneof![2 => inside, 1 => ends].prop_map(Value::from).boxed()
}

/// Numbers inside, at and just past every bound that the schema or the tool has.
fn number(shape: &Value, limit: Option<Constraint>) -> BoxedStrategy<Value> {
    let written = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    let mut bounds: Vec<f64> = written.iter().filter_map(|key| shape[key].as_f64()).collect();
    let own = limit.iter().flat_map(|limit| [&limit.min, &limit.max]).flatten();
    bounds.extend(own.map(|bound| bound.value.to_string().parse::<f64>().unwrap()));
    bounds.push(0.0);
    let whole = shape["type"] == "integer";
    let step = if whole { 1.0 } else { 0.0001 };
    let mut values: Vec<Value> = Vec::new();
    for bound in &bounds {
        for value in [bound - step, *bound, bound + step] {
            values.push(if value.fract() == 0.0 {
                json!(value as i64)
            } else {
                json!((value * 1e4).round() / 1e4)
            });
        }
    }
    let least = bounds.iter().copied().fold(0.0, f64::min) as i64;
    let most = bounds.iter().copied().fold(10.0, f64::max) as i64;
    let inside = (least..=most).prop_map(Value::from);
    let broken = (least..=most).prop_map(|value| json!(value as f64 + 0.5));
    prop_oneof![6 => inside, 4 => proptest::sample::select(values), 1 => broken].boxed()
}
