//! `aipolicy schema`.

use std::path::{Path, PathBuf};

use aipolicy_compiler::model::{KindName, kind_schema, workspace_schema};

use crate::error::{CliError, Exit};
use crate::render::json::written;
use crate::ui::Ui;

/// Prints the JSON Schema of a kind, or of any document
///
/// Editors complete and check resources with it. With `--out` the schemas of all kinds are written into a folder,
/// together with `aipolicy.schema.json`, which picks the right one by `kind`.
#[derive(clap::Args)]
pub(crate) struct Schema {
    /// A kind such as `Agent`; without it the schema that picks by `kind`
    kind: Option<String>,
    /// Writes all schemas into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
    out: Option<PathBuf>,
}

impl Schema {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match (&self.out, &self.kind) {
            (Some(folder), _) => write_all(folder, ui)?,
            (None, Some(kind)) => ui.print(&written(&kind_schema(find(kind)?)))?,
            (None, None) => ui.print(&written(&workspace_schema()))?,
        }
        Ok(Exit::Clean)
    }
}

fn find(word: &str) -> Result<KindName, CliError> {
    let known = KindName::ALL.iter().map(|kind| kind.word());
    KindName::find(word)
        .ok_or_else(|| CliError::usage(format!("there is no kind `{word}`")).nearest(word, known))
}

fn write_all(folder: &Path, ui: &mut Ui) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|error| CliError::file("made", folder, &error))?;
    let kinds = KindName::ALL.iter().map(|kind| (kind.schema_file(), kind_schema(*kind)));
    for (name, schema) in kinds.chain([("aipolicy.schema.json".to_owned(), workspace_schema())]) {
        let path = folder.join(name);
        std::fs::write(&path, written(&schema)).map_err(|error| CliError::file("written", &path, &error))?;
    }
    ui.print(&format!("{} schemas in {}\n", KindName::ALL.len() + 1, folder.display()))
}
