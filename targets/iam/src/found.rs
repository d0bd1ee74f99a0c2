//! Policy documents in files: bare, within what describes a role or a policy, or as text within JSON.

use crate::document::Document;
use crate::json::Json;
use crate::read::{ReadError, read_at, syntax_error};

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

/// The fields under which AWS returns documents as text, some percent-encoded; in lower case.
const TEXTS: [&str; 6] =
    ["document", "policydocument", "assumerolepolicydocument", "policy", "content", "assume_role_policy"];

/// The fields by which what holds a document is known.
const NAMES: [&str; 5] = ["PolicyName", "RoleName", "UserName", "GroupName", "Name"];

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
    let mut finder = Finder::default();
    finder.look(&json, "", None);
    if finder.found.is_empty() && finder.errors.is_empty() {
        finder.errors.push(ReadError {
            pointer: String::new(),
            message: "there is no policy document".to_owned(),
            help: "a document is an object with `Statement`".to_owned(),
        });
    }
    if finder.errors.is_empty() { Ok(finder.found) } else { Err(finder.errors) }
}

#[derive(Default)]
struct Finder {
    found: Vec<Found>,
    errors: Vec<ReadError>,
}

impl Finder {
    fn look(&mut self, json: &Json, pointer: &str, name: Option<&str>) {
        match json {
            Json::Object(entries) if has(entries, "Statement") => self.document(json, pointer, name),
            Json::Object(entries) if is_old_version(entries) => {}
            Json::Object(entries) => {
                let name = own_name(entries).or(name);
                for (key, value) in entries {
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    if let Json::Text(text) = value
                        && TEXTS.contains(&key.to_ascii_lowercase().as_str())
                    {
                        self.text(text, &pointer, name);
                    }
                    self.look(value, &pointer, name);
                }
            }
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.look(item, &format!("{pointer}/{index}"), name);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
        }
    }

    fn text(&mut self, text: &str, pointer: &str, name: Option<&str>) {
        let decoded = percent_decoded(text);
        let text = decoded.as_deref().unwrap_or(text);
        if !text.trim_start().starts_with('{') {
            return;
        }
        match Json::parse(text) {
            Ok(json) => self.look(&json, pointer, name),
            Err(error) => {
                self.errors.push(ReadError { pointer: pointer.to_owned(), ..syntax_error(text, &error) });
            }
        }
    }

    fn document(&mut self, json: &Json, pointer: &str, name: Option<&str>) {
        let is_trust = pointer.split('/').any(|field| {
            field.eq_ignore_ascii_case("AssumeRolePolicyDocument") || field == "assume_role_policy"
        });
        match read_at(json, pointer) {
            Ok(document) => {
                let (pointer, name) = (pointer.to_owned(), name.map(str::to_owned));
                self.found.push(Found { pointer, name, is_trust, document });
            }
            Err(errors) => self.errors.extend(errors),
        }
    }
}

fn has(entries: &[(String, Json)], name: &str) -> bool {
    entries.iter().any(|(key, _)| key == name)
}

fn is_old_version(entries: &[(String, Json)]) -> bool {
    entries.iter().any(|(key, value)| key == "IsDefaultVersion" && *value == Json::Bool(false))
}

fn own_name(entries: &[(String, Json)]) -> Option<&str> {
    let named = |name: &&str| {
        entries.iter().find_map(|(key, value)| {
            let Json::Text(text) = value else { return None };
            (key == name).then_some(text.as_str())
        })
    };
    NAMES.iter().find_map(named)
}

/// The text that stands behind `%7B…`, if it is such a one.
fn percent_decoded(text: &str) -> Option<String> {
    if !text.trim_start().starts_with("%7B") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if let (b'%', [high, low, after @ ..]) = (byte, after) {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
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
    fn mistakes_have_pointers_from_the_top() {
        let errors = find(r#"{"PolicyDocument": {"Statement": [{"Effect": "Allow"}]}}"#).unwrap_err();
        assert_eq!(errors[0].pointer, "/PolicyDocument/Statement/0");
        assert_eq!(find("{}").unwrap_err()[0].message, "there is no policy document");
        assert_eq!(find(r#"{"Policy": "{"}"#).unwrap_err()[0].pointer, "/Policy");
        assert!(find("nothing").is_err());
    }
}
