//! Permissions to invoke models: the profile where a call is made, and the model in every region where it may end.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Circumstances, Invocation, Object};
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};
use aipolicy_compiler::model::{Id, Resource};

use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::policy::Allow;
use crate::origin::Origin;

pub(super) const INVOKE: &[&str] = &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];
pub(super) const INVOKE_MANTLE: &[&str] = &["bedrock-mantle:CreateInference"];

/// Grants of one model from one region.
struct Calls<'g> {
    model: &'g Resource<ModelSpec>,
    call: &'g Invocation,
    spec: &'g ModelSpec,
    name: &'g str,
    source: &'g str,
    profile: Option<&'g str>,
    regions: BTreeSet<&'g str>,
    origin: Origin,
}

impl<'w> Writer<'w> {
    /// What the granted calls of models need. Several grants of one model, from different lines, are one statement. Where
    /// calls are charged to a tenant, there is no other way to the model.
    pub(super) fn models(&mut self) -> Vec<Allow> {
        let mut allows = Vec::new();
        for calls in &self.calls() {
            let charged = self.charged(calls);
            allows.extend(if charged.is_empty() { self.model(calls) } else { charged });
        }
        allows
    }

    /// The profile of an agent's tenant, told by its tags since its id is not known before it is made, and the model
    /// behind it where a call may end.
    fn charged(&mut self, calls: &Calls<'w>) -> Vec<Allow> {
        let Some(tenant) = self.agent().and_then(|agent| self.account.graph().get(&agent.spec.tenant)) else {
            return Vec::new();
        };
        let anywhere = calls.regions.contains("unknown") || calls.regions.contains("global");
        if anywhere || self.account.charged(tenant.name().as_str(), calls.model, calls.call).is_none() {
            return Vec::new();
        }
        let span = self.account.graph().inference_span(calls.spec);
        let pieces = [Piece::Literal("application-inference-profile/"), Piece::AnyRun];
        let profile = self.pattern("bedrock", (calls.source, self.account.id()), (&pieces, span));
        let Some(profile) = profile else { return Vec::new() };
        let mut entry = allow(calls, "Charge", INVOKE, vec![(profile.clone(), Origin::written(span))]);
        let own = [
            ("aipolicy:tenant", tenant.name().as_str(), Origin::written(tenant.name_span())),
            ("aipolicy:model", calls.name, Origin::written(calls.model.name_span())),
        ];
        let marks = self.account.marks().map(|(key, value)| (key, value, self.account.default("aws.tags")));
        entry.conditions = marks
            .into_iter()
            .chain(own)
            .map(|(key, value, origin)| Condition::equals(&format!("aws:ResourceTag/{key}"), value, origin))
            .collect();
        let regions: BTreeSet<&str> = calls.regions.iter().copied().chain([calls.source]).collect();
        let places = regions.into_iter().filter_map(|region| self.foundation(calls, region)).collect();
        let mut behind = allow(calls, "Reach charged", INVOKE, places);
        let through =
            Condition::new("ArnLike", "bedrock:InferenceProfileArn", profile, Origin::written(span));
        behind.conditions.push(through);
        vec![entry, behind]
    }

