//! Facts about regions, models and inference profiles, as data with source and date.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use sha2::{Digest, Sha256};

const REGIONS: &str = include_str!("data/regions.json");
const MODELS: &str = include_str!("data/models.json");
const PROFILES: &str = include_str!("data/profiles.json");
const LIMITS: &str = include_str!("data/limits.json");

/// A region of AWS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionFact {
    /// Its id, for instance `eu-central-1`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its partition.
    pub partition: String,
    /// Its country, an ISO 3166 code.
    pub country: String,
    /// The jurisdictions that it belongs to.
    pub jurisdictions: BTreeSet<String>,
}

/// Where a model is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleFact {
    /// In use.
    Active,
    /// Announced to end.
    Legacy,
    /// Ended.
    EndOfLife,
    /// Not found.
    Unknown,
}

/// The life of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelLife {
    /// Where it was on the date of the source.
    pub status: LifecycleFact,
    /// First day as legacy.
    pub legacy_from: Option<String>,
    /// Last day.
    pub end_of_life: Option<String>,
}

/// What tokens cost, as text with unit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PriceFacts {
    /// Of input.
    pub input: Option<String>,
    /// Of output.
    pub output: Option<String>,
    /// Of input from a cache.
    pub cache_read: Option<String>,
}

/// A model of Bedrock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelFact {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub vendor: String,
    /// Its name.
    pub name: String,
    /// Endpoints that serve it.
    pub endpoints: Vec<String>,
    /// Regions that serve it on demand; nothing where that was not found.
    pub regions: Option<BTreeSet<String>>,
    /// Context window in tokens.
    pub context: Option<u64>,
    /// Longest output in tokens.
    pub output: Option<u64>,
    /// What it can do.
    #[serde(default)]
    pub capabilities: BTreeSet<String>,
    /// What it costs.
    #[serde(default)]
    pub price: PriceFacts,
    /// Its life.
    pub lifecycle: ModelLife,
    /// Where the row comes from.
    pub source: String,
    /// When that was written or read.
    pub source_date: String,
}

/// Where an inference profile may send requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Destinations {
    /// Destination regions by the region of the request.
    BySource(BTreeMap<String, BTreeSet<String>>),
    /// `global` or `unknown`.
    Word(String),
}

/// An inference profile that AWS defines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProfileFact {
    /// Its id, for instance `eu.anthropic.claude-sonnet-4-5-20250929-v1:0`.
    pub id: String,
    /// Its prefix.
    pub geo: String,
    /// The model.
    pub model: String,
    /// Where it may send requests.
    pub destinations: Destinations,
    /// For global profiles: regions that may call it, where known.
    pub sources: Option<BTreeSet<String>>,
    /// Where the row comes from.
    pub source: String,
    /// When that was written or read.
    pub source_date: String,
}

/// A limit of a service or product that artifacts must keep.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitFact {
    /// Its id, for instance `iam.roleName`.
    pub id: String,
    /// The most that is allowed.
    pub value: u64,
    /// Of what.
    pub unit: String,
    /// Where the row comes from.
    pub source: String,
}

/// Where a call through a profile may be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In these regions.
    Regions(BTreeSet<String>),
    /// In any commercial region.
    Global,
    /// The catalog does not know. Whoever asks about residency takes this for a leak.
    Unknown,
}

#[derive(Deserialize)]
struct RegionFile {
    regions: Vec<RegionFact>,
}

#[derive(Deserialize)]
struct ModelFile {
    models: Vec<ModelFact>,
}

#[derive(Deserialize)]
struct ProfileFile {
    profiles: Vec<ProfileFact>,
}

#[derive(Deserialize)]
struct LimitFile {
    limits: Vec<LimitFact>,
}

/// The facts that ship with this version.
#[derive(Debug)]
pub struct Catalog {
    regions: BTreeMap<String, RegionFact>,
    models: BTreeMap<String, ModelFact>,
    profiles: BTreeMap<String, ProfileFact>,
    limits: BTreeMap<String, LimitFact>,
    asked: BTreeSet<String>,
    digest: String,
}

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
    Catalog::read([REGIONS, MODELS, PROFILES, LIMITS]).expect("the catalog that ships")
});

