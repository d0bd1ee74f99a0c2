//! Guardrails that calls of models pass: applying one is a call of its own, and a request tells which one it named.
//!
//! Sources: Bedrock user guide, "Enforce the use of specific guardrails in model inference requests" and "Apply
//! cross-account safeguards with Amazon Bedrock Guardrails enforcements".

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Invocation, Principal};
use aipolicy_compiler::model::guardrail::GuardrailSpec;
use aipolicy_compiler::model::model::{ModelProvider, ModelSpec};
use aipolicy_compiler::model::{Ref, Resource};

use super::super::need::{Calls, Needs};
use super::agent::ours;

/// The use of a guardrail in a region, whose id nobody knows before it is made.
pub(super) fn applied(needs: &Needs<'_>, region: &str, named: &Ref<GuardrailSpec>) -> Calls {
    let arn = needs.own(("bedrock", region), "guardrail/*", &[]);
    let calls = ours(needs, Calls::of(&["bedrock:ApplyGuardrail"]).on(arn));
    calls.where_is("aws:ResourceTag/aipolicy:guardrail", named.name.value.as_str())
}

/// The guardrail that a principal names in calls of models itself.
fn named<'a>(needs: &Needs<'a>, principal: Principal) -> Option<&'a Ref<GuardrailSpec>> {
    match principal {
        Principal::Workload(id) => needs.account.graph().resource(id)?.spec.uses.as_ref()?.guardrail.as_ref(),
        Principal::Agent(_)
        | Principal::Gateway(_)
        | Principal::Tenant(_)
        | Principal::Route(_)
        | Principal::Environment(_) => None,
    }
}

/// Notes the guardrails that a call of a model passes: the one that it names, and the one that the account enforces.
pub(super) fn note<'a>(
    all: &mut Needs<'a>,
    grant: Grant<'a>,
    (model, call): (&Resource<ModelSpec>, &Invocation),
) {
    if model.spec.provider.value != ModelProvider::Bedrock {
        return;
    }
    let principal = grant.decision.request.principal;
    let enforced = all.account.environment.spec.enforced_guardrail.as_ref();
    let excepted = |other: &Ref<ModelSpec>| other.name.value.as_str() == model.name().as_str();
    let enforced = enforced.filter(|one| !one.except.iter().any(excepted));
    let role = all.role_of(principal);
    for named in named(all, principal).into_iter().chain(enforced.map(|one| &one.guardrail)) {
        let calls = applied(all, &call.source, named);
        all.add(&role, grant, calls);
    }
}

/// A call of a model as whoever names a guardrail makes it: with a numbered version. A profile that leads to the model is
/// decided about without it.
pub(super) fn naming(needs: &Needs<'_>, (principal, call): (Principal, &Invocation), calls: Calls) -> Calls {
    if named(needs, principal).is_none() || calls.about("inference-profile/") {
        return calls;
    }
    match needs.own(("bedrock", &call.source), "guardrail/*:*", &[]) {
        Ok(version) => calls.when("ArnLike", "bedrock:GuardrailIdentifier", [version]),
        Err(_) => calls,
    }
}
