//! The things of one kind in an account: found, told in the words of documents, made, changed and removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use aipolicy_targets::Tree;
use aipolicy_targets::artifact::{Address, Document, Format};
use aipolicy_targets::plan::Observed;
use async_trait::async_trait;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Kind;
use super::account::{Account, Live, Thing};
use super::adoption::members;
use super::error::Refusal;
use super::exchange::Members;
use super::life::{Life, Member, Part, Tags, Update};
use super::listing::Listed;
use super::reference::{at, resolved, written};
use super::tags::own;
use super::waiting::{has_failed, is_passing};
use super::wording::{without_echoes, worded};
use crate::adoption::Adoption;

/// The things of one kind in an account.
#[derive(Clone)]
pub(super) struct Things {
    pub(super) life: &'static Life,
    pub(super) account: Arc<Account>,
}

/// A thing that was found.
pub(super) struct Found {
    /// The document that asks for it, or asked for it once, where nothing lists it.
    address: Option<Address>,
    pub(super) thing: Thing,
    /// The document that asks for what it is a part of.
    whole: Option<Address>,
}

impl Things {
    pub(super) async fn ask(
        &self,
        region: &str,
        operation: &str,
        members: Members,
    ) -> Result<Value, Refusal> {
        self.account.ask((self.life.service, region), operation, members).await
    }

    /// A thing as it is now, with its tags; nothing if it is gone.
    pub(super) async fn looked_at(
        &self,
        listed: Listed,
    ) -> Result<Option<(Thing, Option<Address>)>, Refusal> {
        let Listed { region, keys, summary, whole, .. } = listed;
        let (shown, place) = match self.life.read {
            None => (summary, ""),
            Some((operation, place)) => match self.ask(&region, operation, keys.clone()).await {
                Err(refusal) if refusal.is_gone() => return Ok(None),
                shown => (shown?, place),
            },
        };
        let Some(thing) = at(&shown, place) else { return Ok(None) };
        let state = self.state(thing);
        if state.contains("DELETING") {
            return Ok(None);
        }
        let tags = match self.life.tags {
            Some(tags) => match self.tags(&region, tags, thing).await {
                Err(refusal) if refusal.is_gone() => return Ok(None),
                found => Some((tags, found?)),
            },
            None => None,
        };
        let owned = match (&tags, &whole) {
            (Some((_, found)), _) => self.account.place.marks(found),
            (None, Some((_, owned))) => *owned,
            (None, None) => false,
        };
        let mut seen = self.seen(thing);
        if seen.is_empty() {
            return Ok(None);
        }
        let named = self.life.members.iter().filter(|member| matches!(member, Member::Key(_)));
        seen.extend(named.filter_map(|key| Some((key.name().to_owned(), keys.get(key.name())?.clone()))));
        if let Some((tags, found)) = tags {
            seen.insert(tags.member.to_owned(), tags.written(&own(found)));
        }
        if has_failed(&state) {
            seen.insert("$state".to_owned(), state.into());
        }
        let whole = whole.map(|(address, _)| address);
        Ok(Some((Thing { region, keys, shown, seen, owned }, whole)))
    }

    fn seen(&self, thing: &Value) -> Members {
        let shown = |member: &Member| {
            let value = match member {
                Member::Same(name) => thing.get(*name).cloned(),
                Member::Key(_) => None,
                Member::At(_, pointer) => thing.pointer(pointer).cloned(),
                Member::As(_, from) => from(thing, None),
            };
            Some((member.name().to_owned(), value.filter(|value| !value.is_null())?))
        };
        self.life.members.iter().filter_map(shown).collect()
    }

    /// The state of a thing in capitals: the first that has not ended yet, or says what went wrong.
    pub(super) fn state(&self, thing: &Value) -> String {
        let all = self.life.states.iter().filter_map(|place| at(thing, place)?.as_str());
        let mut all = all.map(str::to_uppercase);
        all.find(|state| is_passing(state) || has_failed(state)).unwrap_or_default()
    }

