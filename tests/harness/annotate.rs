//! Annotations: comments such as `# error[CODE]: text` that say which finding a line of a case must have.

use super::cases::Finding;

/// One expected finding, read from a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// The line that holds the comment, from 0.
    pub(crate) at: usize,
    /// The line that the finding must be on, from 0.
    pub(crate) target: usize,
    /// The byte in the line where the comment and the blanks before it begin; 0 when it has a line of its own.
    pub(crate) column: usize,
    pub(crate) severity: String,
    pub(crate) code: String,
    pub(crate) text: String,
}

impl Annotation {
    /// Tells whether `finding`, on a line of the same file, is what this annotation expects.
    pub(crate) fn expects(&self, finding: &Finding) -> bool {
        self.severity == finding.severity && self.code == finding.code && finding.message.contains(&self.text)
    }

    /// Tells whether the comment has a line of its own.
    pub(crate) fn is_alone(&self) -> bool {
        self.column == 0
    }
}

/// Returns what starts a comment in a file of this name.
pub(crate) fn leader(file: &str) -> &'static str {
    let ends = [".cedar", ".cedarschema", ".json"];
    if ends.iter().any(|end| file.ends_with(end)) { "//" } else { "#" }
}

/// Writes the comment that expects `finding`.
pub(crate) fn comment(leader: &str, finding: &Finding) -> String {
    format!("{leader} {}[{}]: {}", finding.severity, finding.code, summary(&finding.message))
}

fn summary(message: &str) -> &str {
    message.lines().next().unwrap_or_default().trim()
}

/// Reads the annotations of a file's lines; the error names the first one that is malformed.
pub(crate) fn annotations(lines: &[&str], leader: &str) -> Result<Vec<Annotation>, String> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        found.extend(on_line(line, at, leader)?);
    }
    let alone: Vec<usize> = found.iter().filter(|one| one.is_alone()).map(|one| one.at).collect();
    for annotation in &mut found {
        annotation.target = target(annotation.at, &alone, lines.len());
    }
    Ok(found)
}

/// Returns the line that a comment on line `at` speaks of: the next one that is no annotation, if `at` is.
fn target(at: usize, alone: &[usize], lines: usize) -> usize {
    (at..lines).find(|line| !alone.contains(line)).unwrap_or(at)
}

fn on_line(line: &str, at: usize, leader: &str) -> Result<Option<Annotation>, String> {
    for severity in ["error", "warning", "note"] {
        let start = format!("{leader} {severity}[");
        let Some(column) = line.find(&start) else { continue };
        let before = line[..column].trim_end();
        if before.len() == column && column > 0 {
            continue; // A comment in YAML needs a blank before it: this is a part of a value.
        }
        let Some((code, text)) = code_and_text(&line[column + start.len()..]) else {
            return Err(format!("line {}: write `{start}CODE]: text`", at + 1));
        };
        let (severity, code, text) = (severity.to_owned(), code.to_owned(), text.to_owned());
        return Ok(Some(Annotation { at, target: at, column: before.len(), severity, code, text }));
    }
    Ok(None)
}

fn code_and_text(rest: &str) -> Option<(&str, &str)> {
    let (code, text) = rest.split_once("]:")?;
    let code_is_plain = code.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    (code_is_plain && !code.is_empty() && !text.trim().is_empty()).then_some((code, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, leader: &str) -> Vec<(usize, usize, String)> {
        let lines: Vec<&str> = text.lines().collect();
        let found = annotations(&lines, leader).unwrap();
        found
            .into_iter()
            .map(|one| (one.target, one.column, format!("{} {} {}", one.severity, one.code, one.text)))
            .collect()
    }

    #[test]
    fn a_comment_at_the_end_speaks_of_its_own_line() {
        assert_eq!(
            read("a: 1\nb: 2  # error[AIP-1]: too big\n", "#"),
            [(1, 4, "error AIP-1 too big".to_owned())]
        );
    }

    #[test]
    fn comments_on_lines_of_their_own_speak_of_the_next_other_line() {
        let expected = [(2, 0, "warning A x".to_owned()), (2, 0, "note B y".to_owned())];
        assert_eq!(read("  # warning[A]: x\n  # note[B]: y\n  a: 1\n", "#"), expected);
    }

    #[test]
    fn a_comment_with_nothing_below_speaks_of_itself() {
        assert_eq!(read("a\n# error[A]: ends too soon\n", "#")[0].0, 1);
    }

    #[test]
    fn cedar_has_its_own_comments() {
        assert_eq!(
            read("permit(); // error[C]: open\n# error[D]: no\n", "//"),
            [(0, 9, "error C open".to_owned())]
        );
    }

    #[test]
    fn a_comment_without_text_is_refused() {
        assert!(annotations(&["a: 1 # error[A]"], "#").unwrap_err().contains("line 1"));
        assert!(annotations(&["a: 1 # error[A b]: c"], "#").is_err());
    }

    #[test]
    fn a_value_with_a_hash_is_no_comment() {
        assert_eq!(read("a: b# error[A]: c\n", "#"), []);
    }
}
