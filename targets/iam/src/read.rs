//! Reads any JSON that IAM accepts as a policy, and says where and why when it is not one.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

use crate::document::{
    Conditions, Document, Effect, Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version,
};
use crate::json::Json;

const DOCUMENT: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// One mistake in a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where, as a JSON pointer (RFC 6901); empty for the document as a whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{place}: {}; {}", self.message, self.help)
    }
}

impl Error for ReadError {}

/// Reads a policy document from JSON.
///
/// A single string and a list, a single statement and a list, and booleans or numbers as condition values
/// mean the same to AWS and give the same document. Repeated list entries are dropped. A missing `Version` is
/// [`Version::V2008`].
///
/// # Errors
///
/// All mistakes of the document, in its order: what is not JSON or nested deeper than 128 levels, unknown,
/// missing, repeated or contradictory fields, values of the wrong type, empty lists where AWS refuses them,
/// actions that are not `service:Name`. A JSON syntax error is reported alone. Names are not checked: a
/// policy may name actions that do not exist, and AWS accepts it.
pub fn read(text: &str) -> Result<Document, Vec<ReadError>> {
    let json = Json::parse(text).map_err(|error| vec![syntax_error(text, &error)])?;
    read_at(&json, "")
}

/// Reads a document that stands at the pointer.
pub(crate) fn read_at(json: &Json, pointer: &str) -> Result<Document, Vec<ReadError>> {
    let mut reader = Reader { errors: Vec::new() };
    match reader.document(&At { json, pointer: pointer.to_owned() }) {
        Some(document) if reader.errors.is_empty() => Ok(document),
        Some(_) | None => Err(reader.errors),
    }
}

pub(crate) fn syntax_error(text: &str, error: &serde_json::Error) -> ReadError {
    let help = if text.trim_start().starts_with("%7B") {
        "the text is percent-encoded, as the IAM API returns it; decode it first"
    } else {
        "give one JSON object, such as {\"Version\": \"2012-10-17\", \"Statement\": []}"
    };
    ReadError {
        pointer: String::new(),
        message: format!("this cannot be read as JSON: {error}"),
        help: help.to_owned(),
    }
}

/// Collects mistakes. Every method that answers `None` for a value that is present has recorded why.
struct Reader {
    errors: Vec<ReadError>,
}

/// A value and the pointer to it.
struct At<'a> {
    json: &'a Json,
    pointer: String,
}

/// The entries of an object whose keys were checked.
struct Fields<'a> {
    entries: Vec<(&'a str, At<'a>)>,
    pointer: String,
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&At<'a>> {
        self.entries.iter().find(|(key, _)| *key == name).map(|(_, at)| at)
    }
}

impl Reader {
    fn report(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(ReadError {
            pointer: pointer.to_owned(),
            message: message.into(),
            help: help.into(),
        });
    }

    fn document(&mut self, at: &At<'_>) -> Option<Document> {
        let fields = self.fields(at, &DOCUMENT)?;
        let version = self.version(&fields);
        let id = fields.get("Id").and_then(|at| self.text(at));
        let statements = self.statements(&fields);
        Some(Document { version: version?, id, statements: statements? })
    }

    fn version(&mut self, fields: &Fields<'_>) -> Option<Version> {
        let Some(at) = fields.get("Version") else { return Some(Version::V2008) };
        let text = self.text(at)?;
        let known = [Version::V2008, Version::V2012].into_iter().find(|version| version.as_str() == text);
        if known.is_none() {
            let message = format!("`{text}` is not a version of the policy language");
            self.report(&at.pointer, message, "write \"2012-10-17\"");
        }
        known
    }