    pub(super) async fn tags(
        &self,
        region: &str,
        tags: &Tags,
        thing: &Value,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let Some(arn) = at(thing, tags.arn.1) else { return Ok(BTreeMap::new()) };
        let asked = Members::from_iter([(tags.arn.0.to_owned(), arn.clone())]);
        let answer = self.ask(region, tags.operations.0, asked).await?;
        Ok(tags.read(answer.get(tags.said).unwrap_or(&Value::Null)))
    }

    /// What tells a thing from all others: its region and the members of its identity.
    pub(super) fn identity(&self, region: &str, members: &Value) -> String {
        let all: Vec<&Value> =
            self.life.identity.iter().map(|name| at(members, name).unwrap_or(&Value::Null)).collect();
        serde_json::json!([region, all]).to_string()
    }

    /// The addresses of the documents that ask for things of this kind, by what tells a thing from others.
    fn addresses(&self, live: &Live) -> BTreeMap<String, Address> {
        let wanted = self.account.all_wanted(self.life.words);
        let all = wanted.into_iter().filter_map(|document| {
            let value: Value = serde_json::from_str(&document.text).ok()?;
            let own = self.asked_identity(&value, live)?;
            Some((self.identity(&self.region_of(&value), &own), document.address))
        });
        all.collect()
    }

    /// The address of a thing: that of the document that asks for it, or one made of its name. Nothing for a thing that no
    /// document could ask for.
    fn address(
        &self,
        known: &BTreeMap<String, Address>,
        thing: &Thing,
        whole: Option<&Address>,
    ) -> Option<Address> {
        let members = members(thing);
        if let Some(found) = known.get(&self.identity(&thing.region, &members)) {
            return Some(found.clone());
        }
        let name = match self.life.identity.last() {
            Some(name) => at(&members, name)?.as_str()?.to_owned(),
            None => format!("{}{}", self.account.place.prefix, thing.region),
        };
        let name: String = name.trim_start_matches('/').replace(|letter: char| !is_plain(letter), "-");
        let target = whole.map(|whole| format!("{}/", whole.target));
        let in_target = |word: &&&str| target.as_ref().is_some_and(|target| word.starts_with(target));
        let word = self.life.words.iter().find(in_target).or(self.life.words.first())?;
        let name = match whole {
            Some(whole) if self.life.list.latest.is_some() || whole.name == name => whole.name.clone(),
            Some(whole) => format!("{}.{name}", whole.name),
            None => name,
        };
        format!("{word}/{name}").parse().ok()
    }

    /// A thing in the words of the document that asks for it.
    pub(super) fn told(
        &self,
        address: &Address,
        (thing, live): (&Thing, &Live),
    ) -> Result<Document, Refusal> {
        let wanted = self.account.wanted(address);
        let text = wanted.as_ref().map_or("{}", |document| &document.text);
        let asked: Value = serde_json::from_str(text).map_err(Refusal::unreadable)?;
        let mut seen = Value::Object(thing.seen.clone());
        self.kept_to_themselves(&mut seen, thing, (&asked, live));
        without_echoes(&mut seen, &asked, self.life.echoes);
        let mut told = worded(&asked, &seen, live);
        if let (Some(tags), Value::Object(members)) = (self.life.tags, &mut told) {
            tags.order(members, &asked);
        }
        let has_region = wanted.is_none() || asked.get("$region").is_some();
        if let (true, Value::Object(members)) = (has_region, &mut told) {
            members.insert("$region".to_owned(), thing.region.clone().into());
        }
        if let Some(wanted) = wanted.as_ref().filter(|_| told == asked) {
            return Ok(wanted.clone());
        }
        let like: Tree = serde_json::from_str(text).map_err(Refusal::unreadable)?;
        let tree = Tree::from_json(&told, Some(&like));
        let mut text = serde_json::to_string_pretty(&tree).map_err(Refusal::unreadable)?;
        text.push('\n');
        Ok(Document { address: address.clone(), format: Format::Json, text })
    }

