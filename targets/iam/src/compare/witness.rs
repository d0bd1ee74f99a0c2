//! Requests out of blocks, as close to real ones as can be.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fixedbitset::FixedBitSet;

use super::atoms::Letter;
use super::block::Side;
use super::draft::Key;
use super::search::{Leftover, Placed};
use super::space::{Classes, Dimension, Space};
use crate::action::{Action, ResourceType, Service, action, actions_matching, condition_key, service};
use crate::document::{Matcher, PrincipalKind};
use crate::pattern::{Pattern, Token, Variable};
use crate::request::{Caller, Request};

/// A request that may show a leftover.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) request: Request,
    /// Whether the catalog knows the action, and the resource is of a type that it is about.
    pub(crate) known: bool,
}

/// Requests of a leftover, the most likely first: those that are found at once, and then all.
pub(crate) fn candidates<'l>(
    leftover: &'l Leftover<'l>,
    space: &'l Space,
) -> impl Iterator<Item = Candidate> + use<'l> {
    let [first, all] = [true, false].map(|at_once| Maker { leftover, space, at_once });
    let first = std::iter::once(first).flat_map(|maker| {
        let context = maker.variables_tried().first().and_then(|variables| maker.context(variables));
        let proposed = context.map(|context| maker.proposals(&context.into()));
        proposed.into_iter().flatten().filter(|one| one.known).map(move |one| maker.candidate(&one))
    });
    let all = std::iter::once(all).flat_map(|maker| {
        let tried = maker.variables_tried();
        let contexts = tried.iter().filter_map(|variables| maker.context(variables).map(Rc::new));
        let mut proposed: Vec<_> = contexts.flat_map(|context| maker.proposals(&context)).collect();
        proposed.sort_by_key(|one| !one.known);
        proposed.into_iter().map(move |one| maker.candidate(&one))
    });
    first.chain(all)
}

/// What a request may be made of.
struct Proposal {
    action: String,
    resource: String,
    caller: Option<Caller>,
    context: Rc<Context>,
    known: bool,
}

/// How many texts are tried for one dimension.
const TRIED: usize = 8;

/// How many actions are tried, where those before have no resource of the leftover.
const MOST: usize = 100;

/// What stands for a caller who may be any.
const CALLER: &str = "AWS:arn:aws:iam::123456789012:role/example";

/// What stands for a name that may be any.
const NAME: &str = "example";

/// What stands for names that differ.
const NAMES: [&str; 4] = ["red", "green", "blue", "yellow"];

/// What each condition key has.
type Context = BTreeMap<String, Vec<String>>;

