//! A plan for people: effects first, then documents with their differences, then a line that sums it up.

use aipolicy_targets::artifact::Address;
use aipolicy_targets::plan::{Access, Action, Change, Effect, EffectClass, Origin, Plan, Trial, TrialState};
use similar::TextDiff;

use crate::ui::harmless;

/// The origins that are shown for a document.
const FEW: usize = 3;

/// The whole plan.
pub(crate) fn plan(plan: &Plan) -> String {
    let title = format!("{} · {}", plan.workspace, plan.environment);
    if plan.is_empty() && plan.foreign.is_empty() {
        return format!("{title}: no changes\n{}", trials(plan));
    }
    let mut text = format!("{title}\n");
    if !plan.effects.is_empty() {
        text.push_str("\nEffects\n");
        plan.effects.iter().for_each(|effect| text.push_str(&self::effect(effect)));
    }
    if !plan.access.is_empty() {
        text.push_str("\nRoles, by their policies\n");
        plan.access.iter().for_each(|access| text.push_str(&self::access(access)));
    }
    if !plan.changes.is_empty() {
        text.push_str("\nDocuments\n");
        plan.changes.iter().for_each(|change| text.push_str(&self::change(change)));
    }
    for address in &plan.foreign {
        text.push_str(&format!("\n  ! {address} exists already and is not ours; it is never touched\n"));
    }
    text.push_str(&trials(plan));
    text.push_str(&format!("\n{}\n", summary(plan)));
    text
}

fn trials(plan: &Plan) -> String {
    if plan.trials.is_empty() {
        return String::new();
    }
    let told = |trial: &Trial| format!("  {}\n", harmless(&self::trial(trial)));
    format!("\nNew versions\n{}", plan.trials.iter().map(told).collect::<String>())
}

/// How the trial of a new version goes, in a sentence.
pub(super) fn trial(trial: &Trial) -> String {
    let Trial { agent, version, state, .. } = trial;
    let names = |alarms: &[Address]| {
        let names = alarms.iter().map(|alarm| format!("`{}`", alarm.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let how = match state {
        TrialState::Begins { bake } => {
            format!("is tried from now on, and callers get it after {}", span(*bake))
        }
        TrialState::Runs { until } => format!("is tried, and callers get it after {until}"),
        TrialState::Unmeasured { alarms } => format!(
            "was tried for long enough, and callers do not get it: {} measured nothing yet; \
             `--promote {agent}` gives it to them",
            names(alarms)
        ),
        TrialState::Aborted { alarms } => format!(
            "is not tried any more, and callers do not get it: {} rang; take the change back, or change the agent",
            names(alarms)
        ),
        TrialState::Passed => "was tried, and nothing went wrong: callers get it".to_owned(),
        TrialState::Promoted => "is given to callers at once".to_owned(),
    };
    format!("version {version} of `{agent}` {how}")
}

/// A time for people.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let whole = units.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    whole.map_or_else(|| format!("{seconds} s"), |(size, unit)| format!("{} {unit}", seconds / size))
}

fn mark(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Widens => "+",
        EffectClass::Narrows => "-",
        EffectClass::Mixed => "~",
        EffectClass::Neutral => " ",
    }
}

fn access(access: &Access) -> String {
    format!("  {} {}\n", mark(access.class), harmless(&access.sentence))
}

fn effect(effect: &Effect) -> String {
    let mark = mark(effect.class);
    let origin = effect.origin.as_ref().map_or_else(String::new, |origin| format!("  ({})", place(origin)));
    format!("  {mark} {}{origin}\n", harmless(&effect.sentence))
}

pub(super) fn place(origin: &Origin) -> String {
    format!("{}:{}", harmless(&origin.file), origin.line)
}

fn change(change: &Change) -> String {
    let mark = match change.action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Delete => "-",
        Action::Adopt => "=",
    };
    let effect = match change.effect {
        EffectClass::Neutral => String::new(),
        EffectClass::Narrows | EffectClass::Widens | EffectClass::Mixed => {
            format!(", {}", change.effect.word())
        }
    };
    let written: Vec<_> = change.origins.iter().filter(|origin| !origin.file.starts_with('<')).collect();
    let mut places: Vec<_> = written.iter().take(FEW).map(|origin| place(origin)).collect();
    if written.len() > FEW {
        places.push(format!("{} more", written.len() - FEW));
    }
    let mut text =
        format!("\n  {mark} {} {} ({}{effect})\n", change.action.word(), change.address, why(change));
    if !places.is_empty() {
        text.push_str(&format!("    from {}\n", places.join(", ")));
    }
    for line in difference(change).lines() {
        text.push_str(&format!("    {}\n", harmless(line)));
    }
    text
}

fn why(change: &Change) -> &'static str {
    use aipolicy_targets::plan::Reason;
    match change.reason {
        Reason::Sources => "asked for by the sources",
        Reason::Drift => "changed by somebody else",
        Reason::SourcesAndDrift => "asked for by the sources, and changed by somebody else",
        Reason::References => "what it refers to changes",
        Reason::Trial => "tried since nobody knows when, and begun anew",
    }
}

/// The difference of a document, without the header of a file.
pub(super) fn difference(change: &Change) -> String {
    let text = |document: &Option<aipolicy_targets::artifact::Document>| {
        document.as_ref().map_or_else(String::new, |document| document.text.clone())
    };
    let (before, after) = (text(&change.before), text(&change.after));
    TextDiff::from_lines(&before, &after).unified_diff().to_string()
}

/// "2 to create, 1 to update, 0 to delete".
pub(super) fn summary(plan: &Plan) -> String {
    let count = |action| plan.changes.iter().filter(|change| change.action == action).count();
    let of = |class| plan.effects.iter().filter(|effect| effect.class == class).count();
    format!(
        "{}: {} to create, {} to update, {} to delete; {} effects widen, {} narrow",
        plan.environment,
        count(Action::Create),
        count(Action::Update),
        count(Action::Delete),
        of(EffectClass::Widens),
        of(EffectClass::Narrows)
    )
}
