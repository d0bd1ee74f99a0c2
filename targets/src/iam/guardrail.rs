//! Guardrails that calls of models pass: the right to apply them, and the demand that a call names one.
//!
//! Their ids are not known before they are made, so they are told by their tags. Whoever names a guardrail, or calls where
//! one is enforced, has to be allowed to apply it. Sources: Bedrock user guide, "Enforce the use of specific guardrails in
//! model inference requests" and "Apply cross-account safeguards with Amazon Bedrock Guardrails enforcements".

use std::collections::BTreeMap;

use aipolicy_compiler::ir::{Circumstances, Invocation, Object, Principal};
use aipolicy_compiler::model::agent::AgentRuntime;
use aipolicy_compiler::model::guardrail::GuardrailSpec;
use aipolicy_compiler::model::model::{ModelProvider, ModelSpec};
use aipolicy_compiler::model::workload::WorkloadSpec;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_iam::Piece;

use super::condition::Condition;
use super::policy::Allow;
use super::{Writer, is_support};
use crate::origin::Origin;

const APPLY: &[&str] = &["bedrock:ApplyGuardrail"];

/// Guardrails by region and name, each with where it is named, and the grant that passes it.
type Passed<'w> = BTreeMap<(&'w str, &'w str), (Origin, Origin)>;

impl<'w> Writer<'w> {
    /// The right to apply what the calls of the principal have to pass.
    pub(super) fn guardrails(&mut self) -> Vec<Allow> {
        let mut allows = Vec::new();
        for ((region, name), (place, origin)) in self.passed() {
            let sid = format!("Apply guardrail {name} {region}");
            let anyone = [Piece::Literal("guardrail/"), Piece::AnyRun];
            let allow = self.tagged(&sid, (APPLY, &anyone), (region, &place, origin));
            allows.extend(allow.map(|mut allow| {
                let own = Condition::equals("aws:ResourceTag/aipolicy:guardrail", name, place);
                allow.conditions.push(own);
                allow
            }));
        }
        allows
    }

    fn passed(&self) -> Passed<'w> {
        let mut passed = Passed::new();
        let mut add = |region, named: &'w Ref<GuardrailSpec>, grant| {
            let found = (Origin::written(named.name.span), Origin::granted(grant));
            passed.entry((region, named.name.value.as_str())).or_insert(found);
        };
        let classic = self.agent().filter(|_| self.runtime() == Some(AgentRuntime::BedrockAgents));
        if let Some(agent) = classic
            && let Some(named) = &agent.spec.guardrail
            && let Some(role) = self.grants.iter().find(|grant| is_support(grant, "role"))
        {
            add(self.account.region_of(agent), named, *role);
        }
        let own = self.named_guardrail();
        for grant in self.grants {
            let (Object::Model(id), Circumstances::Invocation(call)) =
                (&grant.decision.request.object, &grant.decision.request.circumstances)
            else {
                continue;
            };
            let Some(model) = self.account.graph().resource(*id) else { continue };
            if model.spec.provider.value != ModelProvider::Bedrock {
                continue;
            }
            for named in own.into_iter().chain(self.account.enforced(model)) {
                add(&call.source, named, *grant);
            }
        }
        passed
    }

    /// The guardrail that a workload names in its calls.
    fn named_guardrail(&self) -> Option<&'w Ref<GuardrailSpec>> {
        self.workload()?.spec.uses.as_ref()?.guardrail.as_ref()
    }

    /// What a call of a model has to name: a numbered version of a guardrail, which is one that the role may apply. It is
    /// asked for where the model itself is decided about; whether the key is there for a profile, nobody says.
    pub(super) fn guarded(
        &mut self,
        (model, call): (&Resource<ModelSpec>, &Invocation),
    ) -> Option<Condition> {
        let named = self.named_guardrail()?;
        if model.spec.provider.value != ModelProvider::Bedrock {
            let message = format!("no guardrail of Bedrock is asked for where `{}` is called", model.name());
            return self.refuse(named.name.span, message, "leave it out, or use models of `bedrock`");
        }
        let version = [Piece::Literal("guardrail/"), Piece::AnyRun, Piece::Literal(":"), Piece::AnyRun];
        let arn = self.pattern("bedrock", (&call.source, self.account.id()), (&version, named.name.span))?;
        Some(Condition {
            operator: "ArnLike",
            key: "bedrock:GuardrailIdentifier".into(),
            values: vec![(arn, Origin::written(named.name.span))],
        })
    }

    fn workload(&self) -> Option<&'w Resource<WorkloadSpec>> {
        let Principal::Workload(id) = self.principal else { return None };
        self.account.graph().resource(id)
    }
}
