//! The provider `aws`: an account of AWS, asked and changed through its SDKs.

mod account;
mod adoption;
mod cbor;
mod composed;
mod error;
mod exchange;
mod iam;
mod life;
mod listing;
mod lives;
mod looking;
mod reference;
mod services;
mod tags;
#[cfg(test)]
mod tests;
mod things;
mod waiting;
mod wording;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::mark::Mark;
use aipolicy_targets::plan::{AlarmState, Observed, equivalent};
use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::adoption::Adoption;
use crate::provider::{Known, Provider, WorldError};
use account::Account;
use error::{Refusal, causes};
use reference::Lookup as _;
use things::Things;

/// How long a change of IAM may take until it is seen everywhere. AWS names no bound ("changes … might not be immediately
/// visible", IAM User Guide, "Troubleshoot IAM"); a minute is what is waited for.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// How often the SDK asks before the engine does, which tells of its pauses.
const ATTEMPTS: u32 = 3;
/// How long the SDK pauses first.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Where the objects of an environment are in AWS, and how they are known to be ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsPlace {
    /// The partition, for instance `aws`.
    pub partition: String,
    /// The account, 12 digits.
    pub account: String,
    /// The region whose endpoints are asked about the account.
    pub region: String,
    /// The regions in which the environment may have something, that one included.
    pub regions: Vec<String>,
    /// The targets whose documents live there: nothing else is looked at.
    pub targets: Vec<&'static str>,
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the environment.
    pub environment: String,
    /// What every name that is given to an object of ours begins with. Objects of others under such a name are told.
    pub prefix: String,
}

impl AwsPlace {
    fn mark(&self) -> Mark<'_> {
        Mark { workspace: &self.workspace, environment: &self.environment }
    }

    /// A text in which `{prefix}` and `{account}` stand for those of the environment.
    fn filled(&self, text: &str) -> String {
        text.replace("{prefix}", &self.prefix).replace("{account}", &self.account)
    }

    /// Whether a name could be one that we give. IAM compares names without case.
    fn is_near(&self, name: &str) -> bool {
        name.get(..self.prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.prefix))
    }
}

/// An account of AWS. Nothing is asked before the first question, and then first whose credentials these are.
pub struct Aws {
    place: Arc<AwsPlace>,
    open: OnceCell<Open>,
    /// The digests of documents whose change failed half way, as it was then.
    half_done: Mutex<BTreeMap<Address, String>>,
}

/// An account that credentials were found for.
struct Open {
    account: Arc<Account>,
    /// By `target/Kind`.
    kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
}

/// Objects of one kind: what is left of [`Provider`] when one knows what is there.
#[async_trait]
trait Kind: Send + Sync {
    /// The kind, as `target/Kind`, whose objects have to be looked at before.
    fn after(&self) -> Option<&'static str> {
        None
    }

    /// Looks at everything, and tells nothing yet: what refers to other objects is told once all are known.
    async fn look(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Everything of ours, and under a name of ours what is of others.
    async fn list(&self) -> Result<Vec<Observed>, Refusal>;

    /// The object with this address.
    async fn read(&self, address: &Address) -> Result<Option<Observed>, Refusal>;

    /// The digest of an object that was just read, told as when the account was looked at as a whole.
    fn as_planned(&self, _address: &Address) -> Option<String> {
        None
    }

    /// Makes an object. Nothing of that name was there, as far as one could see.
    async fn create(&self, wanted: &Document) -> Result<(), Refusal>;

    /// What can be said about adopting what the service calls so, for a document.
    async fn adoption(&self, wanted: &Document, id: &str) -> Result<Adoption, Refusal>;

    /// Gives our mark to an object.
    async fn mark(&self, found: &Document) -> Result<(), Refusal>;

    /// Whether an object of ours is the beginning of one that is wanted: [`Kind::create`] was cut off.
    fn is_begun(&self, found: &Document, wanted: &Document) -> bool;

    /// Makes an object of ours what is wanted.
    async fn change(&self, found: &Document, wanted: &Document) -> Result<(), Refusal>;

    /// Removes an object of ours.
    async fn remove(&self, found: &Document) -> Result<(), Refusal>;
}

