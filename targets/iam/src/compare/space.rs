//! The dimensions of requests, as some statements tell them apart, and the statements as blocks in them.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use fixedbitset::FixedBitSet;
use foldhash::fast::FixedState;

use super::atoms::{Alphabet, Atoms, Memory, TooMany};
use super::block::{Block, Side, Values};
use super::draft::{Constraint, Draft, Key, Reasons, Test, Toward};
use super::line::{Line, Span};
use crate::operator::Quantifier;
use crate::pattern::Pattern;

/// The dimensions of requests.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) dimensions: Vec<Dimension>,
    /// Everything that each dimension has.
    pub(crate) all: Vec<Side>,
    pub(crate) alphabet: Alphabet,
    /// Why statements are told apart less well than they might be.
    pub(crate) reasons: Reasons,
}

/// One thing that a request says: its action, its resource, its principal, or what it has under a condition key.
#[derive(Debug)]
pub(crate) struct Dimension {
    pub(crate) key: Key,
    /// The condition key as the statements write it; of several spellings, one.
    pub(crate) written: String,
    pub(crate) classes: Classes,
    /// Whether the request may have a list of values there.
    pub(crate) many: bool,
}

/// The values of a dimension, as far as the statements tell them apart.
#[derive(Debug)]
pub(crate) enum Classes {
    /// Texts, and the patterns that tell them apart.
    Texts(Vec<Pattern>, Rc<Atoms>),
    /// Numbers, dates or addresses.
    Line(Line),
    /// Values that are not told apart: present or not is all that is known.
    Any,
}

impl Classes {
    fn len(&self) -> usize {
        match self {
            Self::Texts(_, atoms) => atoms.len(),
            Self::Line(line) => line.len(),
            Self::Any => 1,
        }
    }

    /// The patterns that tell texts apart.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        match self {
            Self::Texts(patterns, _) => patterns,
            Self::Line(_) | Self::Any => &[],
        }
    }

    /// Those patterns that match texts of some of the classes.
    pub(crate) fn meeting(&self, classes: &FixedBitSet) -> impl Iterator<Item = &Pattern> {
        let (patterns, members) = match self {
            Self::Texts(patterns, atoms) => (patterns.as_slice(), atoms.members.as_slice()),
            Self::Line(_) | Self::Any => (&[][..], &[][..]),
        };
        let meets = |(_, members): &(&Pattern, &FixedBitSet)| !members.is_disjoint(classes);
        patterns.iter().zip(members).filter(meets).map(|(pattern, _)| pattern)
    }

    fn of(tests: &[&Test], alphabet: &mut Alphabet, memory: &mut Memory) -> Result<Self, TooMany> {
        let spans: Vec<Span> = tests.iter().flat_map(|test| test.spans()).copied().collect();
        // Most stand in several statements, and to find that out by their order would cost more.
        let patterns: HashSet<&Pattern, FixedState> = tests.iter().flat_map(|test| test.patterns()).collect();
        let mut patterns: Vec<Pattern> = patterns.into_iter().cloned().collect();
        patterns.sort_unstable();
        if !patterns.is_empty() {
            let atoms = memory.atoms(&patterns, alphabet)?;
            return Ok(Self::Texts(patterns, atoms));
        }
        Ok(Line::cut(&spans).map_or(Self::Any, Self::Line))
    }

    /// Whether the classes tell what passes the test from what does not.
    fn tell(&self, test: &Test) -> bool {
        match self {
            Self::Texts(..) => test.spans().is_empty(),
            Self::Line(_) => test.patterns().is_empty(),
            Self::Any => test.patterns().is_empty() && test.spans().is_empty(),
        }
    }

    /// The classes of values that pass the test.
    fn passing(&self, test: &Test) -> FixedBitSet {
        let mut found = FixedBitSet::with_capacity(self.len());
        match self {
            Self::Texts(patterns, atoms) => {
                for pattern in test.patterns() {
                    let members = patterns.binary_search(pattern).ok().and_then(|at| atoms.members.get(at));
                    members.into_iter().for_each(|members| found.union_with(members));
                }
            }
            Self::Line(line) => found = line.within(test.spans()),
            Self::Any => {}
        }
        found
    }
}

impl Dimension {
    /// The class that stands for a request without the key, behind those of the values.
    pub(crate) fn absent(&self) -> Option<usize> {
        (!self.many && matches!(self.key, Key::Condition(_))).then(|| self.classes.len())
    }

    /// Why what passes the constraint is not exactly known.
    fn inexact(&self, constraint: &Constraint) -> Option<String> {
        let Key::Condition(key) = &self.key else { return None };
        if matches!(constraint.test, Test::Presence { .. }) {
            return None;
        }
        if !self.classes.tell(&constraint.test) {
            return Some(format!("`{key}` is compared as text and as something else"));
        }
        (self.many && constraint.quantifier == Quantifier::One).then(|| {
            format!(
                "`{key}` may have several values, and AWS does not say what an operator for one makes of them"
            )
        })
    }

