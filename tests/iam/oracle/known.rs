//! Errors of the simulator, each with what AWS documents: a case that runs into one is restated in words that the
//! simulator reads rightly, and then both have to agree.

use serde_json::{Map, Value, json};

use super::case::Case;

/// An error of the simulator.
pub(super) struct Known {
    /// What it does.
    pub(super) error: &'static str,
    /// What AWS says, and where.
    pub(super) documented: &'static str,
    /// The same case without what is misread.
    pub(super) restated: fn(&Case) -> Case,
}

pub(super) const KNOWN: &[Known] = &[
    Known {
        error: "`ForAnyValue:…IfExists` fails when the request does not have the key",
        documented: "\"If the key is not present, evaluate the condition element as true.\" (IAM JSON policy elements: \
                     Condition operators, …IfExists condition operators)",
        restated: without_absent_if_exists,
    },
    Known {
        error: "a session policy limits what a resource policy grants to the session itself or to everyone",
        documented: "\"Permissions granted directly to a session are not limited by an implicit deny in an \
                     identity-based policy, a permissions boundary, or session policy.\" (Policy evaluation for \
                     requests within a single account)",
        restated: without_session,
    },
    Known {
        error: "`NotPrincipal` leaves out who is listed without its account or its role",
        documented: "\"When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied \
                     principal. Otherwise, the policy might deny access to the entire account containing the \
                     principal.\" (AWS JSON policy elements: NotPrincipal)",
        restated: with_everyone_denied,
    },
    Known {
        error: "an inverted operator fails when a variable in its value cannot be resolved",
        documented: "\"Inverted condition operators like StringNotEquals or StringNotLike do match against a null \
                     value\" (IAM policy elements: Variables and tags, Policy variables with no value)",
        restated: without_unresolved,
    },
    Known {
        error: "variables are resolved in policies of version 2008-10-17",
        documented: "\"When the Version element is not included or is set to an earlier version date, variables like \
                     ${aws:username} are treated as literal strings in the policy.\" (IAM JSON policy elements: \
                     Version)",
        restated: with_literal_variables,
    },
    Known {
        error: "`NotResource` fails when a variable in one of its values cannot be resolved",
        documented: "\"the resource that includes a policy variable with no value will not match any resource\" (IAM \
                     policy elements: Variables and tags, Policy variables with no value)",
        restated: without_unresolved_resources,
    },
    Known {
        error: "no address is in an IPv4 range with the prefix `/0`",
        documented: "\"The value must be in the standard CIDR format\", in which `/0` fixes no bit (IAM JSON policy \
                     elements: Condition operators, IP address condition operators)",
        restated: with_halves_of_everything,
    },
    Known {
        error: "`NotIpAddress` with one address of the other family fails",
        documented: "\"All IP addresses except the specified IP address or range\" (IAM JSON policy elements: Condition \
                     operators, IP address condition operators)",
        restated: with_prefixes,
    },
    Known {
        error: "`${*}` is no `*` where an operator compares exactly",
        documented: "\"These predefined policy variables can be used in any string where you can use regular policy \
                     variables.\" (IAM policy elements: Variables and tags, Special characters)",
        restated: with_plain_stars,
    },
    Known {
        error: "`NotPrincipal` leaves out nobody of another account than that of the resource",
        documented: "\"denies access to all principals except the principal specified in the NotPrincipal element\" \
                     (AWS JSON policy elements: NotPrincipal)",
        restated: with_others_denied,
    },
    Known {
        error: "the `/` in the name of a variable is taken for the one after the type of a resource",
        documented: "\"AWS substitutes a value from the request context key in place of the variable in your policy.\" \
                     (IAM policy elements: Variables and tags)",
        restated: with_values_in_resources,
    },
];

/// The case without any of the errors.
pub(super) fn restated(case: &Case) -> Case {
    KNOWN.iter().fold(case.clone(), |case, known| (known.restated)(&case))
}

/// The case with every statement changed; the text is the version of its policy.
fn each_statement(case: &Case, change: impl Fn(&mut Map<String, Value>, &str)) -> Case {
    let mut case = case.clone();
    for policy in case.documents() {
        let version = policy["Version"].as_str().unwrap().to_owned();
        let statements = &mut policy["Statement"];
        let statements: Vec<_> = match statements.is_array() {
            true => statements.as_array_mut().unwrap().iter_mut().collect(),
            false => vec![statements],
        };
        for statement in statements {
            change(statement.as_object_mut().unwrap(), &version);
        }
    }
    case
}

/// The conditions of a statement that `keep` keeps, with values as it changes them.
fn each_condition(statement: &mut Map<String, Value>, keep: impl Fn(&str, &str, &mut Value) -> bool) {
    let Some(Value::Object(operators)) = statement.get_mut("Condition") else { return };
    for (operator, keys) in operators.iter_mut() {
        keys.as_object_mut().unwrap().retain(|key, values| keep(operator, key, values));
    }
    operators.retain(|_, keys| !keys.as_object().unwrap().is_empty());
}