    /// Adds what a service shows in another form, where it fits what is wanted.
    fn kept_to_themselves(&self, seen: &mut Value, thing: &Thing, (asked, live): (&Value, &Live)) {
        let place = self.place_of_thing();
        let (Value::Object(seen), Some(shown)) = (seen, at(&thing.shown, place)) else { return };
        for member in self.life.members {
            let Member::As(name, from) = member else { continue };
            let wanted = asked.get(*name).and_then(|wanted| resolved(wanted, live));
            match from(shown, wanted.as_ref()).filter(|value| !value.is_null()) {
                Some(value) => drop(seen.insert((*name).to_owned(), value)),
                None => drop(seen.remove(*name)),
            }
        }
    }

    fn observed(&self, address: &Address, (thing, live): (&Thing, &Live)) -> Result<Observed, Refusal> {
        let document = self.told(address, (thing, live))?;
        let is_asked_for = || self.account.wanted(address).is_some_and(|wanted| wanted.text == document.text);
        let is_known = self.life.is_setting && (self.account.is_applied(address) || is_asked_for());
        Ok(Observed { document, owned: thing.owned || is_known })
    }

    /// Everything of this kind in some regions.
    pub(super) async fn looked_at_all(&self, regions: &[String]) -> Result<Vec<Found>, Refusal> {
        let home = self.life.home.map(|home| vec![home.to_owned()]);
        let mut tasks = JoinSet::new();
        for region in home.as_deref().unwrap_or(regions) {
            for listed in self.listed(region).await? {
                let things = self.clone();
                tasks.spawn(async move {
                    let address = listed.address.clone();
                    let found = things.looked_at(listed).await?;
                    Ok(found.map(|(thing, whole)| Found { address, thing, whole }))
                });
            }
        }
        let mut all = Vec::new();
        while let Some(looked) = tasks.join_next().await {
            all.extend(looked.map_err(Refusal::unreadable)??);
        }
        Ok(all)
    }

    /// The same by address.
    async fn seen_in(&self, regions: &[String]) -> Result<BTreeMap<Address, Thing>, Refusal> {
        let mut found = Vec::new();
        let mut asked: BTreeMap<Address, Vec<Thing>> = BTreeMap::new();
        for Found { address, thing, whole } in self.looked_at_all(regions).await? {
            match address {
                Some(address) => asked.entry(address).or_default().push(thing),
                None => found.push((thing, whole)),
            }
        }
        // Where others have something of the same name, ours is what a document is about.
        found.sort_by_key(|(thing, _)| thing.owned);
        // What only the journal knows and is in two regions may be of others in one of them: neither is touched.
        let asked = asked.into_iter().filter(|(_, things)| things.len() == 1);
        let asked = asked.filter_map(|(address, things)| Some((address, things.into_iter().next()?)));
        let known = self.addresses(&self.account.live());
        let listed = found
            .into_iter()
            .filter_map(|(thing, whole)| Some((self.address(&known, &thing, whole.as_ref())?, thing)));
        Ok(asked.chain(listed).collect())
    }

    /// What is there under an address now.
    async fn now(&self, address: &Address) -> Result<Option<Thing>, Refusal> {
        let known = self.account.thing(address);
        // What is only listed, or of which there are versions, is looked for again.
        let is_listed = self.life.read.is_none() || self.life.list.latest.is_some();
        let Some(known) = known.filter(|_| !is_listed) else { return self.found(address).await };
        let whole = self.life.whole.as_ref().map(|_| (address.clone(), known.owned));
        let (region, keys) = (known.region, known.keys);
        let listed = Listed { region, keys, summary: Value::Null, whole, address: None };
        match self.looked_at(listed).await? {
            Some((thing, _)) => {
                self.account.keep(address.clone(), thing.clone());
                Ok(Some(thing))
            }
            None => {
                self.account.forget(address);
                Ok(None)
            }
        }
    }

