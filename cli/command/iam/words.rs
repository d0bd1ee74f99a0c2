//! Statements of policies in words.

use std::collections::BTreeSet;

use aipolicy_iam::{Effect, Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version};

/// A statement in words, one element a line.
pub(super) fn of(statement: &Statement, version: Version, is_trust: bool) -> Vec<String> {
    let may = match statement.effect {
        Effect::Allow => "may",
        Effect::Deny => "must not",
    };
    let mut lines = vec![format!("{} {may}", who(statement))];
    lines.push(format!("  do {}", actions(&statement.actions)));
    lines.push(match &statement.resources {
        None if is_trust => "  with this role".to_owned(),
        None => "  with this resource".to_owned(),
        Some(resources) => format!("  with {}", with(resources)),
    });
    let conditions = statement.conditions.iter();
    let conditions = conditions.flat_map(|(operator, keys)| keys.iter().map(move |entry| (operator, entry)));
    let conditions: Vec<_> =
        conditions.map(|(operator, (key, values))| condition(operator, key, values)).collect();
    for (index, condition) in conditions.iter().enumerate() {
        let word = if index == 0 { "if" } else { "and" };
        lines.push(format!("  {word} {condition}"));
    }
    lines.extend(remarks(statement, version).into_iter().map(|remark| format!("note: {remark}")));
    lines
}

fn who(statement: &Statement) -> String {
    match &statement.principal {
        None => "whoever holds this policy".to_owned(),
        Some(Principals::In(set)) => named(set),
        Some(Principals::NotIn(set)) => format!("everyone but {}", named(set)),
    }
}

fn named(set: &PrincipalSet) -> String {
    let PrincipalSet::Listed(listed) = set else { return "everyone, without credentials too".to_owned() };
    let names = listed.iter().flat_map(|(kind, names)| names.iter().map(|name| principal(*kind, name)));
    any_of(names.collect())
}

fn principal(kind: PrincipalKind, name: &str) -> String {
    let is_account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        PrincipalKind::Aws if name == "*" => "everyone, without credentials too".to_owned(),
        PrincipalKind::Aws if is_account || name.ends_with(":root") => {
            format!("whoever the account `{name}` lets")
        }
        PrincipalKind::Aws => format!("`{name}`"),
        PrincipalKind::Service => format!("the service `{name}`"),
        PrincipalKind::Federated => format!("whoever `{name}` vouches for"),
        PrincipalKind::CanonicalUser => format!("the canonical user `{name}`"),
    }
}

fn actions(matcher: &Matcher) -> String {
    let named = |names: &BTreeSet<String>| any_of(names.iter().map(|name| action(name)).collect());
    match matcher {
        Matcher::In(names) => named(names),
        Matcher::NotIn(names) => format!("everything of every service but {}", named(names)),
    }
}

fn action(name: &str) -> String {
    match name.split_once(':') {
        Some((service, "*")) => format!("everything of `{service}`"),
        Some(_) if name.contains(['*', '?']) => format!("whatever is called `{name}`"),
        Some(_) => format!("`{name}`"),
        None => "everything of every service".to_owned(),
    }
}

fn with(matcher: &Matcher) -> String {
    let named = |names: &BTreeSet<String>| any_of(names.iter().map(|name| resource(name)).collect());
    match matcher {
        Matcher::In(names) => named(names),
        Matcher::NotIn(names) => format!("everything but {}", named(names)),
    }
}

fn resource(name: &str) -> String {
    match name {
        "*" => "everything".to_owned(),
        name if name.replace("${*}", "").contains('*') => format!("whatever is named `{name}`"),
        name => format!("`{name}`"),
    }
}

