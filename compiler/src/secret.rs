//! How credentials look: what must not be written into a workspace, and what is never shown.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// How a kind of credential looks: what it is, and a pattern that editors can use too.
pub(crate) const SHAPES: &[(&str, &str)] = &[
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

/// What follows a credential and belongs to it: the lines of a key, and the rest of a token.
const REST: [(&str, &str); 2] = [
    ("a private key", "([0-9A-Za-z+/=\\s\\\\]*-----END [A-Z ]*PRIVATE KEY-----|[0-9A-Za-z+/=\\s\\\\]*)"),
    ("a signed token", "[0-9A-Za-z_.-]*"),
];

fn is_seeded(text: &str) -> bool {
    SEEDS.iter().any(|seed| text.contains(seed))
}

/// What kind of credential a text contains, if any.
pub(crate) fn recognise(text: &str) -> Option<&'static str> {
    static SET: LazyLock<Option<regex::RegexSet>> =
        LazyLock::new(|| regex::RegexSet::new(SHAPES.iter().map(|(_, pattern)| pattern)).ok());
    if !is_seeded(text) {
        return None;
    }
    let found = SET.as_ref()?.matches(text).into_iter().next()?;
    SHAPES.get(found).map(|(what, _)| *what)
}

/// The text with every credential that it contains replaced by stars. Lengths in bytes and breaks of lines stay, so that spans
/// still fit.
pub fn conceal(text: &str) -> Cow<'_, str> {
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let rest = |what: &str| REST.iter().find(|(of, _)| *of == what).map_or("", |(_, rest)| rest);
        let whole: Vec<_> = SHAPES.iter().map(|(what, pattern)| format!("{pattern}{}", rest(what))).collect();
        Regex::new(&whole.join("|")).ok()
    });
    match &*ANY {
        Some(any) if is_seeded(text) => any.replace_all(text, |found: &Captures<'_>| starred(&found[0])),
        _ => Cow::Borrowed(text),
    }
}

fn starred(text: &str) -> String {
    let star = |byte: u8| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { '*' };
    text.bytes().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::{SEEDS, SHAPES, conceal, recognise};

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
            assert_eq!(conceal(text), text);
        }
    }

    #[test]
    fn a_credential_is_concealed_to_its_end_and_nothing_moves() {
        let text = "a: AKIAIOSFODNN7EXAMPLE, b: sk-abcdefghijklmnopqrstuv # ö\n";
        assert_eq!(conceal(text), "a: ********************, b: ************************* # ö\n");
        let key = "-----BEGIN PRIVATE KEY-----\n  MC4CAQAwBQYDK2Vw\n  -----END PRIVATE KEY-----\nnext: 1\n";
        let concealed = conceal(key);
        assert_eq!(concealed.len(), key.len());
        assert!(concealed.lines().count() == 4 && concealed.ends_with("\nnext: 1\n"), "{concealed}");
        assert!(!concealed.contains("MC4") && !concealed.contains("END"), "{concealed}");
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
        assert_eq!(conceal(token), "*".repeat(token.len()));
    }
}
