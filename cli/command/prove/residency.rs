//! `aipolicy prove residency`.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::flow::{Leak, Residence, Step, follow};
use aipolicy_compiler::model::Id;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::rule;
use serde_json::{Value, json};

use super::{Claimed, ProofFormat, Told, tell};
use crate::command::Folder;
use crate::error::{CliError, Exit};
use crate::output::Outputs;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// Proves that content is processed and kept where residency rules allow, and nowhere else
///
/// Every way of content is followed to its end, from each agent, workload and tenant: models and the destinations of their
/// inference profiles, fallbacks at any depth, gateways, connectors with their copies, knowledge bases and what they are made
/// from, memory, sessions, calls that wait for approval, queues, logs, traces, caches, namespaces. An unknown region is one that no
/// rule allows. It reads what resources say, beside the policies that decide about them; a waiver changes nothing here.
///
/// What breaks it is the shortest way to a place that is not allowed, with its lines.
///
/// Exit codes: 0 proven, 1 the input cannot be understood, 3 broken or not proven.
#[derive(clap::Args)]
pub(crate) struct Residency {
    #[command(flatten)]
    workspace: Folder,
    #[command(flatten)]
    outputs: Outputs<ProofFormat>,
}

const CLAIMED: Claimed =
    Claimed { format: "aipolicy.residency/1", rules: rule::OF_RESIDENCY, what: "residency" };

/// How many ways that leak are told in full to people.
const TOLD: usize = 10;

/// Where the content of an environment goes.
struct Followed<'w> {
    workspace: &'w Workspace,
    id: Id<EnvironmentSpec>,
    environment: &'w str,
    found: Residence<'w>,
}

impl Residency {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        tell(ui, (&self.workspace, self.outputs), &CLAIMED, |workspace, (id, environment)| {
            Ok(Box::new(Followed { workspace, id, environment, found: follow(workspace.graph(), id) }))
        })
    }
}

impl Told for Followed<'_> {
    fn holds(&self) -> bool {
        self.found.holds()
    }

    fn text(&self) -> String {
        let Residence { count, leaks, endless, rules } = &self.found;
        let colour = if self.holds() { "32" } else { "31" };
        let head = format!(
            "{}: residency \x1b[{colour}m{}\x1b[0m\n",
            self.environment,
            self.verdict().to_uppercase()
        );
        let mut text = match (rules, count.leaks) {
            (0, _) => "  no residency rule says where data may be\n".to_owned(),
            (_, 0) => format!("  {} end where a rule allows", ways(count.held)),
            (_, leaks) => format!("  {leaks} of {} end where no rule allows", ways(count.held)),
        };
        if *rules > 0 {
            text.push_str(&match count.free {
                0 => "\n".to_owned(),
                free => format!("; {} of data that no rule is about\n", ways(free)),
            });
        }
        for step in endless {
            text.push_str(&format!("  ? comes back to where it was, and has no end\n{}", self.step(step)));
        }
        text.extend(leaks.iter().take(TOLD).map(|leak| self.leak(leak)));
        if leaks.len() > TOLD {
            let rest = leaks.len() - TOLD;
            text.push_str(&format!(
                "  and from {rest} more agents, workloads or tenants; `--format json` has all\n"
            ));
        }
        head + &harmless(&text)
    }

    fn json(&self) -> Value {
        let Residence { count, leaks, endless, rules } = &self.found;
        let step = |step: &Step<'_>| json!({ "what": step.what, "name": step.name, "at": self.workspace.place(step.span) });
        let leak = |leak: &Leak<'_>| {
            json!({
                "region": leak.end.region,
                "source": leak.end.moved.as_ref().map(|(source, _)| source),
                "profile": leak.end.moved.as_ref().map(|(_, profile)| profile),
                "rules": leak.end.residency.iter().flat_map(|found| &found.rules)
                    .map(|rule| self.workspace.graph().name(*rule)).collect::<Vec<_>>(),
                "steps": leak.steps.iter().map(step).collect::<Vec<_>>(),
            })
        };
        json!({
            "environment": self.environment,
            "verdict": self.verdict(),
            "rules": rules,
            // JSON numbers of more than 53 bits are not read alike everywhere.
            "paths": count.held.to_string(),
            "pathsWithoutRule": count.free.to_string(),
            "leakingPaths": count.leaks.to_string(),
            "leaks": leaks.iter().map(leak).collect::<Vec<_>>(),
            "endless": endless.iter().map(step).collect::<Vec<_>>(),
        })
    }

    fn report(&self, out: &mut Diagnostics) {
        let Residence { count, leaks, endless, rules } = &self.found;
        let environment = self.environment;
        for leak in leaks {
            let (Some(start), Some((last, before))) = (leak.steps.first(), leak.steps.split_last()) else {
                continue;
            };
            let (start, end) = (words(start), self.end(leak));
            let message = format!("in environment `{environment}`, content from {start} ends {end}");
            let found = rule::CONTENT_LEAVES.at(last.span, message, words(last));
            out.report(before.iter().fold(found, |found, step| found.label(step.span, words(step))));
        }
        for step in endless {
            let message = format!(
                "content of `{environment}` that {} comes back to where it was, and has no end",
                words(step)
            );
            out.report(rule::NOT_PROVEN.at(step.span, message, words(step)));
        }
        let Some(found) = self.workspace.graph().resource(self.id) else { return };
        let mut nothing = |why: &str| {
            let message = format!("nothing is proven of where content of `{environment}` may be: {why}");
            out.report(rule::NOT_PROVEN.at(found.name_span(), message, "in this environment"));
        };
        if *rules == 0 {
            nothing("no residency rule says it");
        } else if count.held == 0 && count.free == 0 {
            nothing("there is no content that could be followed");
        }
    }
}

impl Followed<'_> {
    fn verdict(&self) -> &'static str {
        match (self.holds(), self.found.count.leaks) {
            (true, _) => "proved",
            (false, 0) => "not proven",
            (false, _) => "broken",
        }
    }

    fn leak(&self, leak: &Leak<'_>) -> String {
        let steps: String = leak.steps.iter().map(|step| self.step(step)).collect();
        format!("  - ends {}\n{steps}", self.end(leak))
    }

    /// Where a way ends, and which rules say otherwise.
    fn end(&self, Leak { end, .. }: &Leak<'_>) -> String {
        let by = match &end.moved {
            Some((source, profile)) => format!(" through `{profile}`, called in {source}"),
            None => String::new(),
        };
        let rules = self.rules(end).join(", ");
        format!("in {}{by}: not allowed by {rules}", place(&end.region))
    }

    fn rules(&self, end: &aipolicy_compiler::flow::End) -> Vec<String> {
        let rules = end.residency.iter().flat_map(|residency| &residency.rules);
        rules.map(|rule| format!("`{}`", self.workspace.graph().name(*rule))).collect()
    }

    fn step(&self, step: &Step<'_>) -> String {
        self.workspace.quoted(&format!("  {}", words(step)), step.span).replace("\n    ", "\n        ")
    }
}

fn ways(count: u128) -> String {
    if count == 1 { "1 path".to_owned() } else { format!("{count} paths") }
}

fn words(step: &Step<'_>) -> String {
    if step.name.is_empty() { step.what.to_owned() } else { format!("{} `{}`", step.what, step.name) }
}

/// A region in words.
fn place(region: &str) -> &str {
    match region {
        "global" => "any region of the world",
        "unknown" => "a region that is not known",
        known => known,
    }
}