struct Maker<'a> {
    leftover: &'a Leftover<'a>,
    space: &'a Space,
    /// Whether the first request that is found will do.
    at_once: bool,
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

    /// What policy variables are tried with: some name, or a word of the resources, which another pattern may ask for;
    /// each with a name of its own; and none, where one has a default.
    fn variables_tried(&self) -> Vec<Context> {
        let keys = self.variables();
        let all = |value: &str| keys.iter().map(|key| (key.clone(), vec![value.to_owned()])).collect();
        let mut tried: Vec<Context> = vec![all(NAME)];
        if keys.is_empty() {
            return tried;
        }
        if keys.len() > 1 {
            let each = keys.iter().zip(NAMES.iter().cycle());
            tried.push(each.map(|(key, name)| (key.clone(), vec![(*name).to_owned()])).collect());
        }
        let resources = self.dimension(&Key::Resource).map(|(dimension, _)| dimension.classes.patterns());
        let words: BTreeSet<String> = resources
            .into_iter()
            .flatten()
            .map(|pattern| self.plain(&self.spelled(pattern, &USUALLY), &Context::new()))
            .flat_map(|text| text.split(['/', ':']).map(str::to_owned).collect::<Vec<_>>())
            .filter(|word| !word.is_empty() && word != NAME)
            .collect();
        tried.extend(words.iter().take(TRIED).map(|word| all(word)));
        tried.push(Context::new());
        tried
    }

    /// The values of each condition key that has to have one, and of policy variables; `None` where a key can have none.
    fn context(&self, variables: &Context) -> Option<Context> {
        let mut context = Context::new();
        for (at, dimension) in self.space.dimensions.iter().enumerate() {
            let Key::Condition(key) = &dimension.key else { continue };
            let is_named = variables.contains_key(key);
            let side = match self.leftover.block.side(at) {
                Side::Full if !is_named => continue,
                Side::Full => self.space.all.get(at)?,
                side @ (Side::One(_) | Side::Many(_)) => side,
            };
            let values = match side {
                Side::One(classes) => {
                    let may_lack = dimension.absent().is_some_and(|absent| classes.contains(absent));
                    if may_lack && !is_named {
                        continue;
                    }
                    let Some(text) = self.text((dimension, classes), key, variables) else {
                        if may_lack {
                            continue;
                        }
                        return None;
                    };
                    vec![text]
                }
                Side::Many(values) => {
                    let of_each =
                        values.meets.iter().map(|meet| self.text((dimension, meet), key, variables));
                    of_each.collect::<Option<Vec<String>>>()?
                }
                Side::Full => continue,
            };
            context.insert(key.clone(), values);
        }
        for (key, values) in variables {
            context.entry(key.clone()).or_insert_with(|| values.clone());
        }
        Some(context)
    }

    /// One text of these classes: what such a key usually has, or what the policies name, or else the shortest.
    fn text(
        &self,
        (dimension, classes): (&Dimension, &FixedBitSet),
        key: &str,
        variables: &Context,
    ) -> Option<String> {
        let own = variables.get(key).and_then(|values| values.first()).cloned();
        match &dimension.classes {
            Classes::Any => Some(own.unwrap_or_else(|| NAME.to_owned())),
            Classes::Line(line) => {
                classes.ones().find(|piece| *piece < line.len()).map(|piece| line.text(piece))
            }
            Classes::Texts(..) => {
                let usual = usual_values(key).iter().map(|text| (*text).to_owned());
                let texts = own.into_iter().chain(usual).map(|text| letters(&text));
                let named = dimension.classes.meeting(classes).flat_map(|pattern| {
                    ["eu-central-1", "us-east-1"]
                        .map(|region| self.spelled(pattern, &Filling { region, ..USUALLY }))
                });
                let proposed = texts.chain(named).chain([letters(NAME)]);
                self.among((dimension, classes), proposed, variables).into_iter().next()
            }
        }
    }

    fn candidate(&self, proposal: &Proposal) -> Candidate {
        let mut request = Request::new(&proposal.action, &proposal.resource);
        request.principal.clone_from(&proposal.caller);
        for (key, values) in proposal.context.as_ref() {
            request.context.set(&self.spelled_key(key), values.clone());
        }
        Candidate { request, known: proposal.known }
    }

    fn proposals(&self, context: &Rc<Context>) -> Vec<Proposal> {
        let resources = self.resources(context);
        let mut pairs: Vec<(String, String, bool)> = Vec::new();
        for action in self.known_actions().into_iter().filter(|action| self.has_action(action)).take(MOST) {
            for resource in self.resources_of(action, &resources, context) {
                pairs.push((action.to_string(), resource, true));
            }
            if pairs.len() >= if self.at_once { 1 } else { TRIED } {
                break;
            }
        }
        let named = self.named_actions();
        for action in self.texts(&Key::Action, named.iter().map(|name| letters(name)), context) {
            pairs.extend(resources.iter().map(|resource| (action.clone(), resource.clone(), false)));
        }
        let callers = match self.dimension(&Key::Principal) {
            Some(_) => self.callers(context).into_iter().map(Some).collect(),
            None => vec![None],
        };
        let by = |caller: &Option<Caller>| {
            let caller = caller.clone();
            pairs.iter().map(move |(action, resource, known)| Proposal {
                action: action.clone(),
                resource: resource.clone(),
                caller: caller.clone(),
                context: Rc::clone(context),
                known: *known,
            })
        };
        callers.iter().flat_map(by).collect()
    }

    /// A condition key as AWS writes it; what it has of its own, such as the key of a tag, as the policies write it.
    fn spelled_key(&self, key: &str) -> String {
        let dimension = self.dimension(&Key::Condition(key.to_owned()));
        let written = dimension.map_or(key, |(dimension, _)| &dimension.written);
        condition_key(key).map_or_else(|| written.to_owned(), |known| known.spelled(written))
    }

    /// Callers of the leftover.
    fn callers(&self, context: &Context) -> Vec<Caller> {
        let Some((dimension, _)) = self.dimension(&Key::Principal) else { return Vec::new() };
        let named = dimension.classes.patterns().iter().map(|pattern| {
            let start =
                self.plain(&self.spelled(pattern, &Filling { word: "", last: "", ..USUALLY }), context);
            let last = match start.ends_with(':') {
                true if start.contains(":sts:") => "assumed-role/example/example",
                true => "role/example",
                false => NAME,
            };
            self.spelled(pattern, &Filling { last, ..USUALLY })
        });
        let proposed = named.chain([letters(CALLER)]);
        self.texts(&Key::Principal, proposed, context).iter().filter_map(|text| caller(text)).collect()
    }

    /// The actions that the statement names without wildcards.
    fn named_actions(&self) -> Vec<String> {
        match &self.leftover.allowed_by.statement.actions {
            Matcher::In(names) => names.iter().filter(|name| !name.contains(['*', '?'])).cloned().collect(),
            Matcher::NotIn(_) => Vec::new(),
        }
    }

    /// Whether an action of the catalog is of the leftover.
    fn has_action(&self, action: &Action) -> bool {
        let Some((dimension, Side::One(classes))) = self.dimension(&Key::Action) else { return false };
        is_of(dimension, classes, &action.to_string().to_ascii_lowercase())
    }

    /// Actions that the statement allows and the catalog knows: those that it names, then usual ones, then those with the
    /// shortest names.
    fn known_actions(&self) -> Vec<&'static Action> {
        let Some((dimension, _)) = self.dimension(&Key::Action) else { return Vec::new() };
        let named: Vec<&Action> = self.named_actions().iter().filter_map(|name| action(name)).collect();
        if named.iter().any(|action| self.has_action(action)) {
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
        let is_usual = |action: &Action| USUAL_ACTIONS.contains(&(action.service, action.name));
        actions.sort_by_key(|action| (!is_usual(action), action.name.len(), action.name, action.service));
        actions
    }

    /// Resources of the leftover that the action is about: of those proposed, or as the reference writes them.
    fn resources_of(&self, action: &Action, proposed: &[String], context: &Context) -> Vec<String> {
        if action.on.is_empty() {
            let none = self.texts_or_any(&Key::Resource, [letters("*")], context);
            return none.into_iter().take(1).filter(|text| text == "*").collect();
        }
        let mut types: Vec<_> = action.resource_types().collect();
        let name = action.name.to_ascii_lowercase();
        types.sort_by_key(|kind| (!name.contains(kind.name), !USUAL_TYPES.contains(&kind.name)));
        let written: Vec<&str> = match &self.leftover.allowed_by.statement.resources {
            Some(Matcher::In(texts)) => texts.iter().map(String::as_str).collect(),
            Some(Matcher::NotIn(_)) | None => vec!["*"],
        };
        // Names have no `:`, but where a format or a policy says so.
        let colons = |text: &str| text.matches(':').count();
        let is_of = |text: &str, kind: &ResourceType| {
            let most = kind.formats.iter().chain(&written).map(|text| colons(text)).max();
            Some(colons(text)) <= most && kind.overlaps(text)
        };
        let of_type = |text: &String| types.iter().any(|kind| is_of(text, kind));
        let mut found = proposed.iter().filter(|text| of_type(text)).cloned();
        if self.at_once {
            return found.next().into_iter().collect();
        }
        let mut found: Vec<String> = found.collect();
        let formats: Vec<&str> = types.iter().flat_map(|kind| kind.formats.iter().copied()).collect();
        let ends = formats.iter().filter_map(|format| end_of(format));
        let patterns = self.leftover.allowed_by.resources();
        let mut texts: Vec<Text> = ends
            .flat_map(|last| {
                let filling = |pattern| self.spelled(pattern, &Filling { last: &last, ..USUALLY });
                patterns.iter().map(filling).collect::<Vec<_>>()
            })
            .collect();
        texts.extend(formats.iter().flat_map(|format| {
            written.iter().map(move |pattern| letters(&with_fields_of(pattern, &from_format(format))))
        }));
        found.extend(self.texts_or_any(&Key::Resource, texts, context).into_iter().filter(of_type));
        found.truncate(TRIED);
        found
    }

    fn resources(&self, context: &Context) -> Vec<String> {
        let mut patterns = self.leftover.allowed_by.resources();
        patterns.extend(self.leftover.denied_by.iter().flat_map(Placed::resources));
        if let Some((dimension, Side::One(classes))) = self.dimension(&Key::Resource) {
            patterns.extend(dimension.classes.meeting(classes).cloned());
        }
        let fillings = if self.at_once { 1 } else { FILLINGS.len() };
        let proposed = FILLINGS.iter().take(fillings).enumerate().flat_map(|(at, filling)| {
            let told_apart = patterns.iter().filter(move |pattern| at == 0 || pattern.has_wildcards());
            told_apart.map(move |one| self.spelled(one, filling))
        });
        self.texts_or_any(&Key::Resource, proposed, context)
    }

    /// Those that are of the leftover; all where nothing is asked of the dimension.
    fn texts_or_any(
        &self,
        key: &Key,
        proposed: impl IntoIterator<Item = Text>,
        context: &Context,
    ) -> Vec<String> {
        if self.dimension(key).is_none() {
            return proposed.into_iter().map(|text| self.plain(&text, context)).collect();
        }
        self.texts(key, proposed, context)
    }

    fn texts(&self, key: &Key, proposed: impl IntoIterator<Item = Text>, context: &Context) -> Vec<String> {
        let Some((dimension, Side::One(classes))) = self.dimension(key) else { return Vec::new() };
        self.among((dimension, classes), proposed, context)
    }

    /// Those texts that are of the classes, and the shortest ones of the classes.
    fn among(
        &self,
        (dimension, classes): (&Dimension, &FixedBitSet),
        proposed: impl IntoIterator<Item = Text>,
        context: &Context,
    ) -> Vec<String> {
        let Classes::Texts(_, atoms) = &dimension.classes else { return Vec::new() };
        let of_classes = |text: &[Letter]| atoms.class_of(text).is_none_or(|class| classes.contains(class));
        let proposed = proposed.into_iter().filter_map(|text| {
            let has_variables = text.iter().any(|letter| matches!(letter, Letter::Variable(_)));
            // What a variable stands for may make a class that no plain text is of.
            let is_wanted =
                of_classes(&text) || (has_variables && of_classes(&letters(&self.plain(&text, context))));
            is_wanted.then(|| self.plain(&text, context))
        });
        // What is found at once is like what the policies say.
        let is_wanted = |_: &usize| !self.at_once || dimension.key != Key::Resource;
        let shortest = classes
            .ones()
            .filter(is_wanted)
            .filter_map(|class| atoms.texts.get(class))
            .map(|text| self.plain(text, context));
        let mut seen = BTreeSet::new();
        proposed.chain(shortest).filter(|text| seen.insert(text.clone())).take(TRIED).collect()
    }

    /// A text of the pattern, with a partition, a region and an account where an ARN has them.
    fn spelled(&self, pattern: &Pattern, filling: &Filling<'_>) -> Text {
        let mut text = Text::new();
        let (mut plain, mut colons) = (String::new(), 0);
        let tokens = pattern.tokens();
        let last = tokens.iter().rposition(|token| matches!(token, Token::Run(_)));
        for (at, token) in tokens.iter().enumerate() {
            let is_last_of_component = matches!(tokens.get(at + 1), Some(Token::Char(':')));
            let is_component = plain.ends_with(':') && is_last_of_component;
            let written = match token {
                Token::Char(c) => {
                    text.push(Letter::Char(*c));
                    plain.push(*c);
                    colons += usize::from(*c == ':');
                    continue;
                }
                Token::One(_) => "x".to_owned(),
                Token::Run(_) if is_component && plain.ends_with("arn:") => filling.partition.to_owned(),
                Token::Run(_) if is_component && colons == 3 => filling.region.to_owned(),
                Token::Run(_) if is_component && colons == 4 => ACCOUNT.to_owned(),
                Token::Run(_) if colons == 3 && is_last_of_component => ended(&plain, filling.region),
                Token::Run(_) if last == Some(at) => filling.last.to_owned(),
                Token::Run(_) => filling.word.to_owned(),
                Token::Variable(named) => {
                    let Variable { key, default } = named.as_ref();
                    text.extend(self.space.alphabet.letter(key, default.as_ref(), pattern.folds()));
                    continue;
                }
            };
            text.extend(letters(&written));
            plain.push_str(&written);
            colons += written.matches(':').count();
        }
        text
    }

    fn plain(&self, text: &[Letter], context: &Context) -> String {
        let mut plain = String::new();
        for letter in text {
            match letter {
                Letter::Char(c) => plain.push(*c),
                Letter::Variable(variable) => {
                    let alphabet = &self.space.alphabet;
                    let values = alphabet.key(*variable).and_then(|key| context.get(key));
                    let value = values.and_then(|values| values.first()).map(String::as_str);
                    let value = value.or_else(|| alphabet.default_of(*variable)).unwrap_or(NAME);
                    plain.push_str(&if variable.fold {
                        value.to_ascii_uppercase()
                    } else {
                        value.to_owned()
                    });
                }
            }
        }
        plain
    }
}

