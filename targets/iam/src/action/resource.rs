//! Types of resources, and which patterns of `Resource` can stand for one.

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
    shapes: Vec<Vec<Step>>,
}

/// Which characters a part of an ARN does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Except {
    Nothing,
    /// `:`, of the partition, the region and the account.
    Colon,
    /// `/`, of a name behind which another type of resources goes on: a bucket has none, or `arn:aws:s3:::bucket/key`
    /// would be one.
    Slash,
}

impl Except {
    fn takes(self, c: char) -> bool {
        match self {
            Self::Nothing => true,
            Self::Colon => c != ':',
            Self::Slash => c != '/',
        }
    }
}

impl ResourceType {
    pub(super) fn new(
        [service, name]: [&'static str; 2],
        formats: Vec<&'static str>,
        keys: Vec<&'static str>,
    ) -> Self {
        Self { service, name, formats, keys, shapes: Vec::new() }
    }

    /// The names of its own condition keys, such as `aws:ResourceTag/${TagKey}`.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().copied()
    }

    /// Whether a pattern of `Resource` stands for an ARN of this type. A policy variable stands for anything.
    #[must_use]
    pub fn overlaps(&self, pattern: &str) -> bool {
        let pattern = steps(pattern);
        self.shapes.iter().any(|shape| meet(&pattern, shape))
    }

    /// Takes in what other types of the service look like.
    pub(super) fn separate_from(&mut self, formats: &[&str]) {
        let goes_on = |own: &str| {
            let rest = |format: &&str| format.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'));
            own.ends_with('}') && formats.iter().any(rest)
        };
        let shape =
            |own: &&'static str| shape(own, if goes_on(own) { Except::Slash } else { Except::Nothing });
        self.shapes = self.formats.iter().map(shape).collect();
    }
}

/// The places of a format, and what its last part does not have.
fn shape(format: &str, last: Except) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = format;
    while let Some((literal, inside)) = rest.split_once("${") {
        let Some((_, after)) = inside.split_once('}') else { break };
        steps.extend(literal.chars().map(wildcard));
        let is_component = literal.ends_with(':') && after.starts_with(':');
        let except = match (is_component, after) {
            (true, _) => Except::Colon,
            (false, "") => last,
            (false, _) => Except::Nothing,
        };
        steps.extend([Step::One(except), Step::Run(except)]);
        rest = after;
    }
    steps.extend(rest.chars().map(wildcard));
    steps
}

/// Whether two patterns of `Resource` stand for a resource in common. A policy variable stands for anything.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    meet(&steps(one), &steps(other))
}

/// One place of a pattern, or of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Char(char),
    One(Except),
    Run(Except),
}

/// The formats of some services have a `*` for what has no name.
fn wildcard(c: char) -> Step {
    if c == '*' { Step::Run(Except::Nothing) } else { Step::Char(c) }
}

fn steps(pattern: &str) -> Vec<Step> {
    let step = |token: &Token| match token {
        Token::Char(c) => Step::Char(*c),
        Token::One(_) => Step::One(Except::Nothing),
        Token::Run(_) | Token::Variable(_) => Step::Run(Except::Nothing),
    };
    Pattern::resource(pattern, Version::V2012).tokens().iter().map(step).collect()
}

/// Whether some text is one of those that both stand for: a walk over pairs of places, each seen once.
fn meet(one: &[Step], other: &[Step]) -> bool {
    let mut seen = vec![false; (one.len() + 1) * (other.len() + 1)];
    let mut ahead = vec![(0, 0)];
    while let Some((i, j)) = ahead.pop() {
        match seen.get_mut(i * (other.len() + 1) + j) {
            Some(seen) if !*seen => *seen = true,
            Some(_) | None => continue,
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
        | (Step::One(except) | Step::Run(except), Step::Char(c)) => except.takes(c),
        (Step::One(_) | Step::Run(_), Step::One(_) | Step::Run(_)) => true,
    }
}
