//! Decisions of the roles that a generated workspace compiles to, beside Cedar, which is asked the same of the same
//! statements as policies of its own.
//!
//! Each statement of each role is asked for what it allows, and for the same on a resource of another name. Before the
//! clock runs, policies are compiled and parsed, requests and entities are made. The verdicts have to be the same. One
//! thread, the best of several runs.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_iam::{Conditions, Effect, Matcher, Policies, Request, Statement, find};
use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::effects::role;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request as CedarRequest,
    RestrictedExpression,
};
use serde_json::json;

use crate::clock::best;
use crate::generate::Size;
use crate::measure;

/// A role, as both decide it, and what both are asked.
struct Asked {
    policies: Policies,
    cedar: PolicySet,
    requests: Vec<Request>,
    questions: Vec<(CedarRequest, Entities)>,
}

/// Measures the roles of so many tenants and prints a table.
pub(crate) fn run(words: &mut dyn Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let sizes = words.map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
    let sizes = if sizes.is_empty() { vec![10] } else { sizes };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:>8} {:>8} {:>10} {:>8} {:>12} {:>12} {:>8}",
        "tenants", "roles", "requests", "allowed", "us/request", "cedar us", "ratio"
    )?;
    for tenants in sizes {
        let roles = roles(tenants)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let decided = best(|| ours = roles.iter().flat_map(Asked::ours).collect());
        let peer = best(|| theirs = roles.iter().flat_map(Asked::theirs).collect());
        let asked = roles.iter().flat_map(|role| &role.requests);
        if let Some(((request, ours), _)) =
            asked.zip(&ours).zip(&theirs).find(|((_, ours), theirs)| ours != theirs)
        {
            return Err(format!("{request}: we say {ours}, and Cedar decides otherwise").into());
        }
        let (requests, allowed) = (ours.len(), ours.iter().filter(|allowed| **allowed).count());
        #[expect(clippy::cast_precision_loss, reason = "numbers of requests are small")]
        let [decided, peer] = [decided, peer].map(|all| all * 1e6 / requests as f64);
        writeln!(
            out,
            "{tenants:>8} {:>8} {requests:>10} {allowed:>8} {decided:>12.2} {peer:>12.2} {:>8.2}",
            roles.len(),
            decided / peer
        )?;
    }
    Ok(())
}

impl Asked {
    fn ours(&self) -> impl Iterator<Item = bool> {
        self.requests.iter().map(|request| self.policies.decide(request).is_allowed())
    }

    fn theirs(&self) -> impl Iterator<Item = bool> {
        let authorizer = Authorizer::new();
        self.questions.iter().map(move |(request, entities)| {
            authorizer.is_authorized(request, &self.cedar, entities).decision() == Decision::Allow
        })
    }

    fn of(policies: Policies, statements: &[Statement]) -> Result<Self, Box<dyn Error>> {
        let mut cedar = String::new();
        for statement in statements {
            cedar += &in_cedar(statement)?;
        }
        let requests: Vec<Request> = statements.iter().flat_map(requests).collect();
        let questions = requests.iter().map(question).collect::<Result<_, _>>()?;
        Ok(Self { policies, cedar: cedar.parse()?, requests, questions })
    }
}

/// The roles of every environment of a generated workspace.
fn roles(tenants: usize) -> Result<Vec<Asked>, Box<dyn Error>> {
    let made = measure::made(Size { tenants, per_account: tenants }, 1)?;
    let mut roles = Vec::new();
    for (id, environment) in made.graph.each::<EnvironmentSpec>() {
        let grants = made.decisions.approved(&made.graph, id);
        let grants = grants.ok_or_else(|| format!("{} is refused", environment.name()))?;
        let artifacts = aipolicy_targets::render(grants, &made.sources, &mut Diagnostics::default());
        let artifacts = artifacts.ok_or_else(|| format!("a target refuses {}", environment.name()))?;
        let documents: Vec<&Document> = artifacts.iter().map(|artifact| &artifact.document).collect();
        for artifact in artifacts.iter().filter(|one| is_of_iam(&one.document.address, "Role")) {
            // Cedar is asked about what allows. A permissions boundary takes nothing of that away.
            let role_document: serde_json::Value = serde_json::from_str(&artifact.document.text)?;
            let attached = role_document.get("AttachedManagedPolicies").and_then(|arns| arns.as_array());
            let attached: HashSet<&str> =
                attached.into_iter().flatten().filter_map(|arn| arn.as_str()?.rsplit('/').next()).collect();
            let held = documents.iter().filter(|one| {
                is_of_iam(&one.address, "Policy") && attached.contains(one.address.name.as_str())
            });
            let mut statements = Vec::new();
            for document in held {
                let found = find(&document.text).map_err(|errors| format!("{errors:?}"))?;
                statements.extend(found.into_iter().flat_map(|found| found.document.statements));
            }
            let named = role(documents.iter().copied(), &artifact.document.address.name);
            let policies = named.ok_or("a role is not there")?.policies;
            roles.push(Asked::of(policies, &statements)?);
        }
    }
    Ok(roles)
}

