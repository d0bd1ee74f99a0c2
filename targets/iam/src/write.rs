//! Writes policy documents in AWS's field order and within the character set that AWS accepts.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::document::{
    Document, Effect, Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version,
};

/// The document as compact JSON, in the character set that the IAM API accepts.
///
/// AWS takes U+0009, U+000A, U+000D and U+0020 to U+00FF (pattern of `policyDocumentType` in the IAM API
/// model); anything else is escaped as `\uXXXX`. Lists of one element stay lists, so that adding a second is
/// a one-line change.
#[must_use]
pub fn to_json(document: &Document) -> String {
    latin1(&serialized(serde_json::to_string(document)))
}

/// The same text as [`to_json`], indented by two spaces, without a final newline.
#[must_use]
pub fn to_json_pretty(document: &Document) -> String {
    latin1(&serialized(serde_json::to_string_pretty(document)))
}

/// The length of one statement in [`to_json`], so that documents can be filled without writing them again and
/// again.
pub(crate) fn statement_length(statement: &Statement) -> usize {
    latin1_length(&serialized(serde_json::to_string(statement)))
}

/// The length of one string in [`to_json`], quotes included.
pub(crate) fn string_length(text: &str) -> usize {
    latin1_length(&serialized(serde_json::to_string(text)))
}

#[expect(
    clippy::expect_used,
    reason = "serde_json fails on IO errors, keys that are not strings and failing `Serialize` implementations; \
              these types in memory have none of them, and an empty policy instead would be worse"
)]
fn serialized(result: serde_json::Result<String>) -> String {
    result.expect("policies have string keys and are written to memory")
}

/// How many characters [`latin1`] makes of a text.
fn latin1_length(json: &str) -> usize {
    let escape =
        |character: char| if character <= '\u{ff}' { 1 } else { character.len_utf16() * "\\u0000".len() };
    if json.is_ascii() { json.len() } else { json.chars().map(escape).sum() }
}

// Outside its strings JSON is ASCII, so every character that needs an escape stands where one is allowed.
fn latin1(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character <= '\u{ff}' {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", &self.version)?;
        if let Some(id) = &self.id {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = &self.sid {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", &self.effect)?;
        match &self.principal {
            Some(Principals::In(set)) => map.serialize_entry("Principal", set)?,
            Some(Principals::NotIn(set)) => map.serialize_entry("NotPrincipal", set)?,
            None => (),
        }
        match &self.actions {
            Matcher::In(actions) => map.serialize_entry("Action", actions)?,
            Matcher::NotIn(actions) => map.serialize_entry("NotAction", actions)?,
        }
        match &self.resources {
            Some(Matcher::In(resources)) => map.serialize_entry("Resource", resources)?,
            Some(Matcher::NotIn(resources)) => map.serialize_entry("NotResource", resources)?,
            None => (),
        }
        if !self.conditions.is_empty() {
            map.serialize_entry("Condition", &self.conditions)?;
        }
        map.end()
    }
}

impl Serialize for PrincipalSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("*"),
            Self::Listed(listed) => listed.serialize(serializer),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for PrincipalKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    const FULL: &str = concat!(
        r#"{"Version":"2012-10-17","Id":"i","Statement":["#,
        r#"{"Sid":"A","Effect":"Allow","#,
        r#""Principal":{"AWS":["1","2"],"Service":["s"],"Federated":["f"],"CanonicalUser":["c"]},"#,
        r#""Action":["s3:GetObject"],"Resource":["*"],"#,
        r#""Condition":{"Bool":{"aws:SecureTransport":["true"]},"StringEquals":{"a:b":["x","y"]}}},"#,
        r#"{"Effect":"Deny","NotPrincipal":"*","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::b"]}]}"#,
    );

    fn with_resource(resource: &str) -> Document {
        let statement = Statement {
            sid: None,
            effect: Effect::Allow,
            principal: None,
            actions: Matcher::In(["s3:GetObject".to_owned()].into()),
            resources: Some(Matcher::In([resource.to_owned()].into())),
            conditions: [(
                "StringEquals".to_owned(),
                [(format!("aws:PrincipalTag/{resource}"), [resource.to_owned()].into())].into(),
            )]
            .into(),
        };
        Document { version: Version::V2012, id: Some(resource.to_owned()), statements: vec![statement] }
    }

    #[test]
    fn fields_come_in_the_order_of_aws() {
        assert_eq!(to_json(&read(FULL).unwrap()), FULL);
    }

    #[test]
    fn the_order_of_the_source_does_not_show() {
        let shuffled = r#"{"Statement":[{"Resource":"*","Action":["s3:b","s3:a"],"Effect":"Deny"}]}"#;
        let expected = r#""Statement":[{"Effect":"Deny","Action":["s3:a","s3:b"],"Resource":["*"]}]}"#;
        assert_eq!(to_json(&read(shuffled).unwrap()), format!(r#"{{"Version":"2008-10-17",{expected}"#));
    }

    #[test]
    fn nasty_text_survives_within_the_character_set() {
        for nasty in [
            "ÿé\u{80}",
            "Ł",
            "日本語",
            "😀",
            "\u{0}\u{8}\u{1f}\u{7f}",
            "\"\\/\n\r\t",
            "\u{2028}",
            "\\u0142",
            "",
        ] {
            let document = with_resource(nasty);
            for json in [to_json(&document), to_json_pretty(&document)] {
                let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
                assert!(json.chars().all(allowed), "{json}");
                assert_eq!(read(&json).unwrap(), document, "{json}");
            }
        }
    }

    #[test]
    fn only_what_must_be_is_escaped() {
        let json = to_json(&with_resource("ÿĀ😀"));
        assert!(json.contains(r#""Resource":["ÿ\u0100\ud83d\ude00"]"#), "{json}");
    }

    #[test]
    fn pretty_text_is_the_same_document_on_lines() {
        let document = read(FULL).unwrap();
        let pretty = to_json_pretty(&document);
        assert_eq!(read(&pretty).unwrap(), document);
        assert!(pretty.starts_with("{\n  \"Version\": \"2012-10-17\",\n  \"Id\": \"i\",\n"), "{pretty}");
    }

    #[test]
    fn lengths_of_parts_are_those_of_the_text() {
        let document = with_resource("a \"Ł\"");
        let statement = &document.statements[0];
        let json = to_json(&document);
        let start = json.find("[{").unwrap() + 1;
        assert_eq!(statement_length(statement), json[start..].len() - "]}".len());
        assert_eq!(string_length("a \"Ł\""), r#""a \"\u0142\"""#.len());
    }
}