    fn values(&self) -> FixedBitSet {
        let mut all = FixedBitSet::with_capacity(self.classes.len() + usize::from(self.absent().is_some()));
        all.insert_range(..self.classes.len());
        all
    }

    fn all(&self) -> Side {
        if self.many {
            return Side::Many(Rc::new(Values { within: self.values(), meets: Vec::new() }));
        }
        let mut all = self.values();
        all.extend(self.absent());
        Side::One(Rc::new(all))
    }

    /// What passes the constraint; a request passes when it is in one of the sides.
    fn passing(&self, constraint: &Constraint) -> Vec<Side> {
        if let Test::Presence { absent, present } = constraint.test {
            return self.presence(absent, present);
        }
        if !self.classes.tell(&constraint.test) {
            return match constraint.toward {
                Toward::More => vec![Side::Full],
                Toward::Less => Vec::new(),
            };
        }
        let mut passing = self.classes.passing(&constraint.test);
        if constraint.negated {
            let mut others = self.values();
            others.difference_with(&passing);
            passing = others;
        }
        if self.many {
            return self.lists(constraint, passing);
        }
        let without_key = match constraint.quantifier {
            Quantifier::One => constraint.negated || constraint.if_exists,
            Quantifier::All => true,
            Quantifier::Any => constraint.if_exists,
        };
        passing.grow(self.values().len());
        passing.extend(self.absent().filter(|_| without_key));
        vec![Side::One(Rc::new(passing))]
    }

    fn lists(&self, constraint: &Constraint, passing: FixedBitSet) -> Vec<Side> {
        let list = |within, meets| Side::Many(Rc::new(Values { within, meets }));
        match constraint.quantifier {
            Quantifier::All => vec![list(passing, Vec::new())],
            Quantifier::Any => {
                let mut sides = vec![list(self.values(), vec![passing])];
                if constraint.if_exists {
                    sides.extend(self.presence(true, false));
                }
                sides
            }
            // What an operator for one value says of several is not documented, but for this much.
            Quantifier::One => {
                let within = match constraint.toward {
                    Toward::More => self.values(),
                    Toward::Less => passing.clone(),
                };
                let mut sides = vec![list(within, vec![passing])];
                if constraint.negated || constraint.if_exists {
                    sides.extend(self.presence(true, false));
                }
                sides
            }
        }
    }

    fn presence(&self, absent: bool, present: bool) -> Vec<Side> {
        if absent && present {
            return vec![Side::Full];
        }
        let mut none = self.values();
        none.clear();
        if self.many {
            let list = |within, meets| Side::Many(Rc::new(Values { within, meets }));
            return match (absent, present) {
                (true, _) => vec![list(none, Vec::new())],
                (_, true) => vec![list(self.values(), vec![self.values()])],
                (false, false) => Vec::new(),
            };
        }
        let mut found = if present { self.values() } else { none };
        found.extend(self.absent().filter(|_| absent));
        vec![Side::One(Rc::new(found))]
    }
}

impl Space {
    /// The space in which the statements can be told apart.
    pub(crate) fn of<'d>(
        drafts: impl Iterator<Item = &'d Draft>,
        memory: &mut Memory,
    ) -> Result<Self, TooMany> {
        let mut constraints: BTreeMap<&Key, Vec<&Constraint>> = BTreeMap::new();
        for constraint in drafts.flat_map(|draft| &draft.constraints) {
            constraints.entry(&constraint.key).or_default().push(constraint);
        }
        let mut space = Self {
            dimensions: Vec::new(),
            all: Vec::new(),
            alphabet: Alphabet::default(),
            reasons: Reasons::new(),
        };
        for (key, constraints) in constraints {
            let tests: Vec<&Test> = constraints.iter().map(|constraint| &constraint.test).collect();
            let classes = Classes::of(&tests, &mut space.alphabet, memory)?;
            let many = constraints.iter().any(|constraint| constraint.many);
            // What a policy variable asks for is in lower case, and comes behind the spelling of a condition.
            let written = constraints.iter().map(|one| one.written.as_str()).min().unwrap_or_default();
            let dimension = Dimension { key: key.clone(), written: written.to_owned(), classes, many };
            space.reasons.extend(constraints.iter().filter_map(|constraint| dimension.inexact(constraint)));
            space.all.push(dimension.all());
            space.dimensions.push(dimension);
        }
        Ok(space)
    }

    /// A statement as blocks: a request is of it when it is in one of them.
    pub(crate) fn blocks(&self, draft: &Draft) -> Vec<Block> {
        let mut blocks = vec![Block::full(self.dimensions.len())];
        for constraint in &draft.constraints {
            let found = self.dimensions.iter().enumerate().find(|(_, one)| one.key == constraint.key);
            let Some((at, dimension)) = found else { continue };
            let sides = dimension.passing(constraint);
            blocks = blocks
                .into_iter()
                .flat_map(|block| sides.iter().filter_map(move |side| block.clone().narrowed(at, side)))
                .collect();
        }
        blocks
    }
}
