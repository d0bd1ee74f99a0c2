//! Findings as workflow commands, which GitHub Actions shows beside the lines of a pull request.

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};

use crate::findings::{Findings, advice};

/// One annotation per finding, those that stop first, since GitHub shows the first few of each kind; then what was not
/// run, and the summary as plain text.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let mut text: String =
        findings.by_severity().into_iter().map(|found| annotation(findings, found)).collect();
    for missed in &findings.evaluated.not_run {
        text.push_str(&format!("::notice::{}\n", data(&missed.sentence())));
    }
    text.push_str(&format!("{}\n", data(&findings.summary())));
    text
}

fn annotation(findings: &Findings<'_>, found: &Diagnostic) -> String {
    let command = match found.severity {
        Severity::Mandatory | Severity::Advisory if found.waived.is_some() => "notice",
        Severity::Mandatory => "error",
        Severity::Advisory => "warning",
        Severity::Note => "notice",
    };
    let (file, place) = findings.home(found);
    let (start, end) = (place.start, place.end);
    let mut properties = format!("file={},line={},endLine={},", property(&file), start.line, end.line);
    // GitHub ignores columns of an annotation over several lines, and warns about them.
    if start.line == end.line {
        properties.push_str(&format!("col={},endColumn={},", start.column, end.column));
    }
    let title = property(&format!("{}: {}", found.code, found.name));
    let message: Vec<_> = std::iter::once(found.message.clone()).chain(advice(found)).collect();
    format!("::{command} {properties}title={title}::{}\n", data(&message.join("\n")))
}

/// Text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn nothing_in_a_text_ends_a_command_or_starts_another() {
        assert_eq!(data("50%\r\n::error::x"), "50%25%0D%0A::error::x");
        assert_eq!(property("a,b: c%"), "a%2Cb%3A c%25");
    }
}
