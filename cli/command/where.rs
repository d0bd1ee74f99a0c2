//! `aipolicy where`.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Decision, Outcome, PolicyIndex, Waiving};
use aipolicy_compiler::source::{SourceId, Span};
use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::influence::shaped_by;
use aipolicy_targets::origin::Origin;

use super::Elsewhere;
use crate::error::{CliError, Exit};
use crate::findings::counted;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// So many values of one artifact are listed.
const LISTED: usize = 12;

/// Tells what a line causes
///
/// Lists the requests that the line makes, with their verdicts, the values of artifacts that come from it, and the
/// artifacts that it shapes: what it is part of has a part in them, though no value is the line's own. For a line of a
/// Cedar policy, these are the requests that the policy decides, and the values that it permitted.
#[derive(clap::Args)]
pub(crate) struct Where {
    /// The file, relative to the workspace, and the line
    #[arg(value_name = "FILE:LINE")]
    place: String,
    #[command(flatten)]
    workspace: Elsewhere,
}

/// A line of a source.
struct Line<'w> {
    workspace: &'w Workspace,
    source: SourceId,
    number: usize,
}

impl Where {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let workspace = self.workspace.load(ui)?;
        let line = self.line(&workspace)?;
        let mut text = String::new();
        for (id, name) in workspace.environments(&self.workspace.view.environments)? {
            let decisions = workspace.compilation.decisions.of(id).filter(|decision| line.decides(decision));
            let requests: String = decisions.map(|decision| line.request(decision)).collect();
            let values = match workspace.artifacts(id, &mut Diagnostics::default()) {
                Ok(artifacts) => line.values_and_shapes(&artifacts),
                Err(why) => format!("  artifacts not compiled: {why}\n"),
            };
            if !requests.is_empty() || !values.is_empty() {
                text.push_str(&format!("{name}\n{requests}{values}"));
            }
        }
        if text.is_empty() {
            text.push_str("the line causes nothing by itself\n");
        }
        ui.print(&text)?;
        Ok(Exit::Clean)
    }

    fn line<'w>(&self, workspace: &'w Workspace) -> Result<Line<'w>, CliError> {
        let read = |(file, line): (&str, &str)| Some((file.to_owned(), line.parse::<usize>().ok()?));
        let Some((file, number)) = self.place.rsplit_once(':').and_then(read) else {
            let error = CliError::usage(format!("`{}` is not written as `FILE:LINE`", self.place));
            return Err(error.hint("for instance `agents.yaml:12`"));
        };
        let folder = self.workspace.folder.to_string_lossy();
        let below = file.strip_prefix(folder.trim_end_matches('/')).map(|rest| rest.trim_start_matches('/'));
        let found = [Some(file.as_str()), file.strip_prefix("./"), below];
        let found = found.into_iter().flatten().find_map(|path| workspace.sources.find(path));
        let Some(source) = found else {
            let known = workspace.sources.iter().map(|(_, source)| source.path());
            let error = CliError::usage(format!("`{file}` is not a file of the workspace"));
            return Err(error.nearest(&file, known));
        };
        let lines = workspace.sources.get(source).text().lines().count();
        if number == 0 || number > lines {
            return Err(CliError::usage(format!("`{file}` has {}", counted(lines, "line"))));
        }
        Ok(Line { workspace, source, number })
    }
}

impl Line<'_> {
    fn covers(&self, span: Span) -> bool {
        let sources = &self.workspace.sources;
        let lines = || sources.position(span).line..=sources.end_position(span).line;
        span.source == self.source && lines().contains(&self.number)
    }

    fn permits(&self, policies: &[PolicyIndex]) -> bool {
        let decisions = &self.workspace.compilation.decisions;
        let facts = policies.iter().filter_map(|index| decisions.policy(*index));
        facts.into_iter().any(|fact| self.covers(fact.span))
    }

    fn decides(&self, decision: &Decision) -> bool {
        let policies = match &decision.outcome {
            Outcome::Permitted(by) | Outcome::Forbidden(by) => by.as_slice(),
            Outcome::NotPermitted => &[],
        };
        self.covers(decision.request.span) || self.permits(policies) || self.waives(&decision.waived)
    }

    fn waives(&self, waived: &[Waiving]) -> bool {
        let graph = self.workspace.graph();
        let policies: Vec<_> = waived.iter().map(|one| one.policy).collect();
        let waivers = waived.iter().filter_map(|one| graph.resource(one.waiver));
        waivers.into_iter().any(|waiver| self.covers(waiver.span)) || self.permits(&policies)
    }

    fn request(&self, decision: &Decision) -> String {
        let facts = decision.request.facts(self.workspace.graph());
        let facts: Vec<_> = facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let verdict = if decision.permitted() { "allowed" } else { "denied" };
        format!("  {verdict} {} {}\n", self.workspace.question(decision), facts.join(" "))
    }

    /// The values that come from the line, and the other artifacts that what it is part of has a part in.
    fn values_and_shapes(&self, artifacts: &[Artifact]) -> String {
        let read = (&self.workspace.sources, self.workspace.graph().bundle());
        let shaped = shaped_by(artifacts, read, (self.source, self.number));
        let silent = shaped.into_iter().filter(|artifact| self.pointers(artifact).is_empty());
        let silent = silent.map(|artifact| format!("  shapes {}\n", artifact.document.address));
        artifacts.iter().map(|artifact| self.values(artifact)).chain(silent).collect()
    }

    fn pointers<'a>(&self, artifact: &'a Artifact) -> Vec<&'a str> {
        let caused = |origin: &Origin| {
            self.covers(origin.span) || self.permits(&origin.policies) || self.waives(&origin.waived)
        };
        artifact.trace.caused_by(caused)
    }

    fn values(&self, artifact: &Artifact) -> String {
        let pointers = self.pointers(artifact);
        let listed = pointers.iter().take(LISTED).map(|at| format!("  {}#{at}\n", artifact.document.address));
        let mut text: String = listed.collect();
        if pointers.len() > LISTED {
            text.push_str(&format!("  and {} more of it\n", counted(pointers.len() - LISTED, "value")));
        }
        text
    }
}
