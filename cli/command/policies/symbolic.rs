//! What a solver says about all requests, for people and for programs.

use std::collections::BTreeMap;

use aipolicy_analysis::{About, Context, LIMIT, OfPolicy, OfSet, Proof, Shown, Solver, find};
use aipolicy_compiler::inspect::{Subject, decisive, vocabulary};
use aipolicy_compiler::ir::PolicyIndex;
use serde::Serialize;

use crate::error::CliError;
use crate::ui::{Ui, harmless};
use crate::workspace::Workspace;

/// Whether a solver is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Symbolic {
    /// No solver is asked
    #[default]
    Never,
    /// If there is one
    IfFound,
    /// It is an error if there is none
    Always,
}

/// How a solver is meant to be asked.
#[derive(clap::Args)]
pub(super) struct Demand {
    /// Also tells what holds for all requests, by cvc5: the program that the variable `CVC5` names, or `cvc5` of `PATH`
    #[arg(long, value_enum, value_name = "WHEN", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "always", default_value_t)]
    symbolic: Symbolic,
}

impl Demand {
    /// The solver, if one is to be asked.
    pub(super) fn solver(&self, ui: &mut Ui) -> Result<Option<Solver>, CliError> {
        if self.symbolic == Symbolic::Never {
            return Ok(None);
        }
        let (named, path) = (std::env::var_os("CVC5"), std::env::var_os("PATH"));
        let found = find(named.as_deref(), path.as_deref()).map_err(CliError::usage)?;
        match found {
            Some(program) => Solver::new(&program, LIMIT).map(Some).map_err(CliError::tool),
            None if self.symbolic == Symbolic::IfFound => {
                ui.remark(format!("nothing is said of all requests: {MISSING}; {INSTALL}"));
                Ok(None)
            }
            None => Err(CliError::tool(MISSING).hint(INSTALL)),
        }
    }
}

const MISSING: &str = "there is no `cvc5`";
const INSTALL: &str =
    "install cvc5 1.3 (Debian has a package `cvc5`), or name the program in the variable `CVC5`";

/// What is known of two sets of policies in environments.
pub(super) struct Group {
    environments: Vec<String>,
    types: Vec<OfSet>,
}

/// Compares the policies that decide, once for all environments in which they are the same.
pub(super) fn compare(
    solver: &mut Solver,
    (before, after): (&Workspace, &Subject<'_>),
    wanted: impl Fn(&About) -> bool + Sync,
) -> Result<Vec<Group>, CliError> {
    let words = vocabulary(after).map_err(CliError::tool)?;
    let old = &before.compilation.policies;
    let mut groups: BTreeMap<[Vec<PolicyIndex>; 2], Vec<String>> = BTreeMap::new();
    for environment in after.environments {
        let name = after.graph.name(*environment);
        let sides = [decisive(old, before.graph(), name), decisive(after.policies, after.graph, name)];
        groups.entry(sides).or_default().push(name.to_owned());
    }
    let context = Context { schema: after.policies.schema(), vocabulary: &words };
    let group = |([old_ones, new_ones], environments): ([Vec<PolicyIndex>; 2], Vec<String>)| {
        let sets = [old.set(&old_ones), after.policies.set(&new_ones)];
        let types = aipolicy_analysis::compare(solver, context, [&sets[0], &sets[1]], &wanted);
        Group { environments, types }
    };
    Ok(groups.into_iter().map(group).collect())
}

impl Group {
    /// Whether some request is decided differently.
    pub(super) fn differs(&self) -> bool {
        self.proofs().any(|proof| matches!(proof, Proof::Shown(_)))
    }

    /// Whether something is neither proven nor shown.
    pub(super) fn is_open(&self) -> bool {
        self.proofs().any(|proof| matches!(proof, Proof::NotProven(_)))
    }

    fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.types.iter().flat_map(|one| [&one.permitted, &one.refused])
    }

    pub(super) fn text(&self, sides: [&Workspace; 2]) -> String {
        let mut text =
            format!("\n\x1b[1mover all requests\x1b[0m of {}\n", harmless(&self.environments.join(", ")));
        let mut equal = 0;
        for OfSet { about, permitted, refused } in &self.types {
            let directions = [
                (permitted, "\x1b[31m+ newly permitted\x1b[0m"),
                (refused, "\x1b[32m- newly refused\x1b[0m"),
            ];
            let told: String = directions.iter().map(|(proof, word)| told(proof, word, sides)).collect();
            match told.is_empty() {
                true => equal += 1,
                false => text.push_str(&format!("{}\n{told}", name(about))),
            }
        }
        let types = if equal == 1 { "type" } else { "types" };
        text.push_str(&match self.types.len() {
            0 => "the same policies decide all of them\n".to_owned(),
            _ => format!(
                "proven equal: {equal} of {} {types} of requests with other policies\n",
                self.types.len()
            ),
        });
        text
    }

    pub(super) fn document(&self) -> Document {
        let one = |one: &OfSet| Type {
            principal: one.about.principal.clone(),
            action: one.about.action.clone(),
            resource: one.about.resource.clone(),
            nothing_newly_permitted: verdict(&one.permitted),
            nothing_newly_refused: verdict(&one.refused),
        };
        Document { environments: self.environments.clone(), types: self.types.iter().map(one).collect() }
    }
}

