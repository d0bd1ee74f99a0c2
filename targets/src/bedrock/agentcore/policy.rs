//! Cedar policies of a gateway: who may call which tool, with which inputs. What Cedar has no word for (patterns, lengths,
//! items of lists) is asked by the machine of the tool.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use serde_json::{Number, Value, json};

use super::gateway::Addresses;
use super::{Agent, Validators};
use super::{authorizer, manifest};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, join, reference};
use crate::bedrock::tool::Call;
use crate::bedrock::tool::condition::{Asks, Limit};
use crate::bedrock::tool::schema::{Kind, NumberRules, Shape};
use crate::tree::Tree;

/// What stands for the ARN of the gateway until it is known. It is in the scope, before anything that was written.
const GATEWAY: &str = "arn:of:the:gateway";

/// The largest policy, in characters.
const LARGEST: usize = 10_000;

/// A policy for each tool, which the schema of the gateway takes.
pub(super) fn artifacts(
    (agent, addresses): (&Agent<'_>, &Addresses),
    validators: &mut Validators,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let validator = match validators.of(agent) {
        Ok(validator) => validator,
        Err(why) => {
            let message = format!("the tools of `{}` have no Cedar schema: {why}", agent.name());
            out.report(rule::UNSUPPORTED.at(agent.resource.name_span(), message, "").help("rename inputs"));
            return Vec::new();
        }
    };
    let policies: Vec<_> = agent.calls.iter().map(|call| policy(agent, call)).collect();
    let checked = checked(policies, validator);
    let calls = agent.calls.iter().zip(checked);
    calls.filter_map(|(call, text)| artifact(agent, addresses, (call, text), out)).collect()
}

fn artifact(
    agent: &Agent<'_>,
    addresses: &Addresses,
    (call, text): (&Call<'_>, Result<String, String>),
    out: &mut Diagnostics,
) -> Option<Artifact> {
    let name = call.tool.name.value.as_str();
    let refuse = |why: String, out: &mut Diagnostics| {
        let message = format!("tool `{name}` has no policy that its gateway takes: {why}");
        out.report(
            rule::UNSUPPORTED.at(call.tool.name.span, message, "").help("change its inputs or limits"),
        );
        None
    };
    let text = match text {
        Ok(text) if text.len() > LARGEST => return refuse(format!("it has {} characters", text.len()), out),
        Ok(text) => text,
        Err(why) => return refuse(why, out),
    };
    let Some((before, after)) = text.split_once(GATEWAY) else {
        return refuse("its scope names no gateway".to_owned(), out);
    };
    let arn =
        reference(&addresses.gateway, "gatewayArn").from(agent.account.default("agentcore.policyEngine"));
    let statement = join([Tree::text(before), arn, Tree::text(after)]);
    let own = agent.account.policy(agent.resource, name)?;
    let members = vec![
        ("policyEngineId", reference(&addresses.engine, "policyEngineId")),
        ("name", Tree::text(&own).from(agent.account.default("origin.name"))),
        ("definition", Tree::map([("cedar", Tree::map([("statement", statement)]))])),
        (
            "validationMode",
            Tree::text("FAIL_ON_ANY_FINDINGS").from(agent.account.default("agentcore.policyEngine")),
        ),
        ("enforcementMode", Tree::text("ACTIVE").from(agent.account.default("agentcore.policyEngine"))),
    ];
    let mut needs = vec![addresses.engine.clone(), addresses.gateway.clone()];
    needs.extend(addresses.targets.clone());
    let request = Request { address: address("CedarPolicy", own), region: agent.region(), members, needs };
    Some(request.artifact(&call.origin))
}

/// The policy of a tool as text.
fn policy(agent: &Agent<'_>, call: &Call<'_>) -> Result<String, String> {
    let policy = Policy::from_json(Some(PolicyId::new("tool")), document(agent, call));
    let policy = policy.map_err(|error| error.to_string())?;
    policy.to_cedar().ok_or_else(|| "Cedar has no text for it".to_owned())
}

/// The policies that are valid, strictly. What is validated is what is sent: the texts, read again; all at once, since
/// Cedar's parser takes longer to start than to read one.
fn checked(policies: Vec<Result<String, String>>, validator: &Validator) -> Vec<Result<String, String>> {
    let texts: Vec<_> = policies.iter().flatten().map(String::as_str).collect();
    let together = texts.join("\n").parse::<PolicySet>();
    let valid = together.is_ok_and(|set| {
        let all = set.policies().count() == texts.len();
        all && validator.validate(&set, ValidationMode::Strict).validation_passed()
    });
    if valid {
        return policies;
    }
    policies.into_iter().map(|text| text.and_then(|text| alone(&text, validator).map(|()| text))).collect()
}

/// Why a policy is not valid.
fn alone(text: &str, validator: &Validator) -> Result<(), String> {
    let policy = Policy::parse(Some(PolicyId::new("tool")), text).map_err(|error| error.to_string())?;
    let set = PolicySet::from_policies([policy]).map_err(|error| error.to_string())?;
    let found = validator.validate(&set, ValidationMode::Strict);
    found.validation_errors().next().map_or(Ok(()), |error| Err(error.to_string()))
}

/// The policy in Cedar's own JSON.
fn document(agent: &Agent<'_>, call: &Call<'_>) -> Value {
    let action = manifest::action(call);
    let mut all = match agent.token_callers() {
        Some(callers) => authorizer::conditions(callers),
        None => vec![caller(agent)],
    };
    let who = format!("AgentCore::{}", manifest::caller_type(agent));
    let input = member(json!({ "Var": "context" }), "input");
    asked(&call.shape, &input, &mut all);
    all.extend(call.limits.iter().filter_map(|limit| limit_of(limit, &call.shape, &input)));
    // A limit may ask what the schema asks already.
    let mut asked_before: Vec<Value> = Vec::new();
    all.retain(|one| {
        let new = !asked_before.contains(one);
        if new {
            asked_before.push(one.clone());
        }
        new
    });
    let body = all.into_iter().reduce(|left, right| json!({ "&&": { "left": left, "right": right } }));
    json!({
        "effect": "permit",
        "principal": { "op": "is", "entity_type": who },
        "action": { "op": "==", "entity": { "type": "AgentCore::Action", "id": action } },
        "resource": { "op": "==", "entity": { "type": "AgentCore::Gateway", "id": GATEWAY } },
        "conditions": [{ "kind": "when", "body": body }],
    })
}

/// The agent by its role, in whatever session.
fn caller(agent: &Agent<'_>) -> Value {
    let role = agent.account.role(&["agent", agent.name()]);
    let (partition, account) = (agent.account.partition.as_str(), agent.account.id());
    let sessions = format!("arn:{partition}:sts::{account}:assumed-role/{role}/");
    json!({ "like": { "left": member(json!({ "Var": "principal" }), "id"), "pattern": [{ "Literal": sessions }, "Wildcard"] } })
}

fn member(of: Value, name: &str) -> Value {
    json!({ ".": { "left": of, "attr": name } })
}

/// What a schema asks of a value, as far as Cedar can say it.
fn asked(shape: &Shape, value: &Value, all: &mut Vec<Value>) {
    match &shape.kind {
        Kind::Number(rules) => bounds(rules, value, all),
        Kind::Object(properties) => {
            for property in properties {
                let mut own = Vec::new();
                asked(&property.shape, &member(value.clone(), &property.name), &mut own);
                all.extend(
                    own.into_iter().map(|one| if_there(one, (value, &property.name), property.required)),
                );
            }
        }
        Kind::Text(_) | Kind::Bool | Kind::List { .. } => {}
    }
    if let Some((values, _)) = &shape.only {
        all.extend(one_of(values, &shape.kind, value));
    }
}

/// A condition on a member, which holds where the member may be missing and is.
fn if_there(condition: Value, (of, name): (&Value, &str), required: bool) -> Value {
    if required {
        return condition;
    }
    let there = json!({ "has": { "left": of, "attr": name } });
    json!({ "if-then-else": { "if": there, "then": condition, "else": { "Value": true } } })
}

fn bounds(rules: &NumberRules, value: &Value, all: &mut Vec<Value>) {
    let written = [(">=", &rules.least), ("<=", &rules.most), (">", &rules.above), ("<", &rules.below)];
    for (operator, bound) in written {
        all.extend(bound.as_ref().and_then(|(bound, _)| compare(operator, (value, bound), rules.whole)));
    }
}

/// A comparison with a bound; nothing where the type of the input cannot be compared with it.
fn compare(operator: &str, (value, bound): (&Value, &Number), whole: bool) -> Option<Value> {
    if whole {
        let (operator, bound) = whole_bound(operator, bound)?;
        return Some(json!({ operator: { "left": value, "right": { "Value": bound } } }));
    }
    let method = match operator {
        ">=" => "greaterThanOrEqual",
        "<=" => "lessThanOrEqual",
        ">" => "greaterThan",
        "<" => "lessThan",
        _ => return None,
    };
    Some(json!({ method: [value, decimal(bound)?] }))
}

/// A bound on whole numbers that is a whole number itself.
fn whole_bound(operator: &str, bound: &Number) -> Option<(&'static str, i64)> {
    let (whole, exact) = match bound.as_i64() {
        Some(whole) => (whole, true),
        None => {
            let value = bound.as_f64().filter(|value| value.abs() < 9e15)?;
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and far below 2^63")]
            let whole = value.floor() as i64;
            (whole, false)
        }
    };
    Some(match (operator, exact) {
        (">=", true) => (">=", whole),
        (">", _) | (">=", false) => (">", whole),
        ("<", true) => ("<", whole),
        _ => ("<=", whole),
    })
}

/// A decimal of Cedar: at most four digits after the point.
fn decimal(number: &Number) -> Option<Value> {
    let text = number.to_string();
    if text.contains(['e', 'E']) {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    (fraction.len() <= 4 && whole.len() <= 15)
        .then(|| json!({ "decimal": [{ "Value": format!("{whole}.{fraction}") }] }))
}

fn one_of(values: &[Value], kind: &Kind, value: &Value) -> Option<Value> {
    let literal = |one: &Value| match kind {
        Kind::Number(rules) if !rules.whole => decimal(one.as_number()?),
        Kind::Number(_) => Some(json!({ "Value": one.as_i64()? })),
        Kind::Text(_) => Some(json!({ "Value": one.as_str()? })),
        Kind::Bool | Kind::List { .. } | Kind::Object(_) => None,
    };
    let set = values.iter().map(literal).collect::<Option<Vec<_>>>()?;
    Some(json!({ "contains": { "left": { "Set": set }, "right": value } }))
}

/// A limit of the tool, where Cedar can say it.
fn limit_of(limit: &Limit, shape: &Shape, input: &Value) -> Option<Value> {
    let property = shape.properties().iter().find(|one| one.name == limit.property)?;
    let value = member(input.clone(), &limit.property);
    let whole = matches!(&property.shape.kind, Kind::Number(rules) if rules.whole);
    let condition = match &limit.asks {
        Asks::AtLeast(bound) => compare(">=", (&value, &(*bound).into()), whole),
        Asks::AtMost(bound) => compare("<=", (&value, &(*bound).into()), whole),
        Asks::OneOf(values) => one_of(values, &property.shape.kind, &value),
        Asks::Length(_) => None,
    };
    condition.map(|condition| if_there(condition, (input, &limit.property), property.required))
}