    /// Looks for what should be under an address.
    pub(super) async fn found(&self, address: &Address) -> Result<Option<Thing>, Refusal> {
        let regions = match self.account.wanted(address) {
            Some(document) => {
                let value: Value = serde_json::from_str(&document.text).map_err(Refusal::unreadable)?;
                Some(vec![self.region_of(&value)])
            }
            None => None,
        };
        let was_in = || self.account.thing(address).map(|known| vec![known.region]);
        let regions = regions.or_else(was_in).unwrap_or_else(|| self.account.place.regions.clone());
        // The others are as they were: somebody may be changing them.
        let found = self.seen_in(&regions).await?.remove(address);
        match &found {
            Some(thing) => self.account.keep(address.clone(), thing.clone()),
            None => self.account.forget(address),
        }
        Ok(found)
    }

    /// The request of a document, and the region that it goes to.
    fn request(&self, document: &Document) -> Result<(String, Members), Refusal> {
        let value: Value = serde_json::from_str(&document.text).map_err(Refusal::unreadable)?;
        let region = self.region_of(&value);
        let Some(mut members) = resolved(&value, &self.account.live()) else {
            return Err(Refusal::early("it refers to what is not there yet"));
        };
        written(&mut members, self.life.texts);
        let members = serde_json::from_value(members).map_err(Refusal::unreadable)?;
        Ok((region, members))
    }

    async fn make(&self, wanted: &Document) -> Result<(), Refusal> {
        let (region, members) = self.request(wanted)?;
        self.first(&region, &members).await?;
        let (operation, place) = self.life.create;
        let answer = match self.life.is_doubled {
            true => self.ask_once(&wanted.address, (&region, operation), members.clone()).await?,
            false => self.ask(&region, operation, members.clone()).await?,
        };
        let made = at(&answer, place).unwrap_or(&Value::Null);
        let fixed = self.life.whole.iter().flat_map(|whole| whole.keys);
        let shared = fixed.filter_map(|(name, _)| Some(((*name).to_owned(), members.get(*name)?.clone())));
        let mut shown = Value::Object(members.clone());
        if let (Value::Object(all), Value::Object(made)) = (&mut shown, made) {
            all.extend(made.clone());
        }
        let keys = self.keys(&shared.collect(), &shown);
        self.settle(&wanted.address, (&region, keys), true).await
    }

    /// Removes a thing, and waits until it is gone.
    async fn take_away(&self, address: &Address, thing: &Thing) -> Result<(), Refusal> {
        match self.ask(&thing.region, self.life.delete, thing.keys.clone()).await {
            Err(refusal) if refusal.is_gone() => {}
            done => drop(done?),
        }
        self.settle_gone(thing).await?;
        self.account.forget(address);
        Ok(())
    }

    /// Changes what differs but for tags. Whether the thing had to be made anew.
    async fn rewrite(&self, wanted: &Document, (found, thing): (&Value, &Thing)) -> Result<bool, Refusal> {
        let asked: Value = serde_json::from_str(&wanted.text).map_err(Refusal::unreadable)?;
        let tags = self.life.tags.map_or("", |tags| tags.member);
        let member = |value: &Value, name: &str| value.get(name).filter(|_| name != tags).cloned();
        let names = asked.as_object().into_iter().chain(found.as_object()).flat_map(Members::keys);
        let differing: Vec<&String> =
            names.filter(|name| member(&asked, name) != member(found, name)).collect();
        if differing.is_empty() {
            return Ok(false);
        }
        let (region, members) = self.request(wanted)?;
        let (operation, members) = match self.life.update {
            Update::Never => return self.anew(wanted, thing).await,
            Update::Again => (self.life.create.0, members),
            Update::Parts(parts) => {
                return self.rewrite_parts((wanted, thing), parts, (members, &differing)).await;
            }
            Update::By(operation, fixed) | Update::Patch(operation, fixed, _) => {
                let gone = |name: &&String| asked.get(name.as_str()).is_none();
                let is_patch = match self.life.update {
                    Update::Patch(_, _, optional) => {
                        differing.iter().any(|name| gone(name) && !optional.contains(&name.as_str()))
                    }
                    Update::By(..) | Update::Parts(_) | Update::Again | Update::Never => false,
                };
                if is_patch
                    || differing.iter().any(|name| fixed.contains(&name.as_str()) || *name == "$state")
                {
                    return self.anew(wanted, thing).await;
                }
                (operation, self.change_request((members, thing), fixed, &differing))
            }
        };
        self.first(&region, &members).await?;
        let answer = self.ask(&region, operation, members.clone()).await?;
        let mut keys = thing.keys.clone();
        if matches!(self.life.update, Update::Again) {
            let made = at(&answer, self.life.create.1).unwrap_or(&Value::Null);
            keys.extend(self.keys(&Members::new(), made));
        }
        self.settle(&wanted.address, (&region, keys), thing.owned).await?;
        Ok(false)
    }

