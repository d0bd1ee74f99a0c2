//! `aipolicy why`.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::source::Span;
use aipolicy_targets::artifact::{Artifact, Document, Format};
use aipolicy_targets::cloudformation;
use serde_json::Value;

use super::Elsewhere;
use super::can::{policies, waived};
use crate::error::{CliError, Exit};
use crate::load::load_with_all_agents_enabled;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// Tells where a value of an artifact comes from
///
/// Names the line that asked for it and the policies that permitted it. An artifact is named by its address, or by its
/// file as `build` writes it, with or without the environment; a JSON pointer after `#` says which value is meant:
/// `aipolicy why iam/Role/acme-prod-agent-invoice-bot#/AssumeRolePolicyDocument`. A template is an artifact too:
/// `aipolicy why cloudformation/Template/iam#/Resources/RoleAgentInvoiceBot`.
///
/// Exit codes: 0 the value is explained, 1 there is no such artifact or value, 3 the artifact is missing because its
/// agent is disabled.
#[derive(clap::Args)]
pub(crate) struct Why {
    /// The artifact and the pointer
    #[arg(value_name = "ARTIFACT#/POINTER")]
    value: String,
    #[command(flatten)]
    workspace: Elsewhere,
}

/// An artifact of an environment.
struct Found<'w> {
    environment: &'w str,
    artifact: Artifact,
}

impl Why {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let workspace = self.workspace.load(ui)?;
        let (name, pointer) = self.value.split_once('#').unwrap_or((&self.value, ""));
        let mut all = Vec::new();
        let mut missing = Vec::new();
        for (id, environment) in workspace.environments(&self.workspace.view.environments)? {
            let artifacts = workspace.artifacts(id, &mut Diagnostics::default());
            let artifacts = artifacts.and_then(|artifacts| match is_template(name) {
                true => workspace.templates(id, artifacts, &mut Diagnostics::default()),
                false => Ok(artifacts),
            });
            match artifacts {
                Ok(found) => all.extend(found.into_iter().map(|artifact| Found { environment, artifact })),
                Err(why) => missing.push(format!("artifacts of `{environment}` not compiled: {why}")),
            }
        }
        missing.iter().for_each(|missing| ui.remark(missing));
        let meant: Vec<_> = all.iter().filter(|found| found.is_called(name)).collect();
        if meant.is_empty() {
            if let Some(why) = self.disabled(name, &workspace)? {
                ui.print(&format!("there is no artifact `{}`\n{why}", harmless(name)))?;
                return Ok(Exit::Refused);
            }
            let known: Vec<_> = all.iter().map(|found| found.artifact.document.address.to_string()).collect();
            let error = CliError::usage(format!("there is no artifact `{name}`"));
            return Err(error.nearest(name, known.iter().map(String::as_str)));
        }
        let told: Vec<_> = meant.iter().map(|found| found.told(pointer, &workspace)).collect();
        // A value may be there in one environment only.
        let any = told.iter().any(Result::is_ok);
        let told: Result<Vec<_>, _> = told.into_iter().filter(|told| !any || told.is_ok()).collect();
        ui.print(&told?.join("\n"))?;
        Ok(Exit::Clean)
    }
}

impl Why {
    /// Why there is no such artifact: it would be that of a disabled agent.
    fn disabled(&self, name: &str, workspace: &Workspace) -> Result<Option<String>, CliError> {
        let off = |agent: &&Resource<AgentSpec>| agent.spec.switched_off().is_some();
        if !workspace.graph().bundle().agents.iter().any(|agent| off(&agent)) {
            return Ok(None);
        }
        let supposed = load_with_all_agents_enabled(&self.workspace.folder, self.workspace.view.as_of)?;
        for (id, environment) in supposed.environments(&self.workspace.view.environments)? {
            let artifacts = supposed.artifacts(id, &mut Diagnostics::default()).unwrap_or_default();
            let mut all = artifacts.into_iter().map(|artifact| Found { environment, artifact });
            let Some(found) = all.find(|found| found.is_called(name)) else { continue };
            let spans = found.artifact.trace.origins().iter().map(|origin| origin.span);
            let agents = &workspace.graph().bundle().agents;
            let holder = |span: Span| agents.iter().filter(off).find(|agent| agent.span.contains(span));
            let told = spans.into_iter().find_map(|span| workspace.disabled(holder(span)?.name().as_str()));
            return Ok(told);
        }
        Ok(None)
    }
}

/// Whether a name is that of a template, with or without the environment.
fn is_template(name: &str) -> bool {
    name.split('/').any(|part| part == cloudformation::TARGET)
}

impl Found<'_> {
    fn is_called(&self, name: &str) -> bool {
        let name = name.strip_prefix("./").unwrap_or(name);
        let name =
            name.strip_prefix(self.environment).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
        name == self.artifact.document.address.to_string() || name == self.artifact.document.file()
    }

    fn told(&self, pointer: &str, workspace: &Workspace) -> Result<String, CliError> {
        let document = &self.artifact.document;
        let value = value(document, pointer)?;
        let head = format!("{}/{}#{pointer}\n", self.environment, document.file());
        let value: String = value.lines().map(|line| format!("  {line}\n")).collect();
        let Some(origin) = self.artifact.trace.at(pointer) else {
            let below = self.artifact.trace.entries().filter(|(entry, _)| entry.starts_with(pointer));
            let below = below.take(5).map(|(entry, _)| format!("  {entry}\n")).collect::<String>();
            return Ok(format!("{head}{value}  what is inside has several causes:\n{below}"));
        };
        let from = workspace.quoted("from", origin.span);
        let permitted = policies(workspace, "permitted by", &origin.policies);
        let waived = waived(workspace, &origin.waived);
        Ok(format!("{head}{}{from}{permitted}{waived}", harmless(&value)))
    }
}

/// The value under a pointer, as people read it.
fn value(document: &Document, pointer: &str) -> Result<String, CliError> {
    let broken = |error: String| CliError::tool(format!("`{}` cannot be read: {error}", document.file()));
    let root: Value = match document.format {
        Format::Json => serde_json::from_str(&document.text).map_err(|error| broken(error.to_string()))?,
        Format::Yaml => serde_saphyr::from_str(&document.text).map_err(|error| broken(error.to_string()))?,
        Format::Text => Value::String(document.text.clone()),
    };
    match find(&root, pointer) {
        Some(Value::String(text)) => Ok(text),
        Some(found) => serde_json::to_string_pretty(&found).map_err(|error| broken(error.to_string())),
        None => {
            let mut known = Vec::new();
            pointers(&root, &mut String::new(), &mut known);
            let error = CliError::usage(format!("`{}` has no value at `{pointer}`", document.file()));
            Err(error.nearest(pointer, known.iter().map(String::as_str)))
        }
    }
}

/// The value under a pointer, which may go on into a document that a text holds, such as a file in a ConfigMap.
fn find(root: &Value, pointer: &str) -> Option<Value> {
    let held = |(at, _)| {
        let (outer, inner) = pointer.split_at(at);
        let text = root.pointer(outer)?.as_str()?;
        serde_saphyr::from_str::<Value>(text).ok()?.pointer(inner).cloned()
    };
    root.pointer(pointer).cloned().or_else(|| pointer.match_indices('/').find_map(held))
}

/// Every pointer into a value.
fn pointers(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, child) in children {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        pointers(child, pointer, found);
        pointer.truncate(length);
    }
}
