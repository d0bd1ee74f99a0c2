//! Where a result goes: to standard output in one format, and into files in others, in the same run.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::CliError;
use crate::ui::Ui;

/// The formats of a command.
pub(crate) trait Kind: ValueEnum + Copy + Default + Send + Sync + 'static {
    /// Whether it is added to the end of a file that others write too.
    fn is_added(self) -> bool {
        false
    }
}

/// Where a result goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Outputs<F: Kind> {
    /// How the result is written to standard output
    #[arg(long, value_enum, default_value_t)]
    format: F,
    /// Also writes the result into a file, as often as wanted: `--output json=result.json`
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output::<F>)]
    output: Vec<Output<F>>,
}

/// A file and what it gets.
#[derive(Clone, Debug)]
struct Output<F> {
    format: F,
    file: PathBuf,
}

fn output<F: Kind>(text: &str) -> Result<Output<F>, String> {
    let known = || {
        let words = F::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        words.map(|word| format!("`{}`", word.get_name())).collect::<Vec<_>>().join(", ")
    };
    let (format, file) = text.split_once('=').ok_or("write it like `json=result.json`")?;
    let format = F::from_str(format, false).map_err(|_| format!("`{format}` is none of {}", known()))?;
    if file.is_empty() {
        return Err("a file is missing after `=`".into());
    }
    Ok(Output { format, file: file.into() })
}

impl<F: Kind> Outputs<F> {
    /// Stops before anything is done where two results would go into one file.
    pub(crate) fn checked(self) -> Result<Self, CliError> {
        let mut seen = BTreeSet::new();
        match self.output.iter().find(|output| !seen.insert(&output.file)) {
            None => Ok(self),
            Some(twice) => {
                let file = twice.file.display();
                Err(CliError::usage(format!("`{file}` is named twice by `--output`")))
            }
        }
    }

    /// Writes the files, and then prints. `render` makes a format for a width.
    pub(crate) fn write(&self, ui: &mut Ui, render: impl Fn(F, usize) -> String) -> Result<(), CliError> {
        self.write_some(ui, |format, width| Some(render(format, width)))
    }

    /// Writes and prints what `render` has for its format.
    pub(crate) fn write_some(
        &self,
        ui: &mut Ui,
        render: impl Fn(F, usize) -> Option<String>,
    ) -> Result<(), CliError> {
        for Output { format, file } in &self.output {
            let Some(text) = render(*format, WIDTH) else { continue };
            let text = anstream::adapter::strip_str(&text).to_string();
            put(file, &text, format.is_added()).map_err(|error| CliError::file("written", file, &error))?;
        }
        render(self.format, ui.width()).map_or(Ok(()), |text| ui.print(&text))
    }
}

/// How wide text in a file is.
const WIDTH: usize = 100;

fn put(file: &Path, text: &str, is_added: bool) -> std::io::Result<()> {
    if is_added {
        return OpenOptions::new().append(true).create(true).open(file)?.write_all(text.as_bytes());
    }
    std::fs::write(file, text)
}
