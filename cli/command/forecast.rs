//! `aipolicy forecast`.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::fingerprint::fingerprints;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::source::SourceKind;
use serde::Serialize;

use super::Folder;
use crate::error::{CliError, Exit};
use crate::load::{clock, load};
use crate::render::json::written;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// The version of the format.
const FORMAT: &str = "aipolicy.forecast/1";
/// So many days before a date, something may change too: a waiver is told of before it ends, and may last only so long.
const BEFORE: [i32; 3] = [0, 30, 180];
/// Words with which a policy computes with days, so that no date in it says when its verdict changes.
const ARITHMETIC: [&str; 4] = ["duration(", ".offset(", ".durationSince(", ".toTime("];

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
    /// How the forecast is written
    #[arg(long, value_enum, default_value_t)]
    format: ForecastFormat,
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

#[derive(Serialize)]
struct Told {
    format: &'static str,
    from: String,
    until: String,
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
        let from = self.workspace.view.as_of.unwrap_or_else(clock);
        let until = last(&self.until, from)?;
        let folder = &self.workspace.folder;
        let first = load(folder, Some(from))?;
        first.understood(ui)?;
        let mut before = self.state(&first)?;
        let mut told =
            Told { format: FORMAT, from: from.to_string(), until: until.to_string(), changes: Vec::new() };
        let mut exit = Exit::Clean;
        for day in days(&first, from, until) {
            let after = self.state(&load(folder, Some(day))?)?;
            let change = change(day, &before, &after);
            if !change.refused.is_empty() {
                exit = Exit::Refused;
            }
            if !change.is_empty() {
                told.changes.push(change);
            }
            before = after;
        }
        ui.print(&match self.format {
            ForecastFormat::Text => text(&told),
            ForecastFormat::Json => written(&told),
        })?;
        Ok(exit)
    }

    fn state(&self, workspace: &Workspace) -> Result<State, CliError> {
        let prints = fingerprints(&workspace.diagnostics, &workspace.sources);
        let finding = |(found, print): (&aipolicy_compiler::diagnostic::Diagnostic, _)| Finding {
            file: workspace.sources.get(found.primary.span.source).path().to_owned(),
            line: workspace.sources.position(found.primary.span).line,
            code: found.code.to_string(),
            severity: found.severity.word(),
            waived: found.waived.is_some(),
            message: found.message.clone(),
            fingerprint: ToString::to_string(&print),
        };
        let findings = workspace.diagnostics.iter().zip(prints).map(finding).collect();
        let chosen = workspace.environments(&self.workspace.view.environments)?;
        let approved = chosen.iter().map(|(id, name)| ((*name).to_owned(), workspace.grants(*id).is_ok()));
        Ok(State { findings, approved: approved.collect() })
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

/// The days after the first one on which something can change: every day where a policy computes with days.
fn days(workspace: &Workspace, from: Date, until: Date) -> BTreeSet<Date> {
    let mut policies =
        workspace.sources.iter().filter(|(_, one)| matches!(one.kind(), SourceKind::Policies { .. }));
    if policies.any(|(_, one)| ARITHMETIC.iter().any(|word| one.text().contains(word))) {
        return (1..=from.until(until)).map(|days| from.after(days)).collect();
    }
    let texts = workspace.sources.iter().map(|(_, source)| source.text());
    let written = texts.flat_map(dates);
    let models = workspace.graph().catalog().models();
    let known = models.flat_map(|model| [&model.lifecycle.legacy_from, &model.lifecycle.end_of_life]);
    let known = known.flatten().flat_map(|day| dates(day));
    let around =
        |day: Date| BEFORE.into_iter().flat_map(move |days| [0, 1].map(|more| day.after(more - days)));
    written.chain(known).flat_map(around).filter(|day| from < *day && *day <= until).collect()
}

/// Every day that a text holds.
fn dates(text: &str) -> Vec<Date> {
    let words = text.split(|letter: char| !(letter.is_ascii_digit() || letter == '-'));
    words.filter_map(|word| super::day(word.get(..10)?).ok()).collect()
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
