//! Types of resources, and which patterns of `Resource` can stand for one.

use std::collections::BTreeSet;

use crate::document::Version;
use crate::pattern::{Pattern, Token};

/// A type of resources, such as the buckets of S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The prefix of the service.
    pub service: &'static str,
    /// The name of the type, such as `bucket`.
    pub name: &'static str,
    /// What ARNs of this type look like, such as `arn:${Partition}:s3:::${BucketName}`.
    pub formats: Vec<&'static str>,
    pub(super) keys: Vec<&'static str>,
    pub(super) separators: Separators,
}

/// What the last part of an ARN does not contain, since another type goes on after it: a bucket has no `/` in its name,
/// or `arn:aws:s3:::bucket/key` would be one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Separators {
    slash: bool,
    colon: bool,
}

impl Separators {
    const COLON: Self = Self { slash: false, colon: true };

    fn take(self, c: char) -> bool {
        !(self.slash && c == '/' || self.colon && c == ':')
    }
}

impl ResourceType {
    /// The names of its own condition keys, such as `aws:ResourceTag/${TagKey}`.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().copied()
    }

    /// Whether a pattern of `Resource` stands for an ARN of this type. A policy variable stands for anything.
    #[must_use]
    pub fn overlaps(&self, pattern: &str) -> bool {
        let pattern = steps(pattern);
        self.formats.iter().any(|format| meet(&pattern, &self.format(format)))
    }

    pub(super) fn separate_from(&mut self, formats: &[&str]) {
        let longer = formats.iter().flat_map(|format| {
            self.formats.iter().filter(|own| own.ends_with('}')).filter_map(|own| format.strip_prefix(*own))
        });
        for rest in longer {
            self.separators.slash |= rest.starts_with('/');
            self.separators.colon |= rest.starts_with(':');
        }
        // The ARN of a log group ends in `:*` where actions on it are allowed ("CloudWatch Logs resources and operations").
        if self.service == "logs" && self.name == "log-group" {
            self.separators.colon = false;
        }
    }

    fn format(&self, format: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = format;
        while let Some((literal, inside)) = rest.split_once("${") {
            let Some((_, after)) = inside.split_once('}') else { break };
            steps.extend(literal.chars().map(wildcard));
            let is_component = literal.ends_with(':') && after.starts_with(':');
            let except = match (is_component, after) {
                (true, _) => Separators::COLON,
                (false, "") => self.separators,
                (false, _) => Separators::default(),
            };
            steps.extend([Step::One(except), Step::Run(except)]);
            rest = after;
        }
        steps.extend(rest.chars().map(wildcard));
        steps
    }
}

/// One place of a pattern, or of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Char(char),
    One(Separators),
    Run(Separators),
}

/// The formats of some services have a `*` for what has no name.
fn wildcard(c: char) -> Step {
    if c == '*' { Step::Run(Separators::default()) } else { Step::Char(c) }
}

fn steps(pattern: &str) -> Vec<Step> {
    let step = |token: &Token| match token {
        Token::Char(c) => Step::Char(*c),
        Token::One(_) => Step::One(Separators::default()),
        Token::Run(_) | Token::Variable { .. } => Step::Run(Separators::default()),
    };
    Pattern::resource(pattern, Version::V2012).tokens().iter().map(step).collect()
}

/// Whether some text is one of those that both stand for: a walk over pairs of places, each seen once.
fn meet(one: &[Step], other: &[Step]) -> bool {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![(0, 0)];
    while let Some((i, j)) = ahead.pop() {
        if !seen.insert((i, j)) {
            continue;
        }
        let (left, right) = (one.get(i), other.get(j));
        if left.is_none() && right.is_none() {
            return true;
        }
        if matches!(left, Some(Step::Run(_))) {
            ahead.push((i + 1, j));
        }
        if matches!(right, Some(Step::Run(_))) {
            ahead.push((i, j + 1));
        }
        if let (Some(left), Some(right)) = (left, right)
            && share(*left, *right)
        {
            ahead.push((after(*left, i), after(*right, j)));
        }
    }
    false
}

fn after(step: Step, at: usize) -> usize {
    if matches!(step, Step::Run(_)) { at } else { at + 1 }
}

/// Whether one character fits both.
fn share(one: Step, other: Step) -> bool {
    match (one, other) {
        (Step::Char(c), Step::Char(d)) => c == d,
        (Step::Char(c), Step::One(except) | Step::Run(except))
        | (Step::One(except) | Step::Run(except), Step::Char(c)) => except.take(c),
        (Step::One(_) | Step::Run(_), Step::One(_) | Step::Run(_)) => true,
    }
}