    fn statements(&mut self, fields: &Fields<'_>) -> Option<Vec<Statement>> {
        let at = self.required(fields, "Statement")?;
        let Json::List(items) = at.json else {
            return self.statement(at).map(|statement| vec![statement]);
        };
        if items.is_empty() {
            self.report(
                &at.pointer,
                "the list of statements is empty",
                "AWS asks for at least one statement",
            );
        }
        let read: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, json)| {
                self.statement(&At { json, pointer: child(&at.pointer, &index.to_string()) })
            })
            .collect();
        read.into_iter().collect()
    }

    fn statement(&mut self, at: &At<'_>) -> Option<Statement> {
        let fields = self.fields(at, &STATEMENT)?;
        let sid = fields.get("Sid").and_then(|at| self.text(at));
        let effect = self.effect(&fields);
        let principal = self.principals(&fields);
        let actions = self.actions(&fields);
        let resources = self.resources(&fields);
        let conditions = fields.get("Condition").map(|at| self.conditions(at)).unwrap_or_default();
        Some(Statement { sid, effect: effect?, principal, actions: actions?, resources, conditions })
    }

    fn effect(&mut self, fields: &Fields<'_>) -> Option<Effect> {
        let at = self.required(fields, "Effect")?;
        let text = self.text(at)?;
        let known = [Effect::Allow, Effect::Deny].into_iter().find(|effect| effect.as_str() == text);
        if known.is_none() {
            let message = format!("`{text}` is not an effect");
            self.report(&at.pointer, message, "write \"Allow\" or \"Deny\", with this capitalisation");
        }
        known
    }

    fn actions(&mut self, fields: &Fields<'_>) -> Option<Matcher> {
        let either = self.either(fields, "Action", "NotAction");
        if either.is_none() {
            self.report(&fields.pointer, "the statement names no action", "add `Action` or `NotAction`");
        }
        let (negated, at) = either?;
        let actions = self.set(at)?;
        for action in actions.iter().filter(|action| !is_action(action)) {
            let message = format!("`{action}` is not an action");
            self.report(
                &at.pointer,
                message,
                "write `service:Name`, such as \"bedrock:InvokeModel\", or \"*\"",
            );
        }
        Some(if negated { Matcher::NotIn(actions) } else { Matcher::In(actions) })
    }

    fn resources(&mut self, fields: &Fields<'_>) -> Option<Matcher> {
        let (negated, at) = self.either(fields, "Resource", "NotResource")?;
        let resources = self.set(at)?;
        Some(if negated { Matcher::NotIn(resources) } else { Matcher::In(resources) })
    }

    fn principals(&mut self, fields: &Fields<'_>) -> Option<Principals> {
        let (negated, at) = self.either(fields, "Principal", "NotPrincipal")?;
        let set = self.principal_set(at)?;
        Some(if negated { Principals::NotIn(set) } else { Principals::In(set) })
    }

    fn principal_set(&mut self, at: &At<'_>) -> Option<PrincipalSet> {
        if let Json::Text(text) = at.json {
            if text == "*" {
                return Some(PrincipalSet::Any);
            }
            let message = format!("the principal `{text}` does not say of which kind it is");
            self.report(
                &at.pointer,
                message,
                format!("write {{\"AWS\": \"{text}\"}}, or another kind than AWS"),
            );
            return None;
        }
        let kinds = self.fields(at, &PrincipalKind::ALL.map(PrincipalKind::as_str))?;
        if kinds.entries.is_empty() {
            self.report(&at.pointer, "no principal is named", "name one, or leave the element out");
        }
        let mut listed = BTreeMap::new();
        for kind in PrincipalKind::ALL {
            if let Some(names) = kinds.get(kind.as_str()).and_then(|names| self.set(names)) {
                listed.insert(kind, names);
            }
        }
        Some(PrincipalSet::Listed(listed))
    }

    fn conditions(&mut self, at: &At<'_>) -> Conditions {
        let mut conditions = Conditions::new();
        for (operator, keys) in self.entries(at) {
            let mut values = BTreeMap::new();
            for (key, listed) in self.entries(&keys) {
                values.insert(key.to_owned(), self.condition_values(&listed));
            }
            conditions.insert(operator.to_owned(), values);
        }
        conditions
    }

    // An empty list is kept here: AWS stores it, and it has a meaning (nothing equals it), unlike a lack of
    // actions.
    fn condition_values(&mut self, at: &At<'_>) -> BTreeSet<String> {
        elements(at).iter().filter_map(|value| self.scalar(value)).collect()
    }

    fn scalar(&mut self, at: &At<'_>) -> Option<String> {
        match at.json {
            Json::Text(text) | Json::Number(text) => Some(text.clone()),
            Json::Bool(value) => Some(value.to_string()),
            Json::Null | Json::List(_) | Json::Object(_) => {
                let message = format!("a condition value cannot be {}", at.json.kind());
                self.report(&at.pointer, message, "write a string, a boolean or a number");
                None
            }
        }
    }

    /// A string, or a list of at least one.
    fn set(&mut self, at: &At<'_>) -> Option<BTreeSet<String>> {
        let elements = elements(at);
        if elements.is_empty() {
            self.report(&at.pointer, "the list is empty", "AWS asks for at least one entry");
            return None;
        }
        Some(elements.iter().filter_map(|element| self.text(element)).collect())
    }

    fn text(&mut self, at: &At<'_>) -> Option<String> {
        if let Json::Text(text) = at.json {
            return Some(text.clone());
        }
        let message = format!("expected a string, found {}", at.json.kind());
        self.report(&at.pointer, message, "put the value between double quotes");
        None
    }

    fn required<'f, 'a>(&mut self, fields: &'f Fields<'a>, name: &str) -> Option<&'f At<'a>> {
        let at = fields.get(name);
        if at.is_none() {
            self.report(&fields.pointer, format!("`{name}` is missing"), format!("add `{name}`"));
        }
        at
    }

    /// The one of two exclusive fields that is present, and whether it is the negated one.
    fn either<'f, 'a>(
        &mut self,
        fields: &'f Fields<'a>,
        plain: &str,
        negated: &str,
    ) -> Option<(bool, &'f At<'a>)> {
        match (fields.get(plain), fields.get(negated)) {
            (Some(at), None) => Some((false, at)),
            (None, Some(at)) => Some((true, at)),
            (None, None) => None,
            (Some(at), Some(other)) => {
                let message = format!("`{plain}` and `{negated}` exclude each other");
                self.report(&other.pointer, message, "keep one of them, or make two statements");
                Some((false, at))
            }
        }
    }

    /// The entries of an object all of whose keys must be among `known`.
    fn fields<'a>(&mut self, at: &At<'a>, known: &[&str]) -> Option<Fields<'a>> {
        if !matches!(at.json, Json::Object(_)) {
            self.not_an_object(at);
            return None;
        }
        let entries = self.entries(at);
        for (key, field) in entries.iter().filter(|(key, _)| !known.contains(key)) {
            self.report(&field.pointer, format!("`{key}` is not a field here"), suggestion(key, known));
        }
        Some(Fields { entries, pointer: at.pointer.clone() })
    }

    /// The entries of an object without repetitions; which of two equal keys AWS would take is anyone's
    /// guess.
    fn entries<'a>(&mut self, at: &At<'a>) -> Vec<(&'a str, At<'a>)> {
        let Json::Object(object) = at.json else {
            self.not_an_object(at);
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for (key, json) in object {
            let pointer = child(&at.pointer, key);
            if seen.insert(key) {
                entries.push((key.as_str(), At { json, pointer }));
            } else {
                self.report(
                    &pointer,
                    format!("`{key}` is written twice"),
                    "keep one of them, or merge their values",
                );
            }
        }
        entries
    }

    fn not_an_object(&mut self, at: &At<'_>) {
        let message = format!("expected an object, found {}", at.json.kind());
        self.report(&at.pointer, message, "write {…} with named fields");
    }
}

