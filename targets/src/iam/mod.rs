//! Roles and policies of AWS: one role for each agent, gateway, workload, gate and trigger, with exactly what was granted.

mod boundary;
mod budget;
mod condition;
mod connector;
mod control;
mod cover;
mod credential;
mod gate;
mod guardrail;
mod logging;
mod model;
mod policy;
mod resource;
mod role;
mod runtime;
mod server;
mod statement;
mod trigger;
mod trust;

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::tenant::TenantSpec;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use aipolicy_iam::{Arn, ArnParts, PatternParts, Piece};

use crate::account::Account;
use crate::artifact::Artifact;
use crate::billing;
use crate::input::Input;
use boundary::Bounds;
use control::Granted;
use policy::Allow;
use resource::Held;

/// Renders every role and policy of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let stops = billing::stops(&account, &billing::Callers::of(&account));
    let room = budget::room(&stops);
    let (mut artifacts, mut held) = (Vec::new(), Vec::new());
    let (mut bounds, mut granted) = (Bounds::default(), Granted::default());
    for (principal, grants) in input.grants.by_principal() {
        let mut writer = Writer {
            account: &account,
            principal,
            grants: &grants,
            room: &room,
            held: &mut held,
            bounds: &mut bounds,
            granted: &mut granted,
            out,
        };
        artifacts.extend(writer.artifacts());
        if let Principal::Environment(_) = principal {
            artifacts.extend(writer.stops(&stops));
            artifacts.extend(writer.invocations());
        }
    }
    artifacts.extend(bounds.artifacts(&account, out));
    artifacts.extend(granted.artifact(&account, out));
    let everyone = std::mem::take(&mut held);
    let principal = Principal::Environment(input.grants.environment());
    let mut writer = Writer {
        account: &account,
        principal,
        grants: &[],
        room: &room,
        held: &mut held,
        bounds: &mut bounds,
        granted: &mut granted,
        out,
    };
    artifacts.extend(writer.resources(&everyone));
    artifacts
}

/// Writes the documents of one principal, and reports what it cannot express.
struct Writer<'w> {
    account: &'w Account<'w>,
    principal: Principal,
    grants: &'w [Grant<'w>],
    /// How many policies of budgets each role has to have room for.
    room: &'w BTreeMap<String, usize>,
    /// What every role was given, for the policies of resources.
    held: &'w mut Vec<Held>,
    /// What the roles of each tenant are allowed.
    bounds: &'w mut Bounds,
    /// What anybody is allowed of Bedrock.
    granted: &'w mut Granted,
    out: &'w mut Diagnostics,
}

impl<'w> Writer<'w> {
    fn artifacts(&mut self) -> Vec<Artifact> {
        let Some(role) = self.grants.iter().find(|grant| is_support(grant, "role")).copied() else {
            return Vec::new();
        };
        let Some(trust) = self.trust(role) else { return Vec::new() };
        let mut artifacts = self.role(role, trust);
        artifacts.extend(self.tools());
        artifacts.extend(self.gateway());
        artifacts.extend(self.triggers());
        artifacts
    }

    /// Everything that the principal may do itself. Calls of an agent's tools are made by state machines, reading
    /// included, and belong to their roles.
    fn allows(&mut self) -> Vec<Allow> {
        let mut allows = self.models();
        let grants = self.grants;
        let mut consumed = None;
        for grant in grants {
            match (&grant.decision.request.object, &grant.decision.request.circumstances) {
                (Object::Connector(_), _) if self.calls_itself(grant) || self.is_credential(grant) => {
                    allows.extend(self.connector(*grant));
                }
                (_, Circumstances::Support("trigger")) => consumed = self.consumed(*grant),
                _ => {}
            }
        }
        // A workload that also reads the queue as a connector may do so already.
        let is_new = |one: &Allow| !allows.iter().any(|allow| allow.gives_the_same_as(one));
        let consumed = consumed.filter(is_new);
        allows.extend(consumed);
        allows.extend(self.guardrails());
        allows.extend(self.runtime_allows());
        allows.extend(self.workload_log());
        allows
    }

