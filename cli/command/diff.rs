//! `aipolicy diff`.

mod amount;
mod comment;
mod declared;
mod difference;
mod direction;
mod report;
mod revision;

use std::collections::BTreeMap;

use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_targets::artifact::Document;
use aipolicy_targets::effects::{Facts, access, compare, facts};
use aipolicy_targets::plan::{Action, equivalent};
use similar::TextDiff;

use super::Elsewhere;
use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::output::{Kind, Outputs};
use crate::render::json::written;
use crate::ui::Ui;
use difference::{Changed, Compared, Difference, Environment, Told};
use revision::Side;

/// How a difference is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.diff/1`.
    Json,
    /// A comment on a pull request, of at most 60 kB.
    Markdown,
}

impl Kind for DiffFormat {}

/// Compares two revisions of a workspace by what they allow
///
/// Each side is a folder, seen from `-C DIR`, or a git revision of the workspace in it. Effects come first: what may happen with B
/// that could not with A, and the other way round. Then comes what resources declare differently, then findings that are
/// new or gone, then the documents that differ. The headline says whether anything can happen that could not before. No
/// world is looked at, and no file of the repository is touched.
///
/// Exit codes: 0 no difference, 1 a side cannot be understood, 2 a difference, 3 a side is refused, so that its
/// documents cannot be compared, and nothing else differs.
#[derive(clap::Args)]
pub(crate) struct Diff {
    /// A folder or revision, for instance `main`
    #[arg(value_name = "A")]
    before: String,
    /// A folder or revision, for instance `HEAD` or `.`
    #[arg(value_name = "B")]
    after: String,
    #[command(flatten)]
    outputs: Outputs<DiffFormat>,
    #[command(flatten)]
    workspace: Elsewhere,
}

impl Diff {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let before = Side::load(&self.before, &self.workspace)?;
        let after = Side::load(&self.after, &self.workspace)?;
        let folder = self.workspace.folder.to_string_lossy();
        let names = [&*self.before, &*self.after, &*folder];
        let chosen = &self.workspace.view.environments;
        let not_understood: Vec<_> =
            [&before, &after].into_iter().filter(|side| !side.is_understood()).collect();
        let difference = if not_understood.is_empty() {
            let environments = environments(chosen, &before, &after)?;
            let compared = environments.into_iter().map(|name| between(name, &before, &after)).collect();
            let declared = declared::declared(&before.workspace, &after.workspace);
            let findings = findings(&before, &after);
            Difference::new(names, Vec::new(), compared, (declared, findings))
        } else {
            let sides = not_understood.iter().map(|side| side.name.clone()).collect();
            let new = not_understood.iter().flat_map(|side| told(side)).collect();
            let findings = Compared { new, ..Compared::default() };
            Difference::new(names, sides, Vec::new(), (Vec::new(), findings))
        };
        outputs.write(ui, |format, _| match format {
            DiffFormat::Text => report::text(&difference),
            DiffFormat::Json => written(&difference),
            DiffFormat::Markdown => comment::comment(&difference),
        })?;
        Ok(difference.exit())
    }
}

/// The environments that are meant; a name is known when one side knows it.
fn environments(chosen: &[String], before: &Side, after: &Side) -> Result<Vec<String>, CliError> {
    let (before, after) = (before.workspace.environments(&[])?, after.workspace.environments(&[])?);
    let mut all: Vec<_> = before.iter().chain(&after).map(|(_, name)| (*name).to_owned()).collect();
    all.sort();
    all.dedup();
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        let error = CliError::usage(format!("there is no environment `{unknown}` on either side"));
        return Err(error.nearest(unknown, all.iter().map(String::as_str)));
    }
    all.retain(|name| chosen.is_empty() || chosen.contains(name));
    Ok(all)
}

