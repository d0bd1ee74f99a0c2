//! What is decided about a request, and why.

use std::fmt;

use super::condition::Flaw;

/// What IAM decides about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision<'p> {
    /// Every layer that has a say allows, and none denies.
    Allowed {
        /// The statements that allow.
        by: Vec<Cause<'p>>,
        /// What was taken for granted.
        assuming: Vec<Assumption>,
    },
    /// Statements deny.
    ExplicitDeny {
        /// The statements that deny.
        by: Vec<Cause<'p>>,
    },
    /// No statement denies, and a layer that has a say does not allow.
    ImplicitDeny {
        /// These layers allow nothing.
        by: Vec<Silence<'p>>,
    },
    /// This is not modelled, and must not be taken for allowed.
    Undecided(Undecided),
}

impl Decision<'_> {
    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// A kind of policies that has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The policies of the caller.
    Identity,
    /// The permissions boundary of the caller.
    Boundary,
    /// The policies of the session.
    Session,
    /// The service control policies of one level, counted from 0.
    ServiceControl(usize),
    /// The resource control policies of one level, counted from 0.
    ResourceControl(usize),
    /// The policies of the resource.
    Resource,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity policy"),
            Self::Boundary => f.write_str("permissions boundary"),
            Self::Session => f.write_str("session policy"),
            Self::ServiceControl(level) => write!(f, "service control policy of level {}", level + 1),
            Self::ResourceControl(level) => write!(f, "resource control policy of level {}", level + 1),
            Self::Resource => f.write_str("resource policy"),
        }
    }
}

/// A statement that matters to the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause<'p> {
    /// Where its policy belongs.
    pub layer: Layer,
    /// The name that its policy was handed in with.
    pub policy: &'p str,
    /// Its place in the document, counted from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<&'p str>,
    /// Why it cannot be evaluated, of a `Deny` that is taken to deny therefore.
    pub flaw: Option<Flaw>,
}

/// A layer that does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence<'p> {
    /// The layer.
    pub layer: Layer,
    /// The `Allow` of the layer that would have needed least, if one takes the action at all.
    pub nearest: Option<NearMiss<'p>>,
}

/// A statement that almost allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss<'p> {
    /// The statement.
    pub cause: Cause<'p>,
    /// What the request does not meet; never empty.
    pub unmet: Vec<Element<'p>>,
}

/// An element of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element<'p> {
    /// `Principal` or `NotPrincipal`.
    Principal,
    /// `Resource` or `NotResource`.
    Resource,
    /// One key of `Condition`.
    Condition {
        /// The operator, as written.
        operator: &'p str,
        /// The key, as written.
        key: &'p str,
    },
    /// The statement as a whole, since something in it cannot be evaluated.
    Statement,
}

/// What the decision takes for granted, since neither policies nor request say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assumption {
    /// The resource, whose ARN names no account, is in that of the caller.
    SameAccount,
    /// The key policy, which was not handed in, leaves it to the policies of the account, as that of the console does.
    KeyPolicy,
    /// The trust policy, which was not handed in, leaves it to the policies of the account.
    TrustPolicy,
}

/// Why no decision is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The root user of an account, who needs no identity policy.
    Root,
    /// The name of the caller is not one that this crate knows.
    Caller(String),
    /// Policies of a caller, for a caller that has none, such as a service.
    NoHolder(String),
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the root user of an account needs no identity policy"),
            Self::Caller(name) => write!(f, "`{name}` is no user, role, session, service or provider"),
            Self::NoHolder(name) => write!(f, "`{name}` has no policies of its own"),
        }
    }
}
