//! Plans as one comment on a pull request: summary, effects, documents, and never more than fits.

use aipolicy_targets::plan::{Access, Change, Effect, EffectClass, Plan};

use super::text::{difference, place, summary, trial};
use crate::markdown::{block, code, details, sentence};

/// The longest comment, in bytes; GitHub takes 65,536 characters.
const LONGEST: usize = 60_000;

/// The comment. What does not fit is counted instead.
pub(super) fn comment(plans: &[Plan]) -> String {
    let mut text = String::from("## aipolicy plan\n\n");
    for plan in plans {
        text.push_str(&format!("- {}\n", sentence(&summary(plan))));
    }
    for plan in plans.iter().filter(|plan| !plan.trials.is_empty()) {
        text.push_str(&format!("\n### New versions in {}\n\n", code(&plan.environment)));
        let told = plan.trials.iter().map(|one| format!("- {}\n", sentence(&trial(one))));
        fill(&mut text, told, "versions");
    }
    for plan in plans.iter().filter(|plan| !plan.is_empty()) {
        text.push_str(&format!("\n### Effects in {}\n\n", code(&plan.environment)));
        fill(&mut text, plan.effects.iter().map(effect), "effects");
    }
    for plan in plans.iter().filter(|plan| !plan.access.is_empty()) {
        text.push_str(&format!("\n### Roles in {}, by their policies\n\n", code(&plan.environment)));
        fill(&mut text, plan.access.iter().map(access), "differences");
    }
    for plan in plans.iter().filter(|plan| !plan.changes.is_empty()) {
        text.push_str(&format!("\n### Documents of {}\n\n", code(&plan.environment)));
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
    format!("- {} {}\n", mark(access.class), sentence(&access.sentence))
}

fn effect(effect: &Effect) -> String {
    let mark = mark(effect.class);
    let origin =
        effect.origin.as_ref().map_or_else(String::new, |origin| format!(" ({})", code(&place(origin))));
    format!("- {mark} {}{origin}\n", sentence(&effect.sentence))
}

fn document(change: &Change) -> String {
    let word = format!("{} ({})", change.action.word(), change.effect.word());
    details(&word, &change.address.to_string(), &block("diff", &difference(change))) + "\n"
}
