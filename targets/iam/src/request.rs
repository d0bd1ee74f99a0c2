//! What IAM is asked: who wants to do what with which resource, and under which circumstances.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::PrincipalKind;

/// One request, as IAM sees it.
///
/// In JSON: `{"principal": {"AWS": "arn:…"}, "action": "s3:GetObject", "resource": "arn:…", "context": {"key": "value"}}`.
/// `principal` and `context` may be left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who asks. Without one, it is whoever holds the identity policies, in the account of the resource, and
    /// `Principal` elements that mean everyone are the only ones that name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Caller>,
    /// The action, such as `s3:GetObject`; case makes no difference.
    pub action: String,
    /// The ARN of the resource, or `*` for actions that have none.
    pub resource: String,
    /// The circumstances.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    pub context: Context,
}

impl Request {
    /// A request without principal and circumstances.
    #[must_use]
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            principal: None,
            action: action.into(),
            resource: resource.into(),
            context: Context::default(),
        }
    }

    /// The same request, by this caller.
    #[must_use]
    pub fn by(mut self, caller: Caller) -> Self {
        self.principal = Some(caller);
        self
    }

    /// The same request, with a further circumstance of one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.set(key, [value.into()]);
        self
    }
}

/// In words: `s3:GetObject on arn:… to CALLER with KEY VALUE`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        if let Some(caller) = &self.principal {
            write!(f, " to {}", caller.name)?;
        }
        for (at, (key, values)) in self.context.iter().enumerate() {
            let word = if at == 0 { "with" } else { "and" };
            write!(f, " {word} {key} {}", values.join(", "))?;
        }
        Ok(())
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// Which kind of principal.
    pub kind: PrincipalKind,
    /// Its name: for [`PrincipalKind::Aws`] the ARN of a user, a role, a session of a role
    /// (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`), a federated user or an account (`…:root`), for a service its
    /// name, for [`PrincipalKind::Federated`] its provider.
    pub name: String,
}

impl Caller {
    /// A user, a role, a session or an account, by ARN.
    #[must_use]
    pub fn aws(arn: impl Into<String>) -> Self {
        Self { kind: PrincipalKind::Aws, name: arn.into() }
    }

    /// A service, such as `bedrock.amazonaws.com`.
    #[must_use]
    pub fn service(name: impl Into<String>) -> Self {
        Self { kind: PrincipalKind::Service, name: name.into() }
    }
}

impl Serialize for Caller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.kind.as_str(), &self.name)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Caller {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut entries = map.into_iter();
        let (Some((kind, name)), None) = (entries.next(), entries.next()) else {
            return Err(D::Error::custom(
                "a principal is one kind and one name, such as {\"AWS\": \"arn:…\"}",
            ));
        };
        let known = PrincipalKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = known.ok_or_else(|| {
            D::Error::unknown_field(&kind, &["AWS", "Service", "Federated", "CanonicalUser"])
        })?;
        Ok(Self { kind, name })
    }
}

/// The circumstances of a request: condition keys and their values.
///
/// Keys have no case; they are kept as they were written last. A key without values is the same as no key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    values: BTreeMap<Key, Vec<String>>,
}

/// A condition key, known by its name in lower case.
#[derive(Clone, Debug)]
struct Key {
    lower: String,
    written: String,
}

impl Key {
    fn new(written: &str) -> Self {
        Self { lower: written.to_ascii_lowercase(), written: written.to_owned() }
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.lower
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lower.cmp(&other.lower)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lower.hash(state);
    }
}

impl Context {
    /// The values under a key; none when the request does not have it.
    #[must_use]
    pub fn values(&self, key: &str) -> &[String] {
        let found = match key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.values.get(key.to_ascii_lowercase().as_str()),
            false => self.values.get(key),
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// The value under a key that has exactly one.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Says what stands under a key, in place of what stood there.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<_> = values.into_iter().collect();
        let key = Key::new(key);
        self.values.remove(&key);
        if !values.is_empty() {
            self.values.insert(key, values);
        }
    }

