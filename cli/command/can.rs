//! `aipolicy can`.

mod near;
mod role;

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::ir::{Action, Decision, Outcome, PolicyIndex, Waiving};
use aipolicy_compiler::model::KindName;

use super::Elsewhere;
use crate::error::{CliError, Exit};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Kinds of which nothing more is known than what requests name.
const FREE: &[&str] = &["Tool", "Region"];
/// Kinds that ask.
const PRINCIPALS: &[&str] = &["Agent", "Environment", "Gateway", "Route", "Tenant", "Workload"];
/// Kinds that are asked for.
const RESOURCES: &[&str] =
    &["Agent", "Cluster", "Connector", "DataStore", "Environment", "Model", "Region", "Route", "Tool"];

/// Tells whether something may happen, and why
///
/// Looks through everything that the workspace asks for: `aipolicy can Agent/invoice-bot readConnector
/// Connector/invoices`. With a role of the account and an action of AWS it asks the compiled policies of IAM: `aipolicy can
/// Role/acme-prod-agent-invoice-bot s3:GetObject arn:aws:s3:::acme-invoices/eu/1`. A tool is named after its agent, as in `Tool/invoice-bot.read-invoice`. What nobody asks for is
/// not granted, and a disabled agent asks for nothing.
///
/// Each verdict comes with the near miss: the smallest change of the circumstances, or of what resources say, that would turn
/// it round. It was asked of the same policies.
///
/// Exit codes: 0 allowed wherever it is asked for, 3 denied somewhere, never asked for, or the agent is disabled.
#[derive(clap::Args)]
pub(crate) struct Can {
    /// Who, as `Kind/name`
    principal: String,
    /// Does what, for instance `invokeModel`
    action: String,
    /// With what, as `Kind/name`
    resource: String,
    /// A circumstance, for instance `region=eu-central-1`; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    #[command(flatten)]
    workspace: Elsewhere,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or("a circumstance is written like region=eu-central-1")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Can {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let workspace = self.workspace.load(ui)?;
        if let Some(role) = self.principal.strip_prefix("Role/") {
            return self.by_role(&workspace, role, ui);
        }
        let chosen = &self.workspace.view.environments;
        let action = action(&self.action)?;
        known(&workspace, &self.principal, PRINCIPALS)?;
        known(&workspace, &self.resource, RESOURCES)?;
        let question = format!("{} {} {}", self.principal, action.word(), self.resource);
        if let Some(why) = self.disabled(&workspace) {
            ui.print(&format!("{question}\n\x1b[31mdenied\x1b[0m\n{why}"))?;
            return Ok(Exit::Refused);
        }
        let hearing = self.workspace.hearing(&workspace);
        let (mut text, mut exit, mut asked) = (format!("{question}\n"), Exit::Clean, false);
        for (id, name) in workspace.environments(chosen)? {
            let decisions = workspace.compilation.decisions.of(id);
            let alike: Vec<_> =
                decisions.filter(|decision| workspace.question(decision) == question).collect();
            let facts: Vec<_> =
                alike.iter().map(|decision| decision.request.facts(workspace.graph())).collect();
            let matching = alike.iter().zip(&facts).filter(|(_, facts)| self.holds(facts));
            let matching: Vec<_> = matching.map(|(decision, _)| *decision).collect();
            if matching.is_empty() {
                text.push_str(&format!("{name}: never asked{}\n", self.otherwise(&facts)));
                exit = if chosen.is_empty() { exit } else { Exit::Refused };
            }
            for decision in matching {
                asked = true;
                exit = if decision.permitted() { exit } else { Exit::Refused };
                text.push_str(&told(&workspace, name, decision));
                text.push_str(&near::told(&workspace, &hearing, decision));
            }
        }
        if !asked {
            text.push_str("nothing in the workspace asks for this, so it is not granted\n");
            exit = Exit::Refused;
        }
        ui.print(&text)?;
        Ok(exit)
    }

    /// Why nobody asks for this: the agent that asks, the agent that is asked, or that of the tool is disabled.
    fn disabled(&self, workspace: &Workspace) -> Option<String> {
        let agent = |text: &str| {
            let (kind, name) = text.split_once('/')?;
            let name = match kind {
                "Agent" => name,
                "Tool" => name.split_once('.')?.0,
                _ => return None,
            };
            workspace.disabled(name)
        };
        agent(&self.principal).or_else(|| agent(&self.resource))
    }

