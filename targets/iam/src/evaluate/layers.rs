//! Which layers have a say about a request, and what they say together.

use crate::document::{Effect, PrincipalKind};
use crate::request::Request;

use super::decision::{Assumption, Cause, Decision, Layer, NearMiss, Silence, Undecided};
use super::principal::{CallerArn, Form, Naming, Who, is_account};
use super::statement::{Fit, Rule};
use super::{Policies, Policy};

/// What the statements say that the request meets.
#[derive(Debug, Default)]
struct Said<'p> {
    denies: Vec<Cause<'p>>,
    allows: Vec<Cause<'p>>,
    /// The closest way in which an `Allow` of a resource policy names the caller.
    named: Option<Naming>,
}

impl<'p> Said<'p> {
    fn new(policies: &'p Policies, case: &Case<'_>) -> Self {
        let mut said = Self::default();
        for policy in policies.policies.iter().filter(|policy| case.hears(policy.layer)) {
            for (index, rule) in policy.rules.iter().enumerate() {
                match (rule.fit(&case.action, case.request, &case.who), rule.effect) {
                    (Fit::Misses, _) | (Fit::Unclear(_), Effect::Allow) => {}
                    (Fit::Meets(_), Effect::Deny) => said.denies.push(cause(policy, index, rule)),
                    (Fit::Unclear(flaw), Effect::Deny) => {
                        said.denies.push(Cause { flaw: Some(flaw), ..cause(policy, index, rule) });
                    }
                    (Fit::Meets(naming), Effect::Allow) => {
                        said.allows.push(cause(policy, index, rule));
                        if policy.layer == Layer::Resource {
                            said.named = said.named.max(Some(naming));
                        }
                    }
                }
            }
        }
        said
    }

    fn allows(&self, layer: Layer) -> bool {
        self.allows.iter().any(|cause| cause.layer == layer)
    }
}

fn cause<'p>(policy: &'p Policy, statement: usize, rule: &'p Rule) -> Cause<'p> {
    Cause { layer: policy.layer, policy: &policy.name, statement, sid: rule.sid.as_deref(), flaw: None }
}

/// A request and what is known about its caller and its resource.
#[derive(Debug)]
struct Case<'r> {
    request: &'r Request,
    /// Its action, in lower case.
    action: String,
    who: Who<'r>,
    holder: Holder,
    crosses_accounts: bool,
}

/// Which policies a caller can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// A user, a role or a session: all.
    Principal,
    /// A role that a service made for itself: no control policies.
    ServiceLinkedRole,
    /// A service or a federated identity: none of its own.
    Outside,
}

pub(super) fn decide<'p>(policies: &'p Policies, request: &Request) -> Decision<'p> {
    let case = match Case::new(policies, request) {
        Ok(case) => case,
        Err(undecided) => return Decision::Undecided(undecided),
    };
    let said = Said::new(policies, &case);
    if !said.denies.is_empty() {
        return Decision::ExplicitDeny { by: said.denies };
    }
    let silent = case.silent(policies, &said);
    if silent.is_empty() {
        return Decision::Allowed { by: said.allows, assuming: case.assumptions(policies) };
    }
    let by = silent.into_iter().map(|layer| Silence { layer, nearest: case.nearest(policies, layer) });
    Decision::ImplicitDeny { by: by.collect() }
}

/// Whether the request is allowed, without a word about why.
pub(super) fn allows(policies: &Policies, request: &Request) -> bool {
    Case::new(policies, request).is_ok_and(|case| {
        let said = Said::new(policies, &case);
        said.denies.is_empty() && case.silent(policies, &said).is_empty()
    })
}

/// Whether the policies of the resource allow, whatever other policies say.
pub(super) fn resource_allows(policies: &Policies, request: &Request) -> bool {
    Case::new(policies, request).is_ok_and(|case| {
        let said = Said::new(policies, &case);
        said.allows(Layer::Resource) && said.denies.iter().all(|cause| cause.layer != Layer::Resource)
    })
}

impl<'r> Case<'r> {
    fn new(policies: &Policies, request: &'r Request) -> Result<Self, Undecided> {
        let who = Who::new(request.principal.as_ref());
        let holder = holder(request, &who)?;
        let own = [Layer::Identity, Layer::Boundary, Layer::Session];
        if let (Holder::Outside, Some(caller)) = (holder, who.caller())
            && own.into_iter().any(|layer| policies.has(layer))
        {
            return Err(Undecided::NoHolder(caller.name.clone()));
        }
        let theirs = who.arn().map(|arn| arn.account);
        let owner = owner(request);
        let crosses_accounts = theirs.zip(owner).is_some_and(|(theirs, owner)| theirs != owner);
        Ok(Self { request, action: request.action.to_ascii_lowercase(), who, holder, crosses_accounts })
    }

