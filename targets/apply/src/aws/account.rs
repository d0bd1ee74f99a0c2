//! What is known of an account while it is looked at and changed: what is wanted of it, and what it was last seen to hold.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aipolicy_targets::artifact::{Address, Document};
use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::Semaphore;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::AwsPlace;
use super::composed;
use super::error::Refusal;
use super::exchange::Members;
use super::life::{Life, List};
use super::looking::{is_look, patiently};
use super::reference::{Lookup, at};
use super::services::Service;
use crate::provider::Known;

/// How many questions are asked side by side.
const SIDE_BY_SIDE: usize = 10;

/// The members that say where a next page begins, in answers and in requests.
const PAGES: &[(&str, &str)] = &[
    ("nextToken", "nextToken"),
    ("NextToken", "NextToken"),
    ("NextMarker", "Marker"),
    ("LastEvaluatedTableName", "ExclusiveStartTableName"),
];

/// An account, asked through one set of credentials.
pub(super) struct Account {
    pub(super) place: AwsPlace,
    config: SdkConfig,
    room: Semaphore,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    known: Known,
    live: Live,
    /// What was live when the account was last looked at as a whole, in whose words a plan tells it.
    planned: Live,
}

/// Things as they were last shown, by the address of the document that asks for each.
pub(super) type Live = BTreeMap<Address, Thing>;

/// A thing as it was last shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) region: String,
    /// The members by which operations name it.
    pub(super) keys: Members,
    /// The whole answer that shows it, to which references point.
    pub(super) shown: Value,
    /// What it shows of what it can be asked to be.
    pub(super) seen: Members,
    /// Whether it carries our mark, or is a part of what does.
    pub(super) owned: bool,
}

impl Lookup for Live {
    fn value(&self, address: &Address, path: &str) -> Option<Value> {
        self.get(address).and_then(|thing| at(&thing.shown, path)).cloned()
    }
}

impl Account {
    pub(super) fn new(place: AwsPlace, config: SdkConfig) -> Self {
        Self { place, config, room: Semaphore::new(SIDE_BY_SIDE), notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to look at the account as a whole.
    pub(super) fn know(&self, known: &Known) {
        let live = known.wanted.values().filter_map(packed).collect();
        *self.notes() = Notes { known: known.clone(), live, planned: Live::new() };
    }

    /// What was seen until now is what a plan tells.
    pub(super) fn seen_as_a_whole(&self) {
        let mut notes = self.notes();
        notes.planned = notes.live.clone();
    }

    /// The document that is wanted under an address.
    pub(super) fn wanted(&self, address: &Address) -> Option<Document> {
        self.notes().known.wanted.get(address).cloned()
    }

    /// The documents that are wanted of some kinds.
    pub(super) fn all_wanted(&self, words: &[&str]) -> Vec<Document> {
        let notes = self.notes();
        let all = notes.known.wanted.values();
        all.filter(|document| words.contains(&document.address.word().as_str())).cloned().collect()
    }

    /// The addresses of some kinds under which the journal knows of something that nobody wants.
    pub(super) fn former(&self, words: &[&str]) -> Vec<Address> {
        let notes = self.notes();
        let all = notes.known.applied.keys();
        let former = all.filter(|address| {
            words.contains(&address.word().as_str()) && !notes.known.wanted.contains_key(*address)
        });
        former.cloned().collect()
    }

    /// Whether the journal knows of something under an address.
    pub(super) fn is_applied(&self, address: &Address) -> bool {
        self.notes().known.applied.contains_key(address)
    }

    pub(super) fn live(&self) -> Live {
        self.notes().live.clone()
    }

    pub(super) fn planned(&self) -> Live {
        self.notes().planned.clone()
    }

    pub(super) fn thing(&self, address: &Address) -> Option<Thing> {
        self.notes().live.get(address).cloned()
    }

    pub(super) fn keep(&self, address: Address, thing: Thing) {
        self.notes().live.insert(address, thing);
    }

    pub(super) fn forget(&self, address: &Address) {
        self.notes().live.remove(address);
    }

    /// Asks a service in a region.
    pub(super) async fn ask(
        &self,
        (service, region): (Service, &str),
        operation: &str,
        members: Members,
    ) -> Result<Value, Refusal> {
        let config = self.in_region(region);
        let _room = self.room.acquire().await.map_err(Refusal::unreadable)?;
        let ask = || composed::ask((service, &config, &self.place), operation, members.clone());
        match is_look(operation) {
            true => patiently(ask).await,
            false => ask().await,
        }
    }

    /// Asks a service in a region, and not again where no answer comes.
    pub(super) async fn ask_once(
        &self,
        (service, region): (Service, &str),
        operation: &str,
        members: Members,
    ) -> Result<Value, Refusal> {
        let config = self.in_region(region).to_builder().retry_config(RetryConfig::disabled()).build();
        let _room = self.room.acquire().await.map_err(Refusal::unreadable)?;
        composed::ask((service, &config, &self.place), operation, members).await
    }

    fn in_region(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// Everything that a list shows, page after page.
    pub(super) async fn all(
        &self,
        (life, region): (&Life, &str),
        keys: &Members,
    ) -> Result<Vec<Value>, Refusal> {
        let List { operation, ask, at: place, .. } = &life.list;
        let mut members = keys.clone();
        members.extend(ask.iter().map(|(key, value)| ((*key).to_owned(), self.place.filled(value).into())));
        let mut all = Vec::new();
        loop {
            let mut page = self.ask((life.service, region), operation, members.clone()).await?;
            match at_mut(&mut page, place).map(Value::take) {
                Some(Value::Array(found)) => all.extend(found),
                Some(one @ Value::Object(_)) => all.push(one),
                _ => {}
            }
            let next =
                PAGES.iter().find_map(|(said, asked)| Some((*asked, page.get(said)?.as_str()?.to_owned())));
            let Some((name, next)) = next.filter(|(_, next)| !next.is_empty()) else { return Ok(all) };
            members.insert(name.to_owned(), next.into());
        }
    }
}

/// A program that functions are made of: it is nowhere by itself, and documents refer to its archive.
fn packed(document: &Document) -> Option<(Address, Thing)> {
    let address = &document.address;
    let archive = (address.kind == "FunctionCode").then(|| archive(&address.name, &document.text))??;
    let shown = serde_json::json!({ "zip": STANDARD.encode(archive) });
    let nowhere =
        Thing { region: String::new(), keys: Members::new(), shown, seen: Members::new(), owned: false };
    Some((address.clone(), nowhere))
}

/// An archive of one file, of the same bytes whenever it is made.
fn archive(name: &str, text: &str) -> Option<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    writer.start_file(name, options).ok()?;
    writer.write_all(text.as_bytes()).ok()?;
    Some(writer.finish().ok()?.into_inner())
}

fn at_mut<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, |value, part| value.get_mut(part))
}
