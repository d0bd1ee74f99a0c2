//! The smallest classes of texts that a list of patterns can tell apart, each with its shortest text.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use fixedbitset::FixedBitSet;
use foldhash::fast::FixedState;

use crate::pattern::{Pattern, Reach, Token};

/// Every class of texts, by which of the patterns they match.
#[derive(Debug)]
pub(crate) struct Atoms {
    patterns: Vec<Compiled>,
    /// Whether no pattern looks at case.
    lower: bool,
    numbers: HashMap<Vec<u32>, usize, FixedState>,
    states: Vec<State>,
    /// The shortest text of each class. Policy variables stand in it as themselves.
    pub(crate) texts: Vec<Vec<Letter>>,
    /// For each pattern, the classes that it matches.
    pub(crate) members: Vec<FixedBitSet>,
}

/// The classes of lists of patterns that were told apart before.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    known: BTreeMap<Vec<Pattern>, Result<Rc<Atoms>, TooMany>>,
}

impl Memory {
    /// The classes of the patterns. What has variables has letters of one alphabet, and is not remembered.
    pub(crate) fn atoms(
        &mut self,
        patterns: &[Pattern],
        alphabet: &mut Alphabet,
    ) -> Result<Rc<Atoms>, TooMany> {
        if patterns.iter().any(Pattern::has_variables) {
            return Atoms::of(patterns, alphabet).map(Rc::new);
        }
        let new = || Atoms::of(patterns, alphabet).map(Rc::new);
        self.known.entry(patterns.to_vec()).or_insert_with(new).clone()
    }
}

/// A place of a text: a character, or what a policy variable stands for, whatever that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Letter {
    /// A character.
    Char(char),
    /// What a policy variable stands for.
    Variable(Variable),
}

/// A policy variable. Its numbers are places in an [`Alphabet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Variable {
    key: usize,
    default: Option<usize>,
    /// Whether it stands for its value in any case.
    pub(crate) fold: bool,
}

impl Variable {
    /// Whether this stands for all that the other stands for. One without default is there with its value alone.
    fn covers(self, other: Self) -> bool {
        self.key == other.key
            && (self.fold || !other.fold)
            && (other.default.is_none() || self.default == other.default)
    }
}

/// The condition keys and the defaults of the policy variables of some patterns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alphabet {
    texts: Vec<String>,
}

impl Alphabet {
    /// The condition key of a variable.
    pub(crate) fn key(&self, variable: Variable) -> Option<&str> {
        self.texts.get(variable.key).map(String::as_str)
    }

    /// The default of a variable.
    pub(crate) fn default_of(&self, variable: Variable) -> Option<&str> {
        self.texts.get(variable.default?).map(String::as_str)
    }

    /// The letter of a variable that some pattern has.
    pub(crate) fn letter(&self, key: &str, default: Option<&String>, fold: bool) -> Option<Letter> {
        let number = |text: &str| self.texts.iter().position(|one| one == text);
        let default = match default {
            Some(text) => Some(number(text)?),
            None => None,
        };
        Some(Letter::Variable(Variable { key: number(key)?, default, fold }))
    }

    fn variable(&mut self, key: &str, default: Option<&String>, fold: bool) -> Variable {
        Variable { key: self.number(key), default: default.map(|text| self.number(text)), fold }
    }

    fn number(&mut self, text: &str) -> usize {
        self.texts.iter().position(|one| one == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        })
    }
}

/// Patterns that tell more classes apart than may be counted, as many wildcards in the middle of patterns do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// How many places of patterns may be looked at for one list of patterns: some tenths of a second.
const STEPS: usize = 2_000_000;

/// Where a text has come to in one pattern: its number and the place in it.
type Position = (u32, u32);

#[derive(Debug)]
struct Compiled {
    steps: Vec<Step>,
    fold: bool,
    loose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter(Letter),
    One(Reach),
    Run(Reach),
}

impl Compiled {
    fn new(pattern: &Pattern, alphabet: &mut Alphabet) -> Self {
        let steps = pattern.tokens().iter().map(|token| match token {
            Token::Char(c) => Step::Letter(Letter::Char(*c)),
            Token::One(reach) => Step::One(*reach),
            Token::Run(reach) => Step::Run(*reach),
            Token::Variable(named) => {
                let letter = alphabet.variable(&named.key, named.default.as_ref(), pattern.folds());
                Step::Letter(Letter::Variable(letter))
            }
        });
        Self { steps: steps.collect(), fold: pattern.folds(), loose: pattern.is_loose() }
    }

    fn step(&self, at: u32) -> Option<Step> {
        self.steps.get(at as usize).copied()
    }

