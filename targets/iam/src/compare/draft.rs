//! A statement taken apart: what it asks of each dimension of a request, with the error on the side that is safe.

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Point, Scale, Span, addresses, flag, instant, number};
use crate::action::{ValueType, condition_key};
use crate::document::{Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version};
use crate::operator::{Comparison, Operator, Order, Quantifier};
use crate::pattern::{Pattern, may_have_variables};

/// A dimension of requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// The action, in lower case.
    Action,
    /// The ARN of the resource.
    Resource,
    /// Who asks: the kind of the principal, `:` and its name.
    Principal,
    /// The values under a condition key, in lower case.
    Condition(String),
}

/// What a statement asks of a request: all of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) constraints: Vec<Constraint>,
}

/// What is asked of one dimension.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) key: Key,
    /// The condition key as the statement writes it.
    pub(crate) written: String,
    pub(crate) test: Test,
    pub(crate) quantifier: Quantifier,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
    /// Whether it is asked of a list of values.
    pub(crate) many: bool,
    /// Where to err.
    pub(crate) toward: Toward,
}

/// Which values pass.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Those of a pattern.
    Texts(Vec<Pattern>),
    /// Those between two others.
    Spans(Vec<Span>),
    /// None at all, or any.
    Presence {
        /// Whether a request without the key passes.
        absent: bool,
        /// Whether a request with it passes.
        present: bool,
    },
}

impl Test {
    /// The patterns of texts.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        match self {
            Self::Texts(patterns) => patterns,
            Self::Spans(_) | Self::Presence { .. } => &[],
        }
    }

    /// The spans of values.
    pub(crate) fn spans(&self) -> &[Span] {
        match self {
            Self::Spans(spans) => spans,
            Self::Texts(_) | Self::Presence { .. } => &[],
        }
    }
}

/// How statements are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Policy variables.
    pub(crate) variables: Variables,
    /// Whether a `*` of `Resource` that does not end a component of the ARN stands for `:` too. AWS does not say.
    pub(crate) over_colons: bool,
}

/// How policy variables are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// As letters of their own. A text with such letters surely matches where the same variable or `*` stands, and may
    /// match where any text would.
    Letters,
    /// As any text, or as none.
    Anything,
}

/// Which way a block may differ from its statement where it cannot say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    /// It may hold requests that the statement does not apply to.
    More,
    /// It may lack requests that the statement applies to.
    Less,
}

/// What could not be read exactly, and why.
pub(crate) type Reasons = BTreeSet<String>;

/// Takes a statement apart. `None` when there is nothing that it surely applies to.
pub(crate) fn draft(
    (statement, version): (&Statement, Version),
    toward: Toward,
    reading: Reading,
    reasons: &mut Reasons,
) -> Option<Draft> {
    let mut drafter = Drafter { version, toward, reading, reasons, draft: Draft::default() };
    drafter.statement(statement).then_some(drafter.draft)
}

struct Drafter<'a> {
    version: Version,
    toward: Toward,
    reading: Reading,
    reasons: &'a mut Reasons,
    draft: Draft,
}