    fn agent(&self) -> Option<&'w Resource<AgentSpec>> {
        match self.principal {
            Principal::Agent(id) => self.account.graph().resource(id),
            Principal::Workload(_)
            | Principal::Gateway(_)
            | Principal::Tenant(_)
            | Principal::Route(_)
            | Principal::Environment(_) => None,
        }
    }

    /// The tenant whose the principal is. A gateway serves several, so it is nobody's.
    fn tenant(&self) -> Option<&'w Ref<TenantSpec>> {
        let graph = self.account.graph();
        match self.principal {
            Principal::Agent(id) => Some(&graph.resource(id)?.spec.tenant),
            Principal::Workload(id) => Some(&graph.resource(id)?.spec.tenant),
            Principal::Gateway(_)
            | Principal::Tenant(_)
            | Principal::Route(_)
            | Principal::Environment(_) => None,
        }
    }

    /// An ARN of this account that names one resource. Text that AWS would take for syntax is refused at its place.
    fn arn(&mut self, service: &str, region: &str, (resource, span): (&str, Span)) -> Option<String> {
        let parts = ArnParts {
            partition: self.account.partition,
            service,
            region,
            account: self.account.id(),
            resource,
        };
        self.checked(Arn::new(parts), span)
    }

    /// An ARN without an account.
    fn shared_arn(&mut self, service: &str, region: &str, (resource, span): (&str, Span)) -> Option<String> {
        let parts = ArnParts { partition: self.account.partition, service, region, account: "", resource };
        self.checked(Arn::new(parts), span)
    }

    /// An ARN that stands for many.
    fn pattern(
        &mut self,
        service: &str,
        (region, account): (&str, &str),
        (resource, span): (&[Piece<'_>], Span),
    ) -> Option<String> {
        let parts = PatternParts {
            partition: self.account.partition,
            service,
            region: Piece::Literal(region),
            account: Piece::Literal(account),
            resource,
        };
        self.checked(Arn::pattern(parts), span)
    }

    fn checked(&mut self, arn: Result<Arn, aipolicy_iam::ArnError>, span: Span) -> Option<String> {
        match arn {
            Ok(arn) => Some(arn.to_string()),
            Err(error) => {
                self.refuse(span, format!("IAM cannot name this resource: {error}"), "correct the name")
            }
        }
    }

    /// Reports what IAM cannot express; once, however many statements would have said it.
    fn refuse<T>(&mut self, span: Span, message: String, help: &str) -> Option<T> {
        let found = rule::UNSUPPORTED.at(span, message, "").help(help);
        if !self.out.iter().any(|known| *known == found) {
            self.out.report(found);
        }
        None
    }
}

/// Whether a grant is the one that a runtime needs for something around its other grants.
fn is_support(grant: &Grant<'_>, need: &str) -> bool {
    matches!(&grant.decision.request.circumstances, Circumstances::Support(found) if *found == need)
}

#[cfg(test)]
mod tests {
    use aipolicy_compiler::catalog::Catalog;
    use aipolicy_iam::limits;

    #[test]
    fn the_catalog_and_the_iam_crate_agree_on_limits() {
        let known = [
            ("iam.inlinePoliciesOfRole", limits::INLINE_POLICIES_OF_ROLE),
            ("iam.managedPoliciesPerRole", limits::MANAGED_POLICIES_PER_ROLE),
            ("iam.managedPolicy", limits::MANAGED_POLICY),
            ("iam.path", limits::PATH),
            ("iam.policyName", limits::POLICY_NAME),
            ("iam.roleName", limits::ROLE_NAME),
            ("iam.tagsPerResource", limits::TAGS),
            ("iam.trustPolicy", limits::TRUST_POLICY),
            ("organizations.serviceControlPolicy", limits::SERVICE_CONTROL_POLICY),
        ];
        for (id, value) in known {
            assert_eq!(Catalog::shipped().limit(id), u64::try_from(value).ok(), "{id}");
        }
        let ids = Catalog::shipped().limits().filter(|limit| limit.id.starts_with("iam.")).count();
        assert_eq!(ids, 8, "every limit of IAM is compared above");
    }
}
