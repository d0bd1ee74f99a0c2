//! Requests out of blocks, as close to real ones as can be.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::atoms::Letter;
use super::block::Side;
use super::draft::Key;
use super::search::{Leftover, Placed};
use super::space::{Classes, Dimension, Space};
use crate::action::{Action, Service, action, actions_matching, service};
use crate::document::{Matcher, PrincipalKind};
use crate::pattern::{Pattern, Token};
use crate::request::{Caller, Request};

/// A request that may show a leftover.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) request: Request,
    /// Whether the catalog knows the action, and the resource is of a type that it is about.
    pub(crate) known: bool,
}

/// Requests of a leftover, the most likely first.
pub(crate) fn candidates(leftover: &Leftover<'_>, space: &Space) -> Vec<Candidate> {
    let maker = Maker { leftover, space };
    let mut candidates = Vec::new();
    for value in maker.values() {
        let Some(context) = maker.context(&value) else { continue };
        candidates.extend(maker.candidates(&context));
    }
    candidates.sort_by_key(|one| !one.known);
    candidates
}

/// How many texts are tried for one dimension.
const TRIED: usize = 8;

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
            let resources = self.dimension(&Key::Resource).map(|(dimension, _)| dimension.classes.patterns());
            let words: BTreeSet<String> = resources
                .into_iter()
                .flatten()
                .map(|pattern| with(pattern, NAME, &context))
                .flat_map(|text| text.split(['/', ':']).map(str::to_owned).collect::<Vec<_>>())
                .filter(|word| !word.is_empty() && word != NAME)
                .collect();
            values.extend(words.into_iter().take(TRIED));
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
                self.among((dimension, classes), &proposed, &context).into_iter().next()
            }
        }
    }

    fn candidates(&self, context: &Context) -> Vec<Candidate> {
        let resources = self.resources(context);
        let mut pairs: Vec<(String, String, bool)> = Vec::new();
        for action in self.known_actions() {
            for resource in self.resources_of(action, &resources, context) {
                pairs.push((action.to_string(), resource, true));
            }
            if pairs.len() >= TRIED {
                break;
            }
        }
        for action in self.texts(&Key::Action, &self.named_actions(), context) {
            pairs.extend(resources.iter().map(|resource| (action.clone(), resource.clone(), false)));
        }
        let by = |caller: Option<&Caller>| {
            let caller = caller.cloned();
            pairs.iter().map(move |(action, resource, known)| {
                let mut request = Request::new(action, resource);
                request.principal.clone_from(&caller);
                for (key, values) in context {
                    request.context.set(key, values.clone());
                }
                Candidate { request, known: *known }
            })
        };
        if self.dimension(&Key::Principal).is_none() {
            return by(None).collect();
        }
        self.callers(context).iter().flat_map(|caller| by(Some(caller))).collect()
    }

    /// Callers of the leftover.
    fn callers(&self, context: &Context) -> Vec<Caller> {
        let Some((dimension, _)) = self.dimension(&Key::Principal) else { return Vec::new() };
        let named = dimension.classes.patterns().iter().map(|pattern| with(pattern, "role/example", context));
        let proposed: Vec<String> = named.chain([CALLER.to_owned()]).collect();
        self.texts(&Key::Principal, &proposed, context).iter().filter_map(|text| caller(text)).collect()
    }

    /// The actions that the statement names without wildcards.
    fn named_actions(&self) -> Vec<String> {
        match &self.leftover.allowed_by.statement.actions {
            Matcher::In(names) => names.iter().filter(|name| !name.contains(['*', '?'])).cloned().collect(),
            Matcher::NotIn(_) => Vec::new(),
        }
    }

    /// Actions of the leftover that the catalog knows, those with the shortest names first.
    fn known_actions(&self) -> Vec<&'static Action> {
        let Some((dimension, Side::One(classes))) = self.dimension(&Key::Action) else { return Vec::new() };
        let is_left = |action: &&&Action| is_of(dimension, classes, &action.to_string().to_ascii_lowercase());
        let named: Vec<&Action> = self.named_actions().iter().filter_map(|name| action(name)).collect();
        let named: Vec<&Action> = named.iter().filter(is_left).copied().collect();
        if !named.is_empty() {
            return named;
        }
        let mut actions: Vec<&Action> = match &self.leftover.allowed_by.statement.actions {
            Matcher::In(patterns) if !patterns.contains("*") => {
                patterns.iter().flat_map(|pattern| actions_matching(pattern)).collect()
            }
            Matcher::In(_) | Matcher::NotIn(_) => {
                services_named(dimension).flat_map(Service::actions).collect()
            }
        };
        actions.sort_by_key(|action| (action.name.len(), action.name, action.service));
        actions.iter().filter(is_left).take(TRIED).copied().collect()
    }

    /// Resources of the leftover that the action is about: of those proposed, or as the reference writes them.
    fn resources_of(&self, action: &Action, proposed: &[String], context: &Context) -> Vec<String> {
        if action.on.is_empty() {
            return self
                .texts_or_any(&Key::Resource, &["*".to_owned()], context)
                .into_iter()
                .take(1)
                .filter(|text| text == "*")
                .collect();
        }
        let types: Vec<_> = action.resource_types().collect();
        let written: Vec<&str> = match &self.leftover.allowed_by.statement.resources {
            Some(Matcher::In(texts)) => texts.iter().map(String::as_str).collect(),
            Some(Matcher::NotIn(_)) | None => vec!["*"],
        };
        let formats = types.iter().flat_map(|kind| &kind.formats);
        let formats: Vec<String> = formats
            .flat_map(|format| {
                written.iter().map(move |pattern| with_fields_of(pattern, &from_format(format)))
            })
            .collect();
        let of_type = |text: &&String| types.iter().any(|kind| kind.overlaps(text));
        let mut found: Vec<String> = proposed.iter().filter(of_type).cloned().collect();
        let formats = self.texts_or_any(&Key::Resource, &formats, context);
        found.extend(formats.into_iter().filter(|text| of_type(&text)));
        found.truncate(TRIED);
        found
    }

    fn resources(&self, context: &Context) -> Vec<String> {
        let mut patterns = self.leftover.allowed_by.resources();
        patterns.extend(self.leftover.denied_by.iter().flat_map(Placed::resources));
        let proposed: Vec<String> =
            FILLERS.iter().flat_map(|filler| patterns.iter().map(|one| with(one, filler, context))).collect();
        self.texts_or_any(&Key::Resource, &proposed, context)
    }

    /// Those that are of the leftover; all where nothing is asked of the dimension.
    fn texts_or_any(&self, key: &Key, proposed: &[String], context: &Context) -> Vec<String> {
        if self.dimension(key).is_none() {
            return proposed.to_vec();
        }
        self.texts(key, proposed, context)
    }

    fn texts(&self, key: &Key, proposed: &[String], context: &Context) -> Vec<String> {
        let Some((dimension, Side::One(classes))) = self.dimension(key) else { return Vec::new() };
        self.among((dimension, classes), proposed, context)
    }

    /// Those texts that are of the classes, and the shortest ones of the classes.
    fn among(
        &self,
        (dimension, classes): (&Dimension, &FixedBitSet),
        proposed: &[String],
        context: &Context,
    ) -> Vec<String> {
        let Classes::Texts(_, atoms) = &dimension.classes else { return Vec::new() };
        let proposed = proposed.iter().filter(|text| is_of(dimension, classes, text)).cloned();
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

/// The services whose actions the policies name, and some others.
fn services_named(dimension: &Dimension) -> impl Iterator<Item = &'static Service> {
    let Classes::Texts(patterns, _) = &dimension.classes else { return BTreeMap::new().into_values() };
    let texts: Vec<String> = patterns.iter().map(|pattern| with(pattern, "", &Context::new())).collect();
    let prefixes = texts.iter().filter_map(|text| text.split_once(':')).map(|(prefix, _)| prefix);
    let found = prefixes.chain(USUAL).filter_map(service).map(|service| (service.prefix, service));
    found.collect::<BTreeMap<_, _>>().into_values()
}