    fn end(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    fn is_end(&self, at: u32) -> bool {
        at == self.end()
    }

    /// Whether the letter is the one that the pattern asks for.
    fn is(&self, wanted: Letter, letter: Letter) -> bool {
        match (wanted, letter) {
            (Letter::Char(wanted), Letter::Char(c)) if self.fold => wanted == c.to_ascii_lowercase(),
            (Letter::Variable(wanted), Letter::Variable(variable)) => wanted.covers(variable),
            (wanted, letter) => wanted == letter,
        }
    }
}

impl Step {
    /// Whether a wildcard stands for the letter. What a variable stands for may be of any length and have any
    /// character, so `*` alone takes it for sure.
    fn takes(self, letter: Letter) -> bool {
        match (self, letter) {
            (Self::One(reach) | Self::Run(reach), Letter::Char(c)) => reach.takes(c),
            (Self::Run(reach), Letter::Variable(_)) => reach == Reach::Anywhere,
            (Self::One(_), Letter::Variable(_)) | (Self::Letter(_), _) => false,
        }
    }
}

impl Atoms {
    /// The classes of the patterns, in the order of their shortest texts.
    fn of(patterns: &[Pattern], alphabet: &mut Alphabet) -> Result<Self, TooMany> {
        let compiled: Vec<Compiled> =
            patterns.iter().map(|pattern| Compiled::new(pattern, alphabet)).collect();
        let Walk { lower, texts, members, classes: numbers, states, .. } = Walk::new(&compiled).run()?;
        Ok(Self { lower, numbers, states, texts, members, patterns: compiled })
    }

    /// The class of a text.
    pub(crate) fn class_of(&self, text: &[Letter]) -> Option<usize> {
        let mut number = 0;
        for letter in text {
            let state = self.states.get(number)?;
            match state.next(if self.lower { letter.lowered() } else { *letter }) {
                Next::State(next) => number = next,
                Next::Dead => return self.numbers.get(&Vec::new()).copied(),
                Next::Unseen => return self.class_beyond(text),
            }
        }
        self.states.get(number).map(|state| state.class)
    }

    /// The class of a text with a policy variable where the walk met none.
    fn class_beyond(&self, text: &[Letter]) -> Option<usize> {
        let walk = Walk::new(&self.patterns);
        let state = text.iter().fold(walk.start(), |state, letter| walk.closed(walk.after(&state, *letter)));
        self.numbers.get(&walk.accepted(&state)).copied()
    }

    /// How many classes there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// What texts have led to: the class of those that end here, and where each letter leads.
#[derive(Debug, Default)]
struct State {
    class: usize,
    /// In the order of the letters.
    next: Vec<(Letter, usize)>,
    /// Where every other character leads.
    other: Option<usize>,
}

/// Where a letter leads.
enum Next {
    State(usize),
    /// To where no pattern ever matches.
    Dead,
    /// The walk did not try it.
    Unseen,
}

impl State {
    fn next(&self, letter: Letter) -> Next {
        match (self.next.binary_search_by_key(&letter, |(known, _)| *known), letter) {
            (Ok(at), _) => self.next.get(at).map_or(Next::Dead, |(_, state)| Next::State(*state)),
            (Err(_), Letter::Char(_)) => self.other.map_or(Next::Dead, Next::State),
            (Err(_), Letter::Variable(_)) => Next::Unseen,
        }
    }
}

impl Letter {
    fn lowered(self) -> Self {
        match self {
            Self::Char(c) => Self::Char(c.to_ascii_lowercase()),
            Self::Variable(_) => self,
        }
    }
}

/// A walk through all that texts can lead to, shortest texts first.
struct Walk<'a> {
    patterns: &'a [Compiled],
    /// Whether no pattern looks at case, so that texts in lower case are enough.
    lower: bool,
    reached: HashMap<Rc<[Position]>, usize, FixedState>,
    states: Vec<State>,
    queue: VecDeque<(Rc<[Position]>, usize)>,
    /// For each state that was reached, the one before it and the letter between.
    came: Vec<Option<(usize, Letter)>>,
    classes: HashMap<Vec<u32>, usize, FixedState>,
    texts: Vec<Vec<Letter>>,
    members: Vec<FixedBitSet>,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn new(patterns: &'a [Compiled]) -> Self {
        Self {
            patterns,
            lower: patterns.iter().all(|pattern| pattern.fold),
            reached: HashMap::default(),
            states: Vec::new(),
            queue: VecDeque::new(),
            came: Vec::new(),
            classes: HashMap::default(),
            texts: Vec::new(),
            members: vec![FixedBitSet::new(); patterns.len()],
            steps: 0,
        }
    }

    fn start(&self) -> Vec<Position> {
        self.closed((0..).zip(self.patterns).map(|(pattern, _)| (pattern, 0)).collect())
    }

    fn run(mut self) -> Result<Self, TooMany> {
        self.reach(self.start(), None);
        while let Some((state, from)) = self.queue.pop_front() {
            let letters = self.letters(&state);
            let other = other_than(&letters).filter(|_| !state.is_empty());
            for letter in letters.into_iter().chain(other) {
                self.steps += state.len() + 1;
                if self.steps > STEPS {
                    return Err(TooMany);
                }
                let next = self.closed(self.after(&state, letter));
                let to = self.reach(next, Some((from, letter)));
                let Some(state) = self.states.get_mut(from) else { continue };
                if Some(letter) == other {
                    state.other = Some(to);
                } else {
                    state.next.push((letter, to));
                }
            }
        }
        let classes = self.texts.len();
        for members in &mut self.members {
            members.grow(classes);
        }
        Ok(self)
    }

