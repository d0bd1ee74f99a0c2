//! What of one kind is in a region: what lists show, parts by their wholes, and what documents and the journal speak of.

use aipolicy_targets::artifact::Address;
use serde_json::Value;

use super::error::Refusal;
use super::exchange::Members;
use super::reference::{at, resolved};
use super::things::Things;

/// A thing that a list shows.
pub(super) struct Listed {
    pub(super) region: String,
    pub(super) keys: Members,
    pub(super) summary: Value,
    /// The document that asks for what it is a part of.
    pub(super) whole: Option<(Address, bool)>,
    /// The document that asks for it, or asked for it once, where nothing lists it.
    pub(super) address: Option<Address>,
}

impl Listed {
    fn under(address: Address, (region, keys): (&str, Members)) -> Self {
        Self { region: region.to_owned(), keys, summary: Value::Null, whole: None, address: Some(address) }
    }
}

impl Things {
    /// Everything of this kind in a region.
    pub(super) async fn listed(&self, region: &str) -> Result<Vec<Listed>, Refusal> {
        let list = &self.life.list;
        if list.asked.is_some() {
            return Ok(self.asked(region));
        }
        let words = self.life.words;
        let is_spoken_of =
            || !self.account.all_wanted(words).is_empty() || !self.account.former(words).is_empty();
        if list.on_demand && !is_spoken_of() {
            return Ok(Vec::new());
        }
        let Some(whole) = &self.life.whole else { return self.page(region, (Members::new(), None)).await };
        let mut all = Vec::new();
        for (address, thing) in self.account.live() {
            let is_one = whole.is_of(&address) && thing.region == region;
            if !is_one || !(thing.owned || self.account.wanted(&address).is_some()) {
                continue;
            }
            let shared = whole.keys.iter().filter_map(|(name, own)| {
                let value = own.strip_prefix('=').map(Value::from).or_else(|| thing.keys.get(*own).cloned());
                Some(((*name).to_owned(), value?))
            });
            all.extend(self.page(region, (shared.collect(), Some((address, thing.owned)))).await?);
        }
        Ok(all)
    }

    /// What documents and the journal speak of, where nothing lists it. What only the journal knows may be in any region.
    fn asked(&self, region: &str) -> Vec<Listed> {
        let live = self.account.live();
        let mut all: Vec<Listed> = Vec::new();
        let mut spoken_of = Vec::new();
        for document in self.account.all_wanted(self.life.words) {
            let Ok(value) = serde_json::from_str::<Value>(&document.text) else { continue };
            let Some(resolved) = resolved(&value, &live) else { continue };
            let keys = self.keys(&Members::new(), &resolved);
            spoken_of.push((self.region_of(&value), keys.clone()));
            if self.region_of(&value) == region {
                all.push(Listed::under(document.address, (region, keys)));
            }
        }
        let named = self.life.list.asked.iter().flat_map(|named| {
            let former = self.account.former(self.life.words).into_iter();
            former.filter_map(|address| Some((named(&self.account.place, region, &address.name)?, address)))
        });
        let former = named.filter(|(keys, _)| !spoken_of.contains(&(region.to_owned(), keys.clone())));
        all.extend(former.map(|(keys, address)| Listed::under(address, (region, keys))));
        all
    }

    /// Asks for a thing unless it is there already: an answer may have been lost.
    pub(super) async fn ask_once(
        &self,
        address: &Address,
        (region, operation): (&str, &str),
        members: Members,
    ) -> Result<Value, Refusal> {
        if self.found(address).await?.is_some() {
            return Err(Refusal::taken(&format!("`{address}` is there")));
        }
        self.account.ask_once((self.life.service, region), operation, members).await
    }

    /// The region that a document is about.
    pub(super) fn region_of(&self, document: &Value) -> String {
        let said = document.get("$region").and_then(Value::as_str).or(self.life.home);
        said.unwrap_or(&self.account.place.region).to_owned()
    }

    async fn page(
        &self,
        region: &str,
        (shared, whole): (Members, Option<(Address, bool)>),
    ) -> Result<Vec<Listed>, Refusal> {
        let found = match self.account.all((self.life, region), &shared).await {
            Err(refusal) if refusal.is_gone() => Vec::new(),
            found => found?,
        };
        let all = self.latest(found).into_iter().map(|summary| Listed {
            region: region.to_owned(),
            keys: self.keys(&shared, &summary),
            summary,
            whole: whole.clone(),
            address: None,
        });
        Ok(all.collect())
    }

    /// Of all versions the last one, where a list shows versions.
    fn latest(&self, found: Vec<Value>) -> Vec<Value> {
        let Some(member) = self.life.list.latest else { return found };
        let number =
            |summary: &Value| summary.get(member).and_then(|text| text.as_str()?.parse::<u64>().ok());
        let last = found.into_iter().filter_map(|summary| Some((number(&summary)?, summary)));
        last.max_by_key(|(number, _)| *number).map(|(_, summary)| summary).into_iter().collect()
    }

    /// The members by which operations name a thing that is shown.
    pub(super) fn keys(&self, shared: &Members, shown: &Value) -> Members {
        let own = self.life.list.keys.iter().filter_map(|(name, places)| {
            let value = places.iter().find_map(|place| match place.strip_prefix('=') {
                Some(fixed) => Some(self.account.place.filled(fixed).into()),
                None => at(shown, place).cloned(),
            })?;
            Some(((*name).to_owned(), value))
        });
        shared.clone().into_iter().chain(own).collect()
    }
}
