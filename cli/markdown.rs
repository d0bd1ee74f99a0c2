//! Markdown in which a text of somebody else is never syntax: no link, no mention, no HTML, no line of its own.
//!
//! GitHub and GitLab look for mentions and references in what a document says after it is rendered, so that writing `@` as
//! a character reference does not help; within code they look for nothing. So whatever is no plain word becomes code.

use crate::ui::harmless;

/// From so many hexadecimal digits on, a word is taken for a commit.
const COMMIT: usize = 7;

/// A sentence of ours in which names stand in backticks: those become code, and so does each other word that a reader of
/// Markdown could take for anything but a word.
pub(crate) fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Backticks that do not come in pairs are part of a name.
    if parts.len().is_multiple_of(2) {
        return words(&text.replace('`', "'"));
    }
    let part = |(at, part): (usize, &&str)| if at % 2 == 0 { words(part) } else { code(part) };
    parts.iter().enumerate().map(part).collect()
}

fn words(text: &str) -> String {
    let text = one_line(text);
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A word as it stands, or as code between the punctuation that is around it.
fn word(text: &str) -> String {
    let inner = text.trim_start_matches('(').trim_end_matches(['.', ',', ';', ':', ')', '?']);
    let start = text.len() - text.trim_start_matches('(').len();
    let end = (start + inner.len()).min(text.len());
    let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return code(text) };
    let is_item =
        before.is_empty() && after.starts_with(['.', ')']) && inner.bytes().all(|byte| byte.is_ascii_digit());
    match inner {
        "" if text.len() > 2 => code(text),
        "" => text.to_owned(),
        _ if is_item => code(text),
        _ if is_plain(inner) => text.to_owned(),
        _ => format!("{before}{}{after}", code(inner)),
    }
}

/// Whether nobody reads more into a word than a word: letters and digits, and parts of it after `-`, `/` or an apostrophe.
fn is_plain(word: &str) -> bool {
    if word.len() >= COMMIT && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let mut parts = word.split(['-', '/', '\'']);
    let is_first =
        parts.next().is_some_and(|part| !part.is_empty() && part.chars().all(char::is_alphanumeric));
    // A number after a hyphen is what a ticket is called.
    is_first
        && parts.all(|part| part.starts_with(char::is_lowercase) && part.chars().all(char::is_alphanumeric))
}

/// A text as code, on one line, whatever backticks it has.
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines as a block of code, whatever backticks they have.
pub(crate) fn block(language: &str, text: &str) -> String {
    let text = harmless(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// Something that opens on a click: a word of ours, what it is about as code, and what is inside.
pub(crate) fn details(word: &str, subject: &str, body: &str) -> String {
    let subject = html(subject);
    format!(
        "<details><summary>{word} <code>{subject}</code></summary>\n\n{}\n\n</details>\n",
        body.trim_end()
    )
}

/// A text within HTML, on one line.
fn html(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The most backticks in a row, which a fence must outnumber.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

fn one_line(text: &str) -> String {
    harmless(text).replace(['\n', '\t', '\u{85}', '\u{2028}', '\u{2029}'], " ")
}

#[cfg(test)]
mod tests {
    use super::{code, sentence};

    #[test]
    fn a_sentence_keeps_its_words_and_whatever_else_is_code() {
        let cases = [
            ("agent `bot` may now read, as a fallback", "agent `bot` may now read, as a fallback"),
            ("@team and `x`", "`@team` and `x`"),
            (
                "see [a](b), <b>, #12, ABC-12 or deadbeef",
                "see `[a](b`), `<b>`, `#12`, `ABC-12` or `deadbeef`",
            ),
            ("at www.a.b or a.yaml:3", "at `www.a.b` or `a.yaml:3`"),
            ("in (connector `c`), (eu-1) and ... or ((x", "in (connector `c`), (`eu-1`) and `...` or ((x"),
            ("3 effects: one, two (both)", "3 effects: one, two (both)"),
            ("1. first 2) second", "`1.` first `2)` second"),
            ("an odd `name", "an odd `'name`"),
        ];
        for (text, expected) in cases {
            assert_eq!(sentence(text), expected, "{text}");
        }
        assert_eq!(code("a``b`"), "``` a``b` ```");
    }
}
