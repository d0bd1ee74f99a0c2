//! How deeply a Cedar text nests, counted without recursion before its parser sees it.

/// The deepest nesting of brackets and conditions that is parsed.
const MAX_DEPTH: usize = 64;
/// The most operators of one policy, since a chain of them is a deep tree too. Cedar's validator says nothing of a
/// tree for which its stack is too small, as if all were well, so this bound must keep well below that.
const MAX_OPERATORS: usize = 1_000;
/// A stack on which every policy within the bounds can be parsed and validated.
pub(super) const STACK: usize = 64 << 20;

/// Where a text exceeds a bound, and what the bound is about.
pub(super) fn excess(text: &str) -> Option<(usize, &'static str)> {
    let mut scan = Scan::default();
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                while bytes.next_if(|(_, next)| *next != b'\n').is_some() {}
            }
            _ => {
                if let Some(what) = scan.step(byte, text.as_bytes().get(at..).unwrap_or_default()) {
                    return Some((at, what));
                }
            }
        }
    }
    None
}

fn skip_string(bytes: &mut std::iter::Peekable<impl Iterator<Item = (usize, u8)>>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return,
            _ => {}
        }
    }
}

#[derive(Default)]
struct Scan {
    depth: usize,
    operators: usize,
    word: bool,
}

impl Scan {
    fn step(&mut self, byte: u8, rest: &[u8]) -> Option<&'static str> {
        let starts_word = !self.word && byte.is_ascii_alphabetic();
        self.word = byte.is_ascii_alphanumeric() || byte == b'_';
        match byte {
            b'(' | b'{' => self.depth += 1,
            b'[' => {
                self.depth += 1;
                self.operators += 1;
            }
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b';' => (self.depth, self.operators) = (0, 0),
            b'&' | b'|' if rest.get(1) == Some(&byte) => self.operators += 1,
            b'+' | b'-' | b'*' | b'.' | b'!' => self.operators += 1,
            b'i' if starts_word && rest.starts_with(b"if") => self.operators += MAX_OPERATORS / MAX_DEPTH,
            _ => {}
        }
        match () {
            () if self.depth > MAX_DEPTH => Some("nests deeper than 64 levels"),
            () if self.operators > MAX_OPERATORS => Some("is a chain of more than 1,000 operators"),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::excess;

    #[test]
    fn ordinary_policies_pass_and_towers_do_not() {
        assert_eq!(
            excess("permit(principal, action, resource) when { (1 == 1) && [1, 2].contains(1) };"),
            None
        );
        let tower = format!(
            "permit(principal, action, resource) when {{ {}true{} }};",
            "(".repeat(100),
            ")".repeat(100)
        );
        assert!(excess(&tower).is_some());
        let ladder = format!(
            "permit(principal, action, resource) when {{ {} true }};",
            "if true then false else ".repeat(100)
        );
        assert!(excess(&ladder).is_some());
        let chain =
            format!("permit(principal, action, resource) when {{ true{} }};", " && true".repeat(5_000));
        assert!(excess(&chain).is_some());
        let text = format!(
            "permit(principal, action, resource) when {{ \"{}\" == \"a\" }}; // {}",
            "(".repeat(99),
            "(".repeat(99)
        );
        assert_eq!(excess(&text), None);
    }
}