impl Drafter<'_> {
    /// Whether the statement may apply to anything.
    fn statement(&mut self, statement: &Statement) -> bool {
        let actions = matched(&statement.actions, Pattern::action);
        self.texts(Key::Action, actions);
        if let Some(resources) = &statement.resources {
            let version = self.version;
            let over_colons = self.reading.over_colons;
            let resources = matched(resources, |text| {
                let pattern = Pattern::resource(text, version);
                if over_colons { pattern } else { pattern.within_components() }
            });
            self.texts(Key::Resource, resources);
        }
        let sound = statement.principal.as_ref().is_none_or(|principals| self.principals(principals));
        let conditions = statement
            .conditions
            .iter()
            .flat_map(|(operator, keys)| keys.iter().map(move |(key, values)| (operator, key, values)));
        let mut all = sound;
        for (operator, key, values) in conditions {
            let exact = self.condition(operator, key, values);
            if let Err(reason) = exact {
                self.reasons.insert(reason);
                all &= self.toward == Toward::More;
            }
        }
        if self.toward == Toward::More {
            if self.reading.variables == Variables::Letters {
                self.one_text_with_variables_each();
            }
            self.presence_of_variables(statement);
        }
        all
    }

    fn texts(&mut self, key: Key, (negated, patterns): (bool, Vec<Pattern>)) {
        let test = Test::Texts(patterns.into_iter().filter_map(|one| self.safe(one, negated)).collect());
        let toward = self.toward;
        let quantifier = Quantifier::One;
        let constraint = Constraint {
            key,
            written: String::new(),
            test,
            quantifier,
            negated,
            if_exists: false,
            many: false,
            toward,
        };
        self.draft.constraints.push(constraint);
    }

    /// A pattern with the error on the safe side. What surely passes a negated test is what no value of a variable makes
    /// match, be the variable in the pattern or in the text.
    fn safe(&self, pattern: Pattern, negated: bool) -> Option<Pattern> {
        let has_variables = pattern.has_variables();
        let more = (self.toward == Toward::More) != negated;
        match self.reading.variables {
            Variables::Letters if negated && self.toward == Toward::Less => {
                Some(pattern.widened().loosened())
            }
            Variables::Letters => Some(pattern),
            Variables::Anything if !has_variables => Some(pattern),
            Variables::Anything => more.then(|| pattern.widened()),
        }
    }

    /// Two patterns with variables of one dimension may both match a text whose letters match one of them alone. So
    /// where a dimension has several, variables are any text.
    fn one_text_with_variables_each(&mut self) {
        let mut positive: BTreeMap<Key, usize> = BTreeMap::new();
        let texts = |one: &&Constraint| !one.negated && !one.test.patterns().is_empty();
        for constraint in self.draft.constraints.iter().filter(texts) {
            *positive.entry(constraint.key.clone()).or_default() += 1;
        }
        for constraint in &mut self.draft.constraints {
            let several = positive.get(&constraint.key).is_some_and(|count| *count > 1);
            if let (Test::Texts(patterns), true, false) = (&mut constraint.test, several, constraint.negated)
            {
                patterns.iter_mut().for_each(|pattern| *pattern = pattern.widened());
            }
        }
    }

    /// A policy variable without value and default matches nothing, so where each text of an element has one, its key is
    /// there.
    fn presence_of_variables(&mut self, statement: &Statement) {
        let mut needed = BTreeSet::new();
        if let Some(Matcher::In(texts)) = &statement.resources {
            needed.extend(self.in_each(texts));
        }
        for (operator, keys) in &statement.conditions {
            let read = operator.parse::<Operator>().ok().filter(|read| {
                let is_text =
                    matches!(read.comparison, Comparison::Text { .. } | Comparison::Like | Comparison::Arn);
                is_text && !read.negated && !read.if_exists && read.quantifier != Quantifier::All
            });
            if read.is_some() {
                needed.extend(keys.values().flat_map(|values| self.in_each(values)));
            }
        }
        for key in needed {
            self.draft.constraints.push(Constraint {
                written: key.clone(),
                key: Key::Condition(key),
                test: Test::Presence { absent: false, present: true },
                quantifier: Quantifier::One,
                negated: false,
                if_exists: false,
                many: false,
                toward: self.toward,
            });
        }
    }

    /// The keys of variables without default that stand in each of the texts.
    fn in_each(&self, texts: &BTreeSet<String>) -> BTreeSet<String> {
        if !texts.iter().all(|text| may_have_variables(text)) {
            return BTreeSet::new();
        }
        let keys = texts.iter().map(|text| {
            let pattern = Pattern::like(text, self.version);
            pattern.needed_variables().map(str::to_owned).collect::<BTreeSet<String>>()
        });
        keys.reduce(|all, keys| &all & &keys).unwrap_or_default()
    }

    /// Whether the statement may apply to anything.
    fn principals(&mut self, principals: &Principals) -> bool {
        let set = match principals {
            Principals::In(set) => set,
            Principals::NotIn(_) => {
                self.reasons
                    .insert("`NotPrincipal` depends on sessions and accounts of the caller".to_owned());
                return self.toward == Toward::More;
            }
        };
        let patterns = match set {
            PrincipalSet::Any => return true,
            PrincipalSet::Listed(listed) => listed
                .iter()
                .flat_map(|(kind, names)| names.iter().flat_map(|name| principal(*kind, name)))
                .collect(),
        };
        self.texts(Key::Principal, (false, patterns));
        true
    }

    fn condition(&mut self, operator: &str, key: &str, values: &BTreeSet<String>) -> Result<(), String> {
        let read: Operator =
            operator.parse().map_err(|_| format!("`{operator}` is no condition operator that is known"))?;
        let known = condition_key(key);
        let many = read.quantifier != Quantifier::One && known.is_none_or(|known| known.many);
        let is_flag = known.is_some_and(|known| known.value == ValueType::Bool);
        let test = self
            .test(read, values, is_flag)
            .map_err(|reason| format!("`{operator}` of `{key}`: {reason}"))?;
        let presence = matches!(test, Test::Presence { .. });
        let constraint = Constraint {
            key: Key::Condition(key.to_ascii_lowercase()),
            written: key.to_owned(),
            test,
            quantifier: read.quantifier,
            negated: read.negated && !presence,
            if_exists: read.if_exists,
            many,
            toward: self.toward,
        };
        self.draft.constraints.push(constraint);
        Ok(())
    }

    fn test(&self, read: Operator, values: &BTreeSet<String>, is_flag: bool) -> Result<Test, String> {
        let version = self.version;
        let texts = |pattern: &dyn Fn(&str) -> Pattern| {
            let patterns = values.iter().map(|value| pattern(value));
            Test::Texts(patterns.filter_map(|pattern| self.safe(pattern, read.negated)).collect())
        };
        let spans = |span: &dyn Fn(&str) -> Option<Vec<Span>>| {
            let found: Option<Vec<Vec<Span>>> = values.iter().map(|value| span(value)).collect();
            found.map(|found| Test::Spans(found.concat())).ok_or("a value has no meaning there".to_owned())
        };
        let is_text = matches!(read.comparison, Comparison::Text { .. } | Comparison::Like);
        if is_flag && is_text && values.iter().all(|value| flag(value).is_some()) {
            // A boolean is `true` or `false`, and nothing else, also to an operator on texts.
            let fold = matches!(read.comparison, Comparison::Text { fold: true });
            let written = values.iter().filter(|value| fold || **value == value.to_ascii_lowercase());
            return Ok(Test::Spans(
                written.filter_map(|value| flag(value)).map(|point| (point, point)).collect(),
            ));
        }
        match read.comparison {
            Comparison::Text { fold } => Ok(texts(&|value| Pattern::exact(value, version, fold))),
            Comparison::Like => Ok(texts(&|value| Pattern::like(value, version))),
            Comparison::Arn => Ok(texts(&|value| Pattern::arn(value, version))),
            Comparison::Bool => spans(&|value| flag(value).map(|point| vec![(point, point)])),
            Comparison::Number(order) => spans(&|value| number(value).map(|point| ordered(order, point))),
            Comparison::Date(order) => spans(&|value| instant(value).map(|point| ordered(order, point))),
            Comparison::Address => spans(&|value| addresses(value).map(|span| vec![span])),
            Comparison::Null => Ok(Test::Presence {
                absent: values.iter().any(|value| value.eq_ignore_ascii_case("true")),
                present: values.iter().any(|value| value.eq_ignore_ascii_case("false")),
            }),
            Comparison::Binary => Err("bytes are not compared".to_owned()),
        }
    }
}

