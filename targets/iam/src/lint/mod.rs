//! Finds what AWS refuses about a policy, and what it accepts and nobody can have meant.
//!
//! ```
//! use aipolicy_iam::lint::{Options, lint};
//!
//! let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::acme/*"}}"#;
//! let report = lint(policy, &Options::default()).unwrap();
//! assert_eq!(report.findings[0].rule.name, "wildcard-action");
//! assert_eq!(report.findings[0].pointer, "/Statement/Action");
//! ```

mod around;
mod policy;
mod rule;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use crate::found;
use crate::json::Json;

pub use policy::Kind;
use policy::{Policy, Text};
pub use rule::{RULES, UNREADABLE};

/// A kind of finding: its identity, its page, and how it is found.
#[derive(Debug)]
pub struct Rule {
    /// Stable code, such as `AIP-IAM-002`.
    pub code: &'static str,
    /// Kebab name, such as `wildcard-action`.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it means, with examples, in Markdown.
    pub page: &'static str,
    check: fn(&Policy<'_>, &mut Findings<'_>),
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody knows what the policy means, or AWS refuses it.
    Unreadable,
    /// It gives or takes what nobody can have meant.
    Error,
    /// It may be meant, and often is not.
    Warning,
}

/// Something that a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Where in the text, as a JSON pointer (RFC 6901). Of a policy that is written as a string, the string.
    pub pointer: String,
    /// One sentence that stands alone.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What is known about policies beside their text.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the policies are, where their form does not tell.
    pub kind: Option<Kind>,
    /// Whose the policies are, where no tag says so.
    pub tenant: Option<String>,
    /// The key of the tag that says whose a role or policy is.
    pub tenant_tag: String,
    /// Patterns of ARNs, each with the tenant whose resources it stands for.
    pub owners: Vec<(String, String)>,
    /// The names of policies that are permissions boundaries, beside those that the text itself says.
    pub boundaries: BTreeSet<String>,
}

/// What a text was found to hold.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, in the order of the policies and of the rules.
    pub findings: Vec<Finding>,
    /// How many policies were looked at.
    pub policies: usize,
    /// How many were not, since AWS manages them.
    pub left_out: usize,
    /// How many were not, since CloudFormation has yet to compute a value in them.
    pub unresolved: usize,
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1; 0 at the end of a line.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this cannot be read as JSON: {}", self.message)
    }
}

impl Error for SyntaxError {}

/// The rule with this code or name.
#[must_use]
pub fn find_rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code)
}

/// The names of the policies that roles and users of a JSON text have as permissions boundaries.
///
/// # Errors
///
/// The text is not JSON.
pub fn boundaries(text: &str) -> Result<BTreeSet<String>, SyntaxError> {
    Ok(around::boundaries(&parse(text)?))
}

/// Looks at every policy in a JSON text: a bare policy, or any document that holds some, such as what `aws iam get-role`,
/// `get-policy-version` and `get-account-authorization-details` print, a template of CloudFormation, or a plan of
/// Terraform. Policies that are written as strings are read too, also percent-encoded ones. Versions of a policy that
/// are not the default are passed over.
///
/// # Errors
///
/// The text is not JSON.
pub fn lint(text: &str, options: &Options) -> Result<Report, SyntaxError> {
    let json = parse(text)?;
    let mut options = options.clone();
    options.boundaries.extend(around::boundaries(&json));
    let mut places = found::places(&json);
    let all = places.len();
    places.retain(|place| !around::is_of_aws(place));
    let left_out = all - places.len();
    places.retain(|place| !around::is_unresolved(place));
    let unresolved = all - left_out - places.len();
    let mut report = Report { policies: places.len(), left_out, unresolved, findings: Vec::new() };
    let is_latin = text.chars().all(is_latin);
    for place in &places {
        let policy = Policy::of(place, &options, (!is_latin).then_some(text));
        for rule in RULES {
            (rule.check)(&policy, &mut Findings { rule, policy: &policy, out: &mut report.findings });
        }
    }
    Ok(report)
}

fn parse(text: &str) -> Result<Json, SyntaxError> {
    Json::parse(text).map_err(|error| SyntaxError {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })
}

/// Whether a character may stand in a policy: tab, line breaks, and U+0020 to U+00FF. Source: IAM API model,
/// `policyDocumentType`.
fn is_latin(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')
}

/// Where a rule reports.
struct Findings<'a> {
    rule: &'static Rule,
    policy: &'a Policy<'a>,
    out: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    fn report(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        let pointer = self.policy.outer(pointer);
        self.out.push(Finding { rule: self.rule, pointer, message: message.into(), help: help.into() });
    }

    fn at(&mut self, text: &Text<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.report(&text.pointer, message, help);
    }
}

/// The known word that is nearest to one, as a question.
fn did_you_mean<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let near = |known: &'w str| (strsim::damerau_levenshtein(&lower, &known.to_ascii_lowercase()), known);
    let (distance, near) = known.into_iter().map(near).min()?;
    (distance <= word.len().div_ceil(4).max(1)).then(|| near.to_owned())
}

/// "`a`", "`a` and `b`", "`a`, `b` and 3 more".
fn listed<T: fmt::Display>(all: &[T]) -> String {
    match all {
        [] => "nothing".to_owned(),
        [one] => format!("`{one}`"),
        [one, other] => format!("`{one}` and `{other}`"),
        [one, other, third] => format!("`{one}`, `{other}` and `{third}`"),
        [one, other, more @ ..] => format!("`{one}`, `{other}` and {} more", more.len()),
    }
}