    /// Whether policies of the layer have a say about this caller.
    fn hears(&self, layer: Layer) -> bool {
        match layer {
            Layer::ServiceControl(_) => self.holder == Holder::Principal,
            Layer::ResourceControl(_) => self.holder != Holder::ServiceLinkedRole,
            Layer::Identity | Layer::Boundary | Layer::Session | Layer::Resource => true,
        }
    }

    /// The layers that have to allow, given what the resource policies say.
    fn needed(&self, policies: &Policies, said: &Said<'_>) -> Vec<Layer> {
        let mut needed = Vec::new();
        needed.extend((0..policies.resource_control_levels).map(Layer::ResourceControl));
        needed.extend((0..policies.service_control_levels).map(Layer::ServiceControl));
        needed.retain(|layer| self.hears(*layer));
        if self.holder == Holder::Outside {
            needed.push(Layer::Resource);
            return needed;
        }
        let is_told = policies.has(Layer::Resource);
        if self.crosses_accounts || (is_told && decides_alone(&self.action)) {
            needed.push(Layer::Resource);
        }
        let granted = said.named.filter(|_| !self.crosses_accounts);
        if granted < Some(Naming::Role) {
            needed.push(Layer::Identity);
        }
        if granted < Some(Naming::Itself) {
            let bounds = [Layer::Boundary, Layer::Session];
            needed.extend(bounds.into_iter().filter(|layer| policies.has(*layer)));
        }
        needed
    }

    /// Those of the layers that have to allow which do not.
    fn silent(&self, policies: &Policies, said: &Said<'_>) -> Vec<Layer> {
        self.needed(policies, said).into_iter().filter(|layer| !said.allows(*layer)).collect()
    }

    fn assumptions(&self, policies: &Policies) -> Vec<Assumption> {
        let mut assumptions = Vec::new();
        if self.who.arn().is_some() && owner(self.request).is_none() {
            assumptions.push(Assumption::SameAccount);
        }
        if !policies.has(Layer::Resource) {
            assumptions.extend(delegation(&self.action));
        }
        assumptions
    }

    /// The `Allow` of the layer that takes the action and of which least is unmet, the first of several.
    fn nearest<'p>(&self, policies: &'p Policies, layer: Layer) -> Option<NearMiss<'p>> {
        let of_layer = policies.policies.iter().filter(|policy| policy.layer == layer);
        let rules =
            of_layer.flat_map(|policy| policy.rules.iter().enumerate().map(move |rule| (policy, rule)));
        let candidates = rules.filter(|(_, (_, rule))| {
            rule.effect == Effect::Allow && rule.takes_action(&self.action, self.request)
        });
        let misses = candidates.map(|(policy, (index, rule))| NearMiss {
            cause: cause(policy, index, rule),
            unmet: rule.unmet(self.request, &self.who),
        });
        misses.filter(|miss| !miss.unmet.is_empty()).min_by_key(|miss| miss.unmet.len())
    }
}

fn holder(request: &Request, who: &Who<'_>) -> Result<Holder, Undecided> {
    let Some(caller) = who.caller() else { return Ok(Holder::Principal) };
    match caller.kind {
        PrincipalKind::Service | PrincipalKind::Federated => return Ok(Holder::Outside),
        PrincipalKind::CanonicalUser => return Err(Undecided::Caller(caller.name.clone())),
        PrincipalKind::Aws => {}
    }
    let arn = who.arn().ok_or_else(|| Undecided::Caller(caller.name.clone()))?;
    let role = request.context.value("aws:principalarn").and_then(CallerArn::parse);
    let is_service_linked = |form| matches!(form, Form::Role(path) if path.starts_with("aws-service-role/"));
    Ok(match arn.form {
        Form::Root => return Err(Undecided::Root),
        form if is_service_linked(form) => Holder::ServiceLinkedRole,
        Form::Session(_) if role.is_some_and(|role| is_service_linked(role.form)) => {
            Holder::ServiceLinkedRole
        }
        Form::User | Form::Role(_) | Form::Session(_) | Form::FederatedUser => Holder::Principal,
    })
}

/// The account of the resource, by its ARN or as the request says.
fn owner(request: &Request) -> Option<&str> {
    let by_arn = request.resource.split(':').nth(4).filter(|account| is_account(account));
    by_arn.or_else(|| request.context.value("aws:resourceaccount"))
}

/// Whether policies of the caller have no effect unless the policy of the resource lets them: key policies ("Key
/// policies in AWS KMS") and trust policies ("How to use trust policies with IAM roles").
fn decides_alone(action: &str) -> bool {
    delegation(action).is_some()
}

fn delegation(action: &str) -> Option<Assumption> {
    if action.starts_with("kms:") {
        return Some(Assumption::KeyPolicy);
    }
    action.starts_with("sts:assumerole").then_some(Assumption::TrustPolicy)
}