    /// Every key with its values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.values.iter().map(|(key, values)| (key.written.as_str(), values.as_slice()))
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<K: AsRef<str>> FromIterator<(K, Vec<String>)> for Context {
    fn from_iter<I: IntoIterator<Item = (K, Vec<String>)>>(entries: I) -> Self {
        let mut context = Self::default();
        for (key, values) in entries {
            context.set(key.as_ref(), values);
        }
        context
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (key, values) in &self.values {
            match values.as_slice() {
                [value] => map.serialize_entry(&key.written, value)?,
                values => map.serialize_entry(&key.written, values)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = Context;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("condition keys and their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Context, A::Error> {
        let mut context = Context::default();
        while let Some((key, Values(values))) = entries.next_entry::<String, Values>()? {
            if context.values.contains_key(&Key::new(&key)) {
                return Err(A::Error::custom(format!("the condition key `{key}` is there twice")));
            }
            context.set(&key, values);
        }
        Ok(context)
    }
}

/// One value or a list; booleans and numbers are taken as their text.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a boolean, a number, or a list of these")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_str<E>(self, value: &str) -> Result<Values, E> {
        Ok(Values(vec![value.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
        let mut all = Vec::new();
        while let Some(Values(values)) = items.next_element::<Values>()? {
            let [value] = <[String; 1]>::try_from(values)
                .map_err(|_| A::Error::custom("a list of values holds no lists"))?;
            all.push(value);
        }
        Ok(Values(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_is_read_and_written() {
        let text = r#"{"principal":{"AWS":"arn:aws:iam::123456789012:role/r"},"action":"s3:GetObject","resource":"arn:aws:s3:::b/k","context":{"aws:RequestedRegion":"eu-central-1","aws:tagkeys":["a","b"]}}"#;
        let request = parse(text).unwrap();
        assert_eq!(request.principal, Some(Caller::aws("arn:aws:iam::123456789012:role/r")));
        assert_eq!(request.context.value("aws:requestedregion"), Some("eu-central-1"));
        assert_eq!(request.context.values("aws:TagKeys"), ["a", "b"]);
        assert_eq!(request.context.value("aws:TagKeys"), None);
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        let other = parse(&text.replace("aws:RequestedRegion", "AWS:requestedRegion")).unwrap();
        assert_eq!(other, request, "keys have no case");
    }

    #[test]
    fn what_is_left_out_is_absent() {
        let request = parse(r#"{"action": "a:b", "resource": "*"}"#).unwrap();
        assert_eq!(request, Request::new("a:b", "*"));
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"action":"a:b","resource":"*"}"#);
        let empty = parse(r#"{"action": "a:b", "resource": "*", "context": {"a:b": []}}"#).unwrap();
        assert_eq!(empty, request);
    }

    #[test]
    fn booleans_and_numbers_are_taken_as_text() {
        let request =
            parse(r#"{"action": "a:b", "resource": "*", "context": {"k:b": true, "k:n": [1, -2, 0.5]}}"#)
                .unwrap();
        assert_eq!(request.context.values("k:b"), ["true"]);
        assert_eq!(request.context.values("k:n"), ["1", "-2", "0.5"]);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (text, why) in [
            (r#"{"resource": "*"}"#, "missing field `action`"),
            (r#"{"action": "a:b", "resource": "*", "contexts": {}}"#, "unknown field `contexts`"),
            (r#"{"action": "a:b", "resource": "*", "principal": "x"}"#, "invalid type"),
            (r#"{"action": "a:b", "resource": "*", "principal": {}}"#, "one kind and one name"),
            (r#"{"action": "a:b", "resource": "*", "principal": {"Role": "x"}}"#, "unknown field `Role`"),
            (r#"{"action": "a:b", "resource": "*", "context": {"k": {}}}"#, "a string, a boolean"),
            (r#"{"action": "a:b", "resource": "*", "context": {"k": [["x", "y"]]}}"#, "holds no lists"),
            (r#"{"action": "a:b", "resource": "*", "context": {"k": "x", "K": "y"}}"#, "there twice"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
