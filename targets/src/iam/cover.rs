//! Patterns that stand for many names: as few as have to be, and for nobody else's names as long as that is possible.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::origin::Origin;

/// Quotation marks and a comma around each item of a list.
const AROUND: usize = 3;

/// The names of everybody, and those of one among them.
pub(super) struct Names<'n> {
    pub(super) all: &'n BTreeSet<String>,
    pub(super) own: &'n BTreeSet<String>,
}

impl Names<'_> {
    /// Whether a name that begins so is somebody else's alone.
    pub(super) fn is_foreign(&self, prefix: &str) -> bool {
        let below = |names: &BTreeSet<String>| {
            names.range(prefix.to_owned()..).take_while(|name| name.starts_with(prefix)).count()
        };
        below(self.all) > below(self.own)
    }
}

/// Names of one kind in one statement, sorted: they differ behind the same beginning.
pub(super) struct Family {
    /// How many bytes of each name are the beginning, which every pattern keeps.
    head: usize,
    patterns: Vec<Pattern>,
}

struct Pattern {
    text: String,
    origin: Origin,
    /// What it would be to put it together with the next one: whether that covers names of others, and how much both have
    /// in common.
    next: Option<(bool, Reverse<usize>)>,
}

impl Family {
    /// The families among names: ARNs of one service, region, account and type.
    pub(super) fn of(names: impl IntoIterator<Item = (String, Origin)>, known: &Names<'_>) -> Vec<Self> {
        let mut families: Vec<Self> = Vec::new();
        for (text, origin) in names {
            let head = head(&text);
            let pattern = Pattern { text, origin, next: None };
            let same = families.last_mut().filter(|family| {
                let first = family.patterns.first();
                family.head == head
                    && first.is_some_and(|first| first.text.get(..head) == pattern.text.get(..head))
            });
            match same {
                Some(family) => family.patterns.push(pattern),
                None => families.push(Self { head, patterns: vec![pattern] }),
            }
        }
        for family in &mut families {
            (0..family.patterns.len()).for_each(|at| family.weigh(at, known));
        }
        families
    }

    /// The patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.patterns.iter().map(|pattern| (pattern.text.as_str(), &pattern.origin))
    }

    fn weigh(&mut self, at: usize, known: &Names<'_>) {
        let [Some(left), right] = [at, at + 1].map(|at| self.patterns.get(at)) else { return };
        let common = right.and_then(|right| common(&left.text, &right.text).get(self.head..).map(str::len));
        let next = common.map(|beyond| {
            let length = self.head + beyond;
            (known.is_foreign(left.text.get(..length).unwrap_or_default()), Reverse(length))
        });
        if let Some(pattern) = self.patterns.get_mut(at) {
            pattern.next = next;
        }
    }

    /// The two neighbours that are nearest to each other: what they would be, and where the first one is.
    fn nearest(&self) -> Option<((bool, Reverse<usize>), usize)> {
        let all = self.patterns.iter().enumerate();
        all.filter_map(|(at, pattern)| Some((pattern.next?, at))).min()
    }

    /// Puts two neighbours together, and returns how many characters that saves.
    fn join(&mut self, at: usize, length: usize, known: &Names<'_>) -> usize {
        let right = self.patterns.remove(at + 1).text;
        let Some(left) = self.patterns.get_mut(at) else { return 0 };
        let before = left.text.chars().count() + right.chars().count() + AROUND;
        left.text.truncate(length);
        left.text.push('*');
        let after = left.text.chars().count();
        self.weigh(at, known);
        if let Some(before) = at.checked_sub(1) {
            self.weigh(before, known);
        }
        before.saturating_sub(after)
    }
}

/// Puts names together until so many characters are saved: first those that have most in common, and last those that also
/// stand for names of others. Tells whether enough could be saved.
pub(super) fn shrink(families: &mut [&mut Family], excess: usize, known: &Names<'_>) -> bool {
    let mut saved = 0;
    while saved < excess {
        let nearest = families.iter().enumerate().filter_map(|(family, one)| {
            let (weight, at) = one.nearest()?;
            Some((weight, family, at))
        });
        let Some(((_, Reverse(length)), family, at)) = nearest.min() else { return false };
        saved += families.get_mut(family).map_or(0, |family| family.join(at, length, known));
    }
    true
}

/// How much of an ARN says the service, the region, the account and the type.
fn head(arn: &str) -> usize {
    let mut parts = arn.splitn(6, ':');
    let before: usize = parts.by_ref().take(5).map(|part| part.len() + 1).sum();
    let resource = parts.next().unwrap_or_default();
    // Buckets have no type before their names.
    let kind = if arn.contains(":s3:") { None } else { resource.find([':', '/']) };
    before + kind.map_or(0, |at| at + 1)
}

/// What both begin with.
fn common<'t>(left: &'t str, right: &str) -> &'t str {
    let differs = left.char_indices().zip(right.chars()).find(|((_, left), right)| left != right);
    let shorter = left.len().min(right.len());
    let length = differs.map_or(shorter, |((at, _), _)| at);
    left.get(..length).unwrap_or(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| format!("arn:aws:sqs:eu-central-1:111122223333:{name}")).collect()
    }

    /// The patterns for these names of mine, with so many characters less, where others have theirs.
    fn patterns(mine: &[&str], others: &[&str], excess: usize) -> Option<Vec<String>> {
        let own = set(mine);
        let all = own.union(&set(others)).cloned().collect();
        let known = Names { all: &all, own: &own };
        let source = aipolicy_compiler::source::SourceMap::default();
        let origin = Origin::default(&source, "aws.tags");
        let mut families = Family::of(own.iter().map(|name| (name.clone(), origin.clone())), &known);
        let told = |pattern: (&str, &Origin)| pattern.0.rsplit(':').next().unwrap_or_default().to_owned();
        shrink(&mut families.iter_mut().collect::<Vec<_>>(), excess, &known)
            .then(|| families.iter().flat_map(Family::patterns).map(told).collect())
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(patterns(&["b", "a"], &[], 0), Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn those_that_have_most_in_common_are_put_together_first() {
        let names = ["orders-eu", "orders-us", "mail", "other"];
        let found = patterns(&names, &[], 1).unwrap();
        assert_eq!(found, ["mail", "orders-*", "other"]);
        assert_eq!(patterns(&names, &[], 100).unwrap(), ["mail", "o*"]);
        assert_eq!(patterns(&names, &[], 1000), None);
    }

    #[test]
    fn what_others_have_is_covered_last() {
        let names = ["orders-eu", "orders-us", "bills-1", "bills-2"];
        assert_eq!(patterns(&names, &["orders-x"], 1).unwrap(), ["bills-*", "orders-eu", "orders-us"]);
        assert_eq!(patterns(&names, &["orders-eu"], 1).unwrap(), ["bills-1", "bills-2", "orders-*"]);
    }
}
