//! Finds actions and condition keys that nobody knows.

use crate::action;
use crate::lint::policy::{ActionItem, Condition, Policy};
use crate::lint::{Findings, Rule, Severity, did_you_mean};

pub(super) const RULE: Rule = Rule {
    code: "AIP-IAM-011",
    name: "unknown-action-or-key",
    severity: Severity::Error,
    page: include_str!("unknown_action_or_key.md"),
    check,
};

fn check(policy: &Policy<'_>, findings: &mut Findings<'_>) {
    for statement in &policy.statements {
        let items = statement.actions.iter().flat_map(|actions| &actions.items);
        for item in items.filter(|item| item.text.text != "*" && item.actions.is_empty()) {
            unknown_action(item, findings);
        }
        for condition in &statement.conditions {
            unknown_key(condition, findings);
        }
    }
}

fn unknown_action(item: &ActionItem<'_>, findings: &mut Findings<'_>) {
    let text = &*item.text.text;
    // What is no action by its form is reported as such.
    let Some((prefix, name)) = text.split_once(':') else { return };
    let date = action::source().date;
    let Some(service) = action::service(prefix) else {
        let message = format!("there is no service `{prefix}` among those known on {date}");
        let near = did_you_mean(prefix, action::services().map(|service| service.prefix));
        return findings.at(
            &item.text,
            message,
            near.map_or_else(unless_new, |near| format!("`{near}` is the nearest")),
        );
    };
    let message = if item.is_wild() {
        format!("`{text}` stands for none of the actions of `{prefix}` known on {date}")
    } else {
        format!("`{text}` is not among the actions of `{prefix}` known on {date}")
    };
    let near = did_you_mean(name, service.actions().map(|action| action.name));
    let help = match (prefix, name.to_ascii_lowercase().as_str()) {
        ("bedrock", "converse") => "the action of Converse is `bedrock:InvokeModel`".to_owned(),
        ("bedrock", "conversestream") => {
            "the action of ConverseStream is `bedrock:InvokeModelWithResponseStream`".to_owned()
        }
        _ => near.map_or_else(unless_new, |near| format!("`{}:{near}` is the nearest", service.prefix)),
    };
    findings.at(&item.text, message, help);
}

fn unless_new() -> String {
    "correct it, or wait for a newer catalog if the service has just published it".to_owned()
}

fn unknown_key(condition: &Condition<'_>, findings: &mut Findings<'_>) {
    let Some((prefix, _)) = condition.key.split_once(':') else {
        let message = format!("`{}` is not a condition key", condition.key);
        return findings.report(
            &condition.pointer,
            message,
            "write `service:Name`, such as `aws:SourceAccount`",
        );
    };
    // Identity providers have keys of their own, named after their host.
    if prefix.contains('.')
        || action::global_key(condition.key).is_some()
        || matches!(prefix, "saml" | "SAML")
    {
        return;
    }
    let date = action::source().date;
    if prefix.eq_ignore_ascii_case("aws") {
        let near = did_you_mean(condition.key, action::global_keys().map(|key| key.name));
        let message = format!("`{}` is not among the global condition keys known on {date}", condition.key);
        let help = near.map_or_else(unless_new, |near| format!("`{near}` is the nearest"));
        return findings.report(&condition.pointer, message, help);
    }
    let Some(service) = action::service(prefix) else {
        let message = format!("there is no service `{prefix}` among those known on {date}");
        let near = did_you_mean(prefix, action::services().map(|service| service.prefix));
        let help = near.map_or_else(unless_new, |near| format!("`{near}` is the nearest"));
        return findings.report(&condition.pointer, message, help);
    };
    if service.key(condition.key).is_none() {
        let message =
            format!("`{}` is not among the condition keys of `{prefix}` known on {date}", condition.key);
        let near = did_you_mean(condition.key, service.keys().map(|key| key.name));
        let help = near.map_or_else(unless_new, |near| format!("`{near}` is the nearest"));
        findings.report(&condition.pointer, message, help);
    }
}
