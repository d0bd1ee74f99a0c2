//! The world of an environment: which provider serves which target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::{Actual, AlarmState};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::adoption::Adoption;
use crate::journal::Journal;
use crate::provider::{Known, Provider, WorldError};
use crate::retry::Patience;

/// Providers by target, or by `target/Kind` where the documents of a target live in more than one world.
#[derive(Clone, Default)]
pub struct World {
    providers: BTreeMap<String, Arc<dyn Provider>>,
    /// Those that served a target when something was last applied.
    former: Vec<Arc<dyn Provider>>,
    wanted: BTreeMap<Address, Document>,
    alarms: Vec<Address>,
}

impl World {
    /// A world of these providers. One provider may serve many targets.
    pub fn new(providers: BTreeMap<String, Arc<dyn Provider>>) -> Self {
        Self { providers, former: Vec::new(), wanted: BTreeMap::new(), alarms: Vec::new() }
    }

    /// Has a provider looked at that served a target when something was last applied, so that what is ours is not forgotten
    /// there.
    pub fn watch(&mut self, provider: Arc<dyn Provider>) {
        self.former.push(provider);
    }

    /// Says which documents should be there, so that what is found is told in their words.
    pub fn expect<'a>(&mut self, documents: impl IntoIterator<Item = &'a Document>) {
        let all = documents.into_iter().map(|document| (document.address.clone(), document.clone()));
        self.wanted = all.collect();
    }

    /// Says of which alarms one wants to know how they are.
    pub fn watch_alarms<'a>(&mut self, alarms: impl IntoIterator<Item = &'a Address>) {
        self.alarms = alarms.into_iter().cloned().collect();
    }

    /// The provider of a document.
    pub fn provider(&self, address: &Address) -> Result<&Arc<dyn Provider>, WorldError> {
        let kind = self.providers.get(&address.word());
        kind.or_else(|| self.providers.get(&address.target))
            .ok_or_else(|| WorldError::NoProvider(address.clone()))
    }

    /// The name of the provider under a key, as plans write it.
    pub fn provider_name(&self, key: &str) -> Option<&'static str> {
        self.providers.get(key).map(|provider| provider.name())
    }

    /// Everything that is there, with what the journal says was last applied.
    pub async fn observe_all(&self, journal: &Journal) -> Result<Actual, WorldError> {
        let mut applied = journal.last_applied().clone();
        for doubt in journal.unfinished().map(|unfinished| unfinished.in_doubt).unwrap_or_default() {
            let digest = doubt.before.or(doubt.after).unwrap_or_default();
            applied.entry(doubt.address).or_insert(digest);
        }
        let known = Known { wanted: self.wanted.clone(), applied };
        let known = Arc::new(known);
        let mut tasks = JoinSet::new();
        for provider in self.distinct() {
            let known = Arc::clone(&known);
            tasks.spawn(async move { provider.observe(&known).await.map(|found| (provider, found)) });
        }
        let (mut documents, mut stranded) = (BTreeMap::new(), BTreeMap::new());
        while let Some(joined) = tasks.join_next().await {
            let (provider, found) =
                joined.unwrap_or_else(|error| Err(WorldError::Broken(error.to_string())))?;
            for observed in found {
                let address = observed.document.address.clone();
                match self.provider(&address).is_ok_and(|serving| Arc::ptr_eq(serving, &provider)) {
                    true => drop(documents.insert(address, observed)),
                    // What others keep where no target of ours lives is none of our business.
                    false if observed.owned => drop(stranded.insert(address, provider.name())),
                    false => {}
                }
            }
        }
        if let Some((address, provider)) = stranded.pop_first() {
            return Err(WorldError::Stranded { address, provider });
        }
        let (last_applied, changed_at) = (journal.last_applied().clone(), journal.changed_at().clone());
        Ok(Actual { documents, last_applied, changed_at, alarms: self.alarms().await? })
    }

    async fn alarms(&self) -> Result<BTreeMap<Address, AlarmState>, WorldError> {
        let mut states = BTreeMap::new();
        for provider in self.distinct() {
            let serves =
                |alarm: &&Address| self.provider(alarm).is_ok_and(|serving| Arc::ptr_eq(serving, &provider));
            let alarms: Vec<_> = self.alarms.iter().filter(serves).cloned().collect();
            if !alarms.is_empty() {
                states.extend(provider.alarms(&alarms).await?);
            }
        }
        Ok(states)
    }

    /// The same for who is not applying: asked again while a service is busy, with pauses of no more than this in all.
    pub async fn observe_patiently(&self, journal: &Journal, budget: Duration) -> Result<Actual, WorldError> {
        let (_never, stop) = watch::channel(false);
        Patience { budget, stop }.ask(|| self.observe_all(journal), |_, _| {}).await
    }

    /// What can be said about adopting the object that the world calls so, for a document that asks for it. Asked as patiently
    /// as [`World::observe_patiently`], which has to come before.
    pub async fn adoption(
        &self,
        document: &Document,
        id: &str,
        budget: Duration,
    ) -> Result<Adoption, WorldError> {
        let (_never, stop) = watch::channel(false);
        let provider = self.provider(&document.address)?;
        Patience { budget, stop }.ask(|| provider.adoption(document, id), |_, _| {}).await
    }

    fn distinct(&self) -> Vec<Arc<dyn Provider>> {
        let mut distinct: Vec<Arc<dyn Provider>> = Vec::new();
        for provider in self.providers.values().chain(&self.former) {
            if !distinct.iter().any(|known| Arc::ptr_eq(known, provider)) {
                distinct.push(Arc::clone(provider));
            }
        }
        distinct
    }
}