impl Aws {
    /// The kinds of documents that it applies, as `target/Kind`.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        iam::KINDS.into_iter().chain(lives::all().flat_map(|life| life.words).copied())
    }

    /// The account of an environment.
    pub fn new(place: AwsPlace) -> Self {
        Self { place: Arc::new(place), open: OnceCell::new(), half_done: Mutex::default() }
    }

    async fn open(&self) -> Result<&Open, WorldError> {
        self.open.get_or_try_init(|| async { Ok(Open::of(self.connect().await?, &self.place)) }).await
    }

    /// Finds credentials, and makes sure that they are of the account.
    async fn connect(&self) -> Result<SdkConfig, WorldError> {
        let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.place.region.clone()))
            .retry_config(retry);
        let config = config.load().await;
        if let Some(provider) = config.credentials_provider() {
            let found = provider.provide_credentials().await;
            found.map_err(|error| WorldError::NoCredentials(causes(&error)))?;
        }
        let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let caller = caller.map_err(|error| Refusal::of(error).about_session())?;
        let found = caller.account().unwrap_or("").to_owned();
        match found == self.place.account {
            true => Ok(config),
            false => Err(WorldError::OtherAccount { expected: self.place.account.clone(), found }),
        }
    }

    async fn kind(&self, address: &Address) -> Result<&dyn Kind, WorldError> {
        let kind = self.open().await?.kinds.get(address.word().as_str());
        kind.map(AsRef::as_ref).ok_or_else(|| WorldError::NoProvider(address.clone()))
    }

    async fn found(&self, address: &Address) -> Result<Option<Observed>, WorldError> {
        let found = self.kind(address).await?.read(address).await;
        found.map_err(|refusal| refusal.about(address))
    }

    /// Notes what a change that was cut off has left, so that it can be taken up again.
    async fn cut_off(&self, address: &Address, refusal: Refusal) -> WorldError {
        let error = refusal.about(address);
        if let (true, Ok(Some(left))) = (error.is_transient(), self.found(address).await) {
            self.half_done().insert(address.clone(), left.document.digest());
        }
        error
    }

    fn half_done(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, String>> {
        self.half_done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object of ours is what a plan has seen, or what our own change has left of that.
    fn expect(&self, kind: &dyn Kind, found: &Observed, expected_digest: &str) -> Result<(), WorldError> {
        if !found.owned {
            return Err(WorldError::Foreign(found.document.address.clone()));
        }
        self.expect_unchanged(kind, found, expected_digest)
    }

    fn expect_unchanged(
        &self,
        kind: &dyn Kind,
        found: &Observed,
        expected_digest: &str,
    ) -> Result<(), WorldError> {
        let address = &found.document.address;
        let digest = found.document.digest();
        let is_planned = || kind.as_planned(address).is_some_and(|digest| digest == expected_digest);
        if digest == expected_digest || self.half_done().get(address) == Some(&digest) || is_planned() {
            return Ok(());
        }
        Err(changed(address, Some(expected_digest), Some(digest)))
    }

    /// Something of that name is there already: ours and the same, ours and half made, or not for us to touch.
    async fn taken(&self, kind: &dyn Kind, wanted: &Document) -> Result<(), WorldError> {
        let address = &wanted.address;
        let Some(found) = self.found(address).await? else {
            let all = kind.list().await.map_err(|refusal| refusal.about(address))?;
            let foreign = all.iter().any(|one| !one.owned && one.document.address == *address);
            return Err(match foreign {
                true => WorldError::Foreign(address.clone()),
                false => WorldError::Transient {
                    reason: format!("`{address}` is said to exist, and cannot be read yet"),
                    retry_after: None,
                },
            });
        };
        if !found.owned {
            Err(WorldError::Foreign(address.clone()))
        } else if equivalent(&found.document, wanted) {
            Ok(())
        } else if kind.is_begun(&found.document, wanted) {
            kind.change(&found.document, wanted).await.map_err(|refusal| refusal.about(address))
        } else {
            Err(changed(address, None, Some(found.document.digest())))
        }
    }
}

impl Open {
    fn of(config: SdkConfig, place: &Arc<AwsPlace>) -> Self {
        let lives_here =
            |word: &&str| word.split_once('/').is_some_and(|(target, _)| place.targets.contains(&target));
        let mut kinds = iam::kinds(&config, place);
        kinds.retain(|word, _| lives_here(word));
        let account = Arc::new(Account::new(AwsPlace::clone(place), config));
        for life in lives::all().filter(|life| life.words.iter().any(lives_here)) {
            let things: Arc<dyn Kind> = Arc::new(Things { life, account: Arc::clone(&account) });
            kinds.extend(life.words.iter().map(|word| (*word, Arc::clone(&things))));
        }
        Self { account, kinds }
    }

    fn distinct(&self) -> Vec<Arc<dyn Kind>> {
        let mut distinct: Vec<Arc<dyn Kind>> = Vec::new();
        for kind in self.kinds.values() {
            if !distinct.iter().any(|known| Arc::ptr_eq(known, kind)) {
                distinct.push(Arc::clone(kind));
            }
        }
        distinct
    }

    /// Looks at everything, wholes before their parts.
    async fn look(&self) -> Result<(), Refusal> {
        let mut waiting = self.distinct();
        while !waiting.is_empty() {
            let is_later = |kind: &Arc<dyn Kind>| {
                let before = kind.after().and_then(|word| self.kinds.get(word));
                before.is_some_and(|before| waiting.iter().any(|one| Arc::ptr_eq(one, before)))
            };
            let (later, now): (Vec<_>, Vec<_>) = waiting.iter().cloned().partition(is_later);
            let mut tasks = JoinSet::new();
            for kind in now {
                tasks.spawn(async move { kind.look().await });
            }
            while let Some(looked) = tasks.join_next().await {
                looked.map_err(Refusal::unreadable)??;
            }
            if later.len() == waiting.len() {
                return Err(Refusal::unreadable("kinds are parts of each other"));
            }
            waiting = later;
        }
        Ok(())
    }
}

#[async_trait]
impl Provider for Aws {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn settles_within(&self) -> Duration {
        SETTLES_WITHIN
    }

    async fn observe(&self, known: &Known) -> Result<Vec<Observed>, WorldError> {
        let open = self.open().await?;
        open.account.know(known);
        open.look().await.map_err(Refusal::about_session)?;
        open.account.seen_as_a_whole();
        let mut all = Vec::new();
        for kind in open.distinct() {
            all.extend(kind.list().await.map_err(Refusal::about_session)?);
        }
        Ok(all)
    }

    async fn alarms(&self, addresses: &[Address]) -> Result<BTreeMap<Address, AlarmState>, WorldError> {
        let live = self.open().await?.account.live();
        let state = |address: &Address| match live.value(address, "Alarm.StateValue")?.as_str()? {
            "OK" => Some(AlarmState::Quiet),
            "ALARM" => Some(AlarmState::Ringing),
            _ => None,
        };
        Ok(addresses.iter().filter_map(|address| Some((address.clone(), state(address)?))).collect())
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, WorldError> {
        self.found(address).await
    }

    async fn adoption(&self, document: &Document, id: &str) -> Result<Adoption, WorldError> {
        let found = self.kind(&document.address).await?.adoption(document, id).await;
        found.map_err(|refusal| refusal.about(&document.address))
    }

    async fn adopt(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        let kind = self.kind(address).await?;
        let Some(found) = self.found(address).await? else {
            return Err(changed(address, Some(expected_digest), None));
        };
        if found.owned {
            return Ok(());
        }
        self.expect_unchanged(kind, &found, expected_digest)?;
        kind.mark(&found.document).await.map_err(|refusal| refusal.about(address))
    }

    async fn create(&self, document: &Document) -> Result<(), WorldError> {
        let kind = self.kind(&document.address).await?;
        match kind.create(document).await {
            Err(refusal) if refusal.is_taken() => self.taken(kind, document).await,
            done => done.map_err(|refusal| refusal.about(&document.address)),
        }
    }

    async fn update(&self, document: &Document, expected_digest: &str) -> Result<(), WorldError> {
        let address = &document.address;
        let kind = self.kind(address).await?;
        let Some(found) = self.found(address).await? else {
            return Err(changed(address, Some(expected_digest), None));
        };
        if found.owned && equivalent(&found.document, document) {
            return Ok(());
        }
        self.expect(kind, &found, expected_digest)?;
        match kind.change(&found.document, document).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.cut_off(address, refusal).await),
        }
    }

    async fn delete(&self, address: &Address, expected_digest: &str) -> Result<(), WorldError> {
        let kind = self.kind(address).await?;
        let Some(found) = self.found(address).await? else { return Ok(()) };
        self.expect(kind, &found, expected_digest)?;
        match kind.remove(&found.document).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.cut_off(address, refusal).await),
        }
    }
}

fn changed(address: &Address, expected: Option<&str>, found: Option<String>) -> WorldError {
    WorldError::Changed { address: address.clone(), expected: expected.map(str::to_owned), found }
}
