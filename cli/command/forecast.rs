//! `aipolicy forecast`.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Decisions;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::fingerprint::{Fingerprint, fingerprints};
use aipolicy_compiler::forecast::days;
use aipolicy_compiler::model::value::Date;
use serde::Serialize;

use super::Folder;
use crate::error::{CliError, Exit};
use crate::load::{clock, load};
use crate::output::{Kind, Outputs};
use crate::render::json::written;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// The version of the format.
const FORMAT: &str = "aipolicy.forecast/1";

/// Tells what changes by itself until a day
///
/// Evaluates the workspace as it is on each day on which something can change: when a waiver ends, a model reaches the end of
/// its life, or a policy speaks of a day. Tells which findings come and go, and which environments are no longer approved.
///
/// Exit codes: 0 every environment that is approved stays so, 1 the input cannot be understood, 3 one does not.
#[derive(clap::Args)]
pub(crate) struct Forecast {
    #[command(flatten)]
    workspace: Folder,
    /// The last day: so many days ahead, as `+180d`, or a day as `2027-03-31`
    #[arg(long, value_name = "+DAYSd|DAY", default_value = "+180d")]
    until: String,
    #[command(flatten)]
    outputs: Outputs<ForecastFormat>,
}

/// How a forecast is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ForecastFormat {
    /// For people
    #[default]
    Text,
    /// `aipolicy.forecast/1`
    Json,
}

impl Kind for ForecastFormat {}

#[derive(Serialize)]
struct Told {
    format: &'static str,
    from: String,
    until: String,
    /// On how many days something could change, and the workspace was evaluated.
    evaluated: usize,
    changes: Vec<Change>,
}

/// What is different from the day before on.
#[derive(Serialize)]
struct Change {
    day: String,
    appear: Vec<Finding>,
    disappear: Vec<Finding>,
    /// Environments that are approved from this day on.
    approved: Vec<String>,
    /// Environments that no longer are.
    refused: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Finding {
    file: String,
    line: usize,
    code: String,
    severity: &'static str,
    waived: bool,
    message: String,
    fingerprint: String,
}

/// What holds on a day.
struct State {
    findings: BTreeSet<Finding>,
    approved: BTreeMap<String, bool>,
}

impl Forecast {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let Self { workspace: Folder { folder, view }, until, outputs } = self;
        let outputs = outputs.checked()?;
        let from = view.as_of.unwrap_or_else(clock);
        let until = last(&until, from)?;
        let workspace = load(&folder, Some(from))?;
        workspace.understood(ui)?;
        let chosen = workspace.environments(&view.environments)?;
        let names: Vec<_> = chosen.into_iter().map(|(_, name)| name).collect();
        let told = told(&workspace, &names, (from, until));
        outputs.write(ui, |format, _| match format {
            ForecastFormat::Text => text(&told),
            ForecastFormat::Json => written(&told),
        })?;
        let stays = told.changes.iter().all(|change| change.refused.is_empty());
        Ok(if stays { Exit::Clean } else { Exit::Refused })
    }
}

/// What changes in some environments of a workspace, which was judged on the first day.
fn told(workspace: &Workspace, environments: &[&str], (from, until): (Date, Date)) -> Told {
    let compilation = &workspace.compilation;
    let days = days(&workspace.sources, workspace.graph().catalog(), (from, until));
    let mut told = Told {
        format: FORMAT,
        from: from.to_string(),
        until: until.to_string(),
        evaluated: days.len(),
        changes: Vec::new(),
    };
    let mut before = state(workspace, environments, (&compilation.decisions, &workspace.diagnostics));
    for day in days {
        let (decisions, found) = compilation.judged_on(&workspace.sources, day);
        let after = state(workspace, environments, (&decisions, &found));
        told.changes.extend(Some(change(day, &before, &after)).filter(|change| !change.is_empty()));
        before = after;
    }
    told
}

fn state(
    workspace: &Workspace,
    environments: &[&str],
    (decisions, found): (&Decisions, &Diagnostics),
) -> State {
    let prints = fingerprints(found, &workspace.sources);
    let finding = |(found, print): (&Diagnostic, Fingerprint)| Finding {
        file: workspace.sources.get(found.primary.span.source).path().to_owned(),
        line: workspace.sources.position(found.primary.span).line,
        code: found.code.to_string(),
        severity: found.severity.word(),
        waived: found.waived.is_some(),
        message: found.message.clone(),
        fingerprint: print.to_string(),
    };
    let graph = workspace.graph();
    let is_approved = |name: &str| graph.find(name).is_some_and(|id| decisions.approved(graph, id).is_some());
    State {
        findings: found.iter().zip(prints).map(finding).collect(),
        approved: environments.iter().map(|name| ((*name).to_owned(), is_approved(name))).collect(),
    }
}

/// The last day that is meant.
fn last(until: &str, from: Date) -> Result<Date, CliError> {
    let ahead = until.strip_prefix('+').and_then(|text| text.strip_suffix('d')?.parse::<i32>().ok());
    let day = ahead.filter(|days| (0..=3660).contains(days)).map(|days| from.after(days));
    let day = day.or_else(|| super::day(until).ok()).filter(|day| *day >= from);
    let error = || CliError::usage(format!("`{until}` is neither so many days ahead nor a day to come"));
    day.ok_or_else(|| error().hint("write `+180d`, for at most ten years, or a day such as 2027-03-31"))
}

fn change(day: Date, before: &State, after: &State) -> Change {
    let fine = |state: &State, name: &String| state.approved.get(name) == Some(&true);
    let names = |was: bool, is: bool| {
        let changed =
            after.approved.keys().filter(|name| fine(before, name) == was && fine(after, name) == is);
        changed.cloned().collect()
    };
    Change {
        day: day.to_string(),
        appear: after.findings.difference(&before.findings).cloned().collect(),
        disappear: before.findings.difference(&after.findings).cloned().collect(),
        approved: names(false, true),
        refused: names(true, false),
    }
}

impl Change {
    fn is_empty(&self) -> bool {
        self.appear.is_empty()
            && self.disappear.is_empty()
            && self.approved.is_empty()
            && self.refused.is_empty()
    }
}

fn text(told: &Told) -> String {
    if told.changes.is_empty() {
        return format!("nothing changes by itself from {} to {}\n", told.from, told.until);
    }
    let mut text = String::new();
    for change in &told.changes {
        text.push_str(&format!("{}\n", change.day));
        for (sign, found) in [("+", &change.appear), ("-", &change.disappear)] {
            text.extend(found.iter().map(|found| line(sign, found)));
        }
        text.extend(change.refused.iter().map(|name| format!("  `{name}` is no longer approved\n")));
        text.extend(change.approved.iter().map(|name| format!("  `{name}` is approved again\n")));
    }
    text
}

fn line(sign: &str, found: &Finding) -> String {
    let waived = if found.waived { "waived " } else { "" };
    let Finding { file, line, code, severity, message, fingerprint, .. } = found;
    format!("  {sign} {file}:{line}: {waived}{severity}[{code}]: {}  {fingerprint}\n", harmless(message))
}