/// What is missing in the region at the end of an ARN that has come to there: of this region, or else of another.
fn ended(arn: &str, region: &str) -> String {
    let begun = arn.rsplit(':').next().unwrap_or_default();
    let mut regions = [region].into_iter().chain(REGIONS);
    regions.find_map(|region| region.strip_prefix(begun)).unwrap_or(NAME).to_owned()
}

/// The services whose actions the policies name, and some others.
fn services_named(dimension: &Dimension) -> impl Iterator<Item = &'static Service> {
    let plain = |token: &Token| match token {
        Token::Char(c) => Some(*c),
        Token::One(_) | Token::Run(_) | Token::Variable(_) => None,
    };
    let patterns = dimension.classes.patterns().iter();
    let texts: Vec<String> =
        patterns.map(|pattern| pattern.tokens().iter().filter_map(plain).collect()).collect();
    let prefixes = texts.iter().filter_map(|text| text.split_once(':')).map(|(prefix, _)| prefix);
    let found = prefixes.chain(USUAL).filter_map(service).map(|service| (service.prefix, service));
    found.collect::<BTreeMap<_, _>>().into_values()
}

/// Services that everybody knows.
const USUAL: [&str; 4] = ["bedrock", "ec2", "iam", "s3"];

/// Their actions that everybody knows.
const USUAL_ACTIONS: [(&str, &str); 4] =
    [("bedrock", "InvokeModel"), ("ec2", "RunInstances"), ("iam", "CreateRole"), ("s3", "GetObject")];

