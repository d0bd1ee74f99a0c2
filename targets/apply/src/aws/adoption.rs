//! Objects of others that are to be ours: whether they may be, and how they get our mark.

use std::collections::BTreeMap;

use aipolicy_targets::artifact::{Address, Document};
use serde_json::Value;

use super::AwsPlace;
use super::account::{Live, Thing};
use super::error::Refusal;
use super::exchange::Members;
use super::life::Tags;
use super::reference::{at, resolved};
use super::tags::own;
use super::things::Things;
use crate::adoption::{Adoption, Free, NotAdopted};

/// Where a thing says its ARN if tags do not name it by that.
const ARN_BESIDE: &str = "Attributes.QueueArn";

/// The tags by which CloudFormation knows what is in a stack (AWS CloudFormation User Guide, "Resource tag").
const STACK: &str = "aws:cloudformation:stack-name";

impl AwsPlace {
    /// Whose something is by its tags, if it is that of others.
    pub(super) fn others(&self, tags: &BTreeMap<String, String>) -> Option<String> {
        if let Some(stack) = tags.get(STACK) {
            return Some(format!(
                "the stack `{stack}` of CloudFormation, which would change it back: take it out of the stack first, with \
                 `DeletionPolicy: Retain`"
            ));
        }
        let is_other = |(key, own): &(&str, &str)| tags.get(*key).is_some_and(|found| found != own);
        let [environment, workspace] = self.mark().tags();
        [environment, workspace].iter().any(is_other).then(|| {
            let told = |(key, _): (&str, &str)| tags.get(key).map_or("?", String::as_str).to_owned();
            format!("the environment `{}` of the workspace `{}`", told(environment), told(workspace))
        })
    }

    /// Our mark in words.
    pub(super) fn mark_in_words(&self) -> String {
        let tags = self.mark().tags().map(|(key, value)| format!("`{key}={value}`"));
        format!("the tags {}", tags.join(" and "))
    }

