//! `aipolicy init`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};

use crate::error::{CliError, Exit, why};
use crate::ui::Ui;

/// Writes a small working workspace
///
/// One tenant with a budget, one model, one agent that reads one prefix of one bucket, and a gateway with one route.
/// No file that exists is touched. Afterwards `aipolicy check` is clean, and everything goes to a folder that plays
/// the world, so no cloud account is needed.
#[derive(clap::Args)]
pub(crate) struct Init {
    /// The folder to write into; it is made if needed
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The name of the workspace, the first part of all names that are made; that of the folder when left out
    #[arg(long)]
    name: Option<String>,
}

macro_rules! templates {
    ($($path:literal,)+) => {
        &[$(($path, include_str!(concat!("init/", $path))),)+]
    };
}

/// What is written, by path.
static TEMPLATES: &[(&str, &str)] = templates! {
    "README.md",
    "aipolicy.yaml",
    "environment.yaml",
    "model.yaml",
    "tenant.yaml",
    "gateway.yaml",
    "agent.yaml",
    "policies/no-writes-without-a-gate.cedar",
    "prompts/handbook.md",
    "tools/read-page.schema.json",
};

/// Names that are made have this one in front, and those of IAM may have 64 characters.
const LONGEST_NAME: usize = 30;

impl Init {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let name = self.name()?;
        let files = rendered(&name)?;
        for (path, _) in &files {
            let path = self.folder.join(path);
            if path.symlink_metadata().is_ok() {
                let error = CliError::usage(format!("`{}` exists already", path.display()));
                return Err(error.hint("choose an empty folder; nothing was written"));
            }
        }
        for (path, text) in &files {
            write_new(&self.folder.join(path), text)?;
        }
        let folder = self.folder.display();
        ui.print(&format!("wrote {} files into {folder}\nnext: aipolicy check {folder}\n", files.len()))?;
        Ok(Exit::Clean)
    }

    fn name(&self) -> Result<String, CliError> {
        let folder = || {
            let whole = std::path::absolute(&self.folder).ok()?;
            Some(whole.file_name()?.to_str()?.to_owned())
        };
        let name = self.name.clone().or_else(folder).unwrap_or_default();
        if is_label(&name) && name.len() <= LONGEST_NAME {
            return Ok(name);
        }
        let error = CliError::usage(format!("`{name}` is not a name"));
        let hint = format!("`--name` takes 1 to {LONGEST_NAME} small letters, digits and inner hyphens");
        Err(error.hint(hint))
    }
}

/// Whether a text is a DNS label, and so means itself in every place of a template.
fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

/// Every file with its text. Nothing but labels is ever filled in.
fn rendered(name: &str) -> Result<Vec<(&'static str, String)>, CliError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, _, value| match value.as_str().filter(|text| is_label(text)) {
        Some(text) => Ok(out.write_str(text)?),
        None => Err(minijinja::Error::new(ErrorKind::BadEscape, "only names are filled in")),
    });
    let render = |(path, template): &(&'static str, &str)| {
        let text = environment.render_named_str(path, template, context! { name });
        text.map(|text| (*path, format!("{}\n", text.trim_end())))
            .map_err(|error| CliError::tool(format!("{path}: {error}")))
    };
    TEMPLATES.iter().map(render).collect()
}

/// Writes a file that is not there yet, and never through a link.
fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| CliError::file("made", folder, &error))?;
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .map_err(|error| CliError::tool(format!("`{}` cannot be written: {}", path.display(), why(&error))))
}