/// Services that everybody knows.
const USUAL: [&str; 3] = ["bedrock", "iam", "s3"];

fn is_of(dimension: &Dimension, classes: &FixedBitSet, text: &str) -> bool {
    let Classes::Texts(_, atoms) = &dimension.classes else { return true };
    let letters: Vec<Letter> = text.chars().map(Letter::Char).collect();
    // What a variable stands for may make a class that no plain text is of.
    atoms.class_of(&letters).is_none_or(|class| classes.contains(class))
}

/// An ARN of a format of the reference.
fn from_format(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, inside)) = rest.split_once("${") {
        let Some((name, after)) = inside.split_once('}') else { break };
        text.push_str(before);
        text.push_str(match name {
            "Partition" => "aws",
            "Region" => REGION,
            "Account" => ACCOUNT,
            _ => NAME,
        });
        rest = after;
    }
    text + rest
}

/// The ARN with the fields before its resource that the pattern says without wildcards.
fn with_fields_of(pattern: &str, arn: &str) -> String {
    let said: Vec<&str> = pattern.splitn(FIELDS, ':').collect();
    let fields = arn.splitn(FIELDS, ':').enumerate().map(|(at, field)| match said.get(at) {
        Some(said) if at + 1 < FIELDS && !said.contains(['*', '?', '$']) => *said,
        Some(_) | None => field,
    });
    fields.collect::<Vec<_>>().join(":")
}

/// The fields of an ARN.
const FIELDS: usize = 6;

/// What stands for a region and an account that may be any.
const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";

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
            Token::Run(_) if colons == 3 && ends_component && text.ends_with(':') => text.push_str(REGION),
            Token::Run(_) if colons == 4 && ends_component && text.ends_with(':') => text.push_str(ACCOUNT),
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
