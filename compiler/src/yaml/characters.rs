//! Characters that have no business in configuration, because people cannot see them.

/// Why a character is refused.
pub(super) fn fault(character: char) -> Option<&'static str> {
    match character {
        '\t' | '\n' | '\r' => None,
        '\0' => Some("a NUL character"),
        '\u{1}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Some("a control character"),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a character that changes the direction of writing")
        }
        '\u{200b}'..='\u{200d}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{e0000}'..='\u{e007f}' => Some("an invisible character"),
        _ => None,
    }
}

/// The first refused character of a text, with its byte offset and length.
pub(super) fn first_fault(text: &str) -> Option<(usize, usize, &'static str)> {
    let suspicious = |byte: u8| byte >= 0x7f || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
    let first = text.bytes().position(suspicious)?;
    let start = (0..=first).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let rest = text.get(start..)?;
    rest.char_indices().find_map(|(at, found)| fault(found).map(|why| (start + at, found.len_utf8(), why)))
}

#[cfg(test)]
mod tests {
    use super::first_fault;

    #[test]
    fn only_what_cannot_be_seen_is_refused() {
        assert_eq!(first_fault("grüße – 日本語 \t\r\n"), None);
        assert_eq!(first_fault("a\0b").map(|fault| (fault.0, fault.1)), Some((1, 1)));
        assert_eq!(first_fault("ü\u{202e}b").map(|fault| (fault.0, fault.1)), Some((2, 3)));
        assert!(first_fault("a\u{200b}").is_some());
    }
}
