//! Policies in any JSON text: bare, within what describes a role or a policy, or as text within JSON.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::document::Document;
use crate::json::Json;
use crate::read::{ReadError, child, read_at, syntax_error};

/// A policy document in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands, as a JSON pointer; empty for the file as a whole.
    pub pointer: String,
    /// What the object around it calls itself, such as its `PolicyName`.
    pub name: Option<String>,
    /// Whether it is the trust policy of a role.
    pub is_trust: bool,
    /// The document.
    pub document: Document,
}

/// Every policy document in a JSON text: the text itself, what `aws iam get-policy-version`, `get-role`,
/// `get-role-policy` and `get-account-authorization-details` print, what `get-bucket-policy`, `get-key-policy` and
/// `describe-policy` hold as text, and templates of resources. Versions of a policy that are not the default are left
/// out.
///
/// # Errors
///
/// What is not JSON, holds no document, or the mistakes of all its documents, with pointers from the top of the file.
pub fn find(text: &str) -> Result<Vec<Found>, Vec<ReadError>> {
    let json = Json::parse(text).map_err(|error| vec![syntax_error(text, &error)])?;
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for place in places(&json) {
        match place.document(&place.pointer) {
            Ok(document) => found.push(Found {
                document,
                name: place.name().map(str::to_owned),
                is_trust: place.is_trust(),
                pointer: place.pointer,
            }),
            Err(mistakes) => errors.extend(mistakes),
        }
    }
    if found.is_empty() && errors.is_empty() {
        errors.push(ReadError {
            pointer: String::new(),
            message: "there is no policy document".to_owned(),
            help: "a document is an object with `Statement`".to_owned(),
        });
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// The fields that hold a policy, as an object or as text; in lower case.
const FIELDS: [&str; 6] =
    ["document", "policydocument", "assumerolepolicydocument", "policy", "content", "assume_role_policy"];

/// Those that hold the trust policy of a role; in lower case.
const TRUST_FIELDS: [&str; 2] = ["assumerolepolicydocument", "assume_role_policy"];

/// The fields by which what holds a policy is known.
const NAMES: [&str; 5] = ["PolicyName", "RoleName", "UserName", "GroupName", "Name"];

/// Where a policy stands.
pub(crate) struct Place<'a> {
    /// The policy; or why the text that should hold it cannot be read.
    pub(crate) json: Result<Cow<'a, Json>, ReadError>,
    pub(crate) pointer: String,
    /// Whether it is written as a string.
    pub(crate) is_text: bool,
    /// The field that holds it; empty for the whole text.
    pub(crate) field: &'a str,
    /// The objects around it, the outermost first.
    pub(crate) around: Vec<&'a Json>,
}

impl<'a> Place<'a> {
    /// Reads the policy, which stands at this pointer.
    pub(crate) fn document(&self, pointer: &str) -> Result<Document, Vec<ReadError>> {
        match &self.json {
            Ok(json) => read_at(json, pointer),
            Err(error) => Err(vec![error.clone()]),
        }
    }

    /// Whether it is the trust policy of a role.
    pub(crate) fn is_trust(&self) -> bool {
        TRUST_FIELDS.contains(&self.field.to_ascii_lowercase().as_str())
    }

    /// What the nearest object around it that has a name calls itself.
    fn name(&self) -> Option<&'a str> {
        let own = |object: &&'a Json| NAMES.iter().find_map(|name| object.get(name)?.text());
        self.around.iter().rev().find_map(own)
    }
}

/// Where a JSON document has policies. Versions of a policy that are not the default are left out.
pub(crate) fn places(json: &Json) -> Vec<Place<'_>> {
    let mut finder = Finder::default();
    finder.walk(json, "", "");
    finder.places
}

#[derive(Default)]
struct Finder<'a> {
    places: Vec<Place<'a>>,
    around: Vec<&'a Json>,
}