    /// With which circumstances it is asked, where it is never asked with those that were given.
    fn otherwise(&self, asked: &[BTreeMap<&'static str, String>]) -> String {
        let values = |key: &str| -> BTreeSet<&str> {
            asked.iter().filter_map(|facts| facts.get(key)).map(String::as_str).collect()
        };
        let differing = self.context.iter().filter(|(key, value)| !values(key).contains(value.as_str()));
        let told = differing.filter(|_| !asked.is_empty()).map(|(key, value)| {
            let known: Vec<_> = values(key).into_iter().map(|known| format!("{key}={known}")).collect();
            match known.is_empty() {
                true => format!(" with {key}={value}; what is asked has no `{key}`"),
                false => format!(" with {key}={value}, but with {}", known.join(", ")),
            }
        });
        told.collect()
    }

    fn holds(&self, facts: &BTreeMap<&'static str, String>) -> bool {
        self.context.iter().all(|(key, value)| facts.get(key.as_str()) == Some(value))
    }
}

fn action(word: &str) -> Result<Action, CliError> {
    let found = Action::ALL.iter().copied().find(|action| action.word() == word);
    found.ok_or_else(|| {
        let error = CliError::usage(format!("there is no action `{word}`"));
        error.nearest(word, Action::ALL.iter().map(|action| action.word()))
    })
}

/// Refuses what is written as `Kind/name` and is not in the workspace, since a slip would look like a denial.
fn known(workspace: &Workspace, text: &str, kinds: &[&str]) -> Result<(), CliError> {
    let Some((kind, name)) = text.split_once('/') else {
        let error = CliError::usage(format!("`{text}` is not written as `Kind/name`"));
        return Err(error.hint(format!("for instance `{}/{text}`", kinds.first().copied().unwrap_or(""))));
    };
    if !kinds.contains(&kind) {
        let error = CliError::usage(format!("`{kind}` is no kind that can stand here"));
        return Err(error.nearest(kind, kinds.iter().copied()));
    }
    let Some(kind) = KindName::find(kind).filter(|_| !FREE.contains(&kind)) else { return Ok(()) };
    let names = workspace.graph().bundle().names(kind);
    if names.iter().any(|known| known.value.as_str() == name) {
        return Ok(());
    }
    let error = CliError::usage(format!("there is no {kind} with the name `{name}`"));
    Err(error.nearest(name, names.iter().map(|known| known.value.as_str())))
}

/// A verdict with everything behind it.
pub(super) fn told(workspace: &Workspace, environment: &str, decision: &Decision) -> String {
    let request = &decision.request;
    let (verdict, by) = match &decision.outcome {
        Outcome::Permitted(by) => ("\x1b[32mallowed\x1b[0m", policies(workspace, "permitted by", by)),
        Outcome::Forbidden(by) => ("\x1b[31mdenied\x1b[0m", policies(workspace, "forbidden by", by)),
        Outcome::NotPermitted => ("\x1b[31mdenied\x1b[0m", "  no policy permits it\n".to_owned()),
    };
    let facts = request.facts(workspace.graph());
    let facts: Vec<_> = facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let facts = if facts.is_empty() { String::new() } else { format!("  with {}\n", facts.join(", ")) };
    let waived = waived(workspace, &decision.waived);
    format!("{environment}: {verdict}\n{}{by}{waived}{facts}", workspace.quoted("asked for at", request.span))
}

/// One line for each policy that forbids and is waived, and where its waiver is.
pub(super) fn waived(workspace: &Workspace, all: &[Waiving]) -> String {
    let told = all.iter().map(|one| {
        let Some(waiver) = workspace.graph().resource(one.waiver) else { return String::new() };
        let (policy, expires) = (workspace.policy(one.policy), waiver.spec.expires.value);
        let by = format!("waived until {expires} by `{}` at", waiver.name());
        format!("  although forbidden by {policy}\n{}", workspace.quoted(&by, waiver.name_span()))
    });
    told.collect()
}

/// One line for each policy.
pub(super) fn policies(workspace: &Workspace, what: &str, all: &[PolicyIndex]) -> String {
    all.iter().map(|index| format!("  {what} {}\n", workspace.policy(*index))).collect()
}
