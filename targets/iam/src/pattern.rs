//! The texts of a policy that stand for many: wildcards, policy variables, and how each element reads them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::document::Version;

/// A pattern of an action, a resource or a value, read as the element that holds it reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pattern {
    tokens: Arc<[Token]>,
    fold: bool,
    loose: bool,
    has_variables: bool,
}

/// One place of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// This character, lower-cased where the pattern does not look at case.
    Char(char),
    /// `?`: any one character.
    One(Reach),
    /// `*`: any characters, also none.
    Run(Reach),
    /// `${key}` or `${key, 'default'}`: what the request says under a condition key.
    Variable(Box<Variable>),
}

/// A policy variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Variable {
    /// The condition key, in lower case, since AWS compares keys so.
    pub(crate) key: String,
    /// What stands there when the request has no such key.
    pub(crate) default: Option<String>,
}

/// Which characters a wildcard stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// Any character.
    Anywhere,
    /// Any but `:`, as in the first five components of an ARN that a condition compares.
    Component,
}

impl Reach {
    /// Whether a wildcard of this reach stands for the character.
    pub(crate) fn takes(self, c: char) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Component => c != ':',
        }
    }
}

impl Pattern {
    fn new(tokens: Vec<Token>, fold: bool) -> Self {
        let has_variables = tokens.iter().any(|token| matches!(token, Token::Variable(_)));
        Self { tokens: tokens.into(), fold, loose: false, has_variables }
    }

    /// The pattern with other tokens in place of its own.
    fn map(&self, token: impl FnMut(&Token) -> Token) -> Self {
        Self { loose: self.loose, ..Self::new(self.tokens.iter().map(token).collect(), self.fold) }
    }

    /// A pattern of `Action`: wildcards, no variables, and no difference of case.
    pub(crate) fn action(text: &str) -> Self {
        Self::new(wildcards(&text.to_ascii_lowercase()).collect(), true)
    }

    /// A pattern of `Resource`: wildcards and variables. `*` stands for `:` too. AWS says that a `*` which ends a
    /// component of the ARN may do so, and is silent about others.
    pub(crate) fn resource(text: &str, version: Version) -> Self {
        Self::like(text, version)
    }

    /// A value of `StringLike`: wildcards and variables.
    pub(crate) fn like(text: &str, version: Version) -> Self {
        Self::new(with_variables(text, version, |piece| wildcards(piece).collect()), false)
    }

    /// A value of `StringEquals`: variables alone. With `fold`, case makes no difference.
    pub(crate) fn exact(text: &str, version: Version, fold: bool) -> Self {
        let text: Cow<'_, str> = if fold { text.to_ascii_lowercase().into() } else { text.into() };
        let literal = |piece: &str| piece.chars().map(Token::Char).collect();
        Self::new(with_variables(&text, version, literal), fold)
    }

    /// A value of `ArnLike` and `ArnEquals`, which are the same: each of the six components is compared for itself
    /// ("IAM JSON policy elements: Condition operators"), so a wildcard reaches over `:` in the last one alone.
    pub(crate) fn arn(text: &str, version: Version) -> Self {
        let pattern = Self::like(text, version);
        if pattern.is_everything() {
            return pattern;
        }
        let mut colons = 0;
        pattern.map(|token| match token {
            Token::Char(':') => {
                colons += 1;
                token.clone()
            }
            Token::One(_) if colons < COLONS => Token::One(Reach::Component),
            Token::Run(_) if colons < COLONS => Token::Run(Reach::Component),
            Token::One(_) | Token::Run(_) | Token::Char(_) | Token::Variable(_) => token.clone(),
        })
    }

    /// The pattern with `*` in place of each variable.
    pub(crate) fn widened(&self) -> Self {
        self.map(|token| match token {
            Token::Variable(_) => Token::Run(Reach::Anywhere),
            Token::Char(_) | Token::One(_) | Token::Run(_) => token.clone(),
        })
    }

    /// The pattern as what may match, where a policy variable stands in the text: each text that such a text can become.
    pub(crate) fn loosened(self) -> Self {
        Self { loose: true, ..self }
    }

    /// Whether the pattern is of what may match.
    pub(crate) fn is_loose(&self) -> bool {
        self.loose
    }

