//! The policy document as a value: lists are sets and maps are sorted, so that equal policies print alike.

use std::collections::{BTreeMap, BTreeSet};

/// An IAM policy document: identity, resource, trust, boundary, session or service control policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document {
    /// The policy language; it decides whether `${…}` is a variable.
    pub version: Version,
    /// `Id`, which some services ask for and none evaluates.
    pub id: Option<String>,
    /// The statements in the order of the document. The order has no meaning to AWS, but keeps diffs small.
    pub statements: Vec<Statement>,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`, what AWS assumes when `Version` is absent. `${…}` is plain text.
    V2008,
    /// `2012-10-17`, with policy variables.
    V2012,
}

impl Version {
    /// The text of the `Version` element.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// One statement: to whom, what, on what, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The name of the statement, unique within a document; never evaluated.
    pub sid: Option<String>,
    /// Whether the statement grants or takes away.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; absent in identity policies and service control policies.
    pub principal: Option<Principals>,
    /// `Action` or `NotAction`, such as `bedrock:InvokeModel`; case-insensitive to AWS, kept as written.
    pub actions: Matcher,
    /// `Resource` or `NotResource`; absent in trust policies.
    pub resources: Option<Matcher>,
    /// `Condition`; empty when absent.
    pub conditions: Conditions,
}

/// Whether a statement grants or takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants, unless a statement anywhere denies.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

impl Effect {
    /// The text of the `Effect` element.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// Patterns of actions or resources, with `*`, `?` and, for resources, policy variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matcher {
    /// `Action`, `Resource`: any of these.
    In(BTreeSet<String>),
    /// `NotAction`, `NotResource`: anything but these.
    NotIn(BTreeSet<String>),
}

impl Matcher {
    /// The patterns that are listed, whether they are to match or not.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        let (Self::In(patterns) | Self::NotIn(patterns)) = self;
        patterns.iter().map(String::as_str)
    }
}

/// To whom a resource or trust policy applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principals {
    /// `Principal`: any of these.
    In(PrincipalSet),
    /// `NotPrincipal`: anyone but these.
    NotIn(PrincipalSet),
}

/// The principals that an element names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalSet {
    /// `"*"`: everyone, anonymous callers included.
    Any,
    /// Principals by kind.
    Listed(BTreeMap<PrincipalKind, BTreeSet<String>>),
}

/// The kind of a principal, in the order in which AWS documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// An account, role, user or session, by ARN, account id or `*`.
    Aws,
    /// A service, such as `bedrock.amazonaws.com`.
    Service,
    /// An identity provider, for web identity and SAML.
    Federated,
    /// An S3 canonical user id.
    CanonicalUser,
}

impl PrincipalKind {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::Aws, Self::Service, Self::Federated, Self::CanonicalUser];

    /// The key under which principals of this kind are listed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }
}

/// Condition operator, then condition key, then values. All operators and keys must hold; one value is enough,
/// and negated operators (`StringNotEquals`) hold when none of the values matches.
///
/// Operators and keys are case-insensitive to AWS and kept as written. Booleans and numbers are held as text.
pub type Conditions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;
