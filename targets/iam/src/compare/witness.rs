//! Requests out of blocks, as close to real ones as can be.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::atoms::Letter;
use super::block::Side;
use super::draft::Key;
use super::search::{Leftover, Placed};
use super::space::{Classes, Dimension, Space};
use crate::document::{Matcher, PrincipalKind};
use crate::pattern::{Pattern, Token};
use crate::request::{Caller, Request};

/// Requests of a leftover, the most likely first.
pub(crate) fn requests(leftover: &Leftover<'_>, space: &Space) -> Vec<Request> {
    let maker = Maker { leftover, space };
    let mut requests = Vec::new();
    for value in maker.values() {
        let Some(context) = maker.context(&value) else { continue };
        let caller = maker.texts(&Key::Principal, &[CALLER.to_owned()], &context).iter().find_map(|text| caller(text));
        let resources = maker.resources(&context);
        for action in maker.actions(&context) {
            for resource in &resources {
                let mut request = Request::new(action.clone(), resource.clone());
                request.principal.clone_from(&caller);
                for (key, values) in &context {
                    request.context.set(key, values.clone());
                }
                requests.push(request);
            }
        }
    }
    requests
}

/// How many texts are tried for one dimension.
const TRIED: usize = 6;

/// What stands for a caller who may be any.
const CALLER: &str = "AWS:arn:aws:iam::123456789012:role/example";

/// What stands for a name that may be any.
const NAME: &str = "example";

/// What each condition key has.
type Context = BTreeMap<String, Vec<String>>;

struct Maker<'a> {
    leftover: &'a Leftover<'a>,
    space: &'a Space,
}

