//! Conditions on an input, one for each thing that its schema or its tool asks, in the order in which they can be asked.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::{Constraint, Tool};
use aipolicy_compiler::model::value::Literal;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{Span, Spanned};
use serde_json::Value;

use super::jsonata;
use super::schema::{Kind, NumberRules, Property, Rule, Shape, TextRules};

/// A condition in JSONata, true for what is valid, and the place that asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) expression: String,
    /// What it asks, for whoever reads the machine.
    pub(crate) says: String,
    pub(crate) span: Span,
}

/// Everything that the schema asks of a value; later conditions rely on earlier ones.
pub(crate) fn of_shape(shape: &Shape, value: &str) -> Vec<Condition> {
    let mut found = Found { path: Vec::new(), conditions: Vec::new() };
    found.shape(shape, value);
    found.conditions
}

struct Found {
    path: Vec<String>,
    conditions: Vec<Condition>,
}

impl Found {
    fn push(&mut self, expression: String, says: &str, span: Span) {
        let name = if self.path.is_empty() { "the input".to_owned() } else { self.path.join(".") };
        self.conditions.push(Condition { expression, says: format!("{name} {says}"), span });
    }

    fn shape(&mut self, shape: &Shape, value: &str) {
        self.push(is_of_type(shape, value), &format!("must be of type {}", shape.word()), shape.span);
        match &shape.kind {
            Kind::Text(rules) => self.text(rules, value),
            Kind::Number(rules) => self.number(rules, value),
            Kind::Bool => {}
            Kind::List { items, least, most } => {
                self.bound(least.as_ref(), (&format!("$count({value})"), ">="), "must be longer");
                self.bound(most.as_ref(), (&format!("$count({value})"), "<="), "must be shorter");
                self.items(items, value);
            }
            Kind::Object(properties) => self.members(shape, properties, value),
        }
        if let Some((only, span)) = &shape.only {
            self.push(
                format!("{value} in {}", jsonata::list(only)),
                "must be one of the values listed",
                *span,
            );
        }
    }

    fn text(&mut self, rules: &TextRules, value: &str) {
        let length = format!("$length({value})");
        self.bound(rules.least.as_ref(), (&length, ">="), "must be longer");
        self.bound(rules.most.as_ref(), (&length, "<="), "must be shorter");
        if let Some((pattern, span)) = &rules.pattern {
            // Engines differ about `$` before a final line break.
            let guard = if pattern.contains('$') {
                format!(" and $not($contains({value}, '\\n') or $contains({value}, '\\r'))")
            } else {
                String::new()
            };
            let matches = format!("$contains({value}, {}){guard}", jsonata::pattern(pattern));
            self.push(matches, "must fit its pattern", *span);
        }
    }

    fn number(&mut self, rules: &NumberRules, value: &str) {
        self.bound(rules.least.as_ref(), (value, ">="), "must be greater");
        self.bound(rules.most.as_ref(), (value, "<="), "must be less");
        self.bound(rules.above.as_ref(), (value, ">"), "must be greater");
        self.bound(rules.below.as_ref(), (value, "<"), "must be less");
    }

    fn bound(&mut self, rule: Option<&Rule>, (value, operator): (&str, &str), says: &str) {
        if let Some((bound, span)) = rule {
            self.push(format!("{value} {operator} {}", jsonata::number(bound)), says, *span);
        }
    }

    /// One condition for all items, since a machine cannot go through them.
    fn items(&mut self, items: &Shape, value: &str) {
        let each: Vec<_> =
            of_shape(items, "$item").into_iter().map(|one| format!("({})", one.expression)).collect();
        let bad = format!("$filter({value}, function($item) {{ $not({}) }})", each.join(" and "));
        self.push(format!("$count({bad}) = 0"), "must have valid items", items.span);
    }

    fn members(&mut self, shape: &Shape, properties: &[Property], value: &str) {
        let names: Vec<_> = properties.iter().map(|one| Value::from(one.name.as_str())).collect();
        let unknown = format!("function($key) {{ $not($key in {}) }}", jsonata::list(&names));
        let unknown = format!("$count($filter($keys({value}), {unknown})) = 0");
        self.push(unknown, "must have no other members", shape.span);
        for property in properties {
            let member = jsonata::member(value, &property.name);
            self.path.push(property.name.clone());
            if property.required {
                self.push(format!("$exists({member})"), "must be there", property.shape.span);
                self.shape(&property.shape, &member);
            } else {
                let from = self.conditions.len();
                self.shape(&property.shape, &member);
                for condition in self.conditions.iter_mut().skip(from) {
                    condition.expression = format!("$not($exists({member})) or ({})", condition.expression);
                }
            }
            self.path.pop();
        }
    }
}

