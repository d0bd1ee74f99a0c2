//! The least that a compile has to do, measured in the same process on the same bytes, requests and files:
//! the events of the YAML parser over every source; a bare `is_authorized` on each question as Cedar is asked it (its
//! own policies and entities, prepared before the clock runs); writing every document from a value of JSON as text, and
//! first, where a text in it is a document of JSON, that one; the digest of every source and file; and the calls of the
//! file system.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use aipolicy_compiler::authorize;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::source::{SourceKind, SourceMap};
use cedar_policy::{Authorizer, Decision};
use granit_parser::Parser;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::clock::{Took, time};
use crate::measure::Made;

/// What each part took.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Floor {
    pub(crate) parse: Took,
    pub(crate) decide: Took,
    /// Of the documents of each target; what lies beside them has no name.
    pub(crate) serialise: BTreeMap<String, Took>,
    pub(crate) hash: Took,
    pub(crate) write: Took,
}

impl Floor {
    pub(crate) fn cpu(&self) -> f64 {
        self.parse.cpu + self.decide.cpu + self.documents() + self.beside() + self.write.cpu
    }

    /// To write the documents of all targets as text.
    pub(crate) fn documents(&self) -> f64 {
        self.serialise.iter().filter(|(target, _)| !target.is_empty()).map(|(_, took)| took.cpu).sum()
    }

    /// To write as text what lies beside them, with the digests in it.
    pub(crate) fn beside(&self) -> f64 {
        self.hash.cpu + self.serialise.get("").map_or(0.0, |took| took.cpu)
    }
}

/// The floor of a compile whose files are in a folder, and how many policies a question was put to on average.
pub(crate) fn measure(made: &Made, today: Date, folder: &Path) -> Result<(Floor, f64), Box<dyn Error>> {
    let (mut floor, candidates) = asked(made, today)?;
    for environment in std::fs::read_dir(folder)? {
        // Forgotten before the next one, so that files do not fill the memory twice.
        let again = tempfile::tempdir_in(folder.parent().unwrap_or(folder))?;
        floor.write(&environment?.path(), again.path())?;
    }
    Ok((floor, candidates))
}

/// The floor of everything before targets are asked, and how many policies a question was put to on average.
pub(crate) fn asked(made: &Made, today: Date) -> Result<(Floor, f64), Box<dyn Error>> {
    let mut floor = Floor::default();
    let texts: Vec<_> =
        made.sources.iter().filter(|(_, source)| source.kind() == SourceKind::Resources).collect();
    let events =
        time(&mut floor.parse, || texts.iter().map(|(_, source)| parse(source.text())).sum::<usize>());
    if events == 0 {
        return Err("the parser found nothing".into());
    }
    time(&mut floor.hash, || made.sources.iter().for_each(|(_, source)| drop(hash(source.text()))));
    let candidates = decide(made, today, &mut floor)?;
    Ok((floor, candidates))
}

fn hash(text: &str) -> impl Sized {
    std::hint::black_box(Sha256::digest(text.as_bytes()))
}

fn parse(text: &str) -> usize {
    let mut events = Parser::new_from_str(text);
    let mut count = 0;
    while let Some(Ok(_)) = events.next_event() {
        count += 1;
    }
    count
}

fn decide(made: &Made, today: Date, floor: &mut Floor) -> Result<f64, Box<dyn Error>> {
    let authorizer = Authorizer::new();
    let (mut asked, mut allowed, mut candidates) = (0_usize, 0_usize, 0_usize);
    authorize::each_question(&made.graph, &made.policies, today, &mut |group| {
        asked += group.len();
        candidates += group.iter().map(|question| question.policies.policies().count()).sum::<usize>();
        allowed += time(&mut floor.decide, || {
            let answers = group.iter().map(|question| {
                authorizer.is_authorized(&question.request, &question.policies, &question.entities).decision()
            });
            answers.filter(|answer| *answer == Decision::Allow).count()
        });
    });
    if asked == 0 || asked != allowed || asked != made.decisions.all().len() {
        return Err("the floor decided something else than the compiler".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "an average for people to read")]
    let average = candidates as f64 / asked as f64;
    Ok(average)
}

impl Floor {
    /// Makes every file below a folder once more, in another one. Files of a folder are measured together, since the clock
    /// takes as long as a small one.
    fn write(&mut self, from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
        let mut folders: Vec<PathBuf> = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let mut files = Vec::new();
            for entry in std::fs::read_dir(from.join(&folder))? {
                let entry = entry?;
                let name = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(name);
                } else {
                    files.push(File::read(from, name)?);
                }
            }
            self.folder(&to.join(&folder), (&files, to))?;
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Path, (files, to): (&[File], &Path)) -> Result<(), Box<dyn Error>> {
        let mut texts = Vec::new();
        for of_target in files.chunk_by(|left, right| left.target() == right.target()) {
            let target = of_target.first().map_or_else(String::new, File::target);
            let took = self.serialise.entry(target).or_default();
            let made = time(took, || of_target.iter().map(File::text).collect::<Result<Vec<_>, _>>())?;
            texts.extend(made);
        }
        time(&mut self.hash, || texts.iter().for_each(|text| drop(hash(text))));
        time(&mut self.write, || {
            std::fs::create_dir_all(folder)?;
            let mut files = files.iter().zip(&texts);
            files.try_for_each(|(file, text)| std::fs::write(to.join(&file.name), text.as_bytes()))
        })?;
        Ok(())
    }
}

/// A file as values, before it is written as text.
struct File {
    name: PathBuf,
    form: Form,
    /// Documents that are texts in it.
    inner: Vec<Value>,
}

enum Form {
    Json(Value),
    Yaml(Value),
    Text(String),
}

impl File {
    fn read(folder: &Path, name: PathBuf) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(folder.join(&name))?;
        let form = match name.extension().and_then(std::ffi::OsStr::to_str) {
            Some("json") => Form::Json(serde_json::from_str(&text)?),
            Some("yaml") => {
                let mut sources = SourceMap::new();
                let id = sources.add(name.to_string_lossy(), text, SourceKind::Resources);
                let value = aipolicy_compiler::read_json(&sources, id);
                Form::Yaml(value.map_err(|_| format!("{} is no YAML", name.display()))?)
            }
            _ => Form::Text(text),
        };
        let mut inner = Vec::new();
        match &form {
            Form::Json(value) | Form::Yaml(value) => documents(value, &mut inner),
            Form::Text(_) => {}
        }
        Ok(Self { name, form, inner })
    }

    /// The target that made it; nothing for what lies beside documents.
    fn target(&self) -> String {
        let beside = self.name.components().count() == 1 || self.name.ends_with("kustomization.yaml");
        let first = self.name.components().next().filter(|_| !beside);
        first.map_or_else(String::new, |first| first.as_os_str().to_string_lossy().into_owned())
    }

    fn text(&self) -> Result<Cow<'_, str>, Box<dyn Error>> {
        for document in &self.inner {
            std::hint::black_box(serde_json::to_string(document)?);
        }
        Ok(match &self.form {
            Form::Json(value) => serde_json::to_string_pretty(value)?.into(),
            Form::Yaml(value) => serde_saphyr::to_string(value)?.into(),
            Form::Text(text) => text.into(),
        })
    }
}

/// Every document of JSON that is a text in a value.
fn documents(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::String(text) if text.starts_with(['{', '[']) => {
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                documents(&value, found);
                found.push(value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| documents(item, found)),
        Value::Object(entries) => entries.values().for_each(|entry| documents(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
