//! `aipolicy policies compare`.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_analysis::About;
use aipolicy_compiler::inspect::{Compared, Decided, Difference, Subject, compare};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use serde::Serialize;

use super::document::Tried;
use super::inspection::combination;
use super::witness::{self, Request, request};
use super::{PoliciesFormat, symbolic};
use crate::command::Elsewhere;
use crate::error::{CliError, Exit};
use crate::load::clock;
use crate::output::Outputs;
use crate::render::json::written;
use crate::revision::workspace_at;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// The version of the format.
const FORMAT: &str = "aipolicy.policy-comparison/1";

/// Compares what two sets of policies decide
///
/// Each side is a folder, seen from `-C DIR`, or a git revision of the workspace in it, as in `aipolicy diff`. Both sets of
/// policies, packs included, are asked about every request that the resources of HEAD make, and about requests that are
/// combined: each principal with each resource that an action takes, in each context that occurs for it. For each type of
/// request it tells how many are newly permitted and newly refused, with the first. Waivers are not looked at, and policies
/// that only advise decide nothing.
///
/// Exit codes: 0 no difference, 1 a side cannot be understood, or there is no solver, 2 a difference, 3 `--symbolic` left
/// something unproven, and nothing differs.
#[derive(clap::Args)]
pub(super) struct Compare {
    /// A folder or revision, for instance `main`
    #[arg(value_name = "BASE")]
    before: String,
    /// A folder or revision, for instance `HEAD` or `.`
    #[arg(value_name = "HEAD")]
    after: String,
    /// Of each type, so many combined requests are asked, spread evenly over all
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    at_most: u64,
    #[command(flatten)]
    demand: symbolic::Demand,
    #[command(flatten)]
    outputs: Outputs<PoliciesFormat>,
    #[command(flatten)]
    workspace: Elsewhere,
}

/// What is told.
struct Told<'w> {
    before: &'w Workspace,
    after: &'w Workspace,
    types: Vec<Compared>,
    /// What a solver says, where one was asked.
    proven: Option<Vec<symbolic::Group>>,
}

impl Compare {
    pub(super) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let mut solver = self.demand.solver(ui)?;
        let today = self.workspace.view.as_of.unwrap_or_else(clock);
        let mut side = |name: &str| {
            let workspace = workspace_at(name, &self.workspace.folder, Some(today))?;
            workspace.understood(ui).map(|()| workspace)
        };
        let (before, after) = (side(&self.before)?, side(&self.after)?);
        let environments = after.environments(&self.workspace.view.environments)?;
        let environments: Vec<Id<EnvironmentSpec>> = environments.into_iter().map(|(id, _)| id).collect();
        let subject = Subject {
            graph: after.graph(),
            policies: &after.compilation.policies,
            today,
            environments: &environments,
        };
        let types = compare((before.graph(), &before.compilation.policies), &subject, self.at_most);
        let types =
            types.map_err(|why| CliError::tool(format!("the entities cannot be put together: {why}")))?;
        let wanted = |about: &About| {
            let same = |one: &Compared| {
                [&*one.principal, one.action.word(), &*one.resource]
                    == [&*about.principal, &*about.action, &*about.resource]
                    && one.same
            };
            !types.iter().any(same)
        };
        let ask = |solver| symbolic::compare(solver, (&before, &subject), wanted);
        let proven = solver.as_mut().map(ask).transpose()?;
        let told = Told { before: &before, after: &after, types, proven };
        outputs.write(ui, |format, _| match format {
            PoliciesFormat::Text => told.text(),
            PoliciesFormat::Json => written(&told.document()),
        })?;
        Ok(told.exit())
    }
}