fn is_of_type(shape: &Shape, value: &str) -> String {
    let is = |word: &str| format!("$type({value}) = '{word}'");
    match &shape.kind {
        Kind::Text(_) => is("string"),
        Kind::Number(rules) if rules.whole => format!("{} and {value} = $floor({value})", is("number")),
        Kind::Number(_) => is("number"),
        Kind::Bool => is("boolean"),
        Kind::List { .. } => is("array"),
        Kind::Object(_) => is("object"),
    }
}

/// What one tool asks of a member of its input, beyond the schema.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) property: String,
    pub(crate) asks: Asks,
    pub(crate) span: Span,
}

/// What is asked of a member.
#[derive(Clone, Debug)]
pub(crate) enum Asks {
    AtLeast(i64),
    AtMost(i64),
    OneOf(Vec<Value>),
    Length(u32),
}

/// The limits of a tool, each on a member that its schema has, and of its type.
pub(super) fn limits(tool: &Tool, shape: &Shape, out: &mut Diagnostics) -> Option<Vec<Limit>> {
    let mut found = Vec::new();
    let mut sound = true;
    for (name, constraint) in &tool.allow.0 {
        let mut refuse = |span: Span, message: String| {
            out.report(rule::UNSUPPORTED.at(span, message, "").help("limit a member that `input` describes"));
            sound = false;
        };
        let Some(property) = shape.properties().iter().find(|one| one.name == *name) else {
            refuse(constraint.span, format!("the input of `{}` has no `{name}`", tool.name.value));
            continue;
        };
        for (asks, span) in asked(&constraint.value) {
            if fits(&asks, property) {
                found.push(Limit { property: name.clone(), asks, span });
            } else {
                refuse(
                    span,
                    format!("this cannot be asked of `{name}`, which is of type {}", property.shape.word()),
                );
            }
        }
    }
    sound.then_some(found)
}

fn asked(constraint: &Constraint) -> Vec<(Asks, Span)> {
    let whole = |bound: &Spanned<Literal>, make: fn(i64) -> Asks| match bound.value {
        Literal::Integer(value) => (make(value), bound.span),
        Literal::Text(_) | Literal::Bool(_) => (Asks::OneOf(Vec::new()), bound.span),
    };
    let least = constraint.min.iter().map(|bound| whole(bound, Asks::AtLeast));
    let most = constraint.max.iter().map(|bound| whole(bound, Asks::AtMost));
    let length = constraint.max_length.iter().map(|bound| (Asks::Length(bound.value.0), bound.span));
    let only = constraint.one_of.first().map(|first| {
        let values = constraint.one_of.iter().map(|one| match &one.value {
            Literal::Text(text) => Value::from(text.as_str()),
            Literal::Integer(number) => Value::from(*number),
            Literal::Bool(value) => Value::from(*value),
        });
        (Asks::OneOf(values.collect()), first.span)
    });
    least.chain(most).chain(length).chain(only).collect()
}

fn fits(asks: &Asks, property: &Property) -> bool {
    match (asks, &property.shape.kind) {
        (Asks::AtLeast(_) | Asks::AtMost(_), Kind::Number(_)) | (Asks::Length(_), Kind::Text(_)) => true,
        (Asks::OneOf(values), Kind::Text(_)) => !values.is_empty() && values.iter().all(Value::is_string),
        (Asks::OneOf(values), Kind::Number(_)) => !values.is_empty() && values.iter().all(Value::is_number),
        (
            Asks::AtLeast(_) | Asks::AtMost(_) | Asks::Length(_) | Asks::OneOf(_),
            Kind::Text(_) | Kind::Number(_) | Kind::Bool | Kind::List { .. } | Kind::Object(_),
        ) => false,
    }
}

impl Limit {
    /// The limit as a condition. A member that is left out keeps every limit.
    pub(crate) fn condition(&self, value: &str) -> Condition {
        let member = jsonata::member(value, &self.property);
        let (asked, says) = match &self.asks {
            Asks::AtLeast(bound) => (format!("{member} >= {bound}"), "must be at least what is allowed"),
            Asks::AtMost(bound) => (format!("{member} <= {bound}"), "must be at most what is allowed"),
            Asks::OneOf(values) => {
                (format!("{member} in {}", jsonata::list(values)), "must be one of what is allowed")
            }
            Asks::Length(most) => {
                (format!("$length({member}) <= {most}"), "must be no longer than what is allowed")
            }
        };
        let expression = format!("$not($exists({member})) or ({asked})");
        Condition { expression, says: format!("{} {says}", self.property), span: self.span }
    }
}
