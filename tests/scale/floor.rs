//! The least that a compile has to do, measured in the same process on the same bytes, requests and files:
//! the events of the YAML parser over every source, a bare `is_authorized` on each question as Cedar is asked it
//! (its own policies and entities, prepared before the clock runs), and writing every document from a JSON value
//! into a file.

use std::error::Error;
use std::path::{Path, PathBuf};

use aipolicy_compiler::authorize;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::source::SourceKind;
use cedar_policy::{Authorizer, Decision};
use granit_parser::Parser;
use serde::{Deserialize, Serialize};

use crate::clock::{Took, time};
use crate::measure::Made;

/// What each part took.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Floor {
    pub(crate) parse: Took,
    pub(crate) decide: Took,
    pub(crate) serialise: Took,
    pub(crate) write: Took,
}

impl Floor {
    pub(crate) fn cpu(&self) -> f64 {
        self.parse.cpu + self.decide.cpu + self.serialise.cpu + self.write.cpu
    }
}

/// The floor of a compile whose files are in a folder, and how many policies a question was put to on average.
pub(crate) fn measure(made: &Made, today: Date, folder: &Path) -> Result<(Floor, f64), Box<dyn Error>> {
    let mut floor = Floor::default();
    let texts: Vec<_> =
        made.sources.iter().filter(|(_, source)| source.kind() == SourceKind::Resources).collect();
    let events =
        time(&mut floor.parse, || texts.iter().map(|(_, source)| parse(source.text())).sum::<usize>());
    if events == 0 {
        return Err("the parser found nothing".into());
    }
    let candidates = decide(made, today, &mut floor)?;
    let again = tempfile::tempdir_in(folder.parent().unwrap_or(folder))?;
    write(folder, again.path(), &mut floor)?;
    Ok((floor, candidates))
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

/// Writes every file below a folder once more into another one.
fn write(from: &Path, to: &Path, floor: &mut Floor) -> Result<(), Box<dyn Error>> {
    let mut folders: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        std::fs::create_dir_all(to.join(&folder))?;
        for entry in std::fs::read_dir(from.join(&folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(name);
                continue;
            }
            let text = serialise(&std::fs::read_to_string(entry.path())?, &name, floor)?;
            time(&mut floor.write, || std::fs::write(to.join(&name), &text))?;
        }
    }
    Ok(())
}

/// The text of a document, made once more from its value.
fn serialise(text: &str, name: &Path, floor: &mut Floor) -> Result<String, Box<dyn Error>> {
    let extension = name.extension().and_then(std::ffi::OsStr::to_str);
    Ok(match extension {
        Some("json") => {
            let value: serde_json::Value = serde_json::from_str(text)?;
            time(&mut floor.serialise, || serde_json::to_string_pretty(&value))?
        }
        Some("yaml") => {
            let mut sources = aipolicy_compiler::source::SourceMap::new();
            let id = sources.add(name.to_string_lossy(), text, SourceKind::Resources);
            match aipolicy_compiler::read_json(&sources, id) {
                Ok(value) => time(&mut floor.serialise, || serde_saphyr::to_string(&value))?,
                Err(_) => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    })
}
