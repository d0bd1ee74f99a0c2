//! Regular expressions that engines agree about: what JSON Schema means by them is what JSONata does.

/// Says why a pattern may mean something else to another engine.
///
/// # Errors
/// The part of the pattern, as text.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    if !pattern.is_ascii() {
        return Err("it has letters beyond ASCII".into());
    }
    let mut letters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => escape(letters.next())?,
            '[' if in_class => return Err("`[` inside a class".into()),
            '[' => {
                in_class = true;
                if letters.peek() == Some(&'^') {
                    return Err("`[^`, which counts characters in its own way".into());
                }
            }
            ']' => in_class = false,
            '&' if in_class && letters.peek() == Some(&'&') => return Err("`&&` inside a class".into()),
            '.' if !in_class => return Err("`.`, which counts characters in its own way".into()),
            '(' if !in_class && letters.peek() == Some(&'?') => {
                letters.next();
                if letters.next() != Some(':') {
                    return Err("a group that begins with `(?`".into());
                }
            }
            '+' | '*' | '?' | '}' if !in_class && matches!(letters.peek(), Some('+')) => {
                return Err("a possessive count".into());
            }
            _ => {}
        }
    }
    if in_class { Err("a class without an end".into()) } else { Ok(()) }
}

fn escape(letter: Option<char>) -> Result<(), String> {
    match letter {
        Some('d' | 'w') => Ok(()),
        Some(letter) if letter.is_ascii_punctuation() => Ok(()),
        Some(letter) => Err(format!("`\\{letter}`")),
        None => Err("`\\` at its end".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn plain_patterns_pass_and_others_do_not() {
        let plain =
            ["^PAY-[0-9]{10}$", "^[a-z0-9-]{1,80}\\.(pdf|txt)$", "^(?:a|b)*?$", "\\d+\\/\\w{2,}", "^[.^(+]$"];
        for pattern in plain {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
        for pattern in [
            "a.c", "[^a]", "(?=a)", "(?<n>a)", "\\s", "\\1", "\\p{L}", "ä", "a++", "[a", "a\\", "[[a]",
            "[a&&b]",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
