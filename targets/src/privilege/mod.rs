//! Proves least privilege: what roles may do is what grants need, on the dimensions of IAM.
//!
//! What is compiled is read back from its documents, and compared with what grants need, which is derived beside the
//! compiler from what AWS documents. So a mistake of the compiler shows, and so does what somebody changed afterwards.

mod beside;
mod call;
mod need;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::ir::AccessRequest;
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::source::{SourceMap, Span};
use aipolicy_iam::{Change, Comparison, Difference, Policies, Request, compare};

use crate::account::Account;
use crate::artifact;
use crate::control::Capabilities;
use crate::effects::{Documents, Role};
use crate::input::Input;
pub use beside::Beside;
use need::{Need, OfRole, document};

/// Whether roles may do what grants need and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// How many roles were compared.
    pub roles: usize,
    /// How many policies they hold.
    pub policies: usize,
    /// How many grants need a permission of IAM.
    pub grants: usize,
    /// How many statements they need, one for each call and grant.
    pub needs: usize,
    /// What is allowed and no grant needs.
    pub unused: Vec<Unused>,
    /// Grants that cannot be carried out.
    pub ineffective: Vec<Ineffective>,
    /// What could not be compared, and why.
    pub not_proven: Vec<String>,
    /// What IAM does not decide, and who does.
    pub beside: Vec<Beside>,
}

/// Something that a role may do and no grant needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// The name of the role.
    pub role: String,
    /// The policy that allows it, as `target/kind/name`; that of a role is its trust policy.
    pub policy: String,
    /// The place of the statement in the policy, counted from 0.
    pub statement: usize,
    /// A request that is allowed.
    pub witness: Request,
}

/// A grant that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ineffective {
    /// The name of the role that should carry it out.
    pub role: String,
    /// The line that asked for it.
    pub span: Span,
    /// What was granted, as `Kind/name action Kind/name`.
    pub grant: String,
    /// A request that is denied.
    pub witness: Request,
}

impl Proof {
    /// Whether it is proven.
    pub fn holds(&self) -> bool {
        self.unused.is_empty() && self.ineffective.is_empty() && self.not_proven.is_empty()
    }
}

/// Compares what roles of an environment may do, by these documents, with what its grants need; `targets` say who carries
/// what IAM does not decide. `None` where the workspace has no account.
pub fn prove<'d>(
    grants: ApprovedGrants<'_>,
    sources: &SourceMap,
    documents: impl IntoIterator<Item = &'d artifact::Document>,
    targets: &[Capabilities],
) -> Option<Proof> {
    let account = Account::of(Input::of(grants, sources)?)?;
    let needs = call::needs(&account);
    let documents = Documents::of(documents);
    let mut proof = Proof { beside: beside::beside(&needs, targets), ..Proof::default() };
    proof.not_proven.extend(needs.unnamed().map(|span| {
        let text = sources.position(span);
        let path = sources.get(span.source).path();
        format!("what {path}:{}:{} names has no ARN", text.line, text.column)
    }));
    let roles: BTreeSet<&str> = documents.roles().chain(needs.roles()).collect();
    let mut used = BTreeSet::new();
    let nothing = OfRole::default();
    for name in roles {
        let role = documents.role(name).unwrap_or_default();
        let needed = needs.of(name).unwrap_or(&nothing);
        proof.roles += 1;
        proof.policies += role.held;
        for need in needed.calls.iter().chain(&needed.trust) {
            proof.needs += 1;
            let request = &need.grant.decision.request;
            used.insert((request.span, request.principal, request.action));
        }
        proof.role((name, &role), needed, account.graph());
    }
    proof.grants = used.len();
    Some(proof)
}

impl Proof {
    fn role(&mut self, (name, role): (&str, &Role), needed: &OfRole<'_>, graph: &Graph) {
        if let Some(missing) = role.missing.first() {
            self.not_proven.push(format!("{name}: {missing} cannot be read"));
            return;
        }
        let calls = Policies::default().identity(name, &document(&needed.calls));
        let trust = Policies::default().resource(name, &document(&needed.trust));
        self.compared(name, compare(&calls, &role.policies), (&needed.calls, graph));
        self.compared(name, compare(&trust, &role.trust), (&needed.trust, graph));
    }

    fn compared(&mut self, name: &str, compared: Comparison, (needs, graph): (&[Need<'_>], &Graph)) {
        match compared.gained {
            Change::Nothing => {}
            Change::Shown(differences) => self.unused.extend(differences.into_iter().map(|found| {
                let Difference { allowed_by, witness, .. } = found;
                let (policy, statement) = (allowed_by.policy, allowed_by.statement);
                Unused { role: name.to_owned(), policy, statement, witness }
            })),
            Change::NotProven(reasons) => {
                self.not_proven.push(format!("{name} may do no more: {}", reasons.join(", and ")));
            }
        }
        match compared.lost {
            Change::Nothing => {}
            Change::Shown(differences) => {
                let mut told = BTreeMap::new();
                for Difference { allowed_by, witness, .. } in differences {
                    let Some(need) = needs.get(allowed_by.statement) else { continue };
                    let found = Ineffective::of(name, &need.grant.decision.request, (witness, graph));
                    told.entry(found.span).or_insert(found);
                }
                self.ineffective.extend(told.into_values());
            }
            Change::NotProven(reasons) => {
                self.not_proven.push(format!("{name} may do no less: {}", reasons.join(", and ")));
            }
        }
    }
}

impl Ineffective {
    fn of(role: &str, request: &AccessRequest, (witness, graph): (Request, &Graph)) -> Self {
        let (kind, asker) = request.principal.label(graph);
        let (what, object) = request.object.label(graph);
        let grant = format!("{kind}/{asker} {} {what}/{object}", request.action.word());
        Self { role: role.to_owned(), span: request.span, grant, witness }
    }
}
