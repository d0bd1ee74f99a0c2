//! Calls of models: what Bedrock decides about when a granted model is invoked.
//!
//! Sources: Bedrock user guide, "Geographic cross-Region inference" and "Application inference profiles"; service
//! authorization reference, Amazon Bedrock and Amazon Bedrock Powered by AWS Mantle.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Invocation, Principal};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};

use super::super::need::{Calls, Needs};
use super::guardrail;

const INVOKE: &[&str] = &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];
const THROUGH: &str = "bedrock:InferenceProfileArn";

/// The calls of a model for one region in which it may be processed; none where AWS has no say.
pub(super) fn needs(needs: &mut Needs<'_>, (model, call): (&Resource<ModelSpec>, &Invocation)) -> Vec<Calls> {
    let (spec, source) = (&model.spec, call.source.as_ref());
    let id = spec.model_id.value.as_str();
    let provisioned = spec.inference.as_ref().and_then(|found| match &found.value {
        Inference::Provisioned(arn) => Some(arn.value.as_str()),
        Inference::OnDemand | Inference::Profile(_) => None,
    });
    match (spec.provider.value, provisioned, call.profile.as_deref()) {
        (ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted, _, _) => Vec::new(),
        (ModelProvider::BedrockMantle, _, _) => {
            let project = needs.own(("bedrock-mantle", source), "project/default", &[]);
            let calls = Calls::of(&["bedrock-mantle:CreateInference"]).on(project);
            vec![calls.where_is("bedrock-mantle:Model", id)]
        }
        (ModelProvider::Bedrock, Some(arn), _) => vec![Calls::of(INVOKE).on(Ok(arn.to_owned()))],
        (ModelProvider::Bedrock, None, None) => {
            vec![Calls::of(INVOKE).on(foundation(needs, source, id))]
        }
        (ModelProvider::Bedrock, None, Some(profile)) => {
            let arn = needs.own(("bedrock", source), "inference-profile/{}", &[profile]);
            let Ok(through) = arn.clone() else { return vec![Calls::of(INVOKE).on(arn)] };
            let entry = Calls::of(INVOKE).on(arn);
            let near = Calls::of(INVOKE).on(foundation(needs, source, id)).where_is(THROUGH, &through);
            if call.region.as_ref() != "global" {
                let far = Calls::of(INVOKE).on(foundation(needs, &call.region, id));
                return vec![entry, near, far.where_is(THROUGH, &through)];
            }
            // A global profile ends at a model without a region, which a request names as `unspecified`.
            let anywhere = Calls::of(INVOKE).on(foundation(needs, "", id)).where_is(THROUGH, &through);
            let requested = |calls: Calls, region: &str| calls.where_is("aws:RequestedRegion", region);
            vec![requested(entry, source), requested(near, source), requested(anywhere, "unspecified")]
        }
    }
}

/// The calls of an agent's own model through the profile of its tenant, whose id nobody knows before it is made; none
/// where the model has no such profile.
pub(super) fn charged(
    needs: &Needs<'_>,
    agent: &Resource<AgentSpec>,
    (model, call): (&Resource<ModelSpec>, &Invocation),
) -> Option<Vec<Calls>> {
    let account = needs.account;
    let tenant = account.graph().get(&agent.spec.tenant)?.name().as_str();
    account.charged(tenant, model, call)?;
    let source = call.source.as_ref();
    let profile = needs.own(("bedrock", source), "application-inference-profile/*", &[]);
    let through = profile.clone().unwrap_or_default();
    let tags = [("aipolicy:tenant", tenant), ("aipolicy:model", model.name().as_str())];
    let tagged =
        account.marks().into_iter().chain(tags).fold(Calls::of(INVOKE).on(profile), |calls, (key, value)| {
            calls.where_is(&format!("aws:ResourceTag/{key}"), value)
        });
    let id = model.spec.model_id.value.as_str();
    let behind = Calls::of(INVOKE)
        .on(foundation(needs, source, id))
        .on(foundation(needs, &call.region, id))
        .when("ArnLike", THROUGH, [through]);
    Some(vec![tagged, behind])
}

fn foundation(needs: &Needs<'_>, region: &str, id: &str) -> Result<String, aipolicy_iam::ArnError> {
    needs.shared(("bedrock", region), "foundation-model/{}", &[id])
}

/// Notes what a granted call of a model needs.
pub(super) fn note<'a>(
    all: &mut Needs<'a>,
    grant: Grant<'a>,
    (model, call): (&Resource<ModelSpec>, &Invocation),
) {
    let principal = grant.decision.request.principal;
    let role = all.role_of(principal);
    let through_tenant = match principal {
        Principal::Agent(id) => {
            all.account.graph().resource(id).and_then(|agent| charged(all, agent, (model, call)))
        }
        Principal::Workload(_)
        | Principal::Gateway(_)
        | Principal::Tenant(_)
        | Principal::Route(_)
        | Principal::Environment(_) => None,
    };
    let calls = through_tenant.unwrap_or_else(|| needs(all, (model, call)));
    for calls in calls {
        let calls = guardrail::naming(all, (principal, call), calls);
        all.add(&role, grant, calls);
    }
    guardrail::note(all, grant, (model, call));
}
