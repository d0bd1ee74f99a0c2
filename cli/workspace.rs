//! A workspace that was read and judged, and the questions that commands ask it.

use std::path::PathBuf;

use aipolicy_compiler::Compilation;
use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::diagnostic::{Diagnostics, Family};
use aipolicy_compiler::ir::{Decision, PolicyIndex};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::resolve::Graph;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{SourceId, SourceMap, Span};
use aipolicy_targets::artifact::{Artifact, digest};
use aipolicy_targets::cloudformation::templates;

use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::render::text;
use crate::ui::{Ui, harmless};

/// Of a quoted line, so many characters are shown.
const LONGEST_QUOTE: usize = 160;

/// Everything that is known about a workspace without looking at the world.
pub(crate) struct Workspace {
    /// The folder as it was named.
    pub(crate) root: PathBuf,
    pub(crate) sources: SourceMap,
    pub(crate) compilation: Compilation,
    pub(crate) diagnostics: Diagnostics,
}

impl Workspace {
    pub(crate) fn graph(&self) -> &Graph {
        &self.compilation.graph
    }

    /// How many resources somebody wrote.
    pub(crate) fn written(&self) -> usize {
        let resources = self.graph().bundle().resources();
        resources.iter().filter(|(_, _, span)| span.source != SourceId::DEFAULTS).count()
    }

    /// The digest of all sources, policies included, whatever the order in which they were read.
    pub(crate) fn digest(&self) -> String {
        let line = |path: &str, text: &str| format!("{path}\0{}\n", digest(text.as_bytes()));
        let mut lines: Vec<_> =
            self.sources.iter().map(|(_, source)| line(source.path(), source.text())).collect();
        lines.sort();
        digest(lines.concat().as_bytes())
    }

    /// The environments with these names, or all of them, in the order of files.
    pub(crate) fn environments(
        &self,
        names: &[String],
    ) -> Result<Vec<(Id<EnvironmentSpec>, &str)>, CliError> {
        let all: Vec<_> =
            self.graph().each::<EnvironmentSpec>().map(|(id, found)| (id, found.name().as_str())).collect();
        for name in names {
            if !all.iter().any(|(_, known)| known == name) {
                let error = CliError::usage(format!("there is no environment `{name}`"));
                return Err(error.nearest(name, all.iter().map(|(_, known)| *known)));
            }
        }
        let chosen = |(_, known): &(_, &str)| names.is_empty() || names.iter().any(|name| name == known);
        Ok(all.into_iter().filter(chosen).collect())
    }

    /// Every artifact of an environment, sorted by address; or why there are none. Refusals of targets are reported.
    pub(crate) fn artifacts(
        &self,
        environment: Id<EnvironmentSpec>,
        out: &mut Diagnostics,
    ) -> Result<Vec<Artifact>, String> {
        let grants = self.grants(environment)?;
        let mut found = Diagnostics::default();
        let artifacts = aipolicy_targets::render(grants, &self.sources, &mut found);
        out.append(found);
        artifacts.ok_or_else(|| "a target refuses".into())
    }

    /// Why there are no artifacts of an environment, if there are none. Refusals of targets are reported.
    pub(crate) fn judge(
        &self,
        environment: Id<EnvironmentSpec>,
        out: &mut Diagnostics,
    ) -> Result<(), String> {
        let grants = self.grants(environment)?;
        let mut found = Diagnostics::default();
        let sound = aipolicy_targets::judge(grants, &self.sources, &mut found);
        out.append(found);
        if sound { Ok(()) } else { Err("a target refuses".into()) }
    }

    /// All that is found about the workspace and the artifacts of these environments.
    pub(crate) fn found(&self, environments: &[(Id<EnvironmentSpec>, &str)]) -> Diagnostics {
        let mut found = self.diagnostics.clone();
        for (id, _) in environments {
            // Why there are none is among what is found.
            let _ = self.judge(*id, &mut found);
        }
        found.sort(&self.sources);
        found
    }