fn without_absent_if_exists(case: &Case) -> Case {
    each_statement(case, |statement, _| {
        each_condition(statement, |operator, key, _| {
            let operator = operator.to_ascii_lowercase();
            let is_meant = operator.starts_with("foranyvalue:") && operator.ends_with("ifexists");
            !is_meant || case.has(key)
        });
    })
}

fn without_session(case: &Case) -> Case {
    Case { session: None, ..case.clone() }
}

fn with_everyone_denied(case: &Case) -> Case {
    each_statement(case, |statement, _| {
        let leaves_out_all =
            statement.get("NotPrincipal").is_none_or(|names| names.to_string().contains('*'));
        if !leaves_out_all {
            statement.remove("NotPrincipal");
            statement.insert("Principal".to_owned(), json!("*"));
        }
    })
}

/// What no request names.
fn nothing() -> String {
    "arn:aws:s3:::none".to_owned()
}

fn without_unresolved(case: &Case) -> Case {
    each_statement(case, |statement, version| {
        each_condition(statement, |operator, _, values| {
            if version == "2012-10-17" && operator.to_ascii_lowercase().contains("not") {
                each_text(values, |text| if case.resolves(text) { text.to_owned() } else { nothing() });
            }
            true
        });
    })
}

fn without_unresolved_resources(case: &Case) -> Case {
    each_statement(case, |statement, version| {
        if let Some(resources) = statement.get_mut("NotResource").filter(|_| version == "2012-10-17") {
            each_text(resources, |text| if case.resolves(text) { text.to_owned() } else { nothing() });
        }
    })
}

fn with_plain_stars(case: &Case) -> Case {
    each_statement(case, |statement, _| {
        each_condition(statement, |operator, _, values| {
            let operator = operator.to_ascii_lowercase();
            if operator.contains("string") && operator.contains("equals") {
                each_text(values, |text| text.replace("${*}", "*"));
            }
            true
        });
    })
}

fn with_others_denied(case: &Case) -> Case {
    each_statement(case, |statement, _| {
        if statement.get("NotPrincipal").is_some_and(|names| names.to_string().contains(&case.principal)) {
            statement.remove("NotPrincipal");
            statement.insert("Principal".to_owned(), json!({"Service": "nobody.amazonaws.com"}));
        }
    })
}

fn with_values_in_resources(case: &Case) -> Case {
    each_statement(case, |statement, version| {
        for element in ["Resource", "NotResource"] {
            let Some(resources) = statement.get_mut(element).filter(|_| version == "2012-10-17") else {
                continue;
            };
            each_text(resources, |text| with_values(text, case));
        }
    })
}

/// The text with what the request says in place of each variable that it has.
fn with_values(text: &str, case: &Case) -> String {
    let known = case.context.iter().filter_map(|(key, value)| Some((key, value.as_str()?)));
    known.fold(text.to_owned(), |text, (key, value)| {
        let variables = [format!("${{{key}}}"), format!("${{{key}, 'red'}}")];
        let cased = variables
            .iter()
            .flat_map(|one| [one.clone(), one.to_ascii_lowercase(), one.to_ascii_uppercase()]);
        cased.fold(text, |text, variable| text.replace(&variable, &value.replace('*', "${*}")))
    })
}

/// Changes each value of conditions on addresses.
fn each_address(case: &Case, change: impl Fn(&str) -> Vec<String>) -> Case {
    each_statement(case, |statement, _| {
        each_condition(statement, |operator, _, values| {
            if operator.to_ascii_lowercase().contains("ipaddress") {
                let all = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
                *values = json!(all.iter().flat_map(|one| change(one.as_str().unwrap())).collect::<Vec<_>>());
            }
            true
        });
    })
}

fn with_halves_of_everything(case: &Case) -> Case {
    each_address(case, |address| match address.ends_with("/0") && !address.contains(':') {
        true => vec!["0.0.0.0/1".to_owned(), "128.0.0.0/1".to_owned()],
        false => vec![address.to_owned()],
    })
}

fn with_prefixes(case: &Case) -> Case {
    each_address(case, |address| match (address.contains('/'), address.contains(':')) {
        (true, _) => vec![address.to_owned()],
        (false, true) => vec![format!("{address}/128")],
        (false, false) => vec![format!("{address}/32")],
    })
}

fn with_literal_variables(case: &Case) -> Case {
    each_statement(case, |statement, version| {
        if version == "2008-10-17" {
            statement.values_mut().for_each(|value| each_text(value, |text| text.replace("${", "$-{")));
        }
    })
}

fn each_text(value: &mut Value, change: impl Fn(&str) -> String + Copy) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(all) => all.iter_mut().for_each(|one| each_text(one, change)),
        Value::Object(all) => all.values_mut().for_each(|one| each_text(one, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