    /// Changes what differs by the operations that are told about it.
    async fn rewrite_parts(
        &self,
        (wanted, thing): (&Document, &Thing),
        parts: &[Part],
        (members, differing): (Members, &[&String]),
    ) -> Result<bool, Refusal> {
        let tells = |part: &&Part, name: &str| part.members.contains(&name);
        if !differing.iter().all(|name| parts.iter().any(|part| tells(&part, name))) {
            return self.anew(wanted, thing).await;
        }
        for part in parts.iter().filter(|part| differing.iter().any(|name| tells(part, name))) {
            let told = members.iter().filter(|(name, _)| tells(&part, name));
            let mut told: Members = told.map(|(name, value)| (name.clone(), value.clone())).collect();
            // What nobody asks for any more is said to be as it usually is: what is left out stays.
            let gone = differing.iter().filter(|name| tells(&part, name) && !members.contains_key(**name));
            told.extend(gone.filter_map(|name| Some(((*name).clone(), self.life.usual(name)?))));
            if let Some(Value::Object(inner)) = part.inside.and_then(|name| told.remove(name)) {
                told.extend(inner);
            }
            told.extend(thing.keys.clone());
            self.ask(&thing.region, part.operation, told).await?;
            self.settle(&wanted.address, (&thing.region, thing.keys.clone()), thing.owned).await?;
        }
        Ok(false)
    }

    fn change_request(
        &self,
        (mut members, thing): (Members, &Thing),
        fixed: &[&str],
        differing: &[&String],
    ) -> Members {
        members.retain(|name, _| {
            !fixed.contains(&name.as_str()) && self.life.tags.is_none_or(|tags| tags.member != name)
        });
        if let Update::Patch(_, _, optional) = self.life.update {
            for name in optional {
                let value = members.remove(*name);
                if differing.iter().any(|differs| differs == name) {
                    let set = value.map(|value| ("optionalValue".to_owned(), value));
                    members.insert((*name).to_owned(), Value::Object(set.into_iter().collect()));
                }
            }
        }
        members.extend(thing.keys.clone());
        members
    }

    async fn anew(&self, wanted: &Document, thing: &Thing) -> Result<bool, Refusal> {
        self.take_away(&wanted.address, thing).await?;
        self.make(wanted).await?;
        Ok(true)
    }

    async fn retag(&self, wanted: &Document, thing: &Thing) -> Result<(), Refusal> {
        let Some(tags) = self.life.tags else { return Ok(()) };
        let asked: Value = serde_json::from_str(&wanted.text).map_err(Refusal::unreadable)?;
        let asked = tags.read(asked.get(tags.member).unwrap_or(&Value::Null));
        let found = tags.read(thing.seen.get(tags.member).unwrap_or(&Value::Null));
        let set: BTreeMap<String, String> =
            asked.iter().filter(|(key, value)| found.get(*key) != Some(value)).map(owned).collect();
        let gone: Vec<&String> = found.keys().filter(|key| !asked.contains_key(*key)).collect();
        if !set.is_empty() {
            self.set_tags(thing, tags, &set).await?;
        }
        if !gone.is_empty() {
            let mut members = self.named_for_tags(thing, tags);
            members.insert(tags.keys.to_owned(), gone.into_iter().map(String::as_str).collect());
            self.ask(&thing.region, tags.operations.2, members).await?;
        }
        Ok(())
    }

