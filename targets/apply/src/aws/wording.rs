//! What a world shows, told in the words of the document that asked for it.
//!
//! A document says `{ "$ref": … }` where the world says an id, and a JSON document where it says a text. What means the
//! same is told as the document tells it, so that a difference is one, and reads like one.

use serde_json::Value;

use super::exchange::Members;
use super::life::Echo;
use super::reference::{Lookup, each, is_reference, resolved};

/// Takes away what a service shows though nobody asked for it.
pub(super) fn without_echoes(found: &mut Value, wanted: &Value, echoes: &[Echo]) {
    for echo in echoes {
        let (pointer, usual) = match echo {
            Echo::Any(pointer) => (*pointer, None),
            Echo::Usual(pointer, usual) => (*pointer, serde_json::from_str::<Value>(usual).ok()),
        };
        let Some((around, key)) = pointer.rsplit_once('/') else { continue };
        let mut asked = Vec::new();
        each(&mut wanted.clone(), pointer, &mut |value| asked.push(value.clone()));
        if !asked.is_empty() {
            continue;
        }
        each(found, around, &mut |inner| {
            let Some(members) = inner.as_object_mut() else { return };
            if members.get(key).is_some_and(|shown| usual.as_ref().is_none_or(|usual| same(usual, shown))) {
                members.remove(key);
            }
        });
    }
}

/// What was found, in the words of what is wanted.
pub(super) fn worded(wanted: &Value, found: &Value, lookup: &impl Lookup) -> Value {
    if is_reference(wanted) {
        let meant = resolved(wanted, lookup).is_some_and(|meant| same(&meant, found));
        return if meant { wanted.clone() } else { found.clone() };
    }
    match (wanted, found) {
        (Value::Object(_) | Value::Array(_), Value::String(text)) => match serde_json::from_str(text) {
            Ok(read) => worded(wanted, &read, lookup),
            Err(_) => found.clone(),
        },
        (Value::Object(wanted), Value::Object(found)) => {
            let inner = |(key, value): (&String, &Value)| {
                let told =
                    wanted.get(key).map_or_else(|| value.clone(), |wanted| worded(wanted, value, lookup));
                (key.clone(), told)
            };
            Value::Object(found.iter().map(inner).collect::<Members>())
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let known = wanted.iter().map(Some).chain(std::iter::repeat(None));
            let inner = |(value, wanted): (&Value, Option<&Value>)| {
                wanted.map_or_else(|| value.clone(), |wanted| worded(wanted, value, lookup))
            };
            Value::Array(found.iter().zip(known).map(inner).collect())
        }
        (wanted, found) if same(wanted, found) => wanted.clone(),
        _ => found.clone(),
    }
}

/// Whether two values are the same; numbers by what they count.
fn same(left: &Value, right: &Value) -> bool {
    left == right || left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left == right)
}

#[cfg(test)]
mod tests {
    use aipolicy_targets::artifact::Address;
    use serde_json::json;

    use super::*;

    struct One;

    impl Lookup for One {
        fn value(&self, address: &Address, path: &str) -> Option<Value> {
            (address.name == "a" && path == "id").then(|| json!("ID"))
        }
    }

    fn told(wanted: &Value, found: &Value) -> Value {
        worded(wanted, found, &One)
    }

    #[test]
    fn what_means_the_same_is_told_in_the_same_words() {
        let wanted = json!({
            "id": { "$ref": "bedrock/Agent/a#id" },
            "definition": { "States": [1] },
            "limit": 80.0,
            "list": [{ "$join": ["x", { "$ref": "bedrock/Agent/a#id" }] }],
        });
        let found = json!({ "id": "ID", "definition": "{\"States\":[1]}", "limit": 80, "list": ["xID"] });
        assert_eq!(told(&wanted, &found), wanted);
    }

    #[test]
    fn what_differs_is_told_as_it_is() {
        let wanted =
            json!({ "id": { "$ref": "bedrock/Agent/a#id" }, "text": { "a": 1 }, "list": [1], "gone": 1 });
        let found = json!({ "id": "OTHER", "text": "no json", "list": [1, 2], "more": true });
        assert_eq!(told(&wanted, &found), found);
        let nowhere = json!({ "id": { "$ref": "bedrock/Agent/b#id" } });
        assert_eq!(told(&nowhere, &json!({ "id": "ID" })), json!({ "id": "ID" }), "nothing to compare with");
    }

    #[test]
    fn echoes_go_unless_somebody_asked_or_they_say_something_else() {
        let echoes = [Echo::Any("/arn"), Echo::Usual("/inner/*/ttl", "600")];
        let clean = |wanted: Value, mut found: Value| {
            without_echoes(&mut found, &wanted, &echoes);
            found
        };
        let found = json!({ "arn": "a", "inner": { "x": { "ttl": 600 }, "y": { "ttl": 5 } } });
        assert_eq!(clean(json!({}), found.clone()), json!({ "inner": { "x": {}, "y": { "ttl": 5 } } }));
        let asked = json!({ "arn": "b", "inner": { "x": { "ttl": 1 } } });
        assert_eq!(clean(asked, found.clone()), found);
    }
}