impl Maker<'_> {
    fn dimension(&self, key: &Key) -> Option<(&Dimension, &Side)> {
        let at = self.space.dimensions.iter().position(|dimension| dimension.key == *key)?;
        let side = match self.leftover.block.side(at) {
            Side::Full => self.space.all.get(at)?,
            side @ (Side::One(_) | Side::Many(_)) => side,
        };
        Some((self.space.dimensions.get(at)?, side))
    }

    /// The condition keys that policy variables name.
    fn variables(&self) -> BTreeSet<String> {
        let mut variables = self.leftover.allowed_by.variables();
        variables.extend(self.leftover.denied_by.iter().flat_map(Placed::variables));
        variables
    }

    /// What policy variables are tried with: some name, or a word of the resources, which another pattern may ask for.
    fn values(&self) -> Vec<String> {
        let mut values = vec![NAME.to_owned()];
        if !self.variables().is_empty() {
            let context = Context::new();
            let words: BTreeSet<String> = self
                .resources(&context)
                .iter()
                .flat_map(|text| text.split(['/', ':']).map(str::to_owned).collect::<Vec<_>>())
                .filter(|word| !word.is_empty() && word != NAME)
                .collect();
            values.extend(words);
        }
        values
    }

    /// The values of each condition key that has to have one, and of those that policy variables name; `None` where a
    /// key can have none.
    fn context(&self, value: &str) -> Option<Context> {
        let mut context = Context::new();
        let named = self.variables();
        for (at, dimension) in self.space.dimensions.iter().enumerate() {
            let Key::Condition(key) = &dimension.key else { continue };
            let side = match self.leftover.block.side(at) {
                Side::Full if !named.contains(key) => continue,
                Side::Full => self.space.all.get(at)?,
                side @ (Side::One(_) | Side::Many(_)) => side,
            };
            let values = match side {
                Side::One(classes) => {
                    let may_lack = dimension.absent().is_some_and(|absent| classes.contains(absent));
                    if may_lack && !named.contains(key) {
                        continue;
                    }
                    let Some(text) = self.text(dimension, classes, value) else {
                        if may_lack {
                            continue;
                        }
                        return None;
                    };
                    vec![text]
                }
                Side::Many(values) => {
                    let of_each = values.meets.iter().map(|meet| self.text(dimension, meet, value));
                    of_each.collect::<Option<Vec<String>>>()?
                }
                Side::Full => continue,
            };
            context.insert(key.clone(), values);
        }
        for key in named {
            context.entry(key).or_insert_with(|| vec![value.to_owned()]);
        }
        Some(context)
    }

    /// One text of these classes: the value if it is, or else one that the policies name, or else the shortest.
    fn text(&self, dimension: &Dimension, classes: &FixedBitSet, value: &str) -> Option<String> {
        match &dimension.classes {
            Classes::Any => Some(value.to_owned()),
            Classes::Line(line) => {
                classes.ones().find(|piece| *piece < line.len()).map(|piece| line.text(piece))
            }
            Classes::Texts(patterns, _) => {
                let context = Context::new();
                let named = patterns.iter().map(|pattern| with(pattern, value, &context));
                let proposed: Vec<String> = named.chain([value.to_owned()]).collect();
                self.among(dimension, classes, &proposed, &context).into_iter().next()
            }
        }
    }

    fn actions(&self, context: &Context) -> Vec<String> {
        let proposed: Vec<String> = match &self.leftover.allowed_by.statement.actions {
            Matcher::In(names) => names.iter().filter(|name| !name.contains(['*', '?'])).cloned().collect(),
            Matcher::NotIn(_) => Vec::new(),
        };
        self.texts(&Key::Action, &proposed, context)
    }

    fn resources(&self, context: &Context) -> Vec<String> {
        let mut patterns = self.leftover.allowed_by.resources();
        patterns.extend(self.leftover.denied_by.iter().flat_map(Placed::resources));
        let proposed: Vec<String> =
            FILLERS.iter().flat_map(|filler| patterns.iter().map(|one| with(one, filler, context))).collect();
        let found = self.texts(&Key::Resource, &proposed, context);
        if found.is_empty() && self.dimension(&Key::Resource).is_none() {
            vec!["*".to_owned()]
        } else {
            found
        }
    }

    fn texts(&self, key: &Key, proposed: &[String], context: &Context) -> Vec<String> {
        let Some((dimension, Side::One(classes))) = self.dimension(key) else { return Vec::new() };
        self.among(dimension, classes, proposed, context)
    }

    /// Those texts that are of the classes, and the shortest ones of the classes.
    fn among(
        &self,
        dimension: &Dimension,
        classes: &FixedBitSet,
        proposed: &[String],
        context: &Context,
    ) -> Vec<String> {
        let Classes::Texts(_, atoms) = &dimension.classes else { return Vec::new() };
        let fits = |text: &&String| {
            let letters: Vec<Letter> = text.chars().map(Letter::Char).collect();
            atoms.class_of(&letters).is_none_or(|class| classes.contains(class))
        };
        let proposed = proposed.iter().filter(fits).cloned();
        let shortest =
            classes.ones().filter_map(|class| atoms.texts.get(class)).map(|text| self.plain(text, context));
        let mut seen = BTreeSet::new();
        proposed.chain(shortest).filter(|text| seen.insert(text.clone())).take(TRIED).collect()
    }

    fn plain(&self, text: &[Letter], context: &Context) -> String {
        let mut plain = String::new();
        for letter in text {
            match letter {
                Letter::Char(c) => plain.push(*c),
                Letter::Variable(number) => {
                    let variable = self.space.alphabet.variables.get(*number);
                    let value =
                        variable.and_then(|(key, _)| context.get(key)).and_then(|values| values.first());
                    plain.push_str(value.map_or(NAME, String::as_str));
                }
            }
        }
        plain
    }
}

/// What is tried in place of `*`.
const FILLERS: [&str; 4] = [NAME, "", "x", "example/example"];

/// A text of the pattern, with a region and an account where an ARN has them.
fn with(pattern: &Pattern, filler: &str, context: &Context) -> String {
    let mut text = String::new();
    let mut colons = 0;
    let tokens = pattern.tokens();
    for (at, token) in tokens.iter().enumerate() {
        let ends_component = matches!(tokens.get(at + 1), Some(Token::Char(':')));
        match token {
            Token::Char(c) => {
                colons += usize::from(*c == ':');
                text.push(*c);
            }
            Token::One(_) => text.push('x'),
            Token::Run(_) if colons == 3 && ends_component && text.ends_with(':') => {
                text.push_str("eu-central-1")
            }
            Token::Run(_) if colons == 4 && ends_component && text.ends_with(':') => {
                text.push_str("123456789012")
            }
            Token::Run(_) => text.push_str(filler),
            Token::Variable { key, default } => {
                let value = context.get(key).and_then(|values| values.first()).or(default.as_ref());
                text.push_str(value.map_or(NAME, String::as_str));
            }
        }
    }
    text
}

fn caller(text: &str) -> Option<Caller> {
    let (kind, name) = text.split_once(':')?;
    let kind = PrincipalKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some(Caller { kind, name: name.to_owned() })
}
