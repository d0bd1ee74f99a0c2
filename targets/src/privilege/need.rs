//! Statements that a role needs, each with the grant that it carries out.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::source::Span;
use aipolicy_iam::{
    Arn, ArnError, Conditions, Document, Effect, Matcher, PatternParts, Piece, PrincipalKind, PrincipalSet,
    Principals, Statement, Version,
};

use crate::account::Account;

/// A place in an account: the service, and the region where there is one.
pub(super) type Site<'s> = (&'s str, &'s str);

/// What has to be allowed so that a grant can be carried out.
pub(super) struct Need<'g> {
    pub(super) grant: Grant<'g>,
    statement: Statement,
}

/// What a role has to be able to do, and who has to become it.
#[derive(Default)]
pub(super) struct OfRole<'g> {
    pub(super) calls: Vec<Need<'g>>,
    pub(super) trust: Vec<Need<'g>>,
}

/// Everything that the grants of an environment need, by role.
pub(super) struct Needs<'a> {
    pub(super) account: &'a Account<'a>,
    by_role: BTreeMap<String, OfRole<'a>>,
    /// Grants about something that no ARN can name.
    unnamed: BTreeSet<Span>,
}

/// Calls of AWS: actions on resources, under conditions.
#[derive(Clone)]
pub(super) struct Calls {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    conditions: Conditions,
    error: Option<ArnError>,
}

/// Who becomes a role, by which calls and under which conditions.
#[derive(Clone)]
pub(super) struct Assumed {
    principal: (PrincipalKind, String),
    pub(super) calls: Calls,
}

impl Assumed {
    pub(super) fn by(kind: PrincipalKind, name: &str, actions: &[&str]) -> Self {
        Self { principal: (kind, name.to_owned()), calls: Calls::of(actions) }
    }
}

impl Calls {
    pub(super) fn of(actions: &[&str]) -> Self {
        Self {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            resources: BTreeSet::new(),
            conditions: Conditions::new(),
            error: None,
        }
    }

    /// On one resource more.
    pub(super) fn on(mut self, arn: Result<String, ArnError>) -> Self {
        match arn {
            Ok(arn) => _ = self.resources.insert(arn),
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// Whether all of them are about something of this kind.
    pub(super) fn about(&self, kind: &str) -> bool {
        self.resources.iter().all(|arn| arn.contains(kind))
    }

    /// Only where a key of the request has one of these values.
    pub(super) fn when<V: Into<String>>(
        mut self,
        operator: &str,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let known = self.conditions.entry(operator.to_owned()).or_default();
        known.entry(key.to_owned()).or_default().extend(values.into_iter().map(Into::into));
        self
    }

    /// Only where a key of the request has this value.
    pub(super) fn where_is(self, key: &str, value: &str) -> Self {
        self.when("StringEquals", key, [value])
    }
}

impl<'a> Needs<'a> {
    pub(super) fn new(account: &'a Account<'a>) -> Self {
        Self { account, by_role: BTreeMap::new(), unnamed: BTreeSet::new() }
    }

    /// Notes that a role makes calls for a grant.
    pub(super) fn add(&mut self, role: &str, grant: Grant<'a>, calls: Calls) {
        let resources = calls.resources.clone();
        if let Some(statement) = self.statement(grant, calls) {
            let statement = Statement { resources: Some(Matcher::In(resources)), ..statement };
            self.of_role(role).calls.push(Need { grant, statement });
        }
    }

    /// Notes that somebody becomes a role for a grant.
    pub(super) fn assumed(&mut self, role: &str, grant: Grant<'a>, assumed: Assumed) {
        let (kind, name) = assumed.principal;
        if let Some(statement) = self.statement(grant, assumed.calls) {
            let named = BTreeMap::from([(kind, BTreeSet::from([name]))]);
            let principal = Some(Principals::In(PrincipalSet::Listed(named)));
            self.of_role(role).trust.push(Need { grant, statement: Statement { principal, ..statement } });
        }
    }

    fn of_role(&mut self, role: &str) -> &mut OfRole<'a> {
        self.by_role.entry(role.to_owned()).or_default()
    }

    /// Calls as a statement; nothing where no ARN can name what they are about.
    fn statement(&mut self, grant: Grant<'a>, calls: Calls) -> Option<Statement> {
        if calls.error.is_some() {
            self.unnamed.insert(grant.decision.request.span);
            return None;
        }
        Some(Statement {
            sid: None,
            effect: Effect::Allow,
            principal: None,
            actions: Matcher::In(calls.actions),
            resources: None,
            conditions: calls.conditions,
        })
    }

    /// The name of the role of a principal.
    pub(super) fn role_of(&self, principal: Principal) -> String {
        let (kind, name) = principal.label(self.account.graph());
        self.account.role(&[&kind.word().to_lowercase(), &name])
    }

    /// The roles that something is needed of.
    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        self.by_role.keys().map(String::as_str)
    }

    /// What a role needs, and who needs it.
    pub(super) fn of(&self, role: &str) -> Option<&OfRole<'a>> {
        self.by_role.get(role)
    }

    /// Grants about something that no ARN can name.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = Span> {
        self.unnamed.iter().copied()
    }

    /// Something of this account, by a template of what stands after the account in its ARN.
    pub(super) fn own(&self, site: Site<'_>, template: &str, names: &[&str]) -> Result<String, ArnError> {
        self.arn((site, self.account.id()), template, names)
    }

    /// Something whose ARN names no account.
    pub(super) fn shared(&self, site: Site<'_>, template: &str, names: &[&str]) -> Result<String, ArnError> {
        self.arn((site, ""), template, names)
    }

    /// Something of an account. In the template, `{}` is the next name, taken literally; `*` and `?` are IAM's.
    pub(super) fn arn(
        &self,
        ((service, region), account): (Site<'_>, &str),
        template: &str,
        names: &[&str],
    ) -> Result<String, ArnError> {
        let parts = PatternParts {
            partition: self.account.partition,
            service,
            region: Piece::Literal(region),
            account: Piece::Literal(account),
            resource: &pieces(template, names),
        };
        Arn::pattern(parts).map(|arn| arn.to_string())
    }
}

/// Needs as one document, with a statement for each.
pub(super) fn document(needs: &[Need<'_>]) -> Document {
    let statements = needs.iter().map(|need| need.statement.clone()).collect();
    Document { version: Version::V2012, id: None, statements }
}

fn pieces<'t>(template: &'t str, names: &[&'t str]) -> Vec<Piece<'t>> {
    let mut names = names.iter();
    let mut pieces = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let piece = if let Some(tail) = rest.strip_prefix("{}") {
            rest = tail;
            Piece::Literal(names.next().copied().unwrap_or_default())
        } else if let Some(tail) = rest.strip_prefix('*') {
            rest = tail;
            Piece::AnyRun
        } else if let Some(tail) = rest.strip_prefix('?') {
            rest = tail;
            Piece::AnyOne
        } else {
            let (text, tail) = rest.split_at(rest.find(['{', '*', '?']).unwrap_or(rest.len()));
            rest = tail;
            Piece::Literal(text)
        };
        if piece != Piece::Literal("") {
            pieces.push(piece);
        }
    }
    pieces
}