    pub(super) fn mark_tags(&self) -> BTreeMap<String, String> {
        self.mark().tags().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

impl Things {
    /// What can be said about adopting what the service calls so, for a document.
    pub(super) async fn adoption_of(&self, wanted: &Document, id: &str) -> Result<Adoption, Refusal> {
        let Some(tags) = self.life.tags else { return Ok(Adoption::No(self.unmarkable())) };
        let live = self.account.live();
        let asked: Value = serde_json::from_str(&wanted.text).map_err(Refusal::unreadable)?;
        let region = self.region_of(&asked);
        let Some(own) = self.asked_identity(&asked, &live) else {
            let why = "it is a part of what is not there yet: make or import that first".to_owned();
            return Ok(Adoption::No(NotAdopted::Unmarkable { why }));
        };
        let (identity, expected) = (self.identity(&region, &own), self.in_words(&region, &own));
        let all = self.looked_at_all(&self.account.place.regions).await?;
        let all: Vec<Thing> = all.into_iter().map(|found| found.thing).collect();
        let is_same = |thing: &&Thing| self.identity(&thing.region, &members(thing)) == identity;
        let called: Vec<&Thing> = all.iter().filter(|thing| self.is_called(thing, id)).collect();
        let Some(thing) = called.iter().copied().find(is_same) else {
            return Ok(Adoption::No(match called.first() {
                None => NotAdopted::Absent { expected },
                Some(other) => NotAdopted::Other {
                    found: self.in_words(&other.region, &members(other)),
                    expected,
                    why: "a plan finds it by that alone, so it would make another one; give one of both the name of the \
                          other"
                        .to_owned(),
                },
            }));
        };
        if all.iter().filter(is_same).count() > 1 {
            let why =
                "there is more than one, which a plan could not tell apart; remove the others".to_owned();
            return Ok(Adoption::No(NotAdopted::Other { found: expected.clone(), expected, why }));
        }
        self.free((wanted, tags), (thing, &live)).await
    }

    async fn free(
        &self,
        (wanted, tags): (&Document, &Tags),
        (thing, live): (&Thing, &Live),
    ) -> Result<Adoption, Refusal> {
        let place = &self.account.place;
        let shown = at(&thing.shown, self.place_of_thing()).unwrap_or(&Value::Null);
        let mut found = self.tags(&thing.region, tags, shown).await?;
        if let Some(whose) = place.others(&found) {
            return Ok(Adoption::No(NotAdopted::OfOthers { whose }));
        }
        if thing.owned {
            return Ok(Adoption::Ours);
        }
        found = own(found);
        found.extend(place.mark_tags());
        let mut marked = thing.clone();
        marked.seen.insert(tags.member.to_owned(), tags.written(&found));
        let address = &wanted.address;
        let object = self.names(thing).into_iter().find(|name| name.starts_with("arn:"));
        Ok(Adoption::Free(Free {
            object: object.unwrap_or_else(|| self.in_words(&thing.region, &members(thing))),
            mark: place.mark_in_words(),
            found: self.told(address, (thing, live))?,
            marked: self.told(address, (&marked, live))?,
        }))
    }

    /// Gives our mark to what is under an address.
    pub(super) async fn marked(&self, address: &Address) -> Result<(), Refusal> {
        let (Some(thing), Some(tags)) = (self.account.thing(address), self.life.tags) else {
            return Err(Refusal::early("it cannot be seen"));
        };
        self.set_tags(&thing, tags, &self.account.place.mark_tags()).await
    }

    /// Why things of this kind carry no mark of their own.
    fn unmarkable(&self) -> NotAdopted {
        let why = match &self.life.whole {
            Some(whole) => format!(
                "it is a part of a `{}`, which carries the mark for it: import that, and it is ours with it",
                whole.word
            ),
            None => "it is a setting of what others keep, and nothing on it could say whose it is: once it says what the \
                     sources want, it is ours; else remove it, and the next apply makes it"
                .to_owned(),
        };
        NotAdopted::Unmarkable { why }
    }

    /// The members that tell what a document asks for from everything else; nothing if they refer to what is not there.
    pub(super) fn asked_identity(&self, asked: &Value, live: &Live) -> Option<Value> {
        let own = self.life.identity.iter().map(|name| name.split('.').next().unwrap_or_default());
        let own = own.map(|name| Some((name.to_owned(), resolved(asked.get(name)?, live)?)));
        own.collect::<Option<Members>>().map(Value::Object)
    }

    fn in_words(&self, region: &str, members: &Value) -> String {
        let all = self.life.identity.iter().map(|name| {
            let value = at(members, name).map_or_else(String::new, |value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            });
            format!("{name} `{value}`")
        });
        let all: Vec<_> = all.chain([format!("in `{region}`")]).collect();
        all.join(" ")
    }

    /// Whether the service knows a thing by this: its own key, its name or its ARN.
    fn is_called(&self, thing: &Thing, id: &str) -> bool {
        // Groups of logs have an ARN with and without an end that means their streams.
        let plain = |text: &str| text.strip_suffix(":*").unwrap_or(text).to_owned();
        self.names(thing).iter().any(|name| plain(name) == plain(id))
    }

    fn names(&self, thing: &Thing) -> Vec<String> {
        let keys = self
            .life
            .list
            .keys
            .iter()
            .filter(|(_, places)| !places.iter().all(|place| place.starts_with('=')));
        let keys = keys.filter_map(|(name, _)| thing.keys.get(*name));
        let shown = at(&thing.shown, self.place_of_thing()).unwrap_or(&Value::Null);
        let arn = self.life.tags.and_then(|tags| at(shown, tags.arn.1));
        let beside = at(shown, ARN_BESIDE);
        let members = members(thing);
        let name = self.life.identity.last().and_then(|name| at(&members, name)).cloned();
        let all = keys.chain(arn).chain(beside).cloned().chain(name);
        all.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    }
}

/// What a thing shows, and the members by which operations name it.
pub(super) fn members(thing: &Thing) -> Value {
    Value::Object(thing.seen.clone().into_iter().chain(thing.keys.clone()).collect())
}
