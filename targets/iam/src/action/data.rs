//! The text of the catalog, cut into services, each read when it is first asked for.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use super::key::{ConditionKey, Keys};
use super::resource::ResourceType;
use super::service::{Action, Level, On, Service};

const ACTIONS: &str = include_str!("data/actions.jsonl");
const GUIDED: &str = include_str!("data/guided.jsonl");

/// What begins the lines of a service, and nothing else.
const SERVICE: &str = "\n{\"service\":";

pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::read);

pub(super) struct Catalog {
    pub(super) source: Source,
    pub(super) global: Keys,
    pub(super) services: BTreeMap<&'static str, Section>,
}

/// The lines of one service, and what they say.
pub(super) struct Section {
    texts: Vec<&'static str>,
    read: OnceLock<Service>,
}

/// Where the catalog comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The package and its version.
    pub package: &'static str,
    /// The day of the data, `YYYY-MM-DD`.
    pub date: &'static str,
    /// The licence, as SPDX writes it.
    pub licence: &'static str,
    /// The digest of the package, as its registry writes it.
    pub digest: &'static str,
}

/// One line of the catalog: what it is about, and its columns.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Line<'a> {
    /// Package, day, licence and digest.
    #[serde(borrow)]
    Source([&'a str; 4]),
    /// Prefix and name.
    Service([&'a str; 2]),
    /// Name and type.
    Key([&'a str; 2]),
    /// Name, formats and keys.
    Resource(&'a str, Vec<&'a str>, Vec<&'a str>),
    /// Name, level, types of resources (with `*` where required) and keys.
    Action(&'a str, Level, Vec<&'a str>, Vec<&'a str>),
}

fn line(text: &'static str) -> Line<'static> {
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each line")]
    serde_json::from_str(text).expect("the catalog that ships")
}

fn key(name: &'static str, kind: &str) -> ConditionKey {
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each line")]
    ConditionKey::read(name, kind).expect("the type of a condition key")
}

impl Catalog {
    fn read() -> Self {
        let (head, services) = cut(ACTIONS);
        let mut catalog = Self {
            source: Source { package: "", date: "", licence: "", digest: "" },
            global: Keys::default(),
            services: BTreeMap::new(),
        };
        for text in head.lines() {
            match line(text) {
                Line::Source([package, date, licence, digest]) => {
                    catalog.source = Source { package, date, licence, digest };
                }
                Line::Key([name, kind]) => catalog.global.add(key(name, kind)),
                Line::Service(..) | Line::Resource(..) | Line::Action(..) => {}
            }
        }
        for (prefix, text) in services.into_iter().chain(cut(GUIDED).1) {
            let new = || Section { texts: Vec::new(), read: OnceLock::new() };
            catalog.services.entry(prefix).or_insert_with(new).texts.push(text);
        }
        catalog
    }
}

/// What is written before the first service, and the lines of each service under its prefix.
fn cut(text: &'static str) -> (&'static str, Vec<(&'static str, &'static str)>) {
    let starts: Vec<usize> = text.match_indices(SERVICE).map(|(at, _)| at + 1).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let section = |(start, end): (&usize, usize)| {
        let lines = text.get(*start..end)?;
        Some((lines.split('"').nth(3)?, lines))
    };
    let head = text.get(..starts.first().copied().unwrap_or(text.len())).unwrap_or_default();
    (head, starts.iter().zip(ends).filter_map(section).collect())
}

impl Section {
    pub(super) fn service(&self) -> &Service {
        self.read.get_or_init(|| self.parse())
    }

    fn parse(&self) -> Service {
        let mut service = Service::default();
        for text in self.texts.iter().flat_map(|text| text.lines()) {
            match line(text) {
                Line::Service([prefix, name]) => (service.prefix, service.name) = (prefix, name),
                Line::Key([name, kind]) => service.keys.add(key(name, kind)),
                Line::Resource(name, formats, keys) => {
                    let kind = ResourceType::new([service.prefix, name], formats, keys);
                    service.add_resource_type(kind);
                }
                Line::Action(name, level, on, keys) => {
                    let on = on.into_iter().map(On::read).collect();
                    service.add_action(Action { service: service.prefix, name, level, on, keys });
                }
                Line::Source(_) => {}
            }
        }
        service.settle();
        service
    }
}
