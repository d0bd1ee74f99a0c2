//! Credentials that somebody wrote where a reference to a secret belongs.

use schemars::{Schema, json_schema};

use super::Fault;
use crate::rule;

/// How a kind of credential looks: what it is, and a pattern that editors can use too.
const SHAPES: &[(&str, &str)] = &[
    ("an AWS access key", "(AKIA|ASIA)[0-9A-Z]{16}"),
    ("a private key", "-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("a GitHub token", "gh[pousr]_[0-9A-Za-z]{36}"),
    ("an API key", "sk-[0-9A-Za-z_-]{20,}"),
    ("a Slack token", "xox[abprs]-[0-9A-Za-z-]{10,}"),
    ("a signed token", "eyJ[0-9A-Za-z_-]{10,}\\.eyJ[0-9A-Za-z_-]{10,}"),
    ("a Bedrock API key", "ABSK[0-9A-Za-z+/=]{40,}"),
    ("a password in an address", "://[^/:@ ]+:[^/@ ]+@"),
];

/// What a text contains if it contains a credential. Few texts do, and the patterns are only read for those.
const SEEDS: &[&str] = &["AKIA", "ASIA", "-----BEGIN ", "gh", "sk-", "xox", "eyJ", "ABSK", "://"];

/// What kind of credential a text contains, if any.
fn recognise(text: &str) -> Option<&'static str> {
    static SET: std::sync::LazyLock<Option<regex::RegexSet>> =
        std::sync::LazyLock::new(|| regex::RegexSet::new(SHAPES.iter().map(|(_, pattern)| pattern)).ok());
    if !SEEDS.iter().any(|seed| text.contains(seed)) {
        return None;
    }
    let found = SET.as_ref()?.matches(text).into_iter().next()?;
    SHAPES.get(found).map(|(what, _)| *what)
}

/// What is to be said about a text that contains a credential.
pub(super) fn fault(text: &str) -> Option<Fault> {
    let what = recognise(text)?;
    let fault = Fault::new(&rule::INLINE_SECRET, format!("the text looks like {what}"));
    Some(fault.help("keep it in a secret store and name it through a connector"))
}

/// The JSON Schema of texts that contain one.
pub(super) fn schema() -> Schema {
    let shapes: Vec<_> = SHAPES.iter().map(|(_, pattern)| json_schema!({ "pattern": pattern })).collect();
    json_schema!({ "anyOf": shapes })
}

#[cfg(test)]
mod tests {
    use super::{SEEDS, SHAPES, recognise};

    #[test]
    fn every_shape_begins_with_a_seed() {
        for (what, pattern) in SHAPES {
            let plain = pattern.trim_start_matches('(').replace('|', ")");
            assert!(SEEDS.iter().any(|seed| plain.starts_with(seed)), "{what}");
        }
        assert_eq!(recognise("ASIAIOSFODNN7EXAMPLE"), Some("an AWS access key"));
        let github = format!("ghp_{}", "a".repeat(36));
        assert_eq!(recognise(&github), Some("a GitHub token"));
    }

    #[test]
    fn credentials_are_recognised_and_prose_is_not() {
        assert_eq!(recognise("key AKIAIOSFODNN7EXAMPLE"), Some("an AWS access key"));
        assert_eq!(recognise("sk-abcdefghijklmnopqrstuv"), Some("an API key"));
        assert_eq!(recognise("https://user:hunter22@example.com/"), Some("a password in an address"));
        for text in ["a sk-learn model", "https://example.com:8443/a@b", "team-payments@acme.example"] {
            assert_eq!(recognise(text), None, "{text}");
        }
    }
}
