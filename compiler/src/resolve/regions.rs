//! Where a call of a model may be processed.

use std::collections::BTreeSet;

use super::Graph;
use crate::catalog::{Catalog, Destinations, Reach};
use crate::model::model::{Inference, ModelProvider, ModelSpec};
use crate::source::Span;

/// One region in which a call may be processed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Processing {
    /// The region of the call.
    pub source: String,
    /// The region of processing, `global` or `unknown`.
    pub region: String,
    /// The id of the inference profile that moves the call, if one does.
    pub profile: Option<String>,
}

impl Graph {
    /// The id of the inference profile of a model, if it is invoked through one.
    pub fn profile_id(&self, model: &ModelSpec) -> Option<String> {
        match model.inference.as_ref().map(|inference| &inference.value) {
            Some(Inference::Profile(geo)) => Some(format!("{}.{}", geo.value, model.model_id.value)),
            Some(Inference::OnDemand | Inference::Provisioned(_)) | None => None,
        }
    }

    /// Every region in which a call from `caller` may be processed. What is not known is `unknown`, and a profile
    /// that the catalog does not list for the caller's region may end wherever it may end from any region. Provisioned
    /// throughput is called, and processed, in the region of its ARN; a model of one's own where it is served.
    pub fn processing(&self, model: &ModelSpec, caller: &str) -> Vec<Processing> {
        if let Some(Inference::Provisioned(arn)) = model.inference.as_ref().map(|found| &found.value) {
            let region = arn.value.part(3).to_owned();
            return vec![Processing { source: region.clone(), region, profile: None }];
        }
        if model.provider.value == ModelProvider::SelfHosted {
            return self.served(model);
        }
        let sources: Vec<&str> = match model.regions.as_slice() {
            [] => vec![caller],
            regions => regions.iter().map(|region| region.value.as_str()).collect(),
        };
        sources.into_iter().flat_map(|source| self.processing_from(model, source)).collect()
    }

    /// A model of one's own is processed where it says, and on the clusters of the workloads that serve it.
    fn served(&self, model: &ModelSpec) -> Vec<Processing> {
        let said = model.regions.iter().map(|region| region.value.as_str());
        let regions: BTreeSet<&str> = said.chain(self.serving(model)).collect();
        let regions = if regions.is_empty() { BTreeSet::from(["unknown"]) } else { regions };
        let at =
            |region: &str| Processing { source: region.to_owned(), region: region.to_owned(), profile: None };
        regions.into_iter().map(at).collect()
    }

    fn processing_from(&self, model: &ModelSpec, source: &str) -> Vec<Processing> {
        let at = |region: &str, profile: Option<&str>| Processing {
            source: source.to_owned(),
            region: region.to_owned(),
            profile: profile.map(str::to_owned),
        };
        match (model.provider.value, model.inference.as_ref().map(|inference| &inference.value)) {
            (ModelProvider::OpenAiCompatible, _) if model.regions.is_empty() => vec![at("unknown", None)],
            (_, Some(Inference::Profile(_))) => {
                let profile = self.profile_id(model).unwrap_or_default();
                reach(self.catalog(), &profile, source)
                    .iter()
                    .map(|region| at(region, Some(&profile)))
                    .collect()
            }
            (_, Some(Inference::OnDemand | Inference::Provisioned(_)) | None) => vec![at(source, None)],
        }
    }

    /// Whether a model of Bedrock is offered in the region of a call on demand; nothing for other calls, and where the
    /// catalog does not know. The destinations of profiles are said by `processing`.
    pub fn offered(&self, model: &ModelSpec, source: &str) -> Option<bool> {
        let endpoint = match model.provider.value {
            ModelProvider::Bedrock => "bedrock-runtime",
            ModelProvider::BedrockMantle => "bedrock-mantle",
            ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => return None,
        };
        match model.inference.as_ref().map(|inference| &inference.value) {
            Some(Inference::Profile(_) | Inference::Provisioned(_)) => None,
            Some(Inference::OnDemand) | None => {
                self.catalog().offers(model.model_id.value.as_str(), endpoint, source)
            }
        }
    }

    /// Where the way of invoking a model is written, or its name if that is left to the default.
    pub fn inference_span(&self, model: &ModelSpec) -> Span {
        model.inference.as_ref().map_or(model.model_id.span, |inference| inference.span)
    }
}

fn reach(catalog: &Catalog, profile: &str, source: &str) -> BTreeSet<String> {
    match catalog.reach(profile, source) {
        Reach::Regions(regions) => regions,
        Reach::Global => BTreeSet::from(["global".to_owned()]),
        Reach::Unknown => {
            let everywhere = catalog.profile(profile).map(|fact| &fact.destinations);
            let mut regions: BTreeSet<_> = match everywhere {
                Some(Destinations::BySource(map)) => map.values().flatten().cloned().collect(),
                Some(Destinations::Word(_)) | None => BTreeSet::new(),
            };
            regions.insert("unknown".to_owned());
            regions
        }
    }
}
