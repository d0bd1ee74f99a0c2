//! The smallest change that turns a verdict round.

use aipolicy_compiler::authorize::{After, Altered, Hearing, Place};
use aipolicy_compiler::ir::Decision;

use crate::ui::harmless;
use crate::workspace::Workspace;

/// How many changes of the same size are told.
const TOLD: usize = 3;

/// One line for each change, the smallest ones there are.
pub(super) fn told(workspace: &Workspace, hearing: &Hearing<'_>, decision: &Decision) -> String {
    // A verdict that a waiver makes is turned round by the end of the waiver, and that is told already.
    if !decision.waived.is_empty() {
        return String::new();
    }
    let other = if decision.permitted() { "denied" } else { "allowed" };
    let found = hearing.request(&decision.request).map(|supposed| hearing.nearest(&supposed));
    let found = found.unwrap_or_default();
    if found.is_empty() {
        return format!("  no change of up to four values was found that would have it {other}\n");
    }
    let line = |changes: &Vec<Altered>| {
        let changes: Vec<_> = changes.iter().map(|change| words(workspace, change)).collect();
        format!("  would be {other} {}\n", harmless(&changes.join(" and ")))
    };
    let mut text: String = found.iter().take(TOLD).map(line).collect();
    if found.len() > TOLD {
        text.push_str(&format!("  or by {} more changes of this size\n", found.len() - TOLD));
    }
    text
}

fn words(workspace: &Workspace, Altered { place, before, after }: &Altered) -> String {
    let of = match place {
        Place::Context(key) => format!("`{key}`"),
        Place::Attribute(uid, key) => {
            let (kind, name) = (uid.type_name().to_string(), uid.id().unescaped());
            format!("`{key}` of {kind}/{name}{}", written(workspace, &kind, name))
        }
    };
    let before =
        before.as_ref().map_or_else(|| "which is not there".to_owned(), |value| format!("which is {value}"));
    match after {
        After::Absent => format!("without {of}, {before}"),
        After::Value(value) => {
            format!("if {of} were {value} instead of {}", before.trim_start_matches("which is "))
        }
        After::With(more) => format!("if {of} held {} too", more.join(" and ")),
        After::Without(less) => format!("if {of} did not hold {}", less.join(" and ")),
    }
}

/// Where a resource is written, in brackets; nothing for what is none.
fn written(workspace: &Workspace, kind: &str, name: &str) -> String {
    let resources = workspace.graph().bundle().resources();
    let found =
        resources.iter().find(|(known, called, _)| known.word() == kind && called.value.as_str() == name);
    found.map_or_else(String::new, |(_, called, _)| format!(" ({})", workspace.place(called.span)))
}
