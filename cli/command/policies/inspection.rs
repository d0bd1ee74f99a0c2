//! What policies do, for people.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostic, Family, Label, Severity};
use aipolicy_compiler::inspect::{Combined, Inspected, Vacuous, Verdict};
use aipolicy_compiler::ir::{PolicyFact, PolicyIndex};

use super::symbolic::Known;
use super::{Told, is_shipped, witness};
use crate::render::text::quoted;
use crate::ui::harmless;

/// So many findings are told with their lines.
const TOLD: usize = 100;
/// So many policies are named in a sentence.
const NAMED: usize = 4;

impl Told<'_> {
    /// Whether nothing stops.
    pub(super) fn is_clean(&self, deny_warnings: bool) -> bool {
        if deny_warnings && self.proven.as_ref().is_some_and(Known::warns) {
            return false;
        }
        let mut found = self.found.policies.iter().flat_map(|one| self.findings(one));
        !found.any(|found| deny_warnings || found.severity == Severity::Mandatory)
    }

    /// Findings, then policies that guard, then what it amounts to.
    pub(super) fn text(&self, width: usize) -> String {
        let all = &self.found.policies;
        let findings: Vec<_> = all.iter().flat_map(|one| self.findings(one)).collect();
        let sources = &self.workspace.sources;
        let mut text: String =
            findings.iter().take(TOLD).map(|found| quoted(found, sources, width)).collect();
        if findings.len() > TOLD {
            text.push_str(&format!("and {} more, which `--format json` lists\n\n", findings.len() - TOLD));
        }
        let own = |one: &&Inspected| !is_shipped(self.workspace, one.policy);
        text.extend(all.iter().filter(own).filter_map(|one| self.fine(one)));
        if self.all {
            text.extend(all.iter().filter(|one| !own(one)).map(|one| self.brief(one)));
        }
        let colour = if findings.is_empty() { "\x1b[1;32m" } else { "\x1b[1;33m" };
        text.push_str(&format!(
            "{colour}{}: {}\x1b[0m\n",
            counted(all.iter().filter(own).count(), "policy of the workspace", "policies of the workspace"),
            words(all.iter().filter(own), true),
        ));
        let shipped = all.iter().filter(|one| !own(one)).count();
        if shipped > 0 {
            let hint = if self.all { "" } else { "; `--all` lists them" };
            let words = words(all.iter().filter(|one| !own(one)), self.all);
            text.push_str(&format!(
                "{}: {words}{hint}\n",
                counted(shipped, "policy that ships", "policies that ship")
            ));
        }
        text.push_str(&format!("{} asked\n", counted(self.found.asked, "request", "requests")));
        text.extend(self.proven.as_ref().map(Known::text));
        text
    }

    fn fact(&self, at: PolicyIndex) -> Option<&PolicyFact> {
        self.workspace.compilation.policies.facts().get(at.0 as usize)
    }

    fn id(&self, at: PolicyIndex) -> &str {
        self.fact(at).map_or("", |fact| &fact.id)
    }

    /// What is to be said of a policy: whatever fails, and of those of the workspace what they do not do.
    fn findings(&self, one: &Inspected) -> Vec<Diagnostic> {
        let Some(fact) = self.fact(one.policy) else { return Vec::new() };
        let failed = one.failed.as_ref().map(|failed| {
            let message = format!("`{}` cannot be evaluated for {}", fact.id, requests(failed.count));
            let found = finding((fact, "errors", Severity::Mandatory), message, &failed.why);
            found
                .label(failed.first.span, "asked for at")
                .help("a policy that cannot be evaluated decides nothing, and stops the run")
        });
        if is_shipped(self.workspace, one.policy) {
            return failed.into_iter().collect();
        }
        failed.into_iter().chain(self.verdict(one, fact)).chain(may_fail(one, fact)).collect()
    }

    fn verdict(&self, one: &Inspected, fact: &PolicyFact) -> Option<Diagnostic> {
        let id = &fact.id;
        let matched = format!("matches {} of {}", one.matched, requests(one.asked));
        let told = |word, message, label: &str| finding((fact, word, Severity::Advisory), message, label);
        Some(match &one.verdict {
            Verdict::Decides | Verdict::Guards(_) | Verdict::Off | Verdict::Changes => return None,
            Verdict::Vacuous(why) => self.vacuous(one, fact, why),
            Verdict::Shadowed { by, mutual } => {
                let same = if *mutual { "the same requests" } else { "each of them, and more" };
                let message = format!("`{id}` is shadowed by `{}`", self.id(*by));
                let found = told("shadowed", message, &matched);
                let found = match self.fact(*by) {
                    Some(other) => found.label(other.head, format!("matches {same}")),
                    None => found,
                };
                found.help(match mutual {
                    true => "either may go, not both",
                    false => "it may go, unless it is meant to hold when the other one changes",
                })
            }
            Verdict::Redundant { beside, not_permitted } => {
                let message = format!("`{id}` changes no decision");
                let mut found = told("redundant", message, &matched);
                for other in beside.iter().take(NAMED).filter_map(|at| self.fact(*at)) {
                    found = found.label(other.head, "decides some of them");
                }
                match not_permitted {
                    0 => found,
                    count => found.note(format!("{} would be permitted by nothing", requests(*count))),
                }
                .help("it may go, unless it is meant to hold when the others change")
            }
            Verdict::Overridden(by) => {
                let message = format!("whatever `{id}` permits is forbidden");
                let mut found = told("overridden", message, &matched);
                for other in by.iter().take(NAMED).filter_map(|at| self.fact(*at)) {
                    found = found.label(other.head, "forbids some of them");
                }
                found.help("a `permit` makes no exception from a `forbid`: write it into the `unless` of what forbids")
            }
        })
    }

    fn vacuous(&self, one: &Inspected, fact: &PolicyFact, why: &Vacuous) -> Diagnostic {
        let message = format!("`{}` matches no request", fact.id);
        let label = match one.asked {
            0 => "no request to its actions is made".to_owned(),
            asked => format!("none of {} to its actions", requests(asked)),
        };
        let mut found = finding((fact, "vacuous", Severity::Advisory), message, &label);
        for never in &why.never {
            let held = if never.was { "true for none of" } else { "true for each of" };
            found = found.label(never.span, format!("{held} {}", requests(never.looked)));
        }
        let possible = why.combined.map(|combined| match &why.witness {
            None => format!("it would match none of {}", combination(combined)),
            Some(witness) => {
                let with = witness::spoken_of(self.workspace, witness, &[one.policy]);
                let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
                format!("it would match `{}`{with}, which nothing asks for", witness.question())
            }
        });
        let apart = (one.asked > 0 && why.never.is_empty())
            .then_some("each part holds for some request, and never all for one");
        let why: Vec<_> = apart.map(str::to_owned).into_iter().chain(possible).collect();
        match why.is_empty() {
            true => found,
            false => found.note(why.join("; ")),
        }
    }

    /// A line about a policy of the workspace of which nothing is to be found fault with.
    fn fine(&self, one: &Inspected) -> Option<String> {
        let fact = self.fact(one.policy)?;
        let told = match &one.verdict {
            Verdict::Guards(why) => {
                let witness = why.witness.as_deref()?;
                let with = witness::spoken_of(self.workspace, witness, &[one.policy]);
                let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
                let (asked, would) = (requests(one.asked), witness.question());
                format!("matches none of {asked}\n  would match: {would}{with}")
            }
            Verdict::Decides => format!("matches {} of {}", one.matched, requests(one.asked)),
            Verdict::Off => "is switched off".to_owned(),
            Verdict::Changes => "is asked when changes are planned".to_owned(),
            Verdict::Vacuous(_)
            | Verdict::Shadowed { .. }
            | Verdict::Redundant { .. }
            | Verdict::Overridden(_) => return None,
        };
        let line =
            format!("{}: {} `{}` {told}\n", self.workspace.place(fact.head), word(&one.verdict), fact.id);
        Some(harmless(&line).into_owned())
    }

    fn brief(&self, one: &Inspected) -> String {
        let place = self.fact(one.policy).map_or_else(String::new, |fact| self.workspace.place(fact.head));
        let (word, id) = (word(&one.verdict), self.id(one.policy));
        format!("{place}: {word} `{id}` matches {} of {}\n", one.matched, requests(one.asked))
    }
}