    /// The artifacts of an environment, with those of IAM and Bedrock as templates of CloudFormation.
    pub(crate) fn templates(
        &self,
        environment: Id<EnvironmentSpec>,
        artifacts: Vec<Artifact>,
        out: &mut Diagnostics,
    ) -> Result<Vec<Artifact>, String> {
        let templates = templates(self.grants(environment)?, &self.sources, artifacts, out);
        templates.ok_or_else(|| "a template of CloudFormation cannot say it".into())
    }

    /// Everything that an environment was granted; or why it was not.
    pub(crate) fn grants(&self, environment: Id<EnvironmentSpec>) -> Result<ApprovedGrants<'_>, String> {
        let decisions = &self.compilation.decisions;
        decisions.approved(self.graph(), environment).ok_or_else(|| {
            let refused = decisions.of(environment).filter(|decision| !decision.permitted()).count();
            match refused {
                0 => "the sources have errors".into(),
                1 => "a request is refused".into(),
                many => format!("{many} requests are refused"),
            }
        })
    }

    /// Stops when the input cannot be understood, since no answer about it could be trusted.
    pub(crate) fn understood(&self, ui: &mut Ui) -> Result<(), CliError> {
        if !self.diagnostics.has_errors_of(Family::Input) {
            return Ok(());
        }
        ui.remark(text::render(&Findings::new(self, &self.diagnostics), ui.width()).trim_end());
        let message = format!("`{}` cannot be understood", self.root.display());
        Err(CliError::findings(Exit::Error, message)
            .hint("`aipolicy check` must be clean of input errors first"))
    }

    /// `file:line:column` of the start of a span.
    pub(crate) fn place(&self, span: Span) -> String {
        let at = self.sources.position(span);
        format!("{}:{}:{}", self.sources.get(span.source).path(), at.line, at.column)
    }

    /// A place under a word for it, with the line that it starts in.
    pub(crate) fn quoted(&self, what: &str, span: Span) -> String {
        let at = self.sources.position(span).line;
        let line = self.sources.get(span.source).text().lines().nth(at - 1).unwrap_or("");
        let line: String = line.trim().chars().take(LONGEST_QUOTE).collect();
        format!("  {what} {}\n    {}\n", self.place(span), harmless(&line))
    }

    /// That an agent is disabled, and where; nothing for one that is enabled or not there.
    pub(crate) fn disabled(&self, agent: &str) -> Option<String> {
        let off = self.graph().resource(self.graph().find::<AgentSpec>(agent)?)?.spec.switched_off()?;
        let quoted = self.quoted("disabled at", off);
        Some(format!("  agent `{agent}` is disabled, and holds nothing\n{quoted}"))
    }

    /// A policy as people find it: its id and its place.
    pub(crate) fn policy(&self, index: PolicyIndex) -> String {
        let fact = self.compilation.decisions.policy(index);
        fact.map_or_else(String::new, |fact| format!("{} ({})", fact.id, self.place(fact.span)))
    }

    /// Who asks for what, as `Kind/name action Kind/name`.
    pub(crate) fn question(&self, decision: &Decision) -> String {
        let request = &decision.request;
        let (kind, name) = request.principal.label(self.graph());
        let (what, object) = request.object.label(self.graph());
        format!("{kind}/{name} {} {what}/{object}", request.action.word())
    }
}

/// What findings mean for the exit code.
pub(crate) fn verdict(found: &Diagnostics) -> Exit {
    if found.has_errors_of(Family::Input) {
        return Exit::Error;
    }
    let stops: Vec<_> = found.iter().filter(|found| found.stops()).collect();
    match () {
        () if stops.is_empty() => Exit::Clean,
        () if stops.iter().all(|found| found.code == rule::CHANGE_WAITS.code) => Exit::Waits,
        () => Exit::Refused,
    }
}