fn name(About { principal, action, resource }: &About) -> String {
    format!("{principal} {action} {resource}")
}

/// What breaks a claim, or why it is open; nothing for what is proven.
fn told(proof: &Proof, word: &str, [before, after]: [&Workspace; 2]) -> String {
    match proof {
        Proof::Proven => String::new(),
        Proof::NotProven(why) => {
            format!("  {word}: not proven that there is nothing, since {}\n", harmless(why))
        }
        Proof::Shown(shown) => {
            let mut text = format!("  {word}: {}\n", request(shown));
            for ((when, side), by) in [("before", before), ("now", after)].into_iter().zip(&shown.by) {
                text.push_str(&format!("      {when}: {}\n", deciding(side, by)));
            }
            text
        }
    }
}

/// A request in words, with what policies look at.
fn request(shown: &Shown) -> String {
    let facts: Vec<_> = shown.facts.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    let beyond = if shown.within { "" } else { ", which the workspace has no words for" };
    let fails = if shown.fails.contains(&true) { "; some policy cannot be evaluated for it" } else { "" };
    let with = if facts.is_empty() { String::new() } else { format!("\n      with {}", facts.join(", ")) };
    harmless(&format!("{}{beyond}{with}{fails}", shown.question)).into_owned()
}

fn deciding(side: &Workspace, by: &[String]) -> String {
    if by.is_empty() {
        return "no policy permits it".to_owned();
    }
    let facts = side.compilation.policies.facts();
    let told = by.iter().map(|id| match facts.iter().find(|fact| fact.id == *id) {
        Some(fact) => format!("{id} ({})", side.place(fact.span)),
        None => id.clone(),
    });
    harmless(&format!("decided by {}", told.collect::<Vec<_>>().join(", "))).into_owned()
}

/// What is known of policies, each alone, and of all together.
pub(super) struct Known {
    policies: Vec<OfPolicy>,
    denied: Vec<(About, Proof)>,
}

/// Asks about policies of which `wanted` tells, and about all that decide in an environment.
pub(super) fn policies(
    solver: &mut Solver,
    subject: &Subject<'_>,
    wanted: impl Fn(PolicyIndex) -> bool,
) -> Result<Known, CliError> {
    let words = vocabulary(subject).map_err(CliError::tool)?;
    let context = Context { schema: subject.policies.schema(), vocabulary: &words };
    let own: Vec<_> = subject.policies.each().filter(|at| wanted(*at)).collect();
    let policies = aipolicy_analysis::policies(solver, context, &subject.policies.set(&own));
    let mut sets: Vec<_> = subject
        .environments
        .iter()
        .map(|environment| decisive(subject.policies, subject.graph, subject.graph.name(*environment)))
        .collect();
    sets.sort();
    sets.dedup();
    let mut denied: BTreeMap<About, Proof> = BTreeMap::new();
    for set in sets {
        for (about, proof) in aipolicy_analysis::denied(solver, context, &subject.policies.set(&set)) {
            let known = denied.remove(&about);
            let worse = match known {
                Some(known) if !matches!(known, Proof::Proven) => known,
                Some(Proof::Proven | Proof::Shown(_) | Proof::NotProven(_)) | None => proof,
            };
            denied.insert(about, worse);
        }
    }
    Ok(Known { policies, denied: denied.into_iter().collect() })
}