/// The word of a verdict.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Decides => "deciding",
        Verdict::Vacuous(_) => "vacuous",
        Verdict::Guards(_) => "guarding",
        Verdict::Shadowed { .. } => "shadowed",
        Verdict::Redundant { .. } => "redundant",
        Verdict::Overridden(_) => "overridden",
        Verdict::Off => "off",
        Verdict::Changes => "about changes",
    }
}

fn finding(
    (fact, word, severity): (&PolicyFact, &'static str, Severity),
    message: String,
    label: &str,
) -> Diagnostic {
    Diagnostic {
        code: word.into(),
        name: word.into(),
        severity,
        family: Family::Verdict,
        message,
        primary: Label { span: fact.head, text: label.to_owned() },
        related: Vec::new(),
        note: None,
        help: None,
        about: None,
        waived: None,
    }
}

fn may_fail(one: &Inspected, fact: &PolicyFact) -> Option<Diagnostic> {
    let first = one.may_fail.first()?;
    let message = format!("`{}` may error", fact.id);
    let mut found = finding((fact, "may-error", Severity::Advisory), message, "");
    found.primary = Label { span: first.span, text: first.why.clone() };
    for other in one.may_fail.iter().skip(1) {
        found = found.label(other.span, other.why.clone());
    }
    Some(found.help("a policy that cannot be evaluated decides nothing, so every request that meets it would stop the run"))
}

fn requests(count: usize) -> String {
    counted(count, "request", "requests")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// How many requests were combined.
pub(super) fn combination(combined: Combined) -> String {
    let Combined { tried, of, contexts_left_out } = combined;
    let left = match contexts_left_out {
        0 => String::new(),
        count => format!(", without the contexts of {count} more requests"),
    };
    match tried == of {
        true => format!("{of} that are combined from its principals, resources and contexts{left}"),
        false => {
            format!("{tried} of {of} that are combined from its principals, resources and contexts{left}")
        }
    }
}

/// How many policies there are of each verdict. Which of those that match nothing could match is known where they were
/// looked at closely.
fn words<'i>(all: impl Iterator<Item = &'i Inspected>, closely: bool) -> String {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for one in all {
        let matches_none = !closely && matches!(one.verdict, Verdict::Vacuous(_));
        *count.entry(if matches_none { "without a match" } else { word(&one.verdict) }).or_default() += 1;
        if !one.may_fail.is_empty() {
            *count.entry("that may error").or_default() += 1;
        }
    }
    let told: Vec<_> = count.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}