    /// The number of a state, which is looked at later if it is new.
    fn reach(&mut self, state: Vec<Position>, came: Option<(usize, Letter)>) -> usize {
        let number = self.came.len();
        match self.reached.entry(state.into()) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => {
                self.queue.push_back((Rc::clone(new.key()), number));
                new.insert(number);
            }
        }
        self.came.push(came);
        let accepted = self.queue.back().map(|(state, _)| self.accepted(state)).unwrap_or_default();
        let next = self.classes.len();
        let class = match self.classes.entry(accepted) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                for pattern in new.key() {
                    if let Some(members) = self.members.get_mut(*pattern as usize) {
                        members.grow_and_insert(next);
                    }
                }
                new.insert(next);
                let text = self.text(number);
                self.texts.push(text);
                next
            }
        };
        self.states.push(State { class, ..State::default() });
        number
    }

    /// The patterns that match a text which has come to the state.
    fn accepted(&self, state: &[Position]) -> Vec<u32> {
        let ended = |at: &&Position| self.pattern(at.0).is_some_and(|one| one.is_end(at.1));
        state.iter().filter(ended).map(|at| at.0).collect()
    }

    fn step(&self, (pattern, place): Position) -> Option<Step> {
        self.pattern(pattern)?.step(place)
    }

    fn pattern(&self, number: u32) -> Option<&'a Compiled> {
        self.patterns.get(number as usize)
    }

    /// Adds the places behind each `*`, which may be nothing, and leaves out those before a `*` that takes everything:
    /// whatever they lead to, it leads to as well.
    fn closed(&self, mut positions: Vec<Position>) -> Vec<Position> {
        let is_run = |at: &Position| matches!(self.step(*at), Some(Step::Run(_)));
        if positions.is_sorted_by(|one, next| one < next) && !positions.iter().any(is_run) {
            return positions;
        }
        let mut at = 0;
        while let Some(&(pattern, place)) = positions.get(at) {
            if is_run(&(pattern, place)) {
                positions.push((pattern, place + 1));
            }
            at += 1;
        }
        positions.sort_unstable();
        positions.dedup();
        let mut kept: Vec<Position> = Vec::with_capacity(positions.len());
        for (pattern, place) in positions {
            if self.step((pattern, place)) == Some(Step::Run(Reach::Anywhere)) {
                while kept.last().is_some_and(|last| last.0 == pattern) {
                    kept.pop();
                }
            }
            kept.push((pattern, place));
        }
        kept
    }

    fn after(&self, state: &[Position], letter: Letter) -> Vec<Position> {
        let mut next = Vec::with_capacity(state.len());
        for &(number, place) in state {
            let Some(pattern) = self.pattern(number) else { continue };
            if pattern.loose && matches!(letter, Letter::Variable(_)) {
                // Some text takes each place to each later one.
                next.extend((place..=pattern.end()).map(|later| (number, later)));
                continue;
            }
            match pattern.step(place) {
                Some(Step::Letter(wanted)) if pattern.is(wanted, letter) => next.push((number, place + 1)),
                Some(step @ Step::One(_)) if step.takes(letter) => next.push((number, place + 1)),
                Some(step @ Step::Run(_)) if step.takes(letter) => next.push((number, place)),
                Some(Step::Letter(_) | Step::One(_) | Step::Run(_)) | None => {}
            }
        }
        next
    }

    /// The letters that lead to other states than most characters do, in order.
    fn letters(&self, state: &[Position]) -> BTreeSet<Letter> {
        let mut letters = BTreeSet::new();
        for &(number, place) in state {
            let Some(pattern) = self.pattern(number) else { continue };
            match pattern.step(place) {
                Some(Step::Letter(letter)) => {
                    letters.insert(letter);
                    if let (Letter::Char(c), true, false) = (letter, pattern.fold, self.lower) {
                        letters.insert(Letter::Char(c.to_ascii_uppercase()));
                    }
                }
                Some(Step::One(Reach::Component) | Step::Run(Reach::Component)) => {
                    letters.insert(Letter::Char(':'));
                }
                Some(Step::One(Reach::Anywhere) | Step::Run(Reach::Anywhere)) | None => {}
            }
        }
        letters
    }

    fn text(&self, mut number: usize) -> Vec<Letter> {
        let mut letters = Vec::new();
        while let Some(Some((before, letter))) = self.came.get(number) {
            letters.push(*letter);
            number = *before;
        }
        letters.reverse();
        letters
    }
}

/// A character that is none of the letters.
fn other_than(letters: &BTreeSet<Letter>) -> Option<Letter> {
    OTHERS.chars().chain('\u{a1}'..).map(Letter::Char).find(|one| !letters.contains(one))
}

/// What stands for other characters, the most usual first.
const OTHERS: &str = "xyzabcdefghijklmnopqrstuvw0123456789-_";