/// Clusters have roles too.
fn is_of_iam(address: &Address, kind: &str) -> bool {
    address.target == "iam" && address.kind == kind
}

/// What the statement allows, and the same of another name.
fn requests(statement: &Statement) -> Vec<Request> {
    let (Effect::Allow, Matcher::In(actions), Some(Matcher::In(resources))) =
        (statement.effect, &statement.actions, &statement.resources)
    else {
        return Vec::new();
    };
    let filled = |pattern: &str| pattern.replace('*', "example").replace('?', "x");
    let mut context = BTreeMap::new();
    for (key, values) in statement.conditions.values().flatten() {
        context
            .entry(key.as_str())
            .or_insert_with(|| values.first().map(|value| filled(value)).unwrap_or_default());
    }
    let mut requests = Vec::new();
    for (action, resource) in
        actions.iter().flat_map(|action| resources.iter().map(move |one| (action, filled(one))))
    {
        for resource in [renamed(&resource), resource] {
            let request = Request::new(action, resource);
            requests.push(context.iter().fold(request, |request, (key, value)| request.with(key, value)));
        }
    }
    requests
}

/// The resource of another name: what follows its type, or all of it where it has none.
fn renamed(arn: &str) -> String {
    let start = arn.match_indices(':').nth(4).map_or(0, |(at, _)| at + 1);
    let (before, resource) = arn.split_at(start);
    let of_type = resource.find([':', '/']).filter(|_| !arn.contains(":s3:")).map_or(0, |at| at + 1);
    let (kind, name) = resource.split_at(of_type);
    format!("{before}{kind}other-{name}")
}

/// The request, with its resource as an entity.
fn question(request: &Request) -> Result<(CedarRequest, Entities), Box<dyn Error>> {
    let uid = |kind: &str, id: &str| -> Result<EntityUid, Box<dyn Error>> {
        Ok(EntityUid::from_type_name_and_id(kind.parse()?, id.parse()?))
    };
    let resource = uid("Resource", "asked")?;
    let arn = RestrictedExpression::new_string(request.resource.clone());
    let entity = Entity::new(resource.clone(), [("arn".to_owned(), arn)].into(), HashSet::new())?;
    let context: BTreeMap<&str, &str> =
        request.context.iter().filter_map(|(key, values)| Some((key, values.first()?.as_str()))).collect();
    let context = Context::from_json_value(json!(context), None)?;
    let asked =
        CedarRequest::new(uid("Role", "it")?, uid("Action", &request.action)?, resource, context, None)?;
    Ok((asked, Entities::from_entities([entity], None)?))
}

/// The statement as a policy of Cedar.
fn in_cedar(statement: &Statement) -> Result<String, Box<dyn Error>> {
    let (Matcher::In(actions), Some(Matcher::In(resources))) = (&statement.actions, &statement.resources)
    else {
        return Err("a generated role has `NotAction` or `NotResource`".into());
    };
    let actions: Vec<String> = actions.iter().map(|action| format!("Action::{}", json!(action))).collect();
    let effect = if statement.effect == Effect::Allow { "permit" } else { "forbid" };
    let mut policy = format!("{effect} (principal, action in [{}], resource)\nwhen {{ ", actions.join(", "));
    policy += &any(resources.iter().map(|pattern| like("resource.arn", pattern)));
    policy += &conditions(&statement.conditions)?;
    Ok(policy + " };\n")
}

fn conditions(conditions: &Conditions) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for (operator, (key, values)) in conditions
        .iter()
        .flat_map(|(operator, keys)| keys.iter().map(move |entry| (operator.as_str(), entry)))
    {
        let (name, value) = (json!(key), format!("context[{}]", json!(key)));
        let holds = match operator {
            "StringEquals" | "ForAllValues:StringEquals" => {
                any(values.iter().map(|one| format!("{value} == {}", json!(one))))
            }
            "StringLike" | "ArnLike" | "ArnEquals" => any(values.iter().map(|one| like(&value, one))),
            "Null" => "true".to_owned(),
            other => return Err(format!("a generated role has `{other}`").into()),
        };
        write!(text, " && context has {name} && {holds}")?;
    }
    Ok(text)
}

fn any(tests: impl Iterator<Item = String>) -> String {
    format!("({})", tests.collect::<Vec<_>>().join(" || "))
}

/// A test of a pattern. Cedar has no `?`.
fn like(value: &str, pattern: &str) -> String {
    match pattern.contains(['*', '?']) {
        true => format!("{value} like {}", json!(pattern.replace('?', "*"))),
        false => format!("{value} == {}", json!(pattern)),
    }
}
