//! Application inference profiles: an agent calls its model through one that carries the tags of its tenant, so that the
//! bill says whose calls they were.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Invocation, Object};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentModel, AgentSpec};
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::reference::Ref;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address, reference};
use crate::origin::Origin;
use crate::tree::Tree;

/// What an agent invokes, and the profile that must exist before.
pub(crate) struct Invoked {
    pub(crate) id: Tree,
    pub(crate) needs: Option<Address>,
}

/// A call of an agent's own model, with its grant.
struct Own<'a> {
    model: &'a Resource<ModelSpec>,
    call: &'a Invocation,
    grant: Grant<'a>,
}

fn own<'a>(account: &Account<'a>, grants: &[Grant<'a>], named: &Ref<ModelSpec>) -> Option<Own<'a>> {
    let id = named.id()?;
    let mut grants = grants.iter().filter(|grant| grant.decision.request.object == Object::Model(id));
    let (grant, call) =
        grants.find_map(|grant| Some((*grant, grant.decision.request.circumstances.invocation()?)))?;
    Some(Own { model: account.graph().resource(id)?, call, grant })
}

/// What an agent invokes for a model: a profile of its tenant, or a provisioned model, or a global profile.
pub(crate) fn invoked(
    account: &Account<'_>,
    (agent, grants): (&AgentSpec, &[Grant<'_>]),
    named: &Ref<ModelSpec>,
) -> Option<Invoked> {
    let own = own(account, grants, named)?;
    if let Some(made) = own_address(account, agent, &own) {
        let place = Origin::written(account.graph().inference_span(&own.model.spec));
        let id = reference(&made, "inferenceProfileArn").from(place);
        return Some(Invoked { id, needs: Some(made) });
    }
    let inference = own.model.spec.inference.as_ref().map(|inference| &inference.value);
    let (text, span) = match (own.call.profile.as_deref(), inference) {
        (Some(profile), _) => (profile, account.graph().inference_span(&own.model.spec)),
        (None, Some(Inference::Provisioned(arn))) => (arn.value.as_str(), arn.span),
        (None, _) => (own.model.spec.model_id.value.as_str(), own.model.spec.model_id.span),
    };
    Some(Invoked { id: Tree::text(text).from(Origin::written(span)), needs: None })
}

/// The address of the profile; none where there is none to copy from.
fn own_address(account: &Account<'_>, agent: &AgentSpec, own: &Own<'_>) -> Option<Address> {
    let tenant = account.graph().get(&agent.tenant)?;
    let name = account.charged(tenant.name().as_str(), own.model, own.call)?;
    Some(address("InferenceProfile", name))
}

/// The profile of an agent that names a model itself.
pub(crate) fn artifact(
    account: &Account<'_>,
    agent: &Resource<AgentSpec>,
    grants: &[Grant<'_>],
) -> Option<Artifact> {
    let AgentModel::Model(named) = &agent.spec.model.value else { return None };
    let own =
        own(account, grants, named).filter(|own| own.model.spec.provider.value == ModelProvider::Bedrock)?;
    let made = own_address(account, &agent.spec, &own)?;
    let tenant = account.graph().get(&agent.spec.tenant)?;
    let source = own.call.source.as_ref();
    let (copied, span) = match own.call.profile.as_deref() {
        Some(profile) => (
            account.arn("bedrock", source, &format!("inference-profile/{profile}")),
            account.graph().inference_span(&own.model.spec),
        ),
        None => {
            let id = &own.model.spec.model_id;
            let partition = account.partition.as_str();
            (format!("arn:{partition}:bedrock:{source}::foundation-model/{}", id.value), id.span)
        }
    };
    let tag = |key: &str, value: &str, origin: Origin| {
        Tree::map([("key", Tree::text(key)), ("value", Tree::text(value))]).from(origin)
    };
    let mut tags: Vec<_> =
        account.marks().map(|(key, value)| tag(key, value, account.default("aws.tags"))).into();
    tags.push(tag("aipolicy:tenant", tenant.name().as_str(), Origin::written(tenant.name_span())));
    tags.push(tag("aipolicy:model", own.model.name().as_str(), Origin::written(own.model.name_span())));
    tags.extend(
        tenant
            .spec
            .cost_centre
            .as_ref()
            .map(|centre| tag("aipolicy:cost-centre", centre.value.as_str(), Origin::written(centre.span))),
    );
    let members = vec![
        ("inferenceProfileName", Tree::text(&made.name).from(account.default("origin.name"))),
        ("modelSource", Tree::map([("copyFrom", Tree::text(copied).from(Origin::written(span)))])),
        ("tags", Tree::list(tags)),
    ];
    let region = (source.to_owned(), Origin::written(named.name.span));
    Some(Request { address: made, region, members, needs: Vec::new() }.artifact(&Origin::granted(own.grant)))
}