/// Every finding about a side, refusals of targets included.
fn told(side: &Side) -> Vec<Told> {
    let workspace = &side.workspace;
    let mut found = workspace.diagnostics.clone();
    found.append(side.refusals.clone());
    found.sort(&workspace.sources);
    let findings = Findings::new(workspace, &found);
    let told = findings.each().map(|(found, print)| {
        let place = findings.place(found.primary.span);
        Told {
            code: found.code.to_string(),
            severity: found.severity,
            message: found.message.clone(),
            file: place.file.to_owned(),
            line: place.start.line,
            fingerprint: print.to_string(),
            waived: found.waived.as_deref().map(|waived| waived.by.clone()),
            is_compiled: side.refusals.iter().any(|refusal| refusal == found),
        }
    });
    told.collect()
}

/// Findings that are new, fixed, waived, and still there. What compiling found is not fixed where nothing is compiled any
/// more.
fn findings(before: &Side, after: &Side) -> Compared {
    let [before, now] = [told(before), told(after)];
    let known = |side: &[Told]| -> BTreeMap<String, bool> {
        side.iter().map(|told| (told.fingerprint.clone(), told.waived.is_some())).collect()
    };
    let (old, new) = (known(&before), known(&now));
    let mut compared = Compared::default();
    for told in now {
        let place = match (old.get(&told.fingerprint), told.waived.is_some()) {
            (None | Some(false), true) => &mut compared.waived,
            (None, false) => &mut compared.new,
            (Some(_), _) => &mut compared.still,
        };
        place.push(told);
    }
    let is_known = |told: &Told| after.is_compiled() || !told.is_compiled;
    let gone = before.into_iter().filter(|told| !new.contains_key(&told.fingerprint) && is_known(told));
    compared.fixed = gone.collect();
    compared
}

/// What differs in an environment. One that a side does not have allows nothing and has no documents.
fn between(name: String, before: &Side, after: &Side) -> Environment {
    let sides = [before, after];
    let missing = sides.iter().find_map(|side| {
        let why = side.documents.get(&name)?.as_ref().err()?;
        Some(format!("documents of `{name}` not compared: `{}`: {why}", side.name))
    });
    let none = BTreeMap::new();
    let [old, new] =
        sides.map(|side| side.documents.get(&name).and_then(|found| found.as_ref().ok()).unwrap_or(&none));
    let (documents, access) = match missing {
        Some(_) => (Vec::new(), Vec::new()),
        None => (documents(old, new), access(old.values(), new.values())),
    };
    let [before, after] = sides.map(|side| granted(&name, side));
    Environment { name, effects: compare(&before, &after), access, documents, not_compared: missing }
}

fn granted(name: &str, side: &Side) -> Facts {
    let workspace = &side.workspace;
    let environment = workspace.graph().find::<EnvironmentSpec>(name);
    let facts = environment
        .map(|id| facts(workspace.graph(), &workspace.compilation.decisions, id, &workspace.sources));
    facts.unwrap_or_default()
}

fn documents(before: &BTreeMap<String, Document>, after: &BTreeMap<String, Document>) -> Vec<Changed> {
    let gone = before.iter().filter(|(file, _)| !after.contains_key(*file));
    let gone = gone.map(|(file, old)| (file, Action::Delete, old.text.as_str(), ""));
    let kept = after.iter().filter_map(|(file, new)| match before.get(file) {
        None => Some((file, Action::Create, "", new.text.as_str())),
        Some(old) if equivalent(old, new) => None,
        Some(old) => Some((file, Action::Update, old.text.as_str(), new.text.as_str())),
    });
    let changed = |(file, action, old, new): (&String, Action, &str, &str)| {
        let names = (format!("a/{file}"), format!("b/{file}"));
        let diff = TextDiff::from_lines(old, new);
        let diff = diff.unified_diff().header(&names.0, &names.1).to_string();
        Changed { file: file.clone(), action, diff }
    };
    let mut all: Vec<_> = gone.chain(kept).map(changed).collect();
    all.sort_by(|left, right| left.file.cmp(&right.file));
    all
}