impl<'a> Finder<'a> {
    /// How deep this goes is bounded by how deep a text of JSON is read.
    fn walk(&mut self, json: &'a Json, pointer: &str, field: &'a str) {
        let is_expected = pointer.is_empty() || FIELDS.contains(&field.to_ascii_lowercase().as_str());
        match json {
            Json::Object(_) if is_policy(json, is_expected) => {
                self.add(Ok(Cow::Borrowed(json)), pointer, field);
            }
            Json::Object(_) if json.get("IsDefaultVersion") == Some(&Json::Bool(false)) => {}
            Json::Object(entries) => {
                self.around.push(json);
                for (key, value) in entries {
                    self.walk(value, &child(pointer, key), key);
                }
                self.around.pop();
            }
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &child(pointer, &index.to_string()), field);
                }
            }
            Json::Text(text) => {
                if let Some(policy) = policy_in(text, pointer, is_expected) {
                    self.add(policy.map(Cow::Owned), pointer, field);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn add(&mut self, json: Result<Cow<'a, Json>, ReadError>, pointer: &str, field: &'a str) {
        let is_text = !matches!(json, Ok(Cow::Borrowed(_)));
        let around = self.around.clone();
        self.places.push(Place { json, pointer: pointer.to_owned(), is_text, field, around });
    }
}

/// Whether an object is a policy: one with statements, where a policy is expected; anywhere else, one of its statements
/// also says what statements say, since rules of a firewall have a `Statement` too.
fn is_policy(json: &Json, is_expected: bool) -> bool {
    let is_statement =
        |json: &Json| ["Effect", "Action", "NotAction"].iter().any(|name| json.get(name).is_some());
    match json.get("Statement") {
        None => false,
        Some(_) if is_expected => true,
        Some(Json::List(items)) => items.iter().any(is_statement),
        Some(one) => is_statement(one),
    }
}

/// The policy that a text holds, as JSON or percent-encoded JSON; where one is expected, also what looks like one and is
/// no JSON.
fn policy_in(text: &str, pointer: &str, is_expected: bool) -> Option<Result<Json, ReadError>> {
    let text = text.trim_start();
    let text = match text.get(..3) {
        Some("%7B" | "%7b") => percent_decode_str(text).decode_utf8_lossy(),
        Some(_) | None => Cow::Borrowed(text),
    };
    if !text.starts_with('{') {
        return None;
    }
    match Json::parse(&text) {
        Ok(json) => is_policy(&json, is_expected).then_some(Ok(json)),
        Err(error) => (is_expected && text.contains("Statement"))
            .then(|| Err(ReadError { pointer: pointer.to_owned(), ..syntax_error(&text, &error) })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = r#"{"Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*"}}"#;

    fn pointers(text: &str) -> Vec<(String, Option<String>, bool)> {
        find(text).unwrap().into_iter().map(|one| (one.pointer, one.name, one.is_trust)).collect()
    }

    fn one(pointer: &str, name: Option<&str>, is_trust: bool) -> (String, Option<String>, bool) {
        (pointer.to_owned(), name.map(str::to_owned), is_trust)
    }

    #[test]
    fn documents_are_found_in_every_shape() {
        let quoted = serde_json::to_string(BARE).unwrap();
        for (text, expected) in [
            (BARE.to_owned(), one("", None, false)),
            (format!(r#"{{"PolicyName": "p", "PolicyDocument": {BARE}}}"#), one("/PolicyDocument", Some("p"), false)),
            (
                format!(r#"{{"Role": {{"RoleName": "r", "AssumeRolePolicyDocument": {BARE}}}}}"#),
                one("/Role/AssumeRolePolicyDocument", Some("r"), true),
            ),
            (
                format!(r#"{{"PolicyVersion": {{"IsDefaultVersion": true, "Document": {BARE}}}}}"#),
                one("/PolicyVersion/Document", None, false),
            ),
            (format!(r#"{{"Policy": {quoted}, "RevisionId": "x"}}"#), one("/Policy", None, false)),
            (
                format!(r#"{{"Policy": {{"PolicySummary": {{"Name": "n"}}, "Content": {quoted}}}}}"#),
                one("/Policy/Content", None, false),
            ),
            (
                r#"{"Document": "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab%22%2C%22Resource%22%3A%22%2A%22%7D%7D"}"#.to_owned(),
                one("/Document", None, false),
            ),
        ] {
            assert_eq!(pointers(&text), [expected], "{text}");
        }
    }

    #[test]
    fn several_documents_are_found_and_old_versions_left_out() {
        let text = format!(
            r#"{{"Policies": [{{"PolicyName": "p", "PolicyVersionList": [
                {{"IsDefaultVersion": false, "Document": {BARE}}}, {{"IsDefaultVersion": true, "Document": {BARE}}}]}},
                {{"PolicyName": "q", "PolicyDocument": {BARE}}}]}}"#
        );
        let expected = [
            one("/Policies/0/PolicyVersionList/1/Document", Some("p"), false),
            one("/Policies/1/PolicyDocument", Some("q"), false),
        ];
        assert_eq!(pointers(&text), expected);
    }

    #[test]
    fn a_statement_of_something_else_is_no_policy() {
        let rule =
            r#"{"Rules": [{"Name": "r", "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}]}"#;
        assert!(places(&Json::parse(rule).unwrap()).is_empty());
    }

    #[test]
    fn mistakes_have_pointers_from_the_top() {
        let errors = find(r#"{"PolicyDocument": {"Statement": [{"Effect": "Allow"}]}}"#).unwrap_err();
        assert_eq!(errors[0].pointer, "/PolicyDocument/Statement/0");
        assert_eq!(find("{}").unwrap_err()[0].message, "there is no policy document");
        assert_eq!(find(r#"{"Policy": "{\"Statement\": "}"#).unwrap_err()[0].pointer, "/Policy");
        assert_eq!(find(r#"{"Policy": {"Statement": 3}}"#).unwrap_err()[0].pointer, "/Policy/Statement");
        assert_eq!(find(r#"{"Content": "{{ a template }}"}"#).unwrap_err()[0].pointer, "");
        assert!(find("nothing").is_err());
    }
}