    /// The pattern with wildcards that stop at `:`, but for a `*` that ends a component: the least that a pattern of
    /// `Resource` stands for.
    pub(crate) fn within_components(&self) -> Self {
        let mut next = self.tokens.iter().skip(1);
        self.map(|token| match (token, next.next()) {
            (Token::Run(_), None | Some(Token::Char(':'))) => token.clone(),
            (Token::Run(_), Some(_)) => Token::Run(Reach::Component),
            (Token::One(_), _) => Token::One(Reach::Component),
            (Token::Char(_) | Token::Variable(_), _) => token.clone(),
        })
    }

    /// The places of the pattern.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether case makes no difference. The characters of the pattern are in lower case then.
    pub(crate) fn folds(&self) -> bool {
        self.fold
    }

    /// Whether this is `*`.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self.tokens.as_ref(), [Token::Run(Reach::Anywhere)])
    }

    /// Whether it stands for several texts.
    pub(crate) fn has_wildcards(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::One(_) | Token::Run(_)))
    }

    /// Whether a policy variable stands in the pattern.
    pub(crate) fn has_variables(&self) -> bool {
        self.has_variables
    }

    /// The condition keys that policy variables of the pattern name, in lower case.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Variable(variable) => Some(variable.key.as_str()),
            Token::Char(_) | Token::One(_) | Token::Run(_) => None,
        })
    }

    /// The condition keys of variables that have no default: without them, the pattern matches nothing.
    pub(crate) fn needed_variables(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Variable(variable) if variable.default.is_none() => Some(variable.key.as_str()),
            Token::Variable(_) | Token::Char(_) | Token::One(_) | Token::Run(_) => None,
        })
    }

    /// Whether the text is one of those that the pattern stands for. `variable` gives the value of a condition key;
    /// a variable without value and default matches nothing. What a variable stands for is never a wildcard.
    pub(crate) fn matches<'a>(&self, text: &str, variable: impl Fn(&str) -> Option<&'a str>) -> bool {
        let has_case = self.fold && text.bytes().any(|byte| byte.is_ascii_uppercase());
        let text: Cow<'_, str> = if has_case { text.to_ascii_lowercase().into() } else { text.into() };
        if !self.has_variables {
            return matches(&self.tokens, &text);
        }
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in self.tokens.iter() {
            let Token::Variable(named) = token else {
                tokens.push(token.clone());
                continue;
            };
            let Some(value) = variable(&named.key).or(named.default.as_deref()) else { return false };
            let value: Cow<'_, str> =
                if self.fold { value.to_ascii_lowercase().into() } else { value.into() };
            tokens.extend(value.chars().map(Token::Char));
        }
        matches(&tokens, &text)
    }
}

/// The colons between the six components of an ARN.
const COLONS: usize = 5;

fn wildcards(text: &str) -> impl Iterator<Item = Token> {
    text.chars().map(|c| match c {
        '*' => Token::Run(Reach::Anywhere),
        '?' => Token::One(Reach::Anywhere),
        other => Token::Char(other),
    })
}

/// Reads `${…}` where the version has variables. `${*}`, `${?}` and `${$}` are the characters themselves, and what is
/// never closed is plain text.
fn with_variables(text: &str, version: Version, plain: impl Fn(&str) -> Vec<Token>) -> Vec<Token> {
    if version == Version::V2008 || !may_have_variables(text) {
        return plain(text);
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some((before, inside, after)) = variable(rest) {
        tokens.extend(plain(before));
        match inside {
            "*" => tokens.push(Token::Char('*')),
            "?" => tokens.push(Token::Char('?')),
            "$" => tokens.push(Token::Char('$')),
            inside => tokens.push(named(inside)),
        }
        rest = after;
    }
    tokens.extend(plain(rest));
    tokens
}

/// Whether a policy variable may stand in the text.
pub(crate) fn may_have_variables(text: &str) -> bool {
    text.contains(OPENING)
}

/// How a policy variable begins.
const OPENING: &str = "${";

fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(OPENING)?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

fn named(inside: &str) -> Token {
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
        None => (inside, None),
    };
    Token::Variable(Box::new(Variable { key: key.trim().to_ascii_lowercase(), default }))
}