impl Known {
    /// Whether a policy is shown to fail, or proven to match nothing.
    pub(super) fn warns(&self) -> bool {
        self.policies.iter().any(|one| {
            matches!(one.never_matches, Proof::Proven) || !matches!(one.never_errors, Proof::Proven)
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = "\n\x1b[1mover all requests\x1b[0m\n".to_owned();
        for OfPolicy { id, never_matches, never_errors } in &self.policies {
            let id = harmless(id);
            text.push_str(&match never_matches {
                Proof::Proven => format!("  `{id}` matches nothing: proven\n"),
                Proof::Shown(shown) => format!("  `{id}` matches {}\n", request(shown)),
                Proof::NotProven(why) => {
                    format!("  `{id}`: not known whether it matches, since {}\n", harmless(why))
                }
            });
            text.push_str(&match never_errors {
                Proof::Proven => format!("  `{id}` never errors: proven\n"),
                Proof::Shown(shown) => format!("  `{id}` errors for {}\n", request(shown)),
                Proof::NotProven(why) => {
                    format!("  `{id}`: not proven that it never errors, since {}\n", harmless(why))
                }
            });
        }
        let of = |wanted: &dyn Fn(&Proof) -> bool| -> Vec<String> {
            self.denied.iter().filter(|(_, proof)| wanted(proof)).map(|(about, _)| name(about)).collect()
        };
        let denied = of(&|proof| matches!(proof, Proof::Proven));
        if !denied.is_empty() {
            text.push_str(&format!("  always denied, whatever is asked: {}\n", denied.join("; ")));
        }
        let open = of(&|proof| matches!(proof, Proof::NotProven(_)));
        if !open.is_empty() {
            text.push_str(&format!("  not known whether always denied: {}\n", open.join("; ")));
        }
        text
    }

    pub(super) fn document(&self) -> KnownDocument {
        let policy = |one: &OfPolicy| PolicyDocument {
            id: one.id.clone(),
            never_matches: verdict(&one.never_matches),
            never_errors: verdict(&one.never_errors),
        };
        let denied = self.denied.iter().map(|(about, proof)| Denied {
            principal: about.principal.clone(),
            action: about.action.clone(),
            resource: about.resource.clone(),
            always_denied: verdict(proof),
        });
        KnownDocument { policies: self.policies.iter().map(policy).collect(), types: denied.collect() }
    }
}

#[derive(Serialize)]
pub(super) struct Document {
    environments: Vec<String>,
    types: Vec<Type>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    principal: String,
    action: String,
    resource: String,
    nothing_newly_permitted: Verdict,
    nothing_newly_refused: Verdict,
}

#[derive(Serialize)]
pub(super) struct KnownDocument {
    policies: Vec<PolicyDocument>,
    types: Vec<Denied>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyDocument {
    id: String,
    never_matches: Verdict,
    never_errors: Verdict,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Denied {
    principal: String,
    action: String,
    resource: String,
    always_denied: Verdict,
}

/// What is known of a claim.
#[derive(Serialize)]
#[serde(tag = "verdict", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Verdict {
    Proven,
    Broken {
        question: String,
        facts: BTreeMap<String, String>,
        before: Vec<String>,
        now: Vec<String>,
        in_words_of_the_workspace: bool,
    },
    NotProven {
        why: String,
    },
}

fn verdict(proof: &Proof) -> Verdict {
    match proof {
        Proof::Proven => Verdict::Proven,
        Proof::NotProven(why) => Verdict::NotProven { why: why.clone() },
        Proof::Shown(shown) => {
            let [before, now] = shown.by.clone();
            Verdict::Broken {
                question: shown.question.clone(),
                facts: shown.facts.iter().cloned().collect(),
                before,
                now,
                in_words_of_the_workspace: shown.within,
            }
        }
    }
}