fn matched(matcher: &Matcher, pattern: impl Fn(&str) -> Pattern) -> (bool, Vec<Pattern>) {
    match matcher {
        Matcher::In(texts) => (false, texts.iter().map(|text| pattern(text)).collect()),
        Matcher::NotIn(texts) => (true, texts.iter().map(|text| pattern(text)).collect()),
    }
}

/// The callers that a name stands for, as patterns of kind and name. An account stands for all that is in it, and a role
/// for its sessions, whose ARNs do not have its path.
fn principal(kind: PrincipalKind, name: &str) -> Vec<Pattern> {
    let itself = Pattern::exact(&format!("{}:{name}", kind.as_str()), Version::V2008, false);
    if kind != PrincipalKind::Aws {
        return vec![itself];
    }
    if name == "*" {
        return vec![Pattern::like("*", Version::V2008)];
    }
    let like = |text: String| Pattern::like(&text, Version::V2008);
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account(name) {
        return ["iam", "sts"].map(|service| like(format!("AWS:arn:*:{service}::{name}:*"))).to_vec();
    }
    let fields: Vec<&str> = name.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = fields.as_slice() else { return vec![itself] };
    if !is_account(account) || name.contains(['*', '?']) {
        return vec![itself];
    }
    match (*resource, resource.rsplit_once('/')) {
        ("root", _) => {
            ["iam", "sts"].map(|service| like(format!("AWS:arn:{partition}:{service}::{account}:*"))).to_vec()
        }
        (role, Some((_, name))) if role.starts_with("role/") => {
            vec![itself, like(format!("AWS:arn:{partition}:sts::{account}:assumed-role/{name}/*"))]
        }
        _ => vec![itself],
    }
}

fn ordered(order: Order, (scale, point): Point) -> Vec<Span> {
    let (first, last) = Scale::whole(scale);
    let below = point.checked_sub(1).map(|below| (first, (scale, below)));
    let above = point.checked_add(1).map(|above| ((scale, above), last));
    let here = ((scale, point), (scale, point));
    match order {
        Order::Equal => vec![here],
        Order::Less => below.into_iter().collect(),
        Order::LessOrEqual => below.into_iter().chain([here]).collect(),
        Order::Greater => above.into_iter().collect(),
        Order::GreaterOrEqual => above.into_iter().chain([here]).collect(),
    }
}
