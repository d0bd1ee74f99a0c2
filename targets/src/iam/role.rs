//! Roles with their trust and the policies that are attached to them.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::rule;
use aipolicy_iam::limits;

use super::condition::Condition;
use super::trust::Trust;
use super::{Writer, budget, policy};
use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// The tags that mark an object as ours.
pub(super) fn tags(account: &Account<'_>) -> Tree {
    let tag = |key: &str, value: &str| Tree::map([("Key", Tree::text(key)), ("Value", Tree::text(value))]);
    Tree::list(account.marks().map(|(key, value)| tag(key, value))).from(account.default("iam.tags"))
}

impl Writer<'_> {
    /// The role of the principal and its policies.
    pub(super) fn role(&mut self, role: Grant<'_>, trust: Trust) -> Vec<Artifact> {
        let (kind, name) = self.principal.label(self.account.graph());
        let kind = kind.word().to_lowercase();
        let allows = self.allows();
        let origin = Origin::granted(role);
        self.documents(&[&kind, &name], (&trust, &allows), &origin)
    }

    /// A role with these words in its name, and managed policies that hold what it may do.
    pub(super) fn documents(
        &mut self,
        words: &[&str],
        (trust, allows): (&Trust, &[policy::Allow]),
        origin: &Origin,
    ) -> Vec<Artifact> {
        let account = self.account;
        let name = account.role(words);
        let most = budget::own(self.room, &name);
        let policies = policy::managed(account, (words, allows, most), origin, self.out);
        let path = account.path();
        let attached: Vec<_> = policies.iter().map(|policy| policy.document.address.clone()).collect();
        let mut arns = Vec::new();
        for policy in &attached {
            let resource = format!("policy{path}{}", policy.name);
            arns.extend(self.arn("iam", "", (&resource, origin.span)));
        }
        self.check_limits(&name, &path, origin);
        self.check_trust(trust, origin);
        self.hold(&name, allows);
        let conditions = allows.iter().flat_map(|allow| &allow.conditions).chain(&trust.conditions);
        conditions.for_each(|condition| self.check_condition(condition));
        allows.iter().for_each(|allow| self.granted.note(allow));
        let bound = self.bounded(allows, origin);
        let mut entries = vec![
            ("RoleName", Tree::text(&name).from(account.default("origin.name"))),
            ("Path", Tree::text(&path).from(account.default("iam.path"))),
            ("AssumeRolePolicyDocument", trust.tree(account.default("iam.policyVersion"))),
            ("MaxSessionDuration", Tree::integer(3600).from(account.default("iam.maxSessionDuration"))),
            ("AttachedManagedPolicies", Tree::list(arns.into_iter().map(Tree::text))),
        ];
        let mut needs = attached;
        if let Some((policy, tenant)) = bound {
            let arn = account.arn("iam", "", &format!("policy{path}{policy}"));
            entries.push(("PermissionsBoundary", Tree::text(arn).from(Origin::written(tenant))));
            needs.push(Address { target: "iam".into(), kind: "Policy".into(), name: policy });
        }
        entries.push(("Tags", tags(account)));
        let address = Address { target: "iam".into(), kind: "Role".into(), name };
        let role = (address, Format::Json);
        let role = Artifact::of(account.input.wanted, role, origin.clone(), || Tree::map(entries));
        let role = role.needs(needs);
        policies.into_iter().chain([role]).collect()
    }

    /// A value that somebody wrote is compared as it is: `${…}` in it would be whatever the caller is.
    fn check_condition(&mut self, condition: &Condition) {
        if let Some((value, origin)) = condition.values.iter().find(|(value, _)| value.contains("${")) {
            let message = format!("IAM would take `{value}` for a variable");
            self.refuse::<()>(origin.span, message, "correct the name");
        }
    }

    fn check_trust(&mut self, trust: &Trust, origin: &Origin) {
        let text = serde_json::to_string(&trust.tree(origin.clone())).unwrap_or_default();
        let (size, most) = (text.chars().count(), limits::TRUST_POLICY);
        if size > most {
            let message = format!("the trust policy has {size} characters, and IAM takes {most}");
            self.out.report(rule::POLICY_SIZE.at(trust.origin.span, message, "").help("use shorter names"));
        }
    }

    fn check_limits(&mut self, name: &str, path: &str, origin: &Origin) {
        for checked in [limits::check_role_name(name), limits::check_path(path)] {
            if let Err(error) = checked {
                self.out.report(rule::TARGET_LIMIT.at(origin.span, error.to_string(), ""));
            }
        }
    }
}