    fn calls(&self) -> Vec<Calls<'w>> {
        let mut calls: BTreeMap<(Id<ModelSpec>, &str), Calls<'w>> = BTreeMap::new();
        for grant in self.grants {
            let Some((id, call)) = invocation(*grant) else { continue };
            let Some(model) = self.account.graph().resource(id) else { continue };
            let entry = calls.entry((id, &call.source)).or_insert_with(|| Calls {
                model,
                call,
                spec: &model.spec,
                name: model.name().as_str(),
                source: &call.source,
                profile: call.profile.as_deref(),
                regions: BTreeSet::new(),
                origin: Origin::granted(*grant),
            });
            entry.regions.insert(&call.region);
        }
        calls.into_values().collect()
    }

    fn model(&mut self, calls: &Calls<'w>) -> Vec<Allow> {
        let guarded = self.guarded((calls.model, calls.call));
        let mut allows = self.unguarded(calls);
        let of_models = |allow: &&mut Allow| allow.resources.iter().any(|(arn, _)| is_model(arn));
        for allow in allows.iter_mut().filter(of_models) {
            allow.conditions.extend(guarded.clone());
        }
        allows
    }

    fn unguarded(&mut self, calls: &Calls<'w>) -> Vec<Allow> {
        match (calls.spec.provider.value, calls.spec.inference.as_ref().map(|found| &found.value)) {
            (ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted, _) => Vec::new(),
            (ModelProvider::BedrockMantle, None | Some(Inference::OnDemand)) => self.mantle(calls),
            (ModelProvider::BedrockMantle, Some(_)) => {
                let span = self.account.graph().inference_span(calls.spec);
                let message =
                    "`bedrock-mantle` knows no inference profiles and no provisioned throughput".to_owned();
                self.refuse::<()>(span, message, "use `inference: onDemand`");
                Vec::new()
            }
            (ModelProvider::Bedrock, Some(Inference::Provisioned(arn))) => {
                let resources = vec![(arn.value.as_str().to_owned(), Origin::written(arn.span))];
                vec![allow(calls, "Invoke", INVOKE, resources)]
            }
            (ModelProvider::Bedrock, Some(Inference::Profile(_))) => self.through_profile(calls),
            (ModelProvider::Bedrock, Some(Inference::OnDemand) | None) => {
                let place = self.foundation(calls, calls.source);
                place.map(|resource| allow(calls, "Invoke", INVOKE, vec![resource])).into_iter().collect()
            }
        }
    }

    fn foundation(&mut self, calls: &Calls<'_>, region: &str) -> Option<(String, Origin)> {
        let written = &calls.spec.model_id;
        let resource = format!("foundation-model/{}", written.value);
        let arn = self.shared_arn("bedrock", region, (&resource, written.span))?;
        Some((arn, Origin::written(written.span)))
    }

    /// The profile in the region of the call, and the model in every destination, only through that profile.
    fn through_profile(&mut self, calls: &Calls<'w>) -> Vec<Allow> {
        let span = self.account.graph().inference_span(calls.spec);
        let Some(profile) = calls.profile else { return Vec::new() };
        if calls.regions.contains("unknown") {
            let message = format!("the destinations of `{profile}` from {} are not known", calls.source);
            let help = "call it from a region that the catalog lists, or use another profile";
            self.refuse::<()>(span, message, help);
            return Vec::new();
        }
        let arn = self.arn("bedrock", calls.source, (&format!("inference-profile/{profile}"), span));
        let Some(arn) = arn else { return Vec::new() };
        let through = Condition::equals("bedrock:InferenceProfileArn", &arn, Origin::written(span));
        let entry = allow(calls, "Invoke", INVOKE, vec![(arn, Origin::written(span))]);
        if calls.regions.contains("global") {
            return self.globally(calls, entry, through);
        }
        let regions: BTreeSet<&str> = calls.regions.iter().copied().chain([calls.source]).collect();
        let places: Vec<_> =
            regions.into_iter().filter_map(|region| self.foundation(calls, region)).collect();
        let mut behind = allow(calls, "Reach", INVOKE, places);
        behind.conditions.push(through);
        vec![entry, behind]
    }

    /// A global profile needs the model without a region too, which a request names as `unspecified`.
    fn globally(&mut self, calls: &Calls<'_>, mut entry: Allow, through: Condition) -> Vec<Allow> {
        let origin = Origin::written(self.account.graph().inference_span(calls.spec));
        let requested = |region: &str| Condition::equals("aws:RequestedRegion", region, origin.clone());
        entry.conditions.push(requested(calls.source));
        let here = self.foundation(calls, calls.source);
        let mut near = allow(calls, "Reach", INVOKE, here.into_iter().collect());
        near.conditions = vec![through.clone(), requested(calls.source)];
        let anywhere = self.foundation(calls, "");
        let mut far = allow(calls, "ReachAnywhere", INVOKE, anywhere.into_iter().collect());
        far.conditions = vec![through, requested("unspecified")];
        vec![entry, near, far]
    }

    /// The OpenAI-style endpoint: its resource is a project, and the model is a condition.
    fn mantle(&mut self, calls: &Calls<'_>) -> Vec<Allow> {
        let written = &calls.spec.model_id;
        let Some(arn) = self.arn("bedrock-mantle", calls.source, ("project/default", written.span)) else {
            return Vec::new();
        };
        let origin = Origin::written(written.span);
        let mut found = allow(calls, "Invoke", INVOKE_MANTLE, vec![(arn, origin.clone())]);
        found.conditions.push(Condition::equals("bedrock-mantle:Model", written.value.as_str(), origin));
        vec![found]
    }
}

/// Whether an ARN names what processes a call, and no profile that leads there.
fn is_model(arn: &str) -> bool {
    [":foundation-model/", ":provisioned-model/"].iter().any(|kind| arn.contains(kind))
}

fn invocation<'g>(grant: Grant<'g>) -> Option<(Id<ModelSpec>, &'g Invocation)> {
    match (&grant.decision.request.object, &grant.decision.request.circumstances) {
        (Object::Model(id), Circumstances::Invocation(call)) => Some((*id, call)),
        _ => None,
    }
}

fn allow(
    calls: &Calls<'_>,
    verb: &str,
    actions: &'static [&'static str],
    resources: Vec<(String, Origin)>,
) -> Allow {
    Allow {
        sid: format!("{verb} {} {}", calls.name, calls.source),
        about: calls.name.to_owned(),
        actions,
        resources,
        conditions: Vec::new(),
        origin: calls.origin.clone(),
    }
}
