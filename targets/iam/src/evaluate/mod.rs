//! Decides a request by every policy that has a say, as the "Policy evaluation logic" of the IAM User Guide tells.

mod condition;
mod decision;
mod layers;
mod principal;
mod statement;
#[cfg(test)]
mod tests;

pub use condition::Flaw;
pub use decision::{Assumption, Cause, Decision, Element, Layer, NearMiss, Silence, Undecided};

use crate::document::Document;
use crate::request::Request;
use statement::Rule;

/// The policies that decide about a caller and a resource, compiled: patterns and values are read once.
///
/// ```
/// use aipolicy_iam::{Policies, Request, read};
///
/// let document = read(r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#).unwrap();
/// let policies = Policies::default().identity("reader", &document);
/// assert!(policies.decide(&Request::new("s3:GetObject", "arn:aws:s3:::b/k")).is_allowed());
/// assert!(!policies.decide(&Request::new("s3:PutObject", "arn:aws:s3:::b/k")).is_allowed());
/// ```
///
/// # What is modelled
///
/// - Identity policies, a permissions boundary, session policies, service control policies and resource control
///   policies by level, and resource policies, which are also trust policies and key policies; within an account and
///   across accounts.
/// - Accounts: that of the caller is in its ARN. That of the resource is in its ARN too, or else what the request has
///   under `aws:ResourceAccount`, or else the account of the caller, as in the policy simulator of AWS.
/// - A statement that cannot be evaluated, since an operator is unknown or a value is none, allows nothing, and denies
///   whatever its other elements match.
///
/// # What is not
///
/// - The root user of an account: the decision is [`Decision::Undecided`].
/// - Which policies apply. A resource control policy concerns some services alone, and no control policy the management
///   account: whoever hands one in says that it applies. Service-linked roles and services are exempt from service
///   control policies here too, and the former from resource control policies; they are known by the path of a role,
///   which the ARN of a session does not have and `aws:PrincipalArn` has.
/// - VPC endpoint policies, access control lists, grants of KMS and Block Public Access.
/// - Keys that AWS sets by itself, such as `aws:PrincipalArn`: the request says what is there.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    policies: Vec<Policy>,
    service_control_levels: usize,
    resource_control_levels: usize,
}

/// A compiled document.
#[derive(Clone, Debug)]
struct Policy {
    layer: Layer,
    name: String,
    document: Document,
    rules: Vec<Rule>,
}

impl Policies {
    /// With a policy that the caller holds.
    #[must_use]
    pub fn identity(self, name: impl Into<String>, document: &Document) -> Self {
        self.and(Layer::Identity, name, document)
    }

    /// With the permissions boundary of the caller. IAM has one at most; of several, either allows.
    #[must_use]
    pub fn boundary(self, name: impl Into<String>, document: &Document) -> Self {
        self.and(Layer::Boundary, name, document)
    }

    /// With a policy that was passed when the session of the caller began; of several, either allows.
    #[must_use]
    pub fn session(self, name: impl Into<String>, document: &Document) -> Self {
        self.and(Layer::Session, name, document)
    }

    /// With a policy of the resource; of a role that is its trust policy, of a key its key policy.
    #[must_use]
    pub fn resource(self, name: impl Into<String>, document: &Document) -> Self {
        self.and(Layer::Resource, name, document)
    }

    /// With the service control policies of one level: the root, an organizational unit, or the account of the caller.
    /// Each level has to allow, by either of its policies.
    #[must_use]
    pub fn service_control<'d, N: Into<String>>(
        mut self,
        level: impl IntoIterator<Item = (N, &'d Document)>,
    ) -> Self {
        let layer = Layer::ServiceControl(self.service_control_levels);
        self.service_control_levels += 1;
        level.into_iter().fold(self, |all, (name, document)| all.and(layer, name, document))
    }

    /// With the resource control policies of one level: the root, an organizational unit, or the account of the
    /// resource. Each level has to allow, by either of its policies.
    #[must_use]
    pub fn resource_control<'d, N: Into<String>>(
        mut self,
        level: impl IntoIterator<Item = (N, &'d Document)>,
    ) -> Self {
        let layer = Layer::ResourceControl(self.resource_control_levels);
        self.resource_control_levels += 1;
        level.into_iter().fold(self, |all, (name, document)| all.and(layer, name, document))
    }

    /// Decides a request, and says why.
    pub fn decide(&self, request: &Request) -> Decision<'_> {
        layers::decide(self, request)
    }

    fn and(mut self, layer: Layer, name: impl Into<String>, document: &Document) -> Self {
        let rules = document.statements.iter().map(|one| Rule::new(one, document.version, layer));
        let rules = rules.collect();
        self.policies.push(Policy { layer, name: name.into(), document: document.clone(), rules });
        self
    }

    /// Whether a request is allowed: [`Policies::decide`] in one word, which costs less than its reasons.
    #[must_use]
    pub fn allows(&self, request: &Request) -> bool {
        layers::allows(self, request)
    }

    /// Whether the resource policies allow a request, whatever the policies of the caller say.
    #[must_use]
    pub fn resource_allows(&self, request: &Request) -> bool {
        layers::resource_allows(self, request)
    }

    /// Every policy: where it belongs, its name and what it says.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Layer, &str, &Document)> {
        self.policies.iter().map(|policy| (policy.layer, policy.name.as_str(), &policy.document))
    }

    fn has(&self, layer: Layer) -> bool {
        self.policies.iter().any(|policy| policy.layer == layer)
    }
}
