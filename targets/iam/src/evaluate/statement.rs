//! Statements, compiled, and whether a request meets one.

use crate::document::{Effect, Matcher, Principals, Statement, Version};
use crate::pattern::Pattern;
use crate::request::Request;

use super::condition::{Condition, Flaw, Truth};
use super::decision::{Element, Layer};
use super::principal::{Naming, Who};

/// A compiled statement.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    flaw: Option<Flaw>,
    principal: Option<Principals>,
    actions: Patterns,
    resources: Option<Patterns>,
    pub(crate) conditions: Vec<Condition>,
}

/// How a request meets a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of it; the naming is that of its `Principal`.
    Meets(Naming),
    /// All that can be evaluated.
    Unclear(Flaw),
    Misses,
}

/// A `Matcher`, compiled.
#[derive(Clone, Debug)]
struct Patterns {
    negated: bool,
    patterns: Vec<Pattern>,
}

impl Patterns {
    fn new(matcher: &Matcher, pattern: impl Fn(&str) -> Pattern) -> Self {
        let (negated, texts) = match matcher {
            Matcher::In(texts) => (false, texts),
            Matcher::NotIn(texts) => (true, texts),
        };
        Self { negated, patterns: texts.iter().map(|text| pattern(text)).collect() }
    }

    fn take(&self, text: &str, request: &Request) -> bool {
        let is_one = self.patterns.iter().any(|one| one.matches(text, |key| request.context.value(key)));
        is_one != self.negated
    }
}

impl Rule {
    pub(crate) fn new(statement: &Statement, version: Version, layer: Layer) -> Self {
        Self {
            sid: statement.sid.clone(),
            effect: statement.effect,
            flaw: flaw(statement, layer),
            principal: statement.principal.clone(),
            actions: Patterns::new(&statement.actions, Pattern::action),
            resources: statement
                .resources
                .as_ref()
                .map(|resources| Patterns::new(resources, |text| Pattern::resource(text, version))),
            conditions: Condition::all(&statement.conditions, version),
        }
    }

    /// Whether the statement is about the action, which is in lower case, so that it is made so once.
    pub(crate) fn takes_action(&self, action: &str, request: &Request) -> bool {
        self.actions.take(action, request)
    }

    pub(crate) fn takes_resource(&self, request: &Request) -> bool {
        self.resources.as_ref().is_none_or(|resources| resources.take(&request.resource, request))
    }

    /// How the statement names the caller. One without `Principal` belongs to the caller.
    pub(crate) fn names(&self, who: &Who<'_>) -> Option<Naming> {
        self.principal.as_ref().map_or(Some(Naming::Itself), |principals| who.named_by(principals))
    }

    /// How the request, whose action is given in lower case, meets the statement.
    pub(crate) fn fit(&self, action: &str, request: &Request, who: &Who<'_>) -> Fit {
        if !self.takes_action(action, request) || !self.takes_resource(request) {
            return Fit::Misses;
        }
        let Some(naming) = self.names(who) else { return Fit::Misses };
        let mut unclear = self.flaw.clone();
        for condition in &self.conditions {
            match condition.truth(&request.context) {
                Truth::Holds => {}
                Truth::Fails => return Fit::Misses,
                Truth::Unclear(flaw) => unclear = unclear.or(Some(flaw)),
            }
        }
        unclear.map_or(Fit::Meets(naming), Fit::Unclear)
    }
}

impl Rule {
    /// Every element but the action that the request does not meet.
    pub(crate) fn unmet(&self, request: &Request, who: &Who<'_>) -> Vec<Element<'_>> {
        let mut unmet = Vec::new();
        if self.names(who).is_none() {
            unmet.push(Element::Principal);
        }
        if !self.takes_resource(request) {
            unmet.push(Element::Resource);
        }
        let failing =
            self.conditions.iter().filter(|condition| condition.truth(&request.context) != Truth::Holds);
        unmet.extend(failing.map(|one| Element::Condition { operator: &one.operator, key: &one.key }));
        if self.flaw.is_some() {
            unmet.push(Element::Statement);
        }
        unmet
    }
}

/// Why IAM would not take the statement in a policy of this layer.
fn flaw(statement: &Statement, layer: Layer) -> Option<Flaw> {
    let is_of_resource = matches!(layer, Layer::Resource | Layer::ResourceControl(_));
    let what = match (&statement.principal, statement.effect) {
        (Some(_), _) if !is_of_resource => "a policy of a caller has no `Principal`",
        (None, _) if is_of_resource => "the statement names no principal",
        (None, _) if statement.resources.is_none() => "the statement names no resource",
        (Some(Principals::NotIn(_)), Effect::Allow) => "`NotPrincipal` is not supported with `Allow`",
        (Some(_) | None, Effect::Allow | Effect::Deny) => return None,
    };
    Some(Flaw::Shape(what))
}
