//! Plans as one comment on a pull request: summary, effects, documents, and never more than fits.

use aipolicy_targets::plan::{Access, Change, Effect, EffectClass, Plan};

use super::text::{difference, place, summary};

/// The longest comment, in bytes; GitHub takes 65,536 characters.
const LONGEST: usize = 60_000;

/// The comment. What does not fit is counted instead.
pub(super) fn comment(plans: &[Plan]) -> String {
    let mut text = String::from("## aipolicy plan\n\n");
    for plan in plans {
        text.push_str(&format!("- `{}`\n", inline(&summary(plan))));
    }
    for plan in plans.iter().filter(|plan| !plan.is_empty()) {
        text.push_str(&format!("\n### Effects in `{}`\n\n", inline(&plan.environment)));
        fill(&mut text, plan.effects.iter().map(effect), "effects");
    }
    for plan in plans.iter().filter(|plan| !plan.access.is_empty()) {
        text.push_str(&format!("\n### Roles in `{}`, by their policies\n\n", inline(&plan.environment)));
        fill(&mut text, plan.access.iter().map(access), "differences");
    }
    for plan in plans.iter().filter(|plan| !plan.changes.is_empty()) {
        text.push_str(&format!("\n### Documents of `{}`\n\n", inline(&plan.environment)));
        fill(&mut text, plan.changes.iter().map(document), "documents");
    }
    text
}

/// Adds parts as long as they fit, and says how many did not.
fn fill(text: &mut String, parts: impl Iterator<Item = String>, what: &str) {
    let mut left_out = 0;
    for part in parts {
        if text.len() + part.len() + 100 > LONGEST {
            left_out += 1;
        } else {
            text.push_str(&part);
        }
    }
    if left_out > 0 && text.len() + 100 < LONGEST + 100 {
        text.push_str(&format!("\n… and {left_out} more {what}\n"));
    }
}

fn mark(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Widens => "➕",
        EffectClass::Narrows => "➖",
        EffectClass::Mixed => "🔀",
        EffectClass::Neutral => "▫️",
    }
}

fn access(access: &Access) -> String {
    format!("- {} {}\n", mark(access.class), prose(&access.sentence))
}

fn effect(effect: &Effect) -> String {
    let mark = mark(effect.class);
    let origin =
        effect.origin.as_ref().map_or_else(String::new, |origin| format!(" ({})", inline(&place(origin))));
    format!("- {mark} {}{origin}\n", prose(&effect.sentence))
}

fn document(change: &Change) -> String {
    let diff = difference(change);
    let fence = "`".repeat(longest_run(&diff).max(2) + 1);
    let title =
        format!("{} <code>{}</code> ({})", change.action.word(), change.address, change.effect.word());
    format!("<details><summary>{title}</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// Text that cannot leave the backticks around it.
fn inline(text: &str) -> String {
    text.replace('`', "'").replace('\n', " ")
}

/// A sentence in which names keep their backticks, and nothing else means anything.
fn prose(text: &str) -> String {
    text.replace('<', "&lt;").replace('\n', " ").replace('|', "\\|")
}
