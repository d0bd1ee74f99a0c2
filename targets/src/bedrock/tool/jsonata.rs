//! Expressions of JSONata. Texts become literals here and nowhere else.

use serde_json::{Number, Value};

/// An expression as Step Functions takes it.
pub(crate) fn template(expression: &str) -> String {
    format!("{{% {expression} %}}")
}

/// A text that stands for itself where a state machine would take an expression.
pub(crate) fn plain(written: &str) -> String {
    if written.starts_with("{%") { template(&text(written)) } else { written.to_owned() }
}

/// A text as a literal. What could end it or the expression around it is written by its number.
pub(crate) fn text(text: &str) -> String {
    use std::fmt::Write as _;
    let mut literal = String::from("'");
    for letter in text.chars() {
        if letter.is_ascii_graphic() && !matches!(letter, '\'' | '\\' | '%' | '{' | '}') || letter == ' ' {
            literal.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                _ = write!(literal, "\\u{unit:04x}");
            }
        }
    }
    literal.push('\'');
    literal
}

/// A number as a literal.
pub(crate) fn number(number: &Number) -> String {
    number.to_string()
}

/// A list of texts and numbers as a literal.
pub(crate) fn list<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let items: Vec<_> = values.into_iter().filter_map(scalar).collect();
    format!("[{}]", items.join(", "))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(found) => Some(text(found)),
        Value::Number(found) => Some(number(found)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A pattern as a literal; it was checked before.
pub(crate) fn pattern(pattern: &str) -> String {
    let mut literal = String::from("/");
    let mut escaped = false;
    for letter in pattern.chars() {
        match letter {
            '/' if !escaped => literal.push_str("\\/"),
            '%' if escaped => {
                literal.pop();
                literal.push_str("\\x25");
            }
            '%' => literal.push_str("\\x25"),
            _ => literal.push(letter),
        }
        escaped = letter == '\\' && !escaped;
    }
    literal.push('/');
    literal
}

/// A member of an object by its name.
pub(crate) fn member(of: &str, name: &str) -> String {
    format!("$lookup({of}, {})", text(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_never_end_their_literal() {
        assert_eq!(
            text("it's 100 %} \\ \u{1f600}"),
            "'it\\u0027s 100 \\u0025\\u007d \\u005c \\ud83d\\ude00'"
        );
        assert_eq!(member("$input", "a-b"), "$lookup($input, 'a-b')");
    }

    #[test]
    fn a_text_is_never_taken_for_an_expression() {
        assert_eq!(plain("invoices"), "invoices");
        assert_eq!(plain("{% $x %}"), "{% '\\u007b\\u0025 $x \\u0025\\u007d' %}");
    }

    #[test]
    fn patterns_keep_their_meaning() {
        assert_eq!(pattern("^a/b\\/c%\\%$"), "/^a\\/b\\/c\\x25\\x25$/");
    }
}