fn any_of(mut names: Vec<String>) -> String {
    let Some(last) = names.pop() else { return "nothing".to_owned() };
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

/// One condition. What an operator is called and what it asks for are told apart, since names alone mislead.
fn condition(operator: &str, key: &str, values: &BTreeSet<String>) -> String {
    let lower = operator.to_ascii_lowercase();
    let (quantifier, plain) =
        lower.split_once(':').map_or((None, lower.as_str()), |(q, plain)| (Some(q), plain));
    let (plain, if_exists) = plain.strip_suffix("ifexists").map_or((plain, false), |plain| (plain, true));
    if plain == "null" {
        let says = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
        let is = match (says("true"), says("false")) {
            (true, true) => "has, or does not have,",
            (true, false) => "does not have",
            (false, _) => "has",
        };
        return format!("the request {is} `{key}`");
    }
    let quoted: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    let Some((is, is_negated)) = relation(plain) else {
        let values = any_of(quoted);
        return format!("`{operator}`, which is no condition operator, holds for `{key}` and {values}");
    };
    let values = match quoted.as_slice() {
        [_, _, ..] if is_negated => format!("any of {}", quoted.join(", ")),
        _ => any_of(quoted),
    };
    let subject = match quantifier {
        Some("forallvalues") => format!("every value of `{key}`"),
        Some(_) => format!("at least one value of `{key}`"),
        None => format!("`{key}`"),
    };
    let absent = match quantifier {
        Some("forallvalues") => ", or the request has none",
        _ if if_exists => ", or the request does not have it",
        None if is_negated => ", or the request does not have it",
        _ => "",
    };
    format!("{subject} {is} {values}{absent}")
}

/// What an operator asks of a value, and whether it is a negated one.
fn relation(operator: &str) -> Option<(&'static str, bool)> {
    Some(match operator {
        "stringequals" => ("is", false),
        "stringnotequals" => ("is not", true),
        "stringequalsignorecase" => ("is, in whatever case,", false),
        "stringnotequalsignorecase" => ("is not, in whatever case,", true),
        "stringlike" | "arnlike" | "arnequals" => ("is like", false),
        "stringnotlike" | "arnnotlike" | "arnnotequals" => ("is not like", true),
        "numericequals" | "dateequals" | "bool" | "binaryequals" => ("is", false),
        "numericnotequals" | "datenotequals" => ("is not", true),
        "numericlessthan" => ("is less than", false),
        "numericlessthanequals" => ("is at most", false),
        "numericgreaterthan" => ("is more than", false),
        "numericgreaterthanequals" => ("is at least", false),
        "datelessthan" => ("is before", false),
        "datelessthanequals" => ("is not after", false),
        "dategreaterthan" => ("is after", false),
        "dategreaterthanequals" => ("is not before", false),
        "ipaddress" => ("is in", false),
        "notipaddress" => ("is not in", true),
        _ => return None,
    })
}

/// What is easily misread.
fn remarks(statement: &Statement, version: Version) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_allow = statement.effect == Effect::Allow;
    if is_allow && matches!(statement.actions, Matcher::NotIn(_)) {
        remarks.push("`NotAction` with `Allow` grants what services add in future, too".to_owned());
    }
    if is_allow && matches!(statement.resources, Some(Matcher::NotIn(_))) {
        remarks.push("`NotResource` with `Allow` grants what is created in future, too".to_owned());
    }
    if is_allow && matches!(statement.principal, Some(Principals::NotIn(_))) {
        remarks.push("`NotPrincipal` with `Allow` is not supported by AWS".to_owned());
    }
    let texts = statement.resources.iter().flat_map(|resources| match resources {
        Matcher::In(names) | Matcher::NotIn(names) => names,
    });
    let values = statement.conditions.values().flat_map(|keys| keys.values().flatten());
    let has_variables = texts.chain(values).any(|text| text.contains("${"));
    if has_variables {
        remarks.push(match version {
            Version::V2012 => "`${…}` stands for what the request says under that key".to_owned(),
            Version::V2008 => {
                "`${…}` is plain text, since the policy is not of version 2012-10-17".to_owned()
            }
        });
    }
    remarks
}