/// Types of resources that everybody knows.
const USUAL_TYPES: [&str; 5] = ["bucket", "function", "instance", "object", "role"];

/// What requests usually have under a key.
fn usual_values(key: &str) -> &'static [&'static str] {
    match key {
        _ if key.ends_with("region") => &REGIONS,
        _ if key.ends_with("account") => &[ACCOUNT, "210987654321"],
        "aws:principalarn" => &["arn:aws:iam::123456789012:role/example"],
        _ => &[],
    }
}

fn is_of(dimension: &Dimension, classes: &FixedBitSet, text: &str) -> bool {
    let Classes::Texts(_, atoms) = &dimension.classes else { return true };
    atoms.class_of(&letters(text)).is_none_or(|class| classes.contains(class))
}

/// A text in which policy variables stand as themselves.
type Text = Vec<Letter>;

fn letters(text: &str) -> Text {
    text.chars().map(Letter::Char).collect()
}

/// An ARN of a format of the reference.
fn from_format(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, inside)) = rest.split_once("${") {
        let Some((name, after)) = inside.split_once('}') else { break };
        text.push_str(before);
        text.push_str(match name {
            "Partition" => PARTITION,
            "Region" => USUALLY.region,
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

/// What an ARN of the format has behind the first of its names: `log-stream:example` of a log stream.
fn end_of(format: &str) -> Option<String> {
    let (_, resource) =
        from_format(format).rsplit_once(ACCOUNT).map(|(before, after)| (before.len(), after.to_owned()))?;
    let (_, end) = resource.split_once(NAME)?;
    let end = end.trim_start_matches([':', '/']);
    (!end.is_empty()).then(|| end.to_owned())
}

/// Regions, the most usual first. Source: AWS General Reference, "AWS service endpoints".
const REGIONS: [&str; 36] = [
    "eu-central-1",
    "us-east-1",
    "eu-west-1",
    "us-west-2",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-north-1",
    "eu-west-2",
    "eu-west-3",
    "eu-south-1",
    "eu-south-2",
    "eu-central-2",
    "us-east-2",
    "us-west-1",
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "cn-north-1",
    "us-gov-west-1",
    "us-gov-east-1",
];

/// What stands for a partition, a region and an account that may be any.
const PARTITION: &str = "aws";
const ACCOUNT: &str = "123456789012";

/// What stands for the wildcards of a pattern.
struct Filling<'a> {
    /// For each `*` but the last.
    word: &'a str,
    last: &'a str,
    partition: &'a str,
    /// For one that is all of the region of an ARN.
    region: &'a str,
}

const USUALLY: Filling<'static> =
    Filling { word: NAME, last: NAME, partition: PARTITION, region: "eu-central-1" };

/// What is tried in place of `*`.
const FILLINGS: [Filling<'static>; 7] = [
    USUALLY,
    Filling { region: "us-east-1", ..USUALLY },
    Filling { region: "eu-west-1", ..USUALLY },
    Filling { partition: "aws-cn", region: "cn-north-1", ..USUALLY },
    Filling { word: "", last: "", ..USUALLY },
    Filling { word: "x", last: "x", ..USUALLY },
    Filling { word: "example/example", last: "example/example", ..USUALLY },
];

fn caller(text: &str) -> Option<Caller> {
    let (kind, name) = text.split_once(':')?;
    let kind = PrincipalKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some(Caller { kind, name: name.to_owned() })
}