/// Goes back to the last `*` alone. That is enough: wildcards that stop at `:` come before those that do not, and
/// within a component, and after the last, the least that a `*` takes leaves the most to what follows.
fn matches(tokens: &[Token], text: &str) -> bool {
    let mut tokens_left = tokens;
    let mut text_left = text.chars();
    let mut back: Option<(&[Token], std::str::Chars<'_>, Reach)> = None;
    loop {
        let advanced = match tokens_left.split_first() {
            None => text_left.as_str().is_empty().then_some(tokens_left),
            Some((Token::Run(reach), after)) => {
                back = Some((after, text_left.clone(), *reach));
                Some(after)
            }
            Some((Token::Char(wanted), after)) => (text_left.next() == Some(*wanted)).then_some(after),
            Some((Token::One(reach), after)) => {
                text_left.next().is_some_and(|c| reach.takes(c)).then_some(after)
            }
            Some((Token::Variable(_), _)) => None,
        };
        match (advanced, &mut back) {
            (Some([]), _) if text_left.as_str().is_empty() => return true,
            (Some(after), _) => tokens_left = after,
            (_, Some((after, from, reach))) => {
                if !from.next().is_some_and(|c| reach.takes(c)) {
                    return false;
                }
                tokens_left = after;
                text_left = from.clone();
            }
            (_, None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str, text: &str) -> bool {
        Pattern::like(pattern, Version::V2012).matches(text, |_| None)
    }

    #[test]
    fn wildcards_stand_for_characters() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "a:b/c"),
            ("a*c", "abcbc"),
            ("a*b*c", "a-b-b-c"),
            ("?", "ß"),
            ("a?c*", "abc"),
            ("*ab", "aab"),
            ("**", "x"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a*c", "abcd"),
            ("?", ""),
            ("?", "ab"),
            ("a*b*c", "acb"),
            ("A", "a"),
            ("*a", "b"),
        ] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn actions_have_no_case_and_no_variables() {
        assert!(Pattern::action("S3:Get*").matches("s3:GETOBJECT", |_| None));
        assert!(!Pattern::action("s3:Get*").matches("s3:PutObject", |_| None));
        assert!(Pattern::action("a:${x}").matches("a:${x}", |_| Some("y")));
    }

    #[test]
    fn components_of_arns_are_compared_for_themselves() {
        let arn = |pattern: &str, text: &str| Pattern::arn(pattern, Version::V2012).matches(text, |_| None);
        assert!(arn("arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-central-1:1:q"));
        assert!(!arn("arn:aws:sqs:*:q", "arn:aws:sqs:eu-central-1:1:q"));
        assert!(!arn("arn:aws:sqs:*:1:q", "arn:aws:sqs:a:b:1:q"));
        assert!(arn("arn:aws:lambda:*:1:function:*", "arn:aws:lambda:r:1:function:f:alias"));
        assert!(!arn("arn:aws:s?s:r:1:q", "arn:aws:s:s:r:1:q"));
        assert!(arn("*", "arn:aws:sqs:r:1:q"));
        assert!(like("arn:aws:sqs:*:q", "arn:aws:sqs:eu-central-1:1:q"));
    }

    #[test]
    fn variables_are_what_the_request_says_and_never_wildcards() {
        let pattern = Pattern::resource("b/${aws:PrincipalTag/Team}/*", Version::V2012);
        let team = |value: &'static str| move |key: &str| (key == "aws:principaltag/team").then_some(value);
        assert!(pattern.matches("b/red/x", team("red")));
        assert!(!pattern.matches("b/blue/x", team("red")));
        assert!(!pattern.matches("b/blue/x", team("*")));
        assert!(pattern.matches("b/*/x", team("*")));
        assert!(!pattern.matches("b//x", |_| None));
        let with_default = Pattern::like("${aws:userid, 'nobody'}", Version::V2012);
        assert!(with_default.matches("nobody", |_| None));
        assert!(!with_default.matches("nobody", |_| Some("me")));
    }

    #[test]
    fn what_only_looks_like_a_variable_is_text() {
        assert!(like("${*}${?}${$}", "*?$"));
        assert!(!like("${*}", "x"));
        assert!(like("${aws:x", "${aws:x"));
        assert!(Pattern::like("${aws:x}", Version::V2008).matches("${aws:x}", |_| Some("y")));
    }

    #[test]
    fn exact_values_have_no_wildcards() {
        let exact = |fold| Pattern::exact("A*", Version::V2012, fold);
        assert!(exact(false).matches("A*", |_| None));
        assert!(!exact(false).matches("Ab", |_| None));
        assert!(!exact(false).matches("a*", |_| None));
        assert!(exact(true).matches("a*", |_| None));
    }
}
