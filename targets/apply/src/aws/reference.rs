//! What stands in documents for what only the world knows, and the texts that services want.

use aipolicy_targets::artifact::Address;
use serde_json::Value;

use super::exchange::Members;

/// Tells what a member of the answer that shows another document is.
pub(super) trait Lookup {
    /// The value at a path with dots in what is shown of a document.
    fn value(&self, address: &Address, path: &str) -> Option<Value>;
}

/// A value with every `$ref`, `$join` and `$last` in it replaced; nothing where one refers to what is not there.
pub(super) fn resolved(value: &Value, lookup: &impl Lookup) -> Option<Value> {
    match value {
        Value::Object(members) => match sole(members) {
            Some(("$ref", Value::String(text))) => {
                let (address, path) = text.split_once('#')?;
                lookup.value(&address.parse().ok()?, path)
            }
            Some(("$join", Value::Array(parts))) => {
                let mut text = String::new();
                for part in parts {
                    text.push_str(resolved(part, lookup)?.as_str()?);
                }
                Some(Value::String(text))
            }
            Some(("$last", inner)) => {
                let text = resolved(inner, lookup)?;
                text.as_str()?.rsplit('/').next().map(|last| Value::String(last.to_owned()))
            }
            _ => {
                let members = members.iter().filter(|(key, _)| *key != "$region");
                let members = members.map(|(key, value)| Some((key.clone(), resolved(value, lookup)?)));
                members.collect::<Option<Members>>().map(Value::Object)
            }
        },
        Value::Array(items) => {
            items.iter().map(|item| resolved(item, lookup)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// Whether a value stands for another.
pub(super) fn is_reference(value: &Value) -> bool {
    let keys = ["$ref", "$join", "$last"];
    value.as_object().and_then(sole).is_some_and(|(key, _)| keys.contains(&key))
}

fn sole(members: &Members) -> Option<(&str, &Value)> {
    let mut all = members.iter();
    let (key, value) = all.next()?;
    all.next().is_none().then_some((key.as_str(), value))
}

/// Writes the documents at some pointers as texts of JSON.
pub(super) fn written(value: &mut Value, pointers: &[&str]) {
    for pointer in pointers {
        each(value, pointer, &mut |found| {
            if found.is_object() || found.is_array() {
                *found = Value::String(found.to_string());
            }
        });
    }
}

/// Does something with every value at a pointer, in which `*` is any key or item.
pub(super) fn each(value: &mut Value, pointer: &str, act: &mut impl FnMut(&mut Value)) {
    let Some(rest) = pointer.strip_prefix('/') else { return act(value) };
    let (key, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match value {
        Value::Object(members) if key == "*" => members.values_mut().for_each(|inner| each(inner, rest, act)),
        Value::Object(members) => {
            if let Some(inner) = members.get_mut(key) {
                each(inner, rest, act);
            }
        }
        Value::Array(items) if key == "*" => items.iter_mut().for_each(|inner| each(inner, rest, act)),
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The value at a path with dots; items of lists by their numbers.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let inner = |value: &'a Value, part: &str| match value.as_array() {
        Some(items) => items.get(part.parse::<usize>().ok()?),
        None => value.get(part),
    };
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    struct Shown(BTreeMap<Address, Value>);

    impl Lookup for Shown {
        fn value(&self, address: &Address, path: &str) -> Option<Value> {
            at(self.0.get(address)?, path).cloned()
        }
    }

    fn shown() -> Shown {
        let gateway = json!({ "gatewayArn": "arn:a:b/c", "inner": { "version": 3 } });
        Shown(BTreeMap::from([("bedrock/Gateway/g".parse().unwrap(), gateway)]))
    }

    #[test]
    fn what_stands_for_something_is_replaced_wherever_it_is() {
        let document = json!({
            "$region": "eu-central-1",
            "a": [{ "$ref": "bedrock/Gateway/g#inner.version" }],
            "b": { "c": { "$join": ["<", { "$ref": "bedrock/Gateway/g#gatewayArn" }, ">"] } },
            "d": { "$last": { "$ref": "bedrock/Gateway/g#gatewayArn" } },
            "$.jwt": "*",
        });
        let expected = json!({ "a": [3], "b": { "c": "<arn:a:b/c>" }, "d": "c", "$.jwt": "*" });
        assert_eq!(resolved(&document, &shown()), Some(expected));
    }

    #[test]
    fn what_is_not_there_has_no_value() {
        for missing in ["bedrock/Gateway/other#gatewayArn", "bedrock/Gateway/g#id", "bedrock/Gateway/g", "x"]
        {
            assert_eq!(resolved(&json!({ "a": { "$ref": missing } }), &shown()), None, "{missing}");
        }
        assert_eq!(resolved(&json!({ "$join": [1] }), &shown()), None, "a number is no text");
    }

    #[test]
    fn documents_are_written_as_texts_where_services_want_texts() {
        let mut value =
            json!({ "definition": { "a": 1 }, "map": { "x": [1], "y": "text" }, "rest": { "b": 2 } });
        written(&mut value, &["/definition", "/map/*", "/absent/*"]);
        let expected =
            json!({ "definition": "{\"a\":1}", "map": { "x": "[1]", "y": "text" }, "rest": { "b": 2 } });
        assert_eq!(value, expected);
    }
}