    /// Where the answer that shows a thing has it.
    pub(super) fn place_of_thing(&self) -> &'static str {
        self.life.read.map_or("", |(_, place)| place)
    }

    fn named_for_tags(&self, thing: &Thing, tags: &Tags) -> Members {
        let arn = at(&thing.shown, self.place_of_thing()).and_then(|shown| at(shown, tags.arn.1)).cloned();
        Members::from_iter([(tags.arn.0.to_owned(), arn.unwrap_or_default())])
    }

    pub(super) async fn set_tags(
        &self,
        thing: &Thing,
        tags: &Tags,
        set: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let mut members = self.named_for_tags(thing, tags);
        members.insert(tags.said.to_owned(), tags.written(set));
        self.ask(&thing.region, tags.operations.1, members).await.map(drop)
    }
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.+=,@".contains(letter)
}

#[async_trait]
impl Kind for Things {
    fn after(&self) -> Option<&'static str> {
        self.life.whole.as_ref().map(|whole| whole.word)
    }

    async fn look(&self) -> Result<(), Refusal> {
        for (address, thing) in self.seen_in(&self.account.place.regions).await? {
            self.account.keep(address, thing);
        }
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Observed>, Refusal> {
        let live = self.account.live();
        let own = live.iter().filter(|(address, _)| self.life.words.contains(&address.word().as_str()));
        let near = |name: &str| self.account.place.is_near(name);
        let told = own.filter(|(address, thing)| {
            let is_known = self.life.is_setting && self.account.is_applied(address);
            thing.owned || is_known || near(&address.name) || self.account.wanted(address).is_some()
        });
        told.map(|(address, thing)| self.observed(address, (thing, &live))).collect()
    }

    async fn read(&self, address: &Address) -> Result<Option<Observed>, Refusal> {
        let Some(thing) = self.now(address).await? else { return Ok(None) };
        self.observed(address, (&thing, &self.account.live())).map(Some)
    }

    fn as_planned(&self, address: &Address) -> Option<String> {
        let thing = self.account.thing(address)?;
        self.told(address, (&thing, &self.account.planned())).ok().map(|document| document.digest())
    }

    async fn create(&self, wanted: &Document) -> Result<(), Refusal> {
        self.make(wanted).await
    }

    async fn adoption(&self, wanted: &Document, id: &str) -> Result<Adoption, Refusal> {
        self.adoption_of(wanted, id).await
    }

    async fn mark(&self, found: &Document) -> Result<(), Refusal> {
        self.marked(&found.address).await
    }

    fn is_begun(&self, found: &Document, wanted: &Document) -> bool {
        let read = |document: &Document| serde_json::from_str::<Value>(&document.text).unwrap_or_default();
        self.life.is_begun(&read(found), &read(wanted))
    }

    async fn change(&self, found: &Document, wanted: &Document) -> Result<(), Refusal> {
        let Some(thing) = self.account.thing(&wanted.address) else {
            return Err(Refusal::early("it cannot be seen"));
        };
        let found: Value = serde_json::from_str(&found.text).map_err(Refusal::unreadable)?;
        if !self.rewrite(wanted, (&found, &thing)).await? {
            self.retag(wanted, &thing).await?;
        }
        Ok(())
    }

    async fn remove(&self, found: &Document) -> Result<(), Refusal> {
        let address = &found.address;
        let mut next = self.account.thing(address);
        while let Some(thing) = next {
            self.take_away(address, &thing).await?;
            // The version before is the last one now.
            next = match self.life.list.latest {
                Some(_) => self.found(address).await?,
                None => None,
            };
        }
        Ok(())
    }
}