impl Catalog {
    /// The catalog that ships with this version.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    fn read([regions, models, profiles, limits]: [&str; 4]) -> Result<Self, serde_json::Error> {
        let mut hasher = Sha256::new();
        for part in [regions, models, profiles, limits] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let by_id = |id: &String| id.clone();
        let regions = index(serde_json::from_str::<RegionFile>(regions)?.regions, |fact| by_id(&fact.id));
        let models = index(serde_json::from_str::<ModelFile>(models)?.models, |fact| by_id(&fact.id));
        let profiles = index(serde_json::from_str::<ProfileFile>(profiles)?.profiles, |fact| by_id(&fact.id));
        Ok(Self {
            asked: asked(&regions, &models, &profiles),
            regions,
            models,
            profiles,
            limits: index(serde_json::from_str::<LimitFile>(limits)?.limits, |fact| by_id(&fact.id)),
            digest: format!("sha256:{digest}"),
        })
    }

    /// The digest of all facts.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Every region, by id.
    pub fn regions(&self) -> impl Iterator<Item = &RegionFact> {
        self.regions.values()
    }

    /// The region with this id.
    pub fn region(&self, id: &str) -> Option<&RegionFact> {
        self.regions.get(id)
    }

    /// Every model, by id.
    pub fn models(&self) -> impl Iterator<Item = &ModelFact> {
        self.models.values()
    }

    /// The model with this id.
    pub fn model(&self, id: &str) -> Option<&ModelFact> {
        self.models.get(id)
    }

    /// Every inference profile, by id.
    pub fn profiles(&self) -> impl Iterator<Item = &ProfileFact> {
        self.profiles.values()
    }

    /// The inference profile with this id.
    pub fn profile(&self, id: &str) -> Option<&ProfileFact> {
        self.profiles.get(id)
    }

    /// Every limit, by id.
    pub fn limits(&self) -> impl Iterator<Item = &LimitFact> {
        self.limits.values()
    }

    /// The limit with this id; what the catalog does not know is no limit that could be kept, so there is none.
    pub fn limit(&self, id: &str) -> Option<u64> {
        self.limits.get(id).map(|limit| limit.value)
    }

    /// Every jurisdiction that a region belongs to.
    pub fn jurisdictions(&self) -> BTreeSet<&str> {
        self.regions.values().flat_map(|region| &region.jurisdictions).map(String::as_str).collect()
    }

    /// Whether a model is offered on demand in a region, at an endpoint; nothing where the catalog does not know. Only
    /// commercial regions were asked for what they offer.
    pub fn offers(&self, model: &str, endpoint: &str, region: &str) -> Option<bool> {
        let fact = self.model(model)?;
        let regions = fact.regions.as_ref()?;
        self.asked
            .contains(region)
            .then(|| regions.contains(region) && fact.endpoints.iter().any(|served_by| served_by == endpoint))
    }

    /// Where a call through a profile from a region may be processed. The prefix of a profile says nothing
    /// reliable about it (`us.` from Canada includes Canada), so only rows of the catalog count.
    pub fn reach(&self, profile: &str, source: &str) -> Reach {
        match self.profile(profile).map(|fact| &fact.destinations) {
            Some(Destinations::BySource(map)) => {
                map.get(source).cloned().map_or(Reach::Unknown, Reach::Regions)
            }
            Some(Destinations::Word(word)) if word == "global" => Reach::Global,
            Some(Destinations::Word(_)) => Reach::Unknown,
            None if profile.starts_with("global.") => Reach::Global,
            None => Reach::Unknown,
        }
    }
}

/// The commercial regions that were asked for what they offer: those that answered with some model or profile.
fn asked(
    regions: &BTreeMap<String, RegionFact>,
    models: &BTreeMap<String, ModelFact>,
    profiles: &BTreeMap<String, ProfileFact>,
) -> BTreeSet<String> {
    let of_profile = |fact: &ProfileFact| match &fact.destinations {
        Destinations::BySource(map) => map.keys().cloned().collect(),
        Destinations::Word(_) => Vec::new(),
    };
    let found = models.values().flat_map(|fact| &fact.regions).flatten().cloned();
    let found = found.chain(profiles.values().flat_map(of_profile));
    found.filter(|id| regions.get(id).is_some_and(|region| region.partition == "aws")).collect()
}

fn index<T>(rows: Vec<T>, id: impl Fn(&T) -> String) -> BTreeMap<String, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_refers_to_rows_that_exist() {
        let catalog = Catalog::shipped();
        for profile in catalog.profiles() {
            assert!(catalog.model(&profile.model).is_some(), "{}", profile.id);
            if let Destinations::BySource(map) = &profile.destinations {
                for (source, destinations) in map {
                    for region in destinations.iter().chain([source]) {
                        assert!(catalog.region(region).is_some(), "{} names {region}", profile.id);
                    }
                }
            }
        }
        for model in catalog.models() {
            for region in model.regions.iter().flatten() {
                assert!(catalog.region(region).is_some(), "{} names {region}", model.id);
            }
        }
    }

    #[test]
    fn the_reach_of_a_profile_is_read_and_never_guessed() {
        let catalog = Catalog::shipped();
        let reach = catalog.reach("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu-central-1");
        let Reach::Regions(regions) = reach else { panic!("{reach:?}") };
        assert!(regions.contains("eu-north-1") && !regions.contains("us-east-1"));
        assert_eq!(
            catalog.reach("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1"),
            Reach::Unknown
        );
        assert_eq!(catalog.reach("eu.nobody.knows-me-v1:0", "eu-central-1"), Reach::Unknown);
        assert_eq!(catalog.reach("global.nobody.knows-me-v1:0", "eu-central-1"), Reach::Global);
    }

    #[test]
    fn what_a_region_offers_is_known_where_it_was_asked() {
        let catalog = Catalog::shipped();
        let nova = |region| catalog.offers("amazon.nova-lite-v1:0", "bedrock-runtime", region);
        assert_eq!((nova("eu-north-1"), nova("eu-central-1")), (Some(true), Some(false)));
        assert_eq!(nova("us-west-1"), Some(false), "it answered with profiles");
        assert_eq!((nova("us-gov-west-1"), nova("cn-north-1"), nova("me-south-1")), (None, None, None));
        let open = |endpoint| catalog.offers("openai.gpt-oss-20b-1:0", endpoint, "eu-central-1");
        assert_eq!((open("bedrock-runtime"), open("bedrock-mantle")), (Some(true), Some(false)));
        assert_eq!(catalog.offers("nobody.knows-me-v1:0", "bedrock-runtime", "eu-central-1"), None);
    }

    #[test]
    fn london_and_zurich_are_not_in_the_union() {
        let catalog = Catalog::shipped();
        let eu = |id| catalog.region(id).unwrap().jurisdictions.contains("eu");
        assert!(eu("eu-central-1") && eu("eu-south-1"));
        assert!(!eu("eu-west-2") && !eu("eu-central-2"));
    }
}
