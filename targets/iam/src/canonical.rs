//! The canonical form of a document, in which policies that differ in spelling alone are equal.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{
    Conditions, Document, Effect, Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version,
};

/// What a document says, without how it is spelled.
///
/// Actions, condition operators and condition keys are lower-cased, since AWS compares them so; statements
/// are a set and conditions a set of (operator, key, values); `Id` and `Sid` are left out; an account is
/// written as its id. The form is for comparison only and is no document: what AWS is sent keeps its
/// spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical {
    version: Version,
    statements: BTreeSet<CanonicalStatement>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CanonicalStatement {
    effect: Effect,
    principal: Option<Principals>,
    actions: Matcher,
    resources: Option<Matcher>,
    conditions: BTreeSet<Condition>,
}

// A set of these and not a map: `StringEquals` and `stringequals` side by side are two conditions that must
// both hold, and merging their values would make it enough that one of them holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Condition {
    operator: String,
    key: String,
    values: BTreeSet<String>,
}

/// Whether two documents are the same policy in two spellings.
///
/// Sound: `true` means that AWS decides every request alike. Not complete: `false` says nothing, since
/// policies may mean the same and differ in more than spelling, such as `s3:*` beside `s3:Get*`, or one
/// statement cut in two.
#[must_use]
pub fn equivalent(a: &Document, b: &Document) -> bool {
    a.canonical() == b.canonical()
}

impl Document {
    /// The canonical form of the document.
    #[must_use]
    pub fn canonical(&self) -> Canonical {
        let statements = self.statements.iter().map(CanonicalStatement::new).collect();
        Canonical { version: self.version, statements }
    }
}

impl CanonicalStatement {
    pub(crate) fn new(statement: &Statement) -> Self {
        Self {
            effect: statement.effect,
            principal: statement.principal.as_ref().map(principals),
            actions: lower_case(&statement.actions),
            resources: statement.resources.clone(),
            conditions: conditions(&statement.conditions),
        }
    }
}

fn lower_case(actions: &Matcher) -> Matcher {
    let lower = |names: &BTreeSet<String>| names.iter().map(|name| name.to_ascii_lowercase()).collect();
    match actions {
        Matcher::In(names) => Matcher::In(lower(names)),
        Matcher::NotIn(names) => Matcher::NotIn(lower(names)),
    }
}

fn principals(principals: &Principals) -> Principals {
    match principals {
        Principals::In(set) => Principals::In(principal_set(set)),
        Principals::NotIn(set) => Principals::NotIn(principal_set(set)),
    }
}

fn principal_set(set: &PrincipalSet) -> PrincipalSet {
    let PrincipalSet::Listed(listed) = set else { return PrincipalSet::Any };
    let mut canonical: BTreeMap<_, _> = listed.clone();
    if let Some(accounts) = canonical.get_mut(&PrincipalKind::Aws) {
        *accounts = accounts.iter().map(|name| account_id(name).unwrap_or(name).to_owned()).collect();
    }
    PrincipalSet::Listed(canonical)
}

// AWS documents both forms as the same principal. Only the `aws` partition is rewritten: a bare id does not
// tell its partition, and taking two partitions for one would be unsound.
fn account_id(principal: &str) -> Option<&str> {
    let id = principal.strip_prefix("arn:aws:iam::")?.strip_suffix(":root")?;
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

fn conditions(conditions: &Conditions) -> BTreeSet<Condition> {
    let flattened =
        conditions.iter().flat_map(|(operator, keys)| keys.iter().map(move |entry| (operator, entry)));
    flattened
        .map(|(operator, (key, values))| Condition {
            operator: operator.to_ascii_lowercase(),
            key: key.to_ascii_lowercase(),
            values: values.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    const BASE: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "One", "Effect": "Allow", "Principal": {"AWS": ["123456789012", "arn:aws:iam::210987654321:role/r"]},
         "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::b/*"],
         "Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"]}, "Bool": {"aws:SecureTransport": true}}},
        {"Effect": "Deny", "Principal": "*", "NotAction": "iam:*", "Resource": "*"}]}"#;

    fn differs(from: &str, to: &str) -> bool {
        assert!(BASE.contains(from), "{from}");
        !equivalent(&read(BASE).unwrap(), &read(&BASE.replace(from, to)).unwrap())
    }

    #[test]
    fn spelling_does_not_count() {
        let respelled = r#"{"Version": "2012-10-17", "Id": "x", "Statement": [
            {"Sid": "Two", "Effect": "Deny", "Principal": "*", "NotAction": "IAM:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::210987654321:role/r",
             "arn:aws:iam::123456789012:root"]}, "Action": ["S3:putobject", "s3:GETOBJECT", "s3:GetObject"],
             "Resource": "arn:aws:s3:::b/*", "Condition": {"bool": {"AWS:securetransport": "true"},
             "stringEQUALS": {"AWS:SOURCEACCOUNT": [2, 1]}, "Null": {}}},
            {"Effect": "Deny", "Principal": "*", "NotAction": "iam:*", "Resource": "*"}]}"#;
        assert!(equivalent(&read(BASE).unwrap(), &read(respelled).unwrap()));
    }

    #[test]
    fn meaning_counts() {
        for (from, to) in [
            ("2012-10-17", "2008-10-17"),
            ("\"Allow\"", "\"Deny\""),
            ("\"Action\"", "\"NotAction\""),
            ("s3:PutObject", "s3:PutObjec?"),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::B/*"),
            ("\"Resource\": [", "\"NotResource\": ["),
            ("\"1\", \"2\"", "\"1\""),
            (": true", ": \"True\""),
            ("StringEquals", "StringEqualsIfExists"),
            ("aws:SourceAccount", "aws:PrincipalAccount"),
            ("\"Principal\": \"*\"", "\"NotPrincipal\": \"*\""),
            ("\"123456789012\"", "\"arn:aws-cn:iam::123456789012:root\""),
            ("\"123456789012\"", "\"arn:aws:iam::12345678901x:root\""),
            ("role/r", "role/R"),
        ] {
            assert!(differs(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn conditions_that_differ_in_case_alone_are_not_merged() {
        let document = |condition: &str| {
            let text = format!(
                r#"{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}}}"#
            );
            read(&text).unwrap()
        };
        let both = document(r#"{"StringEquals": {"a:b": "x"}, "stringequals": {"a:b": "y"}}"#);
        let either = document(r#"{"StringEquals": {"a:b": ["x", "y"]}}"#);
        assert!(!equivalent(&both, &either));
        assert!(equivalent(&both, &document(r#"{"StringEquals": {"a:b": "x", "A:B": "y"}}"#)));
    }

    #[test]
    fn an_account_is_an_account_only_as_an_aws_principal() {
        let document = |principal: &str| {
            let text =
                format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "*", "Principal": {principal}}}}}"#);
            read(&text).unwrap()
        };
        let id = document(r#"{"CanonicalUser": "123456789012"}"#);
        assert!(!equivalent(&id, &document(r#"{"CanonicalUser": "arn:aws:iam::123456789012:root"}"#)));
        assert!(!equivalent(&document("\"*\""), &document(r#"{"AWS": "*"}"#)));
        for no_account in ["12345678901", "1234567890123", "12345678901x", "user/123456", ""] {
            let bare = document(&format!(r#"{{"AWS": "{no_account}"}}"#));
            let root = document(&format!(r#"{{"AWS": "arn:aws:iam::{no_account}:root"}}"#));
            assert!(!equivalent(&bare, &root), "{no_account}");
        }
    }
}