/// The elements of a list; anything else is a list of itself.
fn elements<'a>(at: &At<'a>) -> Vec<At<'a>> {
    let Json::List(items) = at.json else {
        return vec![At { json: at.json, pointer: at.pointer.clone() }];
    };
    let element =
        |(index, json): (usize, &'a Json)| At { json, pointer: child(&at.pointer, &index.to_string()) };
    items.iter().enumerate().map(element).collect()
}

/// The pointer to an entry of what stands under a pointer.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn suggestion(key: &str, known: &[&str]) -> String {
    match known.iter().find(|name| name.eq_ignore_ascii_case(key)) {
        Some(name) => format!("write `{name}`, with this capitalisation"),
        None => format!("the fields here are {}", known.join(", ")),
    }
}

fn is_action(text: &str) -> bool {
    text == "*" || text.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(fields: &str) -> Result<Statement, Vec<ReadError>> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": {{{fields}}}}}"#);
        read(&text).map(|document| document.statements[0].clone())
    }

    /// The pointers of the mistakes in a statement that is otherwise complete.
    fn mistakes(fields: &str) -> Vec<String> {
        let errors = statement(fields).unwrap_err();
        errors.into_iter().map(|error| error.pointer).collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn single_values_and_lists_give_the_same_document() {
        let terse = read(
            r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole",
                "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}}}}"#,
        );
        let verbose = read(
            r#"{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["123456789012"]},
                "Action": ["sts:AssumeRole", "sts:AssumeRole"], "Resource": ["*"],
                "Condition": {"Bool": {"aws:SecureTransport": ["true"]}}}]}"#,
        );
        assert_eq!(terse.unwrap(), verbose.unwrap());
    }

    #[test]
    fn every_element_is_read() {
        let read = statement(
            r#""Sid": "S", "Effect": "Deny", "NotPrincipal": {"Service": ["b", "a"], "CanonicalUser": "c",
               "Federated": "f"}, "NotAction": "iam:*", "NotResource": "arn:aws:s3:::b",
               "Condition": {"NumericLessThan": {"s3:max-keys": [10, 0.5]}, "Null": {"aws:TokenIssueTime": false}}"#,
        )
        .unwrap();
        let listed = BTreeMap::from([
            (PrincipalKind::Service, set(&["a", "b"])),
            (PrincipalKind::Federated, set(&["f"])),
            (PrincipalKind::CanonicalUser, set(&["c"])),
        ]);
        let expected = Statement {
            sid: Some("S".to_owned()),
            effect: Effect::Deny,
            principal: Some(Principals::NotIn(PrincipalSet::Listed(listed))),
            actions: Matcher::NotIn(set(&["iam:*"])),
            resources: Some(Matcher::NotIn(set(&["arn:aws:s3:::b"]))),
            conditions: BTreeMap::from([
                (
                    "NumericLessThan".to_owned(),
                    BTreeMap::from([("s3:max-keys".to_owned(), set(&["10", "0.5"]))]),
                ),
                ("Null".to_owned(), BTreeMap::from([("aws:TokenIssueTime".to_owned(), set(&["false"]))])),
            ]),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn absent_elements_stay_absent() {
        let read = statement(r#""Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole""#).unwrap();
        assert_eq!(read.principal, Some(Principals::In(PrincipalSet::Any)));
        assert_eq!((read.sid, read.resources, read.conditions), (None, None, Conditions::new()));
    }

    #[test]
    fn repeated_keys_are_mistakes_at_every_level() {
        let text = r#"{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Effect": "Allow", "Principal": {"AWS": "*", "AWS": "1"}, "Action": "s3:*", "Condition": {"Bool": {"a:b": true,
            "a:b": false}, "Bool": {}}}]}"#;
        let pointers: Vec<_> = read(text).unwrap_err().into_iter().map(|error| error.pointer).collect();
        let expected = [
            "/Version",
            "/Statement/0/Effect",
            "/Statement/0/Principal/AWS",
            "/Statement/0/Condition/Bool",
            "/Statement/0/Condition/Bool/a:b",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn keys_that_escapes_make_equal_are_repeated() {
        let fields = r#""Effect": "Deny", "\u0045ffect": "Allow", "Action": "*", "Resource": "*""#;
        assert_eq!(mistakes(fields), ["/Statement/Effect"]);
    }

    #[test]
    fn unknown_fields_are_mistakes_and_capitalisation_is_suggested() {
        let errors =
            statement(r#""Effect": "Allow", "action": "*", "Action": "*", "Resources": "*", "a/b~c": 1"#)
                .unwrap_err();
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/Statement/action", "/Statement/Resources", "/Statement/a~1b~0c"]);
        assert_eq!(errors[0].help, "write `Action`, with this capitalisation");
        assert!(errors[1].help.contains("NotResource"));
    }

    #[test]
    fn one_mistake_gives_one_error() {
        let complete = r#""Effect": "Allow", "Action": "s3:Get*""#;
        for (fields, pointer) in [
            (r#""Action": "*""#.to_owned(), "/Statement"),
            (r#""Effect": "Allow""#.to_owned(), "/Statement"),
            (r#""Effect": "allow", "Action": "*""#.to_owned(), "/Statement/Effect"),
            (r#""Effect": true, "Action": "*""#.to_owned(), "/Statement/Effect"),
            (r#""Effect": "Allow", "Action": []"#.to_owned(), "/Statement/Action"),
            (r#""Effect": "Allow", "Action": ["s3:*", 1]"#.to_owned(), "/Statement/Action/1"),
            (r#""Effect": "Allow", "Action": "InvokeModel""#.to_owned(), "/Statement/Action"),
            (r#""Effect": "Allow", "Action": ":x""#.to_owned(), "/Statement/Action"),
            (r#""Effect": "Allow", "NotAction": null"#.to_owned(), "/Statement/NotAction"),
            (format!(r#"{complete}, "NotAction": "s3:*""#), "/Statement/NotAction"),
            (format!(r#"{complete}, "Resource": "*", "NotResource": "*""#), "/Statement/NotResource"),
            (format!(r#"{complete}, "Resource": []"#), "/Statement/Resource"),
            (format!(r#"{complete}, "Resource": {{}}"#), "/Statement/Resource"),
            (format!(r#"{complete}, "Principal": "*", "NotPrincipal": "*""#), "/Statement/NotPrincipal"),
            (format!(r#"{complete}, "Principal": "123456789012""#), "/Statement/Principal"),
            (format!(r#"{complete}, "Principal": ["*"]"#), "/Statement/Principal"),
            (format!(r#"{complete}, "Principal": {{}}"#), "/Statement/Principal"),
            (format!(r#"{complete}, "Principal": {{"AWS": 123456789012}}"#), "/Statement/Principal/AWS"),
            (format!(r#"{complete}, "Principal": {{"AWS": []}}"#), "/Statement/Principal/AWS"),
            (format!(r#"{complete}, "Principal": {{"aws": "*"}}"#), "/Statement/Principal/aws"),
            (format!(r#"{complete}, "Sid": 7"#), "/Statement/Sid"),
            (format!(r#"{complete}, "Condition": []"#), "/Statement/Condition"),
            (format!(r#"{complete}, "Condition": {{"Bool": "true"}}"#), "/Statement/Condition/Bool"),
            (
                format!(r#"{complete}, "Condition": {{"Bool": {{"a:b": null}}}}"#),
                "/Statement/Condition/Bool/a:b",
            ),
            (
                format!(r#"{complete}, "Condition": {{"Bool": {{"a:b": ["x", ["y"]]}}}}"#),
                "/Statement/Condition/Bool/a:b/1",
            ),
        ] {
            assert_eq!(mistakes(&fields), [pointer], "{fields}");
        }
    }

    #[test]
    fn documents_of_the_wrong_shape_are_refused() {
        for (text, pointer) in [
            ("[]", ""),
            ("\"*\"", ""),
            ("{}", ""),
            (r#"{"Statement": []}"#, "/Statement"),
            (r#"{"Statement": "x"}"#, "/Statement"),
            (r#"{"Statement": [null]}"#, "/Statement/0"),
            (r#"{"Version": "2012-10-18", "Statement": {"Effect": "Allow", "Action": "*"}}"#, "/Version"),
            (r#"{"Id": [], "Statement": {"Effect": "Allow", "Action": "*"}}"#, "/Id"),
        ] {
            let errors = read(text).unwrap_err();
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert_eq!(errors[0].pointer, pointer, "{text}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = r#"{"Version": "2011-01-01", "Statement": [{"Effect": "Allow"}, {"Action": "*"}]}"#;
        let pointers: Vec<_> = read(text).unwrap_err().into_iter().map(|error| error.pointer).collect();
        assert_eq!(pointers, ["/Version", "/Statement/0", "/Statement/1"]);
    }

    #[test]
    fn syntax_errors_and_deep_nesting_are_errors() {
        let deep =
            format!(r#"{{"Statement": {{"Condition": {}1{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(read(&deep).unwrap_err()[0].message.contains("recursion limit"));
        assert!(read("").unwrap_err()[0].message.contains("JSON"));
        assert!(read("%7B%22Version%22%7D").unwrap_err()[0].help.contains("decode"));
        assert!(read(r#"{"Statement": {}} x"#).is_err());
    }

    #[test]
    fn empty_conditions_are_kept_as_written() {
        let read = statement(
            r#""Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/a": []}, "Bool": {}}"#,
        )
        .unwrap();
        assert_eq!(read.conditions["StringEquals"]["aws:PrincipalTag/a"], BTreeSet::new());
        assert!(read.conditions["Bool"].is_empty());
    }

    #[test]
    fn an_error_prints_place_reason_and_remedy() {
        let error = &statement(r#""Effect": "Allow", "Action": "*", "Principal": "me""#).unwrap_err()[0];
        assert_eq!(
            error.to_string(),
            "/Statement/Principal: the principal `me` does not say of which kind it is; write {\"AWS\": \"me\"}, \
             or another kind than AWS"
        );
    }
}