impl Told<'_> {
    fn exit(&self) -> Exit {
        let groups = || self.proven.iter().flatten();
        let differs = self.types.iter().any(|one| one.permitted.is_some() || one.refused.is_some());
        if differs || groups().any(symbolic::Group::differs) {
            Exit::Changes
        } else if groups().any(symbolic::Group::is_open) {
            Exit::Refused
        } else {
            Exit::Clean
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for one in &self.types {
            let directions = [
                (&one.permitted, "\x1b[31m+ newly permitted\x1b[0m"),
                (&one.refused, "\x1b[32m- newly refused\x1b[0m"),
            ];
            let found = directions.iter().filter_map(|(found, word)| Some((found.as_ref()?, word)));
            let told: Vec<_> = found.map(|(found, word)| self.difference(one, found, word)).collect();
            if !told.is_empty() {
                let Compared { principal, action, resource, .. } = one;
                text.push_str(&format!(
                    "\x1b[1m{principal} {} {resource}\x1b[0m\n{}\n",
                    action.word(),
                    told.concat()
                ));
            }
        }
        let proven = self.proven.iter().flatten().map(|group| group.text([self.before, self.after]));
        text + &self.summary() + &proven.collect::<String>()
    }

    /// What is equal, and over how much that was looked at.
    fn summary(&self) -> String {
        let count = |wanted: &dyn Fn(&Compared) -> bool| self.types.iter().filter(|one| wanted(one)).count();
        let differs = |one: &Compared| one.permitted.is_some() || one.refused.is_some();
        let (differ, same) = (count(&differs), count(&|one| one.same));
        let equal = self.types.len() - differ - same;
        let sum =
            |of: &dyn Fn(&Compared) -> u64| self.types.iter().filter(|one| !one.same).map(of).sum::<u64>();
        let (asked, tried) = (sum(&|one| one.asked), sum(&|one| one.combined.tried));
        let colour = if differ == 0 { "\x1b[1;32m" } else { "\x1b[1;33m" };
        let mut text = format!(
            "{colour}{differ} of {} types of requests decided differently\x1b[0m, {equal} alike, {same} by the same policies\n",
            self.types.len()
        );
        let head = self.after.root.display().to_string();
        text.push_str(&format!("asked: {asked} requests of `{}`, and {tried} combined\n", harmless(&head)));
        let bounded = self.types.iter().filter(|one| {
            !one.same && (one.combined.tried < one.combined.of || one.combined.contexts_left_out > 0)
        });
        text.extend(bounded.map(|one| {
            let Compared { principal, action, resource, combined, .. } = one;
            format!(
                "  {principal} {} {resource}: {}; `--at-most` asks more\n",
                action.word(),
                combination(*combined)
            )
        }));
        text
    }

    fn difference(&self, one: &Compared, found: &Difference, word: &str) -> String {
        let Difference { asked, combined, first, decided: [before, after] } = found;
        let mut text = format!(
            "  {word}: {asked} of {} that resources make, {combined} of {} combined\n",
            one.asked, one.combined.tried
        );
        let environment = self.after.graph().name(first.environment);
        let with =
            |workspace: &Workspace, decided: &Decided| witness::spoken_of(workspace, first, decided.by());
        let with: BTreeSet<String> =
            [with(self.before, before), with(self.after, after)].into_iter().flatten().collect();
        let with: Vec<_> = with.into_iter().collect();
        text.push_str(&format!("    {} in `{environment}`\n", harmless(&first.question())));
        if !with.is_empty() {
            text.push_str(&format!("      with {}\n", harmless(&with.join(", "))));
        }
        text.push_str(&match &first.asked {
            Some(request) => {
                self.after.quoted("    asked for at", request.span).replace("\n    ", "\n        ")
            }
            None => "      combined: nothing asks for it\n".to_owned(),
        });
        text.push_str(&decision(self.before, "before", before));
        text.push_str(&decision(self.after, "now", after));
        text
    }

    fn document(&self) -> Document {
        let side = |found: &Option<Difference>| {
            found.as_ref().map(|Difference { asked, combined, first, decided: [before, after] }| Side {
                requests: *asked,
                combined: *combined,
                first: request(self.after, first),
                before: deciding(self.before, before),
                now: deciding(self.after, after),
            })
        };
        let one = |one: &Compared| Type {
            principal: one.principal.clone(),
            action: one.action.word(),
            resource: one.resource.clone(),
            same_policies: one.same,
            requests: one.asked,
            combined: Tried::from(one.combined),
            newly_permitted: side(&one.permitted),
            newly_refused: side(&one.refused),
        };
        Document {
            format: FORMAT,
            base: self.before.root.display().to_string(),
            head: self.after.root.display().to_string(),
            types: self.types.iter().map(one).collect(),
            symbolic: self
                .proven
                .as_ref()
                .map(|groups| groups.iter().map(symbolic::Group::document).collect()),
        }
    }
}

/// What a side decides, with the policies that do.
fn decision(workspace: &Workspace, when: &str, decided: &Decided) -> String {
    let what = match decided {
        Decided::Permitted(_) => "permitted by",
        Decided::Forbidden(_) => "forbidden by",
        Decided::Failed(_) => "not decided, since this cannot be evaluated:",
        Decided::NotPermitted => return format!("      {when}: no policy permits it\n"),
    };
    let told = decided.by().iter().map(|at| format!("      {when}: {what} {}\n", workspace.policy(*at)));
    harmless(&told.collect::<String>()).into_owned()
}

#[derive(Serialize)]
struct Document {
    format: &'static str,
    base: String,
    head: String,
    types: Vec<Type>,
    /// What a solver says of all requests, by environments in which the same policies decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbolic: Option<Vec<symbolic::Document>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    principal: String,
    action: &'static str,
    resource: String,
    same_policies: bool,
    requests: u64,
    combined: Tried,
    #[serde(skip_serializing_if = "Option::is_none")]
    newly_permitted: Option<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newly_refused: Option<Side>,
}

#[derive(Serialize)]
struct Side {
    requests: u64,
    combined: u64,
    first: Request,
    before: Deciding,
    now: Deciding,
}

#[derive(Serialize)]
struct Deciding {
    decision: &'static str,
    policies: BTreeMap<String, String>,
}

fn deciding(workspace: &Workspace, decided: &Decided) -> Deciding {
    let decision = match decided {
        Decided::Permitted(_) => "permitted",
        Decided::Forbidden(_) => "forbidden",
        Decided::NotPermitted => "notPermitted",
        Decided::Failed(_) => "failed",
    };
    let facts = workspace.compilation.policies.facts();
    let policies = decided.by().iter().filter_map(|at| facts.get(at.0 as usize));
    Deciding {
        decision,
        policies: policies.map(|fact| (fact.id.clone(), workspace.place(fact.head))).collect(),
    }
}
